package parquet

import (
	"encoding/binary"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/parquet-go/parquet-go/format"

	"millrace/errs"
	"millrace/types"
	"millrace/vector"
)

// plainFunc decodes n PLAIN values from the start of src into out's rows from at on and returns the bytes it used.
type plainFunc func(out *vector.Vector, at, n int, src []byte) (used int, err error)

// decoder turns a leaf's values into a Spark type.
type decoder struct {
	typ   *types.Type
	plain plainFunc // nil for booleans, which are runs of bits
	slot  int       // bytes of a PLAIN value, 0 for variable length
}

// decoderFor chooses the conversion from a leaf to the wanted type: the type itself or one that Spark widens it to.
func decoderFor(c *Column, want *types.Type) (decoder, error) {
	if want.Kind == types.KindUDT {
		want = want.Elem
	}
	d := decoder{typ: want, slot: slotBytes(c)}
	switch c.physical {
	case format.Boolean:
		if want.Kind == types.KindBoolean {
			return d, nil
		}
	case format.Int32:
		d.plain = fromInt32(c, want)
	case format.Int64:
		d.plain = fromInt64(c, want)
	case format.Int96:
		if want.Kind == types.KindTimestamp || want.Kind == types.KindTimestampNTZ {
			d.plain = int96Micros
		}
	case format.Float:
		switch want.Kind {
		case types.KindFloat:
			d.plain = identity(4)
		case types.KindDouble:
			d.plain = convert[float32, float64](1)
		}
	case format.Double:
		if want.Kind == types.KindDouble {
			d.plain = identity(8)
		}
	case format.ByteArray:
		d.plain = fromBytes(c, want)
	case format.FixedLenByteArray:
		d.plain = fromFixed(c, want)
	}
	if d.plain == nil {
		return d, errMismatch
	}
	return d, nil
}

var errMismatch = corrupt("the column has another type")

// mismatch is Spark's error for a leaf that cannot be read as the wanted type.
func mismatch(path, column string, want *types.Type, c *Column) error {
	if c.err != nil {
		return c.err
	}
	actual := "group"
	if c.isLeaf() {
		actual = physicalName(c.physical)
	}
	return errs.New("FAILED_READ_FILE.PARQUET_COLUMN_DATA_TYPE_MISMATCH", "path", path, "column", "["+column+"]",
		"expectedType", want.String(), "actualType", actual)
}

func slotBytes(c *Column) int {
	switch c.physical {
	case format.Int32, format.Float:
		return 4
	case format.Int64, format.Double:
		return 8
	case format.Int96:
		return 12
	case format.FixedLenByteArray:
		return c.length
	}
	return 0
}

func fromInt32(c *Column, want *types.Type) plainFunc {
	a := annotation(c.elem)
	unsigned := false
	if i, ok := a.(*format.IntType); ok {
		unsigned = !i.IsSigned
	}
	_, isDate := a.(*format.DateType)
	_, isDecimal := a.(*format.DecimalType)
	switch want.Kind {
	case types.KindInteger, types.KindDate, types.KindYearMonth:
		return identity(4)
	case types.KindByte:
		return convert[int32, int8](1)
	case types.KindShort:
		return convert[int32, int16](1)
	case types.KindLong:
		if unsigned {
			return convert[uint32, int64](1)
		}
		return convert[int32, int64](1)
	case types.KindDouble:
		if !isDecimal && !isDate && !unsigned {
			return convert[int32, float64](1)
		}
	case types.KindTimestampNTZ:
		if isDate {
			return convert[int32, int64](86_400_000_000)
		}
	case types.KindDecimal:
		return decimalFromInt[int32](a, want, 10)
	}
	return nil
}

func fromInt64(c *Column, want *types.Type) plainFunc {
	a := annotation(c.elem)
	switch want.Kind {
	case types.KindLong, types.KindDayTime:
		return identity(8)
	case types.KindTimestamp, types.KindTimestampNTZ:
		ts, ok := a.(*format.TimestampType)
		if !ok {
			return nil
		}
		switch ts.Unit.Value.(type) {
		case *format.MilliSeconds:
			return convert[int64, int64](1000)
		case *format.NanoSeconds:
			return nanosToMicros
		}
		return identity(8)
	case types.KindTime:
		if t, ok := a.(*format.TimeType); ok {
			if _, micros := t.Unit.Value.(*format.MicroSeconds); micros {
				return convert[int64, int64](1000)
			}
			return identity(8)
		}
	case types.KindDecimal:
		if i, ok := a.(*format.IntType); ok && !i.IsSigned {
			return uint64Decimal
		}
		return decimalFromInt[int64](a, want, 20)
	}
	return nil
}

