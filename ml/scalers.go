package ml

import (
	"math"
	"strconv"

	"millrace/plan"
	"millrace/types"
	"millrace/vector/linalg"
)

const (
	minMaxName  = "org.apache.spark.ml.feature.MinMaxScaler"
	minMaxModel = minMaxName + "Model"
	maxAbsName  = "org.apache.spark.ml.feature.MaxAbsScaler"
	maxAbsModel = maxAbsName + "Model"
)

var (
	minMaxParams = []Param{inputCol, outputCol, {Name: "min", Type: DoubleParam, Default: 0.0}, {Name: "max", Type: DoubleParam, Default: 1.0}}
	maxAbsParams = []Param{inputCol, outputCol}
)

func init() {
	Register(&Class{Name: minMaxName, Kind: Estimator, Params: minMaxParams, Model: minMaxModel, Fit: fitMinMax},
		&Class{Name: minMaxModel, Kind: ModelClass, Params: minMaxParams, Load: loadMinMax},
		&Class{Name: maxAbsName, Kind: Estimator, Params: maxAbsParams, Model: maxAbsModel, Fit: fitMaxAbs},
		&Class{Name: maxAbsModel, Kind: ModelClass, Params: maxAbsParams, Load: loadMaxAbs},
		&Class{Name: "org.apache.spark.ml.feature.Normalizer", Kind: Transformer, Transform: normalize,
			Params: []Param{inputCol, outputCol, {Name: "p", Type: DoubleParam, Default: 2.0, Valid: AtLeast(1)}}})
}

// minMaxScaler holds each place's least and greatest value.
type minMaxScaler struct{ min, max linalg.Vector }

// maxAbsScaler holds each place's greatest absolute value.
type maxAbsScaler struct{ max linalg.Vector }

var (
	_ Model = (*minMaxScaler)(nil)
	_ Model = (*maxAbsScaler)(nil)
)

func checkMinMax(p *Params, schema *types.Type) error {
	if low, high := p.Float("min"), p.Float("max"); low >= high {
		return required("The specified min(%s) is larger or equal to max(%s)", showDouble(low), showDouble(high))
	}
	_, err := vectorInput(p, schema)
	return err
}

func fitMinMax(c *Context, p *Params, data plan.Node) (Model, error) {
	schema, err := c.Runner.Schema(c, data)
	if err != nil {
		return nil, err
	}
	if err := checkMinMax(p, schema); err != nil {
		return nil, err
	}
	s, err := Summarize(c, data, Ref(p.String("inputCol")), nil)
	if err != nil {
		return nil, err
	}
	return &minMaxScaler{min: linalg.Dense(s.Min...).Compressed(), max: linalg.Dense(s.Max...).Compressed()}, nil
}

// Transform implements Model.
func (m *minMaxScaler) Transform(p *Params, in Frame) (plan.Node, error) {
	if err := checkMinMax(p, in.Schema); err != nil {
		return nil, err
	}
	low, high := p.Float("min"), p.Float("max")
	least, factor := m.min.Array(), make([]float64, m.min.Size)
	for i, most := range m.max.Array() {
		if span := most - least[i]; span != 0 {
			factor[i] = (high - low) / span
		}
	}
	options := map[string]string{"min": option(low), "constant": option((low + high) / 2)}
	return in.With(Column{Name: p.String("outputCol"), Metadata: AttrGroup{Size: m.min.Size}.Metadata(),
		Value: Kernel("ml_rescale", types.VectorUDT, true, options, Ref(p.String("inputCol")), Doubles(least), Doubles(factor))}), nil
}

// option writes a number so that kernels read the same.
func option(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }

// Attribute implements Model.
func (m *minMaxScaler) Attribute(_ *Context, p *Params, name string, _ []any) (any, error) {
	switch name {
	case "originalMin":
		return m.min, nil
	case "originalMax":
		return m.max, nil
	}
	return nil, NotAllowed(p, name)
}

