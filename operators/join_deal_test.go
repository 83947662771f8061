package operators

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"millrace/memory"
	"millrace/operators/expr"
	planpb "millrace/proto/millrace/plan/v1"
	"millrace/types"
	"millrace/vector"
	"millrace/vector/vectortest"
)

// sideSpec is what a side of a join is like.
type sideSpec struct {
	seed         uint64
	rows         int
	values       int64   // how many keys
	heavy, nulls float64 // shares of rows of one key, and of keys that are null
}

// make makes the side: keys (a number, a text), then a number and a text.
func (o sideSpec) make() *source {
	rnd := rand.New(rand.NewPCG(o.seed, 1))
	numbers, texts, places, pads := make([]int64, o.rows), make([]string, o.rows), make([]int64, o.rows), make([]string, o.rows)
	for i := range o.rows {
		k := rnd.Int64N(o.values)
		if rnd.Float64() < o.heavy {
			k = 7
		}
		numbers[i], texts[i], places[i], pads[i] = k, fmt.Sprint("key ", k%1000), rnd.Int64N(1000), fmt.Sprint("row ", i)
	}
	cols := []*vector.Vector{vector.FromSlice(types.Long, numbers), vector.FromStrings(types.String, texts, nil), vector.FromSlice(types.Long, places),
		vector.FromStrings(types.String, pads, nil)}
	for i := range o.rows {
		for _, c := range cols[:2] {
			if rnd.Float64() < o.nulls {
				c.SetNull(i)
			}
		}
	}
	s := batches(cols...)
	for _, b := range s.batches {
		if rnd.IntN(3) == 0 { // a batch with a selection
			for r := range b.N {
				if rnd.IntN(4) > 0 {
					b.Sel = append(b.Sel, uint32(r))
				}
			}
		}
	}
	return s
}

func drawSide(t *rapid.T) *source {
	o := sideSpec{seed: rapid.Uint64().Draw(t, "seed"), rows: rapid.SampledFrom([]int{0, 1, 500, 3000, 6000}).Draw(t, "rows"),
		values: rapid.SampledFrom([]int64{1, 3, 200, 5000}).Draw(t, "keys"), heavy: rapid.SampledFrom([]float64{0, 0, 0.5, 0.95}).Draw(t, "heavy"),
		nulls: rapid.SampledFrom([]float64{0, 0, 0.01, 0.5}).Draw(t, "nulls")}
	if o.values < 200 || o.heavy > 0 {
		o.rows = min(o.rows, 500) // pairs are many
	}
	return o.make()
}

// TestDealtJoinAgrees joins with less memory than the build side needs, and compares with the join in memory.
func TestDealtJoinAgrees(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		left, right := drawSide(t), drawSide(t)
		pb := &planpb.HashJoin{Type: rapid.SampledFrom(joinTypes).Draw(t, "join"), BuildLeft: rapid.Bool().Draw(t, "build left")}
		keys := rapid.SampledFrom([][]int{{0}, {1}, {0, 1}}).Draw(t, "key columns")
		notIn := pb.Type == planpb.JoinType_NULL_AWARE_ANTI
		if notIn {
			keys = keys[:1]
		}
		for _, k := range keys {
			key := col(k, left.types[k])
			if k == 1 && rapid.Bool().Draw(t, "computed") {
				key = call("upper", types.String, key)
			}
			pb.LeftKeys, pb.RightKeys = append(pb.LeftKeys, key), append(pb.RightKeys, key)
			pb.NullSafe = append(pb.NullSafe, !notIn && rapid.IntRange(0, 3).Draw(t, "null safe") == 0)
		}
		if !notIn && rapid.Bool().Draw(t, "residual") {
			pb.Residual = call("<", types.Boolean, col(2, types.Long), col(6, types.Long))
		}
		want, needs := joinWithin(t, pb, left, right, 1<<40, nil)
		for _, percent := range []int64{3, 30, 80} {
			if got, _ := joinWithin(t, pb, left, right, max(needs*percent/100, 4096), nil); !slices.Equal(got, want) {
				t.Fatalf("with %d %% of the memory: %d rows, want %d", percent, len(got), len(want))
			}
		}
	})
}

