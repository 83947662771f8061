package shuffle

import (
	"context"

	"millrace/types"
	"millrace/vector"
)

// Spool is a file of batches of one kind of row, written once and then read by any number of readers: the format of a task's output
// on disk, for those who keep batches longer than a query. Dictionaries stay dictionaries.
type Spool struct{ out *filedOutput }

// NewSpool makes a file, or empties one.
func NewSpool(path string, columns []*types.Type) (*Spool, error) {
	f, err := newFiled(Spec{Partitions: 1, Types: columns}, path)
	if err != nil {
		return nil, err
	}
	return &Spool{f}, nil
}

// Write appends a batch without a selection.
func (s *Spool) Write(b *vector.Batch) error { return s.out.Write(0, b) }

// Finish ends writing; only then the file can be read.
func (s *Spool) Finish() error { return s.out.Finish() }

// Bytes is the size of the file.
func (s *Spool) Bytes() int64 { return s.out.end }

// Open begins to read. Next ends with the context's error when that is cancelled, and with one of kind Lost when the file was removed.
func (s *Spool) Open(ctx context.Context) (Reader, error) { return s.out.open(ctx, 0, 0) }

// Remove deletes the file.
func (s *Spool) Remove() { s.out.release() }
