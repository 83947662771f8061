package sql

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"millrace/collation"
	"millrace/types"
)

var plainTypes = map[string]*types.Type{"BOOLEAN": types.Boolean, "TINYINT": types.Byte, "BYTE": types.Byte,
	"SMALLINT": types.Short, "SHORT": types.Short, "INT": types.Integer, "INTEGER": types.Integer, "BIGINT": types.Long,
	"LONG": types.Long, "FLOAT": types.Float, "REAL": types.Float, "DOUBLE": types.Double, "DATE": types.Date,
	"TIMESTAMP_LTZ": types.Timestamp, "TIMESTAMP_NTZ": types.TimestampNTZ, "STRING": types.String, "BINARY": types.Binary,
	"VOID": types.Null, "VARIANT": types.Variant}

// dataType reads a type.
func (p *parser) dataType() *types.Type {
	p.enter()
	defer p.leave()
	start := p.pos
	name := p.cur().upper
	if name == "" {
		p.identifier() // fails, or takes a quoted name, which no type has
		p.raise(start, "UNSUPPORTED_DATATYPE", "typeName", `"`+strings.ToUpper(p.between(start))+`"`)
	}
	p.pos++
	switch name {
	case "ARRAY", "MAP", "STRUCT":
		return p.nestedType(start, name)
	case "INTERVAL":
		return p.intervalType()
	case "TIMESTAMP":
		return p.timestampType()
	case "STRING":
		if p.accept("COLLATE") {
			return &types.Type{Kind: types.KindString, Collation: p.collation(start)}
		}
		if !p.isOp("(") {
			return p.stringType()
		}
	}
	if t := plainTypes[name]; t != nil && !p.isOp("(") {
		return t
	}
	return p.sizedType(start, name)
}

// stringType is the type of strings of which nothing else is said.
func (p *parser) stringType() *types.Type {
	if p.conf.Collation == "" || p.conf.Collation == collation.Binary {
		return types.String
	}
	return &types.Type{Kind: types.KindString, Collation: p.conf.Collation}
}

// collation is the name of a collation as types carry it: empty for the default one.
func (p *parser) collation(start int) string {
	name, ok := collation.Unqualified(p.qualifiedName())
	c, err := collation.Find(name)
	if err != nil || !ok {
		p.raise(start, "COLLATION_INVALID_NAME", "collationName", name, "proposals", collation.Suggest(name))
	}
	if c.Name == collation.Binary {
		return ""
	}
	return c.Name
}

func (p *parser) timestampType() *types.Type {
	switch {
	case p.accept("WITHOUT", "TIME", "ZONE"):
		return types.TimestampNTZ
	case p.accept("WITH", "LOCAL", "TIME", "ZONE"):
		return types.Timestamp
	case p.conf.NTZ:
		return types.TimestampNTZ
	}
	return types.Timestamp
}

// sizedType reads the types that have numbers: decimal, char, varchar, time.
func (p *parser) sizedType(start int, name string) *types.Type {
	var sizes []int
	if p.isOp("(") {
		sizes = parens(p, p.size)
	}
	one := func(otherwise int) int {
		if len(sizes) == 1 {
			return sizes[0]
		}
		return otherwise
	}
	switch name {
	case "DECIMAL", "DEC", "NUMERIC":
		if len(sizes) <= 2 {
			return p.decimalType(start, sizes)
		}
	case "CHAR", "CHARACTER", "VARCHAR":
		if len(sizes) == 0 {
			p.raise(start, "DATATYPE_MISSING_SIZE", "type", `"`+name+`"`)
		}
		if n := one(0); n > 0 {
			if p.conf.Collation != "" && p.conf.Collation != collation.Binary || p.is("COLLATE") {
				p.unsupported("%s with a collation is not supported", name)
			}
			return &types.Type{Kind: types.KindString, Length: n, Char: name != "VARCHAR"}
		}
	case "TIME":
		if n := one(6); n <= 6 {
			p.accept("WITHOUT", "TIME", "ZONE")
			return &types.Type{Kind: types.KindTime, Precision: n}
		}
	}
	p.raise(start, "UNSUPPORTED_DATATYPE", "typeName", `"`+strings.ToUpper(strings.ReplaceAll(p.between(start), " ", ""))+`"`)
	return nil
}

