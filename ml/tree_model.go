package ml

import (
	"slices"
	"strconv"
	"strings"

	"millrace/errs"
	"millrace/types"
	"millrace/vector/linalg"
)

// count is the number of nodes.
func (n *treeNode) count() int {
	if n.split == nil {
		return 1
	}
	return 1 + n.left.count() + n.right.count()
}

// depth is 0 for a leaf.
func (n *treeNode) depth() int {
	if n.split == nil {
		return 0
	}
	return 1 + max(n.left.depth(), n.right.depth())
}

// leaves are the tree's leaves from left to right, each with its place.
func (n *treeNode) leaves() map[*treeNode]float64 {
	out := map[*treeNode]float64{}
	n.each(func(x *treeNode) {
		if x.split == nil {
			out[x] = float64(len(out))
		}
	})
	return out
}

// each visits nodes in preorder.
func (n *treeNode) each(f func(*treeNode)) {
	f(n)
	if n.split != nil {
		n.left.each(f)
		n.right.each(f)
	}
}

// leaf is where a row of features belongs.
func (n *treeNode) leaf(x linalg.Vector) (*treeNode, error) {
	row := x.Array()
	for n.split != nil {
		if n.split.feature >= len(row) {
			return nil, errs.Newf(errs.Invalid, "Index %d out of bounds for length %d", n.split.feature, len(row))
		}
		if n.split.goesLeft(row[n.split.feature]) {
			n = n.left
		} else {
			n = n.right
		}
	}
	return n, nil
}

func (s *treeSplit) goesLeft(x float64) bool {
	if s.arity == 0 {
		return x <= s.threshold
	}
	if len(s.categories) <= s.arity/2 {
		return slices.Contains(s.categories, x)
	}
	return !slices.Contains(s.others(), x)
}

// describe writes the nodes as Spark's toDebugString does.
func (n *treeNode) describe(b *strings.Builder, indent int) {
	margin := strings.Repeat(" ", indent)
	if n.split == nil {
		b.WriteString(margin + "Predict: " + showDouble(n.prediction) + "\n")
		return
	}
	yes, no := n.split.describe()
	b.WriteString(margin + "If (" + yes + ")\n")
	n.left.describe(b, indent+1)
	b.WriteString(margin + "Else (" + no + ")\n")
	n.right.describe(b, indent+1)
}

func (s *treeSplit) describe() (yes, no string) {
	name := "feature " + strconv.Itoa(s.feature)
	if s.arity == 0 {
		return name + " <= " + showDouble(s.threshold), name + " > " + showDouble(s.threshold)
	}
	list := "{" + strings.Trim(jsonList(s.categories, showDouble), "[]") + "}"
	return name + " in " + list, name + " not in " + list
}

// importances say how much each feature contributes to all trees: the gains of its splits by their weights, as a share of all gains.
func importances(trees []*treeNode, features int) linalg.Vector {
	total := make([]float64, features)
	for _, t := range trees {
		t.each(func(n *treeNode) {
			if n.split != nil {
				total[n.split.feature] += n.gain * n.stats[0]
			}
		})
	}
	sum := 0.0
	for _, x := range total {
		sum += x
	}
	out := linalg.Vector{Size: features, Indices: []int32{}, Values: []float64{}}
	for j, x := range total {
		if x != 0 && sum != 0 {
			out.Indices, out.Values = append(out.Indices, int32(j)), append(out.Values, x/sum)
		}
	}
	return out
}

// nodeData is how nodes are saved.
var nodeData = types.Struct(types.Field{Name: "id", Type: types.Integer}, types.Field{Name: "prediction", Type: types.Double},
	types.Field{Name: "impurity", Type: types.Double}, types.Field{Name: "impurityStats", Type: doublesType, Nullable: true},
	types.Field{Name: "rawCount", Type: types.Long}, types.Field{Name: "gain", Type: types.Double},
	types.Field{Name: "leftChild", Type: types.Integer}, types.Field{Name: "rightChild", Type: types.Integer},
	types.Field{Name: "split", Nullable: true, Type: types.Struct(types.Field{Name: "featureIndex", Type: types.Integer},
		types.Field{Name: "leftCategoriesOrThreshold", Type: doublesType, Nullable: true}, types.Field{Name: "numCategories", Type: types.Integer})})

