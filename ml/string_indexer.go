package ml

import (
	"cmp"
	"sort"

	"millrace/errs"
	"millrace/plan"
	"millrace/types"
	"millrace/vector"
)

const (
	indexerName  = "org.apache.spark.ml.feature.StringIndexer"
	indexerModel = indexerName + "Model"
)

var indexerParams = []Param{inputCol, inputCols, outputCol, outputCols,
	{Name: "handleInvalid", Type: StringParam, Default: "error", Valid: InArray("error", "skip", "keep")},
	{Name: "stringOrderType", Type: StringParam, Default: "frequencyDesc",
		Valid: InArray("frequencyDesc", "frequencyAsc", "alphabetDesc", "alphabetAsc")}}

func init() {
	Register(&Class{Name: indexerName, Kind: Estimator, Params: indexerParams, Model: indexerModel, Fit: fitIndexer},
		&Class{Name: indexerModel, Kind: ModelClass, Params: indexerParams, Load: loadIndexer})
}

// stringIndexer holds the labels of each input column in the order of their indices.
type stringIndexer struct{ labels [][]string }

var _ Model = (*stringIndexer)(nil)

// checkIndexer is the check of types that the estimator and the model share. A column that is not there is an error, or left out of used.
func checkIndexer(p *Params, schema *types.Type, optional bool) (in, out []string, used []int, err error) {
	in, out, err = columnPairs(p)
	if err != nil {
		return nil, nil, nil, err
	}
	for i, name := range out {
		for _, other := range out[:i] {
			if name == other {
				return nil, nil, nil, required("Output columns should not be duplicate.")
			}
		}
	}
	for i, name := range in {
		f, ok := (Frame{Schema: schema}).Field(name)
		if !ok {
			if optional {
				continue
			}
			return nil, nil, nil, errs.Newf(errs.Invalid, "Input column %s does not exist.", name)
		}
		if f.Type.Kind != types.KindString && !f.Type.IsNumeric() {
			return nil, nil, nil, required("The input column %s must be either string type or numeric type, but got %s.", name, scalaName(f.Type))
		}
		if err := newColumn(schema, out[i]); err != nil {
			return nil, nil, nil, err
		}
		used = append(used, i)
	}
	return in, out, used, nil
}

func fitIndexer(c *Context, p *Params, data plan.Node) (Model, error) {
	schema, err := c.Runner.Schema(c, data)
	if err != nil {
		return nil, err
	}
	in, _, _, err := checkIndexer(p, schema, false)
	if err != nil {
		return nil, err
	}
	b, err := c.Collect(countValues(data, in))
	if err != nil {
		return nil, err
	}
	m := &stringIndexer{labels: make([][]string, len(in))}
	counts := make([]map[string]int64, len(in))
	for i := range counts {
		counts[i] = map[string]int64{}
		m.labels[i] = []string{}
	}
	columns, ns := vector.Values[int32](b.Cols[0]), vector.Values[int64](b.Cols[2])
	for k := range b.N {
		if !b.Cols[1].IsNull(k) {
			s := string(b.Cols[1].Str(k))
			i := columns[k]
			m.labels[i], counts[i][s] = append(m.labels[i], s), ns[k]
		}
	}
	for i, labels := range m.labels {
		orderLabels(labels, counts[i], p.String("stringOrderType"))
	}
	return m, nil
}

// countValues counts each column's values as strings: rows of the column's number, value and count.
func countValues(data plan.Node, columns []string) plan.Node {
	var all plan.Node
	for i, name := range columns {
		value := &plan.Alias{Child: &plan.Cast{Child: Ref(name), To: types.String}, Names: []string{"value"}}
		counted := Grouped(&plan.Project{Input: data, Exprs: []plan.Expr{value}}, []plan.Expr{Ref("value")},
			&plan.Alias{Child: plan.Fn("count", plan.Int(1)), Names: []string{"n"}})
		one := plan.Node(&plan.Project{Input: counted, Exprs: []plan.Expr{
			&plan.Alias{Child: &plan.Literal{Value: int64(i), T: types.Integer}, Names: []string{"column"}}, Ref("value"), Ref("n")}})
		if all == nil {
			all = one
		} else {
			all = &plan.SetOp{Kind: plan.UnionOp, All: true, Left: all, Right: one}
		}
	}
	return all
}

