package sql

import (
	"math/rand/v2"
	"strconv"
	"strings"

	"millrace/plan"
)

// fromClause reads FROM a, b …; relations after a comma are cross-joined.
func (p *parser) fromClause() plan.Node {
	p.expect("FROM")
	n := p.relation()
	for p.acceptOp(",") {
		lateral := p.is("LATERAL") && !p.is("LATERAL", "VIEW")
		right := p.relation()
		n = &plan.Join{Left: n, Right: right, Type: plan.InnerJoin, Lateral: lateral}
	}
	for p.is("LATERAL", "VIEW") {
		n = p.lateralView(n)
	}
	return p.pivots(n)
}

// pivots reads the PIVOT or UNPIVOT that may follow a FROM clause.
func (p *parser) pivots(n plan.Node) plan.Node {
	start := p.pos
	switch {
	case p.is("PIVOT") && p.opAt(1, "("):
		n = p.pivot(n)
		if p.is("UNPIVOT") {
			p.raise(start, "NOT_ALLOWED_IN_FROM.UNPIVOT_WITH_PIVOT")
		}
	case p.isUnpivot():
		n = p.unpivot(n)
		if p.is("PIVOT") && p.opAt(1, "(") {
			p.raise(start, "NOT_ALLOWED_IN_FROM.UNPIVOT_WITH_PIVOT")
		}
	}
	return n
}

// relation reads a relation and the joins and pivots that follow it.
func (p *parser) relation() plan.Node {
	p.enter()
	defer p.leave()
	if p.is("LATERAL") && !p.is("LATERAL", "VIEW") {
		p.pos++
	}
	n := p.relationPrimary()
	for {
		if j := p.join(n); j != nil {
			n = j
			continue
		}
		before := n
		if n = p.pivots(n); n == before {
			return n
		}
	}
}

// joinType reads the words before JOIN; ok is false, and nothing is taken, when they are not there.
func (p *parser) joinType() (t plan.JoinType, natural, ok bool) {
	start := p.pos
	natural = p.accept("NATURAL")
	switch {
	case p.accept("INNER"):
		t = plan.InnerJoin
	case p.accept("CROSS"):
		t = plan.CrossJoin
	case p.accept("LEFT", "SEMI"), p.accept("SEMI"):
		t = plan.SemiJoin
	case p.accept("LEFT", "ANTI"), p.accept("ANTI"):
		t = plan.AntiJoin
	case p.accept("LEFT"):
		p.accept("OUTER")
		t = plan.LeftJoin
	case p.accept("RIGHT"):
		p.accept("OUTER")
		t = plan.RightJoin
	case p.accept("FULL"):
		p.accept("OUTER")
		t = plan.FullJoin
	}
	if p.accept("JOIN") {
		return t, natural, true
	}
	if p.pos > start {
		p.fail()
	}
	return 0, false, false
}

func (p *parser) join(left plan.Node) plan.Node {
	start := p.pos
	t, natural, ok := p.joinType()
	if !ok {
		return nil
	}
	j := &plan.Join{Left: left, Type: t, Natural: natural, Lateral: p.accept("LATERAL")}
	j.Right = p.relationPrimary()
	if j.Lateral && t != plan.InnerJoin && t != plan.LeftJoin && t != plan.CrossJoin {
		p.raise(start, "INVALID_LATERAL_JOIN_TYPE", "joinType", strings.TrimSuffix(p.toks[start].upper, "JOIN"))
	}
	switch {
	case natural:
	case p.accept("ON"):
		j.Condition = p.expression()
	case p.accept("USING"):
		j.Using = p.identifierList()
	}
	return j
}

// relationPrimary reads one relation with its sample and alias.
func (p *parser) relationPrimary() plan.Node {
	switch {
	case p.isOp("("):
		return p.parenRelation()
	case p.is("VALUES") && !p.aliasLike(1):
		return p.inlineTable()
	case p.is("STREAM") && (p.opAt(1, "(") || p.peek(1).kind == tWord && !clauseWords[p.peek(1).upper] || p.peek(1).kind == tQuoted):
		return p.streamRelation()
	case p.isIdentifier():
		return p.namedRelation()
	}
	p.fail()
	return nil
}

// aliasLike reports whether the token n places ahead cannot begin a row of VALUES.
func (p *parser) aliasLike(n int) bool {
	t := p.peek(n)
	return t.kind == tEOF || t.kind == tOp && (t.text == "," || t.text == ")" || t.text == "." || t.text == ";") || t.upper == "AS"
}

