package sql

import (
	"slices"
	"strings"

	"millrace/plan"
	"millrace/types"
)

// createFunction reads [IF NOT EXISTS] name (parameters) [RETURNS …] characteristics RETURN body.
func (p *parser) createFunction(start int, f *plan.CreateFunction) plan.Node {
	p.pos++
	f.IfNotExists = p.accept("IF", "NOT", "EXISTS")
	if f.IfNotExists && f.Replace {
		p.raise(start, "INVALID_SQL_SYNTAX.CREATE_ROUTINE_WITH_IF_NOT_EXISTS_AND_REPLACE")
	}
	if f.IfNotExists && f.Temp {
		p.raise(start, "INVALID_SQL_SYNTAX.CREATE_TEMP_FUNC_WITH_IF_NOT_EXISTS")
	}
	f.Name = p.tableName()
	if p.is("AS") {
		return p.generic(start, "CREATE FUNCTION")
	}
	p.expectOp("(")
	if !p.isOp(")") {
		f.Params = list(p, func() plan.FunctionParam { return p.functionParam(start) })
	}
	p.expectOp(")")
	if p.accept("RETURNS") {
		p.functionResult(start, f)
	}
	for p.characteristic(f) {
	}
	if f.Collation != "" && p.conf.Collation != f.Collation {
		return p.again(start, f.Collation)
	}
	p.expect("RETURN")
	at := p.pos
	if q, ok := try(p, p.functionQuery); ok {
		f.Query = q
	} else {
		f.Body = p.expression()
	}
	f.BodyText, f.Text = p.between(at), p.between(start)
	if f.Table && f.Query == nil {
		p.raise(start, "USER_DEFINED_FUNCTIONS.SQL_TABLE_UDF_BODY_MUST_BE_A_QUERY", "name", types.QuoteParts(f.Name...))
	}
	p.distinctNames(start, f)
	all := []*types.Type{f.Returns}
	for _, c := range f.Params {
		all = append(all, c.Type)
	}
	for _, c := range f.Columns {
		all = append(all, c.Type)
	}
	if slices.ContainsFunc(all, sizedString) {
		p.raise(start, "UNSUPPORTED_CHAR_OR_VARCHAR_AS_STRING")
	}
	return f
}

// sizedString reports whether a type is, or holds, a CHAR or VARCHAR.
func sizedString(t *types.Type) bool {
	if t == nil {
		return false
	}
	return t.Kind == types.KindString && t.Length > 0 || sizedString(t.Elem) || sizedString(t.Key) ||
		slices.ContainsFunc(t.Fields, func(f types.Field) bool { return sizedString(f.Type) })
}

// functionQuery reads a body that is a query to its end.
func (p *parser) functionQuery() plan.Node {
	if !p.startsQuery() {
		p.fail()
	}
	q := p.query()
	if p.cur().kind != tEOF && !p.isOp(";") {
		p.fail()
	}
	return q
}

func (p *parser) functionParam(start int) plan.FunctionParam {
	c := plan.FunctionParam{Name: p.name(), Type: p.dataType()}
	for {
		switch {
		case p.accept("DEFAULT"):
			at := p.pos
			c.Default = p.expression()
			c.Text = p.between(at)
		case p.accept("COMMENT"):
			c.Comment = p.stringLiteral()
		case p.is("NOT", "NULL"):
			p.raise(start, "USER_DEFINED_FUNCTIONS.NOT_NULL_ON_FUNCTION_PARAMETERS", "input", p.text)
		case p.is("GENERATED"):
			p.raise(start, "INVALID_SQL_SYNTAX.CREATE_FUNC_WITH_GENERATED_COLUMNS_AS_PARAMETERS")
		case p.isOne("PRIMARY", "UNIQUE", "REFERENCES", "CONSTRAINT", "CHECK", "FOREIGN"):
			p.raise(start, "INVALID_SQL_SYNTAX.CREATE_FUNC_WITH_COLUMN_CONSTRAINTS")
		default:
			return c
		}
	}
}

// functionResult reads a type, or TABLE [(columns)].
func (p *parser) functionResult(start int, f *plan.CreateFunction) {
	if !p.is("TABLE") {
		f.Returns = p.dataType()
		return
	}
	p.pos++
	f.Table = true
	if !p.isOp("(") {
		return
	}
	f.Columns = parens(p, func() plan.ColumnDef {
		c := plan.ColumnDef{Name: p.name(), Nullable: true, Type: p.dataType()}
		for {
			switch {
			case p.accept("COMMENT"):
				c.Comment = p.stringLiteral()
			case p.is("NOT", "NULL"):
				p.raise(start, "USER_DEFINED_FUNCTIONS.NOT_NULL_ON_FUNCTION_PARAMETERS", "input", p.text)
			default:
				return c
			}
		}
	})
}

// characteristic reads one clause between a function's parameters and its body.
func (p *parser) characteristic(f *plan.CreateFunction) bool {
	switch {
	case p.accept("LANGUAGE"):
		if language := p.identifier(); !strings.EqualFold(language, "sql") {
			p.unsupported("CREATE FUNCTION … LANGUAGE %s: only functions written in SQL are supported", language)
		}
	case p.accept("NOT", "DETERMINISTIC"):
		f.NotDetermined = true
	case p.accept("DETERMINISTIC"):
		f.Determined = true
	case p.accept("COMMENT"):
		f.Comment = p.stringLiteral()
	case p.accept("CONTAINS", "SQL"):
		f.Access = "CONTAINS SQL"
	case p.accept("READS", "SQL", "DATA"):
		f.Access = "READS SQL DATA"
	case p.accept("DEFAULT", "COLLATION"):
		if f.Collation != "" {
			p.fail()
		}
		f.Collation = p.defaultCollation()
	case p.accept("SQL", "SECURITY"):
		p.identifier()
	default:
		return false
	}
	return true
}

// distinctNames refuses parameters, and columns of a result, that share a name, and parameters without a default after one with it.
func (p *parser) distinctNames(start int, f *plan.CreateFunction) {
	seen := map[string]bool{}
	for i, c := range f.Params {
		name := strings.ToLower(c.Name)
		if seen[name] {
			p.raise(start, "DUPLICATE_ROUTINE_PARAMETER_NAMES", "routineName", types.QuoteParts(f.Name...), "names", types.Quote(name))
		}
		seen[name] = true
		if i > 0 && c.Default == nil && f.Params[i-1].Default != nil {
			p.raise(start, "USER_DEFINED_FUNCTIONS.NOT_A_VALID_DEFAULT_PARAMETER_POSITION", "functionName", strings.Join(f.Name, "."),
				"parameterName", f.Params[i-1].Name, "nextParameterName", c.Name)
		}
	}
	seen = map[string]bool{}
	for _, c := range f.Columns {
		name := strings.ToLower(c.Name)
		if seen[name] {
			p.raise(start, "DUPLICATE_ROUTINE_RETURNS_COLUMNS", "routineName", types.QuoteParts(f.Name...), "columns", types.Quote(name))
		}
		seen[name] = true
	}
}
