package expr_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"millrace/operators/expr"
	"millrace/planconv"
	planpb "millrace/proto/millrace/plan/v1"
	"millrace/types"
	"millrace/vector"
)

func column(i int, t *types.Type) *planpb.Expr {
	return &planpb.Expr{Type: planconv.TypePB(t), Nullable: true, Kind: &planpb.Expr_Column{Column: uint32(i)}}
}

func literal(v any, t *types.Type) *planpb.Expr {
	return &planpb.Expr{Type: planconv.TypePB(t), Nullable: v == nil, Kind: &planpb.Expr_Literal{Literal: planconv.Literal(v)}}
}

func callOf(name string, t *types.Type, args ...*planpb.Expr) *planpb.Expr {
	return &planpb.Expr{Type: planconv.TypePB(t), Nullable: true, Kind: &planpb.Expr_Call{Call: &planpb.Call{Name: name, Args: args}}}
}

// sample is a column in several encodings with the same values.
type sample struct {
	t      *types.Type
	values []any
}

// encode makes the column plain, or a dictionary for strings.
func (s sample) encode(dict bool) *vector.Vector {
	if !dict || s.t.Kind != types.KindString {
		return planconv.FromValues(s.t, s.values)
	}
	var entries []any
	codes := make([]int32, len(s.values))
	v := &vector.Vector{}
	valid := vector.NewBitmap(len(s.values))
	for i, x := range s.values {
		k := slices.Index(entries, x)
		if x == nil {
			valid.Clear(i)
			codes[i] = -7 // codes of null rows may be anything
			continue
		}
		if k < 0 {
			k = len(entries)
			entries = append(entries, x)
		}
		codes[i] = int32(k)
	}
	if len(entries) == 0 {
		entries = []any{"unused"}
	}
	v.ResetDict(planconv.FromValues(s.t, entries), len(codes))
	copy(vector.Codes(v), codes)
	v.Valid = valid
	return v
}

func drawSample(t *rapid.T, n int, name string) sample {
	typ := rapid.SampledFrom([]*types.Type{types.Long, types.Integer, types.Double, types.String, types.Boolean, types.Decimal(30, 2), types.Decimal(9, 2)}).Draw(t, name)
	s := sample{t: typ, values: make([]any, n)}
	nulls := rapid.Bool().Draw(t, "nulls")
	for i := range s.values {
		s.values[i] = drawValue(t, typ, nulls)
	}
	return s
}

func drawValue(t *rapid.T, typ *types.Type, nulls bool) any {
	k := rapid.IntRange(-3, 3).Draw(t, "v")
	if nulls && k == -3 {
		return nil
	}
	switch typ.Kind {
	case types.KindDouble:
		return []float64{-1, -0.5, 0, 1, 2.5, 1e300, 7}[k+3]
	case types.KindString:
		return []string{"", "a", "b", "ab", "abcdefghijk", "z", "é"}[k+3]
	case types.KindBoolean:
		return k > 0
	}
	return int64(k)
}

// drawPredicate makes a random boolean expression over two columns of one type and a boolean one.
func drawPredicate(t *rapid.T, typ *types.Type, depth int) *planpb.Expr {
	kind := rapid.IntRange(0, 6).Draw(t, "kind")
	if depth == 0 {
		kind = 3 + kind%4
	}
	operand := func() *planpb.Expr {
		if rapid.Bool().Draw(t, "column") {
			return column(rapid.IntRange(0, 1).Draw(t, "which"), typ)
		}
		v := drawValue(t, typ, true)
		if x, ok := v.(int64); ok && typ.Kind == types.KindDecimal && !typ.IsShortDecimal() {
			_ = x
		}
		return literal(v, typ)
	}
	switch kind {
	case 0:
		return callOf("not", types.Boolean, drawPredicate(t, typ, depth-1))
	case 1, 2:
		name := []string{"and", "or"}[kind-1]
		return callOf(name, types.Boolean, drawPredicate(t, typ, depth-1), drawPredicate(t, typ, depth-1))
	case 3:
		return callOf(rapid.SampledFrom([]string{"isnull", "isnotnull"}).Draw(t, "null"), types.Boolean, operand())
	case 4:
		return callOf("in", types.Boolean, operand(), literal(drawValue(t, typ, true), typ), literal(drawValue(t, typ, false), typ))
	case 5:
		return column(2, types.Boolean)
	}
	op := rapid.SampledFrom([]string{"=", "!=", "<", "<=", ">", ">=", "<=>"}).Draw(t, "op")
	return callOf(op, types.Boolean, operand(), operand())
}

