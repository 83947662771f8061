package analyze

import (
	"millrace/errs"
	"millrace/plan"
	"millrace/plan/fn"
	"millrace/types"
)

// binder makes a subquery a relation that holds its rows for every combination of values of the columns that it reads of the query
// around it. Where conditions of the subquery do not fix these values, they come from the domain: the distinct values that there are.
type binder struct {
	a     *analyzer
	outer plan.Node         // the query around
	cols  []*plan.Attribute // what the subquery reads of it
}

// binding maps the columns of the query around to the columns that hold their values.
type binding map[plan.ID]*plan.Attribute

// bind returns the subquery's rows by the values of the query around, and the conditions by which these pair with the query's rows.
func (a *analyzer) bind(outer, n plan.Node) (plan.Node, []plan.Expr, error) {
	l := &lifter{a: a, outer: outer}
	n, err := l.node(n)
	if err != nil {
		return nil, nil, err
	}
	b := &binder{a: a, outer: l.over(), cols: outerColumns(n)}
	for _, c := range b.cols {
		if !fn.Orderable(c.T) {
			return nil, nil, errs.New("UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.UNSUPPORTED_CORRELATED_REFERENCE_DATA_TYPE", "expr", Pretty(c),
				"dataType", c.T.String())
		}
	}
	out, at, err := b.node(n)
	if err != nil {
		return nil, nil, err
	}
	var conds []plan.Expr
	for _, c := range b.cols {
		eq, err := a.apply("<=>", nil, at[c.ID], l.value(c))
		if err != nil {
			return nil, nil, err
		}
		conds = append(conds, eq)
	}
	return out, conds, nil
}

// domain is a copy of the distinct values.
func (b *binder) domain() (plan.Node, binding, error) {
	if !repeatable(b.outer) {
		return nil, nil, errs.Unsupportedf("a correlated subquery of this form over rows that are random or limited is not supported: the query around it would run twice")
	}
	f := &freshener{a: b.a, ids: map[plan.ID]plan.ID{}}
	in, err := f.node(b.outer)
	if err != nil {
		return nil, nil, err
	}
	at := binding{}
	p := &plan.Project{Input: in}
	for _, c := range b.cols {
		d := f.attr(c)
		d.Qualifier = nil
		at[c.ID] = d
		p.Exprs = append(p.Exprs, d)
	}
	return &plan.Distinct{Input: p}, at, nil
}

// repeatable reports whether a relation has the same rows each time.
func repeatable(n plan.Node) bool {
	ok := true
	plan.Walk(n, func(n plan.Node) bool {
		switch n.(type) {
		case *plan.Limit, *plan.Sample, *plan.Tail:
			ok = false
		}
		if h, is := n.(plan.HasExprs); is {
			for _, e := range h.Expressions() {
				ok = ok && steady(e)
			}
		}
		return ok
	})
	return ok
}

// steady reports whether an expression gives the same each time.
func steady(e plan.Expr) bool {
	ok := true
	plan.WalkExpr(e, func(e plan.Expr) bool {
		switch e := e.(type) {
		case *plan.Call:
			ok = ok && !e.Nondetermined
		case *plan.Subquery:
			ok = ok && repeatable(e.Plan)
		}
		return ok
	})
	return ok
}

// over is an expression with the values bound.
func (at binding) over(e plan.Expr) (plan.Expr, error) {
	return plan.TransformExpr(e, func(e plan.Expr) (plan.Expr, error) {
		if o, ok := e.(*plan.Outer); ok {
			if d := at[o.Attr.ID]; d != nil {
				return d, nil
			}
		}
		return e, nil
	})
}

