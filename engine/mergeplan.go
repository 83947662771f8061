package engine

import (
	"millrace/delta"
	"millrace/errs"
	"millrace/plan"
	"millrace/plan/analyze"
	"millrace/plan/optimize"
	"millrace/types"
)

// execute runs the MERGE's query and commits.
func (g *merge) execute() (*changes, error) {
	narrowed, sources, err := g.narrow()
	if err != nil {
		return nil, err
	}
	q, columns, err := g.query(narrowed)
	if err != nil {
		return nil, err
	}
	checked, err := g.checked(q, columns)
	if err != nil {
		return nil, err
	}
	r, err := g.run(checked, columns)
	if err != nil {
		return nil, err
	}
	r.sources = sources
	if r.twice > 0 {
		if !g.unconditionalDelete() {
			return nil, errs.New("DELTA_MULTIPLE_SOURCE_ROW_MATCHING_TARGET_ROW_IN_MERGE", "usageReference",
				"https://docs.delta.io/latest/delta-update.html#upsert-into-a-table-using-merge")
		}
		var gone int64
		for _, b := range r.gone {
			gone += int64(b.GetCardinality())
		}
		if r.images != nil && gone != r.counts[opDelete]+r.counts[opUpdate|changedBySource]+r.counts[opDelete|changedBySource] {
			return nil, errs.Unsupportedf("MERGE that deletes rows which several source rows match, on a table with a change data feed, is not supported in this plan yet.")
		}
		r.counts[opDelete] = gone - r.counts[opUpdate|changedBySource] - r.counts[opDelete|changedBySource]
	}
	return r, g.commit(r, mergeMetrics)
}

// joinType is how the table, on the left, meets the source.
func (g *merge) joinType() plan.JoinType {
	insert, rest := g.has(plan.NotMatched), g.has(plan.NotMatchedBySource)
	switch {
	case insert && rest:
		return plan.FullJoin
	case rest:
		return plan.LeftJoin
	case insert:
		return plan.RightJoin
	}
	return plan.InnerJoin
}

// query is the statement's query over a table narrowed to what may match. Columns is how many columns follow the head.
func (g *merge) query(target plan.Node) (plan.Node, int, error) {
	insertsOnly := !g.has(plan.Matched) && !g.has(plan.NotMatchedBySource)
	g.rowLevel = !g.has(plan.NotMatched) && !g.has(plan.NotMatchedBySource)
	g.present = &plan.Attribute{ID: g.id(), Name: "\x00present", T: types.Boolean, Null: true}
	marked := &plan.Project{Input: g.source, Exprs: append(exprs(g.given), &plan.Alias{Child: plan.Bool(true), Names: []string{g.present.Name}, ID: g.present.ID})}
	var joined plan.Node
	if insertsOnly {
		joined = &plan.Join{Left: marked, Right: target, Type: plan.AntiJoin, Condition: g.on}
	} else {
		joined = &plan.Join{Left: target, Right: marked, Type: g.joinType(), Condition: g.on}
	}
	act := &plan.Attribute{ID: g.id(), Name: "\x00act", T: types.Integer}
	choose := &plan.Alias{Child: g.choice(insertsOnly), Names: []string{act.Name}, ID: act.ID}
	var input []plan.Expr
	for _, a := range joined.(plan.Resolved).Output() {
		input = append(input, a)
	}
	acting := plan.Node(&plan.Filter{Input: &plan.Project{Input: joined, Exprs: append(input, choose)}, Condition: call("not", types.Boolean, false,
		call("=", types.Boolean, false, act, plan.Int(0)))})
	if g.identity != nil {
		acting = &plan.Repartition{Input: acting, N: 1} // one task counts
	}
	q := &plan.Project{Input: acting, Exprs: []plan.Expr{&plan.Alias{Child: g.opOf(act), Names: []string{"op"}, ID: g.id()}}}
	if insertsOnly {
		q.Exprs = append(q.Exprs, g.nothing(types.Integer), g.nothing(types.Long))
	} else {
		q.Exprs = append(q.Exprs, g.file, g.row)
	}
	columns := 0
	if values := g.values(act); values != nil {
		columns = len(values)
		for i, v := range values {
			q.Exprs = append(q.Exprs, &plan.Alias{Child: v, Names: []string{g.schema.Fields[i].Name}, ID: g.id()})
		}
		q.Exprs = append(q.Exprs, g.tracked(!insertsOnly)...)
	}
	if insertsOnly {
		g.file = nil // no images: the new rows tell all
	} else if g.feeds() {
		for i, f := range g.schema.Fields {
			v, err := g.st.storedExpr(g.old(i), f, f.Name)
			if err != nil {
				return nil, 0, err
			}
			q.Exprs = append(q.Exprs, &plan.Alias{Child: v, Names: []string{f.Name}, ID: g.id()})
		}
	}
	return q, columns, nil
}

