package ml

import (
	"strings"

	"millrace/errs"
	"millrace/plan"
	"millrace/vector/tree"
)

const (
	boostedClassifier      = "org.apache.spark.ml.classification.GBTClassifier"
	boostedClassifierModel = "org.apache.spark.ml.classification.GBTClassificationModel"
	boostedRegressor       = "org.apache.spark.ml.regression.GBTRegressor"
	boostedRegressorModel  = "org.apache.spark.ml.regression.GBTRegressionModel"
)

var (
	boostedClassifierParams = append(boostedParams(boostedClassifier, "logistic", "logistic"), ColumnParam("rawPredictionCol", "rawPrediction"),
		ColumnParam("probabilityCol", "probability"), Param{Name: "thresholds", Type: DoublesParam, Valid: validThresholds})
	boostedRegressorParams = boostedParams(boostedRegressor, "squared", "squared", "absolute")
)

func init() {
	Register(&Class{Name: boostedClassifier, Kind: Estimator, Params: boostedClassifierParams, Model: boostedClassifierModel, Fit: fitBoosted},
		&Class{Name: boostedClassifierModel, Kind: ModelClass, Params: boostedClassifierParams, Load: loadBoosted},
		&Class{Name: boostedRegressor, Kind: Estimator, Params: boostedRegressorParams, Model: boostedRegressorModel, Fit: fitBoosted},
		&Class{Name: boostedRegressorModel, Kind: ModelClass, Params: boostedRegressorParams, Load: loadBoosted})
}

// refuseTreeParams names what is not supported.
func refuseTreeParams(p *Params) error {
	if p.String("validationIndicatorCol") != "" {
		return errs.Unsupportedf("%s with validationIndicatorCol is not supported.", shortName(p.Class))
	}
	return refuseVariance(p)
}

func refuseVariance(p *Params) error {
	if p.String("varianceCol") != "" {
		return errs.Unsupportedf("%s with varianceCol is not supported.", shortName(p.Class))
	}
	return nil
}

// fitBoosted grows one tree after another, each from what those before it leave to be learned.
func fitBoosted(c *Context, p *Params, data plan.Node) (Model, error) {
	if err := refuseTreeParams(p); err != nil {
		return nil, err
	}
	m := &boostedModel{classifier: p.Class.Name == boostedClassifier}
	labels := "any"
	if m.classifier {
		labels = "binary"
		if err := checkTwoThresholds(p, shortName(p.Class)+".train()"); err != nil {
			return nil, err
		}
	}
	if p.Int("maxIter") == 0 {
		return nil, errs.Newf(errs.Invalid, "Index 0 out of bounds for length 0")
	}
	t, err := newTreeTraining(c, p, data, labels)
	if err != nil {
		return nil, err
	}
	defer t.release()
	if s := p.String("featureSubsetStrategy"); !isWholeSubset(s, len(t.features)) {
		return nil, errs.Unsupportedf("%s with featureSubsetStrategy %s is not supported: every node looks at all features.", shortName(p.Class), s)
	}
	t.rate = p.Float("subsamplingRate")
	return m, m.boost(p, &t.treeTask, t.histogram)
}

// boost adds trees. histogram gives a task its sums by the loss and the trees before, each with its share.
func (m *boostedModel) boost(p *Params, t *treeTask, histogram func(string, []tree.Tree, []float64) func(tree.Tree, int) ([]float64, error)) error {
	m.features = len(t.features)
	var binned []tree.Tree
	for k := range p.Int("maxIter") {
		t.sums = histogram(strings.ToLower(p.String("lossType")), binned, m.shares)
		root, err := t.grow()
		if err != nil {
			return err
		}
		share := 1.0
		if k > 0 {
			share = p.Float("stepSize")
		}
		m.add(root, newTreeUID(), share)
		binned = append(binned, root.flat(true, leafPrediction))
	}
	return nil
}

// checkTwoThresholds demands a threshold for each of two classes, if any.
func checkTwoThresholds(p *Params, what string) error {
	if list := p.Floats("thresholds"); p.IsSet("thresholds") && len(list) != 2 {
		return required("%s called with non-matching numClasses and thresholds.length. numClasses=2, but thresholds has length %d", what, len(list))
	}
	return nil
}
