package agg

import (
	"math"

	"millrace/errs"
	"millrace/types"
	"millrace/vector"
	"millrace/vector/linalg"
)

// ml_summary(vector, weight) is Spark ML's Summarizer: by place the mean, the sample variance and others, as the struct SummaryType.
func init() {
	states := make([]*types.Type, 3, 3+len(summaryArrays))
	states[0], states[1], states[2] = types.Long, types.Double, types.Double
	for range summaryArrays {
		states = append(states, doubleList)
	}
	register(builder{func(*Call) []*types.Type { return states },
		func(c *Call) (Function, error) {
			if len(c.Args) != 2 || !c.Args[0].IsVector() || c.Args[1].Kind != types.KindDouble {
				return nil, unsupported(c)
			}
			return &summaries{}, nil
		}}, "ml_summary")
}

var doubleList = types.ArrayOf(types.Double, false)

// summary is what is known of the vectors of a group. Only values that are not zero are added; zeros come in at the end.
type summary struct {
	n           int64
	w, w2       float64 // sums of the weights and of their squares
	mean, m2    []float64
	weight      []float64 // sum of the weights of values that are not zero
	max, min    []float64
	nonZeros    []float64
	l1, squares []float64 // sums of weighted absolute values and squares
}

// summaryArrays are the summary's arrays in the order of the state's columns.
var summaryArrays = []func(s *summary) *[]float64{
	func(s *summary) *[]float64 { return &s.mean }, func(s *summary) *[]float64 { return &s.m2 },
	func(s *summary) *[]float64 { return &s.weight }, func(s *summary) *[]float64 { return &s.max },
	func(s *summary) *[]float64 { return &s.min }, func(s *summary) *[]float64 { return &s.nonZeros },
	func(s *summary) *[]float64 { return &s.l1 }, func(s *summary) *[]float64 { return &s.squares },
}

// begin makes the arrays for vectors of a size.
func (s *summary) begin(size int) {
	all := make([]float64, size*len(summaryArrays))
	for k, array := range summaryArrays {
		*array(s) = all[k*size : (k+1)*size : (k+1)*size]
	}
	for i := range s.max {
		s.max[i], s.min[i] = -math.MaxFloat64, math.MaxFloat64
	}
}

func (s *summary) add(size int, indices []int32, values []float64, weight float64) error {
	if weight == 0 {
		return nil
	}
	if s.mean == nil {
		s.begin(size)
	}
	if size != len(s.mean) {
		return mismatch("adding new sample", len(s.mean), size)
	}
	for k, x := range values {
		if x == 0 {
			continue
		}
		i := k
		if indices != nil {
			i = int(indices[k])
		}
		s.addValue(i, x, weight)
	}
	s.n++
	s.w += weight
	s.w2 += weight * weight
	return nil
}

func (s *summary) addValue(i int, x, weight float64) {
	if x > s.max[i] {
		s.max[i] = x
	}
	if x < s.min[i] {
		s.min[i] = x
	}
	before := s.mean[i]
	d := x - before
	s.mean[i] = before + weight*d/(s.weight[i]+weight)
	s.m2[i] += weight * (x - s.mean[i]) * d
	s.weight[i] += weight
	s.nonZeros[i]++
	s.l1[i] += weight * math.Abs(x)
	s.squares[i] += weight * x * x
}

func (s *summary) merge(o *summary) error {
	if o.w == 0 {
		return nil
	}
	if s.mean == nil {
		s.begin(len(o.mean))
	}
	if len(s.mean) != len(o.mean) {
		return mismatch("merging with another summarizer", len(s.mean), len(o.mean))
	}
	for i := range s.mean {
		total := s.weight[i] + o.weight[i]
		if total == 0 {
			continue
		}
		d := o.mean[i] - s.mean[i]
		s.mean[i] += d * o.weight[i] / total
		s.m2[i] += o.m2[i] + d*d*s.weight[i]*o.weight[i]/total
		s.weight[i] = total
		s.max[i], s.min[i] = math.Max(s.max[i], o.max[i]), math.Min(s.min[i], o.min[i])
		s.nonZeros[i] += o.nonZeros[i]
		s.l1[i] += o.l1[i]
		s.squares[i] += o.squares[i]
	}
	s.n, s.w, s.w2 = s.n+o.n, s.w+o.w, s.w2+o.w2
	return nil
}

func mismatch(doing string, want, got int) error {
	return errs.Newf(errs.Invalid, "requirement failed: Dimensions mismatch when %s. Expecting %d but got %d.", doing, want, got)
}

// meanAt is the mean of all values at a place, zeros too.
func (s *summary) meanAt(i int) float64 { return s.mean[i] * (s.weight[i] / s.w) }

