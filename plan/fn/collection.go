package fn

import (
	"millrace/errs"
	"millrace/types"
)

func init() {
	Register(
		&Func{Names: []string{"array"}, Min: 0, Max: -1, Resolve: array},
		&Func{Names: []string{"map"}, Min: 0, Max: -1, Resolve: mapOf},
		&Func{Names: []string{"size", "cardinality"}, Min: 1, Max: 1, Resolve: size},
		&Func{Names: []string{"array_size"}, Min: 1, Max: 1, Resolve: arraySize},
		&Func{Names: []string{"element_at"}, Min: 2, Max: 2, Resolve: elementAt(false)},
		&Func{Names: []string{"try_element_at"}, Min: 2, Max: 2, Resolve: elementAt(true)},
		&Func{Names: []string{"get"}, Min: 2, Max: 2, Resolve: get},
		&Func{Names: []string{"array_contains"}, Min: 2, Max: 2, Resolve: sought(types.Boolean)},
		&Func{Names: []string{"array_position"}, Min: 2, Max: 2, Resolve: sought(types.Long)},
		&Func{Names: []string{"map_contains_key"}, Min: 2, Max: 2, Resolve: mapContainsKey},
		&Func{Names: []string{"map_keys"}, Min: 1, Max: 1, Resolve: ofMap(func(m *types.Type) *types.Type { return types.ArrayOf(m.Key, false) })},
		&Func{Names: []string{"map_values"}, Min: 1, Max: 1, Resolve: ofMap(func(m *types.Type) *types.Type { return types.ArrayOf(m.Elem, m.ElemNull) })},
		&Func{Names: []string{"map_entries"}, Min: 1, Max: 1, Resolve: ofMap(func(m *types.Type) *types.Type {
			return types.ArrayOf(types.Struct(types.Field{Name: "key", Type: m.Key}, types.Field{Name: "value", Type: m.Elem, Nullable: m.ElemNull}), false)
		})},
		&Func{Names: []string{"map_from_arrays"}, Min: 2, Max: 2, Resolve: mapFromArrays},
	)
}

// notArray and notMap are the errors of arguments of another kind.
func notArray(args []Arg, i int) error { return unexpected("", args, i, `"ARRAY"`) }
func notMap(args []Arg, i int) error   { return unexpected("", args, i, `"MAP"`) }

// same is the common type of arguments and their conversions to it.
func same(c *Context, name string, args []Arg) (t *types.Type, nullable bool, err error) {
	t, ok := CommonType(c, typesOf(args)...)
	if !ok {
		return nil, false, dataDiffTypes(name, "(", " or ", ")", args)
	}
	for _, a := range args {
		nullable = nullable || a.Nullable || CastNullable(a.Type, t)
	}
	return t, nullable, nil
}

func array(c *Context, args []Arg) (Result, error) {
	t, nullable, err := same(c, "array", args)
	if err != nil {
		return Result{}, err
	}
	casts := make([]*types.Type, len(args))
	for i := range casts {
		casts[i] = t
	}
	return Result{Args: casts, Type: types.ArrayOf(t, nullable), Deterministic: true}, nil
}

func mapOf(c *Context, args []Arg) (Result, error) {
	if len(args)%2 != 0 {
		return Result{}, errs.New("WRONG_NUM_ARGS.WITHOUT_SUGGESTION", "functionName", "`map`", "expectedNum", "2n (n > 0)",
			"actualNum", itoa(len(args)), "docroot", "https://spark.apache.org/docs/latest")
	}
	var keys, values []Arg
	for i := 0; i < len(args); i += 2 {
		keys, values = append(keys, args[i]), append(values, args[i+1])
	}
	k, _, err := same(c, "map", keys)
	if err != nil {
		return Result{}, err
	}
	if HasVariant(k) {
		return Result{}, errs.New("DATATYPE_MISMATCH.INVALID_MAP_KEY_TYPE", "sqlExpr", "", "keyType", quoted(k))
	}
	v, nullable, err := same(c, "map", values)
	if err != nil {
		return Result{}, err
	}
	casts := make([]*types.Type, 0, len(args))
	for range keys {
		casts = append(casts, k, v)
	}
	return Result{Args: casts, Type: types.MapOf(k, v, nullable), Deterministic: true}, nil
}

func itoa(n int) string {
	if n < 10 {
		return string(rune('0' + n))
	}
	return itoa(n/10) + string(rune('0'+n%10))
}

// size is null for null under ANSI and -1 otherwise.
func size(c *Context, args []Arg) (Result, error) {
	var cast *types.Type
	switch args[0].Type.Kind {
	case types.KindArray, types.KindMap:
	case types.KindNull:
		cast = types.ArrayOf(types.Null, true)
	default:
		return Result{}, unexpected("size", args, 0, `("ARRAY" or "MAP")`)
	}
	return Result{Args: []*types.Type{cast}, Type: types.Integer, Nullable: c.ANSI && args[0].Nullable, Deterministic: true}, nil
}

func arraySize(_ *Context, args []Arg) (Result, error) {
	t, err := listArg(args, 0)
	if err != nil {
		return Result{}, err
	}
	return strict(args, types.Integer, false, t)
}

