package shuffle

import (
	"context"
	"io"
	"os"
	"sync"
	"time"

	"millrace/errs"
	"millrace/memory"
	"millrace/vector"
)

const (
	// queueBytes is how much of one output may wait in memory.
	queueBytes = 32 << 20
	// queueWorking is what one output may hold without having been granted it: less would have all rows go over the disk where operators have taken the memory.
	queueWorking = 4 << 20
	// queuePatience is how long a producer waits for a reader at least before it spills; longer where it has worked for long, so that a reader that is
	// busy for a while costs no detour over the disk, and one that does not come costs little of the time that has passed anyway.
	queuePatience     = 10 * time.Millisecond
	queuePatienceMost = 500 * time.Millisecond
	queuePatiencePart = 8 // of the time since the output was made
)

// queuedOutput hands batches to readers while they are made. Its queues share one budget and one spill file.
type queuedOutput struct {
	counts
	spec Spec
	pool *memory.Pool
	dir  string
	made time.Time

	mu       sync.Mutex
	queues   []queue
	bytes    int64         // in memory
	granted  int64         // of them by the pool
	stalled  bool          // nobody has made room since the last time that patience ended
	space    chan struct{} // a token when a reader has made room
	released bool
	spill    *os.File // unlinked; holds frames
	spillEnd int64
	framer   framer
}

// queue is one partition. Items that were read are empty, unless the output is broadcast and keeps them.
type queue struct {
	items   []item
	closed  bool          // the producer has finished
	wanted  int           // how many readers have not closed
	readers int           // that were ever opened
	changed chan struct{} // closed and replaced when readers should look again
	enc     *encoder      // of spilled items
}

// item is a batch in memory, or the place of its frame in the spill file.
type item struct {
	batch      *vector.Batch
	bytes      int64
	granted    int64 // by the pool: all of them or none
	at, length int64
	left       int // readers that will take it
}

func newQueued(spec Spec, pool *memory.Pool, dir string) *queuedOutput {
	o := &queuedOutput{spec: spec, pool: pool, dir: dir, made: time.Now(), queues: make([]queue, spec.Partitions), space: make(chan struct{}, 1)}
	o.stats.Partitions = make([]int64, spec.Partitions)
	for i := range o.queues {
		o.queues[i] = queue{changed: make(chan struct{}), wanted: max(spec.Readers, 1)}
	}
	return o
}

func (o *queuedOutput) Wanted(partition int) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.queues[partition].wanted > 0 && !o.released
}

func (o *queuedOutput) Write(partition int, b *vector.Batch) error {
	size := b.MemSize()
	o.mu.Lock()
	defer o.mu.Unlock()
	q := &o.queues[partition]
	if q.wanted == 0 {
		return nil
	}
	o.count(partition, b, size)
	it := item{batch: b, bytes: size}
	admitted := o.admit(&it) || o.await(&it)
	switch {
	case o.released:
		return errReleased
	case q.wanted == 0 && admitted: // they closed meanwhile
		o.free(&it)
		return nil
	case !admitted:
		var err error
		if it, err = o.spillBatch(q, b); err != nil {
			return err
		}
	}
	it.left = q.wanted
	q.items = append(q.items, it)
	q.wake()
	return nil
}

// admit takes room in memory for a batch, if there is some.
func (o *queuedOutput) admit(it *item) bool {
	switch {
	case o.released || o.bytes+it.bytes > queueBytes && o.bytes > 0:
		return false
	case o.pool.TryReserve(it.bytes):
		it.granted = it.bytes
	case o.bytes+it.bytes > min(queueWorking, o.pool.Limit()/16):
		return false
	}
	o.bytes, o.granted = o.bytes+it.bytes, o.granted+it.granted
	return true
}

// free gives back the room that a batch has taken.
func (o *queuedOutput) free(it *item) {
	o.bytes, o.granted = o.bytes-it.bytes, o.granted-it.granted
	o.pool.Release(it.granted)
}

// await gives readers a moment to make room. Once it was in vain, nobody is waited for until somebody does.
func (o *queuedOutput) await(it *item) bool {
	if o.stalled || o.spec.Broadcast {
		return false
	}
	patience := time.NewTimer(min(max(time.Since(o.made)/queuePatiencePart, queuePatience), queuePatienceMost))
	defer patience.Stop()
	for late := false; !late && !o.released; {
		o.mu.Unlock()
		select {
		case <-o.space:
		case <-patience.C:
			late = true
		}
		o.mu.Lock()
		if o.admit(it) {
			return true
		}
	}
	o.stalled = true
	return false
}

// wake has readers look again.
func (q *queue) wake() {
	close(q.changed)
	q.changed = make(chan struct{})
}

func (o *queuedOutput) Finish() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	for i := range o.queues {
		o.queues[i].closed = true
		o.queues[i].wake()
	}
	return nil
}

// Abort leaves the queues open: whoever reads them is cancelled together with the gang that the failed task is of.
func (o *queuedOutput) Abort() {}

