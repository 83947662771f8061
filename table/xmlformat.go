package table

import (
	"context"
	"io"
	"strings"

	"millrace/errs"
	planpb "millrace/proto/millrace/plan/v1"
	"millrace/table/internal/lines"
	"millrace/table/xml"
	"millrace/types"
)

var xmlFormat = format{open: openXML, create: createXML, infer: inferXML, extension: textExtension(".xml")}

// rowTagged refuses files without the option rowTag, which Spark asks for.
func rowTagged(options map[string]string) error {
	for k := range options {
		if strings.EqualFold(k, "rowTag") {
			return nil
		}
	}
	return errs.New("XML_ROW_TAG_MISSING", "rowTag", "`rowTag`")
}

func openXML(ctx context.Context, s *scan, split *planpb.FileSplit) (fileReader, error) {
	if err := rowTagged(s.plan.Options); err != nil {
		return nil, err
	}
	o, err := xml.ParseOptions(s.plan.Options, s.env.Settings.GetTimeZone(), s.env.Settings.GetNowMicros(), false)
	if err != nil {
		return nil, err
	}
	o.AnyCase = !s.env.Settings.GetCaseSensitive()
	columns := make([]xml.Column, len(s.columns))
	for i, c := range s.columns {
		columns[i] = xml.Column{Name: c.name, Type: c.typ, Corrupt: strings.EqualFold(c.name, o.CorruptRecord)}
	}
	return openLines(ctx, s, split, func(src lines.Source) (fileReader, error) { return xml.NewReader(src, o, columns) })
}

func inferXML(ctx context.Context, s *Source) (*types.Type, error) {
	if err := rowTagged(s.spec.Options); err != nil {
		return nil, err
	}
	o, err := xml.ParseOptions(s.spec.Options, s.spec.TimeZone, s.spec.NowMicros, false)
	if err != nil {
		return nil, err
	}
	if len(s.files) == 0 {
		return nil, errs.New("UNABLE_TO_INFER_SCHEMA", "format", "XML")
	}
	return withSources(ctx, s, func(files []lines.Source) (*types.Type, error) { return xml.Infer(files, o) })
}

func createXML(out io.Writer, schema *types.Type, sink *planpb.FileSink, settings *planpb.Settings) (fileWriter, error) {
	if err := rowTagged(sink.Options); err != nil {
		return nil, err
	}
	o, err := xml.ParseOptions(sink.Options, settings.GetTimeZone(), settings.GetNowMicros(), true)
	if err != nil {
		return nil, err
	}
	return squeezed(out, sink.Options, o.Encoding, func(out io.Writer) (fileWriter, error) { return xml.NewFileWriter(out, schema, o) })
}
