package analyze

import "millrace/plan"

// command resolves the queries in a command; the tables that it changes are the session's to find.
func (a *analyzer) command(c plan.Command) (plan.Node, error) {
	old := c.Children()
	if len(old) == 0 {
		return c, nil
	}
	fresh := make([]plan.Node, len(old))
	for i, n := range old {
		var err error
		if fresh[i], err = a.root(n); err != nil {
			return nil, err
		}
	}
	return c.WithChildren(fresh), nil
}
