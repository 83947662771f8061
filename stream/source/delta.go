package source

import (
	"context"
	"slices"
	"sort"
	"strings"

	"millrace/delta"
	"millrace/delta/log"
	"millrace/errs"
	"millrace/plan"
	"millrace/session"
	"millrace/table/deltatable"
	"millrace/txn"
	"millrace/types"
)

// Env is what sources stand on.
type Env struct {
	Logs      *log.Cache
	Committer *txn.Committer // tells of our own writers' commits at once; nil: they are found like others'
}

// Delta is a Delta table as a stream of its commits' added files, the table as it was at first before them.
type Delta struct {
	log   *log.Table
	opt   deltaOptions
	bad   error // what is wrong with an option; as in Spark the query fails by it, not the read
	zone  string
	base  *delta.Snapshot // as it was when the query started: the stream's schema
	watch *watch

	commits map[int64]*commit
	initial struct { // the files of the version that the stream begins with
		version int64
		files   []*delta.Add
	}
	feed   feed
	origin *deltaOffset // where a stream without an offset begins, once that is known
	last   int64        // the newest version to read, or -1: no bound
}

// commit is what a version added.
type commit struct {
	adds   []*delta.Add
	change error // why its rows cannot be a stream's, or nil
}

// OpenDelta finds the table that a streaming read names. Its columns are those that it has now.
func OpenDelta(ctx context.Context, env Env, s *session.Session, r *plan.UnresolvedSource) (*Delta, error) {
	paths := r.Paths
	if p, ok := option(r.Options, "path"); ok {
		paths = append([]string{p}, paths...)
	}
	if len(paths) != 1 {
		return nil, errs.New("DELTA_PATH_DOES_NOT_EXIST", "path", strings.Join(paths, ","))
	}
	l, err := env.Logs.Table(paths[0])
	if err != nil {
		return nil, err
	}
	base, err := l.Snapshot(ctx)
	if errs.Is(err, errs.NotFound) {
		return nil, errs.New("DELTA_SCHEMA_NOT_SET")
	}
	if err != nil {
		return nil, err
	}
	if len(base.Schema().Fields) == 0 {
		return nil, errs.New("DELTA_SCHEMA_NOT_SET")
	}
	if r.Schema != nil && !r.Schema.SameData(base.Schema()) {
		return nil, errs.New("DELTA_READ_SOURCE_SCHEMA_CONFLICT")
	}
	zone := s.Conf.Get("spark.sql.session.timeZone")
	opt, err := parseDeltaOptions(r.Options, zone)
	if err != nil && errs.ConditionOf(err) != "DELTA_ILLEGAL_OPTION" && errs.ConditionOf(err) != "DELTA_STARTING_VERSION_AND_TIMESTAMP_BOTH_SET" {
		return nil, err
	}
	return &Delta{log: l, opt: opt, bad: err, zone: zone, base: base, watch: newWatch(l, env.Committer), commits: map[int64]*commit{}, last: -1, feed: newFeed()}, nil
}

var _ Source = (*Delta)(nil)

// Streaming implements plan.StreamTable.
func (d *Delta) Streaming() {}

// Name implements plan.Table.
func (d *Delta) Name() string { return "delta " + d.log.URL() }

// Schema implements plan.Table.
func (d *Delta) Schema() *types.Type {
	if d.opt.feed {
		return deltatable.NewFeed(d.log, d.base, nil, nil).Schema().AsNullable()
	}
	return d.base.Schema().AsNullable()
}

// Format implements plan.Table.
func (d *Delta) Format() string { return "delta" }

// Rows implements plan.Table.
func (d *Delta) Rows() int64 { return -1 }

// SizeBytes implements plan.Table.
func (d *Delta) SizeBytes() int64 { return -1 }

// Description implements Source.
func (d *Delta) Description() string { return "DeltaSource[" + d.log.URL() + "]" }

// Close implements Source.
func (d *Delta) Close() { d.watch.close() }

// Freeze implements Source.
func (d *Delta) Freeze(ctx context.Context) error {
	s, err := d.log.Snapshot(ctx)
	if err == nil {
		d.last = s.Version
	}
	return err
}

// Latest implements Source.
func (d *Delta) Latest(ctx context.Context, start string, all bool) (string, error) {
	from, ok, err := d.begin(ctx, start)
	if err != nil || !ok {
		return start, err
	}
	room := budget{d.opt.maxFiles, d.opt.maxBytes}
	if all {
		room = budget{1 << 62, 1 << 62}
	}
	at := from
	for {
		files, found, err := d.version(ctx, at)
		if err != nil {
			return "", err
		}
		if !found {
			break
		}
		if d.opt.feed && !at.Initial && room.some() {
			room = budget{room.files + int64(len(files)), room.bytes + sizeOf(files)} // what belongs together is told together
		}
		next, whole := room.take(at, files)
		if at = next; !whole {
			break
		}
		if start == "" && d.opt.startLatest {
			break // one version, so that where the first batch began can be told from where it ended
		}
	}
	if start == "" && at == from && !at.Initial {
		return "", nil // nothing has been committed since the version to begin after
	}
	return at.String(), nil
}

// budget is how much a batch may still take.
type budget struct{ files, bytes int64 }

func (b budget) some() bool { return b.files > 0 && b.bytes > 0 }

func sizeOf(files []*delta.Add) (n int64) {
	for _, a := range files {
		n += a.Size
	}
	return n
}

