package operators

import (
	"bufio"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"os"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/klauspost/compress/s2"

	"millrace/errs"
	"millrace/types"
	"millrace/vector"
)

// A spill file is an Arrow IPC stream cut into frames of
//
//	length uint32, CRC-32C of the bytes uint32, bytes
//
// little-endian; the bytes are an S2 block. It is removed when its reader, or its writer, is closed.

const (
	spillRows  = 4096 // rows gathered for a record
	spillFrame = 64 << 10
	frameHead  = 8
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

type frameWriter struct {
	w       io.Writer
	raw     []byte
	buf     []byte // the frame
	written int64
}

func newFrameWriter(w io.Writer) *frameWriter {
	return &frameWriter{w: w, raw: make([]byte, 0, spillFrame)}
}

func (f *frameWriter) Write(p []byte) (int, error) {
	f.raw = append(f.raw, p...)
	if len(f.raw) >= spillFrame {
		return len(p), f.flush()
	}
	return len(p), nil
}

func (f *frameWriter) flush() error {
	if len(f.raw) == 0 {
		return nil
	}
	if need := frameHead + s2.MaxEncodedLen(len(f.raw)); cap(f.buf) < need {
		f.buf = make([]byte, need)
	}
	f.buf = f.buf[:cap(f.buf)]
	n := len(s2.Encode(f.buf[frameHead:], f.raw))
	f.raw, f.buf = f.raw[:0], f.buf[:frameHead+n]
	binary.LittleEndian.PutUint32(f.buf, uint32(n))
	binary.LittleEndian.PutUint32(f.buf[4:], crc32.Checksum(f.buf[frameHead:], castagnoli))
	_, err := f.w.Write(f.buf)
	f.written += int64(len(f.buf))
	return err
}

type frameReader struct {
	r        io.Reader
	buf, raw []byte
	rest     []byte
}

func (f *frameReader) Read(p []byte) (int, error) {
	if len(f.rest) == 0 {
		if err := f.next(); err != nil {
			return 0, err
		}
	}
	n := copy(p, f.rest)
	f.rest = f.rest[n:]
	return n, nil
}

func (f *frameReader) next() error {
	var head [frameHead]byte
	if _, err := io.ReadFull(f.r, head[:]); err != nil {
		return err
	}
	n := int(binary.LittleEndian.Uint32(head[:]))
	if cap(f.buf) < n {
		f.buf = make([]byte, n)
	}
	f.buf = f.buf[:n]
	if _, err := io.ReadFull(f.r, f.buf); err != nil {
		return err
	}
	if crc32.Checksum(f.buf, castagnoli) != binary.LittleEndian.Uint32(head[4:]) {
		return errs.Newf(errs.Lost, "a spill file is damaged: its checksum differs")
	}
	raw, err := s2.Decode(f.raw[:cap(f.raw)], f.buf)
	if err != nil {
		return errs.Newf(errs.Lost, "a spill file is damaged: %v", err)
	}
	f.raw, f.rest = raw, raw
	return nil
}

// spillWriter writes rows to a new spill file.
type spillWriter struct {
	ctx    *Ctx
	types  []*types.Type
	schema *arrow.Schema
	rows   *vector.Builder
	file   *os.File
	frames *frameWriter
	ipc    *ipc.Writer
	count  int64
}

func newSpillWriter(ctx *Ctx, columns []*types.Type) *spillWriter {
	return &spillWriter{ctx: ctx, types: columns, schema: spillSchema(columns), rows: vector.NewBuilder(columns)}
}

// write adds rows sel of columns; small pieces are gathered into one record.
func (w *spillWriter) write(cols []*vector.Vector, sel []uint32, n int) error {
	w.rows.AppendColumns(cols, sel, n)
	if w.rows.Len() >= spillRows || w.rows.MemSize() > 4*spillFrame {
		return w.flush()
	}
	return nil
}

func (w *spillWriter) flush() error {
	b := w.rows.Batch()
	if b == nil {
		return nil
	}
	if w.file == nil {
		f, err := os.CreateTemp(w.ctx.TempDir, "spill-")
		if err != nil {
			return errs.Wrap(err, "make a spill file")
		}
		w.file, w.frames = f, newFrameWriter(f)
		w.ipc = ipc.NewWriter(w.frames, ipc.WithSchema(w.schema))
	}
	rec := vector.ToArrow(b, w.schema)
	err := w.ipc.Write(rec)
	rec.Release()
	w.count += int64(b.N)
	w.rows.Reset()
	return errs.Wrap(err, "write a spill file")
}

// finish ends the file and returns its reader.
func (w *spillWriter) finish(m *OperatorMetrics) (*spillReader, error) {
	if err := w.flush(); err != nil {
		return nil, err
	}
	w.rows = nil
	r := &spillReader{types: w.types, rows: w.count, file: w.file}
	if w.file == nil {
		return r, nil
	}
	if err := w.ipc.Close(); err != nil {
		return nil, errs.Wrap(err, "write a spill file")
	}
	if err := w.frames.flush(); err != nil {
		return nil, errs.Wrap(err, "write a spill file")
	}
	if m != nil {
		m.SpilledBytes += w.frames.written
	}
	w.file, w.frames, w.ipc = nil, nil, nil
	return r, nil
}

// close removes the file unless finish handed it over.
func (w *spillWriter) close() {
	if w.file != nil {
		removeFile(w.file)
		w.file = nil
	}
}

func removeFile(f *os.File) {
	f.Close()
	os.Remove(f.Name())
}

// spillReader reads a spill file from its beginning; as an Operator it is the input of the next level of a spilling operator.
type spillReader struct {
	types []*types.Type
	rows  int64
	file  *os.File
	ipc   *ipc.Reader
	dec   *vector.ArrowDecoder
}

var _ Operator = (*spillReader)(nil)

func (r *spillReader) Open(*Ctx) error       { return nil }
func (r *spillReader) Output() []*types.Type { return r.types }

func (r *spillReader) Next() (*vector.Batch, error) {
	if r.file == nil {
		return nil, nil
	}
	if r.ipc == nil {
		if _, err := r.file.Seek(0, io.SeekStart); err != nil {
			return nil, errs.Wrap(err, "read a spill file")
		}
		rd, err := ipc.NewReader(&frameReader{r: bufio.NewReaderSize(r.file, spillFrame)})
		if err != nil {
			return nil, errs.Wrap(err, "read a spill file")
		}
		r.ipc, r.dec = rd, vector.NewArrowDecoder(r.types)
	}
	rec, err := r.ipc.Read()
	if errors.Is(err, io.EOF) {
		return nil, nil
	}
	if err != nil {
		return nil, errs.Wrap(err, "read a spill file")
	}
	return r.dec.Decode(rec)
}

// rewind makes the next Next read from the beginning.
func (r *spillReader) rewind() {
	if r.ipc != nil {
		r.ipc.Release()
		r.ipc = nil
	}
}

func (r *spillReader) Close() error {
	r.rewind()
	if r.file != nil {
		removeFile(r.file)
		r.file = nil
	}
	return nil
}
