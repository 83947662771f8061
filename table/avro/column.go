package avro

import (
	"encoding/binary"

	"millrace/types"
	"millrace/vector"
)

// column gathers the values of a column, field, element or map's part, row by row.
type column struct {
	typ      *types.Type
	width    int
	n        int
	valid    vector.Bitmap
	nulls    bool
	data     []byte // slots, or the bytes of texts
	offsets  []int32
	children []*column
	out      vector.Vector
}

func newColumn(t *types.Type) *column {
	c := &column{typ: t, width: vector.Width(t), data: make([]byte, 0, 64)}
	for _, k := range vector.ChildTypes(t) {
		c.children = append(c.children, newColumn(k))
	}
	c.clear()
	return c
}

func (c *column) clear() {
	c.n, c.nulls, c.valid, c.data = 0, false, c.valid[:0], c.data[:0]
	if c.hasOffsets() {
		c.offsets = append(c.offsets[:0], 0)
	}
	for _, k := range c.children {
		k.clear()
	}
}

func (c *column) hasOffsets() bool {
	return c.width == 0 && vector.Storage(c.typ).Kind != types.KindStruct
}

// done ends a row whose value was appended, or is null.
func (c *column) done(valid bool) {
	if c.n&63 == 0 {
		c.valid = append(c.valid, 0)
	}
	if valid {
		c.valid[c.n>>6] |= 1 << (c.n & 63)
	} else {
		c.nulls = true
	}
	c.n++
}

func (c *column) null() {
	switch {
	case c.width > 0:
		c.data = append(c.data, make([]byte, c.width)...)
	case c.hasOffsets():
		c.offsets = append(c.offsets, c.offsets[c.n])
	default:
		for _, k := range c.children {
			k.null()
		}
	}
	c.done(false)
}

// truncate takes off what was appended behind the first n rows, of a last row perhaps only a part.
func (c *column) truncate(n int) {
	c.n, c.valid = n, c.valid[:(n+63)/64]
	if n&63 != 0 {
		c.valid[n>>6] &= 1<<(n&63) - 1
	}
	below := n
	switch {
	case c.width > 0:
		c.data = c.data[:n*c.width]
	case c.hasOffsets():
		c.offsets = c.offsets[:n+1]
		if below = int(c.offsets[n]); len(c.children) == 0 {
			c.data = c.data[:below]
		}
	}
	for _, k := range c.children {
		k.truncate(below)
	}
}

// fixed appends the low bytes of a number.
func (c *column) fixed(v int64) {
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
	c.done(true)
}

// wide appends a number of 16 bytes.
func (c *column) wide(low uint64, high int64) {
	c.data = binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(c.data, low), uint64(high))
	c.done(true)
}

func (c *column) str(s []byte) {
	c.data = append(c.data, s...)
	c.offsets = append(c.offsets, int32(len(c.data)))
	c.done(true)
}

// list ends an array or map whose elements were appended.
func (c *column) list() {
	c.offsets = append(c.offsets, int32(c.children[0].n))
	c.done(true)
}

// vector is the column; it stays the builder's.
func (c *column) vector() *vector.Vector {
	v := &c.out
	*v = vector.Vector{Type: c.typ, Len: c.n, Children: v.Children[:0]}
	if c.nulls {
		v.Valid = c.valid
	}
	switch {
	case c.width > 0:
		v.Data = c.data
	case c.hasOffsets():
		v.Offsets = c.offsets
		if len(c.children) == 0 {
			v.Bytes = c.data
		}
	}
	for _, k := range c.children {
		v.Children = append(v.Children, k.vector())
	}
	return v
}
