package connect

import (
	"context"
	"time"

	"google.golang.org/grpc"

	"millrace/errs"
	pb "millrace/proto/spark/connect"
	"millrace/session"
)

// recall answers an operation that has committed something in a process that has ended: its coordinator died before the client had the answer. The client
// sends it again, but its session is gone, so that it cannot, and must not, run again. The answer is nil when nothing was committed; then nothing will be,
// except by this process, and not by it either where the client had a session that is lost: it would not take the answer.
func (s *Service) recall(ctx context.Context, r *pb.ExecutePlanRequest) (*execution, error) {
	id := r.GetOperationId()
	if _, err := s.existing(ctx, r); id == "" || !gone(err) {
		return nil, nil
	}
	k, err := s.key(ctx, r)
	if err != nil {
		return nil, err
	}
	server, err := s.o.Sessions.Known(ctx, k)
	if err != nil {
		return nil, err
	}
	done, err := s.o.Sessions.Recall(ctx, id)
	if err == nil && len(done) == 0 && server != "" && s.sentAgain(id) {
		err = errs.New("INVALID_HANDLE.SESSION_CHANGED", "handle", k.ID)
	}
	if err != nil || len(done) == 0 {
		return nil, err
	}
	s.o.Log.Warn("an operation that a coordinator had committed before its end is answered", "operation", id, "commits", len(done))
	sess := s.o.Sessions.Detached(k.User, nil, []string{"default"})
	sess.Key = k
	if id := seen(r); id != "" {
		server = id // the client may have made the request before it had seen one
	}
	if server != "" {
		sess.ServerID = server // or the client takes the answer for somebody else's
	}
	e := &execution{key: executionKey{k, id}, id: id, session: sess, request: r, cancel: func() {}, log: newResponseLog(id, false, s.o.BufferBytes, s.o.SpillDir)}
	err = s.told(ctx, e, done)
	if err == nil {
		err = e.send(ctx, resultComplete())
	}
	e.log.finish(s.fail(k.ID, err))
	return e, nil
}

// sentAgain reports whether a client has asked for the operation before, and been told that it is not here.
func (s *Service) sentAgain(operation string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, asked := s.unknown[operation]
	return asked
}

// gone reports whether a session is not there, or not any more.
func gone(err error) bool {
	c := errs.ConditionOf(err)
	return c == "INVALID_HANDLE.SESSION_NOT_FOUND" || c == "INVALID_HANDLE.SESSION_CHANGED"
}

// told sends what the operation would have answered.
func (s *Service) told(ctx context.Context, e *execution, done []session.Commit) error {
	root, command, err := operationOf(e.request.Plan)
	if err != nil {
		return err
	}
	t := newTranslator(e.session)
	c, isSQL := command.GetCommandType().(*pb.Command_SqlCommand)
	switch {
	case isSQL:
		n, err := t.plan(sqlRelation(c.SqlCommand))
		if err != nil {
			return err
		}
		result, err := e.session.Recalled(ctx, e.id, asCommand(n), done)
		if err != nil {
			return err
		}
		return e.sendRows(ctx, result)
	case command != nil: // its client expects no rows, and what it reads may have been in the session
		return nil
	}
	n, err := t.plan(root)
	if err != nil {
		return err
	}
	result, err := e.session.Recalled(ctx, e.id, asCommand(n), done)
	if err != nil {
		return err
	}
	defer result.Close() // it is in memory
	return e.stream(ctx, result)
}

// reattachRecalled goes on with an operation that has committed something in a process that has ended, of whose answer the client has had all but the end.
func (s *Service) reattachRecalled(r *pb.ReattachExecuteRequest, stream grpc.ServerStreamingServer[pb.ExecutePlanResponse]) (answered bool, err error) {
	if r.GetLastResponseId() == "" { // it sends all of it again
		s.mu.Lock()
		defer s.mu.Unlock()
		s.unknown[r.OperationId] = time.Now()
		return false, nil
	}
	done, err := s.o.Sessions.Recall(stream.Context(), r.OperationId)
	if err != nil || len(done) == 0 {
		return false, err
	}
	end := resultComplete()
	end.SessionId, end.ServerSideSessionId, end.OperationId = r.SessionId, seen(r), r.OperationId
	return true, stream.Send(end)
}

func resultComplete() *pb.ExecutePlanResponse {
	return &pb.ExecutePlanResponse{ResponseType: &pb.ExecutePlanResponse_ResultComplete_{ResultComplete: &pb.ExecutePlanResponse_ResultComplete{}}}
}
