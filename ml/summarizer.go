package ml

import (
	"millrace/errs"
	"millrace/plan"
	"millrace/types"
	"millrace/vector"
)

var doubleArray = types.ArrayOf(types.Double, false)

// summaryType is the result of the aggregate ml_summary.
var summaryType = types.Struct(types.Field{Name: "count", Type: types.Long}, types.Field{Name: "weight", Type: types.Double},
	types.Field{Name: "mean", Type: doubleArray}, types.Field{Name: "variance", Type: doubleArray},
	types.Field{Name: "max", Type: doubleArray}, types.Field{Name: "min", Type: doubleArray},
	types.Field{Name: "nonZeros", Type: doubleArray}, types.Field{Name: "l1", Type: doubleArray}, types.Field{Name: "squares", Type: doubleArray})

// Summary is what is known of a column of vectors, by place.
type Summary struct {
	Count    int64
	Weight   float64
	Mean     []float64
	Variance []float64 // unbiased
	Max, Min []float64
	NonZeros []float64
	L1       []float64 // weighted sum of absolute values
	Squares  []float64 // weighted sum of squares
}

// Summarize reads a relation once. vectors gives types.VectorUDT; weight a double, nil: 1 for each row. A relation without rows is an error.
func Summarize(c *Context, data plan.Node, vectors, weight plan.Expr) (*Summary, error) {
	if weight == nil {
		weight = &plan.Literal{Value: 1.0, T: types.Double}
	}
	b, err := c.Collect(Aggregated(data, &plan.Alias{Child: Reduce("ml_summary", summaryType, nil, vectors, weight), Names: []string{"summary"}}))
	if err != nil {
		return nil, err
	}
	parts := b.Cols[0].Children
	s := &Summary{Count: vector.Values[int64](parts[0])[0], Weight: vector.Values[float64](parts[1])[0]}
	for i, list := range []*[]float64{&s.Mean, &s.Variance, &s.Max, &s.Min, &s.NonZeros, &s.L1, &s.Squares} {
		v := parts[2+i]
		*list = append([]float64{}, vector.Values[float64](v.Children[0])[v.Offsets[0]:v.Offsets[1]]...)
	}
	if s.Weight == 0 {
		return nil, errs.Newf(errs.Invalid, "requirement failed: Nothing has been added to this summarizer.")
	}
	return s, nil
}
