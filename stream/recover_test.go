package stream_test

import (
	"context"
	"maps"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"millrace/session"
	"millrace/stream"
)

// board is records that several managers of one process share, each by a view of its own.
type board struct {
	mu      sync.Mutex
	records map[string][]byte
	owners  map[string]*view
	views   []*view
}

func newBoard() *board { return &board{records: map[string][]byte{}, owners: map[string]*view{}} }

// view is one manager's.
type view struct {
	b       *board
	changes chan stream.Change
}

var _ stream.Records = (*view)(nil)

func (b *board) view() *view {
	v := &view{b: b, changes: make(chan stream.Change, 100)}
	b.views = append(b.views, v)
	return v
}

// changed is called with mu held.
func (b *board) changed() {
	for _, v := range b.views {
		select {
		case v.changes <- stream.Change{}:
		default:
		}
	}
}

// expire ends a view's claims without its knowing.
func (b *board) expire(v *view) {
	b.mu.Lock()
	defer b.mu.Unlock()
	maps.DeleteFunc(b.owners, func(_ string, o *view) bool { return o == v })
	b.changed()
}

func (v *view) locked(f func()) {
	v.b.mu.Lock()
	defer v.b.mu.Unlock()
	f()
}

func (v *view) Save(_ context.Context, id string, record []byte) error {
	v.locked(func() { v.b.records[id] = record; v.b.changed() })
	return nil
}

func (v *view) Remove(_ context.Context, id string, wanted bool) error {
	v.locked(func() {
		if v.b.owners[id] == v || wanted {
			delete(v.b.records, id)
			delete(v.b.owners, id)
			v.b.changed()
		}
	})
	return nil
}

func (v *view) Claim(_ context.Context, id string) (ok bool, _ error) {
	v.locked(func() {
		if v.b.owners[id] == nil {
			v.b.owners[id] = v
		}
		ok = v.b.owners[id] == v
	})
	return ok, nil
}

func (v *view) Release(_ context.Context, id string) error {
	v.locked(func() {
		if v.b.owners[id] == v {
			delete(v.b.owners, id)
			v.b.changed()
		}
	})
	return nil
}

func (v *view) Load(context.Context) (out map[string][]byte, _ error) {
	v.locked(func() { out = maps.Clone(v.b.records) })
	return out, nil
}

func (v *view) Changes(context.Context) <-chan stream.Change { return v.changes }

// eventually waits until something is so.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("it never happened: %s", what)
		}
	}
}

// TestTakeover lets a query move between coordinators: one that stops, one whose claims run out while it goes on, one on which the query is
// started anew.
func TestTakeover(t *testing.T) {
	dir := t.TempDir()
	b := newBoard()
	src, sink := filepath.Join(dir, "src"), filepath.Join(dir, "sink")
	views := []*view{b.view(), b.view(), b.view()}
	clusters := make([]*cluster, len(views))
	for i, v := range views {
		clusters[i] = newCluster(t, dir, v)
		clusters[i].streams.Recover()
	}
	one, two, three := clusters[0], clusters[1], clusters[2]
	s := one.session()
	one.append(s, src, 0, 10)
	q := one.start(s, toDelta(read(src), sink))
	one.processAll(q)

	one.close() // a coordinator that stops leaves its queries to others
	var moved *cluster
	eventually(t, "another coordinator runs the query", func() bool {
		for _, c := range []*cluster{two, three} {
			if found := c.streams.Get(c.session(), q.ID()); found != nil && found.RunID() == q.RunID() {
				moved = c
			}
		}
		return moved != nil
	})
	two.append(two.session(), src, 10, 20)
	x := moved.streams.Get(moved.session(), q.ID())
	moved.processAll(x)

	other, owner := three, views[1]
	if moved == three {
		other, owner = two, views[2]
	}
	b.expire(owner) // it goes on and does not know
	eventually(t, "the third coordinator runs the query", func() bool { return other.streams.Get(other.session(), q.ID()) != nil })
	two.append(two.session(), src, 20, 30)
	y := other.streams.Get(other.session(), q.ID())
	eventually(t, "its rows are in the sink", func() bool { return other.text(other.session(), table(sink)) == "30|435|30" })
	owner.changes <- stream.Change{Lost: true}
	eventually(t, "the one that lost its claims has let go", func() bool { return !x.Status().Active })
	if x.Err() != nil || !y.Status().Active {
		t.Errorf("the loser: %v; the winner: %v", x.Err(), y.Err())
	}

	fresh := moved.session()
	again, err := moved.streams.Start(context.Background(), fresh, toDelta(read(src), sink)) // a script that is run again, elsewhere
	if err != nil {
		t.Fatal(err)
	}
	if again.ID() != q.ID() || again.RunID() == q.RunID() {
		t.Error("a new run has the query's id and a run id of its own")
	}
	eventually(t, "the old run ends", func() bool { return !y.Status().Active })
	two.append(two.session(), src, 30, 40)
	moved.processAll(again)
	if got := two.text(two.session(), table(sink)); got != "40|780|40" {
		t.Error(got)
	}
	if err := again.Stop(context.Background()); err != nil {
		t.Fatal(err)
	}
	if all, _ := views[0].Load(context.Background()); len(all) != 0 {
		t.Error("a stopped query leaves its record")
	}
}

// TestRestartInPlace starts a query on a checkpoint that an active run of the same coordinator uses: the old run ends first.
func TestRestartInPlace(t *testing.T) {
	dir := t.TempDir()
	c := newCluster(t, dir, newBoard().view())
	s := c.session()
	src, sink := filepath.Join(dir, "src"), filepath.Join(dir, "sink")
	c.append(s, src, 0, 10)
	first := c.start(s, toDelta(read(src), sink))
	c.processAll(first)
	second := c.start(s, toDelta(read(src), sink))
	if first.Status().Active || first.Err() != nil {
		t.Errorf("the first run: %+v, %v", first.Status(), first.Err())
	}
	c.append(s, src, 10, 20)
	c.processAll(second)
	if got := c.text(s, table(sink)); got != "20|190|20" {
		t.Error(got)
	}
	if active := c.streams.Active(s); len(active) != 1 || active[0].RunID() != second.RunID() {
		t.Errorf("%d active", len(active))
	}
	var _ session.Streams = c.streams
}
