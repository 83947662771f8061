package sql

import (
	"strconv"
	"strings"

	"millrace/collation"
	"millrace/plan"
	"millrace/types"
)

// create reads what follows CREATE, REPLACE or CREATE OR REPLACE.
func (p *parser) create() plan.Node {
	start := p.pos
	create := p.accept("CREATE")
	replace := p.accept("REPLACE")
	if create {
		replace = p.accept("OR", "REPLACE")
	}
	global := p.accept("GLOBAL")
	temp := p.accept("TEMPORARY") || p.accept("TEMP")
	switch {
	case p.accept("VIEW"):
		return p.createView(start, &plan.CreateView{Temp: temp, Global: global, Replace: replace})
	case temp && p.is("TABLE"):
		p.unsupported("CREATE TEMPORARY TABLE is not supported; use CREATE TEMPORARY VIEW")
	case p.accept("EXTERNAL", "TABLE"), p.accept("TABLE"):
		return p.createTable(start, &plan.CreateTable{Replace: replace, OrCreate: create && replace})
	case p.isOne("SCHEMA", "DATABASE", "NAMESPACE"):
		p.pos++
		return p.createNamespace()
	case p.is("FUNCTION"):
		return p.createFunction(start, &plan.CreateFunction{Temp: temp, Replace: replace})
	case p.isOne("VARIABLE", "MATERIALIZED", "STREAMING", "CATALOG", "FLOW", "EXTERNAL", "PRIVATE", "ROLE", "INDEX", "PROCEDURE") || global || temp:
		return p.generic(start, "CREATE "+p.cur().upper)
	}
	p.fail()
	return nil
}

func (p *parser) createView(start int, v *plan.CreateView) plan.Node {
	v.IfNotExists = p.accept("IF", "NOT", "EXISTS")
	v.Name = p.tableName()
	if p.isOp("(") {
		v.Columns = parens(p, func() plan.ColumnDef {
			if k := p.peek(1); k.kind == tOp || k.upper == "COMMENT" {
				c := plan.ColumnDef{Name: p.name(), Nullable: true}
				if p.accept("COMMENT") {
					c.Comment = p.stringLiteral()
				}
				return c
			}
			return p.columnDef()
		})
	}
	if v.Temp && p.accept("USING") {
		return p.viewUsing(v)
	}
	once := p.once(start)
	for p.viewClause(v, once) {
	}
	p.expect("AS")
	at := p.pos
	v.Query = p.query()
	v.Text = p.between(at)
	switch {
	case v.Temp && v.IfNotExists:
		p.raise(start, "_LEGACY_ERROR_TEMP_0053")
	case v.Temp && v.Properties != nil:
		p.raise(start, "_LEGACY_ERROR_TEMP_0035", "message", "TBLPROPERTIES can't coexist with CREATE TEMPORARY VIEW")
	case v.Temp && v.Mode != "":
		p.raise(start, "UNSUPPORTED_FEATURE.TEMPORARY_VIEW_WITH_SCHEMA_BINDING_MODE")
	case v.IfNotExists && v.Replace:
		p.raise(start, "CREATE_VIEW_WITH_IF_NOT_EXISTS_AND_REPLACE", "viewName", strings.Join(v.Name, "."))
	}
	return v
}

// once refuses a clause that a statement has already.
func (p *parser) once(start int) func(name string) {
	seen := map[string]bool{}
	return func(name string) {
		if seen[name] {
			p.raise(start, "DUPLICATE_CLAUSES", "clauseName", name)
		}
		seen[name] = true
	}
}

// viewClause reads a clause before a view's query.
func (p *parser) viewClause(v *plan.CreateView, once func(string)) bool {
	switch start := p.pos; {
	case p.accept("COMMENT"):
		v.Comment = p.stringLiteral()
		once("COMMENT")
	case p.accept("TBLPROPERTIES"):
		v.Properties = p.properties()
		once("TBLPROPERTIES")
	case p.accept("DEFAULT", "COLLATION"):
		v.Collation = p.defaultCollation()
		once("DEFAULT COLLATION")
	case p.is("WITH", "SCHEMA"):
		v.Mode = p.viewMode()
		v.ModeOrigin = p.origin(start)
		once("WITH SCHEMA")
	default:
		return false
	}
	return true
}

// viewMode reads WITH SCHEMA and what becomes of a view when the tables below it change.
func (p *parser) viewMode() string {
	p.expect("WITH", "SCHEMA")
	switch {
	case p.accept("TYPE", "EVOLUTION"):
		return "TYPE EVOLUTION"
	case p.isOne("BINDING", "COMPENSATION", "EVOLUTION"):
		p.pos++
		return p.peek(-1).upper
	}
	p.fail()
	return ""
}

