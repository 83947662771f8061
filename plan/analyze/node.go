package analyze

import (
	"slices"
	"strings"

	"millrace/errs"
	"millrace/plan"
	"millrace/plan/fn"
	"millrace/types"
)

// node resolves a relation and everything below it.
func (a *analyzer) node(n plan.Node) (plan.Node, error) {
	switch n := n.(type) {
	case *plan.UnresolvedRelation:
		return a.relation(n)
	case *plan.UnresolvedSource:
		return a.source(n)
	case *plan.With:
		return a.with(n)
	case *plan.UnresolvedTVF:
		return a.tvf(n)
	case *plan.InlineTable:
		return a.inlineTable(n)
	case *plan.SubqueryAlias:
		return a.subqueryAlias(n)
	case *plan.LocalRelation:
		return a.local(n)
	case *plan.Range:
		return a.rangeOf(n), nil
	case *plan.OneRow:
		return &plan.OneRow{}, nil
	case *plan.Scan, *plan.Union, *plan.WindowNode:
		return a.freshen(n) // a resolved plan that the caller put in
	case *plan.Analyzed:
		return a.freshen(n.Input)
	case *plan.WithRelations:
		return a.withRelations(n)
	case *plan.Pipe:
		return a.pipe(n)
	case *plan.Deferred:
		return a.deferred(n)
	case *settled:
		return n.Node, nil
	}
	if out, err, ok := a.rows(n); ok {
		return out, err
	}
	return a.columns(n)
}

// rows resolves the nodes that choose, order, combine or group rows.
func (a *analyzer) rows(n plan.Node) (out plan.Node, err error, ok bool) {
	switch n := n.(type) {
	case *plan.Project:
		out, err = a.project(n, nil)
	case *plan.Aggregate:
		out, err = a.aggregate(n, nil)
	case *plan.Filter:
		out, err = a.filter(n)
	case *plan.Sort:
		out, err = a.sort(n)
	case *plan.Join:
		out, err = a.join(n)
	case *plan.AsOfJoin:
		out, err = a.asOfJoin(n)
	case *plan.SetOp:
		out, err = a.setOp(n)
	case *plan.Limit:
		out, err = a.limit(n)
	case *plan.Generate:
		out, err = a.lateralView(n)
	case *plan.Repartition:
		out, err = a.repartition(n)
	case *plan.Distinct:
		if out, err = a.sameColumns(n); err == nil {
			out, err = a.distinct(out.(*plan.Distinct))
		}
	case *plan.Hint:
		out, err = a.hint(n)
	case *plan.Tail:
		if n.Count < 0 {
			return nil, errs.New("INVALID_LIMIT_LIKE_EXPRESSION.IS_NEGATIVE", "expr", `"`+itoa(int(n.Count))+`"`, "name", "tail", "v", itoa(int(n.Count))), true
		}
		out, err = a.sameColumns(n)
	case *plan.Sample:
		if err = checkSample(n); err == nil {
			out, err = a.sameColumns(n)
		}
	case *plan.PlanID, *plan.ShowString:
		out, err = a.sameColumns(n)
	case *plan.Observe:
		out, err = a.observe(n)
	default:
		return nil, nil, false
	}
	return out, err, true
}

// columns resolves the nodes that add, drop, rename or convert columns.
func (a *analyzer) columns(n plan.Node) (plan.Node, error) {
	switch n := n.(type) {
	case *plan.WithColumns:
		return a.withColumns(n)
	case *plan.RenameColumns:
		return a.renameColumns(n)
	case *plan.DropColumns:
		return a.dropColumns(n)
	case *plan.ToDF:
		return a.toDF(n)
	case *plan.ToSchema:
		return a.toSchema(n)
	case *plan.Deduplicate:
		return a.deduplicate(n)
	case *plan.Watermark:
		return a.watermark(n)
	case *plan.Stat:
		return a.stat(n)
	case *plan.Pivot:
		return a.pivot(n)
	case *plan.ParseTexts:
		return a.parseTexts(n)
	case *plan.Unpivot:
		return a.unpivot(n)
	case *plan.PythonMap:
		return a.pythonMap(n)
	}
	return nil, errs.Unsupportedf("the relation %s is not supported", strings.TrimPrefix(typeName(n), "*plan."))
}

// sameColumns resolves a node that has no expressions and returns its input's columns.
func (a *analyzer) sameColumns(n plan.Node) (plan.Node, error) {
	in, err := a.node(n.Children()[0])
	if err != nil {
		return nil, err
	}
	return n.WithChildren([]plan.Node{in}), nil
}

