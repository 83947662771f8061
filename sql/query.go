package sql

import (
	"strconv"
	"strings"

	"millrace/plan"
)

// startsQuery reports whether the next token begins a query.
func (p *parser) startsQuery() bool { return p.queryWordAt(0) || p.isOp("(") && p.queryInParens() }

func (p *parser) queryWordAt(n int) bool {
	next := p.peek(n + 1)
	switch p.peek(n).upper {
	case "SELECT":
		return next.kind != tEOF
	case "WITH":
		after := p.peek(n + 2)
		return (next.kind == tWord || next.kind == tQuoted) && (next.upper == "RECURSIVE" || after.upper == "AS" || after.upper == "MAX" || after.text == "(")
	case "VALUES":
		return next.kind != tEOF && !(next.kind == tOp && (next.text == "," || next.text == ")" || next.text == "."))
	case "TABLE", "FROM":
		return next.kind == tWord || next.kind == tQuoted || p.peek(n).upper == "FROM" && next.text == "("
	}
	return false
}

// queryInParens reports whether the first word inside the parentheses that are next begins a query.
func (p *parser) queryInParens() bool {
	n := 0
	for p.opAt(n, "(") {
		n++
	}
	return p.queryWordAt(n)
}

// parenQuery reads ( query ), or leaves the parser where it is and returns nil.
func (p *parser) parenQuery() plan.Node {
	if p.notQuery[p.pos] || !p.isOp("(") || !p.queryInParens() {
		return nil
	}
	at := p.pos
	q, ok := try(p, func() plan.Node {
		p.pos++
		q := p.query()
		p.expectOp(")")
		return q
	})
	if ok {
		return q
	}
	if p.notQuery == nil {
		p.notQuery = map[int]bool{}
	}
	p.notQuery[at] = true
	if !p.opAt(1, "(") && p.peek(1).upper == "SELECT" {
		panic(p.farthest)
	}
	return nil
}

// query reads a query with its WITH, set operations, order and limits.
func (p *parser) query() plan.Node {
	p.enter()
	defer p.leave()
	var with *plan.With
	if p.is("WITH") {
		with = p.with()
	}
	n := p.organized(p.setOperations(0))
	if p.isPipe() {
		n = p.organized(p.pipes(n))
	}
	if with != nil {
		with.Body = n
		return with
	}
	return n
}

// with reads WITH [RECURSIVE] name [(columns)] AS (query), ….
func (p *parser) with() *plan.With {
	p.pos++
	w := &plan.With{Recursive: p.accept("RECURSIVE")}
	w.CTEs = list(p, func() plan.CTE {
		c := plan.CTE{Name: p.name()}
		if p.isOp("(") {
			c.Columns = p.identifierList()
		}
		if at := p.pos; p.accept("MAX", "RECURSION", "LEVEL") {
			c.MaxLevel = int64(p.size())
			if !w.Recursive {
				p.raise(at, "_LEGACY_ERROR_TEMP_0035", "message", "Cannot specify MAX RECURSION LEVEL when the CTE is not marked as RECURSIVE")
			}
		}
		p.accept("AS")
		p.accept("NOT", "MATERIALIZED")
		p.accept("MATERIALIZED")
		p.expectOp("(")
		c.Query = p.query()
		p.expectOp(")")
		return c
	})
	return w
}

// setOperations reads queries joined by UNION, EXCEPT and MINUS (level 1) and INTERSECT (level 2, which binds tighter).
func (p *parser) setOperations(level int) plan.Node {
	left := p.queryPrimary()
	for {
		kind, tightness := plan.UnionOp, 1
		switch p.cur().upper {
		case "UNION":
		case "EXCEPT", "MINUS", "SETMINUS":
			kind = plan.ExceptOp
		case "INTERSECT":
			kind = plan.IntersectOp
			if !p.conf.FlatSetOps {
				tightness = 2
			}
		default:
			return left
		}
		if tightness <= level {
			return left
		}
		p.pos++
		op := &plan.SetOp{Kind: kind, Left: left, All: p.accept("ALL")}
		if !op.All {
			p.accept("DISTINCT")
		}
		op.Right = p.setOperations(tightness)
		left = op
	}
}

