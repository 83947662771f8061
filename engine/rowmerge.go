package engine

import (
	"strings"

	"millrace/delta"
	"millrace/errs"
	"millrace/plan"
	"millrace/plan/analyze"
	"millrace/session"
	"millrace/types"
)

var mergeSchema = mustSchema("num_affected_rows BIGINT, num_updated_rows BIGINT, num_deleted_rows BIGINT, num_inserted_rows BIGINT")

// merge is a MERGE on its way.
type merge struct {
	*rowChange
	m       *plan.Merge
	source  plan.Node
	given   []*plan.Attribute // the source's columns
	present *plan.Attribute   // true in every row of the source, null where there is none
	on      plan.Expr
	release func()
	clauses []mergeClause
}

// mergeClause is a resolved clause.
type mergeClause struct {
	op     int64
	match  plan.MergeMatch
	cond   plan.Expr
	values []plan.Expr // of the row that comes
}

func (st *statement) merge(m *plan.Merge) (session.Result, error) {
	c, rest, err := st.changeRows("MERGE", m.Target, m.Source)
	if err != nil {
		return nil, err
	}
	if err := checkClauses(m); err != nil {
		return nil, err
	}
	g := &merge{rowChange: c, m: m, source: rest[0], release: func() {}}
	defer func() { g.release() }()
	if done, err := c.repeated(); done || err != nil {
		return mergeResult(st, &changes{}, err)
	}
	if err := g.prepare(); err != nil {
		return nil, err
	}
	r, err := g.execute()
	if err != nil {
		return nil, err
	}
	return mergeResult(st, r, nil)
}

func mergeResult(st *statement, r *changes, err error) (session.Result, error) {
	if err != nil {
		return nil, err
	}
	updated, deleted, inserted := r.merged()
	return st.rowsResult(mergeSchema, [][]any{{updated + deleted + inserted, updated, deleted, inserted}})
}

// merged are the numbers of rows that a MERGE updated, deleted and inserted.
func (r *changes) merged() (updated, deleted, inserted int64) {
	return r.counts[opUpdate] + r.counts[opUpdate|changedBySource], r.counts[opDelete] + r.counts[opDelete|changedBySource], r.counts[opInsert]
}

// checkClauses refuses clauses after one that takes all rows.
func checkClauses(m *plan.Merge) error {
	conditions := map[plan.MergeMatch]string{plan.Matched: "NON_LAST_MATCHED_CLAUSE_OMIT_CONDITION",
		plan.NotMatched: "NON_LAST_NOT_MATCHED_BY_TARGET_CLAUSE_OMIT_CONDITION", plan.NotMatchedBySource: "NON_LAST_NOT_MATCHED_BY_SOURCE_CLAUSE_OMIT_CONDITION"}
	if len(m.Clauses) == 0 {
		return errs.New("DELTA_MERGE_MISSING_WHEN")
	}
	open := map[plan.MergeMatch]bool{}
	for _, c := range m.Clauses {
		if open[c.Match] {
			return errs.New(conditions[c.Match])
		}
		open[c.Match] = c.Condition == nil
	}
	return nil
}

func (g *merge) has(match plan.MergeMatch) bool {
	for _, c := range g.m.Clauses {
		if c.Match == match {
			return true
		}
	}
	return false
}

// prepare resolves everything: the condition over both relations, then the clauses over what they may see.
func (g *merge) prepare() error {
	if err := g.keepSource(); err != nil {
		return err
	}
	g.given = g.source.(plan.Resolved).Output()
	both := &plan.Join{Left: g.plain, Right: g.source, Type: plan.CrossJoin}
	var err error
	if g.on, err = g.condition(g.m.On, both); err != nil {
		return err
	}
	if hasSubquery(g.on) {
		return errs.New("DELTA_UNSUPPORTED_SUBQUERY", "operation", "MERGE operation", "cond", analyze.Pretty(g.on))
	}
	if err := g.evolve(); err != nil {
		return err
	}
	for _, c := range g.m.Clauses {
		r, err := g.clause(c)
		if err != nil {
			return err
		}
		g.clauses = append(g.clauses, r)
	}
	g.info = g.history()
	return nil
}

