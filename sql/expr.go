package sql

import (
	"strings"

	"millrace/plan"
)

// call makes a function call whose origin is the text from token start on.
func (p *parser) call(start int, name string, args ...plan.Expr) *plan.UnresolvedFunction {
	return &plan.UnresolvedFunction{Name: []string{name}, Args: args, Origin: p.origin(start)}
}

// expression reads a boolean expression: OR binds loosest, then AND, then NOT.
func (p *parser) expression() plan.Expr {
	p.enter()
	defer p.leave()
	return p.logical("OR", func() plan.Expr { return p.logical("AND", p.negation) })
}

// logical reads operands joined by one of AND and OR, and joins them in a balanced tree, as Spark does.
func (p *parser) logical(word string, operand func() plan.Expr) plan.Expr {
	start := p.pos
	first := operand()
	if !p.is(word) {
		return first
	}
	operands := []plan.Expr{first}
	for p.accept(word) {
		operands = append(operands, operand())
	}
	return p.balanced(start, strings.ToLower(word), operands)
}

func (p *parser) balanced(start int, name string, operands []plan.Expr) plan.Expr {
	if len(operands) == 1 {
		return operands[0]
	}
	mid := (len(operands)-1)/2 + 1
	return p.call(start, name, p.balanced(start, name, operands[:mid]), p.balanced(start, name, operands[mid:]))
}

func (p *parser) negation() plan.Expr {
	start := p.pos
	if p.is("NOT") && !p.endsOperand(1) || p.isOp("!") {
		p.enter()
		defer p.leave()
		p.pos++
		e := p.negation()
		return p.call(start, "not", e)
	}
	return p.predicate()
}

// endsOperand reports whether the token n places ahead cannot begin an expression, so that the word before it is a name.
func (p *parser) endsOperand(n int) bool {
	t := p.peek(n)
	switch t.kind {
	case tEOF:
		return true
	case tOp:
		return t.text != "(" && t.text != "-" && t.text != "+" && t.text != "~" && t.text != "!" && t.text != "?" && t.text != ":" && t.text != "*"
	case tWord:
		return t.upper == "AS" || t.upper == "FROM"
	}
	return false
}

// predicate reads a value and the predicate that may follow it.
func (p *parser) predicate() plan.Expr {
	start := p.pos
	e := p.value(0)
	at := p.pos
	not := p.accept("NOT")
	if !not && p.isOp("!") && p.peek(1).kind == tWord {
		p.pos, not = p.pos+1, true
	}
	r := p.predicateOf(start, e, not)
	if r == nil {
		if p.pos = at; not && p.is("NOT") && !p.peekClause(1) {
			p.pos++
			p.fail()
		}
		return e
	}
	if not {
		return p.call(start, "not", r)
	}
	return r
}

// peekClause reports whether the word n places ahead may follow NOT outside a predicate (a INT NOT NULL, CHECK … NOT ENFORCED).
func (p *parser) peekClause(n int) bool {
	u := p.peek(n).upper
	return u == "NULL" || u == "ENFORCED" || u == "MATCHED" || u == "DETERMINISTIC"
}

// predicateOf reads a predicate over e, or returns nil.
func (p *parser) predicateOf(start int, e plan.Expr, not bool) plan.Expr {
	switch {
	case p.accept("BETWEEN"):
		p.accept("SYMMETRIC")
		low := p.value(0)
		p.expect("AND")
		return p.call(start, "between", e, low, p.value(0))
	case p.is("IN") && p.opAt(1, "("):
		p.pos++
		return p.in(start, e)
	case p.accept("LIKE"):
		return p.like(start, "like", e, not)
	case p.accept("ILIKE"):
		return p.like(start, "ilike", e, not)
	case p.accept("RLIKE"), p.accept("REGEXP"):
		return p.call(start, "rlike", e, p.value(0))
	case !not && p.is("IS"):
		return p.isPredicate(start, e)
	}
	return nil
}

func (p *parser) in(start int, e plan.Expr) plan.Expr {
	if q := p.parenQuery(); q != nil {
		values := []plan.Expr{e}
		if f, ok := e.(*plan.UnresolvedFunction); ok && len(f.Name) == 1 && f.Name[0] == "struct" && p.toks[start].text == "(" {
			values = f.Args // a row: (a, b) IN (SELECT …)
		}
		return &plan.Subquery{Kind: plan.InSubquery, Plan: q, Values: values, Origin: p.origin(start)}
	}
	p.expectOp("(")
	if p.acceptOp(")") {
		p.raise(start, "INVALID_SQL_SYNTAX.EMPTY_IN_PREDICATE")
	}
	args := append([]plan.Expr{e}, list(p, p.expression)...)
	p.expectOp(")")
	return p.call(start, "in", args...)
}

