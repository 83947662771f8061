package ml

import (
	"math"
	"strconv"
	"strings"

	"millrace/errs"
	"millrace/plan"
	"millrace/types"
	"millrace/vector"
	"millrace/vector/linalg"
)

const (
	logisticClass      = "org.apache.spark.ml.classification.LogisticRegression"
	logisticModelClass = "org.apache.spark.ml.classification.LogisticRegressionModel"
)

var logisticParams = []Param{
	ColumnParam("featuresCol", "features"),
	ColumnParam("labelCol", "label"),
	ColumnParam("predictionCol", "prediction"),
	ColumnParam("probabilityCol", "probability"),
	ColumnParam("rawPredictionCol", "rawPrediction"),
	ColumnParam("weightCol", ""),
	{Name: "aggregationDepth", Type: IntParam, Default: 2, Valid: AtLeast(2)},
	{Name: "elasticNetParam", Type: DoubleParam, Default: 0.0, Valid: Within(0, 1)},
	{Name: "family", Type: StringParam, Default: "auto", Valid: InArrayFold("auto", "binomial", "multinomial")},
	{Name: "fitIntercept", Type: BoolParam, Default: true},
	{Name: "lowerBoundsOnCoefficients", Type: MatrixParam},
	{Name: "lowerBoundsOnIntercepts", Type: VectorParam},
	{Name: "maxBlockSizeInMB", Type: DoubleParam, Default: 0.0, Valid: AtLeast(0)},
	{Name: "maxIter", Type: IntParam, Default: 100, Valid: AtLeast(0)},
	{Name: "regParam", Type: DoubleParam, Default: 0.0, Valid: AtLeast(0)},
	{Name: "standardization", Type: BoolParam, Default: true},
	{Name: "threshold", Type: DoubleParam, Default: 0.5, Valid: Within(0, 1)},
	{Name: "thresholds", Type: DoublesParam, Valid: validThresholds},
	{Name: "tol", Type: DoubleParam, Default: 1e-6, Valid: AtLeast(0)},
	{Name: "upperBoundsOnCoefficients", Type: MatrixParam},
	{Name: "upperBoundsOnIntercepts", Type: VectorParam},
}

func init() {
	Register(
		&Class{Name: logisticClass, Kind: Estimator, Params: logisticParams, Model: logisticModelClass, Fit: fitLogistic},
		&Class{Name: logisticModelClass, Kind: ModelClass, Params: logisticParams, Load: loadLogistic},
	)
}

// validThresholds accepts thresholds of classes: none negative and at most one of them 0.
func validThresholds(v any) bool {
	list, _ := v.([]float64)
	zeros := 0
	for _, t := range list {
		if t < 0 {
			return false
		}
		if t == 0 {
			zeros++
		}
	}
	return zeros <= 1
}

// maxClasses is how many classes a label column may have that says nothing of its classes.
const maxClasses = 100

// trainingSet is what a classifier learns from: kept has the columns features, label and weight, checked, of which features is a vector.
type trainingSet struct {
	c        *Context
	kept     plan.Node
	release  func()
	features *featureSummary
	weights  []float64 // of rows by class
	classes  int
}

// classification prepares the training of a classifier: it checks columns and values and keeps the rows on the workers. The caller
// calls release.
func classification(c *Context, p *Params, data plan.Node) (*trainingSet, error) {
	schema, err := c.Runner.Schema(c, data)
	if err != nil {
		return nil, err
	}
	label, err := FieldOf(schema, p.String("labelCol"))
	if err == nil && !label.Type.IsNumeric() {
		err = illegal("requirement failed")
	}
	if err == nil {
		_, err = VectorColumn(schema, p.String("featuresCol"))
	}
	weight := plan.Expr(&plan.Literal{Value: 1.0, T: types.Double})
	if name := p.String("weightCol"); err == nil && name != "" {
		_, err = NumericColumn(schema, name)
		weight = AsDouble(Ref(name))
	}
	if err == nil {
		err = classColumnsOf(p).free(schema)
	}
	if err != nil {
		return nil, err
	}
	n := &plan.Project{Input: data, Exprs: []plan.Expr{
		&plan.Alias{Child: Ref(p.String("featuresCol")), Names: []string{"features"}},
		&plan.Alias{Child: AsDouble(Ref(p.String("labelCol"))), Names: []string{"label"}},
		&plan.Alias{Child: weight, Names: []string{"weight"}}}}
	kept, release, err := c.Runner.Materialize(c, n)
	if err != nil {
		return nil, err
	}
	t := &trainingSet{c: c, kept: kept, release: release}
	if err := t.look(AttrOf(label).Values()); err != nil {
		release()
		return nil, err
	}
	return t, nil
}

