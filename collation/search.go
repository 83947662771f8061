package collation

import (
	"errors"
	"unicode/utf8"
)

// ErrNotASCII says that a text of other characters than those of ASCII was to be searched by Unicode's rules.
var ErrNotASCII = errors.New("not ASCII")

// Pattern is a text to be looked for.
type Pattern struct {
	runes []rune // in lower case where case does not count
	fold  bool
}

// Pattern prepares a text for searches. Those of Unicode's collations are done for printable ASCII only, where they need no
// more than case.
func (c *Collation) Pattern(s []byte) (Pattern, error) {
	p := Pattern{fold: c.LCase || c.FoldCI}
	if err := c.Searchable(s); err != nil {
		return p, err
	}
	if s = c.Trimmed(s); p.fold {
		s = AppendLower(nil, s)
	}
	p.runes = []rune(string(s))
	return p, nil
}

// Searchable reports whether a text can be searched in the collation.
func (c *Collation) Searchable(s []byte) error {
	if c.ICU {
		for _, b := range s {
			if b < ' ' || b > '~' {
				return ErrNotASCII
			}
		}
	}
	return nil
}

// Len is how many bytes of s, from its start, match the pattern; -1 if it does not stand there. What is half of a character
// that becomes two in lower case does not match.
func (p *Pattern) Len(s []byte) int {
	at, rest := 0, rune(-1)
	for _, want := range p.runes {
		got := rest
		if rest = -1; got < 0 {
			if at == len(s) {
				return -1
			}
			r, n := utf8.DecodeRune(s[at:])
			at += n
			switch {
			case p.fold && r == dottedI:
				got, rest = 'i', dotAbove
			case p.fold:
				got = LowerRune(r)
			default:
				got = r
			}
		}
		if got != want {
			return -1
		}
	}
	if rest >= 0 {
		return -1
	}
	return at
}

// Index is the first place at or after from where the pattern stands in s, and how many bytes it takes; -1 if there is none.
func (p *Pattern) Index(s []byte, from int) (at, length int) {
	for at = from; at <= len(s); {
		if n := p.Len(s[at:]); n >= 0 {
			return at, n
		}
		if at == len(s) {
			break
		}
		_, n := utf8.DecodeRune(s[at:])
		at += n
	}
	return -1, 0
}

// LastIndex is the last place where the pattern stands in s[:end].
func (p *Pattern) LastIndex(s []byte, end int) (at, length int) {
	s = s[:end]
	for at = len(s); ; at-- {
		if at == len(s) || utf8.RuneStart(s[at]) {
			if n := p.Len(s[at:]); n >= 0 {
				return at, n
			}
		}
		if at == 0 {
			return -1, 0
		}
	}
}

// Suffix is how many bytes at the end of s match the pattern; -1 if it does not end with it.
func (p *Pattern) Suffix(s []byte) int {
	for at := len(s); at >= 0; at-- {
		if at == len(s) || utf8.RuneStart(s[at]) {
			if n := p.Len(s[at:]); n == len(s)-at {
				return n
			}
		}
	}
	return -1
}
