package physical

import (
	"slices"

	"millrace/plan"
	"millrace/plan/optimize"
	planpb "millrace/proto/millrace/plan/v1"
)

// equi is a join's condition taken apart: pairs of keys, and the rest.
type equi struct {
	left, right []plan.Expr
	nullSafe    []bool
	residual    plan.Expr
}

func takeEqui(cond plan.Expr, left, right columnScope) equi {
	var e equi
	var rest []plan.Expr
	for _, c := range optimize.Conjuncts(cond) {
		call, ok := c.(*plan.Call)
		if !ok || call.Name != "=" && call.Name != "<=>" {
			rest = append(rest, c)
			continue
		}
		a, b := call.Args[0], call.Args[1]
		switch {
		case left.covers(a) && right.covers(b) && !constant(a) && !constant(b):
		case left.covers(b) && right.covers(a) && !constant(a) && !constant(b):
			a, b = b, a
		default:
			rest = append(rest, c)
			continue
		}
		e.left, e.right = append(e.left, a), append(e.right, b)
		e.nullSafe = append(e.nullSafe, call.Name == "<=>")
	}
	e.residual = optimize.And(rest)
	return e
}

func constant(e plan.Expr) bool { return len(optimize.References(e)) == 0 }

func (p *planner) join(n *plan.Join) (*part, error) {
	if t, err := p.reducedJoin(n); t != nil || err != nil {
		return t, err
	}
	if t, err := p.filteredJoin(n); t != nil || err != nil {
		return t, err
	}
	l, err := p.buildExactly(n.Left)
	if err != nil {
		return nil, err
	}
	r, err := p.buildExactly(n.Right)
	if err != nil {
		return nil, err
	}
	out := n.Output()
	e := takeEqui(n.Condition, scope(l.attrs), scope(r.attrs))
	if len(e.left) == 0 {
		return p.loopJoin(n, l, r, out)
	}
	return p.hashJoin(n, l, r, e)
}

func (p *planner) hashJoin(n *plan.Join, l, r *part, e equi) (*part, error) {
	leftKeys, rightKeys, err := keysOf(l, r, e)
	if err != nil {
		return nil, err
	}
	where := keyPlaces(n.Type, e)
	l, r, met := p.meet(n, l, r, leftKeys, rightKeys)
	t, err := p.joinOf(n, e, l, r, leftKeys, rightKeys, met.buildLeft)
	if err != nil {
		return nil, err
	}
	if met.hashed {
		t.hashed = where
	} else {
		t.hashed = met.stays.hashed
	}
	return t, nil
}

// keyPlaces are the sets of columns by whose values the rows of a join lie, where both inputs are hashed by its keys. The keys of a side
// that is filled with nulls tell nothing.
func keyPlaces(t plan.JoinType, e equi) (sets [][]plan.ID) {
	if ids := keyIDs(e.left); ids != nil && t != plan.RightJoin && t != plan.FullJoin {
		sets = append(sets, ids)
	}
	if ids := keyIDs(e.right); ids != nil && (t == plan.InnerJoin || t == plan.RightJoin) {
		sets = append(sets, ids)
	}
	return sets
}

// keyIDs are the columns of plain column keys, or nil.
func keyIDs(keys []plan.Expr) []plan.ID {
	var out []plan.ID
	for _, k := range keys {
		a, ok := k.(*plan.Attribute)
		if !ok {
			return nil
		}
		out = append(out, a.ID)
	}
	return out
}

// meeting is how the inputs of a join have met.
type meeting struct {
	buildLeft bool  // the table is built from the left side
	hashed    bool  // both sides are hashed by the keys
	stays     *part // else: the side whose rows stay in their tasks
}

// How the inputs of a join meet.
const (
	meetAlone  = iota // both are of one task
	meetRight         // all tasks are handed the right one
	meetLeft          // all tasks are handed the left one
	meetHashed        // both are hashed by their keys
)

// meets chooses.
func (p *planner) meets(n *plan.Join, l, r *part) int {
	mayLeft := n.Type == plan.InnerJoin || n.Type == plan.RightJoin
	mayRight := n.Type != plan.RightJoin && n.Type != plan.FullJoin
	switch {
	case l.tasks == 1 && r.tasks == 1 && (l.rows+r.rows <= float64(p.o.SmallRows)):
		return meetAlone
	case n.Type == plan.NullAwareAntiJoin, mayRight && (n.Hint == "BROADCAST_RIGHT" || p.small(r, l) && (!mayLeft || r.bytes <= l.bytes)):
		return meetRight
	case mayLeft && (n.Hint == "BROADCAST_LEFT" || p.small(l, r)):
		return meetLeft
	}
	return meetHashed
}

