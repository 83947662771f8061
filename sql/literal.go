package sql

import (
	"encoding/hex"
	"math"
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"millrace/errs"
	"millrace/javatime"
	"millrace/plan"
	"millrace/types"
)

// number reads a numeric literal with its sign.
func (p *parser) number() plan.Expr {
	start := p.pos
	sign := ""
	if p.acceptOp("-") {
		sign = "-"
	}
	t := p.cur()
	p.pos++
	if t.kind == tInt {
		return p.integer(start, sign+t.text)
	}
	body, suffix := splitSuffix(t.text)
	l := &plan.Literal{}
	switch suffix {
	case "L":
		l = p.sized(start, sign+body, types.Long, 64)
	case "S":
		l = p.sized(start, sign+body, types.Short, 16)
	case "Y":
		l = p.sized(start, sign+body, types.Byte, 8)
	case "F":
		l.Value, l.T = p.floating(start, sign+body, types.Float, math.MaxFloat32), types.Float
	case "D":
		l.Value, l.T = p.floating(start, sign+body, types.Double, math.MaxFloat64), types.Double
	case "BD":
		l = p.decimal(start, sign+body)
	default:
		if strings.ContainsAny(body, "eE") {
			l.Value, l.T = p.floating(start, sign+body, types.Double, math.MaxFloat64), types.Double
		} else {
			l = p.decimal(start, sign+body)
		}
	}
	l.Origin = p.origin(start)
	return l
}

// splitSuffix cuts the letters that name a literal's type off its digits.
func splitSuffix(s string) (body, suffix string) {
	i := len(s)
	for i > 0 && (s[i-1] < '0' || s[i-1] > '9') && s[i-1] != '.' {
		i--
	}
	return s[:i], strings.ToUpper(s[i:])
}

// integer is an int, a bigint or a decimal, whichever is the first to hold the number.
func (p *parser) integer(start int, text string) plan.Expr {
	n, err := strconv.ParseInt(text, 10, 64)
	var l *plan.Literal
	switch {
	case err != nil:
		l = p.decimal(start, text)
	case n == int64(int32(n)):
		l = plan.Int(n)
	default:
		l = plan.BigInt(n)
	}
	l.Origin = p.origin(start)
	return l
}

func (p *parser) sized(start int, text string, t *types.Type, bits int) *plan.Literal {
	n, err := strconv.ParseInt(text, 10, bits)
	if err != nil {
		limit := uint64(1) << (bits - 1)
		p.raise(start, "INVALID_NUMERIC_LITERAL_RANGE", "rawStrippedQualifier", text, "typeName", t.String(),
			"minValue", "-"+strconv.FormatUint(limit, 10), "maxValue", strconv.FormatUint(limit-1, 10))
	}
	return &plan.Literal{Value: n, T: t}
}

func (p *parser) floating(start int, text string, t *types.Type, limit float64) float64 {
	f, err := strconv.ParseFloat(text, 64)
	if (err != nil && math.IsInf(f, 0)) || math.Abs(f) > limit {
		shown := strings.Replace(strconv.FormatFloat(limit, 'E', -1, 64), "E+", "E+", 1)
		p.raise(start, "INVALID_NUMERIC_LITERAL_RANGE", "rawStrippedQualifier", text, "typeName", t.String(),
			"minValue", "-"+shown, "maxValue", shown)
	}
	if t.Kind == types.KindFloat {
		f = float64(float32(f))
	}
	return f
}

// decimal makes a decimal literal with as many digits as it is written with.
func (p *parser) decimal(start int, text string) *plan.Literal {
	unscaled, scale := splitDecimal(text)
	if scale < 0 {
		if scale < -100 {
			p.tooPrecise(start, int(math.Max(float64(len(text)), 1))-scale)
		}
		unscaled.Mul(unscaled, new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(-scale)), nil))
		scale = 0
	}
	digits := len(new(big.Int).Abs(unscaled).String())
	precision := max(digits, scale)
	if precision > types.MaxPrecision {
		p.tooPrecise(start, precision)
	}
	l := &plan.Literal{T: types.Decimal(precision, scale), Value: decimal128.FromBigInt(unscaled)}
	if precision <= types.MaxShortDecimal {
		l.Value = unscaled.Int64()
	}
	return l
}

func (p *parser) tooPrecise(start, precision int) {
	e := errs.New("DECIMAL_PRECISION_EXCEEDS_MAX_PRECISION", "precision", strconv.Itoa(precision), "maxPrecision", "38")
	e.Class = errs.ClassArithmetic
	p.raiseErr(start, e)
}

// splitDecimal reads [-]digits[.digits][e[+-]digits] as unscaled value and scale.
func splitDecimal(text string) (*big.Int, int) {
	mantissa, exponent, _ := strings.Cut(strings.ToLower(text), "e")
	whole, fraction, _ := strings.Cut(mantissa, ".")
	unscaled, ok := new(big.Int).SetString(whole+fraction, 10)
	if !ok {
		unscaled = new(big.Int)
	}
	shift, err := strconv.Atoi(exponent)
	if err != nil && exponent != "" { // out of any range
		shift = 1000
		if exponent[0] == '-' {
			shift = -1000
		}
	}
	return unscaled, len(fraction) - max(min(shift, 1000), -1000)
}

