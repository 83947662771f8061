package session

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"math"
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow/array"
)

// appendVariant writes a variant as JSON; a malformed one shows as such instead of ending the query.
func appendVariant(b []byte, a *array.Struct, i int) []byte {
	value, ok1 := a.Field(0).(*array.Binary)
	meta, ok2 := a.Field(1).(*array.Binary)
	if !ok1 || !ok2 {
		return append(b, "MALFORMED_VARIANT"...)
	}
	out, err := VariantJSON(value.Value(i), meta.Value(i))
	if err != nil {
		return append(b, "MALFORMED_VARIANT"...)
	}
	return append(b, out...)
}

var errVariant = errors.New("malformed variant")

// VariantJSON writes a variant (the binary encoding that Parquet specifies) as Spark's to_json does.
func VariantJSON(value, metadata []byte) (out []byte, err error) {
	defer func() { // every offset below is data: an index out of range means that it is wrong
		if recover() != nil {
			out, err = nil, errVariant
		}
	}()
	v := variant{meta: metadata, width: int(metadata[0]>>6) + 1}
	v.keys = v.uint(metadata[1:], v.width)
	return v.append(nil, value, 0)
}

type variant struct {
	meta  []byte
	width int // bytes of an offset in the dictionary
	keys  int
}

// maxVariantDepth bounds the recursion over foreign bytes.
const maxVariantDepth = 1000

func (v *variant) uint(b []byte, width int) int {
	n := 0
	for i := range width {
		n |= int(b[i]) << (8 * i)
	}
	return n
}

func (v *variant) key(i int) string {
	if i >= v.keys {
		panic(errVariant)
	}
	offsets := v.meta[1+v.width:]
	data := offsets[(v.keys+1)*v.width:]
	return string(data[v.uint(offsets[i*v.width:], v.width):v.uint(offsets[(i+1)*v.width:], v.width)])
}

func (v *variant) append(b, value []byte, depth int) ([]byte, error) {
	if depth > maxVariantDepth {
		return nil, errVariant
	}
	header := int(value[0] >> 2)
	switch value[0] & 3 {
	case 1:
		return appendQuoted(b, string(value[1:1+header])), nil
	case 2:
		return v.appendObject(b, value, header, depth)
	case 3:
		return v.appendArray(b, value, header, depth)
	}
	return appendPrimitive(b, header, value[1:])
}

func (v *variant) appendObject(b, value []byte, header, depth int) ([]byte, error) {
	offsetWidth, idWidth, countWidth := header&3+1, header>>2&3+1, 1
	if header>>4&1 == 1 {
		countWidth = 4
	}
	n := v.uint(value[1:], countWidth)
	ids := value[1+countWidth:]
	offsets := ids[n*idWidth:]
	data := offsets[(n+1)*offsetWidth:]
	b = append(b, '{')
	for i := range n {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendQuoted(b, v.key(v.uint(ids[i*idWidth:], idWidth))), ':')
		var err error
		if b, err = v.append(b, data[v.uint(offsets[i*offsetWidth:], offsetWidth):], depth+1); err != nil {
			return nil, err
		}
	}
	return append(b, '}'), nil
}

func (v *variant) appendArray(b, value []byte, header, depth int) ([]byte, error) {
	offsetWidth, countWidth := header&3+1, 1
	if header>>2&1 == 1 {
		countWidth = 4
	}
	n := v.uint(value[1:], countWidth)
	offsets := value[1+countWidth:]
	data := offsets[(n+1)*offsetWidth:]
	b = append(b, '[')
	for i := range n {
		if i > 0 {
			b = append(b, ',')
		}
		var err error
		if b, err = v.append(b, data[v.uint(offsets[i*offsetWidth:], offsetWidth):], depth+1); err != nil {
			return nil, err
		}
	}
	return append(b, ']'), nil
}

func appendPrimitive(b []byte, kind int, v []byte) ([]byte, error) {
	quoted := func(s []byte) ([]byte, error) { return append(append(append(b, '"'), s...), '"'), nil }
	switch kind {
	case 0:
		return append(b, "null"...), nil
	case 1, 2:
		return strconv.AppendBool(b, kind == 1), nil
	case 3:
		return strconv.AppendInt(b, int64(int8(v[0])), 10), nil
	case 4:
		return strconv.AppendInt(b, int64(int16(binary.LittleEndian.Uint16(v))), 10), nil
	case 5:
		return strconv.AppendInt(b, int64(int32(binary.LittleEndian.Uint32(v))), 10), nil
	case 6:
		return strconv.AppendInt(b, int64(binary.LittleEndian.Uint64(v)), 10), nil
	case 7:
		return appendJSONFloat(b, math.Float64frombits(binary.LittleEndian.Uint64(v)), 64), nil
	case 14:
		return appendJSONFloat(b, float64(math.Float32frombits(binary.LittleEndian.Uint32(v))), 32), nil
	case 8, 9, 10:
		return appendVariantDecimal(b, v[1:1+4<<(kind-8)], int(v[0])), nil
	case 11:
		return quoted(appendDate(nil, time.Unix(int64(int32(binary.LittleEndian.Uint32(v)))*86400, 0).UTC()))
	case 12, 13:
		at := time.UnixMicro(int64(binary.LittleEndian.Uint64(v))).UTC()
		s := appendClock(append(appendDate(nil, at), ' '), at)
		if kind == 12 {
			s = append(s, "+00:00"...)
		}
		return quoted(s)
	case 15:
		return quoted([]byte(base64.StdEncoding.EncodeToString(v[4 : 4+binary.LittleEndian.Uint32(v)])))
	case 16:
		return appendQuoted(b, string(v[4:4+binary.LittleEndian.Uint32(v)])), nil
	}
	return nil, errVariant
}

func appendJSONFloat(b []byte, v float64, bits int) []byte {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return append(AppendFloat(append(b, '"'), v, bits), '"')
	}
	return AppendFloat(b, v, bits)
}

// appendVariantDecimal writes an unscaled little-endian integer with its scale, without trailing zeros.
func appendVariantDecimal(b, v []byte, scale int) []byte {
	big10 := make([]byte, len(v))
	for i, c := range v {
		big10[len(v)-1-i] = c
	}
	n := new(big.Int).SetBytes(big10)
	if v[len(v)-1]&0x80 != 0 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(v))))
	}
	sign, digits := "", new(big.Int).Abs(n).String()
	if n.Sign() < 0 {
		sign = "-"
	}
	if scale > 0 {
		if len(digits) <= scale {
			digits = strings.Repeat("0", scale-len(digits)+1) + digits
		}
		digits = digits[:len(digits)-scale] + "." + digits[len(digits)-scale:]
		digits = strings.TrimSuffix(strings.TrimRight(digits, "0"), ".")
	}
	return append(append(b, sign...), digits...)
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
