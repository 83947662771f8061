package driver

import (
	"slices"
	"time"

	"millrace/errs"
	"millrace/operators"
	planpb "millrace/proto/millrace/plan/v1"
	workerpb "millrace/proto/millrace/worker/v1"
	"millrace/scheduler"
	"millrace/scheduler/adaptive"
	"millrace/shuffle/wire"
)

// kept is how many ended queries the driver still tells of at least.
const kept = 512

// StageProgress is how far a stage is.
type StageProgress struct {
	ID                   uint32
	Tasks, Done, Running int
	Retries              int                // launches beyond the first of each task
	Rows, Bytes          int64              // of the outputs so far
	Nanos                int64              // that its finished tasks ran, added up
	MemoryPeak           int64              // of the finished task that took most
	Adapted              *adaptive.Decision // to have other tasks than planned
}

// Record is what the driver tells of a query that runs or has ended lately.
type Record struct {
	ID        string
	Note      any // the Query's
	Pipelined bool
	Started   time.Time
	Ended     time.Time // zero while it runs
	Err       error     // why it ended, nil for success
	Waiting   string    // why it does not go on, if so
	Stages    []StageProgress
	// Operators are the counters of all finished tasks, by operator. They are shared: not to be changed.
	Operators map[uint32]*operators.OperatorMetrics
}

// launches counts what was sent to workers: by stage and task, how often, and whether the last of them is still out.
type launches struct {
	times []uint16
	out   []bool
}

func newLaunches(stages []*planpb.Stage) map[uint32]launches {
	all := make(map[uint32]launches, len(stages))
	for _, s := range stages {
		n := max(s.Tasks, 1)
		all[s.Id] = launches{make([]uint16, n), make([]bool, n)}
	}
	return all
}

// launched notes that a task is on its way to a worker.
func (q *query) launched(ref scheduler.Ref) {
	if l := q.launches[ref.Stage]; ref.Task < len(l.out) {
		l.times[ref.Task]++
		l.out[ref.Task] = true
	}
}

// landed notes that a task runs no more.
func (q *query) landed(ref scheduler.Ref) {
	if l := q.launches[ref.Stage]; ref.Task < len(l.out) {
		l.out[ref.Task] = false
	}
}

// stageProgress is how far the stages are; the driver's lock is held.
func (q *query) stageProgress() []StageProgress {
	stages := make([]StageProgress, 0, len(q.def.Stages))
	for _, s := range q.def.Stages {
		p := StageProgress{ID: s.Id, Tasks: len(q.reports[s.Id]), Adapted: q.adapted[s.Id]}
		l := q.launches[s.Id]
		for i, report := range q.reports[s.Id] {
			p.add(report)
			p.Retries += max(int(l.times[i])-1, 0)
			if l.out[i] && q.ended.IsZero() {
				p.Running++
			}
		}
		stages = append(stages, p)
	}
	return stages
}

func (p *StageProgress) add(report *workerpb.TaskReport) {
	if report == nil {
		return
	}
	p.Done++
	p.Rows += report.Rows
	p.Bytes += report.Bytes
	p.Nanos += report.Nanos
	p.MemoryPeak = max(p.MemoryPeak, report.MemoryPeak)
}

// metrics adds up what the tasks have reported by operator; the driver's lock is held.
func (q *query) metrics() map[uint32]*operators.OperatorMetrics {
	sum := map[uint32]*operators.OperatorMetrics{}
	for _, list := range q.reports {
		for _, report := range list {
			wire.AddMetrics(sum, report)
		}
	}
	return sum
}

// record is the query as it stands, without its operators' counters; the driver's lock is held.
func (q *query) record() Record {
	r := Record{ID: q.def.ID, Note: q.def.Note, Pipelined: q.mode == scheduler.Pipelined, Started: q.started, Ended: q.ended, Err: q.err,
		Stages: q.stageProgress()}
	if w := q.waiting.Load(); w != nil {
		r.Waiting = *w
	}
	return r
}

// keep remembers a query that has ended, without what it was made of.
func (d *Driver) keep(q *query) {
	r := q.record()
	r.Operators = q.metrics()
	d.ended = append(d.ended, r)
	if len(d.ended) >= 2*kept {
		d.ended = append([]Record(nil), d.ended[len(d.ended)-kept:]...)
	}
}

// Records lists the queries that run, by their start, and those that have ended lately, newest first.
func (d *Driver) Records() (running, ended []Record) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, q := range d.queries {
		running = append(running, q.record())
	}
	slices.SortFunc(running, func(a, b Record) int { return a.Started.Compare(b.Started) })
	ended = slices.Clone(d.ended)
	slices.Reverse(ended)
	return running, ended
}

// Record tells of one query, with its operators' counters so far.
func (d *Driver) Record(id string) (Record, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if q := d.queries[id]; q != nil {
		r := q.record()
		r.Operators = q.metrics()
		return r, true
	}
	for _, r := range d.ended {
		if r.ID == id {
			return r, true
		}
	}
	return Record{}, false
}

// Cancel ends a query if it runs, and reports whether it does.
func (d *Driver) Cancel(id string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.queries[id] == nil {
		return false
	}
	d.applyLocked(scheduler.Cancel{Job: id, Err: errs.New("OPERATION_CANCELED")})
	return true
}
