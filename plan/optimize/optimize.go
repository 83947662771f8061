package optimize

import (
	"millrace/plan"
	"millrace/plan/estimate"
)

// Options are what the rules need from outside.
type Options struct {
	// Fold computes an expression without columns; nil, nil leaves it as it is. An error of evaluation is left to run time.
	Fold func(plan.Expr) (*plan.Literal, error)
	// Plain makes only what can be run: nothing is moved, folded or left out.
	Plain bool
}

// Optimize runs all rules, the local ones to a fixed point.
func Optimize(n plan.Node, o Options) (plan.Node, error) {
	n, err := plan.Transform(n, strip)
	if err != nil {
		return nil, err
	}
	if n, err = subqueriesToJoins(n); err != nil {
		return nil, err
	}
	if n, err = extractPython(n); err != nil || o.Plain {
		return n, err
	}
	for range maxRounds {
		before := n
		for _, rule := range []func(plan.Node) (plan.Node, error){o.foldConstants, factorDisjunctions, outerToInner, pushFilters, mergeProjects, pushLimits} {
			if n, err = rule(n); err != nil {
				return nil, err
			}
		}
		if n == before {
			break
		}
	}
	if n, err = reorderJoins(n, estimate.New()); err != nil {
		return nil, err
	}
	if n, err = prune(n); err != nil {
		return nil, err
	}
	return answerFromMetadata(n)
}

// maxRounds bounds the fixed point; plans settle in two or three.
const maxRounds = 12

// strip removes the nodes that only names needed.
func strip(n plan.Node) (plan.Node, error) {
	switch n := n.(type) {
	case *plan.SubqueryAlias:
		return n.Input, nil
	case *plan.PlanID:
		return n.Input, nil
	case *plan.Hint:
		return n.Input, nil
	}
	return n, nil
}

// conjuncts splits a condition at its ANDs.
func conjuncts(e plan.Expr) []plan.Expr {
	if c, ok := e.(*plan.Call); ok && c.Name == "and" {
		return append(conjuncts(c.Args[0]), conjuncts(c.Args[1])...)
	}
	return []plan.Expr{e}
}

// And joins conditions; nil for none.
func And(list []plan.Expr) plan.Expr {
	var all plan.Expr
	for _, e := range list {
		if all == nil {
			all = e
			continue
		}
		all = &plan.Call{Name: "and", Args: []plan.Expr{all, e}, T: boolean, Null: plan.IsNullable(all) || plan.IsNullable(e)}
	}
	return all
}

// Conjuncts splits a condition at its ANDs.
func Conjuncts(e plan.Expr) []plan.Expr {
	if e == nil {
		return nil
	}
	return conjuncts(e)
}

// idSet is a set of columns.
type idSet map[plan.ID]bool

func (s idSet) add(e plan.Expr) {
	plan.WalkExpr(e, func(e plan.Expr) bool {
		if a, ok := e.(*plan.Attribute); ok {
			s[a.ID] = true
		}
		return true
	})
}

// References are the columns that an expression reads.
func References(e plan.Expr) map[plan.ID]bool {
	s := idSet{}
	s.add(e)
	return s
}

func outputSet(n plan.Node) idSet {
	s := idSet{}
	if r, ok := n.(plan.Resolved); ok {
		for _, a := range r.Output() {
			s[a.ID] = true
		}
	}
	return s
}

// readsOnly reports whether e reads no column outside s.
func (s idSet) covers(e plan.Expr) bool {
	ok := true
	plan.WalkExpr(e, func(e plan.Expr) bool {
		if a, is := e.(*plan.Attribute); is && !s[a.ID] {
			ok = false
		}
		return ok
	})
	return ok
}

// deterministic reports whether an expression may be moved, copied and folded.
func deterministic(e plan.Expr) bool {
	ok := true
	plan.WalkExpr(e, func(e plan.Expr) bool {
		switch e := e.(type) {
		case *plan.Call:
			ok = ok && !e.Nondetermined && !e.Generator
		case *plan.Subquery:
			ok = false
		}
		return ok
	})
	return ok
}

// substitute replaces columns by the expressions that define them.
func substitute(e plan.Expr, defs map[plan.ID]plan.Expr) plan.Expr {
	out, _ := plan.TransformExpr(e, func(e plan.Expr) (plan.Expr, error) {
		if a, ok := e.(*plan.Attribute); ok {
			if d := defs[a.ID]; d != nil {
				return d, nil
			}
		}
		return e, nil
	})
	return out
}

// definitions maps each output column of a projection to what computes it.
func definitions(exprs []plan.Expr) map[plan.ID]plan.Expr {
	defs := make(map[plan.ID]plan.Expr, len(exprs))
	for _, e := range exprs {
		if a, ok := e.(*plan.Alias); ok {
			defs[a.ID] = a.Child
		}
	}
	return defs
}
