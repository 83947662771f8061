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
	call, ok := e.(*plan.Call)
	if !ok {
		return plan.MapSubquery(e, st.drawn)
	}
	if call.Draw == 0 {
		return e, nil
	}
	c := *call
	if c.Draw = 0; len(c.Args) == physical.SeedAt(c.Name) {
		c.Args = append(slices.Clip(c.Args), plan.BigInt(st.seedOf(call.Draw)))
	}
	return &c, nil
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
