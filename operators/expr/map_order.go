package expr

import (
	"slices"

	"millrace/types"
	"millrace/vector"
)

func init() {
	Register("map_sort", Func{Strict: true, Pure: true, Build: func(*Call) (Kernel, error) { return mapSort, nil }})
}

// mapSort puts the entries of maps, at any depth of a value, in the order of their keys, so that equal maps are the same bytes. The planner
// calls it on what is grouped by.
func mapSort(_ *Ctx, args []*vector.Vector, _ []uint32, n int, out *vector.Vector) error {
	v := args[0]
	if v.Const {
		v = gathered(v, make([]uint32, n))
	}
	v = sortedMaps(v)
	if out.Type.Kind != types.KindStruct {
		copy(out.Offsets, v.Offsets)
	}
	out.Children = v.Children
	return nil
}

// sortedMaps is a column whose maps are in order. It shares what holds no maps.
func sortedMaps(v *vector.Vector) *vector.Vector {
	if !holdsMap(v.Type) {
		return v
	}
	v = plainNested(v)
	c := *v
	c.Children = make([]*vector.Vector, len(v.Children))
	for i, child := range v.Children {
		c.Children[i] = sortedMaps(child)
	}
	if v.Type.Kind == types.KindMap {
		inOrder(&c)
	}
	return &c
}

// inOrder sorts the entries of each map.
func inOrder(v *vector.Vector) {
	keys := v.Children[0]
	if keys.Len == 0 {
		return
	}
	places := rowNumbers(keys.Len)
	changed := false
	for i := range v.Len {
		entries := places[v.Offsets[i]:v.Offsets[i+1]]
		less := func(x, y uint32) int { return CompareRows(keys, int(x), keys, int(y)) }
		if !slices.IsSortedFunc(entries, less) {
			slices.SortStableFunc(entries, less)
			changed = true
		}
	}
	if changed {
		v.Children = []*vector.Vector{gathered(keys, places), gathered(v.Children[1], places)}
	}
}

func holdsMap(t *types.Type) bool {
	switch t.Kind {
	case types.KindMap:
		return true
	case types.KindArray, types.KindUDT:
		return holdsMap(t.Elem)
	}
	return slices.ContainsFunc(t.Fields, func(f types.Field) bool { return holdsMap(f.Type) })
}
