package operators

import (
	"millrace/errs"
	"millrace/operators/agg"
	"millrace/operators/expr"
	"millrace/operators/hashtable"
	planpb "millrace/proto/millrace/plan/v1"
	"millrace/types"
	"millrace/vector"
)

const (
	modeComplete = planpb.HashAggregate_COMPLETE
	modePartial  = planpb.HashAggregate_PARTIAL
	modeFinal    = planpb.HashAggregate_FINAL
	modeMerge    = planpb.HashAggregate_MERGE
)

// A partial aggregate that has seen passAfter rows and found more than passShare groups a row stops grouping. One whose groups do not come again, since
// rows of a group lie together, emits them when they are more than a core's cache holds.
const (
	passAfter = 64 * vector.BatchRows
	passShare = 0.8
	nearAfter = 16 * vector.BatchRows // rows between two looks
	nearMany  = 1 << 15               // groups
	nearShare = 0.95                  // of the groups a row found so far, what is found now where none comes again
)

// hashAggregate groups rows, or merges groups. When memory runs out, a partial one emits what it has; any other writes its groups' states
// to files by hash and merges file after file with an aggregate of its own. What DISTINCT functions have met goes to files of its own (seenValues).
type hashAggregate struct {
	aggregateConfig
	in    Operator
	ctx   *Ctx
	mem   reservation
	table *hashtable.Table // nil without group columns
	arr   agg.Arranger
	m     *OperatorMetrics

	groups  []uint32
	keys    []*vector.Vector
	rows    int64 // of the input since the last flush
	looked  near  // when it was last looked whether groups come again
	pass    bool  // emit every row as a group of its own
	ended   bool
	emitted int // groups of the table that were emitted; -1: still collecting
	out     vector.Batch

	near  *nearParts
	spill *partitioner
	seen  seenValues
	parts []*spillReader
	sub   *hashAggregate
	depth int
}

// aggregateConfig is what the levels of a spilled aggregate share.
type aggregateConfig struct {
	mode     planpb.HashAggregate_Mode
	groupBy  []expr.Evaluator
	keyTypes []*types.Type
	calls    []*agg.Call
	inputs   []aggregateInput
	funcs    []agg.Function
	settings *planpb.Settings
	types    []*types.Type // output
	states   []*types.Type // keys, then states
	merges   bool          // its input is like states
}

// aggregateInput is what one function reads of a batch.
type aggregateInput struct {
	args     []expr.Evaluator
	values   []*vector.Vector
	filter   expr.Predicate
	distinct *agg.Distinct
	first    int // in FINAL and MERGE: its first state column
	width    int // and how many there are
	groups   []uint32
}

func newHashAggregate(pb *planpb.HashAggregate, in Operator, s *planpb.Settings) (Operator, error) {
	es, err := evaluators(pb.Groups, in.Output(), s)
	if err != nil {
		return nil, err
	}
	c := aggregateConfig{mode: pb.Mode, groupBy: es, keyTypes: typesOf(es), settings: s}
	c.states = append(c.states, c.keyTypes...)
	for _, e := range pb.Aggregates {
		if err := c.addCall(e, in.Output()); err != nil {
			return nil, err
		}
	}
	c.merges = (c.mode == modeFinal || c.mode == modeMerge) && inPlace(pb.Groups) && len(pb.Groups) > 0
	return newAggregate(c, in, 0)
}

// inPlace reports whether expressions are the first columns in order.
func inPlace(es []*planpb.Expr) bool {
	for i, place := range places(es) {
		if place != i {
			return false
		}
	}
	return true
}

