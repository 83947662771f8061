package orc

import (
	"bytes"
	"math"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"google.golang.org/protobuf/encoding/protowire"

	"millrace/types"
)

// summary is what is found of a column's values while they are written. Readers take bounds that are not there for those of no values, so that either
// both are given or no statistics of the type at all.
type summary struct {
	values  uint64
	nulls   bool
	unknown bool // there are values that bounds cannot tell of
	sum     int64
	overrun bool // the sum has more bits
	trues   uint64

	min, max        int64
	least, greatest float64
	first, last     []byte
	lowest, highest decimal128.Num
	bounded         bool
}

const maxBound = 1024 // bytes of a text's bound

func (s *summary) integer(v int64) {
	if !s.bounded {
		s.min, s.max, s.bounded = v, v, true
	}
	s.min, s.max = min(s.min, v), max(s.max, v)
	s.add(v)
}

func (s *summary) add(v int64) {
	t := s.sum + v
	s.overrun = s.overrun || (v >= 0) != (t >= s.sum)
	s.sum = t
}

func (s *summary) float(v float64) {
	if v != v {
		s.unknown = true
		return
	}
	if !s.bounded {
		s.least, s.greatest, s.bounded = v, v, true
	}
	s.least, s.greatest = min(s.least, v), max(s.greatest, v)
}

func (s *summary) text(b []byte) {
	if !s.bounded || bytes.Compare(b, s.first) < 0 {
		s.first = b
	}
	if !s.bounded || bytes.Compare(b, s.last) > 0 {
		s.last = b
	}
	s.bounded = true
	s.add(int64(len(b)))
}

func (s *summary) decimal(v decimal128.Num) {
	if !s.bounded || v.Less(s.lowest) {
		s.lowest = v
	}
	if !s.bounded || s.highest.Less(v) {
		s.highest = v
	}
	s.bounded = true
}

// merge adds what is known of other values of the column.
func (s *summary) merge(o *summary) {
	s.values, s.nulls, s.unknown, s.trues = s.values+o.values, s.nulls || o.nulls, s.unknown || o.unknown, s.trues+o.trues
	s.overrun = s.overrun || o.overrun
	s.add(o.sum)
	switch {
	case !o.bounded:
		return
	case !s.bounded:
		s.min, s.max, s.least, s.greatest, s.lowest, s.highest = o.min, o.max, o.least, o.greatest, o.lowest, o.highest
		s.first, s.last, s.bounded = bytes.Clone(o.first), bytes.Clone(o.last), true
		return
	}
	s.min, s.max, s.least, s.greatest = min(s.min, o.min), max(s.max, o.max), min(s.least, o.least), max(s.greatest, o.greatest)
	if bytes.Compare(o.first, s.first) < 0 {
		s.first = bytes.Clone(o.first)
	}
	if bytes.Compare(o.last, s.last) > 0 {
		s.last = bytes.Clone(o.last)
	}
	if o.lowest.Less(s.lowest) {
		s.lowest = o.lowest
	}
	if s.highest.Less(o.highest) {
		s.highest = o.highest
	}
}

// message is the ColumnStatistics of a kind of column.
func (s *summary) message(kind Kind, t *types.Type) []byte {
	b := appendUint(nil, 1, s.values)
	flag := uint64(0)
	if s.nulls {
		flag = 1
	}
	b = appendUint(b, 10, flag)
	if s.values == 0 || s.unknown {
		return b
	}
	switch kind {
	case Byte, Short, Int, Long:
		m := appendUint(appendUint(nil, 1, protowire.EncodeZigZag(s.min)), 2, protowire.EncodeZigZag(s.max))
		if !s.overrun {
			m = appendUint(m, 3, protowire.EncodeZigZag(s.sum))
		}
		return appendMessage(b, 2, m)
	case Float, Double:
		m := appendDouble(nil, 1, zeroBelow(s.least))
		return appendMessage(b, 3, appendDouble(m, 2, s.greatest+0))
	case String:
		if len(s.first) > maxBound || len(s.last) > maxBound || !utf8.Valid(s.first) || !utf8.Valid(s.last) {
			return b
		}
		m := appendMessage(appendMessage(nil, 1, s.first), 2, s.last)
		return appendMessage(b, 4, appendUint(m, 3, protowire.EncodeZigZag(s.sum)))
	case Boolean:
		return appendMessage(b, 5, appendMessage(nil, 1, protowire.AppendVarint(nil, s.trues)))
	case Decimal:
		m := appendMessage(nil, 1, []byte(s.lowest.ToString(int32(t.Scale))))
		return appendMessage(b, 6, appendMessage(m, 2, []byte(s.highest.ToString(int32(t.Scale)))))
	case Date:
		return appendMessage(b, 7, appendUint(appendUint(nil, 1, protowire.EncodeZigZag(s.min)), 2, protowire.EncodeZigZag(s.max)))
	case Binary:
		return appendMessage(b, 8, appendUint(nil, 1, protowire.EncodeZigZag(s.sum)))
	}
	return b
}

// zeroBelow makes a zero that is a lower bound the one below the other.
func zeroBelow(v float64) float64 {
	if v == 0 {
		return math.Copysign(0, -1)
	}
	return v
}

func appendUint(b []byte, number protowire.Number, v uint64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(b, number, protowire.VarintType), v)
}

func appendDouble(b []byte, number protowire.Number, v float64) []byte {
	return protowire.AppendFixed64(protowire.AppendTag(b, number, protowire.Fixed64Type), math.Float64bits(v))
}

func appendMessage(b []byte, number protowire.Number, m []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(b, number, protowire.BytesType), m)
}

// packed appends numbers as one field.
func packed(b []byte, number protowire.Number, list []uint64) []byte {
	var m []byte
	for _, v := range list {
		m = protowire.AppendVarint(m, v)
	}
	return appendMessage(b, number, m)
}
