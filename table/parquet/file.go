package parquet

import (
	"encoding/binary"
	"io"

	"millrace/errs"
	"millrace/types"
)

// footerGuess is how many bytes are read from a file's end at first: usually the whole footer.
const footerGuess = 64 << 10

// File is an open file's footer. It is immutable and may be shared by concurrent readers and kept in a cache.
type File struct {
	Path    string
	Columns []*Column // the top-level columns in the file's order
	Rows    int64
	meta    fileMeta
	leaves  []*Column
}

// Open reads and checks the footer of the file of size bytes behind r.
func Open(r io.ReaderAt, size int64, path string) (*File, error) {
	footer, err := readFooter(r, size, path)
	if err != nil {
		return nil, footerError(path, err)
	}
	f := &File{Path: path}
	if _, err := newMessageReader().read(footer, &f.meta); err != nil {
		return nil, footerError(path, err)
	}
	if f.meta.Encryption.Value != nil {
		return nil, encrypted(path)
	}
	if f.Columns, f.leaves, err = columns(f.meta.Schema); err != nil {
		return nil, footerError(path, err)
	}
	f.Rows = f.meta.NumRows
	if err := f.checkRowGroups(size); err != nil {
		return nil, footerError(path, err)
	}
	return f, nil
}

func encrypted(path string) error {
	return errs.Unsupportedf("The Parquet file %s is encrypted; reading encrypted Parquet files is not supported.", path)
}

// readFooter returns the bytes of the footer's message.
func readFooter(r io.ReaderAt, size int64, path string) ([]byte, error) {
	if size < 12 {
		return nil, corrupt("a file of %d bytes", size)
	}
	tail := make([]byte, min(size, footerGuess))
	if _, err := r.ReadAt(tail, size-int64(len(tail))); err != nil && err != io.EOF {
		return nil, err
	}
	switch string(tail[len(tail)-4:]) {
	case "PAR1":
	case "PARE":
		return nil, encrypted(path)
	default:
		return nil, corrupt("the last four bytes are %q", tail[len(tail)-4:])
	}
	n := int64(binary.LittleEndian.Uint32(tail[len(tail)-8:]))
	if n > size-12 {
		return nil, corrupt("a footer of %d bytes in a file of %d", n, size)
	}
	if n+8 <= int64(len(tail)) {
		return tail[int64(len(tail))-8-n : len(tail)-8], nil
	}
	footer := make([]byte, n)
	if _, err := r.ReadAt(footer, size-8-n); err != nil && err != io.EOF {
		return nil, err
	}
	return footer, nil
}

// checkRowGroups holds the footer's claims against the file, so that later code may trust ranges and ordinals.
func (f *File) checkRowGroups(size int64) error {
	for i := range f.meta.RowGroups {
		g := &f.meta.RowGroups[i]
		if len(g.Columns) != len(f.leaves) || g.NumRows < 0 {
			return corrupt("row group %d has %d columns of %d and %d rows", i, len(g.Columns), len(f.leaves), g.NumRows)
		}
		for j := range g.Columns {
			m := &g.Columns[j].Meta
			start, n := m.span()
			if start < 4 && n > 0 || n < 0 || start > size || n > size-start || m.NumValues < 0 {
				return corrupt("column %d of row group %d lies at %d+%d of %d", j, i, start, n, size)
			}
			if m.Type != f.leaves[j].physical {
				return corrupt("column %d of row group %d has another physical type than the schema", j, i)
			}
			if f.leaves[j].rep == 0 && m.NumValues != g.NumRows {
				return corrupt("column %d of row group %d has %d values for %d rows", j, i, m.NumValues, g.NumRows)
			}
		}
	}
	return nil
}

// span is the byte range of a chunk, dictionary page included.
func (m *columnMeta) span() (start, length int64) {
	start = m.DataPageOffset
	if m.DictionaryOffset > 0 && m.DictionaryOffset < start {
		start = m.DictionaryOffset
	}
	return start, m.Compressed
}

// Schema is the file's schema as Spark reads it without further advice.
func (f *File) Schema() *types.Type {
	fields := make([]types.Field, len(f.Columns))
	for i, c := range f.Columns {
		fields[i] = types.Field{Name: c.Name, Type: c.Type, Nullable: true}
	}
	return types.Struct(fields...)
}

// KeyValue returns an entry of the footer's metadata.
func (f *File) KeyValue(key string) (string, bool) {
	for _, kv := range f.meta.KeyValues {
		if kv.Key == key {
			return kv.Value, true
		}
	}
	return "", false
}

// SparkSchema is the schema that Spark wrote into the file's metadata, or else Schema.
func (f *File) SparkSchema() *types.Type {
	if s, ok := f.KeyValue(sparkSchemaKey); ok {
		if t, err := types.ParseJSON([]byte(s)); err == nil && t.Kind == types.KindStruct {
			return t.AsNullable()
		}
	}
	return f.Schema()
}

// RowGroups is the number of row groups.
func (f *File) RowGroups() int { return len(f.meta.RowGroups) }

const sparkSchemaKey = "org.apache.spark.sql.parquet.row.metadata"

// Err is the first column's reason for not being readable, if there is one.
func (f *File) Err() error {
	for _, c := range f.Columns {
		if c.err != nil {
			return c.err
		}
	}
	return nil
}
