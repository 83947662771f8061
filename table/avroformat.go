package table

import (
	"context"
	"io"
	"strings"

	"millrace/errs"
	planpb "millrace/proto/millrace/plan/v1"
	"millrace/table/avro"
	"millrace/types"
)

var avroFormat = format{open: openAvro, create: createAvro, infer: inferAvro, extension: func(map[string]string) string { return ".avro" }}

// avroOptions are Spark's options of Avro files, in small letters.
type avroOptions struct {
	schema          []byte
	name, space     string
	codec           string
	legacy          bool
	ignoreExtension bool
}

func parseAvroOptions(options map[string]string) (o avroOptions, err error) {
	o.ignoreExtension = true
	for k, v := range options {
		switch strings.ToLower(k) {
		case "avroschema":
			o.schema = []byte(v)
		case "recordname":
			o.name = v
		case "recordnamespace":
			o.space = v
		case "compression":
			o.codec = strings.ToLower(v)
		case "datetimerebasemode":
			o.legacy = strings.EqualFold(v, "LEGACY")
		case "ignoreextension":
			o.ignoreExtension = !strings.EqualFold(v, "false")
		case "avroschemaurl":
			return o, errs.Unsupportedf("The option %s of Avro files is not supported.", k)
		case "positionalfieldmatching":
			if strings.EqualFold(v, "true") {
				return o, errs.Unsupportedf("The option %s of Avro files is not supported.", k)
			}
		}
	}
	return o, nil
}

func openAvro(ctx context.Context, s *scan, split *planpb.FileSplit) (fileReader, error) {
	o, err := parseAvroOptions(s.plan.Options)
	if err != nil {
		return nil, err
	}
	zone, err := zoneOf(s.env.Settings)
	if err != nil {
		return nil, err
	}
	src, err := s.env.open(ctx, split.Path)
	if err != nil {
		return nil, err
	}
	columns := make([]avro.Column, len(s.columns))
	for i, c := range s.columns {
		columns[i] = avro.Column{Name: c.name, Type: c.typ}
	}
	f, err := avro.Open(src, src.Size(), displayPath(split.Path))
	var r *avro.Reader
	if err == nil && o.schema != nil {
		err = f.ReadAs(o.schema)
	}
	if err == nil {
		r, err = f.NewReader(src, columns, split.Start, split.Length, avro.Options{CaseSensitive: s.env.Settings.GetCaseSensitive(), Legacy: o.legacy, Zone: zone})
	}
	if err != nil {
		_ = src.Close() // the first error tells more
		return nil, err
	}
	return &closingReader{r, src}, nil
}

func createAvro(out io.Writer, schema *types.Type, sink *planpb.FileSink, _ *planpb.Settings) (fileWriter, error) {
	o, err := parseAvroOptions(sink.Options)
	if err != nil {
		return nil, err
	}
	return avro.NewWriter(out, schema, avro.WriteOptions{Codec: o.codec, Schema: o.schema, Name: o.name, Space: o.space})
}

// inferAvro takes the schema that the options give, or the first file's.
func inferAvro(ctx context.Context, s *Source) (*types.Type, error) {
	o, err := parseAvroOptions(s.spec.Options)
	if err != nil {
		return nil, err
	}
	var schema *avro.Schema
	if o.schema != nil {
		if schema, err = avro.ParseSchema(o.schema); err != nil {
			return nil, err
		}
	}
	for i := 0; i < len(s.files) && schema == nil; i++ {
		if !o.ignoreExtension && !strings.HasSuffix(s.files[i].path, ".avro") {
			continue
		}
		if schema, err = s.avroSchema(ctx, s.files[i].path); err != nil {
			return nil, err
		}
	}
	if schema == nil {
		return nil, errs.New("UNABLE_TO_INFER_SCHEMA", "format", "Avro")
	}
	t, err := schema.TypeBy(s.spec.Options)
	if err != nil {
		return nil, err
	}
	if t.Kind != types.KindStruct || schema.Kind != "record" {
		return nil, errs.Unsupportedf("Avro files of anything but records are not supported.")
	}
	return t, nil
}

func (s *Source) avroSchema(ctx context.Context, path string) (*avro.Schema, error) {
	r, err := s.spec.Env.open(ctx, path)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	f, err := avro.Open(r, r.Size(), displayPath(path))
	if err != nil {
		return nil, err
	}
	return f.Schema, nil
}
