package shuffle

import (
	"context"
	"errors"
	"io"

	planpb "millrace/proto/millrace/plan/v1"
	"millrace/types"
	"millrace/vector"
)

// Ref names the output of one attempt of a task.
type Ref struct {
	Query   string
	Stage   uint32
	Task    int
	Attempt int
}

// Spec is what an output is made of.
type Spec struct {
	Partitions int
	Broadcast  bool // one partition, which many readers read
	Readers    int  // of each other partition, each of which gets all of it; 0: one
	Filed      bool // kept in a file until released; otherwise queued
	Types      []*types.Type
}

// Readers counts the ExchangeSources that read each of a query's stages.
func Readers(stages []*planpb.Stage) map[uint32]int {
	n := map[uint32]int{}
	var visit func(o *planpb.Operator)
	visit = func(o *planpb.Operator) {
		if e := o.GetExchangeSource(); e != nil {
			n[e.Stage]++
		}
		for _, c := range o.Children {
			visit(c)
		}
	}
	for _, s := range stages {
		visit(s.Root)
	}
	return n
}

// Writer takes a task's output. One goroutine writes; readers may read meanwhile if the output is queued. After Finish or Abort
// nothing more may be called.
type Writer interface {
	// Write takes over a batch without a selection; nobody may change it any more.
	Write(partition int, b *vector.Batch) error
	// Wanted is false once no reader will read the partition any more.
	Wanted(partition int) bool
	// Finish marks the end of all partitions.
	Finish() error
	// Abort leaves readers waiting; the output is gone when its query is released.
	Abort()
	// Stats are of what was written.
	Stats() Stats
}

// Reader reads one partition of an output. A batch is the caller's to read and may be kept; nobody may change it.
type Reader interface {
	// Next returns nil at the end.
	Next() (*vector.Batch, error)
	// Close says that no more will be read; it may be called more than once, and while Next waits.
	Close()
}

// output is what the Store keeps.
type output interface {
	Writer
	// open begins to read a partition, and so many more behind it, which only a filed output can. Next ends with the context's error when that is cancelled.
	open(ctx context.Context, partition, more int) (Reader, error)
	// release frees everything; readers that wait get an error.
	release()
}

// Stats are what a Writer has written.
type Stats struct {
	Rows, Bytes int64
	Memory      int64   // bytes of the batches as they were given
	Partitions  []int64 // bytes, by partition
}

// counts are a Writer's statistics.
type counts struct{ stats Stats }

func (c *counts) count(partition int, b *vector.Batch, bytes int64) {
	c.stats.Rows += int64(b.Rows())
	c.stats.Bytes += bytes
	c.stats.Memory += b.MemSize()
	c.stats.Partitions[partition] += bytes
}

// Stats implements Writer.
func (c *counts) Stats() Stats { return c.stats }

// eof makes the end of a stream nil.
func eof(b *vector.Batch, err error) (*vector.Batch, error) {
	if errors.Is(err, io.EOF) {
		return nil, nil
	}
	return b, err
}
