package expr

import (
	"slices"

	"millrace/types"
	"millrace/vector"
)

func init() {
	strict := func(name string, k func(t *types.Type, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error) {
		Register(name, Func{Strict: true, Pure: true, Build: func(c *Call) (Kernel, error) {
			return func(_ *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
				return k(c.Args[0].Elem, args, sel, n, out)
			}, nil
		}})
	}
	strict("array_max", extremeElement(1))
	strict("array_min", extremeElement(-1))
	strict("array_sort", func(t *types.Type, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		return sortLists(t, args[0], sel, n, out, func(int) (bool, bool) { return false, true })
	})
	strict("sort_array", func(t *types.Type, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		return sortLists(t, args[0], sel, n, out, func(i int) (bool, bool) {
			if len(args) < 2 {
				return false, false
			}
			up := truth(args[1], i) == 1
			return !up, !up
		})
	})
}

// sortLists sorts each list, of elements of a type, by the order that of gives for its row.
func sortLists(t *types.Type, v *vector.Vector, sel []uint32, n int, out *vector.Vector, of func(i int) (desc, nullsLast bool)) error {
	v = plainNested(v)
	e := v.Children[0]
	k, err := keysOf(e, t)
	if err != nil {
		return err
	}
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
				return compareValues(k, y, k, x)
			}
			return compareValues(k, x, k, y)
		})
		for _, j := range places {
			add(j)
		}
	})
}

// extremeElement picks the greatest (want 1) or least (want -1) element that is not null.
func extremeElement(want int) func(t *types.Type, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
	return func(of *types.Type, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		v := plainNested(args[0])
		e := v.Children[0]
		k, err := keysOf(e, of)
		if err != nil {
			return err
		}
		idx := make([]uint32, n)
		for i := range idx {
			idx[i] = vector.NoRow
		}
		Rows(sel, n, func(i int) {
			r, best := v.Row(i), -1
			for j := int(v.Offsets[r]); j < int(v.Offsets[r+1]); j++ {
				if !e.IsNull(j) && (best < 0 || compareValues(k, j, k, best)*want > 0) {
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
