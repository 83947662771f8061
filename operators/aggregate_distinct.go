package operators

import (
	"millrace/types"
	"millrace/vector"
)

// seenValues are the values that DISTINCT functions have met and that had no room in memory, by function: rows of group keys and arguments, in files by the hash of both.
// Equal rows are in one file, so that each file, when its rows have been made different, adds to the states as if there were no other.
type seenValues []*partitioner

func (s seenValues) close() {
	for _, p := range s {
		p.close()
	}
}

// spillSeen moves what DISTINCT functions have met to files and forgets their states, which will be made from the files. Those of other functions go the way of all groups.
func (o *hashAggregate) spillSeen() error {
	if o.seen == nil {
		o.seen = make(seenValues, len(o.inputs))
	}
	groups := o.total()
	for i := range o.inputs {
		if o.inputs[i].distinct == nil {
			continue
		}
		if o.seen[i] == nil {
			o.seen[i] = newPartitioner(o.ctx, o.seenTypes(i), o.depth)
		}
		if err := o.writeSeen(i); err != nil {
			return err
		}
		o.inputs[i].distinct.Reset()
		o.funcs[i].Reset()
		o.funcs[i].Resize(groups)
	}
	if o.table != nil {
		return o.spillGroups()
	}
	o.mem.release()
	if n := o.memSize(); !o.mem.fits(n) {
		return o.shrink(n)
	}
	return nil
}

// seenTypes are the keys and the arguments of a function.
func (o *hashAggregate) seenTypes(i int) []*types.Type {
	return append(append([]*types.Type(nil), o.keyTypes...), typesOf(o.inputs[i].args)...)
}

func (o *hashAggregate) writeSeen(i int) error {
	groups, args := o.inputs[i].distinct.Values()
	for from := 0; from < len(groups); from += vector.BatchRows {
		n := min(vector.BatchRows, len(groups)-from)
		o.groups = o.groups[:0]
		for _, g := range groups[from : from+n] {
			o.groups = append(o.groups, uint32(g))
		}
		var cols []*vector.Vector
		for k, t := range o.keyTypes {
			col := vector.NewEmpty(t)
			col.Append(o.table.Keys()[k], o.groups)
			cols = append(cols, col)
		}
		for _, a := range args {
			cols = append(cols, vector.Slice(a, from, n))
		}
		if err := o.seen[i].add(cols, cols, nil, n); err != nil {
			return err
		}
		if err := o.ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}

// replaySeen updates the DISTINCT functions with the different rows of their files.
func (o *hashAggregate) replaySeen() error {
	if err := o.spillSeen(); err != nil {
		return err
	}
	for i, p := range o.seen {
		if p == nil {
			continue
		}
		parts, err := p.finish(o.m)
		if err != nil {
			return err
		}
		for k, part := range parts {
			if err := o.replayPart(i, part); err != nil {
				for _, rest := range parts[k:] {
					rest.Close()
				}
				return err
			}
		}
	}
	return nil
}

func (o *hashAggregate) replayPart(i int, part *spillReader) error {
	if part.rows == 0 {
		return part.Close()
	}
	ts := o.seenTypes(i)
	different, err := newAggregate(aggregateConfig{mode: modeComplete, groupBy: columns(ts), keyTypes: ts, settings: o.settings, states: ts}, part, o.depth+1)
	if err != nil {
		return err
	}
	different.m = o.m
	defer different.Close()
	if err := different.Open(o.ctx); err != nil {
		return err
	}
	for {
		b, err := different.Next()
		if b == nil || err != nil {
			return err
		}
		if err := o.addSeen(i, b); err != nil {
			return err
		}
	}
}

// addSeen updates one function with rows of keys and arguments.
func (o *hashAggregate) addSeen(i int, b *vector.Batch) error {
	n, keys := b.Rows(), len(o.keyTypes)
	var groups []uint32
	if o.table != nil {
		o.groups = resizeRows(o.groups, n)
		o.table.Find(b.Cols[:keys], b.Sel, n, o.groups)
		groups = o.groups
	}
	o.resize(o.total())
	o.arr.Begin(groups, b.Sel, n)
	if err := o.funcs[i].Update(o.arr.Input(b.Cols[keys:], false)); err != nil {
		return err
	}
	if size := o.memSize(); !o.mem.fits(size) {
		return o.shrink(size)
	}
	return nil
}