// meet brings the rows that may match into the same tasks: in one task, by broadcasting a small side, or by hashing both.
func (p *planner) meet(n *plan.Join, l, r *part, leftKeys, rightKeys []*planpb.Expr) (*part, *part, meeting) {
	mayLeft := n.Type == plan.InnerJoin || n.Type == plan.RightJoin
	switch p.meets(n, l, r) {
	case meetAlone:
		return l, r, meeting{buildLeft: mayLeft && l.bytes < r.bytes, stays: l}
	case meetRight:
		return l, p.broadcast(r, l.tasks), meeting{stays: l}
	case meetLeft:
		return p.broadcast(l, r.tasks), r, meeting{buildLeft: true, stays: r}
	}
	to := func(keys []*planpb.Expr) *planpb.Partitioning {
		return &planpb.Partitioning{Kind: planpb.Partitioning_HASH, Partitions: int32(p.o.ShufflePartitions), Exprs: keys}
	}
	met := meeting{buildLeft: mayLeft && l.bytes < r.bytes, hashed: true}
	return p.exchange(l, to(leftKeys), nil), p.exchange(r, to(rightKeys), nil), met
}

// largeBroadcast is how many times the threshold an input may have that is broadcast because the other side is so much larger.
const largeBroadcast = 16

// small reports whether an input of a join is handed to every task of the other: when it is below the threshold, or when every task's building a table
// of all of it is less work than moving both sides.
func (p *planner) small(t, other *part) bool {
	limit := float64(p.o.BroadcastBytes)
	return t.bytes <= limit || t.bytes <= largeBroadcast*limit && buildWork*t.rows*float64(other.tasks) < t.rows+other.rows
}

// buildWork is the work of handing a row to another task and adding it to a join's table, in rows moved.
const buildWork = 2

// broadcast gives every one of n tasks all rows of a part.
func (p *planner) broadcast(t *part, n int) *part {
	if n == 1 {
		return p.single(t, nil)
	}
	u := p.exchange(t, &planpb.Partitioning{Kind: planpb.Partitioning_BROADCAST, Partitions: int32(n)}, nil)
	u.tasks = n
	return u
}

func (p *planner) loopJoin(n *plan.Join, l, r *part, out []*plan.Attribute) (*part, error) {
	j := &planpb.LoopJoin{Type: planpb.JoinType(n.Type)}
	if n.Condition != nil {
		var err error
		if j.Condition, err = both(l.attrs, r.attrs).expr(n.Condition); err != nil {
			return nil, err
		}
	}
	if n.Type == plan.RightJoin || n.Type == plan.FullJoin {
		l = p.single(l, nil) // an unmatched right row must be seen by one task only
		r = p.single(r, nil)
	} else {
		r = p.broadcast(r, l.tasks)
	}
	return p.combine(l, r, out, &planpb.Operator{Kind: &planpb.Operator_LoopJoin{LoopJoin: j}}), nil
}

// combine puts an operator over two parts that run in the same tasks.
func (p *planner) combine(l, r *part, out []*plan.Attribute, o *planpb.Operator) *part {
	if !l.meets(r) { // both are of one task
		r = p.exchange(r, &planpb.Partitioning{Kind: planpb.Partitioning_SINGLE, Partitions: 1}, nil)
	}
	t := &part{attrs: out, tasks: max(l.tasks, r.tasks), rows: max(l.rows, r.rows), fixed: l.fixed || r.fixed}
	t.adopt(l)
	t.adopt(r)
	t.bytes = t.rows * RowBytes(out)
	t.inputs = append(t.inputs, l.inputs...)
	for _, in := range r.inputs {
		if !slices.Contains(t.inputs, in) {
			t.inputs = append(t.inputs, in)
		}
	}
	t.splits = mergeSplits(l.splits, r.splits)
	t.op = p.op(out, o)
	t.op.Children = []*planpb.Operator{l.op, r.op}
	return t
}

func mergeSplits(list ...map[uint32][][]*planpb.FileSplit) map[uint32][][]*planpb.FileSplit {
	all := map[uint32][][]*planpb.FileSplit{}
	for _, m := range list {
		for id, s := range m {
			all[id] = s
		}
	}
	return all
}
