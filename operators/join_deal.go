package operators

import (
	"millrace/vector"
)

// joinDeal deals the rows of both sides of a join out to parts by the hash of their keys. A part's build rows are in memory or in a file; probe rows of parts in
// memory are joined at once, the others go to a file of their part.
type joinDeal struct {
	scatter
	parts        []uint8 // of the build rows in memory
	counts       [radixParts]int
	build, probe [radixParts]*spillWriter // nil: the part is in memory
	files        [radixParts]*spillReader // of the build side, when it has ended
	narrows      bool
	bounds       *vector.Builder // of all the build side's keys: there are none below or above all of these
	none         bool            // there is a null among the keys of NOT IN's right side
	kept         []uint32        // rows of a batch that stay in memory
	out          vector.Batch
}

// makeRoom moves parts of the build side to disk. What has been divided and hardly comes apart again, such as the rows of a single key, is met block by block.
func (o *hashJoin) makeRoom() error {
	if o.deal == nil && o.depth < maxDepth {
		if err := o.beginDeal(); err != nil {
			return err
		}
	}
	if o.depth == maxDepth || o.depth > 0 && !o.deal.spilled() && 8*o.deal.counts[o.deal.largest()] >= 7*o.rows.Len() {
		o.deal = nil
		o.blocks = &blocks{build: o.buildIn.(*spillReader), probe: o.probeIn.(*spillReader)}
		o.blocks.begin(&o.joiner)
		return nil
	}
	return o.spillParts()
}

