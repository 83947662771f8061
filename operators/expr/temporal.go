package expr

import (
	"math"
	"math/big"
	"time"

	"millrace/errs"
	"millrace/types"
	"millrace/vector"
)

const (
	microsPerSecond = int64(1_000_000)
	microsPerDay    = 86_400 * microsPerSecond
)

func isTemporal(t *types.Type) bool {
	return t.Kind >= types.KindDate && t.Kind <= types.KindCalendar
}

func init() { Register("shift_text", Func{Lazy: shiftText}) }

// shiftText is a string plus or minus an interval: a string again.
func shiftText(c *Call, args []Evaluator) (Evaluator, error) {
	at, err := derived(c, c.Options["op"], types.Timestamp, args...)
	if err != nil {
		return nil, err
	}
	return derived(c, "cast", types.String, at)
}

// interval is a shift of all three units.
type interval struct {
	months, days int32
	micros       int64
}

// intervals reads a column of any interval type, negated for subtraction.
func intervals(v *vector.Vector, negate bool) func(i int) interval {
	m := stride(v)
	sign := int64(1)
	if negate {
		sign = -1
	}
	switch v.Type.Kind {
	case types.KindYearMonth:
		vals := vector.Values[int32](v)
		return func(i int) interval { return interval{months: int32(sign) * vals[i&m]} }
	case types.KindDayTime:
		vals := vector.Values[int64](v)
		return func(i int) interval { return interval{micros: sign * vals[i&m]} }
	case types.KindCalendar:
		vals := vector.Values[vector.CalendarInterval](v)
		return func(i int) interval {
			x := vals[i&m]
			return interval{int32(sign) * x.Months, int32(sign) * x.Days, sign * x.Micros}
		}
	}
	days := func(i int) int64 { return 0 }
	switch vector.Width(v.Type) {
	case 1:
		vals := vector.Values[int8](v)
		days = func(i int) int64 { return int64(vals[i&m]) }
	case 2:
		vals := vector.Values[int16](v)
		days = func(i int) int64 { return int64(vals[i&m]) }
	case 4:
		vals := vector.Values[int32](v)
		days = func(i int) int64 { return int64(vals[i&m]) }
	}
	return func(i int) interval { return interval{days: int32(sign * days(i))} }
}

// temporal builds arithmetic of dates, timestamps and intervals. Rows with nulls are passed over.
func temporal(c *Call) (Kernel, error) {
	a, b := c.Args[0], c.Args[1]
	var row func(args []*vector.Vector, out *vector.Vector) func(i int) error
	switch {
	case c.Name == "*" || c.Name == "/" || c.Name == "div":
		return scaling(c)
	case a.Kind == b.Kind && isInterval(a):
		row = sumIntervals(c)
	case c.Name == "-" && a.Kind == types.KindDate && b.Kind == types.KindDate:
		row = func(args []*vector.Vector, out *vector.Vector) func(int) error {
			x, y, r := vector.Values[int32](args[0]), vector.Values[int32](args[1]), vector.Values[int64](out)
			return func(i int) error {
				r[i] = (int64(x[i&stride(args[0])]) - int64(y[i&stride(args[1])])) * microsPerDay
				return nil
			}
		}
	case c.Name == "-" && c.Out.Kind == types.KindDayTime:
		row = differences(c)
	case c.Out.Kind == types.KindDate:
		row = shiftDates(c)
	default:
		row = shiftTimestamps(c)
	}
	return func(_ *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		f := row(args, out)
		return RowsErr(sel, n, func(i int) error {
			if out.Valid != nil && !out.Valid.Get(i) {
				return nil
			}
			err := f(i)
			if err != nil && c.Mode == modeTry {
				out.SetNull(i)
				return nil
			}
			return err
		})
	}, nil
}

func isInterval(t *types.Type) bool { return t.IsInterval() || t.Kind == types.KindCalendar }

func sumIntervals(c *Call) func(args []*vector.Vector, out *vector.Vector) func(int) error {
	return func(args []*vector.Vector, out *vector.Vector) func(int) error {
		x, y := intervals(args[0], false), intervals(args[1], false)
		minus := c.Name == "-"
		return func(i int) error {
			p, q := x(i), y(i)
			if minus {
				q = interval{-q.months, -q.days, -q.micros}
			}
			s := interval{p.months + q.months, p.days + q.days, p.micros + q.micros}
			if int64(s.months) != int64(p.months)+int64(q.months) || (p.micros^s.micros)&(q.micros^s.micros) < 0 || int64(s.days) != int64(p.days)+int64(q.days) {
				return errs.New("INTERVAL_ARITHMETIC_OVERFLOW.WITH_SUGGESTION", "functionName", "`"+tryNames[c.Name]+"`")
			}
			setInterval(out, i, s)
			return nil
		}
	}
}

func setInterval(out *vector.Vector, i int, s interval) {
	switch out.Type.Kind {
	case types.KindYearMonth:
		vector.Values[int32](out)[i] = s.months
	case types.KindDayTime:
		vector.Values[int64](out)[i] = s.micros
	default:
		vector.Values[vector.CalendarInterval](out)[i] = vector.CalendarInterval{Months: s.months, Days: s.days, Micros: s.micros}
	}
}

