package table

import (
	"context"
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"

	"millrace/errs"
	"millrace/javatime"
	"millrace/physical"
	"millrace/plan"
	"millrace/planconv"
	planpb "millrace/proto/millrace/plan/v1"
	"millrace/table/text"
	"millrace/types"
)

// SourceSpec describes files to read: spark.read.format(…).schema(…).options(…).load(paths).
type SourceSpec struct {
	Format        string
	Schema        *types.Type // nil: to be inferred
	Options       map[string]string
	Paths         []string
	CaseSensitive bool
	TimeZone      string
	NowMicros     int64
	// InferPartitionTypes is spark.sql.sources.partitionColumnTypeInference.enabled, which is on by default.
	InferPartitionTypes bool
	// PartitionBy are the partition columns of a catalogued table, whose types Schema has; nil: what the directories say.
	PartitionBy []string
	// Hidden leaves out files by their names below their path; nil: none.
	Hidden func(name string) bool
	// Empty says that there need not be any files.
	Empty bool
	// Known is what somebody found out about the rows, for plans to guess by; nil: nothing.
	Known *Known
	Env   Env
}

// Known are the number of a table's rows, and what its columns hold, by their names in lower case.
type Known struct {
	Rows    int64
	Columns map[string]plan.ColumnStatistics
}

// Source is a table that is a set of files.
type Source struct {
	spec   SourceSpec
	files  []listed
	schema *types.Type
	parts  *partitioning
	values [][]*planpb.Literal // per file
	data   *types.Type         // the files' own columns
	size   int64
	zone   *javatime.Zone
}

var (
	_ plan.Located    = (*Source)(nil)
	_ plan.Statistics = (*Source)(nil)
	_ physical.Source = (*Source)(nil)
)

// OpenSource lists the files and finds their schema.
func OpenSource(ctx context.Context, spec SourceSpec) (*Source, error) {
	spec.Format = strings.ToLower(spec.Format)
	if err := checkFlags(spec.Options); err != nil {
		return nil, err
	}
	f, ok := formats[spec.Format]
	if !ok || f.infer == nil {
		return nil, errs.New("DATA_SOURCE_NOT_FOUND", "provider", spec.Format)
	}
	s := &Source{spec: spec}
	var err error
	if s.zone, err = zoneOf(&planpb.Settings{TimeZone: spec.TimeZone}); err != nil {
		return nil, err
	}
	s.files, err = list(ctx, spec.Paths, s.option("pathGlobFilter"))
	if err != nil && (!spec.Empty || errs.ConditionOf(err) != "PATH_NOT_FOUND") {
		return nil, err
	}
	if spec.Hidden != nil {
		s.files = slices.DeleteFunc(s.files, func(f listed) bool { return spec.Hidden(path.Join(f.dir, path.Base(f.path))) })
	}
	if err := s.keepModified(); err != nil {
		return nil, err
	}
	if err := s.partition(); err != nil {
		return nil, err
	}
	for _, f := range s.files {
		s.size += f.size
	}
	if s.data = spec.Schema; s.data == nil {
		if s.data, err = f.infer(ctx, s); err != nil {
			return nil, err
		}
	}
	if err := s.layOut(); err != nil {
		return nil, err
	}
	if s.spec.Format == "text" {
		return s, text.CheckSchema(s.data)
	}
	return s, nil
}

// checkFlags refuses values of options of all formats that are neither true nor false.
func checkFlags(options map[string]string) error {
	for k, v := range options {
		switch strings.ToLower(k) {
		case "recursivefilelookup", "mergeschema", "ignorecorruptfiles", "ignoremissingfiles":
			if !strings.EqualFold(v, "true") && !strings.EqualFold(v, "false") {
				return errs.Newf(errs.Invalid, "For input string: \"%s\"", v)
			}
		}
	}
	return nil
}

// option is an option by its name in any case.
func (s *Source) option(name string) string {
	for k, v := range s.spec.Options {
		if strings.EqualFold(k, name) {
			return v
		}
	}
	return ""
}

// keepModified leaves out the files that the options modifiedBefore and modifiedAfter do.
func (s *Source) keepModified() error {
	zone := s.zone
	if name := s.option("timeZone"); name != "" {
		var err error
		if zone, err = javatime.ZoneOf(name); err != nil {
			return err
		}
	}
	for _, name := range []string{"modifiedBefore", "modifiedAfter"} {
		text := s.option(name)
		if text == "" {
			continue
		}
		limit, ok := javatime.ParseTimestamp(text, zone, s.spec.NowMicros)
		if !ok {
			return errs.New("_LEGACY_ERROR_TEMP_1294", "strategy", strings.ToLower(name), "timeString", text)
		}
		s.files = slices.DeleteFunc(s.files, func(f listed) bool {
			at := f.modified.UnixMicro()
			return at == limit || at < limit != (name == "modifiedBefore")
		})
	}
	return nil
}

