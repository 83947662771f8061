package sketch

import (
	"errors"
	"math"

	"github.com/apache/datasketches-go/hll"
)

// MinLgK and MaxLgK bound the logarithm of an HLL sketch's number of registers.
const (
	MinLgK = 4
	MaxLgK = 21
)

// HLL counts distinct values.
type HLL struct{ s hll.HllSketch }

// NewHLL is an empty sketch of 1<<lgK registers of a byte.
func NewHLL(lgK int) (*HLL, error) {
	s, err := hll.NewHllSketch(lgK, hll.TgtHllTypeHll8)
	if err != nil {
		return nil, err
	}
	return &HLL{s}, nil
}

// ReadHLL reads a sketch's bytes.
func ReadHLL(b []byte) (*HLL, error) {
	s, err := read(b, func(b []byte) (hll.HllSketch, error) {
		if !fitsHLL(b) {
			return nil, ErrInvalid
		}
		return hll.NewHllSketchFromSlice(b, true)
	})
	if err != nil {
		return nil, err
	}
	return &HLL{s}, nil
}

// fitsHLL reports whether bytes are a sketch of registers of a byte and as long as what they say that they hold: a list or a table of a few
// hashes, or the registers.
func fitsHLL(b []byte) bool {
	if len(b) < 8 || b[1] != 1 || b[2] != 7 || b[3] < MinLgK || b[3] > MaxLgK || b[7]>>2 != 2 {
		return false
	}
	switch mode, compact := b[7]&3, b[5]&8 != 0; {
	case mode == 0:
		return b[0] == 2 && b[6] <= 8 && len(b) >= 8+4*int(b[6])
	case mode == 1 && b[0] == 3 && len(b) >= 12:
		count, room := int(le32(b[8:])), 1<<min(b[4], 26)
		if compact {
			return b[4] >= 5 && count < room && len(b) >= 12+4*count
		}
		if b[4] < 5 || len(b) < 12+4*room {
			return false
		}
		for i := range room {
			if le32(b[12+4*i:]) != 0 {
				count--
			}
		}
		return count == 0 && int(le32(b[8:])) < room
	case mode == 2:
		return b[0] == 10 && len(b) >= 40+1<<b[3]
	}
	return false
}

// LgK is the logarithm of the number of registers.
func (h *HLL) LgK() int { return h.s.GetLgConfigK() }

// UpdateLong adds a number.
func (h *HLL) UpdateLong(x int64) error { return h.s.UpdateInt64(x) }

// UpdateBytes adds bytes; none are no value.
func (h *HLL) UpdateBytes(b []byte) error { return h.s.UpdateSlice(b) }

// ErrSizes is that the library cannot unite large sketches of different sizes.
var ErrSizes = errors.New("HLL sketches of different sizes with more than a few values cannot be united yet")

// Union is a sketch of the values of both of the sketches, with 1<<lgK registers at most.
func (h *HLL) Union(lgK int, other *HLL) (*HLL, error) {
	u, err := hll.NewUnion(lgK)
	if err != nil {
		return nil, err
	}
	if err := u.UpdateSketch(h.s); err != nil {
		if lgK != h.LgK() {
			err = ErrSizes
		}
		return nil, err
	}
	if other != nil {
		if err := u.UpdateSketch(other.s); err != nil {
			if h.LgK() != other.LgK() {
				err = ErrSizes
			}
			return nil, err
		}
	}
	s, err := u.GetResult(hll.TgtHllTypeHll8)
	if err != nil {
		return nil, err
	}
	return &HLL{s}, nil
}

// Estimate is about how many distinct values were added.
func (h *HLL) Estimate() (int64, error) {
	e, err := h.s.GetEstimate()
	return int64(math.Floor(e + 0.5)), err
}

// Bytes are the sketch in its updatable form.
func (h *HLL) Bytes() ([]byte, error) { return h.s.ToUpdatableSlice() }

// Size is about the bytes of memory that the sketch takes.
func (h *HLL) Size() int { return 64 + h.s.GetUpdatableSerializationBytes() }
