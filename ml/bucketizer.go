package ml

import (
	"math"
	"sort"

	"millrace/errs"
	"millrace/plan"
	"millrace/types"
	"millrace/vector"
)

const (
	discretizerName = "org.apache.spark.ml.feature.QuantileDiscretizer"
	bucketizerName  = "org.apache.spark.ml.feature.Bucketizer"
	// discretizerModel is what a QuantileDiscretizer fits: clients make a Bucketizer of its splits.
	discretizerModel = discretizerName + "$Bucketizer"
)

var bucketInvalid = Param{Name: "handleInvalid", Type: StringParam, Default: "error", Valid: InArray("skip", "error", "keep")}

var bucketizerParams = []Param{inputCol, inputCols, outputCol, outputCols, bucketInvalid,
	{Name: "splits", Type: DoublesParam, Valid: validSplits},
	{Name: "splitsArray", Type: RowsParam, Valid: func(v any) bool {
		rows, _ := v.([][]float64)
		for _, row := range rows {
			if !validSplits(row) {
				return false
			}
		}
		return true
	}}}

func init() {
	Register(&Class{Name: bucketizerName, Kind: Transformer, Params: bucketizerParams, Transform: bucketize},
		&Class{Name: discretizerModel, Kind: ModelClass, Params: bucketizerParams, Load: func(*Context, *Params, *Stored) (Model, error) {
			return nil, errs.Unsupportedf("A Bucketizer is saved as a transformer.")
		}},
		&Class{Name: discretizerName, Kind: Estimator, Model: discretizerModel, Fit: fitDiscretizer, Params: []Param{
			inputCol, inputCols, outputCol, outputCols, bucketInvalid,
			{Name: "numBuckets", Type: IntParam, Default: 2, Valid: AtLeast(2)},
			{Name: "numBucketsArray", Type: IntsParam, Valid: func(v any) bool {
				list, _ := v.([]int64)
				for _, n := range list {
					if n < 2 {
						return false
					}
				}
				return true
			}},
			{Name: "relativeError", Type: DoubleParam, Default: 0.001, Valid: Within(0, 1)}}})
}

// validSplits demands three or more increasing numbers.
func validSplits(v any) bool {
	list, _ := v.([]float64)
	if len(list) < 3 {
		return false
	}
	for i, x := range list {
		if math.IsNaN(x) || i > 0 && x <= list[i-1] {
			return false
		}
	}
	return true
}

// bucketize is Bucketizer.
func bucketize(p *Params, in Frame) (plan.Node, error) {
	inputs, outputs, err := columnPairs(p)
	if err != nil {
		return nil, err
	}
	splits := [][]float64{p.Floats("splits")}
	if p.IsSet("inputCols") {
		if err := p.Need("splitsArray"); err != nil {
			return nil, err
		}
		splits, _ = p.Get("splitsArray").([][]float64)
	} else if err := p.Need("splits"); err != nil {
		return nil, err
	}
	if len(splits) != len(inputs) {
		return nil, required("Bucketizer %s has mismatched Params for multi-column transform. Params (inputCols, outputCols, splitsArray) should have equal lengths, but they have different lengths: (%d, %d, %d).",
			p.UID, len(inputs), len(outputs), len(splits))
	}
	invalid := p.String("handleInvalid")
	columns := make([]Column, len(inputs))
	for i, name := range inputs {
		if _, err := NumericColumn(in.Schema, name); err != nil {
			return nil, err
		}
		if err := newColumn(in.Schema, outputs[i]); err != nil {
			return nil, err
		}
		columns[i] = Column{Name: outputs[i], Metadata: bucketAttr(splits[i]).Metadata(), Value: Kernel("ml_bucket", types.Double, true,
			map[string]string{"invalid": invalid}, AsDouble(Ref(name)), Doubles(splits[i]))}
	}
	if invalid == "skip" {
		in.Node = dropInvalid(in, inputs)
	}
	return in.With(columns...), nil
}

