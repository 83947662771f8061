package engine

import (
	"maps"
	"slices"
	"strings"

	"millrace/errs"
	"millrace/plan"
	"millrace/session"
	"millrace/storage"
	"millrace/table"
	"millrace/types"
)

// fileSchema is the schema of a catalogued table of files.
func (e *Entry) fileSchema() (*types.Type, error) {
	t, err := types.ParseJSON([]byte(e.Schema))
	return t, errs.Wrap(err, "the schema of %s.%s", e.Namespace, e.Name)
}

// openTableFiles makes a catalogued table of files readable: its schema is the catalog's.
func (st *statement) openTableFiles(e *Entry, options map[string]string) (*table.Source, error) {
	schema, err := e.fileSchema()
	if err != nil {
		return nil, err
	}
	hidden, err := st.hiddenFiles(e.Location)
	if err != nil {
		return nil, err
	}
	all := maps.Clone(e.Options)
	if all == nil {
		all = map[string]string{}
	}
	maps.Copy(all, options)
	spec := st.sourceSpec(e.Provider, []string{e.Location}, all, schema)
	spec.PartitionBy, spec.Hidden, spec.Empty = e.PartitionBy, hidden, true
	if spec.Known, err = st.analyzed(e, schema); err != nil {
		return nil, err
	}
	return table.OpenSource(st.ctx, spec)
}

// createFiles makes a table of files: with columns, with a query's rows, or over files that are there.
func (st *statement) createFiles(n newTable, e Entry, schema *types.Type, input plan.Node, replace bool) (session.Result, error) {
	old, err := st.replacedTable(n, e, replace)
	if err != nil {
		return nil, err
	}
	if err := st.freeLocation(e, old); err != nil {
		return nil, err
	}
	if len(n.clusterBy) > 0 {
		return nil, errs.Unsupportedf("CLUSTER BY of a %s table is not supported yet.", e.Provider)
	}
	if input == nil && len(schema.Fields) == 0 {
		tab, err := st.openFiles(e.Provider, []string{e.Location}, n.options, nil)
		if errs.ConditionOf(err) == "PATH_NOT_FOUND" {
			return nil, errs.New("UNABLE_TO_INFER_SCHEMA", "format", e.Provider)
		}
		if err != nil {
			return nil, err
		}
		schema = tab.Schema()
		if s, ok := tab.(*table.Source); ok {
			n.partitionBy = s.PartitionColumns()
		}
	}
	if input != nil {
		schema = plan.Schema(input).WithoutAutoNames()
	}
	schema, err = partitionsLast(schema.AsNullable(), n.partitionBy)
	if err != nil {
		return nil, err
	}
	if err := st.checkFileColumns(e.Provider, schema, n.partitionBy); err != nil {
		return nil, err
	}
	if e.Buckets, err = n.buckets.checked(&e, schema, n.partitionBy); err != nil {
		return nil, err
	}
	e.Parts = nil
	e.Schema, e.PartitionBy, e.Options, e.Properties, e.Created = schema.JSON(), n.partitionBy, n.options, n.properties, st.settings.NowMicros/1000
	delete(e.Options, "path")
	if input == nil {
		if old != nil {
			if err := st.writeTableFiles(fileWrite{entry: &e, overwrite: true}); err != nil {
				return nil, err
			}
		}
		return emptyResult(), st.e.o.Catalog.Create(st.ctx, e, old != nil)
	}
	if input, err = st.intoColumns(input, schema, nil); err != nil {
		return nil, err
	}
	return emptyResult(), st.writeTableFiles(fileWrite{entry: &e, input: input, overwrite: old != nil, create: true})
}

// replacedTable is the table of files whose place a new one takes, or nil.
func (st *statement) replacedTable(n newTable, e Entry, replace bool) (*target, error) {
	if !replace {
		return nil, nil
	}
	old, err := st.target(n.name)
	if err != nil || old == nil {
		return nil, err
	}
	if old.entry == nil || old.entry.View != "" || old.entry.Schema == "" || strings.TrimRight(old.path, "/") != strings.TrimRight(e.Location, "/") {
		return nil, errs.Unsupportedf("Replacing %s by a table of %s files is not supported yet: drop it first.", old.name(), e.Provider)
	}
	return old, nil
}

