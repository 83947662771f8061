// Package lines reads text files by lines in large blocks: a part of a file for one task of many, compressed files as a
// whole.
package lines

import (
	"bufio"
	"bytes"
	"compress/bzip2"
	"compress/zlib"
	"io"
	"path"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"

	"millrace/errs"
)

const blockBytes = 1 << 20

// Source is a file and the part of it that one task reads: the lines that start in [Start, Start+Length).
type Source struct {
	File          io.ReaderAt
	Path          string
	Size          int64
	Start, Length int64
	Encoding      string // as Charset gives it
}

// Whole reports whether the part is all of the file.
func (s *Source) Whole() bool { return s.Start == 0 && (s.Length == 0 || s.Length >= s.Size) }

// Reader yields blocks of whole lines.
type Reader struct {
	src  io.Reader
	done func() error
	sep  []byte // nil: \n, \r\n and \r
	buf  []byte
	rest []byte // of the last block, behind its last whole line
	eof  bool
	err  error // of reading, once the lines before it were handed out
	at   int64 // the file offset of the next block's first byte
	end  int64 // lines that start here or later are not ours; -1: no end
	skip bool  // the first, partial line belongs to the task before
}

// NewReader begins to read the part. separator nil stands for any of \n, \r\n and \r.
func NewReader(s Source, separator []byte) (*Reader, error) {
	r := &Reader{sep: separator, end: -1, done: func() error { return nil }}
	if compressed(s.Path) || s.Encoding != "" {
		if s.Start > 0 { // whoever has the beginning reads it all
			return &Reader{src: bytes.NewReader(nil), done: r.done, end: -1, eof: true}, nil
		}
		var err error
		r.src, r.done, err = s.open()
		return r, err
	}
	start := s.Start
	if start > 0 {
		r.skip = true
		start -= int64(max(1, len(separator))) // a line that starts right here has its separator before
		start = max(start, 0)
	}
	r.at = start
	if s.Length > 0 && s.Start+s.Length < s.Size {
		r.end = s.Start + s.Length
	}
	r.src = io.NewSectionReader(s.File, start, s.Size-start)
	return r, nil
}

func compressed(name string) bool {
	switch strings.ToLower(path.Ext(name)) {
	case ".gz", ".gzip", ".bz2", ".zst", ".zstd", ".deflate", ".lz4", ".snappy":
		return true
	}
	return false
}

// Text is the whole file, decompressed and in UTF-8; done ends reading.
func (s *Source) Text() (in io.Reader, done func() error, err error) { return s.open() }

// open reads the whole file as UTF-8.
func (s *Source) open() (io.Reader, func() error, error) {
	in, done, err := decompress(s.Path, io.NewSectionReader(s.File, 0, s.Size))
	if err != nil {
		return nil, done, err
	}
	return Decode(in, s.Encoding), done, nil
}

func decompress(name string, in io.Reader) (io.Reader, func() error, error) {
	nothing := func() error { return nil }
	switch strings.ToLower(path.Ext(name)) {
	case ".gz", ".gzip":
		z, err := gzip.NewReader(in)
		if err != nil {
			return nil, nothing, err
		}
		return z, z.Close, nil
	case ".bz2":
		return bzip2.NewReader(in), nothing, nil
	case ".zst", ".zstd":
		z, err := zstd.NewReader(in, zstd.WithDecoderConcurrency(1))
		if err != nil {
			return nil, nothing, err
		}
		return z, func() error { z.Close(); return nil }, nil
	case ".deflate":
		z, err := zlib.NewReader(in)
		if err != nil {
			return nil, nothing, err
		}
		return z, z.Close, nil
	case ".lz4":
		return &blocks{in: bufio.NewReader(in), decode: lz4.UncompressBlock}, nothing, nil
	case ".snappy":
		return &blocks{in: bufio.NewReader(in), decode: unsnap}, nothing, nil
	}
	return in, nothing, nil
}

