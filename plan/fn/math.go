package fn

import (
	"millrace/errs"
	"millrace/types"
)

func init() {
	doubles := Fixed(types.Double, false, types.Double)
	for _, names := range [][]string{{"sqrt"}, {"cbrt"}, {"exp"}, {"expm1"}, {"sin"}, {"cos"}, {"tan"}, {"cot"}, {"sec"}, {"csc"}, {"asin"}, {"acos"}, {"atan"},
		{"sinh"}, {"cosh"}, {"tanh"}, {"asinh"}, {"acosh"}, {"atanh"}, {"degrees"}, {"radians"}, {"rint"}} {
		Register(&Func{Names: names, Min: 1, Max: 1, Resolve: doubles})
	}
	logarithms := Fixed(types.Double, true, types.Double)
	for _, name := range []string{"ln", "log2", "log10", "log1p"} {
		Register(&Func{Names: []string{name}, Min: 1, Max: 1, Resolve: logarithms})
	}
	Register(
		&Func{Names: []string{"log"}, Min: 1, Max: 2, Resolve: log},
		&Func{Names: []string{"pow", "power"}, Min: 2, Max: 2, Resolve: doubles},
		&Func{Names: []string{"atan2"}, Min: 2, Max: 2, Resolve: doubles},
		&Func{Names: []string{"hypot"}, Min: 2, Max: 2, Resolve: doubles},
		&Func{Names: []string{"pi"}, Resolve: doubles},
		&Func{Names: []string{"e"}, Resolve: doubles},
		&Func{Names: []string{"signum", "sign"}, Min: 1, Max: 1, Resolve: signum},
		&Func{Names: []string{"round"}, Min: 1, Max: 2, Resolve: round("round")},
		&Func{Names: []string{"bround"}, Min: 1, Max: 2, Resolve: round("bround")},
		&Func{Names: []string{"ceil", "ceiling"}, Min: 1, Max: 2, Resolve: ceil("ceil")},
		&Func{Names: []string{"floor"}, Min: 1, Max: 2, Resolve: ceil("floor")},
		&Func{Names: []string{"factorial"}, Min: 1, Max: 1, Resolve: Fixed(types.Long, true, types.Integer)},
		&Func{Names: []string{"hex"}, Min: 1, Max: 1, Resolve: hex},
		&Func{Names: []string{"unhex"}, Min: 1, Max: 1, Resolve: Fixed(types.Binary, true, types.String)},
		&Func{Names: []string{"bin"}, Min: 1, Max: 1, Resolve: Fixed(types.String, false, types.Long)},
		&Func{Names: []string{"conv"}, Min: 3, Max: 3, Resolve: Fixed(types.String, true, types.String, types.Integer, types.Integer)},
		&Func{Names: []string{"&"}, Min: 2, Max: 2, Resolve: bitwise},
		&Func{Names: []string{"|"}, Min: 2, Max: 2, Resolve: bitwise},
		&Func{Names: []string{"^"}, Min: 2, Max: 2, Resolve: bitwise},
		&Func{Names: []string{"~"}, Min: 1, Max: 1, Resolve: bitNot},
		&Func{Names: []string{"shiftleft", "<<"}, Min: 2, Max: 2, Resolve: shift},
		&Func{Names: []string{"shiftright", ">>"}, Min: 2, Max: 2, Resolve: shift},
		&Func{Names: []string{"shiftrightunsigned", ">>>"}, Min: 2, Max: 2, Resolve: shift},
		&Func{Names: []string{"bit_count"}, Min: 1, Max: 1, Resolve: bitCount},
		&Func{Names: []string{"bit_get", "getbit"}, Min: 2, Max: 2, Resolve: bitGet},
		&Func{Names: []string{"width_bucket"}, Min: 4, Max: 4, Resolve: widthBucket},
	)
}

// log is log(x), the natural logarithm, or log(base, x).
func log(c *Context, args []Arg) (Result, error) {
	r, err := Fixed(types.Double, true, types.Double)(c, args)
	if len(args) == 1 {
		r.Kernel = "ln"
	}
	return r, err
}

func signum(c *Context, args []Arg) (Result, error) {
	if args[0].Type.IsInterval() {
		r, err := strict(args, types.Double, false)
		r.Kernel = "signum_interval"
		return r, err
	}
	return Fixed(types.Double, false, types.Double)(c, args)
}

// scaleArg is a constant number of fractional digits; ok is false when it is null.
func scaleArg(name string, args []Arg) (scale int, ok bool, err error) {
	if len(args) < 2 {
		return 0, true, nil
	}
	a := args[1]
	if !a.IsConst {
		return 0, false, errs.New("DATATYPE_MISMATCH.NON_FOLDABLE_INPUT", "sqlExpr", "", "inputName", "`scale`", "inputType", quoted(types.Integer), "inputExpr", `"`+a.SQL+`"`)
	}
	switch n := a.Const.(type) {
	case int64:
		return int(n), true, nil
	case float64:
		return int(n), true, nil
	}
	return 0, false, nil
}

// roundedType is the type of a decimal rounded to a scale.
func roundedType(t *types.Type, scale int) *types.Type {
	if scale < 0 {
		return types.Decimal(min(max(t.Precision-t.Scale+1, 1-scale), types.MaxPrecision), 0)
	}
	s := min(t.Scale, scale)
	return types.Decimal(min(t.Precision-t.Scale+1+s, types.MaxPrecision), s)
}

