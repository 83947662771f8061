package sketch

import (
	"encoding/binary"
	"errors"
	"io"
	"iter"
	"math"
	"math/bits"

	"github.com/apache/datasketches-go/theta"
	"github.com/apache/datasketches-go/tuple"
)

// Number is what a Tuple sketch keeps for each value.
type Number interface{ float64 | int32 }

// Mode is how numbers of the same value become one.
type Mode uint8

// The modes, as they are written.
const (
	Sum Mode = iota
	Min
	Max
	AlwaysOne
)

// summary is a number with the mode by which it was made.
type summary[T Number] struct {
	value T
	mode  Mode
}

// Reset implements tuple.Summary; the library never calls it for values.
func (s summary[T]) Reset() {}

// Clone implements tuple.Summary.
func (s summary[T]) Clone() tuple.Summary { return s }

// Update implements tuple.UpdatableSummary; the library is given a function instead.
func (s summary[T]) Update(T) {}

// neutral is the summary of no number.
func neutral[T Number](m Mode) summary[T] {
	s := summary[T]{mode: m}
	switch v := any(&s.value).(type) {
	case *float64:
		*v = [...]float64{0, math.Inf(1), math.Inf(-1), 1}[m]
	case *int32:
		*v = [...]int32{0, math.MaxInt32, math.MinInt32, 1}[m]
	}
	return s
}

func (s summary[T]) with(x T) summary[T] {
	switch s.mode {
	case Sum:
		s.value += x
	case Min:
		if x < s.value {
			s.value = x
		}
	case Max:
		if x > s.value {
			s.value = x
		}
	default:
		s.value = 1
	}
	return s
}

// merging makes one summary of two by a mode, whatever theirs were.
func merging[T Number](m Mode) func(x, y summary[T]) summary[T] {
	return func(x, y summary[T]) summary[T] { return neutral[T](m).with(x.value).with(y.value) }
}

// Tuple counts distinct values while it is made, and keeps a number for each.
type Tuple[T Number] struct {
	s *tuple.UpdateSketch[summary[T], T]
}

// NewTuple is an empty sketch of about 1<<lgNominal entries.
func NewTuple[T Number](lgNominal int, m Mode) (*Tuple[T], error) {
	s, err := tuple.NewUpdateSketchWithSummaryUpdateFunc(func() summary[T] { return neutral[T](m) }, func(s summary[T], x T) summary[T] { return s.with(x) },
		tuple.WithUpdateSketchLgK(uint8(lgNominal)))
	return &Tuple[T]{s}, err
}

// UpdateLong adds a number for a whole number. The library's errors only say that the sketch is as it was.
func (t *Tuple[T]) UpdateLong(key int64, x T) { _ = t.s.UpdateInt64(key, x) }

// UpdateDouble adds a number for a number; 0.0 and -0.0 are one, and so are NaNs.
func (t *Tuple[T]) UpdateDouble(key float64, x T) {
	if key == 0 {
		key = 0
	}
	_ = t.s.UpdateFloat64(key, x)
}

// UpdateBytes adds a number for bytes; none are no value.
func (t *Tuple[T]) UpdateBytes(key []byte, x T) {
	if len(key) > 0 {
		_ = t.s.UpdateBytes(key, x)
	}
}

// Set is the sketch as it can be stored and combined.
func (t *Tuple[T]) Set() (*TupleSet[T], error) {
	s, err := t.s.Compact(false)
	return &TupleSet[T]{s}, err
}

// Size is about the bytes of memory that the sketch takes.
func (t *Tuple[T]) Size() int { return 128 + 48*int(t.s.NumRetained()) }

// TupleSet is a finished sketch.
type TupleSet[T Number] struct {
	s *tuple.CompactSketch[summary[T]]
}

func summarySize[T Number]() int {
	if _, is := any(*new(T)).(float64); is {
		return 9
	}
	return 5
}

