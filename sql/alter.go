package sql

import (
	"fmt"
	"strings"

	"millrace/javatime"
	"millrace/plan"
	"millrace/types"
)

// offsetName is the zone that a day-time interval of less than a day is.
func offsetName(l *plan.Literal) (string, bool) {
	micros, ok := l.Value.(int64)
	if !ok || l.T.Kind != types.KindDayTime || micros%javatime.MicrosPerSecond != 0 ||
		micros > 18*javatime.MicrosPerHour || micros < -18*javatime.MicrosPerHour {
		return "", false
	}
	sign := '+'
	if micros < 0 {
		sign, micros = '-', -micros
	}
	s := micros / javatime.MicrosPerSecond
	name := fmt.Sprintf("%c%02d:%02d", sign, s/3600, s/60%60)
	if s%60 != 0 {
		name += fmt.Sprintf(":%02d", s%60)
	}
	return name, true
}

// alter reads ALTER TABLE and ALTER VIEW; other ALTERs are only named.
func (p *parser) alter() plan.Node {
	start := p.pos
	p.pos++
	a := &plan.AlterTable{View: p.is("VIEW")}
	if !a.View && !p.is("TABLE") {
		if p.isOne("SCHEMA", "DATABASE", "NAMESPACE") {
			return p.alterNamespace(start)
		}
		if p.isOne("FUNCTION", "MATERIALIZED", "STREAMING", "CATALOG", "ROLE") {
			return p.generic(start, "ALTER "+p.cur().upper)
		}
		p.fail()
	}
	p.pos++
	a.Name = p.tableName()
	if p.is("PARTITION") && p.opAt(1, "(") {
		return p.generic(start, "ALTER TABLE PARTITION")
	}
	if p.isOne("SET", "UNSET") && (p.peek(1).upper == "SERDE" || p.peek(1).upper == "SERDEPROPERTIES") {
		return p.generic(start, "ALTER TABLE "+p.cur().upper)
	}
	switch {
	case p.accept("ADD"):
		a.Actions = p.alterAdd()
	case p.accept("DROP"):
		a.Actions = []plan.AlterAction{p.alterDrop()}
	case p.accept("RENAME"):
		a.Actions = []plan.AlterAction{p.alterRename()}
	case p.accept("SET"):
		a.Actions = []plan.AlterAction{p.alterSet()}
	case p.accept("UNSET"):
		p.expect("TBLPROPERTIES")
		u := plan.AlterAction{Kind: "unset properties", IfExists: p.accept("IF", "EXISTS")}
		u.Keys = parens(p, p.propertyKey)
		a.Actions = []plan.AlterAction{u}
	case p.is("ALTER"), p.is("CHANGE"):
		a.Actions = p.alterColumns()
	case p.accept("REPLACE", "COLUMNS"):
		r := plan.AlterAction{Kind: "replace columns", Columns: p.columnDefs(nil)}
		a.Actions = []plan.AlterAction{r}
	case p.accept("CLUSTER", "BY"):
		a.Actions = []plan.AlterAction{{Kind: "cluster by", Keys: p.clusterColumns()}}
	case p.accept("RECOVER", "PARTITIONS"):
		a.Actions = []plan.AlterAction{{Kind: "recover partitions"}}
	case a.View && p.is("WITH", "SCHEMA"):
		at := p.pos
		mode := p.viewMode()
		a.Actions = []plan.AlterAction{{Kind: "schema mode", To: mode, Origin: p.origin(at)}}
	case a.View && (p.accept("AS") || p.startsQuery()):
		v := &plan.CreateView{Name: a.Name, Alter: true, Replace: true}
		at := p.pos
		v.Query = p.query()
		v.Text = p.between(at)
		return v
	case !a.View && p.accept("DEFAULT", "COLLATION"):
		a.Actions = []plan.AlterAction{{Kind: "default collation", To: p.defaultCollation()}}
	case p.isOne("WITH", "DEFAULT"):
		return p.generic(start, "ALTER TABLE "+p.cur().upper)
	default:
		p.fail()
	}
	return a
}

