package stream

import (
	"context"
	"io"
	"log/slog"
	"os"
	"sync"
	"time"

	"millrace/engine"
	"millrace/errs"
	"millrace/session"
	"millrace/storage"
	"millrace/stream/checkpoint"
	"millrace/stream/source"
)

// Options are what a Manager stands on.
type Options struct {
	Engine   *engine.Engine
	Sessions *session.Manager
	Sources  source.Env
	Records  Records   // nil: queries end with this process
	Dir      string    // where queries without a checkpoint location keep theirs; empty: the system's temporary directory
	Console  io.Writer // what the console sink prints to; nil: standard output
	Log      *slog.Logger
	// Store opens the place of a checkpoint; nil: storage.Open.
	Store func(location string) (storage.Store, error)
}

// Manager runs a coordinator's streaming queries.
type Manager struct {
	o Options

	ctx  context.Context // ends with Close
	stop context.CancelFunc
	busy sync.WaitGroup

	starting sync.Mutex // one query starts at a time, so that two do not take one checkpoint

	mu      sync.Mutex
	running map[string]*query // by id
	ended   []*query          // the latest, oldest first
	seen    map[session.Key]*watchers
}

// watchers is what a session's clients wait for.
type watchers struct {
	ended     []*query // since ResetTerminated
	changed   chan struct{}
	listeners []*listener
}

// keptEnded is how many ended queries are remembered.
const keptEnded = 100

var _ session.Streams = (*Manager)(nil)

// New makes a manager. Recover starts what the records tell of.
func New(o Options) *Manager {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.Console == nil {
		o.Console = os.Stdout
	}
	if o.Store == nil {
		o.Store = storage.Open
	}
	m := &Manager{o: o, running: map[string]*query{}, seen: map[session.Key]*watchers{}}
	m.ctx, m.stop = context.WithCancel(context.Background())
	return m
}

// Close stops the queries of this process. Those with a record go on elsewhere, or here when the process is started again.
func (m *Manager) Close() {
	m.stop()
	m.busy.Wait()
}

// Queries lists what runs, and then what has ended lately.
func (m *Manager) Queries() []session.StreamingQuery {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []session.StreamingQuery
	for _, q := range m.running {
		out = append(out, q)
	}
	for i := len(m.ended) - 1; i >= 0; i-- {
		out = append(out, m.ended[i])
	}
	return out
}

// sees reports whether a session may see a query: its own, and those of its user whose session was another process's.
func (q *query) sees(s *session.Session) bool {
	return q.owner == s.Key || q.owner.User == s.User && q.recovered
}

// Active implements session.Streams.
func (m *Manager) Active(s *session.Session) []session.StreamingQuery {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []session.StreamingQuery
	for _, q := range m.running {
		if q.sees(s) {
			out = append(out, q)
		}
	}
	return out
}

// Get implements session.Streams.
func (m *Manager) Get(s *session.Session, id string) session.StreamingQuery {
	m.mu.Lock()
	defer m.mu.Unlock()
	if q := m.running[id]; q != nil && q.sees(s) {
		return q
	}
	for _, q := range m.running {
		if q.runID == id && q.sees(s) {
			return q
		}
	}
	for i := len(m.ended) - 1; i >= 0; i-- {
		if q := m.ended[i]; (q.id == id || q.runID == id) && q.sees(s) {
			return q
		}
	}
	return nil
}

// watching is a session's watchers; mu is held.
func (m *Manager) watching(k session.Key) *watchers {
	w := m.seen[k]
	if w == nil {
		w = &watchers{changed: make(chan struct{})}
		m.seen[k] = w
	}
	return w
}

// AwaitAny implements session.Streams.
func (m *Manager) AwaitAny(ctx context.Context, s *session.Session, timeout time.Duration) (bool, error) {
	var limit <-chan time.Time
	if timeout > 0 {
		t := time.NewTimer(timeout)
		defer t.Stop()
		limit = t.C
	}
	for {
		m.mu.Lock()
		w := m.watching(s.Key)
		changed, ended := w.changed, w.ended
		m.mu.Unlock()
		for _, q := range ended {
			if err := q.Err(); err != nil {
				return true, err
			}
		}
		if len(ended) > 0 {
			return true, nil
		}
		select {
		case <-changed:
		case <-limit:
			return false, nil
		case <-ctx.Done():
			return false, ctx.Err()
		case <-m.ctx.Done():
			return false, errs.Newf(errs.Lost, "the coordinator is stopping")
		}
	}
}

// ResetTerminated implements session.Streams.
func (m *Manager) ResetTerminated(s *session.Session) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.watching(s.Key).ended = nil
}

// add makes a query known as running.
func (m *Manager) add(q *query) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.running[q.id] = q
}

// gone makes a query known as ended.
func (m *Manager) gone(q *query) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.running[q.id] == q {
		delete(m.running, q.id)
	}
	m.ended = append(m.ended, q)
	if len(m.ended) > keptEnded {
		m.ended = m.ended[1:]
	}
	w := m.watching(q.owner)
	w.ended = append(w.ended, q)
	close(w.changed)
	w.changed = make(chan struct{})
}

func (m *Manager) byID(id string) *query {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.running[id]
}

// checkpoint opens a checkpoint location.
func (m *Manager) checkpoint(location string) (*checkpoint.Log, error) {
	s, err := m.o.Store(location)
	if err != nil {
		return nil, err
	}
	return checkpoint.New(s), nil
}
