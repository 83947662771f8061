package avro

import (
	"bytes"
	"compress/bzip2"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"strings"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"

	"millrace/errs"
	"millrace/javatime"
	"millrace/table/internal/column"
	"millrace/types"
	"millrace/vector"
)

const (
	magic   = "Obj\x01"
	syncLen = 16
)

// File is a file's header.
type File struct {
	Schema *Schema
	Codec  string
	path   string
	size   int64
	meta   map[string]string
	sync   [syncLen]byte
	start  int64 // where the first block begins
}

// Column is a wanted column.
type Column struct {
	Name string
	Type *types.Type
}

// Options are those of reading.
type Options struct {
	CaseSensitive bool
	Legacy        bool // files that do not say which calendar they use have the hybrid one
	Zone          *javatime.Zone
}

// stream reads a file from a place on, in large pieces.
type stream struct {
	src  io.ReaderAt
	at   int64 // of the byte buf[pos]
	size int64
	buf  []byte
	pos  int
}

const pieceBytes = 1 << 20

// need makes n bytes available, as far as the file has them.
func (s *stream) need(n int) []byte {
	if len(s.buf)-s.pos >= n {
		return s.buf[s.pos:]
	}
	want := int64(max(n, pieceBytes))
	want = min(want, s.size-s.at)
	piece := make([]byte, max(want, 0))
	k, _ := s.src.ReadAt(piece, s.at) // a short read shows by itself
	s.buf, s.pos = piece[:k], 0
	return s.buf
}

func (s *stream) skip(n int) { s.pos, s.at = s.pos+n, s.at+int64(n) }

func (s *stream) take(n int64) ([]byte, error) {
	if n < 0 || n > s.size-s.at {
		return nil, io.ErrUnexpectedEOF
	}
	b := s.need(int(n))
	if int64(len(b)) < n {
		return nil, io.ErrUnexpectedEOF
	}
	s.skip(int(n))
	return b[:n], nil
}

func (s *stream) long() (int64, error) {
	u, n := binary.Uvarint(s.need(binary.MaxVarintLen64))
	if n <= 0 {
		return 0, io.ErrUnexpectedEOF
	}
	s.skip(n)
	return int64(u>>1) ^ -int64(u&1), nil
}

// Open reads a file's header.
func Open(src io.ReaderAt, size int64, path string) (*File, error) {
	f := &File{path: path, size: size, meta: map[string]string{}}
	err := f.header(&stream{src: src, size: size})
	if err == nil {
		f.Schema, err = ParseSchema([]byte(f.meta["avro.schema"]))
	}
	if err != nil {
		return nil, f.failed(err)
	}
	if f.Codec = f.meta["avro.codec"]; f.Codec == "" {
		f.Codec = "null"
	}
	return f, nil
}

func (f *File) failed(err error) error {
	if err == nil || errs.Is(err, errs.Cancelled) || errs.Is(err, errs.Unsupported) {
		return err
	}
	e := errs.New("FAILED_READ_FILE.NO_HINT", "path", f.path)
	e.Cause = err
	return e
}

func (f *File) header(s *stream) error {
	if b, err := s.take(int64(len(magic))); err != nil || string(b) != magic {
		return fmt.Errorf("it is not an Avro data file")
	}
	for {
		n, err := s.long()
		if err != nil {
			return err
		}
		if n == 0 {
			break
		}
		if n < 0 {
			n = -n
			if _, err := s.long(); err != nil {
				return err
			}
		}
		for ; n > 0; n-- {
			var pair [2]string
			for i := range pair {
				k, err := s.long()
				if err != nil {
					return err
				}
				b, err := s.take(k)
				if err != nil {
					return err
				}
				pair[i] = string(b)
			}
			f.meta[pair[0]] = pair[1]
		}
	}
	b, err := s.take(syncLen)
	f.start = s.at
	copy(f.sync[:], b)
	return err
}

// Reader yields the rows of a part of a file: of the blocks whose preceding mark begins in it.
type Reader struct {
	*File
	in     stream
	end    int64
	decode decoder
	root   *column.Column
	zstd   *zstd.Decoder
	plain  []byte // the block's decompressed text
	block  input
	left   int64 // rows of the block
	batch  vector.Batch
}

// NewReader reads the wanted columns of the blocks in [start, start+length).
func (f *File) NewReader(src io.ReaderAt, columns []Column, start, length int64, o Options) (*Reader, error) {
	if f.Schema.Kind != "record" {
		return nil, errs.Unsupportedf("Avro files of anything but records are not supported (%s).", f.path)
	}
	fields := make([]types.Field, len(columns))
	for i, c := range columns {
		fields[i] = types.Field{Name: c.Name, Type: c.Type, Nullable: true}
	}
	t := types.Struct(fields...)
	k := &compiler{same: strings.EqualFold, rebase: f.rebase(o)}
	if o.CaseSensitive {
		k.same = func(a, b string) bool { return a == b }
	}
	d, err := k.decoder(f.Schema, t, "")
	if err != nil {
		return nil, f.failed(err)
	}
	r := &Reader{File: f, decode: d, root: column.New(t), end: f.size}
	if length > 0 {
		r.end = start + length
	}
	r.in = stream{src: src, at: f.start, size: f.size}
	if start > f.start-syncLen {
		if r.in.at, err = f.mark(src, start); err != nil {
			return nil, f.failed(err)
		}
	}
	return r, nil
}

