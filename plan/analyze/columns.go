package analyze

import (
	"millrace/errs"
	"millrace/plan"
	"millrace/types"
)

// withColumns replaces columns of the same name in place and adds the others at the end.
func (a *analyzer) withColumns(n *plan.WithColumns) (plan.Node, error) {
	in, err := a.node(n.Input)
	if err != nil {
		return nil, err
	}
	old := output(in)
	values := make([]plan.Expr, len(n.Aliases))
	for i, al := range n.Aliases {
		values[i] = al.Child
	}
	if in, err = a.timeWindows(in, &values); err != nil {
		return nil, err
	}
	s := a.scope(in)
	added := make([]plan.Expr, len(n.Aliases))
	for i, al := range n.Aliases {
		e, err := a.expr(s, values[i])
		if err != nil {
			return nil, err
		}
		for _, other := range n.Aliases[:i] {
			if a.same(other.Names[0], al.Names[0]) {
				return nil, errs.New("COLUMN_ALREADY_EXISTS", "columnName", types.Quote(lower(a, al.Names[0])))
			}
		}
		added[i] = &plan.Alias{Child: e, Names: al.Names, Metadata: al.Metadata, ID: a.id()}
	}
	used := make([]bool, len(added))
	var list []plan.Expr
	for _, c := range old {
		var e plan.Expr = c
		for i, al := range n.Aliases {
			if a.same(al.Names[0], c.Name) {
				e, used[i] = added[i], true
			}
		}
		list = append(list, e)
	}
	for i, e := range added {
		if !used[i] {
			list = append(list, e)
		}
	}
	if anyAggregate(list) {
		return a.grouped(s, in, a.newBlock(in, nil), list, nil)
	}
	return a.shapeOver(in, list)
}

func lower(a *analyzer, name string) string {
	if a.conf.CaseSensitive {
		return name
	}
	return lowered(name)
}

func (a *analyzer) renameColumns(n *plan.RenameColumns) (plan.Node, error) {
	in, err := a.node(n.Input)
	if err != nil {
		return nil, err
	}
	out := output(in)
	names := make([]string, len(out))
	for i, c := range out {
		names[i] = c.Name
	}
	for _, pair := range n.Pairs {
		for i := range names {
			if a.same(names[i], pair[0]) {
				names[i] = pair[1]
			}
		}
	}
	return a.renameAll(in, names, "")
}

func (a *analyzer) toDF(n *plan.ToDF) (plan.Node, error) {
	in, err := a.node(n.Input)
	if err != nil {
		return nil, err
	}
	if out := output(in); len(out) != len(n.Names) { // Spark counts the other way round than where a relation's alias names columns
		return nil, errs.New("ASSIGNMENT_ARITY_MISMATCH", "numTarget", itoa(len(out)), "numExpr", itoa(len(n.Names)))
	}
	return a.renameAll(in, n.Names, "")
}

// dropColumns is df.drop: names that are not there are no error.
func (a *analyzer) dropColumns(n *plan.DropColumns) (plan.Node, error) {
	in, err := a.node(n.Input)
	if err != nil {
		return nil, err
	}
	dropped := map[plan.ID]bool{}
	s := a.scope(in)
	for _, e := range n.Exprs {
		r, err := a.expr(s, e)
		if errs.ConditionOf(err) == "AMBIGUOUS_REFERENCE" {
			return nil, err
		}
		if c, ok := r.(*plan.Attribute); ok && err == nil {
			dropped[c.ID] = true
		}
	}
	for _, name := range n.Names {
		for _, c := range output(in) {
			if a.same(c.Name, name) {
				dropped[c.ID] = true
			}
		}
	}
	var keep []plan.Expr
	for _, c := range output(in) {
		if !dropped[c.ID] {
			keep = append(keep, c)
		}
	}
	return &plan.Project{Input: in, Exprs: keep}, nil
}

