package ml

import (
	"math"
	"slices"
	"strconv"
	"sync"

	"millrace/errs"
	"millrace/plan"
	"millrace/types"
	"millrace/vector/linalg"
)

// logisticModel is LogisticRegressionModel. Coefficients have a row for each class, or one row for class 1 against class 0.
type logisticModel struct {
	classes, features int
	softmax           bool
	coefficients      linalg.Matrix
	intercepts        linalg.Vector
	history           []float64

	mu      sync.Mutex
	summary *logisticSummary // of the training, nil when there is none
	lost    bool             // the summary was dropped and can be made again
}

var _ Summarized = (*logisticModel)(nil)

func (m *logisticModel) Size() int64 {
	return int64(256 + 12*len(m.coefficients.Values) + 8*len(m.intercepts.Values))
}

// Describe is the model's toString.
func (m *logisticModel) Describe(p *Params) string {
	return "LogisticRegressionModel: uid=" + p.UID + ", numClasses=" + strconv.Itoa(m.classes) + ", numFeatures=" + strconv.Itoa(m.features)
}

// classColumns are the names of a classifier's output columns; an empty one is not made.
type classColumns struct{ features, raw, probability, prediction string }

func classColumnsOf(p *Params) classColumns {
	return classColumns{p.String("featuresCol"), p.String("rawPredictionCol"), p.String("probabilityCol"), p.String("predictionCol")}
}

// free demands that a schema has none of the output columns.
func (c classColumns) free(schema *types.Type) error {
	for _, name := range []string{c.prediction, c.raw, c.probability} {
		if _, i := schema.Field(name, true); name != "" && i >= 0 {
			return required("Column %s already exists.", name)
		}
	}
	return nil
}

// Transform adds the columns one upon the other, so that margins are computed once.
func (m *logisticModel) Transform(p *Params, in Frame) (plan.Node, error) {
	return m.transform(p, in, classColumnsOf(p))
}

func (m *logisticModel) transform(p *Params, in Frame, c classColumns) (plan.Node, error) {
	if _, err := thresholdOf(p); err != nil {
		return nil, err
	}
	if list := p.Floats("thresholds"); p.IsSet("thresholds") && len(list) != m.classes {
		return nil, required("LogisticRegressionModel.transform() called with non-matching numClasses and thresholds.length. numClasses=%d, but thresholds has length %d",
			m.classes, len(list))
	}
	if _, err := VectorColumn(in.Schema, c.features); err != nil {
		return nil, err
	}
	if err := c.free(in.Schema); err != nil {
		return nil, err
	}
	group := AttrGroup{Size: m.classes}.Metadata()
	add := func(name string, value plan.Expr, metadata string) {
		in.Node = in.With(Column{Name: name, Value: value, Metadata: metadata})
	}
	raw := m.margins(Ref(c.features))
	if c.raw != "" {
		add(c.raw, raw, group)
		raw = Ref(c.raw)
	}
	probability := m.probability(raw)
	if c.probability != "" {
		add(c.probability, probability, group)
		probability = Ref(c.probability)
	}
	if c.prediction != "" {
		class := m.class(p, raw, probability, c.raw != "")
		add(c.prediction, class, Attr{Type: "nominal", NumVals: m.classes}.Metadata())
	}
	return in.Node, nil
}

func (m *logisticModel) margins(features plan.Expr) plan.Expr {
	return Kernel("ml_margins", types.VectorUDT, true, map[string]string{"coefficients": linalg.Text(m.coefficients.ByRow()),
		"intercepts": linalg.Text(m.intercepts.Array()), "mirrored": strconv.FormatBool(!m.softmax)}, features)
}

func (m *logisticModel) probability(raw plan.Expr) plan.Expr {
	if m.softmax {
		return Kernel("ml_softmax", types.VectorUDT, true, nil, raw)
	}
	return Kernel("ml_sigmoid", types.VectorUDT, true, nil, raw)
}

// class is the prediction: from margins if they are a column, else from probabilities, as Spark does, which matters at the threshold.
func (m *logisticModel) class(p *Params, raw, probability plan.Expr, fromRaw bool) plan.Expr {
	if m.softmax {
		options, of := map[string]string{}, raw
		if p.IsSet("thresholds") {
			options["thresholds"], of = linalg.Text(p.Floats("thresholds")), probability
		} else if !fromRaw {
			of = probability
		}
		return Kernel("ml_argmax", types.Double, false, options, of)
	}
	t, _ := thresholdOf(p) // transform looked at it
	of := probability
	if fromRaw {
		t, of = math.Log(t/(1-t)), raw
	}
	return Kernel("ml_above", types.Double, false, map[string]string{"threshold": strconv.FormatFloat(t, 'g', -1, 64)}, of)
}

func (m *logisticModel) Attribute(c *Context, p *Params, name string, args []any) (any, error) {
	switch name {
	case "numClasses":
		return m.classes, nil
	case "numFeatures":
		return m.features, nil
	case "coefficientMatrix":
		return m.coefficients, nil
	case "interceptVector":
		return m.intercepts, nil
	case "coefficients", "intercept":
		return m.single(name)
	case "hasSummary":
		m.mu.Lock()
		defer m.mu.Unlock()
		return m.summary != nil, nil
	case "summary":
		return m.trainingSummary(p)
	case "evaluate":
		return m.evaluate(p, name, args)
	case "predict", "predictRaw", "predictProbability":
		return m.predict(p, name, args)
	}
	return nil, NotAllowed(p, name)
}