func (p *parser) parenRelation() plan.Node {
	n := p.parenQuery()
	isQuery := n != nil
	if !isQuery {
		p.expectOp("(")
		n = p.relation()
		p.expectOp(")")
	}
	n = p.sampled(n)
	alias, columns := p.tableAlias()
	if alias != "" {
		return &plan.SubqueryAlias{Input: n, Name: []string{alias}, Columns: columns}
	}
	if isQuery { // a subquery without a name hides the names of its tables
		return &plan.SubqueryAlias{Input: n, Columns: columns}
	}
	return n
}

func (p *parser) streamRelation() plan.Node {
	p.pos++
	paren := p.acceptOp("(")
	start := p.pos
	r := &plan.UnresolvedRelation{Parts: p.tableName(), Streaming: true, Origin: p.origin(start)}
	if paren {
		p.expectOp(")")
	}
	return p.aliased(r)
}

// namedRelation reads a table, view or CTE with its options, version and sample, or a table-valued function.
func (p *parser) namedRelation() plan.Node {
	start := p.pos
	if strictWords[p.cur().upper] {
		p.fail()
	}
	name := p.tableName()
	if p.isOp("(") {
		return p.tableFunction(start, name)
	}
	r := &plan.UnresolvedRelation{Parts: name, Origin: p.origin(start)}
	r.Travel = p.travel()
	if p.is("WITH") && p.opAt(1, "(") {
		p.pos++
		r.Options = p.properties()
	}
	return p.aliased(p.sampled(r))
}

func (p *parser) aliased(n plan.Node) plan.Node {
	if alias, columns := p.tableAlias(); alias != "" {
		return &plan.SubqueryAlias{Input: n, Name: []string{alias}, Columns: columns}
	}
	return n
}

func (p *parser) tableFunction(start int, name []string) plan.Node {
	f := &plan.UnresolvedTVF{Name: name}
	p.expectOp("(")
	if !p.isOp(")") {
		f.Args = list(p, p.argument)
	}
	p.expectOp(")")
	f.Origin = p.origin(start)
	return p.aliased(p.sampled(f))
}

// tableArgument reads TABLE(query) or TABLE name as a function's argument, with its partitioning.
func (p *parser) tableArgument() plan.Expr {
	start := p.pos
	p.pos++
	s := &plan.Subquery{Kind: plan.TableArgSubquery}
	if q := p.parenQuery(); q != nil {
		s.Plan = q
	} else {
		paren := p.acceptOp("(")
		at := p.pos
		s.Plan = &plan.UnresolvedRelation{Parts: p.tableName(), Origin: p.origin(at)}
		if paren {
			p.expectOp(")")
		}
	}
	if p.accept("WITH", "SINGLE", "PARTITION") {
		s.Plan = &plan.Repartition{Input: s.Plan, N: 1, Shuffle: true}
	}
	if p.isOne("PARTITION", "DISTRIBUTE") && p.peek(1).upper == "BY" {
		p.pos += 2
		s.Plan = &plan.Repartition{Input: s.Plan, Exprs: p.exprsMaybeParens(), Shuffle: true}
	}
	if p.isOne("ORDER", "SORT") && p.peek(1).upper == "BY" {
		p.pos += 2
		s.Plan = &plan.Sort{Input: s.Plan, Keys: p.keysMaybeParens(), Local: true}
	}
	s.Origin = p.origin(start)
	return s
}

func (p *parser) exprsMaybeParens() []plan.Expr {
	if p.isOp("(") {
		return parens(p, p.expression)
	}
	return []plan.Expr{p.expression()}
}

func (p *parser) keysMaybeParens() []*plan.SortOrder {
	if p.isOp("(") {
		return parens(p, p.sortItem)
	}
	return []*plan.SortOrder{p.sortItem()}
}

// tableAlias reads [AS] name [(columns)].
func (p *parser) tableAlias() (name string, columns []string) {
	t := p.cur()
	switch {
	case p.accept("AS"):
		name = p.strictIdentifier()
	case t.kind == tQuoted, t.kind == tWord && !strictWords[t.upper] && !(p.inScript && t.upper == "DO") && !p.isQualify() && (!relationEnd[t.upper] || p.aliasLikeEnd(1)):
		name = p.identifier()
	default:
		return "", nil
	}
	if p.isOp("(") {
		columns = p.identifierList()
	}
	return name, columns
}

// relationEnd are the words that end a relation where an alias might stand.
var relationEnd = words("WHERE GROUP HAVING ORDER SORT CLUSTER DISTRIBUTE LIMIT OFFSET WINDOW PIVOT UNPIVOT TABLESAMPLE SELECT SET WHEN FOR VERSION " +
	"TIMESTAMP SYSTEM_VERSION SYSTEM_TIME WITH INSERT MAP REDUCE VALUES FROM AS PARTITION REPLACE BY WATERMARK")

// aliasLikeEnd reports whether nothing that continues a clause follows n places ahead.
func (p *parser) aliasLikeEnd(n int) bool {
	t := p.peek(n)
	return t.kind == tEOF || t.kind == tOp && (t.text == "," || t.text == ")")
}

