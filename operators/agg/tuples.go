package agg

import (
	"millrace/operators/sortkey"
	"millrace/types"
	"millrace/vector"
)

// tuples keeps rows of several columns for every group: for aggregates that need them together and in an order.
type tuples struct {
	types  []*types.Type
	cols   []*vector.Vector
	groups []int32
	n      int           // groups
	keys   []sortkey.Key // of the last columns: the order; none: as they came
	limit  int           // of rows that matter in a group, in order; 0: all

	order []uint32 // the rows by group and order
	first []int    // by group: its first place in order
}

func newTuples(columns []*types.Type, keys []sortkey.Key) tuples {
	t := tuples{types: columns, keys: keys}
	t.Reset()
	return t
}

// tupleStates are the types of the columns in which States hands tuples on: an array of each.
func tupleStates(columns []*types.Type) []*types.Type {
	out := make([]*types.Type, len(columns))
	for i, t := range columns {
		out[i] = types.ArrayOf(t, true)
	}
	return out
}

func (t *tuples) Resize(n int) {
	if t.n != n {
		t.n, t.order = n, nil
	}
}

func (t *tuples) MemSize() int64 {
	n := int64(4*cap(t.groups) + 4*cap(t.order) + 8*cap(t.first))
	for _, c := range t.cols {
		n += c.MemSize()
	}
	return n
}

func (t *tuples) Reset() {
	t.cols = make([]*vector.Vector, len(t.types))
	for i, c := range t.types {
		t.cols[i] = vector.NewEmpty(c)
	}
	t.groups, t.n, t.order = nil, 0, nil
}

// add keeps rows of columns, of which row k belongs to group(k).
func (t *tuples) add(cols []*vector.Vector, rows []uint32, group func(k int) uint32) {
	if len(rows) == 0 {
		return
	}
	t.order = nil
	for i, c := range t.cols {
		c.Append(cols[i], rows)
	}
	for k := range rows {
		t.groups = append(t.groups, int32(group(k)))
	}
	if t.limit > 0 && len(t.groups) > 4096+2*t.limit*t.n {
		t.prune()
	}
}

// prune drops the rows beyond the limit.
func (t *tuples) prune() {
	t.arrange()
	var rows []uint32
	var groups []int32
	for g := range t.n {
		for _, r := range t.of(g) {
			rows, groups = append(rows, r), append(groups, int32(g))
		}
	}
	for i, c := range t.cols {
		t.cols[i] = vector.NewEmpty(c.Type)
		t.cols[i].Append(c, rows)
	}
	t.groups, t.order = groups, nil
}

func (t *tuples) arrange() {
	if t.order != nil {
		return
	}
	keys := append([]sortkey.Key{{Type: types.Integer}}, t.keys...)
	cols := append([]*vector.Vector{vector.FromSlice(types.Integer, t.groups)}, t.cols[len(t.cols)-len(t.keys):]...)
	t.order = append(make([]uint32, 0, len(t.groups)+1), sortkey.Sort(keys, cols, len(t.groups))...)
	t.first = make([]int, t.n+1)
	for _, g := range t.groups {
		t.first[g+1]++
	}
	for g := range t.n {
		t.first[g+1] += t.first[g]
	}
}

// of is a group's rows in order.
func (t *tuples) of(g int) []uint32 {
	rows := t.order[t.first[g]:t.first[g+1]]
	if t.limit > 0 && len(rows) > t.limit {
		rows = rows[:t.limit]
	}
	return rows
}

func (t *tuples) States(out []*vector.Vector, from, n int) {
	t.arrange()
	for i := range t.cols {
		t.arrays(out[i], i, from, n)
	}
}

// arrays appends column i of the groups' rows as arrays.
func (t *tuples) arrays(out *vector.Vector, i, from, n int) {
	v := vector.NewEmpty(out.Type)
	v.Len, v.Offsets = n, make([]int32, n+1)
	var rows []uint32
	for g := range n {
		rows = append(rows, t.of(from+g)...)
		v.Offsets[g+1] = int32(len(rows))
	}
	if len(rows) > 0 {
		v.Children[0].Append(t.cols[i], rows)
	}
	out.Append(v, nil)
}

// Merge takes States' columns: the arrays of a row are of equal length.
func (t *tuples) Merge(in *Input) error {
	cols := make([]*vector.Vector, len(in.Args))
	var groups, rows []uint32
	for i, a := range in.Args {
		rows, groups = rows[:0], groups[:0]
		for k := range in.N {
			for e := a.Offsets[k]; e < a.Offsets[k+1]; e++ {
				rows, groups = append(rows, uint32(e)), append(groups, in.group(k))
			}
		}
		cols[i] = vector.NewEmpty(a.Children[0].Type)
		cols[i].Append(a.Children[0], rows)
	}
	for k := range rows {
		rows[k] = uint32(k)
	}
	t.add(cols, rows, func(k int) uint32 { return groups[k] })
	return nil
}

// top is max_by and min_by of several rows: an array of the values with the largest, or least, keys.
type top struct{ tuples }

func newTop(c *Call) (Function, error) {
	k := c.constant(2)
	if k == nil {
		return nil, unsupported(c)
	}
	f := &top{newTuples(c.Args[:2], []sortkey.Key{{Type: c.Args[1], Descending: c.Name == "max_by"}})}
	f.limit = int(longAt(k, vector.Width(k.Type), 0))
	return f, nil
}

func (f *top) TakesNulls() bool { return true }

func (f *top) Update(in *Input) error {
	var rows, groups []uint32
	for k := range in.N {
		if !in.Args[1].IsNull(k) {
			rows, groups = append(rows, uint32(k)), append(groups, in.group(k))
		}
	}
	f.add(in.Args[:2], rows, func(k int) uint32 { return groups[k] })
	return nil
}

func (f *top) Result(out *vector.Vector, from, n int) error {
	f.arrange()
	f.arrays(out, 0, from, n)
	for g := range n {
		if len(f.of(from+g)) == 0 {
			out.SetNull(out.Len - n + g)
		}
	}
	return nil
}
