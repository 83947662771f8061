package ml

import (
	"sync"

	"millrace/errs"
	"millrace/plan"
	"millrace/types"
)

const (
	summaryPackage = "org.apache.spark.ml.classification."
	summaryBins    = 1000 // into which the curves of a summary are gathered
)

func init() {
	for _, name := range []string{"BinaryLogisticRegressionSummaryImpl", "LogisticRegressionSummaryImpl"} {
		Register(&Class{Name: summaryPackage + name, Kind: ModelClass, Params: logisticParams,
			Load: func(_ *Context, p *Params, _ *Stored) (Model, error) { return nil, NotAllowed(p, "load") }})
	}
}

// logisticSummary is what a model makes of a dataset: of the training data, whose history it has too, or of data that it is evaluated on.
// Metrics are computed when they are first asked for.
type logisticSummary struct {
	model   *logisticModel
	params  *Params
	data    plan.Node
	history []float64 // nil unless of the training

	mu        sync.Mutex
	confusion *Confusion
	curves    *BinaryMetrics
}

var _ Attributes = (*logisticSummary)(nil)

func (m *logisticModel) trainingSummary(p *Params) (any, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.summary != nil:
		return m.summary, nil
	case m.lost:
		return nil, errs.New("CONNECT_ML.MODEL_SUMMARY_LOST", "objectName", p.UID)
	}
	return nil, errs.Newf(errs.Invalid, "No training summary available for this LogisticRegressionModel")
}

func (m *logisticModel) DropSummary() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.lost = m.lost || m.summary != nil
	m.summary = nil
}

func (m *logisticModel) CreateSummary(_ *Context, p *Params, data plan.Node) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.summary, m.lost = &logisticSummary{model: m, params: p, data: data, history: m.history}, false
	return nil
}

// evaluated is the summary of data other than the training's, which clients hold by a reference of its own.
type evaluated struct{ *logisticSummary }

var _ Model = evaluated{}

func (e evaluated) Transform(p *Params, _ Frame) (plan.Node, error) {
	return nil, NotAllowed(p, "transform")
}
func (e evaluated) Save(_ *Context, p *Params, _ *Stored) error { return NotAllowed(p, "save") }
func (e evaluated) Size() int64                                 { return 256 }
func (e evaluated) Attribute(c *Context, _ *Params, name string, args []any) (any, error) {
	return e.logisticSummary.Attribute(c, name, args)
}

func (m *logisticModel) evaluate(p *Params, name string, args []any) (any, error) {
	if len(args) != 1 {
		return nil, NotAllowed(p, name)
	}
	data, ok := args[0].(plan.Node)
	if !ok {
		return nil, NotAllowed(p, name)
	}
	s := &logisticSummary{model: m, params: p, data: data}
	return Made{Class: s.class(), UID: p.UID, Model: evaluated{s}}, nil
}

func (s *logisticSummary) class() string {
	name := "LogisticRegression"
	if s.model.classes <= 2 {
		name = "BinaryLogisticRegression"
	}
	if s.history != nil {
		name += "Training"
	}
	return summaryPackage + name + "SummaryImpl"
}

// columns are the output columns of predictions: a summary needs probabilities and predictions though the model may make none.
func (s *logisticSummary) columns() classColumns {
	c := classColumnsOf(s.params)
	if c.probability == "" {
		c.probability = "probability_" + s.params.UID
	}
	if c.prediction == "" {
		c.prediction = "prediction_" + s.params.UID
	}
	return c
}

func (s *logisticSummary) predictions() plan.Node {
	return deferred(s.data, func(in Frame) (plan.Node, error) { return s.model.transform(s.params, in, s.columns()) })
}

// weightColumn is the name of the weight column; without one Spark looks for a column of this name.
func (s *logisticSummary) weightColumn() string {
	if name := s.params.String("weightCol"); name != "" {
		return name
	}
	return "weightCol"
}

// label and weight are the columns that metrics are computed from; a nil weight is 1.
func (s *logisticSummary) label(c *Context) (label, weight plan.Expr, err error) {
	schema, err := c.Runner.Schema(c, s.data)
	if err != nil {
		return nil, nil, err
	}
	if _, i := schema.Field(s.weightColumn(), true); i >= 0 {
		weight = AsDouble(Ref(s.weightColumn()))
	}
	return AsDouble(Ref(s.params.String("labelCol"))), weight, nil
}

func (s *logisticSummary) Attribute(c *Context, name string, args []any) (any, error) {
	switch name {
	case "predictions":
		return s.predictions(), nil
	case "labelCol", "featuresCol":
		return s.params.String(name), nil
	case "weightCol":
		return s.weightColumn(), nil
	case "predictionCol":
		return s.columns().prediction, nil
	case "probabilityCol":
		return s.columns().probability, nil
	}
	if s.history != nil {
		switch name {
		case "objectiveHistory":
			return s.history, nil
		case "totalIterations":
			return len(s.history) - 1, nil
		}
	}
	v, err := s.classMetric(c, name, args)
	if v == nil && err == nil && s.model.classes <= 2 {
		v, err = s.curve(c, name)
	}
	if v == nil && err == nil {
		err = notAllowed(s.class(), name)
	}
	return v, err
}

