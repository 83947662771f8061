package physical

import (
	"millrace/plan"
	"millrace/plan/optimize"
	planpb "millrace/proto/millrace/plan/v1"
)

// groupLimit is how many rows of each partition a filter above a window can keep at most.
type groupLimit struct {
	rank  planpb.GroupLimit_Rank
	limit int64
}

var rankings = map[string]planpb.GroupLimit_Rank{"row_number": planpb.GroupLimit_ROW_NUMBER, "rank": planpb.GroupLimit_RANK,
	"dense_rank": planpb.GroupLimit_DENSE_RANK}

// filterOfWindow runs a filter over window functions. One that keeps the first rows of each partition only has each task drop the others
// before they are sent on.
func (p *planner) filterOfWindow(cond plan.Expr, n *plan.WindowNode) (*part, error) {
	t, err := p.windowLimited(n, limitOf(cond, n))
	if err != nil {
		return nil, err
	}
	return t, p.filterOver(t, cond)
}

// limitOf finds a conjunct such as row_number <= 3. Every function of the window must be one to which later rows mean nothing.
func limitOf(cond plan.Expr, n *plan.WindowNode) *groupLimit {
	ranks := map[plan.ID]planpb.GroupLimit_Rank{}
	for _, e := range n.Exprs {
		w := windowOf(e)
		c, ok := w.Function.(*plan.Call)
		if !ok || len(w.Order) == 0 {
			return nil
		}
		kind, isRank := rankings[c.Name]
		toHere := w.Frame != nil && w.Frame.Rows && w.Frame.Lower.Unbounded && w.Frame.Upper.Current
		switch {
		case isRank:
			ranks[e.(*plan.Alias).ID] = kind
		case c.WindowOnly || !toHere:
			return nil
		}
	}
	var best *groupLimit
	for _, c := range optimize.Conjuncts(cond) {
		id, most, ok := atMost(c)
		kind, known := ranks[id]
		if ok && known && (best == nil || most < best.limit) {
			best = &groupLimit{kind, most}
		}
	}
	return best
}

// atMost reads column <= constant and its like.
func atMost(e plan.Expr) (plan.ID, int64, bool) {
	c, ok := e.(*plan.Call)
	if !ok || len(c.Args) != 2 {
		return 0, 0, false
	}
	name, column, constant := c.Name, c.Args[0], c.Args[1]
	if _, swapped := column.(*plan.Literal); swapped {
		column, constant = constant, column
		name = map[string]string{">=": "<=", ">": "<", "=": "="}[name]
	}
	a, isColumn := column.(*plan.Attribute)
	l, isConstant := constant.(*plan.Literal)
	if !isColumn || !isConstant || !l.T.IsIntegral() {
		return 0, 0, false
	}
	most, isNumber := l.Value.(int64)
	switch {
	case !isNumber:
	case name == "<":
		return a.ID, most - 1, true
	case name == "<=", name == "=":
		return a.ID, most, true
	}
	return 0, 0, false
}

// limitGroups keeps the first rows of each partition among a task's own rows: before they go to the partition's task, and there before
// the window looks at them.
func (p *planner) limitGroups(t *part, w *plan.Window, l *groupLimit) error {
	in := scope(t.attrs)
	keys, err := in.sortKeys(windowKeys(w))
	if err != nil {
		return err
	}
	if !t.isSorted(keys) {
		p.sortOver(t, keys)
	}
	g := &planpb.GroupLimit{Order: keys[len(w.Partition):], Limit: l.limit, Rank: l.rank}
	for _, k := range keys[:len(w.Partition)] {
		g.Partition = append(g.Partition, k.Expr)
	}
	t.wrap(p.op(t.attrs, &planpb.Operator{Kind: &planpb.Operator_GroupLimit{GroupLimit: g}}), t.attrs)
	t.sorted = t.op
	return nil
}
