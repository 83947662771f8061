package operators

import (
	"millrace/operators/agg"
	"millrace/vector"
)

// add feeds a batch to the table and the functions.
func (o *hashAggregate) add(b *vector.Batch) error {
	n := b.Rows()
	o.rows += int64(n)
	groups, err := o.group(b, n)
	if err != nil {
		return err
	}
	o.resize(o.total())
	return o.feed(b, groups, n)
}

// group finds the group of every existing row; nil when there is one group.
func (o *hashAggregate) group(b *vector.Batch, n int) ([]uint32, error) {
	if o.table == nil {
		return nil, nil
	}
	keys, err := o.evalKeys(b)
	if err != nil {
		return nil, err
	}
	o.groups = resizeRows(o.groups, n)
	o.table.Find(keys, b.Sel, n, o.groups)
	return o.groups, nil
}

func (o *hashAggregate) evalKeys(b *vector.Batch) ([]*vector.Vector, error) {
	o.keys = o.keys[:0]
	for _, e := range o.groupBy {
		v, err := e.Eval(&o.ctx.Ctx, b, b.Sel)
		if err != nil {
			return nil, err
		}
		o.keys = append(o.keys, v)
	}
	return o.keys, nil
}

func resizeRows(s []uint32, n int) []uint32 {
	if cap(s) < n {
		return make([]uint32, n, n+n/4+1)
	}
	return s[:n]
}

// feed updates, or merges, all functions with a batch whose rows' groups are known.
func (o *hashAggregate) feed(b *vector.Batch, groups []uint32, n int) error {
	o.arr.Begin(groups, b.Sel, n)
	merging := o.mode == modeFinal || o.mode == modeMerge
	for i, f := range o.funcs {
		a := &o.inputs[i]
		var err error
		switch {
		case merging:
			err = f.Merge(o.arr.Input(b.Cols[a.first:a.first+a.width], false))
		case a.filter != nil || a.distinct != nil:
			err = o.feedSome(a, f, b, groups, n)
		default:
			if err = o.evalArgs(a, b, b.Sel); err == nil {
				err = f.Update(o.arr.Input(a.values, !f.TakesNulls()))
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (o *hashAggregate) evalArgs(a *aggregateInput, b *vector.Batch, sel []uint32) error {
	a.values = a.values[:0]
	for _, e := range a.args {
		v, err := e.Eval(&o.ctx.Ctx, b, sel)
		if err != nil {
			return err
		}
		a.values = append(a.values, v)
	}
	return nil
}

// feedSome updates a function that has a filter or wants distinct values.
func (o *hashAggregate) feedSome(a *aggregateInput, f agg.Function, b *vector.Batch, groups []uint32, n int) error {
	sel := b.Sel
	if a.filter != nil {
		kept, err := a.filter.Select(&o.ctx.Ctx, b, b.Sel)
		if err != nil {
			return err
		}
		groups = a.groupsOf(kept, b.Sel, groups)
		sel, n = kept, len(kept)
	}
	if n == 0 {
		return nil
	}
	if err := o.evalArgs(a, b, sel); err != nil {
		return err
	}
	var arr agg.Arranger
	arr.Begin(groups, sel, n)
	in := arr.Input(a.values, !f.TakesNulls())
	if a.distinct != nil {
		in = a.distinct.First(in)
	}
	return f.Update(in)
}

// groupsOf are the groups of the rows kept of sel (nil: all rows).
func (a *aggregateInput) groupsOf(kept, sel, groups []uint32) []uint32 {
	if groups == nil {
		return nil
	}
	a.groups = a.groups[:0]
	k := 0
	for _, r := range kept {
		if sel == nil {
			k = int(r)
		} else {
			for sel[k] != r {
				k++
			}
		}
		a.groups = append(a.groups, groups[k])
	}
	return a.groups
}

// nextPassed makes every row of the next batch a group of its own.
func (o *hashAggregate) nextPassed() (*vector.Batch, error) {
	b, err := o.in.Next()
	if b == nil || err != nil {
		o.ended = true
		return nil, err
	}
	n := b.Rows()
	keys, err := o.evalKeys(b)
	if err != nil {
		return nil, err
	}
	for _, f := range o.funcs {
		f.Reset()
	}
	o.resize(n)
	o.groups = resizeRows(o.groups, n)
	for k := range o.groups {
		o.groups[k] = uint32(k)
	}
	if err := o.feed(b, o.groups, n); err != nil {
		return nil, err
	}
	o.prepare(o.states)
	for i, k := range keys {
		col := vector.NewEmpty(k.Type)
		if b.Sel == nil {
			k = vector.Slice(k, 0, n)
		}
		col.Append(k, b.Sel)
		o.out.Cols[i] = col
	}
	for i, f := range o.funcs {
		a := &o.inputs[i]
		f.States(o.out.Cols[a.first:a.first+a.width], 0, n)
	}
	o.out.N, o.out.Sel = n, nil
	return &o.out, nil
}
