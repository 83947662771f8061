package session

import (
	"context"
	"slices"
	"sync"
)

// keptActivity is how many ended operations of all sessions are still told of at least.
const keptActivity = 512

// Activity is what runs and what has ended lately in the sessions of a Manager, for pages that show it.
type Activity struct {
	mu      sync.Mutex
	running map[*Operation]Key
	ended   []Doing // oldest first
}

// Doing is an operation with the session whose it is; the copy does not change.
type Doing struct {
	Session Key
	Operation
}

func newActivity() *Activity { return &Activity{running: map[*Operation]Key{}} }

// Activity is what the manager's sessions do.
func (m *Manager) Activity() *Activity { return m.activity }

func (a *Activity) begin(k Key, op *Operation) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.running[op] = k
}

// update changes an operation that pages may be reading.
func (a *Activity) update(op *Operation, change func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	change()
	k, running := a.running[op]
	if !running || op.State == Running {
		return
	}
	delete(a.running, op)
	a.ended = append(a.ended, Doing{k, *op})
	if len(a.ended) >= 2*keptActivity {
		a.ended = append([]Doing(nil), a.ended[len(a.ended)-keptActivity:]...)
	}
}

// List gives what runs, by start, and what has ended lately, newest first.
func (a *Activity) List() (running, ended []Doing) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for op, k := range a.running {
		running = append(running, Doing{k, *op})
	}
	slices.SortFunc(running, func(x, y Doing) int { return x.Started.Compare(y.Started) })
	ended = slices.Clone(a.ended)
	slices.Reverse(ended)
	return running, ended
}

// Find gives an operation that runs or has ended lately.
func (a *Activity) Find(id string) (Doing, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for op, k := range a.running {
		if op.ID == id {
			return Doing{k, *op}, true
		}
	}
	for _, d := range slices.Backward(a.ended) {
		if d.ID == id {
			return d, true
		}
	}
	return Doing{}, false
}

// Cancel interrupts a running operation, whosever it is, and reports whether it runs.
func (m *Manager) Cancel(id string) bool {
	d, ok := m.activity.Find(id)
	if !ok || d.State != Running {
		return false
	}
	m.mu.Lock()
	s := m.sessions[d.Session]
	m.mu.Unlock()
	return s != nil && len(s.InterruptID(id)) > 0
}

// Purpose says what the work under a context is for.
type Purpose struct {
	Kind string // "operation" for a client's own; "stream", "job", "page" and the like for what runs by itself
	ID   string // of the operation, stream or job
	Text string // a word to people
}

type purposeKey struct{}

// WithPurpose marks work that no operation of a client asked for.
func WithPurpose(ctx context.Context, p Purpose) context.Context {
	return context.WithValue(ctx, purposeKey{}, p)
}

// PurposeOf is what the work under a context is for; the zero Purpose when nobody has said.
func PurposeOf(ctx context.Context) Purpose {
	p, _ := ctx.Value(purposeKey{}).(Purpose)
	return p
}

// Describe says what an operation does, in a line or in its SQL text.
func (s *Session) Describe(op *Operation, text string) {
	s.activity.update(op, func() { op.Text = text })
}
