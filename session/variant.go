package session

import (
	"encoding/base64"
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow/array"

	"millrace/variant"
)

// appendVariant writes a variant as JSON; a malformed one shows as such instead of ending the query.
func appendVariant(b []byte, a *array.Struct, i int) []byte {
	value, ok1 := a.Field(0).(*array.Binary)
	meta, ok2 := a.Field(1).(*array.Binary)
	if ok1 && ok2 {
		if out, ok := appendVariantJSON(nil, variant.New(meta.Value(i), value.Value(i)), 0); ok {
			return append(b, out...)
		}
	}
	return append(b, "MALFORMED_VARIANT"...)
}

// maxVariantDepth bounds the recursion over foreign bytes.
const maxVariantDepth = 1000

// appendVariantJSON writes a variant as Spark's to_json does; false where it is malformed. Times are shown in UTC.
func appendVariantJSON(b []byte, v variant.Value, depth int) ([]byte, bool) {
	if depth > maxVariantDepth {
		return nil, false
	}
	quoted := func(s []byte) ([]byte, bool) { return append(append(append(b, '"'), s...), '"'), true }
	switch kind := v.Kind(); kind {
	case variant.Null:
		return append(b, "null"...), true
	case variant.Boolean:
		return strconv.AppendBool(b, v.Bool()), true
	case variant.Long:
		return strconv.AppendInt(b, v.Long(), 10), true
	case variant.Double:
		return appendJSONFloat(b, v.Double(), 64), true
	case variant.Float:
		return appendJSONFloat(b, float64(v.Float()), 32), true
	case variant.Decimal:
		digits, _, scale := v.Number()
		return append(b, digits.ToString(int32(scale))...), true
	case variant.Date:
		return quoted(appendDate(nil, time.Unix(v.Long()*86400, 0).UTC()))
	case variant.Timestamp, variant.TimestampNTZ:
		at := time.UnixMicro(v.Long()).UTC()
		s := appendClock(append(appendDate(nil, at), ' '), at)
		if kind == variant.Timestamp {
			s = append(s, "+00:00"...)
		}
		return quoted(s)
	case variant.Binary:
		return quoted([]byte(base64.StdEncoding.EncodeToString(v.Bytes())))
	case variant.String:
		return appendQuoted(b, string(v.Bytes())), true
	case variant.Array:
		return appendVariantParts(append(b, '['), v, depth, ']')
	case variant.Object:
		return appendVariantParts(append(b, '{'), v, depth, '}')
	}
	return nil, false
}

// appendVariantParts writes the elements of an array, or the fields of an object.
func appendVariantParts(b []byte, v variant.Value, depth int, end byte) ([]byte, bool) {
	for i := range v.Len() {
		if i > 0 {
			b = append(b, ',')
		}
		if end == '}' {
			name, ok := v.Name(i)
			if !ok {
				return nil, false
			}
			b = append(appendQuoted(b, string(name)), ':')
		}
		var ok bool
		if b, ok = appendVariantJSON(b, v.At(i), depth+1); !ok {
			return nil, false
		}
	}
	return append(b, end), true
}

func appendJSONFloat(b []byte, v float64, bits int) []byte {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return append(AppendFloat(append(b, '"'), v, bits), '"')
	}
	return AppendFloat(b, v, bits)
}

func appendQuoted(b []byte, s string) []byte {
	var out strings.Builder
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	if e.Encode(s) != nil {
		return append(b, `""`...)
	}
	return append(b, strings.TrimSuffix(out.String(), "\n")...)
}
