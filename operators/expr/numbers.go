package expr

import (
	"math/bits"

	"github.com/apache/arrow-go/v18/arrow/decimal128"
)

type signed interface{ int8 | int16 | int32 | int64 }

type ordered interface {
	int8 | int16 | int32 | int64 | uint8
}

// mulHigh is the high word of the 128-bit product of two signed words.
func mulHigh(x, y int64) int64 {
	h, _ := bits.Mul64(uint64(x), uint64(y))
	return int64(h) - (x>>63)&y - (y>>63)&x
}

// negativeUnless0 is negative for all but 0.
func negativeUnless0(x int64) int64 { return x | -x }

// wideLess orders 128-bit decimals.
func wideLess(x, y decimal128.Num) bool {
	h, g := x.HighBits(), y.HighBits()
	return h < g || h == g && x.LowBits() < y.LowBits()
}
