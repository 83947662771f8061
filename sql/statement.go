package sql

import (
	"regexp"
	"strings"

	"millrace/errs"
	"millrace/plan"
	"millrace/types"
)

// statement reads one query or command.
func (p *parser) statement() plan.Node {
	p.enter()
	defer p.leave()
	if k := p.cur(); k.kind == tEOF || p.isOp(";") && p.onlySemicolons() {
		e := errs.New("PARSE_EMPTY_STATEMENT")
		e.Trailer = p.marked(k.start)
		panic(failure{e, p.pos})
	}
	if p.queryWordAt(0) || p.isOp("(") {
		return p.queryStatement()
	}
	if name := p.transaction(); name != "" {
		return &plan.Generic{Name: name, Args: map[string]any{}}
	}
	if p.is("BEGIN") && p.peek(1).kind != tEOF {
		return p.script()
	}
	if rule := p.maintenance(); rule != nil {
		return rule(p)
	}
	if rule := statements[p.cur().upper]; rule != nil {
		return rule(p)
	}
	if name := genericName(p); name != "" {
		return p.generic(p.pos, name)
	}
	p.fail()
	return nil
}

func (p *parser) onlySemicolons() bool {
	for _, t := range p.toks[p.pos:] {
		if t.kind != tEOF && t.text != ";" {
			return false
		}
	}
	return true
}

// queryStatement reads a query, or INSERTs with WITH or FROM before them.
func (p *parser) queryStatement() plan.Node {
	at := p.pos
	var with *plan.With
	if p.is("WITH") {
		with = p.with()
	}
	var n plan.Node
	switch {
	case with != nil && p.is("INSERT"):
		n = p.insert()
	case p.is("FROM"):
		if from := p.fromClause(); p.is("INSERT") {
			n = p.inserts(from)
		}
	}
	if n == nil {
		p.pos, p.marks = at, 0
		return p.query()
	}
	if with == nil {
		return n
	}
	each, several := n.(*plan.InsertEach)
	if !several {
		return under(with, n)
	}
	for i, insert := range each.Inserts {
		each.Inserts[i] = under(with, insert)
	}
	return each
}

// under puts an INSERT's rows under a WITH that was read before it.
func under(with *plan.With, insert plan.Node) plan.Node {
	input := insert.Children()[0]
	w := *with
	w.Body = input
	return insert.WithChildren([]plan.Node{&w})
}

var statements map[string]func(p *parser) plan.Node

func init() { // the rules refer to statement
	statements = map[string]func(p *parser) plan.Node{
		"CREATE": (*parser).create, "REPLACE": (*parser).create, "DROP": (*parser).drop, "INSERT": (*parser).insert,
		"DELETE": (*parser).deleteFrom, "TRUNCATE": (*parser).truncate, "UPDATE": (*parser).update, "MERGE": (*parser).merge, "OPTIMIZE": (*parser).optimize,
		"VACUUM": (*parser).vacuum, "RESTORE": (*parser).restore, "ALTER": (*parser).alter, "USE": (*parser).use,
		"SHOW": (*parser).show, "DESCRIBE": (*parser).describe, "DESC": (*parser).describe, "SET": (*parser).set,
		"RESET": (*parser).set, "ANALYZE": (*parser).analyze, "EXPLAIN": (*parser).explain, "CACHE": (*parser).cache, "UNCACHE": (*parser).cache,
		"CLEAR": (*parser).cache, "REFRESH": (*parser).cache, "DECLARE": (*parser).declare, "EXECUTE": (*parser).executeImmediate,
	}
}

// generics are the statements that are only named, by their first words.
var generics = []string{"LOAD DATA",
	"COMMENT ON", "FSCK", "CALL", "GRANT", "REVOKE", "ADD", "LIST", "COMMIT",
	"START TRANSACTION", "ROLLBACK", "EXPORT", "IMPORT", "LOCK", "UNLOCK", "DFS", "DENY", "CLONE"}

// analyze reads ANALYZE TABLE name [PARTITION …] COMPUTE STATISTICS …, and ANALYZE TABLES [IN schema] COMPUTE STATISTICS.
func (p *parser) analyze() plan.Node {
	start := p.pos
	p.pos++
	a := &plan.Analyze{}
	if p.accept("TABLES") {
		a.Schema = true
		if p.accept("FROM") || p.accept("IN") {
			a.Name = p.tableName()
		}
	} else {
		p.expect("TABLE")
		a.Name = p.tableName()
		if p.is("PARTITION") && p.opAt(1, "(") {
			p.pos++
			a.Partition = p.partitionSpec()
		}
	}
	p.expect("COMPUTE", "STATISTICS")
	switch {
	case !a.Schema && p.accept("FOR", "COLUMNS"):
		a.Columns = list(p, p.name)
	case !a.Schema && p.accept("FOR", "ALL", "COLUMNS"):
		a.All = true
	case p.isIdentifier():
		if a.NoScan = p.accept("NOSCAN"); !a.NoScan {
			p.pos++
			p.raise(start, "INVALID_SQL_SYNTAX.ANALYZE_TABLE_UNEXPECTED_NOSCAN", "ctx", p.peek(-1).text)
		}
	}
	return a
}

