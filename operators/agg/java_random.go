package agg

import (
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"millrace/types"
)

// javaRandom is Java's linear congruential generator.
type javaRandom struct{ seed uint64 }

const javaMultiplier, javaMask = 0x5DEECE66D, 1<<48 - 1

func newJavaRandom(seed uint64) javaRandom { return javaRandom{(seed ^ javaMultiplier) & javaMask} }

func (r *javaRandom) next(bits uint) uint64 {
	r.seed = (r.seed*javaMultiplier + 11) & javaMask
	return r.seed >> (48 - bits)
}

func (r *javaRandom) double() float64 {
	high := r.next(26) << 27
	return float64(high+r.next(27)) / (1 << 53)
}

func decimalFromDouble(x float64, t *types.Type) (decimal128.Num, error) {
	return decimal128.FromFloat64(x, int32(t.Precision), int32(t.Scale))
}