// All reads a whole file, decompressed, into memory.
func All(s Source) ([]byte, error) {
	if !compressed(s.Path) && s.Encoding == "" {
		data := make([]byte, s.Size)
		n, err := s.File.ReadAt(data, 0)
		if err == io.EOF && n == len(data) {
			err = nil
		}
		return data[:n], err
	}
	in, done, err := s.open()
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(in)
	if derr := done(); err == nil {
		err = derr
	}
	return data, err
}

// Block returns the next block of whole lines, their separators included (the file's last line may lack one), or nil at the
// end. It is overwritten by the next call.
func (r *Reader) Block() ([]byte, error) {
	for {
		if r.end >= 0 && r.at >= r.end || r.eof && len(r.rest) == 0 {
			return nil, nil
		}
		if r.err != nil {
			return nil, r.err
		}
		block, err := r.fill()
		if err != nil {
			return nil, err
		}
		if r.skip {
			r.skip = false
			n := r.LineEnd(block)
			r.at += int64(n)
			block = block[n:]
		}
		start := r.at
		r.at += int64(len(block))
		if r.end >= 0 && r.at > r.end {
			block = r.ours(block, start)
		}
		if len(block) > 0 {
			return block, nil
		}
	}
}

// ours cuts off the lines that start behind the part.
func (r *Reader) ours(block []byte, start int64) []byte {
	at := 0
	for start+int64(at) < r.end && at < len(block) {
		at += r.LineEnd(block[at:])
	}
	return block[:at]
}

// fill reads until the buffer holds a whole line at least, and returns its whole lines.
func (r *Reader) fill() ([]byte, error) {
	if cap(r.buf) == 0 {
		r.buf = make([]byte, 0, blockBytes)
	}
	n := copy(r.buf[:cap(r.buf)], r.rest)
	r.rest = nil
	for {
		for n < cap(r.buf) && !r.eof {
			k, err := r.src.Read(r.buf[n:cap(r.buf)])
			n += k
			if err == io.EOF {
				r.eof = true
			} else if err != nil {
				r.err = err
				if last := r.lastEnd(r.buf[:n]); last > 0 { // the whole lines before it are handed out first
					return r.buf[:last], nil
				}
				return nil, err
			}
		}
		data := r.buf[:n]
		if r.eof {
			return data, nil
		}
		if last := r.lastEnd(data); last > 0 {
			r.rest = data[last:]
			return data[:last], nil
		}
		if cap(r.buf) >= 1<<30 {
			return nil, errs.Newf(errs.Invalid, "a line is longer than 1 GiB")
		}
		bigger := make([]byte, n, 2*cap(r.buf))
		copy(bigger, data)
		r.buf = bigger
	}
}

// lastEnd is where the last whole line of data ends, or 0.
func (r *Reader) lastEnd(data []byte) int {
	if r.sep != nil {
		if i := bytes.LastIndex(data, r.sep); i >= 0 {
			return i + len(r.sep)
		}
		return 0
	}
	if i := bytes.LastIndexByte(data, '\n'); i >= 0 {
		return i + 1
	}
	if len(data) == 0 {
		return 0
	}
	// A \r at the very end may be half of \r\n.
	if i := bytes.LastIndexByte(data[:len(data)-1], '\r'); i >= 0 {
		return i + 1
	}
	return 0
}

// LineEnd is the length of the first line of data with its separator.
func (r *Reader) LineEnd(data []byte) int {
	_, n := r.Line(data)
	return n
}

// Line returns the first line of data without its separator, and its length with it.
func (r *Reader) Line(data []byte) (line []byte, n int) {
	if r.sep != nil {
		if i := bytes.Index(data, r.sep); i >= 0 {
			return data[:i], i + len(r.sep)
		}
		return data, len(data)
	}
	end := bytes.IndexByte(data, '\n')
	if end < 0 {
		end = len(data)
		n = end
	} else {
		n = end + 1
	}
	if i := bytes.IndexByte(data[:end], '\r'); i >= 0 {
		switch {
		case i == end-1 && n > end: // \r\n
			return data[:i], n
		default:
			return data[:i], i + 1
		}
	}
	return data[:end], n
}

// Close ends reading.
func (r *Reader) Close() error { return r.done() }
