package checkpoint

import (
	"errors"
	"io"
	"runtime"
	"strings"
	"unsafe"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"

	"millrace/delta"
	"millrace/errs"
)

// Read yields the actions of a checkpoint's file (or of a sidecar). The yielded action is valid during the
// call; what it points to may be kept.
func Read(r io.ReaderAt, size int64, yield func(*delta.Action)) error {
	return ReadFiles(r, size, yield, func(files []*delta.Add) {
		for _, a := range files {
			yield(&delta.Action{Add: a})
		}
	})
}

// ReadFiles is Read, but yields the files that are added many at a time. Row groups are decoded at the same time.
func ReadFiles(r io.ReaderAt, size int64, yield func(*delta.Action), files func([]*delta.Add)) (err error) {
	defer func() { err = recovered(recover(), err) }()
	f, err := parquet.OpenFile(r, size, parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true), parquet.ReadBufferSize(1<<20))
	if err != nil {
		return errs.Newf(errs.Invalid, "%v", err)
	}
	groups := f.RowGroups()
	decoded := make([]chan *batch, len(groups))
	for i := range decoded {
		decoded[i] = make(chan *batch, 1)
	}
	stop := make(chan struct{})
	defer close(stop)
	turns := make(chan struct{}, runtime.GOMAXPROCS(0)) // groups under way or not yet taken
	go func() {
		for i, g := range groups {
			select {
			case turns <- struct{}{}:
			case <-stop:
				return
			}
			go func() { decoded[i] <- decodeGroup(f, i, g) }()
		}
	}()
	for i := range groups {
		b := <-decoded[i]
		<-turns
		if b.err != nil {
			return b.err
		}
		for k := range b.rest {
			yield(&b.rest[k])
		}
		files(b.files)
	}
	return nil
}

// recovered turns a panic over foreign bytes, on which parquet-go panics, into an error.
func recovered(p any, err error) error {
	if p != nil {
		return errs.Newf(errs.Invalid, "%v", p)
	}
	return err
}

// batch is what a row group holds.
type batch struct {
	files []*delta.Add
	rest  []delta.Action
	err   error
}

func decodeGroup(f *parquet.File, i int, g parquet.RowGroup) (b *batch) {
	b = &batch{}
	defer func() { b.err = recovered(recover(), b.err) }()
	b.err = readGroup(f, i, g, b)
	return b
}

func readGroup(f *parquet.File, ordinal int, g parquet.RowGroup, b *batch) error {
	t := &table{columns: map[string]*column{}}
	defer t.close()
	schema, chunks := f.Schema(), g.ColumnChunks()
	meta := f.Metadata().RowGroups[ordinal].Columns
	texts := textsSuffice(schema, meta)
	for _, path := range schema.Columns() {
		name := strings.Join(path, ".")
		if !wanted(name) || texts && strings.HasPrefix(name, "add.stats_parsed.") {
			continue
		}
		leaf, ok := schema.Lookup(path...)
		if !ok {
			continue
		}
		if m := &meta[leaf.ColumnIndex].MetaData; m.Statistics.NullCount == m.NumValues { // nothing is there
			continue
		}
		t.columns[name] = newColumn(chunks[leaf.ColumnIndex], leaf)
		t.columns[name].path = path
	}
	t.find()
	rows := g.NumRows()
	if t.add.path != nil {
		b.files = make([]*delta.Add, 0, rows)
	}
	for range rows {
		if err := t.next(); err != nil {
			return errs.Newf(errs.Invalid, "%v", err)
		}
		switch a := t.action(); {
		case a.Add != nil:
			b.files = append(b.files, a.Add)
		case a != (delta.Action{}):
			b.rest = append(b.rest, a)
		}
	}
	return nil
}

// textsSuffice reports whether all files of a row group have their statistics as JSON.
func textsSuffice(schema *parquet.Schema, meta []format.ColumnChunk) bool {
	nulls := func(name string) int64 {
		leaf, ok := schema.Lookup("add", name)
		if !ok {
			return -1
		}
		return meta[leaf.ColumnIndex].MetaData.Statistics.NullCount
	}
	return nulls("path") >= 0 && nulls("stats") == nulls("path")
}

