package engine

import (
	"strconv"
	"strings"

	"millrace/errs"
	"millrace/plan"
	"millrace/plan/analyze"
	"millrace/session"
	"millrace/types"
)

// insert is INSERT INTO and INSERT OVERWRITE.
func (st *statement) insert(c *plan.Insert) (session.Result, error) {
	if err := st.mayMatch(c); err != nil {
		return nil, err
	}
	t, err := st.target(c.Table)
	switch {
	case err != nil:
		return nil, err
	case t == nil:
		return nil, errs.New("TABLE_OR_VIEW_NOT_FOUND", "relationName", types.QuoteParts(c.Table...))
	case t.provider != "delta" && c.Matching != "":
		return nil, errs.New("UNSUPPORTED_FEATURE.TABLE_OPERATION", "tableName", t.name(), "operation", "INSERT INTO ... REPLACE ON/USING")
	case t.provider != "delta":
		return st.insertFiles(c, *t)
	case c.IfNotExists:
		return nil, errs.Unsupportedf("INSERT OVERWRITE … IF NOT EXISTS is not supported yet.")
	}
	if hasDefault(c.Input) {
		tab, err := st.delta(t.path, nil, t.name())
		if err != nil {
			return nil, err
		}
		st.read = st.read[:len(st.read)-1] // its schema only
		d := *c
		if d.Input, err = st.withDefaults(c, tab.Snapshot.Schema()); err != nil {
			return nil, err
		}
		c = &d
	}
	input, err := st.analyze(c.Input)
	if err != nil {
		return nil, err
	}
	options := matchOptions(c)
	if c.SchemaEvolution {
		if options == nil {
			options = map[string]string{}
		}
		options["mergeSchema"] = "true"
	}
	return st.insertRows(c, t, input, options)
}

// insertRows is INSERT into a Delta table.
func (st *statement) insertRows(c *plan.Insert, t *target, input plan.Node, options map[string]string) (session.Result, error) {
	tab, err := st.delta(t.path, nil, t.name())
	if err != nil {
		return nil, err
	}
	st.read = st.read[:len(st.read)-1] // its schema only
	given := input
	var replace plan.Expr
	if len(c.Partition) > 0 {
		if input, replace, err = st.intoPartition(c, t, input, tab.Snapshot.Schema(), tab.PartitionColumns()); err != nil {
			return nil, err
		}
	} else if input, err = st.arrange(c, t, input, tab.Snapshot.Schema()); err != nil {
		return nil, err
	}
	out := input.(plan.Resolved).Output()
	places := !c.ByName && len(c.Partition) == 0 && !asColumns(out, tab.Snapshot.Schema())
	w := deltaWrite{path: t.path, mode: plan.SaveAppend, input: input, options: options, coerce: true, nestedByPosition: places,
		byPosition: places && len(c.Columns) == 0}
	switch {
	case c.ReplaceIf != nil:
		w.mode, w.replaceIf, w.replaceText = plan.SaveOverwrite, c.ReplaceIf, textOf(c.ReplaceIf)
	case c.Matching != "":
		w.mode = plan.SaveOverwrite
	case c.Overwrite:
		w.mode = plan.SaveOverwrite
		if replace != nil && !strings.EqualFold(st.s.Conf.Get("spark.sql.sources.partitionOverwriteMode"), "dynamic") {
			w.replaceIf, w.replaceText = replace, textOf(replace)
		}
	}
	if err := enoughFields(t, out, tab.Snapshot.Schema(), w.byPosition); err != nil {
		return nil, err
	}
	if w.mode == plan.SaveOverwrite && asksMatching(options) {
		if w.input, err = matchable(given, input, options); err != nil {
			return nil, err
		}
		w.given = given
	}
	return st.writeDelta(w)
}

// asColumns reports whether rows have a table's columns by name and type, so that nothing in them is matched by its place.
func asColumns(out []*plan.Attribute, have *types.Type) bool {
	for i, f := range have.Fields {
		if i >= len(out) || out[i].Name != f.Name || !readsAs(f.Type, out[i].T) {
			return false
		}
	}
	return true
}

