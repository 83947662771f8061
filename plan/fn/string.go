package fn

import (
	"strings"
	"unicode/utf8"

	"millrace/errs"
	"millrace/types"
)

func init() {
	str, num, boolean, bin := types.String, types.Integer, types.Boolean, types.Binary
	fixed := func(names []string, least, most int, out *types.Type, params ...*types.Type) *Func {
		return &Func{Names: names, Min: least, Max: most, Resolve: Fixed(out, false, params...)}
	}
	Register(
		&Func{Names: []string{"length", "len", "char_length", "character_length"}, Min: 1, Max: 1, Resolve: ofText(num)},
		&Func{Names: []string{"octet_length"}, Min: 1, Max: 1, Resolve: ofText(num)},
		&Func{Names: []string{"bit_length"}, Min: 1, Max: 1, Resolve: ofText(num)},
		fixed([]string{"upper", "ucase"}, 1, 1, str, str), fixed([]string{"lower", "lcase"}, 1, 1, str, str),
		fixed([]string{"initcap"}, 1, 1, str, str),
		fixed([]string{"trim"}, 1, 2, str, str), fixed([]string{"ltrim"}, 1, 2, str, str), fixed([]string{"rtrim"}, 1, 2, str, str),
		&Func{Names: []string{"btrim"}, Min: 1, Max: 2, Resolve: sameText()},
		&Func{Names: []string{"substring", "substr"}, Min: 2, Max: 3, Resolve: sameText(num, num)},
		&Func{Names: []string{"left"}, Min: 2, Max: 2, Resolve: sameText(num)},
		&Func{Names: []string{"right"}, Min: 2, Max: 2, Resolve: sameText(num)},
		&Func{Names: []string{"lpad"}, Min: 2, Max: 3, Resolve: padded},
		&Func{Names: []string{"rpad"}, Min: 2, Max: 3, Resolve: padded},
		&Func{Names: []string{"overlay"}, Min: 3, Max: 4, Resolve: overlay},
		fixed([]string{"substring_index"}, 3, 3, str, str, str, num),
		&Func{Names: []string{"concat", "||"}, Min: 0, Max: -1, Resolve: concat},
		&Func{Names: []string{"concat_ws"}, Min: 1, Max: -1, Resolve: concatWS},
		fixed([]string{"replace"}, 2, 3, str, str), fixed([]string{"translate"}, 3, 3, str, str),
		fixed([]string{"repeat"}, 2, 2, str, str, num), fixed([]string{"space"}, 1, 1, str, num),
		&Func{Names: []string{"reverse"}, Min: 1, Max: 1, Resolve: reverse},
		fixed([]string{"instr"}, 2, 2, num, str), fixed([]string{"locate", "position"}, 2, 3, num, str, str, num),
		fixed([]string{"find_in_set"}, 2, 2, num, str),
		&Func{Names: []string{"startswith"}, Min: 2, Max: 2, Resolve: searched}, &Func{Names: []string{"endswith"}, Min: 2, Max: 2, Resolve: searched},
		&Func{Names: []string{"contains"}, Min: 2, Max: 2, Resolve: searched},
		fixed([]string{"like"}, 2, 3, boolean, str), fixed([]string{"ilike"}, 2, 3, boolean, str),
		fixed([]string{"rlike", "regexp", "regexp_like"}, 2, 2, boolean, str),
		fixed([]string{"regexp_replace"}, 3, 4, str, str, str, str, num),
		fixed([]string{"regexp_extract"}, 2, 3, str, str, str, num),
		fixed([]string{"regexp_extract_all"}, 2, 3, types.ArrayOf(str, true), str, str, num),
		fixed([]string{"regexp_count"}, 2, 2, num, str), fixed([]string{"regexp_instr"}, 2, 3, num, str, str, num),
		&Func{Names: []string{"regexp_substr"}, Min: 2, Max: 2, Resolve: Fixed(str, true, str)},
		fixed([]string{"split"}, 2, 3, types.ArrayOf(str, false), str, str, num),
		fixed([]string{"split_part"}, 3, 3, str, str, str, num),
		&Func{Names: []string{"elt"}, Min: 2, Max: -1, Resolve: elt},
		fixed([]string{"ascii"}, 1, 1, num, str), fixed([]string{"chr", "char"}, 1, 1, str, types.Long),
		fixed([]string{"base64"}, 1, 1, str, bin), fixed([]string{"unbase64"}, 1, 1, bin, str),
		fixed([]string{"encode"}, 2, 2, bin, str), fixed([]string{"decode"}, 2, 2, str, bin, str),
		fixed([]string{"soundex"}, 1, 1, str, str), fixed([]string{"levenshtein"}, 2, 3, num, str, str, num),
		&Func{Names: []string{"format_string", "printf"}, Min: 1, Max: -1, Resolve: formatString},
		&Func{Names: []string{"format_number"}, Min: 2, Max: 2, Resolve: formatNumber},
		fixed([]string{"url_encode"}, 1, 1, str, str), fixed([]string{"url_decode"}, 1, 1, str, str),
		&Func{Names: []string{"try_url_decode"}, Min: 1, Max: 1, Resolve: Fixed(str, true, str)},
		&Func{Names: []string{"parse_url"}, Min: 2, Max: 3, Resolve: Fixed(str, true, str)},
		&Func{Names: []string{"try_parse_url"}, Min: 2, Max: 3, Resolve: Fixed(str, true, str)},
		fixed([]string{"luhn_check"}, 1, 1, boolean, str), fixed([]string{"quote"}, 1, 1, str, str),
		fixed([]string{"is_valid_utf8"}, 1, 1, boolean, str),
		&Func{Names: []string{"mask"}, Min: 1, Max: 5, Resolve: mask},
	)
}

