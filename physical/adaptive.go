package physical

import (
	"context"
	"slices"

	"millrace/plan"
	planpb "millrace/proto/millrace/plan/v1"
)

// Adaptive says how the stages of a staged query may be changed when the sizes of what they read are known, which package scheduler/adaptive does.
type Adaptive struct {
	Coalesce       bool    // put neighbouring partitions together
	Partitions     int     // that an exchange then begins with; 0: by what is scanned
	TargetBytes    int64   // that a task should read of an exchange
	Few            bool    // even if tasks get fewer than there are slots
	SkewFactor     float64 // how many times the median a partition of a join has that is divided; 0: none is
	SkewBytes      int64   // and how large it is at least
	BroadcastBytes int64   // in memory, of an input of a join that every task is given after all; 0: never
}

// mostPartitions is with how many partitions an exchange begins at most, if nobody says otherwise: as Spark's, whatever the input.
const mostPartitions = 200

// partitions is with how many partitions the exchanges of a query begin that scans so many bytes: enough for tasks of the target's size and for
// a skewed one to stand out.
func (a *Adaptive) partitions(scanned int64, cores int) int {
	if a.Partitions > 0 {
		return a.Partitions
	}
	n := int64(mostPartitions)
	if a.TargetBytes > 0 {
		n = min(n, scanned/a.TargetBytes)
	}
	return int(max(n, int64(4*cores)))
}

// planned plans a query, and once more with exchanges of many partitions if it turns out to be a large one, whose partitions will be put together again
// as their sizes suggest.
func planned(ctx context.Context, n plan.Node, sink *planpb.FileSink, o Options) (*Query, error) {
	q, err := planOnce(ctx, n, sink, o)
	if err != nil || o.Adaptive == nil || !o.Adaptive.Coalesce || q.ScanBytes <= o.PipelinedBytes {
		return q, err
	}
	parts := o.Adaptive.partitions(q.ScanBytes, max(o.Cores, 1))
	if parts <= max(o.ShufflePartitions, o.Cores) {
		return q, nil
	}
	o.ShufflePartitions = parts
	return planOnce(ctx, n, sink, o)
}

// adaptive says how the tasks of a stage may be cut anew; nil where they must be what they are: they differ in what they are given besides partitions,
// or their number was asked for.
func (p *planner) adaptive(t *part) *planpb.Adaptive {
	a := p.o.Adaptive
	if a == nil || t.tasks == 1 || t.fixed || len(t.splits)+len(t.homes)+len(t.blocks) > 0 {
		return nil
	}
	m := &planpb.Adaptive{TargetBytes: a.TargetBytes, Coalesce: a.Coalesce, Few: a.Few}
	ok, reads := true, 0
	eachOperator(t.op, func(o *planpb.Operator) {
		switch k := o.Kind.(type) {
		case *planpb.Operator_StatefulAggregate, *planpb.Operator_CacheSink:
			ok = false
		case *planpb.Operator_ExchangeSource:
			from := p.stages[k.ExchangeSource.Stage]
			switch from.Partitioning.Kind {
			case planpb.Partitioning_SINGLE, planpb.Partitioning_BROADCAST:
				return
			}
			ok = ok && int(from.Partitioning.Partitions) == t.tasks && len(k.ExchangeSource.Merge) == 0
			if reads++; !slices.Contains(m.Inputs, from.Id) {
				m.Inputs = append(m.Inputs, from.Id)
			}
		default:
			ok = ok && len(o.Children) > 0
		}
	})
	if !ok || reads == 0 {
		return nil
	}
	if reads == 2 && len(m.Inputs) == 2 {
		if m.Sides = p.joinSides(t.op); m.Sides != nil {
			m.SkewFactor, m.SkewBytes, m.BroadcastBytes = a.SkewFactor, a.SkewBytes, a.BroadcastBytes
		}
	}
	return m
}

// joinSides finds the join of two exchanges below operators to which it is the same whether the rows of a partition are in one task or in several,
// and says which side's may be.
func (p *planner) joinSides(o *planpb.Operator) []*planpb.JoinSide {
	switch k := o.Kind.(type) {
	case *planpb.Operator_Filter, *planpb.Operator_Project, *planpb.Operator_Generate, *planpb.Operator_Expand, *planpb.Operator_FileSink,
		*planpb.Operator_Sort, *planpb.Operator_TopN, *planpb.Operator_Limit, *planpb.Operator_GroupLimit: // the last four are only a first step where there are several tasks
		return p.joinSides(o.Children[0])
	case *planpb.Operator_HashAggregate:
		if k.HashAggregate.Mode == planpb.HashAggregate_PARTIAL {
			return p.joinSides(o.Children[0])
		}
	case *planpb.Operator_LoopJoin:
		if left, _ := divides(k.LoopJoin.Type); left {
			return p.joinSides(o.Children[0])
		}
	case *planpb.Operator_HashJoin:
		return p.hashJoinSides(k.HashJoin, o.Children[0], o.Children[1])
	}
	return nil
}

func (p *planner) hashJoinSides(j *planpb.HashJoin, l, r *planpb.Operator) []*planpb.JoinSide {
	left, right := divides(j.Type)
	a, b := p.partitioned(l), p.partitioned(r)
	switch {
	case a != nil && b != nil && (left || right):
		return []*planpb.JoinSide{{Stage: a.Stage, Divides: left}, {Stage: b.Stage, Divides: right}}
	case left && everyTask(r, p.stages): // the other side is whole in every task
		return p.joinSides(l)
	case right && everyTask(l, p.stages):
		return p.joinSides(r)
	}
	return nil
}

// divides says of which side of a join the rows may be dealt out to several tasks, each of which has all of the other side: the one whose rows
// alone decide which rows come out.
func divides(t planpb.JoinType) (left, right bool) {
	switch t {
	case planpb.JoinType_INNER:
		return true, true
	case planpb.JoinType_LEFT, planpb.JoinType_LEFT_SEMI, planpb.JoinType_LEFT_ANTI:
		return true, false
	case planpb.JoinType_RIGHT:
		return false, true
	}
	return false, false
}

// partitioned is the exchange of which an operator reads a partition, row by row.
func (p *planner) partitioned(o *planpb.Operator) *planpb.ExchangeSource {
	switch k := o.Kind.(type) {
	case *planpb.Operator_Filter, *planpb.Operator_Project:
		return p.partitioned(o.Children[0])
	case *planpb.Operator_ExchangeSource:
		if p.stages[k.ExchangeSource.Stage].Partitioning.Kind == planpb.Partitioning_HASH {
			return k.ExchangeSource
		}
	}
	return nil
}

// everyTask reports whether an operator tree reads nothing but what every task reads.
func everyTask(o *planpb.Operator, stages []*planpb.Stage) bool {
	every := true
	eachOperator(o, func(o *planpb.Operator) {
		if e := o.GetExchangeSource(); e != nil {
			kind := stages[e.Stage].Partitioning.Kind
			every = every && (kind == planpb.Partitioning_BROADCAST || kind == planpb.Partitioning_SINGLE)
		}
	})
	return every
}
