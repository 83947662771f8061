package table

import (
	"context"
	"io"
	"strings"

	"millrace/errs"
	"millrace/operators/expr"
	planpb "millrace/proto/millrace/plan/v1"
	"millrace/table/internal/lines"
	"millrace/table/json"
	"millrace/types"
)

var jsonFormat = format{open: openJSON, create: createJSON, infer: inferJSON, extension: textExtension(".json")}

func openJSON(ctx context.Context, s *scan, split *planpb.FileSplit) (fileReader, error) {
	o, err := json.ParseOptions(s.plan.Options, s.env.Settings.GetTimeZone(), s.env.Settings.GetNowMicros(), false)
	if err != nil {
		return nil, err
	}
	columns := make([]json.Column, len(s.columns))
	for i, c := range s.columns {
		columns[i] = json.Column{Name: c.name, Type: c.typ, Corrupt: strings.EqualFold(c.name, o.CorruptRecord)}
	}
	return openLines(ctx, s, split, func(src lines.Source) (fileReader, error) {
		return json.NewReader(src, o, columns, s.env.Settings.GetCaseSensitive())
	})
}

func createJSON(out io.Writer, schema *types.Type, sink *planpb.FileSink, settings *planpb.Settings) (fileWriter, error) {
	o, err := json.ParseOptions(sink.Options, settings.GetTimeZone(), settings.GetNowMicros(), true)
	if err != nil {
		return nil, err
	}
	f := expr.Formatter{Zone: expr.Zone(settings), Plain: true}
	return squeezed(out, sink.Options, o.Encoding, func(out io.Writer) (fileWriter, error) { return json.NewWriter(out, schema, o, f.Append) })
}

func inferJSON(ctx context.Context, s *Source) (*types.Type, error) {
	o, err := json.ParseOptions(s.spec.Options, s.spec.TimeZone, s.spec.NowMicros, false)
	if err != nil {
		return nil, err
	}
	if len(s.files) == 0 {
		return nil, errs.New("UNABLE_TO_INFER_SCHEMA", "format", "JSON")
	}
	sampled(o.Options)
	return withSources(ctx, s, func(files []lines.Source) (*types.Type, error) { return json.Infer(files, o, s.spec.CaseSensitive) })
}
