package expr

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"millrace/errs"
	"millrace/javatime"
	"millrace/types"
	"millrace/vector"
)

// nanosPerDay is how many nanoseconds a day has, which times are counted in.
const nanosPerDay = int64(86_400_000_000_000)

// timeUnits are the nanoseconds of the units of times.
var timeUnits = map[string]int64{"HOUR": 3_600_000_000_000, "MINUTE": 60_000_000_000, "SECOND": 1_000_000_000, "MILLISECOND": 1_000_000, "MICROSECOND": 1000}

func init() {
	strict := func(name string, build func(*Call) (Kernel, error)) {
		Register(name, Func{Strict: true, Pure: true, Build: build})
	}
	for name, unit := range map[string]string{"time_hour": "HOUR", "time_minute": "MINUTE", "time_second": "SECOND"} {
		modulus := map[string]int64{"HOUR": 24, "MINUTE": 60, "SECOND": 60}[unit]
		strict(name, func(*Call) (Kernel, error) {
			return fixedKernel(func(in *inputs, i int) (int32, error) { return int32(in.num(0, i) / timeUnits[unit] % modulus), nil }), nil
		})
	}
	strict("time_second_with_fraction", func(*Call) (Kernel, error) {
		return fixedKernel(func(in *inputs, i int) (int64, error) { return in.num(0, i) / 1000 % 60_000_000, nil }), nil
	})
	strict("make_time", func(c *Call) (Kernel, error) { return fixedKernel(makeTime), nil })
	strict("to_time", func(c *Call) (Kernel, error) { return fixedKernel(parseTimes(c)), nil })
	strict("try_to_time", func(c *Call) (Kernel, error) { return fixedKernel(parseTimes(c)), nil })
	strict("time_trunc", func(*Call) (Kernel, error) { return fixedKernel(timeTrunc), nil })
	strict("time_diff", func(*Call) (Kernel, error) { return fixedKernel(timeDiff), nil })
	strict("time_add", func(c *Call) (Kernel, error) { return fixedKernel(timeAdd(c)), nil })
	strict("time_subtract", func(*Call) (Kernel, error) {
		return fixedKernel(func(in *inputs, i int) (int64, error) { return (in.num(0, i) - in.num(1, i)) / 1000, nil }), nil
	})
	strict("time_from_millis", func(*Call) (Kernel, error) { return fixedKernel(timeFrom(1_000_000)), nil })
	strict("time_from_micros", func(*Call) (Kernel, error) { return fixedKernel(timeFrom(1000)), nil })
	strict("time_from_seconds", buildTimeFromSeconds)
	for name, unit := range map[string]int64{"time_to_seconds": 1000, "time_to_millis": 1_000_000, "time_to_micros": 1000} {
		strict(name, func(*Call) (Kernel, error) {
			return fixedKernel(func(in *inputs, i int) (int64, error) { return in.num(0, i) / unit, nil }), nil
		})
	}
	for _, name := range []string{"date_with_time", "try_date_with_time"} {
		strict(name, buildDateWithTime)
	}
}

func timeFault(format string, args ...any) error {
	return errs.New("DATETIME_FIELD_OUT_OF_BOUNDS.WITHOUT_SUGGESTION", "rangeMessage", fmt.Sprintf(format, args...))
}

// makeTime is of hour, minute and seconds with six digits of a fraction.
func makeTime(in *inputs, i int) (int64, error) {
	h, m, s := in.num(0, i), in.num(1, i), in.num(2, i)
	switch {
	case h < 0 || h > 23:
		return 0, timeFault("Invalid value for HourOfDay (valid values 0 - 23): %d", h)
	case m < 0 || m > 59:
		return 0, timeFault("Invalid value for MinuteOfHour (valid values 0 - 59): %d", m)
	case s < 0 || s >= 60_000_000:
		return 0, timeFault("Invalid value for SecondOfMinute (valid values 0 - 59): %d", s/1_000_000)
	}
	return (h*3600+m*60)*1_000_000_000 + s*1000, nil
}

// parseTimes reads times by a pattern, or as a cast does.
func parseTimes(c *Call) func(in *inputs, i int) (int64, error) {
	f := &formats{parsing: true}
	bad := func(text, format string) error {
		if c.Name == "try_to_time" || c.Mode == modeTry {
			return errNull
		}
		return errs.New("CANNOT_PARSE_TIME", "input", "'"+text+"'", "format", "'"+format+"'")
	}
	return func(in *inputs, i int) (int64, error) {
		text := string(in.str(0, i))
		if len(in.vec) < 2 {
			if v, ok := javatime.ParseTime(text); ok {
				return v, nil
			}
			return 0, bad(text, "HH:mm:ss.SSSSSS")
		}
		format, err := f.get(in.str(1, i))
		if err != nil {
			return 0, err
		}
		fields, err := format.Parse(text)
		if err == nil {
			var micros int64
			if micros, err = fields.TimeOfDay(); err == nil {
				return micros * 1000, nil
			}
		}
		return 0, bad(text, string(in.str(1, i)))
	}
}

func timeUnit(in *inputs, name string, i int) (int64, error) {
	unit := string(in.str(0, i))
	if n := timeUnits[strings.ToUpper(unit)]; n > 0 {
		return n, nil
	}
	return 0, errs.New("INVALID_PARAMETER_VALUE.TIME_UNIT", "functionName", "`"+name+"`", "parameter", "`unit`", "invalidValue", "'"+unit+"'")
}

