package xml

import (
	"millrace/errs"
	"millrace/table/csv"
	"millrace/types"
	"millrace/vector"
)

// InferTexts is the type of texts that hold a document each (nil: null).
func InferTexts(texts [][]byte, o *Options) (*types.Type, error) {
	all := types.Null
	for _, text := range texts {
		if text == nil {
			continue
		}
		switch doc, err := firstElement(text); {
		case err == nil:
			if t := o.infer(doc.top(), true); t.Kind == types.KindStruct {
				all = o.merge(all, t)
			}
		case o.Mode == csv.FailFast:
			return nil, errs.New("MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION", "badRecord", string(text), "failFastMode", "FAILFAST")
		case o.Mode == csv.Permissive:
			all = o.merge(all, structOf(map[string]*types.Type{o.CorruptRecord: types.String}))
		}
	}
	if all.Kind != types.KindStruct {
		return types.Struct(), nil
	}
	return canonical(all), nil
}

// Rows makes rows of texts that hold a document each.
type Rows struct{ p *Parser }

// NewRows begins a column of structs.
func NewRows(t *types.Type, o *Options) (*Rows, error) {
	p, err := NewParser(t, o)
	return &Rows{p}, err
}

// Add appends the row of a text.
func (r *Rows) Add(text []byte) error {
	p := r.p
	doc, err := firstElement(text)
	row := make([]any, len(p.schema.Fields))
	if err == nil {
		row, err = p.o.object(doc.top(), p.schema)
	}
	switch {
	case err == nil:
	case p.o.Mode == csv.FailFast:
		return errs.New("MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION", "badRecord", string(text), "failFastMode", "FAILFAST")
	case p.o.Mode == csv.DropMalformed:
		return nil
	case p.corrupt >= 0:
		row[p.corrupt] = string(text)
	}
	p.rows = append(p.rows, row)
	return nil
}

// Null appends what a null text stands for: a malformed document.
func (r *Rows) Null() error {
	switch r.p.o.Mode {
	case csv.FailFast:
		return errs.New("MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION", "badRecord", "null", "failFastMode", "FAILFAST")
	case csv.Permissive:
		r.p.rows = append(r.p.rows, make([]any, len(r.p.schema.Fields)))
	}
	return nil
}

// Len is the number of rows so far.
func (r *Rows) Len() int { return len(r.p.rows) }

// Columns are the rows so far, of which those of the list count; nil: all.
func (r *Rows) Columns() ([]*vector.Vector, []uint32, error) { return r.p.Vector().Children, nil, nil }
