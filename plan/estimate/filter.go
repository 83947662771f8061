package estimate

import (
	"math"
	"strings"

	"millrace/plan"
)

// Shares of rows that conditions keep of which nothing better is known.
const (
	shareOfCompare  = 0.4
	shareOfMeasure  = 0.1 // HAVING sum(x) > 1
	shareOfLike     = 0.08
	shareOfPrefix   = 0.04
	shareOfOther    = 0.4
	shareOfColumns  = 0.5 // a < b
	leastShare      = 1e-7
	shareOfEqualTop = 0.9
)

// Filter is a relation after a condition: conjuncts narrow columns one after another.
func Filter(in *Relation, cond plan.Expr) *Relation {
	r := in
	for _, c := range conjuncts(cond) {
		r = r.keep(c)
	}
	return r
}

func conjuncts(e plan.Expr) []plan.Expr {
	if c, ok := e.(*plan.Call); ok && c.Name == "and" {
		return append(conjuncts(c.Args[0]), conjuncts(c.Args[1])...)
	}
	if e == nil {
		return nil
	}
	return []plan.Expr{e}
}

// keep applies one conjunct.
func (r *Relation) keep(e plan.Expr) *Relation {
	out := r.scaled(math.Max(leastShare, r.share(e)))
	id, c, ok := r.narrowed(e)
	if ok {
		out.Columns[id] = c
	}
	return out
}

// narrowed is the column of a comparison with a constant, with the bounds that are left.
func (r *Relation) narrowed(e plan.Expr) (plan.ID, Column, bool) {
	call, a, lit := comparison(e)
	if call == "" {
		return 0, Column{}, false
	}
	c, known := r.Columns[a.ID]
	if call == "=" {
		c.Distinct, c.Nulls = 1, 0
		if v, ok := number(lit.Value, lit.T); ok {
			c.Min, c.Max, c.Bounded = v, v, true
		}
		return a.ID, c, true
	}
	v, ok := number(lit.Value, lit.T)
	if !ok || !known || !c.Bounded {
		return 0, c, false
	}
	share := r.share(e)
	switch call {
	case "<", "<=":
		c.Max = math.Max(c.Min, math.Min(c.Max, v))
	case ">", ">=":
		c.Min = math.Min(c.Max, math.Max(c.Min, v))
	}
	if c.Distinct > 0 {
		c.Distinct = math.Max(1, math.Min(c.Distinct*share, r.Rows*share))
	}
	c.Nulls = 0
	return a.ID, c, true
}

var mirrored = map[string]string{"=": "=", "==": "=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}

// comparison takes a comparison of a column with a constant apart; the column comes first.
func comparison(e plan.Expr) (string, *plan.Attribute, *plan.Literal) {
	c, ok := e.(*plan.Call)
	if !ok || len(c.Args) != 2 || mirrored[c.Name] == "" {
		return "", nil, nil
	}
	name := c.Name
	if name == "==" {
		name = "="
	}
	a, isA := c.Args[0].(*plan.Attribute)
	l, isL := c.Args[1].(*plan.Literal)
	if isA && isL {
		return name, a, l
	}
	a, isA = c.Args[1].(*plan.Attribute)
	l, isL = c.Args[0].(*plan.Literal)
	if isA && isL {
		return mirrored[name], a, l
	}
	return "", nil, nil
}

// share guesses the share of rows for which a condition is true.
func (r *Relation) share(e plan.Expr) float64 {
	switch e := e.(type) {
	case *plan.Literal:
		if e.Value == true {
			return 1
		}
		return 0
	case *plan.Call:
		return r.shareOfCall(e)
	}
	return shareOfOther
}

func (r *Relation) shareOfCall(c *plan.Call) float64 {
	switch c.Name {
	case "and":
		return r.share(c.Args[0]) * r.share(c.Args[1])
	case "or":
		a, b := r.share(c.Args[0]), r.share(c.Args[1])
		return a + b - a*b
	case "not":
		return 1 - r.share(c.Args[0])
	case "isnull", "isnotnull":
		nulls := 0.05
		if a, ok := c.Args[0].(*plan.Attribute); ok {
			if k, known := r.Columns[a.ID]; known {
				nulls = k.Nulls
			}
		}
		if c.Name == "isnull" {
			return nulls
		}
		return 1 - nulls
	case "in":
		return math.Min(shareOfEqualTop, float64(len(c.Args)-1)*r.shareOfEqual(c.Args[0]))
	case "like", "ilike", "contains", "rlike", "endswith":
		if l, ok := lastLiteral(c); ok && c.Name == "like" && !strings.HasPrefix(l, "%") {
			return shareOfPrefix
		}
		return shareOfLike
	case "startswith":
		return shareOfPrefix
	case "=", "==", "<=>":
		return math.Min(r.shareOfEqual(c.Args[0]), r.shareOfEqual(c.Args[1]))
	case "!=", "<>":
		return 1 - math.Min(r.shareOfEqual(c.Args[0]), r.shareOfEqual(c.Args[1]))
	case "<", "<=", ">", ">=":
		return r.shareOfRange(c)
	}
	return shareOfOther
}

func lastLiteral(c *plan.Call) (string, bool) {
	if len(c.Args) < 2 {
		return "", false
	}
	l, ok := c.Args[1].(*plan.Literal)
	if !ok {
		return "", false
	}
	s, ok := l.Value.(string)
	return s, ok
}

// shareOfEqual is the share of rows with one value of an expression.
func (r *Relation) shareOfEqual(e plan.Expr) float64 {
	switch e := e.(type) {
	case *plan.Literal:
		return 1
	case *plan.Attribute:
		return 1 / r.distinct(e.ID)
	}
	if c, ok := computed(r, e); ok && c.Distinct > 0 {
		return 1 / math.Max(1, math.Min(c.Distinct, r.Rows))
	}
	return 1 / math.Max(1, math.Min(r.Rows, unknownDistinct))
}

func (r *Relation) shareOfRange(e *plan.Call) float64 {
	name, a, lit := comparison(e)
	if name == "" {
		return shareOfColumns
	}
	c, known := r.Columns[a.ID]
	v, ok := number(lit.Value, lit.T)
	if c.Measure {
		return shareOfMeasure
	}
	if !known || !c.Bounded || !ok {
		return shareOfCompare
	}
	if c.Max <= c.Min {
		return shareOfColumns
	}
	below := math.Max(0, math.Min(1, (v-c.Min)/(c.Max-c.Min)))
	if name == "<" || name == "<=" {
		return math.Max(below, 1/math.Max(1, c.Distinct))
	}
	return math.Max(1-below, 1/math.Max(1, c.Distinct))
}
