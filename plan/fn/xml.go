package fn

import (
	"millrace/errs"
	"millrace/types"
)

func init() {
	Register(
		&Func{Names: []string{"from_xml"}, Min: 2, Max: 3, Resolve: fromText("from_xml")},
		&Func{Names: []string{"to_xml"}, Min: 1, Max: 2, Resolve: toXML},
		&Func{Names: []string{"schema_of_xml"}, Min: 1, Max: 2, Resolve: schemaOf("xml")},
		&Func{Names: []string{"xpath"}, Min: 2, Max: 2, Resolve: xpath("xpath", types.ArrayOf(types.String, true))},
		&Func{Names: []string{"xpath_string"}, Min: 2, Max: 2, Resolve: xpath("xpath_string", types.String)},
		&Func{Names: []string{"xpath_boolean"}, Min: 2, Max: 2, Resolve: xpath("xpath_boolean", types.Boolean)},
		&Func{Names: []string{"xpath_double"}, Min: 2, Max: 2, Resolve: xpath("xpath_double", types.Double)},
		&Func{Names: []string{"xpath_number"}, Min: 2, Max: 2, Resolve: xpath("xpath_double", types.Double)},
		&Func{Names: []string{"xpath_float"}, Min: 2, Max: 2, Resolve: xpath("xpath_float", types.Float)},
		&Func{Names: []string{"xpath_long"}, Min: 2, Max: 2, Resolve: xpath("xpath_long", types.Long)},
		&Func{Names: []string{"xpath_int"}, Min: 2, Max: 2, Resolve: xpath("xpath_int", types.Integer)},
		&Func{Names: []string{"xpath_short"}, Min: 2, Max: 2, Resolve: xpath("xpath_short", types.Short)},
	)
}

func toXML(_ *Context, args []Arg) (Result, error) {
	set, err := options(args, 1)
	if err != nil {
		return Result{}, err
	}
	if args[0].Type.Kind != types.KindStruct {
		return Result{}, unexpected("to_xml", args, 0, `"STRUCT"`)
	}
	return Result{Args: []*types.Type{nil, nil}[:len(args)], Type: types.String, Nullable: args[0].Nullable, Options: set, Keep: 1, Deterministic: true}, nil
}

// xpath is of a document and a constant path.
func xpath(kernel string, out *types.Type) func(*Context, []Arg) (Result, error) {
	return func(c *Context, args []Arg) (Result, error) {
		casts, err := Convert(c, args, types.String)
		switch {
		case err != nil:
			return Result{}, err
		case args[1].Fault != nil:
			return Result{}, args[1].Fault
		case !args[1].IsConst:
			return Result{}, errs.New("DATATYPE_MISMATCH.NON_FOLDABLE_INPUT", "sqlExpr", "", "inputName", "`path`", "inputType", `"STRING"`, "inputExpr", `"`+args[1].SQL+`"`)
		}
		r, err := strict(args, out, true, casts...)
		r.Kernel = kernel
		return r, err
	}
}
