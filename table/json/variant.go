package json

import (
	"math/big"
	"strconv"

	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"millrace/types"
	"millrace/variant"
)

// Variant builds the variant of the first value in a text, as parse_json does: JSON to the letter, and what stands behind it does not matter.
// false if there is none.
func Variant(b *variant.Builder, text []byte) bool {
	s := scanner{Options: &Options{}, data: text}
	return s.appendVariant(b) == nil && s.twice == nil
}

// appendVariant appends the value that is next. Fractions without an exponent are decimals, if they have no more than 38 digits.
func (s *scanner) appendVariant(b *variant.Builder) error {
	switch c := s.peek(); {
	case c == '{':
		m := b.Begin()
		err := s.object(func(name []byte) error {
			b.Name(name)
			return s.appendVariant(b)
		})
		if err != nil {
			return err
		}
		if err := b.EndObject(m); err != nil { // what follows is read nevertheless
			s.twice = err
			b.Truncate(m)
			b.Null()
		}
		return nil
	case c == '[':
		m := b.Begin()
		err := s.array(func() error {
			b.Element()
			return s.appendVariant(b)
		})
		if err == nil {
			b.EndArray(m)
		}
		return err
	case s.isQuote(c):
		text, err := s.text()
		b.String(text)
		return err
	case c == 't' || c == 'f':
		b.Bool(c == 't')
		return s.word(strconv.FormatBool(c == 't'))
	case c == 'n':
		b.Null()
		return s.word("null")
	}
	text, integer, err := s.number()
	if err != nil {
		return err
	}
	return appendNumber(b, text, integer)
}

// appendNumber appends a number of that text.
func appendNumber(b *variant.Builder, text []byte, integer bool) error {
	if integer {
		if n, err := strconv.ParseInt(string(text), 10, 64); err == nil {
			b.Long(n)
			return nil
		}
	}
	if digits, scale, ok := plainDecimal(text); ok {
		b.Decimal(digits, scale)
		return nil
	}
	f, err := strconv.ParseFloat(string(text), 64)
	if err != nil && f == 0 {
		return errSyntax
	}
	b.Double(f)
	return nil
}

// plainDecimal reads a number that has no exponent, if its digits have room in a decimal.
func plainDecimal(text []byte) (digits decimal128.Num, scale int, ok bool) {
	all, significant, point := make([]byte, 0, 40), 0, false
	for _, c := range text {
		switch {
		case c == '-':
			all = append(all, c)
		case c == '.':
			point = true
		case c < '0' || c > '9':
			return digits, 0, false
		default:
			all = append(all, c)
			if c != '0' || significant > 0 {
				significant++
			}
			if point {
				scale++
			}
		}
	}
	if significant > types.MaxPrecision || scale > types.MaxPrecision {
		return digits, 0, false
	}
	if significant <= types.MaxShortDecimal {
		if n, err := strconv.ParseInt(string(all), 10, 64); err == nil {
			return decimal128.FromI64(n), scale, true
		}
	}
	n, ok := new(big.Int).SetString(string(all), 10)
	if !ok {
		return digits, 0, false
	}
	return decimal128.FromBigInt(n), scale, true
}
