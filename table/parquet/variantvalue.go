package parquet

import (
	"bytes"
	"encoding/binary"
	"math"
	"sort"

	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"millrace/types"
	"millrace/vector"
)

// The kinds of values in Parquet's VariantEncoding.md: the lowest two bits of a value's first byte, and the primitive's
// number above them.
const (
	variantPrimitive = 0
	variantShort     = 1
	variantObject    = 2
	variantArray     = 3

	variantNull = 0 // the whole byte of a null
)

const (
	primitiveTrue = 1 + iota
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
)

var errVariant = corrupt("a shredded variant does not follow the format")

// variantBuilder encodes one variant's value.
type variantBuilder struct {
	meta []byte
	out  []byte
}

func (b *variantBuilder) reset() { b.out = b.out[:0] }

// member is a row of a column of a group, if the group has it and it is not null.
func member(g *vector.Vector, c *Column, name string, row int) (*vector.Vector, *Column, bool) {
	for i, f := range c.Children {
		if f.Name == name {
			return g.Children[i], f, !g.Children[i].IsNull(row)
		}
	}
	return nil, nil, false
}

// rebuild appends the value of a group of value and typed_value; false when both are null: there is none.
func (b *variantBuilder) rebuild(g *vector.Vector, c *Column, row int) (there bool, err error) {
	value, _, hasValue := member(g, c, "value", row)
	typed, tc, hasTyped := member(g, c, "typed_value", row)
	switch {
	case !hasTyped && !hasValue:
		return false, nil
	case !hasTyped:
		b.out = append(b.out, value.Str(row)...)
		return true, nil
	case tc.Type.Kind == types.KindStruct:
		var rest []byte
		if hasValue {
			rest = value.Str(row)
		}
		return true, b.object(typed, tc, row, rest)
	case hasValue:
		return false, errVariant // only an object may be in both
	case tc.Type.Kind == types.KindArray:
		return true, b.array(typed, tc, row)
	}
	return true, b.primitive(typed, tc, row)
}

// object appends an object of shredded fields and of those that are left in an encoded object.
func (b *variantBuilder) object(typed *vector.Vector, tc *Column, row int, rest []byte) error {
	var fields []objectField
	if rest != nil {
		var err error
		if fields, err = b.objectFields(rest); err != nil {
			return err
		}
	}
	for i, f := range tc.Children {
		if typed.Children[i].IsNull(row) {
			continue
		}
		one := variantBuilder{meta: b.meta}
		there, err := one.rebuild(typed.Children[i], f, row)
		if err != nil {
			return err
		}
		if there {
			fields = append(fields, objectField{f.Name, -1, one.out})
		}
	}
	return b.putObject(fields)
}

// array appends an array of shredded elements.
func (b *variantBuilder) array(typed *vector.Vector, tc *Column, row int) error {
	elements, ec := typed.Children[0], tc.Children[0]
	var values [][]byte
	for i := typed.Offsets[row]; i < typed.Offsets[row+1]; i++ {
		one := variantBuilder{meta: b.meta}
		there := false
		if !elements.IsNull(int(i)) {
			var err error
			if there, err = one.rebuild(elements, ec, int(i)); err != nil {
				return err
			}
		}
		if !there {
			one.out = []byte{variantNull}
		}
		values = append(values, one.out)
	}
	b.putArray(values)
	return nil
}

// primitive appends a value of a leaf.
func (b *variantBuilder) primitive(v *vector.Vector, c *Column, row int) error {
	if v.Dict != nil {
		v, row = v.Dict, int(vector.Codes(v)[row])
	}
	switch c.Type.Kind {
	case types.KindBoolean:
		if v.Data[row] != 0 {
			b.head(primitiveTrue)
		} else {
			b.head(primitiveFalse)
		}
	case types.KindByte:
		b.long(int64(vector.Values[int8](v)[row]))
	case types.KindShort:
		b.long(int64(vector.Values[int16](v)[row]))
	case types.KindInteger:
		b.long(int64(vector.Values[int32](v)[row]))
	case types.KindLong:
		b.long(vector.Values[int64](v)[row])
	case types.KindFloat:
		b.head(primitiveFloat)
		b.out = binary.LittleEndian.AppendUint32(b.out, math.Float32bits(vector.Values[float32](v)[row]))
	case types.KindDouble:
		b.head(primitiveDouble)
		b.out = binary.LittleEndian.AppendUint64(b.out, math.Float64bits(vector.Values[float64](v)[row]))
	case types.KindDate:
		b.head(primitiveDate)
		b.out = binary.LittleEndian.AppendUint32(b.out, uint32(vector.Values[int32](v)[row]))
	case types.KindTimestamp, types.KindTimestampNTZ:
		kind := byte(primitiveTimestamp)
		if c.Type.Kind == types.KindTimestampNTZ {
			kind = primitiveTimestampNTZ
		}
		b.head(kind)
		b.out = binary.LittleEndian.AppendUint64(b.out, uint64(vector.Values[int64](v)[row]))
	case types.KindDecimal:
		b.decimal(v, c.Type, row)
	case types.KindString:
		b.text(v.Str(row))
	case types.KindBinary:
		b.head(primitiveBinary)
		b.bytes(v.Str(row))
	default:
		return errVariant
	}
	return nil
}

