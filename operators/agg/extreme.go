package agg

import (
	"millrace/types"
	"millrace/vector"
)

func init() {
	register(builder{argType, newExtreme}, "min", "max")
	register(builder{outType, func(c *Call) (Function, error) { return &extreme[uint8]{typ: types.Boolean}, nil }}, "bool_and", "every")
	register(builder{outType, func(c *Call) (Function, error) { return &extreme[uint8]{typ: types.Boolean, max: true}, nil }}, "bool_or", "any", "some")
	register(builder{outType, newBits}, "bit_and", "bit_or", "bit_xor")
}

func newExtreme(c *Call) (Function, error) {
	t, largest := c.Args[0], c.Name == "max"
	switch s := vector.Storage(t); {
	case s.Kind == types.KindBoolean:
		return &extreme[uint8]{typ: t, max: largest}, nil
	case s.Kind == types.KindFloat:
		return &extreme[float32]{typ: t, max: largest}, nil
	case s.Kind == types.KindDouble:
		return &extreme[float64]{typ: t, max: largest}, nil
	case vector.Width(s) == 1:
		return &extreme[int8]{typ: t, max: largest}, nil
	case vector.Width(s) == 2:
		return &extreme[int16]{typ: t, max: largest}, nil
	case vector.Width(s) == 4:
		return &extreme[int32]{typ: t, max: largest}, nil
	case vector.Width(s) == 8:
		return &extreme[int64]{typ: t, max: largest}, nil
	}
	return newPick(c, largest), nil
}

type ordered interface {
	int8 | int16 | int32 | int64 | uint8 | float32 | float64
}

type extremeState[T any] struct {
	value T
	has   bool
}

// extreme is min and max of values in slots; NaN is larger than every number.
type extreme[T ordered] struct {
	s   []extremeState[T]
	typ *types.Type
	max bool
}

func (f *extreme[T]) TakesNulls() bool { return false }
func (f *extreme[T]) Resize(n int)     { f.s = resize(f.s, n) }
func (f *extreme[T]) MemSize() int64   { return int64(cap(f.s) * (vector.Width(f.typ) + 8)) }
func (f *extreme[T]) Reset()           { f.s = f.s[:0] }

func (f *extreme[T]) Update(in *Input) error {
	values := slots[T](in.Args[0])[:in.N]
	switch {
	case in.N == 0:
	case in.Groups == nil && f.max:
		best := values[0]
		for _, x := range values {
			if x > best || x != x {
				best = x
			}
		}
		f.offer(&f.s[0], best)
	case in.Groups == nil:
		best := values[0]
		for _, x := range values {
			if x < best || best != best {
				best = x
			}
		}
		f.offer(&f.s[0], best)
	case f.max:
		for k, x := range values {
			if p := &f.s[in.Groups[k]]; !p.has || x > p.value || x != x {
				p.value, p.has = x, true
			}
		}
	default:
		for k, x := range values {
			if p := &f.s[in.Groups[k]]; !p.has || x < p.value || p.value != p.value {
				p.value, p.has = x, true
			}
		}
	}
	return nil
}

func (f *extreme[T]) offer(p *extremeState[T], x T) {
	if !p.has || f.max && (x > p.value || x != x) || !f.max && (x < p.value || p.value != p.value) {
		p.value, p.has = x, true
	}
}

// slots views a vector's values.
func slots[T ordered](v *vector.Vector) []T {
	switch any(*new(T)).(type) {
	case int8:
		return any(vector.Values[int8](v)).([]T)
	case int16:
		return any(vector.Values[int16](v)).([]T)
	case int32:
		return any(vector.Values[int32](v)).([]T)
	case int64:
		return any(vector.Values[int64](v)).([]T)
	case uint8:
		return any(vector.Values[uint8](v)).([]T)
	case float32:
		return any(vector.Values[float32](v)).([]T)
	}
	return any(vector.Values[float64](v)).([]T)
}

func (f *extreme[T]) Merge(in *Input) error { return f.Update(withoutNulls(in)) }

func (f *extreme[T]) States(out []*vector.Vector, from, n int) { f.appendTo(out[0], from, n) }

func (f *extreme[T]) Result(out *vector.Vector, from, n int) error {
	f.appendTo(out, from, n)
	return nil
}

func (f *extreme[T]) appendTo(out *vector.Vector, from, n int) {
	v := &vector.Vector{}
	v.Reset(f.typ, n)
	dst := slots[T](v)
	for i, s := range f.s[from : from+n] {
		dst[i] = s.value
		if !s.has {
			v.SetNull(i)
		}
	}
	out.Append(v, nil)
}

func newBits(c *Call) (Function, error) {
	return &bitwise{typ: c.Out, op: c.Name}, nil
}

// bitwise is bit_and, bit_or and bit_xor.
type bitwise struct {
	s   []extremeState[int64]
	typ *types.Type
	op  string
}

func (f *bitwise) TakesNulls() bool { return false }
func (f *bitwise) Resize(n int)     { f.s = resize(f.s, n) }
func (f *bitwise) MemSize() int64   { return int64(16 * cap(f.s)) }
func (f *bitwise) Reset()           { f.s = f.s[:0] }

func (f *bitwise) Update(in *Input) error {
	width := vector.Width(in.Args[0].Type)
	for k := range in.N {
		p, x := &f.s[in.group(k)], longAt(in.Args[0], width, k)
		switch {
		case !p.has:
			p.value, p.has = x, true
		case f.op == "bit_and":
			p.value &= x
		case f.op == "bit_or":
			p.value |= x
		default:
			p.value ^= x
		}
	}
	return nil
}

func (f *bitwise) Merge(in *Input) error { return f.Update(withoutNulls(in)) }

func (f *bitwise) States(out []*vector.Vector, from, n int) { _ = f.Result(out[0], from, n) }

func (f *bitwise) Result(out *vector.Vector, from, n int) error {
	v := &vector.Vector{}
	v.Reset(f.typ, n)
	for i, s := range f.s[from : from+n] {
		setLong(v, i, s.value)
		if !s.has {
			v.SetNull(i)
		}
	}
	out.Append(v, nil)
	return nil
}

func setLong(v *vector.Vector, i int, x int64) {
	switch vector.Width(v.Type) {
	case 1:
		vector.Values[int8](v)[i] = int8(x)
	case 2:
		vector.Values[int16](v)[i] = int16(x)
	case 4:
		vector.Values[int32](v)[i] = int32(x)
	default:
		vector.Values[int64](v)[i] = x
	}
}
