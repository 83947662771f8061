package operators

import (
	"millrace/operators/hashtable"
	"millrace/types"
	"millrace/vector"
)

// A spilling operator divides its rows by hash into radixParts files; a part that is still too large is divided again with
// other bits, up to maxDepth times.
const (
	radixBits  = 4
	radixParts = 1 << radixBits
	maxDepth   = 6
)

// scatter deals rows out by the hash of keys.
type scatter struct {
	salt   uint64 // what one salt brings together another takes apart
	bits   uint   // of the number of parts
	rows   [][]uint32
	hasher hashtable.Hasher
	hashes []uint64
}

func newScatter(bits uint, salt uint64) scatter {
	return scatter{salt: salt * 0x94d049bb133111eb, bits: bits, rows: make([][]uint32, 1<<bits)}
}

// hash is the hashes of the keys of rows sel (nil: 0..n-1; n in all).
func (p *scatter) hash(keys []*vector.Vector, sel []uint32, n int) []uint64 {
	if cap(p.hashes) < n {
		p.hashes = make([]uint64, n+n/4)
	}
	p.hasher.Hash(keys, sel, n, p.hashes[:n])
	return p.hashes[:n]
}

// part is where a hash is dealt to.
func (p *scatter) part(h uint64) int { return int(hashtable.Mix(h^p.salt) >> (64 - p.bits)) }

// split calls put for each part that rows go to, with those among sel (nil: 0..n-1; n in all), whose keys are aligned with them.
func (p *scatter) split(keys []*vector.Vector, sel []uint32, n int, put func(part int, rows []uint32) error) error {
	p.clear()
	for k, h := range p.hash(keys, sel, n) {
		part := p.part(h)
		r := uint32(k)
		if sel != nil {
			r = sel[k]
		}
		p.rows[part] = append(p.rows[part], r)
	}
	return p.each(put)
}

func (p *scatter) clear() {
	for i := range p.rows {
		p.rows[i] = p.rows[i][:0]
	}
}

// each calls put for each part that has rows.
func (p *scatter) each(put func(part int, rows []uint32) error) error {
	for i, rows := range p.rows {
		if len(rows) == 0 {
			continue
		}
		if err := put(i, rows); err != nil {
			return err
		}
	}
	return nil
}

// partitioner scatters rows to spill files by the hash of keys.
type partitioner struct {
	scatter
	writers [radixParts]*spillWriter
}

func newPartitioner(ctx *Ctx, columns []*types.Type, depth int) *partitioner {
	p := &partitioner{scatter: newScatter(radixBits, uint64(depth+1))}
	for i := range p.writers {
		p.writers[i] = newSpillWriter(ctx, columns)
	}
	return p
}

// add scatters the rows sel (nil: 0..n-1) of columns, by keys that are aligned with them; n is the number of rows in sel.
func (p *partitioner) add(keys, cols []*vector.Vector, sel []uint32, n int) error {
	return p.split(keys, sel, n, func(part int, rows []uint32) error { return p.writers[part].write(cols, rows, 0) })
}

// finish ends all files.
func (p *partitioner) finish(m *OperatorMetrics) ([]*spillReader, error) {
	var list []*spillReader
	for _, w := range p.writers {
		r, err := w.finish(m)
		if err != nil {
			for _, r := range list {
				r.Close()
			}
			return nil, err
		}
		list = append(list, r)
	}
	return list, nil
}

func (p *partitioner) close() {
	if p == nil {
		return
	}
	for _, w := range p.writers {
		w.close()
	}
}
