package physical

import (
	"google.golang.org/protobuf/proto"

	"millrace/plan"
	planpb "millrace/proto/millrace/plan/v1"
)

// SampleRequest is a query whose rows are some of the sort keys of a larger one.
type SampleRequest struct {
	Stages []*planpb.Stage
	Keys   []*planpb.SortKey // over the rows: column i is key i
	Parts  int               // how many ranges are wanted
}

// sampleRows is about how many rows a sample has; sampleSplits is from how many of the input's splits they come.
const (
	sampleRows   = 8_000
	sampleSplits = 4
)

// buildRoot builds the relation at the top of a query. A large global order there is made by ranges, each sorted by a task of its
// own, since whoever reads the result takes the tasks in order.
func (p *planner) buildRoot(n plan.Node) (*part, error) {
	s, above := sortBelow(n)
	if s == nil || p.o.Sample == nil {
		return p.build(n)
	}
	t, err := p.build(s.Input)
	if err != nil {
		return nil, err
	}
	keys, err := scope(t.attrs).sortKeys(s.Keys)
	if err != nil {
		return nil, err
	}
	if t, err = p.sortByRanges(t, keys); err != nil {
		return nil, err
	}
	for _, project := range above {
		if err := p.projectOver(t, project.Exprs); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// sortByRanges sorts a part globally, by ranges where that is worth it and the input can be sampled cheaply.
func (p *planner) sortByRanges(t *part, keys []*planpb.SortKey) (*part, error) {
	sorted := func(t *part) *part {
		t.wrap(p.op(t.attrs, &planpb.Operator{Kind: &planpb.Operator_Sort{Sort: &planpb.Sort{Keys: keys}}}), t.attrs)
		return t
	}
	n := p.partitions(t.rows)
	if n == 1 || t.tasks == 1 || len(t.inputs) > 0 || len(t.splits) != 1 || len(t.blocks) > 0 {
		return p.single(sorted(t), keys), nil
	}
	bounds, found, err := p.o.Sample(p.ctx, p.sample1(t, keys, n))
	if err != nil {
		return nil, err
	}
	if found == 0 {
		return p.single(sorted(t), keys), nil
	}
	to := &planpb.Partitioning{Kind: planpb.Partitioning_RANGE, Partitions: int32(found + 1), Keys: keys, Bounds: bounds}
	return sorted(p.exchange(t, to, nil)), nil
}

// sample1 is the query that samples the keys of a part: its operators over a few of its splits.
func (p *planner) sample1(t *part, keys []*planpb.SortKey, n int) SampleRequest {
	var all []*planpb.FileSplit
	var scan uint32
	for id, lists := range t.splits {
		scan = id
		for _, l := range lists {
			all = append(all, l...)
		}
	}
	step := max(1, len(all)/sampleSplits)
	var some []*planpb.FileSplit
	for i := 0; i < len(all); i += step {
		some = append(some, all[i])
	}
	rows := t.rows * float64(len(some)) / float64(len(all))
	root := proto.Clone(t.op).(*planpb.Operator)
	project := &planpb.Project{}
	var out []*planpb.Column
	var plain []*planpb.SortKey
	for i, k := range keys {
		project.Exprs = append(project.Exprs, k.Expr)
		out = append(out, &planpb.Column{Name: "key", Type: k.Expr.Type, Nullable: true})
		plain = append(plain, &planpb.SortKey{Descending: k.Descending, NullsFirst: k.NullsFirst,
			Expr: &planpb.Expr{Type: k.Expr.Type, Nullable: true, Kind: &planpb.Expr_Column{Column: uint32(i)}}})
	}
	root = &planpb.Operator{Id: root.Id + 1_000_000, Output: out, Children: []*planpb.Operator{root}, Kind: &planpb.Operator_Project{Project: project}}
	if rows > sampleRows {
		root = &planpb.Operator{Id: root.Id + 1, Output: out, Children: []*planpb.Operator{root},
			Kind: &planpb.Operator_Sample{Sample: &planpb.Sample{Upper: sampleRows / rows, Seed: 1}}}
	}
	stage := &planpb.Stage{Root: root, Tasks: int32(len(some)), Partitioning: &planpb.Partitioning{Kind: planpb.Partitioning_SINGLE, Partitions: 1}}
	for _, s := range some {
		stage.TaskInputs = append(stage.TaskInputs, &planpb.TaskInput{Splits: map[uint32]*planpb.FileSplits{scan: {Splits: []*planpb.FileSplit{s}}}})
	}
	return SampleRequest{Stages: []*planpb.Stage{stage}, Keys: plain, Parts: n}
}
