// Package vectortest makes random batches for tests and shows batches as plain Go values, slowly and obviously.
package vectortest

import (
	"fmt"
	"math"

	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"pgregory.net/rapid"

	"millrace/types"
	"millrace/vector"
)

// Options say what random batches may be like.
type Options struct {
	MaxRows   int
	NoSel     bool
	NoConst   bool
	NoDict    bool
	NoNulls   bool
	SmallInts bool // few different values, so that keys meet
}

// Atomic are types whose values compare.
var Atomic = []*types.Type{types.Boolean, types.Byte, types.Short, types.Integer, types.Long, types.Float, types.Double, types.String,
	types.Binary, types.Date, types.Timestamp, types.TimestampNTZ, types.Decimal(10, 2), types.Decimal(30, 5), types.YearMonth, types.DayTime}

// Nested are types made of others, and the ones that do not compare.
var Nested = []*types.Type{types.ArrayOf(types.Integer, true), types.ArrayOf(types.String, true),
	types.MapOf(types.String, types.Double, true), types.Struct(types.Field{Name: "a", Type: types.Long, Nullable: true},
		types.Field{Name: "b", Type: types.ArrayOf(types.String, true), Nullable: true}),
	types.ArrayOf(types.Struct(types.Field{Name: "x", Type: types.Boolean, Nullable: true}), true), types.Calendar, types.Null, types.Variant}

// Batch draws a batch with columns of these types.
func Batch(t *rapid.T, columns []*types.Type, o Options) *vector.Batch {
	n := rapid.IntRange(0, max(o.MaxRows, 1)).Draw(t, "rows")
	b := &vector.Batch{N: n, Cols: make([]*vector.Vector, len(columns))}
	for i, c := range columns {
		b.Cols[i] = Vector(t, c, n, o)
	}
	if !o.NoSel && rapid.Bool().Draw(t, "selected") {
		b.Sel = []uint32{}
		for i := range n {
			if rapid.Bool().Draw(t, "sel") {
				b.Sel = append(b.Sel, uint32(i))
			}
		}
	}
	return b
}

// Vector draws a column of n rows.
func Vector(t *rapid.T, c *types.Type, n int, o Options) *vector.Vector {
	shape := rapid.IntRange(0, 5).Draw(t, "shape")
	if shape == 0 && !o.NoConst {
		v := plain(t, c, 1, o)
		v.Len, v.Const = n, true
		return v
	}
	if shape <= 2 && !o.NoDict && c.Kind != types.KindNull {
		return dictionary(t, c, n, o)
	}
	return plain(t, c, n, o)
}

func dictionary(t *rapid.T, c *types.Type, n int, o Options) *vector.Vector {
	d := plain(t, c, rapid.IntRange(1, 5).Draw(t, "entries"), o)
	v := &vector.Vector{}
	v.ResetDict(d, n)
	for i := range n {
		vector.Codes(v)[i] = int32(rapid.IntRange(0, d.Len-1).Draw(t, "code"))
	}
	nulls(t, v, o)
	return v
}

func nulls(t *rapid.T, v *vector.Vector, o Options) {
	if o.NoNulls || !rapid.Bool().Draw(t, "nulls") {
		return
	}
	for i := range v.Len {
		if rapid.IntRange(0, 3).Draw(t, "null") == 0 {
			v.SetNull(i)
		}
	}
}

func plain(t *rapid.T, c *types.Type, n int, o Options) *vector.Vector {
	v := vector.NewEmpty(c)
	kids := vector.ChildTypes(c)
	switch {
	case c.IsStringLike():
		v.Reset(c, n)
		for i := range n {
			v.AppendStr(i, []byte(text(t, o)))
		}
	case c.Kind == types.KindArray || c.Kind == types.KindMap:
		v.Reset(c, n)
		for i := range n {
			v.Offsets[i+1] = v.Offsets[i] + int32(rapid.IntRange(0, 3).Draw(t, "elements"))
		}
		inner := o
		inner.NoNulls = o.NoNulls || c.Kind == types.KindMap
		for i, k := range kids {
			v.Children[i] = Vector(t, k, int(v.Offsets[n]), inner)
		}
	case len(kids) > 0:
		v.Len = n
		for i, k := range kids {
			v.Children[i] = Vector(t, k, n, o)
		}
	case c.Kind == types.KindNull:
		v.Len = n
		return v
	default:
		v.Reset(c, n)
		for i := range n {
			fill(t, v, i, o)
		}
	}
	nulls(t, v, o)
	return v
}

func text(t *rapid.T, o Options) string {
	if o.SmallInts {
		return rapid.SampledFrom([]string{"", "a", "b", "ab", "a string of more than twelve bytes", "a string of more than 12"}).Draw(t, "text")
	}
	return rapid.StringN(0, 20, 40).Draw(t, "text")
}

