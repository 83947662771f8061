package agg

import (
	"math"

	"millrace/errs"
	"millrace/vector"
	"millrace/vector/linalg"
)

func init() {
	register(builder{one(doubleList), func(c *Call) (Function, error) {
		return &vectorSummary{finite: c.Opts["finite"] == "true"}, nil
	}}, "ml_features")
}

// Places in vectorSummary's state: a header, then summaryParts arrays of a value for each feature.
const (
	summarySize    = iota // the vectors' size
	summaryCount          // rows whose weight is not 0
	summaryWeight         // the sum of weights
	summarySquares        // the sum of squares of weights
	summaryHeader         // how long the header is
)

// The arrays, by feature.
const (
	partWeight   = iota // the weights of values other than 0,
	partMean            // their mean,
	partSquares         // the weighted squares of their distances from it,
	partNonZeros        // their number,
	partMin             // the least
	partMax             // and the largest of them
	summaryParts
)

// vectorSummary is ml_features(vector, weight): a vector's size, the number of rows whose weight is not 0 and the sum of weights; then by
// feature the mean, the variance (unbiased, of reliability weights), the number of values other than 0, the least and the largest. All in one
// array of doubles, which for no rows is three zeros. Option finite refuses values that are not numbers or infinite.
type vectorSummary struct {
	finite bool
	s      []float64               // header and parts, as States gives them; nil before the first row
	parts  [summaryParts][]float64 // of s
	got    partials

	// Sums over one batch, by feature, of distances from the mean so far (for the first value of a feature: from it, which keeps the
	// variance of what never changes at 0); 0 where no row of the batch has a value.
	weight, sum, squares []float64
	touched              []int32
}

func (f *vectorSummary) TakesNulls() bool { return true }
func (f *vectorSummary) Resize(int)       {}
func (f *vectorSummary) MemSize() int64   { return int64(8*cap(f.s)+8*3*cap(f.sum)) + f.got.memSize() }
func (f *vectorSummary) Reset()           { *f = vectorSummary{finite: f.finite} }

func (f *vectorSummary) Update(in *Input) error {
	if in.Groups != nil {
		return errs.Newf(errs.Internal, "ml_features by group")
	}
	col := linalg.Of(in.Args[0])
	weights, err := checkedWeights(in.Args[1], in.N)
	if err != nil {
		return err
	}
	for k, w := range weights {
		if col.IsNull(k) {
			return raised("Vectors MUST NOT be Null")
		}
		if w != 0 {
			if err := f.add(&col, k, w); err != nil {
				return err
			}
		}
	}
	f.mergeBatch()
	return nil
}

// add adds a row to the header, the ranges and the batch's sums.
func (f *vectorSummary) add(col *linalg.Column, k int, w float64) error {
	size, indices, values := col.Row(k)
	if f.s == nil {
		f.begin(size)
	}
	n := len(f.sum)
	if size != n || len(indices) > 0 && int(indices[len(indices)-1]) >= n {
		return mismatch("adding new sample", n, size)
	}
	f.s[summaryCount]++
	f.s[summaryWeight] += w
	f.s[summarySquares] += w * w
	for p, x := range values {
		if x == 0 {
			continue
		}
		if f.finite && x-x != 0 {
			return raised("Vector values MUST NOT be NaN or Infinity, but got " + string(appendVector(nil, size, indices, values)))
		}
		j := int32(p)
		if indices != nil {
			j = indices[p]
		}
		f.addValue(j, x, w)
	}
	return nil
}

func (f *vectorSummary) addValue(j int32, x, w float64) {
	if f.weight[j] == 0 {
		f.touched = append(f.touched, j)
		if f.parts[partWeight][j] == 0 {
			f.parts[partMean][j] = x
		}
	}
	d := x - f.parts[partMean][j]
	f.weight[j] += w
	f.sum[j] += w * d
	f.squares[j] += w * d * d
	f.parts[partNonZeros][j]++
	if x < f.parts[partMin][j] {
		f.parts[partMin][j] = x
	}
	if x > f.parts[partMax][j] {
		f.parts[partMax][j] = x
	}
}

func (f *vectorSummary) begin(size int) {
	f.take(emptySummary(size))
	f.weight, f.sum, f.squares = make([]float64, size), make([]float64, size), make([]float64, size)
}

