package delta

import (
	"encoding/json"
	"slices"
	"strings"

	"millrace/errs"
	"millrace/types"
)

// icebergVersions are the table properties that keep a table such that its metadata can be made Iceberg's.
var icebergVersions = []string{"delta.enableIcebergCompatV1", "delta.enableIcebergCompatV2", "delta.enableIcebergCompatV3"}

// checkIceberg refuses what a table that is kept compatible with Iceberg may not have.
func (m *Metadata) checkIceberg(before *Metadata, p *Protocol, schema *types.Type) error {
	version := ""
	for _, key := range icebergVersions {
		if !m.isTrue(key) {
			continue
		}
		if version != "" {
			return errs.New("DELTA_ICEBERG_COMPAT_VIOLATION.VERSION_MUTUAL_EXCLUSIVE", "version", version)
		}
		version = key[len(key)-1:]
	}
	if version == "" {
		return nil
	}
	var refused *types.Type
	WalkTypes(schema, func(t *types.Type) {
		if refused == nil && !icebergHas(t, version) {
			refused = t
		}
	})
	switch {
	case refused != nil:
		return errs.New("DELTA_ICEBERG_COMPAT_VIOLATION.UNSUPPORTED_DATA_TYPE", "version", version, "dataType", className(refused), "schema", TreeString(schema))
	case before != nil && len(before.PartitionColumns) > 0 && !slices.Equal(before.PartitionColumns, m.PartitionColumns):
		return errs.New("DELTA_ICEBERG_COMPAT_VIOLATION.REPLACE_TABLE_CHANGE_PARTITION_NAMES", "version", version,
			"prevPartitionSpec", "("+strings.Join(before.PartitionColumns, ",")+")", "newPartitionSpec", "("+strings.Join(m.PartitionColumns, ",")+")")
	case version != "3" && p.Supports("deletionVectors") && m.isTrue("delta.enableDeletionVectors"):
		return errs.New("DELTA_ICEBERG_COMPAT_VIOLATION.DELETION_VECTORS_SHOULD_BE_DISABLED", "version", version)
	}
	return checkIcebergWidening(version, schema)
}

// trackRowsForIceberg switches row tracking on where the third version of compatibility asks for it.
func (m *Metadata) trackRowsForIceberg(before *Metadata) error {
	const key, rows = "delta.enableIcebergCompatV3", "delta.enableRowTracking"
	switch {
	case !m.isTrue(key):
		return nil
	case before != nil && !before.isTrue(key) && before.isTrue(rows):
		return errs.Unsupportedf("ALTER TABLE that enables icebergCompatV3 on a table that tracks rows is not supported: switch %s off first.", rows)
	case m.Configuration[rows] != "" && !m.isTrue(rows):
		return errs.New("DELTA_ICEBERG_COMPAT_VIOLATION.WRONG_REQUIRED_TABLE_PROPERTY", "version", "3", "key", rows, "requiredValue", "true", "actualValue", m.Configuration[rows])
	}
	m.Configuration[rows] = "true"
	return nil
}

// mapForIceberg maps the columns of a new table by name where a version of compatibility asks for it; a table that is there has to have them mapped.
func (m *Metadata) mapForIceberg(fresh bool) error {
	for _, key := range icebergVersions {
		mode := m.Configuration[mappingMode]
		if !m.isTrue(key) || mode == "name" || mode == "id" && !fresh {
			continue
		}
		if !fresh {
			return errs.New("DELTA_ICEBERG_COMPAT_VIOLATION.WRONG_REQUIRED_TABLE_PROPERTY", "version", key[len(key)-1:],
				"key", mappingMode, "requiredValue", "name", "actualValue", "NoMapping")
		}
		m.Configuration[mappingMode] = "name"
	}
	return nil
}

// icebergHas reports whether a column may be of a type.
func icebergHas(t *types.Type, version string) bool {
	switch t.Kind {
	case types.KindByte, types.KindShort, types.KindInteger, types.KindLong, types.KindFloat, types.KindDouble, types.KindDecimal, types.KindString, types.KindBinary,
		types.KindBoolean, types.KindTimestamp, types.KindTimestampNTZ, types.KindDate, types.KindStruct:
		return true
	case types.KindArray, types.KindMap:
		return version != "1"
	case types.KindVariant:
		return version == "3"
	}
	return false
}

// checkIcebergWidening refuses columns that once had a type from which Iceberg does not widen.
func checkIcebergWidening(version string, schema *types.Type) error {
	var refused error
	WalkFields(schema, func(f types.Field) {
		var changes []struct {
			FromType, ToType json.RawMessage
			FieldPath        string
		}
		if raw := FieldMetadata(f, "delta.typeChanges"); refused != nil || raw == nil || json.Unmarshal(raw, &changes) != nil {
			return
		}
		for _, c := range changes {
			from, err1 := types.ParseJSON(c.FromType)
			to, err2 := types.ParseJSON(c.ToType)
			if err1 != nil || err2 != nil || !icebergWidens(from, to) {
				path := f.Name
				if c.FieldPath != "" {
					path += "." + c.FieldPath
				}
				refused = errs.New("DELTA_ICEBERG_COMPAT_VIOLATION.UNSUPPORTED_TYPE_WIDENING", "version", version, "fieldPath", path,
					"prevType", strings.Trim(string(c.FromType), `"`), "newType", strings.Trim(string(c.ToType), `"`))
				return
			}
		}
	})
	return refused
}

func icebergWidens(from, to *types.Type) bool {
	switch {
	case from.IsIntegral():
		return to.IsIntegral()
	case from.Kind == types.KindFloat:
		return to.Kind == types.KindDouble
	case from.Kind == types.KindDecimal:
		return to.Kind == types.KindDecimal && to.Scale == from.Scale
	}
	return false
}
