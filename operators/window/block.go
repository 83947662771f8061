package window

import (
	"sort"

	"millrace/types"
	"millrace/vector"
)

const (
	pageRows = 4096
	cached   = 8 // pages read from files that are kept
)

// Files keeps pages on disk.
type Files interface {
	Write(columns []*vector.Vector, n int) (place int, err error)
	Read(place int) ([]*vector.Vector, error) // the caller's to keep
}

// Block is the rows of some complete partitions, in their order, numbered from 0.
type Block struct {
	types  []*types.Type
	files  Files
	limit  int64           // bytes at which a page ends, as it does at pageRows rows
	rows   *vector.Builder // of the page in the making
	pages  []page
	n      int
	starts []int         // the first row of every partition
	peers  vector.Bitmap // rows at which a group of peers begins
	loaded []int         // pages read from files, the least recently used first
	memory int64         // of the pages in memory
	hint   int
}

type page struct {
	first, n int
	cols     []*vector.Vector // nil: on disk
	place    int
	disk     bool
	bytes    int64
}

// NewBlock makes an empty block of rows with these columns, in pages of about so many bytes at most.
func NewBlock(columns []*types.Type, files Files, pageBytes int) *Block {
	return &Block{types: columns, files: files, limit: int64(pageBytes), rows: vector.NewBuilder(columns)}
}

// Len is the number of rows.
func (b *Block) Len() int { return b.n }

// MemSize is the bytes held in memory.
func (b *Block) MemSize() int64 {
	return b.memory + b.rows.MemSize() + int64(8*cap(b.starts)+8*cap(b.peers))
}

// Reset forgets the rows. What is on disk is the caller's to remove.
func (b *Block) Reset() {
	b.rows.Reset()
	b.pages, b.n, b.starts, b.loaded, b.memory, b.hint = nil, 0, b.starts[:0], b.loaded[:0], 0, 0
	clear(b.peers)
	b.peers = b.peers[:0]
}

// Add appends rows sel of columns. Starts and peers say, by place in sel, where partitions and groups of peers begin.
func (b *Block) Add(cols []*vector.Vector, sel []uint32, starts, peers []bool) {
	for k := range sel {
		i := b.n + k
		if i/64 >= len(b.peers) {
			b.peers = append(b.peers, 0)
		}
		if starts[k] {
			b.starts = append(b.starts, i)
		}
		if peers[k] {
			b.peers.Set(i)
		}
	}
	b.n += len(sel)
	for len(sel) > 0 {
		take := min(len(sel), pageRows-b.rows.Len())
		b.rows.AppendColumns(cols, sel[:take], 0)
		sel = sel[take:]
		if b.rows.Len() == pageRows || b.rows.Size() > b.limit {
			b.endPage()
		}
	}
}

func (b *Block) endPage() {
	t := b.rows.Take()
	if t == nil {
		return
	}
	first := 0
	if k := len(b.pages); k > 0 {
		first = b.pages[k-1].first + b.pages[k-1].n
	}
	p := page{first: first, n: t.N, cols: t.Cols, bytes: t.MemSize()}
	b.memory += p.bytes
	b.pages = append(b.pages, p)
}

// Spill moves all pages in memory to disk.
func (b *Block) Spill() error {
	for i := range b.pages {
		p := &b.pages[i]
		if p.cols == nil {
			continue
		}
		if !p.disk {
			place, err := b.files.Write(p.cols, p.n)
			if err != nil {
				return err
			}
			p.place, p.disk = place, true
		}
		p.cols = nil
	}
	b.memory, b.loaded = 0, b.loaded[:0]
	return nil
}

// seal ends the last page: no more rows come.
func (b *Block) seal() { b.endPage() }

// pageOf is the number of row i's page.
func (b *Block) pageOf(i int) int {
	if p := &b.pages[b.hint]; i < p.first || i >= p.first+p.n {
		if k := b.hint + 1; k < len(b.pages) && i >= b.pages[k].first && i < b.pages[k].first+b.pages[k].n {
			b.hint = k
		} else {
			b.hint = sort.Search(len(b.pages), func(k int) bool { return b.pages[k].first > i }) - 1
		}
	}
	return b.hint
}

// load gives page k's columns, reading them if they are on disk.
func (b *Block) load(k int) (*page, error) {
	p := &b.pages[k]
	if !p.disk {
		return p, nil
	}
	for i, l := range b.loaded {
		if l == k {
			copy(b.loaded[i:], b.loaded[i+1:])
			b.loaded[len(b.loaded)-1] = k
			return p, nil
		}
	}
	if len(b.loaded) == cached {
		old := &b.pages[b.loaded[0]]
		old.cols = nil
		b.memory -= old.bytes
		b.loaded = b.loaded[:copy(b.loaded, b.loaded[1:])]
	}
	cols, err := b.files.Read(p.place)
	if err != nil {
		return nil, err
	}
	p.cols = cols
	b.memory += p.bytes
	b.loaded = append(b.loaded, k)
	return p, nil
}

// Columns are the rows from on, of which there may be fewer than n because their page ends. They stay valid as long as nothing is loaded.
func (b *Block) Columns(from, n int) ([]*vector.Vector, int, error) {
	p, err := b.load(b.pageOf(from))
	if err != nil {
		return nil, 0, err
	}
	at := from - p.first
	n = min(n, p.n-at)
	cols := make([]*vector.Vector, len(p.cols))
	for i, c := range p.cols {
		cols[i] = vector.Slice(c, at, n)
	}
	return cols, n, nil
}

// gather appends column c of the given rows; a negative one is null.
func (b *Block) gather(out *vector.Vector, c int, rows []int, scratch []uint32) ([]uint32, error) {
	for len(rows) > 0 {
		if rows[0] < 0 {
			n := 1
			for n < len(rows) && rows[n] < 0 {
				n++
			}
			out.AppendNulls(n)
			rows = rows[n:]
			continue
		}
		p, err := b.load(b.pageOf(rows[0]))
		if err != nil {
			return nil, err
		}
		scratch = scratch[:0]
		for _, r := range rows {
			if r < p.first || r >= p.first+p.n {
				break
			}
			scratch = append(scratch, uint32(r-p.first))
		}
		appendColumn(out, p.cols[c], scratch)
		rows = rows[len(scratch):]
	}
	return scratch, nil
}

// appendColumn appends rows to a column as functions take it: plain, or of strings in a dictionary.
func appendColumn(out, src *vector.Vector, rows []uint32) {
	if src.Type.IsStringLike() {
		out.Append(src, rows)
	} else {
		out.AppendPlain(src, rows)
	}
}

// partition is the place in starts of row i's partition; hint is that of an earlier row.
func (b *Block) partition(i, hint int) int {
	for hint+1 < len(b.starts) && b.starts[hint+1] <= i {
		hint++
	}
	return hint
}

// end is the row after the last of a partition.
func (b *Block) end(partition int) int {
	if partition+1 < len(b.starts) {
		return b.starts[partition+1]
	}
	return b.n
}
