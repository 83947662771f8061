package analyze

import "millrace/plan"

// freshen copies a resolved plan with new ids for all of its columns.
func (a *analyzer) freshen(n plan.Node) (plan.Node, error) {
	f := &freshener{a: a, ids: map[plan.ID]plan.ID{}}
	return f.node(n)
}

type freshener struct {
	a   *analyzer
	ids map[plan.ID]plan.ID
}

func (f *freshener) id(old plan.ID) plan.ID {
	id, ok := f.ids[old]
	if !ok {
		id = f.a.id()
		f.ids[old] = id
	}
	return id
}

func (f *freshener) node(n plan.Node) (plan.Node, error) {
	return plan.Transform(n, func(n plan.Node) (plan.Node, error) {
		n, err := plan.MapExprs(n, func(e plan.Expr) (plan.Expr, error) { return plan.TransformExpr(e, f.expr) })
		if err != nil {
			return nil, err
		}
		switch n := n.(type) {
		case *plan.Scan:
			m := *n
			m.Attrs = f.attrs(n.Attrs)
			return &m, nil
		case *plan.StreamScan:
			m := *n
			m.Attrs = f.attrs(n.Attrs)
			return &m, nil
		case *plan.LocalRelation:
			m := *n
			m.Attrs = f.attrs(n.Attrs)
			return &m, nil
		case *plan.Range:
			m := *n
			m.Attr = f.attr(n.Attr)
			return &m, nil
		case *plan.Union:
			m := *n
			m.Attrs = f.attrs(n.Attrs)
			return &m, nil
		case *plan.Expand:
			m := *n
			m.Attrs = f.attrs(n.Attrs)
			return &m, nil
		case *plan.Recursion:
			m := *n
			m.Attrs = f.attrs(n.Attrs)
			return &m, nil
		case *plan.RecursionRef:
			m := *n
			m.Attrs = f.attrs(n.Attrs)
			return &m, nil
		case *plan.Join:
			if n.Exists == nil {
				return n, nil
			}
			m := *n
			m.Exists = f.attr(n.Exists)
			return &m, nil
		case *plan.Generate:
			m := *n
			m.Attrs = f.attrs(n.Attrs)
			return &m, nil
		case *plan.PythonMap:
			m := *n
			m.Attrs = f.attrs(n.Attrs)
			return &m, nil
		}
		return n, nil
	})
}

func (f *freshener) attr(a *plan.Attribute) *plan.Attribute {
	b := *a
	b.ID = f.id(a.ID)
	return &b
}

func (f *freshener) attrs(list []*plan.Attribute) []*plan.Attribute {
	out := make([]*plan.Attribute, len(list))
	for i, a := range list {
		out[i] = f.attr(a)
	}
	return out
}

func (f *freshener) expr(e plan.Expr) (plan.Expr, error) {
	switch e := e.(type) {
	case *plan.Attribute:
		return f.attr(e), nil
	case *plan.Outer:
		if _, ours := f.ids[e.Attr.ID]; ours {
			return &plan.Outer{Attr: f.attr(e.Attr)}, nil
		}
	case *plan.Alias:
		b := *e
		b.ID = f.id(e.ID)
		return &b, nil
	case *plan.Subquery:
		inner, err := f.node(e.Plan)
		if err != nil {
			return nil, err
		}
		b := *e
		b.Plan = inner
		return &b, nil
	}
	return e, nil
}

// Copy copies a resolved relation. Its columns get identifiers above last; their order is the same.
func Copy(n plan.Node, last plan.ID) (plan.Node, error) {
	return (&analyzer{last: last}).freshen(n)
}
