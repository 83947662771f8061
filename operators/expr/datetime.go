package expr

import (
	"errors"
	"math"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"millrace/errs"
	"millrace/javatime"
	"millrace/types"
	"millrace/vector"
)

// micros of the units by which timestamps are moved and compared; those of months are 0.
var unitMicros = map[string]int64{"MICROSECOND": 1, "MILLISECOND": 1000, "SECOND": javatime.MicrosPerSecond, "MINUTE": javatime.MicrosPerMinute,
	"HOUR": javatime.MicrosPerHour, "DAY": javatime.MicrosPerDay, "DAYOFYEAR": javatime.MicrosPerDay, "WEEK": 7 * javatime.MicrosPerDay}

var unitMonths = map[string]int64{"MONTH": 1, "QUARTER": 3, "YEAR": 12}

func init() {
	strict := func(name string, build func(*Call) (Kernel, error)) {
		Register(name, Func{Strict: true, Pure: true, Build: build})
	}
	for name, unit := range map[string]int64{"hour": javatime.MicrosPerHour, "minute": javatime.MicrosPerMinute, "second": javatime.MicrosPerSecond} {
		modulus := map[string]int64{"hour": 24, "minute": 60, "second": 60}[name]
		strict(name, func(c *Call) (Kernel, error) {
			zone := cursorOf(c, c.Args[0])
			return fixedKernel(func(in *inputs, i int) (int32, error) {
				return int32(javatime.FloorMod(javatime.FloorDiv(zone.ToLocal(in.num(0, i)), unit), modulus)), nil
			}), nil
		})
	}
	for name, unit := range map[string]int64{"unix_seconds": javatime.MicrosPerSecond, "unix_millis": 1000, "unix_micros": 1} {
		strict(name, func(*Call) (Kernel, error) {
			return fixedKernel(func(in *inputs, i int) (int64, error) { return javatime.FloorDiv(in.num(0, i), unit), nil }), nil
		})
	}
	strict("timestamp_millis", func(*Call) (Kernel, error) { return fixedKernel(timesMicros(1000)), nil })
	strict("timestamp_micros", func(*Call) (Kernel, error) { return fixedKernel(timesMicros(1)), nil })
	strict("timestamp_seconds", buildTimestampSeconds)
	strict("extract", buildExtract)
	strict("months_between", buildMonthsBetween)
	strict("date_trunc", buildDateTrunc)
	strict("make_timestamp", buildMakeTimestamp)
	strict("try_make_timestamp", buildMakeTimestamp)
	strict("timestampadd", buildTimestampAdd)
	strict("timestampdiff", buildTimestampDiff)
	strict("from_utc_timestamp", func(c *Call) (Kernel, error) { return fixedKernel(shiftZone(c, true)), nil })
	strict("to_utc_timestamp", func(c *Call) (Kernel, error) { return fixedKernel(shiftZone(c, false)), nil })
	strict("convert_timezone", buildConvertTimezone)
	Register("unix_now", Func{Build: func(*Call) (Kernel, error) {
		return fixedKernel(func(*inputs, int) (int64, error) { return time.Now().Unix(), nil }), nil
	}})
}

// sessionZone is the session's time zone; sessions check names when they are set.
func sessionZone(c *Call) *javatime.Zone {
	z, err := javatime.ZoneOf(c.Settings.GetTimeZone())
	if err != nil {
		return javatime.UTC
	}
	return z
}

// zoneFor is the zone in which a type's values are shown.
func zoneFor(c *Call, t *types.Type) *javatime.Zone {
	if t.Kind == types.KindTimestampNTZ {
		return javatime.UTC
	}
	return sessionZone(c)
}

func cursorOf(c *Call, t *types.Type) *javatime.Cursor { return javatime.NewCursor(zoneFor(c, t)) }

func timesMicros(unit int64) func(in *inputs, i int) (int64, error) {
	return func(in *inputs, i int) (int64, error) {
		v, ok := sumOf([2]int64{in.num(0, i), unit})
		if !ok {
			return 0, overflowError("long overflow", "")
		}
		return v, nil
	}
}

