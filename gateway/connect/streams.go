package connect

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"

	"millrace/errs"
	pb "millrace/proto/spark/connect"
	"millrace/session"
	"millrace/sql"
)

// streams is what runs streaming queries, or an error that says that nothing does.
func (s *Service) streams() (session.Streams, error) {
	if s.o.Streams == nil {
		return nil, errs.Unsupportedf("Streaming queries are not supported by this server.")
	}
	return s.o.Streams, nil
}

// startStream answers writeStream…start and toTable.
func (s *Service) startStream(ctx context.Context, e *execution, t *translator, w *pb.WriteStreamOperationStart) error {
	streams, err := s.streams()
	if err != nil {
		return err
	}
	start, err := t.streamStart(w)
	if err != nil {
		return err
	}
	var function *batchFunction
	if f := w.ForeachBatch; f != nil {
		if function, err = s.batchFunction(ctx, e.session, f); err != nil {
			return err
		}
		start.Batch = function.call
	}
	q, err := streams.Start(ctx, e.session, start)
	if function != nil && err != nil {
		function.close()
	}
	if err != nil {
		return err
	}
	if function != nil {
		go function.follow(q)
	}
	return e.send(ctx, &pb.ExecutePlanResponse{ResponseType: &pb.ExecutePlanResponse_WriteStreamOperationStartResult{
		WriteStreamOperationStartResult: &pb.WriteStreamOperationStartResult{QueryId: instanceOf(q), Name: q.Name(),
			QueryStartedEventJson: proto.String(startedEvent(q, time.Now()))}}})
}

// streamStart translates a start request up to the function of foreachBatch.
func (t *translator) streamStart(w *pb.WriteStreamOperationStart) (session.StreamStart, error) {
	start := session.StreamStart{Name: w.QueryName, Format: w.Format, Options: w.Options, Path: w.GetPath(), Table: w.GetTableName(),
		PartitionBy: w.PartitioningColumnNames, ClusterBy: w.ClusteringColumnNames}
	if w.ForeachWriter != nil {
		return start, errs.Unsupportedf("writeStream.foreach is not supported; foreachBatch is.")
	}
	n, err := t.plan(w.Input)
	if err != nil {
		return start, err
	}
	if start.Query, err = t.s.Inline(n); err != nil {
		return start, err
	}
	if !t.s.Streaming(n) {
		return start, errs.New("WRITE_STREAM_NOT_ALLOWED")
	}
	if start.Trigger, err = triggerOf(w); err != nil {
		return start, err
	}
	switch start.OutputMode = strings.ToLower(w.OutputMode); start.OutputMode {
	case "", "append", "complete", "update":
	default:
		return start, errs.New("STREAMING_OUTPUT_MODE.INVALID", "outputMode", w.OutputMode)
	}
	return start, nil
}

func triggerOf(w *pb.WriteStreamOperationStart) (t session.StreamTrigger, err error) {
	switch trigger := w.Trigger.(type) {
	case *pb.WriteStreamOperationStart_ProcessingTimeInterval:
		t.Every, err = triggerInterval(trigger.ProcessingTimeInterval)
	case *pb.WriteStreamOperationStart_AvailableNow:
		t.AvailableNow = trigger.AvailableNow
	case *pb.WriteStreamOperationStart_Once:
		t.Once = trigger.Once
	case *pb.WriteStreamOperationStart_ContinuousCheckpointInterval:
		t.Continuous, err = triggerInterval(trigger.ContinuousCheckpointInterval)
	case *pb.WriteStreamOperationStart_RealTimeBatchDuration:
		t.RealTime, err = triggerInterval(trigger.RealTimeBatchDuration)
	}
	return t, err
}

// triggerInterval is a trigger's time: days and below, not negative.
func triggerInterval(text string) (time.Duration, error) {
	months, days, micros, err := sql.ParseInterval(text)
	if err != nil {
		return 0, err
	}
	if months != 0 {
		return 0, errs.New("_LEGACY_ERROR_TEMP_3262", "interval", text)
	}
	d := time.Duration(days)*24*time.Hour + time.Duration(micros)*time.Microsecond
	if d < 0 {
		return 0, illegalArgument("requirement failed: the interval of trigger should not be negative")
	}
	return d, nil
}

// illegalArgument is what clients see as an IllegalArgumentException without a condition.
func illegalArgument(format string, args ...any) error {
	e := errs.Newf(errs.Invalid, format, args...)
	e.Class = errs.ClassIllegalArgument
	return e
}

func instanceOf(q session.StreamingQuery) *pb.StreamingQueryInstanceId {
	return &pb.StreamingQueryInstanceId{Id: q.ID(), RunId: q.RunID()}
}

// startedEvent is the QueryStartedEvent that the client gives to its own listeners.
func startedEvent(q session.StreamingQuery, at time.Time) string {
	event := struct {
		ID        string   `json:"id"`
		RunID     string   `json:"runId"`
		Name      *string  `json:"name"`
		Timestamp string   `json:"timestamp"`
		JobTags   []string `json:"jobTags"`
	}{ID: q.ID(), RunID: q.RunID(), Timestamp: at.UTC().Format("2006-01-02T15:04:05.000Z"), JobTags: []string{}}
	if name := q.Name(); name != "" {
		event.Name = &name
	}
	text, _ := json.Marshal(event) // strings only
	return string(text)
}

