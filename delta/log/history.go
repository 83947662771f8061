package log

import (
	"context"
	"slices"
	"time"

	"millrace/delta"
	"millrace/storage"
)

// History are the table's commits that are still in the log, newest first; limit 0 is all.
func (t *Table) History(ctx context.Context, limit int) ([]delta.HistoryEntry, error) {
	snap, err := t.Snapshot(ctx)
	if err != nil {
		return nil, err
	}
	files, err := t.list(ctx, -1)
	if err != nil {
		return nil, err
	}
	times := delta.Commits(files)
	if n := len(times); limit > 0 && n > limit {
		times = times[n-limit:]
	}
	var commits []delta.LogFile
	for _, c := range times {
		if c.Version <= snap.Version {
			commits = append(commits, delta.LogFile{Name: delta.CommitName(c.Version), Version: c.Version})
		}
	}
	batches, err := t.readCommits(ctx, commits)
	if err != nil {
		return nil, err
	}
	out := make([]delta.HistoryEntry, len(commits))
	for i := range commits {
		out[len(commits)-1-i] = delta.History(times[i].Version, times[i].Timestamp, batches[i])
	}
	return out, nil
}

// Commits are the versions that can still be read, with their times, rising.
func (t *Table) Commits(ctx context.Context) ([]delta.Commit, error) {
	snap, err := t.Snapshot(ctx)
	if err != nil {
		return nil, err
	}
	files, err := t.list(ctx, -1)
	if err != nil {
		return nil, err
	}
	earliest, ok := delta.EarliestVersion(files)
	if !ok {
		return nil, delta.TableNotFound(t.URL())
	}
	commits := slices.DeleteFunc(delta.Commits(files), func(c delta.Commit) bool { return c.Version < earliest || c.Version > snap.Version })
	if snap.InCommitTimestamps() {
		return t.inCommitTimes(ctx, snap, commits)
	}
	return commits, nil
}

// inCommitTimes takes the times of the commits since the table carries its own from the commits themselves.
func (t *Table) inCommitTimes(ctx context.Context, snap *delta.Snapshot, commits []delta.Commit) ([]delta.Commit, error) {
	since := snap.IntProperty("delta.inCommitTimestampEnablementVersion", 0)
	var files []delta.LogFile
	for _, c := range commits {
		files = append(files, delta.LogFile{Name: delta.CommitName(c.Version), Modified: time.UnixMilli(c.Timestamp)})
	}
	batches, err := t.readCommits(ctx, files)
	if err != nil {
		return nil, err
	}
	for i := range commits {
		if commits[i].Version >= since {
			commits[i].Timestamp = commitTime(files[i], batches[i])
		}
	}
	return commits, nil
}

// Holds reports whether one of the versions up to the given one that can still be read, or a commit that is still there, has such an action. Tombstones of the oldest
// checkpoint do not count: nobody reads what they name.
func (t *Table) Holds(ctx context.Context, version int64, such func(*delta.Action) bool) (bool, error) {
	if such == nil {
		return false, nil
	}
	files, err := t.list(ctx, -1)
	if err != nil {
		return false, err
	}
	if earliest, ok := delta.EarliestVersion(files); ok && earliest > 0 {
		s, err := t.At(ctx, earliest)
		if err != nil {
			return false, err
		}
		if such(&delta.Action{Metadata: s.Metadata}) {
			return true, nil
		}
		for a := range s.All() {
			if such(&delta.Action{Add: a}) {
				return true, nil
			}
		}
	}
	for _, f := range files {
		if f.Kind != delta.CommitFile || f.Version > version {
			continue
		}
		actions, err := t.readCommit(ctx, f.Name)
		if err != nil {
			return false, err
		}
		if slices.ContainsFunc(actions, func(a delta.Action) bool { return such(&a) }) {
			return true, nil
		}
	}
	return false, nil
}

// BeginsAt reports whether nothing of the log is left from before a version.
func (t *Table) BeginsAt(ctx context.Context, version int64) (bool, error) {
	files, err := t.list(ctx, -1)
	if err != nil {
		return false, err
	}
	return !slices.ContainsFunc(files, func(f delta.LogFile) bool {
		return f.Version < version && (f.Kind == delta.CommitFile || f.Kind == delta.CheckpointFile)
	}), nil
}

// AtTime is the table as it was at a time in milliseconds. Zone is the session's, for messages.
func (t *Table) AtTime(ctx context.Context, at int64, zone *time.Location) (*delta.Snapshot, error) {
	commits, err := t.Commits(ctx)
	if err != nil {
		return nil, err
	}
	c, err := delta.AtTime(commits, at, false, zone)
	if err != nil {
		return nil, err
	}
	return t.At(ctx, c.Version)
}

// Restore computes the way from a version back to an old one: what has to be committed, with all data files present.
func (t *Table) Restore(ctx context.Context, snap *delta.Snapshot, version, now int64) (*delta.Restoration, error) {
	earliest, err := t.Earliest(ctx)
	if err != nil {
		return nil, err
	}
	if err := delta.CheckRestoreVersion(version, earliest, snap.Version); err != nil {
		return nil, err
	}
	old, err := t.At(ctx, version)
	if err != nil {
		return nil, err
	}
	r := delta.Restore(snap, old, now)
	var missing []string
	for _, a := range r.Added {
		if ok, err := t.hasFile(ctx, a.Path); err != nil {
			return nil, err
		} else if !ok {
			missing = append(missing, a.Path)
		}
	}
	if len(missing) > 0 {
		return nil, delta.MissingFiles(missing, version)
	}
	return r, nil
}

func (t *Table) hasFile(ctx context.Context, path string) (bool, error) {
	path = storage.Unescape(path)
	if !storage.IsAbsolute(path) {
		return storage.Exists(ctx, t.store, path)
	}
	dir, name := storage.Split(path)
	s, err := storage.Open(dir)
	if err != nil {
		return false, err
	}
	return storage.Exists(ctx, s, name)
}
