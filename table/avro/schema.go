package avro

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"millrace/errs"
	"millrace/types"
)

// Schema is a parsed Avro schema.
type Schema struct {
	Kind      string // null, boolean, int, long, float, double, bytes, string, record, enum, array, map, union, fixed
	Name      string // of named types, with the namespace
	Fields    []Field
	Items     *Schema // of arrays and maps
	Branches  []*Schema
	Symbols   []string
	Size      int
	Logical   string
	Precision int
	Scale     int
	Catalyst  string // the type that Spark noted where Avro has none of its own
	Aliases   []string
}

// Field is a record's field.
type Field struct {
	Name    string
	Schema  *Schema
	Default json.RawMessage // nil: none
	Aliases []string
	absent  bool   // it was not written: all have this value
	value   []byte // as it would have been
}

// written is a schema's JSON form.
type written struct {
	Type      json.RawMessage `json:"type"`
	Name      string          `json:"name"`
	Namespace string          `json:"namespace"`
	Fields    []struct {
		Name    string          `json:"name"`
		Type    json.RawMessage `json:"type"`
		Default json.RawMessage `json:"default"`
		Aliases []string        `json:"aliases"`
	} `json:"fields"`
	Aliases   []string        `json:"aliases"`
	Items     json.RawMessage `json:"items"`
	Values    json.RawMessage `json:"values"`
	Symbols   []string        `json:"symbols"`
	Size      int             `json:"size"`
	Logical   string          `json:"logicalType"`
	Precision int             `json:"precision"`
	Scale     int             `json:"scale"`
	Catalyst  string          `json:"spark.sql.catalyst.type"`
}

type parser struct{ named map[string]*Schema }

var primitives = map[string]bool{"null": true, "boolean": true, "int": true, "long": true, "float": true, "double": true, "bytes": true, "string": true}

// ParseSchema reads a schema's JSON.
func ParseSchema(text []byte) (*Schema, error) {
	p := &parser{named: map[string]*Schema{}}
	s, err := p.parse(text, "")
	if errs.Is(err, errs.Unsupported) {
		return nil, err
	}
	if err != nil {
		return nil, errs.Newf(errs.Invalid, "The Avro schema %s cannot be read: %v", shortened(text), err)
	}
	return s, nil
}

func shortened(text []byte) string {
	if len(text) > 200 {
		return string(text[:200]) + "…"
	}
	return string(text)
}

func (p *parser) parse(text json.RawMessage, space string) (*Schema, error) {
	text = bytes.TrimSpace(text)
	if len(text) == 0 {
		return nil, fmt.Errorf("a type is missing")
	}
	switch text[0] {
	case '"':
		var name string
		if err := json.Unmarshal(text, &name); err != nil {
			return nil, err
		}
		return p.byName(name, space)
	case '[':
		var list []json.RawMessage
		if err := json.Unmarshal(text, &list); err != nil {
			return nil, err
		}
		s := &Schema{Kind: "union"}
		for _, b := range list {
			branch, err := p.parse(b, space)
			if err != nil {
				return nil, err
			}
			s.Branches = append(s.Branches, branch)
		}
		return s, nil
	}
	var w written
	if err := json.Unmarshal(text, &w); err != nil {
		return nil, err
	}
	return p.complex(&w, space)
}

func (p *parser) byName(name, space string) (*Schema, error) {
	if primitives[name] {
		return &Schema{Kind: name}, nil
	}
	if s := p.named[fullName(name, space)]; s != nil {
		return s, nil
	}
	if s := p.named[name]; s != nil {
		return s, nil
	}
	return nil, fmt.Errorf("the type %s is not known", name)
}

func fullName(name, space string) string {
	if space == "" || strings.Contains(name, ".") {
		return name
	}
	return space + "." + name
}

