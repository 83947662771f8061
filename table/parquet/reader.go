package parquet

import (
	"io"
	"slices"
	"strings"

	"millrace/types"
	"millrace/vector"
)

// ReadColumn is a wanted column.
type ReadColumn struct {
	Name    string
	ID      int32 // the field id to find it by, or 0
	Type    *types.Type
	Default *vector.Vector // one row, for a file that lacks the column; nil: null
}

// ReadOptions say what to read of a file.
type ReadOptions struct {
	Columns       []ReadColumn
	CaseSensitive bool
	Start, Length int64         // the row groups that start in this range; Length 0: all
	Prune         *Prune        // leaves out row groups and pages that cannot hold a wanted row; may be nil
	BatchRows     int           // 0: vector.BatchRows
	Dictionaries  *Dictionaries // where dictionaries are kept between readers; nil: nowhere
	Rebase        Rebase
}

// Reader yields a file's rows in order. It is used by one goroutine; reading ahead is its own affair.
type Reader struct {
	file      *File
	source    io.ReaderAt
	opts      ReadOptions
	fields    []field
	rebase    []*rebaser // of each field; nil: its values are as they are
	used      []int      // ordinals of the leaves that are read
	groups    []int      // row groups to come
	firstRows []int64

	wanted  *Prune       // besides opts.Prune; see Narrow
	pending chan fetched // the next row group's bytes
	current *buffer
	ranges  []rowRange // wanted rows of the current row group, still to be read
	at      int64      // next row of the current row group
	base    int64      // the current row group's first row in the file
	batch   vector.Batch
	rowAt   int64

	Stats ReadStats
}

// ReadStats count what was read and what was left out.
type ReadStats struct{ RowGroups, RowGroupsSkipped, RowsSkipped, BytesRead int64 }

// rowRange is rows [start, end) of a row group.
type rowRange struct{ start, end int64 }

// NewReader begins reading. source is the file's bytes; it must allow reads while Next runs.
func (f *File) NewReader(source io.ReaderAt, opts ReadOptions) (*Reader, error) {
	if opts.BatchRows == 0 {
		opts.BatchRows = vector.BatchRows
	}
	r := &Reader{file: f, source: source, opts: opts}
	for _, want := range opts.Columns {
		fd, err := f.fieldFor(want, opts.CaseSensitive)
		if err != nil {
			return nil, err
		}
		r.fields = append(r.fields, fd)
		var re *rebaser
		if c := find(f.Columns, want.Name, want.ID, opts.CaseSensitive); c != nil {
			re = f.rebaserFor(c, want.Type, opts.Rebase)
		}
		if r.rebase = append(r.rebase, re); re != nil {
			r.opts.Prune = nil // the statistics are of the values in the file
		}
		for _, c := range fd.leaves() {
			c.kept = opts.Dictionaries
			r.used = append(r.used, c.col.leaf)
		}
	}
	r.batch.Cols = make([]*vector.Vector, len(r.fields))
	r.selectGroups()
	r.fetchNext()
	return r, nil
}

// fieldFor finds the wanted column in the file and makes its reader.
func (f *File) fieldFor(want ReadColumn, caseSensitive bool) (field, error) {
	c := find(f.Columns, want.Name, want.ID, caseSensitive)
	if c == nil {
		return &missing{want.Type, want.Default}, nil
	}
	b := fieldBuilder{file: f, column: want.Name, caseSensitive: caseSensitive}
	if c.isLeaf() {
		if want.Type.IsNested() && want.Type.Kind != types.KindUDT {
			return nil, mismatch(f.Path, want.Name, want.Type, c)
		}
		d, err := b.decoder(c, want.Type)
		if err != nil {
			return nil, err
		}
		return &flat{chunk: newChunk(c, d)}, nil
	}
	n, err := b.nested(c, want.Type)
	if err != nil {
		return nil, err
	}
	return &nestedField{root: n, all: n.collect(nil)}, nil
}

// Narrow has the reader leave out, of what it has not begun to read, row groups and pages in which no row may meet the predicate. It may be
// called between two calls of Next, with predicates over the columns of ReadOptions, the last of which counts.
func (r *Reader) Narrow(p *Prune) {
	if !slices.ContainsFunc(r.rebase, func(re *rebaser) bool { return re != nil }) {
		r.wanted = p
	}
}

// find looks a field up by id, if one is wanted and the file has ids, or else by name: the exact one first.
func find(columns []*Column, name string, id int32, caseSensitive bool) *Column {
	if id > 0 {
		numbered := false
		for _, c := range columns {
			if c.ID == id {
				return c
			}
			numbered = numbered || c.ID > 0
		}
		if numbered {
			return nil
		}
	}
	for _, c := range columns {
		if c.Name == name {
			return c
		}
	}
	if !caseSensitive {
		for _, c := range columns {
			if strings.EqualFold(c.Name, name) {
				return c
			}
		}
	}
	return nil
}

