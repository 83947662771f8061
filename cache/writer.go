package cache

import (
	"millrace/shuffle"
	"millrace/types"
	"millrace/vector"
)

const (
	// blockRows and blockBytes bound a batch of a block: large enough that what a scan does for each batch does not count, small enough
	// for the caches of a core.
	blockRows  = 8192
	blockBytes = 2 << 20
)

// Writer takes a block's rows. It is used by one goroutine.
type Writer struct {
	s       *Store
	key     Key
	types   []*types.Type
	rows    *vector.Builder
	batches []*vector.Batch
	dicts   map[*vector.Vector]bool // counted already
	bytes   int64
	count   int64
	spool   *shuffle.Spool // once it has gone to disk
}

// Create begins a block; without inMemory it goes to disk.
func (s *Store) Create(k Key, columns []*types.Type, inMemory bool) (*Writer, error) {
	w := &Writer{s: s, key: k, types: columns, rows: vector.NewBuilder(columns), dicts: map[*vector.Vector]bool{}}
	if inMemory {
		return w, nil
	}
	var err error
	w.spool, err = s.newSpool(columns)
	return w, err
}

// Append copies the rows of a batch that exist.
func (w *Writer) Append(b *vector.Batch) error {
	for from, n := 0, b.Rows(); from < n; {
		k := min(n-from, blockRows-w.rows.Len())
		w.take(b, from, k)
		from += k
		if w.rows.Len() >= blockRows || w.rows.Size() >= blockBytes {
			if err := w.flush(); err != nil {
				return err
			}
		}
	}
	return nil
}

// take gathers k of a batch's rows.
func (w *Writer) take(b *vector.Batch, from, k int) {
	switch {
	case b.Sel != nil:
		w.rows.AppendColumns(b.Cols, b.Sel[from:from+k], k)
	case k == b.N:
		w.rows.AppendColumns(b.Cols, nil, k)
	default:
		w.rows.AppendColumns(vector.SliceBatch(b, from, k).Cols, nil, k)
	}
}

// flush closes the batch being gathered.
func (w *Writer) flush() error {
	b := w.rows.Take()
	if b == nil {
		return nil
	}
	w.count += int64(b.N)
	if w.spool != nil {
		return w.spool.Write(b)
	}
	fit(b)
	size := w.size(b)
	if w.s.reserve(w.key.ID, size) {
		w.batches, w.bytes = append(w.batches, b), w.bytes+size
		return nil
	}
	return w.moveOut(b)
}

// moveOut puts what was kept so far, and b, on disk.
func (w *Writer) moveOut(b *vector.Batch) error {
	f, err := w.s.newSpool(w.types)
	if err != nil {
		return err
	}
	w.spool = f
	for _, kept := range append(w.batches, b) {
		if err := f.Write(kept); err != nil {
			return err
		}
	}
	w.s.pool.Release(w.bytes)
	w.batches, w.bytes = nil, 0
	return nil
}

// Finish lists the block; it replaces one of the same key.
func (w *Writer) Finish() (Stats, error) {
	if err := w.flush(); err != nil {
		return Stats{}, err
	}
	b := &block{types: w.types, rows: w.count, batches: w.batches, bytes: w.bytes, spool: w.spool}
	t := Stats{Blocks: 1, Rows: w.count, Memory: w.bytes}
	if w.spool != nil {
		if err := w.spool.Finish(); err != nil {
			return t, err
		}
		t.Disk = w.spool.Bytes()
		w.s.mu.Lock()
		w.s.disk += t.Disk
		w.s.mu.Unlock()
	}
	w.batches, w.bytes, w.spool = nil, 0, nil
	w.s.add(w.key, b)
	return t, nil
}

// Abort frees what was not finished; after Finish it does nothing.
func (w *Writer) Abort() {
	if w.spool != nil {
		w.spool.Remove()
		w.spool = nil
	}
	w.s.pool.Release(w.bytes)
	w.batches, w.bytes = nil, 0
}

// size is the memory of a batch; a dictionary counts where it is first seen.
func (w *Writer) size(b *vector.Batch) int64 {
	n := b.MemSize()
	for _, c := range b.Cols {
		n += w.dictSize(c)
	}
	return n
}

func (w *Writer) dictSize(v *vector.Vector) int64 {
	n := int64(0)
	if d := v.Dict; d != nil && !w.dicts[d] {
		w.dicts[d] = true
		n = d.MemSize()
	}
	for _, c := range v.Children {
		n += w.dictSize(c)
	}
	return n
}

// fit cuts away what growing buffers have left unused, where that is much.
func fit(b *vector.Batch) {
	for _, c := range b.Cols {
		c.Fit()
	}
}
