// Package state keeps the state of streaming queries: for every partition of every stateful operator a map from keys to values, in
// versions. Version n is what n micro-batches have made; batch n reads version n and makes version n+1.
//
//	t, err := provider.Open(ctx, spec)      // the partition at spec.Version
//	old, err := t.Get(key)
//	t.Put(key, value, old)
//	view, err := t.Commit(ctx)              // makes Version+1 durable
//	view.Changes(func(c state.Change) error { … })
//
// # Where a version is
//
// The checkpoint holds, by operator and partition, one changelog file a version and now and then a snapshot:
//
//	<location>/<operator>/<partition>/<version>.delta       what the batch before has changed
//	<location>/<operator>/<partition>/<version>.snapshot    all of it
//
// and that alone is the truth. A worker's copy, in Pebble under its directory, only saves reading it: it is emptied at start, is written
// without syncing, and may be thrown away at any time.
//
// # One outcome a version
//
// A batch may run many times: a task is tried again, an attempt that was given up goes on as a zombie, a whole batch runs again
// because the coordinator died before it was committed. All of them have the same input, but not the same outcome to the bit (sums of
// doubles, first values and lists depend on the order of arrival). Hence:
//
//   - A changelog file is written whole by put-if-absent, and never replaced. Of all attempts the first wins.
//   - An attempt that loses throws its own changes away and takes the file's.
//   - An attempt hands out rows only after that, and only what the file says (View.Changes) or what the file makes of the version
//     before it (View.All). So all attempts that hand out anything hand out the same, and it is what the next batch builds on.
//
// A death before the put leaves nothing; one after it leaves a version that the next attempt finds and takes. An attempt that fails with
// an unknown outcome (the file may be there or not) is an attempt that died. A version is never visible in part, since a file is not; and a
// batch whose partitions were committed by different attempts is whole, because rows go to partitions by their keys.
//
// A zombie that wakes up so late that its version's file has been removed may put it there again. Nobody reads it: files are removed
// only below a snapshot from which on everything is kept, and a version is read from the latest snapshot at or below it. A clean-up that
// comes later removes it.
//
// # Which copy a worker may use
//
// A copy is good for one run of a query (a start of it, on one coordinator): within a run versions follow each other, each one decided by
// its file. What was loaded for another run is dropped and read again, so that neither a checkpoint that was deleted and begun anew nor one
// that was put back from a backup can meet what a worker remembers. Within a run a copy at the version before is used as it is; one
// at a lower version is rolled forward by the files in between; one that is a version ahead (this very batch, run again) takes its
// outcome from the file; any other is read anew.
//
// # Files
//
// A file is a header, frames of records and a footer; each has its length and CRC-32C in front:
//
//	"MRSTATE1", then frames: length uint32, CRC-32C uint32 (little-endian), kind byte, payload
//	kind H: JSON header: what it is, the query, the place, the version, the parent's chain
//	kind D: records, compressed with S2: flags byte, key length uvarint, key, value length uvarint, value
//	kind E: JSON footer: the number of records, of keys and of their bytes in the version, its chain
//
// The chain of a version is a hash of the records and of the chain of the version before, so that files which do not belong together
// are told apart even when each is sound. The header's input identifies the batch's input: an outcome of other input (somebody has changed the
// checkpoint's offsets by hand) is refused and not taken.
//
// The package knows bytes only: what keys and values mean is the operators' affair.
package state
