package csv

import (
	"bytes"
	"io"

	"millrace/errs"
	"millrace/javatime"
	"millrace/table/internal/cell"
	"millrace/types"
	"millrace/vector"
)

// Writer writes one file.
type Writer struct {
	*Options
	out   io.Writer
	buf   []byte
	names []string
	rows  int64
	n     int64
	cell  []byte
}

// NewWriter begins a file of that schema.
func NewWriter(out io.Writer, schema *types.Type, o *Options) (*Writer, error) {
	for _, f := range schema.Fields {
		switch {
		case f.Type.IsNested(), f.Type.Kind == types.KindVariant, f.Type.Kind == types.KindCalendar, f.Type.Kind == types.KindNull, f.Type.IsInterval():
			return nil, errs.New("UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE", "format", "CSV", "columnName", "`"+f.Name+"`", "columnType", `"`+f.Type.SQL()+`"`)
		}
	}
	w := &Writer{Options: o, out: out, names: schema.Names()}
	if o.Header {
		for i, n := range w.names {
			if i > 0 {
				w.buf = append(w.buf, o.Separator...)
			}
			w.field([]byte(n))
		}
		w.buf = append(w.buf, o.LineSeparator...)
	}
	return w, nil
}

// Write appends a batch's rows.
func (w *Writer) Write(b *vector.Batch) error {
	for i := range b.Rows() {
		row := i
		if b.Sel != nil {
			row = int(b.Sel[i])
		}
		for c, v := range b.Cols {
			if c > 0 {
				w.buf = append(w.buf, w.Separator...)
			}
			w.value(v, row)
		}
		w.buf = append(w.buf, w.LineSeparator...)
		w.rows++
		if len(w.buf) > 1<<18 {
			if err := w.flush(); err != nil {
				return err
			}
		}
	}
	return nil
}

func (w *Writer) value(v *vector.Vector, row int) {
	if v.IsNull(row) {
		if w.QuoteAll && w.Quote != 0 {
			w.quoted([]byte(w.Null))
		} else {
			w.buf = append(w.buf, w.Null...)
		}
		return
	}
	w.cell = w.text(w.cell[:0], v, row)
	switch v.Type.Kind {
	case types.KindString, types.KindBinary, types.KindDate, types.KindTimestamp, types.KindTimestampNTZ, types.KindTime:
		w.field(w.cell)
	default:
		if w.QuoteAll {
			w.quoted(w.cell)
		} else {
			w.buf = append(w.buf, w.cell...)
		}
	}
}

// text is a value as CSV has it.
func (w *Writer) text(dst []byte, v *vector.Vector, row int) []byte {
	at := v.Row(row)
	plain := v
	if v.Dict != nil {
		plain, at = v.Dict, int(vector.Codes(v)[at])
	}
	switch v.Type.Kind {
	case types.KindTimestamp:
		micros := vector.Values[int64](plain)[at]
		return AppendTimestamp(dst, micros, w.Options)
	case types.KindTimestampNTZ:
		return AppendLocal(dst, vector.Values[int64](plain)[at], w.Options)
	case types.KindDate:
		if w.DateFormat != nil {
			return w.DateFormat.Append(dst, int64(vector.Values[int32](plain)[at])*javatime.MicrosPerDay, 0)
		}
	case types.KindTime:
		return AppendClock(dst, vector.Values[int64](plain)[at], w.Options)
	case types.KindBinary:
		return appendHex(dst, plain.Str(at))
	}
	return cell.Append(dst, plain, at, w.Zone)
}

// AppendTimestamp writes a moment by the options' format, or as yyyy-MM-dd'T'HH:mm:ss.SSSXXX.
func AppendTimestamp(dst []byte, micros int64, o *Options) []byte {
	local := o.Zone.ToLocal(micros)
	if o.TimeFormat != nil {
		return o.TimeFormat.Append(dst, local, local-micros)
	}
	return appendOffset(appendISO(dst, local), local-micros)
}

// AppendLocal writes a local time by the options' format, or as yyyy-MM-dd'T'HH:mm:ss.SSS.
func AppendLocal(dst []byte, local int64, o *Options) []byte {
	if o.NTZFormat != nil {
		return o.NTZFormat.Append(dst, local, 0)
	}
	return appendISO(dst, local)
}

func appendISO(dst []byte, local int64) []byte {
	days := javatime.FloorDiv(local, javatime.MicrosPerDay)
	dst = append(cell.AppendDate(dst, days), 'T')
	dst = cell.AppendTime(dst, local-days*javatime.MicrosPerDay)
	return cell.AppendPadded(append(dst, '.'), int(javatime.FloorMod(local, javatime.MicrosPerSecond)/1000), 3)
}

func appendOffset(dst []byte, offset int64) []byte {
	if offset == 0 {
		return append(dst, 'Z')
	}
	minutes := int(offset / javatime.MicrosPerMinute)
	if minutes < 0 {
		dst, minutes = append(dst, '-'), -minutes
	} else {
		dst = append(dst, '+')
	}
	dst = append(cell.AppendPadded(dst, minutes/60, 2), ':')
	return cell.AppendPadded(dst, minutes%60, 2)
}

func appendHex(dst, b []byte) []byte {
	const digits = "0123456789ABCDEF"
	dst = append(dst, '[')
	for i, x := range b {
		if i > 0 {
			dst = append(dst, ' ')
		}
		dst = append(dst, digits[x>>4], digits[x&15])
	}
	return append(dst, ']')
}

// field writes a text, in quotes if it needs them.
func (w *Writer) field(s []byte) {
	if w.TrimLeading {
		s = bytes.TrimLeft(s, " \t\r\n")
	}
	if w.TrimTrailing {
		s = bytes.TrimRight(s, " \t\r\n")
	}
	switch {
	case len(s) == 0:
		w.buf = append(w.buf, w.Empty...)
	case w.Quote != 0 && (w.QuoteAll || w.needsQuotes(s)):
		w.quoted(s)
	default:
		w.buf = append(w.buf, s...)
	}
}

func (w *Writer) needsQuotes(s []byte) bool {
	for _, c := range s {
		if c == '\n' || c == '\r' || c == w.Quote && w.EscapeQuote {
			return true
		}
	}
	return bytes.Contains(s, w.Separator) || w.Comment != 0 && s[0] == w.Comment
}

func (w *Writer) quoted(s []byte) {
	w.buf = append(w.buf, w.Quote)
	for _, c := range s {
		if w.Escape != 0 && (c == w.Quote || c == w.Escape && w.Escape != w.Quote) {
			w.buf = append(w.buf, w.Escape)
		}
		w.buf = append(w.buf, c)
	}
	w.buf = append(w.buf, w.Quote)
}

func (w *Writer) flush() error {
	n, err := w.out.Write(w.buf)
	w.n += int64(n)
	w.buf = w.buf[:0]
	return err
}

// Size is the number of bytes so far.
func (w *Writer) Size() int64 { return w.n + int64(len(w.buf)) }

// Rows is the number of rows so far.
func (w *Writer) Rows() int64 { return w.rows }

// Close writes what is left.
func (w *Writer) Close() error { return w.flush() }
