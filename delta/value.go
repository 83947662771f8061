package delta

import (
	"bytes"
	"math"
	"math/big"
	"strconv"
	"strings"
	"time"

	"millrace/errs"
	"millrace/types"
)

// Value is a value of a partition, a statistic or a filter: nil, bool, int64 (integers, days, microseconds), float64,
// string, []byte or Decimal.
type Value = any

// Decimal is Unscaled * 10^-Scale.
type Decimal struct {
	Unscaled *big.Int
	Scale    int
}

// DecimalFromBytes reads Parquet's big-endian two's complement.
func DecimalFromBytes(b []byte, scale int) Decimal {
	n := new(big.Int).SetBytes(b)
	if len(b) > 0 && b[0] >= 0x80 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
	}
	return Decimal{n, scale}
}

// ParseDecimal reads a decimal number, with an exponent or without.
func ParseDecimal(s string) (Decimal, bool) {
	mantissa, exponent := s, 0
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		e, err := strconv.Atoi(s[i+1:])
		if err != nil || e > 1000 || e < -1000 {
			return Decimal{}, false
		}
		mantissa, exponent = s[:i], e
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	n, ok := new(big.Int).SetString(whole+fraction, 10)
	if !ok || strings.ContainsAny(fraction, "+-_") {
		return Decimal{}, false
	}
	d := Decimal{n, len(fraction) - exponent}
	if d.Scale < 0 {
		d = d.rescale(0)
	}
	return d, true
}

func (d Decimal) rescale(scale int) Decimal {
	if scale <= d.Scale {
		return d
	}
	ten := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(scale-d.Scale)), nil)
	return Decimal{ten.Mul(ten, d.Unscaled), scale}
}

// Cmp compares two decimals.
func (d Decimal) Cmp(o Decimal) int {
	scale := max(d.Scale, o.Scale)
	return d.rescale(scale).Unscaled.Cmp(o.rescale(scale).Unscaled)
}

func (d Decimal) String() string {
	digits := new(big.Int).Abs(d.Unscaled).String()
	if d.Scale > 0 {
		if pad := d.Scale + 1 - len(digits); pad > 0 {
			digits = strings.Repeat("0", pad) + digits
		}
		digits = digits[:len(digits)-d.Scale] + "." + digits[len(digits)-d.Scale:]
	}
	if d.Unscaled.Sign() < 0 {
		return "-" + digits
	}
	return digits
}

// Compare orders two values of the same type; ok is false when they cannot be compared (or one is null or NaN).
func Compare(a, b Value) (order int, ok bool) {
	switch x := a.(type) {
	case int64:
		switch y := b.(type) {
		case int64:
			return cmp(x, y), true
		case float64:
			return compareFloats(float64(x), y)
		case Decimal:
			return Decimal{big.NewInt(x), 0}.Cmp(y), true
		}
	case float64:
		switch y := b.(type) {
		case float64:
			return compareFloats(x, y)
		case int64:
			return compareFloats(x, float64(y))
		}
	case string:
		if y, is := b.(string); is {
			return strings.Compare(x, y), true
		}
	case []byte:
		if y, is := b.([]byte); is {
			return bytes.Compare(x, y), true
		}
	case Decimal:
		switch y := b.(type) {
		case Decimal:
			return x.Cmp(y), true
		case int64:
			return x.Cmp(Decimal{big.NewInt(y), 0}), true
		}
	case bool:
		if y, is := b.(bool); is {
			return cmp(bit(x), bit(y)), true
		}
	}
	return 0, false
}

