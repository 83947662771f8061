package linalg

import (
	"millrace/types"
	"millrace/vector"
)

const (
	sparseKind = 0
	denseKind  = 1
)

// Column reads a column of vectors.
type Column struct {
	src     *vector.Vector
	kinds   []int8
	sizes   []int32
	indices []int32
	values  []float64
	ioffs   []int32
	voffs   []int32
}

// Of reads v, a column of types.VectorUDT, which must not change while it is read.
func Of(v *vector.Vector) Column {
	v = plain(v)
	c := Column{src: v}
	if len(v.Children) != 4 {
		return c // a constant null
	}
	kids := [4]*vector.Vector{}
	for i, k := range v.Children {
		kids[i] = plain(k)
	}
	c.kinds, c.sizes = vector.Values[int8](kids[0]), vector.Values[int32](kids[1])
	c.ioffs, c.voffs = kids[2].Offsets, kids[3].Offsets
	c.indices, c.values = elements[int32](kids[2]), elements[float64](kids[3])
	return c
}

// plain is v without a dictionary, and with a row for each row if it is one of a struct's constant members.
func plain(v *vector.Vector) *vector.Vector {
	if v.Dict == nil {
		return v
	}
	out := vector.NewEmpty(v.Type)
	out.AppendPlain(v, nil)
	return out
}

func elements[T vector.Fixed](list *vector.Vector) []T {
	if len(list.Children) == 0 {
		return nil
	}
	return vector.Values[T](plain(list.Children[0]))
}

// IsNull reports whether row i is null.
func (c *Column) IsNull(i int) bool { return c.kinds == nil || c.src.HasNulls() && c.src.IsNull(i) }

// Row is vector i, which must not be null: its size, the places of its values (nil: dense) and the values, which belong to the column.
func (c *Column) Row(i int) (size int, indices []int32, values []float64) {
	i = c.src.Row(i)
	values = c.values[c.voffs[i]:c.voffs[i+1]]
	if c.kinds[i] == denseKind {
		return len(values), nil, values
	}
	indices = c.indices[c.ioffs[i]:c.ioffs[i+1]]
	if indices == nil {
		indices = []int32{}
	}
	return int(c.sizes[i]), indices, values
}

// Spread is vector i, which must not be null, as an array of all its numbers. It uses the memory of scratch, a result of an earlier call.
func (c *Column) Spread(i int, scratch []float64) []float64 {
	size, indices, values := c.Row(i)
	if indices == nil {
		return append(scratch[:0], values...)
	}
	if cap(scratch) < size {
		scratch = make([]float64, size)
	}
	scratch = scratch[:size]
	clear(scratch)
	for p, j := range indices {
		scratch[j] = values[p]
	}
	return scratch
}

// Writer builds a column of vectors row by row, in ascending order. Rows that are left out hold nothing and should be null or unselected.
type Writer struct {
	out     *vector.Vector
	kinds   []int8
	sizes   []int32
	valid   vector.Bitmap // which rows are sparse
	ioffs   []int32
	voffs   []int32
	indices []int32
	values  []float64
	next    int
}

// NewWriter starts writing out, which was Reset to types.VectorUDT and its number of rows. The memory of out's last use is used again.
func NewWriter(out *vector.Vector) *Writer {
	n := out.Len
	w := &Writer{out: out, valid: vector.NewBitmap(n)}
	clear(w.valid)
	if k := out.Children; len(k) == 4 && len(k[2].Children) == 1 && len(k[3].Children) == 1 {
		w.kinds, w.sizes = room[int8](k[0], n), room[int32](k[1], n)
		w.ioffs, w.voffs = roomOffsets(k[2], n), roomOffsets(k[3], n)
		w.indices, w.values = again[int32](k[2].Children[0]), again[float64](k[3].Children[0])
	} else {
		w.kinds, w.sizes = make([]int8, n), make([]int32, n)
		w.ioffs, w.voffs = make([]int32, n+1), make([]int32, n+1)
	}
	return w
}

func room[T vector.Fixed](v *vector.Vector, n int) []T {
	if s := again[T](v); cap(s) >= n {
		s = s[:n]
		clear(s)
		return s
	}
	return make([]T, n, n+n/4)
}

// again is the memory of a vector's slots, empty.
func again[T vector.Fixed](v *vector.Vector) []T {
	whole := vector.Vector{Data: v.Data[:cap(v.Data)]}
	return vector.Values[T](&whole)[:0]
}

func roomOffsets(v *vector.Vector, n int) []int32 {
	if cap(v.Offsets) > n {
		v.Offsets = v.Offsets[:n+1]
		v.Offsets[0] = 0
		return v.Offsets
	}
	return make([]int32, n+1, n+n/4+1)
}

// seek closes the rows before i.
func (w *Writer) seek(i int) {
	for ; w.next < i; w.next++ {
		w.kinds[w.next] = denseKind
		w.ioffs[w.next+1], w.voffs[w.next+1] = w.ioffs[w.next], w.voffs[w.next]
	}
}

// Dense makes row i a dense vector; the caller sets all of its values before the next call.
func (w *Writer) Dense(i, size int) []float64 {
	w.seek(i)
	from := len(w.values)
	w.values = lengthen(w.values, size)
	w.kinds[i] = denseKind
	w.ioffs[i+1], w.voffs[i+1] = w.ioffs[i], int32(len(w.values))
	w.next = i + 1
	return w.values[from:]
}

// Sparse makes row i a sparse vector with nnz values; the caller sets all of their places, ascending, and values before the next call.
func (w *Writer) Sparse(i, size, nnz int) (indices []int32, values []float64) {
	w.seek(i)
	at, from := len(w.indices), len(w.values)
	w.indices, w.values = lengthen(w.indices, nnz), lengthen(w.values, nnz)
	w.kinds[i], w.sizes[i] = sparseKind, int32(size)
	w.valid.Set(i)
	w.ioffs[i+1], w.voffs[i+1] = int32(len(w.indices)), int32(len(w.values))
	w.next = i + 1
	return w.indices[at:], w.values[from:]
}

func lengthen[T any](s []T, n int) []T {
	need := len(s) + n
	if need <= cap(s) {
		return s[:need]
	}
	g := make([]T, need, max(need, 2*cap(s)))
	copy(g, s)
	return g
}

// Close completes the column.
func (w *Writer) Close() {
	w.seek(w.out.Len)
	size := vector.FromSlice(types.Integer, w.sizes)
	size.Valid = w.valid
	ints := &vector.Vector{Type: types.VectorUDT.Elem.Fields[2].Type, Len: w.out.Len, Valid: w.valid, Offsets: w.ioffs,
		Children: []*vector.Vector{vector.FromSlice(types.Integer, w.indices)}}
	doubles := &vector.Vector{Type: types.VectorUDT.Elem.Fields[3].Type, Len: w.out.Len, Offsets: w.voffs,
		Children: []*vector.Vector{vector.FromSlice(types.Double, w.values)}}
	w.out.Children = []*vector.Vector{vector.FromSlice(types.Byte, w.kinds), size, ints, doubles}
}
