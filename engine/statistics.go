package engine

import (
	"encoding/json"
	"fmt"
	"maps"
	"strconv"
	"strings"

	"millrace/errs"
	"millrace/plan"
	"millrace/session"
	"millrace/table"
	"millrace/types"
	"millrace/vector"
)

// tableStatistics are what ANALYZE TABLE found out. A write forgets it.
type tableStatistics struct {
	Size    int64                       `json:"size"`
	Rows    *int64                      `json:"rows,omitempty"`
	Columns map[string]columnStatistics `json:"columns,omitempty"` // by name in lower case
}

// columnStatistics are those of one column; texts are as DESCRIBE EXTENDED shows them, and empty where there is none.
type columnStatistics struct {
	Distinct int64  `json:"distinct"`
	Nulls    int64  `json:"nulls"`
	Min      string `json:"min,omitempty"`
	Max      string `json:"max,omitempty"`
	AvgLen   int64  `json:"avgLen"`
	MaxLen   int64  `json:"maxLen"`
}

func (s *tableStatistics) String() string {
	text := strconv.FormatInt(s.Size, 10) + " bytes"
	if s.Rows != nil {
		text += ", " + strconv.FormatInt(*s.Rows, 10) + " rows"
	}
	return text
}

// statisticsRecord is what the catalog keeps of a table's statistics, under a key of their own that a write deletes. It is good for the table at that
// place only.
type statisticsRecord struct {
	Location string                      `json:"location"`
	Table    *tableStatistics            `json:"table,omitempty"`
	Parts    map[string]*tableStatistics `json:"parts,omitempty"` // by directory
}

const statisticsPrefix = "/millrace/catalog/statistics/"

func statisticsKey(e *Entry) string {
	return statisticsPrefix + strings.ToLower(e.Namespace) + "/" + strings.ToLower(e.Name)
}

// statisticsOf are a table's statistics, empty where there are none.
func (st *statement) statisticsOf(e *Entry) (statisticsRecord, error) {
	none := statisticsRecord{Location: e.Location, Parts: map[string]*tableStatistics{}}
	value, err := st.e.o.Catalog.kv.Get(st.ctx, statisticsKey(e))
	if err != nil || value == nil {
		return none, err
	}
	var r statisticsRecord
	if err := json.Unmarshal(value, &r); err != nil || r.Location != e.Location {
		return none, nil // it can be found out again
	}
	if r.Parts == nil {
		r.Parts = none.Parts
	}
	return r, nil
}

// analyzed is what ANALYZE TABLE found out about a whole table's rows, as plans guess by it; nil where it has not counted them.
func (st *statement) analyzed(e *Entry, schema *types.Type) (*table.Known, error) {
	r, err := st.statisticsOf(e)
	if err != nil || r.Table == nil || r.Table.Rows == nil {
		return nil, err
	}
	k := &table.Known{Rows: *r.Table.Rows, Columns: map[string]plan.ColumnStatistics{}}
	for _, f := range schema.Fields {
		name := strings.ToLower(f.Name)
		if c, ok := r.Table.Columns[name]; ok {
			k.Columns[name] = plan.ColumnStatistics{Min: st.shownBound(c.Min, f.Type), Max: st.shownBound(c.Max, f.Type), Nulls: c.Nulls, Distinct: c.Distinct}
		}
	}
	return k, nil
}

// shownBound is a number or date that was found as text; nil where there is none.
func (st *statement) shownBound(text string, t *types.Type) any {
	if text == "" || !t.IsNumeric() && t.Kind != types.KindDate {
		return nil
	}
	l, err := st.fold(&plan.Cast{Child: plan.Str(text), To: t})
	if err != nil || l == nil {
		return nil
	}
	return l.Value
}

func (st *statement) putStatistics(e *Entry, r statisticsRecord) error {
	value, err := json.Marshal(r)
	if err != nil {
		return err
	}
	return st.e.o.Catalog.kv.Put(st.ctx, statisticsKey(e), value)
}

