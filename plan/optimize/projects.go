package optimize

import (
	"slices"

	"millrace/plan"
)

// mergeProjects turns a projection over a projection into one where no expression is computed twice by it, and drops
// projections that change nothing.
func mergeProjects(n plan.Node) (plan.Node, error) {
	return plan.Transform(n, func(n plan.Node) (plan.Node, error) {
		p, ok := n.(*plan.Project)
		if !ok {
			return n, nil
		}
		if isIdentity(p) {
			return p.Input, nil
		}
		in, ok := p.Input.(*plan.Project)
		if !ok || !mergeable(p, in) {
			return n, nil
		}
		defs := definitions(in.Exprs)
		exprs := make([]plan.Expr, len(p.Exprs))
		for i, e := range p.Exprs {
			exprs[i] = mergeOne(e, defs)
		}
		return &plan.Project{Input: in.Input, Exprs: exprs}, nil
	})
}

// mergeOne rewrites an output expression of the upper projection over the lower one's input, keeping its name and id.
func mergeOne(e plan.Expr, defs map[plan.ID]plan.Expr) plan.Expr {
	if a, ok := e.(*plan.Attribute); ok {
		if d := defs[a.ID]; d != nil {
			return &plan.Alias{Child: d, Names: []string{a.Name}, ID: a.ID, Metadata: a.Metadata}
		}
		return a
	}
	return substitute(e, defs)
}

// isIdentity reports whether a projection returns its input's columns as they are.
func isIdentity(p *plan.Project) bool {
	out := p.Input.(plan.Resolved).Output()
	if len(out) != len(p.Exprs) {
		return false
	}
	for i, e := range p.Exprs {
		a, ok := e.(*plan.Attribute)
		if !ok || a.ID != out[i].ID || a.Name != out[i].Name {
			return false
		}
	}
	return true
}

// mergeable reports whether merging computes nothing more often than before and moves nothing that must not be moved.
func mergeable(upper, lower *plan.Project) bool {
	uses := map[plan.ID]int{}
	for _, e := range upper.Exprs {
		plan.WalkExpr(e, func(e plan.Expr) bool {
			if a, ok := e.(*plan.Attribute); ok {
				uses[a.ID]++
			}
			return true
		})
	}
	for _, e := range lower.Exprs {
		a, ok := e.(*plan.Alias)
		if !ok {
			continue
		}
		if !deterministic(a.Child) || uses[a.ID] > 1 && !cheap(a.Child) {
			return false
		}
	}
	return true
}

// cheap reports whether computing an expression twice costs nothing worth a projection.
func cheap(e plan.Expr) bool {
	switch e := e.(type) {
	case *plan.Attribute, *plan.Literal:
		return true
	case *plan.Alias:
		return cheap(e.Child)
	case *plan.Call:
		return e.Name == "struct" && !slices.ContainsFunc(e.Args, func(a plan.Expr) bool { return !cheap(a) })
	}
	return false
}

// pushLimits tells scans how many rows anybody reads, and merges limits.
func pushLimits(n plan.Node) (plan.Node, error) {
	return plan.Transform(n, func(n plan.Node) (plan.Node, error) {
		l, ok := n.(*plan.Limit)
		if !ok {
			return n, nil
		}
		count, ok := limitOf(l)
		if !ok {
			return n, nil
		}
		in := limitScan(l.Input, count)
		if in == l.Input {
			return n, nil
		}
		return &plan.Limit{Input: in, Count: l.Count, Offset: l.Offset}, nil
	})
}

// limitOf is how many rows of its input a limit reads at most.
func limitOf(l *plan.Limit) (int64, bool) {
	count, ok := literalInt(l.Count)
	if !ok {
		return 0, false
	}
	if l.Offset == nil {
		return count, true
	}
	offset, ok := literalInt(l.Offset)
	return count + offset, ok
}

func literalInt(e plan.Expr) (int64, bool) {
	l, ok := e.(*plan.Literal)
	if !ok {
		return 0, false
	}
	v, ok := l.Value.(int64)
	return v, ok
}

func limitScan(n plan.Node, count int64) plan.Node {
	switch n := n.(type) {
	case *plan.Scan:
		if count <= 0 || n.Limit > 0 && n.Limit <= count {
			return n
		}
		s := *n
		s.Limit = count
		return &s
	case *plan.Project:
		in := limitScan(n.Input, count)
		if in == n.Input {
			return n
		}
		return &plan.Project{Input: in, Exprs: n.Exprs}
	}
	return n
}
