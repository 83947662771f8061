package javatime

import (
	"fmt"
	"strconv"
	"strings"
)

// Fields is what a text gave by a pattern; -1 in a field that it did not give.
type Fields struct {
	year, month, day, yearDay   int
	hour, hour12, half          int // half: 0 AM, 1 PM
	minute, second, nanos       int
	hasYear, beforeChrist, late bool
	Zone                        *Zone
	text                        string
}

// ParseProblem is a text that a pattern does not fit; its message is Java's.
type ParseProblem struct{ message string }

func (p *ParseProblem) Error() string { return p.message }

// Parse reads a text by the pattern.
func (f *Formatter) Parse(text string) (Fields, error) {
	r := reader{text: text, f: Fields{year: -1, month: -1, day: -1, yearDay: -1, hour: -1, hour12: -1, half: -1, minute: -1, second: -1, nanos: -1, text: text}}
	if !r.read(f.items) {
		return r.f, &ParseProblem{fmt.Sprintf("Text '%s' could not be parsed at index %d", text, r.failed)}
	}
	if r.pos < len(text) {
		return r.f, &ParseProblem{fmt.Sprintf("Text '%s' could not be parsed, unparsed text found at index %d", text, r.pos)}
	}
	return r.f, nil
}

type reader struct {
	text   string
	pos    int
	failed int
	f      Fields
}

func (r *reader) read(items []item) bool {
	for i := range items {
		it := &items[i]
		start := r.pos
		if it.letter == '[' {
			before := r.f
			if !r.read(it.optional) {
				r.pos, r.f = start, before
			}
			continue
		}
		if !r.one(it) {
			r.failed = max(start, r.failed)
			if it.letter == 0 {
				r.failed = start
			}
			return false
		}
	}
	return true
}

func (r *reader) one(it *item) bool {
	switch {
	case it.letter == 0:
		if len(r.text)-r.pos < len(it.text) || !strings.EqualFold(r.text[r.pos:r.pos+len(it.text)], it.text) {
			return false
		}
		r.pos += len(it.text)
		return true
	case it.max > 0:
		return r.number(it)
	}
	return r.word(it)
}

// number reads digits: as many as there are, less those that the numbers right after need.
func (r *reader) number(it *item) bool {
	s, negative, positive := r.text[r.pos:], false, false
	if s != "" && it.sign != noSign && (s[0] == '-' || s[0] == '+' && it.sign == exceedsPad) {
		negative, positive = s[0] == '-', s[0] == '+'
		s = s[1:]
	}
	n := 0
	for n < len(s) && n < it.max+it.reserve && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	if it.reserve > 0 {
		n = max(it.min, n-it.reserve)
	}
	n = min(n, it.max)
	if n < it.min || n > len(s) || n == 0 {
		return false
	}
	if it.sign == exceedsPad && !negative && positive != (n > it.min) {
		return false
	}
	v, err := strconv.Atoi(s[:n])
	if err != nil {
		return false
	}
	r.pos = len(r.text) - len(s) + n
	if negative {
		v = -v
	}
	r.set(it, v, n)
	return true
}

func (r *reader) set(it *item, v, digits int) {
	f := &r.f
	switch it.letter {
	case 'y':
		if it.count == 2 {
			v += 2000
		}
		f.year, f.hasYear = v, true
	case 'M', 'L':
		f.month = v
	case 'd':
		f.day = v
	case 'D':
		f.yearDay = v
	case 'H':
		f.hour = v
	case 'k':
		f.hour, f.late = v%24, v > 24 || v < 1
	case 'K':
		f.hour12 = v
	case 'h':
		f.hour12 = v % 12
		f.late = f.late || v > 12 || v < 1
	case 'm':
		f.minute = v
	case 's':
		f.second = v
	case 'S':
		for ; digits < 9; digits++ {
			v *= 10
		}
		f.nanos = v
	}
}

// prefix takes the longest of names that the text goes on with and gives its place, or -1.
func (r *reader) prefix(names []string, short bool) int {
	rest := r.text[r.pos:]
	for i, name := range names {
		name = cut(name, short)
		if len(rest) >= len(name) && strings.EqualFold(rest[:len(name)], name) {
			r.pos += len(name)
			return i
		}
	}
	return -1
}

func (r *reader) word(it *item) bool {
	switch it.letter {
	case 'M', 'L':
		m := r.prefix(monthNames[:], it.count == 3)
		r.f.month = m + 1
		return m >= 0
	case 'E':
		return r.prefix(dayNames[:], it.count < 4) >= 0
	case 'a':
		rest := r.text[r.pos:]
		if len(rest) < 2 {
			return false
		}
		switch strings.ToUpper(rest[:2]) {
		case "AM":
			r.f.half = 0
		case "PM":
			r.f.half = 1
		default:
			return false
		}
		r.pos += 2
		return true
	case 'G':
		names := []string{"AD", "BC"}
		if it.count == 4 {
			names = []string{"Anno Domini", "Before Christ"}
		}
		era := r.prefix(names, false)
		r.f.beforeChrist = era == 1
		return era >= 0
	case 'V', 'z':
		return r.zoneName()
	}
	return r.offset(it)
}

// abbreviations are zones by the names that Java knows besides.
var abbreviations = map[string]string{"PST": "America/Los_Angeles", "PDT": "America/Los_Angeles", "MST": "America/Denver", "MDT": "America/Denver",
	"CST": "America/Chicago", "CDT": "America/Chicago", "EST": "America/New_York", "EDT": "America/New_York", "BST": "Europe/London", "CEST": "Europe/Paris",
	"JST": "Asia/Tokyo", "IST": "Asia/Kolkata"}

