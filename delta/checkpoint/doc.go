// Package checkpoint writes and reads a Delta checkpoint's Parquet files.
//
//	err := checkpoint.Read(file, size, func(a *delta.Action) { replay.Apply(a) })
//	err = checkpoint.Write(w, snapshot, oldestTombstone)
//
// It knows the columns of a checkpoint and nothing of where files lie.
package checkpoint