type fieldBuilder struct {
	file          *File
	column        string
	caseSensitive bool
}

func (b *fieldBuilder) decoder(c *Column, want *types.Type) (decoder, error) {
	if c.err != nil && want.Kind != types.KindTimestamp && want.Kind != types.KindTimestampNTZ && want.Kind != types.KindLong {
		return decoder{}, c.err
	}
	d, err := decoderFor(c, want)
	if err != nil {
		return d, mismatch(b.file.Path, b.column, want, c)
	}
	return d, nil
}

// nested makes the reader of column c as the wanted type.
func (b *fieldBuilder) nested(c *Column, want *types.Type) (*nested, error) {
	if want.Kind == types.KindUDT {
		want = want.Elem
	}
	if want.Kind == types.KindVariant && !c.isLeaf() {
		return b.variant(c)
	}
	n := &nested{col: c, typ: want}
	if c.isLeaf() {
		d, err := b.decoder(c, want)
		if err != nil {
			return nil, err
		}
		n.leaf = &leafReader{chunk: newChunk(c, d)}
		n.levels = n.leaf
		return n, nil
	}
	if c.Type.Kind != want.Kind {
		return nil, mismatch(b.file.Path, b.column, want, c)
	}
	var err error
	switch want.Kind {
	case types.KindStruct:
		err = b.structFields(n, c, want)
	case types.KindArray:
		err = b.parts(n, c.Children, want.Elem)
	case types.KindMap:
		err = b.parts(n, c.Children, want.Key, want.Elem)
	}
	return n, err
}

func (b *fieldBuilder) parts(n *nested, columns []*Column, want ...*types.Type) error {
	for i, t := range want {
		child, err := b.nested(columns[i], t)
		if err != nil {
			return err
		}
		n.children = append(n.children, child)
	}
	n.levels = n.children[0].levels
	return nil
}

func (b *fieldBuilder) structFields(n *nested, c *Column, want *types.Type) error {
	for _, f := range want.Fields {
		name, id := physicalField(f)
		fc := find(c.Children, name, id, b.caseSensitive)
		if fc == nil {
			n.children = append(n.children, nil)
			continue
		}
		child, err := b.nested(fc, f.Type)
		if err != nil {
			return err
		}
		n.children = append(n.children, child)
		if n.levels == nil {
			n.levels = child.levels
		}
	}
	if n.levels == nil { // no field is wanted that the file has: some leaf still tells which structs are null
		leaf := firstLeaf(c)
		d, err := decoderFor(leaf, leaf.Type)
		if err != nil {
			return leaf.err
		}
		n.levels = &leafReader{chunk: newChunk(leaf, d)}
	}
	return nil
}

func firstLeaf(c *Column) *Column {
	for !c.isLeaf() {
		c = c.Children[0]
	}
	return c
}

// Next returns the next batch, or nil at the end. The batch is overwritten by the next call.
func (r *Reader) Next() (*vector.Batch, error) {
	b, err := r.next()
	if err != nil {
		return nil, readError(r.file.Path, err)
	}
	return b, nil
}

func (r *Reader) next() (*vector.Batch, error) {
	for len(r.ranges) == 0 {
		more, err := r.startGroup()
		if err != nil || !more {
			return nil, err
		}
	}
	rng := &r.ranges[0]
	if gap := rng.start - r.at; gap > 0 {
		for _, f := range r.fields {
			if err := f.skip(int(gap)); err != nil {
				return nil, err
			}
		}
		r.at = rng.start
	}
	n := int(min(int64(r.opts.BatchRows), rng.end-r.at))
	for i, f := range r.fields {
		v, err := f.read(n)
		if err != nil {
			return nil, err
		}
		if re := r.rebase[i]; re != nil {
			if v, err = re.apply(v); err != nil {
				return nil, err
			}
		}
		r.batch.Cols[i] = v
	}
	r.rowAt = r.base + r.at
	r.at += int64(n)
	if rng.start = r.at; rng.start == rng.end {
		r.ranges = r.ranges[1:]
	}
	r.batch.N, r.batch.Sel = n, nil
	return &r.batch, nil
}

// RowIndex is the number, in the file, of the last batch's first row.
func (r *Reader) RowIndex() int64 { return r.rowAt }

// Close ends reading; it waits for a read that is under way.
func (r *Reader) Close() error {
	r.groups = nil
	if r.pending != nil {
		got := <-r.pending
		got.buffer.release()
		r.pending = nil
	}
	r.current.release()
	r.current = nil
	for _, f := range r.fields {
		for _, c := range f.leaves() {
			c.release()
		}
	}
	return nil
}
