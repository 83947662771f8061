package sql

import (
	"strconv"
	"strings"

	"millrace/plan"
)

// insert reads INSERT INTO | OVERWRITE and its query.
func (p *parser) insert() plan.Node { return p.insertOf(p.query) }

// insertOf reads an INSERT whose rows are those that query reads.
func (p *parser) insertOf(query func() plan.Node) plan.Node {
	start := p.pos
	p.pos++
	n := &plan.Insert{SchemaEvolution: p.accept("WITH", "SCHEMA", "EVOLUTION"), Overwrite: p.is("OVERWRITE")}
	if !n.Overwrite && !p.is("INTO") {
		p.fail()
	}
	p.pos++
	if n.Overwrite && p.isOne("DIRECTORY", "LOCAL") && (p.is("LOCAL", "DIRECTORY") || p.peek(1).kind == tString || p.peek(1).upper == "USING") {
		return p.insertDirectory(start, query)
	}
	p.accept("TABLE")
	n.Table = p.tableName()
	if p.is("PARTITION") && p.opAt(1, "(") {
		p.pos++
		n.Partition = p.partitionSpec()
	}
	n.IfNotExists = p.accept("IF", "NOT", "EXISTS")
	if p.is("AS") && p.replaceMatchingAt(2) || p.cur().kind != tOp && p.replaceMatchingAt(1) {
		p.accept("AS")
		n.Alias = p.strictIdentifier()
	}
	switch {
	case p.accept("BY", "NAME"):
		n.ByName = true
	case p.isOp("(") && !p.queryInParens():
		n.Columns = p.identifierList()
	}
	switch {
	case p.accept("REPLACE", "WHERE"):
		n.ReplaceIf = p.expression()
	case !n.Overwrite && len(n.Columns) == 0 && len(n.Partition) == 0 && p.replaceMatchingAt(0):
		n.Matching = p.peek(1).upper
		p.pos += 2
		start := p.pos
		if n.Matching == "USING" {
			n.MatchColumns = p.identifierList()
		} else {
			p.expression()
			n.MatchText = p.between(start)
		}
		n.Input = withDefaults(p.aliased(query()))
		return n
	}
	n.Input = withDefaults(query())
	return n
}

// insertDirectory reads INSERT OVERWRITE [LOCAL] DIRECTORY ['path'] USING format [OPTIONS (…)], which is a write to a path.
func (p *parser) insertDirectory(start int, query func() plan.Node) plan.Node {
	p.accept("LOCAL")
	p.expect("DIRECTORY")
	w := &plan.Write{Mode: plan.SaveOverwrite}
	if p.cur().kind == tString {
		w.Path = p.stringLiteral()
	}
	if !p.accept("USING") {
		p.raiseAnalysis("NOT_SUPPORTED_COMMAND_WITHOUT_HIVE_SUPPORT", "cmd", "INSERT OVERWRITE DIRECTORY with the Hive format")
	}
	w.Format = strings.Join(p.qualifiedName(), ".")
	if p.accept("OPTIONS") {
		w.Options = p.properties()
	}
	w.Input = query()
	for name, path := range w.Options {
		if strings.EqualFold(name, "path") {
			delete(w.Options, name)
			if w.Path != "" {
				path = "" // two paths are as wrong as none
			}
			w.Path = path
		}
	}
	if w.Path == "" {
		p.raise(start, "_LEGACY_ERROR_TEMP_0049")
	}
	if strings.EqualFold(w.Format, "delta") {
		p.raiseAnalysis("DELTA_OPERATION_NOT_ALLOWED", "operation", "INSERT OVERWRITE DIRECTORY")
	}
	return w
}

// inserts reads the INSERTs that follow a FROM clause, each with its own SELECT over it.
func (p *parser) inserts(from plan.Node) plan.Node {
	each := &plan.InsertEach{}
	for p.is("INSERT") {
		each.Inserts = append(each.Inserts, p.insertOf(func() plan.Node { return p.selectOver(from) }))
	}
	if len(each.Inserts) == 1 {
		return each.Inserts[0]
	}
	return each
}

// replaceMatchingAt reports whether [BY NAME] REPLACE USING or REPLACE ON stands n places ahead.
func (p *parser) replaceMatchingAt(n int) bool {
	if p.peek(n).upper == "BY" && p.peek(n+1).upper == "NAME" {
		n += 2
	}
	return p.peek(n).upper == "REPLACE" && (p.peek(n+1).upper == "USING" || p.peek(n+1).upper == "ON")
}

// partitionSpec reads (a = 1, b): a column without a value is dynamic.
func (p *parser) partitionSpec() map[string]plan.Expr {
	spec := map[string]plan.Expr{}
	parens(p, func() bool {
		name := p.name()
		spec[name] = nil
		if p.acceptOp("=") || p.acceptOp("==") {
			spec[name] = p.value(1)
		}
		return true
	})
	return spec
}

// asDefault is the word DEFAULT where a value is expected.
func asDefault(e plan.Expr) plan.Expr {
	if a, ok := e.(*plan.UnresolvedAttribute); ok && len(a.Parts) == 1 && strings.EqualFold(a.Parts[0], "DEFAULT") {
		return &plan.DefaultValue{}
	}
	return e
}

