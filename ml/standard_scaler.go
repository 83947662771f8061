package ml

import (
	"math"
	"strconv"

	"millrace/plan"
	"millrace/types"
	"millrace/vector/linalg"
)

const (
	scalerName  = "org.apache.spark.ml.feature.StandardScaler"
	scalerModel = scalerName + "Model"
)

var scalerParams = []Param{inputCol, outputCol, {Name: "withMean", Type: BoolParam, Default: false}, {Name: "withStd", Type: BoolParam, Default: true}}

func init() {
	Register(&Class{Name: scalerName, Kind: Estimator, Params: scalerParams, Model: scalerModel, Fit: fitScaler},
		&Class{Name: scalerModel, Kind: ModelClass, Params: scalerParams, Load: loadScaler})
}

// standardScaler holds each place's mean and deviation.
type standardScaler struct{ mean, std []float64 }

var _ Model = (*standardScaler)(nil)

// vectorInput checks a class of one vector column and a new output column.
func vectorInput(p *Params, schema *types.Type) (types.Field, error) {
	if err := p.Need("inputCol"); err != nil {
		return types.Field{}, err
	}
	f, err := VectorColumn(schema, p.String("inputCol"))
	if err != nil {
		return f, err
	}
	return f, newColumn(schema, p.String("outputCol"))
}

// summarizeInput summarises the column that an estimator reads.
func summarizeInput(c *Context, p *Params, data plan.Node) (*Summary, error) {
	schema, err := c.Runner.Schema(c, data)
	if err != nil {
		return nil, err
	}
	if _, err := vectorInput(p, schema); err != nil {
		return nil, err
	}
	return Summarize(c, data, Ref(p.String("inputCol")), nil)
}

func fitScaler(c *Context, p *Params, data plan.Node) (Model, error) {
	s, err := summarizeInput(c, p, data)
	if err != nil {
		return nil, err
	}
	m := &standardScaler{mean: s.Mean, std: s.Variance}
	for i, v := range m.std {
		m.std[i] = math.Sqrt(v)
	}
	return m, nil
}

// Transform implements Model.
func (m *standardScaler) Transform(p *Params, in Frame) (plan.Node, error) {
	if _, err := vectorInput(p, in.Schema); err != nil {
		return nil, err
	}
	shift, factor := noDoubles, noDoubles
	if p.Bool("withMean") {
		shift = Doubles(m.mean)
	}
	if p.Bool("withStd") {
		inverse := make([]float64, len(m.std))
		for i, s := range m.std {
			if s != 0 {
				inverse[i] = 1 / s
			}
		}
		factor = Doubles(inverse)
	}
	return in.With(scaled(p, len(m.mean), "StandardScalerModel", shift, factor)), nil
}

var noDoubles plan.Expr = &plan.Literal{T: doubleArray}

// scaled is the output column of a class that shifts and scales its input's places.
func scaled(p *Params, size int, class string, shift, factor plan.Expr) Column {
	return Column{Name: p.String("outputCol"), Metadata: AttrGroup{Size: size}.Metadata(), Value: Kernel("ml_scale", types.VectorUDT, true,
		map[string]string{"class": class}, Ref(p.String("inputCol")), shift, factor)}
}

// Attribute implements Model.
func (m *standardScaler) Attribute(_ *Context, p *Params, name string, _ []any) (any, error) {
	switch name {
	case "mean":
		return linalg.Dense(m.mean...), nil
	case "std":
		return linalg.Dense(m.std...), nil
	}
	return nil, NotAllowed(p, name)
}

// Describe is toString.
func (m *standardScaler) Describe(p *Params) string {
	return "StandardScalerModel: uid=" + p.UID + ", numFeatures=" + strconv.Itoa(len(m.mean)) + ", withMean=" +
		strconv.FormatBool(p.Bool("withMean")) + ", withStd=" + strconv.FormatBool(p.Bool("withStd"))
}

// Size implements Model.
func (m *standardScaler) Size() int64 { return int64(16 * len(m.mean)) }

// Save implements Model.
func (m *standardScaler) Save(_ *Context, _ *Params, to *Stored) error {
	return to.writeVectors([]string{"std", "mean"}, m.std, m.mean)
}

func loadScaler(_ *Context, _ *Params, from *Stored) (Model, error) {
	v, err := from.readVectors("std", "mean")
	if err != nil {
		return nil, err
	}
	return &standardScaler{std: v[0], mean: v[1]}, nil
}

// writeVectors writes one row of dense vectors.
func (s *Stored) writeVectors(names []string, vectors ...[]float64) error {
	t := &types.Type{Kind: types.KindStruct}
	row := make([]any, len(names))
	for i, name := range names {
		t.Fields = append(t.Fields, types.Field{Name: name, Type: types.VectorUDT, Nullable: true})
		row[i] = linalg.Dense(vectors[i]...).Literal()
	}
	return s.Write("data", t, [][]any{row})
}

// readVectors reads one row of vectors.
func (s *Stored) readVectors(names ...string) ([][]float64, error) {
	row, err := s.Row("data", names...)
	if err != nil {
		return nil, err
	}
	out := make([][]float64, len(names))
	for i, v := range row {
		parts, ok := v.([]any)
		if !ok || len(parts) != 4 {
			return nil, illegal("%s does not hold a vector", names[i])
		}
		out[i] = linalg.FromLiteral(parts).Array()
	}
	return out, nil
}
