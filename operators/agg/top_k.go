package agg

import (
	"strconv"

	"millrace/errs"
	"millrace/operators/expr"
	"millrace/planconv"
	"millrace/sketch"
	"millrace/types"
	"millrace/vector"
)

func init() {
	register(builder{one(types.Binary), newTopK}, "approx_top_k", "approx_top_k_accumulate")
	register(builder{outType, newTopKCombine}, "approx_top_k_combine")
}

// tracked is a group's sketch of frequent items.
type tracked struct {
	*sketch.Frequent
	merged bool
}

// whole is the sketch as Spark has it in the end, which always merges what was read from bytes into a new one.
func (t tracked) whole(size int) (*sketch.Frequent, error) {
	if t.merged {
		return t.Frequent, nil
	}
	part, err := sketch.ReadFrequent(t.Items, t.Append(nil))
	if err != nil {
		return nil, err
	}
	f := sketch.NewFrequent(t.Items, size)
	f.Merge(part)
	return f, nil
}

// topK finds the most frequent values of an argument, nulls among them. Its state is the sketch's bytes.
type topK struct {
	call    *Call
	items   sketch.Items
	size, k int // how many items are kept apart, and shown
	groups  []tracked
	key     []byte
	bytes   int64
}

func newTopK(c *Call) (Function, error) {
	f := &topK{call: c, items: expr.TopKItems(c.Args[0])}
	var err error
	if f.size, err = strconv.Atoi(c.Opts["size"]); err == nil && c.Name == "approx_top_k" {
		f.k, err = strconv.Atoi(c.Opts["k"])
	}
	return f, err
}

func (f *topK) TakesNulls() bool { return true }
func (f *topK) Resize(n int)     { f.groups = resize(f.groups, n) }
func (f *topK) MemSize() int64   { return int64(16*cap(f.groups)) + f.bytes }

func (f *topK) Reset() {
	clear(f.groups)
	f.groups, f.bytes = f.groups[:0], 0
}

func (f *topK) of(g uint32) *tracked {
	t := &f.groups[g]
	if t.Frequent == nil {
		t.Frequent = sketch.NewFrequent(f.items, f.size)
		f.bytes += int64(t.Size())
	}
	return t
}

func (f *topK) Update(in *Input) error {
	v := in.Args[0]
	for k := range in.N {
		t := f.of(in.group(k))
		if v.IsNull(k) {
			t.Nulls++
			continue
		}
		before := t.Size()
		f.key = expr.AppendTopKItem(f.key[:0], f.items, v, k)
		t.Update(f.key)
		f.bytes += int64(t.Size() - before)
	}
	return nil
}

func (f *topK) Merge(in *Input) error {
	for k := range in.N {
		if in.Args[0].IsNull(k) {
			continue
		}
		part, err := expr.ReadTopK(f.call.Name, f.items, in.Args[0].Str(k))
		if err != nil {
			return err
		}
		t := f.of(in.group(k))
		before := t.Size()
		t.merged = true
		t.Frequent.Merge(part)
		f.bytes += int64(t.Size() - before)
	}
	return nil
}

func (f *topK) States(out []*vector.Vector, from, n int) {
	v := &vector.Vector{}
	v.Reset(types.Binary, n)
	for i, t := range f.groups[from : from+n] {
		f.key = f.key[:0]
		if t.Frequent == nil {
			v.AppendStr(i, nil)
			v.SetNull(i)
			continue
		}
		f.key = t.Append(f.key)
		v.AppendStr(i, f.key)
	}
	out[0].Append(v, nil)
}

func (f *topK) Result(out *vector.Vector, from, n int) error {
	values := make([]any, n)
	for i := range values {
		t := f.of(uint32(from + i))
		whole, err := t.whole(f.size)
		switch {
		case err != nil:
			return err
		case f.k > 0:
			values[i] = expr.TopK(whole, f.k)
		default:
			values[i] = []any{whole.Append(nil), int64(f.size), nil, expr.TopKDDL(f.call.Args[0])}
		}
	}
	out.Append(planconv.FromValues(out.Type, values), nil)
	return nil
}

// topKCombine unites states of approx_top_k_accumulate, which are its own states, too.
type topKCombine struct {
	call   *Call
	size   int // 0: that of the first state
	groups []combined
	bytes  int64
}

