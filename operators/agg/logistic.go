package agg

import (
	"math"
	"slices"
	"strconv"

	"millrace/errs"
	"millrace/vector"
	"millrace/vector/linalg"
)

func init() {
	register(builder{one(doubleList), newLogistic}, "ml_logistic")
}

// logistic is ml_logistic(features, label, weight): the logistic loss of linear margins and its gradient, summed over rows. Option
// coefficients holds the margins' constant parts of all classes, then the features' coefficients, class by class for each feature;
// option classes is their number; without option softmax it is 1, and the margin that of class 1 against class 0. The result is the loss, the sum of weights, the sums of
// the multipliers (by class) and of multiplier times value (laid out as the coefficients), which the caller divides and scales.
// Features, labels and weights have been checked by ml_features and ml_labels.
type logistic struct {
	classes      int
	softmax      bool
	base, coeffs []float64
	sums         []float64
	got          partials

	margins []float64 // of the batch's rows, by class for each row; then their multipliers
}

const (
	logisticLoss   = iota
	logisticWeight // the sum of weights
	logisticHeader // the sums of multipliers begin here
)

func newLogistic(c *Call) (Function, error) {
	k, err := strconv.Atoi(c.Opts["classes"])
	if err != nil || k < 1 {
		return nil, errs.Newf(errs.Internal, "ml_logistic of %q classes", c.Opts["classes"])
	}
	all, err := linalg.FromText(c.Opts["coefficients"])
	if err != nil {
		return nil, err
	}
	if len(all) < k || len(all)%k != 0 {
		return nil, errs.Newf(errs.Internal, "ml_logistic of %d classes with %d coefficients", k, len(all))
	}
	f := &logistic{classes: k, softmax: c.Opts["softmax"] == "true", base: all[:k], coeffs: all[k:]}
	if !f.softmax && k != 1 {
		return nil, errs.Newf(errs.Internal, "ml_logistic of %d classes without softmax", k)
	}
	f.Reset()
	return f, nil
}

func (f *logistic) TakesNulls() bool { return true }
func (f *logistic) Resize(int)       {}
func (f *logistic) MemSize() int64 {
	return int64(8*(len(f.sums)+len(f.coeffs)+cap(f.margins))) + f.got.memSize()
}
func (f *logistic) Reset() {
	f.sums, f.got = make([]float64, logisticHeader+f.classes+len(f.coeffs)), partials{}
}

func (f *logistic) Update(in *Input) error {
	if in.Groups != nil {
		return errs.Newf(errs.Internal, "ml_logistic by group")
	}
	col := linalg.Of(in.Args[0])
	labels, weights := vector.Values[float64](in.Args[1])[:in.N], vector.Values[float64](in.Args[2])[:in.N]
	f.margins = slices.Grow(f.margins[:0], in.N*f.classes)[:in.N*f.classes]
	if !f.softmax {
		f.binaryMargins(&col, in.N)
		f.binaryMultipliers(labels, weights)
		f.binaryGradient(&col, in.N)
		return nil
	}
	for i := range in.N {
		m := f.margins[i*f.classes : (i+1)*f.classes]
		f.marginsOf(&col, i, m)
		f.multipliers(m, labels[i], weights[i])
		f.gradientOf(&col, i, m)
	}
	return nil
}

func (f *logistic) binaryMargins(col *linalg.Column, n int) {
	base, coeffs := f.base[0], f.coeffs
	for i := range n {
		_, indices, values := col.Row(i)
		m := base
		if indices == nil {
			values = values[:len(coeffs)]
			for j, c := range coeffs {
				m += c * values[j]
			}
		} else {
			values = values[:len(indices)]
			for p, j := range indices {
				m += coeffs[j] * values[p]
			}
		}
		f.margins[i] = m
	}
}

// binaryMultipliers turns margins into what each row's values are multiplied by in the gradient, and adds up the losses. The logarithms of
// several rows of weight 1 are taken at once, of the product.
func (f *logistic) binaryMultipliers(labels, weights []float64) {
	loss, weight, sum, product := 0.0, 0.0, 0.0, 1.0
	for i, m := range f.margins {
		y, w := labels[i], weights[i]
		e := math.Exp(-math.Abs(m)) // between 0 and 1, so that nothing overflows
		p := 1 / (1 + e)
		if m < 0 {
			p *= e
		}
		// The loss is log(1 + exp(-m)) of a row of class 1 and log(1 + exp(m)) of class 0.
		if (m > 0) != (y > 0) {
			loss += w * math.Abs(m)
		}
		if w == 1 {
			if product *= 1 + e; i%32 == 31 {
				loss += math.Log(product)
				product = 1
			}
		} else {
			loss += w * math.Log1p(e)
		}
		weight += w
		d := w * (p - y)
		f.margins[i] = d
		sum += d
	}
	f.sums[logisticLoss] += loss + math.Log(product)
	f.sums[logisticWeight] += weight
	f.sums[logisticHeader] += sum
}

func (f *logistic) binaryGradient(col *linalg.Column, n int) {
	sums := f.sums[logisticHeader+1:]
	for i := range n {
		d := f.margins[i]
		_, indices, values := col.Row(i)
		if indices == nil {
			values = values[:len(sums)]
			for j := range sums {
				sums[j] += d * values[j]
			}
			continue
		}
		values = values[:len(indices)]
		for p, j := range indices {
			sums[j] += d * values[p]
		}
	}
}

// marginsOf are the margins of row i by class.
func (f *logistic) marginsOf(col *linalg.Column, i int, m []float64) {
	copy(m, f.base)
	_, indices, values := col.Row(i)
	for p, x := range values {
		j := p
		if indices != nil {
			j = int(indices[p])
		}
		for k, c := range f.coeffs[j*len(m) : (j+1)*len(m)] {
			m[k] += c * x
		}
	}
}

// multipliers turns one row's margins into multipliers by way of their softmax.
func (f *logistic) multipliers(m []float64, label, weight float64) {
	most := slices.Max(m)
	sum, own := 0.0, int(label)
	ownMargin := m[own] - most
	for k, x := range m {
		m[k] = math.Exp(x - most)
		sum += m[k]
	}
	for k := range m {
		m[k] /= sum
		if k == own {
			m[k]--
		}
		m[k] *= weight
		f.sums[logisticHeader+k] += m[k]
	}
	f.sums[logisticLoss] += weight * (math.Log(sum) - ownMargin)
	f.sums[logisticWeight] += weight
}

func (f *logistic) gradientOf(col *linalg.Column, i int, m []float64) {
	sums := f.sums[logisticHeader+len(m):]
	_, indices, values := col.Row(i)
	for p, x := range values {
		j := p
		if indices != nil {
			j = int(indices[p])
		}
		of := sums[j*len(m) : (j+1)*len(m)]
		for k, d := range m {
			of[k] += d * x
		}
	}
}

func (f *logistic) Merge(in *Input) error { return f.got.add(in) }

func (f *logistic) total() []float64 {
	for _, o := range f.got.take() {
		for i, x := range o {
			f.sums[i] += x
		}
	}
	return f.sums
}

func (f *logistic) States(out []*vector.Vector, _, n int) {
	for range n {
		appendDoubles(out[0], f.total())
	}
}

func (f *logistic) Result(out *vector.Vector, _, n int) error {
	for range n {
		appendDoubles(out, f.total())
	}
	return nil
}
