package optimize

import (
	"millrace/plan"
	"millrace/plan/estimate"
)

// joinGraph is a tree of inner joins taken apart: relations, the conditions between them, and joins that may be done at any moment at which their
// left columns are there (semi, anti and left joins).
type joinGraph struct {
	items []joinItem
	conds []joinCond
	owner map[plan.ID]int // which item a column comes from
	read  idSet           // columns that conditions read; nil: not yet known
}

// joinItem is a relation, or the right side of an attached join.
type joinItem struct {
	node     plan.Node
	rel      *estimate.Relation
	attached *plan.Join // nil: a relation of the inner joins
	needs    set        // the items whose columns the attached join's condition reads
}

// joinCond is a condition, and the items that it reads. Of the equalities of a class (above 0) that could be judged by a join, one implies the others.
type joinCond struct {
	expr  plan.Expr
	reads set
	class int
}

// set is a set of items.
type set uint64

func one(i int) set               { return 1 << i }
func (s set) has(i int) bool      { return s&one(i) != 0 }
func (s set) contains(o set) bool { return o&^s == 0 }

// takeApart adds a tree of joins to the graph; everything else becomes a relation of it.
func (g *joinGraph) takeApart(n plan.Node) {
	switch n := n.(type) {
	case *plan.Join:
		switch {
		case !reorderable(n):
		case n.Type == plan.InnerJoin || n.Type == plan.CrossJoin:
			g.takeApart(n.Left)
			g.takeApart(n.Right)
			g.add(Conjuncts(n.Condition))
			return
		case n.Type == plan.SemiJoin || n.Type == plan.AntiJoin || n.Type == plan.LeftJoin:
			g.takeApart(n.Left)
			g.attach(n)
			return
		}
	case *plan.Filter:
		if _, ok := n.Input.(*plan.Join); ok && deterministic(n.Condition) {
			g.takeApart(n.Input)
			g.add(conjuncts(n.Condition))
			return
		}
	case *plan.Project:
		if _, ok := n.Input.(*plan.Join); ok && onlyColumns(n) {
			g.takeApart(n.Input)
			return
		}
	}
	g.relation(n)
}

// reorderable reports whether a join may be done at another moment.
func reorderable(j *plan.Join) bool {
	return j.Hint == "" && !j.Lateral && (j.Condition == nil || deterministic(j.Condition))
}

func onlyColumns(p *plan.Project) bool {
	for _, e := range p.Exprs {
		if _, ok := e.(*plan.Attribute); !ok {
			return false
		}
	}
	return true
}

func (g *joinGraph) relation(n plan.Node) {
	for _, a := range n.(plan.Resolved).Output() {
		g.owner[a.ID] = len(g.items)
	}
	g.items = append(g.items, joinItem{node: n})
}

func (g *joinGraph) attach(j *plan.Join) {
	at := len(g.items)
	for _, a := range j.Right.(plan.Resolved).Output() {
		g.owner[a.ID] = at
	}
	item := joinItem{node: j.Right, attached: j}
	if j.Condition != nil {
		item.needs = g.reads(j.Condition) &^ one(at)
	}
	if item.needs == 0 { // without columns of the left side it can be done on any part of it: on the first
		item.needs = one(0)
	}
	g.items = append(g.items, item)
}

func (g *joinGraph) add(conds []plan.Expr) {
	for _, c := range conds {
		g.conds = append(g.conds, joinCond{expr: c, reads: g.reads(c)})
	}
}

func (g *joinGraph) reads(e plan.Expr) set {
	var s set
	for id := range References(e) {
		if i, ok := g.owner[id]; ok {
			s |= one(i)
		}
	}
	return s
}
