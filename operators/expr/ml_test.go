package expr_test

import (
	"context"
	"math"
	"reflect"
	"testing"

	"millrace/errs"
	"millrace/operators/expr"
	"millrace/planconv"
	planpb "millrace/proto/millrace/plan/v1"
	"millrace/types"
	"millrace/vector"
	"millrace/vector/linalg"
)

// mlCall evaluates a kernel over columns; literals follow them.
func mlCall(t *testing.T, name string, out *types.Type, options map[string]string, cols []*vector.Vector, sel []uint32, consts ...[]any) (*vector.Vector, error) {
	t.Helper()
	call := &planpb.Call{Name: name, Options: options}
	var input []*types.Type
	for i, c := range cols {
		input = append(input, c.Type)
		call.Args = append(call.Args, &planpb.Expr{Type: planconv.TypePB(c.Type), Nullable: true, Kind: &planpb.Expr_Column{Column: uint32(i)}})
	}
	for _, list := range consts {
		elem := types.Double
		if len(list) > 0 {
			if _, text := list[0].(string); text {
				elem = types.String
			}
		}
		var value any
		if list != nil {
			value = list
		}
		call.Args = append(call.Args, &planpb.Expr{Type: planconv.TypePB(types.ArrayOf(elem, false)), Kind: &planpb.Expr_Literal{Literal: planconv.Literal(value)}})
	}
	e, err := expr.Compile(&planpb.Expr{Type: planconv.TypePB(out), Nullable: true, Kind: &planpb.Expr_Call{Call: call}}, input, nil)
	if err != nil {
		t.Fatal(err)
	}
	return e.Eval(&expr.Ctx{Context: context.Background()}, &vector.Batch{Cols: cols, N: cols[0].Len, Sel: sel}, sel)
}

// arrays are the values of all places of each vector; nil for a null.
func arrays(v *vector.Vector) [][]float64 {
	c := linalg.Of(v)
	out := make([][]float64, v.Len)
	for i := range out {
		if c.IsNull(i) {
			continue
		}
		size, indices, values := c.Row(i)
		out[i] = append([]float64{}, linalg.Vector{Size: size, Indices: indices, Values: values}.Array()...)
	}
	return out
}

// TestIndexing looks plain and dictionary strings up, nulls among them.
func TestIndexing(t *testing.T) {
	plain := planconv.FromValues(types.String, []any{"b", "a", nil, "z", "b"})
	coded := &vector.Vector{}
	coded.ResetDict(vector.FromStrings(types.String, []string{"z", "b", "a"}, nil), 5)
	copy(vector.Codes(coded), []int32{1, 2, 99, 0, 1})
	coded.SetNull(2)
	for name, column := range map[string]*vector.Vector{"plain": plain, "dictionary": coded} {
		labels := []any{"a", "b"}
		v, err := mlCall(t, "ml_index", types.Double, map[string]string{"invalid": "keep"}, []*vector.Vector{column}, nil, labels)
		if err != nil {
			t.Fatal(err)
		}
		if got := vector.Values[float64](v)[:5]; !reflect.DeepEqual(got, []float64{1, 0, 2, 2, 1}) {
			t.Errorf("%s: %v", name, got)
		}
		known, err := mlCall(t, "ml_known", types.Boolean, nil, []*vector.Vector{column}, nil, labels)
		if err != nil || !reflect.DeepEqual(vector.Values[bool](known)[:5], []bool{true, true, false, false, true}) {
			t.Errorf("%s: known %v %v", name, vector.Values[bool](known), err)
		}
		if _, err := mlCall(t, "ml_index", types.Double, nil, []*vector.Vector{column}, []uint32{0, 1, 4}, labels); err != nil {
			t.Errorf("%s: rows that are not selected fail: %v", name, err)
		}
		for _, row := range []uint32{2, 3} {
			if _, err := mlCall(t, "ml_index", types.Double, nil, []*vector.Vector{column}, []uint32{row}, labels); errs.ConditionOf(err) != "FAILED_EXECUTE_UDF" {
				t.Errorf("%s: row %d: %v", name, row, err)
			}
		}
	}
}

// TestAssembling encodes, assembles and scales, with unselected rows and nulls.
func TestAssembling(t *testing.T) {
	places := vector.FromSlice(types.Double, []float64{0, 2, 1, 7})
	encoded, err := mlCall(t, "ml_one_hot", types.VectorUDT, map[string]string{"categories": "3", "size": "2"}, []*vector.Vector{places}, []uint32{0, 1, 2})
	if err != nil {
		t.Fatal(err)
	}
	if got := arrays(encoded)[:3]; !reflect.DeepEqual(got, [][]float64{{1, 0}, {0, 0}, {0, 1}}) {
		t.Errorf("one-hot: %v", got)
	}
	if _, err := mlCall(t, "ml_one_hot", types.VectorUDT, map[string]string{"categories": "3", "size": "2"}, []*vector.Vector{places}, nil); errs.ConditionOf(err) != "FAILED_EXECUTE_UDF" {
		t.Errorf("an index without a category: %v", err)
	}
	numbers := planconv.FromValues(types.Double, []any{2.0, nil, 4.0, 0.0})
	columns := []*vector.Vector{encoded, numbers}
	all, err := mlCall(t, "ml_assemble", types.VectorUDT, map[string]string{"invalid": "keep", "lengths": "2,1"}, columns, []uint32{0, 1, 2})
	if err != nil {
		t.Fatal(err)
	}
	got := arrays(all)
	if !reflect.DeepEqual(got[0], []float64{1, 0, 2}) || !math.IsNaN(got[1][2]) || !reflect.DeepEqual(got[2], []float64{0, 1, 4}) {
		t.Errorf("assembled: %v", got)
	}
	if _, err := mlCall(t, "ml_assemble", types.VectorUDT, nil, columns, []uint32{1}); errs.ConditionOf(err) != "FAILED_EXECUTE_UDF" {
		t.Errorf("a null number: %v", err)
	}
	scaled, err := mlCall(t, "ml_scale", types.VectorUDT, nil, []*vector.Vector{all}, []uint32{0, 2}, []any{1.0, 1.0, 1.0}, []any{2.0, 0.5, 10.0})
	if err != nil {
		t.Fatal(err)
	}
	if got := arrays(scaled); !reflect.DeepEqual(got[0], []float64{0, -0.5, 10}) || !reflect.DeepEqual(got[2], []float64{-2, 0, 30}) {
		t.Errorf("scaled: %v", got)
	}
}

// TestPolynomial is the expansion that Spark gives for (2, 3).
func TestPolynomial(t *testing.T) {
	in := planconv.FromValues(types.VectorUDT, []any{linalg.Dense(2, 3).Literal(), linalg.Vector{Size: 2, Indices: []int32{1}, Values: []float64{5}}.Literal()})
	v, err := mlCall(t, "ml_polynomial", types.VectorUDT, map[string]string{"degree": "3"}, []*vector.Vector{in}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := arrays(v); !reflect.DeepEqual(got, [][]float64{{2, 4, 8, 3, 6, 12, 9, 18, 27}, {0, 0, 0, 5, 0, 0, 25, 0, 125}}) {
		t.Errorf("%v", got)
	}
}
