package txn

import (
	"context"

	"millrace/delta"
	"millrace/errs"
)

// Claim is a transaction that is about to be committed for an operation of a client. When the coordinator that did it has died, whoever the client asks
// next looks for the transactions of the operation.
type Claim struct {
	Table       string `json:"table"`
	TxnID       string `json:"txnId"`
	ReadVersion int64  `json:"readVersion"`
}

// Operations are kept for some time where all processes see them. Each method is one atomic step.
type Operations interface {
	// Claim notes the transactions that a process is about to commit for an operation. It is errs.Conflict when another has taken the operation over.
	Claim(ctx context.Context, operation, owner string, claims []Claim) error
	// TakeOver gives the transactions of an operation, in the order in which they were noted, and has no other process note more of them.
	TakeOver(ctx context.Context, operation, owner string) ([]Claim, error)
}

// Recalled is a commit of an operation, with what its history says.
type Recalled struct {
	Claim
	Version int64
	Info    delta.CommitInfo // of a group's commit, what this transaction added to it
}

// claims are the requests as their operation's claims, if there is one.
func claims(parts ...Request) (operation string, list []Claim) {
	for i := range parts {
		operation = parts[i].Operation
		list = append(list, Claim{parts[i].Table, parts[i].TxnID, parts[i].ReadVersion})
	}
	return operation, list
}

// claim notes once, before anything is written, what a call of ask will commit.
func (c *Committer) claim(parts []Request, ask func(context.Context) error) func(context.Context) error {
	operation, list := claims(parts...)
	noted := operation == ""
	return func(ctx context.Context) error {
		if !noted {
			if err := c.heads.Claim(ctx, operation, c.id, list); err != nil {
				return err
			}
			noted = true
		}
		return ask(ctx)
	}
}

// Recall tells what has been committed for an operation of a client, by any process, and sees to it that none but this one commits more for it.
func (c *Committer) Recall(ctx context.Context, operation string) ([]Recalled, error) {
	list, err := c.heads.TakeOver(ctx, operation, c.id)
	if err != nil {
		return nil, err
	}
	var out []Recalled
	for _, claim := range list {
		r, found, err := c.recall(ctx, claim)
		if err != nil {
			return nil, errs.Wrap(err, "recall the operation %s", operation)
		}
		if found {
			out = append(out, r)
		}
	}
	return out, nil
}

func (c *Committer) recall(ctx context.Context, claim Claim) (r Recalled, found bool, err error) {
	table, err := c.logs.Table(claim.Table)
	if err != nil {
		return r, false, err
	}
	release, err := c.own(ctx, c.queue(table)) // what the dead one was writing is written by the time that its lease has ended
	if err != nil {
		return r, false, err
	}
	release()
	v, found, err := c.Outcome(ctx, claim.Table, claim.TxnID, claim.ReadVersion)
	if err != nil || !found {
		return r, false, err
	}
	actions, err := table.Commit(ctx, v)
	if err != nil {
		return r, false, err
	}
	r = Recalled{Claim: claim, Version: v}
	if w := NewWinner(v, actions); w.Info != nil {
		r.Info = *w.Info
	}
	for _, m := range r.Info.Group {
		if m.TxnID == claim.TxnID {
			r.Info.Operation, r.Info.OperationMetrics, r.Info.UserMetadata = m.Operation, m.OperationMetrics, m.UserMetadata
		}
	}
	return r, true, nil
}
