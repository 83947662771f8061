package vector

import (
	"github.com/apache/arrow-go/v18/arrow"

	"millrace/errs"
	"millrace/types"
)

// ArrowSchema is the Arrow schema that Spark gives to columns: timestamps in timeZone, decimals of 128 bits, no dictionaries.
func ArrowSchema(fields []types.Field, timeZone string) *arrow.Schema {
	list := make([]arrow.Field, len(fields))
	for i, f := range fields {
		list[i] = arrowField(f.Name, f.Type, f.Nullable, timeZone)
	}
	return arrow.NewSchema(list, nil)
}

// DictionarySchema is ArrowSchema, except that columns which are dictionary vectors in b have Arrow dictionary types.
func DictionarySchema(fields []types.Field, timeZone string, b *Batch) *arrow.Schema {
	list := ArrowSchema(fields, timeZone).Fields()
	for i, c := range b.Cols {
		if c.Dict != nil {
			list[i].Type = &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int32, ValueType: list[i].Type}
		}
	}
	return arrow.NewSchema(list, nil)
}

func arrowField(name string, t *types.Type, nullable bool, timeZone string) arrow.Field {
	return arrow.Field{Name: name, Type: ArrowType(t, timeZone), Nullable: nullable || t.Kind == types.KindNull}
}

var arrowSimple = map[types.Kind]arrow.DataType{
	types.KindNull: arrow.Null, types.KindBoolean: arrow.FixedWidthTypes.Boolean, types.KindByte: arrow.PrimitiveTypes.Int8,
	types.KindShort: arrow.PrimitiveTypes.Int16, types.KindInteger: arrow.PrimitiveTypes.Int32,
	types.KindLong: arrow.PrimitiveTypes.Int64, types.KindFloat: arrow.PrimitiveTypes.Float32,
	types.KindDouble: arrow.PrimitiveTypes.Float64, types.KindString: arrow.BinaryTypes.String,
	types.KindBinary: arrow.BinaryTypes.Binary, types.KindDate: arrow.FixedWidthTypes.Date32,
	types.KindTimestampNTZ: &arrow.TimestampType{Unit: arrow.Microsecond}, types.KindTime: arrow.FixedWidthTypes.Time64ns,
	types.KindYearMonth: arrow.FixedWidthTypes.MonthInterval, types.KindDayTime: arrow.FixedWidthTypes.Duration_us,
	types.KindCalendar: arrow.FixedWidthTypes.MonthDayNanoInterval,
}

// ArrowType is the Arrow type that Spark gives to values of a type.
func ArrowType(t *types.Type, timeZone string) arrow.DataType {
	switch t = Storage(t); t.Kind {
	case types.KindDecimal:
		return &arrow.Decimal128Type{Precision: int32(t.Precision), Scale: int32(t.Scale)}
	case types.KindTimestamp:
		return &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: timeZone}
	case types.KindArray:
		return arrow.ListOfField(arrowField("element", t.Elem, t.ElemNull, timeZone))
	case types.KindMap:
		m := arrow.MapOf(ArrowType(t.Key, timeZone), ArrowType(t.Elem, timeZone))
		m.SetItemNullable(t.ElemNull)
		return m
	case types.KindStruct:
		list := make([]arrow.Field, len(t.Fields))
		for i, f := range t.Fields {
			list[i] = arrowField(f.Name, f.Type, f.Nullable, timeZone)
		}
		return arrow.StructOf(list...)
	case types.KindVariant:
		return arrow.StructOf(arrow.Field{Name: "value", Type: arrow.BinaryTypes.Binary},
			arrow.Field{Name: "metadata", Type: arrow.BinaryTypes.Binary, Metadata: arrow.NewMetadata([]string{"variant"}, []string{"true"})})
	}
	return arrowSimple[t.Kind]
}

// FieldsFromArrow are a schema's columns.
func FieldsFromArrow(s *arrow.Schema) ([]types.Field, error) {
	fields := make([]types.Field, s.NumFields())
	for i, f := range s.Fields() {
		t, err := TypeFromArrow(f.Type)
		if err != nil {
			return nil, errs.Wrap(err, "column %s", f.Name)
		}
		fields[i] = types.Field{Name: f.Name, Type: t, Nullable: f.Nullable}
	}
	return fields, nil
}

var fromArrowSimple = map[arrow.Type]*types.Type{
	arrow.NULL: types.Null, arrow.BOOL: types.Boolean, arrow.INT8: types.Byte, arrow.INT16: types.Short, arrow.INT32: types.Integer,
	arrow.INT64: types.Long, arrow.UINT8: types.Short, arrow.UINT16: types.Integer, arrow.UINT32: types.Long,
	arrow.UINT64: types.Decimal(20, 0), arrow.FLOAT16: types.Float, arrow.FLOAT32: types.Float, arrow.FLOAT64: types.Double,
	arrow.STRING: types.String, arrow.LARGE_STRING: types.String, arrow.STRING_VIEW: types.String, arrow.BINARY: types.Binary,
	arrow.LARGE_BINARY: types.Binary, arrow.BINARY_VIEW: types.Binary, arrow.FIXED_SIZE_BINARY: types.Binary,
	arrow.DATE32: types.Date, arrow.DATE64: types.Date, arrow.INTERVAL_MONTHS: types.YearMonth, arrow.DURATION: types.DayTime,
	arrow.INTERVAL_MONTH_DAY_NANO: types.Calendar, arrow.TIME32: {Kind: types.KindTime, Precision: 6},
	arrow.TIME64: {Kind: types.KindTime, Precision: 6},
}

// TypeFromArrow is the Spark type of an Arrow type's values.
func TypeFromArrow(a arrow.DataType) (*types.Type, error) {
	switch d := a.(type) {
	case *arrow.DictionaryType:
		return TypeFromArrow(d.ValueType)
	case arrow.ExtensionType:
		return TypeFromArrow(d.StorageType())
	case arrow.DecimalType:
		if d.GetPrecision() > types.MaxPrecision {
			break
		}
		return types.Decimal(int(d.GetPrecision()), int(d.GetScale())), nil
	case *arrow.TimestampType:
		if d.TimeZone == "" {
			return types.TimestampNTZ, nil
		}
		return types.Timestamp, nil
	case *arrow.MapType:
		key, err := TypeFromArrow(d.KeyType())
		if err != nil {
			return nil, err
		}
		item, err := TypeFromArrow(d.ItemType())
		if err != nil {
			return nil, err
		}
		return types.MapOf(key, item, d.ItemField().Nullable), nil
	case arrow.ListLikeType:
		elem, err := TypeFromArrow(d.Elem())
		if err != nil {
			return nil, err
		}
		return types.ArrayOf(elem, d.ElemField().Nullable), nil
	case *arrow.StructType:
		return structFromArrow(d)
	}
	if t := fromArrowSimple[a.ID()]; t != nil {
		return t, nil
	}
	return nil, errs.New("UNSUPPORTED_ARROWTYPE", "typeName", a.String())
}

func structFromArrow(d *arrow.StructType) (*types.Type, error) {
	if m, ok := d.FieldByName("metadata"); ok && d.NumFields() == 2 {
		if v, _ := m.Metadata.GetValue("variant"); v == "true" {
			return types.Variant, nil
		}
	}
	t := types.Struct()
	for _, f := range d.Fields() {
		ft, err := TypeFromArrow(f.Type)
		if err != nil {
			return nil, err
		}
		t.Fields = append(t.Fields, types.Field{Name: f.Name, Type: ft, Nullable: f.Nullable})
	}
	return t, nil
}