// defaultCollation reads the collation of strings of which nothing else is said.
func (p *parser) defaultCollation() string {
	if name := p.collation(p.pos); name != "" {
		return name
	}
	return collation.Binary
}

// viewUsing reads USING format [OPTIONS (…)] of a temporary view over files.
func (p *parser) viewUsing(v *plan.CreateView) plan.Node {
	src := &plan.UnresolvedSource{Format: strings.Join(p.qualifiedName(), "."), Options: map[string]string{}}
	if p.accept("OPTIONS") {
		src.Options = p.properties()
	}
	if len(v.Columns) > 0 {
		src.Schema = schemaOf(v.Columns)
		v.Columns = nil
	}
	v.Query = src
	return v
}

func schemaOf(columns []plan.ColumnDef) *types.Type {
	t := types.Struct()
	for _, c := range columns {
		f := types.Field{Name: c.Name, Type: c.Type, Nullable: c.Nullable}
		if c.Comment != "" {
			f.Metadata = commentMetadata(c.Comment)
		}
		t.Fields = append(t.Fields, f)
	}
	return t
}

func (p *parser) createTable(start int, t *plan.CreateTable) plan.Node {
	t.IfNotExists = p.accept("IF", "NOT", "EXISTS")
	t.Name = p.tableName()
	if p.isOne("LIKE", "CLONE") || p.is("SHALLOW", "CLONE") || p.is("DEEP", "CLONE") {
		return p.createLike(start, t)
	}
	if p.isOp("(") && !p.queryInParens() {
		p.tableElements(t)
	}
	if p.accept("USING") {
		t.Provider = strings.Join(p.qualifiedName(), ".")
	}
	once := p.once(start)
	for p.tableClause(t, once) {
	}
	switch {
	case t.ClusterBy != nil && len(t.PartitionBy) > 0:
		p.raise(start, "_LEGACY_ERROR_TEMP_0035", "message", "Clustering and partitioning cannot both be specified. Please remove PARTITIONED BY if you want to create a Delta table with clustering")
	case t.ClusterBy != nil && t.Buckets > 0:
		p.raise(start, "SPECIFY_CLUSTER_BY_WITH_BUCKETING_IS_NOT_ALLOWED")
	}
	if t.Collation != "" && p.conf.Collation != t.Collation {
		return p.again(start, t.Collation)
	}
	if p.accept("AS") || p.startsQuery() {
		t.Query = p.query()
	}
	return t
}

// again reads a CREATE statement once more, with the collation of strings that it gives.
func (p *parser) again(start int, name string) plan.Node {
	before := p.conf
	defer func() { p.conf = before }()
	c := *before
	c.Collation = name
	p.conf, p.pos = &c, start
	return p.create()
}

// createLike reads LIKE source, or [SHALLOW | DEEP] CLONE source [AS OF …], and the clauses after it.
func (p *parser) createLike(start int, t *plan.CreateTable) plan.Node {
	if !p.accept("LIKE") {
		t.Clone = "deep"
		if p.accept("SHALLOW") {
			t.Clone = "shallow"
		} else {
			p.accept("DEEP")
		}
		p.expect("CLONE")
	}
	name, path := p.nameOrPath()
	if t.Like = name; name == nil {
		t.Like = []string{"delta", path}
	}
	if t.Clone != "" {
		t.LikeTravel = p.travel()
	}
	if p.accept("USING") {
		t.Provider = strings.Join(p.qualifiedName(), ".")
	}
	once := p.once(start)
	for p.tableClause(t, once) {
	}
	return t
}

// tableElements reads (columns and constraints).
func (p *parser) tableElements(t *plan.CreateTable) {
	parens(p, func() bool {
		if p.isConstraint() {
			p.tableConstraint()
		} else {
			t.Columns = append(t.Columns, p.columnDef())
		}
		return true
	})
}

func (p *parser) isConstraint() bool {
	return p.is("CONSTRAINT") && p.peek(2).kind == tWord || p.is("CHECK") && p.opAt(1, "(") || p.is("PRIMARY", "KEY") ||
		p.is("UNIQUE") && p.opAt(1, "(") || p.is("FOREIGN", "KEY")
}