// partition finds the partition columns. Without any, files in subdirectories do not belong to the source, unless it is asked
// for recursively.
func (s *Source) partition() error {
	recursive := strings.EqualFold(s.option("recursiveFileLookup"), "true")
	s.parts = &partitioning{}
	if len(s.spec.PartitionBy) > 0 {
		if err := s.declaredPartitions(); err != nil {
			return err
		}
	} else if !recursive {
		parts, err := discover(s.files, basePathURL(s.option("basePath")))
		if err != nil {
			return err
		}
		if len(parts.fields) > 0 {
			s.parts = parts
		} else {
			s.keepTopLevel()
		}
	}
	s.parts.inferTypes(s.spec.Schema, s.spec.InferPartitionTypes, s.zone)
	for i := range s.files {
		var row []*planpb.Literal
		for c, f := range s.parts.fields {
			v, err := partitionLiteral(s.parts.values[i][c], f, s.zone)
			if err != nil {
				return err
			}
			row = append(row, v)
		}
		s.values = append(s.values, row)
	}
	return nil
}

// declaredPartitions takes the partition columns as the table has them, and their values of the directories.
func (s *Source) declaredPartitions() error {
	for _, name := range s.spec.PartitionBy {
		s.parts.fields = append(s.parts.fields, types.Field{Name: name, Nullable: true})
	}
	for _, f := range s.files {
		names, values := partitionPath(f, "")
		row := make([]string, len(s.spec.PartitionBy))
		for i, want := range s.spec.PartitionBy {
			at := slices.IndexFunc(names, func(n string) bool { return strings.EqualFold(n, want) })
			if at < 0 {
				return conflictingNames(s.files, "")
			}
			row[i] = values[at]
		}
		s.parts.values = append(s.parts.values, row)
	}
	return nil
}

// basePathURL is a base path in the form that listed files have.
func basePathURL(p string) string {
	if p == "" {
		return ""
	}
	scheme, authority, rest := splitURL(p)
	if scheme == "file" {
		return "file:" + rest
	}
	return scheme + "://" + authority + rest
}

func (s *Source) keepTopLevel() {
	var kept []listed
	for _, f := range s.files {
		if f.dir == "" {
			kept = append(kept, f)
		}
	}
	s.files = kept
}

// layOut puts the schema together: the files' columns, then the partition columns that are not among them.
func (s *Source) layOut() error {
	fields := append([]types.Field(nil), s.data.AsNullable().Fields...)
	var own []types.Field
	for _, f := range fields {
		if p, at := types.Struct(s.parts.fields...).Field(f.Name, s.spec.CaseSensitive); at >= 0 {
			f.Type = p.Type
		} else {
			own = append(own, f)
		}
	}
	all := make([]types.Field, 0, len(fields)+len(s.parts.fields))
	for i, f := range fields {
		if _, at := types.Struct(s.parts.fields...).Field(f.Name, s.spec.CaseSensitive); at >= 0 && s.spec.Schema != nil {
			continue // a partition column of the user's schema goes to the end
		}
		fields[i].Nullable = true
		all = append(all, fields[i])
	}
	for _, p := range s.parts.fields {
		if _, at := types.Struct(all...).Field(p.Name, s.spec.CaseSensitive); at < 0 {
			all = append(all, p)
		}
	}
	s.data, s.schema = types.Struct(own...), types.Struct(all...)
	return nil
}

// Name implements plan.Table.
func (s *Source) Name() string { return s.spec.Format }

// Schema implements plan.Table.
func (s *Source) Schema() *types.Type { return s.schema }

// Format implements plan.Table.
func (s *Source) Format() string { return s.spec.Format }

// Rows implements plan.Table: the files' metadata are not read.
func (s *Source) Rows() int64 {
	if s.spec.Known != nil {
		return s.spec.Known.Rows
	}
	return -1
}

// ColumnStatistics implements plan.Statistics.
func (s *Source) ColumnStatistics(i int) (plan.ColumnStatistics, bool) {
	if s.spec.Known == nil || i >= len(s.schema.Fields) {
		return plan.ColumnStatistics{}, false
	}
	c, ok := s.spec.Known.Columns[strings.ToLower(s.schema.Fields[i].Name)]
	return c, ok
}

// SizeBytes implements plan.Table.
func (s *Source) SizeBytes() int64 { return s.size }

// Members implements plan.Located.
func (s *Source) Members() []types.Field { return Members(s.spec.Format) }

// Files are the URLs of the source's files.
func (s *Source) Files() []string {
	list := make([]string, len(s.files))
	for i, f := range s.files {
		list[i] = f.path
	}
	return list
}

