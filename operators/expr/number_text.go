package expr

import (
	"math"
	"math/big"
	"strconv"
	"strings"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"millrace/types"
)

// AppendDouble appends a double as Java's Double.toString shows it: 1.0, 0.001, 1.0E7, 1.0E-4, NaN, -Infinity.
func AppendDouble(dst []byte, x float64) []byte { return appendFloat(dst, x, 64) }

// AppendFloat appends a float as Java's Float.toString shows it.
func AppendFloat(dst []byte, x float32) []byte { return appendFloat(dst, float64(x), 32) }

func appendFloat(dst []byte, x float64, size int) []byte {
	switch {
	case x != x:
		return append(dst, "NaN"...)
	case math.IsInf(x, 1):
		return append(dst, "Infinity"...)
	case math.IsInf(x, -1):
		return append(dst, "-Infinity"...)
	case x == 0:
		if math.Signbit(x) {
			dst = append(dst, '-')
		}
		return append(dst, "0.0"...)
	}
	if a := math.Abs(x); a >= 1e-3 && a < 1e7 {
		start := len(dst)
		dst = strconv.AppendFloat(dst, x, 'f', -1, size)
		for _, c := range dst[start:] {
			if c == '.' {
				return dst
			}
		}
		return append(dst, '.', '0')
	}
	return appendScientific(dst, x, size)
}

// appendScientific appends d.dddE±x, with two digits at least.
func appendScientific(dst []byte, x float64, size int) []byte {
	var buf [32]byte
	s := strconv.AppendFloat(buf[:0], x, 'e', -1, size)
	if e := strings.IndexByte(string(s), 'e'); e <= 2 { // one digit only: Java takes the nearest of two
		s = strconv.AppendFloat(buf[:0], x, 'e', 1, size)
	}
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == 'e':
			dst = append(dst, 'E')
			if s[i+1] == '-' {
				dst = append(dst, '-')
			}
			if i += 2; s[i] == '0' {
				i++
			}
			dst = append(dst, s[i])
		default:
			dst = append(dst, c)
		}
	}
	return dst
}

// integerLiteral and floatLiteral show values in messages as SQL writes them.
func integerLiteral(x int64, t *types.Type) string {
	return strconv.FormatInt(x, 10) + map[types.Kind]string{types.KindByte: "Y", types.KindShort: "S", types.KindLong: "L"}[t.Kind]
}

func floatLiteral(x float64, t *types.Type) string {
	if t.Kind == types.KindFloat {
		return string(AppendFloat(nil, float32(x)))
	}
	s := string(AppendDouble(nil, x))
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return s
	}
	return s + "D"
}

// StringLiteral shows a string in messages as SQL writes it.
func StringLiteral(s []byte) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(string(s)) + "'"
}

// trimAll drops white space and control characters at both ends, as Spark does before it reads a value.
func trimAll(s []byte) []byte {
	for len(s) > 0 && (s[0] <= ' ' || s[0] == 0x7f) {
		s = s[1:]
	}
	for len(s) > 0 && (s[len(s)-1] <= ' ' || s[len(s)-1] == 0x7f) {
		s = s[:len(s)-1]
	}
	return s
}

// parseInteger reads an integer between lo and hi. With fraction, digits after a point are dropped, as before ANSI.
func parseInteger(s []byte, lo, hi int64, fraction bool) (int64, bool) {
	s = trimAll(s)
	negative := false
	if len(s) > 0 && (s[0] == '-' || s[0] == '+') {
		negative = s[0] == '-'
		s = s[1:]
	}
	if len(s) == 0 || s[0] == '.' && !fraction {
		return 0, false
	}
	var x uint64
	i := 0
	for ; i < len(s) && s[i] != '.'; i++ {
		d := s[i] - '0'
		if d > 9 || x > (math.MaxUint64-9)/10 {
			return 0, false
		}
		x = x*10 + uint64(d)
	}
	if i < len(s) {
		if !fraction {
			return 0, false
		}
		for _, c := range s[i+1:] {
			if c < '0' || c > '9' {
				return 0, false
			}
		}
	}
	if negative {
		return int64(-x), x <= uint64(-(lo+1))+1
	}
	return int64(x), x <= uint64(hi)
}

// parseDouble reads a number as Java's Double.parseDouble and Spark's names of special values do.
func parseDouble(s []byte) (float64, bool) { return parseFloat(s, 64) }

func parseFloat(s []byte, size int) (float64, bool) {
	if x, scale, ok := parseShort(s); ok && size == 64 && x > -1<<53 && x < 1<<53 && (x != 0 || s[0] != '-') {
		return float64(x) / floatPowers[scale], true // both exact, so that the quotient is the nearest double
	}
	for len(s) > 0 && s[0] <= ' ' {
		s = s[1:]
	}
	for len(s) > 0 && s[len(s)-1] <= ' ' {
		s = s[:len(s)-1]
	}
	if len(s) == 0 {
		return 0, false
	}
	if !isDecimalNumber(s) {
		return parseOddFloat(s, size)
	}
	if c := s[len(s)-1]; c > '9' {
		s = s[:len(s)-1] // 1d, 1.5F
	}
	x, err := strconv.ParseFloat(unsafe.String(unsafe.SliceData(s), len(s)), size)
	if err != nil && !math.IsInf(x, 0) {
		return 0, false
	}
	return x, true
}

