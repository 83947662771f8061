package javaregex

import (
	"regexp/syntax"
	"sort"
	"unicode/utf8"
)

// set is a class of characters; many says that it is followed by +.
type set struct {
	ascii  [utf8.RuneSelf]bool
	ranges []rune // pairs, ascending
	many   bool
}

// setOf is the class that a pattern consists of, or nil.
func setOf(re *syntax.Regexp) *set {
	s := &set{}
	if re.Op == syntax.OpPlus && re.Flags&syntax.NonGreedy == 0 {
		s.many, re = true, re.Sub[0]
	}
	if re.Op != syntax.OpCharClass {
		return nil
	}
	s.ranges = re.Rune
	for c := range rune(utf8.RuneSelf) {
		s.ascii[c] = s.has(c)
	}
	return s
}

func (s *set) has(r rune) bool {
	i := sort.Search(len(s.ranges)/2, func(i int) bool { return s.ranges[2*i+1] >= r })
	return i < len(s.ranges)/2 && s.ranges[2*i] <= r
}

// at reports whether the character at i is in the set, and its length.
func (s *set) at(text []byte, i int) (bool, int) {
	if c := text[i]; c < utf8.RuneSelf {
		return s.ascii[c], 1
	}
	r, n := utf8.DecodeRune(text[i:])
	return s.has(r), n
}

// next is where the first character of the set from i on stands, or the text's length.
func (s *set) next(text []byte, i int) int {
	for i < len(text) {
		in, n := s.at(text, i)
		if in {
			return i
		}
		i += n
	}
	return len(text)
}

func (re *Regexp) findSet(s []byte, from int, f func([]int) bool) {
	re.match = append(re.match[:0], 0, 0)
	for from = re.set.next(s, from); from < len(s); from = re.set.next(s, from) {
		start := from
		_, n := re.set.at(s, from)
		from += n
		for in := re.set.many; in && from < len(s); {
			if in, n = re.set.at(s, from); in {
				from += n
			}
		}
		re.match[0], re.match[1] = start, from
		if !f(re.match) {
			return
		}
	}
}
