package delta

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"millrace/errs"
	"millrace/types"
)

// The properties that name the columns in which files keep row identifiers and commit versions of rows that were moved.
const (
	RowIDColumn         = "delta.rowTracking.materializedRowIdColumnName"
	RowCommitColumn     = "delta.rowTracking.materializedRowCommitVersionColumnName"
	mappingMode         = "delta.columnMapping.mode"
	maxColumnID         = "delta.columnMapping.maxColumnId"
	minReaderVersionKey = "delta.minReaderVersion"
	minWriterVersionKey = "delta.minWriterVersion"
)

// Complete makes of a metadata whose properties a user has set what a table may have: it checks the properties against each other
// and the schema, numbers columns for column mapping, names what row tracking needs, takes out the orders that are for the protocol, and
// returns the protocol that the table has then. Before is the metadata until now, or nil for a new table, of which base is the protocol.
func (m *Metadata) Complete(before *Metadata, base *Protocol) (*Protocol, error) {
	schema, err := ParseSchema(m.SchemaString)
	if err != nil {
		return nil, err
	}
	if err := m.checkFeatureKeys(before == nil); err != nil {
		return nil, err
	}
	if err := m.checkRetentions(); err != nil {
		return nil, err
	}
	if err := m.checkStatsColumns(schema); err != nil {
		return nil, err
	}
	if m.isTrue("delta.compatibility.symlinkFormatManifest.enabled") && m.isTrue("delta.enableDeletionVectors") {
		return nil, errs.New("DELTA_VIOLATE_TABLE_PROPERTY_VALIDATION_FAILED.PERSISTENT_DELETION_VECTORS_WITH_INCREMENTAL_MANIFEST_GENERATION", "table", types.Quote(m.Name))
	}
	if err := m.trackRowsForIceberg(before); err != nil {
		return nil, err
	}
	if schema, err = m.mapColumns(before, schema); err != nil {
		return nil, err
	}
	p := base
	if p == nil {
		p = &Protocol{MinReaderVersion: 1, MinWriterVersion: 2}
	}
	if p, err = m.versions(p, before == nil); err != nil {
		return nil, err
	}
	p = p.WithFeatures(RequiredFeatures(m, schema)...)
	if p.Supports("rowTracking") && m.Configuration[RowIDColumn] == "" {
		m.Configuration[RowIDColumn] = "_row-id-col-" + uuid.NewString()
		m.Configuration[RowCommitColumn] = "_row-commit-version-col-" + uuid.NewString()
	}
	m.dropOrders()
	if err := m.checkIceberg(before, p, schema); err != nil {
		return nil, err
	}
	return p, m.checkDefaults(p, schema)
}

func (m *Metadata) isTrue(key string) bool { return strings.EqualFold(m.Configuration[key], "true") }

// dropOrders takes out the properties that are for the protocol alone.
func (m *Metadata) dropOrders() {
	maps.DeleteFunc(m.Configuration, func(key, _ string) bool {
		return strings.HasPrefix(key, FeatureKey) || key == minReaderVersionKey || key == minWriterVersionKey || key == "delta.ignoreProtocolDefaults"
	})
}

func (m *Metadata) checkFeatureKeys(create bool) error {
	var unknown []string
	for _, key := range slices.Sorted(maps.Keys(m.Configuration)) {
		name, ok := strings.CutPrefix(key, FeatureKey)
		if !ok {
			continue
		}
		known, found := featureName(name)
		switch v := m.Configuration[key]; {
		case !found:
			unknown = append(unknown, key)
		case v != "supported" && v != "enabled":
			return errs.New("DELTA_UNSUPPORTED_FEATURE_STATUS", "feature", name, "status", v)
		case known == "clustering" && create:
			return errs.New("DELTA_CREATE_TABLE_SET_CLUSTERING_TABLE_FEATURE_NOT_ALLOWED", "tableFeature", known)
		case known == "clustering":
			return errs.New("DELTA_ALTER_TABLE_SET_CLUSTERING_TABLE_FEATURE_NOT_ALLOWED", "tableFeature", known)
		}
	}
	if len(unknown) > 0 {
		return errs.New("DELTA_UNSUPPORTED_FEATURES_IN_CONFIG", "configs", strings.Join(unknown, ", "))
	}
	return nil
}

// versions raises the protocol to the version numbers that the properties ask for. They lower nothing.
func (m *Metadata) versions(p *Protocol, create bool) (*Protocol, error) {
	reader, err1 := strconv.Atoi(m.Configuration[minReaderVersionKey])
	writer, err2 := strconv.Atoi(m.Configuration[minWriterVersionKey])
	if err1 != nil && err2 != nil {
		return p, nil
	}
	if create {
		p = &Protocol{MinReaderVersion: 1, MinWriterVersion: 1}
		if err2 != nil {
			p.MinWriterVersion = 2
		}
	}
	if writer >= WriterFeaturesVersion {
		return p, nil // features are listed by name, and none is asked for here
	}
	wanted := &Protocol{MinReaderVersion: max(reader, 1), MinWriterVersion: max(writer, 1)}
	if p.MinWriterVersion >= WriterFeaturesVersion {
		return p.WithFeatures(wanted.Features()...), nil
	}
	return &Protocol{MinReaderVersion: max(p.MinReaderVersion, wanted.MinReaderVersion),
		MinWriterVersion: max(p.MinWriterVersion, wanted.MinWriterVersion)}, nil
}

