package physical

import (
	"fmt"
	"slices"

	"millrace/errs"
	"millrace/operators/agg"
	"millrace/plan"
	"millrace/planconv"
	planpb "millrace/proto/millrace/plan/v1"
)

// grouping is an aggregation taken apart: the keys, the distinct calls of aggregate functions, and what the output makes of them.
type grouping struct {
	keys     []*planpb.Expr
	keyAttrs []*plan.Attribute
	calls    []*planpb.Expr
	aggAttrs []*plan.Attribute
	results  []plan.Expr // the output over keyAttrs and aggAttrs
	logical  []*plan.Call
}

func (p *planner) aggregate(n *plan.Aggregate) (*part, error) {
	if n.Sets != nil {
		return nil, errs.Unsupportedf("GROUPING SETS, ROLLUP and CUBE are not supported yet.")
	}
	if d := onlyDistinct(n); d != nil {
		return p.distinctAggregate(n, d)
	}
	t, err := p.build(n.Input)
	if err != nil {
		return nil, err
	}
	g, err := p.takeApart(n, t)
	if err != nil {
		return nil, err
	}
	if t, err = p.aggregateOver(t, g); err != nil {
		return nil, err
	}
	return t, p.projectOver(t, g.results)
}

// distinct keeps one row of each.
func (p *planner) distinct(n *plan.Distinct) (*part, error) {
	out := n.Input.(plan.Resolved).Output()
	exprs := make([]plan.Expr, len(out))
	for i, a := range out {
		exprs[i] = a
	}
	return p.aggregate(&plan.Aggregate{Input: n.Input, Groups: exprs, Exprs: exprs})
}

// onlyDistinct returns the arguments of count(DISTINCT …) and the like when all aggregates of n are distinct over the same ones.
func onlyDistinct(n *plan.Aggregate) []plan.Expr {
	var args []plan.Expr
	var print string
	ok, any := true, false
	for _, e := range n.Exprs {
		plan.WalkExpr(e, func(e plan.Expr) bool {
			c, is := e.(*plan.Call)
			if !is || !c.Aggregate {
				return true
			}
			any = true
			mine := printOf(c.Args)
			if !c.Distinct || c.Filter != nil || args != nil && mine != print {
				ok = false
			}
			args, print = c.Args, mine
			return false
		})
	}
	if !ok || !any || !slices.ContainsFunc(args, notLiteral) {
		return nil // of literals alone there would be nothing to group by, and one group of no rows
	}
	return args
}

func notLiteral(e plan.Expr) bool {
	_, ok := e.(*plan.Literal)
	return !ok
}

// printOf tells argument lists apart without regard to where they were written.
func printOf(args []plan.Expr) string {
	s := columnScope{}
	for _, a := range args {
		plan.WalkExpr(a, func(e plan.Expr) bool {
			if at, ok := e.(*plan.Attribute); ok {
				s[at.ID] = int(at.ID)
			}
			return true
		})
	}
	list, err := s.exprs(args)
	if err != nil {
		return fmt.Sprintf("%p", args)
	}
	out := ""
	for _, e := range list {
		out += fingerprint(e) + "\x00"
	}
	return out
}

