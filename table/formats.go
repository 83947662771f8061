package table

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"

	"millrace/errs"
	planpb "millrace/proto/millrace/plan/v1"
	"millrace/storage"
	"millrace/table/parquet"
	"millrace/types"
	"millrace/vector"
)

// format is how files of a kind are read and written.
type format struct {
	open   func(ctx context.Context, s *scan, split *planpb.FileSplit) (fileReader, error)
	create func(out io.Writer, schema *types.Type, sink *planpb.FileSink, settings *planpb.Settings) (fileWriter, error)
	// infer finds the schema of a source's files.
	infer func(ctx context.Context, s *Source) (*types.Type, error)
	// extension ends the names of written files.
	extension func(options map[string]string) string
	narrows   bool // its reader has Narrow
}

// fileWriter writes one file's rows.
type fileWriter interface {
	Write(b *vector.Batch) error
	// Size is about how large the file would be if it were closed now.
	Size() int64
	Rows() int64
	// Close writes what is left; it does not close the output.
	Close() error
}

var formats map[string]format

func init() {
	formats = map[string]format{
		"parquet": parquetFormat,
		"delta":   {open: openParquet, create: createParquet, extension: parquetFormat.extension, narrows: true},
		"csv":     csvFormat,
		"text":    textFormat,
		"json":    jsonFormat,
		"avro":    avroFormat,
		"orc":     orcFormat,
		"xml":     xmlFormat,
		// Formats' names are in small letters here; Spark writes binaryFile.
		"binaryfile": binaryFormat,
	}
}

var parquetFormat = format{open: openParquet, create: createParquet, infer: inferParquet, narrows: true,
	extension: func(o map[string]string) string { return parquet.Extension(o["compression"]) }}

// Footers keeps the footers of files that were read lately, and dictionaries of theirs. It is safe for concurrent use.
type Footers struct {
	mu    sync.Mutex
	max   int
	files map[string]*parquet.File
	order []string

	dictionaries *parquet.Dictionaries
}

// NewFooters keeps up to max footers, 0: 1024, and so many bytes of dictionaries.
func NewFooters(max int, dictionaries int64) *Footers {
	if max == 0 {
		max = 1024
	}
	return &Footers{max: max, files: map[string]*parquet.File{}, dictionaries: parquet.NewDictionaries(dictionaries)}
}