// decimalFromInt reads a decimal, or an integer of so many digits, as a decimal at least as wide.
func decimalFromInt[S int32 | int64](a any, want *types.Type, digits int) plainFunc {
	precision, scale := digits, 0
	if d, ok := a.(*format.DecimalType); ok {
		precision, scale = int(d.Precision), int(d.Scale)
	}
	factor, ok := widening(precision, scale, want)
	switch {
	case !ok:
		return nil
	case !want.IsShortDecimal():
		return longDecimalFromInt[S](factor)
	case unsafe.Sizeof(S(0)) == 8 && factor == decimal128.FromI64(1):
		return identity(8)
	}
	return convert[S, int64](factor.BigInt().Int64())
}

// widening is the factor from decimals of (precision, scale) to the wanted type, if that is at least as wide.
func widening(precision, scale int, want *types.Type) (decimal128.Num, bool) {
	up := want.Scale - scale
	if up < 0 || want.Precision-precision < up || up > types.MaxPrecision {
		return decimal128.Num{}, false
	}
	return decimal128.GetScaleMultiplier(up), true
}

func identity(width int) plainFunc {
	return func(out *vector.Vector, at, n int, src []byte) (int, error) {
		if len(src) < n*width {
			return 0, errShortPage
		}
		copy(out.Data[at*width:(at+n)*width], src)
		return n * width, nil
	}
}

var errShortPage = corrupt("a page ends before its values")

// load reads one little-endian value at any alignment.
func load[T any](src []byte, i int) T {
	var zero T
	return *(*T)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(src)), i*int(unsafe.Sizeof(zero))))
}

type number interface {
	int8 | int16 | int32 | int64 | uint32 | float32 | float64
}

// convert casts each value and multiplies it by factor.
func convert[S, D number](factor D) plainFunc {
	return func(out *vector.Vector, at, n int, src []byte) (int, error) {
		size := int(unsafe.Sizeof(S(0)))
		if len(src) < n*size {
			return 0, errShortPage
		}
		dst := view[D](out.Data)[at : at+n]
		for i, v := range view[S](src)[:len(dst)] { // at any alignment
			dst[i] = D(v) * factor
		}
		return n * size, nil
	}
}

func longDecimalFromInt[S int32 | int64](factor decimal128.Num) plainFunc {
	return func(out *vector.Vector, at, n int, src []byte) (int, error) {
		size := int(unsafe.Sizeof(S(0)))
		if len(src) < n*size {
			return 0, errShortPage
		}
		dst := view[decimal128.Num](out.Data)[at : at+n]
		for i := range dst {
			dst[i] = decimal128.FromI64(int64(load[S](src, i))).Mul(factor)
		}
		return n * size, nil
	}
}

func uint64Decimal(out *vector.Vector, at, n int, src []byte) (int, error) {
	if len(src) < n*8 {
		return 0, errShortPage
	}
	dst := view[decimal128.Num](out.Data)[at : at+n]
	for i := range dst {
		dst[i] = decimal128.FromU64(load[uint64](src, i))
	}
	return n * 8, nil
}

func nanosToMicros(out *vector.Vector, at, n int, src []byte) (int, error) {
	if len(src) < n*8 {
		return 0, errShortPage
	}
	dst := view[int64](out.Data)[at : at+n]
	for i := range dst {
		v := load[int64](src, i)
		q := v / 1000
		if v%1000 < 0 {
			q--
		}
		dst[i] = q
	}
	return n * 8, nil
}

// julianEpoch is the Julian day number of 1970-01-01.
const julianEpoch = 2440588

func int96Micros(out *vector.Vector, at, n int, src []byte) (int, error) {
	if len(src) < n*12 {
		return 0, errShortPage
	}
	dst := view[int64](out.Data)[at : at+n]
	for i := range dst {
		nanos := int64(binary.LittleEndian.Uint64(src[i*12:]))
		day := int64(int32(binary.LittleEndian.Uint32(src[i*12+8:])))
		dst[i] = (day-julianEpoch)*86_400_000_000 + nanos/1000
	}
	return n * 12, nil
}

