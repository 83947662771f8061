package expr

import (
	"encoding/binary"
	"math"
	"math/bits"

	"millrace/types"
	"millrace/vector"
)

// hashSeed is the seed of hash(), xxhash64() and of hash partitioning.
const hashSeed = 42

func init() {
	Register("hash", Func{Pure: true, Build: func(*Call) (Kernel, error) {
		return func(_ *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
			HashRows(args, sel, n, hashSeed, vector.Values[uint32](out))
			return nil
		}, nil
	}})
}

// HashRows sets out to Spark's hash() of the columns: murmur3 of 32 bits, a column's hash being the seed of the next one's. Nulls
// leave it as it is.
func HashRows(cols []*vector.Vector, sel []uint32, n int, seed uint32, out []uint32) {
	Rows(sel, n, func(i int) { out[i] = seed })
	for _, v := range cols {
		hashColumn(v, sel, n, out)
	}
}

func hashColumn(v *vector.Vector, sel []uint32, n int, h []uint32) {
	t := v.Type
	if t.Kind == types.KindUDT {
		t = t.Elem
	}
	if v.Dict != nil && !t.IsStringLike() {
		v = Plain(v, sel, &vector.Vector{})
	}
	switch {
	case t.Kind == types.KindBoolean:
		hashFixed(v, sel, n, h, func(x uint8, s uint32) uint32 { return murmurInt(uint32(x&1), s) })
	case t.Kind == types.KindFloat:
		hashFixed(v, sel, n, h, func(x float32, s uint32) uint32 { return murmurInt(math.Float32bits(canonical(x)), s) })
	case t.Kind == types.KindDouble:
		hashFixed(v, sel, n, h, func(x float64, s uint32) uint32 { return murmurLong(math.Float64bits(canonical(x)), s) })
	case t.IsStringLike(), t.IsNested(), vector.Width(t) == 16, t.Kind == types.KindNull:
		Rows(sel, n, func(i int) { h[i] = murmurRow(v, i, h[i]) })
	default:
		hashIntegers(v, sel, n, h)
	}
}

func hashIntegers(v *vector.Vector, sel []uint32, n int, h []uint32) {
	switch vector.Width(v.Type) {
	case 1:
		hashFixed(v, sel, n, h, func(x int8, s uint32) uint32 { return murmurInt(uint32(int32(x)), s) })
	case 2:
		hashFixed(v, sel, n, h, func(x int16, s uint32) uint32 { return murmurInt(uint32(int32(x)), s) })
	case 4:
		if v.Valid == nil && sel == nil && !v.Const {
			for i, x := range vector.Values[int32](v)[:n] {
				h[i] = murmurInt(uint32(x), h[i])
			}
			return
		}
		hashFixed(v, sel, n, h, func(x int32, s uint32) uint32 { return murmurInt(uint32(x), s) })
	case 8:
		if v.Valid == nil && sel == nil && !v.Const {
			for i, x := range vector.Values[int64](v)[:n] {
				h[i] = murmurLong(uint64(x), h[i])
			}
			return
		}
		hashFixed(v, sel, n, h, func(x int64, s uint32) uint32 { return murmurLong(uint64(x), s) })
	}
}

func hashFixed[T vector.Fixed](v *vector.Vector, sel []uint32, n int, h []uint32, f func(T, uint32) uint32) {
	a, m := vector.Values[T](v), stride(v)
	nulls := v.Valid
	Rows(sel, n, func(i int) {
		if nulls == nil || nulls.Get(i&m) {
			h[i] = f(a[i&m], h[i])
		}
	})
}

// murmurRow hashes one value of any type.
func murmurRow(v *vector.Vector, i int, seed uint32) uint32 {
	if v.IsNull(i) {
		return seed
	}
	t := v.Type
	if t.Kind == types.KindUDT {
		t = t.Elem
	}
	if t.IsStringLike() {
		return murmurBytes(v.Str(i), seed)
	}
	i = v.Row(i)
	switch t.Kind {
	case types.KindStruct:
		for _, c := range v.Children {
			seed = murmurRow(c, i, seed)
		}
		return seed
	case types.KindArray, types.KindMap:
		for j := int(v.Offsets[i]); j < int(v.Offsets[i+1]); j++ {
			for _, c := range v.Children {
				seed = murmurRow(c, j, seed)
			}
		}
		return seed
	case types.KindCalendar:
		x := vector.Values[vector.CalendarInterval](v)[i]
		return murmurInt(uint32(x.Months), murmurInt(uint32(x.Days), murmurLong(uint64(x.Micros), seed)))
	case types.KindDecimal:
		if !t.IsShortDecimal() {
			return murmurBytes(decimalBytes(vector.Values[wide](v)[i]), seed)
		}
	}
	h := []uint32{seed}
	one := *v
	one.Data, one.Valid, one.Len = v.Data[i*vector.Width(t):], nil, 1
	hashColumn(&one, nil, 1, h)
	return h[0]
}

// decimalBytes is the shortest big-endian two's complement form of a number.
func decimalBytes(x wide) []byte {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], uint64(x.HighBits()))
	binary.BigEndian.PutUint64(b[8:], x.LowBits())
	s := b[:]
	for len(s) > 1 && (s[0] == 0 && s[1] < 0x80 || s[0] == 0xff && s[1] >= 0x80) {
		s = s[1:]
	}
	return s
}

func murmurMix(k uint32) uint32 { return bits.RotateLeft32(k*0xcc9e2d51, 15) * 0x1b873593 }

func murmurStep(h, k uint32) uint32 { return bits.RotateLeft32(h^k, 13)*5 + 0xe6546b64 }

func murmurEnd(h, length uint32) uint32 {
	h ^= length
	h ^= h >> 16
	h *= 0x85ebca6b
	h ^= h >> 13
	h *= 0xc2b2ae35
	return h ^ h>>16
}

func murmurInt(x, seed uint32) uint32 { return murmurEnd(murmurStep(seed, murmurMix(x)), 4) }

func murmurLong(x uint64, seed uint32) uint32 {
	h := murmurStep(seed, murmurMix(uint32(x)))
	return murmurEnd(murmurStep(h, murmurMix(uint32(x>>32))), 8)
}

// murmurBytes differs from the published murmur3 in its tail: each byte is a step of its own, with its sign.
func murmurBytes(s []byte, seed uint32) uint32 {
	h, n := seed, uint32(len(s))
	for len(s) >= 4 {
		h = murmurStep(h, murmurMix(binary.LittleEndian.Uint32(s)))
		s = s[4:]
	}
	for _, b := range s {
		h = murmurStep(h, murmurMix(uint32(int32(int8(b)))))
	}
	return murmurEnd(h, n)
}

// HashBytes is Spark's murmur3 of bytes.
func HashBytes(s []byte, seed uint32) uint32 { return murmurBytes(s, seed) }

// murmurStandard is the published murmur3 of 32 bits, which seeds generators.
func murmurStandard(s []byte, seed uint32) uint32 {
	h, n := seed, uint32(len(s))
	for len(s) >= 4 {
		h = murmurStep(h, murmurMix(binary.LittleEndian.Uint32(s)))
		s = s[4:]
	}
	var k uint32
	for i := len(s) - 1; i >= 0; i-- {
		k = k<<8 | uint32(s[i])
	}
	return murmurEnd(h^murmurMix(k), n)
}
