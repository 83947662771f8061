package engine

import (
	"errors"
	"maps"
	"slices"
	"strings"

	"millrace/delta"
	"millrace/delta/log"
	"millrace/errs"
	"millrace/plan"
	"millrace/session"
	"millrace/sql"
	"millrace/types"
)

var (
	historySchema  = mustSchema(delta.HistorySchema)
	detailSchema   = mustSchema("format STRING, id STRING, name STRING, description STRING, location STRING, createdAt TIMESTAMP, lastModified TIMESTAMP, partitionColumns ARRAY<STRING>, clusteringColumns ARRAY<STRING>, numFiles BIGINT, sizeInBytes BIGINT, properties MAP<STRING, STRING>, minReaderVersion INT, minWriterVersion INT, tableFeatures ARRAY<STRING>")
	describeSchema = mustSchema("col_name STRING NOT NULL COMMENT 'name of the column', data_type STRING NOT NULL COMMENT 'data type of the column', comment STRING COMMENT 'comment of the column'")
	restoreSchema  = mustSchema("table_size_after_restore BIGINT, num_of_files_after_restore BIGINT, num_removed_files BIGINT, num_restored_files BIGINT, removed_files_size BIGINT, restored_files_size BIGINT")
)

func mustSchema(ddl string) *types.Type {
	t, err := sql.ParseSchema(ddl)
	if err != nil {
		panic(err) // the text is above
	}
	return t
}

// snapshot is a table's version: the newest, or that of a number or time.
func (st *statement) snapshot(l *log.Table, travel *plan.TimeTravel) (*delta.Snapshot, error) {
	switch {
	case travel == nil:
		return st.newestOf(l)
	case travel.Version != nil:
		return l.At(st.ctx, *travel.Version)
	}
	micros, err := st.instant(travel.Timestamp)
	if err != nil {
		return nil, err
	}
	return l.AtTime(st.ctx, micros/1000, st.zone())
}

// instant computes a constant timestamp, in microseconds.
func (st *statement) instant(e plan.Expr) (int64, error) {
	p, err := st.analyze(&plan.Project{Input: &plan.OneRow{}, Exprs: []plan.Expr{&plan.Alias{Child: &plan.Cast{Child: e, To: types.Timestamp, Mode: plan.ModeANSI}, Names: []string{"t"}}}})
	if err != nil {
		return 0, err
	}
	value := p.(*plan.Project).Exprs[0].(*plan.Alias).Child
	if l, ok := value.(*plan.Literal); ok && l.Value != nil {
		return l.Value.(int64), nil
	}
	l, err := st.fold(value)
	if err != nil {
		return 0, err
	}
	if l == nil || l.Value == nil {
		return 0, errs.New("INVALID_TIME_TRAVEL_TIMESTAMP_EXPR.INPUT", "expr", plan.Format(p))
	}
	return l.Value.(int64), nil
}

// deltaTarget is the Delta table that a command names, by name or path.
func (st *statement) deltaTarget(operation string, name []string, path string) (*log.Table, *target, error) {
	t := &target{provider: "delta", path: path}
	if path == "" {
		var err error
		if t, err = st.target(name); err != nil {
			return nil, nil, err
		}
	}
	switch {
	case t == nil:
		return nil, nil, errs.New("TABLE_OR_VIEW_NOT_FOUND", "relationName", types.QuoteParts(name...))
	case t.provider != "delta":
		return nil, nil, errs.New("DELTA_TABLE_ONLY_OPERATION", "tableName", t.name(), "operation", operation)
	}
	l, err := st.e.o.Logs.Table(t.path)
	if err != nil {
		return nil, nil, err
	}
	if _, err := l.Snapshot(st.ctx); errs.Is(err, errs.NotFound) {
		return nil, nil, errs.New("DELTA_TABLE_ONLY_OPERATION", "tableName", types.Quote(t.path), "operation", operation)
	} else if err != nil {
		return nil, nil, err
	}
	return l, t, nil
}

