package json

import (
	"encoding/base64"
	"strings"

	"millrace/errs"
	"millrace/javatime"
	"millrace/operators/expr"
	"millrace/table/csv"
	"millrace/table/internal/scalar"
	"millrace/types"
	"millrace/vector"
)

// builder appends the values of one column, field, element, key or value.
type builder struct {
	typ      *types.Type
	n        int
	valid    vector.Bitmap
	nulls    bool
	slots    slots
	bytes    []byte
	offsets  []int32
	children []*builder
	names    []string // of a struct's fields
	next     int      // the field that is expected next
	out      vector.Vector
	wide     [2]int64
}

// slots are fixed-width values.
type slots struct {
	data  []byte
	width int
}

func newBuilder(name string, t *types.Type) (*builder, error) {
	if t.Kind == types.KindUDT {
		t = t.Elem
	}
	b := &builder{typ: t, slots: slots{width: vector.Width(t)}, offsets: []int32{0}}
	var kids []*types.Type
	switch t.Kind {
	case types.KindArray:
		kids = []*types.Type{t.Elem}
	case types.KindMap:
		kids = []*types.Type{t.Key, t.Elem}
	case types.KindStruct:
		for _, f := range t.Fields {
			kids = append(kids, f.Type)
			b.names = append(b.names, f.Name)
		}
	case types.KindVariant:
		kids = []*types.Type{types.Binary, types.Binary}
	case types.KindCalendar:
		return nil, errs.New("UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE", "format", "JSON", "columnName", "`"+name+"`", "columnType", `"`+t.SQL()+`"`)
	}
	for _, k := range kids {
		c, err := newBuilder(name, k)
		if err != nil {
			return nil, err
		}
		b.children = append(b.children, c)
	}
	return b, nil
}

// truncate drops all rows from n on, and what was appended for a row that was not ended.
func (b *builder) truncate(n int) {
	if b.n > n {
		b.n = n
		b.slots.data = b.slots.data[:n*b.slots.width]
		b.offsets = b.offsets[:min(n+1, len(b.offsets))]
		b.valid = b.valid[:(n+63)/64]
		if n&63 != 0 {
			b.valid[n>>6] &= 1<<(n&63) - 1
		}
		b.nulls = b.nulls && n > 0
	}
	switch {
	case b.slots.width > 0:
	case b.typ.IsStringLike():
		b.bytes = b.bytes[:b.offsets[n]]
	case b.typ.Kind == types.KindStruct || b.typ.Kind == types.KindVariant:
		for _, c := range b.children {
			c.truncate(n)
		}
	default:
		for _, c := range b.children {
			c.truncate(int(b.offsets[n]))
		}
	}
}

// done ends a row whose value was appended, or is null.
func (b *builder) done(valid bool) {
	if b.n&63 == 0 {
		b.valid = append(b.valid, 0)
	}
	if valid {
		b.valid[b.n>>6] |= 1 << (b.n & 63)
	} else {
		b.nulls = true
	}
	b.n++
}

func (b *builder) null() {
	switch {
	case b.slots.width > 0:
		for range b.slots.width {
			b.slots.data = append(b.slots.data, 0)
		}
	case b.typ.Kind == types.KindStruct:
		for _, c := range b.children {
			c.null()
		}
	case b.typ.Kind == types.KindVariant:
		for _, c := range b.children {
			c.str(nil)
		}
	default:
		b.offsets = append(b.offsets, b.offsets[b.n])
	}
	b.done(false)
}

// fixed appends the low bytes of a number.
func (b *builder) fixed(v int64) {
	for range b.slots.width {
		b.slots.data = append(b.slots.data, byte(v))
		v >>= 8
	}
	b.done(true)
}

func (b *builder) str(s []byte) {
	b.bytes = append(b.bytes, s...)
	b.offsets = append(b.offsets, int32(len(b.bytes)))
	b.done(true)
}

