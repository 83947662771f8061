package ml

import (
	"math"
	"slices"

	"millrace/vector/tree"
)

// treeStats are the sums over rows that ml_tree_histogram gives: of weights, of weighted labels, of their weighted squares, and the rows' number.
type treeStats [4]float64

// impurity is the variance.
func (s treeStats) impurity() float64 {
	if s[0] == 0 {
		return 0
	}
	return (s[2] - float64(s[1]*s[1])/s[0]) / s[0]
}

func (s treeStats) prediction() float64 {
	if s[0] == 0 {
		return 0
	}
	return s[1] / s[0]
}

func (s treeStats) plus(o treeStats) treeStats {
	for i, x := range o {
		s[i] += x
	}
	return s
}

func (s treeStats) minus(o treeStats) treeStats {
	for i, x := range o {
		s[i] -= x
	}
	return s
}

// treeNode is a node of a regression tree.
type treeNode struct {
	stats       treeStats
	prediction  float64
	impurity    float64 // -1 in a leaf that no split was good enough for
	gain        float64
	split       *treeSplit // nil in a leaf
	left, right *treeNode
}

// treeSplit says which rows go left: those whose feature is at most a threshold, or is one of some categories.
type treeSplit struct {
	feature   int
	threshold float64
	bin       int // of the threshold, while the tree grows

	categories []float64 // that go left, in ascending order
	arity      int       // the number of categories; 0: a threshold
}

// treeTask is what is known when trees are grown.
type treeTask struct {
	features               []treeFeature
	maxDepth               int
	minInstances           float64
	minInfoGain, minWeight float64
	together               int // how many leaves may be asked about at once

	// sums adds up the rows in leaves of a growing tree, as ml_tree_histogram does. The leaves' values are their numbers or -1.
	sums func(growing tree.Tree, leaves int) ([]float64, error)
}

// treeFeature is what trees know of a feature.
type treeFeature struct {
	thresholds []float64 // of a continuous feature
	arity      int       // of a categorical one, else 0
	places     int       // what a histogram has of it; at least arity and more than there are thresholds
}

// width is how many numbers a leaf's histogram has.
func (t *treeTask) width() int {
	n := 0
	for _, f := range t.features {
		n += len(treeStats{}) * f.places
	}
	return n
}

// openLeaf is a leaf that may be split.
type openLeaf struct {
	*treeNode
	depth int
}

// grow makes a tree, level by level.
func (t *treeTask) grow() (*treeNode, error) {
	root := &treeNode{}
	open := []openLeaf{{root, 0}}
	for len(open) > 0 {
		n := min(len(open), max(1, t.together))
		number := make(map[*treeNode]float64, n)
		for i, l := range open[:n] {
			number[l.treeNode] = float64(i)
		}
		sums, err := t.sums(root.flat(true, func(leaf *treeNode) float64 {
			if i, ok := number[leaf]; ok {
				return i
			}
			return -1
		}), n)
		if err != nil {
			return nil, err
		}
		width := len(sums) / n
		rest := slices.Clone(open[n:])
		for i, l := range open[:n] {
			rest = append(rest, t.divide(l, sums[i*width:(i+1)*width])...)
		}
		open = rest
	}
	return root.pruned(), nil
}

// epsilon is the distance from 1 to the next number. A leaf with less impurity is not split.
const epsilon = 0x1p-52

// divide splits a leaf if that gains anything, and returns those of its children that may be split too.
func (t *treeTask) divide(l openLeaf, sums []float64) []openLeaf {
	c := chooser{treeTask: t, parent: l.stats, known: l.depth > 0, best: candidate{gain: -math.MaxFloat64}}
	c.impurity = c.parent.impurity()
	at := 0
	for j, f := range t.features {
		n := len(treeStats{}) * f.places
		c.consider(j, sums[at:at+n])
		at += n
	}
	if !c.known { // no feature can be split, so any of them gives the sum
		for b := range t.features[0].places {
			c.parent = c.parent.plus(treeStats(sums[b*len(treeStats{}):]))
		}
		c.impurity = c.parent.impurity()
	}
	l.stats, l.prediction, l.impurity, l.gain = c.parent, c.parent.prediction(), c.impurity, c.best.gain
	if l.gain <= 0 || l.depth == t.maxDepth {
		if !c.best.valid {
			l.impurity = -1
		}
		return nil
	}
	l.split = &c.best.split
	l.left, l.right = newLeaf(c.best.left), newLeaf(c.best.right)
	var open []openLeaf
	for _, child := range []*treeNode{l.left, l.right} {
		if l.depth+1 < t.maxDepth && math.Abs(child.impurity) >= epsilon {
			open = append(open, openLeaf{child, l.depth + 1})
		}
	}
	return open
}

func newLeaf(s treeStats) *treeNode {
	return &treeNode{stats: s, prediction: s.prediction(), impurity: s.impurity(), gain: -1}
}

// candidate is a split that might be made.
type candidate struct {
	split       treeSplit
	gain        float64
	left, right treeStats
	valid       bool // enough rows on both sides and enough gained
}