func (st *statement) describe(c *plan.Describe) (session.Result, error) {
	switch strings.ToLower(c.Kind) {
	case "history":
		return st.history(c)
	case "detail":
		return st.detail(c)
	case "json":
		return st.describeAsJSON(c)
	case "schema":
		return st.describeNamespace(c)
	case "function":
		return st.describeFunction(c)
	case "table", "query":
		if c.Partition != nil {
			return st.describePartition(c)
		}
		return st.describeTable(c)
	case "column":
		return st.describeColumn(c)
	}
	return nil, errs.Unsupportedf("DESCRIBE %s is not supported yet.", strings.ToUpper(c.Kind))
}

func (st *statement) history(c *plan.Describe) (session.Result, error) {
	l, _, err := st.deltaTarget("DESCRIBE HISTORY", c.Name, c.Path)
	if err != nil {
		return nil, err
	}
	limit := 0
	if c.Limit != nil {
		limit = int(*c.Limit)
	}
	entries, err := l.History(st.ctx, limit)
	if err != nil {
		return nil, err
	}
	rows := make([][]any, len(entries))
	for i, h := range entries {
		var job, notebook any
		if h.Job != nil {
			list := make([]any, 0, 6)
			for _, f := range historySchema.Fields[6].Type.Fields {
				list = append(list, text(lookup(h.Job, f.Name)))
			}
			job = list
		}
		if h.NotebookID != nil {
			notebook = []any{*h.NotebookID}
		}
		rows[i] = []any{h.Version, h.Timestamp * 1000, text(h.UserID), text(h.UserName), text(h.Operation), parameters(h.OperationParameters), job, notebook,
			text(h.ClusterID), number(h.ReadVersion), text(h.IsolationLevel), truth(h.IsBlindAppend), mapOf(h.OperationMetrics), text(h.UserMetadata), text(h.EngineInfo)}
	}
	return st.rowsResult(historySchema, rows)
}

func lookup(m map[string]string, key string) *string {
	if v, ok := m[key]; ok {
		return &v
	}
	return nil
}

func text(s *string) any {
	if s == nil {
		return nil
	}
	return *s
}

func number(n *int64) any {
	if n == nil {
		return nil
	}
	return *n
}

func truth(b *bool) any {
	if b == nil {
		return nil
	}
	return *b
}

// mapOf is a map in the form of plan.Literal: keys and values in turn.
func mapOf(m map[string]string) any {
	if m == nil {
		return nil
	}
	list := make([]any, 0, 2*len(m))
	for _, k := range slices.Sorted(maps.Keys(m)) {
		list = append(list, k, m[k])
	}
	return list
}

// parameters is an operation's parameters, some of which are null.
func parameters(m map[string]*string) any {
	if m == nil {
		return nil
	}
	list := make([]any, 0, 2*len(m))
	for _, k := range slices.Sorted(maps.Keys(m)) {
		list = append(list, k, text(m[k]))
	}
	return list
}

func stringList(list []string) any {
	out := make([]any, len(list))
	for i, s := range list {
		out[i] = s
	}
	return out
}

func (st *statement) detail(c *plan.Describe) (session.Result, error) {
	l, t, err := st.deltaTarget("DESCRIBE DETAIL", c.Name, c.Path)
	if err != nil {
		return nil, err
	}
	s, err := l.Snapshot(st.ctx)
	if err != nil {
		return nil, err
	}
	var name, description, created any
	if t.entry != nil {
		name = "spark_catalog." + t.entry.Namespace + "." + t.entry.Name
	}
	if s.Metadata.Description != "" {
		description = s.Metadata.Description
	}
	if s.Metadata.CreatedTime != nil {
		created = *s.Metadata.CreatedTime * 1000
	}
	rows := [][]any{{"delta", s.Metadata.ID, name, description, l.URL(), created, s.Timestamp * 1000, stringList(s.PartitionColumns()), stringList(s.ClusteringColumns()),
		int64(s.NumFiles()), s.SizeInBytes(), mapOf(s.Metadata.Configuration), int64(s.Protocol.MinReaderVersion), int64(s.Protocol.MinWriterVersion),
		stringList(s.Protocol.Features())}}
	return st.rowsResult(detailSchema, rows)
}

