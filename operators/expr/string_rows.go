package expr

import (
	"errors"

	"millrace/types"
	"millrace/vector"
)

// errNull is a row function's way to give null.
var errNull = errors.New("null")

// texts reads a string or binary column through constants and dictionaries.
type texts struct {
	bytes   []byte
	offsets []int32
	codes   []int32
	mask    int
}

func textsOf(v *vector.Vector) texts {
	t := texts{bytes: v.Bytes, offsets: v.Offsets, mask: stride(v)}
	if v.Dict != nil {
		t.bytes, t.offsets, t.codes = v.Dict.Bytes, v.Dict.Offsets, vector.Codes(v)
	}
	return t
}

// at is the bytes of row i.
func (t *texts) at(i int) []byte {
	i &= t.mask
	if t.codes != nil {
		i = int(t.codes[i])
	}
	return t.bytes[t.offsets[i]:t.offsets[i+1]]
}

// inputs are a call's arguments, for row functions.
type inputs struct {
	text []texts
	vec  []*vector.Vector
}

func (in *inputs) set(args []*vector.Vector) {
	if in.text == nil {
		in.text = make([]texts, len(args))
	}
	in.vec = args
	for k, v := range args {
		if v.Type.IsStringLike() {
			in.text[k] = textsOf(v)
		}
	}
}

// str is argument k of row i as text.
func (in *inputs) str(k, i int) []byte { return in.text[k].at(i) }

// num is argument k of row i as an integer; dates, timestamps and intervals are integers too.
func (in *inputs) num(k, i int) int64 { return numAt(in.vec[k], i) }

// numAt is row i as an integer, through constants and dictionaries.
func numAt(v *vector.Vector, i int) int64 {
	v, i = slotOf(v, i)
	return intAt(v, i)
}

// slotOf finds where row i of a constant or dictionary vector is stored.
func slotOf(v *vector.Vector, i int) (*vector.Vector, int) {
	i = v.Row(i)
	if v.Dict != nil {
		return v.Dict, int(vector.Codes(v)[i])
	}
	return v, i
}

// null reports whether argument k of row i is null, for kernels that are not strict.
func (in *inputs) null(k, i int) bool { return in.vec[k].IsNull(i) }

// toText is a row function that appends row i's text to dst; errNull makes the row null.
type toText func(in *inputs, i int, dst []byte) ([]byte, error)

// textKernel runs a row function over strings into a string column.
func textKernel(f toText) Kernel {
	in := &inputs{}
	return func(_ *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		in.set(args)
		w := NewStringWriter(out, n)
		count := n
		if sel != nil {
			count = len(sel)
		}
		for k := range count {
			i := k
			if sel != nil {
				i = int(sel[k])
			}
			buf, err := f(in, i, w.Buffer())
			if errors.Is(err, errNull) {
				out.SetNull(i)
				continue
			}
			if err != nil {
				return err
			}
			w.Commit(i, buf)
		}
		w.Close()
		return nil
	}
}

// fixedKernel runs a row function into a column of fixed-width slots.
func fixedKernel[T vector.Fixed](f func(in *inputs, i int) (T, error)) Kernel {
	in := &inputs{}
	return func(_ *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		in.set(args)
		r := vector.Values[T](out)
		count := n
		if sel != nil {
			count = len(sel)
		}
		for k := range count {
			i := k
			if sel != nil {
				i = int(sel[k])
			}
			v, err := f(in, i)
			if errors.Is(err, errNull) {
				out.SetNull(i)
				continue
			}
			if err != nil {
				return err
			}
			r[i] = v
		}
		return nil
	}
}

// listKernel runs a row function that appends strings to an array<string> column.
func listKernel(f func(in *inputs, i int, add func([]byte)) error) Kernel {
	in := &inputs{}
	return func(_ *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		in.set(args)
		child := &vector.Vector{Type: types.String, Offsets: make([]int32, 1, n+1)}
		add := func(s []byte) {
			child.Bytes = append(child.Bytes, s...)
			child.Offsets = append(child.Offsets, int32(len(child.Bytes)))
		}
		next := 0
		err := RowsErr(sel, n, func(i int) error {
			for ; next < i; next++ {
				out.Offsets[next+1] = out.Offsets[next]
			}
			err := f(in, i, add)
			if errors.Is(err, errNull) {
				out.SetNull(i)
				err = nil
			}
			out.Offsets[i+1] = int32(len(child.Offsets) - 1)
			next = i + 1
			return err
		})
		for ; next < n; next++ {
			out.Offsets[next+1] = out.Offsets[next]
		}
		child.Len = len(child.Offsets) - 1
		out.Children = []*vector.Vector{child}
		return err
	}
}

// registerText registers pure functions, null when an argument is, that make text.
func registerText(fs map[string]toText) {
	for name, f := range fs {
		Register(name, Func{Strict: true, Pure: true, Build: func(*Call) (Kernel, error) { return textKernel(f), nil }})
	}
}

// registerFixed registers pure functions, null when an argument is, that make fixed-width values.
func registerFixed[T vector.Fixed](fs map[string]func(in *inputs, i int) (T, error)) {
	for name, f := range fs {
		Register(name, Func{Strict: true, Pure: true, Build: func(*Call) (Kernel, error) { return fixedKernel(f), nil }})
	}
}
