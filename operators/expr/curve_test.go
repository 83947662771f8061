package expr

import "testing"

// TestHilbertCurve walks all points of a square and a cube in the order of the curve: each is next to the one before.
func TestHilbertCurve(t *testing.T) {
	for _, dims := range []int{1, 2, 3} {
		const bits = 3
		side := 1 << bits
		points := 1
		for range dims {
			points *= side
		}
		at := make([][]int, points)
		for p := range points {
			x, copyOf := make([]uint32, dims), make([]int, dims)
			for i, rest := 0, p; i < dims; i, rest = i+1, rest/side {
				x[i], copyOf[i] = uint32(rest%side), rest%side
			}
			at[hilbert(x, bits)] = copyOf
		}
		for i := 1; i < points; i++ {
			distance := 0
			for d := range dims {
				if at[i] == nil || at[i-1] == nil {
					t.Fatalf("%d dimensions: two points have the same place", dims)
				}
				if step := at[i][d] - at[i-1][d]; step < 0 {
					distance -= step
				} else {
					distance += step
				}
			}
			if distance != 1 {
				t.Fatalf("%d dimensions: from %v to %v at %d", dims, at[i-1], at[i], i)
			}
		}
	}
}
