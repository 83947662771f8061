package expr

import (
	"encoding/binary"
	"math"
	"math/bits"

	"millrace/types"
	"millrace/vector"
)

func init() {
	Register("xxhash64", Func{Pure: true, Build: func(*Call) (Kernel, error) {
		return func(_ *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
			r := vector.Values[uint64](out)
			Rows(sel, n, func(i int) {
				h := uint64(hashSeed)
				for _, v := range args {
					h = xxRow(v, i, h)
				}
				r[i] = h
			})
			return nil
		}, nil
	}})
}

const (
	xx1 = 0x9E3779B185EBCA87
	xx2 = 0xC2B2AE3D27D4EB4F
	xx3 = 0x165667B19E3779F9
	xx4 = 0x85EBCA77C2B2AE63
	xx5 = 0x27D4EB2F165667C5
)

// Hash64 is Spark's xxhash64 of one value.
func Hash64(v *vector.Vector, i int) uint64 { return xxRow(v, i, hashSeed) }

// xxRow is Spark's xxhash64 of one value of any type; null leaves the seed.
func xxRow(v *vector.Vector, i int, seed uint64) uint64 {
	if v.IsNull(i) {
		return seed
	}
	t := v.Type
	if t.Kind == types.KindUDT {
		t = t.Elem
	}
	if t.IsStringLike() {
		return xxBytes(v.Str(i), seed)
	}
	i = v.Row(i)
	switch t.Kind {
	case types.KindStruct:
		for _, c := range v.Children {
			seed = xxRow(c, i, seed)
		}
		return seed
	case types.KindArray, types.KindMap:
		for j := int(v.Offsets[i]); j < int(v.Offsets[i+1]); j++ {
			for _, c := range v.Children {
				seed = xxRow(c, j, seed)
			}
		}
		return seed
	case types.KindBoolean:
		return xxInt(uint32(vector.Values[uint8](v)[i]&1), seed)
	case types.KindFloat:
		return xxInt(math.Float32bits(canonical(vector.Values[float32](v)[i])), seed)
	case types.KindDouble:
		return xxLong(math.Float64bits(canonical(vector.Values[float64](v)[i])), seed)
	case types.KindCalendar:
		x := vector.Values[vector.CalendarInterval](v)[i]
		return xxInt(uint32(x.Months), xxInt(uint32(x.Days), xxLong(uint64(x.Micros), seed)))
	}
	switch vector.Width(t) {
	case 8:
		return xxLong(uint64(intAt(v, i)), seed)
	case 16:
		return xxBytes(decimalBytes(vector.Values[wide](v)[i]), seed)
	}
	return xxInt(uint32(intAt(v, i)), seed)
}

func xxEnd(h uint64) uint64 {
	h ^= h >> 33
	h *= xx2
	h ^= h >> 29
	h *= xx3
	return h ^ h>>32
}

func xxInt(x uint32, seed uint64) uint64 {
	h := seed + xx5 + 4
	h ^= uint64(x) * xx1
	return xxEnd(bits.RotateLeft64(h, 23)*xx2 + xx3)
}

func xxLong(x, seed uint64) uint64 {
	h := seed + xx5 + 8
	h ^= bits.RotateLeft64(x*xx2, 31) * xx1
	return xxEnd(bits.RotateLeft64(h, 27)*xx1 + xx4)
}

func xxRound(acc, x uint64) uint64 { return bits.RotateLeft64(acc+x*xx2, 31) * xx1 }

func xxBytes(s []byte, seed uint64) uint64 {
	n, h := uint64(len(s)), seed+xx5
	if len(s) >= 32 {
		lanes := [4]uint64{0: seed, 1: seed, 2: seed, 3: seed}
		lanes[0] += xx1
		lanes[0] += xx2
		lanes[1] += xx2
		lanes[3] -= xx1
		for ; len(s) >= 32; s = s[32:] {
			for k := range lanes {
				lanes[k] = xxRound(lanes[k], binary.LittleEndian.Uint64(s[8*k:]))
			}
		}
		h = bits.RotateLeft64(lanes[0], 1) + bits.RotateLeft64(lanes[1], 7) + bits.RotateLeft64(lanes[2], 12) + bits.RotateLeft64(lanes[3], 18)
		for _, l := range lanes {
			h = (h^xxRound(0, l))*xx1 + xx4
		}
	}
	h += n
	for ; len(s) >= 8; s = s[8:] {
		h = bits.RotateLeft64(h^xxRound(0, binary.LittleEndian.Uint64(s)), 27)*xx1 + xx4
	}
	if len(s) >= 4 {
		h = bits.RotateLeft64(h^uint64(binary.LittleEndian.Uint32(s))*xx1, 23)*xx2 + xx3
		s = s[4:]
	}
	for _, b := range s {
		h = bits.RotateLeft64(h^uint64(b)*xx5, 11) * xx1
	}
	return xxEnd(h)
}

