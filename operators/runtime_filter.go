package operators

import (
	planpb "millrace/proto/millrace/plan/v1"
	"millrace/types"
	"millrace/vector"
)

// runtimeFilter leaves out rows of whose keys the other side of a join has none. It lets pass some that will not match either.
type runtimeFilter struct {
	in, filters Operator
	keys        joinKeys
	exprs       []*planpb.Expr // the keys
	ctx         *Ctx
	m           *OperatorMetrics
	mem         reservation

	loaded       bool
	all          bool // everything passes
	none         bool // nothing does
	filter       bloom
	looked, kept int
	rows         []uint32
	out          vector.Batch
}

func newRuntimeFilter(pb *planpb.RuntimeFilter, in, filters Operator, s *planpb.Settings) (Operator, error) {
	keys, err := newJoinKeys(pb.Keys, pb.NullSafe, in, s)
	return &runtimeFilter{in: in, filters: filters, keys: keys, exprs: pb.Keys}, err
}

func (o *runtimeFilter) Output() []*types.Type         { return o.in.Output() }
func (o *runtimeFilter) setMetrics(m *OperatorMetrics) { o.m = m }

func (o *runtimeFilter) Open(ctx *Ctx) error {
	o.ctx, o.mem = ctx, reservation{pool: ctx.Memory}
	return openAll(ctx, o.in, o.filters)
}

func (o *runtimeFilter) Close() error {
	o.mem.release()
	return closeAll(o.in, o.filters)
}

// Narrow implements Narrower.
func (o *runtimeFilter) Narrow(column int, w *Wanted) bool { return narrow(o.in, column, w) }

// What is tried before a filter that leaves out less than one row of so many is given up.
const (
	filterTrial = 32 * vector.BatchRows
	filterShare = 8
)

func (o *runtimeFilter) Next() (*vector.Batch, error) {
	if !o.loaded {
		o.loaded = true
		if err := o.load(); err != nil {
			return nil, err
		}
	}
	for !o.none {
		b, err := o.in.Next()
		if b == nil || err != nil || o.all {
			return b, err
		}
		keys, sel, n, err := o.keys.of(o.ctx, b)
		if err != nil {
			return nil, err
		}
		o.rows = resizeRows(o.rows, n)
		kept := o.filter.sift(o.keys.hash(keys, sel, n), sel, o.rows)
		o.m.RowsSkipped += int64(b.Rows() - kept)
		o.looked, o.kept = o.looked+b.Rows(), o.kept+kept
		o.all = o.looked > filterTrial && (o.looked-o.kept)*filterShare < o.looked
		switch kept {
		case 0:
		case b.N:
			return b, nil
		default:
			o.out = vector.Batch{Cols: b.Cols, N: b.N, Sel: o.rows[:kept]}
			return &o.out, nil
		}
	}
	return nil, nil
}

// load reads the filters of all tasks, makes one of them, and tells the input what is wanted of it.
func (o *runtimeFilter) load() error {
	keys := vector.NewBuilder(typesOf(o.keys.evals))
	exact := true // keys are all that there are
	for {
		b, err := o.filters.Next()
		if err != nil {
			return err
		}
		if b == nil {
			break
		}
		keys.AppendColumns(b.Cols[2:], b.Sel, b.N)
		for k := range b.Rows() {
			r := rowOf(b, k)
			switch kind := vector.Values[int32](b.Cols[0])[b.Cols[0].Row(r)]; kind {
			case lowKeys:
				exact = false
				o.merge(b.Cols[1].Str(r))
			case anyKeys:
				o.all = true
			}
		}
	}
	found := keys.Take()
	switch {
	case o.all:
		return nil
	case found == nil:
		o.none = true
		return nil
	}
	o.wanted(found, exact)
	return o.addKeys(found, exact)
}

func (o *runtimeFilter) merge(b []byte) {
	if o.all {
		return
	}
	if o.filter.words == nil {
		if o.mem.must(int64(len(b))) != nil {
			o.all = true
			return
		}
		o.filter = newBloom(8 * int64(len(b)))
	}
	o.all = !o.filter.merge(b)
}

// addKeys adds the keys that came one by one; that bounds are among them does no harm.
func (o *runtimeFilter) addKeys(keys *vector.Batch, exact bool) error {
	if exact {
		o.filter = newBloom(64 * int64(keys.N))
	}
	sel := notNull(keys.Cols, o.keys.nullSafe, nil, keys.N)
	n := keys.N
	if sel != nil {
		n = len(sel)
	}
	o.filter.add(o.keys.hash(keys.Cols, sel, n))
	return nil
}

func (o *runtimeFilter) wanted(keys *vector.Batch, exact bool) {
	for i, e := range o.exprs {
		if i < len(o.keys.nullSafe) && o.keys.nullSafe[i] || !narrowBy(o.in, e, nil) {
			continue
		}
		if w := wantedKeys(keys.Cols[i], keys.N, exact); w != nil {
			narrowBy(o.in, e, w)
		}
	}
}

// notNull is the rows of sel (nil: 0..n-1) whose keys are not null, where null is not safe: nil for all of them when sel is nil.
func notNull(keys []*vector.Vector, nullSafe []bool, sel []uint32, n int) []uint32 {
	for i, c := range keys {
		if !c.HasNulls() || i < len(nullSafe) && nullSafe[i] {
			continue
		}
		kept := make([]uint32, 0, n)
		for k := range n {
			if r := at(sel, k); !c.IsNull(r) {
				kept = append(kept, uint32(r))
			}
		}
		sel, n = kept, len(kept)
	}
	return sel
}

var _ Narrower = (*runtimeFilter)(nil)
