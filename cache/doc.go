// Package cache keeps the partitions of cached frames on a worker: as the column batches that a task made, in memory where the
// worker's budget has room and else in local files, and hands them to the operators that scan them.
//
//	w := store.Create(cache.Key{ID: "f1", Partition: 0, Attempt: 1}, rowTypes, true)
//	w.Append(batch); stats, err := w.Finish()
//	r, err := store.Open(ctx, key)
//
// A block is what one attempt of one task has kept, named by the filling's id, the partition and the attempt, so that two attempts never
// mix. Batches in memory are shared by all readers and never change: a scan neither copies nor decodes, it picks columns. Dictionaries are kept,
// and blocks of one task share them.
//
// Frames may take Share of the worker's memory; the rest stays with running tasks. A block that finds no room goes to disk as a whole, and
// so do older blocks of other frames if that makes room. Nothing that was kept is dropped but by Forget, or when the coordinator that had it
// made is gone: which partitions exist is known to coordinators alone, and so is how to compute a lost one again (package engine).
package cache
