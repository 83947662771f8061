package csv

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strings"
	"unicode/utf8"

	"millrace/errs"
	"millrace/table/internal/lines"
	"millrace/types"
	"millrace/vector"
)

// Column is a wanted column.
type Column struct {
	Name  string
	Place int // in the file's records; -1 for one that they do not have
	Type  *types.Type
}

// Reader yields the records of one file, or of a part of it.
type Reader struct {
	*Options
	path    string
	places  int // values of a well-formed record; 0: any number
	columns []*column
	corrupt int // the wanted column for malformed records, or -1
	tokens  *tokenizer
	empty   []byte

	in    *lines.Reader // nil in multi-line mode
	src   lines.Source
	block []byte
	pos   int
	first bool // nothing was read yet
	names []string

	spans    []span // the records' texts
	isBad    []bool
	anyBad   bool
	batch    vector.Batch
	sel      []uint32
	records  vector.Vector
	finished bool
	draw     func() bool // whether a line is looked at; nil: all are
}

// NewReader begins to read. places is the number of columns of the file's schema; names are theirs, to check headers by.
func NewReader(src lines.Source, o *Options, columns []Column, names []string) (*Reader, error) {
	src.Encoding = o.Encoding
	r := &Reader{Options: o, path: src.Path, src: src, corrupt: -1, first: true, empty: []byte(o.Empty), names: names}
	want := make([]int32, len(names))
	for i := range want {
		want[i] = -1
	}
	wanted := 0
	for i, c := range columns {
		col, err := newColumn(c.Name, c.Type)
		if err != nil {
			return nil, err
		}
		r.columns = append(r.columns, col)
		switch {
		case c.Place >= 0 && c.Place < len(want):
			want[c.Place] = int32(i)
			wanted++
		case strings.EqualFold(c.Name, o.CorruptRecord):
			r.corrupt = i
		}
	}
	if wanted == len(names) {
		r.places = len(names) // Spark checks the number of values only when it reads all columns
	}
	r.tokens = newTokenizer(o, want, len(columns))
	r.batch.Cols = make([]*vector.Vector, len(columns))
	if o.MultiLine {
		return r, nil
	}
	var err error
	r.in, err = lines.NewReader(src, o.LineSeparator)
	return r, r.failed(err)
}

// failed is Spark's error for a file that cannot be read.
func (r *Reader) failed(err error) error {
	var e *errs.Error
	if err == nil || errors.As(err, &e) && e.Condition != "MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION" || errs.Is(err, errs.Cancelled) {
		return err
	}
	f := errs.New("FAILED_READ_FILE.NO_HINT", "path", r.path)
	f.Cause = err
	return f
}

// special are the words for floats that are no numbers.
func (r *Reader) special(s string) (float64, bool) {
	switch s {
	case r.NaN:
		return math.NaN(), true
	case r.PositiveInf:
		return math.Inf(1), true
	case r.NegativeInf:
		return math.Inf(-1), true
	}
	return 0, false
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
	for {
		if r.pos >= len(r.block) {
			more, err := r.nextBlock()
			if err != nil || !more {
				return nil, r.failed(err)
			}
		}
		if err := r.cut(); err != nil {
			return nil, r.failed(err)
		}
		if len(r.spans) == 0 {
			continue
		}
		b, err := r.convert()
		if err != nil {
			return nil, r.failed(err)
		}
		if b.Rows() > 0 {
			return b, nil
		}
	}
}

func (r *Reader) nextBlock() (bool, error) {
	if r.finished {
		return false, nil
	}
	var err error
	if r.MultiLine {
		r.finished = true
		if r.src.Start > 0 {
			return false, nil // whoever has the beginning reads it all
		}
		r.block, err = lines.All(r.src)
	} else if r.block, err = r.in.Block(); r.block == nil {
		return false, err
	}
	r.pos = 0
	if err == nil && len(r.block) > maxBlock {
		err = errs.Newf(errs.Invalid, "the multi-line file %s has more than 2 GiB", r.path)
	}
	if r.first && r.src.Start == 0 {
		r.block = bytes.TrimPrefix(r.block, []byte("\xef\xbb\xbf"))
	}
	if !utf8.Valid(r.block) {
		r.block = lines.Repaired(r.block)
	}
	return err == nil, err
}

