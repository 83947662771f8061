// Package physical turns an optimised logical plan into stages: trees of operators cut at exchanges, with file splits bound to
// tasks. It chooses join sides, broadcast or partitioned joins, partial aggregation and top-N, numbers of tasks, and whether the
// query runs pipelined or staged. It asks tables for their splits and otherwise does no I/O.
//
//	q, err := physical.Plan(ctx, optimised, physical.Options{Cores: 4})
package physical
