package sql

import (
	"strings"

	"millrace/plan"
	"millrace/types"
)

// special reads the operands that have a syntax of their own; nil when the word is a plain name after all.
func (p *parser) special(word string) plan.Expr {
	start := p.pos
	switch word {
	case "NULL", "TRUE", "FALSE":
		if p.opAt(1, ".") || p.opAt(1, "(") {
			return nil
		}
		p.pos++
		l := &plan.Literal{T: types.Null, Origin: p.origin(start)}
		if word != "NULL" {
			l.Value, l.T = word == "TRUE", types.Boolean
		}
		return l
	case "CASE":
		if !p.endsOperand(1) || p.opAt(1, "*") {
			return p.caseWhen()
		}
		return nil
	case "INTERVAL":
		return p.intervalLiteral()
	}
	if !p.opAt(1, "(") {
		return nil
	}
	if rule := specialCalls[word]; rule != nil {
		return rule(p, start)
	}
	return nil
}

// specialCalls are the rules of the calls whose arguments are not plain lists; each begins at the call's name and may leave
// the parser there and return nil.
var specialCalls map[string]func(p *parser, start int) plan.Expr

func init() { // the rules refer to special
	specialCalls = map[string]func(p *parser, start int) plan.Expr{
		"CAST": (*parser).cast, "TRY_CAST": (*parser).cast, "EXISTS": (*parser).exists, "EXTRACT": (*parser).extract,
		"TRIM": (*parser).trim, "SUBSTR": (*parser).substring, "SUBSTRING": (*parser).substring,
		"POSITION": (*parser).position, "OVERLAY": (*parser).overlay, "IDENTIFIER": (*parser).identifierExpr,
		"TIMESTAMPADD": (*parser).unitCall, "DATEADD": (*parser).unitCall, "DATE_ADD": (*parser).unitCall,
		"TIMESTAMPDIFF": (*parser).unitCall, "DATEDIFF": (*parser).unitCall, "DATE_DIFF": (*parser).unitCall, "TIMEDIFF": (*parser).unitCall,
	}
}

func (p *parser) caseWhen() plan.Expr {
	start := p.pos
	p.pos++
	var operand plan.Expr
	if !p.is("WHEN") {
		operand = p.expression()
	}
	var args []plan.Expr
	if !p.is("WHEN") {
		p.fail()
	}
	for p.accept("WHEN") {
		at := p.pos
		when := p.expression()
		if operand != nil {
			when = p.call(at, "=", operand, when)
		}
		p.expect("THEN")
		args = append(args, when, p.expression())
	}
	if p.accept("ELSE") {
		args = append(args, p.expression())
	}
	p.expect("END")
	return p.call(start, "case", args...)
}

func (p *parser) cast(start int) plan.Expr {
	c := &plan.Cast{}
	if p.is("TRY_CAST") {
		c.Mode = plan.ModeTry
	}
	p.pos += 2
	c.Child = p.expression()
	p.expect("AS")
	c.To = p.dataType()
	p.expectOp(")")
	c.Origin = p.origin(start)
	return c
}

func (p *parser) exists(start int) plan.Expr {
	p.pos++
	if q := p.parenQuery(); q != nil {
		return &plan.Subquery{Kind: plan.ExistsSubquery, Plan: q, Origin: p.origin(start)}
	}
	p.pos = start
	return nil
}

func (p *parser) extract(start int) plan.Expr {
	if !p.is("EXTRACT") || p.peek(3).upper != "FROM" {
		return nil
	}
	p.pos += 2
	var field string
	if p.cur().kind == tString {
		field = p.stringLiteral()
	} else {
		field = p.identifier()
	}
	p.expect("FROM")
	e := p.value(0)
	p.expectOp(")")
	return p.call(start, "extract", plan.Str(field), e)
}

