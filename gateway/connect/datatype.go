package connect

import (
	"google.golang.org/protobuf/proto"

	"millrace/errs"
	pb "millrace/proto/spark/connect"
	"millrace/sql"
	"millrace/types"
)

// toDataType is a type in the protocol's form.
func toDataType(t *types.Type) (*pb.DataType, error) {
	switch t.Kind {
	case types.KindArray:
		elem, err := toDataType(t.Elem)
		return &pb.DataType{Kind: &pb.DataType_Array_{Array: &pb.DataType_Array{ElementType: elem, ContainsNull: t.ElemNull}}}, err
	case types.KindMap:
		key, err := toDataType(t.Key)
		if err != nil {
			return nil, err
		}
		value, err := toDataType(t.Elem)
		return &pb.DataType{Kind: &pb.DataType_Map_{Map: &pb.DataType_Map{KeyType: key, ValueType: value, ValueContainsNull: t.ElemNull}}}, err
	case types.KindStruct:
		s := &pb.DataType_Struct{}
		for _, f := range t.Fields {
			ft, err := toDataType(f.Type)
			if err != nil {
				return nil, err
			}
			pf := &pb.DataType_StructField{Name: f.Name, DataType: ft, Nullable: f.Nullable}
			if f.Metadata != "" {
				pf.Metadata = proto.String(f.Metadata)
			}
			s.Fields = append(s.Fields, pf)
		}
		return &pb.DataType{Kind: &pb.DataType_Struct_{Struct: s}}, nil
	case types.KindUDT:
		inner, err := toDataType(t.Elem)
		u := &pb.DataType_UDT{Type: "udt", SqlType: inner, JvmClass: optional(t.UDT.Class), PythonClass: optional(t.UDT.PyClass),
			SerializedPythonClass: optional(t.UDT.SerializedPyClass)}
		return &pb.DataType{Kind: &pb.DataType_Udt{Udt: u}}, err
	}
	return toSimpleType(t)
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func toSimpleType(t *types.Type) (*pb.DataType, error) {
	d := &pb.DataType{}
	switch t.Kind {
	case types.KindNull:
		d.Kind = &pb.DataType_Null{Null: &pb.DataType_NULL{}}
	case types.KindBoolean:
		d.Kind = &pb.DataType_Boolean_{Boolean: &pb.DataType_Boolean{}}
	case types.KindByte:
		d.Kind = &pb.DataType_Byte_{Byte: &pb.DataType_Byte{}}
	case types.KindShort:
		d.Kind = &pb.DataType_Short_{Short: &pb.DataType_Short{}}
	case types.KindInteger:
		d.Kind = &pb.DataType_Integer_{Integer: &pb.DataType_Integer{}}
	case types.KindLong:
		d.Kind = &pb.DataType_Long_{Long: &pb.DataType_Long{}}
	case types.KindFloat:
		d.Kind = &pb.DataType_Float_{Float: &pb.DataType_Float{}}
	case types.KindDouble:
		d.Kind = &pb.DataType_Double_{Double: &pb.DataType_Double{}}
	case types.KindDecimal:
		d.Kind = &pb.DataType_Decimal_{Decimal: &pb.DataType_Decimal{Precision: proto.Int32(int32(t.Precision)), Scale: proto.Int32(int32(t.Scale))}}
	case types.KindString:
		d.Kind = toStringType(t)
	case types.KindBinary:
		d.Kind = &pb.DataType_Binary_{Binary: &pb.DataType_Binary{}}
	case types.KindDate:
		d.Kind = &pb.DataType_Date_{Date: &pb.DataType_Date{}}
	case types.KindTimestamp:
		d.Kind = &pb.DataType_Timestamp_{Timestamp: &pb.DataType_Timestamp{}}
	case types.KindTimestampNTZ:
		d.Kind = &pb.DataType_TimestampNtz{TimestampNtz: &pb.DataType_TimestampNTZ{}}
	case types.KindTime:
		d.Kind = &pb.DataType_Time_{Time: &pb.DataType_Time{Precision: proto.Int32(int32(t.Precision))}}
	case types.KindCalendar:
		d.Kind = &pb.DataType_CalendarInterval_{CalendarInterval: &pb.DataType_CalendarInterval{}}
	case types.KindYearMonth:
		d.Kind = &pb.DataType_YearMonthInterval_{YearMonthInterval: &pb.DataType_YearMonthInterval{
			StartField: proto.Int32(int32(t.Start)), EndField: proto.Int32(int32(t.End))}}
	case types.KindDayTime:
		d.Kind = &pb.DataType_DayTimeInterval_{DayTimeInterval: &pb.DataType_DayTimeInterval{
			StartField: proto.Int32(int32(t.Start)), EndField: proto.Int32(int32(t.End))}}
	case types.KindVariant:
		d.Kind = &pb.DataType_Variant_{Variant: &pb.DataType_Variant{}}
	default:
		return nil, errs.New("UNSUPPORTED_DATATYPE", "typeName", `"`+t.SQL()+`"`)
	}
	return d, nil
}

// toStringType: lengths of char and varchar are for tables; a query's columns are plain strings.
func toStringType(t *types.Type) *pb.DataType_String_ {
	return &pb.DataType_String_{String_: &pb.DataType_String{Collation: t.Collation}}
}

var fixedTypes = map[string]*types.Type{"null": types.Null, "binary": types.Binary, "boolean": types.Boolean, "byte": types.Byte,
	"short": types.Short, "integer": types.Integer, "long": types.Long, "float": types.Float, "double": types.Double,
	"date": types.Date, "timestamp": types.Timestamp, "timestamp_ntz": types.TimestampNTZ, "calendar_interval": types.Calendar,
	"variant": types.Variant}

// fromDataType reads the protocol's form of a type.
func fromDataType(d *pb.DataType) (*types.Type, error) {
	switch k := d.GetKind().(type) {
	case nil:
		return nil, notSet("spark.connect.DataType", "KIND_NOT_SET")
	case *pb.DataType_Decimal_:
		p, s := 10, 0
		if k.Decimal.Precision != nil {
			p = int(*k.Decimal.Precision)
		}
		if k.Decimal.Scale != nil {
			s = int(*k.Decimal.Scale)
		}
		return types.Decimal(p, s), nil
	case *pb.DataType_String_:
		if c := k.String_.Collation; c != "" && c != "UTF8_BINARY" {
			return &types.Type{Kind: types.KindString, Collation: c}, nil
		}
		return types.String, nil
	case *pb.DataType_Char_:
		return &types.Type{Kind: types.KindString, Length: int(k.Char.Length), Char: true}, nil
	case *pb.DataType_VarChar_:
		return &types.Type{Kind: types.KindString, Length: int(k.VarChar.Length)}, nil
	case *pb.DataType_Time_:
		t := &types.Type{Kind: types.KindTime, Precision: 6}
		if k.Time.Precision != nil {
			t.Precision = int(*k.Time.Precision)
		}
		return t, nil
	case *pb.DataType_YearMonthInterval_:
		return intervalType(types.YearMonth, k.YearMonthInterval.StartField, k.YearMonthInterval.EndField), nil
	case *pb.DataType_DayTimeInterval_:
		return intervalType(types.DayTime, k.DayTimeInterval.StartField, k.DayTimeInterval.EndField), nil
	case *pb.DataType_Unparsed_:
		return sql.ParseType(k.Unparsed.DataTypeString)
	}
	if t := fixedTypes[kindOf(d, "kind")]; t != nil {
		return t, nil
	}
	return fromNested(d)
}

func intervalType(whole *types.Type, start, end *int32) *types.Type {
	t := *whole
	if start != nil {
		t.Start, t.End = int(*start), int(*start)
	}
	if end != nil {
		t.End = int(*end)
	}
	return &t
}

func fromNested(d *pb.DataType) (*types.Type, error) {
	switch k := d.Kind.(type) {
	case *pb.DataType_Array_:
		elem, err := fromDataType(k.Array.ElementType)
		if err != nil {
			return nil, err
		}
		return types.ArrayOf(elem, k.Array.ContainsNull), nil
	case *pb.DataType_Map_:
		key, err := fromDataType(k.Map.KeyType)
		if err != nil {
			return nil, err
		}
		value, err := fromDataType(k.Map.ValueType)
		if err != nil {
			return nil, err
		}
		return types.MapOf(key, value, k.Map.ValueContainsNull), nil
	case *pb.DataType_Struct_:
		t := &types.Type{Kind: types.KindStruct}
		for _, f := range k.Struct.Fields {
			ft, err := fromDataType(f.DataType)
			if err != nil {
				return nil, err
			}
			meta := f.GetMetadata()
			if meta == "{}" {
				meta = ""
			}
			t.Fields = append(t.Fields, types.Field{Name: f.Name, Type: ft, Nullable: f.Nullable, Metadata: meta})
		}
		return t, nil
	case *pb.DataType_Udt:
		inner, err := fromDataType(k.Udt.SqlType)
		if err != nil {
			return nil, err
		}
		return &types.Type{Kind: types.KindUDT, Elem: inner, UDT: &types.UDT{Class: k.Udt.GetJvmClass(), PyClass: k.Udt.GetPythonClass(),
			SerializedPyClass: k.Udt.GetSerializedPythonClass()}}, nil
	}
	return nil, errs.New("UNSUPPORTED_DATATYPE", "typeName", `"`+kindOf(d, "kind")+`"`)
}

// parseSchema reads a schema that came as JSON or as DDL text.
func parseSchema(text string) (*types.Type, error) {
	if t, err := types.ParseJSON([]byte(text)); err == nil {
		return t, nil
	}
	return sql.ParseSchema(text)
}
