package deltatable

import (
	"slices"

	"millrace/delta"
	"millrace/plan"
	"millrace/types"
)

var _ plan.Exact = (*Table)(nil)

// Exact implements plan.Exact: by the statistics of all files, where each of them has some. Bounds are those of whole numbers and dates alone: strings are
// cut, timestamps rounded, and of floating numbers a NaN may be left out. Deleted rows still count among a file's bounds and nulls.
func (t *Table) Exact(columns []int) (rows int64, known []plan.ColumnStatistics, ok bool) {
	fields := t.Schema().Fields
	all := make([]bounds, len(columns))
	for _, c := range columns {
		if c >= len(fields) || !exactBounds(fields[c].Type) || slices.Contains(t.PartitionColumns(), fields[c].Name) {
			return 0, nil, false
		}
	}
	for a := range t.Snapshot.All() {
		stats := delta.ReadStats(a.Stats)
		n, ok := stats.Records()
		if !ok || len(columns) > 0 && (a.DeletionVector != nil || !stats.TightBounds) {
			return 0, nil, false
		}
		for i, c := range columns {
			path := []string{delta.PhysicalName(fields[c])}
			if _, ok := stats.Nulls(path); !ok {
				return 0, nil, false
			}
			if all[i].add(stats, path, fields[c].Type); all[i].unknown {
				return 0, nil, false
			}
		}
		if a.DeletionVector != nil {
			n -= a.DeletionVector.Cardinality
		}
		rows += n
	}
	for i, c := range columns {
		b, f := &all[i], fields[c]
		known = append(known, plan.ColumnStatistics{Min: Literal(b.min, f.Type), Max: Literal(b.max, f.Type), Nulls: b.nulls})
	}
	return rows, known, true
}

func exactBounds(t *types.Type) bool {
	switch t.Kind {
	case types.KindByte, types.KindShort, types.KindInteger, types.KindLong, types.KindDate:
		return true
	}
	return false
}

// Exact of the rows with their places is not asked for.
func (p *Placed) Exact([]int) (int64, []plan.ColumnStatistics, bool) { return 0, nil, false }

// Exact of a table's changes is not what its files say.
func (f *Feed) Exact([]int) (int64, []plan.ColumnStatistics, bool) { return 0, nil, false }
