package agg

import (
	"math/bits"

	"millrace/types"
	"millrace/vector"
)

// A scanner keeps the states of all prefixes of a batch at once.
type scanner interface {
	// scan makes groups 1..len(ends): group i+1 is group 0 and the rows of in before ends[i], which ascend. It takes all of in's rows.
	scan(in *Input, ends []uint32) error
	// keep makes group n the only one.
	keep(n int)
}

// Prefixes adds the rows of in to the only group of f, and appends for every i the result after the rows before ends[i], which ascend.
func Prefixes(f Function, in *Input, ends []uint32, out *vector.Vector) error {
	n := len(ends)
	if s, ok := f.(scanner); ok {
		f.Resize(1 + n)
		if err := s.scan(in, ends); err != nil {
			return err
		}
		err := f.Result(out, 1, n)
		s.keep(n)
		return err
	}
	one, same := vector.NewEmpty(out.Type), []uint32{}
	for i, at := 0, 0; i < n; {
		end, first := int(ends[i]), i
		if err := f.Update(in.slice(at, end)); err != nil {
			return err
		}
		one.Clear(out.Type)
		if err := f.Result(one, 0, 1); err != nil {
			return err
		}
		for at = end; i < n && int(ends[i]) == end; i++ {
		}
		if same = same[:0]; i-first == 1 {
			out.Append(one, nil)
			continue
		}
		for range i - first {
			same = append(same, 0)
		}
		out.Append(one, same)
	}
	return nil
}

// slice is rows from..to-1 as rows of group 0.
func (in *Input) slice(from, to int) *Input {
	s := &Input{N: to - from, Args: make([]*vector.Vector, len(in.Args))}
	for i, v := range in.Args {
		s.Args[i] = vector.Slice(v, from, to-from)
	}
	return s
}

// Slice is rows from..to-1 of a batch, all of group 0.
func (in *Input) Slice(from, to int) *Input {
	if from == 0 && to == in.N {
		return &Input{N: in.N, Args: in.Args}
	}
	return in.slice(from, to)
}

// A spanner makes states of ranges of rows from differences, exactly, or says that it cannot.
type spanner interface {
	// spans makes group i the rows lo[i]..hi[i]-1 of in.
	spans(in *Input, lo, hi []uint32) bool
}

// Spans appends for every i the result over rows lo[i]..hi[i]-1 of in, in time proportional to in and not to the ranges. It reports
// false, having done nothing, when the function cannot do that. Lo and hi ascend.
func Spans(f Function, in *Input, lo, hi []uint32, out *vector.Vector) (bool, error) {
	s, ok := f.(spanner)
	if !ok {
		return false, nil
	}
	f.Reset()
	f.Resize(len(lo))
	if !s.spans(in, lo, hi) {
		return false, nil
	}
	return true, f.Result(out, 0, len(lo))
}

// CanSpan reports whether Spans may work for a function.
func CanSpan(f Function) bool { _, ok := f.(spanner); return ok }

func (f *count) keep(n int) { f.n[0] = f.n[n]; f.n = f.n[:1] }

func (f *count) scan(in *Input, ends []uint32) error {
	n, at := f.n[0], 0
	for i, end := range ends {
		n += f.counted(in, at, int(end))
		at, f.n[i+1] = int(end), n
	}
	return nil
}

// counted is how many of rows from..to-1 count.
func (f *count) counted(in *Input, from, to int) int64 {
	if !f.ifTrue {
		return int64(to - from)
	}
	n := int64(0)
	for _, x := range vector.Values[uint8](in.Args[0])[from:to] {
		n += int64(x)
	}
	return n
}

func (f *count) spans(_ *Input, lo, hi []uint32) bool {
	if f.ifTrue {
		return false
	}
	for i := range lo {
		f.n[i] = int64(hi[i] - lo[i])
	}
	return true
}

func (f *longSum) keep(n int) { f.s[0] = f.s[n]; f.s = f.s[:1] }

func (f *longSum) scan(in *Input, ends []uint32) error {
	s, at := f.s[0], 0
	for i, end := range ends {
		for ; at < int(end); at++ {
			x := longAt(in.Args[0], f.width, at)
			r := s.sum + x
			s.n++
			if (s.sum^r)&(x^r) < 0 {
				if !f.call.try() || f.call.Out.IsInterval() {
					if err := f.overflow(&Input{}); err != nil {
						return err
					}
				} else {
					s.n = overflowed
				}
			}
			s.sum = r
		}
		f.s[i+1] = s
	}
	return nil
}

// spans works while no sum of a range can overflow.
func (f *longSum) spans(in *Input, lo, hi []uint32) bool {
	sums, ok := prefixSums(in.N, 62, func(k int) int64 { return longAt(in.Args[0], f.width, k) })
	if ok {
		for i := range lo {
			f.s[i] = longState{sums[hi[i]] - sums[lo[i]], int64(hi[i] - lo[i])}
		}
	}
	return ok
}

