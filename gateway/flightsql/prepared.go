package flightsql

import (
	"bytes"
	"context"
	"strconv"
	"strings"
	"sync"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/flight"
	"github.com/apache/arrow-go/v18/arrow/flight/flightsql"
	"github.com/google/uuid"

	"millrace/errs"
	"millrace/plan"
	"millrace/session"
	"millrace/types"
)

// maxPrepared is how many statements a connection may hold prepared.
const maxPrepared = 10_000

// prepared are a session's prepared statements by handle.
type prepared struct {
	mu         sync.Mutex
	statements map[string]statement
}

func preparedOf(sess *session.Session) *prepared {
	return sess.Kept("flightsql.prepared", func() any { return &prepared{statements: map[string]statement{}} }).(*prepared)
}

func (s *Service) prepared(ctx context.Context) (*prepared, error) {
	sess, err := s.session(ctx)
	if err != nil {
		return nil, err
	}
	return preparedOf(sess), nil
}

func (s *Service) find(ctx context.Context, handle []byte) (statement, error) {
	p, err := s.prepared(ctx)
	if err != nil {
		return statement{}, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	q, ok := p.statements[string(handle)]
	if !ok {
		return q, errs.Newf(errs.NotFound, "This connection has no prepared statement %q. Prepare it again.", handle)
	}
	return q, nil
}

// CreatePreparedStatement parses a statement and describes its markers and, where it has none, its rows.
func (s *Service) CreatePreparedStatement(ctx context.Context, r flightsql.ActionCreatePreparedStatementRequest) (flightsql.ActionCreatePreparedStatementResult, error) {
	out, err := s.prepare(ctx, r)
	return out, failure(err)
}

func (s *Service) prepare(ctx context.Context, r flightsql.ActionCreatePreparedStatementRequest) (out flightsql.ActionCreatePreparedStatementResult, err error) {
	defer s.guard(&err)
	if len(r.GetTransactionId()) > 0 {
		return out, noTransactions()
	}
	sess, err := s.session(ctx)
	if err != nil {
		return out, err
	}
	q := statement{text: r.GetQuery()}
	n, err := q.parse(sess)
	if err != nil {
		return out, err
	}
	_, command := n.(plan.Command)
	update := command && !isScript(n)
	if marks := markers(n); marks > 0 {
		var fields []arrow.Field
		for i := range marks {
			fields = append(fields, arrow.Field{Name: strconv.Itoa(i + 1), Type: arrow.BinaryTypes.String, Nullable: true})
		}
		out.ParameterSchema = arrow.NewSchema(fields, nil)
	} else if !isScript(n) {
		t, err := sess.Schema(ctx, n)
		if err != nil {
			return out, err
		}
		update = update && (len(t.Fields) == 0 || counts(t.Fields))
		if !update {
			if out.DatasetSchema, err = arrowSchema(sess, t); err != nil {
				return out, err
			}
		}
	}
	out.IsUpdate = &update
	out.Handle = []byte(uuid.NewString())
	p := preparedOf(sess)
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.statements) >= maxPrepared {
		return out, errs.Newf(errs.Exhausted, "This connection holds %d prepared statements. Close some.", maxPrepared)
	}
	p.statements[string(out.Handle)] = q
	return out, nil
}

// counts reports whether a command's columns are counts of changed rows.
func counts(fields []types.Field) bool {
	return len(fields) > 0 && strings.HasPrefix(fields[0].Name, "num_") && fields[0].Type.Kind == types.KindLong
}

// markers counts the ? of a statement.
func markers(n plan.Node) int {
	found := 0
	plan.Walk(n, func(n plan.Node) bool {
		h, ok := n.(plan.HasExprs)
		if !ok {
			return true
		}
		for _, e := range h.Expressions() {
			plan.WalkExpr(e, func(e plan.Expr) bool {
				switch e := e.(type) {
				case *plan.Parameter:
					if e.Name == "" {
						found++
					}
				case *plan.Subquery:
					if e.Plan != nil {
						found += markers(e.Plan)
					}
				}
				return true
			})
		}
		return true
	})
	return found
}

