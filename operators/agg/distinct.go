package agg

import (
	"millrace/operators/hashtable"
	"millrace/types"
	"millrace/vector"
)

// Distinct lets the first row of each group and value pass.
type Distinct struct {
	types []*types.Type
	table *hashtable.Table
	ids   []uint32
	seen  []bool
	rows  []uint32
	group []uint32
	arr   Arranger
}

// NewDistinct makes the filter of rows of these types.
func NewDistinct(args []*types.Type) *Distinct {
	ts := append([]*types.Type{types.Integer}, args...)
	return &Distinct{types: ts, table: hashtable.New(ts)}
}

// MemSize is the bytes that the values met hold.
func (d *Distinct) MemSize() int64 { return d.table.MemSize() }

// Reset forgets the values met, and their memory.
func (d *Distinct) Reset() { d.table = hashtable.New(d.types) }

// Values are the values met so far, row by row: the group of each, and its columns, which stay the filter's.
func (d *Distinct) Values() (groups []int32, args []*vector.Vector) {
	if d.table.Len() == 0 {
		return nil, nil
	}
	cols := d.table.Keys()
	return vector.Values[int32](cols[0])[:d.table.Len()], cols[1:]
}

// First is the rows of in that no earlier row of their group equals. It is valid until the next call.
func (d *Distinct) First(in *Input) *Input {
	ids, group := make([]int32, in.N), in.Groups
	if group == nil {
		group = make([]uint32, in.N)
	}
	for k, g := range group {
		ids[k] = int32(g)
	}
	before := uint32(d.table.Len())
	if cap(d.ids) < in.N {
		d.ids = make([]uint32, in.N+in.N/4)
	}
	d.ids = d.ids[:in.N]
	d.table.Find(append([]*vector.Vector{vector.FromSlice(types.Integer, ids)}, in.Args...), nil, in.N, d.ids)
	d.seen = resize(d.seen[:0], d.table.Len()-int(before))
	d.rows, d.group = append(d.rows[:0], 0)[:0], append(d.group[:0], 0)[:0]
	for k, id := range d.ids {
		if id >= before && !d.seen[id-before] {
			d.seen[id-before] = true
			d.rows, d.group = append(d.rows, uint32(k)), append(d.group, group[k])
		}
	}
	d.arr.Begin(d.group, d.rows, len(d.rows))
	return d.arr.Input(in.Args, false)
}
