package fn

import (
	"strconv"
	"strings"

	"millrace/errs"
	"millrace/types"
)

// Sketches of Apache DataSketches: HLL and Theta count distinct values, KLL knows quantiles. A sketch is a binary.
func init() {
	theta := []*types.Type{types.ArrayOf(types.Integer, true), types.ArrayOf(types.Long, true), types.Binary, types.Double, types.Float, types.Integer, types.Long, types.String}
	hll := []*types.Type{types.Integer, types.Long, types.String, types.Binary}
	binary := []*types.Type{types.Binary}
	Register(
		&Func{Names: []string{"hll_sketch_agg"}, Kind: Aggregate, Min: 1, Max: 2, Resolve: sketchAgg("hll_sketch_agg", hll, types.Integer, hllSize)},
		&Func{Names: []string{"hll_union_agg"}, Kind: Aggregate, Min: 1, Max: 2, Resolve: sketchAgg("hll_union_agg", binary, types.Boolean, mayDiffer)},
		&Func{Names: []string{"hll_sketch_estimate"}, Min: 1, Max: 1, Resolve: ofSketches(types.Long, 1, nil)},
		&Func{Names: []string{"hll_union"}, Min: 2, Max: 3, Resolve: ofSketches(types.Binary, 2, types.Boolean)},
		&Func{Names: []string{"theta_sketch_agg"}, Kind: Aggregate, Min: 1, Max: 2, Resolve: sketchAgg("theta_sketch_agg", theta, types.Integer, thetaSize)},
		&Func{Names: []string{"theta_union_agg"}, Kind: Aggregate, Min: 1, Max: 2, Resolve: sketchAgg("theta_union_agg", binary, types.Integer, thetaSize)},
		&Func{Names: []string{"theta_intersection_agg"}, Kind: Aggregate, Min: 1, Max: 1, Resolve: sketchAgg("theta_intersection_agg", binary, nil, nil)},
		&Func{Names: []string{"theta_sketch_estimate"}, Min: 1, Max: 1, Resolve: ofSketches(types.Long, 1, nil)},
		&Func{Names: []string{"theta_union"}, Min: 2, Max: 3, Resolve: ofSketches(types.Binary, 2, types.Integer)},
		&Func{Names: []string{"theta_intersection"}, Min: 2, Max: 2, Resolve: ofSketches(types.Binary, 2, nil)},
		&Func{Names: []string{"theta_difference"}, Min: 2, Max: 2, Resolve: ofSketches(types.Binary, 2, nil)},
	)
	for _, k := range []struct {
		suffix string
		item   *types.Type
		takes  []*types.Type
	}{
		{"bigint", types.Long, []*types.Type{types.Byte, types.Integer, types.Long, types.Short}},
		{"float", types.Float, []*types.Type{types.Float}},
		{"double", types.Double, []*types.Type{types.Float, types.Double}},
	} {
		name := func(s string) []string { return []string{s + k.suffix} }
		agg, merge := "kll_sketch_agg_"+k.suffix, "kll_merge_agg_"+k.suffix
		Register(
			&Func{Names: []string{agg}, Kind: Aggregate, Min: 1, Max: 2, Nondeterministic: true, Resolve: kllAgg(agg, k.item, k.takes)},
			&Func{Names: []string{merge}, Kind: Aggregate, Min: 1, Max: 2, Nondeterministic: true, Resolve: kllAgg(merge, nil, binary)},
			&Func{Names: name("kll_sketch_get_n_"), Min: 1, Max: 1, Resolve: ofSketches(types.Long, 1, nil)},
			&Func{Names: name("kll_sketch_to_string_"), Min: 1, Max: 1, Resolve: ofSketches(types.String, 1, nil)},
			&Func{Names: name("kll_sketch_merge_"), Min: 2, Max: 2, Resolve: ofSketches(types.Binary, 2, nil)},
			&Func{Names: name("kll_sketch_get_quantile_"), Min: 2, Max: 2, Resolve: kllLookup("rank", types.Double, k.item)},
			&Func{Names: name("kll_sketch_get_rank_"), Min: 2, Max: 2, Resolve: kllLookup("quantile", k.item, types.Double)},
		)
	}
}

// exactly demands that an argument is of one of the types, or null.
func exactly(args []Arg, i int, takes ...*types.Type) (*types.Type, error) {
	t := args[i].Type
	names := make([]string, len(takes))
	for k, u := range takes {
		if t.Kind == u.Kind && (t.Kind != types.KindArray || t.Elem.SameData(u.Elem)) {
			return nil, nil
		}
		names[k] = quoted(u)
	}
	if t.Kind == types.KindNull {
		return takes[0], nil
	}
	if t.Kind == types.KindArray && t.Elem.Kind == types.KindNull {
		for _, u := range takes {
			if u.Kind == types.KindArray {
				return u, nil
			}
		}
	}
	required := strings.Join(names, " or ")
	if len(names) > 1 {
		required = "(" + required + ")"
	}
	return nil, unexpected("", args, i, required)
}

// sketchAgg makes a sketch of values, or of sketches; the second argument is a constant, which goes into the options.
func sketchAgg(name string, takes []*types.Type, second *types.Type, size func(name string, a Arg) (map[string]string, error)) func(*Context, []Arg) (Result, error) {
	return func(_ *Context, args []Arg) (Result, error) {
		cast, err := exactly(args, 0, takes...)
		if err != nil {
			return Result{}, err
		}
		r := Result{Args: []*types.Type{cast}, Type: types.Binary, Keep: 1, Deterministic: true}
		if len(args) == 2 {
			if _, err := exactly(args, 1, second); err != nil {
				return Result{}, err
			}
			r.Options, err = size(name, args[1])
		}
		return r, err
	}
}

