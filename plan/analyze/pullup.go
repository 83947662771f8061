package analyze

import (
	"millrace/errs"
	"millrace/plan"
)

// rowUse is what becomes of a subquery's rows.
type rowUse uint8

const (
	someRow  rowUse = iota // whether there are any
	rowSet                 // whether a value is among them
	oneGroup               // the value of the one aggregate
	eachRow                // all of them
)

// errNotPulled says that a subquery's conditions cannot be taken out of it.
var errNotPulled = errs.Newf(errs.Internal, "the conditions of a subquery cannot be taken out of it")

// pullUp takes the conjuncts that read columns of the query around out of a subquery's filters, and makes the subquery return the
// columns of its own that they read.
func (a *analyzer) pullUp(n plan.Node, use rowUse) (plan.Node, []plan.Expr, error) {
	if len(outerColumns(n)) == 0 {
		return n, nil, nil
	}
	switch m := n.(type) {
	case *plan.Filter:
		return a.pullFilter(m, use)
	case *plan.Project:
		return a.pullProject(m, use)
	case *plan.Aggregate:
		return a.pullAggregate(m, use)
	case *plan.SubqueryAlias, *plan.PlanID, *plan.Hint:
		return a.pullUp(n.Children()[0], use)
	case *plan.Sort:
		return a.pullUp(m.Input, use)
	case *plan.Repartition:
		return a.pullUp(m.Input, use)
	case *plan.Distinct:
		return a.pullDistinct(m, use)
	case *plan.Limit:
		if use == someRow && m.Offset == nil && countOf(m.Count, 0) > 0 {
			return a.pullUp(m.Input, use)
		}
	case *plan.Join:
		return a.pullJoin(m)
	}
	return nil, nil, errNotPulled
}

func (a *analyzer) pullDistinct(d *plan.Distinct, use rowUse) (plan.Node, []plan.Expr, error) {
	in, conds, err := a.pullUp(d.Input, use)
	if err != nil {
		return nil, nil, err
	}
	if use == eachRow || use == oneGroup {
		if _, ok := fixedColumns(in, conds); !ok {
			return nil, nil, errNotPulled
		}
	}
	return &plan.Distinct{Input: in}, conds, nil
}

// fixedColumns are the columns of a node that conditions compare, when all of these are equalities of a column with something of the query
// around, so that the rows that match one row of it agree in them.
func fixedColumns(n plan.Node, conds []plan.Expr) ([]*plan.Attribute, bool) {
	out := output(n)
	var fixed []*plan.Attribute
	for _, c := range conds {
		call, ok := c.(*plan.Call)
		if !ok || call.Name != "=" && call.Name != "<=>" {
			if len(ownColumns(n, []plan.Expr{c})) == 0 {
				continue
			}
			return nil, false
		}
		own, isColumn := call.Args[0].(*plan.Attribute)
		other := call.Args[1]
		if !isColumn || !containsID(out, own.ID) {
			if own, isColumn = call.Args[1].(*plan.Attribute); !isColumn || !containsID(out, own.ID) {
				return nil, false
			}
			other = call.Args[0]
		}
		if len(ownColumns(n, []plan.Expr{other})) > 0 {
			return nil, false
		}
		fixed = append(fixed, own)
	}
	return fixed, true
}

func (a *analyzer) cannotPull(n plan.Node) error {
	names := ""
	for i, c := range outerColumns(n) {
		if i > 0 {
			names += ", "
		}
		names += Pretty(c)
	}
	return errs.New("UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.CORRELATED_REFERENCE", "sqlExprs", `"`+names+`"`)
}

func (a *analyzer) pullFilter(f *plan.Filter, use rowUse) (plan.Node, []plan.Expr, error) {
	in, conds, err := a.pullUp(f.Input, use)
	if err != nil {
		return nil, nil, err
	}
	var stay []plan.Expr
	for _, c := range conjuncts(f.Condition) {
		if !hasOuter(c) {
			stay = append(stay, c)
			continue
		}
		free, err := freed(c)
		if err != nil {
			return nil, nil, err
		}
		conds = append(conds, free)
	}
	out, err := a.filterBy(in, stay)
	return out, conds, err
}

func hasOuter(e plan.Expr) bool {
	found := false
	plan.WalkExpr(e, func(e plan.Expr) bool {
		if _, ok := e.(*plan.Outer); ok {
			found = true
		}
		return !found
	})
	return found
}

// freed turns the references to the query around into plain columns.
func freed(e plan.Expr) (plan.Expr, error) {
	return plan.TransformExpr(e, func(e plan.Expr) (plan.Expr, error) {
		if o, ok := e.(*plan.Outer); ok {
			return o.Attr, nil
		}
		return e, nil
	})
}

// ownColumns lists the columns of a node that conditions read.
func ownColumns(n plan.Node, conds []plan.Expr) []*plan.Attribute {
	out := output(n)
	var own []*plan.Attribute
	for _, e := range conds {
		plan.WalkExpr(e, func(e plan.Expr) bool {
			if c, ok := e.(*plan.Attribute); ok && containsID(out, c.ID) && !containsID(own, c.ID) {
				own = append(own, c)
			}
			return true
		})
	}
	return own
}

