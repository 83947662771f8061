package operators

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"millrace/operators/sortkey"
	planpb "millrace/proto/millrace/plan/v1"
	"millrace/types"
	"millrace/vector"
	"millrace/vector/vectortest"
)

// windowCase is a random window over rows of (partition int, order int, long, string, decimal, bool), sorted by the first two.
type windowCase struct {
	r       *rand.Rand
	rows    *vector.Batch
	start   []int // of every row's partition
	end     []int
	desc    bool
	nullsUp bool // nulls first
}

var windowTypes = []*types.Type{types.Integer, types.Integer, types.Long, types.String, types.Decimal(10, 2), types.Boolean}

func newWindowCase(seed uint64) *windowCase {
	c := &windowCase{r: rand.New(rand.NewPCG(seed, 1))}
	c.desc, c.nullsUp = c.r.IntN(2) == 0, c.r.IntN(2) == 0
	n := []int{1, 40, 400, 1500}[c.r.IntN(4)]
	parts, spread := 1+c.r.IntN(n), 1+c.r.IntN(2*n)
	if c.r.IntN(2) == 0 {
		parts = 1 + c.r.IntN(3)
	}
	b := vector.NewBuilder(windowTypes)
	for range n {
		b.AppendColumns([]*vector.Vector{c.int(types.Integer, parts, 0), c.int(types.Integer, spread, 10), c.int(types.Long, 50, 5),
			vector.FromStrings(types.String, []string{fmt.Sprint(strings.Repeat("s", 600), c.r.IntN(30))}, nil), vector.FromSlice(types.Decimal(10, 2), []int64{int64(c.r.IntN(500))}),
			vector.FromSlice(types.Boolean, []bool{c.r.IntN(2) == 0})}, nil, 1)
	}
	keys := []sortkey.Key{{Type: types.Integer}, {Type: types.Integer, Descending: c.desc, NullsFirst: c.nullsUp}}
	order := sortkey.Sort(keys, b.Columns()[:2], n)
	c.rows = &vector.Batch{}
	gatherInto(c.rows, b.Columns(), order)
	c.start, c.end = make([]int, n), make([]int, n)
	for i := range n {
		if i > 0 && sortkey.Compare(keys[:1], c.rows.Cols, i, c.rows.Cols, i-1) == 0 {
			c.start[i] = c.start[i-1]
		} else {
			c.start[i] = i
		}
	}
	for i := n - 1; i >= 0; i-- {
		if c.end[i] = i + 1; i < n-1 && c.start[i+1] == c.start[i] {
			c.end[i] = c.end[i+1]
		}
	}
	return c
}

// int is a random number, null one time in nulls.
func (c *windowCase) int(t *types.Type, below, nulls int) *vector.Vector {
	if nulls > 0 && c.r.IntN(nulls) == 0 {
		return vector.NewNulls(t, 1)
	}
	if t.Kind == types.KindLong {
		return vector.FromSlice(t, []int64{int64(c.r.IntN(below))})
	}
	return vector.FromSlice(t, []int32{int32(c.r.IntN(below))})
}

func (c *windowCase) source() *source {
	s := &source{types: windowTypes}
	for at := 0; at < c.rows.N; {
		n := min(1+c.r.IntN(60), c.rows.N-at)
		s.batches = append(s.batches, vector.SliceBatch(c.rows, at, n))
		at += n
	}
	return s
}

// bound is a random bound, and what it is for row i.
func (c *windowCase) bound(rows, upper bool) (*planpb.WindowBound, int64, string) {
	by := int64(c.r.IntN(9) - 4)
	if c.r.IntN(4) == 0 {
		by *= 100
	}
	switch k := c.r.IntN(3); {
	case k == 0:
		return &planpb.WindowBound{Kind: &planpb.WindowBound_Unbounded{Unbounded: true}}, 0, "unbounded"
	case rows:
		return &planpb.WindowBound{Kind: &planpb.WindowBound_Rows{Rows: by}}, by, "rows"
	case k == 1:
		return &planpb.WindowBound{Kind: &planpb.WindowBound_Peer{Peer: true}}, 0, "peer"
	}
	signed := by
	if c.desc {
		signed = -by
	}
	sum := call("+", types.Integer, col(1, types.Integer), literal(types.Integer, signed))
	return &planpb.WindowBound{Kind: &planpb.WindowBound_Value{Value: sum}}, by, "value"
}

