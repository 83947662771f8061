package operators

import (
	"context"
	"fmt"
	"syscall"
	"testing"

	"millrace/memory"
	"millrace/operators/expr"
	planpb "millrace/proto/millrace/plan/v1"
	"millrace/types"
	"millrace/vector"
)

func benchCtx(b testing.TB) *Ctx {
	return &Ctx{Ctx: expr.Ctx{Context: context.Background(), Settings: &planpb.Settings{Ansi: true, TimeZone: "UTC"}},
		Memory: memory.NewPool("bench", 8<<30), TempDir: b.TempDir()}
}

// batches cuts columns into batches.
func batches(cols ...*vector.Vector) *source {
	s := &source{}
	for _, c := range cols {
		s.types = append(s.types, c.Type)
	}
	all := &vector.Batch{Cols: cols, N: cols[0].Len}
	for at := 0; at < all.N; at += vector.BatchRows {
		s.batches = append(s.batches, vector.SliceBatch(all, at, min(vector.BatchRows, all.N-at)))
	}
	return s
}

func pull(b *testing.B, op Operator) int { return pullWith(b, op, benchCtx(b)) }

func pullWith(b *testing.B, op Operator, ctx *Ctx) int {
	if err := op.Open(ctx); err != nil {
		b.Fatal(err)
	}
	rows := 0
	for {
		out, err := op.Next()
		if err != nil {
			b.Fatal(err)
		}
		if out == nil {
			break
		}
		rows += out.Rows()
	}
	if err := op.Close(); err != nil {
		b.Fatal(err)
	}
	return rows
}

func random(n int, mod int64) []int64 {
	list, x := make([]int64, n), uint64(88172645463325252)
	for i := range list {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		list[i] = int64(x>>1) % mod
	}
	return list
}

func BenchmarkAggregate(b *testing.B) {
	const n = 2_000_000
	dict := vector.NewEmpty(types.String)
	for i := range 51 {
		dict.Append(vector.FromStrings(types.String, []string{"state " + string(rune('0'+i))}, nil), nil)
	}
	states := &vector.Vector{}
	states.ResetDict(dict, n)
	for i, x := range random(n, 51) {
		vector.Codes(states)[i] = int32(x)
	}
	amounts := make([]float64, n)
	for i := range amounts {
		amounts[i] = float64(i)
	}
	value := vector.FromSlice(types.Double, amounts)
	run := func(name string, key *vector.Vector, groups int) {
		b.Run(name, func(b *testing.B) {
			in := batches(key, value)
			for b.Loop() {
				op, err := newHashAggregate(&planpb.HashAggregate{Groups: []*planpb.Expr{col(0, key.Type)},
					Aggregates: []*planpb.Expr{call("sum", types.Double, col(1, types.Double)), call("count", types.Long)}}, in.again(), nil)
				if err != nil {
					b.Fatal(err)
				}
				if got := pull(b, op); got != groups {
					b.Fatal(got)
				}
			}
			b.ReportMetric(float64(key.Len)*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mrows/s")
		})
	}
	run("51 groups by dictionary", states, 51)
	keys := make([]int64, n)
	for i := range keys {
		keys[i] = int64(i) * 3 / 4
	}
	run("1.5 M groups", vector.FromSlice(types.Long, keys), n*3/4)
}

func BenchmarkJoin(b *testing.B) {
	const build, probe = 1_500_000, 6_000_000
	bk, pk := make([]int64, build), make([]int64, probe)
	for i := range bk {
		bk[i] = int64(i) * 4
	}
	for i := range pk {
		pk[i] = int64(i/4) * 4
	}
	long := func(list []int64) *vector.Vector { return vector.FromSlice(types.Long, list) }
	right := batches(long(bk), long(random(build, 1000)), long(random(build, 1<<40)))
	left := batches(long(pk), long(random(probe, 1000)), long(random(probe, 1<<40)))
	pb := &planpb.HashJoin{LeftKeys: []*planpb.Expr{col(0, types.Long)}, RightKeys: []*planpb.Expr{col(0, types.Long)}}
	run := func(name string, bytes int64) {
		b.Run(name, func(b *testing.B) {
			m, pool, cpu := &OperatorMetrics{}, memory.NewPool("bench", bytes), cpuSeconds()
			for b.Loop() {
				op, err := newHashJoin(pb, left.again(), right.again(), nil, nil)
				if err != nil {
					b.Fatal(err)
				}
				op.(*hashJoin).m = m
				ctx := benchCtx(b)
				ctx.Memory = pool
				if got := pullWith(b, op, ctx); got != probe {
					b.Fatal(got)
				}
			}
			b.ReportMetric((cpuSeconds()-cpu)/float64(b.N), "cpu-s/op")
			b.ReportMetric(float64(m.SpilledBytes)/float64(b.N)/1e6, "spilled-MB/op")
			b.ReportMetric(float64(pool.Peak())/1e6, "peak-MB")
		})
	}
	const needs = 130 << 20
	run("in memory", 8<<30)
	for _, n := range []int64{2, 4, 10} {
		run(fmt.Sprint("in 1 of ", n), needs/n)
	}
}

// cpuSeconds is what the process has used.
func cpuSeconds() float64 {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}

func BenchmarkSort(b *testing.B) {
	const n = 2_000_000
	f := make([]float64, n)
	for i, x := range random(n, 1<<24) {
		f[i] = float64(x) / 100
	}
	in := batches(vector.FromSlice(types.Double, f), vector.FromSlice(types.Long, random(n, 1<<40)))
	keys := []*planpb.SortKey{{Expr: col(0, types.Double)}, {Expr: col(1, types.Long), Descending: true}}
	for b.Loop() {
		op, err := newSort(keys, in.again(), nil)
		if err != nil {
			b.Fatal(err)
		}
		pull(b, op)
	}
}
