package ml

import (
	"sort"
	"strconv"

	"millrace/plan"
	"millrace/types"
	"millrace/vector"
)

var multiclassMetrics = []string{"f1", "accuracy", "weightedPrecision", "weightedRecall", "weightedTruePositiveRate", "weightedFalsePositiveRate",
	"weightedFMeasure", "truePositiveRateByLabel", "falsePositiveRateByLabel", "precisionByLabel", "recallByLabel", "fMeasureByLabel", "logLoss", "hammingLoss"}

func init() {
	Register(&Class{Name: "org.apache.spark.ml.evaluation.MulticlassClassificationEvaluator", Kind: Evaluator, Evaluate: evaluateMulticlass, Params: []Param{
		ColumnParam("predictionCol", "prediction"), ColumnParam("labelCol", "label"), ColumnParam("weightCol", ""),
		ColumnParam("probabilityCol", "probability"),
		{Name: "metricName", Type: StringParam, Default: "f1", Valid: InArray(multiclassMetrics...)},
		{Name: "metricLabel", Type: DoubleParam, Default: 0.0, Valid: AtLeast(0)}, {Name: "beta", Type: DoubleParam, Default: 1.0, Valid: Above(0)},
		{Name: "eps", Type: DoubleParam, Default: 1e-15, Valid: func(v any) bool { x, _ := v.(float64); return x > 0 && x < 0.5 }}}})
}

func itoa(n int) string { return strconv.Itoa(n) }

// Confusion are the weights of rows by label and prediction: Spark's MulticlassMetrics.
type Confusion struct {
	Labels []float64 // in order
	cells  map[[2]float64]float64
	label  map[float64]float64 // weight by label
	pred   map[float64]float64 // weight by prediction
	total  float64
	loss   float64 // weighted sum of the rows' logarithmic losses
}

// ReadConfusion counts the rows of a relation by label and prediction, which give doubles; a nil weight is 1. loss, if not nil, is summed.
func ReadConfusion(c *Context, data plan.Node, label, prediction, weight, loss plan.Expr) (*Confusion, error) {
	if weight == nil {
		weight = &plan.Literal{Value: 1.0, T: types.Double}
	}
	if loss == nil {
		loss = &plan.Literal{Value: 0.0, T: types.Double}
	}
	named := func(name string, e plan.Expr) plan.Expr { return &plan.Alias{Child: e, Names: []string{name}} }
	rows := &plan.Project{Input: data, Exprs: []plan.Expr{named("label", label), named("prediction", prediction), named("weight", weight), named("loss", loss)}}
	b, err := c.Collect(Grouped(rows, []plan.Expr{Ref("label"), Ref("prediction")}, named("weight", plan.Fn("sum", Ref("weight"))),
		named("loss", plan.Fn("sum", plan.Fn("*", Ref("weight"), Ref("loss"))))))
	if err != nil {
		return nil, err
	}
	x := &Confusion{cells: map[[2]float64]float64{}, label: map[float64]float64{}, pred: map[float64]float64{}}
	column := func(i int) []float64 { return vector.Values[float64](b.Cols[i]) }
	for k := range b.N {
		if b.Cols[0].IsNull(k) || b.Cols[1].IsNull(k) || b.Cols[2].IsNull(k) {
			return nil, illegal("A label, prediction or weight is null: remove these rows before the evaluation.")
		}
		l, p, w := column(0)[k], column(1)[k], column(2)[k]
		x.cells[[2]float64{l, p}] += w
		x.label[l] += w
		x.pred[p] += w
		x.total += w
		x.loss += column(3)[k]
	}
	for l := range x.label {
		x.Labels = append(x.Labels, l)
	}
	sort.Float64s(x.Labels)
	return x, nil
}

func (x *Confusion) truePositives(l float64) float64  { return x.cells[[2]float64{l, l}] }
func (x *Confusion) falsePositives(l float64) float64 { return x.pred[l] - x.truePositives(l) }

// Recall is the part of a label's rows that are predicted as it.
func (x *Confusion) Recall(l float64) float64 { return x.truePositives(l) / x.label[l] }

