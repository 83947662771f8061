package expr

import (
	"math"

	"millrace/errs"
	"millrace/types"
	"millrace/vector"
)

// maxArray is the greatest number of elements that Spark makes.
const maxArray = math.MaxInt32 - 15

func init() {
	strict := func(name string, k Kernel) {
		Register(name, Func{Strict: true, Pure: true, Build: func(*Call) (Kernel, error) { return k, nil }})
	}
	loose := func(name string, k Kernel) {
		Register(name, Func{Pure: true, Build: func(*Call) (Kernel, error) { return k, nil }})
	}
	strict("array_compact", arrayCompact)
	Register("array_remove", Func{Strict: true, Pure: true, Build: arrayRemove})
	strict("flatten", flatten)
	Register("slice", Func{Strict: true, Pure: true, Build: func(*Call) (Kernel, error) { return sliceArrays, nil }})
	loose("array_repeat", arrayRepeat)
	loose("array_append", arrayAdd(false))
	loose("array_prepend", arrayAdd(true))
	Register("array_insert", Func{Pure: true, Build: func(c *Call) (Kernel, error) { return arrayInsert(c), nil }})
	strict("arrays_zip", arraysZip)
	Register("array_join", Func{Pure: true, Build: func(*Call) (Kernel, error) { return textKernel(arrayJoin), nil }})
}

func arrayCompact(_ *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
	v := plainNested(args[0])
	return gatherLists(out, sel, n, v.Children[0], func(i int, add func(int)) {
		r := v.Row(i)
		for j := int(v.Offsets[r]); j < int(v.Offsets[r+1]); j++ {
			if !v.Children[0].IsNull(j) {
				add(j)
			}
		}
	})
}

func arrayRemove(c *Call) (Kernel, error) {
	t := c.Args[0].Elem
	return func(_ *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		v := plainNested(args[0])
		e := v.Children[0]
		k, err := keysOf(e, t)
		if err != nil {
			return err
		}
		x, err := keysOf(args[1], t)
		if err != nil {
			return err
		}
		x.Const = args[1].Const
		return gatherLists(out, sel, n, e, func(i int, add func(int)) {
			r := v.Row(i)
			for j := int(v.Offsets[r]); j < int(v.Offsets[r+1]); j++ {
				if e.IsNull(j) || compareValues(k, j, x, x.Row(i)) != 0 {
					add(j)
				}
			}
		})
	}, nil
}

// flatten joins the arrays of an array; it is null where one of them is.
func flatten(_ *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
	v := plainNested(args[0])
	inner := plainNested(v.Children[0])
	if inner.Type.Kind == types.KindNull {
		return gatherLists(out, sel, n, vector.NewEmpty(out.Type.Elem), func(i int, _ func(int)) {
			if r := v.Row(i); v.Offsets[r] < v.Offsets[r+1] {
				out.SetNull(i)
			}
		})
	}
	return gatherLists(out, sel, n, inner.Children[0], func(i int, add func(int)) {
		r := v.Row(i)
		for j := int(v.Offsets[r]); j < int(v.Offsets[r+1]); j++ {
			if inner.IsNull(j) {
				out.SetNull(i)
				return
			}
		}
		for j := int(v.Offsets[r]); j < int(v.Offsets[r+1]); j++ {
			q := inner.Row(j)
			for e := int(inner.Offsets[q]); e < int(inner.Offsets[q+1]); e++ {
				add(e)
			}
		}
	})
}

// sliceArrays is slice(array, start, length); starts count from 1, or from the end.
func sliceArrays(_ *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
	v := plainNested(args[0])
	var failed error
	err := gatherLists(out, sel, n, v.Children[0], func(i int, add func(int)) {
		r := v.Row(i)
		size := int64(v.Offsets[r+1] - v.Offsets[r])
		start, length := numAt(args[1], i), numAt(args[2], i)
		switch {
		case failed != nil:
			return
		case start == 0:
			failed = errs.New("INVALID_PARAMETER_VALUE.START", "parameter", "`start`", "functionName", "`slice`")
			return
		case length < 0:
			failed = errs.New("INVALID_PARAMETER_VALUE.LENGTH", "parameter", "`length`", "functionName", "`slice`", "length", itoa(length))
			return
		case start < 0:
			start += size
		default:
			start--
		}
		if start < 0 {
			return
		}
		for j := start; j < min(start+length, size); j++ {
			add(int(v.Offsets[r]) + int(j))
		}
	})
	if failed != nil {
		return failed
	}
	return err
}

// arrayRepeat is null where the count is; a null element is repeated.
func arrayRepeat(_ *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
	var failed error
	src := owned(args[0], out.Type.Elem, n)
	err := gatherLists(out, sel, n, src, func(i int, add func(int)) {
		if args[1].IsNull(i) {
			out.SetNull(i)
			return
		}
		count := numAt(args[1], i)
		if count > maxArray {
			failed = tooManyElements("array_repeat", count)
			return
		}
		for range count {
			add(i)
		}
	})
	if failed != nil {
		return failed
	}
	return err
}

func tooManyElements(name string, count int64) error {
	return errs.New("COLLECTION_SIZE_LIMIT_EXCEEDED.FUNCTION", "functionName", "`"+name+"`", "numberOfElements", itoa(count), "maxRoundedArrayLength", itoa(maxArray))
}

