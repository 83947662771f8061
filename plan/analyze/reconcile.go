package analyze

import (
	"strings"

	"millrace/errs"
	"millrace/plan"
	"millrace/plan/fn"
	"millrace/types"
)

// reconcile is a value as df.to(schema) takes it: fields of structs are found by their names at any depth, and what is not nested is cast
// where a table's column would take it. path names the column or field, from the outermost on.
func (a *analyzer) reconcile(e plan.Expr, path []string, to *types.Type, nullable bool) (plan.Expr, error) {
	from := plan.TypeOf(e)
	if plan.IsNullable(e) && !nullable {
		return nil, errs.New("NULLABLE_COLUMN_OR_FIELD", "name", types.QuoteParts(path...))
	}
	if from.Equal(to) {
		return e, nil
	}
	switch {
	case from.Kind != to.Kind || !from.IsNested():
		if !fn.CanAssign(from, to) {
			return nil, errs.New("INVALID_COLUMN_OR_FIELD_DATA_TYPE", "name", types.QuoteParts(path...), "type", `"`+from.SQL()+`"`, "expectedType", `"`+to.SQL()+`"`)
		}
		if from.SameData(to) {
			return e, nil
		}
		return &plan.Cast{Child: e, To: to, Mode: plan.ModeANSI, Implicit: true}, nil
	case from.Kind == types.KindStruct:
		return a.reconcileStruct(e, path, to)
	case from.ElemNull && !to.ElemNull:
		return nil, errs.New("NOT_NULL_CONSTRAINT_VIOLATION."+map[types.Kind]string{types.KindArray: "ARRAY_ELEMENT", types.KindMap: "MAP_VALUE"}[from.Kind],
			"columnPath", types.QuoteParts(path...))
	case from.Kind == types.KindArray:
		return a.reconcileElements(e, append(path, "element"), to.Elem, to.ElemNull)
	}
	keys, err := a.apply("map_keys", nil, e)
	if err != nil {
		return nil, err
	}
	values, err := a.apply("map_values", nil, e)
	if err != nil {
		return nil, err
	}
	newKeys, err := a.reconcileElements(keys, append(path, "key"), to.Key, false)
	if err != nil {
		return nil, err
	}
	newValues, err := a.reconcileElements(values, append(path, "value"), to.Elem, to.ElemNull)
	if err != nil {
		return nil, err
	}
	return a.apply("map_from_arrays", nil, newKeys, newValues)
}

// reconcileElements reconciles each element of an array.
func (a *analyzer) reconcileElements(e plan.Expr, path []string, to *types.Type, nullable bool) (plan.Expr, error) {
	return a.eachElement(e, func(x plan.Expr) (plan.Expr, error) { return a.reconcile(x, path, to, nullable) })
}

// eachElement is an array with what becomes of each element; the array itself where nothing does.
func (a *analyzer) eachElement(e plan.Expr, become func(x plan.Expr) (plan.Expr, error)) (plan.Expr, error) {
	t := plan.TypeOf(e)
	a.lambdas++
	x := &plan.LambdaVar{Name: "x", ID: a.lambdas, T: t.Elem, Null: t.ElemNull}
	body, err := become(x)
	if err != nil || body == plan.Expr(x) {
		return e, err
	}
	return &plan.Call{Name: "transform", Args: []plan.Expr{e, &plan.Lambda{Params: []*plan.LambdaVar{x}, Body: body}},
		T: types.ArrayOf(plan.TypeOf(body), plan.IsNullable(body)), Null: plan.IsNullable(e), Mode: a.conf.mode()}, nil
}

// reconcileStruct gives a struct the fields of another, in that one's order; those that are not there are null.
func (a *analyzer) reconcileStruct(e plan.Expr, path []string, to *types.Type) (plan.Expr, error) {
	from := plan.TypeOf(e)
	names, values := make([]string, len(to.Fields)), make([]plan.Expr, len(to.Fields))
	for i, f := range to.Fields {
		place, count := -1, 0
		for k, g := range from.Fields {
			if a.same(g.Name, f.Name) {
				place, count = k, count+1
			}
		}
		names[i] = f.Name
		switch {
		case count > 1:
			return nil, errs.New("AMBIGUOUS_COLUMN_OR_FIELD", "name", types.QuoteParts(append(path, f.Name)...), "n", itoa(count))
		case count == 0 && !f.Nullable:
			fields := make([]string, len(from.Fields))
			for k, g := range from.Fields {
				fields[k] = types.Quote(g.Name)
			}
			return nil, errs.New("UNRESOLVED_FIELD.WITH_SUGGESTION", "fieldName", types.Quote(f.Name), "columnPath", types.QuoteParts(path...), "proposal", join(fields))
		case count == 0:
			values[i] = &plan.Literal{T: f.Type}
			continue
		}
		g := from.Fields[place]
		var err error
		if values[i], err = a.reconcile(fieldOf(e, place), append(path, g.Name), f.Type, f.Nullable); err != nil {
			return nil, err
		}
	}
	return a.unlessNull(e, a.structOf(names, values)), nil
}

// likeStruct orders the fields of structs in a value, at any depth, as another type has them, and adds those that are not there as nulls if
// that is allowed: this is how unionByName pairs structs. Fields that the other type lacks come last.
func (a *analyzer) likeStruct(e plan.Expr, other *types.Type, missing bool) (plan.Expr, error) {
	t := plan.TypeOf(e)
	switch {
	case t.Kind != other.Kind:
		return e, nil
	case t.Kind == types.KindArray:
		return a.eachElement(e, func(x plan.Expr) (plan.Expr, error) { return a.likeStruct(x, other.Elem, missing) })
	case t.Kind != types.KindStruct || t.SameData(other):
		return e, nil
	}
	var names []string
	var values []plan.Expr
	used := make([]bool, len(t.Fields))
	for _, g := range other.Fields {
		i, err := a.ordinal(t, g.Name)
		if missing && errs.ConditionOf(err) == "FIELD_NOT_FOUND" {
			names, values = append(names, g.Name), append(values, &plan.Literal{T: g.Type})
			continue
		}
		if err != nil {
			return nil, err
		}
		used[i] = true
		value, err := a.likeStruct(fieldOf(e, i), g.Type, missing)
		if err != nil {
			return nil, err
		}
		names, values = append(names, g.Name), append(values, value)
	}
	for i, f := range t.Fields {
		if !used[i] {
			names, values = append(names, f.Name), append(values, fieldOf(e, i))
		}
	}
	return a.unlessNull(e, a.structOf(names, values)), nil
}

// fieldOf is a field of a struct, nullable as the field itself is: unlessNull takes care of structs that are null.
func fieldOf(e plan.Expr, i int) plan.Expr {
	f := plan.TypeOf(e).Fields[i]
	return &plan.Call{Name: "field", Args: []plan.Expr{e, plan.Int(int64(i))}, T: f.Type, Null: f.Nullable}
}

// unresolvedOf is an error of a name that is none of the columns, which it proposes in their own order.
func unresolvedOf(out []*plan.Attribute, name string) error {
	names := make([]string, len(out))
	for i, c := range out {
		names[i] = types.Quote(c.Name)
	}
	return errs.New("UNRESOLVED_COLUMN.WITH_SUGGESTION", "objectName", types.Quote(name), "proposal", strings.Join(names, ", "))
}
