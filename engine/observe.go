package engine

import (
	"context"
	"slices"

	"millrace/operators"
	"millrace/operators/expr"
	"millrace/physical"
	"millrace/plan"
	"millrace/planconv"
	"millrace/session"
	"millrace/vector"
)

// Told is what operators have told of observations, by their numbers.
func Told(all map[uint32]*operators.OperatorMetrics) map[uint32][][]byte {
	told := map[uint32][][]byte{}
	for id, o := range all {
		if len(o.Observed) > 0 {
			told[id] = o.Observed
		}
	}
	return told
}

// observedRows are the rows of a query with observations, which are made when the last row was read.
type observedRows struct {
	Rows
	st   *statement
	list []physical.Observed
}

// Next implements Rows.
func (r *observedRows) Next(ctx context.Context) (*vector.Batch, error) {
	b, err := r.Rows.Next(ctx)
	if b == nil && err == nil && r.list != nil {
		err = r.observe()
	}
	return b, err
}

// observe makes the statement's observations. Of several of one name, which are of equal relations, the first is taken.
func (r *observedRows) observe() error {
	told := r.Rows.Metrics().Told
	list := r.list
	r.list = nil
	for _, o := range list {
		if slices.ContainsFunc(r.st.observed, func(x session.Observation) bool { return x.Name == o.Name }) {
			continue
		}
		x, err := r.st.observation(o, told[o.Operator])
		if err != nil {
			return err
		}
		r.st.observed = append(r.st.observed, x)
	}
	return nil
}

// Worker implements Placed.
func (r *observedRows) Worker(task int) string {
	if p, ok := r.Rows.(Placed); ok {
		return p.Worker(task)
	}
	return ""
}

func (st *statement) observation(o physical.Observed, states [][]byte) (session.Observation, error) {
	x := session.Observation{Name: o.Name, PlanID: o.PlanID}
	row, err := operators.Observed(o.Observe, states, expr.Ctx{Context: st.ctx, Settings: st.settings})
	if err != nil {
		return x, err
	}
	for i, a := range o.Attrs {
		x.Keys = append(x.Keys, a.Name)
		x.Values = append(x.Values, &plan.Literal{Value: planconv.At(row.Cols[i], 0), T: a.T})
	}
	return x, nil
}