// paired pools an array's elements and another column's rows; place gives where row i of the latter is.
func paired(list, value *vector.Vector, t *types.Type, n int) (all *vector.Vector, place func(i int) int) {
	all = owned(list.Children[0], t, list.Children[0].Len)
	start := all.Len
	if value.Const || value.Type.Kind == types.KindNull {
		all.Append(owned(value, t, 1), nil)
		return all, func(int) int { return start }
	}
	all.Append(value, rowNumbers(n))
	return all, func(i int) int { return start + i }
}

func arrayAdd(first bool) Kernel {
	return func(_ *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		if args[0].Type.Kind == types.KindNull {
			return allNull(out, n)
		}
		v := plainNested(args[0])
		all, place := paired(v, args[1], out.Type.Elem, n)
		return gatherLists(out, sel, n, all, func(i int, add func(int)) {
			if v.IsNull(i) {
				out.SetNull(i)
				return
			}
			if first {
				add(place(i))
			}
			r := v.Row(i)
			for j := v.Offsets[r]; j < v.Offsets[r+1]; j++ {
				add(int(j))
			}
			if !first {
				add(place(i))
			}
		})
	}
}

// allNull makes a list column of nulls.
func allNull(out *vector.Vector, n int) error {
	t := out.Type
	*out = *vector.NewNulls(t, n)
	return nil
}

// arrayInsert puts an element at a place that counts from 1 or, when negative, from the end; places beyond are reached by nulls.
func arrayInsert(c *Call) Kernel {
	legacy := c.Options["legacy"] != ""
	return func(_ *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		if args[0].Type.Kind == types.KindNull {
			return allNull(out, n)
		}
		v := plainNested(args[0])
		all, place := paired(v, args[2], out.Type.Elem, n)
		none := all.Len
		all.AppendNulls(1)
		var failed error
		err := gatherLists(out, sel, n, all, func(i int, add func(int)) {
			if v.IsNull(i) || args[1].IsNull(i) {
				out.SetNull(i)
				return
			}
			r := v.Row(i)
			at := numAt(args[1], i)
			if at == 0 {
				failed = errs.New("INVALID_INDEX_OF_ZERO")
				return
			}
			if max(at, -at) > maxArray {
				failed = tooManyElements("array_insert", max(at, -at))
				return
			}
			insertAt(int(at), int(v.Offsets[r]), int(v.Offsets[r+1]), place(i), none, legacy, add)
		})
		if failed != nil {
			return failed
		}
		return err
	}
}

func insertAt(at, from, end, value, none int, legacy bool, add func(int)) {
	size := end - from
	if at < 0 {
		at += size + 1
		if !legacy {
			at++
		}
		if at < 1 { // before the beginning: the value, then nulls up to the old elements
			add(value)
			for range 1 - at {
				add(none)
			}
			for j := from; j < end; j++ {
				add(j)
			}
			return
		}
	}
	for k := 1; k <= max(size, at-1)+1; k++ {
		switch {
		case k == at:
			add(value)
		case k < at && k <= size:
			add(from + k - 1)
		case k < at:
			add(none)
		default:
			add(from + k - 2)
		}
	}
}

// arraysZip makes structs of the elements at the same places; the shorter lists go on with nulls.
func arraysZip(_ *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
	lists := make([]*vector.Vector, len(args))
	for k, a := range args {
		lists[k] = plainNested(a)
	}
	idx := make([][]uint32, len(args))
	count, next := 0, 0
	Rows(sel, n, func(i int) {
		for ; next < i; next++ {
			out.Offsets[next+1] = out.Offsets[next]
		}
		longest := int32(0)
		for _, v := range lists {
			r := v.Row(i)
			longest = max(longest, v.Offsets[r+1]-v.Offsets[r])
		}
		for k, v := range lists {
			r := v.Row(i)
			for j := range longest {
				idx[k] = append(idx[k], placeOr(v.Offsets[r]+j, v.Offsets[r+1]))
			}
		}
		count += int(longest)
		out.Offsets[i+1] = int32(count)
		next = i + 1
	})
	for ; next < n; next++ {
		out.Offsets[next+1] = out.Offsets[next]
	}
	s := &vector.Vector{Type: out.Type.Elem, Len: count}
	for k, v := range lists {
		s.Children = append(s.Children, gathered(v.Children[0], idx[k]))
	}
	out.Children = []*vector.Vector{s}
	return nil
}

// arrayJoin leaves nulls out, or writes its third argument for them.
func arrayJoin(in *inputs, i int, dst []byte) ([]byte, error) {
	for k := range in.vec {
		if in.null(k, i) {
			return nil, errNull
		}
	}
	v := plainNested(in.vec[0])
	e, r, first := v.Children[0], v.Row(i), true
	for j := int(v.Offsets[r]); j < int(v.Offsets[r+1]); j++ {
		null := e.IsNull(j)
		if null && len(in.vec) < 3 {
			continue
		}
		if !first {
			dst = append(dst, in.str(1, i)...)
		}
		first = false
		if null {
			dst = append(dst, in.str(2, i)...)
		} else {
			dst = append(dst, e.Str(j)...)
		}
	}
	return dst, nil
}