// withDefaults marks DEFAULT among the values to be inserted.
func withDefaults(n plan.Node) plan.Node {
	switch n := n.(type) {
	case *plan.InlineTable:
		for _, row := range n.Rows {
			defaults(row)
		}
	case *plan.Project:
		defaults(n.Exprs)
	}
	return n
}

func defaults(exprs []plan.Expr) {
	for i, e := range exprs {
		exprs[i] = asDefault(e)
	}
}

// target reads the table that a statement changes, with its alias.
func (p *parser) target() plan.Node {
	start := p.pos
	name := p.tableName()
	return p.aliased(&plan.UnresolvedRelation{Parts: name, Origin: p.origin(start)})
}

func (p *parser) deleteFrom() plan.Node {
	p.expect("DELETE", "FROM")
	d := &plan.Delete{Target: p.target()}
	if p.accept("WHERE") {
		d.Condition = p.expression()
	}
	return d
}

func (p *parser) update() plan.Node {
	p.pos++
	u := &plan.Update{Target: p.target()}
	p.expect("SET")
	u.Columns, u.Values = p.assignments()
	if p.accept("WHERE") {
		u.Condition = p.expression()
	}
	return u
}

// assignments reads a.b = e, ….
func (p *parser) assignments() (columns, values []plan.Expr) {
	list(p, func() bool {
		columns = append(columns, p.columnRef())
		p.expectOp("=")
		values = append(values, asDefault(p.expression()))
		return true
	})
	return columns, values
}

func (p *parser) merge() plan.Node {
	p.pos++
	m := &plan.Merge{SchemaEvolution: p.accept("WITH", "SCHEMA", "EVOLUTION")}
	p.expect("INTO")
	m.Target = p.target()
	p.expect("USING")
	m.Source = p.relationPrimary()
	p.expect("ON")
	m.On = p.expression()
	for p.is("WHEN") {
		m.Clauses = append(m.Clauses, p.mergeClause())
	}
	if len(m.Clauses) == 0 {
		p.fail()
	}
	return m
}

// mergeClause reads WHEN [NOT] MATCHED [BY TARGET | SOURCE] [AND condition] THEN action.
func (p *parser) mergeClause() *plan.MergeClause {
	p.expect("WHEN")
	c := &plan.MergeClause{}
	if p.accept("NOT") {
		c.Match = plan.NotMatched
	}
	p.expect("MATCHED")
	if c.Match == plan.NotMatched && p.accept("BY", "SOURCE") {
		c.Match = plan.NotMatchedBySource
	} else if c.Match == plan.NotMatched {
		p.accept("BY", "TARGET")
	}
	if p.accept("AND") {
		c.Condition = p.expression()
	}
	p.expect("THEN")
	p.mergeAction(c)
	return c
}

func (p *parser) mergeAction(c *plan.MergeClause) {
	switch {
	case c.Match == plan.NotMatched && p.accept("INSERT"):
		c.Action = "insert"
		if c.Star = p.acceptOp("*"); c.Star {
			return
		}
		if p.isOp("(") {
			c.Columns = parens(p, p.columnRef)
		}
		p.expect("VALUES")
		c.Values = parens(p, func() plan.Expr { return asDefault(p.expression()) })
	case c.Match != plan.NotMatched && p.accept("DELETE"):
		c.Action = "delete"
	case c.Match != plan.NotMatched && p.accept("UPDATE", "SET"):
		c.Action = "update"
		if c.Match == plan.Matched && p.acceptOp("*") {
			c.Star = true
			return
		}
		c.Columns, c.Values = p.assignments()
	default:
		p.fail()
	}
}

// nameOrPath reads a table's name or 'path'.
func (p *parser) nameOrPath() (name []string, path string) {
	if p.cur().kind == tString {
		return nil, p.stringLiteral()
	}
	return p.tableName(), ""
}

func (p *parser) optimize() plan.Node {
	p.pos++
	o := &plan.Optimize{}
	o.Name, o.Path = p.nameOrPath()
	o.Full = p.accept("FULL")
	if p.accept("WHERE") {
		o.Where = p.expression()
	}
	if p.accept("ZORDER", "BY") {
		column := func() string { return strings.Join(p.qualifiedName(), ".") }
		if p.isOp("(") {
			o.ZBy = parens(p, column)
		} else {
			o.ZBy = list(p, column)
		}
	}
	return o
}

func (p *parser) vacuum() plan.Node {
	p.pos++
	v := &plan.Vacuum{}
	v.Name, v.Path = p.nameOrPath()
	for {
		switch {
		case p.accept("RETAIN"):
			h, err := strconv.ParseFloat(p.cur().text, 64)
			if err != nil {
				p.fail()
			}
			v.Hours = &h
			p.pos++
			p.expect("HOURS")
		case p.accept("DRY", "RUN"):
			v.DryRun = true
		case p.accept("LITE"):
			v.Lite = true
		case p.accept("FULL"):
		case p.is("USING", "INVENTORY"):
			p.unsupported("VACUUM … USING INVENTORY is not supported")
		default:
			return v
		}
	}
}

func (p *parser) restore() plan.Node {
	p.pos++
	p.accept("TABLE")
	r := &plan.Restore{}
	r.Name, r.Path = p.nameOrPath()
	p.accept("TO")
	if r.Travel = p.travel(); r.Travel == nil {
		p.fail()
	}
	return r
}
