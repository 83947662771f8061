package analyze

import (
	"millrace/errs"
	"millrace/plan"
)

// reads reports whether an expression reads columns of the query around, and whether of its own.
func reads(e plan.Expr) (outer, own bool) {
	plan.WalkExpr(e, func(e plan.Expr) bool {
		switch e.(type) {
		case *plan.Outer:
			outer = true
			return false
		case *plan.Attribute:
			own = true
		}
		return true
	})
	return outer, own
}

// unmixed refuses an aggregate call over columns both of its own query and of the one around it.
func unmixed(c *plan.Call) error {
	if outer, own := reads(c); outer && own {
		return errs.New("UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.AGGREGATE_FUNCTION_MIXED_OUTER_LOCAL_REFERENCES", "function", Pretty(c))
	}
	return nil
}

// noOuter refuses columns of the query around in an aggregation, which as in Spark cannot hold them.
func noOuter(exprs []plan.Expr) error {
	for _, e := range exprs {
		if !hasOuter(e) {
			continue
		}
		free, err := freed(bare(e))
		if err != nil {
			return err
		}
		return errs.New("UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.CORRELATED_REFERENCE", "sqlExprs", SQL(free))
	}
	return nil
}

// ofTheQueryAround puts columns in the places of the aggregate calls of a subquery's condition that read the query around alone: they are that
// query's, whose aggregation computes them.
func (a *analyzer) ofTheQueryAround(cond plan.Expr) (plan.Expr, error) {
	if a.outer == nil {
		return cond, nil
	}
	return plan.TransformExpr(cond, func(e plan.Expr) (plan.Expr, error) {
		c, ok := e.(*plan.Call)
		if !ok || !c.Aggregate || !hasOuter(c) {
			return e, nil
		}
		free, err := freed(c)
		if err != nil {
			return nil, err
		}
		stands := &plan.Attribute{ID: a.id(), Name: Pretty(free), T: c.T, Null: c.Null}
		a.further[stands.ID] = free.(*plan.Call)
		return &plan.Outer{Attr: stands}, nil
	})
}

// rewriteSubquery expresses what a subquery reads of this query over the aggregation's columns.
func (b *block) rewriteSubquery(q *plan.Subquery, own func(*plan.Attribute) bool) (plan.Expr, error) {
	e, err := b.rewriteChildren(q, own)
	if err != nil {
		return nil, err
	}
	s := *e.(*plan.Subquery)
	outer := func(e plan.Expr) (plan.Expr, error) {
		o, ok := e.(*plan.Outer)
		if !ok {
			return e, nil
		}
		if c := b.a.further[o.Attr.ID]; c != nil {
			return &plan.Outer{Attr: b.slot(c, nil).Attribute()}, nil
		}
		e, err := b.rewrite(o.Attr, own)
		if c, ok := e.(*plan.Attribute); ok && err == nil {
			return &plan.Outer{Attr: c}, nil
		}
		return nil, err
	}
	s.Plan, err = plan.Transform(s.Plan, func(n plan.Node) (plan.Node, error) {
		return plan.MapExprs(n, func(e plan.Expr) (plan.Expr, error) { return plan.TransformExpr(e, outer) })
	})
	return &s, err
}

// withinOuterJoins refuses, as Spark does, what reads the query around on a side of a join that the join may extend by nulls, or of
// which it only tests for rows.
func withinOuterJoins(n plan.Node) error {
	var err error
	plan.Walk(n, func(n plan.Node) bool {
		j, ok := n.(*plan.Join)
		if !ok || j.Lateral || err != nil {
			return err == nil
		}
		if right := j.Type == plan.LeftJoin || j.Type == plan.FullJoin || j.Type == plan.SemiJoin || j.Type == plan.AntiJoin; right && len(outerColumns(j.Right)) > 0 {
			err = inaccessible(j.Right)
		}
		if left := j.Type == plan.RightJoin || j.Type == plan.FullJoin; left && len(outerColumns(j.Left)) > 0 {
			err = inaccessible(j.Left)
		}
		return err == nil
	})
	return err
}

func inaccessible(n plan.Node) error {
	names := ""
	for i, c := range outerColumns(n) {
		if i > 0 {
			names += ", "
		}
		names += "outer(" + Pretty(c) + ")"
	}
	return errs.New("UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.ACCESSING_OUTER_QUERY_COLUMN_IS_NOT_ALLOWED", "treeNode", names)
}
