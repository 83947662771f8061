package fn

import (
	"strconv"
	"strings"

	"millrace/types"
)

// The decimals that hold all values of a type, and the one that strings and unknown decimals become.
var (
	decimalForKind = map[types.Kind]*types.Type{types.KindByte: types.Decimal(3, 0), types.KindShort: types.Decimal(5, 0),
		types.KindInteger: types.Decimal(10, 0), types.KindLong: types.Decimal(20, 0), types.KindFloat: types.Decimal(14, 7), types.KindDouble: types.Decimal(30, 15)}
	SystemDecimal = types.Decimal(38, 18)
)

// minAdjustedScale is how many fractional digits a result keeps when its precision is cut to 38.
const minAdjustedScale = 6

// DecimalFor is the decimal that holds all values of a numeric type.
func DecimalFor(t *types.Type) *types.Type {
	if t.Kind == types.KindDecimal {
		return t
	}
	return decimalForKind[t.Kind]
}

// WiderDecimal holds the values of both; where 38 digits do not suffice, fractional digits are given up.
func WiderDecimal(a, b *types.Type) *types.Type {
	scale := max(a.Scale, b.Scale)
	precision := max(a.Precision-a.Scale, b.Precision-b.Scale) + scale
	if precision <= types.MaxPrecision {
		return types.Decimal(precision, scale)
	}
	return types.Decimal(types.MaxPrecision, max(0, scale-(precision-types.MaxPrecision)))
}

// boundedDecimal cuts precision and scale to 38.
func boundedDecimal(precision, scale int) *types.Type {
	return types.Decimal(min(precision, types.MaxPrecision), min(scale, types.MaxPrecision))
}

// adjusted is the type of an arithmetic result: beyond 38 digits the fraction shrinks, to not less than 6 digits, to make room for the
// integral part.
func adjusted(c *Context, precision, scale int) *types.Type {
	if c.Conf != nil && c.Conf("spark.sql.decimalOperations.allowPrecisionLoss") == "false" {
		return boundedDecimal(precision, scale)
	}
	if precision <= types.MaxPrecision {
		return types.Decimal(precision, scale)
	}
	whole := precision - scale
	return types.Decimal(types.MaxPrecision, max(types.MaxPrecision-whole, min(scale, minAdjustedScale)))
}

// decimalResult is the type of a decimal operation.
func decimalResult(c *Context, op string, a, b *types.Type) *types.Type {
	p1, s1, p2, s2 := a.Precision, a.Scale, b.Precision, b.Scale
	scale := max(s1, s2)
	switch op {
	case "+", "-":
		return adjusted(c, max(p1-s1, p2-s2)+scale+1, scale)
	case "*":
		return adjusted(c, p1+p2+1, s1+s2)
	case "/":
		s := max(minAdjustedScale, s1+p2+1)
		return adjusted(c, p1-s1+s2+s, s)
	}
	return adjusted(c, min(p1-s1, p2-s2)+scale, scale) // % and pmod
}

// literalDecimal is the decimal of as many digits as an integer literal has; nil for anything else.
func literalDecimal(a Arg) *types.Type {
	n, ok := a.Const.(int64)
	if !ok || !a.IsConst || !a.Type.IsIntegral() || !isIntegerLiteral(a.SQL) {
		return nil
	}
	digits := strings.TrimPrefix(strconv.FormatInt(n, 10), "-")
	return types.Decimal(len(digits), 0)
}

// isIntegerLiteral tells 10 and -10L from foldable expressions such as 5 + 5.
func isIntegerLiteral(sql string) bool {
	sql = strings.TrimRight(strings.TrimPrefix(sql, "-"), "LSYlsy")
	if sql == "" {
		return false
	}
	for _, r := range sql {
		if r < '0' || r > '9' {
			return false
		}
	}
	return true
}
