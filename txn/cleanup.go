package txn

import (
	"context"
	"strings"
	"time"

	"millrace/delta"
	"millrace/delta/checkpoint"
	"millrace/errs"
	"millrace/storage"
)

const logRetention = 30 * 24 * time.Hour

// CleanLog deletes what of a log is older than the table's retention, where it allows that. Every version that is younger, and the newest of those
// that are not and have a checkpoint, can be read afterwards as before. It returns the number of files that are gone.
func CleanLog(ctx context.Context, store storage.Store, s *delta.Snapshot, now time.Time) (int, error) {
	if strings.EqualFold(s.Property("delta.enableExpiredLogCleanup", "true"), "false") {
		return 0, nil
	}
	return CleanLogBefore(ctx, store, s, now.Add(-Retention(s, "delta.logRetentionDuration", logRetention)).Truncate(24*time.Hour))
}

// CleanLogBefore is CleanLog with a time of the caller's, up to which the versions of the log may go.
func CleanLogBefore(ctx context.Context, store storage.Store, s *delta.Snapshot, cutoff time.Time) (int, error) {
	files, err := logFiles(ctx, store)
	if err != nil {
		return 0, err
	}
	keep := delta.KeepFrom(files, cutoff)
	if keep <= 0 || keep < s.IntProperty("delta.requireCheckpointProtectionBeforeVersion", 0) {
		return 0, nil // checkpoints that stand between features and readers must not be taken away one by one
	}
	gone, sidecars := 0, false
	for _, f := range files {
		if f.Through >= keep {
			continue
		}
		if err := store.Delete(ctx, delta.LogDir+"/"+f.Name); err != nil {
			return gone, errs.Wrap(err, "clean up the log")
		}
		gone++
		sidecars = sidecars || f.V2
	}
	if !sidecars {
		return gone, nil
	}
	n, err := cleanSidecars(ctx, store, files, keep, cutoff)
	return gone + n, err
}

func logFiles(ctx context.Context, store storage.Store) ([]delta.LogFile, error) {
	var files []delta.LogFile
	for info, err := range store.List(ctx, delta.LogDir+"/0", "") {
		if err != nil {
			return nil, err
		}
		if f, ok := delta.ParseLogName(strings.TrimPrefix(info.Name, delta.LogDir+"/")); ok {
			f.Size, f.Modified = info.Size, info.Modified
			files = append(files, f)
		}
	}
	return files, nil
}

// cleanSidecars deletes old sidecars that no checkpoint names any more.
func cleanSidecars(ctx context.Context, store storage.Store, files []delta.LogFile, keep int64, cutoff time.Time) (int, error) {
	needed := map[string]bool{}
	for _, f := range files {
		if f.Kind != delta.CheckpointFile || f.Version < keep {
			continue
		}
		names, err := sidecarsOf(ctx, store, f)
		if err != nil {
			return 0, err
		}
		for _, n := range names {
			needed[n] = true
		}
	}
	gone := 0
	dir := delta.LogDir + "/" + delta.SidecarDir + "/"
	for info, err := range store.List(ctx, dir, "") {
		if err != nil {
			return gone, err
		}
		if needed[strings.TrimPrefix(info.Name, dir)] || info.Modified.After(cutoff) {
			continue
		}
		if err := store.Delete(ctx, info.Name); err != nil {
			return gone, err
		}
		gone++
	}
	return gone, nil
}

func sidecarsOf(ctx context.Context, store storage.Store, f delta.LogFile) (names []string, err error) {
	collect := func(a *delta.Action) {
		if a.Sidecar != nil {
			names = append(names, a.Sidecar.Path[strings.LastIndexByte(a.Sidecar.Path, '/')+1:])
		}
	}
	if strings.HasSuffix(f.Name, ".json") {
		data, err := store.Get(ctx, delta.LogDir+"/"+f.Name)
		if err != nil {
			return nil, err
		}
		actions, err := delta.ParseCommit(f.Name, data)
		for i := range actions {
			collect(&actions[i])
		}
		return names, err
	}
	r, err := store.Open(ctx, delta.LogDir+"/"+f.Name)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	err = checkpoint.ReadFiles(r, r.Size(), collect, func([]*delta.Add) {})
	return names, err
}
