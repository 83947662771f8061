package analyze

import (
	"errors"
	"strings"

	"millrace/errs"
	"millrace/plan"
	"millrace/types"
)

// decorrelate turns the subqueries of a node into joins: [NOT] EXISTS and [NOT] IN as conjuncts of a filter into semi and anti joins,
// elsewhere into joins that say whether there is a match; correlated scalar ones into left joins. What stands alone and is a conjunct or
// a value is left for the optimiser.
func (a *analyzer) decorrelate(n plan.Node) (plan.Node, error) {
	switch m := n.(type) {
	case *plan.Filter:
		cond, err := a.inward(m.Condition, false)
		if err != nil {
			return nil, err
		}
		if n, err = a.filterSubqueries(&plan.Filter{Input: m.Input, Condition: cond}); err != nil {
			return nil, err
		}
	case *plan.Join:
		return a.joinSubqueries(m)
	case *plan.Sort:
		return m, sortSubqueries(m)
	}
	if len(n.Children()) == 1 {
		return a.valueSubqueries(n)
	}
	return n, nil
}

// inward moves a NOT over tests for rows to the tests, where it decides what a comparison with a null counts as.
func (a *analyzer) inward(e plan.Expr, negated bool) (plan.Expr, error) {
	c, ok := e.(*plan.Call)
	switch {
	case !ok || !hasSubquery(e):
	case c.Name == "not":
		return a.inward(c.Args[0], !negated)
	case c.Name == "and" || c.Name == "or":
		args := make([]plan.Expr, len(c.Args))
		for i, arg := range c.Args {
			var err error
			if args[i], err = a.inward(arg, negated); err != nil {
				return nil, err
			}
		}
		name := c.Name
		if negated {
			name = map[string]string{"and": "or", "or": "and"}[name]
		}
		return a.apply(name, c.Origin, args...)
	}
	if !negated {
		return e, nil
	}
	return a.apply("not", nil, e)
}

// sortSubqueries refuses what a sort cannot compute.
func sortSubqueries(s *plan.Sort) error {
	var err error
	for _, k := range s.Keys {
		plan.WalkExpr(k, func(e plan.Expr) bool {
			q, ok := e.(*plan.Subquery)
			switch {
			case !ok || err != nil:
			case q.Kind != plan.ScalarSubquery:
				err = at(errs.New("UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.UNSUPPORTED_IN_EXISTS_SUBQUERY", "treeNode", "Sort ["+Pretty(k.Child)+"], true"), q.Origin)
			case len(outerColumns(q.Plan)) > 0:
				err = at(errs.New("UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.UNSUPPORTED_CORRELATED_SCALAR_SUBQUERY", "treeNode", "Sort ["+Pretty(k.Child)+"], true"), q.Origin)
			}
			return err == nil
		})
	}
	return err
}

// filterSubqueries takes the conjuncts that test for rows out of a filter.
func (a *analyzer) filterSubqueries(f *plan.Filter) (plan.Node, error) {
	in := f.Input
	var stay []plan.Expr
	for _, c := range conjuncts(f.Condition) {
		j, err := a.rowTest(in, c)
		if err != nil {
			return nil, err
		}
		if j == nil {
			stay = append(stay, c)
			continue
		}
		in = j
	}
	if in == f.Input {
		return f, nil
	}
	return a.filterBy(in, stay)
}

func (a *analyzer) filterBy(in plan.Node, conds []plan.Expr) (plan.Node, error) {
	cond, err := a.and(conds)
	if err != nil || cond == nil {
		return in, err
	}
	return &plan.Filter{Input: in, Condition: cond}, nil
}

func conjuncts(e plan.Expr) []plan.Expr {
	if c, ok := e.(*plan.Call); ok && c.Name == "and" {
		var all []plan.Expr
		for _, arg := range c.Args {
			all = append(all, conjuncts(arg)...)
		}
		return all
	}
	return []plan.Expr{e}
}

func (a *analyzer) and(conds []plan.Expr) (plan.Expr, error) {
	var all plan.Expr
	for _, c := range conds {
		if all == nil {
			all = c
			continue
		}
		both, err := a.apply("and", nil, all, c)
		if err != nil {
			return nil, err
		}
		all = both
	}
	return all, nil
}

