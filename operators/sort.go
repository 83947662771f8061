package operators

import (
	"cmp"
	"slices"

	"millrace/operators/expr"
	"millrace/operators/sortkey"
	planpb "millrace/proto/millrace/plan/v1"
	"millrace/types"
	"millrace/vector"
)

// mergeFan is the most sorted runs that are merged at once.
const mergeFan = 64

// sortOp sorts its input: in memory at once, or part by part where it is too large for that, or in runs on disk that are merged where parts are not possible.
type sortOp struct {
	in    Operator
	order ordering
	ctx   *Ctx
	mem   reservation
	m     *OperatorMetrics

	rows   *vector.Builder
	keys   *vector.Builder // nil where all keys are columns of the input
	sorted sortkey.Order
	at     int
	out    vector.Batch
	runs   []*spillReader
	merged *merger
	parts  *sortParts
	grain  int64 // about how many bytes of rows a part gathers for a batch of its own
	whole  bool  // no parts are made
	read   bool
}

// ordering is the keys by which rows are sorted.
type ordering struct {
	exprs   []expr.Evaluator
	keys    []sortkey.Key
	columns []int // the input's columns that are the keys, or nil when one is computed
}

func newOrdering(pb []*planpb.SortKey, in []*types.Type, s *planpb.Settings) (ordering, error) {
	var o ordering
	var exprs []*planpb.Expr
	for _, k := range pb {
		e, err := expr.Compile(k.Expr, in, s)
		if err != nil {
			return o, err
		}
		o.exprs = append(o.exprs, e)
		o.keys = append(o.keys, sortkey.Key{Type: e.Type(), Descending: k.Descending, NullsFirst: k.NullsFirst})
		exprs = append(exprs, k.Expr)
	}
	o.columns = plainColumns(exprs)
	return o, nil
}

// plainColumns are the columns that expressions are, or nil when one is computed.
func plainColumns(es []*planpb.Expr) []int {
	var list []int
	for _, e := range es {
		c, ok := e.Kind.(*planpb.Expr_Column)
		if !ok {
			return nil
		}
		list = append(list, int(c.Column))
	}
	return list
}

func (o *ordering) types() []*types.Type { return typesOf(o.exprs) }

