package session

import (
	"context"
	"os"
	"path/filepath"
	"sort"
	"sync"
	"time"

	"github.com/google/uuid"

	"millrace/errs"
	"millrace/plan"
)

// Options are what all sessions of a process share.
type Options struct {
	Engine  Engine
	Catalog Catalog           // nil: no tables by name
	Conf    map[string]string // the cluster's own settings
	// Dir is where sessions keep what clients upload; empty: the system's temporary directory.
	Dir string
	// IdleTimeout closes a session in which nothing has run for so long; zero: never.
	IdleTimeout time.Duration
	Now         func() time.Time // nil: time.Now
	Records     Records          // nil: nobody remembers sessions
}

// Manager holds the sessions of a process.
type Manager struct {
	opts     Options
	globals  *views
	activity *Activity

	mu       sync.Mutex
	sessions map[Key]*Session
	closed   map[Key]time.Time
}

// closedFor is how long a closed session's id stays unusable.
const closedFor = time.Hour

// NewManager makes an empty manager.
func NewManager(o Options) *Manager {
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Manager{opts: o, globals: newViews(), activity: newActivity(), sessions: map[Key]*Session{}, closed: map[Key]time.Time{}}
}

// Get finds a session or makes it. A client that names the server's session id it has seen must find that one:
// otherwise its views and configuration are gone and it is told so.
func (m *Manager) Get(k Key, seen string) (*Session, error) {
	if err := checkID(k.ID); err != nil {
		return nil, err
	}
	s, made, err := m.get(k, seen)
	if made {
		m.note(s)
	}
	return s, err
}

func (m *Manager) get(k Key, seen string) (s *Session, made bool, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s = m.sessions[k]
	if _, gone := m.closed[k]; gone && s == nil {
		return nil, false, errs.New("INVALID_HANDLE.SESSION_CLOSED", "handle", k.ID)
	}
	if seen != "" && (s == nil || s.ServerID != seen) {
		return nil, false, errs.New("INVALID_HANDLE.SESSION_CHANGED", "handle", k.ID)
	}
	if made = s == nil; made {
		s = m.make(k)
		m.sessions[k] = s
	}
	s.touch(m.opts.Now())
	return s, made, nil
}

// Find is a session that exists. A client that attaches again to an operation of a server that was started anew, and is told that its session is not there, sends
// the operation again.
func (m *Manager) Find(k Key, seen string) (*Session, error) {
	if err := checkID(k.ID); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.sessions[k]
	switch {
	case s != nil && seen != "" && s.ServerID != seen:
		return nil, errs.New("INVALID_HANDLE.SESSION_CHANGED", "handle", k.ID)
	case s != nil:
		s.touch(m.opts.Now())
		return s, nil
	}
	if _, gone := m.closed[k]; gone {
		return nil, errs.New("INVALID_HANDLE.SESSION_CLOSED", "handle", k.ID)
	}
	return nil, errs.New("INVALID_HANDLE.SESSION_NOT_FOUND", "handle", k.ID)
}

func checkID(id string) error {
	if len(id) != 36 || uuid.Validate(id) != nil {
		return errs.New("INVALID_HANDLE.FORMAT", "handle", id)
	}
	return nil
}

func (m *Manager) make(k Key) *Session {
	dir := m.opts.Dir
	if dir == "" {
		dir = filepath.Join(os.TempDir(), "millrace-sessions")
	}
	id := uuid.NewString()
	return &Session{Key: k, ServerID: id, Conf: NewConf(m.opts.Conf), Started: m.opts.Now(),
		engine: m.opts.Engine, catalog: m.opts.Catalog, globals: m.globals, views: newViews(), activity: m.activity,
		namespace: []string{"default"}, frames: map[string]plan.Node{}, operation: map[string]*Operation{},
		Artifacts: newArtifacts(filepath.Join(dir, id))}
}

