package engine

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/google/uuid"

	"millrace/delta"
	"millrace/delta/log"
	"millrace/errs"
	"millrace/physical"
	"millrace/plan"
	"millrace/plan/fn"
	"millrace/planconv"
	planpb "millrace/proto/millrace/plan/v1"
	"millrace/session"
	"millrace/txn"
	"millrace/types"
)

// deltaWrite is a write of rows into a Delta table.
type deltaWrite struct {
	path             string
	input            plan.Node // resolved
	mode             plan.SaveMode
	partitionBy      []string
	options          map[string]string
	info             func(*delta.Metadata) delta.CommitInfo // nil: that of a plain write
	create           func(m *delta.Metadata)                // changes the first metadata of a table
	coerce           bool                                   // values are cast to the table's types, as writes by a table's name do
	byPosition       bool                                   // columns are matched by place, as INSERT INTO does
	nestedByPosition bool                                   // the fields of structs are
	app              *delta.SetTransaction                  // nil: what the options txnAppId and txnVersion say
	ready            func(context.Context) error            // nil, or called before the commit
	batch            *BatchStats                            // nil, or told what was written for a micro-batch
	replaceIf        plan.Expr                              // the rows that an overwrite replaces, unresolved; nil: all
	replaceText      string                                 // the same as text
	given            plan.Node                              // the rows as they were before they were put into the table's order, or nil
	matching         *matching                              // the rows that an overwrite replaces are those that match new ones
	dynamic          bool                                   // an overwrite replaces the partitions that it writes to
	reads            []delta.Filter                         // what of the table the write had to know
	gone             []string                               // paths of files that it removes
	tags             map[string]string                      // of the commit's info
	mapping          string                                 // the column mapping that a new table is to have
	clusterBy        []string                               // columns of a new or replaced table
	replace          bool                                   // the write replaces table and schema, as CREATE OR REPLACE does
}

// writeDelta runs the input into data files and commits them.
func (st *statement) writeDelta(w deltaWrite) (session.Result, error) {
	var err error
	if w.matching, err = st.matchingOptions(&w); err != nil {
		return nil, err
	}
	if err := checkWriteOptions(w.options); err != nil {
		return nil, err
	}
	if err := st.replaced(&w); err != nil {
		return nil, err
	}
	if w.info == nil {
		w.info = st.writeInfo(w)
	}
	l, err := st.e.o.Logs.Table(w.path)
	if err != nil {
		return nil, err
	}
	st.writing = l.URL()
	before, err := st.newest(l)
	if err != nil {
		return nil, err
	}
	if w.batch == nil {
		if err := st.agree(); err != nil {
			return nil, err
		}
	}
	if app, err := st.application(w); err != nil || app != nil && alreadyWritten(before, *app) {
		return emptyResult(), err
	}
	if done, err := checkMode(w, l, before); done || err != nil {
		return emptyResult(), err
	}
	if w.matching != nil && before.Exists() {
		if st.checking {
			return emptyResult(), nil
		}
		release, err := st.keepInput(&w)
		if err != nil {
			return nil, err
		}
		defer release()
	}
	input, err := st.fitted(w, before)
	if err != nil {
		return nil, err
	}
	schema := plan.Schema(input).WithoutAutoNames()
	evolve := delta.WriteOptions{PartitionBy: w.partitionBy, Overwrite: w.mode == plan.SaveOverwrite, MergeSchema: st.mergeSchema(w.options),
		OverwriteSchema: w.replace || isTrue(w.options, "overwriteSchema"), Replace: w.replace, Mapping: w.mapping}
	metadata, err := before.Evolve(schema, evolve)
	if err != nil {
		return nil, err
	}
	actions, protocol, err := st.tableActions(w, before, metadata)
	if err != nil || st.checking {
		return emptyResult(), err
	}
	if w.replaceIf != nil && before.Exists() {
		return st.replaceRows(w, l, before, metadata, input)
	}
	if w.matching != nil && before.Exists() {
		return st.replaceMatching(w, l, before, metadata, input)
	}
	input, id, err := st.ruled(input, metadata)
	if err != nil {
		return nil, err
	}
	if id == nil {
		input = st.optimizedWrite(w.options, metadata, input)
	}
	adds, stats, err := st.writeFiles(l, input, metadata, protocol)
	if err != nil {
		return nil, err
	}
	removed, read, err := st.overwritten(w, before, adds)
	if err != nil {
		return nil, err
	}
	w.reads = read
	for _, a := range removed {
		actions = append(actions, delta.Action{Remove: a.Remove(st.settings.NowMicros/1000, true)})
		w.gone = append(w.gone, a.Path)
	}
	for i := range adds {
		actions = append(actions, delta.Action{Add: adds[i]})
	}
	if id != nil {
		if metadata, actions, err = counted(id, metadata, actions, stats.rows); err != nil {
			return nil, err
		}
		if len(actions) == len(adds)+1 { // nothing else changes the metadata
			w.tags = map[string]string{"delta.identity.schemaUpdate": "true"}
		}
	}
	return emptyResult(), st.commitWrite(w, before, metadata, actions, stats)
}

