package sql

import (
	"strings"

	"millrace/plan"
)

// pivot reads PIVOT (aggregates FOR column IN (values)).
func (p *parser) pivot(n plan.Node) plan.Node {
	p.pos++
	p.expectOp("(")
	v := &plan.Pivot{Input: n, Rest: true, Aggregates: list(p, p.namedExpression)}
	p.expect("FOR")
	start := p.pos
	if p.isOp("(") {
		cols := parens(p, p.columnRef)
		v.Column = p.call(start, "struct", cols...)
	} else {
		v.Column = p.columnRef()
	}
	p.expect("IN")
	v.Values = parens(p, p.namedExpression)
	p.expectOp(")")
	return p.shortAlias(v)
}

// columnRef reads a column's name.
func (p *parser) columnRef() plan.Expr {
	start := p.pos
	parts := p.qualifiedName()
	return &plan.UnresolvedAttribute{Parts: parts, Origin: p.origin(start)}
}

func (p *parser) isUnpivot() bool {
	return p.is("UNPIVOT") && (p.opAt(1, "(") || p.peek(2).upper == "NULLS")
}

// unpivot reads UNPIVOT [INCLUDE | EXCLUDE NULLS] (value FOR name IN (columns)) [alias].
func (p *parser) unpivot(n plan.Node) plan.Node {
	p.pos++
	u := &plan.Unpivot{Input: n, SQL: true, DropNulls: true}
	switch {
	case p.accept("INCLUDE", "NULLS"):
		u.DropNulls = false
	case p.accept("EXCLUDE", "NULLS"):
	}
	p.expectOp("(")
	if p.isOp("(") {
		u.ValueNames = p.identifierList()
	} else {
		u.ValueAs = p.identifier()
	}
	p.expect("FOR")
	u.Variable = p.identifier()
	p.expect("IN")
	labelled := false
	parens(p, func() bool {
		if u.ValueNames != nil {
			u.Sets = append(u.Sets, parens(p, p.columnRef))
		} else {
			u.Values = append(u.Values, p.columnRef())
		}
		label := ""
		if p.accept("AS") || p.isIdentifier() {
			label, labelled = p.identifier(), true
		}
		u.Labels = append(u.Labels, label)
		return true
	})
	if !labelled {
		u.Labels = nil
	}
	p.expectOp(")")
	return p.shortAlias(u)
}

// shortAlias reads the alias that may follow a PIVOT or UNPIVOT.
func (p *parser) shortAlias(n plan.Node) plan.Node {
	if alias, _ := p.tableAlias(); alias != "" {
		return &plan.SubqueryAlias{Input: n, Name: []string{alias}}
	}
	return n
}

var pipeWords = words("SELECT EXTEND SET DROP AS WHERE AGGREGATE PIVOT UNPIVOT TABLESAMPLE LATERAL UNION EXCEPT INTERSECT MINUS SETMINUS " +
	"ORDER SORT CLUSTER DISTRIBUTE LIMIT OFFSET JOIN INNER LEFT RIGHT FULL CROSS NATURAL SEMI ANTI")

// isPipe reports whether |>, or | with one of the pipe's operators, is next.
func (p *parser) isPipe() bool {
	if !p.isOp("|") {
		return p.isOp("|>")
	}
	if p.conf.PlainBar || !pipeWords[p.peek(1).upper] {
		return false
	}
	next := p.peek(2) // a column of such a name is followed by what may not come after the operator's word
	call := next.text == "(" && (p.peek(1).upper == "LEFT" || p.peek(1).upper == "RIGHT")
	return next.kind != tEOF && !call && (next.kind != tOp || strings.Contains("( * - + ? : ~ /*+", next.text))
}

// pipes reads the operators of a pipe.
func (p *parser) pipes(n plan.Node) plan.Node {
	for p.isPipe() {
		p.pos++
		n = p.pipe(n)
	}
	return n
}

