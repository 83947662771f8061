package fn

import (
	"strings"

	"millrace/errs"
	"millrace/types"
)

func init() {
	Register(
		&Func{Names: []string{"map_concat"}, Min: 0, Max: -1, Resolve: mapConcat},
		&Func{Names: []string{"map_from_entries"}, Min: 1, Max: 1, Resolve: mapFromEntries},
		&Func{Names: []string{"str_to_map"}, Min: 1, Max: 3,
			Resolve: Fixed(types.MapOf(types.String, types.String, true), false, types.String)},
	)
}

func mapConcat(c *Context, args []Arg) (Result, error) {
	if len(args) == 0 {
		return Result{Type: types.MapOf(types.String, types.String, false), Deterministic: true}, nil
	}
	for _, a := range args {
		if a.Type.Kind != types.KindMap {
			names := make([]string, len(args))
			for i, a := range args {
				names[i] = quoted(a.Type)
			}
			return Result{}, errs.New("DATATYPE_MISMATCH.MAP_CONCAT_DIFF_TYPES", "sqlExpr", "", "functionName", "`map_concat`", "dataType", "["+strings.Join(names, ", ")+"]")
		}
	}
	t, ok := CommonType(c, typesOf(args)...)
	if !ok {
		return Result{}, dataDiffTypes("map_concat", "(", " or ", ")", args)
	}
	casts := make([]*types.Type, len(args))
	for i := range casts {
		casts[i] = t
	}
	return strict(args, t, false, casts...)
}

func mapFromEntries(_ *Context, args []Arg) (Result, error) {
	t := args[0].Type
	if t.Kind != types.KindArray || t.Elem.Kind != types.KindStruct || len(t.Elem.Fields) != 2 {
		return Result{}, unexpected("map_from_entries", args, 0, `"ARRAY" of pair "STRUCT"`)
	}
	k, v := t.Elem.Fields[0], t.Elem.Fields[1]
	if HasMap(k.Type) || HasVariant(k.Type) {
		return Result{}, errs.New("DATATYPE_MISMATCH.INVALID_MAP_KEY_TYPE", "sqlExpr", "", "keyType", quoted(k.Type))
	}
	return strict(args, types.MapOf(k.Type, v.Type, v.Nullable), t.ElemNull)
}
