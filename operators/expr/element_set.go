package expr

import (
	"millrace/types"
	"millrace/vector"
)

// elementSet finds equal elements of one row's lists: the elements of several columns are pooled, hashed once, and looked up by
// row. Nulls are equal to each other, and strings by their collations.
type elementSet struct {
	all    *vector.Vector
	keys   *vector.Vector // what is compared of them
	starts []int
	hash   []uint32
	slots  []int32 // place in all + 1
	values []int   // what add was given, by slot
	mask   uint32
	used   []uint32
}

func newElementSet(t *types.Type, columns ...*vector.Vector) (*elementSet, error) {
	s := &elementSet{all: columns[0], starts: make([]int, len(columns))}
	if len(columns) > 1 {
		s.all = vector.NewEmpty(columns[0].Type)
		for k, c := range columns {
			if s.starts[k] = s.all.Len; c.Len > 0 {
				s.all.Append(c, rowNumbers(c.Len))
			}
		}
	}
	s.all = plainNested(s.all)
	var err error
	if s.keys, err = keysOf(s.all, t); err != nil {
		return nil, err
	}
	s.hash = make([]uint32, s.all.Len)
	HashRows([]*vector.Vector{s.keys}, nil, s.all.Len, hashSeed, s.hash)
	return s, nil
}

// place is where element j of column c is pooled.
func (s *elementSet) place(c, j int) int { return s.starts[c] + j }

// clear forgets the elements and makes room for n.
func (s *elementSet) clear(n int) {
	for _, u := range s.used {
		s.slots[u] = 0
	}
	s.used = s.used[:0]
	size := 8
	for size < 2*n {
		size *= 2
	}
	if size > len(s.slots) {
		s.slots, s.values = make([]int32, size), make([]int, size)
	}
	s.mask = uint32(len(s.slots) - 1)
}

// add puts the element at a place into the set with a value; if it is there already, its value is given and fresh is false.
func (s *elementSet) add(place, value int) (was int, fresh bool) {
	at, found := s.find(place)
	if found {
		return s.values[at], false
	}
	s.slots[at], s.values[at] = int32(place)+1, value
	s.used = append(s.used, at)
	return value, true
}

// set changes the value of an element that was added.
func (s *elementSet) set(place, value int) {
	at, _ := s.find(place)
	s.values[at] = value
}

// has reports whether an element equal to the one at a place was added.
func (s *elementSet) has(place int) bool {
	_, found := s.find(place)
	return found
}

func (s *elementSet) find(place int) (slot uint32, found bool) {
	h := s.hash[place]
	h ^= h >> 15
	for slot = h & s.mask; ; slot = (slot + 1) & s.mask {
		x := s.slots[slot]
		if x == 0 {
			return slot, false
		}
		if s.hash[x-1] == s.hash[place] && compareNullable(s.keys, int(x-1), s.keys, place) == 0 {
			return slot, true
		}
	}
}
