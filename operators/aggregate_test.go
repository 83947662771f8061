package operators

import (
	"testing"

	"pgregory.net/rapid"

	"millrace/memory"
	"millrace/operators/agg"
	planpb "millrace/proto/millrace/plan/v1"
	"millrace/types"
	"millrace/vector"
	"millrace/vector/vectortest"
)

// referenceGroups are the rows of every group of the first nk columns, in order of appearance.
func referenceGroups(rows [][]any, nk int) (keys [][]any, groups [][][]any) {
	at := map[string]int{}
	for _, r := range rows {
		k := keyOf(r[:nk])
		i, ok := at[k]
		if !ok {
			i = len(keys)
			at[k] = i
			keys, groups = append(keys, normal(r[:nk])), append(groups, nil)
		}
		groups[i] = append(groups[i], r)
	}
	if nk == 0 && len(keys) == 0 {
		return [][]any{{}}, [][][]any{nil}
	}
	return keys, groups
}

// split runs an aggregate as PARTIAL, MERGE and FINAL operators.
func split(t *rapid.T, groups []*planpb.Expr, aggs []*planpb.Expr, in Operator) Operator {
	partial, err := newHashAggregate(&planpb.HashAggregate{Mode: modePartial, Groups: groups, Aggregates: aggs}, in, nil)
	if err != nil {
		t.Fatal(err)
	}
	op := partial
	for _, mode := range []planpb.HashAggregate_Mode{modeMerge, modeFinal} {
		var cols []*planpb.Expr
		for i := range groups {
			cols = append(cols, col(i, op.Output()[i]))
		}
		next, err := newHashAggregate(&planpb.HashAggregate{Mode: mode, Groups: cols, Aggregates: aggs}, op, nil)
		if err != nil {
			t.Fatal(err)
		}
		op = next
	}
	return op
}

func TestAggregateAgrees(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		keyTypes := rapid.SliceOfN(rapid.SampledFrom(vectortest.Atomic), 0, 2).Draw(t, "key types")
		nk := len(keyTypes)
		cols := append(append([]*types.Type(nil), keyTypes...), types.Integer, types.Decimal(10, 2), types.Boolean, types.Decimal(30, 5))
		in := drawSource(t, cols, small).flat(nk + 2)
		var groups []*planpb.Expr
		for i, k := range keyTypes {
			groups = append(groups, col(i, k))
		}
		aggs := []*planpb.Expr{
			call("count", types.Long, col(nk, types.Integer)),
			call("sum", types.Long, col(nk, types.Integer)),
			call("avg", types.Double, col(nk, types.Integer)),
			call("sum", types.Decimal(20, 2), col(nk+1, types.Decimal(10, 2))),
			call("count_if", types.Long, col(nk+2, types.Boolean)),
			call("count", types.Long),
		}
		aggs[5].GetCall().Filter = col(nk+2, types.Boolean)
		var op Operator
		if rapid.Bool().Draw(t, "split") {
			op = split(t, groups, aggs, in)
		} else {
			var err error
			op, err = newHashAggregate(&planpb.HashAggregate{Groups: groups, Aggregates: aggs}, in, nil)
			if err != nil {
				t.Fatal(err)
			}
		}
		got := run(t, op, drawLimit(t))
		var want [][]any
		keys, rows := referenceGroups(in.rows(), nk)
		for i, k := range keys {
			want = append(want, append(k, referenceAggregates(rows[i], nk)...))
		}
		mustEqual(t, got, want)
	})
}

func referenceAggregates(rows [][]any, nk int) []any {
	var count, trues, sum, dec, decs int64
	for _, r := range rows {
		if x, ok := r[nk].(int64); ok {
			count, sum = count+1, sum+x
		}
		if x, ok := r[nk+1].(int64); ok {
			decs, dec = decs+1, dec+x
		}
		if r[nk+2] == true {
			trues++
		}
	}
	out := []any{count, nil, nil, nil, trues, trues}
	if count > 0 {
		out[1], out[2] = sum, float64(sum)/float64(count)
	}
	if decs > 0 {
		out[3] = decimalOf(dec)
	}
	return out
}

func TestStateTypesMatchStates(t *testing.T) {
	ts, err := agg.StateTypes(call("avg", types.Double, col(0, types.Long)))
	if err != nil || len(ts) != 2 {
		t.Fatal(ts, err)
	}
}

