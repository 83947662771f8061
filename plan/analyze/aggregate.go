package analyze

import (
	"strings"

	"millrace/errs"
	"millrace/plan"
	"millrace/plan/fn"
	"millrace/types"
)

// project resolves SELECT without GROUP BY; aggregate calls make one group of all rows.
func (a *analyzer) project(n *plan.Project, having plan.Expr) (plan.Node, error) {
	in, err := a.node(n.Input)
	if err != nil {
		return nil, err
	}
	written := n.Exprs
	if in, err = a.timeWindows(in, &written); err != nil {
		return nil, err
	}
	s := a.scope(in)
	list, err := a.selectList(s, written)
	if err != nil {
		return nil, err
	}
	if having == nil && !anyAggregate(list) {
		if err := a.checkWindowOnly(list); err != nil {
			return nil, err
		}
		return a.shapeOver(in, list)
	}
	if in, err = a.reach(in, list); err != nil {
		return nil, err
	}
	return a.grouped(s, in, a.newBlock(in, nil), list, having)
}

// shapeOver is shape for a plain SELECT, which may name columns that USING hid.
func (a *analyzer) shapeOver(in plan.Node, list []plan.Expr) (plan.Node, error) {
	in, err := a.reach(in, list)
	if err != nil {
		return nil, err
	}
	n, err := a.shape(in, list)
	if err != nil {
		return nil, err
	}
	if n == in { // SELECT * is a projection of its own: ORDER BY may look through it
		n = &plan.Project{Input: in, Exprs: list}
	}
	return n, nil
}

// aggregate resolves GROUP BY.
func (a *analyzer) aggregate(n *plan.Aggregate, having plan.Expr) (plan.Node, error) {
	in, err := a.node(n.Input)
	if err != nil {
		return nil, err
	}
	m := *n
	n = &m
	if in, err = a.timeWindows(in, &n.Exprs, &n.Groups); err != nil {
		return nil, err
	}
	s := a.scope(in)
	written := n.Exprs
	if n.DataFrame {
		written = append(append([]plan.Expr(nil), n.Groups...), n.Exprs...)
	}
	if written, err = a.expandList(s, written); err != nil {
		return nil, err
	}
	if n.Sets != nil {
		if written, err = a.groupingIDs(s, written); err != nil {
			return nil, err
		}
	}
	list, err := a.selectList(s, written)
	if err != nil {
		return nil, err
	}
	groups, err := a.groups(s, n, list)
	if err != nil {
		return nil, err
	}
	if in, err = a.reach(in, append(append([]plan.Expr(nil), list...), groups...)); err != nil {
		return nil, err
	}
	for _, g := range groups {
		if t := plan.TypeOf(g); fn.HasVariant(t) {
			return nil, errs.New("GROUP_EXPRESSION_TYPE_IS_NOT_ORDERABLE", "sqlExpr", SQL(g), "dataType", `"`+t.SQL()+`"`)
		}
	}
	b := a.newBlock(in, groups)
	b.bare = len(n.Groups) == 0 && !n.AllGroups && n.Sets == nil
	if n.Sets != nil {
		if err := b.group(groups, n.Sets); err != nil {
			return nil, err
		}
	}
	out, err := a.grouped(s, in, b, list, having)
	if err != nil {
		return nil, err
	}
	for _, g := range groups {
		if w := findWindow(g); w != nil {
			return nil, errs.New("UNSUPPORTED_EXPR_FOR_OPERATOR", "invalidExprSqls", SQL(w))
		}
	}
	return out, nil
}

// groupingIDs puts grouping_id() in the places of the name grouping__id, where that is no column.
func (a *analyzer) groupingIDs(s *scope, list []plan.Expr) ([]plan.Expr, error) {
	out := make([]plan.Expr, len(list))
	for i, e := range list {
		_, named := e.(*plan.Alias)
		id, err := plan.TransformExpr(e, func(e plan.Expr) (plan.Expr, error) {
			u, ok := e.(*plan.UnresolvedAttribute)
			if !ok || len(u.Parts) != 1 || !strings.EqualFold(u.Parts[0], "grouping__id") {
				return e, nil
			}
			if c, err := a.visible(s, u); c != nil || err != nil {
				return e, err
			}
			return &plan.UnresolvedFunction{Name: []string{"grouping_id"}, Origin: u.Origin}, nil
		})
		if err != nil {
			return nil, err
		}
		if _, bare := e.(*plan.UnresolvedAttribute); bare && id != e && !named {
			id = &plan.Alias{Child: id, Names: []string{"grouping__id"}}
		}
		out[i] = id
	}
	return out, nil
}

