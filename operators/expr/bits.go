package expr

import (
	"math/bits"
	"strconv"

	"millrace/errs"
	"millrace/types"
	"millrace/vector"
)

func init() {
	for name, f := range map[string]func(x, y int64) int64{"&": func(x, y int64) int64 { return x & y },
		"|": func(x, y int64) int64 { return x | y }, "^": func(x, y int64) int64 { return x ^ y }} {
		Register(name, Func{Strict: true, Total: true, Pure: true, Build: func(*Call) (Kernel, error) { return bitwise(f), nil }})
	}
	Register("~", Func{Strict: true, Total: true, Pure: true, Build: func(*Call) (Kernel, error) { return bitNot, nil }})
	for _, name := range []string{"shiftleft", "shiftright", "shiftrightunsigned"} {
		Register(name, Func{Strict: true, Total: true, Pure: true, Build: shift})
	}
	Register("bit_count", Func{Strict: true, Total: true, Pure: true, Build: func(*Call) (Kernel, error) { return bitCount, nil }})
	Register("bit_get", Func{Strict: true, Pure: true, Build: func(*Call) (Kernel, error) { return bitGet, nil }})
}

func bitwise(f func(x, y int64) int64) Kernel {
	return func(_ *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		a, b := args[0], args[1]
		Rows(sel, n, func(i int) { setNumber(out, i, f(intAt(a, a.Row(i)), intAt(b, b.Row(i)))) })
		return nil
	}
}

func bitNot(_ *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
	Rows(sel, n, func(i int) { setNumber(out, i, ^intAt(args[0], args[0].Row(i))) })
	return nil
}

// shift builds the shifts of int and bigint, whose distance is taken modulo the width.
func shift(c *Call) (Kernel, error) {
	var f func(x int64, by uint) int64
	long := c.Args[0].Kind == types.KindLong
	switch c.Name {
	case "shiftleft":
		f = func(x int64, by uint) int64 { return x << by }
	case "shiftright":
		f = func(x int64, by uint) int64 { return x >> by }
	default:
		f = func(x int64, by uint) int64 {
			if long {
				return int64(uint64(x) >> by)
			}
			return int64(int32(uint32(x) >> by))
		}
	}
	mask := int64(31)
	if long {
		mask = 63
	}
	return func(_ *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		a, b := args[0], args[1]
		Rows(sel, n, func(i int) { setNumber(out, i, f(intAt(a, a.Row(i)), uint(intAt(b, b.Row(i))&mask))) })
		return nil
	}, nil
}

func bitCount(_ *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
	v, r := args[0], vector.Values[int32](out)
	one := v.Type.Kind == types.KindBoolean
	Rows(sel, n, func(i int) {
		x := intAt(v, v.Row(i))
		if one {
			x &= 1
		}
		r[i] = int32(bits.OnesCount64(uint64(x)))
	})
	return nil
}

func bitGet(_ *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
	a, b, r := args[0], args[1], vector.Values[int8](out)
	width := int64(8 * vector.Width(a.Type))
	return RowsErr(sel, n, func(i int) error {
		at := intAt(b, b.Row(i))
		if at < 0 || at >= width {
			return errs.New("INVALID_PARAMETER_VALUE.BIT_POSITION_RANGE", "functionName", "`bit_get`", "parameter", "`pos`",
				"upper", strconv.Itoa(int(width)), "invalidValue", strconv.Itoa(int(at)))
		}
		r[i] = int8(intAt(a, a.Row(i)) >> at & 1)
		return nil
	})
}