// single is the one row of coefficients of a binomial model, or its intercept.
func (m *logisticModel) single(name string) (any, error) {
	switch {
	case m.softmax && name == "coefficients":
		return nil, errs.Newf(errs.Invalid, "Multinomial models contain a matrix of coefficients, use coefficientMatrix instead.")
	case m.softmax:
		return nil, errs.Newf(errs.Invalid, "Multinomial models contain a vector of intercepts, use interceptVector instead.")
	case name == "intercept":
		return m.intercepts.Array()[0], nil
	case m.coefficients.ColPtrs != nil && m.coefficients.Transposed:
		return linalg.Vector{Size: m.features, Indices: m.coefficients.RowIndices, Values: m.coefficients.Values}, nil
	}
	return linalg.Dense(m.coefficients.ByRow()...), nil
}

// predict answers for one vector, in the coordinator.
func (m *logisticModel) predict(p *Params, name string, args []any) (any, error) {
	if len(args) != 1 {
		return nil, NotAllowed(p, name)
	}
	x, ok := args[0].(linalg.Vector)
	if !ok {
		return nil, NotAllowed(p, name)
	}
	if x.Size != m.features {
		return nil, required("BLAS.dot(x: Vector, y:Vector) was given Vectors with non-matching sizes: x.size = %d, y.size = %d", x.Size, m.features)
	}
	raw := m.rawOf(x.Array())
	probability := m.probabilityOf(raw)
	switch name {
	case "predictRaw":
		return linalg.Dense(raw...), nil
	case "predictProbability":
		return linalg.Dense(probability...), nil
	}
	if m.softmax {
		return m.softmaxClass(p, raw, probability), nil
	}
	t, err := thresholdOf(p)
	if err != nil || probability[1] <= t {
		return 0.0, err
	}
	return 1.0, nil
}

func (m *logisticModel) rawOf(x []float64) []float64 {
	raw := slices.Clone(m.intercepts.Array())
	for k, all := 0, m.coefficients.ByRow(); k < len(raw); k++ {
		for j, v := range x {
			raw[k] += v * all[k*m.features+j]
		}
	}
	if !m.softmax {
		raw = []float64{-raw[0], raw[0]}
	}
	return raw
}

func (m *logisticModel) probabilityOf(raw []float64) []float64 {
	if !m.softmax {
		p := 1 / (1 + math.Exp(-raw[0]))
		return []float64{p, 1 - p}
	}
	out, sum, most := make([]float64, len(raw)), 0.0, slices.Max(raw)
	for k, x := range raw {
		out[k] = math.Exp(x - most)
		if math.IsInf(x, 1) {
			out[k] = 1
		}
		sum += out[k]
	}
	for k := range out {
		out[k] /= sum
	}
	return out
}

func (m *logisticModel) softmaxClass(p *Params, raw, probability []float64) float64 {
	of := raw
	if p.IsSet("thresholds") {
		of = slices.Clone(probability)
		for k, t := range p.Floats("thresholds") {
			if of[k] /= t; t == 0 {
				of[k] = math.Inf(1)
			}
		}
	}
	return float64(slices.Index(of, slices.Max(of)))
}

var logisticData = types.Struct(types.Field{Name: "numClasses", Type: types.Integer}, types.Field{Name: "numFeatures", Type: types.Integer},
	types.Field{Name: "interceptVector", Type: types.VectorUDT, Nullable: true},
	types.Field{Name: "coefficientMatrix", Type: types.MatrixUDT, Nullable: true}, types.Field{Name: "isMultinomial", Type: types.Boolean})

func (m *logisticModel) Save(_ *Context, _ *Params, to *Stored) error {
	return to.Write("data", logisticData, [][]any{{int64(m.classes), int64(m.features), m.intercepts.Literal(), m.coefficients.Literal(), m.softmax}})
}

func loadLogistic(_ *Context, _ *Params, from *Stored) (Model, error) {
	row, err := from.Row("data", logisticData.Names()...)
	if err != nil {
		return nil, err
	}
	classes, ok1 := row[0].(int64)
	features, ok2 := row[1].(int64)
	intercepts, ok3 := row[2].([]any)
	coefficients, ok4 := row[3].([]any)
	softmax, ok5 := row[4].(bool)
	if !ok1 || !ok2 || !ok3 || !ok4 || !ok5 || len(intercepts) != 4 || len(coefficients) != 7 {
		return nil, errs.Newf(errs.Invalid, "what is saved is not a LogisticRegressionModel's data")
	}
	m := &logisticModel{classes: int(classes), features: int(features), softmax: softmax,
		intercepts: linalg.FromLiteral(intercepts), coefficients: linalg.MatrixFromLiteral(coefficients)}
	if m.coefficients.Rows != m.intercepts.Size || m.coefficients.Cols != m.features {
		return nil, required("Dimension mismatch! Expected coefficientMatrix.numRows == interceptVector.size, but %d != %d", m.coefficients.Rows, m.intercepts.Size)
	}
	return m, nil
}
