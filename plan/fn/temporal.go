package fn

import (
	"millrace/types"
)

// temporal resolves + and - where a side is a date, a timestamp or an interval; false if the operands are left to numbers.
func temporal(c *Context, op string, args []Arg) (Result, bool, error) {
	a, b := args[0].Type, args[1].Type
	if r, ok, err := timeArithmetic(op, args); ok {
		return r, ok, err
	}
	if op == "+" && (isInterval(a) && !isInterval(b) || a.IsNumeric() && b.Kind == types.KindDate) {
		r, ok, err := temporal(c, op, []Arg{args[1], args[0]})
		if len(r.Args) == 2 {
			r.Args[0], r.Args[1] = r.Args[1], r.Args[0]
		}
		return r, ok, err
	}
	switch {
	case op == "-" && a.Kind == types.KindNull && b.IsDateTime(), op == "-" && b.Kind == types.KindNull && a.IsDateTime() && a.Kind != types.KindDate:
		t := a
		if a.Kind == types.KindNull {
			t = b
		}
		return difference(args, t, t)
	case a.IsDateTime() && b.IsDateTime() && op == "-":
		return difference(args, a, b)
	case a.Kind == types.KindString && b.IsDateTime() && op == "-":
		return difference(args, b, b)
	case a.IsDateTime() && b.Kind == types.KindString && op == "-":
		return difference(args, a, a)
	case a.Kind == types.KindDate && isInterval(b):
		return shiftDate(args, b)
	case a.IsDateTime() && isInterval(b):
		return done(args, a, nil, nil)
	case a.Kind == types.KindString && b.Kind == types.KindYearMonth:
		return Result{}, true, diffTypes(a, b)
	case a.Kind == types.KindString && isInterval(b):
		r, ok, err := done(args, types.String, types.Timestamp, nil)
		r.Kernel, r.Options = "shift_text", map[string]string{"op": op}
		return r, ok, err
	case a.Kind == types.KindDate && b.Kind == types.KindNull && op == "-":
		return difference(args, a, a)
	case a.Kind == types.KindDate:
		return shiftDays(c, args)
	case a.Kind == b.Kind && a.IsInterval():
		t := &types.Type{Kind: a.Kind, Start: min(a.Start, b.Start), End: max(a.End, b.End)}
		return done(args, t, t, t)
	case op == "-" && b.IsDateTime() && a.Kind != types.KindNull:
		return Result{}, true, unexpected(op, args, 0, quoted(b))
	case op == "-" && a.IsDateTime() && a.Kind != types.KindDate && b.Kind != types.KindNull:
		return Result{}, true, unexpected(op, args, 1, quoted(a))
	case isTimeSpan(b) && a.Kind != types.KindNull && !a.SameData(b), op == "+" && isTimeSpan(a) && isInterval(b) && !a.SameData(b):
		return Result{}, true, unexpected(op, args, 0, `("TIMESTAMP" or "TIMESTAMP WITHOUT TIME ZONE")`)
	}
	return Result{}, false, nil
}

// isTimeSpan reports whether a type is that of intervals which only times can be moved by.
func isTimeSpan(t *types.Type) bool {
	return t.Kind == types.KindDayTime || t.Kind == types.KindCalendar
}

func isInterval(t *types.Type) bool { return t.IsInterval() || t.Kind == types.KindCalendar }

func done(args []Arg, t *types.Type, casts ...*types.Type) (Result, bool, error) {
	r, err := strict(args, t, false, casts...)
	return r, true, err
}

// difference is of two dates in days, else of two timestamps.
func difference(args []Arg, a, b *types.Type) (Result, bool, error) {
	if a.Kind == types.KindDate && b.Kind == types.KindDate {
		return done(args, &types.Type{Kind: types.KindDayTime}, types.Date, types.Date)
	}
	t := widerDateTime(a, b)
	return done(args, types.DayTime, t, t)
}

// shiftDate adds an interval to a date: of whole days and months it stays a date, else it becomes a timestamp.
func shiftDate(args []Arg, by *types.Type) (Result, bool, error) {
	if by.Kind == types.KindDayTime && by.End > 0 {
		return done(args, types.Timestamp, types.Timestamp, nil)
	}
	return done(args, types.Date, nil, nil)
}

func shiftDays(c *Context, args []Arg) (Result, bool, error) {
	switch b := args[1].Type; {
	case b.Kind == types.KindNull, b.Kind >= types.KindByte && b.Kind <= types.KindInteger:
		return done(args, types.Date, nil, types.Integer)
	case b.Kind == types.KindString && !c.ANSI:
		return done(args, types.Date, nil, types.Integer)
	}
	return Result{}, true, unexpected("date_add", args, 1, `("INT" or "SMALLINT" or "TINYINT")`)
}

// scaleInterval resolves interval * number, number * interval and interval / number.
func scaleInterval(c *Context, op string, args []Arg) (Result, bool) {
	a, b := args[0].Type, args[1].Type
	if op == "*" && isInterval(b) && !isInterval(a) {
		r, ok := scaleInterval(c, op, []Arg{args[1], args[0]})
		if ok {
			r.Args[0], r.Args[1] = r.Args[1], r.Args[0]
		}
		return r, ok
	}
	if !isInterval(a) || !b.IsNumeric() && b.Kind != types.KindString && b.Kind != types.KindNull {
		return Result{}, false
	}
	out := map[types.Kind]*types.Type{types.KindYearMonth: types.YearMonth, types.KindDayTime: types.DayTime, types.KindCalendar: types.Calendar}[a.Kind]
	var number *types.Type
	if b.Kind == types.KindString || b.Kind == types.KindNull || a.Kind == types.KindCalendar {
		number = types.Double
	}
	r, _ := strict(args, out, op == "/", nil, number)
	return r, true
}
