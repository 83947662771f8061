package rowbytes

import (
	"encoding/binary"
	"math"

	"millrace/errs"
	"millrace/types"
	"millrace/vector"
)

// Codec writes and reads rows of the same columns.
type Codec struct {
	types []*types.Type
	key   bool
}

// New makes a codec of rows with columns of these types.
func New(columns []*types.Type) *Codec { return &Codec{types: columns} }

// Key makes a codec in which equal rows, by SQL's grouping, have equal bytes.
func Key(columns []*types.Type) *Codec { return &Codec{columns, true} }

// Append appends row i of columns.
func (c *Codec) Append(to []byte, columns []*vector.Vector, i int) []byte {
	for _, v := range columns {
		to = c.value(to, v, i)
	}
	return to
}

func (c *Codec) value(to []byte, v *vector.Vector, i int) []byte {
	if v.IsNull(i) {
		return append(to, 0)
	}
	to = append(to, 1)
	i = v.Row(i)
	if v.Dict != nil {
		v, i = v.Dict, int(vector.Codes(v)[i])
	}
	w := vector.Width(v.Type)
	switch {
	case w > 0 && c.key && vector.Storage(v.Type).IsFloating():
		return appendFloat(to, v, i, w)
	case w > 0:
		return append(to, v.Data[i*w:(i+1)*w]...)
	case len(v.Children) == 0 && v.Offsets != nil:
		s := v.Bytes[v.Offsets[i]:v.Offsets[i+1]]
		return append(binary.AppendUvarint(to, uint64(len(s))), s...)
	case v.Offsets == nil:
		return c.Append(to, v.Children, i)
	}
	from, end := v.Offsets[i], v.Offsets[i+1]
	to = binary.AppendUvarint(to, uint64(end-from))
	for e := from; e < end; e++ {
		to = c.Append(to, v.Children, int(e))
	}
	return to
}

func appendFloat(to []byte, v *vector.Vector, i, w int) []byte {
	if w == 4 {
		x := vector.Values[float32](v)[i]
		switch {
		case x == 0:
			x = 0
		case x != x:
			x = float32(math.NaN())
		}
		return binary.LittleEndian.AppendUint32(to, math.Float32bits(x))
	}
	x := vector.Values[float64](v)[i]
	switch {
	case x == 0:
		x = 0
	case x != x:
		x = math.NaN()
	}
	return binary.LittleEndian.AppendUint64(to, math.Float64bits(x))
}

// Decoder gathers rows into columns that it owns.
type Decoder struct {
	codec   *Codec
	columns []*column
	out     []*vector.Vector
	n       int
}

// column is a vector in the making. What is null is put in at the end.
type column struct {
	v     *vector.Vector
	width int
	nulls []uint32
	kids  []*column
}

// Decoder makes an empty decoder.
func (c *Codec) Decoder() *Decoder {
	d := &Decoder{codec: c}
	for _, t := range c.types {
		d.columns = append(d.columns, newColumn(t))
	}
	return d
}

func newColumn(t *types.Type) *column {
	c := &column{v: vector.NewEmpty(t), width: vector.Width(t)}
	for _, k := range c.v.Children {
		c.kids = append(c.kids, newColumn(k.Type))
	}
	c.link()
	return c
}

// link makes the children of the vector the columns' own.
func (c *column) link() {
	for i, k := range c.kids {
		c.v.Children[i] = k.v
	}
}

// Reset forgets the rows and keeps the memory.
func (d *Decoder) Reset() {
	d.n = 0
	for _, c := range d.columns {
		c.reset()
	}
}

func (c *column) reset() {
	c.v.Clear(c.v.Type)
	c.nulls = c.nulls[:0]
	for _, k := range c.kids {
		k.reset()
	}
	c.link()
}

// Len is the number of rows.
func (d *Decoder) Len() int { return d.n }

var errForm = errs.Newf(errs.Invalid, "a row's bytes do not have the form of its columns")

// Add reads a row.
func (d *Decoder) Add(row []byte) error {
	for _, c := range d.columns {
		rest, err := c.read(row)
		if err != nil {
			return err
		}
		row = rest
	}
	if len(row) > 0 {
		return errForm
	}
	d.n++
	return nil
}

// AddNulls adds a row of nulls.
func (d *Decoder) AddNulls() {
	for _, c := range d.columns {
		c.null()
	}
	d.n++
}

func (c *column) read(row []byte) ([]byte, error) {
	if len(row) == 0 || row[0] > 1 {
		return nil, errForm
	}
	valid, row := row[0] == 1, row[1:]
	switch {
	case !valid:
		c.null()
		return row, nil
	case c.width > 0:
		if len(row) < c.width {
			return nil, errForm
		}
		c.v.Data = append(c.v.Data, row[:c.width]...)
		c.v.Len++
		return row[c.width:], nil
	case c.v.Offsets == nil: // a struct
		c.v.Len++
		return c.readKids(row)
	}
	n, k := binary.Uvarint(row)
	if k <= 0 || n > uint64(len(row)-k) {
		return nil, errForm
	}
	row = row[k:]
	c.v.Len++
	if len(c.kids) == 0 {
		c.v.Bytes = append(c.v.Bytes, row[:n]...)
		c.v.Offsets = append(c.v.Offsets, int32(len(c.v.Bytes)))
		return row[n:], nil
	}
	for range n {
		var err error
		if row, err = c.readKids(row); err != nil {
			return nil, err
		}
	}
	c.v.Offsets = append(c.v.Offsets, int32(c.kids[0].v.Len))
	return row, nil
}

func (c *column) readKids(row []byte) (rest []byte, err error) {
	for _, k := range c.kids {
		if row, err = k.read(row); err != nil {
			return nil, err
		}
	}
	return row, nil
}

// null adds a null.
func (c *column) null() {
	c.nulls = append(c.nulls, uint32(c.v.Len))
	c.v.Len++
	switch {
	case c.width > 0:
		c.v.Data = append(c.v.Data, make([]byte, c.width)...)
	case c.v.Offsets != nil:
		c.v.Offsets = append(c.v.Offsets, c.v.Offsets[len(c.v.Offsets)-1])
	default:
		for _, k := range c.kids {
			k.null()
		}
	}
}

// Columns are the rows added since the last Reset; they stay the decoder's.
func (d *Decoder) Columns() []*vector.Vector {
	d.out = d.out[:0]
	for _, c := range d.columns {
		c.finish()
		d.out = append(d.out, c.v)
	}
	return d.out
}

func (c *column) finish() {
	c.v.Valid = nil
	for _, i := range c.nulls {
		c.v.SetNull(int(i))
	}
	for _, k := range c.kids {
		k.finish()
	}
}
