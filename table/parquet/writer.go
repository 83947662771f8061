package parquet

import (
	"encoding/binary"
	"io"
	"sort"
	"strings"

	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"

	"millrace/errs"
	"millrace/types"
	"millrace/vector"
)

const (
	groupRows  = 1 << 20
	groupBytes = 128 << 20
	writeSlice = 2 * vector.BatchRows // rows that go into a column at once
	createdBy  = "millrace version 0.1.0 (build 0)"
)

// WriteOptions say how a file is written. The zero value is Spark's default.
type WriteOptions struct {
	Codec      string            // snappy (also when empty), zstd, gzip, uncompressed or none
	Metadata   map[string]string // further entries of the footer's metadata
	SchemaJSON string            // the Spark schema kept in the footer; empty: that of the written columns
	GroupRows  int               // rows of a row group; 0: 1 Mi
	GroupBytes int64             // bytes of a row group; 0: 128 MiB
	PageBytes  int               // bytes of a page; 0: 1 MiB
	Timestamps Timestamps
	// NoDictionary says which columns, by their paths with dots, are written without dictionaries, and Bloom which have Bloom filters; nil: none.
	NoDictionary func(path string) bool
	Bloom        func(path string) *BloomOptions
	Old          error // nil, or what writing dates and times fails with that another calendar may tell otherwise
}

// Timestamps says how moments are written: as INT64 of microseconds or milliseconds, or as INT96.
type Timestamps uint8

// The ways to write moments.
const (
	Micros Timestamps = iota
	Millis
	Int96
)

var codecs = map[string]format.CompressionCodec{"": format.Snappy, "snappy": format.Snappy, "zstd": format.Zstd,
	"gzip": format.Gzip, "uncompressed": format.Uncompressed, "none": format.Uncompressed}

// Codec is the codec of that name, by which files are named too.
func codecByName(name string) (format.CompressionCodec, error) {
	codec, ok := codecs[strings.ToLower(name)]
	if !ok {
		return 0, errs.New("CODEC_NOT_AVAILABLE.WITH_AVAILABLE_CODECS_SUGGESTION", "codecName", name, "availableCodecs", "gzip, none, snappy, uncompressed, zstd")
	}
	return codec, nil
}

// Extension is what Spark puts into the names of files of a codec: .snappy.parquet.
func Extension(codec string) string {
	switch strings.ToLower(codec) {
	case "uncompressed", "none":
		return ".parquet"
	case "gzip":
		return ".gz.parquet"
	case "":
		return ".snappy.parquet"
	}
	return "." + strings.ToLower(codec) + ".parquet"
}

// Writer writes one file. It is used by one goroutine.
type Writer struct {
	out     io.Writer
	written int64
	opts    WriteOptions
	schema  *types.Type
	columns []*shredder
	leaves  []*leafWriter
	meta    fileMeta
	rows    int64 // in the current row group
}

// NewWriter begins a file of that schema. Nullability, physical names and field ids are taken from its fields.
func NewWriter(out io.Writer, schema *types.Type, opts WriteOptions) (*Writer, error) {
	codec, err := codecByName(opts.Codec)
	if err != nil {
		return nil, err
	}
	if opts.GroupRows == 0 {
		opts.GroupRows = groupRows
	}
	if opts.GroupBytes == 0 {
		opts.GroupBytes = groupBytes
	}
	if len(schema.Fields) == 0 {
		return nil, errs.New("EMPTY_SCHEMA_NOT_SUPPORTED_FOR_DATASOURCE", "format", "Parquet")
	}
	if opts.PageBytes == 0 {
		opts.PageBytes = 1 << 20
	}
	w := &Writer{out: out, opts: opts, schema: schema}
	b := &schemaWriter{opts: &w.opts, codec: codec, elems: []schemaElement{{Name: "spark_schema", NumChildren: thrift.New(int32(len(schema.Fields)))}}}
	for _, f := range schema.Fields {
		c, err := b.column(f, nil, 0, 0)
		if err != nil {
			return nil, err
		}
		w.columns = append(w.columns, c)
	}
	w.leaves = b.leaves
	w.meta.Version, w.meta.Schema, w.meta.CreatedBy = 1, b.elems, createdBy
	return w, w.write([]byte("PAR1"))
}

