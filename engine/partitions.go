package engine

import (
	"maps"
	"path"
	"slices"
	"strings"

	"millrace/errs"
	"millrace/plan"
	"millrace/session"
	"millrace/storage"
	"millrace/table"
	"millrace/types"
)

// partition is what the catalog knows of a partition of a table of files. Those that it knows nothing of are the directories that have files.
type partition struct {
	Created int64 `json:"created,omitempty"` // in milliseconds since 1970
}

// partitionedEntry is the record of a partitioned table of files; operation is how messages name what is done to it.
func (st *statement) partitionedEntry(operation string, name []string) (*Entry, error) {
	if _, temporary := st.s.View(name); temporary {
		return nil, errs.New("FORBIDDEN_OPERATION", "statement", operation, "objectType", "TEMPORARY VIEW", "objectName", types.QuoteParts(name...))
	}
	t, err := st.target(name)
	switch {
	case err != nil:
		return nil, err
	case t == nil:
		return nil, errs.New("TABLE_OR_VIEW_NOT_FOUND", "relationName", types.QuoteParts(name...))
	case t.entry != nil && t.entry.View != "":
		return nil, errs.New("FORBIDDEN_OPERATION", "statement", operation, "objectType", "VIEW", "objectName", types.QuoteParts(name...))
	case t.entry == nil || t.entry.Schema == "":
		return nil, errs.New("NOT_SUPPORTED_COMMAND_FOR_V2_TABLE", "cmd", operation)
	case len(t.entry.PartitionBy) == 0:
		return nil, errs.New("_LEGACY_ERROR_TEMP_1251", "action", operation, "tableName", t.entry.Name)
	}
	return t.entry, nil
}

// partitionOf is the directory of the partition that a specification of all partition columns gives.
func (st *statement) partitionOf(e *Entry, spec map[string]plan.Expr) (string, error) {
	schema, err := e.fileSchema()
	if err != nil {
		return "", err
	}
	typed := map[string]plan.Expr{}
	for name, v := range spec {
		if f, i := schema.Field(name, false); i >= 0 && v != nil {
			v = &plan.Cast{Child: v, To: f.Type, Mode: plan.ModeANSI}
		}
		typed[name] = v
	}
	fixed, err := st.fixedPartitions(&plan.Insert{Partition: typed}, e, schema)
	if err != nil {
		return "", err
	}
	if len(fixed) < len(e.PartitionBy) {
		return "", errs.New("_LEGACY_ERROR_TEMP_1232", "specKeys", strings.Join(slices.Sorted(maps.Keys(spec)), ", "), "partitionColumnNames", strings.Join(e.PartitionBy, ", "),
			"tableName", (target{entry: e}).name())
	}
	return st.fixedDirectory(e, fixed), nil
}

// partitions are the directories of a table's partitions in order: those with files and those that were made by ALTER TABLE.
func (st *statement) partitions(e *Entry) ([]string, error) {
	dirs, err := st.partitionDirectories(e)
	if err != nil {
		return nil, err
	}
	for dir := range e.Parts {
		dirs = append(dirs, dir)
	}
	slices.Sort(dirs)
	return slices.Compact(dirs), nil
}

// existingPartition is the directory of a partition that there is.
func (st *statement) existingPartition(e *Entry, spec map[string]plan.Expr) (string, error) {
	dir, err := st.partitionOf(e, spec)
	if err != nil {
		return "", err
	}
	all, err := st.partitions(e)
	if err == nil && !slices.Contains(all, dir) {
		err = partitionError("PARTITIONS_NOT_FOUND", e, dir)
	}
	return dir, err
}

func partitionError(condition string, e *Entry, dir string) error {
	return errs.New(condition, "partitionList", "PARTITION ("+strings.Join(partitionTexts(dir, "`", " = "), ", ")+")", "tableName", types.QuoteParts(e.Namespace, e.Name))
}

// partitionTexts are a directory's columns and values.
func partitionTexts(dir, quote, between string) []string {
	names, values := table.PartitionValues(dir)
	out := make([]string, len(names))
	for i, n := range names {
		v := "null"
		if values[i] != nil {
			v = *values[i]
		}
		out[i] = quote + n + quote + between + v
	}
	return out
}

// alterPartitions is ALTER TABLE … ADD or DROP PARTITION.
func (st *statement) alterPartitions(name []string, a plan.AlterAction) error {
	operation := "ALTER TABLE " + strings.ToUpper(a.Kind)
	e, err := st.partitionedEntry(operation, name)
	if err != nil {
		return err
	}
	if a.To != "" {
		return errs.Unsupportedf("%s … LOCATION is not supported: a partition lies below its table.", operation)
	}
	all, err := st.partitions(e)
	if err != nil {
		return err
	}
	var added, gone []string
	for _, spec := range a.Partitions {
		dir, err := st.partitionOf(e, spec)
		if err != nil {
			return err
		}
		there := slices.Contains(all, dir)
		switch {
		case a.Kind == "add partition" && there && !a.IfExists:
			return partitionError("PARTITIONS_ALREADY_EXIST", e, dir)
		case a.Kind == "add partition" && !there:
			added = append(added, dir)
		case a.Kind == "drop partition" && !there && !a.IfExists:
			return partitionError("PARTITIONS_NOT_FOUND", e, dir)
		case a.Kind == "drop partition" && there:
			gone = append(gone, dir)
		}
	}
	if len(gone) > 0 {
		if !e.Managed {
			return errs.Unsupportedf("ALTER TABLE … DROP PARTITION of a table at a LOCATION of its own is not supported: its directories are its partitions.")
		}
		if err := st.writeTableFiles(fileWrite{entry: e, overwrite: true, within: gone}); err != nil {
			return err
		}
	}
	return st.e.o.Catalog.Alter(st.ctx, *e, func(e *Entry) error {
		if e.Parts == nil {
			e.Parts = map[string]partition{}
		}
		for _, dir := range added {
			e.Parts[dir] = partition{Created: st.settings.NowMicros / 1000}
		}
		for _, dir := range gone {
			delete(e.Parts, dir)
		}
		return nil
	})
}