// prefixSums are the sums of the first 0, 1, … n values, if no sum of magnitudes reaches that many bits.
func prefixSums(n, size int, value func(k int) int64) ([]int64, bool) {
	sums, all := make([]int64, n+1), uint64(0)
	for k := range n {
		x := value(k)
		magnitude := uint64(x)
		if x < 0 {
			magnitude = -magnitude
		}
		if all += magnitude; all>>size != 0 {
			return nil, false
		}
		sums[k+1] = sums[k] + x
	}
	return sums, true
}

func (f *doubleSum) keep(n int) { f.s[0] = f.s[n]; f.s = f.s[:1] }

func (f *doubleSum) scan(in *Input, ends []uint32) error {
	values := doublesOf(in.Args[0], in.N)
	s, at := f.s[0], 0
	for i, end := range ends {
		for _, x := range values[at:end] {
			s.sum += x
		}
		s.n += int64(int(end) - at)
		at, f.s[i+1] = int(end), s
	}
	return nil
}

// spans works for averages of integers whose sums are exact in doubles.
func (f *doubleSum) spans(in *Input, lo, hi []uint32) bool {
	if !f.average || !f.arg.IsIntegral() {
		return false
	}
	width := vector.Width(f.arg)
	sums, ok := prefixSums(in.N, 53, func(k int) int64 { return longAt(in.Args[0], width, k) })
	if ok {
		for i := range lo {
			f.s[i] = doubleState{float64(sums[hi[i]] - sums[lo[i]]), int64(hi[i] - lo[i])}
		}
	}
	return ok
}

// doublesOf are a column's numbers.
func doublesOf(v *vector.Vector, n int) []float64 {
	if v.Type.Kind == types.KindDouble {
		return vector.Values[float64](v)[:n]
	}
	out := make([]float64, n)
	if v.Type.Kind == types.KindFloat {
		for k, x := range vector.Values[float32](v)[:n] {
			out[k] = float64(x)
		}
		return out
	}
	width := vector.Width(v.Type)
	for k := range out {
		out[k] = float64(longAt(v, width, k))
	}
	return out
}

func (f *decimalSum) keep(n int) { f.s[0] = f.s[n]; f.s = f.s[:1] }

func (f *decimalSum) scan(in *Input, ends []uint32) error {
	s, at := f.s[0], 0
	for i, end := range ends {
		for ; at < int(end); at++ {
			x := decimalAt(in.Args[0], at)
			if s.n != overflowed {
				s.n++
			}
			s.add(x.LowBits(), x.HighBits())
		}
		f.s[i+1] = s
	}
	return nil
}

// spans works for decimals whose sums cannot leave 128 bits.
func (f *decimalSum) spans(in *Input, lo, hi []uint32) bool {
	if !f.short {
		return false
	}
	sums := make([]decimalState, in.N+1)
	for k, x := range vector.Values[int64](in.Args[0])[:in.N] {
		l, carry := bits.Add64(sums[k].lo, uint64(x), 0)
		sums[k+1] = decimalState{lo: l, hi: sums[k].hi + x>>63 + int64(carry)}
	}
	for i := range lo {
		a, b := &sums[lo[i]], &sums[hi[i]]
		l, borrow := bits.Sub64(b.lo, a.lo, 0)
		f.s[i] = decimalState{lo: l, hi: b.hi - a.hi - int64(borrow), n: int64(hi[i] - lo[i])}
	}
	return true
}

func (f *extreme[T]) keep(n int) { f.s[0] = f.s[n]; f.s = f.s[:1] }

func (f *extreme[T]) scan(in *Input, ends []uint32) error {
	values := slots[T](in.Args[0])
	s, at := f.s[0], 0
	for i, end := range ends {
		for _, x := range values[at:end] {
			f.offer(&s, x)
		}
		at, f.s[i+1] = int(end), s
	}
	return nil
}

// spans keeps a queue of the rows that can still be the best of a range.
func (f *extreme[T]) spans(in *Input, lo, hi []uint32) bool {
	values := slots[T](in.Args[0])
	queue, head, next := []uint32{}, 0, uint32(0)
	for i := range lo {
		for ; next < hi[i]; next++ {
			for len(queue) > head && f.atLeast(values[next], values[queue[len(queue)-1]]) {
				queue = queue[:len(queue)-1]
			}
			queue = append(queue, next)
		}
		for head < len(queue) && queue[head] < lo[i] {
			head++
		}
		if hi[i] > lo[i] {
			f.s[i] = extremeState[T]{values[queue[head]], true}
		}
	}
	return true
}

// atLeast reports whether x is as good as y: larger or smaller, with NaN the largest of all.
func (f *extreme[T]) atLeast(x, y T) bool {
	switch {
	case x != x || y != y:
		return f.max == (x != x) || x != x && y != y
	case f.max:
		return x >= y
	}
	return x <= y
}
