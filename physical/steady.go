package physical

import (
	"slices"

	"millrace/operators/agg"
	planpb "millrace/proto/millrace/plan/v1"
	"millrace/types"
)

// markIndeterminate marks the stages of which a second run of a task may send other rows to a partition. Some readers would have the rows of
// the first run and others those of the second, so that a row may be lost or come twice; the scheduler runs all readers of a marked stage again.
//
// What a task reads over an exchange comes in another order each time. Values that depend on it are unsteady. A stage may hand unsteady
// values on, for each row there is once, with one of its values; it is marked where the values decide where rows go, or which rows there are,
// or could be seen twice: they bind rows together that may go to different partitions, or more than one task reads them. For the readers of a
// marked stage its outputs are settled.
func markIndeterminate(stages []*planpb.Stage) {
	reads := map[uint32]int{}
	for _, s := range stages {
		eachOperator(s.Root, func(o *planpb.Operator) {
			if x := o.GetExchangeSource(); x != nil {
				reads[x.Stage]++
			}
		})
		for _, side := range s.Adaptive.GetSides() {
			reads[side.Stage]++ // several tasks may read all of it
		}
	}
	done := map[uint32]repeated{}
	for _, s := range stages { // inputs come first
		r := remaking{stages: done}
		out := r.rows(s.Root)
		switch s.Partitioning.Kind {
		case planpb.Partitioning_ROUND_ROBIN:
			r.decides(out.ordered)
		case planpb.Partitioning_BROADCAST:
			r.decides(out.steady())
		}
		for _, e := range s.Partitioning.Exprs {
			r.decides(r.expr(e, out))
		}
		r.decides(r.keys(s.Partitioning.Keys, out))
		r.decides(reads[s.Id] < 2 || out.steady())
		if s.Indeterminate = r.differs && reads[s.Id] > 0; s.Indeterminate {
			out = steadyRows(len(s.Root.Output))
		}
		done[s.Id] = out
	}
}

// repeated is what stays the same of rows when they are made again.
type repeated struct {
	columns []bool // a column's values
	ordered bool   // and the rows' order
}

func steadyRows(columns int) repeated {
	return repeated{slices.Repeat([]bool{true}, columns), true}
}

func (p repeated) steady() bool { return !slices.Contains(p.columns, false) }

// remaking looks at what another run of a stage does.
type remaking struct {
	stages  map[uint32]repeated // the outputs of earlier stages
	differs bool                // it may send other rows to a partition
}

// decides takes note of something on which it depends where rows go, or which there are.
func (r *remaking) decides(steady bool) { r.differs = r.differs || !steady }

// rows goes through an operator and what is below it.
func (r *remaking) rows(o *planpb.Operator) repeated {
	in := repeated{ordered: true}
	for _, c := range o.Children {
		x := r.rows(c)
		if o.GetUnion() != nil && in.columns != nil {
			for i := range in.columns {
				in.columns[i] = in.columns[i] && x.columns[i]
			}
		} else {
			in.columns = append(in.columns, x.columns...)
		}
		in.ordered = in.ordered && x.ordered
	}
	// Of an operator whose rows may hold a value of the input more than once, or none, every column has to be steady.
	out := steadyRows(len(o.Output))
	out.ordered = in.ordered
	switch k := o.Kind.(type) {
	case *planpb.Operator_FileScan, *planpb.Operator_Values, *planpb.Operator_Range, *planpb.Operator_CacheScan:
		return out
	case *planpb.Operator_ExchangeSource:
		x := r.stages[k.ExchangeSource.Stage]
		return repeated{slices.Clone(x.columns), x.ordered && len(k.ExchangeSource.Merge) > 0}
	case *planpb.Operator_Union, *planpb.Operator_Observe, *planpb.Operator_Watermark:
		return in
	case *planpb.Operator_Sort:
		in.ordered = in.ordered && r.keys(k.Sort.Keys, in)
		return in
	case *planpb.Operator_Filter:
		r.decides(r.expr(k.Filter.Predicate, in))
		return in
	case *planpb.Operator_Limit, *planpb.Operator_Sample:
		r.decides(in.ordered)
		return in
	case *planpb.Operator_TopN:
		r.decides(in.ordered && r.keys(k.TopN.Keys, in))
		return in
	case *planpb.Operator_GroupLimit:
		r.decides(r.exprs(k.GroupLimit.Partition, in) && r.keys(k.GroupLimit.Order, in))
		r.decides(in.ordered || k.GroupLimit.Rank != planpb.GroupLimit_ROW_NUMBER)
		return in
	case *planpb.Operator_Project:
		for i, e := range k.Project.Exprs {
			out.columns[i] = r.expr(e, in)
		}
		return out
	case *planpb.Operator_HashAggregate:
		return r.aggregate(k.HashAggregate, in)
	case *planpb.Operator_StatefulAggregate:
		return r.aggregate(k.StatefulAggregate.Aggregate, in)
	case *planpb.Operator_HashJoin, *planpb.Operator_LoopJoin:
		out.ordered = false // what is spilled comes later
		r.decides(in.steady() && r.exprs(joinExprs(o), in))
	case *planpb.Operator_RuntimeFilter, *planpb.Operator_BloomFilter:
		r.decides(in.steady())
	case *planpb.Operator_Expand:
		for _, p := range k.Expand.Projections {
			r.decides(r.exprs(p.Exprs, in))
		}
	case *planpb.Operator_Generate:
		r.decides(in.steady() && r.exprs(k.Generate.Args, in))
	case *planpb.Operator_Window:
		r.decides(in.steady() && r.exprs(k.Window.Partition, in) && r.keys(k.Window.Order, in))
		for _, f := range k.Window.Functions {
			r.decides(in.ordered || ofPeers(f))
			r.decides(r.exprs(f.Call.GetCall().GetArgs(), in))
		}
	case *planpb.Operator_Python:
		return r.python(o, k.Python, in)
	default: // the rows about files that a sink has written
		return repeated{columns: make([]bool, len(o.Output))}
	}
	return out
}

