package worker

import (
	"context"
	"errors"
	"log/slog"
	"runtime/debug"
	"slices"
	"sync/atomic"
	"time"

	"millrace/cache"
	"millrace/errs"
	"millrace/memory"
	"millrace/operators"
	"millrace/operators/expr"
	"millrace/planconv"
	planpb "millrace/proto/millrace/plan/v1"
	workerpb "millrace/proto/millrace/worker/v1"
	"millrace/python"
	"millrace/shuffle"
	"millrace/shuffle/wire"
	"millrace/state"
)

// Tables makes the operators that read and write files; one that is nil refuses its operator.
type Tables struct {
	Scan func(op *planpb.Operator, scan *planpb.FileScan, splits []*planpb.FileSplit, s *planpb.Settings) (operators.Operator, error)
	Sink func(op *planpb.Operator, sink *planpb.FileSink, input operators.Operator, s *planpb.Settings) (operators.Operator, error)
}

// Runtime runs tasks.
type Runtime struct {
	ID      string
	Version string
	Slots   int
	Pool    *memory.Pool
	Store   *shuffle.Store
	Cache   *cache.Store
	Client  *shuffle.Client
	Tables  Tables
	States  *state.Provider
	Python  *python.Pool // nil: functions of Python are refused
	Log     *slog.Logger

	streams  atomic.Int64 // coordinators that control this worker
	running  atomic.Int64
	draining atomic.Bool
	drain    chan struct{} // closed when draining begins
}

// task is an attempt that runs.
type task struct {
	q      *queryState
	stage  *planpb.Stage
	ref    shuffle.Ref
	launch *workerpb.Launch
	ctx    context.Context
	cancel context.CancelFunc
}

// closeStates ends the copies of streaming states once no task uses them any more.
func (r *Runtime) closeStates() {
	for end := time.Now().Add(5 * time.Second); r.running.Load() > 0 && time.Now().Before(end); {
		time.Sleep(10 * time.Millisecond)
	}
	if r.running.Load() == 0 {
		r.States.Close()
	}
}

// run runs a task to its end. A panic is an error.
func (r *Runtime) run(t *task) (report *workerpb.TaskReport, err error) {
	begin := time.Now()
	pool := r.Pool.Child("task", 0)
	metrics := &operators.Metrics{ByOperator: map[uint32]*operators.OperatorMetrics{}}
	r.running.Add(1)
	defer func() {
		r.running.Add(-1)
		if p := recover(); p != nil {
			err = errs.Newf(errs.Internal, "a task panicked: %v\n%s", p, debug.Stack())
			r.Log.Error("task panicked", "query", t.ref.Query, "stage", t.ref.Stage, "task", t.ref.Task, "panic", p, "stack", string(debug.Stack()))
		}
		if report == nil {
			report = &workerpb.TaskReport{}
		}
		report.Nanos, report.MemoryPeak = time.Since(begin).Nanoseconds(), pool.Peak()
		report.Operators = wire.Metrics(metrics)
		pool.Close()
	}()
	dir, err := r.Store.TempDir(t.ref.Query)
	if err != nil {
		return nil, err
	}
	ctx := &operators.Ctx{Ctx: expr.Ctx{Context: t.ctx, Settings: t.q.prepare.Settings, Partition: t.ref.Task}, Memory: pool, TempDir: dir, Metrics: metrics}
	return r.pull(ctx, t)
}

// pull makes the task's output, its operators and its partitioner, and runs them.
func (r *Runtime) pull(ctx *operators.Ctx, t *task) (*workerpb.TaskReport, error) {
	p, columns := t.stage.Partitioning, planconv.Columns(t.stage.Root.Output)
	part, err := shuffle.NewPartitioner(p, columns, t.q.prepare.Settings, t.ref.Task)
	if err != nil {
		return nil, err
	}
	w, err := r.Store.Create(t.ref, shuffle.Spec{Partitions: part.Partitions(), Types: columns, Filed: t.q.prepare.Staged, Readers: t.q.readers[t.ref.Stage],
		Broadcast: p.GetKind() == planpb.Partitioning_BROADCAST})
	if err != nil {
		return nil, err
	}
	finished := false
	defer func() {
		if !finished {
			w.Abort()
		}
	}()
	if !t.launch.Splits.GetSkip() {
		root, err := operators.Build(t.stage.Root, r.env(t))
		if err != nil {
			return nil, err
		}
		if err := sink(ctx, root, part, w); err != nil {
			return nil, err
		}
	}
	if err := w.Finish(); err != nil {
		return nil, err
	}
	finished = true
	did := w.Stats()
	return &workerpb.TaskReport{Rows: did.Rows, Bytes: did.Bytes, MemoryBytes: did.Memory, PartitionBytes: did.Partitions}, nil
}

