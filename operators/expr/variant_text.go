package expr

import (
	"encoding/base64"
	"math"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"millrace/variant"
)

// AppendVariant appends a variant as JSON, as to_json and CAST write it. What does not follow the format ends the text with an error.
func (f *Formatter) AppendVariant(dst []byte, v variant.Value) ([]byte, error) {
	return f.appendVariant(dst, v, 0)
}

func (f *Formatter) appendVariant(dst []byte, v variant.Value, depth int) ([]byte, error) {
	if depth > variant.MaxDepth {
		return dst, malformedVariant()
	}
	switch v.Kind() {
	case variant.Null:
		return append(dst, "null"...), nil
	case variant.Boolean:
		if v.Bool() {
			return append(dst, "true"...), nil
		}
		return append(dst, "false"...), nil
	case variant.Long:
		return appendInt(dst, v.Long()), nil
	case variant.Double:
		return quoteUnlessFinite(dst, v.Double(), func(dst []byte) []byte { return AppendDouble(dst, v.Double()) }), nil
	case variant.Float:
		return quoteUnlessFinite(dst, float64(v.Float()), func(dst []byte) []byte { return AppendFloat(dst, v.Float()) }), nil
	case variant.Decimal:
		digits, _, scale := v.Number()
		return FormatDecimal(dst, digits, scale), nil
	case variant.Date:
		return append(AppendDate(append(dst, '"'), v.Long()), '"'), nil
	case variant.Timestamp:
		local := LocalMicros(v.Long(), f.Zone)
		dst = AppendTimestamp(append(dst, '"'), local)
		return append(appendOffset(dst, time.Duration(local-v.Long())*time.Microsecond), '"'), nil
	case variant.TimestampNTZ:
		return append(AppendTimestamp(append(dst, '"'), v.Long()), '"'), nil
	case variant.Binary:
		return append(base64.StdEncoding.AppendEncode(append(dst, '"'), v.Bytes()), '"'), nil
	case variant.String:
		return AppendJSONString(dst, v.Bytes(), false), nil
	case variant.UUID:
		return append(appendUUID(append(dst, '"'), v.Bytes()), '"'), nil
	case variant.Array, variant.Object:
		return f.appendParts(dst, v, depth)
	}
	return dst, malformedVariant()
}

func (f *Formatter) appendParts(dst []byte, v variant.Value, depth int) ([]byte, error) {
	object := v.Kind() == variant.Object
	ends := "[]"
	if object {
		ends = "{}"
	}
	dst = append(dst, ends[0])
	for i := range v.Len() {
		if i > 0 {
			dst = append(dst, ',')
		}
		if object {
			name, ok := v.Name(i)
			if !ok {
				return dst, malformedVariant()
			}
			dst = append(AppendJSONString(dst, name, false), ':')
		}
		var err error
		if dst, err = f.appendVariant(dst, v.At(i), depth+1); err != nil {
			return dst, err
		}
	}
	return append(dst, ends[1]), nil
}

func quoteUnlessFinite(dst []byte, x float64, number func([]byte) []byte) []byte {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return append(number(append(dst, '"')), '"')
	}
	return number(dst)
}

// appendOffset appends a zone's distance from UTC: +01:00.
func appendOffset(dst []byte, d time.Duration) []byte {
	sign := byte('+')
	if d < 0 {
		sign, d = '-', -d
	}
	h, m := int(d.Hours()), int(d.Minutes())%60
	return append(dst, sign, byte('0'+h/10), byte('0'+h%10), ':', byte('0'+m/10), byte('0'+m%10))
}

// AppendJSONString quotes a string as Jackson does; ascii asks for escapes of all that is not ASCII.
func AppendJSONString(dst, s []byte, ascii bool) []byte {
	dst = append(dst, '"')
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c >= utf8.RuneSelf && ascii:
			r, n := utf8.DecodeRune(s[i:])
			for _, u := range utf16.AppendRune(nil, r) {
				dst = appendUnit(dst, u)
			}
			i += n - 1
		case c >= ' ':
			dst = append(dst, c)
		case c == '\n':
			dst = append(dst, `\n`...)
		case c == '\t':
			dst = append(dst, `\t`...)
		case c == '\r':
			dst = append(dst, `\r`...)
		case c == '\b':
			dst = append(dst, `\b`...)
		case c == '\f':
			dst = append(dst, `\f`...)
		default:
			dst = appendUnit(dst, uint16(c))
		}
	}
	return append(dst, '"')
}

func appendUnit(dst []byte, u uint16) []byte {
	const digits = "0123456789ABCDEF"
	return append(dst, '\\', 'u', digits[u>>12], digits[u>>8&15], digits[u>>4&15], digits[u&15])
}
