package delta

import (
	"fmt"
	"slices"
	"strings"

	"millrace/errs"
	"millrace/types"
)

// WriteOptions say what a write may do to the table's schema.
type WriteOptions struct {
	PartitionBy     []string // as the writer gave it; empty keeps the table's
	Overwrite       bool     // the save mode is overwrite
	MergeSchema     bool
	OverwriteSchema bool
	Replace         bool   // the table takes the place of the one that is there, whose properties go
	Mapping         string // the column mapping that a new table is to have
}

// Evolve checks that rows of a schema may be written to the table and returns the table's metadata after the write: the
// same pointer when nothing changes. For a table that does not exist yet it makes the first metadata, whose ID and
// CreatedTime the caller sets.
func (s *Snapshot) Evolve(data *types.Type, o WriteOptions) (*Metadata, error) {
	if s.Metadata == nil || s.Overwrites(o) {
		return s.replaceSchema(data, o)
	}
	merged, err := MergeSchema(s.Schema(), data)
	if err != nil {
		return nil, err
	}
	schemaChanged := !merged.Equal(s.Schema())
	partitioningChanged := len(o.PartitionBy) > 0 && !equalNames(o.PartitionBy, s.PartitionColumns())
	if len(o.PartitionBy) > 0 && len(o.PartitionBy) == len(data.Fields) {
		return nil, errs.New("DELTA_CANNOT_USE_ALL_COLUMNS_FOR_PARTITION")
	}
	if schemaChanged && !o.MergeSchema || partitioningChanged {
		return nil, s.mismatch(data, o, schemaChanged && !o.MergeSchema, partitioningChanged)
	}
	if err := s.checkRequired(data); err != nil {
		return nil, err
	}
	if !schemaChanged {
		return s.Metadata, nil
	}
	if err := CheckColumnNames(merged, s.MappingMode()); err != nil {
		return nil, err
	}
	if err := CheckTypes(merged); err != nil {
		return nil, err
	}
	m := s.Metadata.Clone()
	merged = m.assignMapping(nullableAdditions(merged, s.Schema()))
	m.SchemaString = merged.JSON()
	return m, s.CheckAutomaticFeatures(m, merged)
}

// Overwrites reports whether a write replaces the schema.
func (s *Snapshot) Overwrites(o WriteOptions) bool { return o.Overwrite && o.OverwriteSchema }

// replaceSchema is the metadata of a first write or of one with overwriteSchema.
func (s *Snapshot) replaceSchema(data *types.Type, o WriteOptions) (*Metadata, error) {
	m := &Metadata{Format: Format{Provider: "parquet", Options: map[string]string{}}, PartitionColumns: []string{}, Configuration: map[string]string{}}
	if s.Metadata != nil {
		m = s.Metadata.Clone()
		if o.Replace {
			m = s.replaced()
		}
	}
	if len(data.Fields) == 0 {
		return nil, errs.New("DELTA_EMPTY_DATA")
	}
	if err := CheckDuplicates(data); err != nil {
		return nil, err
	}
	mode := o.Mapping
	if mode == "" {
		mode = m.Configuration[mappingMode]
	}
	if err := CheckColumnNames(data, mode); err != nil {
		return nil, err
	}
	if err := CheckTypes(data); err != nil {
		return nil, err
	}
	m.PartitionColumns = []string{}
	for _, name := range o.PartitionBy {
		f, i := data.Field(name, false)
		if i < 0 {
			return nil, errs.New("DELTA_PARTITION_COLUMN_NOT_FOUND", "columnName", name, "schemaMap", strings.Join(data.Names(), ", "))
		}
		if f.Type.IsNested() || f.Type.Kind == types.KindVariant || f.Type.IsInterval() {
			return nil, errs.New("DELTA_INVALID_PARTITION_COLUMN_TYPE", "name", f.Name, "dataType", className(f.Type))
		}
		m.PartitionColumns = append(m.PartitionColumns, f.Name)
	}
	if len(m.PartitionColumns) == len(data.Fields) {
		return nil, errs.New("DELTA_CANNOT_USE_ALL_COLUMNS_FOR_PARTITION")
	}
	m.SchemaString = m.assignMapping(data.AsNullable()).JSON()
	return m, nil
}

// checkRequired refuses data without a column that may not be null.
func (s *Snapshot) checkRequired(data *types.Type) error {
	for _, f := range s.Schema().Fields {
		if f.Nullable || Filled(f) {
			continue
		}
		if _, i := data.Field(f.Name, false); i < 0 {
			return errs.New("DELTA_MISSING_NOT_NULL_COLUMN_VALUE", "columnName", f.Name)
		}
	}
	return nil
}

// Filled reports whether writers fill a column that is not given: it is generated, an identity or has a default.
func Filled(f types.Field) bool {
	for _, key := range []string{"delta.generationExpression", "delta.identity.start", "CURRENT_DEFAULT"} {
		if FieldMetadata(f, key) != nil {
			return true
		}
	}
	return false
}

