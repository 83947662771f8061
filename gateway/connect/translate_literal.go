package connect

import (
	"math/big"
	"strings"

	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"google.golang.org/protobuf/proto"

	"millrace/errs"
	"millrace/plan"
	pb "millrace/proto/spark/connect"
	"millrace/types"
	"millrace/vector"
)

// literal reads a constant. Old clients give nested types inside the value, new ones beside it.
func literal(l *pb.Expression_Literal) (*plan.Literal, error) {
	if l == nil {
		return nil, notSet("spark.connect.Expression.Literal", "LITERALTYPE_NOT_SET")
	}
	given, err := typeOf(l.DataType)
	if err != nil {
		return nil, err
	}
	n, err := simpleLiteral(l)
	if n == nil && err == nil {
		n, err = nestedLiteral(l, given)
	}
	if err != nil {
		return nil, err
	}
	if given != nil && n.T.Kind == given.Kind {
		n.T = given
	}
	return n, nil
}

func simpleLiteral(l *pb.Expression_Literal) (*plan.Literal, error) {
	of := func(v any, t *types.Type) (*plan.Literal, error) { return &plan.Literal{Value: v, T: t}, nil }
	switch v := l.LiteralType.(type) {
	case *pb.Expression_Literal_Null:
		t, err := fromDataType(v.Null)
		return &plan.Literal{T: t}, err
	case *pb.Expression_Literal_Binary:
		return of(v.Binary, types.Binary)
	case *pb.Expression_Literal_Boolean:
		return of(v.Boolean, types.Boolean)
	case *pb.Expression_Literal_Byte:
		return of(int64(v.Byte), types.Byte)
	case *pb.Expression_Literal_Short:
		return of(int64(v.Short), types.Short)
	case *pb.Expression_Literal_Integer:
		return of(int64(v.Integer), types.Integer)
	case *pb.Expression_Literal_Long:
		return of(v.Long, types.Long)
	case *pb.Expression_Literal_Float:
		return of(float64(v.Float), types.Float)
	case *pb.Expression_Literal_Double:
		return of(v.Double, types.Double)
	case *pb.Expression_Literal_Decimal_:
		return decimalLiteral(v.Decimal)
	case *pb.Expression_Literal_String_:
		return of(v.String_, types.String)
	case *pb.Expression_Literal_Date:
		return of(int64(v.Date), types.Date)
	case *pb.Expression_Literal_Timestamp:
		return of(v.Timestamp, types.Timestamp)
	case *pb.Expression_Literal_TimestampNtz:
		return of(v.TimestampNtz, types.TimestampNTZ)
	case *pb.Expression_Literal_CalendarInterval_:
		c := v.CalendarInterval
		return of(vector.CalendarInterval{Months: c.Months, Days: c.Days, Micros: c.Microseconds}, types.Calendar)
	case *pb.Expression_Literal_YearMonthInterval:
		return of(int64(v.YearMonthInterval), types.YearMonth)
	case *pb.Expression_Literal_DayTimeInterval:
		return of(v.DayTimeInterval, types.DayTime)
	case *pb.Expression_Literal_Time_:
		t := &types.Type{Kind: types.KindTime, Precision: 6}
		if v.Time.Precision != nil {
			t.Precision = int(*v.Time.Precision)
		}
		return of(v.Time.Nano, t)
	}
	return nil, nil
}

// decimalLiteral reads digits. Precision and scale are those of the text, or those given where they are greater: clients give
// (10,0) for want of knowing.
func decimalLiteral(d *pb.Expression_Literal_Decimal) (*plan.Literal, error) {
	bad := errs.Newf(errs.Invalid, "%q is not a decimal.", d.Value)
	r, ok := new(big.Rat).SetString(d.Value)
	if !ok || len(d.Value) > 200 {
		return nil, bad
	}
	digits, scale := decimalShape(d.Value)
	scale = max(scale, int(d.GetScale()))
	digits = max(digits, scale, int(d.GetPrecision()), 1)
	if digits > types.MaxPrecision || scale < 0 {
		return nil, errs.Newf(errs.Invalid, "The decimal %s has more than %d digits.", d.Value, types.MaxPrecision)
	}
	r.Mul(r, new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(scale)), nil)))
	if !r.IsInt() {
		return nil, bad
	}
	if len(new(big.Int).Abs(r.Num()).String()) > digits {
		return nil, bad
	}
	t := types.Decimal(digits, scale)
	if t.IsShortDecimal() {
		return &plan.Literal{Value: r.Num().Int64(), T: t}, nil
	}
	return &plan.Literal{Value: decimal128.FromBigInt(r.Num()), T: t}, nil
}

