package json

import (
	"encoding/base64"
	"io"
	"math"

	"millrace/javatime"
	"millrace/operators/expr"
	"millrace/table/csv"
	"millrace/table/internal/cell"
	"millrace/types"
	"millrace/vector"
)

// Writer writes one file, a record a line.
type Writer struct {
	*Options
	out   io.Writer
	buf   []byte
	names [][]byte // the fields' names, quoted and with their colons
	cells []byte
	text  func(dst []byte, v *vector.Vector, i int) []byte // of intervals and times, where they are allowed
	rows  int64
	n     int64
	depth int // of the objects around, for pretty printing
	err   error
}

// NewWriter begins a file of that schema. Intervals are written as text does.
func NewWriter(out io.Writer, schema *types.Type, o *Options, text func(dst []byte, v *vector.Vector, i int) []byte) (*Writer, error) {
	w := &Writer{Options: o, out: out, text: text}
	for _, f := range schema.Fields {
		if !f.Type.IsInterval() {
			if _, err := newBuilder(f.Name, f.Type); err != nil {
				return nil, err
			}
		}
		w.names = append(w.names, w.name(nil, []byte(f.Name)))
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
		w.open()
		first := true
		for c, v := range b.Cols {
			if w.IgnoreNullFields && v.IsNull(row) {
				continue
			}
			w.next(first)
			first = false
			w.buf = append(w.buf, w.names[c]...)
			w.value(v, row)
		}
		w.shut(first)
		w.buf = append(w.buf, w.LineSeparator...)
		if w.rows++; w.err != nil {
			return w.err
		}
		if len(w.buf) > 1<<18 {
			if err := w.Close(); err != nil {
				return err
			}
		}
	}
	return nil
}

func (w *Writer) value(v *vector.Vector, row int) {
	if v.IsNull(row) {
		w.buf = append(w.buf, "null"...)
		return
	}
	row = v.Row(row)
	if v.Dict != nil {
		v, row = v.Dict, int(vector.Codes(v)[row])
	}
	switch v.Type.Kind {
	case types.KindString:
		w.buf = w.appendString(w.buf, v.Str(row))
	case types.KindBinary:
		w.buf = append(w.buf, '"')
		w.buf = base64.StdEncoding.AppendEncode(w.buf, v.Str(row))
		w.buf = append(w.buf, '"')
	case types.KindDouble, types.KindFloat:
		w.float(v, row)
	case types.KindDate, types.KindTimestamp, types.KindTimestampNTZ, types.KindTime:
		w.buf = append(w.buf, '"')
		w.buf = w.appendTime(w.buf, v, row)
		w.buf = append(w.buf, '"')
	case types.KindCalendar, types.KindYearMonth, types.KindDayTime:
		w.cells = w.text(w.cells[:0], v, row)
		w.buf = w.appendString(w.buf, w.cells)
	case types.KindStruct:
		w.structOf(v, row)
	case types.KindVariant:
		f := expr.Formatter{Zone: w.Zone.Location()}
		var err error
		if w.buf, err = f.AppendVariant(w.buf, expr.Variant(v, row)); err != nil && w.err == nil {
			w.err = err
		}
	case types.KindArray:
		w.list(v, row)
	case types.KindMap:
		w.mapOf(v, row)
	default:
		w.buf = cell.Append(w.buf, v, row, w.Zone)
	}
}

func (w *Writer) float(v *vector.Vector, row int) {
	f := 0.0
	if v.Type.Kind == types.KindFloat {
		f = float64(vector.Values[float32](v)[row])
	} else {
		f = vector.Values[float64](v)[row]
	}
	if math.IsNaN(f) || math.IsInf(f, 0) {
		w.buf = append(cell.Append(append(w.buf, '"'), v, row, w.Zone), '"')
		return
	}
	w.buf = cell.Append(w.buf, v, row, w.Zone)
}

