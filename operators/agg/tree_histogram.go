package agg

import (
	"math"
	"slices"
	"strconv"

	"millrace/errs"
	"millrace/vector"
	"millrace/vector/linalg"
	"millrace/vector/tree"
)

func init() {
	register(builder{one(doubleList), newTreeHistogram}, "ml_tree_histogram")
}

// TreeStats are the numbers that ml_tree_histogram gives for a bin: the sums of weights, of weighted labels and of their weighted squares,
// and the number of rows.
const TreeStats = 4

// treeHistogram is ml_tree_histogram(bins, label, weight): for each open leaf of a growing tree the sums of its rows by feature and bin,
// TreeStats numbers each. bins is binary and holds the bin of every feature, a byte each, or two (the low one first) with option wide.
// Options: growing is the tree, whose leaves' values are their numbers or -1 where a leaf is not asked about; leaves is how many are asked
// about; counts are the numbers of bins by feature. With trees and shares, the trees before this one and by how much each
// counts, and loss the rows' labels are replaced by what those trees leave to be learned. Loss logistic takes labels 0 and 1 for -1 and 1.
type treeHistogram struct {
	growing tree.Tree
	trees   []tree.Tree
	shares  []float64
	loss    string
	wide    bool
	first   []int // of a feature: where the sums of its bin 0 are in those of a leaf; and one more entry: how long a leaf's are
	sums    []float64
	got     partials
	row     []uint16
}

func newTreeHistogram(c *Call) (Function, error) {
	f := &treeHistogram{loss: c.Opts["loss"], wide: c.Opts["wide"] == "true"}
	growing, err := tree.FromText(c.Opts["growing"])
	if err == nil {
		f.trees, err = tree.FromText(c.Opts["trees"])
	}
	if err == nil {
		f.shares, err = linalg.FromText(c.Opts["shares"])
	}
	var counts []float64
	if err == nil {
		counts, err = linalg.FromText(c.Opts["counts"])
	}
	if err != nil {
		return nil, err
	}
	leaves, err := strconv.Atoi(c.Opts["leaves"])
	if err != nil || len(growing) != 1 || len(f.trees) != len(f.shares) {
		return nil, errs.Newf(errs.Internal, "ml_tree_histogram of %q leaves, %d trees of which %d count", c.Opts["leaves"], len(f.trees), len(f.shares))
	}
	f.growing = growing[0]
	f.first = make([]int, len(counts)+1)
	for i, n := range counts {
		f.first[i+1] = f.first[i] + TreeStats*int(n)
	}
	for _, t := range append(growing, f.trees...) {
		if t.Features() > len(counts) {
			return nil, errs.Newf(errs.Internal, "ml_tree_histogram of %d features with a tree of %d", len(counts), t.Features())
		}
	}
	f.sums = make([]float64, leaves*f.first[len(counts)])
	f.row = make([]uint16, len(counts))
	return f, nil
}

func (f *treeHistogram) TakesNulls() bool { return true }
func (f *treeHistogram) Resize(int)       {}
func (f *treeHistogram) MemSize() int64   { return int64(8*len(f.sums)) + f.got.memSize() }
func (f *treeHistogram) Reset() {
	clear(f.sums)
	f.got = partials{}
}

func (f *treeHistogram) Update(in *Input) error {
	if in.Groups != nil {
		return errs.Newf(errs.Internal, "ml_tree_histogram by group")
	}
	labels, weights := vector.Values[float64](in.Args[1])[:in.N], vector.Values[float64](in.Args[2])[:in.N]
	for i := range in.N {
		b := in.Args[0].Str(i)
		if f.wide {
			if len(b) != 2*len(f.row) {
				return f.damaged(b)
			}
			for j := range f.row {
				f.row[j] = uint16(b[2*j]) | uint16(b[2*j+1])<<8
			}
			addRow(f, f.row, labels[i], weights[i])
			continue
		}
		if len(b) != len(f.row) {
			return f.damaged(b)
		}
		addRow(f, b, labels[i], weights[i])
	}
	return nil
}

func (f *treeHistogram) damaged(b []byte) error {
	return errs.Newf(errs.Internal, "%d bytes of bins for %d features", len(b), len(f.row))
}

func addRow[T uint8 | uint16](f *treeHistogram, row []T, label, weight float64) {
	leaf := int(tree.Leaf(&f.growing, row).Value)
	if leaf < 0 {
		return
	}
	y := residual(f, row, label)
	wy := weight * y
	wyy := wy * y
	first := f.first[:len(row)+1]
	width := first[len(row)]
	sums := f.sums[leaf*width : (leaf+1)*width]
	for j, bin := range row {
		s := sums[first[j]+TreeStats*int(bin):]
		s = s[:TreeStats]
		s[0] += weight
		s[1] += wy
		s[2] += wyy
		s[3]++
	}
}

// residual is what a row's label is for the growing tree: the label itself for the first tree, later the negative gradient of the loss.
func residual[T uint8 | uint16](f *treeHistogram, row []T, label float64) float64 {
	if f.loss == "logistic" {
		label = 2*label - 1
	}
	if len(f.trees) == 0 {
		return label
	}
	p := 0.0
	for k := range f.trees {
		p += tree.Leaf(&f.trees[k], row).Value * f.shares[k]
	}
	switch f.loss {
	case "logistic":
		return 4 * label / (1 + math.Exp(2*label*p))
	case "absolute":
		if label-p < 0 {
			return -1
		}
		return 1
	}
	return 2 * (label - p)
}

func (f *treeHistogram) Merge(in *Input) error { return f.got.add(in) }

func (f *treeHistogram) total() []float64 {
	rows := f.got.take()
	if len(rows) == 1 && !slices.ContainsFunc(f.sums, func(x float64) bool { return x != 0 }) {
		return rows[0]
	}
	for _, o := range rows {
		for i, x := range o {
			f.sums[i] += x
		}
	}
	return f.sums
}

func (f *treeHistogram) States(out []*vector.Vector, _, n int) {
	for range n {
		appendDoubles(out[0], f.total())
	}
}

func (f *treeHistogram) Result(out *vector.Vector, _, n int) error {
	for range n {
		appendDoubles(out, f.total())
	}
	return nil
}
