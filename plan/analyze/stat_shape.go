package analyze

import (
	"strconv"

	"millrace/errs"
	"millrace/plan"
	"millrace/types"
)

// freqItems is df.stat.freqItems: a row with an array for each column.
func (a *analyzer) freqItems(n *plan.Stat) (plan.Node, error) {
	support := 0.01
	if len(n.Args) > 0 {
		support = n.Args[0].(float64)
	}
	if !(support >= 1e-4 && support <= 1) {
		return nil, illegalArgument("requirement failed: Support must be in [1e-4, 1], but got %s.", javaDouble(support, false))
	}
	in, err := a.node(n.Input)
	if err != nil {
		return nil, err
	}
	if err := a.checkCols(in, n.Cols); err != nil {
		return nil, err
	}
	if len(n.Cols) == 0 {
		return a.projection(in, nil), nil
	}
	agg := &plan.Aggregate{Input: in}
	for _, name := range n.Cols {
		c := a.matches(output(in), nil, name)[0]
		items := &plan.Call{Name: "frequent_items", Args: []plan.Expr{c}, T: types.ArrayOf(c.T, c.Null), Aggregate: true,
			Options: map[string]string{"size": strconv.Itoa(int(1 / support))}}
		agg.Exprs = append(agg.Exprs, a.alias(items, name+"_freqItems"))
	}
	return agg, nil
}

// transpose is df.transpose: each column but the index becomes a row, each row a column named by its index. The rows are fetched at once,
// because they are the result's columns.
func (a *analyzer) transpose(n *plan.Stat) (plan.Node, error) {
	in, err := a.node(n.Input)
	if err != nil {
		return nil, err
	}
	out := output(in)
	if len(out) == 0 { // there is nothing to name rows by
		return &plan.Filter{Input: in, Condition: plan.Bool(false)}, nil
	}
	var index plan.Expr = out[0]
	if len(n.Exprs) > 0 {
		if index, err = a.expr(a.scope(in), n.Exprs[0]); err != nil {
			return nil, err
		}
	}
	column, ok := index.(*plan.Attribute)
	switch {
	case !ok:
		return nil, errs.New("TRANSPOSE_INVALID_INDEX_COLUMN", "reason", "Index column must be an atomic attribute")
	case column.T.IsNested():
		return nil, errs.New("TRANSPOSE_INVALID_INDEX_COLUMN", "reason", "Index column must be of atomic type, but found: "+column.T.SQL())
	}
	var values []*plan.Attribute
	for _, c := range out {
		if c.ID != column.ID {
			values = append(values, c)
		}
	}
	t := types.String
	if len(values) > 0 {
		t = values[0].T
	}
	for _, c := range values[min(1, len(values)):] {
		wider := a.wider(t, c.T)
		if wider == nil || (t.Kind == types.KindString) != (c.T.Kind == types.KindString) {
			return nil, errs.New("TRANSPOSE_NO_LEAST_COMMON_TYPE", "dt1", `"`+t.SQL()+`"`, "dt2", `"`+c.T.SQL()+`"`)
		}
		t = wider
	}
	return a.transposed(in, column, values, t)
}

func (a *analyzer) transposed(in plan.Node, index *plan.Attribute, values []*plan.Attribute, t *types.Type) (plan.Node, error) {
	limit := 500
	if n, err := strconv.Atoi(a.conf.get("spark.sql.transposeMaxValues")); err == nil {
		limit = n
	}
	present, err := a.apply("isnotnull", nil, index)
	if err != nil {
		return nil, err
	}
	name := a.alias(a.castTo(index, types.String), "name")
	exprs := []plan.Expr{index, name}
	for _, c := range values {
		exprs = append(exprs, a.alias(a.castTo(c, t), c.Name))
	}
	sorted := &plan.Sort{Input: &plan.Project{Input: &plan.Filter{Input: in, Condition: present}, Exprs: exprs}, Keys: []*plan.SortOrder{{Child: index}}}
	rows, err := a.collect(sorted, limit+1, "transpose")
	if err != nil {
		return nil, err
	}
	if len(rows) > limit {
		return nil, errs.New("TRANSPOSE_EXCEED_ROW_LIMIT", "maxValues", strconv.Itoa(limit), "config", "spark.sql.transposeMaxValues")
	}
	e := &plan.Expand{Input: &plan.OneRow{}, Attrs: []*plan.Attribute{{ID: a.id(), Name: "key", T: types.String}}}
	for _, r := range rows {
		e.Attrs = append(e.Attrs, &plan.Attribute{ID: a.id(), Name: r[1].(string), T: t, Null: true})
	}
	for i, c := range values {
		list := []plan.Expr{plan.Str(c.Name)}
		for _, r := range rows {
			list = append(list, &plan.Literal{Value: r[2+i], T: t})
		}
		e.Lists = append(e.Lists, list)
	}
	if len(values) > 0 {
		return e, nil
	}
	none := []plan.Expr{plan.Str("")}
	for range rows {
		none = append(none, &plan.Literal{T: t})
	}
	e.Lists = [][]plan.Expr{none}
	return &plan.Filter{Input: e, Condition: plan.Bool(false)}, nil
}
