package streaming

import (
	"slices"
	"strings"

	"millrace/errs"
	"millrace/plan"
)

// Check refuses a streaming query's analysed plan where Spark does, with its conditions, and what is not built by name.
func (q Query) Check(n plan.Node) error {
	aggregates := q.aggregates(n)
	switch {
	case len(aggregates) > 0 && q.marked(n): // its late rows would have to be dropped
		return errs.Unsupportedf("A watermark (withWatermark) below a streaming aggregation is not supported yet.")
	case q.Mode == plan.CompleteOutput && len(aggregates) == 0:
		return badMode(q.Mode, "no streaming aggregations")
	case q.Mode == plan.AppendOutput:
		for _, a := range aggregates {
			if !a.Deduplicate && eventTime(a) == 0 {
				return badMode(q.Mode, "streaming aggregations without watermark")
			}
		}
	}
	if q.observed(n) {
		return errs.Unsupportedf("DataFrame.observe of a stream is not supported yet.")
	}
	if err := q.checkChain(n, aggregates); err != nil {
		return err
	}
	return q.checkNode(n)
}

// observed reports whether a stream is observed.
func (q Query) observed(n plan.Node) bool {
	found := false
	plan.Walk(n, func(n plan.Node) bool {
		if o, ok := n.(*plan.Observe); ok && q.streams(o) {
			found = true
		}
		return !found && !q.New(n)
	})
	return found
}

// marked reports whether a watermark is on a stream.
func (q Query) marked(n plan.Node) bool {
	found := false
	plan.Walk(n, func(n plan.Node) bool {
		if w, ok := n.(*plan.Watermark); ok && q.streams(w) {
			found = true
		}
		return !found && !q.New(n)
	})
	return found
}

func badMode(m plan.OutputMode, operation string) error {
	return errs.New("STREAMING_OUTPUT_MODE.UNSUPPORTED_OPERATION", "outputMode", modeNames[m], "operation", operation)
}

var modeNames = [...]string{"append", "update", "complete"}

// unsupported is how Spark refuses what no streaming query can do; its condition has no better name.
func unsupported(message string) error { return errs.New("_LEGACY_ERROR_TEMP_3102", "msg", message) }

// aggregates are the aggregations of new rows, the root's first.
func (q Query) aggregates(n plan.Node) []*plan.Aggregate {
	var list []*plan.Aggregate
	plan.Walk(n, func(n plan.Node) bool {
		if q.New(n) {
			return false
		}
		if a, ok := n.(*plan.Aggregate); ok && q.streams(a) {
			list = append(list, a)
		}
		return true
	})
	return list
}

// checkChain refuses an aggregation of another one's rows.
func (q Query) checkChain(n plan.Node, aggregates []*plan.Aggregate) error {
	for _, a := range aggregates {
		if len(q.aggregates(a.Input)) == 0 {
			continue
		}
		if q.Mode == plan.AppendOutput {
			return errs.Unsupportedf("A streaming aggregation over another one is not supported yet.")
		}
		return unsupported("Detected pattern of possible 'correctness' issue due to global watermark. The query contains stateful operation " +
			"which can emit rows older than the current watermark plus allowed late record delay, which are \"late rows\" in downstream " +
			"stateful operations and these rows can be discarded. Please refer the programming guide doc for more details. If you understand " +
			"the possible risk of correctness issue and still need to run the query, you can disable this check by setting the config " +
			"`spark.sql.streaming.statefulOperator.checkCorrectness.enabled` to false.")
	}
	return nil
}

// checkNode checks every relation that has new rows.
func (q Query) checkNode(n plan.Node) error {
	if q.New(n) {
		return nil
	}
	if !q.streams(n) {
		return nil
	}
	if a, ok := n.(*plan.Aggregate); ok && slices.ContainsFunc(a.Groups, session) {
		return errs.Unsupportedf("Grouping a stream by session_window is not supported yet.")
	}
	for _, c := range n.Children() {
		if err := q.checkNode(c); err != nil {
			return err
		}
	}
	if err := q.checkSubqueries(n); err != nil {
		return err
	}
	switch n := n.(type) {
	case *plan.PythonMap:
		if n.Grouped {
			return errs.Unsupportedf("Functions of Python for groups of a stream are not supported yet.")
		}
	case *plan.Aggregate:
		return checkAggregate(n)
	case *plan.Distinct:
		return errs.Unsupportedf("Removing duplicates (distinct, dropDuplicates) from a stream is not supported yet.")
	case *plan.Sort:
		if q.Mode != plan.CompleteOutput || len(q.aggregates(n)) == 0 {
			return unsupported("Sorting is not supported on streaming DataFrames/Datasets, unless it is on aggregated DataFrame/Dataset in Complete output mode")
		}
	case *plan.Limit:
		return q.checkLimit(n)
	case *plan.Sample:
		return unsupported("Sampling is not supported on streaming DataFrames/Datasets")
	case *plan.WindowNode:
		return checkWindow(n)
	case *plan.Join:
		return q.checkJoin(n)
	case *plan.Union:
		for _, in := range n.Inputs {
			if !q.streams(in) {
				return unsupported("Union between streaming and batch DataFrames/Datasets is not supported")
			}
		}
	}
	return nil
}