// readsAs reports whether a type has all that another has, by the same names.
func readsAs(column, from *types.Type) bool {
	switch {
	case column.Kind != from.Kind:
		return false
	case column.Kind == types.KindArray:
		return readsAs(column.Elem, from.Elem)
	case column.Kind == types.KindMap:
		return readsAs(column.Key, from.Key) && readsAs(column.Elem, from.Elem)
	case column.Kind != types.KindStruct:
		return column.SameData(from)
	}
	for _, f := range column.Fields {
		g, i := from.Field(f.Name, true)
		if i < 0 || !readsAs(f.Type, g.Type) {
			return false
		}
	}
	return true
}

// enoughFields refuses structs with fewer fields than the column's.
func enoughFields(t *target, out []*plan.Attribute, have *types.Type, byPosition bool) error {
	given := types.Struct()
	for _, a := range out {
		given.Fields = append(given.Fields, types.Field{Name: a.Name, Type: a.T})
	}
	return enoughIn(t, given, have, byPosition)
}

func enoughIn(t *target, given, have *types.Type, byPosition bool) error {
	for i, f := range have.Fields {
		g, k := given.Field(f.Name, false)
		if byPosition && i < len(given.Fields) {
			g, k = given.Fields[i], i
		}
		if k < 0 || g.Type.Kind != f.Type.Kind {
			continue
		}
		if g.Type.Kind != types.KindStruct {
			if lacksFields(g.Type, f.Type) {
				return errs.New("DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION", "sqlExpr", `"`+g.Name+`"`, "srcType", `"`+g.Type.SQL()+`"`, "targetType", `"`+f.Type.SQL()+`"`)
			}
			continue
		}
		if len(g.Type.Fields) < len(f.Type.Fields) {
			return tooFew(t, "not enough nested fields in "+f.Name, len(f.Type.Fields), len(g.Type.Fields))
		}
		if err := enoughIn(t, g.Type, f.Type, byPosition); err != nil {
			return err
		}
	}
	return nil
}

// lacksFields reports whether a struct in a type has fewer fields than the one in its place in another.
func lacksFields(from, to *types.Type) bool {
	if from.Kind != to.Kind || len(from.Fields) < len(to.Fields) {
		return from.Kind == to.Kind
	}
	for i := range to.Fields {
		if lacksFields(from.Fields[i].Type, to.Fields[i].Type) {
			return true
		}
	}
	return from.Elem != nil && lacksFields(from.Elem, to.Elem) || from.Key != nil && lacksFields(from.Key, to.Key)
}

func tooFew(t *target, what string, have, given int) error {
	return errs.New("DELTA_INSERT_COLUMN_ARITY_MISMATCH", "tableName", t.plainName(), "columnName", what, "numColumns", strconv.Itoa(have), "insertColumns", strconv.Itoa(given))
}

// arrange names an INSERT's columns and checks their number. Columns that the table does not have are judged by its schema's rules.
func (st *statement) arrange(c *plan.Insert, t *target, input plan.Node, have *types.Type) (plan.Node, error) {
	out := input.(plan.Resolved).Output()
	if len(c.Columns) == 0 {
		if !c.ByName && len(out) < len(have.Fields) {
			return nil, tooFew(t, "not enough data columns", len(have.Fields), len(out))
		}
		return input, nil
	}
	if err := checkColumnList(c.Columns, have); err != nil {
		return nil, err
	}
	if err := specified(c.Columns, have); err != nil {
		return nil, err
	}
	if len(c.Columns) != len(out) {
		return nil, arity(*t, c.Columns, out)
	}
	last := plan.MaxID(input)
	exprs := make([]plan.Expr, len(out))
	for i, a := range out {
		last++
		exprs[i] = &plan.Alias{Child: a, Names: []string{c.Columns[i]}, ID: last}
	}
	return &plan.Project{Input: input, Exprs: exprs}, nil
}

// checkColumnList refuses an INSERT's list of columns in which one stands twice or is not the table's.
func checkColumnList(list []string, have *types.Type) error {
	seen := types.Struct()
	for _, name := range list {
		if _, i := have.Field(name, false); i < 0 {
			return errs.New("UNRESOLVED_COLUMN.WITH_SUGGESTION", "objectName", types.Quote(name), "proposal", quotedList(have.Names()))
		}
		seen.Fields = append(seen.Fields, types.Field{Name: name})
	}
	return uniqueNames(seen)
}

// uniqueNames refuses columns of which two have the same name.
func uniqueNames(t *types.Type) error {
	seen := map[string]bool{}
	for _, f := range t.Fields {
		name := strings.ToLower(f.Name)
		if seen[name] {
			return errs.New("COLUMN_ALREADY_EXISTS", "columnName", types.Quote(name))
		}
		seen[name] = true
	}
	return nil
}

