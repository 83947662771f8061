package fn

import (
	"millrace/errs"
	"millrace/types"
)

// The functions of machine learning's vectors. Spark shows calls of them as UDF(…).
func init() {
	Register(
		&Func{Names: []string{"vector_to_array"}, Min: 1, Max: 2, Resolve: vectorToArray},
		&Func{Names: []string{"array_to_vector"}, Min: 1, Max: 1, Resolve: arrayToVector},
		&Func{Names: []string{"vector_sum"}, Kind: Aggregate, Min: 1, Max: 1, Resolve: vectorTotal},
		&Func{Names: []string{"vector_avg"}, Kind: Aggregate, Min: 1, Max: 1, Resolve: vectorTotal},
	)
}

func vectorToArray(_ *Context, args []Arg) (Result, error) {
	if !args[0].Type.IsVector() {
		return Result{}, errs.New("FAILED_EXECUTE_UDF", "functionName", "`vector_to_array`", "signature", args[0].Type.String(), "result", "array<double>",
			"reason", "java.lang.IllegalArgumentException: function vector_to_array requires a non-null input argument and input type must be "+
				"`org.apache.spark.ml.linalg.Vector` or `org.apache.spark.mllib.linalg.Vector`, but got "+args[0].Type.String()+".")
	}
	elem := types.Double
	if len(args) == 2 {
		switch dtype, _ := args[1].Const.(string); dtype {
		case "float64":
		case "float32":
			elem = types.Float
		default:
			return Result{}, errs.New("INVALID_PARAMETER_VALUE.DTYPE", "parameter", "`dtype`", "functionName", "`vector_to_array`",
				"invalidValue", `"`+dtype+`"`, "float64", "float64", "float32", "float32")
		}
	}
	return Result{Type: types.ArrayOf(elem, false), Deterministic: true}, nil
}

func arrayToVector(c *Context, args []Arg) (Result, error) {
	if args[0].Type.Kind != types.KindArray || !args[0].Type.Elem.IsNumeric() {
		return Result{}, unexpected("array_to_vector", args, 0, `"ARRAY<DOUBLE>"`)
	}
	return Result{Args: []*types.Type{types.ArrayOf(types.Double, args[0].Type.ElemNull)}, Type: types.VectorUDT, Nullable: true, Deterministic: true}, nil
}

// vectorTotal is an array of floats of such arrays.
func vectorTotal(_ *Context, args []Arg) (Result, error) {
	if t := args[0].Type; t.Kind != types.KindArray || t.Elem.Kind != types.KindFloat {
		return Result{}, unexpected("", args, 0, `"ARRAY<FLOAT>"`)
	}
	return result(types.ArrayOf(types.Float, true)), nil
}
