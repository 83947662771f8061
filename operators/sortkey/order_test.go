package sortkey

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"millrace/types"
	"millrace/vector"
	"millrace/vector/vectortest"
)

// Enough rows for entries to be dealt out before they are sorted, few enough values for ties.
func TestSortOfManyRowsIsStable(t *testing.T) {
	const n = 5*nearRun + 3
	for _, spread := range []uint64{1, 3, 700, 1 << 20, 1 << 50} {
		a, b := make([]int64, n), make([]int32, n)
		x := uint64(7)
		for i := range n {
			x = x*6364136223846793005 + 1442695040888963407
			a[i], b[i] = int64(x>>13%spread)*12-5, int32(x>>40%5)
		}
		cols := []*vector.Vector{vector.FromSlice(types.Long, a), vector.FromSlice(types.Integer, b)}
		keys := []Key{{Type: types.Long, Descending: spread == 700}, {Type: types.Integer, Descending: true}}
		want := make([]uint32, n)
		for i := range want {
			want[i] = uint32(i)
		}
		slices.SortStableFunc(want, func(i, j uint32) int { return Compare(keys, cols, int(i), cols, int(j)) })
		if !slices.Equal(Sort(keys, cols, n), want) {
			t.Fatalf("%d values of the first key: the order is wrong", spread)
		}
	}
}

func TestValuesOfAnOrderAreTheRows(t *testing.T) {
	told := 0
	rapid.Check(t, func(t *rapid.T) {
		keys := drawKeys(t)
		n := rapid.IntRange(1, 60).Draw(t, "n")
		var cols []*vector.Vector
		for _, k := range keys {
			cols = append(cols, vectortest.Vector(t, k.Type, n, vectortest.Options{SmallInts: rapid.Bool().Draw(t, "small"), NoNulls: rapid.Bool().Draw(t, "no nulls")}))
		}
		order, err := SortUntil(keys, cols, n, func() error { return nil })
		if err != nil {
			t.Fatal(err)
		}
		from := rapid.IntRange(0, n-1).Draw(t, "from")
		for i := range keys {
			var got, want vector.Vector
			if !order.Values(i, from, n-from, cols[i].Type, &got) {
				continue
			}
			told++
			want.Gather(cols[i], order.Rows[from:])
			for r := range n - from {
				if Values(&got, r, &want, r) != 0 {
					t.Fatalf("key %d, row %d of the order: the words tell another value", i, from+r)
				}
			}
		}
	})
	if told == 0 {
		t.Fatal("no order told a key's values")
	}
}
