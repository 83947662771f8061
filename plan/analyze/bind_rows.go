package analyze

import (
	"millrace/plan"
	"millrace/types"
)

// join binds the inputs that read the query around, and such as its type asks for beside them.
func (b *binder) join(j *plan.Join) (plan.Node, binding, error) {
	left, right := len(outerColumns(j.Left)) > 0, len(outerColumns(j.Right)) > 0
	cond := j.Condition != nil && hasOuter(j.Condition)
	switch j.Type {
	case plan.InnerJoin, plan.CrossJoin:
		left = left || !right
	case plan.RightJoin:
		right, left = true, left || cond
	case plan.FullJoin:
		left, right = true, true
	default: // each row of the left stands for itself
		left = true
	}
	m := *j
	var at, other binding
	var err error
	if left {
		if m.Left, at, err = b.node(j.Left); err != nil {
			return nil, nil, err
		}
	}
	if right {
		if m.Right, other, err = b.node(j.Right); err != nil {
			return nil, nil, err
		}
	}
	inner := at
	if inner == nil {
		inner = other
	}
	var conds []plan.Expr
	if j.Condition != nil {
		c, err := inner.over(j.Condition)
		if err != nil {
			return nil, nil, err
		}
		conds = append(conds, c)
	}
	if left && right {
		for _, c := range b.cols {
			eq, err := b.a.apply("<=>", nil, at[c.ID], other[c.ID])
			if err != nil {
				return nil, nil, err
			}
			conds = append(conds, eq)
		}
	}
	if len(conds) > 0 && m.Type == plan.CrossJoin {
		m.Type = plan.InnerJoin
	}
	if m.Condition, err = b.a.and(conds); err != nil {
		return nil, nil, err
	}
	return b.joined(&m, at, other)
}

// joined says where the values are in a join's output.
func (b *binder) joined(j *plan.Join, at, other binding) (plan.Node, binding, error) {
	switch {
	case j.Type == plan.RightJoin, at == nil:
		return j, other, nil
	case j.Type != plan.FullJoin:
		return j, at, nil
	}
	p := &plan.Project{Input: j, Exprs: exprsOf(output(j))}
	next := binding{}
	for _, c := range b.cols {
		x, y := *at[c.ID], *other[c.ID]
		x.Null, y.Null = true, true
		both, err := b.a.apply("coalesce", nil, &x, &y)
		if err != nil {
			return nil, nil, err
		}
		al := b.a.alias(both, c.Name)
		p.Exprs = append(p.Exprs, al)
		next[c.ID] = al.Attribute()
	}
	return p, next, nil
}

// limit numbers the rows of each combination of values.
func (b *binder) limit(l *plan.Limit) (plan.Node, binding, error) {
	in := l.Input
	var above []*plan.Project
	var keys []*plan.SortOrder
	for {
		switch m := in.(type) {
		case *plan.SubqueryAlias:
			in = m.Input
			continue
		case *plan.Project:
			if s := sortUnder(m); s != nil {
				above, in = append(above, m), m.Input
				continue
			}
		case *plan.Sort:
			in, keys = m.Input, m.Keys
		}
		break
	}
	n, at, err := b.node(in)
	if err != nil {
		return nil, nil, err
	}
	if n, err = b.numbered(n, at, keys, l); err != nil {
		return nil, nil, err
	}
	for i := len(above) - 1; i >= 0; i-- {
		exprs, err := at.overAll(above[i].Exprs)
		if err != nil {
			return nil, nil, err
		}
		exprs, at = b.carried(exprs, at)
		n = &plan.Project{Input: n, Exprs: exprs}
	}
	return n, at, nil
}

// sortUnder finds a global sort under projections.
func sortUnder(n plan.Node) *plan.Sort {
	switch m := n.(type) {
	case *plan.Sort:
		if !m.Local {
			return m
		}
	case *plan.Project:
		return sortUnder(m.Input)
	case *plan.SubqueryAlias:
		return sortUnder(m.Input)
	}
	return nil
}

// numbered keeps the rows of each combination of values whose numbers are within the limit.
func (b *binder) numbered(n plan.Node, at binding, keys []*plan.SortOrder, l *plan.Limit) (plan.Node, error) {
	order := make([]*plan.SortOrder, len(keys))
	for i, k := range keys {
		e, err := at.over(k)
		if err != nil {
			return nil, err
		}
		order[i] = e.(*plan.SortOrder)
	}
	if len(order) == 0 {
		order = []*plan.SortOrder{{Child: plan.Int(1)}}
	}
	number := &plan.Call{Name: "row_number", T: types.Integer, WindowOnly: true}
	al := b.a.alias(&plan.Window{Function: number, Partition: distinctColumns(b.columns(at), nil), Order: order,
		Frame: &plan.Frame{Rows: true, Lower: plan.Bound{Unbounded: true}, Upper: plan.Bound{Current: true}}}, "row_number")
	cols := exprsOf(output(n))
	n = &plan.WindowNode{Input: n, Exprs: []plan.Expr{al}}
	first := countOf(l.Offset, 0)
	var conds []plan.Expr
	more, err := b.a.apply(">", nil, al.Attribute(), plan.Int(first))
	if err != nil {
		return nil, err
	}
	conds = append(conds, more)
	if l.Count != nil {
		within, err := b.a.apply("<=", nil, al.Attribute(), plan.Int(first+countOf(l.Count, 0)))
		if err != nil {
			return nil, err
		}
		conds = append(conds, within)
	}
	if n, err = b.a.filterBy(n, conds); err != nil {
		return nil, err
	}
	return &plan.Project{Input: n, Exprs: cols}, nil
}

// countOf is the number of a LIMIT or OFFSET, which the analyser has made constant.
func countOf(e plan.Expr, otherwise int64) int64 {
	if l, ok := e.(*plan.Literal); ok {
		if v, ok := l.Value.(int64); ok {
			return v
		}
	}
	return otherwise
}
