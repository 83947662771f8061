package sql

import (
	"strings"

	"millrace/plan"
	"millrace/types"
)

// strictWords are the keywords that cannot be a relation's alias.
var strictWords = words("ANTI CROSS EXCEPT FULL INNER INTERSECT JOIN LATERAL LEFT NATURAL ON RIGHT SEMI SETMINUS MINUS UNION USING")

// clauseWords are the keywords that, where an alias might stand, begin what comes after it instead.
var clauseWords = words("FROM WHERE GROUP HAVING ORDER SORT CLUSTER DISTRIBUTE LIMIT OFFSET WINDOW PIVOT UNPIVOT TABLESAMPLE WHEN THEN ELSE END " +
	"AND OR NOT IN BETWEEN LIKE ILIKE RLIKE REGEXP IS DIV OVER FILTER AS ASC DESC NULLS SET VALUES SELECT FOR VERSION TIMESTAMP SYSTEM_VERSION SYSTEM_TIME " +
	"WITH INSERT MAP REDUCE SELECT ROWS RANGE COLLATE WITHIN IGNORE RESPECT WATERMARK GROUPING")

func words(list string) map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(list) {
		m[w] = true
	}
	return m
}

func unquote(text string) string {
	q := text[:1]
	return strings.ReplaceAll(text[1:len(text)-1], q+q, q)
}

func (p *parser) isIdentifier() bool { k := p.cur().kind; return k == tWord || k == tQuoted }

// identifier reads any word or quoted name.
func (p *parser) identifier() string {
	t := p.cur()
	switch t.kind {
	case tWord:
		p.pos++
		return t.text
	case tQuoted:
		p.pos++
		return unquote(t.text)
	}
	p.fail()
	return ""
}

// strictIdentifier reads a name that is not one of the words that join relations.
func (p *parser) strictIdentifier() string {
	if strictWords[p.cur().upper] {
		p.fail()
	}
	return p.identifier()
}

// name reads an identifier and refuses a-b, which must be quoted.
func (p *parser) name() string {
	start := p.pos
	id := p.identifier()
	if p.isOp("-") && p.peek(1).kind == tWord && p.cur().start == p.peek(-1).end && p.cur().end == p.peek(1).start {
		for p.isOp("-") && p.peek(1).kind == tWord {
			p.pos += 2
		}
		p.raise(start, "INVALID_IDENTIFIER", "ident", p.between(start))
	}
	return id
}

func (p *parser) qualifiedName() []string {
	parts := []string{p.name()}
	for p.isOp(".") && (p.peek(1).kind == tWord || p.peek(1).kind == tQuoted) {
		p.pos++
		parts = append(parts, p.name())
	}
	return parts
}

// tableName reads a qualified name, or IDENTIFIER('name').
func (p *parser) tableName() []string {
	if p.is("IDENTIFIER") && p.opAt(1, "(") {
		return p.identifierClause()
	}
	return p.qualifiedName()
}

// identifierClause reads IDENTIFIER(…) over a constant string, followed by further parts.
func (p *parser) identifierClause() []string {
	start := p.pos
	p.pos += 2
	e := p.expression()
	p.expectOp(")")
	parts, err := ParseIdentifier(p.constantText(start, e))
	if err != nil {
		p.raise(start, "PARSE_SYNTAX_ERROR", "error", "'"+p.constantText(start, e)+"'", "hint", "")
	}
	for p.isOp(".") && (p.peek(1).kind == tWord || p.peek(1).kind == tQuoted) {
		p.pos++
		parts = append(parts, p.identifier())
	}
	return parts
}

// constantText is the text that IDENTIFIER(…) is given.
func (p *parser) constantText(start int, e plan.Expr) string {
	if text, ok := constantString(e); ok {
		return text
	}
	if p.conf.Eval == nil {
		p.unsupported("%s: only a constant string is supported here", p.between(start))
	}
	refuse := func(kind string, more ...string) {
		p.raise(start, "NOT_A_CONSTANT_STRING."+kind, append([]string{"name", "IDENTIFIER", "expr", p.between(start + 2)}, more...)...)
	}
	l, err := p.conf.Eval(e)
	switch {
	case err != nil:
		p.raiseFrom(start, err)
	case l == nil:
		refuse("NOT_CONSTANT")
	case l.T.Kind != types.KindString:
		refuse("WRONG_TYPE", "dataType", l.T.String())
	case l.Value == nil:
		refuse("NULL")
	}
	return l.Value.(string)
}

// constantString folds string literals and their concatenations.
func constantString(e plan.Expr) (string, bool) {
	switch e := e.(type) {
	case *plan.Literal:
		s, ok := e.Value.(string)
		return s, ok && e.T.Kind == types.KindString
	case *plan.UnresolvedFunction:
		if name := strings.ToLower(e.Name[0]); len(e.Name) != 1 || name != "||" && name != "concat" {
			return "", false
		}
		var b strings.Builder
		for _, a := range e.Args {
			s, ok := constantString(a)
			if !ok {
				return "", false
			}
			b.WriteString(s)
		}
		return b.String(), true
	}
	return "", false
}

