package stream

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"

	"millrace/errs"
	"millrace/plan"
	"millrace/session"
	"millrace/stream/checkpoint"
	"millrace/stream/source"
)

// query is a streaming query's run.
type query struct {
	m         *Manager
	id, runID string
	name      string
	owner     session.Key
	recovered bool
	session   *session.Session // its own, which outlives the client's
	plan      plan.Node        // not analysed, without temporary views
	record    *record          // nil: the query ends with this process
	trigger   session.StreamTrigger
	mode      plan.OutputMode
	log       *checkpoint.Log
	sources   []source.Source // in the plan's order
	opened    []source.Source // in the order in which analysis asks for them
	sink      sink
	stateful  bool
	// incarnation is this process's run of the query: a worker's copy of the state is good for one.
	incarnation string
	cleanup     func() // removes what only this run needs

	ctx    context.Context // ends with Stop and with the manager
	cancel context.CancelCauseFunc
	done   chan struct{} // closed when the query has ended

	mu       sync.Mutex
	status   session.StreamStatus
	kept     []string // progress reports, oldest first
	err      error
	explain  [2]string // the last batch's plan: simple, extended
	wanted   int64     // ProcessAllAvailable calls so far
	settled  int64     // how many of them have been served
	idle     chan struct{}
	poke     chan struct{} // holds a token: look for data now
	position position
}

// position is how far a query has come, for messages.
type position struct{ committed, available []string }

// errStopped is why a query's context ends by Stop.
var errStopped = errs.Newf(errs.Cancelled, "the query was stopped")

var _ session.StreamingQuery = (*query)(nil)

// ID implements session.StreamingQuery.
func (q *query) ID() string { return q.id }

// RunID implements session.StreamingQuery.
func (q *query) RunID() string { return q.runID }

// Name implements session.StreamingQuery.
func (q *query) Name() string { return q.name }

// Status implements session.StreamingQuery.
func (q *query) Status() session.StreamStatus {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.status
}

// keptReports is how many progress reports are kept, as Spark does.
const keptReports = 100

// Progress implements session.StreamingQuery.
func (q *query) Progress(n int) []string {
	q.mu.Lock()
	defer q.mu.Unlock()
	kept := q.kept
	if n > 0 && len(kept) > n {
		kept = kept[len(kept)-n:]
	}
	return append([]string(nil), kept...)
}

// Explain implements session.StreamingQuery.
func (q *query) Explain(extended bool) string {
	q.mu.Lock()
	defer q.mu.Unlock()
	text := q.explain[0]
	if extended {
		text = q.explain[1]
	}
	if text == "" {
		return "No physical plan. Waiting for data."
	}
	return text
}

// Stop implements session.StreamingQuery.
func (q *query) Stop(ctx context.Context) error {
	q.cancel(errStopped)
	select {
	case <-q.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Await implements session.StreamingQuery.
func (q *query) Await(ctx context.Context, timeout time.Duration) (bool, error) {
	var limit <-chan time.Time
	if timeout > 0 {
		t := time.NewTimer(timeout)
		defer t.Stop()
		limit = t.C
	}
	select {
	case <-q.done:
		return true, q.Err()
	case <-limit:
		return false, nil
	case <-ctx.Done():
		return false, ctx.Err()
	}
}

// Err implements session.StreamingQuery.
func (q *query) Err() error {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.err
}

// ProcessAllAvailable implements session.StreamingQuery.
func (q *query) ProcessAllAvailable(ctx context.Context) error {
	q.mu.Lock()
	q.wanted++
	want := q.wanted
	q.mu.Unlock()
	select {
	case q.poke <- struct{}{}:
	default:
	}
	for {
		q.mu.Lock()
		settled, idle := q.settled, q.idle
		q.mu.Unlock()
		if settled >= want {
			return nil
		}
		select {
		case <-idle:
		case <-q.done:
			return q.Err()
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// wants is how many calls of ProcessAllAvailable there were before a look for data.
func (q *query) wants() int64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.wanted
}

// settle says that there was nothing left at a look that began after so many calls.
func (q *query) settle(wants int64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.settled = max(q.settled, wants)
	close(q.idle)
	q.idle = make(chan struct{})
}

func (q *query) setStatus(message string, data, active bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.status = session.StreamStatus{Message: message, DataAvailable: data, TriggerActive: active, Active: true}
}

// keep adds a progress report and tells listeners.
func (q *query) keep(p progress) {
	text, err := json.Marshal(p)
	if err != nil {
		q.m.o.Log.Error("encode a streaming query's progress", "error", err)
		return
	}
	q.mu.Lock()
	q.kept = append(q.kept, string(text))
	if len(q.kept) > keptReports {
		q.kept = q.kept[1:]
	}
	q.mu.Unlock()
	q.m.tell(q, session.StreamProgress, progressEvent{text})
}

// failure is what a query ends with, as Spark words it.
func (q *query) failure(err error) error {
	e := errs.New("STREAM_FAILED", "id", q.id, "runId", q.runID, "message", messageOf(err))
	e.Cause = err
	var b strings.Builder
	fmt.Fprintf(&b, "\n=== Streaming Query ===\nIdentifier: %s[id = %s, runId = %s]", named(q.name), q.id, q.runID)
	q.mu.Lock()
	at := q.position
	q.mu.Unlock()
	fmt.Fprintf(&b, "\nCurrent Committed Offsets: %s\nCurrent Available Offsets: %s\n", q.offsets(at.committed), q.offsets(at.available))
	b.WriteString("\nCurrent State: ACTIVE\nThread State: RUNNABLE\n")
	e.Trailer = b.String()
	return e
}

func named(name string) string {
	if name == "" {
		return ""
	}
	return name + " "
}

func (q *query) offsets(list []string) string {
	var parts []string
	for i, s := range list {
		if s != "" && i < len(q.sources) {
			parts = append(parts, q.sources[i].Description()+": "+s)
		}
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

// messageOf is an error's message as Spark puts it into another: with its condition, and with its SQLSTATE but for Delta's.
func messageOf(err error) string {
	text := err.Error()
	if strings.Contains(text, "[DELTA_") || strings.Contains(text, "[DIFFERENT_DELTA") {
		if i := strings.LastIndex(text, " SQLSTATE: "); i >= 0 {
			text = text[:i]
		}
	}
	return text
}
