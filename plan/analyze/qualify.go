package analyze

import (
	"strings"

	"millrace/errs"
	"millrace/plan"
	"millrace/plan/fn"
	"millrace/types"
)

// takesNullTreatment are the functions after which IGNORE NULLS and RESPECT NULLS mean something.
var takesNullTreatment = map[string]bool{"first": true, "last": true, "nth_value": true, "lag": true, "lead": true, "collect_list": true, "collect_set": true}

// qualify adds DISTINCT, FILTER and IGNORE NULLS to an aggregate call, and refuses them, and WITHIN GROUP, elsewhere.
func (a *analyzer) qualify(s *scope, u *plan.UnresolvedFunction, f *fn.Func, c *plan.Call) (plan.Expr, error) {
	aggregate := f.Kind == fn.Aggregate || f.Kind == fn.WindowOnly
	switch {
	case len(u.OrderWithin) > 0:
		return nil, syntax(u, "WITHIN GROUP (ORDER BY ...)")
	case u.IgnoreNulls && !takesNullTreatment[c.Name]:
		return nil, syntax(u, "IGNORE NULLS")
	case !aggregate && u.Distinct:
		return nil, syntax(u, "DISTINCT")
	case (!aggregate || f.Kind == fn.WindowOnly) && u.Filter != nil:
		return nil, syntax(u, "FILTER CLAUSE")
	case !aggregate:
		return c, nil
	}
	c.Distinct, c.IgnoreNulls = u.Distinct, u.IgnoreNulls
	for i := 1; i < len(c.Args); i++ { // parameters such as a percentile's fractions have to be there before a row is
		if l := a.constant(c.Args[i]); l != nil {
			c.Args[i] = l
		}
	}
	if u.Filter != nil {
		cond, err := a.aggregateFilter(s, u.Filter)
		if err != nil {
			return nil, err
		}
		c.Filter = cond
	}
	if err := a.nullTreatment(u, c); err != nil {
		return nil, err
	}
	if err := unmixed(c); err != nil {
		return nil, at(err, u.Origin)
	}
	for _, arg := range c.Args {
		if s.inWindow {
			break
		}
		if inner := findAggregate(arg); inner != nil {
			return nil, at(errs.New("NESTED_AGGREGATE_FUNCTION"), inner.Origin)
		}
		if findWindow(arg) != nil {
			return nil, errs.New("_LEGACY_ERROR_TEMP_1031")
		}
	}
	c.Pretty = qualifiedPretty(c)
	return c, nil
}

// aggregateFilter resolves the condition of FILTER (WHERE …).
func (a *analyzer) aggregateFilter(s *scope, filter plan.Expr) (plan.Expr, error) {
	cond, err := a.expr(s, filter)
	if err != nil {
		return nil, err
	}
	cond, ok := a.boolean(cond)
	switch {
	case !ok:
		return nil, errs.New("INVALID_AGGREGATE_FILTER.NOT_BOOLEAN", "filterExpr", SQL(cond))
	case findAggregate(cond) != nil:
		return nil, errs.New("INVALID_AGGREGATE_FILTER.CONTAINS_AGGREGATE", "filterExpr", SQL(cond), "aggExpr", SQL(findAggregate(cond)))
	case findWindow(cond) != nil:
		return nil, errs.New("INVALID_AGGREGATE_FILTER.CONTAINS_WINDOW_FUNCTION", "filterExpr", SQL(cond), "windowExpr", SQL(findWindow(cond)))
	case nondeterministic(cond):
		return nil, errs.New("INVALID_AGGREGATE_FILTER.NON_DETERMINISTIC", "filterExpr", SQL(cond))
	}
	return cond, nil
}

func nondeterministic(e plan.Expr) bool {
	found := false
	plan.WalkExpr(e, func(e plan.Expr) bool {
		if c, ok := e.(*plan.Call); ok && c.Nondetermined {
			found = true
		}
		return !found
	})
	return found
}

// byChance reports whether the value of an expression depends on more than its columns. The bodies of functions in SQL, where Spark computes their
// arguments before, count only if told so.
func byChance(e plan.Expr, bodies bool) bool {
	found := false
	plan.WalkExpr(e, func(e plan.Expr) bool {
		c, ok := e.(*plan.Call)
		switch {
		case !ok:
		case c.Name == inlined && !bodies:
			return false
		case c.Nondetermined && !c.Aggregate && !isGrouping(c) && c.Name != "raise_error" && c.Name != "assert_true":
			found = true
		}
		return !found
	})
	return found
}

func anyWindow(list []plan.Expr) bool {
	for _, e := range list {
		if findWindow(e) != nil {
			return true
		}
	}
	return false
}

// findWindow returns a function over a window in e, or nil.
func findWindow(e plan.Expr) *plan.Window {
	var found *plan.Window
	plan.WalkExpr(e, func(e plan.Expr) bool {
		if w, ok := e.(*plan.Window); ok && found == nil {
			found = w
		}
		return found == nil
	})
	return found
}

// nullTreatment moves the last argument of first, last, lag, lead and nth_value, whether to ignore nulls, into the call, and has a
// collection keep nulls that RESPECT NULLS asks for.
func (a *analyzer) nullTreatment(u *plan.UnresolvedFunction, c *plan.Call) error {
	written := strings.ToLower(u.Name[len(u.Name)-1])
	last := map[string]int{"first": 1, "last": 1, "nth_value": 2, "lag": 3, "lead": 3}[c.Name]
	switch {
	case last > 0 && len(c.Args) > last:
		l := a.constant(c.Args[last])
		ignore, ok := false, false
		if l != nil {
			ignore, ok = l.Value.(bool)
		}
		if !ok && last == 1 {
			return errs.New("_LEGACY_ERROR_TEMP_1210", "funcName", c.Name)
		}
		if !ok {
			return errs.New("INVALID_PARAMETER_VALUE.BOOLEAN", "parameter", "`ignoreNulls`", "functionName", types.Quote(c.Name), "invalidValue", SQL(c.Args[last]))
		}
		c.IgnoreNulls, c.Args = c.IgnoreNulls || ignore, c.Args[:last]
		c.Pretty = prettyCall(written, c)
	case u.RespectNulls && (c.Name == "collect_list" || c.Name == "collect_set"):
		c.Options = map[string]string{"nulls": "respect"}
		t := *c.T
		t.ElemNull = true
		c.T = &t
		c.Pretty = qualifiedPretty(c) + " RESPECT NULLS"
	}
	if u.IgnoreNulls && (written == "first_value" || written == "last_value") {
		c.Pretty = prettyCall(c.Name, c)
	}
	if c.IgnoreNulls && c.Name == "nth_value" {
		c.Pretty = prettyCall(written, c) + " ignore nulls"
	}
	return nil
}