func (g *merge) old(i int) plan.Expr {
	if i < len(g.columns) {
		return asNull(g.columns[i : i+1])[0]
	}
	return g.current(i)
}

func (g *merge) nothing(t *types.Type) plan.Expr {
	return &plan.Alias{Child: &plan.Literal{T: t}, Names: []string{"nothing"}, ID: g.id()}
}

// choice is the number, from 1, of the clause that a joined row meets first; 0 for none.
func (g *merge) choice(insertsOnly bool) plan.Expr {
	file := *g.file
	file.Null = true
	known := func(a *plan.Attribute) plan.Expr { return call("isnotnull", types.Boolean, false, a) }
	lacks := func(a *plan.Attribute) plan.Expr { return call("isnull", types.Boolean, false, a) }
	var args []plan.Expr
	for i, c := range g.clauses {
		var when plan.Expr
		switch {
		case insertsOnly:
		case c.match == plan.Matched && g.joinType() == plan.InnerJoin:
		case c.match == plan.Matched:
			when = both(known(&file), known(g.present))
		case c.match == plan.NotMatched:
			when = lacks(&file)
		default:
			when = lacks(g.present)
		}
		if when = both(when, c.cond); when == nil {
			when = plan.Bool(true)
		}
		args = append(args, when, plan.Int(int64(i+1)))
	}
	return call("case", types.Integer, false, append(args, plan.Int(0))...)
}

// opOf is what becomes of a row for which a clause was chosen.
func (g *merge) opOf(act *plan.Attribute) plan.Expr {
	if len(g.clauses) == 1 {
		return plan.Int(g.clauses[0].op)
	}
	var args []plan.Expr
	for i, c := range g.clauses[:len(g.clauses)-1] {
		args = append(args, call("=", types.Boolean, false, act, plan.Int(int64(i+1))), plan.Int(c.op))
	}
	return call("case", types.Integer, false, append(args, plan.Int(g.clauses[len(g.clauses)-1].op))...)
}

// values are the columns of the row that comes, by the clause that was chosen; nil where no clause makes one.
func (g *merge) values(act *plan.Attribute) []plan.Expr {
	any := false
	for _, c := range g.clauses {
		any = any || c.values != nil
	}
	if !any {
		return nil
	}
	out := make([]plan.Expr, len(g.schema.Fields))
	for k := range out {
		out[k] = g.value(act, k)
	}
	return out
}

func (g *merge) value(act *plan.Attribute, k int) plan.Expr {
	var first *plan.Attribute
	same := true
	var args []plan.Expr
	var t *types.Type
	for i, c := range g.clauses {
		if c.values == nil {
			continue // what a deleted row would become is not read
		}
		v := c.values[k]
		if t == nil {
			t = plan.TypeOf(v)
		}
		if a, ok := v.(*plan.Attribute); ok && (first == nil && len(args) == 0 || first != nil && first.ID == a.ID) {
			first = a
		} else {
			same = false
		}
		args = append(args, call("=", types.Boolean, false, act, plan.Int(int64(i+1))), v)
	}
	if same && first != nil {
		return first
	}
	if len(args) == 2 && len(g.clauses) == 1 {
		return args[1]
	}
	f := g.schema.Fields[k]
	for i := 1; i < len(args); i += 2 {
		if !plan.TypeOf(args[i]).SameData(f.Type) {
			args[i] = &plan.Cast{Child: args[i], To: f.Type, Mode: plan.ModeANSI, Implicit: true}
		}
	}
	return call("case", f.Type, true, append(args, &plan.Literal{T: f.Type})...)
}

