package expr

import (
	"millrace/errs"
	planpb "millrace/proto/millrace/plan/v1"
	"millrace/types"
	"millrace/vector"
	"strconv"
)

const (
	modeANSI   = planpb.EvalMode_EVAL_MODE_ANSI
	modeLegacy = planpb.EvalMode_EVAL_MODE_LEGACY
	modeTry    = planpb.EvalMode_EVAL_MODE_TRY
)

// ansiConfig is how messages name the setting.
const ansiConfig = `"spark.sql.ansi.enabled"`

func init() {
	for _, name := range []string{"+", "-", "*"} {
		Register(name, Func{Strict: true, Total: true, Pure: true, Build: arithmetic})
	}
	for _, name := range []string{"/", "div", "%", "pmod"} {
		Register(name, Func{Strict: true, Pure: true, Build: division})
	}
	for try, name := range map[string]string{"try_add": "+", "try_subtract": "-", "try_multiply": "*", "try_divide": "/", "try_mod": "%"} {
		f := funcs[name]
		build := f.Build
		f.Build = func(c *Call) (Kernel, error) {
			t := *c
			t.Name, t.Mode = name, modeTry
			return build(&t)
		}
		Register(try, f)
	}
}

// arithmetic builds +, - and *.
func arithmetic(c *Call) (Kernel, error) {
	a, b := c.Args[0], c.Args[1]
	if isTemporal(a) || isTemporal(b) {
		return temporal(c)
	}
	if a.Kind != b.Kind || a.Kind != c.Out.Kind {
		return nil, noKernel(c)
	}
	switch a.Kind {
	case types.KindByte:
		return checked(c, map[string]checkedLoop[int8]{"+": addInt[int8], "-": subInt[int8], "*": mulInt[int8]}[c.Name]), nil
	case types.KindShort:
		return checked(c, map[string]checkedLoop[int16]{"+": addInt[int16], "-": subInt[int16], "*": mulInt[int16]}[c.Name]), nil
	case types.KindInteger:
		return checked(c, map[string]checkedLoop[int32]{"+": addInt[int32], "-": subInt[int32], "*": mulInt[int32]}[c.Name]), nil
	case types.KindLong:
		return checked(c, map[string]checkedLoop[int64]{"+": addInt[int64], "-": subInt[int64], "*": mulLong}[c.Name]), nil
	case types.KindFloat:
		return floating(map[string]floatLoop[float32]{"+": addFloat[float32], "-": subFloat[float32], "*": mulFloat[float32]}[c.Name]), nil
	case types.KindDouble:
		return floating(map[string]floatLoop[float64]{"+": addFloat[float64], "-": subFloat[float64], "*": mulFloat[float64]}[c.Name]), nil
	case types.KindDecimal:
		return decimalArithmetic(c)
	}
	return nil, noKernel(c)
}

type (
	checkedLoop[T any] func(a, b []T, am, bm int, sel []uint32, out []T) T
	floatLoop[T any]   func(a, b []T, am, bm int, sel []uint32, out []T)
)

func floating[T float32 | float64](loop floatLoop[T]) Kernel {
	return func(_ *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		a, b := args[0], args[1]
		loop(vector.Values[T](a), vector.Values[T](b), stride(a), stride(b), sel, vector.Values[T](out)[:n])
		return nil
	}
}

// checked runs a loop over integers. Only when it says that some row overflowed, perhaps one that is null, are rows looked at singly.
func checked[T interface {
	signed
	vector.Fixed
}](c *Call, loop checkedLoop[T]) Kernel {
	return func(_ *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		a, b := args[0], args[1]
		x, y, r := vector.Values[T](a), vector.Values[T](b), vector.Values[T](out)
		if loop(x, y, stride(a), stride(b), sel, r[:n]) >= 0 || c.Mode == modeLegacy {
			return nil
		}
		return RowsErr(sel, n, func(i int) error {
			if out.Valid != nil && !out.Valid.Get(i) {
				return nil
			}
			x, y := x[i&stride(a)], y[i&stride(b)]
			if loop([]T{x}, []T{y}, 0, 0, nil, []T{0}) >= 0 {
				return nil
			}
			if c.Mode == modeTry {
				out.SetNull(i)
				return nil
			}
			return overflow(c, int64(x), int64(y))
		})
	}
}

var tryNames = map[string]string{"+": "try_add", "-": "try_subtract", "*": "try_multiply"}

// overflow is the error of an integer operation.
func overflow(c *Call, x, y int64) error {
	try := tryNames[c.Name]
	if k := c.Args[0].Kind; k == types.KindByte || k == types.KindShort {
		return errs.New("BINARY_ARITHMETIC_OVERFLOW", "value1", strconv.Itoa(int(x))+"S", "symbol", c.Name, "value2", strconv.Itoa(int(y))+"S", "functionName", "`"+try+"`")
	}
	return overflowError("overflow", try)
}

