package expr_test

import (
	"context"
	"math/rand/v2"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"

	"millrace/operators/expr"
	planpb "millrace/proto/millrace/plan/v1"
	"millrace/types"
	"millrace/vector"
)

// Benchmarks run on batches of the pipeline's size and report millions of rows per second.
const benchRows = vector.BatchRows

func longs(lo, hi int64) *vector.Vector {
	r := rand.New(rand.NewPCG(1, 2))
	v := make([]int64, benchRows)
	for i := range v {
		v[i] = lo + r.Int64N(hi-lo)
	}
	return vector.FromSlice(types.Long, v)
}

func retyped(v *vector.Vector, t *types.Type) *vector.Vector { v.Type = t; return v }

func dictionary(entries int) *vector.Vector {
	words := make([]string, entries)
	for i := range words {
		words[i] = "value-" + strconv.Itoa(i)
	}
	v := &vector.Vector{}
	v.ResetDict(vector.FromStrings(types.String, words, nil), benchRows)
	for i := range vector.Codes(v) {
		vector.Codes(v)[i] = int32(i * 7 % entries)
	}
	return v
}

func numberTexts() *vector.Vector {
	r := rand.New(rand.NewPCG(3, 4))
	words := make([]string, benchRows)
	for i := range words {
		words[i] = strconv.FormatFloat(r.Float64()*10000, 'f', 2, 64)
	}
	return vector.FromStrings(types.String, words, nil)
}

func withNulls(v *vector.Vector) *vector.Vector {
	v.Valid = vector.NewBitmap(v.Len)
	for i := 0; i < v.Len; i += 10 {
		v.Valid.Clear(i)
	}
	return v
}

// processor is the processor time that the program has used, which other programs on the machine do not change.
func processor() float64 {
	var u unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return float64(u.Utime.Sec) + float64(u.Utime.Usec)/1e6
}

func report(b *testing.B, start float64) {
	b.ReportMetric(float64(b.N)*benchRows/(processor()-start)/1e6, "Mrows/cpu-s")
}

func typesOf(cols []*vector.Vector) []*types.Type {
	ts := make([]*types.Type, len(cols))
	for i, c := range cols {
		ts[i] = c.Type
	}
	return ts
}

func BenchmarkEval(b *testing.B) {
	d15, d31, d25 := types.Decimal(15, 2), types.Decimal(31, 4), types.Decimal(12, 2)
	short := types.Decimal(7, 2)
	one := literal(int64(100), d15)
	cases := []struct {
		name string
		e    *planpb.Expr
		cols []*vector.Vector
	}{
		{"add bigint columns", callOf("+", types.Long, column(0, types.Long), column(1, types.Long)), []*vector.Vector{longs(0, 1e6), longs(0, 1e6)}},
		{"add bigint constant", callOf("+", types.Long, column(0, types.Long), literal(int64(7), types.Long)), []*vector.Vector{longs(0, 1e6)}},
		{"add bigint with nulls", callOf("+", types.Long, column(0, types.Long), column(1, types.Long)), []*vector.Vector{withNulls(longs(0, 1e6)), longs(0, 1e6)}},
		{"multiply bigint", callOf("*", types.Long, column(0, types.Long), column(1, types.Long)), []*vector.Vector{longs(0, 1e6), longs(0, 1e6)}},
		{"multiply double", callOf("*", types.Double, callOf("cast", types.Double, column(0, types.Long)), literal(1.5, types.Double)), []*vector.Vector{longs(0, 1e6)}},
		{"multiply decimal(7,2) to 64 bits", callOf("*", types.Decimal(15, 4), column(0, short), column(1, short)), []*vector.Vector{retyped(longs(0, 1e6), short), retyped(longs(0, 1e6), short)}},
		{"multiply decimal(15,2) to 128 bits", callOf("*", d31, column(0, d15), column(1, d15)), []*vector.Vector{retyped(longs(0, 1e6), d15), retyped(longs(0, 1e6), d15)}},
		{"1 - decimal(15,2)", callOf("-", types.Decimal(16, 2), one, column(0, d15)), []*vector.Vector{retyped(longs(0, 100), d15)}},
		{"multiply decimal(31,4) rounded", callOf("*", types.Decimal(38, 6), callOf("*", d31, column(0, d15), column(1, d15)), column(0, d15)), []*vector.Vector{retyped(longs(0, 1e6), d15), retyped(longs(0, 100), d15)}},
		{"divide decimal(12,2)", callOf("/", types.Decimal(27, 15), column(0, d25), column(1, d25)), []*vector.Vector{retyped(longs(1, 1e6), d25), retyped(longs(1, 1e6), d25)}},
		{"cast string to double", callOf("cast", types.Double, column(0, types.String)), []*vector.Vector{numberTexts()}},
		{"cast string to decimal(10,2)", callOf("cast", types.Decimal(10, 2), column(0, types.String)), []*vector.Vector{numberTexts()}},
		{"cast string to int, dictionary", callOf("cast", types.Double, callOf("cast", types.String, column(0, types.String))), []*vector.Vector{numberTexts()}},
		{"cast bigint to string", callOf("cast", types.String, column(0, types.Long)), []*vector.Vector{longs(0, 1e6)}},
		{"cast double to string", callOf("cast", types.String, callOf("cast", types.Double, column(0, types.String))), []*vector.Vector{numberTexts()}},
		{"dictionary = constant", callOf("=", types.Boolean, column(0, types.String), literal("value-7", types.String)), []*vector.Vector{dictionary(50)}},
		{"case of constants", callOf("case", types.String, callOf(">", types.Boolean, column(0, types.Long), literal(int64(500), types.Long)), literal("high", types.String), literal("low", types.String)), []*vector.Vector{longs(0, 1000)}},
		{"hash(bigint)", callOf("hash", types.Integer, column(0, types.Long)), []*vector.Vector{longs(0, 1e6)}},
		{"hash(string)", callOf("hash", types.Integer, column(0, types.String)), []*vector.Vector{numberTexts()}},
		{"round(double, 2)", callOf("round", types.Double, callOf("cast", types.Double, column(0, types.String)), literal(int64(1), types.Integer)), []*vector.Vector{numberTexts()}},
	}
	for _, c := range cases {
		b.Run(c.name, func(b *testing.B) {
			ev, err := expr.Compile(c.e, typesOf(c.cols), nil)
			if err != nil {
				b.Fatal(err)
			}
			ctx, batch := &expr.Ctx{Context: context.Background()}, &vector.Batch{N: benchRows, Cols: c.cols}
			b.ReportAllocs()
			start := processor()
			for b.Loop() {
				if _, err := ev.Eval(ctx, batch, nil); err != nil {
					b.Fatal(err)
				}
			}
			report(b, start)
		})
	}
}

