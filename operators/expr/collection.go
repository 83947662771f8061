package expr

import (
	"strconv"

	"millrace/vector"
)

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

// gatherLists builds a column of lists from elements of src: f adds the elements' places for each row.
func gatherLists(out *vector.Vector, sel []uint32, n int, src *vector.Vector, f func(i int, add func(j int))) error {
	var idx []uint32
	add := func(j int) { idx = append(idx, uint32(j)) }
	next := 0
	Rows(sel, n, func(i int) {
		for ; next < i; next++ {
			out.Offsets[next+1] = out.Offsets[next]
		}
		f(i, add)
		out.Offsets[i+1] = int32(len(idx))
		next = i + 1
	})
	for ; next < n; next++ {
		out.Offsets[next+1] = out.Offsets[next]
	}
	child := vector.NewEmpty(src.Type)
	if len(idx) > 0 {
		child.Append(src, idx)
	}
	out.Children = []*vector.Vector{child}
	return nil
}

func reverseArrays(_ *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
	v := args[0]
	return gatherLists(out, sel, n, v.Children[0], func(i int, add func(int)) {
		r := v.Row(i)
		for j := int(v.Offsets[r+1]) - 1; j >= int(v.Offsets[r]); j-- {
			add(j)
		}
	})
}

func concatArrays(_ *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
	all := vector.NewEmpty(out.Type.Elem)
	starts := make([]int, len(args))
	for k, a := range args {
		starts[k] = all.Len
		if e := a.Children[0]; e.Len > 0 {
			all.Append(e, rowNumbers(e.Len))
		}
	}
	return gatherLists(out, sel, n, all, func(i int, add func(int)) {
		for k, a := range args {
			r := a.Row(i)
			for j := a.Offsets[r]; j < a.Offsets[r+1]; j++ {
				add(starts[k] + int(j))
			}
		}
	})
}

func rowNumbers(n int) []uint32 {
	idx := make([]uint32, n)
	for i := range idx {
		idx[i] = uint32(i)
	}
	return idx
}

// compareValues is CompareRows that looks through dictionaries.
func compareValues(a *vector.Vector, i int, b *vector.Vector, j int) int {
	if a.Dict != nil && !a.Type.IsStringLike() {
		i, a = int(vector.Codes(a)[a.Row(i)]), a.Dict
	}
	if b.Dict != nil && !b.Type.IsStringLike() {
		j, b = int(vector.Codes(b)[b.Row(j)]), b.Dict
	}
	return CompareRows(a, i, b, j)
}
