package orc

import (
	"math/big"

	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"millrace/javatime"
	"millrace/types"
)

// Bounds are what is known of a column's values in some rows: int64 (integers, booleans, dates, decimals of up to 18 digits), float64, []byte or decimal128.Num.
type Bounds struct {
	Min, Max  any // nil: not known
	NullsKnow bool
	Nulls     int64
	Rows      int64
}

// skipStripe reports whether a stripe's statistics say that it holds no wanted row.
func (r *Reader) skipStripe(info *stripeInfo) bool {
	if r.options.Skip == nil || r.file.post.writer == 0 || r.next >= len(r.file.stripes) {
		return false
	}
	all := r.file.stripes[r.next]
	return r.options.Skip(func(place int) (Bounds, bool) {
		return r.bounds(place, int64(info.rows), func(c uint64) (statistics, bool) {
			if c >= uint64(len(all)) {
				return statistics{}, false
			}
			return all[c], true
		})
	})
}

// groups leaves out a stripe's row groups by their statistics.
func (r *Reader) groups(info *stripeInfo, s *stripe) error {
	stride := int64(r.file.footer.stride)
	if r.options.Skip == nil || r.file.post.writer == 0 || stride <= 0 || int64(info.rows) <= stride {
		return nil
	}
	count := (int64(info.rows) + stride - 1) / stride
	for id, need := range r.needed {
		if !need {
			continue
		}
		in := s.streams[[2]uint64{uint64(id), uint64(rowIndex)}]
		if in == nil {
			return nil // without all indexes there is no going to a group
		}
		text, err := in.all()
		if err != nil {
			return err
		}
		list, err := parseRowIndex(text)
		if err != nil {
			return err
		}
		if int64(len(list)) != count {
			return nil
		}
		s.index[uint64(id)] = list
	}
	r.spans = nil
	for g := range count {
		start, end := g*stride, min((g+1)*stride, int64(info.rows))
		if r.options.Skip(func(place int) (Bounds, bool) {
			return r.bounds(place, end-start, func(c uint64) (statistics, bool) {
				return s.index[c][g].statistics, true
			})
		}) {
			r.Stats.RowsSkipped += end - start
			continue
		}
		if k := len(r.spans) - 1; k >= 0 && r.spans[k].end == start {
			r.spans[k].end = end
		} else {
			r.spans = append(r.spans, span{start, end})
		}
	}
	return nil
}

// bounds are statistics as those of a wanted column.
func (r *Reader) bounds(place int, rows int64, of func(column uint64) (statistics, bool)) (Bounds, bool) {
	if r.readers[place] == nil {
		return Bounds{NullsKnow: true, Nulls: rows, Rows: rows}, true
	}
	c, t := r.columns[place], r.options.Columns[place].Type
	s, ok := of(c.id)
	if !ok {
		return Bounds{}, false
	}
	b := Bounds{Rows: rows}
	if s.known && int64(s.values) <= rows {
		b.NullsKnow, b.Nulls = true, rows-int64(s.values)
	}
	switch w := r.readers[place].(type) {
	case *wholes:
		switch {
		case w.fit != nil || c.Kind == Boolean || t.IsFloating():
			b.NullsKnow = b.NullsKnow && w.fit == nil
		case c.Kind == Date:
			b.Min, b.Max = r.day(s.min), r.day(s.max)
		default:
			b.Min, b.Max = s.min, s.max
		}
	case *floats:
		if c.Kind == Float || t.Kind == types.KindDouble {
			b.Min, b.Max = s.min, s.max
		}
	case *texts:
		if c.Kind == String {
			b.Min, b.Max = s.min, s.max
		}
	case *decimals:
		if b.NullsKnow = false; uint64(t.Scale) == c.info.scale && s.decimals {
			b.Min, b.Max = decimalBound(s.min, t), decimalBound(s.max, t)
		}
	}
	return b, true
}

// day is a bound of dates; those whose calendar is another one are none.
func (r *Reader) day(v any) any {
	if d, ok := v.(int64); ok && !r.file.footer.proleptic && javatime.OldDay(d) {
		return nil
	}
	return v
}

// decimalBound reads a decimal's text as a value of its type.
func decimalBound(v any, t *types.Type) any {
	text, _ := v.([]byte)
	if len(text) > 64 {
		return nil
	}
	q, ok := new(big.Rat).SetString(string(text))
	if !ok {
		return nil
	}
	q.Mul(q, new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(t.Scale)), nil)))
	if !q.IsInt() || q.Num().BitLen() > 126 {
		return nil
	}
	if t.IsShortDecimal() {
		if !q.Num().IsInt64() {
			return nil
		}
		return q.Num().Int64()
	}
	return decimal128.FromBigInt(q.Num())
}
