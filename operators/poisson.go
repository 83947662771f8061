package operators

import "math"

// poisson draws how often rows are taken with replacement. Up to a mean of 40 the draws are those of Spark, which multiplies uniform numbers until
// they are small; above it, where Spark has another method, they agree in distribution only.
type poisson struct {
	mean float64
	rng  *well
}

// direct is the mean up to which one product of uniform numbers is enough.
const direct = 40

func (p *poisson) next() int {
	total := 0
	for mean := p.mean; mean > 0; mean -= direct - 1 { // a sum of such numbers is one with the sum of their means
		part := mean
		if mean >= direct {
			part = direct - 1
		}
		total += p.draw(part)
		if part == mean {
			break
		}
	}
	return total
}

func (p *poisson) draw(mean float64) int {
	limit, product := math.Exp(-mean), 1.0
	for n := 0; float64(n) < 1000*mean; n++ {
		if product *= p.rng.double(); product < limit {
			return n
		}
	}
	return int(math.Ceil(1000 * mean))
}

// javaLong is the number of a place among those that Java's Random draws from a seed by nextLong.
func javaLong(seed int64, place int) int64 {
	const multiplier, mask = 0x5DEECE66D, 1<<48 - 1
	x := (uint64(seed) ^ multiplier) & mask
	word := func() int64 {
		x = (x*multiplier + 11) & mask
		return int64(int32(x >> 16))
	}
	for ; place > 0; place-- {
		word()
		word()
	}
	high := word() << 32
	return high + word()
}

// wellWords is the number of words in the state of a well.
const wellWords = 624

// well is the generator WELL19937c of Panneton, L'Ecuyer and Matsumoto, as Apache Commons Math seeds it.
type well struct {
	state [wellWords]uint32
	at    int
}

func newWell(seed int64) *well {
	w := &well{}
	w.state[0], w.state[1] = uint32(uint64(seed)>>32), uint32(seed)
	for i := 2; i < wellWords; i++ {
		l := int64(int32(w.state[i-2]))
		w.state[i] = uint32(1812433253*(l^(l>>30)) + int64(i))
	}
	return w
}

// next gives so many random bits.
func (w *well) next(bits uint) uint64 {
	const m1, m2, m3 = 70, 179, 449
	word := func(i int) *uint32 { return &w.state[(w.at+i)%wellWords] }
	last, before := word(wellWords-1), word(wellWords-2)
	v0, v1, v2, v3 := *word(0), *word(m1), *word(m2), *word(m3)
	z0 := 0x80000000&*last ^ 0x7FFFFFFF&*before
	z1 := (v0 ^ v0<<25) ^ (v1 ^ v1>>27)
	z2 := v2>>9 ^ (v3 ^ v3>>1)
	z3 := z1 ^ z2
	z4 := z0 ^ (z1 ^ z1<<9) ^ (z2 ^ z2<<21) ^ (z3 ^ z3>>21)
	*word(0), *last = z3, z4
	*before &= 0x80000000
	w.at = (w.at + wellWords - 1) % wellWords
	z4 ^= z4 << 7 & 0xe46e1700
	z4 ^= z4 << 15 & 0x9b868000
	return uint64(z4 >> (32 - bits))
}

func (w *well) double() float64 {
	high := w.next(26) << 26
	return float64(high|w.next(26)) * 0x1p-52
}