// CheckAutomaticFeatures refuses a schema whose types need a feature that a write may not switch on by itself.
func (s *Snapshot) CheckAutomaticFeatures(m *Metadata, schema *types.Type) error {
	var missing []string
	for _, name := range RequiredFeatures(m, schema) {
		if (name == "timestampNtz" || name == "variantType") && !s.Protocol.Supports(name) {
			missing = append(missing, name)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return errs.New("DELTA_FEATURES_REQUIRE_MANUAL_ENABLEMENT", "unsupportedFeatures", strings.Join(missing, ", "),
		"supportedFeatures", strings.Join(s.Protocol.Features(), ", "))
}

// nullableAdditions makes nullable what the table did not have.
func nullableAdditions(merged, table *types.Type) *types.Type {
	out := *merged
	out.Fields = slices.Clone(merged.Fields)
	for i, f := range out.Fields {
		g, at := table.Field(f.Name, false)
		switch {
		case at < 0:
			out.Fields[i].Nullable, out.Fields[i].Type = true, f.Type.AsNullable()
		case f.Type.Kind == types.KindStruct && g.Type.Kind == types.KindStruct:
			out.Fields[i].Type = nullableAdditions(f.Type, g.Type)
		}
	}
	return &out
}

func equalNames(a, b []string) bool {
	return slices.EqualFunc(a, b, func(x, y string) bool { return strings.EqualFold(x, y) })
}

// mismatch is the error of a write that would change the schema or the partitioning without leave.
func (s *Snapshot) mismatch(data *types.Type, o WriteOptions, schema, partitioning bool) error {
	var b strings.Builder
	if schema {
		fmt.Fprintf(&b, "\n- A schema mismatch detected when writing to the Delta table (Table ID: %s).\n"+
			"To enable schema migration using DataFrameWriter or DataStreamWriter, please set: '.option(\"mergeSchema\", \"true\")'.\n"+
			"For other operations, set the session configuration spark.databricks.delta.schema.autoMerge.enabled to \"true\". See the documentation specific to the operation for details.\n\n"+
			"Table schema:\n%s\n\nData schema:\n%s\n", s.Metadata.ID, TreeString(s.Schema()), TreeString(data.AsNullable()))
	}
	if partitioning {
		fmt.Fprintf(&b, "\n- Partition columns do not match the partition columns of the table.\nGiven: %s\nTable: %s\n",
			bracketed(o.PartitionBy), bracketed(s.PartitionColumns()))
	}
	if o.Overwrite {
		b.WriteString("\n- To overwrite your schema or change partitioning, please set: '.option(\"overwriteSchema\", \"true\")'.\n" +
			"Note that the schema can't be overwritten when using 'replaceWhere'.")
	}
	e := errs.New("DELTA_METADATA_MISMATCH", "reasons", b.String()+"\n")
	e.Params = map[string]string{}
	return e
}

func bracketed(names []string) string {
	quoted := make([]string, len(names))
	for i, n := range names {
		quoted[i] = types.Quote(n)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}

// TreeString is Spark's drawing of a schema, as df.printSchema shows it.
func TreeString(t *types.Type) string {
	var b strings.Builder
	b.WriteString("root\n")
	drawFields(&b, " |", t)
	return b.String()
}

func drawFields(b *strings.Builder, prefix string, t *types.Type) {
	for _, f := range t.Fields {
		fmt.Fprintf(b, "%s-- %s: %s (nullable = %t)\n", prefix, f.Name, treeName(f.Type), f.Nullable)
		drawInside(b, prefix+"    |", f.Type)
	}
}

func drawInside(b *strings.Builder, prefix string, t *types.Type) {
	switch t.Kind {
	case types.KindStruct:
		drawFields(b, prefix, t)
	case types.KindArray:
		fmt.Fprintf(b, "%s-- element: %s (containsNull = %t)\n", prefix, treeName(t.Elem), t.ElemNull)
		drawInside(b, prefix+"    |", t.Elem)
	case types.KindMap:
		fmt.Fprintf(b, "%s-- key: %s\n", prefix, treeName(t.Key))
		drawInside(b, prefix+"    |", t.Key)
		fmt.Fprintf(b, "%s-- value: %s (valueContainsNull = %t)\n", prefix, treeName(t.Elem), t.ElemNull)
		drawInside(b, prefix+"    |", t.Elem)
	}
}

// treeName is a type's typeName in Spark: long, decimal(10,2), struct.
func treeName(t *types.Type) string {
	switch t.Kind {
	case types.KindStruct:
		return "struct"
	case types.KindArray:
		return "array"
	case types.KindMap:
		return "map"
	}
	return strings.Trim(t.JSON(), `"`)
}
