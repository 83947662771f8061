package engine

import (
	"millrace/plan"
)

// joined puts scalar subqueries of filters that aggregate what the filtered relation aggregates, too, into the relation as one more row to join: in one
// query that sub-plan runs once (see physical's sharing of stages), and would run twice if the subquery ran first.
func (st *statement) joined(n plan.Node) (plan.Node, error) {
	prints := plan.NewFingerprints(tableName)
	return plan.Transform(n, func(n plan.Node) (plan.Node, error) {
		f, ok := n.(*plan.Filter)
		if !ok {
			return n, nil
		}
		in, ok := f.Input.(plan.Resolved)
		if !ok {
			return n, nil
		}
		from := f.Input
		cond, err := plan.TransformExpr(f.Condition, func(e plan.Expr) (plan.Expr, error) {
			s, ok := e.(*plan.Subquery)
			if !ok || s.Kind != plan.ScalarSubquery || !oneRow(s.Plan) || !sharing(prints, f.Input, s.Plan) || meet(from, s.Plan) {
				return e, nil
			}
			value := s.Plan.(plan.Resolved).Output()[0]
			from = &plan.Join{Left: from, Right: s.Plan, Type: plan.InnerJoin}
			return value, nil
		})
		if err != nil || from == f.Input {
			return n, err
		}
		exprs := make([]plan.Expr, len(in.Output()))
		for i, a := range in.Output() {
			exprs[i] = a
		}
		return &plan.Project{Input: &plan.Filter{Input: from, Condition: cond}, Exprs: exprs}, nil
	})
}

// oneRow reports whether a relation has one row whatever it reads.
func oneRow(n plan.Node) bool {
	switch n := n.(type) {
	case *plan.Project:
		return oneRow(n.Input)
	case *plan.SubqueryAlias:
		return oneRow(n.Input)
	case *plan.Aggregate:
		return len(n.Groups) == 0 && n.Sets == nil && !n.Deduplicate
	}
	return false
}

// sharing reports whether two relations have a grouping in common.
func sharing(prints *plan.Fingerprints, a, b plan.Node) bool {
	has := map[string]bool{}
	eachGrouping(a, func(g *plan.Aggregate) { has[prints.Of(g)] = true })
	found := false
	eachGrouping(b, func(g *plan.Aggregate) {
		print := prints.Of(g)
		found = found || print != "" && has[print]
	})
	return found
}

func eachGrouping(n plan.Node, f func(*plan.Aggregate)) {
	plan.Walk(n, func(n plan.Node) bool {
		if g, ok := n.(*plan.Aggregate); ok && len(g.Groups) > 0 {
			f(g)
		}
		return true
	})
}

// meet reports whether two relations cannot stand in one join: they have columns of one id, or one has to run by itself.
func meet(a, b plan.Node) bool {
	ids, both := map[plan.ID]bool{}, false
	each := func(n plan.Node, f func(plan.ID)) {
		plan.Walk(n, func(n plan.Node) bool {
			switch n := n.(type) {
			case *plan.Recursion:
				both = true
			case plan.Resolved:
				for _, a := range n.Output() {
					f(a.ID)
				}
			}
			return true
		})
	}
	each(a, func(id plan.ID) { ids[id] = true })
	each(b, func(id plan.ID) { both = both || ids[id] })
	return both
}
