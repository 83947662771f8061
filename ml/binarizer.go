package ml

import (
	"strings"

	"millrace/plan"
	"millrace/sql"
	"millrace/types"
)

func init() {
	Register(&Class{Name: "org.apache.spark.ml.feature.Binarizer", Kind: Transformer, Transform: binarize, Params: []Param{
		inputCol, inputCols, outputCol, outputCols, {Name: "threshold", Type: DoubleParam, Default: 0.0}, {Name: "thresholds", Type: DoublesParam}}},
		&Class{Name: "org.apache.spark.ml.feature.PolynomialExpansion", Kind: Transformer, Transform: expandPolynomial, Params: []Param{
			inputCol, outputCol, {Name: "degree", Type: IntParam, Default: 2, Valid: AtLeast(1)}}},
		&Class{Name: "org.apache.spark.ml.feature.SQLTransformer", Kind: Transformer, Transform: transformSQL, Params: []Param{
			{Name: "statement", Type: StringParam}}})
}

// binarize is Binarizer.
func binarize(p *Params, in Frame) (plan.Node, error) {
	inputs, outputs, err := columnPairs(p)
	if err != nil {
		return nil, err
	}
	thresholds := p.Floats("thresholds")
	if !p.IsSet("inputCols") || thresholds == nil {
		thresholds = make([]float64, len(inputs))
		for i := range thresholds {
			thresholds[i] = p.Float("threshold")
		}
	}
	if len(thresholds) != len(inputs) {
		return nil, required("Binarizer %s has mismatched Params for multi-column transform. Params (inputCols, outputCols, thresholds) should have equal lengths, but they have different lengths: (%d, %d, %d).",
			p.UID, len(inputs), len(outputs), len(thresholds))
	}
	columns := make([]Column, len(inputs))
	for i, name := range inputs {
		f, err := in.fieldOf(name)
		if err != nil {
			return nil, err
		}
		if err := newColumn(in.Schema, outputs[i]); err != nil {
			return nil, err
		}
		switch {
		case f.Type.Kind == types.KindDouble:
			above := plan.Fn(">", Ref(name), &plan.Literal{Value: thresholds[i], T: types.Double})
			known := plan.Fn("and", plan.Fn("not", plan.Fn("isnan", Ref(name))), above)
			one, zero := &plan.Literal{Value: 1.0, T: types.Double}, &plan.Literal{Value: 0.0, T: types.Double}
			columns[i] = Column{Name: outputs[i], Metadata: Attr{Type: "binary"}.Metadata(), Value: plan.Fn("if", known, one, zero)}
		case f.Type.IsVector():
			columns[i] = Column{Name: outputs[i], Metadata: AttrGroup{Size: GroupOf(f).Size}.Metadata(),
				Value: Kernel("ml_binarize", types.VectorUDT, true, map[string]string{"threshold": option(thresholds[i])}, Ref(name))}
		default:
			return nil, illegal("Data type %s is not supported.", scalaName(f.Type))
		}
	}
	return in.With(columns...), nil
}

// expandPolynomial is PolynomialExpansion.
func expandPolynomial(p *Params, in Frame) (plan.Node, error) {
	f, err := unaryVector(p, in)
	if err != nil {
		return nil, err
	}
	return in.With(Column{Name: p.String("outputCol"), Value: Kernel("ml_polynomial", types.VectorUDT, true,
		map[string]string{"degree": itoa(p.Int("degree"))}, Ref(f.Name))}), nil
}

// transformSQL is SQLTransformer: a statement in which __THIS__ stands for the frame.
func transformSQL(p *Params, in Frame) (plan.Node, error) {
	if err := p.Need("statement"); err != nil {
		return nil, err
	}
	table := strings.ReplaceAll(p.UID, "-", "_") + "__this"
	n, err := sql.ParseStatement(strings.ReplaceAll(p.String("statement"), "__THIS__", types.Quote(table)))
	if err != nil {
		return nil, err
	}
	if _, command := n.(plan.Command); command {
		return nil, illegal("The statement of %s is a command.", p.UID)
	}
	return &plan.With{CTEs: []plan.CTE{{Name: table, Query: in.Node}}, Body: n}, nil
}
