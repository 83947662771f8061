package tree

import (
	"math"

	"millrace/errs"
	"millrace/vector/linalg"
)

// Node is a split or a leaf. The root is node 0.
type Node struct {
	Feature     int32 // which one is compared; NoFeature in a leaf
	Left, Right int32 // the places of the children
	Set         int32 // NoSet, or the place in Tree.Sets of the categories that decide
	// Members says where the numbers of the set go: true: left, and all others right.
	Members   bool
	Threshold float64 // without a set: numbers up to it go left
	Value     float64 // a leaf's
}

// What Node.Feature is in a leaf, and Node.Set without categories.
const (
	NoFeature = -1
	NoSet     = -1
)

// Set is a set of categories, a bit for each.
type Set []uint64

// NewSet makes a set of categories, which are not negative.
func NewSet(categories []float64) Set {
	var s Set
	for _, c := range categories {
		for int(c)>>6 >= len(s) {
			s = append(s, 0)
		}
		s[int(c)>>6] |= 1 << (uint(c) & 63)
	}
	return s
}

// Has reports whether x is one of the categories.
func (s Set) Has(x float64) bool {
	if x < 0 || x >= float64(64*len(s)) || x != math.Trunc(x) {
		return false
	}
	return s[int(x)>>6]>>(uint(x)&63)&1 == 1
}

// Tree is a decision tree.
type Tree struct {
	Nodes []Node
	Sets  []Set
}

// Number is what a tree compares.
type Number interface{ uint8 | uint16 | float64 }

// Leaf is the leaf to which a row of numbers by feature belongs.
func Leaf[T Number](t *Tree, row []T) *Node {
	n := &t.Nodes[0]
	for n.Feature >= 0 {
		x := float64(row[n.Feature])
		left := x <= n.Threshold
		if n.Set >= 0 {
			left = t.Sets[n.Set].Has(x) == n.Members
		}
		if left {
			n = &t.Nodes[n.Left]
		} else {
			n = &t.Nodes[n.Right]
		}
	}
	return n
}

// nodeNumbers is how many numbers a node has in a text, before the words of its set.
const nodeNumbers = 6

// Text writes trees for an option of a call.
func Text(trees ...Tree) string {
	var b []float64
	for i := range trees {
		t := &trees[i]
		b = append(b, float64(len(t.Nodes)))
		for _, n := range t.Nodes {
			words := Set(nil)
			kind := 0.0 // without a set; else which side its members go to
			if n.Set >= 0 {
				words = t.Sets[n.Set]
				if kind = 2; n.Members {
					kind = 1
				}
			}
			number := n.Threshold
			if n.Feature < 0 {
				number = n.Value
			}
			b = append(b, float64(n.Feature), float64(n.Left), float64(n.Right), number, kind, float64(len(words)))
			for _, w := range words {
				b = append(b, math.Float64frombits(w))
			}
		}
	}
	return linalg.Text(b)
}

// FromText reads what Text wrote.
func FromText(text string) ([]Tree, error) {
	b, err := linalg.FromText(text)
	if err != nil {
		return nil, err
	}
	var trees []Tree
	for len(b) > 0 {
		t := Tree{Nodes: make([]Node, 0, int(b[0]))}
		n := int(b[0])
		b = b[1:]
		for range n {
			if len(b) < nodeNumbers || len(b) < nodeNumbers+int(b[5]) {
				return nil, errs.Newf(errs.Internal, "a text that should hold trees is too short")
			}
			t.add(b[:nodeNumbers], b[nodeNumbers:nodeNumbers+int(b[5])])
			b = b[nodeNumbers+int(b[5]):]
		}
		if !t.whole() {
			return nil, errs.Newf(errs.Internal, "a text that should hold trees does not")
		}
		trees = append(trees, t)
	}
	return trees, nil
}

func (t *Tree) add(numbers, words []float64) {
	n := Node{Feature: int32(numbers[0]), Left: int32(numbers[1]), Right: int32(numbers[2]), Set: NoSet, Members: numbers[4] == 1}
	if n.Feature < 0 {
		n.Value = numbers[3]
	} else {
		n.Threshold = numbers[3]
	}
	if numbers[4] != 0 {
		n.Set = int32(len(t.Sets))
		set := make(Set, len(words))
		for i, w := range words {
			set[i] = math.Float64bits(w)
		}
		t.Sets = append(t.Sets, set)
	}
	t.Nodes = append(t.Nodes, n)
}

// whole reports whether every walk from the root ends in a leaf.
func (t *Tree) whole() bool {
	for i, n := range t.Nodes {
		if n.Feature >= 0 && (int(n.Left) <= i || int(n.Left) >= len(t.Nodes) || int(n.Right) <= i || int(n.Right) >= len(t.Nodes)) {
			return false
		}
	}
	return len(t.Nodes) > 0
}

// Features is one more than the largest feature that the tree compares.
func (t *Tree) Features() int {
	most := 0
	for _, n := range t.Nodes {
		most = max(most, int(n.Feature)+1)
	}
	return most
}