func (a *analyzer) withRelations(n *plan.WithRelations) (plan.Node, error) {
	before := a.refs
	a.refs = map[int64]plan.Node{}
	for id, r := range before {
		a.refs[id] = r
	}
	for _, r := range n.Refs {
		switch p := r.(type) {
		case *plan.PlanID:
			a.refs[p.ID] = p
		case *plan.SubqueryAlias: // a view that only this query sees
			if _, tagged := p.Input.(*plan.PlanID); !tagged && len(p.Name) == 1 {
				query, err := a.node(p.Input)
				if err != nil {
					return nil, err
				}
				a.ctes = append(a.ctes, map[string]*cte{strings.ToLower(p.Name[0]): {name: p.Name[0], query: query}})
			}
		}
	}
	depth := len(a.ctes)
	out, err := a.node(n.Root)
	a.ctes = a.ctes[:min(depth, len(a.ctes))]
	a.refs = before
	return out, err
}

// qualifyRows is QUALIFY: its condition is one more expression of the SELECT list, by which rows are then kept. It reads what the list reads, and the
// list's aliases; over a GROUP BY it reads the output alone.
func (a *analyzer) qualifyRows(n *plan.Filter) (plan.Node, error) {
	cond := n.Condition
	var list []plan.Expr
	var selected *plan.Project
	switch in := withoutPlanID(n.Input).(type) {
	case *plan.Project:
		list, selected = in.Exprs, in
	case *plan.Aggregate:
		list = in.Exprs
	case *plan.Filter:
		if g, ok := withoutPlanID(in.Input).(*plan.Aggregate); ok {
			list = g.Exprs
		}
	}
	windowed := slices.ContainsFunc(append(slices.Clone(list), cond), writtenWindow)
	over, source := selected == nil, n.Input
	if selected != nil {
		source, list = selected.Input, selected.Exprs
	}
	in, err := a.node(source)
	if err != nil {
		return nil, err
	}
	if over {
		list = exprsOf(output(in))
	}
	exprs := append(slices.Clone(list), &plan.Alias{Child: &plan.Cast{Child: cond, To: types.Boolean, Implicit: true}, Names: []string{"qualify"}})
	resolved, err := a.selectList(a.scope(in), exprs)
	if err != nil {
		return nil, err
	}
	last := len(resolved) - 1
	if c := findAggregate(resolved[last]); c != nil && !over {
		return nil, at(errs.New("QUALIFY_AGGREGATE_NOT_ALLOWED", "aggregateExpr", SQL(c)), c.Origin)
	}
	if !windowed {
		return nil, errs.New("QUALIFY_REQUIRES_WINDOW_FUNCTION")
	}
	if anyAggregate(resolved) {
		return nil, errs.New("MISSING_GROUP_BY")
	}
	out, err := a.shapeOver(in, resolved)
	if err != nil {
		return nil, err
	}
	cols := output(out)
	keep := &plan.Filter{Input: out, Condition: cols[last]}
	return &plan.Project{Input: keep, Exprs: exprsOf(cols[:last])}, nil
}

// writtenWindow reports whether there is a window function in an expression as it was written.
func writtenWindow(e plan.Expr) bool {
	found := false
	plan.WalkExpr(e, func(e plan.Expr) bool {
		if _, ok := e.(*plan.Window); ok {
			found = true
		}
		return !found
	})
	return found
}

func (a *analyzer) filter(n *plan.Filter) (plan.Node, error) {
	if n.Qualify {
		return a.qualifyRows(n)
	}
	if n.Having {
		switch in := withoutPlanID(n.Input).(type) {
		case *plan.Aggregate:
			return a.aggregate(in, n.Condition)
		case *plan.Project:
			return a.project(in, n.Condition)
		}
	}
	in, err := a.node(n.Input)
	if err != nil {
		return nil, err
	}
	if a.hasGenerator(n.Condition) {
		return nil, errs.New("UNSUPPORTED_GENERATOR.OUTSIDE_SELECT", "plan", "Filter "+Pretty(n.Condition))
	}
	written := []plan.Expr{n.Condition}
	if in, err = a.timeWindows(in, &written); err != nil {
		return nil, err
	}
	wide, list, err := a.over(in, written, false)
	if err != nil {
		return nil, err
	}
	cond, err := a.ofTheQueryAround(list[0])
	if err != nil {
		return nil, err
	}
	if err := checkWhere(cond); err != nil {
		return nil, err
	}
	cond, ok := a.boolean(cond)
	if !ok {
		return nil, notBoolean(cond)
	}
	return a.narrow(&plan.Filter{Input: wide, Condition: cond}, in), nil
}

