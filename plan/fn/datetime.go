package fn

import (
	"strings"

	"millrace/errs"
	"millrace/types"
)

func init() {
	date, ts, str, num, long := types.Date, types.Timestamp, types.String, types.Integer, types.Long
	fixed := func(names []string, least, most int, out *types.Type, params ...*types.Type) *Func {
		return &Func{Names: names, Min: least, Max: most, Resolve: Fixed(out, false, params...)}
	}
	maybe := func(names []string, least, most int, out *types.Type, params ...*types.Type) *Func {
		return &Func{Names: names, Min: least, Max: most, Resolve: Fixed(out, true, params...)}
	}
	for _, names := range [][]string{{"year"}, {"quarter"}, {"month"}, {"dayofmonth", "day"}, {"dayofweek"}, {"weekday"}, {"dayofyear"}, {"weekofyear"}} {
		Register(fixed(names, 1, 1, num, date))
	}
	for _, name := range []string{"hour", "minute", "second"} {
		Register(&Func{Names: []string{name}, Min: 1, Max: 1, Resolve: timePart(name)})
	}
	Register(
		&Func{Names: []string{"extract", "date_part", "datepart"}, Min: 2, Max: 2, Resolve: extract},
		fixed([]string{"dayname"}, 1, 1, str, date), fixed([]string{"monthname"}, 1, 1, str, date), fixed([]string{"last_day"}, 1, 1, date, date),
		&Func{Names: []string{"date_add", "dateadd"}, Min: 2, Max: 2, Resolve: addDays}, &Func{Names: []string{"date_sub"}, Min: 2, Max: 2, Resolve: addDays},
		fixed([]string{"datediff", "date_diff"}, 2, 2, num, date), fixed([]string{"add_months"}, 2, 2, date, date, num),
		fixed([]string{"months_between"}, 2, 3, types.Double, ts, ts, types.Boolean),
		fixed([]string{"next_day"}, 2, 2, date, date, str), maybe([]string{"trunc"}, 2, 2, date, date, str),
		maybe([]string{"date_trunc"}, 2, 2, ts, str, ts),
		fixed([]string{"make_date"}, 3, 3, date, num),
		&Func{Names: []string{"make_timestamp"}, Min: 2, Max: 7, Resolve: makeTimestamp(ts, false)},
		&Func{Names: []string{"make_timestamp_ltz"}, Min: 2, Max: 7, Resolve: makeTimestamp(ts, false)},
		&Func{Names: []string{"make_timestamp_ntz"}, Min: 2, Max: 6, Resolve: makeTimestamp(types.TimestampNTZ, false)},
		&Func{Names: []string{"try_make_timestamp"}, Min: 2, Max: 7, Resolve: makeTimestamp(ts, true)},
		&Func{Names: []string{"try_make_timestamp_ltz"}, Min: 2, Max: 7, Resolve: makeTimestamp(ts, true)},
		&Func{Names: []string{"try_make_timestamp_ntz"}, Min: 2, Max: 6, Resolve: makeTimestamp(types.TimestampNTZ, true)},
		fixed([]string{"make_interval"}, 0, 7, types.Calendar, num, num, num, num, num, num, types.Decimal(18, 6)),
		maybe([]string{"try_make_interval"}, 0, 7, types.Calendar, num, num, num, num, num, num, types.Decimal(18, 6)),
		fixed([]string{"make_dt_interval"}, 0, 4, types.DayTime, num, num, num, types.Decimal(18, 6)),
		fixed([]string{"make_ym_interval"}, 0, 2, types.YearMonth, num),
		&Func{Names: []string{"timestampadd"}, Min: 3, Max: 3, Resolve: timestampAdd},
		&Func{Names: []string{"timestampdiff"}, Min: 3, Max: 3, Resolve: Fixed(long, false, str, ts)},
		fixed([]string{"from_utc_timestamp"}, 2, 2, ts, ts, str), fixed([]string{"to_utc_timestamp"}, 2, 2, ts, ts, str),
		&Func{Names: []string{"convert_timezone"}, Min: 2, Max: 3, Resolve: convertTimezone},
		&Func{Names: []string{"timestamp_seconds"}, Min: 1, Max: 1, Resolve: timestampSeconds},
		fixed([]string{"timestamp_millis"}, 1, 1, ts, long), fixed([]string{"timestamp_micros"}, 1, 1, ts, long),
		fixed([]string{"unix_seconds"}, 1, 1, long, ts), fixed([]string{"unix_millis"}, 1, 1, long, ts), fixed([]string{"unix_micros"}, 1, 1, long, ts),
		fixed([]string{"unix_date"}, 1, 1, num, date), fixed([]string{"date_from_unix_date"}, 1, 1, date, num),
		&Func{Names: []string{"unix_timestamp"}, Min: 0, Max: 2, Nondeterministic: false, Resolve: unixTimestamp},
		&Func{Names: []string{"to_unix_timestamp"}, Min: 1, Max: 2, Resolve: unixTimestamp},
		fixed([]string{"from_unixtime"}, 1, 2, str, long, str),
		fixed([]string{"date_format"}, 2, 2, str, ts, str),
		parsed("to_date", date, false), parsed("try_to_date", date, true), parsed("to_timestamp", ts, false), parsed("try_to_timestamp", ts, true),
		parsed("to_timestamp_ltz", ts, false), parsed("to_timestamp_ntz", types.TimestampNTZ, false),
	)
}

