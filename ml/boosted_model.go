package ml

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"millrace/errs"
	"millrace/plan"
	"millrace/planconv"
	"millrace/types"
	"millrace/vector/linalg"
)

// boostedModel is GBTClassificationModel and GBTRegressionModel: trees that are added up, each by its share.
type boostedModel struct {
	classifier bool
	trees      []*treeNode
	uids       []string
	shares     []float64
	features   int
}

var _ Model = (*boostedModel)(nil)

func newTreeUID() string {
	s := uuid.NewString()
	return "dtr_" + s[len(s)-12:]
}

func (m *boostedModel) add(root *treeNode, uid string, share float64) {
	m.trees, m.uids, m.shares = append(m.trees, root), append(m.uids, uid), append(m.shares, share)
}

func (m *boostedModel) nodes() int {
	n := 0
	for _, t := range m.trees {
		n += t.count()
	}
	return n
}

// Size implements Model.
func (m *boostedModel) Size() int64 { return int64(160 * m.nodes()) }

// Describe is toString.
func (m *boostedModel) Describe(p *Params) string {
	trees, features := strconv.Itoa(len(m.trees)), strconv.Itoa(m.features)
	if m.classifier {
		return "GBTClassificationModel: uid = " + p.UID + ", numTrees=" + trees + ", numClasses=2, numFeatures=" + features
	}
	return "GBTRegressionModel: uid=" + p.UID + ", numTrees=" + trees + ", numFeatures=" + features
}

// Transform implements Model.
func (m *boostedModel) Transform(p *Params, in Frame) (plan.Node, error) {
	if !m.classifier {
		return regressionColumns(p, in, m.trees, m.shares, m.leafMetadata(), func(e plan.Expr) plan.Expr { return e })
	}
	c := classColumnsOf(p)
	if _, err := VectorColumn(in.Schema, c.features); err != nil {
		return nil, err
	}
	for _, name := range []string{c.prediction, c.probability, c.raw, p.String("leafCol")} {
		if _, i := in.Schema.Field(name, true); name != "" && i >= 0 {
			return nil, required("Column %s already exists.", name)
		}
	}
	if err := checkTwoThresholds(p, "GBTClassificationModel.transform()"); err != nil {
		return nil, err
	}
	add := func(name string, value plan.Expr, metadata string) plan.Expr {
		if name == "" {
			return value
		}
		in.Node = in.With(Column{Name: name, Value: value, Metadata: metadata})
		return Ref(name)
	}
	group := AttrGroup{Size: 2}.Metadata()
	raw := add(c.raw, Kernel("ml_tree_margins", types.VectorUDT, true, forestOptions(p.Class, m.trees, m.shares), Ref(c.features)), group)
	probability := add(c.probability, Kernel("ml_tree_probability", types.VectorUDT, true, nil, raw), group)
	if c.prediction != "" {
		add(c.prediction, m.class(p, raw, probability), Attr{Type: "nominal", NumVals: 2}.Metadata())
	}
	if name := p.String("leafCol"); name != "" {
		add(name, leafKernel(p.Class, m.trees, Ref(c.features)), m.leafMetadata())
	}
	return in.Node, nil
}

func (m *boostedModel) class(p *Params, raw, probability plan.Expr) plan.Expr {
	if p.IsSet("thresholds") {
		return Kernel("ml_argmax", types.Double, false, map[string]string{"thresholds": linalg.Text(p.Floats("thresholds"))}, probability)
	}
	return Kernel("ml_above", types.Double, false, map[string]string{"threshold": "0"}, raw)
}

func (m *boostedModel) leafMetadata() string {
	g := AttrGroup{Size: len(m.trees)}
	for i, t := range m.trees {
		g.Attrs = append(g.Attrs, Attr{Type: "nominal", Index: i, NumVals: len(t.leaves())})
	}
	return g.Metadata()
}

// Attribute implements Model.
func (m *boostedModel) Attribute(c *Context, p *Params, name string, args []any) (any, error) {
	switch name {
	case "numFeatures":
		return m.features, nil
	case "numTrees", "getNumTrees":
		return len(m.trees), nil
	case "totalNumNodes":
		return m.nodes(), nil
	case "treeWeights":
		return m.shares, nil
	case "trees":
		return m.made(p), nil
	case "featureImportances":
		return importances(m.trees, m.features), nil
	case "toDebugString":
		return m.debug(p), nil
	case "evaluateEachIteration":
		return m.errors(c, p, name, args)
	case "predictLeaf", "predict":
		return m.predict(p, name, args)
	}
	if m.classifier {
		switch name {
		case "numClasses":
			return 2, nil
		case "predictRaw", "predictProbability":
			return m.predict(p, name, args)
		}
	}
	return nil, NotAllowed(p, name)
}

// made are the trees as models of their own.
func (m *boostedModel) made(p *Params) []Made {
	out := make([]Made, len(m.trees))
	for i, t := range m.trees {
		out[i] = Made{Class: treeRegressorModel, UID: m.uids[i], Params: p.of(classes[treeRegressorModel]).set, Model: &treeModel{root: t, features: m.features}}
	}
	return out
}

func (m *boostedModel) debug(p *Params) string {
	var b strings.Builder
	b.WriteString(m.Describe(p) + "\n")
	for i, t := range m.trees {
		b.WriteString("  Tree " + strconv.Itoa(i) + " (weight " + showDouble(m.shares[i]) + "):\n")
		t.describe(&b, 4)
	}
	return b.String()
}

