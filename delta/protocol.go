package delta

import (
	"slices"
	"sort"
	"strings"

	"millrace/errs"
	"millrace/types"
)

// Protocol says what a program must understand to read or write the table.
type Protocol struct {
	MinReaderVersion int      `json:"minReaderVersion"`
	MinWriterVersion int      `json:"minWriterVersion"`
	ReaderFeatures   []string `json:"readerFeatures,omitempty"`
	WriterFeatures   []string `json:"writerFeatures,omitempty"`
}

// The versions from which features are listed by name.
const (
	ReaderFeaturesVersion = 3
	WriterFeaturesVersion = 7
)

// feature is what this program does about a table feature. A feature that writers must act upon, and that is not acted
// upon here, is refused when it is active; one that is merely listed is let be.
type feature struct {
	reader bool // listed in readerFeatures too
	read   bool // readable here
	write  bool // writable here even when active
	legacy int  // the writer version that implies it, or 0
	active func(*Metadata, *types.Type) bool
}

var features = map[string]feature{
	"appendOnly":                  {write: true, legacy: 2},
	"invariants":                  {write: true, legacy: 2, active: fieldHas("delta.invariants")},
	"checkConstraints":            {write: true, legacy: 3, active: hasConstraint},
	"changeDataFeed":              {write: true, legacy: 4},
	"generatedColumns":            {write: true, legacy: 4, active: fieldHas("delta.generationExpression")},
	"columnMapping":               {reader: true, read: true, write: true, legacy: 5},
	"identityColumns":             {write: true, legacy: 6, active: fieldHas("delta.identity.start")},
	"deletionVectors":             {reader: true, read: true, write: true},
	"timestampNtz":                {reader: true, read: true, write: true},
	"v2Checkpoint":                {reader: true, read: true, write: true},
	"vacuumProtocolCheck":         {reader: true, read: true, write: true},
	"variantType":                 {reader: true, read: true, write: true},
	"variantType-preview":         {reader: true, read: true, write: true},
	"variantShredding":            {reader: true, read: true, write: true},
	"variantShredding-preview":    {reader: true, read: true, write: true},
	"typeWidening":                {reader: true, read: true, write: true},
	"typeWidening-preview":        {reader: true, read: true, write: true},
	"catalogManaged":              {reader: true, read: true, write: true}, // delta/log asks the catalog, and refuses without one
	"catalogOwned-preview":        {reader: true, read: true, write: true},
	"domainMetadata":              {write: true},
	"inCommitTimestamp":           {write: true},
	"inCommitTimestamp-preview":   {write: true},
	"clustering":                  {write: true},
	"allowColumnDefaults":         {write: true, active: fieldHas("CURRENT_DEFAULT")},
	"rowTracking":                 {write: true},
	"checkpointProtection":        {write: true},
	"collations":                  {active: always},
	"collations-preview":          {active: always},
	"icebergCompatV1":             {write: true},
	"icebergCompatV2":             {write: true},
	"icebergCompatV3":             {write: true},
	"icebergWriterCompatV1":       {active: enabled("delta.enableIcebergWriterCompatV1")},
	"materializePartitionColumns": {active: disabled("delta.enableMaterializePartitionColumnsFeature")},
}

func always(*Metadata, *types.Type) bool { return true }

func enabled(key string) func(*Metadata, *types.Type) bool {
	return func(m *Metadata, _ *types.Type) bool { return strings.EqualFold(m.Configuration[key], "true") }
}

func disabled(key string) func(*Metadata, *types.Type) bool {
	on := enabled(key)
	return func(m *Metadata, t *types.Type) bool { return !on(m, t) }
}

func hasConstraint(m *Metadata, _ *types.Type) bool {
	for k := range m.Configuration {
		if strings.HasPrefix(k, "delta.constraints.") {
			return true
		}
	}
	return false
}

func fieldHas(key string) func(*Metadata, *types.Type) bool {
	return func(_ *Metadata, schema *types.Type) bool {
		found := false
		WalkFields(schema, func(f types.Field) { found = found || FieldMetadata(f, key) != nil })
		return found
	}
}

// WalkFields visits the fields of a type at any depth, outer ones first.
func WalkFields(t *types.Type, visit func(types.Field)) {
	if t == nil {
		return
	}
	for _, f := range t.Fields {
		visit(f)
		WalkFields(f.Type, visit)
	}
	WalkFields(t.Key, visit)
	WalkFields(t.Elem, visit)
}

const deltaVersion = "4.4.0"

// CheckRead refuses a table that this program would misread.
func (p *Protocol) CheckRead(table string) error {
	if p.MinReaderVersion > ReaderFeaturesVersion || p.MinReaderVersion < 0 {
		return p.unsupportedVersion(table)
	}
	var unknown []string
	if p.MinReaderVersion == ReaderFeaturesVersion {
		for _, name := range p.ReaderFeatures {
			if f, known := features[name]; !known || f.reader && !f.read {
				unknown = append(unknown, name)
			}
		}
	}
	return unsupported("DELTA_UNSUPPORTED_FEATURES_FOR_READ", table, unknown)
}