// truncate reads TRUNCATE TABLE name [PARTITION (a = 1)].
func (p *parser) truncate() plan.Node {
	p.pos++
	p.expect("TABLE")
	t := &plan.Truncate{Name: p.tableName()}
	if p.is("PARTITION") && p.opAt(1, "(") {
		p.pos++
		t.Partition = p.partitionSpec()
	}
	return t
}

// transaction reads BEGIN or START TRANSACTION, COMMIT or ROLLBACK, which are ours: Spark has no such statements. BEGIN alone opens a
// compound statement.
func (p *parser) transaction() string {
	at := p.pos
	name := ""
	switch {
	case p.accept("BEGIN", "TRANSACTION"), p.accept("START", "TRANSACTION"):
		name = "BEGIN TRANSACTION"
	case p.accept("COMMIT"), p.accept("ROLLBACK"):
		name = p.toks[at].upper
		_ = p.accept("TRANSACTION") || p.accept("WORK")
	}
	if name == "" || p.cur().kind != tEOF && !p.onlySemicolons() {
		p.pos = at
		return ""
	}
	return name
}

func genericName(p *parser) string {
	for _, name := range generics {
		if p.is(strings.Fields(name)...) && p.peek(1).kind != tEOF {
			return name
		}
	}
	return ""
}

// generic names a statement and takes the rest of its text.
func (p *parser) generic(start int, name string) plan.Node {
	for p.cur().kind != tEOF && (!p.isOp(";") || !p.onlySemicolons()) {
		p.pos++
	}
	return &plan.Generic{Name: name, Args: map[string]any{"text": p.between(start)}}
}

func (p *parser) use() plan.Node {
	start := p.pos
	p.pos++
	if p.is("CATALOG") && p.peek(1).kind != tEOF {
		return p.generic(start, "USE CATALOG")
	}
	if p.isOne("SCHEMA", "DATABASE", "NAMESPACE") && p.peek(1).kind != tEOF && !p.opAt(1, ".") {
		p.pos++
	}
	if p.cur().kind == tString {
		return &plan.Use{Name: []string{p.stringLiteral()}}
	}
	return &plan.Use{Name: p.tableName()}
}

// explain reads EXPLAIN [mode] statement. ANALYZE is no mode of Spark's.
func (p *parser) explain() plan.Node {
	start := p.pos
	p.pos++
	if p.is("LOGICAL") {
		p.raise(start, "INVALID_STATEMENT_OR_CLAUSE", "operation", "EXPLAIN LOGICAL")
	}
	e := &plan.Explain{Mode: "simple"}
	if p.isOne("EXTENDED", "FORMATTED", "COST", "CODEGEN", "ANALYZE") {
		e.Mode = strings.ToLower(p.cur().upper)
		p.pos++
	}
	e.Input = p.statement()
	return e
}

func (p *parser) cache() plan.Node {
	c := &plan.Cache{Kind: strings.ToLower(p.cur().upper)}
	p.pos++
	switch c.Kind {
	case "clear":
		p.expect("CACHE")
		return c
	case "refresh":
		if p.is("FUNCTION") {
			return p.generic(p.pos-1, "REFRESH FUNCTION")
		}
		p.accept("TABLE")
		name, path := p.nameOrPath()
		if c.Name = name; name == nil {
			c.Name = []string{path}
		}
		return c
	case "uncache":
		p.expect("TABLE")
		c.IfExists = p.accept("IF", "EXISTS")
		start := p.pos
		c.Name = p.tableName()
		c.Origin = p.origin(start)
		return c
	}
	c.Lazy = p.accept("LAZY")
	p.expect("TABLE")
	start := p.pos
	c.Name = p.tableName()
	c.Origin = p.origin(start)
	if p.accept("OPTIONS") {
		c.Options = p.properties()
	}
	if p.accept("AS") || p.startsQuery() {
		c.Query = p.query()
	}
	return c
}

