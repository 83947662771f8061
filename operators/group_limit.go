package operators

import (
	"millrace/operators/expr"
	planpb "millrace/proto/millrace/plan/v1"
	"millrace/types"
	"millrace/vector"
)

// groupLimit lets the first rows of each partition of its sorted input pass.
type groupLimit struct {
	in        Operator
	ctx       *Ctx
	kind      planpb.GroupLimit_Rank
	limit     int64
	partition changes
	order     changes
	number    int64 // of the last row in its partition
	rank      int64
	starts    []bool
	firsts    []bool
	rows      []uint32
	out       vector.Batch
}

var _ Operator = (*groupLimit)(nil)

func newGroupLimit(pb *planpb.GroupLimit, in Operator, s *planpb.Settings) (Operator, error) {
	partition, err := evaluators(pb.Partition, in.Output(), s)
	if err != nil {
		return nil, err
	}
	order, err := newOrdering(pb.Order, in.Output(), s)
	if err != nil {
		return nil, err
	}
	o := &groupLimit{in: in, kind: pb.Rank, limit: pb.Limit, partition: newChanges(partition, equalKeys(partition))}
	o.order = newChanges(append([]expr.Evaluator(nil), order.exprs...), order.keys)
	return o, nil
}

func (o *groupLimit) Output() []*types.Type { return o.in.Output() }
func (o *groupLimit) Open(ctx *Ctx) error   { o.ctx = ctx; return o.in.Open(ctx) }
func (o *groupLimit) Close() error          { return o.in.Close() }

func (o *groupLimit) Next() (*vector.Batch, error) {
	for {
		b, err := o.in.Next()
		if b == nil || err != nil {
			return nil, err
		}
		if o.starts, err = o.partition.mark(o.ctx, b, o.starts[:0]); err != nil {
			return nil, err
		}
		if o.firsts, err = o.order.mark(o.ctx, b, o.firsts[:0]); err != nil {
			return nil, err
		}
		if o.keep(b); len(o.rows) > 0 {
			o.out = vector.Batch{Cols: b.Cols, N: b.N, Sel: o.rows}
			return &o.out, nil
		}
	}
}

// keep lists the rows of a batch that rank within the limit.
func (o *groupLimit) keep(b *vector.Batch) {
	o.rows = o.rows[:0]
	for k, start := range o.starts {
		o.advance(start, o.firsts[k])
		if o.rank > o.limit {
			continue
		}
		r := uint32(k)
		if b.Sel != nil {
			r = b.Sel[k]
		}
		o.rows = append(o.rows, r)
	}
}

func (o *groupLimit) advance(start, first bool) {
	if start {
		o.number, o.rank = 0, 0
	}
	o.number++
	switch {
	case o.kind == planpb.GroupLimit_ROW_NUMBER:
		o.rank = o.number
	case start || first && o.kind == planpb.GroupLimit_DENSE_RANK:
		o.rank++
	case first:
		o.rank = o.number
	}
}