// analyzeTable is ANALYZE TABLE and ANALYZE TABLES.
func (st *statement) analyzeTable(c *plan.Analyze) (session.Result, error) {
	if c.Schema {
		return st.analyzeSchema(c)
	}
	columns := c.All || len(c.Columns) > 0
	if _, temporary := st.s.View(c.Name); temporary {
		if columns {
			return nil, errs.New("UNSUPPORTED_FEATURE.ANALYZE_UNCACHED_TEMP_VIEW", "viewName", types.QuoteParts(c.Name...))
		}
		return nil, errs.New("EXPECT_PERMANENT_VIEW_NOT_TEMP", "operation", "ANALYZE TABLE", "viewName", types.QuoteParts(c.Name...))
	}
	t, err := st.target(c.Name)
	switch {
	case err != nil:
		return nil, err
	case t == nil:
		return nil, errs.New("TABLE_OR_VIEW_NOT_FOUND", "relationName", types.QuoteParts(c.Name...))
	case t.entry != nil && t.entry.View != "":
		return nil, errs.New("UNSUPPORTED_FEATURE.ANALYZE_VIEW")
	case t.entry == nil || t.entry.Schema == "":
		return nil, errs.New("NOT_SUPPORTED_COMMAND_FOR_V2_TABLE", "cmd", "ANALYZE TABLE")
	}
	r, err := st.statisticsOf(t.entry)
	if err != nil {
		return nil, err
	}
	switch {
	case c.Partition != nil && !columns:
		err = st.analyzePartitions(t.entry, &r, c)
	case columns:
		err = st.analyzeColumns(t.entry, &r, c)
	default:
		err = st.analyzeRows(t.entry, &r, c.NoScan)
	}
	if err != nil {
		return nil, err
	}
	return emptyResult(), st.putStatistics(t.entry, r)
}

// analyzeSchema is ANALYZE TABLES of a schema; views and tables that have no such statistics are passed over.
func (st *statement) analyzeSchema(c *plan.Analyze) (session.Result, error) {
	all, err := st.entriesOf(st.schemaNamed(c.Name))
	if err != nil {
		return nil, err
	}
	for _, e := range all {
		if e.View != "" || e.Schema == "" {
			continue
		}
		r, err := st.statisticsOf(&e)
		if err != nil {
			return nil, err
		}
		if err := st.analyzeRows(&e, &r, c.NoScan); err != nil {
			return nil, err
		}
		if err := st.putStatistics(&e, r); err != nil {
			return nil, err
		}
	}
	return emptyResult(), nil
}

// analyzeRows notes a table's bytes and, unless it is not to be read, its rows. Columns keep what is known of them.
func (st *statement) analyzeRows(e *Entry, r *statisticsRecord, noScan bool) error {
	sizes, err := st.partitionSizes(e)
	if err != nil {
		return err
	}
	s := tableStatistics{}
	for _, n := range sizes {
		s.Size += n
	}
	if old := r.Table; old != nil {
		s.Columns = old.Columns
		if old.Size == s.Size {
			s.Rows = old.Rows
		}
	}
	if !noScan {
		n, err := st.countRows(e)
		if err != nil {
			return err
		}
		s.Rows = &n
	}
	r.Table = &s
	return nil
}

func (st *statement) countRows(e *Entry) (int64, error) {
	rows, err := st.collectAll(&plan.Aggregate{Input: relationOf(e), Exprs: []plan.Expr{plan.Fn("count", plan.Int(1))}})
	if err != nil {
		return 0, err
	}
	return rows[0][0].(int64), nil
}

func relationOf(e *Entry) plan.Node {
	return &plan.UnresolvedRelation{Parts: []string{"spark_catalog", e.Namespace, e.Name}}
}

// collectAll runs a query and returns all of its rows.
func (st *statement) collectAll(n plan.Node) ([][]any, error) {
	resolved, err := st.analyze(n)
	if err != nil {
		return nil, err
	}
	return st.collect(resolved, 1<<30)
}

