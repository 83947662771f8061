package expr

import (
	"math"
	"math/big"

	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"millrace/types"
	"millrace/vector"
)

// castPlainNumber widens integers and converts among integers and floats without a check.
func castPlainNumber(e castEnv) caster {
	switch e.from.Kind {
	case types.KindByte:
		return plainFrom[int8](e.to)
	case types.KindShort:
		return plainFrom[int16](e.to)
	case types.KindInteger:
		return plainFrom[int32](e.to)
	case types.KindLong:
		return plainFrom[int64](e.to)
	case types.KindFloat:
		return plainFrom[float32](e.to)
	}
	return plainFrom[float64](e.to)
}

func plainFrom[T interface {
	number
	vector.Fixed
}](to *types.Type) caster {
	switch to.Kind {
	case types.KindShort:
		return convertNumbers[T, int16]
	case types.KindInteger:
		return convertNumbers[T, int32]
	case types.KindLong:
		return convertNumbers[T, int64]
	case types.KindFloat:
		return convertNumbers[T, float32]
	}
	return convertNumbers[T, float64]
}

func convertNumbers[T, U interface {
	number
	vector.Fixed
}](in *vector.Vector, sel []uint32, n int, out *vector.Vector) error {
	a, r := vector.Values[T](in)[:n], vector.Values[U](out)[:n]
	if sel == nil {
		for i, x := range a {
			r[i] = U(x)
		}
		return nil
	}
	for _, i := range sel {
		r[i] = U(a[i])
	}
	return nil
}

// castUpShort gives short decimals more fractional digits.
func castUpShort(e castEnv) caster {
	f := int64(powers[e.to.Scale-e.from.Scale])
	return func(in *vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		a, r := vector.Values[int64](in)[:n], vector.Values[int64](out)[:n]
		if sel == nil {
			for i, x := range a {
				r[i] = x * f
			}
			return nil
		}
		for _, i := range sel {
			r[i] = a[i] * f
		}
		return nil
	}
}

// castNumber is the conversions among booleans, numbers and decimals that need a check; nil for others.
func castNumber(e castEnv) caster {
	from, to := e.from, e.to
	switch {
	case from.Kind == types.KindBoolean && (to.IsNumeric() || to.Kind == types.KindTimestamp):
		return castBoolean(e)
	case to.Kind == types.KindBoolean && from.IsNumeric():
		return castToBoolean(e)
	case from.IsIntegral() && to.IsIntegral():
		return castNarrow(e)
	case from.IsFloating() && to.IsIntegral():
		return castTruncate(e)
	case from.IsNumeric() && to.Kind == types.KindDecimal:
		return castToDecimal(e)
	case from.Kind == types.KindDecimal && to.IsFloating():
		return castDecimalToFloat(e)
	case from.Kind == types.KindDecimal && to.IsIntegral():
		return castDecimalToInt(e)
	case from.IsIntegral() && to.Kind == types.KindBinary:
		return castToBytes
	}
	return nil
}

func castBoolean(e castEnv) caster {
	return func(in *vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		a := vector.Values[bool](in)
		return RowsErr(sel, n, func(i int) error {
			x := int64(b2i(a[i]))
			if e.to.Kind != types.KindDecimal {
				setNumber(out, i, x)
				return nil
			}
			r, ok := rescale(wideOf(x), 0, e.to.Scale, e.to.Precision)
			if !ok {
				return e.reject(out, i, func() error { return outOfRange("1", e.to) })
			}
			w := writeDecimals(out)
			w.set(i, r)
			return nil
		})
	}
}

// setNumber stores an integer in a slot of any numeric type.
func setNumber(out *vector.Vector, i int, x int64) {
	switch {
	case out.Type.Kind == types.KindFloat:
		vector.Values[float32](out)[i] = float32(x)
	case out.Type.Kind == types.KindDouble:
		vector.Values[float64](out)[i] = float64(x)
	default:
		switch vector.Width(out.Type) {
		case 1:
			vector.Values[int8](out)[i] = int8(x)
		case 2:
			vector.Values[int16](out)[i] = int16(x)
		case 4:
			vector.Values[int32](out)[i] = int32(x)
		case 8:
			vector.Values[int64](out)[i] = x
		case 16:
			vector.Values[wide](out)[i] = decimal128.FromI64(x)
		}
	}
}

func castToBoolean(e castEnv) caster {
	return func(in *vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		r := vector.Values[bool](out)
		Rows(sel, n, func(i int) {
			switch {
			case e.from.IsFloating():
				r[i] = floatAt(in, i) != 0
			case e.from.Kind == types.KindDecimal && !e.from.IsShortDecimal():
				r[i] = vector.Values[wide](in)[i] != wide{}
			default:
				r[i] = intAt(in, i) != 0
			}
		})
		return nil
	}
}

// intLimits are the least and the greatest value of an integral type.
func intLimits(t *types.Type) (int64, int64) {
	switch t.Kind {
	case types.KindByte:
		return math.MinInt8, math.MaxInt8
	case types.KindShort:
		return math.MinInt16, math.MaxInt16
	case types.KindInteger:
		return math.MinInt32, math.MaxInt32
	}
	return math.MinInt64, math.MaxInt64
}

// castNarrow makes integers smaller; before ANSI they wrap.
func castNarrow(e castEnv) caster {
	lo, hi := intLimits(e.to)
	return func(in *vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		return RowsErr(sel, n, func(i int) error {
			x := intAt(in, i)
			if (x < lo || x > hi) && e.Mode != modeLegacy {
				return e.reject(out, i, func() error { return e.overflow(integerLiteral(x, e.from)) })
			}
			setNumber(out, i, x)
			return nil
		})
	}
}

