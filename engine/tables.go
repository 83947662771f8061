package engine

import (
	"fmt"
	"strings"

	"millrace/delta"
	"millrace/errs"
	"millrace/plan"
	"millrace/session"
	"millrace/types"
)

func typeName(v any) string { return fmt.Sprintf("%T", v) }

// checkLayout refuses partitions, clusters and buckets that do not go together, and buckets where there is no table to have them.
func checkLayout(w *plan.Write) error {
	switch {
	case w.InsertInto && len(w.PartitionBy) > 0:
		return errs.New("PARTITION_BY_NOT_ALLOWED_WITH_INSERT_INTO", "tableName", strings.Join(w.Table, "."))
	case len(w.ClusterBy) > 0 && len(w.PartitionBy) > 0:
		return errs.New("SPECIFY_CLUSTER_BY_WITH_PARTITIONED_BY_IS_NOT_ALLOWED")
	case len(w.ClusterBy) > 0 && len(w.BucketBy) > 0:
		return errs.New("SPECIFY_CLUSTER_BY_WITH_BUCKETING_IS_NOT_ALLOWED")
	case w.Buckets == 0 && len(w.BucketBy) == 0 && len(w.SortBy) > 0:
		return errs.New("SORT_BY_WITHOUT_BUCKETING")
	case w.Buckets == 0 && len(w.BucketBy) == 0:
		return nil
	case len(w.Table) == 0:
		return errs.New("_LEGACY_ERROR_TEMP_1312", "operation", "save")
	case w.InsertInto:
		return errs.New("_LEGACY_ERROR_TEMP_1312", "operation", "insertInto")
	}
	return nil
}

func bucketsOf(w *plan.Write) *buckets {
	if len(w.BucketBy) == 0 {
		return nil
	}
	return &buckets{Count: w.Buckets, By: w.BucketBy, Sort: w.SortBy}
}

// write is df.write.save, saveAsTable and insertInto.
func (st *statement) write(w *plan.Write) (session.Result, error) {
	if err := checkLayout(w); err != nil {
		return nil, err
	}
	input, err := st.analyze(w.Input)
	if err != nil {
		return nil, err
	}
	format := strings.ToLower(w.Format)
	if len(w.Table) > 0 {
		return st.writeTable(w, input, format)
	}
	if format == "noop" {
		return st.writeNothing(w, input)
	}
	if format == "" {
		format = st.s.Conf.Get("spark.sql.sources.default")
	}
	if err := mayWrite(format, w.Format); err != nil {
		return nil, err
	}
	path := w.Path
	if path == "" {
		path, _ = option(w.Options, "path")
	}
	if path == "" {
		return nil, errs.Newf(errs.Invalid, "No path is given: call save(path) or set the option path.")
	}
	if format != "delta" {
		return emptyResult(), st.writePlain(format, path, input, w)
	}
	return st.writeDelta(deltaWrite{path: path, input: input, mode: w.Mode, partitionBy: w.PartitionBy, clusterBy: w.ClusterBy, options: w.Options})
}

// saveModes are the modes by Spark's names.
var saveModes = map[plan.SaveMode]string{plan.SaveErrorIfExists: "ErrorIfExists", plan.SaveIgnore: "Ignore", plan.SaveAppend: "Append", plan.SaveOverwrite: "Overwrite"}

// writeNothing is the format noop: the rows are computed and forgotten where they are.
func (st *statement) writeNothing(w *plan.Write, input plan.Node) (session.Result, error) {
	switch {
	case w.Mode != plan.SaveAppend && w.Mode != plan.SaveOverwrite:
		return nil, errs.New("UNSUPPORTED_DATA_SOURCE_SAVE_MODE", "source", "noop", "createMode", `"`+saveModes[w.Mode]+`"`)
	case len(w.PartitionBy) > 0:
		return nil, errs.Newf(errs.Invalid, "requirement failed: The provided partitioning or clustering columns do not match the existing table's.\n"+
			" - provided: identity(%s)\n - table: ", strings.Join(w.PartitionBy, "), identity("))
	}
	var fields []types.Field
	var values []plan.Expr
	for _, c := range input.(plan.Resolved).Output() {
		fields, values = append(fields, types.Field{Name: c.Name, Type: c.T, Nullable: c.Null}), append(values, c)
	}
	row := plan.Expr(plan.Int(1))
	if len(values) > 0 {
		row = &plan.Call{Name: "struct", Args: values, T: types.Struct(fields...)}
	}
	first := &plan.Call{Name: "first", Args: []plan.Expr{row}, T: plan.TypeOf(row), Null: true, Aggregate: true}
	_, err := st.collect(&plan.Aggregate{Input: input, Exprs: []plan.Expr{&plan.Alias{Child: first, Names: []string{"row"}, ID: plan.MaxID(input) + 1}}}, 0)
	if err != nil {
		return nil, err
	}
	return emptyResult(), nil
}

