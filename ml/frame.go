package ml

import (
	"millrace/plan"
	"millrace/types"
)

// Frame is a relation whose columns are known.
type Frame struct {
	Schema *types.Type
	Node   plan.Node
}

func deferred(data plan.Node, make func(Frame) (plan.Node, error)) plan.Node {
	return &plan.Deferred{Input: data, Make: func(schema *types.Type, in plan.Node) (plan.Node, error) {
		return make(Frame{schema, in})
	}}
}

// Field finds a column by its name, without regard to case.
func (f Frame) Field(name string) (types.Field, bool) {
	x, i := f.Schema.Field(name, true)
	if i < 0 {
		x, i = f.Schema.Field(name, false)
	}
	return x, i >= 0
}

// Column is a column that is to be made.
type Column struct {
	Name     string
	Value    plan.Expr
	Metadata string // JSON, or empty
}

// With is the frame's relation with columns added, or replaced where the names are the same.
func (f Frame) With(columns ...Column) plan.Node {
	n := &plan.WithColumns{Input: f.Node}
	for _, c := range columns {
		n.Aliases = append(n.Aliases, &plan.Alias{Child: c.Value, Names: []string{c.Name}, Metadata: c.Metadata})
	}
	return n
}

// Ref is a column by its whole name: dots in it are part of it.
func Ref(name string) plan.Expr { return &plan.UnresolvedAttribute{Parts: []string{name}} }

// AsDouble is a column cast to double.
func AsDouble(e plan.Expr) plan.Expr { return &plan.Cast{Child: e, To: types.Double} }

// Doubles is a constant array of doubles.
func Doubles(values []float64) plan.Expr {
	list := make([]any, len(values))
	for i, x := range values {
		list[i] = x
	}
	return &plan.Literal{Value: list, T: types.ArrayOf(types.Double, false)}
}

// Strings is a constant array of strings.
func Strings(values []string) plan.Expr {
	list := make([]any, len(values))
	for i, s := range values {
		list[i] = s
	}
	return &plan.Literal{Value: list, T: types.ArrayOf(types.String, false)}
}

// Kernel is a call of a kernel of operators/expr.
func Kernel(name string, t *types.Type, nullable bool, options map[string]string, args ...plan.Expr) *plan.Call {
	return &plan.Call{Name: name, Args: args, T: t, Null: nullable, Mode: plan.ModeANSI, Options: options, Pretty: "UDF"}
}

// Aggregated is an aggregate of the whole relation: one row of calls in the order given.
func Aggregated(in plan.Node, calls ...plan.Expr) plan.Node { return Grouped(in, nil, calls...) }

// Grouped is an aggregate by groups, which come first in the rows.
func Grouped(in plan.Node, groups []plan.Expr, calls ...plan.Expr) plan.Node {
	return &plan.Aggregate{Input: in, Groups: groups, Exprs: calls, DataFrame: true}
}

// Reduce is a call of an aggregate of operators/agg.
func Reduce(name string, t *types.Type, options map[string]string, args ...plan.Expr) plan.Expr {
	return &plan.Call{Name: name, Args: args, T: t, Null: true, Mode: plan.ModeANSI, Aggregate: true, Options: options, Pretty: name}
}
