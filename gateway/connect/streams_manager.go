package connect

import (
	"context"
	"time"

	"millrace/errs"
	pb "millrace/proto/spark/connect"
	"millrace/session"
)

// streamsCommand answers the methods of spark.streams.
func (s *Service) streamsCommand(ctx context.Context, e *execution, c *pb.StreamingQueryManagerCommand) error {
	streams, err := s.streams()
	if err != nil {
		return err
	}
	out := &pb.StreamingQueryManagerCommandResult{}
	switch cmd := c.Command.(type) {
	case *pb.StreamingQueryManagerCommand_Active:
		active := &pb.StreamingQueryManagerCommandResult_ActiveResult{}
		for _, q := range streams.Active(e.session) {
			active.ActiveQueries = append(active.ActiveQueries, describe(q))
		}
		out.ResultType = &pb.StreamingQueryManagerCommandResult_Active{Active: active}
	case *pb.StreamingQueryManagerCommand_GetQuery:
		if err := checkUUID(cmd.GetQuery); err != nil {
			return err
		}
		if q := streams.Get(e.session, cmd.GetQuery); q != nil && q.ID() == cmd.GetQuery { // a run's id finds nothing here
			out.ResultType = &pb.StreamingQueryManagerCommandResult_Query{Query: describe(q)}
		}
	case *pb.StreamingQueryManagerCommand_AwaitAnyTermination:
		ended, err := await(ctx, cmd.AwaitAnyTermination.TimeoutMs, func(ctx context.Context, d time.Duration) (bool, error) {
			return streams.AwaitAny(ctx, e.session, d)
		})
		if err != nil {
			return err
		}
		out.ResultType = &pb.StreamingQueryManagerCommandResult_AwaitAnyTermination{
			AwaitAnyTermination: &pb.StreamingQueryManagerCommandResult_AwaitAnyTerminationResult{Terminated: ended}}
	case *pb.StreamingQueryManagerCommand_ResetTerminated:
		streams.ResetTerminated(e.session)
		out.ResultType = &pb.StreamingQueryManagerCommandResult_ResetTerminated{ResetTerminated: true}
	case *pb.StreamingQueryManagerCommand_AddListener, *pb.StreamingQueryManagerCommand_RemoveListener:
		return errs.Unsupportedf("Listeners whose code runs in the server are not supported; PySpark's addListener runs its listeners in the client.")
	case *pb.StreamingQueryManagerCommand_ListListeners:
		out.ResultType = &pb.StreamingQueryManagerCommandResult_ListListeners{
			ListListeners: &pb.StreamingQueryManagerCommandResult_ListStreamingQueryListenerResult{}}
	default:
		return notSet("spark.connect.StreamingQueryManagerCommand", "COMMAND_NOT_SET")
	}
	return e.send(ctx, &pb.ExecutePlanResponse{ResponseType: &pb.ExecutePlanResponse_StreamingQueryManagerCommandResult{
		StreamingQueryManagerCommandResult: out}})
}

func describe(q session.StreamingQuery) *pb.StreamingQueryManagerCommandResult_StreamingQueryInstance {
	out := &pb.StreamingQueryManagerCommandResult_StreamingQueryInstance{Id: instanceOf(q)}
	if name := q.Name(); name != "" {
		out.Name = &name
	}
	return out
}

// listener is a session's one listener bus: an operation that sends events until it is removed.
type listener struct {
	remove context.CancelFunc
	gone   chan struct{} // closed when the last event is in the operation's log
}

// listenerBus adds or removes a session's listener bus. Adding does not return before the bus is removed or the
// operation ends; a second one in the same session ends at once, and removing none does nothing.
func (s *Service) listenerBus(ctx context.Context, e *execution, c *pb.StreamingQueryListenerBusCommand) error {
	if c.Command == nil {
		return notSet("spark.connect.StreamingQueryListenerBusCommand", "COMMAND_NOT_SET")
	}
	if c.GetRemoveListenerBusListener() {
		s.mu.Lock()
		l := s.listeners[e.session.Key]
		s.mu.Unlock()
		if l == nil {
			return nil
		}
		l.remove()
		select {
		case <-l.gone:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		return nil
	}
	streams, err := s.streams()
	if err != nil {
		return err
	}
	listening, remove := context.WithCancel(ctx)
	defer remove()
	l := &listener{remove: remove, gone: make(chan struct{})}
	s.mu.Lock()
	if s.listeners[e.session.Key] != nil {
		s.mu.Unlock()
		return nil
	}
	s.listeners[e.session.Key] = l
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		delete(s.listeners, e.session.Key)
		s.mu.Unlock()
		close(l.gone)
	}()
	return e.listen(ctx, streams.Listen(listening, e.session))
}

// listen sends events until their channel is closed.
func (e *execution) listen(ctx context.Context, events <-chan session.StreamEvent) error {
	added := true
	if err := e.sendEvents(ctx, &pb.StreamingQueryListenerEventsResult{ListenerBusListenerAdded: &added}); err != nil {
		return err
	}
	for event := range events {
		kind, ok := eventTypes[event.Kind]
		if !ok {
			continue // a start: its client has had it as the answer to its request
		}
		if err := e.sendEvents(ctx, &pb.StreamingQueryListenerEventsResult{Events: []*pb.StreamingQueryListenerEvent{
			{EventJson: event.JSON, EventType: kind}}}); err != nil {
			return err
		}
	}
	return context.Cause(ctx)
}

var eventTypes = map[session.StreamEventKind]pb.StreamingQueryEventType{
	session.StreamProgress:   pb.StreamingQueryEventType_QUERY_PROGRESS_EVENT,
	session.StreamIdle:       pb.StreamingQueryEventType_QUERY_IDLE_EVENT,
	session.StreamTerminated: pb.StreamingQueryEventType_QUERY_TERMINATED_EVENT,
}

func (e *execution) sendEvents(ctx context.Context, r *pb.StreamingQueryListenerEventsResult) error {
	return e.send(ctx, &pb.ExecutePlanResponse{ResponseType: &pb.ExecutePlanResponse_StreamingQueryListenerEventsResult{
		StreamingQueryListenerEventsResult: r}})
}
