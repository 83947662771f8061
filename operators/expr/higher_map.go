package expr

import (
	"millrace/vector"
)

func init() {
	registerHigher("map_filter", mapFilter)
	registerHigher("transform_values", transformValues)
	registerHigher("transform_keys", transformKeys)
	registerHigher("map_zip_with", mapZipWith)
}

func mapFilter(ctx *Ctx, h *higher, b *vector.Batch, vals []*vector.Vector, sel []uint32, out *vector.Vector) error {
	e := elementsOf(vals[0], sel, b.N)
	v, err := h.l[0].apply(ctx, b, e.rows, e.column(0), e.column(1))
	if err != nil {
		return err
	}
	kept := keepTrue(e, v, out)
	out.Children = []*vector.Vector{gathered(e.list.Children[0], kept), gathered(e.list.Children[1], kept)}
	return nil
}

func transformValues(ctx *Ctx, h *higher, b *vector.Batch, vals []*vector.Vector, sel []uint32, out *vector.Vector) error {
	e := elementsOf(vals[0], sel, b.N)
	v, err := h.l[0].apply(ctx, b, e.rows, e.column(0), e.column(1))
	if err != nil {
		return err
	}
	copy(out.Offsets, e.offsets)
	out.Children = []*vector.Vector{owned(e.column(0), out.Type.Key, e.len()), owned(v, out.Type.Elem, e.len())}
	return nil
}

func transformKeys(ctx *Ctx, h *higher, b *vector.Batch, vals []*vector.Vector, sel []uint32, out *vector.Vector) error {
	e := elementsOf(vals[0], sel, b.N)
	v, err := h.l[0].apply(ctx, b, e.rows, e.column(0), e.column(1))
	if err != nil {
		return err
	}
	copy(out.Offsets, e.offsets)
	out.Children = []*vector.Vector{owned(v, out.Type.Key, e.len()), owned(e.column(1), out.Type.Elem, e.len())}
	return dedupKeys(h.c, out, sel, b.N)
}

// mapZipWith goes over the first map's keys and then over those that only the second has.
func mapZipWith(ctx *Ctx, h *higher, b *vector.Batch, vals []*vector.Vector, sel []uint32, out *vector.Vector) error {
	x, y := plainNested(vals[0]), plainNested(vals[1])
	set, err := newElementSet(h.c.Out.Key, x.Children[0], y.Children[0])
	if err != nil {
		return err
	}
	var rows, keys, left, right []uint32
	next := 0
	for _, i := range sel {
		for ; next < int(i); next++ {
			out.Offsets[next+1] = out.Offsets[next]
		}
		xs, ys := x.Row(int(i)), y.Row(int(i))
		first := len(keys)
		set.clear(int(x.Offsets[xs+1] - x.Offsets[xs] + y.Offsets[ys+1] - y.Offsets[ys]))
		for j := x.Offsets[xs]; j < x.Offsets[xs+1]; j++ {
			if _, fresh := set.add(set.place(0, int(j)), len(keys)); fresh {
				rows, keys, left, right = append(rows, i), append(keys, uint32(set.place(0, int(j)))), append(left, uint32(j)), append(right, vector.NoRow)
			}
		}
		for j := y.Offsets[ys]; j < y.Offsets[ys+1]; j++ {
			at, fresh := set.add(set.place(1, int(j)), len(keys))
			if fresh {
				rows, keys, left, right = append(rows, i), append(keys, uint32(set.place(1, int(j)))), append(left, vector.NoRow), append(right, uint32(j))
			} else if at >= first {
				right[at] = uint32(j)
			}
		}
		out.Offsets[i+1] = int32(len(rows))
		next = int(i) + 1
	}
	for ; next < b.N; next++ {
		out.Offsets[next+1] = out.Offsets[next]
	}
	key := gathered(set.all, keys)
	v, err := h.l[0].apply(ctx, b, rows, key, gathered(x.Children[1], left), gathered(y.Children[1], right))
	if err != nil {
		return err
	}
	out.Children = []*vector.Vector{key, owned(v, out.Type.Elem, len(rows))}
	return nil
}
