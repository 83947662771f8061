package operators

import (
	"strings"
	"time"

	"millrace/errs"
	"millrace/operators/agg"
	"millrace/operators/rowbytes"
	planpb "millrace/proto/millrace/plan/v1"
	"millrace/state"
	"millrace/types"
	"millrace/vector"
)

// statefulAggregate merges a micro-batch's groups into its partition of a streaming query's state. All input is merged first, then the
// partition is taken, brought forward and committed at once, and only then rows go out: those of the version that was committed, which may
// be another attempt's of the same batch (see package state).
type statefulAggregate struct {
	pb       *planpb.StatefulAggregate
	provider *state.Provider
	merge    *hashAggregate // of the input
	funcs    []agg.Function
	arr      agg.Arranger
	types    []*types.Type
	keys     *rowbytes.Codec
	values   *rowbytes.Codec
	oldRows  *rowbytes.Decoder
	keyRows  *rowbytes.Decoder // of what goes out
	outRows  *rowbytes.Decoder

	ctx  *Ctx
	mem  reservation
	m    *OperatorMetrics
	late int64

	view    *state.View // nil until the batch is committed
	changes *state.Changes
	all     *state.All
	touched map[string]bool // with eviction: keys of the batch
	key     []byte
	value   []byte
	groups  []uint32
	places  ordinals
	columns []*vector.Vector // states of the batch in hand
	out     vector.Batch
}

var _ Operator = (*statefulAggregate)(nil)

func newStatefulAggregate(pb *planpb.StatefulAggregate, in Operator, p *state.Provider, s *planpb.Settings) (*statefulAggregate, error) {
	over := &planpb.HashAggregate{Mode: modeMerge, Groups: pb.Aggregate.Groups, Aggregates: pb.Aggregate.Aggregates}
	op, err := newHashAggregate(over, in, s)
	if err != nil {
		return nil, err
	}
	m := op.(*hashAggregate)
	o := &statefulAggregate{pb: pb, provider: p, merge: m, types: append([]*types.Type(nil), m.keyTypes...)}
	for _, call := range m.calls {
		f, err := agg.New(call)
		if err != nil {
			return nil, err
		}
		o.funcs, o.types = append(o.funcs, f), append(o.types, call.Out)
	}
	o.keys, o.values = rowbytes.Key(m.keyTypes), rowbytes.New(m.states[len(m.keyTypes):])
	o.oldRows, o.keyRows, o.outRows = o.values.Decoder(), o.keys.Decoder(), o.values.Decoder()
	for _, t := range m.states[len(m.keyTypes):] {
		o.columns = append(o.columns, vector.NewEmpty(t))
	}
	return o, nil
}

func (o *statefulAggregate) Output() []*types.Type { return o.types }

func (o *statefulAggregate) setMetrics(m *OperatorMetrics) {
	o.m = m
	o.merge.setMetrics(m)
}

func (o *statefulAggregate) Open(ctx *Ctx) error {
	o.ctx, o.mem = ctx, reservation{pool: ctx.Memory}
	return o.merge.Open(ctx)
}

func (o *statefulAggregate) Next() (*vector.Batch, error) {
	if err := o.complete(); err != nil {
		return nil, err
	}
	return o.emit()
}

// complete commits the batch unless that has been done.
func (o *statefulAggregate) complete() error {
	if o.view != nil {
		return nil
	}
	first, err := o.merge.Next() // which reads the input to its end: nothing is awaited while the partition is held
	if err != nil {
		return err
	}
	t, err := o.provider.Open(o.ctx, o.spec())
	if err != nil {
		return err
	}
	defer t.Close()
	begin := time.Now()
	if !t.Done() {
		if err := o.update(t, first); err != nil {
			return err
		}
	}
	updated := time.Now()
	if !t.Done() && o.evicts() {
		if err := o.evict(t); err != nil {
			return err
		}
	}
	removed := time.Now()
	if o.view, err = t.Commit(o.ctx); err != nil {
		return err
	}
	o.report(updated.Sub(begin), removed.Sub(updated))
	o.mem.release()
	o.changes, o.touched = o.view.Changes(), nil
	if o.pb.Mode == planpb.StatefulAggregate_COMPLETE {
		o.all, err = o.view.All()
	}
	return err
}

