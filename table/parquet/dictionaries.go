package parquet

import (
	"sync"

	"millrace/types"
	"millrace/vector"
)

// Dictionaries keeps decoded dictionary pages of files that were read lately, for whoever reads the files next. When there is no more room any of them
// makes place: of a table that is larger than all the room, some are then still there when it is read again. It is safe for concurrent use.
type Dictionaries struct {
	limit int64

	mu    sync.Mutex
	bytes int64
	kept  map[*columnMeta]*vector.Vector // by the column chunk, in the footer that was read
}

// NewDictionaries keeps up to limit bytes.
func NewDictionaries(limit int64) *Dictionaries {
	return &Dictionaries{limit: limit, kept: map[*columnMeta]*vector.Vector{}}
}

// get is a chunk's dictionary as the wanted type, or nil.
func (d *Dictionaries) get(m *columnMeta, want *types.Type) *vector.Vector {
	if d == nil {
		return nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if v := d.kept[m]; v != nil && v.Type.Equal(want) {
		return v
	}
	return nil
}

func (d *Dictionaries) put(m *columnMeta, v *vector.Vector) {
	if d == nil || keptSize(v) > d.limit {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.drop(m)
	for other := range d.kept {
		if d.bytes+keptSize(v) <= d.limit {
			break
		}
		d.drop(other)
	}
	d.kept[m] = v
	d.bytes += keptSize(v)
}

// Forget drops what is kept of a file.
func (d *Dictionaries) Forget(f *File) {
	if d == nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for i := range f.meta.RowGroups {
		for j := range f.meta.RowGroups[i].Columns {
			d.drop(&f.meta.RowGroups[i].Columns[j].Meta)
		}
	}
}

func (d *Dictionaries) drop(m *columnMeta) {
	if v := d.kept[m]; v != nil {
		delete(d.kept, m)
		d.bytes -= keptSize(v)
	}
}

// keptSize is what a dictionary takes here: its values, its vector and its place in the map.
func keptSize(v *vector.Vector) int64 { return v.MemSize() + 256 }
