package parquet

import (
	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"

	"millrace/types"
)

// schemaWriter lays a Spark schema out as a Parquet one, and makes the writers of its columns.
type schemaWriter struct {
	opts   *WriteOptions
	codec  format.CompressionCodec
	elems  []schemaElement
	leaves []*leafWriter
}

// column adds the elements of a field and returns its writer.
func (b *schemaWriter) column(f types.Field, path []string, def, rep uint8) (*shredder, error) {
	place := storedField(f)
	path = append(path[:len(path):len(path)], place.Name)
	t := f.Type
	if t.Kind == types.KindUDT {
		t = t.Elem
	}
	s := &shredder{typ: t, name: place.Name, nullable: f.Nullable, rep: rep}
	if f.Nullable {
		def++
	}
	s.def = def
	e := schemaElement{Name: place.Name, Repetition: thrift.New(format.Required)}
	if f.Nullable {
		e.Repetition.V = format.Optional
	}
	if place.ID > 0 {
		e.FieldID = thrift.New(place.ID)
	}
	before := len(b.leaves)
	var err error
	switch t.Kind {
	case types.KindStruct:
		err = b.group(s, e, path, def, rep, t.Fields)
	case types.KindVariant:
		err = b.group(s, e, path, def, rep, variantFields)
	case types.KindArray:
		err = b.list(s, e, path, def, rep, place)
	case types.KindMap:
		err = b.mapOf(s, e, path, def, rep, place)
	default:
		err = b.leaf(s, e, path, def, rep)
	}
	s.leafs = b.leaves[before:len(b.leaves):len(b.leaves)]
	return s, err
}

func (b *schemaWriter) group(s *shredder, e schemaElement, path []string, def, rep uint8, fields []types.Field) error {
	e.NumChildren = thrift.New(int32(len(fields)))
	b.elems = append(b.elems, e)
	for _, f := range fields {
		c, err := b.column(f, path, def, rep)
		if err != nil {
			return err
		}
		s.children = append(s.children, c)
	}
	return nil
}

// variantFields are the members of a variant's group, in the order of a variant vector's children.
var variantFields = []types.Field{{Name: "value", Type: types.Binary}, {Name: "metadata", Type: types.Binary}}

func (b *schemaWriter) list(s *shredder, e schemaElement, path []string, def, rep uint8, place stored) error {
	e.NumChildren, e.Converted, e.Logical.Value = thrift.New[int32](1), thrift.New(deprecated.List), &format.ListType{}
	b.elems = append(b.elems, e)
	elem := place.member("element", s.typ.Elem, s.typ.ElemNull)
	return b.group(s, repeatedGroup("list"), append(path, "list"), def+1, rep+1, []types.Field{elem})
}

func (b *schemaWriter) mapOf(s *shredder, e schemaElement, path []string, def, rep uint8, place stored) error {
	e.NumChildren, e.Converted, e.Logical.Value = thrift.New[int32](1), thrift.New(deprecated.Map), &format.MapType{}
	b.elems = append(b.elems, e)
	return b.group(s, repeatedGroup("key_value"), append(path, "key_value"), def+1, rep+1, []types.Field{
		place.member("key", s.typ.Key, false), place.member("value", s.typ.Elem, s.typ.ElemNull)})
}

func repeatedGroup(name string) schemaElement {
	return schemaElement{Name: name, Repetition: thrift.New(format.Repeated)}
}

func (b *schemaWriter) leaf(s *shredder, e schemaElement, path []string, def, rep uint8) error {
	w, err := newLeafWriter(path, s.typ, def, rep, b.opts, b.codec)
	if err != nil {
		return err
	}
	e.Type = thrift.New(w.physical)
	if w.lane == laneFixed {
		e.TypeLength = thrift.New(int32(w.width))
	}
	annotate(&e, s.typ, w)
	b.elems = append(b.elems, e)
	b.leaves = append(b.leaves, w)
	if len(path) == 1 {
		s.leaf = w
	}
	return nil
}

// annotate adds the logical type that Spark writes, and the older converted type where there is one.
func annotate(e *schemaElement, t *types.Type, w *leafWriter) {
	micros := format.TimeUnit{Value: &format.MicroSeconds{}}
	switch t.Kind {
	case types.KindByte:
		e.Converted, e.Logical.Value = thrift.New(deprecated.Int8), &format.IntType{BitWidth: 8, IsSigned: true}
	case types.KindShort:
		e.Converted, e.Logical.Value = thrift.New(deprecated.Int16), &format.IntType{BitWidth: 16, IsSigned: true}
	case types.KindString:
		e.Converted, e.Logical.Value = thrift.New(deprecated.UTF8), &format.StringType{}
	case types.KindDate:
		e.Converted, e.Logical.Value = thrift.New(deprecated.Date), &format.DateType{}
	case types.KindTimestamp:
		switch {
		case w.physical == format.Int96:
		case w.unit == 1000:
			e.Converted = thrift.New(deprecated.TimestampMillis)
			e.Logical.Value = &format.TimestampType{IsAdjustedToUTC: true, Unit: format.TimeUnit{Value: &format.MilliSeconds{}}}
		default:
			e.Converted, e.Logical.Value = thrift.New(deprecated.TimestampMicros), &format.TimestampType{IsAdjustedToUTC: true, Unit: micros}
		}
	case types.KindTimestampNTZ:
		e.Logical.Value = &format.TimestampType{Unit: micros}
	case types.KindTime:
		e.Logical.Value = &format.TimeType{Unit: micros}
	case types.KindDecimal:
		p, sc := int32(t.Precision), int32(t.Scale)
		e.Converted, e.Precision, e.Scale = thrift.New(deprecated.Decimal), thrift.New(p), thrift.New(sc)
		e.Logical.Value = &format.DecimalType{Precision: p, Scale: sc}
	}
}
