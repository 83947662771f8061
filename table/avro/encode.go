package avro

import (
	"encoding/binary"
	"math/big"
	"slices"

	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"millrace/errs"
	"millrace/types"
	"millrace/vector"
)

// encoder appends a row of a column, which is not null.
type encoder func(dst []byte, v *vector.Vector, row int) ([]byte, error)

func appendLong(dst []byte, v int64) []byte {
	return binary.AppendUvarint(dst, uint64(v<<1)^uint64(v>>63))
}

func appendBytes(dst, b []byte) []byte { return append(appendLong(dst, int64(len(b))), b...) }

func cannotWrite(s *Schema, t *types.Type, path string) error {
	return errs.Newf(errs.Invalid, "Cannot convert SQL field '%s' to Avro field '%s' because schema is incompatible (sqlType = %s, avroType = %s).", path, path, t.SQL(), s.describe())
}

// nullable compiles the writing of a column that may hold nulls, which a union has a branch for.
func nullable(s *Schema, t *types.Type, path string) (encoder, error) {
	if s.Kind != "union" {
		e, err := newEncoder(s, t, path)
		if err != nil {
			return nil, err
		}
		return func(dst []byte, v *vector.Vector, row int) ([]byte, error) {
			if v.IsNull(row) && s.Kind != "null" {
				return nil, errs.New("AVRO_CANNOT_WRITE_NULL_FIELD", "name", types.Quote(baseName(path)), "dataType", s.describe())
			}
			return plain(e, dst, v, row)
		}, nil
	}
	rest, _ := s.alternatives()
	none := int64(slices.IndexFunc(s.Branches, func(b *Schema) bool { return b.Kind == "null" }))
	if len(rest) != 1 && t.Kind == types.KindStruct {
		return membersEncoder(s, rest, t, path, none)
	}
	one := branchFor(rest, t)
	if one == nil {
		return nil, cannotWrite(s, t, path)
	}
	some := int64(slices.Index(s.Branches, one))
	e, err := newEncoder(one, t, path)
	if err != nil {
		return nil, err
	}
	return func(dst []byte, v *vector.Vector, row int) ([]byte, error) {
		if !v.IsNull(row) {
			return plain(e, appendLong(dst, some), v, row)
		}
		if none < 0 {
			return nil, errs.Newf(errs.Invalid, "The column %s has a null, for which its Avro type has no place.", path)
		}
		return appendLong(dst, none), nil
	}, nil
}

// branchFor is the branch that a union's plain values are written as: its only one, or the wider of two numbers.
func branchFor(rest []*Schema, t *types.Type) *Schema {
	if len(rest) == 1 {
		return rest[0]
	}
	own, _, err := (&Schema{Kind: "union", Branches: rest}).Type()
	if err != nil || !own.Equal(t) {
		return nil
	}
	wide := map[types.Kind]string{types.KindLong: "long", types.KindDouble: "double"}[t.Kind]
	if i := slices.IndexFunc(rest, func(b *Schema) bool { return b.Kind == wide }); i >= 0 {
		return rest[i]
	}
	return nil
}

// membersEncoder writes a struct with a member for each branch besides null: the first that is not null.
func membersEncoder(s *Schema, rest []*Schema, t *types.Type, path string, none int64) (encoder, error) {
	if len(t.Fields) != len(rest) {
		return nil, cannotWrite(s, t, path)
	}
	encoders, branches := make([]encoder, len(rest)), make([]int64, len(rest))
	for i, b := range rest {
		if t.Fields[i].Name != (naming{}).member(i, b) {
			return nil, cannotWrite(s, t, path)
		}
		var err error
		if encoders[i], err = newEncoder(b, t.Fields[i].Type, join(path, t.Fields[i].Name)); err != nil {
			return nil, err
		}
		branches[i] = int64(slices.Index(s.Branches, b))
	}
	member := func(dst []byte, v *vector.Vector, row int) ([]byte, error) {
		for i, e := range encoders {
			if m := v.Children[i]; !m.IsNull(row) {
				return plain(e, appendLong(dst, branches[i]), m, row)
			}
		}
		if none < 0 {
			return nil, errs.Newf(errs.Invalid, "The column %s has a null, for which its Avro type has no place.", path)
		}
		return appendLong(dst, none), nil
	}
	return func(dst []byte, v *vector.Vector, row int) ([]byte, error) {
		if !v.IsNull(row) {
			return plain(member, dst, v, row)
		}
		if none < 0 {
			return nil, errs.Newf(errs.Invalid, "The column %s has a null, for which its Avro type has no place.", path)
		}
		return appendLong(dst, none), nil
	}, nil
}

