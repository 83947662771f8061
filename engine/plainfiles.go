package engine

import (
	"context"
	"slices"
	"strings"

	"github.com/google/uuid"

	"millrace/errs"
	"millrace/plan"
	planpb "millrace/proto/millrace/plan/v1"
	"millrace/storage"
	"millrace/table"
	"millrace/types"
)

// mayWrite refuses formats that are not written; named is the format as the user has it.
func mayWrite(format, named string) error {
	switch {
	case format == "delta":
	case format == "binaryfile":
		return errs.New("UNSUPPORTED_FEATURE.WRITE_FOR_BINARY_SOURCE")
	case !fileFormats[format]:
		return errs.New("DATA_SOURCE_NOT_FOUND", "provider", named)
	}
	return nil
}

// writePlain writes rows as plain files of a format.
func (st *statement) writePlain(format, path string, input plan.Node, w *plan.Write) error {
	if st.transaction() != nil {
		return errs.Unsupportedf("A transaction cannot write %s files: COMMIT or ROLLBACK first.", format)
	}
	store, err := storage.Open(path)
	if err != nil {
		return err
	}
	old, err := st.filesIn(store)
	if err != nil {
		return err
	}
	if len(old) > 0 {
		switch w.Mode {
		case plan.SaveErrorIfExists:
			return errs.New("PATH_ALREADY_EXISTS", "outputPath", store.URL())
		case plan.SaveIgnore:
			return nil
		}
	}
	schema := plan.Schema(input).WithoutAutoNames()
	if err := st.checkPlainWrite(schema, w); err != nil {
		return err
	}
	options, err := st.sinkOptions(format, w.Options)
	if err != nil {
		return err
	}
	if st.checking {
		return nil
	}
	options["emptyFile"] = "true" // a table without rows keeps its schema
	sink := &planpb.FileSink{Format: format, Path: store.URL(), Options: options}
	inFiles := types.Struct()
	for i, f := range schema.Fields {
		sink.Columns = append(sink.Columns, &planpb.FileColumn{Name: f.Name})
		if slices.ContainsFunc(w.PartitionBy, func(p string) bool { return strings.EqualFold(p, f.Name) }) {
			sink.PartitionColumns = append(sink.PartitionColumns, uint32(i))
		} else {
			inFiles.Fields = append(inFiles.Fields, f)
		}
	}
	sink.SchemaJson = inFiles.JSON()
	if len(sink.PartitionColumns) != len(w.PartitionBy) {
		return errs.Newf(errs.Invalid, "a partition column of %v is not among the columns %v", w.PartitionBy, schema.Names())
	}
	defer st.e.frames.written(store.URL())
	sink.Prefix = filePrefix(uuid.NewString())
	if _, err := st.sinkFiles(store, sink, input); err != nil {
		_ = dropUnreported(context.WithoutCancel(st.ctx), store, sink.Prefix, nil) // the first error tells more
		return err
	}
	if w.Mode == plan.SaveOverwrite {
		for _, name := range old {
			if err := store.Delete(st.ctx, name); err != nil {
				return err
			}
		}
	}
	return store.Put(st.ctx, "_SUCCESS", nil)
}

// checkParquetOptions refuses by name the options of Parquet files that a writer must not leave out.
func checkParquetOptions(options map[string]string) error {
	for name, value := range options {
		lower := strings.ToLower(name)
		adaptive := strings.HasPrefix(lower, "parquet.bloom.filter.adaptive.enabled") && !strings.EqualFold(value, "false")
		if adaptive || strings.HasPrefix(lower, "parquet.encryption.") || strings.HasPrefix(lower, "parquet.crypto.") {
			return errs.Unsupportedf("The option %s of Parquet files is not supported.", name)
		}
	}
	return nil
}

// oldTimes makes the settings about old dates and times in Parquet a sink's option. Only today's calendar is written.
func (st *statement) oldTimes(options map[string]string) error {
	for _, name := range []string{"spark.sql.parquet.datetimeRebaseModeInWrite", "spark.sql.parquet.int96RebaseModeInWrite"} {
		switch strings.ToUpper(st.s.Conf.Get(name)) {
		case "EXCEPTION":
			options[table.RejectOldTimes] = "true"
		case "LEGACY":
			return errs.Unsupportedf("Writing by %s=LEGACY is not supported.", name)
		}
	}
	return nil
}

// sinkOptions are the options of a sink of files: those given, and the codec that the session has for the format.
func (st *statement) sinkOptions(format string, given map[string]string) (map[string]string, error) {
	options := map[string]string{}
	if conf := codecSettings[format]; conf != "" {
		options["compression"] = st.s.Conf.Get(conf)
	}
	if codec, ok := option(given, codecOptions[format]); ok {
		options["compression"] = codec
	}
	for k, v := range given {
		if strings.EqualFold(k, "compression") {
			k = "compression"
		}
		options[k] = v
	}
	if format != "parquet" {
		return options, nil
	}
	options[table.OutputTimestamps] = st.s.Conf.Get("spark.sql.parquet.outputTimestampType")
	if err := checkParquetOptions(options); err != nil {
		return nil, err
	}
	return options, st.oldTimes(options)
}

// codecOptions are the libraries' own names of the option compression.
var codecOptions = map[string]string{"orc": "orc.compress", "parquet": "parquet.compression"}

// codecSettings are the settings that name the compression of files whose writer has no option for it.
var codecSettings = map[string]string{"parquet": "spark.sql.parquet.compression.codec", "avro": "spark.sql.avro.compression.codec",
	"orc": "spark.sql.orc.compression.codec"}

// checkPlainWrite refuses what could not be read back.
func (st *statement) checkPlainWrite(schema *types.Type, w *plan.Write) error {
	seen := map[string]bool{}
	for _, f := range schema.Fields {
		name := f.Name
		if !st.settings.CaseSensitive {
			name = strings.ToLower(name)
		}
		if seen[name] {
			return errs.New("COLUMN_ALREADY_EXISTS", "columnName", types.Quote(name))
		}
		seen[name] = true
	}
	var by []string
	for _, name := range w.PartitionBy {
		f, i := schema.Field(name, st.settings.CaseSensitive)
		switch {
		case i < 0:
			return errs.New("_LEGACY_ERROR_TEMP_1155", "col", name, "schemaCatalog", schema.String())
		case slices.Contains(by, f.Name):
			return errs.New("COLUMN_ALREADY_EXISTS", "columnName", types.Quote(strings.ToLower(name)))
		case f.Type.IsNested() || f.Type.Kind == types.KindCalendar || f.Type.Kind == types.KindVariant:
			return errs.New("INVALID_PARTITION_COLUMN_DATA_TYPE", "type", `"`+f.Type.SQL()+`"`)
		}
		by = append(by, f.Name)
	}
	if len(w.PartitionBy) > 0 && len(w.PartitionBy) == len(schema.Fields) {
		return errs.New("ALL_PARTITION_COLUMNS_NOT_ALLOWED")
	}
	return nil
}

func (st *statement) filesIn(store storage.Store) ([]string, error) {
	var names []string
	for f, err := range store.List(st.ctx, "", "") {
		if errs.Is(err, errs.NotFound) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		names = append(names, f.Name)
	}
	return names, nil
}