// FastHash sets out to a hash of the columns for tables in memory: 64 bits, faster than Spark's, and of no fixed definition. Equal
// values have equal hashes whatever their encoding: NaNs are one value, and so are 0.0 and -0.0; null is a value of its own.
func FastHash(cols []*vector.Vector, sel []uint32, n int, out []uint64) {
	Rows(sel, n, func(i int) { out[i] = 0 })
	for _, v := range cols {
		fastColumn(v, sel, n, out)
	}
}

// fold mixes two words by the halves of their product.
func fold(x, y uint64) uint64 {
	h, l := bits.Mul64(x^xx1, y^xx2)
	return h ^ l
}

func fastColumn(v *vector.Vector, sel []uint32, n int, h []uint64) {
	t := v.Type
	if t.Kind == types.KindUDT {
		t = t.Elem
	}
	if v.Dict != nil {
		fastDict(v, sel, n, h)
		return
	}
	switch {
	case t.Kind == types.KindFloat:
		fastFixed(v, sel, n, h, func(x float32) uint64 { return uint64(math.Float32bits(canonical(x))) })
		return
	case t.Kind == types.KindDouble:
		fastFixed(v, sel, n, h, func(x float64) uint64 { return math.Float64bits(canonical(x)) })
		return
	}
	switch {
	case vector.Width(t) == 1:
		fastFixed(v, sel, n, h, func(x uint8) uint64 { return uint64(x) })
	case vector.Width(t) == 2:
		fastFixed(v, sel, n, h, func(x int16) uint64 { return uint64(x) })
	case vector.Width(t) == 4:
		fastFixed(v, sel, n, h, func(x int32) uint64 { return uint64(x) })
	case vector.Width(t) == 8:
		fastFixed(v, sel, n, h, func(x int64) uint64 { return uint64(x) })
	case t.IsStringLike():
		Rows(sel, n, func(i int) {
			if v.IsNull(i) {
				h[i] = fold(h[i], xx5)
			} else {
				h[i] = fold(h[i], fastBytes(v.Str(i)))
			}
		})
	default:
		Rows(sel, n, func(i int) { h[i] = fold(h[i], xxRow(v, i, xx5)) })
	}
}

// fastDict hashes each entry once where the rows are more than those.
func fastDict(v *vector.Vector, sel []uint32, n int, h []uint64) {
	codes, d := vector.Codes(v), v.Dict
	m := stride(v)
	entries := make([]uint64, 0)
	if !v.Const && d.Len <= n {
		entries = make([]uint64, d.Len)
		for k := range entries {
			entries[k] = entryHash(d, k)
		}
	}
	Rows(sel, n, func(i int) {
		switch c := codes[i&m]; {
		case v.Valid != nil && !v.Valid.Get(i&m):
			h[i] = fold(h[i], xx5)
		case len(entries) > 0:
			h[i] = fold(h[i], entries[c])
		default:
			h[i] = fold(h[i], entryHash(d, int(c)))
		}
	})
}

// entryHash is what a plain column's value folds into its row's hash.
func entryHash(d *vector.Vector, k int) uint64 {
	switch {
	case d.IsNull(k):
		return xx5
	case d.Type.IsStringLike():
		return fastBytes(d.Str(k))
	case d.Type.Kind == types.KindFloat:
		return uint64(math.Float32bits(canonical(vector.Values[float32](d)[k])))
	case d.Type.Kind == types.KindDouble:
		return math.Float64bits(canonical(vector.Values[float64](d)[k]))
	case vector.Width(d.Type) == 1:
		return uint64(vector.Values[uint8](d)[k])
	case vector.Width(d.Type) == 16 || d.Type.IsNested():
		return xxRow(d, k, xx5)
	}
	return uint64(intAt(d, k))
}

func fastFixed[T vector.Fixed](v *vector.Vector, sel []uint32, n int, h []uint64, bits func(T) uint64) {
	a, m, valid := vector.Values[T](v), stride(v), v.Valid
	Rows(sel, n, func(i int) {
		if valid != nil && !valid.Get(i&m) {
			h[i] = fold(h[i], xx5)
			return
		}
		h[i] = fold(h[i], bits(a[i&m]))
	})
}

// fastBytes takes eight bytes at a step; the last step overlaps the one before.
func fastBytes(s []byte) uint64 {
	n := uint64(len(s))
	h := n * xx3
	for ; len(s) > 8; s = s[8:] {
		h = fold(h, binary.LittleEndian.Uint64(s))
	}
	var last uint64
	switch {
	case len(s) == 8:
		last = binary.LittleEndian.Uint64(s)
	case len(s) >= 4:
		last = uint64(binary.LittleEndian.Uint32(s))<<32 | uint64(binary.LittleEndian.Uint32(s[len(s)-4:]))
	case len(s) > 0:
		last = uint64(s[0])<<16 | uint64(s[len(s)/2])<<8 | uint64(s[len(s)-1])
	}
	return fold(h, last)
}