func (at binding) overAll(list []plan.Expr) ([]plan.Expr, error) {
	out := make([]plan.Expr, len(list))
	for i, e := range list {
		var err error
		if out[i], err = at.over(e); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// columns are the bound columns in order.
func (b *binder) columns(at binding) []plan.Expr {
	out := make([]plan.Expr, len(b.cols))
	for i, c := range b.cols {
		out[i] = at[c.ID]
	}
	return out
}

// node binds a relation.
func (b *binder) node(n plan.Node) (plan.Node, binding, error) {
	if len(outerColumns(n)) == 0 {
		return b.cross(n)
	}
	switch m := n.(type) {
	case *plan.SubqueryAlias:
		return b.node(m.Input)
	case *plan.Filter:
		return b.filter(m)
	case *plan.Project:
		return b.project(m)
	case *plan.Aggregate:
		return b.aggregate(m)
	case *plan.Join:
		return b.join(m)
	case *plan.Union:
		return b.union(m)
	case *plan.Limit:
		return b.limit(m)
	case *plan.WindowNode:
		return b.window(m)
	case *plan.Distinct, *plan.Sort, *plan.Generate, *plan.Repartition:
		in, at, err := b.node(n.Children()[0])
		if err != nil {
			return nil, nil, err
		}
		out, err := plan.MapExprs(n.WithChildren([]plan.Node{in}), at.over)
		return out, at, err
	}
	return nil, nil, b.a.cannotPull(n)
}

// cross pairs a relation that reads nothing of the query around with all values.
func (b *binder) cross(n plan.Node) (plan.Node, binding, error) {
	d, at, err := b.domain()
	if err != nil {
		return nil, nil, err
	}
	if _, one := n.(*plan.OneRow); one {
		return d, at, nil
	}
	return &plan.Join{Left: n, Right: d, Type: plan.InnerJoin}, at, nil
}

// filter takes the values from columns of the input where its conditions say that they are equal.
func (b *binder) filter(f *plan.Filter) (plan.Node, binding, error) {
	if len(outerColumns(f.Input)) == 0 {
		if at := b.fixed(f); at != nil {
			cond, err := at.over(f.Condition)
			if err != nil {
				return nil, nil, err
			}
			return &plan.Filter{Input: f.Input, Condition: cond}, at, nil
		}
	}
	in, at, err := b.node(f.Input)
	if err != nil {
		return nil, nil, err
	}
	cond, err := at.over(f.Condition)
	return &plan.Filter{Input: in, Condition: cond}, at, err
}

// fixed is the binding that a filter's equalities make, or nil when they leave a value open.
func (b *binder) fixed(f *plan.Filter) binding {
	at := binding{}
	for _, c := range conjuncts(f.Condition) {
		call, ok := c.(*plan.Call)
		if !ok || call.Name != "=" && call.Name != "<=>" {
			continue
		}
		for i, side := range call.Args {
			o, isOuter := side.(*plan.Outer)
			own, isOwn := call.Args[1-i].(*plan.Attribute)
			if isOuter && isOwn && own.T.SameData(o.Attr.T) && at[o.Attr.ID] == nil {
				at[o.Attr.ID] = own
			}
		}
	}
	if len(at) < len(b.cols) {
		return nil
	}
	return at
}

func (b *binder) project(p *plan.Project) (plan.Node, binding, error) {
	in, at, err := b.node(p.Input)
	if err != nil {
		return nil, nil, err
	}
	exprs, err := at.overAll(p.Exprs)
	if err != nil {
		return nil, nil, err
	}
	exprs, at = b.carried(exprs, at)
	return &plan.Project{Input: in, Exprs: exprs}, at, nil
}

// carried adds the bound columns to a projection's expressions, under ids of their own where it has them already.
func (b *binder) carried(exprs []plan.Expr, at binding) ([]plan.Expr, binding) {
	next := binding{}
	for _, c := range b.cols {
		al := b.a.alias(at[c.ID], c.Name)
		exprs = append(exprs, al)
		next[c.ID] = al.Attribute()
	}
	return exprs, next
}

// aggregate groups by the values too. Without groups of its own it has a row for every value, also where there was nothing to aggregate.
func (b *binder) aggregate(g *plan.Aggregate) (plan.Node, binding, error) {
	in, at, err := b.node(g.Input)
	if err != nil {
		return nil, nil, err
	}
	m := *g
	m.Input = in
	if m.Groups, err = at.overAll(g.Groups); err != nil {
		return nil, nil, err
	}
	if m.Exprs, err = at.overAll(g.Exprs); err != nil {
		return nil, nil, err
	}
	m.Groups = append(m.Groups, distinctColumns(b.columns(at), m.Groups)...)
	if len(g.Groups) > 0 {
		m.Exprs = append(m.Exprs, distinctColumns(b.columns(at), m.Exprs)...)
		return &m, at, nil
	}
	return b.global(&m, at)
}

// distinctColumns are those of a list that are not in another, each once.
func distinctColumns(list, known []plan.Expr) []plan.Expr {
	var out []plan.Expr
	for _, e := range list {
		if c := e.(*plan.Attribute); !containsExpr(known, c) && !containsExpr(out, c) {
			out = append(out, c)
		}
	}
	return out
}

// global joins the groups of a global aggregation to all values; those without rows get what aggregates of no rows are.
func (b *binder) global(g *plan.Aggregate, at binding) (plan.Node, binding, error) {
	d, all, err := b.domain()
	if err != nil {
		return nil, nil, err
	}
	p := &plan.Project{}
	for i, e := range g.Exprs {
		al := e.(*plan.Alias)
		inner := b.a.alias(al.Child, al.Names[0])
		g.Exprs[i] = inner
		value := *inner.Attribute()
		value.Null = true
		var out plan.Expr = &value
		if zero := emptyAggregate(al.Child); zero != nil {
			if out, err = b.a.apply("coalesce", nil, out, zero); err != nil {
				return nil, nil, err
			}
		}
		p.Exprs = append(p.Exprs, &plan.Alias{Child: out, Names: al.Names, Metadata: al.Metadata, ID: al.ID})
	}
	g.Exprs = append(g.Exprs, distinctColumns(b.columns(at), nil)...)
	var conds []plan.Expr
	for _, c := range b.cols {
		eq, err := b.a.apply("<=>", nil, all[c.ID], at[c.ID])
		if err != nil {
			return nil, nil, err
		}
		conds = append(conds, eq)
	}
	cond, err := b.a.and(conds)
	p.Input = &plan.Join{Left: d, Right: g, Type: plan.LeftJoin, Condition: cond}
	p.Exprs = append(p.Exprs, b.columns(all)...)
	return p, all, err
}

// emptyAggregate is what an aggregate of no rows is, or nil where that is null.
func emptyAggregate(e plan.Expr) plan.Expr {
	c, ok := e.(*plan.Call)
	switch {
	case !ok:
		return nil
	case c.T.Kind == types.KindLong && !c.Null:
		return plan.BigInt(0)
	case c.T.Kind == types.KindArray && !c.Null:
		return &plan.Literal{T: c.T, Value: []any{}}
	}
	return nil
}

// union binds its inputs; the values are further columns.
func (b *binder) union(u *plan.Union) (plan.Node, binding, error) {
	v := &plan.Union{Attrs: append([]*plan.Attribute(nil), u.Attrs...)}
	at := binding{}
	for _, c := range b.cols {
		d := &plan.Attribute{ID: b.a.id(), Name: c.Name, T: c.T, Null: c.Null}
		at[c.ID] = d
		v.Attrs = append(v.Attrs, d)
	}
	for _, in := range u.Inputs {
		cols := exprsOf(output(in))
		m, inner, err := b.node(in)
		if err != nil {
			return nil, nil, err
		}
		v.Inputs = append(v.Inputs, &plan.Project{Input: m, Exprs: b.withIDs(append(cols, b.columns(inner)...))})
	}
	return v, at, nil
}

// withIDs gives columns that stand twice ids of their own.
func (b *binder) withIDs(cols []plan.Expr) []plan.Expr {
	seen := map[plan.ID]bool{}
	for i, e := range cols {
		c := e.(*plan.Attribute)
		if seen[c.ID] {
			cols[i] = b.a.alias(c, c.Name)
		}
		seen[c.ID] = true
	}
	return cols
}

// window computes its functions for each combination of values apart.
func (b *binder) window(w *plan.WindowNode) (plan.Node, binding, error) {
	in, at, err := b.node(w.Input)
	if err != nil {
		return nil, nil, err
	}
	m := &plan.WindowNode{Input: in}
	for _, e := range w.Exprs {
		e, err := at.over(e)
		if err != nil {
			return nil, nil, err
		}
		al := *e.(*plan.Alias)
		over := *al.Child.(*plan.Window)
		over.Partition = append(append([]plan.Expr(nil), over.Partition...), b.columns(at)...)
		al.Child = &over
		m.Exprs = append(m.Exprs, &al)
	}
	return m, at, nil
}
