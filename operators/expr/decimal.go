package expr

import (
	"math/bits"
	"strconv"

	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"millrace/errs"
	"millrace/types"
	"millrace/vector"
)

// decimalArithmetic builds +, - and * of decimals of any precisions and scales.
func decimalArithmetic(c *Call) (Kernel, error) {
	a, b, o := c.Args[0], c.Args[1], c.Out
	exact := o.Precision < types.MaxPrecision // the result's type has room for any result
	switch {
	case c.Name == "*" && exact && fitsShort(a, b, o):
		return floatLike(mulShort), nil
	case c.Name == "*" && exact && fitsShort(a, b):
		return mulToWide, nil
	case c.Name != "*" && exact && fitsShort(a, b, o):
		return shortSum(c.Name == "-", int64(powers[o.Scale-a.Scale]), int64(powers[o.Scale-b.Scale])), nil
	case c.Name == "*" && a.Scale+b.Scale == o.Scale && o.Precision == types.MaxPrecision:
		return mulNarrow(decimalKernel(c, mulDecimal(a, b, o))), nil
	case c.Name == "*":
		return decimalKernel(c, mulDecimal(a, b, o)), nil
	}
	return decimalKernel(c, addDecimal(a, b, o, c.Name == "-")), nil
}

// floatLike runs a loop that cannot fail over 64-bit integers.
func floatLike(loop func(a, b []int64, am, bm int, sel []uint32, out []int64)) Kernel {
	return func(_ *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		a, b := args[0], args[1]
		loop(vector.Values[int64](a), vector.Values[int64](b), stride(a), stride(b), sel, vector.Values[int64](out)[:n])
		return nil
	}
}

// shortSum adds or subtracts decimals of 64 bits, each brought to the result's scale by its factor.
func shortSum(subtract bool, af, bf int64) Kernel {
	if subtract {
		bf = -bf
	}
	if af == 1 && bf == 1 {
		return floatLike(addShort)
	}
	if af == 1 && bf == -1 {
		return floatLike(subShort)
	}
	return floatLike(func(a, b []int64, am, bm int, sel []uint32, out []int64) {
		if sel == nil {
			for i := range out {
				out[i] = a[i&am]*af + b[i&bm]*bf
			}
			return
		}
		for _, i := range sel {
			out[i] = a[int(i)&am]*af + b[int(i)&bm]*bf
		}
	})
}

// mulToWide multiplies decimals of 64 bits to one of 128.
func mulToWide(_ *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
	a, b := vector.Values[int64](args[0]), vector.Values[int64](args[1])
	mulWide(a, b, stride(args[0]), stride(args[1]), sel, vector.Values[wide](out)[:n])
	return nil
}

func mulWide(a, b []int64, am, bm int, sel []uint32, r []wide) {
	if sel == nil {
		for i := range r {
			x, y := a[i&am], b[i&bm]
			r[i] = decimal128.New(mulHigh(x, y), uint64(x*y))
		}
		return
	}
	for _, i := range sel {
		x, y := a[int(i)&am], b[int(i)&bm]
		r[i] = decimal128.New(mulHigh(x, y), uint64(x*y))
	}
}

// mulNarrow multiplies decimals of 38 digits of which all in a batch fit in 64 bits, as most do: then the type has room for the products. Other batches
// are left to another kernel.
func mulNarrow(other Kernel) Kernel {
	var x, y []int64
	return func(ctx *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		a, okA := narrowed(args[0], sel, n, &x)
		b, okB := narrowed(args[1], sel, n, &y)
		if !okA || !okB {
			return other(ctx, args, sel, n, out)
		}
		mulWide(a, b, stride(args[0]), stride(args[1]), sel, vector.Values[wide](out)[:n])
		return nil
	}
}

// narrowed is decimals as 64-bit integers, in room where they are longer; false where one does not fit.
func narrowed(v *vector.Vector, sel []uint32, n int, room *[]int64) ([]int64, bool) {
	if v.Type.IsShortDecimal() {
		return vector.Values[int64](v), true
	}
	if cap(*room) < n {
		*room = make([]int64, n+n/4)
	}
	values, low, over := vector.Values[wide](v), (*room)[:n], int64(0)
	if v.Const {
		sel, n = nil, min(n, 1)
	}
	if sel == nil {
		for i, x := range values[:n] {
			low[i] = int64(x.LowBits())
			over |= x.HighBits() ^ low[i]>>63
		}
		return low, over == 0
	}
	for _, i := range sel {
		low[i] = int64(values[i].LowBits())
		over |= values[i].HighBits() ^ low[i]>>63
	}
	return low, over == 0
}

// decimalOp computes one result; false when 128 bits or the result's digits do not suffice.
type decimalOp func(x, y wide) (wide, bool)

