package fn

import (
	"strings"

	"millrace/errs"
	"millrace/numberformat"
	"millrace/types"
)

func init() {
	Register(
		&Func{Names: []string{"to_number"}, Min: 2, Max: 2, Resolve: toNumber},
		&Func{Names: []string{"try_to_number"}, Min: 2, Max: 2, Resolve: toNumber},
		&Func{Names: []string{"to_char", "to_varchar"}, Min: 2, Max: 2, Resolve: toChar},
	)
}

// numberPattern is the pattern of a call, nil if it is null.
func numberPattern(args []Arg, inputName string) (*numberformat.Format, error) {
	if !args[1].IsConst {
		return nil, notFoldable(inputName, args, 1, args[1].SQL)
	}
	text, ok := args[1].Const.(string)
	if !ok {
		return nil, nil
	}
	text = strings.ToUpper(text)
	f, problem := numberformat.New(text)
	if problem == nil && f.Precision() > types.MaxPrecision {
		return nil, errs.New("DECIMAL_PRECISION_EXCEEDS_MAX_PRECISION", "precision", itoa(f.Precision()), "maxPrecision", itoa(types.MaxPrecision))
	}
	if problem == nil {
		return f, nil
	}
	params := []string{"format", "'" + strings.ReplaceAll(text, "'", `\'`) + "'"}
	if problem.Token != "" {
		params = append(params, "token", problem.Token)
	}
	return nil, errs.New("INVALID_FORMAT."+problem.Subclass, params...)
}

// toNumber gives decimals with as many digits as the pattern has.
func toNumber(c *Context, args []Arg) (Result, error) {
	casts, err := Convert(c, args, types.String, types.String)
	if err != nil {
		return Result{}, err
	}
	f, err := numberPattern(args, "format")
	if err != nil {
		return Result{}, err
	}
	t := types.Decimal(10, 0)
	if f != nil {
		t = types.Decimal(f.Precision(), f.Scale)
	}
	return strict(args, t, true, casts...)
}

// toChar writes dates and times by a pattern of theirs, binaries in an encoding, and else decimals by a number's pattern.
func toChar(c *Context, args []Arg) (Result, error) {
	pattern, ok := ImplicitCast(c, args[1].Type, types.String)
	switch t := args[0].Type; {
	case t.Kind == types.KindDate, t.Kind == types.KindTimestamp, t.Kind == types.KindTimestampNTZ:
		r, err := Lookup("date_format").Resolve(c, args)
		r.Kernel, r.Shown = "date_format", "date_format"
		return r, err
	case t.Kind == types.KindBinary:
		return binaryText(args)
	case !ok:
		return Result{}, unexpected("to_char", args, 1, `"STRING"`)
	}
	t := args[0].Type
	switch {
	case t.IsNumeric():
		t = DecimalFor(t)
	case t.Kind == types.KindString, t.Kind == types.KindNull:
		t = types.Decimal(types.MaxPrecision, 18)
	default:
		return Result{}, unexpected("to_char", args, 0, `"DECIMAL"`)
	}
	if _, err := numberPattern(args, "format"); err != nil {
		return Result{}, err
	}
	r, err := strict(args, types.String, true, t, pattern)
	r.Shown = "to_char"
	return r, err
}

// binaryText is to_char of a binary in one of three encodings.
func binaryText(args []Arg) (Result, error) {
	if !args[1].IsConst {
		return Result{}, notFoldable("format", args, 1, args[1].SQL)
	}
	text, ok := args[1].Const.(string)
	if !ok {
		return Result{}, errs.New("NON_FOLDABLE_ARGUMENT", "funcName", "`to_char`", "paramName", "`format`", "paramType", quoted(args[1].Type))
	}
	r := Result{Type: types.String, Nullable: args[0].Nullable, Keep: 1, Deterministic: true}
	switch strings.ToLower(strings.TrimSpace(text)) {
	case "base64":
		r.Kernel, r.Shown = "base64", "base64"
	case "hex":
		r.Kernel, r.Shown = "hex", "hex"
	case "utf-8":
		r.Kernel, r.Shown, r.Keep = "decode", "decode", 2
	default:
		return Result{}, errs.New("INVALID_PARAMETER_VALUE.BINARY_FORMAT", "functionName", "`to_char`", "parameter", "`format`", "invalidFormat", "'"+text+"'")
	}
	return r, nil
}
