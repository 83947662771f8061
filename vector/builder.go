package vector

import (
	"slices"

	"millrace/types"
)

// Builder gathers selected rows of batches into columns of its own. A column stays a dictionary vector while all of its rows came
// with dictionaries; those that differ are merged, unless they are large for the number of rows.
//
//	b := vector.NewBuilder(rowTypes)
//	b.Append(batch, batch.Sel)
//	owned := b.Take()
type Builder struct {
	types  []*types.Type
	batch  *Batch
	merged []*dictMerger // by column, where dictionaries were merged
	room   []int         // bytes of Data by column of what was taken last, which the next rows will probably need
	kept   []*Batch      // to be appended
	count  int           // their rows
	bytes  int64         // and size
	texts  []int         // and bytes of texts by column
}

// NewBuilder makes an empty builder of columns of these types.
func NewBuilder(columns []*types.Type) *Builder { return &Builder{types: columns} }

// Len is the number of rows gathered.
func (b *Builder) Len() int {
	if b.batch == nil {
		return b.count
	}
	return b.batch.N + b.count
}

// Keep appends the rows of a batch without a selection that nobody will change: they are copied once, when all are there. Dictionaries are copied at
// once, since nobody knows how large their rows become.
func (b *Builder) Keep(batch *Batch) {
	if slices.ContainsFunc(batch.Cols, func(c *Vector) bool { return c.Dict != nil || c.Const }) {
		b.AppendSelected(batch)
		return
	}
	if b.texts == nil {
		b.texts = make([]int, len(b.types))
	}
	for i, c := range batch.Cols {
		b.texts[i] += len(c.Bytes)
	}
	b.kept, b.count, b.bytes = append(b.kept, batch), b.count+batch.N, b.bytes+batch.MemSize()
}

// Pieces are the rows in order, without a copy, in batches that stay the builder's and change with the next Append, Reset or Take.
func (b *Builder) Pieces() []*Batch {
	var list []*Batch
	if b.batch != nil && b.batch.N > 0 {
		list = append(list, b.batch)
	}
	return append(list, b.kept...)
}

// gather appends what was kept, in columns that are large enough.
func (b *Builder) gather() {
	if len(b.kept) == 0 {
		return
	}
	kept := b.kept
	b.forget()
	if b.batch == nil {
		b.room = make([]int, len(b.types))
		for _, k := range kept {
			for i, c := range k.Cols {
				b.room[i] += len(c.Data)
			}
		}
	}
	for i, k := range kept {
		b.AppendColumns(k.Cols, nil, k.N)
		kept[i] = nil // it may go before the others are copied
	}
}

// forget drops what was kept.
func (b *Builder) forget() { b.kept, b.count, b.bytes, b.texts = nil, 0, 0, nil }

// TextBytes is the most bytes of texts that a column has.
func (b *Builder) TextBytes() int {
	most := 0
	for i := range b.types {
		n := 0
		if b.batch != nil {
			n = len(b.batch.Cols[i].Bytes)
		}
		if b.texts != nil {
			n += b.texts[i]
		}
		most = max(most, n)
	}
	return most
}

// MemSize is the number of bytes that the gathered columns hold, dictionaries not counted.
func (b *Builder) MemSize() int64 {
	if b.batch == nil {
		return b.bytes
	}
	return b.batch.MemSize() + b.bytes
}

// Size is the number of bytes that the gathered rows take, dictionaries not counted; the columns' buffers may be larger.
func (b *Builder) Size() int64 {
	n := b.bytes
	if b.batch != nil {
		for _, c := range b.batch.Cols {
			n += c.size()
		}
	}
	return n
}

// MemSize is the number of bytes that the columns' buffers hold, dictionaries not counted.
func (b *Batch) MemSize() int64 {
	n := int64(4 * cap(b.Sel))
	for _, c := range b.Cols {
		n += c.MemSize()
	}
	return n
}

// Append appends rows sel of batch (nil: all b.N rows, whatever the batch's own selection says). NoRow in sel makes a row of nulls.
func (b *Builder) Append(batch *Batch, sel []uint32) { b.AppendColumns(batch.Cols, sel, batch.N) }

// AppendSelected appends the rows of batch that exist.
func (b *Builder) AppendSelected(batch *Batch) { b.AppendColumns(batch.Cols, batch.Sel, batch.N) }

// AppendColumns appends rows sel (nil: 0..n-1) of columns that need not come from one batch.
func (b *Builder) AppendColumns(cols []*Vector, sel []uint32, n int) {
	b.gather()
	if b.batch == nil {
		b.begin()
	}
	for i, c := range cols {
		if sel == nil && c.Len != n {
			c = Slice(c, 0, n)
		}
		b.appendColumn(i, c, sel)
	}
	if sel != nil {
		n = len(sel)
	}
	b.batch.N += n
}

func (b *Builder) begin() {
	b.batch = &Batch{Cols: make([]*Vector, len(b.types))}
	for i, t := range b.types {
		v := &Vector{}
		if b.room != nil {
			v.Data = uncleared(b.room[i])[:0]
		}
		v.Clear(t)
		b.batch.Cols[i] = v
	}
}

func (b *Builder) appendColumn(i int, c *Vector, sel []uint32) {
	v := b.batch.Cols[i]
	if !mergeable(v, c) {
		v.Append(c, sel)
		return
	}
	if b.merged == nil {
		b.merged = make([]*dictMerger, len(b.types))
	}
	if b.merged[i] == nil || b.merged[i].dict != v.Dict {
		b.merged[i] = newDictMerger(v.Dict)
	}
	b.merged[i].append(v, c, sel)
}

// Columns are the gathered columns, which stay the builder's.
func (b *Builder) Columns() []*Vector {
	b.gather()
	if b.batch == nil {
		return nil
	}
	return b.batch.Cols
}

// Batch is the gathered rows, which stay the builder's and change with the next Append, Reset or Take; nil when there are none.
func (b *Builder) Batch() *Batch {
	b.gather()
	if b.Len() == 0 {
		return nil
	}
	return b.batch
}

// Take hands the gathered rows over and leaves the builder empty; nil when there are none.
func (b *Builder) Take() *Batch {
	b.gather()
	if b.Len() == 0 {
		return nil
	}
	t := b.batch
	b.batch, b.merged = nil, nil
	b.room = make([]int, len(t.Cols))
	for i, c := range t.Cols {
		b.room[i] = len(c.Data)
	}
	return t
}

// Retain forgets the gathered rows that are not among sel, which ascends.
func (b *Builder) Retain(sel []uint32) {
	b.gather()
	if b.batch == nil {
		return
	}
	b.batch.N = len(sel)
	for _, c := range b.batch.Cols {
		c.Retain(sel)
	}
}

// Expect makes room for so many rows, of texts for none.
func (b *Builder) Expect(rows int) {
	b.room = make([]int, len(b.types))
	for i, t := range b.types {
		b.room[i] = rows * Width(t)
	}
}

// ExpectSize is the bytes that Expect makes room for.
func (b *Builder) ExpectSize(rows int) (n int64) {
	for _, t := range b.types {
		n += int64(rows) * int64(Width(t))
	}
	return n
}

// Reset forgets the rows and keeps the memory.
func (b *Builder) Reset() {
	b.forget()
	if b.batch == nil {
		return
	}
	b.batch.N, b.merged = 0, nil
	for i, c := range b.batch.Cols {
		c.Clear(b.types[i])
	}
}
