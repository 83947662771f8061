package fn

import (
	"millrace/errs"
	"millrace/types"
)

func init() {
	Register(
		&Func{Names: []string{"array_distinct"}, Min: 1, Max: 1, Resolve: arrayDistinct},
		&Func{Names: []string{"array_compact"}, Min: 1, Max: 1, Resolve: arrayCompact},
		&Func{Names: []string{"array_union"}, Min: 2, Max: 2, Resolve: twoArrays("array_union")},
		&Func{Names: []string{"array_intersect"}, Min: 2, Max: 2, Resolve: twoArrays("array_intersect")},
		&Func{Names: []string{"array_except"}, Min: 2, Max: 2, Resolve: twoArrays("array_except")},
		&Func{Names: []string{"arrays_overlap"}, Min: 2, Max: 2, Resolve: twoArrays("arrays_overlap")},
		&Func{Names: []string{"array_append"}, Min: 2, Max: 2, Resolve: withElement("array_append", 1)},
		&Func{Names: []string{"array_prepend"}, Min: 2, Max: 2, Resolve: withElement("array_prepend", 1)},
		&Func{Names: []string{"array_remove"}, Min: 2, Max: 2, Resolve: withElement("array_remove", 1)},
		&Func{Names: []string{"array_insert"}, Min: 3, Max: 3, Resolve: arrayInsert},
		&Func{Names: []string{"array_max"}, Min: 1, Max: 1, Resolve: extremeOf("array_max")},
		&Func{Names: []string{"array_min"}, Min: 1, Max: 1, Resolve: extremeOf("array_min")},
		&Func{Names: []string{"array_repeat"}, Min: 2, Max: 2, Resolve: arrayRepeat},
		&Func{Names: []string{"array_join"}, Min: 2, Max: 3, Resolve: arrayJoin},
		&Func{Names: []string{"sort_array"}, Min: 1, Max: 2, Resolve: sortArray},
		&Func{Names: []string{"slice"}, Min: 3, Max: 3, Resolve: slice},
		&Func{Names: []string{"flatten"}, Min: 1, Max: 1, Resolve: flatten},
		&Func{Names: []string{"arrays_zip"}, Min: 0, Max: -1, Resolve: arraysZip},
		&Func{Names: []string{"shuffle"}, Min: 1, Max: 2, Nondeterministic: true, Resolve: shuffle},
		&Func{Names: []string{"sequence"}, Min: 2, Max: 3, Resolve: sequence},
	)
}

// listArg is argument i as an array; a null is an array of nulls.
func listArg(args []Arg, i int) (*types.Type, error) {
	if args[i].Type.Kind == types.KindNull {
		return types.ArrayOf(types.Null, true), nil
	}
	return arrayAt(args, i)
}

func arrayDistinct(c *Context, args []Arg) (Result, error) {
	if t := args[0].Type; t.Kind == types.KindArray && HasVariant(t.Elem) {
		return Result{}, notOrderable("array_distinct", t.Elem)
	}
	return sameArray(c, args)
}

func sameArray(_ *Context, args []Arg) (Result, error) {
	t, err := listArg(args, 0)
	if err != nil {
		return Result{}, err
	}
	return strict(args, t, false, t)
}

func arrayCompact(c *Context, args []Arg) (Result, error) {
	r, err := sameArray(c, args)
	if err == nil {
		r.Type = types.ArrayOf(r.Type.Elem, false)
	}
	return r, err
}

// twoArrays is of two arrays whose elements widen to one type without converting strings.
func twoArrays(name string) func(*Context, []Arg) (Result, error) {
	return func(c *Context, args []Arg) (Result, error) {
		x, y := args[0].Type, args[1].Type
		var e *types.Type
		if x.Kind == types.KindArray && y.Kind == types.KindArray {
			e = TightestCommonType(c, x.Elem, y.Elem)
		}
		if e == nil {
			return Result{}, errs.New("DATATYPE_MISMATCH.BINARY_ARRAY_DIFF_TYPES", "sqlExpr", "", "functionName", "`"+name+"`", "arrayType", `"ARRAY"`,
				"leftType", quoted(x), "rightType", quoted(y))
		}
		if HasVariant(e) {
			return Result{}, notOrderable(name, e)
		}
		null := x.ElemNull || y.ElemNull
		switch name {
		case "array_intersect":
			null = x.ElemNull && y.ElemNull
		case "array_except":
			null = x.ElemNull
		}
		casts := []*types.Type{types.ArrayOf(e, x.ElemNull), types.ArrayOf(e, y.ElemNull)}
		if name == "arrays_overlap" {
			return strict(args, types.Boolean, null, casts...)
		}
		return strict(args, types.ArrayOf(e, null), false, casts...)
	}
}

