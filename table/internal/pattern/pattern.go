// Package pattern parses and writes dates and times by Java's DateTimeFormatter patterns, as far as text files use them:
// years, months (also by English names), days, hours, minutes, seconds, fractions, am/pm, offsets and quoted text.
package pattern

import (
	"strings"

	"millrace/errs"
	"millrace/javatime"
	"millrace/table/internal/cell"
)

// Formatter is a compiled pattern; it is immutable.
type Formatter struct{ items []item }

type item struct {
	letter   byte // 0: literal text
	n        int
	literal  string
	optional bool
}

var months = [...]string{"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"}

// New compiles a pattern. Letters that are not supported are refused by name.
func New(pattern string) (*Formatter, error) {
	f := &Formatter{}
	optional := false
	for i := 0; i < len(pattern); {
		c := pattern[i]
		switch {
		case c == '\'':
			text, n := quoted(pattern[i:])
			f.items = append(f.items, item{literal: text, optional: optional})
			i += n
			continue
		case c == '[' || c == ']':
			optional = c == '['
			i++
			continue
		case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z':
			n := 1
			for i+n < len(pattern) && pattern[i+n] == c {
				n++
			}
			if strings.IndexByte("yuMLdHhmsSaXxZ", c) < 0 {
				return nil, errs.Unsupportedf("The letter %c of the datetime pattern %s is not supported in text files.", c, pattern)
			}
			f.items = append(f.items, item{letter: c, n: n, optional: optional})
			i += n
			continue
		}
		f.items = append(f.items, item{literal: string(c), optional: optional})
		i++
	}
	return f, nil
}

// quoted reads text in single quotes; two of them stand for one.
func quoted(s string) (text string, n int) {
	if strings.HasPrefix(s, "''") {
		return "'", 2
	}
	for i := 1; i < len(s); i++ {
		if s[i] == '\'' {
			if i+1 < len(s) && s[i+1] == '\'' {
				text += "'"
				i++
				continue
			}
			return text, i + 1
		}
		text += string(s[i])
	}
	return text, len(s)
}

// parsed are the fields of a text.
type parsed struct {
	year, month, day, hour, minute, second, micros int
	pm, half                                       bool
	offset                                         int64
	hasOffset                                      bool
}

// Parse reads a text: local microseconds, and the offset from UTC if the text has one.
func (f *Formatter) Parse(s string) (local, offset int64, hasOffset, ok bool) {
	p := parsed{year: 1970, month: 1, day: 1}
	for _, it := range f.items {
		rest, ok := it.parse(s, &p)
		if !ok {
			if it.optional {
				continue
			}
			return 0, 0, false, false
		}
		s = rest
	}
	if p.half {
		p.hour %= 12
		if p.pm {
			p.hour += 12
		}
	}
	if s != "" || !javatime.ValidDate(p.year, p.month, p.day) || p.hour > 23 || p.minute > 59 || p.second > 59 {
		return 0, 0, false, false
	}
	local = javatime.Days(p.year, p.month, p.day)*javatime.MicrosPerDay +
		int64(p.hour*3600+p.minute*60+p.second)*javatime.MicrosPerSecond + int64(p.micros)
	return local, p.offset, p.hasOffset, true
}

func (it item) parse(s string, p *parsed) (rest string, ok bool) {
	switch it.letter {
	case 0:
		return strings.CutPrefix(s, it.literal)
	case 'y', 'u':
		if it.n == 2 {
			rest, ok = digits(s, 2, 2, &p.year)
			p.year += 2000
			return rest, ok
		}
		return digits(s, min(it.n, 4), 9, &p.year)
	case 'M', 'L':
		if it.n >= 3 {
			return monthName(s, it.n > 3, &p.month)
		}
		return digits(s, it.n, 2, &p.month)
	case 'd':
		return digits(s, it.n, 2, &p.day)
	case 'H', 'h':
		p.half = it.letter == 'h'
		return digits(s, it.n, 2, &p.hour)
	case 'm':
		return digits(s, it.n, 2, &p.minute)
	case 's':
		return digits(s, it.n, 2, &p.second)
	case 'S':
		return fraction(s, it.n, &p.micros)
	case 'a':
		if len(s) < 2 {
			return s, false
		}
		half := strings.ToUpper(s[:2])
		p.pm = half == "PM"
		return s[2:], half == "AM" || p.pm
	}
	return offset(s, p)
}

