package session

import (
	"context"
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"millrace/errs"
	"millrace/types"
)

// ArrowSchema is the Arrow form in which results leave and local data arrives: Spark's own mapping, where timestamps
// with a session time zone carry it and variants are structs marked by metadata.
func ArrowSchema(schema *types.Type, zone string) (*arrow.Schema, error) {
	fields, err := arrowFields(schema.Fields, zone)
	if err != nil {
		return nil, err
	}
	for i, f := range schema.Fields {
		if f.Type.Kind == types.KindNull { // clients refuse a column of nulls that has none
			fields[i].Nullable = true
		}
	}
	return arrow.NewSchema(fields, nil), nil
}

func arrowFields(fields []types.Field, zone string) ([]arrow.Field, error) {
	out := make([]arrow.Field, len(fields))
	for i, f := range fields {
		af, err := arrowField(f.Name, f.Type, f.Nullable, zone)
		if err != nil {
			return nil, err
		}
		out[i] = af
	}
	return out, nil
}

func arrowField(name string, t *types.Type, nullable bool, zone string) (arrow.Field, error) {
	at, err := ArrowType(t, zone)
	if err != nil {
		return arrow.Field{}, err
	}
	return arrow.Field{Name: name, Type: at, Nullable: nullable}, nil
}

// onlyOnce numbers the fields of a struct that share a name, as Spark does: clients refuse such a struct, and know the names from the schema.
func onlyOnce(fields []arrow.Field) {
	count := map[string]int{}
	for _, f := range fields {
		count[f.Name]++
	}
	next := map[string]int{}
	for i, f := range fields {
		if count[f.Name] > 1 {
			fields[i].Name = fmt.Sprintf("%s_%d", f.Name, next[f.Name])
			next[f.Name]++
		}
	}
}

var plainArrow = map[types.Kind]arrow.DataType{types.KindNull: arrow.Null, types.KindBoolean: arrow.FixedWidthTypes.Boolean,
	types.KindByte: arrow.PrimitiveTypes.Int8, types.KindShort: arrow.PrimitiveTypes.Int16,
	types.KindInteger: arrow.PrimitiveTypes.Int32, types.KindLong: arrow.PrimitiveTypes.Int64,
	types.KindFloat: arrow.PrimitiveTypes.Float32, types.KindDouble: arrow.PrimitiveTypes.Float64,
	types.KindString: arrow.BinaryTypes.String, types.KindBinary: arrow.BinaryTypes.Binary,
	types.KindDate: arrow.FixedWidthTypes.Date32, types.KindTimestampNTZ: &arrow.TimestampType{Unit: arrow.Microsecond},
	types.KindTime: arrow.FixedWidthTypes.Time64ns, types.KindYearMonth: arrow.FixedWidthTypes.MonthInterval,
	types.KindDayTime: arrow.FixedWidthTypes.Duration_us, types.KindCalendar: arrow.FixedWidthTypes.MonthDayNanoInterval,
	types.KindVariant: arrow.StructOf(arrow.Field{Name: "value", Type: arrow.BinaryTypes.Binary},
		arrow.Field{Name: "metadata", Type: arrow.BinaryTypes.Binary,
			Metadata: arrow.NewMetadata([]string{"variant"}, []string{"true"})})}

// ArrowType is the Arrow form of one type.
func ArrowType(t *types.Type, zone string) (arrow.DataType, error) {
	if at := plainArrow[t.Kind]; at != nil {
		return at, nil
	}
	switch t.Kind {
	case types.KindDecimal:
		return &arrow.Decimal128Type{Precision: int32(t.Precision), Scale: int32(t.Scale)}, nil
	case types.KindTimestamp:
		return &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: zone}, nil
	case types.KindUDT:
		return ArrowType(t.Elem, zone)
	case types.KindArray:
		elem, err := arrowField("element", t.Elem, t.ElemNull, zone)
		if err != nil {
			return nil, err
		}
		return arrow.ListOfField(elem), nil
	case types.KindMap:
		key, err := ArrowType(t.Key, zone)
		if err != nil {
			return nil, err
		}
		value, err := arrowField("value", t.Elem, t.ElemNull, zone)
		if err != nil {
			return nil, err
		}
		m := arrow.MapOfFields(arrow.Field{Name: "key", Type: key}, value)
		return m, nil
	case types.KindStruct:
		fields, err := arrowFields(t.Fields, zone)
		if err != nil {
			return nil, err
		}
		onlyOnce(fields)
		return arrow.StructOf(fields...), nil
	}
	return nil, errs.New("UNSUPPORTED_DATATYPE", "typeName", `"`+t.SQL()+`"`)
}

// FromArrow is the schema of data that a client sent, as Spark reads it.
func FromArrow(s *arrow.Schema) (*types.Type, error) { return fromFields(s.Fields()) }

func fromFields(fields []arrow.Field) (*types.Type, error) {
	t := &types.Type{Kind: types.KindStruct, Fields: make([]types.Field, len(fields))}
	for i, f := range fields {
		ft, err := fromArrowType(f.Type)
		if err != nil {
			return nil, fmt.Errorf("column %s: %w", f.Name, err)
		}
		t.Fields[i] = types.Field{Name: f.Name, Type: ft, Nullable: f.Nullable}
	}
	return t, nil
}

