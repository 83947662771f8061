package parquet

import (
	"math"

	"millrace/types"
)

// LeafStatistics are what is known of a column of the written file. Arrays and maps count as one column, without bounds.
type LeafStatistics struct {
	Path     []string // physical names
	Type     *types.Type
	Nulls    int64
	Min, Max any // int64, float64 (NaN is the greatest), string or decimal128.Num; nil where there is none
}

// Statistics describes the columns of the file, those in structs on their own. Call it after Close.
func (w *Writer) Statistics() []LeafStatistics {
	var list []LeafStatistics
	for _, c := range w.columns {
		list = c.statistics(list, nil)
	}
	return list
}

func (s *shredder) statistics(list []LeafStatistics, path []string) []LeafStatistics {
	path = append(path[:len(path):len(path)], s.name)
	switch s.typ.Kind {
	case types.KindStruct:
		for _, c := range s.children {
			list = c.statistics(list, path)
		}
		return list
	case types.KindArray, types.KindMap, types.KindVariant:
		return append(list, LeafStatistics{Path: path, Type: s.typ, Nulls: s.nulls})
	}
	l := s.leafs[0]
	st := LeafStatistics{Path: path, Type: s.typ, Nulls: l.totalNulls}
	st.Min, st.Max = l.total.values(s.typ, l.lane)
	return append(list, st)
}

// values are the bounds as Go values.
func (b *bounds) values(t *types.Type, l lane) (lo, hi any) {
	switch {
	case t.IsFloating():
		return b.floats()
	case !b.any:
		return nil, nil
	case l == laneBytes:
		return string(b.loS), string(b.hiS)
	case l == laneFixed:
		return b.loD, b.hiD
	case l == laneBool:
		return b.lo != 0, b.hi != 0
	}
	return b.lo, b.hi
}

func (b *bounds) floats() (lo, hi any) {
	switch {
	case b.any && b.nan:
		x, _ := b.float64s()
		return x, math.NaN()
	case b.any:
		x, y := b.float64s()
		return x, y
	case b.nan:
		return math.NaN(), math.NaN()
	}
	return nil, nil
}