// partitionDetails are the lines about a partition of DESCRIBE and SHOW TABLE EXTENDED. The first four are about its place.
func (st *statement) partitionDetails(e *Entry, dir string) ([][2]string, error) {
	out := [][2]string{{"Partition Values", "[" + strings.Join(partitionTexts(dir, "", "="), ", ") + "]"}, {"Location", strings.TrimRight(urlOf(e.Location), "/") + "/" + dir}}
	if len(e.Options) > 0 {
		out = append(out, [2]string{"Storage Properties", "[" + pairsOf(e.Options) + "]"})
	}
	known, err := st.statisticsOf(e)
	created := e.Parts[dir].Created
	if created == 0 {
		created = e.Created
	}
	out = append(out, st.madeBy(created)[:2]...)
	if s := known.Parts[dir]; s != nil {
		out = append(out, [2]string{"Partition Statistics", s.String()})
	}
	return out, err
}

// showExtendedPartition is SHOW TABLE EXTENDED LIKE 'table' PARTITION (…).
func (st *statement) showExtendedPartition(c *plan.Show) (session.Result, error) {
	name := append(slices.Clone(c.Name), c.Pattern)
	e, err := st.partitionedEntry("SHOW TABLE EXTENDED", name)
	if err != nil {
		return nil, err
	}
	dir, err := st.existingPartition(e, c.Partition)
	if err != nil {
		return nil, err
	}
	lines, err := st.partitionDetails(e, dir)
	if err != nil {
		return nil, err
	}
	return st.rowsResult(extendedSchema, [][]any{{strings.ToLower(e.Namespace), strings.ToLower(e.Name), false, information(lines)}})
}

// describePartition is DESCRIBE [EXTENDED] table PARTITION (…).
func (st *statement) describePartition(c *plan.Describe) (session.Result, error) {
	e, err := st.partitionedEntry("DESC PARTITION", c.Name)
	if err != nil {
		return nil, err
	}
	dir, err := st.existingPartition(e, c.Partition)
	if err != nil {
		return nil, err
	}
	if c.Kind == "json" {
		return st.describeJSON(e, dir)
	}
	schema, err := e.fileSchema()
	if err != nil {
		return nil, err
	}
	var rows [][]any
	add := func(k, v string) { rows = append(rows, []any{k, v, ""}) }
	columns := func(fields []types.Field) {
		for _, f := range fields {
			rows = append(rows, []any{f.Name, f.Type.String(), comment(f)})
		}
	}
	columns(schema.Fields)
	add("# Partition Information", "")
	rows = append(rows, []any{"# col_name", "data_type", "comment"})
	columns(schema.Fields[len(schema.Fields)-len(e.PartitionBy):])
	if c.Extended {
		add("", "")
		add("# Detailed Partition Information", "")
		add("Database", strings.ToLower(e.Namespace))
		add("Table", strings.ToLower(e.Name))
		lines, err := st.partitionDetails(e, dir)
		if err != nil {
			return nil, err
		}
		for _, kv := range lines {
			add(kv[0], kv[1])
		}
		add("", "")
		add("# Storage Information", "")
		for _, kv := range bucketDetails(e) {
			add(kv[0], kv[1])
		}
		add("Location", urlOf(e.Location))
		if len(e.Options) > 0 {
			add("Storage Properties", "["+pairsOf(e.Options)+"]")
		}
	}
	return st.rowsResult(describeSchema, rows)
}

// partitionSizes are the bytes of the files that count of each partition; of an unpartitioned table all are under ".".
func (st *statement) partitionSizes(e *Entry) (map[string]int64, error) {
	store, err := storage.Open(e.Location)
	if err != nil {
		return nil, err
	}
	hidden, err := st.hiddenFiles(e.Location)
	if err != nil {
		return nil, err
	}
	out := map[string]int64{}
	for f, err := range store.List(st.ctx, "", "") {
		if errs.Is(err, errs.NotFound) {
			break
		}
		if err != nil {
			return nil, err
		}
		if base := path.Base(f.Name); (hidden == nil || !hidden(f.Name)) && !strings.HasPrefix(base, "_") && !strings.HasPrefix(base, ".") {
			out[path.Dir(f.Name)] += f.Size
		}
	}
	return out, nil
}
