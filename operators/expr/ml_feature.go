package expr

import (
	"math"
	"sort"
	"strconv"

	"millrace/types"
	"millrace/vector"
	"millrace/vector/linalg"
)

func init() {
	Register("ml_rescale", Func{Build: buildRescale})
	Register("ml_normalize", Func{Build: buildNormalize})
	Register("ml_binarize", Func{Strict: true, Build: buildBinarize})
	Register("ml_bucket", Func{Strict: true, Build: buildBucket})
	Register("ml_polynomial", Func{Build: buildPolynomial})
	Register("vector_to_array", Func{Build: buildVectorToArray})
	Register("array_to_vector", Func{Strict: true, Build: func(*Call) (Kernel, error) { return arrayToVector, nil }})
}

func floatOption(c *Call, name string) (float64, error) {
	x, err := strconv.ParseFloat(c.Options[name], 64)
	if err != nil {
		return 0, noKernel(c)
	}
	return x, nil
}

// vectorRows calls f for each row's vector and fails at a null one.
func vectorRows(class string, v *vector.Vector, sel []uint32, n int, f func(i, size int, indices []int32, values []float64) error) error {
	in := linalg.Of(v)
	return RowsErr(sel, n, func(i int) error {
		if in.IsNull(i) {
			return nullVector(class)
		}
		size, indices, values := in.Row(i)
		return f(i, size, indices, values)
	})
}

// spread writes a vector's values to all places of dense.
func spread(dense []float64, indices []int32, values []float64) {
	if indices == nil {
		copy(dense, values)
		return
	}
	clear(dense)
	for k, at := range indices {
		dense[at] = values[k]
	}
}

// compress writes values as row i in the form that takes less room.
func compress(w *linalg.Writer, i int, values []float64) {
	nnz := linalg.NonZeros(values)
	if !linalg.SparseIsSmaller(len(values), nnz) {
		copy(w.Dense(i, len(values)), values)
		return
	}
	indices, kept := w.Sparse(i, len(values), nnz)
	k := 0
	for at, x := range values {
		if x != 0 {
			indices[k], kept[k] = int32(at), x
			k++
		}
	}
}

// buildRescale is MinMaxScaler: (v - least) * factor + min, and constant where the factor is 0. NaN stays.
func buildRescale(c *Call) (Kernel, error) {
	least, factor := constDoubles(c, 1), constDoubles(c, 2)
	low, err := floatOption(c, "min")
	if err != nil || least == nil || factor == nil {
		return nil, noKernel(c)
	}
	constant, err := floatOption(c, "constant")
	if err != nil {
		return nil, err
	}
	row := make([]float64, len(least))
	return func(_ *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		w := linalg.NewWriter(out)
		err := vectorRows("MinMaxScalerModel", args[0], sel, n, func(i, size int, indices []int32, values []float64) error {
			if size != len(row) {
				return wrongSize("MinMaxScalerModel", len(row), size)
			}
			spread(row, indices, values)
			for k, x := range row {
				switch {
				case math.IsNaN(x):
				case factor[k] != 0:
					row[k] = (x-least[k])*factor[k] + low
				default:
					row[k] = constant
				}
			}
			compress(w, i, row)
			return nil
		})
		w.Close()
		return err
	}, nil
}

func wrongSize(class string, want, got int) error {
	return udfFailed(class, types.VectorUDT.String(), types.VectorUDT, "java.lang.IllegalArgumentException: requirement failed: Number of features must be "+
		itoa(int64(want))+" but got "+itoa(int64(got)))
}

// norm is the p-norm.
func norm(values []float64, p float64) float64 {
	sum := 0.0
	switch {
	case p == 1:
		for _, x := range values {
			sum += math.Abs(x)
		}
		return sum
	case p == 2:
		for _, x := range values {
			sum += x * x
		}
		return math.Sqrt(sum)
	case math.IsInf(p, 1):
		for _, x := range values {
			sum = math.Max(sum, math.Abs(x))
		}
		return sum
	}
	for _, x := range values {
		sum += math.Pow(math.Abs(x), p)
	}
	return math.Pow(sum, 1/p)
}

// buildNormalize divides a vector by its p-norm, unless that is 0.
func buildNormalize(c *Call) (Kernel, error) {
	p, err := floatOption(c, "p")
	if err != nil {
		return nil, err
	}
	return func(_ *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		w := linalg.NewWriter(out)
		err := vectorRows("Normalizer", args[0], sel, n, func(i, size int, indices []int32, values []float64) error {
			length := norm(values, p)
			if length == 0 {
				length = 1
			}
			var to []float64
			if indices == nil {
				to = w.Dense(i, size)
			} else {
				var places []int32
				places, to = w.Sparse(i, size, len(indices))
				copy(places, indices)
			}
			for k, x := range values {
				to[k] = x / length
			}
			return nil
		})
		w.Close()
		return err
	}, nil
}

// buildBinarize makes 1 of what is above the threshold and 0 of the rest, in vectors.
func buildBinarize(c *Call) (Kernel, error) {
	threshold, err := floatOption(c, "threshold")
	if err != nil {
		return nil, err
	}
	var row []float64
	return func(_ *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		w := linalg.NewWriter(out)
		err := vectorRows("Binarizer", args[0], sel, n, func(i, size int, indices []int32, values []float64) error {
			if cap(row) < size {
				row = make([]float64, size)
			}
			row = row[:size]
			spread(row, indices, values)
			for k, x := range row {
				row[k] = 0
				if x > threshold {
					row[k] = 1
				}
			}
			compress(w, i, row)
			return nil
		})
		w.Close()
		return err
	}, nil
}