func (b *variantBuilder) head(primitive byte) { b.out = append(b.out, primitive<<2|variantPrimitive) }

func (b *variantBuilder) bytes(s []byte) {
	b.out = binary.LittleEndian.AppendUint32(b.out, uint32(len(s)))
	b.out = append(b.out, s...)
}

func (b *variantBuilder) text(s []byte) {
	if len(s) < 64 {
		b.out = append(append(b.out, byte(len(s))<<2|variantShort), s...)
		return
	}
	b.head(primitiveString)
	b.bytes(s)
}

// long appends an integer in as few bytes as it takes.
func (b *variantBuilder) long(n int64) {
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
		b.head(primitiveInt64)
		b.out = binary.LittleEndian.AppendUint64(b.out, uint64(n))
	}
}

func (b *variantBuilder) decimal(v *vector.Vector, t *types.Type, row int) {
	n := decimal128.Num{}
	if t.IsShortDecimal() {
		n = decimal128.FromI64(vector.Values[int64](v)[row])
	} else {
		n = vector.Values[decimal128.Num](v)[row]
	}
	small := n.FitsInPrecision(18)
	switch {
	case t.Precision <= 9 && small:
		b.head(primitiveDecimal4)
		b.out = binary.LittleEndian.AppendUint32(append(b.out, byte(t.Scale)), uint32(n.LowBits()))
	case t.Precision <= 18 && small:
		b.head(primitiveDecimal8)
		b.out = binary.LittleEndian.AppendUint64(append(b.out, byte(t.Scale)), n.LowBits())
	default:
		b.head(primitiveDecimal16)
		b.out = binary.LittleEndian.AppendUint64(append(b.out, byte(t.Scale)), n.LowBits())
		b.out = binary.LittleEndian.AppendUint64(b.out, uint64(n.HighBits()))
	}
}

// objectField is a field of an object with its encoded value; id -1 is still to be looked up.
type objectField struct {
	name  string
	id    int
	value []byte
}

// littleEndian reads a little-endian number of width bytes.
func littleEndian(b []byte, at, width int) (int, error) {
	if at < 0 || at+width > len(b) {
		return 0, errVariant
	}
	n := 0
	for i := width - 1; i >= 0; i-- {
		n = n<<8 | int(b[at+i])
	}
	return n, nil
}

// key is the name of a number in the variant's dictionary.
func (b *variantBuilder) key(id int) (string, error) {
	width, size, err := b.dictionary()
	if err != nil || id < 0 || id >= size {
		return "", errVariant
	}
	from, err1 := littleEndian(b.meta, 1+width+id*width, width)
	to, err2 := littleEndian(b.meta, 1+width+(id+1)*width, width)
	start := 1 + width + (size+1)*width
	if err1 != nil || err2 != nil || from > to || start+to > len(b.meta) {
		return "", errVariant
	}
	return string(b.meta[start+from : start+to]), nil
}

func (b *variantBuilder) dictionary() (width, size int, err error) {
	if len(b.meta) == 0 {
		return 0, 0, errVariant
	}
	width = int(b.meta[0]>>6) + 1
	size, err = littleEndian(b.meta, 1, width)
	return width, size, err
}

// id finds a name in the dictionary.
func (b *variantBuilder) id(name string) (int, error) {
	_, size, err := b.dictionary()
	if err != nil {
		return 0, err
	}
	for i := range size {
		if k, err := b.key(i); err != nil {
			return 0, err
		} else if k == name {
			return i, nil
		}
	}
	return 0, errVariant
}

