package txn

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/RoaringBitmap/roaring/v2/roaring64"

	"millrace/delta"
	"millrace/delta/log"
	"millrace/errs"
	"millrace/storage"
	"millrace/storage/faultstore"
)

var (
	histories = flag.Int("txn.histories", 6, "how many random histories are tried")
	firstSeed = flag.Uint64("txn.seed", 1, "the first history's seed")
)

// world is a table whose data files are lists of rows in memory, with all that was tried on it.
type world struct {
	t     testing.TB
	seed  uint64
	url   string
	level Isolation

	mu    sync.Mutex
	files map[string][]row // by path; a row's place in its file is its number
	ops   map[string]*op
	next  int64
}

type row struct{ id, v int64 }

// op is an operation that was sent to be committed.
type op struct {
	kind   string // append, delete, rewrite, update, overwrite, optimize, property, count
	lo, hi int64  // the ids that it is about
	rows   []row  // that it inserts; for count the value is what it read
	read   int64
	failed bool
}

// TestRandomHistories has committers with failing stores, which die now and then, run random operations on one table, and then replays
// the log: every version must be what its operations make of the version before, every acknowledged operation must be there once, and
// none that was refused.
func TestRandomHistories(t *testing.T) {
	for i := range *histories {
		seed := *firstSeed + uint64(i)
		t.Run(fmt.Sprint("seed", seed), func(t *testing.T) {
			w := &world{t: t, seed: seed, url: t.TempDir(), level: []Isolation{Serializable, WriteSerializable}[seed%2], files: map[string][]row{}, ops: map[string]*op{}}
			w.run()
			w.check()
		})
	}
}

func (w *world) run() {
	heads := NewMemoryHeads()
	clean := New(log.NewCache(), heads)
	defer clean.Close()
	actions := newTable()
	config := actions[0].Metadata.Configuration
	config["delta.enableDeletionVectors"], config["delta.isolationLevel"] = "true", string(w.level)
	if w.seed%3 == 0 {
		config["delta.feature.catalogManaged"] = "supported"
	}
	if _, err := clean.Commit(context.Background(), Request{Table: w.url, ReadVersion: -1, TxnID: "create", Actions: actions, Info: delta.Info("CREATE TABLE")}); err != nil {
		w.t.Fatal(err)
	}
	var cs []*Committer
	for i := range 3 {
		c := w.committer(heads, rand.New(rand.NewPCG(w.seed, uint64(100+i))))
		defer c.Close()
		cs = append(cs, c)
	}
	var wg sync.WaitGroup
	for g := range 5 {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(w.seed, uint64(g)))
			for i := range 24 {
				w.try(fmt.Sprint("op", g, "-", i), rng, cs)
			}
		})
	}
	wg.Wait()
	o := &op{kind: "append", rows: w.fresh(1)} // publishes what a dead committer had ratified
	w.ops["last"] = o
	newest, err := clean.Newest(context.Background(), w.url)
	if err != nil {
		w.t.Fatal(err)
	}
	last := Request{Table: w.url, ReadVersion: newest, TxnID: "last", Info: delta.Info(o.kind), Actions: []delta.Action{w.file("last", o.rows, true)}}
	if _, err := clean.Commit(context.Background(), last); err != nil {
		w.t.Error(err)
	}
}

// committer fails and dies at random.
func (w *world) committer(heads Heads, rng *rand.Rand) *Committer {
	var mu sync.Mutex
	chance := func(n int) bool { mu.Lock(); defer mu.Unlock(); return rng.IntN(n) == 0 }
	inner, err := storage.Open(w.url)
	if err != nil {
		w.t.Fatal(err)
	}
	logs := log.NewCache()
	logs.Add(log.NewTable(faultstore.New(inner, func(o faultstore.Op) faultstore.Fault {
		if o.Kind == "Stat" || !chance(20) {
			return faultstore.None
		}
		return []faultstore.Fault{faultstore.FailBefore, faultstore.FailAfter}[map[bool]int{true: 1}[chance(2)]]
	})))
	return New(logs, heads, Options{Spacing: -1, Step: func(Step) error {
		if chance(15) {
			return errDied
		}
		return nil
	}})
}