// Paths are where the source's files were looked for.
func (s *Source) Paths() []string { return s.spec.Paths }

// Identity names what the source reads whatever files are there now: the format, the places and how they are read.
func (s *Source) Identity() string {
	t := ""
	if s.spec.Schema != nil {
		t = s.spec.Schema.JSON()
	}
	return fmt.Sprintf("%s %q %q %s %t %t", s.spec.Format, s.spec.Paths, s.spec.Options, t, s.spec.CaseSensitive, s.spec.InferPartitionTypes)
}

// PartitionColumns are the columns that the files' directories hold.
func (s *Source) PartitionColumns() []string { return types.Struct(s.parts.fields...).Names() }

// PlanScan implements physical.Source.
func (s *Source) PlanScan(_ context.Context, r physical.ScanRequest) (*planpb.FileScan, []*planpb.FileSplit, error) {
	scan := &planpb.FileScan{Format: s.spec.Format, Options: s.spec.Options}
	output := make([]int, len(r.Fields)) // the partition column behind each output column, or -1
	corrupt := s.corruptColumn()
	if f, at := s.data.Field(corrupt, true); corrupt != "" && at >= 0 && f.Type.Kind != types.KindString {
		return nil, nil, errs.New("INVALID_CORRUPT_RECORD_TYPE", "columnName", types.Quote(corrupt), "actualType", `"`+f.Type.SQL()+`"`)
	}
	var read []string // of the files' own columns
	for i, at := range r.Fields {
		if k := at - len(s.schema.Fields); k >= 0 {
			output[i] = -1
			scan.Columns = append(scan.Columns, Generated(s.Members(), k))
			continue
		}
		f := s.schema.Fields[at]
		c := &planpb.FileColumn{Name: f.Name}
		_, output[i] = types.Struct(s.parts.fields...).Field(f.Name, s.spec.CaseSensitive)
		switch {
		case output[i] >= 0:
			c.Partition = int32(output[i]) + 1
			scan.Columns = append(scan.Columns, c)
			continue
		case corrupt != "" && strings.EqualFold(f.Name, corrupt):
			c.Generated = corruptRecord
		default:
			c.FieldId = fieldID(f)
		}
		read = append(read, f.Name)
		scan.Columns = append(scan.Columns, c)
	}
	if len(read) == 1 && read[0] == corrupt { // whether a record is bad depends on the columns that are read of it
		return nil, nil, errs.New("UNSUPPORTED_FEATURE.QUERY_ONLY_CORRUPT_RECORD_COLUMN")
	}
	for _, f := range s.data.Fields {
		if corrupt == "" || !strings.EqualFold(f.Name, corrupt) {
			scan.FileSchema = append(scan.FileSchema, &planpb.Column{Name: f.Name, Type: planconv.TypePB(f.Type), Nullable: f.Nullable, Metadata: f.Metadata})
		}
	}
	scan.Predicate = conjunction(r.Predicate)
	return scan, s.splits(r, output), nil
}

// corruptColumn is the name of the column for malformed records, in the formats that have it.
func (s *Source) corruptColumn() string {
	if s.spec.Format != "csv" && s.spec.Format != "json" && s.spec.Format != "xml" {
		return ""
	}
	if name := s.option("columnNameOfCorruptRecord"); name != "" {
		return name
	}
	return "_corrupt_record"
}

// conjunction joins conditions by and.
func conjunction(list []*planpb.Expr) *planpb.Expr {
	var all *planpb.Expr
	for _, e := range list {
		if all == nil {
			all = e
			continue
		}
		all = &planpb.Expr{Type: planconv.TypePB(types.Boolean), Nullable: true,
			Kind: &planpb.Expr_Call{Call: &planpb.Call{Name: "and", Args: []*planpb.Expr{all, e}}}}
	}
	return all
}

// splits are the files whose partition values may satisfy the predicate.
func (s *Source) splits(r physical.ScanRequest, output []int) []*planpb.FileSplit {
	var list []*planpb.FileSplit
	for i, f := range s.files {
		if f.size == 0 && s.spec.Format != "text" && s.spec.Format != "binaryfile" || !s.mayMatch(r, output, i) {
			continue
		}
		list = append(list, &planpb.FileSplit{Path: f.path, Size: f.size, Length: f.size, PartitionValues: s.values[i], ModifiedMs: f.modified.UnixMilli()})
	}
	return list
}

// fieldID is the Parquet field id that a user's schema gives to a column, or 0.
func fieldID(f types.Field) int32 {
	var m struct {
		ID int32 `json:"parquet.field.id"`
	}
	if f.Metadata == "" || json.Unmarshal([]byte(f.Metadata), &m) != nil {
		return 0
	}
	return m.ID
}
