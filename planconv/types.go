package planconv

import (
	planpb "millrace/proto/millrace/plan/v1"
	"millrace/types"
)

var plain = map[types.Kind]*types.Type{types.KindNull: types.Null, types.KindBoolean: types.Boolean, types.KindByte: types.Byte,
	types.KindShort: types.Short, types.KindInteger: types.Integer, types.KindLong: types.Long, types.KindFloat: types.Float,
	types.KindDouble: types.Double, types.KindBinary: types.Binary, types.KindDate: types.Date, types.KindTimestamp: types.Timestamp,
	types.KindTimestampNTZ: types.TimestampNTZ, types.KindCalendar: types.Calendar, types.KindVariant: types.Variant}

// Type is the type that a message describes; nil for nil.
func Type(p *planpb.Type) *types.Type {
	if p == nil {
		return nil
	}
	kind := types.Kind(p.Kind)
	if t := plain[kind]; t != nil {
		return t
	}
	if kind == types.KindString && p.Length == 0 && p.Collation == "" {
		return types.String
	}
	t := &types.Type{Kind: kind, Precision: int(p.Precision), Scale: int(p.Scale), Start: int(p.Start), End: int(p.End),
		Length: int(p.Length), Char: p.IsChar, Collation: p.Collation, Elem: Type(p.Elem), Key: Type(p.Key), ElemNull: p.ElemNull}
	for _, f := range p.Fields {
		t.Fields = append(t.Fields, types.Field{Name: f.Name, Type: Type(f.Type), Nullable: f.Nullable, Metadata: f.Metadata})
	}
	if kind == types.KindUDT {
		t.UDT = &types.UDT{Class: p.UdtClass, PyClass: p.UdtPyClass, SerializedPyClass: p.UdtSerialized}
	}
	return t
}

// TypePB is a type's message; nil for nil.
func TypePB(t *types.Type) *planpb.Type {
	if t == nil {
		return nil
	}
	p := &planpb.Type{Kind: uint32(t.Kind), Precision: int32(t.Precision), Scale: int32(t.Scale), Start: int32(t.Start), End: int32(t.End),
		Length: int32(t.Length), IsChar: t.Char, Collation: t.Collation, Elem: TypePB(t.Elem), Key: TypePB(t.Key), ElemNull: t.ElemNull}
	for _, f := range t.Fields {
		p.Fields = append(p.Fields, &planpb.Field{Name: f.Name, Type: TypePB(f.Type), Nullable: f.Nullable, Metadata: f.Metadata})
	}
	if t.UDT != nil {
		p.UdtClass, p.UdtPyClass, p.UdtSerialized = t.UDT.Class, t.UDT.PyClass, t.UDT.SerializedPyClass
	}
	return p
}

// Columns are the types of an operator's output.
func Columns(cols []*planpb.Column) []*types.Type {
	out := make([]*types.Type, len(cols))
	for i, c := range cols {
		out[i] = Type(c.Type)
	}
	return out
}