// try runs one random operation: plans it on a version, and asks committers until the outcome is known.
func (w *world) try(id string, rng *rand.Rand, cs []*Committer) {
	s := w.snapshot(rng, cs)
	o, r := w.plan(id, s, rng)
	if o == nil {
		return
	}
	o.read = s.Version
	r.Table, r.ReadVersion, r.TxnID, r.Info = w.url, s.Version, id, delta.Info(o.kind)
	w.mu.Lock()
	w.ops[id] = o
	w.mu.Unlock()
	time.Sleep(time.Duration(rng.IntN(4)) * time.Millisecond) // others get ahead
	for range 500 {
		_, err := cs[rng.IntN(len(cs))].Commit(context.Background(), *r)
		if err == nil {
			return
		}
		if errs.Is(err, errs.Conflict) {
			w.mu.Lock()
			o.failed = true
			w.mu.Unlock()
			return
		}
	}
	w.t.Errorf("seed %d: the outcome of %s stays unknown", w.seed, id)
}

func (w *world) snapshot(rng *rand.Rand, cs []*Committer) *delta.Snapshot {
	for {
		table, err := cs[rng.IntN(len(cs))].logs.Table(w.url)
		if err != nil {
			w.t.Fatal(err)
		}
		if s, err := table.Snapshot(context.Background()); err == nil {
			return s
		}
	}
}

// file makes a data file.
func (w *world) file(path string, rows []row, change bool) delta.Action {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.files[path] = rows
	ids := make([]int64, len(rows))
	for i, r := range rows {
		ids[i] = r.id
	}
	stats := fmt.Sprintf(`{"numRecords":%d,"minValues":{"id":%d},"maxValues":{"id":%d},"nullCount":{"id":0}}`, len(rows), slices.Min(ids), slices.Max(ids))
	return delta.Action{Add: &delta.Add{Path: path, PartitionValues: delta.PartitionValues{}, Size: int64(len(rows)), DataChange: change, Stats: stats}}
}