// digits reads at least least and at most most digits; exactly least when the next field follows without a separator cannot
// be told apart, so that fields of two and more letters take that many and no more, except years.
func digits(s string, least, most int, to *int) (rest string, ok bool) {
	n, value := 0, 0
	for n < len(s) && n < most && s[n] >= '0' && s[n] <= '9' {
		if n == 4 && most == 9 && least == 4 {
			break
		}
		value = value*10 + int(s[n]-'0')
		n++
	}
	*to = value
	return s[n:], n >= least
}

func fraction(s string, n int, to *int) (rest string, ok bool) {
	i, value := 0, 0
	for i < len(s) && i < n && s[i] >= '0' && s[i] <= '9' {
		if i < 6 {
			value = value*10 + int(s[i]-'0')
		}
		i++
	}
	for k := i; k < 6; k++ {
		value *= 10
	}
	*to = value
	return s[i:], i > 0
}

func monthName(s string, full bool, to *int) (rest string, ok bool) {
	for i, name := range months {
		if !full {
			name = name[:3]
		}
		if len(s) >= len(name) && strings.EqualFold(s[:len(name)], name) {
			*to = i + 1
			return s[len(name):], true
		}
	}
	return s, false
}

func offset(s string, p *parsed) (rest string, ok bool) {
	p.hasOffset = true
	if s != "" && s[0] == 'Z' {
		return s[1:], true
	}
	if len(s) < 3 || s[0] != '+' && s[0] != '-' {
		return s, false
	}
	h, m := 0, 0
	rest, ok = digits(s[1:], 2, 2, &h)
	if !ok {
		return s, false
	}
	if r, found := strings.CutPrefix(rest, ":"); found || len(rest) >= 2 {
		if r, ok := digits(r, 2, 2, &m); ok {
			rest = r
		}
	}
	p.offset = int64(h*3600+m*60) * javatime.MicrosPerSecond
	if s[0] == '-' {
		p.offset = -p.offset
	}
	return rest, true
}

// Append writes local microseconds; offset is their distance from UTC, for patterns that show it.
func (f *Formatter) Append(dst []byte, local, offset int64) []byte {
	days := javatime.FloorDiv(local, javatime.MicrosPerDay)
	y, mo, d := javatime.Civil(days)
	micros := local - days*javatime.MicrosPerDay
	seconds := int(micros / javatime.MicrosPerSecond)
	for _, it := range f.items {
		switch it.letter {
		case 0:
			dst = append(dst, it.literal...)
		case 'y', 'u':
			if it.n == 2 {
				y = ((y % 100) + 100) % 100
			}
			dst = cell.AppendPadded(dst, y, it.n)
		case 'M', 'L':
			dst = appendMonth(dst, mo, it.n)
		case 'd':
			dst = cell.AppendPadded(dst, d, it.n)
		case 'H':
			dst = cell.AppendPadded(dst, seconds/3600, it.n)
		case 'h':
			dst = cell.AppendPadded(dst, (seconds/3600+11)%12+1, it.n)
		case 'm':
			dst = cell.AppendPadded(dst, seconds/60%60, it.n)
		case 's':
			dst = cell.AppendPadded(dst, seconds%60, it.n)
		case 'S':
			dst = appendFraction(dst, int(micros%javatime.MicrosPerSecond), it.n)
		case 'a':
			dst = append(dst, "AMPM"[seconds/43200*2:][:2]...)
		default:
			dst = appendOffset(dst, offset, it)
		}
	}
	return dst
}

func appendMonth(dst []byte, month, n int) []byte {
	switch {
	case n > 3:
		return append(dst, months[month-1]...)
	case n == 3:
		return append(dst, months[month-1][:3]...)
	}
	return cell.AppendPadded(dst, month, n)
}

func appendFraction(dst []byte, micros, n int) []byte {
	start := len(dst)
	dst = cell.AppendPadded(dst, micros, 6)
	for len(dst)-start < n {
		dst = append(dst, '0')
	}
	return dst[:start+n]
}

func appendOffset(dst []byte, offset int64, it item) []byte {
	if offset == 0 && it.letter == 'X' {
		return append(dst, 'Z')
	}
	minutes := int(offset / javatime.MicrosPerMinute)
	sign := byte('+')
	if minutes < 0 {
		sign, minutes = '-', -minutes
	}
	dst = cell.AppendPadded(append(dst, sign), minutes/60, 2)
	if it.n == 1 && it.letter != 'Z' {
		return dst
	}
	if it.n >= 3 && it.letter != 'Z' {
		dst = append(dst, ':')
	}
	return cell.AppendPadded(dst, minutes%60, 2)
}
