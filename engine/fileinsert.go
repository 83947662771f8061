package engine

import (
	"path"
	"slices"
	"strings"

	"millrace/delta"
	"millrace/errs"
	"millrace/plan"
	"millrace/plan/analyze"
	"millrace/plan/fn"
	"millrace/planconv"
	"millrace/session"
	"millrace/storage"
	"millrace/table"
	"millrace/types"
)

// fileEntry is the catalog's record of a table of files, and its columns; of a path, or of a table that has them in its files only, they are
// looked for there.
func (st *statement) fileEntry(t target) (*Entry, *types.Type, error) {
	if t.entry != nil && t.entry.Schema != "" {
		schema, err := t.entry.fileSchema()
		return t.entry, schema, err
	}
	e := Entry{Provider: t.provider, Location: t.path}
	if t.entry != nil {
		e = *t.entry
	}
	tab, err := st.openFiles(t.provider, []string{t.path}, nil, nil)
	if err != nil {
		return nil, nil, err
	}
	if s, ok := tab.(*table.Source); ok {
		e.PartitionBy = s.PartitionColumns()
	}
	schema, err := partitionsLast(tab.Schema(), e.PartitionBy)
	if err != nil {
		return nil, nil, err
	}
	e.Schema = schema.JSON()
	return &e, schema, nil
}

// insertFiles is INSERT into a table of files.
func (st *statement) insertFiles(c *plan.Insert, t target) (session.Result, error) {
	if c.ReplaceIf != nil {
		return nil, errs.Unsupportedf("INSERT INTO … REPLACE WHERE of the %s table %s is not supported yet.", t.provider, t.name())
	}
	if t.entry != nil && t.entry.View != "" {
		return nil, errs.New("EXPECT_TABLE_NOT_VIEW.NO_ALTERNATIVE", "viewName", t.name(), "operation", "INSERT")
	}
	e, have, err := st.fileEntry(t)
	if err != nil {
		return nil, err
	}
	if hasDefault(c.Input) {
		d := *c
		if d.Input, err = st.withDefaults(c, have); err != nil {
			return nil, err
		}
		c = &d
	}
	input, err := st.analyze(c.Input)
	if err != nil {
		return nil, err
	}
	fixed, err := st.fixedPartitions(c, e, have)
	if err != nil {
		return nil, err
	}
	w := fileWrite{entry: e, overwrite: c.Overwrite}
	if dir := st.fixedDirectory(e, fixed); dir != "" {
		w.within = []string{dir}
	}
	if c.Overwrite && len(fixed) < len(e.PartitionBy) {
		w.dynamic = strings.EqualFold(st.s.Conf.Get("spark.sql.sources.partitionOverwriteMode"), "dynamic")
	}
	if c.IfNotExists && len(w.within) > 0 {
		if there, err := st.hasPartition(e, w.within[0]); err != nil || there {
			return emptyResult(), err
		}
	}
	if input, err = st.inserted(c, t, input, have, fixed); err != nil {
		return nil, err
	}
	if w.input, err = st.intoColumns(input, have, &t); err != nil {
		return nil, err
	}
	return emptyResult(), st.writeTableFiles(w)
}

// fixedPartitions are the values that PARTITION (a = 1) gives, by the columns' names in lower case.
func (st *statement) fixedPartitions(c *plan.Insert, e *Entry, have *types.Type) (map[string]plan.Expr, error) {
	fixed := map[string]plan.Expr{}
	for name, x := range c.Partition {
		if !slices.ContainsFunc(e.PartitionBy, func(p string) bool { return strings.EqualFold(p, name) }) {
			return nil, errs.New("PARTITIONS_NOT_FOUND", "partitionList", types.Quote(name), "tableName", types.QuoteParts("spark_catalog", e.Namespace, e.Name))
		}
		if x == nil {
			continue
		}
		f, _ := have.Field(name, false)
		v, err := analyze.Expression(x, &plan.OneRow{}, st, st.conf())
		if err != nil {
			return nil, err
		}
		if v, err = st.assigned(v, f, nil); err != nil {
			return nil, err
		}
		l, err := st.fold(v)
		if err != nil {
			return nil, err
		}
		fixed[strings.ToLower(name)] = l
	}
	return fixed, nil
}

// fixedDirectory is the directory of the partitions whose first columns have given values.
func (st *statement) fixedDirectory(e *Entry, fixed map[string]plan.Expr) string {
	var parts []string
	for _, p := range e.PartitionBy {
		l, ok := fixed[strings.ToLower(p)].(*plan.Literal)
		if !ok {
			break
		}
		parts = append(parts, st.partitionSegment(p, l))
	}
	return strings.Join(parts, "/")
}

