package table

import (
	"errors"

	"github.com/RoaringBitmap/roaring/v2/roaring64"

	"millrace/errs"
	"millrace/operators"
	planpb "millrace/proto/millrace/plan/v1"
	"millrace/types"
	"millrace/vector"
)

// What becomes of a row, as the first column of a sink of changes says.
const (
	rowGoes  = 1
	rowComes = 2
)

// The kinds of rows that a sink of changes gives.
const (
	writtenData = iota
	writtenImages
	goneRowsOf
	countOf
)

// changeHead is the number of columns before those of rows: what becomes of it, and where the row that goes is.
const changeHead = 3

var changeOutput = append(append([]*types.Type(nil), sinkOutput...), types.Integer, types.Integer, types.Binary)

// changeSink is a sink whose input says which rows of a table go and which come, as planpb.RowChanges describes it. What comes is written into
// data files, what goes is remembered by file and number, both are written as images for the change data feed.
type changeSink struct {
	plan   *planpb.FileSink
	input  operators.Operator
	data   *sink // nil where no rows come
	images *sink // nil without a change data feed
	ctx    *operators.Ctx

	width    int // of the row that comes
	imaged   int // columns of an image, without what happened
	gone     map[int32]*goneRows
	last     *goneRows
	lastFile int32
	counts   map[int32]int64
	held     int64

	comes, goes, both, arrives []uint32
	kinds                      [4]vector.Vector // of images, each a constant
	done                       bool
}

// goneRows are the rows of one file that go.
type goneRows struct {
	rows  *roaring64.Bitmap
	twice int64 // how often one went that had gone already
	n     int64
}

var imageKinds = [4]string{"delete", "insert", "update_preimage", "update_postimage"}

func newChangeSink(plan *planpb.FileSink, columns []*planpb.Column, input operators.Operator, env Env) (operators.Operator, error) {
	c := plan.Changes
	s := &changeSink{plan: plan, input: input, width: int(c.Columns), gone: map[int32]*goneRows{}, counts: map[int32]int64{}, lastFile: -1}
	want := changeHead + s.width
	var err error
	if c.OldImages {
		want += len(c.Images.GetColumns()) - 1
	}
	if len(columns) != want {
		return nil, errs.Newf(errs.Internal, "a sink of changes has %d columns and should have %d", len(columns), want)
	}
	if s.width > 0 {
		if s.data, err = newFileSink(plan, columns[changeHead:changeHead+s.width], nil, env); err != nil {
			return nil, err
		}
	}
	if c.Images != nil {
		s.imaged = len(c.Images.Columns) - 1
		from := columns[changeHead : changeHead+s.imaged]
		kind := &planpb.Column{Name: "_change_type", Type: &planpb.Type{Kind: uint32(types.KindString)}}
		if s.images, err = newFileSink(c.Images, append(from[:len(from):len(from)], kind), nil, env); err != nil {
			return nil, err
		}
		for i, name := range imageKinds {
			s.kinds[i].Reset(types.String, 1)
			s.kinds[i].AppendStr(0, []byte(name))
			s.kinds[i].Const = true
		}
	}
	return s, nil
}

func (s *changeSink) Output() []*types.Type { return changeOutput }

func (s *changeSink) Open(ctx *operators.Ctx) error {
	s.ctx = ctx
	for _, f := range s.files() {
		if err := f.openStore(ctx); err != nil {
			return err
		}
	}
	return s.input.Open(ctx)
}

func (s *changeSink) files() (list []*sink) {
	for _, f := range []*sink{s.data, s.images} {
		if f != nil {
			list = append(list, f)
		}
	}
	return list
}

func (s *changeSink) Next() (*vector.Batch, error) {
	if s.done {
		return nil, nil
	}
	s.done = true
	for {
		b, err := s.input.Next()
		if err != nil {
			return nil, err
		}
		if b == nil {
			break
		}
		if err := s.write(b); err != nil {
			return nil, err
		}
	}
	for _, f := range s.files() {
		if err := f.closeFiles(); err != nil {
			return nil, err
		}
	}
	out, err := s.report()
	if err != nil || out.N == 0 {
		return nil, err
	}
	for _, f := range s.files() {
		f.success = true
	}
	return out, nil
}

// write takes a batch apart by what becomes of its rows.
func (s *changeSink) write(b *vector.Batch) error {
	s.comes, s.goes, s.both, s.arrives = s.comes[:0], s.goes[:0], s.both[:0], s.arrives[:0]
	if err := s.sort(b); err != nil {
		return err
	}
	if s.data != nil && len(s.comes) > 0 {
		if err := s.data.write(&vector.Batch{Cols: b.Cols[changeHead : changeHead+s.width], N: b.N, Sel: s.comes}); err != nil {
			return err
		}
	}
	if s.images == nil {
		return nil
	}
	fresh := b.Cols[changeHead : changeHead+s.imaged] // where no rows come they are not asked for
	old := b.Cols[changeHead+s.width:]
	for i, part := range []struct {
		cols []*vector.Vector
		sel  []uint32
	}{{old, s.goes}, {fresh, s.arrives}, {old, s.both}, {fresh, s.both}} {
		if len(part.sel) == 0 {
			continue
		}
		s.kinds[i].Len = b.N
		cols := append(part.cols[:len(part.cols):len(part.cols)], &s.kinds[i])
		if err := s.images.write(&vector.Batch{Cols: cols, N: b.N, Sel: part.sel}); err != nil {
			return err
		}
	}
	return nil
}

