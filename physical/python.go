package physical

import (
	"maps"
	"slices"
	"strings"

	"millrace/errs"
	"millrace/plan"
	"millrace/planconv"
	planpb "millrace/proto/millrace/plan/v1"
)

// PythonEnv is what functions of Python find.
type PythonEnv struct {
	Executable string // empty: the worker's choice
	BatchRows  int64  // that a function is given at once
	Conf, Env  map[string]string
	Files      []*planpb.PythonFile
}

// pythonOf is the operator for a function's kind.
func (p *planner) pythonOf(f *plan.PythonFunction, rows planpb.Python_Rows) (*planpb.Python, error) {
	if p.o.Python == nil {
		return nil, errs.Unsupportedf("Python functions are not supported here.")
	}
	env, err := p.o.Python()
	if err != nil {
		return nil, err
	}
	return &planpb.Python{Rows: rows, EvalType: int32(f.Eval), Version: f.Version, Executable: env.Executable, BatchRows: env.BatchRows, Conf: env.Conf,
		Env: env.Env, Files: env.Files}, nil
}

// pythonCalls adds calls to an operator, with their arguments over columns, each once.
func (s columnScope) pythonCalls(o *planpb.Python, exprs []plan.Expr) error {
	places := map[string]uint32{}
	for _, e := range exprs {
		c := e.(*plan.Alias).Child.(*plan.Call)
		f := &planpb.PythonFunction{Name: c.Python.Name, Commands: c.Python.Commands, Type: planconv.TypePB(c.Python.Returns), Nondeterministic: c.Nondetermined}
		for i, a := range c.Args {
			pb, err := s.expr(a)
			if err != nil {
				return err
			}
			key := fingerprint(pb)
			at, ok := places[key]
			if !ok {
				at = uint32(len(o.Args))
				places[key], o.Args = at, append(o.Args, pb)
			}
			arg := &planpb.PythonArgument{Column: at}
			if c.Python.ArgNames != nil {
				arg.Name = c.Python.ArgNames[i]
			}
			f.Args = append(f.Args, arg)
		}
		o.Functions = append(o.Functions, f)
	}
	return nil
}

func functionOf(e plan.Expr) *plan.PythonFunction { return e.(*plan.Alias).Child.(*plan.Call).Python }

func (p *planner) pythonEval(n *plan.PythonEval) (*part, error) {
	t, err := p.build(n.Input)
	if err != nil {
		return nil, err
	}
	o, err := p.pythonOf(functionOf(n.Exprs[0]), planpb.Python_EACH)
	if err != nil {
		return nil, err
	}
	if err := scope(t.attrs).pythonCalls(o, n.Exprs); err != nil {
		return nil, err
	}
	p.pythonBeside(t, o, n.Exprs)
	return t, nil
}

// pythonBeside puts the functions' results beside the rows.
func (p *planner) pythonBeside(t *part, o *planpb.Python, exprs []plan.Expr) {
	out := slices.Clone(t.attrs)
	for _, e := range exprs {
		out = append(out, attributeOf(e))
	}
	t.wrap(p.op(out, &planpb.Operator{Kind: &planpb.Operator_Python{Python: o}}), out)
}

// pythonWindow gives functions whole partitions, in order.
func (p *planner) pythonWindow(n *plan.PythonWindow) (*part, error) {
	t, err := p.build(n.Input)
	if err != nil {
		return nil, err
	}
	o, err := p.pythonOf(functionOf(n.Exprs[0]), planpb.Python_WINDOWS)
	if err != nil {
		return nil, err
	}
	bounds := make([]string, len(n.Bounded))
	for i, bounded := range n.Bounded {
		if bounds[i] = "unbounded"; bounded {
			bounds[i] = "bounded"
		}
	}
	o.Conf = maps.Clone(o.Conf)
	o.Conf["window_bound_types"] = strings.Join(bounds, ",")
	if t, err = p.arrange(t, &plan.Window{Partition: n.Partition, Order: n.Order}, nil); err != nil {
		return nil, err
	}
	in := scope(t.attrs)
	for _, k := range n.Partition {
		o.Keys = append(o.Keys, uint32(in[k.(*plan.Attribute).ID]))
	}
	if err := in.pythonCalls(o, n.Exprs); err != nil {
		return nil, err
	}
	sorted := t.sorted == t.op
	p.pythonBeside(t, o, n.Exprs)
	if sorted {
		t.sorted = t.op
	}
	return t, nil
}

