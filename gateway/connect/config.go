package connect

import (
	"context"

	"google.golang.org/protobuf/proto"

	"millrace/errs"
	pb "millrace/proto/spark/connect"
	"millrace/session"
)

// notInConnect are settings that only a driver in the user's own process could act on.
var notInConnect = map[string]bool{"spark.sql.execution.arrow.enabled": true, "spark.sql.execution.arrow.pyspark.fallback.enabled": true,
	"spark.sql.execution.arrow.fallback.enabled": true, "spark.sql.execution.arrow.pyspark.enabled": true}

// Config reads and changes the session's configuration.
func (s *Service) Config(ctx context.Context, r *pb.ConfigRequest) (*pb.ConfigResponse, error) {
	sess, err := s.session(ctx, r)
	if err != nil {
		return nil, s.fail(r.SessionId, err)
	}
	out := &pb.ConfigResponse{SessionId: sess.ID, ServerSideSessionId: sess.ServerID}
	if err := configure(sess.Conf, r.GetOperation(), out); err != nil {
		return nil, s.fail(sess.ID, err)
	}
	return out, nil
}

func configure(c *session.Conf, op *pb.ConfigRequest_Operation, out *pb.ConfigResponse) error {
	add := func(key, value string, defined bool) {
		kv := &pb.KeyValue{Key: key}
		if defined {
			kv.Value = &value
		}
		out.Pairs = append(out.Pairs, kv)
	}
	switch op := op.GetOpType().(type) {
	case *pb.ConfigRequest_Operation_Get:
		for _, key := range op.Get.Keys {
			v, defined, err := c.Require(key)
			if err != nil {
				return err
			}
			add(key, v, defined)
		}
	case *pb.ConfigRequest_Operation_GetOption:
		for _, key := range op.GetOption.Keys {
			v, defined, _ := c.Lookup(key)
			add(key, v, defined)
		}
	case *pb.ConfigRequest_Operation_GetWithDefault:
		return getWithDefault(c, op.GetWithDefault.Pairs, add)
	case *pb.ConfigRequest_Operation_GetAll:
		for _, p := range c.All(op.GetAll.GetPrefix()) {
			add(p[0], p[1], true)
		}
	case *pb.ConfigRequest_Operation_Set:
		return set(c, op.Set, out)
	case *pb.ConfigRequest_Operation_Unset:
		for _, key := range op.Unset.Keys {
			if err := c.Unset(key); err != nil {
				return err
			}
			warn(out, key)
		}
		return nil
	case *pb.ConfigRequest_Operation_IsModifiable:
		for _, key := range op.IsModifiable.Keys {
			add(key, map[bool]string{true: "true", false: "false"}[c.Modifiable(key)], true)
		}
	default:
		return notSet("spark.connect.ConfigRequest.Operation", "OPTYPE_NOT_SET")
	}
	for _, p := range out.Pairs {
		warn(out, p.Key)
	}
	return nil
}

func warn(out *pb.ConfigResponse, key string) {
	if notInConnect[key] {
		out.Warnings = append(out.Warnings, "The SQL config '"+key+"' is NOT supported in Spark Connect")
	}
}

func getWithDefault(c *session.Conf, pairs []*pb.KeyValue, add func(string, string, bool)) error {
	for _, p := range pairs {
		if p.Value != nil {
			if err := session.CheckConf(p.Key, *p.Value); err != nil {
				return err
			}
		}
		v, isSet := c.Given(p.Key) // a setting's own default does not count
		if !isSet {
			v, isSet = p.GetValue(), p.Value != nil
		}
		add(p.Key, v, isSet)
	}
	return nil
}

func set(c *session.Conf, op *pb.ConfigRequest_Set, out *pb.ConfigResponse) error {
	for _, p := range op.Pairs {
		var err error
		if p.Value == nil {
			e := errs.Newf(errs.Invalid, "requirement failed: value cannot be null for key: %s", p.Key)
			e.Class = errs.ClassIllegalArgument
			err = e
		} else {
			err = c.Set(p.Key, *p.Value)
		}
		switch {
		case err != nil && op.GetSilent():
			out.Warnings = append(out.Warnings, "Failed to set "+p.Key+" to Some("+p.GetValue()+") due to "+err.Error())
		case err != nil:
			return err
		default:
			warn(out, p.Key)
		}
	}
	return nil
}

