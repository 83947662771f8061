package expr

import (
	"math"
	"strings"

	"millrace/errs"
	"millrace/javatime"
	planpb "millrace/proto/millrace/plan/v1"
	"millrace/vector"
)

// dayParts are the fields of a day.
var dayParts = map[string]func(days int64) int32{
	"year":          func(d int64) int32 { y, _, _ := javatime.Civil(d); return int32(y) },
	"quarter":       func(d int64) int32 { _, m, _ := javatime.Civil(d); return int32(m+2) / 3 },
	"month":         func(d int64) int32 { _, m, _ := javatime.Civil(d); return int32(m) },
	"dayofmonth":    func(d int64) int32 { _, _, x := javatime.Civil(d); return int32(x) },
	"dayofweek":     func(d int64) int32 { return int32((javatime.Weekday(d)+1)%7) + 1 },
	"dayofweek_iso": func(d int64) int32 { return int32(javatime.Weekday(d)) + 1 },
	"weekday":       func(d int64) int32 { return int32(javatime.Weekday(d)) },
	"dayofyear":     func(d int64) int32 { return int32(javatime.YearDay(d)) },
	"weekofyear":    func(d int64) int32 { _, w := javatime.ISOWeek(d); return int32(w) },
	"yearofweek":    func(d int64) int32 { y, _ := javatime.ISOWeek(d); return int32(y) },
	"unix_date":     func(d int64) int32 { return int32(d) },
}

func init() {
	strict := func(name string, build func(*Call) (Kernel, error)) {
		Register(name, Func{Strict: true, Pure: true, Build: build})
	}
	for name, part := range dayParts {
		if name != "yearofweek" && name != "dayofweek_iso" {
			Register(name, Func{Strict: true, Pure: true, Total: true, Build: func(*Call) (Kernel, error) { return dayKernel(part), nil }})
		}
	}
	registerText(map[string]toText{
		"dayname": func(in *inputs, i int, dst []byte) ([]byte, error) {
			return append(dst, javatime.DayName(javatime.Weekday(in.num(0, i)), true)...), nil
		},
		"monthname": func(in *inputs, i int, dst []byte) ([]byte, error) {
			_, m, _ := javatime.Civil(in.num(0, i))
			return append(dst, javatime.MonthName(m, true)...), nil
		},
	})
	registerFixed(map[string]func(in *inputs, i int) (int32, error){
		"date_add":            func(in *inputs, i int) (int32, error) { return int32(in.num(0, i)) + int32(in.num(1, i)), nil },
		"date_sub":            func(in *inputs, i int) (int32, error) { return int32(in.num(0, i)) - int32(in.num(1, i)), nil },
		"datediff":            func(in *inputs, i int) (int32, error) { return int32(in.num(0, i)) - int32(in.num(1, i)), nil },
		"date_from_unix_date": func(in *inputs, i int) (int32, error) { return int32(in.num(0, i)), nil },
		"last_day":            lastDay, "add_months": addMonths,
	})
	strict("trunc", func(*Call) (Kernel, error) { return fixedKernel(truncDate), nil })
	strict("next_day", func(c *Call) (Kernel, error) { return fixedKernel(nextDay(c)), nil })
	strict("make_date", func(c *Call) (Kernel, error) { return fixedKernel(makeDate(c)), nil })
	strict("make_ym_interval", func(*Call) (Kernel, error) { return fixedKernel(makeYearMonth), nil })
	strict("make_dt_interval", func(*Call) (Kernel, error) { return fixedKernel(makeDayTime), nil })
	strict("make_interval", func(c *Call) (Kernel, error) { return fixedKernel(makeInterval(c)), nil })
	strict("try_make_interval", func(c *Call) (Kernel, error) { return fixedKernel(makeInterval(c)), nil })
}

// dayKernel computes a field of each day in a dense loop.
func dayKernel(part func(int64) int32) Kernel {
	return func(_ *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		v := Plain(args[0], sel, &vector.Vector{})
		days, r, m := vector.Values[int32](v), vector.Values[int32](out), stride(v)
		if sel == nil {
			for i := range n {
				r[i] = part(int64(days[i&m]))
			}
			return nil
		}
		for _, i := range sel {
			r[i] = part(int64(days[int(i)&m]))
		}
		return nil
	}
}

func lastDay(in *inputs, i int) (int32, error) {
	y, m, _ := javatime.Civil(in.num(0, i))
	return int32(javatime.Days(y, m, javatime.MonthLength(y, m))), nil
}

func addMonths(in *inputs, i int) (int32, error) {
	d := javatime.AddMonths(in.num(0, i), int(in.num(1, i)))
	if d != int64(int32(d)) {
		return 0, errs.New("DATETIME_OVERFLOW", "operation", "add months to a date")
	}
	return int32(d), nil
}

// truncLevels are the units to which dates and timestamps are cut.
var truncLevels = map[string]string{"YEAR": "year", "YYYY": "year", "YY": "year", "QUARTER": "quarter", "MONTH": "month", "MON": "month", "MM": "month",
	"WEEK": "week", "DAY": "day", "DD": "day", "HOUR": "hour", "MINUTE": "minute", "SECOND": "second", "MILLISECOND": "millisecond", "MICROSECOND": "microsecond"}

