package operators

import (
	"bytes"
	"math"

	"github.com/apache/arrow-go/v18/arrow/ipc"

	"millrace/errs"
	"millrace/operators/expr"
	planpb "millrace/proto/millrace/plan/v1"
	"millrace/types"
	"millrace/vector"
)

// values emits the rows of an Arrow IPC stream that is part of the plan.
type values struct {
	arrow  []byte
	types  []*types.Type
	reader *ipc.Reader
	dec    *vector.ArrowDecoder
	batch  *vector.Batch
	at     int
}

func newValues(arrow []byte, out []*types.Type) *values { return &values{arrow: arrow, types: out} }

func (o *values) Output() []*types.Type { return o.types }

func (o *values) Open(ctx *Ctx) error {
	if len(o.arrow) == 0 || ctx.Partition > 0 { // the rows are there once, however many tasks run a union of them and others
		return nil
	}
	r, err := ipc.NewReader(bytes.NewReader(o.arrow))
	if err != nil {
		return errs.Wrap(err, "read a plan's rows")
	}
	o.reader, o.dec = r, vector.NewArrowDecoder(o.types)
	return nil
}

func (o *values) Next() (*vector.Batch, error) {
	for o.batch == nil || o.at == o.batch.N {
		if o.reader == nil || !o.reader.Next() {
			if o.reader != nil && o.reader.Err() != nil {
				return nil, errs.Wrap(o.reader.Err(), "read a plan's rows")
			}
			return nil, nil
		}
		b, err := o.dec.Decode(o.reader.RecordBatch())
		if err != nil {
			return nil, err
		}
		o.batch, o.at = b, 0
	}
	n := min(vector.BatchRows, o.batch.N-o.at)
	b := vector.SliceBatch(o.batch, o.at, n)
	o.at += n
	return b, nil
}

func (o *values) Close() error {
	if o.reader != nil {
		o.reader.Release()
		o.reader = nil
	}
	return nil
}

// rangeOp emits the numbers of its task's part of a range, divided as Spark does.
type rangeOp struct {
	pb   *planpb.Range
	next int64
	left uint64
	col  vector.Vector
}

func newRange(pb *planpb.Range) *rangeOp { return &rangeOp{pb: pb} }

func (o *rangeOp) Output() []*types.Type { return []*types.Type{types.Long} }
func (o *rangeOp) Close() error          { return nil }

func (o *rangeOp) Open(ctx *Ctx) error {
	r := o.pb
	if r.Step == 0 {
		return errs.Newf(errs.Invalid, "a range's step is 0")
	}
	var count uint64
	if r.Step > 0 && r.End > r.Start {
		count = (uint64(r.End)-uint64(r.Start)-1)/uint64(r.Step) + 1
	} else if r.Step < 0 && r.End < r.Start {
		count = (uint64(r.Start)-uint64(r.End)-1)/uint64(-r.Step) + 1
	}
	parts, p := uint64(max(r.Partitions, 1)), uint64(ctx.Partition)
	p = min(p, parts) // a union's tasks may be more
	from, to := mulDiv(p, count, parts), mulDiv(min(p+1, parts), count, parts)
	o.next, o.left = r.Start+int64(from)*r.Step, to-from
	return nil
}

// mulDiv is a·b/c where a is small and a·b may not fit.
func mulDiv(a, b, c uint64) uint64 { return a*(b/c) + a*(b%c)/c }

func (o *rangeOp) Next() (*vector.Batch, error) {
	if o.left == 0 {
		return nil, nil
	}
	n := int(min(o.left, vector.BatchRows))
	o.col.Reset(types.Long, n)
	x, step := o.next, o.pb.Step
	for i := range vector.Values[int64](&o.col)[:n] {
		vector.Values[int64](&o.col)[i] = x
		x += step
	}
	o.next, o.left = x, o.left-uint64(n)
	return &vector.Batch{Cols: []*vector.Vector{&o.col}, N: n}, nil
}

// filter keeps the rows for which a predicate is true.
type filter struct {
	in   Operator
	pred expr.Predicate
	ctx  *Ctx
	out  vector.Batch

	steady bool
}

func newFilter(pb *planpb.Filter, in Operator, s *planpb.Settings) (Operator, error) {
	p, err := expr.CompilePredicate(pb.Predicate, in.Output(), s)
	return &filter{in: in, pred: p, steady: steady(pb.Predicate)}, err
}

func (o *filter) Output() []*types.Type { return o.in.Output() }
func (o *filter) Open(ctx *Ctx) error   { o.ctx = ctx; return o.in.Open(ctx) }
func (o *filter) Close() error          { return o.in.Close() }

func (o *filter) Next() (*vector.Batch, error) {
	for {
		b, err := o.in.Next()
		if b == nil || err != nil {
			return nil, err
		}
		sel, err := o.pred.Select(&o.ctx.Ctx, b, b.Sel)
		if err != nil {
			return nil, err
		}
		if len(sel) == 0 {
			continue
		}
		o.out = vector.Batch{Cols: b.Cols, N: b.N, Sel: sel}
		if len(sel) == b.N {
			o.out.Sel = nil
		}
		return &o.out, nil
	}
}

// project computes its columns from the input's.
type project struct {
	pb     *planpb.Project
	in     Operator
	exprs  []expr.Evaluator
	types  []*types.Type
	ctx    *Ctx
	out    vector.Batch
	steady bool
}

