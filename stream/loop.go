package stream

import (
	"context"
	"strconv"
	"strings"
	"time"

	"millrace/engine"
	"millrace/errs"
	"millrace/plan"
	"millrace/plan/streaming"
	"millrace/session"
	"millrace/storage"
	"millrace/stream/checkpoint"
	"millrace/stream/source"
)

// loop is a run's place in its batches. One goroutine uses it.
type loop struct {
	q    *query
	wal  *wal
	keep int64 // batches whose entries are kept

	next      int64    // the batch to run
	committed []string // up to where batches before it have read each source
	planned   *checkpoint.Offsets
	watermark int64
	conf      map[string]string
	finished  <-chan error // the outcome of the last commits entry, or nil
	prior     time.Time    // the trigger before
}

// begin finds out from the checkpoint where to go on.
func (l *loop) begin(ctx context.Context) error {
	q := l.q
	q.setStatus("Initializing sources", false, false)
	l.keep = q.session.Conf.Int("spark.sql.streaming.minBatchesToRetain", 100)
	l.committed = make([]string, len(q.sources))
	l.conf = statefulConf(q.session, q.m.o.Engine.Slots())
	for i, s := range q.sources {
		k, ok := s.(source.Keeper)
		if !ok {
			continue
		}
		store, err := q.m.o.Store(storage.Join(q.log.URL(), "sources/"+strconv.Itoa(i)))
		if err != nil {
			return err
		}
		if err := k.Keep(ctx, store); err != nil {
			return err
		}
	}
	planned, done, err := q.log.Latest(ctx)
	if err != nil || planned < 0 {
		return err
	}
	last, _, err := q.log.Offsets(ctx, planned)
	if err != nil {
		return err
	}
	if err := l.checkSources(last); err != nil {
		return err
	}
	l.watermark = last.WatermarkMs
	if last.Conf != nil {
		l.conf = last.Conf
	}
	if done >= planned {
		l.next, l.committed = planned+1, last.Ends
		c, _, err := q.log.Commit(ctx, planned)
		l.watermark = max(l.watermark, c.NextWatermarkMs)
		l.position(l.committed, l.committed)
		return err
	}
	l.next, l.planned = planned, &last
	if planned > 0 {
		before, found, err := q.log.Offsets(ctx, planned-1)
		if err != nil {
			return err
		}
		if !found {
			return errs.Newf(errs.Invalid, "The checkpoint %s lacks offsets/%d, which batch %d goes on from. Put the file back, or use another checkpoint location.",
				q.log.URL(), planned-1, planned)
		}
		if err := l.checkSources(before); err != nil {
			return err
		}
		l.committed = before.Ends
	}
	l.position(l.committed, last.Ends)
	return nil
}

func (l *loop) checkSources(o checkpoint.Offsets) error {
	if len(o.Ends) != len(l.q.sources) {
		return errs.Newf(errs.Invalid, "assertion failed: There are [%d] sources in the checkpoint offsets and now there are [%d] sources requested by the query. Cannot continue.",
			len(o.Ends), len(l.q.sources))
	}
	return nil
}

func (l *loop) position(committed, available []string) {
	l.q.mu.Lock()
	defer l.q.mu.Unlock()
	l.q.position = position{committed, available}
}

