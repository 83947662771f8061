package json

import (
	"bytes"

	"millrace/errs"
	"millrace/table/csv"
	"millrace/types"
	"millrace/vector"
)

// Rows makes rows of texts that hold a record each, as a file's lines are read.
type Rows struct{ r *Reader }

// NewRows begins a column of structs.
func NewRows(t *types.Type, o *Options, caseSensitive bool) (*Rows, error) {
	if o.VariantColumn != "" {
		return nil, errs.Unsupportedf("The option singleVariantColumn is not supported where a DataFrame of texts is read.")
	}
	r := &Reader{scanner: scanner{Options: o}, path: "texts", corrupt: -1, caseSensitive: caseSensitive, exact: true}
	if _, i := t.Field(o.CorruptRecord, false); i >= 0 {
		r.corrupt = i
	}
	var err error
	r.root, err = newBuilder("", t)
	return &Rows{r}, err
}

// Add appends the rows of a text: none of a blank one.
func (r *Rows) Add(text []byte) error {
	if len(bytes.TrimSpace(text)) == 0 {
		return nil
	}
	return r.r.add(text)
}

// Null appends what a null text stands for: a malformed record.
func (r *Rows) Null() error {
	switch r.r.Mode {
	case csv.FailFast:
		return errs.New("MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION", "badRecord", "null", "failFastMode", "FAILFAST")
	case csv.Permissive:
		r.r.nullRow()
	}
	return nil
}

// Len is the number of rows so far.
func (r *Rows) Len() int { return r.r.root.n }

// Columns are the rows so far, of which those of the list count; nil: all.
func (r *Rows) Columns() ([]*vector.Vector, []uint32, error) {
	return r.r.root.vector().Children, nil, nil
}
