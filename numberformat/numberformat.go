// Package numberformat reads and writes decimals by the patterns of to_number and to_char:
//
//	f, problem := numberformat.New("$99,999.00")
//	text := f.Append(nil, unscaled, scale)
//	unscaled, ok := f.Parse("$1,234.50") // at f.Scale
//
// It knows texts and integers only; the callers make errors of its problems.
package numberformat

import (
	"math/big"
	"slices"
	"strings"
	"unicode"
)

// Problem says why a pattern is none: the subclass of INVALID_FORMAT and the token that it is about, where there is one.
type Problem struct{ Subclass, Token string }

type kind byte

const (
	digits    kind = 'd' // runs of digits and thousands separators
	point     kind = '.'
	dollar    kind = '$'
	sign      kind = 'S'
	minus     kind = 'M'
	openAngle kind = '<'
	endAngle  kind = '>'
	unknown   kind = '?'
)

// run is a number of digits: exactly so many (a zero before the point), or at most.
type run struct {
	size  int
	exact bool
}

type token struct {
	kind  kind
	char  rune  // of an unknown token
	parts []run // of digits, from the left; a size of 0 is a separator
}

func (t token) text() string {
	switch t.kind {
	case digits:
		return "digit sequence"
	case point:
		return ". or D"
	case dollar:
		return "$"
	case sign:
		return "S"
	case minus:
		return "MI"
	case openAngle, endAngle:
		return "PR"
	}
	return "character '" + string(t.char) + "''"
}

// Format is a pattern that has been understood. It is immutable.
type Format struct {
	tokens []token
	whole  int // digits before the point
	Scale  int // digits after it
}

// Precision is the number of digits of the decimals that the pattern describes.
func (f *Format) Precision() int { return f.whole + f.Scale }

// New reads a pattern.
func New(pattern string) (*Format, *Problem) {
	f := &Format{tokens: scan(pattern)}
	if p := f.check(pattern); p != nil {
		return nil, p
	}
	after := false
	for _, t := range f.tokens {
		after = after || t.kind == point
		for _, r := range t.parts {
			if after {
				f.Scale += r.size
			} else {
				f.whole += r.size
			}
		}
	}
	return f, nil
}

// scan cuts a pattern into tokens.
func scan(pattern string) []token {
	var list []token
	add := func(k kind) { list = append(list, token{kind: k}) }
	part := func(r run) {
		if n := len(list); n == 0 || list[n-1].kind != digits {
			add(digits)
		}
		last := &list[len(list)-1]
		last.parts = append(last.parts, r)
	}
	after := false
	text := []rune(pattern)
	next := func(i int, c rune) bool { return i+1 < len(text) && text[i+1] == c }
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '0' || c == '9':
			n := i
			for i < len(text) && (text[i] == '0' || text[i] == '9') {
				i++
			}
			part(run{i - n, c == '0' && !after})
			i--
		case c == '.' || c == 'D':
			add(point)
			after = true
		case c == ',' || c == 'G':
			part(run{})
		case c == '$':
			add(dollar)
		case c == 'S':
			add(sign)
		case c == 'M' && next(i, 'I'):
			add(minus)
			i++
		case c == 'P' && next(i, 'R'):
			list = slices.Insert(list, 0, token{kind: openAngle})
			add(endAngle)
			i++
		default:
			list = append(list, token{kind: unknown, char: c})
		}
	}
	return list
}

// order is how tokens may follow each other; each stage may be left out.
var order = []string{"<", "MS", "$", "d", ".", "d", "$", "MS>"}

func (f *Format) check(pattern string) *Problem {
	at := func(k kind) int { return slices.IndexFunc(f.tokens, func(t token) bool { return t.kind == k }) }
	firstDigits, firstDollar, firstPoint := -1, at(dollar), at(point)
	for i, t := range f.tokens {
		if t.kind == digits {
			firstDigits = i
			break
		}
	}
	switch {
	case pattern == "":
		return &Problem{Subclass: "EMPTY"}
	case firstDigits < 0:
		return &Problem{Subclass: "WRONG_NUM_DIGIT"}
	case firstDigits < firstDollar:
		return &Problem{Subclass: "CUR_MUST_BEFORE_DIGIT"}
	case firstPoint >= 0 && firstPoint < firstDollar:
		return &Problem{Subclass: "CUR_MUST_BEFORE_DEC"}
	}
	late := false
	for i, t := range f.tokens {
		for k, r := range t.parts {
			lone := k == 0 || k == len(t.parts)-1 || t.parts[k-1].size == 0 || t.parts[k+1].size == 0
			if r.size > 0 {
				continue
			}
			if firstPoint < 0 || i < firstPoint {
				if lone {
					return &Problem{Subclass: "CONT_THOUSANDS_SEPS"}
				}
			} else {
				late = true
			}
		}
	}
	if late {
		return &Problem{Subclass: "THOUSANDS_SEPS_MUST_BEFORE_DEC"}
	}
	for _, k := range []kind{point, sign, minus, dollar, endAngle} {
		n := 0
		for _, t := range f.tokens {
			if t.kind == k {
				n++
			}
		}
		if n > 1 {
			return &Problem{Subclass: "WRONG_NUM_TOKEN", Token: token{kind: k}.text()}
		}
	}
	i := 0
	for _, allowed := range order {
		if i < len(f.tokens) && strings.IndexByte(allowed, byte(f.tokens[i].kind)) >= 0 {
			i++
		}
	}
	if i < len(f.tokens) {
		return &Problem{Subclass: "UNEXPECTED_TOKEN", Token: f.tokens[i].text()}
	}
	return nil
}

