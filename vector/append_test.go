package vector_test

import (
	"bytes"
	"slices"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"pgregory.net/rapid"

	"millrace/types"
	"millrace/vector"
	"millrace/vector/vectortest"
)

func drawTypes(t *rapid.T) []*types.Type {
	all := append(slices.Clone(vectortest.Atomic), vectortest.Nested...)
	return rapid.SliceOfN(rapid.SampledFrom(all), 1, 3).Draw(t, "types")
}

func same(t *rapid.T, what string, got, want [][]any) {
	t.Helper()
	if g, w := vectortest.Show(got), vectortest.Show(want); !slices.Equal(g, w) {
		t.Fatalf("%s: got %v, want %v", what, g, w)
	}
}

func TestBuilderGathersSelectedRows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cols := drawTypes(t)
		b := vector.NewBuilder(cols)
		var want [][]any
		var last *vector.Batch
		for range rapid.IntRange(1, 4).Draw(t, "batches") {
			in := vectortest.Batch(t, cols, vectortest.Options{MaxRows: 70})
			if last != nil && rapid.Bool().Draw(t, "again") {
				in = last
			}
			if in.Sel == nil && rapid.Bool().Draw(t, "keep") {
				b.Keep(in)
			} else {
				b.AppendSelected(in)
			}
			if rapid.Bool().Draw(t, "look") && b.Len() > 0 {
				b.Columns()
			}
			want = append(want, vectortest.Rows(in)...)
			last = in
		}
		if b.Len() != len(want) {
			t.Fatalf("the builder has %d rows of %d", b.Len(), len(want))
		}
		got := b.Take()
		if got == nil {
			got = &vector.Batch{}
		}
		same(t, "builder", vectortest.Rows(got), want)
	})
}

func TestGatherWithNoRow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := drawTypes(t)[0]
		n := rapid.IntRange(0, 20).Draw(t, "n")
		src := vectortest.Vector(t, c, n, vectortest.Options{})
		var idx []uint32
		var want [][]any
		for range rapid.IntRange(1, 80).Draw(t, "picks") {
			r := rapid.IntRange(-1, n-1).Draw(t, "row")
			if r < 0 {
				idx, want = append(idx, vector.NoRow), append(want, []any{nil})
			} else {
				idx, want = append(idx, uint32(r)), append(want, []any{vectortest.Value(src, r)})
			}
		}
		out := vector.NewEmpty(c)
		out.Gather(src, idx)
		same(t, "gather", vectortest.Rows(&vector.Batch{Cols: []*vector.Vector{out}, N: out.Len}), want)
	})
}

func TestArrowRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cols := drawTypes(t)
		fields := make([]types.Field, len(cols))
		for i, c := range cols {
			fields[i] = types.Field{Name: "c", Type: c, Nullable: true}
		}
		in := vectortest.Batch(t, cols, vectortest.Options{MaxRows: 70})
		schema := vector.ArrowSchema(fields, "UTC")
		if rapid.Bool().Draw(t, "dictionaries") {
			schema = vector.DictionarySchema(fields, "UTC", in)
		}
		rec := vector.ToArrow(in, schema)
		rec = throughIPC(t, rec)
		from := rapid.Int64Range(0, rec.NumRows()).Draw(t, "from")
		to := rapid.Int64Range(from, rec.NumRows()).Draw(t, "to")
		out, err := vector.FromArrow(rec.NewSlice(from, to), cols)
		if err != nil {
			t.Fatal(err)
		}
		same(t, "arrow", vectortest.Rows(out), vectortest.Rows(in)[from:to])
		for i, f := range schema.Fields() {
			if got, err := vector.TypeFromArrow(f.Type); err != nil || got.Kind != cols[i].Kind {
				t.Fatalf("type of %s: %v, %v", f.Type, got, err)
			}
		}
	})
}

func throughIPC(t *rapid.T, rec arrow.RecordBatch) arrow.RecordBatch {
	var buf bytes.Buffer
	w := ipc.NewWriter(&buf, ipc.WithSchema(rec.Schema()))
	if err := w.Write(rec); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	r, err := ipc.NewReader(&buf)
	if err != nil {
		t.Fatal(err)
	}
	out, err := r.Read()
	if err != nil {
		t.Fatal(err)
	}
	out.Retain()
	return out
}

func TestForeignArrowLayouts(t *testing.T) {
	lb := array.NewLargeStringBuilder(memory.DefaultAllocator)
	vb := array.NewStringViewBuilder(memory.DefaultAllocator)
	want := []string{"x", "", "something longer than a view's prefix"}
	for _, s := range want {
		lb.Append(s)
		vb.Append(s)
	}
	for _, a := range []arrow.Array{lb.NewArray(), vb.NewArray()} {
		rec := array.NewRecordBatch(arrow.NewSchema([]arrow.Field{{Name: "s", Type: a.DataType()}}, nil), []arrow.Array{array.NewSlice(a, 1, 3)}, 2)
		b, err := vector.FromArrow(rec, []*types.Type{types.String})
		if err != nil {
			t.Fatal(err)
		}
		for i, s := range want[1:] {
			if string(b.Cols[0].Str(i)) != s {
				t.Errorf("%s row %d: %q, want %q", a.DataType(), i, b.Cols[0].Str(i), s)
			}
		}
	}
}

func TestRetain(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cols := drawTypes(t)
		b := vector.NewBuilder(cols)
		var want [][]any
		for range rapid.IntRange(1, 4).Draw(t, "steps") {
			in := vectortest.Batch(t, cols, vectortest.Options{MaxRows: 150})
			b.AppendSelected(in)
			want = append(want, vectortest.Rows(in)...)
			var sel []uint32
			var kept [][]any
			for i, row := range want {
				if rapid.IntRange(0, 4).Draw(t, "keep") > 0 {
					sel, kept = append(sel, uint32(i)), append(kept, row)
				}
			}
			b.Retain(sel)
			if want = kept; b.Len() != len(want) {
				t.Fatalf("%d rows, want %d", b.Len(), len(want))
			}
		}
		got := b.Take()
		if got == nil {
			got = &vector.Batch{}
		}
		same(t, "retained", vectortest.Rows(got), want)
	})
}