// writeTable writes to a table by name, which it creates if need be and allowed.
func (st *statement) writeTable(w *plan.Write, input plan.Node, format string) (session.Result, error) {
	t, err := st.target(w.Table)
	if err != nil {
		return nil, err
	}
	if w.InsertInto && t == nil {
		return nil, errs.New("TABLE_OR_VIEW_NOT_FOUND", "relationName", types.QuoteParts(w.Table...))
	}
	if t != nil && t.provider != "delta" {
		return st.writeFilesTable(w, *t, input)
	}
	if w.InsertInto {
		return st.insertRows(&plan.Insert{Table: w.Table, Overwrite: w.Mode == plan.SaveOverwrite}, t, input, w.Options)
	}
	if t != nil {
		return st.writeExisting(w, *t, input)
	}
	path, _ := option(w.Options, "path")
	n := newTable{name: w.Table, format: format, location: path, partitionBy: w.PartitionBy, clusterBy: w.ClusterBy, options: w.Options, buckets: bucketsOf(w)}
	return st.createAs(n, input, false)
}

func (st *statement) writeExisting(w *plan.Write, t target, input plan.Node) (session.Result, error) {
	switch {
	case w.Mode == plan.SaveErrorIfExists && t.entry != nil:
		return nil, errs.New("TABLE_OR_VIEW_ALREADY_EXISTS", "relationName", t.name())
	case w.Mode == plan.SaveIgnore:
		return emptyResult(), nil
	}
	d := deltaWrite{path: t.path, input: input, mode: w.Mode, partitionBy: w.PartitionBy, clusterBy: w.ClusterBy, options: w.Options, coerce: t.entry != nil}
	part := d
	if !isTrue(w.Options, "overwriteSchema") && !asksMatching(w.Options) {
		if err := st.replaced(&part); err != nil {
			return nil, err
		}
	}
	if w.Mode == plan.SaveOverwrite && t.entry != nil && part.replaceIf == nil && !part.dynamic && !asksMatching(w.Options) {
		d.replace, d.info = true, createInfo(true, true, t.entry.Managed, w.ClusterBy)
	}
	return st.writeDelta(d)
}

// newTable is a table to be made.
type newTable struct {
	name        []string
	format      string
	location    string
	unnamed     bool // the table is a path: the catalog does not know it
	partitionBy []string
	clusterBy   []string
	options     map[string]string
	properties  map[string]string
	comment     string
	collation   string
	buckets     *buckets
}

// entry is the catalog's record of a table to be made.
func (st *statement) entry(n newTable) (Entry, error) {
	if n.unnamed {
		return Entry{Provider: n.format, Location: n.location, Comment: n.comment}, nil
	}
	parts := n.name
	if len(parts) == 3 && strings.EqualFold(parts[0], "spark_catalog") {
		parts = parts[1:]
	}
	e := Entry{Namespace: st.database(), Name: parts[len(parts)-1], Provider: n.format, Location: n.location, Comment: n.comment, Collation: n.collation,
		Created: st.settings.NowMicros / 1000}
	if len(parts) == 2 {
		e.Namespace = parts[0]
	}
	if e.Provider == "" {
		e.Provider = st.s.Conf.Get("spark.sql.sources.default")
	}
	if e.Provider != "delta" && !fileFormats[e.Provider] {
		return e, errs.New("DATA_SOURCE_NOT_FOUND", "provider", e.Provider)
	}
	if n.buckets != nil && e.Provider == "delta" {
		return e, errs.New("DELTA_OPERATION_NOT_ALLOWED_DETAIL", "operation", "Bucketing", "tableName", types.QuoteParts(n.name...))
	}
	if e.Location == "" {
		e.Location, _ = option(n.options, "path")
	}
	if err := st.hasSchema(e.Namespace); err != nil {
		return e, err
	}
	if e.Location == "" {
		place, err := st.e.o.Catalog.Location(st.ctx, e.Namespace, e.Name)
		if err != nil {
			return e, err
		}
		e.Location, e.Managed = place, true
	}
	return e, nil
}