// vector is the column; it belongs to the builder until the next truncate.
func (b *builder) vector() *vector.Vector {
	v := &b.out
	*v = vector.Vector{Type: b.typ, Len: b.n, Children: v.Children[:0]}
	switch {
	case b.slots.width > 0:
		v.Data = aligned(b.slots.data)
	case b.typ.Kind != types.KindStruct && b.typ.Kind != types.KindVariant:
		v.Offsets, v.Bytes = b.offsets, b.bytes
	}
	if b.nulls {
		v.Valid = b.valid
	}
	for _, c := range b.children {
		v.Children = append(v.Children, c.vector())
	}
	return v
}

// field finds a struct's field by name; fields mostly come in the schema's order.
func (b *builder) field(name []byte, caseSensitive bool) *builder {
	for range 2 {
		for ; b.next < len(b.names); b.next++ {
			if b.names[b.next] == string(name) {
				b.next++
				return b.children[b.next-1]
			}
		}
		b.next = 0
	}
	if !caseSensitive {
		for i, n := range b.names {
			if len(n) == len(name) && strings.EqualFold(n, string(name)) {
				return b.children[i]
			}
		}
	}
	return nil
}

// text appends a string value as the builder's type; false if it is none.
func (b *builder) text(s []byte, o *Options) bool {
	switch t := b.typ; t.Kind {
	case types.KindString:
		b.str(s)
		return true
	case types.KindBinary:
		raw, err := base64.StdEncoding.DecodeString(string(s))
		if err == nil {
			b.str(raw)
		}
		return err == nil
	case types.KindDate:
		days, ok := csv.Day(s, o.Options)
		if !ok && o.DateFormat == nil { // here, unlike in CSV and XML, a cast reads what has no format
			days, ok = scalar.Date(s)
		}
		if !ok && o.DateFallback { // Spark once wrote days since 1970 of the old calendar
			old, isNumber := scalar.Int(s, 32)
			return b.number(javatime.HybridDay(old), isNumber)
		}
		return b.number(int64(days), ok)
	case types.KindTimestamp:
		return b.number(csv.Moment(s, o.Options))
	case types.KindTimestampNTZ:
		return b.number(csv.Local(s, o.Options))
	case types.KindTime:
		return b.number(csv.Clock(s, t, o.Options))
	case types.KindYearMonth, types.KindDayTime:
		return b.number(expr.ParseInterval(s, t))
	case types.KindFloat, types.KindDouble:
		switch string(s) {
		case "NaN", "Infinity", "+Infinity", "-Infinity", "INF", "+INF", "-INF":
			return b.float(s)
		}
	case types.KindDecimal:
		return b.decimal(csv.Ungrouped(s))
	}
	return false
}

func (b *builder) number(v int64, ok bool) bool {
	if ok {
		b.fixed(v)
	}
	return ok
}

// digits appends a JSON number as the builder's type; false if it is none.
func (b *builder) digits(s []byte, integer bool) bool {
	switch t := b.typ; t.Kind {
	case types.KindByte, types.KindShort, types.KindInteger, types.KindLong:
		if !integer {
			return false
		}
		return b.number(scalar.Int(s, 8<<(t.Kind-types.KindByte)))
	case types.KindFloat, types.KindDouble:
		return b.float(s)
	case types.KindDecimal:
		return b.decimal(s)
	case types.KindTimestamp:
		v, ok := scalar.Int(s, 64)
		return b.number(v*1_000_000, ok && integer)
	case types.KindString:
		b.str(s)
		return true
	}
	return false
}

func (b *builder) decimal(s []byte) bool {
	d, ok := scalar.Decimal(s, b.typ)
	if !ok {
		return false
	}
	if b.typ.IsShortDecimal() {
		b.fixed(int64(d.LowBits()))
		return true
	}
	b.wide = [2]int64{int64(d.LowBits()), d.HighBits()}
	for _, w := range b.wide {
		for range 8 {
			b.slots.data = append(b.slots.data, byte(w))
			w >>= 8
		}
	}
	b.done(true)
	return true
}
