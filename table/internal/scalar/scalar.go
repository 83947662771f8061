// Package scalar parses the text of single values into vectors' slots as Spark's text formats do. Parsers report false for
// text that is not of the type; none of them allocates on its usual path.
package scalar

import (
	"errors"
	"math"
	"math/big"
	"strconv"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"millrace/javatime"
	"millrace/types"
)

// text views bytes as a string for the length of a call.
func text(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// Int parses a decimal integer of that many bits, with an optional sign and no spaces.
func Int(b []byte, bits int) (int64, bool) {
	neg := false
	if len(b) > 0 && (b[0] == '-' || b[0] == '+') {
		neg, b = b[0] == '-', b[1:]
	}
	if len(b) == 0 {
		return 0, false
	}
	if len(b) > 18 {
		return longInt(b, neg, bits)
	}
	n := int64(0)
	for _, c := range b {
		d := c - '0'
		if d > 9 {
			return 0, false
		}
		n = n*10 + int64(d)
	}
	if neg {
		n = -n
	}
	return n, bits == 64 || n<<(64-bits)>>(64-bits) == n
}

func longInt(b []byte, neg bool, bits int) (int64, bool) {
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
	}
	s := string(b)
	if neg {
		s = "-" + s
	}
	n, err := strconv.ParseInt(s, 10, bits)
	return n, err == nil
}

var powers = [...]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22}

// Float parses what Java's Double.parseDouble takes; bits is 32 or 64.
func Float(b []byte, bits int) (float64, bool) {
	for len(b) > 0 && b[0] <= ' ' {
		b = b[1:]
	}
	for len(b) > 0 && b[len(b)-1] <= ' ' {
		b = b[:len(b)-1]
	}
	if f, ok := shortFloat(b); ok && bits == 64 {
		return f, true
	}
	return slowFloat(b, bits)
}

// shortFloat parses plain decimals of up to 15 digits, which one division makes exact.
func shortFloat(b []byte) (float64, bool) {
	i, neg := 0, false
	if len(b) > 0 && (b[0] == '-' || b[0] == '+') {
		neg, i = b[0] == '-', 1
	}
	mantissa, digits, fraction, point := uint64(0), 0, 0, false
	for ; i < len(b); i++ {
		c := b[i]
		switch {
		case c >= '0' && c <= '9':
			mantissa = mantissa*10 + uint64(c-'0')
			digits++
			if point {
				fraction++
			}
		case c == '.' && !point:
			point = true
		default:
			return 0, false
		}
	}
	if digits == 0 || digits > 15 {
		return 0, false
	}
	f := float64(mantissa) / powers[fraction]
	if neg {
		f = -f
	}
	return f, true
}

func slowFloat(b []byte, bits int) (float64, bool) {
	if len(b) == 0 {
		return 0, false
	}
	switch text(b) {
	case "NaN", "+NaN", "-NaN":
		return math.NaN(), true
	case "Infinity", "+Infinity", "Inf", "+Inf":
		return math.Inf(1), true
	case "-Infinity", "-Inf":
		return math.Inf(-1), true
	}
	if c := b[len(b)-1]; c == 'd' || c == 'D' || c == 'f' || c == 'F' {
		b = b[:len(b)-1]
	}
	for _, c := range b {
		if (c < '0' || c > '9') && c != '.' && c != 'e' && c != 'E' && c != '+' && c != '-' {
			return 0, false // strconv also takes hexadecimal, underscores and words
		}
	}
	f, err := strconv.ParseFloat(text(b), bits)
	if errors.Is(err, strconv.ErrRange) {
		return f, true // Java gives infinity
	}
	return f, err == nil
}

// Bool parses true or false in any case.
func Bool(b []byte) (v, ok bool) {
	switch len(b) {
	case 4:
		return true, b[0]|32 == 't' && b[1]|32 == 'r' && b[2]|32 == 'u' && b[3]|32 == 'e'
	case 5:
		return false, b[0]|32 == 'f' && b[1]|32 == 'a' && b[2]|32 == 'l' && b[3]|32 == 's' && b[4]|32 == 'e'
	}
	return false, false
}

// Date parses what a cast to date takes.
func Date(b []byte) (int32, bool) {
	if y, m, d, ok := isoDate(b); ok && len(b) == 10 {
		return int32(javatime.Days(y, m, d)), true
	}
	return javatime.ParseDate(text(b))
}

func isoDate(b []byte) (y, m, d int, ok bool) {
	if len(b) < 10 || b[4] != '-' || b[7] != '-' {
		return 0, 0, 0, false
	}
	y, ok1 := number(b[:4])
	m, ok2 := number(b[5:7])
	d, ok3 := number(b[8:10])
	return y, m, d, ok1 && ok2 && ok3 && javatime.ValidDate(y, m, d)
}

func number(b []byte) (n int, ok bool) {
	for _, c := range b {
		d := c - '0'
		if d > 9 {
			return 0, false
		}
		n = n*10 + int(d)
	}
	return n, true
}

