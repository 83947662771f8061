package analyze

import (
	"strings"

	"millrace/errs"
	"millrace/plan"
	"millrace/types"
)

// expr resolves an expression. Aliases inside it are dropped.
func (a *analyzer) expr(s *scope, e plan.Expr) (plan.Expr, error) {
	switch e := e.(type) {
	case *plan.UnresolvedAttribute:
		return a.column(s, e)
	case *plan.UnresolvedFunction:
		return a.call(s, e)
	case *plan.Alias:
		return a.expr(s, e.Child)
	case *plan.Cast:
		return a.cast(s, e)
	case *plan.SortOrder:
		child, err := a.expr(s, e.Child)
		if err != nil {
			return nil, err
		}
		o := *e
		o.Child = child
		return &o, nil
	case *plan.Window:
		return a.window(s, e)
	case *plan.Subquery:
		return a.subquery(s, e)
	case *plan.UpdateFields:
		return a.updateFields(s, e)
	case *plan.Parameter:
		return a.parameter(s, e)
	case *plan.UnresolvedStar:
		return nil, at(errs.New("INVALID_USAGE_OF_STAR_OR_REGEX", "elem", "'*'", "prettyName", "expression"), e.Origin)
	case *plan.Lambda:
		return nil, errs.New("INVALID_LAMBDA_FUNCTION_CALL.NON_HIGHER_ORDER_FUNCTION", "class", "lambda")
	case *plan.NamedArg:
		return nil, errs.Unsupportedf("the named argument %s is not supported here", types.Quote(e.Name))
	case *plan.PythonUDF:
		c, err := a.pythonCall(s, e)
		return c, at(err, e.Origin)
	case *plan.Call:
		return a.argumentsOf(s, e)
	}
	return e, nil
}

