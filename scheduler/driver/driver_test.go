package driver_test

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"testing"
	"time"

	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"millrace/errs"
	"millrace/memory"
	"millrace/operators"
	"millrace/planconv"
	planpb "millrace/proto/millrace/plan/v1"
	"millrace/scheduler"
	"millrace/scheduler/driver"
	"millrace/shuffle"
	"millrace/types"
	"millrace/vector"
	"millrace/worker"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// testWorker is a worker in this process that can be killed as a process is: all its connections break at once.
type testWorker struct {
	id, address string
	r           *worker.Runtime
	g           *grpc.Server
	pool        *memory.Pool
}

func newWorker(t *testing.T, id string, tables worker.Tables) *testWorker {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &testWorker{id: id, address: l.Addr().String(), pool: memory.NewPool(id, 256<<20)}
	store, err := shuffle.NewStore(t.TempDir()+"/"+id, w.pool)
	if err != nil {
		t.Fatal(err)
	}
	dial := grpc.WithTransportCredentials(insecure.NewCredentials())
	w.r = &worker.Runtime{ID: id, Version: "1", Slots: 2, Pool: w.pool, Store: store, Tables: tables, Log: slog.New(slog.DiscardHandler),
		Client: shuffle.NewClient(store, w.address, dial)}
	w.g = grpc.NewServer(grpc.MaxRecvMsgSize(shuffle.MaxMessage), grpc.MaxSendMsgSize(shuffle.MaxMessage))
	w.r.Register(w.g)
	store.Register(w.g)
	go w.g.Serve(l)
	t.Cleanup(func() {
		w.g.Stop()
		w.r.Client.Close()
		store.Close()
		if n := w.pool.Used(); n != 0 {
			t.Errorf("worker %s still holds %d bytes", id, n)
		}
	})
	return w
}

func (w *testWorker) kill() { w.g.Stop() }

func newDriver(t *testing.T, workers ...*testWorker) *driver.Driver {
	t.Helper()
	d := driver.New(driver.Config{ID: "c", Version: "1", Dial: []grpc.DialOption{grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(shuffle.MaxMessage))}, Scheduler: scheduler.Config{WorkerWait: 2 * time.Second}})
	t.Cleanup(d.Close)
	for _, w := range workers {
		d.Join(w.id, w.address)
	}
	await(t, func() bool {
		n := 0
		for _, w := range d.Workers() {
			if w.Connected {
				n++
			}
		}
		return n == len(workers)
	})
	return d
}

func await(t *testing.T, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it never happened")
		}
	}
}

var longColumn = []*planpb.Column{{Name: "id", Type: planconv.TypePB(types.Long)}}

// rangeQuery is numbers made by tasks, dealt out to tasks of a second stage, and gathered by one of a third.
func rangeQuery(id string, n int64, tasks int32, mode scheduler.Mode) driver.Query {
	source := func(stage uint32, op uint32) *planpb.Operator {
		return &planpb.Operator{Id: op, Output: longColumn, Kind: &planpb.Operator_ExchangeSource{ExchangeSource: &planpb.ExchangeSource{Stage: stage}}}
	}
	return driver.Query{ID: id, Mode: mode, Settings: &planpb.Settings{TimeZone: "UTC", Ansi: true}, Stages: []*planpb.Stage{
		{Id: 0, Tasks: tasks, Root: &planpb.Operator{Id: 1, Output: longColumn, Kind: &planpb.Operator_Range{Range: &planpb.Range{End: n, Step: 1, Partitions: tasks}}},
			Partitioning: &planpb.Partitioning{Kind: planpb.Partitioning_ROUND_ROBIN, Partitions: tasks}},
		{Id: 1, Tasks: tasks, Inputs: []uint32{0}, Root: source(0, 2), Partitioning: &planpb.Partitioning{Kind: planpb.Partitioning_SINGLE, Partitions: 1}},
		{Id: 2, Tasks: 1, Inputs: []uint32{1}, Root: source(1, 3), Partitioning: &planpb.Partitioning{Kind: planpb.Partitioning_SINGLE, Partitions: 1}},
	}}
}

