package analyze

import (
	"slices"

	"millrace/errs"
	"millrace/plan"
	"millrace/plan/fn"
)

// block is one SELECT: what it reads, how it groups, and what it returns. Grouping expressions become columns below the
// aggregation, aggregate calls become columns of it, and the rest is computed above.
type block struct {
	a     *analyzer
	input plan.Node
	keys  []plan.Expr       // grouping expressions over input
	attrs []*plan.Attribute // their columns
	slots []*plan.Alias     // aggregate calls
	bare  bool              // there is no GROUP BY
	sets  *groupingSets
	// listed says that the SELECT list has been rewritten: what follows is HAVING and ORDER BY.
	listed bool
	// windowed says that windows stand over the aggregation: what is above them still sees its keys, but has no aggregate functions computed there.
	windowed bool
}

func (a *analyzer) newBlock(input plan.Node, groups []plan.Expr) *block {
	b := &block{a: a, input: input, bare: len(groups) == 0}
	for _, g := range groups {
		g = bare(g)
		if b.key(g) >= 0 {
			continue
		}
		attr, ok := g.(*plan.Attribute)
		switch {
		case isSession(g):
			attr = &plan.Attribute{ID: a.id(), Name: attr.Name, T: attr.T, Null: attr.Null, Metadata: attr.Metadata}
		case !ok || fn.HasMap(attr.T):
			attr = &plan.Attribute{ID: a.id(), Name: Pretty(g), T: plan.TypeOf(g), Null: plan.IsNullable(g)}
		}
		b.keys, b.attrs = append(b.keys, g), append(b.attrs, attr)
	}
	return b
}

// value is what a key's column holds: maps are grouped by in the order of their keys.
func (b *block) value(i int) plan.Expr {
	k := b.keys[i]
	if t := plan.TypeOf(k); fn.HasMap(t) {
		return &plan.Call{Name: "map_sort", Args: []plan.Expr{k}, T: t, Null: plan.IsNullable(k)}
	}
	return k
}

// key is the place of a grouping expression, or -1.
func (b *block) key(e plan.Expr) int {
	for i, k := range b.keys {
		if equal(e, k) {
			return i
		}
	}
	return -1
}

// rewrite expresses e over the aggregation's columns. own says which columns may stand as they are.
func (b *block) rewrite(e plan.Expr, own func(*plan.Attribute) bool) (plan.Expr, error) {
	if i := b.key(e); i >= 0 {
		return b.attrs[i], nil
	}
	switch e := e.(type) {
	case *plan.Attribute:
		if own != nil && own(e) || b.isColumn(e.ID) || b.a.isMade(e.ID) {
			return e, nil
		}
		return nil, b.missing(e)
	case *plan.Call:
		switch {
		case e.Aggregate:
			if err := chanceless(e); err != nil {
				return nil, err
			}
			return b.slot(e, nil).Attribute(), nil
		case isGrouping(e):
			return b.groupingCall(e)
		}
	case *plan.Alias:
		if c, ok := e.Child.(*plan.Call); ok && c.Aggregate && len(e.Names) == 1 {
			if err := chanceless(c); err != nil {
				return nil, err
			}
			s := b.slot(c, e)
			if s.ID == e.ID {
				return s.Attribute(), nil
			}
			return &plan.Alias{Child: s.Attribute(), Names: e.Names, Metadata: e.Metadata, ID: e.ID}, nil
		}
	case *plan.Window:
		return b.rewriteWindow(e, own)
	case *plan.Subquery:
		return b.rewriteSubquery(e, own)
	}
	return b.rewriteChildren(e, own)
}

func (b *block) rewriteChildren(e plan.Expr, own func(*plan.Attribute) bool) (plan.Expr, error) {
	old := e.Children()
	if len(old) == 0 {
		return e, nil
	}
	fresh := make([]plan.Expr, len(old))
	for i, c := range old {
		var err error
		if fresh[i], err = b.rewrite(c, own); err != nil {
			return nil, err
		}
	}
	return e.WithChildren(fresh), nil
}

