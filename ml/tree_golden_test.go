package ml

import (
	"encoding/csv"
	"encoding/json"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"millrace/operators/agg"
	"millrace/types"
	"millrace/vector"
	"millrace/vector/linalg"
	"millrace/vector/tree"
)

// treeGolden is testdata/trees.json: see testdata/trees.py, which makes it with Spark.
type treeGolden struct {
	Numbers, OneHot []string
	Labels          map[string][]string
	Rows            int
	Debug           string
	Cases           []treeCase
}

type treeCase struct {
	Name          string
	Params        map[string]any
	Trees         [][][]any
	Weights       []float64
	Importances   []float64
	TotalNumNodes int
	Errors        []float64
	Predictions   [][]any
}

// sample is rows as trees learn from them.
type sample struct {
	x              [][]float64
	label, weights []float64
	arity          map[int]int
}

func readTreeGolden(t *testing.T) (*treeGolden, *sample) {
	t.Helper()
	text, err := os.ReadFile("testdata/trees.json")
	if err != nil {
		t.Fatal(err)
	}
	g := &treeGolden{}
	if err := json.Unmarshal(text, g); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open("../data/lending_club.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if len(rows)-1 != g.Rows {
		t.Fatalf("%d loans, recorded were %d", len(rows)-1, g.Rows)
	}
	s := &sample{arity: map[int]int{len(g.Numbers): len(g.Labels["emp_length"])}}
	for _, row := range rows[1:] {
		s.add(t, g, rows[0], row)
	}
	for j := len(g.Numbers) + 1; j < len(s.x[0]); j++ {
		s.arity[j] = 2
	}
	return g, s
}

