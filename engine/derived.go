package engine

import (
	"slices"

	"millrace/delta"
	"millrace/plan"
	"millrace/table/deltatable"
	"millrace/types"
)

// derive tells a table which of its partition columns are computed from another column, so that a condition on that one leaves partitions out.
func (st *statement) derive(t *deltaTable) {
	var scan *plan.Scan
	parts := map[string]map[string]derivedPart{} // of a column, by what is taken of it
	for _, name := range t.PartitionColumns() {
		f, i := t.Snapshot.Schema().Field(name, false)
		if i < 0 || generated(f) == "" {
			continue
		}
		if scan == nil {
			scan = plan.WholeScan(t, t.Schema().Fields)
		}
		e, err := st.rules(t.Snapshot.Metadata, t.Snapshot.Schema(), plan.MaxID(scan)).parsed(generated(f), scan)
		if err != nil {
			continue // the table can be read without
		}
		p, ok := st.derivedPart(f, e)
		if !ok {
			continue
		}
		if p.unit != "" {
			if parts[p.from] == nil {
				parts[p.from] = map[string]derivedPart{}
			}
			parts[p.from][p.unit] = p
		}
		if p.rising || p.exact {
			t.Derived = append(t.Derived, p.derived())
		}
	}
	for from, by := range parts { // year, month, day and hour rise together
		var all []derivedPart
		for _, unit := range []string{"year", "month", "dayofmonth", "hour"} {
			p, ok := by[unit]
			if !ok {
				break
			}
			all = append(all, p)
		}
		if len(all) > 1 {
			d := deltatable.Derived{From: from, Rising: true, Zoned: all[0].zoned}
			for _, p := range all {
				d.Columns = append(d.Columns, p.column)
			}
			d.Of = func(v delta.Value) (out []delta.Value, ok bool) {
				for _, p := range all {
					x, ok := p.of(v)
					if !ok {
						return nil, false
					}
					out = append(out, x)
				}
				return out, true
			}
			t.Derived = append(t.Derived, d)
		}
	}
}

// derivedPart is one partition column that is computed from another column.
type derivedPart struct {
	column, from string
	unit         string // year, month, dayofmonth or hour, which together make a time
	rising       bool   // it never falls when the other rises
	exact        bool   // equal values have equal ones, whoever has computed them
	zoned        bool   // it depends on the session's zone
	text         bool   // of a time, which is in order from the year 0 to 9999
	instant      bool   // it is a time
	of           func(delta.Value) (delta.Value, bool)
}

func (p derivedPart) derived() deltatable.Derived {
	return deltatable.Derived{Columns: []string{p.column}, From: p.from, Rising: p.rising, Zoned: p.zoned, Text: p.text, Instant: p.instant, Of: func(v delta.Value) ([]delta.Value, bool) {
		x, ok := p.of(v)
		return []delta.Value{x}, ok
	}}
}

// derivedPart recognises what a column is computed from and how.
func (st *statement) derivedPart(f types.Field, e plan.Expr) (derivedPart, bool) {
	p := derivedPart{column: f.Name}
	columns := columnsIn(e)
	if len(columns) != 1 || !movable(e) {
		return p, false
	}
	from := columns[0]
	switch from.T.Kind {
	case types.KindByte, types.KindShort, types.KindInteger, types.KindLong, types.KindDate, types.KindTimestamp, types.KindTimestampNTZ:
	case types.KindString:
		if from.T.Collation != "" {
			return p, false
		}
	default:
		return p, false
	}
	if got := plan.TypeOf(e); got.Kind != f.Type.Kind && !(got.IsIntegral() && f.Type.IsIntegral()) || f.Type.Collation != "" || f.Type.IsFloating() || f.Type.Kind == types.KindDecimal {
		return p, false
	}
	p.from = from.Name
	p.unit, p.rising, p.text = shape(e)
	p.zoned = from.T.Kind == types.KindTimestamp && unaliased(e) != plan.Expr(from)
	p.exact, p.instant = !p.zoned, plan.TypeOf(e).Kind == types.KindTimestamp
	p.of = func(v delta.Value) (delta.Value, bool) {
		bound, err := plan.TransformExpr(e, func(e plan.Expr) (plan.Expr, error) {
			if a, ok := e.(*plan.Attribute); ok {
				return &plan.Literal{Value: deltatable.Literal(v, a.T), T: a.T}, nil
			}
			return e, nil
		})
		if err != nil {
			return nil, false
		}
		lit, err := st.fold(bound)
		if err != nil || lit == nil {
			return nil, false
		}
		return lit.Value, true
	}
	return p, true
}

// shape says which part of a time an expression takes, whether it rises with its column, and whether it is a time as text.
func shape(e plan.Expr) (unit string, rising, text bool) {
	e = unaliased(e)
	if onTime(e) {
		return "", true, false
	}
	c, ok := e.(*plan.Call)
	if !ok || len(c.Args) == 0 {
		return "", false, false
	}
	literal := func(i int) (any, bool) {
		if i >= len(c.Args) {
			return nil, false
		}
		l, ok := unaliased(c.Args[i]).(*plan.Literal)
		return literalValue(l), ok
	}
	switch c.Name {
	case "year":
		return "year", onTime(c.Args[0]), false
	case "month", "dayofmonth", "hour":
		if onTime(c.Args[0]) {
			return c.Name, false, false
		}
	case "trunc":
		_, ok := literal(1)
		return "", ok && onTime(c.Args[0]), false
	case "date_trunc":
		_, ok := literal(0)
		return "", ok && len(c.Args) > 1 && onTime(c.Args[1]), false
	case "date_format":
		v, ok := literal(1)
		s, _ := v.(string)
		ok = ok && slices.Contains([]string{"yyyy-MM", "yyyy-MM-dd", "yyyy-MM-dd-HH"}, s) && onTime(c.Args[0])
		return "", ok, ok
	case "substring":
		a, isColumn := c.Args[0].(*plan.Attribute)
		at, ok1 := literal(1)
		n, ok2 := literal(2)
		first, isNumber := wholeNumber(at)
		length, isLength := wholeNumber(n)
		return "", isColumn && a.T.Kind == types.KindString && ok1 && ok2 && isNumber && isLength && first >= 0 && first <= 1 && length > 0, false
	}
	return "", false, false
}

func literalValue(l *plan.Literal) any {
	if l == nil {
		return nil
	}
	return l.Value
}

func wholeNumber(v any) (int64, bool) {
	switch n := v.(type) {
	case int64:
		return n, true
	case int32:
		return int64(n), true
	}
	return 0, false
}

// onTime reports whether an expression is a column, or a time or date made of one that is a time or date.
func onTime(e plan.Expr) bool {
	for {
		c, ok := e.(*plan.Cast)
		if !ok {
			break
		}
		if !c.To.IsDateTime() || !plan.TypeOf(c.Child).IsDateTime() {
			return false
		}
		e = c.Child
	}
	_, ok := e.(*plan.Attribute)
	return ok
}
