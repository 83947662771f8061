// Package log reads Delta tables from a store: it lists the log, loads snapshots, keeps the last one of each table and
// brings it up to date by reading only what is new.
//
//	logs := log.NewCache()
//	table, err := logs.Table("s3://lake/orders")
//	snap, err := table.Snapshot(ctx)                 // the newest version
//	old, err := table.At(ctx, 7)
//
// It decides nothing: package delta does. It must not write to a table; package txn does.
package log