// partitionSegment is the part of a directory's name that one column's value makes.
func (st *statement) partitionSegment(column string, value plan.Expr) string {
	l := value.(*plan.Literal)
	return table.PartitionDirectory(column, planconv.FromValues(l.T, []any{l.Value}), st.settings.TimeZone)
}

func (st *statement) hasPartition(e *Entry, dir string) (bool, error) {
	dirs, err := st.partitionDirectories(e)
	return slices.ContainsFunc(dirs, func(d string) bool { return d == dir || strings.HasPrefix(d, dir+"/") }), err
}

// partitionDirectories are the directories that have files of the table, in order.
func (st *statement) partitionDirectories(e *Entry) ([]string, error) {
	store, err := storage.Open(e.Location)
	if err != nil {
		return nil, err
	}
	hidden, err := st.hiddenFiles(e.Location)
	if err != nil {
		return nil, err
	}
	names, err := st.filesIn(store)
	if err != nil {
		return nil, err
	}
	var dirs []string
	for _, name := range names {
		if d := path.Dir(name); d != "." && (hidden == nil || !hidden(name)) && !strings.HasPrefix(path.Base(name), "_") {
			dirs = append(dirs, d)
		}
	}
	slices.Sort(dirs)
	return slices.Compact(dirs), nil
}

// inserted gives the rows of an INSERT the table's columns by name: its own by their places or names, those of PARTITION, and the defaults of those
// that a list of columns leaves out.
func (st *statement) inserted(c *plan.Insert, t target, input plan.Node, have *types.Type, fixed map[string]plan.Expr) (plan.Node, error) {
	out := input.(plan.Resolved).Output()
	list := c.Columns
	if len(list) > 0 {
		if err := checkColumnList(list, have); err != nil {
			return nil, err
		}
		if len(list) != len(out) {
			return nil, arity(t, list, out)
		}
	} else if c.ByName {
		list = names(out)
		if err := checkNames(t, list, have); err != nil {
			return nil, err
		}
	}
	given := map[string]plan.Expr{}
	for i, name := range list {
		given[strings.ToLower(name)] = out[i]
	}
	if list == nil {
		free := slices.DeleteFunc(slices.Clone(have.Names()), func(n string) bool { return fixed[strings.ToLower(n)] != nil })
		if len(free) != len(out) {
			return nil, arity(t, have.Names(), out)
		}
		for i, name := range free {
			given[strings.ToLower(name)] = out[i]
		}
	}
	last := plan.MaxID(input)
	p := &plan.Project{Input: input}
	for _, f := range have.Fields {
		e := given[strings.ToLower(f.Name)]
		if v := fixed[strings.ToLower(f.Name)]; v != nil {
			if e != nil {
				return nil, errs.New("STATIC_PARTITION_COLUMN_IN_INSERT_COLUMN_LIST", "staticName", f.Name)
			}
			e = v
		}
		if e == nil {
			var err error
			if e, err = st.defaultOf(f); err != nil {
				return nil, err
			}
		}
		last++
		p.Exprs = append(p.Exprs, &plan.Alias{Child: e, Names: []string{f.Name}, ID: last})
	}
	return p, nil
}

// checkNames refuses rows with columns that a table does not have.
func checkNames(t target, list []string, have *types.Type) error {
	for _, name := range list {
		if _, i := have.Field(name, false); i < 0 {
			return errs.New("INCOMPATIBLE_DATA_FOR_TABLE.EXTRA_COLUMNS", "tableName", t.name(), "extraColumns", types.Quote(name))
		}
	}
	return uniqueNames(columnsNamed(list))
}

func columnsNamed(list []string) *types.Type {
	t := types.Struct()
	for _, name := range list {
		t.Fields = append(t.Fields, types.Field{Name: name})
	}
	return t
}

// intoColumns casts an input that has a table's columns by name to their types and puts them in their order.
func (st *statement) intoColumns(input plan.Node, have *types.Type, t *target) (plan.Node, error) {
	out, last := input.(plan.Resolved).Output(), plan.MaxID(input)
	p := &plan.Project{Input: input}
	for _, f := range have.Fields {
		k := find(out, f.Name)
		if k < 0 {
			return nil, errs.Newf(errs.Internal, "the column %s of a write is missing", types.Quote(f.Name))
		}
		v, err := st.assigned(out[k], f, t)
		if err != nil {
			return nil, err
		}
		last++
		p.Exprs = append(p.Exprs, &plan.Alias{Child: v, Names: []string{f.Name}, ID: last})
	}
	n, _, err := st.ruled(p, &delta.Metadata{SchemaString: have.JSON(), Configuration: map[string]string{}})
	return n, err
}