// rewriteWindow rewrites below the window's own function, which is not one of this aggregation's.
func (b *block) rewriteWindow(w *plan.Window, own func(*plan.Attribute) bool) (plan.Expr, error) {
	old := w.Children()
	fresh := make([]plan.Expr, len(old))
	for i, c := range old {
		var err error
		if c == w.Function {
			fresh[i], err = b.rewriteChildren(c, own)
		} else {
			fresh[i], err = b.rewrite(c, own)
		}
		if err != nil {
			return nil, err
		}
	}
	return w.WithChildren(fresh), nil
}

func (b *block) isColumn(id plan.ID) bool {
	if containsID(b.attrs, id) || b.sets != nil && containsID(b.sets.attrs, id) {
		return true
	}
	for _, s := range b.slots {
		if s.ID == id {
			return true
		}
	}
	return false
}

// chanceless refuses an aggregate function of what is not determined by the rows.
func chanceless(c *plan.Call) error {
	for _, e := range c.Args {
		if byChance(e, false) {
			return at(errs.New("AGGREGATE_FUNCTION_WITH_NONDETERMINISTIC_EXPRESSION", "sqlExpr", SQL(c)), originOf(e))
		}
	}
	return nil
}

// slot is the column of an aggregate call; a new one takes the alias's name and id.
func (b *block) slot(c *plan.Call, al *plan.Alias) *plan.Alias {
	for _, s := range b.slots {
		if equal(s.Child, c) {
			return s
		}
	}
	s := b.a.alias(c, Pretty(c))
	if al != nil {
		s = &plan.Alias{Child: c, Names: al.Names, Metadata: al.Metadata, ID: al.ID}
	}
	b.slots = append(b.slots, s)
	return s
}

func (b *block) missing(e *plan.Attribute) error {
	if b.bare {
		return errs.New("MISSING_GROUP_BY")
	}
	return errs.New("MISSING_AGGREGATION", "expression", SQL(e), "expressionAnyValue", `"any_value(`+Pretty(e)+`)"`)
}

// node makes the aggregation, its output in the order of outs where these are its own columns.
func (b *block) node(outs []plan.Expr) (plan.Node, error) {
	in := b.input
	agg := &plan.Aggregate{Groups: exprsOf(b.attrs)}
	if b.sets != nil {
		in = b.expand()
		agg.Groups = append(agg.Groups, exprsOf(b.sets.attrs)...)
	} else if pre := b.computed(); len(pre) > 0 {
		in = &plan.Project{Input: in, Exprs: append(exprsOf(output(in)), pre...)}
	}
	in, err := b.sessions(in)
	if err != nil {
		return nil, err
	}
	agg.Input = in
	placed := map[plan.ID]bool{}
	place := func(id plan.ID) {
		if placed[id] {
			return
		}
		if e := b.columnExpr(id); e != nil {
			placed[id] = true
			agg.Exprs = append(agg.Exprs, e)
		}
	}
	for _, e := range outs {
		plan.WalkExpr(e, func(e plan.Expr) bool {
			switch e := e.(type) {
			case *plan.Attribute:
				place(e.ID)
			case *plan.Subquery:
				for _, c := range outerColumns(e.Plan) {
					place(c.ID)
				}
			}
			return true
		})
	}
	for _, s := range b.slots {
		place(s.ID)
	}
	return agg, nil
}

// sessions merges the sessions by which rows are grouped.
func (b *block) sessions(in plan.Node) (plan.Node, error) {
	at := slices.IndexFunc(b.keys, isSession)
	switch {
	case at < 0:
		return in, nil
	case b.sets != nil:
		return nil, errs.Unsupportedf("session_window in GROUPING SETS, ROLLUP or CUBE is not supported.")
	case slices.ContainsFunc(b.keys[at+1:], isSession):
		return nil, errs.Unsupportedf("Grouping by several columns of session_window is not supported.")
	}
	others := exprsOf(b.attrs)
	return b.a.mergeSessions(in, b.keys[at].(*plan.Attribute), b.attrs[at], slices.Delete(others, at, at+1))
}

// computed are the grouping expressions that are not columns already.
func (b *block) computed() []plan.Expr {
	var pre []plan.Expr
	for i, k := range b.keys {
		if c, ok := k.(*plan.Attribute); !isSession(k) && (!ok || c.ID != b.attrs[i].ID) {
			pre = append(pre, &plan.Alias{Child: b.value(i), Names: []string{b.attrs[i].Name}, ID: b.attrs[i].ID})
		}
	}
	return pre
}