func (o *ordering) eval(ctx *Ctx, b *vector.Batch, out []*vector.Vector) ([]*vector.Vector, error) {
	out = out[:0]
	for _, e := range o.exprs {
		v, err := e.Eval(&ctx.Ctx, b, b.Sel)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

func newSort(keys []*planpb.SortKey, in Operator, s *planpb.Settings) (Operator, error) {
	order, err := newOrdering(keys, in.Output(), s)
	return &sortOp{in: in, order: order}, err
}

func (o *sortOp) Output() []*types.Type         { return o.in.Output() }
func (o *sortOp) setMetrics(m *OperatorMetrics) { o.m = m }

func (o *sortOp) Open(ctx *Ctx) error {
	o.begin(ctx)
	return o.in.Open(ctx)
}

// begin is Open over an input that is open.
func (o *sortOp) begin(ctx *Ctx) {
	o.ctx, o.mem = ctx, reservation{pool: ctx.Memory}
	o.grain = cmp.Or(o.grain, min(max(ctx.Memory.Limit()/(8*maxSortParts), leastGrain), mostGrain))
	o.rows = vector.NewBuilder(o.in.Output())
	if o.order.columns == nil {
		o.keys = vector.NewBuilder(o.order.types())
	}
}

func (o *sortOp) Next() (*vector.Batch, error) {
	if !o.read {
		o.read = true
		if err := o.collect(); err != nil {
			return nil, err
		}
	}
	switch {
	case o.parts != nil:
		return o.parts.next()
	case o.merged != nil:
		return o.merged.Next()
	}
	return o.emit(), nil
}

func (o *sortOp) collect() error {
	var keys []*vector.Vector
	for {
		b, err := o.in.Next()
		if err != nil {
			return err
		}
		if b == nil {
			return o.endInput()
		}
		if o.parts != nil {
			if err := o.parts.add(b); err != nil {
				return err
			}
			continue
		}
		if o.keys != nil {
			if keys, err = o.order.eval(o.ctx, b, keys); err != nil {
				return err
			}
			o.keys.AppendColumns(keys, b.Sel, b.N)
		}
		appendRows(o.rows, o.in, b)
		if !o.mem.fits(o.memSize()) || tooLarge(o.rows) {
			if err := o.relieve(); err != nil {
				return err
			}
		}
	}
}

// relieve makes room: the rows are dealt out to parts, or sorted and written.
func (o *sortOp) relieve() error {
	if dealt, err := o.deal(); dealt || err != nil {
		return err
	}
	return o.spillRun()
}

// tooLarge reports whether a column comes near the 2 GiB that its offsets can address.
func tooLarge(b *vector.Builder) bool { return b.TextBytes() > 1<<30 }

// memSize counts the rows and what sorting them takes.
func (o *sortOp) memSize() int64 {
	n := o.rows.MemSize() + sortingRow*int64(o.rows.Len())
	if o.keys != nil {
		n += o.keys.MemSize()
	}
	return n
}

func (o *sortOp) keyColumns() []*vector.Vector {
	if o.keys != nil {
		return o.keys.Columns()
	}
	cols := make([]*vector.Vector, len(o.order.columns))
	for i, c := range o.order.columns {
		cols[i] = o.rows.Columns()[c]
	}
	return cols
}

func (o *sortOp) sortRows() (err error) {
	if o.rows.Len() > 0 {
		o.sorted, err = sortkey.SortUntil(o.order.keys, o.keyColumns(), o.rows.Len(), o.ctx.Err)
	}
	o.at = 0
	return err
}

// emit gathers the next rows in order.
func (o *sortOp) emit() *vector.Batch {
	n := min(vector.BatchRows, len(o.sorted.Rows)-o.at)
	if n <= 0 {
		return nil
	}
	from := o.at
	o.at += n
	idx := o.sorted.Rows[from:o.at]
	for i, c := range o.rows.Columns() {
		if i == len(o.out.Cols) {
			o.out.Cols = append(o.out.Cols, &vector.Vector{})
		}
		if k := slices.Index(o.order.columns, i); k < 0 || !o.sorted.Values(k, from, n, c.Type, o.out.Cols[i]) {
			o.out.Cols[i].Gather(c, idx)
		}
	}
	o.out.N, o.out.Sel = n, nil
	return &o.out
}

// gatherInto makes out the rows idx of columns.
func gatherInto(out *vector.Batch, cols []*vector.Vector, idx []uint32) {
	for len(out.Cols) < len(cols) {
		out.Cols = append(out.Cols, &vector.Vector{})
	}
	for i, c := range cols {
		out.Cols[i].Gather(c, idx)
	}
	out.N, out.Sel = len(idx), nil
}

func (o *sortOp) spillRun() error {
	if err := o.sortRows(); err != nil {
		return err
	}
	w := newSpillWriter(o.ctx, o.in.Output())
	defer w.close()
	for o.at < len(o.sorted.Rows) {
		idx := o.sorted.Rows[o.at:min(o.at+vector.BatchRows, len(o.sorted.Rows))]
		o.at += len(idx)
		if err := w.write(o.rows.Columns(), idx, 0); err != nil {
			return err
		}
		if err := o.ctx.Err(); err != nil {
			return err
		}
	}
	run, err := w.finish(o.m)
	if err != nil {
		return err
	}
	o.runs, o.sorted = append(o.runs, run), sortkey.Order{}
	o.clear()
	if len(o.runs) == mergeFan {
		return o.mergeRuns()
	}
	return nil
}

func (o *sortOp) clear() {
	o.rows.Take()
	if o.keys != nil {
		o.keys.Take()
	}
	o.mem.release()
}

// mergeRuns makes one run of all.
func (o *sortOp) mergeRuns() error {
	m := o.mergeOf(o.runs)
	o.runs = nil
	defer m.Close()
	w := newSpillWriter(o.ctx, o.in.Output())
	defer w.close()
	for {
		b, err := m.Next()
		if err != nil {
			return err
		}
		if b == nil {
			break
		}
		if err := w.write(b.Cols, b.Sel, b.N); err != nil {
			return err
		}
		if err := o.ctx.Err(); err != nil {
			return err
		}
	}
	run, err := w.finish(o.m)
	if err == nil {
		o.runs = append(o.runs, run)
	}
	return err
}

func (o *sortOp) mergeOf(runs []*spillReader) *merger {
	in := make([]Operator, len(runs))
	for i, r := range runs {
		in[i] = r
	}
	m := newMerger(in, o.order, o.in.Output())
	m.ctx = o.ctx
	return m
}

func (o *sortOp) endInput() error {
	if o.parts != nil {
		return nil
	}
	if len(o.runs) == 0 {
		return o.sortRows()
	}
	if o.rows.Len() > 0 {
		if err := o.spillRun(); err != nil {
			return err
		}
	}
	o.merged, o.runs = o.mergeOf(o.runs), nil
	return nil
}

func (o *sortOp) Close() error {
	o.mem.release()
	if o.merged != nil {
		o.merged.Close()
	}
	for _, r := range o.runs {
		r.Close()
	}
	var err error
	if o.parts != nil {
		err = o.parts.close()
	}
	o.rows, o.keys, o.sorted, o.runs, o.parts = nil, nil, sortkey.Order{}, nil, nil
	return cmp.Or(o.in.Close(), err)
}

// topN keeps the first rows in order, dropping what comes after the last kept one now and then. When even these do not fit it is a sort that spills.
type topN struct {
	sortOp
	limit, offset int
	done          bool
	rest          Operator // of the sorted rows on disk
}

func newTopN(pb *planpb.TopN, in Operator, s *planpb.Settings) (Operator, error) {
	order, err := newOrdering(pb.Keys, in.Output(), s)
	if err != nil {
		return nil, err
	}
	if pb.Limit+pb.Offset > maxTop { // better sorted, which can spill
		l := newLimit(&planpb.Limit{Limit: pb.Limit, Offset: pb.Offset}, &sortOp{in: in, order: order})
		return l, nil
	}
	return &topN{sortOp: sortOp{in: in, order: order}, limit: int(pb.Limit), offset: int(pb.Offset)}, nil
}

// maxTop is the most rows that are kept without a sort.
const maxTop = 100_000

func (o *topN) Next() (*vector.Batch, error) {
	if !o.done {
		o.done = true
		if err := o.collect(); err != nil {
			return nil, err
		}
		o.at = min(o.offset, len(o.sorted.Rows))
		if o.merged != nil {
			o.rest = newLimit(&planpb.Limit{Limit: int64(o.limit), Offset: int64(o.offset)}, o.merged)
		}
	}
	if o.rest != nil {
		return o.rest.Next()
	}
	return o.emit(), nil
}

func (o *topN) collect() error {
	keep := o.limit + o.offset
	if o.limit == 0 {
		return nil
	}
	var keys []*vector.Vector
	for {
		b, err := o.in.Next()
		if err != nil {
			return err
		}
		if b == nil && len(o.runs) > 0 {
			return o.endInput()
		}
		if b == nil {
			return o.cutTo(keep)
		}
		if o.keys != nil {
			if keys, err = o.order.eval(o.ctx, b, keys); err != nil {
				return err
			}
			o.keys.AppendColumns(keys, b.Sel, b.N)
		}
		o.rows.AppendSelected(b)
		if o.rows.Len() > 2*keep+16*vector.BatchRows {
			if err := o.cutTo(keep); err != nil {
				return err
			}
			o.compact()
			o.narrowInput()
		}
		if err := o.makeRoom(keep); err != nil {
			return err
		}
	}
}

// makeRoom drops rows early, or writes them to disk, when memory is short.
func (o *topN) makeRoom(keep int) error {
	if o.mem.fits(o.memSize()) {
		return nil
	}
	if o.rows.Len() > 2*keep {
		if err := o.cutTo(keep); err != nil {
			return err
		}
		o.compact()
		if o.mem.fits(o.memSize()) {
			return nil
		}
	}
	return o.spillRun()
}

func (o *topN) cutTo(keep int) error {
	err := o.sortRows()
	o.sorted.Rows = o.sorted.Rows[:min(keep, len(o.sorted.Rows))]
	return err
}

// compact leaves only the rows in sorted.
func (o *topN) compact() {
	rows := vector.NewBuilder(o.in.Output())
	rows.AppendColumns(o.rows.Columns(), o.sorted.Rows, 0)
	if o.keys != nil {
		keys := vector.NewBuilder(o.order.types())
		keys.AppendColumns(o.keys.Columns(), o.sorted.Rows, 0)
		o.keys = keys
	}
	o.rows = rows
}
