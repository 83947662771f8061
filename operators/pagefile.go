package operators

import (
	"io"
	"os"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/ipc"

	"millrace/errs"
	"millrace/types"
	"millrace/vector"
)

// pageFile is a spill file whose pieces can be read in any order, each of the form of a whole spill file.
type pageFile struct {
	ctx    *Ctx
	types  []*types.Type
	schema *arrow.Schema
	file   *os.File
	ends   []int64
}

func newPageFile(ctx *Ctx, columns []*types.Type) *pageFile {
	return &pageFile{ctx: ctx, types: columns, schema: spillSchema(columns)}
}

func spillSchema(columns []*types.Type) *arrow.Schema {
	fields := make([]types.Field, len(columns))
	for i, t := range columns {
		fields[i] = types.Field{Name: "c", Type: t, Nullable: true}
	}
	return vector.ArrowSchema(fields, "UTC")
}

// Write appends a page and returns its number.
func (f *pageFile) Write(cols []*vector.Vector, n int) (int, error) {
	if f.file == nil {
		file, err := os.CreateTemp(f.ctx.TempDir, "spill-")
		if err != nil {
			return 0, errs.Wrap(err, "make a spill file")
		}
		f.file = file
	}
	frames := newFrameWriter(f.file)
	w := ipc.NewWriter(frames, ipc.WithSchema(f.schema))
	rec := vector.ToArrow(&vector.Batch{Cols: cols, N: n}, f.schema)
	err := w.Write(rec)
	rec.Release()
	if err == nil {
		err = w.Close()
	}
	if err == nil {
		err = frames.flush()
	}
	if err != nil {
		return 0, errs.Wrap(err, "write a spill file")
	}
	f.ends = append(f.ends, f.end(len(f.ends)-1)+frames.written)
	return len(f.ends) - 1, f.ctx.Err()
}

func (f *pageFile) end(i int) int64 {
	if i < 0 {
		return 0
	}
	return f.ends[i]
}

// Read reads a page.
func (f *pageFile) Read(i int) ([]*vector.Vector, error) {
	from := f.end(i - 1)
	r, err := ipc.NewReader(&frameReader{r: io.NewSectionReader(f.file, from, f.ends[i]-from)})
	if err != nil {
		return nil, errs.Wrap(err, "read a spill file")
	}
	defer r.Release()
	rec, err := r.Read()
	if err != nil {
		return nil, errs.Wrap(err, "read a spill file")
	}
	rec.Retain() // its memory is the columns'
	b, err := vector.NewArrowDecoder(f.types).Decode(rec)
	if err != nil {
		return nil, err
	}
	return b.Cols, nil
}

// used reports whether there are pages.
func (f *pageFile) used() bool { return f.file != nil }

// close removes the file and forgets its pages.
func (f *pageFile) close(m *OperatorMetrics) {
	if f.file == nil {
		return
	}
	if m != nil {
		m.SpilledBytes += f.end(len(f.ends) - 1)
	}
	removeFile(f.file)
	f.file, f.ends = nil, nil
}
