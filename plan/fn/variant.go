package fn

import (
	"millrace/errs"
	"millrace/types"
)

func init() {
	Register(
		&Func{Names: []string{"parse_json"}, Min: 1, Max: 1, Resolve: parseJSON(false)},
		&Func{Names: []string{"try_parse_json"}, Min: 1, Max: 1, Resolve: parseJSON(true)},
		&Func{Names: []string{"to_variant_object"}, Min: 1, Max: 1, Resolve: toVariantObject},
		&Func{Names: []string{"variant_get"}, Min: 2, Max: 3, Resolve: variantGet("variant_get")},
		&Func{Names: []string{"try_variant_get"}, Min: 2, Max: 3, Resolve: variantGet("try_variant_get")},
		&Func{Names: []string{"is_variant_null"}, Min: 1, Max: 1, Resolve: ofVariant("is_variant_null", types.Boolean, false)},
		&Func{Names: []string{"is_valid_variant"}, Min: 1, Max: 1, Resolve: ofVariant("is_valid_variant", types.Boolean, true)},
		&Func{Names: []string{"schema_of_variant"}, Min: 1, Max: 1, Resolve: ofVariant("schema_of_variant", types.String, true)},
		&Func{Names: []string{"schema_of_variant_agg"}, Kind: Aggregate, Min: 1, Max: 1, Resolve: ofVariant("schema_of_variant_agg", types.String, false)},
	)
}

// InVariant reports whether a variant holds values of a type, and where structs and maps are allowed becomes them.
func InVariant(t *types.Type, objects bool) bool {
	switch t.Kind {
	case types.KindBoolean, types.KindString, types.KindBinary, types.KindDate, types.KindTimestamp, types.KindTimestampNTZ, types.KindVariant:
		return true
	case types.KindArray:
		return InVariant(t.Elem, objects)
	case types.KindMap:
		return objects && t.Key.Kind == types.KindString && InVariant(t.Elem, objects)
	case types.KindStruct:
		for _, f := range t.Fields {
			if !InVariant(f.Type, objects) {
				return false
			}
		}
		return objects
	}
	return t.IsNumeric()
}

// HasVariant reports whether there are variants in a type.
func HasVariant(t *types.Type) bool {
	if t.Kind == types.KindVariant || t.Elem != nil && HasVariant(t.Elem) || t.Key != nil && HasVariant(t.Key) {
		return true
	}
	for _, f := range t.Fields {
		if HasVariant(f.Type) {
			return true
		}
	}
	return false
}

// onlyVariant demands that the first argument is a variant or a null.
func onlyVariant(name string, args []Arg) (*types.Type, error) {
	switch args[0].Type.Kind {
	case types.KindVariant:
		return nil, nil
	case types.KindNull:
		return types.Variant, nil
	}
	return nil, unexpected(name, args, 0, `"VARIANT"`)
}

// ofVariant is of a variant alone; nullable: null where that is null.
func ofVariant(name string, out *types.Type, nullable bool) func(*Context, []Arg) (Result, error) {
	return func(_ *Context, args []Arg) (Result, error) {
		v, err := onlyVariant(name, args)
		return Result{Args: []*types.Type{v}, Type: out, Nullable: nullable && args[0].Nullable, Deterministic: true}, err
	}
}

func parseJSON(try bool) func(*Context, []Arg) (Result, error) {
	return func(c *Context, args []Arg) (Result, error) {
		name := "parse_json"
		if try {
			name = "try_parse_json"
		}
		text, err := onlyText(name, args, 0)
		r := Result{Args: []*types.Type{text}, Type: types.Variant, Nullable: try || args[0].Nullable, Kernel: "parse_json", Deterministic: true}
		if c.Conf != nil && c.Conf("spark.sql.variant.allowDuplicateKeys") == "true" {
			r.Options = map[string]string{"duplicates": "true"}
		}
		return r, err
	}
}

func toVariantObject(_ *Context, args []Arg) (Result, error) {
	switch t := args[0].Type; {
	case t.IsNested() && InVariant(t, true):
		return strict(args, types.Variant, false)
	default:
		return Result{}, errs.New("DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION", "sqlExpr", "", "srcType", quoted(t), "targetType", `"VARIANT"`)
	}
}

func variantGet(name string) func(*Context, []Arg) (Result, error) {
	return func(c *Context, args []Arg) (Result, error) {
		t := types.Variant
		if len(args) > 2 {
			var err error
			if t, err = schemaArg(c, args[2]); err != nil {
				return Result{}, err
			}
		}
		v, err := onlyVariant(name, args)
		if err != nil {
			return Result{}, err
		}
		path, err := onlyText(name, args, 1)
		switch {
		case err != nil:
			return Result{}, err
		case !InVariant(t, true):
			return Result{}, errs.New("DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION", "sqlExpr", "", "srcType", `"VARIANT"`, "targetType", quoted(t))
		}
		return Result{Args: []*types.Type{v, path}, Type: t, Nullable: true, Kernel: "variant_get", Shown: name, Keep: 2, Deterministic: true}, nil
	}
}
