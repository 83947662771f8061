package parquet

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"millrace/table/internal/rows"
	"millrace/vector"
)

// readAll reads a whole file as lines of JSON.
func readAll(t testing.TB, data []byte, batchRows int) []string {
	t.Helper()
	f, err := Open(bytes.NewReader(data), int64(len(data)), "test.parquet")
	if err != nil {
		t.Fatal(err)
	}
	return readWith(t, f, data, ReadOptions{BatchRows: batchRows})
}

// readWith reads all columns as lines of JSON.
func readWith(t testing.TB, f *File, data []byte, o ReadOptions) []string {
	t.Helper()
	o.Columns = allColumns(f)
	r, err := f.NewReader(bytes.NewReader(data), o)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var lines []string
	for {
		b, err := r.Next()
		if err != nil {
			t.Fatal(err, errors.Unwrap(err))
		}
		if b == nil {
			return lines
		}
		lines = append(lines, rows.Lines(b)...)
	}
}

func allColumns(f *File) []ReadColumn {
	var cols []ReadColumn
	for _, c := range f.Columns {
		cols = append(cols, ReadColumn{Name: c.Name, Type: c.Type})
	}
	return cols
}

func TestReadFixtures(t *testing.T) {
	files, _ := filepath.Glob("testdata/*_*.parquet")
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".parquet"), func(t *testing.T) {
			base, _, _ := strings.Cut(filepath.Base(file), "_")
			text, err := os.ReadFile("testdata/" + base + ".jsonl")
			if err != nil {
				t.Fatal(err)
			}
			want := strings.Split(strings.TrimSpace(string(text)), "\n")
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, n := range []int{vector.BatchRows, 64, 7} {
				compareLines(t, readAll(t, data, n), want)
			}
		})
	}
}

func compareLines(t *testing.T, got, want []string) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("got %d rows, want %d", len(got), len(want))
	}
	for i := range got {
		if g, w := canonical(got[i]), canonical(want[i]); g != w {
			t.Fatalf("row %d:\ngot  %s\nwant %s", i, g, w)
		}
	}
}

// canonical parses and prints a line, so that 1.0 and 1 are the same.
func canonical(line string) string {
	d := json.NewDecoder(strings.NewReader(line))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return line
	}
	return rows.JSON(normal(v))
}

func normal(v any) any {
	switch v := v.(type) {
	case json.Number:
		if strings.ContainsAny(v.String(), ".e") {
			f, _ := v.Float64()
			return f
		}
	case []any:
		for i := range v {
			v[i] = normal(v[i])
		}
	}
	return v
}
