package expr

import (
	"math"
	"strings"
	"time"

	"millrace/errs"
	"millrace/types"
	"millrace/vector"
)

// setTemporal reads dates, times and intervals from text.
func (e castEnv) setTemporal() func(s []byte, i int, out *vector.Vector) (bool, error) {
	zone := Zone(e.Settings)
	switch e.to.Kind {
	case types.KindDate:
		return func(s []byte, i int, out *vector.Vector) (ok bool, err error) {
			vector.Values[int32](out)[i], ok = ParseDate(s)
			return ok, nil
		}
	case types.KindTimestamp:
		return func(s []byte, i int, out *vector.Vector) (ok bool, err error) {
			vector.Values[int64](out)[i], ok = ParseTimestamp(s, zone, e.Settings.GetNowMicros())
			return ok, nil
		}
	case types.KindTimestampNTZ:
		return func(s []byte, i int, out *vector.Vector) (bool, error) {
			p, ok := ParseTime(s)
			vector.Values[int64](out)[i] = int64(p.Days)*microsPerDay + p.Clock
			return ok && !p.TimeOnly, nil
		}
	case types.KindTime:
		return func(s []byte, i int, out *vector.Vector) (bool, error) {
			var p ParsedTime
			ok := p.clock(trimAll(s)) && p.Zone == nil
			vector.Values[int64](out)[i] = truncateTime(p.Clock*1000, e.to)
			return ok, nil
		}
	case types.KindYearMonth, types.KindDayTime:
		return func(s []byte, i int, out *vector.Vector) (bool, error) {
			x, ok := ParseInterval(s, e.to)
			setNumber(out, i, x)
			if !ok {
				return false, malformedInterval(string(s), e.to)
			}
			return true, nil
		}
	}
	return nil
}

// ParseInterval reads a text as a cast to an interval of years and months or of days and times does: months or microseconds.
func ParseInterval(s []byte, t *types.Type) (int64, bool) {
	return parseInterval(string(trimAll(s)), t)
}

// parseInterval reads '1-2', '-5', '1 02:03:04.5' or the whole of INTERVAL '…' unit TO unit, by the fields of t.
func parseInterval(s string, t *types.Type) (int64, bool) {
	sign := int64(1)
	if len(s) > 9 && strings.EqualFold(s[:9], "interval ") {
		s = strings.TrimSpace(s[9:])
		if s[0] == '-' || s[0] == '+' {
			if s[0] == '-' {
				sign = -1
			}
			s = s[1:]
		}
		end := strings.LastIndexByte(s, '\'')
		if end < 1 || s[0] != '\'' || !strings.HasSuffix(t.SQL(), strings.ToUpper(strings.TrimSpace(s[end+1:]))) {
			return 0, false
		}
		s = s[1:end]
	}
	if s != "" && (s[0] == '-' || s[0] == '+') {
		if s[0] == '-' {
			sign = -sign
		}
		s = s[1:]
	}
	if t.Kind == types.KindYearMonth {
		x, ok := parseFields(s, "-", []uint64{12, 1}[t.Start:t.End+1], 12)
		return sign * x, ok && x <= math.MaxInt32
	}
	x, ok := parseFields(s, " ::"[t.Start:t.End], dayTimeUnits[t.Start:t.End+1], 0)
	return sign * x, ok
}

// parseFields reads one number per unit, separated by seps; all but the first are smaller than the unit before. Seconds may have a fraction.
func parseFields(s, seps string, units []uint64, limit uint64) (int64, bool) {
	var total uint64
	rest := []byte(s)
	for k, unit := range units {
		x, digits, after := leadingDigits(rest)
		if digits == 0 || digits > 15 || k > 0 && uint64(x)*unit >= units[k-1] {
			return 0, false
		}
		if uint64(x) > math.MaxInt64/unit {
			return 0, false
		}
		total += uint64(x) * unit
		if k < len(units)-1 {
			if len(after) == 0 || after[0] != seps[k] {
				return 0, false
			}
			after = after[1:]
		} else if unit == 1_000_000 && len(after) > 1 && after[0] == '.' {
			_, n, tail := leadingDigits(after[1:])
			if n == 0 || n > 9 {
				return 0, false
			}
			micros, _, _ := leadingDigits(append(append([]byte(nil), after[1:1+n]...), "000000"...)[:6])
			total, after = total+uint64(micros), tail
		}
		rest = after
	}
	return int64(total), len(rest) == 0 && total <= math.MaxInt64
}

