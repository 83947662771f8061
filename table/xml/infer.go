package xml

import (
	"sort"
	"strings"

	"millrace/table/csv"
	"millrace/table/internal/scalar"
	"millrace/types"
)

// TypeOf is the type that schema_of_xml finds for a document.
func TypeOf(data []byte, o *Options) (*types.Type, error) {
	doc, err := firstElement(data)
	if err != nil {
		return nil, err
	}
	t := o.infer(doc.top(), true)
	if t.Kind != types.KindStruct { // nothing but a text
		return types.Struct(), nil
	}
	return canonical(t), nil
}

// infer is an element's type: of nothing, of a value, or a struct of what is in it.
func (o *Options) infer(n *node, top bool) *types.Type {
	fields := map[string]*types.Type{}
	add := func(name string, t *types.Type) {
		if earlier, twice := fields[name]; twice {
			if earlier.Kind == types.KindArray {
				earlier = earlier.Elem
			}
			t = types.ArrayOf(o.merge(earlier, t), true)
		}
		fields[name] = t
	}
	o.attributes(n, func(name, value string) { add(name, o.inferValue(value)) })
	only := types.Null // what the element is if it holds a value alone
	for _, c := range n.children {
		switch {
		case c.kind == element:
			add(o.name(c.prefix, c.name), o.infer(c, false))
		case c.kind == text && strings.TrimSpace(c.text) != "":
			only = o.inferValue(c.text)
			add(o.ValueTag, only)
		}
	}
	if _, value := fields[o.ValueTag]; !top && len(fields) == 1 && value && fields[o.ValueTag].Kind != types.KindArray {
		return only
	}
	if len(fields) == 0 {
		return types.Null
	}
	return structOf(fields)
}

func structOf(fields map[string]*types.Type) *types.Type {
	t := types.Struct()
	for name, ft := range fields {
		t.Fields = append(t.Fields, types.Field{Name: name, Type: ft, Nullable: true})
	}
	sort.Slice(t.Fields, func(i, j int) bool { return t.Fields[i].Name < t.Fields[j].Name })
	return t
}

func (o *Options) inferValue(s string) *types.Type {
	if !o.KeepSpaces {
		s = strings.TrimSpace(s)
	}
	if o.NoInference {
		return types.String
	}
	b := []byte(s)
	if s == "" {
		return types.Null
	}
	if _, ok := scalar.Int(b, 64); ok {
		return types.Long
	}
	if t := o.inferDecimal(s); t != nil {
		return t
	}
	if _, ok := float(s, types.Double); ok {
		return types.Double
	}
	switch strings.ToLower(s) {
	case "true", "false":
		return types.Boolean
	}
	if _, ok := csv.Day(b, o.Options); ok {
		return types.Date
	}
	if _, ok := csv.Moment(b, o.Options); ok {
		return types.Timestamp
	}
	return types.String
}

// inferDecimal is the decimal of a number's digits, where the option prefersDecimal asks for it.
func (o *Options) inferDecimal(s string) *types.Type {
	if !o.PreferDecimal {
		return nil
	}
	digits := strings.TrimLeft(s, "+-")
	whole, fraction, _ := strings.Cut(digits, ".")
	if digits == "" || strings.Trim(whole+fraction, "0123456789") != "" || len(whole)+len(fraction) > types.MaxPrecision {
		return nil
	}
	whole = strings.TrimLeft(whole, "0")
	return types.Decimal(max(1, len(whole)+len(fraction)), len(fraction))
}

// merge is a type of values of both.
func (o *Options) merge(a, b *types.Type) *types.Type {
	switch {
	case a.Kind == types.KindNull:
		return b
	case b.Kind == types.KindNull || a.SameData(b):
		return a
	case a.IsNumeric() && b.IsNumeric():
		return scalar.WiderNumber(a, b)
	case a.Kind == types.KindDate && b.Kind == types.KindTimestamp, a.Kind == types.KindTimestamp && b.Kind == types.KindDate:
		return types.Timestamp
	case a.Kind == types.KindStruct && b.Kind == types.KindStruct:
		fields := map[string]*types.Type{}
		for _, f := range a.Fields {
			fields[f.Name] = f.Type
		}
		for _, f := range b.Fields {
			if t := fields[f.Name]; t != nil {
				f.Type = o.merge(t, f.Type)
			}
			fields[f.Name] = f.Type
		}
		return structOf(fields)
	case a.Kind == types.KindStruct && b.Kind != types.KindArray: // of those without parts there is a value, if others have one
		if _, i := a.Field(o.ValueTag, true); i < 0 {
			return types.String
		}
		return o.merge(a, structOf(map[string]*types.Type{o.ValueTag: b}))
	case b.Kind == types.KindStruct && a.Kind != types.KindArray:
		return o.merge(b, a)
	case a.Kind == types.KindArray && b.Kind == types.KindArray:
		return types.ArrayOf(o.merge(a.Elem, b.Elem), true)
	case a.Kind == types.KindArray:
		return types.ArrayOf(o.merge(a.Elem, b), true)
	case b.Kind == types.KindArray:
		return types.ArrayOf(o.merge(b.Elem, a), true)
	}
	return types.String
}

// canonical makes strings of what is of no type.
func canonical(t *types.Type) *types.Type {
	switch t.Kind {
	case types.KindNull:
		return types.String
	case types.KindArray:
		return types.ArrayOf(canonical(t.Elem), true)
	case types.KindStruct:
		out := types.Struct()
		for _, f := range t.Fields {
			f.Type = canonical(f.Type)
			out.Fields = append(out.Fields, f)
		}
		return out
	}
	return t
}
