package shuffle

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"millrace/errs"
	"millrace/memory"
	"millrace/operators"
	"millrace/operators/expr"
	planpb "millrace/proto/millrace/plan/v1"
	"millrace/types"
	"millrace/vector"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var testTypes = []*types.Type{types.Long, types.String}

// numbers is an operator of batches of consecutive numbers and their text.
type numbers struct {
	from, to, batch int64
	dict            *vector.Vector
}

func (n *numbers) Open(*operators.Ctx) error { return nil }
func (n *numbers) Close() error              { return nil }
func (n *numbers) Output() []*types.Type     { return testTypes }
func (n *numbers) Next() (*vector.Batch, error) {
	if n.from >= n.to {
		return nil, nil
	}
	k := min(n.batch, n.to-n.from)
	ids, texts := make([]int64, k), make([]string, k)
	for i := range ids {
		ids[i] = n.from + int64(i)
		texts[i] = fmt.Sprint("row ", ids[i])
	}
	n.from += k
	b := &vector.Batch{N: int(k), Cols: []*vector.Vector{vector.FromSlice(types.Long, ids), vector.FromStrings(types.String, texts, nil)}}
	if n.dict != nil {
		codes := &vector.Vector{}
		codes.ResetDict(n.dict, int(k))
		for i := range ids {
			vector.Codes(codes)[i] = int32(ids[i] % int64(n.dict.Len))
		}
		b.Cols[1] = codes
	}
	return b, nil
}

func testCtx(t testing.TB, ctx context.Context, pool *memory.Pool) *operators.Ctx {
	return &operators.Ctx{Ctx: expr.Ctx{Context: ctx, Settings: &planpb.Settings{}}, Memory: pool, TempDir: t.TempDir()}
}

func testStore(t *testing.T, limit int64) (*Store, *memory.Pool) {
	pool := memory.NewPool("worker", limit)
	s, err := NewStore(t.TempDir()+"/store", pool)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.Close()
		if n := pool.Used(); n != 0 {
			t.Errorf("%d bytes are still reserved", n)
		}
	})
	return s, pool
}

// produce writes numbers to an output by round robin.
func produce(t *testing.T, s *Store, pool *memory.Pool, ref Ref, spec Spec, n *numbers) {
	t.Helper()
	w, err := s.Create(ref, spec)
	if err != nil {
		t.Error(err)
		return
	}
	p, err := NewPartitioner(&planpb.Partitioning{Kind: planpb.Partitioning_ROUND_ROBIN, Partitions: int32(spec.Partitions)}, testTypes, nil, ref.Task)
	if err != nil {
		t.Error(err)
		return
	}
	if err := Sink(testCtx(t, context.Background(), pool), n, p, w); err != nil {
		t.Error(err)
	}
	if err := w.Finish(); err != nil {
		t.Error(err)
	}
}

// drain adds the numbers that a reader gives to seen, and checks their text.
func drain(t *testing.T, next func() (*vector.Batch, error), dict *vector.Vector, seen map[int64]int) {
	t.Helper()
	for {
		b, err := next()
		if err != nil {
			t.Error(err)
			return
		}
		if b == nil {
			return
		}
		for i, id := range vector.Values[int64](b.Cols[0])[:b.N] {
			seen[id]++
			want := fmt.Sprint("row ", id)
			if dict != nil {
				want = string(dict.Str(int(id) % dict.Len))
			}
			if got := string(b.Cols[1].Str(i)); got != want {
				t.Errorf("row %d has text %q", id, got)
				return
			}
		}
	}
}

func checkAll(t *testing.T, seen map[int64]int, n int) {
	t.Helper()
	for i := range int64(n) {
		if seen[i] != 1 {
			t.Fatalf("row %d came %d times", i, seen[i])
		}
	}
	if len(seen) != n {
		t.Fatalf("%d rows came, %d were sent", len(seen), n)
	}
}

var insecureDial = grpc.WithTransportCredentials(insecure.NewCredentials())

