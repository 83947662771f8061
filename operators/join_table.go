package operators

import (
	"millrace/operators/hashtable"
	"millrace/types"
	"millrace/vector"
)

// joinTable holds the build side's rows by key.
type joinTable struct {
	types    []*types.Type
	nullSafe []bool
	table    *hashtable.Table
	// The build rows of key number g are rows[first[g]:first[g+1]]. Without first it is rows[g] alone; without rows, too, it is row g.
	first, rows []uint32

	keys    []*vector.Vector
	numbers []uint32 // of the probe batch's rows in probed
	probed  []uint32
	at      int // place in probed
	next    uint32
}

func (t *joinTable) init(keys []*types.Type, nullSafe []bool) {
	*t = joinTable{types: keys, nullSafe: nullSafe, table: hashtable.NewIndex(keys), keys: t.keys}
}

// memSize is the bytes that the table holds.
func (t *joinTable) memSize() int64 { return t.table.MemSize() + 4*int64(cap(t.first)+cap(t.rows)) }

// fill numbers the build rows' keys and lists the rows of every number; rows with a null key that is not null-safe match nothing.
func (t *joinTable) fill(ctx *Ctx, keys *vector.Batch) error {
	numbers := make([]uint32, keys.N)
	t.table.Expect(keys.Cols)
	for from := 0; from < keys.N; from += vector.BatchRows {
		if err := ctx.Err(); err != nil {
			return err
		}
		n := min(vector.BatchRows, keys.N-from)
		part := vector.SliceBatch(keys, from, n)
		out := numbers[from : from+n]
		sel := t.withKeys(part.Cols, nil, n)
		if sel == nil {
			t.table.Find(part.Cols, nil, n, out)
			continue
		}
		for i := range out {
			out[i] = hashtable.Absent
		}
		t.numbers = resizeRows(t.numbers, len(sel))
		t.table.Find(part.Cols, sel, len(sel), t.numbers)
		for k, r := range sel {
			out[r] = t.numbers[k]
		}
	}
	t.list(numbers)
	return nil
}

// list sorts the build rows by their keys' numbers.
func (t *joinTable) list(numbers []uint32) {
	if inOrder(numbers) {
		return
	}
	groups := t.table.Len()
	first := make([]uint32, groups+1)
	for _, g := range numbers {
		if g != hashtable.Absent {
			first[g+1]++
		}
	}
	for g := range groups {
		first[g+1] += first[g]
	}
	t.rows = make([]uint32, first[groups])
	if len(t.rows) == groups { // every key has one row
		for r, g := range numbers {
			if g != hashtable.Absent {
				t.rows[g] = uint32(r)
			}
		}
		return
	}
	t.first = first
	at := append([]uint32(nil), first...)
	for r, g := range numbers {
		if g != hashtable.Absent {
			t.rows[at[g]] = uint32(r)
			at[g]++
		}
	}
}

// inOrder reports whether every row has its own number.
func inOrder(numbers []uint32) bool {
	for r, g := range numbers {
		if uint32(r) != g {
			return false
		}
	}
	return true
}

// withKeys is the rows of sel (nil: 0..n-1) whose keys can match: nil for all of them when sel is nil.
func (t *joinTable) withKeys(keys []*vector.Vector, sel []uint32, n int) []uint32 {
	return notNull(keys, t.nullSafe, sel, n)
}

// lookup finds the numbers of a probe batch's keys, and keeps the rows that have one.
func (t *joinTable) lookup(keys []*vector.Vector, b *vector.Batch) {
	n := b.Rows()
	sel := t.withKeys(keys, b.Sel, n)
	if sel != nil {
		n = len(sel)
	}
	t.numbers, t.probed = resizeRows(t.numbers, n), resizeRows(t.probed, n)
	t.table.Lookup(keys, sel, n, t.numbers)
	hits := 0
	for k, g := range t.numbers[:n] {
		r := uint32(k)
		if sel != nil {
			r = sel[k]
		}
		t.probed[hits], t.numbers[hits] = r, g
		if g != hashtable.Absent {
			hits++
		}
	}
	t.probed, t.numbers, t.at, t.next = t.probed[:hits], t.numbers[:hits], 0, 0
}

// pairs appends the next pairs, a batch's worth at most; once takes only the first build row of each probe row.
func (t *joinTable) pairs(probe, build []uint32, once bool) (p, b []uint32, more bool) {
	if t.first == nil || once {
		return append(probe, t.probed...), t.firstRows(build), false
	}
	for ; t.at < len(t.probed); t.at++ {
		g, r := t.numbers[t.at], t.probed[t.at]
		from, to := t.first[g]+t.next, t.first[g+1]
		room := uint32(vector.BatchRows - len(probe))
		n := min(to-from, room)
		for _, b := range t.rows[from : from+n] {
			probe, build = append(probe, r), append(build, b)
		}
		if from+n < to {
			t.next += n
			return probe, build, true
		}
		t.next = 0
		if len(probe) == vector.BatchRows {
			t.at++
			return probe, build, t.at < len(t.probed)
		}
	}
	return probe, build, false
}

// firstRows appends the first build row of each number found.
func (t *joinTable) firstRows(build []uint32) []uint32 {
	from := len(build)
	build = append(build, t.numbers...)
	if t.rows == nil {
		return build
	}
	for k, g := range t.numbers {
		if t.first != nil {
			g = t.first[g]
		}
		build[from+k] = t.rows[g]
	}
	return build
}
