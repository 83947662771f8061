package window

import (
	"sort"

	"millrace/errs"
	"millrace/vector"
)

// chosen lists the rows of a block that a function may look at: those that its filter keeps and, with IGNORE NULLS, those whose value
// is not null.
type chosen struct {
	filter, value int // columns, or -1
	rows          []int
	low, high     int // where the last frame's bounds lie in rows
}

func (c *chosen) all() bool { return c.filter < 0 && c.value < 0 }

func (c *chosen) begin(w *Windows) error {
	c.rows, c.low, c.high = c.rows[:0], 0, 0
	if c.all() {
		return nil
	}
	return w.pages(func(p *page) error {
		for r := range p.n {
			if c.filter >= 0 && !isTrue(p.cols[c.filter], r) || c.value >= 0 && p.cols[c.value].IsNull(r) {
				continue
			}
			c.rows = append(c.rows, p.first+r)
		}
		return nil
	})
}

func isTrue(v *vector.Vector, r int) bool {
	return !v.IsNull(r) && vector.Values[uint8](v)[v.Row(r)] != 0
}

// span is the places in rows of a frame; frames come in ascending order.
func (c *chosen) span(lo, hi int) (int, int) {
	c.low, c.high = forward(c.rows, c.low, lo), forward(c.rows, c.high, hi)
	return c.low, c.high
}

// forward is the first place from at on that holds at least i.
func forward(rows []int, at, i int) int {
	step := 1
	for at+step < len(rows) && rows[at+step] < i {
		at += step
		step *= 2
	}
	end := min(at+step+1, len(rows))
	return at + sort.Search(end-at, func(k int) bool { return rows[at+k] >= i })
}

// pick is first, last and nth_value: one row of the frame.
type pick struct {
	column  int
	place   int64 // from the frame's start, counted from 0; -1: the last
	among   chosen
	rows    []int
	scratch []uint32
}

func newPick(s Spec) (function, error) {
	f := &pick{column: s.Args[0], among: chosen{filter: s.Filter, value: -1}}
	if s.Call.Ignore {
		f.among.value = s.Args[0]
	}
	switch s.Call.Name {
	case "last":
		f.place = -1
	case "nth_value":
		n, err := integer(s.Call, 1, 1)
		if err != nil {
			return nil, err
		}
		f.place = n - 1
	}
	if f.column < 0 {
		return nil, errs.Newf(errs.Internal, "a window function of a constant that is no column")
	}
	return f, nil
}

func (f *pick) begin(w *Windows) error { return f.among.begin(w) }
func (f *pick) memSize() int64         { return int64(8 * cap(f.among.rows)) }

func (f *pick) next(w *Windows, fr *frame, out *vector.Vector) error {
	f.rows = sized(f.rows, w.batch.n)
	for k := range f.rows {
		lo, hi := fr.lo[k], fr.hi[k]
		if !f.among.all() {
			lo, hi = f.among.span(lo, hi)
		}
		i := hi - 1
		if f.place >= 0 {
			i = lo + int(min(f.place, int64(hi-lo)))
		}
		switch {
		case i < lo || i >= hi:
			f.rows[k] = -1
		case f.among.all():
			f.rows[k] = i
		default:
			f.rows[k] = f.among.rows[i]
		}
	}
	var err error
	f.scratch, err = w.block.gather(out, f.column, f.rows, f.scratch)
	return err
}

// shift is lag and lead: the row so many rows away, or a default.
type shift struct {
	column, otherwise int // otherwise: the default's column, or -1
	by                int64
	among             chosen
	rows              []int
	scratch           []uint32
}

func newShift(s Spec) (function, error) {
	by, err := integer(s.Call, 1, 1)
	if err != nil {
		return nil, err
	}
	if s.Call.Name == "lag" {
		by = -by
	}
	f := &shift{column: s.Args[0], otherwise: -1, by: by, among: chosen{filter: -1, value: -1}}
	if s.Call.Ignore {
		f.among.value = s.Args[0]
	}
	if len(s.Args) > 2 {
		f.otherwise = s.Args[2]
	}
	return f, nil
}

func (f *shift) begin(w *Windows) error { return f.among.begin(w) }
func (f *shift) memSize() int64         { return int64(8 * cap(f.among.rows)) }

// target is the row that row k of the batch looks at, or -1.
func (f *shift) target(x *batch, k int) int {
	i := x.from + k
	if f.among.all() || f.by == 0 {
		if j := int64(i) + f.by; j >= int64(x.start[k]) && j < int64(x.end[k]) {
			return int(j)
		}
		return -1
	}
	before, after := f.among.span(i, i+1) // the places of the first value here or later, and of the first one later
	j := int64(after) + f.by - 1
	if f.by < 0 {
		j = int64(before) + f.by
	}
	if j < 0 || j >= int64(len(f.among.rows)) {
		return -1
	}
	if r := f.among.rows[j]; r >= x.start[k] && r < x.end[k] {
		return r
	}
	return -1
}

func (f *shift) next(w *Windows, _ *frame, out *vector.Vector) error {
	f.rows = sized(f.rows, w.batch.n)
	for k := range f.rows {
		f.rows[k] = f.target(&w.batch, k)
	}
	var err error
	if f.otherwise < 0 {
		f.scratch, err = w.block.gather(out, f.column, f.rows, f.scratch)
		return err
	}
	for from := 0; from < len(f.rows); { // runs of rows that are there, and of rows that are not
		to, missing := from, f.rows[from] < 0
		for to < len(f.rows) && f.rows[to] < 0 == missing {
			if missing {
				f.rows[to] = w.batch.from + to
			}
			to++
		}
		column := f.column
		if missing {
			column = f.otherwise
		}
		if f.scratch, err = w.block.gather(out, column, f.rows[from:to], f.scratch); err != nil {
			return err
		}
		from = to
	}
	return nil
}