func (o *statefulAggregate) spec() state.Spec {
	s := o.pb.Store
	var values strings.Builder
	for i, c := range o.merge.calls {
		a := &o.merge.inputs[i]
		if i > 0 {
			values.WriteString(", ")
		}
		values.WriteString(c.Name + ": " + typesText(o.merge.states[a.first:a.first+a.width]))
	}
	return state.Spec{Location: s.Location, Query: s.Query, Run: s.Run, Operator: int(s.Operator), Partition: o.ctx.Partition, Partitions: int(s.Partitions),
		Version: s.Version, Input: s.Input, Key: typesText(o.merge.keyTypes), Value: "(" + values.String() + ")", SnapshotEvery: int(s.SnapshotEvery),
		Retain: int(s.Retain)}
}

func typesText(list []*types.Type) string {
	names := make([]string, len(list))
	for i, t := range list {
		names[i] = t.String()
	}
	return "(" + strings.Join(names, ", ") + ")"
}

func (o *statefulAggregate) report(update, remove time.Duration) {
	if o.m == nil {
		return
	}
	s := o.view.Stats()
	o.m.State = &StateMetrics{Operator: int(o.pb.Store.Operator), Rows: s.Rows, Bytes: s.Bytes, Updated: s.Updated, Removed: s.Removed, Late: o.late,
		LoadNanos: int64(s.Load), UpdateNanos: int64(update), RemoveNanos: int64(remove), SaveNanos: int64(s.Commit), Stores: 1}
	if s.Reloaded {
		o.m.State.Reloads = 1
	}
}

// update merges all groups of the batch into their states.
func (o *statefulAggregate) update(t *state.Txn, b *vector.Batch) error {
	if o.evicts() {
		o.touched = map[string]bool{}
	}
	for b != nil {
		if err := o.updateBatch(t, b); err != nil {
			return err
		}
		if err := o.mem.must(t.Size()); err != nil {
			return err
		}
		if err := o.ctx.Err(); err != nil {
			return err
		}
		next, err := o.merge.Next()
		if err != nil {
			return err
		}
		b = next
	}
	return nil
}

// updateBatch merges groups, each of which is in one batch only.
func (o *statefulAggregate) updateBatch(t *state.Txn, b *vector.Batch) error {
	n, keys := b.N, b.Cols[:len(o.merge.keyTypes)]
	late, final := o.times(keys)
	lengths, err := o.lookup(t, keys, n)
	if err != nil {
		return err
	}
	if err := o.mergeStates(b, n); err != nil {
		return err
	}
	for k := range n {
		if late != nil && late(k) {
			o.late++
			continue
		}
		o.key = o.keys.Append(o.key[:0], keys, k)
		o.value = o.values.Append(o.value[:0], o.columns, k)
		if o.touched != nil {
			o.touched[string(o.key)] = true
		}
		t.Change(state.Change{Key: o.key, Value: o.value, Updated: true, Removed: final != nil && final(k)}, lengths[k])
	}
	return nil
}

// lookup reads the old states into oldRows and their groups into groups; it returns the lengths of the old values by group, -1 for none.
func (o *statefulAggregate) lookup(t *state.Txn, keys []*vector.Vector, n int) ([]int, error) {
	lengths := make([]int, n)
	o.oldRows.Reset()
	o.groups = o.groups[:0]
	for k := range n {
		o.key = o.keys.Append(o.key[:0], keys, k)
		value, free, err := t.Get(o.key)
		if err != nil {
			return nil, err
		}
		if lengths[k] = -1; value == nil {
			continue
		}
		lengths[k] = len(value)
		err = o.oldRows.Add(value)
		if e := free(); err == nil {
			err = e
		}
		if err != nil {
			return nil, errs.Wrap(err, "read a state")
		}
		o.groups = append(o.groups, uint32(k))
	}
	return lengths, nil
}

