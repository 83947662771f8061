package parquet

import (
	"bytes"
	"encoding/binary"
	"math"

	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"millrace/types"
)

// bounds are the least and the greatest value of a column that are not null. Floats leave NaN out and remember it.
type bounds struct {
	any      bool
	nan      bool
	lo, hi   int64 // integers, and the order-preserving bits of floats
	loS, hiS []byte
	loD, hiD decimal128.Num
}

// ordered maps the bits of a float to an integer of the same order; it is its own inverse.
func ordered(bits int64) int64 { return bits ^ int64(uint64(bits>>63)>>1) }

func (b *bounds) integer(v int64) {
	if !b.any {
		b.any, b.lo, b.hi = true, v, v
		return
	}
	b.lo, b.hi = min(b.lo, v), max(b.hi, v)
}

func (b *bounds) float(v float64) {
	if v != v {
		b.nan = true
		return
	}
	b.integer(ordered(int64(math.Float64bits(v))))
}

func (b *bounds) bytes(v []byte) {
	if !b.any {
		b.any = true
		b.loS, b.hiS = append(b.loS[:0], v...), append(b.hiS[:0], v...)
		return
	}
	if bytes.Compare(v, b.loS) < 0 {
		b.loS = append(b.loS[:0], v...)
	} else if bytes.Compare(v, b.hiS) > 0 {
		b.hiS = append(b.hiS[:0], v...)
	}
}

func (b *bounds) decimal(v decimal128.Num) {
	if !b.any {
		b.any, b.loD, b.hiD = true, v, v
		return
	}
	if v.Less(b.loD) {
		b.loD = v
	}
	if b.hiD.Less(v) {
		b.hiD = v
	}
}

// merge widens b by o, which is of the same column.
func (b *bounds) merge(o *bounds, l lane) {
	b.nan = b.nan || o.nan
	if !o.any {
		return
	}
	switch l {
	case laneBytes:
		b.bytes(o.loS)
		b.bytes(o.hiS)
	case laneFixed:
		b.decimal(o.loD)
		b.decimal(o.hiD)
	default:
		b.integer(o.lo)
		b.integer(o.hi)
	}
}

func (b *bounds) reset() { *b = bounds{loS: b.loS[:0], hiS: b.hiS[:0]} }

// integers widens the bounds by dense integers.
func integers[T int32 | int64](b *bounds, values []T) {
	if len(values) == 0 {
		return
	}
	lo, hi := values[0], values[0]
	for _, v := range values {
		lo, hi = min(lo, v), max(hi, v)
	}
	b.integer(int64(lo))
	b.integer(int64(hi))
}

func floats32(b *bounds, values []uint32) {
	for _, v := range values {
		b.float(float64(math.Float32frombits(v)))
	}
}

func floats64(b *bounds, values []uint64) {
	for _, v := range values {
		b.float(math.Float64frombits(v))
	}
}

// float64s are the bounds of a float column as floats.
func (b *bounds) float64s() (lo, hi float64) {
	return math.Float64frombits(uint64(ordered(b.lo))), math.Float64frombits(uint64(ordered(b.hi)))
}

// longestBound is the most bytes of both bounds together that go into a chunk's statistics, as in parquet-mr.
const longestBound = 4096

// plain are the bounds as a chunk's statistics hold them; false if they are not to be written.
func (b *bounds) plain(t *types.Type, l lane) (lo, hi []byte, ok bool) {
	if !b.any || b.nan {
		return nil, nil, false
	}
	switch {
	case t.Kind == types.KindDouble:
		x, y := b.float64s()
		lo, hi = zeroBounds(x, y, func(f float64) []byte { return binary.LittleEndian.AppendUint64(nil, math.Float64bits(f)) })
	case t.Kind == types.KindFloat:
		x, y := b.float64s()
		lo, hi = zeroBounds(x, y, func(f float64) []byte { return binary.LittleEndian.AppendUint32(nil, math.Float32bits(float32(f))) })
	case l == laneBytes:
		return bytes.Clone(b.loS), bytes.Clone(b.hiS), len(b.loS)+len(b.hiS) < longestBound // the buffers are used again
	case l == laneFixed:
		lo, hi = make([]byte, decimalBytes(t.Precision)), make([]byte, decimalBytes(t.Precision))
		putBigEndian(lo, b.loD)
		putBigEndian(hi, b.hiD)
	case l == laneBool:
		lo, hi = []byte{byte(b.lo)}, []byte{byte(b.hi)}
	case l == lane32:
		lo, hi = binary.LittleEndian.AppendUint32(nil, uint32(b.lo)), binary.LittleEndian.AppendUint32(nil, uint32(b.hi))
	default:
		lo, hi = binary.LittleEndian.AppendUint64(nil, uint64(b.lo)), binary.LittleEndian.AppendUint64(nil, uint64(b.hi))
	}
	return lo, hi, true
}

// zeroBounds writes a least zero as -0.0 and a greatest one as +0.0: readers may compare either way.
func zeroBounds(lo, hi float64, encode func(float64) []byte) ([]byte, []byte) {
	if lo == 0 {
		lo = math.Copysign(0, -1)
	}
	if hi == 0 {
		hi = 0
	}
	return encode(lo), encode(hi)
}
