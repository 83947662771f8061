package scheduler

import (
	"time"

	"millrace/errs"
)

// Config bounds what the scheduler tries. Zero fields take the defaults.
type Config struct {
	MaxAttempts int           // failures of one task (of the gang, when pipelined) before the job fails; default 4
	MaxLosses   int           // times that one task or gang may be lost; default 64
	WorkerWait  time.Duration // how long a job waits while there is no worker; default 30 s
}

type worker struct {
	name     string
	slots    int
	used     int // slots taken by staged tasks
	gang     int // pipelined tasks
	draining bool
	dead     bool
	free     int // place in Scheduler.free, or -1
}

// Scheduler is the state machine. It is used by one goroutine at a time.
type Scheduler struct {
	cfg     Config
	now     time.Duration
	workers map[string]*worker
	usable  []*worker // alive and not draining, in order of joining
	free    []*worker // the usable ones with a free slot
	next    int       // place in free where the next search begins
	jobs    map[string]*job
	order   []*job // by submission
	ring    []*job // staged jobs that may have something to launch, next first
	parked  []*job // staged jobs whose tasks are all bound to workers without a free slot
	turn    int    // rotates where gangs begin
	out     []Decision
}

// New makes a scheduler without workers and jobs.
func New(cfg Config) *Scheduler {
	if cfg.MaxAttempts == 0 {
		cfg.MaxAttempts = 4
	}
	if cfg.MaxLosses == 0 {
		cfg.MaxLosses = 64
	}
	if cfg.WorkerWait == 0 {
		cfg.WorkerWait = 30 * time.Second
	}
	return &Scheduler{cfg: cfg, workers: map[string]*worker{}, jobs: map[string]*job{}}
}

// Step takes one event and appends what is to be done about it to out.
func (s *Scheduler) Step(ev Event, out []Decision) []Decision {
	s.out = out
	switch e := ev.(type) {
	case JobSubmitted:
		s.submit(e.Job)
	case WorkerJoined:
		s.join(e)
	case WorkerLost:
		s.lose(e.Worker)
	case WorkerDraining:
		s.drain(e.Worker)
	case TaskFinished:
		s.finished(e)
	case TaskFailed:
		s.failed(e)
	case InputLost:
		s.inputLost(e.Ref)
	case ResultStarted:
		if t := s.current(e.Ref); t != nil && !t.gone {
			t.started = true
			s.emit(ResultGranted(e))
		}
	case ResultRead:
		s.resultRead(e.Ref)
	case Cancel:
		if j := s.jobs[e.Job]; j != nil {
			s.fail(j, errs.Cancelled, e.Err)
		}
	case Tick:
		s.tick(e.Now)
	}
	s.assign()
	out, s.out = s.out, nil
	return out
}

// Jobs is the number of jobs that have not ended.
func (s *Scheduler) Jobs() int { return len(s.order) }

func (s *Scheduler) emit(d Decision) { s.out = append(s.out, d) }

func (s *Scheduler) submit(def Job) {
	if s.jobs[def.ID] != nil {
		return
	}
	j, err := newJob(def)
	if err != nil {
		s.emit(JobFailed{def.ID, errs.KindOf(err), err})
		return
	}
	s.jobs[j.id] = j
	s.order = append(s.order, j)
	s.wake(j)
}

// wake looks for work in a job that may have become able to go on.
func (s *Scheduler) wake(j *job) {
	if !j.hasWork() || s.stranded(j) {
		return
	}
	if len(s.usable) == 0 {
		if !j.waiting {
			j.waiting, j.since = true, s.now
			s.emit(Waiting{j.id, "no worker"})
		}
		return
	}
	j.waiting = false
	if j.mode == Pipelined {
		if s.now >= j.until {
			s.launchGang(j)
		}
		return
	}
	if j.parked {
		s.parked, j.parked = remove(s.parked, j), false
	}
	if !j.queued {
		j.queued = true
		s.ring = append(s.ring, j)
	}
}

func (s *Scheduler) tick(now time.Duration) {
	s.now = max(s.now, now)
	for i := 0; i < len(s.order); i++ {
		j := s.order[i]
		if j.waiting && s.now-j.since >= s.cfg.WorkerWait {
			s.fail(j, errs.Exhausted, errs.New("CLUSTER_NO_WORKER", "timeout", s.cfg.WorkerWait.String()))
			i--
		}
	}
	for _, j := range append([]*job(nil), s.order...) {
		if j.until > 0 && s.now >= j.until {
			s.resume(j)
		}
	}
}

// current is the task of a reference if that attempt is the one that counts, and nil for late and unknown ones.
func (s *Scheduler) current(r Ref) *task {
	j := s.jobs[r.Job]
	if j == nil || j.byID[r.Stage] == nil || r.Task < 0 || r.Task >= len(j.byID[r.Stage].tasks) {
		return nil
	}
	t := &j.byID[r.Stage].tasks[r.Task]
	if t.attempt != r.Attempt || t.state == pending {
		return nil
	}
	return t
}

func (s *Scheduler) finished(e TaskFinished) {
	t := s.current(e.Ref)
	if t == nil || t.state != running {
		return
	}
	s.release(t)
	t.state = done
	st := t.stage
	if st.measured {
		t.output = e.Output
	}
	st.missing--
	j := st.job
	if st == j.final {
		if j.mode == Staged {
			s.emit(ResultReady{t.ref(), t.worker.name})
		}
		s.complete(j)
	} else if st.missing == 0 {
		for _, r := range st.readers {
			s.adapt(r)
		}
		s.wake(j)
	}
}

func (s *Scheduler) resultRead(r Ref) {
	t := s.current(r)
	if t == nil || t.read || t.stage != t.stage.job.final {
		return
	}
	t.started, t.read = true, true
	t.stage.job.unread--
	s.complete(t.stage.job)
}

// complete ends a job whose rows are all handed out.
func (s *Scheduler) complete(j *job) {
	if j.unread == 0 && j.final.missing == 0 {
		s.end(j)
		s.emit(JobSucceeded{j.id})
	}
}

func (s *Scheduler) fail(j *job, kind errs.Kind, err error) {
	s.end(j)
	s.emit(JobFailed{j.id, kind, err})
}

// end forgets a job and stops what still runs for it.
func (s *Scheduler) end(j *job) {
	for _, st := range j.stages {
		s.stop(st)
	}
	delete(s.jobs, j.id)
	s.order = remove(s.order, j)
	if j.queued {
		s.ring = remove(s.ring, j)
	}
	if j.parked {
		s.parked = remove(s.parked, j)
	}
}

// stop cancels a stage's running tasks.
func (s *Scheduler) stop(st *stage) {
	for i := range st.tasks {
		if t := &st.tasks[i]; t.state == running {
			s.emit(CancelTask{t.ref(), t.worker.name})
			s.release(t)
			t.state = pending
		}
	}
}

func remove[T comparable](list []T, v T) []T {
	for i, x := range list {
		if x == v {
			return append(list[:i], list[i+1:]...)
		}
	}
	return list
}
