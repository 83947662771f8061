package orc

import (
	"math"

	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"millrace/errs"
	"millrace/types"
	"millrace/vector"
)

// columnWriter encodes a column of a stripe.
type columnWriter struct {
	id       uint64
	kind     Kind
	typ      *types.Type
	name     string // for messages
	children []*columnWriter
	attr     string // the type as Spark has it, where the format has none of its own
	names    []string

	encoding encoding
	file     summary
}

var writtenKinds = map[types.Kind]Kind{types.KindBoolean: Boolean, types.KindByte: Byte, types.KindShort: Short, types.KindInteger: Int, types.KindLong: Long,
	types.KindFloat: Float, types.KindDouble: Double, types.KindString: String, types.KindBinary: Binary, types.KindTimestamp: Timestamp, types.KindDate: Date,
	types.KindDecimal: Decimal, types.KindArray: List, types.KindMap: Map, types.KindStruct: Struct,
	types.KindTimestampNTZ: Long, types.KindDayTime: Long, types.KindYearMonth: Int, types.KindTime: Long}

// newColumnWriter makes the writer of a type; list gets it and all below, in the order of their numbers.
func newColumnWriter(t *types.Type, name string, list *[]*columnWriter) (*columnWriter, error) {
	t = vector.Storage(t)
	kind, ok := writtenKinds[t.Kind]
	if !ok {
		return nil, errs.New("UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE", "format", "ORC", "columnName", types.Quote(name), "columnType", `"`+t.SQL()+`"`)
	}
	c := &columnWriter{id: uint64(len(*list)), kind: kind, typ: t, name: name}
	*list = append(*list, c)
	switch t.Kind {
	case types.KindTimestampNTZ, types.KindDayTime, types.KindYearMonth, types.KindTime:
		text := t.JSON()
		c.attr = text[1 : len(text)-1]
	case types.KindStruct:
		if len(t.Fields) == 0 {
			return nil, errs.New("EMPTY_SCHEMA_NOT_SUPPORTED_FOR_DATASOURCE", "format", "ORC")
		}
		c.names = t.Names()
	}
	for i, k := range vector.ChildTypes(t) {
		below := name
		if c.names != nil && c.id == 0 {
			below = c.names[i]
		}
		child, err := newColumnWriter(k, below, list)
		if err != nil {
			return nil, err
		}
		c.children = append(c.children, child)
	}
	return c, nil
}

// message is the column's type as the footer has it.
func (c *columnWriter) message() []byte {
	b := appendUint(nil, 1, uint64(c.kind))
	var parts []uint64
	for _, k := range c.children {
		parts = append(parts, k.id)
	}
	if parts != nil {
		b = packed(b, 2, parts)
	}
	for _, n := range c.names {
		b = appendMessage(b, 3, []byte(n))
	}
	if c.kind == Decimal {
		b = appendUint(appendUint(b, 5, uint64(c.typ.Precision)), 6, uint64(c.typ.Scale))
	}
	if c.attr != "" {
		b = appendMessage(b, 7, appendMessage(appendMessage(nil, 1, []byte(catalystName)), 2, []byte(c.attr)))
	}
	return b
}

// places are rows of a vector, and where among them each row group ends.
type places struct {
	rows []uint32
	ends []int
}

func (p places) group(g int) []uint32 {
	if g == 0 {
		return p.rows[:p.ends[0]]
	}
	return p.rows[p.ends[g-1]:p.ends[g]]
}

// groupEntry is what the index says of a row group of a column.
type groupEntry struct {
	positions []uint64
	summary   summary
}

// encode writes the values of a stripe, of which those in p are there, with the columns below.
func (c *columnWriter) encode(w *stripeWriter, v *vector.Vector, p places) error {
	groups := make([]groupEntry, len(p.ends))
	valid := c.present(w, v, p, groups)
	c.encoding = encoding{kind: direct}
	var err error
	switch c.kind {
	case Struct:
		w.index(c, groups)
		for i, k := range c.children {
			if err := k.encode(w, v.Children[i], valid); err != nil {
				return err
			}
		}
		return nil
	case List, Map:
		inner := c.lengths(w, v, valid, groups)
		w.index(c, groups)
		for i, k := range c.children {
			if err := k.encode(w, v.Children[i], inner); err != nil {
				return err
			}
		}
		return nil
	case Boolean:
		c.booleans(w, v, valid, groups)
	case Byte:
		c.bytes(w, v, valid, groups)
	case Short, Int, Long, Date:
		c.integers(w, v, valid, groups)
	case Float, Double:
		c.floats(w, v, valid, groups)
	case String, Binary:
		c.texts(w, v, valid, groups)
	case Decimal:
		c.decimals(w, v, valid, groups)
	case Timestamp:
		err = c.times(w, v, valid, groups)
	}
	w.index(c, groups)
	return err
}

