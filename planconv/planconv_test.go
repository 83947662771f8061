package planconv_test

import (
	"reflect"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"millrace/planconv"
	"millrace/types"
	"millrace/vector"
)

func TestRoundTrip(t *testing.T) {
	nested := types.Struct(types.Field{Name: "a", Type: types.ArrayOf(types.Long, true), Nullable: true},
		types.Field{Name: "m", Type: types.MapOf(types.String, types.Double, true), Nullable: true})
	for _, c := range []struct {
		t *types.Type
		v any
	}{
		{types.Boolean, true}, {types.Byte, int64(-3)}, {types.Short, int64(300)}, {types.Integer, int64(-70000)}, {types.Long, int64(1) << 60},
		{types.Float, 1.5}, {types.Double, 2.25}, {types.String, "é"}, {types.Binary, []byte{0, 255}}, {types.Date, int64(12)},
		{types.Decimal(10, 2), int64(1234)}, {types.Decimal(38, 2), decimal128.New(-7, 9)}, {types.String, nil}, {types.Null, nil},
		{types.Calendar, vector.CalendarInterval{Months: 1, Days: 2, Micros: 3}},
		{nested, []any{[]any{int64(1), nil}, []any{"k", 1.0, "l", nil}}},
	} {
		if back := planconv.Type(planconv.TypePB(c.t)); !back.Equal(c.t) {
			t.Errorf("type %s became %s", c.t, back)
		}
		l := planconv.Literal(c.v)
		if got := planconv.Value(l, c.t); !reflect.DeepEqual(got, c.v) {
			t.Errorf("%s: literal %v became %v", c.t, c.v, got)
		}
		if got := planconv.At(planconv.Const(l, c.t), 5); !reflect.DeepEqual(got, c.v) {
			t.Errorf("%s: constant %v became %v", c.t, c.v, got)
		}
	}
}
