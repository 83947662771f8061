package javatime

import "strings"

// trim cuts off white space and control characters at both ends, as a cast does.
func trim(s string) string {
	i, j := 0, len(s)
	for i < j && (s[i] <= ' ' || s[i] == 0x7f) {
		i++
	}
	for j > i && (s[j-1] <= ' ' || s[j-1] == 0x7f) {
		j--
	}
	return s[i:j]
}

// ParseDate reads what CAST(… AS DATE) accepts: [+-]y+[-m[-d]], after which T or a space ends what is read of a full date.
func ParseDate(s string) (int32, bool) {
	s = trim(s)
	if s == "" {
		return 0, false
	}
	sign := 1
	if s[0] == '-' || s[0] == '+' {
		if s[0] == '-' {
			sign = -1
		}
		s = s[1:]
	}
	parts := [3]int{1, 1, 1}
	i, digits, value := 0, 0, 0
	j := 0
	for ; j < len(s) && (i < 2 || s[j] != ' ' && s[j] != 'T'); j++ {
		c := s[j]
		switch {
		case i < 2 && c == '-':
			if !dateDigits(i, digits) {
				return 0, false
			}
			parts[i] = value
			i, digits, value = i+1, 0, 0
		case c < '0' || c > '9' || digits >= 7:
			return 0, false
		default:
			digits++
			value = value*10 + int(c-'0')
		}
	}
	if !dateDigits(i, digits) || i < 2 && j < len(s) {
		return 0, false
	}
	parts[i] = value
	year := parts[0] * sign
	if !ValidDate(year, parts[1], parts[2]) {
		return 0, false
	}
	days := Days(year, parts[1], parts[2])
	return int32(days), int64(int32(days)) == days
}

func dateDigits(part, n int) bool {
	if part == 0 {
		return n >= 4 && n <= 7
	}
	return n >= 1 && n <= 2
}

// Parsed is a timestamp text taken apart.
type Parsed struct {
	Year, Month, Day, Hour, Minute, Second, Micros int
	Zone                                           string // as written, or empty
	TimeOnly                                       bool
}

// SplitTimestamp reads what CAST(… AS TIMESTAMP) accepts: a date, a date and a time after T or a space, or a time, with up to
// six digits of a second's fraction (more are dropped) and a zone after the seconds.
func SplitTimestamp(s string) (p Parsed, ok bool) {
	s = trim(s)
	if s == "" {
		return p, false
	}
	signed, sign, j := false, 1, 0
	if s[0] == '-' || s[0] == '+' {
		signed, j = true, 1
		if s[0] == '-' {
			sign = -1
		}
	}
	seg := [9]int{1, 1, 1}
	i, digits, value, fraction := 0, 0, 0, 0
	close := func(next int) bool {
		if !timeDigits(i, digits) {
			return false
		}
		seg[i] = value
		i, digits, value = next, 0, 0
		return true
	}
	for ; j < len(s); j++ {
		b := s[j]
		if b >= '0' && b <= '9' {
			if i == 6 {
				fraction++
			}
			if i != 6 || digits < 6 {
				value = value*10 + int(b-'0')
			}
			if digits++; i != 6 && digits > 7 {
				return p, false
			}
			continue
		}
		switch {
		case j == 0 && b == 'T':
			p.TimeOnly, i = true, 3
		case i < 2 && b == '-':
			if !close(i + 1) {
				return p, false
			}
		case i == 0 && b == ':' && !signed:
			p.TimeOnly, i = true, 3
			if !close(4) {
				return p, false
			}
		case i == 2 && (b == ' ' || b == 'T'), (i == 3 || i == 4) && b == ':', i == 5 && b == '.':
			if !close(i + 1) {
				return p, false
			}
		case i == 5 || i == 6:
			if !close(7) {
				return p, false
			}
			p.Zone = strings.TrimSpace(s[j:])
			digits, j = 1, len(s)
		default:
			return p, false
		}
	}
	if i != 7 {
		if !timeDigits(i, digits) {
			return p, false
		}
		seg[i] = value
	}
	for ; fraction < 6; fraction++ {
		seg[6] *= 10
	}
	p.Year, p.Month, p.Day = seg[0]*sign, seg[1], seg[2]
	p.Hour, p.Minute, p.Second, p.Micros = seg[3], seg[4], seg[5], seg[6]
	valid := ValidDate(p.Year, p.Month, p.Day) && p.Hour < 24 && p.Minute < 60 && p.Second < 60
	return p, valid
}