// ReadTuple reads a set's bytes.
func ReadTuple[T Number](b []byte) (*TupleSet[T], error) {
	size := summarySize[T]()
	s, err := read(b, func(b []byte) (*tuple.CompactSketch[summary[T]], error) {
		if !fitsTuple(b, size) {
			return nil, ErrInvalid
		}
		var buf [9]byte
		return tuple.Decode(b, theta.DefaultSeed, func(r io.Reader) (summary[T], error) {
			s := summary[T]{}
			if _, err := io.ReadFull(r, buf[:size]); err != nil {
				return s, err
			}
			switch v := any(&s.value).(type) {
			case *float64:
				*v = math.Float64frombits(binary.LittleEndian.Uint64(buf[:]))
			case *int32:
				*v = int32(le32(buf[:]))
			}
			if s.mode = Mode(buf[size-1]); s.mode > AlwaysOne {
				return s, ErrInvalid
			}
			return s, nil
		})
	})
	if err != nil {
		err = foreign(b, "TUPLE")
	}
	return &TupleSet[T]{s}, err
}

// fitsTuple reports whether bytes are a set whose entries take so many bytes beside their hashes, and as long as what they say that they hold.
func fitsTuple(b []byte, size int) bool {
	if len(b) < 8 || b[0] < 1 || b[0] > 3 || b[2] != 9 {
		return false
	}
	empty, n := b[5]&4 != 0, 1
	switch {
	case empty && b[0] == 1:
		n = 0
	case b[0] > 1 && len(b) >= 8*int(b[0]):
		n = int(le32(b[8:]))
	case b[0] > 1:
		return false
	}
	return len(b) >= 8*int(b[0])+n*(8+size)
}

// Estimate is about how many distinct values are in the set.
func (t *TupleSet[T]) Estimate() float64 { return t.s.Estimate() }

// Theta is the share of all values that the set tells of.
func (t *TupleSet[T]) Theta() float64 { return t.s.Theta() }

// Size is about the bytes of memory that the set takes.
func (t *TupleSet[T]) Size() int { return 128 + 48*int(t.s.NumRetained()) }

// Numbers goes over the numbers of the values in the set.
func (t *TupleSet[T]) Numbers(f func(T)) {
	for _, s := range t.s.All() {
		f(s.value)
	}
}

// Bytes are the set as Java writes it.
func (t *TupleSet[T]) Bytes() ([]byte, error) {
	return appendTuple(int(t.s.NumRetained()), t.s.Theta64(), t.s.IsEmpty(), t.s.All()), nil
}

// appendTuple writes n entries below theta.
func appendTuple[T Number](n int, limit uint64, empty bool, entries iter.Seq2[uint64, summary[T]]) []byte {
	longs, flags := byte(2), byte(1<<3|1<<1)
	switch {
	case empty:
		longs, flags = 1, flags|1<<2
	case limit < theta.MaxTheta:
		longs = 3
	case n == 1:
		longs = 1
	}
	b := binary.LittleEndian.AppendUint16([]byte{longs, 3, 9, 1, 0, flags}, defaultSeedHash)
	if longs > 1 {
		b = binary.LittleEndian.AppendUint64(b, uint64(n))
	}
	if longs > 2 {
		b = binary.LittleEndian.AppendUint64(b, limit)
	}
	for hash, s := range entries {
		b = binary.LittleEndian.AppendUint64(b, hash)
		switch v := any(s.value).(type) {
		case float64:
			b = binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
		case int32:
			b = binary.LittleEndian.AppendUint32(b, uint32(v))
		}
		b = append(b, byte(s.mode))
	}
	return b
}

// defaultSeedHash tells of the seed with which all values are hashed.
const defaultSeedHash = 0x93cc

// Minus is the values of the set that are not in the other.
func (t *TupleSet[T]) Minus(other *TupleSet[T]) (*TupleSet[T], error) {
	s, err := tuple.ANotB[summary[T]](t.s, other.s, theta.DefaultSeed, false)
	return &TupleSet[T]{s}, err
}

// MinusTheta is the values of the set that are not in a set without numbers.
func (t *TupleSet[T]) MinusTheta(other *ThetaSet) (*TupleSet[T], error) {
	s, err := tuple.TupleANotThetaB[summary[T]](t.s, other.s, theta.DefaultSeed, false)
	return &TupleSet[T]{s}, err
}

// TupleOf is a set without numbers with those that no number would give.
func TupleOf[T Number](t *ThetaSet, m Mode) (*TupleSet[T], error) {
	s, err := tuple.NewCompactSketchFromThetaSketch(t.s, neutral[T](m), false)
	return &TupleSet[T]{s}, err
}

