// Package cell writes single values as the text that Spark's text formats and partition directories hold.
package cell

import (
	"math/big"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"millrace/delta"
	"millrace/javatime"
	"millrace/types"
	"millrace/vector"
)

// Append appends row i of v, which is not null and not nested, as the text that CAST(… AS STRING) gives in the zone.
func Append(dst []byte, v *vector.Vector, i int, zone *javatime.Zone) []byte {
	i = v.Row(i)
	if v.Dict != nil {
		v, i = v.Dict, int(vector.Codes(v)[i])
	}
	switch v.Type.Kind {
	case types.KindBoolean:
		return strconv.AppendBool(dst, v.Data[i] != 0)
	case types.KindByte:
		return strconv.AppendInt(dst, int64(vector.Values[int8](v)[i]), 10)
	case types.KindShort:
		return strconv.AppendInt(dst, int64(vector.Values[int16](v)[i]), 10)
	case types.KindInteger, types.KindYearMonth:
		return strconv.AppendInt(dst, int64(vector.Values[int32](v)[i]), 10)
	case types.KindFloat:
		return append(dst, delta.JavaDouble(float64(vector.Values[float32](v)[i]), true)...)
	case types.KindDouble:
		return append(dst, delta.JavaDouble(vector.Values[float64](v)[i], false)...)
	case types.KindDecimal:
		return appendDecimal(dst, v, i)
	case types.KindString, types.KindBinary:
		return append(dst, v.Str(i)...)
	case types.KindDate:
		return AppendDate(dst, int64(vector.Values[int32](v)[i]))
	case types.KindTimestamp:
		return AppendTimestamp(dst, zone.ToLocal(vector.Values[int64](v)[i]), ' ')
	case types.KindTimestampNTZ:
		return AppendTimestamp(dst, vector.Values[int64](v)[i], ' ')
	}
	return strconv.AppendInt(dst, vector.Values[int64](v)[i], 10)
}

func appendDecimal(dst []byte, v *vector.Vector, i int) []byte {
	if !v.Type.IsShortDecimal() {
		return append(dst, delta.Decimal{Unscaled: vector.Values[decimal128.Num](v)[i].BigInt(), Scale: v.Type.Scale}.String()...)
	}
	n := vector.Values[int64](v)[i]
	scale := v.Type.Scale
	if scale == 0 {
		return strconv.AppendInt(dst, n, 10)
	}
	if n < 0 {
		dst, n = append(dst, '-'), -n
	}
	var digits [24]byte
	text := strconv.AppendInt(digits[:0], n, 10)
	if pad := scale + 1 - len(text); pad > 0 {
		dst = append(append(dst, "0."...), strings.Repeat("0", pad-1)...)
		return append(dst, text...)
	}
	dst = append(dst, text[:len(text)-scale]...)
	return append(append(dst, '.'), text[len(text)-scale:]...)
}

// Decimal is a decimal's unscaled value.
func Decimal(v *vector.Vector, i int) *big.Int {
	if v.Type.IsShortDecimal() {
		return big.NewInt(vector.Values[int64](v)[i])
	}
	return vector.Values[decimal128.Num](v)[i].BigInt()
}

// AppendDate appends days since 1970 as yyyy-MM-dd.
func AppendDate(dst []byte, days int64) []byte {
	y, m, d := javatime.Civil(days)
	dst = appendYear(dst, y)
	dst = append(dst, '-')
	dst = AppendPadded(dst, m, 2)
	dst = append(dst, '-')
	return AppendPadded(dst, d, 2)
}

func appendYear(dst []byte, y int) []byte {
	switch {
	case y < 0:
		dst, y = append(dst, '-'), -y
	case y > 9999:
		dst = append(dst, '+')
	}
	return AppendPadded(dst, y, 4)
}

// AppendPadded appends n with leading zeros up to width digits.
func AppendPadded(dst []byte, n, width int) []byte {
	for limit := 10; width > 1; width-- {
		if n < limit {
			zeros := width - 1
			for range zeros {
				dst = append(dst, '0')
			}
			break
		}
		limit *= 10
	}
	return strconv.AppendInt(dst, int64(n), 10)
}

// AppendTimestamp appends local microseconds as yyyy-MM-dd HH:mm:ss with as many digits of the fraction as it has.
func AppendTimestamp(dst []byte, local int64, between byte) []byte {
	days := javatime.FloorDiv(local, javatime.MicrosPerDay)
	dst = append(AppendDate(dst, days), between)
	return AppendClock(dst, local-days*javatime.MicrosPerDay)
}

// AppendClock appends a day's microseconds as HH:mm:ss with the digits of the fraction that there are.
func AppendClock(dst []byte, micros int64) []byte {
	dst = AppendTime(dst, micros)
	if micros %= javatime.MicrosPerSecond; micros == 0 {
		return dst
	}
	dst = AppendPadded(append(dst, '.'), int(micros), 6)
	for dst[len(dst)-1] == '0' {
		dst = dst[:len(dst)-1]
	}
	return dst
}

// AppendTime appends the HH:mm:ss of a day's microseconds.
func AppendTime(dst []byte, micros int64) []byte {
	seconds := int(micros / javatime.MicrosPerSecond)
	dst = append(AppendPadded(dst, seconds/3600, 2), ':')
	dst = append(AppendPadded(dst, seconds/60%60, 2), ':')
	return AppendPadded(dst, seconds%60, 2)
}
