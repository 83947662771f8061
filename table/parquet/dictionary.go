package parquet

import (
	"hash/maphash"
	"math/bits"
	"slices"

	"millrace/vector"
)

// dictionary gives codes to the distinct values of a column chunk. Its slots are a linear-probing table of code+1.
type dictionary struct {
	slots []uint32
	shift int

	words   []uint64 // the values of fixed-width lanes
	bytes   []byte   // the values of byte lanes, with their ends
	ends    []int32
	hashes  []uint32
	remaps  map[*vector.Vector][]int32 // from the codes of dictionaries that were seen; -1: not met yet
	last    *vector.Vector
	lastMap []int32
}

var dictionarySeed = maphash.MakeSeed()

const firstSlots = 1 << 10

func (d *dictionary) reset() {
	if len(d.slots) != firstSlots {
		d.slots = make([]uint32, firstSlots)
	} else {
		clear(d.slots)
	}
	d.shift = 64 - bits.TrailingZeros(firstSlots)
	d.words, d.bytes, d.ends, d.hashes = d.words[:0], d.bytes[:0], d.ends[:0], d.hashes[:0]
	d.remaps, d.last, d.lastMap = nil, nil, nil
}

// mix hashes a value; the high bits are the better ones. Doubles differ in a few high bits only: all must reach all.
func mix(v uint64) uint64 {
	hi, lo := bits.Mul64(v^0xD6E8FEB86659FD93, 0x9E3779B97F4A7C15)
	return hi ^ lo
}

// codes appends the codes of fixed-width values to dst; found is called for each value that is new.
func fixedCodes[T uint32 | uint64](d *dictionary, dst []int32, values []T, found func(v uint64)) []int32 {
	start := len(dst)
	dst = slices.Grow(dst, len(values))[:start+len(values)]
	out := dst[start:]
	if len(values) == 0 {
		return dst
	}
	for i := 0; i < len(values); i++ {
		i += knownCodes(d, out[i:], values[i:])
		if i < len(values) {
			out[i] = d.code(uint64(values[i]), found)
		}
	}
	return dst
}

// knownCodes writes the codes of values up to the first one that is not in its first slot, and returns how many those are.
func knownCodes[T uint32 | uint64](d *dictionary, out []int32, values []T) int {
	slots, words, shift := d.slots, d.words, d.shift&63
	out = out[:len(values)]
	for i, v := range values {
		s := slots[mix(uint64(v))>>shift] - 1
		if uint(s) >= uint(len(words)) || words[s] != uint64(v) {
			return i
		}
		out[i] = int32(s)
	}
	return len(values)
}

func (d *dictionary) code(v uint64, found func(v uint64)) int32 {
	mask := uint64(len(d.slots) - 1)
	for h := mix(v) >> d.shift; ; h = (h + 1) & mask {
		s := d.slots[h]
		if s == 0 {
			return d.add(h, v, found)
		}
		if d.words[s-1] == v {
			return int32(s - 1)
		}
	}
}

func (d *dictionary) add(h, v uint64, found func(v uint64)) int32 {
	d.words = append(d.words, v)
	d.slots[h] = uint32(len(d.words))
	found(v)
	if len(d.words)*2 > len(d.slots) {
		d.rehash(func(code int) uint64 { return mix(d.words[code]) }, len(d.words))
	}
	return int32(len(d.words) - 1)
}

func (d *dictionary) rehash(hash func(code int) uint64, n int) {
	d.slots = make([]uint32, len(d.slots)*4)
	d.shift -= 2
	mask := uint64(len(d.slots) - 1)
	for code := range n {
		h := hash(code) >> d.shift
		for d.slots[h] != 0 {
			h = (h + 1) & mask
		}
		d.slots[h] = uint32(code + 1)
	}
}

// bytesCode is the code of a byte string.
func (d *dictionary) bytesCode(v []byte, found func(v []byte)) int32 {
	full := maphash.Bytes(dictionarySeed, v)
	tag := uint32(full)
	mask := uint64(len(d.slots) - 1)
	for h := full >> d.shift; ; h = (h + 1) & mask {
		s := d.slots[h]
		if s == 0 {
			d.bytes = append(d.bytes, v...)
			d.ends = append(d.ends, int32(len(d.bytes)))
			d.hashes = append(d.hashes, tag)
			d.slots[h] = uint32(len(d.ends))
			found(v)
			if len(d.ends)*2 > len(d.slots) {
				d.rehash(func(code int) uint64 { return maphash.Bytes(dictionarySeed, d.value(code)) }, len(d.ends))
			}
			return int32(len(d.ends) - 1)
		}
		if d.hashes[s-1] == tag && string(d.value(int(s-1))) == string(v) {
			return int32(s - 1)
		}
	}
}

// value is the byte string of a code.
func (d *dictionary) value(code int) []byte {
	start := int32(0)
	if code > 0 {
		start = d.ends[code-1]
	}
	return d.bytes[start:d.ends[code]]
}

func (d *dictionary) len() int { return max(len(d.words), len(d.ends)) }

// size is the bytes of the dictionary's page for values of width bytes; width 0: byte strings with their lengths.
func (d *dictionary) size(width int) int {
	if len(d.ends) > 0 {
		return len(d.bytes) + 4*len(d.ends)
	}
	return len(d.words) * width
}

// maxRemaps is how many dictionaries of input are remembered at once.
const maxRemaps = 16

// remap is the table from an input dictionary's codes to d's.
func (d *dictionary) remap(dict *vector.Vector) []int32 {
	if d.last == dict {
		return d.lastMap
	}
	m, ok := d.remaps[dict]
	if !ok {
		if d.remaps == nil || len(d.remaps) >= maxRemaps {
			d.remaps = map[*vector.Vector][]int32{}
		}
		m = make([]int32, dict.Len)
		for i := range m {
			m[i] = -1
		}
		d.remaps[dict] = m
	}
	d.last, d.lastMap = dict, m
	return m
}
