package log

import (
	"context"
	"encoding/json"
	"maps"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"millrace/delta"
	"millrace/errs"
	"millrace/storage"
)

// Table is the log of one table. It may be used by many goroutines at once.
type Table struct {
	store    storage.Store
	registry Registry // nil: the log is all there is

	mu   sync.Mutex // guards last
	last *delta.Snapshot
	load chan struct{} // holds one token: one goroutine updates, others wait for it
}

// NewTable is the log of the table at a store's root.
func NewTable(s storage.Store) *Table {
	return &Table{store: s, load: make(chan struct{}, 1)}
}

// Open is the log of the table at a place.
func Open(location string) (*Table, error) {
	s, err := storage.Open(location)
	if err != nil {
		return nil, err
	}
	return NewTable(s), nil
}

// URL is the table's place.
func (t *Table) URL() string { return t.store.URL() }

// Store is where the table lies.
func (t *Table) Store() storage.Store { return t.store }

// Cached is the newest snapshot that was loaded, which may be stale, or nil.
func (t *Table) Cached() *delta.Snapshot {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.last
}

func (t *Table) keep(s *delta.Snapshot) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.last == nil || s.Version >= t.last.Version {
		t.last = s
	}
}

// Forget drops the cached snapshot: the table was deleted or replaced by hand.
func (t *Table) Forget() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.last = nil
}

// Snapshot is the table's newest version. A table without a log is errs.NotFound.
func (t *Table) Snapshot(ctx context.Context) (*delta.Snapshot, error) {
	s, err := t.Newest(ctx)
	if err != nil {
		return nil, err
	}
	return t.decided(ctx, s)
}

