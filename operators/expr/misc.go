package expr

import (
	"millrace/errs"
	"millrace/types"
	"millrace/vector"
)

func init() {
	Register("always_null", Func{Lazy: func(c *Call, _ []Evaluator) (Evaluator, error) { return nullOf(c.Out), nil }})
	Register("typeof", Func{Lazy: constantType})
	Register("raise_error", Func{Build: func(*Call) (Kernel, error) { return raiseError, nil }})
	Register("assert_true", Func{Build: assertTrue})
	Register("signum_interval", Func{Strict: true, Total: true, Pure: true, Build: func(*Call) (Kernel, error) { return intervalSign, nil }})
}

// constantType is a constant: the argument's type as it was before any conversion.
func constantType(c *Call, args []Evaluator) (Evaluator, error) {
	name := c.Options["type"]
	if name == "" {
		name = args[0].Type().String()
	}
	v := vector.FromStrings(types.String, []string{name}, nil)
	v.Const = true
	return &constant{*v}, nil
}

func raiseError(_ *Ctx, args []*vector.Vector, sel []uint32, n int, _ *vector.Vector) error {
	return RowsErr(sel, n, func(i int) error {
		message := "null"
		if !args[0].IsNull(i) {
			message = string(args[0].Str(i))
		}
		return errs.New("USER_RAISED_EXCEPTION", "errorMessage", message)
	})
}

// assertTrue is null where its condition is true, else an error with its message or the condition's text.
func assertTrue(c *Call) (Kernel, error) {
	return func(_ *Ctx, args []*vector.Vector, sel []uint32, n int, _ *vector.Vector) error {
		cond := args[0]
		return RowsErr(sel, n, func(i int) error {
			if !cond.IsNull(i) && vector.Values[bool](cond)[cond.Row(i)] {
				return nil
			}
			message := "'" + c.Options["condition"] + "' is not true!"
			if len(args) > 1 && !args[1].IsNull(i) {
				message = string(args[1].Str(i))
			}
			return errs.New("USER_RAISED_EXCEPTION", "errorMessage", message)
		})
	}, nil
}

func intervalSign(_ *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
	r := vector.Values[float64](out)
	Rows(sel, n, func(i int) { r[i] = signum(float64(intAt(args[0], args[0].Row(i)))) })
	return nil
}