// count reads a result of the numbers 0 to n-1 and checks it.
func count(r *driver.Result, n int64) error {
	defer r.Close()
	seen := make([]bool, n)
	rows := int64(0)
	for {
		b, err := r.Next()
		if err != nil {
			return err
		}
		if b == nil {
			break
		}
		for _, v := range vector.Values[int64](b.Cols[0])[:b.N] {
			if seen[v] {
				return fmt.Errorf("row %d came twice", v)
			}
			seen[v] = true
			rows++
		}
	}
	if rows != n {
		return fmt.Errorf("%d rows came, not %d", rows, n)
	}
	return nil
}

func TestQueries(t *testing.T) {
	d := newDriver(t, newWorker(t, "a", worker.Tables{}), newWorker(t, "b", worker.Tables{}))
	for _, mode := range []scheduler.Mode{scheduler.Pipelined, scheduler.Staged} {
		for _, n := range []int64{0, 10, 300_000} {
			begin := time.Now()
			r, err := d.Run(context.Background(), rangeQuery(fmt.Sprint(mode, n), n, 3, mode))
			if err != nil {
				t.Fatal(err)
			}
			if err := count(r, n); err != nil {
				t.Errorf("%v %d: %v", mode, n, err)
			}
			if m := r.Metrics()[3]; m == nil || m.RowsOut != n {
				t.Errorf("%v %d: metrics are %v", mode, n, m)
			}
			t.Logf("%v %d rows: %v", mode, n, time.Since(begin))
		}
	}
}

// slowTables make a scan that gives one row of its task's number after a while.
func slowTables(wait time.Duration) worker.Tables {
	return worker.Tables{Scan: func(op *planpb.Operator, _ *planpb.FileScan, splits []*planpb.FileSplit, _ *planpb.Settings) (operators.Operator, error) {
		return &slow{wait: wait, value: splits[0].Size}, nil
	}}
}

type slow struct {
	ctx   *operators.Ctx
	wait  time.Duration
	value int64
	done  bool
}

func (s *slow) Open(ctx *operators.Ctx) error { s.ctx = ctx; return nil }
func (s *slow) Close() error                  { return nil }
func (s *slow) Output() []*types.Type         { return []*types.Type{types.Long} }
func (s *slow) Next() (*vector.Batch, error) {
	if s.done {
		return nil, nil
	}
	s.done = true
	if s.value < 0 {
		panic("a kernel is wrong")
	}
	select {
	case <-time.After(s.wait):
	case <-s.ctx.Done():
		return nil, s.ctx.Err()
	}
	return &vector.Batch{N: 1, Cols: []*vector.Vector{vector.FromSlice(types.Long, []int64{s.value})}}, nil
}

// slowQuery gives the numbers 0 to tasks-1, each by a task that waits.
func slowQuery(id string, tasks int, mode scheduler.Mode) driver.Query {
	q := rangeQuery(id, int64(tasks), int32(tasks), mode)
	q.Stages[0].Root = &planpb.Operator{Id: 1, Output: longColumn, Kind: &planpb.Operator_FileScan{FileScan: &planpb.FileScan{}}}
	for i := range tasks {
		q.Stages[0].TaskInputs = append(q.Stages[0].TaskInputs, &planpb.TaskInput{Splits: map[uint32]*planpb.FileSplits{
			1: {Splits: []*planpb.FileSplit{{Size: int64(i)}}}}})
	}
	return q
}