// trim reads TRIM(BOTH | LEADING | TRAILING [chars] FROM text).
func (p *parser) trim(start int) plan.Expr {
	name, ok := map[string]string{"BOTH": "trim", "LEADING": "ltrim", "TRAILING": "rtrim"}[p.peek(2).upper]
	if !ok || p.opAt(3, ")") || p.opAt(3, ",") || p.opAt(3, ".") {
		p.pos += 2
		args, ok := try(p, func() []plan.Expr {
			what := p.value(0)
			p.expect("FROM")
			return []plan.Expr{what, p.value(0)}
		})
		if !ok || !p.acceptOp(")") {
			p.pos = start
			return nil
		}
		return p.call(start, "trim", args...)
	}
	p.pos += 3
	var args []plan.Expr
	if !p.is("FROM") {
		args = append(args, p.value(0))
	}
	p.expect("FROM")
	args = append(args, p.value(0))
	p.expectOp(")")
	return p.call(start, name, args...)
}

// keyworded reads word value, or leaves the parser at start when word is not next.
func (p *parser) keyworded(args []plan.Expr, word string) ([]plan.Expr, bool) {
	if !p.accept(word) {
		return args, false
	}
	return append(args, p.value(0)), true
}

func (p *parser) substring(start int) plan.Expr {
	p.pos += 2
	args, ok := try(p, func() []plan.Expr { return []plan.Expr{p.value(0)} })
	if ok {
		args, ok = p.keyworded(args, "FROM")
	}
	if !ok {
		p.pos = start
		return nil
	}
	args, _ = p.keyworded(args, "FOR")
	p.expectOp(")")
	return p.call(start, "substring", args...)
}

func (p *parser) position(start int) plan.Expr {
	p.pos += 2
	args, ok := try(p, func() []plan.Expr { return []plan.Expr{p.value(0)} })
	if ok {
		args, ok = p.keyworded(args, "IN")
	}
	if !ok {
		p.pos = start
		return nil
	}
	p.expectOp(")")
	return p.call(start, "locate", append(args, plan.Int(1))...)
}

func (p *parser) overlay(start int) plan.Expr {
	p.pos += 2
	args, ok := try(p, func() []plan.Expr { return []plan.Expr{p.value(0)} })
	if ok {
		args, ok = p.keyworded(args, "PLACING")
	}
	if !ok {
		p.pos = start
		return nil
	}
	p.expect("FROM")
	args = append(args, p.value(0))
	args, _ = p.keyworded(args, "FOR")
	p.expectOp(")")
	return p.call(start, "overlay", args...)
}

// identifierExpr reads IDENTIFIER('name') as a column or, before parentheses, as a function.
func (p *parser) identifierExpr(start int) plan.Expr {
	parts := p.identifierClause()
	if p.isOp("(") {
		return p.functionCall(start, parts)
	}
	return &plan.UnresolvedAttribute{Parts: parts, Origin: p.origin(start)}
}

var timeUnits = words("YEAR QUARTER MONTH WEEK DAY DAYOFYEAR HOUR MINUTE SECOND MILLISECOND MICROSECOND")

// unitCall reads timestampadd(UNIT, n, t) and timestampdiff(UNIT, a, b) under all of their names.
func (p *parser) unitCall(start int) plan.Expr {
	word, unit := p.cur().upper, p.peek(2)
	isText := unit.kind == tString && timeUnits[strings.ToUpper(strings.Trim(unit.text, `'"`))]
	if !timeUnits[unit.upper] && !isText || !p.opAt(3, ",") {
		return nil
	}
	name := "timestampadd"
	if strings.HasSuffix(word, "DIFF") {
		name = "timestampdiff"
	}
	p.pos += 4
	args, ok := try(p, func() []plan.Expr {
		first := p.value(0)
		p.expectOp(",")
		second := p.value(0)
		p.expectOp(")")
		return []plan.Expr{first, second}
	})
	switch {
	case !ok:
		p.pos = start
		return nil
	case isText:
		p.raise(start, "INVALID_PARAMETER_VALUE.DATETIME_UNIT", "parameter", "`unit`", "functionName", "`"+strings.ToLower(word)+"`", "invalidValue", "'"+strings.Trim(unit.text, `'"`)+"'")
	}
	return p.call(start, name, append([]plan.Expr{plan.Str(unit.text)}, args...)...)
}
