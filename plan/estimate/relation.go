package estimate

import (
	"math"

	"millrace/plan"
)

// Relation is a guess about a relation.
type Relation struct {
	Rows    float64
	Columns map[plan.ID]Column
}

// Column is what is known of a column's values.
type Column struct {
	Distinct float64 // different values; 0: unknown
	Nulls    float64 // share of the rows
	Min, Max float64 // where Bounded
	Bounded  bool
	Measure  bool // the result of an aggregate function: conditions on it tend to ask for the few
}

// distinct is how many different values a column may have: for unknown ones a guess that suits names and categories.
func (r *Relation) distinct(id plan.ID) float64 {
	c, ok := r.Columns[id]
	if ok && c.Distinct > 0 {
		return math.Max(1, math.Min(c.Distinct, r.Rows))
	}
	return math.Max(1, math.Min(r.Rows, unknownDistinct))
}

// unknownDistinct is how many different values a column has of which nothing is known.
const unknownDistinct = 30

// groups is how many different combinations some columns may have.
func (r *Relation) groups(ids []plan.ID) float64 {
	n := 1.0
	for _, id := range ids {
		d := r.distinct(id)
		if c := r.Columns[id]; c.Distinct == 0 {
			d = math.Max(d, 0.3*r.Rows) // rather too many: their aggregation is spread over tasks then
		}
		if n *= d; n > r.Rows {
			break
		}
	}
	return math.Max(1, math.Min(n, r.Rows))
}

// keys is how many different combinations of join keys there may be; 0 where that is unknown.
func (r *Relation) keys(ids []plan.ID) float64 {
	n := 1.0
	for _, id := range ids {
		if r.Columns[id].Distinct == 0 {
			return 0
		}
		n *= r.distinct(id)
	}
	return math.Max(1, math.Min(n, r.Rows))
}

// scaled is the relation with a share of its rows.
func (r *Relation) scaled(share float64) *Relation {
	return r.withRows(r.Rows * math.Max(0, math.Min(1, share)))
}

// withRows is the relation with fewer or more rows and no values that it had not.
func (r *Relation) withRows(rows float64) *Relation {
	out := &Relation{Rows: rows, Columns: make(map[plan.ID]Column, len(r.Columns))}
	for id, c := range r.Columns {
		if c.Distinct > 0 && rows < r.Rows {
			c.Distinct = survivors(c.Distinct, r.Rows, rows)
		}
		out.Columns[id] = c
	}
	return out
}

// survivors is how many of the different values of a column are left when some of its rows are kept at random.
func survivors(distinct, before, after float64) float64 {
	if before <= 0 || after <= 0 || distinct <= 1 {
		return 1
	}
	each := before / distinct // rows of a value
	return math.Max(1, distinct*(1-math.Pow(1-after/before, each)))
}

// with is the relation with other columns beside its own.
func (r *Relation) with(o *Relation) *Relation {
	out := &Relation{Rows: r.Rows, Columns: make(map[plan.ID]Column, len(r.Columns)+len(o.Columns))}
	for id, c := range r.Columns {
		out.Columns[id] = c
	}
	for id, c := range o.Columns {
		out.Columns[id] = c
	}
	return out
}
