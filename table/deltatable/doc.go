// Package deltatable makes a version of a Delta table a source that the planner can scan: its files become splits with partition
// values and deletion vectors, its columns physical ones, its statistics a means to leave files out.
//
//	t := deltatable.New(log, snapshot, zone)
//	scan, splits, err := t.PlanScan(ctx, physical.ScanRequest{Fields: []int{0, 2}})
//
// It reads nothing but deletion vectors; the log has been read by package delta/log.
package deltatable
