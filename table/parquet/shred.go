package parquet

import (
	"slices"

	"millrace/errs"
	"millrace/types"
	"millrace/vector"
)

// shredder writes one column of a batch into its leaves.
type shredder struct {
	typ      *types.Type
	name     string
	nullable bool
	def, rep uint8 // the levels of the column itself when it is not null
	children []*shredder
	leaf     *leafWriter
	leafs    []*leafWriter // all below

	// Statistics for the log.
	nulls int64
}

// entries are level entries on their way down: for each its levels, and the row of the current vector it stands for, or
// -1 where an ancestor is null or empty.
type entries struct {
	defs, reps []uint8
	rows       []int32
}

func (s *shredder) write(v *vector.Vector, sel []uint32, lo, n int) error {
	if s.leaf != nil {
		return s.leaf.flat(v, sel, lo, n)
	}
	e := &entries{defs: make([]uint8, n), reps: make([]uint8, n), rows: make([]int32, n)}
	for i := range e.rows {
		e.rows[i] = int32(v.Row(int(row(sel, lo, i))))
	}
	return s.descend(v, e)
}

// descend takes the entries, which stand for rows of v, through this column's own levels and on to the leaves.
func (s *shredder) descend(v *vector.Vector, e *entries) error {
	if err := s.nullability(v, e); err != nil {
		return err
	}
	if v.Dict != nil && (s.typ.IsNested() || s.typ.Kind == types.KindVariant) {
		codes := vector.Codes(v)
		for i, r := range e.rows {
			if r >= 0 {
				e.rows[i] = codes[r]
			}
		}
		v = v.Dict
	}
	switch s.typ.Kind {
	case types.KindStruct, types.KindVariant:
		for i, c := range s.children {
			child := &entries{slices.Clone(e.defs), e.reps, slices.Clone(e.rows)}
			if err := c.descend(constant(v.Children[i], child), child); err != nil {
				return err
			}
		}
		return nil
	case types.KindArray, types.KindMap:
		if v.Type.Kind == types.KindNull {
			v = vector.NewNulls(s.typ, 1)
		}
		inner := s.repeat(v, e)
		for i, c := range s.children {
			child := &entries{slices.Clone(inner.defs), inner.reps, slices.Clone(inner.rows)}
			if err := c.descend(constant(v.Children[i], child), child); err != nil {
				return err
			}
		}
		return nil
	}
	return s.deliver(v, e)
}

// constant points all rows at the one that a constant child has.
func constant(v *vector.Vector, e *entries) *vector.Vector {
	if v.Const {
		for i, r := range e.rows {
			if r >= 0 {
				e.rows[i] = 0
			}
		}
	}
	return v
}

// nullability ends the entries whose row is null and raises the definition level of the others.
func (s *shredder) nullability(v *vector.Vector, e *entries) error {
	hasNulls := v.HasNulls()
	for i, r := range e.rows {
		switch {
		case r < 0:
			s.nulls++
		case hasNulls && v.IsNull(int(r)):
			if !s.nullable {
				return errs.Newf(errs.Invalid, "column %s holds a null but is declared NOT NULL", s.name)
			}
			e.rows[i] = -1
			s.nulls++
		case s.nullable:
			e.defs[i]++
		}
	}
	return nil
}

// repeat makes an entry for each element of the lists or maps.
func (s *shredder) repeat(v *vector.Vector, e *entries) *entries {
	in := &entries{make([]uint8, 0, len(e.defs)*2), make([]uint8, 0, len(e.defs)*2), make([]int32, 0, len(e.defs)*2)}
	inner := s.rep + 1
	for i, r := range e.rows {
		start, end := int32(0), int32(0)
		if r >= 0 {
			start, end = v.Offsets[r], v.Offsets[r+1]
		}
		if start == end {
			in.defs, in.reps, in.rows = append(in.defs, e.defs[i]), append(in.reps, e.reps[i]), append(in.rows, -1)
			continue
		}
		for j := start; j < end; j++ {
			rep := inner
			if j == start {
				rep = e.reps[i]
			}
			in.defs, in.reps, in.rows = append(in.defs, e.defs[i]+1), append(in.reps, rep), append(in.rows, j)
		}
	}
	return in
}

// deliver gives the entries of a leaf to its writer.
func (s *shredder) deliver(v *vector.Vector, e *entries) error {
	w := s.leafs[0]
	rows := w.rows[:0]
	for _, r := range e.rows {
		if r >= 0 {
			rows = append(rows, uint32(r))
		}
	}
	w.rows = rows
	return w.nested(v, e.defs, e.reps, rows)
}
