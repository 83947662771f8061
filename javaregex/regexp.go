package javaregex

import (
	"bytes"
	"regexp"
	"regexp/syntax"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/dlclark/regexp2/v2"
)

// Timeout bounds one match of a pattern that needs backtracking.
const Timeout = 10 * time.Second

// Regexp is a compiled pattern, for one goroutine.
type Regexp struct {
	pattern string
	text    []byte // the pattern is this text
	set     *set   // the pattern is one class of characters, perhaps with +
	fast    *regexp.Regexp
	dollar  bool // fast is right only for texts that do not end in a line's end
	local   bool // a match of fast does not depend on what is before it
	slow    *regexp2.Regexp
	groups  int
	names   map[string]int
	match   []int // memory of a match's places
}

// Compile reads a Java pattern.
func Compile(pattern string) (*Regexp, error) {
	re := &Regexp{pattern: pattern, names: map[string]int{}}
	if !strings.ContainsAny(pattern, `\.+*?()|[]{}^$`) && pattern != "" {
		re.text = []byte(pattern)
		return re, nil
	}
	if err := re.compileFast(); err == nil {
		return re, nil
	}
	return re, re.compileSlow()
}

// compileFast tries Go's engine. It finds no empty match right after another match, as Java does, so that patterns that match the
// empty text are left to the other one.
func (re *Regexp) compileFast() error {
	t, err := translate(re.pattern, false)
	if err != nil {
		return err
	}
	parsed, err := syntax.Parse(t.out.String(), syntax.Perl)
	if err != nil {
		return err
	}
	if minLength(parsed) == 0 {
		return errNeedsBacktracking
	}
	if re.set = setOf(parsed); re.set != nil {
		return nil
	}
	re.fast, err = regexp.Compile(t.out.String())
	if err != nil {
		return err
	}
	re.dollar, re.groups, re.local = t.dollar, re.fast.NumSubexp(), !looksBack(parsed)
	for i, n := range re.fast.SubexpNames() {
		if n != "" {
			re.names[n] = i
		}
	}
	return nil
}

// minLength is a lower bound of a match's length: 0 only if the empty text may match.
func minLength(re *syntax.Regexp) int {
	switch re.Op {
	case syntax.OpLiteral, syntax.OpCharClass, syntax.OpAnyChar, syntax.OpAnyCharNotNL, syntax.OpNoMatch:
		return 1
	case syntax.OpCapture, syntax.OpPlus:
		return minLength(re.Sub[0])
	case syntax.OpRepeat:
		if re.Min > 0 {
			return minLength(re.Sub[0])
		}
	case syntax.OpConcat:
		for _, s := range re.Sub {
			if minLength(s) > 0 {
				return 1
			}
		}
	case syntax.OpAlternate:
		for _, s := range re.Sub {
			if minLength(s) == 0 {
				return 0
			}
		}
		return 1
	}
	return 0
}

func (re *Regexp) compileSlow() error {
	t, err := translate(re.pattern, true)
	if err != nil {
		return err
	}
	re.slow, err = regexp2.Compile(t.out.String(), regexp2.OptionMaintainCaptureOrder())
	if err != nil {
		return err
	}
	re.slow.MatchTimeout = Timeout
	re.groups = len(re.slow.GetGroupNumbers()) - 1
	for i, n := range re.slow.GetGroupNames() {
		if _, err := strconv.Atoi(n); err != nil {
			re.names[n] = i
		}
	}
	return nil
}

// Groups is the number of capturing groups.
func (re *Regexp) Groups() int { return re.groups }

// engine chooses the engine for a text.
func (re *Regexp) engine(s []byte) (useFast bool, err error) {
	if re.fast == nil {
		return false, nil
	}
	if !re.dollar || !endsLine(s) {
		return true, nil
	}
	if re.slow == nil {
		return false, re.compileSlow()
	}
	return false, nil
}

func endsLine(s []byte) bool {
	r, _ := utf8.DecodeLastRune(s)
	return r == '\n' || r == '\r' || r == 0x85 || r == 0x2028 || r == 0x2029
}

// Match reports whether the pattern is found in s.
func (re *Regexp) Match(s []byte) (bool, error) {
	if re.text != nil {
		return bytes.Contains(s, re.text), nil
	}
	if re.set != nil {
		return re.set.next(s, 0) < len(s), nil
	}
	fast, err := re.engine(s)
	if err != nil {
		return false, err
	}
	if fast {
		return re.fast.Match(s), nil
	}
	return re.slow.MatchString(string(s))
}

// Find calls f with the places of each match and its groups (pairs of byte offsets, -1 for a group that took no part), from the
// character at byte offset from on, until f returns false. The slice is f's until it returns.
func (re *Regexp) Find(s []byte, from int, f func(match []int) bool) error {
	if re.text != nil {
		re.findText(s, from, f)
		return nil
	}
	if re.set != nil {
		re.findSet(s, from, f)
		return nil
	}
	fast, err := re.engine(s)
	if err != nil {
		return err
	}
	if fast {
		return re.findFast(s, from, f)
	}
	return re.findSlow(string(s), from, f)
}

func (re *Regexp) findText(s []byte, from int, f func([]int) bool) {
	re.match = append(re.match[:0], 0, 0)
	for {
		k := bytes.Index(s[from:], re.text)
		if k < 0 {
			return
		}
		re.match[0], re.match[1] = from+k, from+k+len(re.text)
		from = re.match[1]
		if !f(re.match) {
			return
		}
	}
}

func (re *Regexp) findFast(s []byte, from int, f func([]int) bool) error {
	if !re.local {
		for _, m := range re.fast.FindAllSubmatchIndex(s, -1) {
			if m[0] >= from && !f(m) {
				break
			}
		}
		return nil
	}
	for {
		m := re.fast.FindSubmatchIndex(s[from:])
		if m == nil {
			return nil
		}
		for i := range m {
			if m[i] >= 0 {
				m[i] += from
			}
		}
		if from = m[1]; !f(m) {
			return nil
		}
	}
}

// looksBack reports whether a pattern has ^ or a word's boundary.
func looksBack(re *syntax.Regexp) bool {
	switch re.Op {
	case syntax.OpBeginLine, syntax.OpBeginText, syntax.OpWordBoundary, syntax.OpNoWordBoundary:
		return true
	}
	for _, s := range re.Sub {
		if looksBack(s) {
			return true
		}
	}
	return false
}

func (re *Regexp) findSlow(s string, from int, f func([]int) bool) error {
	m, err := re.slow.FindStringMatchStartingAt(s, from)
	for ; m != nil && err == nil; m, err = re.slow.FindNextMatch(m) {
		re.match = re.match[:0]
		for _, g := range m.Groups() {
			if len(g.Captures) == 0 {
				re.match = append(re.match, -1, -1)
				continue
			}
			at, n := g.ByteRange()
			re.match = append(re.match, at, at+n)
		}
		if !f(re.match) {
			return nil
		}
	}
	return err
}
