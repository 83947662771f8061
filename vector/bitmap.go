package vector

import "math/bits"

// Bitmap is a validity bitmap in Arrow's bit order: bit i%64 of word i/64, 1 for valid.
type Bitmap []uint64

// NewBitmap makes a bitmap of n bits, all set (and the rest of the last word too).
func NewBitmap(n int) Bitmap {
	b := make(Bitmap, (n+63)/64)
	for i := range b {
		b[i] = ^uint64(0)
	}
	return b
}

// Get reports bit i.
func (b Bitmap) Get(i int) bool { return b[uint(i)/64]>>(uint(i)%64)&1 != 0 }

// Set sets bit i.
func (b Bitmap) Set(i int) { b[uint(i)/64] |= 1 << (uint(i) % 64) }

// Clear clears bit i.
func (b Bitmap) Clear(i int) { b[uint(i)/64] &^= 1 << (uint(i) % 64) }

// SetTo sets bit i to v.
func (b Bitmap) SetTo(i int, v bool) {
	if v {
		b.Set(i)
	} else {
		b.Clear(i)
	}
}

// CountNulls is the number of clear bits among the first n.
func (b Bitmap) CountNulls(n int) int {
	if b == nil {
		return 0
	}
	valid := 0
	for i := range n / 64 {
		valid += bits.OnesCount64(b[i])
	}
	if r := uint(n % 64); r > 0 {
		valid += bits.OnesCount64(b[n/64] & (1<<r - 1))
	}
	return n - valid
}

// And writes into dst (grown as needed) the bits set in both a and b over n bits; nil means all set. The result may be
// a or b itself when the other is nil, so that it must not be written afterwards.
func And(dst, a, b Bitmap, n int) Bitmap {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	}
	words := (n + 63) / 64
	if cap(dst) < words {
		dst = make(Bitmap, words)
	}
	dst = dst[:words]
	for i := range dst {
		dst[i] = a[i] & b[i]
	}
	return dst
}

// growBitmap makes room for n bits; when there was no bitmap, the first `from` become valid.
func growBitmap(b Bitmap, from, n int) Bitmap {
	words := (n + 63) / 64
	if b == nil {
		b = make(Bitmap, words, words+words/2)
		setBits(b, 0, from)
		return b
	}
	if words <= cap(b) {
		return b[:words]
	}
	g := make(Bitmap, words, 2*words)
	copy(g, b)
	return g
}

// setBits sets n bits from place at.
func setBits(b Bitmap, at, n int) {
	for ; n > 0 && at%64 != 0; at, n = at+1, n-1 {
		b.Set(at)
	}
	for ; n >= 64; at, n = at+64, n-64 {
		b[at/64] = ^uint64(0)
	}
	for ; n > 0; at, n = at+1, n-1 {
		b.Set(at)
	}
}

// copyBits copies n bits of src from place from to place at of dst.
func copyBits(dst Bitmap, at int, src Bitmap, from, n int) {
	for ; n > 0 && at%64 != 0; at, from, n = at+1, from+1, n-1 {
		dst.SetTo(at, src.Get(from))
	}
	for ; n >= 64; at, from, n = at+64, from+64, n-64 {
		dst[at/64] = src.word(from)
	}
	for ; n > 0; at, from, n = at+1, from+1, n-1 {
		dst.SetTo(at, src.Get(from))
	}
}

// gatherBits sets the bits from place at to those of src (nil: all set) at idx, and reports whether all are set. NoRow, which idx may
// hold if outer, makes a clear one. The bits of dst after them are lost.
func gatherBits(dst Bitmap, at int, src Bitmap, idx []uint32, outer bool) bool {
	word, all := uint64(0), uint64(1)
	if at%64 > 0 {
		word = dst[at/64] & (1<<(at%64) - 1)
	}
	for _, r := range idx {
		bit := uint64(1)
		if outer && r == NoRow {
			bit = 0
		} else if src != nil {
			bit = src[r/64] >> (r % 64) & 1
		}
		word |= bit << (at % 64)
		all &= bit
		if at++; at%64 == 0 {
			dst[at/64-1], word = word, 0
		}
	}
	if at%64 > 0 {
		dst[at/64] = word
	}
	return all != 0
}

// word is the 64 bits from place i; places past the end are 0.
func (b Bitmap) word(i int) uint64 {
	w, s := i/64, uint(i%64)
	x := b[w] >> s
	if s > 0 && w+1 < len(b) {
		x |= b[w+1] << (64 - s)
	}
	return x
}
