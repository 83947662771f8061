// Package column gathers the values of formats that are read row by row into vectors.
package column

import (
	"encoding/binary"

	"millrace/types"
	"millrace/vector"
)

// Column gathers the values of a column, field, element or map's part, row by row; each method but Clear, Truncate and Vector appends a row.
// A struct's row is appended to its Children first and then ended by Done, a list's elements are appended to Children[0] (and a map's values to
// Children[1]) and then ended by List.
type Column struct {
	typ      *types.Type
	width    int
	N        int // rows so far
	valid    vector.Bitmap
	nulls    bool
	data     []byte // slots, or the bytes of texts
	offsets  []int32
	Children []*Column
	out      vector.Vector
}

// New makes an empty column.
func New(t *types.Type) *Column {
	c := &Column{typ: t, width: vector.Width(t), data: make([]byte, 0, 64)}
	for _, k := range vector.ChildTypes(t) {
		c.Children = append(c.Children, New(k))
	}
	c.Clear()
	return c
}

// Clear forgets all rows; the memory is used again.
func (c *Column) Clear() {
	c.N, c.nulls, c.valid, c.data = 0, false, c.valid[:0], c.data[:0]
	if c.hasOffsets() {
		c.offsets = append(c.offsets[:0], 0)
	}
	for _, k := range c.Children {
		k.Clear()
	}
}

func (c *Column) hasOffsets() bool {
	return c.width == 0 && vector.Storage(c.typ).Kind != types.KindStruct
}

// Done ends a struct's row.
func (c *Column) Done(valid bool) {
	if c.N&63 == 0 {
		c.valid = append(c.valid, 0)
	}
	if valid {
		c.valid[c.N>>6] |= 1 << (c.N & 63)
	} else {
		c.nulls = true
	}
	c.N++
}

// Null appends a null.
func (c *Column) Null() {
	switch {
	case c.width > 0:
		c.data = append(c.data, make([]byte, c.width)...)
	case c.hasOffsets():
		c.offsets = append(c.offsets, c.offsets[c.N])
	default:
		for _, k := range c.Children {
			k.Null()
		}
	}
	c.Done(false)
}

// Truncate takes off what was appended behind the first n rows, of a last row perhaps only a part.
func (c *Column) Truncate(n int) {
	c.N, c.valid = n, c.valid[:(n+63)/64]
	if n&63 != 0 {
		c.valid[n>>6] &= 1<<(n&63) - 1
	}
	below := n
	switch {
	case c.width > 0:
		c.data = c.data[:n*c.width]
	case c.hasOffsets():
		c.offsets = c.offsets[:n+1]
		if below = int(c.offsets[n]); len(c.Children) == 0 {
			c.data = c.data[:below]
		}
	}
	for _, k := range c.Children {
		k.Truncate(below)
	}
}

// Fixed appends the low bytes of a number.
func (c *Column) Fixed(v int64) {
	switch c.width {
	case 1:
		c.data = append(c.data, byte(v))
	case 2:
		c.data = binary.LittleEndian.AppendUint16(c.data, uint16(v))
	case 4:
		c.data = binary.LittleEndian.AppendUint32(c.data, uint32(v))
	default:
		c.data = binary.LittleEndian.AppendUint64(c.data, uint64(v))
	}
	c.Done(true)
}

// Wide appends a number of 16 bytes.
func (c *Column) Wide(low uint64, high int64) {
	c.data = binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(c.data, low), uint64(high))
	c.Done(true)
}

// Str appends a text or binary, which is copied.
func (c *Column) Str(s []byte) {
	c.data = append(c.data, s...)
	c.offsets = append(c.offsets, int32(len(c.data)))
	c.Done(true)
}

// List ends an array or map whose elements were appended.
func (c *Column) List() {
	c.offsets = append(c.offsets, int32(c.Children[0].N))
	c.Done(true)
}

// Vector is the rows so far; it stays the column's.
func (c *Column) Vector() *vector.Vector {
	v := &c.out
	*v = vector.Vector{Type: c.typ, Len: c.N, Children: v.Children[:0]}
	if c.nulls {
		v.Valid = c.valid
	}
	switch {
	case c.width > 0:
		v.Data = c.data
	case c.hasOffsets():
		v.Offsets = c.offsets
		if len(c.Children) == 0 {
			v.Bytes = c.data
		}
	}
	for _, k := range c.Children {
		v.Children = append(v.Children, k.Vector())
	}
	return v
}
