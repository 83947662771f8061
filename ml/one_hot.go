package ml

import (
	"strconv"

	"millrace/errs"
	"millrace/plan"
	"millrace/types"
	"millrace/vector"
)

const (
	encoderName  = "org.apache.spark.ml.feature.OneHotEncoder"
	encoderModel = encoderName + "Model"
)

var encoderParams = []Param{inputCol, inputCols, outputCol, outputCols,
	{Name: "handleInvalid", Type: StringParam, Default: "error", Valid: InArray("keep", "error")},
	{Name: "dropLast", Type: BoolParam, Default: true}}

func init() {
	Register(&Class{Name: encoderName, Kind: Estimator, Params: encoderParams, Model: encoderModel, Fit: fitEncoder},
		&Class{Name: encoderModel, Kind: ModelClass, Params: encoderParams, Load: loadEncoder})
}

// oneHotEncoder holds the number of categories of each input column.
type oneHotEncoder struct{ sizes []int }

var _ Model = (*oneHotEncoder)(nil)

func checkEncoder(p *Params, schema *types.Type) (in, out []string, fields []types.Field, err error) {
	in, out, err = columnPairs(p)
	if err != nil {
		return nil, nil, nil, err
	}
	fields = make([]types.Field, len(in))
	for i, name := range in {
		if fields[i], err = NumericColumn(schema, name); err != nil {
			return nil, nil, nil, err
		}
		if err := newColumn(schema, out[i]); err != nil {
			return nil, nil, nil, err
		}
	}
	return in, out, fields, nil
}

// categoryNames are the names of a column's categories by its metadata; nil when they are not known.
func categoryNames(f types.Field) ([]string, error) {
	a := AttrOf(f)
	switch {
	case a == nil:
		return nil, nil
	case a.Type == "numeric":
		e := errs.Newf(errs.Invalid, "The input column %s cannot be continuous-value.", f.Name)
		e.Class = errs.ClassRuntime
		return nil, e
	case len(a.Vals) > 0:
		return a.Vals, nil
	case a.Values() > 0:
		return numbered(a.Values()), nil
	}
	return nil, nil
}

func numbered(n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = strconv.Itoa(i)
	}
	return names
}

func fitEncoder(c *Context, p *Params, data plan.Node) (Model, error) {
	schema, err := c.Runner.Schema(c, data)
	if err != nil {
		return nil, err
	}
	in, _, fields, err := checkEncoder(p, schema)
	if err != nil {
		return nil, err
	}
	m := &oneHotEncoder{sizes: make([]int, len(in))}
	var unknown []int
	for i, f := range fields {
		names, err := categoryNames(f)
		if err != nil {
			return nil, err
		}
		if m.sizes[i] = len(names); names == nil {
			unknown = append(unknown, i)
		}
	}
	if len(unknown) == 0 {
		return m, nil
	}
	return m, m.scan(c, data, in, unknown)
}

// scan finds the greatest index of columns whose metadata does not say.
func (m *oneHotEncoder) scan(c *Context, data plan.Node, in []string, unknown []int) error {
	var calls []plan.Expr
	for _, i := range unknown {
		x := AsDouble(Ref(in[i]))
		bad := plan.Fn("or", plan.Fn("<", x, plan.Int(0)), plan.Fn("!=", x, plan.Fn("floor", x)))
		calls = append(calls, named("most", i, plan.Fn("max", x)), named("nulls", i, plan.Fn("count_if", plan.Fn("isnull", x))),
			named("bad", i, plan.Fn("max", plan.Fn("if", bad, x, &plan.Literal{T: types.Double}))))
	}
	b, err := c.Collect(Aggregated(data, calls...))
	if err != nil {
		return err
	}
	for k, i := range unknown {
		most, nulls, bad := b.Cols[3*k], b.Cols[3*k+1], b.Cols[3*k+2]
		if vector.Values[int64](nulls)[0] > 0 {
			return errs.New("ROW_VALUE_IS_NULL", "index", strconv.Itoa(k))
		}
		if !bad.IsNull(0) {
			return errs.Newf(errs.Invalid, "assertion failed: Values from column %s must be indices, but got %s.", in[i], showDouble(vector.Values[float64](bad)[0]))
		}
		m.sizes[i] = 1
		if !most.IsNull(0) {
			m.sizes[i] = int(vector.Values[float64](most)[0]) + 1
		}
	}
	return nil
}