// arity is the error of rows that have another number of columns than the table.
func arity(t target, have []string, out []*plan.Attribute) error {
	kind := "NOT_ENOUGH_DATA_COLUMNS"
	if len(out) > len(have) {
		kind = "TOO_MANY_DATA_COLUMNS"
	}
	return errs.New("INSERT_COLUMN_ARITY_MISMATCH."+kind, "tableName", t.name(), "tableColumns", quotedList(have), "dataColumns", quotedList(names(out)))
}

func names(attrs []*plan.Attribute) []string {
	out := make([]string, len(attrs))
	for i, a := range attrs {
		out[i] = a.Name
	}
	return out
}

func quotedList(list []string) string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = types.Quote(s)
	}
	return strings.Join(out, ", ")
}

// orMissing is an error, or that there is no table of the name.
func orMissing(err error, name []string) error {
	if err != nil {
		return err
	}
	return errs.New("TABLE_OR_VIEW_NOT_FOUND", "relationName", types.QuoteParts(name...))
}

// writeV2 is df.writeTo.
func (st *statement) writeV2(w *plan.WriteV2) (session.Result, error) {
	switch w.Action {
	case "create", "replace", "createOrReplace":
		c := &plan.CreateTable{Name: w.Table, Provider: w.Provider, ClusterBy: w.ClusterBy, Options: w.Options, Properties: w.Properties, Query: w.Input,
			Replace: w.Action != "create", OrCreate: w.Action == "createOrReplace"}
		var err error
		if c.PartitionBy, err = st.partitionNames(w); err != nil {
			return nil, err
		}
		return st.createTable(c)
	case "overwrite", "overwritePartitions":
		return st.overwriteV2(w)
	case "append":
		if t, err := st.target(w.Table); err != nil || t == nil {
			return nil, orMissing(err, w.Table)
		}
		return st.write(&plan.Write{Input: w.Input, Table: w.Table, Format: w.Provider, Mode: plan.SaveAppend, Options: w.Options})
	}
	return nil, errs.Unsupportedf("writeTo(…).%s() is not supported yet.", w.Action)
}

// partitionNames are the columns of writeTo(…).partitionedBy, which may say other things than columns.
func (st *statement) partitionNames(w *plan.WriteV2) ([]string, error) {
	var names []string
	for _, e := range w.PartitionBy {
		if c, ok := e.(*plan.UnresolvedAttribute); ok && len(c.Parts) == 1 {
			names = append(names, c.Parts[0])
			continue
		}
		f, ok := e.(*plan.UnresolvedFunction)
		switch delta := w.Provider == "" || strings.EqualFold(w.Provider, "delta"); {
		case !delta:
			return nil, errs.Unsupportedf("Partitioning a %s table by %s is not supported.", w.Provider, textOf(e))
		case ok && strings.EqualFold(f.Name[len(f.Name)-1], "bucket"):
			return nil, errs.New("DELTA_OPERATION_NOT_ALLOWED_DETAIL", "operation", "Bucketing", "tableName", types.QuoteParts(w.Table...))
		}
		return nil, errs.New("DELTA_OPERATION_NOT_ALLOWED", "operation", "Partitioning by expressions")
	}
	return names, nil
}

// overwriteV2 is df.writeTo(…).overwrite(condition) and overwritePartitions().
func (st *statement) overwriteV2(w *plan.WriteV2) (session.Result, error) {
	t, err := st.target(w.Table)
	if err != nil || t == nil {
		return nil, orMissing(err, w.Table)
	}
	if t.provider != "delta" {
		return nil, errs.Unsupportedf("writeTo(…).%s() of the %s table %s is not supported yet.", w.Action, t.provider, t.name())
	}
	input, err := st.analyze(w.Input)
	if err != nil {
		return nil, err
	}
	d := deltaWrite{path: t.path, input: input, mode: plan.SaveOverwrite, options: w.Options, coerce: true, dynamic: w.Action == "overwritePartitions"}
	if w.Condition != nil {
		d.replaceIf, d.replaceText = w.Condition, textOf(w.Condition)
	}
	return st.writeDelta(d)
}

// textOf is how messages and the history show a condition that is not resolved.
func textOf(e plan.Expr) string { return analyze.Pretty(e) }
