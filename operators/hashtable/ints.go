package hashtable

import "millrace/vector"

// intTable is the table of a single key of at most 64 bits, which lies in its slot.
type intTable struct {
	slots  []intSlot
	dense  denseTable // used instead of slots where it has groups
	extent extent
	sieve  sieve
	used   int
	null   uint32 // the number of the null key
}

type intSlot struct {
	key   uint64
	group uint32 // number+1; 0 is free
	_     uint32
}

func (t *intTable) reset() {
	if len(t.slots) > 1<<16 {
		t.slots = nil
	}
	clear(t.slots)
	t.used, t.null, t.extent, t.dense, t.sieve = 0, Absent, extent{}, denseTable{}, sieve{}
}

// memSize is the bytes that the table holds.
func (t *intTable) memSize() int64 {
	return int64(16*cap(t.slots) + 4*cap(t.dense.groups) + 8*cap(t.sieve.bits))
}

// grow makes room for n more keys, at most half full.
func (t *intTable) grow(n int) {
	if 2*(t.used+n) <= len(t.slots) {
		return
	}
	size := max(1024, 2*len(t.slots))
	for size < 2*(t.used+n) {
		size *= 2
	}
	old := t.slots
	t.slots = make([]intSlot, size)
	for _, s := range old {
		if s.group != 0 {
			t.place(s)
		}
	}
}

// place puts a slot whose key is new where it belongs.
func (t *intTable) place(s intSlot) {
	mask := uint64(len(t.slots) - 1)
	p := Mix(s.key) & mask
	for t.slots[p].group != 0 {
		p = (p + 1) & mask
	}
	t.slots[p] = s
}

func (t *Table) findInts(key *vector.Vector, sel []uint32, n int, out []uint32, insert bool) {
	s := &t.scratch
	if key.Dict != nil {
		flat := *key
		flat.Flatten()
		key = &flat
	}
	words := t.words(key, sel, n)
	if !insert {
		t.lookupInts(key, sel, words, out)
		return
	}
	t.ints.sieve = sieve{}
	t.ints.extent.widen(key, sel, words)
	t.ints.arrange(n)
	s.fresh = s.fresh[:0]
	if t.ints.dense.groups != nil {
		t.insertDense(key, sel, words, out)
	} else {
		t.insertInts(key, sel, words, out)
	}
	t.addKeys([]*vector.Vector{key}, s.fresh)
}

// words are the keys of the selected rows as 64 bits each; they are valid until the next call.
func (t *Table) words(key *vector.Vector, sel []uint32, n int) []uint64 {
	if sel == nil && !key.Const && vector.Width(key.Type) == 8 {
		return vector.Values[uint64](key)[:n]
	}
	s := &t.scratch
	s.bits = resize(s.bits, n)
	widenKeys(key, sel, s.bits)
	return s.bits
}

// expect prepares for the keys of a column: none of them will move what is there.
func (t *Table) expect(key *vector.Vector) {
	for from := 0; from < key.Len; from += vector.BatchRows {
		part := vector.Slice(key, from, min(vector.BatchRows, key.Len-from))
		t.ints.extent.widen(part, nil, t.words(part, nil, part.Len))
	}
	t.ints.arrange(key.Len)
}

func (t *Table) insertInts(key *vector.Vector, sel []uint32, keys []uint64, out []uint32) {
	x, next, fresh := t.ints, uint32(t.n), t.scratch.fresh
	slots := x.slots
	mask := uint64(len(slots) - 1)
	for k, word := range keys {
		if key.Valid != nil && !key.Valid.Get(key.Row(at(sel, k))) {
			if x.null == Absent {
				x.null, next, fresh = next, next+1, append(fresh, uint32(key.Row(at(sel, k))))
			}
			out[k] = x.null
			continue
		}
		p := Mix(word) & mask
		for {
			slot := &slots[p]
			if slot.group == 0 {
				next++
				*slot = intSlot{key: word, group: next}
				fresh = append(fresh, uint32(key.Row(at(sel, k))))
				x.used++
				out[k] = next - 1
				break
			}
			if slot.key == word {
				out[k] = slot.group - 1
				break
			}
			p = (p + 1) & mask
		}
	}
	t.n, t.scratch.fresh = int(next), fresh
}

func (t *Table) lookupInts(key *vector.Vector, sel []uint32, keys []uint64, out []uint32) {
	x := t.ints
	switch {
	case x.sieve.bits != nil:
		t.scratch.pending = resize(t.scratch.pending, len(keys))
		x.findSifted(keys, out, t.scratch.pending)
	case x.dense.groups != nil || len(x.slots) == 0:
		x.dense.find(keys, out)
	default:
		x.find(keys, out)
	}
	if x.sieve.note(out, x.used) {
		x.sift()
	}
	if key.Valid == nil {
		return
	}
	for k := range keys {
		if !key.Valid.Get(key.Row(at(sel, k))) {
			out[k] = t.ints.null
		}
	}
}

// find writes the numbers of keys, Absent where there is none.
func (t *intTable) find(keys []uint64, out []uint32) {
	slots, mask := t.slots, uint64(len(t.slots)-1)
	for k, word := range keys {
		p := Mix(word) & mask
		for slots[p].group != 0 && slots[p].key != word {
			p = (p + 1) & mask
		}
		out[k] = slots[p].group - 1 // a free slot makes Absent
	}
}

// widenKeys writes the slots of the selected rows as 64 bits.
func widenKeys(v *vector.Vector, sel []uint32, out []uint64) {
	switch vector.Width(v.Type) {
	case 1:
		widen(v, vector.Values[uint8](v), sel, out)
	case 2:
		widen(v, vector.Values[int16](v), sel, out)
	case 4:
		widen(v, vector.Values[int32](v), sel, out)
	default:
		widen(v, vector.Values[int64](v), sel, out)
	}
}

func widen[T uint8 | int16 | int32 | int64](v *vector.Vector, values []T, sel []uint32, out []uint64) {
	switch {
	case v.Const:
		for k := range out {
			out[k] = uint64(values[0])
		}
	case sel == nil:
		for k, x := range values[:len(out)] {
			out[k] = uint64(x)
		}
	default:
		for k, r := range sel {
			out[k] = uint64(values[r])
		}
	}
}