// varianceAt is the unbiased variance at a place; 0 when the weights do not allow one.
func (s *summary) varianceAt(i int) float64 {
	denominator := s.w - s.w2/s.w
	if denominator <= 0 {
		return 0
	}
	v := (s.m2[i] + s.mean[i]*s.mean[i]*s.weight[i]*(s.w-s.weight[i])/s.w) / denominator
	if v < 0 {
		return 0
	}
	return v
}

func (s *summary) maxAt(i int) float64 {
	if s.nonZeros[i] < float64(s.n) && s.max[i] < 0 {
		return 0
	}
	return s.max[i]
}

func (s *summary) minAt(i int) float64 {
	if s.nonZeros[i] < float64(s.n) && s.min[i] > 0 {
		return 0
	}
	return s.min[i]
}

// summaries is the aggregate.
type summaries struct{ s []summary }

func (f *summaries) TakesNulls() bool { return true }
func (f *summaries) Resize(n int)     { f.s = resize(f.s, n) }
func (f *summaries) Reset()           { clear(f.s); f.s = f.s[:0] }

func (f *summaries) MemSize() int64 {
	n := int64(0)
	for i := range f.s {
		n += 256 + int64(8*len(summaryArrays)*len(f.s[i].mean))
	}
	return n
}

func (f *summaries) Update(in *Input) error {
	vectors := linalg.Of(in.Args[0])
	weights := vector.Values[float64](in.Args[1])
	for k := range in.N {
		if vectors.IsNull(k) {
			return errs.Newf(errs.Invalid, "The vector column has a null: remove rows without vectors first.")
		}
		if in.Args[1].HasNulls() && in.Args[1].IsNull(k) {
			return errs.Newf(errs.Invalid, "The weight column has a null: remove rows without weights first.")
		}
		size, indices, values := vectors.Row(k)
		if err := f.s[in.group(k)].add(size, indices, values, weights[in.Args[1].Row(k)]); err != nil {
			return err
		}
	}
	return nil
}

func (f *summaries) Merge(in *Input) error {
	for k := range in.N {
		o := summary{n: vector.Values[int64](in.Args[0])[k], w: vector.Values[float64](in.Args[1])[k], w2: vector.Values[float64](in.Args[2])[k]}
		for j, array := range summaryArrays {
			*array(&o) = listAt(in.Args[3+j], k)
		}
		if err := f.s[in.group(k)].merge(&o); err != nil {
			return err
		}
	}
	return nil
}

// listAt is a row of a column of arrays of doubles.
func listAt(v *vector.Vector, k int) []float64 {
	return vector.Values[float64](v.Children[0])[v.Offsets[k]:v.Offsets[k+1]]
}

func (f *summaries) States(out []*vector.Vector, from, n int) {
	ns, ws, w2s := make([]int64, n), make([]float64, n), make([]float64, n)
	for k := range n {
		s := &f.s[from+k]
		ns[k], ws[k], w2s[k] = s.n, s.w, s.w2
	}
	out[0].Append(vector.FromSlice(types.Long, ns), nil)
	out[1].Append(vector.FromSlice(types.Double, ws), nil)
	out[2].Append(vector.FromSlice(types.Double, w2s), nil)
	for j, array := range summaryArrays {
		out[3+j].Append(listsOf(n, func(k int) []float64 { return *array(&f.s[from+k]) }), nil)
	}
}

// listsOf is a column of n arrays of doubles.
func listsOf(n int, row func(k int) []float64) *vector.Vector {
	v := &vector.Vector{Type: doubleList, Len: n, Offsets: make([]int32, n+1)}
	var values []float64
	for k := range n {
		values = append(values, row(k)...)
		v.Offsets[k+1] = int32(len(values))
	}
	v.Children = []*vector.Vector{vector.FromSlice(types.Double, values)}
	return v
}

// Result appends structs of count, weight, and arrays of mean, variance, max, min, nonZeros, l1 and squares. A group without vectors has
// empty arrays.
func (f *summaries) Result(out *vector.Vector, from, n int) error {
	ns, ws := make([]int64, n), make([]float64, n)
	for k := range n {
		ns[k], ws[k] = f.s[from+k].n, f.s[from+k].w
	}
	each := func(at func(s *summary, i int) float64) *vector.Vector {
		return listsOf(n, func(k int) []float64 {
			s := &f.s[from+k]
			row := make([]float64, len(s.mean))
			for i := range row {
				row[i] = at(s, i)
			}
			return row
		})
	}
	out.Append(&vector.Vector{Type: out.Type, Len: n, Children: []*vector.Vector{
		vector.FromSlice(types.Long, ns), vector.FromSlice(types.Double, ws),
		each((*summary).meanAt), each((*summary).varianceAt), each((*summary).maxAt), each((*summary).minAt),
		each(func(s *summary, i int) float64 { return s.nonZeros[i] }),
		each(func(s *summary, i int) float64 { return s.l1[i] }),
		each(func(s *summary, i int) float64 { return s.squares[i] })}}, nil)
	return nil
}