var doublesType = types.ArrayOf(types.Double, false)

// look makes the first pass over the rows. declared is the number of classes by the label's metadata, or 0.
func (t *trainingSet) look(declared int) error {
	limit := maxClasses
	if declared > 0 {
		limit = math.MaxInt32
	}
	rows, err := t.reduce(
		Reduce("ml_labels", doublesType, map[string]string{"limit": strconv.Itoa(limit)}, Ref("label"), Ref("weight")),
		Reduce("ml_features", doublesType, map[string]string{"finite": "true"}, Ref("features"), Ref("weight")))
	if err != nil {
		return err
	}
	counts := rows[0]
	if t.features = featureSummaryOf(rows[1]); len(counts) == 0 {
		return t.nothing()
	}
	seen := int(counts[len(counts)-3]) + 1
	switch t.classes = seen; {
	case declared > 0 && declared < seen:
		return required("Specified number of classes %d was less than the number of unique labels %d.", declared, seen)
	case declared > 0:
		t.classes = declared
	}
	t.weights = make([]float64, seen)
	for i := 0; i < len(counts); i += 3 {
		t.weights[int(counts[i])] = counts[i+2]
	}
	return nil
}

// nothing is the error of a dataset without rows, or without rows that weigh anything.
func (t *trainingSet) nothing() error {
	b, err := t.c.Collect(&plan.Limit{Input: t.kept, Count: plan.Int(1)})
	switch {
	case err != nil:
		return err
	case b.N > 0:
		return required("Nothing has been added to this summarizer.")
	}
	return errs.Newf(errs.Invalid, "ML algorithm was given empty dataset.")
}

// reduce computes aggregates that give arrays of doubles.
func (t *trainingSet) reduce(calls ...plan.Expr) ([][]float64, error) {
	b, err := t.c.Collect(Aggregated(t.kept, calls...))
	if err != nil {
		return nil, err
	}
	rows := make([][]float64, len(b.Cols))
	for i, v := range b.Cols {
		rows[i] = vector.Values[float64](v.Children[0])[v.Offsets[0]:v.Offsets[1]]
	}
	return rows, nil
}

// isSoftmax decides between one margin for two classes and one for each class.
func isSoftmax(p *Params, classes int) (bool, error) {
	switch strings.ToLower(p.String("family")) {
	case "binomial":
		if classes > 2 {
			return false, required("Binomial family only supports 1 or 2 outcome classes but found %d.", classes)
		}
		return false, nil
	case "multinomial":
		return true, nil
	}
	return classes > 2, nil
}

func refuseBounds(p *Params) error {
	for _, name := range []string{"lowerBoundsOnCoefficients", "upperBoundsOnCoefficients", "lowerBoundsOnIntercepts", "upperBoundsOnIntercepts"} {
		if p.IsSet(name) {
			return errs.Unsupportedf("LogisticRegression with %s is not supported.", name)
		}
	}
	return nil
}

