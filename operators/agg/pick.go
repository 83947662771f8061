package agg

import (
	"bytes"

	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"millrace/operators/sortkey"
	"millrace/types"
	"millrace/vector"
)

func init() {
	register(builder{edgeStates, newEdge}, "first", "first_value", "any_value", "last", "last_value")
	register(builder{byStates, newBy}, "min_by", "max_by")
}

// pick keeps one row of its arguments per group: the one with the least or largest value of its last column, or the first or last row.
// The rows lie in columns that grow; those that were replaced are swept out when they are most.
type pick struct {
	types    []*types.Type
	rows     []uint32 // by group: the row kept, NoRow for none
	cols     []*vector.Vector
	better   func(new *vector.Vector, i int, old *vector.Vector, j int) bool // nil: as latest says
	latest   bool
	nulls    bool // null arguments are rows too
	nullable int  // columns before this one may be null
	flag     bool // the states end with whether there is a row

	touched []uint32
	fresh   []uint32
	pending []uint32
}

func newPick(c *Call, largest bool) Function {
	return &pick{types: c.Args[:1], better: betterThan(c.Args[0], largest)}
}

func byStates(c *Call) []*types.Type {
	if len(c.Args) == 3 {
		return tupleStates(c.Args[:2])
	}
	return c.Args[:2]
}

func newBy(c *Call) (Function, error) {
	if len(c.Args) == 3 {
		return newTop(c)
	}
	return &pick{types: c.Args[:2], better: betterThan(c.Args[1], c.Name == "max_by"), nulls: true, nullable: 1}, nil
}

func edgeStates(c *Call) []*types.Type { return []*types.Type{c.Args[0], types.Boolean} }

// newEdge is first and last; nulls are skipped when the call or its second argument says so.
func newEdge(c *Call) (Function, error) {
	ignore := c.Ignore
	if k := c.constant(1); k != nil && !k.IsNull(0) {
		ignore = ignore || vector.Values[bool](k)[0]
	}
	return &pick{types: c.Args[:1], latest: c.Name == "last" || c.Name == "last_value", nulls: !ignore, nullable: 1, flag: true}, nil
}

func betterThan(t *types.Type, largest bool) func(*vector.Vector, int, *vector.Vector, int) bool {
	switch {
	case t.IsStringLike() && largest:
		return func(a *vector.Vector, i int, b *vector.Vector, j int) bool {
			return bytes.Compare(a.Str(i), b.Str(j)) > 0
		}
	case t.IsStringLike():
		return func(a *vector.Vector, i int, b *vector.Vector, j int) bool {
			return bytes.Compare(a.Str(i), b.Str(j)) < 0
		}
	case t.Kind == types.KindDecimal && vector.Width(t) == 16 && largest:
		return func(a *vector.Vector, i int, b *vector.Vector, j int) bool {
			return vector.Values[decimal128.Num](b)[j].Less(vector.Values[decimal128.Num](a)[i])
		}
	case t.Kind == types.KindDecimal && vector.Width(t) == 16:
		return func(a *vector.Vector, i int, b *vector.Vector, j int) bool {
			return vector.Values[decimal128.Num](a)[i].Less(vector.Values[decimal128.Num](b)[j])
		}
	case largest:
		return func(a *vector.Vector, i int, b *vector.Vector, j int) bool { return sortkey.Values(a, i, b, j) > 0 }
	}
	return func(a *vector.Vector, i int, b *vector.Vector, j int) bool { return sortkey.Values(a, i, b, j) < 0 }
}

func (f *pick) TakesNulls() bool { return f.nulls }

func (f *pick) Resize(n int) {
	old := len(f.rows)
	f.rows = resize(f.rows, n)
	for i := old; i < n; i++ {
		f.rows[i] = vector.NoRow
	}
	f.pending = resize(f.pending, n)
	if f.cols == nil {
		for _, t := range f.types {
			f.cols = append(f.cols, vector.NewEmpty(t))
		}
	}
}