// rowTest is the join for a conjunct [NOT] EXISTS (…) or x [NOT] IN (…) that is correlated; nil for any other.
func (a *analyzer) rowTest(in plan.Node, c plan.Expr) (plan.Node, error) {
	negated := false
	if call, ok := c.(*plan.Call); ok && call.Name == "not" {
		c, negated = call.Args[0], true
	}
	s, ok := c.(*plan.Subquery)
	if !ok || s.Kind == plan.ScalarSubquery || len(outerColumns(s.Plan)) == 0 || a.nullValue(s) {
		return nil, nil
	}
	sub, cond, err := a.testOf(in, s, negated)
	if err != nil {
		return nil, at(err, s.Origin)
	}
	t := plan.SemiJoin
	if negated {
		t = plan.AntiJoin
	}
	return &plan.Join{Left: in, Right: sub, Type: t, Condition: cond}, nil
}

// nullValue reports whether an IN compares the constant null where that is null even over no rows: Spark's rule of old.
func (a *analyzer) nullValue(s *plan.Subquery) bool {
	if s.Kind != plan.InSubquery || len(s.Values) != 1 || !a.legacyNullIn() {
		return false
	}
	e := s.Values[0]
	for {
		c, ok := e.(*plan.Cast)
		if !ok {
			break
		}
		e = c.Child
	}
	l, ok := e.(*plan.Literal)
	return ok && l.Value == nil
}

// legacyNullIn reports whether null IN () is null and not false.
func (a *analyzer) legacyNullIn() bool {
	if v := a.conf.get("spark.sql.legacy.nullInEmptyListBehavior"); v != "" {
		return strings.EqualFold(v, "true")
	}
	return !a.conf.ANSI
}

// testOf is the relation of a test for rows, and the condition by which its rows match.
func (a *analyzer) testOf(in plan.Node, s *plan.Subquery, negated bool) (plan.Node, plan.Expr, error) {
	if err := nearest(in, s.Plan); err != nil {
		return nil, nil, err
	}
	out := output(s.Plan)
	use := someRow
	if s.Kind == plan.InSubquery {
		use = rowSet
	}
	sub, conds, err := a.detach(in, s.Plan, use)
	if err != nil {
		return nil, nil, err
	}
	if s.Kind == plan.InSubquery {
		equal, err := a.inCondition(s.Values, out, negated)
		if err != nil {
			return nil, nil, err
		}
		conds = append([]plan.Expr{equal}, conds...)
	} else if len(conds) == 0 {
		sub = &plan.Limit{Input: sub, Count: plan.Int(1)}
	}
	cond, err := a.and(conds)
	return sub, cond, err
}

// detach makes a subquery stand alone: its conditions on the query around are returned, or its rows hold the values of the query around.
func (a *analyzer) detach(in, sub plan.Node, use rowUse) (plan.Node, []plan.Expr, error) {
	if len(outerColumns(sub)) == 0 {
		return sub, nil, nil
	}
	out, conds, err := a.pullUp(sub, use)
	if errors.Is(err, errNotPulled) {
		return a.bind(in, sub)
	}
	return out, conds, err
}

// nearest refuses a subquery that reads columns of a query further out than the one around it.
func nearest(in, sub plan.Node) error {
	for _, c := range outerColumns(sub) {
		if !containsID(output(in), c.ID) {
			return errs.Unsupportedf("a subquery that reads the column %s of a query further out than the one around it is not supported", types.Quote(c.Name))
		}
	}
	return nil
}

// inCondition is the equality of an IN; under NOT a comparison with a null counts as one.
func (a *analyzer) inCondition(values []plan.Expr, out []*plan.Attribute, negated bool) (plan.Expr, error) {
	var list []plan.Expr
	for i, v := range values {
		eq, err := a.apply("=", nil, v, out[i])
		if err != nil {
			return nil, err
		}
		list = append(list, eq)
	}
	all, err := a.and(list)
	if err != nil || !negated || !plan.IsNullable(all) {
		return all, err
	}
	unknown, err := a.apply("isnull", nil, all)
	if err != nil {
		return nil, err
	}
	return a.apply("or", nil, all, unknown)
}

// valueSubqueries joins the subqueries in a node's expressions to its input: correlated scalar ones, and tests for rows that are parts of other
// expressions.
func (a *analyzer) valueSubqueries(n plan.Node) (plan.Node, error) {
	v := &valuer{a: a, in: n.Children()[0], conjunct: map[plan.Expr]bool{}}
	before := v.in
	if f, ok := n.(*plan.Filter); ok {
		v.leave(f.Condition)
	}
	m, err := plan.MapExprs(n, v.expr)
	if err != nil || v.in == before {
		return m, err
	}
	return a.narrow(m.WithChildren([]plan.Node{v.in}), n), nil
}

