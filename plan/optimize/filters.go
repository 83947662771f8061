package optimize

import (
	"slices"

	"millrace/plan"
)

// pushFilters moves each conjunct of a filter as near to the scans as it may go.
func pushFilters(n plan.Node) (plan.Node, error) {
	// Parents first: a filter sinks as far as it can in one pass.
	if f, ok := n.(*plan.Filter); ok {
		n = pushFilter(f)
	}
	if j, ok := n.(*plan.Join); ok {
		n = pushJoinCondition(j)
	}
	old := n.Children()
	if len(old) == 0 {
		return n, nil
	}
	fresh := make([]plan.Node, len(old))
	changed := false
	for i, c := range old {
		m, err := pushFilters(c)
		if err != nil {
			return nil, err
		}
		fresh[i], changed = m, changed || m != c
	}
	if changed {
		n = n.WithChildren(fresh)
	}
	return n, nil
}

func pushFilter(f *plan.Filter) plan.Node {
	switch in := f.Input.(type) {
	case *plan.Filter:
		return pushFilter(&plan.Filter{Input: in.Input, Condition: And([]plan.Expr{in.Condition, f.Condition})})
	case *plan.Project:
		return pushThroughProject(f, in)
	case *plan.Sort:
		if deterministic(f.Condition) {
			return &plan.Sort{Input: pushFilter(&plan.Filter{Input: in.Input, Condition: f.Condition}), Keys: in.Keys, Local: in.Local}
		}
	case *plan.Aggregate:
		return pushThroughAggregate(f, in)
	case *plan.WindowNode:
		return pushThroughWindow(f, in)
	case *plan.PythonEval:
		below := outputSet(in.Input)
		pass, stay := split(f.Condition, below.covers)
		if len(pass) > 0 && !slices.ContainsFunc(in.Exprs, func(e plan.Expr) bool { return !deterministic(e) }) {
			return filterOver(&plan.PythonEval{Input: pushFilter(filterOver(in.Input, pass).(*plan.Filter)), Exprs: in.Exprs}, stay)
		}
	case *plan.Union:
		return pushThroughUnion(f, in)
	case *plan.Join:
		return pushThroughJoin(f, in)
	case *plan.Scan:
		return pushIntoScan(f, in)
	}
	return f
}

// split sorts a filter's conjuncts into those that may pass and those that stay.
func split(cond plan.Expr, may func(plan.Expr) bool) (pass, stay []plan.Expr) {
	for _, c := range conjuncts(cond) {
		if deterministic(c) && may(c) {
			pass = append(pass, c)
		} else {
			stay = append(stay, c)
		}
	}
	return pass, stay
}

func filterOver(n plan.Node, conds []plan.Expr) plan.Node {
	if len(conds) == 0 {
		return n
	}
	return &plan.Filter{Input: n, Condition: And(conds)}
}

func pushThroughProject(f *plan.Filter, p *plan.Project) plan.Node {
	defs := definitions(p.Exprs)
	pass, stay := split(f.Condition, func(c plan.Expr) bool {
		for id := range References(c) {
			if d := defs[id]; d != nil && !deterministic(d) {
				return false
			}
		}
		return true
	})
	if len(pass) == 0 {
		return f
	}
	for i, c := range pass {
		pass[i] = substitute(c, defs)
	}
	below := pushFilter(filterOver(p.Input, pass).(*plan.Filter))
	return filterOver(&plan.Project{Input: below, Exprs: p.Exprs}, stay)
}

func pushThroughAggregate(f *plan.Filter, a *plan.Aggregate) plan.Node {
	if len(a.Groups) == 0 || a.Sets != nil {
		return f
	}
	keys := idSet{}
	for _, g := range a.Groups {
		if at, ok := g.(*plan.Attribute); ok {
			keys[at.ID] = true
		}
	}
	defs := definitions(a.Exprs)
	pass, stay := split(f.Condition, func(c plan.Expr) bool { return keys.covers(substitute(c, defs)) && !hasAggregate(substitute(c, defs)) })
	if len(pass) == 0 {
		return f
	}
	for i, c := range pass {
		pass[i] = substitute(c, defs)
	}
	b := *a
	b.Input = pushFilter(filterOver(a.Input, pass).(*plan.Filter))
	return filterOver(&b, stay)
}

