package fn

import (
	"slices"
	"strconv"

	"millrace/errs"
	"millrace/types"
)

// The aggregate functions. The first name is the kernel's.
func init() {
	Register(
		&Func{Names: []string{"count"}, Kind: Aggregate, Min: 1, Max: -1, Resolve: count},
		&Func{Names: []string{"count_if"}, Kind: Aggregate, Min: 1, Max: 1, Resolve: countIf},
		&Func{Names: []string{"sum"}, Kind: Aggregate, Min: 1, Max: 1, Resolve: sum},
		&Func{Names: []string{"try_sum"}, Kind: Aggregate, Min: 1, Max: 1, Resolve: trying(sum, "sum")},
		&Func{Names: []string{"avg", "mean"}, Kind: Aggregate, Min: 1, Max: 1, Resolve: avg},
		&Func{Names: []string{"try_avg"}, Kind: Aggregate, Min: 1, Max: 1, Resolve: trying(avg, "avg")},
		&Func{Names: []string{"min"}, Kind: Aggregate, Min: 1, Max: 1, Resolve: extreme("min")},
		&Func{Names: []string{"max"}, Kind: Aggregate, Min: 1, Max: 1, Resolve: extreme("max")},
		&Func{Names: []string{"first", "first_value", "any_value"}, Kind: Aggregate, Min: 1, Max: 2, Nondeterministic: true, Resolve: edge},
		&Func{Names: []string{"last", "last_value"}, Kind: Aggregate, Min: 1, Max: 2, Nondeterministic: true, Resolve: edge},
		&Func{Names: []string{"bool_and", "every"}, Kind: Aggregate, Min: 1, Max: 1, Resolve: boolean},
		&Func{Names: []string{"bool_or", "any", "some"}, Kind: Aggregate, Min: 1, Max: 1, Resolve: boolean},
		&Func{Names: []string{"stddev_samp", "stddev", "std"}, Kind: Aggregate, Min: 1, Max: 1, Resolve: moment},
		&Func{Names: []string{"stddev_pop"}, Kind: Aggregate, Min: 1, Max: 1, Resolve: moment},
		&Func{Names: []string{"var_samp", "variance"}, Kind: Aggregate, Min: 1, Max: 1, Resolve: moment},
		&Func{Names: []string{"var_pop"}, Kind: Aggregate, Min: 1, Max: 1, Resolve: moment},
		&Func{Names: []string{"product"}, Kind: Aggregate, Min: 1, Max: 1, Resolve: moment},
		&Func{Names: []string{"skewness"}, Kind: Aggregate, Min: 1, Max: 1, Resolve: moment},
		&Func{Names: []string{"kurtosis"}, Kind: Aggregate, Min: 1, Max: 1, Resolve: moment},
		&Func{Names: []string{"covar_samp"}, Kind: Aggregate, Min: 2, Max: 2, Resolve: moment},
		&Func{Names: []string{"covar_pop"}, Kind: Aggregate, Min: 2, Max: 2, Resolve: moment},
		&Func{Names: []string{"corr"}, Kind: Aggregate, Min: 2, Max: 2, Resolve: moment},
		&Func{Names: []string{"collect_list", "array_agg"}, Kind: Aggregate, Min: 1, Max: 1, Nondeterministic: true, Resolve: collect},
		&Func{Names: []string{"collect_set"}, Kind: Aggregate, Min: 1, Max: 1, Nondeterministic: true, Resolve: collectSet},
		&Func{Names: []string{"approx_count_distinct"}, Kind: Aggregate, Min: 1, Max: 2, Resolve: approxCount},
		&Func{Names: []string{"min_by"}, Kind: Aggregate, Min: 2, Max: 3, Resolve: extremeBy("min_by")},
		&Func{Names: []string{"max_by"}, Kind: Aggregate, Min: 2, Max: 3, Resolve: extremeBy("max_by")},
		&Func{Names: []string{"bit_and"}, Kind: Aggregate, Min: 1, Max: 1, Resolve: bits},
		&Func{Names: []string{"bit_or"}, Kind: Aggregate, Min: 1, Max: 1, Resolve: bits},
		&Func{Names: []string{"bit_xor"}, Kind: Aggregate, Min: 1, Max: 1, Resolve: bits},
		&Func{Names: []string{"percentile"}, Kind: Aggregate, Min: 2, Max: 3, Resolve: percentile},
		&Func{Names: []string{"median"}, Kind: Aggregate, Min: 1, Max: 1, Resolve: percentile},
		&Func{Names: []string{"percentile_approx", "approx_percentile"}, Kind: Aggregate, Min: 2, Max: 3, Resolve: percentileApprox},
		&Func{Names: []string{"percentile_cont"}, Kind: Aggregate, Min: 2, Max: 2, Resolve: percentile},
		&Func{Names: []string{"percentile_disc"}, Kind: Aggregate, Min: 2, Max: 2, Resolve: percentile},
		&Func{Names: []string{"mode"}, Kind: Aggregate, Min: 1, Max: 1, Nondeterministic: true, Resolve: mode},
	)
}

