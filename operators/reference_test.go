package operators

import (
	"context"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"millrace/memory"
	"millrace/operators/expr"
	"millrace/planconv"
	planpb "millrace/proto/millrace/plan/v1"
	"millrace/types"
	"millrace/vector"
	"millrace/vector/vectortest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// source emits given batches.
type source struct {
	types   []*types.Type
	batches []*vector.Batch
	at      int
	closed  bool
}

func (s *source) Open(*Ctx) error       { return nil }
func (s *source) Output() []*types.Type { return s.types }
func (s *source) Close() error          { s.closed = true; return nil }
func (s *source) Next() (*vector.Batch, error) {
	for s.at < len(s.batches) {
		s.at++
		if b := s.batches[s.at-1]; b.Rows() > 0 {
			return b, nil
		}
	}
	return nil, nil
}

func (s *source) rows() [][]any {
	var rows [][]any
	for _, b := range s.batches {
		rows = append(rows, vectortest.Rows(b)...)
	}
	return rows
}

// flat decodes column i of every batch: residual conditions are the kernels' tests' business.
func (s *source) flat(i int) *source {
	for _, b := range s.batches {
		b.Cols[i].Flatten()
	}
	return s
}

func (s *source) again() *source { return &source{types: s.types, batches: s.batches} }

func drawSource(t *rapid.T, cols []*types.Type, o vectortest.Options) *source {
	s := &source{types: cols}
	for range rapid.IntRange(0, 6).Draw(t, "batches") {
		b := vectortest.Batch(t, cols, o)
		if len(s.batches) > 0 && rapid.IntRange(0, 3).Draw(t, "repeat") == 0 {
			b = s.batches[0]
		}
		s.batches = append(s.batches, b)
	}
	return s
}

// run pulls all rows of an operator and checks that it leaves nothing behind.
func run(t interface {
	Helper()
	Fatalf(string, ...any)
	Fatal(...any)
}, op Operator, limit int64) [][]any {
	t.Helper()
	dir, err := os.MkdirTemp("", "operators")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	pool := memory.NewPool("test", limit)
	ctx := &Ctx{Ctx: expr.Ctx{Context: context.Background(), Settings: &planpb.Settings{Ansi: true, TimeZone: "UTC"}}, Memory: pool, TempDir: dir}
	rows, err := drain(op, ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := op.Close(); err != nil {
		t.Fatal(err)
	}
	if pool.Used() != 0 {
		t.Fatalf("%d bytes stay reserved", pool.Used())
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Fatalf("files are left: %v", left)
	}
	return rows
}

func drain(op Operator, ctx *Ctx) ([][]any, error) {
	if err := op.Open(ctx); err != nil {
		return nil, err
	}
	var rows [][]any
	for {
		b, err := op.Next()
		if b == nil || err != nil {
			return rows, err
		}
		if b.Rows() == 0 {
			return nil, fmt.Errorf("a batch without rows")
		}
		for i, c := range b.Cols {
			if !c.Type.SameData(op.Output()[i]) {
				return nil, fmt.Errorf("column %d is %s, not %s", i, c.Type, op.Output()[i])
			}
		}
		rows = append(rows, vectortest.Rows(b)...)
	}
}

func sorted(rows [][]any) []string {
	s := vectortest.Show(rows)
	slices.Sort(s)
	return s
}

func mustEqual(t *rapid.T, got, want [][]any) {
	t.Helper()
	if g, w := sorted(got), sorted(want); !slices.Equal(g, w) {
		t.Fatalf("got %d rows\n%s\nwant %d\n%s", len(g), strings.Join(g, "\n"), len(w), strings.Join(w, "\n"))
	}
}

// drawLimit is a memory budget that forces spilling, or one that never does.
func drawLimit(t *rapid.T) int64 {
	return rapid.SampledFrom([]int64{64, 4096, 1 << 30}).Draw(t, "memory")
}

func col(i int, t *types.Type) *planpb.Expr {
	return &planpb.Expr{Type: planconv.TypePB(t), Nullable: true, Kind: &planpb.Expr_Column{Column: uint32(i)}}
}

func call(name string, out *types.Type, args ...*planpb.Expr) *planpb.Expr {
	return &planpb.Expr{Type: planconv.TypePB(out), Nullable: true, Kind: &planpb.Expr_Call{Call: &planpb.Call{Name: name, Args: args}}}
}

// keyOf shows key values so that equal keys are equal strings.
func keyOf(row []any) string { return fmt.Sprintf("%#v", normal(row)) }

func normal(row []any) []any {
	row = slices.Clone(row)
	for i, x := range row {
		if f, ok := x.(float64); ok && f == 0 {
			row[i] = 0.0
		} else if ok && f != f {
			row[i] = math.NaN()
		}
	}
	return row
}

var small = vectortest.Options{MaxRows: 50, SmallInts: true}

func TestSortAgrees(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cols := rapid.SliceOfN(rapid.SampledFrom(vectortest.Atomic), 1, 3).Draw(t, "types")
		in := drawSource(t, cols, small)
		var keys []*planpb.SortKey
		for i, c := range cols {
			keys = append(keys, &planpb.SortKey{Expr: col(i, c), Descending: rapid.Bool().Draw(t, "desc"), NullsFirst: rapid.Bool().Draw(t, "nulls first")})
		}
		op, err := newSort(keys, in, nil)
		if err != nil {
			t.Fatal(err)
		}
		got := run(t, op, drawLimit(t))
		want := in.rows()
		sortRows(want, keys)
		for i := range want {
			if keyOf(got[i]) != keyOf(want[i]) {
				t.Fatalf("row %d is %v, want %v", i, got[i], want[i])
			}
		}
		mustEqual(t, got, want)

		limit, offset := rapid.IntRange(0, 20).Draw(t, "limit"), rapid.IntRange(0, 20).Draw(t, "offset")
		top, err := newTopN(&planpb.TopN{Keys: keys, Limit: int64(limit), Offset: int64(offset)}, in.again(), nil)
		if err != nil {
			t.Fatal(err)
		}
		first := run(t, top, drawLimit(t))
		want = want[min(offset, len(want)):]
		want = want[:min(limit, len(want))]
		if len(first) != len(want) {
			t.Fatalf("top: %d rows, want %d", len(first), len(want))
		}
		for i := range want {
			if keyOf(first[i]) != keyOf(want[i]) {
				t.Fatalf("top row %d is %v, want %v", i, first[i], want[i])
			}
		}
	})
}

