package connect

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"google.golang.org/grpc"

	"millrace/errs"
	"millrace/plan"
	"millrace/session"
	"millrace/types"
)

// stub answers a few fixed plans: local data, ranges, limits, literals, and tables named after what they do.
type stub struct {
	ran    []plan.Node
	levels sync.Map // by plan
}

var _ session.Cacher = (*stub)(nil)

func (s *stub) Persist(_ context.Context, _ *session.Session, n plan.Node, l session.StorageLevel) error {
	s.levels.Store(plan.Format(n), l)
	return nil
}

func (s *stub) Unpersist(_ context.Context, _ *session.Session, n plan.Node) error {
	s.levels.Delete(plan.Format(n))
	return nil
}

func (s *stub) StorageLevel(_ context.Context, _ *session.Session, n plan.Node) (session.StorageLevel, error) {
	if l, ok := s.levels.Load(plan.Format(n)); ok {
		return l.(session.StorageLevel), nil
	}
	return session.NoLevel, nil
}

func (s *stub) Refresh(context.Context, *session.Session, plan.Node) error { return nil }

func (s *stub) RefreshPath(*session.Session, string) {}

func (s *stub) ClearCache(*session.Session) { s.levels.Clear() }

type resolved struct {
	plan.Node
	attrs []*plan.Attribute
}

func (r resolved) Output() []*plan.Attribute { return r.attrs }

func (s *stub) Analyze(ctx context.Context, sess *session.Session, n plan.Node) (plan.Resolved, error) {
	schema, _, err := s.rows(sess, n)
	if err != nil {
		return nil, err
	}
	r := resolved{Node: n}
	for _, f := range schema.Fields {
		r.attrs = append(r.attrs, &plan.Attribute{Name: f.Name, T: f.Type, Null: f.Nullable, Metadata: f.Metadata})
	}
	return r, nil
}

func (s *stub) Explain(context.Context, *session.Session, plan.Node, string) (string, error) {
	return "== Physical Plan ==\nstub\n", nil
}

func (s *stub) Execute(ctx context.Context, sess *session.Session, n plan.Node) (session.Result, error) {
	if c, ok := n.(plan.Command); ok {
		s.ran = append(s.ran, c)
		return session.NewRows(&types.Type{Kind: types.KindStruct}, nil)
	}
	schema, produce, err := s.rows(sess, n)
	if err != nil {
		return nil, err
	}
	return &stubResult{schema: schema, next: produce}, nil
}

type stubResult struct {
	schema *types.Type
	next   func(context.Context) (arrow.RecordBatch, error)
}

func (r *stubResult) Schema() *types.Type { return r.schema }
func (r *stubResult) Next(ctx context.Context) (arrow.RecordBatch, error) {
	return r.next(ctx)
}
func (r *stubResult) Metrics() session.Metrics {
	return session.Metrics{Operators: []session.OperatorMetrics{{Name: "Stub", ID: 1, Parent: 1,
		Values: []session.MetricValue{{Key: "rows", Name: "number of output rows", Kind: "sum", Value: 7}}}}}
}
func (r *stubResult) Close() error { return nil }

type producer = func(context.Context) (arrow.RecordBatch, error)

func (s *stub) rows(sess *session.Session, n plan.Node) (*types.Type, producer, error) {
	switch n := n.(type) {
	case *plan.PlanID:
		return s.rows(sess, n.Input)
	case *plan.SubqueryAlias:
		return s.rows(sess, n.Input)
	case *plan.Hint:
		return s.rows(sess, n.Input)
	case *plan.ToDF:
		schema, next, err := s.rows(sess, n.Input)
		if err != nil {
			return nil, nil, err
		}
		named := &types.Type{Kind: types.KindStruct}
		for i, f := range schema.Fields {
			f.Name = n.Names[i]
			named.Fields = append(named.Fields, f)
		}
		return named, renamed(next, named), nil
	case *plan.LocalRelation:
		return n.T, local(n), nil
	case *plan.Range:
		schema := types.Struct(types.Field{Name: "id", Type: types.Long})
		return schema, numbers(n.Start, n.End, n.Step), nil
	case *plan.Limit:
		schema, next, err := s.rows(sess, n.Input)
		if err != nil || n.Count == nil {
			return schema, next, err
		}
		return schema, limited(next, n.Count.(*plan.Literal).Value.(int64)), nil
	case *plan.Project:
		return s.project(sess, n)
	case *plan.UnresolvedRelation:
		return s.table(sess, n)
	case *plan.UnresolvedSource:
		return types.Struct(types.Field{Name: "timestamp", Type: types.Timestamp, Nullable: true}, types.Field{Name: "value", Type: types.Long, Nullable: true}), nil, nil
	}
	return nil, nil, errs.Unsupportedf("The stub has no %T.", n)
}

