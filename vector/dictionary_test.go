package vector_test

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"millrace/types"
	"millrace/vector"
	"millrace/vector/vectortest"
)

// numbered is a dictionary vector of entries "from" to "from+entries-1", with a null now and then.
func numbered(from, entries, rows int, nulls bool) *vector.Vector {
	words := make([]string, entries)
	for i := range words {
		words[i] = fmt.Sprint("word ", from+i)
	}
	v := &vector.Vector{}
	v.ResetDict(vector.FromStrings(types.String, words, nil), rows)
	for i := range rows {
		vector.Codes(v)[i] = int32(i * 7 % entries)
		if nulls && i%5 == 0 {
			v.SetNull(i)
		}
	}
	return v
}

func TestBuilderMergesDictionaries(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := vector.NewBuilder([]*types.Type{types.String})
		var want [][]any
		var held []*vector.Vector
		var rows [][][]any
		for range rapid.IntRange(2, 5).Draw(t, "columns") {
			v := numbered(rapid.IntRange(0, 2000).Draw(t, "from"), rapid.IntRange(1, 900).Draw(t, "entries"), rapid.IntRange(1, 1500).Draw(t, "rows"),
				rapid.Bool().Draw(t, "nulls"))
			in := &vector.Batch{Cols: []*vector.Vector{v}, N: v.Len}
			for range rapid.IntRange(1, 2).Draw(t, "times") {
				if rapid.Bool().Draw(t, "selected") {
					in.Sel = []uint32{uint32(v.Len - 1), 0, uint32(v.Len / 2)}
				}
				b.AppendSelected(in)
				want = append(want, vectortest.Rows(in)...)
			}
			now := *b.Columns()[0] // what a reader of the columns has seen stays
			held, rows = append(held, &now), append(rows, slices.Clone(want))
		}
		for i, v := range held {
			same(t, "earlier", vectortest.Rows(&vector.Batch{Cols: []*vector.Vector{v}, N: v.Len}), rows[i])
		}
		got := b.Take()
		if got.Cols[0].Dict == nil {
			t.Fatal("the column is not a dictionary any more")
		}
		same(t, "merged", vectortest.Rows(got), want)
	})
}

func BenchmarkBuilderMergesDictionaries(b *testing.B) {
	x, y := numbered(0, 6000, vector.BatchRows, true), numbered(3000, 6000, vector.BatchRows, true)
	for b.Loop() {
		rows := vector.NewBuilder([]*types.Type{types.String})
		for range 100 {
			rows.AppendColumns([]*vector.Vector{x}, nil, x.Len)
			rows.AppendColumns([]*vector.Vector{y}, nil, y.Len)
		}
	}
	b.ReportMetric(200*vector.BatchRows*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mrows/s")
}
