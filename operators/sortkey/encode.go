package sortkey

import (
	"encoding/binary"
	"math"
	"math/bits"
	"slices"

	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"millrace/types"
	"millrace/vector"
)

// Encoder packs key columns into words. Words of different calls compare only if the encoder was made for that.
type Encoder struct {
	// Words[w][k] is word w of the k-th row.
	Words [][]uint64
	// Exact says that rows whose words are all equal are equal; else their values decide.
	Exact bool

	keys   []Key
	shared bool
	used   int
	free   int // bits left in the last word
	piece  []uint64
	nulls  []uint32 // rows in which the column at hand is null
	fields []field  // of the first word
}

// NewEncoder makes an encoder; shared: the words of all its calls, and of encoders alike, compare.
func NewEncoder(keys []Key, shared bool) *Encoder { return &Encoder{keys: keys, shared: shared} }

// Encode packs the rows sel (nil: 0..n-1) of columns, n rows in all.
func (e *Encoder) Encode(cols []*vector.Vector, sel []uint32, n int) {
	e.used, e.free, e.Exact, e.fields = 0, 0, true, nil
	e.piece = sized(e.piece, n)
	for i := range e.keys {
		if !e.Exact {
			break
		}
		e.column(i, cols[i], sel, n)
	}
	if e.used == 0 {
		clear(e.word(n))
	}
	e.Words = e.Words[:e.used]
}

func sized(s []uint64, n int) []uint64 {
	if cap(s) < n {
		return make([]uint64, n, n+n/4)
	}
	return s[:n]
}

// word starts the next word, of any content.
func (e *Encoder) word(n int) []uint64 {
	if e.used < cap(e.Words) {
		e.Words = e.Words[:e.used+1]
	} else {
		e.Words = append(e.Words, nil)
	}
	e.Words[e.used] = sized(e.Words[e.used], n)
	e.used, e.free = e.used+1, 64
	return e.Words[e.used-1]
}

// pack appends pieces of that many bits; pieces have no higher bits set. What does not fit into the last word continues in the next.
func (e *Encoder) pack(piece []uint64, bits int) {
	if bits == 0 {
		return
	}
	if e.free == 0 {
		e.word(len(piece))
	}
	over, first := max(0, bits-e.free), e.free == 64
	e.free -= bits - over
	dst, up, down := e.Words[e.used-1][:len(piece)], uint(e.free), uint(over)
	if first {
		for k, x := range piece {
			dst[k] = x >> down << up
		}
	} else {
		for k, x := range piece {
			dst[k] |= x >> down << up
		}
	}
	if over == 0 {
		return
	}
	dst = e.word(len(piece))[:len(piece)]
	e.free -= over
	for k, x := range piece {
		dst[k] = x << uint(e.free)
	}
}

func (e *Encoder) column(k int, v *vector.Vector, sel []uint32, n int) {
	key := &e.keys[k]
	e.findNulls(v, sel, n)
	if len(e.nulls) > 0 || e.shared {
		e.packNulls(key, n)
	}
	for _, b := range e.values(v, sel, n) {
		piece, f := e.piece[:n], field{key: k, width: b.bits}
		e.fill(v, sel, piece, b)
		if !e.shared {
			f.width, f.base, f.shift = e.squeeze(piece)
		}
		e.finish(key, piece, f.width)
		e.pack(piece, f.width)
		if e.used == 1 && b.readable(v) && len(e.nulls) == 0 {
			f.up, f.flip = uint(e.free), key.Descending
			e.fields = append(e.fields, f)
		}
	}
}

// findNulls lists the rows in which a column is null.
func (e *Encoder) findNulls(v *vector.Vector, sel []uint32, n int) {
	e.nulls = e.nulls[:0]
	switch {
	case !v.HasNulls():
	case v.Valid != nil && !v.Const && (v.Dict == nil || v.Dict.Valid == nil):
		for k := range n {
			if !v.Valid.Get(at(sel, k)) {
				e.nulls = append(e.nulls, uint32(k))
			}
		}
	default:
		for k := range n {
			if v.IsNull(at(sel, k)) {
				e.nulls = append(e.nulls, uint32(k))
			}
		}
	}
}