// result is a call over arguments cast to the given types that may be null.
func result(t *types.Type, args ...*types.Type) Result {
	return Result{Args: args, Type: t, Nullable: true, Deterministic: true}
}

func count(_ *Context, _ []Arg) (Result, error) {
	return Result{Type: types.Long, Deterministic: true}, nil
}

func countIf(c *Context, args []Arg) (Result, error) {
	casts, err := Convert(c, args, types.Boolean)
	return Result{Args: casts, Type: types.Long, Deterministic: true}, err
}

func sum(_ *Context, args []Arg) (Result, error) {
	switch t := args[0].Type; {
	case t.IsIntegral():
		return result(types.Long), nil
	case t.Kind == types.KindDecimal:
		return result(bounded(t.Precision+10, t.Scale)), nil
	case t.Kind == types.KindYearMonth:
		return result(t), nil
	case t.Kind == types.KindDayTime:
		return result(t), nil
	default:
		return numericOnly("sum", args)
	}
}

func avg(_ *Context, args []Arg) (Result, error) {
	switch t := args[0].Type; {
	case t.IsIntegral():
		return result(types.Double), nil
	case t.Kind == types.KindDecimal:
		return result(bounded(t.Precision+4, t.Scale+4)), nil
	case t.Kind == types.KindYearMonth:
		return result(types.YearMonth), nil
	case t.Kind == types.KindDayTime:
		return result(types.DayTime), nil
	default:
		return numericOnly("avg", args)
	}
}

// numericOnly takes floats, strings, nulls and timestamps (in seconds) as double and refuses all else.
func numericOnly(name string, args []Arg) (Result, error) {
	switch args[0].Type.Kind {
	case types.KindFloat, types.KindDouble, types.KindString, types.KindNull, types.KindTimestamp:
		return result(types.Double, types.Double), nil
	}
	return Result{}, unexpected(name, args, 0, "\"NUMERIC\" or \"ANSI INTERVAL\"")
}

func bounded(precision, scale int) *types.Type {
	return types.Decimal(min(precision, types.MaxPrecision), min(scale, types.MaxPrecision))
}

// trying is another function's signature; the analyser gives calls of try_… the mode of trying.
func trying(resolve func(*Context, []Arg) (Result, error), kernel string) func(*Context, []Arg) (Result, error) {
	return func(c *Context, args []Arg) (Result, error) {
		r, err := resolve(c, args)
		r.Kernel = kernel
		return r, err
	}
}

func extreme(name string) func(*Context, []Arg) (Result, error) {
	return func(_ *Context, args []Arg) (Result, error) {
		if !Orderable(args[0].Type) {
			return Result{}, errs.New("DATATYPE_MISMATCH.INVALID_ORDERING_TYPE", "sqlExpr", "", "functionName", "`"+name+"`", "dataType", quoted(args[0].Type))
		}
		return result(args[0].Type), nil
	}
}

// edge is first and last; the second argument, ignoreNulls, must be a constant.
func edge(_ *Context, args []Arg) (Result, error) {
	return result(args[0].Type), nil
}

