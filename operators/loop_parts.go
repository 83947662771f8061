package operators

import (
	"millrace/vector"
)

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
	o.parts = &blocks{}
	var err error
	if o.parts.build, err = o.drainTo(right, o.rightIn); err != nil {
		return err
	}
	left := newSpillWriter(o.ctx, o.leftTypes)
	defer left.close()
	if o.parts.probe, err = o.drainTo(left, o.leftIn); err != nil {
		return err
	}
	o.parts.begin(&o.joiner)
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
	o.drained = 0
	return true, o.loadPart()
}

// loadPart reads as much of the right as fits.
func (o *loopJoin) loadPart() error {
	rows := vector.NewBuilder(o.rightTypes)
	err := o.parts.load(func(b *vector.Batch) bool { return o.mem.fits(rows.MemSize()+b.MemSize()) && !tooLarge(rows) },
		func(b *vector.Batch) error { rows.AppendSelected(b); return nil })
	o.begin(o.wholeOf(rows))
	return err
}