// grouped rewrites a SELECT list and HAVING over an aggregation.
func (a *analyzer) grouped(s *scope, in plan.Node, b *block, list []plan.Expr, having plan.Expr) (plan.Node, error) {
	if having != nil && anyWindow(list) {
		for _, e := range list {
			if refs := lateralsIn(e); len(refs) > 0 {
				return nil, errs.New("UNSUPPORTED_FEATURE.LATERAL_COLUMN_ALIAS_IN_AGGREGATE_WITH_WINDOW_AND_HAVING", "lca", types.Quote(refs[0].attr.Name))
			}
		}
	}
	cond, err := a.having(s, b, list, having)
	if err != nil {
		return nil, err
	}
	if err := noOuter(append(b.keys[:len(b.keys):len(b.keys)], list...)); err != nil {
		return nil, err
	}
	outs, err := b.rewriteOutputs(list)
	if err != nil {
		return nil, err
	}
	b.listed = true
	all := outs
	if cond != nil {
		written := cond
		if cond, err = b.rewrite(cond, nil); err != nil {
			return nil, a.havingError(b, list, written, err)
		}
		all = append(append([]plan.Expr(nil), outs...), cond)
	}
	n, err := b.node(all)
	if err != nil {
		return nil, err
	}
	if cond != nil {
		n = &plan.Filter{Input: n, Condition: cond}
	}
	if n, err = a.shape(n, outs); err != nil {
		return nil, err
	}
	b.windowed = anyWindow(list)
	a.blocks[n] = b
	return n, nil
}

// havingError is the error for a column that HAVING names and that grouping has taken away.
func (a *analyzer) havingError(b *block, list []plan.Expr, cond plan.Expr, err error) error {
	if b.bare {
		return err
	}
	var known []*plan.Attribute
	for _, e := range list {
		switch e := e.(type) {
		case *plan.Attribute:
			known = append(known, e)
		case *plan.Alias:
			known = append(known, e.Attribute())
		}
	}
	name := ""
	outside(cond, func(c *plan.Attribute) {
		if name == "" && b.key(c) < 0 && !b.isColumn(c.ID) {
			name = c.Name
		}
	})
	if name == "" {
		return err
	}
	return unresolved(known, []string{name}) // where it stands was lost with its name
}

func (b *block) rewriteOutputs(list []plan.Expr) ([]plan.Expr, error) {
	outs := make([]plan.Expr, len(list))
	for i, e := range list {
		var err error
		if outs[i], err = b.rewriteOutput(e); err != nil {
			return nil, err
		}
	}
	return outs, nil
}

// rewriteOutput rewrites an expression of the SELECT list and keeps its name and id.
func (b *block) rewriteOutput(e plan.Expr) (plan.Expr, error) {
	al, ok := e.(*plan.Alias)
	if !ok {
		return b.rewrite(e, nil)
	}
	if i := b.key(al.Child); i >= 0 {
		return &plan.Alias{Child: b.attrs[i], Names: al.Names, Metadata: al.Metadata, ID: al.ID}, nil
	}
	return b.rewrite(al, nil)
}

// having resolves the condition over the groups' columns, then the SELECT list's aliases, then the input.
func (a *analyzer) having(s *scope, b *block, list []plan.Expr, cond plan.Expr) (plan.Expr, error) {
	if cond == nil {
		return nil, nil
	}
	keys := &scope{nodes: s.nodes, deep: s, outer: s.outer}
	for _, k := range b.keys {
		if c, ok := k.(*plan.Attribute); ok {
			keys.attrs = append(keys.attrs, c)
		}
	}
	names := &scope{}
	defs := map[plan.ID]plan.Expr{}
	for _, e := range list {
		if al, ok := e.(*plan.Alias); ok {
			names.attrs = append(names.attrs, al.Attribute())
			defs[al.ID] = al.Child
		}
	}
	keys.next, names.next, keys.fit, names.fit = names, s, true, true
	e, err := a.expr(keys, cond)
	if err != nil {
		return nil, err
	}
	if _, ok := a.boolean(e); !ok { // as Spark's parser has it, and only here
		if e, err = a.expr(keys, &plan.Cast{Child: cond, To: types.Boolean, Origin: originOf(cond)}); err != nil {
			return nil, err
		}
	}
	e, _ = a.boolean(e)
	if findWindow(e) != nil {
		return nil, errs.New("WINDOW_FUNCTION_NOT_ALLOWED_IN_CLAUSE", "clauseName", "HAVING")
	}
	return plan.TransformExpr(e, func(e plan.Expr) (plan.Expr, error) {
		if c, ok := e.(*plan.Attribute); ok && defs[c.ID] != nil {
			return defs[c.ID], nil
		}
		return e, nil
	})
}