// isDecimalNumber reports whether s is [±]digits[.digits][e[±]digits][d|f].
func isDecimalNumber(s []byte) bool {
	i, digits := 0, 0
	if s[0] == '-' || s[0] == '+' {
		i++
	}
	for ; i < len(s) && s[i]-'0' <= 9; i++ {
		digits++
	}
	if i < len(s) && s[i] == '.' {
		for i++; i < len(s) && s[i]-'0' <= 9; i++ {
			digits++
		}
	}
	if digits == 0 {
		return false
	}
	if i < len(s) && s[i]|0x20 == 'e' {
		if i++; i < len(s) && (s[i] == '-' || s[i] == '+') {
			i++
		}
		start := i
		for ; i < len(s) && s[i]-'0' <= 9; i++ {
		}
		if i == start {
			return false
		}
	}
	if i < len(s) && (s[i]|0x20 == 'd' || s[i]|0x20 == 'f') {
		i++
	}
	return i == len(s)
}

func parseOddFloat(s []byte, size int) (float64, bool) {
	t := strings.ToLower(string(s))
	switch t {
	case "inf", "+inf", "infinity", "+infinity":
		return math.Inf(1), true
	case "-inf", "-infinity":
		return math.Inf(-1), true
	case "nan":
		return math.NaN(), true
	}
	digits := strings.TrimLeft(t, "+-")
	if len(t)-len(digits) > 1 || !strings.HasPrefix(digits, "0x") || !strings.Contains(digits, "p") || strings.Contains(t, "_") {
		return 0, false
	}
	x, err := strconv.ParseFloat(strings.TrimRight(t, "df"), size)
	return x, err == nil || math.IsInf(x, 0)
}

// parseExact reads [±]digits[.digits][e[±]digits] as Java's BigDecimal does.
func parseExact(s []byte) (exact, bool) {
	if len(s) == 0 || !isDecimalNumber(s) || s[len(s)-1] > '9' {
		return exact{}, false
	}
	exponent := 0
	if e := strings.IndexAny(string(s), "eE"); e >= 0 {
		x, err := strconv.Atoi(strings.TrimPrefix(string(s[e+1:]), "+"))
		if err != nil || x > 1<<20 || x < -1<<20 {
			return exact{}, false
		}
		exponent, s = x, s[:e]
	}
	digits := make([]byte, 0, len(s))
	scale, point := 0, false
	for _, c := range s {
		if c == '.' {
			point = true
			continue
		}
		if point {
			scale++
		}
		digits = append(digits, c)
	}
	u, ok := new(big.Int).SetString(strings.TrimPrefix(string(digits), "+"), 10)
	if !ok {
		return exact{}, false
	}
	if scale -= exponent; scale-len(digits) > types.MaxPrecision+1 { // rounds to 0 at any scale
		return exact{new(big.Int), 0}, true
	}
	if scale < 0 {
		if u.Sign() == 0 {
			return exact{u, 0}, true
		}
		scale = max(scale, -400) // beyond all types: how far does not matter
		u.Mul(u, bigPower(-scale))
		scale = 0
	}
	return exact{u, scale}, true
}

// parseShort reads plain digits with at most one point into 64 bits; ok is false for anything else, which is left to parseExact.
func parseShort(s []byte) (x int64, scale int, ok bool) {
	negative := false
	if len(s) > 0 && (s[0] == '-' || s[0] == '+') {
		negative = s[0] == '-'
		s = s[1:]
	}
	if len(s) == 0 || len(s) > 19 {
		return 0, 0, false
	}
	point := -1
	for i, c := range s {
		switch {
		case c-'0' <= 9:
			x = x*10 + int64(c-'0')
		case c == '.' && point < 0:
			point = i
		default:
			return 0, 0, false
		}
	}
	if point >= 0 {
		scale = len(s) - 1 - point
	}
	if point < 0 && len(s) > 18 || point >= 0 && len(s) == 1 {
		return 0, 0, false
	}
	if negative {
		x = -x
	}
	return x, scale, true
}

// parseDecimal reads a decimal of type t: false, nil if it is malformed.
func parseDecimal(s []byte, t *types.Type) (r wide, v exact, parsed, fits bool) {
	s = trimAll(s)
	if x, scale, ok := parseShort(s); ok {
		if r, fits = rescale(decimal128.FromI64(x), scale, t.Scale, t.Precision); fits {
			return r, exact{}, true, true
		}
	}
	if v, parsed = parseExact(s); !parsed {
		return r, v, false, false
	}
	r, fits = v.fit(t)
	return r, v, true, fits
}
