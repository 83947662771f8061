package orc

import (
	"bytes"
	"errors"
	"io"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
	"google.golang.org/protobuf/encoding/protowire"

	"millrace/errs"
)

type compression uint64

const (
	uncompressed compression = iota
	zlib
	snappyCodec
	lzo
	lz4Codec
	zstdCodec
	brotliCodec
)

const maxBlockSize = 1 << 23 // the length of a chunk has 23 bits

// inflater decompresses chunks. It is used by one goroutine.
type inflater struct {
	codec compression
	block int // what a chunk has when it is decompressed, at most
	zstd  *zstd.Decoder
	flate io.ReadCloser
}

func newInflater(p *postScript) (*inflater, error) {
	switch p.compression {
	case uncompressed, zlib, snappyCodec, lz4Codec, zstdCodec, brotliCodec:
		return &inflater{codec: p.compression, block: int(min(p.blockSize, maxBlockSize))}, nil
	case lzo:
		return nil, errs.Unsupportedf("Reading ORC files compressed by LZO is not supported.")
	}
	return nil, corrupt("it is compressed by method %d", uint64(p.compression))
}

func (c *inflater) close() {
	if c.zstd != nil {
		c.zstd.Close()
	}
}

// stream is the bytes of a stream, decompressed a chunk at a time.
type stream struct {
	*inflater
	raw   []byte // chunks, or the bytes themselves
	next  int    // where the next chunk begins
	buf   []byte // the chunk
	pos   int
	plain []byte // memory for chunks
	piece []byte // memory for take
}

var errEnd = corrupt("a stream ends too early")

// fill makes the next chunk the current one.
func (s *stream) fill() error {
	if s.next >= len(s.raw) {
		return errEnd
	}
	s.pos = 0
	if s.codec == uncompressed {
		s.buf, s.next = s.raw[s.next:], len(s.raw)
		return nil
	}
	if len(s.raw)-s.next < 3 {
		return errEnd
	}
	head := int(s.raw[s.next]) | int(s.raw[s.next+1])<<8 | int(s.raw[s.next+2])<<16
	n := head >> 1
	if n > len(s.raw)-s.next-3 {
		return errEnd
	}
	chunk := s.raw[s.next+3 : s.next+3+n]
	s.next += 3 + n
	if head&1 != 0 {
		s.buf = chunk
		return nil
	}
	var err error
	s.buf, err = s.decompress(chunk)
	if err == nil && len(s.buf) > s.block {
		err = errors.New("it is too long")
	}
	if err != nil {
		return corrupt("a compressed chunk: %v", err)
	}
	return nil
}

func (s *stream) decompress(chunk []byte) ([]byte, error) {
	switch s.codec {
	case snappyCodec:
		n, err := snappy.DecodedLen(chunk)
		if err != nil || n > s.block {
			return nil, errors.New("its length is wrong")
		}
		s.plain, err = snappy.Decode(s.room(n), chunk)
		return s.plain, err
	case lz4Codec:
		out := s.room(s.block)
		n, err := lz4.UncompressBlock(chunk, out)
		if err != nil {
			return nil, err
		}
		return out[:n], nil
	case zstdCodec:
		if s.zstd == nil {
			var err error
			if s.zstd, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxBlockSize)); err != nil {
				return nil, err
			}
		}
		var err error
		s.plain, err = s.zstd.DecodeAll(chunk, s.plain[:0])
		return s.plain, err
	case brotliCodec:
		return s.inflate(brotli.NewReader(bytes.NewReader(chunk)))
	}
	if s.flate == nil {
		s.flate = flate.NewReader(bytes.NewReader(chunk))
	} else if err := s.flate.(flate.Resetter).Reset(bytes.NewReader(chunk), nil); err != nil {
		return nil, err
	}
	return s.inflate(s.flate)
}

// room is memory for n bytes.
func (s *stream) room(n int) []byte {
	if cap(s.plain) < n {
		s.plain = make([]byte, n)
	}
	s.plain = s.plain[:n]
	return s.plain
}

// inflate reads a chunk to its end.
func (s *stream) inflate(r io.Reader) ([]byte, error) {
	out, n := s.room(s.block+1), 0
	for n < len(out) {
		k, err := r.Read(out[n:])
		n += k
		if errors.Is(err, io.EOF) {
			return out[:n], nil
		}
		if err != nil {
			return nil, err
		}
	}
	return nil, errors.New("it is too long")
}

func (s *stream) byte() (byte, error) {
	for s.pos >= len(s.buf) {
		if err := s.fill(); err != nil {
			return 0, err
		}
	}
	b := s.buf[s.pos]
	s.pos++
	return b, nil
}

// take returns the next n bytes, which are valid until the next call.
func (s *stream) take(n int) ([]byte, error) {
	if len(s.buf)-s.pos >= n {
		b := s.buf[s.pos : s.pos+n]
		s.pos += n
		return b, nil
	}
	var err error
	s.piece, err = s.appendTo(s.piece[:0], n)
	return s.piece, err
}

// appendTo appends the next n bytes.
func (s *stream) appendTo(dst []byte, n int) ([]byte, error) {
	for n > 0 {
		if s.pos >= len(s.buf) {
			if err := s.fill(); err != nil {
				return dst, err
			}
			continue
		}
		k := min(n, len(s.buf)-s.pos)
		dst = append(dst, s.buf[s.pos:s.pos+k]...)
		s.pos, n = s.pos+k, n-k
	}
	return dst, nil
}

func (s *stream) all() ([]byte, error) {
	var out []byte
	for s.next < len(s.raw) {
		if err := s.fill(); err != nil {
			return nil, err
		}
		out = append(out, s.buf...)
	}
	return out, nil
}

// uvarint reads a number of seven bits a byte.
func (s *stream) uvarint() (uint64, error) {
	var v uint64
	for shift := 0; shift < 70; shift += 7 {
		b, err := s.byte()
		if err != nil {
			return 0, err
		}
		v |= uint64(b&0x7f) << shift
		if b < 0x80 {
			return v, nil
		}
	}
	return 0, corrupt("a number is too long")
}

func (s *stream) varint() (int64, error) {
	u, err := s.uvarint()
	return protowire.DecodeZigZag(u), err
}

// positions are the places of a row group in its columns' streams, to be taken one by one.
type positions struct{ list []uint64 }

func (p *positions) take() (uint64, error) {
	if len(p.list) == 0 {
		return 0, corrupt("a row group's places are missing")
	}
	v := p.list[0]
	p.list = p.list[1:]
	return v, nil
}

// seek goes to a row group's place.
func (s *stream) seek(p *positions) error {
	at, err := p.take()
	if err != nil {
		return err
	}
	skip := uint64(0)
	if s.codec != uncompressed {
		if skip, err = p.take(); err != nil {
			return err
		}
	}
	if at > uint64(len(s.raw)) {
		return corrupt("a row group lies behind a stream's end")
	}
	s.next, s.buf, s.pos = int(at), nil, 0
	if skip == 0 {
		return nil
	}
	if err := s.fill(); err != nil {
		return err
	}
	if skip > uint64(len(s.buf)) {
		return corrupt("a row group lies behind a chunk's end")
	}
	s.pos = int(skip)
	return nil
}
