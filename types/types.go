package types

import (
	"fmt"
	"strconv"
	"strings"
)

// Kind names a family of types.
type Kind uint8

// The kinds of Spark SQL types.
const (
	KindNull Kind = iota
	KindBoolean
	KindByte         // int8
	KindShort        // int16
	KindInteger      // int32
	KindLong         // int64
	KindFloat        // float32
	KindDouble       // float64
	KindDecimal      // int64 up to 18 digits, else 128 bits
	KindString       // UTF-8
	KindBinary       //
	KindDate         // int32 days since 1970-01-01
	KindTimestamp    // int64 microseconds since the epoch, shown in the session's time zone
	KindTimestampNTZ // int64 microseconds of local time
	KindTime         // int64 nanoseconds of the day
	KindYearMonth    // int32 months
	KindDayTime      // int64 microseconds
	KindCalendar     // months int32, days int32, microseconds int64
	KindArray
	KindMap
	KindStruct
	KindVariant
	KindUDT
)

// Type is an immutable data type. Compare by Equal, never by ==.
type Type struct {
	Kind      Kind
	Precision int    // decimal digits, 1 to 38; digits of a time
	Scale     int    // decimal digits after the point
	Start     int    // interval's first field: 0 year 1 month, or 0 day 1 hour 2 minute 3 second
	End       int    // interval's last field
	Length    int    // char(n) and varchar(n) as written in a table's schema; 0 for string
	Char      bool   // char(n), padded
	Collation string // empty for UTF8_BINARY
	Elem      *Type  // element of an array, value of a map, stored type of a UDT
	Key       *Type  // key of a map
	ElemNull  bool   // an array's elements or a map's values may be null
	Fields    []Field
	UDT       *UDT
}

// UDT is a user-defined type's identity; the stored form is in Type.Elem.
type UDT struct{ Class, PyClass, SerializedPyClass string }

// Field is a column of a table or a member of a struct. Metadata is a JSON object, or empty.
type Field struct {
	Name     string
	Type     *Type
	Nullable bool
	Metadata string
}

// The types without parameters, and the decimals that integers become.
var (
	Null         = &Type{Kind: KindNull}
	Boolean      = &Type{Kind: KindBoolean}
	Byte         = &Type{Kind: KindByte}
	Short        = &Type{Kind: KindShort}
	Integer      = &Type{Kind: KindInteger}
	Long         = &Type{Kind: KindLong}
	Float        = &Type{Kind: KindFloat}
	Double       = &Type{Kind: KindDouble}
	String       = &Type{Kind: KindString}
	Binary       = &Type{Kind: KindBinary}
	Date         = &Type{Kind: KindDate}
	Timestamp    = &Type{Kind: KindTimestamp}
	TimestampNTZ = &Type{Kind: KindTimestampNTZ}
	Calendar     = &Type{Kind: KindCalendar}
	Variant      = &Type{Kind: KindVariant}
	YearMonth    = &Type{Kind: KindYearMonth, End: 1}
	DayTime      = &Type{Kind: KindDayTime, End: 3}
)

// MaxPrecision is the most digits that a decimal has.
const MaxPrecision = 38

// MaxShortDecimal is the most digits of a decimal that is held in 64 bits.
const MaxShortDecimal = 18

// Decimal is decimal(precision, scale).
func Decimal(precision, scale int) *Type {
	return &Type{Kind: KindDecimal, Precision: precision, Scale: scale}
}

// ArrayOf is array<elem>.
func ArrayOf(elem *Type, containsNull bool) *Type {
	return &Type{Kind: KindArray, Elem: elem, ElemNull: containsNull}
}

// MapOf is map<key, value>.
func MapOf(key, value *Type, valueContainsNull bool) *Type {
	return &Type{Kind: KindMap, Key: key, Elem: value, ElemNull: valueContainsNull}
}

// Struct is struct<fields>.
func Struct(fields ...Field) *Type { return &Type{Kind: KindStruct, Fields: fields} }

// Equal reports whether two types are the same, nullability and field names included, metadata not.
func (t *Type) Equal(o *Type) bool { return t.same(o, true) }

// SameData reports whether two types are the same without regard to nullability (of elements, values and fields).
func (t *Type) SameData(o *Type) bool { return t.same(o, false) }

