package txn

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"millrace/delta"
	"millrace/delta/log"
	"millrace/errs"
)

// CommitAll commits transactions of several tables under one identifier, all or none. On a table that others may write to, a part is
// published in its log before all is decided, which this cluster's readers do not see; the decision is one step of Heads. Whoever
// finds an undecided transaction finishes it. As with Commit, asking again with the same identifier gives the same answer.
func (c *Committer) CommitAll(ctx context.Context, id string, parts []Request) ([]Result, error) {
	parts, tables, err := c.parts(id, parts)
	if err != nil {
		return nil, err
	}
	if len(parts) == 1 {
		r, err := c.Commit(ctx, parts[0])
		return []Result{r}, err
	}
	for {
		in, err := c.heads.Intent(ctx, id)
		if err != nil {
			return nil, err
		}
		if in == nil {
			in, err = c.begin(ctx, id, parts, tables)
		}
		if err != nil {
			return nil, err
		}
		if in == nil {
			continue // another transaction stood in the way and is finished now
		}
		if in.State == Pending || in.State == Aborted {
			if in, err = c.finish(ctx, id); err != nil {
				return nil, errs.New("MILLRACE_DELTA_COMMIT_UNKNOWN", "txnId", id, "tableName", parts[0].Table, "reason", err.Error())
			}
		}
		return c.answers(in, parts)
	}
}

// answers are the results of a decided transaction, in the order of its requests.
func (c *Committer) answers(in *Intent, parts []Request) ([]Result, error) {
	if in.State == Aborted {
		return nil, errs.New("MILLRACE_TRANSACTION_ABORTED", "txnId", in.ID, "reason", in.Why)
	}
	out := make([]Result, len(parts))
	for i, p := range in.Parts {
		for k := range parts {
			if parts[k].Table == p.Table {
				out[k] = Result{Version: in.Parts[i].Version, Grouped: 1}
			}
		}
	}
	return out, nil
}

// parts checks the requests of a transaction, of which each is about another table, and gives them its identifier.
func (c *Committer) parts(id string, parts []Request) ([]Request, []*log.Table, error) {
	parts = slices.Clone(parts)
	tables := make([]*log.Table, len(parts))
	seen := map[string]bool{}
	if len(parts) == 0 {
		return nil, nil, errs.Newf(errs.Invalid, "the transaction %s changes no table", id)
	}
	for i := range parts {
		table, err := c.logs.Table(parts[i].Table)
		if err != nil {
			return nil, nil, err
		}
		parts[i].Table, parts[i].TxnID, tables[i] = table.URL(), id, table
		if err := parts[i].validate(); err != nil {
			return nil, nil, err
		}
		if seen[table.URL()] {
			return nil, nil, errs.Newf(errs.Invalid, "the transaction %s has two parts for %s", id, table.URL())
		}
		seen[table.URL()] = true
		if parts[i].ReadVersion < 0 && len(parts) > 1 {
			return nil, nil, errs.Unsupportedf("Creating the table %s in a transaction of several tables is not supported.", table.URL())
		}
	}
	return parts, tables, nil
}

// ownAll waits until this process alone commits to the tables, which it takes in the order of their names.
func (c *Committer) ownAll(ctx context.Context, tables []*log.Table) (release func(), err error) {
	tables = slices.Clone(tables)
	slices.SortFunc(tables, func(a, b *log.Table) int { return strings.Compare(a.URL(), b.URL()) })
	var held []func()
	release = func() {
		for _, f := range slices.Backward(held) {
			f()
		}
	}
	for _, t := range tables {
		f, err := c.own(ctx, c.queue(t))
		if err != nil {
			release()
			return nil, err
		}
		held = append(held, f)
	}
	return release, nil
}

