package csv

import (
	"bytes"

	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"millrace/errs"
	"millrace/javatime"
	"millrace/operators/expr"
	"millrace/table/internal/cell"
	"millrace/table/internal/scalar"
	"millrace/types"
	"millrace/vector"
)

// column is a wanted column: its values are parsed by one loop for all cells of a batch.
type column struct {
	typ   *types.Type
	parse func(r *Reader, c *column, cells []span)
	out   vector.Vector
	valid vector.Bitmap
}

func newColumn(name string, t *types.Type) (*column, error) {
	c := &column{typ: t}
	switch t.Kind {
	case types.KindString, types.KindBinary:
		c.parse = parseStrings
	case types.KindByte:
		c.parse = parseInts[int8](8)
	case types.KindShort:
		c.parse = parseInts[int16](16)
	case types.KindInteger:
		c.parse = parseInts[int32](32)
	case types.KindLong:
		c.parse = parseInts[int64](64)
	case types.KindFloat:
		c.parse = parseFloats[float32](32)
	case types.KindDouble:
		c.parse = parseFloats[float64](64)
	case types.KindBoolean:
		c.parse = parseBools
	case types.KindDate:
		c.parse = parseEach(untyped(Day))
	case types.KindTimestamp:
		c.parse = parseEach(untyped(Moment))
	case types.KindTimestampNTZ:
		c.parse = parseEach(untyped(Local))
	case types.KindTime:
		c.parse = parseEach(Clock)
	case types.KindYearMonth:
		c.parse = parseEach(interval[int32])
	case types.KindDayTime:
		c.parse = parseEach(interval[int64])
	case types.KindDecimal:
		c.parse = parseDecimals
	case types.KindNull:
		c.parse = parseNulls
	default:
		return nil, errs.New("UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE", "format", "CSV", "columnName", "`"+name+"`", "columnType", `"`+t.SQL()+`"`)
	}
	return c, nil
}

// start makes room for n rows, all valid.
func (c *column) start(n int) { c.out.Reset(c.typ, n) }

// null marks a row null.
func (c *column) null(i int) {
	if c.out.Valid == nil {
		words := (c.out.Len + 63) / 64
		if cap(c.valid) < words {
			c.valid = make(vector.Bitmap, words)
		}
		c.valid = c.valid[:words]
		for k := range c.valid {
			c.valid[k] = ^uint64(0)
		}
		c.out.Valid = c.valid
	}
	c.out.Valid.Clear(i)
}

// bad marks a row whose value does not parse: it is null, and its record malformed.
func (r *Reader) bad(c *column, i int) {
	c.null(i)
	r.malformed(i)
}

// text is a cell's text; false for null.
func (r *Reader) text(cl span) ([]byte, bool) {
	if cl.n == missing {
		return nil, false
	}
	b := r.tokens.bytes(r.block, cl)
	if len(b) == 0 {
		b = r.empty
	}
	return b, string(b) != r.Null
}

func parseStrings(r *Reader, c *column, cells []span) {
	out := c.out.Bytes
	for i, cl := range cells {
		if b, ok := r.text(cl); ok {
			out = append(out, b...)
		} else {
			c.null(i)
		}
		c.out.Offsets[i+1] = int32(len(out))
	}
	c.out.Bytes = out
}

func parseInts[T int8 | int16 | int32 | int64](bits int) func(r *Reader, c *column, cells []span) {
	return func(r *Reader, c *column, cells []span) {
		dst := vector.Values[T](&c.out)
		for i, cl := range cells {
			b, ok := r.text(cl)
			if !ok {
				c.null(i)
				continue
			}
			v, ok := scalar.Int(b, bits)
			if dst[i] = T(v); !ok {
				r.bad(c, i)
			}
		}
	}
}

func parseFloats[T float32 | float64](bits int) func(r *Reader, c *column, cells []span) {
	return func(r *Reader, c *column, cells []span) {
		dst := vector.Values[T](&c.out)
		for i, cl := range cells {
			b, ok := r.text(cl)
			if !ok {
				c.null(i)
				continue
			}
			v, ok := scalar.Float(b, bits)
			if !ok {
				v, ok = r.special(string(b))
			}
			if dst[i] = T(v); !ok {
				r.bad(c, i)
			}
		}
	}
}

func parseBools(r *Reader, c *column, cells []span) {
	for i, cl := range cells {
		b, ok := r.text(cl)
		if !ok {
			c.null(i)
			continue
		}
		v, ok := scalar.Bool(b)
		c.out.Data[i] = 0
		if v {
			c.out.Data[i] = 1
		}
		if !ok {
			r.bad(c, i)
		}
	}
}

