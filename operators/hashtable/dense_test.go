package hashtable

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"millrace/types"
	"millrace/vector"
)

// Keys come in dense runs and with outliers, so that the table changes between its forms.
func TestDenseAgreesWithMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		table, want := New([]*types.Type{types.Long}), map[int64]uint32{}
		if rapid.Bool().Draw(t, "index") {
			table = NewIndex([]*types.Type{types.Long})
		}
		var all []int64
		for range rapid.IntRange(1, 6).Draw(t, "batches") {
			keys := drawRuns(t)
			all = append(all, keys...)
			col := []*vector.Vector{vector.FromSlice(types.Long, keys)}
			out := make([]uint32, len(keys))
			if rapid.Bool().Draw(t, "expect") {
				table.Expect(col)
			}
			table.Find(col, nil, len(keys), out)
			for k, x := range keys {
				g, ok := want[x]
				if !ok {
					g = uint32(len(want))
					want[x] = g
				}
				if out[k] != g {
					t.Fatalf("key %d has number %d, want %d", x, out[k], g)
				}
			}
		}
		probe := append(all, drawRuns(t)...)
		out := make([]uint32, len(probe))
		table.Lookup([]*vector.Vector{vector.FromSlice(types.Long, probe)}, nil, len(probe), out)
		for k, x := range probe {
			if g, ok := want[x]; ok && out[k] != g || !ok && out[k] != Absent {
				t.Fatalf("lookup of %d: %d, want %d %t", x, out[k], g, ok)
			}
		}
		if table.Len() != len(want) {
			t.Fatalf("%d keys, want %d", table.Len(), len(want))
		}
	})
}

func drawRuns(t *rapid.T) []int64 {
	var keys []int64
	for range rapid.IntRange(1, 4).Draw(t, "runs") {
		start := rapid.OneOf(rapid.Int64Range(-9000, 9000), rapid.Int64(),
			rapid.SampledFrom([]int64{math.MinInt64, math.MaxInt64})).Draw(t, "start")
		step := rapid.SampledFrom([]int64{1, 1, -1, 3, 1 << 40}).Draw(t, "step")
		for i := range rapid.IntRange(1, 1500).Draw(t, "length") {
			keys = append(keys, start+int64(i)*step)
		}
	}
	return keys
}
