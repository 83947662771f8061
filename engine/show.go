package engine

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"millrace/delta"
	"millrace/errs"
	"millrace/plan"
	"millrace/session"
	"millrace/types"
)

var keyValueSchema = mustSchema("key STRING NOT NULL, value STRING NOT NULL")

// show answers the SHOW commands about one table.
func (st *statement) show(c *plan.Show) (session.Result, error) {
	switch strings.ToLower(c.Kind) {
	case "table extended":
		return st.showExtended(c)
	case "functions":
		return st.showFunctions(c)
	}
	if _, temporary := st.s.View(c.Name); temporary {
		switch strings.ToLower(c.Kind) {
		case "tblproperties":
			return st.rowsResult(keyValueSchema, nil)
		case "create table":
			return nil, errs.New("EXPECT_PERMANENT_VIEW_NOT_TEMP", "operation", "SHOW CREATE TABLE", "viewName", types.QuoteParts(c.Name...))
		}
	}
	e, err := st.shapedEntry(c.Name)
	if err != nil {
		return nil, err
	}
	switch kind := strings.ToLower(c.Kind); {
	case e == nil:
	case kind == "tblproperties":
		return st.showFileProperties(e, c.Pattern)
	case e.View != "" && kind == "create table":
		return st.showCreateView(e)
	case kind == "partitions":
		return st.showFilePartitions(c, e)
	case kind == "create table":
		return st.showCreateFiles(e)
	}
	switch strings.ToLower(c.Kind) {
	case "tblproperties":
		return st.showProperties(c)
	case "partitions":
		return st.showPartitions(c)
	case "create table":
		if _, _, err := st.deltaTarget("SHOW CREATE TABLE", c.Name, ""); err != nil {
			return nil, err
		}
		return nil, errs.New("DELTA_OPERATION_NOT_ALLOWED", "operation", "SHOW CREATE TABLE")
	}
	return nil, errs.Unsupportedf("SHOW %s is not supported yet.", strings.ToUpper(c.Kind))
}

// shownProperties are a table's properties as Delta's catalog shows them: with its protocol among them.
func shownProperties(s *delta.Snapshot) map[string]string {
	out := maps.Clone(s.Metadata.Configuration)
	if out == nil {
		out = map[string]string{}
	}
	out["delta.minReaderVersion"] = strconv.Itoa(s.Protocol.MinReaderVersion)
	out["delta.minWriterVersion"] = strconv.Itoa(s.Protocol.MinWriterVersion)
	if s.Protocol.MinWriterVersion >= delta.WriterFeaturesVersion {
		for _, f := range s.Protocol.Features() {
			out[delta.FeatureKey+f] = "supported"
		}
	}
	if paths := s.ClusteringColumns(); len(paths) > 0 {
		split := splitPaths(paths)
		text, _ := json.Marshal(split) // of strings
		out["clusteringColumns"] = string(text)
	}
	return out
}

func (st *statement) showProperties(c *plan.Show) (session.Result, error) {
	l, t, err := st.deltaTarget("SHOW TBLPROPERTIES", c.Name, "")
	if err != nil {
		return nil, err
	}
	s, err := l.Snapshot(st.ctx)
	if err != nil {
		return nil, err
	}
	all := shownProperties(s)
	if c.Pattern != "" {
		value, ok := all[c.Pattern]
		if !ok {
			value = "Table " + types.QuoteIfNeeded("spark_catalog") + "." + t.shortName() + " does not have property: " + c.Pattern
		}
		return st.rowsResult(keyValueSchema, [][]any{{c.Pattern, value}})
	}
	var rows [][]any
	for _, k := range slices.Sorted(maps.Keys(all)) {
		rows = append(rows, []any{k, all[k]})
	}
	return st.rowsResult(keyValueSchema, rows)
}

// shortName is the table's name without its catalog, quoted where it has to be.
func (t target) shortName() string {
	if t.entry != nil {
		return types.QuoteIfNeeded(t.entry.Namespace) + "." + types.QuoteIfNeeded(t.entry.Name)
	}
	return t.provider + "." + types.Quote(t.path)
}

