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

// filtered puts a filter on an operator of which two tasks make their halves of what another one has.
func filtered(t *rapid.T, in Operator, keys []*planpb.Expr, of *source, ofKeys []*planpb.Expr, nullSafe []bool, most int) Operator {
	out := []*types.Type{types.Integer, types.Binary}
	for _, k := range keys {
		out = append(out, of.types[k.GetColumn()])
	}
	half := len(of.batches) / 2
	var tasks []Operator
	for _, batches := range [][]*vector.Batch{of.batches[:half], of.batches[half:]} {
		o, err := newBloomFilter(&planpb.BloomFilter{Keys: ofKeys, NullSafe: nullSafe, Bits: 1 << 16}, &source{types: of.types, batches: batches}, out, nil)
		if err != nil {
			t.Fatal(err)
		}
		o.most = most
		tasks = append(tasks, o)
	}
	o, err := newRuntimeFilter(&planpb.RuntimeFilter{Keys: keys, NullSafe: nullSafe}, in, newUnion(tasks, out), nil)
	if err != nil {
		t.Fatal(err)
	}
	return &metered{Operator: o}
}

// A join of what a filter lets pass has the rows of the join of all.
func TestRuntimeFilterAgrees(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		nk := rapid.IntRange(1, 2).Draw(t, "keys")
		keyTypes := rapid.SliceOfN(rapid.SampledFrom(vectortest.Atomic), nk, nk).Draw(t, "key types")
		lt, rt := append(slices.Clone(keyTypes), types.Long), append(slices.Clone(keyTypes), types.String)
		left, right := drawSource(t, lt, small).flat(nk), drawSource(t, rt, small).flat(nk)
		pb := &planpb.HashJoin{Type: rapid.SampledFrom([]planpb.JoinType{planpb.JoinType_INNER, planpb.JoinType_RIGHT, planpb.JoinType_LEFT_SEMI}).Draw(t, "join")}
		for i, k := range keyTypes {
			pb.LeftKeys, pb.RightKeys = append(pb.LeftKeys, col(i, k)), append(pb.RightKeys, col(i, k))
			pb.NullSafe = append(pb.NullSafe, rapid.Bool().Draw(t, "null safe"))
		}
		join := func(in Operator) [][]any {
			op, err := newHashJoin(pb, in, right.again(), nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			return run(t, op, math.MaxInt64)
		}
		want := join(left.again())
		most := rapid.SampledFrom([]int{0, 2, fewValues}).Draw(t, "few")
		mustEqual(t, join(filtered(t, left.again(), pb.LeftKeys, right, pb.RightKeys, pb.NullSafe, most)), want)
	})
}

// numbers are rows of one number each.
func numbers(from, to, step int64) *source {
	s := &source{types: []*types.Type{types.Long}}
	var list []int64
	for x := from; x < to; x += step {
		if list = append(list, x); len(list) == vector.BatchRows {
			s.batches, list = append(s.batches, &vector.Batch{N: len(list), Cols: []*vector.Vector{vector.FromSlice(types.Long, list)}}), nil
		}
	}
	if len(list) > 0 {
		s.batches = append(s.batches, &vector.Batch{N: len(list), Cols: []*vector.Vector{vector.FromSlice(types.Long, list)}})
	}
	return s
}

// A filter leaves out nearly all that does not match, all of it where there is nothing, and nothing where it would be too large or holds too much.
func TestRuntimeFilterLeavesOut(t *testing.T) {
	for name, c := range map[string]struct {
		of           *source
		bits, memory int64
		least, most  int
	}{
		"a few":     {numbers(0, 100_000, 1000), 1 << 16, math.MaxInt64, 100, 110},
		"many":      {numbers(0, 100_000, 20), 1 << 17, math.MaxInt64, 5000, 5600},
		"none":      {numbers(0, 0, 1), 1 << 16, math.MaxInt64, 0, 0},
		"too many":  {numbers(0, 100_000, 2), 1 << 12, math.MaxInt64, 100_000, 100_000},
		"no memory": {numbers(0, 100_000, 20), 1 << 24, 1 << 20, 100_000, 100_000},
	} {
		keys, out := []*planpb.Expr{col(0, types.Long)}, []*types.Type{types.Integer, types.Binary, types.Long}
		of, err := newBloomFilter(&planpb.BloomFilter{Keys: keys, NullSafe: []bool{false}, Bits: c.bits}, c.of, out, nil)
		if err != nil {
			t.Fatal(err)
		}
		o, err := newRuntimeFilter(&planpb.RuntimeFilter{Keys: keys, NullSafe: []bool{false}}, numbers(0, 100_000, 1), of, nil)
		if err != nil {
			t.Fatal(err)
		}
		if n := len(run(t, &metered{Operator: o}, c.memory)); n < c.least || n > c.most {
			t.Errorf("%s: %d rows pass, not %d to %d", name, n, c.least, c.most)
		}
	}
}

// What is wanted of a number that is made wider is wanted of the number.
func TestWantedWithin(t *testing.T) {
	lit := func(x int64) *planpb.Literal { return planconv.Literal(x) }
	for _, c := range []struct {
		from, to  *types.Type
		low, high int64
		want      string
	}{
		{types.Integer, types.Long, -7, 7, "-7 to 7"},
		{types.Byte, types.Long, -1000, 7, "none to 7"},
		{types.Byte, types.Long, 3, 1000, "3 to none"},
		{types.Short, types.Integer, -40000, 40000, "all"},
		{types.Byte, types.Short, 200, 300, "all"}, // nothing is, which need not be told
		{types.Integer, types.Decimal(12, 2), -750, 750, "-7 to 7"},
		{types.Integer, types.Decimal(11, 2), -750, 750, "refused"},
		{types.Long, types.Decimal(18, 0), -7, 7, "refused"},
		{types.Long, types.Integer, -7, 7, "refused"},
	} {
		got := "refused"
		if unit := wideningUnit(c.from, c.to); unit > 0 {
			got = "all"
			if w := (&Wanted{Low: lit(c.low), High: lit(c.high)}).within(c.from, unit); w != nil {
				text := func(l *planpb.Literal) any {
					if l == nil {
						return "none"
					}
					return l.GetInteger()
				}
				got = fmt.Sprint(text(w.Low), " to ", text(w.High))
			}
		}
		if got != c.want {
			t.Errorf("%s as %s from %d to %d: %s, not %s", c.from, c.to, c.low, c.high, got, c.want)
		}
	}
	few := (&Wanted{Values: []*planpb.Literal{lit(200), lit(250), lit(-300), lit(1 << 40)}}).within(types.Integer, 100)
	if len(few.Values) != 2 || few.Values[0].GetInteger() != 2 || few.Values[1].GetInteger() != -3 {
		t.Error(few.Values)
	}
}