// Newest is Snapshot with what was published of transactions of several tables that are not decided yet.
func (t *Table) Newest(ctx context.Context) (*delta.Snapshot, error) {
	select {
	case t.load <- struct{}{}:
		defer func() { <-t.load }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if last := t.Cached(); last != nil {
		if last.CatalogManaged() && t.registry != nil {
			if s, err := t.ratified(ctx, last, math.MaxInt64); err == nil {
				t.keep(s)
				return s, nil
			}
		} else if t.unchanged(ctx, last) {
			return last, nil
		}
		s, err := t.follow(ctx, last)
		if err != nil || s != nil {
			return s, err
		}
	}
	s, err := t.loadVersion(ctx, delta.Latest)
	if err == nil {
		s, err = t.ratified(ctx, s, math.MaxInt64)
	}
	if err == nil {
		t.keep(s)
	} else if errs.ConditionOf(err) == "DELTA_TABLE_NOT_FOUND" {
		t.Forget()
	}
	return s, err
}

// Advance offers a snapshot that the caller made by committing to the newest one.
func (t *Table) Advance(s *delta.Snapshot) { t.keep(s) }

// unchanged reports whether a snapshot is surely the newest version: its commit is as it was and there is no next one.
// It costs two small requests instead of a listing.
func (t *Table) unchanged(ctx context.Context, last *delta.Snapshot) bool {
	info, err := t.store.Stat(ctx, delta.CommitPath(last.Version))
	if err != nil || info.Modified.UnixMilli() != last.Timestamp && !last.InCommitTimestamps() {
		return false
	}
	_, err = t.store.Stat(ctx, delta.CommitPath(last.Version+1))
	return errs.Is(err, errs.NotFound)
}

// follow brings a snapshot up to date by reading the commits after it. It returns nil when the log has to be read
// afresh: the table was replaced or its log cleaned up beyond what is known.
func (t *Table) follow(ctx context.Context, last *delta.Snapshot) (*delta.Snapshot, error) {
	files, err := t.list(ctx, last.Version)
	if err != nil {
		return nil, err
	}
	var commits []delta.LogFile
	known := false
	for _, f := range files {
		if f.Kind != delta.CommitFile {
			known = known || f.Version == last.Version
			continue
		}
		if f.Version == last.Version {
			known = true
			if at := f.Modified.UnixMilli(); at != last.Timestamp && !last.InCommitTimestamps() {
				return nil, nil // another table's commit under the same name
			}
		}
		if f.Version > last.Version {
			commits = append(commits, f)
		}
	}
	if !known {
		return nil, nil
	}
	s, err := t.apply(ctx, last, commits)
	if s != nil && err == nil {
		s, err = t.ratified(ctx, s, math.MaxInt64)
	}
	if s != nil && err == nil {
		t.keep(s)
	}
	return s, err
}

// apply adds commits to a snapshot, or returns nil where one is missing.
func (t *Table) apply(ctx context.Context, s *delta.Snapshot, commits []delta.LogFile) (*delta.Snapshot, error) {
	for i, f := range commits {
		if f.Version != s.Version+int64(i)+1 {
			return nil, nil
		}
	}
	batches, err := t.readCommits(ctx, commits)
	if err != nil {
		return nil, err
	}
	for i, f := range commits {
		if s, err = s.Apply(f.Version, f.Modified.UnixMilli(), batches[i]); err != nil {
			return nil, errs.Wrap(err, "read version %d of %s", f.Version, t.URL())
		}
		stamp(s, batches[i])
	}
	return s, nil
}

// commitTime is a commit's in-commit timestamp, or else when its file was written.
func commitTime(f delta.LogFile, actions []delta.Action) int64 {
	for i := range actions {
		if c := actions[i].CommitInfo; c != nil && c.InCommitTimestamp != nil {
			return *c.InCommitTimestamp
		}
	}
	return f.Modified.UnixMilli()
}

// stamp gives a new snapshot its commit's own time where the table's commits carry one.
func stamp(s *delta.Snapshot, actions []delta.Action) {
	if s.InCommitTimestamps() {
		s.Timestamp = commitTime(delta.LogFile{Modified: time.UnixMilli(s.Timestamp)}, actions)
	}
}

const readAhead = 16

// readCommits reads commits, several at a time, and returns their actions in order.
func (t *Table) readCommits(ctx context.Context, commits []delta.LogFile) ([][]delta.Action, error) {
	batches := make([][]delta.Action, len(commits))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(readAhead)
	for i, f := range commits {
		g.Go(func() (err error) {
			batches[i], err = t.readCommit(ctx, f.Name)
			return err
		})
	}
	return batches, g.Wait()
}

func (t *Table) readCommit(ctx context.Context, name string) ([]delta.Action, error) {
	data, err := t.store.Get(ctx, delta.LogDir+"/"+name)
	if err != nil {
		return nil, errs.Wrap(err, "read commit %s of %s", name, t.URL())
	}
	return delta.ParseCommit(t.URL()+"/"+delta.LogDir+"/"+name, data)
}

// Commit reads the actions of one version's commit; errs.NotFound when there is none.
func (t *Table) Commit(ctx context.Context, version int64) ([]delta.Action, error) {
	actions, err := t.readCommit(ctx, delta.CommitName(version))
	if last := t.Cached(); errs.Is(err, errs.NotFound) && t.registry != nil && last != nil && last.CatalogManaged() {
		if _, staged, known, err := t.registry.Ratified(ctx, t.URL(), version-1); err == nil && known && staged[version] != "" {
			return t.readCommit(ctx, staged[version])
		}
		return t.readCommit(ctx, delta.CommitName(version)) // published meanwhile
	}
	return actions, err
}

// At is the table at a version.
func (t *Table) At(ctx context.Context, version int64) (*delta.Snapshot, error) {
	if last := t.Cached(); last != nil && last.Version == version {
		return last, nil
	}
	if version < 0 {
		s, err := t.Snapshot(ctx)
		if err != nil {
			return nil, err
		}
		first, err := t.Earliest(ctx)
		if err != nil {
			return nil, err
		}
		return nil, delta.VersionNotFound(version, first, s.Version)
	}
	return t.at(ctx, version)
}

func (t *Table) at(ctx context.Context, version int64) (*delta.Snapshot, error) {
	if last := t.Cached(); last != nil && last.CatalogManaged() {
		if last.Version == version {
			return last, nil
		}
		if s, err := t.loadVersion(ctx, delta.Latest); err == nil && s.Version < version {
			if s, err = t.ratified(ctx, s, version); err != nil || s.Version == version {
				return s, err
			}
		}
	}
	return t.loadVersion(ctx, version)
}

// loadVersion reads a version from its checkpoint and commits.
func (t *Table) loadVersion(ctx context.Context, version int64) (*delta.Snapshot, error) {
	from := int64(-1)
	if hint := t.lastCheckpoint(ctx); hint >= 0 && (version == delta.Latest || hint <= version) {
		from = hint - 1
	}
	files, err := t.list(ctx, from)
	if err != nil {
		return nil, err
	}
	seg, err := delta.SelectSegment(t.URL(), files, version)
	if from >= 0 && (err != nil || seg.CheckpointVersion < 0) {
		// The hint was wrong: read the whole listing.
		if files, err = t.list(ctx, -1); err != nil {
			return nil, err
		}
		seg, err = delta.SelectSegment(t.URL(), files, version)
	}
	if err != nil {
		return nil, err
	}
	s, err := t.replay(ctx, seg, version)
	if err != nil {
		return nil, err
	}
	s.Index() // the next commit does not wait for it
	return s, t.verify(ctx, s, files)
}

// verify compares a snapshot with its version's checksum, where the log has one.
func (t *Table) verify(ctx context.Context, s *delta.Snapshot, files []delta.LogFile) error {
	has := func(f delta.LogFile) bool {
		return f.Kind == delta.ChecksumFile && f.Name == delta.ChecksumName(s.Version)
	}
	if !slices.ContainsFunc(files, has) {
		return nil
	}
	data, err := t.store.Get(ctx, delta.LogDir+"/"+delta.ChecksumName(s.Version))
	if err != nil {
		return nil //nolint:nilerr // it is optional, and may have been cleaned up
	}
	if c := delta.ParseChecksum(data); c != nil {
		return c.Verify(s)
	}
	return nil
}

// list is what the log holds from a version on. Version -1 lists all.
func (t *Table) list(ctx context.Context, from int64) ([]delta.LogFile, error) {
	after := ""
	if from > 0 {
		// The names of version n come after n-1's digits with the byte that follows a point.
		after = strings.TrimSuffix(delta.CommitPath(from-1), ".json") + "/"
	}
	var files []delta.LogFile
	for info, err := range t.store.List(ctx, delta.LogDir+"/0", after) {
		if err != nil {
			return nil, errs.Wrap(err, "list the log of %s", t.URL())
		}
		if f, ok := delta.ParseLogName(strings.TrimPrefix(info.Name, delta.LogDir+"/")); ok && info.Size >= 0 {
			f.Size, f.Modified = info.Size, info.Modified
			files = append(files, f)
		}
	}
	return files, nil
}

// lastCheckpoint is the version that _last_checkpoint names, or -1. It is a hint and never an error.
func (t *Table) lastCheckpoint(ctx context.Context) int64 {
	data, err := t.store.Get(ctx, delta.LogDir+"/_last_checkpoint")
	var hint struct{ Version *int64 }
	if err != nil || json.Unmarshal(data, &hint) != nil || hint.Version == nil {
		return -1
	}
	return *hint.Version
}

// Earliest is the oldest version that can still be read.
func (t *Table) Earliest(ctx context.Context) (int64, error) {
	files, err := t.list(ctx, -1)
	if err != nil {
		return 0, err
	}
	v, ok := delta.EarliestVersion(files)
	if !ok {
		return 0, delta.TableNotFound(t.URL())
	}
	return v, nil
}

// Cache keeps the tables that a process works with, by URL.
type Cache struct {
	mu       sync.Mutex
	tables   map[string]*Table
	registry Registry
}

// NewCache is an empty cache.
func NewCache() *Cache { return &Cache{tables: map[string]*Table{}} }

// Table is the log of the table at a place; the same for all spellings of it.
func (c *Cache) Table(location string) (*Table, error) {
	s, err := storage.Open(location)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	t := c.tables[s.URL()]
	if t == nil {
		t = NewTable(s)
		t.registry = c.registry
		c.tables[s.URL()] = t
	}
	return t, nil
}

// Tables lists the logs that have been opened, by their URLs.
func (c *Cache) Tables() []*Table {
	c.mu.Lock()
	defer c.mu.Unlock()
	list := slices.Collect(maps.Values(c.tables))
	slices.SortFunc(list, func(a, b *Table) int { return strings.Compare(a.URL(), b.URL()) })
	return list
}

// Add puts a table of one's own making into the cache, under its URL.
func (c *Cache) Add(t *Table) {
	c.mu.Lock()
	defer c.mu.Unlock()
	t.registry = c.registry
	c.tables[t.URL()] = t
}