// analyzePartitions notes the bytes and rows of the partitions that a specification means, whose columns may have no value.
func (st *statement) analyzePartitions(e *Entry, r *statisticsRecord, c *plan.Analyze) error {
	schema, err := e.fileSchema()
	if err != nil {
		return err
	}
	if len(e.PartitionBy) == 0 {
		return errs.New("_LEGACY_ERROR_TEMP_1251", "action", "ANALYZE TABLE", "tableName", e.Name)
	}
	dirs, err := st.matchingPartitions(e, schema, c.Partition)
	if err != nil {
		return err
	}
	sizes, err := st.partitionSizes(e)
	if err != nil {
		return err
	}
	counts := map[string]int64{}
	if !c.NoScan {
		if counts, err = st.countPartitions(e, schema); err != nil {
			return err
		}
	}
	for _, dir := range dirs {
		s := &tableStatistics{Size: sizes[dir]}
		if n := counts[dir]; !c.NoScan {
			s.Rows = &n
		}
		r.Parts[dir] = s
	}
	return nil
}

// matchingPartitions are the directories of the partitions whose columns have the values that a specification gives.
func (st *statement) matchingPartitions(e *Entry, schema *types.Type, spec map[string]plan.Expr) ([]string, error) {
	fixed, err := st.fixedPartitions(&plan.Insert{Partition: spec}, e, schema)
	if err != nil {
		return nil, err
	}
	all, err := st.partitions(e)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, dir := range all {
		segments, fits := strings.Split(dir, "/"), true
		for i, p := range e.PartitionBy {
			if l := fixed[strings.ToLower(p)]; l != nil && i < len(segments) && segments[i] != st.partitionSegment(p, l) {
				fits = false
			}
		}
		if fits {
			out = append(out, dir)
		}
	}
	if len(out) == 0 && len(fixed) == len(e.PartitionBy) {
		return nil, partitionError("PARTITIONS_NOT_FOUND", e, st.fixedDirectory(e, fixed))
	}
	return out, nil
}

// countPartitions counts the rows of all partitions by their directories.
func (st *statement) countPartitions(e *Entry, schema *types.Type) (map[string]int64, error) {
	agg := &plan.Aggregate{Input: relationOf(e)}
	columns := schema.Fields[len(schema.Fields)-len(e.PartitionBy):]
	for _, f := range columns {
		key := &plan.UnresolvedAttribute{Parts: []string{f.Name}}
		agg.Groups, agg.Exprs = append(agg.Groups, key), append(agg.Exprs, key)
	}
	agg.Exprs = append(agg.Exprs, plan.Fn("count", plan.Int(1)))
	rows, err := st.collectAll(agg)
	if err != nil {
		return nil, err
	}
	out := map[string]int64{}
	for _, row := range rows {
		segments := make([]string, len(columns))
		for i, f := range columns {
			segments[i] = st.partitionSegment(f.Name, &plan.Literal{Value: row[i], T: f.Type})
		}
		out[strings.Join(segments, "/")] = row[len(columns)].(int64)
	}
	return out, nil
}

// analyzeColumns notes the values of columns, with the rows and bytes of the table.
func (st *statement) analyzeColumns(e *Entry, r *statisticsRecord, c *plan.Analyze) error {
	schema, err := e.fileSchema()
	if err != nil {
		return err
	}
	var fields []types.Field
	if c.All {
		fields = schema.Fields
	}
	for _, name := range c.Columns {
		f, i := schema.Field(name, st.settings.CaseSensitive)
		if i < 0 {
			return errs.New("COLUMN_NOT_FOUND", "colName", types.Quote(name), "caseSensitiveConfig", `"spark.sql.caseSensitive"`)
		}
		fields = append(fields, f)
	}
	for _, f := range fields {
		if f.Type.IsNested() || f.Type.Kind == types.KindVariant || f.Type.Kind == types.KindCalendar || f.Type.Kind == types.KindNull {
			return errs.New("UNSUPPORTED_FEATURE.ANALYZE_UNSUPPORTED_COLUMN_TYPE", "columnType", `"`+f.Type.SQL()+`"`, "columnName", types.Quote(f.Name), "tableName", (target{entry: e}).name())
		}
	}
	if err := st.analyzeRows(e, r, false); err != nil {
		return err
	}
	agg := &plan.Aggregate{Input: relationOf(e)}
	for _, f := range fields {
		agg.Exprs = append(agg.Exprs, columnAggregates(f)...)
	}
	rows, err := st.collectAll(agg)
	if err != nil {
		return err
	}
	s := *r.Table
	if s.Columns = maps.Clone(s.Columns); s.Columns == nil {
		s.Columns = map[string]columnStatistics{}
	}
	for i, f := range fields {
		s.Columns[strings.ToLower(f.Name)] = columnFound(rows[0][i*columnFacts:], *s.Rows, f.Type)
	}
	r.Table = &s
	return nil
}

