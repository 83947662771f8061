package expr

import (
	"math"

	"millrace/types"
	"millrace/vector"
)

// functions of one double. Those of nullBelow are null at and below a bound.
var (
	doubleFuncs = map[string]func(float64) float64{
		"sqrt": math.Sqrt, "cbrt": math.Cbrt, "exp": strictExp, "expm1": math.Expm1, "ln": math.Log, "log2": func(x float64) float64 { return math.Log(x) / math.Ln2 },
		"log10": math.Log10, "log1p": math.Log1p, "sin": math.Sin, "cos": math.Cos, "tan": math.Tan, "cot": func(x float64) float64 { return 1 / math.Tan(x) },
		"sec": func(x float64) float64 { return 1 / math.Cos(x) }, "csc": func(x float64) float64 { return 1 / math.Sin(x) },
		"asin": math.Asin, "acos": math.Acos, "atan": math.Atan, "sinh": math.Sinh, "cosh": math.Cosh, "tanh": math.Tanh,
		"asinh": math.Asinh, "acosh": math.Acosh, "atanh": math.Atanh, "rint": math.RoundToEven, "signum": signum,
		"degrees": func(x float64) float64 { return x * (180 / math.Pi) }, "radians": func(x float64) float64 { return x * (math.Pi / 180) },
	}
	nullBelow    = map[string]float64{"ln": 0, "log2": 0, "log10": 0, "log1p": -1}
	doubleFuncs2 = map[string]func(x, y float64) float64{"pow": javaPow, "atan2": func(y, x float64) float64 { return math.Atan2(y+0, x+0) }, "hypot": math.Hypot}
)

func init() {
	for name, f := range doubleFuncs {
		bound, bounded := nullBelow[name]
		Register(name, Func{Strict: true, Total: !bounded, Pure: true, Build: func(c *Call) (Kernel, error) {
			if c.Args[0].Kind != types.KindDouble {
				return nil, noKernel(c)
			}
			if bounded {
				return logarithm(f, bound), nil
			}
			return Unary(f), nil
		}})
	}
	for name, f := range doubleFuncs2 {
		Register(name, Func{Strict: true, Total: true, Pure: true, Build: func(c *Call) (Kernel, error) { return Binary(f), nil }})
	}
	Register("pi", constantDouble(math.Pi))
	Register("e", constantDouble(math.E))
	Register("log", Func{Strict: true, Pure: true, Build: func(*Call) (Kernel, error) { return logBase, nil }})
	Register("factorial", Func{Strict: true, Pure: true, Build: func(*Call) (Kernel, error) { return factorial, nil }})
	Register("width_bucket", Func{Strict: true, Pure: true, Build: func(*Call) (Kernel, error) { return widthBucket, nil }})
}

// Unary makes a kernel of a function of one value, for functions that cost far more than a call.
func Unary[T, R vector.Fixed](f func(T) R) Kernel {
	return func(_ *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		a, r, m := vector.Values[T](args[0]), vector.Values[R](out)[:n], stride(args[0])
		if sel == nil {
			for i := range r {
				r[i] = f(a[i&m])
			}
			return nil
		}
		for _, i := range sel {
			r[i] = f(a[int(i)&m])
		}
		return nil
	}
}

// Binary makes a kernel of a function of two values, for functions that cost far more than a call.
func Binary[T, U, R vector.Fixed](f func(T, U) R) Kernel {
	return func(_ *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		a, b, r := vector.Values[T](args[0]), vector.Values[U](args[1]), vector.Values[R](out)
		am, bm := stride(args[0]), stride(args[1])
		Rows(sel, n, func(i int) { r[i] = f(a[i&am], b[i&bm]) })
		return nil
	}
}

func constantDouble(x float64) Func {
	return Func{Strict: true, Total: true, Pure: true, Build: func(*Call) (Kernel, error) {
		return func(_ *Ctx, _ []*vector.Vector, _ []uint32, n int, out *vector.Vector) error {
			r := vector.Values[float64](out)
			for i := range r[:n] {
				r[i] = x
			}
			return nil
		}, nil
	}}
}

// logarithm is null where its argument is at or below bound.
func logarithm(f func(float64) float64, bound float64) Kernel {
	return func(_ *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		a, r, m := vector.Values[float64](args[0]), vector.Values[float64](out), stride(args[0])
		Rows(sel, n, func(i int) {
			if x := a[i&m]; x <= bound {
				out.SetNull(i)
			} else {
				r[i] = f(x)
			}
		})
		return nil
	}
}