func (p *parser) queryPrimary() plan.Node {
	start := p.pos
	switch {
	case p.isOp("("):
		p.enter()
		defer p.leave()
		p.pos++
		q := p.query()
		p.expectOp(")")
		return q
	case p.is("SELECT"):
		p.pos++
		return p.selectFrom(nil)
	case p.is("FROM"):
		return p.fromFirst()
	case p.is("TABLE") && (p.peek(1).kind == tWord || p.peek(1).kind == tQuoted):
		p.pos++
		name := p.tableName()
		return &plan.UnresolvedRelation{Parts: name, Origin: p.origin(start)}
	case p.is("VALUES"):
		return p.inlineTable()
	case p.isOne("MAP", "REDUCE"):
		p.unsupported("%s … USING (script transformation) is not supported", p.cur().upper)
	}
	p.fail()
	return nil
}

// fromFirst reads FROM t [SELECT … [SELECT …]]: the rows of all SELECTs.
func (p *parser) fromFirst() plan.Node {
	from := p.fromClause()
	if !p.is("SELECT") {
		if p.isPipe() || p.isOp(")") || p.cur().kind == tEOF || p.isOp(";") || p.isOne("ORDER", "LIMIT", "UNION", "EXCEPT", "INTERSECT", "OFFSET", "SORT") {
			return from
		}
		p.fail()
	}
	n := p.selectOver(from)
	for p.is("SELECT") {
		n = &plan.SetOp{Kind: plan.UnionOp, All: true, Left: n, Right: p.selectOver(from)}
	}
	return n
}

// selectOver reads a SELECT of a relation that was read before, with its order and limit.
func (p *parser) selectOver(from plan.Node) plan.Node {
	p.expect("SELECT")
	return p.organized(p.selectFrom(from))
}

// selectFrom reads what follows the word SELECT; from is set when FROM came first.
func (p *parser) selectFrom(from plan.Node) plan.Node {
	hints := p.hints()
	if p.is("TRANSFORM") && p.opAt(1, "(") {
		if _, isScript := try(p, p.transformClause); isScript {
			p.unsupported("SELECT TRANSFORM … USING (script transformation) is not supported")
		}
	}
	distinct := false
	if p.is("DISTINCT") {
		p.pos, distinct = p.pos+1, true
	} else if p.is("ALL") && !p.endsOperand(1) || p.is("ALL") && p.opAt(1, "*") {
		p.pos++
	}
	exprs := list(p, p.namedExpression)
	input := from
	switch {
	case from == nil && p.is("FROM"):
		input = p.fromClause()
	case input == nil:
		input = &plan.OneRow{}
	}
	for p.is("LATERAL", "VIEW") {
		input = p.lateralView(input)
	}
	if p.accept("WHERE") {
		input = &plan.Filter{Input: input, Condition: p.expression()}
	}
	n := p.grouped(input, exprs)
	if p.isQualify() {
		n = p.qualify(n)
	}
	if p.is("WINDOW") && p.peek(2).upper == "AS" {
		n = p.windows(n, p.isQualify)
	}
	if distinct {
		n = &plan.Distinct{Input: n}
	}
	return hinted(n, hints)
}

// hinted puts hints over a relation, the first one outermost.
func hinted(n plan.Node, hints []*plan.Hint) plan.Node {
	for i := len(hints) - 1; i >= 0; i-- {
		hints[i].Input = n
		n = hints[i]
	}
	return n
}

// transformClause recognises the arguments and USING of a script transformation.
func (p *parser) transformClause() bool {
	p.pos++
	parens(p, p.namedExpression)
	if !p.isOne("USING", "ROW", "RECORDWRITER") {
		p.fail()
	}
	return true
}

// hints reads /*+ NAME(args), … */.
func (p *parser) hints() []*plan.Hint {
	var hints []*plan.Hint
	for p.acceptOp("/*+") {
		for !p.isOp("*/") {
			h := &plan.Hint{Name: p.identifier()}
			if p.isOp("(") && p.opAt(1, ")") {
				p.pos += 2
			} else if p.isOp("(") {
				h.Args = parens(p, p.primaryHint)
			}
			hints = append(hints, h)
			p.acceptOp(",")
		}
		p.pos++
	}
	return hints
}

