package expr_test

import (
	"strconv"
	"testing"
	"time"

	"millrace/operators/expr"
	"millrace/planconv"
	planpb "millrace/proto/millrace/plan/v1"
	"millrace/types"
)

var casts = []*types.Type{types.Boolean, types.Byte, types.Long, types.Float, types.Double, types.Decimal(10, 2), types.Decimal(38, 10), types.Date,
	types.Timestamp, types.TimestampNTZ, types.YearMonth, types.DayTime}

// FuzzCast reads any text as any type: a value that is read and shown is read again as the same.
func FuzzCast(f *testing.F) {
	for _, s := range []string{"1.5", "-1e5", " 12 ", "2020-02-29 23:59:59.5 Europe/Rome", "INTERVAL '1-2' YEAR TO MONTH", "1 02:03:04.5", "nan", "T1:2", "+1:2", "0x1p3", "1e999999999"} {
		f.Add(s)
	}
	s := &planpb.Settings{Ansi: true, TimeZone: "America/New_York"}
	try := planpb.EvalMode_EVAL_MODE_TRY
	f.Fuzz(func(t *testing.T, text string) {
		for _, typ := range casts {
			shown, err := expr.Fold(castTo(castTo(literal(text, types.String), typ, try), types.String, try), s)
			if err != nil {
				t.Fatal(typ, err)
			}
			once, ok := planconv.Value(shown, types.String).(string)
			if !ok {
				continue
			}
			again, err := expr.Fold(castTo(castTo(literal(once, types.String), typ, try), types.String, try), s)
			if err != nil {
				t.Fatal(typ, err)
			}
			if twice := planconv.Value(again, types.String); twice != once {
				t.Errorf("%q as %s is %s, which is %v", text, typ, once, twice)
			}
		}
	})
}

// FuzzDouble compares reading and showing doubles with strconv.
func FuzzDouble(f *testing.F) {
	f.Add("123.456")
	f.Add("1e22")
	f.Fuzz(func(t *testing.T, text string) {
		want, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return
		}
		back, err := strconv.ParseFloat(string(expr.AppendDouble(nil, want)), 64)
		if err != nil || back != want && want == want {
			t.Errorf("%q: %v became %v", text, want, back)
		}
	})
}

// TestInstants compares wall clocks and instants with package time around changes of the clock.
func TestInstants(t *testing.T) {
	zone, err := expr.LoadZone("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	for at := time.Date(2024, 3, 9, 0, 0, 0, 0, time.UTC); at.Year() < 2025; at = at.Add(37 * time.Minute) {
		micros := at.UnixMicro()
		local := expr.LocalMicros(micros, zone)
		y, m, d := expr.DaysToCivil(local / 86_400_000_000)
		in := at.In(zone)
		if int(y) != in.Year() || m != int(in.Month()) || d != in.Day() {
			t.Fatal(at, y, m, d)
		}
		back := expr.InstantOf(local, zone)
		if back != micros && micros-back != 3_600_000_000 { // an hour that comes twice is its first
			t.Fatal(at, micros-back)
		}
	}
}
