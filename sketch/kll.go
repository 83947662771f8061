package sketch

import (
	"encoding/binary"
	"fmt"
	"math"
	"strconv"

	"github.com/apache/datasketches-go/common"
	"github.com/apache/datasketches-go/kll"
)

// Item is what a KLL sketch holds.
type Item interface{ int64 | float32 | float64 }

// The sizes of KLL sketches. Java's largest is 65535; the library miscounts beyond 32767.
const (
	MaxK     = 32767
	DefaultK = 200
)

// KLL tells about the values at ranks, and the ranks of values.
type KLL[T Item] struct{ s *kll.ItemsSketch[T] }

func serde[T Item]() common.ItemSketchSerde[T] {
	var s any
	switch any(*new(T)).(type) {
	case int64:
		s = common.ItemSketchLongSerDe{}
	case float32:
		s = common.ItemSketchFloatSerDe{}
	default:
		s = common.ItemSketchDoubleSerDe{}
	}
	return s.(common.ItemSketchSerde[T])
}

func less[T Item](x, y T) bool { return x < y }

// NewKLL is an empty sketch; the error of ranks falls with k.
func NewKLL[T Item](k int) (*KLL[T], error) {
	s, err := kll.NewKllItemsSketch(uint16(k), 8, less[T], serde[T]())
	if err != nil {
		return nil, err
	}
	return &KLL[T]{s}, nil
}

// ReadKLL reads a sketch's bytes. Those of another type of items may pass for one, if their length fits.
func ReadKLL[T Item](b []byte) (*KLL[T], error) {
	s, err := read(b, func(b []byte) (*kll.ItemsSketch[T], error) {
		if !fits[T](b) {
			return nil, ErrInvalid
		}
		return kll.NewKllItemsSketchFromSlice(b, less[T], serde[T]())
	})
	return &KLL[T]{s}, err
}

// fits reports whether bytes are as long as what they say that they hold, which the library does not look at before it makes room for that.
func fits[T Item](b []byte) bool {
	if len(b) < 8 || b[6] != 8 || int(b[4])|int(b[5])<<8 > MaxK {
		return false
	}
	if b[0] != 5 {
		return true
	}
	if len(b) < 20 || b[18] == 0 || b[18] > 30 {
		return false
	}
	levels := int(b[18])
	items := capacity(int(b[4])|int(b[5])<<8, levels)
	if len(b) < 20+4*levels {
		return false
	}
	weight := uint64(0)
	for i := range levels {
		from, to := int(le32(b[20+4*i:])), items
		if i+1 < levels {
			to = int(le32(b[24+4*i:]))
		}
		if from > to || to > items {
			return false
		}
		weight += uint64(to-from) << i
	}
	return weight > 0 && weight == binary.LittleEndian.Uint64(b[8:]) && len(b) >= 20+4*levels+itemSize[T]()*(2+items-int(le32(b[20:])))
}

// Update adds a value; NaN is none.
func (q *KLL[T]) Update(x T) {
	if x == x {
		q.s.Update(x)
	}
}

// Merge adds all values of another sketch.
func (q *KLL[T]) Merge(other *KLL[T]) { q.s.Merge(other.s) }

// N is how many values were added, K the size.
func (q *KLL[T]) N() int64 { return int64(q.s.GetN()) }

// K is the sketch's size.
func (q *KLL[T]) K() int { return int(q.s.GetK()) }

// Quantile is the value at a rank from 0 to 1.
func (q *KLL[T]) Quantile(rank float64) (T, error) { return q.s.GetQuantile(rank, true) }

// Rank is the share of values that are not greater.
func (q *KLL[T]) Rank(x T) (float64, error) { return q.s.GetRank(x, true) }

// Bytes are the sketch in its compact form.
func (q *KLL[T]) Bytes() ([]byte, error) { return q.s.ToSlice() }

// Size is about the bytes of memory that the sketch takes.
func (q *KLL[T]) Size() int { return 128 + 8*max(q.K(), 2*int(q.s.GetNumRetained())) }

// itemSize is the bytes of an item.
func itemSize[T Item]() int {
	if _, is := any(*new(T)).(float32); is {
		return 4
	}
	return 8
}

// capacity is how many items the levels of a sketch can hold: k in the highest, two thirds of that in the next, and so on.
func capacity(k, levels int) int {
	sum, power := 0, 1
	for depth := range levels {
		sum += max(8, (2*k<<depth/power+1)>>1)
		power *= 3
	}
	return sum
}

// String tells about the sketch as Java's does.
func (q *KLL[T]) String() string {
	kinds := map[string]string{"int64": "Longs", "float32": "Floats", "float64": "Doubles"}
	kind := kinds[fmt.Sprintf("%T", *new(T))]
	b, err := q.Bytes()
	if err != nil {
		return err.Error()
	}
	levels, sorted, minK := 1, len(b) > 3 && b[3]&2 != 0, q.K()
	if len(b) >= 20 && b[0] == 5 {
		levels, minK = int(b[18]), int(b[16])|int(b[17])<<8
	}
	capacity := capacity(q.K(), levels)
	low, high := "NaN", "NaN"
	if !q.s.IsEmpty() {
		least, _ := q.s.GetMinItem()
		most, _ := q.s.GetMaxItem()
		low, high = javaText(least), javaText(most)
	}
	retained := int(q.s.GetNumRetained())
	updatable := 20 + 4*(levels+1) + (2+capacity)*itemSize[T]()
	percent := func(pmf bool) string {
		return strconv.FormatFloat(100*q.s.GetNormalizedRankError(pmf), 'f', 3, 64) + "%"
	}
	text := "\n### KllKll" + kind + "Sketch Summary:\n"
	for _, l := range []struct {
		name  string
		value any
	}{{"K", q.K()}, {"Dynamic min K", minK}, {"M", 8}, {"N", q.N()}, {"Epsilon", percent(false)}, {"Epsilon PMF", percent(true)}, {"Empty", q.s.IsEmpty()},
		{"Estimation Mode", q.s.IsEstimationMode()}, {"Levels", levels}, {"Level 0 Sorted", sorted}, {"Capacity Items", capacity}, {"Retained Items", retained},
		{"Free Space", capacity - retained}, {"ReadOnly", false}, {"Updatable Storage Bytes", updatable}, {"Compact Storage Bytes", len(b)},
		{"Min Item", low}, {"Max Item", high}} {
		text += fmt.Sprintf("   %-23s: %v\n", l.name, l.value)
	}
	return text + "### End sketch summary\n"
}

// javaText is a number as Java prints it, for numbers of everyday size.
func javaText[T Item](x T) string {
	bits := 64
	if itemSize[T]() == 4 {
		bits = 32
	}
	if _, is := any(x).(int64); is {
		return strconv.FormatInt(int64(x), 10)
	}
	s := strconv.FormatFloat(float64(x), 'f', -1, bits)
	if float64(x) == math.Trunc(float64(x)) {
		s += ".0"
	}
	return s
}
