package sql

import (
	"errors"
	"strings"
	"time"
	"unicode/utf8"

	"millrace/errs"
	"millrace/plan"
	"millrace/types"
)

// Parser holds what the meaning of a text depends on besides the text. The zero Parser is Spark's default in UTC.
type Parser struct {
	Location         *time.Location // of TIMESTAMP literals without a zone
	NTZ              bool           // TIMESTAMP means TIMESTAMP_NTZ (spark.sql.timestampType)
	Now              time.Time      // what TIMESTAMP 'now' means
	RawStrings       bool           // a backslash in a string means itself (spark.sql.parser.escapedStringLiterals)
	PlainQuotes      bool           // 'a''b' is two strings side by side (spark.sql.legacy.consecutiveStringLiterals.enabled)
	CalendarInterval bool           // interval literals are of the type INTERVAL (spark.sql.legacy.interval.enabled)
	PlainBar         bool           // | is only the operator on bits, never a pipe (spark.sql.parser.singleCharacterPipeOperator.enabled off)
	DoubleQuotedName bool           // "a" is an identifier (spark.sql.ansi.doubleQuotedIdentifiers with ANSI)
	FlatSetOps       bool           // UNION, EXCEPT and INTERSECT bind alike (spark.sql.legacy.setopsPrecedence.enabled)
	HavingIsWhere    bool           // HAVING without GROUP BY is a WHERE (spark.sql.legacy.parser.havingWithoutGroupByAsWhere)
	RegexNames       bool           // `a.*` in a SELECT list is a pattern of names (spark.sql.parser.quotedRegexColumnNames)
	Collation        string         // of literals and types STRING of which nothing else is said; empty: the default one
	// Eval computes a constant, which may name session variables, where a name or a statement's text is wanted; nil: only literals are.
	Eval func(plan.Expr) (*plan.Literal, error)
	// Named and Positional, when set, take the places of :name and ?; else they are left as plan.Parameter.
	Named      map[string]plan.Expr
	Positional []plan.Expr
}

// ParseTypeOrSchema is ParseSchema for a text that Spark reads as a type first, and says of what is neither why it is no type.
func ParseTypeOrSchema(text string) (*types.Type, error) {
	t, err := ParseSchema(text)
	var e *errs.Error
	switch {
	case err == nil:
		return t, nil
	case errors.As(err, &e) && e.Condition == "PARSE_SYNTAX_ERROR":
		_, err = ParseType(text)
		return nil, err
	}
	return run(&Parser{}, text, func(p *parser) *types.Type { // columns, of which the first one's name is followed by what follows no type
		p.pos++
		p.fail()
		return nil
	})
}

// ParseStatement reads one query or command; a semicolon may end it.
func ParseStatement(text string) (plan.Node, error) { return (&Parser{}).ParseStatement(text) }

// ParseExpression reads one expression, which may have an alias.
func ParseExpression(text string) (plan.Expr, error) { return (&Parser{}).ParseExpression(text) }

// ParseIdentifier reads a name of one or more parts: a.`b c`.d.
func ParseIdentifier(text string) ([]string, error) {
	return run(&Parser{}, text, func(p *parser) []string { return p.qualifiedName() })
}

// ParseType reads a data type: array<decimal(10,2)>.
func ParseType(text string) (*types.Type, error) {
	return run(&Parser{}, text, func(p *parser) *types.Type { return p.dataType() })
}

// ParseSchema reads the columns of a schema, "a INT, b STRING COMMENT 'x'", or a bare type, which becomes a struct's only
// field "value" unless it is a struct.
func ParseSchema(text string) (*types.Type, error) {
	t, err := run(&Parser{}, text, func(p *parser) *types.Type { return p.schema() })
	if err == nil {
		return t, nil
	}
	bare, bareErr := ParseType(text)
	switch {
	case bareErr != nil:
		return nil, err
	case bare.Kind == types.KindStruct:
		return bare, nil
	}
	return types.Struct(types.Field{Name: "value", Type: bare, Nullable: true}), nil
}

// ParseStatement reads one query or command; a semicolon may end it.
func (c *Parser) ParseStatement(text string) (plan.Node, error) {
	return run(c, text, func(p *parser) plan.Node {
		n := p.statement()
		for p.acceptOp(";") {
		}
		return n
	})
}

// ParseExpression reads one expression, which may have an alias.
func (c *Parser) ParseExpression(text string) (plan.Expr, error) {
	return run(c, text, func(p *parser) plan.Expr { return p.namedExpression() })
}

// ParseStatements splits a script at the semicolons that stand outside strings, comments and BEGIN … END blocks.
func ParseStatements(script string) []string {
	toks, ok := lex(script)
	if !ok {
		return []string{script}
	}
	var parts []string
	start, depth, any := 0, 0, false
	for i, t := range toks {
		switch {
		case t.upper == "BEGIN" && (!any || depth > 0) && toks[i+1].upper != "TRANSACTION", depth > 0 && t.upper == "CASE":
			depth++
		case depth > 0 && t.upper == "END":
			depth--
			if next := toks[i+1].upper; next == "IF" || next == "WHILE" || next == "FOR" || next == "REPEAT" || next == "LOOP" {
				depth++ // these ends were not counted at their beginnings
			}
		}
		if t.kind == tEOF || t.text == ";" && t.kind == tOp && depth == 0 {
			if any {
				parts = append(parts, strings.TrimSpace(script[start:t.start]))
			}
			start, any = t.end, false
			continue
		}
		any = true
	}
	return parts
}

