package sql

import "millrace/plan"

// maintenance finds the rule of a statement that tends a table, by its first words.
func (p *parser) maintenance() func(*parser) plan.Node {
	switch {
	case p.is("CONVERT", "TO", "DELTA"):
		return (*parser).convert
	case p.is("REORG", "TABLE"):
		return (*parser).reorg
	case p.is("GENERATE") && (p.peek(1).kind == tWord || p.peek(1).kind == tQuoted) && p.peek(2).upper == "FOR":
		return (*parser).generate
	case p.is("COMMENT", "ON", "TABLE"):
		return (*parser).commentOnTable
	case p.is("COMMENT", "ON", "COLUMN"):
		return (*parser).commentOnColumn
	case p.is("COMMENT", "ON", "SCHEMA"), p.is("COMMENT", "ON", "DATABASE"), p.is("COMMENT", "ON", "NAMESPACE"):
		return (*parser).commentOnSchema
	case p.is("MSCK", "REPAIR", "TABLE"):
		return (*parser).repair
	}
	return nil
}

// convert reads CONVERT TO DELTA name [NO STATISTICS] [PARTITIONED BY (columns)].
func (p *parser) convert() plan.Node {
	p.pos += 3
	name, path := p.nameOrPath()
	if name == nil {
		name = []string{"parquet", path}
	}
	args := map[string]any{"name": name}
	without := p.accept("NO", "STATISTICS")
	if p.accept("PARTITIONED", "BY") {
		args["partitions"] = schemaOf(parens(p, p.columnDef))
	}
	if p.accept("NO", "STATISTICS") || without {
		args["noStatistics"] = true
	}
	return &plan.Generic{Name: "delta.convert", Args: args}
}

// reorg reads REORG TABLE name [WHERE …] APPLY (PURGE).
func (p *parser) reorg() plan.Node {
	start := p.pos
	p.pos += 2
	o := &plan.Optimize{Purge: true}
	o.Name, o.Path = p.nameOrPath()
	if p.accept("WHERE") {
		o.Where = p.expression()
	}
	p.expect("APPLY")
	if !p.isOp("(") || p.peek(1).upper != "PURGE" {
		return p.generic(start, "REORG TABLE … APPLY (UPGRADE UNIFORM)")
	}
	p.expectOp("(")
	p.expect("PURGE")
	p.expectOp(")")
	return o
}

// generate reads GENERATE mode FOR TABLE name.
func (p *parser) generate() plan.Node {
	p.pos++
	mode := p.name()
	p.expect("FOR")
	p.expect("TABLE")
	name, path := p.nameOrPath()
	return &plan.Generic{Name: "delta.generate", Args: map[string]any{"mode": mode, "name": name, "path": path}}
}

// comment reads IS 'text' | NULL.
func (p *parser) comment() string {
	p.expect("IS")
	if p.accept("NULL") {
		return ""
	}
	return p.stringLiteral()
}

func (p *parser) commentOnTable() plan.Node {
	p.pos += 3
	name := p.tableName()
	return &plan.AlterTable{Name: name, Actions: []plan.AlterAction{{Kind: "set properties", Properties: map[string]string{"comment": p.comment()}}}}
}

func (p *parser) commentOnSchema() plan.Node {
	p.pos += 3
	n := &plan.AlterNamespace{Name: p.tableName()}
	text := p.comment()
	n.Comment = &text
	return n
}

// repair reads MSCK REPAIR TABLE name [{ADD | DROP | SYNC} PARTITIONS].
func (p *parser) repair() plan.Node {
	p.pos += 3
	a := &plan.AlterTable{Name: p.tableName(), Actions: []plan.AlterAction{{Kind: "recover partitions"}}}
	if p.isOne("ADD", "DROP", "SYNC") {
		p.pos++
		p.expect("PARTITIONS")
	}
	return a
}

func (p *parser) commentOnColumn() plan.Node {
	p.pos += 3
	parts := p.qualifiedName()
	n := len(parts) - 1
	if n < 1 {
		p.fail()
	}
	text := p.comment()
	return &plan.AlterTable{Name: parts[:n], Actions: []plan.AlterAction{{Kind: "alter column", Column: parts[n:], Comment: &text}}}
}
