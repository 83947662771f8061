package operators

import (
	"millrace/errs"
	"millrace/operators/agg"
	"millrace/operators/expr"
	"millrace/operators/sortkey"
	"millrace/operators/window"
	"millrace/planconv"
	planpb "millrace/proto/millrace/plan/v1"
	"millrace/types"
	"millrace/vector"
)

const (
	// blockRows is how many rows of small partitions are worked on at once.
	blockRows = 2 * vector.BatchRows
	// gatherBatches is how many batches of rows a function gathers at once.
	gatherBatches = 4
	// rowBytes is about what a function holds for a row of a batch: its state, and what it gathers.
	rowBytes = 64 + 32*gatherBatches
)

// windowOp computes functions over windows of its sorted input. It holds whole partitions: in memory, or as pages in a file.
type windowOp struct {
	in       Operator
	ctx      *Ctx
	mem      reservation
	m        *OperatorMetrics
	types    []*types.Type // output
	rowTypes []*types.Type // the input's columns, then those computed from them
	computed []expr.Evaluator
	outTypes []*types.Type
	specs    []window.Spec

	groups  changes // partitions
	peers   changes
	file    *pageFile
	block   *window.Block
	windows *window.Windows
	pending *vector.Batch // rows that are not in a block yet
	ended   bool
	at      int // rows of the block that were emitted; -1: the block is being filled
	batch   int // rows that are emitted at once
	rows    []uint32
	starts  []bool
	firsts  []bool
	out     vector.Batch
}

var _ Operator = (*windowOp)(nil)

func newWindow(pb *planpb.Window, in Operator, s *planpb.Settings) (Operator, error) {
	input := in.Output()
	o := &windowOp{in: in, at: -1, rowTypes: append([]*types.Type(nil), input...), types: append([]*types.Type(nil), input...)}
	partition, err := evaluators(pb.Partition, input, s)
	if err != nil {
		return nil, err
	}
	order, err := newOrdering(pb.Order, input, s)
	if err != nil {
		return nil, err
	}
	o.groups, o.peers = newChanges(partition, equalKeys(partition)), newChanges(order.exprs, order.keys)
	for _, f := range pb.Functions {
		spec, err := o.spec(f, pb.Order, s)
		if err != nil {
			return nil, err
		}
		o.specs = append(o.specs, spec)
		o.outTypes = append(o.outTypes, spec.Call.Out)
	}
	o.types = append(o.types, o.outTypes...)
	return o, nil
}

// spec reads a function; what it computes of the input's columns becomes columns of the rows.
func (o *windowOp) spec(f *planpb.WindowFunction, order []*planpb.SortKey, s *planpb.Settings) (window.Spec, error) {
	spec := window.Spec{Filter: -1}
	pb := f.Call.GetCall()
	if pb == nil {
		return spec, errs.Newf(errs.Internal, "a window function that is not a call")
	}
	var err error
	if spec.Call, err = agg.NewWindowCall(f.Call); err != nil {
		return spec, err
	}
	for i, a := range pb.Args {
		c := -1
		if !spec.Call.ConstantOnly(i) {
			if c, err = o.column(a, s); err != nil {
				return spec, err
			}
		}
		spec.Args = append(spec.Args, c)
	}
	if pb.Filter != nil {
		if spec.Filter, err = o.column(pb.Filter, s); err != nil {
			return spec, err
		}
	}
	if spec.Lower, err = o.bound(f.Lower, s); err != nil {
		return spec, err
	}
	if spec.Upper, err = o.bound(f.Upper, s); err != nil {
		return spec, err
	}
	if spec.Lower.Kind == window.Value || spec.Upper.Kind == window.Value {
		if len(order) != 1 {
			return spec, errs.Newf(errs.Internal, "a frame of values over %d order keys", len(order))
		}
		spec.Key = o.peers.keys[0]
		if spec.KeyColumn, err = o.column(f.Key, s); err != nil {
			return spec, err
		}
		spec.Key.Type = planconv.Type(f.Key.Type)
	}
	return spec, err
}

// column is the place of an expression's value among the rows' columns.
func (o *windowOp) column(e *planpb.Expr, s *planpb.Settings) (int, error) {
	if c, ok := e.Kind.(*planpb.Expr_Column); ok {
		return int(c.Column), nil
	}
	ev, err := expr.Compile(e, o.in.Output(), s)
	if err != nil {
		return 0, err
	}
	o.computed, o.rowTypes = append(o.computed, ev), append(o.rowTypes, ev.Type())
	return len(o.rowTypes) - 1, nil
}

