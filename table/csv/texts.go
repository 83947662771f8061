package csv

import (
	"bytes"

	"millrace/table/internal/lines"
	"millrace/types"
	"millrace/vector"
)

// Rows makes rows of texts that hold a record each, as a file's lines are read.
type Rows struct {
	p      *Parser
	header []byte // texts like this are none; nil: all are
	block  []byte
	ends   []int
}

// NewRows begins a column of structs. The header is the text that is one, if there is one.
func NewRows(t *types.Type, o *Options, header []byte) (*Rows, error) {
	own := *o
	own.MultiLine = true // a text's first record may have line breaks, and ends at one
	p, err := NewParser(t, &own)
	if err != nil {
		return nil, err
	}
	p.r.names = nil
	for i, f := range t.Fields {
		if i != p.r.corrupt {
			p.r.names = append(p.r.names, f.Name)
		}
	}
	if header != nil {
		p.r.path = "texts"
		err = p.r.checkHeader(header)
	}
	return &Rows{p: p, header: header}, err
}

// Add appends the row of a text: none of a blank one, a comment or a header.
func (r *Rows) Add(text []byte) error {
	if r.p.r.ignored(text) || r.header != nil && bytes.Equal(text, r.header) {
		return nil
	}
	r.block = append(r.block, lines.Repaired(text)...)
	r.ends = append(r.ends, len(r.block))
	return nil
}

// Null appends nothing.
func (r *Rows) Null() error { return nil }

// Len is the number of rows so far.
func (r *Rows) Len() int { return len(r.ends) }

// Columns are the rows so far, of which those of the list count; nil: all.
func (r *Rows) Columns() ([]*vector.Vector, []uint32, error) {
	r.p.Begin(r.block)
	start := 0
	for _, end := range r.ends {
		r.p.Add(start, end)
		start = end
	}
	b, err := r.p.r.convert()
	if err != nil {
		return nil, nil, err
	}
	return b.Cols, b.Sel, nil
}