// streamCommand answers the methods of a StreamingQuery.
func (s *Service) streamCommand(ctx context.Context, e *execution, c *pb.StreamingQueryCommand) error {
	q, err := s.queryOf(e.session, c.QueryId)
	if err != nil {
		return err
	}
	out := &pb.StreamingQueryCommandResult{QueryId: c.QueryId}
	switch cmd := c.Command.(type) {
	case *pb.StreamingQueryCommand_Status:
		st := q.Status()
		out.ResultType = &pb.StreamingQueryCommandResult_Status{Status: &pb.StreamingQueryCommandResult_StatusResult{StatusMessage: st.Message,
			IsDataAvailable: st.DataAvailable, IsTriggerActive: st.TriggerActive, IsActive: st.Active}}
	case *pb.StreamingQueryCommand_LastProgress:
		out.ResultType = progressResult(q.Progress(1))
	case *pb.StreamingQueryCommand_RecentProgress:
		out.ResultType = progressResult(q.Progress(0))
	case *pb.StreamingQueryCommand_Stop:
		err = q.Stop(ctx)
	case *pb.StreamingQueryCommand_ProcessAllAvailable:
		err = q.ProcessAllAvailable(ctx)
	case *pb.StreamingQueryCommand_Explain:
		out.ResultType = &pb.StreamingQueryCommandResult_Explain{Explain: &pb.StreamingQueryCommandResult_ExplainResult{
			Result: q.Explain(cmd.Explain.GetExtended())}}
	case *pb.StreamingQueryCommand_Exception:
		out.ResultType = &pb.StreamingQueryCommandResult_Exception{Exception: exceptionOf(q.Err())}
	case *pb.StreamingQueryCommand_AwaitTermination:
		var ended bool
		ended, err = await(ctx, cmd.AwaitTermination.TimeoutMs, q.Await)
		out.ResultType = &pb.StreamingQueryCommandResult_AwaitTermination{
			AwaitTermination: &pb.StreamingQueryCommandResult_AwaitTerminationResult{Terminated: ended}}
	default:
		err = notSet("spark.connect.StreamingQueryCommand", "COMMAND_NOT_SET")
	}
	if err != nil {
		return err
	}
	return e.send(ctx, &pb.ExecutePlanResponse{ResponseType: &pb.ExecutePlanResponse_StreamingQueryCommandResult{StreamingQueryCommandResult: out}})
}

// queryOf finds the run that a client's handle is of.
func (s *Service) queryOf(sess *session.Session, id *pb.StreamingQueryInstanceId) (session.StreamingQuery, error) {
	streams, err := s.streams()
	if err != nil {
		return nil, err
	}
	if err := checkUUID(id.GetId()); err != nil {
		return nil, err
	}
	q := streams.Get(sess, id.GetRunId())
	if q == nil || q.ID() != id.GetId() || q.RunID() != id.GetRunId() {
		return nil, errs.New("CONNECT_INVALID_PLAN.STREAMING_QUERY_NOT_FOUND", "id", id.GetId())
	}
	return q, nil
}

func checkUUID(id string) error {
	if uuid.Validate(id) != nil {
		return illegalArgument("Invalid UUID string: %s", id)
	}
	return nil
}

func progressResult(progress []string) *pb.StreamingQueryCommandResult_RecentProgress {
	return &pb.StreamingQueryCommandResult_RecentProgress{
		RecentProgress: &pb.StreamingQueryCommandResult_RecentProgressResult{RecentProgressJson: progress}}
}

// exceptionOf is query.exception(): the text of what ended the query, as the Java exception would print itself.
func exceptionOf(err error) *pb.StreamingQueryCommandResult_ExceptionResult {
	if err == nil {
		return &pb.StreamingQueryCommandResult_ExceptionResult{}
	}
	e := errorOf(err)
	text := e.Error()
	if message, ok := e.Params["message"]; ok {
		text = message + e.Trailer // the cause alone: the client adds the condition
	}
	return &pb.StreamingQueryCommandResult_ExceptionResult{ErrorClass: proto.String(e.Condition),
		ExceptionMessage: proto.String(fmt.Sprintf("%s: %s", classesOf(e)[0], text))}
}

// await waits for what wait waits for; no timeout is for ever.
func await(ctx context.Context, millis *int64, wait func(context.Context, time.Duration) (bool, error)) (bool, error) {
	if millis == nil {
		return wait(ctx, 0)
	}
	if *millis <= 0 {
		return false, illegalArgument("Timeout has to be positive")
	}
	return wait(ctx, time.Duration(*millis)*time.Millisecond)
}

// watermarkDelay is the delay of withWatermark; a month counts 31 days.
func watermarkDelay(text string) (time.Duration, error) {
	months, days, micros, err := sql.ParseInterval(text)
	if err != nil {
		return 0, errs.New("CANNOT_PARSE_INTERVAL", "intervalString", "'"+text+"'")
	}
	d := (time.Duration(months)*31+time.Duration(days))*24*time.Hour + time.Duration(micros)*time.Microsecond
	if d < 0 {
		return 0, illegalArgument("requirement failed: delay threshold (%s) should not be negative.", text)
	}
	return d, nil
}
