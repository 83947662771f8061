package parquet

import (
	"io"
	"slices"

	"github.com/parquet-go/parquet-go/format"
)

// headerGuess is how many bytes a dictionary page's header takes at most.
const headerGuess = 256

// Distinct is how many different values a column has in the largest row group, where its chunk is encoded by a dictionary alone. It reads one page
// header. False when the file does not tell.
func (f *File) Distinct(r io.ReaderAt, name string, id int32) (int64, bool) {
	c := find(f.Columns, name, id, true)
	if c == nil || !c.isLeaf() || len(f.meta.RowGroups) == 0 {
		return 0, false
	}
	largest := 0
	for i := range f.meta.RowGroups {
		if f.meta.RowGroups[i].NumRows > f.meta.RowGroups[largest].NumRows {
			largest = i
		}
	}
	m := &f.meta.RowGroups[largest].Columns[c.leaf].Meta
	if m.DictionaryOffset <= 0 || m.DictionaryOffset >= m.DataPageOffset {
		return 0, false
	}
	head := make([]byte, min(headerGuess, m.DataPageOffset-m.DictionaryOffset))
	if _, err := r.ReadAt(head, m.DictionaryOffset); err != nil && err != io.EOF {
		return 0, false
	}
	var h pageHeader
	if _, err := newMessageReader().read(head, &h); err != nil || !h.Dictionary.Valid {
		return 0, false
	}
	n := int64(h.Dictionary.V.NumValues)
	if slices.Contains(m.Encodings, format.Plain) && n >= manyValues {
		return 0, false // the dictionary itself may be what is plain, or the pages after it was full
	}
	return n, n > 0
}

// manyValues is from how many values on a dictionary may have been given up in the middle of a chunk.
const manyValues = 10_000

// LargestGroup is the number of rows of the largest row group.
func (f *File) LargestGroup() int64 {
	n := int64(0)
	for i := range f.meta.RowGroups {
		n = max(n, f.meta.RowGroups[i].NumRows)
	}
	return n
}