func (o *windowOp) bound(b *planpb.WindowBound, s *planpb.Settings) (window.Bound, error) {
	switch k := b.GetKind().(type) {
	case nil, *planpb.WindowBound_Unbounded:
		return window.Bound{}, nil
	case *planpb.WindowBound_Rows:
		return window.Bound{Kind: window.Offset, Rows: k.Rows}, nil
	case *planpb.WindowBound_Peer:
		return window.Bound{Kind: window.Peer}, nil
	case *planpb.WindowBound_Value:
		c, err := o.column(k.Value, s)
		return window.Bound{Kind: window.Value, Column: c}, err
	}
	return window.Bound{}, errs.Unsupportedf("The frame's bound %T is not built.", b.Kind)
}

func (o *windowOp) Output() []*types.Type         { return o.types }
func (o *windowOp) setMetrics(m *OperatorMetrics) { o.m = m }

func (o *windowOp) Open(ctx *Ctx) error {
	o.ctx, o.mem = ctx, reservation{pool: ctx.Memory}
	var err error
	o.batch = int(max(64, min(vector.BatchRows, ctx.Memory.Limit()/8/int64(rowBytes*max(len(o.specs), 1)))))
	if o.windows, err = window.New(o.specs, gatherBatches*o.batch); err != nil {
		return err
	}
	o.file = newPageFile(ctx, o.rowTypes)
	o.block = window.NewBlock(o.rowTypes, o.file, int(min(4<<20, max(ctx.Memory.Limit()/64, 4<<10))))
	return o.in.Open(ctx)
}

func (o *windowOp) Close() error {
	o.mem.release()
	if o.file != nil {
		o.file.close(o.m)
	}
	o.block, o.windows = nil, nil
	return o.in.Close()
}

func (o *windowOp) Next() (*vector.Batch, error) {
	for {
		if o.at >= 0 {
			if b, err := o.emit(); b != nil || err != nil {
				return b, err
			}
			o.block.Reset()
			o.file.close(o.m)
			o.mem.release()
			o.at = -1
		}
		if o.ended && o.pending == nil {
			return nil, nil
		}
		if err := o.fill(); err != nil {
			return nil, err
		}
		if o.block.Len() == 0 {
			return nil, nil
		}
		if err := o.windows.Begin(o.block, o.ctx.Err); err != nil {
			return nil, err
		}
		o.at = 0
		if err := o.room(); err != nil {
			return nil, err
		}
	}
}

// fill gathers complete partitions.
func (o *windowOp) fill() error {
	for {
		if o.pending == nil {
			if err := o.read(); err != nil || o.ended {
				return err
			}
		}
		n := o.whole()
		full := n < len(o.rows)
		o.block.Add(o.pending.Cols, o.rows[:n], o.starts[:n], o.firsts[:n])
		o.rows, o.starts, o.firsts = o.rows[n:], o.starts[n:], o.firsts[n:]
		if full {
			return nil
		}
		o.pending = nil
		if !o.mem.fits(o.block.MemSize()) {
			if err := o.block.Spill(); err != nil {
				return err
			}
		}
	}
}

// whole is how many of the pending rows go into the block: all, or if it is large enough those before the next partition.
func (o *windowOp) whole() int {
	for k, start := range o.starts {
		if start && o.block.Len()+k >= blockRows {
			return k
		}
	}
	return len(o.rows)
}

// read makes the next batch of the input, with what is computed of it, pending.
func (o *windowOp) read() error {
	b, err := o.in.Next()
	if err != nil {
		return err
	}
	if b == nil {
		o.ended = true
		return nil
	}
	n := b.Rows()
	o.rows, o.starts, o.firsts = o.rows[:0], o.starts[:0], o.firsts[:0]
	for k := range n {
		if b.Sel != nil {
			k = int(b.Sel[k])
		}
		o.rows = append(o.rows, uint32(k))
	}
	if o.starts, err = o.groups.mark(o.ctx, b, o.starts); err != nil {
		return err
	}
	if o.firsts, err = o.peers.mark(o.ctx, b, o.firsts); err != nil {
		return err
	}
	for k, start := range o.starts {
		o.firsts[k] = o.firsts[k] || start
	}
	p := &vector.Batch{Cols: append([]*vector.Vector(nil), b.Cols...), N: b.N}
	for _, e := range o.computed {
		v, err := e.Eval(&o.ctx.Ctx, b, b.Sel)
		if err != nil {
			return err
		}
		p.Cols = append(p.Cols, v)
	}
	o.pending = p
	return nil
}

