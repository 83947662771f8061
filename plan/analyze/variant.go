package analyze

import (
	"strings"

	"millrace/errs"
	"millrace/plan"
	"millrace/types"
)

// variantGenerators are the functions that list a variant's parts, which stand in FROM only, with what makes rows of the list.
var variantGenerators = map[string]string{"variant_explode": "inline", "variant_explode_outer": "inline_outer"}

// variantItems is what lists the parts; no text can name it. Its second argument is the function that was called.
const variantItems = "variant items"

func notScalar(_ *analyzer, _ *scope, u *plan.UnresolvedFunction) (plan.Expr, error) {
	return nil, errs.New("NOT_A_SCALAR_FUNCTION", "functionName", types.QuoteParts(u.Name...))
}

// variantExplode is the call of a generator that stands for a call of variant_explode in FROM.
func variantExplode(n *plan.UnresolvedTVF, rows string) (*plan.UnresolvedFunction, error) {
	name := strings.ToLower(n.Name[len(n.Name)-1])
	if len(n.Args) != 1 {
		return nil, wrongArgs([]string{name}, 1, 1, len(n.Args))
	}
	arg := n.Args[0]
	if named, ok := arg.(*plan.NamedArg); ok && strings.EqualFold(named.Name, "input") {
		arg = named.Value
	}
	items := &plan.UnresolvedFunction{Name: []string{variantItems}, Args: []plan.Expr{arg, plan.Str(name)}, Origin: n.Origin}
	return &plan.UnresolvedFunction{Name: []string{rows}, Args: []plan.Expr{items}, Origin: n.Origin}, nil
}

func (a *analyzer) variantItems(s *scope, u *plan.UnresolvedFunction) (plan.Expr, error) {
	if len(u.Args) != 2 {
		return nil, errs.New("UNRESOLVED_ROUTINE", "routineName", "`"+variantItems+"`", "searchPath", "[]")
	}
	v, err := a.expr(s, u.Args[0])
	if err != nil {
		return nil, err
	}
	if t := plan.TypeOf(v); t.Kind != types.KindVariant && t.Kind != types.KindNull {
		called := Pretty(u.Args[1]) + "(" + Pretty(v) + ")"
		return nil, errs.New("DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE", "sqlExpr", `"`+called+`"`, "paramIndex", "first", "inputSql", SQL(v),
			"inputType", `"`+t.SQL()+`"`, "requiredType", `"VARIANT"`)
	}
	item := types.Struct(types.Field{Name: "pos", Type: types.Integer}, types.Field{Name: "key", Type: types.String, Nullable: true},
		types.Field{Name: "value", Type: types.Variant})
	return &plan.Call{Name: "variant_items", Args: []plan.Expr{a.castTo(v, types.Variant)}, T: types.ArrayOf(item, false), Null: plan.IsNullable(v)}, nil
}

// variantPath is v:a.b[0], which is variant_get without a type. Its arguments are the variant, the path and the name that a column of it gets.
func (a *analyzer) variantPath(s *scope, u *plan.UnresolvedFunction) (plan.Expr, error) {
	if len(u.Args) != 3 {
		return nil, errs.New("UNRESOLVED_ROUTINE", "routineName", "`:`", "searchPath", "[]")
	}
	v, err := a.expr(s, u.Args[0])
	if err != nil {
		return nil, err
	}
	if plan.TypeOf(v).Kind != types.KindVariant {
		return nil, errs.Newf(errs.Invalid, "%s is not a variant: only of variants a path can be taken by a colon.", SQL(v))
	}
	c, err := a.apply("variant_get", u.Origin, v, u.Args[1])
	if err != nil {
		return nil, err
	}
	if name, ok := nameOf(u, nil); ok {
		c.Pretty = Pretty(c) + " AS " + types.QuoteIfNeeded(name)
	}
	return c, nil
}
