package parquet

import (
	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/format"

	"millrace/errs"
	"millrace/types"
)

// annotation is a leaf's logical type, whether it stands in the file as such or as an older converted type.
func annotation(e *schemaElement) any {
	if e.Logical.Value != nil {
		return e.Logical.Value
	}
	if !e.Converted.Valid {
		return nil
	}
	switch e.Converted.V {
	case deprecated.UTF8:
		return &format.StringType{}
	case deprecated.Enum:
		return &format.EnumType{}
	case deprecated.Json:
		return &format.JsonType{}
	case deprecated.Bson:
		return &format.BsonType{}
	case deprecated.Date:
		return &format.DateType{}
	case deprecated.Decimal:
		return &format.DecimalType{Scale: e.Scale.V, Precision: e.Precision.V}
	case deprecated.TimestampMillis:
		return &format.TimestampType{IsAdjustedToUTC: true, Unit: format.TimeUnit{Value: &format.MilliSeconds{}}}
	case deprecated.TimestampMicros:
		return &format.TimestampType{IsAdjustedToUTC: true, Unit: format.TimeUnit{Value: &format.MicroSeconds{}}}
	case deprecated.TimeMillis:
		return &format.TimeType{Unit: format.TimeUnit{Value: &format.MilliSeconds{}}}
	case deprecated.TimeMicros:
		return &format.TimeType{Unit: format.TimeUnit{Value: &format.MicroSeconds{}}}
	case deprecated.Int8, deprecated.Int16, deprecated.Int32, deprecated.Int64:
		return &format.IntType{BitWidth: 8 << (e.Converted.V - deprecated.Int8), IsSigned: true}
	case deprecated.Uint8, deprecated.Uint16, deprecated.Uint32, deprecated.Uint64:
		return &format.IntType{BitWidth: 8 << (e.Converted.V - deprecated.Uint8)}
	}
	return nil
}

// leafType is the Spark type of a leaf, as Spark's ParquetToSparkSchemaConverter chooses it.
func leafType(e *schemaElement) (*types.Type, error) {
	a := annotation(e)
	if e.Converted.Valid && e.Converted.V == deprecated.Interval {
		return nil, errs.New("PARQUET_TYPE_NOT_SUPPORTED", "parquetType", e.Type.V.String()+" (INTERVAL)")
	}
	if _, ok := a.(*format.NullType); ok { // nothing but nulls
		a = nil
	}
	if d, ok := a.(*format.DecimalType); ok {
		if d.Precision < 1 || d.Precision > types.MaxPrecision || d.Scale < 0 || d.Scale > d.Precision {
			return nil, illegalType(e)
		}
		return types.Decimal(int(d.Precision), int(d.Scale)), nil
	}
	switch e.Type.V {
	case format.Boolean:
		return types.Boolean, nil
	case format.Float:
		return types.Float, nil
	case format.Double:
		return types.Double, nil
	case format.Int96:
		return types.Timestamp, nil
	case format.Int32:
		return int32Type(e, a)
	case format.Int64:
		return int64Type(e, a)
	case format.ByteArray:
		switch a.(type) {
		case *format.StringType, *format.EnumType, *format.JsonType:
			return types.String, nil
		}
		return types.Binary, nil
	case format.FixedLenByteArray:
		if a == nil && e.TypeLength.V > 0 {
			return types.Binary, nil
		}
	}
	return nil, illegalType(e)
}

func int32Type(e *schemaElement, a any) (*types.Type, error) {
	switch a := a.(type) {
	case nil:
		return types.Integer, nil
	case *format.DateType:
		return types.Date, nil
	case *format.IntType:
		switch {
		case !a.IsSigned && a.BitWidth == 8:
			return types.Short, nil
		case !a.IsSigned && a.BitWidth == 16:
			return types.Integer, nil
		case !a.IsSigned:
			return types.Long, nil
		case a.BitWidth == 8:
			return types.Byte, nil
		case a.BitWidth == 16:
			return types.Short, nil
		}
		return types.Integer, nil
	}
	return nil, illegalType(e)
}

func int64Type(e *schemaElement, a any) (*types.Type, error) {
	switch a := a.(type) {
	case nil:
		return types.Long, nil
	case *format.IntType:
		if !a.IsSigned {
			return types.Decimal(20, 0), nil
		}
		return types.Long, nil
	case *format.TimestampType:
		if _, nanos := a.Unit.Value.(*format.NanoSeconds); nanos {
			return nil, illegalType(e)
		}
		if a.IsAdjustedToUTC {
			return types.Timestamp, nil
		}
		return types.TimestampNTZ, nil
	case *format.TimeType:
		if _, micros := a.Unit.Value.(*format.MicroSeconds); micros && !a.IsAdjustedToUTC {
			return &types.Type{Kind: types.KindTime, Precision: 6}, nil
		}
	}
	return nil, illegalType(e)
}
