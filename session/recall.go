package session

import (
	"context"
	"time"

	"millrace/plan"
)

// Commit is a version of a table that an operation has made.
type Commit struct {
	Table   string
	Version int64
	Metrics map[string]string // as the table's history has them
}

// Recaller is an Engine that remembers what operations have committed, after the process has ended in which they ran.
type Recaller interface {
	Engine
	// Recall gives what an operation has committed. From then on no process but this one commits anything for it.
	Recall(ctx context.Context, operation string) ([]Commit, error)
	// Recalled is the result of a statement that is known to have committed something, or an error that says what it has.
	Recalled(ctx context.Context, s *Session, operation string, n plan.Node, done []Commit) (Result, error)
}

// Records remember sessions for longer than their processes live.
type Records interface {
	// Begun notes the server's id of a session that was made.
	Begun(ctx context.Context, k Key, serverID string) error
	// Known gives the id that was noted last, or none.
	Known(ctx context.Context, k Key) (serverID string, err error)
}

// noteFor bounds how long a new session waits for its record.
const noteFor = 2 * time.Second

// note keeps a record of a new session. Without one a client that loses its coordinator in its first statement may see that statement run again.
func (m *Manager) note(s *Session) {
	if m.opts.Records == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), noteFor)
	defer cancel()
	_ = m.opts.Records.Begun(ctx, s.Key, s.ServerID)
}

// Known is the server's id of a session that some process has made lately, or none.
func (m *Manager) Known(ctx context.Context, k Key) (string, error) {
	if m.opts.Records == nil {
		return "", nil
	}
	return m.opts.Records.Known(ctx, k)
}

// Recall gives what an operation has committed in a process that has ended. A client sends an operation again when it has lost the answer.
func (m *Manager) Recall(ctx context.Context, operation string) ([]Commit, error) {
	if r, ok := m.opts.Engine.(Recaller); ok {
		return r.Recall(ctx, operation)
	}
	return nil, nil
}

// Recalled is the result of a statement that had committed something when its process ended.
func (s *Session) Recalled(ctx context.Context, operation string, n plan.Node, done []Commit) (Result, error) {
	n, err := s.settle(ctx, n)
	if err != nil {
		return nil, err
	}
	return s.engine.(Recaller).Recalled(ctx, s, operation, n, done)
}