// A partial aggregate keeps few groups at a time where their rows lie together, and all of them where they come again.
func TestPartialAggregateEmitsGroupsThatArePassed(t *testing.T) {
	const rows = 400_000
	together, again := make([]int64, rows), random(rows, 100_000)
	for i := range together {
		together[i] = int64(i / 4 * 3)
	}
	for name, keys := range map[string][]int64{"together": together, "again": again} {
		in := batches(vector.FromSlice(types.Long, keys))
		aggs := []*planpb.Expr{call("count", types.Long)}
		partial, err := newHashAggregate(&planpb.HashAggregate{Mode: modePartial, Groups: []*planpb.Expr{col(0, types.Long)}, Aggregates: aggs}, in, nil)
		if err != nil {
			t.Fatal(err)
		}
		counts, emitted, most := map[int64]int64{}, 0, 0
		if err := partial.Open(benchCtx(t)); err != nil {
			t.Fatal(err)
		}
		for {
			b, err := partial.Next()
			if err != nil {
				t.Fatal(err)
			}
			if b == nil {
				break
			}
			most = max(most, partial.(*hashAggregate).table.Len())
			emitted += b.N
			for i, k := range vector.Values[int64](b.Cols[0])[:b.N] {
				counts[k] += vector.Values[int64](b.Cols[1])[i]
			}
		}
		for _, k := range keys {
			counts[k]--
		}
		for k, n := range counts {
			if n != 0 {
				t.Fatalf("%s: the count of %d is wrong by %d", name, k, n)
			}
		}
		if few := most < 2*nearMany; few != (name == "together") || emitted > len(counts)+8 {
			t.Errorf("%s: %d groups were kept, %d of %d emitted", name, most, emitted, len(counts))
		}
		if err := partial.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// Groups that a cache does not hold are merged part by part: in memory, in files, and in files after a while in memory, which others take in the end.
func TestManyGroupsAreMergedByParts(t *testing.T) {
	const groups = 150_000
	keys := append(random(groups, 1<<60), random(groups, 1<<60)...) // each of them twice
	ones := make([]int64, len(keys))
	for i := range ones {
		ones[i] = int64(i)
	}
	for _, limit := range []int64{1 << 30, 1<<30 + 1, 6 << 20, 5 << 20, 4 << 20, 1 << 20} {
		taken := limit == 1<<30+1
		in := batches(vector.FromSlice(types.Long, keys), vector.FromSlice(types.Long, ones))
		final, err := newHashAggregate(&planpb.HashAggregate{Mode: modeFinal, Groups: []*planpb.Expr{col(0, types.Long)},
			Aggregates: []*planpb.Expr{call("sum", types.Long, col(1, types.Long))}}, in, nil)
		if err != nil {
			t.Fatal(err)
		}
		ctx := benchCtx(t)
		ctx.Memory = memory.NewPool("test", limit)
		m := &OperatorMetrics{}
		final.(*hashAggregate).setMetrics(m)
		if err := final.Open(ctx); err != nil {
			t.Fatal(err)
		}
		sums, began := map[int64]int64{}, false
		for {
			b, err := final.Next()
			if err != nil {
				t.Fatal(err)
			}
			if b == nil {
				break
			}
			began = began || final.(*hashAggregate).near != nil
			if o := final.(*hashAggregate); taken && o.near != nil && o.near.next == 3 {
				o.mem.release()
				o.mem.pool = memory.NewPool("little", 1<<20)
			}
			for i, k := range vector.Values[int64](b.Cols[0])[:b.N] {
				if _, twice := sums[k]; twice {
					t.Fatalf("%d bytes: the group %d comes twice", limit, k)
				}
				sums[k] = vector.Values[int64](b.Cols[1])[i]
			}
		}
		if err := final.Close(); err != nil {
			t.Fatal(err)
		}
		for i, k := range keys[:groups] {
			if sums[k] != int64(2*i+groups) {
				t.Fatalf("%d bytes: the sum of group %d is %d", limit, i, sums[k])
			}
		}
		if len(sums) != groups || began != (limit >= 1<<30) || (m.SpilledBytes > 0) != (limit != 1<<30) {
			t.Errorf("%d bytes: %d groups, in memory: %v, %d bytes spilled", limit, len(sums), began, m.SpilledBytes)
		}
	}
}