func BenchmarkSelect(b *testing.B) {
	lt := callOf("<", types.Boolean, column(0, types.Long), literal(int64(500), types.Long))
	ge := callOf(">=", types.Boolean, column(0, types.Long), literal(int64(100), types.Long))
	cases := []struct {
		name string
		e    *planpb.Expr
		cols []*vector.Vector
	}{
		{"bigint < constant", lt, []*vector.Vector{longs(0, 1000)}},
		{"bigint < constant, nulls", lt, []*vector.Vector{withNulls(longs(0, 1000))}},
		{"bigint < bigint", callOf("<", types.Boolean, column(0, types.Long), column(1, types.Long)), []*vector.Vector{longs(0, 1000), retyped(longs(200, 900), types.Long)}},
		{"range of bigint", callOf("and", types.Boolean, ge, lt), []*vector.Vector{longs(0, 1000)}},
		{"dictionary = constant", callOf("=", types.Boolean, column(0, types.String), literal("value-7", types.String)), []*vector.Vector{dictionary(50)}},
		{"dictionary in list, nulls", callOf("in", types.Boolean, column(0, types.String), literal("value-7", types.String), literal("value-9", types.String)), []*vector.Vector{withNulls(dictionary(50))}},
		{"string = constant", callOf("=", types.Boolean, column(0, types.String), literal("1234.56", types.String)), []*vector.Vector{numberTexts()}},
	}
	for _, c := range cases {
		b.Run(c.name, func(b *testing.B) {
			p, err := expr.CompilePredicate(c.e, typesOf(c.cols), nil)
			if err != nil {
				b.Fatal(err)
			}
			ctx, batch := &expr.Ctx{Context: context.Background()}, &vector.Batch{N: benchRows, Cols: c.cols}
			b.ReportAllocs()
			start := processor()
			for b.Loop() {
				if _, err := p.Select(ctx, batch, nil); err != nil {
					b.Fatal(err)
				}
			}
			report(b, start)
		})
	}
}

func BenchmarkFastHash(b *testing.B) {
	for name, col := range map[string]*vector.Vector{"bigint": longs(0, 1e9), "string": numberTexts(), "dictionary": dictionary(50)} {
		b.Run(name, func(b *testing.B) {
			out := make([]uint64, benchRows)
			start := processor()
			for b.Loop() {
				expr.FastHash([]*vector.Vector{col}, nil, benchRows, out)
			}
			report(b, start)
		})
	}
}
