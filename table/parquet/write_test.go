package parquet

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"millrace/vector"
)

// rewrite reads a file and writes it again.
func rewrite(t testing.TB, data []byte, opts WriteOptions, batchRows int) []byte {
	t.Helper()
	f, err := Open(bytes.NewReader(data), int64(len(data)), "in.parquet")
	if err != nil {
		t.Fatal(err)
	}
	r, err := f.NewReader(bytes.NewReader(data), ReadOptions{Columns: allColumns(f), BatchRows: batchRows})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var out bytes.Buffer
	w, err := NewWriter(&out, f.Schema(), opts)
	if err != nil {
		t.Fatal(err)
	}
	for {
		b, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		if b == nil {
			break
		}
		if err := w.Write(b); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestRewriteFixtures(t *testing.T) {
	files, _ := filepath.Glob("testdata/*_*.parquet")
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		want := readAll(t, data, vector.BatchRows)
		for _, codec := range []string{"", "zstd", "gzip", "none"} {
			again := rewrite(t, data, WriteOptions{Codec: codec, GroupRows: 100}, 33)
			compareLines(t, readAll(t, again, 50), want)
		}
	}
}
