package optimize

import "millrace/plan"

// prune leaves out the columns that nobody reads, from the root down to the scans.
func prune(n plan.Node) (plan.Node, error) {
	if c, ok := n.(plan.Command); ok {
		return pruneChildren(c, nil)
	}
	return pruneTo(n, outputSet(n))
}

// pruneTo returns n with at least the wanted columns of its output.
func pruneTo(n plan.Node, want idSet) (plan.Node, error) {
	switch n := n.(type) {
	case *plan.Scan:
		return pruneScan(n, want), nil
	case *plan.Project:
		p := &plan.Project{Input: n.Input}
		for _, e := range n.Exprs {
			if want[idOf(e)] {
				p.Exprs = append(p.Exprs, e)
			}
		}
		return pruneInput(p, needs(p.Exprs...))
	case *plan.Aggregate:
		a := *n
		a.Exprs = nil
		for _, e := range n.Exprs {
			if want[idOf(e)] {
				a.Exprs = append(a.Exprs, e)
			}
		}
		return pruneInput(&a, needs(append(append([]plan.Expr(nil), a.Exprs...), a.Groups...)...))
	case *plan.StatefulAggregate: // all of its columns are in the state, whoever reads them
		return pruneInput(n, needs(append(append([]plan.Expr(nil), n.Exprs...), n.Groups...)...))
	case *plan.Watermark:
		return pruneInput(n, want.plus(n.Column))
	case *plan.Filter:
		return pruneInput(n, want.plus(n.Condition))
	case *plan.Sort:
		need := want.plus()
		for _, k := range n.Keys {
			need.add(k)
		}
		return pruneInput(n, need)
	case *plan.Limit, *plan.Tail, *plan.Sample:
		return pruneInput(n, want)
	case *plan.Repartition:
		need := want.plus(n.Exprs...)
		for _, k := range n.Ranges {
			need.add(k)
		}
		return pruneInput(n, need)
	case *plan.Observe:
		return pruneInput(n, want.plus(n.Metrics...))
	case *plan.Generate:
		return pruneInput(n, want.plus(n.Generator))
	case *plan.PythonEval:
		p := &plan.PythonEval{Input: n.Input, Exprs: wanted(n.Exprs, want)}
		if len(p.Exprs) == 0 {
			return pruneTo(n.Input, want)
		}
		return pruneInput(p, want.plus(p.Exprs...))
	case *plan.PythonWindow:
		need := want.plus(append(append([]plan.Expr(nil), n.Exprs...), n.Partition...)...)
		for _, k := range n.Order {
			need.add(k)
		}
		return pruneInput(n, need)
	case *plan.PythonMap:
		return pruneChildren(n, nil)
	case *plan.PythonAggregate:
		return pruneInput(n, needs(append(append([]plan.Expr(nil), n.Exprs...), n.Groups...)...))
	case *plan.WindowNode:
		return pruneWindow(n, want)
	case *plan.Join:
		return pruneJoin(n, want)
	case *plan.Union:
		return pruneUnion(n, want)
	case *plan.Expand:
		return pruneExpand(n, want)
	}
	return pruneChildren(n, nil)
}

func idOf(e plan.Expr) plan.ID {
	switch e := e.(type) {
	case *plan.Attribute:
		return e.ID
	case *plan.Alias:
		return e.ID
	}
	return 0
}

func needs(exprs ...plan.Expr) idSet { return idSet{}.plus(exprs...) }

// plus is a copy of s with what the expressions read.
func (s idSet) plus(exprs ...plan.Expr) idSet {
	u := make(idSet, len(s)+len(exprs))
	for id := range s {
		u[id] = true
	}
	for _, e := range exprs {
		u.add(e)
	}
	return u
}

func pruneScan(s *plan.Scan, want idSet) plan.Node {
	t := *s
	t.Attrs, t.Fields = nil, nil
	for i, a := range s.Attrs {
		if want[a.ID] {
			t.Attrs = append(t.Attrs, a)
			t.Fields = append(t.Fields, s.Fields[i])
		}
	}
	return &t
}

// pruneInput prunes the single input of n to the needed columns.
func pruneInput(n plan.Node, need idSet) (plan.Node, error) {
	in, err := pruneTo(n.Children()[0], need)
	if err != nil {
		return nil, err
	}
	return n.WithChildren([]plan.Node{in}), nil
}

// pruneChildren keeps all columns of every input: for nodes whose output is their inputs'.
func pruneChildren(n plan.Node, _ idSet) (plan.Node, error) {
	old := n.Children()
	fresh := make([]plan.Node, len(old))
	for i, c := range old {
		m, err := pruneTo(c, outputSet(c))
		if err != nil {
			return nil, err
		}
		fresh[i] = m
	}
	if len(old) == 0 {
		return n, nil
	}
	return n.WithChildren(fresh), nil
}

func pruneJoin(j *plan.Join, want idSet) (plan.Node, error) {
	need := want.plus()
	if j.Condition != nil {
		need.add(j.Condition)
	}
	left, err := pruneTo(j.Left, need)
	if err != nil {
		return nil, err
	}
	right, err := pruneTo(j.Right, need)
	if err != nil {
		return nil, err
	}
	k := *j
	k.Left, k.Right = narrow(left, need), narrow(right, need)
	return &k, nil
}

// narrow puts a projection over an input that still returns columns which only it reads, so that an exchange does not carry them.
func narrow(n plan.Node, need idSet) plan.Node {
	out := n.(plan.Resolved).Output()
	var keep []plan.Expr
	for _, a := range out {
		if need[a.ID] {
			keep = append(keep, a)
		}
	}
	if len(keep) == len(out) {
		return n
	}
	return &plan.Project{Input: n, Exprs: keep}
}

func pruneUnion(u *plan.Union, want idSet) (plan.Node, error) {
	var keep []int
	v := &plan.Union{}
	for i, a := range u.Attrs {
		if want[a.ID] {
			keep = append(keep, i)
			v.Attrs = append(v.Attrs, a)
		}
	}
	for _, in := range u.Inputs {
		out := in.(plan.Resolved).Output()
		need := idSet{}
		exprs := make([]plan.Expr, len(keep))
		for k, i := range keep {
			need[out[i].ID] = true
			exprs[k] = out[i]
		}
		m, err := pruneTo(in, need)
		if err != nil {
			return nil, err
		}
		v.Inputs = append(v.Inputs, exactly(m, exprs))
	}
	return v, nil
}

func pruneExpand(e *plan.Expand, want idSet) (plan.Node, error) {
	f := &plan.Expand{Input: e.Input, Lists: make([][]plan.Expr, len(e.Lists))}
	need := idSet{}
	for i, a := range e.Attrs {
		if !want[a.ID] {
			continue
		}
		f.Attrs = append(f.Attrs, a)
		for k, list := range e.Lists {
			f.Lists[k] = append(f.Lists[k], list[i])
			need.add(list[i])
		}
	}
	return pruneInput(f, need)
}

// exactly makes n's output the given columns in that order.
func exactly(n plan.Node, cols []plan.Expr) plan.Node {
	p := &plan.Project{Input: n, Exprs: cols}
	if isIdentity(p) {
		return n
	}
	return p
}