// present writes which rows are not null, unless all are, and returns those.
func (c *columnWriter) present(w *stripeWriter, v *vector.Vector, p places, groups []groupEntry) places {
	valid := places{rows: p.rows, ends: p.ends}
	if v.HasNulls() {
		valid = places{rows: make([]uint32, 0, len(p.rows)), ends: make([]int, len(p.ends))}
		for g := range p.ends {
			for _, r := range p.group(g) {
				if !v.IsNull(int(r)) {
					valid.rows = append(valid.rows, r)
				}
			}
			valid.ends[g] = len(valid.rows)
		}
	}
	for g := range groups {
		n, all := len(valid.group(g)), len(p.group(g))
		groups[g].summary = summary{values: uint64(n), nulls: n < all}
	}
	if len(valid.rows) == len(p.rows) {
		return valid
	}
	bits := bitRuns{to: w.stream(c, present)}
	for g := range groups {
		groups[g].positions = bits.position(groups[g].positions)
		for _, r := range p.group(g) {
			bits.add(!v.IsNull(int(r)))
		}
	}
	bits.end()
	return valid
}

// lengths writes those of lists and maps, and returns the places of their entries.
func (c *columnWriter) lengths(w *stripeWriter, v *vector.Vector, p places, groups []groupEntry) places {
	c.encoding.kind = directV2
	out := w.stream(c, length)
	inner := places{ends: make([]int, len(p.ends))}
	for g := range groups {
		groups[g].positions = append(out.position(groups[g].positions), 0)
		values := w.values[:0]
		for _, r := range p.group(g) {
			start, end := v.Offsets[r], v.Offsets[r+1]
			values = append(values, int64(end-start))
			for i := start; i < end; i++ {
				inner.rows = append(inner.rows, uint32(i))
			}
		}
		out.ints(values, false)
		w.values, inner.ends[g] = values, len(inner.rows)
	}
	return inner
}

func (c *columnWriter) booleans(w *stripeWriter, v *vector.Vector, p places, groups []groupEntry) {
	bits := bitRuns{to: w.stream(c, data)}
	for g := range groups {
		groups[g].positions = bits.position(groups[g].positions)
		for _, r := range p.group(g) {
			bits.add(v.Data[r] != 0)
			groups[g].summary.trues += uint64(v.Data[r])
		}
	}
	bits.end()
}

func (c *columnWriter) bytes(w *stripeWriter, v *vector.Vector, p places, groups []groupEntry) {
	out := w.stream(c, data)
	var list []byte
	for g := range groups {
		groups[g].positions = append(out.position(groups[g].positions), 0)
		list = list[:0]
		for _, r := range p.group(g) {
			list = append(list, v.Data[r])
			groups[g].summary.integer(int64(int8(v.Data[r])))
		}
		out.bytes(list)
	}
}

func (c *columnWriter) integers(w *stripeWriter, v *vector.Vector, p places, groups []groupEntry) {
	c.encoding.kind = directV2
	out := w.stream(c, data)
	for g := range groups {
		groups[g].positions = append(out.position(groups[g].positions), 0)
		values := w.values[:0]
		switch vector.Width(c.typ) {
		case 2:
			values = widen(values, vector.Values[int16](v), p.group(g))
		case 4:
			values = widen(values, vector.Values[int32](v), p.group(g))
		default:
			values = widen(values, vector.Values[int64](v), p.group(g))
		}
		for _, x := range values {
			groups[g].summary.integer(x)
		}
		out.ints(values, true)
		w.values = values
	}
}

func widen[T int16 | int32 | int64](dst []int64, src []T, rows []uint32) []int64 {
	for _, r := range rows {
		dst = append(dst, int64(src[r]))
	}
	return dst
}

func (c *columnWriter) floats(w *stripeWriter, v *vector.Vector, p places, groups []groupEntry) {
	out := w.stream(c, data)
	for g := range groups {
		groups[g].positions = out.position(groups[g].positions)
		for _, r := range p.group(g) {
			if c.kind == Float {
				x := vector.Values[float32](v)[r]
				groups[g].summary.float(float64(x))
				out.fixed(uint64(math.Float32bits(x)), 4)
				continue
			}
			x := vector.Values[float64](v)[r]
			groups[g].summary.float(x)
			out.fixed(math.Float64bits(x), 8)
		}
	}
}

