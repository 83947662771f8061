package expr_test

import (
	"context"
	"testing"

	"github.com/cockroachdb/apd/v3"
	"pgregory.net/rapid"

	"millrace/operators/expr"
	"millrace/plan/fn"
	"millrace/planconv"
	planpb "millrace/proto/millrace/plan/v1"
	"millrace/types"
	"millrace/vector"
)

// drawDecimal draws a type and a value of it as digits.
func drawDecimal(t *rapid.T, name string) (*types.Type, string) {
	p := rapid.IntRange(1, 38).Draw(t, name+" precision")
	s := rapid.IntRange(0, p).Draw(t, name+" scale")
	n := rapid.IntRange(1, p).Draw(t, name+" digits")
	digits := rapid.StringOfN(rapid.RuneFrom([]rune("0123456789")), n, n, -1).Draw(t, name)
	if rapid.Bool().Draw(t, name+" sign") {
		digits = "-" + digits
	}
	var d apd.Decimal
	if _, _, err := d.SetString(digits); err != nil {
		t.Fatal(err)
	}
	d.Exponent = -int32(s)
	return types.Decimal(p, s), d.Text('f')
}

// exactly computes by apd what the operation should give, as text, or NULL where it does not fit the type.
func exactly(t *rapid.T, op, a, b string, out *types.Type) string {
	ctx := apd.BaseContext.WithPrecision(200)
	ctx.Rounding = apd.RoundHalfUp
	x, _, _ := apd.NewFromString(a)
	y, _, _ := apd.NewFromString(b)
	var r apd.Decimal
	switch op {
	case "+":
		ctx.Add(&r, x, y)
	case "-":
		ctx.Sub(&r, x, y)
	case "*":
		ctx.Mul(&r, x, y)
	case "/":
		if y.IsZero() {
			return "NULL"
		}
		ctx.Quo(&r, x, y)
	case "%":
		if y.IsZero() {
			return "NULL"
		}
		ctx.Rem(&r, x, y)
	}
	if _, err := ctx.Quantize(&r, &r, -int32(out.Scale)); err != nil {
		t.Fatal(err)
	}
	if r.NumDigits() > int64(out.Precision) && !r.IsZero() {
		return "NULL"
	}
	if r.IsZero() {
		r.Negative = false
	}
	return r.Text('f')
}

// TestDecimals compares decimal arithmetic with apd's, which knows no limits, in all widths.
func TestDecimals(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ta, a := drawDecimal(t, "a")
		tb, b := drawDecimal(t, "b")
		op := rapid.SampledFrom([]string{"+", "-", "*", "/", "%"}).Draw(t, "op")
		r, err := fn.Lookup(op).Resolve(&fn.Context{ANSI: true}, []fn.Arg{{Type: ta}, {Type: tb}})
		if err != nil {
			t.Fatal(err)
		}
		call := &planpb.Call{Name: op, Mode: planpb.EvalMode_EVAL_MODE_TRY, Args: []*planpb.Expr{
			castTo(column(0, types.String), ta, 0), castTo(column(1, types.String), tb, 0)}}
		e := castTo(&planpb.Expr{Type: planconv.TypePB(r.Type), Nullable: true, Kind: &planpb.Expr_Call{Call: call}}, types.String, 0)
		ev, err := expr.Compile(e, []*types.Type{types.String, types.String}, nil)
		if err != nil {
			t.Fatal(err)
		}
		cols := []*vector.Vector{vector.FromStrings(types.String, []string{a}, nil), vector.FromStrings(types.String, []string{b}, nil)}
		v, err := ev.Eval(&expr.Ctx{Context: context.Background()}, &vector.Batch{N: 1, Cols: cols}, nil)
		if err != nil {
			t.Fatal(err)
		}
		got := "NULL"
		if s := planconv.At(v, 0); s != nil {
			got = s.(string)
		}
		if want := exactly(t, op, a, b, r.Type); got != want {
			t.Fatalf("%s %s %s (%s, %s) = %s %s, want %s", a, op, b, ta, tb, r.Type, got, want)
		}
	})
}
