package expr

import (
	"math/big"

	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"millrace/types"
)

// exact is a decimal of any size: what the operations fall back to when 128 bits do not suffice.
type exact struct {
	unscaled *big.Int
	scale    int
}

func bigPower(k int) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(k)), nil) }

// quotientScale is the scale to which Spark computes a quotient before it rounds to the result's type.
const quotientScale = types.MaxPrecision + 1

func exactDecimal(op string, x wide, xs int, y wide, ys int) exact {
	a, b := x.BigInt(), y.BigInt()
	if op == "*" {
		return exact{a.Mul(a, b), xs + ys}.cut()
	}
	scale := max(xs, ys)
	a.Mul(a, bigPower(scale-xs))
	b.Mul(b, bigPower(scale-ys))
	switch op {
	case "+":
		a.Add(a, b)
	case "-":
		a.Sub(a, b)
	case "/":
		return exact{divideHalfUp(a.Mul(a, bigPower(quotientScale)), b), quotientScale}
	case "div":
		return exact{a.Quo(a, b), 0}
	case "%":
		a.Rem(a, b)
	case "pmod":
		if a.Rem(a, b); a.Sign() < 0 {
			a.Rem(a.Add(a, b), b)
		}
	}
	return exact{a, scale}
}

// productDigits is how many digits of a product Spark keeps, cutting off the rest, before it rounds to the result's type.
const productDigits = types.MaxPrecision + 1

func (e exact) cut() exact {
	digits := len(new(big.Int).Abs(e.unscaled).String())
	if digits <= productDigits {
		return e
	}
	drop := digits - productDigits
	q := new(big.Int).Quo(e.unscaled, bigPower(drop))
	if drop > e.scale {
		return exact{q.Mul(q, bigPower(drop-e.scale)), 0}
	}
	return exact{q, e.scale - drop}
}

// divideHalfUp is a/b rounded to the nearest integer, ties away from zero.
func divideHalfUp(a, b *big.Int) *big.Int {
	q, r := new(big.Int).QuoRem(a, b, new(big.Int))
	if r.Lsh(r.Abs(r), 1).CmpAbs(b) >= 0 {
		if (a.Sign() < 0) != (b.Sign() < 0) {
			return q.Sub(q, big.NewInt(1))
		}
		return q.Add(q, big.NewInt(1))
	}
	return q
}

// rounded is the unscaled value at another scale, rounded half up.
func (e exact) rounded(scale int) *big.Int {
	if scale >= e.scale {
		return new(big.Int).Mul(e.unscaled, bigPower(scale-e.scale))
	}
	return divideHalfUp(e.unscaled, bigPower(e.scale-scale))
}

// fit brings the value to a decimal type; false if it has too many digits.
func (e exact) fit(t *types.Type) (wide, bool) {
	r := e.rounded(t.Scale)
	if r.CmpAbs(bigPower(t.Precision)) >= 0 {
		return wide{}, false
	}
	return decimal128.FromBigInt(r), true
}

// String is the value in plain notation.
func (e exact) String() string {
	digits := new(big.Int).Abs(e.unscaled).Append(nil, 10)
	var sign []byte
	if e.unscaled.Sign() < 0 {
		sign = []byte{'-'}
	}
	return string(placePoint(sign, digits, e.scale))
}
