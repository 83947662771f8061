package fn

import (
	"strconv"

	"millrace/errs"
	"millrace/types"
)

// The functions that exist over windows only.
func init() {
	Register(
		&Func{Names: []string{"row_number"}, Kind: WindowOnly, Resolve: ranking(types.Integer)},
		&Func{Names: []string{"rank"}, Kind: WindowOnly, Max: -1, Resolve: ranking(types.Integer)},
		&Func{Names: []string{"dense_rank"}, Kind: WindowOnly, Max: -1, Resolve: ranking(types.Integer)},
		&Func{Names: []string{"percent_rank"}, Kind: WindowOnly, Max: -1, Resolve: ranking(types.Double)},
		&Func{Names: []string{"cume_dist"}, Kind: WindowOnly, Resolve: ranking(types.Double)},
		&Func{Names: []string{"ntile"}, Kind: WindowOnly, Max: 1, Resolve: ntile},
		&Func{Names: []string{"lag"}, Kind: WindowOnly, Min: 1, Max: 4, Resolve: offset},
		&Func{Names: []string{"lead"}, Kind: WindowOnly, Min: 1, Max: 4, Resolve: offset},
		&Func{Names: []string{"nth_value"}, Kind: WindowOnly, Min: 2, Max: 3, Resolve: nthValue},
	)
}

func ranking(t *types.Type) func(*Context, []Arg) (Result, error) {
	return func(*Context, []Arg) (Result, error) { return Result{Type: t, Deterministic: true}, nil }
}

// ntile takes a positive number of buckets, or 1.
func ntile(_ *Context, args []Arg) (Result, error) {
	r := Result{Type: types.Integer, Deterministic: true}
	if len(args) == 0 {
		return r, nil
	}
	if args[0].Type.Kind != types.KindInteger {
		return Result{}, unexpected("", args, 0, `"INT"`)
	}
	if !args[0].IsConst {
		return Result{}, notFoldable("buckets", args, 0, args[0].SQL)
	}
	if n, _ := args[0].Const.(int64); n <= 0 {
		return Result{}, outOfRange("buckets", "(0, 2147483647]", strconv.FormatInt(n, 10))
	}
	return r, nil
}

// offset is lag and lead: a value, how many rows away (1), what stands for a row that is not there (null), and IGNORE NULLS.
func offset(c *Context, args []Arg) (Result, error) {
	r := Result{Args: []*types.Type{nil, types.Integer, args[0].Type}[:min(len(args), 3)], Type: args[0].Type, Nullable: true, Deterministic: true}
	if len(args) > 1 && !args[1].IsConst {
		return Result{}, notFoldable("offset", args, 1, args[1].SQL)
	}
	if len(args) > 1 && !args[1].Type.IsIntegral() && args[1].Type.Kind != types.KindNull {
		return Result{}, unexpected("", args, 1, `"INT"`)
	}
	if len(args) > 2 {
		if _, ok := ImplicitCast(c, args[2].Type, args[0].Type); !ok && args[2].Type.Kind != types.KindNull {
			return Result{}, unexpected("", args, 2, "("+quoted(args[0].Type)+` or "VOID")`)
		}
		r.Nullable = args[0].Nullable || args[2].Nullable
	}
	return r, nil
}

// nthValue takes a value, a positive place in the frame, and IGNORE NULLS.
func nthValue(_ *Context, args []Arg) (Result, error) {
	if !args[1].IsConst {
		return Result{}, notFoldable("offset", args, 1, args[1].SQL)
	}
	if n, _ := args[1].Const.(int64); n <= 0 {
		return Result{}, outOfRange("offset", "(0, 9223372036854775807]", strconv.FormatInt(n, 10)+"L")
	}
	return Result{Args: []*types.Type{nil, types.Integer}, Type: args[0].Type, Nullable: true, Deterministic: true}, nil
}

// notFoldable is the error of an argument that has to be constant.
func notFoldable(name string, args []Arg, i int, text string) error {
	return errs.New("DATATYPE_MISMATCH.NON_FOLDABLE_INPUT", "sqlExpr", "", "inputName", "`"+name+"`", "inputType", quoted(args[i].Type),
		"inputExpr", `"`+text+`"`)
}

func outOfRange(name, span, value string) error {
	return errs.New("DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE", "sqlExpr", "", "exprName", name, "valueRange", span, "currentValue", value)
}