// pythonMap makes rows of rows, for which those of a group are brought together and sorted by the keys.
func (p *planner) pythonMap(n *plan.PythonMap) (*part, error) {
	rows := planpb.Python_ALL
	switch {
	case n.Right != nil:
		return p.pythonPairs(n)
	case n.Grouped:
		rows = planpb.Python_GROUPS
	}
	t, err := p.buildExactly(n.Input)
	if err != nil {
		return nil, err
	}
	o, err := p.pythonOf(n.Function, rows)
	if err != nil {
		return nil, err
	}
	f := &planpb.PythonFunction{Name: n.Function.Name, Commands: n.Function.Commands, Type: planconv.TypePB(n.Function.Returns), Nondeterministic: !n.Function.Deterministic}
	o.Functions = []*planpb.PythonFunction{f}
	if n.Grouped {
		if t, err = p.arrange(t, &plan.Window{Partition: n.Keys}, nil); err != nil {
			return nil, err
		}
		in := scope(t.attrs)
		for _, k := range n.Keys {
			o.Keys = append(o.Keys, uint32(in[k.(*plan.Attribute).ID]))
		}
		if err := in.pythonGroup(&o.Args, f, n.Keys, n.Values); err != nil {
			return nil, err
		}
	} else if o.Args, err = scope(t.attrs).exprs(attrExprs(t.attrs)); err != nil {
		return nil, err
	} else {
		f.Args = []*planpb.PythonArgument{{}} // the struct of all columns
	}
	t.wrap(p.op(n.Attrs, &planpb.Operator{Kind: &planpb.Operator_Python{Python: o}}), n.Attrs)
	t.hashed = nil
	return t, nil
}

// pythonPairs makes rows of the groups of equal keys of two inputs.
func (p *planner) pythonPairs(n *plan.PythonMap) (*part, error) {
	l, err := p.buildExactly(n.Input)
	if err != nil {
		return nil, err
	}
	r, err := p.buildExactly(n.Right)
	if err != nil {
		return nil, err
	}
	o, err := p.pythonOf(n.Function, planpb.Python_PAIRS)
	if err != nil {
		return nil, err
	}
	f := &planpb.PythonFunction{Name: n.Function.Name, Commands: n.Function.Commands, Type: planconv.TypePB(n.Function.Returns), Nondeterministic: !n.Function.Deterministic}
	o.Functions = []*planpb.PythonFunction{f}
	parts := max(p.partitions(l.rows), p.partitions(r.rows))
	for _, side := range []struct {
		t            **part
		keys, values []plan.Expr
		at           *[]uint32
		args         *[]*planpb.Expr
	}{{&l, n.Keys, n.Values, &o.Keys, &o.Args}, {&r, n.RightKeys, n.RightVals, &o.RightKeys, &o.RightArgs}} {
		by, err := scope((*side.t).attrs).exprs(side.keys)
		if err != nil {
			return nil, err
		}
		if parts == 1 || len(by) == 0 {
			*side.t = p.single(*side.t, nil)
		} else {
			*side.t = p.exchange(*side.t, &planpb.Partitioning{Kind: planpb.Partitioning_HASH, Partitions: int32(parts), Exprs: by}, nil)
		}
		keys, err := scope((*side.t).attrs).sortKeys(windowKeys(&plan.Window{Partition: side.keys}))
		if err != nil {
			return nil, err
		}
		p.sortOver(*side.t, keys)
		in := scope((*side.t).attrs)
		for _, k := range side.keys {
			*side.at = append(*side.at, uint32(in[k.(*plan.Attribute).ID]))
		}
		if err := in.pythonGroup(side.args, f, side.keys, side.values); err != nil {
			return nil, err
		}
	}
	return p.combine(l, r, n.Attrs, &planpb.Operator{Kind: &planpb.Operator_Python{Python: o}}), nil
}

