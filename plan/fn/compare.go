package fn

import (
	"millrace/errs"
	"millrace/types"
)

func init() {
	Register(
		&Func{Names: []string{"=", "=="}, Min: 2, Max: 2, Resolve: compare(equalityType)},
		&Func{Names: []string{"<=>", "equal_null"}, Min: 2, Max: 2, Resolve: nullSafe},
		&Func{Names: []string{"!=", "<>"}, Min: 2, Max: 2, Resolve: compare(equalityType)},
		&Func{Names: []string{"<"}, Min: 2, Max: 2, Resolve: compare(ComparisonType)},
		&Func{Names: []string{"<="}, Min: 2, Max: 2, Resolve: compare(ComparisonType)},
		&Func{Names: []string{">"}, Min: 2, Max: 2, Resolve: compare(ComparisonType)},
		&Func{Names: []string{">="}, Min: 2, Max: 2, Resolve: compare(ComparisonType)},
		&Func{Names: []string{"and"}, Min: 2, Max: -1, Resolve: logic("AND")},
		&Func{Names: []string{"or"}, Min: 2, Max: -1, Resolve: logic("OR")},
		&Func{Names: []string{"not", "!"}, Min: 1, Max: 1, Resolve: not},
		&Func{Names: []string{"between"}, Min: 3, Max: 3, Resolve: between},
		&Func{Names: []string{"in"}, Min: 1, Max: -1, Resolve: in},
		&Func{Names: []string{"isnull"}, Min: 1, Max: 1, Resolve: isNull},
		&Func{Names: []string{"isnotnull"}, Min: 1, Max: 1, Resolve: isNull},
		&Func{Names: []string{"isnan"}, Min: 1, Max: 1, Resolve: isNaN},
	)
}

func diffTypes(a, b *types.Type) error {
	return errs.New("DATATYPE_MISMATCH.BINARY_OP_DIFF_TYPES", "sqlExpr", "", "left", quoted(a), "right", quoted(b))
}

// compare resolves a comparison whose sides become the type that rule says.
func compare(rule func(c *Context, a, b *types.Type) (*types.Type, bool)) func(*Context, []Arg) (Result, error) {
	return func(c *Context, args []Arg) (Result, error) {
		t, ok := rule(c, args[0].Type, args[1].Type)
		if !ok && SameShape(args[0].Type, args[1].Type) && Orderable(args[0].Type) {
			return strict(args, types.Boolean, false)
		}
		if !ok {
			return Result{}, diffTypes(args[0].Type, args[1].Type)
		}
		if !Orderable(t) {
			return Result{}, errs.New("DATATYPE_MISMATCH.INVALID_ORDERING_TYPE", "sqlExpr", "", "functionName", "`=`", "dataType", quoted(t))
		}
		return strict(args, types.Boolean, false, t, t)
	}
}

func nullSafe(c *Context, args []Arg) (Result, error) {
	r, err := compare(equalityType)(c, args)
	r.Nullable = false
	return r, err
}

// Orderable reports whether values of a type can be compared.
func Orderable(t *types.Type) bool {
	switch t.Kind {
	case types.KindMap, types.KindVariant, types.KindCalendar:
		return false
	case types.KindArray, types.KindUDT:
		return Orderable(t.Elem)
	case types.KindStruct:
		for _, f := range t.Fields {
			if !Orderable(f.Type) {
				return false
			}
		}
	}
	return true
}

// logic resolves and, or.
func logic(name string) func(*Context, []Arg) (Result, error) {
	return func(c *Context, args []Arg) (Result, error) {
		casts := make([]*types.Type, len(args))
		for i, a := range args {
			b := args[(i+1)%len(args)]
			t := TightestCommonType(c, a.Type, b.Type)
			if t == nil && c.ANSI {
				t = widerWithString(c, a.Type, b.Type)
			}
			switch {
			case t == nil, !a.Type.SameData(b.Type) && (a.Type.Kind == types.KindNull || b.Type.Kind == types.KindNull) && t.Kind != types.KindBoolean && t.Kind != types.KindString:
				return Result{}, diffTypes(args[0].Type, args[1].Type)
			case t.Kind != types.KindBoolean && t.Kind != types.KindNull:
				return Result{}, errs.New("DATATYPE_MISMATCH.BINARY_OP_WRONG_TYPE", "sqlExpr", "", "inputType", `"BOOLEAN"`, "actualDataType", quoted(t))
			}
			casts[i] = types.Boolean
		}
		return strict(args, types.Boolean, false, casts...)
	}
}

func not(c *Context, args []Arg) (Result, error) {
	switch args[0].Type.Kind {
	case types.KindBoolean, types.KindNull, types.KindString:
		return strict(args, types.Boolean, false, types.Boolean)
	}
	return Result{}, unexpected("not", args, 0, `"BOOLEAN"`)
}

// between is two comparisons, each in a type of its own; where those differ the kernel converts.
func between(c *Context, args []Arg) (Result, error) {
	low, ok := ComparisonType(c, args[0].Type, args[1].Type)
	if !ok {
		return Result{}, diffTypes(args[0].Type, args[1].Type)
	}
	high, ok := ComparisonType(c, args[0].Type, args[2].Type)
	if !ok {
		return Result{}, diffTypes(args[0].Type, args[2].Type)
	}
	if low.SameData(high) {
		return strict(args, types.Boolean, false, low, low, high)
	}
	r, err := strict(args, types.Boolean, CastNullable(args[0].Type, low) || CastNullable(args[0].Type, high), nil, low, high)
	return r, err
}

func in(c *Context, args []Arg) (Result, error) {
	if len(args) == 1 { // only a DataFrame's isin() can say so
		return Result{Type: types.Boolean, Nullable: args[0].Nullable, Deterministic: true}, nil
	}
	t, ok := CommonType(c, typesOf(args)...)
	if !ok {
		return Result{}, dataDiffTypes("in", "[", ", ", "]", args)
	}
	if HasVariant(t) {
		return Result{}, notOrderable("in", t)
	}
	casts := make([]*types.Type, len(args))
	for i := range casts {
		casts[i] = t
	}
	return strict(args, types.Boolean, false, casts...)
}

func isNull(*Context, []Arg) (Result, error) {
	return Result{Type: types.Boolean, Deterministic: true}, nil
}

func isNaN(c *Context, args []Arg) (Result, error) {
	t := args[0].Type
	if !t.IsFloating() {
		u, ok := ImplicitCast(c, t, types.Double)
		if !ok {
			return Result{}, unexpected("isnan", args, 0, `("DOUBLE" or "FLOAT")`)
		}
		t = u
	}
	return Result{Args: []*types.Type{t}, Type: types.Boolean, Deterministic: true}, nil
}