// session reports whether a group is a column of session_window.
func session(e plan.Expr) bool {
	c, ok := e.(*plan.Attribute)
	return ok && strings.Contains(c.Metadata, `"spark.sessionWindow":true`)
}

// checkSubqueries refuses streams in subqueries, which would be other rows in every batch.
func (q Query) checkSubqueries(n plan.Node) error {
	h, ok := n.(plan.HasExprs)
	if !ok {
		return nil
	}
	var err error
	for _, e := range h.Expressions() {
		plan.WalkExpr(e, func(e plan.Expr) bool {
			if s, ok := e.(*plan.Subquery); ok && q.streams(s.Plan) {
				err = errs.New("INVALID_SUBQUERY_EXPRESSION.STREAMING_QUERY")
			}
			return true
		})
	}
	return err
}

func checkAggregate(n *plan.Aggregate) error {
	for _, e := range n.Exprs {
		if al, ok := e.(*plan.Alias); ok {
			if c, ok := al.Child.(*plan.Call); ok && c.Python != nil {
				return errs.Unsupportedf("Functions of Python that aggregate a stream are not supported yet.")
			}
		}
	}
	if n.Deduplicate {
		return errs.Unsupportedf("Removing duplicates (distinct, dropDuplicates) from a stream is not supported yet.")
	}
	distinct := false
	for _, e := range n.Exprs {
		plan.WalkExpr(e, func(e plan.Expr) bool {
			c, ok := e.(*plan.Call)
			distinct = distinct || ok && c.Aggregate && c.Distinct
			return true
		})
	}
	if distinct {
		return unsupported("Distinct aggregations are not supported on streaming DataFrames/Datasets. Consider using approx_count_distinct() instead.")
	}
	return nil
}

func (q Query) checkLimit(n *plan.Limit) error {
	switch {
	case n.Offset != nil:
		return unsupported("Offset is not supported on streaming DataFrames/Datasets")
	case q.Mode == plan.UpdateOutput:
		return unsupported("Limits are not supported on streaming DataFrames/Datasets in Update output mode")
	case q.Mode == plan.AppendOutput || len(q.aggregates(n.Input)) == 0:
		return errs.Unsupportedf("limit on a stream is not supported yet, except on an aggregation in complete output mode.")
	}
	return nil
}

func checkWindow(n *plan.WindowNode) error {
	for _, e := range n.Exprs {
		if a, ok := e.(*plan.Alias); ok {
			if w, ok := a.Child.(*plan.Window); ok {
				return errs.New("NON_TIME_WINDOW_NOT_SUPPORTED_IN_STREAMING", "windowFunc", strings.ToUpper(plan.FormatExpr(w.Function)),
					"columnName", "`"+a.Names[0]+"`", "windowSpec", strings.ToUpper(plan.FormatExpr(w)))
			}
		}
	}
	return errs.New("NON_TIME_WINDOW_NOT_SUPPORTED_IN_STREAMING", "windowFunc", "", "columnName", "", "windowSpec", "")
}

var joinNames = map[plan.JoinType]string{plan.LeftJoin: "LeftOuter", plan.RightJoin: "RightOuter", plan.FullJoin: "FullOuter",
	plan.SemiJoin: "LeftSemi", plan.AntiJoin: "LeftAnti", plan.NullAwareAntiJoin: "LeftAnti", plan.ExistenceJoin: "ExistenceJoin"}

// checkJoin refuses joins of two streams, and those in which rows of the table would have to wait for all of the stream.
func (q Query) checkJoin(n *plan.Join) error {
	left, right := q.streams(n.Left), q.streams(n.Right)
	name := joinNames[n.Type]
	switch {
	case left && right:
		return errs.Unsupportedf("A join of two streams is not supported yet.")
	case n.Type == plan.FullJoin && left:
		return unsupported("FullOuter joins with streaming DataFrames/Datasets on the left and a static DataFrame/Dataset on the right is not supported")
	case n.Type == plan.FullJoin:
		return unsupported("FullOuter joins with streaming DataFrames/Datasets on the right and a static DataFrame/Dataset on the left is not supported")
	case n.Type == plan.RightJoin && left:
		return unsupported("RightOuter join with a streaming DataFrame/Dataset on the left and a static DataFrame/DataSet on the right not supported")
	case right && name == "LeftAnti":
		return unsupported("LeftAnti joins with a streaming DataFrame/Dataset on the right are not supported")
	case right && (n.Type == plan.LeftJoin || n.Type == plan.SemiJoin || n.Type == plan.ExistenceJoin):
		return unsupported(name + " join with a streaming DataFrame/Dataset on the right and a static DataFrame/Dataset on the left is not supported")
	}
	return nil
}
