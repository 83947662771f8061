package operators

import "millrace/vector"

const (
	nearBits = 6
	nearRows = 2 * vector.BatchRows // gathered for a batch of a part
	nearSalt = 1 << 32              // differs from those of files
)

// nearParts are the states of more groups than a core's cache holds, dealt out by hash, in memory: the groups of one part after another are merged in
// a table that is near.
type nearParts struct {
	scatter
	rows  []*vector.Builder // by part: what was added last
	full  [][]*vector.Batch // and before
	bytes int64             // of full
	next  int               // part to be merged
}

// startNear makes the parts of the groups so far.
func (o *hashAggregate) startNear() error {
	p := &nearParts{scatter: newScatter(nearBits, nearSalt), rows: make([]*vector.Builder, 1<<nearBits), full: make([][]*vector.Batch, 1<<nearBits)}
	for i := range p.rows {
		p.rows[i] = vector.NewBuilder(o.states)
	}
	o.near = p
	err := o.eachState(func(b *vector.Batch) error { return p.add(b.Cols[:len(o.keyTypes)], b.Cols, nil, b.N) })
	o.reset()
	return err
}

// add deals rows out.
func (p *nearParts) add(keys, cols []*vector.Vector, sel []uint32, n int) error {
	return p.split(keys, sel, n, func(part int, rows []uint32) error {
		p.rows[part].AppendColumns(cols, rows, 0)
		if p.rows[part].Len() >= nearRows {
			p.take(part)
		}
		return nil
	})
}

// take moves what was added last to a part's batches.
func (p *nearParts) take(part int) {
	if b := p.rows[part].Take(); b != nil {
		p.full[part] = append(p.full[part], b)
		p.bytes += b.MemSize()
	}
}

func (p *nearParts) memSize() int64 {
	n := p.bytes
	for _, b := range p.rows[p.next:] {
		n += b.MemSize()
	}
	return n
}

// addNear adds states to the parts, which go to files when memory is short.
func (o *hashAggregate) addNear(b *vector.Batch) error {
	keys, err := o.evalKeys(b)
	if err != nil {
		return err
	}
	if err := o.near.add(keys, b.Cols, b.Sel, b.Rows()); err != nil {
		return err
	}
	if o.mem.fits(o.near.memSize()) {
		return nil
	}
	return o.spillNear()
}

// nextNear merges the groups of the next part. When memory is short even for them, they and the rest go to files.
func (o *hashAggregate) nextNear() error {
	p := o.near
	if p.next == len(p.rows) {
		o.near = nil
		return nil
	}
	part := p.next
	p.take(part)
	batches := p.full[part]
	for i, b := range batches {
		batches[i] = nil
		if err := o.add(b); err != nil {
			return err
		}
		p.bytes -= b.MemSize()
		if o.mem.fits(o.memSize()) {
			continue
		}
		p.full[part] = batches[i+1:]
		if err := o.spillNear(); err != nil {
			return err
		}
		return o.endSpill()
	}
	p.full[part] = nil
	p.next++
	o.emitted = 0
	return nil
}

// spillNear writes the parts to files.
func (o *hashAggregate) spillNear() error {
	p := o.near
	o.near = nil
	o.beginSpill()
	for i := p.next; i < len(p.rows); i++ {
		p.take(i)
		for _, b := range p.full[i] {
			if err := o.spill.add(b.Cols[:len(o.keyTypes)], b.Cols, nil, b.N); err != nil {
				return err
			}
			if err := o.ctx.Err(); err != nil {
				return err
			}
		}
		p.full[i] = nil
	}
	if o.total() == 0 {
		o.mem.release()
	}
	return nil
}
