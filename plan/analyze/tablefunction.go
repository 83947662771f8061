package analyze

import (
	"strings"

	"millrace/errs"
	"millrace/plan"
	"millrace/plan/fn"
	"millrace/types"
)

// tvf resolves a table-valued function: range, or a generator over one row.
func (a *analyzer) tvf(n *plan.UnresolvedTVF) (plan.Node, error) {
	name := n.Name[len(n.Name)-1]
	if a.same(name, "range") {
		return a.rangeTVF(n)
	}
	if a.same(name, "sql_keywords") {
		return a.sqlKeywords(n)
	}
	if a.same(name, "collations") {
		return a.collations(n)
	}
	if byPath := a.same(name, "table_changes_by_path"); byPath || a.same(name, "table_changes") {
		return a.tableChanges(n, byPath)
	}
	if rows := variantGenerators[strings.ToLower(name)]; rows != "" {
		call, err := variantExplode(n, rows)
		if err != nil {
			return nil, at(err, n.Origin)
		}
		return a.project(&plan.Project{Input: &plan.OneRow{}, Exprs: []plan.Expr{call}}, nil)
	}
	f := fn.Lookup(name)
	if user, err := a.catalog.Function(n.Name); f == nil && err != nil {
		return nil, at(err, n.Origin)
	} else if f == nil && user != nil {
		out, err := a.sqlTable(n, user)
		return out, at(err, n.Origin)
	}
	if lower := strings.ToLower(name); f == nil && fn.Unbuilt(lower) {
		return nil, at(errs.Unsupportedf("The function %s is not supported.", types.Quote(lower)), n.Origin)
	}
	if f == nil || f.Kind != fn.Generator {
		return nil, at(errs.New("UNRESOLVABLE_TABLE_VALUED_FUNCTION", "name", types.QuoteParts(n.Name...)), n.Origin)
	}
	call := &plan.UnresolvedFunction{Name: n.Name, Args: n.Args, Origin: n.Origin}
	return a.project(&plan.Project{Input: &plan.OneRow{}, Exprs: []plan.Expr{call}}, nil)
}

func (a *analyzer) rangeTVF(n *plan.UnresolvedTVF) (plan.Node, error) {
	if len(n.Args) < 1 || len(n.Args) > 4 {
		return nil, at(wrongArgs(n.Name, 1, 4, len(n.Args)), n.Origin)
	}
	var v []int64
	for _, e := range n.Args {
		if na, ok := e.(*plan.NamedArg); ok { // as Spark, which has no names for them either
			return nil, at(errs.New("NON_FOLDABLE_ARGUMENT", "funcName", "`range`", "paramName", types.Quote(na.Name), "paramType", `"BIGINT"`), n.Origin)
		}
		r, err := a.expr(newScope(), e)
		if err != nil {
			return nil, err
		}
		if t := plan.TypeOf(r); t.Kind == types.KindNull || !fn.CanCast(a.conf.ANSI, t, types.Long) {
			return nil, at(errs.New("UNEXPECTED_INPUT_TYPE", "functionName", "`range`", "paramIndex", []string{"first", "second", "third", "fourth"}[len(v)], "requiredType", `"BIGINT"`,
				"inputSql", SQL(r), "inputType", `"`+t.SQL()+`"`), n.Origin)
		}
		l := a.constant(a.castTo(r, types.Long))
		if l == nil {
			return nil, at(errs.New("NON_FOLDABLE_ARGUMENT", "funcName", "`range`", "paramName", "`start`", "paramType", `"BIGINT"`), n.Origin)
		}
		i, ok := l.Value.(int64)
		if !ok {
			return nil, at(errs.New("NON_FOLDABLE_ARGUMENT", "funcName", "`range`", "paramName", "`start`", "paramType", `"BIGINT"`), n.Origin)
		}
		v = append(v, i)
	}
	r := &plan.Range{Step: 1}
	switch len(v) {
	case 1:
		r.End = v[0]
	default:
		r.Start, r.End = v[0], v[1]
		if len(v) > 2 {
			if r.Step = v[2]; r.Step == 0 {
				return nil, at(errs.New("FAILED_FUNCTION_CALL", "funcName", "`range`"), n.Origin)
			}
		}
		if len(v) > 3 {
			r.Partitions = int(v[3])
		}
	}
	return a.rangeOf(r), nil
}
