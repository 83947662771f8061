package engine

import (
	"context"
	"strings"
	"time"

	"millrace/delta"
	"millrace/errs"
	"millrace/plan"
	"millrace/session"
	"millrace/types"
)

// MicroBatch is a streaming query over one span of its sources.
type MicroBatch struct {
	Query plan.Node // not analysed
	// Table finds a streaming source; it is asked in the same order each time that the same query is analysed.
	Table func(ctx context.Context, r *plan.UnresolvedSource) (plan.StreamTable, error)
	// Span is the relation of the rows that the batch reads of a source that Table gave; nil: the query is analysed and cannot be run.
	Span func(plan.StreamTable) (plan.Node, error)
	// Stateful, when set, prepares operators that keep state between micro-batches. It sees the resolved query, in which StreamScans still
	// mark what streams.
	Stateful func(plan.Resolved) (plan.Resolved, error)
	Time     time.Time // current_timestamp() of the batch
}

// streams is how a statement finds streaming sources and their rows.
type streams struct {
	Table func(ctx context.Context, r *plan.UnresolvedSource) (plan.StreamTable, error)
	Span  func(plan.StreamTable) (plan.Node, error)
}

// StreamSink is where a micro-batch's rows are committed: a Delta table.
type StreamSink struct {
	Path        string
	Complete    bool // the rows replace what the table has
	PartitionBy []string
	Options     map[string]string
	QueryID     string
	BatchID     int64 // a table that has this batch of the query already is left as it is
	// Ready is called when all files are written and only the commit is left to do; an error ends the batch without a commit.
	Ready func(ctx context.Context) error
}

// BatchStats says what a micro-batch has written.
type BatchStats struct {
	Files, Rows, Bytes int64
	Known              bool // the table had the batch already; nothing was written
	Metrics            session.Metrics
}

// stream opens a streaming source.
func (st *statement) stream(r *plan.UnresolvedSource) (plan.Table, error) {
	if r.Format == "" {
		named := *r
		named.Format = st.s.Conf.Get("spark.sql.sources.default")
		r = &named
	}
	switch {
	case st.streams.Table != nil:
		return st.streams.Table(st.ctx, r)
	case st.e.o.StreamTable != nil:
		return st.e.o.StreamTable(st.ctx, st.s, r)
	}
	return nil, errs.Unsupportedf("Streaming reads are not supported here.")
}

// refuseStreams is Spark's error of a streaming relation that is run like any other.
func refuseStreams(n plan.Node) error {
	if s := plan.Streams(n); len(s) > 0 {
		return errs.New("_LEGACY_ERROR_TEMP_3102", "msg", "Queries with streaming sources must be executed with writeStream.start(), or from a streaming table "+
			"or flow definition within a Spark Declarative Pipeline.;\n"+s[0].Source.Format())
	}
	return nil
}

// microBatch is the statement of a micro-batch and its resolved query.
func (e *Engine) microBatch(ctx context.Context, s *session.Session, b MicroBatch) (*statement, plan.Resolved, error) {
	st := e.statement(ctx, s)
	st.streams = streams{b.Table, b.Span}
	if !b.Time.IsZero() {
		st.settings.NowMicros = b.Time.UnixMicro()
	}
	n, err := st.analyze(b.Query)
	if err != nil {
		return nil, nil, err
	}
	r, ok := n.(plan.Resolved)
	if !ok {
		return nil, nil, errs.Unsupportedf("A streaming query over %s is not supported.", typeName(n))
	}
	if b.Stateful != nil {
		if r, err = b.Stateful(r); err != nil {
			return nil, nil, err
		}
	}
	if b.Span == nil {
		return st, r, nil
	}
	n, err = plan.Transform(r, func(n plan.Node) (plan.Node, error) {
		if s, ok := n.(*plan.StreamScan); ok {
			return s.Rows, nil
		}
		return n, nil
	})
	if err != nil {
		return nil, nil, err
	}
	return st, n.(plan.Resolved), nil
}

// AnalyzeBatch resolves a micro-batch's query without running it.
func (e *Engine) AnalyzeBatch(ctx context.Context, s *session.Session, b MicroBatch) (plan.Resolved, error) {
	_, n, err := e.microBatch(ctx, s, b)
	return n, err
}

// RunBatch starts a micro-batch whose rows go to the caller.
func (e *Engine) RunBatch(ctx context.Context, s *session.Session, b MicroBatch) (session.Result, error) {
	st, n, err := e.microBatch(ctx, s, b)
	if err != nil {
		return nil, err
	}
	return st.query(n)
}

// WriteBatch runs a micro-batch and commits its rows to a Delta table, once whatever happens: a table that has the batch is left alone.
func (e *Engine) WriteBatch(ctx context.Context, s *session.Session, b MicroBatch, to StreamSink) (BatchStats, error) {
	st, n, err := e.microBatch(ctx, s, b)
	if err != nil {
		return BatchStats{}, err
	}
	var out BatchStats
	now := e.o.Now().UnixMilli()
	w := deltaWrite{path: to.Path, input: n, mode: plan.SaveAppend, partitionBy: to.PartitionBy, options: to.Options, coerce: true, ready: to.Ready,
		app: &delta.SetTransaction{AppID: to.QueryID, Version: to.BatchID, LastUpdated: &now}, batch: &out}
	mode := "Append"
	if to.Complete {
		w.mode, mode = plan.SaveOverwrite, "Complete"
	}
	w.info = func(*delta.Metadata) delta.CommitInfo { return delta.StreamingInfo(mode, to.QueryID, to.BatchID) }
	out.Known = true // until something is committed
	_, err = st.writeDelta(w)
	out.Metrics = st.metrics
	if errs.Is(err, errs.Conflict) && st.hasBatch(to) {
		return BatchStats{Known: true}, nil // another run of the query was first
	}
	return out, err
}

func (st *statement) hasBatch(to StreamSink) bool {
	l, err := st.e.o.Logs.Table(to.Path)
	if err != nil {
		return false
	}
	now, err := l.Snapshot(st.ctx)
	return err == nil && alreadyWritten(now, delta.SetTransaction{AppID: to.QueryID, Version: to.BatchID})
}

// StreamTarget finds the Delta table of a name that a streaming query is to write, made with the schema where there is none, and gives its
// place.
func (e *Engine) StreamTarget(ctx context.Context, s *session.Session, parts []string, schema *types.Type, partitionBy []string) (path string, err error) {
	st := e.statement(ctx, s)
	t, err := st.target(parts)
	if err != nil {
		return "", err
	}
	if t == nil {
		c := &plan.CreateTable{Name: parts, Provider: "delta", PartitionBy: partitionBy}
		for _, f := range schema.Fields {
			c.Columns = append(c.Columns, plan.ColumnDef{Name: f.Name, Type: f.Type, Nullable: true})
		}
		if _, err := s.Run(ctx, c); err != nil {
			return "", err
		}
		if t, err = st.target(parts); err != nil {
			return "", err
		}
	}
	switch {
	case t == nil:
		return "", errs.New("TABLE_OR_VIEW_NOT_FOUND", "relationName", types.QuoteParts(parts...))
	case t.entry != nil && t.entry.View != "":
		return "", errs.Unsupportedf("Streaming into the view %s is not supported.", types.QuoteParts(parts...))
	case !strings.EqualFold(t.provider, "delta"):
		return "", errs.Unsupportedf("Streaming into the %s table %s is not supported yet.", t.provider, types.QuoteParts(parts...))
	}
	return t.path, nil
}

// Slots is the number of tasks that run at once.
func (e *Engine) Slots() int { return e.o.Runner.Slots() }
