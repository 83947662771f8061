package delta

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"

	"millrace/errs"
)

// property is a table property of Delta's: its name as Delta spells it, and what is wrong with a value, or "".
type property struct {
	name  string
	check func(value string) string
}

// The properties that Delta 4.4 knows, by their names in small letters.
var properties = func() map[string]property {
	list := []property{
		{"delta.appendOnly", isBool}, {"delta.autoOptimize", isBool}, {"delta.autoOptimize.optimizeWrite", isBool},
		{"delta.enableDeletionVectors", isBool}, {"delta.enableChangeDataFeed", isBool}, {"delta.enableRowTracking", isBool},
		{"delta.rowTrackingSuspended", isBool}, {"delta.enableInCommitTimestamps", isBool}, {"delta.enableTypeWidening", isBool},
		{"delta.enableVariantShredding", isBool}, {"delta.enableIcebergCompatV1", isBool}, {"delta.enableIcebergCompatV2", isBool},
		{"delta.enableIcebergCompatV3", isBool}, {"delta.enableMaterializePartitionColumnsFeature", isBool},
		{"delta.enableExpiredLogCleanup", isBool}, {"delta.enableFullRetentionRollback", isBool}, {"delta.randomizeFilePrefixes", isBool},
		{"delta.checkpoint.writeStatsAsJson", isBool}, {"delta.checkpoint.writeStatsAsStruct", isBool},
		{"delta.compatibility.symlinkFormatManifest.enabled", isBool}, {"delta.ignoreProtocolDefaults", isBool}, {"delta.castIcebergTimeType", isBool},
		{"delta.autoOptimize.autoCompact", oneOf("delta.autoOptimize.autoCompact \"needs to be one of: true,false", "true", "false")},
		{"delta.checkpointInterval", atLeast("delta.checkpointInterval", 1, "needs to be a positive integer.")},
		{"delta.randomPrefixLength", atLeast("delta.randomPrefixLength", 1, "needs to be greater than 0.")},
		{"delta.dataSkippingNumIndexedCols", atLeast("delta.dataSkippingNumIndexedCols", -1, "needs to be larger than or equal to -1.")},
		{"delta.inCommitTimestampEnablementVersion", nil}, {"delta.inCommitTimestampEnablementTimestamp", nil},
		{"delta.requireCheckpointProtectionBeforeVersion", atLeast("delta.requireCheckpointProtectionBeforeVersion", 0, "needs to be greater or equal to zero.")},
		{"delta.dataSkippingStatsColumns", nil}, {"delta.parquet.format.version", nil}, {"delta.columnMapping.maxColumnId", nil},
		{"delta.columnMapping.mode", isMappingMode}, {"delta.checkpointPolicy", isPolicy}, {"delta.isolationLevel", nil},
		{"delta.logRetentionDuration", isInterval("delta.logRetentionDuration")},
		{"delta.checkpointRetentionDuration", isInterval("delta.checkpointRetentionDuration")},
		{"delta.dropFeatureTruncateHistory.retentionDuration", isInterval("delta.dropFeatureTruncateHistory.retentionDuration")},
		{"delta.sampleRetentionDuration", isInterval("delta.sampleRetentionDuration")},
		{"delta.deletedFileRetentionDuration", isInterval("delta.deletedFileRetentionDuration")},
		{"delta.setTransactionRetentionDuration", isInterval("delta.setTransactionRetentionDuration")},
		{"delta.minReaderVersion", oneOf("requirement failed: delta.minReaderVersion needs to be one of 1, 2, 3.", "1", "2", "3")},
		{"delta.minWriterVersion", oneOf("requirement failed: delta.minWriterVersion needs to be one of 1, 2, 3, 4, 5, 6, 7.", "1", "2", "3", "4", "5", "6", "7")},
	}
	m := map[string]property{}
	for _, p := range list {
		m[strings.ToLower(p.name)] = p
	}
	return m
}()

// IsProperty reports whether Delta knows a table property of that name.
func IsProperty(name string) bool {
	_, known := properties[strings.ToLower(name)]
	return known
}

func isBool(v string) string {
	if !strings.EqualFold(v, "true") && !strings.EqualFold(v, "false") {
		return fmt.Sprintf("For input string: %q", v)
	}
	return ""
}

func oneOf(complaint string, values ...string) func(string) string {
	return func(v string) string {
		for _, x := range values {
			if strings.EqualFold(v, x) {
				return ""
			}
		}
		if !strings.HasPrefix(complaint, "requirement failed") {
			return "requirement failed: " + complaint
		}
		return complaint
	}
}

func atLeast(key string, least int64, complaint string) func(string) string {
	return func(v string) string {
		n, err := strconv.ParseInt(v, 10, 64)
		switch {
		case err != nil:
			return key + " " + complaint
		case n < least:
			return "requirement failed: " + key + " " + complaint
		}
		return ""
	}
}

