package engine

import (
	"math/rand/v2"
	"slices"

	"millrace/physical"
	"millrace/plan"
)

// drawn gives the calls of chance in a WITH query that several places read one seed in all of them.
func (st *statement) drawn(n plan.Node) (plan.Node, error) {
	return plan.Transform(n, func(n plan.Node) (plan.Node, error) {
		return plan.MapExprs(n, func(e plan.Expr) (plan.Expr, error) { return plan.TransformExpr(e, st.drawnCall) })
	})
}

func (st *statement) drawnCall(e plan.Expr) (plan.Expr, error) {
	switch e := e.(type) {
	case *plan.Call:
		if e.Draw == 0 {
			return e, nil
		}
		c := *e
		if c.Draw = 0; len(c.Args) == physical.SeedAt(c.Name) {
			c.Args = append(slices.Clip(c.Args), plan.BigInt(st.seedOf(e.Draw)))
		}
		return &c, nil
	case *plan.Subquery:
		inner, err := st.drawn(e.Plan)
		if err != nil || inner == e.Plan {
			return e, err
		}
		q := *e
		q.Plan = inner
		return &q, nil
	}
	return e, nil
}

func (st *statement) seedOf(draw plan.ID) int64 {
	seed, ok := st.draws[draw]
	if !ok {
		if st.draws == nil {
			st.draws = map[plan.ID]int64{}
		}
		seed = rand.Int64()
		st.draws[draw] = seed
	}
	return seed
}