// sink opens, drains and closes an operator tree, also when it panics.
func sink(ctx *operators.Ctx, root operators.Operator, part *shuffle.Partitioner, w shuffle.Writer) (err error) {
	defer func() { err = errors.Join(err, root.Close()) }()
	if err := root.Open(ctx); err != nil {
		return err
	}
	return shuffle.Sink(ctx, root, part, w)
}

func (r *Runtime) env(t *task) operators.Env {
	settings := t.q.prepare.Settings
	env := operators.Env{Settings: settings, State: r.States}
	if r.Tables.Scan != nil {
		env.FileScan = func(op *planpb.Operator, scan *planpb.FileScan) (operators.Operator, error) {
			return r.Tables.Scan(op, scan, t.launch.Splits.GetSplits()[op.Id].GetSplits(), settings)
		}
	}
	if r.Tables.Sink != nil {
		env.FileSink = func(op *planpb.Operator, sink *planpb.FileSink, input operators.Operator) (operators.Operator, error) {
			return r.Tables.Sink(op, sink, input, settings)
		}
	}
	if r.Cache != nil {
		env.CacheScan = func(op *planpb.Operator, scan *planpb.CacheScan) (operators.Operator, error) {
			return cache.NewScan(r.Cache, scan, planconv.Columns(op.Output), t.launch.Splits.GetBlocks()[op.Id].GetBlocks()), nil
		}
		env.CacheSink = func(_ *planpb.Operator, sink *planpb.CacheSink, input operators.Operator) (operators.Operator, error) {
			return cache.NewSink(r.Cache, sink, input, t.ref.Task, t.ref.Attempt), nil
		}
	}
	if r.Python != nil {
		env.Python = func(ctx context.Context, p *planpb.Python) (operators.PythonTask, error) {
			return r.pythonTask(ctx, t, p)
		}
	}
	env.ExchangeSource = func(op *planpb.Operator, source *planpb.ExchangeSource) ([]operators.Operator, error) {
		in, err := r.inputs(t, source.Stage, op.Output)
		switch {
		case err != nil:
			return nil, err
		case len(source.Merge) > 0:
			return shuffle.Singles(in), nil
		}
		return []operators.Operator{shuffle.NewSource(in)}, nil
	}
	return env
}

// inputs are where the outputs of a stage lie, and the partition that is the task's.
func (r *Runtime) inputs(t *task, stage uint32, output []*planpb.Column) (shuffle.Inputs, error) {
	in := shuffle.Inputs{Client: r.Client, Wait: !t.q.prepare.Staged, Types: planconv.Columns(output), Partition: t.ref.Task}
	from := t.q.stages[stage]
	if from == nil {
		return in, errs.Newf(errs.Internal, "stage %d reads stage %d, which is not in the query", t.ref.Stage, stage)
	}
	switch from.Partitioning.GetKind() {
	case planpb.Partitioning_SINGLE, planpb.Partitioning_BROADCAST:
		in.Partition = 0
	}
	for _, id := range t.launch.Inputs {
		l := t.q.location(id)
		if l == nil || l.Stage != stage {
			continue
		}
		for k, at := range l.At {
			in.Locations = append(in.Locations, shuffle.Location{Address: l.Addresses[at],
				Output: shuffle.Ref{Query: t.ref.Query, Stage: stage, Task: k, Attempt: int(l.Attempts[k])}})
		}
		if s := t.launch.Slice; s != nil && slices.Contains(t.stage.Adaptive.GetInputs(), stage) {
			in.Cut(s, stage)
		}
		return in, nil
	}
	return in, errs.Newf(errs.Internal, "stage %d reads stage %d, and the launch does not say where that is", t.ref.Stage, stage)
}
