package xml

import (
	"encoding/xml"
	"io"
	"strings"

	"millrace/errs"
	"millrace/types"
	"millrace/vector"
)

// FileWriter writes one file: the rows as elements inside of a root. A file without rows is empty.
type FileWriter struct {
	e      *Encoder
	out    io.Writer
	schema *types.Type
	start  xml.StartElement
	rows   int64
	size   int64
}

// NewFileWriter begins a file of rows of that schema.
func NewFileWriter(out io.Writer, schema *types.Type, o *Options) (*FileWriter, error) {
	e, err := NewEncoder(schema, o)
	if err != nil {
		return nil, err
	}
	if err := o.checkNames(schema); err != nil {
		return nil, err
	}
	if !isName(o.RowTag) {
		return nil, badName(o.RowTag)
	}
	w := &FileWriter{e: e, out: out, schema: schema}
	t, err := xml.NewDecoder(strings.NewReader("<" + o.RootTag + "></>")).RawToken()
	start, ok := t.(xml.StartElement)
	if err != nil || !ok || !isName(qualified(start.Name.Space, start.Name.Local)) {
		return nil, errs.Newf(errs.Invalid, "requirement failed: '%s' option should be a name, with attributes behind it at most, and is %q.", "rootTag", o.RootTag)
	}
	w.start = start
	return w, nil
}

// isName reports whether an element or attribute may have that name.
func isName(s string) bool {
	t, err := xml.NewDecoder(strings.NewReader("<" + s + "/>")).RawToken()
	e, ok := t.(xml.StartElement)
	return err == nil && ok && len(e.Attr) == 0 && qualified(e.Name.Space, e.Name.Local) == s
}

func badName(name string) error {
	return errs.Newf(errs.Invalid, "The column name %q cannot be the name of an element or attribute of XML.", name)
}

// checkNames refuses fields whose names XML does not allow.
func (o *Options) checkNames(t *types.Type) error {
	switch t.Kind {
	case types.KindArray, types.KindMap:
		return o.checkNames(t.Elem)
	case types.KindStruct:
		for _, f := range t.Fields {
			name := f.Name
			if o.AttributePrefix != "" {
				name = strings.TrimPrefix(name, o.AttributePrefix)
			}
			if f.Name != o.ValueTag && !isName(name) {
				return badName(f.Name)
			}
			if err := o.checkNames(f.Type); err != nil {
				return err
			}
		}
	}
	return nil
}

// Write appends a batch's rows.
func (w *FileWriter) Write(b *vector.Batch) error {
	row := &vector.Vector{Type: w.schema, Len: b.N, Children: b.Cols}
	var buf []byte
	for i := range b.Rows() {
		k := i
		if b.Sel != nil {
			k = int(b.Sel[i])
		}
		if w.rows == 0 {
			buf = w.head(buf)
		}
		buf = append(append(buf, '\n'), w.e.o.Indent...)
		buf = w.e.inFile(buf, row, k)
		w.rows++
	}
	return w.write(buf)
}

func (w *FileWriter) write(b []byte) error {
	n, err := w.out.Write(b)
	w.size += int64(n)
	return err
}

func (w *FileWriter) head(buf []byte) []byte {
	if d := w.e.o.Declaration; d != "" {
		buf = append(append(append(buf, "<?xml "...), d...), "?>\n"...)
	}
	x := writer{buf: buf, first: len(buf)}
	x.begin(qualified(w.start.Name.Space, w.start.Name.Local))
	for _, a := range w.start.Attr {
		x.attribute(qualified(a.Name.Space, a.Name.Local), a.Value)
	}
	x.shut()
	return x.buf
}

// inFile appends row i as an element inside of the root.
func (e *Encoder) inFile(dst []byte, v *vector.Vector, i int) []byte {
	e.w = writer{buf: dst, first: len(dst), indent: e.o.Indent, depth: 1}
	e.w.begin(e.o.RowTag)
	e.value(v, i)
	e.w.end(e.o.RowTag)
	return e.w.buf
}

// Size is how much was written.
func (w *FileWriter) Size() int64 { return w.size }

// Rows is how many rows were written.
func (w *FileWriter) Rows() int64 { return w.rows }

// Close ends the root.
func (w *FileWriter) Close() error {
	if w.rows == 0 {
		return nil
	}
	return w.write([]byte("\n</" + qualified(w.start.Name.Space, w.start.Name.Local) + ">"))
}