// ReadAs has the file read as a schema says, which is JSON.
func (f *File) ReadAs(text []byte) error {
	reader, err := ParseSchema(text)
	if err != nil {
		return err
	}
	s, err := Resolve(f.Schema, reader)
	if err != nil {
		return f.failed(err)
	}
	f.Schema = s
	return nil
}

// rebase is what the file says of its calendar: Spark notes its version, and before 3.0 it wrote the hybrid one.
func (f *File) rebase(o Options) rebase {
	r := rebase{hybrid: o.Legacy, zone: o.Zone}
	if version, ok := f.meta["org.apache.spark.version"]; ok {
		_, legacy := f.meta["org.apache.spark.legacyDateTime"]
		r.hybrid = legacy || version < "3"
	}
	return r
}

// mark finds the first mark that begins at or behind a place, and returns where it ends.
func (f *File) mark(src io.ReaderAt, at int64) (int64, error) {
	s := stream{src: src, at: at, size: f.size}
	for {
		b := s.need(pieceBytes)
		if i := bytes.Index(b, f.sync[:]); i >= 0 {
			return s.at + int64(i) + syncLen, nil
		}
		if s.at+int64(len(b)) >= f.size || len(b) < syncLen {
			return f.size, nil
		}
		s.skip(len(b) - syncLen + 1)
	}
}

// RowIndex is not known.
func (r *Reader) RowIndex() int64 { return 0 }

// Close ends reading.
func (r *Reader) Close() error {
	if r.zstd != nil {
		r.zstd.Close()
	}
	return nil
}

// Next returns the next batch, or nil at the end; it is overwritten by the next call.
func (r *Reader) Next() (*vector.Batch, error) {
	r.root.Clear()
	for r.root.N < vector.BatchRows {
		if r.left == 0 {
			more, err := r.nextBlock()
			if err != nil {
				return nil, r.failed(err)
			}
			if !more {
				break
			}
			continue
		}
		if err := r.decode(&r.block, r.root); err != nil {
			return nil, r.failed(err)
		}
		r.left--
	}
	if r.root.N == 0 {
		return nil, nil
	}
	r.batch.N, r.batch.Cols = r.root.N, r.batch.Cols[:0]
	for _, c := range r.root.Children {
		r.batch.Cols = append(r.batch.Cols, c.Vector())
	}
	return &r.batch, nil
}

func (r *Reader) nextBlock() (bool, error) {
	if r.in.at >= r.size || r.in.at-syncLen >= r.end {
		return false, nil
	}
	rows, err := r.in.long()
	if err != nil {
		return false, err
	}
	n, err := r.in.long()
	if err != nil {
		return false, err
	}
	data, err := r.in.take(n)
	if err != nil {
		return false, err
	}
	if rows < 0 {
		return false, fmt.Errorf("a block has %d rows", rows)
	}
	if data, err = r.decompress(data); err != nil {
		return false, err
	}
	sync, err := r.in.take(syncLen)
	if err != nil {
		return false, err
	}
	if !bytes.Equal(sync, r.sync[:]) {
		return false, fmt.Errorf("a block's mark is not the file's")
	}
	r.block, r.left = input{data: data}, rows
	return true, nil
}

func (r *Reader) decompress(data []byte) (out []byte, err error) {
	switch r.Codec {
	case "null":
		return data, nil
	case "deflate":
		out, err = io.ReadAll(flate.NewReader(bytes.NewReader(data)))
	case "bzip2":
		out, err = io.ReadAll(bzip2.NewReader(bytes.NewReader(data)))
	case "snappy":
		if len(data) < 4 {
			return nil, io.ErrUnexpectedEOF
		}
		sum := binary.BigEndian.Uint32(data[len(data)-4:])
		if out, err = snappy.Decode(r.plain[:cap(r.plain)], data[:len(data)-4]); err == nil && crc32.ChecksumIEEE(out) != sum {
			err = fmt.Errorf("a block's checksum is wrong")
		}
		r.plain = out
	case "zstandard":
		if r.zstd == nil {
			if r.zstd, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1)); err != nil {
				return nil, err
			}
		}
		out, err = r.zstd.DecodeAll(data, r.plain[:0])
		r.plain = out
	default:
		return nil, errs.Unsupportedf("Reading Avro files compressed by %s is not supported (%s).", r.Codec, r.path)
	}
	return out, err
}
