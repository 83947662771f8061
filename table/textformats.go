package table

import (
	"context"
	"io"
	"strings"

	"millrace/errs"
	"millrace/operators/expr"
	planpb "millrace/proto/millrace/plan/v1"
	"millrace/storage"
	"millrace/table/csv"
	"millrace/table/internal/lines"
	"millrace/table/text"
	"millrace/types"
)

var csvFormat = format{open: openCSV, create: createCSV, infer: inferCSV, extension: textExtension(".csv")}

var textFormat = format{open: openText, create: createText, infer: inferText, extension: textExtension(".txt")}

func textExtension(base string) func(map[string]string) string {
	return func(o map[string]string) string {
		return base + codecExtensions[strings.ToLower(compression(o))]
	}
}

func compression(options map[string]string) string {
	for k, v := range options {
		if strings.EqualFold(k, "compression") || strings.EqualFold(k, "codec") {
			return v
		}
	}
	return ""
}

// closingReader closes the file with its reader.
type closingReader struct {
	fileReader
	src storage.Reader
}

func (r *closingReader) Close() error {
	err := r.fileReader.Close()
	if cerr := r.src.Close(); err == nil {
		err = cerr
	}
	return err
}

// openLines opens a split as text and closes it again if make fails.
func openLines(ctx context.Context, s *scan, split *planpb.FileSplit, make func(lines.Source) (fileReader, error)) (fileReader, error) {
	src, err := s.env.open(ctx, split.Path)
	if err != nil {
		return nil, err
	}
	r, err := make(lines.Source{File: src, Path: displayPath(split.Path), Size: src.Size(), Start: split.Start, Length: split.Length})
	if err != nil {
		_ = src.Close() // the first error tells more
		return nil, err
	}
	return &closingReader{r, src}, nil
}

func openCSV(ctx context.Context, s *scan, split *planpb.FileSplit) (fileReader, error) {
	o, err := csv.ParseOptions(s.plan.Options, s.env.Settings.GetTimeZone(), s.env.Settings.GetNowMicros(), false)
	if err != nil {
		return nil, err
	}
	names := fileNames(s.plan, o.CorruptRecord)
	columns := make([]csv.Column, len(s.columns))
	for i, c := range s.columns {
		columns[i] = csv.Column{Name: c.name, Place: place(names, c.name), Type: c.typ}
	}
	return openLines(ctx, s, split, func(src lines.Source) (fileReader, error) { return csv.NewReader(src, o, columns, names) })
}

// fileNames are the names of the columns that records have.
func fileNames(plan *planpb.FileScan, corrupt string) []string {
	var names []string
	for _, c := range plan.FileSchema {
		if !strings.EqualFold(c.Name, corrupt) {
			names = append(names, c.Name)
		}
	}
	return names
}

func place(names []string, name string) int {
	for i, n := range names {
		if n == name {
			return i
		}
	}
	for i, n := range names {
		if strings.EqualFold(n, name) {
			return i
		}
	}
	return -1
}

func createCSV(out io.Writer, schema *types.Type, sink *planpb.FileSink, settings *planpb.Settings) (fileWriter, error) {
	o, err := csv.ParseOptions(sink.Options, settings.GetTimeZone(), settings.GetNowMicros(), true)
	if err != nil {
		return nil, err
	}
	return squeezed(out, sink.Options, o.Encoding, func(out io.Writer) (fileWriter, error) { return csv.NewWriter(out, schema, o) })
}

// withSources opens all of a source's files for inference, and closes them.
func withSources(ctx context.Context, s *Source, infer func([]lines.Source) (*types.Type, error)) (*types.Type, error) {
	var files []lines.Source
	var open []storage.Reader
	defer func() {
		for _, r := range open {
			_ = r.Close() // read only
		}
	}()
	for _, f := range s.files {
		if f.size == 0 {
			continue
		}
		r, err := s.spec.Env.open(ctx, f.path)
		if err != nil {
			return nil, err
		}
		open = append(open, r)
		files = append(files, lines.Source{File: r, Path: displayPath(f.path), Size: r.Size()})
	}
	return infer(files)
}

func inferCSV(ctx context.Context, s *Source) (*types.Type, error) {
	o, err := csv.ParseOptions(s.spec.Options, s.spec.TimeZone, s.spec.NowMicros, false)
	if err != nil {
		return nil, err
	}
	if len(s.files) == 0 {
		return nil, errs.New("UNABLE_TO_INFER_SCHEMA", "format", "CSV")
	}
	sampled(o)
	return withSources(ctx, s, func(files []lines.Source) (*types.Type, error) { return csv.Infer(files, o, s.spec.CaseSensitive) })
}

// sampled has inference look at a share of the lines, if the options say so: of files that are one part in Spark at those that Spark looks at.
func sampled(o *csv.Options) {
	if o.SamplingRatio > 0.99 {
		return
	}
	o.Sample = func(part int) func() bool {
		r := expr.NewRandom(int64(part) + 1)
		return func() bool { return r.Float64() < o.SamplingRatio }
	}
}

func openText(ctx context.Context, s *scan, split *planpb.FileSplit) (fileReader, error) {
	for _, c := range s.columns {
		if c.typ.Kind != types.KindString {
			return nil, errs.New("UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE", "format", "Text", "columnName", "`"+c.name+"`", "columnType", `"`+c.typ.SQL()+`"`)
		}
	}
	o, err := text.ParseOptions(s.plan.Options)
	if err != nil {
		return nil, err
	}
	return openLines(ctx, s, split, func(src lines.Source) (fileReader, error) { return text.NewReader(src, o, len(s.columns)) })
}

func createText(out io.Writer, schema *types.Type, sink *planpb.FileSink, _ *planpb.Settings) (fileWriter, error) {
	o, err := text.ParseOptions(sink.Options)
	if err != nil {
		return nil, err
	}
	return squeezed(out, sink.Options, o.Encoding, func(out io.Writer) (fileWriter, error) { return text.NewWriter(out, schema, o) })
}

func inferText(context.Context, *Source) (*types.Type, error) { return text.Schema, nil }
