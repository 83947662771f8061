package expr

import (
	"slices"

	"millrace/vector"
)

func init() {
	strict := func(name string, k Kernel) {
		Register(name, Func{Strict: true, Pure: true, Build: func(*Call) (Kernel, error) { return k, nil }})
	}
	strict("array_max", extremeElement(1))
	strict("array_min", extremeElement(-1))
	strict("array_sort", func(ctx *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		return sortLists(args[0], sel, n, out, func(int) (bool, bool) { return false, true })
	})
	strict("sort_array", func(ctx *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		return sortLists(args[0], sel, n, out, func(i int) (bool, bool) {
			if len(args) < 2 {
				return false, false
			}
			up := truth(args[1], i) == 1
			return !up, !up
		})
	})
}

// sortLists sorts each list by the order that of gives for its row.
func sortLists(v *vector.Vector, sel []uint32, n int, out *vector.Vector, of func(i int) (desc, nullsLast bool)) error {
	v = plainNested(v)
	e := v.Children[0]
	var places []int
	return gatherLists(out, sel, n, e, func(i int, add func(int)) {
		desc, nullsLast := of(i)
		r := v.Row(i)
		places = places[:0]
		for j := int(v.Offsets[r]); j < int(v.Offsets[r+1]); j++ {
			places = append(places, j)
		}
		slices.SortStableFunc(places, func(x, y int) int {
			a, b := e.IsNull(x), e.IsNull(y)
			switch {
			case a && b:
				return 0
			case a == nullsLast && a != b:
				return 1
			case a != b:
				return -1
			case desc:
				return compareValues(e, y, e, x)
			}
			return compareValues(e, x, e, y)
		})
		for _, j := range places {
			add(j)
		}
	})
}

// extremeElement picks the greatest (want 1) or least (want -1) element that is not null.
func extremeElement(want int) Kernel {
	return func(_ *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		v := plainNested(args[0])
		e := v.Children[0]
		idx := make([]uint32, n)
		for i := range idx {
			idx[i] = vector.NoRow
		}
		Rows(sel, n, func(i int) {
			r, best := v.Row(i), -1
			for j := int(v.Offsets[r]); j < int(v.Offsets[r+1]); j++ {
				if !e.IsNull(j) && (best < 0 || compareValues(e, j, e, best)*want > 0) {
					best = j
				}
			}
			if best >= 0 {
				idx[i] = uint32(best)
			}
		})
		t := out.Type
		*out = *gathered(e, idx)
		out.Type = t
		return nil
	}
}