// distinct checks the columns. Sessions are made one as by GROUP BY.
func (a *analyzer) distinct(n *plan.Distinct) (plan.Node, error) {
	cols := exprsOf(output(n))
	if err := noMaps(output(n)); err != nil || !slices.ContainsFunc(cols, isSession) {
		return n, err
	}
	b := a.newBlock(n.Input, cols)
	return b.node(exprsOf(b.attrs))
}

func withoutPlanID(n plan.Node) plan.Node {
	for {
		p, ok := n.(*plan.PlanID)
		if !ok {
			return n
		}
		n = p.Input
	}
}

// checkWhere refuses aggregate, window and generator functions in WHERE.
func checkWhere(cond plan.Expr) error {
	var bad []string
	window := false
	plan.WalkExpr(cond, func(e plan.Expr) bool {
		switch e := e.(type) {
		case *plan.Window:
			window = true
		case *plan.Call:
			if e.Aggregate || e.Generator {
				bad = append(bad, qualifiedSQL(e))
				return false
			}
		}
		return true
	})
	if window {
		return errs.New("WINDOW_FUNCTION_NOT_ALLOWED_IN_CLAUSE", "clauseName", "WHERE")
	}
	if len(bad) == 0 {
		return nil
	}
	return errs.New("INVALID_WHERE_CONDITION", "condition", SQL(cond), "expressionList", join(bad))
}

// limit folds LIMIT and OFFSET to constants.
func (a *analyzer) limit(n *plan.Limit) (plan.Node, error) {
	in, err := a.node(n.Input)
	if err != nil {
		return nil, err
	}
	if n.Count == nil && n.Offset == nil { // LIMIT ALL
		return unlimited(in), nil
	}
	m := &plan.Limit{Input: in}
	if m.Count, err = a.rowCount(n.Count, "limit"); err != nil {
		return nil, err
	}
	if m.Offset, err = a.rowCount(n.Offset, "offset"); err != nil {
		return nil, err
	}
	return m, nil
}

// rowCount folds a count of rows.
func (a *analyzer) rowCount(e plan.Expr, name string) (plan.Expr, error) {
	if e == nil {
		return nil, nil
	}
	l, err := a.countLiteral(e, name)
	if err != nil {
		return nil, at(err, originOf(e))
	}
	return l, nil
}

func (a *analyzer) countLiteral(e plan.Expr, name string) (plan.Expr, error) {
	if c, ok := e.(*plan.UnresolvedAttribute); ok {
		return nil, at(errs.New("INVALID_LIMIT_LIKE_EXPRESSION.IS_UNFOLDABLE", "name", name, "expr", SQL(c)), c.Origin)
	}
	r, err := a.expr(newScope(), e)
	if err == nil {
		err = noFunctions(map[string]string{"limit": "GlobalLimit", "offset": "Offset"}[name], r)
	}
	if err != nil {
		return nil, err
	}
	l := a.constant(r)
	if l == nil {
		return nil, errs.New("INVALID_LIMIT_LIKE_EXPRESSION.IS_UNFOLDABLE", "name", name, "expr", SQL(r))
	}
	if !l.T.IsIntegral() || l.T.Kind == types.KindLong {
		if v, ok := l.Value.(int64); l.T.Kind != types.KindLong || !ok || v > 1<<31-1 {
			return nil, errs.New("INVALID_LIMIT_LIKE_EXPRESSION.DATA_TYPE", "name", name, "expr", SQL(r), "dataType", `"`+l.T.SQL()+`"`)
		}
	}
	v, ok := l.Value.(int64)
	if !ok {
		return nil, errs.New("INVALID_LIMIT_LIKE_EXPRESSION.IS_NULL", "name", name, "expr", SQL(r))
	}
	if v < 0 {
		return nil, errs.New("INVALID_LIMIT_LIKE_EXPRESSION.IS_NEGATIVE", "name", name, "expr", SQL(r), "v", itoa(int(v)))
	}
	return plan.Int(v), nil
}

func (a *analyzer) repartition(n *plan.Repartition) (plan.Node, error) {
	in, err := a.node(n.Input)
	if err != nil {
		return nil, err
	}
	m := *n
	m.Input = in
	s := a.scope(in)
	if m.Exprs, err = a.exprs(s, n.Exprs); err != nil {
		return nil, err
	}
	m.Ranges = nil
	if n.Direct {
		m.Ranges, err = a.direct(s, n)
		return &m, err
	}
	for _, e := range m.Exprs {
		if t := plan.TypeOf(e); fn.HasVariant(t) {
			return nil, errs.New("UNSUPPORTED_FEATURE.PARTITION_BY_VARIANT", "expr", SQL(e), "dataType", `"`+t.SQL()+`"`)
		}
	}
	for _, k := range n.Ranges {
		o, err := a.expr(s, k)
		if err != nil {
			return nil, err
		}
		r := o.(*plan.SortOrder)
		if err := checkOrder(r); err != nil {
			return nil, err
		}
		m.Ranges = append(m.Ranges, r)
	}
	return &m, nil
}

