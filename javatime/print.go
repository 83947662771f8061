package javatime

import (
	"strconv"
	"time"
)

// clock is a moment taken apart for printing.
type clock struct {
	days                 int64
	year, month, day     int
	hour, minute, second int
	micros               int
	offset               int // seconds east of UTC
	instant              int64
	zone                 *Zone
}

// Format appends a moment as the pattern and zone show it.
func (f *Formatter) Format(dst []byte, instant int64, zone *Zone) []byte {
	shift := zone.Offset(instant)
	local := instant + shift
	c := clock{days: FloorDiv(local, MicrosPerDay), instant: instant, zone: zone, offset: int(shift / MicrosPerSecond)}
	c.year, c.month, c.day = Civil(c.days)
	rest := local - c.days*MicrosPerDay
	c.hour, c.minute = int(rest/MicrosPerHour), int(rest/MicrosPerMinute%60)
	c.second, c.micros = int(rest/MicrosPerSecond%60), int(rest%MicrosPerSecond)
	return c.print(dst, f.items)
}

func (c *clock) print(dst []byte, items []item) []byte {
	for i := range items {
		switch it := &items[i]; {
		case it.letter == 0:
			dst = append(dst, it.text...)
		case it.letter == '[':
			dst = c.print(dst, it.optional)
		case it.max > 0:
			dst = c.number(dst, it)
		default:
			dst = c.word(dst, it)
		}
	}
	return dst
}

// value is a numeric field's value.
func (c *clock) value(letter rune) int {
	switch letter {
	case 'y':
		return c.year
	case 'M', 'L':
		return c.month
	case 'd':
		return c.day
	case 'D':
		return YearDay(c.days)
	case 'Q', 'q':
		return (c.month + 2) / 3
	case 'F':
		return (c.day-1)%7 + 1
	case 'H':
		return c.hour
	case 'k':
		return (c.hour+23)%24 + 1
	case 'K':
		return c.hour % 12
	case 'h':
		return (c.hour+11)%12 + 1
	case 'm':
		return c.minute
	}
	return c.second
}

func (c *clock) number(dst []byte, it *item) []byte {
	switch {
	case it.letter == 'S':
		return append(dst, pad(nil, c.micros*1000, 9)[:it.count]...)
	case it.letter == 'y' && it.count == 2:
		return pad(dst, int(FloorMod(int64(c.year), 100)), 2)
	}
	v := c.value(it.letter)
	if it.sign == exceedsPad && len(strconv.Itoa(v)) > it.min && v > 0 {
		dst = append(dst, '+')
	}
	return pad(dst, v, it.min)
}

// pad appends a number of at least width digits.
func pad(dst []byte, v, width int) []byte {
	if v < 0 {
		dst, v = append(dst, '-'), -v
	}
	digits := 1
	for x := v; x >= 10; x /= 10 {
		digits++
	}
	for range width - digits {
		dst = append(dst, '0')
	}
	return strconv.AppendInt(dst, int64(v), 10)
}

func (c *clock) word(dst []byte, it *item) []byte {
	switch it.letter {
	case 'M', 'L':
		return append(dst, MonthName(c.month, it.count == 3)...)
	case 'E':
		return append(dst, DayName(Weekday(c.days), it.count < 4)...)
	case 'a':
		if c.hour < 12 {
			return append(dst, "AM"...)
		}
		return append(dst, "PM"...)
	case 'Q', 'q':
		q := (c.month - 1) / 3
		if it.count == 3 {
			return append(dst, 'Q', byte('1'+q))
		}
		return append(append(dst, ordinals[q]...), " quarter"...)
	case 'G':
		era := "Anno Domini"
		if c.year < 1 {
			era = "Before Christ"
		}
		if it.count < 4 {
			era = map[string]string{"Anno Domini": "AD", "Before Christ": "BC"}[era]
		}
		return append(dst, era...)
	case 'V':
		return append(dst, c.zone.Name...)
	case 'z':
		return append(dst, c.zoneName(it.count == 4)...)
	}
	return c.printOffset(dst, it)
}

// longNames are the names of zones of which Go knows only abbreviations.
var longNames = map[string]string{"PST": "Pacific Standard Time", "PDT": "Pacific Daylight Time", "MST": "Mountain Standard Time", "MDT": "Mountain Daylight Time",
	"CST": "Central Standard Time", "CDT": "Central Daylight Time", "EST": "Eastern Standard Time", "EDT": "Eastern Daylight Time",
	"GMT": "Greenwich Mean Time", "BST": "British Summer Time", "CET": "Central European Standard Time", "CEST": "Central European Summer Time",
	"EET": "Eastern European Standard Time", "EEST": "Eastern European Summer Time", "JST": "Japan Standard Time", "UTC": "Coordinated Universal Time"}

func (c *clock) zoneName(long bool) string {
	if c.zone.fixed && c.zone.Name != "UTC" && c.zone.Name != "GMT" && c.zone.Name != "Z" {
		return c.zone.Name
	}
	name, _ := time.Unix(FloorDiv(c.instant, MicrosPerSecond), 0).In(c.zone.loc).Zone()
	if c.zone.Name == "Z" {
		name = "Z"
	}
	if full := longNames[name]; long && full != "" {
		return full
	}
	return name
}

// printOffset writes the forms of O, X, x and Z.
func (c *clock) printOffset(dst []byte, it *item) []byte {
	letter, n := it.letter, it.count
	if letter == 'Z' {
		switch {
		case n < 4:
			letter, n = 'x', 2
		case n == 4:
			letter = 'O'
		default:
			letter, n = 'X', 5
		}
	}
	o := c.offset
	if letter == 'O' {
		dst = append(dst, "GMT"...)
		if o == 0 {
			return dst
		}
	}
	if letter == 'X' && o == 0 {
		return append(dst, 'Z')
	}
	sign := byte('+')
	if o < 0 {
		sign, o = '-', -o
	}
	dst = append(dst, sign)
	h, m, s := o/3600, o/60%60, o%60
	if letter == 'O' && n == 1 {
		dst = pad(dst, h, 1)
		if m != 0 || s != 0 {
			dst = pad(append(dst, ':'), m, 2)
		}
		return dst
	}
	dst = pad(dst, h, 2)
	colon := n == 3 || n == 5 || letter == 'O'
	if n == 1 && m == 0 {
		return dst
	}
	if colon {
		dst = append(dst, ':')
	}
	dst = pad(dst, m, 2)
	if s != 0 && (n >= 4 || letter == 'O') {
		if colon {
			dst = append(dst, ':')
		}
		dst = pad(dst, s, 2)
	}
	return dst
}