// plain calls an encoder with a vector that is neither constant nor a dictionary's.
func plain(e encoder, dst []byte, v *vector.Vector, row int) ([]byte, error) {
	row = v.Row(row)
	if v.Dict != nil {
		v, row = v.Dict, int(vector.Codes(v)[row])
	}
	return e(dst, v, row)
}

func newEncoder(s *Schema, t *types.Type, path string) (encoder, error) {
	if t.Kind == types.KindUDT {
		t = t.Elem
	}
	switch s.Kind {
	case "null":
		return func(dst []byte, _ *vector.Vector, _ int) ([]byte, error) { return dst, nil }, nil
	case "boolean":
		if t.Kind == types.KindBoolean {
			return func(dst []byte, v *vector.Vector, row int) ([]byte, error) { return append(dst, v.Data[row]), nil }, nil
		}
	case "int", "long":
		if e := integerEncoder(s, t); e != nil {
			return e, nil
		}
	case "float", "double":
		if s.Kind == "float" && t.Kind == types.KindFloat || s.Kind == "double" && t.Kind == types.KindDouble {
			w := vector.Width(t)
			return func(dst []byte, v *vector.Vector, row int) ([]byte, error) {
				return append(dst, v.Data[row*w:(row+1)*w]...), nil
			}, nil
		}
	case "array":
		if t.Kind == types.KindArray {
			return arrayEncoder(s, t, path)
		}
	case "map":
		if t.Kind == types.KindMap && t.Key.Kind == types.KindString {
			return mapEncoder(s, t, path)
		}
	case "record":
		if t.Kind == types.KindStruct {
			return recordEncoder(s, t, path)
		}
	default:
		if e := textEncoder(s, t, path); e != nil {
			return e, nil
		}
	}
	return nil, cannotWrite(s, t, path)
}

func integerEncoder(s *Schema, t *types.Type) encoder {
	switch t.Kind {
	case types.KindByte:
		return longs[int8](1)
	case types.KindShort:
		return longs[int16](1)
	case types.KindInteger, types.KindDate, types.KindYearMonth:
		return longs[int32](1)
	case types.KindTimestamp, types.KindTimestampNTZ:
		if s.Kind == "long" && s.Logical != "timestamp-micros" && s.Logical != "local-timestamp-micros" { // Spark writes numbers without a unit as milliseconds
			return longs[int64](1000)
		}
		fallthrough
	case types.KindLong, types.KindDayTime:
		if s.Kind == "long" {
			return longs[int64](1)
		}
	}
	return nil
}

func longs[T int8 | int16 | int32 | int64](per int64) encoder {
	return func(dst []byte, v *vector.Vector, row int) ([]byte, error) {
		n := int64(vector.Values[T](v)[row])
		q := n / per
		if n%per < 0 {
			q--
		}
		return appendLong(dst, q), nil
	}
}

func textEncoder(s *Schema, t *types.Type, path string) encoder {
	switch {
	case t.Kind == types.KindDecimal && s.isDecimal() && s.Precision == t.Precision && s.Scale == t.Scale:
		return decimalEncoder(s, t)
	case s.Kind == "enum" && t.Kind == types.KindString:
		return func(dst []byte, v *vector.Vector, row int) ([]byte, error) {
			i := slices.Index(s.Symbols, string(v.Str(row)))
			if i < 0 {
				return nil, errs.Newf(errs.Invalid, "Cannot write %q: the enum of %s has no such symbol.", v.Str(row), path)
			}
			return appendLong(dst, int64(i)), nil
		}
	case s.Kind == "fixed" && t.Kind == types.KindBinary:
		return func(dst []byte, v *vector.Vector, row int) ([]byte, error) {
			if b := v.Str(row); len(b) == s.Size {
				return append(dst, b...), nil
			}
			return nil, errs.Newf(errs.Invalid, "Cannot write %d bytes of binary data into the fixed type of %s, which has %d bytes.", len(v.Str(row)), path, s.Size)
		}
	case s.Kind == "string" && t.Kind == types.KindString, s.Kind == "bytes" && (t.Kind == types.KindBinary || t.Kind == types.KindString):
		return func(dst []byte, v *vector.Vector, row int) ([]byte, error) { return appendBytes(dst, v.Str(row)), nil }
	}
	return nil
}

