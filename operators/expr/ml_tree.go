package expr

import (
	"math"
	"slices"

	"millrace/errs"
	"millrace/vector"
	"millrace/vector/linalg"
	"millrace/vector/tree"
)

// Kernels of decision trees: from features to their bins, in which trees are trained, and from features to what trees say of them.
func init() {
	Register("ml_tree_bins", Func{Strict: true, Build: buildTreeBins})
	Register("ml_tree_margins", Func{Build: buildTreeMargins})
	Register("ml_tree_value", Func{Build: buildTreeValue})
	Register("ml_tree_leaves", Func{Build: buildTreeLeaves})
	Register("ml_tree_probability", Func{Strict: true, Build: buildTreeProbability})
}

// binner finds the bins of features.
type binner struct {
	thresholds [][]float64 // of continuous features; nil for categorical ones,
	arity      []int       // which have this many categories
	wide       bool
}

// buildTreeBins makes of a vector the bytes that ml_tree_histogram reads. Option thresholds holds by feature minus its number of categories,
// or the number of its thresholds and these in ascending order; a value is in the bin of the first threshold that is not below it, or after the last.
func buildTreeBins(c *Call) (Kernel, error) {
	b := &binner{wide: c.Options["wide"] == "true"}
	rest, err := linalg.FromText(c.Options["thresholds"])
	if err != nil {
		return nil, err
	}
	for len(rest) > 0 {
		n := int(rest[0])
		rest = rest[1:]
		if n < 0 {
			b.thresholds, b.arity = append(b.thresholds, nil), append(b.arity, -n)
			continue
		}
		if n > len(rest) {
			return nil, errs.Newf(errs.Internal, "ml_tree_bins with too few thresholds")
		}
		b.thresholds, b.arity = append(b.thresholds, rest[:n:n]), append(b.arity, 0)
		rest = rest[n:]
	}
	return b.run, nil
}

func (b *binner) run(_ *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
	col, w := linalg.Of(args[0]), NewStringWriter(out, n)
	var row []float64
	err := RowsErr(sel, n, func(i int) error {
		row = col.Spread(i, row)
		if len(row) != len(b.arity) {
			return errs.Newf(errs.Invalid, "a vector of %d features among those of %d", len(row), len(b.arity))
		}
		buf := w.Buffer()
		for j, x := range row {
			bin, err := b.bin(j, x)
			if err != nil {
				return err
			}
			if buf = append(buf, byte(bin)); b.wide {
				buf = append(buf, byte(bin>>8))
			}
		}
		w.Commit(i, buf)
		return nil
	})
	w.Close()
	return err
}

func (b *binner) bin(feature int, x float64) (int, error) {
	n := b.arity[feature]
	if n == 0 {
		bin, _ := slices.BinarySearch(b.thresholds[feature], x)
		return bin, nil
	}
	if x < 0 || x >= float64(n) {
		e := errs.Newf(errs.Invalid, "DecisionTree given invalid data: Feature %d is categorical with values in {0,...,%d, but a data point gives it value %s.",
			feature, n-1, showDouble(x))
		e.Class = errs.ClassIllegalArgument
		return 0, e
	}
	return int(x), nil
}

// forest is trees, by how much each counts, and how many features a vector must have at least.
type forest struct {
	trees    []tree.Tree
	shares   []float64
	features int
	class    string // of the model, for errors
	row      []float64
}

func newForest(c *Call) (*forest, error) {
	f := &forest{class: c.Options["class"]}
	var err error
	if f.trees, err = tree.FromText(c.Options["trees"]); err != nil {
		return nil, err
	}
	if f.shares, err = linalg.FromText(c.Options["shares"]); err != nil {
		return nil, err
	}
	if len(f.shares) != len(f.trees) {
		return nil, errs.Newf(errs.Internal, "%d shares of %d trees", len(f.shares), len(f.trees))
	}
	for i := range f.trees {
		f.features = max(f.features, f.trees[i].Features())
	}
	return f, nil
}

// read takes a row's features.
func (f *forest) read(col *linalg.Column, i int) error {
	if col.IsNull(i) {
		return nullVector(f.class)
	}
	if f.row = col.Spread(i, f.row); len(f.row) < f.features {
		return errs.Newf(errs.Invalid, "Index %d out of bounds for length %d", f.features-1, len(f.row))
	}
	return nil
}

// sum is what the trees say of the row that was read.
func (f *forest) sum() float64 {
	s := 0.0
	for k := range f.trees {
		s += tree.Leaf(&f.trees[k], f.row).Value * f.shares[k]
	}
	return s
}

// vectors makes a kernel of vectors of a size.
func (f *forest) vectors(size int, each func(out []float64)) Kernel {
	return func(_ *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		col, w := linalg.Of(args[0]), linalg.NewWriter(out)
		err := RowsErr(sel, n, func(i int) error {
			err := f.read(&col, i)
			if err == nil {
				each(w.Dense(i, size))
			}
			return err
		})
		w.Close()
		return err
	}
}

// buildTreeMargins makes a vector of minus the trees' sum and the sum. Options trees and shares are those of ml_tree_histogram.
func buildTreeMargins(c *Call) (Kernel, error) {
	f, err := newForest(c)
	if err != nil {
		return nil, err
	}
	return f.vectors(2, func(out []float64) {
		s := f.sum()
		out[0], out[1] = -s, s
	}), nil
}

// buildTreeLeaves makes a vector of the values of leaves by tree.
func buildTreeLeaves(c *Call) (Kernel, error) {
	f, err := newForest(c)
	if err != nil {
		return nil, err
	}
	return f.vectors(len(f.trees), func(out []float64) {
		for k := range f.trees {
			out[k] = tree.Leaf(&f.trees[k], f.row).Value
		}
	}), nil
}

// buildTreeValue is the trees' sum.
func buildTreeValue(c *Call) (Kernel, error) {
	f, err := newForest(c)
	if err != nil {
		return nil, err
	}
	return func(_ *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		col, values := linalg.Of(args[0]), vector.Values[float64](out)
		return RowsErr(sel, n, func(i int) error {
			err := f.read(&col, i)
			if err == nil {
				values[i] = f.sum()
			}
			return err
		})
	}, nil
}

// buildTreeProbability makes probabilities of margins that are half of the log-odds.
func buildTreeProbability(*Call) (Kernel, error) {
	return eachVector(func(margins, out []float64) {
		out[0] = 1 / (1 + math.Exp(-2*margins[0]))
		out[1] = 1 - out[0]
	}), nil
}
