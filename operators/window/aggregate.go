package window

import (
	"millrace/operators/agg"
	"millrace/vector"
)

const (
	directRows = 128 // a frame of at most so many rows is aggregated from its rows
	// a batch whose frames cover at most so many times the rows gathered at once is computed from differences
	spanGathers = 4
)

// aggregate is an aggregate function over frames that neither are whole partitions nor begin with one.
type aggregate struct {
	source
	f    agg.Function
	tree *tree
	made bool // the block's tree
}

// source gathers the rows that an aggregate takes.
type source struct {
	call   *agg.Call
	cols   []int
	filter int
	nulls  bool // rows in which an argument is null are taken too
	limit  int  // how many rows are gathered at once; an eighth of what is asked where values are of any length

	in      agg.Input
	args    []*vector.Vector
	groups  []uint32
	before  []uint32 // by place in the rows asked for: how many before it were taken; one more at the end
	rows    []int
	of      []uint32
	scratch []uint32
}

func newAggregate(s Spec, gather int) (function, error) {
	f, err := agg.New(s.Call)
	if err != nil {
		return nil, err
	}
	src := source{call: s.Call, filter: s.Filter, nulls: f.TakesNulls(), limit: gather}
	for i, c := range s.Args {
		if c >= 0 {
			src.cols = append(src.cols, c)
			src.args = append(src.args, vector.NewEmpty(s.Call.Args[i]))
			if vector.Width(s.Call.Args[i]) == 0 {
				src.limit = max(gather/8, 64)
			}
		}
	}
	switch {
	case s.Lower.Kind == Unbounded && s.Upper.Kind == Unbounded:
		return &whole{source: src, f: f}, nil
	case s.Lower.Kind == Unbounded:
		return &running{source: src, f: f}, nil
	}
	return &aggregate{source: src, f: f}, nil
}

// input gathers rows, of which row k belongs to group of[k]. It is valid until the next call.
func (s *source) input(w *Windows, rows []int, of []uint32) (*agg.Input, error) {
	for i, a := range s.args {
		a.Clear(s.call.Args[i])
	}
	s.groups, s.before = s.groups[:0], s.before[:0]
	for at := 0; at < len(rows); {
		p, err := w.block.load(w.block.pageOf(rows[at]))
		if err != nil {
			return nil, err
		}
		s.scratch = s.scratch[:0]
		for ; at < len(rows) && rows[at] >= p.first && rows[at] < p.first+p.n; at++ {
			s.before = append(s.before, uint32(len(s.groups)))
			if r := rows[at] - p.first; s.takes(p, r) {
				s.scratch, s.groups = append(s.scratch, uint32(r)), append(s.groups, of[at])
			}
		}
		for i, a := range s.args {
			appendColumn(a, p.cols[s.cols[i]], s.scratch)
		}
	}
	s.before = append(s.before, uint32(len(s.groups)))
	s.in = agg.Input{N: len(s.groups), Groups: s.groups, Args: s.args}
	return &s.in, nil
}

func (s *source) takes(p *page, r int) bool {
	if s.filter >= 0 && !isTrue(p.cols[s.filter], r) {
		return false
	}
	if s.nulls {
		return true
	}
	for _, c := range s.cols {
		if p.cols[c].HasNulls() && p.cols[c].IsNull(r) {
			return false
		}
	}
	return true
}

func (s *source) sourceSize() int64 {
	n := int64(8*cap(s.rows) + 4*cap(s.of) + 4*cap(s.groups) + 4*cap(s.before))
	for _, a := range s.args {
		n += a.MemSize()
	}
	return n
}

// add appends rows lo..hi-1 for a group to the rows to be asked for.
func (s *source) add(lo, hi int, group uint32) {
	for i := lo; i < hi; i++ {
		s.rows, s.of = append(s.rows, i), append(s.of, group)
	}
}

// update aggregates, for every k below n, the rows of its span into group k of f, some rows at a time.
func (s *source) update(w *Windows, f agg.Function, n int, span func(k int) (lo, hi int)) error {
	s.clear()
	for k := range n {
		for lo, hi := span(k); lo < hi; {
			end := min(hi, lo+s.limit-len(s.rows))
			s.add(lo, end, uint32(k))
			if lo = end; len(s.rows) >= s.limit {
				if err := s.flush(w, f); err != nil {
					return err
				}
			}
		}
	}
	return s.flush(w, f)
}