func (b *block) columnExpr(id plan.ID) plan.Expr {
	keys := b.attrs
	if b.sets != nil {
		keys = append(keys[:len(keys):len(keys)], b.sets.attrs...)
	}
	for _, c := range keys {
		if c.ID == id {
			return c
		}
	}
	for _, s := range b.slots {
		if s.ID == id {
			return s
		}
	}
	return nil
}

// findAggregate returns an aggregate call in e outside of window functions, or nil.
func findAggregate(e plan.Expr) *plan.Call {
	var found *plan.Call
	plan.WalkExpr(e, func(e plan.Expr) bool {
		switch e := e.(type) {
		case *plan.Call:
			if e.Aggregate && found == nil {
				found = e
			}
		case *plan.Window:
			for _, c := range e.Children() {
				under := []plan.Expr{c}
				if c == e.Function {
					under = c.Children()
				}
				for _, u := range under {
					if f := findAggregate(u); f != nil && found == nil {
						found = f
					}
				}
			}
			return false
		}
		return found == nil
	})
	return found
}

func anyAggregate(list []plan.Expr) bool {
	for _, e := range list {
		if findAggregate(e) != nil {
			return true
		}
	}
	return false
}

// shape puts the last projection over a SELECT's input: aliases of the list that others use, windows and generators go below
// it.
func (a *analyzer) shape(n plan.Node, outs []plan.Expr) (plan.Node, error) {
	n, outs, err := a.splitLaterals(n, outs)
	if err != nil {
		return nil, err
	}
	if windowInGenerator(outs) {
		if n, outs, err = a.extractWindows(n, outs); err != nil {
			return nil, err
		}
	}
	if n, outs, err = a.extractGenerators(n, outs); err != nil {
		return nil, err
	}
	if n, outs, err = a.extractWindows(n, outs); err != nil { // over the rows that generators make
		return nil, err
	}
	if sameColumns(output(n), outs) {
		return n, nil
	}
	return &plan.Project{Input: n, Exprs: outs}, nil
}

func sameColumns(cols []*plan.Attribute, exprs []plan.Expr) bool {
	if len(cols) != len(exprs) {
		return false
	}
	for i, e := range exprs {
		c, ok := e.(*plan.Attribute)
		if !ok || c.ID != cols[i].ID || c.Name != cols[i].Name {
			return false
		}
	}
	return true
}

// splitLaterals computes the aliases that other expressions of the list use in projections of their own.
func (a *analyzer) splitLaterals(n plan.Node, outs []plan.Expr) (plan.Node, []plan.Expr, error) {
	for {
		used := map[plan.ID]bool{}
		for _, e := range outs {
			for _, r := range lateralsIn(e) {
				used[r.attr.ID] = true
			}
		}
		if len(used) == 0 {
			return n, outs, nil
		}
		inner := exprsOf(output(n))
		next := make([]plan.Expr, len(outs))
		ready := map[plan.ID]*plan.Attribute{}
		for i, e := range outs {
			next[i] = e
			if al, ok := e.(*plan.Alias); ok && used[al.ID] && len(lateralsIn(al)) == 0 {
				inner = append(inner, al)
				ready[al.ID] = al.Attribute()
				next[i] = ready[al.ID]
			}
		}
		for _, e := range outs {
			if c, ok := e.(*plan.Attribute); ok && used[c.ID] {
				ready[c.ID] = c
			}
		}
		if len(ready) == 0 {
			return nil, nil, errs.Newf(errs.Internal, "lateral column aliases refer to each other")
		}
		below, err := a.shape(n, inner)
		if err != nil {
			return nil, nil, err
		}
		n = below
		for i, e := range next {
			if next[i], err = plan.TransformExpr(e, func(e plan.Expr) (plan.Expr, error) {
				if r, ok := e.(*lateralRef); ok && ready[r.attr.ID] != nil {
					return ready[r.attr.ID], nil
				}
				return e, nil
			}); err != nil {
				return nil, nil, err
			}
		}
		outs = next
	}
}

func lateralsIn(e plan.Expr) []*lateralRef {
	var refs []*lateralRef
	plan.WalkExpr(e, func(e plan.Expr) bool {
		if r, ok := e.(*lateralRef); ok {
			refs = append(refs, r)
		}
		return true
	})
	return refs
}