// newest is the table's newest version, or the empty one where there is no table.
func (st *statement) newest(l *log.Table) (*delta.Snapshot, error) {
	s, err := st.newestOf(l)
	if errs.Is(err, errs.NotFound) {
		return delta.Empty(l.URL()), nil
	}
	return s, err
}

// checkMode reports that nothing is to be done, or why nothing may be done, where the table exists already.
func checkMode(w deltaWrite, l *log.Table, before *delta.Snapshot) (done bool, err error) {
	if !before.Exists() {
		return false, nil
	}
	switch w.mode {
	case plan.SaveIgnore:
		return true, nil
	case plan.SaveErrorIfExists:
		return true, errs.New("DELTA_PATH_EXISTS", "path", l.URL())
	}
	return false, before.Protocol.CheckWrite(l.URL(), before.Metadata, before.Schema())
}

// checkWriteOptions refuses by name what a write cannot do yet.
func checkWriteOptions(options map[string]string) error {
	for _, name := range []string{"dataChange"} {
		if v, ok := option(options, name); ok && !(name == "dataChange" && strings.EqualFold(v, "true")) {
			return errs.Unsupportedf("The Delta writer's option %s=%s is not supported yet.", name, v)
		}
	}
	return nil
}

func isTrue(options map[string]string, name string) bool {
	v, _ := option(options, name)
	return strings.EqualFold(v, "true")
}

func (st *statement) mergeSchema(options map[string]string) bool {
	if _, given := option(options, "mergeSchema"); given {
		return isTrue(options, "mergeSchema")
	}
	return st.s.Conf.Bool("spark.databricks.delta.schema.autoMerge.enabled")
}

// tableActions are the protocol and metadata of a new or changed table, and the protocol that holds after the write.
func (st *statement) tableActions(w deltaWrite, before *delta.Snapshot, m *delta.Metadata) ([]delta.Action, *delta.Protocol, error) {
	if before.Exists() && m == before.Metadata {
		return nil, before.Protocol, nil
	}
	if fresh := !before.Exists() || w.replace; fresh {
		now := st.settings.NowMicros / 1000
		m.ID, m.CreatedTime = uuid.NewString(), &now
		if err := st.defaultProperties(m); err != nil {
			return nil, nil, err
		}
		if w.create != nil {
			w.create(m)
		}
	}
	checked, err := delta.CheckProperties(m.Configuration, true) // those of the statement have been checked
	if err != nil {
		return nil, nil, err
	}
	m.Configuration = checked
	var p *delta.Protocol
	if before.Exists() && w.replace {
		if err := mayReplace(before); err != nil {
			return nil, nil, err
		}
		p, err = m.CompleteReplaced(before.Metadata, before.Protocol)
	} else {
		p, err = m.Complete(before.Metadata, before.Protocol)
	}
	if err != nil {
		return nil, nil, err
	}
	actions := []delta.Action{{Metadata: m}}
	if len(w.clusterBy) > 0 || w.replace && before.ClusteringPaths() != nil {
		schema, err := delta.ParseSchema(m.SchemaString)
		if err != nil {
			return nil, nil, err
		}
		d, err := delta.Clustering(schema, m, splitPaths(w.clusterBy))
		if err != nil {
			return nil, nil, err
		}
		p = p.WithFeatures("clustering", "domainMetadata")
		actions = append(actions, delta.Action{Domain: d})
	}
	if p != before.Protocol {
		actions = append([]delta.Action{{Protocol: p}}, actions...)
	}
	return actions, p, nil
}

