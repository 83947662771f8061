package window

import (
	"math/bits"

	"millrace/operators/sortkey"
	"millrace/vector"
)

// BoundKind says what ends a frame.
type BoundKind uint8

// The kinds of bounds.
const (
	Unbounded BoundKind = iota // the partition's first or last row
	Offset                     // a number of rows from the current one
	Peer                       // the first or last peer of the current row
	Value                      // the rows whose order key reaches a value
)

// Bound is one end of a frame.
type Bound struct {
	Kind   BoundKind
	Rows   int64 // of an Offset
	Column int   // of a Value: the column that holds it
}

// batch is what the functions are told of the rows from..from+n-1.
type batch struct {
	from, n     int
	start, end  []int // of the row's partition
	partition   []int
	first, last []int // of the row's peers: the first, and the one after the last
	peers       bool  // whether first and last are wanted
}

// position fills a batch with the rows' partitions and peers.
func (x *batch) position(b *Block, from, n int) {
	p := 0
	if from > 0 && len(x.partition) > 0 {
		p = x.partition[len(x.partition)-1]
	}
	firstPeer := 0
	if x.peers && from > 0 && len(x.first) > 0 {
		firstPeer = x.first[len(x.first)-1]
	}
	x.from, x.n = from, n
	x.start, x.end, x.partition = sized(x.start, n), sized(x.end, n), sized(x.partition, n)
	for k := range n {
		p = b.partition(from+k, p)
		x.partition[k], x.start[k], x.end[k] = p, b.starts[p], b.end(p)
	}
	if !x.peers {
		return
	}
	x.first, x.last = sized(x.first, n), sized(x.last, n)
	last := -1
	for k := range n {
		i := from + k
		if b.peers.Get(i) {
			firstPeer = i
		}
		if last <= i {
			last = nextSet(b.peers, i+1, x.end[k])
		}
		x.first[k], x.last[k] = firstPeer, last
	}
}

// nextSet is the first bit that is set from i on, at most end.
func nextSet(b vector.Bitmap, i, end int) int {
	for i < end {
		w := b[i/64] >> (uint(i) % 64)
		if w != 0 {
			return min(i+bits.TrailingZeros64(w), end)
		}
		i = i/64*64 + 64
	}
	return end
}

func sized(s []int, n int) []int {
	if cap(s) < n {
		return make([]int, n, n+n/4)
	}
	return s[:n]
}

// frame finds the frames of the rows of a batch.
type frame struct {
	lower, upper Bound
	key          sortkey.Key // of a Value
	column       int         // the order key's
	low, high    cursor
	lo, hi       []int
	done         int // the batch for which lo and hi hold
}

// cursor is how far a Value bound has come.
type cursor struct{ at int }

func (f *frame) begin() { f.low, f.high, f.done = cursor{}, cursor{}, -1 }

// fill makes lo and hi the frames of the batch; an empty frame has lo = hi.
func (f *frame) fill(b *Block, x *batch) error {
	if f.done == x.from {
		return nil
	}
	f.done = x.from
	f.lo, f.hi = sized(f.lo, x.n), sized(f.hi, x.n)
	if err := f.bound(b, x, f.lower, &f.low, f.lo, false); err != nil {
		return err
	}
	if err := f.bound(b, x, f.upper, &f.high, f.hi, true); err != nil {
		return err
	}
	for k, lo := range f.lo {
		if f.hi[k] < lo {
			f.hi[k] = lo
		}
	}
	return nil
}

func (f *frame) bound(b *Block, x *batch, d Bound, c *cursor, out []int, upper bool) error {
	switch d.Kind {
	case Unbounded:
		if upper {
			copy(out, x.end)
		} else {
			copy(out, x.start)
		}
	case Peer:
		if upper {
			copy(out, x.last)
		} else {
			copy(out, x.first)
		}
	case Offset:
		for k := range out {
			out[k] = offsetRow(x, k, d.Rows, upper)
		}
	default:
		return f.reach(b, x, d.Column, c, out, upper)
	}
	return nil
}

// offsetRow is the row so many rows away, or after it for an upper bound, within the partition.
func offsetRow(x *batch, k int, rows int64, upper bool) int {
	i := x.from + k
	if upper {
		i++
	}
	switch {
	case rows < 0 && -rows >= int64(i-x.start[k]):
		return x.start[k]
	case rows >= int64(x.end[k]-i):
		return x.end[k]
	}
	return min(max(i+int(rows), x.start[k]), x.end[k])
}

// reach moves the cursor to the first row whose key is not before the row's value, or after it for an upper bound.
func (f *frame) reach(b *Block, x *batch, column int, c *cursor, out []int, upper bool) error {
	most := -1 // a row may stay in the frame when its key equals the value
	if upper {
		most = 0
	}
	keys := []sortkey.Key{f.key}
	var at, here *page
	for k := range out {
		i := x.from + k
		if here == nil || i >= here.first+here.n {
			p, err := b.load(b.pageOf(i))
			if err != nil {
				return err
			}
			q := *p // a copy holds the columns even if the page is dropped
			here = &q
		}
		c.at = max(c.at, x.start[k])
		for c.at < x.end[k] {
			if at == nil || c.at < at.first || c.at >= at.first+at.n {
				p, err := b.load(b.pageOf(c.at))
				if err != nil {
					return err
				}
				q := *p
				at = &q
			}
			if sortkey.Compare(keys, at.cols[f.column:f.column+1], c.at-at.first, here.cols[column:column+1], i-here.first) > most {
				break
			}
			c.at++
		}
		out[k] = c.at
	}
	return nil
}