// travel reads VERSION | TIMESTAMP AS OF, with FOR and SYSTEM_ before them if one likes.
func (p *parser) travel() *plan.TimeTravel {
	n := 0
	if p.is("FOR") {
		n = 1
	}
	if p.peek(n+1).upper != "AS" || p.peek(n+2).upper != "OF" {
		return nil
	}
	switch p.peek(n).upper {
	case "VERSION", "SYSTEM_VERSION":
		p.pos += n + 3
		return &plan.TimeTravel{Version: p.version()}
	case "TIMESTAMP", "SYSTEM_TIME":
		p.pos += n + 3
		return &plan.TimeTravel{Timestamp: p.value(0)}
	}
	return nil
}

func (p *parser) version() *int64 {
	t := p.cur()
	text := t.text
	if t.kind == tString {
		text = unescape(t.text, p.conf.RawStrings)
	}
	v, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	if err != nil || t.kind != tInt && t.kind != tString {
		p.fail()
	}
	p.pos++
	return &v
}

// sampled reads TABLESAMPLE (…) [REPEATABLE (seed)].
func (p *parser) sampled(n plan.Node) plan.Node {
	if !p.is("TABLESAMPLE") || !p.opAt(1, "(") {
		return n
	}
	start := p.pos
	p.pos += 2
	if p.acceptOp(")") {
		p.raise(start, "_LEGACY_ERROR_TEMP_0014")
	}
	lower, upper, rows := p.sampleMethod(start)
	p.expectOp(")")
	seed := rand.Int64N(1000)
	if p.accept("REPEATABLE") {
		p.expectOp("(")
		sign := p.sign()
		seed = int64(p.size())
		if sign != "" {
			seed = -seed
		}
		p.expectOp(")")
	}
	if rows != nil {
		return &plan.Limit{Input: n, Count: rows}
	}
	if f := upper - lower; f < -1e-6 || f > 1+1e-6 {
		p.raise(start, "_LEGACY_ERROR_TEMP_0064", "msg", "Sampling fraction ("+fraction(f)+") must be on interval [0, 1]")
	}
	return &plan.Sample{Input: n, Lower: lower, Upper: upper, Seed: seed}
}

func fraction(f float64) string {
	s := strconv.FormatFloat(f, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}

// sampleMethod reads n PERCENT, n ROWS or BUCKET x OUT OF y.
func (p *parser) sampleMethod(start int) (lower, upper float64, rows plan.Expr) {
	if p.accept("BUCKET") {
		x := p.size()
		p.expect("OUT", "OF")
		y := p.size()
		if p.is("ON") {
			p.raise(start, "_LEGACY_ERROR_TEMP_0015", "msg", "BUCKET x OUT OF y ON colname")
		}
		return 0, float64(x) / float64(y), nil
	}
	at := p.pos
	sign := p.sign()
	if k := p.cur().kind; (k == tInt || k == tNumber) && p.peek(1).upper == "PERCENT" {
		f, err := strconv.ParseFloat(p.cur().text, 64)
		if err != nil {
			p.fail()
		}
		p.pos += 2
		if sign != "" {
			f = -f
		}
		return 0, f / 100, nil
	}
	p.pos = at
	if bytes := p.cur(); bytes.kind != tEOF && p.opAt(1, ")") {
		if last := bytes.text[len(bytes.text)-1] | 0x20; bytes.kind == tWord && strings.IndexByte("bkmg", last) >= 0 && isDigit(bytes.text[0]) {
			p.raise(start, "_LEGACY_ERROR_TEMP_0015", "msg", "byteLengthLiteral")
		}
		p.raise(start, "_LEGACY_ERROR_TEMP_0016", "bytesStr", bytes.text)
	}
	rows = p.expression()
	p.expect("ROWS")
	return 0, 0, rows
}

// lateralView reads LATERAL VIEW [OUTER] generator(…) alias [AS a, b].
func (p *parser) lateralView(n plan.Node) plan.Node {
	p.pos += 2
	g := &plan.Generate{Input: n, Outer: p.is("OUTER") && !p.opAt(1, "(")}
	if g.Outer {
		p.pos++
	}
	start := p.pos
	name := p.qualifiedName()
	g.Generator = p.functionCall(start, name)
	if p.isIdentifier() && !p.is("AS") && !p.is("LATERAL", "VIEW") && (!relationEnd[p.cur().upper]) && !strictWords[p.cur().upper] {
		g.Qualifier = p.identifier()
	}
	if p.accept("AS") {
		g.Names = list(p, p.identifier)
	} else if p.isIdentifier() && !relationEnd[p.cur().upper] && !strictWords[p.cur().upper] {
		g.Names = list(p, p.identifier)
	}
	return g
}
