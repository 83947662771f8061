package fn

import (
	"strings"

	"millrace/errs"
	"millrace/types"
)

func init() {
	Register(
		&Func{Names: []string{"case", "when"}, Min: 2, Max: -1, Resolve: caseWhen},
		&Func{Names: []string{"if", "iff"}, Min: 3, Max: 3, Resolve: ifElse},
		&Func{Names: []string{"coalesce"}, Min: 1, Max: -1, Resolve: coalesce("coalesce")},
		&Func{Names: []string{"nvl", "ifnull"}, Min: 2, Max: 2, Resolve: coalesce("coalesce")},
		&Func{Names: []string{"nvl2"}, Min: 3, Max: 3, Resolve: nvl2},
		&Func{Names: []string{"nullif"}, Min: 2, Max: 2, Resolve: nullIf},
		&Func{Names: []string{"nullifzero"}, Min: 1, Max: 1, Resolve: nullIfZero},
		&Func{Names: []string{"zeroifnull"}, Min: 1, Max: 1, Resolve: zeroIfNull},
		&Func{Names: []string{"nanvl"}, Min: 2, Max: 2, Resolve: nanvl},
		&Func{Names: []string{"greatest"}, Min: 2, Max: -1, Resolve: extremum("greatest")},
		&Func{Names: []string{"least"}, Min: 2, Max: -1, Resolve: extremum("least")},
	)
}

func typesOf(args []Arg) []*types.Type {
	ts := make([]*types.Type, len(args))
	for i, a := range args {
		ts[i] = a.Type
	}
	return ts
}

// branches are the values of a CASE among its arguments; the conditions stand between them.
func branches(args []Arg) (values []Arg, places []int, conditions []int) {
	i := 0
	for ; i+1 < len(args); i += 2 {
		conditions = append(conditions, i)
		values, places = append(values, args[i+1]), append(places, i+1)
	}
	if i < len(args) {
		values, places = append(values, args[i]), append(places, i)
	}
	return values, places, conditions
}

func caseWhen(c *Context, args []Arg) (Result, error) {
	values, places, conditions := branches(args)
	t, ok := CommonType(c, typesOf(values)...)
	if !ok {
		return Result{}, dataDiffTypes("casewhen", "[", ", ", "]", values)
	}
	casts := make([]*types.Type, len(args))
	for _, i := range conditions {
		if k := args[i].Type.Kind; k != types.KindBoolean && k != types.KindNull && k != types.KindString {
			return Result{}, errs.New("DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE", "sqlExpr", "", "paramIndex", ordinals[min(i, 8)], "requiredType", `"BOOLEAN"`,
				"inputSql", `"`+args[i].SQL+`"`, "inputType", quoted(args[i].Type))
		}
		casts[i] = types.Boolean
	}
	nullable := len(args)%2 == 0
	for k, i := range places {
		casts[i] = t
		nullable = nullable || values[k].Nullable || CastNullable(values[k].Type, t)
	}
	return Result{Args: casts, Type: t, Nullable: nullable, Deterministic: true}, nil
}

func ifElse(c *Context, args []Arg) (Result, error) {
	if k := args[0].Type.Kind; k != types.KindBoolean && k != types.KindNull && k != types.KindString {
		return Result{}, unexpected("if", args, 0, `"BOOLEAN"`)
	}
	t, ok := CommonType(c, args[1].Type, args[2].Type)
	if !ok {
		return Result{}, dataDiffTypes("if", "[", ", ", "]", args[1:])
	}
	casts := []*types.Type{types.Boolean, t, t}
	return Result{Args: casts, Type: t, Nullable: AnyNullable(args[1:], casts[1:]), Deterministic: true}, nil
}

func coalesce(name string) func(*Context, []Arg) (Result, error) {
	return func(c *Context, args []Arg) (Result, error) {
		t, ok := CommonType(c, typesOf(args)...)
		if !ok {
			return Result{}, dataDiffTypes(name, "(", " or ", ")", args)
		}
		r := Result{Args: make([]*types.Type, len(args)), Type: t, Nullable: true, Kernel: "coalesce", Deterministic: true}
		for i, a := range args {
			r.Args[i] = t
			r.Nullable = r.Nullable && (a.Nullable || CastNullable(a.Type, t))
		}
		return r, nil
	}
}

func nvl2(c *Context, args []Arg) (Result, error) {
	t, ok := CommonType(c, args[1].Type, args[2].Type)
	if !ok {
		return Result{}, dataDiffTypes("if", "[", ", ", "]", args[1:])
	}
	casts := []*types.Type{nil, t, t}
	return Result{Args: casts, Type: t, Nullable: AnyNullable(args[1:], casts[1:]), Deterministic: true}, nil
}

// nullIf compares in the common type but gives the first argument as it is.
func nullIf(c *Context, args []Arg) (Result, error) {
	t, ok := equalityType(c, args[0].Type, args[1].Type)
	if !ok {
		return Result{}, diffTypes(args[0].Type, args[1].Type)
	}
	return Result{Args: []*types.Type{nil, t}, Type: args[0].Type, Nullable: true, Deterministic: true}, nil
}

func nullIfZero(c *Context, args []Arg) (Result, error) {
	zero := Arg{Type: types.Integer, SQL: "0", IsConst: true, Const: int64(0)}
	r, err := nullIf(c, []Arg{args[0], zero})
	if err == nil { // the kernel makes a zero of the type in which to compare
		r.Options = map[string]string{"type": r.Args[1].JSON()}
		r.Args = r.Args[:1]
	}
	return r, err
}

func zeroIfNull(c *Context, args []Arg) (Result, error) {
	r, err := coalesce("coalesce")(c, []Arg{args[0], {Type: types.Integer, SQL: "0"}})
	if err == nil {
		r.Args, r.Kernel = r.Args[:1], "zeroifnull"
	}
	return r, err
}

func nanvl(c *Context, args []Arg) (Result, error) {
	t := types.Double
	if args[0].Type.Kind == types.KindFloat && args[1].Type.Kind == types.KindFloat {
		t = types.Float
	}
	casts, err := Convert(c, args, t)
	if err != nil {
		return Result{}, err
	}
	return strict(args, t, false, casts...)
}

func extremum(name string) func(*Context, []Arg) (Result, error) {
	return func(c *Context, args []Arg) (Result, error) {
		t, ok := greatestType(c, args)
		if !ok {
			return Result{}, dataDiffTypes(name, "[", ", ", "]", args)
		}
		if !Orderable(t) {
			return Result{}, errs.New("DATATYPE_MISMATCH.INVALID_ORDERING_TYPE", "sqlExpr", "", "functionName", "`"+strings.ToLower(name)+"`", "dataType", quoted(t))
		}
		r := Result{Args: make([]*types.Type, len(args)), Type: t, Nullable: true, Deterministic: true}
		for i, a := range args {
			r.Args[i] = t
			r.Nullable = r.Nullable && (a.Nullable || CastNullable(a.Type, t))
		}
		return r, nil
	}
}

// greatestType is the common type without converting strings.
func greatestType(c *Context, args []Arg) (*types.Type, bool) {
	t := args[0].Type
	for _, a := range args[1:] {
		strings := t.Kind == types.KindString || a.Type.Kind == types.KindString
		if strings && t.Kind != a.Type.Kind && t.Kind != types.KindNull && a.Type.Kind != types.KindNull {
			return nil, false
		}
		u, ok := CommonType(c, t, a.Type)
		if !ok {
			return nil, false
		}
		t = u
	}
	return t, true
}
