package expr

import (
	"math/big"
	"strconv"
	"strings"

	"millrace/errs"
	"millrace/types"
	"millrace/vector"
)

func init() {
	Register("format_string", Func{Pure: true, Build: func(c *Call) (Kernel, error) { return textKernel(formatString(c)), nil }})
	Register("format_number", Func{Strict: true, Pure: true, Build: func(c *Call) (Kernel, error) { return textKernel(formatNumber(c)), nil }})
}

// directive is one % of a Java format: %[index$][flags][width][.precision]conversion.
type directive struct {
	index, width, precision int
	flags                   string
	verb                    byte
}

// formatString is Java's String.format for the conversions of texts, integers, floats, booleans and characters.
func formatString(c *Call) toText {
	return func(in *inputs, i int, dst []byte) ([]byte, error) {
		if in.null(0, i) {
			return nil, errNull
		}
		format, next := in.str(0, i), 1
		for k := 0; k < len(format); {
			if format[k] != '%' {
				dst = append(dst, format[k])
				k++
				continue
			}
			d, n := parseDirective(format[k+1:])
			if n == 0 {
				return nil, errs.Newf(errs.Invalid, "Conversion = '%%'")
			}
			k += 1 + n
			switch d.verb {
			case '%':
				dst = padded(dst, d, "%")
				continue
			case 'n':
				dst = append(dst, '\n')
				continue
			}
			arg := d.index
			if arg == 0 {
				arg = next
				next++
			}
			if arg >= len(in.vec) {
				return nil, errs.Newf(errs.Invalid, "Format specifier '%%%c'", d.verb)
			}
			text, err := d.format(in.vec[arg], i)
			if err != nil {
				return nil, err
			}
			dst = padded(dst, d, text)
		}
		return dst, nil
	}
}

// parseDirective reads what follows %; n is 0 if it is no directive.
func parseDirective(s []byte) (d directive, n int) {
	d.precision = -1
	number := func() int {
		v := 0
		for n < len(s) && s[n] >= '0' && s[n] <= '9' && v < 1_000_000 {
			v = v*10 + int(s[n]-'0')
			n++
		}
		return v
	}
	if len(s) > 0 && s[0] >= '1' && s[0] <= '9' {
		if v := number(); n < len(s) && s[n] == '$' {
			d.index = v
			n++
		} else {
			n = 0
		}
	}
	for n < len(s) && strings.IndexByte("-#+ 0,(", s[n]) >= 0 {
		d.flags += string(s[n])
		n++
	}
	d.width = number()
	if n < len(s) && s[n] == '.' {
		n++
		d.precision = number()
	}
	if n == len(s) {
		return d, 0
	}
	d.verb = s[n]
	return d, n + 1
}

func (d *directive) has(flag byte) bool { return strings.IndexByte(d.flags, flag) >= 0 }

// padded appends text in the directive's width; zeros go between the sign and the digits.
func padded(dst []byte, d directive, text string) []byte {
	missing := d.width - charCount([]byte(text))
	fill := func(c string) { dst = append(dst, strings.Repeat(c, max(missing, 0))...) }
	switch {
	case d.has('-'):
		dst = append(dst, text...)
		fill(" ")
	case d.has('0') && d.verb != 's':
		if text != "" && (text[0] == '-' || text[0] == '+' || text[0] == ' ' || text[0] == '(') {
			dst, text = append(dst, text[0]), text[1:]
		}
		fill("0")
		dst = append(dst, text...)
	default:
		fill(" ")
		dst = append(dst, text...)
	}
	return dst
}

// format shows a value without its padding.
func (d *directive) format(v *vector.Vector, i int) (string, error) {
	if v.IsNull(i) {
		if d.verb|0x20 == 'b' {
			return "false", nil
		}
		return d.cased("null"), nil
	}
	t := v.Type
	at, k := slotOf(v, i)
	switch d.verb {
	case 's', 'S':
		text := javaString(at, k)
		if d.precision >= 0 {
			text = text[:charOffset([]byte(text), d.precision)]
		}
		return d.cased(text), nil
	case 'b', 'B':
		if t.Kind == types.KindBoolean {
			return d.cased(strconv.FormatBool(intAt(at, k) != 0)), nil
		}
		return d.cased("true"), nil
	case 'd', 'x', 'X', 'o', 'c', 'C':
		if t.IsIntegral() {
			return d.integer(intAt(at, k), 8*vector.Width(t)), nil
		}
	case 'f', 'e', 'E', 'g', 'G':
		if t.IsFloating() {
			return d.floating(floatAt(at, k)), nil
		}
	}
	return "", errs.Newf(errs.Invalid, "%c != %s", d.verb, javaClass(t))
}