// room has the rows on disk when they and the functions' states have no room in memory.
func (o *windowOp) room() error {
	if _, n := o.windows.MemSize(); o.mem.fits(o.block.MemSize() + n) {
		return nil
	}
	if err := o.block.Spill(); err != nil {
		return err
	}
	name, n := o.windows.MemSize()
	return errs.Wrap(o.mem.must(n), "keep the values of a window's frame for the function %s, which cannot be divided", name)
}

func (o *windowOp) emit() (*vector.Batch, error) {
	if o.at == o.block.Len() {
		return nil, nil
	}
	rows := o.batch
	if o.file.used() { // memory is scarce, and states are held for every row
		rows = max(rows/8, min(rows, 64))
	}
	cols, n, err := o.block.Columns(o.at, rows)
	if err != nil {
		return nil, err
	}
	results := make([]*vector.Vector, len(o.outTypes))
	for i, t := range o.outTypes {
		results[i] = vector.NewEmpty(t)
	}
	if err := o.windows.Next(o.at, n, results); err != nil {
		return nil, err
	}
	o.at += n
	width := len(o.types) - len(o.outTypes)
	o.out = vector.Batch{Cols: append(cols[:width:width], results...), N: n}
	return &o.out, o.room()
}

// changes finds the rows at which the values of some expressions change.
type changes struct {
	exprs []expr.Evaluator
	keys  []sortkey.Key
	enc   *sortkey.Encoder
	words []uint64         // of the last row
	last  []*vector.Vector // its values
	any   bool             // there was a row
	cols  []*vector.Vector
}

func newChanges(exprs []expr.Evaluator, keys []sortkey.Key) changes {
	return changes{exprs: exprs, keys: keys, enc: sortkey.NewEncoder(keys, true)}
}

func equalKeys(exprs []expr.Evaluator) []sortkey.Key {
	keys := make([]sortkey.Key, len(exprs))
	for i, e := range exprs {
		keys[i] = sortkey.Key{Type: e.Type()}
	}
	return keys
}

// mark appends for every row of a batch whether it differs from the one before.
func (c *changes) mark(ctx *Ctx, b *vector.Batch, to []bool) ([]bool, error) {
	n, first := b.Rows(), !c.any
	c.any = true
	if len(c.exprs) == 0 {
		for k := range n {
			to = append(to, first && k == 0)
		}
		return to, nil
	}
	c.cols = c.cols[:0]
	for _, e := range c.exprs {
		v, err := e.Eval(&ctx.Ctx, b, b.Sel)
		if err != nil {
			return nil, err
		}
		c.cols = append(c.cols, v)
	}
	c.enc.Encode(c.cols, b.Sel, n)
	row := func(k int) int {
		if b.Sel != nil {
			return int(b.Sel[k])
		}
		return k
	}
	to = append(to, first || c.differs(row(0)))
	for k := 1; k < n; k++ {
		diff := false
		for _, w := range c.enc.Words {
			diff = diff || w[k] != w[k-1]
		}
		if !diff && !c.enc.Exact {
			diff = sortkey.Compare(c.keys, c.cols, row(k), c.cols, row(k-1)) != 0
		}
		to = append(to, diff)
	}
	c.remember(n-1, row(n-1))
	return to, nil
}

// differs compares a batch's first row to the last one of the batch before.
func (c *changes) differs(row int) bool {
	for w := range c.enc.Words {
		if c.enc.Words[w][0] != c.words[w] {
			return true
		}
	}
	return !c.enc.Exact && sortkey.Compare(c.keys, c.cols, row, c.last, 0) != 0
}

func (c *changes) remember(k, row int) {
	c.words = c.words[:0]
	for _, w := range c.enc.Words {
		c.words = append(c.words, w[k])
	}
	if c.enc.Exact {
		return
	}
	c.last = c.last[:0]
	for _, v := range c.cols {
		one := vector.NewEmpty(v.Type)
		one.AppendPlain(v, []uint32{uint32(row)})
		c.last = append(c.last, one)
	}
}