func (o *queuedOutput) release() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.released {
		return
	}
	o.released = true
	o.pool.Release(o.granted)
	o.bytes, o.granted = 0, 0
	for i := range o.queues {
		o.queues[i].items = nil
		o.queues[i].wake()
	}
	o.signalSpace()
	if o.spill != nil {
		o.spill.Close()
	}
}

func (o *queuedOutput) signalSpace() {
	select {
	case o.space <- struct{}{}:
	default:
	}
}

func (o *queuedOutput) open(ctx context.Context, partition, more int) (Reader, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if partition >= len(o.queues) || more > 0 {
		return nil, errs.Newf(errs.Internal, "partition %d, and %d behind it, of an output of %d was asked for", partition, more, len(o.queues))
	}
	q := &o.queues[partition]
	if q.readers++; q.readers > max(o.spec.Readers, 1) && !o.spec.Broadcast {
		return nil, errs.Newf(errs.Lost, "partition %d is being read by another", partition)
	}
	return &queueReader{ctx: ctx, out: o, q: q}, nil
}

// queueReader reads a queue from its beginning.
type queueReader struct {
	ctx    context.Context
	out    *queuedOutput
	q      *queue
	at     int // items taken
	closed bool
	dec    *decoder // of spilled items
	held   []message
}

func (r *queueReader) Next() (*vector.Batch, error) {
	for {
		it, changed, err := r.take()
		switch {
		case err != nil:
			return nil, err
		case it.batch != nil:
			b := *it.batch // an operator may set a selection on its own copy
			return &b, nil
		case it.length > 0:
			return r.unspill(it)
		case changed == nil:
			return nil, nil
		}
		select {
		case <-changed:
		case <-r.ctx.Done():
			return nil, r.ctx.Err()
		}
	}
}

// take takes the next item; without one, it returns the channel to wait on, or nil at the end.
func (r *queueReader) take() (item, <-chan struct{}, error) {
	o, q := r.out, r.q
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case o.released:
		return item{}, nil, errReleased
	case r.closed:
		return item{}, nil, nil
	case r.at == len(q.items) && q.closed:
		return item{}, nil, nil
	case r.at == len(q.items):
		return item{}, q.changed, nil
	}
	it := q.items[r.at]
	r.at++
	if !o.spec.Broadcast {
		o.leave(&q.items[r.at-1])
	}
	return it, nil, nil
}

// leave frees an item that one reader less will take, if that was the last one.
func (o *queuedOutput) leave(it *item) {
	if it.left--; it.left > 0 {
		return
	}
	if it.batch != nil {
		o.free(it)
		o.stalled = false
		o.signalSpace()
	}
	*it = item{}
}

// Close frees what nobody will read.
func (r *queueReader) Close() {
	o, q := r.out, r.q
	o.mu.Lock()
	defer o.mu.Unlock()
	if r.closed {
		return
	}
	r.closed = true
	if o.spec.Broadcast || o.released {
		return
	}
	q.wanted--
	for i := r.at; i < len(q.items); i++ {
		o.leave(&q.items[i])
	}
	if q.wanted == 0 {
		q.items = nil
	}
	q.wake()
	o.signalSpace()
}

// unspill reads a spilled batch back. A partition's frames are one stream, in order.
func (r *queueReader) unspill(it item) (*vector.Batch, error) {
	msgs, err := readFrame(io.NewSectionReader(r.out.spill, it.at, it.length))
	if err != nil {
		return nil, errs.Wrap(err, "read %d spilled bytes", it.length)
	}
	r.held = append(r.held, msgs...)
	if r.dec == nil {
		r.dec = newDecoder(r.out.spec.Types, func() (message, error) {
			if len(r.held) == 0 {
				return message{}, io.ErrUnexpectedEOF
			}
			m := r.held[0]
			r.held = r.held[1:]
			return m, nil
		})
	}
	return r.dec.decode()
}

// spillBatch writes a batch to the spill file.
func (o *queuedOutput) spillBatch(q *queue, b *vector.Batch) (item, error) {
	if o.spill == nil {
		f, err := os.CreateTemp(o.dir, "queue-*.spill")
		if err != nil {
			return item{}, errs.Wrap(err, "spill a queue")
		}
		os.Remove(f.Name())
		o.spill = f
	}
	if q.enc == nil {
		q.enc = newEncoder(o.spec.Types)
	}
	msgs, err := q.enc.encode(b)
	if err != nil {
		return item{}, err
	}
	frame, err := o.framer.frame(msgs)
	if err != nil {
		return item{}, err
	}
	it := item{at: o.spillEnd, length: int64(len(frame))}
	if _, err := o.spill.WriteAt(frame, it.at); err != nil {
		return item{}, errs.Newf(errs.Exhausted, "spill a queue to %s: %v", o.dir, err)
	}
	o.spillEnd += it.length
	return it, nil
}
