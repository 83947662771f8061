package analyze

import (
	"millrace/errs"
	"millrace/plan"
	"millrace/plan/fn"
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
		m, err := a.distinctTexts(m)
		if err != nil {
			return nil, err
		}
		for _, g := range m.Groups {
			if collated(plan.TypeOf(g)) != nil {
				return a.collateGroups(m)
			}
		}
		return m, nil
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
	agg := *m
	below, above := &plan.Project{Input: m.Input}, &plan.Project{}
	keys := map[plan.ID]*plan.Attribute{}
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
		agg.Groups[i], inner[col.ID], keys[col.ID] = k.Attribute(), v.Attribute(), k.Attribute()
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
			text := &plan.Alias{Child: first, Names: []string{col.Name}, Metadata: col.Metadata, ID: col.ID}
			if agg.Exprs[i] = text; m.Sets != nil { // a text where the key is one of the set's
				text.ID = a.id()
				key := keys[col.ID]
				agg.Exprs = append(agg.Exprs, key)
				missing := &plan.Call{Name: "isnull", Args: []plan.Expr{key}, T: types.Boolean}
				above.Exprs = append(above.Exprs, &plan.Alias{Child: &plan.Call{Name: "if", Args: []plan.Expr{missing, &plan.Literal{T: col.T}, text.Attribute()}, T: col.T, Null: true},
					Names: text.Names, Metadata: text.Metadata, ID: col.ID})
			}
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
		above.Exprs = append(above.Exprs, exprsOf([]*plan.Attribute{attributeOf(agg.Exprs[i])})...)
	}
	if m.Sets != nil {
		above.Input = &agg
		return above, nil
	}
	return &agg, nil
}

func attributeOf(e plan.Expr) *plan.Attribute {
	if alias, ok := e.(*plan.Alias); ok {
		return alias.Attribute()
	}
	return e.(*plan.Attribute)
}

// distinctTexts takes the distinct strings of aggregates from groups by their keys, each of whose first text stands for it.
func (a *analyzer) distinctTexts(m *plan.Aggregate) (*plan.Aggregate, error) {
	var text plan.Expr
	for _, e := range m.Exprs {
		if c, ok := aggregateOf(e); ok && c.Distinct && c.Name != "count" && keyed(plan.TypeOf(c.Args[0])) {
			text = c.Args[0]
		}
	}
	if text == nil {
		return m, nil
	}
	for _, e := range m.Exprs {
		c, ok := aggregateOf(e)
		if ok && (!c.Distinct || c.Filter != nil || !equal(unkeyed(c.Args[0]), text)) || m.Sets != nil {
			return nil, errs.Unsupportedf("aggregates of distinct values of the type %s beside other aggregates are not supported", plan.TypeOf(text).SQL())
		}
	}
	key, err := ownKey(text)
	if err != nil {
		return nil, err
	}
	k, v := a.alias(key, "key"), a.alias(text, "text")
	first, err := a.apply("first", nil, v.Attribute())
	if err != nil {
		return nil, err
	}
	each := a.alias(first, "text")
	below := &plan.Aggregate{Input: &plan.Project{Input: m.Input, Exprs: append(exprsOf(output(m.Input)), k, v)}}
	below.Groups = append(append([]plan.Expr(nil), m.Groups...), k.Attribute())
	below.Exprs = append(append([]plan.Expr(nil), below.Groups...), each)
	agg := *m
	if agg.Input, err = a.collateNode(below); err != nil {
		return nil, err
	}
	agg.Exprs = make([]plan.Expr, len(m.Exprs))
	for i, e := range m.Exprs {
		if agg.Exprs[i], err = plan.TransformExpr(e, func(e plan.Expr) (plan.Expr, error) {
			if equal(e, text) {
				return each.Attribute(), nil
			}
			if c, ok := e.(*plan.Call); ok && c.Aggregate {
				plain := *c
				plain.Distinct = false
				return &plain, nil
			}
			return e, nil
		}); err != nil {
			return nil, err
		}
	}
	return &agg, nil
}

// aggregateOf is the aggregate of an output column.
func aggregateOf(e plan.Expr) (*plan.Call, bool) {
	if alias, ok := e.(*plan.Alias); ok {
		e = alias.Child
	}
	c, ok := e.(*plan.Call)
	return c, ok && c.Aggregate
}

// unkeyed is what an expression is the key of.
func unkeyed(e plan.Expr) plan.Expr {
	if c, ok := e.(*plan.Call); ok && c.Name == CollationKey {
		return c.Args[0]
	}
	return e
}

// collateExpr has windows and distinct aggregates compare collated strings by their keys.
func (a *analyzer) collateExpr(e plan.Expr) (plan.Expr, error) {
	switch e := e.(type) {
	case *plan.Window:
		if c, ok := e.Function.(*plan.Call); ok && c.Distinct {
			return nil, errs.Unsupportedf("collect_set of variants in a window is not supported")
		}
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
		c := *e
		switch {
		case e.Name == "collect_set" && fn.HasVariant(plan.TypeOf(e.Args[0])):
			c.Name, c.Distinct = "collect_list", true
			return &c, nil
		case !e.Distinct || !e.Aggregate || e.Name != "count" && e.Name != "min_by" && e.Name != "max_by":
			return e, nil
		case e.Name != "count": // the least of all is that of the distinct ones
			c.Distinct = false
			return &c, nil
		}
		c.Args = append([]plan.Expr(nil), e.Args...)
		for i, arg := range c.Args {
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