func buildTimestampSeconds(c *Call) (Kernel, error) {
	switch c.Args[0].Kind {
	case types.KindLong:
		return fixedKernel(timesMicros(javatime.MicrosPerSecond)), nil
	case types.KindDecimal: // decimal(18,6) holds microseconds; finer ones may have no more than those
		if finer := c.Args[0].Scale - 6; finer > 0 {
			return fixedKernel(func(in *inputs, i int) (int64, error) {
				v, at := slotOf(in.vec[0], i)
				micros, rest := vector.Values[decimal128.Num](v)[at].Div(decimal128.GetScaleMultiplier(finer))
				switch {
				case rest != (decimal128.Num{}):
					e := errs.Newf(errs.Invalid, "Rounding necessary")
					e.Class = errs.ClassArithmetic
					return 0, e
				case !micros.FitsInPrecision(18):
					return 0, errs.New("ARITHMETIC_OVERFLOW", "message", "long overflow", "alternative", "", "config", ansiConfig)
				}
				return int64(micros.LowBits()), nil
			}), nil
		}
		return fixedKernel(func(in *inputs, i int) (int64, error) { return in.num(0, i), nil }), nil
	}
	return fixedKernel(func(in *inputs, i int) (int64, error) {
		f := floatAt(slotOf(in.vec[0], i))
		if math.IsNaN(f) || math.IsInf(f, 0) {
			return 0, errNull
		}
		return int64(f * 1e6), nil
	}), nil
}

// buildExtract makes EXTRACT of the field that the option names.
func buildExtract(c *Call) (Kernel, error) {
	field, t := c.Options["field"], c.Args[1]
	if isInterval(t) {
		return extractInterval(field, t, c.Out)
	}
	if part := dayParts[field]; part != nil {
		return fixedKernel(func(in *inputs, i int) (int32, error) { return part(in.num(1, i)), nil }), nil
	}
	zone := cursorOf(c, t)
	local := func(in *inputs, i int) int64 { return zone.ToLocal(in.num(1, i)) }
	switch field {
	case "hour":
		return fixedKernel(func(in *inputs, i int) (int32, error) {
			return int32(javatime.FloorMod(local(in, i), javatime.MicrosPerDay) / javatime.MicrosPerHour), nil
		}), nil
	case "minute":
		return fixedKernel(func(in *inputs, i int) (int32, error) {
			return int32(javatime.FloorMod(local(in, i), javatime.MicrosPerHour) / javatime.MicrosPerMinute), nil
		}), nil
	case "second":
		return fixedKernel(func(in *inputs, i int) (int64, error) {
			return javatime.FloorMod(local(in, i), javatime.MicrosPerMinute), nil
		}), nil
	}
	return nil, noKernel(c)
}

func extractInterval(field string, t, out *types.Type) (Kernel, error) {
	part := func(x interval) int64 {
		if t.Kind == types.KindDayTime {
			x.days, x.micros = int32(x.micros/javatime.MicrosPerDay), x.micros%javatime.MicrosPerDay
		}
		switch field {
		case "year":
			return int64(x.months / 12)
		case "month":
			return int64(x.months % 12)
		case "dayofmonth":
			return int64(x.days)
		case "hour":
			return x.micros / javatime.MicrosPerHour
		case "minute":
			return x.micros / javatime.MicrosPerMinute % 60
		}
		return x.micros % javatime.MicrosPerMinute
	}
	switch vector.Width(out) {
	case 1:
		return fixedKernel(func(in *inputs, i int) (int8, error) { return int8(part(intervals(in.vec[1], false)(i))), nil }), nil
	case 4:
		return fixedKernel(func(in *inputs, i int) (int32, error) { return int32(part(intervals(in.vec[1], false)(i))), nil }), nil
	}
	return fixedKernel(func(in *inputs, i int) (int64, error) { return part(intervals(in.vec[1], false)(i)), nil }), nil
}