// Interrupt cancels running operations.
func (s *Service) Interrupt(ctx context.Context, r *pb.InterruptRequest) (*pb.InterruptResponse, error) {
	sess, err := s.session(ctx, r)
	if err != nil {
		return nil, s.fail(r.SessionId, err)
	}
	out := &pb.InterruptResponse{SessionId: sess.ID, ServerSideSessionId: sess.ServerID}
	required := func(condition, parameter string) error {
		return s.fail(sess.ID, errs.New("INVALID_PARAMETER_VALUE."+condition, "parameter", parameter, "functionName", "interrupt"))
	}
	switch r.InterruptType {
	case pb.InterruptRequest_INTERRUPT_TYPE_ALL:
		out.InterruptedIds = sess.InterruptAll()
	case pb.InterruptRequest_INTERRUPT_TYPE_TAG:
		if r.GetOperationTag() == "" {
			return nil, required("INTERRUPT_TYPE_TAG_REQUIRES_TAG", "operation_tag")
		}
		out.InterruptedIds = sess.InterruptTag(r.GetOperationTag())
	case pb.InterruptRequest_INTERRUPT_TYPE_OPERATION_ID:
		if r.GetOperationId() == "" {
			return nil, required("INTERRUPT_TYPE_OPERATION_ID_REQUIRES_ID", "operation_id")
		}
		out.InterruptedIds = sess.InterruptID(r.GetOperationId())
	default:
		return nil, s.fail(sess.ID, errs.Unsupportedf("The interrupt type %s is not supported.", r.InterruptType))
	}
	return out, nil
}

// ReleaseSession closes a session.
func (s *Service) ReleaseSession(ctx context.Context, r *pb.ReleaseSessionRequest) (*pb.ReleaseSessionResponse, error) {
	k, err := s.key(ctx, r)
	if err != nil {
		return nil, s.fail("", err)
	}
	out := &pb.ReleaseSessionResponse{SessionId: r.SessionId}
	if sess := s.o.Sessions.Close(k, r.AllowReconnect); sess != nil {
		out.ServerSideSessionId = sess.ServerID
	}
	s.mu.Lock()
	var mine []*execution
	for key, e := range s.executions {
		if key.session == k {
			mine = append(mine, e)
			delete(s.executions, key)
		}
	}
	s.mu.Unlock()
	for _, e := range mine {
		e.stop()
	}
	return out, nil
}

// FetchErrorDetails gives an error's full text, causes and query contexts.
func (s *Service) FetchErrorDetails(ctx context.Context, r *pb.FetchErrorDetailsRequest) (*pb.FetchErrorDetailsResponse, error) {
	out := &pb.FetchErrorDetailsResponse{}
	if d := s.errors.get(r.SessionId, r.ErrorId); d != nil {
		out = proto.CloneOf(d)
	}
	out.SessionId = r.SessionId
	if sess, err := s.existing(ctx, r); err == nil {
		out.ServerSideSessionId = sess.ServerID
	}
	return out, nil
}

// CloneSession copies a session's state into a new one.
func (s *Service) CloneSession(ctx context.Context, r *pb.CloneSessionRequest) (*pb.CloneSessionResponse, error) {
	sess, err := s.existing(ctx, r)
	if err != nil {
		return nil, s.fail("", err)
	}
	n, err := s.o.Sessions.Clone(sess, r.GetNewSessionId())
	if err != nil {
		return nil, s.fail(sess.ID, err)
	}
	return &pb.CloneSessionResponse{SessionId: sess.ID, ServerSideSessionId: sess.ServerID, NewSessionId: n.ID,
		NewServerSideSessionId: n.ServerID}, nil
}

// GetStatus tells how far operations are.
func (s *Service) GetStatus(ctx context.Context, r *pb.GetStatusRequest) (*pb.GetStatusResponse, error) {
	sess, err := s.session(ctx, r)
	if err != nil {
		return nil, s.fail(r.SessionId, err)
	}
	out := &pb.GetStatusResponse{SessionId: sess.ID, ServerSideSessionId: sess.ServerID}
	if r.OperationStatus == nil {
		return out, nil
	}
	states := map[string]session.State{}
	ids := r.OperationStatus.OperationIds
	all := len(ids) == 0
	for _, op := range sess.Operations() {
		states[op.ID] = op.State
		if all {
			ids = append(ids, op.ID)
		}
	}
	for _, id := range ids {
		st := pb.GetStatusResponse_OperationStatus_OPERATION_STATE_UNKNOWN
		if known, ok := states[id]; ok {
			st = operationStates[known]
		}
		if e := s.find(sess.Key, id); e != nil && e.reattachable && st == pb.GetStatusResponse_OperationStatus_OPERATION_STATE_SUCCEEDED {
			st = pb.GetStatusResponse_OperationStatus_OPERATION_STATE_TERMINATING // until the client has released it
		}
		out.OperationStatuses = append(out.OperationStatuses, &pb.GetStatusResponse_OperationStatus{OperationId: id, State: st})
	}
	return out, nil
}

var operationStates = map[session.State]pb.GetStatusResponse_OperationStatus_OperationState{
	session.Running:   pb.GetStatusResponse_OperationStatus_OPERATION_STATE_RUNNING,
	session.Succeeded: pb.GetStatusResponse_OperationStatus_OPERATION_STATE_SUCCEEDED,
	session.Failed:    pb.GetStatusResponse_OperationStatus_OPERATION_STATE_FAILED,
	session.Cancelled: pb.GetStatusResponse_OperationStatus_OPERATION_STATE_CANCELLED,
}
