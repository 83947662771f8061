package optimize

import (
	"millrace/plan"
	"millrace/plan/analyze"
)

// factorDisjunctions turns (a AND b) OR (a AND c) into a AND (b OR c) in the conditions of filters and joins, so that what all branches ask
// for, such as a join's key, is a conjunct that can be moved. Kleene's logic is distributive: nulls change nothing.
func factorDisjunctions(n plan.Node) (plan.Node, error) {
	return plan.Transform(n, func(n plan.Node) (plan.Node, error) {
		switch n := n.(type) {
		case *plan.Filter:
			if c, changed := factored(n.Condition); changed {
				return &plan.Filter{Input: n.Input, Condition: c}, nil
			}
		case *plan.Join:
			if n.Condition == nil {
				return n, nil
			}
			if c, changed := factored(n.Condition); changed {
				j := *n
				j.Condition = c
				return &j, nil
			}
		}
		return n, nil
	})
}

// factored takes out of each conjunct what its branches have in common.
func factored(condition plan.Expr) (plan.Expr, bool) {
	var out []plan.Expr
	changed := false
	for _, c := range conjuncts(condition) {
		common, rest := commonConjuncts(disjuncts(c))
		if len(common) == 0 {
			out = append(out, c)
			continue
		}
		changed = true
		out = append(out, common...)
		if rest != nil {
			out = append(out, rest)
		}
	}
	return And(out), changed
}

// commonConjuncts is what all branches of an OR ask for, and the OR of what is left of them: nil where one is left without a condition.
func commonConjuncts(branches []plan.Expr) (common []plan.Expr, rest plan.Expr) {
	if len(branches) < 2 {
		return nil, nil
	}
	lists := make([][]plan.Expr, len(branches))
	for i, b := range branches {
		lists[i] = conjuncts(b)
	}
	for _, c := range lists[0] {
		if deterministic(c) && !contains(common, c) && inAll(lists[1:], c) {
			common = append(common, c)
		}
	}
	if len(common) == 0 {
		return nil, nil
	}
	for _, list := range lists {
		var left []plan.Expr
		for _, c := range list {
			if !contains(common, c) {
				left = append(left, c)
			}
		}
		if len(left) == 0 {
			return common, nil
		}
		rest = or(rest, And(left))
	}
	return common, rest
}

func inAll(lists [][]plan.Expr, e plan.Expr) bool {
	for _, l := range lists {
		if !contains(l, e) {
			return false
		}
	}
	return true
}

func contains(list []plan.Expr, e plan.Expr) bool {
	for _, x := range list {
		if analyze.Equal(x, e) {
			return true
		}
	}
	return false
}

func disjuncts(e plan.Expr) []plan.Expr {
	if c, ok := e.(*plan.Call); ok && c.Name == "or" {
		return append(disjuncts(c.Args[0]), disjuncts(c.Args[1])...)
	}
	return []plan.Expr{e}
}

func or(a, b plan.Expr) plan.Expr {
	if a == nil {
		return b
	}
	return &plan.Call{Name: "or", Args: []plan.Expr{a, b}, T: boolean, Null: plan.IsNullable(a) || plan.IsNullable(b)}
}