func (a *analyzer) exprs(s *scope, list []plan.Expr) ([]plan.Expr, error) {
	out := make([]plan.Expr, len(list))
	for i, e := range list {
		var err error
		if out[i], err = a.expr(s, e); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (a *analyzer) parameter(s *scope, p *plan.Parameter) (plan.Expr, error) {
	name := p.Name
	if name != "" {
		if v, ok := a.conf.Parameters[name]; ok {
			return a.expr(s, v)
		}
	} else if p.Index < len(a.conf.Positional) {
		return a.expr(s, a.conf.Positional[p.Index])
	}
	if name == "" {
		name = "_" + itoa(p.Index)
	}
	return nil, at(errs.New("UNBOUND_SQL_PARAMETER", "name", name), p.Origin)
}

// originOf is where an expression was written, if it or its first part says so.
func originOf(e plan.Expr) *plan.Origin {
	for e != nil {
		var o *plan.Origin
		switch e := e.(type) {
		case *plan.UnresolvedAttribute:
			o = e.Origin
		case *plan.UnresolvedFunction:
			o = e.Origin
		case *plan.PythonUDF:
			o = e.Origin
		case *plan.Literal:
			o = e.Origin
		case *plan.Cast:
			o = e.Origin
		case *plan.Subquery:
			o = e.Origin
		case *plan.Call:
			o = e.Origin
		}
		children := e.Children()
		if o != nil || len(children) == 0 {
			return o
		}
		e = children[0]
	}
	return nil
}

// castTo converts an expression where its type differs.
func (a *analyzer) castTo(e plan.Expr, t *types.Type) plan.Expr {
	from := plan.TypeOf(e)
	if t == nil || from == nil || from.SameData(t) {
		return e
	}
	if l, ok := e.(*plan.Literal); ok && l.Value == nil {
		return &plan.Literal{T: t, Origin: l.Origin}
	}
	return &plan.Cast{Child: e, To: t, Mode: a.conf.mode(), Implicit: true}
}

// boolean demands a boolean; a null is one.
func (a *analyzer) boolean(e plan.Expr) (plan.Expr, bool) {
	switch plan.TypeOf(e).Kind {
	case types.KindBoolean:
		return e, true
	case types.KindNull:
		return a.castTo(e, types.Boolean), true
	}
	return e, false
}

// extract takes a field of a struct, an element of an array or a value of a map.
func (a *analyzer) extract(e, key plan.Expr) (plan.Expr, error) {
	t := plan.TypeOf(e)
	if t == nil {
		return nil, errs.Newf(errs.Internal, "the type of %s is not known", Pretty(e))
	}
	lit, _ := key.(*plan.Literal)
	isName := lit != nil && lit.T.Kind == types.KindString && lit.Value != nil
	switch {
	case t.Kind == types.KindStruct && isName:
		return a.field(e, lit.Value.(string))
	case t.Kind == types.KindArray && t.Elem.Kind == types.KindStruct && isName:
		return a.fieldOfElements(e, lit.Value.(string))
	case t.Kind == types.KindArray:
		if !plan.TypeOf(key).IsIntegral() {
			return nil, errs.New("DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE", "sqlExpr", SQL(&plan.Call{Name: "[]", Args: []plan.Expr{e, key}}),
				"paramIndex", "second", "inputSql", SQL(key), "inputType", `"`+plan.TypeOf(key).SQL()+`"`, "requiredType", `"INTEGRAL"`)
		}
		null := !a.conf.ANSI || lit != nil || t.ElemNull || plan.IsNullable(e) || plan.IsNullable(key)
		return &plan.Call{Name: "[]", Args: []plan.Expr{e, key}, T: t.Elem, Null: null, Mode: a.conf.mode()}, nil
	case t.Kind == types.KindMap && (collated(t.Key) != nil || collated(plan.TypeOf(key)) != nil):
		return a.collatedValue(e, key, isName)
	case t.Kind == types.KindMap:
		return &plan.Call{Name: "[]", Args: []plan.Expr{e, a.castTo(key, t.Key)}, T: t.Elem, Null: true, Mode: a.conf.mode()}, nil
	case t.Kind == types.KindStruct:
		return nil, errs.New("INVALID_EXTRACT_FIELD_TYPE", "extraction", SQL(key))
	case t.Kind == types.KindNull && isName:
		return &plan.Call{Name: "always_null", Args: []plan.Expr{e}, T: types.Null, Null: true, Pretty: Pretty(e) + "." + lit.Value.(string)}, nil
	case t.Kind == types.KindNull:
		return &plan.Call{Name: "always_null", Args: []plan.Expr{e}, T: types.Null, Null: true, Pretty: Pretty(e) + "[" + Pretty(key) + "]"}, nil
	}
	return nil, errs.New("INVALID_EXTRACT_BASE_FIELD_TYPE", "base", SQL(e), "other", `"`+t.SQL()+`"`)
}

// field is the member of a struct: the call field(struct, ordinal).
func (a *analyzer) field(e plan.Expr, name string) (plan.Expr, error) {
	t := plan.TypeOf(e)
	i, err := a.ordinal(t, name)
	if err != nil {
		return nil, err
	}
	f := t.Fields[i]
	return &plan.Call{Name: "field", Args: []plan.Expr{e, plan.Int(int64(i))}, T: f.Type, Null: f.Nullable || plan.IsNullable(e),
		Pretty: Pretty(e) + "." + f.Name}, nil
}

func (a *analyzer) fieldOfElements(e plan.Expr, name string) (plan.Expr, error) {
	t := plan.TypeOf(e)
	i, err := a.ordinal(t.Elem, name)
	if err != nil {
		return nil, err
	}
	f := t.Elem.Fields[i]
	return &plan.Call{Name: "element_fields", Args: []plan.Expr{e, plan.Int(int64(i))}, T: types.ArrayOf(f.Type, t.ElemNull || f.Nullable),
		Null: plan.IsNullable(e), Pretty: Pretty(e) + "." + f.Name}, nil
}

func (a *analyzer) ordinal(t *types.Type, name string) (int, error) {
	found, count := -1, 0
	for i, f := range t.Fields {
		if a.same(f.Name, name) {
			found, count = i, count+1
		}
	}
	switch count {
	case 1:
		return found, nil
	case 0:
		names := make([]string, len(t.Fields))
		for i, f := range t.Fields {
			names[i] = types.Quote(f.Name)
		}
		return 0, errs.New("FIELD_NOT_FOUND", "fieldName", types.Quote(name), "fields", join(names))
	}
	return 0, errs.New("AMBIGUOUS_REFERENCE_TO_FIELDS", "field", types.Quote(name), "count", itoa(count))
}

// updateFields makes a struct anew with one field set, added or dropped; a null struct stays null.
func (a *analyzer) updateFields(s *scope, u *plan.UpdateFields) (plan.Expr, error) {
	e, err := a.expr(s, u.Struct)
	if err != nil {
		return nil, err
	}
	path := splitName(u.Field)
	operation := "dropfield()"
	if u.Value != nil {
		v, err := a.expr(s, u.Value)
		if err != nil {
			return nil, err
		}
		operation = "WithField(" + Pretty(v) + ")"
	}
	for i := len(path) - 1; i > 0; i-- {
		operation = "WithField(update_fields(" + Pretty(e) + "." + strings.Join(path[:i], ".") + ", " + operation + "))"
	}
	shown := "update_fields(" + Pretty(e) + ", " + operation + ")"
	updated, err := a.setField(s, e, path, u.Value)
	if t := plan.TypeOf(e); errs.ConditionOf(err) == "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE" && t.Kind != types.KindStruct {
		return nil, errs.New("DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE", "sqlExpr", `"`+shown+`"`, "paramIndex", "first", "inputSql", SQL(e),
			"inputType", `"`+t.SQL()+`"`, "requiredType", `"STRUCT"`)
	}
	if err != nil {
		return nil, err
	}
	updated.(*plan.Call).Pretty = shown
	return updated, nil
}

func (a *analyzer) setField(s *scope, e plan.Expr, path []string, value plan.Expr) (plan.Expr, error) {
	t := plan.TypeOf(e)
	if t.Kind != types.KindStruct {
		return nil, errs.New("DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE", "sqlExpr", SQL(e), "paramIndex", "first", "inputSql", SQL(e),
			"inputType", `"`+t.SQL()+`"`, "requiredType", `"STRUCT"`)
	}
	var names []string
	var values []plan.Expr
	found := false
	for _, f := range t.Fields {
		old, err := a.field(e, f.Name)
		if err != nil {
			return nil, err
		}
		if a.same(f.Name, path[0]) {
			found = true
			if old, err = a.newField(s, old, path[1:], value); err != nil {
				return nil, err
			}
			if old == nil {
				continue
			}
		}
		names, values = append(names, f.Name), append(values, old)
	}
	if !found && value != nil {
		if len(path) > 1 {
			_, err := a.field(e, path[0])
			return nil, err
		}
		v, err := a.expr(s, value)
		if err != nil {
			return nil, err
		}
		names, values = append(names, path[0]), append(values, v)
	}
	if len(values) == 0 {
		return nil, errs.New("DATATYPE_MISMATCH.CANNOT_DROP_ALL_FIELDS", "sqlExpr", SQL(e))
	}
	return a.unlessNull(e, a.structOf(names, values)), nil
}

// newField is a field's new value; nil drops it.
func (a *analyzer) newField(s *scope, old plan.Expr, path []string, value plan.Expr) (plan.Expr, error) {
	if len(path) > 0 {
		return a.setField(s, old, path, value)
	}
	if value == nil {
		return nil, nil
	}
	return a.expr(s, value)
}

// unlessNull is e where of is not null, and null where it is.
func (a *analyzer) unlessNull(of, e plan.Expr) plan.Expr {
	if !plan.IsNullable(of) {
		return e
	}
	null := &plan.Literal{T: plan.TypeOf(e)}
	isNull := &plan.Call{Name: "isnull", Args: []plan.Expr{of}, T: types.Boolean}
	return &plan.Call{Name: "case", Args: []plan.Expr{isNull, null, e}, T: plan.TypeOf(e), Null: true}
}

// structOf makes a struct of named values.
func (a *analyzer) structOf(names []string, values []plan.Expr) *plan.Call {
	fields := make([]types.Field, len(values))
	for i, v := range values {
		fields[i] = types.Field{Name: names[i], Type: plan.TypeOf(v), Nullable: plan.IsNullable(v)}
	}
	return &plan.Call{Name: "struct", Args: values, T: types.Struct(fields...)}
}
