package parquet

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"pgregory.net/rapid"

	"millrace/errs"
	"millrace/table/internal/rows"
	"millrace/types"
	"millrace/vector"
)

var leafTypes = []*types.Type{types.Boolean, types.Byte, types.Short, types.Integer, types.Long, types.Float, types.Double, types.String,
	types.Binary, types.Date, types.Timestamp, types.TimestampNTZ, types.Decimal(5, 2), types.Decimal(15, 3), types.Decimal(30, 10)}

func drawType(t *rapid.T, depth int) *types.Type {
	if depth > 0 {
		switch rapid.IntRange(0, 7).Draw(t, "kind") {
		case 0:
			return types.ArrayOf(drawType(t, depth-1), rapid.Bool().Draw(t, "nulls"))
		case 1:
			return types.MapOf(types.String, drawType(t, depth-1), rapid.Bool().Draw(t, "nulls"))
		case 2:
			fields := make([]types.Field, rapid.IntRange(1, 3).Draw(t, "fields"))
			for i := range fields {
				fields[i] = types.Field{Name: fmt.Sprint("f", i), Type: drawType(t, depth-1), Nullable: rapid.Bool().Draw(t, "nulls")}
			}
			return types.Struct(fields...)
		}
	}
	return rapid.SampledFrom(leafTypes).Draw(t, "leaf")
}

// drawVector makes n random rows; few distinct values or many, with nulls or without.
func drawVector(t *rapid.T, typ *types.Type, n int, nullable bool) *vector.Vector {
	v := &vector.Vector{}
	v.Reset(typ, n)
	distinct := rapid.SampledFrom([]uint64{2, 100, math.MaxUint64}).Draw(t, "distinct")
	seed := rapid.Uint64().Draw(t, "seed")
	next := func() uint64 {
		seed ^= seed << 13
		seed ^= seed >> 7
		seed ^= seed << 17
		return seed % distinct
	}
	if seed == 0 {
		seed = 1
	}
	length := func() int { return int(next() % 4) }
	switch {
	case vector.Width(typ) > 0:
		fillFixed(v, next)
	case typ.IsStringLike():
		for i := range n {
			v.AppendStr(i, []byte(fmt.Sprint("v", next())))
		}
	case typ.Kind == types.KindStruct:
		for _, f := range typ.Fields {
			v.Children = append(v.Children, drawVector(t, f.Type, n, f.Nullable))
		}
	default:
		for i := range n {
			v.Offsets[i+1] = v.Offsets[i] + int32(length())
		}
		total := int(v.Offsets[n])
		if typ.Kind == types.KindMap {
			v.Children = append(v.Children, drawVector(t, typ.Key, total, false))
		}
		v.Children = append(v.Children, drawVector(t, typ.Elem, total, typ.ElemNull))
	}
	if nullable && rapid.Bool().Draw(t, "nulls") {
		for i := range n {
			if next()%3 == 0 {
				v.SetNull(i)
			}
		}
	}
	return v
}

func fillFixed(v *vector.Vector, next func() uint64) {
	for i := range v.Len {
		x := next()
		switch v.Type.Kind {
		case types.KindBoolean:
			v.Data[i] = byte(x & 1)
		case types.KindDecimal:
			if v.Type.IsShortDecimal() {
				vector.Values[int64](v)[i] = int64(x%99999) - 50000
			} else {
				vector.Values[decimal128.Num](v)[i] = decimal128.New(int64(x%1000)-500, x)
			}
		case types.KindDouble:
			vector.Values[float64](v)[i] = float64(int64(x)) / 8
		case types.KindFloat:
			vector.Values[float32](v)[i] = float32(int16(x)) / 8
		default:
			switch vector.Width(v.Type) {
			case 1:
				vector.Values[int8](v)[i] = int8(x)
			case 2:
				vector.Values[int16](v)[i] = int16(x)
			case 4:
				vector.Values[int32](v)[i] = int32(x)
			case 8:
				vector.Values[int64](v)[i] = int64(x)
			}
		}
	}
}

