// Package rows shows vectors' values one by one, for tests: it boxes every value.
package rows

import (
	"encoding/hex"
	"encoding/json"
	"math"
	"math/big"
	"strings"

	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"millrace/types"
	"millrace/vector"
)

// Value is row i of v as JSON would hold it: numbers, strings, binaries in hexadecimal, decimals as text, dates and
// timestamps as numbers of their unit, structs as lists, maps as lists of pairs.
func Value(v *vector.Vector, i int) any {
	if v.IsNull(i) {
		return nil
	}
	if v.Dict != nil {
		return Value(v.Dict, int(vector.Codes(v)[v.Row(i)]))
	}
	i = v.Row(i)
	switch v.Type.Kind {
	case types.KindBoolean:
		return v.Data[i] != 0
	case types.KindByte:
		return int64(vector.Values[int8](v)[i])
	case types.KindShort:
		return int64(vector.Values[int16](v)[i])
	case types.KindInteger, types.KindDate, types.KindYearMonth:
		return int64(vector.Values[int32](v)[i])
	case types.KindFloat:
		return float(float64(vector.Values[float32](v)[i]))
	case types.KindDouble:
		return float(vector.Values[float64](v)[i])
	case types.KindString:
		return string(v.Str(i))
	case types.KindBinary:
		return hex.EncodeToString(v.Str(i))
	case types.KindDecimal:
		return decimal(v, i)
	case types.KindArray, types.KindMap, types.KindStruct:
		return nested(v, i)
	}
	return vector.Values[int64](v)[i]
}

func float(f float64) any {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		b, _ := json.Marshal(f)
		return "float " + string(b)
	}
	return f
}

func decimal(v *vector.Vector, i int) string {
	n := new(big.Int)
	if v.Type.IsShortDecimal() {
		n.SetInt64(vector.Values[int64](v)[i])
	} else {
		n = vector.Values[decimal128.Num](v)[i].BigInt()
	}
	sign := ""
	if n.Sign() < 0 {
		sign, n = "-", n.Neg(n)
	}
	s := n.String()
	if scale := v.Type.Scale; scale > 0 {
		s = strings.Repeat("0", max(0, scale+1-len(s))) + s
		s = s[:len(s)-scale] + "." + s[len(s)-scale:]
	}
	return sign + s
}

func nested(v *vector.Vector, i int) any {
	list := []any{}
	switch v.Type.Kind {
	case types.KindStruct:
		for _, c := range v.Children {
			list = append(list, Value(c, i))
		}
	case types.KindArray:
		for j := v.Offsets[i]; j < v.Offsets[i+1]; j++ {
			list = append(list, Value(v.Children[0], int(j)))
		}
	case types.KindMap:
		for j := v.Offsets[i]; j < v.Offsets[i+1]; j++ {
			list = append(list, []any{Value(v.Children[0], int(j)), Value(v.Children[1], int(j))})
		}
	}
	return list
}

// Lines is every selected row of a batch as a line of JSON.
func Lines(b *vector.Batch) []string {
	var lines []string
	one := func(i int) {
		row := make([]any, len(b.Cols))
		for c, v := range b.Cols {
			row[c] = Value(v, i)
		}
		lines = append(lines, JSON(row))
	}
	if b.Sel != nil {
		for _, i := range b.Sel {
			one(int(i))
		}
		return lines
	}
	for i := range b.N {
		one(i)
	}
	return lines
}

// JSON is v without HTML escapes.
func JSON(v any) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return err.Error()
	}
	return strings.TrimSuffix(b.String(), "\n")
}
