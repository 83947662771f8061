package table

import (
	"context"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"millrace/errs"
	"millrace/javatime"
	planpb "millrace/proto/millrace/plan/v1"
	"millrace/storage"
	"millrace/table/orc"
	"millrace/table/parquet"
	"millrace/types"
)

var orcFormat = format{open: openORC, create: createORC, infer: inferORC, narrows: true,
	extension: func(o map[string]string) string { return orc.Extension(o["compression"]) }}

// orcReader reads a split of an ORC file.
type orcReader struct {
	*orc.Reader
	src    storage.Reader
	prune  *parquet.Prune // of the scan's predicate; may be nil
	wanted *parquet.Prune // what consumers have said since
}

// Narrow has the reader leave out, of the stripes to come, those in which no row may meet the predicate, and their row groups.
func (r *orcReader) Narrow(p *parquet.Prune) { r.wanted = p }

func (r *orcReader) skip(bounds func(int) (orc.Bounds, bool)) bool {
	of := func(column int) (parquet.Bounds, bool) {
		b, ok := bounds(column)
		return parquet.Bounds(b), ok
	}
	return r.prune != nil && !r.prune.MayMatch(of) || r.wanted != nil && !r.wanted.MayMatch(of)
}

func (r *orcReader) Close() error {
	err := r.Reader.Close()
	if cerr := r.src.Close(); err == nil {
		err = cerr
	}
	return err
}

func (r *orcReader) stats() parquet.ReadStats {
	s := r.Stats
	return parquet.ReadStats{RowGroups: s.Groups, RowGroupsSkipped: s.GroupsSkipped, RowsSkipped: s.RowsSkipped, BytesRead: s.BytesRead}
}

func openORC(ctx context.Context, s *scan, split *planpb.FileSplit) (fileReader, error) {
	src, err := s.env.open(ctx, split.Path)
	if err != nil {
		return nil, err
	}
	r := &orcReader{src: src, prune: s.prune()}
	f, err := orc.Open(src, src.Size(), displayPath(split.Path))
	if err == nil {
		r.Reader, err = f.NewReader(src, s.orcOptions(r, split))
	}
	if err != nil {
		_ = src.Close() // the first error tells more
		return nil, err
	}
	return r, nil
}

func (s *scan) orcOptions(r *orcReader, split *planpb.FileSplit) orc.ReadOptions {
	o := orc.ReadOptions{CaseSensitive: s.env.Settings.GetCaseSensitive(), Start: split.Start, Length: split.Length, Zone: processZone(), Skip: r.skip}
	for _, c := range s.columns {
		place := slices.IndexFunc(s.plan.FileSchema, func(f *planpb.Column) bool { return f.Name == c.name })
		o.Columns = append(o.Columns, orc.ReadColumn{Name: c.name, Type: c.typ, Place: place})
	}
	return o
}

// processZone is the zone in which times without a zone are read from ORC files: as in Spark that of the process, whatever the session's is.
func processZone() *javatime.Zone {
	if z, err := javatime.ZoneOf(time.Local.String()); err == nil {
		return z
	}
	return javatime.UTC
}

func createORC(out io.Writer, schema *types.Type, sink *planpb.FileSink, _ *planpb.Settings) (fileWriter, error) {
	o := orc.WriteOptions{Codec: sink.Options["compression"], Zone: processZone()}
	if len(sink.PartitionColumns) > 0 { // many files may be open at once
		o.StripeBytes = 16 << 20
	}
	for k, v := range sink.Options {
		if strings.EqualFold(k, "orc.stripe.size") {
			n, err := strconv.ParseInt(v, 10, 64)
			if err != nil || n <= 0 {
				return nil, errs.Newf(errs.Invalid, "For input string: \"%s\"", v)
			}
			o.StripeBytes = n
		}
	}
	return orc.NewWriter(out, schema, o)
}

func inferORC(ctx context.Context, s *Source) (*types.Type, error) {
	return s.schemaOfFiles("ORC", func(path string) (*types.Type, error) { return s.orcSchema(ctx, path) })
}

// orcSchema is a file's schema; nil if it has no columns.
func (s *Source) orcSchema(ctx context.Context, path string) (*types.Type, error) {
	r, err := s.spec.Env.open(ctx, path)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	f, err := orc.Open(r, r.Size(), displayPath(path))
	if err != nil {
		return nil, err
	}
	t, err := f.SparkType()
	if err != nil || len(t.Fields) == 0 {
		return nil, err
	}
	return t, nil
}
