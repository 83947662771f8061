package expr

import (
	"millrace/types"
	"millrace/vector"
)

// elements are the elements of a column of lists or maps, of the rows that exist and are not null, one after another.
type elements struct {
	list    *vector.Vector // the column, plain
	rows    []uint32       // each element's row
	index   []uint32       // each element's place in the list's children
	offsets []int32        // row i's elements are offsets[i] to offsets[i+1]
	dense   bool           // index is 0, 1, 2, … over all of the children's rows
}

func elementsOf(v *vector.Vector, sel []uint32, n int) *elements {
	v = plainNested(v)
	e := &elements{list: v, offsets: make([]int32, n+1)}
	next := 0
	Rows(sel, n, func(i int) {
		for ; next < i; next++ {
			e.offsets[next+1] = e.offsets[next]
		}
		if !v.IsNull(i) {
			r := v.Row(i)
			for j := v.Offsets[r]; j < v.Offsets[r+1]; j++ {
				e.rows, e.index = append(e.rows, uint32(i)), append(e.index, uint32(j))
			}
		}
		e.offsets[i+1] = int32(len(e.index))
		next = i + 1
	})
	for ; next < n; next++ {
		e.offsets[next+1] = e.offsets[next]
	}
	child := v.Children[0]
	e.dense = len(e.index) == child.Len && !v.Const
	for k := range e.index {
		if !e.dense {
			break
		}
		e.dense = e.index[k] == uint32(k)
	}
	return e
}

func (e *elements) len() int { return len(e.index) }

// column is child k of the list, one row an element.
func (e *elements) column(k int) *vector.Vector {
	src := e.list.Children[k]
	if e.dense {
		return src
	}
	return gathered(src, e.index)
}

// places are the elements' places in their lists, from 0.
func (e *elements) places() *vector.Vector {
	v := &vector.Vector{}
	v.Reset(types.Integer, e.len())
	out := vector.Values[int32](v)
	for k, i := range e.rows {
		out[k] = int32(k) - e.offsets[i]
	}
	return v
}

// gathered is rows idx of a column, which may be of nulls alone.
func gathered(src *vector.Vector, idx []uint32) *vector.Vector {
	if src.Len == 0 && !src.Const {
		return vector.NewNulls(src.Type, len(idx))
	}
	v := vector.NewEmpty(src.Type)
	if len(idx) > 0 {
		v.Append(src, idx)
	}
	return v
}

// apply evaluates the lambda's body once for each element: rows are the elements' rows of b, params the columns of its parameters,
// of which it may take fewer. The result is as long as rows and valid until the next apply.
func (l *Lambda) apply(ctx *Ctx, b *vector.Batch, rows []uint32, params ...*vector.Vector) (*vector.Vector, error) {
	if len(rows) == 0 {
		return vector.NewNull(l.Body.Type(), 0), nil
	}
	inner := &vector.Batch{Cols: make([]*vector.Vector, len(b.Cols)), N: len(rows)}
	for _, c := range l.Columns {
		inner.Cols[c] = repeated(b.Cols[c], rows)
	}
	for _, p := range l.Outer {
		defer func(v *vector.Vector) { p.Value = v }(p.Value)
		p.Value = repeated(p.Value, rows)
	}
	for k, p := range l.Params {
		p.Value = params[k]
	}
	return l.Body.Eval(ctx, inner, nil)
}

// repeated is rows of a column; a constant stays one.
func repeated(v *vector.Vector, rows []uint32) *vector.Vector {
	if v.Const {
		c := *v
		c.Len = len(rows)
		return &c
	}
	return gathered(v, rows)
}

// spread is a plain column of n rows that the caller owns, with the values of v, which may be a constant.
func owned(v *vector.Vector, t *types.Type, n int) *vector.Vector {
	out := vector.NewEmpty(t)
	switch {
	case n == 0:
	case v.Type.Kind == types.KindNull, v.Const && v.IsNull(0):
		out.AppendNulls(n)
	case v.Const:
		out.Append(v, make([]uint32, n))
	case v.Len != n:
		out.Append(v, rowNumbers(n))
	default:
		out.Append(v, nil)
	}
	return out
}

// higher is a function with a lambda: args are its other arguments, of which the first is the list or map. A row is null when one of them is.
type higher struct {
	c    *Call
	args []Evaluator
	run  func(ctx *Ctx, h *higher, b *vector.Batch, vals []*vector.Vector, sel []uint32, out *vector.Vector) error
	l    []*Lambda
	out  vector.Vector
	sel  []uint32
}

func registerHigher(name string, run func(*Ctx, *higher, *vector.Batch, []*vector.Vector, []uint32, *vector.Vector) error) {
	Register(name, Func{Lazy: func(c *Call, args []Evaluator) (Evaluator, error) {
		h := &higher{c: c, run: run}
		for _, a := range args {
			if l, ok := a.(*Lambda); ok {
				h.l = append(h.l, l)
			} else {
				h.args = append(h.args, a)
			}
		}
		return h, nil
	}})
}

func (h *higher) Type() *types.Type { return h.c.Out }

// Eval gives run the rows that are not null, and makes the others null.
func (h *higher) Eval(ctx *Ctx, b *vector.Batch, sel []uint32) (*vector.Vector, error) {
	if b.N == 0 || sel != nil && len(sel) == 0 {
		return vector.NewNull(h.c.Out, b.N), nil
	}
	vals := make([]*vector.Vector, len(h.args))
	for k, a := range h.args {
		v, err := a.Eval(ctx, b, sel)
		if err != nil {
			return nil, err
		}
		if vals[k] = v; v.Const && v.IsNull(0) || v.Type.Kind == types.KindNull {
			return vector.NewNull(h.c.Out, b.N), nil
		}
	}
	h.out = vector.Vector{}
	out := &h.out
	out.Reset(h.c.Out, b.N)
	rows := h.nonNull(vals, sel, b.N, out)
	if len(rows) == 0 {
		return vector.NewNull(h.c.Out, b.N), nil
	}
	if err := h.run(ctx, h, b, vals, rows, out); err != nil {
		return nil, Wrap(h.c, err)
	}
	return out, nil
}

func (h *higher) nonNull(vals []*vector.Vector, sel []uint32, n int, out *vector.Vector) []uint32 {
	h.sel = growSel(h.sel, n)[:0]
	nulls := false
	for _, v := range vals {
		nulls = nulls || v.HasNulls()
	}
	Rows(sel, n, func(i int) {
		for _, v := range vals {
			if nulls && v.IsNull(i) {
				out.SetNull(i)
				return
			}
		}
		h.sel = append(h.sel, uint32(i))
	})
	return h.sel
}

// truth is a boolean column's row: 1 true, 0 false, -1 null.
func truth(v *vector.Vector, i int) int {
	if v.IsNull(i) {
		return -1
	}
	v, i = slotOf(v, i)
	return b2i(vector.Values[bool](v)[i])
}