// alterNamespace reads ALTER SCHEMA name SET …, UNSET … or DEFAULT COLLATION ….
func (p *parser) alterNamespace(start int) plan.Node {
	p.pos++
	n := &plan.AlterNamespace{Name: p.tableName()}
	switch {
	case p.accept("SET", "DBPROPERTIES"), p.accept("SET", "PROPERTIES"):
		n.Properties = p.properties()
	case p.accept("UNSET", "DBPROPERTIES"), p.accept("UNSET", "PROPERTIES"):
		p.accept("IF", "EXISTS")
		n.Unset = parens(p, p.propertyKey)
	case p.accept("SET", "LOCATION"):
		n.Location = p.stringLiteral()
	case p.accept("DEFAULT", "COLLATION"):
		n.Collation = p.defaultCollation()
	default:
		return p.generic(start, "ALTER SCHEMA")
	}
	return n
}

// columnDefs reads columns in or out of parentheses; full names go to each.
func (p *parser) columnDefs(each func(path []string, c *plan.ColumnDef)) []plan.ColumnDef {
	one := func() plan.ColumnDef {
		path := p.qualifiedName()
		c := plan.ColumnDef{Name: path[len(path)-1], Nullable: true}
		p.acceptOp(":")
		c.Type = p.dataType()
		for p.columnClause(&c) {
		}
		if each != nil {
			each(path, &c)
		}
		return c
	}
	if p.isOp("(") {
		return parens(p, one)
	}
	return list(p, one)
}

// alterAdd reads ADD COLUMN(S), CONSTRAINT or PARTITION. One action a column, so that each has its place.
func (p *parser) alterAdd() []plan.AlterAction {
	switch {
	case p.accept("CONSTRAINT"):
		a := plan.AlterAction{Kind: "add constraint", To: p.name()}
		if p.isOne("PRIMARY", "FOREIGN", "UNIQUE") {
			p.tableConstraint()
			return []plan.AlterAction{{Kind: "add key", To: a.To}}
		}
		p.expect("CHECK")
		p.expectOp("(")
		start := p.pos
		p.expression()
		a.Check = p.spaced(start)
		p.expectOp(")")
		for p.accept("NOT", "ENFORCED") || p.accept("ENFORCED") {
		}
		return []plan.AlterAction{a}
	case p.is("PARTITION") && p.opAt(1, "("), p.is("IF", "NOT", "EXISTS", "PARTITION"):
		a := plan.AlterAction{Kind: "add partition", IfExists: p.accept("IF", "NOT", "EXISTS")}
		for p.accept("PARTITION") {
			a.Partitions = append(a.Partitions, p.partitionSpec())
			if p.accept("LOCATION") {
				a.To = p.stringLiteral()
			}
			p.acceptOp(",")
		}
		return []plan.AlterAction{a}
	}
	if !p.accept("COLUMNS") {
		p.accept("COLUMN")
	}
	var actions []plan.AlterAction
	p.accept("IF", "NOT", "EXISTS")
	p.columnDefs(func(path []string, c *plan.ColumnDef) {
		a := plan.AlterAction{Kind: "add columns", Column: path, Paths: [][]string{path}}
		p.place(&a)
		for p.columnClause(c) { // COMMENT may come after the place
		}
		a.Columns = []plan.ColumnDef{*c}
		actions = append(actions, a)
	})
	return actions
}

// spaced is the text since a token with one space between tokens, as Delta keeps conditions.
func (p *parser) spaced(start int) string {
	words := make([]string, 0, p.pos-start)
	for _, t := range p.toks[start:p.pos] {
		words = append(words, p.text[t.start:t.end])
	}
	return strings.Join(words, " ")
}

// place reads FIRST or AFTER column.
func (p *parser) place(a *plan.AlterAction) {
	switch {
	case p.accept("FIRST"):
		a.First = true
	case p.accept("AFTER"):
		a.After = p.name()
	}
}

