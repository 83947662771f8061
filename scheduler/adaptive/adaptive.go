package adaptive

import (
	"fmt"
	"slices"
)

// Rule says what may be done to a stage, and from which sizes on.
type Rule struct {
	Inputs    []uint32 // the stages of whose outputs task i was to read partition i
	Target    int64    // bytes that a task should read
	Coalesce  bool     // put small neighbouring partitions together
	Few       bool     // put together up to the target even where fewer tasks are left than there are slots
	Sides     []Side   // of the join on which the stage rests, left and right; empty: rows of a partition must stay together
	Factor    float64  // how many times the median a partition has that is divided; 0: none is
	Skewed    int64    // and how many bytes at least
	Broadcast int64    // a side of at most so many bytes in memory is read by every task; 0: never
}

// Side is an input of a join.
type Side struct {
	Stage   uint32
	Divides bool // tasks that each read a part of its rows and all of the other side's give the same rows together
}

// Output is what a task has put out.
type Output struct {
	Partitions []int64 // bytes, by partition
	Memory     int64   // bytes of all batches as they were in memory
}

// Slice is what a task reads: the partitions [From, To) of each of the rule's inputs; but of the one stage, where Last is not 0, only what its
// tasks [First, Last) have put out.
type Slice struct {
	From, To    int
	Stage       uint32
	First, Last int
}

// Decision is how a stage is run.
type Decision struct {
	Slices    []Slice
	Planned   int    // tasks before
	Divided   int    // partitions that several tasks read
	Broadcast bool   // every task reads all of a side
	Small     uint32 // the stage that is that side
	Largest   int64  // bytes that the largest task reads
	Before    int64  // and that it would have read as planned
}

// String tells what was decided.
func (d *Decision) String() string {
	text := fmt.Sprintf("%d tasks instead of %d", len(d.Slices), d.Planned)
	if d.Divided > 0 {
		text += fmt.Sprintf(", skewed partitions divided: %d", d.Divided)
	}
	if d.Broadcast {
		text += fmt.Sprintf(", stage %d broadcast", d.Small)
	}
	return text + fmt.Sprintf(", largest task: %d bytes instead of %d", d.Largest, d.Before)
}

// Cut decides how a stage of so many tasks is run on so many slots, when all tasks of its inputs have ended. Nil: as planned.
func Cut(r *Rule, tasks, slots int, outputs func(stage uint32) []Output) *Decision {
	in := make([]input, len(r.Inputs))
	for i, stage := range r.Inputs {
		in[i] = newInput(stage, tasks, outputs(stage))
	}
	d := r.broadcast(in, tasks, slots)
	if d == nil {
		d = r.byPartition(in, tasks, slots)
	}
	if d == nil || !d.Broadcast && d.Divided == 0 && len(d.Slices) == tasks {
		return nil
	}
	d.Planned = tasks
	for p := range tasks {
		n := int64(0)
		for i := range in {
			n += in[i].sizes[p]
		}
		d.Before = max(d.Before, n)
	}
	return d
}

// input is what there is of a stage.
type input struct {
	stage  uint32
	out    []Output
	sizes  []int64 // by partition
	total  int64
	memory int64
}

func newInput(stage uint32, partitions int, out []Output) input {
	in := input{stage: stage, out: out, sizes: make([]int64, partitions)}
	for _, o := range out {
		in.memory += o.Memory
		for p, n := range o.Partitions[:min(partitions, len(o.Partitions))] {
			in.sizes[p] += n
			in.total += n
		}
	}
	return in
}

// by is the sizes of a partition by the task that made them.
func (in *input) by(partition int) []int64 {
	list := make([]int64, len(in.out))
	for i, o := range in.out {
		if partition < len(o.Partitions) {
			list[i] = o.Partitions[partition]
		}
	}
	return list
}

// side finds the input that is a side of the join.
func (r *Rule) side(in []input, i int) *input {
	return &in[slices.IndexFunc(in, func(x input) bool { return x.stage == r.Sides[i].Stage })]
}

// broadcast has each task read what a few tasks of one side have put out, where they have, and all of the other side, if that is small and if moving
// it to every task is less than moving the first side.
func (r *Rule) broadcast(in []input, tasks, slots int) *Decision {
	var best *Decision
	var least int64
	for i, s := range r.Sides {
		if r.Broadcast <= 0 || !s.Divides {
			continue
		}
		large, small := r.side(in, i), r.side(in, 1-i)
		want := min(slots, tasks)
		if small.memory > r.Broadcast || len(large.out) < want || best != nil && small.memory >= least {
			continue
		}
		sizes := make([]int64, len(large.out))
		for k, o := range large.out {
			for _, n := range o.Partitions {
				sizes[k] += n
			}
		}
		d := &Decision{Broadcast: true, Small: small.stage}
		for _, g := range r.groups(sizes, want) {
			d.Slices = append(d.Slices, Slice{To: tasks, Stage: large.stage, First: g.from, Last: g.to})
			d.Largest = max(d.Largest, g.bytes+small.total)
		}
		if int64(len(d.Slices))*small.total < large.total {
			best, least = d, small.memory
		}
	}
	return best
}

