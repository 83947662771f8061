package hashtable

import (
	"testing"

	"millrace/types"
	"millrace/vector"
)

// Tables in which few keys are found make a sieve, which changes nothing but the time, and drop it for new keys.
func TestSieveChangesNothing(t *testing.T) {
	const n = 5000
	shapes := map[string]func(i int64) int64{
		"in a row": func(i int64) int64 { return i - 70 },
		"near":     func(i int64) int64 { return i*40 - 999 },
		"far":      func(i int64) int64 { return int64(Mix(uint64(i))) },
	}
	for name, key := range shapes {
		for _, columns := range []int{1, 2} {
			column := func(from, n int64) []*vector.Vector {
				list := make([]int64, n)
				for i := range list {
					list[i] = key(from + int64(i))
				}
				v := vector.FromSlice(types.Long, list)
				return []*vector.Vector{v, v}[:columns]
			}
			table := New([]*types.Type{types.Long, types.Long}[:columns])
			out := make([]uint32, 20*n)
			table.Find(column(0, n), nil, n, out)
			lookups := func(have int64) {
				for range 3 {
					table.Lookup(column(-5*n, 20*n), nil, 20*n, out)
					for k, g := range out {
						if i := int64(k - 5*n); i >= 0 && i < have && g != uint32(i) || (i < 0 || i >= have) && g != Absent {
							t.Fatalf("%s, %d columns: key %d has number %d", name, columns, i, g)
						}
					}
				}
			}
			lookups(n)
			sieve := &table.sieve
			if columns == 1 {
				sieve = &table.ints.sieve
			}
			if sieve.bits == nil || columns == 1 && (sieve.shift == 0) != (name != "far") {
				t.Errorf("%s, %d columns: the sieve is %d words, shift %d", name, columns, len(sieve.bits), sieve.shift)
			}
			table.Find(column(n, 10), nil, 10, out)
			lookups(n + 10)
			some := column(0, 20*n)
			table.Find(some, nil, 20*n, out)
			for range 3 {
				table.Lookup(some, nil, 20*n, out)
			}
			if sieve.bits != nil {
				t.Errorf("%s, %d columns: there is a sieve where all keys are found", name, columns)
			}
		}
	}
}