func (p *parser) complex(w *written, space string) (*Schema, error) {
	var kind string
	if json.Unmarshal(w.Type, &kind) != nil {
		return p.parse(w.Type, space) // {"type": {…}}
	}
	s := &Schema{Kind: kind, Logical: w.Logical, Precision: w.Precision, Scale: w.Scale, Catalyst: w.Catalyst, Symbols: w.Symbols, Size: w.Size, Aliases: w.Aliases}
	var err error
	switch kind {
	case "array":
		s.Items, err = p.parse(w.Items, space)
	case "map":
		s.Items, err = p.parse(w.Values, space)
	case "record", "error", "enum", "fixed":
		if w.Namespace != "" {
			space = w.Namespace
		}
		if w.Name == "" {
			return nil, fmt.Errorf("a type of the kind %s has no name", kind)
		}
		s.Name = fullName(w.Name, space)
		if i := strings.LastIndexByte(s.Name, '.'); i >= 0 {
			space = s.Name[:i]
		}
		p.named[s.Name] = s
		if kind == "error" {
			s.Kind = "record"
		}
		if kind == "fixed" && s.Size < 0 {
			return nil, fmt.Errorf("the fixed type %s has %d bytes", s.Name, s.Size)
		}
		if s.Kind == "record" && w.Fields == nil {
			return nil, fmt.Errorf("the record %s has no fields", s.Name)
		}
		for _, f := range w.Fields {
			if f.Name == "" {
				return nil, fmt.Errorf("a field of %s has no name", s.Name)
			}
			t, err := p.parse(f.Type, space)
			if err != nil {
				return nil, err
			}
			s.Fields = append(s.Fields, Field{Name: f.Name, Schema: t, Default: f.Default, Aliases: f.Aliases})
		}
	default:
		if !primitives[kind] {
			return p.byName(kind, space)
		}
	}
	return s, err
}

// Type is the type that Spark reads a schema as, and whether its values may be null.
func (s *Schema) Type() (t *types.Type, nullable bool, err error) { return s.sparkType(naming{}, nil) }

// TypeBy is Type with options of reading.
func (s *Schema) TypeBy(options map[string]string) (*types.Type, error) {
	n := naming{prefix: "member_"}
	for k, v := range options {
		if _, err := n.option(k, v); err != nil {
			return nil, err
		}
	}
	t, _, err := s.sparkType(n, nil)
	return t, err
}

// naming is how the members of the structs that stand for unions are called, by their types behind a prefix or else by their places, and how often a record may be
// within itself.
type naming struct {
	stable bool
	prefix string
	depth  int
}

// option takes one of the options of reading and tells whether it was one of naming.
func (n *naming) option(key, value string) (known bool, err error) {
	switch strings.ToLower(key) {
	case "enablestableidentifiersforuniontype":
		n.stable, err = strconv.ParseBool(strings.ToLower(value))
	case "stableidentifierprefixforuniontype":
		n.prefix = value
	case "recursivefieldmaxdepth":
		if n.depth, err = strconv.Atoi(value); n.depth > 15 {
			return true, errs.New("STDS_INVALID_OPTION_VALUE.WITH_MESSAGE", "optionName", "recursiveFieldMaxDepth", "message", "Should not be greater than 15.")
		}
	default:
		return false, nil
	}
	if err != nil {
		err = errs.Newf(errs.Invalid, "The value %q of the option %s is not valid.", value, key)
	}
	return true, err
}

func (n naming) member(i int, branch *Schema) string {
	if !n.stable {
		return "member" + strconv.Itoa(i)
	}
	if branch.Name == "" {
		return n.prefix + branch.Kind
	}
	return n.prefix + baseName(branch.Name)
}

// sparkType has no type for what is too deep in itself, which is left out.
func (s *Schema) sparkType(n naming, around []string) (*types.Type, bool, error) {
	switch s.Kind {
	case "boolean":
		return types.Boolean, false, nil
	case "int", "long":
		t, err := s.integral()
		return t, false, err
	case "float":
		return types.Float, false, nil
	case "double":
		return types.Double, false, nil
	case "string", "enum":
		return types.String, false, nil
	case "bytes", "fixed":
		if s.isDecimal() {
			return types.Decimal(s.Precision, s.Scale), false, nil
		}
		return types.Binary, false, nil
	case "null":
		return types.Null, true, nil
	case "array", "map":
		elem, null, err := s.Items.sparkType(n, around)
		if err != nil || elem == nil {
			return nil, false, err
		}
		if s.Kind == "map" {
			return types.MapOf(types.String, elem, null), false, nil
		}
		return types.ArrayOf(elem, null), false, nil
	case "record":
		return s.structType(n, around)
	}
	return s.unionType(n, around)
}

