package operators

import (
	"math"
	"math/bits"
	"slices"

	"millrace/operators/sortkey"
	"millrace/types"
	"millrace/vector"
)

const (
	// maxSortParts is the most parts to which a sort deals its rows out; a power of two.
	maxSortParts = 64
	// sortSample is about how many rows say where parts end.
	sortSample = 64 * maxSortParts
	// leastGrain and mostGrain bound the bytes of rows that a part gathers for a batch of its own; in between all parts together take an eighth of the memory.
	leastGrain, mostGrain = 4 << 10, 256 << 10
	// sortingRow is what sorting takes for a row, besides the row.
	sortingRow = 48
)

// sortParts are the rows of a sort that is too large to be made at once, dealt out to parts that follow each other in its order. Each is sorted when its turn has
// come, which takes memory for one part instead of all. When rows do not fit into memory the last parts go to disk as they come, so that of a sort that is a
// little too large just a little is written, and nothing is merged.
type sortParts struct {
	o     *sortOp
	lead  ordering // the first keys, whose first word tells parts apart
	enc   *sortkey.Encoder
	keys  []*vector.Vector
	heads []uint64   // the greatest word of each part, filled up to a power of two
	rows  [][]uint32 // of the batch at hand, by part
	list  []sortPart
	chunk int   // rows of a part's batch
	width int64 // bytes of a row
	bytes int64 // of full batches in memory
	disk  int   // from here on parts are on disk
	file  *pageFile

	at  int     // the part whose turn is next
	sub *sortOp // sorts the one before
}

// sortPart is a part's rows in the order in which they came: pages on disk, full batches, and those after them.
type sortPart struct {
	pages []int
	full  []*vector.Batch
	open  *vector.Builder
	rows  int
}

// leading are the first keys, as many as a word has room for.
func (o *ordering) leading() ordering {
	room, n := 64, 0
	for n < len(o.keys) && room > 0 {
		w := vector.Width(vector.Storage(o.keys[n].Type))
		if w == 0 {
			w = 8
		}
		room -= 1 + 8*w
		n++
	}
	return ordering{exprs: o.exprs[:n], keys: o.keys[:n]}
}

// deal makes parts of the rows that are there, or leaves them where memory is too short for parts or half of the rows would be in one.
func (o *sortOp) deal() (bool, error) {
	pieces, total := o.rows.Pieces(), o.rows.Len()
	if o.whole || len(o.runs) > 0 || total == 0 || len(o.in.Output()) == 0 {
		return false, nil
	}
	n := int(min(maxSortParts, o.mem.pool.Limit()/(8*o.grain)))
	if n < 2 {
		return false, nil
	}
	lead := o.order.leading()
	p := &sortParts{o: o, lead: lead, enc: sortkey.NewEncoder(lead.keys, true), width: o.rows.Size()/int64(total) + 1, file: newPageFile(o.ctx, o.in.Output())}
	words, err := p.sample(pieces, max(1, total/sortSample))
	if err != nil {
		return false, err
	}
	if p.heads = ends(words, n); len(p.heads) == 0 {
		return false, nil
	}
	p.chunk = int(max(1, o.grain/p.width))
	p.list = make([]sortPart, len(p.heads)+1)
	p.rows, p.disk = make([][]uint32, len(p.list)), len(p.list)
	for i := range p.list {
		p.list[i].open = vector.NewBuilder(o.in.Output())
	}
	for len(p.heads)&(len(p.heads)-1) != 0 || len(p.heads) < len(p.list) {
		p.heads = append(p.heads, math.MaxUint64)
	}
	o.parts, o.rows, o.keys = p, vector.NewBuilder(o.in.Output()), nil
	for i, b := range pieces {
		pieces[i] = nil
		if err := p.addAll(b); err != nil {
			return true, err
		}
	}
	return true, nil
}

// ends are the greatest words of all parts but the last, n parts at most; none where one word has half of the sample, which is in order.
func ends(words []uint64, n int) []uint64 {
	var list []uint64
	for k := 0; 2*k < len(words); k++ {
		if words[k] == words[k+len(words)/2] {
			return nil
		}
	}
	for i := 1; i < n; i++ {
		w := words[i*len(words)/n]
		if len(list) == 0 || w > list[len(list)-1] {
			list = append(list, w)
		}
	}
	return list
}

// sample is the words of each step-th row of all pieces, in order.
func (p *sortParts) sample(pieces []*vector.Batch, step int) ([]uint64, error) {
	var all []uint64
	var sel []uint32
	next := 0
	for _, b := range pieces {
		sel = sel[:0]
		for ; next < b.N; next += step {
			sel = append(sel, uint32(next))
		}
		if next -= b.N; len(sel) == 0 {
			continue
		}
		words, err := p.words(&vector.Batch{Cols: b.Cols, N: b.N, Sel: sel})
		if err != nil {
			return nil, err
		}
		all = append(all, words...)
	}
	slices.Sort(all)
	return all, nil
}

// words are the first words of the keys of a batch's rows, until the next call.
func (p *sortParts) words(b *vector.Batch) (words []uint64, err error) {
	if p.keys, err = p.lead.eval(p.o.ctx, b, p.keys); err != nil {
		return nil, err
	}
	p.enc.Encode(p.keys, b.Sel, b.Rows())
	return p.enc.Words[0][:b.Rows()], nil
}

// part is where a row with this word belongs: so many parts end below it. Nothing is known of the next word, so that a branch would be foreseen half of the time.
func (p *sortParts) part(word uint64) int {
	at, heads := 0, p.heads
	for half := len(heads) / 2; half > 0; half /= 2 {
		_, less := bits.Sub64(heads[at+half-1], word, 0)
		at += half & -int(less)
	}
	return at
}

