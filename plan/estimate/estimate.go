package estimate

import (
	"maps"
	"math"

	"millrace/plan"
	"millrace/types"
)

// Estimator remembers its guesses by node: a plan's nodes do not change.
type Estimator struct{ known map[plan.Node]*Relation }

// New makes an estimator.
func New() *Estimator { return &Estimator{known: map[plan.Node]*Relation{}} }

// Of guesses about a resolved relation.
func (e *Estimator) Of(n plan.Node) *Relation {
	if r := e.known[n]; r != nil {
		return r
	}
	of := *e.of(n)
	r := &of
	if math.IsNaN(r.Rows) || r.Rows < 1 {
		r.Rows = 1
	}
	if r.Columns = maps.Clone(r.Columns); r.Columns == nil {
		r.Columns = map[plan.ID]Column{}
	}
	for _, id := range idsOf(n) {
		if _, ok := r.Columns[id]; !ok {
			r.Columns[id] = Column{}
		}
	}
	e.known[n] = r
	return r
}

// Set fixes the guess about a node.
func (e *Estimator) Set(n plan.Node, r *Relation) { e.known[n] = r }

func (e *Estimator) of(n plan.Node) *Relation {
	switch n := n.(type) {
	case *plan.Scan:
		return scan(n)
	case *plan.LocalRelation:
		return &Relation{Rows: float64(n.Rows)}
	case *plan.OneRow:
		return &Relation{Rows: 1}
	case *plan.Range:
		return rangeOf(n)
	case *plan.Project:
		return project(e.Of(n.Input), n.Exprs)
	case *plan.Filter:
		return Filter(e.Of(n.Input), n.Condition)
	case *plan.Aggregate:
		return e.aggregate(n)
	case *plan.Distinct:
		in := e.Of(n.Input)
		return in.withRows(in.groups(idsOf(n.Input)))
	case *plan.Join:
		return Join(n.Type, e.Of(n.Left), e.Of(n.Right), n.Condition)
	case *plan.Union:
		return e.union(n)
	case *plan.Limit:
		return limit(e.Of(n.Input), n)
	case *plan.Sample:
		return e.Of(n.Input).scaled(n.Upper - n.Lower)
	case *plan.Expand:
		return &Relation{Rows: e.Of(n.Input).Rows * float64(len(n.Lists))}
	case *plan.Generate:
		in := e.Of(n.Input)
		return in.withRows(in.Rows * generated)
	}
	return e.other(n)
}

// generated is how many rows a generator makes of one.
const generated = 4

// other is for nodes that hand their rows on, more or less.
func (e *Estimator) other(n plan.Node) *Relation {
	children := n.Children()
	if len(children) == 0 {
		return &Relation{Rows: 1000}
	}
	r := e.Of(children[0])
	for _, c := range children[1:] {
		r = r.with(e.Of(c))
	}
	return &Relation{Rows: r.Rows, Columns: maps.Clone(r.Columns)}
}

func scan(n *plan.Scan) *Relation {
	rows := float64(n.Table.Rows())
	if rows < 0 {
		if rows = float64(n.Table.SizeBytes()) / bytesPerRow; rows < 0 {
			rows = unknownRows
		}
	}
	r := &Relation{Rows: rows, Columns: map[plan.ID]Column{}}
	s, ok := n.Table.(plan.Statistics)
	for i, a := range n.Attrs {
		if !ok || n.Fields[i] < 0 {
			break
		}
		if c, known := s.ColumnStatistics(n.Fields[i]); known {
			r.Columns[a.ID] = column(c, a.T, rows)
		}
	}
	return r
}

const (
	bytesPerRow = 100       // of files whose rows nobody has counted
	unknownRows = 1_000_000 // of a table that cannot even tell its size
)

// column turns a table's statistics into a guess.
func column(c plan.ColumnStatistics, t *types.Type, rows float64) Column {
	out := Column{Distinct: float64(c.Distinct)}
	if c.Nulls > 0 && rows > 0 {
		out.Nulls = math.Min(1, float64(c.Nulls)/rows)
	}
	lo, okLo := number(c.Min, t)
	hi, okHi := number(c.Max, t)
	if okLo && okHi && lo <= hi {
		out.Min, out.Max, out.Bounded = lo, hi, true
	}
	if out.Distinct == 0 && out.Bounded {
		out.Distinct = rows * (1 - out.Nulls)
		if steps := hi - lo + 1; !t.IsFloating() && steps < out.Distinct {
			out.Distinct = steps
		}
	}
	return out
}

// number is a literal as a number in the order of its type: decimals are unscaled.
func number(v any, t *types.Type) (float64, bool) {
	switch v := v.(type) {
	case int64:
		return float64(v), true
	case float64:
		return v, !math.IsNaN(v) && !math.IsInf(v, 0)
	case bool:
		if v {
			return 1, true
		}
		return 0, true
	case interface{ ToFloat64(scale int32) float64 }: // decimals of more than 18 digits
		return v.ToFloat64(int32(0)), true
	}
	_ = t
	return 0, false
}

