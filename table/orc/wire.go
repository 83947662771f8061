package orc

import (
	"fmt"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// The messages of the format, with the fields that are used here.
type (
	postScript struct {
		footerLength, metadataLength uint64
		compression                  compression
		writer                       uint64 // its version; 0: statistics are not to be trusted
		blockSize                    uint64
	}
	footer struct {
		stripes    []stripeInfo
		types      []typeInfo
		rows       uint64
		statistics []statistics
		stride     uint64
		encrypted  bool
		proleptic  bool // dates and times are of the calendar that Spark has; else of the hybrid one
	}
	stripeInfo   struct{ offset, indexLength, dataLength, footerLength, rows uint64 }
	stripeFooter struct {
		streams   []streamInfo
		encodings []encoding
		zone      string
	}
	streamInfo struct {
		kind   streamKind
		column uint64
		length uint64
	}
	encoding struct {
		kind encodingKind
		size uint64 // of the dictionary
	}
	typeInfo struct {
		kind             Kind
		subtypes         []uint64
		names            []string
		length           uint64
		precision, scale uint64
		attributes       map[string]string
	}
	rowIndexEntry struct {
		positions  []uint64
		statistics statistics
	}
	// statistics are what is known of a column's values; min and max are nil where they are not known.
	statistics struct {
		known    bool // values is
		values   uint64
		min, max any // int64, float64, []byte
		decimals bool
	}
)

// Kind is the kind of a type in a file.
type Kind uint64

// The kinds, by the numbers of the format.
const (
	Boolean Kind = iota
	Byte
	Short
	Int
	Long
	Float
	Double
	String
	Binary
	Timestamp
	List
	Map
	Struct
	Union
	Decimal
	Date
	Varchar
	Char
	TimestampInstant
)

var kindNames = [...]string{"boolean", "tinyint", "smallint", "int", "bigint", "float", "double", "string", "binary", "timestamp", "array", "map", "struct",
	"uniontype", "decimal", "date", "varchar", "char", "timestamp with local time zone"}

func (k Kind) String() string {
	if k < Kind(len(kindNames)) {
		return kindNames[k]
	}
	return fmt.Sprintf("type %d", uint64(k))
}

type streamKind uint64

const (
	present streamKind = iota
	data
	length
	dictionaryData
	_
	secondary
	rowIndex
)

type encodingKind uint64

const (
	direct encodingKind = iota
	dictionary
	directV2
	dictionaryV2
)

type field struct {
	number  protowire.Number
	integer uint64 // of varints and fixed numbers
	bytes   []byte
}

func (f field) signed() int64 { return protowire.DecodeZigZag(f.integer) }

// message calls f for each field of a message.
func message(b []byte, f func(field) error) error {
	for len(b) > 0 {
		number, typ, n := protowire.ConsumeTag(b)
		if n < 0 {
			return corrupt("a message is not well formed")
		}
		b = b[n:]
		v := field{number: number}
		switch typ {
		case protowire.VarintType:
			v.integer, n = protowire.ConsumeVarint(b)
		case protowire.Fixed64Type:
			v.integer, n = protowire.ConsumeFixed64(b)
		case protowire.BytesType:
			v.bytes, n = protowire.ConsumeBytes(b)
		default:
			n = protowire.ConsumeFieldValue(number, typ, b)
		}
		if n < 0 {
			return corrupt("a message is not well formed")
		}
		b = b[n:]
		if err := f(v); err != nil {
			return err
		}
	}
	return nil
}

// numbers appends a repeated number, which may be packed.
func (f field) numbers(list []uint64) []uint64 {
	if f.bytes == nil {
		return append(list, f.integer)
	}
	for b := f.bytes; len(b) > 0; {
		v, n := protowire.ConsumeVarint(b)
		if n < 0 {
			break
		}
		list, b = append(list, v), b[n:]
	}
	return list
}

func parsePostScript(b []byte) (p postScript, err error) {
	p.blockSize = 256 << 10
	magic := ""
	err = message(b, func(f field) error {
		switch f.number {
		case 1:
			p.footerLength = f.integer
		case 2:
			p.compression = compression(f.integer)
		case 3:
			p.blockSize = f.integer
		case 5:
			p.metadataLength = f.integer
		case 6:
			p.writer = f.integer
		case 8000:
			magic = string(f.bytes)
		}
		return nil
	})
	if err == nil && magic != "" && magic != fileMagic {
		err = corrupt("it is not an ORC file")
	}
	return p, err
}

func parseFooter(b []byte) (m footer, err error) {
	err = message(b, func(f field) error {
		switch f.number {
		case 3:
			s, err := parseStripe(f.bytes)
			m.stripes = append(m.stripes, s)
			return err
		case 4:
			t, err := parseType(f.bytes)
			m.types = append(m.types, t)
			return err
		case 6:
			m.rows = f.integer
		case 7:
			s, err := parseStatistics(f.bytes)
			m.statistics = append(m.statistics, s)
			return err
		case 8:
			m.stride = f.integer
		case 10:
			m.encrypted = true
		case 11:
			m.proleptic = f.integer == 2
		}
		return nil
	})
	return m, err
}

func parseStripe(b []byte) (s stripeInfo, err error) {
	err = message(b, func(f field) error {
		switch f.number {
		case 1:
			s.offset = f.integer
		case 2:
			s.indexLength = f.integer
		case 3:
			s.dataLength = f.integer
		case 4:
			s.footerLength = f.integer
		case 5:
			s.rows = f.integer
		}
		return nil
	})
	return s, err
}

func parseType(b []byte) (t typeInfo, err error) {
	err = message(b, func(f field) error {
		switch f.number {
		case 1:
			t.kind = Kind(f.integer)
		case 2:
			t.subtypes = f.numbers(t.subtypes)
		case 3:
			t.names = append(t.names, string(f.bytes))
		case 4:
			t.length = f.integer
		case 5:
			t.precision = f.integer
		case 6:
			t.scale = f.integer
		case 7:
			if t.attributes == nil {
				t.attributes = map[string]string{}
			}
			var pair [2]string
			err := message(f.bytes, func(f field) error {
				if f.number == 1 || f.number == 2 {
					pair[f.number-1] = string(f.bytes)
				}
				return nil
			})
			t.attributes[pair[0]] = pair[1]
			return err
		}
		return nil
	})
	return t, err
}

func parseStripeFooter(b []byte) (m stripeFooter, err error) {
	err = message(b, func(f field) error {
		switch f.number {
		case 1:
			var s streamInfo
			err := message(f.bytes, func(f field) error {
				switch f.number {
				case 1:
					s.kind = streamKind(f.integer)
				case 2:
					s.column = f.integer
				case 3:
					s.length = f.integer
				}
				return nil
			})
			m.streams = append(m.streams, s)
			return err
		case 2:
			var e encoding
			err := message(f.bytes, func(f field) error {
				switch f.number {
				case 1:
					e.kind = encodingKind(f.integer)
				case 2:
					e.size = f.integer
				}
				return nil
			})
			m.encodings = append(m.encodings, e)
			return err
		case 3:
			m.zone = string(f.bytes)
		}
		return nil
	})
	return m, err
}

// parseMetadata reads the statistics of each stripe's columns.
func parseMetadata(b []byte) (stripes [][]statistics, err error) {
	err = message(b, func(f field) error {
		if f.number != 1 {
			return nil
		}
		var list []statistics
		err := message(f.bytes, func(f field) error {
			if f.number != 1 {
				return nil
			}
			s, err := parseStatistics(f.bytes)
			list = append(list, s)
			return err
		})
		stripes = append(stripes, list)
		return err
	})
	return stripes, err
}

func parseRowIndex(b []byte) (entries []rowIndexEntry, err error) {
	err = message(b, func(f field) error {
		if f.number != 1 {
			return nil
		}
		var e rowIndexEntry
		err := message(f.bytes, func(f field) error {
			var err error
			switch f.number {
			case 1:
				e.positions = f.numbers(e.positions)
			case 2:
				e.statistics, err = parseStatistics(f.bytes)
			}
			return err
		})
		entries = append(entries, e)
		return err
	})
	return entries, err
}

func parseStatistics(b []byte) (s statistics, err error) {
	err = message(b, func(f field) error {
		var value func(field) any
		switch f.number {
		case 1:
			s.known, s.values = true, f.integer
			return nil
		case 2, 7: // integers and dates
			value = func(f field) any { return f.signed() }
		case 3:
			value = func(f field) any {
				if v := math.Float64frombits(f.integer); !math.IsNaN(v) {
					return v
				}
				return nil
			}
		case 4, 6: // texts and decimals, which are texts
			value = func(f field) any { return f.bytes }
			s.decimals = f.number == 6
		default:
			return nil
		}
		texts := f.number == 4
		return message(f.bytes, func(f field) error {
			switch {
			case f.number == 1 || texts && f.number == 4:
				s.min = value(f)
			case f.number == 2 || texts && f.number == 5:
				s.max = value(f)
			}
			return nil
		})
	})
	return s, err
}
