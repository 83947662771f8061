package parquet

import (
	"encoding/binary"

	"github.com/parquet-go/bitpack"

	"millrace/vector"
)

// appendRuns encodes values of width bits in the hybrid of run-length and bit-packed runs.
func appendRuns(dst []byte, values []int32, width uint) []byte {
	if width == 0 {
		return binary.AppendUvarint(dst, uint64(len(values))<<1)
	}
	shortest := max(8, int(40/width)) // a shorter run takes less room packed
	packed := 0                       // values from packed on, up to i, wait to be bit-packed; a multiple of eight
	i := 0
	for i < len(values) {
		if n := runLength(values[i:]); n >= shortest || i+n == len(values) && i == packed {
			dst = appendPacked(dst, values[packed:i], width)
			dst = appendRepeated(dst, values[i], n, width)
			i += n
			packed = i
			continue
		}
		i += 8
	}
	return appendPacked(dst, values[packed:], width)
}

// runLength is how many values at the start are equal.
func runLength(values []int32) int {
	first := values[0]
	for i, v := range values {
		if v != first {
			return i
		}
	}
	return len(values)
}

func appendRepeated(dst []byte, v int32, n int, width uint) []byte {
	dst = binary.AppendUvarint(dst, uint64(n)<<1)
	for range (width + 7) / 8 {
		dst = append(dst, byte(v))
		v >>= 8
	}
	return dst
}

// appendPacked bit-packs values; the last group of eight is filled up with zeros.
func appendPacked(dst []byte, values []int32, width uint) []byte {
	if len(values) == 0 {
		return dst
	}
	groups := (len(values) + 7) / 8
	dst = binary.AppendUvarint(dst, uint64(groups)<<1|1)
	size := groups * int(width)
	start := len(dst)
	dst = grow(dst, size+8)[:start+size]
	whole := len(values) &^ 7
	bitpack.Pack(dst[start:], values[:whole], width)
	if whole < len(values) {
		var group [8]int32
		copy(group[:], values[whole:])
		bitpack.Pack(dst[start+whole/8*int(width):], group[:], width)
	}
	return dst
}

// appendLevels encodes levels with their length in front.
func appendLevels(dst []byte, levels []uint8, maxLevel uint8, scratch []int32) ([]byte, []int32) {
	scratch = scratch[:0]
	for _, l := range levels {
		scratch = append(scratch, int32(l))
	}
	at := len(dst)
	dst = append(dst, 0, 0, 0, 0)
	dst = appendRuns(dst, scratch, levelWidth(maxLevel))
	binary.LittleEndian.PutUint32(dst[at:], uint32(len(dst)-at-4))
	return dst, scratch
}

// appendValidity encodes definition levels of 0 and 1: n bits of a bitmap, or ones when there is none.
func appendValidity(dst []byte, valid vector.Bitmap, n int) []byte {
	at := len(dst)
	dst = append(dst, 0, 0, 0, 0)
	if valid == nil {
		dst = appendRepeated(dst, 1, n, 1)
	} else {
		groups := (n + 7) / 8
		dst = binary.AppendUvarint(dst, uint64(groups)<<1|1)
		dst = append(dst, bytesOf(valid)[:groups]...)
	}
	binary.LittleEndian.PutUint32(dst[at:], uint32(len(dst)-at-4))
	return dst
}
