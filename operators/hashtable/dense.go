package hashtable

import (
	"math"

	"millrace/vector"
)

// denseTable is the table of a single whole key while the keys lie close together: an array of numbers by key, which needs neither
// hashes nor comparisons and leaves neighbours together.
type denseTable struct {
	base   uint64   // the key of groups[0]; differences of keys are taken modulo 2^64
	groups []uint32 // number+1; 0 is free
}

const (
	// denseShare is how many places of the array there may be for each key: then it is as large as a hash table can be, and still read in the keys' order.
	denseShare = 20
	// denseKeys is for how many keys there may be places at least.
	denseKeys = 512
)

// extent is the range of the keys that a table has met.
type extent struct {
	lo, hi int64
	some   bool
}

// widen takes the keys of a batch in.
func (e *extent) widen(key *vector.Vector, sel []uint32, keys []uint64) {
	lo, hi := int64(math.MaxInt64), int64(math.MinInt64)
	if key.Valid == nil {
		for _, x := range keys {
			lo, hi = min(lo, int64(x)), max(hi, int64(x))
		}
	} else {
		for k, x := range keys {
			if key.Valid.Get(key.Row(at(sel, k))) {
				lo, hi = min(lo, int64(x)), max(hi, int64(x))
			}
		}
	}
	switch {
	case lo > hi:
	case e.some:
		e.lo, e.hi = min(lo, e.lo), max(hi, e.hi)
	default:
		e.lo, e.hi, e.some = lo, hi, true
	}
}

// places is the length of an array for n keys of this extent, or 0 when they lie too far apart.
func (e *extent) places(n int) int {
	span := uint64(e.hi) - uint64(e.lo)
	if !e.some || span >= uint64(denseShare*max(n, denseKeys)) {
		return 0
	}
	return int(span) + 1
}

// covers reports whether the array has a place for every key of an extent.
func (d *denseTable) covers(e *extent) bool {
	n := uint64(len(d.groups))
	return !e.some || uint64(e.lo)-d.base < n && uint64(e.hi)-d.base < n
}

// cover makes the array cover an extent that takes so many places, with some room on the side to which it grew.
func (d *denseTable) cover(e *extent, places int) {
	old, from := d.groups, d.base
	d.base = uint64(e.lo)
	if len(old) > 0 {
		room := places / 2
		if e.lo < int64(from) {
			d.base -= uint64(room)
		}
		places += room
	}
	d.groups = make([]uint32, places)
	if len(old) == 0 {
		return
	}
	if shift := int64(from - d.base); shift >= 0 {
		copy(d.groups[min(int(shift), places):], old)
	} else if -shift < int64(len(old)) {
		copy(d.groups, old[-shift:])
	}
}

// arrange chooses between the array and the hash table for the keys met so far and n more, and makes room for them.
func (t *intTable) arrange(n int) {
	switch {
	case t.dense.groups != nil || t.used == 0:
		if t.dense.groups != nil && t.dense.covers(&t.extent) {
			return
		}
		if places := t.extent.places(t.used + n); places > 0 {
			t.dense.cover(&t.extent, places)
			t.slots = nil
			return
		}
		t.scatter(n)
	case 2*(t.used+n) > len(t.slots):
		if places := t.extent.places(t.used + n); places > 0 {
			t.gather(places)
			return
		}
		t.grow(n)
	}
}

// scatter moves the keys of the array to the hash table.
func (t *intTable) scatter(n int) {
	d := t.dense
	t.dense = denseTable{}
	t.grow(n)
	for i, g := range d.groups {
		if g != 0 {
			t.place(intSlot{key: d.base + uint64(i), group: g})
		}
	}
}

// gather moves the keys of the hash table to an array.
func (t *intTable) gather(places int) {
	t.dense.cover(&t.extent, places)
	for _, s := range t.slots {
		if s.group != 0 {
			t.dense.groups[s.key-t.dense.base] = s.group
		}
	}
	t.slots = nil
}

// insertDense is insertInts for the array.
func (t *Table) insertDense(key *vector.Vector, sel []uint32, keys []uint64, out []uint32) {
	x, next, fresh := t.ints, uint32(t.n), t.scratch.fresh
	groups, base := x.dense.groups, x.dense.base
	for k, word := range keys {
		if key.Valid != nil && !key.Valid.Get(key.Row(at(sel, k))) {
			if x.null == Absent {
				x.null, next, fresh = next, next+1, append(fresh, uint32(key.Row(at(sel, k))))
			}
			out[k] = x.null
			continue
		}
		g := &groups[word-base]
		if *g == 0 {
			next++
			*g = next
			fresh = append(fresh, uint32(key.Row(at(sel, k))))
			x.used++
		}
		out[k] = *g - 1
	}
	t.n, t.scratch.fresh = int(next), fresh
}

// find writes the numbers of keys, Absent where there is none.
func (d *denseTable) find(keys []uint64, out []uint32) {
	groups, base := d.groups, d.base
	for k, word := range keys {
		g := uint32(0)
		if i := word - base; i < uint64(len(groups)) {
			g = groups[i]
		}
		out[k] = g - 1
	}
}