func timeDigits(seg, n int) bool {
	switch seg {
	case 6:
		return true
	case 0:
		return n >= 4 && n <= 6
	case 7:
		return n <= 2
	}
	return n >= 1 && n <= 2
}

// Local is the local time in microseconds; of a text that is a time only, it is that of 1970-01-01.
func (p *Parsed) Local() int64 {
	days := int64(0)
	if !p.TimeOnly {
		days = Days(p.Year, p.Month, p.Day)
	}
	return days*MicrosPerDay + p.TimeOfDay()
}

// TimeOfDay is the time's microseconds since midnight.
func (p *Parsed) TimeOfDay() int64 {
	return int64(p.Hour)*MicrosPerHour + int64(p.Minute)*MicrosPerMinute + int64(p.Second)*MicrosPerSecond + int64(p.Micros)
}

// ParseTimestamp reads a text as a moment; zone is that of a text which names none. A time without a date is of today, the day
// of now.
func ParseTimestamp(s string, zone *Zone, now int64) (int64, bool) {
	p, ok := SplitTimestamp(s)
	if !ok {
		return 0, false
	}
	if p.Zone != "" {
		z, err := zoneInText(p.Zone)
		if err != nil {
			return 0, false
		}
		zone = z
	}
	local := p.Local()
	if p.TimeOnly {
		local += FloorDiv(zone.ToLocal(now), MicrosPerDay) * MicrosPerDay
	}
	return inRange(p, zone.ToUTC(local))
}

// inRange refuses what 64 bits of microseconds cannot hold.
func inRange(p Parsed, micros int64) (int64, bool) {
	return micros, p.Year >= MinYear && p.Year <= MaxYear
}

// ParseLocal reads a text as a local time: a zone in it is ignored, or, when strict, an error, as is a time without a date.
func ParseLocal(s string, strict bool) (int64, bool) {
	p, ok := SplitTimestamp(s)
	if !ok || p.TimeOnly || strict && p.Zone != "" {
		return 0, false
	}
	if p.Zone != "" {
		if _, err := zoneInText(p.Zone); err != nil {
			return 0, false
		}
	}
	return inRange(p, p.Local())
}

// zoneInText finds a zone; +1:5 means +01:05.
func zoneInText(name string) (*Zone, error) {
	if i := strings.LastIndexAny(name, "+-"); i >= 0 {
		sign, rest := name[:i+1], name[i+1:]
		if len(rest) > 1 && rest[1] == ':' {
			rest = "0" + rest
		}
		if len(rest) == 4 && rest[2] == ':' {
			rest = rest[:3] + "0" + rest[3:]
		}
		name = sign + rest
	}
	return ZoneOf(name)
}

// ParseTime reads a time of day, [h]h:[m]m[:[s]s[.f]], as nanoseconds since midnight.
func ParseTime(s string) (int64, bool) {
	s = trim(s)
	if len(s) > 3 {
		if half := strings.ToUpper(s[len(s)-2:]); half == "AM" || half == "PM" {
			return parseHalfDay(trim(s[:len(s)-2]), half == "PM")
		}
	}
	p, ok := SplitTimestamp(s)
	if !ok || !p.TimeOnly || p.Zone != "" {
		return 0, false
	}
	return p.TimeOfDay() * 1000, true
}

func parseHalfDay(s string, afternoon bool) (int64, bool) {
	p, ok := SplitTimestamp(s)
	if !ok || !p.TimeOnly || p.Zone != "" || p.Hour < 1 || p.Hour > 12 {
		return 0, false
	}
	p.Hour %= 12
	if afternoon {
		p.Hour += 12
	}
	return p.TimeOfDay() * 1000, true
}
