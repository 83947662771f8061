package analyze

import (
	"fmt"
	"reflect"

	"millrace/plan"
	"millrace/types"
)

// Equal reports whether two resolved expressions compute the same value.
func Equal(x, y plan.Expr) bool { return equal(x, y) }

// equal reports whether two resolved expressions compute the same value.
func equal(x, y plan.Expr) bool {
	if x == y {
		return true
	}
	if x == nil || y == nil {
		return false
	}
	switch x := x.(type) {
	case *plan.Attribute:
		y, ok := y.(*plan.Attribute)
		return ok && x.ID == y.ID
	case *plan.Outer:
		y, ok := y.(*plan.Outer)
		return ok && x.Attr.ID == y.Attr.ID
	case *plan.Literal:
		y, ok := y.(*plan.Literal)
		return ok && sameType(x.T, y.T) && reflect.DeepEqual(x.Value, y.Value)
	case *plan.Cast:
		y, ok := y.(*plan.Cast)
		return ok && x.Mode == y.Mode && x.To.Equal(y.To) && equal(x.Child, y.Child)
	case *plan.Call:
		y, ok := y.(*plan.Call)
		return ok && x.Name == y.Name && x.Mode == y.Mode && x.Distinct == y.Distinct && x.IgnoreNulls == y.IgnoreNulls &&
			sameType(x.T, y.T) && reflect.DeepEqual(x.Options, y.Options) &&
			reflect.DeepEqual(x.Python, y.Python) && equalAll(x.Children(), y.Children())
	case *plan.SortOrder:
		y, ok := y.(*plan.SortOrder)
		return ok && x.Desc == y.Desc && x.NullsSortFirst() == y.NullsSortFirst() && equal(x.Child, y.Child)
	case *plan.Window:
		y, ok := y.(*plan.Window)
		return ok && len(x.Partition) == len(y.Partition) && sameFrame(x.Frame, y.Frame) && equalAll(x.Children(), y.Children())
	case *plan.LambdaVar:
		y, ok := y.(*plan.LambdaVar)
		return ok && x.ID == y.ID
	case *plan.Alias:
		return equal(x.Child, bare(y))
	case *plan.Subquery:
		y, ok := y.(*plan.Subquery)
		return ok && x.Kind == y.Kind && equalAll(x.Values, y.Values) && sameQuery(x.Plan, y.Plan)
	}
	return false
}

// sameQuery reports whether two subqueries of one query have the same rows.
func sameQuery(x, y plan.Node) bool {
	print := queryPrint(x)
	return print != "" && print == queryPrint(y)
}

// queryPrint is the fingerprint of a subquery in which the columns of the query around count by their ids; empty where it cannot be told.
func queryPrint(n plan.Node) string {
	n, err := plan.Transform(n, func(n plan.Node) (plan.Node, error) {
		return plan.MapExprs(n, func(e plan.Expr) (plan.Expr, error) {
			return plan.TransformExpr(e, func(e plan.Expr) (plan.Expr, error) {
				if o, ok := e.(*plan.Outer); ok {
					return &plan.Call{Name: "outer", Args: []plan.Expr{plan.BigInt(int64(o.Attr.ID))}, T: o.Attr.T}, nil
				}
				return e, nil
			})
		})
	})
	if err != nil || !repeatable(n) {
		return ""
	}
	return plan.Fingerprint(n, func(t plan.Table) string {
		if i, ok := t.(plan.Identified); ok {
			return i.Identity()
		}
		return fmt.Sprintf("%p", t)
	})
}

func sameType(x, y *types.Type) bool { return x == y || x != nil && y != nil && x.Equal(y) }

func sameFrame(x, y *plan.Frame) bool {
	if x == nil || y == nil {
		return x == y
	}
	ends := func(p, q plan.Bound) bool { return p.Unbounded == q.Unbounded && p.Current == q.Current }
	return x.Rows == y.Rows && ends(x.Lower, y.Lower) && ends(x.Upper, y.Upper)
}

func equalAll(x, y []plan.Expr) bool {
	if len(x) != len(y) {
		return false
	}
	for i := range x {
		if !equal(x[i], y[i]) {
			return false
		}
	}
	return true
}

// bare is an expression without the alias around it.
func bare(e plan.Expr) plan.Expr {
	for {
		al, ok := e.(*plan.Alias)
		if !ok {
			return e
		}
		e = al.Child
	}
}
