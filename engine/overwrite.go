package engine

import (
	"strings"

	"millrace/delta"
	"millrace/delta/log"
	"millrace/errs"
	"millrace/plan"
	"millrace/session"
	"millrace/sql"
	"millrace/table/deltatable"
	"millrace/types"
)

// replaced completes a write by what its options and the session say about the rows that it replaces: those that meet a condition, or those of
// the partitions that it writes to.
func (st *statement) replaced(w *deltaWrite) error {
	if w.mode != plan.SaveOverwrite || w.batch != nil || w.matching != nil {
		return nil // a stream in complete mode replaces all rows
	}
	if text, ok := option(w.options, "replaceWhere"); ok && strings.TrimSpace(text) != "" {
		if w.replaceIf != nil {
			return errs.New("DELTA_REPLACE_WHERE_IN_OVERWRITE")
		}
		e, err := sql.ParseExpression(text)
		if err != nil {
			return err
		}
		w.replaceIf, w.replaceText = e, text
	}
	mode, given := option(w.options, "partitionOverwriteMode")
	if !given {
		mode = st.s.Conf.Get("spark.sql.sources.partitionOverwriteMode")
	}
	dynamic := strings.EqualFold(mode, "dynamic") && !w.replace
	switch {
	case dynamic && given && w.replaceIf != nil:
		return errs.New("DELTA_REPLACE_WHERE_WITH_DYNAMIC_PARTITION_OVERWRITE")
	case dynamic && given && isTrue(w.options, "overwriteSchema"):
		return errs.New("DELTA_OVERWRITE_SCHEMA_WITH_DYNAMIC_PARTITION_OVERWRITE")
	case w.replaceIf == nil && !isTrue(w.options, "overwriteSchema"):
		w.dynamic = w.dynamic || dynamic
	}
	if w.replaceIf != nil && isTrue(w.options, "overwriteSchema") {
		return errs.Unsupportedf("overwriteSchema cannot be used with replaceWhere.")
	}
	return nil
}

// overwritten removes what a write replaces: all files, or those of the partitions that it wrote to. read is what it had to know of the table.
func (st *statement) overwritten(w deltaWrite, before *delta.Snapshot, adds []*delta.Add) (removed []*delta.Add, read []delta.Filter, err error) {
	if w.mode != plan.SaveOverwrite || !before.Exists() {
		return nil, nil, nil
	}
	if !w.dynamic || len(before.PartitionColumns()) == 0 {
		for a := range before.All() {
			removed = append(removed, a)
		}
		return removed, nil, nil
	}
	key := func(a *delta.Add) string {
		var b strings.Builder
		for _, name := range before.PartitionColumns() {
			f, _ := before.Schema().Field(name, false)
			if v := a.PartitionValues[delta.PhysicalName(f)]; v != nil {
				b.WriteString("\x01" + samePartition(f.Type, *v, st))
			}
			b.WriteByte(0)
		}
		return b.String()
	}
	written := map[string]bool{}
	for _, a := range adds {
		if written[key(a)] {
			continue
		}
		written[key(a)] = true
		f, err := st.partitionFilter(before, a)
		if err != nil {
			return nil, nil, err
		}
		read = append(read, f)
	}
	for a := range before.All() {
		if written[key(a)] {
			removed = append(removed, a)
		}
	}
	return removed, read, nil
}

// samePartition gives the spellings of a partition's value one form.
func samePartition(t *types.Type, text string, st *statement) string {
	v, err := delta.ParsePartition(t, &text, st.zone())
	if err != nil || v == nil {
		return text
	}
	return string(delta.AppendStat(nil, t, v)) + "\x02" + typeName(v)
}

// partitionFilter is the filter of a file's partition.
func (st *statement) partitionFilter(s *delta.Snapshot, a *delta.Add) (delta.Filter, error) {
	f := delta.Filter{}
	for _, name := range s.PartitionColumns() {
		c, _ := s.Schema().Field(name, false)
		v, err := delta.ParsePartition(c.Type, a.PartitionValues[delta.PhysicalName(c)], st.zone())
		if err != nil {
			return nil, err
		}
		cond := delta.Condition{Column: []string{c.Name}, Op: delta.Eq, Value: v}
		if v == nil {
			cond.Op = delta.IsNull
		}
		f = append(f, cond)
	}
	return f, nil
}

// replaceRows writes rows in the place of those that meet a condition, which the new ones have to meet too.
func (st *statement) replaceRows(w deltaWrite, l *log.Table, before *delta.Snapshot, m *delta.Metadata, input plan.Node) (session.Result, error) {
	c := &rowChange{st: st, operation: "WRITE", write: &w, last: plan.MaxID(input)}
	if err := c.replace(l, before, m); err != nil {
		return nil, err
	}
	cond, err := c.condition(w.replaceIf, c.plain)
	if err != nil {
		return nil, err
	}
	c.where = both(c.targetOnly(cond)...)
	c.info = delta.WriteInfo(delta.WriteParams{Mode: "Overwrite", PartitionBy: w.partitionBy, Predicate: w.replaceText, MergeSchema: isTrue(w.options, "mergeSchema")})
	r, err := c.replacedRows(cond)
	if err != nil {
		return nil, err
	}
	fresh, err := c.newRows(input)
	if err != nil {
		return nil, err
	}
	r.add(fresh)
	return emptyResult(), c.commit(r, replaceMetrics)
}

