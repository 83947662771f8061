package engine

import (
	"context"
	"encoding/json"
	"hash/maphash"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"millrace/delta"
	"millrace/delta/log"
	"millrace/errs"
	"millrace/plan"
	"millrace/session"
	"millrace/storage"
)

var pathSchema = mustSchema("path STRING")

const (
	vacuumDeletes   = 16   // files that are deleted at once
	vacuumShown     = 1000 // files that DRY RUN shows
	vacuumRetention = 7 * 24 * time.Hour
)

// vacuum is VACUUM: files that no version within the table's retention needs are deleted. The listing is a stream from several directories at once, of which
// nothing is kept; what is remembered of the files that are needed is eight bytes each.
func (st *statement) vacuum(c *plan.Vacuum) (session.Result, error) {
	l, _, err := st.deltaTarget("VACUUM", c.Name, c.Path)
	if err != nil {
		return nil, err
	}
	snap, err := l.Snapshot(st.ctx)
	if err != nil {
		return nil, err
	}
	if err := snap.Protocol.CheckKnown(l.URL()); err != nil { // files may be needed by what is not known here
		return nil, err
	}
	v := &cleaning{st: st, log: l, snap: snap, dry: c.DryRun, retention: snap.Metadata.Duration("delta.deletedFileRetentionDuration", vacuumRetention)}
	if err := v.retain(c.Hours); err != nil {
		return nil, err
	}
	v.cutoff = st.e.o.Now().Add(-v.retention).UnixMilli()
	if err := v.findNeeded(); err != nil {
		return nil, err
	}
	if c.DryRun {
		if err := v.clean(c.Lite); err != nil {
			return nil, err
		}
		slices.Sort(v.shown)
		rows := make([][]any, len(v.shown))
		for i, name := range v.shown {
			rows[i] = []any{l.URL() + "/" + name}
		}
		return st.rowsResult(pathSchema, rows)
	}
	if err := v.logged(c.Lite); err != nil {
		return nil, err
	}
	return st.rowsResult(pathSchema, [][]any{{l.URL()}})
}

// cleaning is a VACUUM on its way.
type cleaning struct {
	st        *statement
	log       *log.Table
	snap      *delta.Snapshot
	retention time.Duration
	specified *time.Duration // RETAIN
	cutoff    int64          // milliseconds: what is newer stays
	dry       bool

	seed   maphash.Seed
	needed []uint64 // hashes of names, ascending: a chance collision keeps a file

	mu          sync.Mutex
	shown       []string
	files       int64
	bytes       int64
	directories map[uint64]struct{} // by the hashes of their names
}

// retain applies RETAIN n HOURS. As in Delta 4.4 only 0 has an effect; the table's property decides otherwise.
func (v *cleaning) retain(hours *float64) error {
	if hours == nil {
		return nil
	}
	if *hours < 0 {
		return errs.Newf(errs.Invalid, "requirement failed: Retention for Vacuum can't be less than 0.")
	}
	if *hours != 0 {
		return nil
	}
	if !strings.EqualFold(v.st.s.Conf.Get("spark.databricks.delta.retentionDurationCheck.enabled"), "false") {
		return errs.New("DELTA_VACUUM_RETENTION_PERIOD_TOO_SHORT", "configuredRetentionHours", strconv.FormatInt(int64(v.retention/time.Hour), 10))
	}
	v.retention = 0
	v.specified = &v.retention
	return nil
}

// findNeeded remembers the files of the table and of the versions within its retention.
func (v *cleaning) findNeeded() error {
	v.seed = maphash.MakeSeed()
	v.directories = map[uint64]struct{}{maphash.String(v.seed, ""): {}}
	root := v.log.URL() + "/"
	need := func(path string, dv *delta.DeletionVector) error {
		names := []string{storage.Unescape(path)}
		if dv != nil {
			name, err := dv.Path()
			if err != nil {
				return err
			}
			names = append(names, storage.Unescape(name))
		}
		for _, n := range names {
			n = strings.TrimPrefix(strings.TrimPrefix(n, root), strings.TrimPrefix(root, "file:"))
			v.needed = append(v.needed, maphash.String(v.seed, n))
		}
		return nil
	}
	for a := range v.snap.All() {
		if err := need(a.Path, a.DeletionVector); err != nil {
			return err
		}
	}
	for r := range v.snap.Tombstones() {
		if r.DeletionTimestamp >= v.cutoff {
			if err := need(r.Path, r.DeletionVector); err != nil {
				return err
			}
		}
	}
	slices.Sort(v.needed)
	return nil
}

func (v *cleaning) isNeeded(name string) bool {
	_, found := slices.BinarySearch(v.needed, maphash.String(v.seed, name))
	return found
}

// hidden reports whether a file belongs to no table: what lies in folders, or has a name, with _ or . in front, but for change data and partitions.
func hidden(name string) bool {
	for part := range strings.SplitSeq(name, "/") {
		if (strings.HasPrefix(part, "_") || strings.HasPrefix(part, ".")) && part != "_change_data" && !strings.Contains(part, "=") {
			return true
		}
	}
	return false
}

