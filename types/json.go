package types

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// MarshalJSON writes Spark's JSON form of a type: "long", or {"type":"struct","fields":[…]}.
func (t *Type) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	t.writeJSON(&b)
	return b.Bytes(), nil
}

// JSON is the type's Spark JSON form.
func (t *Type) JSON() string {
	var b bytes.Buffer
	t.writeJSON(&b)
	return b.String()
}

func (t *Type) writeJSON(b *bytes.Buffer) {
	switch t.Kind {
	case KindArray:
		b.WriteString(`{"type":"array","elementType":`)
		t.Elem.writeJSON(b)
		fmt.Fprintf(b, `,"containsNull":%t}`, t.ElemNull)
	case KindMap:
		b.WriteString(`{"type":"map","keyType":`)
		t.Key.writeJSON(b)
		b.WriteString(`,"valueType":`)
		t.Elem.writeJSON(b)
		fmt.Fprintf(b, `,"valueContainsNull":%t}`, t.ElemNull)
	case KindStruct:
		b.WriteString(`{"type":"struct","fields":[`)
		for i, f := range t.Fields {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(`{"name":` + quoteJSON(f.Name) + `,"type":`)
			f.Type.writeJSON(b)
			fmt.Fprintf(b, `,"nullable":%t,"metadata":%s}`, f.Nullable, metadataWithCollations(&f))
		}
		b.WriteString("]}")
	case KindUDT:
		b.WriteString(`{"type":"udt","class":` + quoteJSON(t.UDT.Class) + `,"pyClass":` + quoteJSON(t.UDT.PyClass) + `,"sqlType":`)
		t.Elem.writeJSON(b)
		if t.UDT.SerializedPyClass != "" {
			b.WriteString(`,"serializedClass":` + quoteJSON(t.UDT.SerializedPyClass))
		}
		b.WriteByte('}')
	default:
		b.WriteString(quoteJSON(t.jsonName()))
	}
}

func quoteJSON(s string) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		panic(err) // a string always encodes
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func (t *Type) jsonName() string {
	switch t.Kind {
	case KindByte:
		return "byte"
	case KindShort:
		return "short"
	case KindInteger:
		return "integer"
	case KindLong:
		return "long"
	}
	if t.Kind == KindString && t.Collation != "" {
		return "string"
	}
	return t.String()
}

var jsonNames = map[string]*Type{"void": Null, "null": Null, "boolean": Boolean, "byte": Byte, "short": Short,
	"integer": Integer, "long": Long, "float": Float, "double": Double, "string": String, "binary": Binary, "date": Date,
	"timestamp": Timestamp, "timestamp_ntz": TimestampNTZ, "interval": Calendar, "variant": Variant,
	"decimal": {Kind: KindDecimal, Precision: 10}}

var (
	decimalForm  = regexp.MustCompile(`^decimal\(\s*(\d+)\s*,\s*(-?\d+)\s*\)$`)
	lengthForm   = regexp.MustCompile(`^(char|varchar|time)\((\d+)\)$`)
	intervalForm = regexp.MustCompile(`^interval (\w+)(?: to (\w+))?$`)
)

// ParseJSON reads a type from Spark's JSON form.
func ParseJSON(data []byte) (*Type, error) {
	var raw json.RawMessage
	if err := json.Unmarshal(data, &raw); err != nil {
		return nil, fmt.Errorf("parse schema JSON: %w", err)
	}
	return parse(raw)
}

func parse(raw json.RawMessage) (*Type, error) {
	var name string
	if json.Unmarshal(raw, &name) == nil {
		return parseName(name)
	}
	var o struct {
		Type              string
		ElementType       json.RawMessage
		ContainsNull      *bool
		KeyType           json.RawMessage
		ValueType         json.RawMessage
		ValueContainsNull *bool
		Fields            []struct {
			Name     string
			Type     json.RawMessage
			Nullable *bool
			Metadata json.RawMessage
		}
		Class, PyClass, SerializedClass string
		SQLType                         json.RawMessage
	}
	if err := json.Unmarshal(raw, &o); err != nil {
		return nil, fmt.Errorf("parse schema JSON: %w", err)
	}
	yes := func(b *bool) bool { return b == nil || *b }
	switch o.Type {
	case "array":
		elem, err := parse(o.ElementType)
		if err != nil {
			return nil, err
		}
		return ArrayOf(elem, yes(o.ContainsNull)), nil
	case "map":
		key, err := parse(o.KeyType)
		if err != nil {
			return nil, err
		}
		value, err := parse(o.ValueType)
		if err != nil {
			return nil, err
		}
		return MapOf(key, value, yes(o.ValueContainsNull)), nil
	case "struct":
		t := &Type{Kind: KindStruct, Fields: make([]Field, len(o.Fields))}
		for i, f := range o.Fields {
			ft, err := parse(f.Type)
			if err != nil {
				return nil, fmt.Errorf("field %s: %w", f.Name, err)
			}
			meta := string(f.Metadata)
			if meta == "{}" || meta == "null" {
				meta = ""
			}
			t.Fields[i] = withCollations(Field{f.Name, ft, yes(f.Nullable), meta})
		}
		return t, nil
	case "udt":
		elem, err := parse(o.SQLType)
		if err != nil {
			return nil, err
		}
		return &Type{Kind: KindUDT, Elem: elem, UDT: &UDT{o.Class, o.PyClass, o.SerializedClass}}, nil
	}
	return nil, fmt.Errorf("parse schema JSON: unknown type %q", o.Type)
}

func parseName(name string) (*Type, error) {
	if t := jsonNames[name]; t != nil {
		return t, nil
	}
	if m := decimalForm.FindStringSubmatch(name); m != nil {
		p, _ := strconv.Atoi(m[1])
		s, _ := strconv.Atoi(m[2])
		if p < 1 || p > MaxPrecision || s > p {
			return nil, fmt.Errorf("parse schema JSON: decimal(%d,%d) is out of range", p, s)
		}
		return Decimal(p, s), nil
	}
	if m := lengthForm.FindStringSubmatch(name); m != nil {
		n, _ := strconv.Atoi(m[2])
		if m[1] == "time" {
			return &Type{Kind: KindTime, Precision: n}, nil
		}
		return &Type{Kind: KindString, Length: n, Char: m[1] == "char"}, nil
	}
	if m := intervalForm.FindStringSubmatch(name); m != nil {
		if m[2] == "" {
			m[2] = m[1]
		}
		if s, e := index(yearMonthUnits[:], m[1]), index(yearMonthUnits[:], m[2]); s >= 0 && e >= s {
			return &Type{Kind: KindYearMonth, Start: s, End: e}, nil
		}
		if s, e := index(dayTimeUnits[:], m[1]), index(dayTimeUnits[:], m[2]); s >= 0 && e >= s {
			return &Type{Kind: KindDayTime, Start: s, End: e}, nil
		}
	}
	if c, ok := strings.CutPrefix(name, "string collate "); ok {
		return &Type{Kind: KindString, Collation: c}, nil
	}
	return nil, fmt.Errorf("parse schema JSON: unknown type %q", name)
}

func index(names []string, name string) int {
	for i, n := range names {
		if n == name {
			return i
		}
	}
	return -1
}
