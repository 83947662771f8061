package expr

import (
	"time"

	"millrace/errs"
	"millrace/javatime"
	"millrace/types"
	"millrace/vector"
)

// castToString writes values as Spark shows them.
func castToString(e castEnv) caster {
	if e.from.Kind == types.KindBinary {
		return func(in *vector.Vector, sel []uint32, n int, out *vector.Vector) error {
			w := NewStringWriter(out, n)
			Rows(sel, n, func(i int) { w.Append(i, in.Str(i)) })
			w.Close()
			return nil
		}
	}
	f := Formatter{Zone: Zone(e.Settings), Plain: e.Mode != modeLegacy}
	return func(in *vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		w := NewStringWriter(out, n)
		Rows(sel, n, func(i int) { w.Commit(i, f.Append(w.Buffer(), in, i)) })
		w.Close()
		return f.Err
	}
}

// Formatter writes values as CAST to string does.
type Formatter struct {
	Zone  *time.Location
	Plain bool  // decimals never in scientific notation, as under ANSI
	Err   error // the first of a variant that does not follow the format, whose text is cut off there
}

// Append appends the text of row i, which is not null.
func (f *Formatter) Append(dst []byte, v *vector.Vector, i int) []byte {
	i = v.Row(i)
	t := v.Type
	if t.Kind == types.KindUDT {
		t = t.Elem
	}
	switch t.Kind {
	case types.KindBoolean:
		if vector.Values[bool](v)[i] {
			return append(dst, "true"...)
		}
		return append(dst, "false"...)
	case types.KindFloat:
		return AppendFloat(dst, vector.Values[float32](v)[i])
	case types.KindDouble:
		return AppendDouble(dst, vector.Values[float64](v)[i])
	case types.KindDecimal:
		d := readDecimals(v)
		if f.Plain {
			return FormatDecimal(dst, d.at(i), t.Scale)
		}
		return formatScientific(dst, d.at(i), t.Scale)
	case types.KindString, types.KindBinary:
		return append(dst, v.Str(i)...)
	case types.KindDate:
		return AppendDate(dst, int64(vector.Values[int32](v)[i]))
	case types.KindTimestamp:
		return AppendTimestamp(dst, LocalMicros(vector.Values[int64](v)[i], f.Zone))
	case types.KindTimestampNTZ:
		return AppendTimestamp(dst, vector.Values[int64](v)[i])
	case types.KindTime:
		return appendTime(dst, vector.Values[int64](v)[i])
	case types.KindYearMonth:
		return appendYearMonth(dst, int64(vector.Values[int32](v)[i]), t)
	case types.KindDayTime:
		return appendDayTime(dst, vector.Values[int64](v)[i], t)
	case types.KindCalendar:
		return appendCalendar(dst, vector.Values[vector.CalendarInterval](v)[i])
	case types.KindArray, types.KindMap, types.KindStruct:
		return f.appendNested(dst, v, t, i)
	case types.KindVariant: // inside of another value its times are those of UTC
		utc := Formatter{Zone: time.UTC, Plain: true}
		dst, err := utc.AppendVariant(dst, Variant(v, i))
		if err != nil && f.Err == nil {
			f.Err = err
		}
		return dst
	}
	return appendInt(dst, intAt(v, i))
}

func (f *Formatter) appendNested(dst []byte, v *vector.Vector, t *types.Type, i int) []byte {
	element := func(c *vector.Vector, j int) {
		if c.IsNull(j) {
			dst = append(dst, "null"...)
		} else {
			dst = f.Append(dst, c, j)
		}
	}
	switch t.Kind {
	case types.KindArray:
		dst = append(dst, '[')
		for j := v.Offsets[i]; j < v.Offsets[i+1]; j++ {
			if j > v.Offsets[i] {
				dst = append(dst, ", "...)
			}
			element(v.Children[0], int(j))
		}
		return append(dst, ']')
	case types.KindMap:
		dst = append(dst, '{')
		for j := v.Offsets[i]; j < v.Offsets[i+1]; j++ {
			if j > v.Offsets[i] {
				dst = append(dst, ", "...)
			}
			element(v.Children[0], int(j))
			dst = append(dst, " -> "...)
			element(v.Children[1], int(j))
		}
		return append(dst, '}')
	}
	dst = append(dst, '{')
	for k, c := range v.Children {
		if k > 0 {
			dst = append(dst, ", "...)
		}
		element(c, i)
	}
	return append(dst, '}')
}

