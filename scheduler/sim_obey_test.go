package scheduler

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"millrace/errs"
)

func (m *sim) obey(d Decision) {
	switch d := d.(type) {
	case Launch:
		m.checkLaunch(d)
		m.after(m.delay(30), func() { m.start(d) })
	case Adapted:
		m.adapt(d)
	case CancelTask:
		m.after(m.delay(30), func() { delete(m.workers[d.Worker].running, d.Ref) })
	case ResultReady:
		j := m.jobs[d.Ref.Job]
		if j.ended {
			m.fault("result of ended job %v", d)
		}
		if a := j.started[d.Ref.Task]; a != 0 && a != d.Ref.Attempt {
			m.fault("output %v replaces attempt %d whose rows were handed out", d, a)
		}
		j.ready[d.Ref.Task] = d
		m.after(m.delay(60), func() { m.read(d) })
	case ResultGranted:
		m.jobs[d.Ref.Job].started[d.Ref.Task] = d.Ref.Attempt
	case JobSucceeded:
		m.checkSuccess(m.jobs[d.Job])
		m.jobs[d.Job].succeed = true
		m.endJob(d.Job)
	case JobFailed:
		if d.Err == nil {
			m.fault("job %s failed without a cause", d.Job)
		}
		m.endJob(d.Job)
	}
}

func (m *sim) endJob(id string) {
	if m.jobs[id].ended {
		m.fault("job %s ended twice", id)
	}
	m.jobs[id].ended = true
	m.live--
}

func (m *sim) checkLaunch(d Launch) {
	j, w := m.jobs[d.Ref.Job], m.workers[d.Worker]
	t := d.Ref
	t.Attempt = 0
	switch {
	case j.ended:
		m.fault("launch %v after the job's end", d)
	case w.lost || w.draining:
		m.fault("launch %v on a dead or draining worker", d)
	case d.Ref.Attempt <= j.attempts[t]:
		m.fault("launch %v after attempt %d", d, j.attempts[t])
	case d.Ref.Attempt > 34*20:
		m.fault("launch %v: too many attempts", d)
	}
	j.attempts[t] = d.Ref.Attempt
	if bound := j.def.Stages[d.Ref.Stage].Bound; bound != nil && bound[d.Ref.Task] != "" && bound[d.Ref.Task] != d.Worker {
		m.fault("launch %v, which is bound to %s", d, bound[d.Ref.Task])
	}
	if j.def.Mode == Pipelined {
		return
	}
	for _, in := range d.Inputs {
		for i, o := range in.Outputs {
			r := Ref{d.Ref.Job, in.Stage, i, 0}
			if j.accepted[r] != o.Attempt || m.workers[o.Worker].lost {
				m.fault("launch %v with input %v of attempt %d, accepted is %d", d, r, o.Attempt, j.accepted[r])
			}
		}
	}
}

// checkSuccess: every final task was read whole, and no two outputs saw different runs of an indeterminate task.
func (m *sim) checkSuccess(j *simJob) {
	final := j.def.Stages[len(j.def.Stages)-1]
	lineage := map[Ref]int{}
	var rows []uint64
	for i := range j.tasks(final.ID) {
		o := j.read[i]
		if o == nil {
			m.fault("job %s succeeded, and output %d was not read", j.def.ID, i)
			return
		}
		if j.accepted[Ref{j.def.ID, final.ID, i, 0}] == 0 && j.def.Mode == Staged { // of a pipelined job the rows tell
			m.fault("job %s succeeded without task %d", j.def.ID, i)
		}
		m.merge(lineage, o.lineage)
		rows = append(rows, slices.Concat(o.rows...)...)
	}
	slices.Sort(rows)
	if want := j.rows(); !slices.Equal(rows, want) {
		m.fault("job %s: %d rows were read, %d there should be, or others", j.def.ID, len(rows), len(want))
	}
}

// merge adds b to a and complains of differences.
func (m *sim) merge(a, b map[Ref]int) {
	for r, attempt := range b {
		if a[r] != 0 && a[r] != attempt {
			m.fault("attempts %d and %d of the indeterminate task %v are mixed", a[r], attempt, r)
		}
		a[r] = attempt
	}
}

// start begins a task on its worker.
func (m *sim) start(d Launch) {
	w := m.workers[d.Worker]
	if !w.alive {
		return
	}
	w.running[d.Ref] = true
	m.after(m.delay(300), func() { m.work(d) })
}

// report sends an event late, and sometimes twice.
func (m *sim) report(ev Event) {
	m.after(m.delay(50), func() { m.step(ev) })
	if m.chance(0.1) {
		m.after(m.delay(1000), func() { m.step(ev) })
	}
}

