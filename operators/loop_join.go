package operators

import (
	"millrace/operators/expr"
	planpb "millrace/proto/millrace/plan/v1"
	"millrace/types"
	"millrace/vector"
)

// loopJoin joins every left row with every right row for which the condition holds. It keeps the right side; when memory runs out, both sides go to disk, and the
// left is read again for every part of the right that fits.
type loopJoin struct {
	joiner
	leftIn, rightIn       Operator
	leftTypes, rightTypes []*types.Type
	mem                   reservation
	m                     *OperatorMetrics
	built                 bool
	at, row               int
	parts                 *blocks // nil: the right side is in memory
}

func newLoopJoin(pb *planpb.LoopJoin, left, right Operator, s *planpb.Settings) (Operator, error) {
	o := &loopJoin{leftIn: left, rightIn: right, leftTypes: left.Output(), rightTypes: right.Output()}
	o.joinKind = kindOf(pb.Type, false)
	o.left, o.right = o.leftTypes, o.rightTypes
	if pb.Condition == nil {
		return o, nil
	}
	both := append(append([]*types.Type(nil), o.leftTypes...), o.rightTypes...)
	var err error
	if pb.Type == planpb.JoinType_NULL_AWARE_ANTI {
		o.unknown, err = expr.Compile(pb.Condition, both, s)
	} else {
		o.residual, err = expr.CompilePredicate(pb.Condition, both, s)
	}
	return o, err
}

func (o *loopJoin) Output() []*types.Type         { return o.output(o.leftTypes, o.rightTypes) }
func (o *loopJoin) setMetrics(m *OperatorMetrics) { o.m = m }

func (o *loopJoin) Open(ctx *Ctx) error {
	o.ctx, o.mem = ctx, reservation{pool: ctx.Memory}
	o.match, o.next = o, o.leftIn.Next
	return openAll(ctx, o.leftIn, o.rightIn)
}

func (o *loopJoin) Next() (*vector.Batch, error) {
	if !o.built {
		o.built = true
		if err := o.buildRight(); err != nil {
			return nil, err
		}
	}
	for {
		b, err := o.joiner.Next()
		if b != nil || err != nil || o.parts == nil {
			return b, err
		}
		if ok, err := o.nextPart(); !ok || err != nil {
			return nil, err
		}
	}
}

func (o *loopJoin) buildRight() error {
	rows := vector.NewBuilder(o.rightTypes)
	for {
		b, err := o.rightIn.Next()
		if err != nil {
			return err
		}
		if b == nil {
			break
		}
		rows.AppendSelected(b)
		if !o.mem.fits(rows.MemSize()) || tooLarge(rows) {
			return o.spillSides(rows)
		}
	}
	o.begin(o.wholeOf(rows))
	return nil
}

// wholeOf is a builder's rows as the build side.
func (o *loopJoin) wholeOf(rows *vector.Builder) *vector.Batch {
	if all := rows.Take(); all != nil {
		return all
	}
	none := &vector.Batch{}
	for _, t := range o.rightTypes {
		none.Cols = append(none.Cols, vector.NewEmpty(t))
	}
	return none
}

func (o *loopJoin) start(b *vector.Batch) error {
	o.at, o.row = 0, 0
	if o.parts != nil && o.probeRows != noRows {
		o.parts.recall(o.probeMatched[:b.N])
	}
	return nil
}

// pairs appends left row after left row with all right rows.
func (o *loopJoin) pairs(probe, build []uint32) (p, b []uint32, more bool) {
	if o.joiner.build.N == 0 {
		return probe, build, false
	}
	for n := o.probe.Rows(); o.at < n; o.at++ {
		r := uint32(rowOf(o.probe, o.at))
		for o.row < o.joiner.build.N {
			if len(probe) == vector.BatchRows {
				return probe, build, true
			}
			probe, build = append(probe, r), append(build, uint32(o.row))
			o.row++
		}
		o.row = 0
	}
	return probe, build, false
}

func (o *loopJoin) Close() error {
	o.mem.release()
	o.joiner.build = nil
	o.parts.close()
	return closeAll(o.leftIn, o.rightIn)
}
