package physical

import (
	"millrace/errs"
	"millrace/plan"
	planpb "millrace/proto/millrace/plan/v1"
)

// sort orders each task's rows and, for a global order, merges the tasks.
func (p *planner) sort(n *plan.Sort) (*part, error) {
	t, err := p.build(n.Input)
	if err != nil {
		return nil, err
	}
	keys, err := scope(t.attrs).sortKeys(n.Keys)
	if err != nil {
		return nil, err
	}
	t.wrap(p.op(t.attrs, &planpb.Operator{Kind: &planpb.Operator_Sort{Sort: &planpb.Sort{Keys: keys}}}), t.attrs)
	if n.Local {
		return t, nil
	}
	return p.single(t, keys), nil
}

func (p *planner) limit(n *plan.Limit) (*part, error) {
	count, offset, err := bounds(n)
	if err != nil {
		return nil, err
	}
	if s, above := sortBelow(n.Input); s != nil && count >= 0 {
		return p.topN(s, above, count, offset)
	}
	t, err := p.build(n.Input)
	if err != nil {
		return nil, err
	}
	if t.tasks > 1 && count >= 0 {
		p.limitOver(t, count+offset, 0)
	}
	t = p.single(t, nil)
	p.limitOver(t, count, offset)
	return t, nil
}

func (p *planner) limitOver(t *part, count, offset int64) {
	t.wrap(p.op(t.attrs, &planpb.Operator{Kind: &planpb.Operator_Limit{Limit: &planpb.Limit{Limit: count, Offset: offset}}}), t.attrs)
	if count >= 0 {
		t.rows = min(t.rows, float64(count))
		t.bytes = t.rows * RowBytes(t.attrs)
	}
}

// bounds are a limit's numbers; count -1 is none.
func bounds(n *plan.Limit) (count, offset int64, err error) {
	count = -1
	read := func(e plan.Expr, to *int64) {
		if e == nil || err != nil {
			return
		}
		l, ok := e.(*plan.Literal)
		if v, is := l.Value.(int64); ok && is {
			*to = v
			return
		}
		err = errs.Unsupportedf("LIMIT and OFFSET take constants only.")
	}
	read(n.Count, &count)
	read(n.Offset, &offset)
	return count, offset, err
}

// sortBelow finds a global sort under projections, which above returns from the lowest to the topmost.
func sortBelow(n plan.Node) (*plan.Sort, []*plan.Project) {
	switch n := n.(type) {
	case *plan.Sort:
		if !n.Local {
			return n, nil
		}
	case *plan.Project:
		s, above := sortBelow(n.Input)
		return s, append(above, n)
	}
	return nil, nil
}

// topN keeps the first rows of each task's order and then of all.
func (p *planner) topN(s *plan.Sort, above []*plan.Project, count, offset int64) (*part, error) {
	t, err := p.build(s.Input)
	if err != nil {
		return nil, err
	}
	keys, err := scope(t.attrs).sortKeys(s.Keys)
	if err != nil {
		return nil, err
	}
	top := func(limit, offset int64) {
		t.wrap(p.op(t.attrs, &planpb.Operator{Kind: &planpb.Operator_TopN{TopN: &planpb.TopN{Keys: keys, Limit: limit, Offset: offset}}}), t.attrs)
		t.rows = min(t.rows, float64(limit)*float64(t.tasks))
		t.bytes = t.rows * RowBytes(t.attrs)
	}
	if t.tasks > 1 {
		top(count+offset, 0)
		t = p.single(t, nil)
	}
	top(count, offset)
	for _, n := range above {
		if err := p.projectOver(t, n.Exprs); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// union runs its inputs in one stage: task i runs the i-th part of each.
func (p *planner) union(n *plan.Union) (*part, error) {
	u := &part{attrs: n.Attrs, splits: map[uint32][][]*planpb.FileSplit{}}
	var ops []*planpb.Operator
	var parts []*part
	for _, in := range n.Inputs {
		t, err := p.build(in)
		if err != nil {
			return nil, err
		}
		parts = append(parts, t)
		u.tasks = max(u.tasks, t.tasks)
	}
	for _, t := range parts {
		if len(t.inputs) > 0 && t.tasks != u.tasks || limited(t.op) || !u.meets(t) {
			// An exchange has a partition for each of its own tasks only: spread it over the union's, as what lies elsewhere.
			t = p.exchange(t, &planpb.Partitioning{Kind: planpb.Partitioning_ROUND_ROBIN, Partitions: int32(u.tasks)}, nil)
		}
		ops = append(ops, t.op)
		u.adopt(t)
		u.fixed = u.fixed || t.fixed
		u.inputs = append(u.inputs, t.inputs...)
		u.splits = mergeSplits(u.splits, t.splits)
		u.rows += t.rows
		u.bytes += t.bytes
	}
	u.op = p.op(n.Attrs, &planpb.Operator{Kind: &planpb.Operator_Union{Union: &planpb.Union{}}})
	u.op.Children = ops
	return u, nil
}

// limited reports whether an operator tree makes rows even in tasks that have no input, such as a global aggregate, or counts rows.
func limited(o *planpb.Operator) bool {
	switch o.Kind.(type) {
	case *planpb.Operator_HashAggregate, *planpb.Operator_Limit, *planpb.Operator_TopN:
		return true
	}
	for _, c := range o.Children {
		if limited(c) {
			return true
		}
	}
	return false
}
