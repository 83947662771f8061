package agg

import (
	"encoding/binary"
	"math"
	"math/bits"

	"millrace/types"
	"millrace/vector"
)

func init() {
	register(builder{one(types.Binary), newSketch}, "approx_count_distinct")
}

// sketch is approx_count_distinct: HyperLogLog++ registers over Spark's xxhash64, without the tables that correct its bias
// in the middle range.
type sketch struct {
	p    uint
	m    int
	regs []byte // m a group
}

func newSketch(c *Call) (Function, error) {
	rsd := 0.05
	if k := c.constant(1); k != nil {
		rsd = vector.Values[float64](k)[0]
	}
	p := uint(min(max(math.Ceil(2*math.Log2(1.106/rsd)), 4), 18))
	return &sketch{p: p, m: 1 << p}, nil
}

func (f *sketch) TakesNulls() bool { return false }
func (f *sketch) Resize(n int)     { f.regs = resize(f.regs, n*f.m) }
func (f *sketch) MemSize() int64   { return int64(cap(f.regs)) }
func (f *sketch) Reset()           { f.regs = f.regs[:0] }

func (f *sketch) Update(in *Input) error {
	v := in.Args[0]
	for k := range in.N {
		h := hashValue(v, k)
		rank := byte(bits.LeadingZeros64(h<<f.p|1<<(f.p-1)) + 1)
		if r := &f.regs[int(in.group(k))*f.m+int(h>>(64-f.p))]; rank > *r {
			*r = rank
		}
	}
	return nil
}

func (f *sketch) Merge(in *Input) error {
	for k := range in.N {
		own := f.regs[int(in.group(k))*f.m:][:f.m]
		for i, x := range in.Args[0].Str(k) {
			own[i] = max(own[i], x)
		}
	}
	return nil
}

func (f *sketch) States(out []*vector.Vector, from, n int) {
	v := &vector.Vector{}
	v.Reset(types.Binary, n)
	for i := range n {
		v.AppendStr(i, f.regs[(from+i)*f.m:(from+i+1)*f.m])
	}
	out[0].Append(v, nil)
}

func (f *sketch) Result(out *vector.Vector, from, n int) error {
	counts := make([]int64, n)
	for i := range counts {
		counts[i] = int64(math.Round(f.estimate(f.regs[(from+i)*f.m:][:f.m])))
	}
	out.Append(vector.FromSlice(types.Long, counts), nil)
	return nil
}

// linearUpTo is, by precision from 4, the estimate up to which counting the empty registers is better.
var linearUpTo = [...]float64{10, 20, 40, 80, 220, 400, 900, 1800, 3100, 6500, 11500, 20000, 50000, 120000, 350000}

func (f *sketch) estimate(regs []byte) float64 {
	sum, empty := 0.0, 0
	for _, r := range regs {
		sum += 1 / float64(uint64(1)<<r)
		if r == 0 {
			empty++
		}
	}
	m := float64(f.m)
	if empty > 0 {
		if linear := m * math.Log(m/float64(empty)); linear <= linearUpTo[f.p-4] {
			return linear
		}
	}
	alpha := 0.7213 / (1 + 1.079/m)
	switch f.m {
	case 16:
		alpha = 0.673
	case 32:
		alpha = 0.697
	case 64:
		alpha = 0.709
	}
	return alpha * m * m / sum
}

// hashValue is Spark's xxhash64(value) with seed 42.
func hashValue(v *vector.Vector, k int) uint64 { return hashFrom(v, k, 42) }

// hashFrom is Spark's xxhash64 of a value and a seed: that of a nested value goes through its parts, of which nulls leave it as it is.
func hashFrom(v *vector.Vector, k int, seed uint64) uint64 {
	k = v.Row(k)
	if v.IsNull(k) {
		return seed
	}
	if v.Dict != nil {
		return hashFrom(v.Dict, int(vector.Codes(v)[k]), seed)
	}
	var b [16]byte
	switch t := vector.Storage(v.Type); {
	case t.IsStringLike():
		return xxhash(v.Str(k), seed)
	case t.Kind == types.KindStruct:
		for _, field := range v.Children {
			seed = hashFrom(field, k, seed)
		}
		return seed
	case t.Kind == types.KindArray || t.Kind == types.KindMap:
		for i := int(v.Offsets[k]); i < int(v.Offsets[k+1]); i++ {
			for _, part := range v.Children {
				seed = hashFrom(part, i, seed)
			}
		}
		return seed
	case t.Kind == types.KindDouble:
		x := vector.Values[float64](v)[k]
		binary.LittleEndian.PutUint64(b[:], math.Float64bits(x+0))
		return xxhash(b[:8], seed)
	case t.Kind == types.KindFloat:
		binary.LittleEndian.PutUint32(b[:], math.Float32bits(vector.Values[float32](v)[k]+0))
		return xxhash(b[:4], seed)
	case vector.Width(t) == 16:
		return xxhash(v.Data[16*k:16*k+16], seed)
	case vector.Width(t) == 8:
		return xxhash(v.Data[8*k:8*k+8], seed)
	case vector.Width(t) > 0:
		binary.LittleEndian.PutUint32(b[:], uint32(longAt(v, vector.Width(t), k)))
		return xxhash(b[:4], seed)
	}
	return seed
}

const (
	prime1 = 0x9E3779B185EBCA87
	prime2 = 0xC2B2AE3D27D4EB4F
	prime3 = 0x165667B19E3779F9
	prime4 = 0x85EBCA77C2B2AE63
	prime5 = 0x27D4EB2F165667C5
)

func xxround(acc, x uint64) uint64 { return bits.RotateLeft64(acc+x*prime2, 31) * prime1 }

// xxhash is XXH64.
func xxhash(b []byte, seed uint64) uint64 {
	n, h := len(b), seed+prime5
	if n >= 32 {
		p1, p2 := uint64(prime1), uint64(prime2)
		acc := [4]uint64{seed + p1 + p2, seed + p2, seed, seed - p1}
		for ; len(b) >= 32; b = b[32:] {
			for i := range acc {
				acc[i] = xxround(acc[i], binary.LittleEndian.Uint64(b[8*i:]))
			}
		}
		h = bits.RotateLeft64(acc[0], 1) + bits.RotateLeft64(acc[1], 7) + bits.RotateLeft64(acc[2], 12) + bits.RotateLeft64(acc[3], 18)
		for _, a := range acc {
			h = (h^xxround(0, a))*prime1 + prime4
		}
	}
	h += uint64(n)
	for ; len(b) >= 8; b = b[8:] {
		h = bits.RotateLeft64(h^xxround(0, binary.LittleEndian.Uint64(b)), 27)*prime1 + prime4
	}
	if len(b) >= 4 {
		h = bits.RotateLeft64(h^uint64(binary.LittleEndian.Uint32(b))*prime1, 23)*prime2 + prime3
		b = b[4:]
	}
	for _, c := range b {
		h = bits.RotateLeft64(h^uint64(c)*prime5, 11) * prime1
	}
	h = (h ^ h>>33) * prime2
	h = (h ^ h>>29) * prime3
	return h ^ h>>32
}