func boolean(c *Context, args []Arg) (Result, error) {
	casts, err := Convert(c, args, types.Boolean)
	return result(types.Boolean, casts...), err
}

func moment(_ *Context, args []Arg) (Result, error) {
	casts := make([]*types.Type, len(args))
	for i := range args {
		k := args[i].Type.Kind
		if !args[i].Type.IsNumeric() && k != types.KindString && k != types.KindNull {
			return Result{}, unexpected("", args, i, `"DOUBLE"`)
		}
		casts[i] = types.Double
	}
	return result(types.Double, casts...), nil
}

func collectSet(c *Context, args []Arg) (Result, error) {
	if HasMap(args[0].Type) || hasCollation(args[0].Type) {
		return Result{}, errs.New("DATATYPE_MISMATCH.UNSUPPORTED_INPUT_TYPE", "sqlExpr", "", "functionName", "`collect_set`", "dataType",
			`"MAP" or "COLLATED STRING"`)
	}
	return collect(c, args)
}

// hasCollation reports whether a type has strings of another collation than the default one.
func hasCollation(t *types.Type) bool {
	return t != nil && (t.Kind == types.KindString && t.Collation != "" || hasCollation(t.Key) || hasCollation(t.Elem) ||
		slices.ContainsFunc(t.Fields, func(f types.Field) bool { return hasCollation(f.Type) }))
}

func collect(_ *Context, args []Arg) (Result, error) {
	return Result{Type: types.ArrayOf(args[0].Type, false), Deterministic: true}, nil
}

func approxCount(_ *Context, args []Arg) (Result, error) {
	r := Result{Type: types.Long, Deterministic: true}
	if len(args) == 2 && (!args[1].IsConst || args[1].Type.Kind != types.KindDouble && args[1].Type.Kind != types.KindDecimal) {
		return Result{}, errs.New("_LEGACY_ERROR_TEMP_1104")
	}
	if len(args) == 2 {
		r.Keep, r.Shown = 1, "approx_count_distinct"
		r.Options = map[string]string{"rsd": strconv.FormatFloat(number(args[1].Const, args[1].Type), 'g', -1, 64)}
	}
	return r, nil
}

// extremeBy is max_by and min_by: of one value, or with a third argument of an array of so many.
func extremeBy(name string) func(*Context, []Arg) (Result, error) {
	return func(_ *Context, args []Arg) (Result, error) {
		if !Orderable(args[1].Type) {
			return Result{}, errs.New("DATATYPE_MISMATCH.INVALID_ORDERING_TYPE", "sqlExpr", "", "functionName", "`"+name+"`", "dataType", quoted(args[1].Type))
		}
		if len(args) == 2 {
			return result(args[0].Type), nil
		}
		if !args[2].IsConst {
			return Result{}, notFoldable("k", args, 2, args[2].SQL)
		}
		if n, _ := args[2].Const.(int64); n <= 0 || n > 100_000 {
			return Result{}, outOfRange("k", "[1, 100000]", strconv.FormatInt(n, 10))
		}
		return result(types.ArrayOf(args[0].Type, true), nil, nil, types.Integer), nil
	}
}

func bits(_ *Context, args []Arg) (Result, error) {
	t := args[0].Type
	if !t.IsIntegral() {
		return Result{}, unexpected("", args, 0, `"INTEGRAL"`)
	}
	return result(t, t), nil
}

func mode(_ *Context, args []Arg) (Result, error) {
	if HasVariant(args[0].Type) {
		return Result{}, errs.Unsupportedf("mode of variants is not supported.")
	}
	return result(args[0].Type), nil
}

func quoted(t *types.Type) string { return `"` + t.SQL() + `"` }

var ordinals = [...]string{"first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth"}

// unexpected is the error of an argument's type; the analyser fills in sqlExpr.
func unexpected(_ string, args []Arg, i int, required string) error {
	return errs.New("DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE", "sqlExpr", "", "paramIndex", ordinals[i], "inputSql", `"`+args[i].SQL+`"`,
		"inputType", quoted(args[i].Type), "requiredType", required)
}
