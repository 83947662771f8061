package web

import (
	"context"

	"github.com/google/uuid"

	"millrace/session"
	"millrace/sql"
	"millrace/types"
)

// sessionReader reads through a session of the page's own.
type sessionReader struct {
	sessions *session.Manager
	key      session.Key
}

// NewReader makes a Reader of the sessions' engine. What it runs has the purpose "page", which lists of queries leave out.
func NewReader(m *session.Manager) Reader {
	return sessionReader{m, session.Key{User: "page", ID: uuid.NewString()}}
}

func (r sessionReader) Fetch(ctx context.Context, text string, rows int) (*session.Table, error) {
	s, err := r.sessions.Get(r.key, "")
	if err != nil {
		return nil, err
	}
	n, err := sql.ParseStatement(text)
	if err != nil {
		return nil, err
	}
	return s.Fetch(session.WithPurpose(ctx, session.Purpose{Kind: "page", Text: text}), n, rows)
}

func (r sessionReader) Schema(ctx context.Context, text string) (*types.Type, error) {
	s, err := r.sessions.Get(r.key, "")
	if err != nil {
		return nil, err
	}
	n, err := sql.ParseStatement(text)
	if err != nil {
		return nil, err
	}
	return s.Schema(session.WithPurpose(ctx, session.Purpose{Kind: "page", Text: text}), n)
}