func (d *directive) cased(s string) string {
	if d.verb < 'a' {
		return strings.ToUpper(s)
	}
	return s
}

// javaString is a value as Java shows it; dates and timestamps are the numbers that they are stored as.
func javaString(v *vector.Vector, i int) string {
	switch t := v.Type; {
	case t.IsStringLike():
		return string(v.Str(i))
	case t.Kind == types.KindBoolean:
		return strconv.FormatBool(intAt(v, i) != 0)
	case t.Kind == types.KindFloat:
		return string(AppendFloat(nil, vector.Values[float32](v)[i]))
	case t.Kind == types.KindDouble:
		return string(AppendDouble(nil, vector.Values[float64](v)[i]))
	case t.Kind == types.KindDecimal:
		d := readDecimals(v)
		return plainDecimal(d.at(i).BigInt(), t.Scale)
	case vector.Width(t) > 0:
		return itoa(intAt(v, i))
	}
	return ""
}

func javaClass(t *types.Type) string {
	switch {
	case t.Kind == types.KindString:
		return "org.apache.spark.unsafe.types.UTF8String"
	case t.Kind == types.KindDecimal:
		return "org.apache.spark.sql.types.Decimal"
	case t.Kind == types.KindLong || t.Kind == types.KindTimestamp:
		return "java.lang.Long"
	case t.Kind == types.KindDouble:
		return "java.lang.Double"
	case t.Kind == types.KindFloat:
		return "java.lang.Float"
	case t.Kind == types.KindBoolean:
		return "java.lang.Boolean"
	}
	return "java.lang.Integer"
}

func (d *directive) integer(n int64, bits int) string {
	mask := uint64(n)
	if bits < 64 {
		mask &= 1<<bits - 1
	}
	switch d.verb {
	case 'x', 'X':
		prefix := ""
		if d.has('#') {
			prefix = "0x"
		}
		return d.cased(prefix + strconv.FormatUint(mask, 16))
	case 'o':
		return strconv.FormatUint(mask, 8)
	case 'c', 'C':
		return d.cased(string(rune(n)))
	}
	return d.signed(n < 0, strings.TrimPrefix(itoa(n), "-"), "")
}

// signed puts together sign, grouped digits and fraction by the flags.
func (d *directive) signed(negative bool, whole, rest string) string {
	if d.has(',') {
		whole = grouped(whole, 3)
	}
	switch {
	case negative && d.has('('):
		return "(" + whole + rest + ")"
	case negative:
		return "-" + whole + rest
	case d.has('+'):
		return "+" + whole + rest
	case d.has(' '):
		return " " + whole + rest
	}
	return whole + rest
}

// grouped puts a comma before every size digits from the right.
func grouped(digits string, size int) string {
	var b strings.Builder
	for k := range len(digits) {
		if k > 0 && (len(digits)-k)%size == 0 {
			b.WriteByte(',')
		}
		b.WriteByte(digits[k])
	}
	return b.String()
}

func (d *directive) floating(f float64) string {
	precision := d.precision
	if precision < 0 {
		precision = 6
	}
	switch {
	case f != f:
		return "NaN"
	case f > 1.7976931348623157e308 || f < -1.7976931348623157e308:
		return d.signed(f < 0, "Infinity", "")
	}
	if d.verb == 'g' || d.verb == 'G' {
		precision = max(precision, 1)
		if a := max(f, -f); a != 0 && (a < 1e-4 || a >= pow10(precision)) {
			return d.cased(d.signed(f < 0, strings.TrimPrefix(strconv.FormatFloat(f, 'e', precision-1, 64), "-"), ""))
		}
		r, _ := new(big.Float).SetFloat64(max(f, -f)).Float64()
		whole := len(strconv.FormatInt(int64(r), 10))
		precision = max(precision-whole, 0)
	}
	verb := byte('f')
	if d.verb|0x20 == 'e' {
		verb = 'e'
	}
	text := strings.TrimPrefix(roundedHalfUp(f, verb, precision), "-")
	whole, fraction, dot := strings.Cut(text, ".")
	if dot {
		fraction = "." + fraction
	}
	if verb == 'e' {
		return d.cased(d.signed(f < 0, text, ""))
	}
	return d.signed(f < 0, whole, fraction)
}

func pow10(n int) float64 {
	f := 1.0
	for range n {
		f *= 10
	}
	return f
}