func TestWorkerDiesInMidQuery(t *testing.T) {
	for _, mode := range []scheduler.Mode{scheduler.Pipelined, scheduler.Staged} {
		for _, after := range []time.Duration{30 * time.Millisecond, 130 * time.Millisecond, 250 * time.Millisecond} {
			t.Run(fmt.Sprint(mode, after), func(t *testing.T) {
				a, b, c := newWorker(t, "a", slowTables(100*time.Millisecond)), newWorker(t, "b", slowTables(100*time.Millisecond)), newWorker(t, "c", slowTables(100*time.Millisecond))
				d := newDriver(t, a, b, c)
				r, err := d.Run(context.Background(), slowQuery("q", 12, mode))
				if err != nil {
					t.Fatal(err)
				}
				time.AfterFunc(after, b.kill)
				if err := count(r, 12); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// TestWorkerComesBack has the only worker leave in mid-query, and another one come under its name: it is told of the query anew.
func TestWorkerComesBack(t *testing.T) {
	for _, mode := range []scheduler.Mode{scheduler.Pipelined, scheduler.Staged} {
		t.Run(mode.String(), func(t *testing.T) {
			a := newWorker(t, "a", slowTables(100*time.Millisecond))
			d := newDriver(t, a)
			r, err := d.Run(context.Background(), slowQuery("q", 6, mode))
			if err != nil {
				t.Fatal(err)
			}
			await(t, func() bool { return !a.r.Idle() })
			d.Leave("a")
			a.kill()
			await(t, func() bool { return len(d.Workers()) == 0 })
			d.Join("a", newWorker(t, "a", slowTables(time.Millisecond)).address)
			if err := count(r, 6); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestCancelIsQuickAndLeavesNothing(t *testing.T) {
	a, b := newWorker(t, "a", slowTables(time.Hour)), newWorker(t, "b", slowTables(time.Hour))
	d := newDriver(t, a, b)
	for _, mode := range []scheduler.Mode{scheduler.Pipelined, scheduler.Staged} {
		ctx, cancel := context.WithCancel(context.Background())
		r, err := d.Run(ctx, slowQuery(mode.String(), 4, mode))
		if err != nil {
			t.Fatal(err)
		}
		await(t, func() bool { return !a.r.Idle() && !b.r.Idle() })
		begin := time.Now()
		cancel()
		if _, err := r.Next(); !errs.Is(err, errs.Cancelled) {
			t.Errorf("%v", err)
		}
		told := time.Since(begin)
		await(t, func() bool { return a.r.Idle() && b.r.Idle() })
		t.Logf("%v: cancelled after %v, everything gone after %v", mode, told, time.Since(begin))
		r.Close()
	}
}

func TestErrors(t *testing.T) {
	a := newWorker(t, "a", slowTables(0))
	d := newDriver(t, a)
	q := slowQuery("unknown", 1, scheduler.Pipelined)
	q.Stages[0].Root = &planpb.Operator{Id: 1, Output: longColumn, Kind: &planpb.Operator_FileSink{FileSink: &planpb.FileSink{}}, Children: []*planpb.Operator{q.Stages[0].Root}}
	r, err := d.Run(context.Background(), q)
	if err != nil {
		t.Fatal(err)
	}
	if err := count(r, 1); !errs.Is(err, errs.Unsupported) {
		t.Errorf("an operator that is not built: %v", err)
	}
	q = slowQuery("panic", 1, scheduler.Staged)
	q.Stages[0].TaskInputs[0].Splits[1].Splits[0].Size = -1
	if r, err = d.Run(context.Background(), q); err != nil {
		t.Fatal(err)
	}
	if err := count(r, 1); !errs.Is(err, errs.Internal) {
		t.Errorf("a panic: %v", err)
	}
	if r, err = d.Run(context.Background(), slowQuery("after", 2, scheduler.Staged)); err != nil {
		t.Fatal(err)
	}
	if err := count(r, 2); err != nil {
		t.Errorf("after a panic: %v", err)
	}
}

func TestNoWorker(t *testing.T) {
	d := newDriver(t)
	time.Sleep(50 * time.Millisecond) // between two ticks
	began := time.Now()
	r, err := d.Run(context.Background(), rangeQuery("q", 10, 1, scheduler.Pipelined))
	if err != nil {
		t.Fatal(err)
	}
	if _, waiting := r.Progress(); waiting == "" {
		t.Error("the query does not say that it waits")
	}
	if err := count(r, 10); errs.ConditionOf(err) != "CLUSTER_NO_WORKER" {
		t.Errorf("%v", err)
	}
	if waited := time.Since(began); waited < 2*time.Second {
		t.Errorf("the query waited %v, less than the promised 2s", waited)
	}
	if r, err = d.Run(context.Background(), rangeQuery("q2", 10, 1, scheduler.Pipelined)); err != nil {
		t.Fatal(err)
	}
	w := newWorker(t, "late", worker.Tables{})
	d.Join(w.id, w.address)
	if err := count(r, 10); err != nil {
		t.Errorf("after a worker came: %v", err)
	}
}

func TestOtherVersion(t *testing.T) {
	w := newWorker(t, "a", worker.Tables{})
	w.r.Version = "2"
	d := newDriver(t)
	d.Join(w.id, w.address)
	await(t, func() bool { l := d.Workers(); return len(l) == 1 && l[0].Error != "" })
	if l := d.Workers(); l[0].Connected {
		t.Error("a worker of another version is connected")
	}
}