func hasAggregate(e plan.Expr) bool {
	found := false
	plan.WalkExpr(e, func(e plan.Expr) bool {
		if c, ok := e.(*plan.Call); ok && c.Aggregate {
			found = true
		}
		return !found
	})
	return found
}

func pushThroughUnion(f *plan.Filter, u *plan.Union) plan.Node {
	if !deterministic(f.Condition) {
		return f
	}
	inputs := make([]plan.Node, len(u.Inputs))
	for i, in := range u.Inputs {
		defs := map[plan.ID]plan.Expr{}
		for k, a := range in.(plan.Resolved).Output() {
			defs[u.Attrs[k].ID] = a
		}
		inputs[i] = pushFilter(&plan.Filter{Input: in, Condition: substitute(f.Condition, defs)})
	}
	return &plan.Union{Inputs: inputs, Attrs: u.Attrs}
}

// sides tells to which inputs of a join a condition above it may be moved.
func sides(t plan.JoinType) (left, right bool) {
	switch t {
	case plan.InnerJoin, plan.CrossJoin:
		return true, true
	case plan.LeftJoin, plan.SemiJoin, plan.AntiJoin, plan.NullAwareAntiJoin, plan.ExistenceJoin:
		return true, false
	case plan.RightJoin:
		return false, true
	}
	return false, false
}

func pushThroughJoin(f *plan.Filter, j *plan.Join) plan.Node {
	intoLeft, intoRight := sides(j.Type)
	left, right := outputSet(j.Left), outputSet(j.Right)
	var toLeft, toRight, stay, cond []plan.Expr
	for _, c := range conjuncts(f.Condition) {
		switch {
		case !deterministic(c):
			stay = append(stay, c)
		case intoLeft && left.covers(c):
			toLeft = append(toLeft, c)
		case intoRight && right.covers(c):
			toRight = append(toRight, c)
		case j.Type == plan.InnerJoin || j.Type == plan.CrossJoin:
			cond = append(cond, c)
		default:
			stay = append(stay, c)
		}
	}
	if len(toLeft)+len(toRight)+len(cond) == 0 {
		return f
	}
	k := *j
	k.Left, k.Right = filterOver(j.Left, toLeft), filterOver(j.Right, toRight)
	if len(cond) > 0 {
		k.Type = plan.InnerJoin
		k.Condition = And(append(Conjuncts(j.Condition), cond...))
	}
	return filterOver(&k, stay)
}

// pushJoinCondition moves the conjuncts of a join's own condition that read one side below the join where that keeps the result.
func pushJoinCondition(j *plan.Join) plan.Node {
	if j.Condition == nil {
		return j
	}
	var intoLeft, intoRight bool
	switch j.Type {
	case plan.InnerJoin, plan.SemiJoin:
		intoLeft, intoRight = true, true
	case plan.LeftJoin, plan.AntiJoin, plan.ExistenceJoin:
		intoRight = true
	case plan.RightJoin:
		intoLeft = true
	}
	left, right := outputSet(j.Left), outputSet(j.Right)
	var toLeft, toRight, stay []plan.Expr
	for _, c := range conjuncts(j.Condition) {
		switch {
		case intoLeft && deterministic(c) && left.covers(c):
			toLeft = append(toLeft, c)
		case intoRight && deterministic(c) && right.covers(c):
			toRight = append(toRight, c)
		default:
			stay = append(stay, c)
		}
	}
	if len(toLeft)+len(toRight) == 0 {
		return j
	}
	k := *j
	k.Left, k.Right, k.Condition = filterOver(j.Left, toLeft), filterOver(j.Right, toRight), And(stay)
	return &k
}

// pushIntoScan tells the scan what the filter above it keeps, so that it may skip files, row groups and pages.
func pushIntoScan(f *plan.Filter, s *plan.Scan) plan.Node {
	var pushed []plan.Expr
	for _, c := range conjuncts(f.Condition) {
		if deterministic(c) {
			pushed = append(pushed, c)
		}
	}
	if len(pushed) == len(s.Pushed) {
		same := true
		for i := range pushed {
			same = same && pushed[i] == s.Pushed[i]
		}
		if same {
			return f
		}
	}
	t := *s
	t.Pushed = pushed
	return &plan.Filter{Input: &t, Condition: f.Condition}
}
