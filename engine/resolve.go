package engine

import (
	"maps"
	"strings"
	"time"

	"millrace/delta/log"
	"millrace/errs"
	"millrace/plan"
	"millrace/plan/analyze"
	"millrace/session"
	"millrace/table"
	"millrace/table/deltatable"
	"millrace/types"
)

// fileFormats are the formats that a name such as parquet.`/path` or a reader may give besides delta.
var fileFormats = map[string]bool{"parquet": true, "csv": true, "json": true, "text": true, "avro": true, "orc": true, "xml": true, "binaryfile": true}

// target is what a table's name or path stands for.
type target struct {
	entry    *Entry // nil for a path
	provider string
	path     string
}

func (t target) name() string {
	if t.entry != nil {
		return types.QuoteParts("spark_catalog", t.entry.Namespace, t.entry.Name)
	}
	return types.QuoteParts(t.provider, t.path)
}

// plainName is the name without quotes.
func (t target) plainName() string { return strings.ReplaceAll(t.name(), "`", "") }

var _ analyze.Catalog = (*statement)(nil)

// In implements analyze.Catalog.
func (st *statement) In(schema string) analyze.Catalog { return inSchema{st, schema} }

// inSchema looks up names that have no schema in one of its own, and finds no temporary objects.
type inSchema struct {
	*statement
	schema string
}

func (c inSchema) full(name []string) []string {
	if len(name) == 1 {
		return []string{"spark_catalog", c.schema, name[0]}
	}
	return name
}

// Relation implements analyze.Catalog.
func (c inSchema) Relation(r *plan.UnresolvedRelation) (analyze.Relation, error) {
	m := *r
	m.Parts = c.full(r.Parts)
	return c.statement.Relation(&m)
}

// Function implements analyze.Catalog.
func (c inSchema) Function(name []string) (*plan.CreateFunction, error) {
	return c.statement.Function(c.full(name))
}

// Relation implements analyze.Catalog: temporary views first, then the catalog's tables and format.`path`.
func (st *statement) Relation(r *plan.UnresolvedRelation) (analyze.Relation, error) {
	if v, ok := st.s.View(r.Parts); ok {
		if r.Travel != nil {
			return analyze.Relation{}, errs.Unsupportedf("A view cannot be read as of a version or time: %s.", types.QuoteParts(r.Parts...))
		}
		return analyze.Relation{View: v, Name: r.Parts}, nil
	}
	t, err := st.target(r.Parts)
	if err != nil {
		return analyze.Relation{}, err
	}
	if t == nil {
		return analyze.Relation{}, errs.New("TABLE_OR_VIEW_NOT_FOUND", "relationName", types.QuoteParts(r.Parts...))
	}
	if t.entry != nil && t.entry.View != "" {
		return st.viewRelation(t.entry)
	}
	travel := r.Travel
	if travel == nil {
		if travel, err = st.travelOption(r.Options); err != nil {
			return analyze.Relation{}, err
		}
	}
	tab, err := st.openRelation(*t, r, travel)
	if err != nil {
		return analyze.Relation{}, err
	}
	name := []string{"spark_catalog", t.provider, t.path}
	if t.entry != nil {
		name = []string{"spark_catalog", t.entry.Namespace, t.entry.Name}
	}
	return analyze.Relation{Table: tab, Name: name}, nil
}

// openRelation makes a named table readable, as a stream where the plan says so.
func (st *statement) openRelation(t target, r *plan.UnresolvedRelation, travel *plan.TimeTravel) (plan.Table, error) {
	if r.Streaming {
		return st.stream(&plan.UnresolvedSource{Format: t.provider, Paths: []string{t.path}, Options: r.Options, Streaming: true})
	}
	return st.open(t, r.Options, travel)
}

// target finds what a name stands for; nil when there is nothing.
func (st *statement) target(parts []string) (*target, error) {
	if len(parts) == 3 && strings.EqualFold(parts[0], "spark_catalog") {
		parts = parts[1:]
	}
	namespace, name := st.database(), parts[len(parts)-1]
	switch len(parts) {
	case 1:
	case 2:
		namespace = parts[0]
	default:
		return nil, nil
	}
	e, err := st.e.o.Catalog.Lookup(st.ctx, namespace, name)
	if err != nil {
		return nil, err
	}
	if e != nil {
		return &target{entry: e, provider: e.Provider, path: e.Location}, nil
	}
	format := strings.ToLower(namespace)
	if len(parts) == 2 && (format == "delta" || fileFormats[format]) {
		return &target{provider: format, path: name}, nil
	}
	return nil, nil
}

// open makes a table readable.
func (st *statement) open(t target, options map[string]string, travel *plan.TimeTravel) (plan.Table, error) {
	if t.provider == "delta" && wantsFeed(options) {
		return st.feed(t.path, options)
	}
	if t.provider == "delta" {
		return st.delta(t.path, travel, t.name())
	}
	if travel != nil {
		return nil, errs.New("UNSUPPORTED_FEATURE.TIME_TRAVEL", "relationId", t.name())
	}
	if t.entry != nil && t.entry.Schema != "" {
		return st.openTableFiles(t.entry, options)
	}
	return st.openFiles(t.provider, []string{t.path}, options, nil)
}

// Source implements analyze.Catalog.
func (st *statement) Source(r *plan.UnresolvedSource) (plan.Table, error) {
	if r.Streaming {
		return st.stream(r)
	}
	format := strings.ToLower(r.Format)
	if format == "" {
		format = st.s.Conf.Get("spark.sql.sources.default")
	}
	paths := r.Paths
	if p, ok := option(r.Options, "path"); ok {
		paths = append([]string{p}, paths...)
	}
	if format == "delta" {
		return st.deltaSource(r, paths)
	}
	if !fileFormats[format] {
		return nil, errs.New("DATA_SOURCE_NOT_FOUND", "provider", r.Format)
	}
	return st.openFiles(format, paths, r.Options, r.Schema)
}

