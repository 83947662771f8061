// Package enginetest runs an engine's queries in the process of a test: on real operators and exchanges, without a scheduler and without workers' processes.
//
//	r := enginetest.NewRunner(t, 4, true, 1<<30)
//	e := engine.New(engine.Options{Runner: r, …})
//
// It is for tests alone and knows nothing of how tasks find workers that live elsewhere.
package enginetest

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"millrace/cache"
	"millrace/engine"
	"millrace/errs"
	"millrace/memory"
	"millrace/operators"
	"millrace/operators/expr"
	"millrace/planconv"
	planpb "millrace/proto/millrace/plan/v1"
	workerpb "millrace/proto/millrace/worker/v1"
	"millrace/scheduler/adaptive"
	"millrace/session"
	"millrace/shuffle"
	"millrace/shuffle/wire"
	"millrace/state"
	"millrace/vector"
	"millrace/worker"
)

// Runner runs queries in this process: each task is a goroutine, the exchange is a shuffle.Store that all of them share.
type Runner struct {
	slots  int
	staged bool // even what could be pipelined runs stage by stage
	Pool   *memory.Pool
	Store  *shuffle.Store
	client *shuffle.Client
	tables worker.Tables
	States *state.Provider // nil: there are no streaming queries
	last   atomic.Int64

	Files   string       // the directory below which tasks and exchanges keep files
	Spilled atomic.Int64 // bytes that operators have written to disk

	mu     sync.Mutex
	names  []string                // of the workers that are there, one a slot
	frames map[string]*cache.Store // by worker
	cached string                  // below which workers keep files
	Scans  atomic.Int64            // file scans that tasks have begun
	Before func(q engine.Query)    // called when a query begins
}

var _ engine.Keeper = (*Runner)(nil)

// Usable implements engine.Keeper.
func (r *Runner) Usable(worker string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Contains(r.names, worker)
}

// Forget implements engine.Keeper.
func (r *Runner) Forget(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, name := range r.names {
		r.frames[name].Forget(id)
	}
}

// Kill has the worker in a slot die, and another come in its place. What it kept is gone.
func (r *Runner) Kill(slot int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.frames[r.names[slot]].Close()
	r.names[slot] += "'"
	r.come(r.names[slot])
}

func (r *Runner) come(name string) {
	s, err := cache.NewStore(filepath.Join(r.cached, name), r.Pool)
	if err != nil {
		panic(err)
	}
	r.frames[name] = s
}

// Kept is what all workers keep.
func (r *Runner) Kept() (t cache.Stats) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, name := range r.names {
		s := r.frames[name].Stats()
		t.Blocks, t.Rows, t.Memory, t.Disk = t.Blocks+s.Blocks, t.Rows+s.Rows, t.Memory+s.Memory, t.Disk+s.Disk
	}
	return t
}

// worker is where a task runs: where it is bound to, or by its number.
func (r *Runner) worker(s *planpb.Stage, task int) (string, *cache.Store, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	name := r.names[task%len(r.names)]
	if task < len(s.TaskInputs) && s.TaskInputs[task].Worker != "" {
		if name = s.TaskInputs[task].Worker; !slices.Contains(r.names, name) {
			return "", nil, errs.Newf(errs.Lost, "worker %s is gone", name)
		}
	}
	return name, r.frames[name], nil
}

// NewRunner makes a runner of so many slots whose tasks together may reserve so many bytes.
func NewRunner(t testing.TB, slots int, staged bool, bytes int64) *Runner {
	pool := memory.NewPool("test", bytes)
	files := filepath.Join(t.TempDir(), "shuffle")
	store, err := shuffle.NewStore(files, pool)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(store.Close)
	r := &Runner{Files: files, cached: t.TempDir(), frames: map[string]*cache.Store{}, slots: slots, staged: staged, Pool: pool, Store: store, client: shuffle.NewClient(store, "here"),
		tables: worker.DefaultTables(bytes)}
	for i := range slots {
		r.names = append(r.names, fmt.Sprint("w", i))
		r.come(r.names[i])
	}
	return r
}

// Slots implements engine.Runner.
func (r *Runner) Slots() int { return r.slots }

// Run implements engine.Runner.
func (r *Runner) Run(ctx context.Context, q engine.Query) (engine.Rows, error) {
	run := &running{r: r, q: q, id: fmt.Sprint("query-", r.last.Add(1)), staged: r.staged || !q.Pipelined, stages: map[uint32]*planpb.Stage{},
		outputs: map[uint32][]adaptive.Output{}, adapted: map[uint32]*adaptive.Decision{}}
	if r.Before != nil {
		r.Before(q)
	}
	run.ctx, run.cancel = context.WithCancelCause(ctx)
	last := q.Stages[len(q.Stages)-1]
	for _, s := range q.Stages {
		run.stages[s.Id] = s
		run.setTasks(s, int(max(s.Tasks, 1)))
	}
	if run.staged {
		for _, s := range q.Stages { // inputs come first
			run.adapt(s)
			run.start(s)
			run.tasks.Wait()
		}
	} else {
		for _, s := range q.Stages {
			run.start(s)
		}
	}
	run.final = shuffle.Singles(run.inputs(last.Id, last.Root.Output, 0))
	return run, nil
}