// overflowError is ARITHMETIC_OVERFLOW, with the function that tolerates it or without.
func overflowError(message, try string) error {
	if try != "" {
		try = " Use '" + try + "' to tolerate overflow and return NULL instead."
	}
	return errs.New("ARITHMETIC_OVERFLOW", "message", message, "alternative", try, "config", ansiConfig)
}

func divideByZero() error    { return errs.New("DIVIDE_BY_ZERO", "config", ansiConfig) }
func remainderByZero() error { return errs.New("REMAINDER_BY_ZERO", "config", ansiConfig) }

// division builds /, div, % and pmod, which see only rows whose arguments are not null.
func division(c *Call) (Kernel, error) {
	a, b := c.Args[0], c.Args[1]
	if isTemporal(a) || isTemporal(b) {
		return temporal(c)
	}
	if c.Name == "/" && a.Kind != types.KindDecimal {
		return inDoubles(divideKernel(c, func(x, y float64) (float64, error) { return x / y, nil })), nil
	}
	if a.Kind != b.Kind {
		return nil, noKernel(c)
	}
	switch {
	case a.Kind == types.KindDecimal:
		return decimalDivision(c)
	case c.Name == "div" && a.Kind == types.KindLong:
		return divideKernel(c, integralDivide(c)), nil
	case c.Name == "div":
		return nil, noKernel(c)
	}
	switch a.Kind {
	case types.KindByte:
		return remainder(c, modInt[int8], pmodSmall[int8]), nil
	case types.KindShort:
		return remainder(c, modInt[int16], pmodSmall[int16]), nil
	case types.KindInteger:
		return remainder(c, modInt[int32], pmodInt[int32]), nil
	case types.KindLong:
		return remainder(c, modInt[int64], pmodInt[int64]), nil
	case types.KindFloat:
		return remainder(c, modFloat[float32], pmodFloat[float32]), nil
	case types.KindDouble:
		return remainder(c, modFloat[float64], pmodFloat[float64]), nil
	}
	return nil, noKernel(c)
}

// inDoubles converts bigint arguments before a kernel of doubles.
func inDoubles(k Kernel) Kernel {
	var memory [2]vector.Vector
	return func(ctx *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		doubles := [2]*vector.Vector{args[0], args[1]}
		for i, a := range args {
			if a.Type.Kind != types.KindLong {
				continue
			}
			rows, size := sel, n
			if a.Const {
				rows, size = nil, 1
			}
			memory[i].Reset(types.Double, size)
			memory[i].Const = a.Const
			if err := convertNumbers[int64, float64](a, rows, size, &memory[i]); err != nil {
				return err
			}
			doubles[i] = &memory[i]
		}
		return k(ctx, doubles[:], sel, n, out)
	}
}

type number interface {
	int8 | int16 | int32 | int64 | float32 | float64
}

func remainder[T interface {
	number
	vector.Fixed
}](c *Call, mod, pmod func(x, y T) T) Kernel {
	if c.Name == "pmod" {
		mod = pmod
	}
	return divideKernel(c, func(x, y T) (T, error) { return mod(x, y), nil })
}

// divideKernel applies f where the divisor is not zero, and null or an error where it is.
func divideKernel[T interface {
	number
	vector.Fixed
}](c *Call, f func(x, y T) (T, error)) Kernel {
	zero := divideByZero
	if c.Name == "%" || c.Name == "pmod" {
		zero = remainderByZero
	}
	return func(_ *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		x, y, r := vector.Values[T](args[0]), vector.Values[T](args[1]), vector.Values[T](out)
		xm, ym := stride(args[0]), stride(args[1])
		return RowsErr(sel, n, func(i int) error {
			d := y[i&ym]
			if d == 0 {
				return failOr(c, out, i, zero)
			}
			v, err := f(x[i&xm], d)
			r[i] = v
			if err != nil && c.Mode != modeANSI {
				out.SetNull(i)
				return nil
			}
			return err
		})
	}
}

// failOr is the error under ANSI; else row i becomes null.
func failOr(c *Call, out *vector.Vector, i int, fail func() error) error {
	if c.Mode == modeANSI {
		return fail()
	}
	out.SetNull(i)
	return nil
}

func integralDivide(c *Call) func(x, y int64) (int64, error) {
	return func(x, y int64) (int64, error) {
		if y == -1 && x == -x && x != 0 && c.Mode != modeLegacy {
			return 0, overflowError("Overflow in integral divide", "try_divide")
		}
		return x / y, nil
	}
}
