package session

import (
	"context"
	"slices"
	"sort"
	"time"

	"millrace/errs"
)

// State is how far an operation has come.
type State uint8

// The states of an operation, in order.
const (
	Running State = iota
	Succeeded
	Failed
	Cancelled
)

// Operation is one request that runs: a query or a command.
type Operation struct {
	ID      string
	Tags    []string
	Started time.Time
	Ended   time.Time
	State   State
	Text    string // what it does: its SQL text, or a line about its plan
	Err     error  // why it failed or was cancelled

	cancel context.CancelCauseFunc
}

// keptOperations is how many ended operations a session still tells the state of.
const keptOperations = 1000

// Begin registers an operation. Its context ends when the operation is interrupted, the session closes, or the
// parent ends. Every Begin is followed by one End.
func (s *Session) Begin(parent context.Context, id string, tags []string) (context.Context, *Operation, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, nil, errs.New("INVALID_HANDLE.SESSION_CLOSED", "handle", s.ID)
	}
	if _, there := s.operation[id]; there {
		return nil, nil, errs.New("INVALID_HANDLE.OPERATION_ALREADY_EXISTS", "handle", id)
	}
	ctx, cancel := context.WithCancelCause(WithPurpose(parent, Purpose{Kind: "operation", ID: id}))
	op := &Operation{ID: id, Tags: tags, Started: time.Now(), cancel: cancel}
	s.operation[id] = op
	s.activity.begin(s.Key, op)
	s.lastUsed = time.Now()
	return ctx, op, nil
}

// End records an operation's outcome.
func (s *Session) End(op *Operation, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lastUsed = time.Now()
	s.activity.update(op, func() {
		op.Ended, op.Err = s.lastUsed, err
		switch {
		case err == nil:
			op.State = Succeeded
		case errs.Is(err, errs.Cancelled):
			op.State = Cancelled
		default:
			op.State = Failed
		}
	})
	op.cancel(nil)
	s.finished = append(s.finished, op.ID)
	if len(s.finished) > keptOperations {
		delete(s.operation, s.finished[0])
		s.finished = s.finished[1:]
	}
}

// Operations lists the session's operations by start; the copies do not change.
func (s *Session) Operations() []Operation {
	s.mu.Lock()
	defer s.mu.Unlock()
	ops := make([]Operation, 0, len(s.operation))
	for _, op := range s.operation {
		ops = append(ops, *op)
	}
	sort.Slice(ops, func(i, j int) bool { return ops[i].Started.Before(ops[j].Started) })
	return ops
}

// Interrupt cancels the running operations that match and gives their ids.
func (s *Session) Interrupt(match func(*Operation) bool) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var ids []string
	for id, op := range s.operation {
		if op.State == Running && match(op) {
			op.cancel(errs.New("OPERATION_CANCELED"))
			ids = append(ids, id)
		}
	}
	sort.Strings(ids)
	return ids
}

// InterruptAll cancels everything that runs.
func (s *Session) InterruptAll() []string {
	return s.Interrupt(func(*Operation) bool { return true })
}

// InterruptTag cancels the running operations with a tag.
func (s *Session) InterruptTag(tag string) []string {
	return s.Interrupt(func(op *Operation) bool { return slices.Contains(op.Tags, tag) })
}

// InterruptID cancels one operation.
func (s *Session) InterruptID(id string) []string {
	return s.Interrupt(func(op *Operation) bool { return op.ID == id })
}
