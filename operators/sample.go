package operators

import (
	"math/bits"

	planpb "millrace/proto/millrace/plan/v1"
	"millrace/types"
	"millrace/vector"
)

// sample keeps rows at random as Spark does: a generator seeded by the query's seed and the partition draws for every row.
type sample struct {
	in      Operator
	pb      *planpb.Sample
	rng     xorShift
	poisson poisson // of a sample with replacement
	out     vector.Batch
	sel     []uint32
}

func newSample(pb *planpb.Sample, in Operator) *sample { return &sample{in: in, pb: pb} }

func (o *sample) Output() []*types.Type { return o.in.Output() }
func (o *sample) Close() error          { return o.in.Close() }

func (o *sample) Open(ctx *Ctx) error {
	o.rng = newXORShift(o.pb.Seed + int64(ctx.Partition))
	if o.pb.Replacement {
		o.poisson = poisson{mean: o.pb.Upper - o.pb.Lower, rng: newWell(javaLong(o.pb.Seed, ctx.Partition))}
	}
	return o.in.Open(ctx)
}

func (o *sample) Next() (*vector.Batch, error) {
	for {
		b, err := o.in.Next()
		if b == nil || err != nil {
			return nil, err
		}
		o.sel = o.sel[:0]
		for k := range b.Rows() {
			for range o.times() {
				o.sel = append(o.sel, uint32(rowOf(b, k)))
			}
		}
		if len(o.sel) == 0 {
			continue
		}
		if o.pb.Replacement { // rows may repeat, which a selection must not
			gatherInto(&o.out, b.Cols, o.sel)
		} else {
			o.out = vector.Batch{Cols: b.Cols, N: b.N, Sel: o.sel}
		}
		return &o.out, nil
	}
}

// times is how often the next row is taken.
func (o *sample) times() int {
	if o.pb.Replacement {
		return o.poisson.next()
	}
	if x := o.rng.double(); x >= o.pb.Lower && x < o.pb.Upper {
		return 1
	}
	return 0
}

// xorShift is Spark's XORShiftRandom.
type xorShift struct{ seed int64 }

func newXORShift(seed int64) xorShift {
	var b [8]byte
	for i := range 8 {
		b[i] = byte(uint64(seed) >> (56 - 8*i))
	}
	low := murmurBytes(b[:], 0x3c074a61)
	high := murmurBytes(b[:], low)
	return xorShift{int64(high)<<32 | int64(low)}
}

// murmurBytes is scala.util.hashing.MurmurHash3.bytesHash of a whole number of words.
func murmurBytes(b []byte, seed uint32) uint32 {
	h := seed
	for i := 0; i < len(b); i += 4 {
		k := uint32(b[i]) | uint32(b[i+1])<<8 | uint32(b[i+2])<<16 | uint32(b[i+3])<<24
		k = bits.RotateLeft32(k*0xcc9e2d51, 15) * 0x1b873593
		h = bits.RotateLeft32(h^k, 13)*5 + 0xe6546b64
	}
	h ^= uint32(len(b))
	h = (h ^ h>>16) * 0x85ebca6b
	h = (h ^ h>>13) * 0xc2b2ae35
	return h ^ h>>16
}

func (r *xorShift) next(n uint) int64 {
	x := r.seed
	x ^= x << 21
	x ^= int64(uint64(x) >> 35)
	x ^= x << 4
	r.seed = x
	return x & (1<<n - 1)
}

func (r *xorShift) double() float64 { return float64(r.next(26)<<27+r.next(27)) * 0x1p-53 }
