package stream

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"millrace/engine"
	"millrace/errs"
	"millrace/plan"
	"millrace/session"
	"millrace/sql"
	"millrace/storage"
	"millrace/stream/source"
	"millrace/types"
)

// Start implements session.Streams.
func (m *Manager) Start(ctx context.Context, s *session.Session, start session.StreamStart) (session.StreamingQuery, error) {
	if start.Trigger.Continuous > 0 {
		return nil, errs.Unsupportedf("Continuous processing (trigger continuous) is not supported yet.")
	}
	if start.Trigger.RealTime > 0 {
		return nil, errs.Unsupportedf("Real-time mode (trigger realTime) is not supported yet.")
	}
	q, err := m.prepare(ctx, s, start)
	if err != nil {
		return nil, err
	}
	m.starting.Lock()
	defer m.starting.Unlock()
	if err := m.launch(ctx, s, q); err != nil {
		q.discard()
		return nil, err
	}
	return q, nil
}

// prepare checks what can be checked before anything is touched.
func (m *Manager) prepare(ctx context.Context, s *session.Session, start session.StreamStart) (*query, error) {
	spec, err := sinkOf(s, start)
	if err != nil {
		return nil, err
	}
	n, err := s.Inline(start.Query)
	if err != nil {
		return nil, err
	}
	q := m.newQuery(m.o.Sessions.Detached(s.User, s.Conf.Own(), s.Namespace()), n)
	q.owner, q.name, q.trigger, q.mode, q.runID = s.Key, start.Name, start.Trigger, spec.Mode, uuid.NewString()
	resolved, err := q.analyze(ctx)
	if err != nil {
		q.discard()
		return nil, err
	}
	if err := q.place(ctx, s, start, &spec, resolved); err != nil {
		q.discard()
		return nil, err
	}
	if spec.durable() {
		text, err := plan.Encode(n)
		if err != nil {
			m.o.Log.Warn("a streaming query ends with this process: its plan cannot be kept", "name", q.name, "error", err)
		} else if m.o.Records != nil {
			q.record = &record{RunID: q.runID, Name: q.name, User: s.User, Session: s.ID, Conf: s.Conf.Own(), Namespace: s.Namespace(), Query: text,
				Sink: spec, Trigger: q.trigger, Checkpoint: q.log.URL(), Started: time.Now()}
		}
	}
	return q, nil
}

func (m *Manager) newQuery(s *session.Session, n plan.Node) *query {
	q := &query{m: m, session: s, plan: n, incarnation: uuid.NewString(), done: make(chan struct{}), idle: make(chan struct{}), poke: make(chan struct{}, 1)}
	q.ctx, q.cancel = context.WithCancelCause(session.WithPurpose(m.ctx, session.Purpose{Kind: "stream"}))
	q.status = session.StreamStatus{Message: "Initializing sources", Active: true}
	return q
}

// discard takes back what a query that does not run has opened.
func (q *query) discard() {
	q.cancel(errStopped)
	for _, s := range q.opened {
		s.Close()
	}
	if q.cleanup != nil {
		q.cleanup()
	}
}

// analyze opens the sources and checks the plan.
func (q *query) analyze(ctx context.Context) (plan.Resolved, error) {
	table := func(ctx context.Context, r *plan.UnresolvedSource) (plan.StreamTable, error) {
		s, err := source.Open(ctx, q.m.o.Sources, q.session, r)
		if err != nil {
			return nil, err
		}
		q.opened = append(q.opened, s)
		return s, nil
	}
	n, err := q.m.o.Engine.AnalyzeBatch(ctx, q.session, engine.MicroBatch{Query: q.plan, Table: table})
	if err != nil {
		return nil, err
	}
	for _, leaf := range plan.Streams(n) {
		if s := leaf.Source.(source.Source); !slices.Contains(q.sources, s) {
			q.sources = append(q.sources, s)
		}
	}
	if len(q.sources) == 0 {
		return nil, errs.New("WRITE_STREAM_NOT_ALLOWED")
	}
	if err := q.streaming().Check(n); err != nil {
		return nil, err
	}
	q.stateful = q.streaming().Operators(n) > 0
	return n, nil
}

