package session

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"millrace/types"
)

// text writes values as df.show does: Spark's cast to string, with NULL spelled out and binary in hexadecimal.
type text struct{ zone *time.Location }

// append writes value i of a column.
func (x text) append(b []byte, t *types.Type, a arrow.Array, i int) []byte {
	if a.IsNull(i) {
		return append(b, "NULL"...)
	}
	switch a := a.(type) {
	case *array.Null:
		return append(b, "NULL"...)
	case *array.Boolean:
		return strconv.AppendBool(b, a.Value(i))
	case *array.Int8:
		return strconv.AppendInt(b, int64(a.Value(i)), 10)
	case *array.Int16:
		return strconv.AppendInt(b, int64(a.Value(i)), 10)
	case *array.Int32:
		return strconv.AppendInt(b, int64(a.Value(i)), 10)
	case *array.Int64:
		return strconv.AppendInt(b, a.Value(i), 10)
	case *array.Float32:
		return AppendFloat(b, float64(a.Value(i)), 32)
	case *array.Float64:
		return AppendFloat(b, a.Value(i), 64)
	case *array.Decimal128:
		return append(b, a.Value(i).ToString(int32(t.Scale))...)
	case *array.String:
		return append(b, a.Value(i)...)
	case *array.LargeString:
		return append(b, a.Value(i)...)
	case *array.Binary:
		return appendHex(b, a.Value(i))
	case *array.LargeBinary:
		return appendHex(b, a.Value(i))
	case *array.Dictionary:
		return x.append(b, t, a.Dictionary(), a.GetValueIndex(i))
	}
	return x.appendOther(b, t, a, i)
}

func (x text) appendOther(b []byte, t *types.Type, a arrow.Array, i int) []byte {
	switch a := a.(type) {
	case *array.Date32:
		return appendDate(b, time.Unix(int64(a.Value(i))*86400, 0).UTC())
	case *array.Timestamp:
		at := time.UnixMicro(int64(a.Value(i))).UTC()
		if t.Kind == types.KindTimestamp {
			at = at.In(x.zone)
		}
		return appendClock(append(appendDate(b, at), ' '), at)
	case *array.Time64:
		return appendClock(b, time.Unix(0, int64(a.Value(i))).UTC())
	case *array.MonthInterval:
		return appendYearMonth(b, t, int64(a.Value(i)))
	case *array.Duration:
		return appendDayTime(b, t, int64(a.Value(i)))
	case *array.MonthDayNanoInterval:
		v := a.Value(i)
		return appendCalendar(b, int64(v.Months), int64(v.Days), v.Nanoseconds/1000)
	case *array.Map:
		return x.appendMap(b, t, a, i)
	case array.ListLike:
		return x.appendList(b, t, a, i)
	case *array.Struct:
		if t.Kind == types.KindUDT {
			return x.appendUDT(b, t, a, i)
		}
		if t.Kind == types.KindVariant {
			return appendVariant(b, a, i)
		}
		return x.appendStruct(b, t, a, i)
	}
	return append(b, a.ValueStr(i)...)
}

func (x text) appendList(b []byte, t *types.Type, a array.ListLike, i int) []byte {
	start, end := a.ValueOffsets(i)
	b = append(b, '[')
	for j := start; j < end; j++ {
		if j > start {
			b = append(b, ", "...)
		}
		b = x.append(b, storage(t).Elem, a.ListValues(), int(j))
	}
	return append(b, ']')
}

func (x text) appendMap(b []byte, t *types.Type, a *array.Map, i int) []byte {
	start, end := a.ValueOffsets(i)
	b = append(b, '{')
	for j := start; j < end; j++ {
		if j > start {
			b = append(b, ", "...)
		}
		b = append(x.append(b, t.Key, a.Keys(), int(j)), " -> "...)
		b = x.append(b, t.Elem, a.Items(), int(j))
	}
	return append(b, '}')
}

func (x text) appendStruct(b []byte, t *types.Type, a *array.Struct, i int) []byte {
	b = append(b, '{')
	for f := range a.NumField() {
		if f > 0 {
			b = append(b, ", "...)
		}
		b = x.append(b, t.Fields[f].Type, a.Field(f), i)
	}
	return append(b, '}')
}

func storage(t *types.Type) *types.Type {
	if t.Kind == types.KindUDT {
		return t.Elem
	}
	return t
}

// appendUDT writes ml vectors as Spark's own classes do; other user types show their stored form.
func (x text) appendUDT(b []byte, t *types.Type, a *array.Struct, i int) []byte {
	if !strings.HasSuffix(t.UDT.Class, ".VectorUDT") || a.NumField() != 4 {
		return x.appendStruct(b, t.Elem, a, i)
	}
	joined := func(field int) []byte {
		list := x.append(nil, t.Elem.Fields[field].Type, a.Field(field), i)
		return []byte(strings.ReplaceAll(string(list), ", ", ","))
	}
	if kind, ok := a.Field(0).(*array.Int8); ok && kind.Value(i) == 1 {
		return append(b, joined(3)...)
	}
	b = append(x.append(append(b, '('), types.Integer, a.Field(1), i), ',')
	b = append(append(b, joined(2)...), ',')
	return append(append(b, joined(3)...), ')')
}

func appendHex(b []byte, v []byte) []byte {
	b = append(b, '[')
	for i, c := range v {
		if i > 0 {
			b = append(b, ' ')
		}
		b = fmt.Appendf(b, "%02X", c)
	}
	return append(b, ']')
}

// AppendFloat writes a float or double as Java does: plain between 1e-3 and 1e7, with a digit after the point.
func AppendFloat(b []byte, v float64, bits int) []byte {
	switch abs := math.Abs(v); {
	case math.IsNaN(v):
		return append(b, "NaN"...)
	case math.IsInf(v, 1):
		return append(b, "Infinity"...)
	case math.IsInf(v, -1):
		return append(b, "-Infinity"...)
	case abs == 0 || abs >= 1e-3 && abs < 1e7:
		start := len(b)
		b = strconv.AppendFloat(b, v, 'f', -1, bits)
		if !strings.Contains(string(b[start:]), ".") {
			b = append(b, ".0"...)
		}
		return b
	}
	mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(v, 'e', -1, bits), "e")
	b = append(b, mantissa...)
	if !strings.Contains(mantissa, ".") {
		b = append(b, ".0"...)
	}
	n, _ := strconv.Atoi(exponent)
	return strconv.AppendInt(append(b, 'E'), int64(n), 10)
}

func appendDate(b []byte, at time.Time) []byte {
	y, m, d := at.Date()
	switch {
	case y < 0:
		b, y = append(b, '-'), -y
	case y > 9999:
		b = append(b, '+')
	}
	return fmt.Appendf(b, "%04d-%02d-%02d", y, m, d)
}

func appendClock(b []byte, at time.Time) []byte {
	b = fmt.Appendf(b, "%02d:%02d:%02d", at.Hour(), at.Minute(), at.Second())
	return appendFraction(b, int64(at.Nanosecond()), 9)
}

// appendFraction writes .digits without trailing zeros, or nothing.
func appendFraction(b []byte, v int64, digits int) []byte {
	if v == 0 {
		return b
	}
	return append(b, strings.TrimRight(fmt.Sprintf(".%0*d", digits, v), "0")...)
}

// AppendText appends row i of an array as df.show writes it, timestamps in the given zone.
func AppendText(b []byte, t *types.Type, a arrow.Array, i int, zone *time.Location) []byte {
	return text{zone}.append(b, t, a, i)
}
