package expr

import (
	"math"
	"testing"

	"millrace/types"
	"millrace/vector"
	"millrace/vector/linalg"
)

// classify runs one of the classifiers' kernels over vectors.
func classify(t *testing.T, name string, out *types.Type, options map[string]string, rows ...[]float64) (*vector.Vector, error) {
	t.Helper()
	in := vector.NewEmpty(types.VectorUDT)
	in.Len = len(rows)
	w := linalg.NewWriter(in)
	for i, x := range rows {
		if i%2 == 0 {
			copy(w.Dense(i, len(x)), x)
			continue
		}
		indices, values := w.Sparse(i, len(x), len(x))
		for j := range x {
			indices[j], values[j] = int32(j), x[j]
		}
	}
	w.Close()
	kernel, err := funcs[name].Build(&Call{Name: name, Args: []*types.Type{types.VectorUDT}, Out: out, Options: options})
	if err != nil {
		t.Fatal(err)
	}
	v := &vector.Vector{}
	v.Reset(out, len(rows))
	return v, kernel(&Ctx{}, []*vector.Vector{in}, nil, len(rows), v)
}

func wantVectors(t *testing.T, what string, v *vector.Vector, want ...[]float64) {
	t.Helper()
	col := linalg.Of(v)
	for i, w := range want {
		_, _, got := col.Row(i)
		if len(got) != len(w) {
			t.Errorf("%s: row %d is %v, want %v", what, i, got, w)
			continue
		}
		for k := range w {
			if math.Abs(got[k]-w[k]) > 1e-12 && got[k] != w[k] {
				t.Errorf("%s: row %d is %v, want %v", what, i, got, w)
			}
		}
	}
}

func TestMargins(t *testing.T) {
	one := map[string]string{"coefficients": linalg.Text([]float64{1, -2}), "intercepts": linalg.Text([]float64{0.5}), "mirrored": "true"}
	v, err := classify(t, "ml_margins", types.VectorUDT, one, []float64{3, 1}, []float64{0, 1})
	if err != nil {
		t.Fatal(err)
	}
	wantVectors(t, "one", v, []float64{-1.5, 1.5}, []float64{1.5, -1.5})
	delete(one, "mirrored")
	if v, err = classify(t, "ml_margins", types.VectorUDT, one, []float64{3, 1}); err != nil {
		t.Fatal(err)
	}
	wantVectors(t, "one alone", v, []float64{1.5})
	three := map[string]string{"coefficients": linalg.Text([]float64{1, 0, 0, 1, 1, 1}), "intercepts": linalg.Text([]float64{0, 1, -1})}
	if v, err = classify(t, "ml_margins", types.VectorUDT, three, []float64{3, 1}, []float64{2, 5}); err != nil {
		t.Fatal(err)
	}
	wantVectors(t, "three", v, []float64{3, 2, 3}, []float64{2, 6, 6})
	if _, err = classify(t, "ml_margins", types.VectorUDT, one, []float64{1, 2, 3}); err == nil {
		t.Error("a vector of another size was taken")
	}
}

func TestProbabilities(t *testing.T) {
	inf := math.Inf(1)
	v, err := classify(t, "ml_sigmoid", types.VectorUDT, nil, []float64{0, 0}, []float64{-1, 1}, []float64{inf, -inf})
	if err != nil {
		t.Fatal(err)
	}
	p := 1 / (1 + math.E)
	wantVectors(t, "sigmoid", v, []float64{0.5, 0.5}, []float64{p, 1 - p}, []float64{1, 0})
	if v, err = classify(t, "ml_softmax", types.VectorUDT, nil, []float64{1, 1, 1}, []float64{0, 1000, 0}, []float64{0, 0, inf}, []float64{-2000, -2000, -2000}); err != nil {
		t.Fatal(err)
	}
	third := 1.0 / 3
	wantVectors(t, "softmax", v, []float64{third, third, third}, []float64{0, 1, 0}, []float64{0, 0, 1}, []float64{third, third, third})
}

func TestClasses(t *testing.T) {
	for _, c := range []struct {
		name    string
		options map[string]string
		rows    [][]float64
		want    []float64
	}{
		{"ml_argmax", nil, [][]float64{{1, 3, 2}, {5, 5, 1}, {-1, -2, -0.5}}, []float64{1, 0, 2}},
		{"ml_argmax", map[string]string{"thresholds": linalg.Text([]float64{0.1, 0.5, 0.4})}, [][]float64{{0.2, 0.5, 0.3}, {0.01, 0.5, 0.49}}, []float64{0, 2}},
		{"ml_argmax", map[string]string{"thresholds": linalg.Text([]float64{0, 0.5})}, [][]float64{{0, 1}}, []float64{0}},
		{"ml_above", map[string]string{"threshold": "0.5"}, [][]float64{{0.5, 0.5}, {0.4, 0.6}}, []float64{0, 1}},
		{"ml_above", map[string]string{"threshold": "-Inf"}, [][]float64{{9, -9}}, []float64{1}},
		{"ml_above", map[string]string{"threshold": "+Inf"}, [][]float64{{-9, 9}}, []float64{0}},
	} {
		v, err := classify(t, c.name, types.Double, c.options, c.rows...)
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range c.want {
			if got := vector.Values[float64](v)[i]; got != want {
				t.Errorf("%s %v of %v is %v, want %v", c.name, c.options, c.rows[i], got, want)
			}
		}
	}
}
