package fn

import (
	"strconv"

	"millrace/errs"
	"millrace/types"
)

func init() {
	Register(&Func{Names: []string{"count_min_sketch"}, Kind: Aggregate, Min: 4, Max: 4, Resolve: countMin})
}

// countMin takes whole numbers, texts or bytes, and how exact the sketch is to be: constants of just the types that they have.
func countMin(_ *Context, args []Arg) (Result, error) {
	t := args[0].Type
	switch {
	case t.IsIntegral(), t.Kind == types.KindString && t.Collation == "", t.Kind == types.KindBinary:
		t = nil
	case t.Kind == types.KindNull:
		t = types.Long
	default:
		return Result{}, unexpected("", args, 0, `("INTEGRAL" or "STRING" or "BINARY")`)
	}
	for i, want := range []*types.Type{types.Double, types.Double, types.Integer} {
		if args[i+1].Type.IsIntegral() && want == types.Integer {
			continue
		}
		if _, err := exactly(args, i+1, want); err != nil {
			return Result{}, err
		}
	}
	names := []string{"", "eps", "confidence", "seed"}
	for i, name := range names[1:] {
		switch a := args[i+1]; {
		case !a.IsConst:
			return Result{}, notFoldable(name, args, i+1, a.SQL)
		case a.Const == nil:
			return Result{}, errs.New("DATATYPE_MISMATCH.UNEXPECTED_NULL", "sqlExpr", "", "exprName", name)
		}
	}
	eps, _ := args[1].Const.(float64)
	confidence, _ := args[2].Const.(float64)
	seed, _ := args[3].Const.(int64)
	switch {
	case !(eps > 0):
		return Result{}, outOfRange("eps", "(0.0, 1.7976931348623157E308]", doubleText(eps)+"D")
	case !(confidence > 0 && confidence < 1):
		return Result{}, outOfRange("confidence", "(0.0, 1.0]", doubleText(confidence)+"D")
	}
	exact := func(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }
	return Result{Args: []*types.Type{t}, Type: types.Binary, Keep: 1, Deterministic: true,
		Options: map[string]string{"eps": exact(eps), "confidence": exact(confidence), "seed": strconv.Itoa(int(int32(seed)))}}, nil
}
