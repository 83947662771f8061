package plan

import "millrace/types"

// Output implements Resolved.
func (n *Scan) Output() []*Attribute { return n.Attrs }

// Output implements Resolved.
func (n *StreamScan) Output() []*Attribute {
	if n.Rows != nil {
		return outputOf(n.Rows)
	}
	return n.Attrs
}

// Output implements Resolved.
func (n *Analyzed) Output() []*Attribute { return outputOf(n.Input) }

// Output implements Resolved.
func (n *LocalRelation) Output() []*Attribute { return n.Attrs }

// Output implements Resolved.
func (n *Range) Output() []*Attribute { return []*Attribute{n.Attr} }

// Output implements Resolved.
func (n *OneRow) Output() []*Attribute { return nil }

// Output implements Resolved.
func (n *Project) Output() []*Attribute { return attributes(n.Exprs) }

// Output implements Resolved.
func (n *Filter) Output() []*Attribute { return outputOf(n.Input) }

// Output implements Resolved.
func (n *Aggregate) Output() []*Attribute { return attributes(n.Exprs) }

// Output implements Resolved.
func (n *StatefulAggregate) Output() []*Attribute { return attributes(n.Exprs) }

// Output implements Resolved.
func (n *Watermark) Output() []*Attribute { return outputOf(n.Input) }

// Output implements Resolved.
func (n *Sort) Output() []*Attribute { return outputOf(n.Input) }

// Output implements Resolved.
func (n *Limit) Output() []*Attribute { return outputOf(n.Input) }

// Output implements Resolved.
func (n *Tail) Output() []*Attribute { return outputOf(n.Input) }

// Output implements Resolved.
func (n *Union) Output() []*Attribute { return n.Attrs }

// Output implements Resolved.
func (n *Distinct) Output() []*Attribute { return outputOf(n.Input) }

// Output implements Resolved.
func (n *Sample) Output() []*Attribute { return outputOf(n.Input) }

// Output implements Resolved.
func (n *Repartition) Output() []*Attribute { return outputOf(n.Input) }

// Output implements Resolved.
func (n *Observe) Output() []*Attribute { return outputOf(n.Input) }

// Output implements Resolved.
func (n *Hint) Output() []*Attribute { return outputOf(n.Input) }

// Output implements Resolved.
func (n *PlanID) Output() []*Attribute { return outputOf(n.Input) }

// Output implements Resolved.
func (n *WindowNode) Output() []*Attribute {
	return append(clip(outputOf(n.Input)), attributes(n.Exprs)...)
}

// Output implements Resolved.
func (n *Generate) Output() []*Attribute { return append(clip(outputOf(n.Input)), n.Attrs...) }

// Output implements Resolved.
func (n *Recursion) Output() []*Attribute { return n.Attrs }

// Output implements Resolved.
func (n *RecursionRef) Output() []*Attribute { return n.Attrs }

// Output implements Resolved.
func (n *Expand) Output() []*Attribute { return n.Attrs }

// Output implements Resolved: the input's columns under the alias.
func (n *SubqueryAlias) Output() []*Attribute {
	in := outputOf(n.Input)
	out := make([]*Attribute, len(in))
	for i, a := range in {
		b := *a
		b.Qualifier = n.Name
		out[i] = &b
	}
	return out
}

// Output implements Resolved: a side that may lack a partner becomes nullable.
func (n *Join) Output() []*Attribute {
	left := outputOf(n.Left)
	switch n.Type {
	case SemiJoin, AntiJoin, NullAwareAntiJoin:
		return left
	case ExistenceJoin:
		return append(clip(left), n.Exists)
	case LeftJoin:
		return append(clip(left), nullable(outputOf(n.Right))...)
	case RightJoin:
		return append(nullable(left), outputOf(n.Right)...)
	case FullJoin:
		return append(nullable(left), nullable(outputOf(n.Right))...)
	}
	return append(clip(left), outputOf(n.Right)...)
}

