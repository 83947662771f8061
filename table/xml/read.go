package xml

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"millrace/errs"
	"millrace/planconv"
	"millrace/table/csv"
	"millrace/table/internal/scalar"
	"millrace/types"
	"millrace/vector"
)

// errValue says that a value is none of its type, or only in part.
var errValue = errors.New("a value is not of its type")

// Parser makes a column of structs of texts that hold a document each, as from_xml does.
type Parser struct {
	o       *Options
	schema  *types.Type
	corrupt int // the field for malformed documents; -1: none
	rows    []any
}

// NewParser begins a column.
func NewParser(schema *types.Type, o *Options) (*Parser, error) {
	p := &Parser{o: o, schema: schema, corrupt: -1}
	if f, i := schema.Field(o.CorruptRecord, true); i >= 0 && f.Type.Kind == types.KindString {
		p.corrupt = i
	}
	return p, check(schema)
}

// check refuses types that XML has no values of.
func check(t *types.Type) error {
	switch t.Kind {
	case types.KindStruct:
		for _, f := range t.Fields {
			if err := check(f.Type); err != nil {
				return err
			}
		}
		return nil
	case types.KindMap:
		if t.Key.Kind == types.KindString {
			return check(t.Elem)
		}
	case types.KindArray:
		return check(t.Elem)
	case types.KindVariant, types.KindCalendar, types.KindYearMonth, types.KindDayTime, types.KindUDT, types.KindBinary:
	default:
		return nil
	}
	return errs.Unsupportedf("Values of the type %s in XML are not supported.", t.SQL())
}

// Null appends a null.
func (p *Parser) Null() { p.rows = append(p.rows, nil) }

// Vector is the rows so far.
func (p *Parser) Vector() *vector.Vector { return planconv.FromValues(p.schema, p.rows) }

// Add appends a document: a struct with nulls from the first value on that is not of its type, and for all values where it is malformed.
func (p *Parser) Add(data []byte) error {
	row := make([]any, len(p.schema.Fields))
	doc, err := firstElement(data)
	if err == nil {
		row, err = p.o.object(doc.top(), p.schema)
	}
	if err != nil {
		if p.o.Mode == csv.FailFast {
			return errs.New("MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION", "badRecord", "[null]", "failFastMode", "FAILFAST")
		}
		if p.corrupt >= 0 {
			row[p.corrupt] = string(data)
		}
	}
	p.rows = append(p.rows, row)
	return nil
}

// name is an element's or attribute's name as a field has it.
func (o *Options) name(prefix, name string) string {
	if o.IgnoreNamespace {
		return name
	}
	return qualified(prefix, name)
}

// key is what a field's name is found by.
func (o *Options) key(name string) string {
	if o.AnyCase {
		return strings.ToLower(name)
	}
	return name
}

// attributes calls f for those of an element, with the names of their fields.
func (o *Options) attributes(n *node, f func(name, value string)) {
	if o.SkipAttributes {
		return
	}
	for _, a := range n.attributes {
		f(o.AttributePrefix+o.name(a.prefix, a.name), a.value)
	}
}

// object makes a struct of an element's attributes, elements and texts. It ends at the first value that is not of its field's type, with what came before, as in Spark; of
// attributes nothing is left then.
func (o *Options) object(n *node, t *types.Type) (row []any, bad error) {
	row = make([]any, len(t.Fields))
	place := make(map[string]int, len(t.Fields))
	for i, f := range t.Fields {
		place[o.key(f.Name)] = i
	}
	set := func(name, value string) {
		i, ok := place[o.key(name)]
		if !ok {
			return
		}
		ft := t.Fields[i].Type
		list := ft.Kind == types.KindArray
		if list {
			ft = ft.Elem
		}
		v, err := o.scalar(value, ft)
		switch {
		case err != nil:
			bad = err
		case list:
			earlier, _ := row[i].([]any)
			row[i] = append(slices.Clip(earlier), v)
		default:
			row[i] = v
		}
	}
	if o.attributes(n, set); bad != nil {
		return make([]any, len(t.Fields)), bad
	}
	for _, c := range n.children {
		if bad != nil {
			break
		}
		switch {
		case c.kind == text && strings.TrimSpace(c.text) != "":
			set(o.ValueTag, c.text)
		case c.kind == element:
			i, ok := place[o.key(o.name(c.prefix, c.name))]
			if !ok {
				continue
			}
			ft := t.Fields[i].Type
			list := ft.Kind == types.KindArray
			if list {
				ft = ft.Elem
			}
			v, err := o.value(c, ft)
			switch {
			case err != nil:
				bad = err
			case list:
				earlier, _ := row[i].([]any)
				row[i] = append(earlier, v)
			default:
				row[i] = v
			}
		}
	}
	return row, bad
}

