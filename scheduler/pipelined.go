package scheduler

import (
	"time"

	"millrace/errs"
)

// launchGang starts all tasks of a pipelined job. Task i of every stage goes to the same worker, so that a chain of
// stages with equal numbers of tasks, and all single tasks, hand over batches without the network.
func (s *Scheduler) launchGang(j *job) {
	if j.launched {
		return
	}
	j.launched = true
	j.attempt++
	s.turn++
	for _, st := range j.stages {
		for i := range st.tasks {
			t := &st.tasks[i]
			w := s.gangWorker(t)
			t.state, t.attempt, t.worker = running, j.attempt, w
			w.gang++
		}
		st.outputs, st.missing = nil, len(st.tasks)
	}
	for _, st := range j.stages {
		inputs := make([]Input, len(st.inputs))
		for i, in := range st.inputs {
			inputs[i] = Input{in.id, in.locations()}
		}
		for i := range st.tasks {
			s.emit(Launch{Ref: st.tasks[i].ref(), Worker: st.tasks[i].worker.name, Inputs: inputs})
		}
	}
	for i := range j.final.tasks {
		t := &j.final.tasks[i]
		t.read = false
		s.emit(ResultReady{t.ref(), t.worker.name})
	}
	j.unread = len(j.final.tasks)
}

func (s *Scheduler) gangWorker(t *task) *worker {
	if home := t.home(); home != "" {
		return s.workers[home] // which is there: see stranded
	}
	if t.index < len(t.stage.prefer) {
		for _, name := range t.stage.prefer[t.index] {
			if w := s.workers[name]; w != nil && !w.draining {
				return w
			}
		}
	}
	return s.usable[(s.turn+t.index)%len(s.usable)]
}

// loseGang restarts a gang that needed a dead worker for anything still.
func (s *Scheduler) loseGang(j *job, w *worker) {
	if !j.launched {
		s.resume(j)
		return
	}
	if j.unread == 0 && !j.counted { // the dead worker's last word is missing, and nothing else
		s.end(j)
		s.emit(JobSucceeded{j.id})
		return
	}
	for _, st := range j.stages {
		for i := range st.tasks {
			t := &st.tasks[i]
			if t.worker != w {
				continue
			}
			if t.state == running || !t.read && st.needed() {
				s.restart(j, errs.Lost, lostOutput(t))
				return
			}
		}
	}
}

// holdBack has a gang that lost something wait before it starts again, since the worker that had it may be dead and not known to be: not the
// first time, then longer and longer, and until a worker is known to be lost at the most.
func (s *Scheduler) holdBack(j *job) {
	if j.losses > 0 {
		j.until = s.now + min(100*time.Millisecond<<min(j.losses-1, 10), 2*time.Second)
	}
}

// resume lets a gang that was held back go on.
func (s *Scheduler) resume(j *job) {
	if j.until > 0 {
		j.until = 0
		s.wake(j)
	}
}

// restart runs the whole gang again, unless rows of its result were handed out or it was tried too often.
func (s *Scheduler) restart(j *job, kind errs.Kind, err error) {
	for i := range j.final.tasks {
		if j.final.tasks[i].started {
			s.fail(j, kind, err)
			return
		}
	}
	if !s.charge(j, &j.failures, &j.losses, kind, err) {
		return
	}
	for _, st := range j.stages {
		s.stop(st)
		for i := range st.tasks {
			if t := &st.tasks[i]; t.state == done {
				s.emit(CancelTask{t.ref(), t.worker.name})
				t.state = pending
			}
		}
	}
	j.launched = false
	s.wake(j)
}
