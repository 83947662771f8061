package operators

import (
	"millrace/vector"
)

// loopParts is a loop join whose right side does not fit: both sides are in files, and each part of the right meets all of the left.
type loopParts struct {
	left, right *spillReader
	pending     *vector.Batch // of the right, read but not part of a part yet
	last        bool          // the present part is the last
	// matched are the left rows that matched in earlier parts, by their place in the file; of joins that emit left rows on their own.
	matched []uint64
	at      int64 // place of the present left batch
	rows    int   // in it
}

// spillSides writes the rows of the right that were read, its rest, and the left to files, and begins with the first part.
func (o *loopJoin) spillSides(rows *vector.Builder) error {
	right := newSpillWriter(o.ctx, o.rightTypes)
	defer right.close()
	if all := rows.Take(); all != nil {
		for from := 0; from < all.N; from += vector.BatchRows {
			n := min(vector.BatchRows, all.N-from)
			if err := right.write(vector.SliceBatch(all, from, n).Cols, nil, n); err != nil {
				return err
			}
		}
	}
	o.mem.release()
	o.parts = &loopParts{}
	var err error
	if o.parts.right, err = o.drainTo(right, o.rightIn); err != nil {
		return err
	}
	left := newSpillWriter(o.ctx, o.leftTypes)
	defer left.close()
	if o.parts.left, err = o.drainTo(left, o.leftIn); err != nil {
		return err
	}
	if o.probeRows != noRows {
		o.parts.matched = make([]uint64, (o.parts.left.rows+63)/64)
		o.keep = o.parts.keep
	}
	o.next = o.parts.nextLeft
	return o.loadPart()
}

// drainTo writes all that an input still has.
func (o *loopJoin) drainTo(w *spillWriter, in Operator) (*spillReader, error) {
	for {
		b, err := in.Next()
		if err != nil {
			return nil, err
		}
		if b == nil {
			return w.finish(o.m)
		}
		if err := w.write(b.Cols, b.Sel, b.N); err != nil {
			return nil, err
		}
		if err := o.ctx.Err(); err != nil {
			return nil, err
		}
	}
}

// nextPart goes on with the next part of the right; false after the last.
func (o *loopJoin) nextPart() (bool, error) {
	if o.parts.last {
		return false, nil
	}
	o.mem.release()
	o.parts.left.rewind()
	o.parts.at, o.parts.rows = 0, 0
	o.drained = 0
	return true, o.loadPart()
}

// loadPart reads as much of the right as fits.
func (o *loopJoin) loadPart() error {
	rows, p := vector.NewBuilder(o.rightTypes), o.parts
	for {
		if p.pending == nil {
			b, err := p.right.Next()
			if err != nil {
				return err
			}
			if b == nil {
				p.last = true
				break
			}
			p.pending = b
		}
		if rows.Len() > 0 && (!o.mem.fits(rows.MemSize()+p.pending.MemSize()) || tooLarge(rows)) {
			break
		}
		rows.AppendSelected(p.pending)
		p.pending = nil
	}
	o.begin(o.wholeOf(rows))
	return nil
}

// nextLeft is the left's next batch.
func (p *loopParts) nextLeft() (*vector.Batch, error) {
	p.at += int64(p.rows)
	b, err := p.left.Next()
	p.rows = 0
	if b != nil {
		p.rows = b.N
	}
	return b, err
}

// recall sets which rows of the present left batch have matched before.
func (p *loopParts) recall(matched []bool) {
	for i := range matched {
		k := p.at + int64(i)
		matched[i] = p.matched[k>>6]>>(k&63)&1 != 0
	}
}

// keep remembers which rows of the present left batch have matched, until the last part has been met.
func (p *loopParts) keep(matched []bool) bool {
	if p.last {
		return false
	}
	for i, m := range matched {
		if m {
			k := p.at + int64(i)
			p.matched[k>>6] |= 1 << (k & 63)
		}
	}
	return true
}

func (p *loopParts) close() {
	if p == nil {
		return
	}
	for _, r := range []*spillReader{p.left, p.right} {
		if r != nil {
			r.Close()
		}
	}
}