// momentType converts an argument to a timestamp of either sort.
func momentType(c *Context, args []Arg, i int) (*types.Type, error) {
	if args[i].Type.Kind == types.KindTimestampNTZ {
		return types.TimestampNTZ, nil
	}
	return OneOf(c, args, i, types.Timestamp)
}

// timePart is hour, minute or second, of a time by a kernel of its own.
func timePart(name string) func(*Context, []Arg) (Result, error) {
	return func(c *Context, args []Arg) (Result, error) {
		if args[0].Type.Kind == types.KindTime {
			r, err := strict(args, types.Integer, false, nil)
			r.Kernel = "time_" + name
			return r, err
		}
		return momentPart(c, args)
	}
}

func momentPart(c *Context, args []Arg) (Result, error) {
	t, err := momentType(c, args, 0)
	if err != nil {
		return Result{}, err
	}
	return strict(args, types.Integer, false, t)
}

// partNames are the spellings of the fields of EXTRACT.
var partNames = map[string]string{}

func init() {
	for name, spellings := range map[string]string{"year": "YEAR Y YEARS YR YRS", "yearofweek": "YEAROFWEEK", "quarter": "QUARTER QTR", "month": "MONTH MON MONS MONTHS",
		"weekofyear": "WEEK W WEEKS", "dayofmonth": "DAY D DAYS", "dayofweek": "DAYOFWEEK DOW", "dayofweek_iso": "DAYOFWEEK_ISO DOW_ISO",
		"dayofyear": "DOY", "hour": "HOUR H HOURS HR HRS", "minute": "MINUTE M MIN MINS MINUTES", "second": "SECOND S SEC SECONDS SECS"} {
		for _, s := range strings.Fields(spellings) {
			partNames[s] = name
		}
	}
}

// extract is EXTRACT(field FROM source): a kernel of its own, told the field by an option.
func extract(c *Context, args []Arg) (Result, error) {
	field, ok := args[0].Const.(string)
	if args[0].IsConst && args[0].Const == nil {
		return Result{Args: []*types.Type{types.String}, Type: types.Double, Nullable: true, Kernel: "always_null", Deterministic: true}, nil
	}
	if !ok {
		return Result{}, errs.New("NON_FOLDABLE_ARGUMENT", "funcName", "`extract`", "paramName", "`field`", "paramType", `"STRING"`)
	}
	part, t := partNames[strings.ToUpper(field)], args[1].Type
	var cast, out *types.Type
	switch {
	case part == "":
	case t.Kind == types.KindTime:
		kernel := map[string]string{"hour": "time_hour", "minute": "time_minute", "second": "time_second_with_fraction"}[part]
		if kernel == "" {
			break
		}
		out = types.Integer
		if part == "second" {
			out = types.Decimal(8, 6)
		}
		r, err := strict(args[1:], out, false, nil)
		r.Kernel, r.Skip = kernel, 1
		return r, err
	case t.IsInterval() || t.Kind == types.KindCalendar:
		out = intervalPart(part, t)
	case part == "hour" || part == "minute" || part == "second":
		if u, err := momentType(c, args, 1); err == nil {
			cast, out = u, types.Integer
		}
		if part == "second" && out != nil {
			out = types.Decimal(8, 6)
		}
	default:
		if u, ok := ImplicitCast(c, t, types.Date); ok {
			cast, out = u, types.Integer
		}
	}
	if out == nil {
		return Result{}, errs.New("INVALID_EXTRACT_FIELD", "field", "`"+field+"`", "expr", `"`+args[1].SQL+`"`)
	}
	r, err := strict(args, out, false, nil, cast)
	r.Kernel, r.Options = "extract", map[string]string{"field": part}
	return r, err
}

