package stream

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"millrace/errs"
	"millrace/session"
)

// listener gets a session's events in order, however slowly it takes them.
type listener struct {
	waiting []session.StreamEvent
	more    chan struct{} // holds a token when something waits
}

// Listen implements session.Streams.
func (m *Manager) Listen(ctx context.Context, s *session.Session) <-chan session.StreamEvent {
	l := &listener{more: make(chan struct{}, 1)}
	m.mu.Lock()
	w := m.watching(s.Key)
	w.listeners = append(w.listeners, l)
	m.mu.Unlock()
	out := make(chan session.StreamEvent)
	m.busy.Go(func() {
		defer close(out)
		defer m.unlisten(s.Key, l)
		for {
			m.mu.Lock()
			events := l.waiting
			l.waiting = nil
			m.mu.Unlock()
			for _, e := range events {
				select {
				case out <- e:
				case <-ctx.Done():
					return
				case <-m.ctx.Done():
					return
				}
			}
			select {
			case <-l.more:
			case <-ctx.Done():
				return
			case <-m.ctx.Done():
				return
			}
		}
	})
	return out
}

func (m *Manager) unlisten(k session.Key, l *listener) {
	m.mu.Lock()
	defer m.mu.Unlock()
	w := m.watching(k)
	for i, x := range w.listeners {
		if x == l {
			w.listeners = append(w.listeners[:i:i], w.listeners[i+1:]...)
			return
		}
	}
}

// tell gives an event to the listeners of a query's session.
func (m *Manager) tell(q *query, kind session.StreamEventKind, event any) {
	m.mu.Lock()
	defer m.mu.Unlock()
	w := m.seen[q.owner]
	if w == nil || len(w.listeners) == 0 {
		return
	}
	text, err := json.Marshal(event)
	if err != nil {
		m.o.Log.Error("encode a streaming query's event", "error", err)
		return
	}
	for _, l := range w.listeners {
		l.waiting = append(l.waiting, session.StreamEvent{Kind: kind, JSON: string(text)})
		select {
		case l.more <- struct{}{}:
		default:
		}
	}
}

type startedEvent struct {
	ID        string  `json:"id"`
	RunID     string  `json:"runId"`
	Name      *string `json:"name"`
	Timestamp string  `json:"timestamp"`
}

type progressEvent struct {
	Progress json.RawMessage `json:"progress"`
}

type idleEvent struct {
	ID        string `json:"id"`
	RunID     string `json:"runId"`
	Timestamp string `json:"timestamp"`
}

type terminatedEvent struct {
	ID        string  `json:"id"`
	RunID     string  `json:"runId"`
	Exception *string `json:"exception"`
	Class     *string `json:"errorClassOnException"`
}

func (q *query) terminated(err error) terminatedEvent {
	e := terminatedEvent{ID: q.id, RunID: q.runID}
	if err != nil {
		text := err.Error()
		e.Exception = &text
		if class := errs.ConditionOf(errors.Unwrap(err)); class != "" {
			e.Class = &class // of the cause: that it is STREAM_FAILED says nothing
		}
	}
	return e
}

// stamp is a time as Spark's reports show it.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