func (s *source) flush(w *Windows, f agg.Function) error {
	in, err := s.input(w, s.rows, s.of)
	if err == nil && in.N > 0 {
		err = f.Update(in)
	}
	s.clear()
	return err
}

func (s *source) clear() { s.rows, s.of = s.rows[:0], s.of[:0] }

// whole aggregates each partition once.
type whole struct {
	source
	f       agg.Function
	results *vector.Vector
	places  []uint32
}

func (f *whole) memSize() int64 {
	n := f.sourceSize() + f.f.MemSize()
	if f.results != nil {
		n += f.results.MemSize()
	}
	return n
}

func (f *whole) begin(w *Windows) error {
	f.f.Reset()
	f.f.Resize(len(w.block.starts))
	part := 0
	err := w.pages(func(p *page) error {
		f.clear()
		for i := p.first; i < p.first+p.n; i++ {
			part = w.block.partition(i, part)
			f.add(i, i+1, uint32(part))
		}
		in, err := f.input(w, f.rows, f.of)
		if err != nil {
			return err
		}
		return f.f.Update(in)
	})
	if err != nil {
		return err
	}
	f.results = vector.NewEmpty(f.call.Out)
	err = f.f.Result(f.results, 0, len(w.block.starts))
	f.f.Reset()
	return err
}

// next repeats the partitions' results; long ones are not copied.
func (f *whole) next(w *Windows, _ *frame, out *vector.Vector) error {
	x := &w.batch
	switch first := x.partition[0]; {
	case first == x.partition[x.n-1]:
		one := vector.NewEmpty(out.Type)
		one.Append(f.results, []uint32{uint32(first)})
		*out = *one
		out.Const, out.Len = true, x.n
	default:
		f.places = f.places[:0]
		for _, p := range x.partition {
			f.places = append(f.places, uint32(p))
		}
		if vector.Width(out.Type) > 0 {
			out.Append(f.results, f.places)
			return nil
		}
		f.results.Flatten()
		out.ResetDict(f.results, x.n)
		for k, p := range f.places {
			vector.Codes(out)[k] = int32(p)
			if f.results.IsNull(int(p)) {
				out.SetNull(k)
			}
		}
	}
	return nil
}

// running aggregates frames that begin with the partition.
type running struct {
	source
	f    agg.Function
	at   int // the rows before are aggregated
	ends []uint32
}

func (f *running) begin(*Windows) error { f.at = -1; return nil }
func (f *running) memSize() int64       { return f.sourceSize() + f.f.MemSize() }

func (f *running) next(w *Windows, fr *frame, out *vector.Vector) error {
	x := &w.batch
	if f.news(x, fr) > max(f.limit, x.n) {
		return f.nextWide(w, fr, out)
	}
	f.clear()
	at := f.at
	for k := 0; k < x.n; { // the rows that the batch adds, partition after partition
		to := x.sameFrom(k)
		if x.from+k == x.start[k] {
			at = x.start[k]
		}
		f.add(at, fr.hi[to-1], 0)
		at, k = max(at, fr.hi[to-1]), to
	}
	in, err := f.input(w, f.rows, f.of)
	if err != nil {
		return err
	}
	place := 0 // among the rows added
	for k := 0; k < x.n; {
		to := x.sameFrom(k)
		if x.from+k == x.start[k] {
			f.f.Reset()
			f.f.Resize(1)
			f.at = x.start[k]
		}
		first, base := f.at, f.before[place]
		f.ends = f.ends[:0]
		for _, hi := range fr.hi[k:to] {
			f.ends = append(f.ends, f.before[place+max(hi-first, 0)]-base)
		}
		f.at = max(f.at, fr.hi[to-1])
		place += f.at - first
		if err := agg.Prefixes(f.f, in.Slice(int(base), int(f.before[place])), f.ends, out); err != nil {
			return err
		}
		k = to
	}
	return nil
}