// ClosePreparedStatement forgets a statement.
func (s *Service) ClosePreparedStatement(ctx context.Context, r flightsql.ActionClosePreparedStatementRequest) error {
	p, err := s.prepared(ctx)
	if err != nil {
		return failure(err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.statements, string(r.GetPreparedStatementHandle()))
	return nil
}

func (s *Service) preparedSchema(ctx context.Context, handle []byte) (*arrow.Schema, error) {
	q, err := s.find(ctx, handle)
	if err != nil {
		return nil, err
	}
	return s.schema(ctx, q)
}

// GetFlightInfoPreparedStatement describes a prepared statement with the values bound to it; its ticket runs it.
func (s *Service) GetFlightInfoPreparedStatement(ctx context.Context, r flightsql.PreparedStatementQuery, d *flight.FlightDescriptor) (*flight.FlightInfo, error) {
	schema, err := s.preparedSchema(ctx, r.GetPreparedStatementHandle())
	if err != nil {
		return nil, failure(err)
	}
	return info(d.Cmd, schema, d), nil
}

// GetSchemaPreparedStatement is the schema of a prepared statement's rows.
func (s *Service) GetSchemaPreparedStatement(ctx context.Context, r flightsql.PreparedStatementQuery, _ *flight.FlightDescriptor) (*flight.SchemaResult, error) {
	return schemaResult(s.preparedSchema(ctx, r.GetPreparedStatementHandle()))
}

// DoGetPreparedStatement runs a prepared statement.
func (s *Service) DoGetPreparedStatement(ctx context.Context, r flightsql.PreparedStatementQuery) (*arrow.Schema, <-chan flight.StreamChunk, error) {
	q, err := s.find(ctx, r.GetPreparedStatementHandle())
	if err != nil {
		return nil, nil, failure(err)
	}
	return s.query(ctx, q)
}

// DoPutPreparedStatementQuery binds a row of values to a prepared statement.
func (s *Service) DoPutPreparedStatementQuery(ctx context.Context, r flightsql.PreparedStatementQuery, in flight.MessageReader, _ flight.MetadataWriter) ([]byte, error) {
	q, err := s.find(ctx, r.GetPreparedStatementHandle())
	if err != nil {
		return nil, failure(err)
	}
	rows, err := arguments(in)
	if err != nil {
		return nil, failure(err)
	}
	if len(rows) != 1 {
		return nil, failure(errs.Newf(errs.Invalid, "A query takes one row of values, not %d.", len(rows)))
	}
	q.args = rows[0]
	p, err := s.prepared(ctx)
	if err != nil {
		return nil, failure(err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.statements[string(r.GetPreparedStatementHandle())] = q
	return r.GetPreparedStatementHandle(), nil
}

// DoPutPreparedStatementUpdate runs a prepared statement for what it changes, once for each row of values, in their order; it stops at the
// first that fails.
func (s *Service) DoPutPreparedStatementUpdate(ctx context.Context, r flightsql.PreparedStatementUpdate, in flight.MessageReader) (int64, error) {
	q, err := s.find(ctx, r.GetPreparedStatementHandle())
	if err != nil {
		return 0, failure(err)
	}
	rows, err := arguments(in)
	if err != nil {
		return 0, failure(err)
	}
	if len(rows) == 0 {
		return s.update(ctx, q)
	}
	total := int64(0)
	for _, row := range rows {
		q.args = row
		n, err := s.update(ctx, q)
		if err != nil {
			return 0, err
		}
		if n < 0 || total < 0 {
			total = -1
			continue
		}
		total += n
	}
	return total, nil
}

// arguments reads rows of values.
func arguments(in flight.MessageReader) ([][]plan.Expr, error) {
	var out [][]plan.Expr
	for in.Next() {
		b := in.RecordBatch()
		for i := range int(b.NumRows()) {
			row := make([]plan.Expr, b.NumCols())
			for c := range row {
				v, err := value(b.Column(c), i)
				if err != nil {
					return nil, err
				}
				row[c] = v
			}
			out = append(out, row)
		}
	}
	return out, in.Err()
}

// value is one value of a column as a constant of SQL, which the batch does not back.
func value(a arrow.Array, i int) (*plan.Literal, error) {
	schema, err := session.FromArrow(arrow.NewSchema([]arrow.Field{{Name: "value", Type: a.DataType(), Nullable: true}}, nil))
	if err != nil {
		return nil, err
	}
	t := schema.Fields[0].Type
	if a.IsNull(i) {
		return &plan.Literal{T: t}, nil
	}
	of := func(v any) (*plan.Literal, error) { return &plan.Literal{Value: v, T: t}, nil }
	switch a := a.(type) {
	case *array.Boolean:
		return of(a.Value(i))
	case *array.Int8:
		return of(int64(a.Value(i)))
	case *array.Int16:
		return of(int64(a.Value(i)))
	case *array.Int32:
		return of(int64(a.Value(i)))
	case *array.Int64:
		return of(a.Value(i))
	case *array.Float32:
		return of(float64(a.Value(i)))
	case *array.Float64:
		return of(a.Value(i))
	case *array.String:
		return of(strings.Clone(a.Value(i)))
	case *array.LargeString:
		return of(strings.Clone(a.Value(i)))
	case *array.Binary:
		return of(bytes.Clone(a.Value(i)))
	case *array.Date32:
		return of(int64(a.Value(i)))
	case *array.Timestamp:
		if unit := a.DataType().(*arrow.TimestampType).Unit; unit == arrow.Microsecond {
			return of(int64(a.Value(i)))
		}
	case *array.Decimal128:
		if v := a.Value(i); t.IsShortDecimal() {
			return of(int64(v.LowBits()))
		}
		return of(a.Value(i))
	}
	return nil, errs.Newf(errs.Invalid, "A value of Arrow's type %s cannot be bound to a marker.", a.DataType())
}
