package operators

import (
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/ipc"

	"millrace/operators/expr"
	"millrace/planconv"
	planpb "millrace/proto/millrace/plan/v1"
	"millrace/types"
	"millrace/vector"
)

// pythonFeed writes the rows of its inputs to a process of Python.
type pythonFeed struct {
	pb     *planpb.Python
	in     Operator
	args   []expr.Evaluator
	schema *arrow.Schema
	starts changes // of groups
	row    *types.Type
	rows   int // of a batch

	ctx   *Ctx
	begin func() (PythonTask, error)
	queue *rowQueue
	task  PythonTask
	w     *ipc.Writer // of the stream that is being written
	batch *vector.Builder
	kept  *vector.Builder
	all   ordinals
}

func newPythonFeed(p *planpb.Operator, in []Operator, s *planpb.Settings) (*pythonFeed, error) {
	pb := p.GetPython()
	f := &pythonFeed{pb: pb, in: in[0], rows: int(pb.BatchRows)}
	var err error
	if f.args, err = evaluators(pb.Args, f.in.Output(), s); err != nil {
		return nil, err
	}
	fields := pythonFields(pb.Args, f.args, p.Children[0].Output, pb.Rows != planpb.Python_EACH && pb.Rows != planpb.Python_WINDOWS)
	if pb.Rows == planpb.Python_ALL || arrowGroups[pb.EvalType] { // PySpark's worker takes the columns out of it
		f.row = types.Struct(fields...)
		fields = []types.Field{{Name: "_0", Type: f.row}}
	}
	f.schema = vector.ArrowSchema(fields, s.GetTimeZone())
	f.starts, err = keyChanges(pb.Keys, p.Children[0].Output, f.in.Output(), s)
	return f, err
}

// pythonFields are the columns that functions are given: by their own names where the functions see those.
func pythonFields(args []*planpb.Expr, compiled []expr.Evaluator, columns []*planpb.Column, named bool) []types.Field {
	fields := make([]types.Field, len(args))
	for i, e := range compiled {
		fields[i] = types.Field{Name: fmt.Sprintf("_%d", i), Type: e.Type(), Nullable: true}
		if c, ok := args[i].Kind.(*planpb.Expr_Column); ok && named {
			fields[i].Name, fields[i].Nullable = columns[c.Column].Name, columns[c.Column].Nullable
		}
	}
	return fields
}

// arrowGroups are the kinds of functions for groups that PySpark's worker gives the columns of a struct.
var arrowGroups = map[int32]bool{209: true, 215: true}

// run writes all rows. The process begins with the first one, or always where it is asked for rows of none too.
func (f *pythonFeed) run(ctx *Ctx, begin func() (PythonTask, error), queue *rowQueue, always bool) error {
	f.ctx, f.begin, f.queue = ctx, begin, queue
	f.batch, f.kept = vector.NewBuilder(typesOf(f.args)), vector.NewBuilder(f.in.Output())
	grouped := f.grouped()
	if always {
		if err := f.open(); err != nil {
			return err
		}
	}
	var starts []bool
	for {
		b, err := f.in.Next()
		if err != nil {
			return err
		}
		if b == nil {
			break
		}
		cols := make([]*vector.Vector, len(f.args))
		for i, e := range f.args {
			if cols[i], err = e.Eval(&f.ctx.Ctx, b, b.Sel); err != nil {
				return err
			}
		}
		sel := b.Sel
		if sel == nil {
			sel = f.all.upTo(b.N)
		}
		if !grouped {
			if err := f.add(b, cols, sel); err != nil {
				return err
			}
			continue
		}
		if starts, err = f.starts.mark(f.ctx, b, starts[:0]); err != nil {
			return err
		}
		for from := 0; from < len(sel); {
			to := from + 1
			for to < len(sel) && !starts[to] {
				to++
			}
			if starts[from] {
				if err := f.group(b, sel[from]); err != nil {
					return err
				}
			}
			if err := f.add(b, cols, sel[from:to]); err != nil {
				return err
			}
			from = to
		}
	}
	return f.end(grouped)
}

// grouped reports whether the process is given one stream a group.
func (f *pythonFeed) grouped() bool {
	return f.pb.Rows == planpb.Python_GROUPS || f.pb.Rows == planpb.Python_FOLD || f.pb.Rows == planpb.Python_WINDOWS
}

// keeps reports whether the rows stand beside the results.
func (f *pythonFeed) keeps() bool {
	return f.pb.Rows == planpb.Python_EACH || f.pb.Rows == planpb.Python_WINDOWS
}

