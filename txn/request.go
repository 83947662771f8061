package txn

import (
	"strings"

	"millrace/delta"
	"millrace/errs"
)

// Isolation is what a transaction may not miss of others.
type Isolation string

// The isolation levels of Delta. Serializable is the default; a commit that changes no data needs only a snapshot.
const (
	Serializable      Isolation = "Serializable"
	WriteSerializable Isolation = "WriteSerializable"
	SnapshotIsolation Isolation = "SnapshotIsolation"
)

// Request is a transaction to commit.
type Request struct {
	Table       string // the table's place
	ReadVersion int64  // the version that the transaction read; -1 when there was no table
	TableID     string // the metadata's ID that the transaction saw, or empty: a table that was dropped and made again is another one
	TxnID       string // unique; the same on every attempt to commit the same transaction
	Actions     []delta.Action
	Info        delta.CommitInfo // operation, parameters, metrics, user metadata; the rest is filled in
	Isolation   Isolation        // empty: by the table's property delta.isolationLevel, else Serializable

	// What the transaction read. All empty and false, with nothing but adds: a blind append, which conflicts with no data.
	ReadTable bool           // all of the table
	Reads     []delta.Filter // rows that match any of these, seen or missed; an empty filter matches all rows
	ReadFiles []string       // paths of the files with rows on which the outcome depends, with all that are removed
	// RowLevel says that of the files whose deletion vectors the transaction grows (it removes a path and adds it again under
	// another vector) it read no rows but those that it deletes and those that match Reads. Another transaction that deleted
	// other rows of such a file is then no conflict: the vectors are merged. DELETE and UPDATE set it, and a MERGE without
	// clauses for rows that do not match.
	RowLevel bool

	// An application's own counter: the transaction is skipped when the table has that version of it already.
	AppID      string
	AppVersion int64

	Operation string // of the client for whom it is, which may ask for it by Recall when this process has died; heeded by CommitSurely

	checked int64 // conflicts with versions before this one have been looked for
	undo    bool  // takes back what an aborted transaction did: allowed where nothing but appends is
}

// Result is a commit's outcome.
type Result struct {
	Version   int64
	Timestamp int64           // milliseconds
	Snapshot  *delta.Snapshot // the table at Version, when this process made it
	Known     bool            // the transaction had been committed by an earlier attempt
	Skipped   bool            // the application's version had been written before; nothing was committed
	Grouped   int             // transactions in this version
}

// BlindAppend reports whether the transaction read nothing and only adds files.
func (r *Request) BlindAppend() bool {
	if r.ReadTable || len(r.Reads) > 0 || len(r.ReadFiles) > 0 {
		return false
	}
	for i := range r.Actions {
		if r.Actions[i].Remove != nil {
			return false
		}
	}
	return true
}

// groupable reports whether the transaction may share its version with others: it touches nothing but files of its own.
func (r *Request) groupable() bool {
	for i := range r.Actions {
		if a := &r.Actions[i]; a.Add == nil && a.Txn == nil {
			return false
		}
	}
	return r.BlindAppend() && r.ReadVersion >= 0
}

// changesMetadata reports whether the transaction sets the table's metadata.
func (r *Request) changesMetadata() bool {
	for i := range r.Actions {
		if r.Actions[i].Metadata != nil {
			return true
		}
	}
	return false
}

// appIDs are the applications whose progress the transaction depends on.
func (r *Request) appIDs() map[string]bool {
	ids := map[string]bool{}
	if r.AppID != "" {
		ids[r.AppID] = true
	}
	for i := range r.Actions {
		if t := r.Actions[i].Txn; t != nil {
			ids[t.AppID] = true
		}
	}
	return ids
}

// regrown are the files of which the transaction deletes rows by growing their deletion vectors, by path.
func (r *Request) regrown() map[string]regrowth {
	out := map[string]regrowth{}
	for i := range r.Actions {
		if x := r.Actions[i].Remove; x != nil {
			out[x.Path] = regrowth{remove: x}
		}
	}
	for i := range r.Actions {
		if a := r.Actions[i].Add; a != nil {
			if g, ok := out[a.Path]; ok {
				g.add = a
				out[a.Path] = g
			}
		}
	}
	for path, g := range out {
		if g.add == nil || g.add.DeletionVector == nil {
			delete(out, path)
		}
	}
	return out
}

// regrowth is a file that a commit removes and adds again under another deletion vector.
type regrowth struct {
	remove *delta.Remove
	add    *delta.Add
}

// isolation is the level by which conflicts are judged.
func (r *Request) isolation(table *delta.Snapshot) Isolation {
	level := r.Isolation
	if level == "" {
		level = Serializable
		for _, known := range []Isolation{WriteSerializable, SnapshotIsolation} {
			if strings.EqualFold(table.Property("delta.isolationLevel", ""), string(known)) {
				level = known
			}
		}
	}
	if level == SnapshotIsolation || len(r.Actions) == 0 && !r.BlindAppend() { // an overwrite of no rows by none has read all the same
		return level
	}
	for i := range r.Actions {
		a := &r.Actions[i]
		if a.Add == nil && a.Remove == nil || a.Add != nil && a.Add.DataChange || a.Remove != nil && a.Remove.DataChange {
			return level
		}
	}
	return SnapshotIsolation
}

func (r *Request) validate() error {
	if r.TxnID == "" || r.Table == "" {
		return errs.Newf(errs.Internal, "a transaction needs a table and an identifier")
	}
	seen := map[string]bool{}
	for i := range r.Actions {
		a := &r.Actions[i]
		if a.CommitInfo != nil {
			return errs.Newf(errs.Internal, "transaction %s brings its own commitInfo", r.TxnID)
		}
		kind, path := "", ""
		switch {
		case a.Add != nil:
			kind, path = "add", a.Add.Path
		case a.Remove != nil:
			kind, path = "remove", a.Remove.Path
		}
		if key := kind + path; kind != "" {
			if seen[key] {
				return errs.New("DELTA_DUPLICATE_ACTIONS_FOUND", "actionType", kind, "path", path, "conflictingPath", path)
			}
			seen[key] = true
		}
	}
	return nil
}
