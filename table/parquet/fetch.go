package parquet

import (
	"io"
	"slices"
	"sync"
)

// coalesceGap is how many unwanted bytes are read rather than starting another request.
const coalesceGap = 256 << 10

// buffer holds a row group's fetched bytes.
type buffer struct {
	data   []byte
	chunks map[int][]byte // by leaf ordinal
}

var buffers = sync.Pool{New: func() any { return &buffer{chunks: map[int][]byte{}} }}

func (b *buffer) release() {
	if b != nil {
		clear(b.chunks)
		buffers.Put(b)
	}
}

type fetched struct {
	group  int
	ranges []rowRange // wanted
	buffer *buffer
	err    error
}

// selectGroups lists the row groups of the byte range that may hold wanted rows.
func (r *Reader) selectGroups() {
	first := int64(0)
	for i := range r.file.meta.RowGroups {
		g := &r.file.meta.RowGroups[i]
		r.firstRows = append(r.firstRows, first)
		first += g.NumRows
		start := r.file.groupStart(i)
		if r.opts.Length > 0 && (start < r.opts.Start || start >= r.opts.Start+r.opts.Length) || g.NumRows == 0 {
			continue
		}
		if !r.keepGroup(i) {
			r.Stats.RowGroupsSkipped++
			continue
		}
		r.groups = append(r.groups, i)
	}
}

// groupStart is where a row group begins in the file.
func (f *File) groupStart(i int) int64 {
	g := &f.meta.RowGroups[i]
	if len(g.Columns) == 0 {
		return g.FileOffset
	}
	start, _ := g.Columns[0].Meta.span()
	return start
}

// fetchNext starts fetching the next row group in the background.
func (r *Reader) fetchNext() {
	if len(r.groups) == 0 {
		r.pending = nil
		return
	}
	group := r.groups[0]
	r.groups = r.groups[1:]
	if r.wanted != nil && !r.groupMay(group, r.wanted) {
		r.Stats.RowGroupsSkipped++
		r.fetchNext()
		return
	}
	pending := make(chan fetched, 1)
	r.pending = pending
	go func() {
		b, ranges := buffers.Get().(*buffer), r.wantedRows(group, r.opts.Prune)
		var err error
		if len(ranges) > 0 {
			err = r.fetch(group, b)
		}
		pending <- fetched{group, ranges, b, err}
	}()
}

// fetch reads the used chunks of a row group, neighbours together.
func (r *Reader) fetch(group int, b *buffer) error {
	g := &r.file.meta.RowGroups[group]
	leaves := slices.Clone(r.used)
	slices.SortFunc(leaves, func(a, b int) int {
		x, _ := g.Columns[a].Meta.span()
		y, _ := g.Columns[b].Meta.span()
		return int(min(max(x-y, -1), 1))
	})
	leaves = slices.Compact(leaves)
	var runs []byteRange
	total := int64(0)
	for _, leaf := range leaves {
		start, n := g.Columns[leaf].Meta.span()
		if last := len(runs) - 1; last >= 0 && start-runs[last].end <= coalesceGap && start >= runs[last].start {
			end := max(runs[last].end, start+n)
			total += end - runs[last].end
			runs[last].end = end
		} else {
			runs = append(runs, byteRange{start: start, end: start + n, at: total})
			total += n
		}
		runs[len(runs)-1].leaves = append(runs[len(runs)-1].leaves, leaf)
	}
	if int64(cap(b.data)) < total+padding {
		b.data = make([]byte, total+padding)
	}
	for _, run := range runs {
		dst := b.data[run.at : run.at+run.end-run.start]
		if n, err := r.source.ReadAt(dst, run.start); err != nil && (err != io.EOF || n < len(dst)) {
			return err
		}
		for _, leaf := range run.leaves {
			start, n := g.Columns[leaf].Meta.span()
			at := run.at + start - run.start
			b.chunks[leaf] = b.data[at : at+n]
		}
	}
	return nil
}

// byteRange is bytes [start, end) of the file, kept from at on in the buffer.
type byteRange struct {
	start, end, at int64
	leaves         []int
}

// startGroup makes the next row group current; false at the end.
func (r *Reader) startGroup() (bool, error) {
	if r.pending == nil {
		return false, nil
	}
	got := <-r.pending
	r.pending = nil
	r.current.release()
	r.current = got.buffer
	if got.err != nil {
		return false, got.err
	}
	r.fetchNext()
	g := &r.file.meta.RowGroups[got.group]
	r.ranges = append(r.ranges[:0], got.ranges...)
	if r.wanted != nil && len(r.ranges) > 0 {
		if r.groupMay(got.group, r.wanted) {
			r.ranges = intersect(r.ranges, r.wantedRows(got.group, r.wanted))
		} else {
			r.ranges = r.ranges[:0]
		}
	}
	if len(r.ranges) == 0 {
		r.Stats.RowGroupsSkipped++
		return true, nil
	}
	r.Stats.RowsSkipped += g.NumRows
	for _, rng := range r.ranges {
		r.Stats.RowsSkipped -= rng.end - rng.start
	}
	for _, f := range r.fields {
		for _, c := range f.leaves() {
			data := got.buffer.chunks[c.col.leaf]
			r.Stats.BytesRead += int64(len(data))
			if err := c.start(&g.Columns[c.col.leaf].Meta, data); err != nil {
				return false, err
			}
		}
	}
	r.Stats.RowGroups++
	r.base, r.at = r.firstRows[got.group], 0
	return true, nil
}