// Parse reads a text; ok is false if it does not match the pattern.
func (f *Format) Parse(s string) (unscaled *big.Int, ok bool) {
	text := []rune(s)
	i, after, negative, opened, closed := 0, false, false, false, false
	var whole, fraction strings.Builder
	for _, t := range f.tokens {
		is := func(c rune) bool { return i < len(text) && text[i] == c }
		switch t.kind {
		case digits:
			to := &whole
			if after {
				to = &fraction
			}
			if i, ok = t.match(text, i, to); !ok {
				return nil, false
			}
		case point:
			if is('.') {
				after = true
				i++
			}
		case dollar:
			if i < len(text) && !is('$') {
				return nil, false
			}
			i = min(i+1, len(text))
		case sign, minus:
			if is('-') || t.kind == sign && is('+') {
				negative = negative != is('-')
				i++
			}
		case openAngle:
			if is('<') {
				opened = true
				i++
			}
		case endAngle:
			if is('>') {
				if !opened {
					return nil, false
				}
				closed, negative = true, !negative
				i++
			}
		}
	}
	if i < len(text) || opened != closed || whole.Len()+fraction.Len() == 0 {
		return nil, false
	}
	v, ok := new(big.Int).SetString(whole.String()+fraction.String()+strings.Repeat("0", f.Scale-fraction.Len()), 10)
	if ok && negative {
		v.Neg(v)
	}
	return v, ok
}

// match reads digits, separators and white space from place i on, and compares the groups with the token's from the right.
func (t token) match(text []rune, i int, to *strings.Builder) (int, bool) {
	groups := []int{0}
	for ; i < len(text); i++ {
		c := text[i]
		if unicode.IsDigit(c) {
			groups[len(groups)-1]++
			to.WriteRune(c)
		} else if c == ',' {
			groups = append(groups, 0)
		} else if !unicode.IsSpace(c) {
			break
		}
	}
	k := len(groups)
	for p := len(t.parts) - 1; p >= 0; p-- {
		want := t.parts[p]
		if want.size == 0 {
			continue
		}
		n := 0
		if k--; k >= 0 {
			n = groups[k]
		}
		if n > want.size || want.exact && n != want.size {
			return i, false
		}
	}
	return i, k <= 0
}

// Append writes a decimal, or # for every digit if it has more than the pattern.
func (f *Format) Append(dst []byte, unscaled *big.Int, scale int) []byte {
	whole, fraction := split(unscaled, scale)
	if len(whole) > f.whole || len(fraction) > f.Scale {
		whole, fraction = strings.Repeat("#", f.whole), strings.Repeat("#", f.Scale)
	}
	whole = strings.Repeat(" ", f.whole-len(whole)) + whole
	fraction += strings.Repeat("0", f.Scale-len(fraction))
	out := &line{}
	negative, rest := unscaled.Sign() < 0, whole
	for _, t := range f.tokens {
		switch t.kind {
		case digits:
			for _, r := range t.parts {
				if r.size == 0 {
					out.separate()
					continue
				}
				for _, c := range []byte(rest[:r.size]) {
					switch {
					case c != ' ':
						out.text = append(out.text, c)
					case r.exact:
						out.text = append(out.text, '0')
					default:
						out.space()
					}
				}
				rest = rest[r.size:]
			}
		case point:
			if n := len(out.text); n > 0 && out.text[n-1] == ' ' {
				out.text[n-1] = '0'
			}
			out.text = append(out.text, '.')
			rest = fraction
		case dollar:
			out.text = append(out.text, '$')
		case sign:
			out.stripPoint()
			out.mark(map[bool]byte{true: '-', false: '+'}[negative])
		case minus:
			if negative {
				out.stripPoint()
				out.mark('-')
			} else {
				out.text = append(out.text, ' ')
			}
		case openAngle:
			if negative {
				out.text = append(out.text, '<')
			}
		case endAngle:
			if out.stripPoint(); negative {
				out.mark('>')
			} else {
				out.text = append(out.text, "  "...)
			}
		}
	}
	out.stripPoint()
	if s := string(out.text); s == "" || s == "+" || s == "-" {
		return append(dst, '0')
	}
	return append(dst, out.text...)
}

// split gives the digits before and after the point without zeros at the ends.
func split(unscaled *big.Int, scale int) (whole, fraction string) {
	s := new(big.Int).Abs(unscaled).String()
	if len(s) <= scale {
		s = strings.Repeat("0", scale+1-len(s)) + s
	}
	return strings.TrimLeft(s[:len(s)-scale], "0"), strings.TrimRight(s[len(s)-scale:], "0")
}

// line is a number that is being written.
type line struct{ text []byte }

// separate puts a comma after a digit, and else a space.
func (l *line) separate() {
	if n := len(l.text); n > 0 && l.text[n-1] >= '0' && l.text[n-1] <= '9' {
		l.text = append(l.text, ',')
		return
	}
	l.space()
}

// space adds a space, before signs that stand at the end.
func (l *line) space() {
	l.text = append(l.text, ' ')
	for i := len(l.text) - 1; i >= 1 && strings.IndexByte("+-<", l.text[i-1]) >= 0; i-- {
		l.text[i], l.text[i-1] = l.text[i-1], l.text[i]
	}
}

// mark adds a sign, before spaces that stand at the end.
func (l *line) mark(c byte) {
	l.text = append(l.text, c)
	for i := len(l.text) - 1; i >= 1 && l.text[i-1] == ' '; i-- {
		l.text[i], l.text[i-1] = ' ', c
	}
}

// stripPoint replaces a point that no digit follows.
func (l *line) stripPoint() {
	if i := strings.IndexByte(string(l.text), '.'); i >= 0 && (i == len(l.text)-1 || l.text[i+1] == ' ') {
		l.text[i] = ' '
	}
}