func (c *aggregateConfig) addCall(e *planpb.Expr, input []*types.Type) error {
	call, err := agg.NewCall(e)
	if err != nil {
		return err
	}
	states := call.StateTypes()
	a := aggregateInput{first: len(c.states), width: len(states)}
	c.states = append(c.states, states...)
	if c.mode == modeComplete || c.mode == modePartial {
		pb := e.GetCall()
		if a.args, err = evaluators(pb.Args, input, c.settings); err != nil {
			return err
		}
		if pb.Filter != nil {
			if a.filter, err = expr.CompilePredicate(pb.Filter, input, c.settings); err != nil {
				return err
			}
		}
		if pb.Distinct {
			if c.mode == modePartial {
				return errs.Newf(errs.Internal, "a partial aggregate of distinct values: the planner splits it")
			}
			a.distinct = agg.NewDistinct(typesOf(a.args))
		}
	}
	c.calls, c.inputs = append(c.calls, call), append(c.inputs, a)
	return nil
}

func newAggregate(c aggregateConfig, in Operator, depth int) (*hashAggregate, error) {
	o := &hashAggregate{aggregateConfig: c, in: in, depth: depth, emitted: -1}
	o.funcs = make([]agg.Function, len(c.calls))
	for i, call := range c.calls {
		f, err := agg.New(call)
		if err != nil {
			return nil, err
		}
		o.funcs[i] = f
	}
	if len(c.keyTypes) > 0 {
		o.table = hashtable.New(c.keyTypes)
	}
	o.types = append([]*types.Type(nil), c.states...)
	if c.mode == modeComplete || c.mode == modeFinal {
		o.types = append(o.types[:0], c.keyTypes...)
		for _, call := range c.calls {
			o.types = append(o.types, call.Out)
		}
	}
	return o, nil
}

func (o *hashAggregate) Output() []*types.Type         { return o.types }
func (o *hashAggregate) setMetrics(m *OperatorMetrics) { o.m = m }

func (o *hashAggregate) Open(ctx *Ctx) error {
	o.ctx, o.mem = ctx, reservation{pool: ctx.Memory}
	return o.in.Open(ctx)
}

func (o *hashAggregate) Next() (*vector.Batch, error) {
	for {
		if b, err := o.nextPart(); b != nil || err != nil {
			return b, err
		}
		if o.emitted >= 0 {
			if b, err := o.emit(); b != nil || err != nil {
				return b, err
			}
			o.reset()
		}
		if o.ended && o.near != nil {
			if err := o.nextNear(); err != nil {
				return nil, err
			}
			continue
		}
		if o.ended {
			return nil, nil
		}
		if o.pass {
			return o.nextPassed()
		}
		if err := o.collect(); err != nil {
			return nil, err
		}
	}
}

// collect reads input until it ends or, for a partial aggregate, until the groups have to be emitted.
func (o *hashAggregate) collect() error {
	for {
		b, err := o.in.Next()
		if err != nil {
			return err
		}
		if b == nil {
			return o.endInput()
		}
		if o.near != nil {
			if err := o.addNear(b); err != nil {
				return err
			}
			continue
		}
		if err := o.add(b); err != nil {
			return err
		}
		flush, err := o.full()
		if flush || err != nil {
			o.emitted = 0
			return err
		}
	}
}

// full makes room when memory ran out: it reports whether the groups are to be emitted, or spills them.
func (o *hashAggregate) full() (bool, error) {
	n := o.memSize()
	if o.mode == modePartial && o.table != nil && o.rows >= passAfter && float64(o.table.Len()) > passShare*float64(o.rows) {
		o.pass = true
		return true, nil
	}
	switch {
	case o.mode == modePartial && o.table != nil && o.passed():
		return true, nil
	case o.mem.fits(n) && o.merges && o.spill == nil && o.table.Len() > nearMany:
		return false, o.startNear()
	case o.mem.fits(n):
		return false, nil
	case o.mode == modePartial:
		return true, nil
	case o.hasDistinct():
		return false, o.spillSeen()
	}
	return false, o.shrink(n)
}

// near is how many rows had how many groups.
type near struct {
	rows   int64
	groups int
}

