package physical

import (
	"slices"

	"millrace/plan"
	"millrace/plan/estimate"
	"millrace/plan/optimize"
	planpb "millrace/proto/millrace/plan/v1"
)

// reducedNode is a relation of which only the rows matter whose keys equal those of some row of a stage's output, which is handed to all tasks. It
// stands in no logical plan: a join puts it below the aggregation, or the exchange, of its larger side.
type reducedNode struct {
	plan.Node // the relation
	by        *reducer
	on        []plan.Expr
}

// reducer is the small side of a join, as a broadcast stage, or the filters made of a larger one.
type reducer struct {
	stage    uint32
	attrs    []*plan.Attribute
	keys     []plan.Expr // of the side
	rel      *estimate.Relation
	filter   bool // the stage makes filters
	nullSafe []bool
}

func (r *reducedNode) Children() []plan.Node { return []plan.Node{r.Node} }
func (r *reducedNode) WithChildren(c []plan.Node) plan.Node {
	return &reducedNode{c[0], r.by, r.on}
}

// Output implements plan.Resolved.
func (r *reducedNode) Output() []*plan.Attribute { return r.Node.(plan.Resolved).Output() }

const (
	// reduceShare is how many times the rows of the small side the large one must have.
	reduceShare = 8
	// aloneRows is up to how many rows of a reduced join are joined by one task.
	aloneRows = 200_000
)

// reducedJoin builds a join whose one side is small and whose other one has to be aggregated or moved before they can meet: the small side is made
// first and handed to the tasks that scan the large one, which leave out what will not match. Nil where that does not pay.
func (p *planner) reducedJoin(n *plan.Join) (*part, error) {
	e := takeEqui(n.Condition, scope(n.Left.(plan.Resolved).Output()), scope(n.Right.(plan.Resolved).Output()))
	left, right, ok := plainKeys(e)
	if !ok || n.Hint != "" || p.o.BroadcastBytes <= 0 {
		return nil, nil
	}
	switch n.Type {
	case plan.SemiJoin, plan.AntiJoin:
		if p.reduces(n.Left, n.Right) {
			return p.reducedSemi(n, e, left, right)
		}
	case plan.InnerJoin:
		if belowAggregate(n.Right, right) && p.reduces(n.Left, n.Right) {
			return p.reducedInner(n, e, n.Left, n.Right, left, right)
		}
		if belowAggregate(n.Left, left) && p.reduces(n.Right, n.Left) {
			return p.reducedInner(n, e, n.Right, n.Left, right, left)
		}
	}
	return nil, nil
}

// plainKeys are the keys of a join by equality of columns of one type.
func plainKeys(e equi) (left, right []plan.Expr, ok bool) {
	for i := range e.left {
		a, okA := e.left[i].(*plan.Attribute)
		b, okB := e.right[i].(*plan.Attribute)
		if !okA || !okB || e.nullSafe[i] || !a.T.SameData(b.T) {
			return nil, nil, false
		}
		left, right = append(left, a), append(right, b)
	}
	return left, right, len(left) > 0
}

// reduces reports whether the rows of small are few beside those that large reads, and those that every task is handed if they are above the threshold.
func (p *planner) reduces(small, large plan.Node) bool {
	rows, limit, read := p.est.Of(small).Rows, float64(p.o.BroadcastBytes), p.read(large)
	bytes := rows * RowBytes(small.(plan.Resolved).Output())
	return read > float64(p.o.SmallRows) && read > reduceShare*rows &&
		(bytes <= limit || bytes <= largeBroadcast*limit && read > reduceShare*rows*float64(p.o.Cores))
}

// read is the most rows that a relation below is thought to have.
func (p *planner) read(n plan.Node) float64 {
	most := p.est.Of(n).Rows
	for _, c := range n.Children() {
		most = max(most, p.read(c))
	}
	return most
}

// hand makes a part's rows a stage's output that every task reads which wants to.
func (p *planner) hand(t *part, keys []plan.Expr, rel *estimate.Relation) *reducer {
	stage := p.share(t, &planpb.Partitioning{Kind: planpb.Partitioning_BROADCAST, Partitions: int32(p.o.Cores)})
	return &reducer{stage: stage, attrs: t.attrs, keys: keys, rel: rel}
}

// source reads the small side in so many tasks.
func (p *planner) source(r *reducer, tasks int) *part {
	return &part{attrs: r.attrs, tasks: tasks, inputs: []uint32{r.stage}, rows: r.rel.Rows, bytes: r.rel.Rows * RowBytes(r.attrs),
		op: p.op(r.attrs, &planpb.Operator{Kind: &planpb.Operator_ExchangeSource{ExchangeSource: &planpb.ExchangeSource{Stage: r.stage}}})}
}

