package expr

import (
	"millrace/types"
	"millrace/vector"
)

func init() {
	Register("greatest", Func{Pure: true, Build: func(c *Call) (Kernel, error) { return extremum(c, 1), nil }})
	Register("least", Func{Pure: true, Build: func(c *Call) (Kernel, error) { return extremum(c, -1), nil }})
	Register("nullif", Func{Lazy: nullIf})
	Register("nullifzero", Func{Lazy: nullIfZero})
	Register("zeroifnull", Func{Lazy: zeroIfNull})
	Register("nanvl", Func{Lazy: nanvl})
	Register("isnan", Func{Pure: true, Build: isNaN})
	Register("between", Func{Lazy: between})
}

// extremum picks the greatest (want 1) or least (want -1) argument that is not null.
func extremum(c *Call, want int) Kernel {
	var m mixer
	return func(_ *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		m.reset(n)
		for _, a := range args {
			m.add(a, false, []uint32{}, n)
		}
		m.add(vector.NewNull(types.Null, n), true, nil, n)
		none := uint8(len(args))
		Rows(sel, n, func(i int) {
			best := none
			for k, a := range args {
				if a.IsNull(i) {
					continue
				}
				if best == none || CompareRows(a, i, args[best], i)*want > 0 {
					best = uint8(k)
				}
			}
			m.from[i] = best
		})
		mix(out, c.Out, m.parts, m.from, sel, n)
		return nil
	}
}

// derived is a call that a form makes of its own arguments.
func derived(c *Call, name string, out *types.Type, args ...Evaluator) (Evaluator, error) {
	d := &Call{Name: name, Out: out, Mode: c.Mode, Settings: c.Settings, Origin: c.Origin}
	for _, a := range args {
		d.Args = append(d.Args, a.Type())
		var value *vector.Vector
		if k, ok := a.(*constant); ok {
			value = &k.v
		}
		d.Consts = append(d.Consts, value)
	}
	f := funcs[name]
	if f.Lazy != nil {
		return f.Lazy(d, args)
	}
	kernel, err := f.Build(d)
	if err != nil {
		return nil, err
	}
	return newCall(d, f, kernel, args), nil
}

// nullIf compares its first argument, converted to the type of the second, with the second.
func nullIf(c *Call, args []Evaluator) (Evaluator, error) {
	left, err := derived(c, "cast", args[1].Type(), args[0])
	if err != nil {
		return nil, err
	}
	equal, err := derived(c, "=", types.Boolean, left, args[1])
	if err != nil {
		return nil, err
	}
	return &caseWhen{t: c.Out, when: []Predicate{predicateOf(equal, false)}, then: []Evaluator{nullOf(c.Out), args[0]}}, nil
}

func nullOf(t *types.Type) Evaluator { return &constant{*vector.NewNull(t, 1)} }

func zeroOf(c *Call, t *types.Type) (Evaluator, error) {
	v := vector.FromSlice(types.Integer, []int32{0})
	v.Const = true
	return derived(c, "cast", t, &constant{*v})
}

func nullIfZero(c *Call, args []Evaluator) (Evaluator, error) {
	t := args[0].Type()
	if name := c.Options["type"]; name != "" {
		var err error
		if t, err = types.ParseJSON([]byte(name)); err != nil {
			return nil, err
		}
	}
	zero, err := zeroOf(c, t)
	if err != nil {
		return nil, err
	}
	return nullIf(c, []Evaluator{args[0], zero})
}

func zeroIfNull(c *Call, args []Evaluator) (Evaluator, error) {
	zero, err := zeroOf(c, c.Out)
	if err != nil {
		return nil, err
	}
	return &coalesce{t: c.Out, args: []Evaluator{args[0], zero}}, nil
}

// between is x >= low and x <= high, x being converted to the type of either bound.
func between(c *Call, args []Evaluator) (Evaluator, error) {
	low, err := bound(c, ">=", args[0], args[1])
	if err != nil {
		return nil, err
	}
	high, err := bound(c, "<=", args[0], args[2])
	if err != nil {
		return nil, err
	}
	return &logic{args: []Evaluator{low, high}, and: true}, nil
}

func bound(c *Call, op string, x, limit Evaluator) (Evaluator, error) {
	x, err := derived(c, "cast", limit.Type(), x)
	if err != nil {
		return nil, err
	}
	return derived(c, op, types.Boolean, x, limit)
}

// nanvl is its first argument, or the second, which is computed only there, where the first is NaN.
func nanvl(c *Call, args []Evaluator) (Evaluator, error) {
	is, err := derived(c, "isnan", types.Boolean, args[0])
	if err != nil {
		return nil, err
	}
	return &caseWhen{t: c.Out, when: []Predicate{predicateOf(is, false)}, then: []Evaluator{args[1], args[0]}}, nil
}

// isNaN is false for null.
func isNaN(c *Call) (Kernel, error) {
	if !c.Args[0].IsFloating() {
		return nil, noKernel(c)
	}
	return func(_ *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		r := vector.Values[bool](out)
		Rows(sel, n, func(i int) {
			x := floatAt(args[0], args[0].Row(i))
			r[i] = x != x && !args[0].IsNull(i)
		})
		return nil
	}, nil
}