// reject is the error under ANSI; else row i becomes null.
func (e castEnv) reject(out *vector.Vector, i int, fail func() error) error {
	return failOr(e.Call, out, i, fail)
}

// castTruncate drops the fraction of floats; before ANSI what is out of range becomes the nearest integer of 32 or 64 bits, then wraps.
func castTruncate(e castEnv) caster {
	lo, hi := intLimits(e.to)
	return func(in *vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		return RowsErr(sel, n, func(i int) error {
			x := floatAt(in, i)
			if e.Mode == modeLegacy {
				setNumber(out, i, javaInteger(x, e.to.Kind == types.KindLong))
				return nil
			}
			if !(math.Floor(x) <= float64(hi) && math.Ceil(x) >= float64(lo)) {
				return e.reject(out, i, func() error { return e.overflow(floatLiteral(x, e.from)) })
			}
			setNumber(out, i, javaInteger(x, e.to.Kind == types.KindLong))
			return nil
		})
	}
}

// javaInteger is Java's conversion of a double to long or int: NaN is 0 and the rest is clamped.
func javaInteger(x float64, long bool) int64 {
	lo, hi := int64(math.MinInt32), int64(math.MaxInt32)
	if long {
		lo, hi = math.MinInt64, math.MaxInt64
	}
	switch {
	case x != x:
		return 0
	case x >= float64(hi):
		return hi
	case x <= float64(lo):
		return lo
	}
	return int64(x)
}

// castToDecimal converts integers, floats and decimals to a decimal, rounding half up.
func castToDecimal(e castEnv) caster {
	return func(in *vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		w := writeDecimals(out)
		read := decimalReader(e.from, in)
		return RowsErr(sel, n, func(i int) error {
			if e.from.IsFloating() {
				return e.floatToDecimal(floatAt(in, i), i, out, &w)
			}
			x := read(i)
			r, ok := rescale(x, e.from.Scale, e.to.Scale, e.to.Precision)
			if !ok {
				return e.reject(out, i, func() error { return outOfRange(string(FormatDecimal(nil, x, e.from.Scale)), e.to) })
			}
			w.set(i, r)
			return nil
		})
	}
}

// decimalReader reads decimals, or integers as such of scale 0.
func decimalReader(t *types.Type, v *vector.Vector) func(i int) wide {
	if t.Kind == types.KindDecimal {
		d := readDecimals(v)
		return func(i int) wide { return d.at(i) }
	}
	return func(i int) wide { return decimal128.FromI64(intAt(v, v.Row(i))) }
}

func (e castEnv) floatToDecimal(x float64, i int, out *vector.Vector, w *decimalWriter) error {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		out.SetNull(i)
		return nil
	}
	r, exact, ok := decimalOfFloat(x, e.to)
	if !ok {
		return e.reject(out, i, func() error { return outOfRange(exact.String(), e.to) })
	}
	w.set(i, r)
	return nil
}

// decimalOfFloat converts by the digits that the float is shown with.
func decimalOfFloat(x float64, t *types.Type) (wide, exact, bool) {
	v, ok := parseExact(AppendDouble(nil, x))
	if !ok {
		return wide{}, exact{new(big.Int), 0}, false
	}
	r, fits := v.fit(t)
	return r, v, fits
}

func castDecimalToFloat(e castEnv) caster {
	return func(in *vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		d := readDecimals(in)
		Rows(sel, n, func(i int) {
			x := DecimalToFloat(d.at(i), e.from.Scale)
			if e.to.Kind == types.KindFloat {
				vector.Values[float32](out)[i] = float32(x)
			} else {
				vector.Values[float64](out)[i] = x
			}
		})
		return nil
	}
}

// floatPowers are the powers of ten that a double holds exactly.
var floatPowers = [...]float64{1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22}

// DecimalToFloat is the nearest double of an unscaled decimal.
func DecimalToFloat(x wide, scale int) float64 {
	m := magnitude(x)
	if m.hi == 0 && m.lo < 1<<53 && scale < len(floatPowers) {
		f := float64(m.lo) / floatPowers[scale]
		if x.HighBits() < 0 {
			return -f
		}
		return f
	}
	f, _ := parseDouble(FormatDecimal(nil, x, scale))
	return f
}

// castDecimalToInt drops the fraction; before ANSI the whole part wraps.
func castDecimalToInt(e castEnv) caster {
	lo, hi := intLimits(e.to)
	return func(in *vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		d := readDecimals(in)
		return RowsErr(sel, n, func(i int) error {
			x := d.at(i)
			whole := wholePart(x, e.from.Scale)
			v := int64(whole.LowBits())
			fits := whole.HighBits() == v>>63 && v >= lo && v <= hi
			if !fits && e.Mode != modeLegacy {
				return e.reject(out, i, func() error { return e.overflow(string(FormatDecimal(nil, x, e.from.Scale)) + "BD") })
			}
			setNumber(out, i, v)
			return nil
		})
	}
}

// wholePart is a decimal's integral part.
func wholePart(x wide, scale int) wide {
	u := magnitude(x)
	for ; scale > 0; scale -= 19 {
		u, _ = u.over(powers[min(scale, 19)])
	}
	return u.signed(x.HighBits() < 0)
}

// castToBytes is the big-endian form of integers (before ANSI only).
func castToBytes(in *vector.Vector, sel []uint32, n int, out *vector.Vector) error {
	w := NewStringWriter(out, n)
	Rows(sel, n, func(i int) {
		x, buf := intAt(in, i), w.Buffer()
		for shift := 8 * (vector.Width(in.Type) - 1); shift >= 0; shift -= 8 {
			buf = append(buf, byte(x>>shift))
		}
		w.Commit(i, buf)
	})
	w.Close()
	return nil
}