// like reads the pattern of LIKE and ILIKE, and the patterns of LIKE ANY | SOME | ALL.
func (p *parser) like(start int, name string, e plan.Expr, not bool) plan.Expr {
	if p.isOne("ANY", "SOME", "ALL") && p.opAt(1, "(") {
		all := p.is("ALL")
		p.pos++
		return p.likeMany(start, name, e, all != not)
	}
	pattern := p.value(0)
	if !p.accept("ESCAPE") {
		return p.call(start, name, e, pattern)
	}
	escape := p.stringLiteral()
	if len([]rune(escape)) != 1 {
		p.raise(start, "INVALID_ESC", "invalidEscape", "'"+escape+"'")
	}
	return p.call(start, name, e, pattern, plan.Str(escape))
}

// likeMany joins one LIKE a pattern. Under NOT the caller negates the whole, so that NOT LIKE ALL, which is true when no
// pattern matches, is the negation of any, and NOT LIKE ANY that of all.
func (p *parser) likeMany(start int, name string, e plan.Expr, all bool) plan.Expr {
	p.expectOp("(")
	if p.acceptOp(")") {
		p.raise(start, "_LEGACY_ERROR_TEMP_0064", "msg", "Expected something between '(' and ')'.")
	}
	parts := list(p, func() plan.Expr { return p.call(start, name, e, p.expression()) })
	p.expectOp(")")
	if all {
		return p.balanced(start, "and", parts)
	}
	return p.balanced(start, "or", parts)
}

func (p *parser) isPredicate(start int, e plan.Expr) plan.Expr {
	p.pos++
	not := p.accept("NOT") || p.acceptOp("!")
	var r plan.Expr
	switch {
	case p.accept("NULL"), p.accept("UNKNOWN"):
		if not {
			return p.call(start, "isnotnull", e)
		}
		return p.call(start, "isnull", e)
	case p.accept("TRUE"):
		r = p.call(start, "<=>", e, plan.Bool(true))
	case p.accept("FALSE"):
		r = p.call(start, "<=>", e, plan.Bool(false))
	case p.accept("DISTINCT", "FROM"):
		r = p.call(start, "<=>", e, p.value(0))
		not = !not
	default:
		p.fail()
	}
	if not {
		return p.call(start, "not", r)
	}
	return r
}

// operator is a binary operator: how tightly it binds and the function that it calls; negated ones are wrapped in not.
type operator struct {
	level   int
	name    string
	negated bool
}

var binary = map[string]operator{"=": {1, "=", false}, "==": {1, "=", false}, "<=>": {1, "<=>", false},
	"<>": {1, "=", true}, "!=": {1, "=", true}, "<": {1, "<", false}, "<=": {1, "<=", false}, ">": {1, ">", false},
	">=": {1, ">=", false}, "!<": {1, ">=", false}, "!>": {1, "<=", false}, "|": {2, "|", false}, "^": {3, "^", false}, "&": {4, "&", false},
	"<<": {5, "<<", false}, ">>": {5, ">>", false}, ">>>": {5, ">>>", false}, "+": {6, "+", false}, "-": {6, "-", false},
	"||": {6, "||", false}, "*": {7, "*", false}, "/": {7, "/", false}, "%": {7, "%", false}, "DIV": {7, "div", false}}

func (p *parser) binaryOperator() (operator, bool) {
	t := p.cur()
	switch {
	case t.kind == tOp:
		op, ok := binary[t.text]
		return op, ok && !(t.text == "|" && p.isPipe())
	case t.upper == "DIV":
		return binary["DIV"], true
	}
	return operator{}, false
}

// value reads an expression of arithmetic, bit and comparison operators that bind tighter than level.
func (p *parser) value(level int) plan.Expr {
	start := p.pos
	left := p.unary()
	for {
		op, ok := p.binaryOperator()
		if !ok || op.level <= level {
			return left
		}
		p.pos++
		right := p.value(op.level)
		left = p.call(start, op.name, left, right)
		if op.negated {
			left = p.call(start, "not", left)
		}
	}
}

var unaryNames = map[string]string{"-": "-", "+": "positive", "~": "~"}

func (p *parser) unary() plan.Expr {
	t := p.cur()
	name, ok := unaryNames[t.text]
	if t.kind != tOp || !ok {
		return p.postfix()
	}
	if t.text == "-" && (p.peek(1).kind == tInt || p.peek(1).kind == tNumber) {
		return p.postfix() // the sign belongs to the number
	}
	start := p.pos
	p.enter()
	defer p.leave()
	p.pos++
	e := p.unary()
	return p.call(start, name, e)
}