// take moves an offset over a version's files as far as there is room: whole says that all of them were taken.
func (b *budget) take(at deltaOffset, files []*delta.Add) (deltaOffset, bool) {
	for i := at.Index + 1; i < int64(len(files)); i++ {
		if b.files <= 0 || b.bytes <= 0 {
			return at, false
		}
		b.files--
		b.bytes -= files[i].Size
		at.Index = i
	}
	at.Version, at.Index, at.Initial = at.Version+1, none, false
	return at, true
}

// begin is the offset from which to read on, and false when the stream begins after what there is.
func (d *Delta) begin(ctx context.Context, start string) (deltaOffset, bool, error) {
	if d.bad != nil {
		return deltaOffset{}, false, d.bad
	}
	if start != "" {
		at, err := parseDelta(start)
		if err == nil && at.TableID != d.base.Metadata.ID {
			err = d.otherTable(at.TableID, d.base.Metadata.ID)
		}
		return at, err == nil, err
	}
	if d.origin == nil {
		at, err := d.first(ctx)
		if err != nil {
			return at, false, err
		}
		d.origin = &at
	}
	return *d.origin, true, nil
}

func (d *Delta) otherTable(before, now string) error {
	return errs.New("DIFFERENT_DELTA_TABLE_READ_BY_STREAMING_SOURCE", "newTableId", now, "oldTableId", before)
}

// first is where a new stream begins, by its options.
func (d *Delta) first(ctx context.Context) (deltaOffset, error) {
	at := deltaOffset{1, d.base.Metadata.ID, d.base.Version, none, true}
	switch {
	case d.opt.startLatest:
		at.Version, at.Initial = d.base.Version+1, false
	case d.opt.startVersion != nil:
		at.Version, at.Initial = *d.opt.startVersion, false
		first, err := d.log.Earliest(ctx)
		if err != nil {
			return at, err
		}
		if at.Version > d.base.Version || at.Version < first {
			return at, delta.VersionNotFound(at.Version, first, d.base.Version)
		}
	case d.opt.startTime != nil:
		at.Initial = false
		commits, err := d.log.Commits(ctx)
		if err != nil {
			return at, err
		}
		ms := *d.opt.startTime / 1000
		i := sort.Search(len(commits), func(i int) bool { return commits[i].Timestamp >= ms })
		if i == len(commits) {
			zone, err := session.ZoneOf(d.zone)
			if err != nil {
				return at, err
			}
			_, err = delta.AtTime(commits, ms, false, zone)
			return at, err
		}
		at.Version = commits[i].Version
	}
	return at, nil
}

// version is the files of the version at which an offset stands, those before it included; false when the version does not exist yet, or is
// beyond what may be read.
func (d *Delta) version(ctx context.Context, at deltaOffset) ([]*delta.Add, bool, error) {
	if at.Initial {
		files, err := d.snapshot(ctx, at.Version)
		return files, err == nil, err
	}
	if d.last >= 0 && at.Version > d.last {
		return nil, false, nil
	}
	c, err := d.commit(ctx, at.Version)
	if err != nil || c == nil {
		return nil, false, err
	}
	return c.adds, true, c.change
}

// snapshot is all files of a version in the order in which a stream takes them: by time, then by path.
func (d *Delta) snapshot(ctx context.Context, version int64) ([]*delta.Add, error) {
	if d.initial.files != nil && d.initial.version == version {
		return d.initial.files, nil
	}
	s, err := d.log.At(ctx, version)
	if version == d.base.Version {
		s, err = d.base, nil
	}
	if err == nil && d.opt.feed {
		err = d.feed.begin(s)
	}
	if err != nil {
		return nil, err
	}
	files := slices.Collect(s.All())
	sort.Slice(files, func(i, j int) bool {
		if files[i].ModificationTime != files[j].ModificationTime {
			return files[i].ModificationTime < files[j].ModificationTime
		}
		return files[i].Path < files[j].Path
	})
	d.initial.version, d.initial.files = version, files
	return files, nil
}

// commit reads what a version did, or nil while there is no such version.
func (d *Delta) commit(ctx context.Context, version int64) (*commit, error) {
	if c := d.commits[version]; c != nil {
		return c, nil
	}
	actions, err := d.log.Commit(ctx, version)
	if errs.Is(err, errs.NotFound) {
		if version > d.base.Version {
			return nil, nil
		}
		first, earliest := d.log.Earliest(ctx)
		if earliest != nil {
			return nil, earliest
		}
		return nil, delta.VersionNotFound(version, first, d.base.Version)
	}
	if err != nil {
		return nil, err
	}
	if undecided, err := d.log.Undecided(ctx, version, actions); err != nil || undecided {
		return nil, err
	}
	c := d.judge(version, actions)
	if d.opt.feed && c.change == nil {
		if err := d.changes(ctx, version, actions, c); err != nil {
			return nil, err
		}
	}
	d.commits[version] = c
	return c, nil
}

// Forget implements Source.
func (d *Delta) Forget(offset string) {
	at, err := parseDelta(offset)
	if err != nil {
		return
	}
	for v, c := range d.commits {
		if v < at.Version {
			d.feed.forget(c.adds)
			delete(d.commits, v)
		}
	}
	if !at.Initial {
		d.initial.files = nil
	}
}

// Span implements Source.
func (d *Delta) Span(ctx context.Context, start, end string) (plan.Node, int64, error) {
	files, err := d.span(ctx, start, end)
	if err != nil {
		return nil, 0, err
	}
	zone, err := session.ZoneOf(d.zone)
	if err != nil {
		return nil, 0, err
	}
	if d.opt.feed {
		return d.feedSpan(files, zone), -1, nil
	}
	t := deltatable.New(d.log, d.base.WithFiles(files), zone)
	t.Private = true
	return plan.NullableScan(t, d.base.Schema().Fields), t.Rows(), nil
}