// TestRoundTrip writes random batches of random schemas under random options and reads them back.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		columns := rapid.IntRange(1, 4).Draw(t, "columns")
		fields := make([]types.Field, columns)
		for i := range fields {
			fields[i] = types.Field{Name: fmt.Sprint("c", i), Type: drawType(t, 3), Nullable: rapid.Bool().Draw(t, "nullable")}
		}
		schema := types.Struct(fields...)
		var out bytes.Buffer
		w, err := NewWriter(&out, schema, WriteOptions{Codec: rapid.SampledFrom([]string{"snappy", "zstd", "none", "gzip"}).Draw(t, "codec"),
			GroupRows: rapid.SampledFrom([]int{10, 5000, 0}).Draw(t, "group")})
		if err != nil {
			t.Fatal(err)
		}
		var want []string
		for range rapid.IntRange(0, 3).Draw(t, "batches") {
			n := rapid.SampledFrom([]int{1, 7, 64, 65, 700, 5000}).Draw(t, "rows")
			b := &vector.Batch{N: n}
			for _, f := range fields {
				b.Cols = append(b.Cols, drawVector(t, f.Type, n, f.Nullable))
			}
			if rapid.Bool().Draw(t, "selected") {
				b.Sel = []uint32{}
				for i := 0; i < n; i += 1 + i%3 {
					b.Sel = append(b.Sel, uint32(i))
				}
			}
			if err := w.Write(b); err != nil {
				t.Fatal(err)
			}
			want = append(want, rows.Lines(b)...)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		got := readLines(t, out.Bytes(), schema, rapid.SampledFrom([]int{0, 13, 100}).Draw(t, "batch"))
		if len(got) != len(want) {
			t.Fatalf("%s: %d rows, want %d", schema, len(got), len(want))
		}
		for i := range got {
			if got[i] != want[i] {
				t.Fatalf("%s row %d:\ngot  %s\nwant %s", schema, i, got[i], want[i])
			}
		}
	})
}

func readLines(t *rapid.T, data []byte, schema *types.Type, batch int) []string {
	f, err := Open(bytes.NewReader(data), int64(len(data)), "x")
	if err != nil {
		t.Fatal(err)
	}
	var columns []ReadColumn
	for _, c := range schema.Fields {
		columns = append(columns, ReadColumn{Name: c.Name, Type: c.Type})
	}
	r, err := f.NewReader(bytes.NewReader(data), ReadOptions{Columns: columns, BatchRows: batch})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var got []string
	for {
		b, err := r.Next()
		if err != nil {
			t.Fatal(err, errors.Unwrap(err))
		}
		if b == nil {
			return got
		}
		got = append(got, rows.Lines(b)...)
	}
}

