package python

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"math"
)

// wire is PySpark's framing: big-endian integers, and strings and bytes with their length in front.
type wire struct {
	r *bufio.Reader
	w *bufio.Writer
}

func newWire(rw io.ReadWriter) wire { return wire{bufio.NewReader(rw), bufio.NewWriter(rw)} }

// maxText bounds what a worker may send at once: a traceback.
const maxText = 16 << 20

func (w wire) int() (int32, error) {
	var b [4]byte
	_, err := io.ReadFull(w.r, b[:])
	return int32(binary.BigEndian.Uint32(b[:])), err
}

func (w wire) text() (string, error) {
	n, err := w.int()
	if err != nil {
		return "", err
	}
	if n < 0 || n > maxText {
		return "", fmt.Errorf("a text of %d bytes", n)
	}
	b := make([]byte, n)
	_, err = io.ReadFull(w.r, b)
	return string(b), err
}

// putBytes, putText and putLong are sent by flush.
func (w wire) putBytes(b []byte) error {
	if len(b) > math.MaxInt32 {
		return fmt.Errorf("%d bytes are too many", len(b))
	}
	if _, err := w.w.Write(binary.BigEndian.AppendUint32(nil, uint32(len(b)))); err != nil {
		return err
	}
	_, err := w.w.Write(b)
	return err
}

func (w wire) putText(s string) error { return w.putBytes([]byte(s)) }

func (w wire) putLong(n int64) error {
	_, err := w.w.Write(binary.BigEndian.AppendUint64(nil, uint64(n)))
	return err
}

func (w wire) flush() error { return w.w.Flush() }