// begin checks the parts and records the intent. It gives nil when another transaction was in the way, which it has finished.
func (c *Committer) begin(ctx context.Context, id string, parts []Request, tables []*log.Table) (*Intent, error) {
	release, err := c.ownAll(ctx, tables)
	if err != nil {
		return nil, err
	}
	defer func() { release() }()
	for _, t := range tables {
		d, err := c.heads.Doubt(ctx, t.URL())
		if err != nil {
			return nil, err
		}
		if d != nil {
			release()
			release = func() {}
			_, err := c.finish(ctx, d.ID)
			return nil, err
		}
	}
	in := Intent{ID: id, State: Pending}
	known := 0
	for i := range parts {
		part, done, err := c.propose(ctx, tables[i], &parts[i])
		if err != nil {
			c.forgetPlans(ctx, id, tables[:i])
			return nil, err
		}
		if done {
			known++
		}
		in.Parts = append(in.Parts, part)
	}
	if known == len(parts) { // committed long ago
		in.State = Committed
		return &in, nil
	}
	risk := func(p Part) int {
		for i := range parts {
			if parts[i].Table == p.Table && (p.Managed || parts[i].BlindAppend()) {
				return 1
			}
		}
		return 0
	}
	slices.SortStableFunc(in.Parts, func(a, b Part) int { return risk(a) - risk(b) }) // what can fail is published first
	if err := c.heads.Begin(ctx, in); err != nil {
		if errs.Is(err, errs.Conflict) {
			return nil, nil
		}
		return nil, err
	}
	return &in, c.opt.Step(AfterBegin)
}

// propose checks a part against its table's newest version and lays its request down.
func (c *Committer) propose(ctx context.Context, t *log.Table, r *Request) (part Part, done bool, err error) {
	q := c.queue(t)
	snap, err := current(ctx, t)
	if err != nil {
		return part, false, err
	}
	j := &job{Request: *r, ctx: ctx}
	res, done, err := c.judge(q, snap, j)
	if err != nil || done {
		return Part{Table: t.URL(), Base: snap.Version, Version: res.Version}, done, err
	}
	if !snap.Exists() {
		return part, false, delta.TableNotFound(t.URL())
	}
	if _, err := c.prepare(snap, []*job{j}); err != nil {
		return part, false, err
	}
	return Part{Table: t.URL(), Base: snap.Version, Managed: snap.CatalogManaged()}, false, stash(ctx, t.Store(), r, snap.Version+1)
}

// finish brings a transaction to its end, whoever began it.
func (c *Committer) finish(ctx context.Context, id string) (*Intent, error) {
	in, err := c.heads.Intent(ctx, id)
	if err != nil || in == nil {
		return nil, err
	}
	tables := make([]*log.Table, len(in.Parts))
	for i, p := range in.Parts {
		if tables[i], err = c.logs.Table(p.Table); err != nil {
			return nil, err
		}
	}
	release, err := c.ownAll(ctx, tables)
	if err != nil {
		return nil, err
	}
	defer release()
	for {
		if in, err = c.heads.Intent(ctx, id); err != nil || in == nil {
			return nil, err
		}
		switch in.State {
		case Committed:
			c.settled(ctx, in, tables)
			return in, nil
		case Aborted:
			return in, c.undoAll(ctx, in, tables)
		}
		err = c.publishAll(ctx, in, tables)
		switch {
		case err == nil:
			in.State = Committed
		case final(err):
			in.State, in.Why = Aborted, err.Error()
		default:
			return nil, err
		}
		if err := c.opt.Step(BeforeDecision); err != nil {
			return nil, err
		}
		if err := c.heads.Decide(ctx, *in); err != nil && !errs.Is(err, errs.Conflict) {
			return nil, err
		}
		if err := c.opt.Step(AfterDecision); err != nil {
			return nil, err
		}
	}
}