// distinctAggregate groups by keys and arguments first, which leaves each value once, then aggregates without DISTINCT.
func (p *planner) distinctAggregate(n *plan.Aggregate, args []plan.Expr) (*part, error) {
	inner := &plan.Aggregate{Input: n.Input}
	subst := map[string]*plan.Attribute{}
	add := func(e plan.Expr) *plan.Attribute {
		key := printOf([]plan.Expr{e})
		if a := subst[key]; a != nil {
			return a
		}
		inner.Groups = append(inner.Groups, e)
		a, ok := e.(*plan.Attribute)
		if ok {
			inner.Exprs = append(inner.Exprs, a)
		} else {
			a = p.fresh(plan.Attribute{Name: "k", T: plan.TypeOf(e), Null: plan.IsNullable(e)})
			inner.Exprs = append(inner.Exprs, &plan.Alias{Child: e, Names: []string{"k"}, ID: a.ID})
		}
		subst[key] = a
		return a
	}
	outer := &plan.Aggregate{Input: inner}
	for _, g := range n.Groups {
		outer.Groups = append(outer.Groups, add(g))
	}
	for _, a := range args {
		if _, ok := a.(*plan.Literal); !ok {
			add(a)
		}
	}
	for _, e := range n.Exprs {
		fresh, err := rewriteTop(e, func(e plan.Expr) (plan.Expr, bool) {
			if c, ok := e.(*plan.Call); ok && c.Aggregate {
				d := *c
				d.Distinct = false
				d.Args = make([]plan.Expr, len(c.Args))
				for i, a := range c.Args {
					d.Args[i] = a
					if at := subst[printOf([]plan.Expr{a})]; at != nil {
						d.Args[i] = at
					}
				}
				return &d, true
			}
			if at := subst[printOf([]plan.Expr{e})]; at != nil {
				return at, true
			}
			return nil, false
		})
		if err != nil {
			return nil, err
		}
		outer.Exprs = append(outer.Exprs, keepName(e, fresh))
	}
	return p.aggregate(outer)
}

// keepName gives a rewritten output expression the name and id of the old one.
func keepName(old, fresh plan.Expr) plan.Expr {
	was := attributeOf(old)
	if attributeOf(fresh).ID == was.ID {
		return fresh
	}
	return &plan.Alias{Child: fresh, Names: []string{was.Name}, ID: was.ID, Metadata: was.Metadata}
}

// rewriteTop replaces the topmost sub-expressions for which f says so.
func rewriteTop(e plan.Expr, f func(plan.Expr) (plan.Expr, bool)) (plan.Expr, error) {
	if fresh, ok := f(e); ok {
		return fresh, nil
	}
	old := e.Children()
	if len(old) == 0 {
		return e, nil
	}
	fresh := make([]plan.Expr, len(old))
	for i, c := range old {
		m, err := rewriteTop(c, f)
		if err != nil {
			return nil, err
		}
		fresh[i] = m
	}
	return e.WithChildren(fresh), nil
}

// takeApart finds the keys and aggregate calls of an aggregation over a part.
func (p *planner) takeApart(n *plan.Aggregate, t *part) (*grouping, error) {
	g := &grouping{}
	in := scope(t.attrs)
	known := map[string]*plan.Attribute{}
	for _, k := range n.Groups {
		pb, err := in.expr(k)
		if err != nil {
			return nil, err
		}
		print := fingerprint(pb)
		if known[print] != nil {
			continue
		}
		a, ok := k.(*plan.Attribute)
		if !ok {
			a = p.fresh(plan.Attribute{Name: "key", T: plan.TypeOf(k), Null: plan.IsNullable(k)})
		}
		known[print] = a
		g.keys, g.keyAttrs = append(g.keys, pb), append(g.keyAttrs, a)
	}
	calls := map[string]*plan.Attribute{}
	for _, e := range n.Exprs {
		var failed error
		fresh, err := rewriteTop(e, func(e plan.Expr) (plan.Expr, bool) {
			if c, ok := e.(*plan.Call); ok && c.Aggregate {
				a, err := p.addCall(g, calls, in, c)
				if err != nil {
					failed = err
				}
				return a, err == nil
			}
			if _, ok := e.(*plan.Literal); ok || !in.covers(e) {
				return nil, false
			}
			pb, err := in.expr(e)
			if err != nil {
				return nil, false
			}
			if a := known[fingerprint(pb)]; a != nil {
				return a, true
			}
			return nil, false
		})
		if err == nil {
			err = failed
		}
		if err != nil {
			return nil, err
		}
		g.results = append(g.results, keepName(e, fresh))
	}
	return g, nil
}

func (p *planner) addCall(g *grouping, calls map[string]*plan.Attribute, in columnScope, c *plan.Call) (*plan.Attribute, error) {
	pb, err := in.expr(c)
	if err != nil {
		return nil, err
	}
	print := fingerprint(pb)
	if a := calls[print]; a != nil {
		return a, nil
	}
	a := p.fresh(plan.Attribute{Name: c.Name, T: c.T, Null: c.Null})
	calls[print] = a
	g.calls, g.aggAttrs, g.logical = append(g.calls, pb), append(g.aggAttrs, a), append(g.logical, c)
	return a, nil
}

