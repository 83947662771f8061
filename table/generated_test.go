package table

import (
	"bytes"
	"testing"

	"github.com/RoaringBitmap/roaring/v2/roaring64"
	"pgregory.net/rapid"

	"strings"

	planpb "millrace/proto/millrace/plan/v1"
	"millrace/types"
	"millrace/vector"
)

// TestDeletions compares the selections of consecutive batches with the set of deleted rows.
func TestDeletions(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		gone := roaring64.New()
		for _, r := range rapid.SliceOf(rapid.Uint64Range(0, 300)).Draw(t, "rows") {
			gone.Add(r)
		}
		var data bytes.Buffer
		if _, err := gone.WriteTo(&data); err != nil {
			t.Fatal(err)
		}
		d, err := newDeletions(data.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		at := int64(rapid.IntRange(0, 50).Draw(t, "first"))
		for at < 300 {
			n := rapid.IntRange(1, 90).Draw(t, "batch")
			sel := d.selection(at, n)
			kept := 0
			for i := range n {
				if gone.Contains(uint64(at) + uint64(i)) {
					continue
				}
				if sel != nil && (kept >= len(sel) || sel[kept] != uint32(i)) {
					t.Fatalf("row %d is missing in %v", at+int64(i), sel)
				}
				kept++
			}
			if sel != nil && len(sel) != kept || sel == nil && kept != n {
				t.Fatalf("%d rows selected, want %d", len(sel), kept)
			}
			at += int64(n) + int64(rapid.IntRange(0, 20).Draw(t, "gap"))
		}
	})
}

func TestScanDeletionVector(t *testing.T) {
	dir := t.TempDir()
	b, schema := loans(5)
	if _, err := sinkBatches(t, &planpb.FileSink{Format: "parquet", Path: dir}, schema, &batches{list: []*vector.Batch{b}}); err != nil {
		t.Fatal(err)
	}
	files := splitsOf(t, dir+"/*.parquet")
	data, err := roaring64.BitmapOf(0, 3).ToBytes()
	if err != nil {
		t.Fatal(err)
	}
	files[0].DeletionVector, files[0].BaseRowId = data, 100
	scan := &planpb.FileScan{Format: "delta", Columns: []*planpb.FileColumn{{Name: "id"}, {Generated: "row_id"}}}
	out := types.Struct(schema.Fields[0], types.Field{Name: "r", Type: types.Long})
	if got := scanFiles(t, scan, out, files); strings.Join(got, " ") != "[1,101] [2,102] [4,104]" {
		t.Fatal(got)
	}
}