// betaOf is the argument of an F measure.
func betaOf(args []any) float64 {
	if len(args) == 1 {
		if beta, ok := double(args[0]); ok {
			return beta
		}
	}
	return 1
}

// classMetric is a metric of labels and predictions; nil for another name.
func (s *logisticSummary) classMetric(c *Context, name string, args []any) (any, error) {
	of := func(f func(x *Confusion) any) (any, error) {
		x, err := s.confused(c)
		if err != nil {
			return nil, err
		}
		return f(x), nil
	}
	each := func(f func(x *Confusion, l float64) float64) (any, error) {
		return of(func(x *Confusion) any {
			list := make([]float64, len(x.Labels))
			for i, l := range x.Labels {
				list[i] = f(x, l)
			}
			return list
		})
	}
	switch name {
	case "labels":
		return of(func(x *Confusion) any { return x.Labels })
	case "accuracy":
		return of(func(x *Confusion) any { return x.Accuracy() })
	case "truePositiveRateByLabel", "recallByLabel":
		return each((*Confusion).Recall)
	case "falsePositiveRateByLabel":
		return each((*Confusion).FalsePositiveRate)
	case "precisionByLabel":
		return each((*Confusion).Precision)
	case "fMeasureByLabel":
		return each(func(x *Confusion, l float64) float64 { return x.FMeasure(l, betaOf(args)) })
	case "weightedTruePositiveRate", "weightedRecall":
		return of(func(x *Confusion) any { return x.Weighted(x.Recall) })
	case "weightedFalsePositiveRate":
		return of(func(x *Confusion) any { return x.Weighted(x.FalsePositiveRate) })
	case "weightedPrecision":
		return of(func(x *Confusion) any { return x.Weighted(x.Precision) })
	case "weightedFMeasure":
		return of(func(x *Confusion) any {
			return x.Weighted(func(l float64) float64 { return x.FMeasure(l, betaOf(args)) })
		})
	}
	return nil, nil
}

func (s *logisticSummary) confused(c *Context) (*Confusion, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.confusion != nil {
		return s.confusion, nil
	}
	label, weight, err := s.label(c)
	if err != nil {
		return nil, err
	}
	s.confusion, err = ReadConfusion(c, s.predictions(), label, Ref(s.columns().prediction), weight, nil)
	return s.confusion, err
}

// curve is a metric over thresholds of the probability of class 1; nil for another name.
func (s *logisticSummary) curve(c *Context, name string) (any, error) {
	if name == "scoreCol" {
		return s.columns().probability, nil
	}
	var x, y string
	var of func(m *BinaryMetrics) []Point
	byThreshold := func(f func(m *BinaryMetrics, i int) float64) func(m *BinaryMetrics) []Point {
		return func(m *BinaryMetrics) []Point {
			points := make([]Point, len(m.Thresholds))
			for i, t := range m.Thresholds {
				points[i] = Point{t, f(m, i)}
			}
			return points
		}
	}
	switch name {
	case "roc", "areaUnderROC":
		x, y, of = "FPR", "TPR", (*BinaryMetrics).ROC
	case "pr":
		x, y, of = "recall", "precision", (*BinaryMetrics).PR
	case "precisionByThreshold":
		x, y, of = "threshold", "precision", byThreshold((*BinaryMetrics).Precision)
	case "recallByThreshold":
		x, y, of = "threshold", "recall", byThreshold((*BinaryMetrics).Recall)
	case "fMeasureByThreshold":
		x, y, of = "threshold", "F-Measure", byThreshold(func(m *BinaryMetrics, i int) float64 { return m.FMeasure(i, 1) })
	default:
		return nil, nil
	}
	m, err := s.binary(c)
	if err != nil {
		return nil, err
	}
	if name == "areaUnderROC" {
		return m.AreaUnderROC(), nil
	}
	points := of(m)
	rows := make([][]any, len(points))
	for i, p := range points {
		rows[i] = []any{p.X, p.Y}
	}
	return localRows(types.Struct(types.Field{Name: x, Type: types.Double}, types.Field{Name: y, Type: types.Double}), rows)
}

func (s *logisticSummary) binary(c *Context) (*BinaryMetrics, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.curves != nil {
		return s.curves, nil
	}
	label, weight, err := s.label(c)
	if err != nil {
		return nil, err
	}
	s.curves, err = ReadBinaryMetrics(c, s.predictions(), VectorElement(Ref(s.columns().probability), 1), label, weight, summaryBins)
	return s.curves, err
}