// CheckWrite refuses a table that this program would damage: by a feature that it does not know, or by one that is in
// use and asks of writers what is not built.
func (p *Protocol) CheckWrite(table string, m *Metadata, schema *types.Type) error {
	if err := p.CheckRead(table); err != nil {
		return err
	}
	if p.MinWriterVersion > WriterFeaturesVersion || p.MinWriterVersion < 0 {
		return p.unsupportedVersion(table)
	}
	var refused []string
	for _, name := range p.Features() {
		f, known := features[name]
		if !known || !f.write && (f.active == nil || f.active(m, schema)) {
			refused = append(refused, name)
		}
	}
	return unsupported("DELTA_UNSUPPORTED_FEATURES_FOR_WRITE", table, refused)
}

// UnsupportedRead is the error for a table that cannot be read because of a feature.
func UnsupportedRead(table, feature string) error {
	return unsupported("DELTA_UNSUPPORTED_FEATURES_FOR_READ", table, []string{feature})
}

// CheckKnown refuses to change the metadata of a table with a feature that this program does not know. What it knows but does not act
// upon when rows are written is no obstacle.
func (p *Protocol) CheckKnown(table string) error {
	if err := p.CheckRead(table); err != nil {
		return err
	}
	if p.MinWriterVersion > WriterFeaturesVersion || p.MinWriterVersion < 0 {
		return p.unsupportedVersion(table)
	}
	var unknown []string
	for _, name := range p.Features() {
		if _, known := features[name]; !known {
			unknown = append(unknown, name)
		}
	}
	return unsupported("DELTA_UNSUPPORTED_FEATURES_FOR_WRITE", table, unknown)
}

func unsupported(condition, table string, names []string) error {
	if len(names) == 0 {
		return nil
	}
	sort.Strings(names)
	return errs.New(condition, "tableNameOrPath", table, "deltaVersion", deltaVersion, "unsupported", strings.Join(names, ", "))
}

func (p *Protocol) unsupportedVersion(table string) error {
	return errs.New("DELTA_INVALID_PROTOCOL_VERSION", "tableNameOrPath", table, "readerRequired", itoa(int64(p.MinReaderVersion)),
		"writerRequired", itoa(int64(p.MinWriterVersion)), "deltaVersion", deltaVersion,
		"supportedReaders", "1, 2, 3", "supportedWriters", "1, 2, 3, 4, 5, 6, 7")
}

// Features are the names of all features of the table in order: those listed and those that the versions imply.
func (p *Protocol) Features() []string {
	var names []string
	if p.MinWriterVersion >= WriterFeaturesVersion {
		names = append(append(names, p.WriterFeatures...), p.ReaderFeatures...)
	} else {
		for name, f := range features {
			if f.legacy != 0 && f.legacy <= p.MinWriterVersion {
				names = append(names, name)
			}
		}
	}
	sort.Strings(names)
	return slices.Compact(names)
}

// Supports reports whether the table has a feature.
func (p *Protocol) Supports(name string) bool { return p != nil && slices.Contains(p.Features(), name) }

// WithFeatures is the protocol with more features; what the versions implied is then listed by name.
func (p *Protocol) WithFeatures(names ...string) *Protocol {
	var missing []string
	for _, n := range names {
		if !p.Supports(n) && !slices.Contains(missing, n) {
			missing = append(missing, n)
		}
	}
	if len(missing) == 0 {
		return p
	}
	n := &Protocol{MinReaderVersion: p.MinReaderVersion, MinWriterVersion: WriterFeaturesVersion,
		ReaderFeatures: slices.Clone(p.ReaderFeatures), WriterFeatures: append(p.Features(), missing...)}
	sort.Strings(n.WriterFeatures)
	for _, name := range n.WriterFeatures {
		f := features[name]
		if name == "columnMapping" && n.MinReaderVersion < ReaderFeaturesVersion && !needReaderFeatures(missing) {
			n.MinReaderVersion = 2
			continue
		}
		if f.reader {
			n.MinReaderVersion = ReaderFeaturesVersion
		}
	}
	n.listReaderFeatures()
	return n.normalized()
}

// needReaderFeatures reports whether one of the features can only be listed by name.
func needReaderFeatures(names []string) bool {
	return slices.ContainsFunc(names, func(n string) bool { return n != "columnMapping" && features[n].reader })
}

func (p *Protocol) listReaderFeatures() {
	p.ReaderFeatures = nil
	if p.MinReaderVersion < ReaderFeaturesVersion {
		return
	}
	p.ReaderFeatures = []string{}
	for _, name := range p.WriterFeatures {
		if features[name].reader {
			p.ReaderFeatures = append(p.ReaderFeatures, name)
		}
	}
}

