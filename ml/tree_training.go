package ml

import (
	"maps"
	"strconv"

	"millrace/plan"
	"millrace/types"
	"millrace/vector/linalg"
	"millrace/vector/tree"
)

// treeTraining is what trees learn from: kept has the columns bins, label and weight.
type treeTraining struct {
	treeTask
	c       *Context
	kept    plan.Node
	release func()
	rate    float64 // the share of rows that each tree looks at
	seed    int64
}

// treeRows are the columns features, label and weight of data, which are checked by name and type.
func treeRows(c *Context, p *Params, data plan.Node) (rows plan.Node, features types.Field, err error) {
	schema, err := c.Runner.Schema(c, data)
	if err != nil {
		return nil, features, err
	}
	if features, err = VectorColumn(schema, p.String("featuresCol")); err != nil {
		return nil, features, err
	}
	if _, err = NumericColumn(schema, p.String("labelCol")); err != nil {
		return nil, features, err
	}
	weight := plan.Expr(&plan.Literal{Value: 1.0, T: types.Double})
	if name := p.String("weightCol"); name != "" {
		if _, err = NumericColumn(schema, name); err != nil {
			return nil, features, err
		}
		weight = AsDouble(Ref(name))
	}
	return &plan.Project{Input: data, Exprs: []plan.Expr{
		&plan.Alias{Child: Ref(p.String("featuresCol")), Names: []string{"features"}},
		&plan.Alias{Child: AsDouble(Ref(p.String("labelCol"))), Names: []string{"label"}},
		&plan.Alias{Child: weight, Names: []string{"weight"}}}}, features, nil
}

// categories are the numbers of categories of those features that are categorical by a vector column's metadata.
func categories(f types.Field) (map[int]int, error) {
	out := map[int]int{}
	for i, a := range GroupOf(f).Attrs {
		if a.Type != "binary" && a.Type != "nominal" {
			continue
		}
		n := a.Values()
		if a.Type == "binary" {
			n = 2
		}
		if n == 0 {
			return nil, illegal("Feature %d is marked as Nominal (categorical), but it does not have the number of values specified.", i)
		}
		out[i] = n
	}
	return out, nil
}

// newTreeTraining looks at the rows, chooses bins and keeps the binned rows on the workers. labels is binary if they must be 0 or 1. The
// caller calls release.
func newTreeTraining(c *Context, p *Params, data plan.Node, labels string) (*treeTraining, error) {
	rows, field, err := treeRows(c, p, data)
	if err != nil {
		return nil, err
	}
	arity, err := categories(field)
	if err != nil {
		return nil, err
	}
	raw, release, err := c.Runner.Materialize(c, rows)
	if err != nil {
		return nil, err
	}
	defer release()
	sums, err := (&trainingSet{c: c, kept: raw}).reduce(Reduce("ml_tree_rows", doublesType, map[string]string{"labels": labels},
		Ref("features"), Ref("label"), Ref("weight")))
	if err != nil {
		return nil, err
	}
	t := &treeTraining{c: c, rate: 1, seed: int64(p.Int("seed"))}
	b := &treeBins{arity: arity, size: int(sums[0][0]), rows: sums[0][1], weight: sums[0][2]}
	b.values = func(continuous []float64, fraction float64) ([]float64, error) {
		return t.values(raw, continuous, fraction)
	}
	if t.treeTask, err = newTreeTask(p, b); err != nil {
		return nil, err
	}
	return t, t.keep(raw, rows, int64(b.rows))
}

// newTreeTask is a task without its sums.
func newTreeTask(p *Params, b *treeBins) (treeTask, error) {
	t := treeTask{maxDepth: p.Int("maxDepth"), minInstances: float64(p.Int("minInstancesPerNode")),
		minInfoGain: p.Float("minInfoGain"), minWeight: p.Float("minWeightFractionPerNode") * b.weight}
	var err error
	if t.features, err = b.choose(p.Int("maxBins")); err != nil {
		return t, err
	}
	t.together = p.Int("maxMemoryInMB") << 20 / (8 * t.width())
	return t, nil
}

// values are what ml_tree_values says of a share of the rows.
func (t *treeTraining) values(raw plan.Node, continuous []float64, fraction float64) ([]float64, error) {
	if fraction < 1 {
		raw = &plan.Sample{Input: raw, Upper: fraction, Seed: t.seed}
	}
	sums, err := (&trainingSet{c: t.c, kept: raw}).reduce(Reduce("ml_tree_values", doublesType,
		map[string]string{"features": linalg.Text(continuous)}, Ref("features"), Ref("weight")))
	if err != nil {
		return nil, err
	}
	return sums[0], nil
}

// binOptions are what kernels must know of the bins: their number by feature, and whether they take two bytes.
func (t *treeTask) binOptions() map[string]string {
	counts, wide := make([]float64, len(t.features)), false
	for j, f := range t.features {
		counts[j] = float64(f.places)
		wide = wide || f.places > 256
	}
	return map[string]string{"counts": linalg.Text(counts), "wide": strconv.FormatBool(wide)}
}

// smallRows is how many bytes of binned rows may be sent along with every query.
const smallRows = 1 << 20

