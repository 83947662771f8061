package parquet

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"testing"

	"millrace/types"
)

// Files read over and over through the same dictionaries have the same rows, whatever room there is; what is kept is not decoded again and goes with its file.
func TestDictionariesAreKept(t *testing.T) {
	files, _ := filepath.Glob("testdata/*_*.parquet")
	for _, limit := range []int64{0, 1000, 1 << 20} {
		d, some := NewDictionaries(limit), false
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			want := readAll(t, data, 100)
			f, err := Open(bytes.NewReader(data), int64(len(data)), file)
			if err != nil {
				t.Fatal(err)
			}
			compareLines(t, readWith(t, f, data, ReadOptions{BatchRows: 100, Dictionaries: d}), want)
			first := maps.Clone(d.kept)
			compareLines(t, readWith(t, f, data, ReadOptions{BatchRows: 100, Dictionaries: d}), want)
			some = some || len(first) > 0
			if limit == 1<<20 && !maps.Equal(first, d.kept) {
				t.Errorf("%s: dictionaries were decoded again", file)
			}
			if d.bytes > limit {
				t.Errorf("%s: %d bytes are kept of at most %d", file, d.bytes, limit)
			}
			for m := range first {
				if d.get(m, types.Boolean) != nil {
					t.Errorf("%s: a dictionary is handed out as another type", file)
				}
			}
			d.Forget(f)
			if len(d.kept) > 0 || d.bytes != 0 {
				t.Errorf("%s: %d dictionaries of %d bytes stay when the file is forgotten", file, len(d.kept), d.bytes)
			}
		}
		if some != (limit > 0) {
			t.Errorf("with room for %d bytes: some dictionary was kept: %v", limit, some)
		}
	}
}
