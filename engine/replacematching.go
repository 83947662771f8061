package engine

import (
	"slices"
	"sort"
	"strings"

	"millrace/delta"
	"millrace/delta/log"
	"millrace/errs"
	"millrace/plan"
	"millrace/plan/optimize"
	"millrace/session"
	"millrace/sql"
	"millrace/types"
)

// matching says which rows of a table give way to new ones: those that match one of them.
type matching struct {
	using []string  // columns that are equal
	on    plan.Expr // or a condition over both
	text  string    // as it was given
	alias string    // of the table in the condition
	given plan.Node // rows whose columns have to be at the same places as the table's, or nil
	kept  plan.Node // the new rows, computed once
}

// The names of the two sides in the condition that columns are equal.
const oldRows, comingRows = "rows of the table", "rows that come"

// asksMatching reports whether a writer's options ask to replace the rows that match new ones.
func asksMatching(options map[string]string) bool {
	_, using := option(options, "replaceUsing")
	_, on := option(options, "replaceOn")
	return using || on
}

// matchable is the rows in a table's order by the name that they were given, by which a condition may call them.
func matchable(given, arranged plan.Node, options map[string]string) (plan.Node, error) {
	if _, on := option(options, "replaceOn"); !on {
		return arranged, nil
	}
	have := arranged.(plan.Resolved).Output()
	for i, a := range given.(plan.Resolved).Output() {
		if i >= len(have) || !strings.EqualFold(a.Name, have[i].Name) {
			return nil, errs.Unsupportedf("insertInto with replaceOn is not supported where the rows' columns have other names than the table's; use saveAsTable.")
		}
	}
	return qualifiedAs(arranged, given), nil
}

// matchingOptions reads the options replaceUsing and replaceOn; nil where neither is given, or the write does not replace.
func (st *statement) matchingOptions(w *deltaWrite) (*matching, error) {
	using, isUsing := option(w.options, "replaceUsing")
	on, isOn := option(w.options, "replaceOn")
	if !isUsing && !isOn {
		return nil, nil
	}
	name := "replaceUsing"
	if isOn {
		name = "replaceOn"
	}
	_, where := option(w.options, "replaceWhere")
	_, mode := option(w.options, "partitionOverwriteMode")
	change, rearranges := option(w.options, "dataChange")
	clash := func(other string) error {
		return errs.New("DELTA_INCOMPATIBLE_DATAFRAME_OPTIONS", "firstDeltaOption", other, "secondDeltaOption", name)
	}
	switch {
	case isUsing && isOn:
		return nil, errs.New("DELTA_INCOMPATIBLE_DATAFRAME_OPTIONS", "firstDeltaOption", "replaceOn", "secondDeltaOption", "replaceUsing")
	case where:
		return nil, errs.New("DELTA_OVERWRITE_BY_FILTER_INCOMPATIBLE_REPLACE_ON_OR_USING")
	case mode:
		return nil, errs.New("DELTA_DYNAMIC_PARTITION_OVERWRITE_INCOMPATIBLE_REPLACE_ON_OR_USING")
	case w.replace:
		return nil, errs.New("DELTA_DFV2_CREATE_REPLACE_INCOMPATIBLE_REPLACE_ON_OR_USING")
	case isTrue(w.options, "overwriteSchema") && w.mode == plan.SaveOverwrite:
		return nil, clash("overwriteSchema")
	case rearranges && strings.EqualFold(change, "false"):
		return nil, clash("dataChange")
	case w.mode != plan.SaveOverwrite:
		return nil, nil
	}
	m := &matching{text: using, given: w.given}
	if isOn {
		var err error
		m.text = on
		m.alias, _ = option(w.options, "targetAlias")
		m.on, err = sql.ParseExpression(on)
		return m, err
	}
	for c := range strings.SplitSeq(using, ",") {
		if c = strings.TrimSpace(c); c == "" {
			return nil, errs.New("DELTA_ILLEGAL_OPTION", "name", "replaceUsing", "input", using, "explain", "must not contain empty column names")
		}
		if !slices.Contains(m.using, c) {
			m.using = append(m.using, c)
		}
	}
	return m, nil
}