// keep bins the rows. Few rows are not kept on the workers but sent along, in their order: their sums are then added up in that order whatever
// the number of workers, as Spark does with one partition. Where splits part a leaf's last rows in the same way, such digits decide.
func (t *treeTraining) keep(raw, rows plan.Node, n int64) error {
	if n*int64(len(t.features)+24) <= smallRows {
		b, err := t.c.Collect(t.binned(rows))
		if err != nil {
			return err
		}
		t.release = func() {}
		t.kept, err = localBatch(types.Struct(types.Field{Name: "bins", Type: types.Binary}, types.Field{Name: "label", Type: types.Double},
			types.Field{Name: "weight", Type: types.Double}), b)
		return err
	}
	var err error
	t.kept, t.release, err = t.c.Runner.Materialize(t.c, t.binned(raw))
	return err
}

// binned are the columns bins, label and weight.
func (t *treeTraining) binned(rows plan.Node) plan.Node {
	var thresholds []float64
	for _, f := range t.features {
		if f.arity > 0 {
			thresholds = append(thresholds, -float64(f.arity))
			continue
		}
		thresholds = append(append(thresholds, float64(len(f.thresholds))), f.thresholds...)
	}
	options := t.binOptions()
	options["thresholds"] = linalg.Text(thresholds)
	bins := Kernel("ml_tree_bins", types.Binary, true, options, Ref("features"))
	return &plan.Project{Input: rows, Exprs: []plan.Expr{&plan.Alias{Child: bins, Names: []string{"bins"}}, Ref("label"), Ref("weight")}}
}

// histogram gives a task its sums: rows' labels are what trees, each of which counts by its share, leave to be learned.
func (t *treeTraining) histogram(loss string, trees []tree.Tree, shares []float64) func(tree.Tree, int) ([]float64, error) {
	options := t.histogramOptions(loss, trees, shares)
	from := t.kept
	if t.rate < 1 {
		from = &plan.Sample{Input: from, Upper: t.rate, Seed: t.seed + int64(len(trees))}
	}
	set := &trainingSet{c: t.c, kept: from}
	return func(growing tree.Tree, leaves int) ([]float64, error) {
		options := maps.Clone(options)
		options["growing"], options["leaves"] = tree.Text(growing), strconv.Itoa(leaves)
		sums, err := set.reduce(Reduce("ml_tree_histogram", doublesType, options, Ref("bins"), Ref("label"), Ref("weight")))
		if err != nil {
			return nil, err
		}
		return sums[0], nil
	}
}

// histogramOptions are those of ml_tree_histogram but for the growing tree.
func (t *treeTask) histogramOptions(loss string, trees []tree.Tree, shares []float64) map[string]string {
	options := t.binOptions()
	options["loss"], options["trees"], options["shares"] = loss, tree.Text(trees...), linalg.Text(shares)
	return options
}

// treeBins chooses the bins of features.
type treeBins struct {
	arity        map[int]int // of categorical features
	size         int         // how many features there are
	rows, weight float64
	// values are what ml_tree_values says of features in a sample, which should be this share of the rows.
	values func(features []float64, share float64) ([]float64, error)
}

// splitSample is of how many rows thresholds are chosen, unless there are to be many.
const splitSample = 10000

func (b *treeBins) choose(maxBins int) ([]treeFeature, error) {
	if b.rows == 0 {
		return nil, illegal("DecisionTree requires size of input RDD > 0, but was given by empty one.")
	}
	if b.size == 0 {
		return nil, required("DecisionTree requires number of features > 0, but was given an empty features vector")
	}
	most := int(min(float64(maxBins), b.rows))
	if err := b.fits(most); err != nil {
		return nil, err
	}
	features := make([]treeFeature, b.size)
	var continuous []float64
	for j := range features {
		n := b.arity[j]
		if features[j] = (treeFeature{arity: n, places: n}); n == 0 {
			continuous = append(continuous, float64(j))
		}
	}
	if len(continuous) == 0 {
		return features, nil
	}
	fraction := min(1, float64(max(most*most, splitSample))/b.rows)
	values, err := b.values(continuous, fraction)
	if err != nil {
		return nil, err
	}
	for _, j := range continuous {
		n := int(values[0])
		list := make([]valueWeight, n)
		for i := range list {
			list[i] = valueWeight{values[2+2*i], values[3+2*i]}
		}
		f := &features[int(j)]
		f.thresholds = thresholdsOf(list, values[1], fraction*b.weight, most-1)
		f.places = len(f.thresholds) + 1
		values = values[2+2*n:]
	}
	return features, nil
}

// fits checks that every category can have a bin.
func (b *treeBins) fits(most int) error {
	worst := -1
	for j := range b.size {
		if n := b.arity[j]; n > 0 && (worst < 0 || n > b.arity[worst]) {
			worst = j
		}
	}
	if worst >= 0 && b.arity[worst] > most {
		return required("DecisionTree requires maxBins (= %d) to be at least as large as the number of values in each categorical feature, but categorical feature %d has %d values. Consider removing this and other categorical features with a large number of values, or add more training examples.",
			most, worst, b.arity[worst])
	}
	return nil
}
