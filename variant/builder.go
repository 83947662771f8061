package variant

import (
	"bytes"
	"encoding/binary"
	"math"
	"slices"

	"github.com/apache/arrow-go/v18/arrow/decimal128"
)

const version = 1

// MaxSize is the most bytes that a value or a dictionary has.
const MaxSize = 128 << 20

// DuplicateName says that an object has two fields of a name.
type DuplicateName struct{ Name string }

func (e *DuplicateName) Error() string { return "an object has two fields " + e.Name }

// Builder makes a variant: values one after another, of which those between Begin and End are parts of an object or array.
type Builder struct {
	AllowDuplicates bool // of an object's fields of a name the last one counts

	out   []byte
	ids   map[string]int
	names []byte // of the dictionary, one after another
	ends  []int
	parts []part // of the objects and arrays that have begun
	over  []byte // the dictionary that ResetOver was given, of so many names
	given int
}

// part is a field of an object or an element of an array that is being built.
type part struct{ id, at int }

// Mark is where an object or array begins.
type Mark struct{ at, parts int }

// Reset begins a new variant with an empty dictionary.
func (b *Builder) Reset() {
	b.out, b.names, b.ends, b.parts = b.out[:0], b.names[:0], b.ends[:0], b.parts[:0]
	b.over = b.over[:0]
	if b.ids == nil {
		b.ids = map[string]int{}
	}
	clear(b.ids)
}

// ResetOver begins a variant with a dictionary that is there already, as it was for the variant before in most cases.
func (b *Builder) ResetOver(metadata []byte) error {
	if len(b.over) > 0 && bytes.Equal(b.over, metadata) && len(b.ends) == b.given {
		b.out, b.parts = b.out[:0], b.parts[:0]
		return nil
	}
	b.Reset()
	_, size, ok := dictionary(metadata)
	if !ok || size > len(metadata) {
		return ErrMalformed
	}
	for id := range size {
		name, ok := key(metadata, id)
		if !ok {
			return ErrMalformed
		}
		if _, twice := b.ids[string(name)]; !twice {
			b.ids[string(name)] = id
		}
		b.names = append(b.names, name...)
		b.ends = append(b.ends, len(b.names))
	}
	b.over, b.given = append(b.over[:0], metadata...), size
	return nil
}

// Value is the value that was built; it belongs to the builder.
func (b *Builder) Value() []byte { return b.out }

// Truncate takes back what was built behind a mark, except for names.
func (b *Builder) Truncate(m Mark) { b.out, b.parts = b.out[:m.at], b.parts[:m.parts] }

// AppendMetadata appends the dictionary of the names.
func (b *Builder) AppendMetadata(dst []byte) []byte {
	width := widthOf(max(len(b.names), len(b.ends)))
	dst = appendNumber(append(dst, byte(version|(width-1)<<6)), len(b.ends), width)
	dst = appendNumber(dst, 0, width)
	for _, end := range b.ends {
		dst = appendNumber(dst, end, width)
	}
	return append(dst, b.names...)
}

// id is a name's number, given now if it has none.
func (b *Builder) id(name []byte) int {
	id, ok := b.ids[string(name)]
	if !ok {
		id = len(b.ends)
		b.ids[string(name)] = id
		b.names = append(b.names, name...)
		b.ends = append(b.ends, len(b.names))
	}
	return id
}

func (b *Builder) name(id int) []byte {
	from := 0
	if id > 0 {
		from = b.ends[id-1]
	}
	return b.names[from:b.ends[id]]
}

// Begin begins an object or array. Before each of its parts comes Name or Element, and behind the last one EndObject or EndArray.
func (b *Builder) Begin() Mark { return Mark{len(b.out), len(b.parts)} }

// Name begins an object's field.
func (b *Builder) Name(name []byte) { b.parts = append(b.parts, part{b.id(name), len(b.out)}) }

// Element begins an array's element.
func (b *Builder) Element() { b.parts = append(b.parts, part{0, len(b.out)}) }