// naive evaluates a predicate for one row by values in plan.Literal's form; nil is unknown.
func naive(e *planpb.Expr, row []any) any {
	switch k := e.Kind.(type) {
	case *planpb.Expr_Column:
		return row[k.Column]
	case *planpb.Expr_Literal:
		return planconv.At(planconv.Const(k.Literal, planconv.Type(e.Type)), 0)
	}
	call := e.GetCall()
	var args []any
	for _, a := range call.Args {
		args = append(args, naive(a, row))
	}
	typ := planconv.Type(call.Args[0].Type)
	order := func(a, b any) int {
		return expr.CompareRows(planconv.FromValues(typ, []any{a}), 0, planconv.FromValues(typ, []any{b}), 0)
	}
	switch call.Name {
	case "isnull":
		return args[0] == nil
	case "isnotnull":
		return args[0] != nil
	case "not":
		if args[0] == nil {
			return nil
		}
		return !args[0].(bool)
	case "and", "or":
		stop := call.Name == "or"
		if args[0] == stop || args[1] == stop {
			return stop
		}
		if args[0] == nil || args[1] == nil {
			return nil
		}
		return !stop
	case "in":
		unknown := args[0] == nil
		for _, item := range args[1:] {
			if args[0] != nil && item != nil && order(args[0], item) == 0 {
				return true
			}
			unknown = unknown || item == nil
		}
		if unknown {
			return nil
		}
		return false
	case "<=>":
		if args[0] == nil || args[1] == nil {
			return args[0] == nil && args[1] == nil
		}
		return order(args[0], args[1]) == 0
	}
	if args[0] == nil || args[1] == nil {
		return nil
	}
	c := order(args[0], args[1])
	return map[string]bool{"=": c == 0, "!=": c != 0, "<": c < 0, "<=": c <= 0, ">": c > 0, ">=": c >= 0}[call.Name]
}

// TestPredicates compares Select and Eval with the naive evaluation, in all encodings, with and without a selection, twice over.
func TestPredicates(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.SampledFrom([]int{1, 7, 64, 130}).Draw(t, "n")
		a := drawSample(t, n, "type")
		b := sample{t: a.t, values: make([]any, n)}
		flags := sample{t: types.Boolean, values: make([]any, n)}
		for i := range n {
			b.values[i], flags.values[i] = drawValue(t, a.t, true), drawValue(t, types.Boolean, true)
		}
		e := drawPredicate(t, a.t, 3)
		input := []*types.Type{a.t, a.t, types.Boolean}
		p, err := expr.CompilePredicate(e, input, nil)
		if err != nil {
			t.Fatal(err)
		}
		ev, err := expr.Compile(e, input, nil)
		if err != nil {
			t.Fatal(err)
		}
		ctx := &expr.Ctx{Context: context.Background()}
		for round := range 2 {
			batch := &vector.Batch{N: n, Cols: []*vector.Vector{a.encode(round == 0), b.encode(rapid.Bool().Draw(t, "dict")), flags.encode(false)}}
			var sel []uint32
			if rapid.Bool().Draw(t, "sel") {
				sel = []uint32{}
				for i := range n {
					if rapid.Bool().Draw(t, "row") {
						sel = append(sel, uint32(i))
					}
				}
			}
			checkPredicate(t, ctx, e, p, ev, batch, sel, a, b, flags)
		}
	})
}

func checkPredicate(t *rapid.T, ctx *expr.Ctx, e *planpb.Expr, p expr.Predicate, ev expr.Evaluator, batch *vector.Batch, sel []uint32, cols ...sample) {
	rows := sel
	if sel == nil {
		for i := range batch.N {
			rows = append(rows, uint32(i))
		}
	}
	want := []uint32{}
	truth := map[uint32]any{}
	for _, i := range rows {
		row := make([]any, len(cols))
		for c, s := range cols {
			row[c] = s.values[i]
		}
		if truth[i] = naive(e, row); truth[i] == true {
			want = append(want, i)
		}
	}
	got, err := p.Select(ctx, batch, sel)
	if err != nil {
		t.Fatal(err)
	}
	if got == nil && len(rows) > 0 || !slices.Equal(got, want) {
		t.Fatalf("%v\nselected %v of %v, want %v", e, got, rows, want)
	}
	v, err := ev.Eval(ctx, batch, sel)
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range rows {
		if got := planconv.At(v, int(i)); fmt.Sprint(got) != fmt.Sprint(truth[i]) {
			t.Fatalf("%v\nrow %d is %v, want %v", e, i, got, truth[i])
		}
	}
}