// TestManyPages writes columns of several pages and a dictionary that outgrows its page.
func TestManyPages(t *testing.T) {
	const n = 60000
	ids, names, few := make([]int64, n), make([]string, n), make([]string, n)
	for i := range ids {
		ids[i], names[i], few[i] = int64(i)*7919%n, fmt.Sprintf("a rather long name %d", i*7919%n), fmt.Sprint(i/5000)
	}
	b := &vector.Batch{N: n, Cols: []*vector.Vector{vector.FromSlice(types.Long, ids), vector.FromStrings(types.String, names, nil), vector.FromStrings(types.String, few, nil)}}
	b.Cols[2].SetNull(n - 1)
	schema := types.Struct(types.Field{Name: "id", Type: types.Long}, types.Field{Name: "name", Type: types.String, Nullable: true}, types.Field{Name: "few", Type: types.String, Nullable: true})
	var out bytes.Buffer
	w, err := NewWriter(&out, schema, WriteOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	compareLines(t, readAll(t, out.Bytes(), 1000), rows.Lines(b))
}

// TestPrune checks that pruning never loses a row: the rows kept by the predicate are in the row groups kept by statistics.
func TestPrune(t *testing.T) {
	ids := make([]int64, 1000)
	names := make([]string, 1000)
	for i := range ids {
		ids[i], names[i] = int64(i), fmt.Sprintf("n%04d", i)
	}
	var out bytes.Buffer
	schema := types.Struct(types.Field{Name: "id", Type: types.Long, Nullable: true}, types.Field{Name: "name", Type: types.String, Nullable: true})
	w, _ := NewWriter(&out, schema, WriteOptions{GroupRows: 100})
	for i := 0; i < 1000; i += 50 {
		b := &vector.Batch{N: 50, Cols: []*vector.Vector{vector.FromSlice(types.Long, ids[i:i+50]), vector.FromStrings(types.String, names[i:i+50], nil)}}
		if err := w.Write(b); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		p      Prune
		groups int64
	}{
		{Prune{Op: Equal, Column: 0, Values: []any{int64(250)}}, 1},
		{Prune{Op: Less, Column: 0, Values: []any{int64(200)}}, 2},
		{Prune{Op: LessEqual, Column: 0, Values: []any{int64(200)}}, 3},
		{Prune{Op: Greater, Column: 0, Values: []any{int64(899)}}, 1},
		{Prune{Op: GreaterEqual, Column: 0, Values: []any{int64(899)}}, 2},
		{Prune{Op: In, Column: 0, Values: []any{int64(1), int64(950)}}, 2},
		{Prune{Op: StartsWith, Column: 1, Values: []any{[]byte("n03")}}, 1},
		{Prune{Op: Equal, Column: 1, Values: []any{[]byte("x")}}, 0},
		{Prune{Op: IsNull, Column: 1}, 0},
		{Prune{Op: NotNull, Column: 1}, 10},
		{Prune{Op: NotNull, Column: 2}, 0},
		{Prune{Op: Or, Args: []*Prune{{Op: Less, Column: 0, Values: []any{int64(10)}}, {Op: IsNull, Column: 1}}}, 1},
	} {
		f, err := Open(bytes.NewReader(out.Bytes()), int64(out.Len()), "x")
		if err != nil {
			t.Fatal(err)
		}
		columns := append(allColumns(f), ReadColumn{Name: "gone", Type: types.Long})
		r, err := f.NewReader(bytes.NewReader(out.Bytes()), ReadOptions{Columns: columns, Prune: &c.p})
		if err != nil {
			t.Fatal(err)
		}
		for b, err := r.Next(); b != nil || err != nil; b, err = r.Next() {
			if err != nil {
				t.Fatal(err)
			}
		}
		if r.Stats.RowGroups != c.groups {
			t.Errorf("%+v: %d row groups, want %d", c.p, r.Stats.RowGroups, c.groups)
		}
		_ = r.Close()
	}
}

// consume reads whatever is there; foreign bytes may be refused but never crash.
func consume(data []byte) error {
	f, err := Open(bytes.NewReader(data), int64(len(data)), "x")
	if err != nil {
		return err
	}
	r, err := f.NewReader(bytes.NewReader(data), ReadOptions{Columns: allColumns(f)})
	if err != nil {
		return err
	}
	defer r.Close()
	for {
		b, err := r.Next()
		if err != nil || b == nil {
			return err
		}
	}
}

func TestTruncated(t *testing.T) {
	data, err := os.ReadFile("testdata/flat_snappy.parquet")
	if err != nil {
		t.Fatal(err)
	}
	for n := 0; n < len(data); n += 997 {
		if got := errs.ConditionOf(consume(data[:n])); got != "FAILED_READ_FILE.CANNOT_READ_FILE_FOOTER" {
			t.Fatalf("%d bytes: %q", n, got)
		}
	}
}

// FuzzRead changes bytes of real files: an error is well, a crash is not.
func FuzzRead(f *testing.F) {
	files, _ := filepath.Glob("testdata/*_*.parquet")
	for i := range files {
		f.Add(uint8(i), uint32(100), []byte{1}, uint32(70))
	}
	f.Fuzz(func(t *testing.T, file uint8, at uint32, with []byte, again uint32) {
		data, err := os.ReadFile(files[int(file)%len(files)])
		if err != nil {
			t.Fatal(err)
		}
		copy(data[int(at)%len(data):], with)
		copy(data[len(data)-1-int(again)%len(data):], with)
		_ = consume(data)
	})
}

// TestOtherReaders has pyarrow and duckdb read what the writer wrote, if PYTHON names an interpreter that has them.
func TestOtherReaders(t *testing.T) {
	python := os.Getenv("PYTHON")
	if python == "" {
		t.Skip("PYTHON is not set")
	}
	dir := t.TempDir()
	for _, base := range []string{"flat_snappy", "nested_snappy"} {
		for _, codec := range []string{"snappy", "zstd", "gzip", "none"} {
			data, err := os.ReadFile("testdata/" + base + ".parquet")
			if err != nil {
				t.Fatal(err)
			}
			out := filepath.Join(dir, base+codec+".parquet")
			if err := os.WriteFile(out, rewrite(t, data, WriteOptions{Codec: codec, GroupRows: 90}, 40), 0o644); err != nil {
				t.Fatal(err)
			}
			script := `
import sys, pyarrow.parquet as pq, duckdb
a, b = pq.read_table(sys.argv[1]).to_pydict(), pq.read_table(sys.argv[2]).to_pydict()
assert list(a) == list(b)
for k in a:
    assert a[k] == b[k] or [str(x) for x in a[k]] == [str(x) for x in b[k]], k
assert duckdb.sql(f"select count(*) from '{sys.argv[2]}'").fetchone()[0] == 300
duckdb.sql(f"select * from '{sys.argv[2]}'").fetchall()
`
			source, _ := filepath.Abs("testdata/" + base + ".parquet")
			if text, err := exec.Command(python, "-c", script, source, out).CombinedOutput(); err != nil {
				t.Errorf("%s %s: %v\n%s", base, codec, err, strings.TrimSpace(string(text)))
			}
		}
	}
}
