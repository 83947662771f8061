package hashtable

import (
	"math/bits"

	"millrace/vector"
)

// sieve is a bitmap of a table's keys, small beside the table, that tells most keys that are not there. A table makes it when few of the keys that are
// looked up are found, and drops it when new keys come.
type sieve struct {
	bits  []uint64
	base  uint64 // of keys that are places in the bitmap
	shift uint   // else of hashes, whose highest bits are

	looked, found int
	settled       bool // there were enough lookups to know whether it pays
}

const (
	siftAfter = 8 * vector.BatchRows // lookups
	siftShare = 3                    // of that many keys less than one has to be found
	siftKeys  = 1024                 // fewer are found as fast
	siftDense = 64                   // places a key, up to which keys are places themselves
	siftBits  = 16                   // a key, at least, of hashes
)

// note counts the keys found, and reports whether the bitmap should be made now.
func (s *sieve) note(out []uint32, keys int) bool {
	if s.settled {
		return false
	}
	for _, g := range out {
		if g != Absent {
			s.found++
		}
	}
	s.looked += len(out)
	s.settled = s.looked >= siftAfter
	return s.settled && s.found*siftShare < s.looked && keys >= siftKeys
}

// spread makes a bitmap for the hashes of so many keys.
func (s *sieve) spread(keys int) {
	width := bits.Len(uint(siftBits*keys - 1))
	s.bits, s.shift = make([]uint64, 1<<(width-6)), uint(64-width)
}

func (s *sieve) add(place uint64) { s.bits[place>>6] |= 1 << (place & 63) }

// sift writes into rows the places among keys of those that may be in the table, and returns their number.
func (s *sieve) sift(keys []uint64, rows []uint32) int {
	n, set := 0, s.bits
	if s.shift == 0 {
		for k, word := range keys {
			rows[n] = uint32(k)
			if p := word - s.base; p>>6 < uint64(len(set)) {
				n += int(set[p>>6] >> (p & 63) & 1)
			}
		}
		return n
	}
	for k, word := range keys {
		rows[n] = uint32(k)
		p := Mix(word) >> s.shift
		n += int(set[p>>6] >> (p & 63) & 1)
	}
	return n
}

// siftHashes is sift for the hashes of keys.
func (s *sieve) siftHashes(hashes []uint64, rows []uint32) int {
	n, set := 0, s.bits
	for k, h := range hashes {
		rows[n] = uint32(k)
		p := h >> s.shift
		n += int(set[p>>6] >> (p & 63) & 1)
	}
	return n
}

// sift makes the sieve of the keys.
func (t *intTable) sift() {
	s := &t.sieve
	if span := uint64(t.extent.hi) - uint64(t.extent.lo); t.extent.some && span < uint64(siftDense*t.used) {
		s.base, s.bits = uint64(t.extent.lo), make([]uint64, span/64+1)
	} else {
		s.spread(t.used)
	}
	place := func(key uint64) uint64 {
		if s.shift == 0 {
			return key - s.base
		}
		return Mix(key) >> s.shift
	}
	for i, g := range t.dense.groups {
		if g != 0 {
			s.add(place(t.dense.base + uint64(i)))
		}
	}
	for _, slot := range t.slots {
		if slot.group != 0 {
			s.add(place(slot.key))
		}
	}
}

// findSifted is find by way of the sieve.
func (t *intTable) findSifted(keys []uint64, out []uint32, rows []uint32) {
	for k := range out {
		out[k] = Absent
	}
	rows = rows[:t.sieve.sift(keys, rows)]
	if d := t.dense; d.groups != nil {
		for _, k := range rows {
			out[k] = d.groups[keys[k]-d.base] - 1
		}
		return
	}
	slots, mask := t.slots, uint64(len(t.slots)-1)
	for _, k := range rows {
		word := keys[k]
		p := Mix(word) & mask
		for slots[p].group != 0 && slots[p].key != word {
			p = (p + 1) & mask
		}
		out[k] = slots[p].group - 1
	}
}