func (p *parser) primaryHint() plan.Expr { return p.postfix() }

// grouped reads GROUP BY and HAVING and makes the projection or aggregation.
func (p *parser) grouped(input plan.Node, exprs []plan.Expr) plan.Node {
	var n plan.Node
	switch {
	case p.is("GROUP", "BY"):
		p.pos += 2
		n = p.groupBy(input, exprs)
	case p.is("HAVING") && p.conf.HavingIsWhere:
		p.pos++
		return &plan.Project{Input: &plan.Filter{Input: input, Condition: p.expression()}, Exprs: exprs}
	case p.is("HAVING"):
		n = &plan.Aggregate{Input: input, Exprs: exprs}
	default:
		return &plan.Project{Input: input, Exprs: exprs}
	}
	if p.accept("HAVING") {
		n = &plan.Filter{Input: n, Condition: p.expression(), Having: true}
	}
	return n
}

// windowDefinitions reads WINDOW name AS (…), ….
func (p *parser) windowDefinitions() map[string]*plan.Window {
	p.pos++
	defs := map[string]*plan.Window{}
	list(p, func() bool {
		start := p.pos
		name := p.name()
		if defs[strings.ToLower(name)] != nil {
			p.raise(start, "INVALID_SQL_SYNTAX.REPETITIVE_WINDOW_DEFINITION", "windowName", "`"+name+"`")
		}
		p.expect("AS")
		if p.isOp("(") {
			defs[strings.ToLower(name)] = p.windowSpec()
		} else {
			defs[strings.ToLower(name)] = &plan.Window{WindowName: p.name()}
		}
		return true
	})
	for name, d := range defs { // a definition may be another's name
		if other := defs[strings.ToLower(d.WindowName)]; d.WindowName != "" && other != nil && other.WindowName == "" {
			defs[name] = other
		}
	}
	return defs
}

// isQualify reports whether QUALIFY is next and a condition follows, where it might be an alias as well.
func (p *parser) isQualify() bool {
	next := p.peek(1)
	switch {
	case !p.is("QUALIFY"):
		return false
	case next.kind == tOp:
		return next.text == "(" || next.text == "-" || next.text == "+" || next.text == "~" || next.text == "!" || next.text == "?" || next.text == ":"
	case next.kind == tWord:
		return !strictWords[next.upper] && (!clauseWords[next.upper] || next.upper == "NOT" || p.opAt(2, "("))
	}
	return next.kind != tEOF
}

// qualify reads QUALIFY condition.
func (p *parser) qualify(n plan.Node) plan.Node {
	p.pos++
	return &plan.Filter{Input: n, Condition: p.expression(), Qualify: true}
}

// windows reads WINDOW name AS (…), … and QUALIFY if it follows and may, and puts the definitions where n's expressions name them.
func (p *parser) windows(n plan.Node, isQualify func() bool) plan.Node {
	defs := p.windowDefinitions()
	if isQualify != nil && isQualify() {
		n = p.qualify(n)
	}
	out, _ := plan.Transform(n, func(n plan.Node) (plan.Node, error) {
		return plan.MapExprs(n, func(e plan.Expr) (plan.Expr, error) {
			return plan.TransformExpr(e, func(e plan.Expr) (plan.Expr, error) { return withDefinition(e, defs), nil })
		})
	})
	return out
}

// withDefinition replaces a window's name by its definition; names without one are left for the analyser to report.
func withDefinition(e plan.Expr, defs map[string]*plan.Window) plan.Expr {
	w, ok := e.(*plan.Window)
	if !ok || w.WindowName == "" {
		return e
	}
	d := defs[strings.ToLower(w.WindowName)]
	if d == nil {
		return e
	}
	return &plan.Window{Function: w.Function, Partition: d.Partition, Order: d.Order, Frame: d.Frame, WindowName: d.WindowName, Origin: d.Origin}
}

