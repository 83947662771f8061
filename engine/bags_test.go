package engine_test

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// bagDifference says how two bags of rows differ, or nothing. Numbers are equal that differ in their last digits only: what is summed in another order is, and
// so is an average that is a decimal here and a double there.
func bagDifference(want, got [][]string) string {
	if len(want) != len(got) {
		return fmt.Sprintf("%d rows instead of %d", len(got), len(want))
	}
	want, got = slices.Clone(want), slices.Clone(got)
	sortBag(want)
	sortBag(got)
	for i := range want {
		if !equalRows(want[i], got[i]) {
			return fmt.Sprintf("the row %q instead of %q", got[i], want[i])
		}
	}
	return ""
}

func sortBag(rows [][]string) {
	keys := make(map[*string]string, len(rows))
	for _, r := range rows {
		if len(r) > 0 {
			keys[&r[0]] = bagKey(r)
		}
	}
	slices.SortFunc(rows, func(a, b []string) int {
		if len(a) == 0 || len(b) == 0 {
			return len(a) - len(b)
		}
		return strings.Compare(keys[&a[0]], keys[&b[0]])
	})
}

// bagKey puts first what is exact, then numbers that are whole, then roughly the others.
func bagKey(row []string) string {
	var exact, rough strings.Builder
	for _, v := range row {
		f, err := strconv.ParseFloat(v, 64)
		switch {
		case err != nil:
			exact.WriteString(v + "\x00")
		case math.Abs(f-math.Round(f)) < 1e-7 && math.Abs(f) < 1e15:
			fmt.Fprintf(&exact, "%.0f\x00", math.Round(f)+0)
		default:
			exact.WriteString("?\x00")
			fmt.Fprintf(&rough, "%.4e\x00", f)
		}
	}
	return exact.String() + rough.String()
}

func equalRows(a, b []string) bool {
	return slices.EqualFunc(a, b, equalCells)
}

func equalCells(a, b string) bool {
	if a == b {
		return true
	}
	x, err1 := strconv.ParseFloat(a, 64)
	y, err2 := strconv.ParseFloat(b, 64)
	if err1 != nil || err2 != nil {
		return sameDigits(a, b)
	}
	return x == y || math.IsNaN(x) && math.IsNaN(y) || math.Abs(x-y) <= max(1e-9*max(math.Abs(x), math.Abs(y)), 1e-6)
}

// sameDigits compares lists of numbers, whose decimals may be written with more zeros.
func sameDigits(a, b string) bool {
	if !strings.HasPrefix(a, "[") || !strings.HasPrefix(b, "[") {
		return false
	}
	x, y := strings.Split(strings.Trim(a, "[]"), ", "), strings.Split(strings.Trim(b, "[]"), ", ")
	return slices.EqualFunc(x, y, func(a, b string) bool {
		return a == b || a != "" && b != "" && a[0] != '[' && b[0] != '[' && equalCells(a, b)
	})
}
