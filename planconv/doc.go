// Package planconv converts between the physical plan's messages and the program's own values: types both ways, and
// constants between plan.Literal's form (any), planpb.Literal and vectors.
//
//	t := planconv.Type(pb.Type)
//	v := planconv.Const(pb.GetLiteral(), t)
//
// It knows nothing of expressions or operators.
package planconv