// valuer replaces subqueries by columns of joins over in.
type valuer struct {
	a        *analyzer
	in       plan.Node
	conjunct map[plan.Expr]bool // tests that the optimiser makes joins of
}

// leave notes the conjuncts that are tests for rows of relations that stand alone.
func (v *valuer) leave(cond plan.Expr) {
	for _, c := range conjuncts(cond) {
		if call, ok := c.(*plan.Call); ok && call.Name == "not" {
			if s, ok := call.Args[0].(*plan.Subquery); ok && s.Kind != plan.ScalarSubquery && !v.a.nullValue(s) {
				v.conjunct[c] = true
			}
		}
		if s, ok := c.(*plan.Subquery); ok && s.Kind != plan.ScalarSubquery && !v.a.nullValue(s) {
			v.conjunct[c] = true
		}
	}
}

func (v *valuer) expr(e plan.Expr) (plan.Expr, error) {
	switch e := e.(type) {
	case *plan.Subquery:
		return v.subquery(e)
	case *plan.Call:
		if v.conjunct[e] {
			return e, nil
		}
		if s, ok := firstArg(e).(*plan.Subquery); ok && e.Name == "not" && s.Kind != plan.ScalarSubquery {
			found, err := v.test(s, true)
			if err != nil || found == nil {
				return found, err
			}
			return v.a.apply("not", nil, found)
		}
	}
	old := e.Children()
	if len(old) == 0 {
		return e, nil
	}
	fresh, changed := make([]plan.Expr, len(old)), false
	for i, c := range old {
		var err error
		if fresh[i], err = v.expr(c); err != nil {
			return nil, err
		}
		changed = changed || fresh[i] != c
	}
	if !changed {
		return e, nil
	}
	return e.WithChildren(fresh), nil
}

func (v *valuer) subquery(s *plan.Subquery) (plan.Expr, error) {
	switch {
	case v.conjunct[s]:
		return s, nil
	case s.Kind != plan.ScalarSubquery:
		return v.test(s, false)
	case len(outerColumns(s.Plan)) == 0:
		return s, nil
	}
	joined, value, err := v.a.joinScalar(v.in, s)
	if err != nil {
		return nil, at(err, s.Origin)
	}
	v.in = joined
	return value, nil
}

// test joins a test for rows and returns the column that says whether there are any; as in Spark it is never null, except for a null that
// is written.
func (v *valuer) test(s *plan.Subquery, negated bool) (plan.Expr, error) {
	if v.a.nullValue(s) {
		return &plan.Literal{T: types.Boolean}, nil
	}
	values, err := v.values(s)
	if err != nil {
		return nil, err
	}
	t := *s
	t.Values = values
	sub, cond, err := v.a.testOf(v.in, &t, negated)
	if err != nil {
		return nil, at(err, s.Origin)
	}
	exists := &plan.Attribute{ID: v.a.id(), Name: "exists", T: types.Boolean}
	v.in = &plan.Join{Left: v.in, Right: sub, Type: plan.ExistenceJoin, Condition: cond, Exists: exists}
	return exists, nil
}

