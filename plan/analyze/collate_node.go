package analyze

import (
	"millrace/errs"
	"millrace/plan"
	"millrace/types"
)

// collateNode has a resolved node sort and group collated strings by their keys: the nodes themselves compare bytes.
func (a *analyzer) collateNode(n plan.Node) (plan.Node, error) {
	switch m := n.(type) {
	case *plan.Distinct:
		cols := exprsOf(output(m.Input))
		for _, c := range cols {
			if collated(plan.TypeOf(c)) != nil {
				return a.collateGroups(&plan.Aggregate{Input: m.Input, Groups: cols, Exprs: cols})
			}
		}
	case *plan.Aggregate:
		for _, g := range m.Groups {
			if collated(plan.TypeOf(g)) != nil {
				return a.collateGroups(m)
			}
		}
	case *plan.Sort:
		keys, err := ownKeys(m.Keys)
		if err != nil {
			return nil, err
		}
		s := *m
		s.Keys = keys
		return &s, nil
	}
	return n, nil
}

func ownKeys(orders []*plan.SortOrder) ([]*plan.SortOrder, error) {
	out := make([]*plan.SortOrder, len(orders))
	for i, o := range orders {
		key, err := ownKey(o.Child)
		if err != nil {
			return nil, err
		}
		k := *o
		k.Child, out[i] = key, &k
	}
	return out, nil
}

// collateGroups groups by keys, and takes each group's first text for its value.
func (a *analyzer) collateGroups(m *plan.Aggregate) (plan.Node, error) {
	if m.Sets != nil {
		return nil, errs.Unsupportedf("GROUPING SETS of strings with a collation are not supported")
	}
	agg := *m
	below := &plan.Project{Input: m.Input}
	inner := map[plan.ID]*plan.Attribute{} // a collated group's column under another id
	agg.Groups = append([]plan.Expr(nil), m.Groups...)
	for i, g := range agg.Groups {
		col, ok := g.(*plan.Attribute)
		if !ok || collated(col.T) == nil {
			continue
		}
		key, err := ownKey(col)
		if err != nil {
			return nil, err
		}
		k, v := a.alias(key, col.Name), a.alias(col, col.Name)
		below.Exprs = append(below.Exprs, k, v)
		agg.Groups[i], inner[col.ID] = k.Attribute(), v.Attribute()
	}
	for _, c := range output(m.Input) {
		if inner[c.ID] == nil {
			below.Exprs = append(below.Exprs, c)
		}
	}
	agg.Input, agg.Exprs = below, make([]plan.Expr, len(m.Exprs))
	for i, e := range m.Exprs {
		if col, ok := e.(*plan.Attribute); ok && inner[col.ID] != nil {
			first, err := a.apply("first", nil, inner[col.ID])
			if err != nil {
				return nil, err
			}
			agg.Exprs[i] = &plan.Alias{Child: first, Names: []string{col.Name}, Metadata: col.Metadata, ID: col.ID}
			continue
		}
		var err error
		if agg.Exprs[i], err = plan.TransformExpr(e, func(e plan.Expr) (plan.Expr, error) {
			if col, ok := e.(*plan.Attribute); ok && inner[col.ID] != nil {
				return inner[col.ID], nil
			}
			return e, nil
		}); err != nil {
			return nil, err
		}
	}
	return &agg, nil
}

// collateExpr has windows and distinct aggregates compare collated strings by their keys.
func (a *analyzer) collateExpr(e plan.Expr) (plan.Expr, error) {
	switch e := e.(type) {
	case *plan.Window:
		w := *e
		w.Partition = append([]plan.Expr(nil), e.Partition...)
		var err error
		for i, p := range w.Partition {
			if w.Partition[i], err = ownKey(p); err != nil {
				return nil, err
			}
		}
		w.Order, err = ownKeys(e.Order)
		return &w, err
	case *plan.Subquery:
		for _, v := range e.Values {
			if collated(plan.TypeOf(v)) != nil {
				return a.collateIn(e)
			}
		}
	case *plan.Call:
		if !e.Distinct || !e.Aggregate {
			return e, nil
		}
		c := *e
		c.Args = append([]plan.Expr(nil), e.Args...)
		for i, arg := range c.Args {
			s := collated(plan.TypeOf(arg))
			if s == nil {
				continue
			}
			if e.Name != "count" {
				return nil, errs.Unsupportedf("the function %s of distinct strings with the collation %s is not supported", types.Quote(e.Name), s.Collation)
			}
			var err error
			if c.Args[i], err = ownKey(arg); err != nil {
				return nil, err
			}
		}
		return &c, nil
	}
	return e, nil
}

// collateIn is IN with a subquery over the keys of both sides.
func (a *analyzer) collateIn(e *plan.Subquery) (plan.Expr, error) {
	s := *e
	s.Values = append([]plan.Expr(nil), e.Values...)
	keys := &plan.Project{Input: e.Plan}
	for i, c := range output(e.Plan) {
		var err error
		if s.Values[i], err = ownKey(e.Values[i]); err != nil {
			return nil, err
		}
		key, err := ownKey(c)
		if err != nil {
			return nil, err
		}
		keys.Exprs = append(keys.Exprs, a.alias(key, c.Name))
	}
	s.Plan = keys
	return &s, nil
}
