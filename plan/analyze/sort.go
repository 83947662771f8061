package analyze

import (
	"errors"
	"strings"

	"millrace/errs"
	"millrace/plan"
	"millrace/plan/fn"
	"millrace/types"
)

// sort resolves ORDER BY: places in the output, its columns, and columns below it that are carried up for the sort alone.
func (a *analyzer) sort(n *plan.Sort) (plan.Node, error) {
	in, err := a.node(n.Input)
	if err != nil {
		return nil, err
	}
	keys := n.Keys
	if len(keys) == 1 && a.isAll(in, keys[0].Child) {
		keys = a.allKeys(in, keys[0])
	}
	wide, exprs, err := a.sortKeys(in, keys, !n.Local && a.ordinals("orderBy"))
	if err != nil {
		return nil, err
	}
	if err := checkKeys(exprs); err != nil {
		return nil, err
	}
	s := &plan.Sort{Input: wide, Local: n.Local, Keys: make([]*plan.SortOrder, len(keys))}
	for i, k := range keys {
		o := *k
		o.Child = exprs[i]
		if err := checkOrder(&o); err != nil {
			return nil, err
		}
		s.Keys[i] = &o
	}
	return a.narrow(s, in), nil
}

// sortKeys resolves the keys of a sort. Where the session does not want places looked at first, one beyond the output is that of a column that another
// key carries up.
func (a *analyzer) sortKeys(in plan.Node, keys []*plan.SortOrder, ordinals bool) (plan.Node, []plan.Expr, error) {
	exprs, named, out := make([]plan.Expr, len(keys)), []plan.Expr{}, output(in)
	later := strings.EqualFold(a.conf.get("spark.sql.prioritizeOrdinalResolutionInSort.enabled"), "false")
	places := make([]*plan.Literal, len(keys))
	for i, k := range keys {
		l, ok := k.Child.(*plan.Literal)
		switch {
		case !ok || l.T.Kind != types.KindInteger || l.Value == nil || !ordinals:
			named = append(named, k.Child)
		case l.Value.(int64) > 0 && l.Value.(int64) <= int64(len(out)):
			named = append(named, out[l.Value.(int64)-1])
		case later:
			places[i] = l
		default:
			_, err := orderOrdinal(in, l)
			return nil, nil, err
		}
	}
	wide, named, err := a.over(in, named, true)
	if err != nil {
		return nil, nil, err
	}
	for i, l := range places {
		if l == nil {
			exprs[i], named = named[0], named[1:]
		} else if exprs[i], err = orderOrdinal(wide, l); err != nil {
			return nil, nil, err
		}
	}
	return wide, exprs, nil
}

// checkOrder refuses to order values that have none.
func checkOrder(o *plan.SortOrder) error {
	t := plan.TypeOf(o.Child)
	if fn.Orderable(t) {
		return nil
	}
	return errs.New("DATATYPE_MISMATCH.INVALID_ORDERING_TYPE", "sqlExpr", SQL(&plan.SortOrder{Child: o.Child, Desc: o.Desc, Nulls: o.Nulls}),
		"functionName", "`sortorder`", "dataType", `"`+t.SQL()+`"`)
}

// checkKeys refuses what a sort cannot compute for itself.
func checkKeys(keys []plan.Expr) error {
	for _, k := range keys {
		var bad plan.Expr
		plan.WalkExpr(k, func(e plan.Expr) bool {
			switch e := e.(type) {
			case *plan.Window:
				bad = e
			case *plan.Call:
				if e.Aggregate || e.Generator {
					bad = e
				}
			}
			return bad == nil
		})
		if c, ok := bad.(*plan.Call); ok && c.Generator {
			return errs.New("UNSUPPORTED_GENERATOR.OUTSIDE_SELECT", "plan", "Sort ["+Pretty(k)+" ASC NULLS FIRST], true")
		}
		if bad != nil {
			return at(errs.New("UNSUPPORTED_EXPR_FOR_OPERATOR", "invalidExprSqls", SQL(bad)), originOf(bad))
		}
	}
	return nil
}

// narrow projects a node back to the columns of another whose input was widened.
func (a *analyzer) narrow(n, to plan.Node) plan.Node {
	want := exprsOf(output(to))
	if sameColumns(output(n), want) {
		return n
	}
	return &plan.Project{Input: n, Exprs: want}
}

