package analyze

import (
	"millrace/errs"
	"millrace/plan"
)

// lateral turns a lateral join, whose right side reads columns of the left, into plain operators.
func (a *analyzer) lateral(j *plan.Join) (plan.Node, error) {
	if err := checkLateral(j); err != nil {
		return nil, err
	}
	k := *j
	k.Lateral = false
	if len(outerColumns(j.Right)) == 0 {
		return a.joinSubqueries(&k)
	}
	if err := nearest(j.Left, j.Right); err != nil {
		return nil, err
	}
	if n := a.lateralInPlace(j); n != nil {
		return n, nil
	}
	sub, conds, err := a.detach(j.Left, j.Right, eachRow)
	if err != nil {
		return nil, err
	}
	if j.Condition != nil {
		conds = append(conds, j.Condition)
	}
	k.Right = sub
	if k.Condition, err = a.and(conds); err != nil {
		return nil, err
	}
	if k.Type == plan.CrossJoin {
		k.Type = plan.InnerJoin
	}
	n, err := a.joinSubqueries(&k)
	if err != nil {
		return nil, err
	}
	return a.narrow(n, j), nil
}

// checkLateral refuses a random right side, whose rows would depend on how the join is run.
func checkLateral(j *plan.Join) error {
	random := false
	plan.Walk(j.Right, func(n plan.Node) bool {
		if h, ok := n.(plan.HasExprs); ok {
			for _, e := range h.Expressions() {
				random = random || !steady(e)
			}
		}
		return !random
	})
	if !random || oneRowAtMost(j.Left) {
		return nil
	}
	return errs.New("UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.NON_DETERMINISTIC_LATERAL_SUBQUERIES", "treeNode", "LateralJoin lateral-subquery, "+joinWord(j.Type))
}

func joinWord(t plan.JoinType) string {
	if t == plan.LeftJoin {
		return "LeftOuter"
	}
	return "Inner"
}

func oneRowAtMost(n plan.Node) bool {
	switch m := n.(type) {
	case *plan.OneRow:
		return true
	case *plan.Project, *plan.SubqueryAlias, *plan.Filter:
		return oneRowAtMost(n.Children()[0])
	case *plan.Limit:
		return m.Count != nil && countOf(m.Count, 2) <= 1
	case *plan.Aggregate:
		return len(m.Groups) == 0
	}
	return false
}

// lateralInPlace computes the right side's expressions, conditions and generators over the left's rows; nil when it has other operators.
func (a *analyzer) lateralInPlace(j *plan.Join) plan.Node {
	var n plan.Node
	switch j.Type {
	case plan.InnerJoin, plan.CrossJoin:
		n = a.onLeft(j.Left, j.Right, true)
	case plan.LeftJoin:
		if j.Condition == nil || isTrue(j.Condition) {
			n = a.onLeft(j.Left, j.Right, false)
		}
	}
	if n == nil {
		return nil
	}
	if j.Condition != nil && !isTrue(j.Condition) {
		n = &plan.Filter{Input: n, Condition: j.Condition}
	}
	return a.narrow(n, j)
}

func isTrue(e plan.Expr) bool {
	l, ok := e.(*plan.Literal)
	return ok && l.Value == true
}

// onLeft is a relation over the left's rows. Unless it may drop rows, each of the left's must stay.
func (a *analyzer) onLeft(left, n plan.Node, mayDrop bool) plan.Node {
	if _, one := n.(*plan.OneRow); one {
		return left
	}
	if len(outerColumns(n)) == 0 {
		if !mayDrop {
			return nil
		}
		return &plan.Join{Left: left, Right: n, Type: plan.InnerJoin}
	}
	if len(n.Children()) != 1 {
		return nil
	}
	in := a.onLeft(left, n.Children()[0], mayDrop)
	if in == nil {
		return nil
	}
	var m plan.Node
	switch n := n.(type) {
	case *plan.SubqueryAlias:
		return in
	case *plan.Project:
		if !mayDrop && hasGenerate(n.Input) && !plainColumns(n.Exprs) {
			return nil // what it computes would not be null for a row without matches
		}
		m = &plan.Project{Input: in, Exprs: append(exprsOf(output(left)), n.Exprs...)}
	case *plan.Filter:
		if !mayDrop {
			return nil
		}
		m = &plan.Filter{Input: in, Condition: n.Condition}
	case *plan.Generate:
		g := *n
		g.Input, g.Outer = in, n.Outer || !mayDrop
		m = &g
	default:
		return nil
	}
	m, err := plan.MapExprs(m, freeExpr)
	if err != nil {
		return nil
	}
	return m
}

func freeExpr(e plan.Expr) (plan.Expr, error) { return freed(e) }

func hasGenerate(n plan.Node) bool {
	found := false
	plan.Walk(n, func(n plan.Node) bool {
		if _, ok := n.(*plan.Generate); ok {
			found = true
		}
		return !found
	})
	return found
}

func plainColumns(exprs []plan.Expr) bool {
	for _, e := range exprs {
		if _, ok := bare(e).(*plan.Attribute); !ok {
			return false
		}
	}
	return true
}
