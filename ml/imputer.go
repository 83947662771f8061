package ml

import (
	"math"

	"millrace/errs"
	"millrace/plan"
	"millrace/planconv"
	"millrace/types"
	"millrace/vector"
)

const (
	imputerName  = "org.apache.spark.ml.feature.Imputer"
	imputerModel = imputerName + "Model"
)

var imputerParams = []Param{inputCol, inputCols, outputCol, outputCols,
	{Name: "strategy", Type: StringParam, Default: "mean", Valid: InArray("mean", "median", "mode")},
	{Name: "missingValue", Type: DoubleParam, Default: math.NaN()},
	{Name: "relativeError", Type: DoubleParam, Default: 0.001, Valid: Within(0, 1)}}

func init() {
	Register(&Class{Name: imputerName, Kind: Estimator, Params: imputerParams, Model: imputerModel, Fit: fitImputer},
		&Class{Name: imputerModel, Kind: ModelClass, Params: imputerParams, Load: loadImputer})
}

// imputer holds the values that stand for missing ones, by input column.
type imputer struct {
	columns []string
	values  []float64
}

var _ Model = (*imputer)(nil)

func checkImputer(p *Params, schema *types.Type) (in, out []string, err error) {
	in, out, err = columnPairs(p)
	if err != nil {
		return nil, nil, err
	}
	for i, name := range in {
		if _, err := NumericColumn(schema, name); err != nil {
			return nil, nil, err
		}
		for _, f := range schema.Fields {
			if f.Name == out[i] && out[i] != name {
				return nil, nil, required("Output column %s already exists.", out[i])
			}
		}
	}
	return in, out, nil
}

// missing is true where a number is null or the missing value.
func missing(x plan.Expr, value float64) plan.Expr {
	is := plan.Expr(plan.Fn("=", x, &plan.Literal{Value: value, T: types.Double}))
	if math.IsNaN(value) {
		is = plan.Fn("isnan", x)
	}
	return plan.Fn("or", plan.Fn("isnull", x), is)
}

func fitImputer(c *Context, p *Params, data plan.Node) (Model, error) {
	schema, err := c.Runner.Schema(c, data)
	if err != nil {
		return nil, err
	}
	in, _, err := checkImputer(p, schema)
	if err != nil {
		return nil, err
	}
	m := &imputer{columns: in, values: make([]float64, len(in))}
	kept := make([]plan.Expr, len(in))
	for i, name := range in {
		x := AsDouble(Ref(name))
		unusable := plan.Fn("or", missing(x, p.Float("missingValue")), plan.Fn("isnan", x))
		kept[i] = plan.Fn("if", unusable, &plan.Literal{T: types.Double}, x)
	}
	var values []any
	if p.String("strategy") == "mode" {
		values, err = modes(c, data, kept)
	} else {
		values, err = centres(c, data, kept, p.String("strategy"))
	}
	if err != nil {
		return nil, err
	}
	for i, v := range values {
		x, ok := v.(float64)
		if !ok {
			return nil, errs.Newf(errs.Invalid, "surrogate cannot be computed. All the values in %s are Null, Nan or missingValue(%s)", in[i], showDouble(p.Float("missingValue")))
		}
		m.values[i] = x
	}
	return m, nil
}

// centres are the means or medians of columns.
func centres(c *Context, data plan.Node, columns []plan.Expr, strategy string) ([]any, error) {
	calls := make([]plan.Expr, len(columns))
	for i, x := range columns {
		calls[i] = named("mean", i, plan.Fn("avg", x))
		if strategy == "median" {
			calls[i] = named("median", i, plan.Fn("percentile_approx", x, &plan.Literal{Value: 0.5, T: types.Double}))
		}
	}
	b, err := c.Collect(Aggregated(data, calls...))
	if err != nil {
		return nil, err
	}
	return rowOf(b), nil
}

func rowOf(b *vector.Batch) []any {
	row := make([]any, len(b.Cols))
	for i, v := range b.Cols {
		row[i] = planconv.At(v, 0)
	}
	return row
}

