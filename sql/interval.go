package sql

import (
	"errors"
	"math"
	"regexp"
	"strconv"
	"strings"

	"millrace/errs"
	"millrace/javatime"
	"millrace/plan"
	"millrace/types"
)

// intervalUnits gives each unit's place: years and months below 10, the parts of days from 10 on.
var intervalUnits = map[string]int{"YEAR": 0, "YEARS": 0, "MONTH": 1, "MONTHS": 1, "WEEK": 10, "WEEKS": 10, "DAY": 10, "DAYS": 10,
	"HOUR": 11, "HOURS": 11, "MINUTE": 12, "MINUTES": 12, "SECOND": 13, "SECONDS": 13, "MILLISECOND": 13, "MILLISECONDS": 13,
	"MICROSECOND": 13, "MICROSECONDS": 13, "NANOSECOND": 13, "NANOSECONDS": 13} // nanoseconds are known to be refused

// intervalLiteral reads INTERVAL 1 DAY 2 HOURS, INTERVAL '1-2' YEAR TO MONTH and INTERVAL '1 day'; nil when INTERVAL is a name.
func (p *parser) intervalLiteral() plan.Expr {
	n := 1
	if p.opAt(1, "-") || p.opAt(1, "+") {
		n = 2
	}
	value, unit := p.peek(n), p.peek(n+1)
	for i := n + 1; value.kind == tString && unit.kind == tString; i++ {
		unit = p.peek(i + 1)
	}
	_, isUnit := intervalUnits[unit.upper]
	switch {
	case value.kind == tString && isUnit:
	case value.kind == tString && n == 1:
		return p.typedLiteral()
	case value.kind != tInt && value.kind != tNumber && value.kind != tString:
		return nil
	case n == 2 && !isUnit:
		return nil
	case !isUnit:
		p.pos += n + 1
		p.fail()
	}
	start := p.pos
	p.pos++
	if value.kind == tString && p.toUnit() {
		return p.fromTo(start)
	}
	return p.multiUnits(start)
}

// toUnit reports whether [sign] strings unit TO unit is next.
func (p *parser) toUnit() bool {
	n := 0
	for p.opAt(n, "-") || p.opAt(n, "+") || p.peek(n).kind == tString {
		n++
	}
	return p.peek(n+1).upper == "TO"
}

// sign reads an optional sign as "" or "-".
func (p *parser) sign() string {
	if p.acceptOp("-") {
		return "-"
	}
	p.acceptOp("+")
	return ""
}

// multiUnits reads value unit, value unit, ….
func (p *parser) multiUnits(start int) plan.Expr {
	var text strings.Builder
	var units []int
	for p.moreUnits() {
		sign := p.sign()
		value := p.intervalValue()
		unit, ok := intervalUnits[p.cur().upper]
		if !ok {
			p.fail()
		}
		units = append(units, unit)
		text.WriteString(" " + negate(sign, value) + " " + p.cur().text)
		p.pos++
		if p.is("TO") {
			p.pos += 2
			if len(units) == 1 {
				p.raise(start, "_LEGACY_ERROR_TEMP_0027")
			}
			p.raise(start, "_LEGACY_ERROR_TEMP_0024")
		}
	}
	if len(units) == 0 {
		p.fail()
	}
	v, err := javatime.ParseInterval(text.String())
	if err != nil {
		p.raiseErr(start, intervalError(text.String(), err))
	}
	if p.conf.CalendarInterval {
		return p.calendarInterval(start, v)
	}
	l := p.unitsLiteral(start, v, units)
	l.Origin = p.origin(start)
	return l
}

var intervalNumber = regexp.MustCompile(`^\s*[+-]?\s*(\d+(\.\d*)?|\.\d+)\s*$`)

// intervalValue reads the number of a unit, which may be in quotes.
func (p *parser) intervalValue() string {
	t := p.cur()
	switch t.kind {
	case tInt, tNumber:
		p.pos++
		return t.text
	case tString:
		start := p.pos
		s := p.stringLiteral()
		if p.peek(1).upper == "TO" {
			p.raise(start, "_LEGACY_ERROR_TEMP_0024")
		}
		if !intervalNumber.MatchString(s) {
			p.raise(start, "_LEGACY_ERROR_TEMP_0026", "value", s)
		}
		return strings.Join(strings.Fields(s), "")
	}
	p.fail()
	return ""
}

func negate(sign, value string) string {
	if sign == "" {
		return value
	}
	if rest, ok := strings.CutPrefix(value, "-"); ok {
		return rest
	}
	return "-" + strings.TrimPrefix(value, "+")
}