// byPartition divides the partitions that are skewed and puts neighbours among the others together.
func (r *Rule) byPartition(in []input, tasks, slots int) *Decision {
	total := make([]int64, tasks)
	for i := range in {
		for p, n := range in[i].sizes {
			total[p] += n
		}
	}
	d := &Decision{}
	divided := make([][]Slice, tasks)
	if len(r.Sides) == 2 && r.Factor > 0 {
		r.divide(in, divided, d)
	}
	runs, more := runsOf(divided)
	want := 1
	if !r.Few {
		want = max(1, min(slots, tasks)-more)
	}
	groups := r.groupRuns(total, runs, want)
	for p := 0; p < tasks; {
		if s := divided[p]; s != nil {
			d.Slices = append(d.Slices, s...)
			p++
			continue
		}
		g := groups[0]
		groups = groups[1:]
		d.Slices = append(d.Slices, Slice{From: g.from, To: g.to})
		d.Largest = max(d.Largest, g.bytes)
		p = g.to
	}
	return d
}

// divide finds the partitions of which one side is far above that side's median, and the slices of each.
func (r *Rule) divide(in []input, divided [][]Slice, d *Decision) {
	var side, other [2]*input
	var limit, target [2]int64
	for i := range r.Sides {
		side[i], other[i] = r.side(in, i), r.side(in, 1-i)
		limit[i] = max(r.Skewed, int64(r.Factor*float64(median(side[i].sizes))))
		target[i] = max(r.Target, mean(side[i].sizes, limit[i]))
	}
	for p := range divided {
		most := -1 // the larger of the skewed sides; that the other one is skewed, too, must be borne
		for i, s := range r.Sides {
			if s.Divides && side[i].sizes[p] > limit[i] && (most < 0 || side[i].sizes[p] > side[most].sizes[p]) {
				most = i
			}
		}
		if most < 0 {
			continue
		}
		groups := pack(side[most].by(p), target[most])
		if len(groups) < 2 {
			continue
		}
		d.Divided++
		for _, g := range groups {
			divided[p] = append(divided[p], Slice{From: p, To: p + 1, Stage: r.Sides[most].Stage, First: g.from, Last: g.to})
			d.Largest = max(d.Largest, g.bytes+other[most].sizes[p])
		}
	}
}

// group is a run of neighbours.
type group struct {
	from, to int
	bytes    int64
}

// groups packs sizes up to the target, into at least so many groups if there are as many that are not empty.
func (r *Rule) groups(sizes []int64, want int) []group {
	return r.groupRuns(sizes, []group{{from: 0, to: len(sizes)}}, want)
}

// groupRuns packs within each run.
func (r *Rule) groupRuns(sizes []int64, runs []group, want int) []group {
	at := func(target int64) (list []group) {
		for _, run := range runs {
			for _, g := range pack(sizes[run.from:run.to], target) {
				list = append(list, group{run.from + g.from, run.from + g.to, g.bytes})
			}
		}
		return list
	}
	if !r.Coalesce {
		var list []group
		for _, run := range runs {
			for p := run.from; p < run.to; p++ {
				list = append(list, group{p, p + 1, sizes[p]})
			}
		}
		return list
	}
	best := at(r.Target)
	if len(best) >= want {
		return best
	}
	low, high := int64(0), r.Target // the largest target that leaves enough groups lies in [low, high)
	for low+1 < high {
		middle := low + (high-low)/2
		if len(at(middle)) >= want {
			low = middle
		} else {
			high = middle
		}
	}
	return at(low)
}

// pack puts neighbours together while they have no more than target bytes; what is empty goes along.
func pack(sizes []int64, target int64) (list []group) {
	if len(sizes) == 0 {
		return nil
	}
	g := group{}
	for i, n := range sizes {
		if g.bytes > 0 && n > 0 && g.bytes+n > target {
			list = append(list, g)
			g = group{from: i}
		}
		g.to, g.bytes = i+1, g.bytes+n
	}
	return append(list, g)
}

// runsOf are the runs of partitions that are not divided, and how many slices the others have.
func runsOf(divided [][]Slice) (runs []group, more int) {
	for p := range divided {
		if divided[p] != nil {
			more += len(divided[p])
			continue
		}
		if k := len(runs); k > 0 && runs[k-1].to == p {
			runs[k-1].to = p + 1
		} else {
			runs = append(runs, group{from: p, to: p + 1})
		}
	}
	return runs, more
}

// median is at least 1, as Spark has it.
func median(sizes []int64) int64 {
	s := slices.Sorted(slices.Values(sizes))
	n := len(s)
	if n%2 == 0 {
		return max(1, (s[n/2-1]+s[n/2])/2)
	}
	return max(1, s[n/2])
}

// mean is that of the sizes up to a limit.
func mean(sizes []int64, limit int64) int64 {
	sum, n := int64(0), int64(0)
	for _, s := range sizes {
		if s <= limit {
			sum, n = sum+s, n+1
		}
	}
	if n == 0 {
		return 0
	}
	return sum / n
}