func (p *parser) size() int {
	t := p.cur()
	n, err := strconv.Atoi(t.text)
	if t.kind != tInt || err != nil {
		p.fail()
	}
	p.pos++
	return n
}

func (p *parser) decimalType(start int, sizes []int) *types.Type {
	precision, scale := 10, 0
	if len(sizes) > 0 {
		precision = sizes[0]
	}
	if len(sizes) > 1 {
		scale = sizes[1]
	}
	if precision > types.MaxPrecision {
		p.raise(start, "DECIMAL_PRECISION_EXCEEDS_MAX_PRECISION", "precision", strconv.Itoa(precision), "maxPrecision", "38")
	}
	if scale > precision {
		p.raise(start, "_LEGACY_ERROR_TEMP_0064", "msg", "Decimal scale ("+strconv.Itoa(scale)+") cannot be greater than precision ("+strconv.Itoa(precision)+").")
	}
	return types.Decimal(precision, scale)
}

var intervalFields = map[string]int{"YEAR": 0, "MONTH": 1, "DAY": 10, "HOUR": 11, "MINUTE": 12, "SECOND": 13}

// intervalType reads what follows INTERVAL.
func (p *parser) intervalType() *types.Type {
	start := p.pos
	from, ok := intervalFields[p.cur().upper]
	if !ok {
		return types.Calendar
	}
	p.pos++
	to := from
	if p.accept("TO") {
		if to, ok = intervalFields[p.cur().upper]; !ok {
			p.fail()
		}
		p.pos++
	}
	switch {
	case to < from || from < 10 && to >= 10:
		p.raise(start-1, "UNSUPPORTED_DATATYPE", "typeName", `"`+strings.ToUpper(p.between(start-1))+`"`)
	case from < 10:
		return &types.Type{Kind: types.KindYearMonth, Start: from, End: to}
	}
	return &types.Type{Kind: types.KindDayTime, Start: from - 10, End: to - 10}
}

// nestedType reads what follows ARRAY, MAP or STRUCT.
func (p *parser) nestedType(start int, name string) *types.Type {
	if name == "STRUCT" && p.acceptOp("<>") {
		return types.Struct()
	}
	if !p.isOp("<") {
		p.raise(start, "INCOMPLETE_TYPE_DEFINITION."+name)
	}
	p.pos++
	var t *types.Type
	switch name {
	case "ARRAY":
		t = types.ArrayOf(p.dataType(), true)
	case "MAP":
		key := p.dataType()
		p.expectOp(",")
		t = types.MapOf(key, p.dataType(), true)
	default:
		t = types.Struct()
		if !p.isOp(">") && !p.isOp(">>") && !p.isOp(">>>") {
			t.Fields = list(p, p.structField)
		}
	}
	p.closeAngle()
	return t
}

// closeAngle takes one > of >, >> or >>>.
func (p *parser) closeAngle() {
	t := *p.cur()
	if t.kind == tOp && (t.text == ">>" || t.text == ">>>") {
		first, rest := t, t
		first.end, first.text = t.start+1, ">"
		rest.start, rest.text = t.start+1, t.text[1:]
		p.toks[p.pos] = first
		p.toks = slices.Insert(p.toks, p.pos+1, rest)
	}
	p.expectOp(">")
}

// structField reads name [:] type [NOT NULL] [COMMENT 'x'].
func (p *parser) structField() types.Field {
	f := types.Field{Name: p.identifier(), Nullable: true}
	p.acceptOp(":")
	f.Type = p.dataType()
	if p.accept("NOT", "NULL") {
		f.Nullable = false
	}
	if p.accept("COMMENT") {
		f.Metadata = commentMetadata(p.stringLiteral())
	}
	return f
}

func commentMetadata(comment string) string {
	b, _ := json.Marshal(map[string]string{"comment": comment}) // strings always encode
	return string(b)
}

// schema reads the columns of a table schema.
func (p *parser) schema() *types.Type {
	var fields []types.Field
	if p.cur().kind == tEOF {
		p.fail()
	}
	for {
		c := p.columnDef()
		f := types.Field{Name: c.Name, Type: c.Type, Nullable: c.Nullable}
		if c.Comment != "" {
			f.Metadata = commentMetadata(c.Comment)
		}
		fields = append(fields, f)
		if !p.acceptOp(",") {
			return types.Struct(fields...)
		}
	}
}