// parseEach parses cells one by one.
func parseEach[T int32 | int64](parse func(b []byte, t *types.Type, o *Options) (T, bool)) func(r *Reader, c *column, cells []span) {
	return func(r *Reader, c *column, cells []span) {
		dst := vector.Values[T](&c.out)
		for i, cl := range cells {
			b, ok := r.text(cl)
			if !ok {
				c.null(i)
				continue
			}
			if dst[i], ok = parse(b, c.typ, r.Options); !ok {
				r.bad(c, i)
			}
		}
	}
}

// untyped is a parser for which a column's type says nothing more.
func untyped[T any](parse func(b []byte, o *Options) (T, bool)) func([]byte, *types.Type, *Options) (T, bool) {
	return func(b []byte, _ *types.Type, o *Options) (T, bool) { return parse(b, o) }
}

func interval[T int32 | int64](b []byte, t *types.Type, _ *Options) (T, bool) {
	v, ok := expr.ParseInterval(b, t)
	return T(v), ok
}

// Day parses a date by the options' format and, where the options say so, else as a cast does.
func Day(b []byte, o *Options) (int32, bool) {
	if v, ok := formattedDay(b, o); ok || !o.DateFallback {
		return v, ok
	}
	if v, ok := scalar.Date(b); ok {
		return v, true
	}
	return scalar.Date(withoutGMT(b))
}

func formattedDay(b []byte, o *Options) (int32, bool) {
	if o.DateFormat == nil {
		if len(b) != len("yyyy-MM-dd") || b[4] != '-' || b[7] != '-' || bytes.ContainsAny(b, " T") {
			return 0, false
		}
		return scalar.Date(b)
	}
	local, _, _, ok := o.DateFormat.Parse(string(b))
	return int32(local / 86_400_000_000), ok
}

// withoutGMT is a text as Spark once wrote times with zones, made one that a cast takes.
func withoutGMT(b []byte) []byte { return bytes.ReplaceAll(b, []byte("GMT"), nil) }

// Moment parses a timestamp by the options' format and, where the options say so, else as a cast does.
func Moment(b []byte, o *Options) (int64, bool) {
	v, ok := FormattedMoment(b, o)
	if ok || !o.TimeFallback {
		return v, ok
	}
	return scalar.Timestamp(withoutGMT(b), o.Zone, o.Now)
}

// FormattedMoment parses a timestamp by the options' format; without one as a cast does.
func FormattedMoment(b []byte, o *Options) (int64, bool) {
	if o.TimeFormat == nil {
		return scalar.Timestamp(b, o.Zone, o.Now)
	}
	local, offset, has, ok := o.TimeFormat.Parse(string(b))
	if has {
		return local - offset, ok
	}
	return o.Zone.ToUTC(local), ok
}

// Clock parses a time of day by the options' format, or as a cast does, and cuts it to the type's digits: nanoseconds.
func Clock(b []byte, t *types.Type, o *Options) (nanos int64, ok bool) {
	if o.ClockFormat == nil {
		nanos, ok = javatime.ParseTime(string(b))
	} else {
		var local int64
		local, _, _, ok = o.ClockFormat.Parse(string(b))
		nanos = local % javatime.MicrosPerDay * 1000
	}
	unit := int64(1e9)
	for range t.Precision {
		unit /= 10
	}
	return nanos - nanos%unit, ok
}

// AppendClock writes a time of day by the options' format, or as a cast does.
func AppendClock(dst []byte, nanos int64, o *Options) []byte {
	if o.ClockFormat != nil {
		return o.ClockFormat.Append(dst, nanos/1000, 0)
	}
	return cell.AppendClock(dst, nanos/1000)
}

func parseDecimals(r *Reader, c *column, cells []span) {
	for i, cl := range cells {
		b, ok := r.text(cl)
		if !ok {
			c.null(i)
			continue
		}
		v, ok := scalar.Decimal(Ungrouped(b), c.typ)
		if c.typ.IsShortDecimal() {
			vector.Values[int64](&c.out)[i] = int64(v.LowBits())
		} else {
			vector.Values[decimal128.Num](&c.out)[i] = v
		}
		if !ok {
			r.bad(c, i)
		}
	}
}

// Ungrouped is a number's text without the commas that may part thousands, which Spark allows in decimals.
func Ungrouped(b []byte) []byte {
	if bytes.IndexByte(b, ',') < 0 {
		return b
	}
	return bytes.ReplaceAll(b, []byte(","), nil)
}

func parseNulls(_ *Reader, c *column, cells []span) {
	for i := range cells {
		c.null(i)
	}
}

// Local parses a local time by the options' format, or as a cast does.
func Local(b []byte, o *Options) (int64, bool) {
	if o.NTZFormat == nil {
		return scalar.TimestampNTZ(b)
	}
	local, _, has, ok := o.NTZFormat.Parse(string(b))
	return local, ok && !has
}
