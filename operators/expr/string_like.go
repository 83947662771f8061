package expr

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"millrace/errs"
)

func init() {
	Register("like", Func{Strict: true, Pure: true, Build: buildLike})
	Register("ilike", Func{Strict: true, Pure: true, Build: buildLike})
}

// likePattern is a compiled LIKE pattern: the texts between the % signs.
type likePattern struct {
	parts []likePart
	any   bool // there is a %
	first bool // a % stands in front
	last  bool // a % stands at the end
}

// likePart is text without %. Where wild is not nil, the text's characters are in it, -1 for _.
type likePart struct {
	text []byte
	wild []rune
}

// compileLike reads a pattern. The escape character must stand before %, _ or itself.
func compileLike(pattern []byte, escape rune) (*likePattern, error) {
	p := &likePattern{}
	var part []rune
	wild := false
	end := func() {
		if len(part) == 0 {
			return
		}
		lp := likePart{}
		if wild {
			lp.wild = part
		} else {
			lp.text = []byte(string(part))
		}
		p.parts = append(p.parts, lp)
		part, wild = nil, false
	}
	runes := []rune(string(pattern))
	for i := 0; i < len(runes); i++ {
		switch r := runes[i]; {
		case r == escape:
			if i++; i == len(runes) {
				return nil, errs.New("INVALID_FORMAT.ESC_AT_THE_END", "format", showPattern(pattern))
			}
			if c := runes[i]; c != '%' && c != '_' && c != escape {
				return nil, errs.New("INVALID_FORMAT.ESC_IN_THE_MIDDLE", "format", showPattern(pattern), "char", "'"+string(c)+"'")
			}
			part = append(part, runes[i])
		case r == '%':
			end()
			p.first = p.first || len(p.parts) == 0
			p.any, p.last = true, i == len(runes)-1
		case r == '_':
			part, wild = append(part, -1), true
		default:
			part = append(part, r)
		}
	}
	end()
	return p, nil
}

// showPattern is a pattern as a literal.
func showPattern(p []byte) string { return "'" + strings.ReplaceAll(string(p), `\`, `\\`) + "'" }

// match reports whether all of s is like the pattern: the first and last parts at the ends, the others in order between.
func (p *likePattern) match(s []byte) bool {
	parts := p.parts
	if !p.any {
		if len(parts) == 0 {
			return len(s) == 0
		}
		n := parts[0].prefix(s)
		return n == len(s)
	}
	if !p.first {
		n := parts[0].prefix(s)
		if n < 0 {
			return false
		}
		s, parts = s[n:], parts[1:]
	}
	if !p.last {
		last := parts[len(parts)-1:]
		if len(parts) == 0 {
			return false
		}
		n := last[0].suffix(s)
		if n < 0 {
			return false
		}
		s, parts = s[:len(s)-n], parts[:len(parts)-1]
	}
	for i := range parts {
		n := parts[i].find(s)
		if n < 0 {
			return false
		}
		s = s[n:]
	}
	return true
}

// prefix is the length of the part at s's beginning, or -1.
func (p *likePart) prefix(s []byte) int {
	if p.wild == nil {
		if bytes.HasPrefix(s, p.text) {
			return len(p.text)
		}
		return -1
	}
	n := 0
	for _, w := range p.wild {
		r, size := utf8.DecodeRune(s[n:])
		if size == 0 || w >= 0 && r != w {
			return -1
		}
		n += size
	}
	return n
}

// suffix is the length of the part at s's end, or -1.
func (p *likePart) suffix(s []byte) int {
	if p.wild == nil {
		if bytes.HasSuffix(s, p.text) {
			return len(p.text)
		}
		return -1
	}
	n := len(s)
	for i := len(p.wild) - 1; i >= 0; i-- {
		r, size := utf8.DecodeLastRune(s[:n])
		if w := p.wild[i]; size == 0 || w >= 0 && r != w {
			return -1
		}
		n -= size
	}
	return len(s) - n
}

// find is where the part's first occurrence in s ends, or -1.
func (p *likePart) find(s []byte) int {
	if p.wild == nil {
		if k := bytes.Index(s, p.text); k >= 0 {
			return k + len(p.text)
		}
		return -1
	}
	for k := 0; ; {
		if n := p.prefix(s[k:]); n >= 0 {
			return k + n
		}
		_, size := utf8.DecodeRune(s[k:])
		if size == 0 {
			return -1
		}
		k += size
	}
}

// buildLike makes like and ilike. A pattern that comes again is not compiled again.
func buildLike(c *Call) (Kernel, error) {
	fold := c.Name == "ilike"
	cache := lastPattern[*likePattern]{}
	var folded []byte
	return fixedKernel(func(in *inputs, i int) (bool, error) {
		escape := '\\'
		if len(in.vec) > 2 {
			escape, _ = utf8.DecodeRune(in.str(2, i))
		}
		p, err := cache.get(in.str(1, i), func(text []byte) (*likePattern, error) {
			if fold {
				text = appendLower(nil, text)
			}
			return compileLike(text, escape)
		})
		if err != nil {
			return false, err
		}
		s := in.str(0, i)
		if fold {
			folded = appendLower(folded[:0], s)
			s = folded
		}
		return p.match(s), nil
	}), nil
}

// lastPattern keeps the pattern compiled last.
type lastPattern[T any] struct {
	text  []byte
	value T
	err   error
	set   bool
}

func (l *lastPattern[T]) get(text []byte, compile func([]byte) (T, error)) (T, error) {
	if !l.set || !bytes.Equal(l.text, text) {
		l.text, l.set = append(l.text[:0], text...), true
		l.value, l.err = compile(l.text)
	}
	return l.value, l.err
}