// freeLocation refuses a managed table where there are files already.
func (st *statement) freeLocation(e Entry, old *target) error {
	if !e.Managed || old != nil {
		return nil
	}
	store, err := storage.Open(e.Location)
	if err != nil {
		return err
	}
	files, err := st.filesIn(store)
	if err != nil || len(files) == 0 {
		return err
	}
	return errs.New("LOCATION_ALREADY_EXISTS", "location", "'"+store.URL()+"'", "identifier", types.QuoteParts("spark_catalog", e.Namespace, e.Name))
}

// partitionsLast puts the partition columns behind the others, in their own order.
func partitionsLast(t *types.Type, partitionBy []string) (*types.Type, error) {
	out, last := types.Struct(), types.Struct()
	for _, f := range t.Fields {
		if !slices.ContainsFunc(partitionBy, func(p string) bool { return strings.EqualFold(p, f.Name) }) {
			out.Fields = append(out.Fields, f)
		}
	}
	for _, p := range partitionBy {
		f, i := t.Field(p, false)
		if i < 0 {
			return nil, errs.New("COLUMN_NOT_DEFINED_IN_TABLE", "colType", "partition", "colName", types.Quote(p), "tableName", "", "tableCols", quotedList(t.Names()))
		}
		last.Fields = append(last.Fields, f)
	}
	if len(partitionBy) > 0 && len(out.Fields) == 0 {
		return nil, errs.New("ALL_PARTITION_COLUMNS_NOT_ALLOWED")
	}
	out.Fields = append(out.Fields, last.Fields...)
	return out, nil
}

// checkFileColumns refuses columns that files of a format cannot hold.
func (st *statement) checkFileColumns(format string, t *types.Type, partitionBy []string) error {
	if err := st.checkPlainWrite(t, &plan.Write{}); err != nil {
		return err
	}
	for i, f := range t.Fields {
		if collatedKeys(f.Type) {
			return errs.New("UNSUPPORTED_FEATURE.COLLATIONS_IN_MAP_KEYS")
		}
		nested := f.Type.IsNested() || f.Type.Kind == types.KindCalendar
		switch {
		case i >= len(t.Fields)-len(partitionBy):
			if nested || f.Type.Kind == types.KindVariant || f.Type.Collation != "" {
				return errs.New("INVALID_PARTITION_COLUMN_DATA_TYPE", "type", `"`+f.Type.SQL()+`"`)
			}
		case format == "csv" && nested || format == "text" && f.Type.Kind != types.KindString || f.Type.Kind == types.KindNull && format != "json" && format != "csv":
			return errs.New("UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE", "columnName", types.Quote(f.Name), "columnType", `"`+f.Type.SQL()+`"`, "format", formatNames[format])
		}
	}
	if format == "text" && len(t.Fields)-len(partitionBy) != 1 {
		return errs.Newf(errs.Invalid, "Text data source supports only a single column, and you have %d columns.", len(t.Fields)-len(partitionBy))
	}
	return nil
}

// collatedKeys reports whether a type holds maps with a collation in their keys.
func collatedKeys(t *types.Type) bool {
	return t != nil && (t.Kind == types.KindMap && holdsCollation(t.Key) || collatedKeys(t.Elem) || collatedKeys(t.Key) ||
		slices.ContainsFunc(t.Fields, func(f types.Field) bool { return collatedKeys(f.Type) }))
}

func holdsCollation(t *types.Type) bool {
	return t != nil && (t.Collation != "" || holdsCollation(t.Elem) || holdsCollation(t.Key) ||
		slices.ContainsFunc(t.Fields, func(f types.Field) bool { return holdsCollation(f.Type) }))
}

// formatNames are the formats as Spark's messages write them.
var formatNames = map[string]string{"parquet": "Parquet", "csv": "CSV", "json": "JSON", "text": "Text", "avro": "Avro", "orc": "ORC", "xml": "XML"}
