package stream

import (
	"bytes"
	"context"
	"fmt"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"io"

	"millrace/engine"
	"millrace/plan"
	"millrace/session"
	"millrace/types"
)

// sink takes micro-batches. One that is given the same batch again does nothing, or does the same again where it cannot know.
type sink interface {
	// description is what progress reports call the sink.
	description() string
	// overlaps reports whether a batch may run before its entry in the checkpoint is written: when nothing of it can be seen until ready
	// has returned.
	overlaps() bool
	// write runs a batch into the sink. It waits for ready before anything can be seen.
	write(ctx context.Context, b engine.MicroBatch, id int64, ready func(context.Context) error) (written, error)
}

// written is what a sink says of a batch.
type written struct {
	rows    int64 // -1: not known
	metrics session.Metrics
}

// deltaSink commits each batch as one version of a Delta table.
type deltaSink struct {
	q  *query
	to sinkSpec
}

func (s *deltaSink) description() string { return "DeltaSink[" + s.to.Path + "]" }

func (s *deltaSink) overlaps() bool { return true }

func (s *deltaSink) write(ctx context.Context, b engine.MicroBatch, id int64, ready func(context.Context) error) (written, error) {
	stats, err := s.q.m.o.Engine.WriteBatch(ctx, s.q.session, b, engine.StreamSink{Path: s.to.Path, Complete: s.to.Mode == plan.CompleteOutput,
		PartitionBy: s.to.PartitionBy, Options: s.to.Options, QueryID: s.q.id, BatchID: id, Ready: ready})
	return written{-1, stats.Metrics}, err
}

// noopSink runs batches and forgets their rows.
type noopSink struct{ q *query }

func (s *noopSink) description() string {
	return "org.apache.spark.sql.execution.datasources.noop.NoopTable$"
}

func (s *noopSink) overlaps() bool { return true }

func (s *noopSink) write(ctx context.Context, b engine.MicroBatch, _ int64, _ func(context.Context) error) (written, error) {
	var w written
	r, err := s.q.m.o.Engine.RunBatch(ctx, s.q.session, b)
	if err != nil {
		return w, err
	}
	defer r.Close() // Next reports what went wrong
	for {
		rec, err := r.Next(ctx)
		if err != nil {
			return w, err
		}
		if rec == nil {
			w.metrics = r.Metrics()
			return w, nil
		}
		w.rows += rec.NumRows()
		rec.Release()
	}
}

// collected is a batch's rows.
func (q *query) collected(ctx context.Context, b engine.MicroBatch) (*plan.LocalRelation, written, error) {
	r, err := q.m.o.Engine.RunBatch(ctx, q.session, b)
	if err != nil {
		return nil, written{}, err
	}
	rows, err := q.session.Collect(ctx, r)
	if err != nil {
		return nil, written{}, err
	}
	return rows, written{rows.Rows, r.Metrics()}, nil
}

// memorySink keeps the rows in a temporary view of the client's session.
type memorySink struct {
	q      *query
	client *session.Session
	view   string
	mode   plan.OutputMode
	schema *types.Type
	last   int64 // the newest batch it has
	rows   plan.Node
}

// newMemorySink makes the view, empty at first.
func newMemorySink(q *query, client *session.Session, view string, mode plan.OutputMode, schema *types.Type) (*memorySink, error) {
	s := &memorySink{q: q, client: client, view: view, mode: mode, schema: schema, last: -1}
	as, err := session.ArrowSchema(schema, q.session.Conf.Get("spark.sql.session.timeZone"))
	if err != nil {
		return nil, err
	}
	var buf bytes.Buffer
	if err := ipc.NewWriter(&buf, ipc.WithSchema(as)).Close(); err != nil {
		return nil, err
	}
	s.rows = &plan.LocalRelation{Arrow: buf.Bytes(), T: schema}
	return s, client.CreateView(session.ViewInfo{Name: view}, s.rows, false, true)
}

func (s *memorySink) description() string { return "MemorySink" }

func (s *memorySink) overlaps() bool { return false }

func (s *memorySink) write(ctx context.Context, b engine.MicroBatch, id int64, _ func(context.Context) error) (written, error) {
	if id <= s.last {
		return written{}, nil
	}
	rows, w, err := s.q.collected(ctx, b)
	if err != nil {
		return w, err
	}
	if s.mode == plan.CompleteOutput || s.last < 0 {
		s.rows = rows
	} else if rows.Rows > 0 {
		s.rows = &plan.SetOp{Kind: plan.UnionOp, All: true, Left: s.rows, Right: rows}
	}
	s.last = id
	return w, s.client.CreateView(session.ViewInfo{Name: s.view}, s.rows, false, true)
}

// consoleSink prints each batch as df.show does.
type consoleSink struct {
	q        *query
	out      io.Writer
	rows     int
	truncate int
}

func (s *consoleSink) description() string {
	return "org.apache.spark.sql.execution.streaming.ConsoleTable$"
}

func (s *consoleSink) overlaps() bool { return false }

func (s *consoleSink) write(ctx context.Context, b engine.MicroBatch, id int64, _ func(context.Context) error) (written, error) {
	rows, w, err := s.q.collected(ctx, b)
	if err != nil {
		return w, err
	}
	table, err := s.q.session.Fetch(ctx, rows, s.rows)
	if err != nil {
		return w, err
	}
	text := table.Text(s.rows, s.truncate)
	line := "-------------------------------------------\n"
	_, err = fmt.Fprintf(s.out, "%sBatch: %d\n%s%s\n", line, id, line, text)
	return w, err
}

// callSink gives each batch to a function of the client's: foreachBatch.
type callSink struct {
	q    *query
	call func(ctx context.Context, rows plan.Node, batch int64) error
}

func (s *callSink) description() string { return "ForeachBatchSink" }

func (s *callSink) overlaps() bool { return false }

// write gives the function a relation that it may run as often as it likes. A batch with state runs once, and its rows are kept for that.
func (s *callSink) write(ctx context.Context, b engine.MicroBatch, id int64, _ func(context.Context) error) (written, error) {
	if s.q.stateful {
		rows, w, err := s.q.collected(ctx, b)
		if err != nil {
			return w, err
		}
		return w, s.call(ctx, rows, id)
	}
	n, err := s.q.m.o.Engine.AnalyzeBatch(ctx, s.q.session, b)
	if err != nil {
		return written{}, err
	}
	return written{rows: -1}, s.call(ctx, &plan.Analyzed{Input: n}, id)
}