func (t *Type) same(o *Type, nulls bool) bool {
	if t == o {
		return true
	}
	if t == nil || o == nil || t.Kind != o.Kind || t.Precision != o.Precision || t.Scale != o.Scale ||
		t.Start != o.Start || t.End != o.End || t.Length != o.Length || t.Char != o.Char || t.Collation != o.Collation ||
		len(t.Fields) != len(o.Fields) || nulls && t.ElemNull != o.ElemNull {
		return false
	}
	if t.Elem != nil && !t.Elem.same(o.Elem, nulls) || t.Key != nil && !t.Key.same(o.Key, nulls) {
		return false
	}
	for i := range t.Fields {
		f, g := &t.Fields[i], &o.Fields[i]
		if f.Name != g.Name || nulls && f.Nullable != g.Nullable || !f.Type.same(g.Type, nulls) {
			return false
		}
	}
	return t.Kind != KindUDT || *t.UDT == *o.UDT
}

// IsIntegral reports whether the type is byte, short, int or bigint.
func (t *Type) IsIntegral() bool { return t.Kind >= KindByte && t.Kind <= KindLong }

// IsDateTime reports whether the type is date or timestamp, with or without a zone.
func (t *Type) IsDateTime() bool {
	return t.Kind == KindDate || t.Kind == KindTimestamp || t.Kind == KindTimestampNTZ
}

// IsFloating reports whether the type is float or double.
func (t *Type) IsFloating() bool { return t.Kind == KindFloat || t.Kind == KindDouble }

// IsNumeric reports whether the type is integral, floating or decimal.
func (t *Type) IsNumeric() bool { return t.Kind >= KindByte && t.Kind <= KindDecimal }

// IsNested reports whether values hold other values.
func (t *Type) IsNested() bool {
	return t.Kind == KindArray || t.Kind == KindMap || t.Kind == KindStruct || t.Kind == KindUDT
}

// IsStringLike reports whether values are variable-length bytes.
func (t *Type) IsStringLike() bool { return t.Kind == KindString || t.Kind == KindBinary }

// IsInterval reports whether the type is one of the two ANSI intervals.
func (t *Type) IsInterval() bool { return t.Kind == KindYearMonth || t.Kind == KindDayTime }

// IsShortDecimal reports whether a decimal fits in 64 bits.
func (t *Type) IsShortDecimal() bool { return t.Kind == KindDecimal && t.Precision <= MaxShortDecimal }

// Field returns the field of that name, compared without regard to case unless caseSensitive, and its place or -1.
func (t *Type) Field(name string, caseSensitive bool) (Field, int) {
	for i, f := range t.Fields {
		if f.Name == name || !caseSensitive && strings.EqualFold(f.Name, name) {
			return f, i
		}
	}
	return Field{}, -1
}

// Names returns the names of a struct's fields.
func (t *Type) Names() []string {
	names := make([]string, len(t.Fields))
	for i, f := range t.Fields {
		names[i] = f.Name
	}
	return names
}

// AsNullable returns the type with every nested part nullable.
func (t *Type) AsNullable() *Type {
	if !t.IsNested() {
		return t
	}
	n := *t
	n.ElemNull = n.Kind == KindArray || n.Kind == KindMap
	if n.Elem != nil {
		n.Elem = n.Elem.AsNullable()
	}
	if n.Key != nil {
		n.Key = n.Key.AsNullable()
	}
	n.Fields = make([]Field, len(t.Fields))
	for i, f := range t.Fields {
		f.Type, f.Nullable = f.Type.AsNullable(), true
		n.Fields[i] = f
	}
	return &n
}

// AutoNamed is the metadata of a query's column that nobody gave a name. It is not written into tables.
const AutoNamed = `{"__autoGeneratedAlias":"true"}`

// WithoutAutoNames is a struct whose fields do not say that their names were made.
func (t *Type) WithoutAutoNames() *Type {
	fields := append([]Field(nil), t.Fields...)
	for i := range fields {
		if fields[i].Metadata == AutoNamed {
			fields[i].Metadata = ""
		}
	}
	return Struct(fields...)
}

var simpleNames = map[Kind]string{KindNull: "void", KindBoolean: "boolean", KindByte: "tinyint", KindShort: "smallint",
	KindInteger: "int", KindLong: "bigint", KindFloat: "float", KindDouble: "double", KindString: "string",
	KindBinary: "binary", KindDate: "date", KindTimestamp: "timestamp", KindTimestampNTZ: "timestamp_ntz",
	KindCalendar: "interval", KindVariant: "variant"}

var (
	yearMonthUnits = [...]string{"year", "month"}
	dayTimeUnits   = [...]string{"day", "hour", "minute", "second"}
)

