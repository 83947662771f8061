package expr

import (
	"millrace/errs"
	planpb "millrace/proto/millrace/plan/v1"
	"millrace/types"
	"millrace/vector"
)

// Lambda is a compiled lambda among a Lazy form's arguments. The form sets Params to columns of elements and evaluates Body over a
// batch of as many rows, whose columns are as many as the outer batch's; of those, Columns (and Outer's Values) must be
// repeated for each element, all others may be nil.
type Lambda struct {
	Params  []*Param
	Body    Evaluator
	Columns []uint32 // ordinals of the outer batch that the body reads
	Outer   []*Param // enclosing lambdas' parameters that the body reads
	outer   *Lambda
}

// Param is a lambda's parameter; Value is set before the body is evaluated.
type Param struct {
	ID    uint32
	T     *types.Type
	Value *vector.Vector
}

var _ Evaluator = (*Lambda)(nil)

// Type is nil: a lambda has no value.
func (l *Lambda) Type() *types.Type { return nil }

// Eval fails: a lambda has no value.
func (l *Lambda) Eval(*Ctx, *vector.Batch, []uint32) (*vector.Vector, error) {
	return nil, errs.Newf(errs.Internal, "a lambda was evaluated as a value")
}

// Type is the parameter's type.
func (p *Param) Type() *types.Type { return p.T }

// Eval is the value that was set.
func (p *Param) Eval(*Ctx, *vector.Batch, []uint32) (*vector.Vector, error) { return p.Value, nil }

func (c *compiler) variable(id uint32) (Evaluator, error) {
	p := c.vars[id]
	if p == nil {
		return nil, errs.Newf(errs.Internal, "compile expression: lambda variable %d is not bound", id)
	}
	for l := c.uses; l != nil && !l.has(p); l = l.outer {
		l.Outer = append(l.Outer, p)
	}
	return p, nil
}

// has reports whether p is the lambda's own parameter or is already noted.
func (l *Lambda) has(p *Param) bool {
	for _, q := range l.Params {
		if p == q {
			return true
		}
	}
	for _, q := range l.Outer {
		if p == q {
			return true
		}
	}
	return false
}

func (c *compiler) lambda(pb *planpb.Call) (Evaluator, error) {
	l := &Lambda{outer: c.uses}
	last := len(pb.Args) - 1
	for _, a := range pb.Args[:last] {
		p := &Param{ID: a.GetLambdaVar().GetId(), T: typeOf(a)}
		l.Params = append(l.Params, p)
		c.vars[p.ID] = p
	}
	c.uses = l
	body, err := c.compile(pb.Args[last])
	c.uses = l.outer
	l.Body = body
	return l, err
}
