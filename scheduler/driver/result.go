package driver

import (
	"errors"
	"sync"

	"millrace/errs"
	"millrace/operators"
	"millrace/scheduler"
	"millrace/types"
	"millrace/vector"
)

// Result is the rows of a query. Next is for one goroutine; Close may be called by any, at any time.
type Result struct {
	d    *Driver
	q    *query
	stop func() bool
	out  chan *vector.Batch
	end  chan struct{} // closed when pump has returned
	once sync.Once

	// The pump's own.
	held      []heldOutput
	heldBytes int64
	passed    int  // final tasks whose rows were handed out whole
	open      bool // rows of the task in hand go straight out
}

// heldOutput is what has been read of a final task and not handed out.
type heldOutput struct {
	ref     scheduler.Ref
	batches []*vector.Batch
	whole   bool
}

func newResult(d *Driver, q *query, stop func() bool) *Result {
	r := &Result{d: d, q: q, stop: stop, out: make(chan *vector.Batch, 4), end: make(chan struct{})}
	go r.pump()
	return r
}

// Types are the columns' types.
func (r *Result) Types() []*types.Type { return r.q.types }

// Next returns the next batch, which is the caller's to keep and not to change, or nil at the end; then the query has succeeded. After an
// error, which is the query's first cause, nothing more may be asked.
func (r *Result) Next() (*vector.Batch, error) {
	if b, ok := <-r.out; ok {
		return b, nil
	}
	<-r.q.done
	return nil, r.q.err
}

// Close cancels the query if it has not ended, and returns when nothing of it is left here. Workers forget it within 100 ms.
func (r *Result) Close() error {
	r.once.Do(func() {
		r.stop()
		r.d.apply(scheduler.Cancel{Job: r.q.def.ID, Err: errs.Newf(errs.Cancelled, "the query was closed before its end")})
		r.q.cancel()
		<-r.end
	})
	return nil
}

// pump reads the final tasks in order. It ends when all rows are out, or with the query.
func (r *Result) pump() {
	defer close(r.end)
	defer close(r.out)
	seen := map[int]int{} // by task: attempts that are of no use any more
	for r.passed+len(r.held) < r.q.finals() {
		task := r.passed + len(r.held)
		ready, err := r.q.awaitReady(task, seen[task])
		if err != nil {
			return
		}
		if len(r.held) > 0 && r.q.mode == scheduler.Pipelined && r.held[0].ref.Attempt != ready.ref.Attempt {
			r.giveUp(seen)
			continue
		}
		err = r.read(ready)
		switch {
		case r.q.ctx.Err() != nil:
			return
		case errors.Is(err, errGivenUp):
			r.giveUp(seen)
		case err != nil:
			r.lose(ready.ref, seen)
		case r.passed+len(r.held) == r.q.finals() && !r.flush():
			r.giveUp(seen)
		}
	}
}

var errGivenUp = errs.Newf(errs.Lost, "this attempt has been given up")

// giveUp forgets what is held after the scheduler gave up the first of it; of a pipelined query that means all.
func (r *Result) giveUp(seen map[int]int) {
	for i, h := range r.held {
		if i == 0 || r.q.mode == scheduler.Pipelined {
			seen[h.ref.Task] = max(seen[h.ref.Task], h.ref.Attempt)
		}
	}
	r.held, r.heldBytes = nil, 0
}

// lose tells the scheduler that an output cannot be read.
func (r *Result) lose(ref scheduler.Ref, seen map[int]int) {
	seen[ref.Task] = ref.Attempt
	if n := len(r.held); r.q.mode == scheduler.Pipelined {
		r.giveUp(seen)
	} else if n > 0 && r.held[n-1].ref == ref {
		r.held = r.held[:n-1]
	}
	r.d.apply(scheduler.InputLost{Ref: ref})
}

// read reads one final task's output to its end, and holds its rows back while they are few.
func (r *Result) read(from readyOutput) error {
	ctx, cancel := r.q.reading(from.ref)
	defer cancel()
	in, err := r.d.client.Open(ctx, from.address, refOf(from.ref), 0, r.q.mode == scheduler.Pipelined, r.q.types)
	if err != nil {
		return err
	}
	defer in.Close()
	r.held = append(r.held, heldOutput{ref: from.ref})
	for {
		b, err := in.Next()
		if err != nil {
			return err
		}
		if b == nil {
			break
		}
		h := &r.held[len(r.held)-1]
		h.batches = append(h.batches, b)
		r.heldBytes += b.MemSize()
		if (r.heldBytes > r.d.cfg.HoldBytes || r.open) && !r.flush() {
			return errGivenUp
		}
	}
	if n := len(r.held); n > 0 && r.held[n-1].ref == from.ref {
		r.held[n-1].whole = true
	}
	if r.open && !r.flush() {
		return errGivenUp
	}
	return nil
}

// flush hands out what is held. It returns false when an attempt has been given up, so that it must be read again.
func (r *Result) flush() bool {
	n := r.grant()
	whole := n == len(r.held)
	for i := range n {
		h := &r.held[i]
		for _, b := range h.batches {
			select {
			case r.out <- b:
			case <-r.q.ctx.Done():
				return true // pump sees it
			}
		}
		h.batches = nil
		if h.whole {
			r.passed++
			r.d.apply(scheduler.ResultRead{Ref: h.ref})
		}
	}
	r.heldBytes = 0
	r.open = true
	if n > 0 && !r.held[n-1].whole {
		n-- // more of it will come
	}
	r.held = r.held[n:]
	return whole
}

// grant asks for leave to hand out what is held, and returns how many outputs may go: of a pipelined query all or none, since they
// are of one attempt and nothing happens in between.
func (r *Result) grant() int {
	r.d.mu.Lock()
	defer r.d.mu.Unlock()
	for i, h := range r.held {
		if !r.q.granted[h.ref] {
			r.d.applyLocked(scheduler.ResultStarted{Ref: h.ref})
		}
		if !r.q.granted[h.ref] {
			return i
		}
	}
	return len(r.held)
}

// Metrics are the counters of all finished tasks, by operator; complete once Next has given nil.
func (r *Result) Metrics() map[uint32]*operators.OperatorMetrics {
	r.d.mu.Lock()
	defer r.d.mu.Unlock()
	return r.q.metrics()
}

// Adapted says how stages were run otherwise than planned, by their numbers; complete once Next has given nil.
func (r *Result) Adapted() map[uint32]string {
	r.d.mu.Lock()
	defer r.d.mu.Unlock()
	all := map[uint32]string{}
	for stage, d := range r.q.adapted {
		all[stage] = d.String()
	}
	return all
}

// Worker names the worker that made the output of a final task, for TaskInput.Worker of later queries; known once Next has given nil.
func (r *Result) Worker(task int) string {
	r.q.mu.Lock()
	defer r.q.mu.Unlock()
	if task >= len(r.q.ready) {
		return ""
	}
	return r.q.ready[task].worker
}

// Progress is how far the query is, and why it waits, if it does.
func (r *Result) Progress() (stages []StageProgress, waiting string) {
	r.d.mu.Lock()
	defer r.d.mu.Unlock()
	record := r.q.record()
	return record.Stages, record.Waiting
}
