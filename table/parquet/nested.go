package parquet

import (
	"slices"

	"millrace/types"
	"millrace/vector"
)

// leafReader reads the levels and the dense values of one leaf of a nested column, by rows.
type leafReader struct {
	*chunk
	pageDefs, pageReps []uint8 // levels of the current page
	pos                int     // the next of them

	rowDefs []uint8
	rowReps []uint8
	values  vector.Vector // of this read, dense
	rows    int           // values in it
}

// nextPage makes levels available, or reports false at the chunk's end.
func (l *leafReader) nextPage() (bool, error) {
	for l.pos == len(l.pageDefs) {
		l.left = 0
		if l.entries == 0 {
			return false, nil
		}
		if err := l.ensure(); err != nil {
			return false, err
		}
		l.pageDefs = resize(l.pageDefs, l.left)
		l.pageReps = resize(l.pageReps, l.left)
		l.pos = 0
		if err := l.pageLevels(); err != nil {
			return false, err
		}
	}
	return true, nil
}

func (l *leafReader) pageLevels() error {
	clear(l.pageReps)
	if l.col.maxRep > 0 {
		if err := l.reps.readLevels(l.pageReps, l.scratch); err != nil {
			return err
		}
	}
	if l.maxDef == 0 {
		clear(l.pageDefs)
		return nil
	}
	return l.defs.readLevels(l.pageDefs, l.scratch)
}

func resize[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}

// restart forgets the last row group.
func (l *leafReader) restart() { l.pageDefs, l.pageReps, l.pos = l.pageDefs[:0], l.pageReps[:0], 0 }

// readRows reads the levels and values of the next n rows.
func (l *leafReader) readRows(n int) error {
	l.rowDefs, l.rowReps, l.rows = l.rowDefs[:0], l.rowReps[:0], 0
	l.values.Reset(l.dec.typ, 0)
	for first := true; ; first = false {
		more, err := l.nextPage()
		if err != nil {
			return err
		}
		if !more {
			if n > 0 {
				return corrupt("a nested column ends %d rows early", n)
			}
			return nil
		}
		if first && l.pageReps[l.pos] != 0 {
			return corrupt("a row starts in the middle of a list")
		}
		end, rows := l.scanRows(n)
		if err := l.take(end); err != nil {
			return err
		}
		n -= rows
		if l.pos < len(l.pageDefs) {
			return nil
		}
	}
}

// scanRows finds where, in the current page, the next n rows end, and how many of them start before.
func (l *leafReader) scanRows(n int) (end, rows int) {
	for end = l.pos; end < len(l.pageReps); end++ {
		if l.pageReps[end] == 0 {
			if rows == n {
				break
			}
			rows++
		}
	}
	return end, rows
}

// take moves the page's levels up to end, with their values, to this read's.
func (l *leafReader) take(end int) error {
	defs := l.pageDefs[l.pos:end]
	dense := 0
	for _, d := range defs {
		if d > l.maxDef {
			return corrupt("definition level %d of at most %d", d, l.maxDef)
		}
		if d == l.maxDef {
			dense++
		}
	}
	l.rowDefs = append(l.rowDefs, defs...)
	l.rowReps = append(l.rowReps, l.pageReps[l.pos:end]...)
	l.pos = end
	extend(&l.values, l.rows+dense)
	if err := l.chunk.values(&l.values, l.rows, dense); err != nil {
		return err
	}
	l.rows += dense
	return nil
}

// extend makes room for n rows in a plain vector that is being built, keeping its content.
func extend(v *vector.Vector, n int) {
	if w := vector.Width(v.Type); w > 0 {
		if n*w > cap(v.Data) {
			words := make([]uint64, (2*n*w+7)/8)
			bigger := bytesOf(words)
			copy(bigger, v.Data)
			v.Data = bigger
		}
		v.Data = v.Data[:n*w]
	} else if n+1 > len(v.Offsets) {
		v.Offsets = slices.Grow(v.Offsets, n+1-len(v.Offsets))[:n+1]
	}
	v.Len = n
}

// nested assembles one node of a nested column from the levels of its leaves.
type nested struct {
	col      *Column
	typ      *types.Type
	leaf     *leafReader // of a leaf
	levels   *leafReader // the first leaf below, whose levels tell nulls and lengths
	children []*nested   // nil stands for a field that the file lacks
	variant  *variantField
	out      vector.Vector
}

func (n *nested) collect(to []*leafReader) []*leafReader {
	if n.leaf != nil {
		return append(to, n.leaf)
	}
	found := false
	for _, c := range n.children {
		if c != nil {
			to = c.collect(to)
			found = found || c.levels == n.levels
		}
	}
	if !found {
		to = append(to, n.levels)
	}
	return to
}

