package fn

import (
	"millrace/errs"
	"millrace/types"
)

func init() {
	Register(
		&Func{Names: []string{"+"}, Min: 1, Max: 2, Resolve: plus("+")},
		&Func{Names: []string{"-"}, Min: 1, Max: 2, Resolve: plus("-")},
		&Func{Names: []string{"*"}, Min: 2, Max: 2, Resolve: times},
		&Func{Names: []string{"/"}, Min: 2, Max: 2, Resolve: divide},
		&Func{Names: []string{"div"}, Min: 2, Max: 2, Resolve: integralDivide},
		&Func{Names: []string{"%", "mod"}, Min: 2, Max: 2, Resolve: remainder("%")},
		&Func{Names: []string{"pmod"}, Min: 2, Max: 2, Resolve: remainder("pmod")},
		&Func{Names: []string{"try_add"}, Min: 2, Max: 2, Resolve: tryArith("try_add", plus("+"))},
		&Func{Names: []string{"try_subtract"}, Min: 2, Max: 2, Resolve: tryArith("try_subtract", plus("-"))},
		&Func{Names: []string{"try_multiply"}, Min: 2, Max: 2, Resolve: tryArith("try_multiply", times)},
		&Func{Names: []string{"try_divide"}, Min: 2, Max: 2, Resolve: tryArith("try_divide", divide)},
		&Func{Names: []string{"try_mod"}, Min: 2, Max: 2, Resolve: tryArith("try_mod", remainder("%"))},
		&Func{Names: []string{"negative", "negate"}, Min: 1, Max: 1, Resolve: sign("negative")},
		&Func{Names: []string{"positive"}, Min: 1, Max: 1, Resolve: sign("positive")},
		&Func{Names: []string{"abs"}, Min: 1, Max: 1, Resolve: sign("abs")},
	)
}

// tryArith is an operation that gives null where it would fail; its kernel has a name of its own.
func tryArith(name string, op func(*Context, []Arg) (Result, error)) func(*Context, []Arg) (Result, error) {
	return func(c *Context, args []Arg) (Result, error) {
		r, err := op(c, args)
		r.Kernel, r.Nullable = name, true
		return r, err
	}
}

const numericOrInterval = `("NUMERIC" or "INTERVAL DAY TO SECOND" or "INTERVAL YEAR TO MONTH" or "INTERVAL")`

// operands is the common type of two numeric operands and the types to which they are converted: decimals keep their own.
func operands(c *Context, args []Arg, required string) (*types.Type, []*types.Type, error) {
	a, b := args[0].Type, args[1].Type
	if a.Kind == types.KindDecimal || b.Kind == types.KindDecimal {
		if casts := decimalOperands(args); casts != nil {
			return nil, casts, nil
		}
	}
	var t *types.Type
	switch {
	case a.Kind == types.KindString && b.Kind == types.KindString, a.Kind == types.KindNull && b.Kind == types.KindString, a.Kind == types.KindString && b.Kind == types.KindNull:
		t = types.String
		if !c.ANSI {
			t = types.Double
		}
	case a.Kind == types.KindNull && b.Kind == types.KindNull:
		t = types.Double
	case !c.ANSI && (a.Kind == types.KindString && b.IsNumeric() || b.Kind == types.KindString && a.IsNumeric()):
		t = types.Double
	default:
		t = widerOfTwo(c, a, b)
	}
	switch {
	case isInterval(a) != isInterval(b) && (t == nil || !isInterval(t) || required == `"NUMERIC"`):
		return nil, nil, errs.New("DATATYPE_MISMATCH.BINARY_OP_DIFF_TYPES", "sqlExpr", "", "left", quoted(a), "right", quoted(b))
	case t == nil || !a.SameData(b) && !t.IsNumeric() && !t.IsInterval() && t.Kind != types.KindCalendar && t.Kind != types.KindString:
		return nil, nil, errs.New("DATATYPE_MISMATCH.BINARY_OP_DIFF_TYPES", "sqlExpr", "", "left", quoted(a), "right", quoted(b))
	case !t.IsNumeric() && !t.IsInterval() && t.Kind != types.KindCalendar || required == `"NUMERIC"` && !t.IsNumeric():
		return nil, nil, errs.New("DATATYPE_MISMATCH.BINARY_OP_WRONG_TYPE", "sqlExpr", "", "inputType", required, "actualDataType", quoted(t))
	}
	return t, []*types.Type{t, t}, nil
}

// decimalOperands converts the integer operand of a decimal; nil if an operand is neither.
func decimalOperands(args []Arg) []*types.Type {
	casts := make([]*types.Type, 2)
	for i, a := range args {
		switch {
		case a.Type.Kind == types.KindDecimal:
			casts[i] = a.Type
		case a.Type.IsIntegral():
			if casts[i] = literalDecimal(a); casts[i] == nil {
				casts[i] = DecimalFor(a.Type)
			}
		case a.Type.Kind == types.KindNull:
			casts[i] = args[1-i].Type
		default:
			return nil
		}
	}
	return casts
}

