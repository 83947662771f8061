package optimize

import (
	"reflect"
	"strconv"
	"strings"

	"millrace/errs"
	"millrace/plan"
	"millrace/types"
)

// extractPython computes functions of Python in nodes of their own, below those that use the results.
func extractPython(root plan.Node) (plan.Node, error) {
	x := &pythonExtractor{}
	found := false
	plan.Walk(root, func(n plan.Node) bool {
		if h, ok := n.(plan.HasExprs); ok {
			for _, e := range h.Expressions() {
				plan.WalkExpr(e, func(e plan.Expr) bool {
					c, ok := e.(*plan.Call)
					found = found || ok && c.Python != nil
					return !found
				})
			}
		}
		return !found
	})
	if !found {
		return root, nil
	}
	x.last = plan.MaxID(root)
	return plan.Transform(root, x.node)
}

type pythonExtractor struct {
	last plan.ID
	made int // columns
}

// pythonCalls are the calls of scalar functions in a node's expressions.
func pythonCalls(n plan.Node) []*plan.Call {
	switch n.(type) {
	case *plan.PythonEval:
		return nil
	}
	h, ok := n.(plan.HasExprs)
	if !ok {
		return nil
	}
	var out []*plan.Call
	for _, e := range h.Expressions() {
		plan.WalkExpr(e, func(e plan.Expr) bool {
			if c, ok := scalarPython(e); ok {
				out = append(out, c)
			}
			return true
		})
	}
	return out
}

func scalarPython(e plan.Expr) (*plan.Call, bool) {
	c, ok := e.(*plan.Call)
	return c, ok && c.Python != nil && c.Python.Scalar()
}

func hasPython(e plan.Expr) bool {
	found := false
	plan.WalkExpr(e, func(e plan.Expr) bool {
		_, ok := scalarPython(e)
		found = found || ok
		return !found
	})
	return found
}

func (x *pythonExtractor) node(n plan.Node) (plan.Node, error) {
	if g, ok := n.(*plan.Aggregate); ok {
		var err error
		if n, err = pythonAggregate(g); err != nil {
			return nil, err
		}
	}
	if w, ok := n.(*plan.WindowNode); ok {
		return x.windows(w)
	}
	return x.extract(n)
}

// extract computes the functions in a node's expressions below it.
func (x *pythonExtractor) extract(n plan.Node) (plan.Node, error) {
	if len(pythonCalls(n)) == 0 {
		return n, nil
	}
	for _, e := range n.(plan.HasExprs).Expressions() {
		if err := refuseInLambda(e); err != nil {
			return nil, err
		}
	}
	switch n := n.(type) {
	case *plan.Join:
		return x.join(n)
	case *plan.Filter:
		var plain, rest []plan.Expr
		for _, c := range conjuncts(n.Condition) {
			if hasPython(c) || !deterministic(c) {
				rest = append(rest, c)
			} else {
				plain = append(plain, c)
			}
		}
		in := filterOver(n.Input, plain)
		out := in.(plan.Resolved).Output()
		in, rest = x.evaluate(in, rest)
		return projectTo(filterOver(in, rest), out), nil
	}
	inputs := n.Children()
	if len(inputs) != 1 {
		return nil, errs.Unsupportedf("A Python function in this place is not supported.")
	}
	out := n.(plan.Resolved).Output()
	in, exprs := x.evaluate(inputs[0], n.(plan.HasExprs).Expressions())
	made := n.WithChildren([]plan.Node{in}).(plan.HasExprs).WithExpressions(exprs)
	return projectTo(made, out), nil
}

// projectTo brings a node's output back to what it was.
func projectTo(n plan.Node, out []*plan.Attribute) plan.Node {
	exprs := make([]plan.Expr, len(out))
	for i, a := range out {
		exprs[i] = a
	}
	return exactly(n, exprs)
}