// createAs makes a table of a query's rows and then its name.
func (st *statement) createAs(n newTable, input plan.Node, replace bool) (session.Result, error) {
	e, err := st.entry(n)
	if err != nil {
		return nil, err
	}
	if err := uniqueNames(plan.Schema(input)); err != nil {
		return nil, err
	}
	if e.Provider != "delta" {
		return st.createFiles(n, e, nil, input, replace)
	}
	w := deltaWrite{path: e.Location, input: input, partitionBy: n.partitionBy, clusterBy: n.clusterBy, options: n.options, create: n.fill,
		mapping: n.properties["delta.columnMapping.mode"], info: createInfo(replace, true, e.Managed, n.clusterBy)}
	if replace {
		w.mode, w.replace = plan.SaveOverwrite, true
	}
	r, err := st.writeDelta(w)
	if err != nil {
		return nil, err
	}
	return r, st.name(n, e, replace)
}

// name gives a table that has been made its name in the catalog.
func (st *statement) name(n newTable, e Entry, replace bool) error {
	if n.unnamed {
		return nil
	}
	return st.e.o.Catalog.Create(st.ctx, e, replace)
}

func createInfo(replace, asSelect, managed bool, clusterBy []string) func(*delta.Metadata) delta.CommitInfo {
	return func(m *delta.Metadata) delta.CommitInfo {
		return delta.CreateInfo(replace, replace, asSelect, managed, m, clusterBy)
	}
}

// fill puts a new table's properties and comment into its metadata.
func (n newTable) fill(m *delta.Metadata) {
	m.Description = n.comment
	for k, v := range n.properties {
		m.Configuration[k] = v
	}
}

// createTable is CREATE TABLE with columns, with a query, or over files that are there.
func (st *statement) createTable(c *plan.CreateTable) (session.Result, error) {
	t, err := st.target(c.Name)
	if err != nil {
		return nil, err
	}
	unnamed := t != nil && t.entry == nil
	if unnamed {
		if t.provider != "delta" {
			return nil, errs.Unsupportedf("CREATE TABLE %s.`path` is not supported yet; name the table and give a LOCATION.", t.provider)
		}
		if there, err := st.hasTable(t.path); err != nil || there && c.IfNotExists {
			return emptyResult(), err
		} else if !there && (!c.Replace || c.OrCreate) {
			t = nil
		}
	}
	switch {
	case t != nil && c.IfNotExists:
		return emptyResult(), nil
	case t != nil && !c.Replace && !unnamed:
		if done, err := st.repeated(t.path); done || err != nil {
			return emptyResult(), err
		}
		return nil, errs.New("TABLE_OR_VIEW_ALREADY_EXISTS", "relationName", t.name())
	case t == nil && c.Replace && !c.OrCreate:
		return nil, errs.New("TABLE_OR_VIEW_NOT_FOUND", "relationName", types.QuoteParts(c.Name...))
	case len(c.ClusterBy) > 0 && len(c.PartitionBy) > 0:
		return nil, errs.New("DELTA_CLUSTER_BY_WITH_PARTITIONED_BY")
	}
	if c.Provider != "" && c.Query == nil && t != nil && t.provider == "delta" && !strings.EqualFold(c.Provider, "delta") {
		return nil, errs.Unsupportedf("Replacing %s by a table of another format is not supported yet: drop it first.", t.name())
	}
	if c.Collation == "" && !unnamed {
		if err := st.inheritsCollation(c.Name); err != nil {
			return nil, err
		}
	}
	properties, err := st.tableProperties(c)
	if err != nil {
		return nil, err
	}
	n := newTable{name: c.Name, format: strings.ToLower(c.Provider), location: c.Location, partitionBy: c.PartitionBy, clusterBy: c.ClusterBy,
		options: c.Options, properties: properties, comment: c.Comment, collation: c.Collation, unnamed: unnamed}
	if c.Buckets > 0 || c.BucketBy != nil {
		n.buckets = &buckets{Count: c.Buckets, By: c.BucketBy, Sort: c.SortBy}
	}
	if unnamed {
		n.format, n.location = "delta", c.Name[len(c.Name)-1]
	}
	if len(c.Like) > 0 {
		return st.createLike(n, c, t != nil)
	}
	if c.Query != nil {
		input, err := st.analyze(c.Query)
		if err != nil {
			return nil, err
		}
		return st.createAs(n, input, t != nil)
	}
	schema, err := columnsOf(c.Columns)
	if err != nil {
		return nil, err
	}
	return st.createEmpty(n, schema, t != nil)
}

// tableProperties are a new table's properties, which of a Delta table are checked.
func (st *statement) tableProperties(c *plan.CreateTable) (map[string]string, error) {
	provider := c.Provider
	if provider == "" && len(c.Like) == 0 {
		provider = st.s.Conf.Get("spark.sql.sources.default")
	}
	if fileFormats[strings.ToLower(provider)] {
		return c.Properties, nil
	}
	return delta.CheckProperties(c.Properties, st.s.Conf.Bool("spark.databricks.delta.allowArbitraryProperties.enabled"))
}

