package log

import (
	"context"
	"errors"

	"millrace/delta"
	"millrace/errs"
)

// Registry knows of tables what their logs alone do not tell.
type Registry interface {
	// Ratified is the newest version of a table with the feature catalogManaged, and the names below _delta_log of those commits after a
	// version that are not published by their own names yet. Known is false for a table that another catalog manages.
	Ratified(ctx context.Context, table string, after int64) (head int64, staged map[int64]string, known bool, err error)
	// Undecided names a transaction of several tables that may have been published in the table after a version and is not decided
	// yet; empty when there is none.
	Undecided(ctx context.Context, table string) (txnID string, after int64, err error)
}

// Use has the cache's tables ask a registry.
func (c *Cache) Use(r Registry) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.registry = r
	for _, t := range c.tables {
		t.registry = r
	}
}

const catalogManaged = "catalogManaged"

// ratified brings a snapshot of published commits up to the version that the catalog says, at most to limit.
func (t *Table) ratified(ctx context.Context, s *delta.Snapshot, limit int64) (*delta.Snapshot, error) {
	if !s.CatalogManaged() {
		return s, nil
	}
	if t.registry == nil {
		return nil, delta.UnsupportedRead(t.URL(), catalogManaged)
	}
	for try := 0; ; try++ {
		head, staged, known, err := t.registry.Ratified(ctx, t.URL(), s.Version)
		if err != nil {
			return nil, err
		}
		if !known {
			return nil, delta.UnsupportedRead(t.URL(), catalogManaged)
		}
		next, err := t.extend(ctx, s, min(head, limit), staged)
		if errs.Is(err, errs.NotFound) && try < 3 {
			continue // published and forgotten meanwhile: ask again
		}
		return next, err
	}
}

func (t *Table) extend(ctx context.Context, s *delta.Snapshot, to int64, staged map[int64]string) (*delta.Snapshot, error) {
	for v := s.Version + 1; v <= to; v++ {
		name := staged[v]
		if name == "" {
			name = delta.CommitName(v)
		}
		actions, err := t.readCommit(ctx, name)
		if err != nil {
			return nil, err
		}
		if s, err = s.Apply(v, s.Timestamp, actions); err != nil {
			return nil, errs.Wrap(err, "read version %d of %s", v, t.URL())
		}
		stamp(s, actions)
	}
	return s, nil
}

// decided is a snapshot without what is not decided yet.
func (t *Table) decided(ctx context.Context, s *delta.Snapshot) (*delta.Snapshot, error) {
	if t.registry == nil {
		return s, nil
	}
	id, after, err := t.registry.Undecided(ctx, t.URL())
	if err != nil || id == "" || s.Version <= after {
		return s, err
	}
	v, found, err := t.FindTransaction(ctx, id, after, s.Version)
	if err != nil || !found {
		return s, err
	}
	return t.at(ctx, v-1)
}

// Undecided reports whether a version's commit is of a transaction of several tables that is not decided yet.
func (t *Table) Undecided(ctx context.Context, version int64, actions []delta.Action) (bool, error) {
	if t.registry == nil {
		return false, nil
	}
	id, after, err := t.registry.Undecided(ctx, t.URL())
	if err != nil || id == "" || version <= after {
		return false, err
	}
	for i := range actions {
		if actions[i].CommitInfo.HasTxnID(id) {
			return true, nil
		}
	}
	return false, nil
}

// FindTransaction looks for a transaction's commit among the versions after one, up to another.
func (t *Table) FindTransaction(ctx context.Context, id string, after, to int64) (int64, bool, error) {
	for v := after + 1; v <= to; v++ {
		actions, err := t.Commit(ctx, v)
		if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
			return 0, false, err
		}
		if err != nil {
			return 0, false, errs.Wrap(err, "look for transaction %s", id)
		}
		for i := range actions {
			if actions[i].CommitInfo.HasTxnID(id) {
				return v, true, nil
			}
		}
	}
	return 0, false, nil
}
