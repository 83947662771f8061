package shuffle

import (
	"bytes"
	"slices"
	"sort"

	"github.com/apache/arrow-go/v18/arrow/ipc"

	"millrace/errs"
	"millrace/operators/expr"
	"millrace/operators/sortkey"
	planpb "millrace/proto/millrace/plan/v1"
	"millrace/types"
	"millrace/vector"
)

// ranges tells in which range of an order rows lie.
type ranges struct {
	exprs  []expr.Evaluator
	keys   []sortkey.Key
	cols   []*vector.Vector
	bounds *vector.Batch
	inner  int              // how many bounds divide partitions
	words  [][]uint64       // of the bounds
	enc    *sortkey.Encoder // of the rows
	first  *sortkey.Encoder // of their first key alone, which decides for most
	heads  []uint64         // the first word of the bounds' first key
	tied   []uint32         // rows for which it does not decide
	sel    []uint32
}

func (t *Partitioner) setRanges(p *planpb.Partitioning, input []*types.Type, s *planpb.Settings) error {
	r := &ranges{}
	var columns []*types.Type
	for _, k := range p.Keys {
		e, err := expr.Compile(k.Expr, input, s)
		if err != nil {
			return errs.Wrap(err, "compile a range partitioning")
		}
		r.exprs, columns = append(r.exprs, e), append(columns, e.Type())
		r.keys = append(r.keys, sortkey.Key{Type: e.Type(), Descending: k.Descending, NullsFirst: k.NullsFirst})
	}
	if t.n == 1 {
		return nil
	}
	if err := r.read(p.Bounds, columns); err != nil {
		return err
	}
	t.n, t.ranges = min(t.n, r.bounds.N+1), r
	r.inner = t.n - 1
	return nil
}

// read decodes the bounds.
func (r *ranges) read(stream []byte, columns []*types.Type) error {
	if len(stream) == 0 {
		return errs.Newf(errs.Internal, "a range partitioning has no bounds")
	}
	in, err := ipc.NewReader(bytes.NewReader(stream))
	if err != nil {
		return errs.Wrap(err, "read the bounds of a range partitioning")
	}
	rec, err := in.Read()
	if err != nil {
		return errs.Wrap(err, "read the bounds of a range partitioning")
	}
	if r.bounds, err = vector.FromArrow(rec, columns); err != nil {
		return errs.Wrap(err, "read the bounds of a range partitioning")
	}
	enc := sortkey.NewEncoder(r.keys, true)
	enc.Encode(r.bounds.Cols, nil, r.bounds.N)
	r.words, r.enc = enc.Words, sortkey.NewEncoder(r.keys, true)
	r.first = sortkey.NewEncoder(r.keys[:1], true)
	r.first.Encode(r.bounds.Cols[:1], nil, r.bounds.N)
	r.heads = slices.Clone(r.first.Words[0])
	return nil
}

// assign writes the range of every row of a batch that exists.
func (r *ranges) assign(ctx *expr.Ctx, b *vector.Batch, out []uint32) error {
	r.cols = r.cols[:0]
	for _, e := range r.exprs {
		v, err := e.Eval(ctx, b, b.Sel)
		if err != nil {
			return err
		}
		r.cols = append(r.cols, v)
	}
	r.first.Encode(r.cols[:1], b.Sel, len(out))
	r.tied, r.sel = r.tied[:0], r.sel[:0]
	heads := r.heads[:r.inner]
	for k, x := range r.first.Words[0][:len(out)] {
		p, tied := slices.BinarySearch(heads, x)
		out[k] = uint32(p)
		if tied {
			r.tied = append(r.tied, uint32(k))
		}
	}
	if len(r.tied) == 0 {
		return nil
	}
	return r.decide(b, out)
}

// decide finds the ranges of the tied rows by all keys.
func (r *ranges) decide(b *vector.Batch, out []uint32) error {
	for _, k := range r.tied {
		row := k
		if b.Sel != nil {
			row = b.Sel[k]
		}
		r.sel = append(r.sel, row)
	}
	r.enc.Encode(r.cols, r.sel, len(r.sel))
	for i, k := range r.tied {
		out[k] = uint32(sort.Search(r.inner, func(p int) bool { return !r.above(i, int(r.sel[i]), p) }))
	}
	return nil
}

// above reports whether row k of those that exist, which is row of the batch, comes after bound p.
func (r *ranges) above(k, row, p int) bool {
	for w, words := range r.enc.Words {
		if x, y := words[k], r.words[w][p]; x != y {
			return x > y
		}
	}
	return !r.enc.Exact && sortkey.Compare(r.keys, r.cols, row, r.bounds.Cols, p) > 0
}