type combined struct {
	tracked
	size int
	item *types.Type
}

func newTopKCombine(c *Call) (Function, error) {
	f := &topKCombine{call: c}
	var err error
	if text := c.Opts["size"]; text != "" {
		f.size, err = strconv.Atoi(text)
	}
	return f, err
}

func (f *topKCombine) TakesNulls() bool { return true }
func (f *topKCombine) Resize(n int)     { f.groups = resize(f.groups, n) }
func (f *topKCombine) MemSize() int64   { return int64(40*cap(f.groups)) + f.bytes }

func (f *topKCombine) Reset() {
	clear(f.groups)
	f.groups, f.bytes = f.groups[:0], 0
}

func (f *topKCombine) Update(in *Input) error { return f.add(in, false) }
func (f *topKCombine) Merge(in *Input) error  { return f.add(in, true) }

func (f *topKCombine) add(in *Input, part bool) error {
	v := in.Args[0]
	for k := range in.N {
		if v.IsNull(k) {
			if part {
				continue
			}
			return errs.Newf(errs.Invalid, "Invalid call to `approx_top_k_combine`: a state is null.")
		}
		state, _ := planconv.At(v, k).([]any)
		bytes, ok := state[0].([]byte)
		size, also := state[1].(int64)
		ddl, too := state[3].(string)
		if !ok || !also || !too {
			return errs.Newf(errs.Invalid, "Invalid call to `approx_top_k_combine`: a part of a state is null.")
		}
		if err := f.combine(&f.groups[in.group(k)], bytes, int(size), ddl, part); err != nil {
			return err
		}
	}
	return nil
}

func (f *topKCombine) combine(g *combined, b []byte, size int, ddl string, part bool) error {
	item, err := expr.TopKType(ddl)
	if err != nil {
		return err
	}
	s, err := expr.ReadTopK(f.call.Name, expr.TopKItems(item), b)
	if err != nil {
		return err
	}
	if g.Frequent == nil {
		*g = combined{tracked: tracked{Frequent: f.empty(item)}, size: size, item: item}
		f.bytes += int64(g.Size())
	}
	switch {
	case f.size == 0 && g.size != size:
		return errs.New("APPROX_TOP_K_SKETCH_SIZE_NOT_MATCH", "size1", strconv.Itoa(g.size), "size2", strconv.Itoa(size))
	case !g.item.SameData(item):
		return errs.New("APPROX_TOP_K_SKETCH_TYPE_NOT_MATCH", "type1", `"`+g.item.SQL()+`"`, "type2", `"`+item.SQL()+`"`)
	}
	before := g.Size()
	g.merged = g.merged || part
	g.Frequent.Merge(s)
	f.bytes += int64(g.Size() - before)
	return nil
}

// empty is where states are united: a sketch of the largest size where none is given, as Spark has it.
func (f *topKCombine) empty(item *types.Type) *sketch.Frequent {
	return sketch.NewFrequent(expr.TopKItems(item), f.tracks())
}

func (f *topKCombine) tracks() int {
	if f.size == 0 {
		return sketch.MaxTracked
	}
	return f.size
}

// state is a group's value, nil where it has no states.
func (f *topKCombine) state(g *combined, result bool) (any, error) {
	if g.Frequent == nil {
		return nil, nil
	}
	s, size := g.Frequent, g.size
	if result {
		var err error
		if s, err = g.whole(f.tracks()); err != nil {
			return nil, err
		}
	}
	if f.size != 0 {
		size = f.size
	}
	return []any{s.Append(nil), int64(size), nil, expr.TopKDDL(g.item)}, nil
}

func (f *topKCombine) States(out []*vector.Vector, from, n int) {
	values := make([]any, n)
	for i := range values {
		values[i], _ = f.state(&f.groups[from+i], false)
	}
	out[0].Append(planconv.FromValues(f.call.Out, values), nil)
}

func (f *topKCombine) Result(out *vector.Vector, from, n int) error {
	values := make([]any, n)
	for i := range values {
		var err error
		switch values[i], err = f.state(&f.groups[from+i], true); {
		case err != nil:
			return err
		case values[i] == nil:
			return errs.Newf(errs.Invalid, "Invalid call to `approx_top_k_combine`: there is no state to combine.")
		}
	}
	out.Append(planconv.FromValues(out.Type, values), nil)
	return nil
}