// values replaces the subqueries in what an IN compares.
func (v *valuer) values(s *plan.Subquery) ([]plan.Expr, error) {
	out := make([]plan.Expr, len(s.Values))
	for i, e := range s.Values {
		var err error
		if out[i], err = v.expr(e); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// joinScalar joins a correlated scalar subquery and returns the expression of its value.
func (a *analyzer) joinScalar(in plan.Node, s *plan.Subquery) (plan.Node, plan.Expr, error) {
	if err := nearest(in, s.Plan); err != nil {
		return nil, nil, err
	}
	out := output(s.Plan)[0]
	if singleRow(s.Plan) {
		if zero, ok := a.onNoRows(s.Plan, out.ID); ok {
			sub, conds, err := a.pullUp(s.Plan, oneGroup)
			if err == nil {
				return a.joinValue(in, sub, conds, out, zero)
			} else if !errors.Is(err, errNotPulled) {
				return nil, nil, err
			}
		}
	}
	sub, conds, err := a.bind(in, s.Plan)
	if err != nil {
		return nil, nil, err
	}
	if singleRow(s.Plan) || oneRowEach(s.Plan) {
		return a.joinValue(in, sub, conds, out, nil)
	}
	return a.joinSingle(in, sub, conds, out)
}

// oneRowEach reports whether a limit leaves one row at most.
func oneRowEach(n plan.Node) bool {
	switch m := n.(type) {
	case *plan.SubqueryAlias:
		return oneRowEach(m.Input)
	case *plan.Project:
		return oneRowEach(m.Input)
	case *plan.Limit:
		return m.Count != nil && countOf(m.Count, 2) <= 1
	}
	return false
}

// joinValue joins a relation that has a row at most for each of the input's. Without one a count is zero, and all else is null.
func (a *analyzer) joinValue(in, sub plan.Node, conds []plan.Expr, out *plan.Attribute, zero plan.Expr) (plan.Node, plan.Expr, error) {
	cond, err := a.and(conds)
	if err != nil {
		return nil, nil, err
	}
	value := *out
	value.Null = true
	j := &plan.Join{Left: in, Right: sub, Type: plan.LeftJoin, Condition: cond}
	if zero == nil {
		return j, &value, nil
	}
	e, err := a.apply("coalesce", nil, &value, zero)
	return j, e, err
}

// joinSingle joins a relation that may have several rows for one of the input's, which is an error where the value is asked for.
func (a *analyzer) joinSingle(in, sub plan.Node, conds []plan.Expr, out *plan.Attribute) (plan.Node, plan.Expr, error) {
	first, err := a.apply("first", nil, out)
	if err != nil {
		return nil, nil, err
	}
	count, err := a.apply("count", nil, plan.Int(1))
	if err != nil {
		return nil, nil, err
	}
	value, rows := a.alias(first, out.Name), a.alias(count, "rows")
	g := &plan.Aggregate{Input: sub, Groups: exprsOf(ownColumns(sub, conds))}
	g.Exprs = append(append(g.Exprs, g.Groups...), value, rows)
	j, e, err := a.joinValue(in, g, conds, value.Attribute(), nil)
	if err != nil {
		return nil, nil, err
	}
	n := *rows.Attribute()
	n.Null = true
	return j, &plan.Call{Name: "scalar_subquery", Args: []plan.Expr{&n, e}, T: out.T, Null: true}, nil
}

// singleRow reports whether a subquery is an aggregation without groups under projections.
func singleRow(n plan.Node) bool {
	switch n := n.(type) {
	case *plan.Project:
		return singleRow(n.Input)
	case *plan.SubqueryAlias:
		return singleRow(n.Input)
	case *plan.PlanID:
		return singleRow(n.Input)
	case *plan.Aggregate:
		return len(n.Groups) == 0
	}
	return false
}

// onNoRows is the value of a subquery's column when no row is aggregated: nil for null. It is not ok when it cannot be told.
func (a *analyzer) onNoRows(n plan.Node, id plan.ID) (plan.Expr, bool) {
	for {
		switch m := n.(type) {
		case *plan.SubqueryAlias:
			n = m.Input
			continue
		case *plan.PlanID:
			n = m.Input
			continue
		case *plan.Project:
			e := definition(m.Exprs, id)
			if c, ok := e.(*plan.Attribute); ok {
				id, n = c.ID, m.Input
				continue
			}
			return nil, !readsCount(e, m.Input)
		case *plan.Aggregate:
			c, ok := definition(m.Exprs, id).(*plan.Call)
			if ok && (c.Name == "count" || c.Name == "count_if") {
				return plan.BigInt(0), true
			}
			return nil, ok && c.T.Kind != types.KindArray
		}
		return nil, false
	}
}

func definition(exprs []plan.Expr, id plan.ID) plan.Expr {
	for _, e := range exprs {
		switch e := e.(type) {
		case *plan.Alias:
			if e.ID == id {
				return e.Child
			}
		case *plan.Attribute:
			if e.ID == id {
				return e
			}
		}
	}
	return nil
}

// readsCount reports whether an expression may be other than null when all aggregates but counts are null.
func readsCount(e plan.Expr, below plan.Node) bool {
	found, columns := false, false
	plan.WalkExpr(e, func(e plan.Expr) bool {
		switch e := e.(type) {
		case *plan.Attribute:
			columns = true
			if !e.Null {
				found = true
			}
		case *plan.Call:
			switch e.Name {
			case "coalesce", "isnull", "isnotnull", "case", "if", "nvl2", "<=>", "greatest", "least":
				found = true
			}
		}
		return true
	})
	return found || !columns
}

func firstArg(c *plan.Call) plan.Expr {
	if len(c.Args) == 0 {
		return nil
	}
	return c.Args[0]
}
