package engine

import (
	"context"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"millrace/errs"
	"millrace/operators/expr"
	"millrace/physical"
	"millrace/plan"
	"millrace/plan/optimize"
	"millrace/planconv"
	"millrace/session"
	"millrace/table"
	"millrace/types"
	"millrace/vector"
)

// optimized reads from the cache what is there, rewrites a resolved relation and replaces its scalar subqueries by their values.
func (st *statement) optimized(n plan.Node) (plan.Node, error) {
	if err := refuseStreams(n); err != nil {
		return nil, err
	}
	n, err := st.withCached(n, nil)
	if err != nil {
		return nil, err
	}
	if n, err = st.drawn(n); err != nil {
		return nil, err
	}
	return st.optimize(n)
}

func (st *statement) optimize(n plan.Node) (plan.Node, error) {
	n, err := st.recursions(n)
	if err != nil {
		return nil, err
	}
	if n, err = st.joined(n); err != nil {
		return nil, err
	}
	n, err = st.scalars(n)
	if err != nil {
		return nil, err
	}
	if n, err = st.ranges(n); err != nil {
		return nil, err
	}
	return optimize.Optimize(n, optimize.Options{Fold: st.fold, Plain: strings.EqualFold(st.s.Conf.Get("millrace.optimizer.enabled"), "false")})
}

// query starts a resolved relation on the workers.
func (st *statement) query(n plan.Node) (session.Result, error) {
	if t, ok := n.(*plan.Tail); ok {
		return st.tail(t)
	}
	schema := plan.Schema(n)
	n, err := st.optimized(n)
	if err != nil {
		return nil, err
	}
	rows, err := st.start(n, func() (*physical.Query, error) { return physical.Plan(st.ctx, n, st.physicalOptions()) })
	if err != nil {
		return nil, err
	}
	arrowSchema, err := session.ArrowSchema(schema, st.settings.TimeZone)
	if err != nil {
		return nil, err
	}
	return &result{st: st, rows: rows, schema: schema, arrow: arrowSchema}, nil
}

func (st *statement) run(q *physical.Query) (Rows, error) {
	rows, err := st.e.o.Runner.Run(st.ctx, Query{Stages: q.Stages, Settings: st.settings, Pipelined: q.Pipelined})
	if err != nil || len(q.Observed) == 0 {
		return rows, err
	}
	return &observedRows{Rows: rows, st: st, list: q.Observed}, nil
}

func (st *statement) physicalOptions() physical.Options {
	slots := st.e.o.Runner.Slots()
	return physical.Options{
		Cores:          slots,
		BroadcastBytes: bytesConf(st.s.Conf, "spark.sql.autoBroadcastJoinThreshold", 10<<20),
		PipelinedBytes: bytesConf(st.s.Conf, "millrace.exchange.pipelinedMaxBytes", 4<<30),
		BloomBits:      bloomBits(st.s.Conf),
		Split:          table.Splits,
		Sample:         st.sample,
		SmallRows:      st.e.o.SmallRows,
		Adaptive:       adaptiveOptions(st.s.Conf),
		Python:         st.pythonEnv,
	}
}

// bloomBits is up to how large filters from one side of a join to the other are.
func bloomBits(c *session.Conf) int64 {
	if strings.EqualFold(c.Get("spark.sql.optimizer.runtime.bloomFilter.enabled"), "false") {
		return 0
	}
	return bytesConf(c, "spark.sql.optimizer.runtime.bloomFilter.maxNumBits", physical.MaxBloomBits)
}

