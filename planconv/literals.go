package planconv

import (
	"fmt"

	"github.com/apache/arrow-go/v18/arrow/decimal128"

	planpb "millrace/proto/millrace/plan/v1"
	"millrace/types"
	"millrace/vector"
)

// Literal is the message of a constant in plan.Literal's form. Integers of any Go width are taken.
func Literal(value any) *planpb.Literal {
	switch v := value.(type) {
	case nil:
		return &planpb.Literal{Value: &planpb.Literal_Null{Null: true}}
	case bool:
		return &planpb.Literal{Value: &planpb.Literal_Boolean{Boolean: v}}
	case int64:
		return &planpb.Literal{Value: &planpb.Literal_Integer{Integer: v}}
	case int32:
		return &planpb.Literal{Value: &planpb.Literal_Integer{Integer: int64(v)}}
	case int:
		return &planpb.Literal{Value: &planpb.Literal_Integer{Integer: int64(v)}}
	case float64:
		return &planpb.Literal{Value: &planpb.Literal_Float{Float: v}}
	case float32:
		return &planpb.Literal{Value: &planpb.Literal_Float{Float: float64(v)}}
	case string:
		return &planpb.Literal{Value: &planpb.Literal_Bytes{Bytes: []byte(v)}}
	case []byte:
		return &planpb.Literal{Value: &planpb.Literal_Bytes{Bytes: v}}
	case decimal128.Num:
		return &planpb.Literal{Value: &planpb.Literal_Decimal{Decimal: &planpb.Decimal{High: v.HighBits(), Low: v.LowBits()}}}
	case vector.CalendarInterval:
		return &planpb.Literal{Value: &planpb.Literal_Calendar{Calendar: &planpb.Calendar{Months: v.Months, Days: v.Days, Micros: v.Micros}}}
	case []any:
		list := &planpb.Literals{Values: make([]*planpb.Literal, len(v))}
		for i, e := range v {
			list.Values[i] = Literal(e)
		}
		return &planpb.Literal{Value: &planpb.Literal_List{List: list}}
	}
	panic(fmt.Sprintf("planconv: no literal form for %T", value))
}

// Value is a message's constant in plan.Literal's form for a type: bytes of a string type become a string.
func Value(l *planpb.Literal, t *types.Type) any {
	switch v := l.GetValue().(type) {
	case *planpb.Literal_Boolean:
		return v.Boolean
	case *planpb.Literal_Integer:
		if t.Kind == types.KindDecimal && !t.IsShortDecimal() {
			return decimal128.FromI64(v.Integer)
		}
		return v.Integer
	case *planpb.Literal_Float:
		return v.Float
	case *planpb.Literal_Bytes:
		if t.Kind == types.KindString {
			return string(v.Bytes)
		}
		return v.Bytes
	case *planpb.Literal_Decimal:
		return decimal128.New(v.Decimal.High, v.Decimal.Low)
	case *planpb.Literal_Calendar:
		return vector.CalendarInterval{Months: v.Calendar.Months, Days: v.Calendar.Days, Micros: v.Calendar.Micros}
	case *planpb.Literal_List:
		list := make([]any, len(v.List.Values))
		for i, e := range v.List.Values {
			list[i] = Value(e, part(t, i))
		}
		return list
	}
	return nil
}

// part is the type of element i of a list literal.
func part(t *types.Type, i int) *types.Type {
	switch t.Kind {
	case types.KindStruct:
		return t.Fields[i].Type
	case types.KindMap:
		if i%2 == 0 {
			return t.Key
		}
	case types.KindUDT:
		return part(t.Elem, i)
	}
	return t.Elem
}

// Const is a constant vector of one physical row; its Len is 1 until the user sets it.
func Const(l *planpb.Literal, t *types.Type) *vector.Vector {
	v := FromValues(t, []any{Value(l, t)})
	v.Const = true
	return v
}