// buildMonthsBetween counts months of 31 days; whole ones between equal days of the month and between months' ends.
func buildMonthsBetween(c *Call) (Kernel, error) {
	zone := cursorOf(c, c.Args[0])
	return fixedKernel(func(in *inputs, i int) (float64, error) {
		a, b := zone.ToLocal(in.num(0, i)), zone.ToLocal(in.num(1, i))
		days1, days2 := javatime.FloorDiv(a, javatime.MicrosPerDay), javatime.FloorDiv(b, javatime.MicrosPerDay)
		y1, m1, d1 := javatime.Civil(days1)
		y2, m2, d2 := javatime.Civil(days2)
		months := float64((y1-y2)*12 + m1 - m2)
		if d1 == d2 || d1 == javatime.MonthLength(y1, m1) && d2 == javatime.MonthLength(y2, m2) {
			return months, nil
		}
		seconds := int64(d1-d2)*86400 + (a-days1*javatime.MicrosPerDay)/javatime.MicrosPerSecond - (b-days2*javatime.MicrosPerDay)/javatime.MicrosPerSecond
		diff := months + float64(seconds)/(31*86400)
		if len(in.vec) > 2 && numAt(in.vec[2], i) == 0 {
			return diff, nil
		}
		return math.Floor(diff*1e8+0.5) / 1e8, nil
	}), nil
}

func buildDateTrunc(c *Call) (Kernel, error) {
	zone := sessionZone(c)
	cursor := javatime.NewCursor(zone)
	var level lastPattern[string]
	return fixedKernel(func(in *inputs, i int) (int64, error) {
		unit, _ := level.get(in.str(0, i), func(b []byte) (string, error) { return truncLevels[strings.ToUpper(string(b))], nil })
		t := in.num(1, i)
		switch unit {
		case "microsecond":
			return t, nil
		case "millisecond":
			return t - javatime.FloorMod(t, 1000), nil
		case "second":
			return t - javatime.FloorMod(t, javatime.MicrosPerSecond), nil
		case "minute":
			return t - javatime.FloorMod(cursor.ToLocal(t), javatime.MicrosPerMinute), nil
		case "hour":
			return t - javatime.FloorMod(cursor.ToLocal(t), javatime.MicrosPerHour), nil
		}
		days := javatime.FloorDiv(cursor.ToLocal(t), javatime.MicrosPerDay)
		if unit == "day" {
			return cursor.ToUTC(days * javatime.MicrosPerDay), nil
		}
		days, ok := truncDay(days, unit)
		if !ok {
			return 0, errNull
		}
		return cursor.ToUTC(days * javatime.MicrosPerDay), nil
	}), nil
}

// buildMakeTimestamp is of year, month, day, hour, minute, seconds with six digits of a fraction, and perhaps a zone.
func buildMakeTimestamp(c *Call) (Kernel, error) {
	zone := zoneFor(c, c.Out)
	return fixedKernel(func(in *inputs, i int) (int64, error) {
		y, m, d := int(in.num(0, i)), int(in.num(1, i)), int(in.num(2, i))
		h, min, sec := in.num(3, i), in.num(4, i), in.num(5, i)
		fault := javatime.DateFault(y, m, d, false)
		switch s := javatime.FloorDiv(sec, javatime.MicrosPerSecond); {
		case fault != "":
		case h < 0 || h > 23:
			fault = "Invalid value for HourOfDay (valid values 0 - 23): " + itoa(h)
		case min < 0 || min > 59:
			fault = "Invalid value for MinuteOfHour (valid values 0 - 59): " + itoa(min)
		case s == 60 && sec != 60*javatime.MicrosPerSecond:
			if errors.Is(fieldFault(c, ""), errNull) {
				return 0, errNull
			}
			return 0, errs.New("INVALID_FRACTION_OF_SECOND", "secAndMicros", itoa(sec/javatime.MicrosPerSecond)+"."+itoa(sec%javatime.MicrosPerSecond), "ansiConfig", ansiConfig)
		case s < 0 || s > 60:
			fault = "Invalid value for SecondOfMinute (valid values 0 - 59): " + itoa(s)
		}
		if fault != "" {
			return 0, fieldFault(c, fault)
		}
		z := zone
		if len(in.vec) > 6 {
			var err error
			if z, err = namedZone(in.str(6, i)); err != nil {
				return 0, err
			}
		}
		return z.ToUTC(javatime.Days(y, m, d)*javatime.MicrosPerDay + h*javatime.MicrosPerHour + min*javatime.MicrosPerMinute + sec), nil
	}), nil
}

