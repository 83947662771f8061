package variant

import (
	"encoding/binary"
	"errors"
	"math"

	"github.com/apache/arrow-go/v18/arrow/decimal128"
)

// Kind is what a value is.
type Kind uint8

// The kinds of values. Integers of all sizes are Long.
const (
	Malformed Kind = iota
	Null
	Boolean
	Long
	Double
	Decimal
	Date         // days
	Timestamp    // microseconds since the epoch
	TimestampNTZ // microseconds of local time
	Float
	Binary
	String
	UUID
	Object
	Array
)

// ErrMalformed says that bytes do not follow the format.
var ErrMalformed = errors.New("the variant does not follow the format")

// MaxDepth bounds how deeply the values may nest that are walked through, so that no bytes exhaust the stack.
const MaxDepth = 5000

// The lowest two bits of a value's first byte; what is above them depends on these.
const (
	basicPrimitive = iota
	basicShortString
	basicObject
	basicArray
)

// The numbers of primitives.
const (
	primitiveNull = iota
	primitiveTrue
	primitiveFalse
	primitiveInt8
	primitiveInt16
	primitiveInt32
	primitiveInt64
	primitiveDouble
	primitiveDecimal4
	primitiveDecimal8
	primitiveDecimal16
	primitiveDate
	primitiveTimestamp
	primitiveTimestampNTZ
	primitiveFloat
	primitiveBinary
	primitiveString
	primitiveUUID = 20
)

// primitives are the primitives' kinds, and their sizes with the first byte; 0 where a length follows.
var primitives = [...]struct {
	kind Kind
	size int
}{
	primitiveNull: {Null, 1}, primitiveTrue: {Boolean, 1}, primitiveFalse: {Boolean, 1}, primitiveInt8: {Long, 2}, primitiveInt16: {Long, 3},
	primitiveInt32: {Long, 5}, primitiveInt64: {Long, 9}, primitiveDouble: {Double, 9}, primitiveDecimal4: {Decimal, 6},
	primitiveDecimal8: {Decimal, 10}, primitiveDecimal16: {Decimal, 18}, primitiveDate: {Date, 5}, primitiveTimestamp: {Timestamp, 9},
	primitiveTimestampNTZ: {TimestampNTZ, 9}, primitiveFloat: {Float, 5}, primitiveBinary: {Binary, 0}, primitiveString: {String, 0},
	primitiveUUID: {UUID, 17},
}

// Value is a value within a variant. The zero value is malformed.
type Value struct{ meta, data []byte }

// New is a variant's value; it shares the bytes.
func New(metadata, value []byte) Value { return Value{metadata, value} }

// IsZero reports whether there is no value at all.
func (v Value) IsZero() bool { return v.data == nil }

// Kind is what the value is.
func (v Value) Kind() Kind {
	if len(v.data) == 0 {
		return Malformed
	}
	n := int(v.data[0] >> 2)
	switch v.data[0] & 3 {
	case basicObject, basicArray:
		switch _, ok := v.layout(); {
		case !ok:
			return Malformed
		case v.data[0]&3 == basicArray:
			return Array
		}
		return Object
	case basicShortString:
		if 1+n <= len(v.data) {
			return String
		}
		return Malformed
	}
	if n >= len(primitives) {
		return Malformed
	}
	p := primitives[n]
	if size := p.size; size > len(v.data) || size == 0 && v.Bytes() == nil || p.kind == Decimal && v.data[1] > 38 {
		return Malformed
	}
	return p.kind
}

// Bool is a boolean's value.
func (v Value) Bool() bool { return v.data[0]>>2 == primitiveTrue }

// Long is the number of a Long, Date, Timestamp or TimestampNTZ.
func (v Value) Long() int64 {
	b := v.data[1:]
	switch v.data[0] >> 2 {
	case primitiveInt8:
		return int64(int8(b[0]))
	case primitiveInt16:
		return int64(int16(binary.LittleEndian.Uint16(b)))
	case primitiveInt32, primitiveDate:
		return int64(int32(binary.LittleEndian.Uint32(b)))
	}
	return int64(binary.LittleEndian.Uint64(b))
}

// Double is a Double's value.
func (v Value) Double() float64 { return math.Float64frombits(binary.LittleEndian.Uint64(v.data[1:])) }

// Float is a Float's value.
func (v Value) Float() float32 { return math.Float32frombits(binary.LittleEndian.Uint32(v.data[1:])) }

// Decimal is a Decimal's digits and how many of them stand behind the point, as they are stored.
func (v Value) Decimal() (digits decimal128.Num, scale int) {
	b := v.data[2:]
	switch v.data[0] >> 2 {
	case primitiveDecimal4:
		digits = decimal128.FromI64(int64(int32(binary.LittleEndian.Uint32(b))))
	case primitiveDecimal8:
		digits = decimal128.FromI64(int64(binary.LittleEndian.Uint64(b)))
	default:
		digits = decimal128.New(int64(binary.LittleEndian.Uint64(b[8:])), binary.LittleEndian.Uint64(b))
	}
	return digits, int(v.data[1])
}

