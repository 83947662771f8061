package agg

import (
	"maps"
	"math"
	"slices"
	"strconv"

	"millrace/errs"
	"millrace/operators/expr"
	"millrace/vector"
)

func init() {
	register(builder{one(doubleList), newLabelCounts}, "ml_labels")
}

// labelCounts is ml_labels(label, weight) of class labels: triples of a label, the number of its rows and their weights. Labels must be
// integers from 0 to below option limit.
type labelCounts struct {
	limit   int
	weights map[float64][2]float64
	got     partials
	last    float64    // a label whose counts
	count   [2]float64 // are not in the map yet
}

func newLabelCounts(c *Call) (Function, error) {
	limit, err := strconv.Atoi(c.Opts["limit"])
	if err != nil {
		return nil, errs.Newf(errs.Internal, "ml_labels of %q classes", c.Opts["limit"])
	}
	return &labelCounts{limit: limit, weights: map[float64][2]float64{}}, nil
}

func (f *labelCounts) TakesNulls() bool { return true }
func (f *labelCounts) Resize(int)       {}
func (f *labelCounts) MemSize() int64   { return int64(64*len(f.weights)) + f.got.memSize() }
func (f *labelCounts) Reset()           { *f = labelCounts{limit: f.limit, weights: map[float64][2]float64{}} }

func (f *labelCounts) Update(in *Input) error {
	if in.Groups != nil {
		return errs.Newf(errs.Internal, "ml_labels by group")
	}
	labels := in.Args[0]
	weights, err := checkedWeights(in.Args[1], in.N)
	if err != nil {
		return err
	}
	for k, y := range vector.Values[float64](labels)[:in.N] {
		switch {
		case labels.Valid != nil && !labels.Valid.Get(k), math.IsNaN(y):
			return raised("Labels MUST NOT be Null or NaN")
		case y < 0 || y >= float64(f.limit):
			return raised("Labels MUST be in [0, " + strconv.Itoa(f.limit) + "), but got " + string(expr.AppendDouble(nil, y)))
		case y != math.Trunc(y):
			return raised("Labels MUST be Integers, but got " + string(expr.AppendDouble(nil, y)))
		case weights[k] == 0:
			continue
		case y != f.last:
			f.flush()
			f.last = y
		}
		f.count[0]++
		f.count[1] += weights[k]
	}
	f.flush()
	return nil
}

// flush puts the counts of the last label into the map, which rows in a run of one label need not look at.
func (f *labelCounts) flush() {
	if f.count[0] > 0 {
		f.add(f.last, f.count[0], f.count[1])
		f.count = [2]float64{}
	}
}

func (f *labelCounts) add(label, n, weight float64) {
	c := f.weights[label]
	f.weights[label] = [2]float64{c[0] + n, c[1] + weight}
}

func (f *labelCounts) Merge(in *Input) error { return f.got.add(in) }

// triples are the counts by label, in the order of labels.
func (f *labelCounts) triples() []float64 {
	for _, o := range f.got.take() {
		for i := 0; i+2 < len(o); i += 3 {
			f.add(o[i], o[i+1], o[i+2])
		}
	}
	var out []float64
	for _, y := range slices.Sorted(maps.Keys(f.weights)) {
		out = append(out, y, f.weights[y][0], f.weights[y][1])
	}
	return out
}

func (f *labelCounts) States(out []*vector.Vector, _, n int) {
	for range n {
		appendDoubles(out[0], f.triples())
	}
}

func (f *labelCounts) Result(out *vector.Vector, _, n int) error {
	for range n {
		appendDoubles(out, f.triples())
	}
	return nil
}

// checkedWeights are n weights, none of them negative.
func checkedWeights(v *vector.Vector, n int) ([]float64, error) {
	weights := vector.Values[float64](v)[:n]
	for k, w := range weights {
		switch {
		case v.Valid != nil && !v.Valid.Get(k), math.IsNaN(w):
			return nil, raised("Weights MUST NOT be Null or NaN")
		case w < 0, math.IsInf(w, 1):
			return nil, raised("Weights MUST NOT be Negative or Infinity, but got " + string(expr.AppendDouble(nil, w)))
		}
	}
	return weights, nil
}

// appendVector writes a vector as Spark shows it: [1.0,2.0], or (3,[0],[1.5]) if it is sparse.
func appendVector(b []byte, size int, indices []int32, values []float64) []byte {
	if indices != nil {
		b = append(strconv.AppendInt(append(b, '('), int64(size), 10), ",["...)
		for i, x := range indices {
			b = strconv.AppendInt(comma(b, i), int64(x), 10)
		}
		b = append(b, "],"...)
	}
	b = append(b, '[')
	for i, x := range values {
		b = expr.AppendDouble(comma(b, i), x)
	}
	if b = append(b, ']'); indices != nil {
		b = append(b, ')')
	}
	return b
}

func comma(b []byte, i int) []byte {
	if i > 0 {
		b = append(b, ',')
	}
	return b
}

// raised is the error of a value that a fit refuses, as Spark's raise_error gives it.
func raised(message string) error { return errs.New("USER_RAISED_EXCEPTION", "errorMessage", message) }
