package fn

import (
	"strings"

	"millrace/errs"
	"millrace/types"
)

func init() {
	str, bin, long := types.String, types.Binary, types.Long
	float := types.ArrayOf(types.Float, true)
	Register(
		&Func{Names: []string{"to_binary"}, Min: 1, Max: 2, Resolve: toBinary(false)},
		&Func{Names: []string{"try_to_binary"}, Min: 1, Max: 2, Resolve: toBinary(true)},
		&Func{Names: []string{"validate_utf8"}, Min: 1, Max: 1, Resolve: Fixed(str, false, str)},
		&Func{Names: []string{"try_validate_utf8"}, Min: 1, Max: 1, Resolve: Fixed(str, true, str)},
		&Func{Names: []string{"make_valid_utf8"}, Min: 1, Max: 1, Resolve: Fixed(str, false, str)},
		&Func{Names: []string{"sentences"}, Min: 1, Max: 3, Resolve: Fixed(types.ArrayOf(types.ArrayOf(str, false), false), true, str)},
		&Func{Names: []string{"randstr"}, Min: 1, Max: 2, Nondeterministic: true, Resolve: randomText},
		&Func{Names: []string{"bitmap_bit_position"}, Min: 1, Max: 1, Resolve: Fixed(long, false, long)},
		&Func{Names: []string{"bitmap_bucket_number"}, Min: 1, Max: 1, Resolve: Fixed(long, false, long)},
		&Func{Names: []string{"bitmap_count"}, Min: 1, Max: 1, Resolve: bitmapCount},
		&Func{Names: []string{"aes_encrypt"}, Min: 2, Max: 6, Resolve: Fixed(bin, false, bin, bin, str, str, bin, bin)},
		&Func{Names: []string{"aes_decrypt"}, Min: 2, Max: 5, Resolve: Fixed(bin, false, bin, bin, str, str, bin)},
		&Func{Names: []string{"try_aes_decrypt"}, Min: 2, Max: 5, Resolve: Fixed(bin, true, bin, bin, str, str, bin)},
		&Func{Names: []string{"vector_inner_product"}, Min: 2, Max: 2, Resolve: vectors(2, types.Float)},
		&Func{Names: []string{"vector_cosine_similarity"}, Min: 2, Max: 2, Resolve: vectors(2, types.Float)},
		&Func{Names: []string{"vector_l2_distance"}, Min: 2, Max: 2, Resolve: vectors(2, types.Float)},
		&Func{Names: []string{"vector_norm"}, Min: 1, Max: 2, Resolve: vectors(1, types.Float)},
		&Func{Names: []string{"vector_normalize"}, Min: 1, Max: 2, Resolve: vectors(1, float)},
	)
}

// vectors is of n arrays of floats, and perhaps a float that says which norm.
func vectors(n int, out *types.Type) func(*Context, []Arg) (Result, error) {
	return func(_ *Context, args []Arg) (Result, error) {
		casts := make([]*types.Type, len(args))
		for i, a := range args {
			want := `"ARRAY<FLOAT>"`
			ok := a.Type.Kind == types.KindArray && a.Type.Elem.Kind == types.KindFloat
			if i >= n {
				want, ok = `"FLOAT"`, a.Type.Kind == types.KindFloat
			}
			if !ok {
				return Result{}, unexpected("", args, i, want)
			}
		}
		return strict(args, out, true, casts...)
	}
}

func bitmapCount(_ *Context, args []Arg) (Result, error) {
	if k := args[0].Type.Kind; k != types.KindBinary && k != types.KindNull {
		return Result{}, unexpected("bitmap_count", args, 0, `"BINARY"`)
	}
	return strict(args, types.Long, false, types.Binary)
}

// toBinary takes a constant format.
func toBinary(try bool) func(*Context, []Arg) (Result, error) {
	return func(c *Context, args []Arg) (Result, error) {
		casts, err := Convert(c, args, types.String)
		if err != nil {
			return Result{}, err
		}
		if len(args) > 1 {
			f := args[1]
			text, isText := f.Const.(string)
			switch {
			case !f.IsConst:
				return Result{}, errs.New("DATATYPE_MISMATCH.NON_FOLDABLE_INPUT", "sqlExpr", "", "inputName", "`fmt`", "inputType", `"STRING"`, "inputExpr", `"`+f.SQL+`"`)
			case f.Const == nil:
			case try && (!isText || !binaryFormats[strings.ToLower(text)]):
				return Result{Args: casts, Type: types.Binary, Nullable: true, Kernel: "always_null", Deterministic: true}, nil
			case !isText || !binaryFormats[strings.ToLower(text)]:
				return Result{}, errs.New("DATATYPE_MISMATCH.INVALID_ARG_VALUE", "sqlExpr", "", "inputName", "fmt", "requireType", `case-insensitive "STRING"`,
					"validValues", "'hex', 'utf-8', 'utf8', or 'base64'", "inputValue", "'"+text+"'")
			}
		}
		return strict(args, types.Binary, try, casts...)
	}
}

var binaryFormats = map[string]bool{"hex": true, "utf-8": true, "utf8": true, "base64": true}

// randomText is of a constant length and seed.
func randomText(_ *Context, args []Arg) (Result, error) {
	for i, a := range args {
		name := []string{"`length`", "`seed`"}[i]
		switch {
		case !a.Type.IsIntegral() && a.Type.Kind != types.KindNull && (i > 0 || !a.Type.IsNumeric()):
			return Result{}, unexpected("randstr", args, i, []string{`"INT"`, `("INT" or "BIGINT")`}[i])
		case !a.IsConst:
			return Result{}, errs.New("DATATYPE_MISMATCH.NON_FOLDABLE_INPUT", "sqlExpr", "", "inputName", name, "inputType", "integer", "inputExpr", `"`+a.SQL+`"`)
		}
	}
	if n, ok := args[0].Const.(int64); ok && n < 0 {
		return Result{}, errs.New("INVALID_PARAMETER_VALUE.LENGTH", "functionName", "`randstr`", "parameter", "`length`", "length", "-"+itoa(int(-n)))
	}
	casts := []*types.Type{types.Integer, types.Long}[:len(args)]
	return Result{Args: casts, Type: types.String}, nil
}
