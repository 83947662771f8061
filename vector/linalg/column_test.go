package linalg

import (
	"reflect"
	"testing"

	"millrace/types"
	"millrace/vector"
)

// TestColumn writes rows of both forms with gaps, twice into the same vector, and reads them.
func TestColumn(t *testing.T) {
	out := &vector.Vector{}
	for round := range 2 {
		n := 5 - round
		out.Reset(types.VectorUDT, n)
		w := NewWriter(out)
		copy(w.Dense(1, 2), []float64{1, 2})
		indices, values := w.Sparse(3, 7, 1)
		indices[0], values[0] = 6, 4
		w.Close()
		c := Of(out)
		if size, places, got := c.Row(1); size != 2 || places != nil || !reflect.DeepEqual(got, []float64{1, 2}) {
			t.Errorf("dense: %d %v %v", size, places, got)
		}
		if size, places, got := c.Row(3); size != 7 || !reflect.DeepEqual(places, []int32{6}) || !reflect.DeepEqual(got, []float64{4}) {
			t.Errorf("sparse: %d %v %v", size, places, got)
		}
		if size, _, _ := c.Row(0); size != 0 {
			t.Errorf("a row that was left out has %d places", size)
		}
		if !out.Children[1].IsNull(1) || out.Children[1].IsNull(3) || out.Children[1].Len != n {
			t.Error("sizes are null where vectors are sparse")
		}
		kept := vector.NewEmpty(types.VectorUDT)
		kept.Append(out, []uint32{3, 1})
		k := Of(kept)
		if size, places, _ := k.Row(0); size != 7 || places[0] != 6 {
			t.Error("rows that were gathered are others")
		}
	}
}

func TestEmptySparse(t *testing.T) {
	out := &vector.Vector{}
	out.Reset(types.VectorUDT, 1)
	w := NewWriter(out)
	w.Sparse(0, 3, 0)
	w.Close()
	c := Of(out)
	if size, places, values := c.Row(0); size != 3 || places == nil || len(values) != 0 {
		t.Errorf("%d %v %v", size, places, values)
	}
}

func TestCompressed(t *testing.T) {
	sparse := Dense(0, 0, 5, 0, 0, 0).Compressed()
	if !reflect.DeepEqual(sparse, Vector{Size: 6, Indices: []int32{2}, Values: []float64{5}}) {
		t.Errorf("%+v", sparse)
	}
	dense := Vector{Size: 3, Indices: []int32{0, 2}, Values: []float64{1, 2}}.Compressed()
	if !reflect.DeepEqual(dense, Dense(1, 0, 2)) {
		t.Errorf("%+v", dense)
	}
	for _, v := range []Vector{sparse, dense} {
		if got := FromLiteral(v.Literal()); !reflect.DeepEqual(got, v) {
			t.Errorf("%+v came back as %+v", v, got)
		}
	}
}
