package deltatable

import (
	"slices"
	"strings"

	"millrace/delta"
)

// Derived are partition columns that are computed from another column: what holds of that one says something of the partitions.
type Derived struct {
	Columns []string // more than one: the first counts most
	From    string
	Rising  bool // they never fall when the other column rises
	Zoned   bool // they depend on the zone of the session that has computed them
	Text    bool // they are texts of times, whose order is theirs from the year 0 to 9999
	Instant bool // they are times at which a day or the like begins, in that zone
	// Of computes the columns from a value of the other one; false where it cannot.
	Of func(delta.Value) ([]delta.Value, bool)
}

// zones is how far the clocks of two zones are apart at most, in microseconds.
const zones = 26 * 3600 * 1_000_000

// derived are the conditions on partition columns that follow from a filter. They leave in partitions of which a column is null: computing it may have failed.
func (t *Table) derived(f delta.Filter) delta.Filter {
	var out delta.Filter
	for _, d := range t.Derived {
		for _, c := range f {
			if len(c.Column) == 1 && strings.EqualFold(c.Column[0], d.From) {
				out = append(out, d.from(c)...)
			}
		}
	}
	return out
}

func (d *Derived) from(c delta.Condition) delta.Filter {
	switch c.Op {
	case delta.IsNull:
		if x, ok := d.Of(nil); ok && x[0] == nil {
			return delta.Filter{{Column: d.Columns[:1], Op: delta.IsNull}}
		}
	case delta.Eq:
		return d.equal([]delta.Value{c.Value})
	case delta.In:
		return d.equal(c.Values)
	case delta.Lt, delta.Le:
		return d.bound(c.Value, false)
	case delta.Gt, delta.Ge:
		return d.bound(c.Value, true)
	}
	return nil
}

func (d *Derived) equal(values []delta.Value) delta.Filter {
	if d.Zoned || len(d.Columns) > 1 {
		low, high, ok := span(values)
		if !ok {
			return nil
		}
		return append(d.bound(low, true), d.bound(high, false)...)
	}
	any := delta.Condition{Any: []delta.Filter{{{Column: d.Columns, Op: delta.IsNull}}}}
	for _, v := range values {
		x, ok := d.Of(v)
		if !ok {
			return nil
		}
		if x[0] != nil {
			any.Any = append(any.Any, delta.Filter{{Column: d.Columns, Op: delta.Eq, Value: x[0]}})
		}
	}
	return delta.Filter{any}
}

func span(values []delta.Value) (low, high delta.Value, ok bool) {
	for i, v := range values {
		if i == 0 {
			low, high = v, v
			continue
		}
		a, ok1 := delta.Compare(v, low)
		b, ok2 := delta.Compare(v, high)
		if !ok1 || !ok2 {
			return nil, nil, false
		}
		if a < 0 {
			low = v
		}
		if b > 0 {
			high = v
		}
	}
	return low, high, len(values) > 0
}

// bound is what follows where the other column is at least, or at most, a value: the columns are so too, compared one after the other.
func (d *Derived) bound(v delta.Value, least bool) delta.Filter {
	if !d.Rising {
		return nil
	}
	if d.Zoned {
		n, ok := v.(int64)
		if !ok {
			return nil
		}
		if v = n + zones; least {
			v = n - zones
		}
	}
	x, ok := d.Of(v)
	if !ok || slices.Contains(x, nil) {
		return nil
	}
	if n, is := x[0].(int64); is && d.Instant && d.Zoned {
		if x = []delta.Value{n + zones}; least {
			x[0] = n - zones
		}
	}
	strict, loose := delta.Lt, delta.Le
	if least {
		strict, loose = delta.Gt, delta.Ge
	}
	var any delta.Condition
	var same delta.Filter
	for i, name := range d.Columns {
		column, op := []string{name}, strict
		if i == len(d.Columns)-1 {
			op = loose
		}
		any.Any = append(any.Any, append(same[:len(same):len(same)], delta.Condition{Column: column, Op: op, Value: x[i]}), delta.Filter{{Column: column, Op: delta.IsNull}})
		same = append(same, delta.Condition{Column: column, Op: delta.Eq, Value: x[i]})
	}
	if d.Text {
		s, ok := x[0].(string)
		if !ok || s < "0" || s >= ":" {
			return nil
		}
		any.Any = append(any.Any, delta.Filter{{Column: d.Columns, Op: delta.Lt, Value: "0"}}) // years before 0 and after 9999 have a sign
	}
	return delta.Filter{any}
}