// adaptiveOptions are the session's settings of adaptive execution, by Spark's names; nil when it is off.
func adaptiveOptions(c *session.Conf) *physical.Adaptive {
	const prefix = "spark.sql.adaptive."
	if !c.Bool(prefix + "enabled") {
		return nil
	}
	a := &physical.Adaptive{
		Coalesce:       c.Bool(prefix + "coalescePartitions.enabled"),
		Few:            !c.Bool(prefix + "coalescePartitions.parallelismFirst"),
		Partitions:     int(c.Int(prefix+"coalescePartitions.initialPartitionNum", 0)),
		TargetBytes:    max(bytesConf(c, prefix+"advisoryPartitionSizeInBytes", 64<<20), 1),
		BroadcastBytes: bytesConf(c, prefix+"autoBroadcastJoinThreshold", bytesConf(c, "spark.sql.autoBroadcastJoinThreshold", 10<<20)),
	}
	if own := c.Own()["spark.sql.shuffle.partitions"]; own != "" && a.Partitions == 0 {
		a.Partitions = int(c.Int("spark.sql.shuffle.partitions", 0))
	}
	if c.Bool(prefix + "skewJoin.enabled") {
		a.SkewBytes = bytesConf(c, prefix+"skewJoin.skewedPartitionThresholdInBytes", 256<<20)
		a.SkewFactor = 5
		if f, err := strconv.ParseFloat(c.Get(prefix+"skewJoin.skewedPartitionFactor"), 64); err == nil && f > 0 {
			a.SkewFactor = f
		}
	}
	return a
}

// fold computes an expression that reads no column.
func (st *statement) fold(e plan.Expr) (*plan.Literal, error) {
	pb, err := physical.Fold(e)
	if err != nil {
		return nil, err
	}
	lit, err := expr.Fold(pb, st.settings)
	if err != nil || lit == nil {
		return nil, err
	}
	t := plan.TypeOf(e)
	return &plan.Literal{Value: planconv.Value(lit, t), T: t}, nil
}

// scalars runs each uncorrelated scalar subquery and puts its value in its place.
func (st *statement) scalars(n plan.Node) (plan.Node, error) {
	return plan.Transform(n, func(n plan.Node) (plan.Node, error) {
		return plan.MapExprs(n, func(e plan.Expr) (plan.Expr, error) {
			return plan.TransformExpr(e, func(e plan.Expr) (plan.Expr, error) {
				s, ok := e.(*plan.Subquery)
				if !ok {
					return e, nil
				}
				if s.Kind == plan.ScalarSubquery {
					return st.scalar(s)
				}
				within, err := st.scalars(s.Plan)
				if err != nil || within == s.Plan {
					return e, err
				}
				test := *s
				test.Plan = within
				return &test, nil
			})
		})
	})
}

func (st *statement) scalar(s *plan.Subquery) (plan.Expr, error) {
	rows, err := st.collect(s.Plan, 2)
	if err != nil {
		return nil, err
	}
	t := s.Type()
	switch len(rows) {
	case 0:
		return &plan.Literal{T: t}, nil
	case 1:
		return &plan.Literal{Value: rows[0][0], T: t}, nil
	}
	return nil, errs.New("SCALAR_SUBQUERY_TOO_MANY_ROWS")
}

// collect runs a resolved relation and returns its rows, in plan.Literal's form; more than limit rows are cut off.
func (st *statement) collect(n plan.Node, limit int) ([][]any, error) {
	n, err := st.optimized(n)
	if err != nil {
		return nil, err
	}
	return st.rowsOf(n, limit, func() (*physical.Query, error) { return physical.Plan(st.ctx, n, st.physicalOptions()) })
}

// rowsOf plans and runs an optimised relation whose result is small.
func (st *statement) rowsOf(n plan.Node, limit int, planned func() (*physical.Query, error)) ([][]any, error) {
	rows, err := st.start(n, planned)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out [][]any
	for {
		b, err := rows.Next(st.ctx)
		if err != nil {
			return out, err
		}
		if b == nil {
			st.metrics = rows.Metrics()
			return out, nil
		}
		expr.Rows(b.Sel, b.N, func(i int) {
			row := make([]any, len(b.Cols))
			for k, c := range b.Cols {
				row[k] = planconv.At(c, i)
			}
			out = append(out, row)
		})
		if limit > 0 && len(out) >= limit {
			return out, nil
		}
	}
}

// result turns a query's batches into record batches.
type result struct {
	st     *statement
	rows   Rows
	schema *types.Type
	arrow  *arrow.Schema
}

func (r *result) Schema() *types.Type { return r.schema }

func (r *result) Next(ctx context.Context) (arrow.RecordBatch, error) {
	b, err := r.rows.Next(ctx)
	if err != nil || b == nil {
		return nil, err
	}
	return vector.ToArrow(b, r.arrow), nil
}

func (r *result) Metrics() session.Metrics {
	m := r.rows.Metrics()
	m.Observed = r.st.observed
	return m
}

func (r *result) Close() error { return r.rows.Close() }
