package streaming

import (
	"millrace/errs"
	"millrace/plan"
)

// Query is what is the same for all micro-batches of a streaming query.
type Query struct {
	Mode plan.OutputMode
	// New reports whether a node's rows are a stream's, or a micro-batch's new ones; it is asked from the root down, and not below a
	// node for which it is true.
	New func(plan.Node) bool
}

// Batch is one micro-batch's.
type Batch struct {
	// State is where the state is. Operator is filled in; operators without keys have one partition whatever Partitions says.
	State plan.StateStore
	// Late and Evict are the watermarks in microseconds, plan.NoWatermark before there is one: rows below Late are dropped, groups below
	// Evict are final. Spark takes the watermark of the batch before for Late and this batch's for Evict.
	Late, Evict int64
}

// MicroBatch is an analysed plan that Check has passed, with its stateful operators and watermarks in place. State operators are numbered
// from 0 in the order of the plan, the root first and inputs from left to right; watermarks likewise, from 1.
func (q Query) MicroBatch(n plan.Node, b Batch) (plan.Node, error) {
	m := maker{q: q, b: b}
	n, _, err := m.node(n)
	return n, err
}

// Operators is how many stateful operators the query has.
func (q Query) Operators(n plan.Node) int {
	m := maker{q: q}
	if _, _, err := m.node(n); err != nil {
		return 0
	}
	return m.operators
}

type maker struct {
	q          Query
	b          Batch
	operators  int
	watermarks int
}

// node makes a relation's stateful form and reports whether it has new rows.
func (m *maker) node(n plan.Node) (plan.Node, bool, error) {
	if m.q.New(n) {
		return n, true, nil
	}
	agg, _ := n.(*plan.Aggregate)
	number := m.operators
	if agg != nil && m.q.streams(agg) {
		m.operators++
	}
	mark := m.watermarks
	if w, ok := n.(*plan.Watermark); ok && m.q.streams(w) {
		m.watermarks++
	}
	old := n.Children()
	fresh, isNew := make([]plan.Node, len(old)), false
	for i, c := range old {
		f, is, err := m.node(c)
		if err != nil {
			return nil, false, err
		}
		fresh[i], isNew = f, isNew || is
	}
	if !isNew {
		return n, false, nil
	}
	n = n.WithChildren(fresh)
	switch n := n.(type) {
	case *plan.Aggregate:
		s, err := m.stateful(n, number)
		return s, true, err
	case *plan.Watermark:
		w := *n
		w.Operator = mark + 1
		return &w, true, nil
	}
	return n, true, nil
}

func (m *maker) stateful(n *plan.Aggregate, operator int) (plan.Node, error) {
	if n.Sets != nil {
		return nil, errs.Newf(errs.Internal, "grouping sets that were not expanded")
	}
	s := &plan.StatefulAggregate{Input: n.Input, Groups: n.Groups, Exprs: n.Exprs, State: m.b.State, Mode: m.q.Mode,
		Late: plan.NoWatermark, Evict: plan.NoWatermark, Time: eventTime(n)}
	s.State.Operator = operator
	if len(n.Groups) == 0 {
		s.State.Partitions = 1
	}
	if s.Time > 0 {
		s.Late, s.Evict = m.b.Late, m.b.Evict
	}
	return s, nil
}

// streams reports whether a relation has new rows.
func (q Query) streams(n plan.Node) bool {
	found := false
	plan.Walk(n, func(n plan.Node) bool {
		found = found || q.New(n)
		return !found
	})
	return found
}