// place finds the sink and the checkpoint.
func (q *query) place(ctx context.Context, s *session.Session, start session.StreamStart, spec *sinkSpec, n plan.Resolved) error {
	if start.Table != "" {
		parts, err := sql.ParseIdentifier(start.Table)
		if err != nil {
			return err
		}
		if spec.Path, err = q.m.o.Engine.StreamTarget(ctx, q.session, parts, plan.Schema(n), start.PartitionBy); err != nil {
			return err
		}
	}
	if err := q.openCheckpoint(ctx, start, *spec); err != nil {
		return err
	}
	if start.Batch != nil {
		q.sink = &callSink{q, start.Batch}
		return nil
	}
	return q.openSink(s, *spec, plan.Schema(n))
}

func (q *query) openSink(client *session.Session, spec sinkSpec, schema *types.Type) (err error) {
	switch spec.Format {
	case "delta":
		q.sink = &deltaSink{q, spec}
	case "noop":
		q.sink = &noopSink{q}
	case "console":
		rows, truncate := 20, 20
		if v, ok := option(spec.Options, "numRows"); ok {
			if rows, err = strconv.Atoi(v); err != nil {
				return errs.Newf(errs.Invalid, "the console's option numRows is no number: %s", v)
			}
		}
		if v, ok := option(spec.Options, "truncate"); ok && strings.EqualFold(v, "false") {
			truncate = 0
		}
		q.sink = &consoleSink{q, q.m.o.Console, rows, truncate}
	case "memory":
		q.sink, err = newMemorySink(q, client, q.name, spec.Mode, schema)
	}
	return err
}

// sinkOf checks what the writer says of its sink.
func sinkOf(s *session.Session, start session.StreamStart) (sinkSpec, error) {
	spec := sinkSpec{Format: strings.ToLower(start.Format), Options: start.Options, PartitionBy: start.PartitionBy}
	mode, ok := map[string]plan.OutputMode{"": plan.AppendOutput, "append": plan.AppendOutput, "update": plan.UpdateOutput,
		"complete": plan.CompleteOutput}[strings.ToLower(start.OutputMode)]
	if !ok {
		return spec, errs.New("STREAMING_OUTPUT_MODE.INVALID", "outputMode", start.OutputMode)
	}
	spec.Mode = mode
	path, hasPath := option(start.Options, "path")
	if start.Path != "" && hasPath {
		return spec, errs.New("_LEGACY_ERROR_TEMP_1188", "method", "start", "config", "spark.sql.legacy.pathOptionBehavior.enabled")
	}
	if spec.Path = path; start.Path != "" {
		spec.Path = start.Path
	}
	if start.Batch != nil {
		spec.Format = "foreachbatch"
		return spec, nil
	}
	if spec.Format == "" {
		if spec.Format = s.Conf.Get("spark.sql.sources.default"); start.Table != "" {
			spec.Format = "delta"
		}
	}
	if len(start.ClusterBy) > 0 {
		return spec, errs.Unsupportedf("clusterBy of a streaming query is not supported yet.")
	}
	return spec, spec.check(start)
}

func (spec sinkSpec) check(start session.StreamStart) error {
	switch spec.Format {
	case "delta":
		if spec.Mode == plan.UpdateOutput {
			return errs.New("DELTA_UNSUPPORTED_OUTPUT_MODE", "dataSource", "org.apache.spark.sql.delta.sources.DeltaDataSource", "mode", "Update")
		}
		if spec.Path == "" && start.Table == "" {
			return &errs.Error{Kind: errs.Invalid, Class: errs.ClassIllegalArgument, Message: "'path' is not specified"}
		}
	case "memory":
		if start.Name == "" {
			return errs.New("_LEGACY_ERROR_TEMP_1194")
		}
	case "console", "noop":
	case "parquet", "csv", "json", "text", "orc", "avro", "kafka", "rate":
		return errs.Unsupportedf("The streaming sink %s is not supported yet; delta, memory, console, noop and foreachBatch are.", spec.Format)
	default:
		return errs.New("DATA_SOURCE_NOT_FOUND", "provider", start.Format)
	}
	if start.Table != "" && spec.Format != "delta" {
		return errs.Unsupportedf("Streaming into a table of the format %s is not supported yet.", spec.Format)
	}
	return nil
}

