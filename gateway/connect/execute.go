package connect

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"strings"
	"time"

	"github.com/google/uuid"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"millrace/errs"
	"millrace/plan"
	pb "millrace/proto/spark/connect"
	"millrace/session"
)

type executionKey struct {
	session session.Key
	id      string
}

// execution is one operation with the log of its responses.
type execution struct {
	key          executionKey
	id           string
	session      *session.Session
	request      *pb.ExecutePlanRequest
	reattachable bool
	chunkBytes   int // 0: a batch is one response
	log          *responseLog
	cancel       context.CancelFunc
}

func (e *execution) stop() {
	e.cancel()
	e.log.finish(errs.New("INVALID_HANDLE.OPERATION_ABANDONED", "handle", e.id))
	e.log.close()
}

// ExecutePlan starts a plan and streams its responses.
func (s *Service) ExecutePlan(r *pb.ExecutePlanRequest, stream grpc.ServerStreamingServer[pb.ExecutePlanResponse]) error {
	known, err := s.recall(stream.Context(), r)
	if err != nil {
		return s.fail(r.SessionId, err)
	}
	if known != nil {
		return s.attach(known, 0, stream)
	}
	sess, err := s.session(stream.Context(), r)
	if err != nil {
		return s.fail(r.SessionId, err)
	}
	e, err := s.start(stream.Context(), sess, r)
	if err != nil {
		return s.fail(r.SessionId, err)
	}
	return s.attach(e, 0, stream)
}

// start registers and runs an operation. A client that did not see the first answer sends the same request again.
func (s *Service) start(ctx context.Context, sess *session.Session, r *pb.ExecutePlanRequest) (*execution, error) {
	id := r.GetOperationId()
	if id == "" {
		id = uuid.NewString()
	} else if len(id) != 36 || uuid.Validate(id) != nil {
		return nil, errs.New("INVALID_HANDLE.FORMAT", "handle", id)
	}
	if err := checkTags(r.Tags); err != nil {
		return nil, err
	}
	e := &execution{key: executionKey{sess.Key, id}, id: id, session: sess, request: r}
	for _, o := range r.RequestOptions {
		if o.GetReattachOptions().GetReattachable() {
			e.reattachable = true
		}
		if c := o.GetResultChunkingOptions(); c.GetAllowArrowBatchChunking() {
			e.chunkBytes = defaultChunk
			if n := c.GetPreferredArrowChunkSize(); n > 0 {
				e.chunkBytes = int(max(n, 1024))
			}
		}
	}
	e.log = newResponseLog(id, e.reattachable, s.o.BufferBytes, s.o.SpillDir)

	s.mu.Lock()
	defer s.mu.Unlock()
	if old := s.executions[e.key]; old != nil {
		if old.reattachable && proto.Equal(old.request.Plan, r.Plan) {
			return old, nil
		}
		return nil, errs.New("INVALID_HANDLE.OPERATION_ALREADY_EXISTS", "handle", id)
	}
	if _, gone := s.abandoned[e.key]; gone {
		return nil, errs.New("INVALID_HANDLE.OPERATION_ABANDONED", "handle", id)
	}
	parent := ctx
	if e.reattachable {
		parent = context.WithoutCancel(ctx)
	}
	parent, e.cancel = context.WithCancel(parent)
	running, op, err := sess.Begin(parent, id, r.Tags)
	if err != nil {
		e.cancel()
		return nil, err
	}
	s.executions[e.key] = e
	go s.run(running, e, op)
	return e, nil
}

func checkTags(tags []string) error {
	for _, t := range tags {
		if t == "" || strings.Contains(t, ",") {
			e := errs.Newf(errs.Invalid, "Spark Connect tag cannot %s.", map[bool]string{true: "be an empty string", false: "contain ','"}[t == ""])
			e.Class = errs.ClassIllegalArgument
			return e
		}
	}
	return nil
}

// run executes an operation to its end and records the outcome.
func (s *Service) run(ctx context.Context, e *execution, op *session.Operation) {
	err := s.execute(ctx, e, op)
	if cause := context.Cause(ctx); err != nil && cause != nil {
		err = cause
	}
	if err == nil && e.reattachable {
		err = e.send(ctx, resultComplete())
	}
	if errs.Is(err, errs.Internal) {
		s.o.Log.Error("operation failed", "operation", e.id, "error", err)
	}
	e.session.End(op, err)
	e.log.finish(s.fail(e.session.ID, err))
}

