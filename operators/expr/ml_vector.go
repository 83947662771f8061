package expr

import (
	"math"
	"strconv"
	"strings"

	"millrace/types"
	"millrace/vector"
	"millrace/vector/linalg"
)

func init() {
	Register("ml_one_hot", Func{Strict: true, Pure: true, Build: buildOneHot})
	Register("ml_assemble", Func{Build: buildAssemble})
	Register("ml_scale", Func{Build: buildScale})
	Register("ml_log_loss", Func{Strict: true, Build: func(*Call) (Kernel, error) { return logLoss, nil }})
	Register("ml_element", Func{Strict: true, Build: buildElement})
}

// constDoubles is an argument that is a constant array of doubles; nil when it is not, or null.
func constDoubles(c *Call, i int) []float64 {
	if i >= len(c.Consts) || c.Consts[i] == nil || c.Args[i].Kind != types.KindArray || c.Consts[i].IsNull(0) {
		return nil
	}
	v := c.Consts[i]
	return append([]float64{}, vector.Values[float64](v.Children[0])[v.Offsets[0]:v.Offsets[1]]...)
}

func showDouble(x float64) string {
	return string(appendFloat(nil, x, 64))
}

// buildOneHot makes a sparse vector with a 1 at the place that the first argument gives. Option categories is the number of places,
// size the vector's; keep says that what has no place comes after the last one, where it falls away if size ends there.
func buildOneHot(c *Call) (Kernel, error) {
	categories, err := strconv.Atoi(c.Options["categories"])
	if err != nil {
		return nil, noKernel(c)
	}
	size, err := strconv.Atoi(c.Options["size"])
	if err != nil {
		return nil, noKernel(c)
	}
	keep := c.Options["invalid"] == "keep"
	return func(_ *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		in := plainNested(args[0])
		values, mask := vector.Values[float64](in), stride(in)
		w := linalg.NewWriter(out)
		err := RowsErr(sel, n, func(i int) error {
			x := values[i&mask]
			place := categories
			if x >= 0 && x < float64(categories) {
				place = int(x)
			} else if !keep {
				return unseen(x)
			}
			if place >= size {
				w.Sparse(i, size, 0)
				return nil
			}
			indices, ones := w.Sparse(i, size, 1)
			indices[0], ones[0] = int32(place), 1
			return nil
		})
		w.Close()
		return err
	}, nil
}

func unseen(x float64) error {
	why := "Unseen value: " + showDouble(x) + ". To handle unseen values, set Param handleInvalid to keep."
	if x < 0 {
		why = "Negative value: " + showDouble(x) + ". Input can't be negative. To handle invalid values, set Param handleInvalid to keep."
	}
	return udfFailed("OneHotEncoderModel", "double, int", types.VectorUDT, "org.apache.spark.SparkException: "+why)
}

// assembler lays numbers and vectors of a row one after another.
type assembler struct {
	parts   []part
	keep    bool
	lengths []float64 // the sizes of vectors, for those that are null
	indices []int32   // of the row's values that are not zero
	values  []float64
}

// part is an argument of the batch that is being assembled.
type part struct {
	v       *vector.Vector
	numbers []float64
	mask    int
	nulls   bool
	column  linalg.Column
	vectors bool
}

// buildAssemble takes numbers (double) and vectors. Option invalid is error or keep, which makes NaN of nulls; option lengths
// gives, by argument and separated by commas, the sizes of vectors, which keep needs.
func buildAssemble(c *Call) (Kernel, error) {
	a := &assembler{parts: make([]part, len(c.Args)), keep: c.Options["invalid"] == "keep", lengths: make([]float64, len(c.Args))}
	for i, t := range c.Args {
		a.parts[i].vectors = t.IsVector()
		if !a.parts[i].vectors && t.Kind != types.KindDouble {
			return nil, noKernel(c)
		}
	}
	for i, s := range strings.FieldsFunc(c.Options["lengths"], func(r rune) bool { return r == ',' }) {
		n, err := strconv.Atoi(s)
		if err != nil || i >= len(a.lengths) {
			return nil, noKernel(c)
		}
		a.lengths[i] = float64(n)
	}
	return a.run, nil
}

func (a *assembler) run(_ *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
	for k, v := range args {
		p := &a.parts[k]
		if p.vectors {
			p.column = linalg.Of(v)
			continue
		}
		p.v = plainNested(v)
		p.numbers, p.mask, p.nulls = vector.Values[float64](p.v), stride(v), p.v.HasNulls()
	}
	w := linalg.NewWriter(out)
	err := RowsErr(sel, n, func(i int) error {
		size, err := a.gather(i)
		if err != nil {
			return err
		}
		if linalg.SparseIsSmaller(size, len(a.values)) {
			indices, values := w.Sparse(i, size, len(a.values))
			copy(indices, a.indices)
			copy(values, a.values)
			return nil
		}
		dense := w.Dense(i, size)
		clear(dense)
		for k, at := range a.indices {
			dense[at] = a.values[k]
		}
		return nil
	})
	w.Close()
	return err
}

