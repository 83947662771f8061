package engine

import (
	"maps"
	"slices"
	"strings"
	"time"

	"millrace/delta"
	"millrace/errs"
	"millrace/plan"
	"millrace/session"
	"millrace/storage"
	"millrace/types"
)

// shapedEntry is the catalog's record of a table of files or a view whose columns it says, or nil for anything else.
func (st *statement) shapedEntry(name []string) (*Entry, error) {
	if len(name) == 0 {
		return nil, nil
	}
	if _, temporary := st.s.View(name); temporary {
		return nil, nil
	}
	t, err := st.target(name)
	if err != nil || t == nil || t.entry == nil || t.entry.Schema == "" {
		return nil, err
	}
	return t.entry, nil
}

// filesEntry is the catalog's record of a table of files, or nil for anything else.
func (st *statement) filesEntry(name []string) (*Entry, error) {
	e, err := st.shapedEntry(name)
	if e != nil && e.View != "" {
		e = nil
	}
	return e, err
}

// describeFiles adds what DESCRIBE [EXTENDED] says of a table of files, or a view, besides its columns.
func (st *statement) describeFiles(c *plan.Describe, rows [][]any) ([][]any, error) {
	e, err := st.shapedEntry(c.Name)
	if err != nil || e == nil {
		return rows, err
	}
	schema, err := e.fileSchema()
	if err != nil {
		return nil, err
	}
	if len(e.PartitionBy) > 0 {
		rows = append(rows, []any{"# Partition Information", "", ""}, []any{"# col_name", "data_type", "comment"})
		for _, f := range schema.Fields[len(schema.Fields)-len(e.PartitionBy):] {
			rows = append(rows, []any{f.Name, f.Type.String(), comment(f)})
		}
	}
	if c.Extended {
		lines, err := st.tableDetails(e)
		if err != nil {
			return nil, err
		}
		for _, kv := range append([][2]string{{"", ""}, {"# Detailed Table Information", ""}}, lines...) {
			rows = append(rows, []any{kv[0], kv[1], ""})
		}
	}
	if e.View != "" {
		return rows, nil
	}
	return append(rows, defaultRows(schema)...), nil
}

func comment(f types.Field) any {
	if raw := delta.FieldMetadata(f, "comment"); raw != nil {
		return delta.Text(raw)
	}
	return nil
}

// defaultRows list the columns' defaults.
func defaultRows(schema *types.Type) [][]any {
	var rows [][]any
	for _, f := range schema.Fields {
		if raw := delta.FieldMetadata(f, "CURRENT_DEFAULT"); raw != nil {
			if rows == nil {
				rows = [][]any{{"", "", ""}, {"# Column Default Values", "", ""}}
			}
			rows = append(rows, []any{f.Name, f.Type.String(), delta.Text(raw)})
		}
	}
	return rows
}

// tableDetails are the lines of DESCRIBE EXTENDED about the table or view itself.
func (st *statement) tableDetails(e *Entry) ([][2]string, error) {
	out := [][2]string{{"Catalog", "spark_catalog"}, {"Database", strings.ToLower(e.Namespace)}, {"Table", strings.ToLower(e.Name)}}
	out = append(out, st.madeBy(e.Created)...)
	add := func(key, value string) { out = append(out, [2]string{key, value}) }
	add("Type", e.info().Kind)
	if e.View == "" {
		add("Provider", e.Provider)
		out = append(out, bucketDetails(e)...)
	}
	if e.Comment != "" {
		add("Comment", e.Comment)
	}
	if e.Collation != "" {
		add("Collation", e.Collation)
	}
	if e.View != "" {
		out = append(out, st.viewDetails(e)...)
	}
	if len(e.Properties) > 0 {
		add("Table Properties", "["+pairsOf(e.Properties)+"]")
	}
	if e.View != "" {
		return out, nil
	}
	known, err := st.statisticsOf(e)
	if err != nil {
		return nil, err
	}
	if known.Table != nil {
		add("Statistics", known.Table.String())
	}
	add("Location", urlOf(e.Location))
	if len(e.Options) > 0 {
		add("Storage Properties", "["+pairsOf(e.Options)+"]")
	}
	if len(e.PartitionBy) > 0 || e.Provider == "delta" {
		add("Partition Provider", "Catalog")
	}
	return out, nil
}

