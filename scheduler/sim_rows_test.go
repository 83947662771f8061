package scheduler

import (
	"maps"
	"slices"

	"millrace/scheduler/adaptive"
)

// Rows of the simulated jobs are numbers. A stage without Adapt reads all rows of all of its inputs and makes a few rows that depend on their sum. One
// with Adapt reads its inputs by partition: it hands the rows on, or, with Sides, makes a row of some pairs of rows that meet in a partition, and one of each row
// of a side that alone divides. So whatever is read twice, not at all or in two versions shows in the end.

// adaptable gives some stages of a job rules, and all outputs partitions.
func (m *sim) adaptable(def *Job) map[uint32]int {
	parts := map[uint32]int{}
	for k := range def.Stages {
		st := &def.Stages[k]
		if st.Bound != nil || m.chance(0.3) {
			continue
		}
		st.Tasks = 1 + m.rng.IntN(8)
		r := &adaptive.Rule{Target: 1 + m.rng.Int64N(12), Coalesce: m.chance(0.8), Few: m.chance(0.5)}
		for _, in := range st.Inputs {
			if parts[in] == 0 || parts[in] == st.Tasks {
				parts[in] = st.Tasks
				r.Inputs = append(r.Inputs, in)
			}
		}
		if len(r.Inputs) == 0 {
			continue
		}
		settled := func(in uint32) bool { return !def.Stages[in].Indeterminate } // else it is not settled which rows meet
		if len(r.Inputs) == 2 && settled(r.Inputs[0]) && settled(r.Inputs[1]) && m.chance(0.8) {
			r.Sides = []adaptive.Side{{Stage: r.Inputs[0], Divides: m.chance(0.8)}, {Stage: r.Inputs[1], Divides: m.chance(0.5)}}
			r.Factor, r.Skewed = 2*m.rng.Float64(), m.rng.Int64N(10)
			if m.chance(0.5) {
				r.Broadcast = m.rng.Int64N(400)
			}
		}
		st.Adapt = r
	}
	for k := range def.Stages {
		if id := uint32(k); parts[id] == 0 {
			parts[id] = 1
		}
	}
	return parts
}

// adapt takes note of a stage's other tasks.
func (m *sim) adapt(d Adapted) {
	j := m.jobs[d.Job]
	for r := range j.attempts {
		if r.Stage == d.Stage {
			m.fault("stage %d of job %s is cut anew after task %d was launched", d.Stage, d.Job, r.Task)
		}
	}
	if j.adapted[d.Stage] != nil || j.def.Stages[d.Stage].Adapt == nil {
		m.fault("stage %d of job %s is cut anew: %v", d.Stage, d.Job, d.Decision)
	}
	j.adapted[d.Stage] = d.Decision
}

// tasks is how many tasks a stage has.
func (j *simJob) tasks(stage uint32) int {
	if d := j.adapted[stage]; d != nil {
		return len(d.Slices)
	}
	return j.def.Stages[stage].Tasks
}

// simReads are outputs by stage, task and partition; those that are not read are nil.
type simReads map[uint32][][][]uint64

// rows are those of the job's result, in order, as they are when nothing dies and nothing is cut anew.
func (j *simJob) rows() []uint64 {
	all, last := simReads{}, uint32(len(j.def.Stages)-1)
	for k := range j.def.Stages {
		st := &j.def.Stages[k]
		for task := range st.Tasks {
			all[st.ID] = append(all[st.ID], scatter(st.output(task, nil, all), j.parts[st.ID], 0))
		}
	}
	var rows []uint64
	for _, out := range all[last] {
		rows = append(rows, slices.Concat(out...)...)
	}
	slices.Sort(rows)
	return rows
}

func mix(of ...uint64) uint64 {
	h := uint64(0)
	for _, x := range of { // as splitmix64
		h += x + 0x9e3779b97f4a7c15
		h = (h ^ h>>30) * 0xbf58476d1ce4e5b9
		h = (h ^ h>>27) * 0x94d049bb133111eb
		h ^= h >> 31
	}
	return h
}

// output are the rows that a task makes of what it reads.
func (st *Stage) output(task int, s *adaptive.Slice, from simReads) (rows []uint64) {
	if s == nil {
		s = &adaptive.Slice{From: task, To: task + 1}
	}
	sum := uint64(st.ID)
	for _, in := range slices.Sorted(maps.Keys(from)) {
		if slices.Contains(st.Inputs, in) && (st.Adapt == nil || !slices.Contains(st.Adapt.Inputs, in)) {
			for _, out := range from[in] {
				for _, row := range slices.Concat(out...) {
					sum += row
				}
			}
		}
	}
	if st.Adapt == nil {
		for i := range 2 + 5*(st.ID%3) {
			rows = append(rows, mix(sum, uint64(task), uint64(i)))
		}
		return rows
	}
	for p := s.From; p < s.To; p++ {
		read := map[uint32][]uint64{}
		for _, in := range st.Adapt.Inputs {
			for _, out := range from[in] {
				if out != nil {
					read[in] = append(read[in], out[p]...)
				}
			}
		}
		rows = append(rows, st.partition(sum, read)...)
	}
	return rows
}

// partition makes the rows of what is read of a partition.
func (st *Stage) partition(sum uint64, read map[uint32][]uint64) (rows []uint64) {
	if len(st.Adapt.Sides) == 0 {
		for _, in := range st.Adapt.Inputs {
			for _, row := range read[in] {
				rows = append(rows, mix(sum, row))
			}
		}
		return rows
	}
	l, r := st.Adapt.Sides[0], st.Adapt.Sides[1]
	for _, a := range read[l.Stage] {
		for _, b := range read[r.Stage] {
			if (a^b)%16 == 0 {
				rows = append(rows, mix(sum, a, b))
			}
		}
	}
	for i, side := range st.Adapt.Sides {
		if side.Divides && !st.Adapt.Sides[1-i].Divides {
			for _, row := range read[side.Stage] {
				rows = append(rows, mix(sum, row))
			}
		}
	}
	return rows
}

// scatter deals rows out to partitions; placed says which of the ways in which an indeterminate task may do it.
func scatter(rows []uint64, parts, placed int) [][]uint64 {
	out := make([][]uint64, parts)
	for _, row := range rows {
		p := 0
		if row%3 > 0 { // a third of the rows have one key
			p = int((row>>8 + uint64(placed)*(1+row>>16%5)) % uint64(parts))
		}
		out[p] = append(out[p], row)
	}
	return out
}

func sizes(rows [][]uint64) *adaptive.Output {
	out := &adaptive.Output{}
	for _, p := range rows {
		out.Partitions = append(out.Partitions, int64(len(p)))
		out.Memory += int64(len(p)) * 4
	}
	return out
}
