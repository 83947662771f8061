package ml

import (
	"strconv"
	"strings"

	"millrace/errs"
	"millrace/plan"
	"millrace/types"
)

const assemblerName = "org.apache.spark.ml.feature.VectorAssembler"

func init() {
	Register(&Class{Name: assemblerName, Kind: Transformer, Transform: assemble, Params: []Param{inputCols, outputCol,
		{Name: "handleInvalid", Type: StringParam, Default: "error", Valid: InArray("error", "skip", "keep")}}})
}

// assemble is VectorAssembler.
func assemble(p *Params, in Frame) (plan.Node, error) {
	if err := p.Need("inputCols"); err != nil {
		return nil, err
	}
	a := &assembly{invalid: p.String("handleInvalid"), frame: in}
	for _, name := range p.Strings("inputCols") {
		if err := a.add(name); err != nil {
			return nil, err
		}
	}
	out := p.String("outputCol")
	for _, f := range in.Schema.Fields {
		if f.Name == out {
			return nil, illegal("Output column %s already exists.", out)
		}
	}
	meta := ""
	if !a.unknown {
		meta = AttrGroup{Attrs: a.attrs, Size: len(a.attrs)}.Metadata()
	}
	if a.invalid == "skip" {
		a.frame.Node = dropInvalid(a.frame, p.Strings("inputCols"))
	}
	options := map[string]string{"invalid": a.invalid, "lengths": strings.Join(a.lengths, ",")}
	return a.frame.With(Column{Name: out, Metadata: meta, Value: Kernel("ml_assemble", types.VectorUDT, true, options, a.args...)}), nil
}

// assembly is what is known of the columns so far.
type assembly struct {
	frame   Frame
	invalid string
	args    []plan.Expr
	lengths []string
	attrs   []Attr
	unknown bool // the size of a vector is not known
}

func (a *assembly) add(name string) error {
	f, err := a.frame.fieldOf(name)
	if err != nil {
		return err
	}
	switch {
	case f.Type.IsVector():
		return a.addVector(name, f)
	case f.Type.Kind == types.KindDouble:
		attr := Attr{Type: "numeric"}
		if known := AttrOf(f); known != nil {
			attr = *known
		}
		attr.Name = name
		a.attrs, a.lengths = append(a.attrs, attr), append(a.lengths, "1")
		a.args = append(a.args, Ref(name))
	case f.Type.IsNumeric(), f.Type.Kind == types.KindBoolean:
		a.attrs, a.lengths = append(a.attrs, Attr{Type: "numeric", Name: name}), append(a.lengths, "1")
		a.args = append(a.args, AsDouble(Ref(name)))
	default:
		return illegal("Data type %s of column %s is not supported.", f.Type, name)
	}
	return nil
}

func (a *assembly) addVector(name string, f types.Field) error {
	g := GroupOf(f)
	a.args = append(a.args, Ref(name))
	a.lengths = append(a.lengths, strconv.Itoa(max(g.Size, 0)))
	if g.Size < 0 {
		if a.invalid == "keep" {
			e := errs.Newf(errs.Invalid, "Can not infer column lengths with handleInvalid = \"keep\". Consider using VectorSizeHint to add metadata for columns: [%s].", name)
			e.Class = errs.ClassRuntime
			return e
		}
		a.unknown = true
		return nil
	}
	for i := range g.Size {
		attr := Attr{Type: "numeric"}
		if g.Attrs != nil {
			attr = g.Attrs[i]
		}
		if attr.Name == "" {
			attr.Name = strconv.Itoa(i)
		}
		attr.Name = name + "_" + attr.Name
		a.attrs = append(a.attrs, attr)
	}
	return nil
}

// dropInvalid removes the rows in which a column is null or NaN.
func dropInvalid(in Frame, columns []string) plan.Node {
	n := in.Node
	for _, name := range columns {
		n = &plan.Filter{Input: n, Condition: plan.Fn("isnotnull", Ref(name))}
		if f, _ := in.Field(name); f.Type.IsFloating() {
			n = &plan.Filter{Input: n, Condition: plan.Fn("not", plan.Fn("isnan", Ref(name)))}
		}
	}
	return n
}