// wanted leaves out columns that repeat others in another form.
func wanted(name string) bool {
	return !strings.HasPrefix(name, "add.partitionValues_parsed.")
}

// column reads one leaf column row by row.
type column struct {
	pages  parquet.Pages
	page   parquet.Page
	values parquet.ValueReader
	buf    []parquet.Value
	pos, n int
	done   bool
	depth  int // definition level of a value that is there
	leaf   parquet.LeafColumn
	path   []string
	row    []parquet.Value // of the current row
}

func newColumn(chunk parquet.ColumnChunk, leaf parquet.LeafColumn) *column {
	return &column{pages: chunk.Pages(), depth: leaf.MaxDefinitionLevel, leaf: leaf, buf: make([]parquet.Value, 512)}
}

func (c *column) close() {
	if c.page != nil {
		parquet.Release(c.page)
	}
	c.pages.Close()
}

// fill makes sure that there is a value at pos, or sets done.
func (c *column) fill() error {
	for c.pos == c.n && !c.done {
		if c.values != nil {
			n, err := c.values.ReadValues(c.buf)
			if err != nil && !errors.Is(err, io.EOF) {
				return err
			}
			c.pos, c.n = 0, n
			if n > 0 {
				return nil
			}
		}
		if c.page != nil {
			parquet.Release(c.page)
			c.page = nil
		}
		page, err := c.pages.ReadPage()
		if errors.Is(err, io.EOF) {
			c.done = true
			return nil
		}
		if err != nil {
			return err
		}
		c.page, c.values = page, page.Values()
	}
	return nil
}

// next moves to the next row. The values that it keeps may point into the page and are copied when they are used, which
// is before the next call.
func (c *column) next() error {
	c.row = c.row[:0]
	for first := true; ; first = false {
		if c.pos == c.n {
			if len(c.row) > 0 && c.leaf.MaxRepetitionLevel > 0 {
				for i := range c.row { // the row may go on in the next page
					c.row[i] = c.row[i].Clone()
				}
			}
			if err := c.fill(); err != nil {
				return err
			}
			if c.done {
				if first {
					return io.ErrUnexpectedEOF
				}
				return nil
			}
		}
		v := c.buf[c.pos]
		if !first && v.RepetitionLevel() == 0 {
			return nil
		}
		c.row = append(c.row, v)
		c.pos++
		if c.leaf.MaxRepetitionLevel == 0 {
			return nil
		}
	}
}

// arena holds texts that are kept together, so that a million of them are not as many allocations.
type arena struct{ free []byte }

func (a *arena) text(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	if len(b) > len(a.free) {
		a.free = make([]byte, max(64<<10, len(b)))
	}
	n := copy(a.free, b)
	s := unsafe.String(unsafe.SliceData(a.free), n)
	a.free = a.free[n:]
	return s
}

// there reports whether the row has a value that is not null.
func (c *column) there() bool {
	return c != nil && len(c.row) > 0 && c.row[0].DefinitionLevel() == c.depth
}

// text is the row's value, or empty.
func (c *column) text() string {
	if !c.there() {
		return ""
	}
	return string(c.row[0].ByteArray())
}

// bytes is the row's value, valid until the next row, or nil.
func (c *column) bytes() []byte {
	if !c.there() {
		return nil
	}
	return c.row[0].ByteArray()
}

func (c *column) long() int64 {
	if !c.there() {
		return 0
	}
	if c.row[0].Kind() == parquet.Int32 {
		return int64(c.row[0].Int32())
	}
	return c.row[0].Int64()
}

func (c *column) longPtr() *int64 {
	if !c.there() {
		return nil
	}
	v := c.long()
	return &v
}

func (c *column) flag() bool { return c.there() && c.row[0].Boolean() }

// container is the definition level of a list or map that is there, even if empty.
func (c *column) container() int {
	if c.leaf.Node.Optional() {
		return c.depth - 2
	}
	return c.depth - 1
}

// list is the row's strings of a list; nil when the list is null.
func (c *column) list() []string {
	if c == nil || len(c.row) == 0 || c.row[0].DefinitionLevel() < c.container() {
		return nil
	}
	out := make([]string, 0, len(c.row))
	for _, v := range c.row {
		if v.DefinitionLevel() == c.depth {
			out = append(out, string(v.ByteArray()))
		}
	}
	return out
}
