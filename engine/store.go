package engine

import (
	"strings"

	"millrace/errs"
	"millrace/plan"
	"millrace/plan/fn"
	"millrace/types"
)

// store is a column as a table's column of a type takes it: cast where Delta casts on write, else as it is, for Evolve to judge.
func (st *statement) store(a *plan.Attribute, f types.Field, byPosition bool) (plan.Expr, error) {
	to := storedAs(a.T, f.Type, byPosition)
	if a.T.SameData(to) {
		return a, nil
	}
	mode := plan.ModeANSI
	if strings.EqualFold(st.s.Conf.Get("spark.sql.storeAssignmentPolicy"), "legacy") {
		mode = plan.ModeLegacy
	}
	if !fn.CanCast(mode == plan.ModeANSI, a.T, to) {
		return nil, errs.New("DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION", "sqlExpr", `"`+a.Name+`"`, "srcType", `"`+a.T.SQL()+`"`, "targetType", `"`+to.SQL()+`"`)
	}
	return &plan.Cast{Child: a, To: to, Mode: mode, Implicit: true, Column: f.Name}, nil
}

// named gives an expression a column's name.
func named(e plan.Expr, name string, id func() plan.ID) plan.Expr {
	if a, ok := e.(*plan.Attribute); ok && a.Name == name {
		return a
	}
	return &plan.Alias{Child: e, Names: []string{name}, ID: id()}
}

// storedAs is the type to which a write casts values for a column of a type. Structs with other fields stay as they are.
func storedAs(from, column *types.Type, byPosition bool) *types.Type {
	switch {
	case from.Kind != column.Kind || !from.IsNested():
		return column
	case from.Kind == types.KindArray:
		elem := storedAs(from.Elem, column.Elem, byPosition)
		return types.ArrayOf(elem, from.ElemNull || fn.CastNullable(from.Elem, elem))
	case from.Kind == types.KindMap:
		elem := storedAs(from.Elem, column.Elem, byPosition)
		return types.MapOf(storedAs(from.Key, column.Key, byPosition), elem, from.ElemNull || fn.CastNullable(from.Elem, elem))
	case len(from.Fields) != len(column.Fields):
		return from
	}
	to := types.Struct()
	for i, f := range from.Fields {
		g := column.Fields[i]
		if !byPosition && !strings.EqualFold(f.Name, g.Name) {
			return from
		}
		g.Type = storedAs(f.Type, g.Type, byPosition)
		g.Nullable = f.Nullable || fn.CastNullable(f.Type, g.Type)
		to.Fields = append(to.Fields, g)
	}
	return to
}