// mayReplace refuses to replace a table that has rows and keeps them.
func mayReplace(before *delta.Snapshot) error {
	if before.BoolProperty("delta.appendOnly") {
		for range before.All() {
			return errs.New("DELTA_CANNOT_MODIFY_APPEND_ONLY", "table_name", "null", "config", "delta.appendOnly")
		}
	}
	return nil
}

// defaultProperties gives a new table the properties that the session sets for all.
func (st *statement) defaultProperties(m *delta.Metadata) error {
	const prefix = "spark.databricks.delta.properties.defaults."
	given := map[string]string{}
	for _, kv := range st.s.Conf.All(prefix) {
		given["delta."+kv[0]] = kv[1]
	}
	checked, err := delta.CheckProperties(given, false)
	for key, value := range checked {
		if _, kept := m.Configuration[key]; !kept { // of a table that is replaced
			m.Configuration[key] = value
		}
	}
	return err
}

// fitted projects the input to the table's columns: casts to their types, their order, nulls for what is missing.
func (st *statement) fitted(w deltaWrite, before *delta.Snapshot) (plan.Node, error) {
	out := w.input.(plan.Resolved).Output()
	if !before.Exists() || w.replace || w.mode == plan.SaveOverwrite && isTrue(w.options, "overwriteSchema") {
		return w.input, nil
	}
	last := plan.MaxID(w.input)
	id := func() plan.ID { last++; return last }
	var exprs []plan.Expr
	used := map[int]bool{}
	for i, f := range before.Schema().Fields {
		k := i
		if !w.byPosition {
			k = find(out, f.Name)
		}
		if k < 0 || k >= len(out) {
			continue
		}
		used[k] = true
		e := plan.Expr(out[k])
		if w.coerce || w.byPosition {
			var err error
			if e, err = st.store(out[k], f, w.byPosition || w.nestedByPosition); err != nil {
				return nil, err
			}
		}
		exprs = append(exprs, named(e, f.Name, id))
	}
	for k, a := range out {
		if !used[k] {
			exprs = append(exprs, a)
		}
	}
	return &plan.Project{Input: w.input, Exprs: exprs}, nil
}

func find(attrs []*plan.Attribute, name string) int {
	for i, a := range attrs {
		if strings.EqualFold(a.Name, name) {
			return i
		}
	}
	return -1
}

// writeStats counts what a write has made.
type writeStats struct{ files, rows, bytes int64 }

// writeFiles runs the input into Parquet files below the table and returns the actions that add them.
func (st *statement) writeFiles(l *log.Table, input plan.Node, m *delta.Metadata, _ *delta.Protocol) ([]*delta.Add, writeStats, error) {
	return st.writeSized(l, input, m, 512<<20)
}