// ordinals are 0, 1, 2, …
type ordinals []uint32

func (p *ordinals) upTo(n int) []uint32 {
	for i := len(*p); i < n; i++ {
		*p = append(*p, uint32(i))
	}
	return (*p)[:n]
}

// group ends the group before and begins one with a row.
func (f *pythonFeed) group(b *vector.Batch, row uint32) error {
	if err := f.closeStream(); err != nil {
		return err
	}
	if f.pb.Rows == planpb.Python_FOLD {
		keys := &vector.Batch{N: 1, Cols: make([]*vector.Vector, len(f.pb.Keys))}
		for i, k := range f.pb.Keys {
			keys.Cols[i] = vector.NewEmpty(b.Cols[k].Type)
			keys.Cols[i].Append(b.Cols[k], []uint32{row})
		}
		if err := f.queue.put(keys); err != nil {
			return err
		}
	}
	if err := f.open(); err != nil {
		return err
	}
	return nil
}

// add appends rows to the batch that is being made and sends it when it is full.
func (f *pythonFeed) add(b *vector.Batch, cols []*vector.Vector, sel []uint32) error {
	for len(sel) > 0 {
		n := min(len(sel), f.rows-f.pending())
		if len(f.args) == 0 || f.keeps() {
			f.kept.AppendColumns(b.Cols, sel[:n], b.N)
		}
		if len(f.args) > 0 {
			f.batch.AppendColumns(cols, sel[:n], b.N)
		}
		sel = sel[n:]
		if f.pending() == f.rows {
			if err := f.send(); err != nil {
				return err
			}
		}
	}
	return f.ctx.Err()
}

func (f *pythonFeed) pending() int { return max(f.batch.Len(), f.kept.Len()) }

// open makes sure that there is a process and a stream to it.
func (f *pythonFeed) open() error {
	if f.task == nil {
		task, err := f.begin()
		if err != nil {
			return err
		}
		f.task = task
	}
	if f.w != nil {
		return nil
	}
	if f.grouped() {
		if err := putInt(f.task.Input(), 1); err != nil {
			return writeError{err}
		}
	}
	f.w = ipc.NewWriter(f.task.Input(), ipc.WithSchema(f.schema))
	return nil
}

// send writes the batch that was gathered.
func (f *pythonFeed) send() error {
	n := f.pending()
	if n == 0 {
		return nil
	}
	if kept := f.kept.Take(); kept != nil && f.keeps() { // before anything can be answered
		if err := f.queue.put(kept); err != nil {
			return err
		}
	}
	if err := f.open(); err != nil {
		return err
	}
	b := f.batch.Batch()
	if b == nil {
		b = &vector.Batch{N: n}
	}
	if f.row != nil {
		cols := make([]*vector.Vector, len(b.Cols))
		for i, c := range b.Cols {
			plain := *c
			if cols[i] = &plain; c.Dict != nil || c.Const {
				flat := vector.NewEmpty(c.Type)
				flat.AppendPlain(vector.Slice(c, 0, n), nil)
				cols[i] = flat
			}
		}
		b = &vector.Batch{N: n, Cols: []*vector.Vector{{Type: f.row, Len: n, Children: cols}}}
	}
	rec := vector.ToArrow(b, f.schema)
	err := f.w.Write(rec)
	rec.Release()
	f.batch.Reset()
	if err == nil {
		err = f.task.Input().Flush()
	}
	if err != nil {
		return writeError{err}
	}
	return nil
}

// closeStream sends what is left and ends the stream, if there is one.
func (f *pythonFeed) closeStream() error {
	if err := f.send(); err != nil {
		return err
	}
	if f.w == nil {
		return nil
	}
	err := f.w.Close()
	f.w = nil
	if err != nil {
		return writeError{err}
	}
	return nil
}

func (f *pythonFeed) end(grouped bool) error {
	if err := f.closeStream(); err != nil {
		return err
	}
	if f.task == nil {
		return nil
	}
	if grouped {
		if err := putInt(f.task.Input(), 0); err != nil {
			return writeError{err}
		}
	}
	if err := f.task.End(); err != nil {
		return writeError{err}
	}
	return nil
}

// PythonInput is Spark's JSON of the type of a row of arguments.
func PythonInput(pb *planpb.Python) string {
	fields := make([]types.Field, len(pb.Args))
	for i, a := range pb.Args {
		fields[i] = types.Field{Name: fmt.Sprintf("_%d", i), Type: planconv.Type(a.Type), Nullable: true}
	}
	return types.Struct(fields...).JSON()
}