// Precision is the part of the rows predicted as a label that have it.
func (x *Confusion) Precision(l float64) float64 {
	return part(x.truePositives(l), x.truePositives(l)+x.falsePositives(l))
}

// FalsePositiveRate is the part of the rows of other labels that are predicted as a label.
func (x *Confusion) FalsePositiveRate(l float64) float64 {
	return x.falsePositives(l) / (x.total - x.label[l])
}

// FMeasure is the weighted harmonic mean of a label's precision and recall.
func (x *Confusion) FMeasure(l, beta float64) float64 {
	p, r := x.Precision(l), x.Recall(l)
	if p+r == 0 {
		return 0
	}
	return (1 + beta*beta) * p * r / (beta*beta*p + r)
}

// Weighted is the mean of a measure over the labels by their weights.
func (x *Confusion) Weighted(of func(l float64) float64) float64 {
	sum := 0.0
	for _, l := range x.Labels {
		sum += of(l) * x.label[l] / x.total
	}
	return sum
}

// Accuracy is the part of the rows whose prediction is their label.
func (x *Confusion) Accuracy() float64 {
	sum := 0.0
	for _, l := range x.Labels {
		sum += x.truePositives(l)
	}
	return sum / x.total
}

func evaluateMulticlass(c *Context, p *Params, data plan.Node) (float64, error) {
	schema, err := c.Runner.Schema(c, data)
	if err != nil {
		return 0, err
	}
	if _, err := FieldOf(schema, p.String("predictionCol")); err != nil {
		return 0, err
	}
	if f, _ := FieldOf(schema, p.String("predictionCol")); f.Type.Kind != types.KindDouble {
		return 0, required("Column %s must be of type class org.apache.spark.sql.types.DoubleType$:double but was actually class %s:%s.", f.Name, javaClass(f.Type), f.Type)
	}
	if _, err := NumericColumn(schema, p.String("labelCol")); err != nil {
		return 0, err
	}
	weight, err := weightOf(p, schema)
	if err != nil {
		return 0, err
	}
	var loss plan.Expr
	label := AsDouble(Ref(p.String("labelCol")))
	if p.String("metricName") == "logLoss" {
		f, ok := (Frame{Schema: schema}).Field(p.String("probabilityCol"))
		if !ok || !f.Type.IsVector() {
			return 0, required("probabilityCol is needed to compute logloss")
		}
		loss = Kernel("ml_log_loss", types.Double, true, nil, Ref(f.Name), label, &plan.Literal{Value: p.Float("eps"), T: types.Double})
	}
	x, err := ReadConfusion(c, data, label, Ref(p.String("predictionCol")), weight, loss)
	if err != nil {
		return 0, err
	}
	return x.metric(p), nil
}

func (x *Confusion) metric(p *Params) float64 {
	l, beta := p.Float("metricLabel"), p.Float("beta")
	switch p.String("metricName") {
	case "accuracy":
		return x.Accuracy()
	case "hammingLoss":
		wrong := 0.0
		for cell, w := range x.cells {
			if cell[0] != cell[1] {
				wrong += w
			}
		}
		return wrong / x.total
	case "weightedPrecision":
		return x.Weighted(x.Precision)
	case "weightedRecall", "weightedTruePositiveRate":
		return x.Weighted(x.Recall)
	case "weightedFalsePositiveRate":
		return x.Weighted(x.FalsePositiveRate)
	case "weightedFMeasure":
		return x.Weighted(func(l float64) float64 { return x.FMeasure(l, beta) })
	case "truePositiveRateByLabel", "recallByLabel":
		return x.Recall(l)
	case "falsePositiveRateByLabel":
		return x.FalsePositiveRate(l)
	case "precisionByLabel":
		return x.Precision(l)
	case "fMeasureByLabel":
		return x.FMeasure(l, beta)
	case "logLoss":
		return x.loss / x.total
	}
	return x.Weighted(func(l float64) float64 { return x.FMeasure(l, 1) })
}