// inFrame decides by the definition whether row j is in the part of row i's partition that a bound leaves.
func (c *windowCase) inFrame(i, j int, kind string, by int64, upper bool) bool {
	switch kind {
	case "unbounded":
		return true
	case "rows":
		if upper {
			return int64(j) <= int64(i)+by
		}
		return int64(j) >= int64(i)+by
	}
	order := c.rows.Cols[1]
	x, y := order.IsNull(i), order.IsNull(j)
	d := 0
	switch {
	case x && y:
	case x || y:
		if d = 1; y == c.nullsUp {
			d = -1
		}
	default:
		values := vector.Values[int32](order)
		diff := int64(values[j]) - int64(values[i])
		if c.desc {
			diff = -diff
		}
		d = int(diff - by)
	}
	return d == 0 || (d < 0) == upper
}

func (c *windowCase) function() *planpb.Expr {
	x, s, d := col(2, types.Long), col(3, types.String), col(4, types.Decimal(10, 2))
	calls := []*planpb.Expr{
		call("sum", types.Long, x), call("count", types.Long, x), call("count", types.Long, literal(types.Integer, int64(1))), call("avg", types.Double, x),
		call("min", types.Long, x), call("max", types.Long, x), call("min", types.String, s), call("max", types.String, s),
		call("sum", types.Decimal(20, 2), d), call("avg", types.Decimal(14, 6), d), call("collect_list", types.ArrayOf(types.Long, false), x),
		call("bit_xor", types.Long, x), call("median", types.Double, call("cast", types.Double, x)), call("max_by", types.String, s, x),
		call("first", types.Long, x), call("last", types.Long, x), call("nth_value", types.Long, x, literal(types.Integer, int64(3))),
		call("approx_count_distinct", types.Long, s), call("bool_or", types.Boolean, col(5, types.Boolean)),
	}
	e := calls[c.r.IntN(len(calls))]
	if n := e.GetCall().Name; n == "first" || n == "last" || n == "nth_value" {
		e.GetCall().IgnoreNulls = c.r.IntN(2) == 0
	}
	if c.r.IntN(4) == 0 && e.GetCall().Name != "nth_value" {
		e.GetCall().Filter = col(5, types.Boolean)
	}
	return e
}

