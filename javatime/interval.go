package javatime

import (
	"math"
	"strings"
)

// Interval is a calendar interval: Spark keeps months, days and microseconds apart.
type Interval struct {
	Months, Days int32
	Micros       int64
}

// IntervalProblem says why a text is not an interval, in the words of Spark's INVALID_INTERVAL_FORMAT conditions.
type IntervalProblem struct {
	Condition string            // INVALID_INTERVAL_FORMAT's subclass: INVALID_UNIT, INVALID_FRACTION, …
	Params    map[string]string // its parameters besides input
}

func (p *IntervalProblem) Error() string { return "invalid interval: " + p.Condition }

func problem(condition string, params ...string) error {
	m := map[string]string{}
	for i := 0; i+1 < len(params); i += 2 {
		m[params[i]] = params[i+1]
	}
	return &IntervalProblem{condition, m}
}

// ParseInterval reads "[interval] 1 year -2 days 3.5 seconds …".
func ParseInterval(s string) (Interval, error) {
	var r Interval
	words := strings.Fields(strings.ToLower(trim(s)))
	if len(words) == 0 {
		return r, problem("INPUT_IS_EMPTY")
	}
	if words[0] == "interval" {
		words = words[1:]
		if len(words) == 0 {
			return r, problem("INVALID_PREFIX", "prefix", "interval")
		}
	}
	words = joinSigns(words)
	for i := 0; i < len(words); i += 2 {
		value := words[i]
		if i+1 >= len(words) {
			if _, _, err := splitNumber(value); err != nil {
				return r, err
			}
			return r, problem("MISSING_UNIT", "word", value)
		}
		if err := r.add(value, words[i+1]); err != nil {
			return r, err
		}
	}
	return r, nil
}

// joinSigns puts a sign that stands alone before its number.
func joinSigns(words []string) []string {
	var out []string
	for i := 0; i < len(words); i++ {
		if (words[i] == "-" || words[i] == "+") && i+1 < len(words) {
			i++
			out = append(out, words[i-1]+words[i])
			continue
		}
		out = append(out, words[i])
	}
	return out
}

// splitNumber reads [+-]digits[.digits] as an integer and nanoseconds of the fraction, both with the sign.
func splitNumber(s string) (whole, nanos int64, err error) {
	if c := s[0]; (c < '0' || c > '9') && c != '.' && c != '-' && c != '+' {
		return 0, 0, problem("UNRECOGNIZED_NUMBER", "number", s)
	}
	text, sign := s, int64(1)
	if text[0] == '-' || text[0] == '+' {
		if text[0] == '-' {
			sign = -1
		}
		text = text[1:]
	}
	i := 0
	for ; i < len(text) && text[i] >= '0' && text[i] <= '9'; i++ {
		if whole > (math.MaxInt64-9)/10 {
			return 0, 0, problem("ARITHMETIC_EXCEPTION")
		}
		whole = whole*10 + int64(text[i]-'0')
	}
	if i == len(text) && i > 0 {
		return whole * sign, 0, nil
	}
	if i == len(text) || text[i] != '.' || i == 0 && len(text) == 1 {
		return 0, 0, problem("INVALID_VALUE", "value", s)
	}
	scale := int64(1_000_000_000)
	for i++; i < len(text); i++ {
		if text[i] < '0' || text[i] > '9' {
			return 0, 0, problem("INVALID_VALUE", "value", s)
		}
		if scale == 1 {
			return 0, 0, problem("INVALID_PRECISION", "value", s)
		}
		scale /= 10
		nanos += int64(text[i]-'0') * scale
	}
	return whole * sign, nanos * sign, nil
}

// add adds value units, given as text, to the interval.
func (r *Interval) add(value, unit string) error {
	whole, nanos, err := splitNumber(value)
	if err != nil {
		return err
	}
	unit = strings.TrimSuffix(unit, "s")
	if strings.Contains(value, ".") && unit != "second" {
		return problem("INVALID_FRACTION", "unit", unit)
	}
	var ok bool
	switch unit {
	case "year":
		ok = addInt32(&r.Months, whole, 12)
	case "month":
		ok = addInt32(&r.Months, whole, 1)
	case "week":
		ok = addInt32(&r.Days, whole, 7)
	case "day":
		ok = addInt32(&r.Days, whole, 1)
	case "hour":
		ok = addInt64(&r.Micros, whole, MicrosPerHour)
	case "minute":
		ok = addInt64(&r.Micros, whole, MicrosPerMinute)
	case "second":
		ok = addInt64(&r.Micros, whole, MicrosPerSecond) && addInt64(&r.Micros, nanos/1000, 1)
	case "millisecond":
		ok = addInt64(&r.Micros, whole, 1000)
	case "microsecond":
		ok = addInt64(&r.Micros, whole, 1)
	default:
		return problem("INVALID_UNIT", "unit", unit)
	}
	if !ok {
		return problem("ARITHMETIC_EXCEPTION")
	}
	return nil
}

func addInt32(to *int32, n, factor int64) bool {
	if n > math.MaxInt32 || n < math.MinInt32 {
		return false
	}
	sum := int64(*to) + n*factor
	*to = int32(sum)
	return int64(*to) == sum
}

func addInt64(to *int64, n, factor int64) bool {
	v := n * factor
	if n != 0 && v/n != factor {
		return false
	}
	sum := *to + v
	if (sum > *to) != (v > 0) && v != 0 {
		return false
	}
	*to = sum
	return true
}