// chooser finds a leaf's best split, the first of several that are equally good.
type chooser struct {
	*treeTask
	parent   treeStats
	impurity float64
	known    bool // the parent's sums are known; else the first split gives them
	found    bool
	best     candidate
}

// consider looks at all splits of a feature by its histogram.
func (c *chooser) consider(feature int, sums []float64) {
	f := c.features[feature]
	bins := make([]treeStats, f.places)
	for b := range bins {
		bins[b] = treeStats(sums[b*len(treeStats{}):])
	}
	order := make([]int, f.places)
	for b := range order {
		order[b] = b
	}
	if f.arity > 0 {
		centroid := make([]float64, len(bins))
		for b, s := range bins {
			if centroid[b] = s.prediction(); s[0] == 0 {
				centroid[b] = math.MaxFloat64
			}
		}
		slices.SortStableFunc(order, func(a, b int) int { return compareTotal(centroid[a], centroid[b]) })
	}
	for k := 1; k < len(order); k++ {
		bins[order[k]] = bins[order[k]].plus(bins[order[k-1]])
	}
	last := bins[order[len(order)-1]]
	best, at := candidate{}, -1
	for k := range len(order) - 1 {
		left := bins[order[k]]
		x := c.weigh(left, last.minus(left))
		if at < 0 || compareTotal(x.gain, best.gain) > 0 {
			best, at = x, k
		}
	}
	if at < 0 || c.found && compareTotal(best.gain, c.best.gain) <= 0 {
		return
	}
	best.split = treeSplit{feature: feature}
	if f.arity == 0 {
		best.split.bin, best.split.threshold = at, f.thresholds[at]
	} else {
		best.split.arity = f.arity
		for _, b := range order[:at+1] {
			best.split.categories = append(best.split.categories, float64(b))
		}
		slices.Sort(best.split.categories)
	}
	c.best, c.found = best, true
}

// weigh says what a split gains.
func (c *chooser) weigh(left, right treeStats) candidate {
	if !c.known {
		c.parent, c.known = left.plus(right), true
		c.impurity = c.parent.impurity()
	}
	x := candidate{gain: -math.MaxFloat64, left: left, right: right}
	if left[3] < c.minInstances || right[3] < c.minInstances || left[0] < c.minWeight || right[0] < c.minWeight {
		return x
	}
	total := left[0] + right[0]
	gain := c.impurity - float64(left[0]/total*left.impurity()) - float64(right[0]/total*right.impurity())
	if gain < c.minInfoGain {
		return x
	}
	x.gain, x.valid = gain, true
	return x
}

// compareTotal orders doubles as Java's Double.compare does: not a number comes last.
func compareTotal(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	case a == b:
		return 0
	case math.IsNaN(a) && math.IsNaN(b):
		return 0
	case math.IsNaN(a):
		return 1
	}
	return -1
}

// pruned makes leaves of nodes whose children are leaves that predict the same.
func (n *treeNode) pruned() *treeNode {
	if n.split == nil {
		return n
	}
	n.left, n.right = n.left.pruned(), n.right.pruned()
	if n.left.split == nil && n.right.split == nil && n.left.prediction == n.right.prediction {
		return &treeNode{stats: n.stats, prediction: n.left.prediction, impurity: n.impurity, gain: -1}
	}
	return n
}

// flat is the tree in the form that kernels evaluate, of features or (while the tree grows) of their bins.
func (n *treeNode) flat(bins bool, value func(leaf *treeNode) float64) tree.Tree {
	t := tree.Tree{}
	n.flatten(&t, bins, value)
	return t
}

func (n *treeNode) flatten(t *tree.Tree, bins bool, value func(leaf *treeNode) float64) int32 {
	at := int32(len(t.Nodes))
	x := tree.Node{Feature: tree.NoFeature, Set: tree.NoSet}
	if n.split == nil {
		x.Value = value(n)
		t.Nodes = append(t.Nodes, x)
		return at
	}
	s := n.split
	x.Feature, x.Threshold = int32(s.feature), s.threshold
	if bins {
		x.Threshold = float64(s.bin)
	}
	if s.arity > 0 {
		// What is in no category goes where more of them go, as in Spark.
		members := s.categories
		if x.Members = len(members) <= s.arity/2; !x.Members {
			members = s.others()
		}
		x.Set = int32(len(t.Sets))
		t.Sets = append(t.Sets, tree.NewSet(members))
	}
	t.Nodes = append(t.Nodes, x)
	left := n.left.flatten(t, bins, value)
	right := n.right.flatten(t, bins, value)
	t.Nodes[at].Left, t.Nodes[at].Right = left, right
	return at
}

// others are the categories that go right.
func (s *treeSplit) others() []float64 {
	var out []float64
	for c := range s.arity {
		if _, in := slices.BinarySearch(s.categories, float64(c)); !in {
			out = append(out, float64(c))
		}
	}
	return out
}

func leafPrediction(leaf *treeNode) float64 { return leaf.prediction }