// sortRows orders rows by all of their columns, as keys say.
func sortRows(rows [][]any, keys []*planpb.SortKey) {
	slices.SortStableFunc(rows, func(a, b []any) int {
		for i, k := range keys {
			c := 0
			if a[i] == nil || b[i] == nil {
				if a[i] != nil || b[i] != nil {
					if c = 1; (a[i] == nil) == k.NullsFirst {
						c = -1
					}
				}
			} else if c = compareAny(a[i], b[i]); k.Descending {
				c = -c
			}
			if c != 0 {
				return c
			}
		}
		return 0
	})
}

// TestMergeOfComputedKeys has keys that one evaluator computes for all inputs, and that their encoded beginnings do not tell apart.
func TestMergeOfComputedKeys(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cols := []*types.Type{types.String}
		keys := []*planpb.SortKey{{Expr: call("upper", types.String, col(0, types.String)), NullsFirst: true}}
		words := rapid.SampledFrom([]string{"the same beginning a", "The Same Beginning b", "the same beginning C", "THE SAME BEGINNING d"})
		var in []Operator
		var want []string
		for range rapid.IntRange(1, 4).Draw(t, "inputs") {
			s := &source{types: cols}
			for range rapid.IntRange(1, 3).Draw(t, "batches") {
				list := rapid.SliceOfN(words, 1, 5).Draw(t, "rows")
				want = append(want, list...)
				s.batches = append(s.batches, &vector.Batch{Cols: []*vector.Vector{vector.FromStrings(types.String, list, nil)}, N: len(list)})
			}
			op, err := newSort(keys, s, nil)
			if err != nil {
				t.Fatal(err)
			}
			in = append(in, op)
		}
		op, err := NewMerge(in, keys, cols, nil)
		if err != nil {
			t.Fatal(err)
		}
		got := run(t, op, 1<<30)
		slices.SortFunc(want, func(a, b string) int { return strings.Compare(strings.ToUpper(a), strings.ToUpper(b)) })
		for i := range want {
			if s := fmt.Sprint(got[i][0]); !strings.EqualFold(s, want[i]) {
				t.Fatalf("row %d is %s, want %s", i, s, want[i])
			}
		}
	})
}

func TestMergeAgrees(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cols := rapid.SliceOfN(rapid.SampledFrom(vectortest.Atomic), 1, 2).Draw(t, "types")
		keys := []*planpb.SortKey{{Expr: col(0, cols[0]), NullsFirst: true}}
		var in []Operator
		var want [][]any
		for range rapid.IntRange(1, 4).Draw(t, "inputs") {
			s := drawSource(t, cols, small)
			want = append(want, s.rows()...)
			op, err := newSort(keys, s, nil)
			if err != nil {
				t.Fatal(err)
			}
			in = append(in, op)
		}
		op, err := NewMerge(in, keys, cols, nil)
		if err != nil {
			t.Fatal(err)
		}
		got := run(t, op, 1<<30)
		mustEqual(t, got, want)
		sortRows(want, keys)
		for i := range want {
			if keyOf(got[i][:1]) != keyOf(want[i][:1]) {
				t.Fatalf("row %d is %v, want %v", i, got[i], want[i])
			}
		}
	})
}

