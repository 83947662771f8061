package hashtable

import (
	"bytes"

	"millrace/vector"
)

// grow makes room for n more keys, at most half full.
func (t *Table) grow(n int) {
	if 2*(t.n+n) <= len(t.slots) {
		return
	}
	size := max(1024, 2*len(t.slots))
	for size < 2*(t.n+n) {
		size *= 2
	}
	t.slots = make([]uint64, size)
	mask := uint64(size - 1)
	for g, h := range t.hashes {
		p := h & mask
		for t.slots[p] != 0 {
			p = (p + 1) & mask
		}
		t.slots[p] = h&^0xffffffff | uint64(g+1)
	}
}

// findRows works in rounds: every pending row walks to a free slot, which it takes, or to a slot with its tag; then the keys
// of all rows that met a tag are compared column by column, and the rows that differ walk on in the next round.
func (t *Table) findRows(keys []*vector.Vector, sel []uint32, n int, out []uint32, insert bool) {
	s := &t.scratch
	s.hashes, s.places, s.pending = resize(s.hashes, n), resize(s.places, n), resize(s.pending, n)
	t.hasher.Hash(keys, sel, n, s.hashes)
	if insert {
		t.sieve = sieve{}
		t.grow(n)
	} else if t.n == 0 || t.sieve.bits != nil {
		for k := range out {
			out[k] = Absent
		}
	}
	mask := uint64(len(t.slots) - 1)
	switch {
	case t.n == 0 && !insert:
		return
	case t.sieve.bits != nil:
		s.pending = s.pending[:t.sieve.siftHashes(s.hashes, s.pending)]
		for _, k := range s.pending {
			s.places[k] = s.hashes[k] & mask
		}
	default:
		for k, h := range s.hashes {
			s.pending[k], s.places[k] = uint32(k), h&mask
		}
	}
	for len(s.pending) > 0 {
		s.fresh, s.check = s.fresh[:0], s.check[:0]
		t.walk(keys, sel, out, insert)
		t.addKeys(keys, s.fresh)
		s.pending = s.pending[:0]
		for i, k := range keys {
			if len(s.check) > 0 {
				t.compare(t.keys.Columns()[i], k, sel, out)
			}
		}
		for _, k := range s.pending {
			s.places[k] = (s.places[k] + 1) & mask
		}
	}
	if !insert && t.sieve.note(out, t.n) {
		t.sieve.spread(t.n)
		for _, h := range t.hashes {
			t.sieve.add(h >> t.sieve.shift)
		}
	}
}

func (t *Table) walk(keys []*vector.Vector, sel []uint32, out []uint32, insert bool) {
	s, slots, next := &t.scratch, t.slots, t.n
	mask := uint64(len(slots) - 1)
	for _, k := range s.pending {
		p, h := s.places[k], s.hashes[k]
		for slots[p] != 0 && (slots[p]^h)>>32 != 0 {
			p = (p + 1) & mask
		}
		s.places[k] = p
		switch {
		case slots[p] != 0:
			out[k] = uint32(slots[p]) - 1
			s.check = append(s.check, k)
		case insert:
			out[k] = uint32(next)
			next++
			slots[p] = h&^0xffffffff | uint64(next)
			s.fresh = append(s.fresh, uint32(at(sel, int(k))))
			t.hashes = append(t.hashes, h)
		default:
			out[k] = Absent
		}
	}
	t.n = next
}

// addKeys keeps the keys of rows that got new numbers.
func (t *Table) addKeys(keys []*vector.Vector, rows []uint32) {
	if len(rows) > 0 && !t.index {
		t.keys.AppendColumns(keys, rows, 0)
	}
}

// compare moves the rows of check whose value in column in differs from their number's stored one to pending.
func (t *Table) compare(stored, in *vector.Vector, sel []uint32, out []uint32) {
	s := &t.scratch
	kept := s.check[:0]
	differ := differs(stored, in)
	if differ == nil {
		switch vector.Width(in.Type) {
		case 1:
			kept = compareSlots[uint8](s, stored, in, sel, out)
		case 2:
			kept = compareSlots[int16](s, stored, in, sel, out)
		case 4:
			kept = compareSlots[uint32](s, stored, in, sel, out)
		case 8:
			kept = compareSlots[uint64](s, stored, in, sel, out)
		}
		s.check = kept
		return
	}
	for _, k := range s.check {
		if differ(int(out[k]), at(sel, int(k))) {
			s.pending = append(s.pending, k)
		} else {
			kept = append(kept, k)
		}
	}
	s.check = kept
}

func compareSlots[T uint8 | int16 | uint32 | uint64](s *scratch, stored, in *vector.Vector, sel []uint32, out []uint32) []uint32 {
	a, b, kept := vector.Values[T](stored), vector.Values[T](in), s.check[:0]
	for _, k := range s.check {
		if a[out[k]] == b[at(sel, int(k))] {
			kept = append(kept, k)
		} else {
			s.pending = append(s.pending, k)
		}
	}
	return kept
}

// differs is how a stored row and a row of a batch are compared, or nil where their slots decide alone.
func differs(stored, in *vector.Vector) func(g, r int) bool {
	w := vector.Width(in.Type)
	switch {
	case w > 0 && w <= 8 && !in.Const && stored.Valid == nil && in.Valid == nil && in.Dict == nil && stored.Dict == nil:
		return nil
	case in.Type.IsStringLike() && in.Dict != nil && in.Dict == stored.Dict && !stored.HasNulls() && !in.HasNulls():
		a, b := vector.Codes(stored), vector.Codes(in)
		return func(g, r int) bool { return a[g] != b[in.Row(r)] && !bytes.Equal(stored.Str(g), in.Str(r)) }
	case in.Type.IsStringLike() && !stored.HasNulls() && !in.HasNulls():
		return func(g, r int) bool { return !bytes.Equal(stored.Str(g), in.Str(r)) }
	}
	return func(g, r int) bool { return !Equal(stored, g, in, r) }
}

// Equal reports whether two values of one type are the same key. Not for hot loops.
func Equal(a *vector.Vector, i int, b *vector.Vector, j int) bool {
	if x, y := a.IsNull(i), b.IsNull(j); x || y {
		return x && y
	}
	i, j = a.Row(i), b.Row(j)
	if a.Dict != nil {
		a, i = a.Dict, int(vector.Codes(a)[i])
	}
	if b.Dict != nil {
		b, j = b.Dict, int(vector.Codes(b)[j])
	}
	switch w := vector.Width(a.Type); {
	case a.Type.IsFloating() && w == 8:
		return canonical64(vector.Values[float64](a)[i]) == canonical64(vector.Values[float64](b)[j])
	case a.Type.IsFloating():
		return canonical32(vector.Values[float32](a)[i]) == canonical32(vector.Values[float32](b)[j])
	case w > 0:
		return bytes.Equal(a.Data[i*w:(i+1)*w], b.Data[j*w:(j+1)*w])
	case len(a.Children) == 0 && a.Offsets != nil:
		return bytes.Equal(a.Str(i), b.Str(j))
	case a.Offsets == nil:
		for c := range a.Children {
			if !Equal(a.Children[c], i, b.Children[c], j) {
				return false
			}
		}
		return true
	}
	n := a.Offsets[i+1] - a.Offsets[i]
	if n != b.Offsets[j+1]-b.Offsets[j] {
		return false
	}
	for e := range int(n) {
		for c := range a.Children {
			if !Equal(a.Children[c], int(a.Offsets[i])+e, b.Children[c], int(b.Offsets[j])+e) {
				return false
			}
		}
	}
	return true
}