// TupleUnion unites sets.
type TupleUnion[T Number] struct {
	u    *tuple.Union[summary[T]]
	size int
}

// NewTupleUnion is a union of no sets, of about 1<<lgNominal entries.
func NewTupleUnion[T Number](lgNominal int, m Mode) (*TupleUnion[T], error) {
	u, err := tuple.NewUnionWithSummaryMergeFunc(merging[T](m), tuple.WithUnionLgK(uint8(lgNominal)))
	return &TupleUnion[T]{u: u}, err
}

// Add adds a set.
func (u *TupleUnion[T]) Add(s *TupleSet[T]) error {
	u.size += 48 * int(s.s.NumRetained())
	return u.u.Update(s.s)
}

// Set is the union.
func (u *TupleUnion[T]) Set() (*TupleSet[T], error) {
	s, err := u.u.Result(false)
	return &TupleSet[T]{s}, err
}

// Size is about the bytes of memory that the union takes.
func (u *TupleUnion[T]) Size() int { return 128 + u.size }

// TupleIntersection finds what sets have in common. What is left is kept in a table as Java's, whose order shows in the bytes.
type TupleIntersection[T Number] struct {
	merge func(x, y summary[T]) summary[T]
	any   bool
	empty bool
	limit uint64
	table hashed[T]
}

// NewTupleIntersection is the intersection of no sets: everything.
func NewTupleIntersection[T Number](m Mode) *TupleIntersection[T] {
	return &TupleIntersection[T]{merge: merging[T](m), limit: theta.MaxTheta}
}

// Any reports whether a set was added.
func (i *TupleIntersection[T]) Any() bool { return i.any }

// Add adds a set.
func (i *TupleIntersection[T]) Add(s *TupleSet[T]) error {
	first := !i.any
	i.any = true
	if i.empty = i.empty || s.s.IsEmpty(); i.empty {
		i.limit, i.table = theta.MaxTheta, hashed[T]{}
		return nil
	}
	i.limit = min(i.limit, s.s.Theta64())
	var hashes []uint64
	var sums []summary[T]
	for hash, sum := range s.s.All() {
		if first {
			hashes, sums = append(hashes, hash), append(sums, sum)
			continue
		}
		if at := i.table.find(hash); at >= 0 && hash < i.limit && i.table.hashes[at] == hash {
			hashes, sums = append(hashes, hash), append(sums, i.merge(i.table.sums[at], sum))
		}
	}
	i.table = hashedOf(hashes, sums)
	return nil
}

// Set is the intersection.
func (i *TupleIntersection[T]) Set() (*TupleSet[T], error) {
	if !i.any {
		return nil, errors.New("an intersection of no sets")
	}
	n := 0
	for range i.left {
		n++
	}
	return ReadTuple[T](appendTuple(n, i.limit, i.empty, i.left))
}

// left goes over the values that are left.
func (i *TupleIntersection[T]) left(yield func(uint64, summary[T]) bool) {
	for at, hash := range i.table.hashes {
		if hash != 0 && hash < i.limit && !yield(hash, i.table.sums[at]) {
			return
		}
	}
}

// Size is about the bytes of memory that the intersection takes.
func (i *TupleIntersection[T]) Size() int { return 128 + 24*len(i.table.hashes) }

// hashed is a table of numbers by hashes, 0 where there is none.
type hashed[T Number] struct {
	hashes []uint64
	sums   []summary[T]
}

func hashedOf[T Number](hashes []uint64, sums []summary[T]) hashed[T] {
	if len(hashes) == 0 {
		return hashed[T]{}
	}
	size := 16
	for size < (4*len(hashes)+2)/3 {
		size *= 2
	}
	h := hashed[T]{make([]uint64, size), make([]summary[T], size)}
	for k, hash := range hashes {
		at := h.find(hash)
		h.hashes[at], h.sums[at] = hash, sums[k]
	}
	return h
}

// find is the slot of a hash, or the free one where it would be; -1 if there is no table.
func (h *hashed[T]) find(hash uint64) int {
	if len(h.hashes) == 0 {
		return -1
	}
	mask := uint64(len(h.hashes) - 1)
	step := hash>>bits.Len64(mask)&127*2 + 1
	at := hash & mask
	for h.hashes[at] != 0 && h.hashes[at] != hash {
		at = (at + step) & mask
	}
	return int(at)
}
