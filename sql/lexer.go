package sql

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

type kind uint8

const (
	tEOF    kind = iota
	tWord        // an identifier or keyword; upper holds it in upper case
	tQuoted      // `identifier`
	tString      // 'text', "text", r'text'
	tInt         // digits
	tNumber      // any other number, with its suffix
	tOp          // an operator or a bracket
	tBad         // a character that starts no token
)

// token is one token. Offsets are bytes in the text.
type token struct {
	kind       kind
	start, end int
	text       string
	upper      string
}

// lex splits text into tokens, the last of which is tEOF. It fails only on an unclosed comment.
func lex(text string) ([]token, bool) {
	l := lexer{text: text, toks: make([]token, 0, len(text)/4+2)}
	for l.pos < len(text) {
		if !l.next() {
			return nil, false
		}
	}
	l.toks = append(l.toks, token{kind: tEOF, start: len(text), end: len(text)})
	return l.toks, true
}

type lexer struct {
	text string
	pos  int
	toks []token
}

func (l *lexer) emit(k kind, end int) {
	t := token{kind: k, start: l.pos, end: end, text: l.text[l.pos:end]}
	if k == tWord {
		t.upper = strings.ToUpper(t.text)
	}
	l.toks = append(l.toks, t)
	l.pos = end
}

func (l *lexer) at(i int) byte {
	if i < len(l.text) {
		return l.text[i]
	}
	return 0
}

// next reads one token, or skips white space or a comment. It reports false for a comment without an end.
func (l *lexer) next() bool {
	c := l.text[l.pos]
	switch {
	case c == ' ' || c == '\t' || c == '\n' || c == '\r':
		l.pos++
	case c == '-' && l.at(l.pos+1) == '-':
		l.lineComment()
	case c == '/' && l.at(l.pos+1) == '*' && l.at(l.pos+2) == '+':
		l.emit(tOp, l.pos+3)
	case c == '/' && l.at(l.pos+1) == '*':
		return l.blockComment()
	case c == '\'' || c == '"':
		l.quoted(l.pos, tString, false)
	case c == '`':
		l.quoted(l.pos, tQuoted, true)
	case (c == 'r' || c == 'R') && (l.at(l.pos+1) == '\'' || l.at(l.pos+1) == '"'):
		l.rawString()
	case isDigit(c) || c == '.' && isDigit(l.at(l.pos+1)):
		l.number()
	default:
		l.wordOrOperator()
	}
	return true
}

func (l *lexer) lineComment() {
	for l.pos < len(l.text) && l.text[l.pos] != '\n' && l.text[l.pos] != '\r' {
		if l.text[l.pos] == '\\' && l.at(l.pos+1) == '\n' {
			l.pos++
		}
		l.pos++
	}
}

func (l *lexer) blockComment() bool {
	depth := 0
	for i := l.pos; i+1 < len(l.text); i++ {
		switch l.text[i : i+2] {
		case "/*":
			depth++
			i++
		case "*/":
			depth--
			i++
			if depth == 0 {
				l.pos = i + 1
				return true
			}
		}
	}
	return false
}

// quoted reads a string or identifier whose quote stands at l.pos; a doubled quote is one inside, and so is, except in
// identifiers, an escaped one.
func (l *lexer) quoted(open int, k kind, raw bool) {
	q := l.text[open]
	for i := open + 1; i < len(l.text); i++ {
		switch {
		case !raw && l.text[i] == '\\':
			i++
		case l.text[i] == q && l.at(i+1) == q:
			i++
		case l.text[i] == q:
			l.emit(k, i+1)
			return
		}
	}
	l.emit(tBad, open+1)
}

func (l *lexer) rawString() {
	if i := strings.IndexByte(l.text[l.pos+2:], l.text[l.pos+1]); i >= 0 {
		l.emit(tString, l.pos+i+3)
		return
	}
	l.emit(tBad, l.pos+2)
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isWordByte(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

func (l *lexer) digits(i int) int {
	for isDigit(l.at(i)) {
		i++
	}
	return i
}

// number reads the longest of: digits, a decimal, an exponent form, each with its suffix; or an identifier that starts
// with digits, which is longer.
func (l *lexer) number() {
	i := l.digits(l.pos)
	word := l.wordEnd(l.pos)
	k := tInt
	end := i
	if l.at(i) == '.' {
		if j := l.digits(i + 1); l.wordEnd(j) == j || l.exponent(j) > j || l.suffix(j, "BD", "D", "F") > j {
			k, i, end = tNumber, j, j
		} else if i == l.pos { // .1x: a dot and an identifier
			l.emit(tOp, i+1)
			return
		}
	}
	if j := l.exponent(i); j > i {
		k, i, end = tNumber, j, j
	}
	suffixes := []string{"BD", "D", "F"}
	if k == tInt {
		suffixes = []string{"BD", "D", "F", "L", "S", "Y"}
	}
	if j := l.suffix(i, suffixes...); j > i {
		k, end = tNumber, j
	}
	if k != tNumber && word > end || k == tNumber && word > end {
		l.emit(tWord, word)
		return
	}
	l.emit(k, end)
}

func (l *lexer) exponent(i int) int {
	if c := l.at(i); c != 'e' && c != 'E' {
		return i
	}
	j := i + 1
	if c := l.at(j); c == '+' || c == '-' {
		j++
	}
	if e := l.digits(j); e > j {
		return e
	}
	return i
}

func (l *lexer) suffix(i int, names ...string) int {
	for _, s := range names {
		if j := i + len(s); j <= len(l.text) && strings.EqualFold(l.text[i:j], s) && l.wordEnd(j) == j {
			return j
		}
	}
	return i
}

// wordEnd is the end of the identifier that starts at i, or i.
func (l *lexer) wordEnd(i int) int {
	for i < len(l.text) {
		c := l.text[i]
		if c < utf8.RuneSelf {
			if !isWordByte(c) {
				break
			}
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(l.text[i:])
		if !unicode.IsLetter(r) {
			break
		}
		i += n
	}
	return i
}

var operators = [...]string{"<=>", ">>>", "|>", "||", "==", "<>", "!=", "<=", ">=", "!<", "!>", "<<", ">>", "->", "=>", "::", "*/"}

func (l *lexer) wordOrOperator() {
	if end := l.wordEnd(l.pos); end > l.pos {
		if strings.HasPrefix(l.text[end:], "://") && l.at(end+3) != 0 {
			end = l.uriEnd(end + 3)
		}
		l.emit(tWord, end)
		return
	}
	for _, op := range operators {
		if strings.HasPrefix(l.text[l.pos:], op) {
			l.emit(tOp, l.pos+len(op))
			return
		}
	}
	r, n := utf8.DecodeRuneInString(l.text[l.pos:])
	if unicode.IsSpace(r) || r == '\uFEFF' {
		l.pos += n
		return
	}
	if strings.ContainsRune("()[]{},.;:+-*/%<>=!~&|^?@", r) {
		l.emit(tOp, l.pos+n)
		return
	}
	l.emit(tBad, l.pos+n)
}

func (l *lexer) uriEnd(i int) int {
	for i < len(l.text) && (isWordByte(l.text[i]) || strings.IndexByte("/-.?=&#%", l.text[i]) >= 0) {
		i++
	}
	return i
}
