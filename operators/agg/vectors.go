package agg

import (
	"encoding/binary"
	"math"
	"strconv"

	"millrace/errs"
	"millrace/types"
	"millrace/vector"
)

func init() {
	register(builder{one(types.Binary), func(c *Call) (Function, error) { return &vectors{name: c.Name}, nil }}, "vector_sum")
	register(builder{one(types.Binary), func(c *Call) (Function, error) { return &vectors{name: c.Name, mean: true}, nil }}, "vector_avg")
}

// vectors adds up, or averages, arrays of floats place by place. Arrays with a null are left out.
type vectors struct {
	name   string
	mean   bool
	groups []vectorSum
	bytes  int64
	part   []float32
}

// vectorSum is the sum, or the mean, of n arrays.
type vectorSum struct {
	n      int64
	values []float32
}

func (f *vectors) TakesNulls() bool { return false }
func (f *vectors) Resize(n int)     { f.groups = resize(f.groups, n) }
func (f *vectors) MemSize() int64   { return int64(32*cap(f.groups)) + f.bytes }

func (f *vectors) Reset() {
	clear(f.groups)
	f.groups, f.bytes = f.groups[:0], 0
}

func (f *vectors) Update(in *Input) error {
	v := in.Args[0]
	elems := v.Children[0]
	all := vector.Values[float32](elems)
	for k := range in.N {
		from, end := int(v.Offsets[k]), int(v.Offsets[k+1])
		if anyNull(elems, from, end) {
			continue
		}
		if err := f.add(&f.groups[in.group(k)], all[from:end], 1); err != nil {
			return err
		}
	}
	return nil
}

func anyNull(v *vector.Vector, from, end int) bool {
	for i := from; v.Valid != nil && i < end; i++ {
		if !v.Valid.Get(i) {
			return true
		}
	}
	return false
}

// add adds what n arrays have come to.
func (f *vectors) add(s *vectorSum, x []float32, n int64) error {
	if s.n == 0 {
		f.bytes += int64(4 * (max(len(x), cap(s.values)) - cap(s.values)))
		s.values, s.n = append(s.values[:0], x...), n
		return nil
	}
	if len(x) != len(s.values) {
		return errs.New("VECTOR_DIMENSION_MISMATCH", "functionName", "`"+f.name+"`", "leftDim", strconv.Itoa(len(s.values)), "rightDim", strconv.Itoa(len(x)))
	}
	s.n += n
	if !f.mean {
		for i, y := range x {
			s.values[i] += y
		}
		return nil
	}
	share := float32(n) / float32(s.n)
	for i, y := range x {
		s.values[i] += (y - s.values[i]) * share
	}
	return nil
}

func (f *vectors) Merge(in *Input) error {
	for k := range in.N {
		if in.Args[0].IsNull(k) {
			continue
		}
		b := in.Args[0].Str(k)
		if len(b) < 8 || len(b)%4 != 0 {
			return errs.Newf(errs.Internal, "the state of %s is damaged", f.name)
		}
		f.part = f.part[:0]
		for i := 8; i < len(b); i += 4 {
			f.part = append(f.part, math.Float32frombits(binary.LittleEndian.Uint32(b[i:])))
		}
		if err := f.add(&f.groups[in.group(k)], f.part, int64(binary.LittleEndian.Uint64(b))); err != nil {
			return err
		}
	}
	return nil
}

// States are the number of arrays and then the values.
func (f *vectors) States(out []*vector.Vector, from, n int) {
	v := &vector.Vector{}
	v.Reset(types.Binary, n)
	var b []byte
	for i, s := range f.groups[from : from+n] {
		if s.n == 0 {
			v.AppendStr(i, nil)
			v.SetNull(i)
			continue
		}
		b = binary.LittleEndian.AppendUint64(b[:0], uint64(s.n))
		for _, x := range s.values {
			b = binary.LittleEndian.AppendUint32(b, math.Float32bits(x))
		}
		v.AppendStr(i, b)
	}
	out[0].Append(v, nil)
}

func (f *vectors) Result(out *vector.Vector, from, n int) error {
	v := vector.NewEmpty(out.Type)
	v.Len, v.Offsets = n, make([]int32, n+1)
	var all []float32
	for i, s := range f.groups[from : from+n] {
		if all = append(all, s.values...); s.n == 0 {
			v.SetNull(i)
		}
		v.Offsets[i+1] = int32(len(all))
	}
	v.Children[0].Append(vector.FromSlice(types.Float, all), nil)
	out.Append(v, nil)
	return nil
}
