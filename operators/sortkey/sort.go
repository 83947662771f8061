package sortkey

import (
	"cmp"
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
	return order
}

// SortUntil is Sort that asks stop now and then and ends with its error.
func SortUntil(keys []Key, cols []*vector.Vector, n int, stop func() error) (order []uint32, err error) {
	e := NewEncoder(keys, false)
	e.Encode(cols, nil, n)
	s := sorter{keys: keys, cols: cols, words: e.Words, exact: e.Exact, stop: stop}
	entries := make([]entry, n)
	for i := range entries {
		entries[i] = entry{e.Words[0][i], uint32(i)}
	}
	s.sort(entries, 0)
	if s.err != nil {
		return nil, s.err
	}
	order = make([]uint32, n)
	for i := range entries {
		order[i] = entries[i].row
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
		slices.SortFunc(entries, func(a, b entry) int { return cmp.Or(cmp.Compare(a.word, b.word), cmp.Compare(a.row, b.row)) })
	} else {
		s.radix(entries)
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

// radix sorts by the bytes that differ, from the lowest.
func (s *sorter) radix(entries []entry) {
	var counts [8][256]uint32
	for from := 0; from < len(entries) && !s.stopped(); from += stopEvery {
		for _, e := range entries[from:min(from+stopEvery, len(entries))] {
			for b := range counts {
				counts[b][byte(e.word>>(8*b))]++
			}
		}
	}
	if len(s.scratch) < len(entries) {
		s.scratch = make([]entry, len(entries))
	}
	src, dst := entries, s.scratch[:len(entries)]
	moved := false
	for b := range counts {
		shift := uint(8 * b)
		if counts[b][byte(src[0].word>>shift)] == uint32(len(src)) {
			continue
		}
		at := uint32(0)
		for d, c := range counts[b] {
			counts[b][d] = at
			at += c
		}
		places := &counts[b]
		for from := 0; from < len(src); from += stopEvery {
			if s.stopped() {
				return
			}
			for _, e := range src[from:min(from+stopEvery, len(src))] {
				d := byte(e.word >> shift)
				dst[places[d]] = e
				places[d]++
			}
		}
		src, dst, moved = dst, src, !moved
	}
	if moved {
		copy(entries, src)
	}
}