// predict answers for one vector, in the coordinator.
func (m *boostedModel) predict(p *Params, name string, args []any) (any, error) {
	x, err := vectorArg(p, name, args)
	if err != nil {
		return nil, err
	}
	leaves, sum := make([]float64, len(m.trees)), 0.0
	for i, t := range m.trees {
		leaf, err := t.leaf(x)
		if err != nil {
			return nil, err
		}
		leaves[i] = t.leaves()[leaf]
		sum += leaf.prediction * m.shares[i]
	}
	switch {
	case name == "predictLeaf":
		return linalg.Dense(leaves...), nil
	case name == "predictRaw":
		return linalg.Dense(-sum, sum), nil
	case name == "predict" && !m.classifier:
		return sum, nil
	}
	zero := 1 / (1 + math.Exp(2*sum))
	if name == "predictProbability" {
		return linalg.Dense(zero, 1-zero), nil
	}
	if list := p.Floats("thresholds"); p.IsSet("thresholds") && len(list) == 2 {
		return one((1-zero)/list[1] > zero/list[0]), nil
	}
	return one(sum > 0), nil
}

func one(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// errors are the losses on a dataset of the first tree, the first two and so on.
func (m *boostedModel) errors(c *Context, p *Params, name string, args []any) (any, error) {
	if len(args) != 1 {
		return nil, NotAllowed(p, name)
	}
	data, ok := args[0].(plan.Node)
	if !ok {
		return nil, NotAllowed(p, name)
	}
	rows, _, err := treeRows(c, p, data)
	if err != nil {
		return nil, err
	}
	options := forestOptions(p.Class, m.trees, m.shares)
	options["loss"], options["labels"] = strings.ToLower(p.String("lossType")), "any"
	if m.classifier {
		options["labels"] = "binary"
	}
	sums, err := (&trainingSet{c: c, kept: rows}).reduce(Reduce("ml_tree_losses", doublesType, options, Ref("features"), Ref("label"), Ref("weight")))
	if err != nil {
		return nil, err
	}
	out := make([]float64, len(m.trees))
	for i := range out {
		out[i] = sums[0][1+i] / sums[0][0]
	}
	return out, nil
}

// The parts of saved ensembles.
var (
	forestNodes = types.Struct(types.Field{Name: "treeID", Type: types.Integer}, types.Field{Name: "nodeData", Type: nodeData, Nullable: true})
	forestTrees = types.Struct(types.Field{Name: "_1", Type: types.Integer}, types.Field{Name: "_2", Type: types.String, Nullable: true},
		types.Field{Name: "_3", Type: types.Double})
)

// Save implements Model.
func (m *boostedModel) Save(_ *Context, p *Params, to *Stored) error {
	to.Meta["numFeatures"], to.Meta["numTrees"] = number(m.features), number(len(m.trees))
	var trees, nodes [][]any
	for i, t := range m.trees {
		own := p.of(classes[treeRegressorModel])
		own.UID = m.uids[i]
		text, err := own.metadata(nil, time.Now())
		if err != nil {
			return err
		}
		trees = append(trees, []any{int64(i), text, m.shares[i]})
		for _, row := range t.rows() {
			nodes = append(nodes, []any{int64(i), row})
		}
	}
	if err := to.Write("treesMetadata", forestTrees, trees); err != nil {
		return err
	}
	return to.Write("data", forestNodes, nodes)
}

func loadBoosted(_ *Context, p *Params, from *Stored) (Model, error) {
	m := &boostedModel{classifier: p.Class.Name == boostedClassifierModel}
	var err error
	if m.features, err = from.savedNumber("numFeatures"); err != nil {
		return nil, err
	}
	want, err := from.savedNumber("numTrees")
	if err != nil {
		return nil, err
	}
	if err := m.loadTrees(from); err != nil {
		return nil, err
	}
	if want != len(m.trees) || want == 0 {
		return nil, required("%s.load expected %d trees based on metadata but found %d trees.", shortName(p.Class), want, len(m.trees))
	}
	b, err := from.Read("data", forestNodes.Names()...)
	if err != nil {
		return nil, err
	}
	rows := make([][][]any, want)
	for i := range b.N {
		id, ok := planconv.At(b.Cols[0], i).(int64)
		row, isRow := planconv.At(b.Cols[1], i).([]any)
		if !ok || !isRow || id < 0 || id >= int64(want) {
			return nil, errs.Newf(errs.Invalid, "what is saved is not an ensemble's nodes")
		}
		rows[id] = append(rows[id], row)
	}
	for i := range rows {
		if m.trees[i], err = treeOf(rows[i], m.features); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// loadTrees reads what is said of the trees.
func (m *boostedModel) loadTrees(from *Stored) error {
	b, err := from.Read("treesMetadata", forestTrees.Names()...)
	if err != nil {
		return err
	}
	m.trees, m.uids, m.shares = make([]*treeNode, b.N), make([]string, b.N), make([]float64, b.N)
	for i := range b.N {
		id, ok1 := planconv.At(b.Cols[0], i).(int64)
		text, ok2 := planconv.At(b.Cols[1], i).(string)
		share, ok3 := planconv.At(b.Cols[2], i).(float64)
		var meta struct{ UID string }
		if !ok1 || !ok2 || !ok3 || id < 0 || id >= int64(b.N) || m.uids[id] != "" || json.Unmarshal([]byte(text), &meta) != nil || meta.UID == "" {
			return errs.Newf(errs.Invalid, "what is saved does not describe an ensemble's trees")
		}
		m.uids[id], m.shares[id] = meta.UID, share
	}
	return nil
}