// keysListed is up to how many keys a source's are listed to find the table's files, rather than their bounds.
const keysListed = 64

// narrow is the table filtered by what the source's keys allow, as far as only rows that match matter, and the number of the source's rows.
func (g *merge) narrow() (plan.Node, int64, error) {
	if g.has(plan.NotMatchedBySource) {
		n, err := g.countSource()
		return g.rows, n, err
	}
	where := g.targetOnly(g.on)
	keys := g.keys()
	bounds, n, err := g.bounds(keys)
	if err != nil {
		return nil, 0, err
	}
	where = append(where, bounds...)
	g.where = both(where...)
	target := g.rows
	if g.where != nil {
		target = &plan.Filter{Input: target, Condition: g.where}
	}
	if g.joinType() == plan.RightJoin && len(keys) > 0 && g.has(plan.Matched) && movable(g.on) {
		again, on, err := g.copyOfSource()
		if err != nil {
			return nil, 0, err
		}
		target = &plan.Join{Left: target, Right: again, Type: plan.SemiJoin, Condition: on}
	}
	return target, n, nil
}

// copyOfSource is the source and the condition again, in columns of their own.
func (g *merge) copyOfSource() (plan.Node, plan.Expr, error) {
	n, err := g.copied(g.source)
	if err != nil {
		return nil, nil, err
	}
	now := map[plan.ID]*plan.Attribute{}
	for i, a := range n.(plan.Resolved).Output() {
		now[g.given[i].ID] = a
	}
	on, err := plan.TransformExpr(g.on, func(e plan.Expr) (plan.Expr, error) {
		if a, ok := e.(*plan.Attribute); ok && now[a.ID] != nil {
			return now[a.ID], nil
		}
		return e, nil
	})
	return n, on, err
}

// copied is a relation in columns of their own.
func (c *rowChange) copied(n plan.Node) (plan.Node, error) {
	out, err := analyze.Copy(n, c.last)
	if err == nil {
		c.last = max(c.last, plan.MaxID(out))
	}
	return out, err
}

// mergeKey is a column of the table that has to be equal to an expression of the source.
type mergeKey struct {
	column *plan.Attribute
	source plan.Expr
}

// keys are the equalities of the condition whose values have an order by which files can be left out.
func (g *merge) keys() []mergeKey {
	own := map[plan.ID]*plan.Attribute{}
	for _, a := range g.columns {
		own[a.ID] = a
	}
	var out []mergeKey
	for _, e := range optimize.Conjuncts(g.on) {
		c, ok := e.(*plan.Call)
		if !ok || c.Name != "=" || !movable(e) {
			continue
		}
		for i := range 2 {
			a, is := c.Args[i].(*plan.Attribute)
			if !is || own[a.ID] == nil || !bounded(a.T) || !g.ofSource(c.Args[1-i]) {
				continue
			}
			out = append(out, mergeKey{own[a.ID], c.Args[1-i]})
			break
		}
	}
	return out
}

func bounded(t *types.Type) bool {
	switch t.Kind {
	case types.KindString:
		return t.Collation == "" || t.Collation == "UTF8_BINARY"
	case types.KindDate, types.KindTimestamp, types.KindTimestampNTZ, types.KindDecimal:
		return true
	}
	return t.IsIntegral()
}

func (g *merge) ofSource(e plan.Expr) bool {
	given := map[plan.ID]bool{}
	for _, a := range g.given {
		given[a.ID] = true
	}
	refs := optimize.References(e)
	for id := range refs {
		if !given[id] {
			return false
		}
	}
	return len(refs) > 0
}