// reducedSemi joins a small left side, each of whose rows must be seen by one task only, with what is left of the right one.
func (p *planner) reducedSemi(n *plan.Join, e equi, left, right []plan.Expr) (*part, error) {
	l, err := p.build(n.Left)
	if err != nil {
		return nil, err
	}
	by := p.hand(l, left, p.est.Of(n.Left))
	r, err := p.build(p.reduce(n.Right, right, by))
	if err != nil {
		return nil, err
	}
	l = p.source(by, 1)
	leftKeys, rightKeys, err := keysOf(l, r, e)
	if err != nil {
		return nil, err
	}
	where := keyPlaces(n.Type, e)
	if l.rows+r.rows <= aloneRows {
		l, r, where = p.single(l, nil), p.single(r, nil), nil
	} else {
		to := func(keys []*planpb.Expr) *planpb.Partitioning {
			return &planpb.Partitioning{Kind: planpb.Partitioning_HASH, Partitions: int32(p.o.ShufflePartitions), Exprs: keys}
		}
		l, r = p.exchange(l, to(leftKeys), nil), p.exchange(r, to(rightKeys), nil)
	}
	t, err := p.joinOf(n, e, l, r, leftKeys, rightKeys, false)
	if err == nil {
		t.hashed = where
	}
	return t, err
}

// reducedInner joins a small side with an aggregation of those rows alone that match it.
func (p *planner) reducedInner(n *plan.Join, e equi, small, large plan.Node, smallKeys, largeKeys []plan.Expr) (*part, error) {
	s, err := p.build(small)
	if err != nil {
		return nil, err
	}
	by := p.hand(s, smallKeys, p.est.Of(small))
	l, err := p.build(p.reduce(large, largeKeys, by))
	if err != nil {
		return nil, err
	}
	s = p.source(by, l.tasks)
	a, b := s, l
	if small == n.Right {
		a, b = l, s
	}
	leftKeys, rightKeys, err := keysOf(a, b, e)
	if err != nil {
		return nil, err
	}
	t, err := p.joinOf(n, e, a, b, leftKeys, rightKeys, small == n.Left)
	if err == nil {
		t.hashed = l.hashed
	}
	return t, err
}

func keysOf(l, r *part, e equi) (left, right []*planpb.Expr, err error) {
	if left, err = scope(l.attrs).exprs(e.left); err != nil {
		return nil, nil, err
	}
	right, err = scope(r.attrs).exprs(e.right)
	return left, right, err
}

// joinOf joins parts that have met.
func (p *planner) joinOf(n *plan.Join, e equi, l, r *part, leftKeys, rightKeys []*planpb.Expr, buildLeft bool) (*part, error) {
	j := &planpb.HashJoin{Type: planpb.JoinType(n.Type), LeftKeys: leftKeys, RightKeys: rightKeys, NullSafe: e.nullSafe, BuildLeft: buildLeft}
	if e.residual != nil {
		var err error
		if j.Residual, err = both(l.attrs, r.attrs).expr(e.residual); err != nil {
			return nil, err
		}
	}
	return p.combine(l, r, n.Output(), &planpb.Operator{Kind: &planpb.Operator_HashJoin{HashJoin: j}}), nil
}

// reduce puts a reducer as far down in a relation as its columns go.
func (p *planner) reduce(n plan.Node, on []plan.Expr, by *reducer) plan.Node {
	switch m := n.(type) {
	case *plan.Project:
		if below := sources(m.Exprs, on); below != nil && settled(m.Exprs...) {
			return m.WithChildren([]plan.Node{p.reduce(m.Input, below, by)})
		}
	case *plan.Filter:
		if _, ok := m.Input.(*plan.Scan); !ok && settled(m.Condition) {
			return m.WithChildren([]plan.Node{p.reduce(m.Input, on, by)})
		}
	case *plan.Aggregate:
		if below := grouped(m, on); below != nil && !(by.filter && p.stays(m, m.Input)) {
			return m.WithChildren([]plan.Node{p.reduce(m.Input, below, by)})
		}
	case *plan.Join:
		left, right := m.Left.(plan.Resolved).Output(), m.Right.(plan.Resolved).Output()
		switch {
		case m.Condition != nil && !settled(m.Condition):
		case has(left, on) && m.Type != plan.RightJoin && m.Type != plan.FullJoin && !(by.filter && p.stays(m, m.Left)):
			return m.WithChildren([]plan.Node{p.reduce(m.Left, on, by), m.Right})
		case has(right, on) && (m.Type == plan.InnerJoin || m.Type == plan.RightJoin) && !(by.filter && p.stays(m, m.Right)):
			return m.WithChildren([]plan.Node{m.Left, p.reduce(m.Right, on, by)})
		}
	}
	r := &reducedNode{n, by, on}
	p.est.Set(r, estimate.Join(plan.SemiJoin, p.est.Of(n), by.rel, equalities(on, by.keys)))
	return r
}