// publishAll puts the parts into their tables' logs, or beside them where the decision makes them versions.
func (c *Committer) publishAll(ctx context.Context, in *Intent, tables []*log.Table) error {
	for i := range in.Parts {
		p := &in.Parts[i]
		r, err := unstash(ctx, tables[i].Store(), p.Table, in.ID)
		if err != nil {
			return err
		}
		if p.Version, p.Staged, err = c.publishPart(ctx, c.queue(tables[i]), r, p.Managed); err != nil {
			return err
		}
		if err := c.opt.Step(AfterPart); err != nil {
			return err
		}
	}
	return nil
}

// undoID is the identifier of the commit that undoes a transaction's part, or takes the place where it could still land.
func undoID(id string) string { return id + "/undo" }

// publishPart writes a part's commit, and finds it when it is there already.
func (c *Committer) publishPart(ctx context.Context, q *queue, r *Request, staged bool) (version int64, name string, err error) {
	for try := 0; ; try++ {
		snap, err := current(ctx, q.table)
		if err != nil {
			return 0, "", err
		}
		j := &job{Request: *r, ctx: ctx}
		res, done, err := c.judge(q, snap, j)
		if err != nil {
			return 0, "", err
		}
		if done && !res.Skipped {
			return res.Version, "", nil
		}
		if done {
			return 0, "", errs.New("DELTA_CONCURRENT_TRANSACTION", "conflictingCommit", "", "docLink", docLink)
		}
		if _, undone, err := c.find(q, undoID(r.TxnID), r.ReadVersion, snap.Version); err != nil || undone {
			return 0, "", orConflict(err, errs.New("MILLRACE_TRANSACTION_ABORTED", "txnId", r.TxnID, "reason", "another coordinator has undone it"))
		}
		actions, err := c.prepare(snap, []*job{j})
		if err != nil {
			return 0, "", err
		}
		if staged {
			name, err := c.stage(ctx, q.table, snap.Version+1, actions)
			return snap.Version + 1, name, err
		}
		err = c.put(ctx, q, snap, actions)
		switch {
		case err == nil:
			c.landed(q, snap, actions)
			return snap.Version + 1, "", nil
		case errs.Is(err, errs.Conflict):
		case !retryable(err) || try > 20:
			return 0, "", err
		}
		if err := c.pause(try, retryable(err)); err != nil {
			return 0, "", err
		}
	}
}

// undoAll takes back what was published of an aborted transaction, and sees to it that nothing is published later.
func (c *Committer) undoAll(ctx context.Context, in *Intent, tables []*log.Table) error {
	for i, p := range in.Parts {
		if p.Managed {
			continue // nothing was ratified
		}
		r, err := unstash(ctx, tables[i].Store(), p.Table, in.ID)
		if errs.Is(err, errs.NotFound) {
			continue // undone and forgotten
		}
		if err != nil {
			return err
		}
		if err := c.undoPart(ctx, c.queue(tables[i]), r); err != nil {
			return err
		}
	}
	if err := c.opt.Step(AfterUndo); err != nil {
		return err
	}
	if err := c.heads.Undone(ctx, *in); err != nil {
		return err
	}
	c.settled(ctx, in, tables)
	return nil
}

// settled publishes the commits of managed tables and sweeps up. All of it may be left out.
func (c *Committer) settled(ctx context.Context, in *Intent, tables []*log.Table) {
	for i, p := range in.Parts {
		if p.Managed {
			if err := c.publish(c.queue(tables[i])); err != nil {
				c.opt.Logger.Warn("publish ratified commits", "table", p.Table, "error", err)
			}
		}
	}
	c.forgetPlans(ctx, in.ID, tables)
}

// forgetPlans deletes what a transaction has laid down beside its tables.
func (c *Committer) forgetPlans(ctx context.Context, id string, tables []*log.Table) {
	for _, t := range tables {
		if err := t.Store().Delete(ctx, planPath(id)); err != nil {
			c.opt.Logger.Debug("delete a transaction's record", "table", t.URL(), "error", err)
		}
	}
}