// toSchema is df.to(schema): columns are taken by name, in the schema's order, and converted.
func (a *analyzer) toSchema(n *plan.ToSchema) (plan.Node, error) {
	in, err := a.node(n.Input)
	if err != nil {
		return nil, err
	}
	out := output(in)
	exprs := make([]plan.Expr, len(n.Schema.Fields))
	if len(exprs) == 0 {
		return &plan.Project{Input: in}, nil
	}
	for i, f := range n.Schema.Fields {
		if exprs[i], err = a.toField(out, f); err != nil {
			return nil, err
		}
	}
	return a.projection(in, exprs), nil
}

func (a *analyzer) toField(out []*plan.Attribute, f types.Field) (plan.Expr, error) {
	found := a.matches(out, nil, f.Name)
	switch {
	case len(found) > 1:
		return nil, errs.New("AMBIGUOUS_COLUMN_OR_FIELD", "name", types.Quote(f.Name), "n", itoa(len(found)))
	case len(found) == 0 && f.Nullable:
		return &plan.Alias{Child: &plan.Literal{T: f.Type}, Names: []string{f.Name}, Metadata: f.Metadata, ID: a.id()}, nil
	case len(found) == 0:
		return nil, unresolvedOf(out, f.Name)
	}
	c := found[0]
	e, err := a.reconcile(c, []string{c.Name}, f.Type, f.Nullable)
	if err != nil || e == plan.Expr(c) && c.Name == f.Name && f.Metadata == "" {
		return e, err
	}
	return &plan.Alias{Child: e, Names: []string{f.Name}, Metadata: f.Metadata, ID: a.id()}, nil
}

// watermark drops a watermark that no streaming source is below.
func (a *analyzer) watermark(n *plan.Watermark) (plan.Node, error) {
	if plan.IsStreaming(n.Input) {
		return nil, errs.Unsupportedf("withWatermark on a streaming query is not supported yet")
	}
	return a.node(n.Input)
}

// deduplicate groups by the named columns and takes the first of each other column.
func (a *analyzer) deduplicate(n *plan.Deduplicate) (plan.Node, error) {
	in, err := a.node(n.Input)
	if err != nil {
		return nil, err
	}
	if n.Within {
		if !plan.IsStreaming(in) {
			return nil, errs.New("_LEGACY_ERROR_TEMP_3102", "msg", "dropDuplicatesWithinWatermark is not supported with batch DataFrames/DataSets")
		}
		return nil, errs.Unsupportedf("dropDuplicatesWithinWatermark is not supported")
	}
	out := output(in)
	if n.All {
		return a.distinct(&plan.Distinct{Input: in})
	}
	keys := map[plan.ID]bool{}
	var groups []plan.Expr
	for _, name := range n.Names {
		found := a.matches(out, nil, name)
		if len(found) == 0 {
			return nil, unresolvedAmong(out, name)
		}
		for _, c := range found {
			if isSession(c) {
				return nil, errs.Unsupportedf("dropDuplicates by a column of session_window is not supported.")
			}
			if !keys[c.ID] {
				keys[c.ID] = true
				groups = append(groups, c)
			}
		}
		if err := noMaps(found); err != nil {
			return nil, err
		}
	}
	exprs := make([]plan.Expr, len(out))
	for i, c := range out {
		exprs[i] = c
		if !keys[c.ID] {
			first := &plan.Call{Name: "first", Args: []plan.Expr{c}, T: c.T, Null: c.Null, Mode: a.conf.mode(), Aggregate: true}
			exprs[i] = &plan.Alias{Child: first, Names: []string{c.Name}, Metadata: c.Metadata, ID: c.ID}
		}
	}
	// The columns keep their ids: df.a still names a after df.dropDuplicates. The input's are put out of sight by copies.
	return a.firstOf(in, groups, exprs)
}

