package fn

import "millrace/types"

func init() {
	Register(&Func{Names: []string{"unwrap_udt"}, Min: 1, Max: 1, Resolve: unwrapUDT})
}

// unwrapUDT is a value of a user-defined type as what it is stored as.
func unwrapUDT(_ *Context, args []Arg) (Result, error) {
	t := args[0].Type
	if t.Kind != types.KindUDT {
		return Result{}, mismatch("Input type should be UserDefinedType but got " + t.String())
	}
	return strict(args, t.Elem, false, nil)
}