// texts writes strings by a dictionary where few of them differ.
func (c *columnWriter) texts(w *stripeWriter, v *vector.Vector, p places, groups []groupEntry) {
	for g := range groups {
		for _, r := range p.group(g) {
			groups[g].summary.text(v.Str(int(r)))
		}
	}
	if c.kind == String && c.dictionary(w, v, p, groups) {
		return
	}
	c.encoding.kind = directV2
	out, lengths := w.stream(c, data), w.stream(c, length)
	for g := range groups {
		groups[g].positions = append(lengths.position(out.position(groups[g].positions)), 0)
		values := w.values[:0]
		for _, r := range p.group(g) {
			b := v.Str(int(r))
			out.append(b...)
			values = append(values, int64(len(b)))
		}
		lengths.ints(values, false)
		w.values = values
	}
}

// dictionary writes strings by a dictionary, unless more than half of them differ.
func (c *columnWriter) dictionary(w *stripeWriter, v *vector.Vector, p places, groups []groupEntry) bool {
	limit := len(p.rows) / 2
	codes := make([]int64, len(p.rows))
	known := map[string]int64{}
	var order []uint32
	for i, r := range p.rows {
		b := v.Str(int(r))
		code, ok := known[string(b)]
		if !ok {
			if code = int64(len(order)); len(order) >= limit {
				return false
			}
			known[string(b)], order = code, append(order, r)
		}
		codes[i] = code
	}
	c.encoding = encoding{kind: dictionaryV2, size: uint64(len(order))}
	out, lengths, texts := w.stream(c, data), w.stream(c, length), w.stream(c, dictionaryData)
	start := 0
	for g, end := range p.ends {
		groups[g].positions = append(out.position(groups[g].positions), 0)
		out.ints(codes[start:end], false)
		start = end
	}
	values := w.values[:0]
	for _, r := range order {
		b := v.Str(int(r))
		texts.append(b...)
		values = append(values, int64(len(b)))
	}
	lengths.ints(values, false)
	w.values = values
	return true
}

func (c *columnWriter) decimals(w *stripeWriter, v *vector.Vector, p places, groups []groupEntry) {
	c.encoding.kind = directV2
	out, scales := w.stream(c, data), w.stream(c, secondary)
	short := c.typ.IsShortDecimal()
	for g := range groups {
		groups[g].positions = append(scales.position(out.position(groups[g].positions)), 0)
		values := w.values[:0]
		for _, r := range p.group(g) {
			var x decimal128.Num
			if short {
				x = decimal128.FromI64(vector.Values[int64](v)[r])
			} else {
				x = vector.Values[decimal128.Num](v)[r]
			}
			groups[g].summary.decimal(x)
			out.wide(x)
			values = append(values, int64(c.typ.Scale))
		}
		scales.ints(values, true)
		w.values = values
	}
}

// wide writes a number of seven bits a byte, the sign in its lowest bit.
func (s *outStream) wide(v decimal128.Num) {
	lo, hi := v.LowBits(), uint64(v.HighBits())
	sign := uint64(v.HighBits() >> 63) // all ones below zero
	hi, lo = hi<<1|lo>>63, lo<<1
	hi, lo = hi^sign, lo^sign
	for hi > 0 || lo >= 0x80 {
		s.append(byte(lo) | 0x80)
		hi, lo = hi>>7, lo>>7|hi<<57
	}
	s.append(byte(lo))
}

// times writes seconds since 2015, which are cut towards zero, and nanoseconds.
func (c *columnWriter) times(w *stripeWriter, v *vector.Vector, p places, groups []groupEntry) error {
	c.encoding.kind = directV2
	out, rest := w.stream(c, data), w.stream(c, secondary)
	var nanos []int64
	for g := range groups {
		groups[g].positions = append(out.position(groups[g].positions), 0)
		groups[g].positions = append(rest.position(groups[g].positions), 0)
		values := w.values[:0]
		nanos = nanos[:0]
		for _, r := range p.group(g) {
			t := vector.Values[int64](v)[r]
			below := ((t % 1e6) + 1e6) % 1e6
			seconds := (t - below) / 1e6
			if seconds < 0 && below >= 1000 { // readers take this one off again
				if seconds++; seconds == 0 {
					return errs.Unsupportedf("ORC files cannot hold times within the last second before 1970 (column %s): readers take them for times after it.", c.name)
				}
			}
			values = append(values, seconds-w.start)
			nanos = append(nanos, trimmed(below*1000))
		}
		out.ints(values, true)
		rest.ints(nanos, false)
		w.values = values
	}
	return nil
}

// trimmed is a number of nanoseconds without the zeros at its end, if there are two at least; the low three bits say how many those were (less one).
func trimmed(nanos int64) int64 {
	if nanos == 0 || nanos%100 != 0 {
		return nanos << 3
	}
	zeros := int64(1)
	for nanos /= 100; nanos%10 == 0 && zeros < 7; nanos /= 10 {
		zeros++
	}
	return nanos<<3 | zeros
}
