package parquet

import (
	"slices"

	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/parquet-go/parquet-go/format"

	"millrace/types"
	"millrace/vector"
)

// lane is the form in which a column's values are written.
type lane uint8

const (
	laneBool  lane = iota
	lane32         // INT32 and FLOAT
	lane64         // INT64 and DOUBLE
	laneBytes      // BYTE_ARRAY
	laneFixed      // FIXED_LEN_BYTE_ARRAY: decimals of more than 18 digits
)

// storage is how Spark stores a type in Parquet.
func storage(t *types.Type) (lane, format.Type, bool) {
	switch t.Kind {
	case types.KindBoolean:
		return laneBool, format.Boolean, true
	case types.KindByte, types.KindShort, types.KindInteger, types.KindDate, types.KindYearMonth:
		return lane32, format.Int32, true
	case types.KindFloat:
		return lane32, format.Float, true
	case types.KindLong, types.KindTimestamp, types.KindTimestampNTZ, types.KindDayTime, types.KindTime:
		return lane64, format.Int64, true
	case types.KindDouble:
		return lane64, format.Double, true
	case types.KindString, types.KindBinary:
		return laneBytes, format.ByteArray, true
	case types.KindDecimal:
		switch {
		case t.Precision <= 9:
			return lane32, format.Int32, true
		case t.Precision <= types.MaxShortDecimal:
			return lane64, format.Int64, true
		}
		return laneFixed, format.FixedLenByteArray, true
	}
	return 0, 0, false
}

// decimalBytes is the least number of bytes that hold every decimal of so many digits.
func decimalBytes(precision int) int {
	limit := decimal128.GetScaleMultiplier(precision).BigInt()
	return (limit.BitLen() + 8) / 8
}

// dense32 is the values of the rows as 32-bit words; rows nil: n of them from row lo on. The result may be v's memory.
func dense32(v *vector.Vector, rows []uint32, lo, n int, scratch []uint32) (words, kept []uint32) {
	switch vector.Width(v.Type) {
	case 1:
		return widen(view[int8](v.Data), rows, lo, n, scratch)
	case 2:
		return widen(view[int16](v.Data), rows, lo, n, scratch)
	case 8: // a short decimal of at most nine digits
		return widen(view[int64](v.Data), rows, lo, n, scratch)
	}
	if rows == nil {
		return view[uint32](v.Data)[lo : lo+n], scratch
	}
	scratch = pick(view[uint32](v.Data), rows, scratch)
	return scratch, scratch
}

func widen[S int8 | int16 | int64](src []S, rows []uint32, lo, n int, dst []uint32) (words, kept []uint32) {
	dst = slices.Grow(dst[:0], n)[:n]
	if rows == nil {
		for i, v := range src[lo : lo+n] {
			dst[i] = uint32(int32(v))
		}
		return dst, dst
	}
	for i, r := range rows {
		dst[i] = uint32(int32(src[r]))
	}
	return dst, dst
}

func dense64(v *vector.Vector, rows []uint32, lo, n int, scratch []uint64) (words, kept []uint64) {
	if v.Type.Kind == types.KindTime {
		scratch = slices.Grow(scratch[:0], n)[:n]
		for i := range scratch {
			r := uint32(lo + i)
			if rows != nil {
				r = rows[i]
			}
			scratch[i] = uint64(view[int64](v.Data)[r] / 1000)
		}
		return scratch, scratch
	}
	if rows == nil {
		return view[uint64](v.Data)[lo : lo+n], scratch
	}
	scratch = pick(view[uint64](v.Data), rows, scratch)
	return scratch, scratch
}

func pick[T any](src []T, rows []uint32, dst []T) []T {
	dst = slices.Grow(dst[:0], len(rows))[:len(rows)]
	for i, r := range rows {
		dst[i] = src[r]
	}
	return dst
}

// putBigEndian writes the low len(dst) bytes of a 128-bit number.
func putBigEndian(dst []byte, v decimal128.Num) {
	hi, lo := uint64(v.HighBits()), v.LowBits()
	for i := len(dst) - 1; i >= 0; i-- {
		dst[i] = byte(lo)
		lo = lo>>8 | hi<<56
		hi = uint64(int64(hi) >> 8)
	}
}
