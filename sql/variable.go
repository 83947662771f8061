package sql

import (
	"strings"

	"millrace/plan"
	"millrace/types"
)

// declare reads DECLARE [OR REPLACE] [VARIABLE] names [type] [DEFAULT | = expression].
func (p *parser) declare() plan.Node {
	p.pos++
	d := &plan.DeclareVariables{Replace: p.accept("OR", "REPLACE")}
	if p.isOne("VARIABLE", "VAR") && (p.peek(1).kind == tWord && p.peek(1).upper != "DEFAULT" || p.peek(1).kind == tQuoted) {
		p.pos++
	}
	at := p.pos
	d.Names = list(p, p.tableName)
	d.Origin = p.origin(at)
	if p.isIdentifier() && !p.is("DEFAULT") {
		d.Type = p.dataType()
	}
	if p.accept("DEFAULT") || p.acceptOp("=") {
		at := p.pos
		d.Default = p.expression()
		d.Text = p.between(at)
	} else if d.Type == nil {
		p.fail()
	}
	return d
}

// setVariables reads a = e, …, or (a, b) = (query), after SET VARIABLE.
func (p *parser) setVariables(start int) plan.Node {
	s := &plan.SetVariables{}
	if p.isOp("(") {
		s.Names = parens(p, p.tableName)
		s.Origin = p.origin(start)
		p.expectOp("=")
		p.expectOp("(")
		s.Query = p.query()
		p.expectOp(")")
		return s
	}
	list(p, func() bool {
		s.Names = append(s.Names, p.tableName())
		if !p.acceptOp("=") {
			p.expectOp("==")
		}
		if p.is("DEFAULT") && (p.peek(1).kind == tEOF || p.opAt(1, ",") || p.opAt(1, ";")) {
			p.pos++
			s.Values = append(s.Values, &plan.DefaultValue{})
		} else {
			s.Values = append(s.Values, p.expression())
		}
		return true
	})
	s.Origin = p.origin(start)
	return s
}

// executeImmediate reads EXECUTE IMMEDIATE text [INTO variables] [USING arguments]: the statement in the text, parsed, with the arguments in
// the places of its parameters.
func (p *parser) executeImmediate() plan.Node {
	start := p.pos
	p.pos++
	p.expect("IMMEDIATE")
	text := p.immediateText(p.expression(), start)
	var into [][]string
	if p.accept("INTO") {
		into = list(p, p.tableName)
		p.distinctTargets(start, into)
	}
	inner := *p.conf
	inner.Named, inner.Positional = nil, nil
	if p.accept("USING") {
		p.arguments(&inner)
	}
	body, err := inner.ParseStatement(text)
	if err != nil {
		p.raiseFrom(start, err)
	}
	if c, ok := body.(*plan.SetVariables); ok && into != nil {
		_ = c
		p.raise(start, "INVALID_STATEMENT_FOR_EXECUTE_INTO", "sqlString", strings.ToUpper(text))
	}
	if into == nil {
		return body
	}
	if _, command := body.(plan.Command); command {
		p.raise(start, "INVALID_STATEMENT_FOR_EXECUTE_INTO", "sqlString", strings.ToUpper(text))
	}
	return &plan.SetVariables{Names: into, Query: body, Origin: p.origin(start)}
}

func (p *parser) distinctTargets(start int, names [][]string) {
	seen := map[string]bool{}
	for _, n := range names {
		last := strings.ToLower(n[len(n)-1])
		if seen[last] {
			p.raise(start, "DUPLICATE_ASSIGNMENTS", "nameList", types.Quote(n[len(n)-1]))
		}
		seen[last] = true
	}
}

// immediateText is the text of the statement that EXECUTE IMMEDIATE runs.
func (p *parser) immediateText(e plan.Expr, start int) string {
	if text, ok := constantString(e); ok {
		return text
	}
	l := p.eval(e, start)
	switch {
	case l.T.Kind != types.KindString:
		p.raise(start, "INVALID_EXPR_TYPE_FOR_QUERY_EXECUTE_IMMEDIATE", "exprType", `"`+l.T.SQL()+`"`)
	case l.Value == nil:
		p.raise(start, "NULL_QUERY_STRING_EXECUTE_IMMEDIATE", "varName", p.between(start+2))
	}
	return l.Value.(string)
}

func (p *parser) eval(e plan.Expr, start int) *plan.Literal {
	if l, ok := e.(*plan.Literal); ok {
		return l
	}
	if p.conf.Eval == nil {
		p.unsupported("%s: only constants are supported here", p.between(start))
	}
	l, err := p.conf.Eval(e)
	if err != nil {
		p.raiseFrom(start, err)
	}
	if l == nil {
		p.raise(start, "UNSUPPORTED_EXPR_FOR_PARAMETER", "invalidExprSql", `"`+p.between(start)+`"`)
	}
	return l
}

// arguments reads the values of USING, all with names or all without.
func (p *parser) arguments(to *Parser) {
	start := p.pos
	paren := p.acceptOp("(")
	var bare []string
	list(p, func() bool {
		at := p.pos
		e := p.namedExpression()
		al, named := e.(*plan.Alias)
		if !named {
			bare = append(bare, p.between(at))
			to.Positional = append(to.Positional, p.eval(e, at))
			return true
		}
		if to.Named == nil {
			to.Named = map[string]plan.Expr{}
		}
		if to.Named[al.Names[0]] != nil {
			p.raise(start, "EXEC_IMMEDIATE_DUPLICATE_ARGUMENT_ALIASES", "aliases", types.Quote(al.Names[0]))
		}
		to.Named[al.Names[0]] = p.eval(al.Child, at)
		return true
	})
	if paren {
		p.expectOp(")")
	}
	if to.Named != nil && bare != nil {
		p.raise(start, "ALL_PARAMETERS_MUST_BE_NAMED", "exprs", `"`+strings.Join(bare, `", "`)+`"`)
	}
}
