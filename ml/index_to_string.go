package ml

import (
	"millrace/errs"
	"millrace/plan"
	"millrace/types"
)

func init() {
	Register(&Class{Name: "org.apache.spark.ml.feature.IndexToString", Kind: Transformer, Transform: indexToString,
		Params: []Param{inputCol, outputCol, {Name: "labels", Type: StringsParam}}})
	helpers["stringIndexerModelFromLabels"] = func(_ *Objects, _ *Context, args []any) (any, error) { return indexerOf(args, false) }
	helpers["stringIndexerModelFromLabelsArray"] = func(_ *Objects, _ *Context, args []any) (any, error) { return indexerOf(args, true) }
}

// indexToString turns indices back into labels: those that are set, or else those of the column's metadata.
func indexToString(p *Params, in Frame) (plan.Node, error) {
	if err := p.Need("inputCol"); err != nil {
		return nil, err
	}
	f, err := in.fieldOf(p.String("inputCol"))
	if err != nil {
		return nil, err
	}
	if !f.Type.IsNumeric() {
		return nil, required("The input column %s must be a numeric type, but got %s.", f.Name, scalaName(f.Type))
	}
	if err := newColumn(in.Schema, p.String("outputCol")); err != nil {
		return nil, err
	}
	labels := p.Strings("labels")
	if labels == nil {
		a := AttrOf(f)
		if a == nil || a.Type != "nominal" || a.Vals == nil {
			return nil, errs.Newf(errs.Invalid, "The column %s has no labels in its metadata, and the parameter labels is not set.", f.Name)
		}
		labels = a.Vals
	}
	return in.With(Column{Name: p.String("outputCol"), Value: Kernel("ml_label", types.String, true, nil, AsDouble(Ref(f.Name)), Strings(labels))}), nil
}

// indexerOf makes a StringIndexerModel of labels: the model's uid and the labels of one column or of several.
func indexerOf(args []any, several bool) (any, error) {
	bad := errs.Newf(errs.Invalid, "a model of labels takes a uid and labels")
	if len(args) != 2 {
		return nil, bad
	}
	uid, ok := args[0].(string)
	if !ok {
		return nil, bad
	}
	lists := []any{args[1]}
	if several {
		if lists, ok = args[1].([]any); !ok {
			return nil, bad
		}
	}
	m := &stringIndexer{}
	for _, list := range lists {
		labels, ok := coerce(list, StringsParam)
		if !ok {
			return nil, bad
		}
		m.labels = append(m.labels, labels.([]string))
	}
	return Made{Class: indexerModel, UID: uid, Model: m}, nil
}