// castTemporal is the conversions among dates, timestamps, intervals and numbers; nil for others.
func castTemporal(e castEnv) caster {
	from, to := e.from.Kind, e.to.Kind
	zone := Zone(e.Settings)
	switch {
	case from == types.KindDate && to == types.KindTimestamp:
		return fromDate(func(d int64) int64 { return InstantOf(d*microsPerDay, zone) })
	case from == types.KindDate && to == types.KindTimestampNTZ:
		return fromDate(func(d int64) int64 { return d * microsPerDay })
	case from == types.KindTimestamp && to == types.KindDate:
		return fromMicros(func(t int64) int64 { return floorDiv(LocalMicros(t, zone), microsPerDay) })
	case from == types.KindTimestampNTZ && to == types.KindDate:
		return fromMicros(func(t int64) int64 { return floorDiv(t, microsPerDay) })
	case from == types.KindTimestamp && to == types.KindTimestampNTZ:
		return fromMicros(func(t int64) int64 { return LocalMicros(t, zone) })
	case from == types.KindTimestampNTZ && to == types.KindTimestamp:
		return fromMicros(func(t int64) int64 { return InstantOf(t, zone) })
	case from == types.KindTimestamp && to == types.KindBoolean:
		return fromMicros(func(t int64) int64 { return int64(b2i(t != 0)) })
	case from == types.KindTimestamp:
		return castSeconds(e, zone)
	case to == types.KindTimestamp:
		return castToTimestamp(e)
	case from == types.KindDate: // before ANSI: null
		return func(_ *vector.Vector, sel []uint32, n int, out *vector.Vector) error {
			Rows(sel, n, func(i int) { out.SetNull(i) })
			return nil
		}
	case from == types.KindDayTime && to == types.KindDayTime:
		unit := int64(dayTimeUnits[e.to.End])
		return fromMicros(func(t int64) int64 {
			if e.to.End == 3 {
				return t
			}
			return t / unit * unit
		})
	case e.from.IsInterval() || e.to.IsInterval():
		return castInterval(e)
	}
	return nil
}

func fromDate(f func(int64) int64) caster {
	return func(in *vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		a, r := vector.Values[int32](in), vector.Values[int64](out)
		Rows(sel, n, func(i int) { r[i] = f(int64(a[i])) })
		return nil
	}
}

func fromMicros(f func(int64) int64) caster {
	return func(in *vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		a := vector.Values[int64](in)
		Rows(sel, n, func(i int) { setNumber(out, i, f(a[i])) })
		return nil
	}
}

// castSeconds is a timestamp as seconds since the epoch.
func castSeconds(e castEnv, zone *time.Location) caster {
	lo, hi := int64(0), int64(0)
	if e.to.IsIntegral() {
		lo, hi = intLimits(e.to)
	}
	return func(in *vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		a := vector.Values[int64](in)
		return RowsErr(sel, n, func(i int) error {
			t := a[i]
			switch {
			case e.to.IsFloating():
				setFloat(out, i, float64(t)/1e6)
			case e.to.Kind == types.KindDecimal:
				w := writeDecimals(out)
				r, ok := rescale(wideOf(t), 6, e.to.Scale, e.to.Precision)
				if !ok {
					return e.reject(out, i, func() error { return outOfRange(string(FormatDecimal(nil, wideOf(t), 6)), e.to) })
				}
				w.set(i, r)
			default:
				s := floorDiv(t, microsPerSecond)
				if s < lo || s > hi {
					return e.reject(out, i, func() error {
						return e.overflow("TIMESTAMP '" + string(AppendTimestamp(nil, LocalMicros(t, zone))) + "'")
					})
				}
				setNumber(out, i, s)
			}
			return nil
		})
	}
}

func setFloat(out *vector.Vector, i int, x float64) {
	if out.Type.Kind == types.KindFloat {
		vector.Values[float32](out)[i] = float32(x)
	} else {
		vector.Values[float64](out)[i] = x
	}
}

