package operators

import (
	"slices"
	"testing"

	planpb "millrace/proto/millrace/plan/v1"
	"millrace/types"
	"millrace/vector"
)

func sampled(t *testing.T, seed int64) []int64 {
	ids := make([]int64, 200)
	for i := range ids {
		ids[i] = int64(i)
	}
	op := newSample(&planpb.Sample{Upper: 0.05, Seed: seed}, batches(vector.FromSlice(types.Long, ids)))
	var got []int64
	for _, r := range run(t, op, 1<<20) {
		got = append(got, r[0].(int64))
	}
	return got
}

// The wanted rows are Spark's: spark.range(0, 200, 1, 1).sample(False, 0.05, seed).
func TestSampleTakesSparksRows(t *testing.T) {
	for seed, want := range map[int64][]int64{42: {16, 79, 90, 105, 109, 122, 128, 185},
		-7: {2, 25, 55, 73, 104, 106, 108, 119, 172, 190}} {
		if got := sampled(t, seed); !slices.Equal(got, want) {
			t.Errorf("seed %d: %v, want %v", seed, got, want)
		}
	}
}

// The wanted numbers are Spark's, for select approx_count_distinct(id), approx_count_distinct(cast(id as double)) from range(300).
func TestApproxCountAgreesWithSpark(t *testing.T) {
	ids, doubles := make([]int64, 300), make([]float64, 300)
	for i := range ids {
		ids[i], doubles[i] = int64(i), float64(i)
	}
	op, err := newHashAggregate(&planpb.HashAggregate{Aggregates: []*planpb.Expr{
		call("approx_count_distinct", types.Long, col(0, types.Long)), call("approx_count_distinct", types.Long, col(1, types.Double))}},
		batches(vector.FromSlice(types.Long, ids), vector.FromSlice(types.Double, doubles)), nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := run(t, op, 1<<20)[0]; got[0] != int64(296) || got[1] != int64(298) {
		t.Errorf("got %v, want 296 and 298", got)
	}
}
