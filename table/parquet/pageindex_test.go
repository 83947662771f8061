package parquet

import (
	"bytes"
	"fmt"
	"testing"

	pq "github.com/parquet-go/parquet-go"

	"millrace/table/internal/rows"
)

type indexedRow struct {
	ID     int64    `parquet:"id"`
	Name   *string  `parquet:"name,optional,dict"`
	Noise  int64    `parquet:"noise"`
	List   []string `parquet:"list,list"`
	Nested struct {
		X *int32 `parquet:"x,optional"`
	} `parquet:"nested"`
	Empty *int64 `parquet:"empty,optional"`
}

// indexed is a file of another writer, which has a page index, in rows that ascend by id.
func indexed(t *testing.T, n, group int) []byte {
	var out bytes.Buffer
	w := pq.NewGenericWriter[indexedRow](&out, pq.PageBufferSize(512), pq.MaxRowsPerRowGroup(int64(group)), pq.Compression(&pq.Snappy))
	for i := range n {
		r := indexedRow{ID: int64(i), Noise: int64(i * 7919 % n)}
		if i%3 > 0 {
			s := fmt.Sprintf("name %05d", i)
			r.Name = &s
		}
		for k := range i % 4 {
			r.List = append(r.List, fmt.Sprint(i, k))
		}
		if i%5 > 0 {
			x := int32(i)
			r.Nested.X = &x
		}
		if i > n-100 {
			r.Empty = &r.ID
		}
		if _, err := w.Write([]indexedRow{r}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestPageIndex holds what is read of a file by its page index against all of its rows: each that matches is there, in its place.
func TestPageIndex(t *testing.T) {
	const n = 5000
	data := indexed(t, n, 2000)
	full := readAll(t, data, 100)
	null := func(i, k int64) bool { return i%k == 0 }
	for _, c := range []struct {
		p     Prune
		match func(i int64) bool
		most  int64 // rows read
	}{
		{Prune{Op: Equal, Column: 0, Values: []any{int64(2500)}}, func(i int64) bool { return i == 2500 }, 400},
		{Prune{Op: Less, Column: 0, Values: []any{int64(70)}}, func(i int64) bool { return i < 70 }, 400},
		{Prune{Op: Or, Args: []*Prune{{Op: Less, Column: 0, Values: []any{int64(10)}}, {Op: Greater, Column: 0, Values: []any{int64(4990)}}}},
			func(i int64) bool { return i < 10 || i > 4990 }, 800},
		{Prune{Op: In, Column: 0, Values: []any{int64(100), int64(1999), int64(2000), int64(4999)}},
			func(i int64) bool { return i == 100 || i == 1999 || i == 2000 || i == 4999 }, 1200},
		{Prune{Op: Equal, Column: 1, Values: []any{[]byte("name 03001")}}, func(i int64) bool { return i == 3001 }, 1000},
		{Prune{Op: And, Args: []*Prune{{Op: Greater, Column: 0, Values: []any{int64(1000)}}, {Op: LessEqual, Column: 2, Values: []any{int64(n)}}}},
			func(i int64) bool { return i > 1000 }, 4500},
		{Prune{Op: NotNull, Column: 5}, func(i int64) bool { return i > n-100 }, 1000},
		{Prune{Op: IsNull, Column: 1}, func(i int64) bool { return null(i, 3) }, n},
		{Prune{Op: Greater, Column: 0, Values: []any{int64(n)}}, func(int64) bool { return false }, 0},
	} {
		f, err := Open(bytes.NewReader(data), int64(len(data)), "x")
		if err != nil {
			t.Fatal(err)
		}
		r, err := f.NewReader(bytes.NewReader(data), ReadOptions{Columns: allColumns(f), Prune: &c.p, BatchRows: 64})
		if err != nil {
			t.Fatal(err)
		}
		got, read := map[int64]bool{}, int64(0)
		for b, err := r.Next(); b != nil || err != nil; b, err = r.Next() {
			if err != nil {
				t.Fatal(err)
			}
			for k, line := range rows.Lines(b) {
				i := r.RowIndex() + int64(k)
				if got[i] = true; line != full[i] {
					t.Fatalf("%+v: row %d is %s, not %s", c.p, i, line, full[i])
				}
			}
			read += int64(b.N)
		}
		for i := range int64(n) {
			if c.match(i) && !got[i] {
				t.Errorf("%+v: row %d is missing", c.p, i)
			}
		}
		if read > c.most {
			t.Errorf("%+v: %d rows were read, more than %d", c.p, read, c.most)
		}
		if skippedGroups := r.Stats.RowGroupsSkipped; skippedGroups == 0 && read+r.Stats.RowsSkipped != n {
			t.Errorf("%+v: %d rows read and %d skipped of %d", c.p, read, r.Stats.RowsSkipped, n)
		}
		_ = r.Close()
	}
}
