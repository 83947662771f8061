package engine

import (
	"millrace/plan"
	"millrace/planconv"
	planpb "millrace/proto/millrace/plan/v1"
	"millrace/types"
	"millrace/vector"
)

// rangeSample is how many rows of a relation are looked at to cut it into ranges.
const rangeSample = 10_000

// ranges cuts the ranges by which relations are to be partitioned. Of each a sample is taken, in which every row comes with the same
// probability, by a query of its own, as in Spark.
func (st *statement) ranges(n plan.Node) (plan.Node, error) {
	return plan.Transform(n, func(n plan.Node) (plan.Node, error) {
		r, ok := n.(*plan.Repartition)
		if !ok || len(r.Ranges) == 0 || r.Cut {
			return n, nil
		}
		return st.cutRanges(r)
	})
}

func (st *statement) cutRanges(r *plan.Repartition) (plan.Node, error) {
	if r.Direct {
		return st.numbered(r)
	}
	id := plan.MaxID(r)
	draw := &plan.Alias{Child: &plan.Call{Name: "rand", Args: []plan.Expr{plan.BigInt(1)}, T: types.Double, Nondetermined: true}, Names: []string{"draw"}, ID: id + 1}
	exprs := []plan.Expr{draw}
	fields := make([]types.Field, len(r.Ranges))
	order := make([]*planpb.SortKey, len(r.Ranges))
	for i, k := range r.Ranges {
		fields[i] = types.Field{Name: "key", Type: plan.TypeOf(k.Child), Nullable: true}
		order[i] = &planpb.SortKey{Descending: k.Desc, NullsFirst: k.NullsSortFirst()}
		exprs = append(exprs, &plan.Alias{Child: k.Child, Names: []string{"key"}, ID: id + 2 + plan.ID(i)})
	}
	drawn := &plan.Sort{Input: &plan.Project{Input: r.Input, Exprs: exprs}, Keys: []*plan.SortOrder{{Child: draw.Attribute()}}}
	rows, err := st.collect(&plan.Limit{Input: drawn, Count: plan.Int(rangeSample)}, rangeSample)
	if err != nil {
		return nil, err
	}
	keys := &vector.Batch{N: len(rows)}
	for i, f := range fields {
		values := make([]any, len(rows))
		for k, row := range rows {
			values[k] = row[i+1]
		}
		keys.Cols = append(keys.Cols, planconv.FromValues(f.Type, values))
	}
	out := *r
	out.Cut, out.Parts = true, r.N
	switch {
	case r.N > 0:
	case len(rows) < rangeSample: // that is all
		out.Parts = 1
	default:
		out.Parts = st.e.o.Runner.Slots()
	}
	bounds, found, err := st.ends(keys, fields, order, out.Parts)
	out.Bounds, out.Parts = bounds, found+1
	return &out, err
}

// numbered makes a range of each partition's number.
func (st *statement) numbered(r *plan.Repartition) (plan.Node, error) {
	numbers := make([]any, r.N)
	for i := range numbers {
		numbers[i] = int64(i)
	}
	field := types.Field{Name: "key", Type: types.Integer}
	order := []*planpb.SortKey{{NullsFirst: true}}
	bounds, found, err := st.ends(&vector.Batch{N: r.N, Cols: []*vector.Vector{planconv.FromValues(field.Type, numbers)}}, []types.Field{field}, order, r.N)
	out := *r
	out.Cut, out.Bounds, out.Parts = true, bounds, found+1
	return &out, err
}
