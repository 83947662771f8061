package driver

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"millrace/errs"
	"millrace/planconv"
	planpb "millrace/proto/millrace/plan/v1"
	workerpb "millrace/proto/millrace/worker/v1"
	"millrace/scheduler"
	"millrace/scheduler/adaptive"
	"millrace/types"
)

// Query is what Run runs. The final stage is the one that no other reads; the result is the rows of its tasks, in their order.
type Query struct {
	ID       string // unique in the cluster
	Stages   []*planpb.Stage
	Settings *planpb.Settings
	Mode     scheduler.Mode
	Note     any // given back by Records: what the caller wants to know of it later
}

// query is a running Query.
type query struct {
	def      Query
	mode     scheduler.Mode
	stages   map[uint32]*planpb.Stage
	final    *planpb.Stage
	types    []*types.Type
	ctx      context.Context // ends with the query
	cancel   context.CancelFunc
	waiting  atomic.Pointer[string] // why it does not go on
	done     chan struct{}
	err      error // valid once done is closed
	prepare  *workerpb.Command
	prepared map[string]bool // session names

	// Locations that launches share, by the scheduler's slice.
	locations map[*scheduler.Output]*located
	lastID    uint64

	granted map[scheduler.Ref]bool
	reports map[uint32][]*workerpb.TaskReport // by stage and task: of accepted attempts

	launches map[uint32]launches
	adapted  map[uint32]*adaptive.Decision // by stage
	started  time.Time
	ended    time.Time

	mu      sync.Mutex
	ready   []readyOutput // by task of the final stage
	changed chan struct{}
	reads   scheduler.Ref // what the result reads now
	stop    context.CancelFunc
}

type located struct {
	command *workerpb.Command
	id      uint64
	sent    map[string]bool
}

type readyOutput struct {
	ref     scheduler.Ref
	address string
	worker  string // as the scheduler names it
}

func newQuery(ctx context.Context, def Query) (*query, error) {
	q := &query{def: def, mode: def.Mode, stages: map[uint32]*planpb.Stage{}, done: make(chan struct{}), prepared: map[string]bool{},
		locations: map[*scheduler.Output]*located{}, granted: map[scheduler.Ref]bool{}, reports: map[uint32][]*workerpb.TaskReport{},
		launches: newLaunches(def.Stages), adapted: map[uint32]*adaptive.Decision{}, started: time.Now(), changed: make(chan struct{})}
	read := map[uint32]bool{}
	plain := make([]*planpb.Stage, len(def.Stages))
	for i, s := range def.Stages {
		q.stages[s.Id] = s
		q.reports[s.Id] = make([]*workerpb.TaskReport, max(s.Tasks, 1))
		plain[i] = &planpb.Stage{Id: s.Id, Root: s.Root, Partitioning: s.Partitioning, Tasks: s.Tasks, Inputs: s.Inputs, Adaptive: s.Adaptive}
		for _, in := range s.Inputs {
			read[in] = true
		}
	}
	for _, s := range def.Stages {
		if !read[s.Id] {
			q.final = s
		}
	}
	if q.final == nil {
		return nil, errs.Newf(errs.Internal, "query %s has no final stage", def.ID)
	}
	q.types = planconv.Columns(q.final.Root.Output)
	q.ready = make([]readyOutput, max(q.final.Tasks, 1))
	q.prepare = &workerpb.Command{Kind: &workerpb.Command_Prepare{Prepare: &workerpb.Prepare{Query: def.ID, Settings: def.Settings,
		Stages: plain, Staged: def.Mode == scheduler.Staged}}}
	q.ctx, q.cancel = context.WithCancel(ctx)
	return q, nil
}

// counted reports whether an operator's counters are a part of what is asked.
func counted(o *planpb.Operator) bool {
	switch o.Kind.(type) {
	case *planpb.Operator_Observe, *planpb.Operator_Watermark, *planpb.Operator_StatefulAggregate:
		return true
	}
	return slices.ContainsFunc(o.Children, counted)
}

// job is the query as the scheduler sees it.
func (q *query) job(a *affinities) scheduler.Job {
	j := scheduler.Job{ID: q.def.ID, Mode: q.mode}
	for _, s := range q.def.Stages {
		j.Counted = j.Counted || counted(s.Root)
		j.Stages = append(j.Stages, scheduler.Stage{ID: s.Id, Tasks: int(max(s.Tasks, 1)), Inputs: s.Inputs, Indeterminate: s.Indeterminate, Bound: bound(s),
			Prefer: a.prefer(s), Adapt: adaptive.RuleOf(s.Adaptive)})
	}
	return j
}

// bound names the workers where alone the tasks of a stage can run; nil where all can run anywhere.
func bound(s *planpb.Stage) []string {
	var list []string
	for i, t := range s.TaskInputs {
		if t.Worker != "" && list == nil {
			list = make([]string, len(s.TaskInputs))
		}
		if t.Worker != "" {
			list[i] = t.Worker
		}
	}
	return list
}

