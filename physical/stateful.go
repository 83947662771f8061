package physical

import (
	"millrace/errs"
	"millrace/plan"
	"millrace/planconv"
	planpb "millrace/proto/millrace/plan/v1"
)

// statefulAggregate groups the new rows where they are, sends the groups to the partitions of the state, and merges them there.
func (p *planner) statefulAggregate(n *plan.StatefulAggregate) (*part, error) {
	if n.State.Partitions < 1 || len(n.Groups) == 0 && n.State.Partitions != 1 {
		return nil, errs.Newf(errs.Internal, "a state of %d partitions for %d keys", n.State.Partitions, len(n.Groups))
	}
	t, err := p.build(n.Input)
	if err != nil {
		return nil, err
	}
	g, err := p.takeApart(&plan.Aggregate{Groups: n.Groups, Exprs: n.Exprs}, t)
	if err != nil {
		return nil, err
	}
	if len(g.keys) != len(n.Groups) {
		return nil, errs.Unsupportedf("A streaming aggregation that groups twice by the same expression is not supported.")
	}
	for _, c := range g.logical {
		if c.Distinct {
			return nil, errs.Unsupportedf("A streaming aggregation of distinct values is not supported.")
		}
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
	to := &planpb.Partitioning{Kind: planpb.Partitioning_HASH, Partitions: int32(n.State.Partitions), Exprs: keys}
	if n.State.Partitions == 1 {
		to = &planpb.Partitioning{Kind: planpb.Partitioning_SINGLE, Partitions: 1}
	}
	t = p.exchange(t, to, nil)
	t.hashed = [][]plan.ID{ids(g.keyAttrs)}
	out := append(append([]*plan.Attribute(nil), g.keyAttrs...), g.aggAttrs...)
	over := &planpb.HashAggregate{Mode: planpb.HashAggregate_FINAL, Groups: keys, Aggregates: g.calls}
	t.wrap(p.op(out, &planpb.Operator{Kind: &planpb.Operator_StatefulAggregate{StatefulAggregate: &planpb.StatefulAggregate{Aggregate: over,
		Store: storePB(n.State), Mode: planpb.StatefulAggregate_OutputMode(n.Mode), Time: uint32(n.Time), Late: n.Late, Evict: n.Evict}}}), out)
	return t, p.projectOver(t, g.results)
}

func storePB(s plan.StateStore) *planpb.StateStore {
	return &planpb.StateStore{Location: s.Location, Query: s.Query, Run: s.Run, Operator: int32(s.Operator), Version: s.Version,
		Partitions: int32(s.Partitions), SnapshotEvery: int32(s.SnapshotEvery), Retain: int32(s.Retain), Input: s.Input}
}

// watermark looks at the event times that pass; in a query without a stream nobody asks for them.
func (p *planner) watermark(n *plan.Watermark) (*part, error) {
	t, err := p.build(n.Input)
	if err != nil || n.Operator == 0 {
		return t, err
	}
	pb, err := scope(t.attrs).expr(n.Column)
	if err != nil {
		return nil, err
	}
	c, ok := pb.Kind.(*planpb.Expr_Column)
	if !ok {
		return nil, errs.Newf(errs.Internal, "a watermark on an expression")
	}
	t.wrap(p.op(t.attrs, &planpb.Operator{Kind: &planpb.Operator_Watermark{Watermark: &planpb.Watermark{Column: c.Column, Operator: uint32(n.Operator)}}}), t.attrs)
	return t, nil
}

// mayStop reports whether a plan has stateful operators below one that may end without having read all of its input. Such a plan
// runs stage after stage: run all at once, the end of the last stage would cancel tasks that have not saved their state.
func mayStop(n plan.Node) bool {
	found := false
	plan.Walk(n, func(n plan.Node) bool {
		switch n.(type) {
		case *plan.Limit, *plan.Join:
			found = found || hasState(n)
		}
		return !found
	})
	return found
}

func hasState(n plan.Node) bool {
	found := false
	plan.Walk(n, func(n plan.Node) bool {
		if _, ok := n.(*plan.StatefulAggregate); ok {
			found = true
		}
		return !found
	})
	return found
}