func (s *Schema) integral() (*types.Type, error) {
	switch {
	case s.Kind == "int" && s.Logical == "date":
		return types.Date, nil
	case s.Kind == "long" && (s.Logical == "timestamp-millis" || s.Logical == "timestamp-micros"):
		return types.Timestamp, nil
	case s.Kind == "long" && (s.Logical == "local-timestamp-millis" || s.Logical == "local-timestamp-micros"):
		return types.TimestampNTZ, nil
	case s.Catalyst != "":
		return types.ParseJSON([]byte(`"` + s.Catalyst + `"`))
	case s.Kind == "int":
		return types.Integer, nil
	}
	return types.Long, nil
}

// isDecimal reports whether bytes are a decimal that Spark takes for one: its digits fit the bytes.
func (s *Schema) isDecimal() bool {
	return s.Logical == "decimal" && s.Precision > 0 && s.Precision <= types.MaxPrecision && s.Scale >= 0 && s.Scale <= s.Precision &&
		(s.Kind == "bytes" || bytesFor(s.Precision) <= s.Size)
}

func (s *Schema) structType(n naming, around []string) (*types.Type, bool, error) {
	depth := 0
	for _, name := range around {
		if name == s.Name {
			depth++
		}
	}
	switch {
	case depth > 0 && n.depth <= 0:
		return nil, false, errs.Newf(errs.Invalid, "Found recursive reference in Avro schema, which can not be processed by Spark by default: %s. Try setting the option `recursiveFieldMaxDepth` to 1 - 15.", s.Name)
	case depth > 0 && depth >= n.depth:
		return nil, false, nil
	}
	around = append(around[:len(around):len(around)], s.Name)
	var fields []types.Field
	for _, f := range s.Fields {
		t, null, err := f.Schema.sparkType(n, around)
		if err != nil {
			return nil, false, err
		}
		if t != nil {
			fields = append(fields, types.Field{Name: f.Name, Type: t, Nullable: null})
		}
	}
	return types.Struct(fields...), false, nil
}

// unionType is the one type besides null, a number wide enough for two, or else a struct with a member for each branch.
func (s *Schema) unionType(n naming, around []string) (*types.Type, bool, error) {
	rest, null := s.alternatives()
	if len(rest) == 1 {
		t, inner, err := rest[0].sparkType(n, around)
		return t, inner || null, err
	}
	if len(rest) == 0 {
		return types.Null, true, nil
	}
	if t := widened(rest); t != nil {
		return t, null, nil
	}
	fields := make([]types.Field, len(rest))
	seen := map[string]bool{}
	for i, b := range rest {
		t, _, err := b.sparkType(n, around)
		if err == nil && t == nil {
			err = errs.Unsupportedf("Avro records within themselves in unions of several types (%s) are not supported.", b.Name)
		}
		if err != nil {
			return nil, false, err
		}
		name := n.member(i, b)
		if low := strings.ToLower(name); seen[low] {
			return nil, false, errs.Newf(errs.Invalid, "Cannot generate stable identifier for Avro union type due to name conflict of type name %s", strings.TrimPrefix(name, n.prefix))
		} else {
			seen[low] = true
		}
		fields[i] = types.Field{Name: name, Type: t, Nullable: true}
	}
	return types.Struct(fields...), null, nil
}

// widened is the number that holds those of both types of a union; nil: it is another union.
func widened(rest []*Schema) *types.Type {
	if len(rest) == 2 {
		switch a, b := rest[0].Kind, rest[1].Kind; {
		case a == "int" && b == "long" || a == "long" && b == "int":
			return types.Long
		case a == "float" && b == "double" || a == "double" && b == "float":
			return types.Double
		}
	}
	return nil
}

// alternatives are a union's branches but null.
func (s *Schema) alternatives() (rest []*Schema, null bool) {
	for _, b := range s.Branches {
		if b.Kind == "null" {
			null = true
		} else {
			rest = append(rest, b)
		}
	}
	return rest, null
}

// bytesFor is how many bytes a decimal of so many digits takes.
func bytesFor(digits int) int {
	for n, limit := 1, newBig(127); ; n++ {
		if limit.Cmp(powerOfTen(digits)) >= 0 {
			return n
		}
		limit.Lsh(limit, 8)
		limit.Add(limit, newBig(255))
	}
}
