package analyze

import "millrace/plan"

// settled is a resolved relation inside one that is still to be resolved.
type settled struct{ plan.Node }

// deferred resolves the input of a relation that depends on its columns, and then the relation.
func (a *analyzer) deferred(n *plan.Deferred) (plan.Node, error) {
	in, err := a.node(n.Input)
	if err != nil {
		return nil, err
	}
	made, err := n.Make(plan.Schema(in), &settled{in})
	if err != nil {
		return nil, err
	}
	return a.node(made)
}

// argumentsOf resolves the columns that the maker of a resolved call knew by name only.
func (a *analyzer) argumentsOf(s *scope, c *plan.Call) (plan.Expr, error) {
	named := false
	for _, e := range c.Args {
		plan.WalkExpr(e, func(e plan.Expr) bool {
			_, is := e.(*plan.UnresolvedAttribute)
			named = named || is
			return !named
		})
	}
	if !named {
		return c, nil
	}
	fresh := *c
	var err error
	fresh.Args, err = a.exprs(s, c.Args)
	return &fresh, err
}