func outputOf(n Node) []*Attribute {
	if r, ok := n.(Resolved); ok {
		return r.Output()
	}
	return nil
}

func clip(list []*Attribute) []*Attribute { return list[:len(list):len(list)] }

func nullable(list []*Attribute) []*Attribute {
	out := make([]*Attribute, len(list))
	for i, a := range list {
		if a.Null {
			out[i] = a
			continue
		}
		b := *a
		b.Null = true
		out[i] = &b
	}
	return out
}

// attributes are the columns that named expressions make.
func attributes(exprs []Expr) []*Attribute {
	out := make([]*Attribute, 0, len(exprs))
	for _, e := range exprs {
		switch e := e.(type) {
		case *Attribute:
			out = append(out, e)
		case *Alias:
			out = append(out, e.Attribute())
		}
	}
	return out
}

// Attribute is the column that a resolved alias makes.
func (e *Alias) Attribute() *Attribute {
	name := ""
	if len(e.Names) > 0 {
		name = e.Names[0]
	}
	meta := e.Metadata
	if meta == "" {
		if a, ok := e.Child.(*Attribute); ok {
			meta = a.Metadata
		}
	}
	return &Attribute{ID: e.ID, Name: name, T: TypeOf(e.Child), Null: IsNullable(e.Child), Metadata: meta}
}

// Schema is a resolved node's output as a struct type.
func Schema(n Node) *types.Type {
	out := outputOf(n)
	fields := make([]types.Field, len(out))
	for i, a := range out {
		fields[i] = types.Field{Name: a.Name, Type: a.T, Nullable: a.Null, Metadata: a.Metadata}
	}
	return types.Struct(fields...)
}

// Type implements Typed.
func (e *Outer) Type() *types.Type { return e.Attr.T }

// Nullable implements Typed.
func (e *Outer) Nullable() bool { return e.Attr.Null }

// Type implements Typed: the function's.
func (e *Window) Type() *types.Type { return TypeOf(e.Function) }

// Nullable implements Typed.
func (e *Window) Nullable() bool { return IsNullable(e.Function) }

// Type implements Typed: a scalar subquery's is its one column's.
func (e *Subquery) Type() *types.Type {
	if e.Kind != ScalarSubquery {
		return types.Boolean
	}
	if out := outputOf(e.Plan); len(out) > 0 {
		return out[0].T
	}
	return nil
}

// Nullable implements Typed: a scalar subquery may have no row.
func (e *Subquery) Nullable() bool {
	switch e.Kind {
	case ExistsSubquery:
		return false
	case InSubquery:
		for _, v := range e.Values {
			if IsNullable(v) {
				return true
			}
		}
		for _, a := range outputOf(e.Plan) {
			if a.Null {
				return true
			}
		}
		return false
	}
	return true
}

// Type implements Typed: the body's.
func (e *Lambda) Type() *types.Type { return TypeOf(e.Body) }

// Nullable implements Typed.
func (e *Lambda) Nullable() bool { return IsNullable(e.Body) }

// MaxID is the largest column id in a resolved plan.
func MaxID(n Node) ID {
	var top ID
	see := func(a *Attribute) {
		if a != nil {
			top = max(top, a.ID)
		}
	}
	Walk(n, func(n Node) bool {
		for _, a := range outputOf(n) {
			see(a)
		}
		if h, ok := n.(HasExprs); ok {
			for _, e := range h.Expressions() {
				top = max(top, maxIn(e))
			}
		}
		return true
	})
	return top
}

func maxIn(e Expr) ID {
	var top ID
	WalkExpr(e, func(e Expr) bool {
		switch e := e.(type) {
		case *Attribute:
			top = max(top, e.ID)
		case *Alias:
			top = max(top, e.ID)
		case *Subquery:
			top = max(top, MaxID(e.Plan))
		}
		return true
	})
	return top
}