// keepInput has the new rows computed once: they are needed for the rows that go and for those that come.
func (st *statement) keepInput(w *deltaWrite) (release func(), err error) {
	g := &merge{rowChange: &rowChange{st: st, last: plan.MaxID(w.input)}, source: w.input, release: func() {}}
	err = g.keepSource()
	w.input, w.matching.kept = g.source, g.source
	return g.release, err
}

// replaceMatching writes rows in the place of those that match one of them.
func (st *statement) replaceMatching(w deltaWrite, l *log.Table, before *delta.Snapshot, m *delta.Metadata, input plan.Node) (session.Result, error) {
	c := &rowChange{st: st, operation: "WRITE", write: &w, last: max(plan.MaxID(input), plan.MaxID(w.matching.kept))}
	if err := c.replace(l, before, m); err != nil {
		return nil, err
	}
	cond, err := c.matches(w.matching)
	if err != nil {
		return nil, err
	}
	c.where = both(c.targetOnly(cond)...)
	p := delta.WriteParams{Mode: "Overwrite", PartitionBy: w.partitionBy, MergeSchema: isTrue(w.options, "mergeSchema"), ReplaceOn: w.matching.text}
	if w.matching.on == nil {
		p.ReplaceOn, p.ReplaceUsing = "", w.matching.text
	}
	c.info = delta.WriteInfo(p)
	again, err := c.copied(w.matching.kept)
	if err != nil {
		return nil, err
	}
	cond = moved(cond, w.matching.kept, again)
	q := &plan.Project{Input: &plan.Join{Left: c.rows, Right: again, Type: plan.SemiJoin, Condition: cond}, Exprs: c.head(plan.Int(opDelete))}
	if c.feeds() {
		old, err := c.oldImages()
		if err != nil {
			return nil, err
		}
		q.Exprs = append(q.Exprs, old...)
	}
	r, err := c.run(q, 0)
	if err != nil {
		return nil, err
	}
	fresh, err := c.newRows(input)
	if err != nil {
		return nil, w.matching.violated(err)
	}
	r.add(fresh)
	return emptyResult(), c.commit(r, replaceMetrics)
}

// moved is an expression over a relation's copy.
func moved(e plan.Expr, from, to plan.Node) plan.Expr {
	now := map[plan.ID]*plan.Attribute{}
	for i, a := range from.(plan.Resolved).Output() {
		now[a.ID] = to.(plan.Resolved).Output()[i]
	}
	out, _ := plan.TransformExpr(e, func(e plan.Expr) (plan.Expr, error) {
		if a, ok := e.(*plan.Attribute); ok && now[a.ID] != nil {
			return now[a.ID], nil
		}
		return e, nil
	})
	return out
}

// matches resolves the condition over the table and the new rows.
func (c *rowChange) matches(m *matching) (plan.Expr, error) {
	if m.on == nil {
		return c.matchesUsing(m)
	}
	table := c.plain
	if m.alias != "" {
		table = &plan.SubqueryAlias{Input: c.plain, Name: []string{m.alias}}
	}
	var ambiguous, unknown []string
	plan.WalkExpr(m.on, func(e plan.Expr) bool {
		a, ok := e.(*plan.UnresolvedAttribute)
		if !ok {
			return true
		}
		_, err1 := c.expression(a, table)
		_, err2 := c.expression(a, m.kept)
		name := types.Quote(types.QuoteParts(a.Parts...))
		if len(a.Parts) == 1 {
			name = types.Quote(a.Parts[0])
		}
		switch {
		case err1 == nil && err2 == nil && !slices.Contains(ambiguous, name):
			ambiguous = append(ambiguous, name)
		case err1 != nil && err2 != nil && !slices.Contains(unknown, name):
			unknown = append(unknown, name)
		}
		return true
	})
	switch {
	case len(ambiguous) > 0:
		return nil, errs.New("DELTA_INSERT_REPLACE_ON_AMBIGUOUS_COLUMNS_IN_CONDITION", "columnNames", strings.Join(ambiguous, ", "))
	case len(unknown) > 0:
		return nil, errs.New("DELTA_INSERT_REPLACE_ON_UNRESOLVED_COLUMNS_IN_CONDITION", "columnNames", strings.Join(unknown, ", "))
	}
	cond, err := c.condition(m.on, &plan.Join{Left: table, Right: m.kept, Type: plan.CrossJoin})
	if err == nil && hasSubquery(cond) {
		err = errs.New("DELTA_UNSUPPORTED_SUBQUERY", "operation", "WRITE", "cond", m.text)
	}
	return cond, err
}