func fitLogistic(c *Context, p *Params, data plan.Node) (Model, error) {
	if err := refuseBounds(p); err != nil {
		return nil, err
	}
	if _, err := thresholdOf(p); err != nil {
		return nil, err
	}
	t, err := classification(c, p, data)
	if err != nil {
		return nil, err
	}
	defer t.release()
	if list := p.Floats("thresholds"); p.IsSet("thresholds") && len(list) != t.classes {
		return nil, required("LogisticRegression.train() called with non-matching numClasses and thresholds.length. numClasses=%d, but thresholds has length %d",
			t.classes, len(list))
	}
	softmax, err := isSoftmax(p, t.classes)
	if err != nil {
		return nil, err
	}
	m := &logisticModel{classes: t.classes, features: t.features.size, softmax: softmax}
	if err := m.train(t, p); err != nil {
		return nil, err
	}
	m.summary = &logisticSummary{model: m, params: p, data: data, history: m.history}
	return m, nil
}

// train fills in the model's coefficients.
func (m *logisticModel) train(t *trainingSet, p *Params) error {
	task := &logisticTask{features: t.features, histogram: t.weights, sets: 1, softmax: m.softmax,
		regParam: p.Float("regParam"), elasticNet: p.Float("elasticNetParam"), tolerance: p.Float("tol"), maxIter: p.Int("maxIter"),
		intercept: p.Bool("fitIntercept"), standardize: p.Bool("standardization")}
	if m.softmax {
		task.sets = m.classes
	}
	if task.intercept && task.oneClass() {
		m.constant(t.weights, task.sets)
		return nil
	}
	task.sums = func(coefficients []float64) (*logisticSums, error) {
		rows, err := t.reduce(Reduce("ml_logistic", doublesType,
			map[string]string{"classes": strconv.Itoa(task.sets), "softmax": strconv.FormatBool(task.softmax), "coefficients": linalg.Text(coefficients)}, Ref("features"), Ref("label"), Ref("weight")))
		if err != nil {
			return nil, err
		}
		return sumsOf(rows[0], task.sets), nil
	}
	fit, err := task.train()
	if err != nil {
		return err
	}
	m.coefficients = linalg.Matrix{Rows: task.sets, Cols: m.features, Values: fit.coefficients, Transposed: true}.Compressed()
	m.intercepts = linalg.Dense(fit.intercepts...)
	if m.softmax {
		m.intercepts = m.intercepts.Compressed()
	}
	m.history = fit.history
	return nil
}

// constant makes the model of rows that are all of one class: that class is certain whatever the features.
func (m *logisticModel) constant(weights []float64, sets int) {
	m.coefficients = linalg.Matrix{Rows: sets, Cols: m.features, Values: make([]float64, sets*m.features), Transposed: true}.Compressed()
	m.history = []float64{0}
	switch {
	case m.softmax:
		own := 0
		for k, w := range weights {
			if w != 0 {
				own = k
			}
		}
		m.intercepts = linalg.Vector{Size: m.classes, Indices: []int32{int32(own)}, Values: []float64{math.Inf(1)}}
	case m.classes == 2:
		m.intercepts = linalg.Dense(math.Inf(1))
	default:
		m.intercepts = linalg.Dense(math.Inf(-1))
	}
}

// thresholdOf is the probability above which class 1 is predicted, from threshold or two thresholds.
func thresholdOf(p *Params) (float64, error) {
	list := p.Floats("thresholds")
	if !p.IsSet("thresholds") {
		return p.Float("threshold"), nil
	}
	if len(list) != 2 {
		if p.IsSet("threshold") {
			return 0, required("Logistic Regression found inconsistent values for threshold and thresholds.  Param threshold is set (%s), indicating binary classification, but Param thresholds is set with length %d. Clear one Param value to fix this problem.",
				showDouble(p.Float("threshold")), len(list))
		}
		return 0.5, nil
	}
	t := 1 / (1 + list[0]/list[1])
	if p.IsSet("threshold") && math.Abs(p.Float("threshold")-t) >= 1e-5 {
		return 0, required("Logistic Regression getThreshold found inconsistent values for threshold (%s) and thresholds (equivalent to %s)",
			showDouble(p.Float("threshold")), showDouble(t))
	}
	return t, nil
}