// work is the end of a task: it reads its inputs and writes its output, or fails.
func (m *sim) work(d Launch) {
	w := m.workers[d.Worker]
	if !w.alive || !w.running[d.Ref] {
		return
	}
	j := m.jobs[d.Ref.Job]
	lineage := map[Ref]int{}
	st := &j.def.Stages[d.Ref.Stage]
	from := simReads{}
	for _, in := range d.Inputs {
		from[in.Stage] = make([][][]uint64, len(in.Outputs))
		for i, o := range in.Outputs {
			if s := d.Slice; s != nil && s.Last > 0 && s.Stage == in.Stage && (i < s.First || i >= s.Last) {
				continue
			}
			r := Ref{d.Ref.Job, in.Stage, i, o.Attempt}
			there := m.workers[o.Worker]
			out := there.outputs[r]
			reach := there.alive && (!there.cutOff || there == w)
			if reach && out == nil && j.def.Mode == Pipelined && !j.ended {
				m.after(m.delay(50), func() { m.work(d) }) // the producer still runs
				return
			}
			if !reach || out == nil || m.chance(0.005) {
				delete(w.running, d.Ref)
				m.step(InputLost{r})
				m.report(TaskFailed{d.Ref, errs.Lost, errs.Newf(errs.Lost, "input %v", r)})
				return
			}
			m.merge(lineage, out.lineage)
			from[in.Stage][i] = out.rows
		}
	}
	delete(w.running, d.Ref)
	switch {
	case m.chance(0.02):
		m.report(TaskFailed{d.Ref, errs.Transient, errs.Newf(errs.Transient, "flaky")})
		return
	case m.chance(0.001):
		m.report(TaskFailed{d.Ref, errs.Invalid, errs.Newf(errs.Invalid, "division by zero")})
		return
	}
	placed := 0
	if st.Indeterminate {
		lineage[Ref{d.Ref.Job, d.Ref.Stage, d.Ref.Task, 0}] = d.Ref.Attempt
		placed = d.Ref.Attempt
	}
	out := &simOutput{lineage, scatter(st.output(d.Ref.Task, d.Slice, from), j.parts[st.ID], placed)}
	w.outputs[d.Ref] = out
	m.report(TaskFinished{Ref: d.Ref, Output: sizes(out.rows)})
}

// read is the driver's reader of a final output.
func (m *sim) read(d ResultReady) {
	j := m.jobs[d.Ref.Job]
	if j.ended || j.ready[d.Ref.Task] != d {
		return
	}
	w := m.workers[d.Worker]
	out := w.outputs[d.Ref]
	switch {
	case w.alive && !w.cutOff && out == nil && j.def.Mode == Pipelined:
		m.after(m.delay(50), func() { m.read(d) })
		return
	case !w.alive || w.cutOff || out == nil:
		m.step(InputLost{d.Ref})
		return
	case j.started[d.Ref.Task] == 0:
		m.step(ResultStarted{d.Ref})
		if j.started[d.Ref.Task] == 0 {
			return // given up; the next attempt will be read
		}
		m.after(m.delay(100), func() { m.read(d) })
		return
	}
	j.read[d.Ref.Task] = &simOutput{maps.Clone(out.lineage), out.rows}
	m.step(ResultRead{d.Ref})
}

func TestSimulatedCluster(t *testing.T) {
	seeds := uint64(10_000)
	if testing.Short() {
		seeds = 1_000
	}
	jobs, succeeded, steps, adapted := 0, 0, 0, map[string]int{}
	for seed := range seeds {
		m := newSim(seed)
		if err := m.run(); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		for _, j := range m.jobs {
			jobs++
			if j.succeed {
				succeeded++
				for _, d := range j.adapted {
					adapted[fmt.Sprintf("broadcast %v, divided %v, fewer %v", d.Broadcast, d.Divided > 0, len(d.Slices) < d.Planned)]++
				}
			}
		}
		steps += m.steps
	}
	t.Logf("%d seeds, %d jobs, %d succeeded, %d events, stages that were cut anew: %v", seeds, jobs, succeeded, steps, adapted)
	if len(adapted) < 4 {
		t.Errorf("stages were cut anew in few ways: %v", adapted)
	}
	if succeeded < jobs/2 {
		t.Errorf("only %d of %d jobs succeeded: the simulation is too rough to prove anything", succeeded, jobs)
	}
}

func TestSameSeedSameTrace(t *testing.T) {
	for seed := range uint64(200) {
		a, b := newSim(seed), newSim(seed)
		a.run()
		b.run()
		if a.hash != b.hash {
			t.Fatalf("seed %d gave two traces", seed)
		}
	}
}
