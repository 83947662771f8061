package fn

import (
	"millrace/errs"
	"millrace/types"
)

func init() {
	Register(
		&Func{Names: []string{"hash"}, Min: 1, Max: -1, Resolve: hash("hash", types.Integer)},
		&Func{Names: []string{"xxhash64"}, Min: 1, Max: -1, Resolve: hash("xxhash64", types.Long)},
		&Func{Names: []string{"crc32"}, Min: 1, Max: 1, Resolve: Fixed(types.Long, false, types.Binary)},
		&Func{Names: []string{"md5"}, Min: 1, Max: 1, Resolve: Fixed(types.String, false, types.Binary)},
		&Func{Names: []string{"sha1", "sha"}, Min: 1, Max: 1, Resolve: Fixed(types.String, false, types.Binary)},
		&Func{Names: []string{"sha2"}, Min: 2, Max: 2, Resolve: Fixed(types.String, true, types.Binary, types.Integer)},
		&Func{Names: []string{"rand", "random"}, Min: 0, Max: 1, Nondeterministic: true, Resolve: random},
		&Func{Names: []string{"randn"}, Min: 0, Max: 1, Nondeterministic: true, Resolve: random},
		&Func{Names: []string{"uniform"}, Min: 2, Max: 3, Nondeterministic: true, Resolve: uniform},
		&Func{Names: []string{"uuid"}, Min: 0, Max: 1, Nondeterministic: true, Resolve: constant(types.String)},
		&Func{Names: []string{"monotonically_increasing_id"}, Nondeterministic: true, Resolve: constant(types.Long)},
		&Func{Names: []string{"spark_partition_id"}, Nondeterministic: true, Resolve: constant(types.Integer)},
		&Func{Names: []string{"typeof"}, Min: 1, Max: 1, Resolve: typeOf},
		&Func{Names: []string{"raise_error"}, Min: 1, Max: 1, Nondeterministic: true, Resolve: raiseError},
		&Func{Names: []string{"assert_true"}, Min: 1, Max: 2, Nondeterministic: true, Resolve: assertTrue},
	)
}

// hash takes arguments of any types but maps.
func hash(name string, out *types.Type) func(*Context, []Arg) (Result, error) {
	return func(_ *Context, args []Arg) (Result, error) {
		for _, a := range args {
			if HasVariant(a.Type) {
				return Result{}, errs.New("DATATYPE_MISMATCH.HASH_VARIANT_TYPE", "sqlExpr", "", "functionName", "`"+name+"`")
			}
			if holdsMap(a.Type) {
				return Result{}, errs.New("DATATYPE_MISMATCH.HASH_MAP_TYPE", "sqlExpr", "", "functionName", "`"+name+"`")
			}
		}
		return Result{Type: out, Deterministic: true}, nil
	}
}

func holdsMap(t *types.Type) bool {
	if t.Kind == types.KindMap || t.Elem != nil && holdsMap(t.Elem) {
		return true
	}
	for _, f := range t.Fields {
		if holdsMap(f.Type) {
			return true
		}
	}
	return false
}

// random takes a constant seed, or none: the analyser then gives one.
func random(_ *Context, args []Arg) (Result, error) {
	if len(args) == 1 {
		switch t := args[0].Type; {
		case !args[0].IsConst:
			return Result{}, errs.New("SEED_EXPRESSION_IS_UNFOLDABLE", "seedExpr", `"`+args[0].SQL+`"`, "exprWithSeed", `"rand(`+args[0].SQL+`)"`)
		case t.Kind != types.KindInteger && t.Kind != types.KindLong && t.Kind != types.KindNull:
			return Result{}, unexpected("rand", args, 0, `("INT" or "BIGINT")`)
		}
		return Result{Args: []*types.Type{types.Long}, Type: types.Double}, nil
	}
	return Result{Type: types.Double}, nil
}

// uniform draws between two constant bounds, of their common type.
func uniform(c *Context, args []Arg) (Result, error) {
	for i, a := range args[:2] {
		if !a.Type.IsNumeric() && a.Type.Kind != types.KindNull {
			return Result{}, unexpected("uniform", args, i, `"NUMERIC"`)
		}
	}
	if len(args) > 2 && !args[2].Type.IsIntegral() && args[2].Type.Kind != types.KindNull {
		return Result{}, unexpected("uniform", args, 2, `("INT" or "BIGINT")`)
	}
	for i, a := range args {
		if !a.IsConst {
			return Result{}, errs.New("DATATYPE_MISMATCH.NON_FOLDABLE_INPUT", "sqlExpr", "", "inputName", []string{"`min`", "`max`", "`seed`"}[i],
				"inputType", "integer or floating-point", "inputExpr", `"`+a.SQL+`"`)
		}
	}
	t := uniformType(args[0].Type, args[1].Type)
	casts := []*types.Type{t, t, types.Long}[:len(args)]
	return Result{Args: casts, Type: t, Nullable: AnyNullable(args, casts)}, nil
}

// uniformType is the wider of the types of two bounds: of the integers the longer, a decimal before them, a fraction before that; a null is a double.
func uniformType(a, b *types.Type) *types.Type {
	switch {
	case a.Kind == types.KindNull || b.Kind == types.KindNull:
		if a.Kind == types.KindFloat || b.Kind == types.KindFloat {
			return types.Float
		}
		return types.Double
	case a.Kind == types.KindDouble || b.Kind == types.KindDouble:
		return types.Double
	case a.Kind == types.KindFloat || b.Kind == types.KindFloat:
		return types.Float
	case a.Kind == types.KindDecimal && b.Kind == types.KindDecimal:
		return WiderDecimal(a, b)
	case a.Kind == types.KindDecimal:
		return a
	case b.Kind == types.KindDecimal || b.Kind > a.Kind:
		return b
	}
	return a
}

func constant(t *types.Type) func(*Context, []Arg) (Result, error) {
	return func(*Context, []Arg) (Result, error) { return Result{Type: t}, nil }
}

func typeOf(_ *Context, args []Arg) (Result, error) {
	return Result{Type: types.String, Deterministic: true, Options: map[string]string{"type": args[0].Type.String()}}, nil
}

func raiseError(c *Context, args []Arg) (Result, error) {
	casts, err := Convert(c, args[:1], types.String)
	return Result{Args: append(casts, nil)[:len(args)], Type: types.Null, Nullable: true}, err
}

// assertTrue is null or an error; its message shows the condition's text.
func assertTrue(c *Context, args []Arg) (Result, error) {
	casts, err := Convert(c, args, types.Boolean, types.String)
	return Result{Args: casts, Type: types.Null, Nullable: true, Options: map[string]string{"condition": args[0].SQL}}, err
}