// postfix reads a primary expression and the fields, elements, casts and collations taken of it.
func (p *parser) postfix() plan.Expr {
	start := p.pos
	e := p.primary()
	for {
		switch {
		case p.isOp(".") && (p.peek(1).kind == tWord || p.peek(1).kind == tQuoted):
			p.pos++
			name := p.identifier()
			e = p.field(start, e, name)
		case p.isOp("["):
			p.pos++
			index := p.value(0)
			p.expectOp("]")
			e = p.call(start, "[]", e, index)
		case p.isOp(":") && p.isPath(1):
			p.pos++
			path, name := p.path()
			e = p.call(start, ":", e, plan.Str(path), plan.Str(name))
		case p.acceptOp("::"):
			c := &plan.Cast{Child: e, To: p.dataType()}
			c.Origin = p.origin(start)
			e = c
		case p.is("COLLATE") && p.peek(1).kind != tEOF:
			p.pos++
			name := strings.Join(p.qualifiedName(), ".")
			e = p.call(start, "collate", e, plan.Str(name))
		default:
			return e
		}
	}
}

// isPath reports whether a path into a variant begins at the n-th token from here.
func (p *parser) isPath(n int) bool {
	next := p.peek(n)
	return next.kind == tWord || next.kind == tQuoted || next.kind == tOp && next.text == "["
}

// path reads a path into a variant, such as a.b[0]['c'], as variant_get takes it, and the last name in it.
func (p *parser) path() (path, name string) {
	var b strings.Builder
	b.WriteByte('$')
	for first := true; ; first = false {
		switch {
		case first && !p.isOp("[") || p.isOp(".") && (p.peek(1).kind == tWord || p.peek(1).kind == tQuoted):
			if !first {
				p.pos++
			}
			name = p.identifier()
			if strings.ContainsAny(name, ".[") {
				b.WriteString("['" + name + "']")
			} else {
				b.WriteString("." + name)
			}
		case p.acceptOp("["):
			if p.cur().kind == tString {
				name = p.stringLiteral()
				b.WriteString("['" + name + "']")
			} else {
				b.WriteString("[" + p.cur().text + "]")
				if p.cur().kind != tInt {
					p.fail()
				}
				p.pos++
			}
			p.expectOp("]")
		default:
			return b.String(), name
		}
	}
}

// field is e.name: a longer name where e is one, else a member of a struct.
func (p *parser) field(start int, e plan.Expr, name string) plan.Expr {
	if a, ok := e.(*plan.UnresolvedAttribute); ok && p.toks[start].text != "(" {
		return &plan.UnresolvedAttribute{Parts: append(a.Parts[:len(a.Parts):len(a.Parts)], name), Origin: p.origin(start)}
	}
	return p.call(start, "[]", e, plan.Str(name))
}

// namedExpression reads an expression with the alias that may follow it.
func (p *parser) namedExpression() plan.Expr {
	start := p.pos
	e := p.expression()
	if a, ok := e.(*plan.UnresolvedAttribute); ok && p.conf.RegexNames && p.peek(-1).kind == tQuoted && len(a.Parts) <= 2 && p.pos-start == 2*len(a.Parts)-1 {
		last := len(a.Parts) - 1
		e = &plan.UnresolvedRegex{Pattern: a.Parts[last], Target: a.Parts[:last]}
	}
	switch {
	case p.accept("AS"):
		if p.isOp("(") {
			return &plan.Alias{Child: e, Names: p.identifierList()}
		}
		return &plan.Alias{Child: e, Names: []string{p.name()}}
	case p.isAlias():
		return &plan.Alias{Child: e, Names: []string{p.name()}}
	case p.isOp("(") && isGeneratorAlias(e):
		return &plan.Alias{Child: e, Names: p.identifierList()}
	}
	return e
}

func isGeneratorAlias(e plan.Expr) bool {
	_, ok := e.(*plan.UnresolvedFunction)
	return ok
}

// isAlias reports whether the next token is an alias without AS: any word but those that begin what may follow, unless
// nothing follows them.
func (p *parser) isAlias() bool {
	t := p.cur()
	switch {
	case t.kind == tQuoted:
		return true
	case t.kind != tWord, p.inScript && t.upper == "DO", p.isQualify():
		return false
	case !strictWords[t.upper] && !clauseWords[t.upper]:
		return true
	}
	next := p.peek(1)
	return next.kind == tEOF || next.kind == tOp && (next.text == "," || next.text == ")") && t.upper != "ALL" && t.upper != "END"
}