// packNulls packs one bit that puts null rows at their end.
func (e *Encoder) packNulls(key *Key, n int) {
	piece := e.piece[:n]
	null, valid := uint64(1), uint64(0)
	if key.NullsFirst {
		null, valid = 0, 1
	}
	for k := range piece {
		piece[k] = valid
	}
	for _, k := range e.nulls {
		piece[k] = null
	}
	e.pack(piece, 1)
}

// squeeze makes pieces as narrow as their order allows: less the smallest one, and without low bits that are the same in all. It
// returns their width, the smallest one and how many bits were left out. Null rows' pieces may become anything.
func (e *Encoder) squeeze(piece []uint64) (width int, base uint64, shift uint) {
	if len(e.nulls) == len(piece) {
		return 0, 0, 0
	}
	first := 0
	for first < len(e.nulls) && int(e.nulls[first]) == first {
		first++
	}
	for _, k := range e.nulls {
		piece[k] = piece[first]
	}
	lo, hi, differ := piece[first], piece[first], uint64(0)
	for _, x := range piece {
		lo, hi, differ = min(lo, x), max(hi, x), differ|(x^piece[0])
	}
	if differ == 0 {
		return 0, lo, 0
	}
	shift = uint(bits.TrailingZeros64(differ))
	for k := range piece {
		piece[k] = (piece[k] - lo) >> shift
	}
	return bits.Len64((hi - lo) >> shift), lo, shift
}

// finish turns a descending column round and gives null rows one value.
func (e *Encoder) finish(key *Key, piece []uint64, width int) {
	if key.Descending {
		mask := uint64(math.MaxUint64) >> (64 - width)
		for k := range piece {
			piece[k] ^= mask
		}
	}
	for _, k := range e.nulls {
		piece[k] = 0
	}
}

func at(sel []uint32, k int) int {
	if sel != nil {
		return int(sel[k])
	}
	return k
}

// part is one piece of a column's values.
type part struct {
	bits  int
	table []uint64 // by dictionary code, or nil
	of    func(v *vector.Vector, i int) uint64
	low   bool // the low half of a decimal
}

// values says which pieces a column has, and clears Exact when they do not decide.
func (e *Encoder) values(v *vector.Vector, sel []uint32, n int) []part {
	t := vector.Storage(v.Type)
	switch {
	case v.Dict != nil && !e.shared:
		return []part{{bits: 32, table: ranks(v.Dict)}}
	case t.Kind == types.KindNull:
		return nil
	case v.Dict != nil && t.IsStringLike() && v.Dict.Len > n: // looking at the whole dictionary would cost more
		e.Exact = false
		return []part{{bits: 64, of: entryPrefix}}
	case v.Dict != nil:
		parts := e.values(v.Dict, nil, v.Dict.Len)
		for i := range parts {
			table := make([]uint64, v.Dict.Len)
			e.fill(v.Dict, nil, table, parts[i])
			parts[i].table = table
		}
		return parts
	case t.IsStringLike() && !e.shared && shortStrings(v, sel, n):
		return []part{{bits: 64, of: shortString}}
	case t.IsStringLike():
		e.Exact = false
		return []part{{bits: 64, of: prefix}}
	case vector.Width(t) == 16 && t.Kind == types.KindDecimal:
		return []part{{bits: 64}, {bits: 64, low: true}}
	case vector.Width(t) == 0 || vector.Width(t) == 16:
		e.Exact = false
		return nil
	}
	return []part{{bits: 8 * vector.Width(t)}}
}

// ranks are the places of a dictionary's entries in order; equal entries have equal ranks.
func ranks(dict *vector.Vector) []uint64 {
	key := Key{NullsFirst: true}
	order := make([]int, dict.Len)
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int { return key.compare(dict, i, dict, j) })
	out := make([]uint64, dict.Len)
	for k := 1; k < len(order); k++ {
		out[order[k]] = out[order[k-1]]
		if key.compare(dict, order[k-1], dict, order[k]) != 0 {
			out[order[k]]++
		}
	}
	return out
}