// EndArray ends the array that began at the mark.
func (b *Builder) EndArray(m Mark) {
	parts := b.parts[m.parts:]
	size := len(b.out) - m.at
	offsetWidth, countWidth, header := widthOf(size), 1, 0
	if len(parts) > 255 {
		countWidth, header = 4, 4
	}
	at := b.insert(m.at, 1+countWidth+(len(parts)+1)*offsetWidth)
	at = appendNumber(append(at, byte((header|(offsetWidth-1))<<2|basicArray)), len(parts), countWidth)
	for _, p := range parts {
		at = appendNumber(at, p.at-m.at, offsetWidth)
	}
	appendNumber(at, size, offsetWidth)
	b.parts = b.parts[:m.parts]
}

// EndObject ends the object that began at the mark. Its fields come into the order of their names.
func (b *Builder) EndObject(m Mark) error {
	parts := b.parts[m.parts:]
	slices.SortStableFunc(parts, func(x, y part) int {
		if x.id == y.id {
			return 0
		}
		return bytes.Compare(b.name(x.id), b.name(y.id))
	})
	for i := 1; i < len(parts); i++ {
		if parts[i].id == parts[i-1].id {
			if !b.AllowDuplicates {
				return &DuplicateName{string(b.name(parts[i].id))}
			}
			parts = b.lastOfEach(m, parts)
			break
		}
	}
	size, most := len(b.out)-m.at, 0
	for _, p := range parts {
		most = max(most, p.id)
	}
	offsetWidth, idWidth, countWidth, header := widthOf(size), widthOf(most), 1, 0
	if len(parts) > 255 {
		countWidth, header = 4, 16
	}
	at := b.insert(m.at, 1+countWidth+len(parts)*idWidth+(len(parts)+1)*offsetWidth)
	at = appendNumber(append(at, byte((header|(idWidth-1)<<2|(offsetWidth-1))<<2|basicObject)), len(parts), countWidth)
	for _, p := range parts {
		at = appendNumber(at, p.id, idWidth)
	}
	for _, p := range parts {
		at = appendNumber(at, p.at-m.at, offsetWidth)
	}
	appendNumber(at, size, offsetWidth)
	b.parts = b.parts[:m.parts]
	return nil
}

// lastOfEach drops fields that another one of the same name follows, and their values.
func (b *Builder) lastOfEach(m Mark, parts []part) []part {
	kept := parts[:0]
	for i, p := range parts {
		if i+1 == len(parts) || parts[i+1].id != p.id {
			kept = append(kept, p)
		}
	}
	slices.SortFunc(kept, func(x, y part) int { return x.at - y.at })
	end := m.at
	for i, p := range kept {
		value := Value{data: b.out[p.at:]}.Raw()
		kept[i].at = end
		end += copy(b.out[end:], value)
	}
	b.out = b.out[:end]
	slices.SortFunc(kept, func(x, y part) int { return bytes.Compare(b.name(x.id), b.name(y.id)) })
	return kept
}

// insert makes room for n bytes and returns it, empty.
func (b *Builder) insert(at, n int) []byte {
	b.out = slices.Grow(b.out, n)[:len(b.out)+n]
	copy(b.out[at+n:], b.out[at:])
	return b.out[at : at : at+n]
}

// Null appends a variant's null.
func (b *Builder) Null() { b.head(primitiveNull) }

// Bool appends a boolean.
func (b *Builder) Bool(v bool) {
	if v {
		b.head(primitiveTrue)
	} else {
		b.head(primitiveFalse)
	}
}

// Long appends an integer in as few bytes as it takes.
func (b *Builder) Long(n int64) {
	switch {
	case n == int64(int8(n)):
		b.head(primitiveInt8)
		b.out = append(b.out, byte(n))
	case n == int64(int16(n)):
		b.head(primitiveInt16)
		b.out = binary.LittleEndian.AppendUint16(b.out, uint16(n))
	case n == int64(int32(n)):
		b.head(primitiveInt32)
		b.out = binary.LittleEndian.AppendUint32(b.out, uint32(n))
	default:
		b.long(primitiveInt64, n)
	}
}

// Double appends a double.
func (b *Builder) Double(v float64) {
	bits := math.Float64bits(v)
	if v != v { // Java's only one
		bits = 0x7ff8000000000000
	}
	b.long(primitiveDouble, int64(bits))
}