// writeSized is writeFiles with files of about so many bytes.
func (st *statement) writeSized(l *log.Table, input plan.Node, m *delta.Metadata, target int64) ([]*delta.Add, writeStats, error) {
	var stats writeStats
	schema, err := delta.ParseSchema(m.SchemaString)
	if err != nil {
		return nil, stats, err
	}
	sink, input, err := st.sink(l.URL(), input, m, schema)
	if err != nil {
		return nil, stats, err
	}
	sink.TargetFileBytes = target
	return st.writeInto(sink, input)
}

// writeInto runs the input into the files of a sink.
func (st *statement) writeInto(sink *planpb.FileSink, input plan.Node) ([]*delta.Add, writeStats, error) {
	var stats writeStats
	rows, err := st.written(input, sink)
	if err != nil {
		return nil, stats, err
	}
	adds := make([]*delta.Add, len(rows))
	for i, r := range rows {
		if adds[i], err = addOf(r); err != nil {
			return nil, stats, err
		}
		stats.files++
		stats.bytes += adds[i].Size
		stats.rows += r[5].(int64)
	}
	return adds, stats, nil
}

// addOf makes an action of a row of the sink.
func addOf(row []any) (*delta.Add, error) {
	values := delta.PartitionValues{}
	if text, ok := row[3].(string); ok && text != "" {
		if err := json.Unmarshal([]byte(text), &values); err != nil {
			return nil, errs.Newf(errs.Internal, "partition values %q of a written file: %v", text, err)
		}
	}
	stats, _ := row[4].(string)
	return &delta.Add{Path: delta.EscapePath(row[0].(string)), Size: row[1].(int64), ModificationTime: row[2].(int64), PartitionValues: values, Stats: stats, DataChange: true}, nil
}

// sink describes the files to write, and projects the input to the table's schema and order.
func (st *statement) sink(root string, input plan.Node, m *delta.Metadata, schema *types.Type) (*planpb.FileSink, plan.Node, error) {
	sink, err := st.fileSink(root, m, schema)
	if err != nil {
		return nil, nil, err
	}
	out := input.(plan.Resolved).Output()
	last := plan.MaxID(input)
	var exprs []plan.Expr
	for _, f := range schema.Fields {
		last++
		if k := find(out, f.Name); k < 0 {
			exprs = append(exprs, &plan.Alias{Child: &plan.Literal{T: f.Type}, Names: []string{f.Name}, ID: last})
		} else {
			exprs = append(exprs, as(out[k], f, last))
		}
	}
	return sink, &plan.Project{Input: input, Exprs: exprs}, nil
}

// fileSink describes the data files of a table, whose columns come in the schema's order.
func (st *statement) fileSink(root string, m *delta.Metadata, schema *types.Type) (*planpb.FileSink, error) {
	sink := &planpb.FileSink{Format: "parquet", Path: root, StatsColumns: 32, TargetFileBytes: 512 << 20, SchemaJson: schema.JSON(),
		Options: map[string]string{"compression": st.s.Conf.Get("spark.sql.parquet.compression.codec"), "delta": "true"}}
	switch codec := strings.ToLower(m.Configuration["delta.parquet.compression.codec"]); codec { // a hint: what is not known here is left to the session
	case "uncompressed", "none", "snappy", "gzip", "zstd":
		sink.Options["compression"] = codec
	}
	if err := st.oldTimes(sink.Options); err != nil {
		return nil, err
	}
	snapshot := &delta.Snapshot{Metadata: m}
	if n := snapshot.IntProperty("delta.dataSkippingNumIndexedCols", 32); n != 32 {
		sink.StatsColumns = int32(n)
	}
	paths, err := m.StatsColumns(schema)
	if err != nil {
		return nil, err
	}
	sink.StatsPaths, sink.TightBounds, sink.PartitionsInFiles = paths, snapshot.BoolProperty("delta.enableDeletionVectors"), m.PartitionsInFiles()
	for i, f := range schema.Fields {
		c := &planpb.FileColumn{Name: delta.PhysicalName(f)}
		if snapshot.MappingMode() != "none" {
			c.FieldId, c.NestedIds = delta.FieldID(f), delta.NestedIDs(f)
			c.Stored = planconv.TypePB(delta.Stored(f.Type, true))
		}
		sink.Columns = append(sink.Columns, c)
		for _, p := range m.PartitionColumns {
			if strings.EqualFold(p, f.Name) {
				sink.PartitionColumns = append(sink.PartitionColumns, uint32(i))
			}
		}
	}
	return sink, nil
}

