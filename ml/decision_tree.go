package ml

import (
	"encoding/json"
	"strconv"
	"strings"

	"millrace/plan"
	"millrace/planconv"
	"millrace/types"
	"millrace/vector/linalg"
	"millrace/vector/tree"
)

const (
	treeRegressor      = "org.apache.spark.ml.regression.DecisionTreeRegressor"
	treeRegressorModel = "org.apache.spark.ml.regression.DecisionTreeRegressionModel"
)

var treeRegressorParams = append(treeParams(treeRegressor), Param{Name: "varianceCol", Type: StringParam})

func init() {
	Register(&Class{Name: treeRegressor, Kind: Estimator, Params: treeRegressorParams, Model: treeRegressorModel, Fit: fitTree},
		&Class{Name: treeRegressorModel, Kind: ModelClass, Params: treeRegressorParams, Load: loadTree})
}

// treeModel is DecisionTreeRegressionModel.
type treeModel struct {
	root     *treeNode
	features int
}

var _ Model = (*treeModel)(nil)

func fitTree(c *Context, p *Params, data plan.Node) (Model, error) {
	if err := refuseTreeParams(p); err != nil {
		return nil, err
	}
	t, err := newTreeTraining(c, p, data, "any")
	if err != nil {
		return nil, err
	}
	defer t.release()
	t.sums = t.histogram("squared", nil, nil)
	root, err := t.grow()
	if err != nil {
		return nil, err
	}
	return &treeModel{root: root, features: len(t.features)}, nil
}

func (m *treeModel) Size() int64 { return int64(160 * m.root.count()) }

// Describe is toString.
func (m *treeModel) Describe(p *Params) string {
	return "DecisionTreeRegressionModel: uid=" + p.UID + ", depth=" + strconv.Itoa(m.root.depth()) + ", numNodes=" + strconv.Itoa(m.root.count()) +
		", numFeatures=" + strconv.Itoa(m.features)
}

// Transform implements Model.
func (m *treeModel) Transform(p *Params, in Frame) (plan.Node, error) {
	if err := refuseVariance(p); err != nil {
		return nil, err
	}
	return regressionColumns(p, in, []*treeNode{m.root}, []float64{1}, Attr{Type: "nominal", NumVals: len(m.root.leaves())}.Metadata(),
		func(leaves plan.Expr) plan.Expr {
			return Kernel("ml_element", types.Double, true, map[string]string{"at": "0"}, leaves)
		})
}

// regressionColumns adds what trees predict, and the leaves if there is a column for them.
func regressionColumns(p *Params, in Frame, trees []*treeNode, shares []float64, leafMetadata string, leaf func(plan.Expr) plan.Expr) (plan.Node, error) {
	if _, err := VectorColumn(in.Schema, p.String("featuresCol")); err != nil {
		return nil, err
	}
	for _, name := range []string{p.String("predictionCol"), p.String("leafCol")} {
		if _, i := in.Schema.Field(name, true); name != "" && i >= 0 {
			return nil, required("Column %s already exists.", name)
		}
	}
	features := Ref(p.String("featuresCol"))
	var columns []Column
	if name := p.String("predictionCol"); name != "" {
		columns = append(columns, Column{Name: name, Metadata: `{"ml_attr":{}}`,
			Value: Kernel("ml_tree_value", types.Double, false, forestOptions(p.Class, trees, shares), features)})
	}
	if name := p.String("leafCol"); name != "" {
		columns = append(columns, Column{Name: name, Metadata: leafMetadata, Value: leaf(leafKernel(p.Class, trees, features))})
	}
	return in.With(columns...), nil
}

// forestOptions are the options of kernels that evaluate trees over features.
func forestOptions(k *Class, trees []*treeNode, shares []float64) map[string]string {
	flat := make([]tree.Tree, len(trees))
	for i, t := range trees {
		flat[i] = t.flat(false, leafPrediction)
	}
	return map[string]string{"trees": tree.Text(flat...), "shares": linalg.Text(shares), "class": shortName(k)}
}

// leafKernel is a vector of the places of leaves by tree.
func leafKernel(k *Class, trees []*treeNode, features plan.Expr) plan.Expr {
	flat := make([]tree.Tree, len(trees))
	for i, t := range trees {
		place := t.leaves()
		flat[i] = t.flat(false, func(n *treeNode) float64 { return place[n] })
	}
	return Kernel("ml_tree_leaves", types.VectorUDT, true, map[string]string{"trees": tree.Text(flat...),
		"shares": linalg.Text(make([]float64, len(trees))), "class": shortName(k)}, features)
}

// Attribute implements Model.
func (m *treeModel) Attribute(_ *Context, p *Params, name string, args []any) (any, error) {
	switch name {
	case "numFeatures":
		return m.features, nil
	case "numNodes":
		return m.root.count(), nil
	case "depth":
		return m.root.depth(), nil
	case "toDebugString":
		var b strings.Builder
		b.WriteString(m.Describe(p) + "\n")
		m.root.describe(&b, 2)
		return b.String(), nil
	case "featureImportances":
		return importances([]*treeNode{m.root}, m.features), nil
	case "predict", "predictLeaf":
		x, err := vectorArg(p, name, args)
		if err != nil {
			return nil, err
		}
		leaf, err := m.root.leaf(x)
		if err != nil || name == "predict" {
			return leaf.value(), err
		}
		return m.root.leaves()[leaf], nil
	}
	return nil, NotAllowed(p, name)
}

// value is a leaf's prediction; 0 without a leaf.
func (n *treeNode) value() float64 {
	if n == nil {
		return 0
	}
	return n.prediction
}

// vectorArg is a method's one argument.
func vectorArg(p *Params, name string, args []any) (linalg.Vector, error) {
	if len(args) == 1 {
		if x, ok := args[0].(linalg.Vector); ok {
			return x, nil
		}
	}
	return linalg.Vector{}, NotAllowed(p, name)
}

// Save implements Model.
func (m *treeModel) Save(_ *Context, _ *Params, to *Stored) error {
	to.Meta["numFeatures"] = number(m.features)
	return to.Write("data", nodeData, m.root.rows())
}

func number(n int) json.RawMessage { return json.RawMessage(strconv.Itoa(n)) }

// savedNumber reads a number of an object's metadata.
func (s *Stored) savedNumber(name string) (int, error) {
	n := 0
	if err := json.Unmarshal(s.Meta[name], &n); err != nil {
		return 0, illegal("the metadata of what is saved has no number %s", name)
	}
	return n, nil
}

func loadTree(_ *Context, _ *Params, from *Stored) (Model, error) {
	features, err := from.savedNumber("numFeatures")
	if err != nil {
		return nil, err
	}
	b, err := from.Read("data", nodeData.Names()...)
	if err != nil {
		return nil, err
	}
	rows := make([][]any, b.N)
	for i := range rows {
		for _, v := range b.Cols {
			rows[i] = append(rows[i], planconv.At(v, i))
		}
	}
	root, err := treeOf(rows, features)
	if err != nil {
		return nil, err
	}
	return &treeModel{root: root, features: features}, nil
}
