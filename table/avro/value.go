package avro

import (
	"bytes"
	"slices"
	"strings"

	"millrace/errs"
	"millrace/javatime"
	"millrace/table/internal/column"
	"millrace/types"
	"millrace/vector"
)

// Conversion is how from_avro reads single values, and what schema_of_avro tells of them.
type Conversion struct {
	Type       *types.Type
	Permissive bool // bad values are null, structs of them have null fields
	written    *Schema
	legacy     bool
}

// ParseConversion reads a function's schema and options. Values are read as the schema of the option avroSchema, if there is one.
func ParseConversion(function, schema string, options map[string]string) (*Conversion, error) {
	c := &Conversion{}
	names, reader, err := c.options(function, options)
	if err != nil {
		return nil, err
	}
	if c.written, err = ParseSchema([]byte(schema)); err != nil {
		return nil, err
	}
	read := c.written
	if reader != "" {
		if read, err = ParseSchema([]byte(reader)); err != nil {
			return nil, err
		}
	}
	if c.Type, _, err = read.sparkType(names, nil); err != nil {
		return nil, err
	}
	if reader != "" && function == "from_avro" {
		if c.written, err = Resolve(c.written, read); err != nil {
			return nil, err
		}
		if err := evolves(c.written, read, ""); err != nil {
			return nil, err
		}
	}
	if c.Permissive {
		c.Type = c.Type.AsNullable()
	}
	return c, nil
}

func (c *Conversion) options(function string, options map[string]string) (names naming, reader string, err error) {
	names.prefix = "member_"
	for k, v := range options {
		if known, err := names.option(k, v); known || err != nil {
			if err != nil {
				return names, "", err
			}
			continue
		}
		switch strings.ToLower(k) {
		case "mode":
			switch strings.ToUpper(v) {
			case "DROPMALFORMED":
				return names, "", errs.New("PARSE_MODE_UNSUPPORTED", "funcName", "`"+function+"`", "mode", "DROPMALFORMED")
			case "FAILFAST":
			default: // as in Spark, which warns of other words
				c.Permissive = true
			}
		case "avroschema":
			reader = v
		case "avroschemaurl":
			return names, "", errs.Unsupportedf("The option %s of %s is not supported.", k, function)
		case "datetimerebasemode":
			if c.legacy = strings.EqualFold(v, "LEGACY"); !c.legacy && !strings.EqualFold(v, "CORRECTED") {
				return names, "", errs.Unsupportedf("The value %s of the option %s of %s is not supported.", v, k, function)
			}
		}
	}
	return names, reader, nil
}

// evolves refuses what values of one schema cannot be read as, and what Avro would do with them and this reader would not.
func evolves(from, to *Schema, path string) error {
	if from.Kind == "union" || to.Kind == "union" {
		return unionEvolves(from, to, path)
	}
	switch {
	case from.Logical != to.Logical || from.Precision != to.Precision || from.Scale != to.Scale:
		return notEvolved(from, to, path)
	case from.Kind != to.Kind:
		for _, p := range [][2]string{{"int", "long"}, {"int", "float"}, {"int", "double"}, {"float", "double"}, {"string", "bytes"}, {"bytes", "string"}} {
			if from.Logical == "" && from.Kind == p[0] && to.Kind == p[1] {
				return nil
			}
		}
		return notEvolved(from, to, path)
	case !to.named(from.Name), from.Size != to.Size, from.Catalyst != to.Catalyst:
		return notEvolved(from, to, path)
	case from.Kind == "array" || from.Kind == "map":
		return evolves(from.Items, to.Items, join(path, "element"))
	case from.Kind == "enum" && slices.ContainsFunc(from.Symbols, func(s string) bool { return !slices.Contains(to.Symbols, s) }):
		return notEvolved(from, to, path)
	}
	for _, f := range to.Fields {
		at := slices.IndexFunc(from.Fields, func(w Field) bool { return w.Name == f.Name })
		if at >= 0 && !from.Fields[at].absent {
			if err := evolves(from.Fields[at].Schema, f.Schema, join(path, f.Name)); err != nil {
				return err
			}
		}
	}
	return nil
}

