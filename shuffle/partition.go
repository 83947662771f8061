package shuffle

import (
	"millrace/errs"
	"millrace/operators/expr"
	planpb "millrace/proto/millrace/plan/v1"
	"millrace/types"
	"millrace/vector"
)

// Partitioner decides the partition of each row of a stage's output.
type Partitioner struct {
	kind   planpb.Partitioning_Kind
	n      int
	hash   expr.Evaluator // HASH: the rows' murmur3
	ranges *ranges        // RANGE of more than one partition
	next   uint32         // ROUND_ROBIN

	ids, rows, ends []uint32 // reused
}

// NewPartitioner compiles a partitioning of rows of the input's types. task is where a round robin begins.
func NewPartitioner(p *planpb.Partitioning, input []*types.Type, s *planpb.Settings, task int) (*Partitioner, error) {
	t := &Partitioner{kind: p.GetKind(), n: max(int(p.GetPartitions()), 1), next: uint32(task)}
	switch t.kind {
	case planpb.Partitioning_SINGLE, planpb.Partitioning_BROADCAST:
		t.n = 1
	case planpb.Partitioning_HASH:
		call := &planpb.Expr{Type: &planpb.Type{Kind: uint32(types.KindInteger)}, Kind: &planpb.Expr_Call{Call: &planpb.Call{Name: "hash", Args: p.Exprs}}}
		var err error
		if t.hash, err = expr.Compile(call, input, s); err != nil {
			return nil, errs.Wrap(err, "compile a hash partitioning")
		}
	case planpb.Partitioning_RANGE:
		return t, t.setRanges(p, input, s)
	}
	return t, nil
}

// Partitions is how many there are.
func (t *Partitioner) Partitions() int { return t.n }

// Split calls put for each partition that rows of the batch go to, with their row numbers, which put must not keep.
func (t *Partitioner) Split(ctx *expr.Ctx, b *vector.Batch, put func(partition int, rows []uint32) error) error {
	if t.n == 1 {
		return put(0, b.Sel)
	}
	n := b.Rows()
	t.ids = sized(t.ids, n)
	if err := t.assign(ctx, b); err != nil {
		return err
	}
	t.scatter(b.Sel, n)
	start := uint32(0)
	for p, end := range t.ends {
		if end > start {
			if err := put(p, t.rows[start:end]); err != nil {
				return err
			}
		}
		start = end
	}
	return nil
}

// scatter sorts the rows by ids: a histogram, its sums, and a pass that puts each row in place.
func (t *Partitioner) scatter(sel []uint32, n int) {
	t.ends, t.rows = sized(t.ends, t.n), sized(t.rows, n)
	clear(t.ends)
	for _, id := range t.ids {
		t.ends[id]++
	}
	sum := uint32(0)
	for p, c := range t.ends {
		t.ends[p] = sum
		sum += c
	}
	for i, id := range t.ids {
		row := uint32(i)
		if sel != nil {
			row = sel[i]
		}
		t.rows[t.ends[id]] = row
		t.ends[id]++
	}
}

// assign sets ids, one a row that exists.
func (t *Partitioner) assign(ctx *expr.Ctx, b *vector.Batch) error {
	switch t.kind {
	case planpb.Partitioning_HASH:
		return t.assignHash(ctx, b)
	case planpb.Partitioning_RANGE:
		return t.ranges.assign(ctx, b, t.ids)
	}
	n, next := uint32(t.n), t.next
	for i := range t.ids {
		t.ids[i] = next % n
		next++
	}
	t.next = next % n
	return nil
}

func (t *Partitioner) assignHash(ctx *expr.Ctx, b *vector.Batch) error {
	v, err := t.hash.Eval(ctx, b, b.Sel)
	if err != nil {
		return err
	}
	hashes, n := vector.Values[int32](v), int32(t.n)
	for i := range t.ids {
		row := i
		if b.Sel != nil {
			row = int(b.Sel[i])
		}
		h := hashes[v.Row(row)] % n
		t.ids[i] = uint32(h + n&(h>>31))
	}
	return nil
}

func sized(s []uint32, n int) []uint32 {
	if cap(s) < n {
		return make([]uint32, n, n+n/4)
	}
	return s[:n]
}
