package optimize

import (
	"slices"

	"millrace/plan"
)

// answerFromMetadata replaces global aggregates over a whole table by their values where the table's metadata has them exactly: the number of
// its rows, of a column's values that are not null, the least and the greatest of them.
func answerFromMetadata(n plan.Node) (plan.Node, error) {
	return plan.Transform(n, func(n plan.Node) (plan.Node, error) {
		a, ok := n.(*plan.Aggregate)
		if !ok || len(a.Groups) > 0 || a.Sets != nil {
			return n, nil
		}
		scan, names := scanBelow(a.Input)
		if scan == nil {
			return n, nil
		}
		exact, ok := scan.Table.(plan.Exact)
		if !ok {
			return n, nil
		}
		m := &metadata{places: names}
		for _, e := range a.Exprs {
			if !m.ask(e) {
				return n, nil
			}
		}
		if m.rows, m.known, ok = exact.Exact(m.columns); !ok {
			return n, nil
		}
		values := make([]plan.Expr, len(a.Exprs))
		for i, e := range a.Exprs {
			alias := *e.(*plan.Alias)
			alias.Child = m.value(alias.Child.(*plan.Call))
			values[i] = &alias
		}
		return &plan.Project{Input: &plan.OneRow{}, Exprs: values}, nil
	})
}

// scanBelow is a scan of a whole table, under projections that only choose among its columns or rename them, and the places of the projections'
// columns in the table.
func scanBelow(n plan.Node) (*plan.Scan, map[plan.ID]int) {
	switch n := n.(type) {
	case *plan.Scan:
		if n.Limit > 0 || len(n.Pushed) > 0 {
			return nil, nil
		}
		places := map[plan.ID]int{}
		for i, a := range n.Attrs {
			places[a.ID] = n.Fields[i]
		}
		return n, places
	case *plan.Project:
		scan, below := scanBelow(n.Input)
		places := map[plan.ID]int{}
		for _, e := range n.Exprs {
			id, from := plan.ID(0), e
			if alias, ok := e.(*plan.Alias); ok {
				id, from = alias.ID, alias.Child
			}
			a, ok := from.(*plan.Attribute)
			if !ok {
				continue // nobody may ask for it
			}
			if id == 0 {
				id = a.ID
			}
			if place, ok := below[a.ID]; ok {
				places[id] = place
			}
		}
		return scan, places
	}
	return nil, nil
}

// metadata is what aggregates ask of a table, and its answers.
type metadata struct {
	places  map[plan.ID]int
	columns []int
	rows    int64
	known   []plan.ColumnStatistics // of columns
}

// ask notes what an output expression needs; false if metadata cannot tell.
func (m *metadata) ask(e plan.Expr) bool {
	alias, ok := e.(*plan.Alias)
	if !ok {
		return false
	}
	c, ok := alias.Child.(*plan.Call)
	if !ok || !c.Aggregate || c.Filter != nil || c.Distinct && c.Name == "count" || len(c.Args) != 1 {
		return false
	}
	if l, ok := c.Args[0].(*plan.Literal); ok {
		return c.Name == "count" && l.Value != nil
	}
	a, ok := c.Args[0].(*plan.Attribute)
	if !ok || c.Name != "count" && c.Name != "min" && c.Name != "max" {
		return false
	}
	place, ok := m.places[a.ID]
	if !ok {
		return false
	}
	if !slices.Contains(m.columns, place) {
		m.columns = append(m.columns, place)
	}
	return true
}

// value is the value of a call that was asked for.
func (m *metadata) value(c *plan.Call) *plan.Literal {
	a, ok := c.Args[0].(*plan.Attribute)
	if !ok {
		return &plan.Literal{Value: m.rows, T: c.T}
	}
	s := m.known[slices.Index(m.columns, m.places[a.ID])]
	switch c.Name {
	case "min":
		return &plan.Literal{Value: s.Min, T: c.T}
	case "max":
		return &plan.Literal{Value: s.Max, T: c.T}
	}
	return &plan.Literal{Value: m.rows - s.Nulls, T: c.T}
}