func (s *sample) add(t *testing.T, g *treeGolden, names, row []string) {
	value := map[string]string{}
	for i, name := range names {
		value[name] = row[i]
	}
	number := func(name string) float64 {
		v, err := strconv.ParseFloat(value[name], 64)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	var x []float64
	for _, name := range g.Numbers {
		x = append(x, number(name))
	}
	x = append(x, float64(slices.Index(g.Labels["emp_length"], value["emp_length"])))
	for _, name := range g.OneHot {
		hot := make([]float64, len(g.Labels[name]))
		hot[slices.Index(g.Labels[name], value[name])] = 1
		x = append(x, hot[:len(hot)-1]...)
	}
	s.x = append(s.x, x)
	s.label = append(s.label, one(value["Class"] == "bad"))
	s.weights = append(s.weights, math.Mod(number("inq_last_6mths"), 3)+0.5)
}

// vectors are the rows as a column, every second one sparse.
func (s *sample) vectors() *vector.Vector {
	v := vector.NewEmpty(types.VectorUDT)
	v.Len = len(s.x)
	w := linalg.NewWriter(v)
	for i, x := range s.x {
		if i%2 == 0 {
			copy(w.Dense(i, len(x)), x)
			continue
		}
		n := linalg.NonZeros(x)
		indices, values := w.Sparse(i, len(x), n)
		k := 0
		for j, y := range x {
			if y != 0 {
				indices[k], values[k] = int32(j), y
				k++
			}
		}
	}
	w.Close()
	return v
}

// reduceBy runs an aggregate over columns in two parts that are merged, or in one, whose sums are in the order of the rows.
func reduceBy(t testing.TB, name string, options map[string]string, parts int, columns ...*vector.Vector) []float64 {
	t.Helper()
	call := &agg.Call{Name: name, Out: doublesType, Opts: options}
	fresh := func() agg.Function {
		f, err := agg.New(call)
		if err != nil {
			t.Fatal(err)
		}
		f.Resize(1)
		return f
	}
	final, n := fresh(), columns[0].Len
	for p := range parts {
		from, to := p*n/parts, (p+1)*n/parts
		part := fresh()
		in := &agg.Input{N: to - from}
		for _, c := range columns {
			in.Args = append(in.Args, vector.Slice(c, from, to-from))
		}
		if err := part.Update(in); err != nil {
			t.Fatal(err)
		}
		state := vector.NewEmpty(doublesType)
		part.States([]*vector.Vector{state}, 0, 1)
		if err := final.Merge(&agg.Input{N: 1, Args: []*vector.Vector{state}}); err != nil {
			t.Fatal(err)
		}
	}
	out := vector.NewEmpty(doublesType)
	if err := final.Result(out, 0, 1); err != nil {
		t.Fatal(err)
	}
	return vector.Values[float64](out.Children[0])[:out.Offsets[1]]
}

// bins are the rows as ml_tree_histogram reads them.
func (s *sample) bins(task *treeTask) *vector.Vector {
	rows := make([]string, len(s.x))
	for i, x := range s.x {
		for j, y := range x {
			bin := int(y)
			if f := task.features[j]; f.arity == 0 {
				for bin = 0; bin < len(f.thresholds) && y > f.thresholds[bin]; {
					bin++
				}
			}
			rows[i] += string([]byte{byte(bin)})
		}
	}
	return vector.FromStrings(types.Binary, rows, nil)
}

// boost trains as fitBoosted does, but with the aggregates called directly.
func (s *sample) boost(t testing.TB, p *Params, weights []float64, parts int) *boostedModel {
	t.Helper()
	features, labels, weight := s.vectors(), vector.FromSlice(types.Double, s.label), vector.FromSlice(types.Double, weights)
	rows := reduceBy(t, "ml_tree_rows", map[string]string{"labels": "binary"}, parts, features, labels, weight)
	task, err := newTreeTask(p, &treeBins{arity: s.arity, size: int(rows[0]), rows: rows[1], weight: rows[2],
		values: func(list []float64, _ float64) ([]float64, error) {
			return reduceBy(t, "ml_tree_values", map[string]string{"features": linalg.Text(list)}, parts, features, weight), nil
		}})
	if err != nil {
		t.Fatal(err)
	}
	bins := s.bins(&task)
	m := &boostedModel{classifier: true}
	err = m.boost(p, &task, func(loss string, trees []tree.Tree, shares []float64) func(tree.Tree, int) ([]float64, error) {
		options := task.histogramOptions(loss, trees, shares)
		return func(growing tree.Tree, leaves int) ([]float64, error) {
			options["growing"], options["leaves"] = tree.Text(growing), strconv.Itoa(leaves)
			return reduceBy(t, "ml_tree_histogram", options, parts, bins, labels, weight), nil
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestBoostedTreesAreSparks(t *testing.T) {
	g, s := readTreeGolden(t)
	for _, c := range g.Cases {
		t.Run(c.Name, func(t *testing.T) {
			p := caseParams(t, c.Params)
			weights := slices.Repeat([]float64{1}, len(s.x))
			if p.String("weightCol") != "" {
				weights = s.weights
			}
			m := s.boost(t, p, weights, 1)
			compareTrees(t, c, m)
			compareAnswers(t, c, m, p, s, weights)
			if c.Name == "plain" {
				compareDebug(t, m.debug(p), g.Debug)
				compareTrees(t, c, s.boost(t, p, weights, 3))
			}
		})
	}
}

func caseParams(t *testing.T, values map[string]any) *Params {
	t.Helper()
	k := classes[boostedClassifier]
	typed := map[string]any{}
	for name, v := range values {
		typed[name] = v
		if x, ok := v.(float64); ok && (k.param(name).Type == IntParam || k.param(name).Type == LongParam) {
			typed[name] = int64(x)
		}
	}
	p, err := NewParams(k, "gbt", typed)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// compareTrees holds every node against Spark's.
func compareTrees(t *testing.T, c treeCase, m *boostedModel) {
	t.Helper()
	if m.nodes() != c.TotalNumNodes || !slices.Equal(m.shares, c.Weights) {
		t.Errorf("%d nodes in trees of %v, Spark has %d of %v", m.nodes(), m.shares, c.TotalNumNodes, c.Weights)
	}
	for k, want := range c.Trees {
		got := m.trees[k].rows()
		for i := range min(len(got), len(want)) {
			if !sameNode(got[i], want[i]) {
				t.Fatalf("tree %d node %d is\n%v, Spark's\n%v", k, i, got[i], want[i])
			}
		}
	}
}

func sameNode(got []any, want []any) bool {
	split := got[8].([]any)
	flat := []any{got[0], got[1], got[2], got[3], got[4], got[5], got[6], got[7], split[0], split[1], split[2]}
	return same(flat[1:], want)
}

// same compares numbers to nine digits.
func same(got, want any) bool {
	if n, ok := got.(int64); ok {
		got = float64(n)
	}
	switch want := want.(type) {
	case float64:
		x, ok := got.(float64)
		return ok && math.Abs(x-want) <= 1e-9*max(1, math.Abs(want))
	case []any:
		list, ok := got.([]any)
		if !ok || len(list) != len(want) {
			return false
		}
		for i := range list {
			if !same(list[i], want[i]) {
				return false
			}
		}
		return true
	}
	return false
}

func compareAnswers(t *testing.T, c treeCase, m *boostedModel, p *Params, s *sample, weights []float64) {
	t.Helper()
	for i, want := range c.Predictions {
		for k, name := range []string{"predictRaw", "predictProbability", "predict"} {
			v, err := m.predict(p, name, []any{linalg.Dense(s.x[i]...)})
			if err != nil {
				t.Fatal(err)
			}
			if x, ok := v.(linalg.Vector); ok {
				v = []any{x.Values[0], x.Values[1]}
			}
			if !same(v, want[k]) {
				t.Errorf("row %d: %s %v, Spark's %v", i, name, v, want[k])
			}
		}
	}
	for j, x := range importances(m.trees, m.features).Array() {
		if !same(x, c.Importances[j]) {
			t.Errorf("importance of %d is %v, Spark's %v", j, x, c.Importances[j])
		}
	}
	options := forestOptions(p.Class, m.trees, m.shares)
	options["loss"], options["labels"] = "logistic", "binary"
	sums := reduceBy(t, "ml_tree_losses", options, 2, s.vectors(), vector.FromSlice(types.Double, s.label), vector.FromSlice(types.Double, weights))
	for k, want := range c.Errors {
		if got := sums[1+k] / sums[0]; !same(got, want) {
			t.Errorf("the loss of %d trees is %v, Spark's %v", k+1, got, want)
		}
	}
}

// compareDebug compares descriptions but for the model's name, and predictions to nine digits.
func compareDebug(t *testing.T, got, want string) {
	t.Helper()
	lines, expected := strings.Split(got, "\n")[1:], strings.Split(want, "\n")[1:]
	if len(lines) != len(expected) {
		t.Fatalf("%d lines, Spark has %d", len(lines), len(expected))
	}
	for i, line := range lines {
		head, number, isLeaf := strings.Cut(line, "Predict: ")
		wantHead, wantNumber, _ := strings.Cut(expected[i], "Predict: ")
		x, _ := strconv.ParseFloat(number, 64)
		y, err := strconv.ParseFloat(wantNumber, 64)
		if head != wantHead || isLeaf && (err != nil || !same(x, y)) {
			t.Errorf("line %d is\n%s, Spark's\n%s", i, line, expected[i])
		}
	}
}
