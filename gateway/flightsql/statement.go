package flightsql

import (
	"context"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/flight"
	"github.com/apache/arrow-go/v18/arrow/flight/flightsql"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/google/uuid"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"millrace/errs"
	"millrace/plan"
	"millrace/session"
	"millrace/types"
)

// statement is a text with the values of its ? markers.
type statement struct {
	text string
	args []plan.Expr
}

func (q statement) parse(sess *session.Session) (plan.Node, error) {
	p := sess.Parser()
	p.Positional = q.args
	return p.ParseStatement(q.text)
}

// schema is what the statement's rows will have; nil for a script, which ends with the rows of the last query that happens to run.
func (s *Service) schema(ctx context.Context, q statement) (_ *arrow.Schema, err error) {
	defer s.guard(&err)
	sess, err := s.session(ctx)
	if err != nil {
		return nil, err
	}
	n, err := q.parse(sess)
	if err != nil {
		return nil, err
	}
	if isScript(n) {
		return nil, nil
	}
	t, err := sess.Schema(ctx, n)
	if err != nil {
		return nil, err
	}
	return arrowSchema(sess, t)
}

func isScript(n plan.Node) bool {
	_, ok := n.(*plan.Script)
	return ok
}

// schemaResult is the answer to who asks for a schema alone.
func schemaResult(schema *arrow.Schema, err error) (*flight.SchemaResult, error) {
	if err == nil && schema == nil {
		err = errs.Unsupportedf("The columns of a script's rows are not known before it runs.")
	}
	if err != nil {
		return nil, failure(err)
	}
	return &flight.SchemaResult{Schema: flight.SerializeSchema(schema, memory.DefaultAllocator)}, nil
}

func arrowSchema(sess *session.Session, t *types.Type) (*arrow.Schema, error) {
	return session.ArrowSchema(t, sess.Conf.Get("spark.sql.session.timeZone"))
}

// run is a statement that runs, as an operation of its session, which the page shows and by which it is cancelled.
type run struct {
	session.Result
	sess *session.Session
	op   *session.Operation
	ctx  context.Context // the operation's
}

// start starts a statement. The caller ends the run.
func (s *Service) start(ctx context.Context, q statement) (_ *run, err error) {
	sess, err := s.session(ctx)
	if err != nil {
		return nil, err
	}
	r := &run{sess: sess}
	if r.ctx, r.op, err = sess.Begin(ctx, uuid.NewString(), nil); err != nil {
		return nil, err
	}
	sess.Describe(r.op, q.text)
	defer func() {
		if err != nil {
			sess.End(r.op, err)
		}
	}()
	defer s.guard(&err)
	n, err := q.parse(sess)
	if err != nil {
		return nil, err
	}
	r.Result, err = sess.Run(r.ctx, n)
	return r, err
}

// end closes the result and says how the statement went.
func (r *run) end(err error) {
	r.Close()
	r.sess.End(r.op, err)
}

// query starts a statement and gives its rows as they come.
func (s *Service) query(ctx context.Context, q statement) (*arrow.Schema, <-chan flight.StreamChunk, error) {
	r, err := s.start(ctx, q)
	if err != nil {
		return nil, nil, failure(err)
	}
	schema, err := arrowSchema(r.sess, r.Schema())
	if err != nil {
		r.end(err)
		return nil, nil, failure(err)
	}
	out := make(chan flight.StreamChunk)
	go func() {
		defer close(out)
		r.end(s.send(ctx, r, schema, out))
	}()
	return schema, out, nil
}

// send moves a result's batches to a channel that is read until it is closed or the call's context ends.
func (s *Service) send(call context.Context, r *run, schema *arrow.Schema, out chan<- flight.StreamChunk) (err error) {
	give := func(c flight.StreamChunk) bool {
		select {
		case out <- c:
			return true
		case <-call.Done():
			return false
		}
	}
	defer func() {
		if err != nil {
			give(flight.StreamChunk{Err: failure(err)})
		}
	}()
	defer s.guard(&err)
	for {
		b, err := r.Next(r.ctx)
		if err != nil || b == nil {
			return err
		}
		same := array.NewRecordBatch(schema, b.Columns(), b.NumRows())
		b.Release()
		if !give(flight.StreamChunk{Data: same}) {
			same.Release()
			return call.Err()
		}
	}
}

// update runs a statement to its end and counts the rows that it changed: -1 where it does not say.
func (s *Service) update(ctx context.Context, q statement) (int64, error) {
	r, err := s.start(ctx, q)
	if err != nil {
		return 0, failure(err)
	}
	affected, err := s.drain(r)
	r.end(err)
	return affected, failure(err)
}

func (s *Service) drain(r *run) (affected int64, err error) {
	defer s.guard(&err)
	counted := counts(r.Schema().Fields)
	affected = -1
	for {
		b, err := r.Next(r.ctx)
		if err != nil || b == nil {
			return affected, err
		}
		if counted && b.NumRows() > 0 {
			affected = b.Column(0).(*array.Int64).Value(0)
		}
		b.Release()
	}
}

// GetFlightInfoStatement describes a statement; its ticket runs it.
func (s *Service) GetFlightInfoStatement(ctx context.Context, q flightsql.StatementQuery, d *flight.FlightDescriptor) (*flight.FlightInfo, error) {
	if len(q.GetTransactionId()) > 0 {
		return nil, noTransactions()
	}
	schema, err := s.schema(ctx, statement{text: q.GetQuery()})
	if err != nil {
		return nil, failure(err)
	}
	ticket, err := flightsql.CreateStatementQueryTicket([]byte(q.GetQuery()))
	if err != nil {
		return nil, failure(err)
	}
	return info(ticket, schema, d), nil
}

// GetSchemaStatement is the schema of a statement's rows.
func (s *Service) GetSchemaStatement(ctx context.Context, q flightsql.StatementQuery, _ *flight.FlightDescriptor) (*flight.SchemaResult, error) {
	return schemaResult(s.schema(ctx, statement{text: q.GetQuery()}))
}

// DoGetStatement runs the statement that a ticket holds.
func (s *Service) DoGetStatement(ctx context.Context, t flightsql.StatementQueryTicket) (*arrow.Schema, <-chan flight.StreamChunk, error) {
	return s.query(ctx, statement{text: string(t.GetStatementHandle())})
}

// DoPutCommandStatementUpdate runs a statement for what it changes.
func (s *Service) DoPutCommandStatementUpdate(ctx context.Context, q flightsql.StatementUpdate) (int64, error) {
	if len(q.GetTransactionId()) > 0 {
		return 0, noTransactions()
	}
	return s.update(ctx, statement{text: q.GetQuery()})
}

func noTransactions() error {
	return status.Error(codes.Unimplemented, "Flight SQL transactions are not supported; use the statements BEGIN TRANSACTION and COMMIT.")
}

// DoPutCommandStatementIngest is refused: rows come by INSERT, or by Spark Connect.
func (s *Service) DoPutCommandStatementIngest(context.Context, flightsql.StatementIngest, flight.MessageReader) (int64, error) {
	return 0, failure(errs.Unsupportedf("Bulk ingestion by Flight SQL is not supported. Use INSERT INTO with prepared values, or write by Spark Connect."))
}