func round(name string) func(*Context, []Arg) (Result, error) {
	return func(c *Context, args []Arg) (Result, error) {
		scale, ok, err := scaleArg(name, args)
		if err != nil {
			return Result{}, err
		}
		t := args[0].Type
		if !t.IsNumeric() {
			if t, ok = ImplicitCast(c, t, types.Double); !ok {
				return Result{}, unexpected(name, args, 0, `"NUMERIC"`)
			}
		}
		out := t
		if t.Kind == types.KindDecimal {
			out = roundedType(t, scale)
		}
		casts := []*types.Type{t, types.Integer}[:len(args)]
		return strict(args, out, t.Kind == types.KindDecimal || !ok, casts...)
	}
}

// ceil resolves ceil and floor: to bigint or a decimal without a fraction, or with a scale to a decimal.
func ceil(name string) func(*Context, []Arg) (Result, error) {
	return func(c *Context, args []Arg) (Result, error) {
		if len(args) == 2 && (!args[1].IsConst || args[1].Const == nil) {
			return Result{}, errs.New("NON_FOLDABLE_ARGUMENT", "funcName", "`"+name+"`", "paramName", "`scale`", "paramType", quoted(types.Integer))
		}
		scale, _, err := scaleArg(name, args)
		if err != nil {
			return Result{}, err
		}
		t := args[0].Type
		switch {
		case len(args) == 2 && t.IsNumeric():
			t = DecimalFor(t)
		case len(args) == 2:
			t, _ = ImplicitCast(c, t, types.Decimal(38, 18))
		case t.IsIntegral():
			t = types.Long
		case t.Kind != types.KindDecimal:
			t, _ = ImplicitCast(c, t, types.Double)
		}
		switch {
		case t == nil:
			return Result{}, unexpected(name, args, 0, `("BIGINT" or "DOUBLE" or "DECIMAL")`)
		case t.Kind != types.KindDecimal:
			return strict(args, types.Long, false, t)
		}
		return strict(args, roundedType(t, scale), true, []*types.Type{t, types.Integer}[:len(args)]...)
	}
}

func hex(c *Context, args []Arg) (Result, error) {
	switch t := args[0].Type; {
	case t.Kind == types.KindString || t.Kind == types.KindBinary:
		return strict(args, types.String, false)
	case t.IsNumeric() || t.Kind == types.KindNull:
		return strict(args, types.String, false, types.Long)
	}
	casts, err := Convert(c, args, types.String)
	if err != nil {
		return Result{}, unexpected("hex", args, 0, `("BIGINT" or "BINARY" or "STRING")`)
	}
	return strict(args, types.String, false, casts...)
}

// bitwise takes two integers of one type.
func bitwise(c *Context, args []Arg) (Result, error) {
	a, b := args[0].Type, args[1].Type
	t, ok := ComparisonType(c, a, b)
	switch {
	case a.Kind == types.KindNull && b.Kind == types.KindNull:
		t = types.Integer
	case !ok || !t.IsIntegral() && promoted(c, a, b).Kind != promoted(c, b, a).Kind && a.Kind != types.KindNull && b.Kind != types.KindNull:
		return Result{}, diffTypes(a, b)
	case !t.IsIntegral():
		return Result{}, errs.New("DATATYPE_MISMATCH.BINARY_OP_WRONG_TYPE", "sqlExpr", "", "inputType", `"INTEGRAL"`, "actualDataType", quoted(t))
	}
	return strict(args, t, false, t, t)
}

func bitNot(_ *Context, args []Arg) (Result, error) {
	t := args[0].Type
	if t.Kind == types.KindNull {
		t = types.Integer
	}
	if !t.IsIntegral() {
		return Result{}, unexpected("~", args, 0, `"INTEGRAL"`)
	}
	return strict(args, t, false, t)
}

func shift(c *Context, args []Arg) (Result, error) {
	t, err := OneOf(c, args, 0, types.Integer, types.Long)
	if err != nil {
		return Result{}, err
	}
	by, ok := ImplicitCast(c, args[1].Type, types.Integer)
	if !ok {
		return Result{}, unexpected("shift", args, 1, quoted(types.Integer))
	}
	return strict(args, t, false, t, by)
}

func bitCount(_ *Context, args []Arg) (Result, error) {
	t := args[0].Type
	if !t.IsIntegral() && t.Kind != types.KindBoolean && t.Kind != types.KindNull {
		return Result{}, unexpected("bit_count", args, 0, `("INTEGRAL" or "BOOLEAN")`)
	}
	return strict(args, types.Integer, false)
}

func bitGet(c *Context, args []Arg) (Result, error) {
	if t := args[0].Type; !t.IsIntegral() && t.Kind != types.KindNull {
		return Result{}, unexpected("bit_get", args, 0, `"INTEGRAL"`)
	}
	casts, err := Convert(c, args, nil, types.Integer)
	if err != nil {
		return Result{}, err
	}
	return strict(args, types.Byte, false, casts...)
}

func widthBucket(c *Context, args []Arg) (Result, error) {
	params := []*types.Type{types.Double, types.Double, types.Double, types.Long}
	if t := args[0].Type; t.IsInterval() { // of whatever fields each
		for i, a := range args[:3] {
			if params[i] = a.Type; a.Type.Kind != t.Kind {
				params[i] = map[types.Kind]*types.Type{types.KindYearMonth: types.YearMonth, types.KindDayTime: types.DayTime}[t.Kind]
			}
		}
	}
	casts, err := Convert(c, args, params...)
	if err != nil {
		return Result{}, err
	}
	return strict(args, types.Long, true, casts...)
}
