package parquet

import (
	"encoding/binary"
	"math/bits"

	"millrace/vector"
)

// setBits sets n bits from bit at on.
func setBits(dst vector.Bitmap, at, n int) {
	for n > 0 {
		off := at & 63
		k := min(64-off, n)
		dst[at>>6] |= (^uint64(0) >> (64 - k)) << off
		at += k
		n -= k
	}
}

// copyBits ors n bits of the current bit-packed run of width one into dst and returns how many are set.
func (r *runs) copyBits(dst vector.Bitmap, at, n int) (ones int) {
	for n > 0 {
		k := min(56, n)
		word := binary.LittleEndian.Uint64(r.packed[:8:8]) >> r.skip & (1<<k - 1)
		ones += bits.OnesCount64(word)
		orBits(dst, at, word)
		r.skip += k
		r.packed = r.packed[min(r.skip/8, len(r.packed)):]
		r.skip &= 7
		at += k
		n -= k
	}
	return ones
}

// orBits ors the bits of word into dst from bit at on.
func orBits(dst vector.Bitmap, at int, word uint64) {
	i, off := at>>6, at&63
	dst[i] |= word << off
	if off > 0 && word>>(64-off) != 0 {
		dst[i+1] |= word >> (64 - off)
	}
}

// spread moves the n dense values that lie from at on to the places of the set bits among the rows from at on: the
// rows with a clear bit become zero.
func spread[T any](values []T, valid vector.Bitmap, at, dense, rows int) {
	var zero T
	j := at + dense - 1
	for i := at + rows - 1; i > j; i-- {
		if valid[i>>6]>>(i&63)&1 != 0 {
			values[i] = values[j]
			j--
		} else {
			values[i] = zero
		}
	}
}

// spreadOffsets does the same to the ends of strings, which lie one place further on.
func spreadOffsets(offsets []int32, valid vector.Bitmap, at, dense, rows int) {
	j := at + dense
	for i := at + rows; i > j; i-- {
		offsets[i] = offsets[j]
		if valid[(i-1)>>6]>>((i-1)&63)&1 != 0 {
			j--
		}
	}
}
