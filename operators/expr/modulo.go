package expr

import "math"

func modInt[T signed](x, y T) T { return x % y }

// pmodSmall is pmodInt without wrapping: Java computes bytes and shorts as ints.
func pmodSmall[T int8 | int16](x, y T) T { return T(pmodInt(int32(x), int32(y))) }

// pmodInt is the remainder with the sign of the divisor added where the dividend is negative, as Spark computes it.
func pmodInt[T signed](x, y T) T {
	r := x % y
	if r < 0 {
		return (r + y) % y
	}
	return r
}

func modFloat[T float32 | float64](x, y T) T { return T(math.Mod(float64(x), float64(y))) }

func pmodFloat[T float32 | float64](x, y T) T {
	r := modFloat(x, y)
	if r < 0 {
		return modFloat(r+y, y)
	}
	return r
}