func isMappingMode(v string) string {
	switch strings.ToLower(v) {
	case "none", "name", "id":
		return ""
	}
	return "The column mapping mode `" + v + "` is not supported for this Delta version. Please upgrade if you want to use this mode."
}

func isPolicy(v string) string {
	if v != "classic" && v != "v2" {
		return "Invalid policy " + v
	}
	return ""
}

func isInterval(key string) func(string) string {
	return func(v string) string {
		if _, ok := ParseRetention(v); !ok {
			return "requirement failed: " + key + " needs to be provided as a calendar interval such as '2 weeks'. " +
				"Months and years are not accepted. You may specify '365 days' for a year instead."
		}
		return ""
	}
}

var (
	intervalForm  = regexp.MustCompile(`^(?:interval\s+)?((?:-?\d+\s+[a-z]+\s*)+)$`)
	intervalPart  = regexp.MustCompile(`(-?\d+)\s+([a-z]+?)s?\b`)
	intervalUnits = map[string]time.Duration{"week": 7 * 24 * time.Hour, "day": 24 * time.Hour, "hour": time.Hour,
		"minute": time.Minute, "second": time.Second, "millisecond": time.Millisecond, "microsecond": time.Microsecond}
)

// ParseRetention reads a time span such as "interval 7 days" or "2 weeks". One that no Duration holds is the longest that does.
func ParseRetention(text string) (time.Duration, bool) {
	m := intervalForm.FindStringSubmatch(strings.ToLower(strings.TrimSpace(text)))
	if m == nil {
		return 0, false
	}
	total := time.Duration(0)
	for _, part := range intervalPart.FindAllStringSubmatch(m[1], -1) {
		unit, known := intervalUnits[part[2]]
		n, err := strconv.ParseInt(part[1], 10, 64)
		if !known || err != nil {
			return 0, false
		}
		if n > int64((math.MaxInt64-total)/unit) {
			return math.MaxInt64, true
		}
		total += time.Duration(n) * unit
	}
	return total, total >= 0
}

// FeatureKey is what a property begins with that asks for a table feature.
const FeatureKey = "delta.feature."

const constraintKey = "delta.constraints."

// CheckProperties checks the properties that a user sets on a table and returns them with Delta's own spelling of the names.
// arbitrary allows names that Delta does not know.
func CheckProperties(given map[string]string, arbitrary bool) (map[string]string, error) {
	out := make(map[string]string, len(given))
	for key, value := range given {
		lower := strings.ToLower(key)
		p, known := properties[lower]
		switch {
		case strings.HasPrefix(lower, FeatureKey):
			key = lower
		case known:
			if err := p.refuse(value); err != nil {
				return nil, err
			}
			key = p.name
		case strings.HasPrefix(lower, constraintKey), strings.HasPrefix(lower, "delta.universalformat."):
		case strings.HasPrefix(lower, "delta.") && !arbitrary:
			return nil, errs.New("DELTA_UNKNOWN_CONFIGURATION", "config", key, "disableCheckConfig", "spark.databricks.delta.allowArbitraryProperties.enabled=true")
		}
		out[key] = value
	}
	return out, nil
}

func (p property) refuse(value string) error {
	if p.name == "delta.isolationLevel" {
		switch strings.ToLower(value) {
		case "serializable", "writeserializable":
			return nil
		}
		return errs.New("DELTA_INVALID_ISOLATION_LEVEL", "isolationLevel", value)
	}
	if p.check == nil {
		return nil
	}
	if complaint := p.check(value); complaint != "" {
		return &errs.Error{Kind: errs.Invalid, Class: errs.ClassIllegalArgument, Message: complaint}
	}
	return nil
}

// checkRetentions refuses a log that is kept for a shorter time than the files of old versions.
func (m *Metadata) checkRetentions() error {
	const logKey, fileKey = "delta.logRetentionDuration", "delta.deletedFileRetentionDuration"
	_, setLog := m.Configuration[logKey]
	_, setFile := m.Configuration[fileKey]
	if !setLog && !setFile {
		return nil
	}
	log, file := m.Duration(logKey, 30*24*time.Hour), m.Duration(fileKey, 7*24*time.Hour)
	if log >= file {
		return nil
	}
	shown := func(key, fallback string) string {
		if v, ok := m.Configuration[key]; ok {
			return key + "(" + v + ")"
		}
		return key + "(" + fallback + ")"
	}
	return &errs.Error{Kind: errs.Invalid, Class: errs.ClassIllegalArgument, Message: "requirement failed: The table property " +
		shown(logKey, "30 days") + " needs to be greater than or equal to " + shown(fileKey, "7 days") + "."}
}

// Duration is a property that is a time span.
func (m *Metadata) Duration(key string, fallback time.Duration) time.Duration {
	if v, ok := m.Configuration[key]; ok {
		if d, ok := ParseRetention(v); ok {
			return d
		}
	}
	return fallback
}