func bit(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

func cmp[T int64 | float64](a, b T) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func compareFloats(a, b float64) (int, bool) {
	if math.IsNaN(a) || math.IsNaN(b) {
		return 0, false
	}
	return cmp(a, b), true
}

const hivePartitionNull = "__HIVE_DEFAULT_PARTITION__"

// FormatPartition is a partition value as the log keeps it; nil for null and for the empty string, which Delta cannot
// tell apart.
func FormatPartition(t *types.Type, v Value) *string {
	var s string
	switch x := v.(type) {
	case nil:
		return nil
	case bool:
		s = strconv.FormatBool(x)
	case int64:
		s = formatInt(t, x)
	case float64:
		s = JavaDouble(x, t != nil && t.Kind == types.KindFloat)
	case string:
		s = x
	case []byte:
		s = string(x)
	case Decimal:
		s = x.String()
	}
	if s == "" {
		return nil
	}
	return &s
}

func formatInt(t *types.Type, n int64) string {
	if t != nil {
		switch t.Kind {
		case types.KindDate:
			return time.Unix(n*86400, 0).UTC().Format("2006-01-02")
		case types.KindTimestamp:
			return time.UnixMicro(n).UTC().Format("2006-01-02T15:04:05.000000Z")
		case types.KindTimestampNTZ:
			return time.UnixMicro(n).UTC().Format("2006-01-02 15:04:05.999999")
		case types.KindDecimal:
			return Decimal{big.NewInt(n), t.Scale}.String()
		}
	}
	return itoa(n)
}

// PartitionDir is a partition's part of a data file's path, as Hive and Spark write it; it is not yet percent-encoded.
func PartitionDir(column string, value *string) string {
	text := hivePartitionNull
	if value != nil && *value != "" {
		text = escapeDir(*value)
	}
	return escapeDir(column) + "=" + text
}

func escapeDir(s string) string {
	const special = "\"#%'*/:=?\\\x7f{[]^"
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < 0x20 || strings.IndexByte(special, c) >= 0 {
			const hex = "0123456789ABCDEF"
			b.WriteByte('%')
			b.WriteByte(hex[c>>4])
			b.WriteByte(hex[c&15])
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// ParsePartition reads a partition value of the log. Zone is the session's, for timestamps that name none.
func ParsePartition(t *types.Type, text *string, zone *time.Location) (Value, error) {
	if text == nil || *text == "" || *text == hivePartitionNull {
		return nil, nil
	}
	v, ok := parseText(t, *text, zone)
	if !ok {
		return nil, errs.New("DELTA_PARTITION_COLUMN_CAST_FAILED", "value", *text, "dataType", className(t), "columnName", "")
	}
	return v, nil
}

func parseText(t *types.Type, s string, zone *time.Location) (Value, bool) {
	switch t.Kind {
	case types.KindBoolean:
		b, err := strconv.ParseBool(strings.ToLower(s))
		return b, err == nil
	case types.KindByte, types.KindShort, types.KindInteger, types.KindLong:
		n, err := strconv.ParseInt(strings.TrimSpace(s), 10, 64)
		return n, err == nil
	case types.KindFloat: // the shortest text of a single is that of another double
		f, err := strconv.ParseFloat(strings.TrimSpace(s), 32)
		return f, err == nil
	case types.KindDouble:
		f, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
		return f, err == nil
	case types.KindDecimal:
		d, ok := ParseDecimal(strings.TrimSpace(s))
		return d.rescale(t.Scale), ok
	case types.KindString:
		return s, true
	case types.KindBinary:
		return []byte(s), true
	case types.KindDate:
		s, days := fourDigits(s)
		d, err := time.ParseInLocation("2006-01-02", s[:min(len(s), 10)], time.UTC)
		return d.Unix()/86400 + days, err == nil
	case types.KindTimestamp:
		return parseTime(s, zone)
	case types.KindTimestampNTZ:
		return parseTime(s, time.UTC)
	}
	return nil, false
}

var timeForms = []string{"2006-01-02T15:04:05.999999999Z07:00", "2006-01-02 15:04:05.999999999Z07:00", "2006-01-02 15:04:05.999999999",
	"2006-01-02T15:04:05.999999999", "2006-01-02 15:04", "2006-01-02"}

func parseTime(s string, zone *time.Location) (Value, bool) {
	if zone == nil {
		zone = time.UTC
	}
	s, days := fourDigits(s)
	for _, form := range timeForms {
		if t, err := time.ParseInLocation(form, s, zone); err == nil {
			return t.UnixMicro() + days*86400e6, true
		}
	}
	return nil, false
}

// fourDigits puts a year from 2000 to 2399 in the place of one with a sign or more than four digits, after which the calendar is the same, and says how many days are
// between.
func fourDigits(s string) (text string, days int64) {
	sign := strings.IndexAny(s[:min(len(s), 1)], "+-") + 1
	n := strings.IndexByte(s[sign:], '-')
	if n < 4 || n > 6 || n == 4 && sign == 0 {
		return s, 0
	}
	year, err := strconv.ParseInt(s[:sign+n], 10, 64)
	if err != nil {
		return s, 0
	}
	near := 2000 + (year%400+400)%400
	return itoa(near) + s[sign+n:], (year - near) / 400 * 146097
}

// JavaDouble is Java's Double.toString, or Float.toString of a single.
func JavaDouble(f float64, single bool) string {
	switch {
	case math.IsNaN(f):
		return "NaN"
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	}
	bits := 64
	if single {
		bits = 32
	}
	if a := math.Abs(f); a != 0 && (a < 1e-3 || a >= 1e7) {
		s := strconv.FormatFloat(f, 'E', -1, bits)
		mantissa, exponent, _ := strings.Cut(s, "E")
		if !strings.Contains(mantissa, ".") {
			mantissa += ".0"
		}
		n, _ := strconv.Atoi(exponent)
		return mantissa + "E" + strconv.Itoa(n)
	}
	s := strconv.FormatFloat(f, 'f', -1, bits)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}

// EscapePath is a data file's path as the log keeps it: percent-encoded like a URI's path.
func EscapePath(path string) string {
	const keep = "-_.~/!$&'()*+,;=:@"
	var b strings.Builder
	for i := 0; i < len(path); i++ {
		c := path[i]
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c >= 0x80, strings.IndexByte(keep, c) >= 0:
			b.WriteByte(c)
		default:
			const hex = "0123456789ABCDEF"
			b.WriteByte('%')
			b.WriteByte(hex[c>>4])
			b.WriteByte(hex[c&15])
		}
	}
	return b.String()
}
