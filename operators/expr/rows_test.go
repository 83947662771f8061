package expr_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"millrace/operators/expr"
	"millrace/physical"
	"millrace/plan"
	"millrace/plan/analyze"
	"millrace/planconv"
	planpb "millrace/proto/millrace/plan/v1"
	"millrace/sql"
	"millrace/types"
	"millrace/vector"
)

var rowColumns = []types.Field{{Name: "s", Type: types.String, Nullable: true}, {Name: "p", Type: types.String, Nullable: true}, {Name: "n", Type: types.Integer, Nullable: true},
	{Name: "d", Type: types.Date, Nullable: true}, {Name: "t", Type: types.Timestamp, Nullable: true}, {Name: "a", Type: types.ArrayOf(types.String, true), Nullable: true}}

// compileOver compiles an expression over rowColumns.
func compileOver(t testing.TB, text string) expr.Evaluator {
	t.Helper()
	e, err := sql.ParseExpression(text)
	if err != nil {
		t.Fatal(err)
	}
	over := &plan.LocalRelation{}
	inputs := make([]*types.Type, len(rowColumns))
	for i, f := range rowColumns {
		over.Attrs = append(over.Attrs, &plan.Attribute{ID: plan.ID(i + 1), Name: f.Name, T: f.Type, Null: true})
		inputs[i] = f.Type
	}
	resolved, err := analyze.Expression(e, over, nil, analyze.Conf{TimeZone: testZone})
	if err != nil {
		t.Fatal(text, err)
	}
	// physical.Fold knows no columns: they go through it as variables.
	resolved, err = plan.TransformExpr(resolved, func(e plan.Expr) (plan.Expr, error) {
		if a, ok := e.(*plan.Attribute); ok {
			return &plan.LambdaVar{Name: a.Name, ID: uint32(a.ID) - 1, T: a.T, Null: true}, nil
		}
		return e, nil
	})
	if err != nil {
		t.Fatal(text, err)
	}
	pb, err := physical.Fold(resolved)
	if err != nil {
		t.Fatal(text, err)
	}
	asColumns(pb)
	ev, err := expr.Compile(pb, inputs, &planpb.Settings{TimeZone: testZone})
	if err != nil {
		t.Fatal(text, err)
	}
	return ev
}

func asColumns(e *planpb.Expr) {
	if v := e.GetLambdaVar(); v != nil {
		e.Kind = &planpb.Expr_Column{Column: v.Id}
	}
	for _, a := range e.GetCall().GetArgs() {
		asColumns(a)
	}
}

func randomColumn(r *rand.Rand, t *types.Type, n int) []any {
	words := []any{"a", " ab ", "日本語", "", "a,b,,c", "2024-05-17", "x1y22", "ABC"}
	out := make([]any, n)
	for i := range out {
		switch {
		case r.IntN(6) == 0:
		case t.Kind == types.KindString:
			out[i] = words[r.IntN(len(words))]
		case t.Kind == types.KindInteger:
			out[i] = int64(r.IntN(7) - 2)
		case t.Kind == types.KindDate:
			out[i] = int64(r.IntN(40000))
		case t.Kind == types.KindTimestamp:
			out[i] = r.Int64N(2e15)
		default:
			list := []any{}
			for range r.IntN(4) {
				list = append(list, words[r.IntN(len(words))])
			}
			out[i] = list
		}
	}
	return out
}

// TestRows evaluates functions over whole batches, over selections and over dictionaries, and one row at a time.
func TestRows(t *testing.T) {
	for _, text := range []string{"upper(s)", "trim(s)", "substring(s, n, 2)", "length(s)", "concat(s, '-', p)", "concat_ws(',', s, a, p)", "replace(s, 'a', 'xyz')",
		"regexp_replace(s, '[0-9]+', '#')", "regexp_extract(s, '([a-z])([0-9]+)', 2)", "split(s, ',')", "s like p", "s like '%b%'", "s rlike '^a'", "lpad(s, 5, p)", "instr(s, p)",
		"year(d)", "dayofweek(d)", "last_day(d)", "add_months(d, n)", "date_format(t, 'yyyy-MM-dd HH:mm')", "date_trunc('month', t)", "hour(t)", "to_date(s, 'yyyy-MM-dd')",
		"array(s, p, null)", "a[n]", "element_at(a, 1)", "size(a)", "array_contains(a, s)", "reverse(a)", "concat(a, array(s))", "map(1, s)[1]", "struct(s, n).s",
		"array(struct(s, n)).n", "map_values(map(1, s, 2, p))", "elt(n, s, p)", "split_part(s, ',', 2)", "regexp_extract_all(s, '([a-z])', 1)", "make_date(2024, n, 1)", "case when n > 0 then array(s) else a end"} {
		r := rand.New(rand.NewPCG(1, uint64(len(text))))
		const n = 200
		values := make([][]any, len(rowColumns))
		for c, f := range rowColumns {
			values[c] = randomColumn(r, f.Type, n)
		}
		want := oneByOne(t, text, values, n)
		for _, coded := range []bool{false, true} {
			for _, selected := range []bool{false, true} {
				b := &vector.Batch{N: n}
				for c, f := range rowColumns {
					b.Cols = append(b.Cols, columnOf(f.Type, values[c], coded))
				}
				var sel []uint32
				if selected {
					for i := 1; i < n; i += 1 + r.IntN(3) {
						sel = append(sel, uint32(i))
					}
				}
				ev := compileOver(t, text)
				for range 2 { // the second time with memory that is used again
					v, err := ev.Eval(&expr.Ctx{Context: t.Context(), Settings: &planpb.Settings{TimeZone: testZone}}, b, sel)
					if err != nil {
						t.Fatal(text, err)
					}
					expr.Rows(sel, n, func(i int) {
						if got := fmt.Sprint(planconv.At(v, i)); got != want[i] {
							t.Fatalf("%s, coded %v, selected %v, row %d: %s, want %s", text, coded, selected, i, got, want[i])
						}
					})
				}
			}
		}
	}
}

func columnOf(t *types.Type, values []any, coded bool) *vector.Vector {
	if !coded || t.Kind == types.KindArray {
		return planconv.FromValues(t, values)
	}
	var entries []any
	places := map[any]int32{}
	v := &vector.Vector{}
	codes := make([]int32, len(values))
	for i, x := range values {
		if _, ok := places[x]; !ok && x != nil {
			places[x] = int32(len(entries))
			entries = append(entries, x)
		}
		codes[i] = places[x]
	}
	v.ResetDict(planconv.FromValues(t, entries), len(values))
	copy(vector.Codes(v), codes)
	for i, x := range values {
		if x == nil {
			v.SetNull(i)
		}
	}
	return v
}

func oneByOne(t *testing.T, text string, values [][]any, n int) []string {
	ev := compileOver(t, text)
	want := make([]string, n)
	for i := range n {
		b := &vector.Batch{N: 1}
		for c, f := range rowColumns {
			b.Cols = append(b.Cols, planconv.FromValues(f.Type, values[c][i:i+1]))
		}
		v, err := ev.Eval(&expr.Ctx{Context: t.Context(), Settings: &planpb.Settings{TimeZone: testZone}}, b, nil)
		if err != nil {
			t.Fatal(text, err)
		}
		want[i] = fmt.Sprint(planconv.At(v, 0))
	}
	return want
}
