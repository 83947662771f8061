package operators

import (
	"context"

	"millrace/errs"
	"millrace/operators/expr"
	"millrace/planconv"
	planpb "millrace/proto/millrace/plan/v1"
	"millrace/state"
	"millrace/types"
)

// Env gives Build what operators need besides their plan. The factories make the operators at a tree's edges; one that is nil
// refuses its operator.
type Env struct {
	Settings *planpb.Settings
	FileScan func(op *planpb.Operator, scan *planpb.FileScan) (Operator, error)
	FileSink func(op *planpb.Operator, sink *planpb.FileSink, input Operator) (Operator, error)
	// CacheScan and CacheSink read and keep cached frames.
	CacheScan func(op *planpb.Operator, scan *planpb.CacheScan) (Operator, error)
	CacheSink func(op *planpb.Operator, sink *planpb.CacheSink, input Operator) (Operator, error)
	// ExchangeSource gives one operator per sorted input where the source has merge keys, and else one operator in all.
	ExchangeSource func(op *planpb.Operator, source *planpb.ExchangeSource) ([]Operator, error)
	// Python starts a process for the functions of an operator.
	Python func(ctx context.Context, p *planpb.Python) (PythonTask, error)
	// State keeps the states of streaming queries.
	State *state.Provider
}

// Build makes the operators of a tree. They count what they do in Ctx.Metrics under their plan's ids.
func Build(root *planpb.Operator, env Env) (Operator, error) {
	b := builder{env: env}
	op, err := b.build(root, nil)
	if err != nil || len(b.stateful) == 0 {
		return op, err
	}
	return &drained{op, b.stateful}, nil
}

type builder struct {
	env      Env
	stateful []*statefulAggregate
}

// build makes the operators of a tree of whose output only the columns in read matter.
func (b *builder) build(p *planpb.Operator, read columnSet) (Operator, error) {
	inputs := make([]Operator, len(p.Children))
	for i, c := range p.Children {
		op, err := b.build(c, reads(p, read))
		if err != nil {
			return nil, err
		}
		inputs[i] = op
	}
	op, err := b.operator(p, inputs, read)
	if err != nil {
		return nil, err
	}
	if p.GetPython() != nil { // its inputs are read at the same time by another goroutine
		inputs = nil
	}
	return &metered{Operator: op, id: p.Id, inputs: inputs}, nil
}

func (b *builder) operator(p *planpb.Operator, in []Operator, read columnSet) (Operator, error) {
	s, out := b.env.Settings, planconv.Columns(p.Output)
	switch k := p.Kind.(type) {
	case *planpb.Operator_FileScan:
		if b.env.FileScan == nil {
			break
		}
		return b.env.FileScan(p, k.FileScan)
	case *planpb.Operator_FileSink:
		if b.env.FileSink == nil {
			break
		}
		return b.env.FileSink(p, k.FileSink, in[0])
	case *planpb.Operator_CacheScan:
		if b.env.CacheScan == nil {
			break
		}
		return b.env.CacheScan(p, k.CacheScan)
	case *planpb.Operator_CacheSink:
		if b.env.CacheSink == nil {
			break
		}
		return b.env.CacheSink(p, k.CacheSink, in[0])
	case *planpb.Operator_ExchangeSource:
		return b.exchange(p, k.ExchangeSource)
	case *planpb.Operator_Values:
		return newValues(k.Values.Arrow, out), nil
	case *planpb.Operator_Range:
		return newRange(k.Range), nil
	case *planpb.Operator_Filter:
		return newFilter(k.Filter, in[0], s)
	case *planpb.Operator_Project:
		return newProject(k.Project, in[0], s)
	case *planpb.Operator_HashAggregate:
		return newHashAggregate(k.HashAggregate, in[0], s)
	case *planpb.Operator_StatefulAggregate:
		if b.env.State == nil {
			break
		}
		o, err := newStatefulAggregate(k.StatefulAggregate, in[0], b.env.State, s)
		if err == nil {
			b.stateful = append(b.stateful, o)
		}
		return o, err
	case *planpb.Operator_Watermark:
		return newWatermark(k.Watermark, in[0]), nil
	case *planpb.Operator_Observe:
		return newObserve(k.Observe, in[0], s)
	case *planpb.Operator_HashJoin:
		return newHashJoin(k.HashJoin, in[0], in[1], read, s)
	case *planpb.Operator_BloomFilter:
		return newBloomFilter(k.BloomFilter, in[0], out, s)
	case *planpb.Operator_RuntimeFilter:
		return newRuntimeFilter(k.RuntimeFilter, in[0], in[1], s)
	case *planpb.Operator_LoopJoin:
		return newLoopJoin(k.LoopJoin, in[0], in[1], s)
	case *planpb.Operator_Sort:
		return newSort(k.Sort.Keys, in[0], s)
	case *planpb.Operator_TopN:
		return newTopN(k.TopN, in[0], s)
	case *planpb.Operator_Limit:
		return newLimit(k.Limit, in[0]), nil
	case *planpb.Operator_Union:
		return newUnion(in, out), nil
	case *planpb.Operator_Sample:
		return newSample(k.Sample, in[0]), nil
	case *planpb.Operator_Expand:
		return newExpand(k.Expand, in[0], s)
	case *planpb.Operator_Generate:
		return newGenerate(k.Generate, out, in[0], read, s)
	case *planpb.Operator_Window:
		return newWindow(k.Window, in[0], s)
	case *planpb.Operator_Python:
		if b.env.Python == nil {
			break
		}
		return newPython(p, out, in, func(ctx context.Context) (PythonTask, error) { return b.env.Python(ctx, k.Python) }, s)
	case *planpb.Operator_GroupLimit:
		return newGroupLimit(k.GroupLimit, in[0], s)
	}
	return nil, errs.Unsupportedf("The operator %T is not built.", p.Kind)
}

func (b *builder) exchange(p *planpb.Operator, e *planpb.ExchangeSource) (Operator, error) {
	if b.env.ExchangeSource == nil {
		return nil, errs.Unsupportedf("There is no exchange here.")
	}
	sources, err := b.env.ExchangeSource(p, e)
	switch {
	case err != nil:
		return nil, err
	case len(e.Merge) > 0:
		return NewMerge(sources, e.Merge, planconv.Columns(p.Output), b.env.Settings)
	case len(sources) == 1:
		return sources[0], nil
	}
	return newUnion(sources, planconv.Columns(p.Output)), nil
}

// evaluators compiles expressions over an input's columns.
func evaluators(es []*planpb.Expr, in []*types.Type, s *planpb.Settings) ([]expr.Evaluator, error) {
	return expr.CompileAll(es, in, s)
}

func typesOf(es []expr.Evaluator) []*types.Type {
	list := make([]*types.Type, len(es))
	for i, e := range es {
		list[i] = e.Type()
	}
	return list
}

// closeAll closes operators and returns the first error.
func closeAll(ops ...Operator) error {
	var first error
	for _, op := range ops {
		if err := op.Close(); err != nil && first == nil {
			first = err
		}
	}
	return first
}

func openAll(ctx *Ctx, ops ...Operator) error {
	for _, op := range ops {
		if err := op.Open(ctx); err != nil {
			return err
		}
	}
	return nil
}
