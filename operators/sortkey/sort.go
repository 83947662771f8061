package sortkey

import (
	"cmp"
	"math/bits"
	"slices"

	"millrace/vector"
)

type entry struct {
	word uint64
	row  uint32
}

// smallRun is the number of rows up to which comparing is faster than a radix pass over 256 counters.
const smallRun = 512

// stopEvery is the number of rows after which a pass asks whether to stop.
const stopEvery = 1 << 17

// Sort returns the rows 0..n-1 of columns in order; equal rows stay in theirs.
func Sort(keys []Key, cols []*vector.Vector, n int) []uint32 {
	order, _ := SortUntil(keys, cols, n, func() error { return nil })
	return order.Rows
}

// SortUntil is Sort that asks stop now and then and ends with its error.
func SortUntil(keys []Key, cols []*vector.Vector, n int, stop func() error) (order Order, err error) {
	e := NewEncoder(keys, false)
	e.Encode(cols, nil, n)
	s := sorter{keys: keys, cols: cols, words: e.Words, exact: e.Exact, stop: stop}
	entries := make([]entry, n)
	for i := range entries {
		entries[i] = entry{e.Words[0][i], uint32(i)}
	}
	s.sort(entries, 0)
	if s.err != nil {
		return order, s.err
	}
	order.Rows = make([]uint32, n)
	for i := range entries {
		order.Rows[i] = entries[i].row
	}
	if len(e.Words) == 1 && len(e.fields) > 0 {
		order.words, order.fields = e.Words[0], e.fields
		for i := range entries {
			order.words[i] = entries[i].word
		}
	}
	return order, nil
}

type sorter struct {
	keys    []Key
	cols    []*vector.Vector
	words   [][]uint64
	exact   bool
	scratch []entry
	stop    func() error
	err     error
}

// stopped reports whether the sort is to end.
func (s *sorter) stopped() bool {
	if s.err == nil {
		s.err = s.stop()
	}
	return s.err != nil
}

// sort orders entries, whose word is word w, and then the runs of equal words by the next.
func (s *sorter) sort(entries []entry, w int) {
	if len(entries) <= smallRun {
		sortSmall(entries)
	} else {
		if len(s.scratch) < len(entries) {
			s.scratch = make([]entry, len(entries))
		}
		s.radix(entries, s.scratch[:len(entries)])
	}
	last := w+1 == len(s.words)
	if last && s.exact || s.err != nil {
		return
	}
	for from := 0; from < len(entries); {
		to := from + 1
		for to < len(entries) && entries[to].word == entries[from].word {
			to++
		}
		if run := entries[from:to]; len(run) > 1 {
			s.ties(run, w, last)
		}
		from = to
	}
}

func sortSmall(entries []entry) {
	slices.SortFunc(entries, func(a, b entry) int { return cmp.Or(cmp.Compare(a.word, b.word), cmp.Compare(a.row, b.row)) })
}

func (s *sorter) ties(run []entry, w int, last bool) {
	if last {
		slices.SortFunc(run, func(a, b entry) int {
			return cmp.Or(Compare(s.keys, s.cols, int(a.row), s.cols, int(b.row)), cmp.Compare(a.row, b.row))
		})
		return
	}
	next := s.words[w+1]
	for i := range run {
		run[i].word = next[run[i].row]
	}
	s.sort(run, w+1)
}

// A sort of more than nearRun entries first deals them out by their highest bits to runs that a core's cache holds, 1<<maxSpread at most.
const (
	nearRun   = 1 << 13
	maxSpread = 10
)

// radix sorts by the bits that differ, with scratch of the same length.
func (s *sorter) radix(entries, scratch []entry) {
	differ := uint64(0)
	for from := 0; from < len(entries) && !s.stopped(); from += stopEvery {
		for _, e := range entries[from:min(from+stopEvery, len(entries))] {
			differ |= e.word ^ entries[0].word
		}
	}
	width := bits.Len64(differ)
	switch {
	case width == 0 || s.err != nil:
	case len(entries) > 2*nearRun:
		s.spread(entries, scratch, width)
	default:
		s.passes(entries, scratch, width)
	}
}

// spread deals entries out by the highest of the width bits that differ, and sorts the runs of those that agree there.
func (s *sorter) spread(entries, scratch []entry, width int) {
	digits := min(maxSpread, width, bits.Len(uint(len(entries)/nearRun)))
	shift, mask := uint(width-digits), uint64(1)<<digits-1
	var ends [1 << maxSpread]uint32
	for _, e := range entries {
		ends[e.word>>shift&mask]++
	}
	at := uint32(0)
	for d, c := range ends[:mask+1] {
		ends[d] = at
		at += c
	}
	for from := 0; from < len(entries); from += stopEvery {
		if s.stopped() {
			return
		}
		for _, e := range entries[from:min(from+stopEvery, len(entries))] {
			d := e.word >> shift & mask
			scratch[ends[d]] = e
			ends[d]++
		}
	}
	start := uint32(0)
	for _, end := range ends[:mask+1] {
		run := entries[start:end]
		copy(run, scratch[start:end])
		switch {
		case shift == 0 || len(run) < 2:
		case len(run) <= smallRun:
			sortSmall(run)
		default:
			s.radix(run, scratch[start:end])
		}
		start = end
	}
}

// passes sorts by the bytes of the lowest width bits, from the lowest.
func (s *sorter) passes(entries, scratch []entry, width int) {
	var counts [8][256]uint32
	used := counts[:(width+7)/8]
	for _, e := range entries {
		for b := range used {
			used[b][byte(e.word>>(8*b))]++
		}
	}
	src, dst := entries, scratch
	for b := range used {
		places, shift := &used[b], uint(8*b)
		if places[byte(src[0].word>>shift)] == uint32(len(src)) {
			continue
		}
		at := uint32(0)
		for d, c := range places {
			places[d] = at
			at += c
		}
		for _, e := range src {
			d := byte(e.word >> shift)
			dst[places[d]] = e
			places[d]++
		}
		src, dst = dst, src
	}
	if &src[0] != &entries[0] {
		copy(entries, src)
	}
}
