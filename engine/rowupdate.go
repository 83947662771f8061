package engine

import (
	"strings"

	"millrace/delta"
	"millrace/errs"
	"millrace/plan"
	"millrace/plan/analyze"
	"millrace/plan/fn"
	"millrace/session"
	"millrace/sql"
	"millrace/types"
)

func (st *statement) update(u *plan.Update) (session.Result, error) {
	c, _, err := st.changeRows("UPDATE", u.Target)
	if err != nil {
		return nil, err
	}
	if done, err := c.repeated(); done || err != nil {
		return affected(st, 0, err)
	}
	cond := plan.Expr(nil)
	if u.Condition != nil {
		if cond, err = c.condition(u.Condition, c.plain); err != nil {
			return nil, err
		}
		if hasSubquery(cond) {
			return nil, errs.New("DELTA_UNSUPPORTED_SUBQUERY", "operation", "UPDATE", "cond", analyze.Pretty(cond))
		}
	}
	set, err := c.assignments(u.Columns, u.Values, c.plain)
	if err != nil {
		return nil, err
	}
	if err := c.checkGiven(set, true); err != nil {
		return nil, err
	}
	var params []delta.Param
	if cond != nil {
		params = append(params, delta.Param{Name: "predicate", Value: predicates(cond)})
	}
	c.info = delta.Info("UPDATE", params...)
	in := c.rows
	c.rowLevel = !hasSubquery(cond)
	if cond != nil {
		c.where = both(c.targetOnly(cond)...)
		in = &plan.Filter{Input: in, Condition: cond}
	}
	q := &plan.Project{Input: in, Exprs: c.head(plan.Int(opUpdate))}
	values, err := c.updated(set)
	if err != nil {
		return nil, err
	}
	for i, v := range values {
		c.rowLevel = c.rowLevel && !hasSubquery(v)
		q.Exprs = append(q.Exprs, &plan.Alias{Child: v, Names: []string{c.schema.Fields[i].Name}, ID: c.id()})
	}
	q.Exprs = append(q.Exprs, c.tracked(true)...)
	if c.feeds() {
		q.Exprs = append(q.Exprs, exprs(c.columns)...)
	}
	checked, err := c.checked(q, len(values))
	if err != nil {
		return nil, err
	}
	r, err := c.run(checked, len(values))
	if err != nil || r.touched() == 0 {
		return affected(st, 0, err)
	}
	return affected(st, r.counts[opUpdate], c.commit(r, updateMetrics))
}

// assignment is what UPDATE SET gives to a column: a value, or values for some of its fields.
type assignment struct {
	value  plan.Expr
	name   string
	fields []*assignment
}

func (a *assignment) field(name string) *assignment {
	for _, f := range a.fields {
		if strings.EqualFold(f.name, name) {
			return f
		}
	}
	f := &assignment{name: name}
	a.fields = append(a.fields, f)
	return f
}

// assignments resolves SET clauses over a relation, into a tree below the table's columns.
func (c *rowChange) assignments(columns, values []plan.Expr, over plan.Node) (*assignment, error) {
	root := &assignment{}
	for i, col := range columns {
		path, err := c.path(col)
		if err != nil {
			return nil, c.inClause(err, col, c.plain)
		}
		at := root
		for _, name := range path {
			if at.value != nil {
				return nil, conflicting(columns, path)
			}
			at = at.field(name)
		}
		if at.value != nil || len(at.fields) > 0 {
			return nil, conflicting(columns, path)
		}
		if at.value, err = c.assigned(values[i], path, over); err != nil {
			return nil, c.inClause(err, values[i], over)
		}
	}
	return root, nil
}

// inClause gives the error of an unknown name the form of the clause in which it stands.
func (c *rowChange) inClause(err error, e plan.Expr, over plan.Node) error {
	if c.clauseName == "" {
		return err
	}
	return inMerge(err, e, over, c.clauseName)
}

