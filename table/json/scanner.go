package json

import (
	"bytes"
	"errors"
	"unicode/utf16"
	"unicode/utf8"
)

// errSyntax says that a record is not JSON.
var errSyntax = errors.New("malformed JSON")

// maxDepth bounds how deeply values may nest, as Jackson does.
const maxDepth = 1000

// scanner reads tokens of one record.
type scanner struct {
	*Options
	data    []byte
	pos     int
	scratch []byte
	depth   int
	twice   error // that an object in the variant which is being read has two fields of a name
}

// peek is the next byte that is not white space, or 0 at the end.
func (s *scanner) peek() byte {
	for s.pos < len(s.data) {
		switch c := s.data[s.pos]; c {
		case ' ', '\t', '\n', '\r':
			s.pos++
		case '/':
			n := 0
			if s.Comments {
				n = comment(s.data[s.pos:])
			}
			if n == 0 {
				return c
			}
			s.pos += n
		default:
			return c
		}
	}
	return 0
}

// comment is the length of the comment that a text starts with, or 0. One that does not end is none.
func comment(text []byte) int {
	if bytes.HasPrefix(text, []byte("//")) {
		if i := bytes.IndexAny(text, "\r\n"); i >= 0 {
			return i
		}
		return len(text)
	}
	if bytes.HasPrefix(text, []byte("/*")) {
		if i := bytes.Index(text[2:], []byte("*/")); i >= 0 {
			return i + 4
		}
	}
	return 0
}

// take passes over the byte c, or fails.
func (s *scanner) take(c byte) error {
	if s.peek() != c {
		return errSyntax
	}
	s.pos++
	return nil
}

// text reads a string; the bytes are valid until the next call.
func (s *scanner) text() ([]byte, error) {
	quote := s.data[s.pos]
	start := s.pos + 1
	for i := start; i < len(s.data); i++ {
		switch c := s.data[i]; {
		case c == quote:
			s.pos = i + 1
			return s.data[start:i], nil
		case c == '\\':
			return s.escaped(start, i, quote)
		case c < ' ' && !s.ControlChars:
			return nil, errSyntax
		}
	}
	return nil, errSyntax
}

// escaped continues a string at its first escape.
func (s *scanner) escaped(start, i int, quote byte) ([]byte, error) {
	s.scratch = append(s.scratch[:0], s.data[start:i]...)
	for i < len(s.data) {
		c := s.data[i]
		switch {
		case c == quote:
			s.pos = i + 1
			return s.scratch, nil
		case c < ' ' && !s.ControlChars:
			return nil, errSyntax
		case c != '\\':
			s.scratch = append(s.scratch, c)
			i++
			continue
		}
		n, err := s.escape(i + 1)
		if err != nil {
			return nil, err
		}
		i += 1 + n
	}
	return nil, errSyntax
}

var escapes = map[byte]byte{'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t', '"': '"', '\\': '\\', '/': '/'}

// escape decodes the escape behind a backslash and returns its length.
func (s *scanner) escape(i int) (int, error) {
	if i >= len(s.data) {
		return 0, errSyntax
	}
	c := s.data[i]
	if c == 'u' {
		return s.unicode(i)
	}
	if e, ok := escapes[c]; ok {
		s.scratch = append(s.scratch, e)
		return 1, nil
	}
	if c == '\'' && s.SingleQuotes || s.AnyEscape {
		s.scratch = append(s.scratch, c)
		return 1, nil
	}
	return 0, errSyntax
}

func (s *scanner) unicode(i int) (int, error) {
	r, ok := hex4(s.data, i+1)
	if !ok {
		return 0, errSyntax
	}
	n := 5
	if utf16.IsSurrogate(r) {
		low, ok := rune(0), false
		if i+7 <= len(s.data) && s.data[i+5] == '\\' && s.data[i+6] == 'u' {
			low, ok = hex4(s.data, i+7)
		}
		if pair := utf16.DecodeRune(r, low); ok && pair != utf8.RuneError {
			r, n = pair, 11
		} else {
			r = '?'
		}
	}
	s.scratch = utf8.AppendRune(s.scratch, r)
	return n, nil
}