// elementType is the type of an array's elements and of a value that is put or looked for among them.
func elementType(c *Context, name string, args []Arg, value int) (*types.Type, error) {
	t, err := arrayAt(args, 0)
	if err != nil {
		return nil, err
	}
	e := TightestCommonType(c, t.Elem, args[value].Type)
	if e == nil {
		return nil, errs.New("DATATYPE_MISMATCH.ARRAY_FUNCTION_DIFF_TYPES", "sqlExpr", "", "functionName", "`"+name+"`", "dataType", `"ARRAY"`,
			"leftType", quoted(t), "rightType", quoted(args[value].Type))
	}
	return e, nil
}

// withElement is array_append, array_prepend and array_remove.
func withElement(name string, value int) func(*Context, []Arg) (Result, error) {
	return func(c *Context, args []Arg) (Result, error) {
		e, err := elementType(c, name, args, value)
		if err != nil {
			return Result{}, err
		}
		t := args[0].Type
		casts := []*types.Type{types.ArrayOf(e, t.ElemNull), e}
		if name == "array_remove" && HasVariant(e) {
			return Result{}, notOrderable(name, e)
		}
		if name == "array_remove" {
			return strict(args, types.ArrayOf(e, t.ElemNull), false, casts...)
		}
		return Result{Args: casts, Type: types.ArrayOf(e, t.ElemNull || args[value].Nullable), Nullable: args[0].Nullable, Deterministic: true}, nil
	}
}

func arrayInsert(c *Context, args []Arg) (Result, error) {
	e, err := elementType(c, "array_insert", args, 2)
	if err != nil {
		return Result{}, err
	}
	if k := args[1].Type.Kind; k == types.KindLong || !args[1].Type.IsIntegral() && k != types.KindNull {
		return Result{}, unexpected("array_insert", args, 1, `"INT"`)
	}
	r := Result{Args: []*types.Type{types.ArrayOf(e, args[0].Type.ElemNull), types.Integer, e}, Type: types.ArrayOf(e, true),
		Nullable: args[0].Nullable || args[1].Nullable, Deterministic: true}
	if c.conf("spark.sql.legacy.negativeIndexInArrayInsert") == "true" {
		r.Options = map[string]string{"legacy": "true"}
	}
	return r, nil
}

func extremeOf(name string) func(*Context, []Arg) (Result, error) {
	return func(_ *Context, args []Arg) (Result, error) {
		t, err := listArg(args, 0)
		if err != nil {
			return Result{}, err
		}
		if !Orderable(t.Elem) {
			return Result{}, notOrderable(name, t.Elem)
		}
		return strict(args, t.Elem, true, t)
	}
}

func arrayRepeat(_ *Context, args []Arg) (Result, error) {
	if k := args[1].Type.Kind; k != types.KindNull && (k == types.KindLong || !args[1].Type.IsIntegral()) {
		return Result{}, unexpected("array_repeat", args, 1, `"INT"`)
	}
	return Result{Args: []*types.Type{nil, types.Integer}, Type: types.ArrayOf(args[0].Type, args[0].Nullable), Nullable: args[1].Nullable, Deterministic: true}, nil
}

// arrayJoin is null where any argument is, the text for nulls too.
func arrayJoin(c *Context, args []Arg) (Result, error) {
	casts, err := Convert(c, args, types.ArrayOf(types.String, true), types.String)
	if err != nil {
		if !types.ArrayOf(types.String, true).SameData(args[0].Type) {
			if _, ok := ImplicitCast(c, args[0].Type, types.ArrayOf(types.String, true)); !ok {
				return Result{}, unexpected("array_join", args, 0, `"ARRAY<STRING>"`)
			}
		}
		return Result{}, err
	}
	return strict(args, types.String, false, casts...)
}

