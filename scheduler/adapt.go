package scheduler

import "millrace/scheduler/adaptive"

// adapt cuts the tasks of a stage anew when its inputs are whole for the first time: before any of them was launched, and never again. Whatever
// happens to the inputs afterwards, each task goes on reading the same part of them: an output that is made again has the same rows in
// each partition, or else all its readers run again.
func (s *Scheduler) adapt(st *stage) {
	if st.adapt == nil || !st.ready() {
		return
	}
	rule := st.adapt
	st.adapt = nil
	d := adaptive.Cut(rule, len(st.tasks), s.slots(), func(id uint32) []adaptive.Output {
		in := st.job.byID[id]
		out := make([]adaptive.Output, len(in.tasks))
		for i := range in.tasks {
			if o := in.tasks[i].output; o != nil {
				out[i] = *o
			}
		}
		return out
	})
	if d == nil {
		return
	}
	st.slices = d.Slices
	st.setTasks(len(d.Slices))
	if st == st.job.final {
		st.job.unread = len(st.tasks)
	}
	if d.Broadcast {
		st.prefer = nearby(d.Slices, st.job)
	}
	s.emit(Adapted{st.job.id, st.id, d})
}

// nearby lists, by task, the workers that have the outputs of which it reads all.
func nearby(list []adaptive.Slice, j *job) [][]string {
	prefer := make([][]string, len(list))
	for i, s := range list {
		for k := s.First; k < s.Last; k++ {
			prefer[i] = append(prefer[i], j.byID[s.Stage].tasks[k].worker.name)
		}
	}
	return prefer
}

// slots is how many staged tasks can run at once.
func (s *Scheduler) slots() int {
	n := 0
	for _, w := range s.usable {
		n += w.slots
	}
	return n
}
