package expr

import (
	"math"
	"strconv"

	"millrace/errs"
	"millrace/types"
	"millrace/vector"
)

// rounding is a way to round.
type rounding uint8

const (
	halfUp rounding = iota
	halfEven
	upward   // ceil
	downward // floor
)

func init() {
	for name, r := range map[string]rounding{"round": halfUp, "bround": halfEven, "ceil": upward, "floor": downward} {
		Register(name, Func{Strict: true, Pure: true, Build: func(c *Call) (Kernel, error) { return roundKernel(c, r) }})
	}
}

// roundKernel rounds its first argument to as many fractional digits as its second, a constant, says (none: 0).
func roundKernel(c *Call, how rounding) (Kernel, error) {
	scale := 0
	if len(c.Args) > 1 {
		if c.Consts[1] == nil {
			return nil, noKernel(c)
		}
		if c.Consts[1].IsNull(0) {
			return func(*Ctx, []*vector.Vector, []uint32, int, *vector.Vector) error { return nil }, nil
		}
		scale = int(intAt(c.Consts[1], 0))
	}
	switch t := c.Args[0]; {
	case t.Kind == types.KindDecimal:
		return roundDecimals(c, scale, how), nil
	case t.IsFloating() && c.Out.Kind == types.KindLong:
		return roundToLong(how), nil
	case t.IsFloating():
		return roundFloats(scale, how), nil
	case t.IsIntegral():
		return roundIntegers(c, scale, how), nil
	}
	return nil, noKernel(c)
}

// divideBy is u/10^k rounded, of a number with that sign.
func (how rounding) divideBy(u u128, k int, negative bool) u128 {
	if k == 0 {
		return u
	}
	if k > 39 {
		k = 39 // more digits than there are
	}
	q, sticky := u, false
	var r uint64
	for left := k - 1; left > 0; left -= 19 {
		q, r = q.over(powers[min(left, 19)])
		sticky = sticky || r != 0
	}
	q, digit := q.over(10)
	if how.away(digit, sticky, q.lo&1 == 1, negative) {
		if q.lo++; q.lo == 0 {
			q.hi++
		}
	}
	return q
}

// away reports whether a magnitude whose first dropped digit is given, with more that is not zero after it if sticky, is
// rounded away from zero.
func (how rounding) away(digit uint64, sticky, odd, negative bool) bool {
	switch how {
	case halfUp:
		return digit >= 5
	case halfEven:
		return digit > 5 || digit == 5 && (sticky || odd)
	case upward:
		return !negative && (digit > 0 || sticky)
	}
	return negative && (digit > 0 || sticky)
}

func roundDecimals(c *Call, scale int, how rounding) Kernel {
	from, to := c.Args[0].Scale, c.Out.Scale
	return func(_ *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		d, w := readDecimals(args[0]), writeDecimals(out)
		return RowsErr(sel, n, func(i int) error {
			x := d.at(i)
			negative := x.HighBits() < 0
			u := magnitude(x)
			at := from
			if scale < from {
				u, at = how.divideBy(u, from-scale, negative), scale
			}
			rounded := u
			u, ok := u.scaleUp(min(to-at, 39))
			if !ok || !u.less(widePowers[c.Out.Precision]) {
				return roundedTooFar(c, rounded, at, negative)
			}
			w.set(i, u.signed(negative))
			return nil
		})
	}
}

// roundedTooFar is the error of a decimal that rounding made longer than its type; in Spark it does not depend on ANSI.
func roundedTooFar(c *Call, u u128, scale int, negative bool) error {
	v := exact{u.big(), scale}
	original := v.unscaled.String()
	if scale < 0 {
		adjusted := len(original) - 1 - scale
		if len(original) > 1 {
			original = original[:1] + "." + original[1:]
		}
		original += "E+" + strconv.Itoa(adjusted)
	} else {
		original = v.String()
	}
	rounded := exact{v.rounded(c.Out.Scale), c.Out.Scale}.String()
	if negative {
		rounded, original = "-"+rounded, "-"+original
	}
	return errs.New("NUMERIC_VALUE_OUT_OF_RANGE.WITHOUT_SUGGESTION", "roundedValue", rounded, "originalValue", original,
		"precision", strconv.Itoa(c.Out.Precision), "scale", strconv.Itoa(c.Out.Scale))
}

// roundToLong is ceil and floor of floats; what is out of range becomes the nearest bigint.
func roundToLong(how rounding) Kernel {
	return func(_ *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		r := vector.Values[int64](out)
		Rows(sel, n, func(i int) {
			x := floatAt(args[0], args[0].Row(i))
			if how == upward {
				x = math.Ceil(x)
			} else {
				x = math.Floor(x)
			}
			r[i] = javaInteger(x, true)
		})
		return nil
	}
}

func roundFloats(scale int, how rounding) Kernel {
	return func(_ *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		Rows(sel, n, func(i int) { setFloat(out, i, roundFloat(floatAt(args[0], args[0].Row(i)), scale, how)) })
		return nil
	}
}

// roundFloat rounds the digits that a double is shown with; floats are taken as doubles.
func roundFloat(x float64, scale int, how rounding) float64 {
	if x != x || math.IsInf(x, 0) || x == 0 {
		return x
	}
	if scale >= 0 && scale <= 9 && (how == halfUp || how == halfEven) {
		// Away from ties and within 52 bits the nearest multiple is that of the digits, too.
		t := math.Abs(x) * floatPowers[scale]
		if r := math.Floor(t + 0.5); t < 1<<40 && math.Abs(t-math.Floor(t)-0.5) > 1e-3 {
			return math.Copysign(r/floatPowers[scale], x)
		}
	}
	var buf [32]byte
	s := strconv.AppendFloat(buf[:0], math.Abs(x), 'e', -1, 64)
	var digits uint64
	i, count := 0, 0
	for ; s[i] != 'e'; i++ {
		if s[i] != '.' {
			digits = digits*10 + uint64(s[i]-'0')
			count++
		}
	}
	exponent, _ := strconv.Atoi(string(s[i+1:]))
	drop := count - 1 - exponent - scale // digits after the last that is kept
	if drop <= 0 {
		return x
	}
	q := how.divideBy(u128{0, digits}, drop, x < 0)
	text := append(strconv.AppendUint(buf[:0], q.lo, 10), 'e')
	r, _ := strconv.ParseFloat(string(strconv.AppendInt(text, int64(-scale), 10)), 64)
	return math.Copysign(r, x)
}

func roundIntegers(c *Call, scale int, how rounding) Kernel {
	lo, hi := intLimits(c.Out)
	return func(_ *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		return RowsErr(sel, n, func(i int) error {
			x := intAt(args[0], args[0].Row(i))
			if scale < 0 {
				w := wideOf(x)
				u := how.divideBy(magnitude(w), -scale, x < 0)
				if u != (u128{}) {
					u, _ = u.scaleUp(-scale)
				}
				r := u.signed(x < 0)
				x = int64(r.LowBits())
				if (r.HighBits() != x>>63 || x < lo || x > hi) && c.Mode != modeLegacy {
					return failOr(c, out, i, func() error { return overflowError("Overflow", "") })
				}
			}
			setNumber(out, i, x)
			return nil
		})
	}
}
