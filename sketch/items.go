package sketch

import (
	"encoding/binary"
	"math"
	"math/big"
	"math/bits"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// Items is a type of items of which the frequent ones are looked for. An item is held in the bytes that Java's sketch writes for it.
type Items struct {
	Kind  ItemKind
	Scale int // of decimals
}

// ItemKind is how an item is written.
type ItemKind uint8

// The kinds. The numbers below Longs are written behind a byte that tells which they are.
const (
	Bools ItemKind = iota
	Bytes
	Shorts
	Ints
	Floats
	ShortDecimals // of up to 9 digits, written as Ints
	Longs
	LongDecimals // of up to 18 digits
	Doubles
	Texts
	Decimals
)

// marks are the bytes before numbers.
var marks = [...]byte{Bytes: 2, Shorts: 3, Ints: 9, Floats: 6, ShortDecimals: 9}

var widths = [...]int{Bools: 1, Bytes: 2, Shorts: 3, Ints: 5, Floats: 5, ShortDecimals: 5, Longs: 8, LongDecimals: 8, Doubles: 8}

// AppendLong appends a boolean (0 or 1), a whole number or a decimal's digits.
func (t Items) AppendLong(dst []byte, x int64) []byte {
	switch t.Kind {
	case Bools:
		return append(dst, byte(x))
	case Bytes:
		return append(dst, marks[Bytes], byte(x))
	case Shorts:
		return binary.LittleEndian.AppendUint16(append(dst, marks[Shorts]), uint16(x))
	case Ints, ShortDecimals:
		return binary.LittleEndian.AppendUint32(append(dst, marks[Ints]), uint32(x))
	}
	return binary.LittleEndian.AppendUint64(dst, uint64(x))
}

// AppendDouble appends a number. Zeros of different signs are two items, NaNs are one.
func (t Items) AppendDouble(dst []byte, x float64) []byte {
	if t.Kind == Floats {
		b := math.Float32bits(float32(x))
		if x != x {
			b = 0x7fc00000
		}
		return binary.LittleEndian.AppendUint32(append(dst, marks[Floats]), b)
	}
	b := math.Float64bits(x)
	if x != x {
		b = 0x7ff8000000000000
	}
	return binary.LittleEndian.AppendUint64(dst, b)
}

// AppendText appends a text, with U+FFFD for bytes that are none.
func (t Items) AppendText(dst, s []byte) []byte {
	if !utf8.Valid(s) {
		s = []byte(string([]rune(string(s))))
	}
	return append(binary.LittleEndian.AppendUint32(dst, uint32(len(s))), s...)
}

// AppendWide appends the 128 bits of a decimal's digits, in as few bytes as hold them, the greatest first.
func (t Items) AppendWide(dst []byte, high int64, low uint64) []byte {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:], uint64(high))
	binary.BigEndian.PutUint64(b[8:], low)
	from := 0
	for from < 15 && b[from] == byte(int8(b[from+1])>>7) && (b[from] == 0 || b[from] == 0xff) {
		from++
	}
	return append(binary.LittleEndian.AppendUint32(dst, uint32(16-from)), b[from:]...)
}

// Long is the whole number or the digits that an item is.
func (t Items) Long(item string) int64 {
	b := []byte(item)
	switch t.Kind {
	case Bools:
		return int64(b[0])
	case Bytes:
		return int64(int8(b[1]))
	case Shorts:
		return int64(int16(binary.LittleEndian.Uint16(b[1:])))
	case Ints, ShortDecimals:
		return int64(int32(le32(b[1:])))
	}
	return int64(binary.LittleEndian.Uint64(b))
}

// Double is the number that an item is.
func (t Items) Double(item string) float64 {
	if t.Kind == Floats {
		return float64(math.Float32frombits(le32([]byte(item[1:]))))
	}
	return math.Float64frombits(binary.LittleEndian.Uint64([]byte(item)))
}

// Text is the text that an item is, or the bytes of a decimal.
func (t Items) Text(item string) string { return item[4:] }