func logBase(_ *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
	a, b, r := vector.Values[float64](args[0]), vector.Values[float64](args[1]), vector.Values[float64](out)
	Rows(sel, n, func(i int) {
		base, x := a[i&stride(args[0])], b[i&stride(args[1])]
		if base <= 0 || x <= 0 {
			out.SetNull(i)
			return
		}
		r[i] = math.Log(x) / math.Log(base)
	})
	return nil
}

func signum(x float64) float64 {
	switch {
	case x > 0:
		return 1
	case x < 0:
		return -1
	}
	return x
}

// javaPow differs from C's where the base is 1 or -1 and the exponent is NaN or infinite.
func javaPow(x, y float64) float64 {
	if y != y || math.Abs(x) == 1 && math.IsInf(y, 0) {
		return math.NaN()
	}
	return math.Pow(x, y)
}

// strictExp is e to the x by the method of fdlibm's e_exp.c, whose last digit is what Java's StrictMath gives: x is k*ln2 + r with
// |r| at most ln2/2, and e^r comes from a rational approximation of r*(e^r+1)/(e^r-1).
func strictExp(x float64) float64 {
	const (
		ln2Hi, ln2Lo = 6.93147180369123816490e-01, 1.90821492927058770002e-10
		p1, p2, p3   = 1.66666666666666019037e-01, -2.77777777770155933842e-03, 6.61375632143793436117e-05
		p4, p5       = -1.65339022054652515390e-06, 4.13813679705723846039e-08
	)
	switch a := math.Abs(x); {
	case x != x || math.IsInf(x, 1):
		return x
	case x > 7.09782712893383973096e+02:
		return math.Inf(1)
	case x < -7.45133219101941108420e+02:
		return 0
	case a < 1.0/(1<<28):
		return 1 + x
	case a <= 0.5*math.Ln2:
		t := x * x
		c := x - float64(t*(p1+float64(t*(p2+float64(t*(p3+float64(t*(p4+float64(t*p5)))))))))
		return 1 - ((float64(x*c) / (c - 2)) - x)
	}
	k := math.Copysign(1, x)
	if math.Abs(x) >= 1.5*math.Ln2 {
		k = math.Trunc(float64(x/math.Ln2) + math.Copysign(0.5, x))
	}
	hi, lo := x-float64(k*ln2Hi), float64(k*ln2Lo)
	r := hi - lo
	t := r * r
	c := r - float64(t*(p1+float64(t*(p2+float64(t*(p3+float64(t*(p4+float64(t*p5)))))))))
	y := 1 - ((lo - float64(r*c)/(2-c)) - hi)
	return math.Ldexp(y, int(k))
}

// factorial is null outside 0..20.
func factorial(_ *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
	a, r, m := vector.Values[int32](args[0]), vector.Values[int64](out), stride(args[0])
	Rows(sel, n, func(i int) {
		x := a[i&m]
		if x < 0 || x > 20 {
			out.SetNull(i)
			return
		}
		r[i] = 1
		for k := int64(2); k <= int64(x); k++ {
			r[i] *= k
		}
	})
	return nil
}

// widthBucket(value, min, max, buckets) is null for bounds or counts that make no sense.
func widthBucket(_ *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
	at := func(k, i int) float64 {
		if args[k].Type.IsFloating() {
			return floatAt(args[k], args[k].Row(i))
		}
		return float64(intAt(args[k], args[k].Row(i)))
	}
	r := vector.Values[int64](out)
	Rows(sel, n, func(i int) {
		v, lo, hi, buckets := at(0, i), at(1, i), at(2, i), intAt(args[3], args[3].Row(i))
		if buckets <= 0 || buckets == math.MaxInt64 || lo == hi || v != v || lo != lo || hi != hi || math.IsInf(lo, 0) || math.IsInf(hi, 0) {
			out.SetNull(i)
			return
		}
		if lo > hi {
			v, lo, hi = -v, -lo, -hi
		}
		switch {
		case v < lo:
			r[i] = 0
		case v >= hi:
			r[i] = buckets + 1
		default:
			r[i] = int64(float64(buckets)*(v-lo)/(hi-lo)) + 1
		}
	})
	return nil
}