// replace makes the change one of a table whose rows give way to new ones, which are of the columns that metadata has.
func (c *rowChange) replace(l *log.Table, before *delta.Snapshot, m *delta.Metadata) error {
	scan := &plan.Scan{Table: deltatable.New(l, before, c.st.zone())}
	for i, f := range before.Schema().Fields {
		scan.Fields = append(scan.Fields, i)
		scan.Attrs = append(scan.Attrs, &plan.Attribute{ID: c.id(), Name: f.Name, T: f.Type, Null: f.Nullable})
	}
	if err := c.open(scan); err != nil {
		return err
	}
	schema, err := delta.ParseSchema(m.SchemaString)
	c.metadata, c.schema = m, schema
	return err
}

// replacedRows takes away the rows that meet a condition.
func (c *rowChange) replacedRows(cond plan.Expr) (*changes, error) {
	whole, ok, err := c.wholeFiles(cond)
	if err != nil {
		return nil, err
	}
	if ok {
		c.file = nil // no images: the files tell all
		return &changes{counts: map[int32]int64{}, removed: whole, whole: true}, nil
	}
	q := &plan.Project{Input: &plan.Filter{Input: c.rows, Condition: cond}, Exprs: c.head(plan.Int(opDelete))}
	if c.feeds() {
		old, err := c.oldImages()
		if err != nil {
			return nil, err
		}
		q.Exprs = append(q.Exprs, old...)
	}
	return c.run(q, 0)
}

// oldImages are the columns of the row that goes, as the table has them after the statement.
func (c *rowChange) oldImages() ([]plan.Expr, error) {
	var out []plan.Expr
	for i, f := range c.schema.Fields {
		v, err := c.st.storedExpr(c.current(i), f, f.Name)
		if err != nil {
			return nil, err
		}
		out = append(out, &plan.Alias{Child: v, Names: []string{f.Name}, ID: c.id()})
	}
	return out, nil
}

// newRows writes the rows of an input.
func (c *rowChange) newRows(input plan.Node) (*changes, error) {
	if err := c.conforms(&input); err != nil {
		return nil, err
	}
	input, id, err := c.st.ruled(input, c.metadata)
	if err != nil {
		return nil, err
	}
	c.identity = id
	_, input, err = c.st.sink(c.table.Log.URL(), input, c.metadata, c.schema)
	if err != nil {
		return nil, err
	}
	c.last = max(c.last, plan.MaxID(input))
	nothing := func(t *types.Type) plan.Expr {
		return &plan.Alias{Child: &plan.Literal{T: t}, Names: []string{"nothing"}, ID: c.id()}
	}
	q := &plan.Project{Input: input, Exprs: []plan.Expr{&plan.Alias{Child: plan.Int(opInsert), Names: []string{"op"}, ID: c.id()}, nothing(types.Integer), nothing(types.Long)}}
	q.Exprs = append(append(q.Exprs, exprs(input.(plan.Resolved).Output())...), c.tracked(false)...)
	if c.feeds() && c.file != nil {
		for _, f := range c.schema.Fields {
			q.Exprs = append(q.Exprs, nothing(f.Type))
		}
	}
	return c.run(q, len(c.schema.Fields))
}

// conforms holds new rows against the condition of the rows that they replace.
func (c *rowChange) conforms(input *plan.Node) error {
	if c.write.replaceIf == nil || strings.EqualFold(c.st.s.Conf.Get("spark.databricks.delta.replaceWhere.constraintCheck.enabled"), "false") {
		return nil
	}
	cond, err := c.condition(c.write.replaceIf, *input)
	if err != nil {
		return err
	}
	options := valueOptions("DELTA_REPLACE_WHERE_MISMATCH", "", c.write.replaceText, cond)
	*input = &plan.Filter{Input: *input, Condition: rule(options, plan.Bool(true), cond, valuesOf(cond)...)}
	return nil
}

func replaceMetrics(c *rowChange, r *changes) map[string]string {
	added, removed, updated := r.vectorCounts()
	return delta.Metrics("numFiles", len(r.added), "numOutputRows", r.counts[opInsert]+r.copies, "numOutputBytes", bytesOf(r.added),
		"numRemovedFiles", len(r.removed), "numRemovedBytes", bytesOf(r.removed), "numDeletedRows", r.counts[opDelete], "numCopiedRows", r.copies,
		"numAddedFiles", len(r.added), "numAddedBytes", bytesOf(r.added), "numAddedChangeFiles", len(r.images), "numDeletionVectorsAdded", added,
		"numDeletionVectorsRemoved", removed, "numDeletionVectorsUpdated", updated)
}