// firstOf aggregates under fresh ids below, so that no id is both an input's and an output's of one aggregation.
func (a *analyzer) firstOf(in plan.Node, groups, exprs []plan.Expr) (plan.Node, error) {
	below := map[plan.ID]*plan.Attribute{}
	copies := make([]plan.Expr, len(exprs))
	for i, c := range output(in) {
		copies[i] = c
		if _, agg := exprs[i].(*plan.Alias); agg {
			al := a.alias(c, c.Name)
			copies[i], below[c.ID] = al, al.Attribute()
		}
	}
	if len(below) == 0 {
		return &plan.Distinct{Input: in}, nil
	}
	for i, e := range exprs {
		al, ok := e.(*plan.Alias)
		if !ok {
			continue
		}
		c := al.Child.(*plan.Call)
		exprs[i] = al.WithChildren([]plan.Expr{c.WithChildren([]plan.Expr{below[al.ID]})})
	}
	return &plan.Aggregate{Input: &plan.Project{Input: in, Exprs: copies}, Groups: groups, Exprs: exprs, Deduplicate: true}, nil
}

func unresolvedAmong(out []*plan.Attribute, name string) error {
	return errs.New("CONNECT_INVALID_PLAN.UNRESOLVED_COLUMN_AMONG_FIELD_NAMES", "colName", name, "fieldNames", fieldNames(out))
}

// inlineTable is VALUES: a union of rows over common types, computed in place.
func (a *analyzer) inlineTable(n *plan.InlineTable) (plan.Node, error) {
	width := len(n.Rows[0])
	if n.Names != nil {
		width = len(n.Names)
	}
	rows := make([][]plan.Expr, len(n.Rows))
	common := make([]*types.Type, width)
	null := make([]bool, width)
	for r, row := range n.Rows {
		if len(row) != width {
			return nil, at(errs.New("INVALID_INLINE_TABLE.NUM_COLUMNS_MISMATCH", "expectedNumCols", itoa(width), "actualNumCols", itoa(len(row)),
				"rowIndex", itoa(r)), n.Origin)
		}
		list, err := a.inlineRow(row)
		if err != nil {
			return nil, err
		}
		for i, e := range list {
			null[i] = null[i] || plan.IsNullable(e)
			if common[i] == nil {
				common[i] = plan.TypeOf(e)
			} else if common[i] = a.wider(common[i], plan.TypeOf(e)); common[i] == nil {
				return nil, at(errs.New("INVALID_INLINE_TABLE.INCOMPATIBLE_TYPES_IN_INLINE_TABLE", "colName", types.Quote(inlineName(n, i))), n.Origin)
			}
		}
		rows[r] = list
	}
	return a.inlineUnion(n, rows, common, null), nil
}

func (a *analyzer) inlineRow(row []plan.Expr) ([]plan.Expr, error) {
	list, err := a.exprs(newScope(), row)
	if err != nil {
		return nil, err
	}
	for _, e := range list {
		if findAggregate(e) != nil || !foldable(e) {
			return nil, errs.New("INVALID_INLINE_TABLE.CANNOT_EVALUATE_EXPRESSION_IN_INLINE_TABLE", "expr", SQL(e))
		}
	}
	return list, nil
}

func inlineName(n *plan.InlineTable, i int) string {
	if n.Names != nil {
		return n.Names[i]
	}
	return "col" + itoa(i+1)
}

func (a *analyzer) inlineUnion(n *plan.InlineTable, rows [][]plan.Expr, common []*types.Type, null []bool) plan.Node {
	u := &plan.Union{}
	for i, t := range common {
		u.Attrs = append(u.Attrs, &plan.Attribute{ID: a.id(), Name: inlineName(n, i), T: t, Null: null[i]})
	}
	for _, row := range rows {
		p := &plan.Project{Input: &plan.OneRow{}}
		for i, e := range row {
			p.Exprs = append(p.Exprs, a.alias(a.castTo(e, common[i]), u.Attrs[i].Name))
		}
		u.Inputs = append(u.Inputs, p)
	}
	if len(u.Inputs) == 1 {
		p := u.Inputs[0].(*plan.Project)
		for i, e := range p.Exprs {
			e.(*plan.Alias).ID = u.Attrs[i].ID
		}
		return p
	}
	return u
}