func sortArray(_ *Context, args []Arg) (Result, error) {
	t, err := listArg(args, 0)
	if err != nil {
		return Result{}, err
	}
	if !Orderable(t.Elem) {
		return Result{}, notOrderable("sort_array", t)
	}
	if len(args) > 1 {
		if k := args[1].Type.Kind; k != types.KindBoolean && k != types.KindNull {
			return Result{}, unexpected("sort_array", args, 1, `"BOOLEAN"`)
		}
		if !args[1].IsConst {
			return Result{}, errs.New("DATATYPE_MISMATCH.NON_FOLDABLE_INPUT", "sqlExpr", "", "inputName", "`ascendingOrder`", "inputType", `"BOOLEAN"`, "inputExpr", `"`+args[1].SQL+`"`)
		}
	}
	return strict(args, t, false, t, types.Boolean)
}

func slice(c *Context, args []Arg) (Result, error) {
	t, err := listArg(args, 0)
	if err != nil {
		return Result{}, err
	}
	casts, err := Convert(c, args, nil, types.Integer)
	if err != nil {
		return Result{}, err
	}
	casts[0] = t
	return strict(args, t, false, casts...)
}

func flatten(_ *Context, args []Arg) (Result, error) {
	t := args[0].Type
	if t.Kind == types.KindArray && t.Elem.Kind == types.KindArray {
		return strict(args, t.Elem, t.ElemNull)
	}
	return Result{}, unexpected("flatten", args, 0, `"ARRAY" of "ARRAY"`)
}

// arraysZip names the fields after the columns, or by their places.
func arraysZip(_ *Context, args []Arg) (Result, error) {
	fields := make([]types.Field, len(args))
	casts := make([]*types.Type, len(args))
	for i := range args {
		t, err := listArg(args, i)
		if err != nil {
			return Result{}, err
		}
		casts[i] = t
		fields[i] = types.Field{Name: args[i].Name, Type: t.Elem, Nullable: true}
		if fields[i].Name == "" {
			fields[i].Name = itoa(i)
		}
	}
	return strict(args, types.ArrayOf(types.Struct(fields...), false), false, casts...)
}

func shuffle(c *Context, args []Arg) (Result, error) {
	t, err := listArg(args, 0)
	if err != nil {
		return Result{}, err
	}
	if len(args) > 1 && !args[1].Type.IsIntegral() && args[1].Type.Kind != types.KindNull {
		return Result{}, unexpected("shuffle", args, 1, `"INTEGRAL"`)
	}
	r, err := strict(args, t, false, t, types.Long)
	r.Nullable = args[0].Nullable
	return r, err
}

// sequence is of integers or moments of one type; moments are an interval apart, a day if it is not given.
func sequence(c *Context, args []Arg) (Result, error) {
	wrong := errs.New("DATATYPE_MISMATCH.SEQUENCE_WRONG_INPUT_TYPES", "sqlExpr", "", "functionName", "`sequence`", "startType", `("TIMESTAMP" or "TIMESTAMP_NTZ" or "DATE")`,
		"stepType", `("INTERVAL" or "INTERVAL YEAR TO MONTH" or "INTERVAL DAY TO SECOND")`, "otherStartType", `"INTEGRAL"`)
	isInterval := func(t *types.Type) bool { return t.Kind == types.KindCalendar || t.IsInterval() }
	alike := args[:2]
	if len(args) > 2 && !isInterval(args[2].Type) {
		alike = args
	}
	t, ok := CommonType(c, typesOf(alike)...)
	if !ok {
		return Result{}, wrong
	}
	casts := []*types.Type{t, t}
	switch step := len(args) > 2; {
	case step && isInterval(args[2].Type):
		if !t.IsDateTime() {
			return Result{}, wrong
		}
		casts = append(casts, nil)
	case step && t.IsDateTime() && args[2].Type.Kind != types.KindNull:
		return Result{}, wrong
	case step && t.IsDateTime():
		casts = append(casts, types.Calendar)
	case step:
		casts = append(casts, t)
	}
	if t.Kind != types.KindNull && !t.IsIntegral() && !t.IsDateTime() {
		return Result{}, wrong
	}
	return strict(args, types.ArrayOf(t, false), false, casts...)
}
