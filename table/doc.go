// Package table reads and writes the files of tables: it lists a source's files and infers its schema (Source), cuts them
// into splits for tasks (Splits), and makes the operators at the ends of a task's pipeline (NewScan, NewSink).
//
//	src, err := table.OpenSource(ctx, table.SourceSpec{Format: "csv", Paths: paths, Options: options})
//	scan, files, err := src.PlanScan(ctx, request)         // on the coordinator
//	lists := table.Splits(files, cores)
//	op, err := table.NewScan(plan, plan.GetFileScan(), lists[task], table.Env{Settings: settings}) // on a worker
//
// The formats are in the packages below. It does not commit: a sink reports the files that it wrote, one row each.
package table
