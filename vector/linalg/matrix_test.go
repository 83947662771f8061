package linalg

import (
	"math/rand"
	"slices"
	"testing"
)

// TestMatrixForms takes random matrices of all forms through each other and through literals.
func TestMatrixForms(t *testing.T) {
	r := rand.New(rand.NewSource(1))
	kinds := map[string]int{}
	for range 500 {
		rows, cols := 1+r.Intn(4), 1+r.Intn(40)
		all := make([]float64, rows*cols)
		for range r.Intn(len(all) + 1) {
			all[r.Intn(len(all))] = r.NormFloat64()
		}
		m := Matrix{Rows: rows, Cols: cols, Values: all, Transposed: true}
		c := m.Compressed()
		switch {
		case c.ColPtrs == nil:
			kinds["dense"]++
		case c.Transposed:
			kinds["by rows"]++
		default:
			kinds["by columns"]++
		}
		if !slices.Equal(c.ByRow(), all) || !slices.Equal(c.Compressed().ByRow(), all) {
			t.Fatalf("%+v is not %+v", c, m)
		}
		again := MatrixFromLiteral(c.Literal())
		if again.Rows != rows || again.Cols != cols || again.Transposed != c.Transposed || !slices.Equal(again.ColPtrs, c.ColPtrs) ||
			!slices.Equal(again.RowIndices, c.RowIndices) || !slices.Equal(again.Values, c.Values) {
			t.Fatalf("%+v came back as %+v", c, again)
		}
	}
	if len(kinds) != 3 {
		t.Errorf("only these forms came up: %v", kinds)
	}
	byColumn := Matrix{Rows: 2, Cols: 3, Values: []float64{1, 2, 3, 4, 5, 6}}
	if got := byColumn.ByRow(); !slices.Equal(got, []float64{1, 3, 5, 2, 4, 6}) {
		t.Errorf("by rows %v", got)
	}
}

func TestText(t *testing.T) {
	values := []float64{0, 1.5, -2e300, 5e-324}
	got, err := FromText(Text(values))
	if err != nil || !slices.Equal(got, values) {
		t.Errorf("%v, %v", got, err)
	}
	for _, bad := range []string{"?", "AAAA"} {
		if _, err := FromText(bad); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
}