func (a *analyzer) isAll(in plan.Node, e plan.Expr) bool {
	u, ok := e.(*plan.UnresolvedAttribute)
	if !ok || len(u.Parts) != 1 || !strings.EqualFold(u.Parts[0], "all") || u.PlanID != nil {
		return false
	}
	s := a.scope(in)
	s.next, _ = a.below(in)
	found, err := a.visible(s, u)
	return found == nil && err == nil
}

func (a *analyzer) allKeys(in plan.Node, like *plan.SortOrder) []*plan.SortOrder {
	var keys []*plan.SortOrder
	for _, c := range output(in) {
		o := *like
		o.Child = c
		keys = append(keys, &o)
	}
	return keys
}

// ordinals reports whether whole numbers are places in the SELECT list: spark.sql.orderByOrdinal and groupByOrdinal.
func (a *analyzer) ordinals(clause string) bool {
	return !strings.EqualFold(a.conf.get("spark.sql."+clause+"Ordinal"), "false")
}

func orderOrdinal(in plan.Node, l *plan.Literal) (plan.Expr, error) {
	out := output(in)
	i := int(l.Value.(int64))
	if i < 1 || i > len(out) {
		return nil, at(errs.New("ORDER_BY_POS_OUT_OF_RANGE", "index", itoa(i), "size", itoa(len(out))), l.Origin)
	}
	return out[i-1], nil
}

// over resolves expressions of a node over its input; columns that only stand below the input's projection or aggregation are
// carried up, which widens the input.
func (a *analyzer) over(in plan.Node, list []plan.Expr, aggregates bool) (plan.Node, []plan.Expr, error) {
	s := a.scope(in)
	top, b := a.below(in)
	s.next, s.lenient = top, aggregates
	if aggregates && b != nil {
		s.deep = newScope(b.input)
		s.deep.outer = s.outer
		s.deep.next = s.without()
	}
	out := make([]plan.Expr, len(list))
	for i, e := range list {
		var err error
		if out[i], err = a.firstFit(s, e); err != nil {
			return nil, nil, err
		}
	}
	if b != nil {
		own := func(c *plan.Attribute) bool { return containsID(s.attrs, c.ID) }
		for i, e := range out {
			if b.windowed && findAggregate(e) != nil {
				if !within(e, own) {
					return nil, nil, a.hiddenColumn(s, e, own)
				}
				continue
			}
			r, err := b.rewrite(e, own)
			if err != nil {
				if x := (*errs.Error)(nil); errors.As(err, &x) && x.Condition == "UNSUPPORTED_GROUPING_EXPRESSION" {
					return nil, nil, err
				}
				return nil, nil, a.hiddenColumn(s, e, own)
			}
			out[i] = r
		}
	}
	if b == nil && aggregates {
		if err := noFunctions("Sort", out...); err != nil {
			return nil, nil, err
		}
	}
	wide, err := a.reach(in, out)
	return wide, out, err
}

// firstFit resolves an expression. A name that has no such field or element here may be another one's further down.
func (a *analyzer) firstFit(s *scope, e plan.Expr) (plan.Expr, error) {
	r, err := a.expr(s, e)
	if s.next == nil || !lacksField(err) {
		return r, err
	}
	lower := *s
	lower.nodes, lower.attrs = nil, nil
	if below, failed := a.expr(&lower, e); failed == nil {
		return below, nil
	}
	return r, err
}

// within reports whether an expression reads only such columns.
func within(e plan.Expr, own func(*plan.Attribute) bool) bool {
	all := true
	plan.WalkExpr(e, func(e plan.Expr) bool {
		if c, ok := e.(*plan.Attribute); ok {
			all = all && own(c)
		}
		return all
	})
	return all
}

// without is the scope's own level only.
func (s *scope) without() *scope { return &scope{nodes: s.nodes, attrs: s.attrs, outer: s.outer} }

// hiddenColumn is the error for a column that grouping has taken away.
func (a *analyzer) hiddenColumn(s *scope, e plan.Expr, own func(*plan.Attribute) bool) error {
	name := Pretty(e)
	outside(e, func(c *plan.Attribute) {
		if !own(c) {
			name = c.Name
		}
	})
	return unresolved(s.attrs, []string{name})
}

// below is the scope of what lies under a projection or an aggregation that names may reach through, and that aggregation.
func (a *analyzer) below(n plan.Node) (*scope, *block) {
	for {
		if a.sealed[n] {
			return nil, nil
		}
		if b := a.blocks[n]; b != nil {
			return newScope(b.input), b
		}
		switch m := n.(type) {
		case *plan.PlanID:
			n = m.Input
		case *plan.Filter:
			n = m.Input
		case *plan.Sort:
			n = m.Input
		case *plan.Limit:
			n = m.Input
		case *plan.Hint:
			n = m.Input
		case *plan.Repartition:
			n = m.Input
		case *plan.Project:
			s := newScope(m.Input)
			var b *block
			if s.next, b = a.below(m.Input); b != nil {
				return s, nil
			}
			return s, nil
		default:
			return nil, nil
		}
	}
}

