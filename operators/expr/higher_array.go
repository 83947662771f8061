package expr

import (
	"slices"

	"millrace/errs"
	"millrace/types"
	"millrace/vector"
)

func init() {
	registerHigher("transform", transform)
	registerHigher("filter", filterElements)
	registerHigher("exists", func(ctx *Ctx, h *higher, b *vector.Batch, vals []*vector.Vector, sel []uint32, out *vector.Vector) error {
		return quantified(ctx, h, b, vals, sel, out, 1)
	})
	registerHigher("forall", func(ctx *Ctx, h *higher, b *vector.Batch, vals []*vector.Vector, sel []uint32, out *vector.Vector) error {
		return quantified(ctx, h, b, vals, sel, out, 0)
	})
	registerHigher("zip_with", zipWith)
	registerHigher("array_sort_by", sortBy)
	Register("aggregate", Func{Lazy: newReduction})
}

// applyTo evaluates a lambda of an element and perhaps its place.
func applyTo(ctx *Ctx, l *Lambda, b *vector.Batch, e *elements) (*vector.Vector, error) {
	params := []*vector.Vector{e.column(0)}
	if len(l.Params) > 1 {
		params = append(params, e.places())
	}
	return l.apply(ctx, b, e.rows, params...)
}

func transform(ctx *Ctx, h *higher, b *vector.Batch, vals []*vector.Vector, sel []uint32, out *vector.Vector) error {
	e := elementsOf(vals[0], sel, b.N)
	v, err := applyTo(ctx, h.l[0], b, e)
	if err != nil {
		return err
	}
	copy(out.Offsets, e.offsets)
	out.Children = []*vector.Vector{owned(v, out.Type.Elem, e.len())}
	return nil
}

func filterElements(ctx *Ctx, h *higher, b *vector.Batch, vals []*vector.Vector, sel []uint32, out *vector.Vector) error {
	e := elementsOf(vals[0], sel, b.N)
	v, err := applyTo(ctx, h.l[0], b, e)
	if err != nil {
		return err
	}
	kept := keepTrue(e, v, out)
	out.Children = []*vector.Vector{gathered(e.list.Children[0], kept)}
	return nil
}

// keepTrue gives the places of the elements for which v is true, and sets the offsets of out.
func keepTrue(e *elements, v, out *vector.Vector) []uint32 {
	kept := make([]uint32, 0, e.len())
	out.Offsets[0] = 0
	for i := range len(e.offsets) - 1 {
		for k := e.offsets[i]; k < e.offsets[i+1]; k++ {
			if truth(v, int(k)) == 1 {
				kept = append(kept, e.index[k])
			}
		}
		out.Offsets[i+1] = int32(len(kept))
	}
	return kept
}

// quantified is exists (decided by a true) and forall (by a false), of three values.
func quantified(ctx *Ctx, h *higher, b *vector.Batch, vals []*vector.Vector, sel []uint32, out *vector.Vector, decides int) error {
	e := elementsOf(vals[0], sel, b.N)
	v, err := applyTo(ctx, h.l[0], b, e)
	if err != nil {
		return err
	}
	r := vector.Values[bool](out)
	for _, i := range sel {
		found, null := false, false
		for k := e.offsets[i]; k < e.offsets[i+1] && !found; k++ {
			x := truth(v, int(k))
			found, null = x == decides, null || x < 0
		}
		r[i] = found == (decides == 1)
		if !found && null && h.c.Options["two_valued"] == "" {
			out.SetNull(int(i))
		}
	}
	return nil
}

// zipWith pairs the elements of two lists; the shorter one goes on with nulls.
func zipWith(ctx *Ctx, h *higher, b *vector.Batch, vals []*vector.Vector, sel []uint32, out *vector.Vector) error {
	x, y := plainNested(vals[0]), plainNested(vals[1])
	var rows, left, right []uint32
	next := 0
	for _, i := range sel {
		for ; next < int(i); next++ {
			out.Offsets[next+1] = out.Offsets[next]
		}
		xs, ys := x.Row(int(i)), y.Row(int(i))
		a, c := x.Offsets[xs], y.Offsets[ys]
		for ; a < x.Offsets[xs+1] || c < y.Offsets[ys+1]; a, c = a+1, c+1 {
			rows = append(rows, i)
			left, right = append(left, placeOr(a, x.Offsets[xs+1])), append(right, placeOr(c, y.Offsets[ys+1]))
		}
		out.Offsets[i+1] = int32(len(rows))
		next = int(i) + 1
	}
	for ; next < b.N; next++ {
		out.Offsets[next+1] = out.Offsets[next]
	}
	v, err := h.l[0].apply(ctx, b, rows, gathered(x.Children[0], left), gathered(y.Children[0], right))
	if err != nil {
		return err
	}
	out.Children = []*vector.Vector{owned(v, out.Type.Elem, len(rows))}
	return nil
}

func placeOr(at, end int32) uint32 {
	if at < end {
		return uint32(at)
	}
	return vector.NoRow
}

// reduction is aggregate(list, zero, merge, finish). All rows take a step together: they are in the order of their lengths, the longest first,
// so that those that go on are always the first ones.
type reduction struct {
	c    *Call
	args []Evaluator
	out  *vector.Vector
}

func newReduction(c *Call, args []Evaluator) (Evaluator, error) {
	return &reduction{c: c, args: args}, nil
}

func (f *reduction) Type() *types.Type { return f.c.Out }