func newProject(pb *planpb.Project, in Operator, s *planpb.Settings) (Operator, error) {
	es, err := evaluators(pb.Exprs, in.Output(), s)
	if err != nil {
		return nil, err
	}
	return &project{pb: pb, in: in, exprs: es, types: typesOf(es), out: vector.Batch{Cols: make([]*vector.Vector, len(es))}, steady: steady(pb.Exprs...)}, nil
}

func (o *project) Output() []*types.Type { return o.types }
func (o *project) Open(ctx *Ctx) error   { o.ctx = ctx; return o.in.Open(ctx) }
func (o *project) Close() error          { return o.in.Close() }

func (o *project) Next() (*vector.Batch, error) {
	b, err := o.in.Next()
	if b == nil || err != nil {
		return nil, err
	}
	return &o.out, evalInto(o.ctx, o.exprs, b, &o.out)
}

// evalInto computes expressions over a batch into the columns of another.
func evalInto(ctx *Ctx, es []expr.Evaluator, b, out *vector.Batch) error {
	for i, e := range es {
		v, err := e.Eval(&ctx.Ctx, b, b.Sel)
		if err != nil {
			return err
		}
		out.Cols[i] = v
	}
	out.N, out.Sel = b.N, b.Sel
	return nil
}

// limit skips offset rows, lets limit rows pass and then asks for no more.
type limit struct {
	in         Operator
	skip, left int64
	rows       []uint32
	out        vector.Batch
}

func newLimit(pb *planpb.Limit, in Operator) *limit {
	l := &limit{in: in, skip: pb.Offset, left: pb.Limit}
	if pb.Limit < 0 {
		l.left = math.MaxInt64
	}
	return l
}

func (o *limit) Output() []*types.Type { return o.in.Output() }
func (o *limit) Open(ctx *Ctx) error   { return o.in.Open(ctx) }
func (o *limit) Close() error          { return o.in.Close() }

func (o *limit) Next() (*vector.Batch, error) {
	for o.left > 0 {
		b, err := o.in.Next()
		if b == nil || err != nil {
			return nil, err
		}
		n := int64(b.Rows())
		if n <= o.skip {
			o.skip -= n
			continue
		}
		from, to := o.skip, min(n, o.skip+min(o.left, n))
		o.skip, o.left = 0, o.left-(to-from)
		return o.cut(b, int(from), int(to)), nil
	}
	return nil, nil
}

// cut is rows from..to-1 of a batch's existing rows.
func (o *limit) cut(b *vector.Batch, from, to int) *vector.Batch {
	switch {
	case from == 0 && to == b.Rows():
		return b
	case b.Sel != nil:
		o.out = vector.Batch{Cols: b.Cols, N: b.N, Sel: b.Sel[from:to]}
		return &o.out
	}
	o.rows = o.rows[:0]
	for r := from; r < to; r++ {
		o.rows = append(o.rows, uint32(r))
	}
	o.out = vector.Batch{Cols: b.Cols, N: b.N, Sel: o.rows}
	return &o.out
}

// union emits its inputs one after another.
type union struct {
	in    []Operator
	types []*types.Type
	at    int
}

func newUnion(in []Operator, out []*types.Type) *union {
	if len(out) == 0 && len(in) > 0 {
		out = in[0].Output()
	}
	return &union{in: in, types: out}
}

func (o *union) Output() []*types.Type { return o.types }
func (o *union) Open(ctx *Ctx) error   { return openAll(ctx, o.in...) }
func (o *union) Close() error          { return closeAll(o.in...) }

func (o *union) Next() (*vector.Batch, error) {
	for ; o.at < len(o.in); o.at++ {
		if b, err := o.in[o.at].Next(); b != nil || err != nil {
			return b, err
		}
	}
	return nil, nil
}

// expand emits every input batch once per projection, for grouping sets.
type expand struct {
	in    Operator
	lists [][]expr.Evaluator
	ctx   *Ctx
	batch *vector.Batch
	at    int
	out   vector.Batch
}

func newExpand(pb *planpb.Expand, in Operator, s *planpb.Settings) (Operator, error) {
	o := &expand{in: in}
	for _, p := range pb.Projections {
		es, err := evaluators(p.Exprs, in.Output(), s)
		if err != nil {
			return nil, err
		}
		o.lists = append(o.lists, es)
	}
	if len(o.lists) == 0 {
		return nil, errs.Newf(errs.Internal, "an expand without projections")
	}
	o.out.Cols = make([]*vector.Vector, len(o.lists[0]))
	return o, nil
}

func (o *expand) Output() []*types.Type { return typesOf(o.lists[0]) }
func (o *expand) Open(ctx *Ctx) error   { o.ctx = ctx; return o.in.Open(ctx) }
func (o *expand) Close() error          { return o.in.Close() }

func (o *expand) Next() (*vector.Batch, error) {
	if o.batch == nil || o.at == len(o.lists) {
		b, err := o.in.Next()
		if b == nil || err != nil {
			return nil, err
		}
		o.batch, o.at = b, 0
	}
	es := o.lists[o.at]
	o.at++
	return &o.out, evalInto(o.ctx, es, o.batch, &o.out)
}
