package agg

import (
	"maps"
	"math"
	"slices"

	"millrace/errs"
	"millrace/operators/expr"
	"millrace/vector"
	"millrace/vector/linalg"
)

func init() {
	register(builder{one(doubleList), func(c *Call) (Function, error) {
		return &treeRows{binary: c.Opts["labels"] == "binary"}, nil
	}}, "ml_tree_rows")
	register(builder{one(doubleList), newTreeValues}, "ml_tree_values")
}

// treeRows is ml_tree_rows(features, label, weight), which checks the rows that a tree is to learn from: the vectors' size, the number of rows and
// the sum of their weights. For no rows all are 0. Option labels is binary if labels must be 0 or 1.
type treeRows struct {
	binary              bool
	size, count, weight float64
	got                 partials
}

func (f *treeRows) TakesNulls() bool { return true }
func (f *treeRows) Resize(int)       {}
func (f *treeRows) MemSize() int64   { return 64 + f.got.memSize() }
func (f *treeRows) Reset()           { *f = treeRows{binary: f.binary} }

func (f *treeRows) Update(in *Input) error {
	if in.Groups != nil {
		return errs.Newf(errs.Internal, "ml_tree_rows by group")
	}
	if err := f.checkLabels(in.Args[1], in.N); err != nil {
		return err
	}
	weights, err := checkedWeights(in.Args[2], in.N)
	if err != nil {
		return err
	}
	col := linalg.Of(in.Args[0])
	for i, w := range weights {
		if col.IsNull(i) {
			return raised("Vectors MUST NOT be Null")
		}
		size, indices, values := col.Row(i)
		for _, x := range values {
			if math.IsNaN(x) || math.IsInf(x, 0) {
				return raised("Vector values MUST NOT be NaN or Infinity, but got " + string(appendVector(nil, size, indices, values)))
			}
		}
		if f.count > 0 && float64(size) != f.size {
			return mismatch("adding new sample", int(f.size), size)
		}
		f.size = float64(size)
		f.count++
		f.weight += w
	}
	return nil
}

func (f *treeRows) checkLabels(v *vector.Vector, n int) error {
	for i, y := range vector.Values[float64](v)[:n] {
		switch {
		case v.Valid != nil && !v.Valid.Get(i), math.IsNaN(y):
			return raised("Labels MUST NOT be Null or NaN")
		case f.binary && y != 0 && y != 1:
			return raised("Labels MUST be in {0, 1}, but got " + string(expr.AppendDouble(nil, y)))
		case math.IsInf(y, 0):
			return raised("Labels MUST NOT be Infinity, but got " + string(expr.AppendDouble(nil, y)))
		}
	}
	return nil
}

func (f *treeRows) Merge(in *Input) error { return f.got.add(in) }

func (f *treeRows) total() []float64 {
	for _, o := range f.got.take() {
		f.size = max(f.size, o[0])
		f.count += o[1]
		f.weight += o[2]
	}
	return []float64{f.size, f.count, f.weight}
}

func (f *treeRows) States(out []*vector.Vector, _, n int) {
	for range n {
		appendDoubles(out[0], f.total())
	}
}

func (f *treeRows) Result(out *vector.Vector, _, n int) error {
	for range n {
		appendDoubles(out, f.total())
	}
	return nil
}

// treeValues is ml_tree_values(features, weight): for each feature of option features how many different values other than 0 it has, its
// number of rows with such values, and these values in ascending order, each followed by the sum of its rows' weights. It is meant for a sample.
type treeValues struct {
	features []int
	weights  []map[float64]float64
	rows     []float64
	got      partials
	dense    []float64
}

func newTreeValues(c *Call) (Function, error) {
	list, err := linalg.FromText(c.Opts["features"])
	if err != nil {
		return nil, err
	}
	f := &treeValues{}
	for _, j := range list {
		f.features = append(f.features, int(j))
	}
	f.Reset()
	return f, nil
}

func (f *treeValues) TakesNulls() bool { return true }
func (f *treeValues) Resize(int)       {}

func (f *treeValues) MemSize() int64 {
	n := f.got.memSize()
	for _, m := range f.weights {
		n += int64(48 * len(m))
	}
	return n
}

func (f *treeValues) Reset() {
	f.weights, f.rows, f.got = make([]map[float64]float64, len(f.features)), make([]float64, len(f.features)), partials{}
	for k := range f.weights {
		f.weights[k] = map[float64]float64{}
	}
}

func (f *treeValues) Update(in *Input) error {
	if in.Groups != nil {
		return errs.Newf(errs.Internal, "ml_tree_values by group")
	}
	col := linalg.Of(in.Args[0])
	for i, w := range vector.Values[float64](in.Args[1])[:in.N] {
		f.dense = col.Spread(i, f.dense)
		for k, j := range f.features {
			if j >= len(f.dense) {
				return mismatch("adding new sample", j+1, len(f.dense))
			}
			if x := f.dense[j]; x != 0 {
				f.weights[k][x] += w
				f.rows[k]++
			}
		}
	}
	return nil
}

func (f *treeValues) Merge(in *Input) error { return f.got.add(in) }

func (f *treeValues) total() []float64 {
	for _, o := range f.got.take() {
		for k, m := range f.weights {
			n := int(o[0])
			f.rows[k] += o[1]
			for p := 2; p < 2+2*n; p += 2 {
				m[o[p]] += o[p+1]
			}
			o = o[2+2*n:]
		}
	}
	var out []float64
	for k, m := range f.weights {
		out = append(out, float64(len(m)), f.rows[k])
		for _, x := range slices.Sorted(maps.Keys(m)) {
			out = append(out, x, m[x])
		}
	}
	return out
}

func (f *treeValues) States(out []*vector.Vector, _, n int) {
	for range n {
		appendDoubles(out[0], f.total())
	}
}

func (f *treeValues) Result(out *vector.Vector, _, n int) error {
	for range n {
		appendDoubles(out, f.total())
	}
	return nil
}
