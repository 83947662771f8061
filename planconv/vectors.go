package planconv

import (
	"encoding/binary"
	"slices"

	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"millrace/types"
	"millrace/vector"
)

// FromValues makes a vector from values in plan.Literal's form. For constants and tests, not for hot paths.
func FromValues(t *types.Type, values []any) *vector.Vector {
	v := &vector.Vector{}
	v.Reset(t, len(values))
	for i, x := range values {
		if x == nil {
			v.SetNull(i)
		}
	}
	if t.Kind == types.KindUDT {
		t = t.Elem
	}
	switch t.Kind {
	case types.KindNull:
	case types.KindString, types.KindBinary:
		setBytes(v, values)
	case types.KindVariant:
		setVariants(v, values)
	case types.KindArray:
		v.Children = []*vector.Vector{FromValues(t.Elem, flatten(v, values, 1)[0])}
	case types.KindMap:
		parts := flatten(v, values, 2)
		v.Children = []*vector.Vector{FromValues(t.Key, parts[0]), FromValues(t.Elem, parts[1])}
	case types.KindStruct:
		setFields(v, t, values)
	default:
		for i, x := range values {
			setFixed(v, t, i, x)
		}
	}
	return v
}

func setBytes(v *vector.Vector, values []any) {
	if v.Offsets == nil {
		v.Offsets = make([]int32, len(values)+1)
	}
	for i, x := range values {
		switch s := x.(type) {
		case string:
			v.AppendStr(i, []byte(s))
		case []byte:
			v.AppendStr(i, s)
		default:
			v.AppendStr(i, nil)
		}
	}
}

// setVariants takes variants apart as At puts them together.
func setVariants(v *vector.Vector, values []any) {
	parts := [2][]any{make([]any, len(values)), make([]any, len(values))}
	for i, x := range values {
		if b, ok := x.([]byte); ok {
			metadata := 4 + binary.LittleEndian.Uint32(b)
			parts[0][i], parts[1][i] = b[metadata:], b[4:metadata]
		} else {
			parts[0][i], parts[1][i] = []byte(nil), []byte(nil)
		}
	}
	v.Children = []*vector.Vector{FromValues(types.Binary, parts[0]), FromValues(types.Binary, parts[1])}
}

// flatten concatenates lists, dealing their elements out over n columns in turn, and sets v's offsets.
func flatten(v *vector.Vector, values []any, n int) [][]any {
	parts := make([][]any, n)
	for i, x := range values {
		list, _ := x.([]any)
		for j, e := range list {
			parts[j%n] = append(parts[j%n], e)
		}
		v.Offsets[i+1] = int32(len(parts[0]))
	}
	return parts
}

func setFields(v *vector.Vector, t *types.Type, values []any) {
	for f, field := range t.Fields {
		column := make([]any, len(values))
		for i, x := range values {
			if row, ok := x.([]any); ok {
				column[i] = row[f]
			}
		}
		v.Children = append(v.Children, FromValues(field.Type, column))
	}
}

func setFixed(v *vector.Vector, t *types.Type, i int, x any) {
	if x == nil {
		clear(v.Data[i*vector.Width(t) : (i+1)*vector.Width(t)])
		return
	}
	switch x := x.(type) {
	case bool:
		vector.Values[bool](v)[i] = x
	case float64:
		if t.Kind == types.KindFloat {
			vector.Values[float32](v)[i] = float32(x)
		} else {
			vector.Values[float64](v)[i] = x
		}
	case decimal128.Num:
		if t.IsShortDecimal() {
			vector.Values[int64](v)[i] = int64(x.LowBits())
		} else {
			vector.Values[decimal128.Num](v)[i] = x
		}
	case vector.CalendarInterval:
		vector.Values[vector.CalendarInterval](v)[i] = x
	case int64:
		setInteger(v, t, i, x)
	case int:
		setInteger(v, t, i, int64(x))
	case int32:
		setInteger(v, t, i, int64(x))
	}
}

func setInteger(v *vector.Vector, t *types.Type, i int, x int64) {
	switch vector.Width(t) {
	case 1:
		vector.Values[int8](v)[i] = int8(x)
	case 2:
		vector.Values[int16](v)[i] = int16(x)
	case 4:
		if t.Kind == types.KindFloat {
			vector.Values[float32](v)[i] = float32(x)
			return
		}
		vector.Values[int32](v)[i] = int32(x)
	case 8:
		if t.Kind == types.KindDouble {
			vector.Values[float64](v)[i] = float64(x)
			return
		}
		vector.Values[int64](v)[i] = x
	default:
		vector.Values[decimal128.Num](v)[i] = decimal128.FromI64(x)
	}
}

// At is the value of row i in plan.Literal's form. For results and constants, not for hot paths.
func At(v *vector.Vector, i int) any {
	if v.IsNull(i) {
		return nil
	}
	i = v.Row(i)
	if v.Dict != nil {
		return At(v.Dict, int(vector.Codes(v)[i]))
	}
	t := v.Type
	if t.Kind == types.KindUDT {
		t = t.Elem
	}
	switch t.Kind {
	case types.KindString:
		return string(v.Str(i))
	case types.KindBinary:
		return append([]byte{}, v.Str(i)...)
	case types.KindVariant: // the metadata's length, the metadata, the value
		metadata, value := v.Children[1].Str(i), v.Children[0].Str(i)
		return slices.Concat(binary.LittleEndian.AppendUint32(nil, uint32(len(metadata))), metadata, value)
	case types.KindArray:
		return list(v, i)
	case types.KindMap:
		return list(v, i)
	case types.KindStruct:
		row := make([]any, len(v.Children))
		for f, c := range v.Children {
			row[f] = At(c, i)
		}
		return row
	}
	return fixed(v, t, i)
}

func list(v *vector.Vector, i int) []any {
	var out []any
	for j := int(v.Offsets[i]); j < int(v.Offsets[i+1]); j++ {
		for _, c := range v.Children {
			out = append(out, At(c, j))
		}
	}
	if out == nil {
		out = []any{}
	}
	return out
}

func fixed(v *vector.Vector, t *types.Type, i int) any {
	switch t.Kind {
	case types.KindBoolean:
		return vector.Values[bool](v)[i]
	case types.KindFloat:
		return float64(vector.Values[float32](v)[i])
	case types.KindDouble:
		return vector.Values[float64](v)[i]
	case types.KindCalendar:
		return vector.Values[vector.CalendarInterval](v)[i]
	}
	switch vector.Width(t) {
	case 1:
		return int64(vector.Values[int8](v)[i])
	case 2:
		return int64(vector.Values[int16](v)[i])
	case 4:
		return int64(vector.Values[int32](v)[i])
	case 8:
		return vector.Values[int64](v)[i]
	}
	return vector.Values[decimal128.Num](v)[i]
}