// news is how many rows a batch adds.
func (f *running) news(x *batch, fr *frame) int {
	n, at := 0, f.at
	for k := 0; k < x.n; k = x.sameFrom(k) {
		if x.from+k == x.start[k] {
			at = x.start[k]
		}
		n += max(fr.hi[x.sameFrom(k)-1]-at, 0)
	}
	return n
}

// nextWide is next for a batch that adds more rows than are gathered at once: as many of its rows at a time as add few.
func (f *running) nextWide(w *Windows, fr *frame, out *vector.Vector) error {
	x := &w.batch
	for k := 0; k < x.n; {
		if x.from+k == x.start[k] {
			f.f.Reset()
			f.f.Resize(1)
			f.at = x.start[k]
		}
		to := k
		for end := x.sameFrom(k); to < end && fr.hi[to]-f.at <= f.limit; to++ {
		}
		if to == k { // one row alone adds many
			if err := f.update(w, f.f, 1, func(int) (int, int) { return f.at, fr.hi[k] }); err != nil {
				return err
			}
			f.at = fr.hi[k]
			to = k + 1
			for end := x.sameFrom(k); to < end && fr.hi[to] == f.at; to++ {
			}
		}
		f.clear()
		f.add(f.at, fr.hi[to-1], 0)
		in, err := f.input(w, f.rows, f.of)
		if err != nil {
			return err
		}
		f.ends = f.ends[:0]
		for _, hi := range fr.hi[k:to] {
			f.ends = append(f.ends, f.before[max(hi-f.at, 0)])
		}
		f.at = max(f.at, fr.hi[to-1])
		if err := agg.Prefixes(f.f, in, f.ends, out); err != nil {
			return err
		}
		k = to
	}
	return nil
}

// sameFrom is the first place after k of another partition.
func (x *batch) sameFrom(k int) int {
	return min(x.n, x.end[k]-x.from)
}

func (f *aggregate) begin(*Windows) error { f.made = false; return nil }

func (f *aggregate) memSize() int64 {
	n := f.sourceSize() + f.f.MemSize()
	if f.tree != nil {
		n += f.tree.memSize()
	}
	return n
}

func (f *aggregate) next(w *Windows, fr *frame, out *vector.Vector) error {
	n, rows := w.batch.n, 0
	for k, lo := range fr.lo {
		rows += fr.hi[k] - lo
	}
	if rows > directRows*n {
		if fr.hi[n-1]-fr.lo[0] <= spanGathers*f.limit && agg.CanSpan(f.f) {
			done, err := f.spans(w, fr, out)
			if done || err != nil {
				return err
			}
		}
		return f.search(w, fr, out)
	}
	f.f.Reset()
	f.f.Resize(n)
	if err := f.update(w, f.f, n, func(k int) (int, int) { return fr.lo[k], fr.hi[k] }); err != nil {
		return err
	}
	return f.f.Result(out, 0, n)
}

// spans computes the batch from differences of sums over all rows of its frames, or the like.
func (f *aggregate) spans(w *Windows, fr *frame, out *vector.Vector) (bool, error) {
	first := fr.lo[0]
	f.clear()
	f.add(first, fr.hi[len(fr.hi)-1], 0)
	in, err := f.input(w, f.rows, f.of)
	if err != nil {
		return false, err
	}
	lo, hi := make([]uint32, len(fr.lo)), make([]uint32, len(fr.lo))
	for k := range lo {
		lo[k], hi[k] = f.before[fr.lo[k]-first], f.before[fr.hi[k]-first]
	}
	return agg.Spans(f.f, in, lo, hi, out)
}

// search computes the batch from the tree of states.
func (f *aggregate) search(w *Windows, fr *frame, out *vector.Vector) error {
	if !f.made {
		var err error
		if f.tree, err = newTree(w, &f.source); err != nil {
			return err
		}
		f.made = true
	}
	f.f.Reset()
	f.f.Resize(w.batch.n)
	if err := f.tree.add(w, &f.source, f.f, fr.lo, fr.hi); err != nil {
		return err
	}
	return f.f.Result(out, 0, w.batch.n)
}