func refuseInLambda(e plan.Expr) error {
	var err error
	plan.WalkExpr(e, func(e plan.Expr) bool {
		if l, ok := e.(*plan.Lambda); ok && hasPython(l.Body) {
			var name string
			plan.WalkExpr(l.Body, func(e plan.Expr) bool {
				if c, ok := scalarPython(e); ok && name == "" {
					name = c.Pretty
				}
				return name == ""
			})
			err = errs.New("UNSUPPORTED_FEATURE.LAMBDA_FUNCTION_WITH_PYTHON_UDF", "funcName", `"`+name+`"`)
		}
		return err == nil
	})
	return err
}

// join computes functions of one side's columns on that side, and those of both above an inner join.
func (x *pythonExtractor) join(j *plan.Join) (plan.Node, error) {
	k := *j
	out := j.Output()
	var on, above []plan.Expr
	left, right := outputSet(j.Left), outputSet(j.Right)
	for _, c := range conjuncts(j.Condition) {
		if !hasPython(c) {
			on = append(on, c)
			continue
		}
		fits := true
		plan.WalkExpr(c, func(e plan.Expr) bool {
			if call, ok := scalarPython(e); ok {
				fits = fits && (left.covers(call) || right.covers(call))
				return false
			}
			return true
		})
		switch {
		case fits:
			lefts := func(e plan.Expr) bool { return left.covers(e) }
			var list []plan.Expr
			k.Left, list = x.evaluateIf(k.Left, []plan.Expr{c}, lefts)
			k.Right, list = x.evaluateIf(k.Right, list, func(plan.Expr) bool { return true })
			on = append(on, list[0])
		case j.Type == plan.InnerJoin || j.Type == plan.CrossJoin:
			above = append(above, c)
		default:
			return nil, errs.New("UNSUPPORTED_FEATURE.PYTHON_UDF_IN_ON_CLAUSE", "joinType", joinName[j.Type])
		}
	}
	if k.Condition = And(on); k.Condition == nil && k.Type == plan.InnerJoin {
		k.Type = plan.CrossJoin
	}
	if len(above) == 0 {
		return projectTo(&k, out), nil
	}
	n, conds := x.evaluate(&k, above)
	return projectTo(filterOver(n, conds), out), nil
}

var joinName = map[plan.JoinType]string{plan.LeftJoin: "LEFT OUTER", plan.RightJoin: "RIGHT OUTER", plan.FullJoin: "FULL OUTER", plan.SemiJoin: "LEFT SEMI",
	plan.AntiJoin: "LEFT ANTI", plan.NullAwareAntiJoin: "LEFT ANTI", plan.ExistenceJoin: "LEFT SEMI"}

// evaluate puts over a node the nodes that compute all functions in expressions, and the results into the expressions.
func (x *pythonExtractor) evaluate(n plan.Node, exprs []plan.Expr) (plan.Node, []plan.Expr) {
	return x.evaluateIf(n, exprs, func(plan.Expr) bool { return true })
}

func (x *pythonExtractor) evaluateIf(n plan.Node, exprs []plan.Expr, may func(plan.Expr) bool) (plan.Node, []plan.Expr) {
	for {
		var nodes []*plan.PythonEval
		place := func(c *plan.Call) *plan.Attribute {
			for _, p := range nodes {
				first := p.Exprs[0].(*plan.Alias).Child.(*plan.Call)
				if !c.Nondetermined {
					for _, e := range p.Exprs {
						if al := e.(*plan.Alias); samePython(al.Child.(*plan.Call), c) {
							return al.Attribute()
						}
					}
				}
				if f := first.Python; f.Eval == c.Python.Eval && f.Version == c.Python.Version && !f.Alone() && first.Nondetermined == c.Nondetermined {
					al := x.alias(c)
					p.Exprs = append(p.Exprs, al)
					return al.Attribute()
				}
			}
			al := x.alias(c)
			nodes = append(nodes, &plan.PythonEval{Exprs: []plan.Expr{al}})
			return al.Attribute()
		}
		fresh := make([]plan.Expr, len(exprs))
		for i, e := range exprs {
			fresh[i] = replacePython(e, func(c *plan.Call) plan.Expr {
				c = chained(c)
				for _, a := range c.Args {
					if hasPython(a) {
						return nil
					}
				}
				if !may(c) {
					return nil
				}
				return place(c)
			})
		}
		if len(nodes) == 0 {
			return n, exprs
		}
		exprs = fresh
		for _, p := range nodes {
			p.Input = n
			n = p
		}
	}
}