func (st *statement) deltaSource(r *plan.UnresolvedSource, paths []string) (plan.Table, error) {
	if len(paths) != 1 {
		return nil, errs.New("DELTA_PATH_DOES_NOT_EXIST", "path", strings.Join(paths, ","))
	}
	if r.Schema != nil {
		return nil, errs.New("DELTA_UNSUPPORTED_SCHEMA_DURING_READ")
	}
	if wantsFeed(r.Options) {
		return st.feed(paths[0], r.Options)
	}
	travel, err := st.travelOption(r.Options)
	if err != nil {
		return nil, err
	}
	return st.delta(paths[0], travel, types.QuoteParts("delta", paths[0]))
}

// travelOption is what the options versionAsOf and timestampAsOf ask for.
func (st *statement) travelOption(options map[string]string) (*plan.TimeTravel, error) {
	version, byVersion := option(options, "versionAsOf")
	stamp, byTime := option(options, "timestampAsOf")
	switch {
	case byVersion && byTime:
		return nil, errs.New("DELTA_ONEOF_IN_TIMETRAVEL")
	case byVersion:
		v, err := parseVersion(version)
		return &plan.TimeTravel{Version: &v}, err
	case byTime:
		return &plan.TimeTravel{Timestamp: &plan.Cast{Child: plan.Str(stamp), To: types.Timestamp, Mode: plan.ModeANSI}}, nil
	}
	return nil, nil
}

// option finds a reader's or writer's option, whose names have no case.
func option(options map[string]string, name string) (string, bool) {
	if v, ok := options[name]; ok {
		return v, true
	}
	for k, v := range options {
		if strings.EqualFold(k, name) {
			return v, true
		}
	}
	return "", false
}

// deltaTable is a Delta table as the statement reads it.
type deltaTable = deltatable.Table

// delta opens a Delta table at its newest version or at the one asked for.
func (st *statement) delta(path string, travel *plan.TimeTravel, name string) (*deltaTable, error) {
	l, err := st.e.o.Logs.Table(path)
	if err != nil {
		return nil, err
	}
	snapshot, err := st.snapshot(l, travel)
	if errs.Is(err, errs.NotFound) && travel == nil {
		return nil, st.notDelta(l, path)
	}
	if err != nil {
		return nil, err
	}
	t := deltatable.New(l, snapshot, st.zone())
	st.derive(t)
	st.read = append(st.read, t)
	t.Pinned = travel != nil
	return t, nil
}

// notDelta is the error of a path without a log: it may not exist at all.
func (st *statement) notDelta(l *log.Table, path string) error {
	for _, err := range l.Store().List(st.ctx, "", "") {
		if err == nil {
			return errs.New("DELTA_TABLE_NOT_FOUND", "tableName", types.QuoteParts("delta", path))
		}
		break
	}
	return errs.New("PATH_NOT_FOUND", "path", path)
}

func (st *statement) zone() *time.Location {
	loc, err := session.ZoneOf(st.settings.TimeZone)
	if err != nil {
		return time.UTC
	}
	return loc
}

// openFiles makes plain files of a format readable.
func (st *statement) openFiles(format string, paths []string, options map[string]string, schema *types.Type) (plan.Table, error) {
	return table.OpenSource(st.ctx, st.sourceSpec(format, paths, options, schema))
}

// optionSettings are the settings that stand for readers' options that were not given; format is empty for all formats.
var optionSettings = []struct{ option, setting, format string }{
	{"ignoreCorruptFiles", "spark.sql.files.ignoreCorruptFiles", ""}, {"ignoreMissingFiles", "spark.sql.files.ignoreMissingFiles", ""},
	{"mergeSchema", "spark.sql.parquet.mergeSchema", "parquet"}, {"mergeSchema", "spark.sql.orc.mergeSchema", "orc"},
	{"enableDateTimeParsingFallback", "spark.sql.legacy.csv.enableDateTimeParsingFallback", "csv"},
	{"enableDateTimeParsingFallback", "spark.sql.legacy.json.enableDateTimeParsingFallback", "json"},
	{"columnNameOfCorruptRecord", "spark.sql.columnNameOfCorruptRecord", "csv"}, {"columnNameOfCorruptRecord", "spark.sql.columnNameOfCorruptRecord", "json"},
	{"columnNameOfCorruptRecord", "spark.sql.columnNameOfCorruptRecord", "xml"},
}

func (st *statement) sourceSpec(format string, paths []string, options map[string]string, schema *types.Type) table.SourceSpec {
	for _, o := range optionSettings {
		value := st.s.Conf.Get(o.setting)
		if _, given := option(options, o.option); given || value == "" || o.format != "" && o.format != format {
			continue
		}
		options = maps.Clone(options)
		if options == nil {
			options = map[string]string{}
		}
		options[o.option] = value
	}
	return table.SourceSpec{Format: format, Schema: schema, Options: options, Paths: paths,
		CaseSensitive: st.settings.CaseSensitive, TimeZone: st.settings.TimeZone, NowMicros: st.settings.NowMicros,
		InferPartitionTypes: st.s.Conf.Bool("spark.sql.sources.partitionColumnTypeInference.enabled"),
		Env:                 table.Env{Settings: st.settings, Footers: st.e.footers}}
}
