package scheduler

import "millrace/errs"

// failed takes a report of a failed task: lost ones run again at no charge, faults of the cluster within the budget, and
// mistakes of the user end the job at once.
func (s *Scheduler) failed(e TaskFailed) {
	t := s.current(e.Ref)
	if t == nil || t.state != running {
		return
	}
	j := t.stage.job
	if !again(e.Kind) {
		s.fail(j, e.Kind, e.Err)
		return
	}
	if j.mode == Pipelined {
		if e.Kind == errs.Lost {
			s.holdBack(j)
		}
		s.restart(j, e.Kind, e.Err)
		return
	}
	if !s.charge(j, &t.failures, &t.losses, e.Kind, e.Err) {
		return
	}
	s.release(t)
	s.requeue(t)
	s.wake(j)
}

// again reports whether running the same thing once more may help.
func again(k errs.Kind) bool {
	return k == errs.Lost || k == errs.Transient || k == errs.Exhausted || k == errs.Internal
}

// charge counts a loss or a failure; when there were too many it fails the job and returns false.
func (s *Scheduler) charge(j *job, failures, losses *int, kind errs.Kind, err error) bool {
	count, limit := failures, s.cfg.MaxAttempts
	if kind == errs.Lost {
		count, limit = losses, s.cfg.MaxLosses
	}
	*count++
	if *count < limit {
		return true
	}
	s.fail(j, kind, err)
	return false
}

// requeue makes a task pending; its slot has been given back.
func (s *Scheduler) requeue(t *task) {
	t.state = pending
	t.stage.queue = append(t.stage.queue, t.index)
}

// inputLost takes a reader's word that an output is gone.
func (s *Scheduler) inputLost(r Ref) {
	t := s.current(r)
	if t == nil {
		return
	}
	j := t.stage.job
	if j.mode == Pipelined {
		s.holdBack(j)
		s.restart(j, errs.Lost, lostOutput(t))
		return
	}
	if t.state == done && !t.gone && s.forget(t) {
		s.settle(j)
	}
}

// loseStaged takes a dead worker's tasks and outputs from a staged job.
func (s *Scheduler) loseStaged(j *job, w *worker) {
	for _, st := range j.stages {
		for i := range st.tasks {
			t := &st.tasks[i]
			if t.worker != w {
				continue
			}
			switch {
			case t.state == running:
				if !s.charge(j, &t.failures, &t.losses, errs.Lost, lostOutput(t)) {
					return
				}
				s.release(t)
				s.requeue(t)
			case t.state == done && !t.gone && !s.forget(t):
				return
			}
		}
	}
	s.settle(j)
}

// forget marks a finished output as gone. It returns false when that ended the job.
func (s *Scheduler) forget(t *task) bool {
	if t.read {
		return true
	}
	if t.started {
		s.fail(t.stage.job, errs.Lost, lostOutput(t))
		return false
	}
	t.gone = true
	t.stage.gone++
	return true
}

// settle puts every output that is gone and needed back to work. A reader that runs again makes its inputs needed, so readers
// come before their inputs, and all again until nothing changes.
func (s *Scheduler) settle(j *job) {
	for changed := true; changed; {
		changed = false
		for i := len(j.stages) - 1; i >= 0; i-- {
			st := j.stages[i]
			if st.gone == 0 || !st.needed() {
				continue
			}
			changed = true
			if !s.recompute(st) {
				return
			}
		}
	}
	s.wake(j)
}

// recompute puts the gone outputs of a stage back to work. It returns false when that ended the job.
func (s *Scheduler) recompute(st *stage) bool {
	for i := range st.tasks {
		if t := &st.tasks[i]; t.gone {
			if !s.charge(st.job, &t.failures, &t.losses, errs.Lost, lostOutput(t)) {
				return false
			}
			s.undo(t)
		}
	}
	return !st.indeterminate || s.undoReaders(st)
}

// undo makes a finished task pending.
func (s *Scheduler) undo(t *task) {
	st := t.stage
	if t.gone {
		t.gone = false
		st.gone--
	}
	st.missing++
	st.outputs = nil
	s.requeue(t)
}

// undoReaders runs again all that has read, directly or not, an output that may come out differently (a reader that is
// pending may have run before, and others may have read that). It returns false
// when rows were already handed out, which ends the job.
func (s *Scheduler) undoReaders(st *stage) bool {
	for _, r := range st.readers {
		for i := range r.tasks {
			t := &r.tasks[i]
			switch {
			case t.state == pending:
				continue
			case t.started:
				s.fail(r.job, errs.Lost, lostOutput(&st.tasks[0]))
				return false
			case t.state == running:
				s.emit(CancelTask{t.ref(), t.worker.name})
				s.release(t)
				s.requeue(t)
			default:
				s.undo(t)
			}
		}
		if !s.undoReaders(r) {
			return false
		}
	}
	return true
}

func lostOutput(t *task) error {
	return errs.Newf(errs.Lost, "the output of task %d of stage %d on worker %s is lost", t.index, t.stage.id, t.worker.name)
}
