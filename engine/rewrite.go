package engine

import (
	"strings"

	"millrace/delta"
	"millrace/delta/log"
	"millrace/errs"
	"millrace/plan"
	"millrace/table/deltatable"
	"millrace/txn"
	"millrace/types"
)

// scanFiles is the rows of some files of a table.
func (st *statement) scanFiles(l *log.Table, snap *delta.Snapshot, files []*delta.Add) *plan.Scan {
	t := deltatable.New(l, snap.WithFiles(files), st.zone())
	t.Pinned, t.Private = true, true
	return plan.WholeScan(t, t.Schema().Fields)
}

// compacted is how files are rewritten.
type compacted struct {
	target  int64                               // bytes of a file
	arrange func(*plan.Scan) (plan.Node, error) // nil: all rows go to one task
}

// rewriteFiles writes the rows of files anew, without those that deletion vectors have taken out. Rows that the table tracks stay known by what they were.
func (st *statement) rewriteFiles(l *log.Table, snap *delta.Snapshot, files []*delta.Add, m *delta.Metadata, how compacted) ([]*delta.Add, error) {
	schema, err := delta.ParseSchema(m.SchemaString)
	if err != nil {
		return nil, err
	}
	scan := st.scanFiles(l, snap, files)
	t := scan.Table.(*deltaTable)
	var tracked []plan.Expr
	if id, version := t.RowColumns(); id != "" {
		scan.Table = deltatable.NewPlaced(t)
		for i, name := range []string{id, version} {
			a := &plan.Attribute{ID: plan.ID(len(scan.Attrs) + 1), Name: name, T: types.Long, Null: true}
			scan.Fields, scan.Attrs, tracked = append(scan.Fields, len(t.Schema().Fields)+2+i), append(scan.Attrs, a), append(tracked, a)
		}
	}
	var input plan.Node = &plan.Repartition{Input: scan, N: 1, Shuffle: true}
	if how.arrange != nil {
		if input, err = how.arrange(scan); err != nil {
			return nil, err
		}
	}
	sink, input, err := st.sink(l.URL(), input, m, schema)
	if err != nil {
		return nil, err
	}
	sink.TargetFileBytes = how.target
	if tracked != nil {
		p := input.(*plan.Project)
		p.Exprs = append(p.Exprs, tracked...)
		keepRows(t, sink)
	}
	adds, _, err := st.writeInto(sink, input)
	for _, a := range adds {
		a.DataChange = false
	}
	return adds, err
}

// rewriteAll writes the chosen files of the table anew under the changed metadata, as one version.
func (a *alteration) rewriteAll(chosen func(*delta.Add) bool) error {
	var files []*delta.Add
	for f := range a.before.All() {
		if chosen(f) {
			files = append(files, f)
		}
	}
	a.m.SchemaString = a.schema.JSON()
	adds, err := a.st.rewriteFiles(a.log, a.before, files, a.m, compacted{target: maxFileBytes})
	if err != nil {
		return err
	}
	actions := []delta.Action{{Metadata: a.m}}
	for _, f := range files {
		actions = append(actions, delta.Action{Remove: f.Remove(a.st.settings.NowMicros/1000, false)})
	}
	for _, f := range adds {
		actions = append(actions, delta.Action{Add: f})
	}
	a.reads = true
	a.info = delta.Info("REORG", delta.Param{Name: "predicate", Value: "[]"}, delta.Param{Name: "applyPurge", Value: true})
	return a.put(actions)
}

// partitionChooser keeps the files of the partitions for which a condition holds. It may name partition columns only.
func (st *statement) partitionChooser(l *log.Table, snap *delta.Snapshot, where plan.Expr) (func(*delta.Add) (bool, error), error) {
	if where == nil {
		return func(*delta.Add) (bool, error) { return true, nil }, nil
	}
	resolved, err := st.analyze(&plan.Filter{Input: &plan.UnresolvedRelation{Parts: []string{"delta", l.URL()}}, Condition: where})
	if err != nil {
		return nil, err
	}
	condition := resolved.(*plan.Filter).Condition
	names := map[plan.ID]string{}
	for _, a := range resolved.(*plan.Filter).Input.(plan.Resolved).Output() {
		names[a.ID] = a.Name
	}
	partition := snap.PartitionColumns()
	plan.WalkExpr(condition, func(e plan.Expr) bool {
		if a, ok := e.(*plan.Attribute); ok && !containsName(partition, names[a.ID]) && err == nil {
			err = errs.New("DELTA_NON_PARTITION_COLUMN_REFERENCE", "columnName", names[a.ID], "columnList", "["+strings.Join(partition, ", ")+"]")
		}
		return true
	})
	if err != nil {
		return nil, err
	}
	known := map[string]bool{}
	return func(a *delta.Add) (bool, error) {
		key := partitionKey(a)
		if keep, ok := known[key]; ok {
			return keep, nil
		}
		keep, err := st.holds(condition, names, snap, a)
		known[key] = keep
		return keep, err
	}, nil
}

// holds evaluates a condition on a file's partition values.
func (st *statement) holds(condition plan.Expr, names map[plan.ID]string, snap *delta.Snapshot, a *delta.Add) (bool, error) {
	e, err := plan.TransformExpr(condition, func(e plan.Expr) (plan.Expr, error) {
		attr, ok := e.(*plan.Attribute)
		if !ok {
			return e, nil
		}
		f, _ := snap.Schema().Field(names[attr.ID], false)
		v, err := delta.ParsePartition(f.Type, a.PartitionValues[delta.PhysicalName(f)], st.zone())
		return &plan.Literal{Value: deltatable.Literal(v, f.Type), T: f.Type}, err
	})
	if err != nil {
		return false, err
	}
	lit, ok := e.(*plan.Literal)
	if !ok {
		if lit, err = st.fold(e); err != nil {
			return false, err
		}
	}
	yes, _ := lit.Value.(bool)
	return yes, nil
}

func partitionKey(a *delta.Add) string {
	return jsonValue(a.PartitionValues)
}

func containsName(list []string, name string) bool {
	for _, x := range list {
		if strings.EqualFold(x, name) {
			return true
		}
	}
	return false
}

// commitMaintenance commits a change of files that changes no rows.
func (st *statement) commitMaintenance(snap *delta.Snapshot, actions []delta.Action, info delta.CommitInfo) (txn.Result, error) {
	info.EngineInfo, info.UserMetadata = st.e.o.Version, st.userMetadata(nil)
	return st.commit(request(snap, actions, info))
}