// pythonGroup gives a function for groups its columns: of the arguments' numbers the first is how many follow, then come how many are keys, the keys'
// columns and those of the values.
func (s columnScope) pythonGroup(to *[]*planpb.Expr, f *planpb.PythonFunction, keys, values []plan.Expr) error {
	place := map[plan.ID]int{}
	var list []plan.Expr
	for _, v := range values {
		id := v.(*plan.Attribute).ID
		if _, ok := place[id]; !ok {
			place[id] = len(list)
		}
		list = append(list, v)
	}
	extra := 0
	for _, k := range keys { // those that are no values come first
		if _, ok := place[k.(*plan.Attribute).ID]; !ok {
			extra++
		}
	}
	var front []plan.Expr
	var offsets []int
	for _, k := range keys {
		if at, ok := place[k.(*plan.Attribute).ID]; ok {
			offsets = append(offsets, at+extra)
			continue
		}
		offsets = append(offsets, len(front))
		front = append(front, k)
	}
	for i := range list {
		offsets = append(offsets, extra+i)
	}
	args, err := s.exprs(append(front, list...))
	if err != nil {
		return err
	}
	*to = args
	for _, n := range append([]int{len(offsets) + 1, len(keys)}, offsets...) {
		f.Args = append(f.Args, &planpb.PythonArgument{Column: uint32(n)})
	}
	return nil
}

// pythonAggregate makes a row of each group.
func (p *planner) pythonAggregate(n *plan.PythonAggregate) (*part, error) {
	t, err := p.build(n.Input)
	if err != nil {
		return nil, err
	}
	var calls []plan.Expr
	for _, e := range n.Exprs {
		if al, ok := e.(*plan.Alias); ok {
			if _, is := al.Child.(*plan.Call); is {
				calls = append(calls, e)
			}
		}
	}
	o, err := p.pythonOf(functionOf(calls[0]), planpb.Python_FOLD)
	if err != nil {
		return nil, err
	}
	if t, err = p.arrange(t, &plan.Window{Partition: n.Groups}, nil); err != nil {
		return nil, err
	}
	in := scope(t.attrs)
	out := []*plan.Attribute{}
	for _, g := range n.Groups {
		a := g.(*plan.Attribute)
		o.Keys, out = append(o.Keys, uint32(in[a.ID])), append(out, a)
	}
	if err := in.pythonCalls(o, calls); err != nil {
		return nil, err
	}
	for _, e := range calls {
		out = append(out, attributeOf(e))
	}
	hashed := t.hashed
	t.wrap(p.op(out, &planpb.Operator{Kind: &planpb.Operator_Python{Python: o}}), out)
	t.hashed = hashed
	exprs := make([]plan.Expr, len(n.Exprs))
	for i, e := range n.Exprs {
		exprs[i] = e
		if al, ok := e.(*plan.Alias); ok {
			if _, is := al.Child.(*plan.Call); is {
				exprs[i] = attributeOf(e)
			}
		}
	}
	return t, p.projectOver(t, exprs)
}

// python goes through an operator with functions. A function may look at its rows' order, so that what it makes of rows is steady only as these are.
func (r *remaking) python(o *planpb.Operator, k *planpb.Python, in repeated) repeated {
	out := steadyRows(len(o.Output))
	out.ordered = in.ordered
	steady := r.exprs(k.Args, in) && in.ordered && !slices.ContainsFunc(k.Functions, func(f *planpb.PythonFunction) bool { return f.Nondeterministic })
	switch k.Rows {
	case planpb.Python_WINDOWS:
		r.decides(steady && in.steady())
		return out
	case planpb.Python_EACH:
		copy(out.columns, in.columns)
	case planpb.Python_FOLD:
		for i, c := range k.Keys {
			r.decides(in.columns[c])
			out.columns[i] = !collated(o.Output[i].Type)
		}
	default:
		r.decides(steady && in.steady())
		return out
	}
	for i := len(out.columns) - len(k.Functions); i < len(out.columns); i++ {
		out.columns[i] = steady
	}
	return out
}
