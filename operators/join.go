package operators

import (
	"millrace/operators/expr"
	planpb "millrace/proto/millrace/plan/v1"
	"millrace/types"
	"millrace/vector"
)

// matcher finds the build rows that may match the rows of a probe batch.
type matcher interface {
	// start begins with a probe batch.
	start(b *vector.Batch) error
	// pairs appends pairs of a probe row and a build row until the batch's are exhausted (then it returns false) or the lists are full.
	pairs(probe, build []uint32) (p, b []uint32, more bool)
}

// joinKind is what a join does with matched and unmatched rows of its two sides.
type joinKind struct {
	typ       planpb.JoinType
	buildLeft bool
	pairs     bool // emits pairs
	probeRows rowsOf
	buildRows rowsOf
}

// rowsOf says which rows of a side a join emits on their own.
type rowsOf uint8

const (
	noRows        rowsOf = iota
	unmatchedRows        // with nulls for the other side, or bare for an anti join
	matchedRows          // for a semi join
	allRows              // with a boolean, for an existence join
)

func kindOf(t planpb.JoinType, buildLeft bool) joinKind {
	k := joinKind{typ: t, buildLeft: buildLeft}
	left, right := noRows, noRows
	switch t {
	case planpb.JoinType_INNER, planpb.JoinType_CROSS:
		k.pairs = true
	case planpb.JoinType_LEFT:
		k.pairs, left = true, unmatchedRows
	case planpb.JoinType_RIGHT:
		k.pairs, right = true, unmatchedRows
	case planpb.JoinType_FULL:
		k.pairs, left, right = true, unmatchedRows, unmatchedRows
	case planpb.JoinType_LEFT_SEMI:
		left = matchedRows
	case planpb.JoinType_LEFT_ANTI, planpb.JoinType_NULL_AWARE_ANTI:
		left = unmatchedRows
	case planpb.JoinType_EXISTENCE:
		left = allRows
	}
	k.probeRows, k.buildRows = left, right
	if buildLeft {
		k.probeRows, k.buildRows = right, left
	}
	return k
}

// output is the types of the join's columns.
func (k *joinKind) output(left, right []*types.Type) []*types.Type {
	out := append([]*types.Type(nil), left...)
	switch {
	case k.pairs:
		return append(out, right...)
	case k.typ == planpb.JoinType_EXISTENCE:
		return append(out, types.Boolean)
	}
	return out
}

// joiner turns candidate pairs into a join's output: it applies the residual condition, and emits the rows of either side that the
// join's type asks for.
type joiner struct {
	joinKind
	ctx      *Ctx
	left     []*types.Type
	right    []*types.Type
	wanted   columnSet // of the pairs' columns; the others are nulls
	residual expr.Predicate
	// unknown: a residual condition that is null counts as true, for NOT IN.
	unknown expr.Evaluator
	match   matcher
	next    func() (*vector.Batch, error) // of the probe side
	// keep, if not nil, is shown which rows of a probe batch matched, and reports that none of them is due yet.
	keep func(matched []bool) bool

	build        *vector.Batch
	buildMatched []bool
	probe        *vector.Batch
	probeMatched []bool
	more         bool
	drained      int

	probeIdx, buildIdx []uint32
	pair, out          vector.Batch
	sel                []uint32
	flags              vector.Vector
}

// begin sets the build side.
func (j *joiner) begin(build *vector.Batch) {
	j.build = build
	if j.buildRows != noRows {
		j.buildMatched = make([]bool, build.N)
	}
}

// Next makes the next output batch.
func (j *joiner) Next() (*vector.Batch, error) {
	for {
		if j.probe == nil {
			b, err := j.next()
			if err != nil {
				return nil, err
			}
			if b == nil {
				return j.drain(), nil
			}
			if err := j.startProbe(b); err != nil {
				return nil, err
			}
		}
		if j.more {
			out, err := j.nextPairs()
			if out != nil || err != nil {
				return out, err
			}
			continue
		}
		b := j.probe
		j.probe = nil
		if j.keep != nil && j.keep(j.probeMatched) {
			continue
		}
		if out := j.single(b.Cols, b.Sel, b.N, j.probeRows, j.probeMatched, !j.buildLeft); out != nil {
			return out, nil
		}
	}
}

func (j *joiner) startProbe(b *vector.Batch) error {
	j.probe, j.more = b, true
	if j.probeRows != noRows {
		if cap(j.probeMatched) < b.N {
			j.probeMatched = make([]bool, b.N)
		}
		j.probeMatched = j.probeMatched[:b.N]
		clear(j.probeMatched)
	}
	return j.match.start(b)
}

