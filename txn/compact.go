package txn

import (
	"context"

	"millrace/delta"
	"millrace/delta/log"
	"millrace/errs"
)

const compactEvery = 10

// compactionFrom is the first of the versions up to the given one of which a log compaction is due, or -1. None is due where a checkpoint lies among them, behind
// which no reader would look.
func (c *Committer) compactionFrom(s *delta.Snapshot, checkpoints int64) int64 {
	n := int64(c.opt.CompactEvery)
	if n < 2 || s.Version == 0 || (s.Version+1)%n != 0 || s.CatalogManaged() { // a managed table's newest commits may not have their names yet
		return -1
	}
	first, last := s.Version+1-n, s.Version-s.Version%checkpoints
	if checkpoints <= n || last > 0 && last >= first {
		return -1
	}
	return first
}

// WriteCompaction writes what the commits from first to last come to as one file of the log, which readers may read in their place.
func WriteCompaction(ctx context.Context, t *log.Table, first, last int64) error {
	var commits [][]delta.Action
	for v := first; v <= last; v++ {
		actions, err := t.Commit(ctx, v)
		if errs.Is(err, errs.NotFound) {
			return nil // the log was cleaned up
		}
		if err != nil {
			return errs.Wrap(err, "compact the log from version %d to %d", first, last)
		}
		commits = append(commits, actions)
	}
	data, err := delta.EncodeCommit(delta.Compact(commits))
	if err != nil {
		return err
	}
	err = t.Store().PutIfAbsent(ctx, delta.LogDir+"/"+delta.CompactedName(first, last), data)
	if errs.Is(err, errs.Conflict) {
		return nil // another process has written it
	}
	return err
}
