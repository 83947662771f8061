package text

import (
	"errors"
	"io"
	"strconv"
	"strings"

	"millrace/errs"
	"millrace/table/internal/lines"
	"millrace/types"
	"millrace/vector"
)

// Schema is the schema of every text source.
var Schema = types.Struct(types.Field{Name: "value", Type: types.String, Nullable: true})

// Options are those of Spark's text source.
type Options struct {
	WholeText     bool
	LineSeparator []byte // nil when reading: \n, \r\n, \r
	Encoding      string // as lines.Charset gives it
}

// ParseOptions reads the options.
func ParseOptions(options map[string]string) (*Options, error) {
	o := &Options{}
	for k, v := range options {
		var err error
		switch strings.ToLower(k) {
		case "wholetext":
			o.WholeText = strings.EqualFold(v, "true")
		case "linesep":
			o.LineSeparator = []byte(v)
			if v == "" {
				err = errs.Newf(errs.Invalid, "requirement failed: 'lineSep' cannot be an empty string.")
			}
		case "encoding":
			o.Encoding, err = lines.Charset(v, "TextOptions")
		}
		if err != nil {
			return nil, err
		}
	}
	return o, nil
}

// Reader yields a file's lines.
type Reader struct {
	path    string
	wanted  int // how many columns are wanted: each is the line
	src     lines.Source
	whole   bool
	in      *lines.Reader
	block   []byte
	out     vector.Vector
	batch   vector.Batch
	started bool
}

// NewReader begins to read; columns is how often the line is wanted, 0 for counting rows only.
func NewReader(src lines.Source, o *Options, columns int) (*Reader, error) {
	src.Encoding = o.Encoding
	r := &Reader{path: src.Path, wanted: columns, src: src, whole: o.WholeText}
	if o.WholeText {
		return r, nil
	}
	var err error
	r.in, err = lines.NewReader(src, o.LineSeparator)
	return r, r.failed(err)
}

func (r *Reader) failed(err error) error {
	var e *errs.Error
	if err == nil || errors.As(err, &e) || errs.Is(err, errs.Cancelled) {
		return err
	}
	f := errs.New("FAILED_READ_FILE.NO_HINT", "path", r.path)
	f.Cause = err
	return f
}

// Next returns the next batch, or nil at the end; it is overwritten by the next call.
func (r *Reader) Next() (*vector.Batch, error) {
	if r.whole {
		return r.wholeFile()
	}
	for len(r.block) == 0 {
		var err error
		if r.block, err = r.in.Block(); err != nil || r.block == nil {
			return nil, r.failed(err)
		}
	}
	r.out.Reset(types.String, vector.BatchRows)
	n := 0
	for ; n < vector.BatchRows && len(r.block) > 0; n++ {
		line, size := r.in.Line(r.block)
		r.out.AppendStr(n, line)
		r.block = r.block[size:]
	}
	return r.yield(n), nil
}

func (r *Reader) yield(n int) *vector.Batch {
	r.out.Len = n
	r.out.Offsets = r.out.Offsets[:n+1]
	r.batch.Cols = r.batch.Cols[:0]
	for range r.wanted {
		r.batch.Cols = append(r.batch.Cols, &r.out)
	}
	r.batch.N = n
	return &r.batch
}

func (r *Reader) wholeFile() (*vector.Batch, error) {
	if r.started || r.src.Start > 0 {
		return nil, nil
	}
	r.started = true
	data, err := lines.All(r.src)
	if err != nil {
		return nil, r.failed(err)
	}
	r.out.Reset(types.String, 1)
	r.out.AppendStr(0, data)
	return r.yield(1), nil
}

// RowIndex is not known for text.
func (r *Reader) RowIndex() int64 { return 0 }

// Close ends reading.
func (r *Reader) Close() error {
	if r.in == nil {
		return nil
	}
	return r.in.Close()
}

// Writer writes one column of strings, a line a row; null is an empty line.
type Writer struct {
	out  io.Writer
	sep  []byte
	buf  []byte
	n    int64
	rows int64
}

// NewWriter begins a file. The schema must be one column of strings.
func NewWriter(out io.Writer, schema *types.Type, o *Options) (*Writer, error) {
	if len(schema.Fields) != 1 {
		return nil, tooMany(len(schema.Fields))
	}
	if f := schema.Fields[0]; f.Type.Kind != types.KindString {
		return nil, errs.New("UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE", "format", "Text", "columnName", "`"+f.Name+"`", "columnType", `"`+f.Type.SQL()+`"`)
	}
	w := &Writer{out: out, sep: o.LineSeparator}
	if len(w.sep) == 0 {
		w.sep = []byte("\n")
	}
	return w, nil
}

func tooMany(n int) error {
	return errs.New("_LEGACY_ERROR_TEMP_1290", "schemaSize", strconv.Itoa(n))
}

// CheckSchema refuses a schema that texts cannot be read by: they have one column besides those of directories.
func CheckSchema(t *types.Type) error {
	if len(t.Fields) > 1 {
		return tooMany(len(t.Fields))
	}
	return nil
}

// Write appends a batch's rows.
func (w *Writer) Write(b *vector.Batch) error {
	v := b.Cols[0]
	for i := range b.Rows() {
		row := i
		if b.Sel != nil {
			row = int(b.Sel[i])
		}
		if !v.IsNull(row) {
			w.buf = append(w.buf, v.Str(row)...)
		}
		w.buf = append(w.buf, w.sep...)
		w.rows++
		if len(w.buf) > 1<<18 {
			if err := w.Close(); err != nil {
				return err
			}
		}
	}
	return nil
}

// Size is the number of bytes so far.
func (w *Writer) Size() int64 { return w.n + int64(len(w.buf)) }

// Rows is the number of rows so far.
func (w *Writer) Rows() int64 { return w.rows }

// Close writes what is left.
func (w *Writer) Close() error {
	n, err := w.out.Write(w.buf)
	w.n += int64(n)
	w.buf = w.buf[:0]
	return err
}