// hasTable reports whether there is a Delta table at a path.
func (st *statement) hasTable(path string) (bool, error) {
	l, err := st.e.o.Logs.Table(path)
	if err != nil {
		return false, err
	}
	s, err := st.newest(l)
	return err == nil && s.Exists(), err
}

// createEmpty makes a table without rows, or names one that is there.
func (st *statement) createEmpty(n newTable, schema *types.Type, replace bool) (session.Result, error) {
	e, err := st.entry(n)
	if err != nil {
		return nil, err
	}
	if e.Provider != "delta" {
		return st.createFiles(n, e, schema, nil, replace)
	}
	l, err := st.e.o.Logs.Table(e.Location)
	if err != nil {
		return nil, err
	}
	before, err := st.newest(l)
	if err != nil {
		return nil, err
	}
	if before.Exists() && !replace {
		if len(schema.Fields) > 0 && !schema.AsNullable().SameData(before.Schema().AsNullable()) {
			return nil, errs.New("DELTA_CREATE_TABLE_SCHEME_MISMATCH", "path", l.URL(), "specifiedSchema", delta.TreeString(schema), "existingSchema", delta.TreeString(before.Schema()))
		}
		return emptyResult(), st.name(n, e, false)
	}
	if len(schema.Fields) == 0 {
		return nil, errs.New("DELTA_CREATE_EXTERNAL_TABLE_WITHOUT_SCHEMA", "path", l.URL(), "tableName", types.QuoteParts(n.name...))
	}
	w := deltaWrite{path: e.Location, partitionBy: n.partitionBy, clusterBy: n.clusterBy, create: n.fill, replace: replace, info: createInfo(replace, false, e.Managed, n.clusterBy)}
	if replace {
		w.mode = plan.SaveOverwrite
	}
	m, err := before.Evolve(schema, delta.WriteOptions{PartitionBy: n.partitionBy, Overwrite: replace, OverwriteSchema: replace, Replace: replace,
		Mapping: n.properties["delta.columnMapping.mode"]})
	if err != nil {
		return nil, err
	}
	m.SchemaString = schema.JSON()
	actions, _, err := st.tableActions(w, before, m)
	if err != nil {
		return nil, err
	}
	if replace && before.Exists() {
		for a := range before.All() {
			actions = append(actions, delta.Action{Remove: a.Remove(st.settings.NowMicros/1000, true)})
		}
	}
	if err := st.commitWrite(w, before, m, actions, writeStats{}); err != nil {
		return nil, err
	}
	return emptyResult(), st.name(n, e, replace)
}

// columnsOf is the schema that DDL describes, with what writers have to heed in the metadata of its fields.
func columnsOf(defs []plan.ColumnDef) (*types.Type, error) {
	t := types.Struct()
	for _, d := range defs {
		f := types.Field{Name: d.Name, Type: d.Type, Nullable: d.Nullable}
		members, err := columnMetadata(d)
		if err != nil {
			return nil, err
		}
		if d.Type.Kind == types.KindString && d.Type.Length > 0 {
			members["__CHAR_VARCHAR_TYPE_STRING"] = d.Type.String()
			f.Type = types.String
		}
		if len(members) > 0 {
			f = delta.WithFieldMetadata(f, members)
		}
		t.Fields = append(t.Fields, f)
	}
	if err := uniqueNames(t); err != nil {
		return nil, err
	}
	return t, nil
}

// columnMetadata is what a table remembers of a column's definition.
func columnMetadata(d plan.ColumnDef) (map[string]any, error) {
	m := map[string]any{}
	if d.Comment != "" {
		m["comment"] = d.Comment
	}
	if d.Generated != "" {
		if d.Identity != nil {
			return nil, errs.New("DELTA_IDENTITY_COLUMNS_WITH_GENERATED_EXPRESSION")
		}
		m["delta.generationExpression"] = d.Generated
	}
	if d.Default != "" {
		m["CURRENT_DEFAULT"] = d.Default
	}
	if i := d.Identity; i != nil {
		switch {
		case i.Step == 0:
			return nil, errs.New("DELTA_IDENTITY_COLUMNS_ILLEGAL_STEP")
		case d.Type.Kind != types.KindLong:
			return nil, errs.New("DELTA_IDENTITY_COLUMNS_UNSUPPORTED_DATA_TYPE", "dataType", d.Type.String())
		}
		m["delta.identity.start"], m["delta.identity.step"], m["delta.identity.allowExplicitInsert"] = i.Start, i.Step, i.AllowExplicit
	}
	return m, nil
}