// replacePython puts what f gives in the place of calls, the outer ones first; where f gives nil it looks at the arguments.
func replacePython(e plan.Expr, f func(*plan.Call) plan.Expr) plan.Expr {
	if c, ok := scalarPython(e); ok {
		if r := f(c); r != nil {
			return r
		}
	}
	old := e.Children()
	fresh, changed := make([]plan.Expr, len(old)), false
	for i, c := range old {
		fresh[i] = replacePython(c, f)
		changed = changed || fresh[i] != c
	}
	if !changed {
		return e
	}
	return e.WithChildren(fresh)
}

// chained makes one call of a function whose only argument is another one of its kind.
func chained(c *plan.Call) *plan.Call {
	if len(c.Args) != 1 || c.Python.ArgNames != nil {
		return c
	}
	inner, ok := scalarPython(c.Args[0])
	if !ok || inner.Python.Eval != c.Python.Eval || inner.Python.Version != c.Python.Version {
		return c
	}
	inner = chained(inner)
	f, one := *c.Python, *c
	f.Commands = append(append([][]byte(nil), inner.Python.Commands...), f.Commands...)
	f.ArgNames = inner.Python.ArgNames
	one.Python, one.Args, one.Nondetermined = &f, inner.Args, c.Nondetermined || inner.Nondetermined
	return &one
}

func samePython(x, y *plan.Call) bool {
	return !x.Nondetermined && reflect.DeepEqual(x.Python, y.Python) && reflect.DeepEqual(x.Args, y.Args)
}

func (x *pythonExtractor) alias(c *plan.Call) *plan.Alias {
	x.last++
	x.made++
	return &plan.Alias{Child: c, Names: []string{"pythonUDF" + strconv.Itoa(x.made-1)}, ID: x.last}
}