// describeTable lists the columns of a table, view or query.
func (st *statement) describeTable(c *plan.Describe) (session.Result, error) {
	schema, err := st.describedColumns(c)
	if err != nil {
		return nil, err
	}
	var rows [][]any
	for _, f := range schema.Fields {
		var comment any
		if raw := delta.FieldMetadata(f, "comment"); raw != nil {
			comment = delta.Text(raw)
		}
		rows = append(rows, []any{f.Name, f.Type.String(), comment})
	}
	if len(st.read) == 1 && c.Query == nil {
		if cols := st.read[0].Snapshot.PartitionColumns(); len(cols) > 0 {
			rows = append(rows, []any{"# Partition Information", "", ""}, []any{"# col_name", "data_type", "comment"})
			for _, p := range cols {
				f, _ := st.read[0].Schema().Field(p, false)
				rows = append(rows, []any{f.Name, f.Type.String(), nil})
			}
		}
		if c.Extended {
			if rows, err = st.extended(c.Name, rows); err != nil {
				return nil, err
			}
		}
	}
	if c.Query == nil {
		if rows, err = st.describeFiles(c, rows); err != nil {
			return nil, err
		}
	}
	return st.rowsResult(describeSchema, rows)
}

// describedColumns are the columns of what DESCRIBE names; those of a view are what its record says, though its tables may have changed.
func (st *statement) describedColumns(c *plan.Describe) (*types.Type, error) {
	query := c.Query
	if query == nil {
		e, err := st.shapedEntry(c.Name)
		if err != nil {
			return nil, err
		}
		if e != nil && e.View != "" {
			return e.fileSchema()
		}
		query = &plan.UnresolvedRelation{Parts: c.Name}
	}
	resolved, err := st.analyze(query)
	if err != nil {
		return nil, err
	}
	return plan.Schema(resolved), nil
}

// restore is RESTORE TABLE.
func (st *statement) restore(c *plan.Restore) (session.Result, error) {
	l, _, err := st.deltaTarget("RESTORE", c.Name, c.Path)
	if err != nil {
		return nil, err
	}
	old, err := st.snapshot(l, c.Travel)
	if e := (*errs.Error)(nil); errors.As(err, &e) && e.Condition == "DELTA_VERSION_NOT_FOUND" {
		return nil, errs.New("DELTA_CANNOT_RESTORE_TABLE_VERSION", "version", e.Params["userVersion"], "startVersion", e.Params["earliest"], "endVersion", e.Params["latest"])
	}
	if err != nil {
		return nil, err
	}
	now, err := st.newestOf(l)
	if err != nil {
		return nil, err
	}
	if err := now.Protocol.CheckWrite(l.URL(), now.Metadata, now.Schema()); err != nil {
		return nil, err
	}
	if old.Version == now.Version {
		return st.rowsResult(restoreSchema, nil) // there is nothing to bring back, and no commit
	}
	r, err := l.Restore(st.ctx, now, old.Version, st.settings.NowMicros/1000)
	if err != nil {
		return nil, err
	}
	info, err := st.restoreInfo(c.Travel)
	if err != nil {
		return nil, err
	}
	info.OperationMetrics, info.EngineInfo, info.UserMetadata = r.Metrics(), st.e.o.Version, st.userMetadata(nil)
	req := request(now, r.Actions, info)
	req.ReadTable = true
	if _, err := st.commit(req); err != nil {
		return nil, err
	}
	return st.rowsResult(restoreSchema, [][]any{{r.TableSize, r.NumFiles, r.NumRemoved, r.NumRestored, r.RemovedSize, r.RestoredSize}})
}

func (st *statement) restoreInfo(travel *plan.TimeTravel) (delta.CommitInfo, error) {
	if travel.Version != nil {
		return delta.RestoreInfo(travel.Version, ""), nil
	}
	micros, err := st.instant(travel.Timestamp)
	if err != nil {
		return delta.CommitInfo{}, err
	}
	stamp, err := st.fold(&plan.Cast{Child: &plan.Literal{Value: micros, T: types.Timestamp}, To: types.String, Mode: plan.ModeANSI})
	if err != nil || stamp == nil {
		return delta.CommitInfo{}, err
	}
	return delta.RestoreInfo(nil, stamp.Value.(string)), nil
}