// nestedField reads a top-level column that is nested.
type nestedField struct {
	root *nested
	all  []*leafReader
}

func (f *nestedField) leaves() []*chunk {
	chunks := make([]*chunk, len(f.all))
	for i, l := range f.all {
		l.restart()
		chunks[i] = l.chunk
	}
	return chunks
}

func (f *nestedField) read(n int) (*vector.Vector, error) {
	for _, l := range f.all {
		if err := l.readRows(n); err != nil {
			return nil, err
		}
	}
	v, err := f.root.build()
	if err == nil && v.Len != n {
		err = corrupt("a nested column has %d rows instead of %d", v.Len, n)
	}
	return v, err
}

func (f *nestedField) skip(n int) error {
	for n > 0 {
		k := min(n, vector.BatchRows)
		for _, l := range f.all {
			if err := l.readRows(k); err != nil {
				return err
			}
		}
		n -= k
	}
	return nil
}

func (n *nested) build() (*vector.Vector, error) {
	switch n.typ.Kind {
	case types.KindVariant:
		return n.variant.build()
	case types.KindStruct:
		return n.buildStruct()
	case types.KindArray, types.KindMap:
		return n.buildList()
	}
	return n.buildLeaf()
}

func (n *nested) buildLeaf() (*vector.Vector, error) {
	l := n.leaf
	slots := 0
	n.out.Valid = n.out.Valid[:0]
	for _, d := range l.rowDefs {
		if d >= n.col.slot {
			n.out.Valid = appendBit(n.out.Valid, slots, d == l.maxDef)
			slots++
		}
	}
	valid := n.out.Valid
	if l.rows > slots {
		return nil, corrupt("a list has %d values in %d places", l.rows, slots)
	}
	n.out, l.values = l.values, n.out
	dense := l.rows
	extend(&n.out, slots)
	n.out.Dict, n.out.Const, n.out.Valid = nil, false, valid
	if dense < slots {
		spreadRows(&n.out, valid, 0, dense, slots)
	} else {
		n.out.Valid = nil
	}
	return &n.out, nil
}

// appendBit sets bit i, the next one.
func appendBit(b vector.Bitmap, i int, v bool) vector.Bitmap {
	if i&63 == 0 {
		b = append(b, 0)
	}
	if v {
		b[i>>6] |= 1 << (i & 63)
	}
	return b
}

func (n *nested) buildStruct() (*vector.Vector, error) {
	slots, nulls := 0, 0
	valid := n.out.Valid[:0]
	for i, d := range n.levels.rowDefs {
		if d >= n.col.slot && n.levels.rowReps[i] <= n.col.rep {
			valid = appendBit(valid, slots, d >= n.col.def)
			slots++
			if d < n.col.def {
				nulls++
			}
		}
	}
	children := make([]*vector.Vector, len(n.children))
	for i, c := range n.children {
		var err error
		if c == nil {
			children[i] = vector.NewNulls(n.typ.Fields[i].Type, slots)
		} else if children[i], err = c.build(); err != nil {
			return nil, err
		}
		if children[i].Len != slots {
			return nil, corrupt("a struct's field has %d values for %d rows", children[i].Len, slots)
		}
	}
	return n.finish(slots, nulls, valid, children), nil
}

func (n *nested) finish(slots, nulls int, valid vector.Bitmap, children []*vector.Vector) *vector.Vector {
	v := &vector.Vector{Type: n.typ, Len: slots, Offsets: n.out.Offsets, Children: children}
	n.out.Valid = valid
	if nulls > 0 {
		v.Valid = valid
	}
	return v
}

func (n *nested) buildList() (*vector.Vector, error) {
	slots, nulls, entries := 0, 0, int32(0)
	valid := n.out.Valid[:0]
	offsets := append(n.out.Offsets[:0], 0)
	inner := n.col.rep + 1
	for i, d := range n.levels.rowDefs {
		r := n.levels.rowReps[i]
		switch {
		case r <= n.col.rep:
			if d < n.col.slot {
				continue
			}
			valid = appendBit(valid, slots, d >= n.col.def)
			slots++
			if d < n.col.def {
				nulls++
			}
			offsets = append(offsets, entries)
		case r > inner:
			continue
		}
		if d >= n.col.entry && slots > 0 {
			entries++
			offsets[slots] = entries
		}
	}
	n.out.Offsets = offsets
	children := make([]*vector.Vector, len(n.children))
	for i, c := range n.children {
		var err error
		if children[i], err = c.build(); err != nil {
			return nil, err
		}
		if children[i].Len != int(entries) {
			return nil, corrupt("a list has %d entries and %d values", entries, children[i].Len)
		}
	}
	return n.finish(slots, nulls, valid, children), nil
}
