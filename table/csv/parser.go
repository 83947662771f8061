package csv

import (
	"fmt"
	"strings"

	"millrace/errs"
	"millrace/types"
	"millrace/vector"
)

// Parser makes structs of texts that hold one record each, as from_csv does.
type Parser struct{ r *Reader }

// NewParser takes the struct's type.
func NewParser(t *types.Type, o *Options) (*Parser, error) {
	r := &Reader{Options: o, corrupt: -1, empty: []byte(o.Empty)}
	want := []int32{}
	for i, f := range t.Fields {
		c, err := newColumn(f.Name, f.Type)
		if err != nil {
			return nil, errs.New("UNSUPPORTED_DATATYPE", "typeName", `"`+f.Type.SQL()+`"`)
		}
		r.columns = append(r.columns, c)
		if strings.EqualFold(f.Name, o.CorruptRecord) {
			r.corrupt = i
			continue
		}
		want = append(want, int32(i))
	}
	r.places = len(want)
	r.tokens = newTokenizer(o, want, len(t.Fields))
	r.batch.Cols = make([]*vector.Vector, len(t.Fields))
	return &Parser{r}, nil
}

// Begin forgets the records; the next ones are parts of block.
func (p *Parser) Begin(block []byte) {
	r := p.r
	r.block = block
	r.tokens.reset()
	r.spans, r.isBad, r.anyBad = r.spans[:0], r.isBad[:0], false
}

// Add adds the record in block[start:end].
func (p *Parser) Add(start, end int) {
	r := p.r
	r.tokens.record(r.block, start, end)
	r.spans = append(r.spans, span{int32(start), int32(end - start)})
	r.isBad = append(r.isBad, false)
	if r.tokens.count != r.places {
		r.malformed(len(r.spans) - 1)
	}
}

// Columns are the records' fields. They stay the parser's until the next Begin.
func (p *Parser) Columns() ([]*vector.Vector, error) {
	mode := p.r.Mode
	p.r.Mode = Permissive
	b, err := p.r.convert()
	if p.r.Mode = mode; err != nil {
		return nil, err
	}
	if mode == FailFast && p.r.anyBad {
		return nil, errs.New("MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION", "badRecord", "[null]", "failFastMode", "FAILFAST")
	}
	return b.Cols, nil
}

// TypeOf is the type that schema_of_csv finds for a record.
func TypeOf(text []byte, o *Options) *types.Type {
	r := &Reader{Options: o}
	var fields []types.Field
	for i, v := range splitRecord(text, o) {
		t := types.String
		if v != "" {
			if found := r.inferValue(nil, []byte(v)); found != nil && found.Kind != types.KindNull {
				t = found
			}
		}
		fields = append(fields, types.Field{Name: fmt.Sprintf("_c%d", i), Type: t, Nullable: true})
	}
	return types.Struct(fields...)
}

// Encoder writes structs as records, as to_csv does. What CSV has no text for is written as text writes it.
type Encoder struct {
	w    Writer
	text func(dst []byte, v *vector.Vector, i int) []byte
}

// NewEncoder makes an encoder.
func NewEncoder(o *Options, text func(dst []byte, v *vector.Vector, i int) []byte) *Encoder {
	return &Encoder{Writer{Options: o}, text}
}

// Append appends row i of a struct, which is not null.
func (e *Encoder) Append(dst []byte, v *vector.Vector, i int) []byte {
	w := &e.w
	w.buf = dst
	for c, f := range v.Children {
		if c > 0 {
			w.buf = append(w.buf, w.Separator...)
		}
		t := f.Type
		if f.IsNull(i) || !t.IsNested() && !t.IsInterval() && t.Kind != types.KindCalendar {
			w.value(f, i)
			continue
		}
		w.cell = e.text(w.cell[:0], f, i)
		w.field(w.cell)
	}
	dst, w.buf = w.buf, nil
	return dst
}
