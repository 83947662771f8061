package expr

import (
	"math"
	"slices"
	"strconv"

	"millrace/errs"
	"millrace/vector"
	"millrace/vector/linalg"
)

// Kernels of classifiers: from features to margins, from margins to probabilities, from either to a class.
func init() {
	Register("ml_margins", Func{Strict: true, Build: buildMargins})
	Register("ml_sigmoid", Func{Strict: true, Build: buildSigmoid})
	Register("ml_softmax", Func{Strict: true, Build: buildSoftmax})
	Register("ml_argmax", Func{Strict: true, Build: buildArgmax})
	Register("ml_above", Func{Strict: true, Build: buildAbove})
}

// buildMargins makes a dense vector of the margins of a vector of features. Option coefficients holds them by class, class after class,
// option intercepts one of each class. With option mirrored there is one class, and the margins are minus the value and the value.
func buildMargins(c *Call) (Kernel, error) {
	coefficients, err := linalg.FromText(c.Options["coefficients"])
	if err != nil {
		return nil, err
	}
	intercepts, err := linalg.FromText(c.Options["intercepts"])
	k, mirrored := len(intercepts), c.Options["mirrored"] == "true"
	if err != nil || k == 0 || mirrored && k != 1 {
		return nil, errs.Newf(errs.Internal, "ml_margins with %d intercepts", k)
	}
	size := len(coefficients) / k
	return func(_ *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		col, w := linalg.Of(args[0]), linalg.NewWriter(out)
		err := RowsErr(sel, n, func(i int) error {
			got, indices, values := col.Row(i)
			if got != size {
				e := errs.Newf(errs.Invalid, "requirement failed: BLAS.dot(x: Vector, y:Vector) was given Vectors with non-matching sizes: x.size = %d, y.size = %d", got, size)
				e.Class = errs.ClassIllegalArgument
				return e
			}
			if mirrored {
				m := dotRow(coefficients, indices, values) + intercepts[0]
				d := w.Dense(i, 2)
				d[0], d[1] = -m, m
				return nil
			}
			for c, d := 0, w.Dense(i, k); c < k; c++ {
				d[c] = intercepts[c] + dotRow(coefficients[c*size:(c+1)*size], indices, values)
			}
			return nil
		})
		w.Close()
		return err
	}, nil
}

func dotRow(coefficients []float64, indices []int32, values []float64) float64 {
	s := 0.0
	if indices == nil {
		for j, x := range values {
			s += coefficients[j] * x
		}
		return s
	}
	for p, j := range indices {
		s += coefficients[j] * values[p]
	}
	return s
}

// buildSigmoid makes probabilities of two margins of which one is minus the other.
func buildSigmoid(*Call) (Kernel, error) {
	return eachVector(func(margins, out []float64) {
		out[0] = 1 / (1 + math.Exp(-margins[0]))
		out[1] = 1 - out[0]
	}), nil
}

// buildSoftmax makes probabilities of the margins of any number of classes. An infinite margin makes its class certain.
func buildSoftmax(*Call) (Kernel, error) {
	return eachVector(func(margins, out []float64) {
		top := argmax(margins)
		most := margins[top]
		if math.IsInf(most, 1) {
			clear(out)
			out[top] = 1
			return
		}
		sum := 0.0
		for k, m := range margins {
			out[k] = math.Exp(m - most)
			sum += out[k]
		}
		for k := range out {
			out[k] /= sum
		}
	}), nil
}

// eachVector makes a dense vector of the same size of each dense one.
func eachVector(f func(in, out []float64)) Kernel {
	return func(_ *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		col, w := linalg.Of(args[0]), linalg.NewWriter(out)
		Rows(sel, n, func(i int) {
			size, indices, values := col.Row(i)
			if indices != nil {
				values = linalg.Vector{Size: size, Indices: indices, Values: values}.Array()
			}
			f(values, w.Dense(i, size))
		})
		w.Close()
		return nil
	}
}

// argmax is the place of the largest value, the first of several; not a number counts as less than all.
func argmax(values []float64) int {
	top := 0
	for k, x := range values {
		if x > values[top] || math.IsNaN(values[top]) && !math.IsNaN(x) {
			top = k
		}
	}
	return top
}

// buildArgmax is the class of the largest value of a dense vector. With option thresholds values are divided by their class's first.
func buildArgmax(c *Call) (Kernel, error) {
	thresholds, err := linalg.FromText(c.Options["thresholds"])
	if err != nil {
		return nil, err
	}
	return classOfVector(func(values []float64) float64 {
		if len(thresholds) != len(values) {
			return float64(argmax(values))
		}
		scaled := slices.Clone(values)
		for k, t := range thresholds {
			if scaled[k] /= t; t == 0 {
				scaled[k] = math.Inf(1)
			}
		}
		return float64(argmax(scaled))
	}), nil
}

// buildAbove is 1 where the second value of a dense vector is above option threshold, else 0.
func buildAbove(c *Call) (Kernel, error) {
	threshold, err := strconv.ParseFloat(c.Options["threshold"], 64)
	if err != nil {
		return nil, errs.Newf(errs.Internal, "ml_above with the threshold %q", c.Options["threshold"])
	}
	return classOfVector(func(values []float64) float64 {
		if values[1] > threshold {
			return 1
		}
		return 0
	}), nil
}

func classOfVector(f func(values []float64) float64) Kernel {
	return func(_ *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		col, classes := linalg.Of(args[0]), vector.Values[float64](out)
		Rows(sel, n, func(i int) {
			size, indices, values := col.Row(i)
			if indices != nil {
				values = linalg.Vector{Size: size, Indices: indices, Values: values}.Array()
			}
			classes[i] = f(values)
		})
		return nil
	}
}
