package expr_test

import (
	"math/rand/v2"
	"strconv"
	"testing"

	"millrace/operators/expr"
	planpb "millrace/proto/millrace/plan/v1"
	"millrace/types"
	"millrace/vector"
)

func benchmarkRows(b *testing.B, text string, coded bool) {
	const n = vector.BatchRows
	r := rand.New(rand.NewPCG(1, 2))
	values := make([]any, n)
	for i := range values {
		values[i] = " " + strconv.Itoa(36+24*r.IntN(2)) + " months" + strconv.Itoa(r.IntN(20))
	}
	batch := &vector.Batch{N: n, Cols: make([]*vector.Vector, len(rowColumns))}
	batch.Cols[0] = columnOf(types.String, values, coded)
	dates := make([]int32, n)
	times := make([]int64, n)
	for i := range dates {
		dates[i], times[i] = int32(r.IntN(20000)), r.Int64N(2e15)
	}
	batch.Cols[3], batch.Cols[4] = vector.FromSlice(types.Date, dates), vector.FromSlice(types.Timestamp, times)
	ev := compileOver(b, text)
	ctx := &expr.Ctx{Context: b.Context(), Settings: &planpb.Settings{TimeZone: testZone}}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ev.Eval(ctx, batch, nil); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mrows/s")
}

func BenchmarkTexts(b *testing.B) {
	for _, text := range []string{"regexp_replace(s, ' months', '')", "regexp_replace(s, '[^0-9]', '')", "trim(s)", "substring(s, 2, 3)", "upper(s)", "s like '%months%'", "concat(s, 'x')"} {
		b.Run(text+"/coded", func(b *testing.B) { benchmarkRows(b, text, true) })
		b.Run(text+"/plain", func(b *testing.B) { benchmarkRows(b, text, false) })
	}
	for _, text := range []string{"year(d)", "hour(t)", "date_trunc('month', t)", "date_format(t, 'yyyy-MM-dd')"} {
		b.Run(text, func(b *testing.B) { benchmarkRows(b, text, false) })
	}
}
