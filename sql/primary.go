package sql

import (
	"strings"

	"millrace/plan"
)

// primary reads an operand.
func (p *parser) primary() plan.Expr {
	p.enter()
	defer p.leave()
	start := p.pos
	t := p.cur()
	switch t.kind {
	case tInt, tNumber:
		return p.number()
	case tString:
		s := p.stringLiteral()
		l := plan.Str(s)
		l.T, l.Origin = p.stringType(), p.origin(start)
		return l
	case tQuoted:
		return p.nameOrCall()
	case tWord:
		if e := p.special(t.upper); e != nil {
			return e
		}
		return p.nameOrCall()
	case tOp:
		return p.operand(t.text)
	}
	p.fail()
	return nil
}

// operand reads an operand that begins with an operator or bracket.
func (p *parser) operand(op string) plan.Expr {
	start := p.pos
	switch op {
	case "-":
		if k := p.peek(1).kind; k == tInt || k == tNumber {
			return p.number()
		}
	case "(":
		return p.parenthesised()
	case "*":
		p.pos++
		return p.star(start, nil)
	case "?":
		p.pos++
		p.marks++
		if i := p.marks - 1; i < len(p.conf.Positional) {
			return p.conf.Positional[i]
		}
		return &plan.Parameter{Index: p.marks - 1, Origin: p.origin(start)}
	case ":":
		p.pos++
		name := p.identifier()
		if e, ok := p.conf.Named[name]; ok {
			return e
		}
		return &plan.Parameter{Name: name, Origin: p.origin(start)}
	}
	p.fail()
	return nil
}

// star reads what may follow *: EXCEPT (a, t.b).
func (p *parser) star(start int, target []string) plan.Expr {
	s := &plan.UnresolvedStar{Target: target}
	if p.isOne("EXCEPT", "EXCLUDE") && p.opAt(1, "(") && p.peek(2).upper != "SELECT" && !p.opAt(2, "(") {
		p.pos++
		s.Except = parens(p, p.qualifiedName)
	}
	s.Origin = p.origin(start)
	return s
}

// parenthesised reads a subquery, a lambda of several parameters, a row, or an expression in parentheses.
func (p *parser) parenthesised() plan.Expr {
	start := p.pos
	if n := p.lambdaParams(); n > 0 {
		return p.lambda(n)
	}
	if q := p.parenQuery(); q != nil {
		return &plan.Subquery{Kind: plan.ScalarSubquery, Plan: q, Origin: p.origin(start)}
	}
	p.expectOp("(")
	items := list(p, p.namedExpression)
	p.expectOp(")")
	if len(items) > 1 {
		return p.call(start, "struct", items...)
	}
	if _, named := items[0].(*plan.Alias); named { // (expr AS name) is not an expression, only a part of a row
		p.pos--
		p.fail()
	}
	return items[0]
}

// lambdaParams is the number of tokens of (x, y) when -> follows, else 0.
func (p *parser) lambdaParams() int {
	n := 1
	for {
		if k := p.peek(n).kind; k != tWord && k != tQuoted {
			return 0
		}
		n++
		if !p.opAt(n, ",") {
			break
		}
		n++
	}
	if p.opAt(n, ")") && p.opAt(n+1, "->") {
		return n + 1
	}
	return 0
}

// lambda reads a lambda whose parameters are the next n tokens.
func (p *parser) lambda(n int) plan.Expr {
	l := &plan.Lambda{}
	for end := p.pos + n; p.pos < end; p.pos++ {
		if t := p.cur(); t.kind == tWord {
			l.Params = append(l.Params, &plan.LambdaVar{Name: t.text})
		} else if t.kind == tQuoted {
			l.Params = append(l.Params, &plan.LambdaVar{Name: unquote(t.text)})
		}
	}
	p.expectOp("->")
	l.Body = p.expression()
	return l
}

// nameOrCall reads a column name, t.*, a lambda of one parameter, a typed literal or a function call.
func (p *parser) nameOrCall() plan.Expr {
	start := p.pos
	if p.opAt(1, "->") {
		return p.lambda(1)
	}
	if p.peek(1).kind == tString && p.cur().kind == tWord {
		return p.typedLiteral()
	}
	parts := []string{p.identifier()}
	for n := 0; ; n += 2 { // t.s.*, or a.b.f(…)
		switch {
		case p.opAt(n, ".") && p.opAt(n+1, "*"):
			parts = append(parts, p.take(n)...)
			p.pos += 2
			return p.star(start, parts)
		case p.opAt(n, "("):
			parts = append(parts, p.take(n)...)
			return p.functionCall(start, parts)
		case p.opAt(n, ".") && (p.peek(n+1).kind == tWord || p.peek(n+1).kind == tQuoted):
			continue
		}
		break
	}
	return &plan.UnresolvedAttribute{Parts: parts, Origin: p.origin(start)}
}

// take takes n tokens, of which every second is a name.
func (p *parser) take(n int) []string {
	var parts []string
	for end := p.pos + n; p.pos < end; {
		p.pos++
		parts = append(parts, p.identifier())
	}
	return parts
}

// functionCall reads the arguments of a call and the clauses after it.
func (p *parser) functionCall(start int, name []string) plan.Expr {
	p.expectOp("(")
	f := &plan.UnresolvedFunction{Name: name}
	if p.is("DISTINCT") && !p.opAt(1, ")") && !p.opAt(1, ",") {
		p.pos++
		f.Distinct = true
	} else if p.is("ALL") && !p.endsOperand(1) {
		p.pos++
	}
	if !p.isOp(")") {
		f.Args = list(p, p.argument)
	}
	p.nullTreatment(f)
	p.expectOp(")")
	if s, ok := single(f.Args).(*plan.UnresolvedStar); ok && len(name) == 1 && strings.EqualFold(name[0], "count") &&
		!f.Distinct && s.Target == nil && s.Except == nil {
		f.Args = []plan.Expr{plan.Int(1)}
	}
	return p.callClauses(start, f)
}