// passed reports whether a partial aggregate's groups are many and most probably complete: new ones are found among the latest rows as often as among all.
func (o *hashAggregate) passed() bool {
	last := o.looked
	if o.rows-last.rows < nearAfter {
		return false
	}
	now := near{o.rows, o.table.Len()}
	o.looked = now
	fresh := float64(now.groups-last.groups) / float64(now.rows-last.rows)
	return now.groups >= nearMany && now.rows >= passAfter && fresh >= nearShare*float64(now.groups)/float64(now.rows)
}

// shrink spills the groups. States that no hash divides further have to fit in memory.
func (o *hashAggregate) shrink(n int64) error {
	if o.table != nil && o.depth < maxDepth {
		return o.spillGroups()
	}
	largest := 0
	for i, f := range o.funcs {
		if f.MemSize() > o.funcs[largest].MemSize() {
			largest = i
		}
	}
	if len(o.funcs) == 0 {
		return o.mem.must(n)
	}
	return errs.Wrap(o.mem.must(n), "keep one group's values for the aggregate function %s, which cannot be divided", o.calls[largest].Name)
}

func (o *hashAggregate) memSize() int64 {
	n := int64(0)
	if o.table != nil {
		n = o.table.MemSize()
	}
	if o.near != nil {
		n += o.near.memSize()
	}
	for i, f := range o.funcs {
		n += f.MemSize()
		if d := o.inputs[i].distinct; d != nil {
			n += d.MemSize()
		}
	}
	return n
}

func (o *hashAggregate) hasDistinct() bool {
	for i := range o.inputs {
		if o.inputs[i].distinct != nil {
			return true
		}
	}
	return false
}

func (o *hashAggregate) endInput() error {
	o.ended = true
	if o.seen != nil {
		if err := o.replaySeen(); err != nil {
			return err
		}
	}
	switch {
	case o.near != nil:
		return nil
	case o.spill != nil:
		return o.endSpill()
	case o.table == nil:
		o.resize(1)
	}
	o.emitted = 0
	return nil
}

// endSpill writes the last groups and ends the files.
func (o *hashAggregate) endSpill() error {
	if err := o.spillGroups(); err != nil {
		return err
	}
	parts, err := o.spill.finish(o.m)
	o.parts = parts
	return err
}

func (o *hashAggregate) resize(n int) {
	for _, f := range o.funcs {
		f.Resize(n)
	}
}

// reset forgets the groups.
func (o *hashAggregate) reset() {
	if o.table != nil {
		o.table.Reset()
	}
	for _, f := range o.funcs {
		f.Reset()
	}
	o.rows, o.looked, o.emitted = 0, near{}, -1
	o.mem.release()
}

func (o *hashAggregate) total() int {
	if o.table == nil {
		return 1
	}
	return o.table.Len()
}

// emit makes the next batch of groups, or nil.
func (o *hashAggregate) emit() (*vector.Batch, error) {
	n := min(vector.BatchRows, o.total()-o.emitted)
	if n <= 0 {
		return nil, nil
	}
	from := o.emitted
	o.emitted += n
	if o.mode == modePartial || o.mode == modeMerge {
		return o.statesOf(from, n), nil
	}
	o.prepare(o.types)
	o.keysInto(from, n)
	for i, f := range o.funcs {
		if err := f.Result(o.out.Cols[len(o.keyTypes)+i], from, n); err != nil {
			return nil, err
		}
	}
	o.out.N, o.out.Sel = n, nil
	return &o.out, nil
}

// prepare empties the output's columns.
func (o *hashAggregate) prepare(columns []*types.Type) {
	if len(o.out.Cols) != len(columns) {
		o.out.Cols = make([]*vector.Vector, len(columns))
	}
	for i, t := range columns {
		if i < len(o.keyTypes) {
			continue // replaced by views of the table's keys
		}
		if o.out.Cols[i] == nil {
			o.out.Cols[i] = &vector.Vector{}
		}
		o.out.Cols[i].Clear(t)
	}
}