// openCheckpoint finds the checkpoint's place: the option, the session's directory, or for sinks that keep nothing a temporary one.
func (q *query) openCheckpoint(_ context.Context, start session.StreamStart, spec sinkSpec) (err error) {
	place, given := option(start.Options, "checkpointLocation")
	if root := q.session.Conf.Get("spark.sql.streaming.checkpointLocation"); !given && root != "" {
		name := start.Name
		if name == "" {
			name = uuid.NewString()
		}
		place = storage.Join(root, name)
	}
	if place == "" {
		if spec.Format == "delta" {
			return errs.New("_LEGACY_ERROR_TEMP_1298", "config", "spark.sql.streaming.checkpointLocation")
		}
		dir := q.m.o.Dir
		if dir == "" {
			dir = os.TempDir()
		}
		if err := os.MkdirAll(dir, 0o777); err != nil {
			return errs.Wrap(err, "make a checkpoint location")
		}
		if place, err = os.MkdirTemp(dir, "temporary-"); err != nil {
			return errs.Wrap(err, "make a checkpoint location")
		}
		q.cleanup = func() { os.RemoveAll(place) } // what is left is a file of no use
	}
	if !strings.Contains(place, ":") {
		if place, err = filepath.Abs(place); err != nil {
			return errs.Wrap(err, "find the checkpoint location")
		}
	}
	q.log, err = q.m.checkpoint(place)
	return err
}

// launch gives the query its identity, ends what runs on its checkpoint, and starts it.
func (m *Manager) launch(ctx context.Context, s *session.Session, q *query) error {
	if err := m.ctx.Err(); err != nil {
		return errs.Newf(errs.Lost, "the coordinator is stopping")
	}
	id, err := q.log.ID(ctx)
	if err != nil {
		return err
	}
	q.id = id
	if old := m.byID(id); old != nil {
		if !s.Conf.Bool("spark.sql.streaming.stopActiveRunOnRestart") {
			return errs.Newf(errs.Conflict, "Cannot start query with id %s as another query with same id is already active. Perhaps you are attempting to restart a query "+
				"from checkpoint that is already active.", id)
		}
		if err := old.Stop(ctx); err != nil {
			return err
		}
	}
	for _, other := range m.Active(s) {
		if q.name != "" && other.Name() == q.name {
			return &errs.Error{Kind: errs.Invalid, Class: errs.ClassIllegalArgument,
				Message: "Cannot start query with name " + q.name + " as a query with that name is already active in this SparkSession"}
		}
	}
	if err := m.checkRecoverable(ctx, q); err != nil {
		return err
	}
	if q.record != nil {
		q.record.ID = id
		if err := m.save(ctx, q.record); err != nil {
			return err
		}
	}
	m.begin(q)
	return nil
}

// checkRecoverable refuses to go on where the rows of earlier batches are gone.
func (m *Manager) checkRecoverable(ctx context.Context, q *query) error {
	mem, memory := q.sink.(*memorySink)
	_, console := q.sink.(*consoleSink)
	if !console && !(memory && mem.mode != plan.CompleteOutput) {
		return nil
	}
	planned, _, err := q.log.Latest(ctx)
	if err == nil && planned >= 0 {
		err = errs.Newf(errs.Invalid, "This query does not support recovering from checkpoint location. Delete %s/offsets to start over.", q.log.URL())
	}
	return err
}

// begin runs a query that is ready.
func (m *Manager) begin(q *query) {
	m.add(q)
	m.tell(q, session.StreamStarted, startedEvent{q.id, q.runID, optional(q.name), stamp(time.Now())})
	m.busy.Go(q.run)
}

// option finds an option, whose names have no case.
func option(options map[string]string, name string) (string, bool) {
	if v, ok := options[name]; ok {
		return v, true
	}
	for k, v := range options {
		if strings.EqualFold(k, name) {
			return v, true
		}
	}
	return "", false
}