func (a *analyzer) pullProject(p *plan.Project, use rowUse) (plan.Node, []plan.Expr, error) {
	in, conds, err := a.pullUp(p.Input, use)
	if err != nil {
		return nil, nil, err
	}
	exprs := append([]plan.Expr(nil), p.Exprs...)
	for i, e := range exprs {
		if hasOuter(e) {
			if use != someRow {
				return nil, nil, errNotPulled
			}
			al := *e.(*plan.Alias)
			al.Child = &plan.Literal{T: plan.TypeOf(e)} // nobody reads its value
			exprs[i] = &al
		}
	}
	m := &plan.Project{Input: in, Exprs: exprs}
	for _, c := range ownColumns(in, conds) {
		if !containsID(output(m), c.ID) {
			m.Exprs = append(m.Exprs, c)
		}
	}
	return m, conds, nil
}

// pullAggregate groups by the columns that the conditions fix as well. Without groups there is a row even where nothing matches, which
// only the value of a scalar subquery takes care of.
func (a *analyzer) pullAggregate(g *plan.Aggregate, use rowUse) (plan.Node, []plan.Expr, error) {
	for _, e := range g.Exprs {
		if hasOuter(e) {
			return nil, nil, errNotPulled
		}
	}
	if len(g.Groups) == 0 && use != oneGroup {
		return nil, nil, errNotPulled
	}
	in, conds, err := a.pullUp(g.Input, eachRow)
	if err != nil {
		return nil, nil, err
	}
	if in, conds, err = a.computeFixed(in, conds); err != nil {
		return nil, nil, err
	}
	own, ok := fixedColumns(in, conds)
	if !ok {
		return nil, nil, errNotPulled
	}
	m := *g
	m.Input = in
	m.Groups = append([]plan.Expr(nil), g.Groups...)
	m.Exprs = append([]plan.Expr(nil), g.Exprs...)
	for _, c := range own {
		if !containsExpr(m.Groups, c) {
			m.Groups = append(m.Groups, c)
		}
		if !containsExpr(m.Exprs, c) {
			m.Exprs = append(m.Exprs, c)
		}
	}
	return &m, conds, nil
}

// computeFixed makes columns of the expressions over a node's columns that conditions compare with the query around.
func (a *analyzer) computeFixed(n plan.Node, conds []plan.Expr) (plan.Node, []plan.Expr, error) {
	p := &plan.Project{Input: n, Exprs: exprsOf(output(n))}
	out := append([]plan.Expr(nil), conds...)
	for i, c := range conds {
		call, ok := c.(*plan.Call)
		if !ok || call.Name != "=" && call.Name != "<=>" {
			continue
		}
		for k, side := range call.Args {
			own := ownColumns(n, []plan.Expr{side})
			_, plain := side.(*plan.Attribute)
			if plain || len(own) == 0 || !readsOnly(side, own) || !steady(side) {
				continue
			}
			al := a.alias(side, Pretty(side))
			p.Exprs = append(p.Exprs, al)
			args := append([]plan.Expr(nil), call.Args...)
			args[k] = al.Attribute()
			out[i] = call.WithChildren(args)
		}
	}
	if len(p.Exprs) == len(output(n)) {
		return n, conds, nil
	}
	return p, out, nil
}

func containsExpr(list []plan.Expr, c *plan.Attribute) bool {
	for _, e := range list {
		if equal(e, c) {
			return true
		}
	}
	return false
}

// pullJoin pulls from the sides whose rows a join does not extend by nulls.
func (a *analyzer) pullJoin(j *plan.Join) (plan.Node, []plan.Expr, error) {
	m := *j
	var conds []plan.Expr
	inner := j.Type == plan.InnerJoin || j.Type == plan.CrossJoin
	sides := []struct {
		in  *plan.Node
		may bool
	}{
		{&m.Left, inner || j.Type == plan.LeftJoin || j.Type == plan.SemiJoin || j.Type == plan.AntiJoin},
		{&m.Right, inner || j.Type == plan.RightJoin},
	}
	for _, s := range sides {
		if len(outerColumns(*s.in)) == 0 {
			continue
		}
		if !s.may {
			return nil, nil, errNotPulled
		}
		in, c, err := a.pullUp(*s.in, eachRow)
		if err != nil {
			return nil, nil, err
		}
		*s.in, conds = in, append(conds, c...)
	}
	if j.Condition == nil || !hasOuter(j.Condition) {
		return &m, conds, nil
	}
	if !inner {
		return nil, nil, errNotPulled
	}
	var stay []plan.Expr
	for _, c := range conjuncts(j.Condition) {
		if !hasOuter(c) {
			stay = append(stay, c)
			continue
		}
		free, err := freed(c)
		if err != nil {
			return nil, nil, err
		}
		conds = append(conds, free)
	}
	var err error
	m.Condition, err = a.and(stay)
	return &m, conds, err
}
