package fn

import (
	"errors"
	"strings"

	"millrace/errs"
	"millrace/types"
)

// WithSQL puts the text of the whole call into an error of a signature, which does not know it: signatures leave sqlExpr empty.
func WithSQL(err error, sqlExpr string) error {
	var e *errs.Error
	if !errors.As(err, &e) || e.Params == nil || e.Params["sqlExpr"] != "" {
		return err
	}
	if _, has := e.Params["sqlExpr"]; !has {
		return err
	}
	params := []string{"sqlExpr", `"` + sqlExpr + `"`}
	for name, value := range e.Params {
		if name != "sqlExpr" {
			params = append(params, name, value)
		}
	}
	return errs.New(e.Condition, params...)
}

// AnyNullable reports whether an argument may be null after its conversion.
func AnyNullable(args []Arg, casts []*types.Type) bool {
	for i, a := range args {
		if a.Nullable || i < len(casts) && casts[i] != nil && CastNullable(a.Type, casts[i]) {
			return true
		}
	}
	return false
}

// strict is a pure call that is null when an argument is; sometimes: also when none is.
func strict(args []Arg, t *types.Type, sometimes bool, casts ...*types.Type) (Result, error) {
	return Result{Args: casts, Type: t, Nullable: sometimes || AnyNullable(args, casts), Deterministic: true}, nil
}

// Fixed is the signature of a function whose parameters have fixed types, to which arguments are converted implicitly. Nullable
// when an argument is, or always if sometimes is set.
func Fixed(out *types.Type, sometimes bool, params ...*types.Type) func(*Context, []Arg) (Result, error) {
	return func(c *Context, args []Arg) (Result, error) {
		casts, err := Convert(c, args, params...)
		if err != nil {
			return Result{}, err
		}
		return strict(args, out, sometimes, casts...)
	}
}

// Convert gives the conversions of arguments to parameters, of which the last stands for all further ones; a nil parameter takes anything.
func Convert(c *Context, args []Arg, params ...*types.Type) ([]*types.Type, error) {
	casts := make([]*types.Type, len(args))
	for i, a := range args {
		p := params[min(i, len(params)-1)]
		if p == nil {
			continue
		}
		t, ok := ImplicitCast(c, a.Type, p)
		if !ok || t == nil {
			return nil, unexpected("", args, i, quoted(p))
		}
		casts[i] = t
	}
	return casts, nil
}

// OneOf converts argument i to the first of the types that it can become, staying as it is if it is of one of their kinds.
func OneOf(c *Context, args []Arg, i int, params ...*types.Type) (*types.Type, error) {
	t := args[i].Type
	for _, p := range params {
		if t.Kind == p.Kind {
			return t, nil
		}
	}
	for _, p := range params {
		if u, ok := ImplicitCast(c, t, p); ok {
			return u, nil
		}
	}
	names := make([]string, len(params))
	for k, p := range params {
		names[k] = quoted(p)
	}
	return nil, unexpected("", args, i, "("+strings.Join(names, " or ")+")")
}

// dataDiffTypes is the error of arguments that should be of one type; open and close bracket the list, sep separates.
func dataDiffTypes(name, open, sep, closing string, args []Arg) error {
	names := make([]string, len(args))
	for i, a := range args {
		names[i] = quoted(a.Type)
	}
	return errs.New("DATATYPE_MISMATCH.DATA_DIFF_TYPES", "sqlExpr", "", "functionName", "`"+name+"`", "dataType", open+strings.Join(names, sep)+closing)
}