// formatScientific is Java's BigDecimal.toString: small numbers with an exponent.
func formatScientific(dst []byte, x wide, scale int) []byte {
	digits := FormatDecimal(nil, x, 0)
	if digits[0] == '-' {
		digits = digits[1:]
	}
	adjusted := len(digits) - 1 - scale
	if adjusted >= -6 {
		return FormatDecimal(dst, x, scale)
	}
	if x.HighBits() < 0 {
		dst = append(dst, '-')
	}
	dst = append(dst, digits[0])
	if len(digits) > 1 {
		dst = append(append(dst, '.'), digits[1:]...)
	}
	return appendInt(append(dst, 'E'), int64(adjusted))
}

// castFromString reads values of any atomic type.
func castFromString(e castEnv) (caster, error) {
	var set func(s []byte, i int, out *vector.Vector) (bool, error)
	switch k := e.to.Kind; {
	case k == types.KindBinary:
		return castToString(castEnv{e.Call, types.Binary, types.Binary}), nil
	case k == types.KindCalendar: // a text that is none is null
		set = func(s []byte, i int, out *vector.Vector) (bool, error) {
			v, err := javatime.ParseInterval(string(s))
			if err != nil {
				out.SetNull(i)
				return true, nil
			}
			vector.Values[vector.CalendarInterval](out)[i] = vector.CalendarInterval{Months: v.Months, Days: v.Days, Micros: v.Micros}
			return true, nil
		}
	case k == types.KindBoolean:
		set = func(s []byte, i int, out *vector.Vector) (bool, error) {
			b, ok := parseBoolean(s)
			vector.Values[bool](out)[i] = b
			return ok, nil
		}
	case e.to.IsIntegral():
		lo, hi := intLimits(e.to)
		set = func(s []byte, i int, out *vector.Vector) (bool, error) {
			x, ok := parseInteger(s, lo, hi, e.Mode == modeLegacy)
			setNumber(out, i, x)
			return ok, nil
		}
	case k == types.KindFloat:
		set = func(s []byte, i int, out *vector.Vector) (ok bool, err error) {
			x, ok := parseFloat(s, 32)
			vector.Values[float32](out)[i] = float32(x)
			return ok, nil
		}
	case k == types.KindDouble:
		return castToDouble(e), nil
	case k == types.KindDecimal:
		set = e.setDecimal
	default:
		set = e.setTemporal()
	}
	if set == nil {
		return nil, errs.Newf(errs.Internal, "cast from %s to %s has no kernel", e.from, e.to)
	}
	return func(in *vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		return RowsErr(sel, n, func(i int) error {
			s := in.Str(i)
			ok, err := set(s, i, out)
			if err == nil && !ok {
				err = e.malformed(StringLiteral(s))
			}
			if err != nil && e.Mode != modeANSI && (e.Mode == modeTry || !e.to.IsInterval()) {
				out.SetNull(i)
				return nil
			}
			return err
		})
	}, nil
}

// castToDouble reads doubles without a call per row.
func castToDouble(e castEnv) caster {
	return func(in *vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		r := vector.Values[float64](out)
		return RowsErr(sel, n, func(i int) error {
			s := in.Str(i)
			x, ok := parseDouble(s)
			if !ok {
				return e.reject(out, i, func() error { return e.malformed(StringLiteral(s)) })
			}
			r[i] = x
			return nil
		})
	}
}

func (e castEnv) setDecimal(s []byte, i int, out *vector.Vector) (bool, error) {
	r, v, parsed, fits := parseDecimal(s, e.to)
	switch {
	case !parsed:
		return false, nil
	case !fits && len(v.rounded(0).String()) > types.MaxPrecision+1:
		return false, errs.New("NUMERIC_OUT_OF_SUPPORTED_RANGE", "value", string(trimAll(s)))
	case !fits:
		return false, outOfRange(v.String(), e.to)
	}
	w := writeDecimals(out)
	w.set(i, r)
	return true, nil
}

func parseBoolean(s []byte) (value, ok bool) {
	s = trimAll(s)
	if len(s) > 5 {
		return false, false
	}
	var low [5]byte
	for i, c := range s {
		if low[i] = c; c >= 'A' && c <= 'Z' {
			low[i] = c + 'a' - 'A'
		}
	}
	switch string(low[:len(s)]) {
	case "t", "true", "y", "yes", "1":
		return true, true
	case "f", "false", "n", "no", "0":
		return false, true
	}
	return false, false
}
