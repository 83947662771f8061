package hashtable

import (
	"millrace/types"
	"millrace/vector"
)

// Absent is what Lookup says of a key that the table has not met.
const Absent = vector.NoRow

// Table numbers keys from 0 in the order in which it meets them. Not for concurrent use.
type Table struct {
	types []*types.Type
	keys  *vector.Builder // the key of every number
	n     int

	slots  []uint64 // 32 bits of the hash, 32 of number+1; 0 is free
	hashes []uint64 // by number, to grow the slots
	sieve  sieve    // of hashes
	ints   *intTable
	codes  codeTable
	index  bool // keys are not kept

	hasher  Hasher
	scratch scratch
}

type scratch struct {
	hashes, places []uint64
	pending, check []uint32
	fresh, missing []uint32
	groups, rows   []uint32
	bits           []uint64
	floats         []*vector.Vector
	cols           []*vector.Vector
}

// New makes an empty table for keys of these types.
func New(keys []*types.Type) *Table {
	t := &Table{types: keys, keys: vector.NewBuilder(keys)}
	if len(keys) == 1 && vector.Width(keys[0]) > 0 && vector.Width(keys[0]) <= 8 {
		t.ints = &intTable{null: Absent}
	}
	return t
}

// NewIndex makes a table of which nobody will ask the Keys, so that it need not keep them where it can do without.
func NewIndex(keys []*types.Type) *Table {
	t := New(keys)
	t.index = t.ints != nil
	return t
}

// Expect prepares for new keys: Find will be called for all rows of these columns.
func (t *Table) Expect(keys []*vector.Vector) {
	if t.ints != nil && len(keys) == 1 && keys[0].Dict == nil {
		t.expect(keys[0])
	}
}

// Len is the number of different keys.
func (t *Table) Len() int { return t.n }

// Keys are the keys as columns, row i being number i; they stay the table's.
func (t *Table) Keys() []*vector.Vector { return t.keys.Columns() }

// Hashes gives the hash of each number's key.
func (t *Table) Hashes(sel []uint32, out []uint64) {
	n := t.n
	if sel != nil {
		n = len(sel)
	}
	t.hasher.Hash(t.keys.Columns(), sel, n, out)
}

// MemSize is the bytes that the table holds.
func (t *Table) MemSize() int64 {
	n := t.keys.MemSize() + int64(8*(cap(t.slots)+cap(t.hashes)+cap(t.sieve.bits)))
	if t.ints != nil {
		n += t.ints.memSize()
	}
	return n
}

// Reset forgets all keys and, when the table is large, its memory.
func (t *Table) Reset() {
	t.n, t.hashes = 0, t.hashes[:0]
	t.codes, t.sieve = codeTable{}, sieve{}
	if len(t.slots) > 1<<16 {
		t.slots, t.hashes = nil, nil
	}
	clear(t.slots)
	if t.ints != nil {
		t.ints.reset()
	}
	t.keys = vector.NewBuilder(t.types)
}

// Find writes into out[k] the number of the key of the k-th row of sel (nil: of row k), n rows in all; new keys get new numbers.
func (t *Table) Find(keys []*vector.Vector, sel []uint32, n int, out []uint32) {
	t.find(t.normal(keys), sel, n, out[:n], true)
}

// Lookup is Find without new numbers: out[k] is Absent where the table lacks the key.
func (t *Table) Lookup(keys []*vector.Vector, sel []uint32, n int, out []uint32) {
	t.find(t.normal(keys), sel, n, out[:n], false)
}

func (t *Table) find(keys []*vector.Vector, sel []uint32, n int, out []uint32, insert bool) {
	if n == 0 {
		return
	}
	if t.codes.fits(keys, n) {
		t.findCodes(keys, sel, n, out, insert)
		return
	}
	t.findValues(keys, sel, n, out, insert)
}

func (t *Table) findValues(keys []*vector.Vector, sel []uint32, n int, out []uint32, insert bool) {
	if t.ints != nil {
		t.findInts(keys[0], sel, n, out, insert)
		return
	}
	t.findRows(keys, sel, n, out, insert)
}

// normal replaces floating keys by ones with a single NaN and zero, in which equal keys have equal bits.
func (t *Table) normal(keys []*vector.Vector) []*vector.Vector {
	floating := false
	for _, k := range t.types {
		floating = floating || k.IsFloating()
	}
	if !floating {
		return keys
	}
	s := &t.scratch
	if s.floats == nil {
		s.floats, s.cols = make([]*vector.Vector, len(keys)), make([]*vector.Vector, len(keys))
	}
	copy(s.cols, keys)
	for i, k := range keys {
		if k.Type.IsFloating() && k.Dict == nil {
			if s.floats[i] == nil {
				s.floats[i] = &vector.Vector{}
			}
			s.cols[i] = canonical(k, s.floats[i])
		} else if k.Type.IsFloating() {
			flat := *k
			flat.Flatten()
			s.cols[i] = canonical(&flat, &vector.Vector{})
		}
	}
	return s.cols
}

func canonical(k, out *vector.Vector) *vector.Vector {
	rows := k.Len
	if k.Const {
		rows = 1
	}
	out.Reset(k.Type, rows)
	out.Len, out.Const, out.Valid = k.Len, k.Const, k.Valid
	if k.Type.Kind == types.KindDouble {
		dst := vector.Values[uint64](out)
		for i, x := range vector.Values[float64](k)[:rows] {
			dst[i] = canonical64(x)
		}
		return out
	}
	dst := vector.Values[uint32](out)
	for i, x := range vector.Values[float32](k)[:rows] {
		dst[i] = canonical32(x)
	}
	return out
}

func resize[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n, n+n/4)
	}
	return s[:n]
}