// naive computes a function over the rows of a frame.
func (c *windowCase) naive(t *testing.T, e *planpb.Expr, frame []uint32) any {
	pb := e.GetCall()
	in := &vector.Batch{}
	gatherInto(in, c.rows.Cols, frame)
	if pb.Name == "nth_value" {
		k := 0
		for _, i := range frame {
			if pb.IgnoreNulls && c.rows.Cols[2].IsNull(int(i)) {
				continue
			}
			if k++; k == 3 {
				return vectortest.Value(c.rows.Cols[2], int(i))
			}
		}
		return nil
	}
	op, err := newHashAggregate(&planpb.HashAggregate{Aggregates: []*planpb.Expr{e}}, &source{types: windowTypes, batches: []*vector.Batch{in}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return run(t, op, 1<<30)[0][0]
}

func TestWindowsAgree(t *testing.T) {
	for seed := range uint64(40) {
		c := newWindowCase(seed)
		pb := &planpb.Window{Partition: []*planpb.Expr{col(0, types.Integer)},
			Order: []*planpb.SortKey{{Expr: col(1, types.Integer), Descending: c.desc, NullsFirst: c.nullsUp}}}
		var want [][]string
		var shown []string
		for range 1 + c.r.IntN(3) {
			rows := c.r.IntN(2) == 0
			lower, low, lowKind := c.bound(rows, false)
			upper, high, highKind := c.bound(rows, true)
			e := c.function()
			pb.Functions = append(pb.Functions, &planpb.WindowFunction{Call: e, Lower: lower, Upper: upper, Key: col(1, types.Integer)})
			shown = append(shown, fmt.Sprintf("%v between %s %d and %s %d", e, lowKind, low, highKind, high))
			want = append(want, nil)
			for i := range c.rows.N {
				var frame []uint32
				for j := c.start[i]; j < c.end[i]; j++ {
					if c.inFrame(i, j, lowKind, low, false) && c.inFrame(i, j, highKind, high, true) {
						frame = append(frame, uint32(j))
					}
				}
				want[len(want)-1] = append(want[len(want)-1], loose([]any{c.naive(t, e, frame)}))
			}
		}
		for _, limit := range []int64{1 << 30, 1 << 20} {
			op, err := newWindow(pb, c.source(), nil)
			if err != nil {
				t.Fatal(err)
			}
			got := run(t, op, limit)
			if len(got) != c.rows.N {
				t.Fatalf("seed %d: %d rows of %d", seed, len(got), c.rows.N)
			}
			for i, r := range got {
				for k := range want {
					if g := loose(r[len(windowTypes)+k : len(windowTypes)+k+1]); g != want[k][i] {
						t.Fatalf("seed %d, memory %d, row %d of %d in partition %d..%d, %s:\ngot  %s\nwant %s", seed, limit, i, c.rows.N, c.start[i], c.end[i],
							shown[k], g, want[k][i])
					}
				}
			}
		}
	}
}

// rankings are the functions of the row's place, by their definitions over the partition's rows and peers.
func (c *windowCase) rankings(i int) map[string]any {
	n, at := c.end[i]-c.start[i], i-c.start[i]
	before, peers, groups := 0, 0, 1
	for j := c.start[i]; j < c.end[i]; j++ {
		switch same := c.inFrame(i, j, "peer", 0, true) && c.inFrame(i, j, "peer", 0, false); {
		case same:
			peers++
		case j < i:
			before++
			if j+1 < c.end[i] && !(c.inFrame(j, j+1, "peer", 0, true) && c.inFrame(j, j+1, "peer", 0, false)) {
				groups++
			}
		}
	}
	percent := 0.0
	if n > 1 {
		percent = float64(before) / float64(n-1)
	}
	bucket, left := 0, 0
	for k := range 3 { // ntile(3), dealt out bucket by bucket
		size := n / 3
		if k < n%3 {
			size++
		}
		if left += size; at < left {
			bucket = k + 1
			break
		}
	}
	return map[string]any{"row_number": int32(at + 1), "rank": int32(before + 1), "dense_rank": int32(groups), "percent_rank": percent,
		"cume_dist": float64(before+peers) / float64(n), "ntile": int32(bucket)}
}

// shifted is lag or lead by the definition.
func (c *windowCase) shifted(i, by int, ignore bool) any {
	x := c.rows.Cols[2]
	j := i
	for left := max(by, -by); left > 0; {
		if j += by / max(by, -by); j < c.start[i] || j >= c.end[i] {
			return vectortest.Value(c.rows.Cols[2], i) // the default
		}
		if !ignore || !x.IsNull(j) {
			left--
		}
	}
	return vectortest.Value(x, j)
}

func TestRankingsAgree(t *testing.T) {
	for seed := range uint64(40) {
		c := newWindowCase(seed + 1000)
		pb := &planpb.Window{Partition: []*planpb.Expr{col(0, types.Integer)},
			Order: []*planpb.SortKey{{Expr: col(1, types.Integer), Descending: c.desc, NullsFirst: c.nullsUp}}}
		names := []string{"row_number", "rank", "dense_rank", "percent_rank", "cume_dist", "ntile"}
		for _, n := range names {
			out := types.Integer
			if n == "percent_rank" || n == "cume_dist" {
				out = types.Double
			}
			e := call(n, out)
			if n == "ntile" {
				e = call(n, out, literal(types.Integer, int64(3)))
			}
			pb.Functions = append(pb.Functions, &planpb.WindowFunction{Call: e})
		}
		by, ignore := 1+c.r.IntN(3), c.r.IntN(2) == 0
		for _, n := range []string{"lag", "lead"} {
			e := call(n, types.Long, col(2, types.Long), literal(types.Integer, int64(by)), col(2, types.Long))
			e.GetCall().IgnoreNulls = ignore
			pb.Functions = append(pb.Functions, &planpb.WindowFunction{Call: e})
		}
		op, err := newWindow(pb, c.source(), nil)
		if err != nil {
			t.Fatal(err)
		}
		for i, r := range run(t, op, []int64{1 << 30, 1 << 20}[seed%2]) {
			want := c.rankings(i)
			for k, n := range names {
				if got := r[len(windowTypes)+k]; loose([]any{got}) != loose([]any{want[n]}) {
					t.Fatalf("seed %d: row %d: %s is %v, want %v", seed, i, n, got, want[n])
				}
			}
			for k, sign := range []int{-1, 1} {
				got, want := r[len(windowTypes)+len(names)+k], c.shifted(i, sign*by, ignore)
				if loose([]any{got}) != loose([]any{want}) {
					t.Fatalf("seed %d: row %d shifted by %d (%v) is %v, want %v", seed, i, sign*by, ignore, got, want)
				}
			}
		}
	}
}

func TestGroupLimitAgrees(t *testing.T) {
	for seed := range uint64(40) {
		c := newWindowCase(seed + 2000)
		kind := planpb.GroupLimit_Rank(c.r.IntN(3))
		name := []string{"row_number", "rank", "dense_rank"}[kind]
		limit := int32(1 + c.r.IntN(5))
		op, err := newGroupLimit(&planpb.GroupLimit{Partition: []*planpb.Expr{col(0, types.Integer)}, Limit: int64(limit), Rank: kind,
			Order: []*planpb.SortKey{{Expr: col(1, types.Integer), Descending: c.desc, NullsFirst: c.nullsUp}}}, c.source(), nil)
		if err != nil {
			t.Fatal(err)
		}
		var want [][]any
		for i, r := range vectortest.Rows(c.rows) {
			if c.rankings(i)[name].(int32) <= limit {
				want = append(want, r)
			}
		}
		if got := vectortest.Show(run(t, op, 1<<30)); !slices.Equal(got, vectortest.Show(want)) {
			t.Fatalf("seed %d, %s <= %d: got\n%s\nwant\n%s", seed, name, limit, strings.Join(got, "\n"), strings.Join(vectortest.Show(want), "\n"))
		}
	}
}

func BenchmarkWindow(b *testing.B) {
	const n = 1 << 20
	p, o, v := make([]int32, n), make([]int64, n), make([]int64, n)
	for i := range n {
		p[i], o[i], v[i] = int32(i/1000), int64(i), int64(i*7919%1000)
	}
	cols := []*vector.Vector{vector.FromSlice(types.Integer, p), vector.FromSlice(types.Long, o), vector.FromSlice(types.Long, v)}
	rows := func(low, high int64) (*planpb.WindowBound, *planpb.WindowBound) {
		return &planpb.WindowBound{Kind: &planpb.WindowBound_Rows{Rows: low}}, &planpb.WindowBound{Kind: &planpb.WindowBound_Rows{Rows: high}}
	}
	lower10, here := rows(-10, 0)
	lower500, upper500 := rows(-500, 500)
	sum, deviation := call("sum", types.Long, col(2, types.Long)), call("stddev_samp", types.Double, call("cast", types.Double, col(2, types.Long)))
	for name, f := range map[string]*planpb.WindowFunction{
		"row_number": {Call: call("row_number", types.Integer)}, "whole": {Call: sum}, "running": {Call: sum, Upper: here},
		"sliding10": {Call: sum, Lower: lower10, Upper: here}, "sliding1000": {Call: sum, Lower: lower500, Upper: upper500},
		"deviation10": {Call: deviation, Lower: lower10, Upper: here}, "deviation1000": {Call: deviation, Lower: lower500, Upper: upper500},
		"runningDeviation": {Call: deviation, Upper: here}, "lag": {Call: call("lag", types.Long, col(2, types.Long))},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				op, err := newWindow(&planpb.Window{Partition: []*planpb.Expr{col(0, types.Integer)}, Functions: []*planpb.WindowFunction{f},
					Order: []*planpb.SortKey{{Expr: col(1, types.Long)}}}, batches(cols...), nil)
				if err != nil {
					b.Fatal(err)
				}
				pull(b, op)
			}
			b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mrows/s")
		})
	}
}
