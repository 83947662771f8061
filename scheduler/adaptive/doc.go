// Package adaptive cuts the tasks of a stage anew when the sizes of what they will read are known.
//
// A stage whose task i was to read partition i of its inputs can as well be run by tasks that each read a range of partitions, which are fewer and of
// about equal size, or by several tasks for one partition that each read the outputs of some of the tasks before, if the stage rests on a join: then
// each of them reads all of the join's other side. When that other side is small, all partitions are treated so: the join has become a broadcast one.
//
//	cut := adaptive.Cut(&rule, 200, slots, outputs)	// nil: as planned
//	for i, s := range cut.Slices { … }	// what task i reads
//
// Cut looks at sizes alone, and they are looked at once: whatever the sizes, the slices together are all rows, each once, so that tasks may
// run again, and outputs be made again, without the slices being looked at again. Package scheduler says when that is.
package adaptive
