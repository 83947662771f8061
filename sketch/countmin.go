package sketch

import (
	"encoding/binary"
	"math"
)

// MaxCells bounds the counters of a count-min sketch: a gigabyte of them.
const MaxCells = 1 << 27

// CountMin is Spark's count-min sketch: about how often each value came, never less than that.
type CountMin struct {
	total        int64
	depth, width int
	factors      []int64 // by row: what numbers are multiplied with
	cells        []int64 // row by row
}

// CountMinSize is the rows and columns by which counts are off by a share eps of all, with the given confidence.
func CountMinSize(eps, confidence float64) (depth, width int) {
	limit := func(x float64) int { return int(min(math.Ceil(x), math.MaxInt32)) }
	return limit(-math.Log1p(-confidence) / math.Log(2)), limit(2 / eps)
}

// NewCountMin is an empty sketch.
func NewCountMin(depth, width int, seed int32) *CountMin {
	s := &CountMin{depth: depth, width: width, factors: make([]int64, depth), cells: make([]int64, depth*width)}
	// Java's generator, of whose 31 bits the greatest number is drawn again.
	const multiplier, mask = 0x5DEECE66D, 1<<48 - 1
	state := (uint64(int64(seed)) ^ multiplier) & mask
	for i := range s.factors {
		for {
			state = (state*multiplier + 11) & mask
			if x := int64(state >> 17); x < math.MaxInt32 {
				s.factors[i] = x
				break
			}
		}
	}
	return s
}

// UpdateLong counts a whole number.
func (s *CountMin) UpdateLong(x int64) {
	s.total++
	for i, f := range s.factors {
		h := f * x
		h += h >> 32
		s.cells[i*s.width+int(int32(h&math.MaxInt32))%s.width]++
	}
}

// UpdateHashes counts bytes by two of their hashes.
func (s *CountMin) UpdateHashes(first, second uint32) {
	s.total++
	for i := range s.depth {
		at := int(int32(first+uint32(i)*second)) % s.width
		s.cells[i*s.width+max(at, -at)]++
	}
}

// Bytes are the sketch as Spark writes it.
func (s *CountMin) Bytes() []byte {
	b := make([]byte, 0, s.Size())
	b = binary.BigEndian.AppendUint32(b, 1)
	b = binary.BigEndian.AppendUint64(b, uint64(s.total))
	b = binary.BigEndian.AppendUint32(b, uint32(s.depth))
	b = binary.BigEndian.AppendUint32(b, uint32(s.width))
	for _, list := range [...][]int64{s.factors, s.cells} {
		for _, x := range list {
			b = binary.BigEndian.AppendUint64(b, uint64(x))
		}
	}
	return b
}

// MergeBytes adds a sketch of the same size and seed.
func (s *CountMin) MergeBytes(b []byte) error {
	at := 20 + 8*s.depth
	if len(b) != at+8*len(s.cells) || int(binary.BigEndian.Uint32(b[12:])) != s.depth || int(binary.BigEndian.Uint32(b[16:])) != s.width {
		return ErrInvalid
	}
	for i, f := range s.factors {
		if int64(binary.BigEndian.Uint64(b[20+8*i:])) != f {
			return ErrInvalid
		}
	}
	s.total += int64(binary.BigEndian.Uint64(b[4:]))
	for i := range s.cells {
		s.cells[i] += int64(binary.BigEndian.Uint64(b[at+8*i:]))
	}
	return nil
}

// Size is about the bytes of memory that the sketch takes.
func (s *CountMin) Size() int { return 64 + 8*len(s.factors) + 8*len(s.cells) }