// TestDealtJoinStates has joins of all types meet each way of going on when memory is short.
func TestDealtJoinStates(t *testing.T) {
	for _, c := range []struct {
		name        string
		left, right sideSpec
		memory      int64
		state       string // of joins that build on the
		builds      string
	}{
		{"half", sideSpec{1, 6000, 4500, 0, 0.01}, sideSpec{2, 6000, 4500, 0, 0}, 250_000, "parts in memory and on disk", "left or right"},
		{"little", sideSpec{3, 6000, 4500, 0, 0}, sideSpec{4, 6000, 4500, 0, 0}, 16_000, "parts of parts", "left or right"},
		{"one key", sideSpec{5, 600, 200, 0, 0}, sideSpec{6, 10000, 200, 1, 0}, 100_000, "blocks", "right"},
		{"one key on the left", sideSpec{7, 10000, 200, 1, 0}, sideSpec{8, 600, 200, 0, 0}, 100_000, "blocks", "left"},
	} {
		left, right := c.left.make(), c.right.make()
		for _, typ := range joinTypes {
			for _, buildLeft := range []bool{false, true} {
				pb := &planpb.HashJoin{Type: typ, BuildLeft: buildLeft, LeftKeys: []*planpb.Expr{col(0, types.Long)}, RightKeys: []*planpb.Expr{col(0, types.Long)}}
				if typ != planpb.JoinType_NULL_AWARE_ANTI {
					pb.Residual = call("<", types.Boolean, col(2, types.Long), col(6, types.Long))
				}
				want, _ := joinWithin(t, pb, left, right, 1<<40, nil)
				states := map[string]int{}
				got, _ := joinWithin(t, pb, left, right, c.memory, states)
				if !slices.Equal(got, want) {
					t.Errorf("%s, %s, build left %t: %d rows, want %d", c.name, typ, buildLeft, len(got), len(want))
				}
				builds := "right"
				if buildLeft {
					builds = "left"
				}
				if buildLeft && typ == planpb.JoinType_NULL_AWARE_ANTI {
					continue // it builds the right, and parts on disk the left
				}
				if strings.Contains(c.builds, builds) && states[c.state] == 0 {
					t.Errorf("%s, %s, build left %t: no %s, but %v", c.name, typ, buildLeft, c.state, states)
				}
			}
		}
	}
}

// joinWithin joins with so much memory, and counts in states what becomes of the build side. It returns the rows in order and the most that was reserved.
func joinWithin(t rapid.TB, pb *planpb.HashJoin, left, right *source, limit int64, states map[string]int) ([]string, int64) {
	dir, err := os.MkdirTemp("", "operators")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	pool := memory.NewPool("test", limit)
	ctx := &Ctx{Ctx: expr.Ctx{Context: context.Background(), Settings: &planpb.Settings{Ansi: true, TimeZone: "UTC"}}, Memory: pool, TempDir: dir}
	op, err := newHashJoin(pb, left.again(), right.again(), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := op.Open(ctx); err != nil {
		t.Fatal(err)
	}
	var rows [][]any
	for {
		b, err := op.Next()
		if err != nil {
			t.Fatal(err)
		}
		for j := op.(*hashJoin); j != nil && states != nil; j = j.sub {
			states[stateOf(j)]++
		}
		if b == nil {
			break
		}
		rows = append(rows, vectortest.Rows(b)...)
	}
	if pool.Used() > 0 {
		t.Fatalf("%d bytes stay reserved at the end", pool.Used())
	}
	if err := op.Close(); err != nil {
		t.Fatal(err)
	}
	if files, _ := os.ReadDir(dir); len(files) > 0 {
		t.Fatalf("files are left: %v", files)
	}
	return sorted(rows), pool.Peak()
}

func stateOf(o *hashJoin) string {
	switch {
	case o.probed || o.joiner.build == nil:
		return "ended"
	case o.blocks != nil:
		return "blocks"
	case o.deal == nil:
		return "in memory"
	case o.depth > 0:
		return "parts of parts"
	case o.joiner.build.N == 0:
		return "all parts on disk"
	}
	return "parts in memory and on disk"
}

// narrowed remembers what was wanted of its columns.
type narrowed struct {
	*source
	wanted map[int]*Wanted
}

func (s *narrowed) Narrow(column int, w *Wanted) bool {
	if w != nil {
		s.wanted[column] = w
	}
	return true
}

// TestDealtJoinNarrows: what the probe side is told holds for the keys on disk, too.
func TestDealtJoinNarrows(t *testing.T) {
	keys := random(3*vector.BatchRows, 1_000_000)
	keys[0], keys[len(keys)/2], keys[len(keys)-1] = -5, 2_000_000, -7
	pb := &planpb.HashJoin{LeftKeys: []*planpb.Expr{col(0, types.Long)}, RightKeys: []*planpb.Expr{col(0, types.Long)}}
	for _, bytes := range []int64{1 << 30, 50_000, 4096} {
		probe := &narrowed{batches(vector.FromSlice(types.Long, keys)), map[int]*Wanted{}}
		op, err := newHashJoin(pb, probe, batches(vector.FromSlice(types.Long, keys)), nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		run(t, op, bytes)
		w := probe.wanted[0]
		if w == nil || w.Low.GetInteger() != -7 || w.High.GetInteger() != 2_000_000 {
			t.Errorf("with %d bytes: wanted %v", bytes, w)
		}
	}
}