func decimalEncoder(s *Schema, t *types.Type) encoder {
	size := s.Size
	if s.Kind == "bytes" {
		size = bytesFor(t.Precision)
	}
	return func(dst []byte, v *vector.Vector, row int) ([]byte, error) {
		var n *big.Int
		if t.IsShortDecimal() {
			n = big.NewInt(vector.Values[int64](v)[row])
		} else {
			n = vector.Values[decimal128.Num](v)[row].BigInt()
		}
		if n.Sign() < 0 {
			n.Add(n, new(big.Int).Lsh(big.NewInt(1), uint(8*size)))
		}
		if s.Kind == "bytes" {
			dst = appendLong(dst, int64(size))
		}
		dst = append(dst, make([]byte, size)...)
		n.FillBytes(dst[len(dst)-size:])
		return dst, nil
	}
}

func arrayEncoder(s *Schema, t *types.Type, path string) (encoder, error) {
	elem, err := nullable(s.Items, t.Elem, path+".element")
	if err != nil {
		return nil, err
	}
	return func(dst []byte, v *vector.Vector, row int) ([]byte, error) {
		from, to := v.Offsets[row], v.Offsets[row+1]
		if to > from {
			dst = appendLong(dst, int64(to-from))
		}
		var err error
		for i := from; i < to && err == nil; i++ {
			dst, err = elem(dst, v.Children[0], int(i))
		}
		return append(dst, 0), err
	}, nil
}

func mapEncoder(s *Schema, t *types.Type, path string) (encoder, error) {
	value, err := nullable(s.Items, t.Elem, path+".value")
	if err != nil {
		return nil, err
	}
	key := textEncoder(&Schema{Kind: "string"}, types.String, path)
	return func(dst []byte, v *vector.Vector, row int) ([]byte, error) {
		from, to := v.Offsets[row], v.Offsets[row+1]
		if to > from {
			dst = appendLong(dst, int64(to-from))
		}
		for i := from; i < to; i++ {
			var err error
			if dst, err = plain(key, dst, v.Children[0], int(i)); err != nil {
				return nil, err
			}
			if dst, err = value(dst, v.Children[1], int(i)); err != nil {
				return nil, err
			}
		}
		return append(dst, 0), nil
	}, nil
}

// recordEncoder writes a struct; the record's fields are found by name.
func recordEncoder(s *Schema, t *types.Type, path string) (encoder, error) {
	fields, places, err := fieldEncoders(s, t, path)
	if err != nil {
		return nil, err
	}
	return func(dst []byte, v *vector.Vector, row int) ([]byte, error) {
		var err error
		for i, f := range fields {
			if dst, err = f(dst, v.Children[places[i]], row); err != nil {
				return nil, err
			}
		}
		return dst, nil
	}, nil
}

// fieldEncoders write a record's fields, each from the column at its place.
func fieldEncoders(s *Schema, t *types.Type, path string) (list []encoder, places []int, err error) {
	if s.Kind != "record" || len(s.Fields) != len(t.Fields) {
		return nil, nil, cannotWrite(s, t, path)
	}
	for _, f := range s.Fields {
		_, at := t.Field(f.Name, false)
		if at < 0 {
			return nil, nil, errs.Newf(errs.Invalid, "Cannot find the column '%s' for the field of that name in the Avro schema.", join(path, f.Name))
		}
		e, err := nullable(f.Schema, t.Fields[at].Type, join(path, f.Name))
		if err != nil {
			return nil, nil, err
		}
		list, places = append(list, e), append(places, at)
	}
	return list, places, nil
}