func equalities(left, right []plan.Expr) plan.Expr {
	var all plan.Expr
	for i := range left {
		var e plan.Expr = &plan.Call{Name: "=", Args: []plan.Expr{left[i], right[i]}}
		if all != nil {
			e = &plan.Call{Name: "and", Args: []plan.Expr{all, e}}
		}
		all = e
	}
	return all
}

// belowAggregate reports whether a reducer on these columns would reach below an aggregation.
func belowAggregate(n plan.Node, on []plan.Expr) bool {
	switch m := n.(type) {
	case *plan.Project:
		below := sources(m.Exprs, on)
		return below != nil && settled(m.Exprs...) && belowAggregate(m.Input, below)
	case *plan.Filter:
		return settled(m.Condition) && belowAggregate(m.Input, on)
	case *plan.Aggregate:
		return grouped(m, on) != nil
	}
	return false
}

// grouped are keys above an aggregation as they are below it; nil where one is of other columns than groups.
func grouped(a *plan.Aggregate, on []plan.Expr) []plan.Expr {
	if a.Sets != nil {
		return nil
	}
	below := sources(a.Exprs, on)
	for _, k := range below {
		for c := range optimize.References(k) {
			if !slices.ContainsFunc(a.Groups, func(g plan.Expr) bool { at, ok := g.(*plan.Attribute); return ok && at.ID == c }) {
				return nil
			}
		}
	}
	return below
}

// sources are keys above a projection as they are below it; nil where one is of a column that is computed, otherwise than by making its type wider.
func sources(exprs []plan.Expr, on []plan.Expr) []plan.Expr {
	from := map[plan.ID]plan.Expr{}
	for _, e := range exprs {
		switch e := e.(type) {
		case *plan.Attribute:
			from[e.ID] = e
		case *plan.Alias:
			if widened(e.Child) {
				from[e.ID] = e.Child
			}
		}
	}
	out, known := make([]plan.Expr, len(on)), true
	for i, k := range on {
		out[i], _ = plan.TransformExpr(k, func(e plan.Expr) (plan.Expr, error) {
			a, ok := e.(*plan.Attribute)
			if !ok {
				return e, nil
			}
			if below := from[a.ID]; below != nil {
				return below, nil
			}
			known = false
			return e, nil
		})
	}
	if !known {
		return nil
	}
	return out
}

// settled reports whether expressions give the same for a row whatever other rows there are.
func settled(exprs ...plan.Expr) bool {
	ok := true
	for _, e := range exprs {
		plan.WalkExpr(e, func(e plan.Expr) bool {
			if c, is := e.(*plan.Call); is && c.Nondetermined {
				ok = false
			}
			return ok
		})
	}
	return ok
}

func has(attrs []*plan.Attribute, on []plan.Expr) bool {
	s := scope(attrs)
	return !slices.ContainsFunc(on, func(e plan.Expr) bool { return !s.covers(e) })
}

// reducedScan builds a reduced relation: a semi join with what all tasks were handed.
func (p *planner) reducedScan(n *reducedNode) (*part, error) {
	if n.by.filter {
		return p.filterScan(n)
	}
	t, err := p.build(n.Node)
	if err != nil {
		return nil, err
	}
	s := p.source(n.by, t.tasks)
	j := &planpb.HashJoin{Type: planpb.JoinType_LEFT_SEMI, NullSafe: make([]bool, len(n.on))}
	mine, theirs := scope(t.attrs), scope(s.attrs)
	for i := range n.on {
		l, err := mine.expr(n.on[i])
		if err != nil {
			return nil, err
		}
		r, err := theirs.expr(n.by.keys[i])
		if err != nil {
			return nil, err
		}
		j.LeftKeys, j.RightKeys = append(j.LeftKeys, l), append(j.RightKeys, r)
	}
	hashed := t.hashed
	u := p.combine(t, s, t.attrs, &planpb.Operator{Kind: &planpb.Operator_HashJoin{HashJoin: j}})
	u.hashed = hashed
	return u, nil
}