// groups resolves the grouping expressions: places in the SELECT list, its aliases, or ALL.
func (a *analyzer) groups(s *scope, n *plan.Aggregate, list []plan.Expr) ([]plan.Expr, error) {
	if n.AllGroups {
		all := &plan.UnresolvedAttribute{Parts: []string{"all"}}
		if e, err := a.visible(s, all); e != nil || err != nil { // a column's name
			return []plan.Expr{e}, err
		}
		return a.allGroups(list)
	}
	out := make([]plan.Expr, 0, len(n.Groups))
	for _, g := range n.Groups {
		if al, ok := g.(*plan.Alias); ok && n.DataFrame {
			g = al.Child
		}
		e, err := a.group(s, n, g, list)
		if err != nil {
			return nil, err
		}
		if c := findAggregate(e); c != nil {
			return nil, at(errs.New("GROUP_BY_AGGREGATE", "sqlExpr", qualifiedSQL(e)), c.Origin)
		}
		out = append(out, e)
	}
	return out, nil
}

func (a *analyzer) group(s *scope, n *plan.Aggregate, g plan.Expr, list []plan.Expr) (plan.Expr, error) {
	if l, ok := g.(*plan.Literal); ok && l.T.Kind == types.KindInteger && l.Value != nil && !n.DataFrame && a.ordinals("groupBy") {
		return a.groupOrdinal(l, list)
	}
	if u, ok := g.(*plan.UnresolvedAttribute); ok {
		e, err := a.visible(s, u)
		if err != nil {
			return nil, at(err, u.Origin)
		}
		if e != nil {
			return e, nil
		}
		if e := aliasNamed(a, list, u); e != nil {
			return e, nil
		}
	}
	return a.expr(s, g)
}

func aliasNamed(a *analyzer, list []plan.Expr, u *plan.UnresolvedAttribute) plan.Expr {
	if len(u.Parts) != 1 || u.PlanID != nil {
		return nil
	}
	for _, e := range list {
		if al, ok := e.(*plan.Alias); ok && a.same(al.Names[0], u.Parts[0]) {
			return al.Child
		}
	}
	return nil
}

func (a *analyzer) groupOrdinal(l *plan.Literal, list []plan.Expr) (plan.Expr, error) {
	i := int(l.Value.(int64))
	if i < 1 || i > len(list) {
		return nil, at(errs.New("GROUP_BY_POS_OUT_OF_RANGE", "index", itoa(i), "size", itoa(len(list))), l.Origin)
	}
	e := list[i-1]
	if findAggregate(e) != nil {
		return nil, at(errs.New("GROUP_BY_POS_AGGREGATE", "index", itoa(i), "aggExpr", qualifiedSQL(e)), l.Origin)
	}
	return bare(e), nil
}

// allGroups is GROUP BY ALL: every expression of the list that has no aggregate call.
func (a *analyzer) allGroups(list []plan.Expr) ([]plan.Expr, error) {
	var out, mixed []plan.Expr
	for _, e := range list {
		if findAggregate(e) == nil {
			out = append(out, bare(e))
			continue
		}
		mixed = append(mixed, e)
	}
	for _, e := range mixed { // what such an expression reads beside its aggregates has to be grouped by as well
		loose := false
		outside(e, func(c *plan.Attribute) { loose = loose || !containsExpr(out, c) })
		if _, direct := bare(e).(*plan.Call); loose && (!direct || !bare(e).(*plan.Call).Aggregate) {
			return nil, errs.New("UNRESOLVED_ALL_IN_GROUP_BY")
		}
	}
	return out, nil
}

// outside calls f for each column that e reads outside of aggregate calls.
func outside(e plan.Expr, f func(*plan.Attribute)) {
	plan.WalkExpr(e, func(e plan.Expr) bool {
		switch e := e.(type) {
		case *plan.Attribute:
			f(e)
		case *plan.Call:
			return !e.Aggregate
		}
		return true
	})
}