func (s *stub) project(sess *session.Session, n *plan.Project) (*types.Type, producer, error) {
	if len(n.Exprs) == 1 {
		if _, star := n.Exprs[0].(*plan.UnresolvedStar); star {
			return s.rows(sess, n.Input)
		}
		if u, ok := n.Exprs[0].(*plan.UnresolvedAttribute); ok && u.Parts[0] != "id" {
			return nil, nil, withOrigin(errs.New("UNRESOLVED_COLUMN.WITH_SUGGESTION", "objectName", "`"+u.Parts[0]+"`", "proposal", "`id`"), u.Origin)
		}
		if f, ok := n.Exprs[0].(*plan.UnresolvedFunction); ok && f.Name[0] == "/" {
			return types.Struct(types.Field{Name: "x", Type: types.Double, Nullable: true}), func(context.Context) (arrow.RecordBatch, error) {
				return nil, withOrigin(errs.New("DIVIDE_BY_ZERO", "config", `"spark.sql.ansi.enabled"`), f.Origin)
			}, nil
		}
	}
	schema := &types.Type{Kind: types.KindStruct}
	var values []any
	for _, e := range n.Exprs {
		name := ""
		if a, ok := e.(*plan.Alias); ok {
			name, e = a.Names[0], a.Child
		}
		l, ok := e.(*plan.Literal)
		if !ok {
			return nil, nil, errs.Unsupportedf("The stub has no %T.", e)
		}
		if name == "" {
			name = fmt.Sprint(l.Value)
		}
		schema.Fields = append(schema.Fields, types.Field{Name: name, Type: l.T})
		values = append(values, l.Value)
	}
	r, err := session.NewRows(schema, [][]any{values})
	return schema, r.Next, err
}

func withOrigin(e *errs.Error, o *plan.Origin) error {
	if o == nil {
		return e
	}
	c := errs.QueryContext{DataFrame: o.DataFrame, Fragment: o.Fragment, CallSite: o.CallSite, SQL: o.SQL, Start: o.Start, Stop: o.Stop}
	if !o.DataFrame {
		c.Fragment = o.SQL[o.Start : o.Stop+1]
	}
	return e.With(c)
}

func (s *stub) table(sess *session.Session, n *plan.UnresolvedRelation) (*types.Type, producer, error) {
	if v, ok := sess.View(n.Parts); ok {
		return s.rows(sess, v)
	}
	schema := types.Struct(types.Field{Name: "id", Type: types.Long})
	switch n.Parts[0] {
	case "slow": // answers when it is interrupted
		return schema, func(ctx context.Context) (arrow.RecordBatch, error) {
			select {
			case <-ctx.Done():
				return nil, ctx.Err()
			case <-time.After(time.Minute):
				return nil, nil
			}
		}, nil
	case "broken":
		return schema, func(context.Context) (arrow.RecordBatch, error) { panic("a bug") }, nil
	}
	return nil, nil, errs.New("TABLE_OR_VIEW_NOT_FOUND", "relationName", types.QuoteParts(n.Parts...))
}

func local(n *plan.LocalRelation) producer {
	if len(n.Arrow) == 0 {
		return func(context.Context) (arrow.RecordBatch, error) { return nil, nil }
	}
	r, err := ipc.NewReader(bytes.NewReader(n.Arrow))
	return func(context.Context) (arrow.RecordBatch, error) {
		if err != nil || !r.Next() {
			return nil, err
		}
		b := r.RecordBatch()
		b.Retain()
		return b, nil
	}
}

func renamed(next producer, schema *types.Type) producer {
	return func(ctx context.Context) (arrow.RecordBatch, error) {
		b, err := next(ctx)
		if err != nil || b == nil {
			return nil, err
		}
		as, err := session.ArrowSchema(schema, "UTC")
		return array.NewRecordBatch(as, b.Columns(), b.NumRows()), err
	}
}

func numbers(at, end, step int64) producer {
	schema := arrow.NewSchema([]arrow.Field{{Name: "id", Type: arrow.PrimitiveTypes.Int64}}, nil)
	return func(context.Context) (arrow.RecordBatch, error) {
		if at >= end {
			return nil, nil
		}
		b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
		defer b.Release()
		for i := 0; i < 2048 && at < end; i++ {
			b.Field(0).(*array.Int64Builder).Append(at)
			at += step
		}
		return b.NewRecordBatch(), nil
	}
}

func limited(next producer, left int64) producer {
	return func(ctx context.Context) (arrow.RecordBatch, error) {
		if left <= 0 {
			return nil, nil
		}
		b, err := next(ctx)
		if err != nil || b == nil {
			return nil, err
		}
		if b.NumRows() > left {
			whole := b
			b = whole.NewSlice(0, left)
			whole.Release()
		}
		left -= b.NumRows()
		return b, nil
	}
}

// serve starts the service over a stub and gives its address.
func serve(t *testing.T, o Options) (*Service, string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if o.Sessions == nil {
		o.Sessions = session.NewManager(session.Options{Engine: &stub{}, Dir: t.TempDir(), Conf: map[string]string{"spark.sql.session.timeZone": "UTC"}})
	}
	if o.Self == "" {
		o.Self = "sc://" + listener.Addr().String() + "/"
	}
	s := New(o)
	server := grpc.NewServer(ServerOptions()...)
	s.Register(server)
	go server.Serve(listener) // it ends with the test
	t.Cleanup(server.Stop)
	return s, strings.Replace(listener.Addr().String(), "[::]", "127.0.0.1", 1)
}