// maxDepth bounds the nesting of a text, so that no text exhausts the stack.
const maxDepth = 1200

type parser struct {
	conf     *Parser
	text     string
	ascii    bool
	toks     []token
	pos      int
	depth    int
	marks    int // number of ? so far
	farthest failure
	notQuery map[int]bool // places of ( where no query stands
	// Of scripts: that this is one, the labels in force, and the conditions that were declared.
	inScript   bool
	labels     *around
	conditions []string
}

// run parses the whole text by rule.
func run[T any](c *Parser, text string, rule func(*parser) T) (out T, err error) {
	p := &parser{conf: c, text: text, ascii: isASCII(text)}
	toks, ok := lex(text)
	if !ok {
		e := errs.New("UNCLOSED_BRACKETED_COMMENT")
		e.Trailer = "\n== SQL ==\n" + text
		return out, e
	}
	p.toks = toks
	defer func() {
		switch f := recover().(type) {
		case nil:
		case failure:
			err = f.err
		default:
			panic(f)
		}
	}()
	if c.DoubleQuotedName {
		p.requote()
	}
	out = rule(p)
	p.expectEnd()
	return out, nil
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

func (p *parser) requote() {
	for i := range p.toks {
		if t := &p.toks[i]; t.kind == tString && t.text[0] == '"' {
			t.kind = tQuoted
		}
	}
}

func (p *parser) expectEnd() {
	if p.cur().kind == tEOF {
		return
	}
	hint := ""
	if next := p.toks[p.pos+1]; next.kind == tEOF {
		hint = ": extra input '" + p.cur().text + "'"
	}
	p.failAt(p.pos, hint)
}

func (p *parser) cur() *token { return &p.toks[p.pos] }

// peek is the token n places ahead.
func (p *parser) peek(n int) *token { return &p.toks[min(p.pos+n, len(p.toks)-1)] }

// enter guards a recursion; call the result when leaving.
func (p *parser) enter() {
	if p.depth++; p.depth > maxDepth {
		panic(failure{errs.New("FAILED_TO_PARSE_TOO_COMPLEX"), p.pos})
	}
}

func (p *parser) leave() { p.depth-- }

// is reports whether the next tokens are these keywords.
func (p *parser) is(words ...string) bool {
	for i, w := range words {
		if p.peek(i).upper != w {
			return false
		}
	}
	return true
}

// isOne reports whether the next token is one of these keywords.
func (p *parser) isOne(words ...string) bool {
	u := p.cur().upper
	if u == "" {
		return false
	}
	for _, w := range words {
		if u == w {
			return true
		}
	}
	return false
}

// accept takes the keywords if they are next.
func (p *parser) accept(words ...string) bool {
	if !p.is(words...) {
		return false
	}
	p.pos += len(words)
	return true
}

func (p *parser) expect(words ...string) {
	for _, w := range words {
		if !p.accept(w) {
			p.fail()
		}
	}
}

func (p *parser) isOp(op string) bool { return p.opAt(0, op) }

func (p *parser) opAt(n int, op string) bool { t := p.peek(n); return t.kind == tOp && t.text == op }

func (p *parser) acceptOp(op string) bool {
	if !p.isOp(op) {
		return false
	}
	p.pos++
	return true
}

func (p *parser) expectOp(op string) {
	if !p.acceptOp(op) {
		p.fail()
	}
}

// list reads one or more items between commas.
func list[T any](p *parser, item func() T) []T {
	items := []T{item()}
	for p.acceptOp(",") {
		items = append(items, item())
	}
	return items
}

// parens reads ( item, … ).
func parens[T any](p *parser, item func() T) []T {
	p.expectOp("(")
	items := list(p, item)
	p.expectOp(")")
	return items
}

// try runs rule; when it fails, the parser is back where it was and remembers how far it came.
func try[T any](p *parser, rule func() T) (out T, ok bool) {
	pos, depth, marks := p.pos, p.depth, p.marks
	defer func() {
		switch f := recover().(type) {
		case nil:
		case failure:
			if p.farthest.err == nil || f.farthest > p.farthest.farthest {
				p.farthest = f
			}
			p.pos, p.depth, p.marks, ok = pos, depth, marks, false
		default:
			panic(f)
		}
	}()
	return rule(), true
}

// origin is the text from token start up to the last token taken.
func (p *parser) origin(start int) *plan.Origin {
	last := max(p.pos-1, start)
	return &plan.Origin{SQL: p.text, Start: p.chars(p.toks[start].start), Stop: p.chars(p.toks[last].end) - 1}
}

// between is the text from token start up to the last token taken.
func (p *parser) between(start int) string {
	if p.pos <= start {
		return ""
	}
	return p.text[p.toks[start].start:p.toks[p.pos-1].end]
}

func (p *parser) chars(offset int) int {
	if p.ascii {
		return offset
	}
	return utf8.RuneCountInString(p.text[:offset])
}