// buildBucket is Bucketizer: the number of the bucket, of those between the splits, that holds a value. The last one holds its upper end.
func buildBucket(c *Call) (Kernel, error) {
	splits := constDoubles(c, 1)
	if len(splits) < 2 {
		return nil, noKernel(c)
	}
	keep, last := c.Options["invalid"] == "keep", len(splits)-1
	failed := func(why string) error {
		return udfFailed("bucketizer_0 (Bucketizer)", "double", types.Double, "org.apache.spark.SparkException: "+why)
	}
	return func(_ *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		in, values := plainNested(args[0]), vector.Values[float64](out)
		from, mask := vector.Values[float64](in), stride(in)
		return RowsErr(sel, n, func(i int) error {
			x := from[i&mask]
			switch {
			case math.IsNaN(x) && keep:
				values[i] = float64(last)
			case math.IsNaN(x):
				return failed("Bucketizer encountered NaN value. To handle or skip NaNs, try setting Bucketizer.handleInvalid.")
			case x < splits[0] || x > splits[last]:
				return failed("Feature value " + showDouble(x) + " out of Bucketizer bounds [" + showDouble(splits[0]) + ", " + showDouble(splits[last]) +
					"]. Check your features, or loosen the lower/upper bound constraints.")
			case x == splits[last]:
				values[i] = float64(last - 1)
			default:
				values[i] = float64(sort.Search(len(splits), func(k int) bool { return splits[k] > x }) - 1)
			}
			return nil
		})
	}, nil
}

// buildPolynomial makes all products of up to degree of a vector's values, in Spark's order: those of the first places alone come first.
func buildPolynomial(c *Call) (Kernel, error) {
	degree, err := strconv.Atoi(c.Options["degree"])
	if err != nil {
		return nil, noKernel(c)
	}
	var p polynomial
	return func(_ *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		w := linalg.NewWriter(out)
		err := vectorRows("PolynomialExpansion", args[0], sel, n, func(i, size int, indices []int32, values []float64) error {
			if cap(p.row) < size {
				p.row = make([]float64, size)
			}
			p.row, p.out = p.row[:size], p.out[:0]
			spread(p.row, indices, values)
			p.expand(size-1, degree, 1)
			all := p.out[1:] // without the product of nothing
			if indices == nil {
				copy(w.Dense(i, len(all)), all)
				return nil
			}
			places, to := w.Sparse(i, len(all), linalg.NonZeros(all))
			k := 0
			for at, x := range all {
				if x != 0 {
					places[k], to[k] = int32(at), x
					k++
				}
			}
			return nil
		})
		w.Close()
		return err
	}, nil
}

type polynomial struct{ row, out []float64 }

// expand appends the products of factor and up to degree of the values at places 0..last.
func (p *polynomial) expand(last, degree int, factor float64) {
	if degree == 0 || last < 0 {
		p.out = append(p.out, factor)
		return
	}
	for power := 0; power <= degree; power++ {
		p.expand(last-1, degree-power, factor)
		factor *= p.row[last]
	}
}

// buildVectorToArray makes arrays of double or float.
func buildVectorToArray(c *Call) (Kernel, error) {
	if !c.Args[0].IsVector() || c.Out.Kind != types.KindArray {
		return nil, noKernel(c)
	}
	single := c.Out.Elem.Kind == types.KindFloat
	return func(_ *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		var doubles []float64
		next := 0
		fill := func(to int) {
			for ; next < to; next++ {
				out.Offsets[next+1] = out.Offsets[next]
			}
		}
		err := vectorRows("vector_to_array", args[0], sel, n, func(i, size int, indices []int32, values []float64) error {
			fill(i)
			from := len(doubles)
			doubles = append(doubles, make([]float64, size)...)
			spread(doubles[from:], indices, values)
			out.Offsets[i+1], next = int32(len(doubles)), i+1
			return nil
		})
		fill(n)
		child := vector.FromSlice(types.Double, doubles)
		if single {
			floats := make([]float32, len(doubles))
			for k, x := range doubles {
				floats[k] = float32(x)
			}
			child = vector.FromSlice(types.Float, floats)
		}
		out.Children = []*vector.Vector{child}
		return err
	}, nil
}

func arrayToVector(_ *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
	in := plainNested(args[0])
	child := plainNested(in.Children[0])
	values := vector.Values[float64](child)
	w := linalg.NewWriter(out)
	err := RowsErr(sel, n, func(i int) error {
		r := in.Row(i)
		from, to := in.Offsets[r], in.Offsets[r+1]
		for k := from; k < to && child.HasNulls(); k++ {
			if child.IsNull(int(k)) {
				return udfFailed("array_to_vector", in.Type.String(), types.VectorUDT, "java.lang.NullPointerException: the array holds a null")
			}
		}
		copy(w.Dense(i, int(to-from)), values[from:to])
		return nil
	})
	w.Close()
	return err
}
