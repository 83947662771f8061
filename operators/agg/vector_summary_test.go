package agg

import (
	"math"
	"math/rand"
	"strings"
	"testing"

	"millrace/types"
	"millrace/vector"
	"millrace/vector/linalg"
)

// vectorsOf makes a column; nil is a null.
func vectorsOf(list ...*linalg.Vector) *vector.Vector {
	f := vector.NewEmpty(types.VectorUDT)
	f.Len = len(list)
	w := linalg.NewWriter(f)
	for i, v := range list {
		switch {
		case v == nil:
			f.SetNull(i)
		case v.Indices == nil:
			copy(w.Dense(i, v.Size), v.Values)
		default:
			indices, values := w.Sparse(i, v.Size, len(v.Values))
			copy(indices, v.Indices)
			copy(values, v.Values)
		}
	}
	w.Close()
	return f
}

func summarize(t *testing.T, batches ...*Input) []float64 {
	t.Helper()
	final := &vectorSummary{finite: true}
	for _, in := range batches {
		f := &vectorSummary{finite: true}
		if err := f.Update(in); err != nil {
			t.Fatal(err)
		}
		s := vector.NewEmpty(doubleList)
		f.States([]*vector.Vector{s}, 0, 1)
		if err := final.Merge(&Input{N: 1, Args: []*vector.Vector{s}}); err != nil {
			t.Fatal(err)
		}
	}
	out := vector.NewEmpty(doubleList)
	if err := final.Result(out, 0, 1); err != nil {
		t.Fatal(err)
	}
	return listAt(out, 0)
}

func TestSummaryIsTheDefinition(t *testing.T) {
	r := rand.New(rand.NewSource(4))
	const n, size = 200, 6
	var batches []*Input
	var rows [][]float64
	var weights []float64
	for range 4 {
		var list []*linalg.Vector
		var ws []float64
		for i := range n {
			row := []float64{0.1, 1e6 + r.NormFloat64(), 0, float64(r.Intn(2)), -r.Float64() - 1, 0}
			if i%10 == 0 {
				row[5] = 0.3 // always the same where it is not 0
			}
			v := linalg.Dense(row...)
			if i%3 == 0 {
				v = linalg.Vector{Size: size, Indices: []int32{0, 1, 2, 3, 4, 5}, Values: row}
			}
			list, ws = append(list, &v), append(ws, float64(r.Intn(4))/2)
			rows, weights = append(rows, row), append(weights, ws[i])
		}
		batches = append(batches, &Input{N: n, Args: []*vector.Vector{vectorsOf(list...), vector.FromSlice(types.Double, ws)}})
	}
	got := summarize(t, batches...)
	total, squares, count := 0.0, 0.0, 0.0
	for _, w := range weights {
		total, squares = total+w, squares+w*w
		if w > 0 {
			count++
		}
	}
	if got[0] != size || got[1] != count || math.Abs(got[2]-total) > 1e-9 {
		t.Fatalf("header %v, want %v %v %v", got[:3], size, count, total)
	}
	for j := range size {
		mean, variance, ones, least, most := 0.0, 0.0, 0.0, math.Inf(1), math.Inf(-1)
		for i, row := range rows {
			if weights[i] > 0 {
				mean += weights[i] * row[j] / total
				least, most = min(least, row[j]), max(most, row[j])
				if row[j] != 0 {
					ones++
				}
			}
		}
		for i, row := range rows {
			variance += weights[i] * (row[j] - mean) * (row[j] - mean) / (total - squares/total)
		}
		want := []float64{mean, variance, ones, least, most}
		for p, x := range want {
			if y := got[3+p*size+j]; math.Abs(x-y) > 1e-9*(1+math.Abs(x)) {
				t.Errorf("feature %d: value %d is %v, by the definition %v", j, p, y, x)
			}
		}
	}
	if got[3+size] != 0 {
		t.Errorf("the variance of a constant is %v", got[3+size])
	}
}

func TestSummaryOfNothing(t *testing.T) {
	if got := summarize(t); len(got) != 3 || got[2] != 0 {
		t.Errorf("no rows give %v", got)
	}
}

func TestRefusedValues(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	dense := func(x ...float64) *linalg.Vector { v := linalg.Dense(x...); return &v }
	ok := dense(1, 2)
	for _, c := range []struct {
		want    string
		vectors []*linalg.Vector
		weight  float64
	}{
		{"Vectors MUST NOT be Null", []*linalg.Vector{ok, nil}, 1},
		{"Vector values MUST NOT be NaN or Infinity, but got [NaN,2.0]", []*linalg.Vector{ok, dense(nan, 2)}, 1},
		{"Vector values MUST NOT be NaN or Infinity, but got (3,[1],[Infinity])",
			[]*linalg.Vector{{Size: 3, Indices: []int32{1}, Values: []float64{inf}}}, 1},
		{"Dimensions mismatch when adding new sample. Expecting 2 but got 3.", []*linalg.Vector{ok, dense(1, 2, 3)}, 1},
		{"Weights MUST NOT be Negative or Infinity, but got -1.0", []*linalg.Vector{ok}, -1},
		{"Weights MUST NOT be Null or NaN", []*linalg.Vector{ok}, nan},
	} {
		weights := make([]float64, len(c.vectors))
		for i := range weights {
			weights[i] = c.weight
		}
		f := &vectorSummary{finite: true}
		err := f.Update(&Input{N: len(weights), Args: []*vector.Vector{vectorsOf(c.vectors...), vector.FromSlice(types.Double, weights)}})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, want %s", err, c.want)
		}
	}
	for want, label := range map[string]float64{"Labels MUST NOT be Null or NaN": nan, "Labels MUST be in [0, 100), but got -1.0": -1,
		"Labels MUST be in [0, 100), but got 100.0": 100, "Labels MUST be Integers, but got 0.5": 0.5} {
		f := &labelCounts{limit: 100, weights: map[float64][2]float64{}}
		err := f.Update(&Input{N: 1, Args: []*vector.Vector{vector.FromSlice(types.Double, []float64{label}), vector.FromSlice(types.Double, []float64{1})}})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestLabelCounts(t *testing.T) {
	f := &labelCounts{limit: 100, weights: map[float64][2]float64{}}
	labels, weights := []float64{1, 1, 0, 3, 3, 1}, []float64{1, 2, 0.5, 0, 4, 1}
	if err := f.Update(&Input{N: 6, Args: []*vector.Vector{vector.FromSlice(types.Double, labels), vector.FromSlice(types.Double, weights)}}); err != nil {
		t.Fatal(err)
	}
	want := []float64{0, 1, 0.5, 1, 3, 4, 3, 1, 4}
	got := f.triples()
	if len(got) != len(want) {
		t.Fatalf("got %v, want %v", got, want)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("got %v, want %v", got, want)
		}
	}
}
