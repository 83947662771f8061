package connect

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"millrace/errs"
	"millrace/plan"
	"millrace/session"
)

// stubStreams are queries that run no plan: each processes one batch when it starts, then waits; one named "failing" fails
// when it has. What was asked of them is kept.
type stubStreams struct {
	mu         sync.Mutex
	queries    []*stubQuery
	starts     []session.StreamStart
	terminated []*stubQuery
	changed    chan struct{}
	listeners  []chan session.StreamEvent
}

func newStubStreams() *stubStreams { return &stubStreams{changed: make(chan struct{})} }

type stubQuery struct {
	all     *stubStreams
	id, run string
	name    string
	err     error
	ended   bool
	cancel  context.CancelFunc // of the running micro-batch
}

func (s *stubStreams) notify() {
	close(s.changed)
	s.changed = make(chan struct{})
}

func (s *stubStreams) emit(kind session.StreamEventKind, text string) {
	for _, l := range s.listeners {
		l <- session.StreamEvent{Kind: kind, JSON: text}
	}
}

func (s *stubStreams) Start(ctx context.Context, sess *session.Session, start session.StreamStart) (session.StreamingQuery, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if start.Trigger.Continuous > 0 || start.Trigger.RealTime > 0 {
		return nil, errs.Unsupportedf("The stub has no %v.", start.Trigger)
	}
	q := &stubQuery{all: s, id: uuid.NewString(), run: uuid.NewString(), name: start.Name}
	s.queries, s.starts = append(s.queries, q), append(s.starts, start)
	s.emit(session.StreamStarted, "{}")
	if start.Batch != nil {
		ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
		q.cancel = cancel
		go func() {
			for id := range int64(3) {
				if err := start.Batch(ctx, batchRows(), id); err != nil {
					if ctx.Err() != nil {
						err = nil // it was stopped
					}
					q.end(err)
					return
				}
			}
			q.end(nil)
		}()
		return q, nil
	}
	s.emit(session.StreamProgress, fmt.Sprintf(`{"progress":%s}`, q.progress()))
	if start.Name == "failing" {
		go q.end(errs.New("DIVIDE_BY_ZERO", "config", `"spark.sql.ansi.enabled"`))
	}
	if start.Trigger.AvailableNow || start.Trigger.Once {
		go q.end(nil)
	}
	return q, nil
}

// end is the end of a query's run.
func (q *stubQuery) end(cause error) {
	q.all.mu.Lock()
	defer q.all.mu.Unlock()
	if q.ended {
		return
	}
	q.ended = true
	exception := "null"
	if cause != nil {
		q.err = &errs.Error{Kind: errs.Invalid, Class: errs.ClassStreaming, Condition: "STREAM_FAILED", SQLState: "XXKST", Cause: cause,
			Params:  map[string]string{"id": q.id, "runId": q.run, "message": cause.Error()},
			Message: fmt.Sprintf("Query [id = %s, runId = %s] terminated with exception: %s", q.id, q.run, cause), Trailer: "\n=== Streaming Query ===\nthe stub's"}
		exception = `"failed"`
	}
	q.all.terminated = append(q.all.terminated, q)
	q.all.emit(session.StreamTerminated, fmt.Sprintf(`{"id":"%s","runId":"%s","exception":%s,"errorClassOnException":null}`, q.id, q.run, exception))
	q.all.notify()
}

func (s *stubStreams) Active(*session.Session) []session.StreamingQuery {
	s.mu.Lock()
	defer s.mu.Unlock()
	var active []session.StreamingQuery
	for _, q := range s.queries {
		if !q.ended {
			active = append(active, q)
		}
	}
	return active
}

func (s *stubStreams) Get(_ *session.Session, id string) session.StreamingQuery {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, q := range slices.Backward(s.queries) {
		if q.id == id || q.run == id {
			return q
		}
	}
	return nil
}

// until waits for a condition under the lock, or for the timeout, if there is one.
func (s *stubStreams) until(ctx context.Context, timeout time.Duration, done func() bool) bool {
	var end <-chan time.Time
	if timeout > 0 {
		end = time.After(timeout)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for !done() {
		wait := s.changed
		s.mu.Unlock()
		over := false
		select {
		case <-wait:
		case <-end:
			over = true
		case <-ctx.Done():
			over = true
		}
		s.mu.Lock()
		if over {
			return done()
		}
	}
	return true
}

func (s *stubStreams) AwaitAny(ctx context.Context, _ *session.Session, timeout time.Duration) (ended bool, err error) {
	ended = s.until(ctx, timeout, func() bool {
		for _, q := range s.terminated {
			if q.err != nil {
				err = q.err
			}
		}
		return len(s.terminated) > 0
	})
	return ended, err
}

func (s *stubStreams) ResetTerminated(*session.Session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.terminated = nil
}

func (s *stubStreams) Listen(ctx context.Context, _ *session.Session) <-chan session.StreamEvent {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := make(chan session.StreamEvent, 1000)
	s.listeners = append(s.listeners, l)
	context.AfterFunc(ctx, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.listeners = slices.DeleteFunc(s.listeners, func(c chan session.StreamEvent) bool { return c == l })
		close(l)
	})
	return l
}

func (q *stubQuery) ID() string    { return q.id }
func (q *stubQuery) RunID() string { return q.run }
func (q *stubQuery) Name() string  { return q.name }

func (q *stubQuery) Status() session.StreamStatus {
	q.all.mu.Lock()
	defer q.all.mu.Unlock()
	if q.ended {
		return session.StreamStatus{Message: "Stopped"}
	}
	return session.StreamStatus{Message: "Waiting for data to arrive", DataAvailable: true, Active: true}
}

func (q *stubQuery) progress() string {
	name := "null"
	if q.name != "" {
		name = `"` + q.name + `"`
	}
	return fmt.Sprintf(`{"id":"%s","runId":"%s","name":%s,"timestamp":"2026-01-02T03:04:05.678Z","batchId":0,"batchDuration":7,"durationMs":{"addBatch":5},`+
		`"eventTime":{},"stateOperators":[],"sources":[{"description":"Stub","startOffset":null,"endOffset":"1","latestOffset":"1","numInputRows":10,`+
		`"inputRowsPerSecond":0.0,"processedRowsPerSecond":2.5}],"sink":{"description":"Stub","numOutputRows":-1},"observedMetrics":{}}`, q.id, q.run, name)
}

func (q *stubQuery) Progress(n int) []string {
	if n == 1 {
		return []string{q.progress()}
	}
	return []string{q.progress(), q.progress()}
}

func (q *stubQuery) Explain(extended bool) string {
	return fmt.Sprintf("== Physical Plan ==\nstub, extended: %t", extended)
}

func (q *stubQuery) Stop(ctx context.Context) error {
	if q.cancel == nil {
		q.end(nil)
		return nil
	}
	q.cancel()
	q.Await(ctx, 0) // it ends without an error
	return nil
}

func (q *stubQuery) ProcessAllAvailable(ctx context.Context) error {
	if q.name == "failing" {
		q.all.until(ctx, 0, func() bool { return q.ended })
	}
	return q.Err()
}

func (q *stubQuery) Await(ctx context.Context, timeout time.Duration) (bool, error) {
	ended := q.all.until(ctx, timeout, func() bool { return q.ended })
	return ended, q.Err()
}

func (q *stubQuery) Err() error {
	q.all.mu.Lock()
	defer q.all.mu.Unlock()
	return q.err
}

// batchRows is what the stub's micro-batches hold: the numbers below five.
func batchRows() plan.Node { return &plan.Range{Start: 0, End: 5, Step: 1} }
