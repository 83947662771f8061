// Package delta is the Delta Lake protocol as algebra: actions, commits, log segments, snapshots, statistics, schema
// rules. Bytes and listings come in, values and decisions go out; it does no I/O, has no clock and starts no goroutine.
//
//	seg, err := delta.SelectSegment(files, delta.Latest)      // which log files make up the newest version
//	snap, err = snap.Apply(8, actions)                        // version 7 and commit 8 make version 8
//	files, _ := snap.Files(delta.Filter{{Column: []string{"id"}, Op: delta.Gt, Value: int64(5)}})
//
// Package delta/log reads and caches tables, package txn commits to them. This package must not know of stores, queries
// or the cluster.
package delta
