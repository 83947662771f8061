package physical

import (
	"context"

	"millrace/plan"
	planpb "millrace/proto/millrace/plan/v1"
	"millrace/types"
)

// Resident is a table whose rows lie on workers already, in partitions.
type Resident interface {
	plan.Table
	// Partitions are in order: task i of a scan reads partition i where it lies. There are none while only EXPLAIN asks.
	Partitions() []Partition
	// Relation is what EXPLAIN calls it.
	Relation() string
}

// Partition is a block and the worker that has it.
type Partition struct {
	Worker string
	Block  *planpb.Block
}

// FillRequest says how a frame is to be kept.
type FillRequest struct {
	ID     string // of the blocks
	Memory bool   // else on disk
	// Spread is how many partitions there should be at least; the rows of a relation with fewer are dealt out to so many in turn.
	Spread int
}

// PlanFill makes the stages that run a relation and keep its rows on the workers; the result is one row about each partition, in order.
// The partitions are those of the relation, in its order.
func PlanFill(ctx context.Context, n plan.Node, r FillRequest, o Options) (*Query, error) {
	o.Adaptive = nil // the frame's partitions, and what random functions say in them, are the same whenever they are made
	p := newPlanner(ctx, o)
	root, err := p.buildRoot(n)
	if err != nil {
		return nil, err
	}
	if root.tasks < r.Spread {
		root = p.exchange(root, &planpb.Partitioning{Kind: planpb.Partitioning_ROUND_ROBIN, Partitions: int32(r.Spread)}, nil)
	}
	attrs := fillAttrs()
	root.wrap(p.op(attrs, &planpb.Operator{Kind: &planpb.Operator_CacheSink{CacheSink: &planpb.CacheSink{Id: r.ID, Memory: r.Memory}}}), attrs)
	return p.finish(root), nil
}

func fillAttrs() []*plan.Attribute {
	col := func(name string, t *types.Type) *plan.Attribute { return &plan.Attribute{Name: name, T: t} }
	return []*plan.Attribute{col("partition", types.Integer), col("attempt", types.Integer), col("rows", types.Long),
		col("memory_bytes", types.Long), col("disk_bytes", types.Long)}
}

// resident scans partitions that lie on workers, each in a task that runs there.
func (p *planner) resident(n *plan.Scan, r Resident) *part {
	scan := &planpb.CacheScan{Relation: r.Relation()}
	for _, f := range n.Fields {
		scan.Columns = append(scan.Columns, uint32(f))
	}
	parts := r.Partitions()
	rows := max(float64(r.Rows()), 0)
	t := &part{attrs: n.Attrs, tasks: max(1, len(parts)), rows: rows, bytes: rows * RowBytes(n.Attrs)}
	t.op = p.op(n.Attrs, &planpb.Operator{Kind: &planpb.Operator_CacheScan{CacheScan: scan}})
	p.scanBytes += max(r.SizeBytes(), 0)
	for _, b := range parts {
		t.blocks = append(t.blocks, taskBlock{t.op.Id, len(t.homes), b.Block})
		t.homes = append(t.homes, b.Worker)
	}
	return t
}

// taskBlock gives a block to a CacheScan of a task.
type taskBlock struct {
	op    uint32
	task  int
	block *planpb.Block
}

// taskInputs are what differs between the part's tasks.
func (t *part) taskInputs() []*planpb.TaskInput {
	if len(t.splits) == 0 && len(t.homes) == 0 {
		return nil
	}
	list := make([]*planpb.TaskInput, t.tasks)
	for i := range list {
		list[i] = &planpb.TaskInput{Splits: map[uint32]*planpb.FileSplits{}}
		for id, lists := range t.splits {
			if i < len(lists) {
				list[i].Splits[id] = &planpb.FileSplits{Splits: lists[i]}
			}
		}
		if i < len(t.homes) {
			list[i].Worker = t.homes[i]
		}
	}
	for _, b := range t.blocks {
		in := list[b.task]
		if in.Blocks == nil {
			in.Blocks = map[uint32]*planpb.Blocks{}
		}
		in.Blocks[b.op] = &planpb.Blocks{Blocks: []*planpb.Block{b.block}}
	}
	return list
}

// meets reports whether task i of both parts can run in one place, for every i.
func (t *part) meets(u *part) bool {
	for i := range min(len(t.homes), len(u.homes)) {
		if t.homes[i] != "" && u.homes[i] != "" && t.homes[i] != u.homes[i] {
			return false
		}
	}
	return true
}

// adopt takes over what u's tasks read from the place where they run.
func (t *part) adopt(u *part) {
	t.blocks = append(t.blocks, u.blocks...)
	for i, w := range u.homes {
		if i == len(t.homes) {
			t.homes = append(t.homes, w)
		} else if t.homes[i] == "" {
			t.homes[i] = w
		}
	}
}
