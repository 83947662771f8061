package javaregex

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// errNeedsBacktracking says that Go's engine cannot run a pattern.
var errNeedsBacktracking = errors.New("pattern needs backtracking")

// translator rewrites a Java pattern: for Go's engine, or for the backtracking one, whose syntax is .NET's.
type translator struct {
	in      []rune
	pos     int
	out     strings.Builder
	full    bool // for the backtracking engine
	dotAll  bool
	verbose bool // (?x)
	atom    int  // where in out the last atom begins, for possessive quantifiers
	dollar  bool // there is a $ that means the end but for a line's end
	groups  []openGroup
}

// openGroup is where a group begins in out and the flags that hold again after it.
type openGroup struct {
	start           int
	dotAll, verbose bool
}

// lineEnd are the characters before which Java's . stops.
const lineEnd = `\n\r\x{85}\x{2028}\x{2029}`

func translate(pattern string, full bool) (*translator, error) {
	t := &translator{in: []rune(pattern), full: full}
	for t.pos < len(t.in) {
		if err := t.step(); err != nil {
			return nil, err
		}
	}
	return t, nil
}

func (t *translator) peek(n int) rune {
	if t.pos+n < len(t.in) {
		return t.in[t.pos+n]
	}
	return -1
}

// emit writes an atom.
func (t *translator) emit(s string) {
	t.atom = t.out.Len()
	t.out.WriteString(s)
}

