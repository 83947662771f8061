package expr

import (
	"millrace/types"
	"millrace/vector"
)

func init() {
	Register("unwrap_udt", Func{Lazy: func(c *Call, args []Evaluator) (Evaluator, error) { return &unwrapped{Evaluator: args[0], c: c}, nil }})
}

// unwrapped is a column of a user-defined type under the name of what it is stored as.
type unwrapped struct {
	Evaluator
	c   *Call
	out vector.Vector
}

// Type implements Evaluator.
func (u *unwrapped) Type() *types.Type { return u.c.Out }

// Eval implements Evaluator.
func (u *unwrapped) Eval(ctx *Ctx, b *vector.Batch, sel []uint32) (*vector.Vector, error) {
	v, err := u.Evaluator.Eval(ctx, b, sel)
	if err != nil {
		return nil, err
	}
	u.out = *v
	u.out.Type = u.c.Out
	if v.Dict != nil {
		dict := *v.Dict
		dict.Type = u.c.Out
		u.out.Dict = &dict
	}
	return &u.out, nil
}
