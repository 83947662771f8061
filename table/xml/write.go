package xml

import (
	"strings"

	"millrace/javatime"
	"millrace/table/csv"
	"millrace/table/internal/cell"
	"millrace/types"
	"millrace/vector"
)

// Encoder writes structs as XML, as to_xml does.
type Encoder struct {
	o *Options
	w writer
}

// NewEncoder makes an encoder of structs of a type.
func NewEncoder(t *types.Type, o *Options) (*Encoder, error) {
	return &Encoder{o: o, w: writer{indent: o.Indent}}, check(t)
}

// Append appends row i of a column of structs, which is not null.
func (e *Encoder) Append(dst []byte, v *vector.Vector, i int) []byte {
	e.w.buf, e.w.first = dst, len(dst)
	e.w.begin(e.o.RowTag)
	e.value(v, i)
	e.w.end(e.o.RowTag)
	if e.o.Indent == "" { // so does Spark's writer, which ends the lines that others begin
		e.w.buf = append(e.w.buf, '\n')
	}
	dst, e.w.buf = e.w.buf, nil
	return dst
}

// at is where row i of a column is stored.
func at(v *vector.Vector, i int) (*vector.Vector, int) {
	i = v.Row(i)
	if v.Dict != nil {
		return v.Dict, int(vector.Codes(v)[i])
	}
	return v, i
}

func (e *Encoder) isAttribute(name string) bool {
	return e.o.AttributePrefix != "" && strings.HasPrefix(name, e.o.AttributePrefix) && name != e.o.ValueTag
}

// value writes a value inside of the element that has begun.
func (e *Encoder) value(v *vector.Vector, i int) {
	if v.IsNull(i) {
		if e.o.HasNullValue {
			e.w.text(e.o.NullValue)
		}
		return
	}
	v, i = at(v, i)
	switch v.Type.Kind {
	case types.KindStruct:
		for pass := range 2 { // attributes come first
			for k, f := range v.Type.Fields {
				if e.isAttribute(f.Name) == (pass == 0) {
					e.member(f.Name, v.Children[k], i)
				}
			}
		}
	case types.KindMap:
		for pass := range 2 {
			for j := int(v.Offsets[i]); j < int(v.Offsets[i+1]); j++ {
				if name := string(v.Children[0].Str(j)); e.isAttribute(name) == (pass == 0) {
					e.member(name, v.Children[1], j)
				}
			}
		}
	case types.KindArray:
		for j := v.Offsets[i]; j < v.Offsets[i+1]; j++ {
			e.member(e.o.ArrayElement, v.Children[0], int(j))
		}
	default:
		e.w.text(e.scalar(v, i))
	}
}

// member writes a field: an attribute, the element's own text, or an element, of an array one for each of its elements.
func (e *Encoder) member(name string, v *vector.Vector, i int) {
	null := v.IsNull(i)
	switch {
	case null && !e.o.HasNullValue:
		return
	case e.isAttribute(name):
		value := e.o.NullValue
		if !null {
			value = e.scalar(at(v, i))
		}
		e.w.attribute(strings.TrimPrefix(name, e.o.AttributePrefix), value)
		return
	case !null && v.Type.Kind == types.KindArray:
		list, row := at(v, i)
		for j := list.Offsets[row]; j < list.Offsets[row+1]; j++ {
			e.child(name, list.Children[0], int(j))
		}
		return
	}
	e.child(name, v, i)
}

func (e *Encoder) child(name string, v *vector.Vector, i int) {
	switch {
	case v.IsNull(i) && !e.o.HasNullValue:
	case name == e.o.ValueTag:
		e.value(v, i)
	default:
		e.w.begin(name)
		e.value(v, i)
		e.w.end(name)
	}
}

func (e *Encoder) scalar(v *vector.Vector, i int) string {
	switch v.Type.Kind {
	case types.KindTimestamp:
		return string(csv.AppendTimestamp(nil, vector.Values[int64](v)[i], e.o.Options))
	case types.KindTimestampNTZ:
		return string(csv.AppendLocal(nil, vector.Values[int64](v)[i], e.o.Options))
	case types.KindTime:
		return string(csv.AppendClock(nil, vector.Values[int64](v)[i], e.o.Options))
	case types.KindDate:
		if days := int64(vector.Values[int32](v)[i]); e.o.DateFormat != nil {
			return string(e.o.DateFormat.Append(nil, days*javatime.MicrosPerDay, 0))
		}
	}
	return string(cell.Append(nil, v, i, e.o.Zone))
}

// writer writes a document's text.
type writer struct {
	buf    []byte
	first  int    // where the document begins
	indent string // of each level of elements; empty: all in one line
	depth  int
	open   bool // the last start tag may still get attributes
	nested bool // the last thing was an end tag, so that the next one comes on a line of its own
}

func (w *writer) begin(name string) {
	w.shut()
	w.line()
	w.buf = append(append(w.buf, '<'), name...)
	w.depth++
	w.open, w.nested = true, false
}

func (w *writer) attribute(name, value string) {
	w.buf = append(append(append(w.buf, ' '), name...), '=', '"')
	for _, r := range value {
		switch r {
		case '<':
			w.buf = append(w.buf, "&lt;"...)
		case '&':
			w.buf = append(w.buf, "&amp;"...)
		case '"':
			w.buf = append(w.buf, "&quot;"...)
		default:
			w.buf = append(w.buf, string(r)...)
		}
	}
	w.buf = append(w.buf, '"')
}

func (w *writer) text(s string) {
	w.shut()
	w.nested = false
	for i, r := range s {
		switch {
		case r == '<':
			w.buf = append(w.buf, "&lt;"...)
		case r == '&':
			w.buf = append(w.buf, "&amp;"...)
		case r == '>' && (i == 0 || s[i-1] == ']'): // which could end a section of CDATA
			w.buf = append(w.buf, "&gt;"...)
		default:
			w.buf = append(w.buf, string(r)...)
		}
	}
}

func (w *writer) end(name string) {
	w.depth--
	if w.open {
		w.buf = append(w.buf, "/>"...)
	} else {
		if w.nested {
			w.line()
		}
		w.buf = append(append(append(w.buf, "</"...), name...), '>')
	}
	w.open, w.nested = false, true
}

// shut ends a start tag.
func (w *writer) shut() {
	if w.open {
		w.buf = append(w.buf, '>')
		w.open = false
	}
}

func (w *writer) line() {
	if w.indent == "" || len(w.buf) == w.first {
		return
	}
	w.buf = append(w.buf, '\n')
	for range w.depth {
		w.buf = append(w.buf, w.indent...)
	}
}

// node writes a part of a document as it was read.
func (w *writer) node(n *node) {
	switch n.kind {
	case text:
		w.text(n.text)
	case element:
		name := qualified(n.prefix, n.name)
		w.begin(name)
		for _, a := range n.attributes {
			w.attribute(qualified(a.prefix, a.name), a.value)
		}
		w.shut()
		for _, c := range n.children {
			w.node(c)
		}
		w.end(name)
	}
}