func fromBytes(c *Column, want *types.Type) plainFunc {
	switch want.Kind {
	case types.KindString, types.KindBinary:
		return plainStrings
	case types.KindDecimal:
		if d, ok := annotation(c.elem).(*format.DecimalType); ok {
			if factor, ok := widening(int(d.Precision), int(d.Scale), want); ok {
				return bytesDecimal(want, factor)
			}
		}
	}
	return nil
}

func plainStrings(out *vector.Vector, at, n int, src []byte) (int, error) {
	ends := out.Offsets[at+1 : at+1+n]
	bytes, pos := out.Bytes, 0
	for i := range ends {
		if len(src)-pos < 4 {
			return 0, errShortPage
		}
		size := int(binary.LittleEndian.Uint32(src[pos:]))
		pos += 4
		if size < 0 || size > len(src)-pos || len(bytes) > maxStringBytes-size {
			return 0, errShortPage
		}
		bytes = append(bytes, src[pos:pos+size]...)
		pos += size
		ends[i] = int32(len(bytes))
	}
	out.Bytes = bytes
	return pos, nil
}

const maxStringBytes = 1<<31 - 1

func fromFixed(c *Column, want *types.Type) plainFunc {
	switch want.Kind {
	case types.KindBinary, types.KindString:
		if want.Kind == types.KindString && c.Type.Kind != types.KindString {
			return nil
		}
		return fixedStrings(c.length)
	case types.KindDecimal:
		if d, ok := annotation(c.elem).(*format.DecimalType); ok {
			if factor, ok := widening(int(d.Precision), int(d.Scale), want); ok {
				return fixedDecimal(c.length, want, factor)
			}
		}
	}
	return nil
}

func fixedStrings(size int) plainFunc {
	return func(out *vector.Vector, at, n int, src []byte) (int, error) {
		if len(src) < n*size {
			return 0, errShortPage
		}
		out.Bytes = append(out.Bytes, src[:n*size]...)
		end := out.Offsets[at]
		for i := range n {
			end += int32(size)
			out.Offsets[at+1+i] = end
		}
		return n * size, nil
	}
}

// bigEndian is the two's complement number in b.
func bigEndian(b []byte) decimal128.Num {
	if len(b) == 0 {
		return decimal128.Num{}
	}
	hi, lo := int64(int8(b[0]))>>7, uint64(int64(int8(b[0]))>>7)
	for _, x := range b {
		hi = hi<<8 | int64(lo>>56)
		lo = lo<<8 | uint64(x)
	}
	return decimal128.New(hi, lo)
}

func fixedDecimal(size int, want *types.Type, factor decimal128.Num) plainFunc {
	put := putDecimal(want, factor)
	return func(out *vector.Vector, at, n int, src []byte) (int, error) {
		if len(src) < n*size {
			return 0, errShortPage
		}
		for i := range n {
			put(out, at+i, bigEndian(src[i*size:(i+1)*size]))
		}
		return n * size, nil
	}
}

func bytesDecimal(want *types.Type, factor decimal128.Num) plainFunc {
	put := putDecimal(want, factor)
	return func(out *vector.Vector, at, n int, src []byte) (int, error) {
		pos := 0
		for i := range n {
			if len(src)-pos < 4 {
				return 0, errShortPage
			}
			size := int(binary.LittleEndian.Uint32(src[pos:]))
			pos += 4
			if size < 0 || size > len(src)-pos {
				return 0, errShortPage
			}
			put(out, at+i, bigEndian(src[pos:pos+size]))
			pos += size
		}
		return pos, nil
	}
}

// putDecimal stores an unscaled value, times factor, in the width of the type.
func putDecimal(want *types.Type, factor decimal128.Num) func(out *vector.Vector, i int, v decimal128.Num) {
	one := factor == decimal128.FromI64(1)
	if want.IsShortDecimal() {
		f := int64(factor.LowBits())
		return func(out *vector.Vector, i int, v decimal128.Num) { view[int64](out.Data)[i] = int64(v.LowBits()) * f }
	}
	return func(out *vector.Vector, i int, v decimal128.Num) {
		if !one {
			v = v.Mul(factor)
		}
		view[decimal128.Num](out.Data)[i] = v
	}
}

func view[T any](data []byte) []T {
	var zero T
	if len(data) == 0 {
		return nil
	}
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(data))), len(data)/int(unsafe.Sizeof(zero)))
}