func (o *hashAggregate) keysInto(from, n int) {
	for i := range o.keyTypes {
		o.out.Cols[i] = vector.Slice(o.table.Keys()[i], from, n)
	}
}

// statesOf is groups from..from+n-1 as a batch of keys and states.
func (o *hashAggregate) statesOf(from, n int) *vector.Batch {
	o.prepare(o.states)
	if o.table != nil {
		o.keysInto(from, n)
	}
	for i, f := range o.funcs {
		a := &o.inputs[i]
		f.States(o.out.Cols[a.first:a.first+a.width], from, n)
	}
	o.out.N, o.out.Sel = n, nil
	return &o.out
}

// spillGroups writes all groups to the files of their hashes and forgets them.
func (o *hashAggregate) spillGroups() error {
	o.beginSpill()
	if err := o.eachState(func(b *vector.Batch) error { return o.spill.add(b.Cols[:len(o.keyTypes)], b.Cols, nil, b.N) }); err != nil {
		return err
	}
	if o.table.MemSize() > o.mem.working() { // or its empty slots would have the next batch spilled
		o.table = hashtable.New(o.keyTypes)
	}
	o.reset()
	return nil
}

func (o *hashAggregate) beginSpill() {
	if o.spill == nil {
		o.spill = newPartitioner(o.ctx, o.states, o.depth)
	}
}

// eachState calls f with all groups as batches of keys and states.
func (o *hashAggregate) eachState(f func(*vector.Batch) error) error {
	for from := 0; from < o.total(); from += vector.BatchRows {
		if err := f(o.statesOf(from, min(vector.BatchRows, o.total()-from))); err != nil {
			return err
		}
		if err := o.ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}

// nextPart continues with the spilled groups, one file after another.
func (o *hashAggregate) nextPart() (*vector.Batch, error) {
	for {
		if o.sub != nil {
			if b, err := o.sub.Next(); b != nil || err != nil {
				return b, err
			}
			err := o.sub.Close()
			o.sub = nil
			if err != nil {
				return nil, err
			}
		}
		if len(o.parts) == 0 {
			return nil, nil
		}
		part := o.parts[0]
		o.parts = o.parts[1:]
		if part.rows == 0 {
			continue
		}
		c := o.aggregateConfig
		if c.mode == modeComplete {
			c.mode = modeFinal
		}
		c.groupBy, c.merges = columns(c.keyTypes), true
		c.inputs = append([]aggregateInput(nil), c.inputs...)
		for i := range c.inputs {
			c.inputs[i].distinct = nil // only different values were aggregated
		}
		sub, err := newAggregate(c, part, o.depth+1)
		if err != nil {
			part.Close()
			return nil, err
		}
		sub.m = o.m
		o.sub = sub
		if err := sub.Open(o.ctx); err != nil {
			return nil, err
		}
	}
}

func (o *hashAggregate) Close() error {
	o.mem.release()
	o.spill.close()
	o.seen.close()
	err := o.in.Close()
	if o.sub != nil {
		o.sub.Close()
	}
	for _, p := range o.parts {
		p.Close()
	}
	o.table, o.funcs, o.parts, o.sub, o.near = nil, nil, nil, nil, nil
	return err
}

// columnRef evaluates to a column of the batch.
type columnRef struct {
	ordinal int
	t       *types.Type
}

func (c columnRef) Type() *types.Type { return c.t }
func (c columnRef) Eval(_ *expr.Ctx, b *vector.Batch, _ []uint32) (*vector.Vector, error) {
	return b.Cols[c.ordinal], nil
}

// columns are references to the first columns of a batch.
func columns(ts []*types.Type) []expr.Evaluator {
	list := make([]expr.Evaluator, len(ts))
	for i, t := range ts {
		list[i] = columnRef{i, t}
	}
	return list
}
