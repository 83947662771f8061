package lines

import (
	"bytes"
	"io"
	"strings"
	"testing"
)

// TestBlocks reads what the writers of Hadoop's framing wrote.
func TestBlocks(t *testing.T) {
	for _, name := range []string{"f.lz4", "f.snappy"} {
		for _, n := range []int{0, 1, 1000, 3*blockBytesOut + 7} {
			text := strings.Repeat("0123456789abcdef", n/16+1)[:n]
			var out bytes.Buffer
			create := NewLZ4Writer
			if name == "f.snappy" {
				create = NewSnappyWriter
			}
			w := create(&out)
			if _, err := io.WriteString(w, text); err != nil {
				t.Fatal(err)
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			got, err := All(Source{File: bytes.NewReader(out.Bytes()), Path: name, Size: int64(out.Len())})
			if err != nil || string(got) != text {
				t.Fatalf("%s of %d bytes: %d bytes, %v", name, n, len(got), err)
			}
		}
	}
}

// FuzzBlocks must not panic on any bytes.
func FuzzBlocks(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x05\x00\x00\x00\x06\x50abcde"))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, name := range []string{"f.lz4", "f.snappy"} {
			_, _ = All(Source{File: bytes.NewReader(data), Path: name, Size: int64(len(data))})
		}
	})
}