// pipe reads one operator after |>.
func (p *parser) pipe(n plan.Node) plan.Node {
	start := p.pos
	switch {
	case p.accept("SELECT"):
		return p.pipeSelect(n)
	case p.accept("EXTEND"):
		return p.piped(&plan.Pipe{Input: n, Op: "EXTEND", Exprs: list(p, p.namedExpression)})
	case p.accept("SET"):
		return p.pipeSet(n)
	case p.accept("DROP"):
		return &plan.Pipe{Input: n, Op: "DROP", Exprs: list(p, p.columnRef)}
	case p.accept("AS"):
		return &plan.SubqueryAlias{Input: n, Name: []string{p.name()}}
	case p.accept("WHERE"):
		f := &plan.Filter{Input: &plan.Pipe{Input: n}, Condition: p.expression()}
		if p.is("WINDOW") {
			p.raise(start, "NOT_ALLOWED_IN_PIPE_OPERATOR_WHERE.WINDOW_CLAUSE")
		}
		return f
	case p.accept("AGGREGATE"):
		return p.pipeAggregate(start, n)
	case p.is("PIVOT") || p.is("UNPIVOT"):
		m := p.pivots(n)
		if m == n {
			p.fail()
		}
		return m
	case p.is("TABLESAMPLE"):
		return p.sampled(n)
	case p.is("LATERAL", "VIEW"):
		return p.lateralView(n)
	case p.isOne("UNION", "EXCEPT", "INTERSECT", "MINUS", "SETMINUS"):
		return p.pipeSetOperation(n)
	case p.isOne("ORDER", "SORT", "CLUSTER", "DISTRIBUTE", "LIMIT", "OFFSET"):
		return p.pipeOrder(start, n)
	}
	if j := p.join(n); j != nil {
		return j
	}
	p.fail()
	return nil
}

// pipeSelect reads SELECT's list and what may follow it.
func (p *parser) pipeSelect(n plan.Node) plan.Node {
	hints := p.hints()
	distinct := p.accept("DISTINCT")
	if !distinct && p.is("ALL") && !p.endsOperand(1) {
		p.pos++
	}
	exprs := list(p, p.namedExpression)
	n = p.piped(p.grouped(n, exprs))
	if distinct {
		n = &plan.Distinct{Input: n}
	}
	return hinted(n, hints)
}

// piped reads the WINDOW clause that may follow an operator's expressions.
func (p *parser) piped(n plan.Node) plan.Node {
	if p.is("WINDOW") && p.peek(2).upper == "AS" {
		start := p.pos
		defs := p.windowDefinitions()
		n, _ = plan.MapExprs(n, func(e plan.Expr) (plan.Expr, error) {
			return plan.TransformExpr(e, func(e plan.Expr) (plan.Expr, error) {
				e = withDefinition(e, defs)
				if w, ok := e.(*plan.Window); ok && w.WindowName != "" { // a later WINDOW clause is the whole query's and defines nothing here
					p.raise(start, "MISSING_WINDOW_SPECIFICATION", "windowName", w.WindowName, "docroot", "https://spark.apache.org/docs/latest")
				}
				return e, nil
			})
		})
	}
	return n
}

// pipeSet reads a = e, …; each assignment sees those before it.
func (p *parser) pipeSet(n plan.Node) plan.Node {
	m := &plan.Pipe{Input: n, Op: "SET"}
	list(p, func() bool {
		start := p.pos
		name := p.name()
		if p.isOp(".") {
			p.qualifiedRest()
			p.raise(start, "_LEGACY_ERROR_TEMP_0035", "message", "SQL pipe syntax |> SET operator with multi-part assignment key (only single-part keys are allowed)")
		}
		p.expectOp("=")
		m.Exprs = append(m.Exprs, &plan.Alias{Child: p.expression(), Names: []string{name}})
		return true
	})
	return p.piped(m)
}

func (p *parser) qualifiedRest() {
	for p.acceptOp(".") {
		p.identifier()
	}
}

