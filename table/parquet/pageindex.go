package parquet

import (
	"io"
	"slices"

	"github.com/parquet-go/parquet-go/format"
)

// maxIndex bounds the bytes of a page index that are read.
const maxIndex = 16 << 20

// pageBounds is what a file's page index says of the pages of a column chunk.
type pageBounds struct {
	first  []int64 // the first row of each page; ascending, from 0
	bounds []Bounds
}

// at is the page that holds a row.
func (p *pageBounds) at(row int64) int {
	i, found := slices.BinarySearch(p.first, row)
	if !found {
		i--
	}
	return i
}

// columns adds the columns that a predicate tests to a list.
func (p *Prune) columns(list []int) []int {
	for _, a := range p.Args {
		list = a.columns(list)
	}
	if len(p.Args) == 0 && p.Op != And && p.Op != Or && !slices.Contains(list, p.Column) {
		list = append(list, p.Column)
	}
	return list
}

// wantedRows is the ranges of a row group's rows that may satisfy the predicate by the bounds of their pages; all rows where there is no index.
func (r *Reader) wantedRows(group int, prune *Prune) []rowRange {
	rows := r.file.meta.RowGroups[group].NumRows
	all := []rowRange{{0, rows}}
	if prune == nil {
		return all
	}
	index, starts := map[int]*pageBounds{}, []int64{}
	for _, column := range prune.columns(nil) {
		if p := r.pageBounds(group, column); p != nil {
			index[column], starts = p, append(starts, p.first...)
		}
	}
	if len(index) == 0 {
		return all
	}
	slices.Sort(starts)
	starts = slices.Compact(starts)
	wanted := all[:0]
	for i, start := range starts {
		end := rows
		if i+1 < len(starts) {
			end = starts[i+1]
		}
		may := prune.MayMatch(func(column int) (Bounds, bool) {
			p := index[column]
			if p == nil {
				return r.groupBounds(group, column)
			}
			return p.bounds[p.at(start)], true
		})
		switch last := len(wanted) - 1; {
		case !may:
		case last >= 0 && wanted[last].end == start:
			wanted[last].end = end
		default:
			wanted = append(wanted, rowRange{start, end})
		}
	}
	return wanted
}

// intersect is the rows that are in both of two lists of ascending ranges.
func intersect(a, b []rowRange) []rowRange {
	var both []rowRange
	for len(a) > 0 && len(b) > 0 {
		if start, end := max(a[0].start, b[0].start), min(a[0].end, b[0].end); start < end {
			both = append(both, rowRange{start, end})
		}
		if a[0].end < b[0].end {
			a = a[1:]
		} else {
			b = b[1:]
		}
	}
	return both
}

// pageBounds reads the page index of a column that is not nested. What is missing or malformed is no index: rows are read and judged.
func (r *Reader) pageBounds(group, column int) *pageBounds {
	f, ok := r.fields[column].(*flat)
	if !ok {
		return nil
	}
	g := &r.file.meta.RowGroups[group]
	c := &g.Columns[f.chunk.col.leaf]
	var columns format.ColumnIndex
	var offsets format.OffsetIndex
	if !r.readIndex(c.ColumnIndexOffset, c.ColumnIndexLength, &columns) || !r.readIndex(c.OffsetIndexOffset, c.OffsetIndexLength, &offsets) {
		return nil
	}
	n := len(offsets.PageLocations)
	if n == 0 || len(columns.NullPages) != n || len(columns.MinValues) != n || len(columns.MaxValues) != n || offsets.PageLocations[0].FirstRowIndex != 0 {
		return nil
	}
	p := &pageBounds{}
	for i, at := range offsets.PageLocations {
		end := g.NumRows
		if i+1 < n {
			end = offsets.PageLocations[i+1].FirstRowIndex
		}
		if end <= at.FirstRowIndex || end > g.NumRows {
			return nil
		}
		b := Bounds{Rows: end - at.FirstRowIndex}
		if len(columns.NullCounts) == n {
			b.NullsKnow, b.Nulls = true, columns.NullCounts[i]
		}
		if columns.NullPages[i] {
			b.NullsKnow, b.Nulls = true, b.Rows
		} else {
			b.Min, b.Max = f.chunk.bound(columns.MinValues[i]), f.chunk.bound(columns.MaxValues[i])
		}
		p.first, p.bounds = append(p.first, at.FirstRowIndex), append(p.bounds, b)
	}
	return p
}

// readIndex reads a part of the page index; false if there is none that can be read.
func (r *Reader) readIndex(at int64, length int32, message any) bool {
	if at <= 0 || length <= 0 || length > maxIndex {
		return false
	}
	data := make([]byte, length)
	if n, err := r.source.ReadAt(data, at); err != nil && (err != io.EOF || n < len(data)) {
		return false
	}
	_, err := newMessageReader().read(data, message)
	return err == nil
}
