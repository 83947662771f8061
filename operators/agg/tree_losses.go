package agg

import (
	"math"

	"millrace/errs"
	"millrace/vector"
	"millrace/vector/linalg"
	"millrace/vector/tree"
)

func init() {
	register(builder{one(doubleList), newTreeLosses}, "ml_tree_losses")
}

// treeLosses is ml_tree_losses(features, label, weight): the sum of weights, and the weighted losses of the first of option trees, the first two and so on,
// each counting by its one of option shares. Options loss and labels are those of ml_tree_histogram and ml_tree_rows. It checks rows as ml_tree_rows.
type treeLosses struct {
	treeRows
	trees    []tree.Tree
	shares   []float64
	features int
	loss     string
	sums     []float64
	row      []float64
}

func newTreeLosses(c *Call) (Function, error) {
	f := &treeLosses{treeRows: treeRows{binary: c.Opts["labels"] == "binary"}, loss: c.Opts["loss"]}
	var err error
	if f.trees, err = tree.FromText(c.Opts["trees"]); err != nil {
		return nil, err
	}
	if f.shares, err = linalg.FromText(c.Opts["shares"]); err != nil || len(f.shares) != len(f.trees) {
		return nil, errs.Newf(errs.Internal, "ml_tree_losses of %d trees and %d shares", len(f.trees), len(f.shares))
	}
	for i := range f.trees {
		f.features = max(f.features, f.trees[i].Features())
	}
	f.Reset()
	return f, nil
}

func (f *treeLosses) MemSize() int64 { return int64(8*len(f.sums)) + f.treeRows.MemSize() }
func (f *treeLosses) Reset() {
	f.treeRows.Reset()
	f.sums = make([]float64, 1+len(f.trees))
}

func (f *treeLosses) Update(in *Input) error {
	if err := f.treeRows.Update(in); err != nil {
		return err
	}
	col := linalg.Of(in.Args[0])
	labels, weights := vector.Values[float64](in.Args[1])[:in.N], vector.Values[float64](in.Args[2])[:in.N]
	for i, w := range weights {
		f.row = col.Spread(i, f.row)
		if len(f.row) < f.features {
			return errs.Newf(errs.Invalid, "Index %d out of bounds for length %d", f.features-1, len(f.row))
		}
		f.sums[0] += w
		p := 0.0
		for k := range f.trees {
			p += tree.Leaf(&f.trees[k], f.row).Value * f.shares[k]
			f.sums[1+k] += w * lossOf(f.loss, p, labels[i])
		}
	}
	return nil
}

// lossOf is the loss of a prediction.
func lossOf(loss string, prediction, label float64) float64 {
	switch d := label - prediction; loss {
	case "logistic":
		m := 2 * (2*label - 1) * prediction
		if m < 0 {
			return 2 * (math.Log1p(math.Exp(m)) - m)
		}
		return 2 * math.Log1p(math.Exp(-m))
	case "absolute":
		return math.Abs(d)
	default:
		return d * d
	}
}

func (f *treeLosses) Merge(in *Input) error { return f.got.add(in) }

func (f *treeLosses) total() []float64 {
	for _, o := range f.got.take() {
		for i, x := range o {
			f.sums[i] += x
		}
	}
	return f.sums
}

func (f *treeLosses) States(out []*vector.Vector, _, n int) {
	for range n {
		appendDoubles(out[0], f.total())
	}
}

func (f *treeLosses) Result(out *vector.Vector, _, n int) error {
	for range n {
		appendDoubles(out, f.total())
	}
	return nil
}
