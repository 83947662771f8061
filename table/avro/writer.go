package avro

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"hash/crc32"
	"io"
	"regexp"
	"slices"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"

	"millrace/errs"
	"millrace/types"
	"millrace/vector"
)

// blockBytes is how much text a block has before it is compressed.
const blockBytes = 64000

// WriteOptions are those of writing.
type WriteOptions struct {
	Codec  string // as Spark names it: uncompressed, snappy, deflate, zstandard
	Schema []byte // JSON; nil: that of the columns
	Name   string // of the record, and its namespace
	Space  string
}

// Writer writes one file.
type Writer struct {
	out    io.Writer
	codec  string
	sync   [syncLen]byte
	fields []encoder
	places []int
	block  []byte
	inside int64 // rows of the block
	rows   int64
	n      int64
	zstd   *zstd.Encoder
}

// codecs maps Spark's names to those of files.
var codecs = map[string]string{"uncompressed": "null", "snappy": "snappy", "deflate": "deflate", "zstandard": "zstandard"}

// CheckCodec refuses codecs that cannot be written, by name.
func CheckCodec(name string) error {
	switch {
	case codecs[name] != "":
		return nil
	case name == "bzip2" || name == "xz":
		return errs.Unsupportedf("Writing Avro files compressed by %s is not supported.", name)
	}
	return errs.New("CODEC_SHORT_NAME_NOT_FOUND", "codecName", name)
}

var goodName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// CheckNames refuses names that Avro does not allow.
func CheckNames(t *types.Type) error {
	for _, f := range t.Fields {
		if !goodName.MatchString(f.Name) {
			return errs.Newf(errs.Invalid, "Illegal character in: %s", f.Name)
		}
	}
	for _, k := range vector.ChildTypes(t) {
		if err := CheckNames(k); err != nil {
			return err
		}
	}
	return nil
}

// NewWriter begins a file of that schema.
func NewWriter(out io.Writer, t *types.Type, o WriteOptions) (*Writer, error) {
	if o.Name == "" {
		o.Name = "topLevelRecord"
	}
	if o.Codec == "" {
		o.Codec = "snappy"
	}
	if err := CheckCodec(o.Codec); err != nil {
		return nil, err
	}
	if err := CheckNames(t); err != nil {
		return nil, err
	}
	text := o.Schema
	var err error
	if text == nil {
		if text, err = SchemaJSON(t, o.Name, o.Space); err != nil {
			return nil, err
		}
	}
	s, err := ParseSchema(text)
	if err != nil {
		return nil, err
	}
	if s.Kind == "union" {
		if rest, _ := s.alternatives(); len(rest) == 1 {
			s = rest[0]
		}
	}
	w := &Writer{out: out, codec: codecs[o.Codec]}
	if w.fields, w.places, err = fieldEncoders(s, t, ""); err != nil {
		return nil, err
	}
	if _, err := rand.Read(w.sync[:]); err != nil {
		return nil, err
	}
	if w.codec == "zstandard" {
		if w.zstd, err = zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1)); err != nil {
			return nil, err
		}
	}
	return w, w.header(map[string]string{"avro.schema": string(text), "avro.codec": w.codec, "org.apache.spark.version": "4.2.0"})
}

func (w *Writer) header(meta map[string]string) error {
	b := appendLong([]byte(magic), int64(len(meta)))
	var keys []string
	for k := range meta {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		b = appendBytes(appendBytes(b, []byte(k)), []byte(meta[k]))
	}
	return w.write(append(append(b, 0), w.sync[:]...))
}

func (w *Writer) write(b []byte) error {
	n, err := w.out.Write(b)
	w.n += int64(n)
	return err
}

// Write appends a batch's rows.
func (w *Writer) Write(b *vector.Batch) error {
	for i := range b.Rows() {
		row := i
		if b.Sel != nil {
			row = int(b.Sel[i])
		}
		for k, f := range w.fields {
			var err error
			if w.block, err = f(w.block, b.Cols[w.places[k]], row); err != nil {
				return err
			}
		}
		w.inside++
		w.rows++
		if len(w.block) >= blockBytes {
			if err := w.flush(); err != nil {
				return err
			}
		}
	}
	return nil
}

func (w *Writer) flush() error {
	if w.inside == 0 {
		return nil
	}
	data, err := w.compress()
	if err != nil {
		return err
	}
	head := appendLong(appendLong(nil, w.inside), int64(len(data)))
	w.inside, w.block = 0, w.block[:0]
	for _, b := range [][]byte{head, data, w.sync[:]} {
		if err := w.write(b); err != nil {
			return err
		}
	}
	return nil
}

func (w *Writer) compress() ([]byte, error) {
	switch w.codec {
	case "snappy":
		return binary.BigEndian.AppendUint32(snappy.Encode(nil, w.block), crc32.ChecksumIEEE(w.block)), nil
	case "zstandard":
		return w.zstd.EncodeAll(w.block, nil), nil
	case "deflate":
		var out bytes.Buffer
		z, err := flate.NewWriter(&out, flate.DefaultCompression)
		if err != nil {
			return nil, err
		}
		if _, err := z.Write(w.block); err != nil {
			return nil, err
		}
		err = z.Close()
		return out.Bytes(), err
	}
	return w.block, nil
}

// Size is the number of bytes so far.
func (w *Writer) Size() int64 { return w.n + int64(len(w.block)) }

// Rows is the number of rows so far.
func (w *Writer) Rows() int64 { return w.rows }

// Close writes what is left.
func (w *Writer) Close() error { return w.flush() }