func shortStrings(v *vector.Vector, sel []uint32, n int) bool {
	for k := range n {
		r := v.Row(at(sel, k))
		if v.Offsets[r+1]-v.Offsets[r] > 7 {
			return false
		}
	}
	return true
}

// shortString is up to 7 bytes and their number.
func shortString(v *vector.Vector, i int) uint64 {
	return prefix(v, i) | uint64(v.Offsets[i+1]-v.Offsets[i])
}

// prefix is the first 8 bytes, zeros after the end.
func prefix(v *vector.Vector, i int) uint64 {
	s := v.Bytes[v.Offsets[i]:v.Offsets[i+1]]
	if len(s) >= 8 {
		return binary.BigEndian.Uint64(s)
	}
	var b [8]byte
	copy(b[:], s)
	return binary.BigEndian.Uint64(b[:])
}

// entryPrefix is the prefix of the entry that a row names.
func entryPrefix(v *vector.Vector, i int) uint64 {
	if v.Valid != nil && !v.Valid.Get(i) {
		return 0
	}
	return prefix(v.Dict, int(vector.Codes(v)[i]))
}

// fill writes a column's pieces.
func (e *Encoder) fill(v *vector.Vector, sel []uint32, out []uint64, p part) {
	switch {
	case p.table != nil:
		codes := vector.Codes(v)
		for k := range out {
			r := v.Row(at(sel, k))
			if v.Valid == nil || v.Valid.Get(r) {
				out[k] = p.table[codes[r]]
			}
		}
	case p.of != nil:
		for k := range out {
			out[k] = p.of(v, v.Row(at(sel, k)))
		}
	case vector.Width(v.Type) == 16:
		values := vector.Values[decimal128.Num](v)
		for k := range out {
			if x := values[v.Row(at(sel, k))]; p.low {
				out[k] = x.LowBits()
			} else {
				out[k] = uint64(x.HighBits()) ^ 1<<63
			}
		}
	default:
		fillFixed(v, sel, out)
	}
}

func fillFixed(v *vector.Vector, sel []uint32, out []uint64) {
	switch t := vector.Storage(v.Type); {
	case t.Kind == types.KindDouble:
		values := vector.Values[float64](v)
		for k := range out {
			out[k] = double(values[v.Row(at(sel, k))])
		}
	case t.Kind == types.KindFloat:
		fillFloats(vector.Values[float32](v), v, sel, out)
	case vector.Width(t) == 1:
		fillInts(vector.Values[uint8](v), v, sel, out, sign(t), 0xff)
	case vector.Width(t) == 2:
		fillInts(vector.Values[int16](v), v, sel, out, sign(t), 0xffff)
	case vector.Width(t) == 4:
		fillInts(vector.Values[int32](v), v, sel, out, sign(t), 0xffffffff)
	default:
		fillInts(vector.Values[int64](v), v, sel, out, sign(t), math.MaxUint64)
	}
}

// sign is the bit that has to be turned round for whole numbers of a type to have the order of their bits.
func sign(t *types.Type) uint64 {
	if t.Kind == types.KindBoolean {
		return 0
	}
	return 1 << (8*vector.Width(t) - 1)
}

func fillInts[T int16 | int32 | int64 | uint8](values []T, v *vector.Vector, sel []uint32, out []uint64, sign, mask uint64) {
	for k := range out {
		out[k] = uint64(values[v.Row(at(sel, k))])&mask ^ sign
	}
}

func fillFloats(values []float32, v *vector.Vector, sel []uint32, out []uint64) {
	for k := range out {
		f := values[v.Row(at(sel, k))]
		bits := math.Float32bits(f)
		switch {
		case f == 0:
			bits = 0
		case f != f:
			bits = 0x7fc00000
		}
		out[k] = uint64(bits ^ (uint32(int32(bits)>>31) | 1<<31))
	}
}

// double maps a double to bits in order: negative numbers turned round, all others above them.
func double(f float64) uint64 {
	bits := math.Float64bits(f)
	switch {
	case f == 0:
		bits = 0
	case f != f:
		bits = 0x7ff8000000000000
	}
	return bits ^ (uint64(int64(bits)>>63) | 1<<63)
}
