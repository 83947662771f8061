package expr

import (
	"errors"

	"millrace/errs"
	"millrace/types"
	"millrace/variant"
	"millrace/vector"
)

// castToVariant makes variants of values of other types.
func castToVariant(e castEnv) caster {
	k := toVariant(e.from)
	return func(in *vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		return k(nil, []*vector.Vector{in}, sel, n, out)
	}
}

func toVariant(*types.Type) Kernel {
	var b variant.Builder
	return func(_ *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		w := NewVariantWriter(out, n)
		err := RowsErr(sel, n, func(i int) error {
			b.Reset()
			if err := appendToVariant(&b, args[0], i); err != nil {
				return VariantError(err)
			}
			return w.Append(i, &b)
		})
		w.Close()
		return err
	}
}

// VariantError is the error that the user sees of one in building a variant.
func VariantError(err error) error {
	var twice *variant.DuplicateName
	switch {
	case errors.As(err, &twice):
		return errs.New("VARIANT_DUPLICATE_KEY", "key", twice.Name)
	case errors.Is(err, variant.ErrMalformed):
		return malformedVariant()
	}
	return err
}

// appendToVariant appends row i of a column.
func appendToVariant(b *variant.Builder, v *vector.Vector, i int) error {
	if v.IsNull(i) {
		b.Null()
		return nil
	}
	v, i = slotOf(v, i)
	switch t := vector.Storage(v.Type); t.Kind {
	case types.KindBoolean:
		b.Bool(vector.Values[bool](v)[i])
	case types.KindByte, types.KindShort, types.KindInteger, types.KindLong:
		b.Long(intAt(v, i))
	case types.KindFloat:
		b.Float(vector.Values[float32](v)[i])
	case types.KindDouble:
		b.Double(vector.Values[float64](v)[i])
	case types.KindDecimal:
		d := readDecimals(v)
		b.Decimal(d.at(i), t.Scale)
	case types.KindString:
		b.String(v.Str(i))
	case types.KindBinary:
		b.Binary(v.Str(i))
	case types.KindDate:
		b.Date(vector.Values[int32](v)[i])
	case types.KindTimestamp:
		b.Timestamp(vector.Values[int64](v)[i])
	case types.KindTimestampNTZ:
		b.TimestampNTZ(vector.Values[int64](v)[i])
	case types.KindVariant:
		return b.Append(Variant(v, i))
	case types.KindArray:
		m := b.Begin()
		for j := v.Offsets[i]; j < v.Offsets[i+1]; j++ {
			b.Element()
			if err := appendToVariant(b, v.Children[0], int(j)); err != nil {
				return err
			}
		}
		b.EndArray(m)
	case types.KindMap:
		m := b.Begin()
		for j := v.Offsets[i]; j < v.Offsets[i+1]; j++ {
			b.Name(v.Children[0].Str(int(j)))
			if err := appendToVariant(b, v.Children[1], int(j)); err != nil {
				return err
			}
		}
		return b.EndObject(m)
	case types.KindStruct:
		m := b.Begin()
		for k, f := range t.Fields {
			b.Name([]byte(f.Name))
			if err := appendToVariant(b, v.Children[k], i); err != nil {
				return err
			}
		}
		return b.EndObject(m)
	default:
		return errs.Newf(errs.Internal, "a variant of a %s", t)
	}
	return nil
}
