package operators

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"millrace/planconv"
	planpb "millrace/proto/millrace/plan/v1"
	"millrace/types"
	"millrace/vector"
	"millrace/vector/vectortest"
)

func literal(t *types.Type, v any) *planpb.Expr {
	return &planpb.Expr{Type: planconv.TypePB(t), Kind: &planpb.Expr_Literal{Literal: planconv.Literal(v)}}
}

func legacy(e *planpb.Expr) *planpb.Expr {
	e.GetCall().Mode = planpb.EvalMode_EVAL_MODE_LEGACY
	return e
}

// drawAggregate draws a call whose result does not depend on the order of rows, over column 1 of a type and column 2, a bigint.
func drawAggregate(t *rapid.T, arg *types.Type) *planpb.Expr {
	x, y := col(1, arg), col(2, types.Long)
	d := col(3, types.Double)
	return rapid.SampledFrom([]*planpb.Expr{
		call("min", arg, x), call("max", arg, x), call("count", types.Long, x), call("approx_count_distinct", types.Long, x),
		call("mode", arg, x), call("bit_and", types.Long, y), call("bit_or", types.Long, y), call("bit_xor", types.Long, y),
		call("max_by", types.Long, y, y), call("median", types.Double, d), call("percentile", types.Double, d, literal(types.Double, 0.25)),
		call("percentile_approx", types.Long, y, literal(types.Double, 0.5)), call("var_samp", types.Double, d), call("stddev_pop", types.Double, d),
		call("skewness", types.Double, d), call("kurtosis", types.Double, d), call("covar_pop", types.Double, d, d), legacy(call("corr", types.Double, d, d)),
		call("collect_set", types.ArrayOf(arg, false), x), call("collect_list", types.ArrayOf(types.Long, false), y),
		call("sum", types.Decimal(38, 5), col(4, types.Decimal(30, 5))), call("avg", types.Decimal(34, 9), col(4, types.Decimal(30, 5))),
	}).Draw(t, "aggregate")
}

// loose shows a result with doubles rounded and lists sorted.
func loose(row []any) string {
	s := ""
	for _, x := range normal(row) {
		switch v := x.(type) {
		case float64:
			s += fmt.Sprintf(" %.6g", math.Round(v*1e6)/1e6+0)
		case []any:
			parts := vectortest.Show([][]any{})
			for _, e := range normal(v) {
				parts = append(parts, fmt.Sprintf("%#v", e))
			}
			slices.Sort(parts)
			s += fmt.Sprint(" ", parts)
		default:
			s += fmt.Sprintf(" %#v", v)
		}
	}
	return s
}

func looseRows(rows [][]any) []string {
	list := []string{}
	for _, r := range rows {
		list = append(list, loose(r))
	}
	slices.Sort(list)
	return list
}

func TestAggregateInPartsAgreesWithWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		key := rapid.SampledFrom(vectortest.Atomic).Draw(t, "key")
		arg := rapid.SampledFrom(vectortest.Atomic).Draw(t, "arg")
		in := drawSource(t, []*types.Type{key, arg, types.Long, types.Double, types.Decimal(30, 5)}, small)
		for _, b := range in.batches { // rounding must not depend on the order
			b.Cols[3].Flatten()
			for i, x := range vector.Values[float64](b.Cols[3]) {
				if math.IsNaN(x) || math.IsInf(x, 0) {
					vector.Values[float64](b.Cols[3])[i] = 2
				}
			}
		}
		groups := []*planpb.Expr{col(0, key)}
		if rapid.Bool().Draw(t, "global") {
			groups = nil
		}
		var aggs []*planpb.Expr
		for range rapid.IntRange(1, 3).Draw(t, "aggregates") {
			aggs = append(aggs, drawAggregate(t, arg))
		}
		whole, err := newHashAggregate(&planpb.HashAggregate{Groups: groups, Aggregates: aggs}, in, nil)
		if err != nil {
			t.Fatal(err)
		}
		want := looseRows(run(t, whole, 1<<30))
		got := looseRows(run(t, split(t, groups, aggs, in.again()), drawLimit(t)))
		if !slices.Equal(got, want) {
			t.Fatalf("%v: in parts %v, whole %v", aggs, got, want)
		}
	})
}

func TestExtremesAgree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		arg := rapid.SampledFrom(append(slices.Clone(vectortest.Atomic), types.ArrayOf(types.Long, true))).Draw(t, "arg")
		in := drawSource(t, []*types.Type{types.Byte, arg}, small)
		last := call("last", arg, col(1, arg))
		last.GetCall().IgnoreNulls = true
		aggs := []*planpb.Expr{call("first", arg, col(1, arg)), last, call("collect_list", types.ArrayOf(arg, false), col(1, arg))}
		if arg.Kind != types.KindArray {
			aggs = append(aggs, call("min", arg, col(1, arg)), call("max", arg, col(1, arg)))
		}
		op, err := newHashAggregate(&planpb.HashAggregate{Groups: []*planpb.Expr{col(0, types.Byte)}, Aggregates: aggs}, in, nil)
		if err != nil {
			t.Fatal(err)
		}
		got := run(t, op, 1<<30)
		keys, groups := referenceGroups(in.rows(), 1)
		var want [][]any
		for i, k := range keys {
			row := []any{k[0], groups[i][0][1], nil, []any{}}
			var low, high any
			for _, r := range groups[i] {
				x := r[1]
				if x == nil {
					continue
				}
				row[2], row[3] = x, append(row[3].([]any), x)
				if low == nil || compareAny(x, low) < 0 {
					low = x
				}
				if high == nil || compareAny(x, high) > 0 {
					high = x
				}
			}
			if arg.Kind != types.KindArray {
				row = append(row, low, high)
			}
			want = append(want, row)
		}
		if g, w := looseRows(got), looseRows(want); !slices.Equal(g, w) {
			t.Fatalf("got %v, want %v", g, w)
		}
	})
}

func TestDistinctAgrees(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		arg := rapid.SampledFrom(vectortest.Atomic).Draw(t, "arg")
		in := drawSource(t, []*types.Type{types.Byte, arg}, small)
		count := call("count", types.Long, col(1, arg))
		count.GetCall().Distinct = true
		op, err := newHashAggregate(&planpb.HashAggregate{Groups: []*planpb.Expr{col(0, types.Byte)}, Aggregates: []*planpb.Expr{count}}, in, nil)
		if err != nil {
			t.Fatal(err)
		}
		got := run(t, op, 1<<30)
		keys, groups := referenceGroups(in.rows(), 1)
		var want [][]any
		for i, k := range keys {
			seen := map[string]bool{}
			for _, r := range groups[i] {
				if r[1] != nil {
					seen[keyOf(r[1:2])] = true
				}
			}
			want = append(want, []any{k[0], int64(len(seen))})
		}
		mustEqual(t, got, want)
	})
}
