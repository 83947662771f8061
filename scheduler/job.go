package scheduler

import (
	"time"

	"millrace/errs"
	"millrace/scheduler/adaptive"
)

type taskState uint8

const (
	pending taskState = iota
	running
	done
)

type task struct {
	stage    *stage
	index    int
	state    taskState
	attempt  int // of the last launch
	worker   *worker
	failures int
	losses   int
	gone     bool // done, and the output cannot be read any more
	started  bool // final stage: rows were handed out
	read     bool // final stage: all rows were handed out
	output   *adaptive.Output
}

// home is the one worker where the task can run, or empty.
func (t *task) home() string {
	if t.index < len(t.stage.bound) {
		return t.stage.bound[t.index]
	}
	return ""
}

func (t *task) ref() Ref { return Ref{t.stage.job.id, t.stage.id, t.index, t.attempt} }

type stage struct {
	job           *job
	id            uint32
	tasks         []task
	inputs        []*stage
	readers       []*stage
	indeterminate bool
	prefer        [][]string
	bound         []string
	adapt         *adaptive.Rule   // until it was applied
	slices        []adaptive.Slice // by task, where it has changed the tasks
	measured      bool             // a reader wants to know the outputs' sizes

	missing int      // tasks that are not done
	gone    int      // done tasks whose output is gone
	queue   []int    // pending tasks, first launched last
	outputs []Output // by task, made when the stage is whole
}

// needed reports whether somebody will still read the stage's outputs.
func (s *stage) needed() bool {
	if len(s.readers) == 0 {
		return true // by the driver, task by task: see task.read
	}
	for _, r := range s.readers {
		if r.missing > 0 {
			return true
		}
	}
	return false
}

// ready reports whether the inputs are whole.
func (s *stage) ready() bool {
	for _, in := range s.inputs {
		if in.missing > 0 {
			return false
		}
	}
	return true
}

// locations is where the outputs of a whole stage lie.
func (s *stage) locations() []Output {
	if s.outputs == nil {
		s.outputs = make([]Output, len(s.tasks))
		for i := range s.tasks {
			t := &s.tasks[i]
			s.outputs[i] = Output{t.worker.name, t.attempt}
		}
	}
	return s.outputs
}

type job struct {
	id      string
	mode    Mode
	stages  []*stage // inputs before readers
	byID    map[uint32]*stage
	final   *stage
	unread  int  // final tasks whose rows are not all handed out
	queued  bool // in the scheduler's ring
	parked  bool // among the scheduler's parked jobs
	waiting bool // said to wait for a worker
	since   time.Duration

	// Pipelined jobs only.
	attempt  int
	launched bool
	counted  bool
	failures int
	losses   int
	until    time.Duration // held back until then, if not 0
}

// hasWork reports whether the job cannot go on without a worker that takes new tasks.
func (j *job) hasWork() bool {
	if j.mode == Pipelined {
		return !j.launched
	}
	for _, st := range j.stages {
		if len(st.queue) > 0 {
			return true
		}
	}
	return false
}

// setTasks gives a stage its tasks, all of them pending.
func (s *stage) setTasks(n int) {
	s.tasks, s.queue, s.missing = make([]task, n), make([]int, n), n
	for i := range s.tasks {
		s.tasks[i] = task{stage: s, index: i}
		s.queue[n-1-i] = i
	}
}

// newJob checks the graph of stages and puts it in order.
func newJob(j Job) (*job, error) {
	n := &job{id: j.ID, mode: j.Mode, counted: j.Counted, byID: make(map[uint32]*stage, len(j.Stages))}
	defs := make(map[uint32]*Stage, len(j.Stages))
	for i := range j.Stages {
		d := &j.Stages[i]
		if defs[d.ID] != nil || d.Tasks < 1 {
			return nil, errs.Newf(errs.Internal, "job %s: stage %d is there twice or has no task", j.ID, d.ID)
		}
		defs[d.ID] = d
	}
	open := map[uint32]bool{}
	for i := range j.Stages {
		if err := n.add(j.Stages[i].ID, defs, open); err != nil {
			return nil, err
		}
	}
	for _, s := range n.stages {
		if len(s.readers) > 0 {
			continue
		}
		if n.final != nil {
			return nil, errs.Newf(errs.Internal, "job %s: stages %d and %d are both final", j.ID, n.final.id, s.id)
		}
		n.final = s
	}
	if n.final == nil {
		return nil, errs.Newf(errs.Internal, "job %s has no stage", j.ID)
	}
	n.unread = len(n.final.tasks)
	return n, nil
}

// add adds a stage after its inputs; open holds the stages on the way, to find cycles.
func (j *job) add(id uint32, defs map[uint32]*Stage, open map[uint32]bool) error {
	d := defs[id]
	switch {
	case j.byID[id] != nil:
		return nil
	case d == nil:
		return errs.Newf(errs.Internal, "job %s: stage %d is read and not there", j.id, id)
	case open[id]:
		return errs.Newf(errs.Internal, "job %s: stage %d reads itself", j.id, id)
	}
	open[id] = true
	s := &stage{job: j, id: id, indeterminate: d.Indeterminate, prefer: d.Prefer, bound: d.Bound}
	if j.mode == Staged && len(d.Bound) == 0 && len(d.Inputs) > 0 {
		s.adapt = d.Adapt
	}
	for _, in := range d.Inputs {
		if err := j.add(in, defs, open); err != nil {
			return err
		}
		s.inputs = append(s.inputs, j.byID[in])
		j.byID[in].readers = append(j.byID[in].readers, s)
		j.byID[in].measured = j.byID[in].measured || s.adapt != nil
	}
	s.setTasks(d.Tasks)
	j.byID[id] = s
	j.stages = append(j.stages, s)
	return nil
}