func timeTrunc(in *inputs, i int) (int64, error) {
	unit, err := timeUnit(in, "time_trunc", i)
	if err != nil {
		return 0, err
	}
	t := in.num(1, i)
	return t - t%unit, nil
}

func timeDiff(in *inputs, i int) (int64, error) {
	unit, err := timeUnit(in, "time_diff", i)
	if err != nil {
		return 0, err
	}
	return (in.num(2, i) - in.num(1, i)) / unit, nil
}

// timeAdd adds an interval, which must not leave the day.
func timeAdd(c *Call) func(in *inputs, i int) (int64, error) {
	sign, verb := int64(1), "add"
	if c.Options["op"] == "-" {
		sign, verb = -1, "subtract"
	}
	return func(in *inputs, i int) (int64, error) {
		t, by := in.num(0, i), in.num(1, i)
		if sum := t + sign*by*1000; max(by, -by) <= 86_400_000_000 && sum >= 0 && sum < nanosPerDay {
			return sum, nil
		}
		preposition := map[string]string{"add": "to", "subtract": "from"}[verb]
		return 0, errs.New("DATETIME_OVERFLOW", "operation", verb+" "+string(appendDayTime(nil, by, c.Args[1]))+" "+preposition+" the time value TIME '"+string(appendTime(nil, t))+"'")
	}
}

func checkedTime(nanos int64) (int64, error) {
	if nanos < 0 || nanos >= nanosPerDay {
		return 0, timeFault("Invalid TIME value: must be between 00:00:00 and 23:59:59.999999999, but got %d nanoseconds", nanos)
	}
	return nanos, nil
}

func timeFrom(unit int64) func(in *inputs, i int) (int64, error) {
	return func(in *inputs, i int) (int64, error) {
		n := in.num(0, i)
		if n > nanosPerDay/unit || n < -nanosPerDay {
			return 0, timeFault("Invalid TIME value: must be between 00:00:00 and 23:59:59.999999999, but got %s nanoseconds", strconv.FormatInt(n, 10)+strings.Repeat("0", len(strconv.FormatInt(unit, 10))-1))
		}
		return checkedTime(n * unit)
	}
}

func buildTimeFromSeconds(c *Call) (Kernel, error) {
	switch t := c.Args[0]; {
	case t.IsFloating():
		return fixedKernel(func(in *inputs, i int) (int64, error) {
			v, k := slotOf(in.vec[0], i)
			x := floatAt(v, k)
			if math.IsNaN(x) || math.IsInf(x, 0) {
				return 0, errNull
			}
			return checkedTime(int64(math.Floor(x*1e6)) * 1000)
		}), nil
	case t.Kind == types.KindDecimal:
		return fixedKernel(func(in *inputs, i int) (int64, error) { return timeFrom(1000)(in, i) }), nil
	}
	return fixedKernel(timeFrom(1_000_000_000)), nil
}

// buildDateWithTime is make_timestamp of a date and a time, and perhaps a zone.
func buildDateWithTime(c *Call) (Kernel, error) {
	zone := zoneFor(c, c.Out)
	return fixedKernel(func(in *inputs, i int) (int64, error) {
		z := zone
		if len(in.vec) > 2 {
			var err error
			if z, err = namedZone(in.str(2, i)); err != nil {
				return 0, err
			}
		}
		return z.ToUTC(in.num(0, i)*javatime.MicrosPerDay + in.num(1, i)/1000), nil
	}), nil
}

// castTime converts times to others of fewer digits and to seconds.
func castTime(e castEnv) caster {
	each := func(f func(int64) (int64, bool)) caster {
		return func(in *vector.Vector, sel []uint32, n int, out *vector.Vector) error {
			return RowsErr(sel, n, func(i int) error {
				t := numAt(in, i)
				x, ok := f(t)
				setNumber(out, i, x)
				if ok {
					return nil
				}
				if e.Mode != modeANSI {
					out.SetNull(i)
					return nil
				}
				return e.overflow("TIME '" + string(appendTime(nil, t)) + "'")
			})
		}
	}
	if e.from.Kind != types.KindTime {
		return nil
	}
	switch {
	case e.to.Kind == types.KindTime:
		return each(func(t int64) (int64, bool) { return truncateTime(t, e.to), true })
	case e.to.Kind == types.KindDecimal: // seconds with nine digits of a fraction
		seconds := types.Decimal(14, 9)
		number := castNumber(castEnv{e.Call, seconds, e.to})
		return func(in *vector.Vector, sel []uint32, n int, out *vector.Vector) error {
			v := *in
			v.Type = seconds
			return number(&v, sel, n, out)
		}
	case e.to.IsIntegral():
		bits := 8 * vector.Width(e.to)
		return each(func(t int64) (int64, bool) {
			s := t / 1_000_000_000
			return s, bits == 64 || s < 1<<(bits-1)
		})
	}
	return nil
}

// truncateTime cuts a time to as many digits of a second as its type has.
func truncateTime(t int64, to *types.Type) int64 {
	unit := int64(1_000_000_000)
	for range to.Precision {
		unit /= 10
	}
	return t - t%unit
}
