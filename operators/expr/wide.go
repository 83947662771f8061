package expr

import (
	"math/big"
	"math/bits"

	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"millrace/types"
	"millrace/vector"
)

// wide is a 128-bit signed integer, an unscaled decimal.
type wide = decimal128.Num

// u128 is a magnitude.
type u128 struct{ hi, lo uint64 }

// powers are 10^0 to 10^19 in a word, and widePowers 10^0 to 10^38 as magnitudes.
var (
	powers     [20]uint64
	widePowers [39]u128
)

func init() {
	p := u128{0, 1}
	for i := range widePowers {
		if widePowers[i] = p; i < len(powers) {
			powers[i] = p.lo
		}
		p, _ = p.times(10)
	}
}

func magnitude(x wide) u128 {
	h, l := uint64(x.HighBits()), x.LowBits()
	if int64(h) < 0 {
		var borrow uint64
		l, borrow = bits.Sub64(0, l, 0)
		h, _ = bits.Sub64(0, h, borrow)
	}
	return u128{h, l}
}

// signed gives a magnitude below 2^127 a sign.
func (u u128) signed(negative bool) wide {
	if !negative {
		return decimal128.New(int64(u.hi), u.lo)
	}
	l, borrow := bits.Sub64(0, u.lo, 0)
	h, _ := bits.Sub64(0, u.hi, borrow)
	return decimal128.New(int64(h), l)
}

func (u u128) less(v u128) bool { return u.hi < v.hi || u.hi == v.hi && u.lo < v.lo }

// times is u*m; false when it needs more than 127 bits.
func (u u128) times(m uint64) (u128, bool) {
	h, l := bits.Mul64(u.lo, m)
	over, h2 := bits.Mul64(u.hi, m)
	sum, carry := bits.Add64(h, h2, 0)
	return u128{sum, l}, over == 0 && carry == 0 && sum>>63 == 0
}

// over is the quotient and the remainder of u by a word.
func (u u128) over(d uint64) (u128, uint64) {
	if u.hi == 0 {
		return u128{0, u.lo / d}, u.lo % d
	}
	h, r := u.hi/d, u.hi%d
	l, r := bits.Div64(r, u.lo, d)
	return u128{h, l}, r
}

// scaleUp is u*10^k; false when it needs more than 127 bits.
func (u u128) scaleUp(k int) (u128, bool) {
	for ; k > 19; k -= 19 {
		var ok bool
		if u, ok = u.times(powers[19]); !ok {
			return u, false
		}
	}
	return u.times(powers[k])
}

// scaleDown is u/10^k rounded half up.
func (u u128) scaleDown(k int) u128 {
	if k == 0 {
		return u
	}
	for k--; k > 0; k -= 19 { // the digits after the first that is dropped do not matter
		u, _ = u.over(powers[min(k, 19)])
	}
	u, digit := u.over(10)
	if digit >= 5 {
		var carry uint64
		u.lo, carry = bits.Add64(u.lo, 1, 0)
		u.hi += carry
	}
	return u
}

func (u u128) big() *big.Int {
	b := new(big.Int).SetUint64(u.hi)
	return b.Lsh(b, 64).Add(b, new(big.Int).SetUint64(u.lo))
}

// rescale changes a decimal's scale, rounding half up; false when the result has more digits than precision.
func rescale(x wide, from, to, precision int) (wide, bool) {
	u, ok := magnitude(x), true
	if to >= from {
		u, ok = u.scaleUp(to - from)
	} else {
		u = u.scaleDown(from - to)
	}
	return u.signed(x.HighBits() < 0), ok && u.less(widePowers[precision])
}

// decimals reads a column of short or long decimals, or constants of them.
type decimals struct {
	short []int64
	long  []wide
	mask  int
}

func readDecimals(v *vector.Vector) decimals {
	d := decimals{mask: stride(v)}
	if v.Type.IsShortDecimal() {
		d.short = vector.Values[int64](v)
	} else {
		d.long = vector.Values[wide](v)
	}
	return d
}

func (d *decimals) at(i int) wide {
	if d.short != nil {
		x := d.short[i&d.mask]
		return decimal128.New(x>>63, uint64(x))
	}
	return d.long[i&d.mask]
}

// decimalWriter writes a column of short or long decimals.
type decimalWriter struct {
	short []int64
	long  []wide
}

func writeDecimals(v *vector.Vector) decimalWriter {
	if v.Type.IsShortDecimal() {
		return decimalWriter{short: vector.Values[int64](v)}
	}
	return decimalWriter{long: vector.Values[wide](v)}
}

func (w *decimalWriter) set(i int, x wide) {
	if w.short != nil {
		w.short[i] = int64(x.LowBits())
		return
	}
	w.long[i] = x
}

// FormatDecimal appends an unscaled decimal in plain notation.
func FormatDecimal(dst []byte, x wide, scale int) []byte {
	var digits [40]byte
	u, i := magnitude(x), len(digits)
	for {
		var r uint64
		if u.hi == 0 {
			for u.lo > 9 {
				i--
				digits[i] = byte('0' + u.lo%10)
				u.lo /= 10
			}
			i--
			digits[i] = byte('0' + u.lo)
			break
		}
		u, r = u.over(10)
		i--
		digits[i] = byte('0' + r)
	}
	if x.HighBits() < 0 {
		dst = append(dst, '-')
	}
	return placePoint(dst, digits[i:], scale)
}

// placePoint appends digits with a point before the last scale of them.
func placePoint(dst, digits []byte, scale int) []byte {
	whole := len(digits) - scale
	switch {
	case scale <= 0:
		dst = append(dst, digits...)
		for ; scale < 0; scale++ {
			dst = append(dst, '0')
		}
		return dst
	case whole <= 0:
		dst = append(dst, '0', '.')
		for ; whole < 0; whole++ {
			dst = append(dst, '0')
		}
		return append(dst, digits...)
	}
	return append(append(append(dst, digits[:whole]...), '.'), digits[whole:]...)
}

// fitsShort reports whether all operands and the result are held in 64 bits.
func fitsShort(ts ...*types.Type) bool {
	for _, t := range ts {
		if !t.IsShortDecimal() {
			return false
		}
	}
	return true
}

// wideOf widens an integer.
func wideOf(x int64) wide { return decimal128.New(x>>63, uint64(x)) }
