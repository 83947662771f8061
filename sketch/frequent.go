package sketch

import (
	"encoding/binary"
	"math"
	"slices"
)

const (
	leastLgTable = 3
	mostLgTable  = 21
	purgeSample  = 1024
	filled       = 0.75
	golden       = 0.6180339887498949025
)

// MaxTracked bounds how many items a sketch of frequent items may keep apart.
const MaxTracked = 1_000_000

// Frequent counts items, as many as it was made for. When there are more of them, what about half have is taken from all. Beside the items of
// Java's sketch it counts nulls, as Spark does.
type Frequent struct {
	Items Items
	Nulls int64

	lgMax, lg int
	sample    int
	keys      []string
	counts    []int64
	drift     []int32 // by slot: 1 and how far the key is from where its hash points, 0 if there is none
	active    int
	taken     int64 // from every count
	length    int64 // of all that was counted
	text      int   // bytes of the keys
}

// Counted is an item with about how often it came.
type Counted struct {
	Item  string
	Count int64
}

// NewFrequent is an empty sketch that keeps so many items apart.
func NewFrequent(t Items, tracked int) *Frequent {
	room := math.Ceil(float64(tracked) / filled)
	return newFrequent(t, int(math.Ceil(math.Log(room)/math.Log(2))), leastLgTable)
}

func newFrequent(t Items, lgMax, lg int) *Frequent {
	f := &Frequent{Items: t, lgMax: max(lgMax, leastLgTable), sample: min(purgeSample, int(float64(int(1)<<lgMax)*filled))}
	f.resize(max(lg, leastLgTable))
	return f
}

func (f *Frequent) resize(lg int) {
	keys, counts, drift := f.keys, f.counts, f.drift
	f.lg, f.active, f.text = lg, 0, 0
	f.keys, f.counts, f.drift = make([]string, 1<<lg), make([]int64, 1<<lg), make([]int32, 1<<lg)
	for i, d := range drift {
		if d > 0 {
			at, far := f.find([]byte(keys[i]))
			f.put(at, far, keys[i], counts[i])
		}
	}
}

// find is the slot of an item, or the free one in which it would be, and how far that is from where its hash points.
func (f *Frequent) find(item []byte) (at int, far int32) {
	h := uint64(int64(f.Items.hash(item)))
	h = (h ^ h>>33) * 0xff51afd7ed558ccd
	h = (h ^ h>>33) * 0xc4ceb9fe1a85ec53
	h ^= h >> 33
	mask := len(f.keys) - 1
	at, far = int(uint32(h))&mask, 1
	for f.drift[at] != 0 && f.keys[at] != string(item) {
		at, far = (at+1)&mask, far+1
	}
	return at, far
}

func (f *Frequent) put(at int, far int32, key string, count int64) {
	f.keys[at], f.counts[at], f.drift[at] = key, count, far
	f.active++
	f.text += len(key)
}

// Update counts an item, in the bytes that Items appended for it.
func (f *Frequent) Update(item []byte) { f.add(item, 1) }

func (f *Frequent) add(item []byte, count int64) {
	f.length += count
	at, far := f.find(item)
	if f.drift[at] != 0 {
		f.counts[at] += count
		return
	}
	f.put(at, far, string(item), count)
	switch {
	case f.active <= int(float64(len(f.keys))*filled):
	case f.lg < f.lgMax:
		f.resize(f.lg + 1)
	default:
		f.purge()
	}
}

// purge takes the median of the first counts from all, and drops the items of which nothing is left.
func (f *Frequent) purge() {
	limit := min(f.sample, f.active)
	counts := make([]int64, 0, limit)
	for i := 0; len(counts) < limit; i++ {
		if f.drift[i] > 0 {
			counts = append(counts, f.counts[i])
		}
	}
	slices.Sort(counts)
	less := counts[limit/2]
	for i := range f.counts {
		f.counts[i] -= less
	}
	// From behind, beginning after a free slot, so that what moves up was looked at already.
	free := len(f.drift) - 1
	for f.drift[free] > 0 {
		free--
	}
	for i := range len(f.drift) - 1 {
		at := (free - 1 - i + len(f.drift)) & (len(f.drift) - 1)
		if f.drift[at] > 0 && f.counts[at] <= 0 {
			f.drop(at)
		}
	}
	f.taken += less
}

// drop frees a slot and moves up what stands behind it because of it.
func (f *Frequent) drop(at int) {
	f.active--
	f.text -= len(f.keys[at])
	f.keys[at], f.drift[at] = "", 0
	mask, far := len(f.keys)-1, int32(1)
	for i := (at + 1) & mask; f.drift[i] != 0; i = (i + 1) & mask {
		if f.drift[i] > far {
			f.keys[at], f.counts[at], f.drift[at] = f.keys[i], f.counts[i], f.drift[i]-far
			f.keys[i], f.drift[i] = "", 0
			at, far = i, 0
		}
		far++
	}
}