var arrowPlain = map[arrow.Type]*types.Type{arrow.NULL: types.Null, arrow.BOOL: types.Boolean, arrow.INT8: types.Byte,
	arrow.INT16: types.Short, arrow.INT32: types.Integer, arrow.INT64: types.Long, arrow.FLOAT32: types.Float,
	arrow.FLOAT64: types.Double, arrow.STRING: types.String, arrow.LARGE_STRING: types.String, arrow.BINARY: types.Binary,
	arrow.LARGE_BINARY: types.Binary, arrow.DATE32: types.Date, arrow.INTERVAL_MONTHS: types.YearMonth,
	arrow.DURATION: types.DayTime, arrow.INTERVAL_MONTH_DAY_NANO: types.Calendar,
	arrow.TIME64: {Kind: types.KindTime, Precision: 6}}

func fromArrowType(at arrow.DataType) (*types.Type, error) {
	if t := arrowPlain[at.ID()]; t != nil {
		return t, nil
	}
	switch at := at.(type) {
	case *arrow.Decimal128Type:
		return types.Decimal(int(at.Precision), int(at.Scale)), nil
	case *arrow.TimestampType:
		if at.TimeZone == "" {
			return types.TimestampNTZ, nil
		}
		return types.Timestamp, nil
	case *arrow.DictionaryType:
		return fromArrowType(at.ValueType)
	case *arrow.MapType:
		key, err := fromArrowType(at.KeyType())
		if err != nil {
			return nil, err
		}
		value, err := fromArrowType(at.ItemType())
		if err != nil {
			return nil, err
		}
		return types.MapOf(key, value, at.ItemField().Nullable), nil
	case arrow.ListLikeType:
		elem, err := fromArrowType(at.Elem())
		if err != nil {
			return nil, err
		}
		return types.ArrayOf(elem, at.ElemField().Nullable), nil
	case *arrow.StructType:
		if isVariant(at) {
			return types.Variant, nil
		}
		return fromFields(at.Fields())
	}
	return nil, errs.New("UNSUPPORTED_DATATYPE", "typeName", `"`+at.String()+`"`)
}

func isVariant(t *arrow.StructType) bool {
	f, ok := t.FieldByName("metadata")
	v, marked := f.Metadata.GetValue("variant")
	return ok && marked && v == "true"
}

// Rows is a Result of a few rows that are already there: what commands answer with.
type Rows struct {
	schema *types.Type
	batch  arrow.RecordBatch
	done   bool

	observed []Observation // on the way
}

var _ Result = (*Rows)(nil)

// NewRows makes a result of strings, booleans, integers, string lists and nil, as the schema's fields say.
func NewRows(schema *types.Type, rows [][]any) (*Rows, error) {
	as, err := ArrowSchema(schema, "UTC")
	if err != nil {
		return nil, err
	}
	b := array.NewRecordBuilder(memory.DefaultAllocator, as)
	defer b.Release()
	for _, row := range rows {
		for i, v := range row {
			if err := appendValue(b.Field(i), v); err != nil {
				return nil, fmt.Errorf("column %s: %w", schema.Fields[i].Name, err)
			}
		}
	}
	return &Rows{schema: schema, batch: b.NewRecordBatch()}, nil
}

func appendValue(b array.Builder, v any) error {
	switch b := b.(type) {
	case *array.StringBuilder:
		if s, ok := v.(string); ok {
			b.Append(s)
			return nil
		}
	case *array.BooleanBuilder:
		if x, ok := v.(bool); ok {
			b.Append(x)
			return nil
		}
	case *array.Int64Builder:
		if x, ok := v.(int64); ok {
			b.Append(x)
			return nil
		}
	case *array.Int32Builder:
		if x, ok := v.(int64); ok {
			b.Append(int32(x))
			return nil
		}
	case *array.ListBuilder:
		if list, ok := v.([]string); ok && list != nil {
			b.Append(true)
			for _, s := range list {
				b.ValueBuilder().(*array.StringBuilder).Append(s)
			}
			return nil
		}
	}
	if v != nil {
		if list, ok := v.([]string); !ok || list != nil {
			return fmt.Errorf("no %T in %s", v, b.Type())
		}
	}
	b.AppendNull()
	return nil
}

// Schema implements Result.
func (r *Rows) Schema() *types.Type { return r.schema }

// Next implements Result.
func (r *Rows) Next(context.Context) (arrow.RecordBatch, error) {
	if r.done || r.batch == nil {
		return nil, nil
	}
	r.done = true
	return r.batch, nil
}

// Metrics implements Result.
func (r *Rows) Metrics() Metrics { return Metrics{Observed: r.observed} }

// Close implements Result.
func (r *Rows) Close() error {
	if !r.done && r.batch != nil {
		r.batch.Release()
	}
	r.done, r.batch = true, nil
	return nil
}

func fields(pairs ...any) *types.Type {
	t := &types.Type{Kind: types.KindStruct}
	for i := 0; i+1 < len(pairs); i += 2 {
		t.Fields = append(t.Fields, types.Field{Name: pairs[i].(string), Type: pairs[i+1].(*types.Type)})
	}
	return t
}