// gather collects a row's values that are not zero and returns the vector's size.
func (a *assembler) gather(i int) (int, error) {
	a.indices, a.values = a.indices[:0], a.values[:0]
	at := 0
	for k := range a.parts {
		p := &a.parts[k]
		if p.vectors {
			size, err := a.gatherVector(k, i, at)
			if err != nil {
				return 0, err
			}
			at += size
			continue
		}
		x := p.numbers[i&p.mask]
		if p.nulls && p.v.IsNull(i) {
			if !a.keep {
				return 0, assembleFailed("null")
			}
			x = math.NaN()
		} else if x != x && !a.keep {
			return 0, assembleFailed("NaN")
		}
		if x != 0 {
			a.indices, a.values = append(a.indices, int32(at)), append(a.values, x)
		}
		at++
	}
	return at, nil
}

func (a *assembler) gatherVector(k, i, at int) (size int, err error) {
	p := &a.parts[k]
	if p.column.IsNull(i) {
		if !a.keep {
			return 0, assembleFailed("null")
		}
		size = int(a.lengths[k])
		for j := range size {
			a.indices, a.values = append(a.indices, int32(at+j)), append(a.values, math.NaN())
		}
		return size, nil
	}
	size, indices, values := p.column.Row(i)
	for j, x := range values {
		if x == 0 {
			continue
		}
		place := j
		if indices != nil {
			place = int(indices[j])
		}
		a.indices, a.values = append(a.indices, int32(at+place)), append(a.values, x)
	}
	return size, nil
}

func assembleFailed(what string) error {
	return udfFailed("VectorAssembler", "struct", types.VectorUDT, "org.apache.spark.SparkException: Encountered "+what+
		" while assembling a row with handleInvalid = \"error\". Consider\nremoving "+what+"s from dataset or using handleInvalid = \"keep\" or \"skip\".")
}

// buildScale is (v - shift) * factor by place; either array may be null. Without a shift sparse vectors stay sparse.
func buildScale(c *Call) (Kernel, error) {
	shift, factor := constDoubles(c, 1), constDoubles(c, 2)
	return func(_ *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		in := linalg.Of(args[0])
		w := linalg.NewWriter(out)
		err := RowsErr(sel, n, func(i int) error {
			if in.IsNull(i) {
				return nullVector(c.Options["class"])
			}
			size, indices, values := in.Row(i)
			if indices != nil && shift == nil {
				places, scaled := w.Sparse(i, size, len(indices))
				copy(places, indices)
				for k, at := range indices {
					scaled[k] = scale(values[k], int(at), nil, factor)
				}
				return nil
			}
			dense := w.Dense(i, size)
			if indices == nil {
				copy(dense, values)
			} else {
				clear(dense)
				for k, at := range indices {
					dense[at] = values[k]
				}
			}
			for k := range dense {
				dense[k] = scale(dense[k], k, shift, factor)
			}
			return nil
		})
		w.Close()
		return err
	}, nil
}

func scale(x float64, at int, shift, factor []float64) float64 {
	if shift != nil {
		x -= shift[at]
	}
	if factor != nil {
		x *= factor[at]
	}
	return x
}

func nullVector(class string) error {
	return udfFailed(class, types.VectorUDT.String(), types.VectorUDT, "java.lang.NullPointerException: the vector is null")
}

// buildElement is the value at a place, which option at gives; null beyond the vector's end.
func buildElement(c *Call) (Kernel, error) {
	place, err := strconv.Atoi(c.Options["at"])
	if err != nil {
		return nil, noKernel(c)
	}
	return func(_ *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		in, values := linalg.Of(args[0]), vector.Values[float64](out)
		Rows(sel, n, func(i int) {
			size, indices, from := in.Row(i)
			values[i] = 0
			switch {
			case place >= size:
				out.SetNull(i)
			case indices == nil:
				values[i] = from[place]
			default:
				for k, at := range indices {
					if int(at) == place {
						values[i] = from[k]
					}
				}
			}
		})
		return nil
	}, nil
}

// logLoss is the negative logarithm of the probability of a row's label, which is kept eps away from 0 and 1. The arguments are the
// probabilities, the label and eps.
func logLoss(_ *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
	in, labels, values := linalg.Of(args[0]), plainNested(args[1]), vector.Values[float64](out)
	eps := vector.Values[float64](args[2])[0]
	Rows(sel, n, func(i int) {
		_, indices, from := in.Row(i)
		label, p := int(vector.Values[float64](labels)[labels.Row(i)]), 0.0
		for k, x := range from {
			if indices == nil && k == label || indices != nil && int(indices[k]) == label {
				p = x
			}
		}
		values[i] = -math.Log(min(max(p, eps), 1-eps))
	})
	return nil
}