// Describe is toString.
func (m *minMaxScaler) Describe(p *Params) string {
	return "MinMaxScalerModel: uid=" + p.UID + ", numFeatures=" + itoa(m.min.Size) + ", min=" + showDouble(p.Float("min")) + ", max=" + showDouble(p.Float("max"))
}

// Size implements Model.
func (m *minMaxScaler) Size() int64 { return int64(16 * m.min.Size) }

// Save implements Model.
func (m *minMaxScaler) Save(_ *Context, _ *Params, to *Stored) error {
	return to.writeVectors([]string{"originalMin", "originalMax"}, m.min.Array(), m.max.Array())
}

func loadMinMax(_ *Context, _ *Params, from *Stored) (Model, error) {
	v, err := from.readVectors("originalMin", "originalMax")
	if err != nil {
		return nil, err
	}
	return &minMaxScaler{min: linalg.Dense(v[0]...), max: linalg.Dense(v[1]...)}, nil
}

func fitMaxAbs(c *Context, p *Params, data plan.Node) (Model, error) {
	s, err := summarizeInput(c, p, data)
	if err != nil {
		return nil, err
	}
	greatest := make([]float64, len(s.Max))
	for i := range greatest {
		greatest[i] = math.Max(math.Abs(s.Min[i]), math.Abs(s.Max[i]))
	}
	return &maxAbsScaler{max: linalg.Dense(greatest...).Compressed()}, nil
}

// Transform implements Model.
func (m *maxAbsScaler) Transform(p *Params, in Frame) (plan.Node, error) {
	if _, err := vectorInput(p, in.Schema); err != nil {
		return nil, err
	}
	factor := append([]float64(nil), m.max.Array()...)
	for i, x := range factor {
		if factor[i] = 1; x != 0 {
			factor[i] = 1 / x
		}
	}
	return in.With(scaled(p, m.max.Size, "MaxAbsScalerModel", noDoubles, Doubles(factor))), nil
}

// Attribute implements Model.
func (m *maxAbsScaler) Attribute(_ *Context, p *Params, name string, _ []any) (any, error) {
	if name == "maxAbs" {
		return m.max, nil
	}
	return nil, NotAllowed(p, name)
}

// Describe is toString.
func (m *maxAbsScaler) Describe(p *Params) string {
	return "MaxAbsScalerModel: uid=" + p.UID + ", numFeatures=" + itoa(m.max.Size)
}

// Size implements Model.
func (m *maxAbsScaler) Size() int64 { return int64(8 * m.max.Size) }

// Save implements Model.
func (m *maxAbsScaler) Save(_ *Context, _ *Params, to *Stored) error {
	return to.writeVectors([]string{"maxAbs"}, m.max.Array())
}

func loadMaxAbs(_ *Context, _ *Params, from *Stored) (Model, error) {
	v, err := from.readVectors("maxAbs")
	if err != nil {
		return nil, err
	}
	return &maxAbsScaler{max: linalg.Dense(v[0]...)}, nil
}

// unaryVector checks a transformer of one vector column.
func unaryVector(p *Params, in Frame) (types.Field, error) {
	if err := p.Need("inputCol"); err != nil {
		return types.Field{}, err
	}
	f, err := in.fieldOf(p.String("inputCol"))
	if err != nil {
		return f, err
	}
	if !f.Type.IsVector() {
		return f, required("Input type must be %s but got %s.", types.VectorUDT, f.Type)
	}
	for _, other := range in.Schema.Fields {
		if other.Name == p.String("outputCol") {
			return f, illegal("Output column %s already exists.", other.Name)
		}
	}
	return f, nil
}

// normalize is Normalizer.
func normalize(p *Params, in Frame) (plan.Node, error) {
	f, err := unaryVector(p, in)
	if err != nil {
		return nil, err
	}
	return in.With(Column{Name: p.String("outputCol"), Metadata: AttrGroup{Size: GroupOf(f).Size}.Metadata(),
		Value: Kernel("ml_normalize", types.VectorUDT, true, map[string]string{"p": option(p.Float("p"))}, Ref(f.Name))}), nil
}