// conflicting is the error of columns of which one is set twice.
func conflicting(columns []plan.Expr, path []string) error {
	var list []string
	for _, col := range columns {
		u, ok := col.(*plan.UnresolvedAttribute)
		if !ok {
			continue
		}
		for q := range u.Parts {
			if strings.EqualFold(u.Parts[q], path[0]) {
				list = append(list, types.Quote(strings.Join(u.Parts[q:], ".")))
				break
			}
		}
	}
	return errs.New("DELTA_CONFLICT_SET_COLUMN", "columnList", "["+strings.Join(list, ", ")+"]")
}

// assigned resolves a value, or DEFAULT.
func (c *rowChange) assigned(e plan.Expr, path []string, over plan.Node) (plan.Expr, error) {
	if _, ok := e.(*plan.DefaultValue); ok {
		f := c.schema.Fields[c.columnNamed(path[0])]
		return c.st.defaultOf(f)
	}
	return c.expression(e, over)
}

// defaultOf is the value of a column that is not given.
func (st *statement) defaultOf(f types.Field) (plan.Expr, error) {
	raw := delta.FieldMetadata(f, "CURRENT_DEFAULT")
	if raw == nil {
		return &plan.Literal{T: f.Type}, nil
	}
	e, err := sql.ParseExpression(delta.Text(raw))
	if err != nil {
		return nil, err
	}
	return analyze.Expression(e, &plan.OneRow{}, st, st.conf())
}

// path is the column, and the fields below it, that an assignment names.
func (c *rowChange) path(col plan.Expr) ([]string, error) {
	u, ok := col.(*plan.UnresolvedAttribute)
	if !ok {
		return nil, errs.Unsupportedf("%s cannot set this expression.", c.operation)
	}
	for q := min(3, len(u.Parts)-1); q >= 0; q-- {
		i := c.columnNamed(u.Parts[q])
		if i < 0 || q > 0 && !c.qualified(u.Parts[:q]) {
			continue
		}
		path := []string{c.schema.Fields[i].Name}
		t := c.schema.Fields[i].Type
		for _, name := range u.Parts[q+1:] {
			if t.Kind != types.KindStruct {
				if t.Kind == types.KindArray || t.Kind == types.KindMap {
					return nil, errs.New("DELTA_UNSUPPORTED_NESTED_FIELD_IN_UPDATE", "optionalPrefixMessage", "")
				}
				return nil, errs.New("DELTA_UNSUPPORTED_FIELD_UPDATE_NON_STRUCT", "columnName", types.QuoteParts(path...), "dataType", t.SQL())
			}
			f, at := t.Field(name, false)
			if at < 0 {
				return nil, errs.New("DELTA_MISSING_COLUMN", "columnName", types.QuoteParts(u.Parts[q:]...), "columnList", strings.Join(t.Names(), ", "))
			}
			path, t = append(path, f.Name), f.Type
		}
		return path, nil
	}
	if _, err := c.expression(col, c.plain); err != nil {
		return nil, err
	}
	return nil, errs.New("DELTA_MISSING_COLUMN", "columnName", types.QuoteParts(u.Parts...), "columnList", strings.Join(c.schema.Names(), ", "))
}

// qualified reports whether parts are an end of the table's name.
func (c *rowChange) qualified(parts []string) bool {
	name := c.plain.(plan.Resolved).Output()[0].Qualifier
	n := len(name) - len(parts)
	if n < 0 {
		return false
	}
	for i, p := range parts {
		if !strings.EqualFold(name[n+i], p) {
			return false
		}
	}
	return true
}

// updated are the values of all columns after assignments.
func (c *rowChange) updated(set *assignment) ([]plan.Expr, error) {
	out := make([]plan.Expr, len(c.schema.Fields))
	for i, f := range c.schema.Fields {
		var err error
		if out[i], err = c.apply(c.current(i), f, find2(set, f.Name), f.Name); err != nil {
			return nil, err
		}
		out[i] = padded(out[i], f)
	}
	return out, c.derived(out, set)
}

func find2(set *assignment, name string) *assignment {
	for _, f := range set.fields {
		if strings.EqualFold(f.name, name) {
			return f
		}
	}
	return nil
}