// orderLabels sorts by the order's name; equal counts go by the alphabet.
func orderLabels(labels []string, count map[string]int64, order string) {
	sort.Slice(labels, func(i, j int) bool {
		a, b := labels[i], labels[j]
		switch order {
		case "frequencyDesc":
			if d := cmp.Compare(count[b], count[a]); d != 0 {
				return d < 0
			}
		case "frequencyAsc":
			if d := cmp.Compare(count[a], count[b]); d != 0 {
				return d < 0
			}
		case "alphabetDesc":
			return a > b
		}
		return a < b
	})
}

// Transform implements Model.
func (m *stringIndexer) Transform(p *Params, in Frame) (plan.Node, error) {
	inputs, outputs, used, err := checkIndexer(p, in.Schema, true)
	if err != nil {
		return nil, err
	}
	invalid := p.String("handleInvalid")
	var columns []Column
	for _, i := range used {
		text := &plan.Cast{Child: Ref(inputs[i]), To: types.String}
		labels := Strings(m.labels[i])
		if invalid == "skip" {
			in.Node = &plan.Filter{Input: in.Node, Condition: Kernel("ml_known", types.Boolean, false, nil, text, labels)}
		}
		vals := m.labels[i]
		if invalid == "keep" {
			vals = append(append([]string(nil), vals...), "__unknown")
		}
		columns = append(columns, Column{Name: outputs[i], Metadata: Attr{Type: "nominal", Name: outputs[i], Vals: vals}.Metadata(),
			Value: Kernel("ml_index", types.Double, false, map[string]string{"invalid": invalid}, text, labels)})
	}
	return in.With(columns...), nil
}

// Attribute implements Model.
func (m *stringIndexer) Attribute(_ *Context, p *Params, name string, _ []any) (any, error) {
	switch name {
	case "labels":
		if len(m.labels) != 1 {
			return nil, required("This StringIndexerModel is fit by multiple columns. Call `labelsArray` instead.")
		}
		return m.labels[0], nil
	case "labelsArray":
		return m.labels, nil
	}
	return nil, NotAllowed(p, name)
}

// Describe is toString.
func (m *stringIndexer) Describe(p *Params) string {
	s := "StringIndexerModel: uid=" + p.UID + ", handleInvalid=" + p.String("handleInvalid")
	if p.IsSet("inputCols") {
		s += countOf("numInputCols", p.Strings("inputCols"))
	}
	if p.IsSet("outputCols") {
		s += countOf("numOutputCols", p.Strings("outputCols"))
	}
	return s
}

// Size implements Model.
func (m *stringIndexer) Size() int64 {
	n := int64(0)
	for _, labels := range m.labels {
		for _, s := range labels {
			n += int64(16 + len(s))
		}
	}
	return n
}

var indexerData = types.Struct(types.Field{Name: "labelsArray", Type: types.ArrayOf(types.ArrayOf(types.String, true), true), Nullable: true})

// Save implements Model.
func (m *stringIndexer) Save(_ *Context, _ *Params, to *Stored) error {
	rows := make([]any, len(m.labels))
	for i, labels := range m.labels {
		row := make([]any, len(labels))
		for k, s := range labels {
			row[k] = s
		}
		rows[i] = row
	}
	return to.Write("data", indexerData, [][]any{{rows}})
}

func loadIndexer(_ *Context, _ *Params, from *Stored) (Model, error) {
	row, err := from.Row("data", "labelsArray")
	if err != nil {
		return nil, err
	}
	list, _ := row[0].([]any)
	m := &stringIndexer{labels: make([][]string, len(list))}
	for i, labels := range list {
		v, ok := coerce(labels, StringsParam)
		if !ok {
			return nil, errs.Newf(errs.Invalid, "labelsArray does not hold strings")
		}
		m.labels[i] = v.([]string)
	}
	return m, nil
}
