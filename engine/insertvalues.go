package engine

import (
	"slices"
	"strings"

	"millrace/delta"
	"millrace/errs"
	"millrace/plan"
	"millrace/plan/analyze"
	"millrace/sql"
	"millrace/types"
)

// withDefaults puts the columns' defaults in the places of the word DEFAULT in an INSERT's rows.
func (st *statement) withDefaults(c *plan.Insert, have *types.Type) (plan.Node, error) {
	replace := func(list []plan.Expr) ([]plan.Expr, error) {
		out := make([]plan.Expr, len(list))
		for i, e := range list {
			out[i] = e
			if _, ok := e.(*plan.DefaultValue); !ok {
				continue
			}
			f, ok := insertedColumn(c, have, i)
			if id := identityOf(f); id != nil && id.always {
				return nil, errs.New("DELTA_IDENTITY_COLUMNS_EXPLICIT_INSERT_NOT_SUPPORTED", "colName", f.Name)
			}
			if !ok || generated(f) != "" || identityOf(f) != nil {
				return nil, errs.Unsupportedf("DEFAULT in this place of an INSERT is not supported yet.")
			}
			out[i] = &plan.Literal{T: types.Null}
			if raw := delta.FieldMetadata(f, "CURRENT_DEFAULT"); raw != nil {
				var err error
				if out[i], err = sql.ParseExpression(delta.Text(raw)); err != nil {
					return nil, err
				}
			}
		}
		return out, nil
	}
	return plan.Transform(c.Input, func(n plan.Node) (plan.Node, error) {
		switch n := n.(type) {
		case *plan.InlineTable:
			m := *n
			m.Rows = make([][]plan.Expr, len(n.Rows))
			for i, row := range n.Rows {
				var err error
				if m.Rows[i], err = replace(row); err != nil {
					return nil, err
				}
			}
			return &m, nil
		case *plan.Project:
			list, err := replace(n.Exprs)
			return &plan.Project{Input: n.Input, Exprs: list}, err
		}
		return n, nil
	})
}

// insertedColumn is the table's column of a place in an INSERT's rows.
func insertedColumn(c *plan.Insert, have *types.Type, place int) (types.Field, bool) {
	if len(c.Columns) > 0 {
		if place >= len(c.Columns) {
			return types.Field{}, false
		}
		f, i := have.Field(c.Columns[place], false)
		return f, i >= 0
	}
	if place >= len(have.Fields) {
		return types.Field{}, false
	}
	return have.Fields[place], true
}

func hasDefault(n plan.Node) bool {
	found := false
	see := func(list []plan.Expr) {
		for _, e := range list {
			_, is := e.(*plan.DefaultValue)
			found = found || is
		}
	}
	plan.Walk(n, func(n plan.Node) bool {
		switch n := n.(type) {
		case *plan.InlineTable:
			for _, row := range n.Rows {
				see(row)
			}
		case *plan.Project:
			see(n.Exprs)
		}
		return !found
	})
	return found
}

// intoPartition adds the columns that INSERT … PARTITION (a = 1) gives, and the condition of the rows that it overwrites.
func (st *statement) intoPartition(c *plan.Insert, t *target, input plan.Node, have *types.Type, partitions []string) (plan.Node, plan.Expr, error) {
	fixed := map[string]plan.Expr{}
	for name, e := range c.Partition {
		f, i := have.Field(name, false)
		if i < 0 || !slices.ContainsFunc(partitions, func(p string) bool { return strings.EqualFold(p, name) }) {
			return nil, nil, errs.New("NON_PARTITION_COLUMN", "columnName", types.Quote(name))
		}
		if e == nil {
			continue
		}
		v, err := analyze.Expression(e, &plan.OneRow{}, st, st.conf())
		if err != nil {
			return nil, nil, err
		}
		if v, err = st.storedExpr(v, f, f.Name); err != nil {
			return nil, nil, err
		}
		if l, err := st.fold(v); err == nil && l != nil {
			v = l
		}
		fixed[strings.ToLower(f.Name)] = v
	}
	out := input.(plan.Resolved).Output()
	last := plan.MaxID(input)
	p := &plan.Project{Input: input}
	var replace plan.Expr
	k := 0
	for _, f := range have.Fields {
		e, ok := fixed[strings.ToLower(f.Name)]
		switch {
		case ok:
			u := plan.Expr(&plan.UnresolvedAttribute{Parts: []string{f.Name}})
			same := plan.Expr(plan.Fn("<=>", u, e))
			if replace != nil {
				same = plan.Fn("and", replace, same)
			}
			replace = same
		case c.ByName || len(c.Columns) > 0:
			continue
		case k < len(out):
			e = out[k]
			k++
		default:
			return nil, nil, tooFew(t, "not enough data columns", len(have.Fields), len(out)+len(fixed))
		}
		last++
		p.Exprs = append(p.Exprs, &plan.Alias{Child: e, Names: []string{f.Name}, ID: last})
	}
	switch {
	case c.ByName || len(c.Columns) > 0:
		p.Exprs = append(exprs(out), p.Exprs...)
	case k < len(out):
		return nil, nil, arity(*t, have.Names(), out)
	}
	return p, replace, nil
}

// specified refuses an INSERT's list of columns without one that has to be given.
func specified(list []string, have *types.Type) error {
	for _, f := range have.Fields {
		if f.Nullable || delta.Filled(f) {
			continue
		}
		found := false
		for _, name := range list {
			found = found || strings.EqualFold(name, f.Name)
		}
		if !found {
			return errs.New("DELTA_INSERT_COLUMN_MISMATCH", "columnName", f.Name)
		}
	}
	return nil
}