// nextPairs takes the next candidate pairs, marks the rows that match and returns the pairs where the join emits them.
func (j *joiner) nextPairs() (*vector.Batch, error) {
	if err := j.ctx.Err(); err != nil {
		return nil, err
	}
	j.probeIdx, j.buildIdx, j.more = j.match.pairs(j.probeIdx[:0], j.buildIdx[:0])
	if len(j.probeIdx) == 0 {
		return nil, nil
	}
	var sel []uint32
	if j.residual != nil || j.unknown != nil || j.pairs {
		j.gatherPairs()
	}
	if j.residual != nil || j.unknown != nil {
		var err error
		if sel, err = j.hold(); err != nil || len(sel) == 0 {
			return nil, err
		}
	}
	j.mark(sel)
	if !j.pairs {
		return nil, nil
	}
	j.pair.Sel = sel
	return &j.pair, nil
}

// hold is the pairs for which the condition holds.
func (j *joiner) hold() ([]uint32, error) {
	if j.unknown == nil {
		return j.residual.Select(&j.ctx.Ctx, &j.pair, nil)
	}
	v, err := j.unknown.Eval(&j.ctx.Ctx, &j.pair, nil)
	if err != nil {
		return nil, err
	}
	j.sel = j.sel[:0]
	for i := range j.pair.N {
		if v.IsNull(i) || vector.Values[bool](v)[v.Row(i)] {
			j.sel = append(j.sel, uint32(i))
		}
	}
	return j.sel, nil
}

func (j *joiner) mark(sel []uint32) {
	if j.probeRows != noRows {
		markRows(j.probeMatched, j.probeIdx, sel)
	}
	if j.buildRows != noRows {
		markRows(j.buildMatched, j.buildIdx, sel)
	}
}

func markRows(matched []bool, idx, sel []uint32) {
	if sel == nil {
		for _, r := range idx {
			matched[r] = true
		}
		return
	}
	for _, k := range sel {
		matched[idx[k]] = true
	}
}

// gatherPairs makes the pairs' columns, left before right.
func (j *joiner) gatherPairs() {
	l, r, li, ri := j.probe.Cols, j.build.Cols, j.probeIdx, j.buildIdx
	if j.buildLeft {
		l, r, li, ri = r, l, ri, li
	}
	for i, c := range l {
		j.gather(i, c, li)
	}
	for i, c := range r {
		j.gather(len(l)+i, c, ri)
	}
	j.pair.N, j.pair.Sel = len(li), nil
}

// gather makes column i of the pairs.
func (j *joiner) gather(i int, src *vector.Vector, rows []uint32) {
	if i == len(j.pair.Cols) {
		j.pair.Cols = append(j.pair.Cols, &vector.Vector{})
	}
	if j.wanted.has(i) {
		j.pair.Cols[i].Gather(src, rows)
		return
	}
	if !j.pair.Cols[i].Const {
		j.pair.Cols[i] = vector.NewNull(src.Type, 0)
	}
	j.pair.Cols[i].Len = len(rows)
}

// single emits the rows of one side that the join emits on their own, or nil.
func (j *joiner) single(cols []*vector.Vector, sel []uint32, n int, which rowsOf, matched []bool, left bool) *vector.Batch {
	if which == noRows {
		return nil
	}
	if which == allRows {
		return j.existence(cols, sel, n, matched)
	}
	j.sel = j.sel[:0]
	want := which == matchedRows
	if sel == nil {
		for r := range n {
			if matched[r] == want {
				j.sel = append(j.sel, uint32(r))
			}
		}
	} else {
		for _, r := range sel {
			if matched[r] == want {
				j.sel = append(j.sel, r)
			}
		}
	}
	if len(j.sel) == 0 {
		return nil
	}
	j.out.Cols, j.out.N, j.out.Sel = j.out.Cols[:0], n, j.sel
	switch {
	case !j.pairs:
		j.out.Cols = append(j.out.Cols, cols...)
	case left:
		j.out.Cols = append(append(j.out.Cols, cols...), nullColumns(j.right, n)...)
	default:
		j.out.Cols = append(append(j.out.Cols, nullColumns(j.left, n)...), cols...)
	}
	return &j.out
}

func nullColumns(ts []*types.Type, n int) []*vector.Vector {
	list := make([]*vector.Vector, len(ts))
	for i, t := range ts {
		list[i] = vector.NewNull(t, n)
	}
	return list
}

// existence emits all rows with the column that says whether they matched.
func (j *joiner) existence(cols []*vector.Vector, sel []uint32, n int, matched []bool) *vector.Batch {
	j.flags.Reset(types.Boolean, n)
	copy(vector.Values[bool](&j.flags), matched[:n])
	j.out = vector.Batch{Cols: append(append(j.out.Cols[:0], cols...), &j.flags), N: n, Sel: sel}
	if j.out.Rows() == 0 {
		return nil
	}
	return &j.out
}

// drain emits, after the probe side's end, the build side's rows that are due.
func (j *joiner) drain() *vector.Batch {
	if j.buildRows == noRows {
		return nil
	}
	for j.drained < j.build.N {
		from := j.drained
		n := min(vector.BatchRows, j.build.N-from)
		j.drained += n
		part := vector.SliceBatch(j.build, from, n)
		if out := j.single(part.Cols, nil, n, j.buildRows, j.buildMatched[from:from+n], j.buildLeft); out != nil {
			return out
		}
	}
	return nil
}