// reach makes a node return the columns that expressions read and that it has only below.
func (a *analyzer) reach(n plan.Node, list []plan.Expr) (plan.Node, error) {
	var missing []*plan.Attribute
	out := output(n)
	lacks := func(c *plan.Attribute) {
		if !containsID(out, c.ID) && !containsID(missing, c.ID) && !a.isMade(c.ID) {
			missing = append(missing, c)
		}
	}
	for _, e := range list {
		plan.WalkExpr(e, func(e plan.Expr) bool {
			switch e := e.(type) {
			case *plan.Attribute:
				lacks(e)
			case *plan.Subquery:
				eachOuter(e.Plan, func(c *plan.Attribute) {
					if containsID(a.metadata(n), c.ID) {
						lacks(c)
					}
				})
			}
			return true
		})
	}
	if len(missing) == 0 {
		return n, nil
	}
	wide := a.widen(n, missing)
	if wide == nil {
		return nil, unresolved(out, []string{missing[0].Name})
	}
	return wide, nil
}

// widen adds columns to a node's output from below; nil when it cannot.
func (a *analyzer) widen(n plan.Node, missing []*plan.Attribute) plan.Node {
	missing = lacking(n, missing)
	if len(missing) == 0 {
		return n
	}
	var wide plan.Node
	switch m := n.(type) {
	case *plan.Project:
		if in := a.widen(m.Input, missing); in != nil {
			wide = &plan.Project{Input: in, Exprs: append(append([]plan.Expr(nil), m.Exprs...), exprsOf(missing)...)}
		}
	case *plan.Aggregate:
		wide = a.widenAggregate(m, missing)
	case *plan.PlanID, *plan.Filter, *plan.Sort, *plan.Limit, *plan.Hint, *plan.WindowNode, *plan.Generate, *plan.Sample, *plan.Repartition:
		if in := a.widen(n.Children()[0], missing); in != nil {
			wide = n.WithChildren([]plan.Node{in})
		}
	case *plan.Join:
		wide = a.widenJoin(m, missing)
	case *plan.SubqueryAlias:
		if in := a.widen(m.Input, missing); in != nil {
			wide = n.WithChildren([]plan.Node{in})
		}
	case *plan.Scan:
		wide = a.widenScan(m)
	}
	if wide == nil {
		return nil
	}
	if b := a.blocks[n]; b != nil {
		a.blocks[wide] = b
	}
	if h := a.hidden[n]; h != nil {
		a.hidden[wide] = h
	}
	return wide
}

func lacking(n plan.Node, cols []*plan.Attribute) []*plan.Attribute {
	out := output(n)
	var missing []*plan.Attribute
	for _, c := range cols {
		if !containsID(out, c.ID) {
			missing = append(missing, c)
		}
	}
	return missing
}

func (a *analyzer) widenAggregate(n *plan.Aggregate, missing []*plan.Attribute) plan.Node {
	m := *n
	m.Exprs = append([]plan.Expr(nil), n.Exprs...)
	for _, c := range missing {
		e := a.columnOf(n, c.ID)
		if e == nil {
			return nil
		}
		m.Exprs = append(m.Exprs, e)
	}
	return &m
}

// columnOf finds a column that an aggregation could return.
func (a *analyzer) columnOf(n *plan.Aggregate, id plan.ID) plan.Expr {
	for _, g := range n.Groups {
		if c, ok := g.(*plan.Attribute); ok && c.ID == id {
			return c
		}
	}
	for _, b := range a.blocks {
		if e := b.columnExpr(id); e != nil {
			return e
		}
	}
	return nil
}

func (a *analyzer) widenJoin(n *plan.Join, missing []*plan.Attribute) plan.Node {
	m := *n
	left, right := a.hiddenOf([]plan.Node{n.Left}), a.hiddenOf([]plan.Node{n.Right})
	for _, c := range missing {
		switch one := []*plan.Attribute{c}; {
		case containsID(left, c.ID):
			m.Left = a.widen(m.Left, one)
		case containsID(right, c.ID):
			m.Right = a.widen(m.Right, one)
		default:
			return nil
		}
		if m.Left == nil || m.Right == nil {
			return nil
		}
	}
	return &m
}