// aggregateOver runs the grouping over a part: in one step where all rows of a group are in one task, else partial and final.
func (p *planner) aggregateOver(t *part, g *grouping) (*part, error) {
	out := append(append([]*plan.Attribute(nil), g.keyAttrs...), g.aggAttrs...)
	whole := t.tasks == 1 || g.coveredBy(t)
	raw := false // some aggregate has no partial form
	for _, c := range g.logical {
		raw = raw || c.Distinct
	}
	if !whole && raw {
		var err error
		if t, err = p.spreadRaw(t, g); err != nil {
			return nil, err
		}
		whole = true
	}
	if whole {
		t.wrap(p.aggOp(planpb.HashAggregate_COMPLETE, g.keys, g.calls, out), out)
		t.estimateGroups(g)
		return t, nil
	}
	states, err := p.stateAttrs(g)
	if err != nil {
		return nil, err
	}
	mid := append(append([]*plan.Attribute(nil), g.keyAttrs...), states...)
	t.wrap(p.aggOp(planpb.HashAggregate_PARTIAL, g.keys, g.calls, mid), mid)
	t.estimateGroups(g)
	keys := make([]*planpb.Expr, len(g.keys))
	for i, a := range g.keyAttrs {
		keys[i] = &planpb.Expr{Type: planconv.TypePB(a.T), Nullable: a.Null, Kind: &planpb.Expr_Column{Column: uint32(i)}}
	}
	t = p.byHash(t, keys, g.keyAttrs)
	t.wrap(p.aggOp(planpb.HashAggregate_FINAL, keys, g.calls, out), out)
	return t, nil
}

func (p *planner) aggOp(m planpb.HashAggregate_Mode, keys, calls []*planpb.Expr, out []*plan.Attribute) *planpb.Operator {
	return p.op(out, &planpb.Operator{Kind: &planpb.Operator_HashAggregate{HashAggregate: &planpb.HashAggregate{Mode: m, Groups: keys, Aggregates: calls}}})
}

// byHash spreads a part by keys, or gathers it where there are none or few rows.
func (p *planner) byHash(t *part, keys []*planpb.Expr, attrs []*plan.Attribute) *part {
	n := p.partitions(t.rows)
	if len(keys) == 0 || n == 1 {
		return p.single(t, nil)
	}
	u := p.exchange(t, &planpb.Partitioning{Kind: planpb.Partitioning_HASH, Partitions: int32(n), Exprs: keys}, nil)
	if len(attrs) == len(keys) {
		u.hashed = [][]plan.ID{ids(attrs)}
	}
	return u
}

// spreadRaw brings all rows of a group into one task before anything is aggregated.
func (p *planner) spreadRaw(t *part, g *grouping) (*part, error) {
	return p.byHash(t, g.keys, nil), nil
}

func (p *planner) stateAttrs(g *grouping) ([]*plan.Attribute, error) {
	var out []*plan.Attribute
	for _, c := range g.calls {
		ts, err := agg.StateTypes(c)
		if err != nil {
			return nil, err
		}
		for _, t := range ts {
			out = append(out, p.fresh(plan.Attribute{Name: "state", T: t, Null: true}))
		}
	}
	return out, nil
}

// coveredBy reports whether rows of one group are already in one task.
func (g *grouping) coveredBy(t *part) bool {
	have := map[plan.ID]bool{}
	for _, a := range g.keyAttrs {
		have[a.ID] = true
	}
	for _, set := range t.hashed {
		all := len(set) > 0
		for _, id := range set {
			all = all && have[id]
		}
		if all {
			return true
		}
	}
	return false
}

func (t *part) estimateGroups(g *grouping) {
	if len(g.keys) == 0 {
		t.rows = float64(t.tasks)
	} else {
		t.rows *= 0.3
	}
	t.bytes = t.rows * RowBytes(t.attrs)
}

func ids(attrs []*plan.Attribute) []plan.ID {
	out := make([]plan.ID, len(attrs))
	for i, a := range attrs {
		out[i] = a.ID
	}
	return out
}
