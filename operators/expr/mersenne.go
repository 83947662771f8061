package expr

import (
	"math/rand/v2"

	"millrace/vector"
)

func init() { Register("shuffle", Func{Build: buildShuffle}) }

// mersenne is the Mersenne twister MT19937, seeded and drawn from as Apache Commons Math does, which Spark's shuffle and uuid use.
type mersenne struct {
	state [624]uint32
	next  int
}

func newMersenne(seed int64) *mersenne {
	m := &mersenne{next: 624}
	key := [2]uint32{uint32(uint64(seed) >> 32), uint32(uint64(seed))}
	m.state[0] = 19650218
	for i := uint32(1); i < 624; i++ {
		m.state[i] = 1812433253*(m.state[i-1]^m.state[i-1]>>30) + i
	}
	i, j := 1, uint32(0)
	wrap := func() {
		if i++; i >= 624 {
			m.state[0] = m.state[623]
			i = 1
		}
	}
	for range 624 {
		m.state[i] = m.state[i] ^ (m.state[i-1]^m.state[i-1]>>30)*1664525 + key[j] + j
		j = (j + 1) % 2
		wrap()
	}
	for range 623 {
		m.state[i] = m.state[i] ^ (m.state[i-1]^m.state[i-1]>>30)*1566083941 - uint32(i)
		wrap()
	}
	m.state[0] = 0x80000000
	return m
}

func (m *mersenne) refill() {
	for k := range 624 {
		y := m.state[k]&0x80000000 | m.state[(k+1)%624]&0x7fffffff
		v := m.state[(k+397)%624] ^ y>>1
		if y&1 != 0 {
			v ^= 0x9908b0df
		}
		m.state[k] = v
	}
	m.next = 0
}

// bits draws n bits.
func (m *mersenne) bits(n uint) uint32 {
	if m.next >= 624 {
		m.refill()
	}
	y := m.state[m.next]
	m.next++
	y ^= y >> 11
	y ^= y << 7 & 0x9d2c5680
	y ^= y << 15 & 0xefc60000
	y ^= y >> 18
	return y >> (32 - n)
}

// below draws a number less than n.
func (m *mersenne) below(n int32) int32 {
	if n&-n == n {
		return int32(int64(n) * int64(m.bits(31)) >> 31)
	}
	for {
		b := int32(m.bits(31))
		v := b % n
		if b-v+(n-1) >= 0 {
			return v
		}
	}
}

// long draws 64 bits.
func (m *mersenne) long() uint64 { return uint64(m.bits(32))<<32 | uint64(m.bits(32)) }

// seedOf is the seed that argument k gives, or one that nobody knows.
func seedOf(c *Call, k int) int64 {
	if len(c.Args) <= k || c.Consts[k] == nil {
		return rand.Int64()
	}
	if c.Consts[k].IsNull(0) {
		return 0
	}
	return intAt(c.Consts[k], 0)
}

// buildShuffle puts the elements of every list in a random order.
func buildShuffle(c *Call) (Kernel, error) {
	seed := seedOf(c, 1)
	var r *mersenne
	var order []int
	return func(ctx *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		if r == nil {
			r = newMersenne(seed + int64(ctx.Partition))
		}
		v := plainNested(args[0])
		return gatherLists(out, sel, n, v.Children[0], func(i int, add func(int)) {
			if v.IsNull(i) {
				out.SetNull(i)
				return
			}
			p := v.Row(i)
			order = order[:0]
			for k := range v.Offsets[p+1] - v.Offsets[p] {
				j := int(r.below(k + 1))
				order = append(order, int(k))
				if j != int(k) {
					order[k] = order[j]
				}
				order[j] = int(k)
			}
			for _, k := range order {
				add(int(v.Offsets[p]) + k)
			}
		})
	}, nil
}
