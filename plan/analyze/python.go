package analyze

import (
	"millrace/errs"
	"millrace/plan"
	"millrace/types"
)

// pythonCall resolves a call of a function of Python. Its arguments keep their types.
func (a *analyzer) pythonCall(s *scope, u *plan.PythonUDF) (plan.Expr, error) {
	f := *u.Function
	if f.Rows() {
		return nil, errs.Unsupportedf("The Python function %s (kind %d) makes rows and cannot be called in an expression.", f.Name, f.Eval)
	}
	inner := *s
	inner.inWindow = false
	if f.Aggregates() && s.deep != nil {
		inner = *s.deep
	}
	c := &plan.Call{Name: plan.PythonCall, Python: &f, T: f.Returns, Null: true, Nondetermined: !f.Deterministic && !f.Aggregates(), Aggregate: f.Aggregates(),
		Distinct: u.Distinct, Origin: u.Origin}
	args, err := a.expandArgs(&inner, u.Args)
	if err != nil {
		return nil, err
	}
	for i, e := range args {
		name := ""
		if n, ok := e.(*plan.NamedArg); ok {
			e, name = n.Value, n.Name
		}
		r, err := a.expr(&inner, e)
		if err != nil {
			return nil, err
		}
		if name != "" && f.ArgNames == nil {
			f.ArgNames = make([]string, len(args))
		}
		if name != "" {
			f.ArgNames[i] = name
		}
		c.Args = append(c.Args, r)
	}
	c.Pretty = printer{}.pythonCall(c)
	if f.Aggregates() {
		if u.Distinct {
			return nil, errs.Unsupportedf("DISTINCT in a call of a Python function is not supported.")
		}
		for _, arg := range c.Args {
			if nested := findAggregate(arg); nested != nil && !s.inWindow {
				return nil, at(errs.New("NESTED_AGGREGATE_FUNCTION"), nested.Origin)
			}
		}
		if s.inWindow && f.Alone() {
			return nil, errs.Unsupportedf("The Python function %s of iterators over a window is not supported.", f.Name)
		}
	}
	return c, nil
}

// python writes a call of a function of Python.
func (p printer) pythonCall(c *plan.Call) string {
	p.python = true
	parts := make([]string, len(c.Args))
	for i, e := range c.Args {
		if parts[i] = p.expr(e); c.Python.ArgNames != nil && c.Python.ArgNames[i] != "" {
			parts[i] = c.Python.ArgNames[i] + " => " + parts[i]
		}
	}
	return c.Python.Name + "(" + join(parts) + ")"
}

// pythonMap resolves a relation that a function of Python makes of one or two others.
func (a *analyzer) pythonMap(n *plan.PythonMap) (plan.Node, error) {
	m := *n
	f := n.Function
	if f.Returns == nil || f.Returns.Kind != types.KindStruct {
		return nil, errs.Newf(errs.Invalid, "The function %s is to return rows, but its type is no struct.", f.Name)
	}
	var err error
	if m.Input, m.Keys, m.Values, err = a.pythonInput(n.Input, n.Grouped, n.Keys); err != nil {
		return nil, err
	}
	if n.Right != nil {
		if m.Right, m.RightKeys, m.RightVals, err = a.pythonInput(n.Right, n.Grouped, n.RightKeys); err != nil {
			return nil, err
		}
	}
	if n.Right != nil {
		if len(m.Keys) != len(m.RightKeys) {
			return nil, errs.Newf(errs.Invalid, "Cogroup keys must have same size: %d != %d", len(m.Keys), len(m.RightKeys))
		}
		for i, k := range m.Keys {
			if l, r := plan.TypeOf(k), plan.TypeOf(m.RightKeys[i]); !l.SameData(r) {
				return nil, errs.Unsupportedf("Groups of both sides by keys of different types (%s and %s) are not supported.", l.SQL(), r.SQL())
			}
		}
	}
	m.Attrs = make([]*plan.Attribute, len(f.Returns.Fields))
	for i, field := range f.Returns.Fields {
		m.Attrs[i] = &plan.Attribute{ID: a.id(), Name: field.Name, T: field.Type, Null: field.Nullable, Metadata: field.Metadata}
	}
	return &m, nil
}

// pythonInput resolves an input and its keys, which become columns where they are none.
func (a *analyzer) pythonInput(n plan.Node, grouped bool, by []plan.Expr) (in plan.Node, keys, values []plan.Expr, err error) {
	if in, err = a.node(n); err != nil || !grouped {
		return in, nil, nil, err
	}
	values = exprsOf(output(in))
	s := a.scope(in)
	made := append([]plan.Expr(nil), values...)
	if by, err = a.selectList(s, by); err != nil {
		return nil, nil, nil, err
	}
	for _, e := range by {
		switch e := e.(type) {
		case *plan.Attribute:
			keys = append(keys, e)
		case *plan.Alias:
			keys, made = append(keys, e.Attribute()), append(made, e)
		}
	}
	if in, err = a.reach(in, by); err != nil {
		return nil, nil, nil, err
	}
	if len(made) > len(values) {
		in = &plan.Project{Input: in, Exprs: made}
	}
	return in, keys, values, nil
}