// tableConstraint reads a constraint. Keys are informational and dropped; a check would have to be enforced, so that it must be
// added by ALTER TABLE, as Delta wants it.
func (p *parser) tableConstraint() {
	if p.accept("CONSTRAINT") {
		p.name()
	}
	switch {
	case p.accept("CHECK"):
		p.unsupported("CHECK constraints in CREATE TABLE are not supported; use ALTER TABLE … ADD CONSTRAINT")
	case p.accept("PRIMARY", "KEY"), p.accept("UNIQUE"):
		if p.isOp("(") {
			p.identifierList()
		}
	case p.accept("FOREIGN", "KEY"):
		p.identifierList()
		p.references()
	case p.is("REFERENCES"):
		p.references()
	default:
		p.fail()
	}
	for p.accept("NOT", "ENFORCED") || p.accept("ENFORCED") || p.accept("RELY") || p.accept("NORELY") {
	}
}

func (p *parser) references() {
	p.expect("REFERENCES")
	p.qualifiedName()
	if p.isOp("(") {
		p.identifierList()
	}
}

// tableClause reads one clause of CREATE TABLE after the columns.
func (p *parser) tableClause(t *plan.CreateTable, once func(string)) bool {
	switch {
	case p.accept("OPTIONS"):
		t.Options = p.properties()
		once("OPTIONS")
	case p.accept("PARTITIONED", "BY"):
		p.partitionedBy(t)
		once("PARTITIONED BY")
	case p.accept("CLUSTER", "BY"):
		t.ClusterBy = p.clusterColumns()
		once("CLUSTER BY")
	case p.accept("LOCATION"):
		t.Location = p.stringLiteral()
		once("LOCATION")
	case p.accept("COMMENT"):
		t.Comment = p.stringLiteral()
		once("COMMENT")
	case p.accept("TBLPROPERTIES"):
		t.Properties = p.properties()
		once("TBLPROPERTIES")
	case p.accept("DEFAULT", "COLLATION"):
		t.Collation = p.defaultCollation()
		once("DEFAULT COLLATION")
	case p.accept("CLUSTERED", "BY"):
		p.bucketSpec(t)
		once("CLUSTERED BY")
	case p.is("SKEWED", "BY"), p.is("ROW", "FORMAT"), p.is("STORED", "AS"), p.is("STORED", "BY"):
		p.unsupported("%s %s (Hive tables) is not supported", p.cur().upper, p.peek(1).upper)
	default:
		return false
	}
	return true
}

// bucketSpec reads (columns) [SORTED BY (columns)] INTO n BUCKETS.
func (p *parser) bucketSpec(t *plan.CreateTable) {
	start := p.pos
	t.BucketBy = p.identifierList()
	if p.accept("SORTED", "BY") {
		t.SortBy = parens(p, func() string {
			name := p.name()
			if !p.accept("ASC") && p.is("DESC") {
				p.raise(start, "_LEGACY_ERROR_TEMP_0035", "message", "Column ordering must be ASC, was 'DESC'")
			}
			return name
		})
	}
	p.expect("INTO")
	t.Buckets = p.size()
	p.expect("BUCKETS")
}

// partitionedBy reads (a, b), or (a INT, b STRING), which also declares the columns.
func (p *parser) partitionedBy(t *plan.CreateTable) {
	parens(p, func() bool {
		switch next := p.peek(1); {
		case p.opAt(1, "("):
			p.unsupported("PARTITIONED BY %s(…): partition transforms are not supported", p.cur().text)
		case next.kind == tWord:
			c := p.columnDef()
			t.Columns = append(t.Columns, c)
			t.PartitionBy = append(t.PartitionBy, c.Name)
		default:
			t.PartitionBy = append(t.PartitionBy, strings.Join(p.qualifiedName(), "."))
		}
		return true
	})
}

// clusterColumns reads (a, b.c), AUTO or NONE; each column is its parts joined by dots.
func (p *parser) clusterColumns() []string {
	if p.accept("AUTO") || p.accept("NONE") || p.isOp("(") && p.opAt(1, ")") {
		if p.acceptOp("(") {
			p.pos++
		}
		return []string{}
	}
	return parens(p, func() string { return strings.Join(p.qualifiedName(), ".") })
}

// columnDef reads name type and what the column is declared to be.
func (p *parser) columnDef() plan.ColumnDef {
	c := plan.ColumnDef{Name: p.name(), Nullable: true}
	p.acceptOp(":")
	c.Type = p.dataType()
	for p.columnClause(&c) {
	}
	return c
}

func (p *parser) columnClause(c *plan.ColumnDef) bool {
	switch {
	case p.accept("NOT", "NULL"):
		c.Nullable = false
	case p.accept("COMMENT"):
		c.Comment = p.stringLiteral()
	case p.accept("DEFAULT"):
		start := p.pos
		p.withoutCollation(p.expression())
		c.Default = p.between(start)
	case p.is("GENERATED"):
		p.pos++
		p.generated(c)
	case p.isOne("PRIMARY", "UNIQUE", "REFERENCES", "CONSTRAINT", "CHECK", "FOREIGN"):
		p.tableConstraint()
	default:
		return false
	}
	return true
}