// Float appends a float.
func (b *Builder) Float(v float32) {
	b.head(primitiveFloat)
	b.out = binary.LittleEndian.AppendUint32(b.out, math.Float32bits(v))
}

// Date appends a date.
func (b *Builder) Date(days int32) {
	b.head(primitiveDate)
	b.out = binary.LittleEndian.AppendUint32(b.out, uint32(days))
}

// Timestamp appends a timestamp.
func (b *Builder) Timestamp(micros int64) { b.long(primitiveTimestamp, micros) }

// TimestampNTZ appends a local timestamp.
func (b *Builder) TimestampNTZ(micros int64) { b.long(primitiveTimestampNTZ, micros) }

// Decimal appends a decimal of at most 38 digits in as few bytes as its digits and scale allow.
func (b *Builder) Decimal(digits decimal128.Num, scale int) {
	switch {
	case scale <= 9 && digits.FitsInPrecision(9):
		b.DecimalOf(9, digits, scale)
	case scale <= 18 && digits.FitsInPrecision(18):
		b.DecimalOf(18, digits, scale)
	default:
		b.DecimalOf(38, digits, scale)
	}
}

// DecimalOf appends a decimal in the bytes for so many digits.
func (b *Builder) DecimalOf(precision int, digits decimal128.Num, scale int) {
	switch {
	case precision <= 9:
		b.head(primitiveDecimal4)
		b.out = binary.LittleEndian.AppendUint32(append(b.out, byte(scale)), uint32(digits.LowBits()))
	case precision <= 18:
		b.head(primitiveDecimal8)
		b.out = binary.LittleEndian.AppendUint64(append(b.out, byte(scale)), digits.LowBits())
	default:
		b.head(primitiveDecimal16)
		b.out = binary.LittleEndian.AppendUint64(append(b.out, byte(scale)), digits.LowBits())
		b.out = binary.LittleEndian.AppendUint64(b.out, uint64(digits.HighBits()))
	}
}

// String appends a string.
func (b *Builder) String(s []byte) {
	if len(s) < 64 {
		b.out = append(append(b.out, byte(len(s))<<2|basicShortString), s...)
		return
	}
	b.head(primitiveString)
	b.bytes(s)
}

// Binary appends bytes.
func (b *Builder) Binary(s []byte) {
	b.head(primitiveBinary)
	b.bytes(s)
}

// Raw appends the bytes of a value whose names are in this builder's dictionary, by the same numbers.
func (b *Builder) Raw(value []byte) { b.out = append(b.out, value...) }

// Append appends a value of any variant; its names come into this builder's dictionary.
func (b *Builder) Append(v Value) error { return b.copy(v, 0) }

func (b *Builder) copy(v Value, depth int) error {
	k := v.Kind()
	if k != Object && k != Array {
		e := v.Raw()
		b.out = append(b.out, e...)
		if e == nil {
			return ErrMalformed
		}
		return nil
	}
	l, ok := v.layout()
	if !ok || depth > MaxDepth {
		return ErrMalformed
	}
	m := b.Begin()
	for i := range l.n {
		if k == Array {
			b.Element()
		} else {
			name, ok := v.Name(i)
			if !ok {
				return ErrMalformed
			}
			b.Name(name)
		}
		if err := b.copy(v.At(i), depth+1); err != nil {
			return err
		}
	}
	if k == Array {
		b.EndArray(m)
		return nil
	}
	return b.EndObject(m)
}

func (b *Builder) head(primitive byte) { b.out = append(b.out, primitive<<2) }

func (b *Builder) long(primitive byte, n int64) {
	b.head(primitive)
	b.out = binary.LittleEndian.AppendUint64(b.out, uint64(n))
}

func (b *Builder) bytes(s []byte) {
	b.out = binary.LittleEndian.AppendUint32(b.out, uint32(len(s)))
	b.out = append(b.out, s...)
}

// widthOf is how many bytes numbers up to n take.
func widthOf(n int) int {
	width := 1
	for ; n > 0xff; n >>= 8 {
		width++
	}
	return width
}

func appendNumber(dst []byte, n, width int) []byte {
	for range width {
		dst = append(dst, byte(n))
		n >>= 8
	}
	return dst
}
