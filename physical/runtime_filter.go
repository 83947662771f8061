package physical

import (
	"math/bits"

	"millrace/plan"
	"millrace/plan/estimate"
	"millrace/plan/fn"
	"millrace/plan/optimize"
	planpb "millrace/proto/millrace/plan/v1"
	"millrace/types"
)

// The work that a runtime filter makes, in rows moved through an exchange and looked up in a join's table, which is what it spares.
const (
	filterAdd   = 0.6  // a row of whose keys the filter is made
	filterProbe = 0.2  // a row whose keys are looked up in it
	unknownKept = 0.3  // the share of rows that match where nothing is known of the keys: a filter that keeps more is given up while it runs
	filterGain  = 0.45 // the share of the unfiltered join's work that it has to spare after its own
)

const (
	bloomBitsPerKey = 16
	fewBitsPerKey   = 4 // a filter with fewer tells too little
	// MaxBloomBits is up to how many bits a filter has where the session does not say.
	MaxBloomBits = 64 << 20
)

// filterSide is a side of a join as a runtime filter sees it.
type filterSide struct {
	node plan.Node
	all  []plan.Expr // the join's keys
	keys []plan.Expr // those of them that a filter is made of
}

// filteredJoin builds a join of two sides that are both moved, one of which tells the tasks that scan the other which keys it has: when its rows lie in
// the exchange, one more stage reads them there and makes the filter for which those tasks wait. Nil where that does not pay.
func (p *planner) filteredJoin(n *plan.Join) (*part, error) {
	e := takeEqui(n.Condition, scope(n.Left.(plan.Resolved).Output()), scope(n.Right.(plan.Resolved).Output()))
	l, r, nullSafe := filterSides(n, e)
	if len(l.keys) == 0 || n.Hint != "" || p.o.BloomBits <= 0 || p.meets(n, p.guess(n.Left), p.guess(n.Right)) != meetHashed {
		return nil, nil
	}
	narrowsRight, narrowsLeft := 0.0, 0.0
	if n.Type != plan.RightJoin && n.Type != plan.FullJoin && n.Type != plan.NullAwareAntiJoin {
		narrowsRight = p.filterGain(l, r)
	}
	if n.Type == plan.InnerJoin || n.Type == plan.RightJoin || n.Type == plan.SemiJoin {
		narrowsLeft = p.filterGain(r, l)
	}
	var left, right *part
	var err error
	switch {
	case narrowsRight <= 0 && narrowsLeft <= 0:
		return nil, nil
	case narrowsRight > narrowsLeft:
		left, right, err = p.filtered(l, r, nullSafe)
	default:
		right, left, err = p.filtered(r, l, nullSafe)
	}
	if err != nil {
		return nil, err
	}
	leftKeys, rightKeys, err := keysOf(left, right, e)
	if err != nil {
		return nil, err
	}
	t, err := p.joinOf(n, e, left, right, leftKeys, rightKeys, (n.Type == plan.InnerJoin || n.Type == plan.RightJoin) && left.bytes < right.bytes)
	if err == nil {
		t.hashed = keyPlaces(n.Type, e)
	}
	return t, err
}

// filterSides are the sides of a join, with the keys that can be computed in the midst of a side without an error that there would not be.
func filterSides(n *plan.Join, e equi) (l, r filterSide, nullSafe []bool) {
	l, r = filterSide{node: n.Left, all: e.left}, filterSide{node: n.Right, all: e.right}
	for i := range e.left {
		if a, b := plan.TypeOf(e.left[i]), plan.TypeOf(e.right[i]); widened(e.left[i]) && widened(e.right[i]) && a.SameData(b) && filterable(a) {
			l.keys, r.keys = append(l.keys, e.left[i]), append(r.keys, e.right[i])
			nullSafe = append(nullSafe, e.nullSafe[i])
		}
	}
	return l, r, nullSafe
}

// widened reports whether an expression is a column, perhaps cast to a type that has all of its values.
func widened(e plan.Expr) bool {
	switch e := e.(type) {
	case *plan.Attribute:
		return true
	case *plan.Cast:
		from := plan.TypeOf(e.Child)
		return from.IsNumeric() && e.To.IsNumeric() && fn.CanUpCast(from, e.To) && widened(e.Child)
	}
	return false
}

func filterable(t *types.Type) bool {
	return !t.IsNested() && t.Kind != types.KindVariant && t.Kind != types.KindNull && t.Kind != types.KindUDT
}

// guess is what a relation's part will be like.
func (p *planner) guess(n plan.Node) *part {
	rows := p.est.Of(n).Rows
	return &part{rows: rows, bytes: rows * RowBytes(n.(plan.Resolved).Output()), tasks: p.partitions(rows)}
}

// filterGain is how much work is spared, after its own, by a filter that one side of a join makes for the other; 0 where that is too little.
func (p *planner) filterGain(from, to filterSide) float64 {
	f, t := p.est.Of(from.node), p.est.Of(to.node)
	kept := estimate.Join(plan.SemiJoin, t, f, equalities(to.keys, from.keys)).Rows
	if !counted(f, from.keys) || !counted(t, to.keys) { // then one side may refer to the other, of which filters have left so much
		kept = t.Rows * min(unknownKept, f.Rows/p.read(from.node))
	}
	spared := t.Rows - kept
	gain := spared - filterAdd*f.Rows - filterProbe*t.Rows
	if spared < float64(p.o.SmallRows) || gain < filterGain*(f.Rows+t.Rows) || fewBitsPerKey*filterKeys(f, from.keys) > float64(p.o.BloomBits) {
		return 0
	}
	return gain
}