// serve starts a Flight server of the store and returns its address.
func serve(t testing.TB, s *Store) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := grpc.NewServer(grpc.MaxSendMsgSize(MaxMessage), grpc.WriteBufferSize(256<<10))
	s.Register(g)
	go g.Serve(l)
	t.Cleanup(g.Stop)
	return l.Addr().String()
}

func testClient(t *testing.T, local *Store, self string) *Client {
	c := NewClient(local, self, grpc.WithTransportCredentials(insecure.NewCredentials()))
	t.Cleanup(c.Close)
	return c
}

func TestExchange(t *testing.T) {
	const rows, tasks, parts = 200_000, 3, 4
	dict := vector.FromStrings(types.String, []string{"a", "bb", "ccc"}, nil)
	for _, filed := range []bool{false, true} {
		for _, remote := range []bool{false, true} {
			for _, d := range []*vector.Vector{nil, dict} {
				t.Run(fmt.Sprintf("filed=%v remote=%v dict=%v", filed, remote, d != nil), func(t *testing.T) {
					s, pool := testStore(t, 1<<30)
					addr := serve(t, s)
					self := addr
					if remote {
						self = "elsewhere"
					}
					c := testClient(t, s, self)
					spec := Spec{Partitions: parts, Filed: filed, Types: testTypes}
					var locations []Location
					var group sync.WaitGroup
					for k := range tasks {
						ref := Ref{"q", 1, k, 1}
						locations = append(locations, Location{addr, ref})
						n := &numbers{int64(k) * rows / tasks, int64(k+1) * rows / tasks, 2048, d}
						if filed {
							produce(t, s, pool, ref, spec, n)
							continue
						}
						group.Add(1)
						go func() { defer group.Done(); produce(t, s, pool, ref, spec, n) }()
					}
					seen := map[int64]int{}
					for p := range parts {
						src := NewSource(Inputs{Client: c, Locations: locations, Partition: p, Wait: !filed, Types: testTypes})
						if err := src.Open(testCtx(t, context.Background(), pool)); err != nil {
							t.Fatal(err)
						}
						drain(t, src.Next, d, seen)
						src.Close()
					}
					group.Wait()
					checkAll(t, seen, rows)
				})
			}
		}
	}
}

// A queue that nobody reads spills and its producer finishes; memory stays within the pool.
func TestQueueSpills(t *testing.T) {
	s, pool := testStore(t, 1<<20)
	ref := Ref{"q", 1, 0, 1}
	begin := time.Now()
	produce(t, s, pool, ref, Spec{Partitions: 2, Types: testTypes}, &numbers{0, 500_000, 2048, nil})
	if d := time.Since(begin); d > time.Minute {
		t.Errorf("the producer was held up for %v", d)
	}
	seen := map[int64]int{}
	for p := range 2 {
		r, err := s.Open(context.Background(), ref, p, false)
		if err != nil {
			t.Fatal(err)
		}
		drain(t, r.Next, nil, seen)
		r.Close()
	}
	checkAll(t, seen, 500_000)
}

func TestBroadcast(t *testing.T) {
	s, pool := testStore(t, 4<<20)
	ref := Ref{"q", 1, 0, 1}
	produce(t, s, pool, ref, Spec{Partitions: 1, Broadcast: true, Types: testTypes}, &numbers{0, 300_000, 2048, nil})
	for range 3 {
		r, err := s.Open(context.Background(), ref, 0, false)
		if err != nil {
			t.Fatal(err)
		}
		seen := map[int64]int{}
		drain(t, r.Next, nil, seen)
		r.Close()
		checkAll(t, seen, 300_000)
	}
}

