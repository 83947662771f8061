package json

import (
	"bytes"

	"millrace/errs"
	"millrace/table/csv"
	"millrace/types"
	"millrace/vector"
)

// Parser makes a column of texts that hold one value each, as from_json does.
type Parser struct {
	r    *Reader
	root *builder
}

// NewParser begins a column of a struct, array, map or variant.
func NewParser(t *types.Type, o *Options, caseSensitive bool) (*Parser, error) {
	p := &Parser{r: &Reader{scanner: scanner{Options: o}, corrupt: -1, caseSensitive: caseSensitive}}
	var err error
	if p.root, err = newBuilder("value", t); err != nil {
		return nil, err
	}
	p.r.root = p.root
	if t.Kind == types.KindStruct {
		if f, i := t.Field(o.CorruptRecord, caseSensitive); i >= 0 && f.Type.Kind == types.KindString {
			p.r.corrupt = i
		}
	}
	return p, nil
}

// Null appends a null.
func (p *Parser) Null() { p.root.null() }

// Vector is the rows so far; it is the parser's.
func (p *Parser) Vector() *vector.Vector { return p.root.vector() }

// Add appends the value that a text holds: null for a blank one, and for one that is malformed null too, or a struct of nulls.
func (p *Parser) Add(text []byte) error {
	r := p.r
	first := p.root.n
	if len(bytes.TrimSpace(text)) == 0 {
		p.root.null()
		return nil
	}
	r.data, r.pos, r.depth, r.badField = text, 0, 0, false
	err := p.value()
	if err == nil && !r.badField {
		return nil
	}
	if r.Mode == csv.FailFast {
		return errs.New("MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION", "badRecord", "[null]", "failFastMode", "FAILFAST")
	}
	isStruct := p.root.typ.Kind == types.KindStruct
	switch {
	case err != nil && isStruct:
		p.root.truncate(first)
		r.nullRow()
	case err != nil || p.root.typ.Kind == types.KindArray && p.root.n == first: // a variant is null already
		p.root.truncate(first)
		p.root.null()
	}
	if r.corrupt >= 0 {
		c := p.root.children[r.corrupt]
		c.truncate(first)
		c.str(text)
	}
	return nil
}

func (p *Parser) value() error {
	r, b := p.r, p.root
	c := r.peek()
	switch {
	case b.typ.Kind == types.KindVariant:
		return r.variant(b)
	case b.typ.Kind == types.KindStruct && c == '{':
		return r.structOf(b)
	case b.typ.Kind == types.KindMap && c == '{':
		return r.mapOf(b)
	case b.typ.Kind == types.KindArray && c == '[':
		return r.list(b)
	case b.typ.Kind == types.KindArray && b.typ.Elem.Kind == types.KindStruct && c == '{':
		if err := r.structOf(b.children[0]); err != nil {
			return err
		}
		b.offsets = append(b.offsets, int32(b.children[0].n))
		b.done(true)
		return nil
	}
	return errSyntax
}

// TypeOf is the type that schema_of_json finds for a text; nil for a struct without fields.
func TypeOf(text []byte, o *Options) (*types.Type, error) {
	r := &Reader{scanner: scanner{Options: o, data: text}, corrupt: -1}
	var seen shape
	if r.peek() == 0 {
		return types.String, nil
	}
	if err := r.skip(); err != nil {
		return nil, err
	}
	r.pos, r.depth = 0, 0
	if err := r.observe(&seen); err != nil {
		return nil, err
	}
	t := seen.schema(o)
	if t == nil {
		t = types.Null
	}
	if t.Kind == types.KindStruct && len(t.Fields) == 0 {
		return t, nil
	}
	if c := canonical(t, o); c != nil {
		return c, nil
	}
	return types.Struct(), nil
}

// Encoder writes values as JSON, as to_json does.
type Encoder struct{ w Writer }

// NewEncoder makes an encoder. What JSON has no form for, such as intervals, becomes a string that text writes.
func NewEncoder(o *Options, text func(dst []byte, v *vector.Vector, i int) []byte) *Encoder {
	return &Encoder{Writer{Options: o, text: text}}
}

// Append appends row i of a column, which is not null.
func (e *Encoder) Append(dst []byte, v *vector.Vector, i int) []byte {
	e.w.buf = dst
	e.w.value(v, i)
	dst, e.w.buf = e.w.buf, nil
	return dst
}

// Err is the error of a variant that does not follow the format.
func (e *Encoder) Err() error { return e.w.err }
