package operators

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/ipc"

	"millrace/operators/expr"
	"millrace/operators/sortkey"
	planpb "millrace/proto/millrace/plan/v1"
	"millrace/types"
	"millrace/vector"
)

// pythonPairs writes the groups of equal keys of two sorted inputs to a process of Python, an empty one where a side has none.
type pythonPairs struct {
	sides [2]*pythonSide
	keys  []sortkey.Key
}

// pythonSide is an input, of which a group comes next.
type pythonSide struct {
	in     Operator
	args   []expr.Evaluator
	schema *arrow.Schema
	keys   []uint32
	starts changes
	rows   int

	ctx   *Ctx
	b     *vector.Batch
	cols  []*vector.Vector
	sel   []uint32
	marks []bool
	at    int
	all   ordinals
}

func newPythonPairs(p *planpb.Operator, in []Operator, s *planpb.Settings) (*pythonPairs, error) {
	pb, o := p.GetPython(), &pythonPairs{}
	for i := range o.sides {
		args, keys := pb.Args, pb.Keys
		if i == 1 {
			args, keys = pb.RightArgs, pb.RightKeys
		}
		side := &pythonSide{in: in[i], keys: keys, rows: int(pb.BatchRows)}
		var err error
		if side.args, err = evaluators(args, side.in.Output(), s); err != nil {
			return nil, err
		}
		columns := p.Children[i].Output
		side.schema = vector.ArrowSchema(pythonFields(args, side.args, columns, true), s.GetTimeZone())
		if side.starts, err = keyChanges(keys, columns, side.in.Output(), s); err != nil {
			return nil, err
		}
		o.sides[i] = side
	}
	for _, k := range o.sides[0].starts.keys {
		o.keys = append(o.keys, sortkey.Key{Type: k.Type, NullsFirst: true})
	}
	return o, nil
}

func (o *pythonPairs) run(ctx *Ctx, begin func() (PythonTask, error)) error {
	l, r := o.sides[0], o.sides[1]
	l.ctx, r.ctx = ctx, ctx
	var task PythonTask
	for {
		left, err := l.more()
		if err != nil {
			return err
		}
		right, err := r.more()
		if err != nil {
			return err
		}
		if !left && !right {
			break
		}
		if task == nil {
			if task, err = begin(); err != nil {
				return err
			}
		}
		if left && right {
			c := o.compare()
			left, right = c <= 0, c >= 0
		}
		if err := putInt(task.Input(), 2); err != nil {
			return writeError{err}
		}
		if err := l.write(task, left); err != nil {
			return err
		}
		if err := r.write(task, right); err != nil {
			return err
		}
	}
	if task == nil {
		return nil
	}
	if err := putInt(task.Input(), 0); err != nil {
		return writeError{err}
	}
	if err := task.End(); err != nil {
		return writeError{err}
	}
	return nil
}

// compare orders the keys of the groups that come next.
func (o *pythonPairs) compare() int {
	at := func(s *pythonSide) ([]*vector.Vector, int) {
		cols := make([]*vector.Vector, len(s.keys))
		for i, k := range s.keys {
			cols[i] = s.b.Cols[k]
		}
		return cols, int(s.sel[s.at])
	}
	a, i := at(o.sides[0])
	b, j := at(o.sides[1])
	return sortkey.Compare(o.keys, a, i, b, j)
}

// more reports whether there are rows, and reads those that come next.
func (s *pythonSide) more() (bool, error) {
	if s.b != nil && s.at < len(s.sel) {
		return true, nil
	}
	var err error
	if s.b, err = s.in.Next(); err != nil || s.b == nil {
		return false, err
	}
	s.cols = s.cols[:0]
	for _, e := range s.args {
		v, err := e.Eval(&s.ctx.Ctx, s.b, s.b.Sel)
		if err != nil {
			return false, err
		}
		s.cols = append(s.cols, v)
	}
	if s.sel, s.at = s.b.Sel, 0; s.sel == nil {
		s.sel = s.all.upTo(s.b.N)
	}
	s.marks, err = s.starts.mark(s.ctx, s.b, s.marks[:0])
	return true, err
}

// write writes the group that comes next as an Arrow stream, or one without rows.
func (s *pythonSide) write(task PythonTask, there bool) error {
	w := ipc.NewWriter(task.Input(), ipc.WithSchema(s.schema))
	rows := vector.NewBuilder(typesOf(s.args))
	send := func() error {
		b := rows.Batch()
		if b == nil {
			b = &vector.Batch{}
			for _, e := range s.args {
				b.Cols = append(b.Cols, vector.NewEmpty(e.Type()))
			}
		}
		rec := vector.ToArrow(b, s.schema)
		err := w.Write(rec)
		rec.Release()
		rows.Reset()
		if err != nil {
			return writeError{err}
		}
		return s.ctx.Err()
	}
	sent := false
	for first := true; there; first = false {
		more, err := s.more()
		if err != nil {
			return err
		}
		if !more || !first && s.marks[s.at] {
			break
		}
		to := s.at + 1
		for to < len(s.sel) && !s.marks[to] && rows.Len()+to-s.at < s.rows {
			to++
		}
		rows.AppendColumns(s.cols, s.sel[s.at:to], s.b.N)
		s.at = to
		if rows.Len() == s.rows {
			if err := send(); err != nil {
				return err
			}
			sent = true
		}
	}
	if !sent || rows.Len() > 0 {
		if err := send(); err != nil {
			return err
		}
	}
	if err := w.Close(); err != nil {
		return writeError{err}
	}
	return nil
}

// keyChanges finds where the values of columns change.
func keyChanges(keys []uint32, columns []*planpb.Column, in []*types.Type, s *planpb.Settings) (changes, error) {
	var list []*planpb.Expr
	for _, k := range keys {
		col := columns[k]
		list = append(list, &planpb.Expr{Type: col.Type, Nullable: col.Nullable, Kind: &planpb.Expr_Column{Column: k}})
	}
	by, err := evaluators(list, in, s)
	return newChanges(by, equalKeys(by)), err
}