// arithmetic resolves an operation of numbers.
func arithmetic(c *Context, op string, args []Arg, required string, sometimes bool) (Result, error) {
	t, casts, err := operands(c, args, required)
	if err != nil {
		return Result{}, err
	}
	if t == nil {
		t = decimalResult(c, op, casts[0], casts[1])
		sometimes = sometimes || !c.ANSI
	} else if t.Kind == types.KindDecimal {
		t = decimalResult(c, op, t, t)
	}
	return strict(args, t, sometimes, casts...)
}

// plus resolves + and -, of one or two operands, temporal ones included.
func plus(op string) func(*Context, []Arg) (Result, error) {
	unary := map[string]string{"+": "positive", "-": "negative"}[op]
	return func(c *Context, args []Arg) (Result, error) {
		if len(args) == 1 {
			return sign(unary)(c, args)
		}
		if r, ok, err := temporal(c, op, args); ok || err != nil {
			return r, err
		}
		return arithmetic(c, op, args, numericOrInterval, false)
	}
}

func times(c *Context, args []Arg) (Result, error) {
	if r, ok := scaleInterval(c, "*", args); ok {
		return r, nil
	}
	return arithmetic(c, "*", args, `"NUMERIC"`, false)
}

// divide is /: of decimals, else of doubles.
func divide(c *Context, args []Arg) (Result, error) {
	if r, ok := scaleInterval(c, "/", args); ok {
		return r, nil
	}
	a, b := args[0].Type, args[1].Type
	if (a.Kind == types.KindDecimal || b.Kind == types.KindDecimal) && decimalOperands(args) != nil {
		return arithmetic(c, "/", args, `("DOUBLE" or "DECIMAL")`, true)
	}
	t, _, err := operands(c, args, `"NUMERIC"`)
	if err != nil {
		return Result{}, err
	}
	casts := []*types.Type{types.Double, types.Double}
	for i, x := range args {
		if x.Type.Kind == types.KindString && t.Kind == types.KindLong {
			casts[i] = types.Long // a string beside an integer is read as one
		}
	}
	return strict(args, types.Double, true, casts...)
}

// integralDivide is div: of bigints, decimals or intervals of a kind, to bigint.
func integralDivide(c *Context, args []Arg) (Result, error) {
	a, b := args[0].Type, args[1].Type
	switch {
	case a.IsInterval() && a.Kind == b.Kind:
		return strict(args, types.Long, true)
	case (a.Kind == types.KindDecimal || b.Kind == types.KindDecimal) && decimalOperands(args) != nil:
		return strict(args, types.Long, true, decimalOperands(args)...)
	}
	t, _, err := operands(c, args, `("BIGINT" or "DECIMAL" or "INTERVAL YEAR TO MONTH" or "INTERVAL DAY TO SECOND")`)
	if err != nil {
		return Result{}, err
	}
	if x, y := promoted(c, a, b), promoted(c, b, a); !t.IsIntegral() && x.Kind != y.Kind {
		return Result{}, diffTypes(a, b)
	}
	if !t.IsIntegral() {
		return Result{}, errs.New("DATATYPE_MISMATCH.BINARY_OP_WRONG_TYPE", "sqlExpr", "", "inputType",
			`("BIGINT" or "DECIMAL" or "INTERVAL YEAR TO MONTH" or "INTERVAL DAY TO SECOND")`, "actualDataType", quoted(t))
	}
	return strict(args, types.Long, true, types.Long, types.Long)
}

func remainder(op string) func(*Context, []Arg) (Result, error) {
	return func(c *Context, args []Arg) (Result, error) { return arithmetic(c, op, args, `"NUMERIC"`, true) }
}

// sign resolves -x, +x and abs(x).
func sign(name string) func(*Context, []Arg) (Result, error) {
	return func(c *Context, args []Arg) (Result, error) {
		t := args[0].Type
		switch {
		case t.Kind == types.KindString || t.Kind == types.KindNull:
			t = types.Double
		case !t.IsNumeric() && !t.IsInterval() && (t.Kind != types.KindCalendar || name == "abs"):
			required := numericOrInterval
			if name == "abs" {
				required = `("NUMERIC" or "INTERVAL DAY TO SECOND" or "INTERVAL YEAR TO MONTH")`
			}
			return Result{}, unexpected(name, args, 0, required)
		}
		r, err := strict(args, t, false, t)
		r.Kernel = name
		return r, err
	}
}

// promoted is what an operand of type t becomes beside one of type o before integers are widened.
func promoted(c *Context, t, o *types.Type) *types.Type {
	switch {
	case t.Kind == types.KindString && !c.ANSI, t.Kind == types.KindDecimal && (o.IsFloating() || o.Kind == types.KindString && !c.ANSI):
		return types.Double
	case t.Kind == types.KindString:
		if u := PromoteString(t, o); u != nil {
			return u
		}
	case o.Kind == types.KindString && c.ANSI:
		return promoted(c, o, t)
	}
	return t
}
