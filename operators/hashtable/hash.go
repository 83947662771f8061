package hashtable

import (
	"encoding/binary"
	"math"
	"math/bits"

	"millrace/types"
	"millrace/vector"
)

const (
	mix0     = 0x9e3779b97f4a7c15
	mix1     = 0xd6e8feb86659fd93
	nullHash = 0x2545f4914f6cdd1d
)

// Mix hashes 64 bits.
func Mix(x uint64) uint64 {
	hi, lo := bits.Mul64(x^mix1, mix0)
	return hi ^ lo
}

// Bytes hashes a string.
func Bytes(b []byte) uint64 {
	h := uint64(len(b)) * mix1
	for len(b) >= 8 {
		h = combine(h, binary.LittleEndian.Uint64(b))
		b = b[8:]
	}
	var tail uint64
	switch {
	case len(b) >= 4:
		tail = uint64(binary.LittleEndian.Uint32(b)) | uint64(binary.LittleEndian.Uint32(b[len(b)-4:]))<<32
	case len(b) > 0:
		tail = uint64(b[0]) | uint64(b[len(b)/2])<<8 | uint64(b[len(b)-1])<<16
	}
	return combine(h, tail)
}

func combine(h, x uint64) uint64 {
	hi, lo := bits.Mul64(h^x^mix1, mix0^bits.RotateLeft64(h, 32))
	return hi ^ lo ^ x*mix0
}

// Hasher hashes rows of key columns; it remembers the hashes of the last dictionary of each column.
type Hasher struct {
	dicts  []*vector.Vector
	hashes [][]uint64
	column []uint64
}

// Hash writes into out[k] the hash of the k-th row of sel (nil: of row k), for n rows.
func (h *Hasher) Hash(cols []*vector.Vector, sel []uint32, n int, out []uint64) {
	for len(h.dicts) < len(cols) {
		h.dicts, h.hashes = append(h.dicts, nil), append(h.hashes, nil)
	}
	if len(cols) == 0 {
		clear(out[:n])
		return
	}
	h.one(0, cols[0], sel, n, out[:n])
	for i, c := range cols[1:] {
		if cap(h.column) < n {
			h.column = make([]uint64, n+n/4)
		}
		h.one(i+1, c, sel, n, h.column[:n])
		for k, x := range h.column[:n] {
			out[k] = Mix(out[k]*3 + x)
		}
	}
}

func (h *Hasher) one(i int, c *vector.Vector, sel []uint32, n int, out []uint64) {
	switch {
	case c.Const:
		one := *c
		one.Const, one.Len = false, 1
		hashColumn(&one, nil, 1, out[:min(n, 1)])
		for k := 1; k < n; k++ {
			out[k] = out[0]
		}
	case c.Dict != nil:
		if h.dicts[i] != c.Dict {
			h.dicts[i], h.hashes[i] = c.Dict, make([]uint64, c.Dict.Len)
			hashColumn(c.Dict, nil, c.Dict.Len, h.hashes[i])
		}
		hashCodes(c, h.hashes[i], sel, out)
	default:
		hashColumn(c, sel, n, out)
	}
}

func hashCodes(c *vector.Vector, entries []uint64, sel []uint32, out []uint64) {
	codes := vector.Codes(c)
	for k := range out {
		r := at(sel, k)
		if c.Valid != nil && !c.Valid.Get(r) {
			out[k] = nullHash
		} else {
			out[k] = entries[codes[r]]
		}
	}
}

func at(sel []uint32, k int) int {
	if sel != nil {
		return int(sel[k])
	}
	return k
}

func hashColumn(c *vector.Vector, sel []uint32, n int, out []uint64) {
	t := vector.Storage(c.Type)
	switch {
	case t.Kind == types.KindFloat:
		for k := range out {
			out[k] = Mix(uint64(canonical32(vector.Values[float32](c)[at(sel, k)])))
		}
	case t.Kind == types.KindDouble:
		values := vector.Values[float64](c)
		for k := range out {
			out[k] = Mix(canonical64(values[at(sel, k)]))
		}
	case t.IsStringLike():
		for k := range out {
			r := at(sel, k)
			out[k] = Bytes(c.Bytes[c.Offsets[r]:c.Offsets[r+1]])
		}
	default:
		hashSlots(c, sel, out)
	}
	if t.Kind != types.KindNull && c.Valid == nil {
		return
	}
	for k := range out {
		if c.IsNull(at(sel, k)) {
			out[k] = nullHash
		}
	}
}

func hashSlots(c *vector.Vector, sel []uint32, out []uint64) {
	switch vector.Width(c.Type) {
	case 1:
		hashInts(vector.Values[uint8](c), sel, out)
	case 2:
		hashInts(vector.Values[int16](c), sel, out)
	case 4:
		hashInts(vector.Values[int32](c), sel, out)
	case 8:
		hashInts(vector.Values[int64](c), sel, out)
	case 16:
		words := vector.Values[uint64](c)
		for k := range out {
			r := at(sel, k)
			out[k] = combine(words[2*r], words[2*r+1])
		}
	default:
		for k := range out {
			out[k] = nested(c, at(sel, k))
		}
	}
}

func hashInts[T uint8 | int16 | int32 | int64](values []T, sel []uint32, out []uint64) {
	if sel == nil {
		values = values[:len(out)]
		for k, x := range values {
			out[k] = Mix(uint64(x))
		}
		return
	}
	for k, r := range sel {
		out[k] = Mix(uint64(values[r]))
	}
}

// nested hashes one value of any type, value by value.
func nested(c *vector.Vector, i int) uint64 {
	if c.IsNull(i) {
		return nullHash
	}
	i = c.Row(i)
	if c.Dict != nil {
		return nested(c.Dict, int(vector.Codes(c)[i]))
	}
	h := uint64(mix1)
	switch {
	case len(c.Children) == 0:
		var one [1]uint64
		hashColumn(c, []uint32{uint32(i)}, 1, one[:])
		return one[0]
	case c.Offsets != nil:
		for e := c.Offsets[i]; e < c.Offsets[i+1]; e++ {
			for _, k := range c.Children {
				h = combine(h, nested(k, int(e)))
			}
		}
	default:
		for _, k := range c.Children {
			h = combine(h, nested(k, i))
		}
	}
	return h
}

// canonical64 is the bits of a double with one NaN and no negative zero.
func canonical64(f float64) uint64 {
	switch {
	case f == 0:
		return 0
	case f != f:
		return 0x7ff8000000000000
	}
	return math.Float64bits(f)
}

func canonical32(f float32) uint32 {
	switch {
	case f == 0:
		return 0
	case f != f:
		return 0x7fc00000
	}
	return math.Float32bits(f)
}
