package analyze

import (
	"millrace/plan"
	"millrace/types"
)

// sequenceID is distributed_sequence_id(), by which DataFrame.zipWithIndex and pandas-on-Spark number rows: 0, 1, 2, … in the order of partitions
// and of the rows in them. It counts the rows up to each one over a single window, so that all numbers are given by one task.
func (a *analyzer) sequenceID(s *scope, u *plan.UnresolvedFunction) (plan.Expr, error) {
	if len(u.Args) > 1 {
		return nil, wrongArgs(u.Name, 0, 1, len(u.Args))
	}
	one := &plan.Literal{Value: int64(1), T: types.Long}
	place := &plan.UnresolvedFunction{Name: []string{"monotonically_increasing_id"}, Origin: u.Origin}
	rows := &plan.Window{
		Function: &plan.UnresolvedFunction{Name: []string{"count"}, Args: []plan.Expr{one}, Origin: u.Origin},
		Order:    []*plan.SortOrder{{Child: place}},
		Frame:    &plan.Frame{Rows: true, Lower: plan.Bound{Unbounded: true}, Upper: plan.Bound{Current: true}},
		Origin:   u.Origin,
	}
	e, err := a.expr(s, &plan.UnresolvedFunction{Name: []string{"-"}, Args: []plan.Expr{rows, one}, Origin: u.Origin})
	if c, ok := e.(*plan.Call); ok && err == nil {
		c.Pretty = "distributed_sequence_id()"
	}
	return e, err
}
