package fn

import (
	"strings"

	"millrace/errs"
	"millrace/types"
)

func init() {
	Register(
		&Func{Names: []string{"from_json"}, Min: 2, Max: 3, Resolve: fromText("from_json")},
		&Func{Names: []string{"from_csv"}, Min: 2, Max: 3, Resolve: fromText("from_csv")},
		&Func{Names: []string{"to_json"}, Min: 1, Max: 2, Resolve: toJSON},
		&Func{Names: []string{"to_csv"}, Min: 1, Max: 2, Resolve: toCSV},
		&Func{Names: []string{"schema_of_json"}, Min: 1, Max: 2, Resolve: schemaOf("json")},
		&Func{Names: []string{"schema_of_csv"}, Min: 1, Max: 2, Resolve: schemaOf("csv")},
		&Func{Names: []string{"get_json_object"}, Min: 2, Max: 2, Resolve: textOnly(types.String, true, "get_json_object")},
		&Func{Names: []string{"json_array_length"}, Min: 1, Max: 1, Resolve: textOnly(types.Integer, true, "json_array_length")},
		&Func{Names: []string{"json_object_keys"}, Min: 1, Max: 1, Resolve: textOnly(types.ArrayOf(types.String, true), true, "json_object_keys")},
	)
}

// textOnly is of strings, to which nothing else is converted.
func textOnly(out *types.Type, sometimes bool, name string) func(*Context, []Arg) (Result, error) {
	return func(_ *Context, args []Arg) (Result, error) {
		casts := make([]*types.Type, len(args))
		for i := range args {
			var err error
			if casts[i], err = onlyText(name, args, i); err != nil {
				return Result{}, err
			}
		}
		return strict(args, out, sometimes, casts...)
	}
}

// onlyText demands that an argument is a string or a null.
func onlyText(name string, args []Arg, i int) (*types.Type, error) {
	switch args[i].Type.Kind {
	case types.KindString:
		return args[i].Type, nil
	case types.KindNull:
		return types.String, nil
	}
	return nil, unexpected(name, args, i, `"STRING"`)
}

// options are a constant map of strings.
func options(args []Arg, i int) (map[string]string, error) {
	if len(args) <= i {
		return nil, nil
	}
	a := args[i]
	switch {
	case a.Type.Kind != types.KindMap || !a.IsConst:
		return nil, errs.New("INVALID_OPTIONS.NON_MAP_FUNCTION")
	case a.Type.Key.Kind != types.KindString || a.Type.Elem.Kind != types.KindString && a.Type.Elem.Kind != types.KindNull:
		return nil, errs.New("INVALID_OPTIONS.NON_STRING_TYPE", "mapType", quoted(a.Type))
	}
	set := map[string]string{}
	list, _ := a.Const.([]any)
	for k := 0; k+1 < len(list); k += 2 {
		key, _ := list[k].(string)
		value, ok := list[k+1].(string)
		if ok {
			set[key] = value
		}
	}
	return set, nil
}

// schemaArg is the type that a constant text describes.
func schemaArg(c *Context, a Arg) (*types.Type, error) {
	text, ok := a.Const.(string)
	if !ok || c.ParseSchema == nil {
		return nil, errs.New("INVALID_SCHEMA.NON_STRING_LITERAL", "inputSchema", `"`+a.SQL+`"`)
	}
	t, err := c.ParseSchema(text)
	if err != nil {
		return nil, err
	}
	if t.Kind == types.KindString && t.Length > 0 {
		t = types.String
	}
	return t.AsNullable(), nil
}

