package analyze

import (
	"strings"

	"millrace/errs"
	"millrace/plan"
	"millrace/types"
)

// namesRelation reports whether a relation that is not yet resolved names another, also in its subqueries. A WITH query of that name in it hides the other.
func namesRelation(n plan.Node, name string) bool {
	found := false
	plan.Walk(n, func(n plan.Node) bool {
		if w, ok := n.(*plan.With); ok {
			for _, c := range w.CTEs {
				hides := strings.EqualFold(c.Name, name)
				found = found || !(hides && w.Recursive) && namesRelation(c.Query, name)
				if hides {
					return false
				}
			}
			found = found || namesRelation(w.Body, name)
			return false
		}
		if r, ok := n.(*plan.UnresolvedRelation); ok && len(r.Parts) == 1 && strings.EqualFold(r.Parts[0], name) {
			found = true
		}
		if h, ok := n.(plan.HasExprs); ok {
			for _, e := range h.Expressions() {
				plan.WalkExpr(e, func(e plan.Expr) bool {
					if s, ok := e.(*plan.Subquery); ok && s.Plan != nil {
						found = found || namesRelation(s.Plan, name)
					}
					return !found
				})
			}
		}
		return !found
	})
	return found
}

// recursion resolves a recursive WITH query: anchor UNION ALL step.
func (a *analyzer) recursion(c plan.CTE) (plan.Node, error) {
	switch {
	case strings.EqualFold(a.conf.get("spark.sql.legacy.ctePrecedencePolicy"), "LEGACY"):
		return nil, errs.New("RECURSIVE_CTE_IN_LEGACY_MODE")
	case strings.EqualFold(a.conf.get("spark.sql.legacy.inlineCTEInCommands"), "true"):
		return nil, errs.New("RECURSIVE_CTE_WITH_LEGACY_INLINE_FLAG")
	}
	body := c.Query
	depth := len(a.ctes)
	defer func() { a.ctes = a.ctes[:depth] }()
	for { // WITH queries of its own
		w, ok := body.(*plan.With)
		if !ok {
			break
		}
		frame := map[string]*cte{}
		a.ctes = append(a.ctes, frame)
		for _, inner := range w.CTEs {
			if namesRelation(inner.Query, c.Name) {
				return nil, errs.New("INVALID_RECURSIVE_CTE")
			}
			query, err := a.cteQuery(w, inner)
			if err != nil {
				return nil, err
			}
			frame[strings.ToLower(inner.Name)] = &cte{name: inner.Name, query: query}
		}
		body = w.Body
	}
	u, ok := body.(*plan.SetOp)
	if !ok || u.Kind != plan.UnionOp || namesRelation(u.Left, c.Name) {
		return nil, errs.New("INVALID_RECURSIVE_CTE")
	}
	if !u.All {
		return nil, errs.New("UNION_NOT_SUPPORTED_IN_RECURSIVE_CTE")
	}
	return a.loop(c, u)
}

// loop resolves the anchor, and the step over the columns that it has.
func (a *analyzer) loop(c plan.CTE, u *plan.SetOp) (plan.Node, error) {
	anchor, err := a.node(u.Left)
	if err != nil {
		return nil, err
	}
	if c.Columns != nil {
		if anchor, err = a.renameAll(anchor, c.Columns, c.Name); err != nil {
			return nil, err
		}
	}
	r := &plan.Recursion{Anchor: anchor, Loop: int64(a.id()), MaxLevel: c.MaxLevel}
	ref := &plan.RecursionRef{Loop: r.Loop}
	for _, col := range output(anchor) {
		f := types.Field{Name: col.Name, Type: col.T, Nullable: true}
		r.Attrs, ref.Attrs = append(r.Attrs, a.attribute(f)), append(ref.Attrs, a.attribute(f))
	}
	a.ctes = append(a.ctes, map[string]*cte{strings.ToLower(c.Name): {name: c.Name, query: ref}})
	step, err := a.node(u.Right)
	a.ctes = a.ctes[:len(a.ctes)-1]
	if err != nil {
		return nil, err
	}
	if r.Step, err = a.step(r, step); err != nil {
		return nil, err
	}
	return r, nil
}

// step gives a step's columns the types of the anchor's, if those hold them, and refuses one that looks at all rows at once.
func (a *analyzer) step(r *plan.Recursion, step plan.Node) (plan.Node, error) {
	out := output(step)
	if len(out) != len(r.Attrs) {
		return nil, errs.New("NUM_COLUMNS_MISMATCH", "operator", "UNION", "firstNumColumns", itoa(len(r.Attrs)), "invalidOrdinalNum", "second",
			"invalidNumColumns", itoa(len(out)))
	}
	to := make([]*types.Type, len(out))
	for i, c := range r.Attrs {
		if to[i] = out[i].T; c.T.SameData(to[i]) {
			continue
		}
		if to[i] = a.wider(c.T, to[i]); to[i] == nil || !c.T.SameData(to[i]) {
			return nil, errs.New("CANNOT_MERGE_INCOMPATIBLE_DATA_TYPE", "left", `"`+c.T.SQL()+`"`, "right", `"`+out[i].T.SQL()+`"`)
		}
	}
	if misplaced(step, r.Loop) {
		return nil, errs.New("INVALID_RECURSIVE_REFERENCE.PLACE")
	}
	return a.castColumns(step, to), nil
}

// refersTo reports whether a resolved relation, or a subquery in it, reads a loop's rows.
func refersTo(n plan.Node, loop int64) bool {
	return anyNode(n, func(n plan.Node) bool {
		r, ok := n.(*plan.RecursionRef)
		return ok && r.Loop == loop
	})
}

// misplaced reports whether a loop's rows are read where they would have to be there all at once.
func misplaced(n plan.Node, loop int64) bool {
	return anyNode(n, func(n plan.Node) bool {
		switch n := n.(type) {
		case *plan.Aggregate, *plan.WindowNode, *plan.Sort:
			return refersTo(n.Children()[0], loop)
		case *plan.Join:
			if n.SetOp {
				return false
			}
			switch n.Type {
			case plan.LeftJoin, plan.SemiJoin, plan.AntiJoin:
				return refersTo(n.Right, loop)
			case plan.RightJoin:
				return refersTo(n.Left, loop)
			case plan.FullJoin:
				return refersTo(n, loop)
			}
		}
		return false
	})
}

// anyNode reports whether a test holds for a node of a relation or of a subquery in it.
func anyNode(n plan.Node, test func(plan.Node) bool) bool {
	found := false
	plan.Walk(n, func(n plan.Node) bool {
		found = found || test(n)
		if h, ok := n.(plan.HasExprs); ok && !found {
			for _, e := range h.Expressions() {
				plan.WalkExpr(e, func(e plan.Expr) bool {
					if s, ok := e.(*plan.Subquery); ok && s.Plan != nil {
						found = found || anyNode(s.Plan, test)
					}
					return !found
				})
			}
		}
		return !found
	})
	return found
}

// unlimited lifts the limit on rows from the recursions whose rows a relation returns.
func unlimited(n plan.Node) plan.Node {
	switch m := n.(type) {
	case *plan.Recursion:
		r := *m
		r.Unlimited = true
		return &r
	case *plan.Project, *plan.SubqueryAlias, *plan.PlanID, *plan.Filter:
		in := n.Children()[0]
		if u := unlimited(in); u != in {
			return n.WithChildren([]plan.Node{u})
		}
	}
	return n
}