// Readers of one output each get all of it, in memory or from the disk; what all of them have taken is freed.
func TestSeveralReaders(t *testing.T) {
	for _, limit := range []int64{1 << 30, 1 << 20} {
		s, pool := testStore(t, limit)
		ref := Ref{"q", 1, 0, 1}
		produce(t, s, pool, ref, Spec{Partitions: 2, Readers: 3, Types: testTypes}, &numbers{0, 300_000, 2048, nil})
		var first [2]Reader
		for p := range first {
			r, err := s.Open(context.Background(), ref, p, false)
			if err != nil {
				t.Fatal(err)
			}
			if b, err := r.Next(); b == nil || err != nil {
				t.Fatal(b, err)
			}
			first[p] = r
		}
		for range 2 {
			seen := map[int64]int{}
			for p := range 2 {
				r, err := s.Open(context.Background(), ref, p, false)
				if err != nil {
					t.Fatal(err)
				}
				drain(t, r.Next, nil, seen)
				r.Close()
			}
			checkAll(t, seen, 300_000)
		}
		if _, err := s.Open(context.Background(), ref, 0, false); !errs.Is(err, errs.Lost) {
			t.Errorf("a fourth reader: %v", err)
		}
		before := pool.Used()
		first[0].Close()
		first[1].Close()
		if after := pool.Used(); after != 0 || limit == 1<<30 && before == 0 {
			t.Errorf("%d bytes are held by one reader that waits, %d by none", before, after)
		}
	}
}

// A producer stops soon after its only reader has gone.
func TestUnwanted(t *testing.T) {
	s, pool := testStore(t, 1<<30)
	ref := Ref{"q", 1, 0, 1}
	r := make(chan Reader)
	go func() {
		x, err := s.Open(context.Background(), ref, 0, true)
		if err != nil {
			t.Error(err)
		}
		r <- x
	}()
	n := &numbers{0, 1 << 40, 2048, nil}
	done := make(chan struct{})
	go func() { produce(t, s, pool, ref, Spec{Partitions: 1, Types: testTypes}, n); close(done) }()
	x := <-r
	if b, err := x.Next(); b == nil || err != nil {
		t.Fatal(b, err)
	}
	x.Close()
	select {
	case <-done:
	case <-time.After(time.Minute):
		t.Fatal("the producer goes on")
	}
}

func TestDamagedFileIsLost(t *testing.T) {
	s, pool := testStore(t, 1<<30)
	ref := Ref{"q", 1, 0, 1}
	produce(t, s, pool, ref, Spec{Partitions: 1, Filed: true, Types: testTypes}, &numbers{0, 100_000, 2048, nil})
	path := s.queries["q"].outputs[ref].(*filedOutput).path
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	f.WriteAt([]byte("damage"), 1000)
	f.Close()
	addr := serve(t, s)
	for _, self := range []string{addr, "elsewhere"} {
		c := testClient(t, s, self)
		r, err := c.Open(context.Background(), addr, ref, 0, false, testTypes)
		if err != nil {
			t.Fatal(err)
		}
		for err == nil {
			var b *vector.Batch
			if b, err = r.Next(); b == nil && err == nil {
				t.Fatal("the damage was not seen")
			}
		}
		r.Close()
		var l *LostInput
		if !errors.As(err, &l) || l.Output != ref || !errs.Is(err, errs.Lost) {
			t.Errorf("%v", err)
		}
	}
}

func TestMissingIsLostAndReleaseWakes(t *testing.T) {
	s, _ := testStore(t, 1<<30)
	c := testClient(t, s, "here")
	_, err := c.Open(context.Background(), "here", Ref{"q", 1, 0, 1}, 0, false, testTypes)
	if !errs.Is(err, errs.Lost) {
		t.Errorf("%v", err)
	}
	failed := make(chan error)
	go func() {
		_, err := c.Open(context.Background(), "here", Ref{"q", 1, 0, 1}, 0, true, testTypes)
		failed <- err
	}()
	time.Sleep(20 * time.Millisecond)
	s.Release("q")
	if err := <-failed; !errs.Is(err, errs.Lost) {
		t.Errorf("%v", err)
	}
	r, err := c.Open(context.Background(), "127.0.0.1:1", Ref{"q", 1, 0, 1}, 0, false, testTypes)
	if err == nil {
		_, err = r.Next()
		r.Close()
	}
	var l *LostInput
	if !errors.As(err, &l) {
		t.Errorf("%v", err)
	}
}