// differences subtracts timestamps: by the wall clock of the session's zone, as Spark does.
func differences(c *Call) func(args []*vector.Vector, out *vector.Vector) func(int) error {
	zone := Zone(c.Settings)
	if c.Args[0].Kind == types.KindTimestampNTZ {
		zone = time.UTC
	}
	return func(args []*vector.Vector, out *vector.Vector) func(int) error {
		x, y, r := vector.Values[int64](args[0]), vector.Values[int64](args[1]), vector.Values[int64](out)
		return func(i int) error {
			r[i] = LocalMicros(x[i&stride(args[0])], zone) - LocalMicros(y[i&stride(args[1])], zone)
			return nil
		}
	}
}

func shiftDates(c *Call) func(args []*vector.Vector, out *vector.Vector) func(int) error {
	return func(args []*vector.Vector, out *vector.Vector) func(int) error {
		date, by := args[0], args[1]
		if c.Args[0].Kind != types.KindDate {
			date, by = by, date
		}
		x, shift, r := vector.Values[int32](date), intervals(by, c.Name == "-"), vector.Values[int32](out)
		return func(i int) error {
			s := shift(i)
			days := int64(AddMonths(x[i&stride(date)], s.months)) + int64(s.days) + s.micros/microsPerDay
			if days != int64(int32(days)) && c.Mode != modeLegacy {
				return overflowError("integer overflow", "")
			}
			r[i] = int32(days)
			return nil
		}
	}
}

func shiftTimestamps(c *Call) func(args []*vector.Vector, out *vector.Vector) func(int) error {
	zone := Zone(c.Settings)
	if c.Out.Kind == types.KindTimestampNTZ {
		zone = time.UTC
	}
	return func(args []*vector.Vector, out *vector.Vector) func(int) error {
		at, by := args[0], args[1]
		if isInterval(c.Args[0]) {
			at, by = by, at
		}
		x, shift, r := vector.Values[int64](at), intervals(by, c.Name == "-"), vector.Values[int64](out)
		return func(i int) error {
			s := shift(i)
			if by.Type.Kind == types.KindDayTime { // whole days go by the calendar, the rest by the clock
				s.days, s.micros = int32(s.micros/microsPerDay), s.micros%microsPerDay
			}
			r[i] = ShiftTimestamp(x[i&stride(at)], s.months, s.days, s.micros, zone)
			return nil
		}
	}
}

// scaling multiplies and divides intervals by numbers, and counts intervals in intervals.
func scaling(c *Call) (Kernel, error) {
	return func(_ *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		a, b := args[0], args[1]
		if !isInterval(a.Type) {
			a, b = b, a
		}
		return RowsErr(sel, n, func(i int) error {
			if out.Valid != nil && !out.Valid.Get(i) {
				return nil
			}
			err := scaleRow(c, a, b, i, out)
			if err != nil && c.Mode == modeTry {
				out.SetNull(i)
				return nil
			}
			return err
		})
	}, nil
}

func scaleRow(c *Call, a, b *vector.Vector, i int, out *vector.Vector) error {
	x := intervals(a, false)(i)
	if c.Name == "div" {
		y := intervals(b, false)(i)
		if y == (interval{}) {
			return errs.New("INTERVAL_DIVIDED_BY_ZERO")
		}
		if a.Type.Kind == types.KindYearMonth {
			vector.Values[int64](out)[i] = int64(x.months) / int64(y.months)
		} else {
			vector.Values[int64](out)[i] = x.micros / y.micros
		}
		return nil
	}
	factor, ok := ratOf(b, i)
	if !ok {
		return errs.New("INTERVAL_ARITHMETIC_OVERFLOW.WITHOUT_SUGGESTION")
	}
	if c.Name == "/" {
		if factor.Sign() == 0 {
			return errs.New("INTERVAL_DIVIDED_BY_ZERO")
		}
		factor.Inv(factor)
	}
	months, ok1 := scaled(int64(x.months), factor)
	micros, ok2 := scaled(x.micros, factor)
	days, ok3 := scaled(int64(x.days), factor)
	if c.Name == "/" && b.Type.IsIntegral() && (!ok1 || !ok2 || months != int64(int32(months))) {
		return errs.New("INTERVAL_ARITHMETIC_OVERFLOW.WITH_SUGGESTION", "functionName", "`try_divide`")
	}
	if !ok1 || !ok2 || !ok3 || months != int64(int32(months)) {
		return errs.New("INTERVAL_ARITHMETIC_OVERFLOW.WITHOUT_SUGGESTION")
	}
	setInterval(out, i, interval{int32(months), int32(days), micros})
	return nil
}

// ratOf is a number exactly; false for NaN and infinities.
func ratOf(v *vector.Vector, i int) (*big.Rat, bool) {
	j := v.Row(i)
	switch {
	case v.Type.Kind == types.KindDecimal:
		d := readDecimals(v)
		return new(big.Rat).SetFrac(d.at(i).BigInt(), bigPower(v.Type.Scale)), true
	case v.Type.IsFloating():
		f := floatAt(v, j)
		if math.IsNaN(f) || math.IsInf(f, 0) {
			return nil, false
		}
		return new(big.Rat).SetFloat64(f), true
	}
	return new(big.Rat).SetInt64(intAt(v, j)), true
}

// scaled is x*f rounded half up.
func scaled(x int64, f *big.Rat) (int64, bool) {
	r := new(big.Rat).Mul(new(big.Rat).SetInt64(x), f)
	q := divideHalfUp(r.Num(), r.Denom())
	return q.Int64(), q.IsInt64()
}