// keepSource has a source that need not give the same rows twice, or costs much, computed once. What is cached may be made anew at any time.
func (g *merge) keepSource() error {
	cached, err := g.st.withCached(g.source, nil)
	if err != nil || repeats(cached) {
		return err
	}
	once := g.st.e.statement(g.st.ctx, g.st.s)
	once.writing = g.st.writing
	frame, release, err := once.materialize(&plan.Analyzed{Input: g.source})
	if err != nil {
		return err
	}
	g.release = release
	scan, err := g.copied(frame)
	if err != nil {
		return err
	}
	p := &plan.Project{Input: scan} // the source's columns by their identifiers and names
	for i, a := range g.source.(plan.Resolved).Output() {
		p.Exprs = append(p.Exprs, &plan.Alias{Child: scan.(plan.Resolved).Output()[i], Names: []string{a.Name}, ID: a.ID, Metadata: a.Metadata})
	}
	g.source = qualifiedAs(p, g.source)
	return nil
}

// qualifiedAs gives a relation the names of another, of the same columns.
func qualifiedAs(n, like plan.Node) plan.Node {
	if a, ok := like.(*plan.SubqueryAlias); ok {
		return &plan.SubqueryAlias{Input: n, Name: a.Name}
	}
	return n
}

// repeats reports whether a relation gives the same rows whenever it is run, and cheaply: versions of Delta tables and rows at hand, filtered and projected.
func repeats(n plan.Node) bool {
	ok := true
	plan.Walk(n, func(n plan.Node) bool {
		switch n := n.(type) {
		case *plan.Scan:
			_, is := n.Table.(*deltaTable)
			ok = ok && is
		case *plan.LocalRelation, *plan.Range, *plan.OneRow, *plan.SubqueryAlias, *plan.Project, *plan.Filter, *plan.Union:
		default:
			ok = false
		}
		if h, is := n.(plan.HasExprs); is {
			for _, e := range h.Expressions() {
				ok = ok && movable(e)
			}
		}
		return ok
	})
	return ok
}

// clause resolves a clause over the columns that it may name.
func (g *merge) clause(c *plan.MergeClause) (mergeClause, error) {
	r := mergeClause{match: c.Match}
	target := &plan.Project{Input: g.plain, Exprs: exprs(asNull(g.plain.(plan.Resolved).Output()))}
	source := &plan.Project{Input: g.source, Exprs: exprs(asNull(g.given))}
	var over plan.Node
	switch c.Match {
	case plan.Matched:
		over = &plan.Join{Left: target, Right: source, Type: plan.CrossJoin}
	case plan.NotMatched:
		over = source
	default:
		over = target
	}
	var err error
	if c.Condition != nil {
		if r.cond, err = g.resolved(c.Condition, over, strings.ToUpper(c.Action)+" condition"); err != nil {
			return r, err
		}
	}
	switch {
	case c.Action == "delete":
		r.op = opDelete
	case c.Action == "insert":
		r.op, g.clauseName = opInsert, "INSERT clause"
		r.values, err = g.inserted(c, over)
	default:
		r.op, g.clauseName = opUpdate, "UPDATE clause"
		r.values, err = g.updates(c, over)
	}
	if c.Match == plan.NotMatchedBySource {
		r.op |= changedBySource
	}
	return r, err
}

func (g *merge) resolved(e plan.Expr, over plan.Node, where string) (plan.Expr, error) {
	f, err := g.condition(e, over)
	if err != nil {
		return nil, inMerge(err, e, over, where)
	}
	if hasSubquery(f) {
		return nil, errs.New("DELTA_UNSUPPORTED_SUBQUERY", "operation", where+" of MERGE operation", "cond", analyze.Pretty(f))
	}
	return f, nil
}

// updates are the columns after UPDATE SET.
func (g *merge) updates(c *plan.MergeClause, over plan.Node) ([]plan.Expr, error) {
	if !c.Star {
		set, err := g.assignments(c.Columns, c.Values, over)
		if err == nil {
			err = g.checkGiven(set, true)
		}
		if err != nil {
			return nil, err
		}
		return g.updated(set)
	}
	set := &assignment{}
	for i, f := range g.schema.Fields {
		a := g.sourceColumn(f.Name)
		switch {
		case a != nil:
			set.field(f.Name).value = g.nested(a, g.current(i), f)
		case g.evolves():
		default:
			return nil, g.unresolved(f.Name, "UPDATE clause")
		}
	}
	if err := g.checkGiven(set, true); err != nil {
		return nil, err
	}
	return g.updated(set)
}