// take makes s the state.
func (f *vectorSummary) take(s []float64) {
	f.s = s
	for i := range f.parts {
		f.parts[i] = summaryPart(s, i)
	}
}

func emptySummary(size int) []float64 {
	s := make([]float64, summaryHeader+summaryParts*size)
	s[summarySize] = float64(size)
	for j := range size {
		s[summaryHeader+partMin*size+j] = math.MaxFloat64
		s[summaryHeader+partMax*size+j] = -math.MaxFloat64
	}
	return s
}

func summaryPart(s []float64, i int) []float64 {
	n := int(s[summarySize])
	return s[summaryHeader+i*n : summaryHeader+(i+1)*n]
}

// mergeBatch adds the batch's sums to the state and clears them.
func (f *vectorSummary) mergeBatch() {
	for _, j := range f.touched {
		d := f.sum[j] / f.weight[j]
		f.mergeMean(int(j), f.weight[j], f.parts[partMean][j]+d, max(f.squares[j]-f.sum[j]*d, 0))
		f.weight[j], f.sum[j], f.squares[j] = 0, 0, 0
	}
	f.touched = f.touched[:0]
}

// mergeMean adds to feature j the weight, mean and squares of other values.
func (f *vectorSummary) mergeMean(j int, w, m, s float64) {
	weight, mean := f.parts[partWeight][j], f.parts[partMean][j]
	total := weight + w
	if total == 0 {
		return
	}
	d := m - mean
	f.parts[partMean][j] = mean + d*w/total
	f.parts[partSquares][j] += s + d*d*weight*w/total
	f.parts[partWeight][j] = total
}

func (f *vectorSummary) Merge(in *Input) error { return f.got.add(in) }

// settle merges what came from other tasks.
func (f *vectorSummary) settle() error {
	for _, o := range f.got.take() {
		switch {
		case o[summaryWeight] == 0:
			continue
		case f.s == nil:
			f.take(o)
			continue
		case f.s[summarySize] != o[summarySize]:
			return mismatch("merging with another summarizer", int(f.s[summarySize]), int(o[summarySize]))
		}
		f.merge(o)
	}
	if f.s == nil {
		f.take(emptySummary(0))
	}
	return nil
}

func (f *vectorSummary) merge(o []float64) {
	for i := summaryCount; i < summaryHeader; i++ {
		f.s[i] += o[i]
	}
	var other [summaryParts][]float64
	for i := range other {
		other[i] = summaryPart(o, i)
	}
	for j := range other[partWeight] {
		if f.parts[partWeight][j] == 0 {
			f.parts[partMean][j] = other[partMean][j]
		}
		f.mergeMean(j, other[partWeight][j], other[partMean][j], other[partSquares][j])
		f.parts[partNonZeros][j] += other[partNonZeros][j]
		f.parts[partMin][j] = min(f.parts[partMin][j], other[partMin][j])
		f.parts[partMax][j] = max(f.parts[partMax][j], other[partMax][j])
	}
}

func (f *vectorSummary) States(out []*vector.Vector, _, n int) {
	for range n {
		if err := f.settle(); err != nil {
			panic(err) // states of one task have been checked row by row
		}
		appendDoubles(out[0], f.s)
	}
}

func (f *vectorSummary) Result(out *vector.Vector, _, n int) error {
	for range n {
		if err := f.settle(); err != nil {
			return err
		}
		appendDoubles(out, f.result())
	}
	return nil
}

func (f *vectorSummary) result() []float64 {
	n, total := len(f.parts[partWeight]), f.s[summaryWeight]
	out := make([]float64, 3+5*n)
	out[0], out[1], out[2] = f.s[summarySize], f.s[summaryCount], total
	freedom := total - f.s[summarySquares]/total
	for j := range n {
		weight, mean, ones := f.parts[partWeight][j], f.parts[partMean][j], f.parts[partNonZeros][j]
		least, most := f.parts[partMin][j], f.parts[partMax][j]
		if ones < f.s[summaryCount] {
			least, most = min(least, 0), max(most, 0)
		}
		variance := 0.0
		if freedom > 0 {
			variance = max((f.parts[partSquares][j]+mean*mean*weight*(total-weight)/total)/freedom, 0)
		}
		out[3+j], out[3+n+j], out[3+2*n+j], out[3+3*n+j], out[3+4*n+j] = mean*(weight/total), variance, ones, least, most
	}
	return out
}
