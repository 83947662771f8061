package xml

import (
	"bytes"
	"errors"
	"io"
	"strings"

	"millrace/errs"
	"millrace/planconv"
	"millrace/table/csv"
	"millrace/table/internal/lines"
	"millrace/types"
	"millrace/vector"
)

// Column is a wanted column.
type Column struct {
	Name    string
	Type    *types.Type
	Corrupt bool // the column for malformed records
}

// Reader yields the rows of a file: of its elements of the row tag, or of its lines, each of which is a document.
type Reader struct {
	o       *Options
	src     lines.Source
	schema  *types.Type
	columns []Column
	corrupt int // place of the column for malformed records; -1: none
	scan    *rowScanner
	close   func() error
	in      *lines.Reader // of lines
	block   []byte
	whole   []byte // the file's text, once it is wanted
	batch   vector.Batch
}

// NewReader begins to read.
func NewReader(src lines.Source, o *Options, columns []Column) (*Reader, error) {
	src.Encoding = o.Encoding
	r := &Reader{o: o, src: src, columns: columns, corrupt: -1, schema: types.Struct(), close: func() error { return nil }}
	for i, c := range columns {
		if c.Corrupt {
			r.corrupt = i
			c.Name, c.Type = "\x00", types.String // no element has that name
		}
		r.schema.Fields = append(r.schema.Fields, types.Field{Name: c.Name, Type: c.Type, Nullable: true})
	}
	if err := check(r.schema); err != nil {
		return nil, err
	}
	var err error
	if o.Lines {
		r.in, err = lines.NewReader(src, nil)
		if err == nil {
			r.close = r.in.Close
		}
		return r, r.failed(err)
	}
	var in io.Reader = strings.NewReader("")
	if src.Start == 0 { // whoever has the beginning reads it all
		in, r.close, err = src.Text()
	}
	r.scan = newRowScanner(in, o)
	return r, r.failed(err)
}

func (r *Reader) failed(err error) error {
	var e *errs.Error
	if err == nil || errors.As(err, &e) && e.Condition != "MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION" || errs.Is(err, errs.Cancelled) {
		return err
	}
	f := errs.New("FAILED_READ_FILE.NO_HINT", "path", r.src.Path)
	f.Cause = err
	return f
}

// RowIndex is not known for text.
func (r *Reader) RowIndex() int64 { return 0 }

// Close ends reading.
func (r *Reader) Close() error { return r.close() }

// next returns the next row's element, or nil at the end; after errDocument record is the malformed record's text.
func (r *Reader) next() (n *node, record func() (string, error), err error) {
	if r.scan != nil {
		n, err = r.scan.next()
		return n, r.text, err
	}
	for len(r.block) == 0 {
		if r.block, err = r.in.Block(); err != nil || r.block == nil {
			return nil, nil, err
		}
	}
	line, k := r.in.Line(r.block)
	r.block = r.block[k:]
	n, err = first(line)
	return n, func() (string, error) { return string(line), nil }, err
}

// text is the file's text, which Spark has as the record of every malformed row in it.
func (r *Reader) text() (string, error) {
	if r.whole == nil {
		data, err := lines.All(r.src)
		if err != nil {
			return "", err
		}
		r.whole = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	}
	return string(r.whole), nil
}

// Next returns the next batch, or nil at the end.
func (r *Reader) Next() (*vector.Batch, error) {
	var rows []any
	for len(rows) < vector.BatchRows {
		n, record, err := r.next()
		if n == nil && err == nil {
			break
		}
		row := make([]any, len(r.columns))
		if err == nil {
			row, err = r.o.object(n, r.schema)
		}
		if err != nil {
			keep, err := r.malformed(err, row, record)
			if err != nil {
				return nil, r.failed(err)
			}
			if !keep {
				continue
			}
		}
		rows = append(rows, row)
	}
	if len(rows) == 0 {
		return nil, nil
	}
	r.batch.Cols, r.batch.N = planconv.FromValues(r.schema, rows).Children, len(rows)
	return &r.batch, nil
}

// malformed deals with a record by the mode: it may fail, be left out, or be a row with its text.
func (r *Reader) malformed(cause error, row []any, record func() (string, error)) (keep bool, err error) {
	if !errors.Is(cause, errDocument) && !errors.Is(cause, errValue) {
		return false, cause
	}
	switch r.o.Mode {
	case csv.FailFast:
		text, err := record()
		if err != nil {
			return false, err
		}
		return false, errs.New("MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION", "badRecord", text, "failFastMode", "FAILFAST")
	case csv.DropMalformed:
		return false, nil
	}
	if r.corrupt >= 0 {
		text, err := record()
		if err != nil {
			return false, err
		}
		row[r.corrupt] = text
	}
	return true, nil
}

// Infer finds the schema of files from all of their rows: fields in order of their names, and the column for malformed rows if there is one in permissive mode.
func Infer(files []lines.Source, o *Options) (*types.Type, error) {
	if err := o.CheckSample(); err != nil {
		return nil, err
	}
	all := types.Null
	for _, f := range files {
		t, err := inferFile(f, o)
		if err != nil {
			return nil, err
		}
		all = o.merge(all, t)
	}
	if all.Kind != types.KindStruct {
		return types.Struct(), nil
	}
	return canonical(all), nil
}

func inferFile(f lines.Source, o *Options) (*types.Type, error) {
	r, err := NewReader(f, o, nil)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	all := types.Null
	for {
		n, record, err := r.next()
		switch {
		case err == nil && n == nil:
			return all, nil
		case err == nil:
			if t := o.infer(n, true); t.Kind == types.KindStruct {
				all = o.merge(all, t)
			}
			continue
		case !errors.Is(err, errDocument):
			return nil, r.failed(err)
		case o.Mode == csv.FailFast:
			text, err := record()
			if err == nil {
				err = errs.New("MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION", "badRecord", text, "failFastMode", "FAILFAST")
			}
			return nil, err
		case o.Mode == csv.Permissive:
			all = o.merge(all, structOf(map[string]*types.Type{o.CorruptRecord: types.String}))
		}
	}
}