func (p *parser) pipeSetOperation(left plan.Node) plan.Node {
	op := &plan.SetOp{Left: left}
	switch p.cur().upper {
	case "INTERSECT":
		op.Kind = plan.IntersectOp
	case "EXCEPT", "MINUS", "SETMINUS":
		op.Kind = plan.ExceptOp
	}
	p.pos++
	if op.All = p.accept("ALL"); !op.All {
		p.accept("DISTINCT")
	}
	op.Right = p.queryPrimary()
	return op
}

// pipeOrder reads ORDER BY or LIMIT and OFFSET, which may not stand together.
func (p *parser) pipeOrder(start int, n plan.Node) plan.Node {
	first := p.cur().upper
	m := p.organized(&plan.Pipe{Input: n})
	if _, limited := m.(*plan.Limit); limited && first != "LIMIT" && first != "OFFSET" {
		p.raise(start, "MULTIPLE_QUERY_RESULT_CLAUSES_WITH_PIPE_OPERATORS", "clause1", first+" BY", "clause2", "LIMIT")
	}
	return m
}

// pipeAggregate reads AGGREGATE exprs GROUP BY keys: its output is the keys and then the exprs.
func (p *parser) pipeAggregate(start int, n plan.Node) plan.Node {
	a := &plan.Pipe{Input: n, Op: "AGGREGATE"}
	ends := func(n int) bool { return p.peek(n).kind == tEOF || p.opAt(n, "|>") || p.opAt(n, ")") || p.opAt(n, ";") }
	if (!p.is("GROUP", "BY") || ends(2)) && !ends(0) {
		a.Exprs = list(p, p.namedExpression)
	}
	if !p.accept("GROUP", "BY") {
		if len(a.Exprs) == 0 {
			p.raise(start, "_LEGACY_ERROR_TEMP_0035", "message", "The AGGREGATE clause requires a list of aggregate expressions or a list of grouping expressions, or both")
		}
		p.checkPipeAggregates(start, a.Exprs)
		return a
	}
	for _, refused := range []string{"ALL", "ROLLUP", "CUBE", "GROUPING"} {
		if p.is(refused) && (refused == "ALL" || p.opAt(1, "(") || p.peek(1).upper == "SETS") {
			p.raise(start, "UNSUPPORTED_FEATURE.PIPE_OPERATOR_AGGREGATE_UNSUPPORTED_CASE", "case", refusedCase(refused))
		}
	}
	p.checkPipeAggregates(start, a.Exprs)
	named := list(p, p.namedExpression)
	if p.is("GROUPING", "SETS") || p.is("WITH", "CUBE") || p.is("WITH", "ROLLUP") {
		p.raise(start, "UNSUPPORTED_FEATURE.PIPE_OPERATOR_AGGREGATE_UNSUPPORTED_CASE", "case", refusedCase(p.peek(1).upper))
	}
	a.Groups = named
	return a
}

// checkPipeAggregates refuses what AGGREGATE must not hold.
func (p *parser) checkPipeAggregates(start int, exprs []plan.Expr) {
	for _, e := range exprs {
		plan.WalkExpr(e, func(e plan.Expr) bool {
			refused := ""
			switch e := e.(type) {
			case *plan.Window:
				refused = "window functions; please update the query to move the window functions to a subsequent |> SELECT operator instead"
			case *plan.UnresolvedFunction:
				if name := strings.ToUpper(e.Name[0]); name == "GROUPING" || name == "GROUPING_ID" {
					refused = name
				}
			}
			if refused != "" {
				p.raise(start, "UNSUPPORTED_FEATURE.PIPE_OPERATOR_AGGREGATE_UNSUPPORTED_CASE", "case", refused)
			}
			return true
		})
	}
}

func refusedCase(word string) string {
	switch word {
	case "GROUPING", "SETS":
		return "GROUPING SETS"
	}
	return "GROUP BY " + strings.ToUpper(word)
}