func named(name string, i int, e plan.Expr) plan.Expr {
	return &plan.Alias{Child: e, Names: []string{name + strconv.Itoa(i)}}
}

// Transform implements Model.
func (m *oneHotEncoder) Transform(p *Params, in Frame) (plan.Node, error) {
	inputs, outputs, fields, err := checkEncoder(p, in.Schema)
	if err != nil {
		return nil, err
	}
	if len(inputs) != len(m.sizes) {
		return nil, required("The number of input columns %d must be the same with the number of features %d during fitting.", len(inputs), len(m.sizes))
	}
	keep, drop := p.String("handleInvalid") == "keep", p.Bool("dropLast")
	columns := make([]Column, len(inputs))
	for i, name := range inputs {
		names, err := categoryNames(fields[i])
		if err != nil {
			return nil, err
		}
		if names != nil && len(names) > m.sizes[i] {
			return nil, required("OneHotEncoderModel expected %d categorical values for input column %s, but the input column had metadata specifying %d values.", m.sizes[i], name, len(names))
		}
		if names == nil {
			names = numbered(m.sizes[i])
		}
		size := m.sizes[i]
		switch {
		case drop && !keep:
			size--
			names = names[:max(len(names)-1, 0)]
		case !drop && keep:
			size++
			names = append(append([]string(nil), names...), "invalidValues")
		}
		columns[i] = Column{Name: outputs[i], Metadata: binaryGroup(names), Value: Kernel("ml_one_hot", types.VectorUDT, true,
			map[string]string{"categories": strconv.Itoa(m.sizes[i]), "size": strconv.Itoa(size), "invalid": p.String("handleInvalid")},
			AsDouble(Ref(name)))}
	}
	return in.With(columns...), nil
}

func binaryGroup(names []string) string {
	g := AttrGroup{Size: len(names), Attrs: make([]Attr, len(names))}
	for i, name := range names {
		g.Attrs[i] = Attr{Type: "binary", Name: name, Index: i}
	}
	return g.Metadata()
}

// Attribute implements Model.
func (m *oneHotEncoder) Attribute(_ *Context, p *Params, name string, _ []any) (any, error) {
	if name == "categorySizes" {
		return m.sizes, nil
	}
	return nil, NotAllowed(p, name)
}

// Describe is toString.
func (m *oneHotEncoder) Describe(p *Params) string {
	s := "OneHotEncoderModel: uid=" + p.UID + ", dropLast=" + strconv.FormatBool(p.Bool("dropLast")) + ", handleInvalid=" + p.String("handleInvalid")
	if p.IsSet("inputCols") {
		s += countOf("numInputCols", p.Strings("inputCols"))
	}
	if p.IsSet("outputCols") {
		s += countOf("numOutputCols", p.Strings("outputCols"))
	}
	return s
}

func countOf(name string, list []string) string { return ", " + name + "=" + strconv.Itoa(len(list)) }

// Size implements Model.
func (m *oneHotEncoder) Size() int64 { return int64(8 * len(m.sizes)) }

var encoderData = types.Struct(types.Field{Name: "categorySizes", Type: types.ArrayOf(types.Integer, false), Nullable: true})

// Save implements Model.
func (m *oneHotEncoder) Save(_ *Context, _ *Params, to *Stored) error {
	sizes := make([]any, len(m.sizes))
	for i, n := range m.sizes {
		sizes[i] = int64(n)
	}
	return to.Write("data", encoderData, [][]any{{sizes}})
}

func loadEncoder(_ *Context, _ *Params, from *Stored) (Model, error) {
	row, err := from.Row("data", "categorySizes")
	if err != nil {
		return nil, err
	}
	v, ok := coerce(row[0], IntsParam)
	if !ok {
		return nil, errs.Newf(errs.Invalid, "categorySizes does not hold integers")
	}
	m := &oneHotEncoder{}
	for _, n := range v.([]int64) {
		m.sizes = append(m.sizes, int(n))
	}
	return m, nil
}