// value makes a value of an element.
func (o *Options) value(n *node, t *types.Type) (any, error) {
	switch t.Kind {
	case types.KindStruct:
		return o.object(n, t)
	case types.KindMap:
		return o.mapOf(n, t)
	case types.KindArray: // of an array in an array each element is a row
		var list []any
		for _, c := range n.children {
			if c.kind == element {
				v, err := o.value(c, t.Elem)
				if err != nil {
					return nil, err
				}
				list = append(list, v)
			}
		}
		return list, nil
	}
	if hasElement(n) {
		if t.Kind == types.KindString {
			return o.inner(n), nil
		}
		return nil, errValue
	}
	content := n.content()
	if content == "" {
		if t.Kind == types.KindString && !(o.HasNullValue && o.NullValue == "") {
			return "", nil
		}
		return nil, nil
	}
	return o.scalar(content, t)
}

// inner is the text of an element with elements in it: their XML.
func (o *Options) inner(n *node) string {
	var w writer
	for _, c := range n.children {
		w.node(c)
	}
	return string(w.buf)
}

func (o *Options) mapOf(n *node, t *types.Type) (any, error) {
	entries := []any{}
	var bad error
	set := func(name string, v any, err error) {
		if err != nil {
			bad = err
			return
		}
		for k := 0; k < len(entries); k += 2 {
			if entries[k] == name {
				entries[k+1] = v
				return
			}
		}
		entries = append(entries, name, v)
	}
	o.attributes(n, func(name, value string) {
		v, err := o.scalar(value, t.Elem)
		set(name, v, err)
	})
	for _, c := range n.children {
		if c.kind == element {
			v, err := o.value(c, t.Elem)
			set(o.name(c.prefix, c.name), v, err)
		}
	}
	if bad != nil {
		return nil, bad
	}
	return entries, nil
}

// scalar reads a value that is no element.
func (o *Options) scalar(s string, t *types.Type) (any, error) {
	if !o.KeepSpaces {
		s = strings.TrimSpace(s)
	}
	if o.HasNullValue && s == o.NullValue {
		return nil, nil
	}
	v, ok := any(nil), false
	switch t.Kind {
	case types.KindString, types.KindNull:
		return s, nil
	case types.KindBoolean:
		low := strings.ToLower(s)
		v, ok = low == "true" || low == "1", low == "true" || low == "1" || low == "false" || low == "0"
	case types.KindByte, types.KindShort, types.KindInteger, types.KindLong:
		v, ok = scalar.Int([]byte(s), 8<<(t.Kind-types.KindByte))
	case types.KindFloat, types.KindDouble:
		v, ok = float(s, t)
	case types.KindDecimal:
		v, ok = scalar.Decimal(csv.Ungrouped([]byte(s)), t)
	case types.KindDate:
		var days int32
		days, ok = csv.Day([]byte(s), o.Options)
		v = int64(days)
	case types.KindTimestamp:
		v, ok = csv.Moment([]byte(s), o.Options)
	case types.KindTimestampNTZ:
		v, ok = csv.Local([]byte(s), o.Options)
	case types.KindTime:
		v, ok = csv.Clock([]byte(s), t, o.Options)
	case types.KindStruct: // an element or attribute without parts, where only the text is
		row := make([]any, len(t.Fields))
		f, i := t.Field(o.ValueTag, true)
		if i < 0 {
			return nil, errValue
		}
		var err error
		row[i], err = o.scalar(s, f.Type)
		return row, err
	}
	if !ok {
		return nil, errValue
	}
	return v, nil
}

func float(s string, t *types.Type) (any, bool) {
	size := 64
	if t.Kind == types.KindFloat {
		size = 32
	}
	f, err := strconv.ParseFloat(s, size)
	if errors.Is(err, strconv.ErrRange) {
		err = nil
	}
	return f, err == nil && !strings.ContainsAny(s, "_xX")
}
