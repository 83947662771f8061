package agg

import (
	"millrace/types"
	"millrace/vector"
)

func init() {
	register(builder{one(types.Long), func(*Call) (Function, error) { return &count{}, nil }}, "count", "regr_count")
	register(builder{one(types.Long), func(*Call) (Function, error) { return &count{ifTrue: true}, nil }}, "count_if")
}

// count counts the rows whose arguments are all non-null, or for count_if the true ones.
type count struct {
	n      []int64
	ifTrue bool
}

func (f *count) TakesNulls() bool { return false }
func (f *count) Resize(n int)     { f.n = resize(f.n, n) }
func (f *count) MemSize() int64   { return int64(8 * cap(f.n)) }
func (f *count) Reset()           { f.n = f.n[:0] }

func (f *count) Update(in *Input) error {
	n := f.n
	switch {
	case f.ifTrue:
		for k, x := range vector.Values[uint8](in.Args[0])[:in.N] {
			n[in.group(k)] += int64(x)
		}
	case in.Groups == nil:
		n[0] += int64(in.N)
	default:
		for _, g := range in.Groups {
			n[g]++
		}
	}
	return nil
}

func (f *count) Merge(in *Input) error {
	for k, x := range vector.Values[int64](in.Args[0])[:in.N] {
		f.n[in.group(k)] += x
	}
	return nil
}

func (f *count) States(out []*vector.Vector, from, n int) {
	out[0].Append(vector.FromSlice(types.Long, f.n[from:from+n]), nil)
}

func (f *count) Result(out *vector.Vector, from, n int) error {
	out.Append(vector.FromSlice(types.Long, f.n[from:from+n]), nil)
	return nil
}