// moreUnits reports whether another value and unit follow; a sign alone does not say so, it may be an operator.
func (p *parser) moreUnits() bool {
	n := 0
	if p.opAt(0, "-") || p.opAt(0, "+") {
		n = 1
	}
	k := p.peek(n).kind
	if k != tInt && k != tNumber && k != tString {
		return false
	}
	if n == 1 || k != tString { // 1 day - 1 hour is arithmetic only if no unit follows
		_, ok := intervalUnits[p.peek(n+1).upper]
		return ok
	}
	return true
}

// ParseInterval reads a calendar interval as the options of streaming queries write it: "10 seconds", "interval 1 hour 30 minutes".
func ParseInterval(text string) (months, days int32, micros int64, err error) {
	v, err := javatime.ParseInterval(text)
	if err != nil {
		return 0, 0, 0, intervalError(text, err)
	}
	return v.Months, v.Days, v.Micros, nil
}

func intervalError(text string, err error) *errs.Error {
	var p *javatime.IntervalProblem
	if !errors.As(err, &p) {
		return errs.Newf(errs.Invalid, "%v", err)
	}
	params := []string{"input", text}
	for k, v := range p.Params {
		params = append(params, k, v)
	}
	return errs.New("INVALID_INTERVAL_FORMAT."+p.Condition, params...)
}

// unitsIn lists the units that an interval's text names.
func unitsIn(text string) []int {
	var units []int
	for _, w := range strings.Fields(strings.ToUpper(text)) {
		if u, ok := intervalUnits[w]; ok {
			units = append(units, u)
		}
	}
	return units
}

// unitsLiteral makes the ANSI interval from the largest to the smallest of units.
func (p *parser) unitsLiteral(start int, v javatime.Interval, units []int) *plan.Literal {
	if len(units) == 0 {
		return nil
	}
	low, high := units[0], units[0]
	for _, u := range units {
		low, high = min(low, u), max(high, u)
	}
	if low < 10 && high >= 10 {
		p.raise(start, "_LEGACY_ERROR_TEMP_0029", "literal", p.between(start))
	}
	if low < 10 {
		return &plan.Literal{Value: int64(v.Months), T: &types.Type{Kind: types.KindYearMonth, Start: low, End: high}}
	}
	micros := int64(v.Days)*javatime.MicrosPerDay + v.Micros
	if days := int64(v.Days) * javatime.MicrosPerDay; days/javatime.MicrosPerDay != int64(v.Days) || (days^micros)&(v.Micros^micros) < 0 {
		p.raiseAnalysis("INTERVAL_ARITHMETIC_OVERFLOW.WITHOUT_SUGGESTION")
	}
	return &plan.Literal{Value: micros,
		T: &types.Type{Kind: types.KindDayTime, Start: low - 10, End: high - 10}}
}

// fromTo reads '…' unit TO unit.
func (p *parser) fromTo(start int) plan.Expr {
	sign := p.sign()
	at := p.pos
	text := negate(sign, p.stringLiteral())
	from, to := p.cur(), p.peek(2)
	low, ok := intervalFields[from.upper]
	high, ok2 := intervalFields[to.upper]
	if !ok || !ok2 {
		p.fail()
	}
	p.pos += 3
	if _, more := intervalUnits[p.peek(1).upper]; more && p.moreUnits() || p.cur().kind == tString && more {
		p.raise(start, "_LEGACY_ERROR_TEMP_0024")
	}
	if low >= high || low < 10 && high >= 10 {
		p.raise(at, "INVALID_INTERVAL_FORMAT.UNSUPPORTED_FROM_TO_EXPRESSION", "input", text,
			"from", strings.ToLower(from.upper), "to", strings.ToLower(to.upper))
	}
	l := &plan.Literal{}
	if low < 10 {
		l.Value, l.T = p.yearToMonth(at, text), types.YearMonth
	} else {
		l.Value, l.T = p.dayTimeRange(at, text, low-10, high-10), &types.Type{Kind: types.KindDayTime, Start: low - 10, End: high - 10}
	}
	if v, _ := l.Value.(int64); p.conf.CalendarInterval {
		switch {
		case low < 10:
			return p.calendarInterval(start, javatime.Interval{Months: int32(v)})
		case low > 10:
			return p.calendarInterval(start, javatime.Interval{Micros: v})
		}
		return p.calendarInterval(start, javatime.Interval{Days: int32(v / javatime.MicrosPerDay), Micros: v % javatime.MicrosPerDay})
	}
	l.Origin = p.origin(start)
	return l
}

