package expr

import (
	"millrace/errs"
	"millrace/types"
	"millrace/vector"
)

func init() {
	Register("struct", Func{Lazy: func(c *Call, args []Evaluator) (Evaluator, error) { return &structOf{t: c.Out, args: args}, nil }})
	Register("array", Func{Pure: true, Build: func(*Call) (Kernel, error) { return makeArray, nil }})
	Register("map", Func{Pure: true, Build: func(c *Call) (Kernel, error) { return makeMap(c), nil }})
	Register("map_from_arrays", Func{Strict: true, Pure: true, Build: func(c *Call) (Kernel, error) { return mapFromArrays(c), nil }})
	Register("map_entries", Func{Strict: true, Pure: true, Build: func(*Call) (Kernel, error) { return mapEntries, nil }})
	Register("map_keys", Func{Strict: true, Pure: true, Build: func(*Call) (Kernel, error) { return mapPart(0), nil }})
	Register("map_values", Func{Strict: true, Pure: true, Build: func(*Call) (Kernel, error) { return mapPart(1), nil }})
}

// plainNested is an array, map or struct column that is not coded.
func plainNested(v *vector.Vector) *vector.Vector {
	if v.Dict == nil {
		return v
	}
	c := vector.NewEmpty(v.Type)
	c.AppendPlain(v, nil)
	return c
}

// structOf makes structs of its arguments' columns without copying them.
type structOf struct {
	t    *types.Type
	args []Evaluator
	out  vector.Vector
}

func (e *structOf) Type() *types.Type { return e.t }

func (e *structOf) Eval(ctx *Ctx, b *vector.Batch, sel []uint32) (*vector.Vector, error) {
	e.out = vector.Vector{Type: e.t, Len: b.N, Children: make([]*vector.Vector, len(e.args))}
	for k, a := range e.args {
		v, err := a.Eval(ctx, b, sel)
		if err != nil {
			return nil, err
		}
		if v.Const || v.Len != b.N || v.Type.Kind == types.KindNull && e.t.Fields[k].Type.Kind != types.KindNull {
			spread := vector.NewEmpty(e.t.Fields[k].Type)
			if v.IsNull(0) {
				spread.AppendNulls(b.N)
			} else {
				spread.Append(v, make([]uint32, b.N))
			}
			v = spread
		}
		e.out.Children[k] = v
	}
	return &e.out, nil
}

// pool appends the rows of several columns, of those that exist, one column after another. at gives the place of the k-th existing
// row of column c.
type pool struct {
	all    *vector.Vector
	starts []int
	consts []bool
}

func newPool(t *types.Type, columns []*vector.Vector, sel []uint32, n int) *pool {
	p := &pool{all: vector.NewEmpty(t), starts: make([]int, len(columns)), consts: make([]bool, len(columns))}
	if sel == nil {
		sel = rowNumbers(n)
	}
	for c, v := range columns {
		p.starts[c], p.consts[c] = p.all.Len, v.Const
		rows := sel
		if v.Const {
			rows = []uint32{0}
		}
		if v.Type.Kind == types.KindNull {
			p.all.AppendNulls(len(rows))
		} else {
			p.all.Append(v, rows)
		}
	}
	return p
}

func (p *pool) at(c, k int) uint32 {
	if p.consts[c] {
		k = 0
	}
	return uint32(p.starts[c] + k)
}

// offsets writes equal lengths for the rows in sel and none for others.
func equalLists(out *vector.Vector, sel []uint32, n, length int) {
	if sel == nil {
		for i := range n {
			out.Offsets[i+1] = out.Offsets[i] + int32(length)
		}
		return
	}
	next := 0
	for _, i := range sel {
		for ; next < int(i); next++ {
			out.Offsets[next+1] = out.Offsets[next]
		}
		out.Offsets[next+1] = out.Offsets[next] + int32(length)
		next++
	}
	for ; next < n; next++ {
		out.Offsets[next+1] = out.Offsets[next]
	}
}

// interleave lays columns side by side: the first row of each, then the second.
func interleave(t *types.Type, columns []*vector.Vector, sel []uint32, n int) *vector.Vector {
	p := newPool(t, columns, sel, n)
	count := n
	if sel != nil {
		count = len(sel)
	}
	idx := make([]uint32, 0, count*len(columns))
	for k := range count {
		for c := range columns {
			idx = append(idx, p.at(c, k))
		}
	}
	out := vector.NewEmpty(t)
	if len(idx) > 0 {
		out.Append(p.all, idx)
	}
	return out
}

func makeArray(_ *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
	equalLists(out, sel, n, len(args))
	out.Children = []*vector.Vector{interleave(out.Type.Elem, args, sel, n)}
	return nil
}

func makeMap(c *Call) Kernel {
	return func(ctx *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		var keys, values []*vector.Vector
		for i := 0; i+1 < len(args); i += 2 {
			keys, values = append(keys, args[i]), append(values, args[i+1])
		}
		equalLists(out, sel, n, len(keys))
		out.Children = []*vector.Vector{interleave(out.Type.Key, keys, sel, n), interleave(out.Type.Elem, values, sel, n)}
		return dedupKeys(c, out, sel, n)
	}
}

func mapFromArrays(c *Call) Kernel {
	return func(_ *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		k, v := plainNested(args[0]), plainNested(args[1])
		err := RowsErr(sel, n, func(i int) error {
			a, b := k.Row(i), v.Row(i)
			if k.Offsets[a+1]-k.Offsets[a] != v.Offsets[b+1]-v.Offsets[b] {
				return errs.New("_LEGACY_ERROR_TEMP_2128")
			}
			return nil
		})
		if err != nil {
			return err
		}
		values := &vector.Vector{Offsets: make([]int32, n+1)}
		all := func(src *vector.Vector) func(int, func(int)) {
			return func(i int, add func(int)) {
				r := src.Row(i)
				for j := src.Offsets[r]; j < src.Offsets[r+1]; j++ {
					add(int(j))
				}
			}
		}
		if err := gatherLists(values, sel, n, v.Children[0], all(v)); err != nil {
			return err
		}
		if err := gatherLists(out, sel, n, k.Children[0], all(k)); err != nil {
			return err
		}
		out.Children = append(out.Children, values.Children[0])
		return dedupKeys(c, out, sel, n)
	}
}

// mapPart is the keys or the values of maps as arrays, which share their memory.
func mapPart(part int) Kernel {
	return func(_ *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		v := plainNested(args[0])
		return gatherLists(out, sel, n, v.Children[part], func(i int, add func(int)) {
			r := v.Row(i)
			for j := v.Offsets[r]; j < v.Offsets[r+1]; j++ {
				add(int(j))
			}
		})
	}
}

func mapEntries(ctx *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
	if err := mapPart(0)(ctx, args, sel, n, out); err != nil {
		return err
	}
	values := &vector.Vector{Offsets: make([]int32, n+1)}
	if err := mapPart(1)(ctx, args, sel, n, values); err != nil {
		return err
	}
	keys := out.Children[0]
	out.Children = []*vector.Vector{{Type: out.Type.Elem, Len: keys.Len, Children: []*vector.Vector{keys, values.Children[0]}}}
	return nil
}
