package sortkey

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"millrace/types"
	"millrace/vector"
	"millrace/vector/vectortest"
)

var sortable = append(slices.Clone(vectortest.Atomic), types.ArrayOf(types.Integer, true), types.Null,
	types.Struct(types.Field{Name: "a", Type: types.String, Nullable: true}))

func drawKeys(t *rapid.T) []Key {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Key {
		return Key{rapid.SampledFrom(sortable).Draw(t, "type"), rapid.Bool().Draw(t, "desc"), rapid.Bool().Draw(t, "nulls first")}
	}), 1, 3).Draw(t, "keys")
}

func TestSortAgreesWithComparing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		keys := drawKeys(t)
		n := rapid.IntRange(0, 60).Draw(t, "n")
		var cols []*vector.Vector
		for _, k := range keys {
			cols = append(cols, vectortest.Vector(t, k.Type, n, vectortest.Options{SmallInts: rapid.Bool().Draw(t, "small")}))
		}
		want := make([]uint32, n)
		for i := range want {
			want[i] = uint32(i)
		}
		slices.SortStableFunc(want, func(i, j uint32) int { return Compare(keys, cols, int(i), cols, int(j)) })
		if got := Sort(keys, cols, n); !slices.Equal(got, want) {
			t.Fatalf("order %v, want %v", got, want)
		}
	})
}

func TestSharedWordsCompareAcrossBatches(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		keys := drawKeys(t)
		draw := func(name string) ([]*vector.Vector, *Encoder) {
			var cols []*vector.Vector
			for _, k := range keys {
				cols = append(cols, vectortest.Vector(t, k.Type, 5, vectortest.Options{SmallInts: true}))
			}
			e := NewEncoder(keys, true)
			e.Encode(cols, nil, 5)
			return cols, e
		}
		a, x := draw("a")
		b, y := draw("b")
		if len(x.Words) != len(y.Words) || x.Exact != y.Exact {
			t.Fatal("layouts differ")
		}
		for i := range 5 {
			for j := range 5 {
				c := 0
				for w := range x.Words {
					if c == 0 && x.Words[w][i] != y.Words[w][j] {
						c = 1
						if x.Words[w][i] < y.Words[w][j] {
							c = -1
						}
					}
				}
				want := Compare(keys, a, i, b, j)
				if c != 0 && (c < 0) != (want < 0) || c == 0 && x.Exact && want != 0 {
					t.Fatalf("words say %d, values %d", c, want)
				}
			}
		}
	})
}

func BenchmarkSort2M(b *testing.B) {
	const n = 2_000_000
	f, l := make([]float64, n), make([]int64, n)
	x := uint64(1)
	for i := range n {
		x = x*6364136223846793005 + 1442695040888963407
		f[i], l[i] = float64(x>>40)/100, int64(i)
	}
	cols := []*vector.Vector{vector.FromSlice(types.Double, f), vector.FromSlice(types.Long, l)}
	keys := []Key{{Type: types.Double}, {Type: types.Long}}
	for b.Loop() {
		Sort(keys, cols, n)
	}
}