// roundedHalfUp formats the shortest decimal that names f, rounded half up, as Java does.
func roundedHalfUp(f float64, verb byte, precision int) string {
	if verb == 'e' {
		return strconv.FormatFloat(f, 'e', precision, 64)
	}
	r, ok := new(big.Rat).SetString(strconv.FormatFloat(f, 'f', -1, 64))
	if !ok {
		return strconv.FormatFloat(f, verb, precision, 64)
	}
	return r.FloatString(precision)
}

// plainDecimal shows an unscaled value with its point.
func plainDecimal(unscaled *big.Int, scale int) string {
	s := new(big.Int).Abs(unscaled).String()
	if scale > 0 {
		if len(s) <= scale {
			s = strings.Repeat("0", scale+1-len(s)) + s
		}
		s = s[:len(s)-scale] + "." + s[len(s)-scale:]
	}
	if unscaled.Sign() < 0 {
		s = "-" + s
	}
	return s
}

// numberPattern is a DecimalFormat pattern: what stands around the number, its least and most digits.
type numberPattern struct {
	prefix, suffix         string
	group                  int
	whole, least, fraction int // least digits before the point; least and most after it
}

func parseNumberPattern(s string) numberPattern {
	s, _, _ = strings.Cut(s, ";")
	start := strings.IndexAny(s, "#0,.")
	if start < 0 {
		return numberPattern{prefix: s}
	}
	end := start
	for end < len(s) && strings.IndexByte("#0,.", s[end]) >= 0 {
		end++
	}
	p := numberPattern{prefix: s[:start], suffix: s[end:]}
	whole, fraction, _ := strings.Cut(s[start:end], ".")
	if k := strings.LastIndexByte(whole, ','); k >= 0 {
		p.group = len(whole) - k - 1
	}
	p.whole = strings.Count(whole, "0")
	p.least, p.fraction = strings.Count(fraction, "0"), len(fraction)
	return p
}

// show writes a number, rounded half even, in the pattern.
func (p *numberPattern) show(dst []byte, r *big.Rat) []byte {
	scale := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(p.fraction)), nil)
	n := roundEven(new(big.Rat).Mul(r, new(big.Rat).SetInt(scale)))
	digits := new(big.Int).Abs(n).String()
	if len(digits) <= p.fraction {
		digits = strings.Repeat("0", p.fraction+1-len(digits)) + digits
	}
	whole, fraction := digits[:len(digits)-p.fraction], digits[len(digits)-p.fraction:]
	for len(fraction) > p.least && fraction[len(fraction)-1] == '0' {
		fraction = fraction[:len(fraction)-1]
	}
	if whole == "0" && p.whole == 0 && fraction != "" {
		whole = ""
	}
	for len(whole) < p.whole {
		whole = "0" + whole
	}
	if p.group > 0 {
		whole = grouped(whole, p.group)
	}
	if r.Sign() < 0 {
		dst = append(dst, '-')
	}
	dst = append(append(dst, p.prefix...), whole...)
	if fraction != "" {
		dst = append(append(dst, '.'), fraction...)
	}
	return append(dst, p.suffix...)
}

func roundEven(r *big.Rat) *big.Int {
	q, rem := new(big.Int).QuoRem(r.Num(), r.Denom(), new(big.Int))
	switch c := new(big.Int).Abs(rem.Lsh(rem, 1)).Cmp(r.Denom()); {
	case c > 0 || c == 0 && q.Bit(0) == 1:
		q.Add(q, big.NewInt(int64(r.Sign())))
	}
	return q
}

// formatNumber is of a number and its digits after the point, or a pattern.
func formatNumber(*Call) toText {
	var patterns lastPattern[numberPattern]
	return func(in *inputs, i int, dst []byte) ([]byte, error) {
		var p numberPattern
		if in.vec[1].Type.Kind == types.KindString {
			p, _ = patterns.get(in.str(1, i), func(s []byte) (numberPattern, error) { return parseNumberPattern(string(s)), nil })
			if len(in.str(1, i)) == 0 {
				p = numberPattern{group: 3, whole: 1}
			}
		} else {
			n := int(in.num(1, i))
			if n < 0 {
				return nil, errNull
			}
			p = numberPattern{group: 3, whole: 1, least: n, fraction: n}
		}
		v, k := slotOf(in.vec[0], i)
		if v.Type.IsFloating() {
			switch f := floatAt(v, k); {
			case f != f:
				return append(dst, "NaN"...), nil
			case f > 1.7976931348623157e308:
				return append(dst, "∞"...), nil
			case f < -1.7976931348623157e308:
				return append(dst, "-∞"...), nil
			}
		}
		r, _ := ratOf(v, k)
		return p.show(dst, r), nil
	}
}