// as is a column in the type in which the table keeps it, which may be a wider one.
func as(a *plan.Attribute, f types.Field, id plan.ID) plan.Expr {
	to := storedAs(a.T, f.Type, false)
	if a.T.SameData(to) || !fn.CanCast(true, a.T, to) {
		return a
	}
	return &plan.Alias{Child: &plan.Cast{Child: a, To: to, Mode: plan.ModeANSI, Implicit: true}, Names: []string{f.Name}, ID: id}
}

// commitWrite commits a write's actions with its place in the history.
func (st *statement) commitWrite(w deltaWrite, before *delta.Snapshot, m *delta.Metadata, actions []delta.Action, stats writeStats) error {
	info := w.info(m)
	info.EngineInfo, info.UserMetadata = st.e.o.Version, st.userMetadata(w.options)
	if w.input != nil {
		info.OperationMetrics = w.metrics(before, stats)
	}
	info.Tags = w.tags
	r := request(before, actions, info)
	whole := w.mode == plan.SaveOverwrite && (!w.dynamic || len(before.PartitionColumns()) == 0)
	r.ReadTable, r.Reads, r.ReadFiles = whole || st.readOf(before.Table) != nil, w.reads, w.gone
	app, err := st.application(w)
	if err != nil {
		return err
	}
	if app != nil {
		r.AppID, r.AppVersion = app.AppID, app.Version
		r.Actions = append(r.Actions, delta.Action{Txn: app})
	}
	if w.ready != nil {
		if err := w.ready(st.ctx); err != nil {
			return err
		}
	}
	if w.batch == nil {
		_, err = st.commit(r)
		return err
	}
	res, err := st.e.o.Committer.CommitSurely(st.ctx, r) // a stream's batches leave what is cached as it is, as in Spark
	if err == nil {
		*w.batch = BatchStats{Files: stats.files, Rows: stats.rows, Bytes: stats.bytes, Known: res.Skipped}
		err = st.committed(r)
	}
	return err
}

// request is a commit of actions that is judged from the version that the statement has seen.
func request(seen *delta.Snapshot, actions []delta.Action, info delta.CommitInfo) txn.Request {
	r := txn.Request{Table: seen.Table, ReadVersion: seen.Version, TxnID: uuid.NewString(), Actions: actions, Info: info}
	if seen.Exists() {
		r.TableID = seen.Metadata.ID
	}
	return r
}

// commit commits, upon which cached frames that read the table are made anew when they are next used.
func (st *statement) commit(r txn.Request) (txn.Result, error) {
	if t := st.transaction(); t != nil {
		return t.stage(r)
	}
	r.Operation = st.operation()
	res, err := st.e.o.Committer.CommitSurely(st.ctx, r)
	st.e.frames.written(r.Table)
	delete(st.seen, r.Table) // what the statement does next is about what is there now
	if err == nil {
		err = st.committed(r)
	}
	return res, err
}

// metrics are the numbers by which the history shows a write; a micro-batch names them differently.
func (w deltaWrite) metrics(before *delta.Snapshot, stats writeStats) map[string]string {
	if w.batch == nil {
		return delta.Metrics("numFiles", stats.files, "numOutputRows", stats.rows, "numOutputBytes", stats.bytes)
	}
	removed := 0
	if w.mode == plan.SaveOverwrite && before.Exists() {
		removed = before.NumFiles()
	}
	return delta.Metrics("numRemovedFiles", int64(removed), "numAddedFiles", stats.files, "numOutputRows", stats.rows, "numOutputBytes", stats.bytes)
}