// columnFacts is the number of aggregates of a column.
const columnFacts = 6

// columnAggregates are those that columnFound reads: values, distinct values, least, greatest, and lengths' average and maximum.
func columnAggregates(f types.Field) []plan.Expr {
	column := &plan.UnresolvedAttribute{Parts: []string{f.Name}}
	least, greatest := plan.Expr(&plan.Literal{T: types.Null}), plan.Expr(&plan.Literal{T: types.Null})
	length := plan.Expr(plan.Int(0)) // of fixed-width values it is the type's
	if f.Type.IsStringLike() {
		length = plan.Fn("octet_length", column)
	} else {
		least, greatest = shownExtreme("min", column, f.Type), shownExtreme("max", column, f.Type)
	}
	named := func(i int, e plan.Expr) plan.Expr {
		return &plan.Alias{Child: e, Names: []string{fmt.Sprintf("c%d", i)}}
	}
	distinct := &plan.UnresolvedFunction{Name: []string{"count"}, Args: []plan.Expr{column}, Distinct: true}
	return []plan.Expr{named(0, plan.Fn("count", column)), named(1, distinct), named(2, least), named(3, greatest),
		named(4, plan.Fn("ceil", plan.Fn("avg", length))), named(5, plan.Fn("max", length))}
}

// shownExtreme is a column's least or greatest value as Spark's catalog writes it.
func shownExtreme(function string, column plan.Expr, t *types.Type) plan.Expr {
	v := plan.Expr(plan.Fn(function, column))
	switch t.Kind {
	case types.KindTimestamp:
		return plan.Fn("date_format", &plan.Cast{Child: plan.Fn("to_utc_timestamp", v, plan.Fn("current_timezone")), To: types.Timestamp}, plan.Str("yyyy-MM-dd HH:mm:ss.SSSSSS '+0000'"))
	case types.KindTimestampNTZ:
		return plan.Fn("date_format", v, plan.Str("yyyy-MM-dd HH:mm:ss.SSSSSS"))
	}
	return &plan.Cast{Child: v, To: types.String}
}

func columnFound(row []any, all int64, t *types.Type) columnStatistics {
	count := row[0].(int64)
	s := columnStatistics{Distinct: row[1].(int64), Nulls: all - count}
	s.Min, _ = row[2].(string)
	s.Max, _ = row[3].(string)
	s.AvgLen, s.MaxLen = int64(vector.Width(t)), int64(vector.Width(t))
	if t.IsStringLike() {
		s.AvgLen, _ = row[4].(int64)
		s.MaxLen, _ = row[5].(int64)
	}
	return s
}

// columnRows are what DESCRIBE EXTENDED says of a column's values.
func columnRows(known *tableStatistics, name string) [][]any {
	shown := map[string]string{}
	if known != nil {
		if s, ok := known.Columns[strings.ToLower(name)]; ok {
			shown["min"], shown["max"] = s.Min, s.Max
			for k, n := range map[string]int64{"num_nulls": s.Nulls, "distinct_count": s.Distinct, "avg_col_len": s.AvgLen, "max_col_len": s.MaxLen} {
				shown[k] = strconv.FormatInt(n, 10)
			}
		}
	}
	var rows [][]any
	for _, k := range []string{"min", "max", "num_nulls", "distinct_count", "avg_col_len", "max_col_len", "histogram"} {
		v := shown[k]
		if v == "" {
			v = "NULL"
		}
		rows = append(rows, []any{k, v})
	}
	return rows
}

// forgetStatistics takes back what ANALYZE TABLE said of a table. A write does so itself, in the step in which it comes to count.
func (st *statement) forgetStatistics(e *Entry) error {
	return st.e.o.Catalog.kv.Delete(st.ctx, statisticsKey(e))
}
