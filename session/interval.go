package session

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"millrace/types"
)

// The units of the two ANSI intervals in microseconds and their names.
var (
	dayTimeMicros = [...]int64{86_400_000_000, 3_600_000_000, 60_000_000, 1_000_000}
	dayTimeNames  = [...]string{"DAY", "HOUR", "MINUTE", "SECOND"}
)

func appendYearMonth(b []byte, t *types.Type, months int64) []byte {
	sign, m := "", uint64(months)
	if months < 0 {
		sign, m = "-", uint64(-months)
	}
	switch {
	case t.Start != t.End:
		return fmt.Appendf(b, "INTERVAL '%s%d-%d' YEAR TO MONTH", sign, m/12, m%12)
	case t.Start == 0:
		return fmt.Appendf(b, "INTERVAL '%s%d' YEAR", sign, m/12)
	}
	return fmt.Appendf(b, "INTERVAL '%s%d' MONTH", sign, m)
}

// appendDayTime writes INTERVAL '1 02:03:04.5' DAY TO SECOND over the fields that the type has.
func appendDayTime(b []byte, t *types.Type, micros int64) []byte {
	b = append(b, "INTERVAL '"...)
	rest := uint64(micros)
	if micros < 0 {
		b, rest = append(b, '-'), uint64(-micros)
	}
	for f := t.Start; f <= t.End; f++ {
		unit := uint64(dayTimeMicros[f])
		switch {
		case f == t.Start && f == 0:
			b = strconv.AppendUint(b, rest/unit, 10)
		case f == t.Start:
			b = fmt.Appendf(b, "%02d", rest/unit)
		case f == 1:
			b = fmt.Appendf(b, " %02d", rest/unit)
		default:
			b = fmt.Appendf(b, ":%02d", rest/unit)
		}
		rest %= unit
		if f == 3 {
			b = appendFraction(b, int64(rest), 6)
		}
	}
	b = append(append(b, "' "...), dayTimeNames[t.Start]...)
	if t.End != t.Start {
		b = append(append(b, " TO "...), dayTimeNames[t.End]...)
	}
	return b
}

// appendCalendar writes 1 years 2 months 3 days 4 hours 5 minutes 6.7 seconds, leaving out what is zero.
func appendCalendar(b []byte, months, days, micros int64) []byte {
	var parts []string
	add := func(n int64, unit string) {
		if n != 0 {
			parts = append(parts, strconv.FormatInt(n, 10)+" "+unit)
		}
	}
	add(months/12, "years")
	add(months%12, "months")
	add(days, "days")
	add(micros/dayTimeMicros[1], "hours")
	add(micros%dayTimeMicros[1]/dayTimeMicros[2], "minutes")
	if rest := micros % dayTimeMicros[2]; rest != 0 {
		sign := ""
		if rest < 0 {
			sign = "-"
		}
		abs := int64(math.Abs(float64(rest)))
		parts = append(parts, sign+string(appendFraction(strconv.AppendInt(nil, abs/1e6, 10), abs%1e6, 6))+" seconds")
	}
	if len(parts) == 0 {
		return append(b, "0 seconds"...)
	}
	return append(b, strings.Join(parts, " ")...)
}