// ofText is a signature over a string or binary.
func ofText(out *types.Type) func(*Context, []Arg) (Result, error) {
	return func(c *Context, args []Arg) (Result, error) {
		t, err := OneOf(c, args, 0, types.String, types.Binary)
		if err != nil {
			return Result{}, err
		}
		return strict(args, out, false, t)
	}
}

// sameText is a signature whose first argument is a string or a binary and whose result is of the same type; a nil among the types
// of the other arguments stands for that type too, and so do arguments beyond them.
func sameText(rest ...*types.Type) func(*Context, []Arg) (Result, error) {
	return func(c *Context, args []Arg) (Result, error) {
		t, err := OneOf(c, args, 0, types.String, types.Binary)
		if err != nil {
			return Result{}, err
		}
		t = plainText(t)
		params := []*types.Type{t}
		for _, p := range rest {
			if p == nil {
				p = t
			}
			params = append(params, p)
		}
		casts, err := Convert(c, args, params...)
		if err != nil {
			return Result{}, err
		}
		return strict(args, t, false, casts...)
	}
}

// padded is lpad and rpad: of two binaries, and of strings as soon as one argument is a string.
func padded(c *Context, args []Arg) (Result, error) {
	if len(args) == 3 && args[0].Type.Kind != args[2].Type.Kind && args[0].Type.Kind == types.KindBinary {
		return Fixed(types.String, false, types.String, types.Integer, types.String)(c, args)
	}
	return sameText(types.Integer, nil)(c, args)
}

// overlay puts a text into a text, or a binary into a binary.
func overlay(c *Context, args []Arg) (Result, error) {
	a, b := args[0].Type.Kind, args[1].Type.Kind
	if a != b && (a == types.KindBinary || b == types.KindBinary) && (a == types.KindString || b == types.KindString) {
		return Result{}, dataDiffTypes("overlay", "(", " or ", ")", args[:2])
	}
	return sameText(nil, types.Integer, types.Integer)(c, args)
}

// mask takes a text and, for each class of characters, a constant of one character that stands for it; null leaves the class as it is.
func mask(c *Context, args []Arg) (Result, error) {
	names := []string{"input", "upperChar", "lowerChar", "digitChar", "otherChar"}
	for i, a := range args[1:] {
		text, isText := a.Const.(string)
		switch {
		case a.Type.Kind != types.KindString && a.Type.Kind != types.KindNull:
			return Result{}, unexpected("mask", args, i+1, quoted(types.String))
		case !a.IsConst:
			return Result{}, errs.New("DATATYPE_MISMATCH.NON_FOLDABLE_INPUT", "sqlExpr", "", "inputName", "`"+names[i+1]+"`", "inputType", quoted(types.String), "inputExpr", `"`+a.SQL+`"`)
		case isText && utf8.RuneCountInString(text) != 1:
			return Result{}, errs.New("DATATYPE_MISMATCH.INPUT_SIZE_NOT_ONE", "sqlExpr", "", "exprName", names[i+1])
		}
	}
	return Fixed(types.String, true, types.String)(c, args)
}

