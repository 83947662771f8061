package fn

import (
	"strconv"

	"millrace/errs"
	"millrace/types"
)

// Aggregates of pairs of numbers, texts, histograms and bitmaps.
func init() {
	for _, n := range []string{"regr_avgx", "regr_avgy", "regr_slope", "regr_intercept", "regr_r2", "regr_sxx", "regr_syy", "regr_sxy"} {
		Register(&Func{Names: []string{n}, Kind: Aggregate, Min: 2, Max: 2, Resolve: moment})
	}
	Register(
		&Func{Names: []string{"regr_count"}, Kind: Aggregate, Min: 2, Max: 2, Resolve: regrCount},
		&Func{Names: []string{"listagg"}, Kind: Aggregate, Min: 1, Max: 2, Nondeterministic: true, Resolve: listagg},
		&Func{Names: []string{"string_agg"}, Kind: Aggregate, Min: 1, Max: 2, Nondeterministic: true, Resolve: listagg},
		&Func{Names: []string{"histogram_numeric"}, Kind: Aggregate, Min: 2, Max: 2, Resolve: histogram},
		&Func{Names: []string{"bitmap_construct_agg"}, Kind: Aggregate, Min: 1, Max: 1, Resolve: bitmap(types.Long)},
		&Func{Names: []string{"bitmap_or_agg"}, Kind: Aggregate, Min: 1, Max: 1, Resolve: bitmap(types.Binary)},
		&Func{Names: []string{"bitmap_and_agg"}, Kind: Aggregate, Min: 1, Max: 1, Resolve: bitmap(types.Binary)},
	)
}

func regrCount(c *Context, args []Arg) (Result, error) {
	r, err := moment(c, args)
	r.Type, r.Nullable = types.Long, false
	return r, err
}

// listagg takes texts or binaries and a constant delimiter of the same kind.
func listagg(c *Context, args []Arg) (Result, error) {
	t := types.String
	switch k := args[0].Type; {
	case k.Kind == types.KindBinary:
		t = types.Binary
	case k.Kind == types.KindString:
		t = k
	default:
		u, ok := ImplicitCast(c, k, types.String)
		if !ok || u == nil {
			return Result{}, unexpected("", args, 0, `("STRING" or "BINARY")`)
		}
	}
	casts := []*types.Type{t}
	if len(args) == 2 {
		d := args[1]
		mixed := d.Type.Kind == types.KindString && t.Kind == types.KindString && d.Type.Collation != t.Collation
		if mixed || d.Type.Kind != types.KindNull && (d.Type.Kind == types.KindBinary) != (t.Kind == types.KindBinary) && (d.Type.Kind == types.KindBinary || d.Type.Kind == types.KindString) {
			return Result{}, errs.New("DATATYPE_MISMATCH.DATA_DIFF_TYPES", "sqlExpr", "", "functionName", "`listagg`", "dataType", "("+quoted(t)+" or "+quoted(d.Type)+")")
		}
		if !d.IsConst {
			d.Type = t
			return Result{}, notFoldable("delimiter", []Arg{d}, 0, d.SQL)
		}
		casts = append(casts, t)
	}
	r := result(t, casts...)
	r.Kernel = "listagg"
	return r, nil
}

// histogram is histogram_numeric(x, bins): an array of the bins' middles and heights.
func histogram(_ *Context, args []Arg) (Result, error) {
	t := args[0].Type
	switch {
	case t.IsNumeric(), t.IsInterval(), t.Kind == types.KindDate, t.Kind == types.KindTimestamp, t.Kind == types.KindTimestampNTZ:
	case t.Kind == types.KindString, t.Kind == types.KindNull:
		t = types.Double
	default:
		return Result{}, unexpected("", args, 0, `("NUMERIC" or "DATE" or "TIMESTAMP" or "TIMESTAMP_NTZ" or "INTERVAL YEAR TO MONTH" or "INTERVAL DAY TO SECOND")`)
	}
	if !args[1].Type.IsIntegral() {
		return Result{}, unexpected("", args, 1, `"INT"`)
	}
	if !args[1].IsConst {
		return Result{}, notFoldable("nb", args, 1, args[1].SQL)
	}
	if args[1].Const == nil {
		return Result{}, errs.New("DATATYPE_MISMATCH.UNEXPECTED_NULL", "sqlExpr", "", "exprName", "nb")
	}
	if n, _ := args[1].Const.(int64); n < 2 {
		return Result{}, outOfRange("nb", "[2, 2147483647]", strconv.FormatInt(n, 10))
	}
	bin := types.Struct(types.Field{Name: "x", Type: t, Nullable: true}, types.Field{Name: "y", Type: types.Double, Nullable: true})
	return result(types.ArrayOf(bin, true), t, types.Integer), nil
}

func bitmap(arg *types.Type) func(*Context, []Arg) (Result, error) {
	return func(c *Context, args []Arg) (Result, error) {
		if args[0].Type.Kind != types.KindNull && (args[0].Type.Kind == types.KindBinary) != (arg.Kind == types.KindBinary) {
			return Result{}, unexpected("", args, 0, quoted(arg))
		}
		casts, err := Convert(c, args, arg)
		return Result{Args: casts, Type: types.Binary, Deterministic: true}, err
	}
}
