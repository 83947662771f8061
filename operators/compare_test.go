package operators

import (
	"cmp"
	"strings"

	"github.com/apache/arrow-go/v18/arrow/decimal128"
)

// compareAny orders two values of one type that are not null, as Spark does.
func compareAny(a, b any) int {
	switch x := a.(type) {
	case int64:
		return cmp.Compare(x, b.(int64))
	case float64:
		y := b.(float64)
		switch {
		case x < y || x == x && y != y:
			return -1
		case x > y || x != x && y == y:
			return 1
		}
		return 0
	case string:
		return strings.Compare(x, b.(string))
	case bool:
		if x == b.(bool) {
			return 0
		} else if x {
			return 1
		}
		return -1
	case decimal128.Num:
		return x.Cmp(b.(decimal128.Num))
	}
	return 0
}

func decimalOf(x int64) any { return decimal128.FromI64(x) }