// joinExprs are calls that decide which rows a join brings together; that columns are steady is known.
func joinExprs(o *planpb.Operator) []*planpb.Expr {
	if j := o.GetHashJoin(); j != nil {
		return slices.Concat(j.LeftKeys, j.RightKeys, []*planpb.Expr{j.Residual})
	}
	return []*planpb.Expr{o.GetLoopJoin().Condition}
}

// aggregate goes through an aggregation. What it makes of groups that are not steady themselves is seen in more than one group.
func (r *remaking) aggregate(a *planpb.HashAggregate, in repeated) repeated {
	var out repeated // in no order: what is spilled comes later
	for _, g := range a.Groups {
		r.decides(r.expr(g, in))
		out.columns = append(out.columns, !collated(g.Type)) // else any of the texts that are equal stands for them
	}
	fromStates := a.Mode == planpb.HashAggregate_FINAL || a.Mode == planpb.HashAggregate_MERGE
	toStates := a.Mode == planpb.HashAggregate_PARTIAL || a.Mode == planpb.HashAggregate_MERGE
	at := len(a.Groups)
	for _, e := range a.Aggregates {
		states, err := agg.StateTypes(e)
		steady := err == nil && orderless(e.GetCall())
		if fromStates {
			steady = steady && !slices.Contains(in.columns[at:at+len(states)], false)
		} else {
			steady = steady && r.exprs(e.GetCall().Args, in) && r.expr(e.GetCall().Filter, in)
		}
		at += len(states)
		n := 1
		if toStates {
			n = len(states)
		}
		out.columns = append(out.columns, slices.Repeat([]bool{steady}, n)...)
	}
	return out
}

func (r *remaking) keys(keys []*planpb.SortKey, in repeated) bool {
	steady := true
	for _, k := range keys {
		steady = r.expr(k.Expr, in) && steady
	}
	return steady
}

func (r *remaking) exprs(es []*planpb.Expr, in repeated) bool {
	steady := true
	for _, e := range es {
		steady = r.expr(e, in) && steady
	}
	return steady
}

// expr reports whether an expression over columns has the same values again. Numbers that chance gives to rows bind them together: two rows
// never have the same identifier.
func (r *remaking) expr(e *planpb.Expr, in repeated) bool {
	if e == nil {
		return true
	}
	if c, ok := e.Kind.(*planpb.Expr_Column); ok {
		return int(c.Column) >= len(in.columns) || in.columns[c.Column]
	}
	call := e.GetCall()
	if call == nil {
		return true
	}
	if args := chancy[call.Name]; args > 0 || call.Name == "monotonically_increasing_id" {
		r.decides(in.ordered && len(call.Args) == args)
	}
	return r.exprs(call.Args, in) && r.expr(call.Filter, in)
}

// orderless reports whether an aggregate gives the same for the same rows in any order and however they are first put together in parts.
func orderless(c *planpb.Call) bool {
	switch c.GetName() {
	case "count", "regr_count", "count_if", "bool_and", "every", "bool_or", "any", "some", "bit_and", "bit_or", "bit_xor",
		"bitmap_construct_agg", "bitmap_or_agg", "bitmap_and_agg", "approx_count_distinct", "percentile", "percentile_cont", "percentile_disc",
		"median", "percentile_approx", "approx_percentile":
		return true
	case "min", "max":
		return !collated(c.Args[0].Type)
	case "sum", "try_sum", "avg", "mean", "try_avg":
		kind := types.Kind(c.Args[0].Type.Kind)
		return kind != types.KindFloat && kind != types.KindDouble
	}
	return false
}

// collated reports whether values of a type may be equal and yet differ.
func collated(t *planpb.Type) bool {
	if t == nil {
		return false
	}
	return t.Collation != "" || collated(t.Elem) || collated(t.Key) || slices.ContainsFunc(t.Fields, func(f *planpb.Field) bool { return collated(f.Type) })
}

// ofPeers reports whether a window function gives the same to all rows that its order does not tell apart, whichever of them comes first.
func ofPeers(f *planpb.WindowFunction) bool {
	switch f.Call.GetCall().GetName() {
	case "rank", "dense_rank", "percent_rank", "cume_dist":
		return true
	}
	return orderless(f.Call.GetCall()) && !byRows(f.Lower) && !byRows(f.Upper)
}

func byRows(b *planpb.WindowBound) bool {
	_, rows := b.GetKind().(*planpb.WindowBound_Rows)
	return rows
}
