package optimize

import (
	"math"
	"math/bits"

	"millrace/plan"
	"millrace/plan/estimate"
)

const (
	// maxExact is up to how many relations all orders of joins are compared; of more, the cheapest next join is taken again and again.
	maxExact = 9
	// maxRelations is how many relations of one tree are reordered at all.
	maxRelations = 40
)

// reorderJoins puts trees of joins into the order that is thought to handle the fewest rows.
func reorderJoins(n plan.Node, est *estimate.Estimator) (plan.Node, error) {
	if tree(n) {
		g := joinGraph{owner: map[plan.ID]int{}}
		g.takeApart(n)
		if len(g.items) > 2 && len(g.items) <= maxRelations {
			return reordered(n, &g, est)
		}
	}
	return reorderChildren(n, est)
}

func reorderChildren(n plan.Node, est *estimate.Estimator) (plan.Node, error) {
	old := n.Children()
	fresh := make([]plan.Node, len(old))
	changed := false
	for i, c := range old {
		m, err := reorderJoins(c, est)
		if err != nil {
			return nil, err
		}
		fresh[i], changed = m, changed || m != c
	}
	if !changed {
		return n, nil
	}
	return n.WithChildren(fresh), nil
}

// tree reports whether a node is the top of a tree of joins.
func tree(n plan.Node) bool {
	switch n := n.(type) {
	case *plan.Join:
		return reorderable(n)
	case *plan.Filter:
		j, ok := n.Input.(*plan.Join)
		return ok && deterministic(n.Condition) && reorderable(j)
	}
	return false
}

func reordered(n plan.Node, g *joinGraph, est *estimate.Estimator) (plan.Node, error) {
	for i := range g.items {
		it := &g.items[i]
		m, err := reorderJoins(it.node, est) // trees within
		if err != nil {
			return nil, err
		}
		it.node, it.rel = m, est.Of(m)
	}
	g.inferEqualities()
	for i := range g.items {
		g.items[i].rel = g.used(g.items[i].rel)
	}
	o := ordering{g: g, est: est, done: map[set]*ordered{}}
	best := o.best()
	out := n.(plan.Resolved).Output()
	cols := make([]plan.Expr, len(out))
	for i, a := range out {
		cols[i] = a
	}
	return exactly(o.node(best), cols), nil
}

// ordered is the best way that was found to join a set of items: a relation, a join of two, or an attached join over one.
type ordered struct {
	items    set
	leaf     plan.Node // of one relation
	l, r     *ordered
	attached int // the item, where r and leaf are nil
	rel      *estimate.Relation
	cost     float64
}

type ordering struct {
	g    *joinGraph
	est  *estimate.Estimator
	done map[set]*ordered
}

// best joins all items.
func (o *ordering) best() *ordered {
	var parts []*ordered
	for i, it := range o.g.items {
		if it.attached == nil {
			parts = append(parts, o.single(i))
		}
	}
	if len(o.g.items) <= maxExact {
		if best := o.exact(); best != nil {
			return best
		}
	}
	return o.greedy(parts)
}

// single is one relation with the conditions that read nothing else.
func (o *ordering) single(i int) *ordered {
	it := o.g.items[i]
	node, rel := it.node, it.rel
	if conds := o.g.between(0, one(i)); len(conds) > 0 {
		node = filterOver(node, conds)
		rel = o.est.Of(node)
	}
	return &ordered{items: one(i), leaf: node, rel: o.g.used(rel)}
}

// exact finds the cheapest of all trees, also bushy ones.
func (o *ordering) exact() *ordered {
	n := len(o.g.items)
	for i, it := range o.g.items {
		if it.attached == nil {
			o.done[one(i)] = o.single(i)
		}
	}
	all := set(1)<<n - 1
	for s := set(1); s <= all; s++ {
		if bits.OnesCount64(uint64(s)) < 2 {
			continue
		}
		var best *ordered
		for pass := 0; pass < 2 && best == nil; pass++ { // products only where there is nothing else
			for left := (s - 1) & s; left > 0; left = (left - 1) & s {
				if c := o.join(left, s&^left, pass == 1); c != nil && (best == nil || c.cost < best.cost) {
					best = c
				}
			}
		}
		if best != nil {
			o.done[s] = best
		}
	}
	return o.done[all]
}

// join is the join of two sets that were done, without its node; nil where there is none.
func (o *ordering) join(left, right set, product bool) *ordered {
	if o.g.attached(right) {
		if l := o.done[left]; l != nil {
			return o.attach(l, bits.TrailingZeros64(uint64(right)))
		}
		return nil
	}
	l, r := o.done[left], o.done[right]
	if l == nil || r == nil || left < right {
		return nil // the other way round is the same join
	}
	return o.pair(l, r, product)
}

// pair is the inner join of two parts.
func (o *ordering) pair(l, r *ordered, product bool) *ordered {
	conds := o.g.between(l.items, r.items)
	connected := false
	for _, c := range conds {
		connected = connected || isEquality(c)
	}
	if !connected && !product {
		return nil
	}
	c := &ordered{items: l.items | r.items, l: l, r: r, cost: l.cost + r.cost}
	c.rel = estimate.Join(plan.InnerJoin, l.rel, r.rel, And(conds))
	build, probe := math.Min(l.rel.Rows, r.rel.Rows), math.Max(l.rel.Rows, r.rel.Rows)
	c.cost += joinCost(build, probe, c.rel.Rows)
	if !connected {
		c.cost += build * probe
	}
	return c
}