// each calls f with all slots that are taken, in the order in which Java goes through them.
func (f *Frequent) each(call func(at int)) {
	mask, stride := len(f.keys)-1, int(float64(len(f.keys))*golden)|1
	for at, n := 0, 0; n < f.active; at = (at + stride) & mask {
		if f.drift[at] > 0 {
			call(at)
			n++
		}
	}
}

// Merge adds another sketch of the same type of items.
func (f *Frequent) Merge(other *Frequent) {
	f.Nulls += other.Nulls
	if other.active == 0 {
		return
	}
	length := f.length + other.length
	other.each(func(at int) { f.add([]byte(other.keys[at]), other.counts[at]) })
	f.length = length
	f.taken += other.taken
}

// Top are the items that surely came more often than what was taken from all, the most frequent first.
func (f *Frequent) Top() []Counted {
	var top []Counted
	f.each(func(at int) {
		if f.counts[at] >= f.taken {
			top = append(top, Counted{f.keys[at], f.counts[at] + f.taken})
		}
	})
	slices.SortStableFunc(top, func(x, y Counted) int {
		switch {
		case x.Count > y.Count:
			return -1
		case x.Count < y.Count:
			return 1
		}
		return 0
	})
	return top
}

// Append appends the sketch's bytes: Java's sketch and the number of nulls.
func (f *Frequent) Append(dst []byte) []byte {
	if f.active == 0 {
		dst = append(dst, 1, 1, 10, byte(f.lgMax), byte(f.lg), 5, 0, 0)
		return binary.BigEndian.AppendUint64(dst, uint64(f.Nulls))
	}
	dst = append(dst, 4, 1, 10, byte(f.lgMax), byte(f.lg), 0, 0, 0)
	for _, x := range [...]int64{int64(f.active), f.length, f.taken} {
		dst = binary.LittleEndian.AppendUint64(dst, uint64(x))
	}
	for i, d := range f.drift {
		if d > 0 {
			dst = binary.LittleEndian.AppendUint64(dst, uint64(f.counts[i]))
		}
	}
	n := 0
	for i, d := range f.drift {
		switch {
		case d == 0:
			continue
		case f.Items.Kind != Bools:
			dst = append(dst, f.keys[i]...)
		case n%8 == 0:
			dst = append(dst, f.keys[i][0])
		default:
			dst[len(dst)-1] |= f.keys[i][0] << (n % 8)
		}
		n++
	}
	return binary.BigEndian.AppendUint64(dst, uint64(f.Nulls))
}

// ReadFrequent reads a sketch's bytes.
func ReadFrequent(t Items, b []byte) (*Frequent, error) {
	if len(b) < 16 || b[1] != 1 || b[2] != 10 || b[0] != 1 && b[0] != 4 || (b[0] == 1) != (b[5]&5 != 0) {
		return nil, ErrInvalid
	}
	nulls := int64(binary.BigEndian.Uint64(b[len(b)-8:]))
	if b[0] == 1 {
		f := newFrequent(t, leastLgTable, leastLgTable)
		f.Nulls = nulls
		return f, nil
	}
	lgMax, lg, body := int(b[3]), int(b[4]), b[:len(b)-8]
	if len(body) < 32 || lgMax > mostLgTable || lg > lgMax {
		return nil, ErrInvalid
	}
	active := int(le32(b[8:]))
	if active == 0 || active > int(float64(int(1)<<max(lg, leastLgTable))*filled) || len(body) < 32+8*active {
		return nil, ErrInvalid
	}
	f := newFrequent(t, lgMax, lg)
	f.Nulls = nulls
	counts, items := body[32:32+8*active], body[32+8*active:]
	for i := range active {
		var item []byte
		switch n := t.size(items); {
		case t.Kind == Bools && i/8 < len(items):
			item = []byte{items[i/8] >> (i % 8) & 1}
		case t.Kind == Bools || n < 0:
			return nil, ErrInvalid
		default:
			item, items = items[:n], items[n:]
		}
		count := int64(binary.LittleEndian.Uint64(counts[8*i:]))
		if count <= 0 {
			return nil, ErrInvalid
		}
		f.add(item, count)
	}
	f.length, f.taken = int64(binary.LittleEndian.Uint64(b[16:])), int64(binary.LittleEndian.Uint64(b[24:]))
	return f, nil
}

// Size is about the bytes of memory that the sketch takes.
func (f *Frequent) Size() int { return 128 + 28*len(f.keys) + f.text }
