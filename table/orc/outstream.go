package orc

import (
	"bytes"
	"strings"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"

	"millrace/errs"
)

const blockBytes = 256 << 10 // what a chunk has before it is compressed

var codecs = map[string]compression{"": zstdCodec, "zstd": zstdCodec, "zlib": zlib, "snappy": snappyCodec, "lz4": lz4Codec, "none": uncompressed, "uncompressed": uncompressed}

func codecByName(name string) (compression, error) {
	name = strings.ToLower(name)
	codec, ok := codecs[name]
	switch {
	case ok:
		return codec, nil
	case name == "lzo" || name == "brotli":
		return 0, errs.Unsupportedf("Writing ORC files compressed by %s is not supported.", name)
	}
	return 0, errs.New("CODEC_NOT_AVAILABLE.WITH_AVAILABLE_CODECS_SUGGESTION", "codecName", name, "availableCodecs", "brotli, uncompressed, lz4, lzo, snappy, zlib, none, zstd")
}

// Extension is what Spark puts at the end of names of files of a codec: .zstd.orc.
func Extension(codec string) string {
	switch name := strings.ToLower(codec); name {
	case "":
		return ".zstd.orc"
	case "none", "uncompressed":
		return ".orc"
	default:
		return "." + name + ".orc"
	}
}

// deflater compresses chunks. It is used by one goroutine.
type deflater struct {
	codec compression
	zstd  *zstd.Encoder
	flate *flate.Writer
	lz4   lz4.Compressor
	buf   bytes.Buffer
	piece []byte
}

func newDeflater(codec compression) (d *deflater, err error) {
	d = &deflater{codec: codec}
	switch codec {
	case zstdCodec:
		d.zstd, err = zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(blockBytes))
	case zlib:
		d.flate, err = flate.NewWriter(&d.buf, flate.DefaultCompression)
	}
	return d, err
}

// chunk appends a piece of a stream to dst: compressed if that is shorter.
func (d *deflater) chunk(dst, plain []byte) ([]byte, error) {
	out, err := d.compress(plain)
	if err != nil {
		return dst, err
	}
	head := len(out) << 1
	if len(out) == 0 || len(out) >= len(plain) {
		out, head = plain, len(plain)<<1|1
	}
	dst = append(dst, byte(head), byte(head>>8), byte(head>>16))
	return append(dst, out...), nil
}

func (d *deflater) compress(plain []byte) ([]byte, error) {
	switch d.codec {
	case zstdCodec:
		d.piece = d.zstd.EncodeAll(plain, d.piece[:0])
		return d.piece, nil
	case snappyCodec:
		d.piece = snappy.Encode(d.piece[:cap(d.piece)], plain)
		return d.piece, nil
	case lz4Codec:
		if n := lz4.CompressBlockBound(len(plain)); cap(d.piece) < n {
			d.piece = make([]byte, n)
		}
		n, err := d.lz4.CompressBlock(plain, d.piece[:cap(d.piece)])
		return d.piece[:n], err
	}
	d.buf.Reset()
	d.flate.Reset(&d.buf)
	_, err := d.flate.Write(plain)
	if err == nil {
		err = d.flate.Close()
	}
	return d.buf.Bytes(), err
}

// outStream is a stream of a stripe that is being written, or a part of the file's end.
type outStream struct {
	*deflater
	kind   streamKind
	column uint64
	out    []byte
	plain  []byte // what is not compressed yet
	err    error
}

func (s *outStream) append(b ...byte) {
	if s.codec == uncompressed {
		s.out = append(s.out, b...)
		return
	}
	for s.plain = append(s.plain, b...); len(s.plain) >= blockBytes; {
		s.spill(blockBytes)
	}
}

func (s *outStream) spill(n int) {
	if s.err == nil {
		s.out, s.err = s.chunk(s.out, s.plain[:n])
	}
	s.plain = s.plain[:copy(s.plain, s.plain[n:])]
}

func (s *outStream) uvarint(u uint64) {
	for ; u >= 0x80; u >>= 7 {
		s.append(byte(u) | 0x80)
	}
	s.append(byte(u))
}

// position appends where the next byte will be.
func (s *outStream) position(list []uint64) []uint64 {
	if s.codec == uncompressed {
		return append(list, uint64(len(s.out)))
	}
	return append(list, uint64(len(s.out)), uint64(len(s.plain)))
}

// end returns the whole stream.
func (s *outStream) end() ([]byte, error) {
	if len(s.plain) > 0 {
		s.spill(len(s.plain))
	}
	return s.out, s.err
}
