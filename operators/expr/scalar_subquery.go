package expr

import (
	"millrace/errs"
	"millrace/types"
	"millrace/vector"
)

func init() {
	Register("scalar_subquery", Func{Lazy: func(c *Call, args []Evaluator) (Evaluator, error) {
		return &scalarSubquery{c: c, rows: args[0], value: args[1]}, nil
	}})
}

// scalarSubquery is a correlated subquery's value, unless it has several rows.
type scalarSubquery struct {
	c           *Call
	rows, value Evaluator
}

func (e *scalarSubquery) Type() *types.Type { return e.value.Type() }

func (e *scalarSubquery) Eval(ctx *Ctx, b *vector.Batch, sel []uint32) (*vector.Vector, error) {
	rows, err := e.rows.Eval(ctx, b, sel)
	if err != nil {
		return nil, err
	}
	counts, many := vector.Values[int64](rows), false
	Rows(sel, b.N, func(i int) { many = many || !rows.IsNull(i) && counts[rows.Row(i)] > 1 })
	if many {
		return nil, Wrap(e.c, errs.New("SCALAR_SUBQUERY_TOO_MANY_ROWS"))
	}
	return e.value.Eval(ctx, b, sel)
}