// decimalShape is the number of digits of a plain decimal text and of those after its point.
func decimalShape(s string) (digits, scale int) {
	s = strings.TrimLeft(s, "+-")
	if mantissa, _, scientific := strings.Cut(strings.ToLower(s), "e"); scientific {
		r, ok := new(big.Rat).SetString(s)
		if !ok {
			return 0, 0
		}
		_, frac, _ := strings.Cut(mantissa, ".")
		s = strings.TrimRight(r.FloatString(len(frac)+types.MaxPrecision), "0")
	}
	whole, frac, _ := strings.Cut(s, ".")
	return len(strings.TrimLeft(whole, "0")) + len(frac), len(frac)
}

func nestedLiteral(l *pb.Expression_Literal, given *types.Type) (*plan.Literal, error) {
	switch v := l.LiteralType.(type) {
	case *pb.Expression_Literal_SpecializedArray_:
		return specializedArray(v.SpecializedArray, given)
	case *pb.Expression_Literal_Array_:
		elem, err := typeOf(v.Array.ElementType)
		if err != nil {
			return nil, err
		}
		if elem == nil && given != nil && given.Kind == types.KindArray {
			elem = given.Elem
		}
		values, elem, nulls, err := elements(v.Array.Elements, elem)
		return &plan.Literal{Value: values, T: types.ArrayOf(elem, nulls)}, err
	case *pb.Expression_Literal_Map_:
		return mapLiteral(v.Map, given)
	case *pb.Expression_Literal_Struct_:
		return structLiteral(v.Struct, given)
	}
	return nil, notSet("spark.connect.Expression.Literal", "LITERALTYPE_NOT_SET")
}

// elements reads literals of one type, which is the first one's where it is not given.
func elements(list []*pb.Expression_Literal, t *types.Type) (values []any, of *types.Type, nulls bool, err error) {
	values = []any{}
	for _, x := range list {
		if t != nil && x.DataType == nil && x.LiteralType != nil && t.IsNested() {
			x = proto.CloneOf(x)
			if x.DataType, err = toDataType(t); err != nil {
				return nil, nil, false, err
			}
		}
		e, err := literal(x)
		if err != nil {
			return nil, nil, false, err
		}
		if t == nil || t.Kind == types.KindNull {
			t = e.T
		}
		nulls = nulls || e.Value == nil
		values = append(values, e.Value)
	}
	if t == nil {
		t = types.Null
	}
	return values, t, nulls, nil
}

func mapLiteral(m *pb.Expression_Literal_Map, given *types.Type) (*plan.Literal, error) {
	if len(m.Keys) != len(m.Values) {
		return nil, errs.Newf(errs.Invalid, "A map literal has %d keys and %d values.", len(m.Keys), len(m.Values))
	}
	kt, err := typeOf(m.KeyType)
	if err != nil {
		return nil, err
	}
	vt, err := typeOf(m.ValueType)
	if err != nil {
		return nil, err
	}
	if given != nil && given.Kind == types.KindMap {
		kt, vt = given.Key, given.Elem
	}
	keys, kt, _, err := elements(m.Keys, kt)
	if err != nil {
		return nil, err
	}
	vals, vt, nulls, err := elements(m.Values, vt)
	if err != nil {
		return nil, err
	}
	flat := []any{}
	for i := range keys {
		flat = append(flat, keys[i], vals[i])
	}
	return &plan.Literal{Value: flat, T: types.MapOf(kt, vt, nulls)}, nil
}

func structLiteral(s *pb.Expression_Literal_Struct, given *types.Type) (*plan.Literal, error) {
	t, err := typeOf(s.StructType)
	if err != nil {
		return nil, err
	}
	if t == nil {
		t = given
	}
	if t == nil || t.Kind != types.KindStruct || len(t.Fields) != len(s.Elements) {
		return nil, errs.Newf(errs.Invalid, "A struct literal has %d values that do not fit its type.", len(s.Elements))
	}
	values := make([]any, len(s.Elements))
	for i, x := range s.Elements {
		v, _, _, err := elements([]*pb.Expression_Literal{x}, t.Fields[i].Type)
		if err != nil {
			return nil, err
		}
		values[i] = v[0]
	}
	return &plan.Literal{Value: values, T: t}, nil
}

func specializedArray(a *pb.Expression_Literal_SpecializedArray, given *types.Type) (*plan.Literal, error) {
	of := func(values []any, elem *types.Type) (*plan.Literal, error) {
		t := types.ArrayOf(elem, false)
		if given != nil {
			t = given
		}
		return &plan.Literal{Value: values, T: t}, nil
	}
	switch v := a.ValueType.(type) {
	case *pb.Expression_Literal_SpecializedArray_Bools:
		return of(anys(v.Bools.Values), types.Boolean)
	case *pb.Expression_Literal_SpecializedArray_Ints:
		return of(widen(v.Ints.Values), types.Integer)
	case *pb.Expression_Literal_SpecializedArray_Longs:
		return of(anys(v.Longs.Values), types.Long)
	case *pb.Expression_Literal_SpecializedArray_Floats:
		out := make([]any, len(v.Floats.Values))
		for i, f := range v.Floats.Values {
			out[i] = float64(f)
		}
		return of(out, types.Float)
	case *pb.Expression_Literal_SpecializedArray_Doubles:
		return of(anys(v.Doubles.Values), types.Double)
	case *pb.Expression_Literal_SpecializedArray_Strings:
		return of(anys(v.Strings.Values), types.String)
	}
	return nil, notSet("spark.connect.Expression.Literal.SpecializedArray", "VALUETYPE_NOT_SET")
}

