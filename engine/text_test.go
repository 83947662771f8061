package engine_test

import (
	"encoding/hex"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// rowsOf are a record batch's rows as testdata/take.py writes Spark's: values separated by " | ".
func rowsOf(rec arrow.RecordBatch) []string {
	rows := make([]string, rec.NumRows())
	for i := range rows {
		values := make([]string, rec.NumCols())
		for k, col := range rec.Columns() {
			values[k] = textOf(col, i)
		}
		rows[i] = strings.Join(values, " | ")
	}
	return rows
}

// textOf is a value as text.
func textOf(a arrow.Array, i int) string {
	if a.IsNull(i) || a.DataType().ID() == arrow.NULL {
		return "NULL"
	}
	switch a := a.(type) {
	case *array.Float32:
		return floatText(float64(a.Value(i)), 32)
	case *array.Float64:
		return floatText(a.Value(i), 64)
	case *array.Decimal128:
		return a.Value(i).ToString(a.DataType().(*arrow.Decimal128Type).Scale)
	case *array.String:
		return stringText(a.Value(i))
	case *array.Binary:
		return "x" + hex.EncodeToString(a.Value(i))
	case *array.Date32:
		return a.Value(i).ToTime().Format("2006-01-02")
	case *array.Timestamp:
		return a.Value(i).ToTime(arrow.Microsecond).UTC().Format("2006-01-02 15:04:05.999999")
	case *array.Duration:
		return fmt.Sprintf("%dus", int64(a.Value(i)))
	case *array.Map:
		return mapText(a, i)
	case *array.List:
		start, end := a.ValueOffsets(i)
		return "[" + strings.Join(textsOf(a.ListValues(), int(start), int(end)), ", ") + "]"
	case *array.Struct:
		fields := make([]string, a.NumField())
		for k := range fields {
			fields[k] = textOf(a.Field(k), i)
		}
		return "{" + strings.Join(fields, ", ") + "}"
	}
	return a.ValueStr(i)
}

func textsOf(a arrow.Array, start, end int) []string {
	list := make([]string, 0, end-start)
	for i := start; i < end; i++ {
		list = append(list, textOf(a, i))
	}
	return list
}

func mapText(a *array.Map, i int) string {
	start, end := a.ValueOffsets(i)
	pairs := textsOf(a.Keys(), int(start), int(end))
	for k := range pairs {
		pairs[k] += ": " + textOf(a.Items(), int(start)+k)
	}
	slices.Sort(pairs) // a map has no order
	return "{" + strings.Join(pairs, ", ") + "}"
}

// stringText escapes what would break a line or a column.
func stringText(s string) string {
	if s == "" {
		return "''"
	}
	return strings.NewReplacer("\\", `\\`, "\n", `\n`, "\r", `\r`, "|", `\|`).Replace(s)
}

// floatText is a number as Python writes it.
func floatText(v float64, bits int) string {
	a := math.Abs(v)
	switch {
	case math.IsNaN(v):
		return "nan"
	case math.IsInf(v, 0):
		return strings.ToLower(strings.TrimPrefix(strconv.FormatFloat(v, 'g', -1, 64), "+"))
	case a != 0 && (a >= 1e16 || a < 1e-4):
		return strconv.FormatFloat(v, 'e', -1, bits)
	}
	s := strconv.FormatFloat(v, 'f', -1, bits)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}