func (p *parser) identifierList() []string { return parens(p, p.name) }

// stringLiteral reads one or more adjacent strings.
func (p *parser) stringLiteral() string {
	if p.cur().kind != tString {
		p.fail()
	}
	var b strings.Builder
	for p.cur().kind == tString {
		text := p.cur().text
		if p.conf.PlainQuotes && text[0] != 'r' && text[0] != 'R' && (p.conf.RawStrings || !strings.Contains(text, "\\")) {
			b.WriteString(strings.ReplaceAll(text[1:len(text)-1], text[:1]+text[:1], ""))
		} else {
			b.WriteString(unescape(text, p.conf.RawStrings))
		}
		p.pos++
	}
	return b.String()
}

// unescape is the value of a string token.
func unescape(tok string, raw bool) string {
	if tok[0] == 'r' || tok[0] == 'R' {
		return tok[2 : len(tok)-1]
	}
	q, body := tok[0], tok[1:len(tok)-1]
	if raw || strings.IndexByte(body, '\\') < 0 {
		return strings.ReplaceAll(body, string([]byte{q, q}), string(q))
	}
	var b strings.Builder
	for i := 0; i < len(body); {
		switch c := body[i]; {
		case c == q: // doubled
			b.WriteByte(q)
			i += 2
		case c == '\\' && i+1 < len(body):
			i += 1 + escape(&b, body[i+1:])
		default:
			b.WriteByte(c)
			i++
		}
	}
	return b.String()
}

// escape writes what the escape whose text after the backslash is s stands for and returns its length.
func escape(b *strings.Builder, s string) int {
	switch c := s[0]; {
	case c == 'u' && hexDigits(s, 1, 4):
		return codePoint(b, s, 5)
	case c == 'U' && hexDigits(s, 1, 8):
		return codePoint(b, s, 9)
	case c >= '0' && c <= '1' && len(s) > 2 && isOctal(s[1]) && isOctal(s[2]):
		b.WriteRune(rune(c-'0')<<6 | rune(s[1]-'0')<<3 | rune(s[2]-'0'))
		return 3
	case c == '%' || c == '_':
		b.WriteByte('\\')
		b.WriteByte(c)
		return 1
	}
	if i := strings.IndexByte("0bnrtZ", s[0]); i >= 0 {
		b.WriteByte("\x00\b\n\r\t\x1a"[i])
		return 1
	}
	b.WriteByte(s[0]) // a multi-byte character's other bytes follow as they are
	return 1
}

func isOctal(c byte) bool { return c >= '0' && c <= '7' }

func hexDigits(s string, from, n int) bool {
	if len(s) < from+n {
		return false
	}
	for i := from; i < from+n; i++ {
		if !strings.ContainsRune("0123456789abcdefABCDEF", rune(s[i])) {
			return false
		}
	}
	return true
}

func codePoint(b *strings.Builder, s string, n int) int {
	var r rune
	for _, c := range []byte(s[1:n]) {
		r = r<<4 | rune(strings.IndexByte("0123456789abcdef", c|0x20))
		if c <= '9' {
			r = r&^0xf | rune(c-'0')
		}
	}
	b.WriteRune(r)
	return n
}

// property reads a key of TBLPROPERTIES or OPTIONS: a.b or 'a.b'.
func (p *parser) propertyKey() string {
	if p.cur().kind == tString {
		p.pos++ // one literal: what follows without a sign is the value
		return unescape(p.toks[p.pos-1].text, p.conf.RawStrings)
	}
	parts := []string{p.identifier()}
	for p.acceptOp(".") {
		parts = append(parts, p.identifier())
	}
	return strings.Join(parts, ".")
}

// properties reads ('k' = 'v', …); a value may be left out.
func (p *parser) properties() map[string]string {
	props := map[string]string{}
	p.expectOp("(")
	for {
		key := p.propertyKey()
		if !p.acceptOp("=") {
			p.acceptOp("==")
		}
		if !p.isOp(",") && !p.isOp(")") {
			props[key] = p.propertyValue()
		} else {
			props[key] = ""
		}
		if !p.acceptOp(",") {
			break
		}
	}
	p.expectOp(")")
	return props
}

func (p *parser) propertyValue() string {
	start := p.pos
	switch t := p.cur(); {
	case t.kind == tString:
		return p.stringLiteral()
	case p.isOp("-") && (p.peek(1).kind == tInt || p.peek(1).kind == tNumber):
		p.pos += 2
		return p.between(start)
	case t.kind == tInt || t.kind == tNumber:
		p.pos++
		return t.text
	case p.isOne("TRUE", "FALSE"):
		p.pos++
		return strings.ToLower(t.upper)
	}
	if e, ok := constantString(p.expression()); ok {
		return e
	}
	return p.between(start)
}