// direct is the number of a row's partition, of N: what is too great or negative goes round, null is in the first.
func (a *analyzer) direct(s *scope, n *plan.Repartition) ([]*plan.SortOrder, error) {
	e, err := a.expr(s, n.Ranges[0].Child)
	if err != nil {
		return nil, err
	}
	if t := plan.TypeOf(e); t.Kind != types.KindInteger {
		return nil, errs.New("DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE", "sqlExpr", `"direct_shuffle_partition_id(`+Pretty(e)+`)"`, "paramIndex", "first",
			"inputSql", SQL(e), "inputType", `"`+t.SQL()+`"`, "requiredType", `"INT"`)
	}
	if n.N < 1 {
		return nil, illegalArgument("requirement failed: Number of partitions (%d) must be positive.", n.N)
	}
	place, err := a.apply("pmod", nil, e, plan.Int(int64(n.N)))
	if err != nil {
		return nil, err
	}
	whole, err := a.apply("coalesce", nil, place, plan.Int(0))
	return []*plan.SortOrder{{Child: whole}}, err
}

func (a *analyzer) observe(n *plan.Observe) (plan.Node, error) {
	in, err := a.node(n.Input)
	if err != nil {
		return nil, err
	}
	if n.Name == "" {
		return nil, illegalArgument("requirement failed: Name must not be empty")
	}
	if id, known := a.observed[n.Name]; known && id != n.PlanID {
		return nil, errs.New("DUPLICATED_METRICS_NAME", "metricName", n.Name)
	}
	a.observed[n.Name] = n.PlanID
	list, err := a.selectList(a.scope(in), n.Metrics)
	if errs.ConditionOf(err) == "NESTED_AGGREGATE_FUNCTION" {
		return nil, errs.New("INVALID_OBSERVED_METRICS.NESTED_AGGREGATES_UNSUPPORTED", "expr", metricSQL(n.Metrics[0]))
	}
	if err != nil {
		return nil, err
	}
	for _, e := range list {
		if err := checkMetric(e, e, false); err != nil {
			return nil, err
		}
	}
	return &plan.Observe{Input: in, Name: n.Name, PlanID: n.PlanID, Metrics: list}, nil
}

// metricSQL is a metric with its name, as messages show it.
func metricSQL(e plan.Expr) string {
	if al, ok := e.(*plan.Alias); ok {
		return strings.TrimSuffix(SQL(al.Child), `"`) + " AS " + types.QuoteIfNeeded(al.Names[0]) + `"`
	}
	return SQL(e)
}

func illegalArgument(format string, args ...any) error {
	e := errs.Newf(errs.Invalid, format, args...)
	e.Class = errs.ClassIllegalArgument
	return e
}

// checkMetric refuses what a metric must not be; e is a part of it, within says that it is the argument of an aggregate function.
func checkMetric(metric, e plan.Expr, within bool) error {
	wrong := ""
	switch e := e.(type) {
	case *plan.Attribute:
		if !within {
			wrong = "NON_AGGREGATE_FUNC_ARG_IS_ATTRIBUTE"
		}
	case *plan.Window:
		wrong = "WINDOW_EXPRESSIONS_UNSUPPORTED"
	case *plan.Call:
		switch {
		case e.Nondetermined && !e.Aggregate && !within:
			wrong = "NON_AGGREGATE_FUNC_ARG_IS_NON_DETERMINISTIC"
		case e.Aggregate && within:
			wrong = "NESTED_AGGREGATES_UNSUPPORTED"
		case e.Aggregate && e.Distinct:
			wrong = "AGGREGATE_EXPRESSION_WITH_DISTINCT_UNSUPPORTED"
		case e.Aggregate && e.Filter != nil:
			wrong = "AGGREGATE_EXPRESSION_WITH_FILTER_UNSUPPORTED"
		}
		within = within || e.Aggregate
	}
	if wrong != "" {
		return errs.New("INVALID_OBSERVED_METRICS."+wrong, "expr", metricSQL(metric))
	}
	for _, c := range e.Children() {
		if err := checkMetric(metric, c, within); err != nil {
			return err
		}
	}
	return nil
}
