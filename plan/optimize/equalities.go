package optimize

import (
	"millrace/plan"
	"millrace/types"
)

// inferEqualities adds the equalities of plain columns that follow from others, so that relations can be joined directly that are equal to a third:
// a = b and b = c gives a = c. A join uses only those that it needs (see between), of which the others follow.
func (g *joinGraph) inferEqualities() {
	class := map[plan.ID]*equalColumns{}
	var all []*equalColumns
	for _, c := range g.conds {
		a, b, ok := columnEquality(c.expr)
		if !ok {
			continue
		}
		x, y := class[a.ID], class[b.ID]
		switch {
		case x == nil && y == nil:
			x = &equalColumns{}
			all = append(all, x)
		case x == nil:
			x = y
		case y != nil && x != y:
			for _, m := range y.columns {
				class[m.ID] = x
			}
			x.columns, y.columns = append(x.columns, y.columns...), nil
		}
		x.add(a)
		x.add(b)
		class[a.ID], class[b.ID] = x, x
	}
	number := 0
	for _, c := range all {
		if len(c.columns) >= 3 && len(c.columns) <= 8 && number < 60 && g.apart(c.columns) {
			number++
			g.completeClass(c, number)
		}
	}
}

// apart reports whether columns lie in relations of their own.
func (g *joinGraph) apart(columns []*plan.Attribute) bool {
	var seen set
	for _, a := range columns {
		i := g.owner[a.ID]
		if seen.has(i) || g.items[i].attached != nil {
			return false
		}
		seen |= one(i)
	}
	return true
}

type equalColumns struct{ columns []*plan.Attribute }

func (c *equalColumns) add(a *plan.Attribute) {
	for _, m := range c.columns {
		if m.ID == a.ID {
			return
		}
	}
	c.columns = append(c.columns, a)
}

// completeClass has a = b for every two columns of a class.
func (g *joinGraph) completeClass(c *equalColumns, number int) {
	for i, a := range c.columns {
		for _, b := range c.columns[:i] {
			if k := g.equality(a, b); k >= 0 {
				g.conds[k].class = number
				continue
			}
			e := &plan.Call{Name: "=", Args: []plan.Expr{b, a}, T: boolean, Null: a.Null || b.Null}
			g.conds = append(g.conds, joinCond{e, one(g.owner[a.ID]) | one(g.owner[b.ID]), number})
		}
	}
}

// equality is the place of the condition a = b, or -1.
func (g *joinGraph) equality(a, b *plan.Attribute) int {
	for i, c := range g.conds {
		if x, y, ok := columnEquality(c.expr); ok && (x.ID == a.ID && y.ID == b.ID || x.ID == b.ID && y.ID == a.ID) {
			return i
		}
	}
	return -1
}

// columnEquality is a = b of two columns of one type that is compared exactly: equality of such is transitive.
func columnEquality(e plan.Expr) (a, b *plan.Attribute, ok bool) {
	c, is := e.(*plan.Call)
	if !is || c.Name != "=" {
		return nil, nil, false
	}
	a, okA := c.Args[0].(*plan.Attribute)
	b, okB := c.Args[1].(*plan.Attribute)
	if !okA || !okB || !a.T.SameData(b.T) || a.T.IsNested() || a.T.IsFloating() || a.T.Kind == types.KindVariant {
		return nil, nil, false
	}
	return a, b, true
}
