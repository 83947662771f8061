package fn

import (
	"strconv"

	"millrace/errs"
	"millrace/types"
)

func init() {
	Register(
		&Func{Names: []string{"from_avro"}, Min: 2, Max: 3, Resolve: fromAvro},
		&Func{Names: []string{"to_avro"}, Min: 1, Max: 2, Resolve: toAvro},
		&Func{Names: []string{"schema_of_avro"}, Min: 1, Max: 2, Resolve: schemaOfAvro},
	)
}

// avroSchema is the option that hands an Avro schema to the kernels.
const avroSchema = "jsonFormatSchema"

func badAvro(msg string) error {
	return errs.New("DATATYPE_MISMATCH.TYPE_CHECK_FAILURE_WITH_HINT", "sqlExpr", "", "hint", "", "msg", msg)
}

// avroText is a constant schema; a null is an empty text.
func avroText(a Arg, place, function, direction string) (string, error) {
	if a.Fault != nil {
		return "", a.Fault
	}
	if text, ok := a.Const.(string); a.IsConst && (a.Type.Kind == types.KindNull || a.Type.Kind == types.KindString && (ok || a.Const == nil)) {
		return text, nil
	}
	return "", badAvro("The " + place + " argument of the " + function +
		" SQL function must be a constant string containing the JSON representation of the schema to use for converting the value " + direction + " AVRO format")
}

// avroOptions are a constant map of strings, an empty one, or null.
func avroOptions(args []Arg, i int, place, function string) (map[string]string, error) {
	if len(args) <= i || args[i].Type.Kind == types.KindNull && args[i].IsConst {
		return map[string]string{}, nil
	}
	if t := args[i].Type; args[i].IsConst && t.Kind == types.KindMap {
		switch {
		case t.Key.Kind == types.KindNull && t.Elem.Kind == types.KindNull:
			return map[string]string{}, nil
		case t.Key.Kind == types.KindString && t.Elem.Kind == types.KindString:
			return options(args, i)
		}
	}
	return nil, badAvro("The " + place + " argument of the " + function +
		" SQL function must be a constant map of strings to strings containing the options to use for converting the value from AVRO format")
}

// avroArguments are a constant schema, which is the argument at a place, and the options behind it.
func avroArguments(args []Arg, at int, function string) (schema string, set map[string]string, err error) {
	ordinals := [...]string{"first", "second", "third"}
	if schema, err = avroText(args[at], ordinals[at], function, "from"); err == nil {
		set, err = avroOptions(args, at+1, ordinals[at+1], function)
	}
	return schema, set, err
}

func (c *Context) avroType(function, schema string, options map[string]string) (*types.Type, error) {
	if c.AvroType == nil {
		return nil, errs.Unsupportedf("%s is not supported here.", function)
	}
	return c.AvroType(function, schema, options)
}

func fromAvro(c *Context, args []Arg) (Result, error) {
	text, set, err := avroArguments(args, 1, "FROM_AVRO")
	if err != nil {
		return Result{}, err
	}
	var cast *types.Type
	switch args[0].Type.Kind {
	case types.KindBinary:
	case types.KindNull:
		cast = types.Binary
	default:
		return Result{}, unexpected("from_avro", args, 0, `"BINARY"`)
	}
	t, err := c.avroType("from_avro", text, set)
	if err != nil {
		return Result{}, err
	}
	set[avroSchema] = text
	return Result{Args: []*types.Type{cast, nil, nil}[:len(args)], Type: t, Nullable: true, Options: set, Keep: 1, Deterministic: true}, nil
}

func toAvro(_ *Context, args []Arg) (Result, error) {
	// Whether there may be nulls decides how values are written, and must not change when a plan is made better.
	set := map[string]string{"nullable": strconv.FormatBool(args[0].Nullable)}
	r := Result{Args: []*types.Type{nil, nil}[:len(args)], Type: types.Binary, Nullable: args[0].Nullable, Options: set, Keep: 1, Deterministic: true}
	if len(args) < 2 || args[1].Type.Kind == types.KindNull {
		return r, nil
	}
	text, err := avroText(args[1], "second", "TO_AVRO", "to")
	if err == nil && args[1].Const != nil {
		set[avroSchema] = text
	}
	return r, err
}

func schemaOfAvro(c *Context, args []Arg) (Result, error) {
	text, set, err := avroArguments(args, 0, "SCHEMA_OF_AVRO")
	if err != nil {
		return Result{}, err
	}
	_, err = c.avroType("schema_of_avro", text, set)
	return Result{Args: []*types.Type{nil, nil}[:len(args)], Type: types.String, Options: set, Keep: 1, Deterministic: true}, err
}
