package operators

import "millrace/vector"

// blocks is a join whose build side does not fit and is not divided: both sides are in files, and each block of the build side meets all of the probe side.
type blocks struct {
	build, probe *spillReader
	pending      *vector.Batch // of the build side, read but not part of a block yet
	last         bool          // the present block is the last
	// matched are the probe rows that matched in earlier blocks, by their place in the file; of joins that emit probe rows on their own.
	matched []uint64
	at      int64 // place of the present probe batch
	rows    int   // in it
}

// begin has a joiner read the probe side from the file.
func (b *blocks) begin(j *joiner) {
	j.next = b.nextProbe
	if j.probeRows != noRows {
		b.matched = make([]uint64, (b.probe.rows+63)/64)
		j.keep = b.keep
	}
}

// load reads the next block: at least a batch, and more while they fit.
func (b *blocks) load(fits func(*vector.Batch) bool, add func(*vector.Batch) error) error {
	b.at, b.rows = 0, 0
	b.probe.rewind()
	for first := true; ; first = false {
		if b.pending == nil {
			p, err := b.build.Next()
			if err != nil {
				return err
			}
			if p == nil {
				b.last = true
				return nil
			}
			b.pending = p
		}
		if !first && !fits(b.pending) {
			return nil
		}
		if err := add(b.pending); err != nil {
			return err
		}
		b.pending = nil
	}
}

// nextProbe is the probe side's next batch.
func (b *blocks) nextProbe() (*vector.Batch, error) {
	b.at += int64(b.rows)
	p, err := b.probe.Next()
	b.rows = 0
	if p != nil {
		b.rows = p.N
	}
	return p, err
}

// recall sets which rows of the present probe batch have matched before.
func (b *blocks) recall(matched []bool) {
	for i := range matched {
		k := b.at + int64(i)
		matched[i] = b.matched[k>>6]>>(k&63)&1 != 0
	}
}

// keep remembers which rows of the present probe batch have matched, until the last block has been met.
func (b *blocks) keep(matched []bool) bool {
	if b.last {
		return false
	}
	for i, m := range matched {
		if m {
			k := b.at + int64(i)
			b.matched[k>>6] |= 1 << (k & 63)
		}
	}
	return true
}

// close removes the files.
func (b *blocks) close() {
	if b == nil {
		return
	}
	for _, r := range []*spillReader{b.build, b.probe} {
		if r != nil {
			r.Close()
		}
	}
}