// Wide is the digits of a decimal.
func (t Items) Wide(item string) (high int64, low uint64) {
	high = int64(int8(item[4])) >> 7
	low = uint64(high)
	for _, c := range []byte(item[4:]) {
		high, low = high<<8|int64(low>>56), low<<8|uint64(c)
	}
	return high, low
}

// size is how long the item is with which bytes begin, -1 if they do not begin with one.
func (t Items) size(b []byte) int {
	n := 0
	switch t.Kind {
	case Texts, Decimals:
		if len(b) < 4 {
			return -1
		}
		n = int(le32(b))
		if t.Kind == Decimals && (n < 1 || n > 16) {
			return -1
		}
		n += 4
	default:
		n = widths[t.Kind]
		if t.Kind > Bools && t.Kind < Longs && (len(b) == 0 || b[0] != marks[t.Kind]) {
			return -1
		}
	}
	if n > len(b) {
		return -1
	}
	return n
}

// hash is Java's hash code of an item.
func (t Items) hash(item []byte) int32 {
	switch t.Kind {
	case Bools:
		if item[0] != 0 {
			return 1231
		}
		return 1237
	case Bytes:
		return int32(int8(item[1]))
	case Shorts:
		return int32(int16(binary.LittleEndian.Uint16(item[1:])))
	case Ints, Floats:
		return int32(le32(item[1:]))
	case Longs, Doubles:
		return longHash(int64(binary.LittleEndian.Uint64(item)))
	case Texts:
		return textHash(item[4:])
	case Decimals:
		high, low := t.Wide(string(item))
		n := new(big.Int).Lsh(big.NewInt(high), 64)
		return decimalHash(n.Add(n, new(big.Int).SetUint64(low)), t.Scale)
	}
	return decimalHash(big.NewInt(t.Long(string(item))), t.Scale)
}

func longHash(x int64) int32 { return int32(x ^ int64(uint64(x)>>32)) }

// textHash goes over the units of UTF-16.
func textHash(s []byte) int32 {
	h := int32(0)
	for _, r := range string(s) {
		if high, low := utf16.EncodeRune(r); high != 0xfffd {
			h = 31*(31*h+high) + low
			continue
		}
		h = 31*h + r
	}
	return h
}

// decimalHash is Scala's: a whole number hashes as an integer does, one that is what a double prints as that double, and any other by its digits.
func decimalHash(digits *big.Int, scale int) int32 {
	n, ten, rest := new(big.Int).Set(digits), big.NewInt(10), new(big.Int)
	for scale > 0 {
		q, r := new(big.Int).QuoRem(n, ten, rest)
		if r.Sign() != 0 {
			break
		}
		n, scale = q, scale-1
	}
	if scale <= 0 {
		switch {
		case !n.IsInt64():
			return bigHash(n)
		case n.Int64() == int64(int32(n.Int64())):
			return int32(n.Int64())
		}
		return longHash(n.Int64())
	}
	text := n.String() + "e-" + strconv.Itoa(scale)
	d, err := strconv.ParseFloat(text, 64)
	exact, ok := new(big.Rat).SetString(text)
	printed, also := new(big.Rat).SetString(strconv.FormatFloat(d, 'g', -1, 64))
	if err == nil && ok && also && exact.Cmp(printed) == 0 {
		if f := float32(d); float64(f) == d {
			return int32(math.Float32bits(f))
		}
		return longHash(int64(math.Float64bits(d)))
	}
	k := bits.RotateLeft32(uint32(scale)*0xcc9e2d51, 15) * 0x1b873593
	return bigHash(n) ^ int32(k)
}

// bigHash goes over words of 32 bits, the greatest first.
func bigHash(n *big.Int) int32 {
	h := int32(0)
	b := n.Bytes()
	for len(b) > 0 {
		first := (len(b)-1)%4 + 1
		word := uint32(0)
		for _, c := range b[:first] {
			word = word<<8 | uint32(c)
		}
		h, b = 31*h+int32(word), b[first:]
	}
	return h * int32(n.Sign())
}