// find looks for a transaction's commit among the versions after one, up to another.
func (c *Committer) find(q *queue, id string, after, to int64) (int64, bool, error) {
	winners, err := c.between(q, after+1, to)
	for _, w := range winners {
		if w.has(id) {
			return w.Version, true, nil
		}
	}
	return 0, false, err
}

func (c *Committer) undoPart(ctx context.Context, q *queue, r *Request) error {
	for try := 0; ; try++ {
		snap, err := current(ctx, q.table)
		if err != nil {
			return err
		}
		if _, done, err := c.find(q, undoID(r.TxnID), r.ReadVersion, snap.Version); done || err != nil {
			return err
		}
		actions, err := c.reversal(ctx, q, snap, r)
		if err != nil {
			return err
		}
		j := &job{Request: Request{Table: r.Table, ReadVersion: snap.Version, TxnID: undoID(r.TxnID), Actions: actions, Info: delta.Info("ROLLBACK"), ReadTable: true, undo: true}}
		j.rebased = &j.Request
		commit, err := c.prepare(snap, []*job{j})
		if err != nil {
			return err
		}
		err = c.put(ctx, q, snap, commit)
		switch {
		case err == nil:
			c.landed(q, snap, commit)
			return nil
		case errs.Is(err, errs.Conflict):
		case !retryable(err) || try > 20:
			return err
		}
		if err := c.pause(try, retryable(err)); err != nil {
			return err
		}
	}
}

// reversal are the actions that take a part back, none where it was not published.
func (c *Committer) reversal(ctx context.Context, q *queue, now *delta.Snapshot, r *Request) ([]delta.Action, error) {
	v, found, err := c.find(q, r.TxnID, r.ReadVersion, now.Version)
	if err != nil || !found {
		return nil, err
	}
	published, err := q.table.Commit(ctx, v)
	if err != nil {
		return nil, err
	}
	before, err := q.table.At(ctx, v-1)
	if err != nil {
		return nil, err
	}
	actions, complete := before.Reverse(published, now, c.opt.Now().UnixMilli())
	if !complete {
		c.opt.Logger.Error("another writer has changed what an aborted transaction had published; it stays in the table", "table", r.Table, "version", v, "transaction", r.TxnID)
		return nil, nil
	}
	return actions, nil
}

// Recover finishes the transactions that their coordinators have left undecided, and publishes the commits that they had ratified.
func (c *Committer) Recover(ctx context.Context) error {
	ids, all := c.heads.Marked(ctx)
	for _, id := range ids {
		if _, err := c.finish(ctx, id); err != nil {
			all = errors.Join(all, errs.Wrap(err, "finish transaction %s", id))
		}
	}
	tables, err := c.heads.Backlog(ctx)
	all = errors.Join(all, err)
	for _, url := range tables {
		table, err := c.logs.Table(url)
		if err == nil {
			err = c.publish(c.queue(table))
		}
		all = errors.Join(all, errs.Wrap(err, "publish the commits of %s", url))
	}
	return all
}

// Watchdog recovers now and then until the context ends.
func (c *Committer) Watchdog(ctx context.Context, every time.Duration) {
	for {
		select {
		case <-time.After(every):
			if err := c.Recover(ctx); err != nil && ctx.Err() == nil {
				c.opt.Logger.Warn("recover transactions", "error", err)
			}
		case <-ctx.Done():
			return
		}
	}
}

// Consistent reports which of some tables have to be read again, so that of no transaction of several tables one table shows more than
// another. The snapshots were read before the call.
func (c *Committer) Consistent(ctx context.Context, snaps []*delta.Snapshot) (stale []int, err error) {
	names := make([]string, len(snaps))
	for i, s := range snaps {
		names[i] = s.Table
	}
	shared, err := c.heads.Shared(ctx, names)
	if err != nil {
		return nil, err
	}
	for i, v := range shared {
		if v > snaps[i].Version {
			stale = append(stale, i)
		}
	}
	return stale, nil
}
