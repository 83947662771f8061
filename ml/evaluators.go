package ml

import (
	"math"
	"strings"

	"millrace/plan"
	"millrace/types"
)

func init() {
	Register(&Class{Name: "org.apache.spark.ml.evaluation.BinaryClassificationEvaluator", Kind: Evaluator, Evaluate: evaluateBinary, Params: []Param{
		ColumnParam("rawPredictionCol", "rawPrediction"), ColumnParam("labelCol", "label"), ColumnParam("weightCol", ""),
		{Name: "metricName", Type: StringParam, Default: "areaUnderROC", Valid: InArray("areaUnderROC", "areaUnderPR")},
		{Name: "numBins", Type: IntParam, Default: 1000, Valid: AtLeast(0)}}},
		&Class{Name: "org.apache.spark.ml.evaluation.RegressionEvaluator", Kind: Evaluator, Evaluate: evaluateRegression, Params: []Param{
			ColumnParam("predictionCol", "prediction"), ColumnParam("labelCol", "label"), ColumnParam("weightCol", ""),
			{Name: "metricName", Type: StringParam, Default: "rmse", Valid: InArray("mse", "rmse", "r2", "mae", "var")},
			{Name: "throughOrigin", Type: BoolParam, Default: false}}})
}

// ScoreOf is a raw prediction or probability as a number: of a vector, the value of class 1.
func ScoreOf(schema *types.Type, name string) (plan.Expr, error) {
	f, err := FieldOf(schema, name)
	if err != nil {
		return nil, err
	}
	switch {
	case f.Type.IsVector():
		return VectorElement(Ref(name), 1), nil
	case f.Type.Kind == types.KindDouble:
		return Ref(name), nil
	}
	return nil, required("Column %s must be of type equal to one of the following types: [double, %s] but was actually of type %s.", name, types.VectorUDT, f.Type)
}

// VectorElement is the value at a place of a vector.
func VectorElement(v plan.Expr, place int) plan.Expr {
	return Kernel("ml_element", types.Double, true, map[string]string{"at": itoa(place)}, v)
}

// weightOf is the weight column of an evaluator or estimator as a double; nil: there is none.
func weightOf(p *Params, schema *types.Type) (plan.Expr, error) {
	name := p.String("weightCol")
	if name == "" {
		return nil, nil
	}
	if _, err := NumericColumn(schema, name); err != nil {
		return nil, err
	}
	return AsDouble(Ref(name)), nil
}

func evaluateBinary(c *Context, p *Params, data plan.Node) (float64, error) {
	schema, err := c.Runner.Schema(c, data)
	if err != nil {
		return 0, err
	}
	score, err := ScoreOf(schema, p.String("rawPredictionCol"))
	if err != nil {
		return 0, err
	}
	if _, err := NumericColumn(schema, p.String("labelCol")); err != nil {
		return 0, err
	}
	weight, err := weightOf(p, schema)
	if err != nil {
		return 0, err
	}
	m, err := ReadBinaryMetrics(c, data, score, AsDouble(Ref(p.String("labelCol"))), weight, p.Int("numBins"))
	if err != nil {
		return 0, err
	}
	if p.String("metricName") == "areaUnderPR" {
		return Area(m.PR()), nil
	}
	return m.AreaUnderROC(), nil
}

// predictionOf checks a prediction column, which may be double or float.
func predictionOf(schema *types.Type, name string) (plan.Expr, error) {
	f, err := FieldOf(schema, name)
	if err != nil {
		return nil, err
	}
	if !f.Type.IsFloating() {
		return nil, required("Column %s must be of type equal to one of the following types: [%s] but was actually of type %s.", name,
			strings.Join([]string{types.Double.String(), types.Float.String()}, ", "), f.Type)
	}
	return AsDouble(Ref(name)), nil
}

func evaluateRegression(c *Context, p *Params, data plan.Node) (float64, error) {
	schema, err := c.Runner.Schema(c, data)
	if err != nil {
		return 0, err
	}
	prediction, err := predictionOf(schema, p.String("predictionCol"))
	if err != nil {
		return 0, err
	}
	if _, err := NumericColumn(schema, p.String("labelCol")); err != nil {
		return 0, err
	}
	weight, err := weightOf(p, schema)
	if err != nil {
		return 0, err
	}
	label := AsDouble(Ref(p.String("labelCol")))
	rows := Kernel("ml_assemble", types.VectorUDT, false, map[string]string{"invalid": "keep"}, label, prediction, plan.Fn("-", label, prediction))
	s, err := Summarize(c, data, rows, weight)
	if err != nil {
		return 0, illegal("%s", err)
	}
	return regressionMetric(s, p.String("metricName"), p.Bool("throughOrigin")), nil
}

// regressionMetric computes a metric from the summary of label, prediction and their difference.
func regressionMetric(s *Summary, name string, throughOrigin bool) float64 {
	sse := s.Squares[2]
	switch name {
	case "mse":
		return sse / s.Weight
	case "r2":
		if throughOrigin {
			return 1 - sse/s.Squares[0]
		}
		return 1 - sse/(s.Variance[0]*(s.Weight-1))
	case "mae":
		return s.L1[2] / s.Weight
	case "var":
		mean := s.Mean[0]
		return (s.Squares[1] + s.Weight*mean*mean - 2*mean*s.Mean[1]*s.Weight) / s.Weight
	}
	return math.Sqrt(sse / s.Weight)
}