func widen(list []int32) []any {
	out := make([]any, len(list))
	for i, v := range list {
		out[i] = int64(v)
	}
	return out
}

// toLiteral writes a constant of a plain type; others become null.
func toLiteral(l *plan.Literal) *pb.Expression_Literal {
	out := &pb.Expression_Literal{}
	switch v := l.Value.(type) {
	case bool:
		out.LiteralType = &pb.Expression_Literal_Boolean{Boolean: v}
	case string:
		out.LiteralType = &pb.Expression_Literal_String_{String_: v}
	case []byte:
		out.LiteralType = &pb.Expression_Literal_Binary{Binary: v}
	case float64:
		out.LiteralType = &pb.Expression_Literal_Double{Double: v}
		if l.T.Kind == types.KindFloat {
			out.LiteralType = &pb.Expression_Literal_Float{Float: float32(v)}
		}
	case decimal128.Num:
		out.LiteralType = decimalOf(v.ToString(int32(l.T.Scale)), l.T)
	case int64:
		toIntegral(out, v, l.T)
	case []any:
		toNested(out, v, l.T)
	}
	if out.LiteralType == nil {
		d, err := toDataType(l.T)
		if err != nil {
			d, _ = toDataType(types.Null)
		}
		out.LiteralType = &pb.Expression_Literal_Null{Null: d}
	}
	return out
}

// toNested makes a literal of an array, a map, whose keys and values come in turn, or a struct.
func toNested(out *pb.Expression_Literal, list []any, t *types.Type) {
	d, err := toDataType(t)
	if err != nil {
		return
	}
	each := func(i int, t *types.Type) *pb.Expression_Literal {
		return toLiteral(&plan.Literal{Value: list[i], T: t})
	}
	switch t.Kind {
	case types.KindArray:
		a := &pb.Expression_Literal_Array{ElementType: d.GetArray().GetElementType()}
		for i := range list {
			a.Elements = append(a.Elements, each(i, t.Elem))
		}
		out.LiteralType = &pb.Expression_Literal_Array_{Array: a}
	case types.KindMap:
		m := &pb.Expression_Literal_Map{KeyType: d.GetMap().GetKeyType(), ValueType: d.GetMap().GetValueType()}
		for i := 0; i+1 < len(list); i += 2 {
			m.Keys, m.Values = append(m.Keys, each(i, t.Key)), append(m.Values, each(i+1, t.Elem))
		}
		out.LiteralType = &pb.Expression_Literal_Map_{Map: m}
	case types.KindStruct:
		s := &pb.Expression_Literal_Struct{StructType: d}
		for i, f := range t.Fields {
			s.Elements = append(s.Elements, each(i, f.Type))
		}
		out.LiteralType = &pb.Expression_Literal_Struct_{Struct: s}
	}
}

func decimalOf(text string, t *types.Type) *pb.Expression_Literal_Decimal_ {
	return &pb.Expression_Literal_Decimal_{Decimal: &pb.Expression_Literal_Decimal{Value: text,
		Precision: proto.Int32(int32(t.Precision)), Scale: proto.Int32(int32(t.Scale))}}
}

func toIntegral(out *pb.Expression_Literal, v int64, t *types.Type) {
	switch t.Kind {
	case types.KindByte:
		out.LiteralType = &pb.Expression_Literal_Byte{Byte: int32(v)}
	case types.KindShort:
		out.LiteralType = &pb.Expression_Literal_Short{Short: int32(v)}
	case types.KindInteger:
		out.LiteralType = &pb.Expression_Literal_Integer{Integer: int32(v)}
	case types.KindLong:
		out.LiteralType = &pb.Expression_Literal_Long{Long: v}
	case types.KindDate:
		out.LiteralType = &pb.Expression_Literal_Date{Date: int32(v)}
	case types.KindTimestamp:
		out.LiteralType = &pb.Expression_Literal_Timestamp{Timestamp: v}
	case types.KindTimestampNTZ:
		out.LiteralType = &pb.Expression_Literal_TimestampNtz{TimestampNtz: v}
	case types.KindYearMonth:
		out.LiteralType = &pb.Expression_Literal_YearMonthInterval{YearMonthInterval: int32(v)}
	case types.KindDayTime:
		out.LiteralType = &pb.Expression_Literal_DayTimeInterval{DayTimeInterval: v}
	case types.KindDecimal:
		out.LiteralType = decimalOf(decimal128.FromI64(v).ToString(int32(t.Scale)), t)
	}
}