func integer(t *rapid.T, o Options, lo, hi int64) int64 {
	if o.SmallInts {
		return rapid.Int64Range(max(lo, -3), min(hi, 3)).Draw(t, "int")
	}
	return rapid.Int64Range(lo, hi).Draw(t, "int")
}

func float(t *rapid.T, o Options) float64 {
	if o.SmallInts {
		return rapid.SampledFrom([]float64{0, math.Copysign(0, -1), 1, -1.5, math.NaN(), math.Inf(1), math.Inf(-1)}).Draw(t, "float")
	}
	return rapid.Float64().Draw(t, "float")
}

func fill(t *rapid.T, v *vector.Vector, i int, o Options) {
	switch c := v.Type; c.Kind {
	case types.KindBoolean:
		vector.Values[bool](v)[i] = rapid.Bool().Draw(t, "bool")
	case types.KindFloat:
		vector.Values[float32](v)[i] = float32(float(t, o))
	case types.KindDouble:
		vector.Values[float64](v)[i] = float(t, o)
	case types.KindCalendar:
		vector.Values[vector.CalendarInterval](v)[i] = vector.CalendarInterval{Months: int32(integer(t, o, -9, 9)), Days: int32(integer(t, o, -9, 9)), Micros: integer(t, o, -1e9, 1e9)}
	case types.KindDecimal:
		limit := int64(1)
		for range min(c.Precision, 18) {
			limit *= 10
		}
		x := integer(t, o, 1-limit, limit-1)
		if c.IsShortDecimal() {
			vector.Values[int64](v)[i] = x
		} else {
			vector.Values[decimal128.Num](v)[i] = decimal128.FromI64(x).Mul(decimal128.FromI64(1000))
		}
	default:
		switch vector.Width(c) {
		case 1:
			vector.Values[int8](v)[i] = int8(integer(t, o, math.MinInt8, math.MaxInt8))
		case 2:
			vector.Values[int16](v)[i] = int16(integer(t, o, math.MinInt16, math.MaxInt16))
		case 4:
			vector.Values[int32](v)[i] = int32(integer(t, o, math.MinInt32, math.MaxInt32))
		default:
			vector.Values[int64](v)[i] = integer(t, o, math.MinInt64, math.MaxInt64)
		}
	}
}

// Rows shows the rows of a batch that exist, one list of values a row.
func Rows(b *vector.Batch) [][]any {
	rows := [][]any{}
	for k := range b.Rows() {
		r := k
		if b.Sel != nil {
			r = int(b.Sel[k])
		}
		row := make([]any, len(b.Cols))
		for c, v := range b.Cols {
			row[c] = Value(v, r)
		}
		rows = append(rows, row)
	}
	return rows
}

// Value is row i of a vector as nil, bool, int64, float64, string, decimal128.Num, CalendarInterval or a list of those.
func Value(v *vector.Vector, i int) any {
	if v.IsNull(i) {
		return nil
	}
	i = v.Row(i)
	if v.Dict != nil {
		return Value(v.Dict, int(vector.Codes(v)[i]))
	}
	switch c := vector.Storage(v.Type); c.Kind {
	case types.KindBoolean:
		return vector.Values[bool](v)[i]
	case types.KindFloat:
		return float64(vector.Values[float32](v)[i])
	case types.KindDouble:
		return vector.Values[float64](v)[i]
	case types.KindString, types.KindBinary:
		return string(v.Str(i))
	case types.KindCalendar:
		return vector.Values[vector.CalendarInterval](v)[i]
	case types.KindArray, types.KindMap:
		list := []any{}
		for e := v.Offsets[i]; e < v.Offsets[i+1]; e++ {
			for _, k := range v.Children {
				list = append(list, Value(k, int(e)))
			}
		}
		return list
	case types.KindStruct, types.KindVariant:
		list := []any{}
		for _, k := range v.Children {
			list = append(list, Value(k, i))
		}
		return list
	}
	switch vector.Width(v.Type) {
	case 1:
		return int64(vector.Values[int8](v)[i])
	case 2:
		return int64(vector.Values[int16](v)[i])
	case 4:
		return int64(vector.Values[int32](v)[i])
	case 16:
		return vector.Values[decimal128.Num](v)[i]
	}
	return vector.Values[int64](v)[i]
}

// Show writes rows so that equal ones, NaN too, are equal strings.
func Show(rows [][]any) []string {
	list := make([]string, len(rows))
	for i, r := range rows {
		list[i] = fmt.Sprintf("%#v", r)
	}
	return list
}
