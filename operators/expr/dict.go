package expr

import (
	"millrace/vector"

	"github.com/apache/arrow-go/v18/arrow/decimal128"
)

// entryCache keeps a call's results over the entries of the dictionaries it met last.
type entryCache struct {
	slots [4]entries
	next  int
}

// entries is a call's results for one dictionary.
type entries struct {
	dict   *vector.Vector
	seen   int            // rows met before the dictionary was computed
	result *vector.Vector // nil until it is worth its while
	failed bool           // an entry raised an error, perhaps one that no row has
	hits   [2][]uint8     // for boolean results: 1 for entries that are true, and that are false
}

// matches is 1 for each entry whose result is true, or false when not is set.
func (s *entries) matches(not bool) []uint8 {
	h := s.hits[b2i(not)]
	if h == nil {
		h = make([]uint8, s.dict.Len)
		for i := range h {
			if !s.result.IsNull(i) {
				h[i] = uint8(b2i(vector.Values[bool](s.result)[s.result.Row(i)] != not))
			}
		}
		s.hits[b2i(not)] = h
	}
	return h
}

func (c *entryCache) find(dict *vector.Vector) *entries {
	for i := range c.slots {
		if c.slots[i].dict == dict {
			return &c.slots[i]
		}
	}
	s := &c.slots[c.next]
	c.next = (c.next + 1) % len(c.slots)
	*s = entries{dict: dict}
	return s
}

// entries computes a call once per entry of the dictionary of its only varying argument, or returns nil where rows are to be
// computed one by one: another argument is constant in this batch but perhaps not in the next, the dictionary is much larger than
// what was seen of its rows, or an entry fails.
func (e *call) entries(ctx *Ctx, varying int, sel []uint32, n int) *entries {
	if !e.alone {
		return nil
	}
	dict := e.vals[varying].Dict
	s := e.dicts.find(dict)
	if s.result != nil {
		return s
	}
	if s.failed {
		return nil
	}
	if sel != nil {
		n = len(sel)
	}
	if s.seen += n; 2*s.seen < dict.Len {
		return nil
	}
	args := append([]*vector.Vector(nil), e.vals...)
	args[varying] = dict
	out := &vector.Vector{} // a new one: results over entries are dictionaries in their turn, and may be kept
	valid := e.valid
	e.valid = nil
	out, err := e.run(ctx, args, nil, dict.Len, out)
	e.valid = valid
	if err != nil {
		s.failed = true
		return nil
	}
	s.result = out
	return s
}

// spread gives every row the result of its entry: strings share the codes, other values are looked up.
func (e *call) spread(result, arg *vector.Vector, sel []uint32, n int) *vector.Vector {
	if result.Const {
		if result.IsNull(0) {
			return e.nulls(n)
		}
		panic("expr: a kernel made a constant")
	}
	if result.Type.IsStringLike() {
		e.coded = vector.Vector{Type: e.c.Out, Len: n, Valid: arg.Valid, Data: arg.Data, Dict: result}
		return &e.coded
	}
	if vector.Width(result.Type) == 0 {
		return e.spreadNested(result, arg, sel, n)
	}
	return Gather(&e.out, result, arg, sel, n)
}

// spreadNested copies the entries' arrays, maps or structs to the rows.
func (e *call) spreadNested(result, arg *vector.Vector, sel []uint32, n int) *vector.Vector {
	e.rows = growSel(e.rows, n)
	for i := range e.rows {
		e.rows[i] = vector.NoRow
	}
	codes := vector.Codes(arg)
	Rows(sel, n, func(i int) {
		if arg.Valid == nil || arg.Valid.Get(i) {
			e.rows[i] = uint32(codes[i])
		}
	})
	e.out.Gather(result, e.rows)
	return &e.out
}

// Gather sets row i of out to the entry of src that row i of codes names, for fixed-width types.
func Gather(out, src, codes *vector.Vector, sel []uint32, n int) *vector.Vector {
	out.Reset(src.Type, n)
	if codes.Valid != nil || src.Valid != nil {
		out.Valid = make(vector.Bitmap, (n+63)/64)
		if codes.Valid != nil {
			copy(out.Valid, codes.Valid)
		} else {
			for i := range out.Valid {
				out.Valid[i] = ^uint64(0)
			}
		}
		if src.Valid != nil {
			view := vector.Vector{Type: src.Type, Len: n, Data: codes.Data, Dict: src}
			clearDictNulls(out.Valid, &view, n)
		}
	}
	c := vector.Codes(codes)[:n]
	switch vector.Width(src.Type) {
	case 1:
		gather(vector.Values[uint8](out), vector.Values[uint8](src), c, sel)
	case 2:
		gather(vector.Values[int16](out), vector.Values[int16](src), c, sel)
	case 4:
		gather(vector.Values[uint32](out), vector.Values[uint32](src), c, sel)
	case 8:
		gather(vector.Values[uint64](out), vector.Values[uint64](src), c, sel)
	case 16:
		gather(vector.Values[decimal128.Num](out), vector.Values[decimal128.Num](src), c, sel)
	}
	return out
}

func gather[T any](out, src []T, codes []int32, sel []uint32) {
	if sel == nil {
		for i, c := range codes {
			if uint(c) < uint(len(src)) { // codes of null rows may be anything
				out[i] = src[c]
			}
		}
		return
	}
	for _, i := range sel {
		if c := codes[i]; uint(c) < uint(len(src)) {
			out[i] = src[c]
		}
	}
}

// Plain is v itself, or its rows in sel decoded into memory if v is a dictionary vector; constants stay constants.
func Plain(v *vector.Vector, sel []uint32, memory *vector.Vector) *vector.Vector {
	if v.Dict == nil {
		return v
	}
	n := v.Len
	if v.Const {
		n = 1
	}
	codes := vector.Codes(v)
	if !v.Type.IsStringLike() {
		Gather(memory, v.Dict, v, sel, n)
	} else {
		memory.Reset(v.Type, n)
		memory.Valid = v.Valid
		w := NewStringWriter(memory, n)
		Rows(sel, n, func(i int) {
			if c := int(codes[i]); uint(c) < uint(v.Dict.Len) && (v.Valid == nil || v.Valid.Get(i)) {
				w.Append(i, v.Dict.Str(c))
			}
		})
		w.Close()
		if v.Dict.Valid != nil {
			memory.Valid = vector.NewBitmap(n)
			if v.Valid != nil {
				copy(memory.Valid, v.Valid)
			}
			clearDictNulls(memory.Valid, v, n)
		}
	}
	memory.Const, memory.Len = v.Const, v.Len
	return memory
}