// withoutCollation refuses an expression that is kept as text, to be read again without a default collation, if that would make it another one.
func (p *parser) withoutCollation(e plan.Expr) {
	if _, literal := e.(*plan.Literal); literal || p.conf.Collation == "" || p.conf.Collation == collation.Binary {
		return
	}
	plan.WalkExpr(e, func(e plan.Expr) bool {
		l, literal := e.(*plan.Literal)
		c, cast := e.(*plan.Cast)
		if literal && l.T.Kind == types.KindString || cast && c.To.Collation != "" {
			p.unsupported("an expression of strings as a column's default or rule under DEFAULT COLLATION is not supported")
		}
		return true
	})
}

// generated reads ALWAYS AS (expression), or ALWAYS | BY DEFAULT AS IDENTITY.
func (p *parser) generated(c *plan.ColumnDef) {
	explicit := p.accept("BY", "DEFAULT")
	if !explicit {
		p.expect("ALWAYS")
	}
	p.expect("AS")
	if !p.accept("IDENTITY") {
		p.expectOp("(")
		start := p.pos
		p.withoutCollation(p.expression())
		c.Generated = p.between(start)
		p.expectOp(")")
		return
	}
	c.Identity = &plan.Identity{Start: 1, Step: 1, AllowExplicit: explicit}
	if !p.acceptOp("(") {
		return
	}
	for !p.acceptOp(")") {
		switch {
		case p.accept("START", "WITH"):
			c.Identity.Start = p.signedInt()
		case p.accept("INCREMENT", "BY"):
			c.Identity.Step = p.signedInt()
		default:
			p.fail()
		}
		p.acceptOp(",")
	}
}

func (p *parser) signedInt() int64 {
	sign := p.sign()
	n, err := strconv.ParseInt(sign+p.cur().text, 10, 64)
	if err != nil || p.cur().kind != tInt {
		p.fail()
	}
	p.pos++
	return n
}

func (p *parser) createNamespace() plan.Node {
	n := &plan.CreateNamespace{IfNotExists: p.accept("IF", "NOT", "EXISTS"), Name: nil}
	n.Name = p.tableName()
	for {
		switch {
		case p.accept("COMMENT"):
			n.Comment = p.stringLiteral()
		case p.accept("LOCATION"):
			n.Location = p.stringLiteral()
		case p.accept("WITH", "DBPROPERTIES"), p.accept("WITH", "PROPERTIES"):
			n.Properties = p.properties()
		case p.accept("DEFAULT", "COLLATION"):
			n.Collation = p.defaultCollation()
		default:
			return n
		}
	}
}

// drop reads DROP TABLE | VIEW | SCHEMA.
func (p *parser) drop() plan.Node {
	start := p.pos
	p.pos++
	d := &plan.Drop{}
	switch {
	case p.accept("TABLE"):
		d.Kind = "table"
	case p.accept("VIEW"):
		d.Kind = "view"
	case p.accept("SCHEMA"), p.accept("DATABASE"), p.accept("NAMESPACE"):
		d.Kind = "schema"
	case p.is("FUNCTION"), p.isOne("TEMPORARY", "TEMP") && p.peek(1).upper == "FUNCTION":
		f := &plan.DropFunction{Temp: !p.is("FUNCTION")}
		if p.pos++; f.Temp {
			p.pos++
		}
		f.IfExists = p.accept("IF", "EXISTS")
		f.Name = p.tableName()
		return f
	case p.isOne("TEMPORARY", "TEMP") && (p.peek(1).upper == "VARIABLE" || p.peek(1).upper == "VAR"):
		v := &plan.DropVariable{}
		p.pos += 2
		v.IfExists = p.accept("IF", "EXISTS")
		at := p.pos
		v.Name = p.tableName()
		v.Origin = p.origin(at)
		return v
	case p.isOne("TEMPORARY", "TEMP", "VARIABLE", "CATALOG", "MATERIALIZED", "BLOOMFILTER", "INDEX", "PROCEDURE"):
		return p.generic(start, "DROP "+p.cur().upper)
	default:
		p.fail()
	}
	d.IfExists = p.accept("IF", "EXISTS")
	d.Name = p.tableName()
	switch {
	case p.accept("PURGE"):
		d.Purge = true
	case p.accept("CASCADE"):
		d.Cascade = true
	case p.accept("RESTRICT"):
	}
	return d
}