func (f *Footers) get(key string) *parquet.File {
	if f == nil {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.files[key]
}

// put keeps a footer and returns it, or the one that another task has put there meanwhile.
func (f *Footers) put(key string, file *parquet.File) *parquet.File {
	if f == nil {
		return file
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if kept := f.files[key]; kept != nil {
		return kept
	}
	f.order = append(f.order, key)
	if len(f.order) > f.max {
		f.dictionaries.Forget(f.files[f.order[0]])
		delete(f.files, f.order[0])
		f.order = f.order[1:]
	}
	f.files[key] = file
	return file
}

// footer opens a Parquet file's footer, or finds it among those that are kept. Data files never change, but plain
// directories may be rewritten: size and time are part of the key.
func (e *Env) footer(path string, src storage.Reader) (*parquet.File, error) {
	key := fmt.Sprint(path, "\x00", src.Size(), "\x00", src.Modified().UnixNano())
	if f := e.Footers.get(key); f != nil {
		return f, nil
	}
	f, err := parquet.Open(src, src.Size(), displayPath(path))
	if err != nil {
		return nil, err
	}
	return e.Footers.put(key, f), nil
}

type parquetReader struct {
	*parquet.Reader
	src storage.Reader
}

func openParquet(ctx context.Context, s *scan, split *planpb.FileSplit) (fileReader, error) {
	src, err := s.env.open(ctx, split.Path)
	if err != nil {
		return nil, err
	}
	r, err := s.parquetReader(src, split)
	if err != nil {
		_ = src.Close() // the first error tells more
		return nil, err
	}
	return &parquetReader{r, src}, nil
}

func (s *scan) parquetReader(src storage.Reader, split *planpb.FileSplit) (*parquet.Reader, error) {
	f, err := s.env.footer(split.Path, src)
	if err != nil {
		return nil, err
	}
	opts := parquet.ReadOptions{Start: split.Start, Length: split.Length, CaseSensitive: s.env.Settings.GetCaseSensitive()}
	for _, c := range s.columns {
		opts.Columns = append(opts.Columns, parquet.ReadColumn{Name: c.name, ID: c.id, Type: c.typ, Default: c.fallback})
	}
	opts.Prune = s.prune()
	opts.Rebase = s.rebase()
	if s.env.Footers != nil {
		opts.Dictionaries = s.env.Footers.dictionaries
	}
	return f.NewReader(src, opts)
}

// rebase is how old dates and times are read that a file does not explain.
func (s *scan) rebase() parquet.Rebase {
	var r parquet.Rebase
	for k, v := range s.plan.Options {
		switch strings.ToLower(k) {
		case "datetimerebasemode":
			r.Datetime = parquet.ParseRebaseMode(v)
		case "int96rebasemode":
			r.Int96 = parquet.ParseRebaseMode(v)
		}
	}
	return r
}

func (r *parquetReader) Close() error {
	err := r.Reader.Close()
	if cerr := r.src.Close(); err == nil {
		err = cerr
	}
	return err
}

func (r *parquetReader) stats() parquet.ReadStats { return r.Reader.Stats }

// RejectOldTimes is an option of Parquet sinks: dates and times that older programs read as others are an error.
const RejectOldTimes = "rejectOldTimes"

// OutputTimestamps is an option of Parquet sinks: INT96 and TIMESTAMP_MILLIS say how moments are written.
const OutputTimestamps = "outputTimestamps"

func createParquet(out io.Writer, schema *types.Type, sink *planpb.FileSink, _ *planpb.Settings) (fileWriter, error) {
	o, err := parquetOptions(sink.Options)
	if err != nil {
		return nil, err
	}
	o.SchemaJSON = sink.SchemaJson
	if sink.Options[RejectOldTimes] == "true" {
		failed := errs.New("TASK_WRITE_FAILED", "path", sink.Path)
		failed.Cause = errs.Newf(errs.Invalid, "it has dates before 1582-10-15 or timestamps before 1900-01-01, which older Spark and Hive read as others (spark.sql.parquet.datetimeRebaseModeInWrite)")
		o.Old = failed
	}
	return parquet.NewWriter(out, schema, o)
}

// parquetOptions are the options of a sink as Spark's users know them from parquet-mr; those with a column's path behind # are for that column alone.
func parquetOptions(options map[string]string) (o parquet.WriteOptions, err error) {
	lower := make(map[string]string, len(options))
	for k, v := range options {
		name, path, _ := strings.Cut(k, "#")
		lower[strings.ToLower(name)+"#"+path] = v
	}
	whole := func(name, path string) (n int64) {
		v, given := lower[name+"#"+path]
		if !given {
			return 0
		}
		n, failed := strconv.ParseInt(v, 10, 64)
		if failed != nil && err == nil {
			err = errs.Newf(errs.Invalid, "For input string: \"%s\"", v)
		}
		return max(n, 0)
	}
	flag := func(name, path string, otherwise bool) bool {
		v, given := lower[name+"#"+path]
		if !given {
			v, given = lower[name+"#"]
		}
		if !given {
			return otherwise
		}
		return strings.EqualFold(v, "true")
	}
	o.Codec = options["compression"]
	o.GroupBytes, o.PageBytes = whole("parquet.block.size", ""), int(min(whole("parquet.page.size", ""), 1<<30))
	o.NoDictionary = func(path string) bool { return !flag("parquet.enable.dictionary", path, true) }
	most := whole("parquet.bloom.filter.max.bytes", "")
	if most > 0 && (most < 32 || most&(most-1) != 0) {
		return o, errs.Newf(errs.Invalid, "The option parquet.bloom.filter.max.bytes must be a power of two of at least 32: %d", most)
	}
	for name := range lower {
		if path, ok := strings.CutPrefix(name, "parquet.bloom.filter.expected.ndv#"); ok {
			whole("parquet.bloom.filter.expected.ndv", path)
		}
	}
	o.Bloom = func(path string) *parquet.BloomOptions {
		if !flag("parquet.bloom.filter.enabled", path, false) {
			return nil
		}
		share, _ := strconv.ParseFloat(lower["parquet.bloom.filter.fpp#"+path], 64)
		if share <= 0 || share >= 1 {
			share = 0
		}
		return &parquet.BloomOptions{Values: whole("parquet.bloom.filter.expected.ndv", path), Errors: share, MaxBytes: most}
	}
	switch strings.ToUpper(options[OutputTimestamps]) {
	case "INT96":
		o.Timestamps = parquet.Int96
	case "TIMESTAMP_MILLIS":
		o.Timestamps = parquet.Millis
	}
	return o, err
}

func inferParquet(ctx context.Context, s *Source) (*types.Type, error) {
	return s.schemaOfFiles("Parquet", func(path string) (*types.Type, error) { return s.footerSchema(ctx, path) })
}

// schemaOfFiles takes the first schema of a file, or merges all files'; a file whose schema is nil has none.
func (s *Source) schemaOfFiles(format string, of func(path string) (*types.Type, error)) (*types.Type, error) {
	var schema *types.Type
	for _, f := range s.files {
		t, err := of(f.path)
		if err != nil && lenienceOf(s.spec.Options).lets(err) || err == nil && t == nil {
			continue
		}
		if err != nil {
			return nil, err
		}
		if schema == nil {
			schema = t
		} else if schema, err = mergeSchemas(schema, t); err != nil {
			return nil, err
		}
		if !strings.EqualFold(s.option("mergeSchema"), "true") {
			break
		}
	}
	if schema == nil {
		return nil, errs.New("UNABLE_TO_INFER_SCHEMA", "format", format)
	}
	return schema, nil
}

func (s *Source) footerSchema(ctx context.Context, path string) (*types.Type, error) {
	r, err := s.spec.Env.open(ctx, path)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	f, err := s.spec.Env.footer(path, r)
	if err != nil {
		return nil, err
	}
	if err := f.Err(); err != nil {
		return nil, err
	}
	return f.SparkSchema(), nil
}

// mergeSchemas adds b's new fields to a, in nested structs too.
func mergeSchemas(a, b *types.Type) (*types.Type, error) {
	merged := append([]types.Field(nil), a.Fields...)
	for _, f := range b.Fields {
		_, at := a.Field(f.Name, false)
		if at < 0 {
			merged = append(merged, f)
			continue
		}
		t, err := mergeTypes(merged[at].Type, f.Type)
		if err != nil {
			return nil, errs.New("CANNOT_MERGE_SCHEMAS", "left", a.String(), "right", b.String())
		}
		merged[at].Type = t
	}
	return types.Struct(merged...), nil
}

func mergeTypes(a, b *types.Type) (*types.Type, error) {
	switch {
	case a.SameData(b):
		return a, nil
	case a.Kind == types.KindStruct && b.Kind == types.KindStruct:
		return mergeSchemas(a, b)
	case a.Kind == types.KindArray && b.Kind == types.KindArray:
		elem, err := mergeTypes(a.Elem, b.Elem)
		if err != nil {
			return nil, err
		}
		return types.ArrayOf(elem, true), nil
	case a.Kind == types.KindMap && b.Kind == types.KindMap && a.Key.SameData(b.Key):
		value, err := mergeTypes(a.Elem, b.Elem)
		if err != nil {
			return nil, err
		}
		return types.MapOf(a.Key, value, true), nil
	}
	return nil, errs.New("CANNOT_MERGE_SCHEMAS", "left", a.String(), "right", b.String())
}