// forever runs batches as data comes, or at the times of the trigger.
func (l *loop) forever(ctx context.Context) error {
	for {
		began := time.Now()
		ran, err := l.trigger(ctx, false)
		if err != nil {
			return err
		}
		switch every := l.q.trigger.Every; {
		case every > 0:
			ms := max(every.Milliseconds(), 1)
			next := time.UnixMilli((began.UnixMilli()/ms + 1) * ms)
			if ran {
				l.q.setStatus("Waiting for next trigger", true, false)
			}
			err = sleep(ctx, time.Until(next))
		case !ran:
			err = l.wait(ctx)
		}
		if err != nil {
			return err
		}
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// wait returns when a source may have something new, or somebody asks.
func (l *loop) wait(ctx context.Context) error {
	inner, cancel := context.WithCancel(ctx)
	defer cancel()
	news := make(chan error, len(l.q.sources))
	for i, s := range l.q.sources {
		after := l.committed[i]
		go func() { news <- s.Wait(inner, after) }()
	}
	idle := time.NewTimer(idleEvery)
	defer idle.Stop()
	var err error
	waiting := len(l.q.sources)
	for open := true; open; {
		select {
		case err = <-news:
			waiting--
			open = false
		case <-l.q.poke:
			open = false
		case <-idle.C:
			l.q.m.tell(l.q, session.StreamIdle, idleEvent{l.q.id, l.q.runID, stamp(time.Now())})
			idle.Reset(idleEvery)
		case <-ctx.Done():
			err, open = ctx.Err(), false
		}
	}
	cancel()
	for ; waiting > 0; waiting-- {
		<-news //nolint:errcheck // it was cancelled; waited for because sources are used by one goroutine at a time
	}
	return err
}

// idleEvery is how often listeners hear of a query without data, as Spark's noDataProgressEventInterval.
const idleEvery = 10 * time.Second

// availableNow runs batches up to what there is now.
func (l *loop) availableNow(ctx context.Context) error {
	if l.planned != nil {
		if _, err := l.trigger(ctx, false); err != nil {
			return err
		}
	}
	for _, s := range l.q.sources {
		if err := s.Freeze(ctx); err != nil {
			return err
		}
	}
	for {
		ran, err := l.trigger(ctx, false)
		if err != nil || !ran {
			return err
		}
	}
}

// trigger runs one batch if there is something to run.
func (l *loop) trigger(ctx context.Context, all bool) (ran bool, err error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	q, r := l.q, batchReport{phases: newPhases(), batch: l.next, starts: l.committed}
	if !l.prior.IsZero() {
		r.sincePrior = r.phases.start.Sub(l.prior)
	}
	wants := q.wants()
	offsets, logged, err := l.offsets(ctx, all, r.phases)
	if err != nil {
		return false, err
	}
	if offsets == nil {
		q.setStatus("Waiting for data to arrive", false, false)
		if err := l.settled(); err != nil {
			return false, err
		}
		q.settle(wants)
		return false, nil
	}
	l.prior = r.phases.start
	q.setStatus("Processing new data", true, true)
	r.ends = offsets.Ends
	ready := l.ready(logged)
	for wait := 100 * time.Millisecond; ; wait = min(2*wait, 5*time.Second) {
		err := l.batch(ctx, *offsets, ready, &r)
		if err == nil {
			break
		}
		if !errs.Is(err, errs.Lost) && errs.ConditionOf(err) != "CLUSTER_NO_WORKER" {
			return false, err
		}
		// No worker could finish it, now: that says nothing of the query. The same batch runs again.
		q.m.o.Log.Warn("a micro-batch waits for workers", "id", q.id, "batch", l.next, "error", err)
		q.setStatus("Waiting for workers: "+messageOf(err), true, true)
		if err := sleep(ctx, wait); err != nil {
			return false, err
		}
	}
	q.keep(q.report(r))
	return true, nil
}

// settled waits until the last batch's end is written.
func (l *loop) settled() error {
	if l.finished == nil {
		return nil
	}
	err := <-l.finished
	l.finished = nil
	return err
}

// offsets is what the next batch reads, or nil when there is nothing. Logged gives the outcome of its entry in the checkpoint, which is being
// written; it is nil where the entry was there.
func (l *loop) offsets(ctx context.Context, all bool, p *phases) (*checkpoint.Offsets, <-chan error, error) {
	if o := l.planned; o != nil {
		return o, nil, nil
	}
	o := &checkpoint.Offsets{WatermarkMs: l.watermark, Conf: l.conf, Ends: make([]string, len(l.committed))}
	news := false
	for i, s := range l.q.sources {
		l.q.setStatus("Getting offsets from "+s.Description(), false, true)
		end, err := s.Latest(ctx, l.committed[i], all)
		if err != nil {
			return nil, nil, err
		}
		o.Ends[i] = end
		news = news || end != l.committed[i]
	}
	p.end("latestOffset")
	if !news {
		return nil, nil, nil
	}
	o.TimestampMs = time.Now().UnixMilli()
	l.position(l.committed, o.Ends)
	return o, l.wal.plan(l.next, *o), nil
}

// batch runs the next batch; ready waits for its entry in the checkpoint.
func (l *loop) batch(ctx context.Context, o checkpoint.Offsets, ready func(context.Context) error, r *batchReport) error {
	q := l.q
	r.rows = make([]int64, len(q.sources))
	if q.stateful || !q.sink.overlaps() {
		if err := ready(ctx); err != nil {
			return err
		}
	}
	r.phases.end("walCommit")
	w, err := q.sink.write(ctx, l.microBatch(ctx, o, r), l.next, ready)
	if err != nil {
		return err
	}
	r.phases.end("addBatch")
	r.written = w
	if err := ready(ctx); err != nil { // a sink that had the batch already has not asked
		return err
	}
	if l.finished != nil {
		if err := <-l.finished; err != nil {
			return err
		}
	}
	l.finished = l.wal.finish(l.next, checkpoint.Commit{NextWatermarkMs: l.watermark}, l.keep)
	l.next, l.committed, l.planned = l.next+1, o.Ends, nil
	for i, s := range q.sources {
		s.Forget(r.starts[i])
	}
	l.position(l.committed, l.committed)
	r.phases.end("commitOffsets")
	return nil
}

// ready waits, at each call, for the batch's entry in the checkpoint.
func (l *loop) ready(logged <-chan error) func(context.Context) error {
	var err error
	waited := logged == nil
	return func(ctx context.Context) error {
		if waited {
			return err
		}
		select {
		case err = <-logged:
			waited = true
			return err
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// microBatch is the query over the batch's spans.
func (l *loop) microBatch(ctx context.Context, o checkpoint.Offsets, r *batchReport) engine.MicroBatch {
	q := l.q
	asked := 0
	b := engine.MicroBatch{Query: q.plan, Time: time.UnixMilli(o.TimestampMs)}
	b.Table = func(context.Context, *plan.UnresolvedSource) (plan.StreamTable, error) {
		asked++
		if asked > len(q.opened) {
			return nil, errs.Newf(errs.Internal, "the query's sources changed while it ran")
		}
		return q.opened[asked-1], nil
	}
	b.Span = func(t plan.StreamTable) (plan.Node, error) {
		for i, s := range q.sources {
			if s == t {
				n, rows, err := s.Span(ctx, r.starts[i], o.Ends[i])
				r.rows[i] = rows
				return n, err
			}
		}
		return nil, errs.Newf(errs.Internal, "the query has no source %s", t.Name())
	}
	if q.stateful {
		b.Stateful = func(n plan.Resolved) (plan.Resolved, error) { return l.withState(n, o) }
	}
	return b
}

// withState gives a batch's stateful operators their state.
func (l *loop) withState(n plan.Resolved, o checkpoint.Offsets) (plan.Resolved, error) {
	q := l.q
	parts, err := strconv.Atoi(o.Conf["spark.sql.shuffle.partitions"])
	if err != nil || parts < 1 {
		return nil, errs.Newf(errs.Invalid, "the checkpoint %s does not say how many partitions the state has", q.log.URL())
	}
	state := plan.StateStore{Location: storage.Join(q.log.URL(), "state"), Query: q.id, Run: q.incarnation, Version: l.next, Partitions: parts,
		Input:         strings.Join(append([]string{strconv.FormatInt(o.TimestampMs, 10)}, o.Ends...), "\n"),
		SnapshotEvery: int(q.session.Conf.Int("spark.sql.streaming.stateStore.minDeltasForSnapshot", 10)), Retain: int(l.keep)}
	late := int64(plan.NoWatermark)
	out, err := q.streaming().MicroBatch(n, streaming.Batch{State: state, Late: late, Evict: late})
	if err != nil {
		return nil, err
	}
	return out.(plan.Resolved), nil
}

func (q *query) streaming() streaming.Query { return streamingQuery(q.mode) }

func streamingQuery(mode plan.OutputMode) streaming.Query {
	return streaming.Query{Mode: mode, New: func(n plan.Node) bool { _, ok := n.(*plan.StreamScan); return ok }}
}