// bucketAttr describes the buckets by their bounds.
func bucketAttr(splits []float64) Attr {
	a := Attr{Type: "nominal", Ordinal: true}
	for i := 1; i < len(splits); i++ {
		a.Vals = append(a.Vals, showDouble(splits[i-1])+", "+showDouble(splits[i]))
	}
	return a
}

// quantileBuckets holds the splits of each column.
type quantileBuckets struct{ splits [][]float64 }

var _ Model = (*quantileBuckets)(nil)

// fitDiscretizer computes exact quantiles of each column, NaN and null aside.
func fitDiscretizer(c *Context, p *Params, data plan.Node) (Model, error) {
	schema, err := c.Runner.Schema(c, data)
	if err != nil {
		return nil, err
	}
	inputs, outputs, err := columnPairs(p)
	if err != nil {
		return nil, err
	}
	buckets, ok := p.Get("numBucketsArray").([]int64)
	if ok && len(buckets) != len(inputs) {
		return nil, required("QuantileDiscretizer %s has mismatched Params for multi-column transform. Params (inputCols, outputCols, numBucketsArray) should have equal lengths, but they have different lengths: (%d, %d, %d).",
			p.UID, len(inputs), len(outputs), len(buckets))
	}
	var calls []plan.Expr
	for i, name := range inputs {
		if _, err := NumericColumn(schema, name); err != nil {
			return nil, err
		}
		if err := newColumn(schema, outputs[i]); err != nil {
			return nil, err
		}
		n := p.Int("numBuckets")
		if ok {
			n = int(buckets[i])
		}
		fractions := make([]float64, n+1)
		for k := range fractions {
			fractions[k] = float64(k) / float64(n)
		}
		x := plan.Fn("nanvl", AsDouble(Ref(name)), &plan.Literal{T: types.Double})
		calls = append(calls, named("quantiles", i, plan.Fn("percentile_approx", x, Doubles(fractions))))
	}
	b, err := c.Collect(Aggregated(data, calls...))
	if err != nil {
		return nil, err
	}
	m := &quantileBuckets{}
	for _, v := range b.Cols {
		var list []float64
		if !v.IsNull(0) {
			list = vector.Values[float64](v.Children[0])[v.Offsets[0]:v.Offsets[1]]
		}
		m.splits = append(m.splits, distinctSplits(list))
	}
	return m, nil
}

// distinctSplits opens the ends of quantiles and leaves out equal ones.
func distinctSplits(quantiles []float64) []float64 {
	list := append([]float64(nil), quantiles...)
	if len(list) == 0 {
		list = []float64{0, 0}
	}
	list[0], list[len(list)-1] = math.Inf(-1), math.Inf(1)
	sort.Float64s(list)
	out := list[:1]
	for _, x := range list[1:] {
		if x == 0 {
			x = 0 // not -0.0
		}
		if x != out[len(out)-1] {
			out = append(out, x)
		}
	}
	return out
}

// withSplits are the parameters of the Bucketizer that the splits make.
func (m *quantileBuckets) withSplits(p *Params) (*Params, error) {
	if p.IsSet("inputCols") {
		return p.With(map[string]any{"splitsArray": m.splits})
	}
	return p.With(map[string]any{"splits": m.splits[0]})
}

// Transform implements Model.
func (m *quantileBuckets) Transform(p *Params, in Frame) (plan.Node, error) {
	q, err := m.withSplits(p)
	if err != nil {
		return nil, err
	}
	return bucketize(q, in)
}

// Attribute implements Model.
func (m *quantileBuckets) Attribute(_ *Context, p *Params, name string, _ []any) (any, error) {
	switch name {
	case "getSplits":
		return m.splits[0], nil
	case "getSplitsArray":
		return m.splits, nil
	}
	return nil, NotAllowed(p, name)
}

// Size implements Model.
func (m *quantileBuckets) Size() int64 {
	n := int64(0)
	for _, s := range m.splits {
		n += int64(8 * len(s))
	}
	return n
}

// Save implements Model.
func (m *quantileBuckets) Save(*Context, *Params, *Stored) error {
	return errs.Unsupportedf("A Bucketizer is saved as a transformer.")
}