func (s *Session) touch(now time.Time) {
	s.mu.Lock()
	s.lastUsed = now
	s.mu.Unlock()
}

// Clone makes a session with a copy of another's configuration, views and uploads. An empty id picks one.
func (m *Manager) Clone(from *Session, id string) (*Session, error) {
	if id == "" {
		id = uuid.NewString()
	}
	if checkID(id) != nil {
		return nil, errs.New("INVALID_CLONE_SESSION_REQUEST.TARGET_SESSION_ID_FORMAT", "targetSessionId", id)
	}
	k := Key{from.User, id}
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, gone := m.closed[k]; gone {
		return nil, errs.New("INVALID_CLONE_SESSION_REQUEST.TARGET_SESSION_ID_ALREADY_CLOSED", "targetSessionId", id)
	}
	if m.sessions[k] != nil {
		return nil, errs.New("INVALID_CLONE_SESSION_REQUEST.TARGET_SESSION_ID_ALREADY_EXISTS", "targetSessionId", id)
	}
	s := m.make(k)
	s.Conf, s.views, s.namespace = from.Conf.clone(), from.views.clone(), from.Namespace()
	if err := from.Artifacts.copyTo(s.Artifacts); err != nil {
		return nil, err
	}
	m.sessions[k] = s
	s.touch(m.opts.Now())
	return s, nil
}

// Detached makes a session that no client reaches, with the given settings and current schema: what goes on for a user after his
// own session has ended runs in it.
func (m *Manager) Detached(user string, conf map[string]string, namespace []string) *Session {
	s := m.make(Key{user, uuid.NewString()})
	for k, v := range conf {
		s.Conf.set[k] = v
	}
	s.namespace = append([]string(nil), namespace...)
	return s
}

// Close ends a session: its operations are cancelled and its uploads removed. With reuse its id may be taken again.
func (m *Manager) Close(k Key, reuse bool) *Session {
	m.mu.Lock()
	s := m.sessions[k]
	delete(m.sessions, k)
	if reuse {
		delete(m.closed, k)
	} else {
		m.closed[k] = m.opts.Now()
	}
	m.mu.Unlock()
	if s != nil {
		s.close()
	}
	return s
}

func (s *Session) close() {
	s.mu.Lock()
	s.closed = true
	closers := s.closers
	s.closers = nil
	s.mu.Unlock()
	s.InterruptAll()
	for _, f := range closers {
		f()
	}
	s.Artifacts.remove()
}

// Sessions lists the live sessions by start.
func (m *Manager) Sessions() []*Session {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := make([]*Session, 0, len(m.sessions))
	for _, s := range m.sessions {
		all = append(all, s)
	}
	sort.Slice(all, func(i, j int) bool { return all[i].Started.Before(all[j].Started) })
	return all
}

// Expire closes the sessions that have been idle for too long.
func (m *Manager) Expire() {
	now := m.opts.Now()
	var idle []*Session
	m.mu.Lock()
	for k, s := range m.sessions {
		if m.opts.IdleTimeout > 0 && s.idleSince(now) > m.opts.IdleTimeout {
			idle = append(idle, s)
			delete(m.sessions, k)
			m.closed[k] = now
		}
	}
	for k, at := range m.closed {
		if now.Sub(at) > closedFor {
			delete(m.closed, k)
		}
	}
	m.mu.Unlock()
	for _, s := range idle {
		s.close()
	}
}

func (s *Session) idleSince(now time.Time) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, op := range s.operation {
		if op.State == Running {
			return 0
		}
	}
	return now.Sub(s.lastUsed)
}

// Watch expires idle sessions until ctx ends, then closes all.
func (m *Manager) Watch(ctx context.Context) {
	tick := time.NewTicker(max(m.opts.IdleTimeout/10, time.Second))
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			m.Expire()
		case <-ctx.Done():
			for _, s := range m.Sessions() {
				m.Close(s.Key, true)
			}
			return
		}
	}
}