var setForm = regexp.MustCompile("(?s)^`?((?:[^`=\\s]|`)+?)`?\\s*(?:=\\s*(.*))?$")

// set reads SET and RESET, whose keys and values are plain text.
func (p *parser) set() plan.Node {
	start := p.pos
	reset := p.is("RESET")
	p.pos++
	if !reset && p.is("TIME", "ZONE") {
		return p.setTimeZone()
	}
	if !reset && p.isOne("VARIABLE", "VAR") && p.peek(1).kind != tEOF && !p.opAt(1, "=") && !p.opAt(1, ".") {
		p.pos++
		return p.setVariables(start)
	}
	if !reset && (p.isOne("ROLE", "CATALOG") && p.peek(1).kind != tEOF && !p.opAt(1, "=") && !p.opAt(1, ".")) {
		return p.generic(start, "SET "+p.cur().upper)
	}
	from := p.cur().start
	if p.cur().kind == tEOF {
		return &plan.Set{Reset: reset}
	}
	text := strings.TrimSpace(p.text[from:])
	text = strings.TrimSpace(strings.TrimRight(text, "; \n\t"))
	m := setForm.FindStringSubmatch(text)
	if m == nil || reset && strings.Contains(text, "=") {
		p.fail()
	}
	p.pos = len(p.toks) - 1
	s := &plan.Set{Key: m[1], Reset: reset}
	if strings.Contains(text, "=") {
		value := m[2]
		if len(value) >= 2 && value[0] == '`' && value[len(value)-1] == '`' {
			value = unquote(value)
		}
		s.Value = &value
	}
	return s
}

// setTimeZone reads SET TIME ZONE LOCAL | 'zone' | INTERVAL ….
func (p *parser) setTimeZone() plan.Node {
	start := p.pos
	p.pos += 2
	s := &plan.Set{Key: "spark.sql.session.timeZone"}
	switch {
	case p.accept("LOCAL"):
		s.Reset, s.Shown = true, true
		return s
	case p.cur().kind == tString:
		zone := p.stringLiteral()
		s.Value = &zone
		return s
	case p.is("INTERVAL"):
		e, _ := try(p, p.intervalLiteral)
		if l, ok := e.(*plan.Literal); ok {
			if zone, ok := offsetName(l); ok {
				s.Value = &zone
				return s
			}
			text := p.between(start + 3)
			p.raise(start, "INVALID_INTERVAL_FORMAT.TIMEZONE_INTERVAL_OUT_OF_RANGE", "input", strings.Fields(text + " ?")[0])
		}
	}
	p.raise(start, "_LEGACY_ERROR_TEMP_0045")
	return nil
}

// describe reads DESCRIBE of a table, its history or detail, a query, a function or a schema.
func (p *parser) describe() plan.Node {
	start := p.pos
	p.pos++
	d := &plan.Describe{Kind: "table"}
	switch {
	case p.isOne("HISTORY", "DETAIL") && p.peek(1).kind != tEOF:
		d.Kind = strings.ToLower(p.cur().upper)
		p.pos++
		d.Name, d.Path = p.nameOrPath()
		if p.accept("LIMIT") {
			n := p.signedInt()
			d.Limit = &n
		}
		return d
	case p.is("FUNCTION") && p.peek(1).kind != tEOF:
		p.pos++
		d.Kind, d.Extended = "function", p.accept("EXTENDED")
		d.Name = p.functionName()
		return d
	case p.isOne("SCHEMA", "DATABASE", "NAMESPACE") && p.peek(1).kind != tEOF:
		p.pos++
		d.Kind, d.Extended = "schema", p.accept("EXTENDED")
		d.Name = p.tableName()
		return d
	case p.is("CATALOG") && p.peek(1).kind != tEOF, p.is("PROCEDURE") && p.peek(1).kind != tEOF:
		return p.generic(start, "DESCRIBE "+p.cur().upper)
	}
	if query := p.accept("QUERY"); query || p.startsQuery() && !p.is("TABLE") {
		d.Kind, d.Query = "query", p.query()
		return d
	}
	return p.describeTable(d)
}

