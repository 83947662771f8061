package expr

import (
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"millrace/planconv"
	"millrace/types"
	"millrace/vector"
)

// mix sets row i of out, for the rows in sel, to row i of parts[from[i]].
func mix(out *vector.Vector, t *types.Type, parts []*vector.Vector, from []uint8, sel []uint32, n int) *vector.Vector {
	out.Reset(t, n)
	mixNulls(out, parts, from, sel, n)
	width := vector.Width(t)
	switch {
	case t.IsStringLike():
		w := NewStringWriter(out, n)
		Rows(sel, n, func(i int) {
			if out.Valid == nil || out.Valid.Get(i) {
				w.Append(i, parts[from[i]].Str(i))
			}
		})
		w.Close()
	case width == 1:
		mixFixed[uint8](out, parts, from, sel, n)
	case width == 2:
		mixFixed[int16](out, parts, from, sel, n)
	case width == 4:
		mixFixed[uint32](out, parts, from, sel, n)
	case width == 8:
		mixFixed[uint64](out, parts, from, sel, n)
	case width == 16:
		mixFixed[decimal128.Num](out, parts, from, sel, n)
	case t.Kind != types.KindNull:
		values := make([]any, n)
		Rows(sel, n, func(i int) { values[i] = planconv.At(parts[from[i]], i) })
		*out = *planconv.FromValues(t, values)
	}
	return out
}

func mixNulls(out *vector.Vector, parts []*vector.Vector, from []uint8, sel []uint32, n int) {
	any := false
	for _, p := range parts {
		any = any || p.HasNulls()
	}
	if !any {
		return
	}
	out.Valid = vector.NewBitmap(n)
	Rows(sel, n, func(i int) {
		if parts[from[i]].IsNull(i) {
			out.Valid.Clear(i)
		}
	})
}

func mixFixed[T vector.Fixed](out *vector.Vector, parts []*vector.Vector, from []uint8, sel []uint32, n int) {
	values, masks := make([][]T, len(parts)), make([]int, len(parts))
	zero := make([]T, 1)
	for p, v := range parts {
		values[p], masks[p] = vector.Values[T](v), stride(v)
		if v.Type.Kind == types.KindNull {
			values[p], masks[p] = zero, 0
		}
	}
	r := vector.Values[T](out)
	if sel == nil {
		for i := range r[:n] {
			p := from[i]
			r[i] = values[p][i&masks[p]]
		}
		return
	}
	for _, i := range sel {
		p := from[i]
		r[i] = values[p][int(i)&masks[p]]
	}
}