func elementAt(try bool) func(*Context, []Arg) (Result, error) {
	return func(c *Context, args []Arg) (Result, error) {
		switch t := args[0].Type; t.Kind {
		case types.KindArray:
			if !args[1].Type.IsIntegral() || args[1].Type.Kind == types.KindLong {
				return Result{}, unexpected("element_at", args, 1, `"INT"`)
			}
			return strict(args, t.Elem, try || !c.ANSI || t.ElemNull, nil, types.Integer)
		case types.KindMap:
			if k := args[1].Type; k.Kind == types.KindString && t.Key.Kind == types.KindString && k.Collation != t.Key.Collation {
				return Result{}, errs.New("DATATYPE_MISMATCH.MAP_FUNCTION_DIFF_TYPES", "sqlExpr", "", "functionName", "`element_at`", "dataType", `"MAP"`,
					"leftType", quoted(t), "rightType", quoted(k))
			}
			ok := TightestCommonType(c, args[1].Type, t.Key) != nil
			if !ok {
				_, ok = ImplicitCast(c, args[1].Type, t.Key)
			}
			if !ok {
				return Result{}, unexpected("element_at", args, 1, quoted(t.Key))
			}
			return strict(args, t.Elem, true, nil, t.Key)
		}
		return Result{}, unexpected("element_at", args, 0, `("ARRAY" or "MAP")`)
	}
}

func get(c *Context, args []Arg) (Result, error) {
	if args[0].Type.Kind != types.KindArray {
		return Result{}, notArray(args, 0)
	}
	place, ok := ImplicitCast(c, args[1].Type, types.Integer)
	if !ok {
		return Result{}, unexpected("get", args, 1, `"INT"`)
	}
	return strict(args, args[0].Type.Elem, true, nil, place)
}

// sought is of an array and a value to be found in it.
func sought(out *types.Type) func(*Context, []Arg) (Result, error) {
	return func(c *Context, args []Arg) (Result, error) {
		name := "array_contains"
		if out.Kind == types.KindLong {
			name = "array_position"
		}
		t := args[0].Type
		if out.Kind == types.KindBoolean && (t.Kind == types.KindNull || args[1].Type.Kind == types.KindNull) {
			return Result{}, errs.New("DATATYPE_MISMATCH.NULL_TYPE", "sqlExpr", "", "functionName", "`"+name+"`")
		}
		if t.Kind != types.KindArray {
			return Result{}, notArray(args, 0)
		}
		e := TightestCommonType(c, t.Elem, args[1].Type)
		if e == nil {
			return Result{}, errs.New("DATATYPE_MISMATCH.ARRAY_FUNCTION_DIFF_TYPES", "sqlExpr", "", "functionName", "`"+name+"`", "dataType", `"ARRAY"`,
				"leftType", quoted(t), "rightType", quoted(args[1].Type))
		}
		if HasVariant(e) {
			return Result{}, notOrderable(name, e)
		}
		var list *types.Type
		if !e.SameData(t.Elem) {
			list = types.ArrayOf(e, t.ElemNull)
		}
		return strict(args, out, t.ElemNull && out.Kind == types.KindBoolean, list, e)
	}
}

func mapContainsKey(c *Context, args []Arg) (Result, error) {
	if args[0].Type.Kind == types.KindNull || args[1].Type.Kind == types.KindNull {
		return Result{}, errs.New("DATATYPE_MISMATCH.NULL_TYPE", "sqlExpr", "", "functionName", "`map_contains_key`")
	}
	if args[0].Type.Kind != types.KindMap {
		return Result{}, notMap(args, 0)
	}
	m := args[0].Type
	key := TightestCommonType(c, m.Key, args[1].Type)
	if key == nil {
		return Result{}, errs.New("DATATYPE_MISMATCH.MAP_FUNCTION_DIFF_TYPES", "sqlExpr", "", "functionName", "`map_contains_key`", "dataType", `"MAP"`,
			"leftType", quoted(m), "rightType", quoted(args[1].Type))
	}
	if m.Key.SameData(key) {
		return strict(args, types.Boolean, false, nil, key)
	}
	return strict(args, types.Boolean, false, types.MapOf(key, m.Elem, m.ElemNull), key)
}

func ofMap(out func(m *types.Type) *types.Type) func(*Context, []Arg) (Result, error) {
	return func(_ *Context, args []Arg) (Result, error) {
		t := args[0].Type
		if t.Kind == types.KindNull {
			t = types.MapOf(types.Null, types.Null, true)
		}
		if t.Kind != types.KindMap {
			return Result{}, notMap(args, 0)
		}
		return strict(args, out(t), false, t)
	}
}

func mapFromArrays(_ *Context, args []Arg) (Result, error) {
	for i, a := range args {
		if a.Type.Kind != types.KindArray {
			return Result{}, notArray(args, i)
		}
	}
	if k := args[0].Type.Elem; HasVariant(k) {
		return Result{}, errs.New("DATATYPE_MISMATCH.INVALID_MAP_KEY_TYPE", "sqlExpr", "", "keyType", quoted(k))
	}
	return strict(args, types.MapOf(args[0].Type.Elem, args[1].Type.Elem, args[1].Type.ElemNull), false, nil, nil)
}
