package stream

import (
	"context"
	"errors"
	"fmt"
	"time"

	"millrace/errs"
	"millrace/session"
)

// run is a query from its start to its end.
func (q *query) run() {
	err := q.triggers()
	for wait := 50 * time.Millisecond; q.outrun(err) && wait < rivalry; wait *= 2 {
		if err = sleep(q.ctx, wait); err == nil {
			err = q.triggers()
		}
	}
	if errs.Is(err, errs.Cancelled) && q.ctx.Err() != nil {
		err = nil
	}
	q.end(err)
}

// rivalry is how long a run bears with another one that takes its entries of the checkpoint.
const rivalry = 10 * time.Second

// outrun reports whether a run of this query that has lost its claim, and does not know yet, took an entry of the checkpoint from this one,
// which then goes on from there. Where the claim is another's it is this run that goes.
func (q *query) outrun(err error) bool {
	if q.record == nil || errs.ConditionOf(err) != "CONCURRENT_STREAM_LOG_UPDATE" {
		return false
	}
	mine, err := q.m.o.Records.Claim(q.ctx, q.id)
	if err == nil && !mine {
		q.cancel(errElsewhere)
	}
	return err == nil && q.ctx.Err() == nil
}

// triggers runs micro-batches as the trigger says.
func (q *query) triggers() error {
	l := &loop{q: q, wal: newWAL(context.WithoutCancel(q.ctx), q.log)}
	defer l.wal.close()
	if err := l.begin(q.ctx); err != nil {
		return err
	}
	var err error
	switch {
	case q.trigger.Once:
		_, err = l.trigger(q.ctx, true)
	case q.trigger.AvailableNow:
		err = l.availableNow(q.ctx)
	default:
		err = l.forever(q.ctx)
	}
	if flushed := l.wal.flush(); err == nil {
		err = flushed
	}
	return err
}

// end makes the query's end known.
func (q *query) end(err error) {
	if errors.Is(context.Cause(q.ctx), errElsewhere) {
		err = nil
	}
	if err != nil {
		err = q.failure(err)
		q.m.o.Log.Warn("a streaming query failed", "id", q.id, "run", q.runID, "error", err)
	}
	for _, s := range q.opened {
		s.Close()
	}
	q.forgetRecord()
	q.mu.Lock()
	q.err = err
	q.status = session.StreamStatus{Message: "Stopped"}
	if err != nil {
		q.status.Message = "Terminated with exception: " + messageOf(errors.Unwrap(err))
	}
	q.mu.Unlock()
	if q.cleanup != nil {
		q.cleanup()
	}
	q.m.tell(q, session.StreamTerminated, q.terminated(err))
	q.m.gone(q)
	close(q.done)
}

// forgetRecord takes the query out of the records, unless it is to go on elsewhere.
func (q *query) forgetRecord() {
	if q.record == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	var err error
	switch cause := context.Cause(q.ctx); {
	case errors.Is(cause, errElsewhere):
		return
	case q.m.ctx.Err() != nil:
		err = q.m.o.Records.Release(ctx, q.id)
	default:
		err = q.m.o.Records.Remove(ctx, q.id, errors.Is(cause, errStopped))
	}
	if err != nil {
		q.m.o.Log.Warn("the record of a streaming query", "id", q.id, "error", fmt.Sprint(err))
	}
}