// plainText is a string type without its length.
func plainText(t *types.Type) *types.Type {
	if t.Kind == types.KindString {
		return plainString(t)
	}
	return t
}

// concat is of binaries if all are, of arrays if one is, else of strings.
func concat(c *Context, args []Arg) (Result, error) {
	arrays, binaries := false, len(args) > 0 && !strings.EqualFold(c.conf("spark.sql.function.concatBinaryAsString"), "true")
	for _, a := range args {
		arrays = arrays || a.Type.Kind == types.KindArray
		binaries = binaries && a.Type.Kind == types.KindBinary
	}
	t := types.String
	switch {
	case binaries:
		t = types.Binary
	case arrays:
		var ok bool
		if t, ok = CommonType(c, typesOf(args)...); !ok || t.Kind != types.KindArray {
			return Result{}, dataDiffTypes("concat", "(", " or ", ")", args)
		}
	}
	casts := make([]*types.Type, len(args))
	for i, a := range args {
		casts[i] = t
		if t.Kind != types.KindArray {
			u, ok := ImplicitCast(c, a.Type, t)
			if !ok {
				return Result{}, unexpected("concat", args, i, `("STRING" or "BINARY" or "ARRAY")`)
			}
			casts[i] = u
		}
	}
	r, err := strict(args, t, false, casts...)
	r.Kernel = "concat"
	return r, err
}

// concatWS takes texts and arrays of texts; it is null only if the separator is.
func concatWS(c *Context, args []Arg) (Result, error) {
	r := Result{Args: make([]*types.Type, len(args)), Type: types.String, Nullable: args[0].Nullable, Deterministic: true}
	for i, a := range args {
		p := types.String
		if i > 0 && a.Type.Kind == types.KindArray {
			p = types.ArrayOf(types.String, true)
		}
		t, ok := ImplicitCast(c, a.Type, p)
		if !ok {
			return Result{}, unexpected("concat_ws", args, i, `("ARRAY<STRING>" or "STRING")`)
		}
		r.Args[i] = t
	}
	return r, nil
}

func reverse(c *Context, args []Arg) (Result, error) {
	if args[0].Type.Kind == types.KindArray {
		return strict(args, args[0].Type, false, nil)
	}
	return Fixed(types.String, false, types.String)(c, args)
}

// searched is of two strings or of two binaries.
func searched(c *Context, args []Arg) (Result, error) {
	t := types.String
	if args[0].Type.Kind == types.KindBinary && args[1].Type.Kind == types.KindBinary {
		t = types.Binary
	}
	return Fixed(types.Boolean, false, t)(c, args)
}

func elt(c *Context, args []Arg) (Result, error) {
	t := types.Binary
	if strings.EqualFold(c.conf("spark.sql.function.eltOutputAsString"), "true") {
		t = types.String
	}
	for _, a := range args[1:] {
		if a.Type.Kind != types.KindBinary {
			t = types.String
		}
	}
	casts, err := Convert(c, args, types.Integer, t)
	return Result{Args: casts, Type: t, Nullable: true, Deterministic: true}, err
}

// formatString takes any atomic values; what they may be is for the format to say.
func formatString(c *Context, args []Arg) (Result, error) {
	first, err := Convert(c, args[:1], types.String)
	if err != nil {
		return Result{}, err
	}
	casts := make([]*types.Type, len(args))
	casts[0] = first[0]
	return Result{Args: casts, Type: types.String, Nullable: args[0].Nullable, Kernel: "format_string", Deterministic: true}, nil
}

func formatNumber(c *Context, args []Arg) (Result, error) {
	t := args[0].Type
	if !t.IsNumeric() {
		u, ok := ImplicitCast(c, t, types.Double)
		if !ok {
			return Result{}, unexpected("format_number", args, 0, `"NUMERIC"`)
		}
		t = u
	}
	second, err := OneOf(c, args, 1, types.Integer, types.String)
	if err != nil {
		return Result{}, err
	}
	return strict(args, types.String, true, t, second)
}
