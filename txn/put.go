package txn

import (
	"context"
	"maps"
	"slices"

	"github.com/google/uuid"

	"millrace/delta"
	"millrace/delta/log"
	"millrace/errs"
)

// backlogLimit is how many ratified commits may wait to be published by their own names.
const backlogLimit = 10

// put makes actions the version after snap. This is the decision; errs.Conflict says that another has the version.
func (c *Committer) put(ctx context.Context, q *queue, snap *delta.Snapshot, actions []delta.Action) error {
	version := snap.Version + 1
	if snap.CatalogManaged() || !snap.Exists() && createsManaged(actions) {
		if err := c.boundBacklog(ctx, q); err != nil {
			return err
		}
		name, err := c.stage(ctx, q.table, version, actions)
		if err != nil {
			return err
		}
		err = c.heads.Ratify(ctx, q.table.URL(), version, name)
		if err == nil {
			if err := c.opt.Step(AfterRatify); err != nil {
				return &stopped{err}
			}
		}
		if err == nil || errs.Is(err, errs.Conflict) {
			if err := c.publish(q); err != nil {
				c.opt.Logger.Warn("publish ratified commits", "table", q.table.URL(), "error", err)
			}
		}
		return err
	}
	data, err := delta.EncodeCommit(actions)
	if err != nil {
		return err
	}
	return q.table.Store().PutIfAbsent(ctx, delta.CommitPath(version), data)
}

func createsManaged(actions []delta.Action) bool {
	for i := range actions {
		if p := actions[i].Protocol; p.Supports("catalogManaged") {
			return true
		}
	}
	return false
}

// stage writes a commit beside the log, where it becomes a version when it is ratified.
func (c *Committer) stage(ctx context.Context, t *log.Table, version int64, actions []delta.Action) (name string, err error) {
	data, err := delta.EncodeCommit(actions)
	if err != nil {
		return "", err
	}
	name = delta.StagedCommitName(version, uuid.NewString())
	return name, t.Store().PutIfAbsent(ctx, delta.LogDir+"/"+name, data)
}

// boundBacklog sees to it that readers do not have to ask for more commits than a few.
func (c *Committer) boundBacklog(ctx context.Context, q *queue) error {
	_, staged, _, err := c.heads.Ratified(ctx, q.table.URL(), -1)
	if err != nil || len(staged) < backlogLimit {
		return err
	}
	if err := c.publish(q); err != nil {
		return errs.Newf(errs.Transient, "%d commits of %s are not published: %v", len(staged), q.table.URL(), err)
	}
	return nil
}

// publish copies ratified commits to their own names, in order. Anybody may do it at any time, and a failure only leaves it to the next.
func (c *Committer) publish(q *queue) error {
	url, store := q.table.URL(), q.table.Store()
	_, staged, known, err := c.heads.Ratified(c.ctx, url, -1)
	if err != nil || !known {
		return err
	}
	for _, v := range slices.Sorted(maps.Keys(staged)) {
		name := delta.LogDir + "/" + staged[v]
		data, err := store.Get(c.ctx, name)
		if err == nil {
			err = store.PutIfAbsent(c.ctx, delta.CommitPath(v), data)
		}
		if errs.Is(err, errs.Conflict) || errs.Is(err, errs.NotFound) {
			_, err = store.Stat(c.ctx, delta.CommitPath(v)) // published by another
		}
		if err != nil {
			return err
		}
		if err := c.heads.Published(c.ctx, url, v); err != nil {
			return err
		}
		if err := store.Delete(c.ctx, name); err != nil {
			c.opt.Logger.Debug("delete a staged commit", "table", url, "version", v, "error", err)
		}
	}
	return nil
}

// landed notes that actions are the version after snap, and gives the snapshot of it, or nil.
func (c *Committer) landed(q *queue, snap *delta.Snapshot, actions []delta.Action) *delta.Snapshot {
	version := snap.Version + 1
	if version == 0 {
		q.winners = winners{} // there may have been another table
	}
	q.winners.keep(NewWinner(version, actions))
	return c.advance(q, snap, version, actions)
}