func unionEvolves(from, to *Schema, path string) error {
	a, fromNull := parts(from)
	b, toNull := parts(to)
	if fromNull && !toNull || len(a) != len(b) {
		return notEvolved(from, to, path)
	}
	for i := range a {
		if len(a) > 1 && (a[i].Kind != b[i].Kind || a[i].Name != b[i].Name) {
			return notEvolved(from, to, path)
		}
		if err := evolves(a[i], b[i], path); err != nil {
			return err
		}
	}
	return nil
}

// parts are the types besides null that a schema has values of, and whether null is one.
func parts(s *Schema) ([]*Schema, bool) {
	if s.Kind == "union" {
		return s.alternatives()
	}
	return []*Schema{s}, false
}

func baseName(name string) string { return name[strings.LastIndexByte(name, '.')+1:] }

func notEvolved(from, to *Schema, path string) error {
	return errs.Unsupportedf("Reading Avro values of %s as %s (%s) is not supported.", from.describe(), to.describe(), path)
}

// Decoder compiles the reading of values.
func (c *Conversion) Decoder(zone *javatime.Zone) (*Decoder, error) {
	k := &compiler{same: func(a, b string) bool { return a == b }, rebase: rebase{hybrid: c.legacy, zone: zone}}
	d, err := k.decoder(c.written, c.Type, "")
	return &Decoder{decode: d, of: c}, err
}

// Decoder reads single values; it may be used by several at once.
type Decoder struct {
	decode decoder
	of     *Conversion
}

// Values gathers values that are read.
type Values struct {
	*Decoder
	column *column.Column
}

// Values begins an empty column.
func (d *Decoder) Values() *Values { return &Values{d, column.New(d.of.Type)} }

// Null appends a row that has no value.
func (v *Values) Null() { v.column.Null() }

// Add appends the value that a binary holds. What is behind it does not matter, as in Spark.
func (v *Values) Add(text []byte) error {
	n := v.column.N
	err := v.decode(&input{data: text}, v.column)
	if err == nil {
		return nil
	}
	if !v.of.Permissive {
		e := errs.Newf(errs.Invalid, "Malformed records are detected in record parsing. Current parse Mode: FAILFAST. "+
			"To process malformed records as null result, try setting the option 'mode' as 'PERMISSIVE'.")
		e.Cause = err
		return e
	}
	v.column.Truncate(n)
	if v.of.Type.Kind != types.KindStruct {
		v.column.Null()
		return nil
	}
	for _, k := range v.column.Children {
		k.Null()
	}
	v.column.Done(true)
	return nil
}

// Vector is the rows so far.
func (v *Values) Vector() *vector.Vector { return v.column.Vector() }

// Encoder writes single values, as to_avro does.
type Encoder struct{ encode encoder }

// NewEncoder writes values of a type as a schema's, or without one as those of the type's own, which has null if values may be null.
func NewEncoder(t *types.Type, null bool, schema []byte) (*Encoder, error) {
	if schema == nil {
		if err := CheckNames(t); err != nil {
			return nil, err
		}
		var err error
		if schema, err = valueSchema(t, null); err != nil {
			return nil, err
		}
	}
	s, err := ParseSchema(schema)
	if err != nil {
		return nil, err
	}
	if t.Kind == types.KindNull {
		return &Encoder{}, nil // there are no rows to append
	}
	e, err := nullable(s, t, "")
	if err != nil && !errs.Is(err, errs.Unsupported) {
		wrong := errs.Newf(errs.Invalid, "Cannot convert SQL type %s to Avro type %s.", t.SQL(), shortened(bytes.TrimSpace(schema)))
		wrong.Cause = err
		err = wrong
	}
	return &Encoder{e}, err
}

// Append writes a row, which is not null.
func (e *Encoder) Append(dst []byte, v *vector.Vector, row int) ([]byte, error) {
	return e.encode(dst, v, row)
}