// typedLiteral reads DATE '…', TIMESTAMP '…', X'…' and the like.
func (p *parser) typedLiteral() plan.Expr {
	start := p.pos
	name := p.cur().upper
	p.pos++
	text := p.stringLiteral()
	if v, err := javatime.ParseInterval(text); name == "INTERVAL" && p.conf.CalendarInterval && err == nil {
		return p.calendarInterval(start, v)
	}
	l, known := p.typedValue(start, name, text)
	if !known {
		p.raise(start, "UNSUPPORTED_TYPED_LITERAL", "unsupportedType", `"`+name+`"`,
			"supportedTypes", `"DATE", "TIMESTAMP_NTZ", "TIMESTAMP_LTZ", "TIMESTAMP", "INTERVAL", "X", "TIME"`)
	}
	if l == nil {
		p.raise(start, "INVALID_TYPED_LITERAL", "valueType", `"`+name+`"`, "value", "'"+text+"'")
	}
	l.Origin = p.origin(start)
	if l.T.Kind == types.KindTimestamp && p.conf.Location != nil {
		s := time.UnixMicro(l.Value.(int64)).In(p.conf.Location).Format("2006-01-02 15:04:05.000000")
		l.Shown = strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
	}
	return l
}

// typedValue is nil for a text that is not of the type.
func (p *parser) typedValue(start int, name, text string) (l *plan.Literal, known bool) {
	switch name {
	case "DATE":
		if days, ok := p.dateValue(text); ok {
			return &plan.Literal{Value: days, T: types.Date}, true
		}
	case "TIMESTAMP":
		return p.timestampValue(text), true
	case "TIMESTAMP_LTZ":
		if v, ok := p.momentValue(text); ok {
			return &plan.Literal{Value: v, T: types.Timestamp}, true
		}
	case "TIMESTAMP_NTZ":
		if v, ok := p.localValue(text); ok {
			return &plan.Literal{Value: v, T: types.TimestampNTZ}, true
		}
	case "TIME":
		if v, ok := javatime.ParseTime(text); ok {
			return &plan.Literal{Value: v, T: &types.Type{Kind: types.KindTime, Precision: 6}}, true
		}
	case "X":
		if len(text)%2 == 1 {
			text = "0" + text
		}
		if b, err := hex.DecodeString(text); err == nil {
			return &plan.Literal{Value: b, T: types.Binary}, true
		}
	case "INTERVAL":
		v, err := javatime.ParseInterval(text)
		if err != nil {
			return nil, true
		}
		return p.unitsLiteral(start, v, unitsIn(text)), true
	default:
		return nil, false
	}
	return nil, true
}

func (p *parser) zone() *javatime.Zone {
	if p.conf.Location == nil {
		return javatime.UTC
	}
	if z, err := javatime.ZoneOf(p.conf.Location.String()); err == nil {
		return z
	}
	return javatime.UTC
}

// specialDay gives the first moment that now, today, tomorrow, yesterday and epoch mean, as local microseconds.
func (p *parser) specialDay(text string) (local int64, ok bool) {
	if p.conf.Now.IsZero() && !strings.EqualFold(strings.TrimSpace(text), "epoch") {
		return 0, false
	}
	now := p.zone().ToLocal(p.conf.Now.UnixMicro())
	day := javatime.FloorDiv(now, javatime.MicrosPerDay) * javatime.MicrosPerDay
	switch strings.ToLower(strings.TrimSpace(text)) {
	case "now":
		return now, true
	case "today":
		return day, true
	case "tomorrow":
		return day + javatime.MicrosPerDay, true
	case "yesterday":
		return day - javatime.MicrosPerDay, true
	case "epoch":
		return 0, true
	}
	return 0, false
}

func (p *parser) dateValue(text string) (int64, bool) {
	if local, ok := p.specialDay(text); ok {
		return javatime.FloorDiv(local, javatime.MicrosPerDay), true
	}
	days, ok := javatime.ParseDate(text)
	return int64(days), ok
}

func (p *parser) localValue(text string) (int64, bool) {
	if local, ok := p.specialDay(text); ok {
		return local, true
	}
	return javatime.ParseLocal(text, false)
}

func (p *parser) momentValue(text string) (int64, bool) {
	if local, ok := p.specialDay(text); ok {
		if strings.EqualFold(strings.TrimSpace(text), "epoch") {
			return 0, true
		}
		return p.zone().ToUTC(local), true
	}
	return javatime.ParseTimestamp(text, p.zone(), p.conf.Now.UnixMicro())
}

// timestampValue is TIMESTAMP '…', which has the session's type; a text with a zone is a moment in any case.
func (p *parser) timestampValue(text string) *plan.Literal {
	if p.conf.NTZ {
		if parts, ok := javatime.SplitTimestamp(text); !ok || parts.Zone == "" {
			if v, ok := p.localValue(text); ok {
				return &plan.Literal{Value: v, T: types.TimestampNTZ}
			}
			return nil
		}
	}
	if v, ok := p.momentValue(text); ok {
		return &plan.Literal{Value: v, T: types.Timestamp}
	}
	return nil
}