// isoLocal parses yyyy-MM-dd[T ]HH:mm:ss as local microseconds.
func isoLocal(b []byte) (int64, bool) {
	if len(b) != 19 || b[10] != ' ' && b[10] != 'T' || b[13] != ':' || b[16] != ':' {
		return 0, false
	}
	y, mo, d, ok := isoDate(b)
	h, ok1 := number(b[11:13])
	m, ok2 := number(b[14:16])
	s, ok3 := number(b[17:19])
	if !ok || !ok1 || !ok2 || !ok3 || h > 23 || m > 59 || s > 59 {
		return 0, false
	}
	return javatime.Days(y, mo, d)*javatime.MicrosPerDay + int64(h*3600+m*60+s)*javatime.MicrosPerSecond, true
}

// Timestamp parses what a cast to timestamp takes.
func Timestamp(b []byte, zone *javatime.Zone, now int64) (int64, bool) {
	if local, ok := isoLocal(b); ok {
		return zone.ToUTC(local), true
	}
	return javatime.ParseTimestamp(text(b), zone, now)
}

// TimestampNTZ parses a local time; one that names a zone is none.
func TimestampNTZ(b []byte) (int64, bool) {
	if local, ok := isoLocal(b); ok {
		return local, true
	}
	return javatime.ParseLocal(text(b), true)
}

// Decimal parses a decimal and rounds it half up to the type's scale; false also if it has too many digits for it.
func Decimal(b []byte, t *types.Type) (decimal128.Num, bool) {
	if n, ok := shortDecimal(b, t); ok {
		return decimal128.FromI64(n), true
	}
	unscaled, scale, ok := BigDecimal(b)
	if !ok {
		return decimal128.Num{}, false
	}
	unscaled = rescale(unscaled, scale, t.Scale)
	limit := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(t.Precision)), nil)
	if new(big.Int).Abs(unscaled).Cmp(limit) >= 0 {
		return decimal128.Num{}, false
	}
	return decimal128.FromBigInt(unscaled), true
}

// shortDecimal parses plain digits that fit the type without rounding.
func shortDecimal(b []byte, t *types.Type) (int64, bool) {
	if len(b) > 18 {
		return 0, false
	}
	i, neg := 0, false
	if len(b) > 0 && (b[0] == '-' || b[0] == '+') {
		neg, i = b[0] == '-', 1
	}
	n, whole, fraction, point := int64(0), 0, 0, false
	for ; i < len(b); i++ {
		c := b[i]
		switch {
		case c >= '0' && c <= '9':
			n = n*10 + int64(c-'0')
			if point {
				fraction++
			} else if n > 0 {
				whole++
			}
		case c == '.' && !point:
			point = true
		default:
			return 0, false
		}
	}
	if fraction > t.Scale || whole > t.Precision-t.Scale || whole+t.Scale > 18 || whole+fraction == 0 {
		return 0, false
	}
	for ; fraction < t.Scale; fraction++ {
		n *= 10
	}
	if neg {
		n = -n
	}
	return n, true
}

// maxExponent bounds what an exponent in a decimal's text may make us compute.
const maxExponent = 1000

// BigDecimal parses a decimal number as Java's BigDecimal does.
func BigDecimal(b []byte) (unscaled *big.Int, scale int, ok bool) {
	digits := make([]byte, 0, len(b))
	point, exponent, i := false, 0, 0
	if len(b) > 0 && (b[0] == '-' || b[0] == '+') {
		if b[0] == '-' {
			digits = append(digits, '-')
		}
		i = 1
	}
	first := len(digits)
	for ; i < len(b); i++ {
		c := b[i]
		switch {
		case c >= '0' && c <= '9':
			digits = append(digits, c)
			if point {
				scale++
			}
		case c == '.' && !point:
			point = true
		case c == 'e' || c == 'E':
			e, ok := Int(b[i+1:], 32)
			if !ok || e > maxExponent || e < -maxExponent {
				return nil, 0, false
			}
			exponent, i = int(e), len(b)
		default:
			return nil, 0, false
		}
	}
	if len(digits) == first || len(digits) > maxExponent {
		return nil, 0, false
	}
	unscaled, ok = new(big.Int).SetString(string(digits), 10)
	return unscaled, scale - exponent, ok
}

// rescale changes a decimal's scale, rounding half up.
func rescale(n *big.Int, from, to int) *big.Int {
	ten := func(e int) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(e)), nil) }
	if to >= from {
		return n.Mul(n, ten(to-from))
	}
	unit := ten(from - to)
	q, r := new(big.Int).QuoRem(n, unit, new(big.Int))
	if r.Abs(r).Lsh(r, 1).Cmp(unit) >= 0 {
		q.Add(q, big.NewInt(int64(n.Sign())))
	}
	return q
}

// WiderNumber holds whole numbers, decimals and doubles of both types, as the texts of JSON and XML are inferred.
func WiderNumber(a, b *types.Type) *types.Type {
	if a.Kind == types.KindDouble || b.Kind == types.KindDouble {
		return types.Double
	}
	digits := func(t *types.Type) (whole, fraction int) {
		if t.Kind == types.KindLong {
			return 20, 0
		}
		return t.Precision - t.Scale, t.Scale
	}
	wa, fa := digits(a)
	wb, fb := digits(b)
	if w, f := max(wa, wb), max(fa, fb); w+f <= types.MaxPrecision {
		return types.Decimal(w+f, f)
	}
	return types.Double
}