// modes are the most frequent values of columns, the least of equally frequent ones.
func modes(c *Context, data plan.Node, columns []plan.Expr) ([]any, error) {
	out := make([]any, len(columns))
	for i, x := range columns {
		value := &plan.Project{Input: data, Exprs: []plan.Expr{&plan.Alias{Child: x, Names: []string{"value"}}}}
		known := &plan.Filter{Input: value, Condition: plan.Fn("isnotnull", Ref("value"))}
		counted := Grouped(known, []plan.Expr{Ref("value")}, &plan.Alias{Child: plan.Fn("count", plan.Int(1)), Names: []string{"n"}})
		b, err := c.Collect(&plan.Limit{Count: plan.Int(1), Input: &plan.Sort{Input: counted, Keys: []*plan.SortOrder{
			{Child: Ref("n"), Desc: true}, {Child: Ref("value")}}}})
		if err != nil {
			return nil, err
		}
		if b.N > 0 {
			out[i] = planconv.At(b.Cols[0], 0)
		}
	}
	return out, nil
}

// Transform implements Model.
func (m *imputer) Transform(p *Params, in Frame) (plan.Node, error) {
	inputs, outputs, err := checkImputer(p, in.Schema)
	if err != nil {
		return nil, err
	}
	columns := make([]Column, len(inputs))
	for i, name := range inputs {
		value, ok := m.surrogate(name)
		if !ok {
			return nil, required("The column %s was not among those of the fit.", name)
		}
		f, err := in.fieldOf(name)
		if err != nil {
			return nil, err
		}
		x := AsDouble(Ref(name))
		filled := plan.Fn("if", missing(x, p.Float("missingValue")), &plan.Literal{Value: value, T: types.Double}, x)
		columns[i] = Column{Name: outputs[i], Value: &plan.Cast{Child: filled, To: f.Type}}
	}
	return in.With(columns...), nil
}

func (m *imputer) surrogate(column string) (float64, bool) {
	for i, name := range m.columns {
		if name == column {
			return m.values[i], true
		}
	}
	return 0, false
}

// frame is the surrogates as one row.
func (m *imputer) frame() (*types.Type, [][]any) {
	t, row := &types.Type{Kind: types.KindStruct}, make([]any, len(m.values))
	for i, x := range m.values {
		t.Fields = append(t.Fields, types.Field{Name: m.columns[i], Type: types.Double, Nullable: true})
		row[i] = x
	}
	return t, [][]any{row}
}

// Attribute implements Model.
func (m *imputer) Attribute(_ *Context, p *Params, name string, _ []any) (any, error) {
	if name == "surrogateDF" {
		t, rows := m.frame()
		return localRows(t, rows)
	}
	return nil, NotAllowed(p, name)
}

// Describe is toString.
func (m *imputer) Describe(p *Params) string {
	s := "ImputerModel: uid=" + p.UID + ", strategy=" + p.String("strategy") + ", missingValue=" + showDouble(p.Float("missingValue"))
	if p.IsSet("inputCols") {
		s += countOf("numInputCols", p.Strings("inputCols"))
	}
	if p.IsSet("outputCols") {
		s += countOf("numOutputCols", p.Strings("outputCols"))
	}
	return s
}

// Size implements Model.
func (m *imputer) Size() int64 { return int64(32 * len(m.values)) }

// Save implements Model.
func (m *imputer) Save(_ *Context, _ *Params, to *Stored) error {
	t, rows := m.frame()
	return to.Write("data", t, rows)
}

func loadImputer(_ *Context, p *Params, from *Stored) (Model, error) {
	in, _, err := columnPairs(p)
	if err != nil {
		return nil, err
	}
	row, err := from.Row("data", in...)
	if err != nil {
		return nil, err
	}
	m := &imputer{columns: in}
	for i, v := range row {
		x, ok := v.(float64)
		if !ok {
			return nil, illegal("the surrogate of %s is not a number", in[i])
		}
		m.values = append(m.values, x)
	}
	return m, nil
}
