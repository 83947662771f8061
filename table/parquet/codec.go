package parquet

import (
	"bytes"
	"io"
	"sync"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go/format"
	"github.com/pierrec/lz4/v4"

	"github.com/andybalholm/brotli"

	"millrace/errs"
)

var zstdDecoder = sync.OnceValue(func() *zstd.Decoder {
	d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecoderMaxMemory(1<<31))
	if err != nil {
		panic(err) // the options are constant
	}
	return d
})

var zstdEncoder = sync.OnceValue(func() *zstd.Encoder {
	e, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest))
	if err != nil {
		panic(err) // the options are constant
	}
	return e
})

// decompress fills dst, which has exactly the length that the page's header tells.
func decompress(codec format.CompressionCodec, dst, src []byte) error {
	n, err := decompressInto(codec, dst, src)
	if err == nil && n != len(dst) {
		err = corrupt("a page has %d bytes instead of %d", n, len(dst))
	}
	return err
}

func decompressInto(codec format.CompressionCodec, dst, src []byte) (int, error) {
	switch codec {
	case format.Snappy:
		if n, err := s2.DecodedLen(src); err != nil || n != len(dst) {
			return n, err
		}
		out, err := s2.Decode(dst, src)
		return len(out), err
	case format.Zstd:
		out, err := zstdDecoder().DecodeAll(src, dst[:0:len(dst)])
		if len(out) > 0 && len(out) == len(dst) && &out[0] != &dst[0] {
			copy(dst, out)
		}
		return len(out), err
	case format.Gzip:
		r, err := gzip.NewReader(bytes.NewReader(src))
		if err != nil {
			return 0, err
		}
		return readFull(r, dst)
	case format.Brotli:
		return readFull(brotli.NewReader(bytes.NewReader(src)), dst)
	case format.Lz4Raw:
		return lz4.UncompressBlock(src, dst)
	case format.Lz4:
		return hadoopLZ4(dst, src)
	}
	return 0, errs.Unsupportedf("Parquet files compressed by %s are not supported.", codec)
}

func readFull(r io.Reader, dst []byte) (int, error) {
	n, err := io.ReadFull(r, dst)
	if err == io.ErrUnexpectedEOF || err == io.EOF {
		err = nil // the length is checked by the caller
	}
	return n, err
}

// hadoopLZ4 reads the deprecated framing: blocks with their two sizes, big-endian, in front; or, as some wrote, a bare
// block.
func hadoopLZ4(dst, src []byte) (int, error) {
	at, rest := 0, src
	for len(rest) >= 8 {
		size := int(rest[0])<<24 | int(rest[1])<<16 | int(rest[2])<<8 | int(rest[3])
		length := int(rest[4])<<24 | int(rest[5])<<16 | int(rest[6])<<8 | int(rest[7])
		if size > len(dst)-at || length > len(rest)-8 {
			return lz4.UncompressBlock(src, dst)
		}
		n, err := lz4.UncompressBlock(rest[8:8+length], dst[at:at+size])
		if err != nil || n != size {
			return lz4.UncompressBlock(src, dst)
		}
		at, rest = at+size, rest[8+length:]
	}
	return at, nil
}

// compress appends src, compressed, to dst.
func compress(codec format.CompressionCodec, dst, src []byte) []byte {
	switch codec {
	case format.Snappy:
		return appendSnappy(dst, src)
	case format.Zstd:
		return zstdEncoder().EncodeAll(src, dst)
	case format.Gzip:
		w := gzipWriters.Get().(*gzip.Writer)
		defer gzipWriters.Put(w)
		b := bytes.NewBuffer(dst)
		w.Reset(b)
		_, _ = w.Write(src) // a bytes.Buffer takes everything
		_ = w.Close()
		return b.Bytes()
	}
	return append(dst, src...)
}

var gzipWriters = sync.Pool{New: func() any { return gzip.NewWriter(nil) }}

func appendSnappy(dst, src []byte) []byte {
	limit := s2.MaxEncodedLen(len(src))
	dst = grow(dst, limit)
	out := s2.EncodeSnappy(dst[len(dst):len(dst)+limit], src)
	return dst[:len(dst)+len(out)]
}

// grow makes room for n more bytes behind dst.
func grow(dst []byte, n int) []byte {
	if cap(dst)-len(dst) >= n {
		return dst
	}
	bigger := make([]byte, len(dst), max(2*cap(dst), len(dst)+n))
	copy(bigger, dst)
	return bigger
}