// running is a query's tasks and what is read of its result.
type running struct {
	r       *Runner
	q       engine.Query
	id      string
	staged  bool
	stages  map[uint32]*planpb.Stage
	outputs map[uint32][]adaptive.Output // of the stages' tasks
	adapted map[uint32]*adaptive.Decision
	ctx     context.Context
	cancel  context.CancelCauseFunc
	tasks   sync.WaitGroup
	final   []operators.Operator // one for each task of the last stage

	mu        sync.Mutex
	metrics   session.Metrics
	operators map[uint32]*operators.OperatorMetrics
	opened    bool     // the first of final
	placed    []string // workers of the last stage's tasks
}

// Worker implements engine.Placed.
func (q *running) Worker(task int) string { return q.placed[task] }

// setTasks says how many tasks a stage has, before any of them runs.
func (q *running) setTasks(s *planpb.Stage, n int) {
	q.outputs[s.Id] = make([]adaptive.Output, n)
	if s == q.q.Stages[len(q.q.Stages)-1] {
		q.placed = make([]string, n)
	}
}

// adapt cuts the tasks of a stage anew whose inputs have ended, as the scheduler would.
func (q *running) adapt(s *planpb.Stage) {
	rule := adaptive.RuleOf(s.Adaptive)
	if rule == nil || q.ctx.Err() != nil {
		return
	}
	if d := adaptive.Cut(rule, int(s.Tasks), q.r.slots, func(stage uint32) []adaptive.Output { return q.outputs[stage] }); d != nil {
		q.adapted[s.Id] = d
		q.setTasks(s, len(d.Slices))
	}
}

func (q *running) start(s *planpb.Stage) {
	for task := range q.outputs[s.Id] {
		q.tasks.Go(func() {
			if err := q.task(s, task); err != nil {
				q.cancel(err)
			}
		})
	}
}

// task runs one task to its end.
func (q *running) task(s *planpb.Stage, task int) (err error) {
	if q.ctx.Err() != nil {
		return q.ctx.Err()
	}
	pool := q.r.Pool.Child("task", 0)
	defer pool.Close()
	dir, err := q.r.Store.TempDir(q.id)
	if err != nil {
		return err
	}
	metrics := &operators.Metrics{ByOperator: map[uint32]*operators.OperatorMetrics{}}
	defer func() {
		q.addOperators(metrics)
		for _, m := range metrics.ByOperator {
			q.r.Spilled.Add(m.SpilledBytes)
			q.addStreaming(m)
		}
	}()
	ctx := &operators.Ctx{Ctx: expr.Ctx{Context: q.ctx, Settings: q.q.Settings, Partition: task}, Memory: pool, TempDir: dir, Metrics: metrics}
	columns := planconv.Columns(s.Root.Output)
	part, err := shuffle.NewPartitioner(s.Partitioning, columns, q.q.Settings, task)
	if err != nil {
		return err
	}
	w, err := q.r.Store.Create(q.ref(s.Id, task), shuffle.Spec{Partitions: part.Partitions(), Types: columns, Filed: q.staged, Readers: shuffle.Readers(q.q.Stages)[s.Id],
		Broadcast: s.Partitioning.GetKind() == planpb.Partitioning_BROADCAST})
	if err != nil {
		return err
	}
	at, frames, err := q.r.worker(s, task)
	if err != nil {
		return err
	}
	if s == q.q.Stages[len(q.q.Stages)-1] {
		q.placed[task] = at
	}
	if task < len(s.TaskInputs) && s.TaskInputs[task].Skip {
		return w.Finish()
	}
	root, err := operators.Build(s.Root, q.env(s, task, frames))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	if err := root.Open(ctx); err != nil {
		return err
	}
	if err := shuffle.Sink(ctx, root, part, w); err != nil {
		return err
	}
	did := w.Stats()
	q.outputs[s.Id][task] = adaptive.Output{Partitions: did.Partitions, Memory: did.Memory}
	return w.Finish()
}

func (q *running) ref(stage uint32, task int) shuffle.Ref {
	return shuffle.Ref{Query: q.id, Stage: stage, Task: task, Attempt: 1}
}

