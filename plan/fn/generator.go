package fn

import (
	"millrace/errs"
	"millrace/types"
)

// Generators make rows. The type of a call is a struct of the columns that it makes; the options say how it is run.
func init() {
	for _, g := range []struct {
		name     string
		resolve  func(*Context, []Arg) (Result, error)
		position bool
	}{{"explode", explode, false}, {"posexplode", explode, true}, {"inline", inline, false}} {
		plain, outer := withRows(g.resolve, g.position, false), withRows(g.resolve, g.position, true)
		Register(&Func{Names: []string{g.name}, Kind: Generator, Min: 1, Max: 1, Resolve: plain},
			&Func{Names: []string{g.name + "_outer"}, Kind: Generator, Min: 1, Max: 1, Resolve: outer})
	}
	Register(&Func{Names: []string{"stack"}, Kind: Generator, Min: 2, Max: -1, Resolve: stack},
		&Func{Names: []string{"json_tuple"}, Kind: Generator, Min: 2, Max: -1, Resolve: jsonTuple})
}

// withRows adds the place of each element, and the options.
func withRows(resolve func(*Context, []Arg) (Result, error), position, outer bool) func(*Context, []Arg) (Result, error) {
	return func(c *Context, args []Arg) (Result, error) {
		r, err := resolve(c, args)
		if err != nil {
			return r, err
		}
		if position {
			r.Options["position"] = "true"
			r.Type = types.Struct(append([]types.Field{{Name: "pos", Type: types.Integer}}, r.Type.Fields...)...)
		}
		if outer {
			r.Options["outer"] = "true"
			fields := append([]types.Field(nil), r.Type.Fields...)
			for i := range fields {
				fields[i].Nullable = true
			}
			r.Type = types.Struct(fields...)
		}
		return r, nil
	}
}

func rowsOf(kind string, fields ...types.Field) (Result, error) {
	return Result{Type: types.Struct(fields...), Options: map[string]string{"rows": kind}, Deterministic: true}, nil
}

func explode(_ *Context, args []Arg) (Result, error) {
	switch t := args[0].Type; t.Kind {
	case types.KindArray:
		return rowsOf("explode", types.Field{Name: "col", Type: t.Elem, Nullable: t.ElemNull})
	case types.KindMap:
		return rowsOf("explode", types.Field{Name: "key", Type: t.Key}, types.Field{Name: "value", Type: t.Elem, Nullable: t.ElemNull})
	}
	return Result{}, unexpected("explode", args, 0, `("ARRAY" or "MAP")`)
}

func inline(_ *Context, args []Arg) (Result, error) {
	t := args[0].Type
	if t.Kind != types.KindArray || t.Elem.Kind != types.KindStruct {
		return Result{}, unexpected("inline", args, 0, `"ARRAY<STRUCT>"`)
	}
	fields := append([]types.Field(nil), t.Elem.Fields...)
	for i := range fields {
		fields[i].Nullable = fields[i].Nullable || t.ElemNull
	}
	return rowsOf("inline", fields...)
}

// stack lays its arguments out in rows: column i holds arguments i, i+width, …, which must be of one type.
func stack(_ *Context, args []Arg) (Result, error) {
	if !args[0].IsConst {
		return Result{}, errs.New("DATATYPE_MISMATCH.NON_FOLDABLE_INPUT", "sqlExpr", "", "inputName", "`n`", "inputType", `"INT"`, "inputExpr", `"`+args[0].SQL+`"`)
	}
	n, ok := args[0].Const.(int64)
	switch {
	case args[0].Type.Kind == types.KindNull || args[0].Const == nil:
		return Result{}, errs.New("DATATYPE_MISMATCH.UNEXPECTED_NULL", "sqlExpr", "", "exprName", "`n`")
	case args[0].Type.Kind != types.KindInteger || !ok:
		return Result{}, unexpected("stack", args, 0, `"INT"`)
	case n <= 0:
		return Result{}, errs.New("DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE", "sqlExpr", "", "exprName", "`n`", "valueRange", "(0, 2147483647]", "currentValue", itoa64(n))
	}
	values := args[1:]
	width := (len(values) + int(min(n, int64(len(values)))) - 1) / int(min(n, int64(len(values))))
	fields := make([]types.Field, width)
	casts := make([]*types.Type, len(args))
	for i := range fields {
		f := types.Field{Name: "col" + itoa(i), Type: types.Null, Nullable: int64(len(values)) < n*int64(width)}
		first := -1
		for k := i; k < len(values); k += width {
			f.Nullable = f.Nullable || values[k].Nullable
			switch t := values[k].Type; {
			case t.Kind == types.KindNull:
			case f.Type.Kind == types.KindNull:
				f.Type, first = t, k
			case !f.Type.SameData(t):
				return Result{}, errs.New("DATATYPE_MISMATCH.STACK_COLUMN_DIFF_TYPES", "sqlExpr", "", "columnIndex", itoa(i),
					"leftParamIndex", itoa(first+1), "leftType", quoted(f.Type), "rightParamIndex", itoa(k+1), "rightType", quoted(t))
			}
		}
		for k := i; k < len(values); k += width {
			casts[k+1] = f.Type
		}
		fields[i] = f
	}
	r, err := rowsOf("stack", fields...)
	r.Args = casts
	return r, err
}

func itoa64(n int64) string {
	if n < 0 {
		return "-" + itoa(int(-n))
	}
	return itoa(int(n))
}

// jsonTuple makes one row: the values of a JSON object's fields, which its other arguments name.
func jsonTuple(_ *Context, args []Arg) (Result, error) {
	fields := make([]types.Field, len(args)-1)
	for i, a := range args {
		if a.Type.Kind != types.KindString {
			return Result{}, errs.New("DATATYPE_MISMATCH.NON_STRING_TYPE", "sqlExpr", "", "funcName", "`json_tuple`")
		}
		if i > 0 {
			fields[i-1] = types.Field{Name: "c" + itoa(i-1), Type: types.String, Nullable: true}
		}
	}
	return rowsOf("one", fields...)
}