// joinCost is the work of a hash join in units of a probed row.
func joinCost(build, probe, out float64) float64 {
	cost := 2*build + probe + out
	if build > largeBuild { // both sides have to be moved
		cost += build + probe
	}
	return cost
}

// largeBuild is how many rows of a build side are no longer handed to all tasks.
const largeBuild = 500_000

// attach does a semi, anti or left join on top of a part.
func (o *ordering) attach(l *ordered, i int) *ordered {
	it := &o.g.items[i]
	if !l.items.contains(it.needs) {
		return nil
	}
	c := &ordered{items: l.items | one(i), l: l, attached: i, rel: estimate.Join(it.attached.Type, l.rel, it.rel, it.attached.Condition)}
	c.cost = l.cost + joinCost(math.Min(it.rel.Rows, l.rel.Rows), math.Max(it.rel.Rows, l.rel.Rows), c.rel.Rows)
	for _, e := range o.g.between(l.items, one(i)) {
		c.rel = estimate.Filter(c.rel, e)
	}
	return c
}

// node makes the plan of what was chosen. The larger side of a join comes first, as the one that is probed.
func (o *ordering) node(c *ordered) plan.Node {
	if c.leaf != nil {
		return c.leaf
	}
	if c.r == nil {
		it := &o.g.items[c.attached]
		j := *it.attached
		j.Left, j.Right = o.node(c.l), it.node
		return filterOver(&j, o.g.between(c.l.items, one(c.attached)))
	}
	l, r := c.l, c.r
	if l.rel.Rows < r.rel.Rows {
		l, r = r, l
	}
	conds := o.g.between(l.items, r.items)
	t := plan.InnerJoin
	if len(conds) == 0 {
		t = plan.CrossJoin
	}
	return &plan.Join{Left: o.node(l), Right: o.node(r), Type: t, Condition: And(conds)}
}

// greedy joins the two parts whose join costs least until one is left; attached joins are done as soon as they can be if they leave fewer rows.
func (o *ordering) greedy(parts []*ordered) *ordered {
	attached := map[int]bool{}
	for i, it := range o.g.items {
		if it.attached != nil {
			attached[i] = true
		}
	}
	for {
		for k := range parts {
			parts[k] = o.attachAll(parts[k], attached, len(parts) == 1)
		}
		if len(parts) == 1 {
			return parts[0]
		}
		a, b, best := -1, -1, (*ordered)(nil)
		for pass := 0; pass < 2 && best == nil; pass++ {
			for i := range parts {
				for k := range i {
					if c := o.pair(parts[i], parts[k], pass == 1); c != nil && (best == nil || c.cost-parts[i].cost-parts[k].cost < best.cost-parts[a].cost-parts[b].cost) {
						a, b, best = i, k, c
					}
				}
			}
		}
		parts[b] = best
		parts = append(parts[:a], parts[a+1:]...)
	}
}

// attachAll does the attached joins for which a part has the columns; those that keep all rows only at the end.
func (o *ordering) attachAll(p *ordered, attached map[int]bool, last bool) *ordered {
	for again := true; again; {
		again = false
		for i := range o.g.items {
			it := &o.g.items[i]
			if !attached[i] || !p.items.contains(it.needs) || !last && it.attached.Type == plan.LeftJoin {
				continue
			}
			p, again = o.attach(p, i), true
			delete(attached, i)
		}
	}
	return p
}

func isEquality(e plan.Expr) bool {
	c, ok := e.(*plan.Call)
	return ok && (c.Name == "=" || c.Name == "<=>")
}

// between are the conditions that can be judged once l and r are together and could not before; of equalities that follow from each other just one.
// Those on the right side of an attached join alone could not: they judge the rows that the join makes.
func (g *joinGraph) between(l, r set) []plan.Expr {
	var out []plan.Expr
	var classes set
	before := l != 0 && !g.attached(r)
	for _, c := range g.conds {
		if !(l | r).contains(c.reads) || l != 0 && l.contains(c.reads) || before && r.contains(c.reads) {
			continue
		}
		if c.class > 0 && classes.has(c.class) {
			continue
		}
		if c.class > 0 {
			classes |= one(c.class)
		}
		out = append(out, c.expr)
	}
	return out
}

func (g *joinGraph) attached(s set) bool {
	return bits.OnesCount64(uint64(s)) == 1 && g.items[bits.TrailingZeros64(uint64(s))].attached != nil
}

// used is a guess about a relation without the columns that no condition reads.
func (g *joinGraph) used(r *estimate.Relation) *estimate.Relation {
	if g.read == nil {
		g.read = idSet{}
		for _, c := range g.conds {
			g.read.add(c.expr)
		}
		for _, it := range g.items {
			if it.attached != nil && it.attached.Condition != nil {
				g.read.add(it.attached.Condition)
			}
		}
	}
	out := &estimate.Relation{Rows: r.Rows, Columns: map[plan.ID]estimate.Column{}}
	for id, c := range r.Columns {
		if g.read[id] {
			out.Columns[id] = c
		}
	}
	return out
}
