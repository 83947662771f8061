package scheduler

import "millrace/errs"

func (s *Scheduler) join(e WorkerJoined) {
	if s.workers[e.Worker] != nil {
		return
	}
	w := &worker{name: e.Worker, slots: max(e.Slots, 1), free: -1}
	s.workers[w.name] = w
	s.usable = append(s.usable, w)
	s.offer(w)
	for _, j := range append([]*job(nil), s.order...) {
		if j.waiting {
			s.wake(j)
		}
	}
}

func (s *Scheduler) drain(name string) {
	if w := s.workers[name]; w != nil {
		w.draining = true
		s.withdraw(w)
		s.usable = remove(s.usable, w)
		for _, j := range append([]*job(nil), s.order...) {
			if !s.stranded(j) && len(s.usable) == 0 {
				s.wake(j) // to wait
			}
		}
	}
}

// lose forgets a worker, runs its tasks elsewhere, and computes again what it had and is still needed.
func (s *Scheduler) lose(name string) {
	w := s.workers[name]
	if w == nil {
		return
	}
	s.drain(name)
	w.dead = true
	delete(s.workers, name)
	for _, j := range append([]*job(nil), s.order...) {
		if j.mode == Pipelined {
			s.loseGang(j, w)
		} else {
			s.loseStaged(j, w)
		}
	}
}

// offer puts a worker among the free ones if it has a slot.
func (s *Scheduler) offer(w *worker) {
	if w.free < 0 && !w.draining && w.used < w.slots {
		w.free = len(s.free)
		s.free = append(s.free, w)
		s.unpark()
	}
}

// unpark has the jobs that wait for one of their workers look again.
func (s *Scheduler) unpark() {
	for _, j := range s.parked {
		j.parked, j.queued = false, true
	}
	s.ring, s.parked = append(s.ring, s.parked...), s.parked[:0]
}

// stranded fails a job one of whose pending tasks is bound to a worker that takes no tasks any more.
func (s *Scheduler) stranded(j *job) bool {
	for _, st := range j.stages {
		for i := range st.bound {
			if i >= len(st.tasks) || st.tasks[i].state != pending || st.bound[i] == "" {
				continue
			}
			if w := s.workers[st.bound[i]]; w == nil || w.draining {
				s.fail(j, errs.Lost, errs.Newf(errs.Lost, "worker %s, to which task %d of stage %d is bound, is lost", st.bound[i], i, st.id))
				return true
			}
		}
	}
	return false
}

// withdraw takes a worker out of the free ones.
func (s *Scheduler) withdraw(w *worker) {
	if w.free < 0 {
		return
	}
	last := s.free[len(s.free)-1]
	s.free[w.free], last.free = last, w.free
	s.free = s.free[:len(s.free)-1]
	w.free = -1
}

// release gives back what a running task takes of its worker.
func (s *Scheduler) release(t *task) {
	if t.stage.job.mode == Pipelined {
		t.worker.gang--
		return
	}
	t.worker.used--
	s.offer(t.worker)
}

// pick chooses a free worker for a task: the one to which it is bound, else a preferred one, else the next in turn, and not the one
// where it failed.
func (s *Scheduler) pick(t *task) *worker {
	if home := t.home(); home != "" {
		return s.workers[home]
	}
	if t.index < len(t.stage.prefer) {
		for _, name := range t.stage.prefer[t.index] {
			if w := s.workers[name]; w != nil && w.free >= 0 && (t.failures == 0 || w != t.worker) {
				return w
			}
		}
	}
	s.next++
	w := s.free[s.next%len(s.free)]
	if t.failures > 0 && w == t.worker {
		w = s.free[(s.next+1)%len(s.free)]
	}
	return w
}

// assign launches staged tasks while slots are free, one of each job in turn.
func (s *Scheduler) assign() {
	for len(s.free) > 0 && len(s.ring) > 0 {
		j := s.ring[0]
		t, waits := s.nextTask(j)
		if t == nil {
			s.ring, j.queued = s.ring[1:], false
			if j.parked = waits; waits {
				s.parked = append(s.parked, j)
			}
			continue
		}
		if len(s.ring) > 1 {
			s.ring = append(s.ring[1:], j)
		}
		s.launch(t, s.pick(t))
	}
}

// nextTask takes the first pending task of a stage whose inputs are whole and whose worker, if it is bound to one, has a free
// slot. When it returns nil, waits says that there are tasks which wait for their workers.
func (s *Scheduler) nextTask(j *job) (next *task, waits bool) {
	for _, st := range j.stages {
		if len(st.queue) == 0 || !st.ready() {
			continue
		}
		for i := len(st.queue) - 1; i >= 0; i-- {
			t := &st.tasks[st.queue[i]]
			if home := t.home(); home != "" && s.workers[home].free < 0 {
				waits = true
				continue
			}
			st.queue = append(st.queue[:i], st.queue[i+1:]...)
			return t, false
		}
	}
	return nil, waits
}

func (s *Scheduler) launch(t *task, w *worker) {
	w.used++
	if w.used >= w.slots {
		s.withdraw(w)
	}
	t.state, t.worker, t.gone = running, w, false
	t.attempt++
	inputs := make([]Input, len(t.stage.inputs))
	for i, in := range t.stage.inputs {
		inputs[i] = Input{in.id, in.locations()}
	}
	l := Launch{Ref: t.ref(), Worker: w.name, Inputs: inputs}
	if t.stage.slices != nil {
		l.Slice = &t.stage.slices[t.index]
	}
	s.emit(l)
}
