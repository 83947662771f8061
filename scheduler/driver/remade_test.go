package driver_test

import (
	"context"
	"slices"
	"sync"
	"testing"

	"millrace/errs"
	"millrace/operators"
	planpb "millrace/proto/millrace/plan/v1"
	"millrace/scheduler"
	"millrace/scheduler/driver"
	"millrace/types"
	"millrace/vector"
	"millrace/worker"
)

// remade are tables of a query whose first stage gives the numbers 0 to 99, and with each a key that is another one in every run; and the
// signs of what has run where.
type remade struct {
	mu      sync.Mutex
	runs    int64
	source  string        // the worker of the last run
	reader  string        // the worker of the second stage's first task
	waits   chan struct{} // closed when the second stage's second task has begun
	release chan struct{}
	once    sync.Once
}

func (r *remade) tables(w string) worker.Tables {
	return worker.Tables{Scan: func(_ *planpb.Operator, _ *planpb.FileScan, splits []*planpb.FileSplit, _ *planpb.Settings) (operators.Operator, error) {
		return &remadeScan{of: r, worker: w, kind: splits[0].Size}, nil
	}}
}

type remadeScan struct {
	of     *remade
	worker string
	kind   int64 // 0: the source; 1: nothing; 2: waits, fails the first time, and is nothing then
	done   bool
	ctx    *operators.Ctx
}

func (s *remadeScan) Open(ctx *operators.Ctx) error { s.ctx = ctx; return nil }
func (s *remadeScan) Close() error                  { return nil }
func (s *remadeScan) Output() []*types.Type         { return []*types.Type{types.Long, types.Long} }
func (s *remadeScan) Next() (*vector.Batch, error) {
	r := s.of
	switch {
	case s.done:
		return nil, nil
	case s.kind == 1:
		r.mu.Lock()
		defer r.mu.Unlock()
		r.reader = s.worker
		return nil, nil
	case s.kind == 2:
		first := false
		r.once.Do(func() { first = true; close(r.waits) })
		if !first {
			return nil, nil
		}
		select {
		case <-r.release:
		case <-s.ctx.Done():
		}
		return nil, errs.Newf(errs.Transient, "once more")
	}
	s.done = true
	r.mu.Lock()
	defer r.mu.Unlock()
	r.source = s.worker
	ids, keys := make([]int64, 100), make([]int64, 100)
	for i := range ids {
		ids[i], keys[i] = int64(i), int64(i)+r.runs*1000
	}
	r.runs++
	return &vector.Batch{N: 100, Cols: []*vector.Vector{vector.FromSlice(types.Long, ids), vector.FromSlice(types.Long, keys)}}, nil
}

// A stage hashes by keys that are others in its second run, which comes after one of its readers has finished: that one has to run again.
func TestRowsThatMoveWhenTheyAreMadeAgain(t *testing.T) {
	columns := []*planpb.Column{longColumn[0], {Name: "key", Type: longColumn[0].Type}}
	scan := func(id uint32) *planpb.Operator {
		return &planpb.Operator{Id: id, Output: columns, Kind: &planpb.Operator_FileScan{FileScan: &planpb.FileScan{}}}
	}
	source := func(id, stage uint32) *planpb.Operator {
		return &planpb.Operator{Id: id, Output: columns, Kind: &planpb.Operator_ExchangeSource{ExchangeSource: &planpb.ExchangeSource{Stage: stage}}}
	}
	split := func(scan uint32, kind int64) *planpb.TaskInput {
		return &planpb.TaskInput{Splits: map[uint32]*planpb.FileSplits{scan: {Splits: []*planpb.FileSplit{{Size: kind}}}}}
	}
	key := &planpb.Expr{Type: longColumn[0].Type, Kind: &planpb.Expr_Column{Column: 1}}
	single := &planpb.Partitioning{Kind: planpb.Partitioning_SINGLE, Partitions: 1}
	q := driver.Query{ID: "moves", Mode: scheduler.Staged, Settings: &planpb.Settings{TimeZone: "UTC", Ansi: true}, Stages: []*planpb.Stage{
		{Id: 0, Tasks: 1, Root: scan(1), Partitioning: &planpb.Partitioning{Kind: planpb.Partitioning_HASH, Partitions: 2, Exprs: []*planpb.Expr{key}},
			TaskInputs: []*planpb.TaskInput{split(1, 0)}, Indeterminate: true},
		{Id: 1, Tasks: 2, Inputs: []uint32{0}, Partitioning: single, TaskInputs: []*planpb.TaskInput{split(3, 1), split(3, 2)},
			Root: &planpb.Operator{Id: 2, Output: columns, Children: []*planpb.Operator{scan(3), source(4, 0)}, Kind: &planpb.Operator_Union{Union: &planpb.Union{}}}},
		{Id: 2, Tasks: 1, Inputs: []uint32{1}, Root: source(5, 1), Partitioning: single},
	}}
	r := &remade{waits: make(chan struct{}), release: make(chan struct{})}
	workers := map[string]*testWorker{}
	for _, id := range []string{"a", "b", "c"} {
		workers[id] = newWorker(t, id, r.tables(id))
	}
	d := newDriver(t, workers["a"], workers["b"], workers["c"])
	res, err := d.Run(context.Background(), q)
	if err != nil {
		t.Fatal(err)
	}
	<-r.waits
	await(t, func() bool {
		now, ok := d.Record("moves")
		return ok && now.Stages[1].Done == 1
	})
	r.mu.Lock()
	t.Logf("the rows are on worker %s, and their first reader was on %s", r.source, r.reader)
	workers[r.source].kill()
	r.mu.Unlock()
	await(t, func() bool {
		return slices.ContainsFunc(d.Workers(), func(w driver.Worker) bool { return !w.Connected })
	})
	close(r.release)
	if err := count(res, 100); err != nil {
		t.Error(err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.runs != 2 {
		t.Errorf("the rows were made %d times", r.runs)
	}
}
