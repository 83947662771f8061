package delta

import (
	"strings"

	"millrace/errs"
)

// Restoration is what makes a table as it was: the actions, the metrics of the commit and of the command's answer.
type Restoration struct {
	Actions []Action // metadata, protocol, adds, removes
	// Added are the files that come back. They must still exist; see MissingFiles.
	Added                     []*Add
	TableSize, NumFiles       int64 // after the restore
	NumRemoved, RemovedSize   int64
	NumRestored, RestoredSize int64
}

// Restore computes what takes the table from its current version back to an old one, at a time in milliseconds.
func Restore(current, old *Snapshot, now int64) *Restoration {
	r := &Restoration{TableSize: old.SizeInBytes(), NumFiles: int64(old.NumFiles())}
	r.Actions = append(r.Actions, Action{Metadata: old.Metadata})
	if p := current.Protocol.Merge(old.Protocol); !p.same(current.Protocol) {
		r.Actions = append(r.Actions, Action{Protocol: p})
	}
	for a := range old.All() {
		if current.File(a.Path, a.DeletionVector) == nil {
			back := *a
			back.DataChange = true
			r.Added = append(r.Added, &back)
			r.Actions = append(r.Actions, Action{Add: &back})
			r.NumRestored++
			r.RestoredSize += a.Size
		}
	}
	for a := range current.All() {
		if old.File(a.Path, a.DeletionVector) == nil {
			r.Actions = append(r.Actions, Action{Remove: a.Remove(now, true)})
			r.NumRemoved++
			r.RemovedSize += a.Size
		}
	}
	return r
}

// Metrics are the operationMetrics of the restore's commit.
func (r *Restoration) Metrics() map[string]string {
	return Metrics("numRestoredFiles", r.NumRestored, "restoredFilesSize", r.RestoredSize, "numRemovedFiles", r.NumRemoved,
		"removedFilesSize", r.RemovedSize, "numOfFilesAfterRestore", r.NumFiles, "tableSizeAfterRestore", r.TableSize)
}

// MissingFiles is the error for a restore to a version whose data files are gone.
func MissingFiles(paths []string, version int64) error {
	return &errs.Error{Kind: errs.NotFound, Class: errs.ClassIllegalArgument, Message: "Not all files from version " + itoa(version) +
		" are available in file system.\n Missed files (top 100 files): " + strings.Join(paths[:min(len(paths), 100)], ",") +
		".\n Please use more recent version or timestamp for restoring.\n To disable check update option spark.sql.files.ignoreMissingFiles"}
}

// CheckRestoreVersion refuses versions that a table cannot be restored to: those it does not have.
func CheckRestoreVersion(version, earliest, latest int64) error {
	if version < earliest || version > latest {
		return errs.New("DELTA_CANNOT_RESTORE_TABLE_VERSION", "version", itoa(version), "startVersion", itoa(earliest), "endVersion", itoa(latest))
	}
	return nil
}

// Merge is the least protocol that has all features of two.
func (p *Protocol) Merge(o *Protocol) *Protocol {
	if o == nil {
		return p
	}
	if p == nil {
		return o
	}
	n := p.WithFeatures(o.Features()...)
	if o.MinReaderVersion > n.MinReaderVersion {
		c := *n
		c.MinReaderVersion = o.MinReaderVersion
		c.listReaderFeatures()
		n = &c
	}
	return n
}

func (p *Protocol) same(o *Protocol) bool {
	return p.MinReaderVersion == o.MinReaderVersion && p.MinWriterVersion == o.MinWriterVersion && equalNames(p.Features(), o.Features())
}