func (q *running) env(s *planpb.Stage, task int, frames *cache.Store) operators.Env {
	env := operators.Env{Settings: q.q.Settings, State: q.r.States}
	env.FileScan = func(op *planpb.Operator, scan *planpb.FileScan) (operators.Operator, error) {
		var splits []*planpb.FileSplit
		if task < len(s.TaskInputs) {
			splits = s.TaskInputs[task].Splits[op.Id].GetSplits()
		}
		q.r.Scans.Add(1)
		return q.r.tables.Scan(op, scan, splits, q.q.Settings)
	}
	env.FileSink = func(op *planpb.Operator, sink *planpb.FileSink, input operators.Operator) (operators.Operator, error) {
		return q.r.tables.Sink(op, sink, input, q.q.Settings)
	}
	env.CacheScan = func(op *planpb.Operator, scan *planpb.CacheScan) (operators.Operator, error) {
		return cache.NewScan(frames, scan, planconv.Columns(op.Output), s.TaskInputs[task].Blocks[op.Id].GetBlocks()), nil
	}
	env.CacheSink = func(_ *planpb.Operator, sink *planpb.CacheSink, input operators.Operator) (operators.Operator, error) {
		return cache.NewSink(frames, sink, input, task, 1), nil
	}
	env.ExchangeSource = func(op *planpb.Operator, source *planpb.ExchangeSource) ([]operators.Operator, error) {
		in := q.inputs(source.Stage, op.Output, task)
		if d := q.adapted[s.Id]; d != nil && slices.Contains(s.Adaptive.Inputs, source.Stage) {
			in.Cut(d.Slices[task].PB(), source.Stage)
		}
		if len(source.Merge) > 0 {
			return shuffle.Singles(in), nil
		}
		return []operators.Operator{shuffle.NewSource(in)}, nil
	}
	return env
}

// inputs are the outputs of a stage's tasks, as the given task of a later stage reads them.
func (q *running) inputs(stage uint32, output []*planpb.Column, task int) shuffle.Inputs {
	s := q.stages[stage]
	in := shuffle.Inputs{Client: q.r.client, Wait: !q.staged, Types: planconv.Columns(output), Partition: task}
	switch s.Partitioning.GetKind() {
	case planpb.Partitioning_SINGLE, planpb.Partitioning_BROADCAST:
		in.Partition = 0
	}
	for k := range q.outputs[stage] {
		in.Locations = append(in.Locations, shuffle.Location{Address: "here", Output: q.ref(stage, k)})
	}
	return in
}

// Next implements engine.Rows: the outputs of the last stage's tasks, one after the other.
func (q *running) Next(context.Context) (*vector.Batch, error) {
	for {
		if q.ctx.Err() != nil {
			return nil, context.Cause(q.ctx)
		}
		if len(q.final) == 0 {
			q.tasks.Wait()
			return nil, context.Cause(q.ctx)
		}
		b, err := q.read()
		if q.ctx.Err() != nil {
			return nil, context.Cause(q.ctx)
		}
		if b != nil || err != nil {
			return b, err
		}
		if err := q.final[0].Close(); err != nil {
			return nil, err
		}
		q.final, q.opened = q.final[1:], false
	}
}

func (q *running) read() (*vector.Batch, error) {
	if !q.opened {
		if err := q.final[0].Open(&operators.Ctx{Ctx: expr.Ctx{Context: q.ctx, Settings: q.q.Settings}}); err != nil {
			return nil, err
		}
		q.opened = true
	}
	return q.final[0].Next()
}

// Metrics implements engine.Rows.
func (q *running) Metrics() session.Metrics {
	q.mu.Lock()
	defer q.mu.Unlock()
	m := q.metrics
	m.Operators, m.Told = engine.OperatorMetrics(q.operators), engine.Told(q.operators)
	m.Adapted = map[uint32]string{}
	for stage, d := range q.adapted {
		m.Adapted[stage] = d.String()
	}
	return m
}

// addOperators adds what a task's operators did.
func (q *running) addOperators(m *operators.Metrics) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.operators == nil {
		q.operators = map[uint32]*operators.OperatorMetrics{}
	}
	wire.AddMetrics(q.operators, &workerpb.TaskReport{Operators: wire.Metrics(m)})
}

// addStreaming adds what a task's operator says of a streaming state, as if there were one operator.
func (q *running) addStreaming(m *operators.OperatorMetrics) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if s := m.State; s != nil {
		if q.metrics.States == nil {
			q.metrics.States = make([]session.StateMetrics, 1)
		}
		sum := &q.metrics.States[0]
		sum.Rows, sum.Bytes, sum.Updated, sum.Removed = sum.Rows+s.Rows, sum.Bytes+s.Bytes, sum.Updated+s.Updated, sum.Removed+s.Removed
		sum.Late, sum.Reloads, sum.Stores = sum.Late+s.Late, sum.Reloads+s.Reloads, sum.Stores+s.Stores
	}
	if e := m.EventTime; e != nil {
		if q.metrics.EventTimes == nil {
			q.metrics.EventTimes = []session.EventTime{{Max: e.Max, Min: e.Min}}
		}
		sum := &q.metrics.EventTimes[0]
		sum.Count, sum.Max, sum.Min = sum.Count+e.Count, max(sum.Max, e.Max), min(sum.Min, e.Min)
	}
}

// Close implements engine.Rows.
func (q *running) Close() error {
	q.cancel(errs.Newf(errs.Cancelled, "closed"))
	q.tasks.Wait()
	if q.opened {
		q.final[0].Close()
	}
	q.r.Store.Release(q.id)
	return nil
}