// windows takes the functions of Python out of a window's.
func (x *pythonExtractor) windows(w *plan.WindowNode) (plan.Node, error) {
	out := w.Output()
	var plain, ours []plan.Expr
	for _, e := range w.Exprs {
		if c, ok := e.(*plan.Alias).Child.(*plan.Window).Function.(*plan.Call); ok && c.Python != nil {
			ours = append(ours, e)
		} else {
			plain = append(plain, e)
		}
	}
	if len(ours) == 0 {
		return x.extract(w)
	}
	spec := ours[0].(*plan.Alias).Child.(*plan.Window)
	in := w.Input
	// Keys are columns, and what is computed of a row is computed once.
	keys := append([]plan.Expr(nil), spec.Partition...)
	made := []plan.Expr{}
	for i, k := range keys {
		if _, ok := k.(*plan.Attribute); !ok {
			x.last++
			al := &plan.Alias{Child: k, Names: []string{"key"}, ID: x.last}
			made, keys[i] = append(made, al), al.Attribute()
		}
	}
	if len(made) > 0 {
		exprs := made
		for _, a := range in.(plan.Resolved).Output() {
			exprs = append(exprs, a)
		}
		project, err := x.extract(&plan.Project{Input: in, Exprs: exprs})
		if err != nil {
			return nil, err
		}
		in = project
	}
	p := &plan.PythonWindow{Partition: keys, Order: spec.Order}
	counts := &plan.WindowNode{Exprs: plain}
	count := func(f *plan.Frame) plan.Expr {
		x.last++
		c := &plan.Call{Name: "count", Args: []plan.Expr{plan.Int(1)}, T: types.Long, Aggregate: true}
		al := &plan.Alias{Child: &plan.Window{Function: c, Partition: keys, Order: spec.Order, Frame: f}, Names: []string{"rows"}, ID: x.last}
		counts.Exprs = append(counts.Exprs, al)
		return al.Attribute()
	}
	for _, e := range ours {
		al := *e.(*plan.Alias)
		over := al.Child.(*plan.Window)
		c := *over.Function.(*plan.Call)
		f := *c.Python
		if len(p.Exprs) > 0 {
			if first := p.Exprs[0].(*plan.Alias).Child.(*plan.Call).Python; first.Eval != windowKind[f.Eval] || first.Version != f.Version {
				return nil, errs.Unsupportedf("The Python functions %s and %s over one window are not supported.", first.Name, f.Name)
			}
		}
		f.Eval = windowKind[f.Eval]
		bounded := !over.Frame.Lower.Unbounded || !over.Frame.Upper.Unbounded
		if bounded { // the frame's rows are those from behind - count on
			upTo := *over.Frame
			upTo.Lower = plan.Bound{Unbounded: true}
			behind := count(&upTo)
			first := &plan.Call{Name: "-", Args: []plan.Expr{behind, count(over.Frame)}, T: types.Long}
			c.Args = append([]plan.Expr{integer(first), integer(behind)}, c.Args...)
			if f.ArgNames != nil {
				f.ArgNames = append([]string{"", ""}, f.ArgNames...)
			}
		}
		c.Python = &f
		al.Child = &c
		p.Exprs, p.Bounded = append(p.Exprs, &al), append(p.Bounded, bounded)
	}
	p.Input = in
	if len(counts.Exprs) > 0 {
		counts.Input = in
		for i, e := range counts.Exprs[:len(plain)] {
			al := *e.(*plan.Alias)
			over := *al.Child.(*plan.Window)
			over.Partition = keys
			al.Child, counts.Exprs[i] = &over, &al
		}
		n, err := x.extract(counts)
		if err != nil {
			return nil, err
		}
		p.Input = n
	}
	n, err := x.extract(p)
	if err != nil {
		return nil, err
	}
	return projectTo(n, out), nil
}

func integer(e plan.Expr) plan.Expr {
	return &plan.Cast{Child: e, To: types.Integer, Mode: plan.ModeANSI}
}

// windowKind is what PySpark calls a function of groups over windows.
var windowKind = map[int]int{plan.PandasGroupedAgg: plan.PandasWindowAgg, plan.ArrowGroupedAgg: plan.ArrowWindowAgg}

// pythonAggregate makes an aggregation by functions of Python one of its own kind.
func pythonAggregate(g *plan.Aggregate) (plan.Node, error) {
	var calls, others []*plan.Call
	for _, e := range g.Exprs {
		if al, ok := e.(*plan.Alias); ok {
			if c, ok := al.Child.(*plan.Call); ok && c.Python != nil {
				calls = append(calls, c)
			} else if ok && c.Aggregate {
				others = append(others, c)
			}
		}
	}
	if len(calls) == 0 {
		return g, nil
	}
	if len(others) > 0 {
		names := make([]string, len(calls))
		for i, c := range calls {
			names[i] = types.Quote(c.Python.Name)
		}
		return nil, errs.New("INVALID_PANDAS_UDF_PLACEMENT", "functionList", strings.Join(names, ", "))
	}
	first := calls[0].Python
	for _, c := range calls {
		if c.Python.Eval != first.Eval || c.Python.Version != first.Version || len(calls) > 1 && first.Alone() {
			return nil, errs.Unsupportedf("The Python functions %s and %s in one aggregation are not supported.", first.Name, c.Python.Name)
		}
		if c.Filter != nil {
			return nil, errs.Unsupportedf("FILTER after the Python function %s is not supported.", c.Python.Name)
		}
	}
	if g.Sets != nil {
		return nil, errs.Unsupportedf("The Python function %s over grouping sets is not supported.", first.Name)
	}
	return &plan.PythonAggregate{Input: g.Input, Groups: g.Groups, Exprs: g.Exprs}, nil
}