// normalized is the protocol by version numbers alone where they imply exactly its features.
func (p *Protocol) normalized() *Protocol {
	if p.MinWriterVersion < WriterFeaturesVersion {
		return p
	}
	names := p.Features()
	if len(names) == 0 {
		return &Protocol{MinReaderVersion: 1, MinWriterVersion: 1}
	}
	for writer := 2; writer < WriterFeaturesVersion; writer++ {
		legacy := &Protocol{MinReaderVersion: 1, MinWriterVersion: writer}
		if writer >= 5 {
			legacy.MinReaderVersion = 2
		}
		if slices.Equal(legacy.Features(), names) {
			return legacy
		}
	}
	return p
}

// NewProtocol is what Delta 4.4 gives a new table: versions 1 and 2, and table features where the schema or the
// configuration needs them.
func NewProtocol(m *Metadata, schema *types.Type) *Protocol {
	p := &Protocol{MinReaderVersion: 1, MinWriterVersion: 2}
	return p.WithFeatures(RequiredFeatures(m, schema)...).normalized()
}

// byProperty are the features that a property switches on.
var byProperty = map[string]string{"delta.enableDeletionVectors": "deletionVectors", "delta.enableChangeDataFeed": "changeDataFeed",
	"delta.enableInCommitTimestamps": "inCommitTimestamp", "delta.enableRowTracking": "rowTracking",
	"delta.enableTypeWidening": "typeWidening", "delta.enableIcebergCompatV1": "icebergCompatV1",
	"delta.enableIcebergCompatV2": "icebergCompatV2", "delta.enableIcebergCompatV3": "icebergCompatV3",
	"delta.enableVariantShredding": "variantShredding-preview", "delta.enableMaterializePartitionColumnsFeature": "materializePartitionColumns"}

// needs are the features that others build upon.
var needs = map[string][]string{"rowTracking": {"domainMetadata"}, "clustering": {"domainMetadata"},
	"catalogManaged": {"inCommitTimestamp", "vacuumProtocolCheck"}, "icebergCompatV1": {"columnMapping"}, "icebergCompatV2": {"columnMapping"},
	"icebergCompatV3": {"columnMapping", "rowTracking", "domainMetadata"}}

// RequiredFeatures are the features that a table of that schema and configuration must have, beyond invariants and
// appendOnly.
func RequiredFeatures(m *Metadata, schema *types.Type) []string {
	var names []string
	for key, name := range byProperty {
		if strings.EqualFold(m.Configuration[key], "true") && !(name == "variantShredding-preview" && m.asks("variantShredding")) {
			names = append(names, name)
		}
	}
	for key := range m.Configuration {
		if name, ok := strings.CutPrefix(key, FeatureKey); ok {
			if known, ok := featureName(name); ok {
				name = known
			}
			names = append(names, name)
		}
	}
	if v := m.Configuration["delta.columnMapping.mode"]; v != "" && v != "none" {
		names = append(names, "columnMapping")
	}
	if m.Configuration["delta.checkpointPolicy"] == "v2" {
		names = append(names, "v2Checkpoint")
	}
	for _, name := range []string{"checkConstraints", "generatedColumns", "identityColumns"} {
		if features[name].active(m, schema) {
			names = append(names, name)
		}
	}
	WalkTypes(schema, func(t *types.Type) {
		switch t.Kind {
		case types.KindTimestampNTZ:
			names = append(names, "timestampNtz")
		case types.KindVariant:
			names = append(names, "variantType")
		}
	})
	for _, name := range names {
		names = append(names, needs[name]...)
	}
	sort.Strings(names)
	return slices.Compact(names)
}

func (m *Metadata) asks(feature string) bool {
	_, ok := m.Configuration[FeatureKey+strings.ToLower(feature)]
	return ok
}

// featureName is a feature's name in Delta's spelling.
func featureName(name string) (string, bool) {
	for known := range features {
		if strings.EqualFold(known, name) {
			return known, true
		}
	}
	return "", false
}

// WalkTypes visits a type and all types inside it.
func WalkTypes(t *types.Type, visit func(*types.Type)) {
	if t == nil {
		return
	}
	visit(t)
	WalkTypes(t.Key, visit)
	WalkTypes(t.Elem, visit)
	for _, f := range t.Fields {
		WalkTypes(f.Type, visit)
	}
}

// FeatureName is a feature in Delta's spelling, if it is known.
func FeatureName(name string) (string, bool) { return featureName(name) }

// ForReaders reports whether readers have to know a feature too.
func ForReaders(name string) bool { return features[name].reader }

// Without is the protocol without a feature.
func (p *Protocol) Without(name string) *Protocol {
	n := &Protocol{MinReaderVersion: 1, MinWriterVersion: WriterFeaturesVersion}
	for _, f := range p.Features() {
		if f == name {
			continue
		}
		n.WriterFeatures = append(n.WriterFeatures, f)
		switch {
		case f == "columnMapping":
			n.MinReaderVersion = max(n.MinReaderVersion, 2)
		case features[f].reader:
			n.MinReaderVersion = ReaderFeaturesVersion
		}
	}
	n.listReaderFeatures()
	return n.normalized()
}
