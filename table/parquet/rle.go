package parquet

import (
	"encoding/binary"

	"github.com/parquet-go/bitpack"

	"millrace/vector"
)

// padding is how many readable bytes must follow every buffer that runs are unpacked from.
const padding = 64

// runs decodes the hybrid of run-length and bit-packed runs in which levels and dictionary codes are written. The source
// must have padding bytes of capacity behind it. Values are handed out in pieces of any length.
type runs struct {
	src    []byte
	width  uint
	left   int    // values left in the current run
	value  int32  // of a run-length run
	packed []byte // of a bit-packed run: from the group of eight that holds the next value; nil in a run-length run
	skip   int    // values of that group that were handed out
}

func (r *runs) reset(src []byte, width uint) { *r = runs{src: src, width: width} }

// next starts the next run that is not empty.
func (r *runs) next() error {
	for r.left == 0 {
		header, n := binary.Uvarint(r.src)
		if n <= 0 || header>>1 > 1<<31 {
			return corrupt("the levels or codes of a page end early")
		}
		r.src = r.src[n:]
		count := int(header >> 1)
		if header&1 == 0 {
			size := int(r.width+7) / 8
			if len(r.src) < size {
				return corrupt("a run of a page ends early")
			}
			r.value = 0
			for i := range size {
				r.value |= int32(r.src[i]) << (8 * i)
			}
			r.src, r.packed, r.left = r.src[size:], nil, count
			continue
		}
		// The last run may be cut where the values end.
		size := min(count*int(r.width), len(r.src))
		r.packed, r.src, r.skip = r.src[:size], r.src[size:], 0
		if r.left = count * 8; r.width > 0 {
			r.left = min(r.left, size*8/int(r.width))
		}
		if r.packed == nil {
			r.packed = []byte{}
		}
	}
	return nil
}

// read fills dst.
func (r *runs) read(dst []int32) error {
	if r.width == 0 {
		clear(dst)
		return nil
	}
	for len(dst) > 0 {
		if err := r.next(); err != nil {
			return err
		}
		n := min(r.left, len(dst))
		if r.packed == nil {
			fill(dst[:n], r.value)
		} else {
			r.unpack(dst[:n])
		}
		r.left -= n
		dst = dst[n:]
	}
	return nil
}

func fill(dst []int32, v int32) {
	for i := range dst {
		dst[i] = v
	}
}

// unpack takes len(dst) values from the current bit-packed run.
func (r *runs) unpack(dst []int32) {
	if r.skip > 0 {
		dst = r.partial(dst)
	}
	if whole := len(dst) &^ 7; whole > 0 {
		bitpack.Unpack(dst[:whole], r.packed, r.width)
		r.packed = r.packed[whole/8*int(r.width):]
		dst = dst[whole:]
	}
	if len(dst) > 0 {
		r.partial(dst)
	}
}

// partial copies from the group of eight that holds the next value and returns what is left of dst.
func (r *runs) partial(dst []int32) []int32 {
	var group [8]int32
	bitpack.Unpack(group[:], r.packed, r.width)
	n := copy(dst, group[r.skip:])
	if r.skip += n; r.skip == 8 {
		r.skip = 0
		r.packed = r.packed[min(int(r.width), len(r.packed)):]
	}
	return dst[n:]
}

// readLevels fills dst with levels.
func (r *runs) readLevels(dst []uint8, scratch []int32) error {
	for len(dst) > 0 {
		n := min(len(dst), len(scratch))
		if err := r.read(scratch[:n]); err != nil {
			return err
		}
		for i, v := range scratch[:n] {
			dst[i] = uint8(v)
		}
		dst = dst[n:]
	}
	return nil
}

// allOnes takes n values and returns true if the current run says that they are all one; else it takes nothing.
func (r *runs) allOnes(n int) bool {
	if r.next() != nil || r.packed != nil || r.value != 1 || r.left < n {
		return false
	}
	r.left -= n
	return true
}

// readBits takes n values of one bit, ors them into dst from bit at on, and returns how many are one.
func (r *runs) readBits(dst vector.Bitmap, at, n int) (ones int, err error) {
	for n > 0 {
		if err := r.next(); err != nil {
			return ones, err
		}
		k := min(r.left, n)
		switch {
		case r.packed != nil:
			ones += r.copyBits(dst, at, k)
		case r.value == 1:
			setBits(dst, at, k)
			ones += k
		}
		r.left -= k
		at += k
		n -= k
	}
	return ones, nil
}
