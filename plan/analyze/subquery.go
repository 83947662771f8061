package analyze

import (
	"millrace/errs"
	"millrace/plan"
	"millrace/types"
)

// subquery resolves a plan inside an expression; columns that it lacks are looked up in the query around it.
func (a *analyzer) subquery(s *scope, q *plan.Subquery) (plan.Expr, error) {
	r := *q
	if q.PlanID != nil {
		ref, ok := a.refs[*q.PlanID]
		if !ok {
			return nil, errs.Newf(errs.Internal, "the subquery names plan %d, which did not come with it", *q.PlanID)
		}
		r.Plan = ref
	}
	var err error
	if r.Values, err = a.exprs(s, q.Values); err != nil {
		return nil, err
	}
	around := a.outer
	a.outer = s
	r.Plan, err = a.node(r.Plan)
	a.outer = around
	if err == nil {
		err = withinOuterJoins(r.Plan)
	}
	if err != nil {
		return nil, at(err, q.Origin)
	}
	out := output(r.Plan)
	switch q.Kind {
	case plan.ScalarSubquery:
		if len(out) != 1 {
			return nil, at(errs.New("INVALID_SUBQUERY_EXPRESSION.SCALAR_SUBQUERY_RETURN_MORE_THAN_ONE_OUTPUT_COLUMN", "number", itoa(len(out))), q.Origin)
		}
	case plan.InSubquery:
		if err := a.inSubquery(&r, out); err != nil {
			return nil, at(err, q.Origin)
		}
	case plan.TableArgSubquery:
		return nil, errs.Unsupportedf("table arguments are not supported")
	}
	return &r, nil
}

// inSubquery brings the values of x IN (SELECT …) and the query's columns to common types.
func (a *analyzer) inSubquery(q *plan.Subquery, out []*plan.Attribute) error {
	if len(q.Values) != len(out) {
		return errs.New("DATATYPE_MISMATCH.IN_SUBQUERY_LENGTH_MISMATCH", "sqlExpr", SQL(q), "leftLength", itoa(len(q.Values)),
			"rightLength", itoa(len(out)), "leftColumns", quotedList(q.Values), "rightColumns", quotedList(exprsOf(out)))
	}
	to := make([]*types.Type, len(out))
	for i, v := range q.Values {
		if to[i] = a.wider(plan.TypeOf(v), out[i].T); to[i] == nil {
			return errs.New("DATATYPE_MISMATCH.IN_SUBQUERY_DATA_TYPE_MISMATCH", "sqlExpr", SQL(q), "mismatchedColumns",
				"["+SQL(v)+":"+plan.TypeOf(v).SQL()+", "+SQL(out[i])+":"+out[i].T.SQL()+"]",
				"leftType", `"`+plan.TypeOf(v).SQL()+`"`, "rightType", `"`+out[i].T.SQL()+`"`)
		}
		q.Values[i] = a.castTo(v, to[i])
	}
	q.Plan = a.castColumns(q.Plan, to)
	return nil
}

func quotedList(list []plan.Expr) string {
	parts := make([]string, len(list))
	for i, e := range list {
		parts[i] = SQL(e)
	}
	return join(parts)
}

// outerColumns lists the columns of queries around a plan that it reads.
func outerColumns(n plan.Node) []*plan.Attribute {
	var found []*plan.Attribute
	eachOuter(n, func(c *plan.Attribute) {
		if !containsID(found, c.ID) {
			found = append(found, c)
		}
	})
	return found
}

// eachOuter calls see for every place where a plan reads a column of the queries around it.
func eachOuter(n plan.Node, see func(*plan.Attribute)) {
	plan.Walk(n, func(n plan.Node) bool {
		if h, ok := n.(plan.HasExprs); ok {
			for _, e := range h.Expressions() {
				plan.WalkExpr(e, func(e plan.Expr) bool {
					switch e := e.(type) {
					case *plan.Outer:
						see(e.Attr)
					case *plan.Subquery:
						eachOuter(e.Plan, func(c *plan.Attribute) {
							if !producedIn(n, c.ID) {
								see(c)
							}
						})
					}
					return true
				})
			}
		}
		return true
	})
}

// producedIn reports whether a column is one of a node's inputs'.
func producedIn(n plan.Node, id plan.ID) bool {
	for _, c := range n.Children() {
		if containsID(output(c), id) {
			return true
		}
	}
	return false
}
