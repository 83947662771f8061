package analyze

import (
	"millrace/plan"
	"millrace/plan/fn"
)

// lifter finds what a subquery computes of columns of the query around that cannot be compared, such as a value of a map. Its rows are then bound to
// what comes out of that, and not to the column.
type lifter struct {
	a      *analyzer
	outer  plan.Node // the query around
	lifted []*plan.Alias
}

// node puts references to the lifted expressions into a subquery.
func (l *lifter) node(n plan.Node) (plan.Node, error) {
	needed := false
	for _, c := range outerColumns(n) {
		needed = needed || !fn.Orderable(c.T)
	}
	if !needed {
		return n, nil
	}
	return plan.Transform(n, func(n plan.Node) (plan.Node, error) {
		return plan.MapExprs(n, func(e plan.Expr) (plan.Expr, error) { return l.expr(e) })
	})
}

func (l *lifter) expr(e plan.Expr) (plan.Expr, error) {
	if l.mayLift(e) {
		free, err := freed(e)
		if err != nil {
			return nil, err
		}
		return &plan.Outer{Attr: l.add(free).Attribute()}, nil
	}
	if _, is := e.(*plan.Lambda); is {
		return e, nil
	}
	old := e.Children()
	fresh, changed := make([]plan.Expr, len(old)), false
	for i, c := range old {
		var err error
		if fresh[i], err = l.expr(c); err != nil {
			return nil, err
		}
		changed = changed || fresh[i] != c
	}
	if !changed {
		return e, nil
	}
	return e.WithChildren(fresh), nil
}

// mayLift reports whether an expression can be compared, and reads the query around alone, of which a column that cannot.
func (l *lifter) mayLift(e plan.Expr) bool {
	switch e.(type) {
	case *plan.Outer, *plan.Alias, *plan.SortOrder:
		return false
	}
	found, alone := false, true
	plan.WalkExpr(e, func(e plan.Expr) bool {
		switch e := e.(type) {
		case *plan.Outer:
			found = found || !fn.Orderable(e.Attr.T)
			return false
		case *plan.Attribute, *plan.Subquery:
			alone = false
		case *plan.Call:
			alone = alone && !e.Aggregate && !e.WindowOnly && !e.Generator && !e.Nondetermined
		}
		return alone
	})
	return found && alone && fn.Orderable(plan.TypeOf(e))
}

func (l *lifter) add(e plan.Expr) *plan.Alias {
	for _, known := range l.lifted {
		if equal(known.Child, e) {
			return known
		}
	}
	l.lifted = append(l.lifted, l.a.alias(e, Pretty(e)))
	return l.lifted[len(l.lifted)-1]
}

// over is the query around with what was lifted.
func (l *lifter) over() plan.Node {
	if l.lifted == nil {
		return l.outer
	}
	p := &plan.Project{Input: l.outer, Exprs: exprsOf(output(l.outer))}
	for _, a := range l.lifted {
		p.Exprs = append(p.Exprs, a)
	}
	return p
}

// value is a column of over as the query around computes it.
func (l *lifter) value(c *plan.Attribute) plan.Expr {
	for _, a := range l.lifted {
		if a.ID == c.ID {
			return a.Child
		}
	}
	return c
}
