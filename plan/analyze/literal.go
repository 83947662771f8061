package analyze

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"millrace/plan"
	"millrace/types"
)

// literal writes a constant as Spark does in column names: strings bare, others as SQL.
func (p printer) literal(l *plan.Literal) string {
	if strings.HasPrefix(l.Context, "variablereference(") {
		return l.Context
	}
	if l.Value == nil {
		return "NULL"
	}
	if l.Shown != "" {
		return "TIMESTAMP '" + l.Shown + "'"
	}
	switch v := l.Value.(type) {
	case bool:
		return strconv.FormatBool(v)
	case string:
		if l.T.Kind == types.KindString && l.T.Collation != "" {
			return "'" + v + "' collate " + l.T.Collation
		}
		return v
	case []byte:
		return fmt.Sprintf("X'%X'", v)
	case float64:
		return javaDouble(v, l.T.Kind == types.KindFloat)
	case int64:
		return integerLiteral(v, l.T)
	case interface{ ToString(scale int32) string }:
		return javaDecimal(v.ToString(0), l.T.Scale)
	}
	return fmt.Sprint(l.Value)
}

func integerLiteral(v int64, t *types.Type) string {
	switch t.Kind {
	case types.KindDecimal:
		return javaDecimal(strconv.FormatInt(v, 10), t.Scale)
	case types.KindDate:
		day := time.Unix(v*86400, 0).UTC()
		if day.Year() > 9999 {
			return "DATE '+" + day.Format("2006-01-02") + "'"
		}
		return "DATE '" + day.Format("2006-01-02") + "'"
	case types.KindTimestamp:
		return "TIMESTAMP '" + microsText(v) + "'"
	case types.KindTime:
		text := time.Unix(0, v).UTC().Format("15:04:05.000000")
		return "TIME '" + strings.TrimSuffix(strings.TrimRight(text, "0"), ".") + "'"
	case types.KindTimestampNTZ:
		return "TIMESTAMP_NTZ '" + microsText(v) + "'"
	case types.KindYearMonth:
		return yearMonthText(v, t)
	case types.KindDayTime:
		return dayTimeText(v, t)
	}
	return strconv.FormatInt(v, 10)
}

func microsText(v int64) string {
	s := time.UnixMicro(v).UTC().Format("2006-01-02 15:04:05.000000")
	return strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
}

// javaDecimal writes unscaled digits as Java's BigDecimal.toString does.
func javaDecimal(digits string, scale int) string {
	sign := ""
	if rest, neg := strings.CutPrefix(digits, "-"); neg {
		sign, digits = "-", rest
	}
	exponent := len(digits) - 1 - scale
	switch {
	case scale < 0 || exponent < -6:
		if len(digits) > 1 {
			digits = digits[:1] + "." + digits[1:]
		}
		return fmt.Sprintf("%s%sE%+d", sign, digits, exponent)
	case scale == 0:
		return sign + digits
	case len(digits) <= scale:
		digits = strings.Repeat("0", scale-len(digits)+1) + digits
	}
	return sign + digits[:len(digits)-scale] + "." + digits[len(digits)-scale:]
}

// javaDouble writes a double as Java's Double.toString does.
func javaDouble(v float64, single bool) string {
	bits := 64
	if single {
		bits = 32
	}
	abs := math.Abs(v)
	switch {
	case math.IsNaN(v):
		return "NaN"
	case math.IsInf(v, 0):
		return strings.TrimPrefix(map[bool]string{true: "Infinity", false: "-Infinity"}[v > 0], "+")
	case abs == 0 || abs >= 1e-3 && abs < 1e7:
		s := strconv.FormatFloat(v, 'f', -1, bits)
		if !strings.Contains(s, ".") {
			s += ".0"
		}
		return s
	}
	mantissa, exp, _ := strings.Cut(strconv.FormatFloat(v, 'e', -1, bits), "e")
	if !strings.Contains(mantissa, ".") {
		mantissa += ".0"
	}
	n, err := strconv.Atoi(exp)
	if err != nil {
		return mantissa // FormatFloat always writes an exponent
	}
	return mantissa + "E" + strconv.Itoa(n)
}

func yearMonthText(v int64, t *types.Type) string {
	sign := ""
	if v < 0 {
		sign, v = "-", -v
	}
	switch {
	case t.Start == 0 && t.End == 0:
		return fmt.Sprintf("INTERVAL '%s%d' YEAR", sign, v/12)
	case t.Start == 1:
		return fmt.Sprintf("INTERVAL '%s%d' MONTH", sign, v)
	}
	return fmt.Sprintf("INTERVAL '%s%d-%d' YEAR TO MONTH", sign, v/12, v%12)
}

var dayTimeFields = [...]string{"DAY", "HOUR", "MINUTE", "SECOND"}

func dayTimeText(micros int64, t *types.Type) string {
	sign, v := "", uint64(micros)
	if micros < 0 {
		sign, v = "-", -v
	}
	const second = uint64(1_000_000)
	units := [...]uint64{86400 * second, 3600 * second, 60 * second, second}
	var b strings.Builder
	for f := t.Start; f <= t.End; f++ {
		n := v / units[f]
		v %= units[f]
		switch {
		case f == 0:
			b.WriteString(strconv.FormatUint(n, 10))
		case f == t.Start:
			fmt.Fprintf(&b, "%02d", n)
		case f == 1:
			fmt.Fprintf(&b, " %02d", n)
		default:
			fmt.Fprintf(&b, ":%02d", n)
		}
	}
	if t.End == 3 && v > 0 {
		b.WriteString(strings.TrimRight(fmt.Sprintf(".%06d", v), "0"))
	}
	name := dayTimeFields[t.Start]
	if t.End != t.Start {
		name += " TO " + dayTimeFields[t.End]
	}
	return "INTERVAL '" + sign + b.String() + "' " + name
}