// beginDeal finds the parts of the rows in memory.
func (o *hashJoin) beginDeal() error {
	d := &joinDeal{scatter: newScatter(radixBits, uint64(o.depth+1)), narrows: o.narrows(), bounds: vector.NewBuilder(o.table.types), kept: make([]uint32, 0, vector.BatchRows)}
	o.deal = d
	_, keys := o.inMemory()
	d.parts = make([]uint8, 0, keys.N)
	for from := 0; from < keys.N; from += vector.BatchRows {
		n := min(vector.BatchRows, keys.N-from)
		cols := vector.SliceBatch(keys, from, n).Cols
		o.note(cols, nil, n)
		for _, h := range d.hash(cols, nil, n) {
			p := d.part(h)
			d.parts = append(d.parts, uint8(p))
			d.counts[p]++
		}
		if err := o.ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}

// note remembers what is to be known of all the build side's keys.
func (o *hashJoin) note(keys []*vector.Vector, sel []uint32, n int) {
	d := o.deal
	if o.nullAware() && !d.none {
		rest := notNull(keys, nil, sel, n)
		d.none = rest != nil && len(rest) < n
	}
	for _, k := range keys {
		if !d.narrows || !bounded(k.Type) {
			continue
		}
		if lo, hi := extremes(k, sel, n); lo >= 0 {
			d.bounds.AppendColumns(keys, []uint32{uint32(lo), uint32(hi)}, 0)
		}
	}
}

func (d *joinDeal) largest() int {
	most := 0
	for p, n := range d.counts {
		if n > d.counts[most] {
			most = p
		}
	}
	return most
}

// spilled reports whether a part is on disk.
func (d *joinDeal) spilled() bool { return d.build != [radixParts]*spillWriter{} }

// spillParts moves the largest parts to disk until an eighth of the rows in memory has gone: fewer would have the rest copied too often.
func (o *hashJoin) spillParts() error {
	if o.deal == nil {
		if err := o.beginDeal(); err != nil {
			return err
		}
	}
	d := o.deal
	for gone := 0; 8*gone < o.rows.Len(); {
		p := d.largest()
		d.build[p], d.probe[p] = newSpillWriter(o.ctx, o.buildIn.Output()), newSpillWriter(o.ctx, o.probeIn.Output())
		gone += d.counts[p]
		d.counts[p] = 0
	}
	kept, rows := make([]uint32, 0, o.rows.Len()), o.rows.Batch()
	for from := 0; from < rows.N; from += 8 * vector.BatchRows {
		d.clear()
		for r := from; r < min(from+8*vector.BatchRows, rows.N); r++ {
			if p := d.parts[r]; d.build[p] != nil {
				d.rows[p] = append(d.rows[p], uint32(r))
			} else {
				d.parts[len(kept)] = p
				kept = append(kept, uint32(r))
			}
		}
		if err := d.write(&d.build, rows.Cols); err != nil {
			return err
		}
		if err := o.ctx.Err(); err != nil {
			return err
		}
	}
	d.parts = d.parts[:len(kept)]
	o.rows.Retain(kept)
	o.keys.Retain(kept)
	if o.size(0) > o.mem.held {
		o.fit()
	}
	return nil
}

// fit gives back what the buffers of the rows in memory hold beyond them.
func (o *hashJoin) fit() {
	for _, b := range []*vector.Builder{o.rows, o.keys} {
		for _, c := range b.Columns() {
			c.Fit()
		}
	}
}

// write writes rows of columns to their parts' files.
func (d *joinDeal) write(to *[radixParts]*spillWriter, cols []*vector.Vector) error {
	return d.each(func(p int, rows []uint32) error { return to[p].write(cols, rows, 0) })
}

// dealBuild writes the rows of a batch of the build side whose parts are on disk. The others, which it returns, are to be kept.
func (o *hashJoin) dealBuild(keys []*vector.Vector, b *vector.Batch, sel []uint32) ([]uint32, error) {
	d, n := o.deal, b.N
	if sel != nil {
		n = len(sel)
	}
	d.clear()
	d.kept = d.kept[:0]
	if n == 0 {
		return d.kept, nil
	}
	o.note(keys, sel, n)
	for k, h := range d.hash(keys, sel, n) {
		p, r := d.part(h), uint32(at(sel, k))
		if d.build[p] != nil {
			d.rows[p] = append(d.rows[p], r)
			continue
		}
		d.kept, d.parts = append(d.kept, r), append(d.parts, uint8(p))
		d.counts[p]++
	}
	return d.kept, d.write(&d.build, b.Cols)
}

// nextProbe is the next rows of the probe side whose parts are in memory, or that match nothing; the others it writes.
func (o *hashJoin) nextProbe() (*vector.Batch, error) {
	d := o.deal
	for {
		b, err := o.probeIn.Next()
		if b == nil || err != nil {
			return nil, err
		}
		if err := o.ctx.Err(); err != nil {
			return nil, err
		}
		keys, err := o.evalKeys(o.probeKeys, b)
		if err != nil {
			return nil, err
		}
		sel, n := b.Sel, b.Rows()
		if o.nullAware() {
			if sel = notNull(keys, nil, sel, n); sel != nil {
				n = len(sel)
			}
		}
		o.dealProbe(keys, sel, n)
		if err := d.write(&d.probe, b.Cols); err != nil {
			return nil, err
		}
		switch len(d.kept) {
		case 0:
		case b.N:
			return b, nil
		default:
			d.out = vector.Batch{Cols: b.Cols, N: b.N, Sel: d.kept}
			return &d.out, nil
		}
	}
}

func (o *hashJoin) dealProbe(keys []*vector.Vector, sel []uint32, n int) {
	d, nulls := o.deal, false
	for i, k := range keys {
		nulls = nulls || k.HasNulls() && !(i < len(o.pb.NullSafe) && o.pb.NullSafe[i])
	}
	d.clear()
	d.kept = d.kept[:0]
	for k, h := range d.hash(keys, sel, n) {
		p, r := d.part(h), at(sel, k)
		if d.probe[p] == nil || nulls && o.nullKey(keys, r) {
			d.kept = append(d.kept, uint32(r))
		} else {
			d.rows[p] = append(d.rows[p], uint32(r))
		}
	}
}

// nullKey reports whether a row has a null key that matches nothing.
func (o *hashJoin) nullKey(keys []*vector.Vector, r int) bool {
	for i, k := range keys {
		if k.IsNull(r) && !(i < len(o.pb.NullSafe) && o.pb.NullSafe[i]) {
			return true
		}
	}
	return false
}

// endBuild ends the build side's files.
func (d *joinDeal) endBuild(m *OperatorMetrics) error {
	d.parts = nil
	for p, w := range d.build {
		if w == nil {
			continue
		}
		r, err := w.finish(m)
		if err != nil {
			return err
		}
		d.files[p] = r
	}
	return nil
}

// endProbe ends the probe side's files, and hands over those of both sides.
func (d *joinDeal) endProbe(m *OperatorMetrics) (parts [][2]*spillReader, err error) {
	for p, w := range d.probe {
		if w == nil {
			continue
		}
		r, err := w.finish(m)
		if err != nil {
			return parts, err
		}
		parts = append(parts, [2]*spillReader{d.files[p], r})
		d.files[p] = nil
	}
	return parts, nil
}

func (d *joinDeal) close() {
	if d == nil {
		return
	}
	for p := range radixParts {
		if w := d.build[p]; w != nil {
			w.close()
			d.probe[p].close()
		}
		if r := d.files[p]; r != nil {
			r.Close()
		}
	}
}

// nextBlock goes on with the next block of the build side.
func (o *hashJoin) nextBlock() error {
	o.release()
	o.rows, o.keys, o.drained = vector.NewBuilder(o.buildIn.Output()), vector.NewBuilder(o.table.types), 0
	fits := func(b *vector.Batch) bool {
		return o.mem.fits(o.size(tableRow*int64(o.rows.Len()+b.Rows()))+b.MemSize()) && !tooLarge(o.rows) && !tooLarge(o.keys)
	}
	if err := o.blocks.load(fits, o.addBuild); err != nil {
		return err
	}
	return o.fillTable()
}