func (p *parser) alterDrop() plan.AlterAction {
	switch {
	case p.accept("CONSTRAINT"):
		a := plan.AlterAction{Kind: "drop constraint", IfExists: p.accept("IF", "EXISTS"), To: ""}
		a.To = p.name()
		p.accept("CASCADE")
		p.accept("RESTRICT")
		return a
	case p.accept("FEATURE"):
		a := plan.AlterAction{Kind: "drop feature"}
		if p.cur().kind == tString {
			a.To = p.stringLiteral()
		} else {
			a.To = p.name()
		}
		a.Purge = p.accept("TRUNCATE", "HISTORY")
		return a
	case p.is("PARTITION"), p.is("IF", "EXISTS", "PARTITION"):
		a := plan.AlterAction{Kind: "drop partition", IfExists: p.accept("IF", "EXISTS")}
		for p.accept("PARTITION") {
			a.Partitions = append(a.Partitions, p.partitionSpec())
			p.acceptOp(",")
		}
		p.accept("PURGE")
		return a
	}
	if !p.accept("COLUMNS") {
		p.expect("COLUMN")
	}
	a := plan.AlterAction{Kind: "drop columns", IfExists: p.accept("IF", "EXISTS")}
	if p.isOp("(") {
		a.Paths = parens(p, p.qualifiedName)
	} else {
		a.Paths = list(p, p.qualifiedName)
	}
	return a
}

func (p *parser) alterRename() plan.AlterAction {
	if p.accept("COLUMN") {
		a := plan.AlterAction{Kind: "rename column", Column: p.qualifiedName()}
		p.expect("TO")
		a.To = p.name()
		return a
	}
	p.expect("TO")
	return plan.AlterAction{Kind: "rename", Column: p.tableName()}
}

func (p *parser) alterSet() plan.AlterAction {
	switch {
	case p.accept("TBLPROPERTIES"):
		return plan.AlterAction{Kind: "set properties", Properties: p.properties()}
	case p.accept("LOCATION"):
		return plan.AlterAction{Kind: "set location", To: p.stringLiteral()}
	}
	p.fail()
	return plan.AlterAction{}
}

// alterColumns reads ALTER COLUMN a …, b … and CHANGE COLUMN a [a type] ….
func (p *parser) alterColumns() []plan.AlterAction {
	change := p.is("CHANGE")
	p.pos++
	p.accept("COLUMN")
	if change {
		return []plan.AlterAction{p.changeColumn()}
	}
	return list(p, func() plan.AlterAction {
		a := plan.AlterAction{Kind: "alter column", Column: p.qualifiedName()}
		start := p.pos
		for p.columnChange(&a) {
		}
		if p.pos == start {
			p.raise(start-1, "_LEGACY_ERROR_TEMP_0035", "message", "ALTER TABLE table ALTER COLUMN requires a TYPE, a SET/DROP, a COMMENT, or a FIRST/AFTER")
		}
		return a
	})
}

// changeColumn reads Hive's CHANGE a [newname type] [COMMENT 'x'] [FIRST | AFTER b].
func (p *parser) changeColumn() plan.AlterAction {
	a := plan.AlterAction{Kind: "alter column", Change: true, Column: p.qualifiedName()}
	start := p.pos
	if p.isIdentifier() && !p.isOne("COMMENT", "FIRST", "AFTER", "SET", "DROP", "TYPE") {
		c := p.columnDef()
		a.Type = c.Type
		if !strings.EqualFold(c.Name, a.Column[len(a.Column)-1]) {
			a.To = c.Name
		}
		if c.Comment != "" {
			a.Comment = &c.Comment
		}
	}
	for p.columnChange(&a) {
	}
	if p.pos == start {
		p.raise(start-1, "_LEGACY_ERROR_TEMP_0035", "message", "ALTER TABLE table CHANGE COLUMN requires a TYPE, a SET/DROP, a COMMENT, or a FIRST/AFTER")
	}
	return a
}

func (p *parser) columnChange(a *plan.AlterAction) bool {
	yes, no, none := true, false, ""
	switch {
	case p.accept("TYPE"):
		a.Type = p.dataType()
	case p.accept("COMMENT"):
		c := p.stringLiteral()
		a.Comment = &c
	case p.accept("SET", "NOT", "NULL"):
		a.NotNull = &yes
	case p.accept("DROP", "NOT", "NULL"):
		a.NotNull = &no
	case p.accept("SET", "DEFAULT"):
		start := p.pos
		p.expression()
		text := p.between(start)
		a.Default = &text
	case p.accept("DROP", "DEFAULT"):
		a.Default = &none
	case p.isOne("FIRST", "AFTER"):
		p.place(a)
	default:
		return false
	}
	return true
}
