package ml

import (
	"math"
	"math/rand"
	"testing"

	"millrace/vector/tree"
)

// TestGrowIsGreedy grows trees of small random data and looks at every node: no split of its rows that can be made gains more than the one that
// was made, and the rows' sums are those of the node.
func TestGrowIsGreedy(t *testing.T) {
	r := rand.New(rand.NewSource(1))
	for range 200 {
		n := 5 + r.Intn(60)
		rows, labels := make([][]uint8, n), make([]float64, n)
		for i := range rows {
			rows[i] = []uint8{uint8(r.Intn(6)), uint8(r.Intn(3)), uint8(r.Intn(5))}
			labels[i] = float64(r.Intn(5))
		}
		features := []treeFeature{{thresholds: []float64{0, 1, 2, 3, 4}, places: 6}, {arity: 3, places: 3}, {thresholds: []float64{0, 1, 2, 3}, places: 5}}
		task := treeTask{features: features, maxDepth: 1 + r.Intn(4), minInstances: float64(1 + r.Intn(3)), together: 1 + r.Intn(4)}
		if task.minInstances > 1 { // the order of categories by their means then no longer holds the best set of them
			features[1] = treeFeature{thresholds: []float64{0, 1}, places: 3}
		}
		task.sums = func(growing tree.Tree, leaves int) ([]float64, error) {
			sums := make([]float64, leaves*task.width())
			for i, row := range rows {
				leaf, at := int(tree.Leaf(&growing, row).Value), 0
				for j, f := range features {
					if leaf >= 0 {
						for k, x := range []float64{1, labels[i], labels[i] * labels[i], 1} {
							sums[leaf*task.width()+at+4*int(row[j])+k] += x
						}
					}
					at += 4 * f.places
				}
			}
			return sums, nil
		}
		root, err := task.grow()
		if err != nil {
			t.Fatal(err)
		}
		all := make([]int, n)
		for i := range all {
			all[i] = i
		}
		checkNode(t, &task, root, rows, labels, all, 0)
	}
}

func checkNode(t *testing.T, task *treeTask, n *treeNode, rows [][]uint8, labels []float64, members []int, depth int) {
	t.Helper()
	mean, variance := spread(labels, members)
	if int(n.stats[3]) != len(members) || n.split != nil && math.Abs(n.prediction-mean) > 1e-12 {
		t.Fatalf("a node of %v has %d rows of mean %v", n.stats, len(members), mean)
	}
	most := 0.0
	for j := range rows[0] {
		for set := 1; set < 1<<task.features[j].places-1; set++ {
			if task.features[j].arity == 0 && set&(set+1) != 0 {
				continue // a threshold takes all bins below it
			}
			most = max(most, gainOf(task, labels, members, variance, func(i int) bool { return set>>rows[i][j]&1 == 1 }))
		}
	}
	if n.split == nil {
		// A leaf whose children would predict the same is pruned, which no gain shows only when it is 0.
		if depth < task.maxDepth && most > 1e-9 {
			t.Fatalf("a leaf at depth %d could gain %v", depth, most)
		}
		return
	}
	if math.Abs(most-n.gain) > 1e-9 {
		t.Fatalf("a split gains %v, the best %v", n.gain, most)
	}
	var sides [2][]int
	for _, i := range members {
		x := float64(rows[i][n.split.feature])
		left := x <= float64(n.split.bin)
		if n.split.arity > 0 {
			left = n.split.goesLeft(x)
		}
		side := &sides[1]
		if left {
			side = &sides[0]
		}
		*side = append(*side, i)
	}
	checkNode(t, task, n.left, rows, labels, sides[0], depth+1)
	checkNode(t, task, n.right, rows, labels, sides[1], depth+1)
}

func spread(labels []float64, members []int) (mean, variance float64) {
	for _, i := range members {
		mean += labels[i] / float64(len(members))
	}
	for _, i := range members {
		variance += (labels[i] - mean) * (labels[i] - mean) / float64(len(members))
	}
	return mean, variance
}

func gainOf(task *treeTask, labels []float64, members []int, variance float64, left func(int) bool) float64 {
	var sides [2][]int
	for _, i := range members {
		if left(i) {
			sides[0] = append(sides[0], i)
		} else {
			sides[1] = append(sides[1], i)
		}
	}
	for _, s := range sides {
		if float64(len(s)) < task.minInstances {
			return 0
		}
		_, v := spread(labels, s)
		variance -= v * float64(len(s)) / float64(len(members))
	}
	return variance
}