func (p *parser) describeTable(d *plan.Describe) plan.Node {
	p.accept("TABLE")
	if p.isOne("EXTENDED", "FORMATTED") && (p.peek(1).kind == tWord && p.peek(1).upper != "AS" || p.peek(1).kind == tQuoted) {
		p.pos, d.Extended = p.pos+1, true
	}
	start := p.pos
	d.Name, d.Path = p.nameOrPath()
	if p.is("PARTITION") && p.opAt(1, "(") {
		p.pos++
		d.Partition = p.partitionSpec()
		for key, value := range d.Partition {
			if value == nil {
				p.raise(start, "INVALID_SQL_SYNTAX.EMPTY_PARTITION_VALUE", "partKey", "`"+key+"`")
			}
		}
	}
	if p.accept("AS", "JSON") {
		if !d.Extended {
			p.raise(start, "DESCRIBE_JSON_NOT_EXTENDED", "tableName", strings.Join(d.Name, "."))
		}
		d.Kind = "json"
		return d
	}
	if p.isIdentifier() {
		d.Kind, d.Column = "column", p.qualifiedName()
		if p.is("AS", "JSON") {
			p.raise(start, "UNSUPPORTED_FEATURE.DESC_TABLE_COLUMN_JSON")
		}
	}
	return d
}

// functionName reads a function's name, which may be an operator or in quotes.
func (p *parser) functionName() []string {
	switch p.cur().kind {
	case tString:
		return []string{p.stringLiteral()}
	case tOp:
		p.pos++
		return []string{p.peek(-1).text}
	}
	return p.tableName()
}

// show reads the SHOW commands.
func (p *parser) show() plan.Node {
	start := p.pos
	p.pos++
	s := &plan.Show{}
	switch {
	case p.isOne("TABLES", "VIEWS", "SCHEMAS", "DATABASES", "NAMESPACES", "CATALOGS", "FUNCTIONS"):
		return p.showNames(s)
	case p.isOne("USER", "SYSTEM", "ALL") && p.peek(1).upper == "FUNCTIONS":
		s.Scope = strings.ToLower(p.cur().upper)
		p.pos++
		return p.showNames(s)
	case p.accept("TABLE", "EXTENDED"):
		s.Kind = "table extended"
		if p.accept("FROM") || p.accept("IN") {
			s.Name = p.tableName()
		}
		p.expect("LIKE")
		s.Pattern = p.stringLiteral()
		if p.accept("PARTITION") {
			s.Partition = p.partitionSpec()
		}
	case p.accept("COLUMNS"):
		s.Kind = "columns"
		p.from()
		s.Name = p.tableName()
		if p.accept("FROM") || p.accept("IN") {
			schema := p.tableName()
			if n := len(s.Name); n > 1 && !strings.EqualFold(s.Name[n-2], schema[len(schema)-1]) {
				p.raiseAnalysis("SHOW_COLUMNS_WITH_CONFLICT_NAMESPACE", "namespaceA", types.QuoteParts(schema...), "namespaceB", types.QuoteParts(s.Name[:n-1]...))
			}
			s.Name = append(schema, s.Name[len(s.Name)-1])
		}
	case p.accept("TBLPROPERTIES"):
		s.Kind, s.Name = "tblproperties", p.tableName()
		if p.acceptOp("(") {
			s.Pattern = p.propertyKey()
			p.expectOp(")")
		}
	case p.accept("CREATE", "TABLE"):
		s.Kind, s.Name = "create table", p.tableName()
		p.accept("AS", "SERDE")
	case p.accept("PARTITIONS"):
		s.Kind, s.Name = "partitions", p.tableName()
		if p.accept("PARTITION") {
			s.Partition = p.partitionSpec()
		}
	case p.is("CURRENT") && (p.peek(1).upper == "NAMESPACE" || p.peek(1).upper == "SCHEMA" || p.peek(1).upper == "DATABASE"):
		s.Kind = "current " + strings.ToLower(p.peek(1).upper)
		p.pos += 2
	case p.isOne("GRANT", "ROLES", "CACHED", "PROCEDURES", "INDEXES", "LOCKS", "TRANSACTIONS", "VARIABLES", "COLLATIONS"):
		return p.generic(start, "SHOW "+p.cur().upper)
	default:
		p.fail()
	}
	return s
}

func (p *parser) from() {
	if !p.accept("FROM") && !p.accept("IN") {
		p.fail()
	}
}

// showNames reads the kind of names to list, where, and their pattern.
func (p *parser) showNames(s *plan.Show) plan.Node {
	s.Kind = strings.ToLower(p.cur().upper)
	p.pos++
	if p.accept("FROM") || p.accept("IN") {
		s.Name = p.tableName()
	}
	like := p.accept("LIKE")
	switch {
	case p.cur().kind == tString:
		s.Pattern = p.stringLiteral()
	case s.Kind == "functions" && p.isIdentifier():
		parts := p.qualifiedName()
		if n := len(parts) - 1; n > 0 {
			s.Name = parts[:n]
		}
		s.Pattern = parts[len(parts)-1]
	case like:
		p.fail()
	}
	return s
}
