package cache

import (
	"millrace/operators"
	planpb "millrace/proto/millrace/plan/v1"
	"millrace/types"
	"millrace/vector"
)

// scan reads the task's blocks, one after the other.
type scan struct {
	store   *Store
	columns []uint32
	types   []*types.Type
	left    []*planpb.Block
	ctx     *operators.Ctx
	cur     Reader
	out     vector.Batch
}

// NewScan makes the operator of a CacheScan over the task's blocks.
func NewScan(s *Store, pb *planpb.CacheScan, output []*types.Type, blocks []*planpb.Block) operators.Operator {
	return &scan{store: s, columns: pb.Columns, types: output, left: blocks}
}

// Output implements operators.Operator.
func (o *scan) Output() []*types.Type { return o.types }

// Open implements operators.Operator.
func (o *scan) Open(ctx *operators.Ctx) error {
	o.ctx = ctx
	o.out.Cols = make([]*vector.Vector, len(o.columns))
	return nil
}

// Next implements operators.Operator: the columns are the block's own.
func (o *scan) Next() (*vector.Batch, error) {
	for {
		if o.cur == nil {
			if len(o.left) == 0 {
				return nil, nil
			}
			k := o.left[0]
			r, err := o.store.Open(o.ctx.Context, Key{k.Id, int(k.Partition), int(k.Attempt)})
			if err != nil {
				return nil, err
			}
			o.cur, o.left = r, o.left[1:]
		}
		b, err := o.cur.Next()
		if err != nil {
			return nil, err
		}
		if b == nil {
			o.cur.Close()
			o.cur = nil
			continue
		}
		o.out = vector.Batch{Cols: o.out.Cols, N: b.N}
		for i, c := range o.columns {
			o.out.Cols[i] = b.Cols[c]
		}
		return &o.out, nil
	}
}

// Close implements operators.Operator.
func (o *scan) Close() error {
	if o.cur != nil {
		o.cur.Close()
		o.cur = nil
	}
	return nil
}

// SinkOutput is the columns of the row that a CacheSink returns: partition, attempt, rows, bytes in memory, bytes on disk.
var SinkOutput = []*types.Type{types.Integer, types.Integer, types.Long, types.Long, types.Long}

// sink keeps its input as a block.
type sink struct {
	store *Store
	key   Key
	inMem bool
	in    operators.Operator
	w     *Writer
	done  bool
}

// NewSink makes the operator of a CacheSink in a task.
func NewSink(s *Store, pb *planpb.CacheSink, input operators.Operator, task, attempt int) operators.Operator {
	return &sink{store: s, key: Key{pb.Id, task, attempt}, inMem: pb.Memory, in: input}
}

// Output implements operators.Operator.
func (o *sink) Output() []*types.Type { return SinkOutput }

// Open implements operators.Operator.
func (o *sink) Open(ctx *operators.Ctx) error {
	if err := o.in.Open(ctx); err != nil {
		return err
	}
	var err error
	o.w, err = o.store.Create(o.key, o.in.Output(), o.inMem)
	return err
}

// Next implements operators.Operator: one row when all is kept.
func (o *sink) Next() (*vector.Batch, error) {
	if o.done {
		return nil, nil
	}
	o.done = true
	for {
		b, err := o.in.Next()
		if err != nil {
			return nil, err
		}
		if b == nil {
			break
		}
		if err := o.w.Append(b); err != nil {
			return nil, err
		}
	}
	t, err := o.w.Finish()
	if err != nil {
		return nil, err
	}
	return &vector.Batch{N: 1, Cols: []*vector.Vector{
		vector.FromSlice(types.Integer, []int32{int32(o.key.Partition)}), vector.FromSlice(types.Integer, []int32{int32(o.key.Attempt)}),
		vector.FromSlice(types.Long, []int64{t.Rows}), vector.FromSlice(types.Long, []int64{t.Memory}), vector.FromSlice(types.Long, []int64{t.Disk})}}, nil
}

// Close implements operators.Operator.
func (o *sink) Close() error {
	if o.w != nil {
		o.w.Abort()
	}
	return o.in.Close()
}