// madeBy says when something of the catalog was made, and by what.
func (st *statement) madeBy(millis int64) [][2]string {
	return [][2]string{{"Created Time", time.UnixMilli(millis).In(st.zone()).Format("Mon Jan 02 15:04:05 MST 2006")}, {"Last Access", "UNKNOWN"},
		{"Created By", st.e.o.Version}}
}

func urlOf(location string) string {
	store, err := storage.Open(location)
	if err != nil {
		return location
	}
	return store.URL()
}

// redacted is a setting's value, or stars where its name says that it is a secret.
func redacted(key, value string) string {
	for _, word := range []string{"secret", "password", "passwd", "token", "access.key", "access_key", "accesskey"} {
		if strings.Contains(strings.ToLower(key), word) {
			return "*********(redacted)"
		}
	}
	return value
}

func pairsOf(m map[string]string) string {
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(m)) {
		parts = append(parts, k+"="+redacted(k, m[k]))
	}
	return strings.Join(parts, ", ")
}

// showFileProperties is SHOW TBLPROPERTIES of a table of files.
func (st *statement) showFileProperties(e *Entry, key string) (session.Result, error) {
	if key != "" {
		value, ok := e.Properties[key]
		if !ok {
			value = "Table " + types.QuoteIfNeeded("spark_catalog") + "." + (target{entry: e}).shortName() + " does not have property: " + key
		}
		return st.rowsResult(keyValueSchema, [][]any{{key, redacted(key, value)}})
	}
	var rows [][]any
	for _, k := range slices.Sorted(maps.Keys(e.Properties)) {
		rows = append(rows, []any{k, redacted(k, e.Properties[k])})
	}
	return st.rowsResult(keyValueSchema, rows)
}

var (
	createdSchema   = mustSchema("createtab_stmt STRING NOT NULL")
	partitionSchema = mustSchema("partition STRING NOT NULL")
)

// showCreateFiles is SHOW CREATE TABLE of a table of files.
func (st *statement) showCreateFiles(e *Entry) (session.Result, error) {
	schema, err := e.fileSchema()
	if err != nil {
		return nil, err
	}
	var b strings.Builder
	b.WriteString("CREATE TABLE " + types.QuoteIfNeeded("spark_catalog") + "." + (target{entry: e}).shortName() + " (\n  ")
	for i, f := range schema.Fields {
		if i > 0 {
			b.WriteString(",\n  ")
		}
		b.WriteString(columnDDL(f))
	}
	b.WriteString(")\nUSING " + e.Provider + "\n")
	list := func(word string, m map[string]string) {
		if len(m) == 0 {
			return
		}
		b.WriteString(word + " (")
		for i, k := range slices.Sorted(maps.Keys(m)) {
			if i > 0 {
				b.WriteString(",")
			}
			b.WriteString("\n  " + textLiteral(k) + " = " + textLiteral(redacted(k, m[k])))
		}
		b.WriteString(")\n")
	}
	list("OPTIONS", e.Options)
	if len(e.PartitionBy) > 0 {
		b.WriteString("PARTITIONED BY (" + strings.Join(quotedIfNeeded(e.PartitionBy), ", ") + ")\n")
	}
	b.WriteString(e.Buckets.ddl())
	if e.Comment != "" {
		b.WriteString("COMMENT " + textLiteral(e.Comment) + "\n")
	}
	if !e.Managed {
		b.WriteString("LOCATION " + textLiteral(urlOf(e.Location)) + "\n")
	}
	list("TBLPROPERTIES", e.Properties)
	if e.Collation != "" {
		b.WriteString("DEFAULT COLLATION " + e.Collation + "\n")
	}
	return st.rowsResult(createdSchema, [][]any{{b.String()}})
}