// castToTimestamp takes numbers as seconds since the epoch.
func castToTimestamp(e castEnv) caster {
	return func(in *vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		r := vector.Values[int64](out)
		return RowsErr(sel, n, func(i int) error {
			switch {
			case e.from.IsFloating():
				x := floatAt(in, i)
				if x != x || math.IsInf(x, 0) {
					return e.reject(out, i, func() error { return castEnv{e.Call, types.Double, e.to}.malformed(floatLiteral(x, types.Double)) })
				}
				if x *= 1e6; math.Abs(x) > math.MaxInt64 && e.Mode != modeLegacy {
					return e.reject(out, i, func() error { return castEnv{e.Call, types.Double, types.Long}.overflow(floatLiteral(x, types.Double)) })
				}
				r[i] = javaInteger(x, true)
			case e.from.Kind == types.KindDecimal:
				d := readDecimals(in)
				u := magnitude(d.at(i))
				if e.from.Scale <= 6 {
					u, _ = u.scaleUp(6 - e.from.Scale)
				} else {
					u, _ = u.over(powers[min(e.from.Scale-6, 19)])
				}
				r[i] = int64(u.signed(d.at(i).HighBits() < 0).LowBits())
			default:
				r[i] = secondsToMicros(intAt(in, i))
			}
			return nil
		})
	}
}

// secondsToMicros keeps what 64 bits have no room for at their limits.
func secondsToMicros(s int64) int64 {
	switch {
	case s > math.MaxInt64/microsPerSecond:
		return math.MaxInt64
	case s < math.MinInt64/microsPerSecond:
		return math.MinInt64
	}
	return s * microsPerSecond
}

// unitOf is how many months or microseconds a single-field interval type counts.
func unitOf(t *types.Type) int64 {
	if t.Kind == types.KindYearMonth {
		return []int64{12, 1}[t.End]
	}
	return int64(dayTimeUnits[t.End])
}

// castInterval converts intervals to numbers of their last field's unit and back. What does not fit is an error before ANSI, too.
func castInterval(e castEnv) caster {
	row := e.intervalToNumber
	if e.to.IsInterval() {
		row = e.numberToInterval
	}
	return func(in *vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		return RowsErr(sel, n, func(i int) error {
			err := row(in, i, out)
			if err != nil && e.Mode == modeTry {
				out.SetNull(i)
				return nil
			}
			return err
		})
	}
}

func (e castEnv) numberToInterval(in *vector.Vector, i int, out *vector.Vector) error {
	x := decimalReader(e.from, in)(i)
	u, ok := magnitude(x).times(uint64(unitOf(e.to)))
	u = u.scaleDown(e.from.Scale)
	r := u.signed(x.HighBits() < 0)
	v := int64(r.LowBits())
	if !ok || r.HighBits() != v>>63 || e.to.Kind == types.KindYearMonth && v != int64(int32(v)) {
		text := string(FormatDecimal(nil, x, e.from.Scale)) + "BD"
		if e.from.IsIntegral() {
			text = integerLiteral(int64(x.LowBits()), e.from)
		}
		return e.overflow(text)
	}
	setNumber(out, i, v)
	return nil
}

func (e castEnv) intervalToNumber(in *vector.Vector, i int, out *vector.Vector) error {
	x, scale := intAt(in, i), 0
	if e.to.Kind == types.KindDecimal && e.from.Kind == types.KindDayTime && e.from.End == 3 {
		scale = 6
	} else {
		x /= unitOf(e.from)
	}
	if e.to.Kind == types.KindDecimal {
		r, ok := rescale(wideOf(x), scale, e.to.Scale, e.to.Precision)
		if !ok {
			return outOfRange(string(FormatDecimal(nil, wideOf(x), scale)), e.to)
		}
		w := writeDecimals(out)
		w.set(i, r)
		return nil
	}
	if lo, hi := intLimits(e.to); x < lo || x > hi {
		f := Formatter{Zone: time.UTC, Plain: true}
		return e.overflow(string(f.Append(nil, in, i)))
	}
	setNumber(out, i, x)
	return nil
}

// malformedInterval is the error of a text that is no interval; it does not depend on ANSI.
func malformedInterval(s string, t *types.Type) error {
	condition, family, form := "INVALID_INTERVAL_FORMAT.UNMATCHED_FORMAT_STRING", "year-month", []string{"y", "m"}
	sep := "-"
	if t.Kind == types.KindDayTime {
		condition, family, form, sep = condition+"_WITH_NOTICE", "day-time", []string{"d", "h", "m", "s.n"}, " ::"
	}
	fields := form[t.Start]
	for k := t.Start + 1; k <= t.End; k++ {
		fields += sep[k-1:k] + form[k]
	}
	unit := strings.TrimPrefix(t.SQL(), "INTERVAL ")
	return errs.New(condition, "input", s, "intervalStr", family, "typeName", t.String(),
		"supportedFormat", "`[+|-]"+fields+"`, `INTERVAL [+|-]'[+|-]"+fields+"' "+unit+"`")
}