// application is the application's counter that the write moves on, or nil.
func (st *statement) application(w deltaWrite) (*delta.SetTransaction, error) {
	if w.app != nil {
		return w.app, nil
	}
	t, ok, err := st.appVersion(w.options)
	if err != nil || !ok {
		return nil, err
	}
	return &t, nil
}

func (st *statement) writeInfo(w deltaWrite) func(*delta.Metadata) delta.CommitInfo {
	return func(m *delta.Metadata) delta.CommitInfo {
		return delta.WriteInfo(delta.WriteParams{Mode: modeNames[w.mode], PartitionBy: w.partitionBy, Dynamic: w.dynamic,
			OverwriteSchema: isTrue(w.options, "overwriteSchema"), MergeSchema: isTrue(w.options, "mergeSchema")})
	}
}

var modeNames = map[plan.SaveMode]string{plan.SaveErrorIfExists: "ErrorIfExists", plan.SaveAppend: "Append", plan.SaveOverwrite: "Overwrite", plan.SaveIgnore: "Ignore"}

// readOf is a table as the statement has read it, or nil. What it was as of a version or time does not change any more.
func (st *statement) readOf(table string) *deltaTable {
	for _, t := range st.read {
		if t.Log.URL() == table && !t.Pinned {
			return t
		}
	}
	return nil
}

func (st *statement) userMetadata(options map[string]string) string {
	if v, ok := option(options, "userMetadata"); ok {
		return v
	}
	return st.s.Conf.Get("spark.databricks.delta.commitInfo.userMetadata")
}

// appVersion is what the options txnAppId and txnVersion give, or else the session's settings of that meaning. A table takes a version of an application
// once, so that each write of a statement, and each statement of a script, is an application of its own.
func (st *statement) appVersion(options map[string]string) (delta.SetTransaction, bool, error) {
	app, hasApp := option(options, "txnAppId")
	version, hasVersion := option(options, "txnVersion")
	if !hasApp && !hasVersion {
		app, version = st.part.application(st.s.Conf.Get("spark.databricks.delta.write.txnAppId")), st.s.Conf.Get("spark.databricks.delta.write.txnVersion")
		if place := session.Place(st.ctx); app != "" && place != "" {
			app += "/" + place
		}
		hasApp, hasVersion = app != "", version != ""
	}
	if hasApp != hasVersion {
		return delta.SetTransaction{}, false, errs.New("DELTA_INVALID_IDEMPOTENT_WRITES_OPTIONS", "reason", "Both txnAppId and txnVersion must be specified for idempotent Delta writes")
	}
	if !hasApp {
		return delta.SetTransaction{}, false, nil
	}
	v, err := parseVersion(version)
	return delta.SetTransaction{AppID: app, Version: v}, true, err
}

// repeated reports whether the session's transaction has made the table before: the statement was sent again.
func (st *statement) repeated(path string) (bool, error) {
	app, err := st.application(deltaWrite{})
	if err != nil || app == nil {
		return false, err
	}
	l, err := st.e.o.Logs.Table(path)
	if err != nil {
		return false, err
	}
	s, err := st.newest(l)
	return err == nil && s.Exists() && alreadyWritten(s, *app), err
}

func alreadyWritten(s *delta.Snapshot, t delta.SetTransaction) bool {
	last, ok := s.Txn(t.AppID)
	return ok && last >= t.Version
}

// written runs an input into the files of a sink and returns the rows by which its tasks report them.
func (st *statement) written(input plan.Node, sink *planpb.FileSink) ([][]any, error) {
	optimised, err := st.optimized(input)
	if err != nil {
		return nil, err
	}
	return st.rowsOf(optimised, 0, func() (*physical.Query, error) {
		return physical.PlanWrite(st.ctx, optimised, sink, st.physicalOptions())
	})
}