// String is Spark's catalogString: bigint, decimal(10,2), array<string>, struct<a:int,b:string>.
func (t *Type) String() string {
	switch t.Kind {
	case KindDecimal:
		return fmt.Sprintf("decimal(%d,%d)", t.Precision, t.Scale)
	case KindString:
		switch {
		case t.Char:
			return fmt.Sprintf("char(%d)", t.Length)
		case t.Length > 0:
			return fmt.Sprintf("varchar(%d)", t.Length)
		case t.Collation != "":
			return "string collate " + t.Collation
		}
		return "string"
	case KindTime:
		return "time(" + strconv.Itoa(t.Precision) + ")"
	case KindYearMonth:
		return intervalName(yearMonthUnits[:], t.Start, t.End)
	case KindDayTime:
		return intervalName(dayTimeUnits[:], t.Start, t.End)
	case KindArray:
		return "array<" + t.Elem.String() + ">"
	case KindMap:
		return "map<" + t.Key.String() + "," + t.Elem.String() + ">"
	case KindStruct:
		parts := make([]string, len(t.Fields))
		for i, f := range t.Fields {
			parts[i] = f.Name + ":" + f.Type.String()
		}
		return "struct<" + strings.Join(parts, ",") + ">"
	case KindUDT:
		return t.Elem.String()
	}
	return simpleNames[t.Kind]
}

func intervalName(units []string, start, end int) string {
	if start == end {
		return "interval " + units[start]
	}
	return "interval " + units[start] + " to " + units[end]
}

// SQL is the type as messages and DDL write it: BIGINT, DECIMAL(10,2), STRUCT<a: INT NOT NULL>.
func (t *Type) SQL() string {
	switch t.Kind {
	case KindArray:
		return "ARRAY<" + t.Elem.SQL() + ">"
	case KindMap:
		return "MAP<" + t.Key.SQL() + ", " + t.Elem.SQL() + ">"
	case KindStruct:
		parts := make([]string, len(t.Fields))
		for i, f := range t.Fields {
			parts[i] = QuoteIfNeeded(f.Name) + ": " + f.Type.SQL()
			if !f.Nullable {
				parts[i] += " NOT NULL"
			}
		}
		return "STRUCT<" + strings.Join(parts, ", ") + ">"
	case KindUDT:
		return t.Elem.SQL()
	case KindString:
		if t.Collation != "" {
			return "STRING COLLATE " + t.Collation
		}
	}
	return strings.ToUpper(t.String())
}

// Quote puts an identifier in backticks, doubling those inside.
func Quote(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" }

// QuoteIfNeeded quotes an identifier that is not a plain word.
func QuoteIfNeeded(name string) string {
	if name == "" {
		return "``"
	}
	digits := true
	for _, r := range name {
		if r != '_' && (r < '0' || r > '9') {
			digits = false
		}
		if r != '_' && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') {
			return Quote(name)
		}
	}
	if digits {
		return Quote(name)
	}
	return name
}

// QuoteParts quotes each part of a qualified name and joins them by dots, as messages show names.
func QuoteParts(parts ...string) string {
	quoted := make([]string, len(parts))
	for i, p := range parts {
		quoted[i] = Quote(p)
	}
	return strings.Join(quoted, ".")
}

// VectorUDT is the type of a column of machine learning vectors. A row is sparse (type 0: size, indices, values) or dense (type 1: values).
var VectorUDT = &Type{Kind: KindUDT, UDT: &UDT{Class: "org.apache.spark.ml.linalg.VectorUDT", PyClass: "pyspark.ml.linalg.VectorUDT"},
	Elem: Struct(Field{Name: "type", Type: Byte}, Field{Name: "size", Type: Integer, Nullable: true},
		Field{Name: "indices", Type: ArrayOf(Integer, false), Nullable: true},
		Field{Name: "values", Type: ArrayOf(Double, false), Nullable: true})}

// MatrixUDT is the type of a machine learning matrix as models are saved: sparse (type 0: colPtrs, rowIndices) or dense (type 1).
var MatrixUDT = &Type{Kind: KindUDT, UDT: &UDT{Class: "org.apache.spark.ml.linalg.MatrixUDT", PyClass: "pyspark.ml.linalg.MatrixUDT"},
	Elem: Struct(Field{Name: "type", Type: Byte}, Field{Name: "numRows", Type: Integer}, Field{Name: "numCols", Type: Integer},
		Field{Name: "colPtrs", Type: ArrayOf(Integer, false), Nullable: true}, Field{Name: "rowIndices", Type: ArrayOf(Integer, false), Nullable: true},
		Field{Name: "values", Type: ArrayOf(Double, false), Nullable: true}, Field{Name: "isTransposed", Type: Boolean})}

// IsVector reports whether the type is a vector of machine learning, whichever client named it.
func (t *Type) IsVector() bool {
	return t != nil && t.Kind == KindUDT && t.UDT.Class == VectorUDT.UDT.Class
}
