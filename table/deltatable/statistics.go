package deltatable

import (
	"context"
	"runtime"
	"sync"
	"time"
	"weak"

	"millrace/delta"
	"millrace/plan"
	"millrace/storage"
	"millrace/table/parquet"
	"millrace/types"
)

var _ plan.Statistics = (*Table)(nil)

// statisticsFiles is from how many files statistics are taken at most: of larger tables a sample of the files is looked at.
const statisticsFiles = 2000

// statistics are what a snapshot's log says of its top-level columns.
type statistics struct {
	once    sync.Once
	rows    int64 // -1: unknown
	columns map[int]plan.ColumnStatistics

	look     sync.Once
	distinct map[int]int64 // of strings
}

// summaries keeps the statistics of snapshots that are in use: reading them takes parsing the log's JSON.
var summaries sync.Map // weak.Pointer[delta.Snapshot] to *statistics

func (t *Table) statistics() *statistics {
	key := weak.Make(t.Snapshot)
	found, ok := summaries.Load(key)
	if !ok {
		var loaded bool
		if found, loaded = summaries.LoadOrStore(key, &statistics{}); !loaded {
			runtime.AddCleanup(t.Snapshot, func(key weak.Pointer[delta.Snapshot]) { summaries.Delete(key) }, key)
		}
	}
	s := found.(*statistics)
	s.once.Do(func() { s.read(t.Snapshot) })
	return s
}

// ColumnStatistics implements plan.Statistics.
func (t *Table) ColumnStatistics(i int) (plan.ColumnStatistics, bool) {
	s := t.statistics()
	c, ok := s.columns[i]
	if fields := t.Schema().Fields; i < len(fields) && fields[i].Type.Kind == types.KindString {
		s.look.Do(func() { s.distinct = t.distinctStrings() })
		n, known := s.distinct[i]
		c.Distinct, ok = n, ok || known
	}
	return c, ok
}

// lookTimeout bounds the look into a file's dictionaries: a plan is not worth more.
const lookTimeout = 500 * time.Millisecond

// distinctStrings is how many values the dictionaries of the largest file have, of the columns of strings: bounds tell nothing of those.
func (t *Table) distinctStrings() map[int]int64 {
	var largest *delta.Add
	for a := range t.Snapshot.All() {
		if largest == nil || a.Size > largest.Size {
			largest = a
		}
	}
	if largest == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), lookTimeout)
	defer cancel()
	path := storage.Join(t.Log.URL(), storage.Unescape(largest.Path))
	r, err := storage.OpenFile(ctx, path)
	if err != nil {
		return nil // whoever reads the rows will say so
	}
	defer r.Close()
	f, err := parquet.Open(r, largest.Size, path)
	if err != nil {
		return nil
	}
	found := map[int]int64{}
	for i, field := range t.Schema().Fields {
		if field.Type.Kind != types.KindString {
			continue
		}
		n, ok := f.Distinct(r, delta.PhysicalName(field), 0)
		if !ok {
			continue
		}
		if 5*n > f.LargestGroup() { // nearly every row has a value of its own: so it is in the other files
			n = max(n, n*t.Rows()/max(1, f.LargestGroup()))
		}
		found[i] = n
	}
	return found
}

// read counts all files' rows and takes bounds from some of them.
func (s *statistics) read(snapshot *delta.Snapshot) {
	fields := snapshot.Schema().Fields
	s.columns = map[int]plan.ColumnStatistics{}
	all := make([]*bounds, len(fields))
	for i := range all {
		all[i] = &bounds{}
	}
	step, at := snapshot.NumFiles()/statisticsFiles+1, 0
	for a := range snapshot.All() {
		stats := delta.ReadStats(a.Stats)
		n, ok := stats.Records()
		if !ok {
			s.rows = -1
		}
		if a.DeletionVector != nil {
			n -= a.DeletionVector.Cardinality
		}
		if s.rows >= 0 {
			s.rows += n
		}
		if at++; (at-1)%step != 0 {
			continue
		}
		for i, f := range fields {
			if delta.HasBounds(f.Type) {
				all[i].add(stats, []string{delta.PhysicalName(f)}, f.Type)
			}
		}
	}
	for i, f := range fields {
		if b := all[i]; b.files > 0 && !b.unknown {
			s.columns[i] = plan.ColumnStatistics{Min: Literal(b.min, f.Type), Max: Literal(b.max, f.Type), Nulls: b.nulls * int64(step)}
		}
	}
}

// bounds are a column's least and greatest values over files.
type bounds struct {
	min, max delta.Value
	nulls    int64
	files    int
	unknown  bool // some file does not tell
}

func (b *bounds) add(s *delta.FileStats, path []string, t *types.Type) {
	nulls, ok := s.Nulls(path)
	records, _ := s.Records()
	b.files++
	b.nulls += nulls
	if ok && nulls == records {
		return
	}
	lo, okLo := s.Min(path, t)
	hi, okHi := s.Max(path, t)
	if !okLo || !okHi {
		b.unknown = true
		return
	}
	if b.min == nil || below(lo, b.min) {
		b.min = lo
	}
	if b.max == nil || below(b.max, hi) {
		b.max = hi
	}
}

func below(x, y delta.Value) bool { c, ok := delta.Compare(x, y); return ok && c < 0 }
