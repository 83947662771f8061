package expr

import (
	"strconv"
	"strings"
	"time"

	"millrace/types"
	"millrace/vector"
)

func appendInt(dst []byte, x int64) []byte { return strconv.AppendInt(dst, x, 10) }

// appendPadded appends x, not negative, with at least width digits.
func appendPadded(dst []byte, x int64, width int) []byte {
	for limit, w := int64(10), 1; w < width; w++ {
		if x < limit {
			dst = append(dst, '0')
		}
		limit *= 10
	}
	return appendInt(dst, x)
}

// AppendDate appends a day number as yyyy-MM-dd; years of more than four digits have a sign.
func AppendDate(dst []byte, days int64) []byte {
	y, m, d := DaysToCivil(days)
	switch {
	case y > 9999:
		dst = append(dst, '+')
	case y < 0:
		dst, y = append(dst, '-'), -y
	}
	dst = append(appendPadded(dst, y, 4), '-')
	dst = append(appendPadded(dst, int64(m), 2), '-')
	return appendPadded(dst, int64(d), 2)
}

// AppendTimestamp appends local microseconds as yyyy-MM-dd HH:mm:ss with the fraction's digits that are not zero.
func AppendTimestamp(dst []byte, local int64) []byte {
	day, clock := floorDiv(local, microsPerDay), floorMod(local, microsPerDay)
	dst = append(AppendDate(dst, day), ' ')
	return appendClock(dst, clock/microsPerSecond, clock%microsPerSecond, 6)
}

func appendTime(dst []byte, nanos int64) []byte {
	return appendClock(dst, nanos/1e9, nanos%1e9, 9)
}

func appendClock(dst []byte, seconds, fraction int64, digits int) []byte {
	dst = append(appendPadded(dst, seconds/3600, 2), ':')
	dst = append(appendPadded(dst, seconds/60%60, 2), ':')
	return appendFraction(appendPadded(dst, seconds%60, 2), fraction, digits)
}

// appendFraction appends .ddd without the zeros at its end.
func appendFraction(dst []byte, fraction int64, digits int) []byte {
	if fraction == 0 {
		return dst
	}
	dst = appendPadded(append(dst, '.'), fraction, digits)
	for dst[len(dst)-1] == '0' {
		dst = dst[:len(dst)-1]
	}
	return dst
}

func appendYearMonth(dst []byte, months int64, t *types.Type) []byte {
	dst = append(dst, "INTERVAL '"...)
	if months < 0 {
		dst, months = append(dst, '-'), -months
	}
	switch {
	case t.Start == 1:
		dst = append(appendInt(dst, months), "' MONTH"...)
	case t.End == 0:
		dst = append(appendInt(dst, months/12), "' YEAR"...)
	default:
		dst = appendInt(append(appendInt(dst, months/12), '-'), months%12)
		dst = append(dst, "' YEAR TO MONTH"...)
	}
	return dst
}

var dayTimeNames = [...]string{"DAY", "HOUR", "MINUTE", "SECOND"}

// dayTimeUnits are the microseconds of each field of a day-time interval.
var dayTimeUnits = [...]uint64{86_400_000_000, 3_600_000_000, 60_000_000, 1_000_000}

func appendDayTime(dst []byte, micros int64, t *types.Type) []byte {
	dst = append(dst, "INTERVAL '"...)
	rest := uint64(micros)
	if micros < 0 {
		dst, rest = append(dst, '-'), -rest
	}
	for f := t.Start; f <= t.End; f++ {
		x := int64(rest / dayTimeUnits[f])
		rest %= dayTimeUnits[f]
		if f > t.Start {
			dst = append(dst, " ::"[f-1])
		}
		if f == 0 {
			dst = appendInt(dst, x)
		} else {
			dst = appendPadded(dst, x, 2)
		}
		if f == 3 {
			dst = appendFraction(dst, int64(rest), 6)
		}
	}
	dst = append(append(dst, "' "...), dayTimeNames[t.Start]...)
	if t.End > t.Start {
		dst = append(append(dst, " TO "...), dayTimeNames[t.End]...)
	}
	return dst
}

func appendCalendar(dst []byte, v vector.CalendarInterval) []byte {
	start := len(dst)
	part := func(x int64, unit string) {
		if x != 0 {
			if len(dst) > start {
				dst = append(dst, ' ')
			}
			dst = append(append(appendInt(dst, x), ' '), unit...)
		}
	}
	part(int64(v.Months/12), "years")
	part(int64(v.Months%12), "months")
	part(int64(v.Days), "days")
	part(v.Micros/3_600_000_000, "hours")
	part(v.Micros/60_000_000%60, "minutes")
	if rest := v.Micros % 60_000_000; rest != 0 {
		if len(dst) > start {
			dst = append(dst, ' ')
		}
		if rest < 0 {
			dst, rest = append(dst, '-'), -rest
		}
		dst = appendFraction(appendInt(dst, rest/microsPerSecond), rest%microsPerSecond, 6)
		dst = append(dst, " seconds"...)
	}
	if len(dst) == start {
		dst = append(dst, "0 seconds"...)
	}
	return dst
}