// live are the numbers of a file's rows that are not deleted, and the rows.
func (w *world) live(a *delta.Add) (gone *roaring64.Bitmap, rows []row) {
	gone = roaring64.New()
	if a.DeletionVector != nil {
		b, err := log.DeletedRows(context.Background(), w.url, a.DeletionVector)
		if err != nil {
			w.t.Fatal(err)
		}
		gone = b
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return gone, w.files[a.Path]
}

func (w *world) fresh(n int) []row {
	w.mu.Lock()
	defer w.mu.Unlock()
	rows := make([]row, n)
	for i := range rows {
		w.next++
		rows[i] = row{w.next, 0}
	}
	return rows
}

func between(lo, hi int64) []delta.Filter {
	return []delta.Filter{{{Column: []string{"id"}, Op: delta.Ge, Value: lo}, {Column: []string{"id"}, Op: delta.Le, Value: hi}}}
}

// plan makes an operation of a random kind on a snapshot, or nil when there is nothing to do.
func (w *world) plan(id string, s *delta.Snapshot, rng *rand.Rand) (*op, *Request) {
	w.mu.Lock()
	top := w.next
	w.mu.Unlock()
	lo := rng.Int64N(top + 1)
	if rng.IntN(3) > 0 {
		lo = max(0, top-rng.Int64N(10)) // where others are at work
	}
	o := &op{lo: lo, hi: lo + rng.Int64N(4)}
	switch k := rng.IntN(26); {
	case k < 7:
		o.kind, o.rows = "append", w.fresh(1+rng.IntN(4))
		return o, &Request{Actions: []delta.Action{w.file(id, o.rows, true)}}
	case k < 10:
		o.kind = "delete"
		return w.change(id, o, s, true, nil)
	case k < 14:
		o.kind = "update"
		return w.change(id, o, s, true, func(r row) row { return row{r.id, r.v + 1} })
	case k < 15:
		o.kind = "rewrite"
		return w.change(id, o, s, false, nil)
	case k < 16:
		o.kind, o.rows = "overwrite", w.fresh(3)
		r := &Request{ReadTable: true, Actions: []delta.Action{w.file(id, o.rows, true)}}
		for a := range s.All() {
			r.Actions = append(r.Actions, delta.Action{Remove: a.Remove(1, true)})
		}
		return o, r
	case k < 18:
		o.kind = "optimize"
		return w.optimize(id, o, s, rng)
	case k == 18 && rng.IntN(3) == 0:
		o.kind = "property"
		m := s.Metadata.Clone()
		m.Configuration["op"] = id
		return o, &Request{Actions: []delta.Action{{Metadata: m}}}
	}
	o.kind, o.rows = "count", w.fresh(1)
	r := &Request{Reads: between(o.lo, o.hi)}
	for a := range s.All() {
		gone, rows := w.live(a)
		read := false
		for i, x := range rows {
			if !gone.Contains(uint64(i)) && x.id >= o.lo && x.id <= o.hi {
				o.rows[0].v++
				read = true
			}
		}
		if read {
			r.ReadFiles = append(r.ReadFiles, a.Path)
		}
	}
	r.Actions = []delta.Action{w.file(id, o.rows, true)}
	return o, r
}

// change deletes or updates the rows of a range, by deletion vectors or by writing the files anew.
func (w *world) change(id string, o *op, s *delta.Snapshot, vectors bool, update func(row) row) (*op, *Request) {
	r := &Request{RowLevel: vectors, Reads: between(o.lo, o.hi)}
	var updated []row
	for a := range s.All() {
		gone, rows := w.live(a)
		after, kept := gone.Clone(), []row(nil)
		for i, x := range rows {
			switch {
			case gone.Contains(uint64(i)):
			case x.id < o.lo || x.id > o.hi:
				kept = append(kept, x)
			default:
				after.Add(uint64(i))
				if update != nil {
					updated = append(updated, update(x))
				}
			}
		}
		if after.GetCardinality() == gone.GetCardinality() {
			continue
		}
		r.ReadFiles = append(r.ReadFiles, a.Path)
		r.Actions = append(r.Actions, delta.Action{Remove: a.Remove(1, true)})
		switch {
		case len(kept) == 0:
		case vectors:
			add := *a
			dv, err := delta.EncodeInline(after)
			if err != nil {
				w.t.Fatal(err)
			}
			add.DeletionVector, add.DataChange = dv, true
			r.Actions = append(r.Actions, delta.Action{Add: &add})
		default:
			r.Actions = append(r.Actions, w.file(fmt.Sprint(id, "-", len(r.Actions)), kept, true))
		}
	}
	if len(r.Actions) == 0 {
		return nil, nil
	}
	if len(updated) > 0 {
		r.Actions = append(r.Actions, w.file(id, updated, true))
	}
	return o, r
}

// optimize writes the rows of some files into one.
func (w *world) optimize(id string, o *op, s *delta.Snapshot, rng *rand.Rand) (*op, *Request) {
	r := &Request{}
	var all []row
	for a := range s.All() {
		if rng.IntN(2) == 0 {
			continue
		}
		gone, rows := w.live(a)
		for i, x := range rows {
			if !gone.Contains(uint64(i)) {
				all = append(all, x)
			}
		}
		r.ReadFiles = append(r.ReadFiles, a.Path)
		r.Actions = append(r.Actions, delta.Action{Remove: a.Remove(1, false)})
	}
	if len(r.Actions) < 2 || len(all) == 0 {
		return nil, nil
	}
	r.Actions = append(r.Actions, w.file(id, all, false))
	return o, r
}

// check replays the log.
func (w *world) check() {
	heads := NewMemoryHeads()
	reader := New(log.NewCache(), heads) // reads what is published by its own names, as anybody does
	defer reader.Close()
	table, err := log.Open(w.url)
	if err != nil {
		w.t.Fatal(err)
	}
	state, at := map[int64]int64{}, map[string]int64{}
	blind := map[int64]int64{} // the version of a blind append, by id
	s := delta.Empty(w.url)
	for v := int64(0); ; v++ {
		actions, err := table.Commit(context.Background(), v)
		if errs.Is(err, errs.NotFound) {
			break
		}
		if err != nil {
			w.t.Fatal(err)
		}
		if s, err = s.Apply(v, v, actions); err != nil {
			w.t.Fatal(err)
		}
		if v == 0 {
			continue
		}
		before := maps.Clone(state)
		for _, id := range members(actions) {
			if _, twice := at[id]; twice {
				w.t.Errorf("seed %d: %s is in the log twice", w.seed, id)
			}
			at[id] = v
			w.apply(w.ops[id], v, state, blind)
		}
		if got := w.contents(s); !maps.Equal(got, state) {
			w.t.Fatalf("seed %d: version %d, made by %v, holds %v; they make %v of %v", w.seed, v, describe(w, actions), got, state, before)
		}
	}
	outcome := map[string]int{}
	for id, o := range w.ops {
		if o.failed {
			outcome[o.kind+" refused"]++
		} else {
			outcome[o.kind]++
		}
		if _, there := at[id]; there == o.failed {
			w.t.Errorf("seed %d: %s %s: in the log %t, refused %t", w.seed, o.kind, id, there, o.failed)
		}
	}
	w.t.Logf("%d versions: %v", s.Version, outcome)
}

func describe(w *world, actions []delta.Action) (out []string) {
	for _, id := range members(actions) {
		out = append(out, fmt.Sprintf("%s %+v", id, *w.ops[id]))
	}
	return out
}

func members(actions []delta.Action) (ids []string) {
	for _, a := range actions {
		if c := a.CommitInfo; c != nil {
			for _, m := range c.Group {
				ids = append(ids, m.TxnID)
			}
			if len(ids) == 0 {
				ids = []string{c.TxnID}
			}
		}
	}
	return ids
}

// contents are a version's rows; one that is there twice is counted with a value that no operation makes.
func (w *world) contents(s *delta.Snapshot) map[int64]int64 {
	out := map[int64]int64{}
	for a := range s.All() {
		gone, rows := w.live(a)
		for i, x := range rows {
			if !gone.Contains(uint64(i)) {
				if _, twice := out[x.id]; twice {
					x.v = -1000
				}
				out[x.id] = x.v
			}
		}
	}
	return out
}

// apply is what an operation does to rows. Under WriteSerializable blind appends that it did not see may count as later.
func (w *world) apply(o *op, v int64, state, blind map[int64]int64) {
	sees := func(id int64) bool {
		since, is := blind[id]
		return w.level == Serializable || !is || since <= o.read
	}
	switch o.kind {
	case "append":
		for _, r := range o.rows {
			state[r.id] = r.v
			blind[r.id] = v
		}
	case "overwrite":
		for id := range state {
			if sees(id) {
				delete(state, id)
			}
		}
		for _, r := range o.rows {
			state[r.id] = r.v
		}
	case "count":
		n := int64(0)
		for id := range state {
			if id >= o.lo && id <= o.hi && sees(id) {
				n++
			}
		}
		state[o.rows[0].id] = n
	case "delete", "rewrite", "update":
		for id := range state {
			if id < o.lo || id > o.hi || !sees(id) {
				continue
			}
			if o.kind == "update" {
				state[id]++
			} else {
				delete(state, id)
			}
		}
	}
}
