package agg

import (
	"millrace/types"
	"millrace/vector"
)

func init() {
	register(builder{func(*Call) []*types.Type { return []*types.Type{types.Double} }, func(*Call) (Function, error) { return &product{}, nil }}, "product")
}

// productState is the product of so many values.
type productState struct {
	of float64
	n  int64
}

// product multiplies doubles.
type product struct{ s []productState }

func (f *product) TakesNulls() bool { return false }
func (f *product) Resize(n int)     { f.s = resize(f.s, n) }
func (f *product) MemSize() int64   { return int64(16 * cap(f.s)) }
func (f *product) Reset()           { f.s = f.s[:0] }

func (f *product) Update(in *Input) error {
	values := vector.Values[float64](in.Args[0])
	for k := range in.N {
		s := &f.s[in.group(k)]
		if s.n == 0 {
			s.of = 1
		}
		s.of *= values[k]
		s.n++
	}
	return nil
}

func (f *product) Merge(in *Input) error { return f.Update(withoutNulls(in)) }

func (f *product) States(out []*vector.Vector, from, n int) { _ = f.Result(out[0], from, n) } // which has no errors

func (f *product) Result(out *vector.Vector, from, n int) error {
	v := &vector.Vector{}
	v.Reset(types.Double, n)
	for g, s := range f.s[from : from+n] {
		if vector.Values[float64](v)[g] = s.of; s.n == 0 {
			v.SetNull(g)
		}
	}
	out.Append(v, nil)
	return nil
}
