package expr

import (
	"math"

	"millrace/errs"
	"millrace/types"
	"millrace/vector"
)

func init() {
	strict := func(name string, build func(*Call) (Kernel, error)) {
		Register(name, Func{Strict: true, Pure: true, Build: build})
	}
	for name, f := range map[string]func(x, y []float32) (float32, bool){"vector_inner_product": innerProduct, "vector_cosine_similarity": cosine, "vector_l2_distance": distance} {
		strict(name, func(*Call) (Kernel, error) { return pairKernel(name, f), nil })
	}
	strict("vector_norm", func(*Call) (Kernel, error) { return normKernel, nil })
	strict("vector_normalize", func(*Call) (Kernel, error) { return normalizeKernel, nil })
}

// floatsAt is the array in row i; false if it has a null.
func floatsAt(v *vector.Vector, i int) ([]float32, bool) {
	r := v.Row(i)
	from, end := int(v.Offsets[r]), int(v.Offsets[r+1])
	e := v.Children[0]
	for j := from; e.Valid != nil && j < end; j++ {
		if !e.Valid.Get(j) {
			return nil, false
		}
	}
	return vector.Values[float32](e)[from:end], true
}

func pairKernel(name string, f func(x, y []float32) (float32, bool)) Kernel {
	return func(_ *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		a, b := plainNested(args[0]), plainNested(args[1])
		r := vector.Values[float32](out)
		return RowsErr(sel, n, func(i int) error {
			x, ok := floatsAt(a, i)
			y, also := floatsAt(b, i)
			ra, rb := a.Row(i), b.Row(i)
			if m, k := a.Offsets[ra+1]-a.Offsets[ra], b.Offsets[rb+1]-b.Offsets[rb]; m != k {
				return errs.New("VECTOR_DIMENSION_MISMATCH", "functionName", "`"+name+"`", "leftDim", itoa(int64(m)), "rightDim", itoa(int64(k)))
			}
			if ok && also {
				r[i], ok = f(x, y)
			}
			if !ok || !also {
				out.SetNull(i)
			}
			return nil
		})
	}
}

func innerProduct(x, y []float32) (float32, bool) {
	var sum float32
	for i := range x {
		sum += x[i] * y[i]
	}
	return sum, true
}

// cosine is null for vectors without a direction.
func cosine(x, y []float32) (float32, bool) {
	var dot, xx, yy float32
	for i := range x {
		dot += x[i] * y[i]
		xx += x[i] * x[i]
		yy += y[i] * y[i]
	}
	size := float32(math.Sqrt(float64(xx) * float64(yy)))
	return dot / size, size != 0
}

func distance(x, y []float32) (float32, bool) {
	var sum float32
	for i := range x {
		d := x[i] - y[i]
		sum += d * d
	}
	return float32(math.Sqrt(float64(sum))), true
}

// vectorNorm is the 1, 2 or infinity norm.
func vectorNorm(name string, x []float32, degree float32) (float32, error) {
	var sum float32
	switch {
	case degree == 1:
		for _, v := range x {
			sum += float32(math.Abs(float64(v)))
		}
	case degree == 2:
		for _, v := range x {
			sum += v * v
		}
		sum = float32(math.Sqrt(float64(sum)))
	case math.IsInf(float64(degree), 1):
		for _, v := range x {
			sum = max(sum, float32(math.Abs(float64(v))))
		}
	default:
		return 0, errs.New("INVALID_VECTOR_NORM_DEGREE", "functionName", "`"+name+"`", "degree", string(AppendFloat(nil, degree)))
	}
	return sum, nil
}

func degreeAt(args []*vector.Vector, i int) float32 {
	if len(args) < 2 {
		return 2
	}
	v, k := slotOf(args[1], i)
	return vector.Values[float32](v)[k]
}

func normKernel(_ *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
	v := plainNested(args[0])
	r := vector.Values[float32](out)
	return RowsErr(sel, n, func(i int) (err error) {
		x, ok := floatsAt(v, i)
		if r[i], err = vectorNorm("vector_norm", x, degreeAt(args, i)); !ok {
			out.SetNull(i)
		}
		return err
	})
}

// normalizeKernel divides vectors by their norms; one of zeros becomes null.
func normalizeKernel(_ *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
	v := plainNested(args[0])
	var values []float32
	err := each(sel, n, func(i int, wanted bool) error {
		if wanted {
			x, ok := floatsAt(v, i)
			size, err := vectorNorm("vector_normalize", x, degreeAt(args, i))
			if err != nil {
				return err
			}
			if !ok || size == 0 && len(x) > 0 {
				out.SetNull(i)
				x = nil
			}
			for _, f := range x {
				values = append(values, f/size)
			}
		}
		out.Offsets[i+1] = int32(len(values))
		return nil
	})
	out.Children = []*vector.Vector{vector.FromSlice(types.Float, values)}
	return err
}

// each calls f for the rows 0..n-1, with whether they are to be computed.
func each(sel []uint32, n int, f func(i int, wanted bool) error) error {
	k := 0
	for i := range n {
		wanted := sel == nil
		if !wanted && k < len(sel) && int(sel[k]) == i {
			wanted = true
			k++
		}
		if err := f(i, wanted); err != nil {
			return err
		}
	}
	return nil
}
