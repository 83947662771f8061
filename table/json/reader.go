package json

import (
	"bytes"
	"errors"
	"io"
	"unicode/utf8"

	"millrace/errs"
	"millrace/table/csv"
	"millrace/table/internal/lines"
	"millrace/types"
	"millrace/variant"
	"millrace/vector"
)

// Column is a wanted column.
type Column struct {
	Name    string
	Type    *types.Type
	Corrupt bool // the column for malformed records
}

// Reader yields the records of one file, or of a part of it.
type Reader struct {
	scanner
	path          string
	caseSensitive bool
	root          *builder // a struct of all wanted columns
	corrupt       int
	badField      bool
	lost          bool // the value that was read last does not fit its type and is null therefore
	variants      variant.Builder
	names         []byte // of the last variant
	exact         bool   // values of other types become strings with their text as it stands

	in       *lines.Reader // nil in multi-line mode
	src      lines.Source
	block    []byte
	finished bool
	draw     func() bool // whether a line is looked at; nil: all are
	batch    vector.Batch
}

// NewReader begins to read.
func NewReader(src lines.Source, o *Options, columns []Column, caseSensitive bool) (*Reader, error) {
	src.Encoding = o.Encoding
	r := &Reader{scanner: scanner{Options: o}, path: src.Path, src: src, corrupt: -1, caseSensitive: caseSensitive, exact: !o.EncodingGiven}
	fields := make([]types.Field, len(columns))
	for i, c := range columns {
		fields[i] = types.Field{Name: c.Name, Type: c.Type, Nullable: true}
		if c.Corrupt {
			r.corrupt = i
		} else if o.VariantColumn != "" && (c.Name != o.VariantColumn || c.Type.Kind != types.KindVariant) {
			return nil, errs.Unsupportedf("A schema of other columns with the option singleVariantColumn is not supported.")
		}
	}
	var err error
	if r.root, err = newBuilder("", types.Struct(fields...)); err != nil {
		return nil, err
	}
	r.batch.Cols = make([]*vector.Vector, len(columns))
	if o.MultiLine {
		return r, nil
	}
	r.in, err = lines.NewReader(src, o.LineSeparator)
	return r, r.failed(err)
}

func (r *Reader) failed(err error) error {
	var e *errs.Error
	if err == nil || errors.As(err, &e) && e.Condition != "MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION" || errs.Is(err, errs.Cancelled) {
		return err
	}
	f := errs.New("FAILED_READ_FILE.NO_HINT", "path", r.path)
	f.Cause = err
	return f
}

// RowIndex is not known for text.
func (r *Reader) RowIndex() int64 { return 0 }

// Close ends reading.
func (r *Reader) Close() error {
	if r.in == nil {
		return nil
	}
	return r.in.Close()
}

// Next returns the next batch, or nil at the end; it is overwritten by the next call.
func (r *Reader) Next() (*vector.Batch, error) {
	r.root.truncate(0)
	for r.root.n < vector.BatchRows {
		record, err := r.record()
		if err != nil {
			return nil, r.failed(err)
		}
		if record == nil {
			break
		}
		if err := r.add(record); err != nil {
			return nil, r.failed(err)
		}
	}
	if r.root.n == 0 {
		return nil, nil
	}
	for i, c := range r.root.children {
		r.batch.Cols[i] = c.vector()
	}
	r.batch.N = r.root.n
	return &r.batch, nil
}

// record is the next record's text, or nil at the end: a line that is not blank, or the whole file.
func (r *Reader) record() ([]byte, error) {
	if r.MultiLine {
		if r.finished || r.src.Start > 0 {
			return nil, nil
		}
		r.finished = true
		data, err := lines.All(r.src)
		if err != nil || len(bytes.TrimSpace(data)) == 0 {
			return nil, err
		}
		if !r.EncodingGiven {
			if data, err = io.ReadAll(lines.Decode(bytes.NewReader(data), lines.Detect(data))); err != nil {
				return nil, err
			}
		}
		return bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")), nil
	}
	for {
		if len(r.block) == 0 {
			var err error
			if r.block, err = r.in.Block(); err != nil || r.block == nil {
				return nil, err
			}
			if r.src.Start == 0 {
				r.block = bytes.TrimPrefix(r.block, []byte("\xef\xbb\xbf"))
			}
		}
		line, n := r.in.Line(r.block)
		r.block = r.block[n:]
		drawn := r.draw == nil || r.draw()
		if drawn && len(bytes.TrimSpace(line)) > 0 {
			return line, nil
		}
	}
}

// add appends a record's rows: one, or one for each object of an array.
func (r *Reader) add(record []byte) error {
	first := r.root.n
	r.data, r.pos, r.depth, r.badField = record, 0, 0, false
	err := errSyntax
	if utf8.Valid(record) {
		err = r.rows(first)
	}
	bad := r.badField
	if err != nil {
		r.root.truncate(first)
		r.nullRow()
		bad = true
	}
	if !bad {
		return nil
	}
	switch r.Mode {
	case csv.FailFast:
		return errs.New("MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION", "badRecord", string(record), "failFastMode", "FAILFAST")
	case csv.DropMalformed:
		r.root.truncate(first)
	}
	if r.corrupt >= 0 && r.root.n > first {
		c := r.root.children[r.corrupt]
		c.truncate(first)
		for range r.root.n - first {
			c.str(record)
		}
	}
	return nil
}

