package vector

import (
	"bytes"
	"hash/maphash"
)

// dictMerger makes one dictionary of those with which a column's rows come. Entries are taken over when a row first names them.
type dictMerger struct {
	dict   *Vector // replaced when it grows, since others may hold it
	slots  []int32 // by hash, linear probing: entry+1; 0 is free
	places map[*Vector][]int32
}

const (
	// mergeEntries is the size up to which dictionaries are merged however few the rows are; larger ones may have half as many
	// entries as there are rows.
	mergeEntries = 4096
	// mergeDicts is how many dictionaries' codes a merger remembers.
	mergeDicts = 64
)

var dictSeed = maphash.MakeSeed()

// newDictMerger begins with a dictionary, whose codes stay as they are.
func newDictMerger(first *Vector) *dictMerger {
	m := &dictMerger{places: map[*Vector][]int32{}, dict: NewEmpty(first.Type)}
	m.dict.Append(first, nil)
	m.index()
	return m
}

// mergeable reports whether a column of so many rows should get one dictionary out of two.
func mergeable(v, src *Vector) bool {
	d := v.Dict
	return d != nil && src.Dict != nil && d != src.Dict && v.Len > 0 && d.Type.IsStringLike() && d.Valid == nil && src.Dict.Valid == nil &&
		!src.Const && d.Len <= max(mergeEntries, v.Len/2)
}

// append appends rows idx of src (nil: all) to v, whose dictionary is the merger's.
func (m *dictMerger) append(v, src *Vector, idx []uint32) {
	n := src.Len
	if idx != nil {
		n = len(idx)
	}
	places := m.codesOf(src.Dict)
	rows, codes := borrowRows(n), Codes(src)
	held := m.dict
	grown := *held
	m.dict = &grown
	for k := range *rows {
		r := uint32(k)
		if idx != nil {
			r = idx[k]
		}
		if r == NoRow || src.Valid != nil && !src.Valid.Get(int(r)) {
			(*rows)[k] = 0
			continue
		}
		c := codes[r]
		if places[c] < 0 {
			places[c] = m.code(src.Dict.Str(int(c)))
		}
		(*rows)[k] = uint32(places[c])
	}
	if grown.Len == held.Len {
		m.dict = held
	}
	v.Dict = m.dict
	v.appendValid(src, idx, n)
	v.Data = extend(v.Data[:4*v.Len], 4*n)
	copy(v.Data[4*v.Len:], bytesOf(*rows))
	v.Len += n
	returnRows(rows)
}

// codesOf are the merged codes of a dictionary's entries; -1: not yet known.
func (m *dictMerger) codesOf(d *Vector) []int32 {
	places := m.places[d]
	if places == nil {
		if len(m.places) == mergeDicts {
			clear(m.places)
		}
		places = make([]int32, d.Len)
		for i := range places {
			places[i] = -1
		}
		m.places[d] = places
	}
	return places
}

// code finds or appends an entry.
func (m *dictMerger) code(s []byte) int32 {
	d := m.dict
	if 2*(d.Len+1) > len(m.slots) {
		m.index()
	}
	p := m.find(s)
	if e := m.slots[p]; e > 0 {
		return e - 1
	}
	d.Bytes = append(d.Bytes, s...)
	d.Offsets = append(d.Offsets[:d.Len+1], int32(len(d.Bytes)))
	d.Len++
	checkOffset(len(d.Bytes))
	m.slots[p] = int32(d.Len)
	return int32(d.Len) - 1
}

// find is the slot of an entry, or the free one where it belongs.
func (m *dictMerger) find(s []byte) uint64 {
	mask := uint64(len(m.slots) - 1)
	p := maphash.Bytes(dictSeed, s) & mask
	for m.slots[p] > 0 && !bytes.Equal(m.dict.Str(int(m.slots[p]-1)), s) {
		p = (p + 1) & mask
	}
	return p
}

// index makes the slots anew, with room.
func (m *dictMerger) index() {
	size := 1024
	for size < 4*m.dict.Len {
		size *= 2
	}
	m.slots = make([]int32, size)
	for i := range m.dict.Len {
		if p := m.find(m.dict.Str(i)); m.slots[p] == 0 {
			m.slots[p] = int32(i + 1)
		}
	}
}
