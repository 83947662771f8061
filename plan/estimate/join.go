package estimate

import (
	"math"

	"millrace/plan"
)

// Join guesses about the join of two relations.
func Join(t plan.JoinType, l, r *Relation, cond plan.Expr) *Relation {
	left, right, rest := pairs(l, r, cond)
	switch t {
	case plan.SemiJoin:
		return l.scaled(matching(l, r, left, right, rest))
	case plan.AntiJoin, plan.NullAwareAntiJoin:
		return l.scaled(math.Max(leastUnmatched, 1-matching(l, r, left, right, rest)))
	case plan.ExistenceJoin:
		return l.with(&Relation{})
	}
	rows := l.Rows * r.Rows
	if len(left) > 0 {
		rows /= keysOfBoth(l, r, left, right)
	}
	switch t {
	case plan.LeftJoin:
		rows = math.Max(rows, l.Rows)
	case plan.RightJoin:
		rows = math.Max(rows, r.Rows)
	case plan.FullJoin:
		rows = math.Max(rows, l.Rows+r.Rows)
	}
	out := joined(l, r, left, right, rows)
	if t == plan.InnerJoin {
		for _, c := range rest {
			out = out.keep(c)
		}
	}
	return out
}

// keysOfBoth is how many different keys the sides of a join have. Where neither knows, the smaller one's are taken to be unique.
func keysOfBoth(l, r *Relation, left, right []plan.ID) float64 {
	mine, theirs := l.keys(left), r.keys(right)
	if len(left) > 1 && mine > 0 && theirs > 0 {
		return math.Min(mine, theirs) // one refers to the other, and has not all combinations that its columns' values could have
	}
	if n := math.Max(mine, theirs); n > 0 {
		return n
	}
	return math.Max(1, math.Min(l.Rows, r.Rows))
}

// unknownMatching is the share of rows that a semi join is thought to keep when nothing is known of its keys.
const unknownMatching = 0.5

// leastUnmatched is the share of rows that an anti join is thought to keep at least.
const leastUnmatched = 0.1

// matching is the share of the left rows that have a partner.
func matching(l, r *Relation, left, right []plan.ID, rest []plan.Expr) float64 {
	share := 1.0
	if len(left) > 0 {
		mine, theirs := l.keys(left), r.keys(right)
		if mine == 0 || theirs == 0 {
			return unknownMatching
		}
		share = math.Min(1, theirs/mine)
		for i := range left { // no more match all keys than one of them
			share = math.Min(share, r.distinct(right[i])/l.distinct(left[i]))
		}
	}
	for range rest {
		share *= 0.8
	}
	return share
}

// joined is the columns of both sides over so many rows; keys have the fewer values of the two.
func joined(l, r *Relation, left, right []plan.ID, rows float64) *Relation {
	out := (&Relation{Rows: l.Rows, Columns: l.Columns}).shrunk(rows)
	other := (&Relation{Rows: r.Rows, Columns: r.Columns}).shrunk(rows)
	out = out.with(other)
	out.Rows = rows
	for i := range left {
		a, okA := out.Columns[left[i]]
		b, okB := out.Columns[right[i]]
		if !okA || !okB || a.Distinct == 0 || b.Distinct == 0 {
			continue
		}
		n := math.Min(a.Distinct, b.Distinct)
		a.Distinct, b.Distinct = n, n
		out.Columns[left[i]], out.Columns[right[i]] = a, b
	}
	return out
}

// shrunk has fewer values where there are fewer rows.
func (r *Relation) shrunk(rows float64) *Relation {
	if rows >= r.Rows {
		return r
	}
	return r.withRows(rows)
}

// pairs takes the equalities of plain columns out of a condition.
func pairs(l, r *Relation, cond plan.Expr) (left, right []plan.ID, rest []plan.Expr) {
	for _, c := range conjuncts(cond) {
		a, b, ok := equality(c)
		switch {
		case !ok:
			rest = append(rest, c)
		case l.has(a) && r.has(b):
			left, right = append(left, a), append(right, b)
		case l.has(b) && r.has(a):
			left, right = append(left, b), append(right, a)
		default:
			rest = append(rest, c)
		}
	}
	return left, right, rest
}

func (r *Relation) has(id plan.ID) bool { _, ok := r.Columns[id]; return ok }

// equality is a = b of columns, also within casts.
func equality(e plan.Expr) (a, b plan.ID, ok bool) {
	c, is := e.(*plan.Call)
	if !is || c.Name != "=" && c.Name != "==" && c.Name != "<=>" {
		return 0, 0, false
	}
	x, okX := columnOf(c.Args[0])
	y, okY := columnOf(c.Args[1])
	return x, y, okX && okY
}

func columnOf(e plan.Expr) (plan.ID, bool) {
	switch e := e.(type) {
	case *plan.Attribute:
		return e.ID, true
	case *plan.Cast:
		return columnOf(e.Child)
	}
	return 0, false
}