func namedZone(name []byte) (*javatime.Zone, error) {
	z, err := javatime.ZoneOf(string(name))
	if err != nil {
		return nil, errs.New("INVALID_TIMEZONE", "timeZone", string(name))
	}
	return z, nil
}

func buildTimestampAdd(c *Call) (Kernel, error) {
	zone := zoneFor(c, c.Out)
	return fixedKernel(func(in *inputs, i int) (int64, error) {
		unit, n, t := strings.ToUpper(string(in.str(0, i))), in.num(1, i), in.num(2, i)
		if months := unitMonths[unit]; months > 0 {
			local := zone.ToLocal(t)
			days := javatime.FloorDiv(local, javatime.MicrosPerDay)
			return zone.ToUTC(javatime.AddMonths(days, int(n*months))*javatime.MicrosPerDay + local - days*javatime.MicrosPerDay), nil
		}
		micros := unitMicros[unit]
		if micros == 0 {
			return 0, errs.New("INVALID_PARAMETER_VALUE.DATETIME_UNIT", "functionName", "`timestampadd`", "parameter", "`unit`", "invalidValue", "'"+unit+"'")
		}
		by, ok := sumOf([2]int64{n, micros})
		if ok && micros >= javatime.MicrosPerDay {
			t = zone.ToLocal(t)
		}
		sum := t + by
		if !ok || (t^sum)&(by^sum) < 0 {
			return 0, errs.New("DATETIME_OVERFLOW", "operation", "add "+itoa(n)+" "+unit+" to "+itoa(t))
		}
		if micros >= javatime.MicrosPerDay {
			sum = zone.ToUTC(sum)
		}
		return sum, nil
	}), nil
}

// buildTimestampDiff counts whole units between local times.
func buildTimestampDiff(c *Call) (Kernel, error) {
	zone := cursorOf(c, c.Args[1])
	return fixedKernel(func(in *inputs, i int) (int64, error) {
		unit, a, b := strings.ToUpper(string(in.str(0, i))), zone.ToLocal(in.num(1, i)), zone.ToLocal(in.num(2, i))
		if months := unitMonths[unit]; months > 0 {
			return wholeMonths(a, b) / months, nil
		}
		if micros := unitMicros[unit]; micros > 0 {
			return (b - a) / micros, nil
		}
		return 0, errs.New("INVALID_PARAMETER_VALUE.DATETIME_UNIT", "functionName", "`timestampdiff`", "parameter", "`unit`", "invalidValue", "'"+unit+"'")
	}), nil
}

// wholeMonths is how many months lie between two local times.
func wholeMonths(a, b int64) int64 {
	if a > b {
		return -wholeMonths(b, a)
	}
	days1, days2 := javatime.FloorDiv(a, javatime.MicrosPerDay), javatime.FloorDiv(b, javatime.MicrosPerDay)
	y1, m1, d1 := javatime.Civil(days1)
	y2, m2, d2 := javatime.Civil(days2)
	n := int64((y2-y1)*12 + m2 - m1)
	if d2 < d1 || d2 == d1 && b-days2*javatime.MicrosPerDay < a-days1*javatime.MicrosPerDay {
		n--
	}
	return n
}

// shiftZone is from_utc_timestamp, which shows a UTC clock's time on a zone's clock, and its reverse.
func shiftZone(_ *Call, from bool) func(in *inputs, i int) (int64, error) {
	var zone lastPattern[*javatime.Zone]
	return func(in *inputs, i int) (int64, error) {
		z, err := zone.get(in.str(1, i), namedZone)
		if err != nil {
			return 0, err
		}
		if from {
			return z.ToLocal(in.num(0, i)), nil
		}
		return z.ToUTC(in.num(0, i)), nil
	}
}

func buildConvertTimezone(c *Call) (Kernel, error) {
	session := sessionZone(c)
	var from, to lastPattern[*javatime.Zone]
	return fixedKernel(func(in *inputs, i int) (int64, error) {
		source, k := session, 0
		if len(in.vec) == 3 {
			z, err := from.get(in.str(0, i), namedZone)
			if err != nil {
				return 0, err
			}
			source, k = z, 1
		}
		target, err := to.get(in.str(k, i), namedZone)
		if err != nil {
			return 0, err
		}
		return target.ToLocal(source.ToUTC(in.num(k+1, i))), nil
	}), nil
}