// nested is a source's column for UPDATE *: with evolution, fields that the source's struct lacks keep what they have.
func (g *merge) nested(a plan.Expr, now plan.Expr, f types.Field) plan.Expr {
	from := plan.TypeOf(a)
	if !g.evolves() || from.Kind != types.KindStruct || f.Type.Kind != types.KindStruct {
		return a
	}
	lacks := false
	for _, h := range f.Type.Fields {
		_, at := from.Field(h.Name, false)
		lacks = lacks || at < 0
	}
	if !lacks {
		return a
	}
	have := plan.TypeOf(now)
	values := make([]plan.Expr, len(f.Type.Fields))
	for i, h := range f.Type.Fields {
		values[i] = &plan.Literal{T: h.Type}
		if k, at := have.Field(h.Name, false); at >= 0 {
			values[i] = call("field", k.Type, true, now, plan.Int(int64(at)))
		}
		if k, at := from.Field(h.Name, false); at >= 0 {
			values[i] = g.nested(call("field", k.Type, true, a, plan.Int(int64(at))), values[i], h)
		}
	}
	return structOf(f.Type, values)
}

// inserted are the columns of an inserted row.
func (g *merge) inserted(c *plan.MergeClause, over plan.Node) ([]plan.Expr, error) {
	set := &assignment{}
	switch {
	case c.Star:
		for _, f := range g.schema.Fields {
			if a := g.sourceColumn(f.Name); a != nil {
				set.field(f.Name).value = a
			} else if !g.evolves() {
				return nil, g.unresolved(f.Name, "INSERT clause")
			}
		}
	case len(c.Columns) == 0 && len(c.Values) != len(g.schema.Fields):
		return nil, errs.New("MERGE_INSERT_VALUE_COUNT_MISMATCH", "numColumns", itoa(int64(len(g.schema.Fields))), "numValues", itoa(int64(len(c.Values))))
	default:
		columns := c.Columns
		if len(columns) == 0 {
			for _, f := range g.schema.Fields {
				columns = append(columns, &plan.UnresolvedAttribute{Parts: []string{f.Name}})
			}
		}
		if len(columns) != len(c.Values) {
			return nil, errs.New("MERGE_INSERT_VALUE_COUNT_MISMATCH", "numColumns", itoa(int64(len(columns))), "numValues", itoa(int64(len(c.Values))))
		}
		var err error
		if set, err = g.assignments(columns, c.Values, over); err != nil {
			return nil, err
		}
	}
	if err := g.checkGiven(set, false); err != nil {
		return nil, err
	}
	out := make([]plan.Expr, len(g.schema.Fields))
	for i, f := range g.schema.Fields {
		a := find2(set, f.Name)
		if a == nil {
			e, err := g.absent(f)
			if err != nil {
				return nil, err
			}
			a = &assignment{value: e}
		}
		var err error
		if out[i], err = g.apply(&plan.Literal{T: f.Type}, f, a, f.Name); err != nil {
			return nil, err
		}
		out[i] = padded(out[i], f)
	}
	return out, g.derived(out, set)
}

// sourceColumn is the source's column of a name, or nil.
func (g *merge) sourceColumn(name string) plan.Expr {
	for _, a := range asNull(g.given) {
		if strings.EqualFold(a.Name, name) {
			return a
		}
	}
	return nil
}

func (g *merge) unresolved(column, clause string) error {
	var cols []string
	for _, a := range g.given {
		cols = append(cols, shortName(a))
	}
	return errs.New("DELTA_MERGE_UNRESOLVED_EXPRESSION", "sqlExpr", column, "clause", clause, "cols", strings.Join(cols, ", "))
}

// shortName is a column with the last part of its relation's name.
func shortName(a *plan.Attribute) string {
	if n := len(a.Qualifier); n > 0 {
		return a.Qualifier[n-1] + "." + a.Name
	}
	return a.Name
}