func (c *rowChange) matchesUsing(m *matching) (plan.Expr, error) {
	given := m.kept.(plan.Resolved).Output()
	if m.given != nil {
		given = m.given.(plan.Resolved).Output()
	}
	var list []plan.Expr
	var apart []string
	for _, name := range m.using {
		_, at := c.table.Snapshot.Schema().Field(name, false)
		if at < 0 {
			return nil, unresolvedUsing(name, "table", c.table.Snapshot.Schema().Names())
		}
		k := find(given, name)
		if k < 0 {
			var names []string
			for _, a := range given {
				names = append(names, a.Name)
			}
			return nil, unresolvedUsing(name, "query", names)
		}
		if k != at && m.given != nil {
			apart = append(apart, types.Quote(name))
		}
		e, err := sql.ParseExpression(types.QuoteParts(oldRows, name) + " = " + types.QuoteParts(comingRows, name))
		if err != nil {
			return nil, err
		}
		list = append(list, e)
	}
	if len(apart) > 0 {
		return nil, errs.New("INSERT_REPLACE_USING_DISALLOW_MISALIGNED_COLUMNS", "misalignedReplaceUsingCols", strings.Join(apart, ", "))
	}
	over := &plan.Join{Left: &plan.SubqueryAlias{Input: c.plain, Name: []string{oldRows}}, Right: &plan.SubqueryAlias{Input: m.kept, Name: []string{comingRows}}, Type: plan.CrossJoin}
	var all []plan.Expr
	for _, e := range list {
		cond, err := c.condition(e, over)
		if err != nil {
			return nil, err
		}
		all = append(all, optimize.Conjuncts(cond)...)
	}
	return both(all...), nil
}

func unresolvedUsing(name, relation string, have []string) error {
	quoted := make([]string, len(have))
	for i, n := range have {
		quoted[i] = types.Quote(n)
	}
	sort.Strings(quoted)
	return errs.New("UNRESOLVED_INSERT_REPLACE_USING_COLUMN", "colName", types.Quote(name), "relationType", relation, "suggestion", strings.Join(quoted, ", "))
}

// violated says that new rows do not meet the table's rules.
func (m *matching) violated(err error) error {
	switch errs.ConditionOf(err) {
	case "DELTA_VIOLATE_CONSTRAINT_WITH_VALUES", "DELTA_NOT_NULL_CONSTRAINT_VIOLATED", "DELTA_EXCEED_CHAR_VARCHAR_LIMIT":
		return errs.New("DELTA_REPLACE_ON_OR_USING_TABLE_CONSTRAINT_VIOLATION", "replaceExpression", m.text, "invariantViolationMessage", err.Error())
	}
	return err
}

// mayMatch refuses INSERT … REPLACE USING and REPLACE ON where the session has them switched off.
func (st *statement) mayMatch(c *plan.Insert) error {
	if c.Matching == "" {
		return nil
	}
	key, condition := "spark.sql.insertIntoReplaceUsing", "INSERT_REPLACE_USING"
	if c.Matching == "ON" {
		key, condition = "spark.sql.insertIntoReplaceOn", "INSERT_REPLACE_ON"
	}
	if c.ByName {
		key, condition = key+"ByName", condition+"_BY_NAME"
	}
	if !st.s.Conf.Bool(key + ".enabled") {
		return errs.New(condition + "_NOT_ENABLED")
	}
	for _, name := range c.MatchColumns { // which the option has no way to quote
		if strings.Contains(name, ",") || strings.TrimSpace(name) != name {
			return errs.Unsupportedf("INSERT … REPLACE USING of the column %s is not supported: its name has a comma, or spaces at an end; use REPLACE ON.", types.Quote(name))
		}
	}
	return nil
}

// matchOptions is INSERT … REPLACE USING or REPLACE ON as a writer's options, which say the same.
func matchOptions(c *plan.Insert) map[string]string {
	switch {
	case c.Matching == "USING":
		return map[string]string{"replaceUsing": strings.Join(c.MatchColumns, ", ")}
	case c.Matching == "ON" && c.Alias != "":
		return map[string]string{"replaceOn": c.MatchText, "targetAlias": c.Alias}
	case c.Matching == "ON":
		return map[string]string{"replaceOn": c.MatchText}
	}
	return nil
}
