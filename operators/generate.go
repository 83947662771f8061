package operators

import (
	planpb "millrace/proto/millrace/plan/v1"
	"millrace/types"
	"millrace/vector"
)

// generate joins each row with the rows that a generator makes of it.
type generate struct {
	in      Operator
	g       generator
	outer   bool
	read    columnSet
	width   int // of the input
	types   []*types.Type
	ctx     *Ctx
	batch   *vector.Batch // the input's, of which rows from at on, and of the first of these elements from elem on, are to come
	at      int
	elem    int
	most    int // rows of an output batch
	parents []uint32
	places  []uint32 // the element of its parent's that a row is, or NoRow
	out     vector.Batch
}

// generator makes rows of a batch's rows.
type generator interface {
	// start evaluates what the rows are made of.
	start(ctx *Ctx, b *vector.Batch) error
	// rows is the number of rows that it makes of the k-th existing row, whose physical place is r.
	rows(k, r int) int
	// columns makes the generator's columns of rows that are known by the places of their parents among the existing rows and their own
	// places among their parent's; unread columns are nulls.
	columns(out []*vector.Vector, existing, places []uint32, wanted func(int) bool)
}

// copiedBytes bounds the copies of wide rows in one output batch.
const copiedBytes = 32 << 20

func newGenerate(pb *planpb.Generate, out []*types.Type, in Operator, read columnSet, s *planpb.Settings) (Operator, error) {
	o := &generate{in: in, outer: pb.Outer, read: read, types: out, width: len(in.Output())}
	args, err := evaluators(pb.Args, in.Output(), s)
	if err != nil {
		return nil, err
	}
	o.g, err = newGenerator(pb, args, out[o.width:])
	for _, t := range out {
		v := &vector.Vector{}
		v.Clear(t)
		o.out.Cols = append(o.out.Cols, v)
	}
	return o, err
}

func (o *generate) Output() []*types.Type { return o.types }
func (o *generate) Open(ctx *Ctx) error   { o.ctx = ctx; return o.in.Open(ctx) }
func (o *generate) Close() error          { return o.in.Close() }

func (o *generate) Next() (*vector.Batch, error) {
	for {
		if o.batch == nil {
			b, err := o.in.Next()
			if b == nil || err != nil {
				return nil, err
			}
			if err := o.g.start(o.ctx, b); err != nil {
				return nil, err
			}
			o.batch, o.at, o.elem, o.most = b, 0, 0, o.batchRows(b)
		}
		o.fill()
		if o.at == o.batch.Rows() && len(o.parents) == 0 {
			o.batch = nil
			continue
		}
		out := o.emit()
		if o.at == o.batch.Rows() {
			o.batch = nil
		}
		return out, nil
	}
}

// batchRows is how many rows an output batch may have: fewer where the rows that are copied are wide.
func (o *generate) batchRows(b *vector.Batch) int {
	wide := int64(1)
	for i, c := range b.Cols {
		if o.read.has(i) {
			wide += widest(c)
		}
	}
	return int(max(1, min(vector.BatchRows, copiedBytes/wide)))
}

// widest is about the bytes of the longest value of a column of strings or nested values.
func widest(v *vector.Vector) int64 {
	if v.Dict != nil {
		return 4
	}
	if v.Offsets == nil {
		n := int64(8)
		for _, c := range v.Children {
			n += widest(c)
		}
		return n
	}
	longest := int32(0)
	for i := 1; i < len(v.Offsets); i++ {
		longest = max(longest, v.Offsets[i]-v.Offsets[i-1])
	}
	each := int64(1)
	for _, c := range v.Children {
		each += widest(c)
	}
	return int64(longest) * each
}

// fill lists the next output rows: the places of their parents among the existing rows, and their own.
func (o *generate) fill() {
	o.parents, o.places = o.parents[:0], o.places[:0]
	n := o.batch.Rows()
	for ; o.at < n; o.at++ {
		rows := o.g.rows(o.at, rowOf(o.batch, o.at))
		if rows == 0 && o.outer {
			if len(o.parents) == o.most {
				return
			}
			o.parents, o.places = append(o.parents, uint32(o.at)), append(o.places, vector.NoRow)
			continue
		}
		for ; o.elem < rows; o.elem++ {
			if len(o.parents) == o.most {
				return
			}
			o.parents, o.places = append(o.parents, uint32(o.at)), append(o.places, uint32(o.elem))
		}
		o.elem = 0
	}
}

// emit makes the columns of the listed rows.
func (o *generate) emit() *vector.Batch {
	n := len(o.parents)
	o.g.columns(o.out.Cols[o.width:], o.parents, o.places, func(i int) bool { return o.read.has(o.width + i) })
	if o.batch.Sel != nil {
		for i, k := range o.parents {
			o.parents[i] = o.batch.Sel[k]
		}
	}
	for i, c := range o.batch.Cols {
		switch {
		case o.read.has(i):
			o.out.Cols[i].Gather(c, o.parents)
		default:
			o.out.Cols[i] = vector.NewNull(c.Type, n)
		}
	}
	o.out.N, o.out.Sel = n, nil
	return &o.out
}