func (w *Writer) write(data []byte) error {
	n, err := w.out.Write(data)
	w.written += int64(n)
	return err
}

// Write appends a batch's rows. Nothing of the batch is kept but its dictionaries.
func (w *Writer) Write(b *vector.Batch) error {
	rows := b.Rows()
	for lo := 0; lo < rows; lo += writeSlice {
		n := min(writeSlice, rows-lo)
		var sel []uint32
		if b.Sel != nil {
			sel = b.Sel[lo : lo+n]
		}
		for i, c := range w.columns {
			if err := c.write(b.Cols[i], sel, lo, n); err != nil {
				return err
			}
		}
		w.rows += int64(n)
		if w.rows >= int64(w.opts.GroupRows) || w.buffered() >= w.opts.GroupBytes {
			if err := w.endGroup(); err != nil {
				return err
			}
		}
	}
	return nil
}

// buffered is about how many bytes the current row group has.
func (w *Writer) buffered() (n int64) {
	for _, l := range w.leaves {
		n += int64(l.size())
	}
	return n
}

// Size is about how large the file would be if it were closed now.
func (w *Writer) Size() int64 { return w.written + w.buffered() }

func (w *Writer) endGroup() error {
	if w.rows == 0 {
		return nil
	}
	start := w.written
	g := rowGroupMeta{NumRows: w.rows, FileOffset: start, Ordinal: thrift.New(int16(len(w.meta.RowGroups)))}
	for _, l := range w.leaves {
		if w.opts.Old != nil && l.isOld() {
			return w.opts.Old
		}
		c, err := l.flush(w.written, w.write)
		if err != nil {
			return err
		}
		g.Columns = append(g.Columns, c)
		g.TotalByteSize += c.Meta.Uncompressed
	}
	g.TotalCompressed = w.written - start
	if err := w.endBlooms(g.Columns); err != nil {
		return err
	}
	w.meta.RowGroups = append(w.meta.RowGroups, g)
	w.meta.NumRows += w.rows
	w.rows = 0
	return nil
}

// endBlooms writes the Bloom filters of a row group behind it.
func (w *Writer) endBlooms(chunks []chunkMeta) error {
	for i, l := range w.leaves {
		if l.full == nil {
			continue
		}
		b, err := bloomBytes(l.full)
		if err != nil {
			return err
		}
		chunks[i].Meta.BloomOffset, chunks[i].Meta.BloomLength = w.written, int32(len(b))
		if err := w.write(b); err != nil {
			return err
		}
	}
	return nil
}

// Close writes the footer. It does not close the output.
func (w *Writer) Close() error {
	if err := w.endGroup(); err != nil {
		return err
	}
	schema := w.opts.SchemaJSON
	if schema == "" {
		schema = w.schema.JSON()
	}
	w.meta.KeyValues = []format.KeyValue{{Key: sparkSchemaKey, Value: schema}}
	for k, v := range w.opts.Metadata {
		w.meta.KeyValues = append(w.meta.KeyValues, format.KeyValue{Key: k, Value: v})
	}
	sort.Slice(w.meta.KeyValues, func(i, j int) bool { return w.meta.KeyValues[i].Key < w.meta.KeyValues[j].Key })
	for range w.leaves {
		w.meta.ColumnOrders = append(w.meta.ColumnOrders, format.ColumnOrder{Value: &format.TypeDefinedOrder{}})
	}
	footer, err := thrift.Marshal(&compact, &w.meta)
	if err != nil {
		return err
	}
	footer = binary.LittleEndian.AppendUint32(footer, uint32(len(footer)))
	return w.write(append(footer, "PAR1"...))
}

// Rows is the number of rows written.
func (w *Writer) Rows() int64 { return w.meta.NumRows + w.rows }

// Written is the number of bytes that went to the output.
func (w *Writer) Written() int64 { return w.written }