// apply is a column or field after its assignment.
func (c *rowChange) apply(now plan.Expr, f types.Field, a *assignment, column string) (plan.Expr, error) {
	switch {
	case a == nil:
		return c.st.storedExpr(now, f, column)
	case a.value != nil:
		return c.st.storedExpr(a.value, f, column)
	}
	values := make([]plan.Expr, len(f.Type.Fields))
	from := plan.TypeOf(now)
	for i, g := range f.Type.Fields {
		inner := plan.Expr(&plan.Literal{T: g.Type})
		if h, at := from.Field(g.Name, false); at >= 0 {
			inner = call("field", h.Type, true, now, plan.Int(int64(at)))
		}
		var err error
		if values[i], err = c.apply(inner, g, find2(a, g.Name), column+"."+g.Name); err != nil {
			return nil, err
		}
	}
	return structOf(f.Type, values), nil
}

func structOf(t *types.Type, values []plan.Expr) plan.Expr {
	fields := make([]types.Field, len(values))
	for i, v := range values {
		fields[i] = types.Field{Name: t.Fields[i].Name, Type: plan.TypeOf(v), Nullable: true}
	}
	return call("struct", types.Struct(fields...), false, values...)
}

// storedExpr is a value as a column of the table takes it: cast as on assignment, structs field by field by their names.
func (st *statement) storedExpr(e plan.Expr, f types.Field, column string) (plan.Expr, error) {
	from := plan.TypeOf(e)
	if from.SameData(f.Type) {
		return e, nil
	}
	if from.Kind == types.KindStruct && f.Type.Kind == types.KindStruct {
		return st.storedStruct(e, f, column)
	}
	to := storedAs(from, f.Type, false)
	if from.SameData(to) {
		if !to.AsNullable().SameData(f.Type.AsNullable()) {
			return nil, errs.New("DELTA_UPDATE_SCHEMA_MISMATCH_EXPRESSION", "fromCatalog", from.String(), "toCatalog", f.Type.String())
		}
		return e, nil
	}
	mode := plan.ModeANSI
	if strings.EqualFold(st.s.Conf.Get("spark.sql.storeAssignmentPolicy"), "legacy") {
		mode = plan.ModeLegacy
	}
	if !fn.CanCast(mode == plan.ModeANSI, from, to) {
		return nil, errs.New("DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION", "sqlExpr", analyze.SQL(e), "srcType", `"`+from.SQL()+`"`, "targetType", `"`+to.SQL()+`"`)
	}
	return &plan.Cast{Child: e, To: to, Mode: mode, Implicit: true, Column: column}, nil
}

func (st *statement) storedStruct(e plan.Expr, f types.Field, column string) (plan.Expr, error) {
	from := plan.TypeOf(e)
	values := make([]plan.Expr, len(f.Type.Fields))
	for _, g := range from.Fields {
		if _, at := f.Type.Field(g.Name, false); at < 0 {
			return nil, errs.New("DELTA_UPDATE_SCHEMA_MISMATCH_EXPRESSION", "fromCatalog", from.String(), "toCatalog", f.Type.String())
		}
	}
	for i, g := range f.Type.Fields {
		h, at := from.Field(g.Name, false)
		inner := plan.Expr(&plan.Literal{T: g.Type})
		if at < 0 && !st.looseStructs {
			return nil, errs.New("DELTA_UPDATE_SCHEMA_MISMATCH_EXPRESSION", "fromCatalog", from.String(), "toCatalog", f.Type.String())
		}
		if at >= 0 {
			inner = call("field", h.Type, true, e, plan.Int(int64(at)))
		}
		var err error
		if values[i], err = st.storedExpr(inner, g, column+"."+g.Name); err != nil {
			return nil, err
		}
	}
	s := structOf(f.Type, values)
	if !plan.IsNullable(e) {
		return s, nil
	}
	t := plan.TypeOf(s)
	return call("case", t, true, call("isnull", types.Boolean, false, e), &plan.Literal{T: t}, s), nil
}