func (r *Reader) rows(first int) error {
	if r.VariantColumn != "" {
		return r.whole()
	}
	if r.peek() == '[' {
		return r.array(func() error {
			if r.peek() != '{' {
				return errSyntax
			}
			return r.row()
		})
	}
	if r.peek() != '{' {
		return errSyntax
	}
	return r.row()
}

// whole makes a variant of the record, whatever it is.
func (r *Reader) whole() error {
	read := false
	for i, c := range r.root.children {
		switch {
		case i == r.corrupt:
			c.null()
		case read:
			return errs.Newf(errs.Internal, "two columns of variants of whole records")
		default:
			read = true
			if err := r.variant(c); err != nil {
				return err
			}
		}
	}
	r.root.done(true)
	return nil
}

func (r *Reader) row() error { return r.structOf(r.root) }

// nullRow appends a row without values that itself is not null.
func (r *Reader) nullRow() {
	for _, c := range r.root.children {
		c.null()
	}
	r.root.done(true)
}

func (r *Reader) structOf(b *builder) error {
	row := b.n
	b.next = 0
	err := r.object(func(name []byte) error {
		c := b.field(name, r.caseSensitive)
		if c == nil || b == r.root && r.corrupt >= 0 && c == b.children[r.corrupt] {
			return r.skip()
		}
		c.truncate(row) // the last of fields of the same name counts
		return r.value(c)
	})
	if err != nil {
		return err
	}
	for _, c := range b.children {
		if c.n == row {
			c.null()
		}
	}
	r.lost = false
	b.done(true)
	return nil
}

// value reads a value into b. One that does not fit its type becomes null and makes the record malformed.
func (r *Reader) value(b *builder) error {
	c := r.peek()
	start := r.pos
	ok := false
	r.lost = false
	var err error
	switch {
	case b.typ.Kind == types.KindVariant:
		return r.variant(b)
	case c == 'n':
		if err = r.word("null"); err == nil {
			b.null()
		}
		return err
	case r.isQuote(c):
		var s []byte
		if s, err = r.text(); err == nil {
			ok = b.text(s, r.Options)
		}
	case c == '{' && b.typ.Kind == types.KindStruct:
		return r.structOf(b)
	case c == '{' && b.typ.Kind == types.KindMap:
		return r.mapOf(b)
	case c == '[' && b.typ.Kind == types.KindArray:
		return r.list(b)
	case c == '{' || c == '[' || c == 't' || c == 'f':
		if err = r.skip(); err == nil {
			ok = r.other(b, c, start)
		}
	default:
		var s []byte
		var integer bool
		if s, integer, err = r.number(); err == nil {
			ok = b.digits(s, integer)
		}
	}
	if err == nil && !ok {
		r.badField, r.lost = true, true
		b.null()
	}
	return err
}

// variant reads a value of any kind into a variant. An object with two fields of a name makes a null, and the record malformed.
func (r *Reader) variant(b *builder) error {
	r.variants.Reset()
	r.twice = nil
	if err := r.appendVariant(&r.variants); err != nil {
		return err
	}
	if r.twice != nil {
		r.badField, r.lost = true, true
		b.null()
		return nil
	}
	b.children[0].str(r.variants.Value())
	r.names = r.variants.AppendMetadata(r.names[:0])
	b.children[1].str(r.names)
	b.done(true)
	return nil
}

// other appends a boolean, or any value's text to a string.
func (r *Reader) other(b *builder, c byte, start int) bool {
	switch {
	case b.typ.Kind == types.KindString && r.exact:
		b.str(r.data[start:r.pos])
		return true
	case b.typ.Kind == types.KindString:
		r.scratch = compactText(r.scratch[:0], r.data[start:r.pos])
		b.str(r.scratch)
		return true
	case b.typ.Kind == types.KindBoolean && (c == 't' || c == 'f'):
		v := int64(0)
		if c == 't' {
			v = 1
		}
		b.fixed(v)
		return true
	}
	return false
}

// list reads an array. One with an element that does not fit is null itself.
func (r *Reader) list(b *builder) error {
	first, lost := b.children[0].n, false
	err := r.array(func() error {
		err := r.value(b.children[0])
		lost = lost || r.lost
		return err
	})
	if err != nil {
		return err
	}
	if r.lost = lost; lost {
		b.children[0].truncate(first)
		b.null()
		return nil
	}
	b.offsets = append(b.offsets, int32(b.children[0].n))
	b.done(true)
	return nil
}

// mapOf reads an object into a map. One with a value that does not fit is null itself.
func (r *Reader) mapOf(b *builder) error {
	key, value := b.children[0], b.children[1]
	first, lost := key.n, false
	err := r.object(func(name []byte) error {
		if !key.text(name, r.Options) && !key.digits(name, true) {
			r.badField, lost = true, true
			key.null()
		}
		err := r.value(value)
		lost = lost || r.lost
		return err
	})
	if err != nil {
		return err
	}
	if r.lost = lost; lost {
		key.truncate(first)
		value.truncate(first)
		b.null()
		return nil
	}
	b.offsets = append(b.offsets, int32(key.n))
	b.done(true)
	return nil
}