// objectFields takes an encoded object apart.
func (b *variantBuilder) objectFields(v []byte) ([]objectField, error) {
	if len(v) == 0 || v[0]&3 != variantObject {
		return nil, errVariant
	}
	h := v[0] >> 2
	offsetWidth, idWidth, countWidth := int(h&3)+1, int(h>>2&3)+1, 1
	if h&16 != 0 {
		countWidth = 4
	}
	n, err := littleEndian(v, 1, countWidth)
	if err != nil {
		return nil, err
	}
	ids := 1 + countWidth
	offsets := ids + n*idWidth
	values := offsets + (n+1)*offsetWidth
	if n > len(v) || values > len(v) {
		return nil, errVariant
	}
	var fields []objectField
	for i := range n {
		id, _ := littleEndian(v, ids+i*idWidth, idWidth)
		at, _ := littleEndian(v, offsets+i*offsetWidth, offsetWidth)
		name, err := b.key(id)
		if err != nil {
			return nil, err
		}
		size, err := valueSize(v[min(values+at, len(v)):])
		if err != nil {
			return nil, err
		}
		fields = append(fields, objectField{name, id, v[values+at : values+at+size]})
	}
	return fields, nil
}

// primitiveSizes are the bytes of primitives of fixed size, with the first one.
var primitiveSizes = [...]int{1, 1, 1, 2, 3, 5, 9, 9, 6, 10, 18, 5, 9, 9, 5, 0, 0, 9, 9, 9, 17}

// valueSize is how long the value at the start of v is.
func valueSize(v []byte) (size int, err error) {
	if len(v) == 0 {
		return 0, errVariant
	}
	h := int(v[0] >> 2)
	switch v[0] & 3 {
	case variantShort:
		size = 1 + h
	case variantPrimitive:
		if h >= len(primitiveSizes) {
			return 0, errVariant
		}
		if size = primitiveSizes[h]; size == 0 {
			n, err := littleEndian(v, 1, 4)
			if err != nil {
				return 0, err
			}
			size = 5 + n
		}
	default:
		size, err = containerSize(v, h)
	}
	if err != nil || size > len(v) {
		return 0, errVariant
	}
	return size, nil
}

func containerSize(v []byte, h int) (int, error) {
	offsetWidth, idWidth, large := h&3+1, 0, h&4 != 0
	if v[0]&3 == variantObject {
		idWidth, large = h>>2&3+1, h&16 != 0
	}
	countWidth := 1
	if large {
		countWidth = 4
	}
	n, err := littleEndian(v, 1, countWidth)
	if err != nil || n > len(v) {
		return 0, errVariant
	}
	offsets := 1 + countWidth + n*idWidth
	end, err := littleEndian(v, offsets+n*offsetWidth, offsetWidth)
	return offsets + (n+1)*offsetWidth + end, err
}

// widthOf is how many bytes numbers up to n take.
func widthOf(n int) int {
	width := 1
	for ; n > 0xff; n >>= 8 {
		width++
	}
	return width
}

func (b *variantBuilder) putNumber(n, width int) {
	for range width {
		b.out = append(b.out, byte(n))
		n >>= 8
	}
}

// putObject appends an object, whose fields stand in the order of their names.
func (b *variantBuilder) putObject(fields []objectField) error {
	sort.Slice(fields, func(i, j int) bool { return bytes.Compare([]byte(fields[i].name), []byte(fields[j].name)) < 0 })
	size, last := 0, 0
	for i := range fields {
		f := &fields[i]
		if f.id < 0 {
			var err error
			if f.id, err = b.id(f.name); err != nil {
				return err
			}
		}
		size, last = size+len(f.value), max(last, f.id)
	}
	offsetWidth, idWidth := widthOf(size), widthOf(last)
	header, countWidth := offsetWidth-1|(idWidth-1)<<2, 1
	if len(fields) > 255 {
		header, countWidth = header|16, 4
	}
	b.out = append(b.out, byte(header<<2|variantObject))
	b.putNumber(len(fields), countWidth)
	for _, f := range fields {
		b.putNumber(f.id, idWidth)
	}
	at := 0
	for _, f := range fields {
		b.putNumber(at, offsetWidth)
		at += len(f.value)
	}
	b.putNumber(at, offsetWidth)
	for _, f := range fields {
		b.out = append(b.out, f.value...)
	}
	return nil
}

func (b *variantBuilder) putArray(values [][]byte) {
	size := 0
	for _, v := range values {
		size += len(v)
	}
	offsetWidth, countWidth := widthOf(size), 1
	header := offsetWidth - 1
	if len(values) > 255 {
		header, countWidth = header|4, 4
	}
	b.out = append(b.out, byte(header<<2|variantArray))
	b.putNumber(len(values), countWidth)
	at := 0
	for _, v := range values {
		b.putNumber(at, offsetWidth)
		at += len(v)
	}
	b.putNumber(at, offsetWidth)
	for _, v := range values {
		b.out = append(b.out, v...)
	}
}