func (s *Service) execute(ctx context.Context, e *execution, op *session.Operation) (err error) {
	defer func() {
		if p := recover(); p != nil {
			s.o.Log.Error("operation panicked", "operation", e.id, "panic", p, "stack", string(debug.Stack()))
			err = errs.New("INTERNAL_ERROR", "message", fmt.Sprint(p))
		}
	}()
	root, command, err := operationOf(e.request.Plan)
	if err != nil {
		return err
	}
	e.session.Describe(op, describePlan(root, command))
	if command != nil {
		return s.executeCommand(ctx, e, command)
	}
	node, err := newTranslator(e.session).plan(root)
	if err != nil {
		return err
	}
	result, err := e.session.Run(ctx, node)
	if err != nil {
		return err
	}
	if made, ok := node.(*plan.CreateTable); ok && madeBy(root) != "" { // what createTable gives is the table
		result.Close()
		table := &plan.UnresolvedRelation{Parts: made.Name}
		e.session.KeepFrame(madeBy(root), table)
		if result, err = e.session.Run(ctx, table); err != nil {
			return err
		}
	}
	defer result.Close() // Next reports what went wrong
	return e.stream(ctx, result)
}

func (e *execution) send(ctx context.Context, r *pb.ExecutePlanResponse) error {
	r.SessionId, r.ServerSideSessionId, r.OperationId = e.session.ID, e.session.ServerID, e.id
	return e.log.append(ctx, r)
}

// attach sends the responses from an index on until the end, the stream's time or a new reader.
func (s *Service) attach(e *execution, from int, stream grpc.ServerStreamingServer[pb.ExecutePlanResponse]) error {
	ctx, cancel := context.WithTimeout(stream.Context(), s.o.StreamFor)
	if !e.reattachable {
		cancel()
		ctx, cancel = context.WithCancel(stream.Context())
	}
	defer cancel()
	reader := e.log.attach()
	defer e.log.detach(reader)
	if !e.reattachable {
		defer s.forget(e)
	}
	for i := from; ; i++ {
		r, err := e.log.get(ctx, reader, i)
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil && ctx.Err() != nil && stream.Context().Err() == nil:
			return nil // the client attaches again
		case err != nil:
			return s.fail(e.session.ID, err)
		}
		if err := stream.Send(r); err != nil {
			return err
		}
	}
}

func (s *Service) forget(e *execution) {
	s.mu.Lock()
	delete(s.executions, e.key)
	if e.reattachable {
		s.abandoned[e.key] = time.Now()
	}
	s.mu.Unlock()
	e.stop()
}

func (s *Service) find(k session.Key, id string) *execution {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.executions[executionKey{k, id}]
}

// ReattachExecute goes on with an operation's responses.
func (s *Service) ReattachExecute(r *pb.ReattachExecuteRequest, stream grpc.ServerStreamingServer[pb.ExecutePlanResponse]) error {
	sess, err := s.existing(stream.Context(), r)
	if gone(err) {
		answered, lost := s.reattachRecalled(r, stream)
		if answered {
			return lost
		}
		if lost != nil {
			err = lost
		}
	}
	if err != nil {
		return s.fail("", err)
	}
	e := s.find(sess.Key, r.OperationId)
	if e == nil {
		return s.fail(sess.ID, errs.New("INVALID_HANDLE.OPERATION_NOT_FOUND", "handle", r.OperationId))
	}
	if !e.reattachable {
		return s.fail(sess.ID, errs.New("INVALID_CURSOR.NOT_REATTACHABLE"))
	}
	from, err := e.log.after(r.GetLastResponseId())
	if err != nil {
		return s.fail(sess.ID, err)
	}
	return s.attach(e, from, stream)
}

// ReleaseExecute forgets what the client has read, or the whole operation.
func (s *Service) ReleaseExecute(ctx context.Context, r *pb.ReleaseExecuteRequest) (*pb.ReleaseExecuteResponse, error) {
	sess, err := s.existing(ctx, r)
	if err != nil {
		return nil, s.fail("", err)
	}
	out := &pb.ReleaseExecuteResponse{SessionId: sess.ID, ServerSideSessionId: sess.ServerID}
	e := s.find(sess.Key, r.OperationId)
	if e == nil {
		return out, nil
	}
	out.OperationId = &e.id
	switch release := r.Release.(type) {
	case *pb.ReleaseExecuteRequest_ReleaseAll_:
		s.forget(e)
	case *pb.ReleaseExecuteRequest_ReleaseUntil_:
		if err := e.log.release(release.ReleaseUntil.ResponseId); err != nil {
			return nil, s.fail(sess.ID, err)
		}
	}
	return out, nil
}