func (f *reduction) Eval(ctx *Ctx, b *vector.Batch, sel []uint32) (*vector.Vector, error) {
	list, err := f.args[0].Eval(ctx, b, sel)
	if err != nil {
		return nil, err
	}
	if list.Type.Kind == types.KindNull || list.Const && list.IsNull(0) || b.N == 0 {
		return vector.NewNull(f.c.Out, b.N), nil
	}
	e := elementsOf(list, sel, b.N)
	var rows []uint32
	Rows(sel, b.N, func(i int) {
		if !e.list.IsNull(i) {
			rows = append(rows, uint32(i))
		}
	})
	if len(rows) == 0 {
		return vector.NewNull(f.c.Out, b.N), nil
	}
	size := func(i uint32) int { return int(e.offsets[i+1] - e.offsets[i]) }
	slices.SortStableFunc(rows, func(x, y uint32) int { return size(y) - size(x) })
	zero, err := f.args[1].Eval(ctx, b, rowsAscending(rows))
	if err != nil {
		return nil, err
	}
	done, order, err := f.steps(ctx, b, e, rows, repeated(zero, rows), size)
	if err != nil {
		return nil, Wrap(f.c, err)
	}
	if len(f.args) > 3 {
		v, err := f.args[3].(*Lambda).apply(ctx, b, order, done)
		if err != nil {
			return nil, err
		}
		done = owned(v, f.c.Out, len(order))
	}
	idx := make([]uint32, b.N)
	for i := range idx {
		idx[i] = vector.NoRow
	}
	for k, i := range order {
		idx[i] = uint32(k)
	}
	f.out = gathered(done, idx)
	return f.out, nil
}

func rowsAscending(rows []uint32) []uint32 {
	up := slices.Clone(rows)
	slices.Sort(up)
	return up
}

// steps merges place after place and gives the results with their rows, in the order in which rows came to their ends.
func (f *reduction) steps(ctx *Ctx, b *vector.Batch, e *elements, rows []uint32, acc *vector.Vector, size func(uint32) int) (*vector.Vector, []uint32, error) {
	merge := f.args[2].(*Lambda)
	t := merge.Params[0].T
	acc = owned(acc, t, len(rows))
	done, order := vector.NewEmpty(t), make([]uint32, 0, len(rows))
	for k := 0; len(rows) > 0; k++ {
		active := len(rows)
		for active > 0 && size(rows[active-1]) == k {
			active--
		}
		for r := active; r < len(rows); r++ {
			order = append(order, rows[r])
		}
		if active < len(rows) {
			done.Append(vector.Slice(acc, active, len(rows)-active), nil)
		}
		if rows = rows[:active]; active == 0 {
			break
		}
		at := make([]uint32, active)
		for r, i := range rows {
			at[r] = e.index[int(e.offsets[i])+k]
		}
		v, err := merge.apply(ctx, b, rows, vector.Slice(acc, 0, active), gathered(e.list.Children[0], at))
		if err != nil {
			return nil, nil, err
		}
		acc = owned(v, t, active)
	}
	return done, order, nil
}

// mergeRun merges two neighbouring sorted runs of a list: elements [i, iEnd) and [iEnd, jEnd) of from go to places to and on.
type mergeRun struct {
	row            uint32
	i, iEnd, j, to int
	jEnd           int
}

// sortBy is array_sort with a comparator: a merge sort of all lists at once, of which all runs of one width take each step together.
func sortBy(ctx *Ctx, h *higher, b *vector.Batch, vals []*vector.Vector, sel []uint32, out *vector.Vector) error {
	e := elementsOf(vals[0], sel, b.N)
	copy(out.Offsets, e.offsets)
	from, to := slices.Clone(e.index), make([]uint32, e.len())
	longest := 0
	for _, i := range sel {
		longest = max(longest, int(e.offsets[i+1]-e.offsets[i]))
	}
	for width := 1; width < longest; width *= 2 {
		copy(to, from)
		var runs []mergeRun
		for _, i := range sel {
			end := int(e.offsets[i+1])
			for at := int(e.offsets[i]); at+width < end; at += 2 * width {
				runs = append(runs, mergeRun{row: i, i: at, iEnd: at + width, j: at + width, to: at, jEnd: min(at+2*width, end)})
			}
		}
		if err := h.mergeRuns(ctx, b, e, runs, from, to); err != nil {
			return err
		}
		from, to = to, from
	}
	out.Children = []*vector.Vector{gathered(e.list.Children[0], from)}
	return nil
}

func (h *higher) mergeRuns(ctx *Ctx, b *vector.Batch, e *elements, runs []mergeRun, from, to []uint32) error {
	src := e.list.Children[0]
	var rows, left, right []uint32
	for len(runs) > 0 {
		rows, left, right = rows[:0], left[:0], right[:0]
		for _, r := range runs {
			rows, left, right = append(rows, r.row), append(left, from[r.i]), append(right, from[r.j])
		}
		v, err := h.l[0].apply(ctx, b, rows, gathered(src, right), gathered(src, left)) // the later one first, as Java's sort asks

		if err != nil {
			return err
		}
		kept := runs[:0]
		for k, r := range runs {
			if v.IsNull(k) {
				return errs.New("COMPARATOR_RETURNS_NULL", "firstValue", showValue(src, int(right[k])), "secondValue", showValue(src, int(left[k])))
			}
			if numAt(v, k) >= 0 {
				to[r.to] = from[r.i]
				r.i++
			} else {
				to[r.to] = from[r.j]
				r.j++
			}
			r.to++
			if r.i == r.iEnd {
				copy(to[r.to:], from[r.j:r.jEnd])
			} else if r.j == r.jEnd {
				copy(to[r.to:], from[r.i:r.iEnd])
			} else {
				kept = append(kept, r)
			}
		}
		runs = kept
	}
	return nil
}