// bounds are conditions that the source's keys put on the table's columns, and the number of the source's rows.
func (g *merge) bounds(keys []mergeKey) ([]plan.Expr, int64, error) {
	if len(keys) == 0 {
		n, err := g.countSource()
		return nil, n, err
	}
	agg := &plan.Aggregate{Input: g.source, Exprs: []plan.Expr{g.aggregate("count", types.Long, plan.Int(1))}}
	for _, k := range keys {
		t := plan.TypeOf(k.source)
		agg.Exprs = append(agg.Exprs, g.aggregate("min", t, k.source), g.aggregate("max", t, k.source))
	}
	rows, err := g.st.collect(agg, 1)
	if err != nil {
		return nil, 0, err
	}
	n := rows[0][0].(int64)
	var list []plan.Expr
	if n > 0 && n <= keysListed {
		list, err = g.listed(keys)
		return list, n, err
	}
	for i, k := range keys {
		low, high := rows[0][1+2*i], rows[0][2+2*i]
		if low == nil || high == nil {
			return []plan.Expr{plan.Bool(false)}, n, nil // a null key matches nothing
		}
		t := plan.TypeOf(k.source)
		list = append(list, call(">=", types.Boolean, true, k.column, &plan.Literal{Value: low, T: t}),
			call("<=", types.Boolean, true, k.column, &plan.Literal{Value: high, T: t}))
	}
	return list, n, nil
}

// listed are conditions that name a small source's keys.
func (g *merge) listed(keys []mergeKey) ([]plan.Expr, error) {
	p := &plan.Project{Input: g.source}
	for _, k := range keys {
		p.Exprs = append(p.Exprs, &plan.Alias{Child: k.source, Names: []string{"key"}, ID: g.id()})
	}
	rows, err := g.st.collect(p, keysListed+1)
	if err != nil {
		return nil, err
	}
	var list []plan.Expr
	for i, k := range keys {
		args := []plan.Expr{k.column}
		seen := map[any]bool{}
		for _, row := range rows {
			if v := row[i]; v != nil && !seen[v] {
				seen[v] = true
				args = append(args, &plan.Literal{Value: v, T: plan.TypeOf(k.source)})
			}
		}
		switch len(args) {
		case 1:
			return []plan.Expr{plan.Bool(false)}, nil
		case 2:
			list = append(list, call("=", types.Boolean, true, args...))
		default:
			list = append(list, call("in", types.Boolean, true, args...))
		}
	}
	return list, nil
}

func (g *merge) aggregate(name string, t *types.Type, arg plan.Expr) plan.Expr {
	return &plan.Alias{Child: &plan.Call{Name: name, Args: []plan.Expr{arg}, T: t, Null: name != "count", Mode: plan.ModeANSI, Aggregate: true},
		Names: []string{name}, ID: g.id()}
}

func (g *merge) countSource() (int64, error) {
	rows, err := g.st.collect(&plan.Aggregate{Input: g.source, Exprs: []plan.Expr{g.aggregate("count", types.Long, plan.Int(1))}}, 1)
	if err != nil {
		return 0, err
	}
	return rows[0][0].(int64), nil
}

func mergeMetrics(c *rowChange, r *changes) map[string]string {
	updated, deleted, inserted := r.merged()
	added, gone, changed := r.vectorCounts()
	all, scan, rewrite := c.times(r)
	return delta.Metrics("numSourceRows", r.sources, "numTargetRowsInserted", inserted, "numTargetRowsUpdated", updated, "numTargetRowsDeleted", deleted,
		"numTargetRowsMatchedUpdated", r.counts[opUpdate], "numTargetRowsMatchedDeleted", r.counts[opDelete],
		"numTargetRowsNotMatchedBySourceUpdated", r.counts[opUpdate|changedBySource], "numTargetRowsNotMatchedBySourceDeleted", r.counts[opDelete|changedBySource],
		"numTargetRowsCopied", r.copies, "numOutputRows", r.copies+updated+inserted, "numTargetFilesAdded", len(r.added), "numTargetBytesAdded", bytesOf(r.added),
		"numTargetFilesRemoved", len(r.removed), "numTargetBytesRemoved", bytesOf(r.removed), "numTargetChangeFilesAdded", len(r.images),
		"numTargetDeletionVectorsAdded", added, "numTargetDeletionVectorsRemoved", gone, "numTargetDeletionVectorsUpdated", changed,
		"executionTimeMs", all, "scanTimeMs", scan, "rewriteTimeMs", rewrite, "materializeSourceTimeMs", 0)
}