// sort marks the rows that go and lists those that come, that only go, that do both, and that only come.
func (s *changeSink) sort(b *vector.Batch) error {
	for k := range b.Rows() {
		i := k
		if b.Sel != nil {
			i = int(b.Sel[k])
		}
		if b.Cols[0].IsNull(i) {
			return errs.Newf(errs.Internal, "a row of which nothing becomes")
		}
		op := intIn[int32](b.Cols[0], i)
		if op&rowGoes != 0 {
			if b.Cols[1].IsNull(i) || b.Cols[2].IsNull(i) {
				return errs.Newf(errs.Internal, "a row goes of which the place is not known")
			}
			if !s.mark(intIn[int32](b.Cols[1], i), intIn[int64](b.Cols[2], i)) {
				continue
			}
		}
		s.counts[op]++
		switch op & (rowGoes | rowComes) {
		case rowGoes:
			s.goes = append(s.goes, uint32(i))
		case rowComes:
			s.arrives, s.comes = append(s.arrives, uint32(i)), append(s.comes, uint32(i))
		case rowGoes | rowComes:
			s.both, s.comes = append(s.both, uint32(i)), append(s.comes, uint32(i))
		}
	}
	return s.reserve()
}

// mark notes that a row goes; false if it had gone already.
func (s *changeSink) mark(file int32, row int64) bool {
	if s.last == nil || s.lastFile != file {
		s.lastFile, s.last = file, s.gone[file]
		if s.last == nil {
			s.last = &goneRows{rows: roaring64.New()}
			s.gone[file] = s.last
		}
	}
	if !s.last.rows.CheckedAdd(uint64(row)) {
		s.last.twice++
		return false
	}
	s.last.n++
	return true
}

// bytes bounds what a bitmap of n numbers takes: two bytes each, and no more than a bit for each row of a file of a usual size.
func (g *goneRows) bytes() int64 {
	return min(2*g.n, int64(g.rows.Maximum()/8)+1<<14) + 256
}

// reserve asks for the memory that the bitmaps take, in coarse steps.
func (s *changeSink) reserve() error {
	if s.ctx.Memory == nil {
		return nil
	}
	var need int64
	for _, g := range s.gone {
		if g.n > 0 {
			need += g.bytes()
		}
	}
	const step, free = 256 << 10, 64 << 10
	if need <= s.held+free {
		return nil
	}
	want := (need - s.held + step - 1) / step * step
	if err := s.ctx.Memory.Reserve(want); err != nil {
		return err
	}
	s.held += want
	return nil
}

// intIn is a number in a vector that may be constant or a dictionary.
func intIn[T int32 | int64](v *vector.Vector, i int) T {
	i = v.Row(i)
	if v.Dict != nil {
		v, i = v.Dict, int(vector.Codes(v)[i])
	}
	return vector.Values[T](v)[i]
}

// changed is a row of the report.
type changed struct {
	written
	kind, file int32
	rows       []byte
}

func (s *changeSink) report() (*vector.Batch, error) {
	var list []changed
	for kind, f := range []*sink{s.data, s.images} {
		if f == nil {
			continue
		}
		for _, w := range f.files {
			list = append(list, changed{written: w, kind: int32(kind)})
		}
	}
	for file, g := range s.gone {
		g.rows.RunOptimize()
		text, err := g.rows.ToBytes()
		if err != nil {
			return nil, errs.Wrap(err, "encode the rows of file %d", file)
		}
		list = append(list, changed{written: written{bytes: g.twice}, kind: goneRowsOf, file: file, rows: text})
	}
	for op, n := range s.counts {
		list = append(list, changed{written: written{rows: n}, kind: countOf, file: op})
	}
	out := reportOf(len(list), func(i int) *written { return &list[i].written })
	kinds, files, rows := make([]int32, len(list)), make([]int32, len(list)), make([]string, len(list))
	for i := range list {
		kinds[i], files[i], rows[i] = list[i].kind, list[i].file, string(list[i].rows)
	}
	out.Cols = append(out.Cols, vector.FromSlice(types.Integer, kinds), vector.FromSlice(types.Integer, files), vector.FromStrings(types.Binary, rows, nil))
	return out, nil
}

func (s *changeSink) Close() error {
	err := s.input.Close()
	for _, f := range s.files() {
		err = errors.Join(err, f.abandon())
	}
	if s.held > 0 {
		s.ctx.Memory.Release(s.held)
		s.held = 0
	}
	return err
}

var _ operators.Operator = (*changeSink)(nil)