// calendarInterval is a constant of the type INTERVAL: its text, which is read as one.
func (p *parser) calendarInterval(start int, v javatime.Interval) plan.Expr {
	var parts []string
	part := func(n int64, unit string) {
		if n != 0 {
			parts = append(parts, strconv.FormatInt(n, 10)+" "+unit)
		}
	}
	part(int64(v.Months/12), "years")
	part(int64(v.Months%12), "months")
	part(int64(v.Days), "days")
	part(v.Micros/javatime.MicrosPerHour, "hours")
	part(v.Micros%javatime.MicrosPerHour/javatime.MicrosPerMinute, "minutes")
	if rest := v.Micros % javatime.MicrosPerMinute; rest != 0 || len(parts) == 0 {
		sign := ""
		if rest < 0 {
			sign, rest = "-", -rest
		}
		fraction := strings.TrimRight(strconv.FormatInt(javatime.MicrosPerSecond+rest%javatime.MicrosPerSecond, 10)[1:], "0")
		text := sign + strconv.FormatInt(rest/javatime.MicrosPerSecond, 10)
		if fraction != "" {
			text += "." + fraction
		}
		parts = append(parts, text+" seconds")
	}
	return &plan.Cast{Child: plan.Str(strings.Join(parts, " ")), To: types.Calendar, Implicit: true, Origin: p.origin(start)}
}

var yearMonthForm = regexp.MustCompile(`^([+-])?(\d+)-(\d+)$`)

func (p *parser) yearToMonth(at int, text string) int64 {
	m := yearMonthForm.FindStringSubmatch(strings.TrimSpace(text))
	if m == nil {
		p.raise(at, "INVALID_INTERVAL_FORMAT.UNMATCHED_FORMAT_STRING", "input", text, "intervalStr", "year-month",
			"supportedFormat", "`[+|-]y-m`, `INTERVAL [+|-]'[+|-]y-m' YEAR TO MONTH`", "typeName", "interval year to month")
	}
	years, err := strconv.ParseInt(m[2], 10, 64)
	months, err2 := strconv.ParseInt(m[3], 10, 64)
	total := years*12 + months
	if m[1] == "-" {
		total = -total
	}
	if err != nil || err2 != nil || months > 11 || years > 178956970 || total > math.MaxInt32 || total < math.MinInt32 {
		p.raise(at, "INVALID_INTERVAL_FORMAT.INTERVAL_PARSING", "input", text, "interval", "year-month")
	}
	return total
}

var dayTimeUnits = [...]struct {
	name, letter, separator string
	micros, max             int64
}{{"DAY", "d", "", javatime.MicrosPerDay, 106751991}, {"HOUR", "h", " ", javatime.MicrosPerHour, 23},
	{"MINUTE", "m", ":", javatime.MicrosPerMinute, 59}, {"SECOND", "s.n", ":", javatime.MicrosPerSecond, 59}}

// dayTimeRange reads "[+-]d h:m:s.n" between two units.
func (p *parser) dayTimeRange(at int, text string, from, to int) int64 {
	pattern, shown := `^([+-])?`, ""
	for u := from; u <= to; u++ {
		if u > from {
			pattern += map[string]string{" ": ` +`, ":": ":"}[dayTimeUnits[u].separator]
			shown += dayTimeUnits[u].separator
		}
		if u == 3 {
			pattern += `(\d{1,2})(\.\d{1,9})?`
		} else if u == from {
			pattern += `(\d+)`
		} else {
			pattern += `(\d{1,2})`
		}
		shown += dayTimeUnits[u].letter
	}
	m := regexp.MustCompile(pattern + `$`).FindStringSubmatch(strings.TrimSpace(text))
	fromName, toName := dayTimeUnits[from].name, dayTimeUnits[to].name
	if m == nil {
		p.raise(at, "INVALID_INTERVAL_FORMAT.UNMATCHED_FORMAT_STRING_WITH_NOTICE", "input", text, "intervalStr", "day-time",
			"supportedFormat", "`[+|-]"+shown+"`, `INTERVAL [+|-]'[+|-]"+shown+"' "+fromName+" TO "+toName+"`",
			"typeName", "interval "+strings.ToLower(fromName+" to "+toName))
	}
	var total int64
	for u := from; u <= to; u++ {
		n, err := strconv.ParseInt(m[2+u-from], 10, 64)
		limit := dayTimeUnits[u].max
		if u == from && u < 3 {
			limit = math.MaxInt64 / dayTimeUnits[u].micros
		}
		if err != nil || n > limit {
			p.raise(at, "_LEGACY_ERROR_TEMP_0063", "msg", "requirement failed: "+strings.ToLower(dayTimeUnits[u].name)+" "+m[2+u-from]+
				" outside range [0, "+strconv.FormatInt(limit, 10)+"]")
		}
		total += n * dayTimeUnits[u].micros
	}
	if to == 3 && m[len(m)-1] != "" {
		nanos, _ := strconv.ParseInt((m[len(m)-1] + "000000000")[1:10], 10, 64)
		total += nanos / 1000
	}
	if m[1] == "-" {
		total = -total
	}
	return total
}