// decimalKernel runs an operation, and where it gives up the same by big integers.
func decimalKernel(c *Call, op decimalOp) Kernel {
	name := c.Name
	return func(_ *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		a, b, w := readDecimals(args[0]), readDecimals(args[1]), writeDecimals(out)
		return RowsErr(sel, n, func(i int) error {
			if out.Valid != nil && !out.Valid.Get(i) {
				return nil
			}
			x, y := a.at(i), b.at(i)
			r, ok := op(x, y)
			if !ok {
				exact := exactDecimal(name, x, args[0].Type.Scale, y, args[1].Type.Scale)
				if r, ok = exact.fit(c.Out); !ok {
					return failOr(c, out, i, func() error { return outOfRange(exact.String(), c.Out) })
				}
			}
			w.set(i, r)
			return nil
		})
	}
}

// outOfRange is the error of a decimal that its type has no room for.
func outOfRange(value string, t *types.Type) error {
	return errs.New("NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION", "value", value, "precision", strconv.Itoa(t.Precision), "scale", strconv.Itoa(t.Scale), "config", ansiConfig)
}

func addDecimal(a, b, o *types.Type, subtract bool) decimalOp {
	scale := max(a.Scale, b.Scale)
	up, down, drop := scale-a.Scale, scale-b.Scale, scale-o.Scale
	limit := widePowers[o.Precision]
	return func(x, y wide) (wide, bool) {
		u, ok1 := magnitude(x).scaleUp(up)
		v, ok2 := magnitude(y).scaleUp(down)
		if !ok1 || !ok2 || u.hi>>62 != 0 || v.hi>>62 != 0 {
			return x, false
		}
		r := u.signed(x.HighBits() < 0)
		if s := v.signed(y.HighBits() < 0); subtract {
			r = r.Sub(s)
		} else {
			r = r.Add(s)
		}
		m := magnitude(r).scaleDown(drop)
		return m.signed(r.HighBits() < 0), m.less(limit)
	}
}

func mulDecimal(a, b, o *types.Type) decimalOp {
	drop, limit := a.Scale+b.Scale-o.Scale, widePowers[o.Precision]
	return func(x, y wide) (wide, bool) {
		u, v := magnitude(x), magnitude(y)
		if u.hi != 0 {
			u, v = v, u
		}
		if u.hi != 0 {
			return x, false
		}
		r, ok := v.times(u.lo)
		if !ok {
			return x, false
		}
		r = r.scaleDown(drop)
		return r.signed((x.HighBits() < 0) != (y.HighBits() < 0)), r.less(limit)
	}
}

// decimalDivision builds /, div, % and pmod of decimals.
func decimalDivision(c *Call) (Kernel, error) {
	a, b, o := c.Args[0], c.Args[1], c.Out
	zero := divideByZero
	var op Kernel
	switch c.Name {
	case "/":
		op = decimalKernel(c, divDecimal(a, b, o))
	case "div":
		op = integralDecimal()
	default:
		op = decimalKernel(c, modDecimal(a, b, o, c.Name == "pmod"))
		zero = remainderByZero
	}
	var rows []uint32
	return func(ctx *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		d := readDecimals(args[1])
		rows = growSel(rows, n)[:0]
		err := RowsErr(sel, n, func(i int) error {
			if d.at(i) == (wide{}) {
				return failOr(c, out, i, zero)
			}
			rows = append(rows, uint32(i))
			return nil
		})
		if err != nil {
			return err
		}
		return op(ctx, args, rows, n, out)
	}, nil
}

func divDecimal(a, b, o *types.Type) decimalOp {
	up, limit := o.Scale-a.Scale+b.Scale, widePowers[o.Precision]
	return func(x, y wide) (wide, bool) {
		d := magnitude(y)
		if up < 0 || d.hi != 0 || d.lo>>63 != 0 {
			return x, false
		}
		u, ok := magnitude(x).scaleUp(up)
		if !ok {
			return x, false
		}
		q, r := u.over(d.lo)
		if 2*r >= d.lo {
			var carry uint64
			q.lo, carry = bits.Add64(q.lo, 1, 0)
			q.hi += carry
		}
		return q.signed((x.HighBits() < 0) != (y.HighBits() < 0)), q.less(limit)
	}
}

func modDecimal(a, b, o *types.Type, positive bool) decimalOp {
	scale := max(a.Scale, b.Scale)
	return func(x, y wide) (wide, bool) {
		u, ok1 := magnitude(x).scaleUp(scale - a.Scale)
		d, ok2 := magnitude(y).scaleUp(scale - b.Scale)
		if !ok1 || !ok2 || d.hi != 0 || o.Scale != scale || positive && x.HighBits() < 0 {
			return x, false
		}
		_, r := u.over(d.lo)
		m := u128{0, r}
		return m.signed(x.HighBits() < 0), m.less(widePowers[o.Precision])
	}
}

func integralDecimal() Kernel {
	return func(_ *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		a, b, r := readDecimals(args[0]), readDecimals(args[1]), vector.Values[int64](out)
		Rows(sel, n, func(i int) {
			q := exactDecimal("div", a.at(i), args[0].Type.Scale, b.at(i), args[1].Type.Scale)
			r[i] = int64(decimal128.FromBigInt(q.unscaled).LowBits()) // Spark takes the low 64 bits
		})
		return nil
	}
}
