package variant

import (
	"bytes"
	"slices"
	"strings"

	"millrace/types"
)

// SchemaOf is the type that schema_of_variant finds: objects are structs, and what differs in an array is a variant.
func SchemaOf(v Value) (*types.Type, error) { return schemaOf(v, 0) }

func schemaOf(v Value, depth int) (*types.Type, error) {
	if depth > MaxDepth {
		return nil, ErrMalformed
	}
	switch v.Kind() {
	case Null:
		return types.Null, nil
	case Boolean:
		return types.Boolean, nil
	case Long:
		return types.Long, nil
	case Double:
		return types.Double, nil
	case Float:
		return types.Float, nil
	case Decimal:
		_, precision, scale := v.Number()
		return types.Decimal(precision, scale), nil
	case Date:
		return types.Date, nil
	case Timestamp:
		return types.Timestamp, nil
	case TimestampNTZ:
		return types.TimestampNTZ, nil
	case Binary:
		return types.Binary, nil
	case String:
		return types.String, nil
	case UUID:
		return &types.Type{Kind: types.KindUDT, UDT: &types.UDT{Class: "UUID"}, Elem: types.String}, nil
	case Array:
		elem := types.Null
		for i := range v.Len() {
			t, err := schemaOf(v.At(i), depth+1)
			if err != nil {
				return nil, err
			}
			elem = MergeSchemas(elem, t)
		}
		return types.ArrayOf(elem, true), nil
	case Object:
		s := types.Struct()
		for i := range v.Len() {
			name, ok := v.Name(i)
			t, err := schemaOf(v.At(i), depth+1)
			if err != nil || !ok {
				return nil, ErrMalformed
			}
			s.Fields = append(s.Fields, types.Field{Name: strings.ToValidUTF8(string(name), "\uFFFD"), Type: t, Nullable: true})
		}
		return s, nil
	}
	return nil, ErrMalformed
}

// MergeSchemas is the type of values of either type: a variant where there is no other.
func MergeSchemas(a, b *types.Type) *types.Type {
	switch {
	case a.Kind == types.KindNull:
		return b
	case b.Kind == types.KindNull || a.SameData(b):
		return a
	case a.IsNumeric() && b.IsNumeric():
		return mergeNumbers(a, b)
	case a.IsDateTime() && b.IsDateTime():
		if a.Kind == types.KindTimestamp || b.Kind == types.KindTimestamp {
			return types.Timestamp
		}
		return types.TimestampNTZ
	case a.Kind == types.KindArray && b.Kind == types.KindArray:
		return types.ArrayOf(MergeSchemas(a.Elem, b.Elem), true)
	case a.Kind == types.KindStruct && b.Kind == types.KindStruct:
		return mergeObjects(a, b)
	}
	return types.Variant
}

// mergeNumbers is of two different types among BIGINT, DECIMAL, FLOAT and DOUBLE.
func mergeNumbers(a, b *types.Type) *types.Type {
	if a.Kind != types.KindDecimal && b.Kind != types.KindDecimal {
		if a.Kind < b.Kind {
			return b
		}
		return a
	}
	if a.IsFloating() || b.IsFloating() {
		return types.Double
	}
	long := types.Decimal(20, 0)
	if a.Kind == types.KindLong {
		a = long
	}
	if b.Kind == types.KindLong {
		b = long
	}
	scale := max(a.Scale, b.Scale)
	precision := max(a.Precision-a.Scale, b.Precision-b.Scale) + scale
	if precision > types.MaxPrecision {
		return types.Double
	}
	return types.Decimal(precision, scale)
}

// mergeObjects joins the fields, which are in the order of their names.
func mergeObjects(a, b *types.Type) *types.Type {
	s := types.Struct()
	x, y := a.Fields, b.Fields
	for len(x) > 0 && len(y) > 0 {
		switch c := bytes.Compare([]byte(x[0].Name), []byte(y[0].Name)); {
		case c < 0:
			s.Fields, x = append(s.Fields, x[0]), x[1:]
		case c > 0:
			s.Fields, y = append(s.Fields, y[0]), y[1:]
		default:
			f := x[0]
			f.Type = MergeSchemas(f.Type, y[0].Type)
			s.Fields, x, y = append(s.Fields, f), x[1:], y[1:]
		}
	}
	s.Fields = slices.Concat(s.Fields, x, y)
	return s
}

// SchemaText is a schema as schema_of_variant writes it.
func SchemaText(t *types.Type) string {
	switch t.Kind {
	case types.KindUDT:
		return t.UDT.Class
	case types.KindArray:
		return "ARRAY<" + SchemaText(t.Elem) + ">"
	case types.KindStruct:
		parts := make([]string, len(t.Fields))
		for i, f := range t.Fields {
			parts[i] = types.QuoteIfNeeded(f.Name) + ": " + SchemaText(f.Type)
		}
		return "OBJECT<" + strings.Join(parts, ", ") + ">"
	}
	return t.SQL()
}