// truncDay cuts a day to a unit of a week and more.
func truncDay(days int64, level string) (int64, bool) {
	y, m, _ := javatime.Civil(days)
	switch level {
	case "year":
		return javatime.Days(y, 1, 1), true
	case "quarter":
		return javatime.Days(y, (m-1)/3*3+1, 1), true
	case "month":
		return javatime.Days(y, m, 1), true
	case "week":
		return days - int64(javatime.Weekday(days)), true
	}
	return 0, false
}

func truncDate(in *inputs, i int) (int32, error) {
	d, ok := truncDay(in.num(0, i), truncLevels[strings.ToUpper(string(in.str(1, i)))])
	if !ok {
		return 0, errNull
	}
	return int32(d), nil
}

var weekdays = map[string]int{"MO": 0, "MON": 0, "MONDAY": 0, "TU": 1, "TUE": 1, "TUESDAY": 1, "WE": 2, "WED": 2, "WEDNESDAY": 2, "TH": 3, "THU": 3,
	"THURSDAY": 3, "FR": 4, "FRI": 4, "FRIDAY": 4, "SA": 5, "SAT": 5, "SATURDAY": 5, "SU": 6, "SUN": 6, "SUNDAY": 6}

func nextDay(c *Call) func(in *inputs, i int) (int32, error) {
	return func(in *inputs, i int) (int32, error) {
		name := string(in.str(1, i))
		w, ok := weekdays[strings.ToUpper(strings.TrimSpace(name))]
		if !ok {
			if !c.Settings.GetAnsi() {
				return 0, errNull
			}
			return 0, errs.New("ILLEGAL_DAY_OF_WEEK", "string", name)
		}
		d := in.num(0, i)
		return int32(d + 7 - int64((javatime.Weekday(d)-w+7)%7)), nil
	}
}

// fieldFault is the error of parts that make no date or time; null where Spark gives that.
func fieldFault(c *Call, message string) error {
	if !c.Settings.GetAnsi() || strings.HasPrefix(c.Name, "try_") || c.Mode == planpb.EvalMode_EVAL_MODE_TRY {
		return errNull
	}
	return errs.New("DATETIME_FIELD_OUT_OF_BOUNDS.WITH_SUGGESTION", "rangeMessage", message, "ansiConfig", ansiConfig)
}

func makeDate(c *Call) func(in *inputs, i int) (int32, error) {
	return func(in *inputs, i int) (int32, error) {
		y, m, d := int(in.num(0, i)), int(in.num(1, i)), int(in.num(2, i))
		if fault := javatime.DateFault(y, m, d, false); fault != "" {
			return 0, fieldFault(c, fault)
		}
		return int32(javatime.Days(y, m, d)), nil
	}
}

// numOr is argument k as an integer, 0 if it is not given.
func (in *inputs) numOr(k, i int) int64 {
	if k >= len(in.vec) {
		return 0
	}
	return in.num(k, i)
}

// sumOf adds products exactly; false if 64 bits do not hold them.
func sumOf(terms ...[2]int64) (int64, bool) {
	var sum int64
	for _, t := range terms {
		p := t[0] * t[1]
		if t[0] != 0 && (p/t[0] != t[1] || t[0] == -1 && t[1] == math.MinInt64) {
			return 0, false
		}
		s := sum + p
		if (sum^s)&(p^s) < 0 {
			return 0, false
		}
		sum = s
	}
	return sum, true
}

func intervalOverflow(function string) error {
	return errs.New("INTERVAL_ARITHMETIC_OVERFLOW.WITHOUT_SUGGESTION", "functionName", "`"+function+"`")
}

func makeYearMonth(in *inputs, i int) (int32, error) {
	n, ok := sumOf([2]int64{in.numOr(0, i), 12}, [2]int64{in.numOr(1, i), 1})
	if !ok || n != int64(int32(n)) {
		return 0, intervalOverflow("make_ym_interval")
	}
	return int32(n), nil
}

func makeDayTime(in *inputs, i int) (int64, error) {
	n, ok := sumOf([2]int64{in.numOr(0, i), javatime.MicrosPerDay}, [2]int64{in.numOr(1, i), javatime.MicrosPerHour},
		[2]int64{in.numOr(2, i), javatime.MicrosPerMinute}, [2]int64{in.numOr(3, i), 1})
	if !ok {
		return 0, intervalOverflow("make_dt_interval")
	}
	return n, nil
}

// makeInterval is of years, months, weeks, days, hours, minutes and seconds.
func makeInterval(c *Call) func(in *inputs, i int) (vector.CalendarInterval, error) {
	return func(in *inputs, i int) (vector.CalendarInterval, error) {
		months, ok1 := sumOf([2]int64{in.numOr(0, i), 12}, [2]int64{in.numOr(1, i), 1})
		days, ok2 := sumOf([2]int64{in.numOr(2, i), 7}, [2]int64{in.numOr(3, i), 1})
		micros, ok3 := sumOf([2]int64{in.numOr(4, i), javatime.MicrosPerHour}, [2]int64{in.numOr(5, i), javatime.MicrosPerMinute}, [2]int64{in.numOr(6, i), 1})
		if !ok1 || !ok2 || !ok3 || months != int64(int32(months)) || days != int64(int32(days)) {
			if !c.Settings.GetAnsi() || c.Name != "make_interval" {
				return vector.CalendarInterval{}, errNull
			}
			return vector.CalendarInterval{}, intervalOverflow("make_interval")
		}
		return vector.CalendarInterval{Months: int32(months), Days: int32(days), Micros: micros}, nil
	}
}