func rangeOf(n *plan.Range) *Relation {
	rows := 0.0
	if n.Step != 0 {
		rows = math.Max(0, math.Ceil((float64(n.End)-float64(n.Start))/float64(n.Step)))
	}
	c := Column{Distinct: rows, Min: float64(min(n.Start, n.End)), Max: float64(max(n.Start, n.End)), Bounded: true}
	return &Relation{Rows: rows, Columns: map[plan.ID]Column{n.Attr.ID: c}}
}

// project knows the columns that are passed on, and a little of what is computed.
func project(in *Relation, exprs []plan.Expr) *Relation {
	r := &Relation{Rows: in.Rows, Columns: map[plan.ID]Column{}}
	for _, x := range exprs {
		switch x := x.(type) {
		case *plan.Attribute:
			if c, ok := in.Columns[x.ID]; ok {
				r.Columns[x.ID] = c
			}
		case *plan.Alias:
			if c, ok := computed(in, x.Child); ok {
				r.Columns[x.ID] = c
			}
		}
	}
	return r
}

// computed guesses about an expression: it has no more values than its columns have combinations.
func computed(in *Relation, e plan.Expr) (Column, bool) {
	switch e := e.(type) {
	case *plan.Attribute:
		c, ok := in.Columns[e.ID]
		return c, ok
	case *plan.Literal:
		return Column{Distinct: 1}, true
	case *plan.Cast:
		c, ok := computed(in, e.Child)
		from := plan.TypeOf(e.Child)
		if from == nil || !from.IsIntegral() || !e.To.IsIntegral() {
			c.Bounded = false
		}
		return c, ok
	case *plan.Call:
		if e.Name == "year" && len(e.Args) == 1 {
			if c, ok := computed(in, e.Args[0]); ok && c.Bounded && plan.TypeOf(e.Args[0]).Kind == types.KindDate {
				return Column{Distinct: math.Ceil((c.Max-c.Min)/365) + 1, Nulls: c.Nulls}, true
			}
		}
		n := 1.0
		for _, a := range e.Args {
			c, ok := computed(in, a)
			if !ok || c.Distinct == 0 {
				return Column{}, false
			}
			n *= c.Distinct
		}
		return Column{Distinct: math.Max(1, math.Min(n, in.Rows))}, len(e.Args) > 0
	}
	return Column{}, false
}

func (e *Estimator) aggregate(n *plan.Aggregate) *Relation {
	in := e.Of(n.Input)
	var ids []plan.ID
	for _, g := range n.Groups {
		if a, ok := g.(*plan.Attribute); ok {
			ids = append(ids, a.ID)
		}
	}
	rows := 1.0
	if len(n.Groups) > 0 {
		rows = in.groups(ids)
	}
	if n.Sets != nil {
		rows *= math.Min(float64(len(n.Sets)), 4)
	}
	r := &Relation{Rows: rows, Columns: map[plan.ID]Column{}}
	for _, x := range n.Exprs {
		switch x := x.(type) {
		case *plan.Attribute:
			r.group(x.ID, in, x.ID, len(ids))
		case *plan.Alias:
			if a, ok := x.Child.(*plan.Attribute); ok {
				r.group(x.ID, in, a.ID, len(ids))
			} else {
				r.Columns[x.ID] = Column{Measure: true}
			}
		}
	}
	return r
}

// group takes a group's column over; a single one has a value of its own in every row.
func (r *Relation) group(id plan.ID, in *Relation, from plan.ID, keys int) {
	c, ok := in.Columns[from]
	if keys == 1 {
		c.Distinct, ok = r.Rows, true
	}
	if ok {
		r.Columns[id] = c
	}
}

func (e *Estimator) union(n *plan.Union) *Relation {
	r := &Relation{Columns: map[plan.ID]Column{}}
	for i, in := range n.Inputs {
		from := e.Of(in)
		r.Rows += from.Rows
		for k, id := range idsOf(in) {
			c, ok := from.Columns[id]
			was, had := r.Columns[n.Attrs[k].ID]
			switch {
			case ok && i == 0:
				r.Columns[n.Attrs[k].ID] = c
			case ok && had && c.Bounded && was.Bounded:
				r.Columns[n.Attrs[k].ID] = Column{Distinct: math.Max(c.Distinct, was.Distinct), Min: math.Min(c.Min, was.Min), Max: math.Max(c.Max, was.Max), Bounded: true}
			default:
				delete(r.Columns, n.Attrs[k].ID)
			}
		}
	}
	return r
}

func limit(in *Relation, n *plan.Limit) *Relation {
	l, ok := n.Count.(*plan.Literal)
	if !ok {
		return in
	}
	if count, is := l.Value.(int64); is && float64(count) < in.Rows {
		return in.withRows(float64(count))
	}
	return in
}

func idsOf(n plan.Node) []plan.ID {
	r, ok := n.(plan.Resolved)
	if !ok {
		return nil
	}
	out := r.Output()
	ids := make([]plan.ID, len(out))
	for i, a := range out {
		ids[i] = a.ID
	}
	return ids
}