// rows are the tree's nodes as nodeData, in preorder.
func (n *treeNode) rows() [][]any {
	var out [][]any
	n.appendRows(&out)
	return out
}

func (n *treeNode) appendRows(out *[][]any) int64 {
	at := len(*out)
	row := []any{int64(at), n.prediction, n.impurity, []any{n.stats[0], n.stats[1], n.stats[2]}, int64(n.stats[3]), -1.0, int64(-1), int64(-1),
		[]any{int64(-1), []any{}, int64(-1)}}
	*out = append(*out, row)
	if n.split == nil {
		return int64(at)
	}
	split := []any{int64(n.split.feature), []any{n.split.threshold}, int64(-1)}
	if n.split.arity > 0 {
		list := make([]any, len(n.split.categories))
		for i, c := range n.split.categories {
			list[i] = c
		}
		split[1], split[2] = list, int64(n.split.arity)
	}
	row[5], row[8] = n.gain, split
	row[6] = n.left.appendRows(out)
	row[7] = n.right.appendRows(out)
	return int64(at)
}

// treeOf makes a tree of nodeData rows in any order.
func treeOf(rows [][]any, features int) (*treeNode, error) {
	bad := func() (*treeNode, error) { return nil, errs.Newf(errs.Invalid, "what is saved is not a tree's nodes") }
	nodes := make([]*treeNode, len(rows))
	children := make([][2]int64, len(rows))
	for _, row := range rows {
		id, node, kids, ok := nodeOf(row, features)
		if !ok || id < 0 || id >= int64(len(rows)) || nodes[id] != nil {
			return bad()
		}
		nodes[id], children[id] = node, kids
	}
	for id, kids := range children {
		if kids[0] < 0 {
			continue
		}
		// Numbers go from parents to children, so that nothing can be its own descendant.
		for _, k := range kids {
			if k <= int64(id) || k >= int64(len(nodes)) {
				return bad()
			}
		}
		nodes[id].left, nodes[id].right = nodes[kids[0]], nodes[kids[1]]
	}
	if len(nodes) == 0 {
		return bad()
	}
	return nodes[0], nil
}

// nodeOf reads one row of nodeData.
func nodeOf(row []any, features int) (id int64, n *treeNode, children [2]int64, ok bool) {
	n = &treeNode{}
	if len(row) != len(nodeData.Fields) {
		return 0, nil, children, false
	}
	var oks [8]bool
	var raw int64
	id, oks[0] = row[0].(int64)
	n.prediction, oks[1] = row[1].(float64)
	n.impurity, oks[2] = row[2].(float64)
	stats, ok3 := doublesOf(row[3])
	oks[3] = ok3 && len(stats) == 3
	raw, oks[4] = row[4].(int64)
	n.gain, oks[5] = row[5].(float64)
	children[0], oks[6] = row[6].(int64)
	children[1], oks[7] = row[7].(int64)
	if slices.Contains(oks[:], false) {
		return 0, nil, children, false
	}
	n.stats = treeStats{stats[0], stats[1], stats[2], float64(raw)}
	if children[0] < 0 {
		return id, n, children, true
	}
	n.split, ok = splitOf(row[8], features)
	return id, n, children, ok
}

func splitOf(v any, features int) (*treeSplit, bool) {
	row, ok := v.([]any)
	if !ok || len(row) != 3 {
		return nil, false
	}
	feature, ok1 := row[0].(int64)
	values, ok2 := doublesOf(row[1])
	arity, ok3 := row[2].(int64)
	if !ok1 || !ok2 || !ok3 || feature < 0 || feature >= int64(features) {
		return nil, false
	}
	s := &treeSplit{feature: int(feature)}
	if arity < 0 {
		if len(values) != 1 {
			return nil, false
		}
		s.threshold = values[0]
		return s, true
	}
	slices.Sort(values)
	for _, c := range values {
		if c < 0 || c >= float64(arity) {
			return nil, false
		}
	}
	s.categories, s.arity = values, int(arity)
	return s, arity > 0
}

func doublesOf(v any) ([]float64, bool) {
	list, ok := v.([]any)
	out := make([]float64, len(list))
	for i, x := range list {
		var is bool
		out[i], is = x.(float64)
		ok = ok && is
	}
	return out, ok
}
