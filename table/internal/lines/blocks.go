package lines

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"

	"github.com/klauspost/compress/snappy"
	"github.com/pierrec/lz4/v4"
)

// Hadoop's framing of LZ4 and Snappy: the length of a block of text, then its compressed parts, each behind its own length, all big-endian.

// maxFrame bounds what a damaged length can ask for.
const maxFrame = 256 << 20

var errFrame = errors.New("a compressed block is damaged")

type blocks struct {
	in     *bufio.Reader
	decode func(src, dst []byte) (int, error)
	left   int // of the block's text
	text   []byte
	part   []byte
	rest   []byte
}

func (b *blocks) Read(p []byte) (int, error) {
	for len(b.rest) == 0 {
		if err := b.next(); err != nil {
			return 0, err
		}
	}
	n := copy(p, b.rest)
	b.rest = b.rest[n:]
	return n, nil
}

func (b *blocks) next() error {
	for b.left == 0 {
		n, err := b.length()
		if err != nil {
			return err
		}
		b.left = n
	}
	n, err := b.length()
	if err != nil {
		return unexpected(err)
	}
	b.part = grow(b.part, n)
	if _, err := io.ReadFull(b.in, b.part); err != nil {
		return unexpected(err)
	}
	b.text = grow(b.text, b.left)
	k, err := b.decode(b.part, b.text)
	if err != nil {
		return err
	}
	b.rest, b.left = b.text[:k], b.left-k
	return nil
}

func (b *blocks) length() (int, error) {
	var word [4]byte
	if _, err := io.ReadFull(b.in, word[:]); err != nil {
		return 0, err
	}
	n := binary.BigEndian.Uint32(word[:])
	if n > maxFrame {
		return 0, errFrame
	}
	return int(n), nil
}

func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

func grow(b []byte, n int) []byte {
	if cap(b) < n {
		return make([]byte, n)
	}
	return b[:n]
}

func unsnap(src, dst []byte) (int, error) {
	n, err := snappy.DecodedLen(src)
	if err != nil || n > len(dst) {
		return 0, errFrame
	}
	out, err := snappy.Decode(dst, src)
	return len(out), err
}

// blockBytesOut is how much text Hadoop's writers put into a block.
const blockBytesOut = 200 << 10

type blockWriter struct {
	out    io.Writer
	encode func(dst, src []byte) ([]byte, error)
	text   []byte
	part   []byte
}

// NewLZ4Writer and NewSnappyWriter compress as Hadoop does; Close leaves out open.
func NewLZ4Writer(out io.Writer) io.WriteCloser {
	return &blockWriter{out: out, encode: func(dst, src []byte) ([]byte, error) {
		dst = grow(dst, lz4.CompressBlockBound(len(src)))
		n, err := lz4.CompressBlock(src, dst, nil)
		return dst[:n], err
	}}
}

// NewSnappyWriter is described at NewLZ4Writer.
func NewSnappyWriter(out io.Writer) io.WriteCloser {
	return &blockWriter{out: out, encode: func(dst, src []byte) ([]byte, error) { return snappy.Encode(dst[:cap(dst)], src), nil }}
}

func (w *blockWriter) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0; {
		n := min(len(rest), blockBytesOut-len(w.text))
		w.text = append(w.text, rest[:n]...)
		rest = rest[n:]
		if len(w.text) == blockBytesOut {
			if err := w.flush(); err != nil {
				return 0, err
			}
		}
	}
	return len(p), nil
}

func (w *blockWriter) flush() error {
	var err error
	if w.part, err = w.encode(w.part, w.text); err != nil {
		return err
	}
	var head [8]byte
	binary.BigEndian.PutUint32(head[:], uint32(len(w.text)))
	binary.BigEndian.PutUint32(head[4:], uint32(len(w.part)))
	w.text = w.text[:0]
	if _, err := w.out.Write(head[:]); err != nil {
		return err
	}
	_, err = w.out.Write(w.part)
	return err
}

func (w *blockWriter) Close() error {
	if len(w.text) == 0 {
		return nil
	}
	return w.flush()
}
