package javatime

import (
	"strings"
)

// PatternProblem says why a pattern is refused: the condition and its parameters.
type PatternProblem struct {
	Condition string
	Params    []string // names and values in turn
}

func (p *PatternProblem) Error() string { return "invalid pattern: " + p.Condition }

// signs say which signs a number may have and when.
type signs uint8

const (
	noSign     signs = iota
	normalSign       // a minus
	exceedsPad       // a plus exactly where there are more digits than the least
)

// item is one element of a pattern.
type item struct {
	letter   rune // 0: text
	count    int
	text     string
	min, max int // digits of a number; max 0: not a number
	sign     signs
	reserve  int // digits that the numbers right after this one need
	optional []item
}

// Formatter is a compiled DateTimeFormatter pattern. It may be used by several goroutines.
type Formatter struct {
	pattern string
	items   []item
}

// NewFormatter compiles a pattern as Spark reads it: for parsing or for printing, since not all letters do for both.
func NewFormatter(pattern string, parsing bool) (*Formatter, error) {
	c := &compiler{pattern: []rune(pattern), whole: pattern, parsing: parsing}
	if err := c.weekBased(); err != nil {
		return nil, err
	}
	items, err := c.items(0)
	if err != nil {
		return nil, err
	}
	reserve(items)
	return &Formatter{pattern: pattern, items: items}, nil
}

// reserve tells numbers of open length how many digits belong to the fixed ones after them.
func reserve(items []item) {
	for i := range items {
		if items[i].optional != nil {
			reserve(items[i].optional)
			continue
		}
		if items[i].max == 0 || items[i].min == items[i].max {
			continue
		}
		for _, next := range items[i+1:] {
			if next.max == 0 || next.min != next.max || next.letter == 'S' {
				break
			}
			items[i].reserve += next.max
		}
	}
}

type compiler struct {
	pattern []rune
	whole   string
	pos     int
	parsing bool
}

func (c *compiler) items(depth int) ([]item, error) {
	var items []item
	for c.pos < len(c.pattern) {
		r := c.pattern[c.pos]
		switch {
		case r == '\'':
			text, err := c.quoted()
			if err != nil {
				return nil, err
			}
			items = append(items, item{text: text})
		case r == '[':
			c.pos++
			inner, err := c.items(depth + 1)
			if err != nil {
				return nil, err
			}
			items = append(items, item{optional: append([]item{}, inner...), letter: '['})
		case r == ']':
			if depth == 0 {
				return nil, c.invalid()
			}
			c.pos++
			return items, nil
		case r == '{' || r == '}' || r == '#':
			return nil, c.refused(c.invalid())
		case r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z':
			it, err := c.letter(r)
			if err != nil {
				return nil, err
			}
			items = append(items, it)
		default:
			c.pos++
			items = append(items, item{text: string(r)})
		}
	}
	return items, nil
}

// invalid refuses a pattern that no formatter knows.
func (c *compiler) invalid() error {
	return &PatternProblem{"INVALID_DATETIME_PATTERN.WITH_SUGGESTION", []string{"pattern", "'" + c.whole + "'", "docroot", docroot}}
}

const docroot = "https://spark.apache.org/docs/latest"

// quoted reads text in quotes; two quotes are one.
func (c *compiler) quoted() (string, error) {
	var b strings.Builder
	c.pos++
	if c.pos < len(c.pattern) && c.pattern[c.pos] == '\'' {
		c.pos++
		return "'", nil
	}
	for ; c.pos < len(c.pattern); c.pos++ {
		if c.pattern[c.pos] != '\'' {
			b.WriteRune(c.pattern[c.pos])
			continue
		}
		c.pos++
		if c.pos == len(c.pattern) || c.pattern[c.pos] != '\'' {
			return b.String(), nil
		}
		b.WriteRune('\'')
	}
	return "", c.invalid()
}

