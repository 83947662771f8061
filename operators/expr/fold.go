package expr

import (
	"context"

	"millrace/planconv"
	planpb "millrace/proto/millrace/plan/v1"
	"millrace/vector"
)

// Fold computes an expression that reads no columns. The error is the one that evaluation would raise.
func Fold(e *planpb.Expr, s *planpb.Settings) (*planpb.Literal, error) {
	ev, err := Compile(e, nil, s)
	if err != nil {
		return nil, err
	}
	v, err := ev.Eval(&Ctx{Context: context.Background(), Settings: s}, &vector.Batch{N: 1}, nil)
	if err != nil {
		return nil, err
	}
	return planconv.Literal(planconv.At(v, 0)), nil
}
