package optimize

import (
	"millrace/errs"
	"millrace/plan"
)

// subqueriesToJoins turns IN and EXISTS conjuncts of filters into semi and anti joins. Scalar subqueries stay: they are run before the
// query and replaced by their value.
func subqueriesToJoins(n plan.Node) (plan.Node, error) {
	return plan.Transform(n, func(n plan.Node) (plan.Node, error) {
		f, ok := n.(*plan.Filter)
		if !ok {
			return n, nil
		}
		in := f.Input
		var stay []plan.Expr
		for _, c := range conjuncts(f.Condition) {
			j, err := subqueryJoin(in, c)
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
			return n, nil
		}
		return filterOver(in, stay), nil
	})
}

// subqueryJoin is the join for a conjunct x IN (…), x NOT IN (…), [NOT] EXISTS (…), or nil for any other.
func subqueryJoin(in plan.Node, c plan.Expr) (plan.Node, error) {
	negated := false
	if call, ok := c.(*plan.Call); ok && call.Name == "not" {
		c, negated = call.Args[0], true
	}
	s, ok := c.(*plan.Subquery)
	if !ok {
		return nil, nil
	}
	query, err := Optimize(s.Plan, Options{})
	if err != nil {
		return nil, err
	}
	switch {
	case s.Kind == plan.ExistsSubquery && negated:
		return &plan.Join{Left: in, Right: query, Type: plan.AntiJoin}, nil
	case s.Kind == plan.ExistsSubquery:
		return &plan.Join{Left: in, Right: query, Type: plan.SemiJoin}, nil
	case s.Kind != plan.InSubquery:
		return nil, nil
	}
	out := query.(plan.Resolved).Output()
	if len(out) != len(s.Values) {
		return nil, errs.Unsupportedf("IN with %d values and a subquery of %d columns is not supported", len(s.Values), len(out))
	}
	var cond []plan.Expr
	for i, v := range s.Values {
		cond = append(cond, &plan.Call{Name: "=", Args: []plan.Expr{v, out[i]}, T: boolean, Null: plan.IsNullable(v) || out[i].Null})
	}
	t := plan.SemiJoin
	if negated && len(cond) > 1 { // of several values one that differs for certain decides, whatever the others are
		for i, eq := range cond {
			unknown := &plan.Call{Name: "isnull", Args: []plan.Expr{eq}, T: boolean}
			cond[i] = &plan.Call{Name: "or", Args: []plan.Expr{eq, unknown}, T: boolean}
		}
		t = plan.AntiJoin
	} else if negated {
		t = plan.NullAwareAntiJoin
	}
	return &plan.Join{Left: in, Right: query, Type: t, Condition: And(cond)}, nil
}
