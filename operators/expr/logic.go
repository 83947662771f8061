package expr

import (
	"millrace/types"
	"millrace/vector"
)

func init() {
	Register("and", Func{Lazy: func(_ *Call, args []Evaluator) (Evaluator, error) { return &logic{args: args, and: true}, nil }})
	Register("or", Func{Lazy: func(_ *Call, args []Evaluator) (Evaluator, error) { return &logic{args: args}, nil }})
	Register("not", Func{Strict: true, Total: true, Pure: true, Build: func(c *Call) (Kernel, error) { return notKernel, nil }})
	Register("isnull", Func{Pure: true, Build: func(c *Call) (Kernel, error) { return nullKernel(true), nil }})
	Register("isnotnull", Func{Pure: true, Build: func(c *Call) (Kernel, error) { return nullKernel(false), nil }})
}

func notKernel(_ *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
	a, r, m := vector.Values[uint8](args[0]), vector.Values[uint8](out), stride(args[0])
	if args[0].Type.Kind == types.KindNull {
		return nil
	}
	if sel == nil {
		for i := range r[:n] {
			r[i] = a[i&m]&1 ^ 1
		}
		return nil
	}
	for _, i := range sel {
		r[i] = a[int(i)&m]&1 ^ 1
	}
	return nil
}

func nullKernel(null bool) Kernel {
	return func(_ *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		v, r := args[0], vector.Values[bool](out)
		switch {
		case !v.HasNulls() || v.Const || v.Type.Kind == types.KindNull:
			is := v.HasNulls() && v.IsNull(0)
			for i := range r[:n] {
				r[i] = is == null
			}
		case v.Dict != nil && v.Dict.Valid != nil:
			Rows(sel, n, func(i int) { r[i] = v.IsNull(i) == null })
		default:
			for i := range r[:n] {
				r[i] = v.Valid.Get(i) != null
			}
		}
		return nil
	}
}

// logic is and, or of any number of terms in Spark's three-valued logic; a term sees only rows that those before it left open.
type logic struct {
	args []Evaluator
	and  bool
	out  vector.Vector
	open []uint32
}

var _ Evaluator = (*logic)(nil)

func (e *logic) Type() *types.Type { return types.Boolean }

func (e *logic) Eval(ctx *Ctx, b *vector.Batch, sel []uint32) (*vector.Vector, error) {
	out := &e.out
	valid := out.Valid
	out.Reset(types.Boolean, b.N)
	if len(valid) < (b.N+63)/64 {
		valid = vector.NewBitmap(b.N)
	}
	out.Valid = valid
	r := vector.Values[bool](out)
	Rows(sel, b.N, func(i int) { r[i] = e.and; valid.Set(i) })
	open := sel
	for _, a := range e.args {
		v, err := a.Eval(ctx, b, open)
		if err != nil {
			return nil, err
		}
		if open = e.step(v, open, b.N); len(open) == 0 {
			break
		}
	}
	return out, nil
}

// step takes a term's values in and returns the rows that later terms may still change.
func (e *logic) step(v *vector.Vector, open []uint32, n int) []uint32 {
	r, valid := vector.Values[bool](&e.out), e.out.Valid
	size := n
	if open != nil {
		size = len(open)
	}
	next := growSel(e.open, size)
	k := 0
	vals, m, nulls := vector.Values[bool](v), stride(v), v.HasNulls()
	Rows(open, n, func(i int) {
		next[k] = uint32(i)
		switch {
		case nulls && v.IsNull(i):
			valid.Clear(i)
			k++
		case vals[i&m] == e.and:
			k++
		default: // decided: false for and, true for or
			r[i] = !e.and
			valid.Set(i)
		}
	})
	e.open = next
	return next[:k]
}
