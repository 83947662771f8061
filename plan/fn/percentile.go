package fn

import (
	"strconv"
	"strings"

	"millrace/errs"
	"millrace/types"

	"github.com/apache/arrow-go/v18/arrow/decimal128"
)

// percentile, percentile_cont, percentile_disc and median: numbers become double; an array of fractions gives an array.
func percentile(c *Context, args []Arg) (Result, error) {
	t := args[0].Type
	casts, of := []*types.Type{types.Double}, types.Double
	switch {
	case t.Kind == types.KindYearMonth:
		casts[0], of = t, types.YearMonth
	case t.Kind == types.KindDayTime:
		casts[0], of = t, types.DayTime
	case !t.IsNumeric() && t.Kind != types.KindString && t.Kind != types.KindNull:
		return Result{}, unexpected("percentile", args, 0, `"NUMERIC" or "ANSI INTERVAL"`)
	}
	return fractions(c, casts, of, args, types.Long)
}

func percentileApprox(c *Context, args []Arg) (Result, error) {
	t := args[0].Type
	switch {
	case t.IsNumeric(), t.IsInterval(), t.Kind == types.KindDate, t.Kind == types.KindTimestamp, t.Kind == types.KindTimestampNTZ:
	case t.Kind == types.KindString, t.Kind == types.KindNull:
		t = types.Double
	default:
		return Result{}, unexpected("percentile_approx", args, 0, `"NUMERIC", "DATE", "TIMESTAMP", "TIMESTAMP_NTZ", "INTERVAL YEAR TO MONTH" or "INTERVAL DAY TO SECOND"`)
	}
	r, err := fractions(c, []*types.Type{t}, t, args, types.Integer)
	if err != nil || len(args) < 3 {
		return r, err
	}
	if !args[2].IsConst {
		return Result{}, notFoldable("accuracy", args, 2, args[2].SQL)
	}
	if args[2].Const == nil {
		return Result{}, errs.New("DATATYPE_MISMATCH.UNEXPECTED_NULL", "sqlExpr", "", "exprName", "accuracy")
	}
	if n, ok := args[2].Const.(int64); ok && n <= 0 {
		return Result{}, outOfRange("accuracy", "(0, 2147483647]", strconv.FormatInt(n, 10)+"L")
	}
	return r, nil
}

// fractions completes a percentile's signature: the second argument is a constant double, or an array of doubles, from 0 to 1.
func fractions(c *Context, casts []*types.Type, of *types.Type, args []Arg, third *types.Type) (Result, error) {
	if len(args) > 1 {
		t, err := fractionType(c, args)
		if err != nil {
			return Result{}, err
		}
		if casts = append(casts, t); t.Kind == types.KindArray {
			of = types.ArrayOf(of, false)
		}
		if err := checkFractions(args, t); err != nil {
			return Result{}, err
		}
	}
	if len(args) > 2 {
		casts = append(casts, third)
	}
	return result(of, casts...), nil
}

func fractionType(c *Context, args []Arg) (*types.Type, error) {
	t := args[1].Type
	if t.Kind != types.KindArray {
		return types.Double, nil
	}
	want := types.ArrayOf(types.Double, false)
	if t.ElemNull || !t.Elem.IsNumeric() && t.Elem.Kind != types.KindString {
		return nil, unexpected("", args, 1, quoted(want))
	}
	return want, nil
}

func checkFractions(args []Arg, t *types.Type) error {
	if !args[1].IsConst {
		a := args[1]
		a.Type = t
		return notFoldable("percentage", []Arg{a}, 0, a.SQL)
	}
	if args[1].Const == nil {
		return errs.New("DATATYPE_MISMATCH.UNEXPECTED_NULL", "sqlExpr", "", "exprName", "percentage")
	}
	list, of := []any{args[1].Const}, args[1].Type
	if of.Kind == types.KindArray {
		list, of = args[1].Const.([]any), of.Elem
	}
	texts, ok := make([]string, len(list)), true
	for i, x := range list {
		p := number(x, of)
		ok = ok && p >= 0 && p <= 1
		texts[i] = doubleText(p) + "D"
	}
	if ok {
		return nil
	}
	return outOfRange("percentage", "[0.0, 1.0]", strings.Join(texts, ","))
}

// number is a literal's value as a double.
func number(x any, t *types.Type) float64 {
	switch x := x.(type) {
	case int64:
		f := float64(x)
		for range t.Scale {
			f /= 10
		}
		return f
	case float64:
		return x
	case decimal128.Num:
		return x.ToFloat64(int32(t.Scale))
	case string:
		f, err := strconv.ParseFloat(strings.TrimSpace(x), 64)
		if err == nil {
			return f
		}
	}
	return 0
}

func doubleText(f float64) string {
	s := strconv.FormatFloat(f, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}