func hllSize(name string, a Arg) (map[string]string, error) {
	if !a.IsConst {
		return nil, errs.New("HLL_K_MUST_BE_CONSTANT", "function", "`"+name+"`")
	}
	n, _ := a.Const.(int64)
	if n < 4 || n > 21 {
		return nil, errs.New("HLL_INVALID_LG_K", "function", "`"+name+"`", "min", "4", "max", "21", "value", strconv.FormatInt(n, 10))
	}
	return map[string]string{"size": strconv.FormatInt(n, 10)}, nil
}

// mayDiffer reads whether sketches of different sizes may be united.
func mayDiffer(_ string, a Arg) (map[string]string, error) {
	if !a.IsConst {
		return nil, errs.Unsupportedf("The argument allowDifferentLgConfigK of hll_union_agg must be a constant.")
	}
	if b, _ := a.Const.(bool); b {
		return map[string]string{"differ": "true"}, nil
	}
	return nil, nil
}

func thetaSize(name string, a Arg) (map[string]string, error) {
	if !a.IsConst {
		return nil, errs.New("THETA_LG_NOM_ENTRIES_MUST_BE_CONSTANT", "function", "`"+name+"`")
	}
	n, _ := a.Const.(int64)
	if n < 4 || n > 26 {
		return nil, errs.New("SKETCH_INVALID_LG_NOM_ENTRIES", "function", "`"+name+"`", "min", "4", "max", "26", "value", strconv.FormatInt(n, 10))
	}
	if n == 4 {
		return nil, errs.Unsupportedf("The number 4 of lgNomEntries of %s is not supported; the least is 5.", name)
	}
	return map[string]string{"size": strconv.FormatInt(n, 10)}, nil
}

// kllAgg makes a KLL sketch of values, or of sketches where there is no type of item.
func kllAgg(name string, item *types.Type, takes []*types.Type) func(*Context, []Arg) (Result, error) {
	return func(_ *Context, args []Arg) (Result, error) {
		cast, err := exactly(args, 0, takes...)
		if err != nil {
			return Result{}, err
		}
		if item != nil {
			cast = item
		}
		r := Result{Args: []*types.Type{cast}, Type: types.Binary, Keep: 1, Deterministic: true}
		if len(args) < 2 {
			return r, nil
		}
		k := args[1]
		if _, err := exactly(args, 1, types.Integer); err != nil {
			return Result{}, err
		}
		switch n, _ := k.Const.(int64); {
		case !k.IsConst:
			return Result{}, errs.New("DATATYPE_MISMATCH.NON_FOLDABLE_INPUT", "sqlExpr", "", "inputName", "k", "inputType", "int", "inputExpr", k.SQL)
		case k.Const == nil:
			return Result{}, errs.New("DATATYPE_MISMATCH.UNEXPECTED_NULL", "sqlExpr", "", "exprName", "k")
		case n < 8 || n > 65535:
			text := strconv.FormatInt(n, 10)
			return Result{}, errs.New("DATATYPE_MISMATCH.TYPE_CHECK_FAILURE_WITH_HINT", "sqlExpr", "", "hint", "", "msg",
				"[KLL_SKETCH_K_OUT_OF_RANGE] For function `"+name+"`, the k parameter must be between 8 and 65535 (inclusive), but got "+text+". SQLSTATE: 22003")
		case n > 32767:
			return Result{}, errs.Unsupportedf("A k of more than 32767 is not supported by %s.", name)
		default:
			r.Options = map[string]string{"size": strconv.FormatInt(n, 10)}
		}
		return r, nil
	}
}

// ofSketches takes so many sketches, and then perhaps an argument of the given type.
func ofSketches(out *types.Type, sketches int, last *types.Type) func(*Context, []Arg) (Result, error) {
	return func(_ *Context, args []Arg) (Result, error) {
		casts := make([]*types.Type, len(args))
		for i := range args {
			want := last
			if i < sketches {
				want = types.Binary
			}
			var err error
			if casts[i], err = exactly(args, i, want); err != nil {
				return Result{}, err
			}
		}
		return strict(args, out, false, casts...)
	}
}

// kllLookup takes a sketch and a constant, or an array of constants, and gives a value for each.
func kllLookup(what string, in, out *types.Type) func(*Context, []Arg) (Result, error) {
	return func(c *Context, args []Arg) (Result, error) {
		cast, err := exactly(args, 0, types.Binary)
		if err != nil {
			return Result{}, err
		}
		to, result, list := in, out, types.ArrayOf(in, false)
		t := args[1].Type
		switch ok := false; t.Kind {
		case types.KindArray:
			to, result = list, types.ArrayOf(out, false)
			if _, ok = ImplicitCast(c, t.Elem, in); t.ElemNull && args[1].IsConst || !ok && !t.Elem.SameData(in) {
				return Result{}, unexpected("", args, 1, "("+quoted(in)+" or "+quoted(list)+")")
			}
		default:
			if u, ok := ImplicitCast(c, t, in); !t.SameData(in) && (!ok || u == nil) {
				return Result{}, unexpected("", args, 1, "("+quoted(in)+" or "+quoted(list)+")")
			}
		}
		if !args[1].IsConst && t.Kind != types.KindString {
			a := args[1]
			a.Type = to
			return Result{}, notFoldable(what, []Arg{a}, 0, a.SQL)
		}
		return strict(args, result, false, cast, to)
	}
}