func (t *translator) step() error {
	c := t.in[t.pos]
	switch c {
	case '\\':
		return t.escape()
	case '[':
		at := t.out.Len()
		class, err := t.class()
		t.out.WriteString(class)
		t.atom = at
		return err
	case '(':
		return t.group()
	case ')':
		t.pos++
		t.out.WriteByte(')')
		if n := len(t.groups); n > 0 {
			g := t.groups[n-1]
			t.atom, t.dotAll, t.verbose, t.groups = g.start, g.dotAll, g.verbose, t.groups[:n-1]
		}
		return nil
	case '.':
		t.pos++
		if t.dotAll {
			t.emit(t.anyRune())
		} else {
			t.emit(t.notIn(lineEnd))
		}
		return nil
	case '$':
		t.pos++
		t.dollar = true
		if t.full {
			t.emit(`(?=(?:\r\n|[\n\r\u0085\u2028\u2029])?\z)`)
		} else {
			t.emit(`\z`)
		}
		return nil
	case '*', '+', '?', '{':
		return t.quantifier()
	}
	t.pos++
	switch {
	case t.verbose && (c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v'):
	case t.verbose && c == '#':
		for t.pos < len(t.in) && t.in[t.pos] != '\n' {
			t.pos++
		}
	default:
		t.emit(t.literal(c))
	}
	return nil
}

func (t *translator) anyRune() string {
	if t.full {
		return `[\s\S]`
	}
	return `(?s:.)`
}

// notIn is a negated class in the engine's spelling.
func (t *translator) notIn(set string) string { return "[^" + t.codes(set) + "]" }

// codes rewrites \x{…} for the engine.
func (t *translator) codes(set string) string {
	if !t.full {
		return set
	}
	return strings.NewReplacer(`\x{85}`, `\u0085`, `\x{2028}`, `\u2028`, `\x{2029}`, `\u2029`).Replace(set)
}

// literal writes a character that means itself.
func (t *translator) literal(c rune) string {
	if strings.ContainsRune(`\.+*?()|[]{}^$#-&~ `, c) && c != '|' && c != '^' {
		if c == ' ' || c == '#' || c == '-' || c == '&' || c == '~' {
			return string(c)
		}
		return `\` + string(c)
	}
	return string(c)
}

// quoted writes a character that was escaped or quoted.
func quoted(c rune) string {
	if strings.ContainsRune(`\.+*?()|[]{}^$`, c) {
		return `\` + string(c)
	}
	return string(c)
}

// quantifier copies *, +, ?, {n,m} with ? or + after it; a possessive one becomes an atomic group.
func (t *translator) quantifier() error {
	start := t.pos
	if t.in[t.pos] == '{' {
		end := t.pos + 1
		for end < len(t.in) && (t.in[end] >= '0' && t.in[end] <= '9' || t.in[end] == ',') {
			end++
		}
		if end >= len(t.in) || t.in[end] != '}' || end == t.pos+1 {
			return fmt.Errorf("illegal repetition at %d", start)
		}
		t.pos = end
	}
	t.pos++
	t.out.WriteString(string(t.in[start:t.pos]))
	switch t.peek(0) {
	case '?':
		t.pos++
		t.out.WriteByte('?')
	case '+':
		t.pos++
		if !t.full {
			return errNeedsBacktracking
		}
		text := t.out.String()
		t.out.Reset()
		t.out.WriteString(text[:t.atom] + "(?>" + text[t.atom:] + ")")
	}
	return nil
}

// group copies what opens a group, and keeps track of flags.
func (t *translator) group() error {
	t.groups = append(t.groups, openGroup{t.out.Len(), t.dotAll, t.verbose})
	t.pos++
	if t.peek(0) != '?' {
		t.out.WriteByte('(')
		return nil
	}
	switch next := t.peek(1); {
	case next == ':':
		t.pos += 2
		t.out.WriteString("(?:")
	case next == '=' || next == '!' || next == '>' || next == '<' && (t.peek(2) == '=' || t.peek(2) == '!'):
		if !t.full {
			return errNeedsBacktracking
		}
		n := 2
		if next == '<' {
			n = 3
		}
		t.out.WriteString("(" + string(t.in[t.pos:t.pos+n]))
		t.pos += n
	case next == '<':
		end := t.pos + 2
		for end < len(t.in) && t.in[end] != '>' {
			end++
		}
		if end == len(t.in) {
			return errors.New("named capturing group is missing trailing '>'")
		}
		name := string(t.in[t.pos+2 : end])
		if t.full {
			t.out.WriteString("(?<" + name + ">")
		} else {
			t.out.WriteString("(?P<" + name + ">")
		}
		t.pos = end + 1
	default:
		return t.flags()
	}
	return nil
}

// flags reads (?i-s) and (?i:…).
func (t *translator) flags() error {
	on, keep := true, ""
	for t.pos++; t.pos < len(t.in); t.pos++ {
		c := t.in[t.pos]
		switch c {
		case 'i', 'm':
			if c == 'm' && !t.full {
				return errNeedsBacktracking
			}
			keep += string(c)
		case 's':
			t.dotAll = on
		case 'x':
			t.verbose = on
		case 'u', 'U', 'd':
		case '-':
			on = false
			keep += "-"
		case ')', ':':
			if keep = strings.TrimSuffix(keep, "-"); keep == "" {
				if c == ')' {
					t.groups = t.groups[:len(t.groups)-1]
				} else {
					t.out.WriteString("(?:")
				}
			} else {
				t.out.WriteString("(?" + keep + string(c))
				if c == ')' {
					t.groups = t.groups[:len(t.groups)-1]
				}
			}
			t.pos++
			return nil
		default:
			return fmt.Errorf("unknown inline modifier %q", string(c))
		}
	}
	return errors.New("unclosed group")
}

var shorthand = map[rune]string{'d': "0-9", 'w': "a-zA-Z0-9_", 's': ` \t\n\x0B\f\r`, 'h': ` \xA0\t\x{1680}\x{180e}\x{2000}-\x{200a}\x{202f}\x{205f}\x{3000}`,
	'v': `\n\x0B\f\r\x{85}\x{2028}\x{2029}`}

// escape reads an escape outside a class.
func (t *translator) escape() error {
	c := t.peek(1)
	if set, ok := shorthand[c|0x20]; ok && c != -1 {
		t.pos += 2
		if c >= 'a' {
			t.emit("[" + t.wide(set) + "]")
		} else {
			t.emit("[^" + t.wide(set) + "]")
		}
		return nil
	}
	switch c {
	case -1:
		return errors.New("unexpected end after \\")
	case 'b', 'B', 'A', 'z':
		t.pos += 2
		t.emit(`\` + string(c))
		return nil
	case 'Z':
		t.pos += 2
		t.dollar = true
		if t.full {
			t.emit(`(?=(?:\r\n|[\n\r\u0085\u2028\u2029])?\z)`)
		} else {
			t.emit(`\z`)
		}
		return nil
	case 'R':
		t.pos += 2
		t.emit("(?:\\r\\n|[" + t.wide(shorthand['v']) + "])")
		return nil
	case 'G', 'k', 'X':
		if !t.full || c == 'X' {
			return errNeedsBacktracking
		}
		t.pos += 2
		t.emit(`\` + string(c))
		return nil
	case 'Q':
		t.quote()
		return nil
	case 'p', 'P':
		set, err := t.property()
		t.emit(set)
		return err
	}
	if c >= '1' && c <= '9' {
		if !t.full {
			return errNeedsBacktracking
		}
		t.pos += 2
		t.emit(`(?:\` + string(c) + ")")
		return nil
	}
	r, err := t.character()
	t.emit(quoted(r))
	return err
}

// wide rewrites \x{…} where the engine wants \u….
func (t *translator) wide(set string) string {
	if !t.full {
		return set
	}
	var b strings.Builder
	for {
		i := strings.Index(set, `\x{`)
		if i < 0 {
			b.WriteString(set)
			return b.String()
		}
		j := i + strings.IndexByte(set[i:], '}')
		n, _ := strconv.ParseUint(set[i+3:j], 16, 32)
		fmt.Fprintf(&b, `%s\u%04x`, set[:i], n)
		set = set[j+1:]
	}
}

// quote reads \Q…\E.
func (t *translator) quote() {
	t.pos += 2
	for t.pos < len(t.in) {
		if t.in[t.pos] == '\\' && t.peek(1) == 'E' {
			t.pos += 2
			return
		}
		t.emit(quoted(t.in[t.pos]))
		t.pos++
	}
}

// character reads an escape that stands for one character.
func (t *translator) character() (rune, error) {
	c := t.peek(1)
	t.pos += 2
	switch c {
	case 't':
		return '\t', nil
	case 'n':
		return '\n', nil
	case 'r':
		return '\r', nil
	case 'f':
		return '\f', nil
	case 'a':
		return 7, nil
	case 'e':
		return 27, nil
	case '0':
		return t.number(8, 1, 3)
	case 'u':
		return t.number(16, 4, 4)
	case 'x':
		if t.peek(0) == '{' {
			t.pos++
			r, err := t.number(16, 1, 6)
			t.pos++
			return r, err
		}
		return t.number(16, 2, 2)
	case 'c':
		r := t.peek(0)
		t.pos++
		return r ^ 64, nil
	}
	if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' {
		return 0, fmt.Errorf("illegal or unsupported escape sequence \\%c", c)
	}
	return c, nil
}

func (t *translator) number(base, least, most int) (rune, error) {
	end := t.pos
	for end < len(t.in) && end < t.pos+most {
		if _, err := strconv.ParseUint(string(t.in[end]), base, 8); err != nil {
			break
		}
		end++
	}
	if end-t.pos < least {
		return 0, errors.New("illegal escape sequence")
	}
	n, err := strconv.ParseUint(string(t.in[t.pos:end]), base, 32)
	t.pos = end
	return rune(n), err
}
