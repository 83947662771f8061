package expr

import (
	"millrace/errs"
	"millrace/planconv"
	"millrace/types"
	"millrace/vector"
)

func init() {
	strict := func(name string, build func(*Call) (Kernel, error)) {
		Register(name, Func{Strict: true, Pure: true, Build: build})
	}
	Register("field", Func{Lazy: newField})
	strict("[]", buildExtractValue)
	strict("get", func(*Call) (Kernel, error) { return elementKernel(zeroBased(nil)), nil })
	strict("element_at", buildElementAt)
	strict("try_element_at", buildElementAt)
	strict("element_fields", buildElementFields)
	Register("size", Func{Pure: true, Build: buildSize})
	strict("array_size", buildSize)
	Register("array_contains", Func{Strict: true, Pure: true, Build: func(*Call) (Kernel, error) { return fixedKernel(arrayContains), nil }})
	strict("array_position", func(*Call) (Kernel, error) { return fixedKernel(arrayPosition), nil })
	strict("map_contains_key", func(*Call) (Kernel, error) {
		return fixedKernel(func(in *inputs, i int) (bool, error) { return keyPlace(in.vec[0], i, in.vec[1]) != vector.NoRow, nil }), nil
	})
}

func showValue(v *vector.Vector, i int) string {
	if s, ok := planconv.At(v, i).(string); ok {
		return s
	}
	n, ok := planconv.At(v, i).(int64)
	if ok {
		return itoa(n)
	}
	return ""
}

// field is a member of a struct: the child column itself, null where the struct is.
type field struct {
	arg   Evaluator
	place int
	t     *types.Type
	out   vector.Vector
}

func newField(c *Call, args []Evaluator) (Evaluator, error) {
	if c.Consts[1] == nil {
		return nil, noKernel(c)
	}
	return &field{arg: args[0], place: int(intAt(c.Consts[1], 0)), t: c.Out}, nil
}

func (e *field) Type() *types.Type { return e.t }

func (e *field) Eval(ctx *Ctx, b *vector.Batch, sel []uint32) (*vector.Vector, error) {
	v, err := e.arg.Eval(ctx, b, sel)
	if err != nil {
		return nil, err
	}
	if v.Type.Kind == types.KindNull || v.Const && v.IsNull(0) {
		return vector.NewNull(e.t, b.N), nil
	}
	v = plainNested(v)
	child := v.Children[e.place]
	if v.Valid == nil && !v.Const && child.Len == b.N {
		return child, nil
	}
	e.out = *child
	e.out.Len, e.out.Const = b.N, v.Const || child.Const
	if v.Valid != nil && !v.Const {
		if child.Const {
			spread := vector.NewEmpty(e.t)
			spread.Append(child, make([]uint32, b.N))
			e.out = *spread
		}
		e.out.Valid = append(vector.Bitmap(nil), vector.And(nil, v.Valid, e.out.Valid, b.N)...)
	}
	return &e.out, nil
}

// elementKernel gives for each row the element of its list, or value of its map, whose place f finds; vector.NoRow is null.
func elementKernel(f func(v *vector.Vector, i int, key *vector.Vector) (uint32, error)) Kernel {
	var idx []uint32
	return func(_ *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		v := plainNested(args[0])
		idx = growSel(idx, n)
		for i := range idx {
			idx[i] = vector.NoRow
		}
		err := RowsErr(sel, n, func(i int) (err error) {
			idx[i], err = f(v, i, args[1])
			return err
		})
		if err != nil {
			return err
		}
		src := v.Children[len(v.Children)-1]
		if src.Len == 0 {
			out.Clear(out.Type)
			out.AppendNulls(n)
			return nil
		}
		out.Gather(src, idx)
		return nil
	}
}

// zeroBased finds elements by places from 0; outside gives the error for others, or is nil for null.
func zeroBased(outside func(place, size int64) error) func(*vector.Vector, int, *vector.Vector) (uint32, error) {
	return func(v *vector.Vector, i int, key *vector.Vector) (uint32, error) {
		r, k := v.Row(i), numAt(key, i)
		size := int64(v.Offsets[r+1] - v.Offsets[r])
		if k < 0 || k >= size {
			if outside != nil {
				return 0, outside(k, size)
			}
			return vector.NoRow, nil
		}
		return uint32(int64(v.Offsets[r]) + k), nil
	}
}