// letter reads a run of one pattern letter.
func (c *compiler) letter(r rune) (item, error) {
	start := c.pos
	for c.pos < len(c.pattern) && c.pattern[c.pos] == r {
		c.pos++
	}
	it := item{letter: r, count: c.pos - start}
	switch {
	case strings.ContainsRune("ABnNp", r), c.parsing && strings.ContainsRune("EFqQ", r):
		return it, c.refused(&PatternProblem{"INVALID_DATETIME_PATTERN.ILLEGAL_CHARACTER", []string{"c", string(r), "pattern", c.whole}})
	}
	if !it.number(c.parsing) && !it.textual() {
		return it, c.refused(c.invalid())
	}
	return it, nil
}

// weekBased refuses the letters of weeks before anything else is looked at.
func (c *compiler) weekBased() error {
	quoted := false
	for _, r := range c.pattern {
		if r == '\'' {
			quoted = !quoted
		}
		if !quoted && strings.ContainsRune("YWwuec", r) {
			return c.refused(&PatternProblem{"INCONSISTENT_BEHAVIOR_CROSS_VERSION.DATETIME_WEEK_BASED_PATTERN", []string{"c", string(r)}})
		}
	}
	return nil
}

// refused gives the error of a pattern that the formatter before Spark 3 would have taken, if it would have.
func (c *compiler) refused(err error) error {
	quoted := false
	for _, r := range c.pattern {
		if r == '\'' {
			quoted = !quoted
		}
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		if letter && !quoted && r == 'X' && strings.Contains(c.whole, "XXXX") {
			return err
		}
		if letter && !quoted && !strings.ContainsRune("GyYMLwWDdFEuaHkKhmsSzZX", r) {
			return err
		}
	}
	return &PatternProblem{"INCONSISTENT_BEHAVIOR_CROSS_VERSION.DATETIME_PATTERN_RECOGNITION",
		[]string{"pattern", "'" + c.whole + "'", "config", `"spark.sql.legacy.timeParserPolicy"`, "docroot", docroot}}
}

// number sets the digits of a numeric item; false if the letter and count are none.
func (it *item) number(parsing bool) bool {
	n := it.count
	set := func(least, most int, s signs) bool {
		it.min, it.max, it.sign = least, most, s
		return true
	}
	switch it.letter {
	case 'y':
		switch {
		case n == 2:
			return set(2, 2, noSign)
		case n < 4:
			return set(n, 19, normalSign)
		}
		return n <= 6 && set(n, 19, exceedsPad)
	case 'M', 'L', 'Q', 'q':
		return n == 1 && set(1, 19, normalSign) || n == 2 && set(2, 2, noSign)
	case 'd', 'h', 'H', 'k', 'K', 'm', 's':
		return n == 1 && set(1, 19, normalSign) || n == 2 && set(2, 2, noSign)
	case 'D':
		return n == 1 && set(1, 19, normalSign) || n == 2 && set(2, 3, noSign) || n == 3 && set(3, 3, noSign)
	case 'F':
		return n == 1 && set(1, 19, normalSign)
	case 'S':
		if parsing {
			return n <= 9 && set(1, n, noSign)
		}
		return n <= 9 && set(n, n, noSign)
	}
	return false
}

// textual reports whether the letter and count stand for a word, an offset or a zone.
func (it *item) textual() bool {
	n := it.count
	switch it.letter {
	case 'M', 'L', 'Q', 'q':
		return n == 3 || n == 4
	case 'E', 'G':
		return n <= 4
	case 'a':
		return n == 1
	case 'V':
		return n == 2
	case 'z':
		return n <= 4
	case 'O':
		return n == 1 || n == 4
	case 'X', 'x', 'Z':
		return n <= 5
	}
	return false
}

var (
	monthNames = [...]string{"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"}
	dayNames   = [...]string{"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"}
	ordinals   = [...]string{"1st", "2nd", "3rd", "4th"}
)

// MonthName is a month's English name, short or whole.
func MonthName(month int, short bool) string { return cut(monthNames[month-1], short) }

// DayName is the English name of a weekday, 0 for Monday.
func DayName(weekday int, short bool) string { return cut(dayNames[weekday], short) }

func cut(name string, short bool) string {
	if short {
		return name[:3]
	}
	return name
}