// cut fills the tokenizer's cells with the records of the next batch.
func (r *Reader) cut() error {
	r.tokens.reset()
	r.spans, r.isBad, r.anyBad = r.spans[:0], r.isBad[:0], false
	for r.pos < len(r.block) && len(r.spans) < vector.BatchRows {
		start := r.pos
		end := len(r.block)
		if !r.MultiLine {
			line, n := r.in.Line(r.block[r.pos:])
			end = start + len(line)
			r.pos += n
			drawn := r.draw == nil || r.draw()
			if r.ignored(line) || !drawn && !(r.Header && r.first && r.src.Start == 0) {
				continue
			}
		} else if r.skipLine() {
			continue
		}
		next := r.tokens.record(r.block, start, end)
		if r.tokens.err != nil {
			return r.tokens.err
		}
		if r.MultiLine {
			r.pos, end = next, r.recordEnd(start, next)
		}
		if r.first && r.src.Start == 0 {
			r.first = false
			if r.Header {
				if err := r.checkHeader(r.block[start:end]); err != nil {
					return err
				}
				r.tokens.reset()
				continue
			}
		}
		if r.tokens.count > r.MaxColumns {
			return errs.Newf(errs.Invalid, "a record has %d columns; the option maxColumns allows %d", r.tokens.count, r.MaxColumns)
		}
		r.spans = append(r.spans, span{int32(start), int32(end - start)})
		r.isBad = append(r.isBad, false)
		if r.places > 0 && r.tokens.count != r.places {
			r.malformed(len(r.spans) - 1)
		}
	}
	return nil
}

// ignored lines are blank or comments.
func (r *Reader) ignored(line []byte) bool {
	return r.Comment != 0 && len(line) > 0 && line[0] == r.Comment || len(bytes.TrimSpace(line)) == 0
}

// skipLine passes over a blank line or comment in multi-line mode.
func (r *Reader) skipLine() bool {
	if n := r.tokens.lineBreak(r.block, r.pos, len(r.block)); n > 0 {
		r.pos += n
		return true
	}
	if r.Comment == 0 || r.block[r.pos] != r.Comment {
		return false
	}
	for r.pos < len(r.block) && r.tokens.lineBreak(r.block, r.pos, len(r.block)) == 0 {
		r.pos++
	}
	return true
}

// recordEnd is where a record's text ends without its line break.
func (r *Reader) recordEnd(start, next int) int {
	for next > start && (r.block[next-1] == '\n' || r.block[next-1] == '\r') {
		next--
	}
	return next
}

// checkHeader compares a header with the schema, when the schema is not to be enforced.
func (r *Reader) checkHeader(line []byte) error {
	if r.EnforceSchema {
		return nil
	}
	names := splitRecord(line, r.Options)
	for i, n := range names {
		if i < len(r.names) && !strings.EqualFold(n, r.names[i]) || len(names) != len(r.names) {
			return fmt.Errorf("CSV header does not conform to the schema.\n Header: %s\n Schema: %s\nCSV file: %s",
				strings.Join(names, ", "), strings.Join(r.names, ", "), r.path)
		}
	}
	return nil
}

// splitRecord is a record's values as strings, for headers and inference.
func splitRecord(line []byte, o *Options) []string {
	all := make([]int32, o.MaxColumns)
	for i := range all {
		all[i] = int32(i)
	}
	t := newTokenizer(o, all[:0], 0)
	var names []string
	for pos := 0; ; {
		c, next, more := t.value(line, pos, len(line))
		if c.n == missing {
			names = append(names, "")
		} else {
			names = append(names, string(t.bytes(line, c)))
		}
		if pos = next; !more {
			return names
		}
	}
}

func (r *Reader) malformed(i int) { r.isBad[i], r.anyBad = true, true }

// convert parses the cells into vectors.
func (r *Reader) convert() (*vector.Batch, error) {
	n := len(r.spans)
	for i, c := range r.columns {
		c.start(n)
		if cells := r.tokens.cells[i]; len(cells) == n {
			c.parse(r, c, cells)
		} else if i != r.corrupt {
			for k := range n {
				c.null(k)
			}
			clear(c.out.Offsets)
		}
		r.batch.Cols[i] = &c.out
	}
	r.batch.N, r.batch.Sel = n, nil
	if r.corrupt >= 0 {
		r.batch.Cols[r.corrupt] = r.corruptRecords(n)
	}
	if !r.anyBad {
		return &r.batch, nil
	}
	switch r.Mode {
	case FailFast:
		return nil, r.failFast()
	case DropMalformed:
		r.sel = r.sel[:0]
		for i, bad := range r.isBad {
			if !bad {
				r.sel = append(r.sel, uint32(i))
			}
		}
		r.batch.Sel = r.sel
		if r.sel == nil {
			r.batch.Sel = []uint32{}
		}
	}
	return &r.batch, nil
}

// corruptRecords is the column of malformed records' texts.
func (r *Reader) corruptRecords(n int) *vector.Vector {
	v := &r.records
	v.Reset(types.String, n)
	for i, s := range r.spans {
		if r.isBad[i] {
			v.AppendStr(i, r.block[s.off:s.off+s.n])
		} else {
			v.AppendStr(i, nil)
			v.SetNull(i)
		}
	}
	return v
}

func (r *Reader) failFast() error {
	for i, bad := range r.isBad {
		if bad {
			s := r.spans[i]
			return errs.New("MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION", "badRecord", string(r.block[s.off:s.off+s.n]), "failFastMode", "FAILFAST")
		}
	}
	return nil
}
