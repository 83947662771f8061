package expr

import (
	"math"

	"millrace/errs"
	"millrace/types"
	"millrace/vector"
)

func init() {
	Register("positive", Func{Lazy: func(_ *Call, args []Evaluator) (Evaluator, error) { return args[0], nil }})
	Register("negative", Func{Strict: true, Pure: true, Build: func(c *Call) (Kernel, error) { return signKernel(c, false) }})
	Register("abs", Func{Strict: true, Pure: true, Build: func(c *Call) (Kernel, error) { return signKernel(c, true) }})
}

// signKernel builds -x, or abs(x).
func signKernel(c *Call, abs bool) (Kernel, error) {
	switch t := c.Out; {
	case t.IsFloating():
		return floatSign(abs), nil
	case t.Kind == types.KindDecimal && !t.IsShortDecimal():
		return wideSign(abs), nil
	case t.Kind == types.KindCalendar:
		return negateCalendar, nil
	}
	lo := int64(math.MinInt64)
	switch vector.Width(c.Out) {
	case 1:
		lo = math.MinInt8
	case 2:
		lo = math.MinInt16
	case 4:
		lo = math.MinInt32
	case 8:
	default:
		return nil, noKernel(c)
	}
	return func(_ *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		v := args[0]
		return RowsErr(sel, n, func(i int) error {
			x := intAt(v, v.Row(i))
			switch {
			case abs && x >= 0:
			case x != lo:
				x = -x
			case c.Out.IsInterval():
				return errs.New("INTERVAL_ARITHMETIC_OVERFLOW.WITHOUT_SUGGESTION")
			case c.Mode != modeLegacy:
				return overflowError("overflow", "")
			}
			setNumber(out, i, x)
			return nil
		})
	}, nil
}

func floatSign(abs bool) Kernel {
	return func(_ *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		v := args[0]
		Rows(sel, n, func(i int) {
			x := floatAt(v, v.Row(i))
			if !abs || math.Signbit(x) {
				x = -x
			}
			setFloat(out, i, x)
		})
		return nil
	}
}

func wideSign(abs bool) Kernel {
	return func(_ *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		d, r := readDecimals(args[0]), vector.Values[wide](out)
		Rows(sel, n, func(i int) {
			x := d.at(i)
			if !abs || x.HighBits() < 0 {
				x = x.Negate()
			}
			r[i] = x
		})
		return nil
	}
}

func negateCalendar(_ *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
	a, r, m := vector.Values[vector.CalendarInterval](args[0]), vector.Values[vector.CalendarInterval](out), stride(args[0])
	Rows(sel, n, func(i int) {
		x := a[i&m]
		r[i] = vector.CalendarInterval{Months: -x.Months, Days: -x.Days, Micros: -x.Micros}
	})
	return nil
}
