package sketch

import (
	"bytes"
	"math"

	"github.com/apache/datasketches-go/theta"
)

// MinLgNominal and MaxLgNominal bound the logarithm of a Theta sketch's number of entries. Java's least is 4.
const (
	MinLgNominal = 5
	MaxLgNominal = 26
)

// Theta counts distinct values while it is made. Sets of values are what it becomes, see Set.
type Theta struct {
	s *theta.QuickSelectUpdateSketch
}

// NewTheta is an empty sketch of about 1<<lgNominal entries.
func NewTheta(lgNominal int) (*Theta, error) {
	s, err := theta.NewQuickSelectUpdateSketch(theta.WithUpdateSketchLgK(uint8(lgNominal)))
	if err != nil {
		return nil, err
	}
	return &Theta{s}, nil
}

// UpdateLong adds a number. The library's errors only say that the sketch is as it was.
func (t *Theta) UpdateLong(x int64) { _ = t.s.UpdateInt64(x) }

// UpdateDouble adds a number; 0.0 and -0.0 are one, and so are NaNs.
func (t *Theta) UpdateDouble(x float64) {
	if x == 0 {
		x = 0
	}
	_ = t.s.UpdateFloat64(x)
}

// UpdateBytes adds bytes; none are no value.
func (t *Theta) UpdateBytes(b []byte) {
	if len(b) > 0 {
		_ = t.s.UpdateBytes(b)
	}
}

// Set is the sketch as it can be stored and combined.
func (t *Theta) Set() *ThetaSet { return &ThetaSet{t.s.Compact(true)} }

// Size is about the bytes of memory that the sketch takes.
func (t *Theta) Size() int { return 128 + 16*int(t.s.NumRetained()) }

// ThetaSet is a finished sketch.
type ThetaSet struct{ s *theta.CompactSketch }

// ReadTheta reads a set's bytes.
func ReadTheta(b []byte) (*ThetaSet, error) {
	s, err := read(b, func(b []byte) (*theta.CompactSketch, error) {
		if !fitsTheta(b) {
			return nil, ErrInvalid
		}
		return theta.Decode(b, theta.DefaultSeed)
	})
	if err != nil {
		err = foreign(b, "COMPACT")
	}
	return &ThetaSet{s}, err
}

// fitsTheta reports whether bytes are a set, in the plain or the compressed form, and as long as what they say that they hold.
func fitsTheta(b []byte) bool {
	if len(b) < 8 || b[0] < 1 || b[0] > 3 || b[2] != 3 || len(b) < 8*int(b[0]) {
		return false
	}
	start := 8 * int(b[0])
	switch {
	case b[1] == 3 && b[5]&4 != 0:
		return true
	case b[1] == 3 && b[0] == 1:
		return len(b) >= 16
	case b[1] == 3:
		return len(b) >= start+8*int(le32(b[8:]))
	case b[1] != 4 || b[0] > 2 || b[3] < 1 || b[3] > 63 || b[4] > 4 || len(b) < start+int(b[4]):
		return false
	}
	n := 0
	for i := range int(b[4]) {
		n |= int(b[start+i]) << (8 * i)
	}
	return len(b) >= start+int(b[4])+(n*int(b[3])+7)/8
}

func le32(b []byte) uint32 {
	return uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 | uint32(b[3])<<24
}

// Estimate is about how many distinct values are in the set.
func (t *ThetaSet) Estimate() int64 { return int64(math.Floor(t.s.Estimate() + 0.5)) }

// Bytes are the set in its compressed form, with the flags that Java writes: one says that there is a single item, and a set of none has no seed.
func (t *ThetaSet) Bytes() ([]byte, error) {
	var buf bytes.Buffer
	enc := theta.NewEncoder(&buf, true)
	err := enc.Encode(t.s)
	b := buf.Bytes()
	switch {
	case err != nil:
	case t.s.IsEmpty():
		b[6], b[7] = 0, 0
	case b[0] == 1 && b[1] == 3:
		b[5] |= 1 << 5
	}
	return b, err
}

// Minus is what is in the set and not in another.
func (t *ThetaSet) Minus(other *ThetaSet) (*ThetaSet, error) {
	s, err := theta.ANotB(t.s, other.s, theta.DefaultSeed, true)
	return &ThetaSet{s}, err
}

// ThetaUnion is the union of sets.
type ThetaUnion struct {
	u *theta.Union
	n int
}

// NewThetaUnion is an empty union of about 1<<lgNominal entries.
func NewThetaUnion(lgNominal int) (*ThetaUnion, error) {
	u, err := theta.NewUnion(theta.WithUnionLgK(uint8(lgNominal)))
	if err != nil {
		return nil, err
	}
	return &ThetaUnion{u: u}, nil
}

// Add adds a set.
func (u *ThetaUnion) Add(s *ThetaSet) error {
	u.n = max(u.n, int(s.s.NumRetained()))
	return u.u.Update(s.s)
}

// Set is the union so far.
func (u *ThetaUnion) Set() (*ThetaSet, error) {
	s, err := u.u.Result(true)
	return &ThetaSet{s}, err
}

// Size is about the bytes of memory that the union takes.
func (u *ThetaUnion) Size() int { return 128 + 32*u.n }

// ThetaIntersection is the intersection of sets.
type ThetaIntersection struct {
	i *theta.Intersection
	n int
}

// NewThetaIntersection is the intersection of no sets yet, which is everything.
func NewThetaIntersection() *ThetaIntersection { return &ThetaIntersection{i: theta.NewIntersection()} }

// Add adds a set.
func (i *ThetaIntersection) Add(s *ThetaSet) error {
	i.n = max(i.n, int(s.s.NumRetained()))
	return i.i.Update(s.s)
}

// Any reports whether there was a set.
func (i *ThetaIntersection) Any() bool { return i.i.HasResult() }

// Set is the intersection; there must have been a set.
func (i *ThetaIntersection) Set() (*ThetaSet, error) {
	s, err := i.i.Result(true)
	return &ThetaSet{s}, err
}

// Size is about the bytes of memory that the intersection takes.
func (i *ThetaIntersection) Size() int { return 128 + 32*i.n }