func (r *reader) zoneName() bool {
	end := r.pos
	for end < len(r.text) && (isAlnum(r.text[end]) || strings.IndexByte("/_+-:", r.text[end]) >= 0) {
		end++
	}
	for ; end > r.pos; end-- {
		name := r.text[r.pos:end]
		if long, ok := abbreviations[strings.ToUpper(name)]; ok {
			name = long
		}
		if z, err := ZoneOf(name); err == nil {
			r.f.Zone, r.pos = z, end
			return true
		}
	}
	return false
}

func isAlnum(c byte) bool { return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z' }

// offset reads the forms of X, x, Z and O.
func (r *reader) offset(it *item) bool {
	rest := r.text[r.pos:]
	if it.letter == 'O' || it.letter == 'Z' && it.count == 4 {
		if !strings.HasPrefix(strings.ToUpper(rest), "GMT") {
			return false
		}
		r.pos += 3
		rest = rest[3:]
		if rest == "" || rest[0] != '+' && rest[0] != '-' {
			r.f.Zone = UTC
			return true
		}
	}
	if (it.letter == 'X' || it.letter == 'Z' && it.count == 5) && strings.HasPrefix(strings.ToUpper(rest), "Z") {
		r.pos++
		r.f.Zone = UTC
		return true
	}
	colon := it.letter == 'O' || it.count == 3 && it.letter != 'Z' || it.count >= 4
	if it.letter != 'O' && it.letter != 'Z' && it.count == 4 {
		colon = false
	}
	n := offsetLength(rest, colon)
	z, err := ZoneOf(rest[:n])
	if n == 0 || err != nil {
		return false
	}
	if it.count != 1 && it.letter != 'O' && n < 5 { // only a single letter may leave the minutes out
		return false
	}
	r.pos += n
	r.f.Zone = z
	return true
}

// offsetLength is the length of +hh, +hhmm or +hh:mm at the beginning of a text.
func offsetLength(s string, colon bool) int {
	if len(s) < 2 || s[0] != '+' && s[0] != '-' {
		return 0
	}
	n := 1
	for n < len(s) && n < 3 && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	more := n
	if colon && more < len(s) && s[more] == ':' {
		more++
	} else if colon {
		return n
	}
	if more+1 < len(s) && s[more] >= '0' && s[more] <= '9' && s[more+1] >= '0' && s[more+1] <= '9' {
		return more + 2
	}
	return n
}

// fault is a field that is out of its range, in Java's words.
func (f *Fields) fault(format string, args ...any) error {
	return &ParseProblem{"Text '" + f.text + "' could not be parsed: " + fmt.Sprintf(format, args...)}
}

// Date is the day. What the text does not give is January, the first and 1970.
func (f *Fields) Date() (int64, error) {
	y, m, d := f.year, f.month, f.day
	if !f.hasYear {
		y = 1970
	}
	if f.beforeChrist {
		y = 1 - y
	}
	if f.yearDay >= 0 && m < 0 && d < 0 {
		limit := 365
		if IsLeap(y) {
			limit = 366
		}
		if f.yearDay < 1 || f.yearDay > limit {
			return 0, f.fault("Invalid value for DayOfYear (valid values 1 - 365/366): %d", f.yearDay)
		}
		return Days(y, 1, 1) + int64(f.yearDay) - 1, nil
	}
	if m < 0 {
		m = 1
	}
	if d < 0 {
		d = 1
	}
	if message := DateFault(y, m, d, true); message != "" {
		return 0, f.fault("%s", message)
	}
	return Days(y, m, d), nil
}

// DateFault says, in Java's words, why a date does not exist; it is empty if it does. Parsing shouts the month.
func DateFault(year, month, day int, parsing bool) string {
	switch {
	case month < 1 || month > 12:
		return fmt.Sprintf("Invalid value for MonthOfYear (valid values 1 - 12): %d", month)
	case day < 1 || day > 31:
		return fmt.Sprintf("Invalid value for DayOfMonth (valid values 1 - 28/31): %d", day)
	case ValidDate(year, month, day):
		return ""
	case month == 2 && day == 29:
		return fmt.Sprintf("Invalid date 'February 29' as '%d' is not a leap year", year)
	}
	return fmt.Sprintf("Invalid date '%s %d'", strings.ToUpper(monthNames[month-1]), day)
}

// TimeOfDay is the time's microseconds; what the text does not give is 0.
func (f *Fields) TimeOfDay() (int64, error) {
	h := f.hour
	if h < 0 && f.hour12 >= 0 {
		h = f.hour12 + 12*max(f.half, 0)
	}
	h = max(h, 0)
	m, s := max(f.minute, 0), max(f.second, 0)
	switch {
	case h > 23 || f.late:
		return 0, f.fault("Invalid value for HourOfDay (valid values 0 - 23): %d", h)
	case m > 59:
		return 0, f.fault("Invalid value for MinuteOfHour (valid values 0 - 59): %d", m)
	case s > 59:
		return 0, f.fault("Invalid value for SecondOfMinute (valid values 0 - 59): %d", s)
	}
	return int64(h)*MicrosPerHour + int64(m)*MicrosPerMinute + int64(s)*MicrosPerSecond + int64(max(f.nanos, 0)/1000), nil
}

// Local is the local time in microseconds.
func (f *Fields) Local() (int64, error) {
	days, err := f.Date()
	if err != nil {
		return 0, err
	}
	t, err := f.TimeOfDay()
	return days*MicrosPerDay + t, err
}
