package stream

import (
	"context"

	"millrace/stream/checkpoint"
)

// wal writes a checkpoint's entries in their order, one after the other, while the query goes on. After an error nothing more is written.
type wal struct {
	log  *checkpoint.Log
	jobs chan walJob
	done chan struct{}
}

type walJob struct {
	write  func(context.Context) error
	answer chan error
}

func newWAL(ctx context.Context, l *checkpoint.Log) *wal {
	w := &wal{log: l, jobs: make(chan walJob, 8), done: make(chan struct{})}
	go func() {
		defer close(w.done)
		var failed error
		for j := range w.jobs {
			if failed == nil {
				failed = j.write(ctx)
			}
			j.answer <- failed
		}
	}()
	return w
}

// add queues a write; the channel gives its outcome.
func (w *wal) add(write func(context.Context) error) <-chan error {
	j := walJob{write, make(chan error, 1)}
	w.jobs <- j
	return j.answer
}

// plan writes what a batch reads.
func (w *wal) plan(batch int64, o checkpoint.Offsets) <-chan error {
	return w.add(func(ctx context.Context) error { return w.log.Plan(ctx, batch, o) })
}

// finish writes that a batch is done, and forgets one that is older than what is kept.
func (w *wal) finish(batch int64, c checkpoint.Commit, keep int64) <-chan error {
	return w.add(func(ctx context.Context) error {
		if err := w.log.Done(ctx, batch, c); err != nil {
			return err
		}
		return w.log.Forget(ctx, batch-keep-1)
	})
}

// flush waits until everything is written.
func (w *wal) flush() error { return <-w.add(func(context.Context) error { return nil }) }

// close ends the writer once everything is written.
func (w *wal) close() {
	close(w.jobs)
	<-w.done
}
