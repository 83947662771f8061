package parquet

import (
	"fmt"
	"testing"
)

func BenchmarkFixedCodes(b *testing.B) {
	for _, distinct := range []uint64{100, 1500, 5000, 30000, 120000} {
		b.Run(fmt.Sprint(distinct), func(b *testing.B) {
			const rows = 1 << 20
			values, x := make([]uint64, rows), uint64(88172645463325252)
			for i := range values {
				x ^= x << 13
				x ^= x >> 7
				x ^= x << 17
				values[i] = (x % distinct) << 40
			}
			var d dictionary
			var dst []int32
			for b.Loop() {
				d.reset()
				for at := 0; at < rows; at += 2048 {
					dst = fixedCodes(&d, dst[:0], values[at:at+2048], func(uint64) {})
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/rows, "ns/row")
		})
	}
}
