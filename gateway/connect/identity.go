package connect

import (
	"context"

	pb "millrace/proto/spark/connect"
	"millrace/session"
)

// request is what every message of the service has.
type request interface {
	GetSessionId() string
	GetUserContext() *pb.UserContext
}

func (s *Service) key(ctx context.Context, r request) (session.Key, error) {
	user := r.GetUserContext().GetUserId()
	if s.o.User != nil {
		var err error
		if user, err = s.o.User(ctx, user); err != nil {
			return session.Key{}, err
		}
	}
	return session.Key{User: user, ID: r.GetSessionId()}, nil
}

func seen(r request) string {
	if o, ok := r.(interface{ GetClientObservedServerSideSessionId() string }); ok {
		return o.GetClientObservedServerSideSessionId()
	}
	return ""
}

// session finds the session that a request belongs to, or makes it.
func (s *Service) session(ctx context.Context, r request) (*session.Session, error) {
	k, err := s.key(ctx, r)
	if err != nil {
		return nil, err
	}
	return s.o.Sessions.Get(k, seen(r))
}

// existing finds the session that a request belongs to.
func (s *Service) existing(ctx context.Context, r request) (*session.Session, error) {
	k, err := s.key(ctx, r)
	if err != nil {
		return nil, err
	}
	return s.o.Sessions.Find(k, seen(r))
}
