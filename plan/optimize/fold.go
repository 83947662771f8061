package optimize

import (
	"millrace/plan"
	"millrace/types"
)

var boolean = types.Boolean

// foldConstants computes what reads no column, and simplifies and, or, not, filters of true and casts to the same type.
func (o Options) foldConstants(n plan.Node) (plan.Node, error) {
	return plan.Transform(n, func(n plan.Node) (plan.Node, error) {
		m, err := plan.MapExprs(n, func(e plan.Expr) (plan.Expr, error) { return plan.TransformExpr(e, o.fold) })
		if err != nil {
			return nil, err
		}
		if f, ok := m.(*plan.Filter); ok && isTrue(f.Condition) {
			return f.Input, nil
		}
		return m, nil
	})
}

func isTrue(e plan.Expr) bool  { l, ok := e.(*plan.Literal); return ok && l.Value == true }
func isFalse(e plan.Expr) bool { l, ok := e.(*plan.Literal); return ok && l.Value == false }

func (o Options) fold(e plan.Expr) (plan.Expr, error) {
	switch e := e.(type) {
	case *plan.Cast:
		if t := plan.TypeOf(e.Child); t != nil && t.Equal(e.To) {
			return e.Child, nil
		}
		return o.constant(e, e.Child)
	case *plan.Call:
		if e.Aggregate || e.WindowOnly || e.Generator || e.Nondetermined || e.Python != nil {
			return e, nil
		}
		if s := simplify(e); s != nil {
			return s, nil
		}
		return o.constant(e, e.Args...)
	}
	return e, nil
}

func (o Options) constant(e plan.Expr, args ...plan.Expr) (plan.Expr, error) {
	for _, a := range args {
		if _, ok := a.(*plan.Literal); !ok {
			return e, nil
		}
	}
	if o.Fold == nil || plan.TypeOf(e).IsNested() {
		return e, nil
	}
	l, err := o.Fold(e)
	if err != nil || l == nil {
		return e, nil // it fails again, with its place in the query, if a row ever needs it
	}
	return l, nil
}

func simplify(c *plan.Call) plan.Expr {
	switch c.Name {
	case "and":
		switch {
		case isTrue(c.Args[0]), isFalse(c.Args[1]) && deterministic(c.Args[0]):
			return c.Args[1]
		case isTrue(c.Args[1]), isFalse(c.Args[0]):
			return c.Args[0]
		}
	case "or":
		switch {
		case isFalse(c.Args[0]), isTrue(c.Args[1]) && deterministic(c.Args[0]):
			return c.Args[1]
		case isFalse(c.Args[1]), isTrue(c.Args[0]):
			return c.Args[0]
		}
	case "field":
		if s, ok := c.Args[0].(*plan.Call); ok && s.Name == "struct" {
			if i, ok := c.Args[1].(*plan.Literal).Value.(int64); ok && plan.TypeOf(s.Args[i]).Equal(c.T) {
				return s.Args[i]
			}
		}
	case "isnotnull":
		if !plan.IsNullable(c.Args[0]) {
			return plan.Bool(true)
		}
	case "isnull":
		if !plan.IsNullable(c.Args[0]) {
			return plan.Bool(false)
		}
	}
	return nil
}