// counted reports whether it is known how many different values the columns of keys have.
func counted(r *estimate.Relation, keys []plan.Expr) bool {
	for _, k := range keys {
		for id := range optimize.References(k) {
			if r.Columns[id].Distinct == 0 {
				return false
			}
		}
	}
	return true
}

// filterKeys is how many different keys a relation may have.
func filterKeys(r *estimate.Relation, keys []plan.Expr) float64 {
	if a, ok := keys[0].(*plan.Attribute); ok && len(keys) == 1 && r.Columns[a.ID].Distinct > 0 {
		return min(r.Rows, r.Columns[a.ID].Distinct)
	}
	return r.Rows
}

// filtered builds both sides, moved to where they meet, the second one narrowed by what the first one has.
func (p *planner) filtered(from, to filterSide, nullSafe []bool) (f, t *part, err error) {
	move := func(n plan.Node, keys []plan.Expr) (*part, error) {
		t, err := p.buildExactly(n)
		if err != nil {
			return nil, err
		}
		exprs, err := scope(t.attrs).exprs(keys)
		if err != nil {
			return nil, err
		}
		return p.exchange(t, &planpb.Partitioning{Kind: planpb.Partitioning_HASH, Partitions: int32(p.o.ShufflePartitions), Exprs: exprs}, nil), nil
	}
	if f, err = move(from.node, from.all); err != nil {
		return nil, nil, err
	}
	by, err := p.bloom(f, from.keys, nullSafe, p.est.Of(from.node))
	if err != nil {
		return nil, nil, err
	}
	t, err = move(p.reduce(to.node, to.keys, by), to.all)
	return f, t, err
}

// bloom makes a stage that reads again what a part reads from an exchange, and makes a filter of its keys.
func (p *planner) bloom(of *part, keys []plan.Expr, nullSafe []bool, rel *estimate.Relation) (*reducer, error) {
	exprs, err := scope(of.attrs).exprs(keys)
	if err != nil {
		return nil, err
	}
	attrs := []*plan.Attribute{p.fresh(plan.Attribute{Name: "kind", T: types.Integer}), p.fresh(plan.Attribute{Name: "filter", T: types.Binary, Null: true})}
	for _, k := range keys {
		attrs = append(attrs, p.fresh(plan.Attribute{Name: "key", T: plan.TypeOf(k), Null: true}))
	}
	size := min(float64(p.o.BloomBits), max(1<<16, bloomBitsPerKey*filterKeys(rel, keys)))
	t := p.source(&reducer{stage: of.inputs[0], attrs: of.attrs, rel: rel}, of.tasks)
	t.wrap(p.op(attrs, &planpb.Operator{Kind: &planpb.Operator_BloomFilter{BloomFilter: &planpb.BloomFilter{Keys: exprs, NullSafe: nullSafe,
		Bits: 1 << (bits.Len64(uint64(size)) - 1)}}}), attrs)
	by := p.hand(t, keys, rel)
	by.filter, by.nullSafe = true, nullSafe
	return by, nil
}

// filterScan builds a relation whose rows a runtime filter judges.
func (p *planner) filterScan(n *reducedNode) (*part, error) {
	t, err := p.build(n.Node)
	if err != nil {
		return nil, err
	}
	exprs, err := scope(t.attrs).exprs(n.on)
	if err != nil {
		return nil, err
	}
	hashed := t.hashed
	u := p.combine(t, p.source(n.by, t.tasks), t.attrs, &planpb.Operator{Kind: &planpb.Operator_RuntimeFilter{RuntimeFilter: &planpb.RuntimeFilter{
		Keys: exprs, NullSafe: n.by.nullSafe}}})
	u.hashed = hashed
	return u, nil
}

// stays reports whether a filter is applied above a relation rather than further down: because the relation is there twice and made once, or since a join
// that moves nothing leaves few of the rows.
func (p *planner) stays(n plan.Node, below plan.Node) bool {
	if p.repeated[n] {
		return true
	}
	j, ok := n.(*plan.Join)
	return ok && p.est.Of(below).Rows > 2*p.est.Of(n).Rows && p.meets(j, p.guess(j.Left), p.guess(j.Right)) != meetHashed
}

// repeats are the joins and aggregations that stand in a plan more than once.
func repeats(root plan.Node) map[plan.Node]bool {
	prints := plan.NewFingerprints(plan.Table.Name)
	by := map[string][]plan.Node{}
	plan.Walk(root, func(n plan.Node) bool {
		switch n.(type) {
		case *plan.Join, *plan.Aggregate:
			if print := prints.Of(n); print != "" {
				by[print] = append(by[print], n)
			}
		}
		return true
	})
	out := map[plan.Node]bool{}
	for _, list := range by {
		for _, n := range list {
			if len(list) > 1 {
				out[n] = true
			}
		}
	}
	return out
}
