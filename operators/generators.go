package operators

import (
	"millrace/errs"
	"millrace/operators/expr"
	planpb "millrace/proto/millrace/plan/v1"
	"millrace/types"
	"millrace/vector"
)

func newGenerator(pb *planpb.Generate, args []expr.Evaluator, out []*types.Type) (generator, error) {
	switch pb.Kind {
	case planpb.Generate_EXPLODE, planpb.Generate_INLINE:
		return &lister{arg: args[0], position: pb.Position, fields: pb.Kind == planpb.Generate_INLINE, types: out}, nil
	case planpb.Generate_STACK:
		n := pb.Args[0].GetLiteral().GetInteger()
		if n < 1 || len(args) > 1+int(n)*len(out) {
			return nil, errs.Newf(errs.Internal, "a stack of %d rows and %d columns has %d values", n, len(out), len(args)-1)
		}
		return &stacker{args: args[1:], height: int(n), types: out}, nil
	case planpb.Generate_REPLICATE:
		return &replicator{arg: args[0]}, nil
	}
	return nil, errs.Unsupportedf("The generator %s is not built.", pb.Kind)
}

// lister makes a row of every element of an array or map.
type lister struct {
	arg      expr.Evaluator
	position bool
	fields   bool // of the elements, which are structs, are the columns
	types    []*types.Type
	list     *vector.Vector
	sel      []uint32
	elements []uint32
	inside   []uint32 // elements, without those that are null structs
}

func (g *lister) start(ctx *Ctx, b *vector.Batch) (err error) {
	g.list, err = g.arg.Eval(&ctx.Ctx, b, b.Sel)
	g.sel = b.Sel
	return err
}

func (g *lister) rows(_, r int) int {
	v := g.list
	if v.IsNull(r) {
		return 0
	}
	r = v.Row(r)
	return int(v.Offsets[r+1] - v.Offsets[r])
}

func (g *lister) columns(out []*vector.Vector, existing, places []uint32, wanted func(int) bool) {
	if g.position {
		if wanted(0) {
			positions(out[0], places)
		} else {
			out[0] = vector.NewNull(types.Integer, len(places))
		}
		out = out[1:]
	}
	g.locate(existing, places)
	from, rows := g.list.Children, g.elements
	if g.fields && len(from) == 1 {
		rows = g.withoutNulls(from[0])
		from = from[0].Children
	}
	shift := len(g.types) - len(out)
	for i := range out {
		if !wanted(i+shift) || i >= len(from) {
			out[i] = vector.NewNull(g.types[i+shift], len(places))
			continue
		}
		out[i].Gather(from[i], rows)
	}
}

// locate finds the elements.
func (g *lister) locate(existing, places []uint32) {
	g.elements = resizeRows(g.elements, len(places))
	for i, p := range places {
		if p == vector.NoRow {
			g.elements[i] = vector.NoRow
			continue
		}
		r := int(existing[i])
		if g.sel != nil {
			r = int(g.sel[r])
		}
		g.elements[i] = uint32(g.list.Offsets[g.list.Row(r)]) + p
	}
}

// withoutNulls is the elements, NoRow in the place of null structs.
func (g *lister) withoutNulls(structs *vector.Vector) []uint32 {
	if structs.Valid == nil && !structs.Const {
		return g.elements
	}
	g.inside = resizeRows(g.inside, len(g.elements))
	for i, e := range g.elements {
		g.inside[i] = e
		if e != vector.NoRow && structs.IsNull(int(e)) {
			g.inside[i] = vector.NoRow
		} else if structs.Const {
			g.inside[i] = 0
		}
	}
	return g.inside
}

// positions makes a column of places; NoRow is null.
func positions(v *vector.Vector, places []uint32) {
	v.Reset(types.Integer, len(places))
	data := vector.Values[int32](v)
	for i, p := range places {
		if p == vector.NoRow {
			v.SetNull(i)
			p = 0
		}
		data[i] = int32(p)
	}
}

// stacker lays its arguments out in rows of as many columns as it has types.
type stacker struct {
	args   []expr.Evaluator
	height int
	types  []*types.Type
	n      int
	values []*vector.Vector // of every argument
	sel    []uint32
	column vector.Vector // the values of one output column: for each of its arguments those of all existing rows
	index  []uint32
}

func (g *stacker) start(ctx *Ctx, b *vector.Batch) error {
	g.n, g.sel, g.values = b.Rows(), b.Sel, g.values[:0]
	for _, a := range g.args {
		v, err := a.Eval(&ctx.Ctx, b, b.Sel)
		if err != nil {
			return err
		}
		if v.Len != b.N {
			v = vector.Slice(v, 0, b.N)
		}
		g.values = append(g.values, v)
	}
	return nil
}

func (g *stacker) rows(int, int) int { return g.height }

func (g *stacker) columns(out []*vector.Vector, existing, places []uint32, wanted func(int) bool) {
	g.index = resizeRows(g.index, len(places))
	for i := range out {
		if !wanted(i) {
			out[i] = vector.NewNull(g.types[i], len(places))
			continue
		}
		g.column.Clear(g.types[i])
		for k := i; k < len(g.values); k += len(out) {
			g.column.AppendPlain(g.values[k], g.sel)
		}
		have := uint32(g.column.Len)
		for j, p := range places {
			at := p*uint32(g.n) + existing[j]
			if p >= uint32(g.height) || at >= have {
				at = vector.NoRow
			}
			g.index[j] = at
		}
		out[i].Gather(&g.column, g.index)
	}
}

// replicator repeats rows.
type replicator struct {
	arg   expr.Evaluator
	times *vector.Vector
}

func (g *replicator) start(ctx *Ctx, b *vector.Batch) (err error) {
	g.times, err = g.arg.Eval(&ctx.Ctx, b, b.Sel)
	return err
}

func (g *replicator) rows(_, r int) int {
	if g.times.IsNull(r) {
		return 0
	}
	return int(max(0, vector.Values[int64](g.times)[g.times.Row(r)]))
}

func (g *replicator) columns([]*vector.Vector, []uint32, []uint32, func(int) bool) {}
