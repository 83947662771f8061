package javatime

import "testing"

func TestHybridDays(t *testing.T) {
	for _, c := range []struct {
		hybrid  int64
		y, m, d int
	}{
		{firstGregorianDay, 1582, 10, 15}, {firstGregorianDay - 1, 1582, 10, 4}, {0, 1970, 1, 1},
		// In the Julian calendar 1500 is a leap year.
		{Days(1500, 3, 10), 1500, 2, 29}, {Days(1200, 1, 8), 1200, 1, 1}, {Days(1, 1, 1), 1, 1, 3}, {Days(4, 12, 29), 4, 12, 31},
	} {
		y, m, d := julianOrGregorian(c.hybrid)
		if y != c.y || m != c.m || d != c.d {
			t.Errorf("%d is %d-%d-%d, want %d-%d-%d", c.hybrid, y, m, d, c.y, c.m, c.d)
		}
	}
}

func julianOrGregorian(day int64) (int, int, int) {
	if OldDay(day) {
		return julian(day)
	}
	return Civil(day)
}

// TestHybridIsInOrder checks that every day follows the one before.
func TestHybridIsInOrder(t *testing.T) {
	for day := int64(firstGregorianDay - 600_000); day < firstGregorianDay; day++ {
		y, m, d := julian(day)
		y2, m2, d2 := julianOrGregorian(day + 1)
		next := y2 == y && m2 == m && d2 == d+1 || d2 == 1 && (m2 == m+1 && y2 == y || m2 == 1 && m == 12 && y2 == y+1)
		if !next && day+1 != firstGregorianDay {
			t.Fatalf("%d-%d-%d is followed by %d-%d-%d", y, m, d, y2, m2, d2)
		}
	}
}