func quotedIfNeeded(names []string) []string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = types.QuoteIfNeeded(n)
	}
	return out
}

func textLiteral(s string) string {
	return "'" + strings.NewReplacer("\\", "\\\\", "'", "\\'").Replace(s) + "'"
}

// columnDDL is a column as CREATE TABLE declares it.
func columnDDL(f types.Field) string {
	text := types.QuoteIfNeeded(f.Name) + " "
	if raw := delta.FieldMetadata(f, "__CHAR_VARCHAR_TYPE_STRING"); raw != nil {
		text += strings.ToUpper(delta.Text(raw))
	} else if text += f.Type.SQL(); f.Type.Kind == types.KindString && f.Type.SameData(types.String) {
		text += " COLLATE UTF8_BINARY"
	}
	if raw := delta.FieldMetadata(f, "CURRENT_DEFAULT"); raw != nil {
		text += " DEFAULT " + delta.Text(raw)
	}
	if c, ok := comment(f).(string); ok && c != "" {
		text += " COMMENT " + textLiteral(c)
	}
	return text
}

// showFilePartitions is SHOW PARTITIONS of a table of files.
func (st *statement) showFilePartitions(c *plan.Show, e *Entry) (session.Result, error) {
	if len(e.PartitionBy) == 0 {
		return nil, errs.New("INVALID_PARTITION_OPERATION.PARTITION_SCHEMA_IS_EMPTY", "name", (target{entry: e}).name())
	}
	dirs, err := st.partitions(e)
	if c.Partition != nil && err == nil {
		var schema *types.Type
		if schema, err = e.fileSchema(); err == nil {
			dirs, err = st.matchingPartitions(e, schema, c.Partition)
		}
		if errs.ConditionOf(err) == "PARTITIONS_NOT_FOUND" && len(c.Partition) == len(e.PartitionBy) {
			dirs, err = nil, nil
		}
	}
	if err != nil {
		return nil, err
	}
	rows := make([][]any, len(dirs))
	for i, d := range dirs {
		rows[i] = []any{d}
	}
	return st.rowsResult(partitionSchema, rows)
}

// truncate deletes all rows of a table of files, or those of the partitions that a specification gives.
func (st *statement) truncate(c *plan.Truncate) (session.Result, error) {
	t, err := st.target(c.Name)
	switch {
	case err != nil:
		return nil, err
	case t == nil:
		return nil, errs.New("TABLE_OR_VIEW_NOT_FOUND", "relationName", types.QuoteParts(c.Name...))
	case t.entry != nil && t.entry.View != "":
		return nil, errs.New("EXPECT_TABLE_NOT_VIEW.NO_ALTERNATIVE", "viewName", t.name(), "operation", "TRUNCATE TABLE")
	case t.provider == "delta" && len(c.Partition) > 0:
		return nil, errs.Unsupportedf("TRUNCATE TABLE … PARTITION of a Delta table is not supported: use DELETE FROM.")
	case t.provider == "delta":
		return st.delete(&plan.Delete{Target: &plan.UnresolvedRelation{Parts: c.Name}})
	}
	e, have, err := st.fileEntry(*t)
	if err != nil {
		return nil, err
	}
	if t.entry != nil && !t.entry.Managed {
		return nil, errs.New("_LEGACY_ERROR_TEMP_1266", "tableIdentWithDB", t.name())
	}
	fixed, err := st.fixedPartitions(&plan.Insert{Partition: c.Partition}, e, have)
	if err != nil {
		return nil, err
	}
	w := fileWrite{entry: e, overwrite: true}
	if len(fixed) > 0 {
		if w.within, err = st.matchingPartitions(e, have, c.Partition); err != nil || len(w.within) == 0 {
			return emptyResult(), err
		}
	}
	return emptyResult(), st.writeTableFiles(w)
}
