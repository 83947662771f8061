package parquet

import (
	"bytes"
	"math"

	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/parquet-go/parquet-go/format"

	"millrace/types"
	"millrace/vector"
)

// Op is what a Prune tests.
type Op uint8

// The tests. And and Or combine; the others compare a column with values, and are not true for null except IsNull.
const (
	And Op = iota
	Or
	Equal
	Less
	LessEqual
	Greater
	GreaterEqual
	In
	StartsWith
	IsNull
	NotNull
)

// Prune is a predicate that bounds can refute. Values are of the column's type: int64 (integers, dates, timestamps, booleans,
// decimals of up to 18 digits), float64, []byte or decimal128.Num.
type Prune struct {
	Op     Op
	Args   []*Prune // of And and Or
	Column int      // place among ReadOptions.Columns
	Values []any
}

// Bounds are what is known of a column's values in some rows.
type Bounds struct {
	Min, Max  any // nil: not known
	NullsKnow bool
	Nulls     int64
	Rows      int64
}

// MayMatch reports whether a row within the bounds may satisfy the predicate. bounds returns false for a column of which
// nothing is known.
func (p *Prune) MayMatch(bounds func(column int) (Bounds, bool)) bool {
	switch p.Op {
	case And:
		for _, a := range p.Args {
			if !a.MayMatch(bounds) {
				return false
			}
		}
		return true
	case Or:
		for _, a := range p.Args {
			if a.MayMatch(bounds) {
				return true
			}
		}
		return len(p.Args) == 0
	}
	b, ok := bounds(p.Column)
	return !ok || p.within(b)
}

func (p *Prune) within(b Bounds) bool {
	if p.Op == IsNull {
		return !b.NullsKnow || b.Nulls > 0
	}
	if b.NullsKnow && b.Nulls >= b.Rows {
		return false
	}
	switch p.Op {
	case NotNull:
		return true
	case In, Equal:
		for _, v := range p.Values {
			if !below(v, b.Min) && !below(b.Max, v) {
				return true
			}
		}
		return false
	case Less:
		return !atLeast(b.Min, p.Values[0])
	case LessEqual:
		return !below(p.Values[0], b.Min)
	case Greater: // the bounds of floats leave out NaN, which is greater than all
		return isFloat(p.Values[0]) || !atLeast(p.Values[0], b.Max)
	case GreaterEqual:
		return isFloat(p.Values[0]) || !below(b.Max, p.Values[0])
	}
	return p.prefixWithin(b)
}

func (p *Prune) prefixWithin(b Bounds) bool {
	prefix, ok := p.Values[0].([]byte)
	lo, ok1 := b.Min.([]byte)
	hi, ok2 := b.Max.([]byte)
	if !ok || !ok1 || !ok2 {
		return true
	}
	cut := lo[:min(len(lo), len(prefix))]
	return bytes.Compare(hi, prefix) >= 0 && bytes.Compare(cut, prefix) <= 0
}

func isFloat(v any) bool { _, ok := v.(float64); return ok }

// below reports that a is known to be less than b; atLeast that it is known to be not less.
func below(a, b any) bool   { c, ok := compare(a, b); return ok && c < 0 }
func atLeast(a, b any) bool { c, ok := compare(a, b); return ok && c >= 0 }

func compare(a, b any) (int, bool) {
	switch x := a.(type) {
	case int64:
		if y, ok := b.(int64); ok {
			return order(x < y, x > y), true
		}
	case float64:
		if y, ok := b.(float64); ok && x == x && y == y {
			return order(x < y, x > y), true
		}
	case []byte:
		if y, ok := b.([]byte); ok {
			return bytes.Compare(x, y), true
		}
	case decimal128.Num:
		if y, ok := b.(decimal128.Num); ok {
			return x.Cmp(y), true
		}
	}
	return 0, false
}

func order(less, greater bool) int {
	switch {
	case less:
		return -1
	case greater:
		return 1
	}
	return 0
}

// keepGroup holds the predicate against a row group's statistics.
func (r *Reader) keepGroup(group int) bool {
	if r.opts.Prune == nil {
		return true
	}
	return r.groupMay(group, r.opts.Prune) && r.bloomMay(group, r.opts.Prune)
}

// groupMay reports whether a row group may hold rows for a predicate by its statistics.
func (r *Reader) groupMay(group int, p *Prune) bool {
	return p.MayMatch(func(column int) (Bounds, bool) { return r.groupBounds(group, column) })
}

func (r *Reader) groupBounds(group, column int) (Bounds, bool) {
	g := &r.file.meta.RowGroups[group]
	switch f := r.fields[column].(type) {
	case *missing:
		if f.value == nil {
			return Bounds{NullsKnow: true, Nulls: g.NumRows, Rows: g.NumRows}, true
		}
	case *flat:
		return f.chunk.statistics(&g.Columns[f.chunk.col.leaf].Meta.Statistics, g.NumRows), true
	}
	return Bounds{}, false
}

// statistics decodes a chunk's statistics into values of the type that is read.
func (c *chunk) statistics(s *statistics, rows int64) Bounds {
	b := Bounds{Rows: rows, NullsKnow: s.NullCount.Valid, Nulls: s.NullCount.V}
	lo, hi := s.Min, s.Max
	if !lo.Valid && !hi.Valid && c.signedOrder() {
		lo, hi = s.OldMin, s.OldMax
	}
	if lo.Valid {
		b.Min = c.bound(lo.V)
	}
	if hi.Valid {
		b.Max = c.bound(hi.V)
	}
	return b
}

// signedOrder reports whether the deprecated bounds, which were compared as signed numbers, can be used.
func (c *chunk) signedOrder() bool {
	if i, ok := annotation(c.col.elem).(*format.IntType); ok && !i.IsSigned {
		return false
	}
	switch c.col.physical {
	case format.Boolean, format.Int32, format.Int64, format.Float, format.Double:
		return true
	}
	return false
}

// bound decodes one value as PLAIN encodes it, strings without their length; nil if it makes no bound.
func (c *chunk) bound(data []byte) any {
	t := c.dec.typ
	switch {
	case c.col.physical == format.Int96:
		return nil
	case c.dec.plain == nil:
		if len(data) == 1 {
			return int64(data[0] & 1)
		}
		return nil
	case c.col.physical == format.ByteArray && t.IsStringLike():
		return data
	case c.dec.slot == 0 || len(data) != c.dec.slot:
		return nil
	}
	var v vector.Vector
	v.Reset(t, 1)
	if _, err := c.dec.plain(&v, 0, 1, data); err != nil {
		return nil
	}
	return first(&v)
}

// first is a vector's first value in the form of Prune.Values.
func first(v *vector.Vector) any {
	switch v.Type.Kind {
	case types.KindByte:
		return int64(vector.Values[int8](v)[0])
	case types.KindShort:
		return int64(vector.Values[int16](v)[0])
	case types.KindInteger, types.KindDate, types.KindYearMonth:
		return int64(vector.Values[int32](v)[0])
	case types.KindFloat:
		return notNaN(float64(vector.Values[float32](v)[0]))
	case types.KindDouble:
		return notNaN(vector.Values[float64](v)[0])
	case types.KindDecimal:
		if !v.Type.IsShortDecimal() {
			return vector.Values[decimal128.Num](v)[0]
		}
	case types.KindString, types.KindBinary:
		return bytes.Clone(v.Str(0))
	}
	return vector.Values[int64](v)[0]
}

func notNaN(f float64) any {
	if math.IsNaN(f) {
		return nil
	}
	return f
}
