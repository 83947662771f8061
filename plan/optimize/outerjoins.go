package optimize

import "millrace/plan"

// outerToInner turns an outer join below a filter that refuses the nulls with which it fills into one that does not make them.
func outerToInner(n plan.Node) (plan.Node, error) {
	return plan.Transform(n, func(n plan.Node) (plan.Node, error) {
		f, ok := n.(*plan.Filter)
		if !ok {
			return n, nil
		}
		j, ok := f.Input.(*plan.Join)
		if !ok || j.Lateral {
			return n, nil
		}
		t := j.Type
		if (t == plan.LeftJoin || t == plan.FullJoin) && refusesNulls(f.Condition, outputSet(j.Right)) {
			t = map[plan.JoinType]plan.JoinType{plan.LeftJoin: plan.InnerJoin, plan.FullJoin: plan.RightJoin}[t]
		}
		if (t == plan.RightJoin || t == plan.FullJoin) && refusesNulls(f.Condition, outputSet(j.Left)) {
			t = map[plan.JoinType]plan.JoinType{plan.RightJoin: plan.InnerJoin, plan.FullJoin: plan.LeftJoin}[t]
		}
		if t == j.Type {
			return n, nil
		}
		k := *j
		k.Type = t
		return &plan.Filter{Input: &k, Condition: f.Condition}, nil
	})
}

// refusesNulls reports whether a condition is never true for rows in which all of these columns are null.
func refusesNulls(cond plan.Expr, columns idSet) bool {
	for _, c := range conjuncts(cond) {
		if call, ok := c.(*plan.Call); ok && nullRefusing[call.Name] && deterministic(c) {
			for _, a := range call.Args {
				if nullWithout(a, columns) {
					return true
				}
			}
		}
	}
	return false
}

// nullRefusing are predicates that are null, or false, when an argument is.
var nullRefusing = map[string]bool{"=": true, "<": true, "<=": true, ">": true, ">=": true, "!=": true, "isnotnull": true, "like": true}

// nullWithout reports whether an expression is null when all of these columns are.
func nullWithout(e plan.Expr, columns idSet) bool {
	switch e := e.(type) {
	case *plan.Attribute:
		return columns[e.ID]
	case *plan.Cast:
		return nullWithout(e.Child, columns)
	case *plan.Call:
		switch e.Name {
		case "+", "-", "*", "/", "%", "negative":
			for _, a := range e.Args {
				if nullWithout(a, columns) {
					return true
				}
			}
		}
	}
	return false
}