// assigned is a value as a column takes it, by the rules of spark.sql.storeAssignmentPolicy.
func (st *statement) assigned(e plan.Expr, f types.Field, t *target) (plan.Expr, error) {
	from := plan.TypeOf(e)
	if from.SameData(f.Type) {
		return e, nil
	}
	mode := plan.ModeANSI
	if strings.EqualFold(st.s.Conf.Get("spark.sql.storeAssignmentPolicy"), "legacy") {
		mode = plan.ModeLegacy
	} else if !fn.CanAssign(from, f.Type) {
		name := ""
		if t != nil {
			name = t.name()
		}
		return nil, errs.New("INCOMPATIBLE_DATA_FOR_TABLE.CANNOT_SAFELY_CAST", "tableName", name, "colName", types.Quote(f.Name),
			"srcType", `"`+from.SQL()+`"`, "targetType", `"`+f.Type.SQL()+`"`)
	}
	if !fn.CanCast(mode == plan.ModeANSI, from, f.Type) {
		return nil, errs.New("DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION", "sqlExpr", analyze.SQL(e), "srcType", `"`+from.SQL()+`"`, "targetType", `"`+f.Type.SQL()+`"`)
	}
	return &plan.Cast{Child: e, To: f.Type, Mode: mode, Implicit: true, Column: f.Name}, nil
}

// writeFilesTable is df.write.saveAsTable and insertInto of a table of files that is there.
func (st *statement) writeFilesTable(w *plan.Write, t target, input plan.Node) (session.Result, error) {
	switch {
	case w.InsertInto:
		return st.insertFiles(&plan.Insert{Table: w.Table, Input: &plan.Analyzed{Input: input}, Overwrite: w.Mode == plan.SaveOverwrite}, t)
	case w.Mode == plan.SaveErrorIfExists && t.entry != nil:
		return nil, errs.New("TABLE_OR_VIEW_ALREADY_EXISTS", "relationName", t.name())
	case w.Mode == plan.SaveIgnore:
		return emptyResult(), nil
	case t.entry == nil:
		return emptyResult(), st.writePlain(t.provider, t.path, input, w)
	case w.Mode == plan.SaveOverwrite:
		format := strings.ToLower(w.Format)
		if format == "" {
			format = st.s.Conf.Get("spark.sql.sources.default")
		}
		n := newTable{name: w.Table, format: format, partitionBy: w.PartitionBy, clusterBy: w.ClusterBy, options: w.Options, location: t.path, buckets: bucketsOf(w)}
		e := *t.entry
		e.Provider = format
		return st.createFiles(n, e, nil, input, true)
	}
	e, have, err := st.fileEntry(t)
	if err != nil {
		return nil, err
	}
	if err := appendable(w, t, e, have, plan.Schema(input)); err != nil {
		return nil, err
	}
	if input, err = st.intoColumns(input, have, &t); err != nil {
		return nil, err
	}
	return emptyResult(), st.writeTableFiles(fileWrite{entry: e, input: input})
}

// appendable refuses rows and formats that are not those of the table that saveAsTable appends to.
func appendable(w *plan.Write, t target, e *Entry, have, rows *types.Type) error {
	name := t.plainName()
	if format := strings.ToLower(w.Format); format != "" && format != e.Provider {
		return errs.New("_LEGACY_ERROR_TEMP_1159", "tableName", name, "existingProvider", sourceName(e.Provider), "specifiedProvider", sourceName(format))
	}
	if len(have.Fields) != len(rows.Fields) {
		return errs.New("_LEGACY_ERROR_TEMP_1161", "tableName", name, "existingTableSchema", have.String(), "querySchema", rows.String())
	}
	for _, f := range have.Fields {
		if _, i := rows.Field(f.Name, false); i < 0 {
			return errs.New("_LEGACY_ERROR_TEMP_1162", "col", f.Name, "inputColumns", strings.Join(rows.Names(), ", "))
		}
	}
	if by := e.PartitionBy; len(w.PartitionBy) > 0 && !slices.EqualFunc(w.PartitionBy, by, strings.EqualFold) {
		return errs.New("_LEGACY_ERROR_TEMP_1163", "tableName", name, "specifiedPartCols", strings.Join(w.PartitionBy, ", "), "existingPartCols", strings.Join(by, ", "))
	}
	return nil
}

// sourceName is what Spark's messages call a format.
func sourceName(format string) string {
	if name, ok := map[string]string{"parquet": "ParquetDataSourceV2", "json": "JsonDataSourceV2", "csv": "CSVDataSourceV2", "text": "TextDataSourceV2",
		"orc": "OrcDataSourceV2", "delta": "DeltaDataSource", "avro": "AvroFileFormat", "xml": "XmlFileFormat"}[format]; ok {
		return name
	}
	return format
}