// showPartitions lists the partitions that have files.
func (st *statement) showPartitions(c *plan.Show) (session.Result, error) {
	l, t, err := st.deltaTarget("SHOW PARTITIONS", c.Name, "")
	if err != nil {
		return nil, err
	}
	s, err := l.Snapshot(st.ctx)
	if err != nil {
		return nil, err
	}
	if len(s.PartitionColumns()) == 0 {
		return nil, errs.New("DELTA_SHOW_PARTITION_IN_NON_PARTITIONED_TABLE", "tableName", t.plainName())
	}
	if c.Partition != nil {
		return nil, errs.Unsupportedf("SHOW PARTITIONS with PARTITION (…) is not supported yet.")
	}
	schema := types.Struct()
	for _, name := range s.PartitionColumns() {
		f, _ := s.Schema().Field(name, false)
		schema.Fields = append(schema.Fields, types.Field{Name: f.Name, Type: f.Type, Nullable: true})
	}
	seen := map[string][]any{}
	for a := range s.All() {
		row := make([]any, len(schema.Fields))
		for i, name := range s.PartitionColumns() {
			f, _ := s.Schema().Field(name, false)
			if row[i], err = delta.ParsePartition(f.Type, a.PartitionValues[delta.PhysicalName(f)], st.zone()); err != nil {
				return nil, err
			}
		}
		seen[partitionKey(a)] = row
	}
	var rows [][]any
	for _, k := range slices.Sorted(maps.Keys(seen)) {
		rows = append(rows, seen[k])
	}
	return st.rowsResult(schema, rows)
}

// deltaCall answers the statements that are a name and arguments; nil for others.
func (st *statement) deltaCall(c *plan.Generic) (session.Result, error) {
	name, _ := c.Args["name"].([]string)
	path, _ := c.Args["path"].(string)
	switch c.Name {
	case session.DeltaCall + "generate":
		mode, _ := c.Args["mode"].(string)
		return st.generate(mode, name, path)
	case session.DeltaCall + "convert":
		partitions, _ := c.Args["partitions"].(*types.Type)
		without, _ := c.Args["noStatistics"].(bool)
		r, err := st.convert(name, partitions, !without)
		if answer, ok := c.Args["answer"].(string); ok && err == nil {
			return st.rowsResult(types.Struct(types.Field{Name: "value", Type: types.String}), [][]any{{answer}})
		}
		return r, err
	}
	return nil, nil
}

var columnSchema = mustSchema("info_name STRING NOT NULL COMMENT 'name of the column info', info_value STRING NOT NULL COMMENT 'value of the column info'")

// describeColumn is DESCRIBE table column.
func (st *statement) describeColumn(c *plan.Describe) (session.Result, error) {
	resolved, err := st.analyze(&plan.UnresolvedRelation{Parts: c.Name})
	if err != nil {
		return nil, err
	}
	schema := plan.Schema(resolved)
	f, _, ok := delta.FindField(schema, c.Column)
	switch {
	case !ok:
		return nil, errs.New("UNRESOLVED_COLUMN.WITH_SUGGESTION", "objectName", types.QuoteParts(c.Column...), "proposal", strings.Join(quoted(schema.Names()), ", "))
	case len(c.Column) > 1:
		return nil, errs.New("_LEGACY_ERROR_TEMP_1060", "command", "DESC TABLE COLUMN", "column", strings.Join(c.Column, "."))
	}
	comment := "NULL"
	if raw := delta.FieldMetadata(f, "comment"); raw != nil {
		comment = delta.Text(raw)
	}
	rows := [][]any{{"col_name", f.Name}, {"data_type", f.Type.String()}, {"comment", comment}}
	e, err := st.shapedEntry(c.Name)
	if err != nil {
		return nil, err
	}
	if c.Extended && e != nil {
		known, err := st.statisticsOf(e)
		if err != nil {
			return nil, err
		}
		rows = append(rows, columnRows(known.Table, f.Name)...)
	}
	return st.rowsResult(columnSchema, rows)
}

func quoted(names []string) []string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = types.Quote(n)
	}
	return out
}

// extended adds what DESCRIBE EXTENDED says about a Delta table.
func (st *statement) extended(name []string, rows [][]any) ([][]any, error) {
	t, err := st.target(name)
	if err != nil || t == nil || t.provider != "delta" {
		return rows, err
	}
	s := st.read[0].Snapshot
	add := func(k, v string) { rows = append(rows, []any{k, v, ""}) }
	add("", "")
	add("# Detailed Table Information", "")
	add("Catalog", "spark_catalog")
	namespace, table, kind := "delta", t.path, "MANAGED"
	if t.entry != nil {
		namespace, table, kind = t.entry.Namespace, t.entry.Name, t.entry.info().Kind
	}
	add("Namespace", namespace)
	add("Database", namespace)
	add("Table", table)
	add("Type", kind)
	if s.Metadata.Description != "" {
		add("Comment", s.Metadata.Description)
	}
	location := t.path
	if t.entry != nil {
		location = st.read[0].Log.URL()
	}
	add("Location", location)
	add("Provider", "delta")
	if t.entry != nil && t.entry.Managed {
		add("Is_managed_location", "true")
	}
	all := shownProperties(s)
	pairs := make([]string, 0, len(all))
	for _, k := range slices.Sorted(maps.Keys(all)) {
		pairs = append(pairs, k+"="+all[k])
	}
	add("Table Properties", "["+strings.Join(pairs, ",")+"]")
	return rows, nil
}
