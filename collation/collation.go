// Package collation knows Spark's collations by name and compares texts by them:
//
//	c, err := collation.Find("UNICODE_CI")
//	key := c.Key(nil, []byte("Straße")) // compares bytewise as the text does in the collation
//
// UTF8_LCASE compares the lower-case code points, as Spark does; the others are ICU's root collation and the locales' own ones, by
// golang.org/x/text/collate.
package collation

import (
	"errors"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/collate"
	"golang.org/x/text/language"
	"golang.org/x/text/unicode/norm"
)

// Binary is the name of the collation that compares bytes; types carry an empty name for it.
const Binary = "UTF8_BINARY"

// Indeterminate is the collation of a text made of texts whose columns have different ones; nothing can be compared by it.
const Indeterminate = "null"

// ErrUnknown is the error of names that are no collation's.
var ErrUnknown = errors.New("unknown collation")

// Collation is an order of texts. It is safe for use by several goroutines.
type Collation struct {
	Name   string // as Spark writes it: en_CI_AI, UTF8_LCASE_RTRIM
	LCase  bool   // UTF8_LCASE
	ICU    bool   // of Unicode's algorithm
	FoldCI bool   // case does not count
	FoldAI bool   // accents do not count
	RTrim  bool   // spaces at the end do not count
	pool   *sync.Pool
}

var (
	mu    sync.Mutex
	known = map[string]*Collation{}
)

// Find is the collation of a name, without regard to case.
func Find(name string) (*Collation, error) {
	mu.Lock()
	defer mu.Unlock()
	upper := strings.ToUpper(name)
	if c := known[upper]; c != nil {
		return c, nil
	}
	c, err := parse(upper)
	if err == nil {
		known[upper] = c
	}
	return c, err
}

func parse(name string) (*Collation, error) {
	c := &Collation{}
	switch rest, trim := strings.CutSuffix(name, "_RTRIM"); rest {
	case Binary:
		c.RTrim, c.Name = trim, name
		return c, nil
	case "UTF8_LCASE":
		c.LCase, c.RTrim, c.Name = true, trim, name
		return c, nil
	}
	parts := strings.Split(name, "_")
	seen := map[byte]bool{}
	for len(parts) > 1 {
		last := parts[len(parts)-1]
		if last != "CI" && last != "CS" && last != "AI" && last != "AS" && last != "RTRIM" {
			break
		}
		if seen[last[0]] {
			return nil, ErrUnknown
		}
		seen[last[0]] = true
		c.FoldCI = c.FoldCI || last == "CI"
		c.FoldAI = c.FoldAI || last == "AI"
		c.RTrim = c.RTrim || last == "RTRIM"
		parts = parts[:len(parts)-1]
	}
	suffix := ""
	if c.RTrim {
		suffix = "_RTRIM"
	}
	tag, base, err := locale(parts)
	if err != nil {
		return nil, err
	}
	c.ICU, c.Name = true, base
	if c.FoldCI {
		c.Name += "_CI"
	}
	if c.FoldAI {
		c.Name += "_AI"
	}
	c.Name += suffix
	var options []collate.Option
	if c.FoldCI {
		options = append(options, collate.IgnoreCase)
	}
	if c.FoldAI {
		options = append(options, collate.IgnoreDiacritics, collate.IgnoreCase) // where case counts, Key adds it
	}
	c.pool = &sync.Pool{New: func() any { return &sorter{collator: collate.New(tag, options...)} }}
	return c, nil
}

// sorter is a collator, which one goroutine uses at a time.
type sorter struct {
	collator *collate.Collator
	buffer   collate.Buffer
}

// locale is UNICODE or LANGUAGE[_Script][_COUNTRY] with a country of three letters.
func locale(parts []string) (language.Tag, string, error) {
	if len(parts) == 1 && parts[0] == "UNICODE" {
		return language.Und, "UNICODE", nil
	}
	base, err := language.ParseBase(strings.ToLower(parts[0]))
	if err != nil || len(parts[0]) > 3 {
		return language.Und, "", ErrUnknown
	}
	name, compose := base.String(), []any{base}
	parts = parts[1:]
	if len(parts) > 0 && len(parts[0]) == 4 {
		script, err := language.ParseScript(parts[0])
		if err != nil {
			return language.Und, "", ErrUnknown
		}
		name, compose, parts = name+"_"+script.String(), append(compose, script), parts[1:]
	}
	if len(parts) > 0 && len(parts[0]) == 3 {
		region, err := language.ParseRegion(parts[0])
		if err != nil || region.ISO3() != parts[0] {
			return language.Und, "", ErrUnknown
		}
		name, compose, parts = name+"_"+parts[0], append(compose, region), parts[1:]
	}
	tag, err := language.Compose(compose...)
	if err != nil || len(parts) > 0 {
		return language.Und, "", ErrUnknown
	}
	_, _, confidence := language.NewMatcher(collate.Supported()).Match(tag)
	if confidence == language.No {
		return language.Und, "", ErrUnknown
	}
	return tag, name, nil
}

// Trimmed is s without the spaces that do not count.
func (c *Collation) Trimmed(s []byte) []byte {
	for c.RTrim && len(s) > 0 && s[len(s)-1] == ' ' {
		s = s[:len(s)-1]
	}
	return s
}

// Key appends bytes that compare as s does in the collation.
func (c *Collation) Key(dst, s []byte) []byte {
	s = c.Trimmed(s)
	if (c.LCase || c.ICU) && !utf8.Valid(s) {
		s = []byte(string([]rune(string(s)))) // bytes that are no text are all the same
	}
	switch {
	case c.LCase:
		return AppendLower(dst, s)
	case !c.ICU:
		return append(dst, s...)
	}
	w := c.pool.Get().(*sorter)
	w.buffer.Reset()
	dst = append(dst, w.collator.Key(&w.buffer, s)...)
	c.pool.Put(w)
	if c.FoldAI && !c.FoldCI {
		dst = appendCases(append(dst, 0), s)
	}
	return dst
}

// appendCases appends which letters of s are capitals, accents aside: the level by which case counts where accents do not.
func appendCases(dst, s []byte) []byte {
	for _, r := range string(norm.NFKD.Bytes(s)) {
		if unicode.Is(unicode.Mn, r) || r == '·' {
			continue
		}
		letter := byte(1)
		if unicode.IsUpper(r) {
			letter = 2
		}
		if dst = append(dst, letter); double[unicode.ToLower(r)] {
			dst = append(dst, letter)
		}
	}
	return dst
}

// double are the letters that sort as two.
var double = map[rune]bool{'æ': true, 'œ': true, 'ß': true, 'ĳ': true}

const (
	dottedI  = 0x130
	dotAbove = 0x307
)

// LowerRune is one code point in lower case without regard to what stands around it; the final sigma is a sigma.
func LowerRune(r rune) rune {
	if r == 'ς' {
		return 'σ'
	}
	return unicode.ToLower(r)
}

// AppendLower appends s in lower case, code point by code point: the dotted capital I becomes two.
func AppendLower(dst, s []byte) []byte {
	for len(s) > 0 {
		if c := s[0]; c < utf8.RuneSelf {
			if c-'A' < 26 {
				c += 'a' - 'A'
			}
			dst, s = append(dst, c), s[1:]
			continue
		}
		r, n := utf8.DecodeRune(s)
		switch {
		case r == utf8.RuneError && n == 1:
			dst = append(dst, s[0])
		case r == dottedI:
			dst = utf8.AppendRune(append(dst, 'i'), dotAbove)
		default:
			dst = utf8.AppendRune(dst, LowerRune(r))
		}
		s = s[n:]
	}
	return dst
}
