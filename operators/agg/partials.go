package agg

import (
	"slices"

	"millrace/errs"
	"millrace/vector"
)

// appendDoubles appends a row to a column of array<double>.
func appendDoubles(out *vector.Vector, row []float64) {
	out.Append(listsOf(1, func(int) []float64 { return row }), nil)
}

// partials holds states of one group that came from other tasks until all are there. They are put in order before they are added, so
// that sums of doubles do not depend on who came first.
type partials struct{ rows [][]float64 }

func (p *partials) add(in *Input) error {
	if in.Groups != nil {
		return errs.Newf(errs.Internal, "a sum of vectors by group")
	}
	for k := range in.N {
		if !in.Args[0].IsNull(k) {
			p.rows = append(p.rows, slices.Clone(listAt(in.Args[0], k)))
		}
	}
	return nil
}

// take hands the states over in their order.
func (p *partials) take() [][]float64 {
	rows := p.rows
	p.rows = nil
	slices.SortFunc(rows, slices.Compare[[]float64])
	return rows
}

func (p *partials) memSize() int64 {
	n := int64(0)
	for _, r := range p.rows {
		n += int64(8 * cap(r))
	}
	return n
}
