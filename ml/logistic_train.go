package ml

import (
	"math"
	"slices"

	"millrace/ml/optimize"
)

// logisticTask is a logistic regression in numbers: what is known of the data and what is asked for. Coefficients are laid out class by
// class for each feature, then the intercepts by class.
type logisticTask struct {
	features  *featureSummary
	histogram []float64 // the weights of rows by class
	sets      int       // of coefficients: the number of classes, or 1 for class 1 against class 0

	regParam, elasticNet, tolerance float64
	maxIter                         int
	intercept, standardize          bool
	softmax                         bool

	// sums adds up the loss over all rows, as ml_logistic does.
	sums func(coefficients []float64) (*logisticSums, error)
}

// logisticSums is what ml_logistic gives: base is by class, gradient laid out as the coefficients without intercepts.
type logisticSums struct {
	loss, weight   float64
	base, gradient []float64
}

func sumsOf(state []float64, sets int) *logisticSums {
	return &logisticSums{loss: state[0], weight: state[1], base: state[2 : 2+sets], gradient: state[2+sets:]}
}

// logisticFit is a fitted regression in the features' own units: coefficients by class, row after row.
type logisticFit struct {
	coefficients []float64
	intercepts   []float64
	history      []float64
}

// train fits. The optimiser sees features divided by their standard deviation and, where there is an intercept, moved to mean 0; a feature
// that never changes counts as 0.
func (t *logisticTask) train() (*logisticFit, error) {
	n := t.features.size * t.sets
	inverse := make([]float64, t.features.size)
	center := make([]float64, t.features.size)
	for j, s := range t.features.std {
		if s != 0 {
			inverse[j] = 1 / s
		}
		center[j] = inverse[j] * t.features.mean[j]
	}
	r, err := optimize.Minimize(func(x []float64) (float64, []float64, error) { return t.loss(x, inverse, center) }, t.start(),
		optimize.Options{MaxIter: t.maxIter, Tolerance: t.tolerance, L1: t.lasso()})
	if err != nil {
		return nil, err
	}
	fit := &logisticFit{coefficients: make([]float64, n), intercepts: make([]float64, t.sets), history: r.History}
	for j := range t.features.size {
		for k := range t.sets {
			fit.coefficients[k*t.features.size+j] = r.X[j*t.sets+k] * inverse[j]
		}
	}
	if t.intercept {
		copy(fit.intercepts, r.X[n:])
		t.shift(fit.intercepts, r.X, center)
	}
	t.settle(fit)
	return fit, nil
}

// shift takes from intercepts what the features' means contribute, for features that are not moved.
func (t *logisticTask) shift(intercepts, x, center []float64) {
	for k := range t.sets {
		s := 0.0
		for j, m := range center {
			s += x[j*t.sets+k] * m
		}
		intercepts[k] -= s
	}
}

// loss is the mean loss with its L2 penalty, and the gradient.
func (t *logisticTask) loss(x, inverse, center []float64) (float64, []float64, error) {
	n, sets := t.features.size*t.sets, t.sets
	coefficients := make([]float64, sets+n)
	if t.intercept {
		copy(coefficients, x[n:])
		t.shift(coefficients, x, center)
	}
	for i := range n {
		coefficients[sets+i] = x[i] * inverse[i/sets]
	}
	s, err := t.sums(coefficients)
	if err != nil {
		return 0, nil, err
	}
	gradient := make([]float64, len(x))
	for i, g := range s.gradient {
		g *= inverse[i/sets]
		if t.intercept {
			g -= s.base[i%sets] * center[i/sets]
		}
		gradient[i] = g / s.weight
	}
	for k := range x[n:] {
		gradient[n+k] = s.base[k] / s.weight
	}
	return s.loss/s.weight + t.ridge(x[:n], gradient), gradient, nil
}

// ridge adds the L2 penalty's gradient and returns the penalty. Without standardization the penalty is on the coefficients of features as
// they came, though the optimiser sees scaled ones.
func (t *logisticTask) ridge(x, gradient []float64) float64 {
	by := (1 - t.elasticNet) * t.regParam
	if by == 0 {
		return 0
	}
	sum := 0.0
	for i, c := range x {
		if !t.standardize {
			s := t.features.std[i/t.sets]
			if s == 0 {
				continue
			}
			c /= s * s
		}
		sum += x[i] * c
		gradient[i] += by * c
	}
	return 0.5 * by * sum
}

// lasso is the L1 penalty by coefficient, nil for none.
func (t *logisticTask) lasso() []float64 {
	by := t.elasticNet * t.regParam
	if t.elasticNet == 0 || t.regParam == 0 {
		return nil
	}
	weights := make([]float64, len(t.start()))
	for i := range t.features.size * t.sets {
		switch s := t.features.std[i/t.sets]; {
		case t.standardize:
			weights[i] = by
		case s != 0:
			weights[i] = by / s
		}
	}
	return weights
}

// start is all zeros but for intercepts that give the classes' shares.
func (t *logisticTask) start() []float64 {
	n := t.features.size * t.sets
	if !t.intercept {
		return make([]float64, n)
	}
	x := make([]float64, n+t.sets)
	if !t.softmax {
		x[n] = math.Log(t.histogram[1] / t.histogram[0])
		return x
	}
	mean := 0.0
	for _, w := range t.histogram {
		mean += math.Log1p(w)
	}
	mean /= float64(len(t.histogram))
	for k, w := range t.histogram {
		x[n+k] = math.Log1p(w) - mean
	}
	return x
}

// settle chooses among the softmax's equivalent solutions the one whose coefficients (if nothing penalises them) and intercepts have mean 0
// over the classes.
func (t *logisticTask) settle(fit *logisticFit) {
	if !t.softmax {
		return
	}
	if t.regParam == 0 {
		for j := range t.features.size {
			mean := 0.0
			for k := range t.sets {
				mean += fit.coefficients[k*t.features.size+j]
			}
			for k := range t.sets {
				fit.coefficients[k*t.features.size+j] -= mean / float64(t.sets)
			}
		}
	}
	if t.intercept {
		mean := 0.0
		for _, b := range fit.intercepts {
			mean += b
		}
		for k := range fit.intercepts {
			fit.intercepts[k] -= mean / float64(t.sets)
		}
	}
}

// oneClass reports whether all rows are of one class.
func (t *logisticTask) oneClass() bool {
	return len(t.histogram)-len(slices.DeleteFunc(slices.Clone(t.histogram), func(w float64) bool { return w != 0 })) == 1
}

// featureSummary is what ml_features says of a column of vectors.
type featureSummary struct {
	size          int
	count, weight float64 // rows whose weight is not 0, and their weights
	mean, std     []float64
	nonZeros      []float64
	least, most   []float64
}

func featureSummaryOf(state []float64) *featureSummary {
	n := int(state[0])
	part := func(i int) []float64 { return state[3+i*n : 3+(i+1)*n] }
	s := &featureSummary{size: n, count: state[1], weight: state[2], mean: part(0), std: make([]float64, n), nonZeros: part(2), least: part(3), most: part(4)}
	for j, v := range part(1) {
		s.std[j] = math.Sqrt(v)
	}
	return s
}