// Number is a Decimal without the zeros at its end: the digits, how many there are, and how many of them stand behind the point.
func (v Value) Number() (digits decimal128.Num, precision, scale int) {
	digits, scale = v.Decimal()
	ten := decimal128.FromI64(10)
	for scale > 0 {
		q, rest := digits.Div(ten)
		if rest != (decimal128.Num{}) {
			break
		}
		digits, scale = q, scale-1
	}
	precision = 1
	for precision < 38 && !digits.FitsInPrecision(int32(precision)) {
		precision++
	}
	return digits, max(precision, scale), scale
}

// Bytes is a String's or Binary's content, or a UUID's sixteen bytes; nil where they are not there.
func (v Value) Bytes() []byte {
	switch {
	case v.data[0]&3 == basicShortString:
		return v.data[1 : 1+v.data[0]>>2]
	case v.data[0]>>2 == primitiveUUID:
		return v.data[1:17]
	}
	n, ok := number(v.data, 1, 4)
	if !ok || n > len(v.data)-5 {
		return nil
	}
	return v.data[5 : 5+n]
}

// layout is where the parts of an object or array are.
type layout struct {
	n                     int
	ids, offsets, values  int
	idWidth, offsetsWidth int
}

func (v Value) layout() (l layout, ok bool) {
	if len(v.data) == 0 || v.data[0]&3 < basicObject {
		return l, false
	}
	h := int(v.data[0] >> 2)
	l.offsetsWidth = h&3 + 1
	large := h&4 != 0
	if v.data[0]&3 == basicObject {
		l.idWidth, large = h>>2&3+1, h&16 != 0
	}
	countWidth := 1
	if large {
		countWidth = 4
	}
	if l.n, ok = number(v.data, 1, countWidth); !ok || l.n > len(v.data) {
		return l, false
	}
	l.ids = 1 + countWidth
	l.offsets = l.ids + l.n*l.idWidth
	l.values = l.offsets + (l.n+1)*l.offsetsWidth
	return l, l.values <= len(v.data)
}

// Len is the number of an object's fields or an array's elements.
func (v Value) Len() int {
	l, _ := v.layout()
	return l.n
}

// At is an array's element or the value of an object's field; malformed if there is none.
func (v Value) At(i int) Value {
	l, ok := v.layout()
	if !ok || i < 0 || i >= l.n {
		return Value{}
	}
	at, _ := number(v.data, l.offsets+i*l.offsetsWidth, l.offsetsWidth)
	if at >= len(v.data)-l.values {
		return Value{}
	}
	return Value{v.meta, v.data[l.values+at:]}
}

// Name is the name of an object's field; false if it has none.
func (v Value) Name(i int) ([]byte, bool) {
	l, ok := v.layout()
	if !ok || i < 0 || i >= l.n || l.idWidth == 0 {
		return nil, false
	}
	id, _ := number(v.data, l.ids+i*l.idWidth, l.idWidth)
	return key(v.meta, id)
}

// Field is the value of an object's field of that name.
func (v Value) Field(name string) (Value, bool) {
	if len(v.data) == 0 || v.data[0]&3 != basicObject {
		return Value{}, false
	}
	for i := range v.Len() {
		if n, ok := v.Name(i); ok && string(n) == name {
			return v.At(i), true
		}
	}
	return Value{}, false
}

// Raw is the bytes of the value alone; nil if they are not there.
func (v Value) Raw() []byte {
	size := 0
	switch k := v.Kind(); k {
	case Malformed:
		return nil
	case Object, Array:
		l, ok := v.layout()
		if !ok {
			return nil
		}
		end, _ := number(v.data, l.offsets+l.n*l.offsetsWidth, l.offsetsWidth)
		size = l.values + end
	case String, Binary:
		size = len(v.Bytes()) + 5
		if v.data[0]&3 == basicShortString {
			size -= 4
		}
	default:
		size = primitives[v.data[0]>>2].size
	}
	if size > len(v.data) {
		return nil
	}
	return v.data[:size]
}

// number reads a little-endian number of width bytes.
func number(b []byte, at, width int) (int, bool) {
	if at < 0 || at+width > len(b) {
		return 0, false
	}
	n := 0
	for i := width - 1; i >= 0; i-- {
		n = n<<8 | int(b[at+i])
	}
	return n, true
}

// dictionary is how many names there are, and how wide the numbers are that say where.
func dictionary(meta []byte) (width, size int, ok bool) {
	if len(meta) == 0 || meta[0]&15 != version {
		return 0, 0, false
	}
	width = int(meta[0]>>6) + 1
	size, ok = number(meta, 1, width)
	return width, size, ok
}

// key is a name in the dictionary.
func key(meta []byte, id int) ([]byte, bool) {
	width, size, ok := dictionary(meta)
	if !ok || id >= size {
		return nil, false
	}
	from, ok1 := number(meta, 1+width+id*width, width)
	to, ok2 := number(meta, 1+width+(id+1)*width, width)
	start := 1 + width + (size+1)*width
	if !ok1 || !ok2 || from > to || to > len(meta)-start {
		return nil, false
	}
	return meta[start+from : start+to], true
}
