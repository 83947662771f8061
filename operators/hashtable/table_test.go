package hashtable

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"millrace/types"
	"millrace/vector"
	"millrace/vector/vectortest"
)

func keyOf(row []any) string { return fmt.Sprintf("%#v", normal(row)) }

// normal has one zero and one NaN, as keys do.
func normal(x any) any {
	switch x := x.(type) {
	case float64:
		if x == 0 {
			return 0.0
		} else if x != x {
			return math.NaN()
		}
	case []any:
		list := make([]any, len(x))
		for i := range x {
			list[i] = normal(x[i])
		}
		return list
	}
	return x
}

func TestFindAgreesWithMap(t *testing.T) {
	all := append(slices.Clone(vectortest.Atomic), vectortest.Nested...)
	rapid.Check(t, func(t *rapid.T) {
		cols := rapid.SliceOfN(rapid.SampledFrom(all), 1, 3).Draw(t, "types")
		o := vectortest.Options{MaxRows: 60, SmallInts: rapid.Bool().Draw(t, "small")}
		table, want := New(cols), map[string]uint32{}
		var last *vector.Batch
		for range rapid.IntRange(1, 4).Draw(t, "batches") {
			b := vectortest.Batch(t, cols, o)
			if last != nil && rapid.Bool().Draw(t, "again") {
				b = last
			}
			last = b
			rows := vectortest.Rows(b)
			out := make([]uint32, len(rows))
			if rapid.Bool().Draw(t, "lookup") {
				table.Lookup(b.Cols, b.Sel, len(rows), out)
				for k, r := range rows {
					if g, ok := want[keyOf(r)]; ok && g != out[k] || !ok && out[k] != Absent {
						t.Fatalf("lookup row %v: %d, want %d %t", r, out[k], g, ok)
					}
				}
				continue
			}
			table.Find(b.Cols, b.Sel, len(rows), out)
			for k, r := range rows {
				g, ok := want[keyOf(r)]
				if !ok {
					g = out[k]
					if slices.Contains(values(want), g) {
						t.Fatalf("new key %v got the number %d of another", r, g)
					}
					want[keyOf(r)] = g
				}
				if g != out[k] {
					t.Fatalf("row %v: number %d, want %d", r, out[k], g)
				}
			}
			if table.Len() != len(want) {
				t.Fatalf("%d keys, want %d", table.Len(), len(want))
			}
		}
		for i, r := range vectortest.Rows(&vector.Batch{Cols: table.Keys(), N: table.Len()}) {
			if want[keyOf(r)] != uint32(i) {
				t.Fatalf("key %d is %v", i, r)
			}
		}
	})
}

func values(m map[string]uint32) []uint32 {
	list := []uint32{}
	for _, v := range m {
		list = append(list, v)
	}
	return list
}

func benchFind(b *testing.B, cols []*vector.Vector, rows int) {
	ts := []*types.Type{}
	for _, c := range cols {
		ts = append(ts, c.Type)
	}
	out := make([]uint32, vector.BatchRows)
	for b.Loop() {
		t := New(ts)
		batch := &vector.Batch{Cols: cols, N: rows}
		for at := 0; at < rows; at += vector.BatchRows {
			n := min(vector.BatchRows, rows-at)
			t.Find(vector.SliceBatch(batch, at, n).Cols, nil, n, out)
		}
	}
	b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mrows/s")
}

func BenchmarkFind(b *testing.B) {
	const rows = 3_000_000
	seq, rnd := make([]int64, rows), make([]int64, rows)
	for i := range rows {
		seq[i] = int64(i / 4)
		rnd[i] = int64(Mix(uint64(i)) % 1_500_000)
	}
	sparse := make([]int64, rows)
	for i := range rows {
		sparse[i] = int64(Mix(uint64(rnd[i])))
	}
	b.Run("sparse", func(b *testing.B) { benchFind(b, []*vector.Vector{vector.FromSlice(types.Long, sparse)}, rows) })
	b.Run("sequential", func(b *testing.B) { benchFind(b, []*vector.Vector{vector.FromSlice(types.Long, seq)}, rows) })
	b.Run("random", func(b *testing.B) { benchFind(b, []*vector.Vector{vector.FromSlice(types.Long, rnd)}, rows) })
	b.Run("two keys", func(b *testing.B) {
		benchFind(b, []*vector.Vector{vector.FromSlice(types.Long, rnd), vector.FromSlice(types.Long, seq)}, rows)
	})
}