// keyPlace is where row i's map has its key, or NoRow.
func keyPlace(v *vector.Vector, i int, key *vector.Vector) uint32 {
	r, k := v.Row(i), key.Row(i)
	for j := v.Offsets[r]; j < v.Offsets[r+1]; j++ {
		if compareValues(v.Children[0], int(j), key, k) == 0 {
			return uint32(j)
		}
	}
	return vector.NoRow
}

// buildExtractValue makes array[place] and map[key].
func buildExtractValue(c *Call) (Kernel, error) {
	if c.Args[0].Kind == types.KindMap {
		return elementKernel(func(v *vector.Vector, i int, key *vector.Vector) (uint32, error) { return keyPlace(v, i, key), nil }), nil
	}
	if c.Mode != modeANSI {
		return elementKernel(zeroBased(nil)), nil
	}
	return elementKernel(zeroBased(func(place, size int64) error {
		return errs.New("INVALID_ARRAY_INDEX", "indexValue", itoa(place), "arraySize", itoa(size), "ansiConfig", ansiConfig)
	})), nil
}

// buildElementAt makes element_at: places count from 1, or from the end.
func buildElementAt(c *Call) (Kernel, error) {
	if c.Args[0].Kind == types.KindMap {
		return elementKernel(func(v *vector.Vector, i int, key *vector.Vector) (uint32, error) { return keyPlace(v, i, key), nil }), nil
	}
	strict := c.Name == "element_at" && c.Settings.GetAnsi() && c.Mode != modeTry
	return elementKernel(func(v *vector.Vector, i int, key *vector.Vector) (uint32, error) {
		r, k := v.Row(i), numAt(key, i)
		size := int64(v.Offsets[r+1] - v.Offsets[r])
		switch {
		case k == 0:
			return 0, errs.New("INVALID_INDEX_OF_ZERO")
		case k > size || k < -size:
			if strict {
				return 0, errs.New("INVALID_ARRAY_INDEX_IN_ELEMENT_AT", "indexValue", itoa(k), "arraySize", itoa(size), "ansiConfig", ansiConfig)
			}
			return vector.NoRow, nil
		case k < 0:
			k += size + 1
		}
		return uint32(int64(v.Offsets[r]) + k - 1), nil
	}), nil
}

// buildElementFields makes array<struct>.field: an array of the fields.
func buildElementFields(c *Call) (Kernel, error) {
	if c.Consts[1] == nil {
		return nil, noKernel(c)
	}
	f := &field{arg: &Param{}, place: int(intAt(c.Consts[1], 0)), t: c.Out.Elem}
	return func(ctx *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		v := plainNested(args[0])
		f.arg.(*Param).Value = v.Children[0]
		src, err := f.Eval(ctx, &vector.Batch{N: v.Children[0].Len}, nil)
		if err != nil {
			return err
		}
		return gatherLists(out, sel, n, src, func(i int, add func(int)) {
			r := v.Row(i)
			for j := v.Offsets[r]; j < v.Offsets[r+1]; j++ {
				add(int(j))
			}
		})
	}, nil
}

// buildSize counts elements. The size of null is -1 without ANSI.
func buildSize(c *Call) (Kernel, error) {
	return fixedKernel(func(in *inputs, i int) (int32, error) {
		v := in.vec[0]
		if v.IsNull(i) {
			if c.Settings.GetAnsi() {
				return 0, errNull
			}
			return -1, nil
		}
		r := v.Row(i)
		return v.Offsets[r+1] - v.Offsets[r], nil
	}), nil
}

// arrayContains is null where the value is not found and the array has a null.
func arrayContains(in *inputs, i int) (bool, error) {
	v, x := in.vec[0], in.vec[1]
	r, nulls := v.Row(i), false
	for j := int(v.Offsets[r]); j < int(v.Offsets[r+1]); j++ {
		switch e := v.Children[0]; {
		case e.IsNull(j):
			nulls = true
		case compareValues(e, j, x, x.Row(i)) == 0:
			return true, nil
		}
	}
	if nulls {
		return false, errNull
	}
	return false, nil
}

func arrayPosition(in *inputs, i int) (int64, error) {
	v, x := in.vec[0], in.vec[1]
	r := v.Row(i)
	for j := int(v.Offsets[r]); j < int(v.Offsets[r+1]); j++ {
		if e := v.Children[0]; !e.IsNull(j) && compareValues(e, j, x, x.Row(i)) == 0 {
			return int64(j) - int64(v.Offsets[r]) + 1, nil
		}
	}
	return 0, nil
}