// fromText is from_json and from_csv.
func fromText(name string) func(*Context, []Arg) (Result, error) {
	return func(c *Context, args []Arg) (Result, error) {
		t, err := schemaArg(c, args[1])
		if err != nil {
			return Result{}, err
		}
		set, err := options(args, 2)
		if err != nil {
			return Result{}, err
		}
		text, err := onlyText(name, args, 0)
		switch kind := t.Kind; {
		case name == "from_xml" && kind == types.KindVariant:
			return Result{}, errs.Unsupportedf("from_xml of variants is not supported.")
		case name != "from_json" && kind != types.KindStruct:
			return Result{}, errs.New("INVALID_SCHEMA.NON_STRUCT_TYPE", "inputSchema", `"`+args[1].SQL+`"`, "dataType", quoted(t))
		case kind != types.KindStruct && kind != types.KindArray && kind != types.KindMap && kind != types.KindVariant:
			return Result{}, errs.New("DATATYPE_MISMATCH.INVALID_JSON_SCHEMA", "sqlExpr", "", "schema", quoted(t))
		case kind == types.KindMap && t.Key.Kind != types.KindString:
			return Result{}, errs.New("INVALID_JSON_SCHEMA_MAP_TYPE", "jsonSchema", quoted(t))
		case err != nil:
			return Result{}, err
		}
		return Result{Args: []*types.Type{text, nil, nil}[:len(args)], Type: t, Nullable: true, Options: set, Keep: 1, Deterministic: true}, nil
	}
}

func toJSON(_ *Context, args []Arg) (Result, error) {
	set, err := options(args, 1)
	if err != nil {
		return Result{}, err
	}
	switch t := args[0].Type; t.Kind {
	case types.KindNull, types.KindStruct, types.KindArray, types.KindMap, types.KindVariant:
		if bad := notJSON(t); bad != nil {
			return Result{}, errs.New("DATATYPE_MISMATCH.CANNOT_CONVERT_TO_JSON", "sqlExpr", "", "name", "`"+bad.Name+"`", "type", quoted(bad.Type))
		}
		return Result{Args: []*types.Type{nil, nil}[:len(args)], Type: types.String, Nullable: true, Options: set, Keep: 1, Deterministic: true}, nil
	}
	return Result{}, errs.New("DATATYPE_MISMATCH.INVALID_JSON_SCHEMA", "sqlExpr", "", "schema", quoted(args[0].Type))
}

// notJSON is a part that cannot be written as JSON; there is none so far that this cluster has values of.
func notJSON(*types.Type) *types.Field { return nil }

func toCSV(_ *Context, args []Arg) (Result, error) {
	set, err := options(args, 1)
	if err != nil {
		return Result{}, err
	}
	if t := args[0].Type; t.Kind != types.KindStruct && t.Kind != types.KindNull || HasVariant(t) {
		return Result{}, errs.New("DATATYPE_MISMATCH.UNSUPPORTED_INPUT_TYPE", "sqlExpr", "", "functionName", "`to_csv`", "dataType", quoted(t))
	}
	return Result{Args: []*types.Type{nil, nil}[:len(args)], Type: types.String, Nullable: true, Options: set, Keep: 1, Deterministic: true}, nil
}

// schemaOf is of a constant text.
func schemaOf(format string) func(*Context, []Arg) (Result, error) {
	return func(_ *Context, args []Arg) (Result, error) {
		set, err := options(args, 1)
		if err != nil {
			return Result{}, err
		}
		a := args[0]
		switch text, ok := a.Const.(string); {
		case a.IsConst && a.Const == nil:
			return Result{}, errs.New("DATATYPE_MISMATCH.UNEXPECTED_NULL", "sqlExpr", "", "exprName", format)
		case !a.IsConst:
			return Result{}, errs.New("DATATYPE_MISMATCH.NON_FOLDABLE_INPUT", "sqlExpr", "", "inputName", "`"+format+"`", "inputType", quoted(a.Type), "inputExpr", `"`+a.SQL+`"`)
		case !ok:
			return Result{}, unexpected("", args, 0, `"STRING"`)
		case format == "csv" && strings.TrimSpace(text) == "":
			return Result{}, errs.Newf(errs.Invalid, "schema_of_csv needs a record with a value.")
		}
		return Result{Args: []*types.Type{nil, nil}[:len(args)], Type: types.String, Options: set, Keep: 1, Deterministic: true}, nil
	}
}