func (f *pick) MemSize() int64 {
	n := int64(8 * cap(f.rows))
	for _, c := range f.cols {
		n += c.MemSize()
	}
	return n
}

func (f *pick) Reset() {
	f.rows, f.pending, f.cols = f.rows[:0], f.pending[:0], nil
}

// Update finds the best row of the batch for each group, by its number plus 1 in pending, and then keeps those.
func (f *pick) Update(in *Input) error { return f.update(in, in.Args[:len(f.types)]) }

func (f *pick) update(in *Input, args []*vector.Vector) error {
	by := args[len(args)-1]
	f.touched = f.touched[:0]
	for k := range in.N {
		g := in.group(k)
		if f.better != nil && f.nulls && by.IsNull(k) {
			continue // min_by and max_by leave out rows without an ordering
		}
		if !f.wins(by, k, g) {
			continue
		}
		if f.pending[g] == 0 {
			f.touched = append(f.touched, g)
		}
		f.pending[g] = uint32(k) + 1
	}
	f.keep(args)
	return nil
}

// wins reports whether row k takes the place of what group g has.
func (f *pick) wins(by *vector.Vector, k int, g uint32) bool {
	switch p := f.pending[g]; {
	case f.better == nil:
		return f.latest || p == 0 && f.rows[g] == vector.NoRow
	case p != 0:
		return f.better(by, k, by, int(p-1))
	case f.rows[g] == vector.NoRow:
		return true
	}
	return f.better(by, k, f.cols[len(f.cols)-1], int(f.rows[g]))
}

func (f *pick) keep(args []*vector.Vector) {
	if len(f.touched) == 0 {
		return
	}
	f.fresh = f.fresh[:0]
	at := uint32(f.cols[0].Len)
	for i, g := range f.touched {
		f.fresh = append(f.fresh, f.pending[g]-1)
		f.pending[g] = 0
		f.rows[g] = at + uint32(i)
	}
	for i, c := range f.cols {
		c.Append(args[i], f.fresh)
	}
	if n := f.cols[0].Len; n > 256+4*len(f.rows) {
		f.sweep()
	}
}

// sweep leaves only the rows that a group keeps.
func (f *pick) sweep() {
	var live []uint32
	for g, r := range f.rows {
		if r != vector.NoRow {
			f.rows[g] = uint32(len(live))
			live = append(live, r)
		}
	}
	for i, c := range f.cols {
		n := vector.NewEmpty(c.Type)
		n.Append(c, live)
		f.cols[i] = n
	}
}

// Merge takes the columns of Update, and for first and last a flag that tells a null from nothing.
func (f *pick) Merge(in *Input) error {
	if !f.flag {
		if f.nulls {
			return f.update(in, in.Args)
		}
		in = withoutNulls(in)
		return f.update(in, in.Args)
	}
	var rows, groups []uint32
	for k, has := range vector.Values[bool](in.Args[1])[:in.N] {
		if has {
			rows, groups = append(rows, uint32(k)), append(groups, in.group(k))
		}
	}
	if len(rows) == 0 {
		return nil
	}
	c := vector.NewEmpty(in.Args[0].Type)
	c.Append(in.Args[0], rows)
	return f.update(&Input{N: len(rows), Groups: groups}, []*vector.Vector{c})
}

func (f *pick) States(out []*vector.Vector, from, n int) {
	rows := f.rows[from : from+n]
	for i, c := range f.cols {
		out[i].Append(c, rows)
	}
	if f.flag {
		has := make([]bool, n)
		for i, r := range rows {
			has[i] = r != vector.NoRow
		}
		out[1].Append(vector.FromSlice(types.Boolean, has), nil)
	}
}

func (f *pick) Result(out *vector.Vector, from, n int) error {
	out.Append(f.cols[0], f.rows[from:from+n])
	return nil
}
