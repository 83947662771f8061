package operators

import (
	"millrace/errs"
	"millrace/memory"
	"millrace/operators/agg"
	"millrace/operators/expr"
	"millrace/operators/rowbytes"
	planpb "millrace/proto/millrace/plan/v1"
	"millrace/types"
	"millrace/vector"
)

// observe passes rows on and aggregates them. The states are in its metrics once its input has ended, or when it is closed before.
type observe struct {
	in   Operator
	agg  *hashAggregate
	m    *OperatorMetrics
	told bool
}

func newObserve(pb *planpb.Observe, in Operator, s *planpb.Settings) (Operator, error) {
	a, err := newHashAggregate(&planpb.HashAggregate{Mode: modePartial, Aggregates: pb.Aggregates}, in, s)
	if err != nil {
		return nil, err
	}
	return &observe{in: in, agg: a.(*hashAggregate)}, nil
}

func (o *observe) Output() []*types.Type         { return o.in.Output() }
func (o *observe) Open(ctx *Ctx) error           { return o.agg.Open(ctx) }
func (o *observe) setMetrics(m *OperatorMetrics) { o.m = m }

func (o *observe) Next() (*vector.Batch, error) {
	b, err := o.in.Next()
	switch {
	case err != nil:
		return nil, err
	case b == nil:
		o.tell()
		return nil, nil
	}
	if err := o.agg.add(b); err != nil {
		return nil, err
	}
	return b, o.agg.mem.must(o.agg.memSize())
}

// tell notes the states.
func (o *observe) tell() {
	if o.told || o.m == nil {
		return
	}
	o.told = true
	o.agg.resize(1)
	states := o.agg.statesOf(0, 1)
	o.m.Observed = [][]byte{rowbytes.New(o.agg.states).Append(nil, states.Cols, 0)}
}

func (o *observe) Close() error {
	o.tell()
	return o.agg.Close()
}

// observeMemory is what merging the states of an observation may take.
const observeMemory = 64 << 20

// Observed is the one row of an observation's results, of the states that tasks have told.
func Observed(pb *planpb.Observe, states [][]byte, ctx expr.Ctx) (*vector.Batch, error) {
	told := &toldStates{}
	for _, e := range pb.Aggregates {
		c, err := agg.NewCall(e)
		if err != nil {
			return nil, err
		}
		told.types = append(told.types, c.StateTypes()...)
	}
	d := rowbytes.New(told.types).Decoder()
	for _, row := range states {
		if err := d.Add(row); err != nil {
			return nil, err
		}
	}
	told.batch = &vector.Batch{N: d.Len(), Cols: d.Columns()}
	merged, err := newHashAggregate(&planpb.HashAggregate{Mode: modeFinal, Aggregates: pb.Aggregates}, told, ctx.Settings)
	if err != nil {
		return nil, err
	}
	results, err := newProject(&planpb.Project{Exprs: pb.Results}, merged, ctx.Settings)
	if err != nil {
		return nil, err
	}
	defer results.Close()
	if err := results.Open(&Ctx{Ctx: ctx, Memory: memory.NewPool("observation", observeMemory)}); err != nil {
		return nil, err
	}
	b, err := results.Next()
	if err == nil && (b == nil || b.Rows() != 1) {
		err = errs.Newf(errs.Internal, "an observation without a row")
	}
	if err != nil {
		return nil, err
	}
	out := vector.NewBuilder(results.Output())
	out.Append(b, b.Sel)
	return out.Take(), nil
}

// toldStates hands out rows of states.
type toldStates struct {
	types []*types.Type
	batch *vector.Batch
}

func (o *toldStates) Output() []*types.Type { return o.types }
func (o *toldStates) Open(*Ctx) error       { return nil }
func (o *toldStates) Close() error          { return nil }

func (o *toldStates) Next() (*vector.Batch, error) {
	b := o.batch
	if o.batch = nil; b == nil || b.N == 0 {
		return nil, nil
	}
	return b, nil
}