// mergeStates leaves in columns the states of the old rows and of the batch's, the old ones first.
func (o *statefulAggregate) mergeStates(b *vector.Batch, n int) error {
	var old []*vector.Vector
	if len(o.groups) > 0 {
		old = o.oldRows.Columns()
	}
	at := len(o.merge.keyTypes)
	for i, f := range o.funcs {
		a := &o.merge.inputs[i]
		f.Reset()
		f.Resize(n)
		if old != nil {
			o.arr.Begin(o.groups, nil, len(o.groups))
			if err := f.Merge(o.arr.Input(old[a.first-at:a.first-at+a.width], false)); err != nil {
				return err
			}
		}
		o.arr.Begin(o.places.upTo(n), nil, n)
		if err := f.Merge(o.arr.Input(b.Cols[a.first:a.first+a.width], false)); err != nil {
			return err
		}
		o.states(i, f, n)
	}
	return nil
}

func (o *statefulAggregate) states(i int, f agg.Function, n int) {
	a, at := &o.merge.inputs[i], len(o.merge.keyTypes)
	columns := o.columns[a.first-at : a.first-at+a.width]
	for _, c := range columns {
		c.Clear(c.Type)
	}
	f.States(columns, 0, n)
}

// emit makes the next batch of results, or nil.
func (o *statefulAggregate) emit() (*vector.Batch, error) {
	o.keyRows.Reset()
	o.outRows.Reset()
	for o.keyRows.Len() < vector.BatchRows {
		key, value, ok, err := o.nextRow()
		if err != nil {
			return nil, err
		}
		if !ok {
			break
		}
		if err := o.keyRows.Add(key); err != nil {
			return nil, errs.Wrap(err, "read a state's key")
		}
		if err := o.outRows.Add(value); err != nil {
			return nil, errs.Wrap(err, "read a state")
		}
	}
	n := o.keyRows.Len()
	if n == 0 {
		return nil, nil
	}
	return &o.out, o.results(n)
}

// nextRow is the next group that goes out.
func (o *statefulAggregate) nextRow() (key, value []byte, ok bool, err error) {
	if o.all != nil {
		return o.all.Next()
	}
	for {
		c, ok, err := o.changes.Next()
		if !ok || err != nil {
			return nil, nil, false, err
		}
		if o.pb.Mode == planpb.StatefulAggregate_APPEND && c.Removed || o.pb.Mode == planpb.StatefulAggregate_UPDATE && c.Updated {
			return c.Key, c.Value, true, nil
		}
	}
}

// results makes the output of the n rows in keyRows and outRows.
func (o *statefulAggregate) results(n int) error {
	at := len(o.merge.keyTypes)
	o.out.Cols, o.out.N = append(o.out.Cols[:0], o.keyRows.Columns()...), n
	states := o.outRows.Columns()
	for i, f := range o.funcs {
		a := &o.merge.inputs[i]
		f.Reset()
		f.Resize(n)
		o.arr.Begin(o.places.upTo(n), nil, n)
		if err := f.Merge(o.arr.Input(states[a.first-at:a.first-at+a.width], false)); err != nil {
			return err
		}
		col := vector.NewEmpty(o.types[at+i])
		if err := f.Result(col, 0, n); err != nil {
			return err
		}
		o.out.Cols = append(o.out.Cols, col)
	}
	return nil
}

func (o *statefulAggregate) Close() error {
	var err error
	if o.all != nil {
		err = o.all.Close()
		o.all = nil
	}
	if o.view != nil {
		if e := o.view.Close(); err == nil {
			err = e
		}
	}
	o.mem.release()
	if e := o.merge.Close(); err == nil {
		err = e
	}
	return err
}

// drained is a tree with stateful operators: before it ends, all of them have committed, though what is above them may not have asked for
// their rows (a limit, a join with nothing on its other side).
type drained struct {
	Operator
	stateful []*statefulAggregate
}

func (d *drained) Next() (*vector.Batch, error) {
	b, err := d.Operator.Next()
	if b != nil || err != nil {
		return b, err
	}
	for _, o := range d.stateful {
		if err := o.complete(); err != nil {
			return nil, err
		}
	}
	return nil, nil
}