func single(args []plan.Expr) plan.Expr {
	if len(args) == 1 {
		return args[0]
	}
	return nil
}

// argument reads a positional or named argument, or TABLE(…).
func (p *parser) argument() plan.Expr {
	if p.isIdentifier() && p.opAt(1, "=>") {
		name := p.identifier()
		p.pos++
		return &plan.NamedArg{Name: name, Value: p.argument()}
	}
	if p.is("TABLE") && (p.opAt(1, "(") || p.peek(1).kind == tWord || p.peek(1).kind == tQuoted) {
		return p.tableArgument()
	}
	return p.namedExpression()
}

func (p *parser) nullTreatment(f *plan.UnresolvedFunction) {
	switch {
	case p.accept("IGNORE", "NULLS"):
		f.IgnoreNulls = true
	case p.accept("RESPECT", "NULLS"):
		f.RespectNulls = true
	}
}

// callClauses reads WITHIN GROUP, FILTER, IGNORE NULLS and OVER.
func (p *parser) callClauses(start int, f *plan.UnresolvedFunction) plan.Expr {
	if p.is("WITHIN", "GROUP") {
		p.pos += 2
		p.expectOp("(")
		p.expect("ORDER", "BY")
		f.OrderWithin = list(p, p.sortItem)
		p.expectOp(")")
	}
	if p.is("FILTER") && p.opAt(1, "(") {
		p.pos += 2
		p.expect("WHERE")
		f.Filter = p.expression()
		p.expectOp(")")
	}
	p.nullTreatment(f)
	f.Origin = p.origin(start)
	if p.is("OVER") && (p.opAt(1, "(") || p.peek(1).kind == tWord || p.peek(1).kind == tQuoted) {
		p.pos++
		w := p.over(f)
		f.Origin = p.origin(start) // what is wrong with the function is wrong with all of it
		return w
	}
	return f
}

// over reads a window's name or definition.
func (p *parser) over(f plan.Expr) plan.Expr {
	if !p.isOp("(") {
		return &plan.Window{Function: f, WindowName: p.name()}
	}
	w := p.windowSpec()
	w.Function = f
	return w
}

// windowSpec reads (PARTITION BY … ORDER BY … frame), or a window's name in parentheses.
func (p *parser) windowSpec() *plan.Window {
	start := p.pos
	p.expectOp("(")
	w := &plan.Window{}
	if p.isIdentifier() && p.opAt(1, ")") {
		w.WindowName = p.identifier()
		p.pos++
		return w
	}
	switch {
	case p.accept("CLUSTER", "BY"):
		w.Partition = list(p, p.expression)
		for _, e := range w.Partition {
			w.Order = append(w.Order, &plan.SortOrder{Child: e})
		}
	case p.accept("PARTITION", "BY"), p.accept("DISTRIBUTE", "BY"):
		w.Partition = list(p, p.expression)
	}
	if p.accept("ORDER", "BY") || p.accept("SORT", "BY") {
		w.Order = list(p, p.sortItem)
	}
	if p.isOne("ROWS", "RANGE") {
		w.Frame = p.frame()
	}
	p.expectOp(")")
	w.Origin = p.origin(start)
	return w
}

func (p *parser) frame() *plan.Frame {
	f := &plan.Frame{Rows: p.is("ROWS"), Upper: plan.Bound{Current: true}}
	p.pos++
	if !p.accept("BETWEEN") {
		f.Lower = p.bound("FOLLOWING")
		return f
	}
	f.Lower = p.bound("FOLLOWING")
	p.expect("AND")
	f.Upper = p.bound("PRECEDING")
	return f
}

// bound reads one end of a frame; an offset that precedes is negative, and unbounded is wrong on one side.
func (p *parser) bound(wrong string) plan.Bound {
	switch {
	case p.accept("UNBOUNDED", wrong):
		return plan.Bound{Unbounded: true, Reversed: true}
	case p.accept("UNBOUNDED", "PRECEDING"), p.accept("UNBOUNDED", "FOLLOWING"):
		return plan.Bound{Unbounded: true}
	case p.accept("CURRENT", "ROW"):
		return plan.Bound{Current: true}
	}
	start := p.pos
	e := p.expression()
	preceding := p.accept("PRECEDING")
	if !preceding && !p.accept("FOLLOWING") {
		p.fail()
	}
	plan.WalkExpr(e, func(e plan.Expr) bool {
		if _, ok := e.(*plan.UnresolvedAttribute); ok {
			p.raise(start, "_LEGACY_ERROR_TEMP_0064", "msg", "Frame bound value must be a literal.")
		}
		return true
	})
	if preceding {
		e = p.call(start, "-", e)
	}
	return plan.Bound{Offset: e}
}

func (p *parser) sortItem() *plan.SortOrder {
	s := &plan.SortOrder{Child: p.expression()}
	if !p.accept("ASC") {
		s.Desc = p.accept("DESC")
	}
	if p.accept("NULLS") {
		switch {
		case p.accept("FIRST"):
			s.Nulls = plan.NullsFirst
		case p.accept("LAST"):
			s.Nulls = plan.NullsLast
		default:
			p.fail()
		}
	}
	return s
}