// TestSortByPartsAgrees has rows dealt out to parts of a few bytes, with memory for some of them.
func TestSortByPartsAgrees(t *testing.T) {
	dealt, spilled := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		cols := rapid.SliceOfN(rapid.SampledFrom(vectortest.Atomic), 1, 3).Draw(t, "types")
		var keys []*planpb.SortKey
		for i, c := range cols {
			keys = append(keys, &planpb.SortKey{Expr: col(i, c), Descending: rapid.Bool().Draw(t, "desc"), NullsFirst: rapid.Bool().Draw(t, "nulls first")})
		}
		if rapid.Bool().Draw(t, "nested") {
			cols = append(cols, rapid.SampledFrom(vectortest.Nested).Draw(t, "last type"))
		}
		in := drawSource(t, cols, vectortest.Options{MaxRows: 300, SmallInts: rapid.Bool().Draw(t, "small")})
		op, err := newSort(keys, in, nil)
		if err != nil {
			t.Fatal(err)
		}
		s := op.(*sortOp)
		s.grain, s.m = rapid.SampledFrom([]int64{16, 64, 512}).Draw(t, "grain"), &OperatorMetrics{}
		watched := &watchedSort{sortOp: s}
		got := run(t, watched, rapid.SampledFrom([]int64{4096, 16 << 10, 64 << 10}).Draw(t, "memory"))
		if watched.dealt {
			dealt++
			if s.m.SpilledBytes > 0 {
				spilled++
			}
		}
		want := in.rows()
		sortRows(want, keys)
		for i := range want {
			if n := len(keys); keyOf(got[i][:n]) != keyOf(want[i][:n]) {
				t.Fatalf("row %d is %v, want %v", i, got[i], want[i])
			}
		}
		mustEqual(t, got, want)
	})
	if dealt == 0 || spilled == 0 {
		t.Errorf("rows were dealt out to parts %d times, and parts written %d times", dealt, spilled)
	}
}

// watchedSort notes whether a sort dealt its rows out.
type watchedSort struct {
	*sortOp
	dealt bool
}

func (w *watchedSort) Next() (*vector.Batch, error) {
	b, err := w.sortOp.Next()
	w.dealt = w.dealt || w.parts != nil
	return b, err
}

// Equal rows stay in the order in which they came, through parts in memory and on disk; keys may be computed.
func TestSortByPartsIsStable(t *testing.T) {
	const n = 200_000
	values := random(n, 5000)
	places := make([]int64, n)
	for i := range places {
		places[i] = int64(i)
	}
	for name, key := range map[string]*planpb.Expr{"column": col(0, types.Long), "computed": call("abs", types.Long, col(0, types.Long))} {
		in := batches(vector.FromSlice(types.Long, values), vector.FromSlice(types.Long, places))
		op, err := newSort([]*planpb.SortKey{{Expr: key}}, in, nil)
		if err != nil {
			t.Fatal(err)
		}
		s := op.(*sortOp)
		s.grain, s.m = 4<<10, &OperatorMetrics{}
		w := &watchedSort{sortOp: s}
		got := run(t, w, 2<<20)
		if !w.dealt || s.m.SpilledBytes == 0 || s.m.SpilledBytes > 16*n || len(got) != n {
			t.Fatalf("%s: dealt %v, %d bytes spilled, %d rows", name, w.dealt, s.m.SpilledBytes, len(got))
		}
		for i := 1; i < n; i++ {
			a, b := got[i-1], got[i]
			if x, y := a[0].(int64), b[0].(int64); x > y || x == y && a[1].(int64) > b[1].(int64) {
				t.Fatalf("%s: row %d is %v after %v", name, i, b, a)
			}
		}
	}
}

// A sort of rows of which most have one key makes runs.
func TestSortOfFewKeysMakesNoParts(t *testing.T) {
	const n = 100_000
	values := make([]int64, n)
	for i := range values {
		values[i] = int64(i % 3 / 2)
	}
	op, err := newSort([]*planpb.SortKey{{Expr: col(0, types.Long)}}, batches(vector.FromSlice(types.Long, values), vector.FromSlice(types.Long, random(n, 9))), nil)
	if err != nil {
		t.Fatal(err)
	}
	s := op.(*sortOp)
	s.grain, s.m = 4<<10, &OperatorMetrics{}
	w := &watchedSort{sortOp: s}
	got := run(t, w, 1<<20)
	if w.dealt || s.m.SpilledBytes == 0 || len(got) != n || got[2*n/3][0].(int64) != 1 && got[2*n/3+1][0].(int64) != 1 {
		t.Fatalf("dealt %v, %d bytes spilled, %d rows", w.dealt, s.m.SpilledBytes, len(got))
	}
}