// mapColumns numbers the columns where the table maps them, and refuses changes of the mode that would lose columns.
func (m *Metadata) mapColumns(before *Metadata, schema *types.Type) (*types.Type, error) {
	was := "none"
	if before != nil && before.Configuration[mappingMode] != "" {
		was = before.Configuration[mappingMode]
	}
	if err := m.mapForIceberg(before == nil); err != nil {
		return nil, err
	}
	mode := m.Configuration[mappingMode]
	if mode == "" {
		mode = "none"
	}
	switch {
	case before != nil && mode != was && !(was == "none" && mode == "name") && !(mode == "none"):
		return nil, errs.New("DELTA_UNSUPPORTED_COLUMN_MAPPING_MODE_CHANGE", "oldMode", was, "newMode", mode)
	case mode == "none":
		return schema, nil
	case was == "none" && before != nil: // files that are there keep their names
		schema = keepNames(schema)
	}
	if before == nil {
		delete(m.Configuration, maxColumnID)
	}
	schema = m.assignMapping(schema)
	m.SchemaString = schema.JSON()
	return schema, nil
}

// keepNames makes each column's name its physical one.
func keepNames(schema *types.Type) *types.Type {
	return mapFields(schema, func(f types.Field) types.Field {
		return withMetadata(f, map[string]any{"delta.columnMapping.physicalName": PhysicalName(f)})
	})
}

// checkStatsColumns refuses statistics of columns that there are not.
func (m *Metadata) checkStatsColumns(schema *types.Type) error {
	_, err := m.StatsColumns(schema)
	return err
}

// StatsColumns are the physical paths, joined by points, of the columns that delta.dataSkippingStatsColumns names; nil where it
// is not set.
func (m *Metadata) StatsColumns(schema *types.Type) ([]string, error) {
	text, ok := m.Configuration["delta.dataSkippingStatsColumns"]
	if !ok || strings.TrimSpace(text) == "" {
		return nil, nil
	}
	var out []string
	for _, name := range splitNames(text) {
		physical, err := physicalPath(schema, name)
		if err != nil {
			return nil, err
		}
		out = append(out, strings.Join(physical, "."))
	}
	return out, nil
}

// StatsLeaves are the columns of which the log keeps statistics.
func (s *Snapshot) StatsLeaves() []Leaf {
	own := types.Struct()
	for _, f := range s.Schema().Fields {
		if !slices.ContainsFunc(s.PartitionColumns(), func(p string) bool { return strings.EqualFold(p, f.Name) }) {
			own.Fields = append(own.Fields, f)
		}
	}
	leaves := Leaves(own)
	named, err := s.Metadata.StatsColumns(s.Schema())
	if err == nil && named != nil {
		return slices.DeleteFunc(leaves, func(l Leaf) bool {
			name := strings.Join(l.Physical, ".")
			return !slices.ContainsFunc(named, func(p string) bool { return p == name || strings.HasPrefix(name, p+".") })
		})
	}
	if n := s.IntProperty("delta.dataSkippingNumIndexedCols", 32); n >= 0 && n < int64(len(leaves)) {
		leaves = leaves[:n]
	}
	return leaves
}

// splitNames takes a list of column names apart: names are separated by commas, their parts by points, and both may be in backticks.
func splitNames(text string) [][]string {
	var all [][]string
	var parts []string
	var b strings.Builder
	quoted := false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '`':
			quoted = !quoted
		case quoted:
			b.WriteByte(c)
		case c == '.' || c == ',':
			parts = append(parts, b.String())
			b.Reset()
			if c == ',' {
				all, parts = append(all, parts), nil
			}
		case c == ' ' && b.Len() == 0:
		default:
			b.WriteByte(c)
		}
	}
	return append(all, append(parts, strings.TrimRight(b.String(), " ")))
}

// physicalPath finds a column, which may be inside of structs, and gives its physical names.
func physicalPath(schema *types.Type, path []string) ([]string, error) {
	var out []string
	t := schema
	for _, name := range path {
		i := -1
		var f types.Field
		if t.Kind == types.KindStruct {
			f, i = t.Field(name, false)
		}
		if i < 0 {
			return nil, errs.New("DELTA_COLUMN_NOT_FOUND_IN_SCHEMA", "columnName", strings.Join(path, "."), "tableSchema", TreeString(schema))
		}
		out, t = append(out, PhysicalName(f)), f.Type
	}
	return out, nil
}

// checkDefaults refuses default values of columns on a table that has not been made ready for them.
func (m *Metadata) checkDefaults(p *Protocol, schema *types.Type) error {
	if features["allowColumnDefaults"].active(m, schema) && !p.Supports("allowColumnDefaults") {
		return errs.New("WRONG_COLUMN_DEFAULTS_FOR_DELTA_FEATURE_NOT_ENABLED", "commandType", "CREATE TABLE")
	}
	return nil
}

// PartitionsInFiles reports whether data files hold the partition columns too, as Iceberg's readers want them.
func (m *Metadata) PartitionsInFiles() bool {
	for _, key := range []string{"delta.enableIcebergCompatV1", "delta.enableIcebergCompatV2", "delta.enableIcebergCompatV3", "delta.enableMaterializePartitionColumnsFeature"} {
		if strings.EqualFold(m.Configuration[key], "true") {
			return true
		}
	}
	return false
}