// intervalPart is the type of an interval's field, or nil.
func intervalPart(part string, t *types.Type) *types.Type {
	months, days := t.Kind != types.KindDayTime, t.Kind != types.KindYearMonth
	switch {
	case months && part == "year", days && part == "dayofmonth":
		return types.Integer
	case months && part == "month", days && (part == "hour" || part == "minute"):
		return types.Byte
	case days && part == "second":
		return types.Decimal(8, 6)
	}
	return nil
}

// addDays is date_add and date_sub, whose second argument is a small integer.
func addDays(c *Context, args []Arg) (Result, error) {
	first, err := Convert(c, args[:1], types.Date)
	if err != nil {
		return Result{}, err
	}
	switch b := args[1]; {
	case b.Type.Kind == types.KindNull, b.Type.Kind >= types.KindByte && b.Type.Kind <= types.KindInteger:
	case b.Type.Kind == types.KindString && (b.IsConst || !c.ANSI):
	default:
		return Result{}, unexpected("date_add", args, 1, `("INT" or "SMALLINT" or "TINYINT")`)
	}
	return strict(args, types.Date, false, first[0], types.Integer)
}

// makeTimestamp has seconds with a fraction, and perhaps a zone.
func makeTimestamp(out *types.Type, try bool) func(*Context, []Arg) (Result, error) {
	n := types.Integer
	return func(c *Context, args []Arg) (Result, error) {
		if r, ok, err := makeFromParts(c, args, out, try); ok {
			return r, err
		}
		casts, err := Convert(c, args, n, n, n, n, n, types.Decimal(16, 6), types.String)
		if err != nil {
			return Result{}, err
		}
		r, err := strict(args, out, try || !c.ANSI, casts...)
		if r.Kernel = "make_timestamp"; try {
			r.Kernel = "try_make_timestamp"
		}
		return r, err
	}
}

func timestampAdd(c *Context, args []Arg) (Result, error) {
	t, err := momentType(c, args, 2)
	if err != nil {
		return Result{}, err
	}
	casts, err := Convert(c, args, types.String, types.Long, t)
	if err != nil {
		return Result{}, err
	}
	return strict(args, t, false, casts...)
}

// convertTimezone moves a local time from one zone, the session's if it is not given, to another.
func convertTimezone(c *Context, args []Arg) (Result, error) {
	params := []*types.Type{types.String, types.String, types.TimestampNTZ}
	casts, err := Convert(c, args, params[3-len(args):]...)
	if err != nil {
		return Result{}, err
	}
	return strict(args, types.TimestampNTZ, false, casts...)
}

func timestampSeconds(c *Context, args []Arg) (Result, error) {
	t := args[0].Type
	switch {
	case t.IsIntegral():
		t = types.Long
	case t.Kind == types.KindDecimal && t.Scale > 6:
		t = types.Decimal(38, t.Scale)
	case t.Kind == types.KindDecimal:
		t = types.Decimal(18, 6)
	default:
		u, ok := ImplicitCast(c, t, types.Double)
		if !ok {
			return Result{}, unexpected("timestamp_seconds", args, 0, `"NUMERIC"`)
		}
		t = u
	}
	return strict(args, types.Timestamp, t.Kind == types.KindDouble, t)
}

// unixTimestamp reads a text by a pattern; dates and timestamps need none.
func unixTimestamp(c *Context, args []Arg) (Result, error) {
	if len(args) == 0 {
		return Result{Type: types.Long, Kernel: "unix_now"}, nil
	}
	t, err := OneOf(c, args, 0, types.String, types.Date, types.Timestamp, types.TimestampNTZ)
	if err != nil {
		return Result{}, err
	}
	if t.Kind == types.KindDate || t.Kind == types.KindTimestampNTZ {
		t = types.Timestamp
	}
	casts, err := Convert(c, args, t, types.String)
	if err != nil {
		return Result{}, err
	}
	r, err := strict(args, types.Long, !c.ANSI, casts...)
	r.Kernel = "unix_timestamp"
	return r, err
}

// parsed is to_date and its like: a cast without a pattern.
func parsed(name string, to *types.Type, try bool) *Func {
	return &Func{Names: []string{name}, Min: 1, Max: 2, Resolve: func(c *Context, args []Arg) (Result, error) {
		from := args[0].Type
		if len(args) == 2 && (from.Kind == types.KindString || from.Kind == types.KindNull) {
			casts, err := Convert(c, args, types.String)
			if err != nil {
				return Result{}, err
			}
			return strict(args, to, try || !c.ANSI, casts...)
		}
		if !CanCast(c.ANSI, from, to) {
			return Result{}, unexpected(name, args, 0, quoted(to))
		}
		r, err := strict(args[:1], to, try || CastNullable(from, to), nil)
		r.Kernel = "cast"
		if len(args) == 2 {
			r.Args = []*types.Type{nil, nil}
		}
		return r, err
	}}
}