// organized reads ORDER BY, SORT BY, DISTRIBUTE BY, CLUSTER BY, WINDOW, LIMIT and OFFSET.
func (p *parser) organized(n plan.Node) plan.Node {
	start, clauses := p.pos, 0
	if p.accept("ORDER", "BY") {
		n, clauses = p.orderBy(n), clauses+1
	}
	if p.accept("CLUSTER", "BY") {
		n, clauses = p.clusterBy(n), clauses+2
	}
	if p.accept("DISTRIBUTE", "BY") {
		n, clauses = &plan.Repartition{Input: n, Exprs: list(p, p.expression), Shuffle: true}, clauses+2
		if p.accept("SORT", "BY") {
			n = &plan.Sort{Input: n, Keys: list(p, p.sortItem), Local: true}
		}
	}
	if p.accept("SORT", "BY") {
		n, clauses = &plan.Sort{Input: n, Keys: list(p, p.sortItem), Local: true}, clauses+2
	}
	if clauses > 2 {
		p.raise(start, "UNSUPPORTED_FEATURE.COMBINATION_QUERY_RESULT_CLAUSES")
	}
	if p.is("WINDOW") && p.peek(2).upper == "AS" {
		n = p.windows(n, nil)
	}
	return p.limited(n)
}

// orderBy reads the keys of ORDER BY; ORDER BY ALL sorts by every column.
func (p *parser) orderBy(n plan.Node) plan.Node {
	return &plan.Sort{Input: n, Keys: list(p, p.sortItem)}
}

func (p *parser) clusterBy(n plan.Node) plan.Node {
	exprs := list(p, p.expression)
	keys := make([]*plan.SortOrder, len(exprs))
	for i, e := range exprs {
		keys[i] = &plan.SortOrder{Child: e}
	}
	return &plan.Sort{Input: &plan.Repartition{Input: n, Exprs: exprs, Shuffle: true}, Keys: keys, Local: true}
}

func (p *parser) limited(n plan.Node) plan.Node {
	l := &plan.Limit{Input: n}
	any := false
	if p.accept("LIMIT") {
		any = true // LIMIT ALL is a limit without a count, which recursive queries look at
		if !p.accept("ALL") {
			l.Count = p.expression()
		}
	}
	if p.accept("OFFSET") {
		l.Offset, any = p.expression(), true
	}
	if !any {
		return n
	}
	return l
}

// inlineTable reads VALUES (…), … [AS t(a, b)].
func (p *parser) inlineTable() plan.Node {
	start := p.pos
	p.pos++
	t := &plan.InlineTable{Rows: list(p, func() []plan.Expr { return rowOf(p.expression()) })}
	t.Origin = p.origin(start)
	for i, row := range t.Rows {
		if len(row) != len(t.Rows[0]) {
			p.raise(start, "INVALID_INLINE_TABLE.NUM_COLUMNS_MISMATCH", "expectedNumCols", strconv.Itoa(len(t.Rows[0])),
				"actualNumCols", strconv.Itoa(len(row)), "rowIndex", strconv.Itoa(i))
		}
	}
	alias, columns := p.tableAlias()
	t.Names = columns
	if columns != nil && len(columns) != len(t.Rows[0]) {
		p.raise(start, "INVALID_INLINE_TABLE.NUM_COLUMNS_MISMATCH", "expectedNumCols", strconv.Itoa(len(columns)),
			"actualNumCols", strconv.Itoa(len(t.Rows[0])), "rowIndex", "0")
	}
	if alias == "" {
		return t
	}
	return &plan.SubqueryAlias{Input: t, Name: []string{alias}}
}

// rowOf is the columns of a row (a, b), or the one column that the expression is.
func rowOf(e plan.Expr) []plan.Expr {
	f, ok := e.(*plan.UnresolvedFunction)
	if !ok || len(f.Name) != 1 || !strings.EqualFold(f.Name[0], "struct") {
		return []plan.Expr{e}
	}
	row := make([]plan.Expr, len(f.Args))
	for i, a := range f.Args {
		if alias, ok := a.(*plan.Alias); ok {
			a = alias.Child
		}
		row[i] = a
	}
	return row
}
