// Package shuffle moves batches from the tasks of one stage to the tasks of the next.
//
// A task's Sink pulls its operator tree, scatters the rows by a Partitioner and writes them to an output in its worker's Store.
// A Source is the operator that reads one partition of all outputs of a stage: by pointer where the output is on the same worker,
// else by Arrow Flight, with a Ticket that names the output and the partition.
//
// A *queued* output (of a pipelined query) hands each batch over as soon as it is made. A queue that is full and not being read
// spills to disk: it never blocks its producer for long, so that no cycle of queries and operators can stand still for ever. A
// *filed* output (of a staged query) is one file with an index of its partitions, LZ4 frames and a CRC-32C each, kept until
// the query is released, so that any reader may read it again.
//
// An output that cannot be read is a LostInput, which names it; it is of the kind errs.Lost, and the scheduler then makes
// the output again.
//
//	w, _ := store.Create(ref, shuffle.Spec{Partitions: 8, Types: types})
//	err := shuffle.Sink(ctx, root, partitioner, w)
//
// The package does not know who reads or writes, or what the tasks are for.
package shuffle