// ParseDate reads [+-]yyyy[-[m]m[-[d]d]], perhaps with a time after it, which is ignored.
func ParseDate(s []byte) (int32, bool) {
	s = trimAll(s)
	sign := int64(1)
	if len(s) > 0 && (s[0] == '-' || s[0] == '+') {
		if s[0] == '-' {
			sign = -1
		}
		s = s[1:]
	}
	parts := [3]int64{1, 1, 1}
	for k := range parts {
		x, digits, rest := leadingDigits(s)
		if k == 0 && (digits < 4 || digits > 7) || k > 0 && (digits < 1 || digits > 2) {
			return 0, false
		}
		parts[k], s = x, rest
		switch {
		case len(s) == 0:
			return dateOf(sign*parts[0], parts[1], parts[2])
		case k == 2 && (s[0] == ' ' || s[0] == 'T'):
			return dateOf(sign*parts[0], parts[1], parts[2])
		case s[0] != '-':
			return 0, false
		}
		s = s[1:]
	}
	return 0, false
}

func dateOf(y, m, d int64) (int32, bool) {
	if m < 1 || m > 12 || d < 1 || d > int64(DaysInMonth(y, int(m))) {
		return 0, false
	}
	days := CivilToDays(y, int(m), int(d))
	return int32(days), days == int64(int32(days))
}

// leadingDigits reads the digits at the start of s.
func leadingDigits(s []byte) (x int64, digits int, rest []byte) {
	for digits < len(s) && s[digits]-'0' <= 9 {
		if digits < 17 {
			x = x*10 + int64(s[digits]-'0')
		}
		digits++
	}
	return x, digits, s[digits:]
}

// ParsedTime is a timestamp's text taken apart.
type ParsedTime struct {
	Days     int32
	Clock    int64 // microseconds of the day
	Zone     *time.Location
	TimeOnly bool // no date was given
}

// ParseTime reads [+-]yyyy[-[m]m[-[d]d[( |T)[h]h[:[m]m[:[s]s[.fraction][zone]]]]]], or the time alone after a T or with colons.
func ParseTime(s []byte) (p ParsedTime, ok bool) {
	s = trimAll(s)
	if len(s) == 0 {
		return p, false
	}
	if _, digits, rest := leadingDigits(s); s[0] == 'T' || digits > 0 && digits <= 2 && len(rest) > 0 && rest[0] == ':' {
		p.TimeOnly = true
		return p, p.clock([]byte(strings.TrimPrefix(string(s), "T")))
	}
	date, clock := s, []byte(nil)
	for i, c := range s {
		if c == ' ' || c == 'T' {
			date, clock = s[:i], s[i+1:]
			if strings.Count(strings.TrimLeft(string(date), "-"), "-") != 2 {
				return p, false
			}
			break
		}
	}
	if p.Days, ok = ParseDate(date); !ok {
		return p, false
	}
	if len(date) == len(s) {
		return p, true
	}
	return p, p.clock(clock)
}

// clock reads a time of the day and a zone after its seconds.
func (p *ParsedTime) clock(s []byte) bool {
	var parts [3]int64
	limits := [3]int64{24, 60, 60}
	for k := range parts {
		x, digits, rest := leadingDigits(s)
		if digits < 1 || digits > 2 || x >= limits[k] {
			return false
		}
		parts[k], s = x, rest
		if len(s) == 0 || k == 2 {
			break
		}
		if s[0] != ':' {
			return false
		}
		s = s[1:]
		if len(s) == 0 {
			return false
		}
	}
	p.Clock = (parts[0]*3600 + parts[1]*60 + parts[2]) * microsPerSecond
	if len(s) > 0 && s[0] == '.' {
		var digits []byte
		_, n, rest := leadingDigits(s[1:])
		digits, s = append(append(digits, s[1:1+n]...), "000000"...)[:6], rest
		micros, _ := strconv.ParseInt(string(digits), 10, 64)
		p.Clock += micros
	}
	if len(s) == 0 {
		return true
	}
	zone, err := LoadZone(strings.TrimSpace(string(s)))
	p.Zone = zone
	return err == nil
}

// ParseTimestamp reads a timestamp; zone is that of texts that name none, and now gives the day where only a time is given.
func ParseTimestamp(s []byte, zone *time.Location, now int64) (int64, bool) {
	p, ok := ParseTime(s)
	if !ok {
		return 0, false
	}
	if p.Zone != nil {
		zone = p.Zone
	}
	day := int64(p.Days)
	if p.TimeOnly {
		day = floorDiv(LocalMicros(now, zone), microsPerDay)
	}
	if day > 106_751_990 || day < -106_751_990 {
		return 0, false
	}
	return InstantOf(day*microsPerDay+p.Clock, zone), true
}