// adapt takes over other tasks for a stage that has not begun.
func (q *query) adapt(x scheduler.Adapted) {
	n := len(x.Decision.Slices)
	q.adapted[x.Stage] = x.Decision
	q.reports[x.Stage] = make([]*workerpb.TaskReport, n)
	q.launches[x.Stage] = launches{make([]uint16, n), make([]bool, n)}
	if x.Stage == q.final.Id {
		q.mu.Lock()
		q.ready = make([]readyOutput, n)
		q.mu.Unlock()
	}
}

// setReady notes where an output of the final stage can be read.
func (q *query) setReady(ref scheduler.Ref, worker, address string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.ready[ref.Task] = readyOutput{ref, address, worker}
	if q.stop != nil && q.reads.Task == ref.Task && q.reads.Attempt < ref.Attempt {
		q.stop()
	}
	close(q.changed)
	q.changed = make(chan struct{})
}

// reading is the context for reading an output; it ends when a later attempt replaces it.
func (q *query) reading(ref scheduler.Ref) (context.Context, context.CancelFunc) {
	q.mu.Lock()
	defer q.mu.Unlock()
	ctx, cancel := context.WithCancel(q.ctx)
	q.reads, q.stop = ref, cancel
	if q.ready[ref.Task].ref != ref {
		cancel()
	}
	return ctx, cancel
}

// finals is how many tasks the final stage has. It may change until the first output can be read.
func (q *query) finals() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.ready)
}

// awaitReady waits until the output of a final task, other than the given attempt, can be read.
func (q *query) awaitReady(task, not int) (readyOutput, error) {
	for {
		q.mu.Lock()
		r, changed := q.ready[task], q.changed
		q.mu.Unlock()
		if r.ref.Attempt > not {
			return r, nil
		}
		select {
		case <-changed:
		case <-q.ctx.Done():
			return r, q.ctx.Err()
		}
	}
}

func (q *query) report(ref scheduler.Ref, r *workerpb.TaskReport) {
	if list := q.reports[ref.Stage]; ref.Task < len(list) {
		list[ref.Task] = r
	}
}

// finish ends the query with its outcome.
func (q *query) finish(err error) {
	q.err, q.ended = err, time.Now()
	close(q.done)
	q.waiting.Store(nil)
	if err != nil {
		q.cancel()
	}
}

// launch sends a task to its worker, after what the worker has to know before.
func (d *Driver) launch(l scheduler.Launch) {
	q, s := d.queries[l.Ref.Job], d.sessions[l.Worker]
	if q == nil || s == nil {
		return
	}
	if !q.prepared[s.name] {
		q.prepared[s.name] = true
		s.send(q.prepare)
	}
	c := &workerpb.Launch{Ref: refOf(l.Ref).PB()}
	for _, in := range l.Inputs {
		at := q.locate(d, in)
		if !at.sent[s.name] {
			at.sent[s.name] = true
			s.send(at.command)
		}
		c.Inputs = append(c.Inputs, at.id)
	}
	if splits := q.stages[l.Ref.Stage].TaskInputs; l.Ref.Task < len(splits) {
		c.Splits = splits[l.Ref.Task]
	}
	if l.Slice != nil {
		c.Slice = l.Slice.PB()
	}
	q.waiting.Store(nil)
	q.launched(l.Ref)
	s.send(&workerpb.Command{Kind: &workerpb.Command_Launch{Launch: c}})
}

// locate makes the message of where a stage's outputs lie, once for all launches.
func (q *query) locate(d *Driver, in scheduler.Input) *located {
	if at := q.locations[&in.Outputs[0]]; at != nil {
		return at
	}
	q.lastID++
	m := &workerpb.Locations{Query: q.def.ID, Id: q.lastID, Stage: in.Stage}
	index := map[string]uint32{}
	for _, o := range in.Outputs {
		k, ok := index[o.Worker]
		if !ok {
			k = uint32(len(m.Addresses))
			index[o.Worker] = k
			m.Addresses = append(m.Addresses, d.address(o.Worker))
		}
		m.At = append(m.At, k)
		m.Attempts = append(m.Attempts, uint32(o.Attempt))
	}
	at := &located{&workerpb.Command{Kind: &workerpb.Command_Locations{Locations: m}}, q.lastID, map[string]bool{}}
	q.locations[&in.Outputs[0]] = at
	return at
}

// Run starts a query. Cancelling ctx cancels it, also after Run has returned.
func (d *Driver) Run(ctx context.Context, def Query) (*Result, error) {
	q, err := newQuery(ctx, def)
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	if d.queries[def.ID] != nil || d.ctx.Err() != nil {
		d.mu.Unlock()
		q.cancel()
		return nil, errs.Newf(errs.Internal, "query %s is running already, or the coordinator is shutting down", def.ID)
	}
	d.queries[def.ID] = q
	// The time first: what a job waits counts from its submission, not from the tick before it.
	d.applyLocked(scheduler.Tick{Now: time.Since(d.begin)}, scheduler.JobSubmitted{Job: q.job(&d.states)})
	d.mu.Unlock()
	stop := context.AfterFunc(ctx, func() {
		d.apply(scheduler.Cancel{Job: def.ID, Err: errs.Newf(errs.Cancelled, "%v", context.Cause(ctx))})
	})
	return newResult(d, q, stop), nil
}
