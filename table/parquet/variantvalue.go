package parquet

import (
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"millrace/types"
	"millrace/variant"
	"millrace/vector"
)

var errVariant = corrupt("a shredded variant does not follow the format")

// variantBuilder encodes one variant's value over a dictionary that the file has.
type variantBuilder struct {
	meta []byte
	b    variant.Builder
}

// begin is called before a variant is built.
func (b *variantBuilder) begin(metadata []byte) error {
	b.meta = metadata
	if b.b.ResetOver(metadata) != nil {
		return errVariant
	}
	return nil
}

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
		b.b.Raw(value.Str(row))
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
	object := b.b.Begin()
	if rest != nil {
		v := variant.New(b.meta, rest)
		if v.Kind() != variant.Object {
			return errVariant
		}
		for i := range v.Len() {
			name, ok := v.Name(i)
			value := v.At(i).Raw()
			if !ok || value == nil {
				return errVariant
			}
			b.b.Name(name)
			b.b.Raw(value)
		}
	}
	for i, f := range tc.Children {
		if typed.Children[i].IsNull(row) {
			continue
		}
		field := b.b.Begin()
		b.b.Name([]byte(f.Name))
		if there, err := b.rebuild(typed.Children[i], f, row); err != nil {
			return err
		} else if !there {
			b.b.Truncate(field)
		}
	}
	if b.b.EndObject(object) != nil {
		return errVariant
	}
	return nil
}

// array appends an array of shredded elements.
func (b *variantBuilder) array(typed *vector.Vector, tc *Column, row int) error {
	elements, ec := typed.Children[0], tc.Children[0]
	array := b.b.Begin()
	for i := typed.Offsets[row]; i < typed.Offsets[row+1]; i++ {
		b.b.Element()
		there := false
		if !elements.IsNull(int(i)) {
			var err error
			if there, err = b.rebuild(elements, ec, int(i)); err != nil {
				return err
			}
		}
		if !there {
			b.b.Null()
		}
	}
	b.b.EndArray(array)
	return nil
}

// primitive appends a value of a leaf.
func (b *variantBuilder) primitive(v *vector.Vector, c *Column, row int) error {
	if v.Dict != nil {
		v, row = v.Dict, int(vector.Codes(v)[row])
	}
	switch c.Type.Kind {
	case types.KindBoolean:
		b.b.Bool(v.Data[row] != 0)
	case types.KindByte:
		b.b.Long(int64(vector.Values[int8](v)[row]))
	case types.KindShort:
		b.b.Long(int64(vector.Values[int16](v)[row]))
	case types.KindInteger:
		b.b.Long(int64(vector.Values[int32](v)[row]))
	case types.KindLong:
		b.b.Long(vector.Values[int64](v)[row])
	case types.KindFloat:
		b.b.Float(vector.Values[float32](v)[row])
	case types.KindDouble:
		b.b.Double(vector.Values[float64](v)[row])
	case types.KindDate:
		b.b.Date(vector.Values[int32](v)[row])
	case types.KindTimestamp:
		b.b.Timestamp(vector.Values[int64](v)[row])
	case types.KindTimestampNTZ:
		b.b.TimestampNTZ(vector.Values[int64](v)[row])
	case types.KindDecimal:
		var n decimal128.Num
		if c.Type.IsShortDecimal() {
			n = decimal128.FromI64(vector.Values[int64](v)[row])
		} else {
			n = vector.Values[decimal128.Num](v)[row]
		}
		b.b.DecimalOf(c.Type.Precision, n, c.Type.Scale)
	case types.KindString:
		b.b.String(v.Str(row))
	case types.KindBinary:
		b.b.Binary(v.Str(row))
	default:
		return errVariant
	}
	return nil
}
