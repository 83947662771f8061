package fn

import (
	"millrace/types"
)

// timeType is a time with six digits of a second's fraction.
var timeType = &types.Type{Kind: types.KindTime, Precision: 6}

func init() {
	num, long := types.Integer, types.Long
	Register(
		&Func{Names: []string{"make_time"}, Min: 3, Max: 3, Resolve: Fixed(timeType, true, num, num, types.Decimal(16, 6))},
		&Func{Names: []string{"to_time"}, Min: 1, Max: 2, Resolve: toTime(false)},
		&Func{Names: []string{"try_to_time"}, Min: 1, Max: 2, Resolve: toTime(true)},
		&Func{Names: []string{"time_trunc"}, Min: 2, Max: 2, Resolve: timeTrunc},
		&Func{Names: []string{"time_diff"}, Min: 3, Max: 3, Resolve: timeDiff},
		&Func{Names: []string{"time_from_seconds"}, Min: 1, Max: 1, Resolve: timeFromSeconds},
		&Func{Names: []string{"time_from_millis"}, Min: 1, Max: 1, Resolve: integralTo(timeType)},
		&Func{Names: []string{"time_from_micros"}, Min: 1, Max: 1, Resolve: integralTo(timeType)},
		&Func{Names: []string{"time_to_seconds"}, Min: 1, Max: 1, Resolve: ofTime(types.Decimal(14, 6))},
		&Func{Names: []string{"time_to_millis"}, Min: 1, Max: 1, Resolve: ofTime(long)},
		&Func{Names: []string{"time_to_micros"}, Min: 1, Max: 1, Resolve: ofTime(long)},
	)
}

// timeArg is argument i as a time: one stays as it is, a text or a null becomes one.
func timeArg(args []Arg, i int) (*types.Type, error) {
	switch t := args[i].Type; t.Kind {
	case types.KindTime:
		return t, nil
	case types.KindNull, types.KindString:
		return timeType, nil
	}
	return nil, unexpected("", args, i, `"TIME"`)
}

func ofTime(out *types.Type) func(*Context, []Arg) (Result, error) {
	return func(_ *Context, args []Arg) (Result, error) {
		t, err := timeArg(args, 0)
		if err != nil {
			return Result{}, err
		}
		return strict(args, out, false, t)
	}
}

func integralTo(out *types.Type) func(*Context, []Arg) (Result, error) {
	return func(_ *Context, args []Arg) (Result, error) {
		if t := args[0].Type; !t.IsIntegral() && t.Kind != types.KindNull {
			return Result{}, unexpected("", args, 0, `"INTEGRAL"`)
		}
		return strict(args, out, true, types.Long)
	}
}

func timeFromSeconds(_ *Context, args []Arg) (Result, error) {
	t := args[0].Type
	switch {
	case t.IsIntegral(), t.Kind == types.KindNull:
		t = types.Long
	case t.Kind == types.KindDecimal:
		t = types.Decimal(18, 6)
	case !t.IsFloating():
		return Result{}, unexpected("", args, 0, `"NUMERIC"`)
	}
	return strict(args, timeType, true, t)
}

func toTime(try bool) func(*Context, []Arg) (Result, error) {
	return func(_ *Context, args []Arg) (Result, error) {
		casts := make([]*types.Type, len(args))
		for i := range args {
			var err error
			if casts[i], err = onlyText("to_time", args, i); err != nil {
				return Result{}, err
			}
		}
		return strict(args, timeType, try, casts...)
	}
}

func timeTrunc(c *Context, args []Arg) (Result, error) {
	unit, err := Convert(c, args[:1], types.String)
	if err != nil {
		return Result{}, err
	}
	t, err := timeArg(args, 1)
	if err != nil {
		return Result{}, err
	}
	return strict(args, t, false, unit[0], t)
}

func timeDiff(c *Context, args []Arg) (Result, error) {
	unit, err := Convert(c, args[:1], types.String)
	if err != nil {
		return Result{}, err
	}
	a, err := timeArg(args, 1)
	if err != nil {
		return Result{}, err
	}
	b, err := timeArg(args, 2)
	if err != nil {
		return Result{}, err
	}
	return strict(args, types.Long, false, unit[0], a, b)
}

// timeArithmetic resolves time ± interval and time - time; false if no side is a time.
func timeArithmetic(op string, args []Arg) (Result, bool, error) {
	a, b := args[0].Type, args[1].Type
	if op == "+" && b.Kind == types.KindTime {
		r, ok, err := timeArithmetic(op, []Arg{args[1], args[0]})
		if len(r.Args) == 2 {
			r.Args[0], r.Args[1] = r.Args[1], r.Args[0]
		}
		r.Swap = ok && err == nil
		return r, ok, err
	}
	isTime := func(t *types.Type) bool { return t.Kind == types.KindTime }
	switch {
	case !isTime(a) && !isTime(b):
		return Result{}, false, nil
	case op == "-" && isTime(b) && (isTime(a) || a.Kind == types.KindString || a.Kind == types.KindNull), op == "-" && isTime(a) && (b.Kind == types.KindString || b.Kind == types.KindNull):
		x, _ := timeArg(args, 0)
		y, _ := timeArg(args, 1)
		r, ok, err := done(args, &types.Type{Kind: types.KindDayTime, Start: 1, End: 3}, x, y)
		r.Kernel = "time_subtract"
		return r, ok, err
	case op == "-" && isTime(a) && b.IsDateTime():
		return Result{}, true, unexpected("", args, 1, `"TIME"`)
	case isTime(a) && (b.Kind == types.KindDayTime || b.Kind == types.KindNull):
		t, by := a, b
		if b.Kind == types.KindNull {
			by = types.DayTime
		}
		if by.End == 3 {
			t = timeType
		}
		r, ok, err := done(args, t, nil, by)
		r.Kernel, r.Options, r.Nullable = "time_add", map[string]string{"op": op}, args[0].Nullable || args[1].Nullable
		return r, ok, err
	}
	return Result{}, true, diffTypes(a, b)
}

// makeFromParts is make_timestamp of a date and a time, and perhaps a zone; false if the arguments are others.
func makeFromParts(c *Context, args []Arg, out *types.Type, try bool) (Result, bool, error) {
	if len(args) < 2 || len(args) > 3 {
		return Result{}, false, nil
	}
	casts, err := Convert(c, args[:1], types.Date)
	if err != nil {
		return Result{}, true, err
	}
	t, err := timeArg(args, 1)
	if err != nil {
		return Result{}, true, err
	}
	casts = append(casts, t)
	if len(args) > 2 {
		zone, err := onlyText("make_timestamp", args, 2)
		if err != nil {
			return Result{}, true, err
		}
		casts = append(casts, zone)
	}
	r, err := strict(args, out, try, casts...)
	r.Kernel = "date_with_time"
	return r, true, err
}
