package protobuf

import (
	"fmt"

	"google.golang.org/protobuf/reflect/protoreflect"

	"millrace/errs"
	"millrace/types"
)

// unsignedLong holds every uint64.
var unsignedLong = types.Decimal(20, 0)

const emptyField = "__dummy_field_in_empty_struct"

// Type is the struct that messages are read as.
func (m *Message) Type(o *Options) (*types.Type, error) {
	t, err := o.structOf(m.desc, map[protoreflect.FullName]int{m.desc.FullName(): 1})
	if err == nil && t == nil {
		t = types.Struct()
	}
	return t, err
}

// structOf is nil if there are no fields; seen are the messages around it, with how often each.
func (o *Options) structOf(d protoreflect.MessageDescriptor, seen map[protoreflect.FullName]int) (*types.Type, error) {
	var fields []types.Field
	for i := range d.Fields().Len() {
		fd := d.Fields().Get(i)
		t, err := o.typeOf(fd, seen)
		if err != nil {
			return nil, err
		}
		switch {
		case t == nil:
			continue
		case fd.IsMap():
		case fd.IsList():
			t = types.ArrayOf(t, false)
		}
		fields = append(fields, types.Field{Name: string(fd.Name()), Type: t, Nullable: fd.Cardinality() != protoreflect.Required})
	}
	switch {
	case len(fields) > 0:
		return types.Struct(fields...), nil
	case o.retainEmpty:
		return types.Struct(types.Field{Name: emptyField, Type: types.String, Nullable: true}), nil
	}
	return nil, nil
}

// typeOf is the type of a field's single values, or of all of a map. It is nil if the field is left out: it goes too deep, or has nothing in it.
func (o *Options) typeOf(fd protoreflect.FieldDescriptor, seen map[protoreflect.FullName]int) (*types.Type, error) {
	if fd.Message() == nil {
		return o.scalarType(fd)
	}
	d := fd.Message()
	switch {
	case isMoment(d, "Duration"):
		return types.DayTime, nil
	case isMoment(d, "Timestamp"):
		return types.Timestamp, nil
	case o.anyJSON && d.FullName() == anyName:
		return types.String, nil
	case o.unwrap && isWrapper(d):
		return o.scalarType(d.Fields().Get(0))
	case fd.IsMap():
		key, err := o.typeOf(fd.MapKey(), seen)
		if err != nil {
			return nil, err
		}
		value, err := o.typeOf(fd.MapValue(), seen)
		if err != nil || value == nil {
			return nil, err
		}
		return types.MapOf(key, value, false), nil
	}
	name := d.FullName()
	depth := seen[name]
	switch {
	case depth > 0 && (o.depth <= 0 || o.depth > 10):
		return nil, errs.New("RECURSIVE_PROTOBUF_SCHEMA", "fieldDescriptor", string(fd.FullName()))
	case depth > 0 && depth >= o.depth:
		return nil, nil
	}
	seen[name]++
	t, err := o.structOf(d, seen)
	if seen[name]--; depth == 0 {
		delete(seen, name)
	}
	return t, err
}

func (o *Options) scalarType(fd protoreflect.FieldDescriptor) (*types.Type, error) {
	switch fd.Kind() {
	case protoreflect.BoolKind:
		return types.Boolean, nil
	case protoreflect.Uint32Kind:
		if o.upcast {
			return types.Long, nil
		}
		return types.Integer, nil
	case protoreflect.Int32Kind, protoreflect.Sint32Kind, protoreflect.Fixed32Kind, protoreflect.Sfixed32Kind:
		return types.Integer, nil
	case protoreflect.Uint64Kind:
		if o.upcast {
			return unsignedLong, nil
		}
		return types.Long, nil
	case protoreflect.Int64Kind, protoreflect.Sint64Kind, protoreflect.Fixed64Kind, protoreflect.Sfixed64Kind:
		return types.Long, nil
	case protoreflect.FloatKind:
		return types.Float, nil
	case protoreflect.DoubleKind:
		return types.Double, nil
	case protoreflect.StringKind:
		return types.String, nil
	case protoreflect.BytesKind:
		return types.Binary, nil
	case protoreflect.EnumKind:
		if o.enumNumbers {
			return types.Integer, nil
		}
		return types.String, nil
	}
	return nil, errs.New("PROTOBUF_TYPE_NOT_SUPPORT", "protobufType", fmt.Sprint(fd.Kind()))
}

const anyName protoreflect.FullName = "google.protobuf.Any"

// isMoment tells a Timestamp or Duration by its shape, as Spark does.
func isMoment(d protoreflect.MessageDescriptor, name protoreflect.Name) bool {
	f := d.Fields()
	return d.Name() == name && f.Len() == 2 && f.Get(0).Name() == "seconds" && f.Get(1).Name() == "nanos"
}

var wrappers = map[protoreflect.FullName]bool{"google.protobuf.BoolValue": true, "google.protobuf.Int32Value": true, "google.protobuf.UInt32Value": true,
	"google.protobuf.Int64Value": true, "google.protobuf.UInt64Value": true, "google.protobuf.StringValue": true, "google.protobuf.BytesValue": true,
	"google.protobuf.FloatValue": true, "google.protobuf.DoubleValue": true}

// isWrapper tells the messages that stand for a single value which may lack.
func isWrapper(d protoreflect.MessageDescriptor) bool {
	return wrappers[d.FullName()] && d.Fields().Len() == 1 && d.Fields().Get(0).Cardinality() != protoreflect.Repeated
}
