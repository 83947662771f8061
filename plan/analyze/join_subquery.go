package analyze

import (
	"millrace/errs"
	"millrace/plan"
)

// joinSubqueries turns a lateral join into a plain one, and takes the subqueries out of a join's condition: each may read one side, over
// which it is computed.
func (a *analyzer) joinSubqueries(j *plan.Join) (plan.Node, error) {
	var err error
	if j.Lateral {
		return a.lateral(j)
	}
	if j.Condition == nil || !hasSubquery(j.Condition) {
		return j, nil
	}
	left, right := &valuer{a: a, in: j.Left}, &valuer{a: a, in: j.Right}
	filterLeft := j.Type == plan.InnerJoin || j.Type == plan.CrossJoin || j.Type == plan.RightJoin || j.Type == plan.SemiJoin
	filterRight := j.Type == plan.InnerJoin || j.Type == plan.CrossJoin || j.Type == plan.LeftJoin || j.Type == plan.SemiJoin || j.Type == plan.AntiJoin
	var conds []plan.Expr
	for _, c := range conjuncts(j.Condition) {
		if !hasSubquery(c) {
			conds = append(conds, c)
			continue
		}
		readsLeft, readsRight := a.readsOf(c, j.Left), a.readsOf(c, j.Right)
		switch {
		case filterLeft && !readsRight:
			left.in, err = a.decorrelate(&plan.Filter{Input: left.in, Condition: c})
		case filterRight && !readsLeft:
			right.in, err = a.decorrelate(&plan.Filter{Input: right.in, Condition: c})
		default:
			c, err = a.sideSubqueries(j, c, left, right)
			conds = append(conds, c)
		}
		if err != nil {
			return nil, err
		}
	}
	k := *j
	k.Left, k.Right = left.in, right.in
	if k.Condition, err = a.and(conds); err != nil {
		return nil, err
	}
	return a.narrow(&k, j), nil
}

// sideSubqueries computes each subquery of a conjunct over the side that it reads.
func (a *analyzer) sideSubqueries(j *plan.Join, c plan.Expr, left, right *valuer) (plan.Expr, error) {
	s, isSubquery := c.(*plan.Subquery)
	if call, ok := c.(*plan.Call); ok && call.Name == "not" {
		s, isSubquery = call.Args[0].(*plan.Subquery)
	}
	if isSubquery {
		readsLeft, readsRight := a.readsOf(s, j.Left), a.readsOf(s, j.Right)
		switch {
		case readsLeft && readsRight:
			return nil, at(errs.New("UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.UNSUPPORTED_CORRELATED_EXPRESSION_IN_JOIN_CONDITION",
				"subqueryExpression", qualifiedSQL(s)), s.Origin)
		case readsRight:
			return right.expr(c)
		}
		return left.expr(c)
	}
	old := c.Children()
	if len(old) == 0 {
		return c, nil
	}
	fresh := make([]plan.Expr, len(old))
	for i, e := range old {
		var err error
		if fresh[i], err = a.sideSubqueries(j, e, left, right); err != nil {
			return nil, err
		}
	}
	return c.WithChildren(fresh), nil
}

func hasSubquery(e plan.Expr) bool {
	found := false
	plan.WalkExpr(e, func(e plan.Expr) bool {
		if _, ok := e.(*plan.Subquery); ok {
			found = true
		}
		return !found
	})
	return found
}

// readsOf reports whether an expression, or a subquery in it, reads columns of a relation.
func (a *analyzer) readsOf(e plan.Expr, n plan.Node) bool {
	out := output(n)
	found := false
	plan.WalkExpr(e, func(e plan.Expr) bool {
		switch e := e.(type) {
		case *plan.Attribute:
			found = found || containsID(out, e.ID)
		case *plan.Subquery:
			for _, c := range outerColumns(e.Plan) {
				found = found || containsID(out, c.ID)
			}
		}
		return !found
	})
	return found
}
