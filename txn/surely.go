package txn

import (
	"context"
	"slices"
	"time"

	"millrace/errs"
)

// knownWithin is for how long an outcome is looked for on behalf of somebody who has left.
const knownWithin = time.Minute

// CommitSurely is Commit for those who cannot live with a doubt: while the outcome is not known it asks again, with the same identifier, so that
// the transaction is neither committed twice nor called failed when it is in the log. When the context ends before anything was
// written, nothing will be; when it ends later, the outcome is still looked for, for a while, unless the request has an application's identifier:
// whoever sent it sends it again and is told.
func (c *Committer) CommitSurely(ctx context.Context, r Request) (res Result, err error) {
	err = c.surely(ctx, r.TxnID, r.Table, r.AppID == "", c.claim([]Request{r}, func(ctx context.Context) error {
		res, err = c.Commit(ctx, r)
		return err
	}))
	return res, err
}

// CommitAllSurely is CommitAll in the same way.
func (c *Committer) CommitAllSurely(ctx context.Context, id string, parts []Request) (res []Result, err error) {
	parts = slices.Clone(parts)
	for i := range parts {
		parts[i].TxnID = id
	}
	err = c.surely(ctx, id, "several tables", true, c.claim(parts, func(ctx context.Context) error {
		res, err = c.CommitAll(ctx, id, parts)
		return err
	}))
	return res, err
}

func (c *Committer) surely(ctx context.Context, id, table string, linger bool, ask func(context.Context) error) error {
	doubt, left, start := false, false, time.Now()
	for try := 0; ; try++ {
		err := ask(ctx)
		doubt = doubt || retryable(err)
		if err == nil || !doubt || final(err) || errs.Is(err, errs.Exhausted) {
			return err
		}
		if c.ctx.Err() != nil || (left || !linger) && ctx.Err() != nil || time.Since(start) > c.opt.Patience {
			return errs.New("MILLRACE_DELTA_COMMIT_UNKNOWN", "txnId", id, "tableName", table, "reason", err.Error())
		}
		select {
		case <-time.After(min(10*time.Millisecond<<min(try, 6), 500*time.Millisecond)):
			continue
		case <-c.ctx.Done():
		case <-ctx.Done():
		}
		if !left && linger { // it may be in the log all the same
			left = true
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), knownWithin)
			defer cancel()
		}
	}
}