func (w *Writer) appendTime(dst []byte, v *vector.Vector, row int) []byte {
	switch v.Type.Kind {
	case types.KindTimestamp:
		return csv.AppendTimestamp(dst, vector.Values[int64](v)[row], w.Options.Options)
	case types.KindTimestampNTZ:
		return csv.AppendLocal(dst, vector.Values[int64](v)[row], w.Options.Options)
	case types.KindTime:
		return csv.AppendClock(dst, vector.Values[int64](v)[row], w.Options.Options)
	}
	days := int64(vector.Values[int32](v)[row])
	if w.DateFormat != nil {
		return w.DateFormat.Append(dst, days*javatime.MicrosPerDay, 0)
	}
	return cell.AppendDate(dst, days)
}

func (w *Writer) structOf(v *vector.Vector, row int) {
	w.open()
	first := true
	for i, c := range v.Children {
		if w.IgnoreNullFields && c.IsNull(row) {
			continue
		}
		w.next(first)
		first = false
		w.buf = w.name(w.buf, []byte(v.Type.Fields[i].Name))
		w.value(c, row)
	}
	w.shut(first)
}

func (w *Writer) list(v *vector.Vector, row int) {
	w.buf = append(w.buf, '[')
	for j := v.Offsets[row]; j < v.Offsets[row+1]; j++ {
		if j > v.Offsets[row] {
			w.buf = append(w.buf, ',')
		}
		w.space()
		w.value(v.Children[0], int(j))
	}
	w.space()
	w.buf = append(w.buf, ']')
}

func (w *Writer) mapOf(v *vector.Vector, row int) {
	w.open()
	for j := v.Offsets[row]; j < v.Offsets[row+1]; j++ {
		w.next(j == v.Offsets[row])
		w.cells = w.key(w.cells[:0], v.Children[0], int(j))
		w.buf = w.name(w.buf, w.cells)
		w.value(v.Children[1], int(j))
	}
	w.shut(v.Offsets[row] == v.Offsets[row+1])
}

// open begins an object.
func (w *Writer) open() {
	w.buf = append(w.buf, '{')
	w.depth++
}

// next goes on to an object's next member.
func (w *Writer) next(first bool) {
	if !first {
		w.buf = append(w.buf, ',')
	}
	w.line()
}

// shut ends an object.
func (w *Writer) shut(empty bool) {
	w.depth--
	if empty {
		w.space()
	} else {
		w.line()
	}
	w.buf = append(w.buf, '}')
}

func (w *Writer) space() {
	if w.Pretty {
		w.buf = append(w.buf, ' ')
	}
}

// line begins a line, where objects are printed over several.
func (w *Writer) line() {
	if !w.Pretty {
		return
	}
	w.buf = append(w.buf, '\n')
	for range w.depth {
		w.buf = append(w.buf, "  "...)
	}
}

// name appends a member's name and its colon.
func (w *Writer) name(dst, name []byte) []byte {
	dst = w.appendString(dst, name)
	if w.Pretty {
		return append(dst, " : "...)
	}
	return append(dst, ':')
}

// key is a map's key as text; a struct's is in brackets.
func (w *Writer) key(dst []byte, v *vector.Vector, i int) []byte {
	switch v.Type.Kind {
	case types.KindStruct, types.KindArray, types.KindCalendar, types.KindYearMonth, types.KindDayTime, types.KindTime:
		if w.text == nil {
			break
		}
		if v.Type.Kind != types.KindStruct {
			return w.text(dst, v, i)
		}
		dst = append(dst, '[')
		for k, c := range v.Children {
			if k > 0 {
				dst = append(dst, ',')
			}
			if c.IsNull(i) {
				dst = append(dst, "null"...)
			} else {
				dst = w.key(dst, c, i)
			}
		}
		return append(dst, ']')
	}
	return cell.Append(dst, v, i, w.Zone)
}

func (w *Writer) appendString(dst, s []byte) []byte { return expr.AppendJSONString(dst, s, w.ASCII) }

// Size is the number of bytes so far.
func (w *Writer) Size() int64 { return w.n + int64(len(w.buf)) }

// Rows is the number of rows so far.
func (w *Writer) Rows() int64 { return w.rows }

// Close writes what is left.
func (w *Writer) Close() error {
	n, err := w.out.Write(w.buf)
	w.n += int64(n)
	w.buf = w.buf[:0]
	return err
}