// dealtRows is how many rows of a large batch are dealt out at once.
const dealtRows = 1 << 16

// addAll deals out a batch without a selection.
func (p *sortParts) addAll(b *vector.Batch) error {
	for from := 0; from < b.N; from += dealtRows {
		if err := p.add(vector.SliceBatch(b, from, min(dealtRows, b.N-from))); err != nil {
			return err
		}
	}
	return nil
}

// add deals out a batch's rows.
func (p *sortParts) add(b *vector.Batch) error {
	words, err := p.words(b)
	if err != nil {
		return err
	}
	for i := range p.rows {
		p.rows[i] = p.rows[i][:0]
	}
	for k, w := range words {
		r := uint32(k)
		if b.Sel != nil {
			r = b.Sel[k]
		}
		i := p.part(w)
		p.rows[i] = append(p.rows[i], r)
	}
	for i, rows := range p.rows {
		if err := p.put(i, b, rows); err != nil {
			return err
		}
	}
	return p.fit()
}

// put appends rows of a batch to a part.
func (p *sortParts) put(i int, b *vector.Batch, rows []uint32) error {
	t := &p.list[i]
	t.rows += len(rows)
	for len(rows) > 0 {
		n := min(len(rows), p.chunk-t.open.Len())
		t.open.Append(b, rows[:n])
		rows = rows[n:]
		if t.open.Len() < p.chunk && t.open.Size() < 4*p.o.grain {
			continue
		}
		if err := p.seal(i); err != nil {
			return err
		}
	}
	return nil
}

// seal ends the batch that a part gathers.
func (p *sortParts) seal(i int) error {
	t := &p.list[i]
	b := t.open.Take()
	if i >= p.disk {
		return p.write(t, b)
	}
	for _, c := range b.Cols {
		c.Fit()
	}
	t.full, p.bytes = append(t.full, b), p.bytes+b.MemSize()
	return nil
}

func (p *sortParts) write(t *sortPart, b *vector.Batch) error {
	page, err := p.file.Write(b.Cols, b.N)
	t.pages = append(t.pages, page)
	return err
}

// fit has the last parts go to disk until the others fit into memory.
func (p *sortParts) fit() error {
	for p.disk > 0 && !p.o.mem.fits(p.held()+p.largest()) {
		p.disk--
		t := &p.list[p.disk]
		for _, b := range t.full {
			p.bytes -= b.MemSize()
			if err := p.write(t, b); err != nil {
				return err
			}
		}
		t.full = nil
	}
	return p.o.ctx.Err()
}

// held is the bytes of rows in memory.
func (p *sortParts) held() int64 {
	n := p.bytes
	for i := range p.list {
		if open := p.list[i].open; open != nil {
			n += open.MemSize()
		}
	}
	return n
}

// largest is what sorting the largest part takes, if that is possible at all.
func (p *sortParts) largest() int64 {
	most := 0
	for i := range p.list {
		most = max(most, p.list[i].rows)
	}
	return min(int64(most)*(p.width+sortingRow), p.o.mem.pool.Limit()/4)
}

// next returns the next rows in order.
func (p *sortParts) next() (*vector.Batch, error) {
	for {
		if p.sub == nil && !p.begin() {
			return nil, nil
		}
		b, err := p.sub.Next()
		if b != nil || err != nil {
			return b, err
		}
		err = p.sub.Close()
		if p.sub = nil; err != nil {
			return nil, err
		}
	}
}

// begin has the next part sorted, or reports that there is none.
func (p *sortParts) begin() bool {
	for p.at < len(p.list) && p.list[p.at].rows == 0 {
		p.at++
	}
	if p.at == len(p.list) {
		return false
	}
	in := &sortPartReader{types: p.o.in.Output(), ctx: p.o.ctx, file: p.file, part: p.list[p.at]}
	for _, b := range in.part.full {
		p.bytes -= b.MemSize()
	}
	p.list[p.at] = sortPart{}
	p.at++
	p.o.mem.shrink(p.held())
	p.sub = &sortOp{in: in, order: p.o.order, whole: true, m: p.o.m}
	p.sub.begin(p.o.ctx)
	return true
}

func (p *sortParts) close() error {
	var err error
	if p.sub != nil {
		err = p.sub.Close()
	}
	p.file.close(p.o.m)
	return err
}

// sortPartReader reads a part's rows in the order in which they came.
type sortPartReader struct {
	types []*types.Type
	ctx   *Ctx
	file  *pageFile
	part  sortPart
}

var _ Operator = (*sortPartReader)(nil)

func (r *sortPartReader) Open(*Ctx) error       { return nil }
func (r *sortPartReader) Close() error          { return nil }
func (r *sortPartReader) Output() []*types.Type { return r.types }

// Lasting implements Lasting.
func (r *sortPartReader) Lasting() bool { return true }

func (r *sortPartReader) Next() (*vector.Batch, error) {
	t := &r.part
	switch {
	case r.ctx.Err() != nil:
		return nil, r.ctx.Err()
	case len(t.pages) > 0:
		cols, err := r.file.Read(t.pages[0])
		if err != nil {
			return nil, err
		}
		t.pages = t.pages[1:]
		return &vector.Batch{Cols: cols, N: cols[0].Len}, nil
	case len(t.full) > 0:
		b := t.full[0]
		t.full[0], t.full = nil, t.full[1:]
		return b, nil
	}
	return t.open.Take(), nil
}