// clean deletes, or in a dry run shows, what is not needed.
func (v *cleaning) clean(lite bool) error {
	g, ctx := errgroup.WithContext(v.st.ctx)
	g.SetLimit(vacuumDeletes)
	visit := func(name string, size int64) {
		v.mu.Lock()
		v.files++
		v.bytes += size
		if v.dry && len(v.shown) < vacuumShown {
			v.shown = append(v.shown, name)
		}
		v.mu.Unlock()
		if !v.dry {
			g.Go(func() error { return v.log.Store().Delete(ctx, name) })
		}
	}
	var err error
	if lite {
		err = v.removedByLog(ctx, visit)
	} else {
		err = v.listed(ctx, visit)
	}
	if werr := g.Wait(); err == nil {
		err = werr
	}
	return err
}

// listed visits what the store has and nobody needs. Files come from several goroutines at once.
func (v *cleaning) listed(ctx context.Context, visit func(string, int64)) error {
	err := storage.Walk(ctx, v.log.Store(), hidden, func(info storage.Info) error {
		if hidden(info.Name) {
			return nil
		}
		if i := strings.LastIndexByte(info.Name, '/'); i >= 0 {
			v.seen(info.Name[:i])
		}
		if info.Modified.UnixMilli() < v.cutoff && !v.isNeeded(info.Name) {
			visit(info.Name, info.Size)
		}
		return ctx.Err()
	})
	return errs.Wrap(err, "list %s", v.log.URL())
}

func (v *cleaning) seen(dir string) {
	h := maphash.String(v.seed, dir)
	v.mu.Lock()
	defer v.mu.Unlock()
	v.directories[h] = struct{}{}
}

// lastVacuum is the log's note about the last VACUUM.
type lastVacuum struct {
	Version *int64 `json:"latestCommitVersionOutsideOfRetentionWindow,omitempty"`
}

const lastVacuumPath = delta.LogDir + "/_last_vacuum_info"

// removedByLog visits the files that the log says were removed before the retention, since the last VACUUM.
func (v *cleaning) removedByLog(ctx context.Context, visit func(string, int64)) error {
	commits, err := v.log.Commits(ctx)
	if err != nil {
		return err
	}
	var last lastVacuum
	if data, err := v.log.Store().Get(ctx, lastVacuumPath); err == nil {
		_ = json.Unmarshal(data, &last) // a hint
	}
	from := int64(0)
	if last.Version != nil {
		from = *last.Version + 1
	}
	if len(commits) > 0 && commits[0].Version > from {
		return errs.New("DELTA_CANNOT_VACUUM_LITE")
	}
	for _, c := range commits {
		if c.Version < from || c.Timestamp >= v.cutoff {
			continue
		}
		actions, err := v.log.Commit(ctx, c.Version)
		if err != nil {
			return err
		}
		for _, a := range actions {
			if err := v.removed(ctx, a.Remove, visit); err != nil {
				return err
			}
		}
	}
	return nil
}

func (v *cleaning) removed(ctx context.Context, r *delta.Remove, visit func(string, int64)) error {
	if r == nil || r.DeletionTimestamp >= v.cutoff {
		return nil
	}
	names := []string{storage.Unescape(r.Path)}
	if r.DeletionVector != nil {
		if name, err := r.DeletionVector.Path(); err != nil {
			return err
		} else if name != "" {
			names = append(names, name)
		}
	}
	for _, n := range names {
		if storage.IsAbsolute(n) || v.isNeeded(n) {
			continue
		}
		if ok, err := storage.Exists(ctx, v.log.Store(), n); err != nil {
			return err
		} else if ok {
			visit(n, r.Size)
		}
	}
	return nil
}

// logged cleans between two commits that say so.
func (v *cleaning) logged(lite bool) error {
	v.dry = true
	if err := v.clean(lite); err != nil { // counts
		return err
	}
	check := !strings.EqualFold(v.st.s.Conf.Get("spark.databricks.delta.retentionDurationCheck.enabled"), "false")
	params := []delta.Param{{Name: "retentionCheckEnabled", Value: strconv.FormatBool(check)},
		{Name: "defaultRetentionMillis", Value: strconv.FormatInt(v.snap.Metadata.Duration("delta.deletedFileRetentionDuration", vacuumRetention).Milliseconds(), 10)}}
	if v.specified != nil {
		params = append(params, delta.Param{Name: "specifiedRetentionMillis", Value: strconv.FormatInt(v.specified.Milliseconds(), 10)})
	}
	info := delta.Info("VACUUM START", params...)
	info.OperationMetrics = delta.Metrics("numFilesToDelete", v.files, "sizeOfDataToDelete", v.bytes)
	if _, err := v.st.commitMaintenance(v.snap, nil, info); err != nil {
		return err
	}
	v.dry, v.files, v.bytes = false, 0, 0
	status := "COMPLETED"
	failed := v.clean(lite)
	if failed != nil {
		status = "FAILED"
	}
	end := delta.Info("VACUUM END", delta.Param{Name: "status", Value: status})
	end.OperationMetrics = delta.Metrics("numDeletedFiles", v.files, "numVacuumedDirectories", len(v.directories))
	if _, err := v.st.commitMaintenance(v.snap, nil, end); err != nil && failed == nil {
		return err
	}
	if failed != nil {
		return failed
	}
	return v.note()
}

// note remembers up to which version the log needs not be looked at by VACUUM LITE again.
func (v *cleaning) note() error {
	commits, err := v.log.Commits(v.st.ctx)
	if err != nil {
		return err
	}
	var last lastVacuum
	for _, c := range commits {
		if c.Timestamp < v.cutoff {
			last.Version = &c.Version
		}
	}
	text, err := json.Marshal(last)
	if err != nil {
		return err
	}
	return v.log.Store().Put(v.st.ctx, lastVacuumPath, text)
}