func hex4(data []byte, i int) (r rune, ok bool) {
	if i+4 > len(data) {
		return 0, false
	}
	for _, c := range data[i : i+4] {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c|32 >= 'a' && c|32 <= 'f':
			c = c | 32 - 'a' + 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}

// isQuote reports whether a string starts with that byte.
func (s *scanner) isQuote(c byte) bool { return c == '"' || c == '\'' && s.SingleQuotes }

// name reads a field's name and the colon behind it.
func (s *scanner) name() ([]byte, error) {
	c := s.peek()
	switch {
	case s.isQuote(c):
		name, err := s.text()
		if err != nil {
			return nil, err
		}
		return name, s.take(':')
	case s.UnquotedNames:
		start := s.pos
		for s.pos < len(s.data) && bytes.IndexByte([]byte(" \t\n\r:,{}[]\""), s.data[s.pos]) < 0 {
			s.pos++
		}
		if s.pos > start {
			return s.data[start:s.pos], s.take(':')
		}
	}
	return nil, errSyntax
}

// number reads a number's text and whether it is an integer. Words for numbers that are none are numbers too.
func (s *scanner) number() (text []byte, integer bool, err error) {
	start := s.pos
	if s.NonNumeric && s.startsWord() {
		for _, w := range [...]string{"NaN", "Infinity", "-Infinity", "+Infinity", "INF", "-INF", "+INF"} {
			if bytes.HasPrefix(s.data[s.pos:], []byte(w)) {
				s.pos += len(w)
				return s.data[start:s.pos], false, nil
			}
		}
	}
	if s.pos < len(s.data) && s.data[s.pos] == '-' {
		s.pos++
	}
	first := s.pos
	s.digits()
	whole := s.pos - first
	if whole == 0 || whole > 1 && s.data[first] == '0' && !s.LeadingZeros {
		return nil, false, errSyntax
	}
	integer = true
	if s.pos < len(s.data) && s.data[s.pos] == '.' {
		s.pos++
		if integer = false; s.digits() == 0 {
			return nil, false, errSyntax
		}
	}
	if s.pos < len(s.data) && s.data[s.pos]|32 == 'e' {
		s.pos++
		if s.pos < len(s.data) && (s.data[s.pos] == '+' || s.data[s.pos] == '-') {
			s.pos++
		}
		if integer = false; s.digits() == 0 {
			return nil, false, errSyntax
		}
	}
	return s.data[start:s.pos], integer, s.boundary()
}

// startsWord reports whether the number may be a word: NaN, Infinity or INF, with a sign or without.
func (s *scanner) startsWord() bool {
	if s.pos == len(s.data) {
		return false
	}
	c := s.data[s.pos]
	if (c == '-' || c == '+') && s.pos+1 < len(s.data) {
		c = s.data[s.pos+1]
	}
	return c == 'N' || c == 'I'
}

func (s *scanner) digits() (n int) {
	for s.pos < len(s.data) && s.data[s.pos] >= '0' && s.data[s.pos] <= '9' {
		s.pos++
		n++
	}
	return n
}

// boundary refuses a token that goes on where it should end.
func (s *scanner) boundary() error {
	if s.pos < len(s.data) && bytes.IndexByte([]byte(" \t\n\r,]}"), s.data[s.pos]) < 0 && !(s.Comments && s.data[s.pos] == '/') {
		return errSyntax
	}
	return nil
}

// word passes over true, false or null.
func (s *scanner) word(w string) error {
	if !bytes.HasPrefix(s.data[s.pos:], []byte(w)) {
		return errSyntax
	}
	s.pos += len(w)
	return s.boundary()
}

// skip passes over a value of any kind.
func (s *scanner) skip() error {
	switch c := s.peek(); {
	case c == '{':
		return s.object(func([]byte) error { return s.skip() })
	case c == '[':
		return s.array(s.skip)
	case s.isQuote(c):
		_, err := s.text()
		return err
	case c == 't':
		return s.word("true")
	case c == 'f':
		return s.word("false")
	case c == 'n':
		return s.word("null")
	}
	_, _, err := s.number()
	return err
}

// object calls field for each field, with its value to come.
func (s *scanner) object(field func(name []byte) error) error {
	if err := s.enter('{'); err != nil {
		return err
	}
	defer s.leave()
	if s.peek() == '}' {
		s.pos++
		return nil
	}
	for {
		name, err := s.name()
		if err != nil {
			return err
		}
		if err := field(name); err != nil {
			return err
		}
		if more, err := s.more('}'); err != nil || !more {
			return err
		}
	}
}

func (s *scanner) array(elem func() error) error {
	if err := s.enter('['); err != nil {
		return err
	}
	defer s.leave()
	if s.peek() == ']' {
		s.pos++
		return nil
	}
	for {
		if err := elem(); err != nil {
			return err
		}
		if more, err := s.more(']'); err != nil || !more {
			return err
		}
	}
}

func (s *scanner) enter(c byte) error {
	if s.depth++; s.depth > maxDepth {
		return errSyntax
	}
	return s.take(c)
}

func (s *scanner) leave() { s.depth-- }

// more passes over a comma, or the closing byte.
func (s *scanner) more(end byte) (bool, error) {
	switch s.peek() {
	case ',':
		s.pos++
		return true, nil
	case end:
		s.pos++
		return false, nil
	}
	return false, errSyntax
}

// compactText is a value's text without white space and comments between its tokens.
func compactText(dst, text []byte) []byte {
	quote := byte(0)
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case quote != 0:
			if c == '\\' && i+1 < len(text) {
				dst = append(dst, c)
				i++
				c = text[i]
			} else if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			continue
		case c == '/' && comment(text[i:]) > 0:
			i += comment(text[i:]) - 1
			continue
		}
		dst = append(dst, c)
	}
	return dst
}