// inMerge gives the error of a name that is not known the form that MERGE has for it.
func inMerge(err error, e plan.Expr, over plan.Node, clause string) error {
	if !strings.HasPrefix(errs.ConditionOf(err), "UNRESOLVED_COLUMN") {
		return err
	}
	name := analyze.Pretty(e)
	plan.WalkExpr(e, func(e plan.Expr) bool {
		if u, ok := e.(*plan.UnresolvedAttribute); ok {
			if _, known := err.(*errs.Error); known && strings.Contains(err.Error(), types.Quote(u.Parts[len(u.Parts)-1])) {
				name = strings.Join(u.Parts, ".")
			}
		}
		return true
	})
	var cols []string
	for _, a := range over.(plan.Resolved).Output() {
		cols = append(cols, shortName(a))
	}
	return errs.New("DELTA_MERGE_UNRESOLVED_EXPRESSION", "sqlExpr", name, "clause", clause, "cols", strings.Join(cols, ", "))
}

func (g *merge) evolves() bool {
	return g.m.SchemaEvolution || g.st.s.Conf.Bool("spark.databricks.delta.schema.autoMerge.enabled")
}

// evolve adds the columns that clauses take from the source to the table, where that is allowed.
func (g *merge) evolve() error {
	if !g.evolves() {
		return nil
	}
	g.st.looseStructs = true
	wanted := types.Struct()
	for _, a := range g.given {
		f := types.Field{Name: a.Name, Type: a.T, Nullable: true}
		if g.assigns(a.Name) {
			wanted.Fields = append(wanted.Fields, f)
		}
	}
	merged := addFields(g.schema, wanted)
	if merged.SameData(g.schema) && len(merged.Fields) == len(g.schema.Fields) {
		return nil
	}
	m, err := g.table.Snapshot.Evolve(merged, delta.WriteOptions{MergeSchema: true})
	if err != nil {
		return err
	}
	g.metadata = m
	g.schema, err = delta.ParseSchema(m.SchemaString)
	return err
}

// assigns reports whether a clause gives a value to the column of a name.
func (g *merge) assigns(name string) bool {
	for _, c := range g.m.Clauses {
		if c.Star {
			return true
		}
		for _, col := range c.Columns {
			if u, ok := col.(*plan.UnresolvedAttribute); ok && strings.EqualFold(u.Parts[len(u.Parts)-1], name) {
				return true
			}
		}
	}
	return false
}

// addFields is a type with the fields of another that it lacks, at any depth; types that differ otherwise stay, for values are cast.
func addFields(t, more *types.Type) *types.Type {
	if t.Kind != more.Kind {
		return t
	}
	switch t.Kind {
	case types.KindArray:
		return types.ArrayOf(addFields(t.Elem, more.Elem), t.ElemNull)
	case types.KindMap:
		return types.MapOf(addFields(t.Key, more.Key), addFields(t.Elem, more.Elem), t.ElemNull)
	case types.KindStruct:
		out := types.Struct()
		for _, f := range t.Fields {
			if h, at := more.Field(f.Name, false); at >= 0 {
				f.Type = addFields(f.Type, h.Type)
			}
			out.Fields = append(out.Fields, f)
		}
		for _, h := range more.Fields {
			if _, at := t.Field(h.Name, false); at < 0 {
				h.Nullable, h.Type = true, h.Type.AsNullable()
				out.Fields = append(out.Fields, h)
			}
		}
		return out
	}
	return t
}

// history is what the table's history shows of the statement.
func (g *merge) history() delta.CommitInfo {
	lists := map[plan.MergeMatch][]map[string]string{plan.Matched: {}, plan.NotMatched: {}, plan.NotMatchedBySource: {}}
	for i, c := range g.m.Clauses {
		entry := map[string]string{"actionType": c.Action}
		if cond := g.clauses[i].cond; cond != nil {
			entry["predicate"] = analyze.Pretty(cond)
		}
		lists[c.Match] = append(lists[c.Match], entry)
	}
	return delta.Info("MERGE", delta.Param{Name: "predicate", Value: predicates(g.on)}, delta.Param{Name: "matchedPredicates", Value: jsonText(lists[plan.Matched])},
		delta.Param{Name: "notMatchedPredicates", Value: jsonText(lists[plan.NotMatched])},
		delta.Param{Name: "notMatchedBySourcePredicates", Value: jsonText(lists[plan.NotMatchedBySource])})
}

// unconditionalDelete reports whether all matched rows are deleted, so that it does not matter how many source rows match one.
func (g *merge) unconditionalDelete() bool {
	for _, c := range g.clauses {
		if c.match == plan.Matched {
			return c.op == opDelete && c.cond == nil
		}
	}
	return false
}
