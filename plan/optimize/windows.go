package optimize

import "millrace/plan"

// pushThroughWindow lets the conjuncts sink that keep or drop whole partitions.
func pushThroughWindow(f *plan.Filter, w *plan.WindowNode) plan.Node {
	keys := idSet{}
	for _, e := range partitionOf(w) {
		if c, ok := e.(*plan.Attribute); ok {
			keys[c.ID] = true
		}
	}
	pass, stay := split(f.Condition, func(c plan.Expr) bool { return len(References(c)) > 0 && keys.covers(c) })
	if len(pass) == 0 {
		return f
	}
	return filterOver(&plan.WindowNode{Input: pushFilter(filterOver(w.Input, pass).(*plan.Filter)), Exprs: w.Exprs}, stay)
}

// partitionOf is the partitioning that all functions of a node share.
func partitionOf(n *plan.WindowNode) []plan.Expr {
	if a, ok := n.Exprs[0].(*plan.Alias); ok {
		if w, ok := a.Child.(*plan.Window); ok {
			return w.Partition
		}
	}
	return nil
}

// pruneWindow leaves out the functions that nobody reads.
func pruneWindow(n *plan.WindowNode, want idSet) (plan.Node, error) {
	w := &plan.WindowNode{Input: n.Input, Exprs: wanted(n.Exprs, want)}
	if len(w.Exprs) == 0 {
		return pruneTo(n.Input, want)
	}
	return pruneInput(w, want.plus(w.Exprs...))
}

// wanted are those of the expressions that somebody reads.
func wanted(exprs []plan.Expr, want idSet) (list []plan.Expr) {
	for _, e := range exprs {
		if want[idOf(e)] {
			list = append(list, e)
		}
	}
	return list
}
